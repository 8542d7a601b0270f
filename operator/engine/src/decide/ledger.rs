//! Free room of every pool, less what our own placements hold, and the slots of each shape of replica.
//!
//! Observed free room leaves our own pods out, so that what we hold is taken off here once: `max(placed, observed)` of
//! each placement. Slots of a shape are kept as a column over the fleet; a journal of touched clusters brings a column
//! up to date when it is asked for again, so that a shape seen before costs nothing but what changed since.

use std::collections::BTreeMap;

use super::holds::Pool;
use super::input::{ClusterInput, PoolInput};
use super::mask;
use super::resources;
use super::shape::{Names, Shape, Split, added, fitting, packed, sets_fitting};
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{CpuSensitivity, DaemonInput, Spec};
use super::verdicts::Verdicts;
use crate::capacity::{FreePool, NodeShape, Performance, Request, Resources, UnschedulableBound};
use crate::choice::MAX_REPLICAS;

/// Slots of one shape: by plane, then by cluster slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) shape: Shape,
    /// The shape without what runs on every node: what counts where that runs already. Its own id where there is none.
    plain: usize,
    /// Of a set: the shape of one pod of each of its kinds.
    kinds: Vec<usize>,
    slots: Vec<Vec<i64>>,
    /// Pools with room for one replica.
    room: Vec<Vec<u64>>,
    /// Place in the journal up to which it is right; `None` while nobody has asked.
    seen: Option<usize>,
}

/// The ledger of room.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    names: Names,
    /// By plane and cluster slot.
    pub(crate) pools: Vec<Vec<Pool>>,
    pub(crate) base: Vec<Vec<FreePool>>,
    shapes: BTreeMap<Shape, usize>,
    pub(crate) columns: Vec<Column>,
    /// Clusters booked on, in order, and how many such notes were dropped before them.
    journal: Vec<usize>,
    dropped: usize,
    /// By cluster slot: what its slowest pool does; `None` where a pool's performance is not declared.
    pub(crate) performance: Vec<Option<Performance>>,
    /// Pools as they were before a plan, of the clusters it booked on.
    pub(super) saved: Option<BTreeMap<usize, Vec<Pool>>>,
    scratch: Shape,
}

