//! From a decision to what is committed of it: the spec of a `FleetPlacement`.
//!
//! The way back is `convert`'s (a placement says what runs and whether the workload changed since), so both ways stand
//! in this room and a property holds them together: planning a plan's result moves nothing and commits nothing. Writing
//! it to an API server, and the epoch, are control's. Removal is an order of its own and nothing here orders it.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1::{
    DecisionInputs, FleetPlacement, FleetPlacementSpec, LeftData, PlacedCluster, PlacementMode, PlacementStop,
};
use jiuzhou_engine::decide::canonical::{self, CanonicalError};
use jiuzhou_engine::decide::{Decision, Mode, Plan, Spec, Status, WorkloadKey};
use jiuzhou_engine::terms::{Code, Digest, DigestAlgorithm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::convert::holding;
use crate::objects::Objects;

/// Most clusters that one `FleetPlacement` holds.
pub const MAX_CLUSTERS: usize = 1000;

/// What a commit says besides the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The hub's epoch for this commit.
    pub epoch: i64,
    /// Place in the order of admission for a workload that has none yet; one that has a placement keeps its own.
    pub sequence: i64,
    /// Digest of the built-in data the decision was made with.
    pub data: Option<Digest>,
}

/// A decision cannot be committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// More clusters than a placement holds.
    #[error("failed to commit {key}: {clusters} clusters, a FleetPlacement holds at most {MAX_CLUSTERS}")]
    Clusters {
        /// Which workload.
        key: WorkloadKey,
        /// Clusters decided.
        clusters: usize,
    },
    /// More replicas on one cluster than a placement can say.
    #[error("failed to commit {key}: {replicas} replicas on {cluster} are more than a FleetPlacement can say")]
    Replicas {
        /// Which workload.
        key: WorkloadKey,
        /// The cluster.
        cluster: String,
        /// Replicas decided.
        replicas: i64,
    },
    /// The hub's epoch is older than what is committed: the hub knows less than it once did.
    #[error("failed to commit {key}: epoch {epoch} is older than the committed {before}; recover the hub first")]
    Epoch {
        /// Which workload.
        key: WorkloadKey,
        /// The epoch given.
        epoch: i64,
        /// The epoch committed.
        before: i64,
    },
    /// The decision is about a workload that was not given.
    #[error("failed to commit {0}: its workload is not among those the plan was made from")]
    Workload(WorkloadKey),
    /// A value cannot be digested.
    #[error("failed to digest a decision")]
    Canonical(#[from] CanonicalError),
}

