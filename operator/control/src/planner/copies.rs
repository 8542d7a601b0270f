//! Copies of what the planner knows, for who works on them elsewhere.

use std::collections::BTreeSet;

use jiuzhou_api::conditions::ConditionType;
use jiuzhou_api::v1alpha1::DeliveryStatus;
use jiuzhou_engine::decide::WorkloadKey;

use super::Planner;
use crate::reports::{Copy, Wished};
use crate::tenants::usage::Sources;

impl Planner {
    /// Answers a wish. While the hub is not known whole there is nothing to give, and dropping the wish says so.
    pub(super) fn give_copy(&self, wish: tokio::sync::oneshot::Sender<Copy>) {
        if self.complete {
            let _ = wish.send(Copy::of(&self.state, self.of_tenants()));
        }
    }

    /// What is known of tenants beside objects and workloads.
    fn of_tenants(&self) -> Sources {
        let tenants = &self.state.frame().tenants;
        let parents = tenants.iter().map(|tenant| (tenant.name.clone(), tenant.quota_parent.clone()));
        let mut conflicts = BTreeSet::new();
        for (key, reports) in &self.reports {
            for (cluster, status) in reports {
                let conflict = |status: &DeliveryStatus| {
                    let all = &status.conditions;
                    all.iter().any(|one| one.type_ == ConditionType::NamespaceConflict.as_str() && one.status == "True")
                };
                if status.as_ref().is_some_and(conflict) {
                    conflicts.insert((self.state.tenant(key), cluster.clone(), key.namespace.clone()));
                }
            }
        }
        let seen =
            |key: &WorkloadKey, cluster: &str| self.reports.get(key).is_some_and(|all| all.contains_key(cluster));
        let whole = self.state.workload_keys().iter().all(|key| {
            let placed = self.state.placement(key).into_iter().flat_map(|placement| &placement.spec.clusters);
            placed.into_iter().all(|cluster| seen(key, &cluster.name))
        });
        Sources { parents: parents.collect(), conflicts, whole }
    }
}

/// The next wish; never one when nobody can wish any more.
pub(super) async fn wish(wished: &mut Wished) -> tokio::sync::oneshot::Sender<Copy> {
    match wished.recv().await {
        Some(wish) => wish,
        None => std::future::pending().await,
    }
}
