//! Laws of choosing and dividing that need no oracle.

use proptest::prelude::*;

use super::brute::{Fleet, fleet};
use super::*;

fn share() -> impl Strategy<Value = Share> {
    (0_i64..3, 0_i64..9, 0_i64..5, 0_i64..1000, 0_u32..2, 0_usize..2).prop_map(
        |(least, more, current, weight, tier, group)| Share {
            least,
            most: least + more,
            current,
            weight,
            tier,
            groups: [group, 0, 0],
            replicas: 0,
        },
    )
}

fn divide(total: i64, shares: &[Share], most: [i64; 2], packed: bool) -> (Vec<i64>, i64) {
    divide_within(total, shares, most.map(|most| (0, most)), packed)
}

fn divide_within(total: i64, shares: &[Share], bounds: [(i64, i64); 2], packed: bool) -> (Vec<i64>, i64) {
    let mut shares = shares.to_vec();
    let mut bounds = bounds.map(|(least, most)| Bound { least, most, sum: 0 });
    let left = Divider::default().divide(total, &mut shares, &mut [&mut bounds], packed);
    (shares.iter().map(|share| share.replicas).collect(), left)
}

#[test]
fn nine_at_one_to_three_is_two_and_seven() {
    let plain = Share { least: 0, most: i64::MAX, current: 0, weight: 1, tier: 0, groups: [0; 3], replicas: 0 };
    let three = Share { weight: 3, ..plain };
    assert_eq!(divide(9, &[plain, three], [i64::MAX; 2], false), (vec![2, 7], 0));
    assert_eq!(divide(9, &[Share { most: 4, ..plain }, three], [8; 2], true), (vec![4, 4], 1));
}

#[test]
fn the_largest_figures_do_not_overflow() {
    let candidates: Vec<Candidate> = (0..4)
        .map(|slot| Candidate { slot, extra: slot, tier: slot % 2, score: i64::MIN, capacity: i64::MAX })
        .collect();
    let extra = Extra { current: i64::MAX, min: i64::MIN, max: i64::MAX, weight: i64::MAX };
    let by_slot = [0, 1, 1, 0];
    let mut key = Key::new(KeyGroups::Column { by_slot: &by_slot, count: 2 });
    key.min_replicas = i64::MIN;
    key.room = &[i64::MAX, 5];
    let mut scratch = Scratch::default();
    for mode in [Mode::Weighted, Mode::ByCapacity, Mode::Packed, Mode::Duplicated] {
        for rebalance in [Rebalance::Keep, Rebalance::Above(i64::MAX), Rebalance::Ordered] {
            for (replicas, current) in [(1, 0), (1000, 1), (MAX_REPLICAS, i64::MAX)] {
                let problem = Problem {
                    replicas,
                    mode,
                    candidates: &candidates,
                    extras: &[Extra { current, ..extra }; 4],
                    ranks: &[3, 1, 0, 2],
                    keys: &[key],
                    rebalance,
                    budget: 1000,
                };
                assert!(matches!(choose(&problem, &mut scratch), Outcome::Placed(_)), "{mode:?} {replicas}");
            }
            let wrong = Problem {
                replicas: i64::MAX,
                mode,
                candidates: &candidates,
                extras: &[],
                ranks: &[],
                keys: &[],
                rebalance,
                budget: 0,
            };
            assert_eq!(choose(&wrong, &mut scratch), Outcome::Invalid(Invalid::Replicas));
            assert_eq!(choose(&Problem { replicas: 1, ..wrong }, &mut scratch), Outcome::Invalid(Invalid::Slot));
        }
    }
}

/// The fleet once its placement runs.
fn running(fleet: &Fleet, targets: &[Target]) -> Fleet {
    let mut again = fleet.clone();
    again.rebalance = Rebalance::Keep;
    again.extras.clear();
    for (at, candidate) in again.candidates.iter_mut().enumerate() {
        let old = if candidate.extra == NO_EXTRA { Extra::NONE } else { fleet.extras[candidate.extra as usize] };
        let current = targets.iter().find(|target| target.slot == candidate.slot);
        again.extras.push(Extra { current: current.map_or(0, |target| target.replicas), ..old });
        candidate.extra = u32::try_from(at).expect("few");
    }
    again
}

