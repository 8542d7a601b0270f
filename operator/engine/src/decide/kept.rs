//! What is kept from one plan to the next: verdicts, the ledger, quota, shares, and who has to be looked at.
//!
//! A snapshot says what of it was touched; only that is brought up to date, so that a turn costs what changed and not
//! what exists. Whatever cannot be told apart from a change of everything (another snapshot, other tenants or tiers, a
//! date that matters, more clusters than there were slots) is made anew. A plan made with what is kept has the bytes of
//! one made with nothing.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;

use super::bookings::Books;
use super::calendar::Calendar;
use super::changes::{Mark, Touch};
use super::ledger::Ledger;
use super::planner::Planner;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{Requirement, WorkloadKey};
use super::store::VerdictStore;
use super::view::View;

/// Requirements, shapes and names nobody uses any more are left lying until there are so many more of them than when
/// everything was made anew.
const LITTER: usize = 1024;

/// What is kept from one plan to the next. No result depends on it.
#[derive(Debug)]
pub struct Kept {
    calendar: Calendar,
    store: VerdictStore,
    books: Books,
    /// Up to where in the snapshot's touches it is right; `None` when it knows nothing.
    mark: Option<Mark>,
    /// How many requirements, shapes and names there were when everything was made anew.
    made_with: usize,
    threads: NonZeroUsize,
}

impl Default for Kept {
    /// Nothing known, one thread.
    fn default() -> Self {
        Self::on(NonZeroUsize::MIN)
    }
}

/// What of a snapshot was touched: slots that clusters have or had, and workloads.
#[derive(Debug, Default)]
struct Touched<'s> {
    slots: BTreeSet<ClusterSlot>,
    /// Each once, in order.
    specs: Vec<&'s WorkloadKey>,
}

impl Kept {
    /// Nothing known; verdicts of many requirements are made on so many threads.
    #[must_use]
    pub fn on(threads: NonZeroUsize) -> Self {
        Self {
            calendar: Calendar::default(),
            store: VerdictStore::default(),
            books: Books::default(),
            mark: None,
            made_with: 0,
            threads,
        }
    }

    /// What was touched since; `None` when everything has to be made anew.
    fn touched<'s>(&self, snapshot: &'s Snapshot, as_of: Timestamp) -> Option<Touched<'s>> {
        let touches = snapshot.touches().since(self.mark.as_ref()?)?;
        if !self.calendar.holds(snapshot, as_of) || self.litter() > self.made_with.saturating_mul(2) + LITTER {
            return None;
        }
        let mut touched = Touched::default();
        for touch in touches {
            match touch {
                Touch::Cluster(slot) => drop(touched.slots.insert(*slot)),
                Touch::Spec(key) => touched.specs.push(key),
            }
        }
        touched.specs.sort();
        touched.specs.dedup();
        Some(touched)
    }

    fn litter(&self) -> usize {
        self.store.len() + self.books.ledger.shapes() + self.books.owners.len()
    }
}

impl<'s> Planner<'s> {
    /// A planner of a snapshot, with what was kept brought up to date.
    pub(super) fn resume(snapshot: &'s Snapshot, as_of: Timestamp, kept: &mut Kept) -> Self {
        let threads = kept.threads;
        let touched = kept.touched(snapshot, as_of);
        let Kept { calendar, store, books, made_with, .. } = std::mem::replace(kept, Kept::on(threads));
        if let Some(touched) = touched {
            kept.made_with = made_with;
            let view = View { snapshot, as_of, calendar };
            let mut planner = Self::with(view, store, books, threads);
            if planner.catch_up(&touched) {
                return planner;
            }
        }
        let view = View::new(snapshot, as_of);
        let mut planner = Self::with(view, VerdictStore::default(), Books::default(), threads);
        planner.begin_anew();
        kept.made_with = planner.store.len() + planner.books.ledger.shapes() + planner.books.owners.len();
        planner
    }

    /// Gives back what is kept; what was booked since [`Books::begin`] is undone.
    pub(super) fn put_away(self, kept: &mut Kept) {
        let Self { view, store, mut books, .. } = self;
        books.roll_back();
        kept.mark = Some(view.snapshot.touches().mark());
        kept.calendar = view.calendar;
        kept.store = store;
        kept.books = books;
    }

