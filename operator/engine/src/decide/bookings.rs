//! What a planner has booked: room in the ledger, quota and shares, for what runs and for what was decided.
//!
//! What runs is entered by `standing`; here are the bookings of a plan on top of it. Whatever is booked for a workload is
//! given back by the same numbers, and all that a plan booked can be undone, so that the next one finds the books as they
//! stand. Choosing is the planner's own file; quota per platform is `platforms`'.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::Columns;
use super::input::ClusterInput;
use super::ledger::Ledger;
use super::planner::{Decided, Planner};
use super::quota::Quota;
use super::record::Status;
use super::snapshot::ClusterSlot;
use super::spec::{Current, Spec, WorkloadKey};
use super::standing::Standing;

/// A workload as booked, with its replicas by cluster.
pub(crate) type Placed = (Arc<Spec>, Vec<(usize, i64)>);

/// All that is booked, and who is looked at in a turn because of how it stands.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) quota: Quota,
    pub(crate) columns: Columns,
    /// By slot: place in name order.
    pub(crate) ranks: Vec<u32>,
    /// By slot: percent kept back for emergencies; empty when nobody keeps anything.
    pub(crate) reserves: Vec<u8>,
    /// By slot: the clusters as they were entered.
    pub(super) clusters: Vec<Option<Arc<ClusterInput>>>,
    pub(super) owners: BTreeMap<WorkloadKey, usize>,
    /// What runs, by owner.
    pub(super) standing: Vec<Option<Standing>>,
    /// Owners of what runs with the replicas booked, by name of the cluster, in the order of turns.
    pub(super) on: BTreeMap<String, Vec<(usize, i64)>>,
    /// What is placed of every workload, as far as this ledger knows, by owner.
    pub(super) placed: Vec<Option<Placed>>,
    /// Workloads that are looked at in every turn: they changed, wait, violate, or may go back to an earlier group.
    pub(super) stirring: BTreeSet<WorkloadKey>,
    /// Members of colocation sets.
    pub(super) sets: BTreeMap<String, BTreeSet<WorkloadKey>>,
    /// Up to where in the ledger's journal pools are packed in the order of turns.
    pub(crate) packed: usize,
    /// Somebody gave back room, quota or a share since this was last asked.
    pub(crate) given_back: bool,
    /// Owners of which a plan booked anything.
    pub(super) moved: BTreeSet<usize>,
    /// What was placed of those before it; `None` when nothing is to be undone.
    before: Option<BTreeMap<usize, Option<Placed>>>,
    /// How many workloads were entered and clusters packed since this was last set to nothing.
    #[cfg(test)]
    pub(super) work: (usize, usize),
}

impl Books {
    pub(crate) fn owner(&mut self, key: &WorkloadKey) -> usize {
        if let Some(owner) = self.owners.get(key) {
            return *owner;
        }
        let owner = self.owners.len();
        self.owners.insert(key.clone(), owner);
        owner
    }

    /// What runs of an owner.
    pub(super) fn stands(&self, owner: usize) -> Option<&Standing> {
        self.standing.get(owner)?.as_ref()
    }

    /// Owners of what runs on a cluster, in the order of turns.
    pub(super) fn owners_on(&self, cluster: &str) -> impl Iterator<Item = usize> {
        self.on.get(cluster).into_iter().flatten().map(|(owner, _)| *owner)
    }

    /// What runs on a cluster, in the order of turns.
    pub(super) fn standing_on(&self, cluster: &str) -> impl Iterator<Item = &Standing> {
        self.on.get(cluster).into_iter().flatten().filter_map(|(owner, _)| self.stands(*owner))
    }

    /// From here on everything that is booked can be undone.
    pub(super) fn begin(&mut self) {
        self.ledger.begin();
        self.before = Some(BTreeMap::new());
    }

    /// Undoes what was booked since [`Self::begin`].
    pub(super) fn roll_back(&mut self) {
        for (owner, before) in self.before.take().into_iter().flatten() {
            self.displace(owner);
            if let Some((spec, placed)) = before {
                self.place(owner, &spec, placed);
            }
        }
        self.moved.clear();
        self.quota.roll_back();
        self.ledger.roll_back();
        self.ledger.shorten();
        self.packed = self.ledger.position();
        self.given_back = false;
    }

    /// A plan is about to change what is placed of a workload.
    fn touch(&mut self, owner: usize) {
        let Self { before, placed, .. } = self;
        if let Some(before) = before {
            before.entry(owner).or_insert_with(|| placed.get(owner).cloned().flatten());
        }
        self.moved.insert(owner);
    }

    /// What is placed of an owner.
    pub(super) fn placed(&self, owner: usize) -> Option<&Placed> {
        self.placed.get(owner)?.as_ref()
    }

    /// What is placed of a workload.
    pub(crate) fn placed_of(&self, key: &WorkloadKey) -> Option<&Placed> {
        self.placed(*self.owners.get(key)?)
    }

