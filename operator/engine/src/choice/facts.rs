//! Why nothing fits: numbers a person can act on, computed only when a problem is refused.

use std::collections::BTreeMap;

use super::frame::{Frame, Keep};
use super::{Facts, KeyGroups, Limit, MAX_KEYS, Problem};

/// Facts of a refusal with the keys of `mask` in force.
pub(super) fn of(problem: &Problem<'_>, mask: u8, nodes: u64) -> Facts {
    let frame = Frame::new(problem, 0, Keep::Nothing, u32::MAX);
    let many = u32::try_from(problem.candidates.len()).unwrap_or(u32::MAX);
    let mut rooms: Vec<(u32, i64)> = Vec::new();
    for (candidate, at) in problem.candidates.iter().zip(0..many) {
        if frame.item(at).is_some() {
            let extra = frame.extra(candidate);
            rooms.push((candidate.slot, candidate.capacity.min(extra.max).max(0)));
        }
    }
    let capacity = rooms.iter().fold(0_i64, |sum, room| sum.saturating_add(room.1));
    let usable = u32::try_from(rooms.len()).unwrap_or(u32::MAX);
    let mut facts = Facts { limit: Limit::Together, usable, capacity, best: capacity, groups: [0; MAX_KEYS], nodes };
    let n = problem.replicas;
    let divided = frame.total.is_some();
    let mut limit = if problem.candidates.is_empty() {
        Some(Limit::NoCandidate)
    } else if usable == 0 || (divided && capacity < n) {
        Some(Limit::Capacity)
    } else {
        None
    };
    for (index, key) in (0_u8..).zip(problem.keys).filter(|(index, _)| mask & (1 << index) != 0) {
        let mut groups: BTreeMap<u32, i64> = BTreeMap::new();
        for &(slot, room) in &rooms {
            let group = match key.groups {
                KeyGroups::Cluster => Some(slot),
                KeyGroups::Column { by_slot, count } => {
                    let group = usize::try_from(slot).ok().and_then(|slot| by_slot.get(slot)).copied();
                    group.filter(|&group| group < count)
                }
            };
            if let Some(group) = group {
                let sum = groups.entry(group).or_insert(0);
                *sum = sum.saturating_add(room);
            }
        }
        let share = key.max_share.filter(|_| divided);
        let floor = share.map_or(i64::MAX, |share| share.floor_of(n));
        let mut sums: Vec<i64> = Vec::with_capacity(groups.len());
        for (&group, &sum) in &groups {
            let room = usize::try_from(group).ok().and_then(|group| key.room.get(group)).copied().unwrap_or(i64::MAX);
            let sum = sum.min(key.max_replicas).min(room);
            if sum >= key.min_replicas.max(1) {
                sums.push(sum);
            }
        }
        sums.sort_unstable_by(|a, b| b.cmp(a));
        let with_room = u32::try_from(sums.len()).unwrap_or(u32::MAX);
        if let Some(slot) = facts.groups.get_mut(usize::from(index)) {
            *slot = with_room;
        }
        let usable_groups = with_room.min(key.max_groups);
        let take = usize::try_from(usable_groups).unwrap_or(usize::MAX);
        let without_share = sums.iter().take(take).fold(0_i64, |sum, &room| sum.saturating_add(room));
        let best = sums.iter().take(take).fold(0_i64, |sum, &room| sum.saturating_add(room.min(floor)));
        facts.best = facts.best.min(best);
        let least = key.min_replicas.max(1).saturating_mul(i64::from(key.min_groups.max(1)));
        let found = if with_room < key.min_groups {
            Some(Limit::MinGroups(index))
        } else if divided && least > n {
            Some(Limit::MinReplicas(index))
        } else if divided && without_share < n {
            Some(Limit::MaxGroups(index))
        } else if divided && best < n {
            let works =
                |n: i64| share.is_some_and(|share| share.floor_of(n).saturating_mul(i64::from(usable_groups)) >= n);
            // Multiples of 100 have no remainder: if one of these does not do, none does.
            Some(Limit::Share(index, (n + 1..=n + 100).find(|&n| works(n)).unwrap_or(0)))
        } else {
            None
        };
        limit = limit.or(found);
    }
    facts.limit = limit.unwrap_or(Limit::Together);
    facts
}
