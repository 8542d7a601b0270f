//! What a person decides when hub or member went back in time, or another hub takes the place of one that is lost.
//!
//! Each is shown first, with what confirming it does; what is confirmed is exactly what was shown. The hub's own are changes
//! of its counter, a member's an annotation: the operator reads them, records them and does the rest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, MemberCluster};
use jiuzhou_member::claim;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::change;
use crate::decide::counter;
use crate::error::Error;
use crate::fleet::rolled_back_since;

/// How the hub stands, and what going on means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Id of the hub.
    pub hub: String,
    /// The highest epoch that it committed, by its own store.
    pub committed: i64,
    /// The highest epoch that a member has seen and it never committed; 0 when there is none.
    pub behind: i64,
    /// Members that are not as wanted because of it, each with what it says.
    pub members: Vec<(String, String)>,
    /// Workloads that are placed, and in how many members: what is carried out again when it goes on.
    pub placed: (usize, usize),
}

/// What it would mean to put this hub in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Id of this hub.
    pub hub: String,
    /// The hub that it succeeds; its own id where it is the same hub, restored while a later leader of it lived.
    pub former: String,
    /// Terms of its leaders will be above this one.
    pub term: i64,
    /// Members that say to obey the former hub.
    pub members: Vec<String>,
    /// Whether it is done already.
    pub done: bool,
}

/// A member that went back in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Since when that is known.
    pub since: Timestamp,
    /// What its condition says.
    pub words: String,
    /// Workloads that are placed there and applied again.
    pub placed: Vec<String>,
}

/// Looks how the hub stands.
///
/// # Errors
/// When the hub does not answer or refuses.
pub async fn look(client: &Client) -> Result<Standing, Error> {
    let counter = counter::read(client).await?;
    let placements = placements(client).await?;
    let highest = placements.iter().map(|placement| placement.spec.epoch).max().unwrap_or(0);
    let holds: BTreeSet<&str> = placements
        .iter()
        .flat_map(|placement| &placement.spec.clusters)
        .filter(|cluster| cluster.replicas > 0)
        .map(|cluster| &*cluster.name)
        .collect();
    let said = |member: &MemberCluster| Some((member.name_any(), contested(member)?.1));
    Ok(Standing {
        hub: identity(client).await?,
        committed: highest.max(counter.committed),
        behind: counter.behind,
        members: members(client).await?.iter().filter_map(said).collect(),
        placed: (placements.len(), holds.len()),
    })
}

/// Goes on from what members have seen: the counter is raised above it. `seen` is what was shown, `by` who says so.
///
/// # Errors
/// When the hub does not answer or refuses, and when members have seen another epoch by now.
pub async fn go_on(client: &Client, seen: i64, by: &str, at: Timestamp) -> Result<(), Error> {
    let raised = counter::change(client, meta::FIELD_MANAGER_PERSON, |counter| {
        if counter.behind != seen || seen == 0 {
            let now = counter.behind;
            return Err(match now {
                0 => Error::Order(
                    "this hub waits for nobody: no member has seen what it never committed.".to_owned(),
                    "该中心无须恢复：没有成员见过其未提交的轮次。".to_owned(),
                ),
                _ => Error::Order(
                    format!("members have seen epoch {now} by now, not {seen}; look again."),
                    format!("成员已见的轮次现为 {now}，而非 {seen}；请重新核对。"),
                ),
            });
        }
        counter.committed = counter.committed.max(seen);
        counter.next = counter.next.max(seen.saturating_add(1));
        counter.behind = 0;
        counter.said(at, by, &format!("epoch {seen}"));
        Ok(())
    });
    raised.await.map(drop)
}

/// Looks what it would mean to promote this hub. `former` names the hub where no member of this one remembers it.
///
/// # Errors
/// When the hub does not answer or refuses, and when nobody says which hub it succeeds.
pub async fn promotion(client: &Client, former: Option<&str>) -> Result<Promotion, Error> {
    let (hub, counter) = (identity(client).await?, counter::read(client).await?);
    let members = members(client).await?;
    let claims = || members.iter().filter_map(|member| member.status.as_ref()?.claim.as_ref());
    let others: BTreeSet<String> = claims().map(|claim| claim.hub.to_string()).filter(|other| *other != hub).collect();
    let newer = counter.term_seen > counter.term;
    let former = match (former, others.len()) {
        (Some(former), _) => former.to_owned(),
        (None, 1) => others.into_iter().next().unwrap_or_default(),
        (None, 0) if newer => hub.clone(),
        (None, 0) if counter.succeeds.is_some() => counter.succeeds.clone().unwrap_or_default(),
        (None, count) => {
            return Err(Error::Order(
                format!(
                    "the members of this hub remember {count} other hubs; name the one that it succeeds: --former HUB."
                ),
                format!("该中心的成员记录了 {count} 个其他中心；请指明其接替的中心：--former HUB。"),
            ));
        }
    };
    let lease = Api::<Lease>::namespaced(client.clone(), meta::SYSTEM_NAMESPACE).get_opt(meta::LEADER_LEASE).await;
    let lease = lease.map_err(|error| Error::api("read", "the lease of the leader", error))?;
    let own = lease.and_then(|lease| lease.spec?.lease_transitions).map_or(0, i64::from);
    let term = claims().map(|claim| claim.term).max().unwrap_or(0).max(counter.term_seen).max(own);
    let obeys = |member: &&MemberCluster| {
        let claim = member.status.as_ref().and_then(|status| status.claim.as_ref());
        claim.is_some_and(|claim| *claim.hub == *former) || contested(member).is_some()
    };
    let done = match former == hub {
        true => counter.term >= term,
        false => counter.succeeds.as_ref() == Some(&former),
    };
    let members = members.iter().filter(obeys).map(ResourceExt::name_any).collect();
    Ok(Promotion { hub, former, term, members, done })
}

