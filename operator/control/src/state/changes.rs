//! What of a snapshot changed since somebody asked: names only, so that nothing is held twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{Snapshot, Spec, WorkloadKey};

/// Names of what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Tenants, tiers, freezes or tables.
    pub frame: bool,
    /// Clusters that are new, other or gone.
    pub clusters: BTreeSet<String>,
    /// Workloads that are new, other or gone.
    pub specs: BTreeSet<WorkloadKey>,
    /// Clusters of which more than free room is other: what is delivered there, or told of it, may be other too.
    pub told: BTreeSet<String>,
}

impl Changed {
    /// Whether nothing did.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.frame && self.clusters.is_empty() && self.specs.is_empty() && self.told.is_empty()
    }

    /// Adds what changed later.
    pub fn add(&mut self, later: Self) {
        let Self { frame, clusters, specs, told } = later;
        self.frame |= frame;
        self.clusters.extend(clusters);
        self.specs.extend(specs);
        self.told.extend(told);
    }

    /// Enters a cluster into a snapshot where it is another than before.
    pub(super) fn put_cluster(&mut self, snapshot: &mut Snapshot, name: &str, cluster: Option<ClusterInput>) {
        let cluster_of = |snapshot: &Snapshot| snapshot.slot(name).and_then(|slot| snapshot.cluster(slot)).cloned();
        let before = cluster_of(snapshot);
        match cluster {
            None if before.is_none() => return,
            None => drop(snapshot.remove_cluster(name)),
            Some(cluster) => {
                // A snapshot sorts what it holds, so the two are compared after it has.
                let slot = snapshot.upsert_cluster(cluster);
                if before.is_some() && before.as_deref() == snapshot.cluster(slot).map(|cluster| &**cluster) {
                    return;
                }
            }
        }
        let same = |(before, now): (&Arc<ClusterInput>, &Arc<ClusterInput>)| before.is_judged_as(now);
        if !before.as_ref().zip(cluster_of(snapshot).as_ref()).is_some_and(same) {
            self.told.insert(name.to_owned());
        }
        self.clusters.insert(name.to_owned());
    }

    /// Enters a workload into a snapshot where it is another than before.
    pub(super) fn put_spec(&mut self, snapshot: &mut Snapshot, key: &WorkloadKey, spec: Option<Spec>) {
        match spec {
            None => {
                if snapshot.remove_spec(key).is_none() {
                    return;
                }
            }
            Some(spec) => {
                if snapshot.spec(key).is_some_and(|before| **before == spec) {
                    return;
                }
                snapshot.upsert_spec(spec);
            }
        }
        self.specs.insert(key.clone());
    }
}
