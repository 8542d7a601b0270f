//! Simulations of small fleets, with the sums done by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiuzhou_engine::decide::input::{ClusterInput, ClusterState, EvidenceState, ProtectionReport, Term};
use jiuzhou_engine::decide::{Changes, Policy, Requirement, Snapshot, Spec, WorkloadKey, plan};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::terms::{Fen, Milliwatts, PerMille};
use jiuzhou_measure::cost::MicroFen;
use jiuzhou_measure::energy::{LinearPower, PoolPower, Provenance};
use jiuzhou_measure::rates::{ClusterRates, PoolRates};
use proptest::prelude::*;

use super::*;
use crate::fixture::{cluster, fleet, workload};

/// 1.5 W and 1 yuan an hour for each cpu, 500 g a kWh.
fn rates(fen_an_hour: i64) -> ClusterRates {
    let line = LinearPower { idle: Milliwatts(4000), peak: Milliwatts(8000) };
    let power = Some(PoolPower { line, provenance: Provenance::Modelled });
    let pool = PoolRates { pool: "pool".to_owned(), nodes: 1, millicores: 4000, power, node_month: None };
    ClusterRates {
        cpu_hour: Some(MicroFen(fen_an_hour * 1_000_000)),
        gib_hour: Some(MicroFen(0)),
        pue: Some(PerMille(1000)),
        mg_per_kwh: Some(500_000),
        pools: vec![pool],
        ..ClusterRates::default()
    }
}

fn stage(at: i64, clusters: &[ClusterInput], specs: &[Spec], fen_an_hour: i64) -> Stage {
    let rates = clusters.iter().map(|one| (one.name.clone(), rates(fen_an_hour))).collect();
    Stage {
        at,
        fleet: fleet(clusters, &[]),
        specs: Some(specs.to_vec()),
        rates,
        utilisation: PerMille(500),
        ..Stage::default()
    }
}

fn simulation(days: u32, stages: Vec<Stage>) -> Simulation {
    Simulation {
        start: "2026-11-23T16:00:00Z".parse().expect("an instant"),
        days,
        seed: 7,
        stages,
        conduct: Conduct { start_minutes: 2, failover: Failover::AfterMinutes(10) },
        arrivals: Vec::new(),
        curves: Vec::new(),
        rest_days: BTreeSet::new(),
        failures: Vec::new(),
        threads: NonZeroUsize::MIN,
    }
}

fn run(simulation: &Simulation) -> Outcome {
    simulate(simulation, &mut |_| ()).expect("an outcome")
}

fn window(cluster: &str, from: i64, minutes: i64, effect: Effect) -> Failures {
    Failures {
        name: format!("{cluster}-{from}"),
        clusters: [cluster.to_owned()].into(),
        when: FailureTimes::Windows(vec![(from, minutes)]),
        effect,
    }
}

#[test]
fn nothing_happens_to_a_fleet_at_rest_and_a_day_of_it_costs_what_a_day_costs() {
    let one = stage(0, &[cluster("a", 2, 4)], &[workload("w", 4, &[("a", 4)])], 100);
    let told = run(&simulation(3, vec![one]));
    assert_eq!((told.days.len(), told.turns), (3, 1));
    assert_eq!(told.service, Service { wanted: 4 * 3 * DAY, placed: 4 * 3 * DAY, ready: 4 * 3 * DAY });
    assert_eq!(told.activity, Activity::default());
    // 4 cpu for 72 h: 6 W, 4 yuan an hour.
    assert_eq!((told.spending.energy.0, told.spending.cost), (6000 * 72, Fen(400 * 72)));
    assert_eq!(told.spending.carbon.0, 6 * 72 * 500);
    assert!(told.worst.is_empty() && told.dates.is_empty());
}

