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
    let mut shares = shares.to_vec();
    let mut bounds = most.map(|most| Bound { least: 0, most, sum: 0 });
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
        most in [0_i64..30, 0_i64..30],
        total in 0_i64..40,
        packed in any::<bool>(),
    ) {
        let fitting: Vec<Share> = shares.iter().map(|share| Share { least: 0, ..*share }).collect();
        let (one, left) = divide(total, &fitting, most, packed);
        let (two, after) = divide(total + 1, &fitting, most, packed);
        let moved: Vec<i64> = two.iter().zip(&one).map(|(two, one)| two - one).collect();
        prop_assert!(moved.iter().all(|&more| more == 0 || more == 1));
        prop_assert_eq!(moved.iter().sum::<i64>() + after - left, 1);
        prop_assert_eq!(one.iter().sum::<i64>() + left, total);
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
            let mut again = fleet.clone();
            again.extras.clear();
            for (at, candidate) in again.candidates.iter_mut().enumerate() {
                let old = if candidate.extra == NO_EXTRA { Extra::NONE } else { fleet.extras[candidate.extra as usize] };
                let current = targets.iter().find(|target| target.slot == candidate.slot);
                again.extras.push(Extra { current: current.map_or(0, |target| target.replicas), ..old });
                candidate.extra = u32::try_from(at).expect("few");
            }
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
