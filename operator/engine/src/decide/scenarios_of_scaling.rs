//! Fewer replicas than run: which go. What may not be where it is, what nobody can look after and what overflowed goes first;
//! of the rest as many as the division gives up, and nothing moves.

use std::sync::Arc;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::affinity::Affinity;
use super::fixture::{self, Dice, now};
use super::input::{ClusterState, FreezeInput, Reachability, Term};
use super::scenarios::{fleet, on, running, spec, targets, with};
use super::{Changes, Division, FleetInput, Policy, Requirement, Snapshot, Spec, Status, plan};
use crate::detect::{Taint, TaintEffect};

/// So many replicas in each of some clusters, divided by capacity.
fn placed(at: &[(&str, i64)], replicas: i64) -> Spec {
    let policy = Arc::new(Policy { division: Division::ByCapacity, ..Policy::default() });
    at.iter().fold(Spec { policy, ..spec("app", replicas) }, |spec, (cluster, placed)| on(spec, cluster, *placed))
}

fn shrunk(fleet: &FleetInput, at: &[(&str, i64)], to: i64, ask: impl FnOnce(&mut Requirement)) -> Vec<(String, i64)> {
    let decision = running(fleet.clone(), with(placed(at, to), ask));
    assert_eq!(decision.status, Status::Placed, "{decision:?}");
    targets(&decision).into_iter().map(|(cluster, replicas)| (cluster.to_owned(), replicas)).collect()
}

fn told(at: &[(&str, i64)]) -> Vec<(String, i64)> {
    at.iter().map(|(cluster, replicas)| ((*cluster).to_owned(), *replicas)).collect()
}

fn one(name: &str) -> Affinity {
    Affinity { names: [name.to_owned()].into(), ..Affinity::default() }
}

/// One row: what runs, how many are wanted, what stays.
type Row = (&'static [(&'static str, i64)], i64, &'static [(&'static str, i64)]);

fn check(why: &str, fleet: &FleetInput, ask: impl Fn(&mut Requirement), rows: &[Row]) {
    for (runs, to, stays) in rows {
        assert_eq!(shrunk(fleet, runs, *to, &ask), told(stays), "{why}: {runs:?} to {to}");
    }
}

#[test]
fn equal_clusters_give_up_equally_and_the_last_by_name_first() {
    let rows: [Row; 5] = [
        (&[("大理", 2), ("徐州", 2), ("昆明", 2)], 5, &[("大理", 2), ("徐州", 2), ("昆明", 1)]),
        (&[("大理", 2), ("徐州", 2), ("昆明", 2)], 4, &[("大理", 2), ("徐州", 1), ("昆明", 1)]),
        (&[("大理", 2), ("徐州", 2), ("昆明", 2)], 3, &[("大理", 1), ("徐州", 1), ("昆明", 1)]),
        (&[("大理", 2), ("徐州", 2), ("昆明", 2)], 1, &[("大理", 1)]),
        (&[("大理", 1), ("昆明", 4)], 3, &[("大理", 1), ("昆明", 2)]),
    ];
    check("equal", &fleet(), |_| {}, &rows);
}

#[test]
fn what_runs_where_it_may_not_goes_before_anything_that_may_stay() {
    let only_yunnan = |requirement: &mut Requirement| requirement.regions = ["53".to_owned()].into();
    let rows: [Row; 4] = [
        (&[("大理", 2), ("徐州", 2)], 3, &[("大理", 2), ("徐州", 1)]),
        (&[("大理", 2), ("徐州", 2)], 2, &[("大理", 2)]),
        (&[("大理", 2), ("徐州", 2)], 1, &[("大理", 1)]),
        (&[("大理", 1), ("徐州", 4), ("昆明", 1)], 3, &[("大理", 1), ("徐州", 1), ("昆明", 1)]),
    ];
    check("not allowed", &fleet(), only_yunnan, &rows);
}

#[test]
fn what_nobody_can_look_after_goes_first_and_what_leaves_anyway_is_not_counted() {
    let mut silent = fleet();
    silent.clusters[1].reachability = Reachability::Unreachable;
    let rows: [Row; 2] = [
        (&[("大理", 2), ("昆明", 2)], 2, &[("昆明", 2)]),
        (&[("大理", 2), ("昆明", 2)], 3, &[("大理", 1), ("昆明", 2)]),
    ];
    check("silent", &silent, |_| {}, &rows);
    let mut draining = fleet();
    draining.clusters[1].state = ClusterState::Draining;
    check("draining", &draining, |_| {}, &[(&[("大理", 2), ("昆明", 2)], 2, &[("昆明", 2)])]);
}

