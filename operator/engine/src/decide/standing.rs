//! What runs, as it is booked before anything is decided: who stands on which cluster, and what that takes of room,
//! quota and shares.
//!
//! Everything is entered once and brought up to date by what a snapshot says was touched: a workload is taken out by the
//! numbers it was entered with and entered anew, and the pools of a cluster on which it takes other room are packed again
//! in the order of turns, as a planner that begins with nothing would pack them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::bookings::{Books, booked};
use super::planner::Planner;
use super::resources::Resources;
use super::snapshot::ClusterSlot;
use super::spec::{Current, Spec, WorkloadKey};

/// A workload as it runs.
#[derive(Debug)]
pub(crate) struct Standing {
    spec: Arc<Spec>,
    block: usize,
    shape: usize,
    /// By entry of `current`: replicas charged, and what was charged beside their own amounts.
    charged: Vec<(i64, Vec<(Resources, i64)>)>,
}

impl Standing {
    /// Whether what is charged for it follows the number of nodes.
    pub(super) fn counts_nodes(&self) -> bool {
        !self.spec.per_node.is_empty()
    }

    pub(super) fn key(&self) -> &WorkloadKey {
        &self.spec.key
    }
}

impl Planner<'_> {
    /// Enters a workload with what runs of it. Its room is taken by [`Self::pack`].
    pub(super) fn stand(&mut self, spec: &Arc<Spec>) {
        #[cfg(test)]
        {
            self.books.work.0 += 1;
        }
        let owner = self.books.owner(&spec.key);
        if let Some(set) = &spec.colocate {
            self.books.sets.entry(set.clone()).or_default().insert(spec.key.clone());
        }
        let (mut placed, mut charged) = (Vec::new(), Vec::new());
        let block = self.store.of(&self.view, &spec.requirement);
        let shape = self.books.ledger.shape_id(spec);
        for current in &spec.current {
            let replicas = booked(current);
            let slot = self.view.snapshot.slot(&current.cluster);
            let beside = self.charged_beside(spec, block, slot, replicas, true);
            if let Some(slot) = slot {
                placed.push((slot.index(), current.placed.max(0)));
            }
            charged.push((replicas, beside));
            self.books.stands_on(owner, spec, current);
        }
        let standing = Standing { spec: Arc::clone(spec), block, shape, charged };
        self.charge_standing(&standing, true);
        if !spec.current.is_empty() {
            self.books.place(owner, spec, placed);
        }
        self.books.enter(owner, standing);
        if self.stirs(spec, block) {
            self.books.stirring.insert(spec.key.clone());
        }
    }

    /// A workload that asks for what it asked for and only has other replicas than it had takes the place of its earlier
    /// form, as if that had left. Answers the clusters on which it takes other room; `None` when it is another workload
    /// than that, and nothing is done.
    pub(super) fn stand_again(&mut self, spec: &Arc<Spec>) -> Option<Vec<ClusterSlot>> {
        let owner = self.books.owners.get(&spec.key).copied()?;
        let Standing { spec: old, block, shape, charged } = self.books.stands(owner)?;
        let same = Arc::ptr_eq(&old.requirement, &spec.requirement)
            && old.by_turn(spec) == Ordering::Equal
            && (&old.system, &old.colocate, old.cpu) == (&spec.system, &spec.colocate, spec.cpu)
            && (old.pods == spec.pods && old.quota == spec.quota)
            && (old.per_node.is_empty() && spec.per_node.is_empty());
        let once = |form: &Spec| {
            let names = form.current.iter().map(|current| &current.cluster);
            names.clone().enumerate().all(|(at, name)| names.clone().take(at).all(|other| other != name))
        };
        if !same || !once(old) || !once(spec) {
            return None;
        }
        let (old, block, shape, was) = (Arc::clone(old), *block, *shape, charged.clone());
        #[cfg(test)]
        {
            self.books.work.0 += 1;
        }
        self.store.bring(&self.view, block);
        let (mut placed, mut charged, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
        let held = |form: &Spec, cluster: &str| {
            form.current.iter().find(|current| current.cluster == cluster).map_or(0, booked)
        };
        for current in &spec.current {
            let replicas = booked(current);
            let slot = self.view.snapshot.slot(&current.cluster);
            charged.push((replicas, self.charged_beside(spec, block, slot, replicas, true)));
            if let Some(slot) = slot {
                placed.push((slot.index(), current.placed.max(0)));
                if held(&old, &current.cluster) != replicas {
                    rooms.push(slot);
                }
            }
            self.books.stands_still_on(owner, spec, current);
        }
        for gone in old.current.iter().filter(|one| spec.current.iter().all(|other| other.cluster != one.cluster)) {
            self.books.stands_no_more_on(owner, &gone.cluster);
            rooms.extend(self.view.snapshot.slot(&gone.cluster).filter(|_| booked(gone) != 0));
        }
        let standing = Standing { spec: Arc::clone(spec), block, shape, charged };
        if standing.charged != was {
            self.charge_standing(&Standing { spec: old, block, shape, charged: was }, false);
            self.charge_standing(&standing, true);
        }
        self.books.displace(owner);
        if !spec.current.is_empty() {
            self.books.place(owner, spec, placed);
        }
        self.books.enter(owner, standing);
        if self.stirs(spec, block) {
            self.books.stirring.insert(spec.key.clone());
        } else {
            self.books.stirring.remove(&spec.key);
        }
        Some(rooms)
    }

    /// Takes a workload out. Answers what it was.
    pub(super) fn leave(&mut self, key: &WorkloadKey) -> Option<Standing> {
        let owner = self.books.owners.get(key).copied()?;
        let standing = self.books.standing.get_mut(owner)?.take()?;
        self.charge_standing(&standing, false);
        self.books.displace(owner);
        let spec = &standing.spec;
        if let Some(set) = &spec.colocate
            && let Some(members) = self.books.sets.get_mut(set)
        {
            members.remove(key);
            if members.is_empty() {
                self.books.sets.remove(set);
            }
        }
        for current in &spec.current {
            self.books.stands_no_more_on(owner, &current.cluster);
        }
        self.books.stirring.remove(key);
        Some(standing)
    }

    fn charge_standing(&mut self, standing: &Standing, enter: bool) {
        let Standing { spec, charged, .. } = standing;
        let (view, quota, tenant) = (&self.view, &mut self.books.quota, &spec.requirement.tenant);
        for (replicas, beside) in charged {
            quota.stand(view, tenant, &spec.quota, *replicas, enter);
            for (each, times) in beside {
                quota.stand(view, tenant, each, *times, enter);
            }
        }
    }

    /// The clusters on which a workload takes other room than it did, or takes it at another turn.
    pub(super) fn rooms_that_differ(&self, before: Option<&Standing>, key: &WorkloadKey) -> BTreeSet<ClusterSlot> {
        let now = self.books.owners.get(key).and_then(|owner| self.books.stands(*owner));
        let forms = || before.into_iter().chain(now);
        let slots = forms().flat_map(|form| &form.spec.current);
        let slots = slots.filter_map(|current| self.view.snapshot.slot(&current.cluster));
        let (Some(before), Some(now)) = (before, now) else { return slots.collect() };
        let turn = |form: &Standing| (form.spec.rank(), form.spec.admitted);
        if before.shape != now.shape || turn(before) != turn(now) {
            return slots.collect();
        }
        slots.filter(|slot| self.room_differs(before, now, *slot)).collect()
    }

    /// Whether two forms of a workload of one shape hold another number of replicas on a cluster, or in other pools.
    fn room_differs(&self, before: &Standing, now: &Standing, slot: ClusterSlot) -> bool {
        let Some(cluster) = self.view.snapshot.cluster(slot) else { return true };
        let held = |form: &Standing| -> i64 {
            let here = form.spec.current.iter().filter(|current| current.cluster == cluster.name);
            here.map(booked).fold(0, i64::saturating_add)
        };
        let parts = before.spec.requirement.parts.len().max(now.spec.requirement.parts.len()).max(1);
        let accepts = |form: &Standing, part, plane| {
            self.store.block(form.block).is_some_and(|verdicts| verdicts.accepts(part, plane, slot.index()))
        };
        let differs = |plane| (0..parts).any(|part| accepts(before, part, plane) != accepts(now, part, plane));
        let mut planes = 0..cluster.pools.len();
        held(before) != held(now) || (before.block != now.block && planes.any(differs))
    }

    /// Takes the room of what runs on a cluster whose pools nobody holds anything of, in the order of turns.
    pub(super) fn pack(&mut self, slot: ClusterSlot) {
        #[cfg(test)]
        {
            self.books.work.1 += 1;
        }
        let Some(cluster) = self.view.snapshot.cluster(slot) else { return };
        let here = self.books.on.get(&cluster.name).into_iter().flatten();
        let held: Vec<_> = here
            .filter_map(|(owner, replicas)| {
                let Standing { block, shape, .. } = self.books.stands(*owner)?;
                Some((*owner, *block, *shape, *replicas))
            })
            .collect();
        for (owner, block, shape, replicas) in held {
            self.book(block, shape, owner, slot, replicas);
        }
    }
}