    /// Makes the verdicts of many requirements at once, where there are threads for that.
    pub(super) fn judge_ahead<'a>(&mut self, asked: impl Iterator<Item = &'a Arc<Requirement>>) {
        if self.threads.get() > 1 {
            let asked: Vec<Arc<Requirement>> = asked.cloned().collect();
            self.store.prepare(&self.view, &asked, self.threads);
        }
    }

    fn begin_anew(&mut self) {
        let snapshot = self.view.snapshot;
        self.store.keep_for(&self.view);
        self.judge_ahead(snapshot.specs().map(|spec| &spec.requirement));
        self.books.ledger = Ledger::new(snapshot);
        self.books.clusters = vec![None; snapshot.slots()];
        for (slot, _) in snapshot.clusters() {
            self.enter_cluster(slot);
        }
        self.rank();
        for spec in snapshot.specs() {
            self.stand(spec);
        }
        for (slot, _) in snapshot.clusters() {
            self.pack(slot);
        }
        self.books.packed = self.books.ledger.position();
    }

    /// Brings everything up to date with what was touched. `false` when it has to be made anew.
    fn catch_up(&mut self, touched: &Touched<'_>) -> bool {
        let snapshot = self.view.snapshot;
        let slots: Vec<ClusterSlot> = touched.slots.iter().copied().filter(|slot| self.is_other(*slot)).collect();
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut judged: Vec<ClusterSlot> = Vec::new();
        for slot in &slots {
            let before = self.books.clusters.get(slot.index()).and_then(Option::as_deref);
            let now = snapshot.cluster(*slot).map(|cluster| &**cluster);
            if let (Some(before), Some(now)) = (before, now)
                && before.is_judged_as(now)
            {
                continue;
            }
            names.extend(before.into_iter().chain(now).map(|cluster| cluster.name.clone()));
            judged.push(*slot);
        }
        if !slots.is_empty() && !self.books.ledger.bring(snapshot, &slots) {
            return false;
        }
        self.view.calendar.bring(snapshot, judged.iter().copied(), self.view.as_of);
        judged.iter().for_each(|slot| self.store.cluster_changed(*slot));
        if !self.store.keep_for(&self.view) {
            return false;
        }
        self.books.columns.bring(snapshot, &slots);
        let before: Vec<Option<String>> = slots.iter().map(|slot| self.name_of(*slot)).collect();
        slots.iter().for_each(|slot| self.enter_cluster(*slot));
        if slots.iter().zip(&before).any(|(slot, before)| self.name_of(*slot) != *before) {
            self.rank();
            self.store.roster_changed();
        }

        let judged = names.iter().flat_map(|name| self.books.standing_on(name));
        let mut specs: BTreeSet<WorkloadKey> = judged.map(|standing| standing.key().clone()).collect();
        // Quota is charged for a pod on every node, so it follows the number of nodes.
        let named = slots.iter().filter_map(|slot| snapshot.cluster(*slot)).map(|cluster| &cluster.name);
        let standing = named.flat_map(|name| self.books.standing_on(name));
        specs.extend(standing.filter(|standing| standing.counts_nodes()).map(|standing| standing.key().clone()));
        let mut packed: BTreeSet<ClusterSlot> = slots.iter().copied().collect();
        let untouched = specs.iter().filter(|key| touched.specs.binary_search(key).is_err());
        for key in touched.specs.iter().copied().chain(untouched) {
            if let Some(now) = snapshot.spec(key)
                && let Some(rooms) = self.stand_again(now)
            {
                packed.extend(rooms);
                continue;
            }
            let before = self.leave(key);
            if let Some(now) = snapshot.spec(key) {
                self.stand(now);
            }
            packed.extend(self.rooms_that_differ(before.as_ref(), key));
        }
        for slot in packed {
            self.books.ledger.empty(slot);
            self.pack(slot);
        }
        self.books.packed = self.books.ledger.position();
        true
    }

    fn is_other(&self, slot: ClusterSlot) -> bool {
        let before = self.books.clusters.get(slot.index()).and_then(Option::as_ref);
        match (before, self.view.snapshot.cluster(slot)) {
            (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
            (None, None) => false,
            _ => true,
        }
    }

    fn name_of(&self, slot: ClusterSlot) -> Option<String> {
        Some(self.books.clusters.get(slot.index())?.as_ref()?.name.clone())
    }

    /// Takes in what is looked up of a cluster by slot.
    fn enter_cluster(&mut self, slot: ClusterSlot) {
        let cluster = self.view.snapshot.cluster(slot);
        let percent = cluster.map_or(0, |cluster| cluster.emergency_reserve_percent);
        let reserves = &mut self.books.reserves;
        if percent > 0 && reserves.is_empty() {
            reserves.resize(self.view.snapshot.slots(), 0);
        }
        if let Some(place) = reserves.get_mut(slot.index()) {
            *place = percent;
        }
        if let Some(place) = self.books.clusters.get_mut(slot.index()) {
            *place = cluster.cloned();
        }
    }

    fn rank(&mut self) {
        let snapshot = self.view.snapshot;
        self.books.ranks.clear();
        self.books.ranks.resize(snapshot.slots(), u32::MAX);
        for (slot, _) in snapshot.clusters() {
            if let Some(rank) = self.books.ranks.get_mut(slot.index()) {
                *rank = snapshot.name_rank(slot);
            }
        }
    }
}
