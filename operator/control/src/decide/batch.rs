//! What is to be committed of what the engine decides. Pure.
//!
//! The engine is asked for everything that is woken: it tells by itself what changed, what waits and what runs where it
//! may no longer. A workload whose objects or overrides changed without changing what it asks of a cluster is woken
//! here, because what is delivered needs a decision and an epoch of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::canonical::{self, CanonicalError};
use jiuzhou_engine::decide::{Changes, Decision, Kept, Plan, Spec, WorkloadKey, plan_with};
use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use jiuzhou_intake::placements::{CommitError, Stamp, spec_of};

use crate::state::State;

/// One decision that is to be committed.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) decision: Decision,
    /// The placement it replaces, as it was read.
    pub(crate) before: Option<api::FleetPlacement>,
    /// Epoch and, for a first one, sequence are not given yet.
    pub(crate) spec: api::FleetPlacementSpec,
}

impl Commit {
    pub(crate) fn key(&self) -> &WorkloadKey {
        &self.decision.key
    }

    /// Clusters that the placement it replaces had not.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = String> + '_ {
        let before = || self.before.iter().flat_map(|before| &before.spec.clusters);
        let new = self.spec.clusters.iter().filter(move |cluster| !before().any(|known| known.name == cluster.name));
        new.map(|cluster| cluster.name.to_string())
    }

    /// Gives it its epoch. A first placement queues where its epoch stands: the counter of the whole hub only grows.
    pub(crate) fn stamp(&mut self, epoch: i64) {
        self.spec.epoch = epoch;
        if self.before.is_none() {
            self.spec.sequence = epoch;
        }
    }
}

/// What one look at the snapshot decided.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) changes: Changes,
    pub(crate) as_of: Timestamp,
    pub(crate) plan: Plan,
    pub(crate) sha256: Digest,
    pub(crate) sm3: Digest,
    pub(crate) commits: Vec<Commit>,
    /// Decisions that no placement can hold.
    pub(crate) refused: Vec<CommitError>,
}

/// Decides what is woken, with what was `kept` from the turn before. `removed` are workloads whose removal is ordered.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub(crate) fn decide(
    state: &State,
    kept: &mut Kept,
    removed: BTreeSet<WorkloadKey>,
    as_of: Timestamp,
) -> Result<Batch, CanonicalError> {
    let specs = woken_by_content(state, &removed);
    let changes = Changes { specs, removed, ..Changes::default() };
    let plan = plan_with(state.snapshot(), &changes, as_of, kept)?;
    let bytes = canonical::bytes(&plan)?;
    let mut batch = Batch {
        as_of,
        sha256: Digest::of(DigestAlgorithm::Sha256, &bytes),
        sm3: Digest::of(DigestAlgorithm::Sm3, &bytes),
        commits: Vec::new(),
        refused: Vec::new(),
        changes,
        plan,
    };
    let data = state.frame().data;
    let given: BTreeMap<&WorkloadKey, &Spec> = batch.changes.specs.iter().map(|spec| (&spec.key, spec)).collect();
    for decision in &batch.plan.decisions {
        let known = || state.snapshot().spec(&decision.key).map(|spec| &**spec);
        let Some(spec) = given.get(&decision.key).copied().or_else(known) else { continue };
        match commit(state, decision, spec, data) {
            Ok(commit) => batch.commits.extend(commit),
            Err(error) => batch.refused.push(error),
        }
    }
    Ok(batch)
}

fn commit(
    state: &State,
    decision: &Decision,
    spec: &Spec,
    data: Option<Digest>,
) -> Result<Option<Commit>, CommitError> {
    let before = state.placement(&decision.key);
    let content = state.content(&decision.key);
    // The epoch is given when it is known how many are needed; until then any that is not behind will do.
    let stamp = Stamp { epoch: i64::MAX, sequence: 0, data };
    let held = before.map(|before| held(&before.spec));
    let mut next = spec_of(decision, spec, held.as_ref(), stamp)?;
    if next.is_none() && before.is_some_and(|before| before.spec.inputs.content != content) {
        next = spec_of(decision, spec, None, stamp)?.map(|next| api::FleetPlacementSpec {
            previous: before.map(|before| before.spec.decision.clone()),
            sequence: before.map_or(0, |before| before.spec.sequence),
            ..next
        });
    }
    Ok(next.map(|mut next| {
        next.inputs.content = content;
        keep_leaving(&mut next, before.map(|before| &before.spec));
        Commit { decision: decision.clone(), before: before.cloned(), spec: next }
    }))
}

/// A placement without the clusters that are being left: what was decided.
fn held(placement: &api::FleetPlacementSpec) -> api::FleetPlacementSpec {
    let mut held = placement.clone();
    held.clusters.retain(|cluster| cluster.replicas > 0);
    held
}

/// A cluster that is left stays in the placement with no replicas until it is proven that nothing is there any more: it
/// is the one durable word that something has to be removed.
fn keep_leaving(next: &mut api::FleetPlacementSpec, before: Option<&api::FleetPlacementSpec>) {
    for cluster in before.map(|before| before.clusters.as_slice()).unwrap_or_default() {
        if !next.clusters.iter().any(|kept| kept.name == cluster.name) {
            next.clusters.push(api::PlacedCluster { name: cluster.name.clone(), replicas: 0, place: None });
        }
    }
    next.clusters.sort();
}

/// Workloads whose content is another than the one their placement was committed for, asking for what they ask for.
fn woken_by_content(state: &State, removed: &BTreeSet<WorkloadKey>) -> Vec<Spec> {
    // A deletion is a new generation too, and no new content.
    let going = |key: &WorkloadKey| {
        let workload = state.fleet_workload(key);
        workload.is_none_or(|workload| workload.metadata.deletion_timestamp.is_some())
    };
    let keys = state.other_content().filter(|key| !removed.contains(key) && !going(key));
    let specs = keys.filter_map(|key| state.snapshot().spec(key)).filter(|spec| !spec.changed);
    specs.map(|spec| Spec { changed: true, ..(**spec).clone() }).collect()
}
