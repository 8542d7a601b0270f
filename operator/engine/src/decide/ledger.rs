//! Free room of every pool, less what our own placements hold, and the slots of each shape of replica.
//!
//! Observed free room leaves our own pods out, so that what we hold is taken off here once: `max(placed, observed)` of
//! each placement. Slots of a shape are kept as a column over the fleet; a journal of touched clusters brings a column
//! up to date when it is asked for again, so that a shape seen before costs nothing but what changed since.

use std::collections::BTreeMap;

use super::mask;
use super::resources;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::PodInput;
use super::verdicts::Verdicts;
use crate::capacity::{FreePool, NodeShape, Request, ResourceId, Resources, composite_slots};
use crate::choice::MAX_REPLICAS;
use crate::terms::{Bytes, Millicores};

/// Pods of one replica with their number.
pub(crate) type Shape = Vec<(Request, i64)>;

#[derive(Clone, Debug)]
struct Hold {
    owner: usize,
    shape: usize,
    replicas: i64,
    /// What runs beyond the slots of the accepted pools, offered to this pool as an amount.
    beyond: Option<Box<Resources>>,
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
    parts: Shape,
}

impl Ledger {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut ledger = Self::default();
        let planes = snapshot.index.planes.len();
        ledger.base = vec![vec![FreePool::default(); snapshot.slots()]; planes];
        for (slot, cluster) in snapshot.clusters() {
            for (plane, pool) in cluster.pools.iter().enumerate() {
                let shapes: Vec<_> = pool
                    .shapes
                    .iter()
                    .map(|shape| NodeShape { free: vector(&mut ledger.names, &shape.free, None), count: shape.count })
                    .collect();
                if let Some(place) = ledger.base.get_mut(plane).and_then(|plane| plane.get_mut(slot.index())) {
                    *place = FreePool::new(shapes);
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

    /// The id of a shape; its column is brought up to date.
    pub(crate) fn shape(&mut self, pods: &[PodInput]) -> usize {
        self.parts.clear();
        for pod in pods {
            let request = vector(&mut self.names, &pod.request, Some(1));
            self.parts.push((request, pod.count.max(1)));
        }
        let known = self.shapes.get(self.parts.as_slice()).copied();
        let id = known.unwrap_or_else(|| {
            let id = self.columns.len();
            self.shapes.insert(self.parts.clone(), id);
            let column = self.column(&self.parts);
            self.columns.push(column);
            id
        });
        self.refresh(id);
        id
    }

    fn column(&self, shape: &[(Request, i64)]) -> Column {
        let mut column = Column { shape: shape.to_vec(), seen: self.journal.len(), ..Column::default() };
        for plane in &self.pools {
            let slots: Vec<_> = plane.iter().map(|pool| fitting(&pool.free, shape)).collect();
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
        let Self { columns, journal, pools, .. } = self;
        let Some(Column { shape, slots, room, seen }) = columns.get_mut(id) else { return };
        for slot in journal.iter().skip(*seen).copied() {
            for ((plane, slots), room) in pools.iter().zip(&mut *slots).zip(&mut *room) {
                let (Some(pool), Some(place)) = (plane.get(slot), slots.get_mut(slot)) else { continue };
                *place = fitting(&pool.free, shape);
                mask::assign(room, slot, *place > 0);
            }
        }
        *seen = journal.len();
    }

    /// Further replicas that fit into the accepted pools of a cluster.
    pub(crate) fn slots(&self, shape: usize, verdicts: &Verdicts, slot: usize) -> i64 {
        let Some(column) = self.columns.get(shape) else { return 0 };
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
        for (request, _) in &column.shape {
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
        let Some(parts) = self.columns.get(shape).map(|column| &column.shape) else { return 0 };
        let mut left = replicas;
        for plane in 0..self.pools.len() {
            if left <= 0 {
                break;
            }
            if !accepts(plane) {
                continue;
            }
            let Some(pool) = self.pools.get_mut(plane).and_then(|plane| plane.get_mut(slot.index())) else { continue };
            let fit = fitting(&pool.free, parts).min(left);
            if fit > 0 {
                take(&mut pool.free, parts, fit);
                pool.holds.push(Hold { owner, shape, replicas: fit, beyond: None });
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
                    pool.holds.push(Hold { owner, shape, replicas: 0, beyond: Some(Box::new(rest.clone())) });
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
            for hold in &pool.holds {
                if let Some(column) = self.columns.get(hold.shape) {
                    take(&mut pool.free, &column.shape, hold.replicas);
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

/// Replicas of a shape that fit into a pool. Most have one component, which needs no packing and no memory.
fn fitting(free: &FreePool, shape: &[(Request, i64)]) -> i64 {
    match shape {
        [(request, pods)] => (free.slots(request) / pods.max(&1)).clamp(0, MAX_REPLICAS),
        _ => composite_slots(free, shape, MAX_REPLICAS),
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