impl Ledger {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let planes = snapshot.index.planes.len();
        let mut ledger = Self {
            names: Names::new(snapshot),
            pools: vec![vec![Pool::default(); snapshot.slots()]; planes],
            base: vec![vec![FreePool::default(); snapshot.slots()]; planes],
            performance: vec![None; snapshot.slots()],
            ..Self::default()
        };
        for (slot, cluster) in snapshot.clusters() {
            ledger.observe(snapshot, slot, Some(cluster));
        }
        ledger
    }

    /// These clusters changed, came or went: what was observed of them is taken in, and nobody holds anything there.
    /// `false` when the ledger has no room for them and must be made anew.
    pub(crate) fn bring(&mut self, snapshot: &Snapshot, slots: &[ClusterSlot]) -> bool {
        if self.performance.len() != snapshot.slots() || self.pools.len() != snapshot.index.planes.len() {
            return false;
        }
        let clusters = slots.iter().map(|slot| (*slot, snapshot.cluster(*slot).map(|cluster| &**cluster)));
        let clusters: Vec<_> = clusters.collect();
        if !clusters.iter().filter_map(|(_, cluster)| *cluster).all(|cluster| self.names.know(cluster)) {
            return false;
        }
        for (slot, cluster) in clusters {
            self.observe(snapshot, slot, cluster);
            self.note(slot.index());
        }
        true
    }

    fn observe(&mut self, snapshot: &Snapshot, slot: ClusterSlot, cluster: Option<&ClusterInput>) {
        if let Some(place) = self.performance.get_mut(slot.index()) {
            *place = cluster.and_then(|cluster| snapshot.performance(cluster));
        }
        for plane in 0..self.base.len() {
            let pool = cluster.and_then(|cluster| cluster.pools.get(plane));
            let free = pool.map(|pool| self.free(pool)).unwrap_or_default();
            let base = self.base.get_mut(plane).and_then(|plane| plane.get_mut(slot.index()));
            let pool = self.pools.get_mut(plane).and_then(|plane| plane.get_mut(slot.index()));
            if let (Some(base), Some(pool)) = (base, pool) {
                *pool = Pool { free: free.clone(), holds: Vec::new() };
                *base = free;
            }
        }
    }

    fn free(&mut self, pool: &PoolInput) -> FreePool {
        let shapes: Vec<_> = pool
            .shapes
            .iter()
            .map(|shape| NodeShape { free: self.names.vector(&shape.free, None), count: shape.count })
            .collect();
        let mut free = FreePool::new(shapes);
        for request in &pool.unschedulable {
            let request = self.names.vector(request, Some(1));
            free.note_unschedulable(UnschedulableBound { request, slots: 0 });
        }
        free
    }

    /// The id of what a workload's replicas are made of; its column is brought up to date.
    pub(crate) fn shape(&mut self, spec: &Spec) -> usize {
        let id = self.shape_id(spec);
        if let Some(plain) = self.columns.get(id).map(|column| column.plain).filter(|plain| *plain != id) {
            self.refresh(plain);
        }
        for at in 0..self.columns.get(id).map_or(0, |column| column.kinds.len()) {
            if let Some(kind) = self.columns.get(id).and_then(|column| column.kinds.get(at).copied()) {
                self.refresh(kind);
            }
        }
        self.refresh(id);
        id
    }

    /// As [`Self::shape`], for who only books: its column stays as old as it is.
    pub(crate) fn shape_id(&mut self, spec: &Spec) -> usize {
        let mut shape = std::mem::take(&mut self.scratch);
        shape.parts.clear();
        for pod in &spec.pods {
            let request = self.names.pod(&pod.request, &pod.one_per_node);
            shape.parts.push((request, pod.count.max(1)));
        }
        shape.converted = spec.cpu == CpuSensitivity::Linear;
        (shape.per_node, shape.split) = (None, None);
        if !spec.requirement.parts.is_empty() {
            let of = spec.pods.iter().map(|pod| pod.part as usize).collect();
            let one =
                |daemon: &DaemonInput| (daemon.part as usize, self.names.pod(&daemon.request, &daemon.one_per_node));
            let daemons = spec.per_node.iter().map(one).collect();
            shape.split = Some(Box::new(Split { of, daemons }));
        } else {
            for daemon in &spec.per_node {
                let daemon = self.names.pod(&daemon.request, &daemon.one_per_node);
                shape.per_node = Some(added(&shape.per_node.take().unwrap_or_default(), &daemon));
            }
        }
        let id = self.id(&shape);
        self.scratch = shape;
        id
    }

    fn id(&mut self, shape: &Shape) -> usize {
        let known = self.shapes.get(shape).copied();
        known.unwrap_or_else(|| {
            let plain = (shape.has_daemons() && !shape.parts.is_empty()).then(|| self.id(&shape.plain()));
            let one = |request: &Request| Shape {
                parts: vec![(request.clone(), 1)],
                converted: shape.converted,
                ..Shape::default()
            };
            let kinds = if shape.is_set() { shape.parts.as_slice() } else { &[] };
            let kinds = kinds.iter().map(|(request, _)| self.id(&one(request))).collect();
            let id = self.columns.len();
            self.shapes.insert(shape.clone(), id);
            self.columns.push(Column { shape: shape.clone(), plain: plain.unwrap_or(id), kinds, ..Column::default() });
            id
        })
    }

    /// Brings the column of a shape up to date.
    fn refresh(&mut self, id: usize) {
        let now = self.position();
        let Self { columns, journal, dropped, pools, performance, .. } = self;
        let Some(Column { shape, plain: _, kinds: _, slots, room, seen }) = columns.get_mut(id) else { return };
        if shape.split.is_some() {
            // What fits depends on which part may use which pool: see `sets`.
            return;
        }
        if seen.is_none() {
            slots.resize(pools.len(), vec![0; performance.len()]);
            room.resize(pools.len(), vec![0; mask::words(performance.len())]);
        }
        let missed = seen.and_then(|seen| journal.get(seen.checked_sub(*dropped)?..));
        // Of many bookings most touch a cluster again: then every cluster once is less.
        let all: Vec<usize>;
        let touched = match missed {
            Some(missed) if missed.len() <= performance.len() => missed,
            _ => {
                all = (0..performance.len()).collect();
                &all
            }
        };
        for ((plane, slots), room) in pools.iter().zip(slots).zip(room) {
            for slot in touched.iter().copied() {
                let (Some(pool), Some(place)) = (plane.get(slot), slots.get_mut(slot)) else { continue };
                *place = fitting(&pool.free, shape, performance.get(slot).copied().flatten());
                mask::assign(room, slot, *place > 0);
            }
        }
        *seen = Some(now);
    }

    /// How many shapes were seen.
    pub(crate) fn shapes(&self) -> usize {
        self.columns.len()
    }

    /// Place in the journal of bookings.
    pub(crate) fn position(&self) -> usize {
        self.dropped + self.journal.len()
    }

    /// Clusters booked on since a place in the journal.
    pub(crate) fn touched(&self, since: usize, width: usize) -> Vec<u64> {
        let mut touched = vec![0; width];
        let notes = self.journal.iter().skip(since.saturating_sub(self.dropped));
        notes.for_each(|slot| mask::assign(&mut touched, *slot, true));
        touched
    }

    pub(super) fn note(&mut self, slot: usize) {
        self.journal.push(slot);
    }

    /// Drops what the journal has more of than it is worth to keep. Nobody may hold a place in it but the columns.
    pub(crate) fn shorten(&mut self) {
        if self.journal.len() > self.performance.len().saturating_mul(4) {
            self.dropped += self.journal.len();
            self.journal.clear();
        }
    }

    /// Further replicas that fit into the accepted pools of a cluster; where some run, what is on every node is there.
    pub(crate) fn slots(&self, shape: usize, verdicts: &Verdicts, slot: usize, running: bool) -> i64 {
        let plain = self.columns.get(shape).map(|column| column.plain).filter(|_| running);
        let Some(column) = self.columns.get(plain.unwrap_or(shape)) else { return 0 };
        if column.shape.is_set() {
            return self.sets(plain.unwrap_or(shape), slot, |part, plane| verdicts.accepts(part, plane, slot));
        }
        let mut sum = 0_i64;
        for (plane, slots) in column.slots.iter().enumerate() {
            if verdicts.accepts(0, plane, slot) {
                sum = sum.saturating_add(slots.get(slot).copied().unwrap_or(0));
            }
        }
        sum.min(MAX_REPLICAS)
    }

    /// Further replicas that fit into these pools of a cluster where none runs.
    pub(crate) fn whole(&self, shape: usize, slot: usize, accepts: impl Fn(usize, usize) -> bool) -> i64 {
        let Some(column) = self.columns.get(shape) else { return 0 };
        if column.shape.is_set() {
            return self.sets(shape, slot, accepts);
        }
        let own = column.slots.iter().enumerate().filter(|(plane, _)| accepts(0, *plane));
        own.fold(0_i64, |sum, (_, slots)| sum.saturating_add(slots.get(slot).copied().unwrap_or(0)))
    }

    /// Sets of several pods that fit into the pools of a cluster that each part may use.
    pub(crate) fn sets(&self, shape: usize, slot: usize, accepts: impl Fn(usize, usize) -> bool) -> i64 {
        let Some(column) = self.columns.get(shape) else { return 0 };
        let mut own = (0..self.pools.len()).filter(|plane| accepts(0, *plane));
        if let (None, Some(only), None) = (&column.shape.split, own.next(), own.next()) {
            return self.pool_slots(shape, 0, only, slot);
        }
        let Some(asked) = column.shape.at(self.performance.get(slot).copied().flatten()) else { return 0 };
        sets_fitting(&asked, self.free_on(slot), &accepts)
    }

    /// What is free in the pools of a cluster, by plane.
    fn free_on(&self, slot: usize) -> impl Iterator<Item = &FreePool> {
        self.pools.iter().filter_map(move |plane| plane.get(slot)).map(|pool| &pool.free)
    }

    /// Further replicas that fit into one pool, as far as the pods of one part are concerned.
    pub(crate) fn pool_slots(&self, shape: usize, part: usize, plane: usize, slot: usize) -> i64 {
        let Some(column) = self.columns.get(shape) else { return 0 };
        if column.shape.split.is_none() {
            return column.slots.get(plane).and_then(|slots| slots.get(slot).copied()).unwrap_or(0);
        }
        let Some(asked) = column.shape.at(self.performance.get(slot).copied().flatten()) else { return 0 };
        let Some(free) = self.pools.get(plane).and_then(|plane| plane.get(slot)).map(|pool| &pool.free) else {
            return 0;
        };
        let own: Vec<_> = (asked.parts.iter().enumerate())
            .filter(|(entry, _)| asked.part_of(*entry) == part)
            .map(|(_, kind)| kind.clone())
            .collect();
        match asked.daemons_on(|of| of == part) {
            Some(daemons) if own.is_empty() => {
                if free.every_node_covers(&daemons) {
                    MAX_REPLICAS
                } else {
                    0
                }
            }
            Some(daemons) => packed(&free.less_on_each(&daemons), &own),
            None => packed(free, &own),
        }
    }

    /// What the closest node of a pool is short of for one pod of the shape: resource, free, asked. Empty when a pod fits.
    pub(crate) fn missing(&self, shape: usize, part: usize, plane: usize, slot: usize) -> Vec<(String, i64, i64)> {
        let (Some(column), Some(pool)) = (self.columns.get(shape), self.pools.get(plane).and_then(|p| p.get(slot)))
        else {
            return Vec::new();
        };
        let nothing = Resources::default();
        let mut best: Option<Vec<(String, i64, i64)>> = None;
        let speed = self.performance.get(slot).copied().flatten();
        let asked = column.shape.at(speed).map(|shape| shape.requests(part).cloned().collect::<Vec<_>>());
        for request in asked.iter().flatten() {
            let nodes = pool.free.shapes().iter().map(|shape| &shape.free);
            let nodes = nodes.chain(pool.free.shapes().is_empty().then_some(&nothing));
            for free in nodes {
                let extended = request
                    .extended()
                    .iter()
                    .filter_map(|(id, asked)| Some((self.names.name(*id)?, free.has(*id), *asked)));
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
        if column.shape.is_set() {
            self.room_of_sets(column, verdicts, into);
            into.truncate(width);
            for slot in mask::iter(&into.clone()) {
                mask::assign(into, slot, self.slots(shape, verdicts, slot, false) > 0);
            }
            return;
        }
        for (accepted, room) in verdicts.accepted(0).zip(&column.room) {
            for ((into, accepted), room) in into.iter_mut().zip(accepted).zip(room) {
                *into |= accepted & room;
            }
        }
    }

    /// Clusters with an accepted pool for one pod of every kind: no others have room for a set.
    fn room_of_sets(&self, set: &Column, verdicts: &Verdicts, into: &mut [u64]) {
        into.fill(u64::MAX);
        let mut here = vec![0; into.len()];
        for (entry, kind) in set.kinds.iter().enumerate() {
            let Some(kind) = self.columns.get(*kind) else { continue };
            here.fill(0);
            for (accepted, room) in verdicts.accepted(set.shape.part_of(entry)).zip(&kind.room) {
                for ((here, accepted), room) in here.iter_mut().zip(accepted).zip(room) {
                    *here |= accepted & room;
                }
            }
            mask::and(into, &here);
        }
        if set.kinds.is_empty() {
            mask::and(into, verdicts.eligible());
        }
    }
}

#[cfg(test)]
impl Ledger {
    /// What is free in a pool, with names instead of numbers.
    pub(crate) fn told(&self, plane: usize, slot: usize) -> Vec<String> {
        let pool = self.pools.get(plane).and_then(|plane| plane.get(slot));
        let shapes = pool.into_iter().flat_map(|pool| pool.free.shapes());
        let told = shapes.map(|shape| {
            let free = &shape.free;
            let extended: Vec<_> = free.extended().iter().map(|(id, amount)| (self.names.name(*id), amount)).collect();
            format!("{} x {:?}", shape.count, (free.cpu, free.memory, free.ephemeral, free.pods, extended))
        });
        told.collect()
    }
}
