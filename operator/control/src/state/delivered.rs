//! What is delivered, looked up the other way round: which workloads have a place in a cluster, how far epochs have come.
//!
//! Kept up to date object by object, because a turn must not walk every placement to find the few that concern it.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::Values;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::objects::{Objects, named};

/// What of an object is delivered, or says where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Of a cluster: its values and the names of its registries.
    Cluster(Option<(Values, Vec<api::RegistryRewrite>)>),
    /// Of a placement: its clusters, its epoch, whether something is written down of copies that may leave.
    Placement(BTreeSet<String>, i64, bool),
    None,
}

impl Parts {
    pub(super) fn of(objects: &Objects, object: &ObjectRef) -> Self {
        match object.kind.as_str() {
            "MemberCluster" => Self::Cluster(named(&objects.clusters, &object.name).map(|item| {
                let spec = &item.object.spec;
                (spec.values.clone(), spec.registries.clone())
            })),
            "FleetPlacement" => {
                let key = (object.namespace.clone(), object.name.clone());
                let placement = objects.placements.get(&key).map(|item| &*item.object);
                let spec = placement.map(|placement| &placement.spec);
                let failing = placement.and_then(|placement| placement.status.as_ref());
                let failing = failing
                    .is_some_and(|status| !(status.failover.is_empty() && status.application_failover.is_empty()));
                let clusters = spec.iter().flat_map(|spec| &spec.clusters).map(|cluster| cluster.name.to_string());
                Self::Placement(clusters.collect(), spec.map_or(0, |spec| spec.epoch), failing)
            }
            _ => Self::None,
        }
    }
}

/// The looked-up ways.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    on: BTreeMap<String, BTreeSet<WorkloadKey>>,
    failing: BTreeSet<WorkloadKey>,
    epoch: i64,
}

impl Delivered {
    /// An object is another than before. Answers whether what is delivered to the cluster it is may be another.
    pub(super) fn moved(&mut self, object: &ObjectRef, before: &Parts, now: &Parts) -> bool {
        if let (Parts::Placement(before, ..), Parts::Placement(now, epoch, failing)) = (before, now) {
            let key = WorkloadKey::new(&object.namespace, &object.name);
            for cluster in before.difference(now) {
                if let Some(on) = self.on.get_mut(cluster) {
                    on.remove(&key);
                    if on.is_empty() {
                        self.on.remove(cluster);
                    }
                }
            }
            for cluster in now.difference(before) {
                self.on.entry(cluster.clone()).or_default().insert(key.clone());
            }
            if *failing {
                self.failing.insert(key);
            } else {
                self.failing.remove(&key);
            }
            self.epoch = self.epoch.max(*epoch);
        }
        matches!(now, Parts::Cluster(_)) && before != now
    }

    pub(super) fn on(&self, cluster: &str) -> impl Iterator<Item = &WorkloadKey> {
        self.on.get(cluster).into_iter().flatten()
    }

    pub(super) fn failing(&self) -> impl Iterator<Item = &WorkloadKey> {
        self.failing.iter()
    }

    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }
}
