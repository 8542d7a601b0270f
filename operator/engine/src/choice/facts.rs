//! Why nothing fits: numbers a person can act on, computed only when a problem is refused.
//!
//! In order: no candidate, capacity, then per key as declared: groups missing, least amounts, most groups, share. The
//! last are found together with the most clusters, which is a bound of its own key. What none of these explains alone
//! is [`Limit::Together`].

use super::frame::{Frame, Keep};
use super::{Facts, Key, KeyGroups, Limit, MAX_KEYS, Problem};

/// Memory for the sums of groups.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rooms: Vec<(u32, i64, i64)>,
    sums: Vec<i64>,
    least: Vec<i64>,
}

impl Tally {
    /// Facts of a refusal with the keys of `mask` in force.
    pub(super) fn facts(&mut self, problem: &Problem<'_>, mask: u8, nodes: u64) -> Facts {
        // Without keys first: what no key is to blame for.
        let frame = Frame::new(problem, 0, Keep::Nothing, u32::MAX);
        let n = problem.replicas;
        let divided = frame.total.is_some();
        self.rooms.clear();
        for candidate in problem.candidates {
            let extra = frame.extra(candidate);
            let (least, most) = frame.own_bounds(candidate, &extra);
            if least <= most {
                self.rooms.push((candidate.slot, candidate.capacity.min(extra.max).max(0), extra.min.max(1)));
            }
        }
        let capacity = self.rooms.iter().fold(0_i64, |sum, room| sum.saturating_add(room.1));
        let usable = u32::try_from(self.rooms.len()).unwrap_or(u32::MAX);
        let mut facts =
            Facts { limit: Limit::Together, usable, capacity, best: capacity, groups: [0; MAX_KEYS], nodes };
        let mut limit = if problem.candidates.is_empty() {
            Some(Limit::NoCandidate)
        } else if usable == 0 || (divided && capacity < n) {
            Some(Limit::Capacity)
        } else {
            None
        };
        for (index, key) in (0_u8..).zip(problem.keys).filter(|(index, _)| mask & (1 << index) != 0) {
            let (found, groups, best) = self.key(problem, &frame, index, key);
            if let Some(slot) = facts.groups.get_mut(usize::from(index)) {
                *slot = groups;
            }
            facts.best = facts.best.min(best);
            limit = limit.or(found);
        }
        facts.limit = limit.unwrap_or(Limit::Together);
        facts
    }

    /// What one key alone forbids, its groups with room for their least, and the most it lets in.
    fn key(&mut self, problem: &Problem<'_>, frame: &Frame<'_>, index: u8, key: &Key<'_>) -> (Option<Limit>, u32, i64) {
        let n = problem.replicas;
        let divided = frame.total.is_some();
        let Self { rooms, sums, least } = self;
        sums.clear();
        least.clear();
        match key.groups {
            KeyGroups::Cluster => {
                sums.extend(rooms.iter().map(|room| room.1));
                least.extend(rooms.iter().map(|room| room.2));
            }
            KeyGroups::Column { by_slot, count } => {
                sums.resize(usize::try_from(count).unwrap_or(0), 0);
                least.resize(sums.len(), i64::MAX);
                for &(slot, room, own) in &*rooms {
                    let group = usize::try_from(slot).ok().and_then(|slot| by_slot.get(slot)).copied();
                    let group = group.and_then(|group| usize::try_from(group).ok()).unwrap_or(usize::MAX);
                    if let (Some(sum), Some(least)) = (sums.get_mut(group), least.get_mut(group)) {
                        *sum = sum.saturating_add(room);
                        *least = own.min(*least);
                    }
                }
            }
        }
        let share = key.max_share.filter(|_| divided);
        let floor = share.map_or(i64::MAX, |share| share.floor_of(n));
        let wanted = key.min_replicas.max(1);
        let mut too_small = 0_u32;
        let mut too_little = 0_u32;
        for (group, (sum, own)) in sums.iter_mut().zip(&*least).enumerate() {
            let had = *sum > 0;
            let most = key.max_replicas.min(key.room.get(group).copied().unwrap_or(i64::MAX));
            *sum = (*sum).min(most).max(0);
            let need = wanted.max(*own);
            too_small += u32::from(had && *sum >= *own && *sum < wanted);
            too_little += u32::from(*sum >= need && floor < need);
            if *sum < need {
                *sum = 0;
            }
        }
        sums.retain(|&sum| sum > 0);
        let groups = u32::try_from(sums.len()).unwrap_or(u32::MAX);
        let usable = groups.min(key.max_groups);
        let take = usize::try_from(usable).unwrap_or(usize::MAX);
        if take > 0 && take < sums.len() {
            sums.select_nth_unstable_by(take - 1, |a, b| b.cmp(a));
        }
        let total = |most: i64| sums.iter().take(take).fold(0_i64, |sum, &room| sum.saturating_add(room.min(most)));
        let (without_share, best) = (total(i64::MAX), total(floor));
        let all = sums.iter().fold(0_i64, |sum, &room| sum.saturating_add(room));
        let least = wanted.saturating_mul(i64::from(key.min_groups.max(1)));
        let found = if groups < key.min_groups && groups.saturating_add(too_small) >= key.min_groups {
            Some(Limit::MinReplicas(index))
        } else if groups < key.min_groups {
            Some(Limit::MinGroups(index))
        } else if divided && least > n {
            Some(Limit::MinReplicas(index))
        } else if divided && without_share < n {
            // Would all groups do? Then it is their number, else what is in them.
            Some(if all >= n { Limit::MaxGroups(index) } else { Limit::Capacity })
        } else if divided && (best < n || (groups > 0 && too_little == groups)) {
            let works = |n: i64| {
                share.is_some_and(|share| {
                    share.floor_of(n).saturating_mul(i64::from(usable)) >= n && share.floor_of(n) >= wanted
                })
            };
            // Multiples of 100 have no remainder: if one of these does not do, none does; nor does it help to grow
            // beyond what the groups hold.
            Some(Limit::Share(index, (n + 1..=n + 100).find(|&n| works(n)).unwrap_or(0)))
        } else {
            None
        };
        (found, groups, best)
    }
}
