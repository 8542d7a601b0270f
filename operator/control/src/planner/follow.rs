//! Follows up: for every workload that something changed for, the five steps from placement to status.
//!
//! Statuses are written at most once a second each. While something is only on its way the first one waits a little
//! longer, because most are ready by then and one write tells it; of a thousand on their way few are told each second, so
//! that telling does not hold up the work. What a person has to know is told at once ([`super::due`]).

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use jiuzhou_api::conditions::ConditionType;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetPlacementStatus};
use jiuzhou_engine::decide::WorkloadKey;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::due::Urgency;
use super::{Planner, chain, moves};
use crate::error::Error;
use crate::seeded::{self, Bug};
use crate::select::{self, left};
use crate::workload::build::{Built, build};
use crate::workload::dereference::{Gathered, Memory, Reports, dereference};
use crate::workload::update_status::{Writes, update_status};
use crate::workload::validate::validate;
use crate::workload::{staged, status};

/// Status writes under way at once.
const AT_ONCE: usize = 16;

impl Planner {
    /// Brings orders up to date for what is dirty, and notes whose status differs.
    ///
    /// # Errors
    /// When the audit log takes no more appends.
    pub(super) async fn follow(&mut self) -> Result<(), Error> {
        let dirty = std::mem::take(&mut self.dirty);
        if dirty.is_empty() {
            return Ok(());
        }
        // Placements that an earlier run committed are recorded before anything is ordered for them.
        let placed: BTreeSet<WorkloadKey> =
            dirty.iter().filter(|key| self.state.placement(key).is_some()).cloned().collect();
        if !seeded::is(Bug::OrderBeforeRecord) {
            self.record(placed.clone()).await?;
        }
        // What was just recorded is in `dirty` already.
        self.dirty.clear();
        self.learn_stored().await;
        self.ready_contents(&dirty).await;
        for key in dirty {
            self.removals.look(&self.state, &key);
            self.follow_one(&key);
        }
        self.carry_out_removals().await;
        if seeded::is(Bug::OrderBeforeRecord) {
            self.record(placed).await?;
        }
        Ok(())
    }

    fn follow_one(&mut self, key: &WorkloadKey) {
        let now = self.now();
        let none = Reports::new();
        let gathered = self.gather_up(key, &none);
        let mut built = self.build(&gathered, now);
        let writes = writes(&gathered, &built, now);
        // Who waits for a native status polls it.
        let urgent = !writes.natives.is_empty()
            || writes.workload.as_ref().is_some_and(|(_, status)| !is_on_its_way(&status.conditions));
        // So is that something which runs once has begun: it must not begin again.
        let urgent = urgent || begins(gathered.placement, writes.placement.as_ref());
        // A step of a rollout or a failover is acted on once it is written.
        let steps = gathered.placement.is_some_and(|placement| moves_on(placement, writes.placement.as_ref()));
        let again = select::status::again(&gathered, now);
        let (forget, gone) = (std::mem::take(&mut built.forget), built.gone);
        let wake = built.step.as_ref().and_then(|step| step.wake);
        let wake = wake.into_iter().chain(status::changes_at(&gathered, now)).min();
        let committed = gathered.placement.map(|placement| &placement.spec);
        let committed = committed.map(|spec| (spec.decision.to_string(), spec.epoch));
        if self.is_behind() {
            built.orders.clear();
        }
        let given = self.given.apply(key, &mut built, &*self.orders);
        if !given.is_empty() {
            tracing::debug!(workload = %key, orders = given.len(), "ordered");
        }
        if let Some((decision, epoch)) = &committed {
            self.pending.ordered(key, *epoch, given.iter().map(String::as_str));
            let clock = &self.clock;
            self.trail.ordered(key, decision, *epoch, given.iter().map(String::as_str), || clock());
        }
        if writes.is_empty() {
            self.due.remove(key);
        } else {
            let urgency = match () {
                () if steps => Urgency::Now,
                () if urgent => Urgency::Soon,
                () => Urgency::OnItsWay,
            };
            self.due.put(key, urgency, Instant::now());
        }
        if let Some(wake) = wake {
            let wait = Duration::try_from(wake.duration_since(now)).unwrap_or(Duration::ZERO);
            self.rouse(key, Instant::now() + wait.max(Duration::from_secs(1)));
        }
        if let Some(again) = again {
            let wait = Duration::try_from(again.duration_since(now)).unwrap_or(Duration::ZERO);
            self.due.put_at(key, Instant::now() + wait);
        }
        self.removals.note(key, forget, gone);
    }