/// What is to be committed of a decision about `spec`, given what is committed now; `None` when that stands.
///
/// It stands when the workload asks for what it asked for, its clusters and replicas are the same, no order is carried out,
/// and it waits as it waited: inputs that changed without changing an outcome rewrite nothing, and what a workload waits for may change with
/// every other one. A workload without a place is committed with what runs of it (maybe nothing), because its place in
/// the queue has to last.
///
/// # Errors
/// [`CommitError`] when the placement cannot hold the decision, or the epoch is behind what is committed.
pub fn spec_of(
    decision: &Decision,
    spec: &Spec,
    before: Option<&FleetPlacementSpec>,
    stamp: Stamp,
) -> Result<Option<FleetPlacementSpec>, CommitError> {
    let clusters = clusters(decision)?;
    let workload = spec.intent()?.to_string();
    let waits = decision.status != Status::Placed;
    // Whoever waits says so, even where nothing more is known.
    let limit = decision.limits.first().map(|reason| reason.code).or(waits.then_some(Code::NoCandidate));
    let stop = spec.stop.as_ref().map(|stop| PlacementStop {
        order: stop.order.as_str().into(),
        approval: Some(stop.approval.as_str()).filter(|name| !name.is_empty()).map(Into::into),
        mode: stop.mode.as_ref().map(|(name, _)| name.as_str().into()),
        until: stop.mode.as_ref().map(|(_, until)| Time(*until)),
        lifted: stop.lifted,
    });
    // One that is over stands until what it moved is proven gone, lest it be taken again because it is there.
    let returns = |mode: &&Mode| !mode.over || spec.current.iter().any(|current| current.observed > current.placed);
    let mode = spec.mode.as_ref().filter(returns).map(|mode| PlacementMode {
        name: mode.name.as_str().into(),
        approval: mode.approval.as_str().into(),
        until: Time(mode.until),
        over: mode.over,
        before: match before {
            Some(before) => before.mode.as_ref().map_or_else(|| before.clusters.clone(), |mode| mode.before.clone()),
            None => Vec::new(),
        },
    });
    // Of a workload without a placement nothing ran that an order could move.
    let rebalanced = decision.rebalanced.or(spec.rebalance_at.filter(|_| before.is_none()));
    let done = before.and_then(|before| before.rebalanced_at.clone());
    let rebalanced = rebalanced.filter(|at| done.as_ref().is_none_or(|done| done.0 < *at)).map(Time);
    if let Some(before) = before {
        // A wish that was given up is a limit, too, but nobody waits for it.
        let waited = before.binding_limit.as_deref().is_some_and(|limit| limit != Code::PreferredDropped.as_str());
        let stopped =
            |stop: Option<&PlacementStop>| stop.filter(|stop| !stop.lifted).map(|stop| stop.order.to_string());
        let same_order = stopped(before.stop.as_ref()) == stopped(stop.as_ref());
        let over = |mode: Option<&PlacementMode>| mode.is_none_or(|mode| mode.over);
        let given_back = before.mode.is_some() && (mode.is_none() || over(before.mode.as_ref()) != over(mode.as_ref()));
        if waited == waits
            && same_order
            && !given_back
            && rebalanced.is_none()
            && before.clusters == clusters
            && *before.inputs.workload == *workload
        {
            return Ok(None);
        }
        if stamp.epoch < before.epoch {
            return Err(CommitError::Epoch { key: decision.key.clone(), epoch: stamp.epoch, before: before.epoch });
        }
    }
    let id = canonical::digest(decision, DigestAlgorithm::Sha256)?;
    Ok(Some(FleetPlacementSpec {
        decision: id.to_string().into(),
        previous: before.map(|before| before.decision.clone()),
        epoch: stamp.epoch,
        sequence: before.map_or(stamp.sequence, |before| before.sequence),
        revision: before.map_or(1, |before| before.revision),
        left: left(spec, before, &clusters),
        carried: Vec::new(), // what a copy is told of another is control's
        clusters,
        binding_limit: limit.map(|code| code.as_str().into()),
        stop,
        mode,
        rebalanced_at: rebalanced.or(done),
        holds: holding(spec),
        inputs: DecisionInputs {
            workload: workload.into(),
            policy: Some(canonical::digest(&*spec.policy, DigestAlgorithm::Sha256)?.to_string().into()),
            snapshot: decision.fleet.to_string().into(),
            data: stamp.data.map(|digest| digest.to_string().into()),
            content: None, // what is delivered is control's
        },
        as_of: Some(Time(decision.as_of)),
    }))
}

/// Where data stays behind: what is committed of that, and what is left with this decision. Where replicas come again the
/// data is in use and not left any more.
fn left(spec: &Spec, before: Option<&FleetPlacementSpec>, clusters: &[PlacedCluster]) -> Vec<LeftData> {
    let Some(before) = before else { return Vec::new() };
    let used = |name: &str| clusters.iter().any(|cluster| *cluster.name == *name && cluster.replicas > 0);
    let mut left: BTreeMap<_, _> = before.left.iter().map(|one| (one.name.clone(), one.epoch)).collect();
    if spec.keeps_data {
        let going = before.clusters.iter().filter(|cluster| cluster.replicas > 0);
        left.extend(going.map(|cluster| (cluster.name.clone(), before.epoch)));
    }
    left.retain(|name, _| !used(name));
    left.into_iter().map(|(name, epoch)| LeftData { name, epoch }).collect()
}

