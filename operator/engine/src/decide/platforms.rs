//! Quotas for one CPU platform: what a tenant may use of a resource on it, beside what it may use in all.
//!
//! A grant for a platform limits a resource of its own, named `cpu@kunpeng-920`. A replica counts against every platform
//! of the pools it may land on, because which of them it will be is the member's to say. Choice is told how many replicas
//! each limited platform may still take; a cluster with several limited platforms is bounded by the least of them, and
//! what all of them together take is checked at the end. What runs on every node is charged by cluster, which choice is not
//! told either: clusters on which that is too much, then those on which it is most, are taken from it where it ran into one.

use std::collections::BTreeSet;

use super::input::PoolInput;
use super::planner::{Decided, Hindrance, Planner};
use super::quota::{Bound, on_platform};
use super::record::Status;
use super::resources::{self, Resources};
use super::snapshot::ClusterSlot;
use super::spec::{DaemonInput, Spec};
use crate::choice::{Key, KeyGroups, MAX_REPLICAS};

/// Groups of clusters by limited platform, with the replicas each may take in all.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlatformRooms {
    by_slot: Vec<u32>,
    rooms: Vec<i64>,
    /// A cluster has pools of several limited platforms: what choice is told is not the whole of the bound.
    pub(crate) mixed: bool,
}

impl PlatformRooms {
    /// As a key of choice.
    pub(crate) fn key(&self) -> Key<'_> {
        let count = u32::try_from(self.rooms.len()).unwrap_or(u32::MAX);
        Key { room: &self.rooms, ..Key::new(KeyGroups::Column { by_slot: &self.by_slot, count }) }
    }
}

