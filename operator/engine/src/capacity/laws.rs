//! Capacity against enumeration and against a list of single nodes.

use proptest::prelude::*;

use super::*;
use crate::terms::{Bytes, Millicores};

fn vector(cpu: i64, memory: i64, pods: i64, npu: i64) -> Resources {
    let plain = Resources::new(Millicores(cpu), Bytes(memory), Bytes(100), pods);
    plain.with(&[(ResourceId(7), npu)]).expect("one extended resource")
}

/// Some ask for one or both of what every node has one of.
fn request() -> impl Strategy<Value = Resources> {
    (0_i64..6, 0_i64..6, 0_i64..2, 0_u64..8).prop_map(|(cpu, memory, npu, singles)| {
        let mut request = vector(cpu, memory, 1, npu);
        request.ephemeral = Bytes(0);
        let singles = (0..2).filter(|at| singles < 4 && singles & (1 << at) != 0);
        let singles: Vec<_> = singles.map(|at| (ResourceId::single(at), 1)).collect();
        request.with(&singles).expect("each once")
    })
}

fn node() -> impl Strategy<Value = Resources> {
    (0_i64..10, 0_i64..10, 0_i64..5, 0_i64..3).prop_map(|(cpu, memory, pods, npu)| vector(cpu, memory, pods, npu))
}

fn pool(nodes: &[Resources]) -> FreePool {
    FreePool::new(nodes.iter().map(|free| NodeShape { free: free.clone(), count: 1 }))
}

/// The most sets of two components on these nodes, by trying every way.
fn most_sets(nodes: &mut [Resources], parts: &[(Resources, i64)], sets: i64) -> bool {
    fn go(nodes: &mut [Resources], pods: &[&Resources]) -> bool {
        let Some((first, rest)) = pods.split_first() else { return true };
        for at in 0..nodes.len() {
            if nodes[at].fits(first) > 0 {
                let before = nodes[at].clone();
                nodes[at] = before.checked_less(first, 1).expect("small");
                if go(nodes, rest) {
                    nodes[at] = before;
                    return true;
                }
                nodes[at] = before;
            }
        }
        false
    }
    let pods: Vec<&Resources> = parts
        .iter()
        .flat_map(|(request, pods)| std::iter::repeat_n(request, usize::try_from(pods * sets).expect("small")))
        .collect();
    go(nodes, &pods)
}

#[test]
fn a_twelve_core_pod_does_not_fit_eight_and_eight() {
    let eight = NodeShape { free: vector(8000, 100, 10, 0), count: 2 };
    assert_eq!(FreePool::new([eight.clone()]).slots(&vector(12_000, 0, 1, 0)), 0);
    let mut small = vector(3000, 0, 1, 0);
    small.ephemeral = Bytes(0);
    assert_eq!(FreePool::new([eight]).slots(&small), 4);
}

#[test]
fn an_accelerator_nobody_has_gives_no_slot() {
    let mut request = Resources::new(Millicores(1), Bytes(1), Bytes(0), 1);
    request = request.with(&[(ResourceId(9), 1)]).expect("one");
    assert_eq!(pool(&[vector(8, 8, 8, 8)]).slots(&request), 0);
    assert!(Resources::default().with(&[(ResourceId(1), 1), (ResourceId(1), 2)]).is_err());
}

#[test]
fn of_what_a_node_has_one_every_node_gives_one_until_it_is_given_back() {
    let port = |cpu| vector(cpu, 0, 1, 0).with(&[(ResourceId::single(80), 1)]).expect("one");
    let mut request = port(1000);
    request.ephemeral = Bytes(0);
    let mut pool = FreePool::new([
        NodeShape { free: vector(8000, 100, 10, 0), count: 3 },
        NodeShape { free: vector(500, 100, 10, 0), count: 1 },
    ]);
    let before = pool.clone();
    assert_eq!(pool.slots(&request), 3);
    let taken = pool.take(&request, 2);
    assert_eq!((taken.pods, pool.slots(&request)), (2, 1));
    let mut other = request.clone();
    other = other.with(&[(ResourceId::single(443), 1)]).expect("one more");
    assert_eq!(pool.slots(&other), 1, "both are free on one node alone");
    let mut plain = vector(1000, 0, 1, 0);
    plain.ephemeral = Bytes(0);
    assert_eq!(pool.slots(&plain), 7 + 7 + 8, "who asks for no port does not mind");
    // As an amount, without nodes: what a port is taken on is not known, and stays taken where it was.
    let mut drained = pool.clone();
    drained.drain(&request);
    assert_eq!(drained.slots(&request), 1);
    assert!(pool.give_back(&taken) && pool == before);
}