/// Promotes this hub: its operator starts anew in a term above all that its members have seen and takes them over, each by
/// compare-and-swap of its claim; from then on the former hub is refused there.
///
/// # Errors
/// When the hub does not answer or refuses.
pub async fn promote(client: &Client, shown: &Promotion, by: &str, at: Timestamp) -> Result<(), Error> {
    let raised = counter::change(client, meta::FIELD_MANAGER_PERSON, |counter| {
        counter.term = counter.term.max(shown.term);
        if shown.former != shown.hub {
            counter.succeeds = Some(shown.former.clone());
        }
        counter.said(at, by, &format!("in the place of {}", shown.former));
        Ok(())
    });
    raised.await.map(drop)
}

/// Looks at a member that went back in time.
///
/// # Errors
/// When the hub does not answer or refuses, and when the member did not.
pub async fn member(client: &Client, cluster: &str) -> Result<Member, Error> {
    let (_, since, words) = read_member(client, cluster).await?;
    let here = |placement: &&FleetPlacement| {
        placement.spec.clusters.iter().any(|one| *one.name == *cluster && one.replicas > 0)
    };
    let all = placements(client).await?;
    let placed = all.iter().filter(here);
    let named =
        |placement: &FleetPlacement| format!("{}/{}", placement.namespace().unwrap_or_default(), placement.name_any());
    Ok(Member { since, words, placed: placed.map(named).collect() })
}

/// Confirms that a member went back in time: what is ordered is applied there and removals go on.
///
/// # Errors
/// When the hub does not answer or refuses, and when the member did not.
pub async fn accept(client: &Client, cluster: &str, by: &str) -> Result<Timestamp, Error> {
    let (member, since, _) = read_member(client, cluster).await?;
    let word = json!({ "metadata": { "annotations": { meta::ANNOTATION_RECOVERED: format!("{since} {by}") } } });
    change(&Api::all(client.clone()), &member, word).await?;
    Ok(since)
}

async fn read_member(client: &Client, cluster: &str) -> Result<(MemberCluster, Timestamp, String), Error> {
    let member = Api::<MemberCluster>::all(client.clone()).get(cluster).await;
    let member = member.map_err(|error| Error::api("read", format!("MemberCluster {cluster}"), error))?;
    let behind = counter::read(client).await?.behind;
    match (rolled_back_since(&member).filter(|_| behind == 0), contested(&member)) {
        (Some(since), Some((_, words))) => Ok((member, since, words)),
        _ if behind > 0 => Err(Error::Order(
            "it is the hub that went back in time: jiuzhou recover".to_owned(),
            "回退的是中心：jiuzhou recover".to_owned(),
        )),
        _ => Err(Error::Order(
            format!("{cluster} is not known to have gone back in time."),
            format!("并不知 {cluster} 的数据已回退。"),
        )),
    }
}

/// Why a member does not take this hub for its own as it is, and what its condition says.
fn contested(member: &MemberCluster) -> Option<(ControllerReason, String)> {
    let conditions = &member.status.as_ref()?.conditions;
    let confirmed = conditions.iter().find(|one| one.type_ == ConditionType::IdentityConfirmed.as_str())?;
    let reasons = [ControllerReason::EpochBehind, ControllerReason::ClaimedByOther];
    let reason = reasons.into_iter().find(|reason| reason.as_str() == confirmed.reason)?;
    Some((reason, confirmed.message.clone()))
}

async fn identity(client: &Client) -> Result<String, Error> {
    claim::identity(client).await.map_err(|trouble| {
        Error::Order(format!("failed to read who the hub is: {trouble}."), format!("无法读取中心的标识：{trouble}。"))
    })
}

async fn members(client: &Client) -> Result<Vec<MemberCluster>, Error> {
    let all = Api::<MemberCluster>::all(client.clone()).list(&ListParams::default()).await;
    Ok(all.map_err(|error| Error::api("list", "MemberClusters", error))?.items)
}

async fn placements(client: &Client) -> Result<Vec<FleetPlacement>, Error> {
    let all = Api::<FleetPlacement>::all(client.clone()).list(&ListParams::default()).await;
    Ok(all.map_err(|error| Error::api("list", "FleetPlacements", error))?.items)
}
