//! What one replica is made of, as the ledger counts it: pods with their requests, and what runs on every node.
//!
//! How often a shape fits into a pool is asked here; who holds what is the ledger's.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::input::ClusterInput;
use super::resources;
use super::snapshot::Snapshot;
use crate::capacity::{FreePool, Performance, Request, ResourceId, Resources, composite_slots, convert_cpu};
use crate::choice::MAX_REPLICAS;
use crate::terms::{Bytes, Millicores};

/// Interned names of extended resources.
///
/// Those that nodes have are numbered in the order of their names: which of two nodes alike in everything else is packed
/// first depends on that order, and so must not depend on which cluster came first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    ids: BTreeMap<String, ResourceId>,
    /// So many are had by nodes; what pods alone ask for is numbered as it is seen.
    on_nodes: usize,
}

impl Names {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let names: BTreeSet<&String> = snapshot.clusters().flat_map(|(_, cluster)| on_nodes(cluster)).collect();
        let numbered = names.into_iter().zip(0..);
        let ids: BTreeMap<_, _> = numbered.map(|(name, id)| (name.clone(), ResourceId(id))).collect();
        Self { on_nodes: ids.len(), ids }
    }

    /// Whether every resource the nodes of a cluster have is numbered among those of nodes.
    pub(crate) fn know(&self, cluster: &ClusterInput) -> bool {
        on_nodes(cluster).all(|name| self.ids.get(name).is_some_and(|id| usize::from(id.0) < self.on_nodes))
    }

    pub(crate) fn name(&self, id: ResourceId) -> Option<&str> {
        self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.as_str())
    }

    /// A vector of amounts; `pods` where it does not say how many.
    pub(crate) fn vector(&mut self, from: &resources::Resources, pods: Option<i64>) -> Resources {
        let of = |name: &str| from.get(name).copied().unwrap_or(0);
        let plain = Resources::new(
            Millicores(of(resources::CPU)),
            Bytes(of(resources::MEMORY)),
            Bytes(of(resources::EPHEMERAL_STORAGE)),
            pods.unwrap_or_else(|| of(resources::PODS)),
        );
        if !from.keys().any(|name| is_extended(name)) {
            return plain;
        }
        let mut extended = Vec::new();
        for (name, amount) in from.iter().filter(|(name, _)| is_extended(name)) {
            let next = ResourceId(u16::try_from(self.ids.len()).unwrap_or(u16::MAX));
            extended.push((*self.ids.entry(name.clone()).or_insert(next), *amount));
        }
        // Names come from a map, so none is there twice (but for more than 65,535 of them, which then share one).
        plain.clone().with(&extended).unwrap_or(plain)
    }
}

fn is_extended(name: &str) -> bool {
    ![resources::CPU, resources::MEMORY, resources::EPHEMERAL_STORAGE, resources::PODS].contains(&name)
}

fn on_nodes(cluster: &ClusterInput) -> impl Iterator<Item = &String> {
    let nodes = cluster.pools.iter().flat_map(|pool| &pool.shapes);
    nodes.flat_map(|shape| shape.free.keys()).filter(|name| is_extended(name))
}

/// What is counted when one replica is to be placed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    /// Pods of one replica with their number.
    pub(crate) parts: Vec<(Request, i64)>,
    /// Pods that run once on every node, together.
    pub(crate) per_node: Option<Request>,
    /// Cpu follows the declared performance of the cluster.
    pub(crate) converted: bool,
}

impl Shape {
    /// The shape on a cluster of this performance; `None` when it asks for more than can be counted.
    pub(crate) fn at(&self, speed: Option<Performance>) -> Option<Cow<'_, Self>> {
        let Some(speed) = speed.filter(|_| self.converted) else { return Some(Cow::Borrowed(self)) };
        let one = |request: &Request| -> Option<Request> {
            let cpu = convert_cpu(request.cpu, Performance::new(REFERENCE), Some(speed))?;
            let mut request = request.clone();
            request.cpu = cpu;
            Some(request)
        };
        let parts = self.parts.iter().map(|(request, pods)| Some((one(request)?, *pods))).collect::<Option<_>>()?;
        let per_node = match &self.per_node {
            Some(request) => Some(one(request)?),
            None => None,
        };
        Some(Cow::Owned(Self { parts, per_node, converted: true }))
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.parts.iter().map(|(request, _)| request).chain(&self.per_node)
    }
}

/// Thousandths that the reference platform does.
const REFERENCE: i64 = 1000;

/// Replicas of a shape that fit into a pool, with what runs on every node taken off first. Pods that run on every node
/// alone fit where every node has room for them.
pub(crate) fn fitting(free: &FreePool, shape: &Shape, speed: Option<Performance>) -> i64 {
    let Some(asked) = shape.at(speed) else { return 0 };
    match &asked.per_node {
        None => packed(free, &asked.parts),
        Some(daemons) if asked.parts.is_empty() => {
            if free.every_node_covers(daemons) {
                MAX_REPLICAS
            } else {
                0
            }
        }
        Some(daemons) => packed(&free.less_on_each(daemons), &asked.parts),
    }
}

/// Sets of pods that fit. Most have one component, which needs no packing and no memory.
pub(crate) fn packed(free: &FreePool, parts: &[(Request, i64)]) -> i64 {
    match parts {
        [(request, pods)] => (free.slots(request) / pods.max(&1)).clamp(0, MAX_REPLICAS),
        _ => composite_slots(free, parts, MAX_REPLICAS),
    }
}

/// Takes replicas component by component, in the order in which [`composite_slots`] packs them.
pub(crate) fn take(free: &mut FreePool, parts: &[(Request, i64)], replicas: i64) {
    if let [(request, pods)] = parts {
        free.remove(request, pods.saturating_mul(replicas));
        return;
    }
    let mut order: Vec<_> = parts.iter().map(|part| (free.slots(&part.0) / part.1.max(1), part)).collect();
    order.sort_unstable();
    for (_, (request, pods)) in order {
        // The pods found room in the count before, in this order.
        free.remove(request, pods.saturating_mul(replicas));
    }
}

/// What replicas ask for in sum; `None` out of range.
pub(crate) fn amount(parts: &[(Request, i64)], replicas: i64) -> Option<Resources> {
    parts.iter().try_fold(Resources::default(), |sum, (request, pods)| {
        let all = Resources::default().checked_less(request, pods.checked_mul(replicas)?.checked_neg()?)?;
        sum.checked_add(&all)
    })
}
