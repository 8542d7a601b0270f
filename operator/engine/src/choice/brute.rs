//! `choose` against enumeration of every assignment on small fleets, and the laws that must hold on any fleet.
//!
//! The oracle knows nothing of frames, tables or walks: it lists assignments and compares objectives.

use proptest::prelude::*;

use super::*;
use crate::terms::Percent;

#[derive(Clone, Debug)]
pub(super) struct OwnedKey {
    pub(super) column: Option<Vec<u32>>,
    pub(super) min_groups: u32,
    pub(super) max_groups: u32,
    pub(super) min_replicas: i64,
    pub(super) share: Option<u8>,
    pub(super) max_replicas: i64,
    pub(super) room: Vec<i64>,
    pub(super) preferred: bool,
}

/// Leaving, ordered groups, clusters where they count, and who is left out in order.
type Objective = (i64, u32, usize, Vec<bool>);

#[derive(Clone, Debug)]
pub(super) struct Fleet {
    pub(super) replicas: i64,
    pub(super) mode: Mode,
    pub(super) candidates: Vec<Candidate>,
    pub(super) extras: Vec<Extra>,
    pub(super) ranks: Vec<u32>,
    pub(super) keys: Vec<OwnedKey>,
    pub(super) rebalance: Rebalance,
    pub(super) budget: u64,
}

impl Fleet {
    pub(super) fn ask<R>(&self, scratch: &mut Scratch, then: impl FnOnce(&Problem<'_>, Outcome<'_>) -> R) -> R {
        let keys: Vec<Key<'_>> = self
            .keys
            .iter()
            .map(|key| Key {
                groups: key
                    .column
                    .as_ref()
                    .map_or(KeyGroups::Cluster, |by_slot| KeyGroups::Column { by_slot, count: 4 }),
                min_groups: key.min_groups,
                max_groups: key.max_groups,
                min_replicas: key.min_replicas,
                max_share: key.share.and_then(Percent::new),
                max_replicas: key.max_replicas,
                room: &key.room,
                strength: if key.preferred { Strength::Preferred } else { Strength::Required },
            })
            .collect();
        let problem = Problem {
            replicas: self.replicas,
            mode: self.mode,
            candidates: &self.candidates,
            extras: &self.extras,
            ranks: &self.ranks,
            keys: &keys,
            rebalance: self.rebalance,
            budget: self.budget,
        };
        then(&problem, choose(&problem, scratch))
    }

    fn extra(&self, at: usize) -> Extra {
        let extra = self.candidates[at].extra;
        if extra == NO_EXTRA { Extra::NONE } else { self.extras[extra as usize] }
    }

    /// Whether an assignment keeps the bounds and the keys of `mask`.
    pub(super) fn valid(&self, x: &[i64], mask: u8) -> bool {
        let n = self.replicas;
        let copies = self.mode == Mode::Duplicated;
        let clusters = x.iter().enumerate().all(|(at, &x)| {
            let extra = self.extra(at);
            x == 0 || (x >= extra.min && x <= extra.max && x <= self.candidates[at].capacity && (!copies || x == n))
        });
        let keys = (0..).zip(&self.keys).filter(|(at, _)| mask & (1 << at) != 0).all(|(_, key)| {
            let mut groups = std::collections::BTreeMap::new();
            for (at, &x) in x.iter().enumerate().filter(|(_, x)| **x > 0) {
                let slot = self.candidates[at].slot;
                let group = key.column.as_ref().map_or(slot, |column| column[slot as usize]);
                if key.column.is_some() && group >= 4 {
                    return false;
                }
                *groups.entry(group).or_insert(0) += x;
            }
            let cap = if copies { None } else { key.share.map(|share| n * i64::from(share) / 100) };
            let cap = cap.unwrap_or(i64::MAX).min(key.max_replicas);
            let most = |group: u32| cap.min(key.room.get(group as usize).copied().unwrap_or(i64::MAX));
            groups.len() >= key.min_groups as usize
                && groups.len() <= key.max_groups as usize
                && groups.iter().all(|(&group, &sum)| sum >= key.min_replicas && sum <= most(group))
        });
        let total: i64 = x.iter().sum();
        clusters && keys && if copies { total >= n } else { total == n }
    }

