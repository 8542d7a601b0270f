//! Who holds room on which pool: taking, giving back, and undoing what a plan held.
//!
//! Taking and giving back do not commute where nodes were split, so the pools of a cluster are made again from what was
//! observed whenever somebody gives back.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::mask;
use super::shape::{Shape, Site, amount};
use super::snapshot::ClusterSlot;
use crate::capacity::{FreePool, Request, Resources, joint_slots, pack};
use crate::choice::MAX_REPLICAS;

#[derive(Clone, Debug)]
pub(crate) struct Hold {
    owner: usize,
    shape: usize,
    /// Of a replica that is one pod: how many.
    replicas: i64,
    /// Of a set: pods by entry of the shape, in the order in which they were taken.
    pods: Option<Box<[(usize, i64)]>>,
    /// What runs beyond the slots of the accepted pools, offered to this pool as an amount.
    beyond: Option<Box<Resources>>,
    /// What runs once on every node.
    per_node: Option<Box<Request>>,
}

impl Hold {
    fn new(owner: usize, shape: usize) -> Self {
        Self { owner, shape, replicas: 0, pods: None, beyond: None, per_node: None }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) free: FreePool,
    pub(crate) holds: Vec<Hold>,
}

impl Ledger {
    /// Holds room for replicas of an owner on a cluster, in the pools that each part accepts. Answers how many found room:
    /// the rest was more than is free.
    pub(crate) fn hold(
        &mut self,
        owner: usize,
        shape: usize,
        slot: ClusterSlot,
        replicas: i64,
        accepts: impl Fn(usize, usize) -> bool,
    ) -> i64 {
        self.save(slot.index());
        let speed = self.performance.get(slot.index()).copied().flatten();
        let Some(asked) = self.columns.get(shape).and_then(|column| column.shape.at(speed)) else { return 0 };
        if asked.has_daemons() && replicas > 0 {
            for (plane, pools) in self.pools.iter_mut().enumerate() {
                let Some(daemons) = asked.daemons_on(|part| accepts(part, plane)) else { continue };
                let Some(pool) = pools.get_mut(slot.index()) else { continue };
                if pool.holds.iter().all(|hold| hold.owner != owner) {
                    pool.free.take_on_each(&daemons);
                    pool.holds.push(Hold { per_node: Some(Box::new(daemons)), ..Hold::new(owner, shape) });
                }
            }
        }
        if asked.parts.is_empty() {
            self.note(slot.index());
            return replicas;
        }
        let found = if asked.is_set() {
            hold_sets(&mut self.pools, (owner, shape, slot.index()), &asked, replicas, &accepts)
        } else {
            hold_pods(&mut self.pools, (owner, shape, slot.index()), &asked, replicas, &accepts)
        };
        // Packed in another order than it came in, what runs may miss a slot by a gap. It is there all the same, so its
        // amount is taken from the gaps: nothing is promised twice.
        let left = replicas - found;
        for (entry, (request, pods)) in asked.parts.iter().enumerate().filter(|_| left > 0) {
            let mut beyond = pods.checked_mul(left).and_then(|pods| amount(request, pods));
            for (plane, pools) in self.pools.iter_mut().enumerate() {
                let Some(rest) = beyond.take() else { break };
                beyond = Some(match pools.get_mut(slot.index()) {
                    Some(pool) if accepts(asked.part_of(entry), plane) => {
                        let beyond = Some(Box::new(rest.clone()));
                        pool.holds.push(Hold { beyond, ..Hold::new(owner, shape) });
                        pool.free.drain(&rest)
                    }
                    _ => rest,
                });
            }
        }
        self.note(slot.index());
        found
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
                let asked = self.columns.get(hold.shape).filter(|_| hold.replicas > 0 || hold.pods.is_some());
                if let Some(asked) = asked.and_then(|column| column.shape.at(speed)) {
                    let alone = [(0, hold.replicas)];
                    let pods = hold.pods.as_deref().unwrap_or(&alone);
                    for (request, pods) in pods.iter().filter_map(|(at, pods)| Some((&asked.parts.get(*at)?.0, *pods)))
                    {
                        pool.free.remove(request, pods);
                    }
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

/// Whose hold it is: owner, shape, slot of the cluster.
type Of = (usize, usize, usize);

/// Takes room for replicas of one pod, pool by pool. Answers how many found it.
fn hold_pods(
    planes: &mut [Vec<Pool>],
    (owner, shape, slot): Of,
    asked: &Shape,
    replicas: i64,
    accepts: &impl Fn(usize, usize) -> bool,
) -> i64 {
    let Some((request, _)) = asked.parts.first() else { return 0 };
    let mut left = replicas.max(0);
    for (plane, pools) in planes.iter_mut().enumerate() {
        if left <= 0 {
            break;
        }
        let Some(pool) = pools.get_mut(slot).filter(|_| accepts(0, plane)) else { continue };
        // A shape of one pod: what `packed` says of it, as far as it is asked for.
        let fit = pool.free.slots_up_to(request, left).clamp(0, MAX_REPLICAS);
        if fit > 0 {
            pool.free.remove_fitting(request, fit);
            pool.holds.push(Hold { replicas: fit, ..Hold::new(owner, shape) });
            left -= fit;
        }
    }
    replicas - left
}

/// Takes room for sets of pods in all pools together. Answers how many sets found it.
fn hold_sets(
    planes: &mut [Vec<Pool>],
    (owner, shape, slot): Of,
    asked: &Shape,
    replicas: i64,
    accepts: &impl Fn(usize, usize) -> bool,
) -> i64 {
    let free = planes.iter().filter_map(|plane| plane.get(slot)).map(|pool| &pool.free);
    let site = Site::new(asked, free, accepts);
    let kinds = site.kinds(asked);
    let sets = joint_slots(&site.pools, &kinds, replicas);
    let mut pools = site.pools.clone();
    let Some(packed) = (sets > 0).then(|| pack(&mut pools, &kinds, sets)).flatten() else { return 0 };
    for (at, (plane, free)) in site.planes.iter().zip(pools).enumerate() {
        let pods: Vec<_> =
            packed.iter().filter(|(_, pool, _)| *pool == at).map(|(entry, _, pods)| (*entry, *pods)).collect();
        let pool = planes.get_mut(*plane).and_then(|plane| plane.get_mut(slot)).filter(|_| !pods.is_empty());
        if let Some(pool) = pool {
            pool.free = free;
            pool.holds.push(Hold { pods: Some(pods.into()), ..Hold::new(owner, shape) });
        }
    }
    sets
}
