//! Free room of every pool, less what our own placements hold, and the slots of each shape of replica.
//!
//! Observed free room leaves our own pods out, so that what we hold is taken off here once: `max(placed, observed)` of
//! each placement. Slots of a shape are kept as a column over the fleet; a journal of touched clusters brings a column
//! up to date when it is asked for again, so that a shape seen before costs nothing but what changed since.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::mask;
use super::resources;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{CpuSensitivity, Spec};
use super::verdicts::Verdicts;
use crate::capacity::{
    FreePool, NodeShape, Performance, Request, ResourceId, Resources, UnschedulableBound, composite_slots, convert_cpu,
};
use crate::choice::MAX_REPLICAS;
use crate::terms::{Bytes, Millicores};

/// What is counted when one replica is to be placed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    /// Pods of one replica with their number.
    parts: Vec<(Request, i64)>,
    /// Pods that run once on every node, together.
    per_node: Option<Request>,
    /// Cpu follows the declared performance of the cluster.
    converted: bool,
}

#[derive(Clone, Debug)]
struct Hold {
    owner: usize,
    shape: usize,
    replicas: i64,
    /// What runs beyond the slots of the accepted pools, offered to this pool as an amount.
    beyond: Option<Box<Resources>>,
    /// What runs once on every node.
    per_node: Option<Box<Request>>,
}

#[derive(Clone, Debug, Default)]
struct Pool {
    free: FreePool,
    holds: Vec<Hold>,
}

/// Slots of one shape: by plane, then by cluster slot.
#[derive(Clone, Debug, Default)]
struct Column {
    shape: Shape,
    /// The shape without what runs on every node: what counts where that runs already. Its own id where there is none.
    plain: usize,
    slots: Vec<Vec<i64>>,
    /// Pools with room for one replica.
    room: Vec<Vec<u64>>,
    /// Place in the journal up to which it is right.
    seen: usize,
}

/// The ledger of room.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    names: BTreeMap<String, ResourceId>,
    /// By plane and cluster slot.
    pools: Vec<Vec<Pool>>,
    base: Vec<Vec<FreePool>>,
    shapes: BTreeMap<Shape, usize>,
    columns: Vec<Column>,
    journal: Vec<usize>,
    /// By cluster slot: what its slowest pool does; `None` where a pool's performance is not declared.
    performance: Vec<Option<Performance>>,
    scratch: Shape,
}

