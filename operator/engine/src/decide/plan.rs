//! Many workloads decided in their order against one ledger, and the same again from stored inputs.
//!
//! Order: priority descending, admitted sequence, namespace, name. A workload is decided when it changed, was ordered to
//! be placed anew, waits for a place, or runs where it may no longer; everything else keeps what it has and is not even
//! looked at by choice.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::canonical::{self, CanonicalError};
use super::failback::{Failback, earlier};
use super::kept::Kept;
use super::mask;
use super::planner::{Decided, Hindrance, Planner};
use super::record::{Decision, Outline, Outlined, Plan, Status};
use super::snapshot::{FleetInput, Snapshot, SnapshotError};
use super::spec::{ShareOf, Spec, WorkloadKey};
use super::tell::Position;
use super::verdicts::Verdicts;
use crate::terms::{Digest, DigestAlgorithm};

/// What is asked of a plan beyond what the snapshot has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Changes {
    /// Workloads that are new or changed. Without `current` of their own they have what the snapshot says.
    pub specs: Vec<Spec>,
    /// Workloads that go away. Their room is free when their absence is observed, not before.
    pub removed: BTreeSet<WorkloadKey>,
    /// Workloads ordered to be placed anew.
    pub rebalance: BTreeSet<WorkloadKey>,
    /// Workloads that are looked at although nothing woke them: those whose policy has a threshold move where that gains more.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub weigh: BTreeSet<WorkloadKey>,
    /// Tell also of workloads that nothing woke.
    pub all: bool,
}

/// Everything a plan was made from, as it is stored beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanInput {
    /// The fleet.
    pub fleet: FleetInput,
    /// What was asked.
    pub changes: Changes,
    /// The instant.
    pub as_of: Timestamp,
}

/// A plan cannot be made or told.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The inputs cannot be one fleet.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// What a replay gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The plan decided again.
    pub plan: Plan,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// SM3 of the bytes.
    pub sm3: Digest,
}

/// One workload, or a set with one colocate key, against what runs in the snapshot.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn decide(snapshot: &Snapshot, specs: &[Spec], as_of: Timestamp) -> Result<Vec<Decision>, CanonicalError> {
    let fleet = snapshot.digest()?;
    let mut planner = Planner::new(snapshot, as_of);
    let specs: Vec<_> = specs.iter().cloned().map(Arc::new).collect();
    let decided = match specs.as_slice() {
        [one] => vec![planner.decide(one)],
        set => planner.decide_together(set),
    };
    let mut told = Vec::with_capacity(specs.len());
    for ((spec, decided), sequence) in specs.iter().zip(&decided).zip(1..) {
        told.push(planner.record(spec, decided, Position { fleet, sequence, before: None })?);
        planner.commit(spec, decided);
    }
    Ok(told)
}

/// Decides everything that is woken.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn plan(snapshot: &Snapshot, changes: &Changes, as_of: Timestamp) -> Result<Plan, CanonicalError> {
    Ok(planned(&mut Planner::new(snapshot, as_of), changes)?.0)
}

/// As [`plan`], with what was kept from the plan before: the same bytes, sooner. What this plan learns is kept for the
/// next one.
///
/// # Errors
/// As [`plan`].
pub fn plan_with(
    snapshot: &Snapshot,
    changes: &Changes,
    as_of: Timestamp,
    kept: &mut Kept,
) -> Result<Plan, CanonicalError> {
    let mut planner = Planner::resume(snapshot, as_of, kept);
    planner.books.begin();
    let (plan, _) = planned(&mut planner, changes)?;
    planner.put_away(kept);
    Ok(plan)
}