#[test]
fn amounts_near_the_end_of_the_range_do_not_overflow() {
    let free = Resources::new(Millicores(i64::MAX), Bytes(i64::MAX), Bytes(i64::MAX), i64::MAX);
    let mut pool = FreePool::new([NodeShape { free, count: i64::MAX }]);
    let request = Resources::new(Millicores(1), Bytes(1), Bytes(0), 1);
    assert_eq!(pool.slots(&request), i64::MAX);
    assert_eq!(pool.take(&request, 5).pods, 5);
    assert_eq!(pool.slots(&Resources::default()), i64::MAX);
    assert_eq!(pool.take(&Resources::default(), i64::MAX).pods, i64::MAX);
}

proptest! {
    #[test]
    fn few_nodes_are_counted_exactly(nodes in proptest::collection::vec(node(), 0..12), request in request()) {
        let exact: i64 = nodes.iter().map(|free| free.fits(&request)).sum();
        prop_assert_eq!(pool(&nodes).slots(&request), exact);
    }

    #[test]
    fn many_nodes_are_never_counted_too_high(nodes in proptest::collection::vec(node(), 17..80), request in request()) {
        let pool = pool(&nodes);
        prop_assert!(pool.shapes().len() <= MAX_SHAPES);
        let exact: i64 = nodes.iter().map(|free| free.fits(&request)).sum();
        prop_assert!(pool.slots(&request) <= exact);
        prop_assert_eq!(pool.shapes().iter().map(|shape| shape.count).sum::<i64>(), nodes.len() as i64);
    }

    #[test]
    fn the_order_of_nodes_changes_nothing(nodes in proptest::collection::vec(node(), 0..60)) {
        let mut other = nodes.clone();
        other.reverse();
        prop_assert_eq!(pool(&nodes), pool(&other));
    }

    #[test]
    fn taking_never_exceeds_free_and_gives_back_exactly(
        nodes in proptest::collection::vec(node(), 1..30),
        takes in proptest::collection::vec((request(), 0_i64..9), 1..8),
    ) {
        let mut free = pool(&nodes);
        let mut journal = Vec::new();
        for (request, pods) in takes {
            let before = free.clone();
            let slots = free.slots(&request);
            let taken = free.take(&request, pods);
            prop_assert_eq!(taken.pods, pods.min(slots));
            prop_assert!(free.shapes().iter().all(|shape| shape.free.is_valid()));
            prop_assert_eq!(free.slots(&request), slots - taken.pods);
            journal.push((before, taken));
        }
        while let Some((before, taken)) = journal.pop() {
            prop_assert!(free.give_back(&taken));
            prop_assert_eq!(&free, &before);
        }
    }

    #[test]
    fn a_composite_slot_can_be_packed(
        nodes in proptest::collection::vec(node(), 0..4),
        parts in proptest::collection::vec((request(), 1_i64..3), 1..3),
    ) {
        let sets = composite_slots(&pool(&nodes), &parts, 3);
        let mut nodes = nodes;
        prop_assert!(most_sets(&mut nodes, &parts, sets), "{sets} sets");
    }

    #[test]
    fn a_daemon_on_each_node_is_taken_before_slots(nodes in proptest::collection::vec(node(), 0..8), daemon in request(), one in request()) {
        let pool = pool(&nodes);
        let left = nodes.iter().filter(|node| node.covers(&daemon)).map(|node| node.checked_less(&daemon, 1).unwrap());
        let slots = left.clone().fold(0_i64, |sum, node| sum.saturating_add(node.fits(&one)));
        prop_assert_eq!(pool.less_on_each(&daemon).slots(&one), slots);
        prop_assert_eq!(pool.every_node_covers(&daemon), !nodes.is_empty() && left.count() == nodes.len());
        let mut taken = pool.clone();
        taken.take_on_each(&daemon);
        let nodes_of = |pool: &FreePool| pool.shapes().iter().map(|shape| shape.count).sum::<i64>();
        prop_assert_eq!(nodes_of(&taken), nodes_of(&pool));
        prop_assert!(taken.shapes().iter().all(|shape| shape.free.is_valid()));
    }

    #[test]
    fn an_unschedulable_pod_lowers_requests_as_large(nodes in proptest::collection::vec(node(), 0..8), one in request(), two in request()) {
        let mut pool = pool(&nodes);
        let before = pool.slots(&two);
        pool.note_unschedulable(UnschedulableBound { request: one.clone(), slots: 0 });
        prop_assert_eq!(pool.slots(&one), 0);
        prop_assert_eq!(pool.slots(&two), if two.covers(&one) { 0 } else { before });
    }
}
