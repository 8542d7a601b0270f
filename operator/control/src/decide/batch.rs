//! What is to be committed of what the engine decides. Pure.
//!
//! The engine is asked for everything that is woken: it tells by itself what changed, what waits and what runs where it
//! may no longer. A workload whose objects or overrides changed without changing what it asks of a cluster is woken
//! here, because what is delivered needs a decision and an epoch of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::canonical::{self, CanonicalError};
use jiuzhou_engine::decide::{Cause, Changes, Decision, Kept, Nearest, Plan, Spec, WorkloadKey, plan_and_nearest};
use jiuzhou_engine::terms::{Code, Digest, DigestAlgorithm};
use jiuzhou_intake::placements::{CommitError, Stamp, spec_of};
use jiuzhou_objects::secrets::DigestKey;

use crate::revision::content::{Content, Place};
use crate::state::State;

/// One decision that is to be committed.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) decision: Decision,
    /// The placement it replaces, as it was read.
    pub(crate) before: Option<api::FleetPlacement>,
    /// Epoch and, for a first one, sequence are not given yet.
    pub(crate) spec: api::FleetPlacementSpec,
    /// What is delivered from now on, where it is another than before.
    pub(crate) content: Option<Arc<Content>>,
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
    /// What would help those that were asked for. No part of the plan.
    pub(crate) nearest: BTreeMap<WorkloadKey, Option<Nearest>>,
}

/// What a turn is asked for beside what woke by itself.
pub(crate) struct Ask<'a> {
    /// Workloads that say something else than what is committed for them.
    pub(crate) differing: &'a BTreeSet<WorkloadKey>,
    /// Those of them that go back to what was committed before.
    pub(crate) back: &'a BTreeSet<WorkloadKey>,
    /// Workloads that are looked at for a better score.
    pub(crate) weigh: BTreeSet<WorkloadKey>,
    /// Workloads whose removal is ordered.
    pub(crate) removed: BTreeSet<WorkloadKey>,
    /// The instant.
    pub(crate) as_of: Timestamp,
}

/// Decides what is woken, with what was `kept` from the turn before. `asked` says of which without a place it is to be told
/// what would help.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub(crate) fn decide(
    state: &State,
    key: &DigestKey,
    kept: &mut Kept,
    Ask { differing, back, weigh, removed, as_of }: Ask<'_>,
    asked: impl FnOnce(&[&Decision]) -> BTreeSet<WorkloadKey>,
) -> Result<Batch, CanonicalError> {
    let specs = woken_by_content(state, differing, back, &removed);
    let changes = Changes { specs, removed, weigh, ..Changes::default() };
    let (plan, nearest) = plan_and_nearest(state.snapshot(), &changes, as_of, kept, asked)?;
    let bytes = canonical::bytes(&plan)?;
    let mut batch = Batch {
        as_of,
        sha256: Digest::of(DigestAlgorithm::Sha256, &bytes),
        sm3: Digest::of(DigestAlgorithm::Sm3, &bytes),
        commits: Vec::new(),
        refused: Vec::new(),
        changes,
        plan,
        nearest,
    };
    let data = state.frame().data;
    let given: BTreeMap<&WorkloadKey, &Spec> = batch.changes.specs.iter().map(|spec| (&spec.key, spec)).collect();
    for decision in &batch.plan.decisions {
        let known = || state.snapshot().decided_on(&decision.key).map(|spec| &**spec);
        let Some(spec) = given.get(&decision.key).copied().or_else(known) else { continue };
        let differs = differing.contains(&decision.key);
        match commit(state, key, differs, decision, spec, data) {
            Ok(commit) => batch.commits.extend(commit),
            Err(error) => batch.refused.push(error),
        }
    }
    Ok(batch)
}

fn commit(
    state: &State,
    digest_key: &DigestKey,
    differs: bool,
    decision: &Decision,
    spec: &Spec,
    data: Option<Digest>,
) -> Result<Option<Commit>, CommitError> {
    let before = state.placement(&decision.key);
    // The epoch is given when it is known how many are needed; until then any that is not behind will do.
    let stamp = Stamp { epoch: i64::MAX, sequence: 0, data };
    let held = before.map(|before| held(&before.spec));
    let next = spec_of(decision, spec, held.as_ref(), stamp)?;
    // A change of content waits for the end of a change freeze, as everything that is decided does.
    let frozen = decision.limits.iter().any(|limit| limit.code == Code::FreezeActive);
    let next = match next {
        Some(next) => next,
        None if differs && !frozen => {
            let Some(next) = spec_of(decision, spec, None, stamp)? else { return Ok(None) };
            api::FleetPlacementSpec {
                previous: before.map(|before| before.spec.decision.clone()),
                sequence: before.map_or(0, |before| before.spec.sequence),
                left: before.map(|before| before.spec.left.clone()).unwrap_or_default(),
                // What is given back is where it was when an emergency first moved it.
                mode: before.and_then(|before| before.spec.mode.clone()),
                // An order that waits is not carried out by a change of content.
                rebalanced_at: before.and_then(|before| before.spec.rebalanced_at.clone()),
                ..next
            }
        }
        None => return Ok(None),
    };
    let mut next = next;
    keep_leaving(&mut next, before.map(|before| &before.spec));
    let content = revise(state, digest_key, spec, before, frozen, &mut next);
    next.carried = before.map(|before| carried(before, &next)).unwrap_or_default();
    Ok(Some(Commit { decision: decision.clone(), before: before.cloned(), spec: next, content }))
}