#[test]
fn a_short_failure_takes_what_runs_there_down_and_starts_it_again() {
    let one = stage(0, &[cluster("a", 2, 4), cluster("b", 2, 4)], &[workload("w", 4, &[("a", 2), ("b", 2)])], 0);
    let mut simulation = simulation(1, vec![one]);
    simulation.failures = vec![window("a", 60, 5, Effect::Down)];
    let told = run(&simulation);
    // Two replicas for five minutes and the two they need to start.
    assert_eq!(told.service.missing(), 2 * 7);
    assert_eq!((told.activity.failovers, told.activity.moved, told.activity.failures), (0, 0, 1));
    assert_eq!(told.clusters["a"].minutes, 5);
    assert_eq!(told.worst[0].service.missing(), 14);
}

#[test]
fn after_the_wait_workloads_leave_a_lost_cluster_and_what_comes_back_is_removed() {
    let one = stage(0, &[cluster("a", 2, 4), cluster("b", 2, 4)], &[workload("w", 2, &[("a", 2)])], 0);
    let mut simulation = simulation(1, vec![one]);
    simulation.failures = vec![window("a", 60, 600, Effect::Down)];
    let told = run(&simulation);
    // Ten minutes of waiting and two of starting on b; a place there was all the time.
    assert_eq!(told.service.placed, told.service.wanted);
    assert_eq!((told.service.missing(), told.activity.failovers), (2 * 12, 1));
    assert_eq!((told.activity.moved, told.activity.started), (2, 2));
    simulation.conduct.failover = Failover::Never;
    let waits = run(&simulation);
    assert_eq!((waits.service.missing(), waits.activity.moved), (2 * 602, 0));
}

#[test]
fn in_a_storm_nothing_leaves_and_a_workload_leaves_one_cluster_after_the_other() {
    let clusters = ["a", "b", "c", "d", "e", "f", "g"].map(|name| cluster(name, 2, 4));
    let one = stage(0, &clusters, &[workload("w", 4, &[("a", 2), ("b", 2)])], 0);
    let mut simulation = simulation(1, vec![one]);
    // Two of seven are silent: one after the other, the second as soon as the first is well elsewhere.
    simulation.failures = ["a", "b"].map(|name| window(name, 60, 600, Effect::Down)).into();
    let told = run(&simulation);
    assert_eq!((told.activity.failovers, told.activity.moved), (2, 4));
    // Ten minutes and two of starting; the second goes two minutes later.
    assert!((2 * 12 + 2 * 14..=2 * 12 + 2 * 16).contains(&told.service.missing()), "{}", told.service.missing());
    // Three of seven are more than 30 %: the hub is the likelier fault, and everybody waits for its cluster.
    simulation.failures.push(window("c", 60, 600, Effect::Down));
    let storm = run(&simulation);
    assert_eq!((storm.activity.failovers, storm.service.missing()), (0, 4 * 602));
}

#[test]
fn a_cluster_that_is_only_cut_off_serves_on() {
    let one = stage(0, &[cluster("a", 2, 4), cluster("b", 2, 4)], &[workload("w", 2, &[("a", 2)])], 0);
    let mut simulation = simulation(1, vec![one]);
    simulation.failures = vec![window("a", 60, 600, Effect::CutOff)];
    let told = run(&simulation);
    assert_eq!((told.service.missing(), told.activity.failovers, told.activity.moved), (0, 1, 2));
    // Both copies exist from minute 70 to 660.
    assert_eq!(told.spending.replicas, 2 * DAY + 2 * 590);
}

#[test]
fn a_single_writer_waits_for_its_cluster_unless_it_stops_by_itself() {
    let key = WorkloadKey::new("ns", "db");
    let mut one = stage(0, &[cluster("a", 2, 4), cluster("b", 2, 4)], &[workload("db", 1, &[("a", 1)])], 0);
    let traits = Traits { continuity: Continuity::SingleWriter, fenced: false };
    one.traits = [(key.clone(), traits)].into();
    let mut simulation = simulation(1, vec![one]);
    simulation.failures = vec![window("a", 60, 100, Effect::Down)];
    assert_eq!((run(&simulation).service.missing(), run(&simulation).activity.moved), (102, 0));
    simulation.stages[0].traits = [(key, Traits { fenced: true, ..traits })].into();
    assert_eq!((run(&simulation).service.missing(), run(&simulation).activity.moved), (12, 1));
}