    /// Everything that is known of a workload.
    fn gather_up<'a>(&'a self, key: &'a WorkloadKey, none: &'a Reports) -> Gathered<'a> {
        let now = self.now();
        let memory = Memory {
            decision: self.decisions.get(key),
            nearest: self.decisions.get(key).and_then(|decision| self.nearby.of(decision)),
            reports: self.reports.get(key).unwrap_or(none),
            fresh: self.fresh.get(key),
            template: self.revisions.template(key),
            bodies: self.revisions.bodies(key),
            may_begin: self.revisions.may_begin(key),
            deletion: self.removals.deletion(key),
            failover: self.failovers.of(key),
            application: self.applications.entries.get(key),
            behind: self.is_behind(),
            held_move: self.moves.is_held(key).then(moves::command),
            frozen: (self.removals.awaits(key) || self.frozen.contains(key) || self.is_ordered(key, now))
                .then(|| self.freeze_of(key, now))
                .flatten(),
        };
        dereference(&self.state, key, memory)
    }

    /// Whether an order to place a workload anew stands, and its instant has come.
    fn is_ordered(&self, key: &WorkloadKey, now: jiff::Timestamp) -> bool {
        let spec = self.state.snapshot().decided_on(key);
        spec.is_some_and(|spec| spec.rebalance && spec.rebalance_at.is_some_and(|at| at <= now))
    }

    fn build(&self, gathered: &Gathered<'_>, now: jiff::Timestamp) -> Built {
        let commit = gathered.placement.map(|placement| (placement.spec.decision.to_string(), placement.spec.epoch));
        let recorded = commit.is_some() && self.recorded.get(gathered.key) == commit.as_ref();
        let recorded = recorded || seeded::is(Bug::OrderBeforeRecord);
        let mut built = build(gathered, &validate(gathered, recorded), &self.digest_key);
        left::order(gathered, &mut built);
        let (Some(workload), Some(placement)) = (gathered.workload, gathered.placement) else { return built };
        let Some(course) = built.course.take() else { return built };
        // Until every cluster that has the new revision was looked at, nothing is known that was not written.
        let target = Some(staged::target(placement));
        let unseen = |cluster: &&String| {
            staged::revision_of(workload, placement, cluster) == target && !gathered.reports.contains_key(*cluster)
        };
        let begun = staged::progress(placement).is_some_and(|progress| Some(progress.revision) == target);
        if begun && course.stage_of.keys().any(|cluster| unseen(&cluster)) {
            return built;
        }
        if let Some(status) = status::of_workload(gathered, &built, now) {
            let step = staged::step(workload, placement, course, &built.health, &status, now);
            built.step = Some(step);
        }
        built
    }

    /// Writes the statuses that are due, as they are now.
    pub(super) async fn tell(&mut self) {
        if self.gate.check().is_err() {
            return;
        }
        let due = self.due.take(Instant::now());
        let mut all = Vec::new();
        self.ready_contents(&due.iter().cloned().collect()).await;
        for key in due {
            let (none, now) = (Reports::new(), self.now());
            let gathered = self.gather_up(&key, &none);
            let built = self.build(&gathered, now);
            let writes = writes(&gathered, &built, now);
            if !writes.is_empty() {
                all.push((key, writes));
            }
        }
        let (client, began, since) = (&self.client, self.now(), Instant::now());
        let one = |(key, writes)| async move {
            let written = update_status(client, &key, writes).await;
            (key, written)
        };
        let done: Vec<_> = futures::stream::iter(all).map(one).buffer_unordered(AT_ONCE).collect().await;
        for (key, written) in done {
            let ended = written.as_ref().map(drop).map_err(Error::category);
            self.metrics.reconciled("statuses", since.elapsed(), ended);
            match written {
                Ok(written) => {
                    if let Some(placement) = &written.placement {
                        self.trail.told(&key, &placement.spec.decision, began, self.now());
                    }
                    if let Some(placement) = written.placement {
                        self.take_in(&placement, "FleetPlacement");
                    }
                    if let Some(workload) = written.workload {
                        let before = self.state.fleet_workload(&key).and_then(|before| before.status.as_ref());
                        let before = before.and_then(|status| status.reason.as_deref());
                        if let Some(status) = &workload.status {
                            self.events.standing(&workload, before, status);
                        }
                        self.take_in(&workload, "FleetWorkload");
                    }
                    for native in written.natives {
                        self.native(native);
                    }
                }
                Err(error) => {
                    tracing::warn!(workload = %key, error = %chain(&error), "failed to write a status; trying again");
                    if !seeded::is(Bug::StatusForgotten) {
                        self.due.put(&key, Urgency::OnItsWay, Instant::now());
                    }
                }
            }
        }
    }
}

/// Whether something goes on that will be told when it is there. What was seen and is not any more is news.
fn is_on_its_way(conditions: &[Condition]) -> bool {
    let unseen = |one: &Condition| one.type_ == ConditionType::Ready.as_str() && one.status == "Unknown";
    conditions.iter().any(|one| one.type_ == ConditionType::Reconciling.as_str()) && !conditions.iter().any(unseen)
}

/// Whether a status that is to be written says that something that runs once was begun or has ended.
fn begins(placement: Option<&FleetPlacement>, next: Option<&(String, FleetPlacementStatus)>) -> bool {
    let written = placement.and_then(|placement| placement.status.as_ref()).map(|status| status.started.as_slice());
    next.is_some_and(|(_, next)| next.started != written.unwrap_or_default())
}

/// Whether a status that is to be written takes a rollout or a failover further than the one that is written.
fn moves_on(placement: &FleetPlacement, next: Option<&(String, FleetPlacementStatus)>) -> bool {
    let Some((_, next)) = next else { return false };
    let of = |status: Option<&FleetPlacementStatus>| {
        let rollout = status.and_then(|status| status.rollout.as_ref());
        let rollout = rollout.map(|rollout| (rollout.revision, rollout.stage.clone(), rollout.clusters.clone()));
        let failover = status.map(|status| (status.failover.clone(), status.application_failover.clone()));
        (rollout, failover.unwrap_or_default())
    };
    of(placement.status.as_ref()) != of(Some(next))
}

/// The statuses that differ from what is written.
fn writes(gathered: &Gathered<'_>, built: &Built, now: jiff::Timestamp) -> Writes {
    let mut writes = Writes::default();
    if let Some(status) = status::of_workload(gathered, built, now)
        && let Some(workload) = gathered.workload
    {
        writes.natives = select::status::of_workload(gathered, built, &status, now);
        if workload.status.as_ref() != Some(&status) {
            writes.workload = workload.uid().map(|uid| (uid, status));
        }
    }
    if let Some(status) = status::of_placement(gathered, built, now)
        && let Some(placement) = gathered.placement
        && placement.status.as_ref() != Some(&status)
    {
        writes.placement = placement.uid().map(|uid| (uid, status));
    }
    writes
}
