//! The fleet turned sideways: for each property, the set of clusters that have it.
//!
//! Pools stand in planes: plane `k` holds the k-th pool (by name) of every cluster, so that "any pool of the cluster"
//! is a word-wise OR of planes. Facts of CPUs and registries are interned, because a fleet has few distinct ones and a
//! rule is evaluated once for each. The index holds no meaning of its own: everything in it can be made again from the
//! inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::{Taint, TaintEffect};
use super::input::{ClusterInput, ClusterState, Ownership, Reachability, RegistryInput};
use super::mask::Mask;
use super::nodes::NodeSide;
use crate::detect::PoolFacts;

/// Clusters by the value of one property.
pub(crate) type Postings<K = String> = BTreeMap<K, Mask>;

/// Clusters by label.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelIndex {
    /// Clusters that have the label at all.
    pub(crate) any: Mask,
    /// Clusters by value.
    pub(crate) values: Postings,
}

/// The k-th pool of every cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plane {
    /// Clusters that have a k-th pool.
    pub(crate) exists: Mask,
    /// By network zone.
    pub(crate) zones: Postings,
    /// By interned CPU facts.
    pub(crate) facts: Postings<u32>,
    /// By interned registry that the pool's zone reaches.
    pub(crate) registries: Postings<u32>,
    /// By what the pool's zone is offered.
    pub(crate) offers: Postings<u32>,
    /// By interned labels and taints.
    pub(crate) sides: Postings<u32>,
    /// By the interned part of the labels that a derived affinity looks at.
    pub(crate) shown: Postings<u32>,
}