#[test]
fn a_curve_scales_by_the_hour_and_on_days_of_rest_by_another() {
    let one = stage(0, &[cluster("a", 4, 4)], &[workload("w", 4, &[("a", 4)]), workload("x", 3, &[("a", 3)])], 100);
    let mut simulation = simulation(2, vec![one]);
    let mut workday = [50; 24];
    workday[8] = 200;
    let chosen = Chosen { workloads: [WorkloadKey::new("ns", "w")].into(), ..Chosen::default() };
    simulation.curves = vec![Curve { name: "office".to_owned(), chosen, least: 1, workday, rest_day: [25; 24] }];
    simulation.rest_days = [1].into();
    let told = run(&simulation);
    let of = |day: usize| told.days[day].service.wanted - 3 * DAY;
    assert_eq!((of(0), of(1)), (23 * 2 * 60 + 8 * 60, 60 * 24));
    // Six more at eight o'clock need two minutes.
    assert_eq!((told.service.missing(), told.activity.started), (6 * 2, 6));
    assert_eq!(told.days[1].spending.cost, Fen(100 * 24 * 4));
}

#[test]
fn workloads_arrive_wait_for_room_and_go_again() {
    let one = stage(0, &[cluster("a", 1, 4)], &[workload("w", 1, &[("a", 1)])], 0);
    let mut simulation = simulation(10, vec![one]);
    let template = WorkloadKey::new("ns", "w");
    let stay = Stay::Between(DAY, DAY);
    simulation.arrivals = vec![Arrivals { name: "new".to_owned(), template, every: 360, stay }];
    let told = run(&simulation);
    // Four a day for a day each: about four, where three have room.
    assert!((25..=55).contains(&told.activity.arrived), "{:?}", told.activity);
    assert!((0..=8).contains(&(told.activity.arrived - told.activity.departed)), "{:?}", told.activity);
    assert!(told.service.missing() > 0 && told.tenants[""].waiting > 0);
    // One replica each: what waits is exactly what has no place, and what starts takes two minutes.
    assert_eq!(told.service.wanted - told.service.placed, told.tenants[""].waiting);
    assert_eq!(told.service.placed - told.service.ready, 2 * told.activity.started);
    assert!(told.days.iter().all(|day| day.standing.workloads - day.standing.waiting <= 4), "{:?}", told.days);
    assert_eq!(told.tenants[""].workloads, told.activity.arrived + 1);
}

#[test]
fn prices_change_when_a_stage_begins_and_what_was_used_before_keeps_the_old() {
    let (clusters, specs) = ([cluster("a", 2, 4)], [workload("w", 1, &[("a", 1)])]);
    let mut later = stage(DAY + 720, &clusters, &specs, 300);
    later.specs = None;
    let told = run(&simulation(2, vec![stage(0, &clusters, &specs, 100), later]));
    assert_eq!((told.days[0].spending.cost, told.days[1].spending.cost), (Fen(2400), Fen(1200 + 3600)));
    assert_eq!(told.tenants[""].spending, told.spending);
    assert_eq!(told.clusters["a"].spending, told.spending);
}

#[test]
fn a_stage_drains_a_cluster_and_moves_lose_no_replica() {
    let clusters = [cluster("a", 2, 4), cluster("b", 2, 4)];
    let specs = [workload("w", 4, &[("a", 4)])];
    let mut drained = clusters.clone();
    drained[0].state = ClusterState::Draining;
    let mut later = stage(100, &drained, &specs, 0);
    later.specs = None;
    let told = run(&simulation(1, vec![stage(0, &clusters, &specs, 0), later]));
    assert_eq!((told.service.missing(), told.activity.moved, told.activity.started), (0, 4, 4));
    // For the two minutes of starting both exist.
    assert_eq!(told.spending.replicas, 4 * DAY + 8);
}