/// As [`plan_with`], for who keeps no record: the same decisions, without what is only there to be stored, found again and
/// explained (digests, moves, limits, counts, quotas). A study that plans millions of times pays for none of it.
#[must_use]
pub fn outline_with(snapshot: &Snapshot, changes: &Changes, as_of: Timestamp, kept: &mut Kept) -> Outline {
    let mut planner = Planner::resume(snapshot, as_of, kept);
    planner.books.begin();
    planner.judge_ahead(changes.specs.iter().map(|spec| &spec.requirement));
    let mut outlines = Vec::new();
    for turn in turns(&mut planner, changes, changes.all).into_iter().filter(|turn| !turn.superseded) {
        for (spec, decided) in turn.set.iter().zip(&turn.decided) {
            let violates = planner.violates(spec, decided);
            if turn.woken || changes.all || violates {
                let targets = planner.targets(spec, decided);
                outlines.push(Outlined { key: spec.key.clone(), status: decided.status, targets, violates });
            }
        }
    }
    let next_change = earlier(planner.view.calendar.next_change(), planner.next_return);
    planner.put_away(kept);
    Outline { decisions: outlines, next_change }
}

/// A workload that a plan gives no place, as it was decided.
pub(crate) struct Waiting {
    pub(crate) spec: Arc<Spec>,
    pub(crate) decided: Decided,
}

/// The plan, and who has no place in it, in its order. Everything is booked.
pub(crate) fn planned(planner: &mut Planner<'_>, changes: &Changes) -> Result<(Plan, Vec<Waiting>), CanonicalError> {
    let snapshot = planner.snapshot();
    let fleet = snapshot.digest()?;
    planner.judge_ahead(changes.specs.iter().map(|spec| &spec.requirement));
    let mut decisions = Vec::new();
    let mut waiting = Vec::new();
    let mut before = None;
    for turn in turns(planner, changes, changes.all).into_iter().filter(|turn| !turn.superseded) {
        for (spec, decided) in turn.set.into_iter().zip(turn.decided) {
            if turn.woken || changes.all || planner.violates(&spec, &decided) {
                let sequence = u64::try_from(decisions.len()).unwrap_or(u64::MAX).saturating_add(1);
                let decision = planner.record(&spec, &decided, Position { fleet, sequence, before })?;
                before = Some(canonical::digest(&decision, DigestAlgorithm::Sha256)?);
                decisions.push(decision);
                if decided.status != Status::Placed {
                    waiting.push(Waiting { spec, decided });
                }
            }
        }
    }
    let removed = changes.removed.iter().filter(|key| snapshot.spec(key).is_some()).cloned().collect();
    let plan = Plan {
        as_of: planner.view.as_of,
        fleet,
        decisions,
        removed,
        quota: planner.books.quota.report(&planner.view, None),
        next_change: earlier(planner.view.calendar.next_change(), planner.next_return),
    };
    Ok((plan, waiting))
}

/// Decides again from stored inputs. Compare `bytes` with what was recorded.
///
/// # Errors
/// [`PlanError`] when the inputs cannot be one fleet.
pub fn replay(input: PlanInput) -> Result<Replay, PlanError> {
    replay_on(input, NonZeroUsize::MIN)
}

/// As [`replay`], on several threads: the same bytes, sooner.
///
/// # Errors
/// As [`replay`].
pub fn replay_on(input: PlanInput, threads: NonZeroUsize) -> Result<Replay, PlanError> {
    let PlanInput { fleet, changes, as_of } = input;
    let snapshot = Snapshot::new(fleet)?;
    let mut planner = Planner::resume(&snapshot, as_of, &mut Kept::on(threads));
    let (plan, _) = planned(&mut planner, &changes)?;
    let bytes = canonical::bytes(&plan)?;
    let sha256 = Digest::of(DigestAlgorithm::Sha256, &bytes);
    let sm3 = Digest::of(DigestAlgorithm::Sm3, &bytes);
    Ok(Replay { plan, bytes, sha256, sm3 })
}

/// One set at its turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) set: Vec<Arc<Spec>>,
    pub(crate) decided: Vec<Decided>,
    pub(crate) woken: bool,
    /// It was looked at for a better score.
    pub(crate) weighed: bool,
    /// 0 in order; later passes come after the ledger was packed anew ([`Planner::repack`]), once before each.
    pub(crate) pass: u32,
    /// It waited, and found its place in a later pass.
    pub(crate) superseded: bool,
    /// It runs, and would go back to an earlier group if that had room.
    pub(crate) waits_to_return: bool,
}

