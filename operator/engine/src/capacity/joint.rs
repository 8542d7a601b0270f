//! Slots of a set of components that may stand in several pools, each component in pools of its own.
//!
//! Every pod is placed by itself, as a scheduler places it: the pods of one set need not meet in one pool, and a pool that
//! several components may use is counted once. As [`super::composite_slots`], the number is a lower bound that can be
//! kept: it is only answered when a packing of that many sets was found. It is exact for equal pods whose pools are
//! nested or apart (what components with selectors are), and for one component in any pools.

use super::resources::Request;
use super::shapes::FreePool;

/// Equal pods of one set: request, number, and which pools they may use.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// What one pod asks for.
    pub request: &'a Request,
    /// Pods in one set.
    pub pods: i64,
    /// By pool.
    pub may: &'a [bool],
}

/// Pods that found a place: place of their kind, place of the pool, how many.
pub type Packed = Vec<(usize, usize, i64)>;

/// How many whole sets fit into these pools together, up to `limit`.
#[must_use]
pub fn joint_slots(pools: &[FreePool], kinds: &[Kind<'_>], limit: i64) -> i64 {
    let bound = |kind: &Kind<'_>| alone(pools, kind) / kind.pods.max(1);
    let counted = kinds.iter().filter(|kind| kind.pods > 0);
    let mut above = counted.map(bound).min().unwrap_or(limit).min(limit).max(0);
    if !shared(kinds) {
        return above;
    }
    // Greedy packing need not be monotone in the number of sets; what is answered has been packed all the same.
    let mut below = 0;
    while below < above {
        let middle = below + (above - below) / 2 + (above - below) % 2;
        if pack(&mut pools.to_vec(), kinds, middle).is_some() {
            below = middle;
        } else {
            above = middle - 1;
        }
    }
    below
}

/// Takes room for so many sets. `None`, with the pools in any state, when no packing was found.
pub fn pack(pools: &mut [FreePool], kinds: &[Kind<'_>], sets: i64) -> Option<Packed> {
    let scarce =
        |at: &usize| kinds.get(*at).map(|kind| (alone(pools, kind) / kind.pods.max(1), kind.request, kind.pods));
    let mut by_room: Vec<usize> = (0..kinds.len()).collect();
    by_room.sort_by_key(|at| (scarce(at), *at));
    let mut by_choice = by_room.clone();
    by_choice.sort_by_key(|at| kinds.get(*at).map(|kind| kind.may.iter().filter(|may| **may).count()));
    let before = pools.to_vec();
    for order in [by_choice, by_room] {
        pools.clone_from_slice(&before);
        if let Some(packed) = pack_in(pools, kinds, &order, sets) {
            return Some(packed);
        }
    }
    None
}

fn pack_in(pools: &mut [FreePool], kinds: &[Kind<'_>], order: &[usize], sets: i64) -> Option<Packed> {
    let mut packed = Packed::new();
    for (done, at) in order.iter().enumerate() {
        let kind = kinds.get(*at)?;
        let mut left = kind.pods.max(0).checked_mul(sets)?;
        // First where the fewest of those still to come may go, too.
        let rivals = |pool: usize| {
            let later = order.get(done + 1..).unwrap_or_default().iter().filter_map(|other| kinds.get(*other));
            later.filter(|other| other.may.get(pool) == Some(&true)).count()
        };
        let mut own: Vec<usize> = (0..pools.len()).filter(|pool| kind.may.get(*pool) == Some(&true)).collect();
        own.sort_by_key(|pool| (rivals(*pool), *pool));
        for pool in own {
            if left == 0 {
                break;
            }
            let Some(free) = pools.get_mut(pool) else { continue };
            let fit = free.slots(kind.request).min(left);
            if fit > 0 {
                free.remove(kind.request, fit);
                packed.push((*at, pool, fit));
                left -= fit;
            }
        }
        if left > 0 {
            return None;
        }
    }
    Some(packed)
}

/// Pods of a kind that fit if nothing else is placed.
fn alone(pools: &[FreePool], kind: &Kind<'_>) -> i64 {
    let own = pools.iter().zip(kind.may).filter(|(_, may)| **may);
    own.fold(0_i64, |sum, (free, _)| sum.saturating_add(free.slots(kind.request)))
}

/// Whether two kinds may use one pool.
fn shared(kinds: &[Kind<'_>]) -> bool {
    let pools = kinds.iter().map(|kind| kind.may.len()).max().unwrap_or(0);
    let uses = |pool: usize| kinds.iter().filter(|kind| kind.pods > 0 && kind.may.get(pool) == Some(&true)).count();
    (0..pools).any(|pool| uses(pool) > 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::{NodeShape, Resources};
    use super::*;
    use crate::terms::{Bytes, Millicores};

    fn pod(cpu: i64) -> Resources {
        Resources::new(Millicores(cpu), Bytes(0), Bytes(0), 1)
    }

    fn pool(nodes: &[(i64, i64)]) -> FreePool {
        let node = |(cpu, pods): &(i64, i64)| NodeShape {
            free: Resources::new(Millicores(*cpu), Bytes(0), Bytes(0), *pods),
            count: 1,
        };
        FreePool::new(nodes.iter().map(node))
    }

    #[test]
    fn each_component_counts_its_own_pools_and_what_both_may_use_once() {
        let pools = [pool(&[(4, 9)]), pool(&[(6, 9)]), pool(&[(2, 9)])];
        let one = pod(1);
        for (name, first, second, wanted) in [
            ("apart", [true, false, false], [false, true, false], 4),
            ("apart, one of them in two pools", [true, false, true], [false, true, false], 6),
            ("the same pool", [false, true, false], [false, true, false], 3),
            ("one in the other's", [true, false, false], [true, true, false], 4),
            ("the shared pool in the middle", [true, true, false], [false, true, true], 6),
            ("the same two pools, which one set need not share", [true, true, false], [true, true, false], 5),
            ("no pool for one of them", [true, true, true], [false, false, false], 0),
        ] {
            let kinds = [Kind { request: &one, pods: 1, may: &first }, Kind { request: &one, pods: 1, may: &second }];
            assert_eq!(joint_slots(&pools, &kinds, 100), wanted, "{name}");
        }
    }

    #[test]
    fn pods_of_one_set_need_not_meet_in_one_pool() {
        let (pools, one, may) = ([pool(&[(2, 9)]), pool(&[(1, 9)])], pod(1), [true, true]);
        assert_eq!(joint_slots(&pools, &[Kind { request: &one, pods: 3, may: &may }], 100), 1);
    }

    #[test]
    fn nothing_asked_is_bounded_by_the_limit_and_the_range_is_kept() {
        assert_eq!(joint_slots(&[pool(&[(1, 1)])], &[], 7), 7);
        let (huge, may) = (pod(1), [true, true]);
        let pools = [pool(&[(i64::MAX, i64::MAX)]), pool(&[(i64::MAX, i64::MAX)])];
        let kinds = [Kind { request: &huge, pods: i64::MAX, may: &may }, Kind { request: &huge, pods: 2, may: &may }];
        assert!(joint_slots(&pools, &kinds, i64::MAX) <= 2);
    }

    /// Nodes with their pool and what is free, and how many pods are still to be placed: from there no way is left.
    type DeadEnds = BTreeSet<(Vec<(usize, i64)>, usize)>;

    /// Whether so many sets have a place, by trying every node for every pod.
    fn exists(nodes: &mut Vec<(usize, i64)>, pods: &[(i64, &[bool])], dead: &mut DeadEnds) -> bool {
        let Some(((cpu, may), rest)) = pods.split_first() else { return true };
        if dead.contains(&(nodes.clone(), pods.len())) {
            return false;
        }
        for at in 0..nodes.len() {
            let (pool, free) = nodes[at];
            if may[pool] && free >= *cpu {
                nodes[at].1 -= cpu;
                let found = exists(nodes, rest, dead);
                nodes[at].1 += cpu;
                if found {
                    return true;
                }
            }
        }
        dead.insert((nodes.clone(), pods.len()));
        false
    }

    proptest! {
        /// What is answered can be packed; for equal pods in nested or separate pools it is the most there is.
        #[test]
        fn sets_against_trying_every_way(
            pools in proptest::collection::vec(proptest::collection::vec(0_i64..5, 0..3), 1..4),
            parts in proptest::collection::vec((1_i64..4, 1_i64..3, 0_u8..8), 1..4),
            equal in any::<bool>(), nested in any::<bool>(),
        ) {
            let free: Vec<FreePool> =
                pools.iter().map(|nodes| pool(&nodes.iter().map(|cpu| (*cpu, 99)).collect::<Vec<_>>())).collect();
            // Nested: every part may use the first so many pools.
            let may = |bits: u8| -> Vec<bool> {
                let some = |at: usize| if nested { at <= usize::from(bits % 3) } else { bits & (1 << at) != 0 };
                (0..pools.len()).map(some).collect()
            };
            let size = |cpu: i64| if equal { 1 } else { cpu };
            let parts: Vec<_> = parts.iter().map(|(cpu, pods, bits)| (size(*cpu), *pods, may(*bits))).collect();
            let requests: Vec<_> = parts.iter().map(|(cpu, ..)| pod(*cpu)).collect();
            let kinds: Vec<_> = parts.iter().zip(&requests)
                .map(|((_, pods, may), request)| Kind { request, pods: *pods, may }).collect();
            let sets = joint_slots(&free, &kinds, 3);
            let tried = |sets: i64| {
                let pods: Vec<(i64, &[bool])> = parts.iter().flat_map(|(cpu, pods, may)| {
                    std::iter::repeat_n((*cpu, may.as_slice()), usize::try_from(pods * sets).unwrap())
                }).collect();
                let mut nodes: Vec<(usize, i64)> = pools.iter().enumerate()
                    .flat_map(|(at, nodes)| nodes.iter().map(move |cpu| (at, *cpu))).collect();
                exists(&mut nodes, &pods, &mut DeadEnds::new())
            };
            prop_assert!(tried(sets), "{sets} sets");
            let laminar = parts.iter().all(|(_, _, one)| parts.iter().all(|(_, _, other)| {
                let meet = one.iter().zip(other).any(|(a, b)| *a && *b);
                let within = |a: &[bool], b: &[bool]| a.iter().zip(b).all(|(a, b)| !a || *b);
                !meet || within(one, other) || within(other, one)
            }));
            if equal && laminar && sets < 3 {
                prop_assert!(!tried(sets + 1), "more than {sets} sets fit");
            }
            // What is said to fit is taken, and no more than is free.
            let mut after = free.clone();
            let packed = pack(&mut after, &kinds, sets).expect("as counted");
            for (at, kind) in kinds.iter().enumerate() {
                let placed: i64 = packed.iter().filter(|(of, ..)| *of == at).map(|(.., pods)| pods).sum();
                prop_assert_eq!(placed, kind.pods * sets);
                prop_assert!(packed.iter().filter(|(of, ..)| *of == at).all(|(_, pool, _)| kind.may[*pool]));
            }
            prop_assert!(after.iter().all(|pool| pool.shapes().iter().all(|shape| shape.free.is_valid())));
        }
    }
}