impl Books {
    fn enter(&mut self, owner: usize, standing: Standing) {
        if self.standing.len() <= owner {
            self.standing.resize_with(owner + 1, || None);
        }
        if let Some(place) = self.standing.get_mut(owner) {
            *place = Some(standing);
        }
    }

    /// Takes an owner from those on a cluster.
    fn stands_no_more_on(&mut self, owner: usize, cluster: &str) {
        let Some(owners) = self.on.get_mut(cluster) else { return };
        while let Some(at) = owners.iter().position(|(other, _)| *other == owner) {
            owners.remove(at);
        }
        if owners.is_empty() {
            self.on.remove(cluster);
        }
    }

    /// An owner whose turn is what it was has so much on a cluster now.
    fn stands_still_on(&mut self, owner: usize, spec: &Spec, current: &Current) {
        let owners = self.on.get_mut(&current.cluster);
        match owners.and_then(|owners| owners.iter_mut().find(|(other, _)| *other == owner)) {
            Some((_, replicas)) => *replicas = booked(current),
            None => self.stands_on(owner, spec, current),
        }
    }

    /// Enters an owner among those on a cluster, who stand there in the order of turns.
    fn stands_on(&mut self, owner: usize, spec: &Spec, current: &Current) {
        let Self { on, standing, .. } = self;
        let owners = match on.get_mut(&current.cluster) {
            Some(owners) => owners,
            None => on.entry(current.cluster.clone()).or_default(),
        };
        let stands = |other: usize| standing.get(other).and_then(Option::as_ref);
        let before = |(other, _): &(usize, i64)| {
            *other == owner || stands(*other).is_some_and(|other| other.spec.by_turn(spec) == Ordering::Less)
        };
        owners.insert(owners.partition_point(before), (owner, booked(current)));
    }
}