    /// Smaller is better.
    pub(super) fn objective(&self, x: &[i64]) -> Objective {
        let copies = self.mode == Mode::Duplicated;
        let mut leaving = 0;
        let mut tier = 0;
        let mut places: Vec<_> = Vec::new();
        let ordered = self.rebalance == Rebalance::Ordered;
        let running: i64 = if ordered { 0 } else { (0..x.len()).map(|at| self.extra(at).current).sum() };
        // Fewer are wanted than run, and nothing grows: what is given back comes from the last groups.
        let shrinks =
            !copies && running > self.replicas && x.iter().enumerate().all(|(at, &x)| x <= self.extra(at).current);
        for (at, &x) in x.iter().enumerate() {
            let candidate = &self.candidates[at];
            let current = if ordered { 0 } else { self.extra(at).current };
            leaving += if copies { i64::from(current > 0 && x == 0) } else { (current - x).max(0) };
            if x > 0 && (current == 0 || shrinks) {
                tier = tier.max(candidate.tier);
            }
            let rank = self.ranks[candidate.slot as usize];
            places.push(((candidate.tier, std::cmp::Reverse(candidate.score), rank), x == 0));
        }
        places.sort_unstable();
        let packed = if self.mode == Mode::Packed { x.iter().filter(|x| **x > 0).count() } else { 0 };
        (leaving, tier, packed, places.into_iter().map(|place| place.1).collect())
    }

    fn best(&self, mask: u8) -> Option<Objective> {
        fn go(fleet: &Fleet, mask: u8, x: &mut Vec<i64>, left: i64, best: &mut Option<Objective>) {
            if x.len() == fleet.candidates.len() {
                if fleet.valid(x, mask) {
                    let objective = fleet.objective(x);
                    if best.as_ref().is_none_or(|best| objective < *best) {
                        *best = Some(objective);
                    }
                }
                return;
            }
            let copies = fleet.mode == Mode::Duplicated;
            let step = if copies { fleet.replicas } else { 1 };
            let mut take = 0;
            while take <= if copies { fleet.replicas } else { left } {
                x.push(take);
                go(fleet, mask, x, if copies { left } else { left - take }, best);
                x.pop();
                take += step;
            }
        }
        let mut best = None;
        go(self, mask, &mut Vec::new(), self.replicas, &mut best);
        best
    }

    pub(super) fn placed(&self, targets: &[Target]) -> Vec<i64> {
        let of = |slot| targets.iter().find(|target| target.slot == slot).map_or(0, |target| target.replicas);
        self.candidates.iter().map(|candidate| of(candidate.slot)).collect()
    }

    /// The best of all keys, then without preferred ones from the last: the first that is feasible and moves least.
    fn best_of_masks(&self) -> Option<(u8, Objective)> {
        let mut mask = (1_u8 << self.keys.len()) - 1;
        let mut found: Option<(u8, Objective)> = None;
        let preferred: Vec<usize> = (0..self.keys.len()).rev().filter(|&at| self.keys[at].preferred).collect();
        for drop in std::iter::once(None).chain(preferred.into_iter().map(Some)) {
            mask &= !drop.map_or(0, |at| 1_u8 << at);
            let moves_less = |best: &Objective| found.as_ref().is_none_or(|old| best.0 < old.1.0);
            if let Some(best) = self.best(mask).filter(moves_less) {
                found = Some((mask, best));
            }
        }
        found
    }

    pub(super) fn check(&self, scratch: &mut Scratch) -> Result<(), TestCaseError> {
        let best = self.best_of_masks();
        let all = (1_u8 << self.keys.len()) - 1;
        self.ask(scratch, |_, outcome| {
            match outcome {
                Outcome::Placed(placement) => {
                    let x = self.placed(placement.targets);
                    let mask = all & !placement.dropped;
                    prop_assert!(self.valid(&x, mask), "invalid {x:?}");
                    prop_assert!(placement.optimal);
                    prop_assert_eq!(Some((mask, self.objective(&x))), best, "chose {:?}", x);
                }
                Outcome::Infeasible(_) => prop_assert_eq!(None, best),
                other => prop_assert!(false, "{other:?}"),
            }
            Ok(())
        })
    }
}

fn key(slots: usize) -> impl Strategy<Value = OwnedKey> {
    let column = prop_oneof![
        1 => Just(None),
        2 => proptest::collection::vec(0_u32..4, slots).prop_map(Some),
        1 => proptest::collection::vec(0_u32..6, slots).prop_map(Some)
    ];
    let share = prop_oneof![3 => Just(None), 1 => (30_u8..=100).prop_map(Some)];
    let most = prop_oneof![4 => Just(i64::MAX), 1 => 1_i64..5];
    let least = prop_oneof![3 => Just(1_i64), 1 => 1_i64..4];
    let max = prop_oneof![2 => 1_u32..4, 1 => Just(u32::MAX)];
    let room = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(0_i64..7, 4)];
    let bounds = (0_u32..4, max, least, share, most);
    (column, bounds, room, proptest::bool::weighted(0.2)).prop_map(
        |(column, (min_groups, max_groups, min_replicas, share, max_replicas), room, preferred)| OwnedKey {
            room: if column.is_some() { room } else { Vec::new() },
            preferred,
            column,
            min_groups,
            max_groups,
            min_replicas,
            share,
            max_replicas,
        },
    )
}

