//! What a change freeze holds beyond what the engine holds: content, less of what is there, deletions. And what passes it that
//! no object says: going back.
//!
//! Which clusters take nothing while one lasts is a rule of the engine; failover, emergencies and their end pass it by the
//! cause that conversion gives them, and stop orders as orders. A rollback is known only here: its content was stored before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::PlacedCluster;
use jiuzhou_engine::decide::input::FreezeInput;
use jiuzhou_engine::decide::{Cause, WorkloadKey};

use super::Planner;
use crate::decide::batch::Commit;
use crate::error::Error;
use crate::revision::store;
use crate::workload::staged;

impl Planner {
    /// The change freeze that holds what becomes of a workload: its tenant's, on a cluster where it has a place.
    pub(super) fn freeze_of(&self, key: &WorkloadKey, now: Timestamp) -> Option<&FreezeInput> {
        let placed = self.state.placement(key).into_iter().flat_map(|placement| &placement.spec.clusters);
        let placed = placed.filter(|cluster| cluster.replicas > 0).map(|cluster| &*cluster.name);
        self.state.snapshot().freeze_on(&self.state.tenant(key), placed, now)
    }

    /// Takes out of what is to be committed what waits for the end of a freeze: other content, and less than there is where
    /// it holds. More is no question: the engine gives none.
    pub(super) fn hold_frozen(
        &mut self,
        commits: Vec<Commit>,
        back: &BTreeSet<WorkloadKey>,
        now: Timestamp,
    ) -> Vec<Commit> {
        let (held, go): (Vec<Commit>, Vec<Commit>) = commits.into_iter().partition(|commit| {
            let Some(before) = &commit.before else { return false };
            let spec = self.state.snapshot().decided_on(commit.key());
            let by_order = spec.is_none_or(|spec| spec.stop.is_some() || spec.requirement.cause != Cause::Change);
            if by_order || back.contains(commit.key()) || self.freeze_of(commit.key(), now).is_none() {
                return false;
            }
            let next = |name: &str| commit.spec.clusters.iter().find(|one| *one.name == *name);
            let fewer = |one: &PlacedCluster| next(&one.name).map_or(0, |next| next.replicas) < one.replicas;
            commit.content.is_some() || before.spec.clusters.iter().any(fewer)
        });
        let held: BTreeSet<WorkloadKey> = held.iter().map(|commit| commit.key().clone()).collect();
        self.dirty.extend(held.symmetric_difference(&self.frozen).cloned());
        self.frozen = held;
        go
    }

    /// Those of the workloads that differ from what is committed and go back to a revision that was, where a freeze would
    /// hold them otherwise.
    pub(super) async fn rollbacks(
        &self,
        differing: &BTreeSet<WorkloadKey>,
        now: Timestamp,
    ) -> Result<BTreeSet<WorkloadKey>, Error> {
        let mut back = BTreeSet::new();
        for key in differing.iter().filter(|key| self.freeze_of(key, now).is_some()) {
            let (Some(template), Some(placement)) = (self.revisions.template(key), self.state.placement(key)) else {
                continue;
            };
            let stored = store::all(&self.client, key).await?;
            let older = stored.iter().filter(|one| one.revision < staged::target(placement));
            if older.filter_map(store::content).any(|content| content.template() == *template) {
                back.insert(key.clone());
            }
        }
        Ok(back)
    }
}