/// Everything a plan commits, in the order in which the ledger decided it. `specs` are those the plan was made from
/// (those of its changes replace those of its fleet), `before` everything that is committed now: new workloads queue
/// behind all of it.
///
/// # Errors
/// As [`spec_of`], and when a decision is about none of `specs`.
pub fn of_plan<'a>(
    plan: &Plan,
    specs: impl IntoIterator<Item = &'a Spec>,
    before: &BTreeMap<WorkloadKey, FleetPlacementSpec>,
    epoch: i64,
    data: Option<Digest>,
) -> Result<Vec<(WorkloadKey, FleetPlacementSpec)>, CommitError> {
    let specs: BTreeMap<&WorkloadKey, &Spec> = specs.into_iter().map(|spec| (&spec.key, spec)).collect();
    let mut sequence = before.values().map(|placement| placement.sequence).max().unwrap_or(0);
    let mut commits = Vec::new();
    for decision in &plan.decisions {
        let spec = specs.get(&decision.key).ok_or_else(|| CommitError::Workload(decision.key.clone()))?;
        let known = before.get(&decision.key);
        if known.is_none() {
            sequence = sequence.saturating_add(1);
        }
        if let Some(commit) = spec_of(decision, spec, known, Stamp { epoch, sequence, data })? {
            commits.push((decision.key.clone(), commit));
        }
    }
    Ok(commits)
}

/// What is committed once a plan is: what stands, what is written new, without what goes away.
///
/// # Errors
/// As [`of_plan`].
pub fn after<'a>(
    plan: &Plan,
    specs: impl IntoIterator<Item = &'a Spec>,
    before: &BTreeMap<WorkloadKey, FleetPlacementSpec>,
    epoch: i64,
    data: Option<Digest>,
) -> Result<BTreeMap<WorkloadKey, FleetPlacementSpec>, CommitError> {
    let mut placements = before.clone();
    placements.extend(of_plan(plan, specs, before, epoch, data)?);
    placements.retain(|key, _| !plan.removed.contains(key));
    Ok(placements)
}

/// The placements an input has, by workload.
#[must_use]
pub fn committed(objects: &Objects) -> BTreeMap<WorkloadKey, FleetPlacementSpec> {
    let placements = objects.placements.iter();
    placements.map(|((namespace, name), item)| (WorkloadKey::new(namespace, name), item.object.spec.clone())).collect()
}

/// The object of a commit.
#[must_use]
pub fn object(key: &WorkloadKey, spec: FleetPlacementSpec) -> FleetPlacement {
    let mut object = FleetPlacement::new(&key.name, spec);
    object.metadata.namespace = Some(key.namespace.clone());
    object
}

