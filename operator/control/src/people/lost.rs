//! A person's words about members that do not answer: nothing runs there any more (`fence`), and this workload may leave
//! it at once (`failover`). Both are annotations of what they are about; the operator reads them and does the rest.

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FailoverPhase, MemberCluster};
use jiuzhou_engine::decide::WorkloadKey;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::{change, read};
use crate::error::Error;
use crate::planner::failover::silent_since;

/// Who says it is written into an annotation: one line, not too long.
const WORD_MOST: usize = 200;

/// Confirms that nothing runs in a member that does not answer. Returns since when it is silent: the word is about that
/// outage and no other.
///
/// # Errors
/// When the hub does not answer or refuses, and when the member is not silent.
pub async fn fence(client: &Client, cluster: &str, by: &str) -> Result<Timestamp, Error> {
    let api: Api<MemberCluster> = Api::all(client.clone());
    let member = api.get(cluster).await;
    let member = member.map_err(|error| Error::api("read", format!("MemberCluster {cluster}"), error))?;
    let Some(since) = silent_since(&member) else {
        return Err(Error::Order(
            format!("{cluster} is not known to be silent: nothing is confirmed of a member that may answer."),
            format!("{cluster} 并非已知无应答：对可能有应答的成员不作确认。"),
        ));
    };
    let by: String = by.chars().filter(|c| !c.is_control()).take(WORD_MOST).collect();
    let word = format!("{since} {by}");
    let fenced = json!({ "metadata": { "annotations": { meta::ANNOTATION_FENCED: word } } });
    change(&api, &member, fenced).await?;
    Ok(since)
}

/// Lets a workload leave a member at once, or takes that back. Returns what it waits for nevertheless, as its placement
/// says now; `None` when nothing is known of that.
///
/// # Errors
/// When the hub does not answer or refuses, and when the workload has no place in that member.
pub async fn failover(
    client: &Client,
    key: &WorkloadKey,
    cluster: &str,
    undo: bool,
) -> Result<Option<FailoverPhase>, Error> {
    let (api, workload, placement) = read(client, key).await?;
    let placed = placement.iter().flat_map(|placement| &placement.spec.clusters);
    if !undo && placed.clone().all(|one| *one.name != *cluster || one.replicas == 0) {
        let places: Vec<String> = placed.filter(|one| one.replicas > 0).map(|one| one.name.to_string()).collect();
        let places = if places.is_empty() { "-".to_owned() } else { places.join(", ") };
        return Err(Error::Order(
            format!("{key} has no place in {cluster}; it has one in: {places}."),
            format!("{key} 未部署在 {cluster}；其所在集群：{places}。"),
        ));
    }
    let stated = workload.annotations().get(meta::ANNOTATION_FAILOVER).map(String::as_str).unwrap_or_default();
    let mut named: Vec<&str> =
        stated.split(',').map(str::trim).filter(|one| !one.is_empty() && *one != cluster).collect();
    if !undo {
        named.push(cluster);
    }
    let value = if named.is_empty() { Value::Null } else { Value::from(named.join(",")) };
    let left = json!({ "metadata": { "annotations": { meta::ANNOTATION_FAILOVER: value } } });
    change(&api, &workload, left).await?;
    let status = placement.and_then(|placement| placement.status).unwrap_or_default();
    let lost = status.failover.iter().map(|entry| (&entry.name, entry.phase));
    let unwell = status.application_failover.iter().map(|entry| (&entry.name, entry.phase));
    Ok(lost.chain(unwell).find(|(name, _)| ***name == *cluster).map(|(_, phase)| phase))
}
