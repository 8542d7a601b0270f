//! What a change freeze holds beyond decisions: deletions. And what passes it that no object says: going back.
//!
//! Which clusters take nothing while one lasts is a rule of the engine; failover, emergencies and their end pass it by the
//! cause that conversion gives them. A rollback is known only here: its content is one that was stored before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::decide::input::FreezeInput;

use super::Planner;
use crate::error::Error;
use crate::revision::store;
use crate::workload::staged;

impl Planner {
    /// The change freeze that holds what becomes of a workload: its tenant's, on a cluster where it has a place.
    pub(super) fn freeze_of(&self, key: &WorkloadKey, now: Timestamp) -> Option<&FreezeInput> {
        let freezes = &self.state.frame().freezes;
        if freezes.iter().all(|freeze| !freeze.term.holds(now)) {
            return None;
        }
        let tenant = self.state.tenant(key);
        let placed = self.state.placement(key).into_iter().flat_map(|placement| &placement.spec.clusters);
        let snapshot = self.state.snapshot();
        let clusters: Vec<_> = placed
            .filter(|cluster| cluster.replicas > 0)
            .filter_map(|cluster| snapshot.cluster(snapshot.slot(&cluster.name)?))
            .collect();
        freezes.iter().find(|freeze| {
            let which = freeze.clusters.as_ref();
            freeze.term.holds(now)
                && (freeze.tenants.is_empty() || freeze.tenants.contains(&tenant))
                && which.is_none_or(|which| clusters.iter().any(|one| which.matches(&one.name, &one.labels)))
        })
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