fn answer(fleet: &Fleet, scratch: &mut Scratch) -> Result<Vec<Target>, Facts> {
    fleet.ask(scratch, |_, outcome| match outcome {
        Outcome::Placed(placement) => Ok(placement.targets.to_vec()),
        Outcome::Infeasible(facts) | Outcome::NotProven(facts) => Err(facts),
        Outcome::Invalid(invalid) => panic!("{invalid:?}"),
    })
}

proptest! {
    #[test]
    fn one_more_is_one_more(
        shares in proptest::collection::vec(share(), 1..7),
        bounds in [(0_i64..4, 0_i64..30), (0_i64..4, 0_i64..30)],
        total in 0_i64..60,
        wide in any::<bool>(),
        packed in any::<bool>(),
    ) {
        let shares: Vec<Share> =
            shares.iter().map(|share| Share { most: if wide { 100 } else { share.most }, ..*share }).collect();
        let bounds = bounds.map(|(least, more)| if wide { (least, 100) } else { (least, least + more) });
        let own = |group: usize| shares.iter().filter(|s| s.groups[0] == group).map(|s| s.least).sum::<i64>();
        // Constant bounds that can be met: least amounts do not break the most of their group.
        if (0..2).any(|group| own(group) > bounds[group].1) {
            return Ok(());
        }
        let (one, left) = divide_within(total, &shares, bounds, packed);
        let (two, after) = divide_within(total + 1, &shares, bounds, packed);
        // Below the sum of least amounts there is nothing to divide.
        if left < 0 {
            return Ok(());
        }
        let moved: Vec<i64> = two.iter().zip(&one).map(|(two, one)| two - one).collect();
        prop_assert!(moved.iter().all(|&more| more == 0 || more == 1));
        prop_assert_eq!(moved.iter().sum::<i64>() + after - left, 1);
        prop_assert_eq!(one.iter().sum::<i64>() + left, total);
    }

    #[test]
    fn seats_given_at_once_are_those_given_one_by_one(
        shares in proptest::collection::vec(share(), 1..7),
        most in proptest::collection::vec(0_i64..200, 6),
        total in 0_i64..400,
    ) {
        let shares: Vec<Share> = shares
            .iter()
            .zip(&most)
            .map(|(share, &most)| Share { least: 0, most, current: 0, tier: 0, ..*share })
            .collect();
        let (found, left) = divide(total, &shares, [i64::MAX; 2], false);
        let mut slow = vec![0_i64; shares.len()];
        let mut given = 0;
        while given < total {
            let open = (0..shares.len()).filter(|&at| slow[at] < shares[at].most);
            let Some(best) = open.max_by(|&a, &b| {
                let worth = |one: usize, other: usize| shares[one].weight * (2 * slow[other] + 1);
                worth(a, b).cmp(&worth(b, a)).then(slow[b].cmp(&slow[a])).then(b.cmp(&a))
            }) else {
                break;
            };
            slow[best] += 1;
            given += 1;
        }
        prop_assert_eq!((found, left), (slow, total - given));
    }

    #[test]
    fn fewer_replicas_leave_the_most_balanced_rest(
        runs in proptest::collection::vec(1_i64..9, 1..6),
        less in 1_i64..20,
    ) {
        let sum: i64 = runs.iter().sum();
        let replicas = (sum - less).max(1);
        let extras: Vec<Extra> = runs.iter().map(|&current| Extra { current, ..Extra::NONE }).collect();
        let candidates: Vec<Candidate> = (0_u32..)
            .zip(&runs)
            .map(|(slot, _)| Candidate { slot, extra: slot, tier: 0, score: 0, capacity: 99 })
            .collect();
        let ranks: Vec<u32> = (0..6).collect();
        let problem = Problem {
            replicas,
            mode: Mode::Weighted,
            candidates: &candidates,
            extras: &extras,
            ranks: &ranks,
            keys: &[],
            rebalance: Rebalance::Keep,
            budget: 1000,
        };
        let mut scratch = Scratch::default();
        let Outcome::Placed(placement) = choose(&problem, &mut scratch) else { panic!("feasible") };
        prop_assert_eq!(placement.leaving, 0);
        let of = |slot: usize| {
            placement.targets.iter().find(|target| target.slot as usize == slot).map_or(0, |target| target.replicas)
        };
        for one in 0..runs.len() {
            prop_assert!(of(one) <= runs[one]);
            for (other, &ran) in runs.iter().enumerate() {
                // No replica could have gone from the fuller one instead.
                prop_assert!(of(one) - of(other) < 2 || of(other) == ran, "{:?}", placement.targets);
            }
        }
    }

    #[test]
    fn a_better_score_moves_only_above_its_threshold(fleet in fleet(), threshold in 0_i64..3) {
        let mut scratch = Scratch::default();
        let mut ask = |rebalance| {
            let fleet = Fleet { rebalance, ..fleet.clone() };
            fleet.ask(&mut scratch, |_, outcome| match outcome {
                Outcome::Placed(placement) => Some((placement.targets.to_vec(), placement.rebalanced)),
                _ => None,
            })
        };
        let (kept, moved) = (ask(Rebalance::Keep), ask(Rebalance::Ordered));
        let above = ask(Rebalance::Above(threshold));
        let worth = |targets: &[Target]| -> i64 {
            let score = |slot| fleet.candidates.iter().find(|c| c.slot == slot).map_or(0, |c| c.score);
            targets.iter().map(|target| score(target.slot) * target.replicas).sum()
        };
        let runs = fleet.extras.iter().any(|extra| extra.current > 0);
        let gains = match (&kept, &moved) {
            (Some(kept), Some(moved)) => runs && worth(&moved.0) - worth(&kept.0) > threshold * fleet.replicas,
            _ => false,
        };
        prop_assert_eq!(above, if gains { moved } else { kept });
    }

    #[test]
    fn one_more_replica_moves_nobody_unless_a_bound_is_named(fleet in fleet()) {
        let mut scratch = Scratch::default();
        let fleet = Fleet { rebalance: Rebalance::Keep, ..fleet };
        if let Ok(targets) = answer(&fleet, &mut scratch) {
            let mut again = running(&fleet, &targets);
            again.replicas += 1;
            let present: Vec<(u32, i64)> = targets.iter().map(|target| (target.slot, target.replicas)).collect();
            again.ask(&mut scratch, |problem, outcome| {
                let Outcome::Placed(placement) = outcome else { return Ok(()) };
                let mut found = changes(placement.targets, &present, |_| true, placement.rebalanced);
                name_forces(problem, placement.dropped, &mut found);
                let forced = found.iter().filter(|change| change.to < change.from);
                let forced: Vec<Why> = forced.map(|change| change.why).collect();
                if fleet.mode != Mode::Duplicated {
                    prop_assert_eq!(placement.leaving > 0, !forced.is_empty());
                }
                prop_assert!(forced.iter().all(|why| matches!(why, Why::BoundForces(_))));
                Ok(())
            })?;
        }
    }

    #[test]
    fn the_order_of_candidates_and_an_old_scratch_change_nothing(fleet in fleet(), other in fleet(), turn in 0_usize..6) {
        let mut scratch = Scratch::default();
        let first = answer(&fleet, &mut scratch);
        let mut turned = fleet.clone();
        let by = turn % turned.candidates.len();
        turned.candidates.rotate_left(by);
        let _ = answer(&other, &mut scratch);
        prop_assert_eq!(first, answer(&turned, &mut scratch));
    }

    #[test]
    fn more_capacity_never_makes_infeasible(fleet in fleet(), at in 0_usize..6, more in 1_i64..5) {
        let mut scratch = Scratch::default();
        if answer(&fleet, &mut scratch).is_ok() {
            let mut roomier = fleet.clone();
            let at = at % roomier.candidates.len();
            roomier.candidates[at].capacity += more;
            prop_assert!(answer(&roomier, &mut scratch).is_ok());
        }
    }

    #[test]
    fn deciding_again_moves_nothing(fleet in fleet()) {
        let mut scratch = Scratch::default();
        if let Ok(targets) = answer(&fleet, &mut scratch) {
            let again = running(&fleet, &targets);
            let mut second = answer(&again, &mut scratch).expect("what runs is feasible");
            if fleet.mode == Mode::Duplicated {
                // Copies on further clusters may be added, none is taken away.
                second.retain(|target| target.current > 0);
            }
            let slots = |targets: &[Target]| targets.iter().map(|target| (target.slot, target.replicas)).collect::<Vec<_>>();
            prop_assert_eq!(slots(&targets), slots(&second));
        }
    }
}
