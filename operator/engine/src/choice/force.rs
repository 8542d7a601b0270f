//! Which bound makes replicas leave that could otherwise stay; asked only to explain a change set.

use std::collections::BTreeMap;

use super::change::{Change, Why};
use super::frame::{Frame, Keep};
use super::{KeyGroups, Problem};

/// The bound behind a [`Why::BoundForces`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// The cluster itself holds fewer than run there: its capacity or its most per cluster.
    Cluster,
    /// Most replicas (share, number or account) of this group of the key; of a key of clusters the group is the slot.
    Most {
        /// Index into [`Problem::keys`].
        key: u8,
        /// Group id.
        group: u32,
    },
    /// What runs is spread over more groups of the key than it allows.
    MaxGroups {
        /// Index into [`Problem::keys`].
        key: u8,
    },
    /// What runs is spread over fewer groups of the key than it asks for.
    MinGroups {
        /// Index into [`Problem::keys`].
        key: u8,
    },
    /// This group of the key has to be brought up to its least.
    Least {
        /// Index into [`Problem::keys`].
        key: u8,
        /// Group id.
        group: u32,
    },
}

/// Replicas of the groups of one key, before and after.
type Groups = BTreeMap<u32, (i64, i64)>;

/// Names the bound of every change that a bound forces, by what it breaks as things stand now. Where several bounds only
/// force it together none is named. `dropped`: the preferred keys that were dropped, of the placement.
pub fn name_forces(problem: &Problem<'_>, dropped: u8, changes: &mut [Change]) {
    let frame = Frame::new(problem, !dropped, Keep::Nothing, u32::MAX);
    let known = |slot: u32| problem.candidates.iter().find(|candidate| candidate.slot == slot);
    let mut keys: Vec<(u8, Groups)> = Vec::new();
    for (index, key) in (0_u8..).zip(problem.keys).filter(|(index, _)| dropped & (1 << index) == 0) {
        let mut groups = Groups::new();
        for change in changes.iter().filter(|change| known(change.slot).is_some()) {
            if let Some(group) = group_of(key.groups, change.slot) {
                let sums = groups.entry(group).or_insert((0, 0));
                *sums = (sums.0.saturating_add(change.from), sums.1.saturating_add(change.to));
            }
        }
        keys.push((index, groups));
    }
    for change in changes.iter_mut().filter(|change| matches!(change.why, Why::BoundForces(_))) {
        let own = known(change.slot)
            .is_some_and(|candidate| candidate.capacity.min(frame.extra(candidate).max) < change.from);
        let found = keys.iter().find_map(|(index, groups)| broken(problem, &frame, *index, groups, change.slot));
        change.why = Why::BoundForces(if own { Some(Force::Cluster) } else { found });
    }
}

fn group_of(groups: KeyGroups<'_>, slot: u32) -> Option<u32> {
    match groups {
        KeyGroups::Cluster => Some(slot),
        KeyGroups::Column { by_slot, count } => {
            by_slot.get(usize::try_from(slot).ok()?).copied().filter(|&group| group < count)
        }
    }
}

fn broken(problem: &Problem<'_>, frame: &Frame<'_>, index: u8, groups: &Groups, slot: u32) -> Option<Force> {
    let key = problem.keys.get(usize::from(index))?;
    let group = group_of(key.groups, slot)?;
    let share = key.max_share.filter(|_| frame.total.is_some());
    let share = share.map_or(i64::MAX, |share| share.floor_of(problem.replicas));
    let room = usize::try_from(group).ok().and_then(|group| key.room.get(group)).copied().unwrap_or(i64::MAX);
    let now = groups.get(&group).copied().unwrap_or_default();
    if now.0 > key.max_replicas.min(share).min(room.max(0)) {
        return Some(Force::Most { key: index, group });
    }
    let used = u32::try_from(groups.values().filter(|sums| sums.0 > 0).count()).unwrap_or(u32::MAX);
    if used > key.max_groups && now.1 == 0 {
        return Some(Force::MaxGroups { key: index });
    }
    let raised = groups.iter().find(|(_, sums)| sums.0 > 0 && sums.0 < key.min_replicas && sums.1 > sums.0);
    if let Some((&group, _)) = raised {
        return Some(Force::Least { key: index, group });
    }
    (used < key.min_groups).then_some(Force::MinGroups { key: index })
}

#[cfg(test)]
mod tests {
    use super::super::*;

    /// Two clusters in one group of at most 3 replicas, a third outside; 2 + 2 run, one more is wanted.
    #[test]
    fn the_full_group_is_named() {
        let candidates = [0, 1, 2].map(|slot| Candidate { slot, extra: slot, tier: 0, score: 0, capacity: 9 });
        let extras = [2, 2, 0].map(|current| Extra { current, ..Extra::NONE });
        let mut key = Key::new(KeyGroups::Column { by_slot: &[7, 7, 4], count: 8 });
        key.max_replicas = 3;
        let problem = Problem {
            replicas: 5,
            mode: Mode::Weighted,
            candidates: &candidates,
            extras: &extras,
            ranks: &[0, 1, 2],
            keys: &[key],
            rebalance: Rebalance::Keep,
            budget: 1000,
        };
        let mut scratch = Scratch::default();
        let Outcome::Placed(placement) = choose(&problem, &mut scratch) else { panic!("two of five fit outside") };
        assert_eq!(placement.leaving, 1);
        let mut found = changes(placement.targets, &[(0, 2), (1, 2)], |_| true, false);
        name_forces(&problem, placement.dropped, &mut found);
        let forced = found.iter().find(|change| change.to < change.from).map(|change| change.why);
        assert_eq!(forced, Some(Why::BoundForces(Some(Force::Most { key: 0, group: 7 }))));
    }
}