#[test]
fn a_taint_and_a_freeze_make_nobody_go_first() {
    let rows: [Row; 1] = [(&[("大理", 2), ("昆明", 2)], 2, &[("大理", 1), ("昆明", 1)])];
    let mut tainted = fleet();
    tainted.clusters[1].taints.insert(Taint {
        key: "维护".to_owned(),
        value: String::new(),
        effect: TaintEffect::NoSchedule,
    });
    check("tainted", &tainted, |_| {}, &rows);
    // What is taken from there would wait for the end, and with it all of it.
    let mut frozen = fleet();
    frozen.freezes = vec![FreezeInput {
        name: "两会".to_owned(),
        term: Term { from: None, until: Some(now() + SignedDuration::from_hours(8)) },
        clusters: Some(one("大理")),
        tenants: [].into(),
    }];
    check("frozen", &frozen, |_| {}, &rows);
}

#[test]
fn what_overflowed_into_a_later_group_is_given_back_first_and_whole() {
    let groups = |requirement: &mut Requirement| requirement.groups = vec![one("昆明"), one("大理"), one("徐州")];
    let rows: [Row; 5] = [
        (&[("大理", 3), ("昆明", 3)], 5, &[("大理", 2), ("昆明", 3)]),
        (&[("大理", 3), ("昆明", 3)], 4, &[("大理", 1), ("昆明", 3)]),
        (&[("大理", 3), ("昆明", 3)], 3, &[("昆明", 3)]),
        (&[("大理", 3), ("昆明", 3)], 1, &[("昆明", 1)]),
        (&[("大理", 2), ("徐州", 2), ("昆明", 2)], 3, &[("大理", 1), ("昆明", 2)]),
    ];
    check("groups", &fleet(), groups, &rows);
}

#[test]
fn packed_replicas_leave_whole_clusters() {
    let packed = |replicas: i64| {
        let spec = placed(&[("大理", 2), ("昆明", 2)], replicas);
        Spec { policy: Arc::new(Policy { division: Division::Packed, ..Policy::default() }), ..spec }
    };
    assert_eq!(targets(&running(fleet(), packed(2))), [("大理", 2)]);
    assert_eq!(targets(&running(fleet(), packed(3))), [("大理", 2), ("昆明", 1)]);
}

proptest! {
    /// Fewer replicas of a workload that is placed, with a cluster that fell silent: nothing grows, and as long as anything
    /// is left where nobody can look after it, nothing else is taken.
    #[test]
    fn fewer_replicas_never_take_from_a_live_cluster_what_a_silent_one_could_give(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut fleet = fixture::fleet(&mut dice, 7);
        (fleet.tiers, fleet.freezes) = (Vec::new(), Vec::new());
        fleet.tenants.iter_mut().for_each(|tenant| tenant.tier = None);
        let mut spec = fixture::spec(&mut dice, 0, false);
        let division = dice.pick(&[Division::ByCapacity, Division::Packed]);
        spec.policy = Arc::new(Policy { division, ..Policy::default() });
        spec.replicas = 2 + dice.int(7);
        let first = Changes { specs: vec![spec.clone()], ..Changes::default() };
        let placed = plan(&Snapshot::new(fleet.clone()).unwrap(), &first, now()).unwrap();
        let decision = &placed.decisions[0];
        if decision.status == Status::Placed {
            fixture::running(&mut spec, &decision.targets);
            let lost = &decision.targets[usize::try_from(dice.below(u64::try_from(decision.targets.len()).unwrap())).unwrap()].cluster;
            for cluster in fleet.clusters.iter_mut().filter(|cluster| cluster.name == *lost) {
                cluster.reachability = Reachability::Unreachable;
            }
            spec.replicas = 1 + dice.int(u64::try_from(spec.replicas - 1).unwrap());
            let less = spec.replicas;
            let current = spec.current.clone();
            fleet.specs = vec![spec];
            let told = plan(&Snapshot::new(fleet).unwrap(), &Changes { all: true, ..Changes::default() }, now()).unwrap();
            let told = &told.decisions[0];
            prop_assert_eq!(told.status, Status::Placed);
            let of = |name: &str| told.targets.iter().find(|target| target.cluster == name).map_or(0, |t| t.replicas);
            prop_assert_eq!(told.targets.iter().map(|target| target.replicas).sum::<i64>(), less);
            for one in &current {
                prop_assert!(of(&one.cluster) <= one.placed, "nothing grows: {:?}", told);
                prop_assert!(of(lost) == 0 || one.cluster == *lost || of(&one.cluster) == one.placed, "{:?}", told);
            }
            prop_assert!(told.targets.iter().all(|target| current.iter().any(|one| one.cluster == target.cluster)));
        }
    }
}