/// Says which content is committed, and its number: another one when the template or what a cluster puts in has changed,
/// the same when replicas only move. Returns the content where it is to be stored.
fn revise(
    state: &State,
    digest_key: &DigestKey,
    spec: &Spec,
    before: Option<&api::FleetPlacement>,
    frozen: bool,
    next: &mut api::FleetPlacementSpec,
) -> Option<Arc<Content>> {
    let known = |name: &str| before?.spec.clusters.iter().find(|cluster| *cluster.name == *name);
    let content = Content::now(state, &spec.key, digest_key).filter(|_| !frozen || before.is_none());
    let mut moved = false;
    let mut added = false;
    for cluster in &mut next.clusters {
        let known = known(&cluster.name);
        let place = Place::now(state, spec, &cluster.name).and_then(|place| place.digest());
        let place = place.map(|digest| digest.to_string().into());
        match known {
            // What is left keeps what it was rendered with, and so does everything while nothing may change.
            Some(known) if cluster.replicas == 0 || content.is_none() => cluster.place.clone_from(&known.place),
            Some(known) => {
                moved |= known.place != place;
                cluster.place = place;
            }
            None => {
                added |= place.is_some();
                cluster.place = place;
            }
        }
    }
    let committed = before.and_then(|before| before.spec.inputs.content.clone());
    let number = before.map_or(0, |before| before.spec.revision);
    let Some(content) = content else {
        (next.inputs.content, next.revision) = (committed, number.max(1));
        return None;
    };
    let template: jiuzhou_api::text::ContentDigest = content.template().to_string().into();
    let changed = moved || committed.as_ref() != Some(&template);
    next.revision = if changed { number.saturating_add(1) } else { number.max(1) };
    next.inputs.content = Some(template);
    let names: Vec<String> = next.clusters.iter().map(|cluster| cluster.name.to_string()).collect();
    let content = content.with_places(state, spec, names.iter().map(String::as_str));
    (changed || added).then(|| Arc::new(content))
}

/// What copies are told of those that they replace: one that begins takes what is written down of the one that leaves because
/// it is not well; one that is there keeps what it was told as long as its content stays, for to take it away would restart
/// its pods. Replicas that join others are told nothing, for the same reason.
fn carried(before: &api::FleetPlacement, next: &api::FleetPlacementSpec) -> Vec<api::CarriedState> {
    let replicas = |spec: &api::FleetPlacementSpec, name: &str| {
        spec.clusters.iter().find(|cluster| *cluster.name == *name).map_or(0, |cluster| cluster.replicas)
    };
    let entries = before.status.iter().flat_map(|status| &status.application_failover);
    let leaving = entries.filter(|entry| {
        let goes = replicas(&before.spec, &entry.name) > 0 && replicas(next, &entry.name) == 0;
        goes && entry.phase == api::FailoverPhase::Released && !entry.state.is_empty()
    });
    let told = leaving.into_iter().next();
    let one = |cluster: &api::PlacedCluster| {
        if replicas(&before.spec, &cluster.name) > 0 {
            let known = before.spec.carried.iter().find(|one| one.name == cluster.name);
            return known.filter(|_| next.revision == before.spec.revision).cloned();
        }
        told.map(|entry| api::CarriedState {
            name: cluster.name.clone(),
            from: entry.name.clone(),
            values: entry.state.clone(),
        })
    };
    next.clusters.iter().filter(|cluster| cluster.replicas > 0).filter_map(one).collect()
}

/// A placement without the clusters that are being left: what was decided.
fn held(placement: &api::FleetPlacementSpec) -> api::FleetPlacementSpec {
    let mut held = placement.clone();
    held.clusters.retain(|cluster| cluster.replicas > 0);
    // What clusters put in is control's, and none of the decision's.
    held.clusters.iter_mut().for_each(|cluster| cluster.place = None);
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
fn woken_by_content(
    state: &State,
    differing: &BTreeSet<WorkloadKey>,
    back: &BTreeSet<WorkloadKey>,
    removed: &BTreeSet<WorkloadKey>,
) -> Vec<Spec> {
    // A deletion is a new generation too, and no new content.
    let going = |key: &WorkloadKey| {
        let workload = state.fleet_workload(key);
        workload.is_none_or(|workload| workload.metadata.deletion_timestamp.is_some())
    };
    let specs = differing.iter().filter_map(|key| state.snapshot().decided_on(key));
    let woken = |spec: &Spec| !spec.changed || back.contains(&spec.key);
    let specs = specs.filter(|spec| woken(spec) && !removed.contains(&spec.key) && !going(&spec.key));
    let asked = |spec: &Arc<Spec>| {
        let mut spec = Spec { changed: true, ..(**spec).clone() };
        if back.contains(&spec.key) && spec.requirement.cause == Cause::Change {
            Arc::make_mut(&mut spec.requirement).cause = Cause::Rollback;
        }
        spec
    };
    specs.map(asked).collect()
}

/// Whether a workload, or a cluster that has it, says something else than what is committed for it.
pub(crate) fn differs(state: &State, key: &WorkloadKey, template: Option<&Digest>) -> bool {
    let Some(placement) = state.placement(key) else { return false };
    let (Some(template), Some(spec)) = (template, state.snapshot().decided_on(key)) else { return false };
    if placement.spec.inputs.content.as_deref() != Some(template.to_string().as_str()) {
        return true;
    }
    let other = |cluster: &api::PlacedCluster| {
        let place = Place::now(state, spec, &cluster.name).and_then(|place| place.digest());
        place.map(|digest| digest.to_string()).as_deref() != cluster.place.as_deref()
    };
    placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0).any(other)
}
