//! Hands orders over, each once: what was ordered last of a member about a workload is kept, and an equal order is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiuzhou_engine::decide::WorkloadKey;

use super::build::Built;
use crate::delivery::Look;
use crate::orders::{Order, Orders};

/// Orders that were given in this run, and questions that were asked.
#[derive(Default)]
pub(crate) struct Given {
    orders: BTreeMap<WorkloadKey, BTreeMap<String, Arc<Order>>>,
    looks: BTreeMap<WorkloadKey, BTreeMap<String, Look>>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("workloads", &self.orders.len()).finish()
    }
}

impl Given {
    /// Hands over what is new. Returns the members that got an order.
    pub(crate) fn apply(&mut self, key: &WorkloadKey, built: &mut Built, orders: &dyn Orders) -> Vec<String> {
        let given = self.orders.entry(key.clone()).or_default();
        let mut new = Vec::new();
        for (cluster, order) in std::mem::take(&mut built.orders) {
            if given.get(&cluster).is_some_and(|before| before.is(&order)) {
                continue;
            }
            let order = Arc::new(order);
            orders.give(Arc::clone(&order));
            given.insert(cluster.clone(), order);
            new.push(cluster);
        }
        for cluster in &built.forget {
            given.remove(cluster);
        }
        self.ask(key, std::mem::take(&mut built.looks), orders);
        new
    }

    /// Asks what was not asked yet; what is known by now may be asked again later.
    fn ask(&mut self, key: &WorkloadKey, looks: BTreeMap<String, Look>, orders: &dyn Orders) {
        for (cluster, look) in &looks {
            if self.looks.get(key).and_then(|asked| asked.get(cluster)) != Some(look) {
                orders.look(cluster, look.clone());
            }
        }
        if looks.is_empty() {
            self.looks.remove(key);
        } else {
            self.looks.insert(key.clone(), looks);
        }
    }

    /// Forgets a workload that is gone.
    pub(crate) fn forget(&mut self, key: &WorkloadKey) {
        self.orders.remove(key);
        self.looks.remove(key);
    }
}