impl Planner<'_> {
    /// Pools of a cluster that pods of some parts may land on.
    fn pools(&self, block: usize, slot: ClusterSlot, parts: &dyn Fn(usize) -> bool) -> Vec<&PoolInput> {
        let verdicts = self.store.block(block);
        let pools = self.view.snapshot.cluster(slot).map(|cluster| cluster.pools.as_slice()).unwrap_or_default();
        let own = || (0..verdicts.map_or(1, |verdicts| verdicts.parts)).filter(|part| parts(*part));
        let accepted = |part, plane| verdicts.is_some_and(|verdicts| verdicts.accepts(part, plane, slot.index()));
        // What runs where no pool is accepted any more may be on any of them.
        let lands = |part, plane| accepted(part, plane) || !(0..pools.len()).any(|plane| accepted(part, plane));
        let used = |plane: usize| own().any(|part| lands(part, plane));
        pools.iter().enumerate().filter(|(plane, _)| used(*plane)).map(|(_, pool)| pool).collect()
    }

    /// Their platforms.
    pub(crate) fn platforms(&self, block: usize, slot: ClusterSlot) -> BTreeSet<&str> {
        let pools = self.pools(block, slot, &|_| true).into_iter();
        pools.filter_map(|pool| pool.facts.platform.as_deref()).collect()
    }

    /// What a replica takes of the quota on one platform: all that it takes, but for the pods of parts that cannot land on
    /// it.
    fn taken_on(&self, spec: &Spec, block: usize, slot: ClusterSlot, platform: &str) -> Resources {
        let mut all = spec.quota.clone();
        for part in 0..spec.requirement.parts.len() {
            let pools = self.pools(block, slot, &|one| one == part);
            if pools.iter().any(|pool| pool.facts.platform.as_deref() == Some(platform)) {
                continue;
            }
            for pod in spec.pods.iter().filter(|pod| pod.part as usize == part) {
                for (resource, amount) in &mut all {
                    let one = if resource == resources::PODS { Some(&1) } else { pod.request.get(resource) };
                    let elsewhere = one.map_or(0, |amount| amount.saturating_mul(pod.count.max(1)));
                    *amount = amount.saturating_sub(elsewhere).max(0);
                }
            }
        }
        on_platform(&all, platform)
    }

    /// Charges replicas that a plan adds on a cluster, or gives back (negative), to the tenant and to the platforms they
    /// may be on; with the `first` of them what runs on every node.
    pub(crate) fn charge(&mut self, spec: &Spec, block: usize, slot: Option<ClusterSlot>, replicas: i64, first: bool) {
        let extra = self.charged_beside(spec, block, slot, replicas, first);
        let (quota, view, tenant) = (&mut self.books.quota, &self.view, &spec.requirement.tenant);
        quota.charge(view, tenant, &spec.quota, replicas);
        for (each, times) in extra {
            quota.charge(view, tenant, &each, times);
        }
    }

    /// What is charged on a cluster beside the amounts of so many replicas: amounts, and how often.
    pub(crate) fn charged_beside(
        &self,
        spec: &Spec,
        block: usize,
        slot: Option<ClusterSlot>,
        replicas: i64,
        first: bool,
    ) -> Vec<(Resources, i64)> {
        let Some(slot) = slot else { return Vec::new() };
        let mut beside = Vec::new();
        for platform in self.limited_platforms(spec, block, slot) {
            beside.push((self.taken_on(spec, block, slot, &platform), replicas));
        }
        if first && !spec.per_node.is_empty() {
            beside.extend(self.daemons(spec, block, slot).into_iter().map(|all| (all, replicas.signum())));
        }
        beside
    }

    /// What pods that run on every node take of the quota on a cluster: in all, and on each limited platform. How many
    /// nodes there are is what was observed.
    fn daemons(&self, spec: &Spec, block: usize, slot: ClusterSlot) -> Vec<Resources> {
        let on = |platform: Option<&str>| -> Resources {
            let mut sum = Resources::new();
            for DaemonInput { request, part, one_per_node: _ } in &spec.per_node {
                let pools = self.pools(block, slot, &|one| one == *part as usize).into_iter();
                let pools = pools.filter(|pool| platform.is_none() || pool.facts.platform.as_deref() == platform);
                let shapes = pools.flat_map(|pool| &pool.shapes);
                let nodes = shapes.map(|shape| shape.count.max(0)).fold(0_i64, i64::saturating_add);
                let one = request.iter().map(|(resource, amount)| (resource.as_str(), *amount));
                for (resource, amount) in one.chain([(resources::PODS, 1)]) {
                    let sum = sum.entry(resource.to_owned()).or_default();
                    *sum = sum.saturating_add(amount.saturating_mul(nodes));
                }
            }
            sum
        };
        let limited = self.limited_platforms(spec, block, slot).into_iter();
        let limited = limited.map(|platform| on_platform(&on(Some(&platform)), &platform));
        [on(None)].into_iter().chain(limited).collect()
    }

    /// Platforms a replica on a cluster may be on that the payer's tree limits by themselves.
    fn limited_platforms(&self, spec: &Spec, block: usize, slot: ClusterSlot) -> Vec<String> {
        let limited = self.books.quota.platforms(&self.view, &spec.requirement.tenant);
        if limited.is_empty() {
            return Vec::new();
        }
        self.platforms(block, slot).into_iter().filter(|p| limited.contains(*p)).map(str::to_owned).collect()
    }

    /// What platforms may still take.
    pub(crate) fn platform_rooms(&self, spec: &Spec, block: usize) -> PlatformRooms {
        let requirement = &spec.requirement;
        let limited: Vec<&str> = self.books.quota.platforms(&self.view, &requirement.tenant).into_iter().collect();
        // The last group is of all that is not limited.
        let mut told = PlatformRooms { by_slot: vec![0; self.view.snapshot.slots()], ..PlatformRooms::default() };
        let fits: Vec<i64> =
            limited.iter().map(|platform| self.fit(spec, &on_platform(&spec.quota, platform)).0).collect();
        let mut running = vec![0_i64; limited.len() + 1];
        for (slot, _) in self.view.snapshot.clusters() {
            let here = self.platforms(block, slot);
            let own: Vec<usize> =
                (0..limited.len()).filter(|at| limited.get(*at).is_some_and(|p| here.contains(p))).collect();
            told.mixed |= own.len() > 1;
            let least = own.into_iter().min_by_key(|at| fits.get(*at)).unwrap_or(limited.len());
            if let Some(place) = told.by_slot.get_mut(slot.index()) {
                *place = u32::try_from(least).unwrap_or(u32::MAX);
            }
            if let Some(running) = running.get_mut(least) {
                *running = running.saturating_add(self.booked_on(slot));
            }
        }
        let rooms = fits.into_iter().chain([MAX_REPLICAS]).zip(running);
        told.rooms = rooms.map(|(fit, running)| fit.saturating_add(running).min(MAX_REPLICAS)).collect();
        told
    }

    /// How many further replicas quotas of these amounts allow, with the one that says so.
    fn fit(&self, spec: &Spec, each: &Resources) -> (i64, Option<Bound>) {
        let room = self.books.quota.room(&self.view, &spec.requirement.tenant, each, spec.fails_over());
        room.map_or((MAX_REPLICAS, None), |(fit, bound)| (fit, Some(bound)))
    }

    /// The quota that a decision goes beyond, of all that is added or (`apart`) of what a platform takes of it. What leaves
    /// still runs until it is gone, so what is added counts in full.
    pub(crate) fn over_quota(&self, spec: &Spec, decided: &Decided, apart: bool) -> Option<Hindrance> {
        let limited = || !self.books.quota.platforms(&self.view, &spec.requirement.tenant).is_empty();
        if (spec.quota.is_empty() && spec.per_node.is_empty()) || (apart && !limited()) {
            return None;
        }
        let mut needed = Resources::new();
        let mut all = 0_i64;
        for (slot, replicas) in &decided.targets {
            let running = self.booked_on(*slot);
            let added = (replicas - running).max(0);
            all = all.saturating_add(added);
            let beside = self.charged_beside(spec, decided.block, Some(*slot), added, running == 0 && added > 0);
            let charged = beside.iter().map(|(each, times)| (each, *times)).chain([(&spec.quota, added)]);
            for (resource, amount, times) in charged.flat_map(|(each, n)| each.iter().map(move |(r, a)| (r, a, n))) {
                if resource.contains('@') == apart {
                    let sum = needed.entry(resource.clone()).or_default();
                    *sum = sum.saturating_add(amount.saturating_mul(times));
                }
            }
        }
        let (view, tenant, headroom) = (&self.view, &spec.requirement.tenant, spec.fails_over());
        let Bound { tenant, resource, left } = self.books.quota.short(view, tenant, &needed, all, headroom)?;
        let needed = needed.get(&resource).copied().unwrap_or(0);
        Some(Hindrance::Quota { tenant, resource, left, needed })
    }

    /// Takes clusters from the candidates because what runs on every node is charged by cluster: those on which the first
    /// replica alone goes beyond a quota, as no choice with one of them keeps it; where there are none, of those that carry
    /// nothing yet the one on which it takes most of the resource. Answers whether one was taken.
    pub(crate) fn leave_out_the_dear(&mut self, spec: &Spec, block: usize, resource: &str) -> bool {
        if spec.per_node.is_empty() {
            return false;
        }
        let all = std::mem::take(&mut self.candidates);
        let before = all.len();
        let alone = |slot: u32| {
            let targets = vec![(ClusterSlot::new(slot as usize), 1)];
            Decided {
                status: Status::Placed,
                targets,
                limit: None,
                dropped: 0,
                rebalanced: false,
                full: 0,
                block,
                shape: 0,
            }
        };
        self.candidates =
            all.into_iter().filter(|one| self.over_quota(spec, &alone(one.slot), false).is_none()).collect();
        if self.candidates.len() < before || before < 2 {
            return self.candidates.len() < before;
        }
        let takes = |slot: u32| -> i64 {
            let slot = ClusterSlot::new(slot as usize);
            let all = if self.booked_on(slot) > 0 { Vec::new() } else { self.daemons(spec, block, slot) };
            all.first().and_then(|all| all.get(resource)).copied().unwrap_or(0)
        };
        let rank = |slot: u32| self.view.snapshot.name_rank(ClusterSlot::new(slot as usize));
        let priced = self.candidates.iter().enumerate().map(|(at, one)| (takes(one.slot), rank(one.slot), at));
        let Some((_, _, at)) = priced.filter(|(takes, ..)| *takes > 0).max() else { return false };
        self.candidates.remove(at);
        true
    }
}
