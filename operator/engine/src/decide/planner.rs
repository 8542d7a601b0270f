//! Decides workloads one after the other against one ledger of room, quota and shares.
//!
//! [`Planner::decide`] looks, [`Planner::commit`] books (in `bookings`). What a decision needs of all clusters comes as masks and
//! columns; only clusters that may be used, or that carry replicas now, are looked at one by one.

use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;

use super::bookings::{Books, booked};
use super::decided::hindrance;
pub(crate) use super::decided::{Decided, Hindrance};
use super::input::ClusterState;
use super::kept::Kept;
use super::mask;
use super::platforms::PlatformRooms;
use super::record::Status;
use super::rule::Rule;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{Cause, Division, Spec};
use super::spreads::keys_of;
use super::stay::{Stays, stays};
use super::store::VerdictStore;
use super::verdicts::Verdicts;
use super::view::View;
use crate::choice::{
    self, Candidate, Extra, Facts, Key, KeyGroups, Limit, MAX_KEYS, MAX_REPLICAS, Mode, NO_EXTRA, Outcome, Problem,
    Rebalance, Scratch,
};

/// A workload's replica that runs now.
#[derive(Clone, Copy, Debug)]
struct Held {
    slot: ClusterSlot,
    placed: i64,
    /// What of it is booked: more than is placed while a removal is under way.
    booked: i64,
    stays: Stays,
    /// It may not be here, or nobody can look after it here: where fewer are wanted it goes first.
    astray: bool,
}

/// Stands after every ordered group that a policy may have.
const LAST: u32 = u32::MAX;

/// Which clusters are looked at besides what the rules say.
#[derive(Clone, Copy, Debug, Default)]
struct Access<'a> {
    /// None but these, where given.
    only: Option<&'a [u64]>,
    /// This one as if it let the workload in, with room for so many further replicas.
    opened: Option<(ClusterSlot, i64)>,
}

/// Decides against one ledger.
#[derive(Debug)]
pub struct Planner<'s> {
    pub(crate) view: View<'s>,
    pub(crate) store: VerdictStore,
    pub(crate) books: Books,
    /// That verdicts of many requirements are made on.
    pub(super) threads: NonZeroUsize,
    /// The next instant at which something that runs may go back to an earlier group, or a person's order begins to hold.
    pub(crate) next_return: Option<Timestamp>,
    scratch: Scratch,
    pub(super) candidates: Vec<Candidate>,
    extras: Vec<Extra>,
    held: Vec<Held>,
    local: Vec<u64>,
    room: Vec<u64>,
}

impl<'s> Planner<'s> {
    /// A ledger in which everything that runs by the snapshot is booked.
    #[must_use]
    pub fn new(snapshot: &'s Snapshot, as_of: Timestamp) -> Self {
        Self::resume(snapshot, as_of, &mut Kept::default())
    }

    pub(super) fn with(view: View<'s>, store: VerdictStore, books: Books, threads: NonZeroUsize) -> Self {
        Self {
            view,
            store,
            books,
            threads,
            next_return: None,
            scratch: Scratch::default(),
            candidates: Vec::new(),
            extras: Vec::new(),
            held: Vec::new(),
            local: Vec::new(),
            room: Vec::new(),
        }
    }