fn clusters(decision: &Decision) -> Result<Vec<PlacedCluster>, CommitError> {
    if decision.targets.len() > MAX_CLUSTERS {
        return Err(CommitError::Clusters { key: decision.key.clone(), clusters: decision.targets.len() });
    }
    let target = |target: &jiuzhou_engine::decide::Target| {
        let replicas = i32::try_from(target.replicas).map_err(|_| CommitError::Replicas {
            key: decision.key.clone(),
            cluster: target.cluster.clone(),
            replicas: target.replicas,
        })?;
        Ok(PlacedCluster { name: target.cluster.clone().into(), replicas, place: None })
    };
    decision.targets.iter().map(target).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiuzhou_engine::decide::Target;
    use jiuzhou_engine::terms::Reason;

    use super::*;

    fn spec(replicas: i64) -> Spec {
        Spec { key: WorkloadKey::new("医保", "app"), replicas, ..Spec::default() }
    }

    fn decision(targets: &[(&str, i64)]) -> Decision {
        let target = |(cluster, replicas): &(&str, i64)| Target { cluster: (*cluster).to_owned(), replicas: *replicas };
        Decision {
            key: spec(0).key,
            sequence: 7,
            as_of: "2026-11-23T00:00:00Z".parse().expect("an instant"),
            status: Status::Placed,
            rebalanced: None,
            targets: targets.iter().map(target).collect(),
            shortfall: 0,
            moves: Vec::new(),
            limits: Vec::new(),
            violations: Vec::new(),
            rejected: BTreeMap::new(),
            full: 0,
            spec: Digest::sha256(b"spec"),
            verdicts: None,
            fleet: Digest::sha256(b"fleet"),
            before: None,
        }
    }

    fn stamp(epoch: i64) -> Stamp {
        Stamp { epoch, sequence: 12, data: None }
    }

    fn first() -> FleetPlacementSpec {
        spec_of(&decision(&[("a", 2)]), &spec(2), None, stamp(3)).expect("a commit").expect("a first one")
    }

    #[test]
    fn a_first_commit_takes_its_place_in_the_queue() {
        let first = first();
        assert_eq!((first.epoch, first.sequence, first.previous), (3, 12, None));
        assert_eq!(first.clusters, [PlacedCluster { name: "a".into(), replicas: 2, place: None }]);
    }

    #[test]
    fn what_is_committed_stands_when_only_the_fleet_changed() {
        let other_fleet = Decision { fleet: Digest::sha256(b"other"), sequence: 1, ..decision(&[("a", 2)]) };
        assert_eq!(spec_of(&other_fleet, &spec(2), Some(&first()), stamp(4)).expect("a commit"), None);
    }

    #[test]
    fn a_changed_workload_is_committed_anew_although_it_stays() {
        let mut changed = spec(2);
        Arc::make_mut(&mut changed.policy).min_per_cluster = 2;
        let next = spec_of(&decision(&[("a", 2)]), &changed, Some(&first()), stamp(4)).expect("a commit");
        let next = next.expect("another intent");
        assert_eq!((next.previous, next.epoch, next.sequence), (Some(first().decision), 4, 12));
    }

    #[test]
    fn an_order_is_kept_where_it_was_carried_out_though_nothing_moved_and_goes_on_being_kept() {
        let at = |text: &str| -> jiff::Timestamp { text.parse().expect("an instant") };
        let (one, two) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T00:00:01Z"));
        let carried_out = |order| Decision { rebalanced: Some(order), ..decision(&[("a", 2)]) };
        let next =
            spec_of(&carried_out(one), &spec(2), Some(&first()), stamp(4)).expect("a commit").expect("it is kept");
        assert_eq!((next.rebalanced_at.as_ref(), next.clusters.len()), (Some(&Time(one)), 1));
        assert_eq!(spec_of(&carried_out(one), &spec(2), Some(&next), stamp(5)).expect("a commit"), None, "once");
        let later =
            spec_of(&carried_out(two), &spec(2), Some(&next), stamp(5)).expect("a commit").expect("another order");
        assert_eq!(later.rebalanced_at, Some(Time(two)));
        let moved =
            spec_of(&decision(&[("b", 2)]), &spec(2), Some(&later), stamp(6)).expect("a commit").expect("a move");
        assert_eq!(moved.rebalanced_at, Some(Time(two)));
        // An order on a workload that waits for its first place is no order on what has its place then.
        let new = Spec { rebalance_at: Some(one), ..spec(2) };
        let placed = spec_of(&decision(&[("a", 2)]), &new, None, stamp(4)).expect("a commit").expect("a first one");
        assert_eq!(placed.rebalanced_at, Some(Time(one)));
    }

    #[test]
    fn a_workload_that_waits_is_committed_once_with_its_reason() {
        let waits =
            |code| Decision { status: Status::Pending, limits: vec![Reason::new(code)], ..decision(&[("a", 2)]) };
        let held = spec_of(&waits(Code::QuotaExceeded), &spec(9), Some(&first()), stamp(4)).expect("a commit");
        let held = held.expect("more is wanted");
        assert_eq!(held.binding_limit.as_deref(), Some("QuotaExceeded"));
        assert_eq!(spec_of(&waits(Code::QuotaExceeded), &spec(9), Some(&held), stamp(5)).expect("a commit"), None);
        let other = spec_of(&waits(Code::NoCandidate), &spec(9), Some(&held), stamp(5)).expect("a commit");
        assert_eq!(other, None, "it waits for something else, and still waits");
        let room = spec_of(&decision(&[("a", 9)]), &spec(9), Some(&held), stamp(6)).expect("a commit");
        assert_eq!(room.expect("it has a place").binding_limit, None);
    }

    #[test]
    fn an_epoch_behind_what_is_committed_is_refused() {
        let behind = spec_of(&decision(&[("b", 2)]), &spec(2), Some(&first()), stamp(2));
        assert!(matches!(behind, Err(CommitError::Epoch { epoch: 2, before: 3, .. })));
    }

    #[test]
    fn a_decision_that_no_placement_holds_is_refused() {
        let names: Vec<_> = (0..=MAX_CLUSTERS).map(|at| format!("c{at:04}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let refused = spec_of(&decision(&many), &spec(1), None, stamp(1));
        assert!(matches!(refused, Err(CommitError::Clusters { clusters: 1001, .. })));
        let refused = spec_of(&decision(&[("a", 1 << 40)]), &spec(1), None, stamp(1));
        assert!(matches!(refused, Err(CommitError::Replicas { .. })));
    }
}
