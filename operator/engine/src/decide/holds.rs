//! Who holds room on which pool: taking, giving back, and undoing what a plan held.
//!
//! Taking and giving back do not commute where nodes were split, so the pools of a cluster are made again from what was
//! observed whenever somebody gives back.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::mask;
use super::shape::{amount, packed, take};
use super::snapshot::ClusterSlot;
use crate::capacity::{FreePool, Request, Resources};

#[derive(Clone, Debug)]
pub(crate) struct Hold {
    owner: usize,
    shape: usize,
    replicas: i64,
    /// What runs beyond the slots of the accepted pools, offered to this pool as an amount.
    beyond: Option<Box<Resources>>,
    /// What runs once on every node.
    per_node: Option<Box<Request>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) free: FreePool,
    pub(crate) holds: Vec<Hold>,
}

impl Ledger {
    /// Holds room for replicas of an owner on a cluster. Answers how many found room: the rest was more than is free.
    pub(crate) fn hold(
        &mut self,
        owner: usize,
        shape: usize,
        slot: ClusterSlot,
        replicas: i64,
        accepts: impl Fn(usize) -> bool,
    ) -> i64 {
        self.save(slot.index());
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
            self.note(slot.index());
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
        self.note(slot.index());
        replicas - left.max(0)
    }

    /// Gives back everything an owner holds on a cluster. The pools are made again from what was observed and what the
    /// others hold, because taking and giving back do not commute where nodes were split.
    pub(crate) fn release(&mut self, owner: usize, slot: ClusterSlot) {
        self.save(slot.index());
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
        self.note(slot.index());
    }

    /// From here on everything can be undone.
    pub(crate) fn begin(&mut self) {
        self.saved = Some(BTreeMap::new());
    }

    /// Undoes what was held and released since [`Self::begin`].
    pub(crate) fn roll_back(&mut self) {
        for (slot, pools) in self.saved.take().into_iter().flatten() {
            for (plane, pool) in self.pools.iter_mut().zip(pools) {
                if let Some(place) = plane.get_mut(slot) {
                    *place = pool;
                }
            }
            self.note(slot);
        }
    }

    fn save(&mut self, slot: usize) {
        let Some(saved) = &mut self.saved else { return };
        let pools = self.pools.iter();
        saved.entry(slot).or_insert_with(|| pools.map(|plane| plane.get(slot).cloned().unwrap_or_default()).collect());
    }

    /// Takes every booking off a cluster.
    pub(crate) fn empty(&mut self, slot: ClusterSlot) {
        self.save(slot.index());
        for (plane, base) in self.pools.iter_mut().zip(&self.base) {
            if let (Some(pool), Some(base)) = (plane.get_mut(slot.index()), base.get(slot.index())) {
                *pool = Pool { free: base.clone(), holds: Vec::new() };
            }
        }
        self.note(slot.index());
    }

    /// Takes every booking off these clusters. Answers what was free on each.
    pub(crate) fn clear(&mut self, slots: &[u64]) -> Vec<(usize, Vec<FreePool>)> {
        let mut before = Vec::new();
        for slot in mask::iter(slots) {
            let mut free = Vec::new();
            self.save(slot);
            for (plane, base) in self.pools.iter_mut().zip(&self.base) {
                let (Some(pool), Some(base)) = (plane.get_mut(slot), base.get(slot)) else { continue };
                pool.holds.clear();
                free.push(std::mem::replace(&mut pool.free, base.clone()));
            }
            before.push((slot, free));
            self.note(slot);
        }
        before
    }

    /// Whether a cluster's pools have other room than this.
    pub(crate) fn differs(&self, slot: usize, free: &[FreePool]) -> bool {
        let now = self.pools.iter().filter_map(|plane| plane.get(slot)).map(|pool| &pool.free);
        !now.eq(free)
    }
}