fn extra() -> impl Strategy<Value = Option<Extra>> {
    let some = (0_i64..4, 0_i64..3, prop_oneof![Just(i64::MAX), 1_i64..5], 0_i64..4)
        .prop_map(|(current, min, max, weight)| Some(Extra { current, min, max, weight }));
    prop_oneof![1 => Just(None), 1 => some]
}

pub(super) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Weighted), Just(Mode::ByCapacity), Just(Mode::Packed), Just(Mode::Duplicated)]
}

pub(super) fn fleet() -> impl Strategy<Value = Fleet> {
    (1_usize..=8).prop_flat_map(|slots| {
        let candidate = (0_u32..2, 0_i64..3, 0_i64..5, extra());
        (
            1_i64..=6,
            mode(),
            proptest::collection::vec(candidate, slots),
            Just((0..8).collect::<Vec<u32>>()).prop_shuffle(),
            proptest::collection::vec(key(slots), 0..=3),
            0_u32..4,
            any::<bool>(),
            any::<bool>(),
            proptest::bool::weighted(0.1),
        )
            .prop_map(|(replicas, mode, list, ranks, mut keys, nest, quiet, tiers, ordered)| {
                let mut extras = Vec::new();
                let mut candidates = Vec::new();
                for (slot, (tier, score, capacity, extra)) in (0_u32..).zip(list) {
                    let index = extra.map_or(NO_EXTRA, |extra| {
                        extras.push(if quiet { Extra { current: 0, ..extra } } else { extra });
                        u32::try_from(extras.len() - 1).expect("few")
                    });
                    let tier = if tiers { tier } else { 0 };
                    candidates.push(Candidate { slot, extra: index, tier, score, capacity });
                }
                // Half of the fleets with two columns have nested ones; the others cross, with bounds on replicas too.
                let (columns, rest): (Vec<_>, Vec<_>) = keys.drain(..).partition(|key| key.column.is_some());
                keys = columns;
                if let [outer, inner, ..] = keys.as_mut_slice()
                    && nest % 2 == 0
                {
                    outer.column =
                        inner.column.as_ref().map(|inner| inner.iter().map(|group| (group / 2).min(4)).collect());
                }
                keys.extend(rest);
                let rebalance = if ordered { Rebalance::Ordered } else { Rebalance::Keep };
                Fleet { replicas, mode, candidates, extras, ranks, keys, rebalance, budget: Problem::BUDGET }
            })
    })
}

/// `PROPTEST_CASES` where it asks for more.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(4000), ..asked }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn chooses_what_enumeration_chooses(fleet in fleet()) {
        fleet.check(&mut Scratch::default())?;
    }

    /// A budget that leaves the search by clusters next to nothing: what the search by groups says is right, and where
    /// it does not claim to know it makes no claim.
    #[test]
    fn a_short_search_claims_nothing_that_is_wrong(fleet in fleet(), budget in 40_u64..4_000) {
        let fleet = Fleet { budget, ..fleet };
        let best = fleet.best_of_masks();
        let all = (1_u8 << fleet.keys.len()) - 1;
        fleet.ask(&mut Scratch::default(), |_, outcome| {
            match outcome {
                Outcome::Placed(placement) => {
                    let x = fleet.placed(placement.targets);
                    let mask = all & !placement.dropped;
                    prop_assert!(fleet.valid(&x, mask), "invalid {x:?}");
                    if placement.optimal {
                        prop_assert_eq!(Some((mask, fleet.objective(&x))), best, "chose {:?}", x);
                    }
                }
                Outcome::Infeasible(_) => prop_assert_eq!(None, best),
                Outcome::NotProven(_) => {}
                Outcome::Invalid(invalid) => prop_assert!(false, "{invalid:?}"),
            }
            Ok(())
        })?;
    }

    /// Keys that only count groups, with a budget that leaves the search next to nothing: the table of masks decides.
    #[test]
    fn crossing_counts_need_no_search(fleet in fleet()) {
        let mut fleet = Fleet { budget: 60, ..fleet };
        for key in fleet.keys.iter_mut().skip(1).filter(|key| key.column.is_some()) {
            (key.min_replicas, key.share, key.max_replicas, key.room) = (1, None, i64::MAX, Vec::new());
        }
        fleet.check(&mut Scratch::default())?;
    }
}