    /// The snapshot it decides against.
    #[must_use]
    pub fn snapshot(&self) -> &'s Snapshot {
        self.view.snapshot
    }

    /// The verdicts a decision was made from.
    #[must_use]
    pub fn verdicts(&self, decided: &Decided) -> Option<&Verdicts> {
        self.store.block(decided.block)
    }

    /// Learns what a workload's replicas are made of and is grouped by, ahead of its decision.
    pub fn prepare(&mut self, spec: &Spec) {
        self.books.ledger.shape(spec);
        self.books.columns.prepare(self.view.snapshot, spec);
    }

    /// Decides one workload. Books nothing, but a workload whose shape or tenant changed is booked in its new form from
    /// here on.
    pub fn decide(&mut self, spec: &Spec) -> Decided {
        self.decide_on(spec, None)
    }

    /// As [`Self::decide`], on none but these clusters where they are given.
    pub(crate) fn decide_on(&mut self, spec: &Spec, only: Option<&[u64]>) -> Decided {
        self.rebook(spec);
        let snapshot = self.view.snapshot;
        let block = self.store.of(&self.view, &spec.requirement);
        let shape = self.books.ledger.shape(spec);
        self.books.columns.prepare(snapshot, spec);
        self.hold_running(spec, block);
        let full = self.gather(spec, block, shape, Access { only, opened: None });
        self.choose(spec, block, shape, full)
    }

    /// What runs now and what may happen to it.
    fn hold_running(&mut self, spec: &Spec, block: usize) {
        self.held.clear();
        let Some(verdicts) = self.store.block(block) else { return };
        for current in &spec.current {
            let Some(slot) = self.view.snapshot.slot(&current.cluster) else { continue };
            let stays = stays(&self.view, verdicts, spec, slot);
            // What is given back after an emergency is not taken again because it is still there.
            let booked = if spec.is_given_back() { current.placed.max(0) } else { booked(current) };
            // From a frozen cluster nothing is taken.
            let astray = stays == Stays::Capped && !verdicts.refuses(Rule::Freeze, slot);
            self.held.push(Held { slot, placed: current.placed.max(0), booked, stays, astray });
        }
    }

    /// Fills candidates and extras. Answers how many clusters have no room for one replica.
    fn gather(&mut self, spec: &Spec, block: usize, shape: usize, access: Access<'_>) -> u32 {
        let Self { view, store, books, candidates, extras, held, local, room, .. } = self;
        let Books { ledger, columns, reserves, .. } = books;
        candidates.clear();
        extras.clear();
        let Some(verdicts) = store.block(block) else { return 0 };
        let snapshot = view.snapshot;
        let width = snapshot.width();
        ledger.room(shape, verdicts, room, width);
        for held in held.iter().filter(|held| held.placed > 0) {
            mask::assign(room, held.slot.index(), true);
        }
        let full = u32::try_from(snapshot.len()).unwrap_or(u32::MAX).saturating_sub(mask::count(room));

        local.clear();
        local.extend_from_slice(verdicts.eligible());
        if let Some(data) = &spec.data_on {
            local.fill(0);
            for slot in data.iter().filter_map(|name| snapshot.slot(name)).map(ClusterSlot::index) {
                mask::assign(local, slot, mask::has(verdicts.eligible(), slot));
            }
        }
        let refused = spec.stale.keys().chain(spec.unhealthy_in.keys());
        for slot in refused.filter_map(|name| snapshot.slot(name)).map(ClusterSlot::index) {
            mask::assign(local, slot, false);
        }
        for held in &*held {
            mask::assign(local, held.slot.index(), held.stays != Stays::Leaves);
        }
        mask::and(local, room);
        if let Some(only) = access.only {
            mask::and(local, only);
        }
        if let Some((slot, _)) = access.opened {
            mask::assign(local, slot.index(), true);
        }

        let policy = &spec.policy;
        let scores = columns.scores(&policy.preferences);
        let bounded = policy.min_per_cluster > 1 || policy.max_per_cluster.is_some();
        let weights = match &policy.division {
            Division::ByWeight(weights) => Some(weights),
            Division::Duplicated | Division::ByCapacity | Division::Packed => None,
        };
        let plain =
            Extra { min: policy.min_per_cluster, max: policy.max_per_cluster.unwrap_or(i64::MAX), ..Extra::NONE };
        let staying = held.iter().filter(|held| held.stays != Stays::Leaves);
        let running = staying.map(|held| held.placed).fold(0_i64, i64::saturating_add);
        let fewer = policy.division != Division::Duplicated && running > spec.replicas;
        let reserves: &[u8] = if spec.requirement.cause == Cause::Emergency { &[] } else { reserves };
        for slot in mask::iter(local) {
            let opened = access.opened.filter(|(at, _)| at.index() == slot);
            let running = held.iter().find(|held| held.slot.index() == slot);
            let here = running.is_some_and(|held| held.placed > 0);
            let mut free = opened.map_or_else(|| ledger.slots(shape, verdicts, slot, here), |(_, free)| free);
            if let Some(kept_back) = reserves.get(slot).filter(|percent| **percent > 0) {
                free = free * i64::from(100 - (*kept_back).min(100)) / 100;
            }
            let current = running.map_or(0, |held| held.placed);
            let capacity = match running {
                Some(held) if held.stays == Stays::Capped && opened.is_none() => current,
                // Replicas that are seen there take their room already; to place them anew takes no more.
                _ => free.saturating_add(running.map_or(0, |held| held.booked)).min(MAX_REPLICAS),
            };
            if capacity < 1 {
                continue;
            }
            let tier = (0..verdicts.groups()).find(|group| mask::has(verdicts.group(*group), slot)).unwrap_or(0);
            // Replicas that leave live clusters which may keep them are the last to go.
            let astray = fewer && running.is_some_and(|held| held.astray);
            let weight = weights.map(|weights| {
                let cluster = snapshot.cluster(ClusterSlot::new(slot));
                let first = weights
                    .iter()
                    .find(|(which, _)| cluster.is_some_and(|cluster| which.matches(&cluster.name, &cluster.labels)));
                first.map_or(0, |(_, weight)| i64::from(*weight))
            });
            if weight == Some(0) && current == 0 {
                // A weight of nothing means no replicas.
                continue;
            }
            let extra = if current > 0 || bounded || weight.is_some() {
                extras.push(Extra { current, weight: weight.unwrap_or(1), ..plain });
                u32::try_from(extras.len() - 1).unwrap_or(NO_EXTRA)
            } else {
                NO_EXTRA
            };
            candidates.push(Candidate {
                slot: u32::try_from(slot).unwrap_or(u32::MAX),
                extra,
                tier: if astray { LAST } else { u32::try_from(tier).unwrap_or(LAST) },
                score: scores.get(slot).copied().unwrap_or(0),
                capacity,
            });
        }
        full
    }

    /// Chooses, and again where the first choice goes beyond a quota: without the clusters on which what runs on every node
    /// takes most of it, and within what each platform may take.
    fn choose(&mut self, spec: &Spec, block: usize, shape: usize, full: u32) -> Decided {
        let mut first = self.choose_within(spec, block, shape, full, None);
        let mut limit = first.limit.clone();
        while let Some(Hindrance::Quota { resource, .. }) = limit {
            if !self.leave_out_the_dear(spec, block, &resource) {
                break;
            }
            let fewer = self.choose_within(spec, block, shape, full, None);
            limit = fewer.limit.clone();
            if fewer.status == Status::Placed {
                first = fewer;
            }
        }
        let Some(bound) = self.over_quota(spec, &first, true).filter(|_| first.status == Status::Placed) else {
            return first;
        };
        let rooms = self.platform_rooms(spec, block);
        let mut again = self.choose_within(spec, block, shape, full, Some(&rooms));
        if again.status == Status::Placed && self.over_quota(spec, &again, true).is_none() {
            return again;
        }
        // Where choice cannot be told the whole bound, another choice might have kept it.
        let told = !rooms.mixed && spec.policy.spread.len() + spec.policy.max_share.len() < MAX_KEYS;
        let proven = told && again.status == Status::Pending;
        self.keep(&mut again, if proven { Status::Pending } else { Status::NotProven }, bound);
        again
    }

    fn choose_within(
        &mut self,
        spec: &Spec,
        block: usize,
        shape: usize,
        full: u32,
        platforms: Option<&PlatformRooms>,
    ) -> Decided {
        let (status, targets) = (Status::Placed, Vec::new());
        let mut decided = Decided { status, targets, limit: None, dropped: 0, rebalanced: false, full, block, shape };
        if let Some(stop) = spec.stopped() {
            let order = stop.order.clone();
            self.keep(&mut decided, Status::Pending, Hindrance::Stopped { order });
            return decided;
        }
        if spec.replicas == 0 {
            return decided;
        }
        if spec.replicas < 0 || spec.replicas > MAX_REPLICAS {
            self.keep(&mut decided, Status::Pending, Hindrance::Replicas);
            return decided;
        }
        let known = |name: &str| self.view.snapshot.slot(name).is_some();
        if let Some(missing) = spec.current.iter().find(|current| current.placed > 0 && !known(&current.cluster)) {
            self.keep(&mut decided, Status::Pending, Hindrance::ClusterMissing(missing.cluster.clone()));
            return decided;
        }
        let rooms = self.share_rooms(spec);
        let own = self.platform_groups(spec, block);
        let mut keys = [const { None }; MAX_KEYS];
        let Some(count) = keys_of(spec, (&self.books.columns, own.as_ref()), &rooms, &mut keys) else {
            let facts = Facts { limit: Limit::Together, usable: 0, capacity: 0, best: 0, groups: [0; 3], nodes: 0 };
            self.keep(&mut decided, Status::NotProven, hindrance(facts));
            return decided;
        };
        let mut count = count;
        if let (Some(rooms), Some(place)) = (platforms, keys.get_mut(count)) {
            *place = Some(rooms.key());
            count += 1;
        }
        let used: [Key<'_>; MAX_KEYS] = keys.map(|key| key.unwrap_or(Key::new(KeyGroups::Cluster)));
        let policy = &spec.policy;
        let problem = Problem {
            replicas: spec.replicas,
            mode: match policy.division {
                Division::Duplicated => Mode::Duplicated,
                Division::ByCapacity => Mode::ByCapacity,
                Division::ByWeight(_) => Mode::Weighted,
                Division::Packed => Mode::Packed,
            },
            candidates: &self.candidates,
            extras: &self.extras,
            ranks: &self.books.ranks,
            keys: used.get(..count).unwrap_or_default(),
            rebalance: match policy.rebalance_gain {
                _ if spec.rebalance => Rebalance::Ordered,
                Some(gain) => Rebalance::Above(gain),
                None => Rebalance::Keep,
            },
            budget: Problem::BUDGET,
        };
        let failed = match choice::choose(&problem, &mut self.scratch) {
            Outcome::Placed(placement) => {
                (decided.dropped, decided.rebalanced) = (placement.dropped, placement.rebalanced);
                let targets = placement.targets.iter();
                decided.targets.extend(targets.map(|t| (ClusterSlot::new(t.slot as usize), t.replicas)));
                None
            }
            Outcome::Infeasible(facts) => Some((Status::Pending, hindrance(facts))),
            Outcome::NotProven(facts) => Some((Status::NotProven, hindrance(facts))),
            Outcome::Invalid(_) => Some((Status::Pending, Hindrance::Replicas)),
        };
        if let Some((status, limit)) = failed {
            let nobody = self.store.block(block).is_none_or(|v| v.eligible().iter().all(|word| *word == 0));
            if nobody && self.held.iter().all(|held| held.stays == Stays::Leaves) {
                match self.waits_for(spec, block) {
                    Some(slot) => self.keep(&mut decided, Status::Pending, Hindrance::Waits(slot)),
                    None => self.keep(&mut decided, Status::Refused, Hindrance::NoCluster),
                }
            } else {
                self.keep(&mut decided, status, limit);
            }
            return decided;
        }
        self.come_back_to(spec, &mut decided);
        if let Some(bound) = self.over_quota(spec, &decided, false) {
            self.keep(&mut decided, Status::Pending, bound);
        }
        decided
    }

    /// A workload that is whole on every cluster leaves one where it is lost or not well only where another takes its place; else the copy there
    /// is what it comes back to, and stays decided as it is.
    fn come_back_to(&self, spec: &Spec, decided: &mut Decided) {
        let running = self.held.iter().filter(|held| held.placed > 0);
        let fewer = decided.targets.len() < running.clone().count();
        let nothing = spec.lost.is_empty() && spec.unhealthy_in.is_empty();
        if nothing || spec.policy.division != Division::Duplicated || !fewer {
            return;
        }
        let let_go = |name: &String| spec.lost.contains(name) || spec.unhealthy_in.contains_key(name);
        let lost = running.filter(|held| held.stays == Stays::Leaves && let_go(&self.name(held.slot)));
        decided.targets.extend(lost.map(|held| (held.slot, held.placed)));
        decided.targets.sort_by_key(|(slot, _)| self.view.snapshot.name_rank(*slot));
    }

    /// The first cluster by name that could carry the workload once what passes by itself has passed.
    fn waits_for(&self, spec: &Spec, block: usize) -> Option<ClusterSlot> {
        let waiting = self.store.block(block)?.waiting();
        let mut clusters = self.view.snapshot.clusters().filter(|(slot, _)| mask::has(&waiting, slot.index()));
        let found = clusters.find(|(_, cluster)| {
            cluster.state != ClusterState::Deleting
                && !spec.unhealthy_in.contains_key(&cluster.name)
                && super::tell::data_rule(spec, &cluster.name).reasons.is_empty()
        });
        found.map(|(slot, _)| slot)
    }

    /// Whether the workload would have a place if one cluster let it in with room for this many replicas. Books nothing.
    pub(crate) fn would_place(&mut self, spec: &Spec, decided: &Decided, slot: ClusterSlot, free: i64) -> bool {
        self.hold_running(spec, decided.block);
        let full = self.gather(spec, decided.block, decided.shape, Access { only: None, opened: Some((slot, free)) });
        self.choose(spec, decided.block, decided.shape, full).status == Status::Placed
    }

    /// As [`Self::would_place`], of the workload with less asked of it and no cluster opened.
    pub(crate) fn would_place_eased(&mut self, eased: &Spec, decided: &Decided) -> bool {
        self.hold_running(eased, decided.block);
        let full = self.gather(eased, decided.block, decided.shape, Access::default());
        self.choose(eased, decided.block, decided.shape, full).status == Status::Placed
    }

    /// What runs stays as it is.
    fn keep(&self, decided: &mut Decided, status: Status, limit: Hindrance) {
        decided.status = status;
        decided.limit = Some(limit);
        decided.dropped = 0;
        decided.targets.clear();
        decided.targets.extend(self.held.iter().filter(|held| held.placed > 0).map(|held| (held.slot, held.placed)));
        decided.targets.sort_by_key(|(slot, _)| self.view.snapshot.name_rank(*slot));
    }

    pub(crate) fn booked_on(&self, slot: ClusterSlot) -> i64 {
        self.held.iter().find(|held| held.slot == slot).map_or(0, |held| held.booked)
    }

    /// Decides workloads that must stand together: the clusters are those every one of them may use, the first decides
    /// the set, the rest follow onto it. All or none; nothing is booked.
    pub fn decide_together(&mut self, specs: &[Arc<Spec>]) -> Vec<Decided> {
        let mut common: Option<Vec<u64>> = None;
        for spec in specs {
            self.rebook(spec);
            let block = self.store.of(&self.view, &spec.requirement);
            let shape = self.books.ledger.shape(spec);
            self.books.columns.prepare(self.view.snapshot, spec);
            self.hold_running(spec, block);
            self.gather(spec, block, shape, Access { only: common.as_deref(), opened: None });
            let mut usable = vec![0; self.view.snapshot.width()];
            for candidate in &self.candidates {
                mask::assign(&mut usable, candidate.slot as usize, true);
            }
            common = Some(usable);
        }
        let nowhere = common.as_deref().is_some_and(|usable| mask::count(usable) == 0);
        let mut all = Vec::with_capacity(specs.len());
        let mut booked: Vec<&Arc<Spec>> = Vec::new();
        for spec in specs {
            let block = self.store.of(&self.view, &spec.requirement);
            let shape = self.books.ledger.shape(spec);
            self.hold_running(spec, block);
            let full = self.gather(spec, block, shape, Access { only: common.as_deref(), opened: None });
            let mut decided = self.choose(spec, block, shape, full);
            if nowhere && decided.status == Status::Pending {
                // Whoever would find a place alone is not short of room: the others leave it none.
                self.gather(spec, block, shape, Access { only: None, opened: None });
                if !self.candidates.is_empty() {
                    self.keep(&mut decided, Status::Pending, Hindrance::Colocation);
                }
            }
            if decided.status == Status::Placed && all.is_empty() {
                let mut chosen = vec![0; self.view.snapshot.width()];
                decided.targets.iter().for_each(|(slot, _)| mask::assign(&mut chosen, slot.index(), true));
                common = Some(chosen);
            }
            all.push(decided);
            booked.push(spec);
        }
        if all.iter().any(|decided| decided.status != Status::Placed) {
            for (spec, decided) in booked.into_iter().zip(&mut all) {
                if decided.status == Status::Placed {
                    let block = decided.block;
                    self.hold_running(spec, block);
                    self.keep(decided, Status::Pending, Hindrance::Colocation);
                }
            }
        }
        all
    }
}