impl Turn {
    fn waits(&self) -> bool {
        self.decided.iter().any(|decided| decided.status != Status::Placed)
    }

    /// Whether it waits for what the ledger has, not for a rule, a cluster or a number.
    fn waits_for_ledger(&self) -> bool {
        let by_ledger = |decided: &Decided| match &decided.limit {
            Some(Hindrance::Choice { .. } | Hindrance::Quota { .. }) => decided.status != Status::Placed,
            _ => false,
        };
        !self.superseded && (self.waits_to_return || self.decided.iter().any(by_ledger))
    }
}

/// Decides and books everything, in the order in which the ledger saw it.
///
/// What waits may have a place once everybody had a turn: a share of what a system, a tenant or the fleet has grows
/// with what is placed later, a workload that changed gives back what its old form took, and nodes that are packed in
/// the order of turns may have other gaps than nodes that filled up one decision at a time. A plan of this plan's own
/// result would start from there. So the ledger is packed as that plan would find it, and whoever waits for anything
/// that moved is tried again in order, until a pass places nobody. Each pass but the last places at least one set.
///
/// Sets that nothing wakes are among them only where `all` are asked for: they decide and book nothing.
pub(crate) fn turns(planner: &mut Planner<'_>, changes: &Changes, all: bool) -> Vec<Turn> {
    let mut done: Vec<Turn> = Vec::new();
    for set in ordered(planner, changes, all) {
        let weighed = set.iter().any(|spec| changes.weigh.contains(&spec.key));
        let turn = planner.turn(set, weighed);
        planner.book_turn(&turn);
        done.push(turn);
    }
    let mut again: Vec<Turn> = Vec::new();
    for pass in 1.. {
        let waiting: Vec<_> = done.iter_mut().filter(|turn| turn.waits_for_ledger()).collect();
        if waiting.is_empty() {
            break;
        }
        let given_back = planner.given_back();
        let opened = planner.repack();
        let mut moved = false;
        for turn in waiting {
            if !planner.may_fit(turn, &opened, given_back) {
                continue;
            }
            let retried = planner.turn(turn.set.clone(), turn.weighed);
            let better = if turn.waits_to_return { retried.woken } else { !retried.waits() };
            if better {
                planner.book_turn(&retried);
                turn.superseded = true;
                moved = true;
                again.push(Turn { pass, ..retried });
            }
        }
        if !moved {
            break;
        }
    }
    done.append(&mut again);
    done
}

fn counts_others(spec: &Spec) -> bool {
    spec.policy.max_share.iter().any(|share| share.of != ShareOf::Workload)
}

/// Workloads whose turn may do anything beside those that are given: those that stir by how they stand, that something is
/// asked of, and who has to stand together with one of them all.
fn concerned<'a>(
    planner: &'a Planner<'_>,
    changes: &'a Changes,
    given: &BTreeMap<&'a WorkloadKey, &'a Spec>,
) -> BTreeSet<&'a WorkloadKey> {
    let snapshot = planner.view.snapshot;
    let asked = changes.rebalance.iter().chain(&changes.weigh);
    let mut keys: BTreeSet<&WorkloadKey> = asked.chain(&planner.books.stirring).collect();
    // Where no workload stands together with others nobody is asked whether it does.
    if !planner.books.sets.is_empty() {
        let own = keys.iter().chain(given.keys()).filter_map(|key| snapshot.spec(key)?.colocate.as_ref());
        let sets = given.values().filter_map(|spec| spec.colocate.as_ref());
        let sets: BTreeSet<&String> = own.chain(sets).collect();
        keys.extend(sets.into_iter().filter_map(|set| planner.books.sets.get(set)).flatten());
    }
    keys.retain(|key| !given.contains_key(key));
    keys
}