/// Every fleet of three clusters with small capacities and two crossing keys with small bounds.
#[test]
fn every_small_fleet_with_two_crossing_keys() {
    let columns = [vec![0, 0, 1], vec![0, 1, 1]];
    let mut keys: [Vec<OwnedKey>; 2] = Default::default();
    for (column, keys) in columns.iter().zip(&mut keys) {
        for case in 0..24_u32 {
            let (least, most, groups) = (case % 2, case / 2 % 2, case / 4);
            keys.push(OwnedKey {
                column: Some(column.clone()),
                min_groups: groups % 2 * 2,
                max_groups: [1, 2, u32::MAX][(groups / 2) as usize],
                min_replicas: 1 + i64::from(least),
                share: None,
                max_replicas: if most == 0 { i64::MAX } else { 2 },
                room: Vec::new(),
                preferred: false,
            });
        }
    }
    let mut scratch = Scratch::default();
    let modes = [Mode::ByCapacity, Mode::Packed, Mode::Duplicated];
    for case in 0_usize..24 * 24 * 27 * 9 {
        let (one, two, sizes, rest) = (case % 24, case / 24 % 24, case / 576 % 27, case / 15552);
        let candidates: Vec<Candidate> = [sizes % 3, sizes / 3 % 3, sizes / 9]
            .into_iter()
            .zip(0_u32..)
            .map(|(size, slot)| Candidate { slot, extra: NO_EXTRA, tier: 0, score: 0, capacity: [0, 1, 3][size] })
            .collect();
        let fleet = Fleet {
            replicas: [2, 3, 5][rest / 3],
            mode: modes[rest % 3],
            candidates,
            extras: Vec::new(),
            ranks: vec![2, 0, 1],
            keys: vec![keys[0][one].clone(), keys[1][two].clone()],
            rebalance: Rebalance::Keep,
            budget: Problem::BUDGET,
        };
        fleet.check(&mut scratch).unwrap_or_else(|fault| panic!("{fault} in {fleet:?}"));
    }
}

/// Regions across providers, far too many clusters for a search by clusters: the most that six regions of three
/// providers hold is placed, and of one more it is proven that it has no place.
#[test]
fn many_clusters_with_crossing_bounds_are_settled() {
    let slots = 240_u32;
    let region: Vec<u32> = (0..slots).map(|slot| slot % 20).collect();
    let provider: Vec<u32> = (0..slots).map(|slot| slot / 7 % 6).collect();
    let candidates: Vec<Candidate> = (0..slots)
        .map(|slot| Candidate {
            slot,
            extra: NO_EXTRA,
            tier: 0,
            score: i64::from(slot * 37 % 101),
            capacity: i64::from(1 + slot * 53 % 4),
        })
        .collect();
    let held = |providers: u32| {
        let mut regions = [0_i64; 20];
        for candidate in candidates.iter().filter(|c| providers & (1 << provider[c.slot as usize]) != 0) {
            regions[region[candidate.slot as usize] as usize] += candidate.capacity;
        }
        regions.sort_unstable_by(|a, b| b.cmp(a));
        regions.iter().take(6).sum::<i64>()
    };
    let most = (0..64_u32).filter(|set| set.count_ones() == 3).map(held).max().unwrap();
    let ranks: Vec<u32> = (0..slots).collect();
    let key = |by_slot, count, max_groups| Key {
        min_groups: 2,
        max_groups,
        min_replicas: 5,
        ..Key::new(KeyGroups::Column { by_slot, count })
    };
    let keys = [key(&region, 20, 6), key(&provider, 6, 3)];
    let mut scratch = Scratch::default();
    for (replicas, exists) in [(most / 2, true), (most, true), (most + 1, false), (most + 60, false)] {
        let problem = Problem {
            replicas,
            mode: Mode::ByCapacity,
            candidates: &candidates,
            extras: &[],
            ranks: &ranks,
            keys: &keys,
            rebalance: Rebalance::Keep,
            budget: Problem::BUDGET,
        };
        match choose(&problem, &mut scratch) {
            Outcome::Placed(placement) => {
                assert!(exists, "{replicas} of {most}");
                assert!(placement.optimal, "{replicas} of {most}");
                assert_eq!(placement.targets.iter().map(|target| target.replicas).sum::<i64>(), replicas);
            }
            Outcome::Infeasible(_) => assert!(!exists, "{replicas} of {most}"),
            other => panic!("{replicas} of {most}: {other:?}"),
        }
    }
}
