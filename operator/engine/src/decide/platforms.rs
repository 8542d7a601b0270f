//! Quotas for one CPU platform: what a tenant may use of a resource on it, beside what it may use in all.
//!
//! A grant for a platform limits a resource of its own, named `cpu@kunpeng-920`. A replica counts against every platform
//! of the pools it may land on, because which of them it will be is the member's to say. Choice is told how many replicas
//! each limited platform may still take; a cluster with several limited platforms is bounded by the least of them, and
//! what all of them together take is checked at the end.

use std::collections::BTreeSet;

use super::planner::{Decided, Hindrance, Planner};
use super::quota::{Bound, on_platform};
use super::resources::Resources;
use super::snapshot::ClusterSlot;
use super::spec::Spec;
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
    /// Platforms of the pools of a cluster that a replica may land on.
    pub(crate) fn platforms(&self, block: usize, slot: ClusterSlot) -> BTreeSet<&str> {
        let verdicts = self.store.block(block);
        let pools = self.view.snapshot.cluster(slot).map(|cluster| cluster.pools.as_slice()).unwrap_or_default();
        let accepted = |plane: usize| verdicts.is_some_and(|verdicts| verdicts.accepts(plane, slot.index()));
        // What runs where no pool is accepted any more may be on any of them.
        let any = (0..pools.len()).any(accepted);
        let pools = pools.iter().enumerate().filter(|(plane, _)| !any || accepted(*plane));
        pools.filter_map(|(_, pool)| pool.facts.platform.as_deref()).collect()
    }

    /// Charges replicas that a plan adds on a cluster, to the tenant and to the platforms they may be on.
    pub(crate) fn charge(&mut self, spec: &Spec, block: usize, slot: Option<ClusterSlot>, replicas: i64) {
        let tenant = &spec.requirement.tenant;
        self.books.quota.charge(&self.view, tenant, &spec.quota, replicas);
        for platform in self.limited_platforms(spec, block, slot) {
            self.books.quota.charge(&self.view, tenant, &on_platform(&spec.quota, &platform), replicas);
        }
    }

    /// Platforms a replica on a cluster may be on that the payer's tree limits by themselves.
    pub(crate) fn limited_platforms(&self, spec: &Spec, block: usize, slot: Option<ClusterSlot>) -> Vec<String> {
        let Some(slot) = slot else { return Vec::new() };
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
        let requirement = &spec.requirement;
        let room = self.books.quota.room(&self.view, &requirement.tenant, each, requirement.cause);
        room.map_or((MAX_REPLICAS, None), |(fit, bound)| (fit, Some(bound)))
    }

    /// The first platform that takes more than its quota leaves.
    pub(crate) fn over_platform(&self, spec: &Spec, decided: &Decided) -> Option<Hindrance> {
        if spec.quota.is_empty() {
            return None;
        }
        for platform in self.books.quota.platforms(&self.view, &spec.requirement.tenant) {
            let on = decided.targets.iter().filter(|(slot, _)| self.platforms(decided.block, *slot).contains(platform));
            let added =
                on.map(|(slot, replicas)| (replicas - self.booked_on(*slot)).max(0)).fold(0_i64, i64::saturating_add);
            let each = on_platform(&spec.quota, platform);
            if let (fit, Some(Bound { tenant, resource, left })) = self.fit(spec, &each)
                && added > fit
            {
                let needed = each.get(&resource).copied().unwrap_or(0).saturating_mul(added);
                return Some(Hindrance::Quota { tenant, resource, left, needed });
            }
        }
        None
    }
}
