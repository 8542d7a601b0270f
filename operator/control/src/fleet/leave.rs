//! How a member is emptied and let go: two steps, so that nothing runs on unseen.
//!
//! `Draining`: what can move leaves (the planner's work); what is left is listed here. `Leaving`, and then the deletion of
//! the MemberCluster: it goes when nothing of ours is left there, proven by a complete list in the member and by a complete
//! list of placements on the hub (ConfigMaps and Secrets cannot be listed there, and no placement lets a cluster go before
//! each of its objects is proven gone by uid); or when a person says so by
//! the annotation that names it, and then what is left stays and was listed. Until then the finalizer holds.

use std::collections::BTreeMap;

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, Lifecycle, MemberCluster};
use jiuzhou_member::claim;
use jiuzhou_member::left;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::{Duration, Instant};

use super::Outlook;
use super::status::Problem;
use super::task::Memory;
use crate::leader::Gate;

/// Between two counts of what is left.
const COUNT: Duration = Duration::from_secs(20);

/// What becomes of a MemberCluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It stays.
    Stays,
    /// It is to be deleted and must wait.
    Waits(Problem),
    /// Nothing of ours is there.
    Clean,
    /// A person lets it go as it is.
    Abandoned,
}

/// Decides. `left` is what a complete list showed, `placed` which workloads the hub has placed there; `None` when there was
/// none. `touched` says whether we ever had it.
pub(super) fn way(
    object: &MemberCluster,
    left: Option<&BTreeMap<String, i32>>,
    placed: Option<&[String]>,
    touched: bool,
) -> Way {
    if object.metadata.deletion_timestamp.is_none() {
        return Way::Stays;
    }
    let empty = left.is_some_and(BTreeMap::is_empty) && placed.is_some_and(<[String]>::is_empty);
    if !touched || empty {
        return Way::Clean;
    }
    let confirmed = object.annotations().get(meta::ANNOTATION_ABANDON) == Some(&object.name_any());
    if object.spec.lifecycle == Lifecycle::Leaving && confirmed {
        return Way::Abandoned;
    }
    let mut what = left.map_or_else(
        || "it cannot be seen what is left there".to_owned(),
        |left| {
            let some: Vec<String> =
                left.iter().take(8).map(|(namespace, count)| format!("{namespace} ({count})")).collect();
            format!("{} namespaces still hold objects: {}", left.len(), some.join(", "))
        },
    );
    if let Some(placed) = placed.filter(|placed| !placed.is_empty()) {
        let some = placed.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
        what = format!("{what}; {} workloads are placed there: {some}", placed.len());
    }
    let help = format!(
        "{what}; drain it first, or let it go as it is with spec.lifecycle Leaving and the annotation {}: {}",
        meta::ANNOTATION_ABANDON,
        object.name_any()
    );
    Way::Waits(Problem::new(ControllerReason::Removing, help))
}

/// Counts what is left while a member drains or leaves, and lets it go when it may. Returns whether it went.
pub(super) async fn leave(
    hub: &Client,
    object: &MemberCluster,
    outlook: &Outlook,
    memory: &mut Memory,
    gate: &Gate,
) -> bool {
    let deleting = object.metadata.deletion_timestamp.is_some();
    if object.spec.lifecycle == Lifecycle::Active && !deleting {
        (memory.left, memory.counted, memory.placed, memory.held) = (None, None, None, None);
        return false;
    }
    let ours = memory.confirmed.is_some() && memory.standing.is_none();
    let client = memory.connection.as_ref().map(|(connection, _)| connection.client()).filter(|_| ours);
    let by_agent = memory.counted.clone().filter(|_| ours && client.is_none());
    if (client.is_some() || by_agent.is_some()) && memory.count_again.is_none_or(|at| at <= Instant::now()) {
        memory.count_again = Some(Instant::now() + COUNT);
        // Before the member is asked: what is placed there later finds it draining.
        memory.placed = match placed(hub, &object.name_any()).await {
            Ok(placed) => Some(placed),
            Err(error) => {
                tracing::warn!(member = %object.name_any(), %error, "failed to list placements; trying again");
                None
            }
        };
        let seen = match (&client, by_agent) {
            (Some(client), _) => left::left(client).await,
            // Counted before the placements were listed: while it drains nothing is placed there any more, and a placement
            // ends only when each of its objects is proven gone.
            (None, counted) => Ok(counted.unwrap_or_default()),
        };
        match seen {
            Ok(mut seen) => {
                for (namespace, count) in outlook.unlisted.get(&object.name_any()).into_iter().flatten() {
                    let sum = seen.entry(namespace.clone()).or_default();
                    *sum = sum.saturating_add(*count);
                }
                memory.left = Some(seen);
            }
            // What was seen before is no proof any more.
            Err(trouble) => {
                memory.left = None;
                memory.trouble = Some(Problem::of(&trouble));
            }
        }
    }
    let status = object.status.as_ref();
    let touched = memory.identity.is_some() || status.is_some_and(|status| status.claim.is_some());
    match way(object, memory.left.as_ref(), memory.placed.as_deref(), touched) {
        Way::Stays => memory.held = None,
        Way::Waits(problem) => memory.held = Some(problem),
        Way::Clean | Way::Abandoned => return go(hub, object, memory, client.as_ref(), gate).await,
    }
    false
}

