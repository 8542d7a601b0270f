//! An order to place a workload anew, and a better score, one thing at a time: what moves, what waits, what is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::affinity::Affinity;
use super::canonical;
use super::fixture::now;
use super::input::{Figure, FreezeInput, Reachability, Term};
use super::scenarios::{fleet, on, spec, targets, with};
use super::spec::{Mode, Preference};
use super::{
    Cause, Changes, Decision, Division, FleetInput, Plan, PlanInput, Policy, Snapshot, Spec, Stop, WorkloadKey, plan,
    replay,
};

/// Packed into the best cluster of three, which is not where it runs.
fn astray(name: &str) -> Spec {
    let policy = Policy {
        division: Division::Packed,
        preferences: vec![Preference { figure: Figure::CarbonGramsPerKwh, worst: 1000, best: 0, weight: 1 }],
        ..Policy::default()
    };
    Spec { policy: Arc::new(policy), ..on(spec(name, 2), "徐州", 2) }
}

/// Three clusters of which 昆明 has the cleanest current and 徐州 the dirtiest.
fn clean() -> FleetInput {
    let mut fleet = fleet();
    for (cluster, grams) in fleet.clusters.iter_mut().zip([100, 400, 800]) {
        cluster.figures.insert(Figure::CarbonGramsPerKwh, grams);
    }
    fleet
}

fn ordered(spec: Spec, at: Timestamp) -> Spec {
    Spec { rebalance: true, rebalance_at: Some(at), ..spec }
}

fn asked(mut fleet: FleetInput, specs: Vec<Spec>, changes: &Changes) -> Plan {
    fleet.specs = specs;
    let told = plan(&Snapshot::new(fleet.clone()).unwrap(), changes, now()).unwrap();
    let again = replay(PlanInput { fleet, changes: changes.clone(), as_of: now() }).unwrap();
    assert_eq!(again.bytes, canonical::bytes(&told).unwrap(), "a replay gives the same bytes");
    told
}

fn quiet(fleet: FleetInput, specs: Vec<Spec>) -> Plan {
    asked(fleet, specs, &Changes::default())
}

fn of<'p>(plan: &'p Plan, name: &str) -> &'p Decision {
    plan.decisions.iter().find(|decision| decision.key.name == name).unwrap()
}

fn frozen(mut fleet: FleetInput, cluster: &str) -> FleetInput {
    let which = Affinity { names: [cluster.to_owned()].into(), ..Affinity::default() };
    fleet.freezes = vec![FreezeInput {
        name: "两会".to_owned(),
        term: Term { from: None, until: Some(now() + SignedDuration::from_hours(8)) },
        clusters: Some(which),
        tenants: BTreeSet::new(),
    }];
    fleet
}

#[test]
fn an_order_places_anew_and_says_which_order_it_carries_out() {
    assert_eq!(quiet(clean(), vec![astray("app")]).decisions, [], "a better score alone wakes nobody");
    let told = quiet(clean(), vec![ordered(astray("app"), now())]);
    assert_eq!((targets(&told.decisions[0]), told.decisions[0].rebalanced), (vec![("昆明", 2)], Some(now())));
    // Where nothing is better the order is carried out, too.
    let best = Spec { current: Vec::new(), ..astray("app") };
    let told = quiet(clean(), vec![ordered(on(best, "昆明", 2), now())]);
    assert_eq!((told.decisions[0].moves.len(), told.decisions[0].rebalanced), (0, Some(now())));
    // Asked for without an instant, as somebody tries it out.
    let changes = Changes { rebalance: [WorkloadKey::new("民政", "app")].into(), ..Changes::default() };
    let told = asked(clean(), vec![astray("app")], &changes);
    assert_eq!((targets(&told.decisions[0]), told.decisions[0].rebalanced), (vec![("昆明", 2)], None));
}

#[test]
fn an_order_that_is_no_part_of_what_is_asked_for_leaves_its_digest_as_it_is() {
    assert_eq!(ordered(astray("app"), now()).intent().unwrap(), astray("app").intent().unwrap());
}

#[test]
fn an_order_holds_from_its_instant_on() {
    let later = now() + SignedDuration::from_hours(3);
    let told = quiet(clean(), vec![ordered(astray("app"), later)]);
    assert_eq!((told.decisions.len(), told.next_change), (0, Some(later)), "the clock says when to look again");
    // What is decided for another reason meanwhile does not carry it out.
    let told = quiet(clean(), vec![Spec { changed: true, ..ordered(astray("app"), later) }]);
    assert_eq!((targets(&told.decisions[0]), told.decisions[0].rebalanced), (vec![("徐州", 2)], None));
}