    /// Enters what is placed of a workload now.
    pub(super) fn place(&mut self, owner: usize, spec: &Arc<Spec>, placed: Vec<(usize, i64)>) {
        self.columns.moved(spec, &placed, 1);
        if self.placed.len() <= owner {
            self.placed.resize_with(owner + 1, || None);
        }
        if let Some(place) = self.placed.get_mut(owner) {
            *place = Some((Arc::clone(spec), placed));
        }
    }

    /// Takes out what is placed of a workload. Answers what that was.
    pub(super) fn displace(&mut self, owner: usize) -> Option<Placed> {
        let (spec, placed) = self.placed.get_mut(owner)?.take()?;
        self.columns.moved(&spec, &placed, -1);
        Some((spec, placed))
    }
}

impl Planner<'_> {
    /// Books what runs of a workload in the form it is to have: `max(placed, observed)` on each cluster.
    fn book_running(&mut self, spec: &Arc<Spec>) {
        if spec.current.is_empty() {
            return;
        }
        let block = self.store.of(&self.view, &spec.requirement);
        let shape = self.books.ledger.shape_id(spec);
        let owner = self.books.owner(&spec.key);
        let mut placed = Vec::new();
        for current in &spec.current {
            let replicas = booked(current);
            let slot = self.view.snapshot.slot(&current.cluster);
            self.charge(spec, block, slot, replicas, true);
            let Some(slot) = slot else { continue };
            placed.push((slot.index(), current.placed.max(0)));
            self.book(block, shape, owner, slot, replicas);
        }
        self.books.place(owner, spec, placed);
    }

    pub(crate) fn book(&mut self, block: usize, shape: usize, owner: usize, slot: ClusterSlot, replicas: i64) {
        let verdicts = self.store.block(block);
        let accepts = |part, plane| verdicts.is_some_and(|verdicts| verdicts.accepts(part, plane, slot.index()));
        let pools = self.view.snapshot.cluster(slot).map_or(0, |cluster| cluster.pools.len());
        let any = |part| (0..pools).any(|plane| accepts(part, plane));
        // What runs where no pool is accepted any more still takes room there.
        self.books.ledger.hold(owner, shape, slot, replicas, |part, plane| accepts(part, plane) || !any(part));
    }

    /// Takes a workload's bookings out, and those of its earlier form.
    fn forget(&mut self, key: &WorkloadKey) {
        let Some(owner) = self.books.owners.get(key).copied() else { return };
        if self.books.placed(owner).is_none() {
            return;
        }
        self.books.touch(owner);
        let Some((spec, placed)) = self.books.displace(owner) else { return };
        self.books.given_back = true;
        for (slot, _) in &placed {
            self.books.ledger.release(owner, ClusterSlot::new(*slot));
        }
        let block = self.store.of(&self.view, &spec.requirement);
        for current in &spec.current {
            let slot = self.view.snapshot.slot(&current.cluster);
            self.charge(&spec, block, slot, -booked(current), true);
        }
    }

    /// A workload that changed its shape, tenant or quota is no longer what was booked.
    pub(super) fn rebook(&mut self, spec: &Spec) {
        let Some((old, _)) = self.books.placed_of(&spec.key) else { return };
        let same_room = old.pods == spec.pods && old.per_node == spec.per_node && old.cpu == spec.cpu;
        if same_room && old.quota == spec.quota && old.requirement.tenant == spec.requirement.tenant {
            return;
        }
        self.forget(&spec.key);
        self.book_running(&Arc::new(spec.clone()));
    }

    /// Books a decision: room, quota and shares of what it adds. What it removes stays booked until it is gone.
    pub fn commit(&mut self, spec: &Arc<Spec>, decided: &Decided) {
        if decided.status != Status::Placed {
            return;
        }
        let owner = self.books.owner(&spec.key);
        self.books.touch(owner);
        let mut placed = self.books.displace(owner).map(|(_, placed)| placed).unwrap_or_default();
        for (slot, replicas) in &decided.targets {
            let known = placed.iter_mut().find(|(at, _)| *at == slot.index());
            let here = spec.current.iter().find(|current| self.view.snapshot.slot(&current.cluster) == Some(*slot));
            // What this ledger committed before counts, and what is seen beyond it.
            let seen = here.map_or(0, booked);
            let running = known.as_ref().map_or(seen, |(_, already)| seen.max(*already));
            let added = replicas - running;
            match known {
                Some((_, already)) => *already = *replicas,
                None => placed.push((slot.index(), *replicas)),
            }
            if added > 0 {
                self.book(decided.block, decided.shape, owner, *slot, added);
                self.charge(spec, decided.block, Some(*slot), added, running == 0);
            }
        }
        placed.retain(|(at, _)| decided.targets.iter().any(|(slot, _)| slot.index() == *at));
        self.books.place(owner, spec, placed);
    }
}

/// What is booked of replicas on a cluster: those committed there or, while a removal is under way, those seen.
pub(super) fn booked(current: &Current) -> i64 {
    current.placed.max(current.observed).max(0)
}