#[test]
fn workloads_of_a_stage_come_grow_and_go() {
    let clusters = [cluster("a", 4, 4)];
    let first = stage(0, &clusters, &[workload("old", 1, &[("a", 1)]), workload("w", 1, &[("a", 1)])], 0);
    let second = stage(60, &clusters, &[workload("new", 2, &[]), workload("w", 3, &[])], 0);
    let told = run(&simulation(1, vec![first, second]));
    assert_eq!((told.activity.arrived, told.activity.departed, told.activity.started), (1, 1, 4));
    assert_eq!(told.service.wanted, 2 * 60 + 5 * (DAY - 60));
    assert_eq!(told.service.missing(), 4 * 2);
}

#[test]
fn a_cluster_lost_for_good_is_left_at_once() {
    let clusters = [cluster("a", 2, 4), cluster("b", 2, 4)];
    let specs = [workload("w", 2, &[("a", 2)])];
    let mut later = stage(100, &clusters, &specs, 0);
    later.lost = ["a".to_owned()].into();
    let told = run(&simulation(1, vec![stage(0, &clusters, &specs, 0), later]));
    assert_eq!((told.service.missing(), told.activity.moved), (2 * 2, 2));
    assert_eq!(told.clusters["a"].minutes, DAY - 100);
}

#[test]
fn a_simulation_without_a_start_is_an_error() {
    let none = simulation(1, Vec::new());
    assert!(matches!(simulate(&none, &mut |_| ()), Err(SimulateError::NoStage)));
}

/// A busy month of a small fleet.
fn busy(seed: u64, replicas: &[i64]) -> Simulation {
    let clusters: Vec<_> = ["a", "b", "c"].iter().map(|name| cluster(name, 3, 4)).collect();
    let packed =
        |n: usize| if n.is_multiple_of(2) { jiuzhou_engine::decide::Division::Packed } else { Default::default() };
    let specs: Vec<Spec> = replicas
        .iter()
        .enumerate()
        .map(|(n, count)| Spec {
            policy: Arc::new(Policy { division: packed(n), ..Policy::default() }),
            admitted: n as u64,
            ..workload(&format!("w{n}"), *count, &[])
        })
        .collect();
    let mut first = stage(0, &clusters, &specs, 100);
    let placed = plan(
        &Snapshot::new(fleet(&clusters, &specs)).expect("one fleet"),
        &Changes { all: true, ..Changes::default() },
        "2026-11-23T16:00:00Z".parse().expect("an instant"),
    )
    .expect("a plan");
    let targets: BTreeMap<_, _> = placed.decisions.iter().map(|one| (one.key.clone(), one.targets.clone())).collect();
    for spec in first.specs.iter_mut().flatten() {
        let current = |at: &jiuzhou_engine::decide::Target| jiuzhou_engine::decide::Current {
            cluster: at.cluster.clone(),
            placed: at.replicas,
            observed: at.replicas,
        };
        spec.current = targets[&spec.key].iter().map(current).collect();
    }
    let mut simulation = simulation(12, vec![first]);
    simulation.seed = seed;
    let random = |name: &str, effect| Failures {
        name: name.to_owned(),
        clusters: BTreeSet::new(),
        when: FailureTimes::Random { between: 2 * DAY, repair: 90 },
        effect,
    };
    simulation.failures = vec![random("power", Effect::Down), random("line", Effect::CutOff)];
    let arrivals = |name: &str, every| Arrivals {
        name: name.to_owned(),
        template: WorkloadKey::new("ns", "w0"),
        every,
        stay: Stay::Exponential(3 * DAY),
    };
    simulation.arrivals = vec![arrivals("one", 700), arrivals("two", 1100)];
    let mut workday = [60; 24];
    workday[9] = 150;
    let chosen = Chosen { workloads: [WorkloadKey::new("ns", "w1")].into(), ..Chosen::default() };
    let chosen_all = Chosen::default();
    simulation.curves = vec![
        Curve { name: "b".to_owned(), chosen, least: 1, workday: [100; 24], rest_day: [100; 24] },
        Curve { name: "c".to_owned(), chosen: chosen_all, least: 1, workday, rest_day: [40; 24] },
    ];
    simulation
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_inputs_and_the_number_of_threads_change_nothing_and_sums_agree(
        seed in any::<u64>(),
        replicas in prop::collection::vec(1_i64..5, 2..6),
    ) {
        let simulation = busy(seed, &replicas);
        let told = run(&simulation);
        let mut turned = simulation.clone();
        turned.threads = NonZeroUsize::new(4).expect("four");
        turned.failures.reverse();
        turned.arrivals.reverse();
        turned.curves.reverse();
        turned.stages[0].fleet.clusters.reverse();
        turned.stages[0].specs.iter_mut().for_each(|specs| specs.reverse());
        prop_assert_eq!(&run(&turned), &told);

        prop_assert!(told.service.ready <= told.service.placed && told.service.placed <= told.service.wanted);
        let mut sums = (Service::default(), Spending::default(), Activity::default());
        for day in &told.days {
            sums.0.add(day.service);
            sums.1.add(&day.spending).expect("in range");
            sums.2.add(&day.activity);
        }
        prop_assert_eq!(sums, (told.service, told.spending, told.activity));
        for groups in [&told.tenants, &told.tiers] {
            let mut service = Service::default();
            groups.values().for_each(|group| service.add(group.service));
            prop_assert_eq!(service, told.service);
        }
        let mut by_cluster = Spending::default();
        told.clusters.values().for_each(|one| by_cluster.add(&one.spending).expect("in range"));
        prop_assert_eq!(by_cluster, told.spending);
        prop_assert!(told.activity.failures > 0 && told.activity.arrived > 0);
    }
}

