//! Follows up: for every workload that something changed for, the five steps from placement to status.
//!
//! Statuses are written at most once a second each. While something is only on its way the first one waits a little
//! longer, because most are ready by then and one write tells it; what a person has to know is told at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use jiuzhou_engine::decide::WorkloadKey;
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::{Planner, chain};
use crate::error::Error;
use crate::select::{self, left};
use crate::workload::build::{Built, build};
use crate::workload::dereference::{Gathered, Reports, dereference};
use crate::workload::status;
use crate::workload::update_status::{Writes, update_status};
use crate::workload::validate::validate;

/// Between something worth telling and its write.
const TELL: Duration = Duration::from_millis(1000);
/// The same while it is only on its way.
const TELL_PROGRESS: Duration = Duration::from_millis(3000);
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
        self.record(placed).await?;
        // What was just recorded is in `dirty` already.
        self.dirty.clear();
        for key in dirty {
            self.removals.look(&self.state, &key);
            self.follow_one(&key);
        }
        self.carry_out_removals().await;
        Ok(())
    }

    fn follow_one(&mut self, key: &WorkloadKey) {
        let none = Reports::new();
        let reports = self.reports.get(key).unwrap_or(&none);
        let (decision, deletion) = (self.decisions.get(key), self.removals.deletion(key));
        let gathered = dereference(&self.state, key, decision, reports, self.fresh.get(key), deletion);
        let mut built = self.build(&gathered);
        let writes = writes(&gathered, &built, self.now());
        // Who waits for a native status polls it.
        let urgent = !writes.natives.is_empty()
            || writes
                .workload
                .as_ref()
                .is_some_and(|(_, status)| !status.conditions.iter().any(|condition| condition.type_ == "Reconciling"));
        let (forget, gone) = (std::mem::take(&mut built.forget), built.gone);
        let committed = gathered.placement.map(|placement| &placement.spec);
        let committed = committed.map(|spec| (spec.decision.to_string(), spec.epoch));
        let given = self.given.apply(key, &mut built, &*self.orders);
        if !given.is_empty() {
            tracing::debug!(workload = %key, orders = given.len(), "ordered");
        }
        if let Some((decision, epoch)) = &committed {
            let clock = &self.clock;
            self.trail.ordered(key, decision, *epoch, given.iter().map(String::as_str), || clock());
        }
        if writes.is_empty() {
            self.due.remove(key);
        } else {
            let at = Instant::now() + if urgent { TELL } else { TELL_PROGRESS };
            let due = self.due.entry(key.clone()).or_insert(at);
            *due = (*due).min(at);
        }
        self.removals.note(key, forget, gone);
    }

    fn build(&self, gathered: &Gathered<'_>) -> Built {
        let decision = gathered.placement.map(|placement| placement.spec.decision.to_string());
        let recorded = decision.is_some() && self.recorded.get(gathered.key) == decision.as_ref();
        let mut built = build(gathered, &validate(gathered, recorded), &self.digest_key);
        left::order(gathered, &mut built);
        built
    }

    /// Writes the statuses that are due, as they are now.
    pub(super) async fn tell(&mut self) {
        if self.gate.check().is_err() {
            return;
        }
        let now = Instant::now();
        let due: Vec<WorkloadKey> = self.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        let mut all = Vec::new();
        for key in due {
            self.due.remove(&key);
            let none = Reports::new();
            let reports = self.reports.get(&key).unwrap_or(&none);
            let (decision, deletion) = (self.decisions.get(&key), self.removals.deletion(&key));
            let gathered = dereference(&self.state, &key, decision, reports, self.fresh.get(&key), deletion);
            let built = self.build(&gathered);
            let writes = writes(&gathered, &built, self.now());
            if !writes.is_empty() {
                all.push((key, writes));
            }
        }
        let (client, began) = (&self.client, self.now());
        let one = |(key, writes)| async move {
            let written = update_status(client, &key, writes).await;
            (key, written)
        };
        let done: Vec<_> = futures::stream::iter(all).map(one).buffer_unordered(AT_ONCE).collect().await;
        for (key, written) in done {
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
                    self.due.insert(key, Instant::now() + TELL_PROGRESS);
                }
            }
        }
    }
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
