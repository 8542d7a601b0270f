//! Members by pull, as the hub has them: what their agents are told, what they report.
//!
//! An agent is treated as a stranger with a name: its report is read as far as the schema goes and judged as an answer of
//! a pushed member is; it cannot say what tier it has or that it is another cluster.

use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{HubClaim, Lifecycle, MemberCluster};
use jiuzhou_member::agent::{JSON, REPORT, Report, SETTINGS, Settings};
use jiuzhou_member::claim::{self, Standing};
use jiuzhou_member::connection::Trouble;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::board::Board;
use super::status::Problem;
use super::task::Memory;
use super::{Members, Outlook, status};

/// Between two writes of what an agent is told.
const TELL: Duration = Duration::from_secs(60);
/// Largest report that is read.
const MAX_REPORT: usize = 900 << 10;

/// One round for a member by pull.
pub(super) async fn round(
    hub: &Client,
    object: &MemberCluster,
    outlook: &Outlook,
    memory: &mut Memory,
    reports: &Board,
    members: &Members,
) {
    let maps: Api<ConfigMap> = Api::namespaced(hub.clone(), &meta::member_namespace(&object.name_any()));
    if let Err(error) = tell(&maps, object, outlook, memory).await {
        memory.trouble = Some(match Trouble::of(&error) {
            Trouble::NotFound(_) => Problem::new(
                ControllerReason::ReferenceMissing,
                format!(
                    "namespace {}; it is made by `jiuzhou join --pull`",
                    meta::member_namespace(&object.name_any())
                ),
            ),
            trouble => Problem::of(&trouble),
        });
        return;
    }
    if let Err(problem) = listen(&maps, object, outlook, memory, reports, members).await {
        memory.trouble = Some(problem);
    }
}

/// Tells the agent what is new, at once when it is more than the epoch.
async fn tell(
    maps: &Api<ConfigMap>,
    object: &MemberCluster,
    outlook: &Outlook,
    memory: &mut Memory,
) -> Result<(), kube::Error> {
    let mut dividing: Vec<String> =
        object.spec.pool_facts.iter().flat_map(|facts| facts.node_labels.keys().cloned()).collect();
    dividing.sort();
    dividing.dedup();
    let now = outlook.hub();
    let settings = Settings {
        catalogue: (*outlook.catalogue).clone(),
        dividing,
        hub: outlook.hub.id.clone(),
        term: outlook.hub.term,
        epoch: now.epoch,
        succeeds: now.succeeds,
        never: now.never,
        leaving: object.spec.lifecycle != Lifecycle::Active || object.metadata.deletion_timestamp.is_some(),
    };
    if settings.hub.is_empty() || memory.told.as_ref().is_some_and(|(told, at)| is_told(told, &settings, at.elapsed()))
    {
        return Ok(());
    }
    let text = serde_json::to_string(&settings).map_err(kube::Error::SerdeError)?;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": SETTINGS, "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY } },
        "data": { JSON: text },
    });
    let live = maps.get_opt(SETTINGS).await?;
    let same = live.is_some_and(|live| live.data.and_then(|mut data| data.remove(JSON)).as_deref() == Some(&text));
    if !same {
        maps.patch(SETTINGS, &PatchParams::apply(meta::FIELD_MANAGER).force(), &Patch::Apply(&map)).await?;
    }
    memory.told = Some((settings, Instant::now()));
    Ok(())
}

fn is_told(told: &Settings, settings: &Settings, since: Duration) -> bool {
    let but_epoch = Settings { epoch: told.epoch, never: told.never, ..settings.clone() };
    *told == *settings || (*told == but_epoch && since < TELL)
}

/// Reads the report when there is another.
async fn listen(
    maps: &Api<ConfigMap>,
    object: &MemberCluster,
    outlook: &Outlook,
    memory: &mut Memory,
    reports: &Board,
    members: &Members,
) -> Result<(), Problem> {
    let version = reports.get(&(meta::member_namespace(&object.name_any()), REPORT.to_owned()));
    if version.is_none() || version == memory.reported {
        // What was reported is judged anew: the hub may have learned, or a person may have decided.
        let contested = |problem: &Problem| {
            matches!(problem.reason, ControllerReason::EpochBehind | ControllerReason::ClaimedByOther)
        };
        if memory.standing.as_ref().is_some_and(contested) {
            memory.standing = judge(object, outlook, memory.claimed.as_ref());
        }
        return Ok(());
    }
    let map = maps.get_opt(REPORT).await.map_err(|error| Problem::of(&Trouble::of(&error)))?;
    let Some(map) = map else { return Ok(()) };
    let text = map.data.and_then(|mut data| data.remove(JSON)).unwrap_or_default();
    let invalid = || Problem::new(ControllerReason::AnswerInvalid, "the report of the agent cannot be read");
    if text.len() > MAX_REPORT {
        return Err(invalid());
    }
    let Report { identity, claim, mut inventory, left } = serde_json::from_str(&text).map_err(|_| invalid())?;
    inventory.pools.truncate(64);
    inventory.apis.truncate(256);
    memory.reported = version;
    memory.trouble = None;
    memory.standing = None;
    if identity.is_empty() {
        return Err(invalid());
    }
    if let Some(known) = memory.identity.as_ref().filter(|known| **known != identity) {
        memory.standing = Some(Problem::identity(known, &identity));
        return Ok(());
    }
    let created = object.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    if let Some(other) = members.identify(&identity, &object.name_any(), created) {
        let detail = format!("this is the same cluster as MemberCluster {other}; delete one of the two");
        memory.standing = Some(Problem::new(ControllerReason::DuplicateMember, detail));
        return Ok(());
    }
    memory.standing = judge(object, outlook, claim.as_ref());
    memory.claimed = claim;
    memory.identity = Some(identity);
    memory.confirmed = Some(Instant::now());
    memory.last_answer = Some(Timestamp::now());
    memory.inventory = Some(inventory);
    memory.counted = left;
    Ok(())
}

/// What stands between this hub and a member, by what its agent reported. Its agent takes the claim of a former hub over.
fn judge(object: &MemberCluster, outlook: &Outlook, claim: Option<&HubClaim>) -> Option<Problem> {
    let recorded = object.status.as_ref().and_then(|status| status.claim.as_ref());
    let standing = claim::judge(claim, &outlook.hub(), recorded);
    outlook.reached.notice(&standing);
    if matches!(standing, Standing::MemberRolledBack { .. }) && status::is_accepted(object) {
        return None;
    }
    Problem::standing(&standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_epoch_alone_is_told_once_a_minute_and_all_else_at_once() {
        let told = Settings { hub: "us".to_owned(), epoch: 5, ..Settings::default() };
        let seconds = Duration::from_secs;
        assert!(is_told(&told, &told, seconds(9999)));
        let epoch = Settings { epoch: 6, ..told.clone() };
        assert!(is_told(&told, &epoch, seconds(59)) && !is_told(&told, &epoch, seconds(60)));
        assert!(!is_told(&told, &Settings { term: 2, ..told.clone() }, seconds(0)));
    }
}
