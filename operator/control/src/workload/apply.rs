//! Hands orders over, each once: what was ordered last of a member about a workload is kept, and an equal order is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiuzhou_engine::decide::WorkloadKey;

use super::build::Built;
use crate::orders::{Order, Orders};

/// Orders that were given in this run.
#[derive(Default)]
pub(crate) struct Given(BTreeMap<WorkloadKey, BTreeMap<String, Arc<Order>>>);

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Given").field(&self.0.len()).finish()
    }
}

impl Given {
    /// Hands over what is new. Returns how many orders were.
    pub(crate) fn apply(&mut self, key: &WorkloadKey, built: &mut Built, orders: &dyn Orders) -> usize {
        let given = self.0.entry(key.clone()).or_default();
        let mut count = 0;
        for (cluster, order) in std::mem::take(&mut built.orders) {
            if given.get(&cluster).is_some_and(|before| before.is(&order)) {
                continue;
            }
            let order = Arc::new(order);
            orders.give(Arc::clone(&order));
            given.insert(cluster, order);
            count += 1;
        }
        for cluster in &built.forget {
            given.remove(cluster);
        }
        count
    }

    /// Forgets a workload that is gone.
    pub(crate) fn forget(&mut self, key: &WorkloadKey) {
        self.0.remove(key);
    }
}