#[test]
fn an_order_waits_for_the_end_of_a_freeze_where_it_runs_and_for_a_cluster_that_does_not_answer() {
    let order = || vec![ordered(astray("app"), now())];
    assert_eq!(quiet(frozen(clean(), "徐州"), order()).decisions, []);
    let elsewhere = quiet(frozen(clean(), "昆明"), order());
    assert_eq!(targets(&elsewhere.decisions[0]), [("大理", 2)], "a frozen cluster takes nothing new");
    let mut silent = clean();
    silent.clusters[2].reachability = Reachability::Unreachable;
    assert_eq!(quiet(silent, order()).decisions, [], "who leaves such a cluster fails over");
}

#[test]
fn an_order_waits_for_what_else_is_done_with_the_workload() {
    let order = || ordered(astray("app"), now());
    let stop = Stop { order: "云数停〔2026〕3号".to_owned(), ..Stop::default() };
    let mode = Mode { name: "防汛".to_owned(), ..Mode::default() };
    for busy in [
        Spec { stop: Some(stop), ..order() },
        Spec { mode: Some(mode), ..order() },
        with(order(), |requirement| requirement.cause = Cause::Failover),
    ] {
        let told = quiet(clean(), vec![busy]);
        let moved =
            told.decisions.iter().filter(|decision| decision.rebalanced.is_some() || !decision.moves.is_empty());
        assert_eq!(moved.count(), 0, "{:?}", told.decisions);
    }
}

#[test]
fn an_order_that_finds_no_place_stands_and_what_runs_stays() {
    // It may be nowhere any more, and an order moves it off what it only may stay on.
    let nowhere = with(ordered(astray("app"), now()), |requirement| requirement.regions = ["11".to_owned()].into());
    let told = quiet(clean(), vec![nowhere]);
    assert_eq!((targets(&told.decisions[0]), told.decisions[0].rebalanced), (vec![("徐州", 2)], None));
}

#[test]
fn who_stands_together_is_placed_anew_together() {
    let set = |name: &str| Spec { colocate: Some("民政/低保".to_owned()), ..astray(name) };
    let order = || vec![set("app"), ordered(set("web"), now())];
    let told = quiet(clean(), order());
    assert_eq!((targets(of(&told, "app")), targets(of(&told, "web"))), (vec![("昆明", 2)], vec![("昆明", 2)]));
    assert_eq!((of(&told, "app").rebalanced, of(&told, "web").rebalanced), (None, Some(now())));
    assert_eq!(quiet(frozen(clean(), "徐州"), order()).decisions, []);
}

#[test]
fn a_better_score_moves_whoever_is_weighed_beyond_its_threshold() {
    let threshold = |gain: Option<i64>| {
        let spec = astray("app");
        let policy = Policy { rebalance_gain: gain, ..(*spec.policy).clone() };
        Spec { policy: Arc::new(policy), ..spec }
    };
    let weigh = Changes { weigh: [WorkloadKey::new("民政", "app")].into(), ..Changes::default() };
    // 徐州 is worth 200 points, 昆明 900.
    for (gain, moves) in [(None, false), (Some(700), false), (Some(699), true), (Some(0), true)] {
        let told = asked(clean(), vec![threshold(gain)], &weigh);
        assert_eq!(!told.decisions.is_empty(), moves, "{gain:?}: {:?}", told.decisions);
        if moves {
            assert_eq!((targets(&told.decisions[0]), told.decisions[0].rebalanced), (vec![("昆明", 2)], None));
        }
    }
    assert_eq!(quiet(clean(), vec![threshold(Some(0))]).decisions, [], "nobody asked");
    assert_eq!(asked(frozen(clean(), "徐州"), vec![threshold(Some(0))], &weigh).decisions, []);
    let there = Spec { current: Vec::new(), ..threshold(Some(0)) };
    assert_eq!(asked(clean(), vec![on(there, "昆明", 2)], &weigh).decisions, [], "it is there");
}

#[test]
fn who_is_weighed_moves_for_nothing_but_the_score() {
    // Its cluster lost the label by which it is spread: what runs stays until somebody asks.
    let spec = astray("app");
    let spread = super::Spread {
        key: super::SpreadKey::Label("网络".to_owned()),
        min_groups: 1,
        max_groups: None,
        min_replicas: 1,
        required: true,
    };
    let policy = Policy { spread: vec![spread], rebalance_gain: Some(10_000), ..(*spec.policy).clone() };
    let mut labelled = clean();
    for cluster in labelled.clusters.iter_mut().take(2) {
        cluster.labels.insert("网络".to_owned(), "政务外网".to_owned());
    }
    let weigh = Changes { weigh: [spec.key.clone()].into(), ..Changes::default() };
    assert_eq!(asked(labelled, vec![Spec { policy: Arc::new(policy), ..spec }], &weigh).decisions, []);
}