#[test]
fn another_seed_is_another_month() {
    let replicas = [3, 2, 4];
    assert_eq!(run(&busy(7, &replicas)), run(&busy(7, &replicas)));
    assert_ne!(run(&busy(7, &replicas)), run(&busy(8, &replicas)));
}

#[test]
fn what_runs_out_is_seen_on_its_date_and_not_before() {
    let mut a = cluster("a", 2, 4);
    let simulated = simulation(3, Vec::new());
    let ends = simulated.start.checked_add(jiff::SignedDuration::from_hours(36)).expect("an instant");
    a.protection = vec![ProtectionReport {
        number: "测1".to_owned(),
        level: 3,
        conforms: true,
        term: Term { from: None, until: Some(ends) },
        recorded_at: jiff::Timestamp::UNIX_EPOCH,
        state: EvidenceState::Verified,
        state_since: None,
    }];
    let graded = Arc::new(Requirement { protection: Some(3), ..Requirement::default() });
    let spec = Spec { requirement: graded, ..workload("w", 2, &[("a", 2)]) };
    let told = run(&Simulation { stages: vec![stage(0, &[a], &[spec], 0)], ..simulated });
    assert_eq!(told.dates, [DateTold { at: ends, violating: 1, moved: 0 }]);
    // Two turns: the first and that one. What runs stays and serves.
    assert_eq!((told.turns, told.service.missing(), told.tenants[""].violating), (2, 0, 36 * HOUR));
    let standing: Vec<i64> = told.days.iter().map(|day| day.standing.violating).collect();
    assert_eq!(standing, [0, 1, 1]);
}

#[test]
fn overlapping_failures_end_when_the_last_of_them_does() {
    let one = stage(0, &[cluster("a", 2, 4)], &[workload("w", 1, &[("a", 1)])], 0);
    let mut simulation = simulation(1, vec![one]);
    simulation.failures = vec![window("a", 60, 30, Effect::Down), window("a", 80, 60, Effect::CutOff)];
    let told = run(&simulation);
    // Down for 30 minutes, and two to start again although nobody reaches it for longer.
    assert_eq!((told.service.missing(), told.clusters["a"].minutes, told.clusters["a"].failures), (32, 80, 2));
}