/// Sets of workloads to decide, in order. A colocation set stands where its first member stands.
fn ordered(planner: &Planner<'_>, changes: &Changes, all: bool) -> Vec<Vec<Arc<Spec>>> {
    let snapshot = planner.view.snapshot;
    let given: BTreeMap<&WorkloadKey, &Spec> = changes.specs.iter().map(|spec| (&spec.key, spec)).collect();
    let mut specs: BTreeMap<&WorkloadKey, Arc<Spec>> = if all {
        snapshot.specs.iter().map(|(key, spec)| (key, Arc::clone(spec))).collect()
    } else {
        let keys = concerned(planner, changes, &given).into_iter();
        keys.filter_map(|key| Some((key, Arc::clone(snapshot.spec(key)?)))).collect()
    };
    let taken = |(key, given): (_, &Spec)| {
        let mut spec = given.clone();
        // Of many changes most say what runs and that they changed: those are held against nothing.
        if (spec.current.is_empty() || !spec.changed)
            && let Some(known) = snapshot.spec(key)
        {
            if spec.current.is_empty() {
                spec.current.clone_from(&known.current);
            }
            spec.changed = spec.changed || spec != **known;
        }
        (key, Arc::new(spec))
    };
    specs.append(&mut given.into_iter().map(taken).collect());
    for key in &changes.rebalance {
        if let Some(spec) = specs.get_mut(key) {
            Arc::make_mut(spec).rebalance = true;
        }
    }
    let decided_on = |spec: &Arc<Spec>| !spec.reserved && !changes.removed.contains(&spec.key);
    let mut list: Vec<_> = specs.into_values().filter(decided_on).collect();
    list.sort_by(|a, b| a.by_turn(b));
    let mut sets: Vec<Vec<Arc<Spec>>> = Vec::new();
    let mut colocated: BTreeMap<String, usize> = BTreeMap::new();
    for spec in list {
        match &spec.colocate {
            None => sets.push(vec![spec]),
            Some(key) => match colocated.get(key).and_then(|at| sets.get_mut(*at)) {
                Some(set) => set.push(spec),
                None => {
                    colocated.insert(key.clone(), sets.len());
                    sets.push(vec![spec]);
                }
            },
        }
    }
    sets
}

impl Planner<'_> {
    /// Decides a set, unless nothing woke any of it. Books nothing.
    pub(crate) fn turn(&mut self, mut set: Vec<Arc<Spec>>, weighed: bool) -> Turn {
        let mut woken = false;
        self.heed(&mut set);
        for spec in &set {
            woken |= spec.changed
                || spec.rebalance
                || spec.is_summoned()
                || self.view.snapshot.spec(&spec.key).is_none()
                || !self.settled(spec);
        }
        let mut waits_to_return = false;
        let decided = match set.as_slice() {
            [one] if !woken => match self.failback(one) {
                Failback::To(decided) => {
                    woken = true;
                    vec![decided]
                }
                other => {
                    waits_to_return = matches!(other, Failback::NoRoom);
                    let better = if weighed { self.better(one) } else { None };
                    woken = better.is_some();
                    vec![better.unwrap_or_else(|| self.as_it_is(one))]
                }
            },
            _ if !woken => set.iter().map(|spec| self.as_it_is(spec)).collect(),
            [one] => vec![self.decide(one)],
            several => self.decide_together(several),
        };
        Turn { set, decided, woken, weighed, pass: 0, superseded: false, waits_to_return }
    }

    /// Whether a set that waits may have its place now that the room of some clusters has changed, or that somebody gave
    /// something back. Shares grow with everything that is booked, and a search that was cut short promises nothing.
    fn may_fit(&self, turn: &Turn, opened: &[u64], given_back: bool) -> bool {
        let meets = |decided: &Decided| {
            let eligible = self.store.block(decided.block).map(Verdicts::eligible);
            eligible.is_some_and(|eligible| eligible.iter().zip(opened).any(|(a, b)| a & b != 0))
        };
        turn.set.iter().zip(&turn.decided).any(|(spec, decided)| {
            given_back
                || counts_others(spec)
                || decided.status == Status::NotProven
                || meets(decided)
                || (!spec.current.is_empty() && mask::count(opened) > 0)
        })
    }

    pub(crate) fn book_turn(&mut self, turn: &Turn) {
        for (spec, decided) in turn.set.iter().zip(&turn.decided).filter(|_| turn.woken) {
            self.commit(spec, decided);
        }
    }
}