/// Distinct values numbered in the order they were first seen. Numbers never leave the process.
#[derive(Clone, Debug)]
pub(crate) struct Interned<T> {
    ids: BTreeMap<T, u32>,
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { ids: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T: Ord + Clone> Interned<T> {
    pub(crate) fn id(&mut self, value: &T) -> u32 {
        if let Some(id) = self.ids.get(value) {
            return *id;
        }
        let id = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.ids.insert(value.clone(), id);
        self.values.push(value.clone());
        id
    }

    /// All values from a number on, in the order of their numbers.
    pub(crate) fn from(&self, id: usize) -> &[T] {
        self.values.get(id..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) live: Mask,
    pub(crate) labels: BTreeMap<String, LabelIndex>,
    /// Hard taints only.
    pub(crate) taints: Postings<Taint>,
    pub(crate) regions: Postings,
    pub(crate) providers: Postings,
    pub(crate) ownership: Postings<Ownership>,
    pub(crate) jurisdictions: Postings,
    /// Clusters that state no jurisdiction.
    pub(crate) stateless: Mask,
    /// Clusters dedicated to anybody.
    pub(crate) dedicated: Mask,
    pub(crate) dedicated_to: Postings,
    pub(crate) kinds: Postings,
    /// Clusters whose kinds are not known.
    pub(crate) kinds_unknown: Mask,
    pub(crate) draining: Mask,
    pub(crate) deleting: Mask,
    pub(crate) unreachable: Mask,
    pub(crate) reach_unknown: Mask,
    pub(crate) planes: Vec<Plane>,
    pub(crate) facts: Interned<PoolFacts>,
    pub(crate) registries: Interned<RegistryInput>,
    pub(crate) offers: Interned<Offer>,
    pub(crate) sides: Interned<NodeSide>,
    pub(crate) shown: Interned<BTreeMap<String, String>>,
}

fn post<K: Ord + Clone>(postings: &mut Postings<K>, key: &K, slot: usize, add: bool) {
    if add {
        postings.entry(key.clone()).or_default().set(slot);
    } else if let Some(mask) = postings.get_mut(key) {
        mask.clear(slot);
        if mask.is_empty() {
            postings.remove(key);
        }
    }
}

impl Index {
    /// Enters a cluster, or takes it out (`add` false) with the same input it was entered with.
    pub(crate) fn post(&mut self, slot: usize, cluster: &ClusterInput, add: bool) {
        self.live.assign(slot, add);
        for (key, value) in &cluster.labels {
            if !self.labels.contains_key(key) {
                self.labels.insert(key.clone(), LabelIndex::default());
            }
            if let Some(label) = self.labels.get_mut(key) {
                label.any.assign(slot, add);
                post(&mut label.values, value, slot, add);
            }
        }
        for taint in cluster.taints.iter().filter(|taint| taint.effect != TaintEffect::PreferNoSchedule) {
            post(&mut self.taints, taint, slot, add);
        }
        post(&mut self.regions, &cluster.region, slot, add);
        post(&mut self.providers, &cluster.provider, slot, add);
        post(&mut self.ownership, &cluster.ownership, slot, add);
        for (postings, values) in
            [(&mut self.jurisdictions, &cluster.jurisdictions), (&mut self.dedicated_to, &cluster.dedicated_to)]
        {
            values.iter().for_each(|value| post(postings, value, slot, add));
        }
        for kind in cluster.kinds.iter().flatten() {
            post(&mut self.kinds, kind, slot, add);
        }
        self.stateless.assign(slot, add && cluster.jurisdictions.is_empty());
        self.dedicated.assign(slot, add && !cluster.dedicated_to.is_empty());
        self.kinds_unknown.assign(slot, add && cluster.kinds.is_none());
        self.draining.assign(slot, add && cluster.state == ClusterState::Draining);
        self.deleting.assign(slot, add && cluster.state == ClusterState::Deleting);
        self.unreachable.assign(slot, add && cluster.reachability == Reachability::Unreachable);
        self.reach_unknown.assign(slot, add && cluster.reachability == Reachability::Unknown);
        for (at, pool) in cluster.pools.iter().enumerate() {
            if self.planes.len() <= at {
                self.planes.push(Plane::default());
            }
            let facts = self.facts.id(&pool.facts);
            let offer = self.offers.id(&Offer::of(cluster, &pool.zone));
            let side = NodeSide::of(pool);
            let shown = self.shown.id(&side.shown());
            let side = self.sides.id(&side);
            let registry = registry_of(cluster, &pool.zone).map(|registry| self.registries.id(registry));
            if let Some(plane) = self.planes.get_mut(at) {
                plane.exists.assign(slot, add);
                post(&mut plane.zones, &pool.zone, slot, add);
                post(&mut plane.facts, &facts, slot, add);
                post(&mut plane.offers, &offer, slot, add);
                post(&mut plane.sides, &side, slot, add);
                post(&mut plane.shown, &shown, slot, add);
                if let Some(registry) = registry {
                    post(&mut plane.registries, &registry, slot, add);
                }
            }
        }
    }
}

/// What of something is there for one network zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Zoned {
    pub(crate) offered: BTreeSet<String>,
    /// Only in these zones, and the pool's is not stated.
    pub(crate) perhaps: BTreeMap<String, BTreeSet<String>>,
}

impl Zoned {
    fn of(all: &BTreeMap<String, BTreeSet<String>>, zone: &str) -> Self {
        let mut zoned = Self::default();
        for (name, zones) in all {
            if zones.is_empty() || zones.contains(zone) {
                zoned.offered.insert(name.clone());
            } else if zone.is_empty() {
                zoned.perhaps.insert(name.clone(), zones.clone());
            }
        }
        zoned
    }
}

/// Peers and databases of a cluster as nodes of one zone reach them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    pub(crate) peers: Zoned,
    pub(crate) databases: Zoned,
}

impl Offer {
    pub(crate) fn of(cluster: &ClusterInput, zone: &str) -> Self {
        Self { peers: Zoned::of(&cluster.peers, zone), databases: Zoned::of(&cluster.databases, zone) }
    }
}

/// The registry a zone reaches: its own, else the one for zones without their own. A cluster that declares none at all
/// pulls images as they are named, so that the rule has nothing to say (`None`); a zone left out of a declaration has
/// a registry nobody knows anything of.
pub(crate) fn registry_of<'a>(cluster: &'a ClusterInput, zone: &str) -> Option<&'a RegistryInput> {
    cluster.registries.get(zone).or_else(|| cluster.registries.get(""))
}
