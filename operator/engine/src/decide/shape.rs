//! What one replica is made of, as the ledger counts it: pods with their requests, and what runs on every node.
//!
//! How often a shape fits into a pool is asked here; who holds what is the ledger's.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::input::ClusterInput;
use super::resources;
use super::snapshot::Snapshot;
use crate::capacity::{
    FreePool, Kind, Performance, Request, ResourceId, Resources, composite_slots, convert_cpu, joint_slots,
};
use crate::choice::MAX_REPLICAS;
use crate::terms::{Bytes, Digest, Millicores};

/// Interned names of extended resources.
///
/// Those that nodes have are numbered in the order of their names: which of two nodes alike in everything else is packed
/// first depends on that order, and so must not depend on which cluster came first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    ids: BTreeMap<String, ResourceId>,
    /// Of what every node has one: numbered by its name alone, whoever asks for it first.
    singles: BTreeMap<String, ResourceId>,
    /// So many are had by nodes; what pods alone ask for is numbered as it is seen.
    on_nodes: usize,
}

impl Names {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let names: BTreeSet<&String> = snapshot.clusters().flat_map(|(_, cluster)| on_nodes(cluster)).collect();
        let numbered = names.into_iter().zip(0..);
        let ids: BTreeMap<_, _> = numbered.map(|(name, id)| (name.clone(), ResourceId(id))).collect();
        Self { on_nodes: ids.len(), ids, singles: BTreeMap::new() }
    }

    /// Whether every resource the nodes of a cluster have is numbered among those of nodes.
    pub(crate) fn know(&self, cluster: &ClusterInput) -> bool {
        on_nodes(cluster).all(|name| self.ids.get(name).is_some_and(|id| id.0 < self.on_nodes as u64))
    }

    pub(crate) fn name(&self, id: ResourceId) -> Option<&str> {
        self.ids.iter().chain(&self.singles).find(|(_, known)| **known == id).map(|(name, _)| name.as_str())
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
            let next = ResourceId(self.ids.len() as u64);
            extended.push((*self.ids.entry(name.clone()).or_insert(next), *amount));
        }
        // Names come from a map, so none is there twice.
        plain.clone().with(&extended).unwrap_or(plain)
    }

    /// What one pod asks of its node: amounts, and of what the node has one.
    pub(crate) fn pod(&mut self, request: &resources::Resources, one_per_node: &BTreeSet<String>) -> Request {
        let request = self.vector(request, Some(1));
        if one_per_node.is_empty() {
            return request;
        }
        let singles: Vec<_> = one_per_node.iter().map(|name| (self.single(name), 1)).collect();
        request.clone().with(&singles).unwrap_or(request)
    }

    fn single(&mut self, name: &str) -> ResourceId {
        if let Some(known) = self.singles.get(name) {
            return *known;
        }
        let digest = Digest::sha256(name.as_bytes());
        let number = digest.bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        *self.singles.entry(name.to_owned()).or_insert(ResourceId::single(number))
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
    /// Whose pods they are, where pods have nodes of their own by part of the requirement.
    pub(crate) split: Option<Box<Split>>,
}

/// Which part of a requirement pods belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Split {
    /// By entry of [`Shape::parts`].
    pub(crate) of: Vec<usize>,
    /// Pods that run once on every node, by part; [`Shape::per_node`] has none of them.
    pub(crate) daemons: Vec<(usize, Request)>,
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
        let mut split = self.split.clone();
        for (_, request) in split.iter_mut().flat_map(|split| &mut split.daemons) {
            *request = one(request)?;
        }
        Some(Cow::Owned(Self { parts, per_node, converted: true, split }))
    }

    /// Requests of the pods of one part.
    pub(crate) fn requests(&self, part: usize) -> impl Iterator<Item = &Request> {
        let own = self.parts.iter().enumerate().filter(move |(at, _)| self.part_of(*at) == part);
        let daemons = self.split.iter().flat_map(|split| &split.daemons).filter(move |(of, _)| *of == part);
        own.map(|(_, (request, _))| request).chain(&self.per_node).chain(daemons.map(|(_, request)| request))
    }

    /// The part of an entry of [`Self::parts`].
    pub(crate) fn part_of(&self, entry: usize) -> usize {
        self.split.as_ref().and_then(|split| split.of.get(entry).copied()).unwrap_or(0)
    }

    /// Whether one replica is several pods, which need not meet in one pool.
    pub(crate) fn is_set(&self) -> bool {
        self.split.is_some() || self.parts.len() > 1 || self.parts.first().is_some_and(|(_, pods)| *pods > 1)
    }

    /// Whether something of it runs once on every node.
    pub(crate) fn has_daemons(&self) -> bool {
        self.per_node.is_some() || self.split.as_ref().is_some_and(|split| !split.daemons.is_empty())
    }

    /// The same without what runs on every node.
    pub(crate) fn plain(&self) -> Self {
        let split = self.split.as_ref().map(|split| Box::new(Split { of: split.of.clone(), daemons: Vec::new() }));
        Self { per_node: None, split, ..self.clone() }
    }

    /// What runs once on every node of a pool that these parts may use.
    pub(crate) fn daemons_on(&self, accepts: impl Fn(usize) -> bool) -> Option<Request> {
        match (&self.per_node, &self.split) {
            (Some(all), _) => accepts(0).then(|| all.clone()),
            (None, Some(split)) => {
                let mut here = split.daemons.iter().filter(|(part, _)| accepts(*part)).map(|(_, request)| request);
                let first = here.next()?.clone();
                Some(here.fold(first, |sum, request| added(&sum, request)))
            }
            (None, None) => None,
        }
    }
}

