//! What a planner has booked: room in the ledger, quota and shares, for what runs and for what was decided.
//!
//! Whatever is booked for a workload is given back by the same numbers. Choosing is the planner's own file; quota per
//! platform is `platforms`'.

use std::sync::Arc;

use super::planner::{Decided, Planner};
use super::record::Status;
use super::snapshot::ClusterSlot;
use super::spec::{Current, Spec, WorkloadKey};

impl Planner<'_> {
    pub(crate) fn owner(&mut self, key: &WorkloadKey) -> usize {
        if let Some(owner) = self.owners.get(key) {
            return *owner;
        }
        let owner = self.owners.len();
        self.owners.insert(key.clone(), owner);
        owner
    }

    /// Books what runs of a workload: `max(placed, observed)` on each cluster.
    pub(super) fn book_running(&mut self, spec: &Arc<Spec>, before: bool) {
        if spec.current.is_empty() {
            return;
        }
        let block = self.store.of(&self.view, &spec.requirement);
        let shape = self.ledger.shape_id(spec);
        let owner = self.owner(&spec.key);
        let mut placed = Vec::new();
        for current in &spec.current {
            let replicas = booked(current);
            let slot = self.view.snapshot.slot(&current.cluster);
            self.charge(spec, block, slot, replicas, before);
            let Some(slot) = slot else { continue };
            placed.push((slot.index(), current.placed.max(0)));
            self.book(block, shape, owner, slot, replicas);
        }
        self.columns.moved(spec, &placed, 1);
        self.placed.insert(spec.key.clone(), (Arc::clone(spec), placed));
    }

    pub(crate) fn book(&mut self, block: usize, shape: usize, owner: usize, slot: ClusterSlot, replicas: i64) {
        let verdicts = self.store.block(block);
        let accepts = |plane| verdicts.is_some_and(|verdicts| verdicts.accepts(plane, slot.index()));
        let any = self.view.snapshot.cluster(slot).is_some_and(|cluster| (0..cluster.pools.len()).any(accepts));
        // What runs where no pool is accepted any more still takes room there.
        self.ledger.hold(owner, shape, slot, replicas, |plane| !any || accepts(plane));
    }

    /// Takes a workload's bookings out, and those of its earlier form.
    pub(crate) fn forget(&mut self, key: &WorkloadKey) {
        let Some((spec, placed)) = self.placed.remove(key) else { return };
        let Some(owner) = self.owners.get(key).copied() else { return };
        self.given_back = true;
        for (slot, _) in &placed {
            self.ledger.release(owner, ClusterSlot::new(*slot));
        }
        self.columns.moved(&spec, &placed, -1);
        let block = self.store.of(&self.view, &spec.requirement);
        for current in &spec.current {
            let slot = self.view.snapshot.slot(&current.cluster);
            self.charge(&spec, block, slot, -booked(current), false);
        }
    }

    /// A workload that changed its shape, tenant or quota is no longer what was booked.
    pub(super) fn rebook(&mut self, spec: &Spec) {
        let Some((old, _)) = self.placed.get(&spec.key) else { return };
        let same_room = old.pods == spec.pods && old.per_node == spec.per_node && old.cpu == spec.cpu;
        if same_room && old.quota == spec.quota && old.requirement.tenant == spec.requirement.tenant {
            return;
        }
        self.forget(&spec.key);
        self.book_running(&Arc::new(spec.clone()), false);
    }

    /// Books a decision: room, quota and shares of what it adds. What it removes stays booked until it is gone.
    pub fn commit(&mut self, spec: &Arc<Spec>, decided: &Decided) {
        if decided.status != Status::Placed {
            return;
        }
        let owner = self.owner(&spec.key);
        let (old, mut placed) = self.placed.remove(&spec.key).map_or((None, Vec::new()), |(old, at)| (Some(old), at));
        let before = placed.clone();
        for (slot, replicas) in &decided.targets {
            let known = placed.iter_mut().find(|(at, _)| *at == slot.index());
            let here = spec.current.iter().find(|current| self.view.snapshot.slot(&current.cluster) == Some(*slot));
            // What this ledger committed before counts, and what is seen beyond it.
            let seen = here.map_or(0, booked);
            let added = replicas - known.as_ref().map_or(seen, |(_, already)| seen.max(*already));
            match known {
                Some((_, already)) => *already = *replicas,
                None => placed.push((slot.index(), *replicas)),
            }
            if added > 0 {
                self.book(decided.block, decided.shape, owner, *slot, added);
                self.charge(spec, decided.block, Some(*slot), added, false);
            }
        }
        placed.retain(|(at, _)| decided.targets.iter().any(|(slot, _)| slot.index() == *at));
        if let Some(old) = old {
            self.columns.moved(&old, &before, -1);
        }
        self.columns.moved(spec, &placed, 1);
        self.placed.insert(spec.key.clone(), (Arc::clone(spec), placed));
    }
}

/// What is booked of replicas on a cluster: those committed there or, while a removal is under way, those seen.
pub(super) fn booked(current: &Current) -> i64 {
    current.placed.max(current.observed).max(0)
}