impl Ledger {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut ledger = Self::default();
        let planes = snapshot.index.planes.len();
        ledger.base = vec![vec![FreePool::default(); snapshot.slots()]; planes];
        ledger.performance = vec![None; snapshot.slots()];
        for (slot, cluster) in snapshot.clusters() {
            if let Some(place) = ledger.performance.get_mut(slot.index()) {
                *place = snapshot.performance(cluster);
            }
            for (plane, pool) in cluster.pools.iter().enumerate() {
                let shapes: Vec<_> = pool
                    .shapes
                    .iter()
                    .map(|shape| NodeShape { free: vector(&mut ledger.names, &shape.free, None), count: shape.count })
                    .collect();
                let mut free = FreePool::new(shapes);
                for request in &pool.unschedulable {
                    let request = vector(&mut ledger.names, request, Some(1));
                    free.note_unschedulable(UnschedulableBound { request, slots: 0 });
                }
                if let Some(place) = ledger.base.get_mut(plane).and_then(|plane| plane.get_mut(slot.index())) {
                    *place = free;
                }
            }
        }
        ledger.pools = ledger
            .base
            .iter()
            .map(|plane| plane.iter().map(|free| Pool { free: free.clone(), holds: Vec::new() }).collect())
            .collect();
        ledger
    }

    /// The id of what a workload's replicas are made of; its column is brought up to date.
    pub(crate) fn shape(&mut self, spec: &Spec) -> usize {
        let id = self.shape_id(spec);
        if let Some(plain) = self.columns.get(id).map(|column| column.plain).filter(|plain| *plain != id) {
            self.refresh(plain);
        }
        self.refresh(id);
        id
    }

    /// As [`Self::shape`], for who only books: its column stays as old as it is.
    pub(crate) fn shape_id(&mut self, spec: &Spec) -> usize {
        let mut shape = std::mem::take(&mut self.scratch);
        shape.parts.clear();
        for pod in &spec.pods {
            let request = vector(&mut self.names, &pod.request, Some(1));
            shape.parts.push((request, pod.count.max(1)));
        }
        shape.converted = spec.cpu == CpuSensitivity::Linear;
        shape.per_node = None;
        for daemon in &spec.per_node {
            let daemon = vector(&mut self.names, daemon, Some(1));
            let all = shape.per_node.take().unwrap_or_default().checked_add(&daemon);
            // More than can be counted is more than any node has.
            shape.per_node = Some(all.unwrap_or_else(|| Resources::new(Millicores(i64::MAX), Bytes(0), Bytes(0), 1)));
        }
        let id = self.id(&shape);
        self.scratch = shape;
        id
    }

    fn id(&mut self, shape: &Shape) -> usize {
        let known = self.shapes.get(shape).copied();
        known.unwrap_or_else(|| {
            let plain = (shape.per_node.is_some() && !shape.parts.is_empty())
                .then(|| self.id(&Shape { per_node: None, ..shape.clone() }));
            let id = self.columns.len();
            self.shapes.insert(shape.clone(), id);
            let column = self.column(shape, plain.unwrap_or(id));
            self.columns.push(column);
            id
        })
    }

    fn column(&self, shape: &Shape, plain: usize) -> Column {
        let mut column = Column { shape: shape.clone(), plain, seen: self.journal.len(), ..Column::default() };
        for plane in &self.pools {
            let speeds = self.performance.iter().copied();
            let slots: Vec<_> =
                plane.iter().zip(speeds).map(|(pool, speed)| fitting(&pool.free, shape, speed)).collect();
            let mut room = vec![0; mask::words(plane.len())];
            for (slot, _) in slots.iter().enumerate().filter(|(_, slots)| **slots > 0) {
                mask::assign(&mut room, slot, true);
            }
            column.slots.push(slots);
            column.room.push(room);
        }
        column
    }

    fn refresh(&mut self, id: usize) {
        let Self { columns, journal, pools, performance, .. } = self;
        let Some(Column { shape, plain: _, slots, room, seen }) = columns.get_mut(id) else { return };
        let touched = journal.get(*seen..).unwrap_or_default();
        // Of many bookings most touch a cluster again: then every cluster once is less.
        let all: Vec<usize>;
        let touched = if touched.len() > performance.len() {
            all = (0..performance.len()).collect();
            &all
        } else {
            touched
        };
        for slot in touched.iter().copied() {
            for ((plane, slots), room) in pools.iter().zip(&mut *slots).zip(&mut *room) {
                let (Some(pool), Some(place)) = (plane.get(slot), slots.get_mut(slot)) else { continue };
                *place = fitting(&pool.free, shape, performance.get(slot).copied().flatten());
                mask::assign(room, slot, *place > 0);
            }
        }
        *seen = journal.len();
    }

    /// Further replicas that fit into the accepted pools of a cluster; where some run, what is on every node is there.
    pub(crate) fn slots(&self, shape: usize, verdicts: &Verdicts, slot: usize, running: bool) -> i64 {
        let plain = self.columns.get(shape).map(|column| column.plain).filter(|_| running);
        let Some(column) = self.columns.get(plain.unwrap_or(shape)) else { return 0 };
        let mut sum = 0_i64;
        for (plane, slots) in column.slots.iter().enumerate() {
            if verdicts.accepts(plane, slot) {
                sum = sum.saturating_add(slots.get(slot).copied().unwrap_or(0));
            }
        }
        sum.min(MAX_REPLICAS)
    }

    /// Further replicas that fit into one pool.
    pub(crate) fn pool_slots(&self, shape: usize, plane: usize, slot: usize) -> i64 {
        self.columns.get(shape).and_then(|c| c.slots.get(plane)?.get(slot).copied()).unwrap_or(0)
    }

    /// What the closest node of a pool is short of for one pod of the shape: resource, free, asked. Empty when a pod fits.
    pub(crate) fn missing(&self, shape: usize, plane: usize, slot: usize) -> Vec<(String, i64, i64)> {
        let (Some(column), Some(pool)) = (self.columns.get(shape), self.pools.get(plane).and_then(|p| p.get(slot)))
        else {
            return Vec::new();
        };
        let nothing = Resources::default();
        let mut best: Option<Vec<(String, i64, i64)>> = None;
        let speed = self.performance.get(slot).copied().flatten();
        let asked = column.shape.at(speed).map(|shape| shape.requests().cloned().collect::<Vec<_>>());
        for request in asked.iter().flatten() {
            let nodes = pool.free.shapes().iter().map(|shape| &shape.free);
            let nodes = nodes.chain(pool.free.shapes().is_empty().then_some(&nothing));
            for free in nodes {
                let extended = request.extended().iter().filter_map(|(id, asked)| {
                    let name = self.names.iter().find(|(_, known)| *known == id)?.0;
                    Some((name.as_str(), free.amount(*id), *asked))
                });
                let short: Vec<_> = [
                    (resources::CPU, free.cpu.0, request.cpu.0),
                    (resources::EPHEMERAL_STORAGE, free.ephemeral.0, request.ephemeral.0),
                    (resources::MEMORY, free.memory.0, request.memory.0),
                    (resources::PODS, free.pods, request.pods),
                ]
                .into_iter()
                .chain(extended)
                .filter(|(_, free, asked)| free < asked)
                .map(|(name, free, asked)| (name.to_owned(), free, asked))
                .collect();
                if !short.is_empty() && best.as_ref().is_none_or(|best| short.len() < best.len()) {
                    best = Some(short);
                }
            }
        }
        best.unwrap_or_default()
    }

    /// Clusters with room for one replica in an accepted pool.
    pub(crate) fn room(&self, shape: usize, verdicts: &Verdicts, into: &mut Vec<u64>, width: usize) {
        into.clear();
        into.resize(width, 0);
        let Some(column) = self.columns.get(shape) else { return };
        for (accepted, room) in verdicts.accepted().zip(&column.room) {
            for ((into, accepted), room) in into.iter_mut().zip(accepted).zip(room) {
                *into |= accepted & room;
            }
        }
    }

    /// Holds room for replicas of an owner on a cluster. Answers how many found room: the rest was more than is free.
    pub(crate) fn hold(
        &mut self,
        owner: usize,
        shape: usize,
        slot: ClusterSlot,
        replicas: i64,
        accepts: impl Fn(usize) -> bool,
    ) -> i64 {
        let speed = self.performance.get(slot.index()).copied().flatten();
        let Some(asked) = self.columns.get(shape).and_then(|column| column.shape.at(speed)) else { return 0 };
        if let Some(daemons) = asked.per_node.as_ref().filter(|_| replicas > 0) {
            for (_, plane) in self.pools.iter_mut().enumerate().filter(|(plane, _)| accepts(*plane)) {
                let Some(pool) = plane.get_mut(slot.index()) else { continue };
                if pool.holds.iter().all(|hold| hold.owner != owner) {
                    pool.free.take_on_each(daemons);
                    let per_node = Some(Box::new(daemons.clone()));
                    pool.holds.push(Hold { owner, shape, replicas: 0, beyond: None, per_node });
                }
            }
        }
        if asked.parts.is_empty() {
            self.journal.push(slot.index());
            return replicas;
        }
        let parts = &asked.parts;
        let mut left = replicas;
        for plane in 0..self.pools.len() {
            if left <= 0 {
                break;
            }
            if !accepts(plane) {
                continue;
            }
            let Some(pool) = self.pools.get_mut(plane).and_then(|plane| plane.get_mut(slot.index())) else { continue };
            let fit = packed(&pool.free, parts).min(left);
            if fit > 0 {
                take(&mut pool.free, parts, fit);
                pool.holds.push(Hold { owner, shape, replicas: fit, beyond: None, per_node: None });
                left -= fit;
            }
        }
        // Packed in another order than it came in, what runs may miss a slot by a gap. It is there all the same, so its
        // amount is taken from the gaps: nothing is promised twice.
        let mut beyond = (left > 0).then(|| amount(parts, left)).flatten();
        for plane in 0..self.pools.len() {
            let Some(rest) = beyond.take() else { break };
            beyond = Some(match self.pools.get_mut(plane).and_then(|plane| plane.get_mut(slot.index())) {
                Some(pool) if accepts(plane) => {
                    let beyond = Some(Box::new(rest.clone()));
                    pool.holds.push(Hold { owner, shape, replicas: 0, beyond, per_node: None });
                    pool.free.drain(&rest)
                }
                _ => rest,
            });
        }
        self.journal.push(slot.index());
        replicas - left.max(0)
    }

    /// Gives back everything an owner holds on a cluster. The pools are made again from what was observed and what the
    /// others hold, because taking and giving back do not commute where nodes were split.
    pub(crate) fn release(&mut self, owner: usize, slot: ClusterSlot) {
        for (plane, base) in self.pools.iter_mut().zip(&self.base) {
            let (Some(pool), Some(base)) = (plane.get_mut(slot.index()), base.get(slot.index())) else { continue };
            if pool.holds.iter().all(|hold| hold.owner != owner) {
                continue;
            }
            pool.holds.retain(|hold| hold.owner != owner);
            pool.free = base.clone();
            let speed = self.performance.get(slot.index()).copied().flatten();
            for hold in &pool.holds {
                if let Some(daemons) = &hold.per_node {
                    pool.free.take_on_each(daemons);
                }
                let asked = self.columns.get(hold.shape).filter(|_| hold.replicas > 0);
                if let Some(asked) = asked.and_then(|column| column.shape.at(speed)) {
                    take(&mut pool.free, &asked.parts, hold.replicas);
                }
                if let Some(beyond) = &hold.beyond {
                    pool.free.drain(beyond);
                }
            }
        }
        self.journal.push(slot.index());
    }

    /// Place in the journal of bookings.
    pub(crate) fn position(&self) -> usize {
        self.journal.len()
    }

    /// Clusters booked on since a place in the journal.
    pub(crate) fn touched(&self, since: usize, width: usize) -> Vec<u64> {
        let mut touched = vec![0; width];
        self.journal.iter().skip(since).for_each(|slot| mask::assign(&mut touched, *slot, true));
        touched
    }

    /// Takes every booking off these clusters. Answers what was free on each.
    pub(crate) fn clear(&mut self, slots: &[u64]) -> Vec<(usize, Vec<FreePool>)> {
        let mut before = Vec::new();
        for slot in mask::iter(slots) {
            let mut free = Vec::new();
            for (plane, base) in self.pools.iter_mut().zip(&self.base) {
                let (Some(pool), Some(base)) = (plane.get_mut(slot), base.get(slot)) else { continue };
                pool.holds.clear();
                free.push(std::mem::replace(&mut pool.free, base.clone()));
            }
            before.push((slot, free));
            self.journal.push(slot);
        }
        before
    }

    /// Whether a cluster's pools have other room than this.
    pub(crate) fn differs(&self, slot: usize, free: &[FreePool]) -> bool {
        let now = self.pools.iter().filter_map(|plane| plane.get(slot)).map(|pool| &pool.free);
        !now.eq(free)
    }
}