/// Two requests on one node; more than can be counted is more than any node has.
pub(crate) fn added(one: &Request, two: &Request) -> Request {
    one.checked_add(two).unwrap_or_else(|| Resources::new(Millicores(i64::MAX), Bytes(0), Bytes(0), 1))
}

/// Thousandths that the reference platform does.
pub(super) const REFERENCE: i64 = 1000;

/// Replicas of a shape without parts that fit into a pool, with what runs on every node taken off first. Pods that run on
/// every node alone fit where every node has room for them.
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

/// What so many pods ask for in sum; `None` out of range.
pub(crate) fn amount(request: &Request, pods: i64) -> Option<Resources> {
    Resources::default().checked_less(request, pods.checked_neg()?)
}

/// The pools of a cluster that a set may use, with what is free in them.
#[derive(Debug)]
pub(crate) struct Site {
    /// Their planes.
    pub(crate) planes: Vec<usize>,
    pub(crate) pools: Vec<FreePool>,
    /// By entry of [`Shape::parts`], by pool.
    may: Vec<Vec<bool>>,
}

impl Site {
    /// `free` of every plane, and which planes each part of the requirement may use.
    pub(crate) fn new<'a>(
        shape: &Shape,
        free: impl Iterator<Item = &'a FreePool>,
        accepts: &impl Fn(usize, usize) -> bool,
    ) -> Self {
        let used = |plane: usize| (0..shape.parts.len()).any(|entry| accepts(shape.part_of(entry), plane));
        let (planes, pools): (Vec<_>, Vec<_>) =
            free.enumerate().filter(|(plane, _)| used(*plane)).map(|(plane, free)| (plane, free.clone())).unzip();
        let may = |entry| planes.iter().map(|plane| accepts(shape.part_of(entry), *plane)).collect();
        let may = (0..shape.parts.len()).map(may).collect();
        Self { planes, pools, may }
    }

    pub(crate) fn kinds<'a>(&'a self, shape: &'a Shape) -> Vec<Kind<'a>> {
        let parts = shape.parts.iter().zip(&self.may);
        parts.map(|((request, pods), may)| Kind { request, pods: *pods, may }).collect()
    }
}

/// Sets of a shape that fit into these pools of a cluster, with what runs on every node taken off first.
pub(crate) fn sets_fitting<'a>(
    shape: &Shape,
    free: impl Iterator<Item = &'a FreePool>,
    accepts: &impl Fn(usize, usize) -> bool,
) -> i64 {
    if shape.parts.is_empty() {
        // Pods that run on every node alone: a pool for each of them in which every node has room.
        let free: Vec<&FreePool> = free.collect();
        let daemons = shape.split.iter().flat_map(|split| &split.daemons);
        let mut fits = daemons.map(|(part, request)| {
            let mut own = free.iter().enumerate().filter(|(plane, _)| accepts(*part, *plane));
            own.any(|(_, free)| free.every_node_covers(request))
        });
        return if fits.all(|fits| fits) { MAX_REPLICAS } else { 0 };
    }
    let mut site = Site::new(shape, free, accepts);
    for (plane, free) in site.planes.iter().zip(&mut site.pools) {
        if let Some(daemons) = shape.daemons_on(|part| accepts(part, *plane)) {
            *free = free.less_on_each(&daemons);
        }
    }
    joint_slots(&site.pools, &site.kinds(shape), MAX_REPLICAS)
}