/// Workloads whose placement names a member, read anew to the last page.
async fn placed(hub: &Client, member: &str) -> Result<Vec<String>, kube::Error> {
    let api: Api<FleetPlacement> = Api::all(hub.clone());
    let mut params = ListParams::default().limit(500);
    let mut found = Vec::new();
    loop {
        let page = api.list(&params).await?;
        let names = |placement: &&FleetPlacement| placement.spec.clusters.iter().any(|one| *one.name == *member);
        let workload = |placement: &FleetPlacement| {
            format!("{}/{}", placement.namespace().unwrap_or_default(), placement.name_any())
        };
        found.extend(page.items.iter().filter(names).map(workload));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}

/// Gives the claim back where that is possible, then takes the finalizer away.
async fn go(hub: &Client, object: &MemberCluster, memory: &mut Memory, client: Option<&Client>, gate: &Gate) -> bool {
    let name = object.name_any();
    // Counting took its time: who leads now?
    if gate.check_member().is_err() {
        return false;
    }
    let mut claim = memory.claim.lock().await;
    if let (Some(client), Some(found)) = (client, claim.as_ref()) {
        match claim::release(client, found).await {
            Ok(()) => *claim = None,
            Err(trouble) => {
                tracing::warn!(member = %name, %trouble, "failed to give the claim back; trying again");
                return false;
            }
        }
    }
    drop(claim);
    match finalizer(hub, object, false).await {
        Ok(()) => {
            tracing::info!(member = %name, left = ?memory.left, "let a member go");
            true
        }
        Err(error) => {
            tracing::warn!(member = %name, %error, "failed to take the finalizer away; trying again");
            false
        }
    }
}

/// Sets or takes away our finalizer, on exactly the object that was read.
pub(super) async fn finalizer(hub: &Client, object: &MemberCluster, wanted: bool) -> Result<(), kube::Error> {
    let mut finalizers = object.metadata.finalizers.clone().unwrap_or_default();
    let there = finalizers.iter().any(|finalizer| finalizer == meta::FINALIZER_MEMBER);
    if there == wanted {
        return Ok(());
    }
    finalizers.retain(|finalizer| finalizer != meta::FINALIZER_MEMBER);
    if wanted {
        finalizers.push(meta::FINALIZER_MEMBER.to_owned());
    }
    let patch = json!({ "metadata": {
        "uid": object.metadata.uid, "resourceVersion": object.metadata.resource_version, "finalizers": finalizers,
    } });
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let api: Api<MemberCluster> = Api::all(hub.clone());
    api.patch(&object.name_any(), &params, &Patch::Merge(&patch)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::MemberClusterSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn member(lifecycle: Lifecycle, deleting: bool, confirm: Option<&str>) -> MemberCluster {
        let mut object = MemberCluster::new("a", MemberClusterSpec { lifecycle, ..MemberClusterSpec::default() });
        object.metadata.deletion_timestamp = deleting.then_some(Time(jiff::Timestamp::UNIX_EPOCH));
        if let Some(confirm) = confirm {
            object.annotations_mut().insert(meta::ANNOTATION_ABANDON.to_owned(), confirm.to_owned());
        }
        object
    }

    #[test]
    fn a_member_goes_when_it_is_proven_empty_or_a_person_names_it() {
        use Lifecycle::{Active, Draining, Leaving};
        let (empty, some) = (BTreeMap::new(), BTreeMap::from([("portal".to_owned(), 3)]));
        let none = Some(&[][..]);
        let waits = |way: Way| matches!(way, Way::Waits(problem) if problem.reason == ControllerReason::Removing);
        assert_eq!(way(&member(Leaving, false, Some("a")), Some(&empty), none, true), Way::Stays);
        assert_eq!(way(&member(Active, true, None), Some(&empty), none, true), Way::Clean);
        assert_eq!(way(&member(Active, true, None), None, None, false), Way::Clean, "never had anything");
        assert!(waits(way(&member(Draining, true, Some("a")), Some(&some), none, true)), "drained is not let go");
        assert!(waits(way(&member(Leaving, true, None), Some(&some), none, true)));
        assert!(waits(way(&member(Leaving, true, Some("b")), Some(&some), none, true)), "names another");
        assert!(waits(way(&member(Leaving, true, None), None, none, true)), "not seen is not empty");
        let web = ["portal/web".to_owned()];
        assert!(waits(way(&member(Leaving, true, None), Some(&empty), Some(&web), true)), "a ConfigMap may be left");
        assert!(waits(way(&member(Leaving, true, None), Some(&empty), None, true)), "not listed is not none");
        assert_eq!(way(&member(Leaving, true, Some("a")), Some(&some), none, true), Way::Abandoned);
        assert_eq!(way(&member(Leaving, true, Some("a")), None, none, true), Way::Abandoned);
    }
}