impl Shape {
    /// The shape on a cluster of this performance; `None` when it asks for more than can be counted.
    fn at(&self, speed: Option<Performance>) -> Option<Cow<'_, Self>> {
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

    fn requests(&self) -> impl Iterator<Item = &Request> {
        self.parts.iter().map(|(request, _)| request).chain(&self.per_node)
    }
}

/// Thousandths that the reference platform does.
const REFERENCE: i64 = 1000;

/// Replicas of a shape that fit into a pool, with what runs on every node taken off first. Pods that run on every node
/// alone fit where every node has room for them.
fn fitting(free: &FreePool, shape: &Shape, speed: Option<Performance>) -> i64 {
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
fn packed(free: &FreePool, parts: &[(Request, i64)]) -> i64 {
    match parts {
        [(request, pods)] => (free.slots(request) / pods.max(&1)).clamp(0, MAX_REPLICAS),
        _ => composite_slots(free, parts, MAX_REPLICAS),
    }
}

/// Takes replicas component by component, in the order in which [`composite_slots`] packs them.
fn take(free: &mut FreePool, parts: &[(Request, i64)], replicas: i64) {
    let mut order: Vec<_> = parts.iter().map(|part| (free.slots(&part.0) / part.1.max(1), part)).collect();
    order.sort_unstable();
    for (_, (request, pods)) in order {
        // The pods found room in the count before, in this order.
        let _taken = free.take(request, pods.saturating_mul(replicas));
    }
}

/// What replicas ask for in sum; `None` out of range.
fn amount(parts: &[(Request, i64)], replicas: i64) -> Option<Resources> {
    parts.iter().try_fold(Resources::default(), |sum, (request, pods)| {
        let all = Resources::default().checked_less(request, pods.checked_mul(replicas)?.checked_neg()?)?;
        sum.checked_add(&all)
    })
}

fn vector(names: &mut BTreeMap<String, ResourceId>, from: &resources::Resources, pods: Option<i64>) -> Resources {
    let of = |name: &str| from.get(name).copied().unwrap_or(0);
    let plain = Resources::new(
        Millicores(of(resources::CPU)),
        Bytes(of(resources::MEMORY)),
        Bytes(of(resources::EPHEMERAL_STORAGE)),
        pods.unwrap_or_else(|| of(resources::PODS)),
    );
    let named = |name: &&String| {
        ![resources::CPU, resources::MEMORY, resources::EPHEMERAL_STORAGE, resources::PODS].contains(&name.as_str())
    };
    if !from.keys().any(|name| named(&name)) {
        return plain;
    }
    let mut extended = Vec::new();
    for (name, amount) in from.iter().filter(|(name, _)| named(name)) {
        let next = ResourceId(u16::try_from(names.len()).unwrap_or(u16::MAX));
        extended.push((*names.entry(name.clone()).or_insert(next), *amount));
    }
    // Names come from a map, so none is there twice (but for more than 65,535 of them, which then share one).
    plain.clone().with(&extended).unwrap_or(plain)
}
