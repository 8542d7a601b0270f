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
}

#[derive(Clone, Debug)]
pub(super) struct Fleet {
    pub(super) replicas: i64,
    pub(super) mode: Mode,
    pub(super) candidates: Vec<Candidate>,
    pub(super) extras: Vec<Extra>,
    pub(super) ranks: Vec<u32>,
    pub(super) keys: Vec<OwnedKey>,
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
                room: &[],
                strength: Strength::Required,
            })
            .collect();
        let problem = Problem {
            replicas: self.replicas,
            mode: self.mode,
            candidates: &self.candidates,
            extras: &self.extras,
            ranks: &self.ranks,
            keys: &keys,
            rebalance: Rebalance::Keep,
            budget: Problem::BUDGET,
        };
        then(&problem, choose(&problem, scratch))
    }

    fn extra(&self, at: usize) -> Extra {
        let extra = self.candidates[at].extra;
        if extra == NO_EXTRA { Extra::NONE } else { self.extras[extra as usize] }
    }

    pub(super) fn valid(&self, x: &[i64]) -> bool {
        let n = self.replicas;
        let copies = self.mode == Mode::Duplicated;
        let clusters = x.iter().enumerate().all(|(at, &x)| {
            let extra = self.extra(at);
            x == 0 || (x >= extra.min && x <= extra.max && x <= self.candidates[at].capacity && (!copies || x == n))
        });
        let keys = self.keys.iter().all(|key| {
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
            groups.len() >= key.min_groups as usize
                && groups.len() <= key.max_groups as usize
                && groups.values().all(|&sum| sum >= key.min_replicas && sum <= cap)
        });
        let total: i64 = x.iter().sum();
        clusters && keys && if copies { total >= n } else { total == n }
    }

    /// Smaller is better.
    #[allow(clippy::type_complexity)]
    pub(super) fn objective(&self, x: &[i64]) -> (i64, u32, usize, Vec<bool>) {
        let copies = self.mode == Mode::Duplicated;
        let mut leaving = 0;
        let mut tier = 0;
        let mut places: Vec<_> = Vec::new();
        for (at, &x) in x.iter().enumerate() {
            let candidate = &self.candidates[at];
            let current = self.extra(at).current;
            leaving += if copies { i64::from(current > 0 && x == 0) } else { (current - x).max(0) };
            if x > 0 && current == 0 {
                tier = tier.max(candidate.tier);
            }
            let rank = self.ranks[candidate.slot as usize];
            places.push(((candidate.tier, std::cmp::Reverse(candidate.score), rank), x == 0));
        }
        places.sort_unstable();
        let packed = if self.mode == Mode::Packed { x.iter().filter(|x| **x > 0).count() } else { 0 };
        (leaving, tier, packed, places.into_iter().map(|place| place.1).collect())
    }

    fn best(&self) -> Option<(i64, u32, usize, Vec<bool>)> {
        fn go(fleet: &Fleet, x: &mut Vec<i64>, left: i64, best: &mut Option<(i64, u32, usize, Vec<bool>)>) {
            if x.len() == fleet.candidates.len() {
                if fleet.valid(x) {
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
                go(fleet, x, if copies { left } else { left - take }, best);
                x.pop();
                take += step;
            }
        }
        let mut best = None;
        go(self, &mut Vec::new(), self.replicas, &mut best);
        best
    }

    pub(super) fn placed(&self, targets: &[Target]) -> Vec<i64> {
        let of = |slot| targets.iter().find(|target| target.slot == slot).map_or(0, |target| target.replicas);
        self.candidates.iter().map(|candidate| of(candidate.slot)).collect()
    }

    fn check(&self, scratch: &mut Scratch) -> Result<(), TestCaseError> {
        let best = self.best();
        self.ask(scratch, |_, outcome| {
            match outcome {
                Outcome::Placed(placement) => {
                    let x = self.placed(placement.targets);
                    prop_assert!(self.valid(&x), "invalid {x:?}");
                    prop_assert!(placement.optimal);
                    prop_assert_eq!(Some(self.objective(&x)), best, "chose {:?}", x);
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
    (column, 0_u32..4, max, least, share, most).prop_map(
        |(column, min_groups, max_groups, min_replicas, share, max_replicas)| OwnedKey {
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
        )
            .prop_map(|(replicas, mode, list, ranks, mut keys, nest, quiet)| {
                let mut extras = Vec::new();
                let mut candidates = Vec::new();
                for (slot, (tier, score, capacity, extra)) in (0_u32..).zip(list) {
                    let index = extra.map_or(NO_EXTRA, |extra| {
                        extras.push(if quiet { Extra { current: 0, ..extra } } else { extra });
                        u32::try_from(extras.len() - 1).expect("few")
                    });
                    let tier = if nest == 2 { tier } else { 0 };
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
                Fleet { replicas, mode, candidates, extras, ranks, keys }
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
}
