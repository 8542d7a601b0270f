//! `cargo run --release -p bench --bin simulate [-- --workloads 20000 --clusters 200 --days 30]`
//!
//! How long a simulation takes: workloads whose replicas follow a working day, a hundred arrivals a day, and clusters that
//! fail once in thirty days, over a month. One JSON line; where `--profile` is given, one for each day as it passes.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Instant;

use clap::Parser;
use jiuzhou_engine::decide::{Changes, Current, FleetInput, Kept, Snapshot, Spec, WorkloadKey, plan_with};
use jiuzhou_engine::terms::PerMille;
use jiuzhou_study::simulate::{
    Arrivals, Chosen, Conduct, Curve, DAY, Effect, Failover, FailureTimes, Failures, HOUR, Simulation, Stage, Stay,
    simulate,
};
use serde_json::json;

const SEED: u64 = 20_261_126;

/// Measures a simulation.
#[derive(Debug, Parser)]
struct Arguments {
    /// Workloads at the start.
    #[arg(long, default_value_t = 20_000)]
    workloads: u64,
    /// Clusters of two pools.
    #[arg(long, default_value_t = 200)]
    clusters: u64,
    /// Days.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Share of the workloads that follow the hour, in percent.
    #[arg(long, default_value_t = 100)]
    curved: u64,
    /// Arrivals a day; 0 for none.
    #[arg(long, default_value_t = 100)]
    arrivals: i64,
    /// Say when each day has passed.
    #[arg(long)]
    profile: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let simulation = month(&arguments)?;
    let made = start.elapsed();
    let start = Instant::now();
    let outcome = simulate(&simulation, &mut |day| {
        if arguments.profile {
            say(&json!({ "day": day, "ms": u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) }));
        }
    })?;
    let took = start.elapsed();
    say(&json!({
        "what": format!("{} workloads on {} clusters over {} days", arguments.workloads, arguments.clusters, arguments.days),
        "curved_percent": arguments.curved, "arrivals_a_day": arguments.arrivals,
        "made_ms": u64::try_from(made.as_millis())?, "ms": u64::try_from(took.as_millis())?,
        "turns": outcome.turns, "decisions": outcome.decisions, "failures": outcome.activity.failures,
        "moved": outcome.activity.moved, "started": outcome.activity.started,
        "ready_per_million": outcome.service.ready * 1000 / (outcome.service.wanted / 1000).max(1),
        "waiting_at_end": outcome.days.last().map(|day| day.standing.waiting),
        "peak_rss_bytes": bench::peak_rss(),
    }));
    Ok(())
}

fn say(line: &serde_json::Value) {
    #[expect(clippy::print_stdout, reason = "the figures are the output")]
    {
        println!("{line}");
    }
}

/// A working day of a public service: little at night, most between nine and eleven.
const WORKDAY: [u16; 24] =
    [40, 40, 40, 40, 40, 45, 60, 80, 120, 150, 150, 130, 90, 90, 130, 130, 120, 100, 80, 70, 60, 50, 45, 40];

fn month(arguments: &Arguments) -> anyhow::Result<Simulation> {
    let mut specs: Vec<Spec> = (0..arguments.workloads).map(|n| bench::spec(SEED, n, false)).collect();
    let mut clusters = bench::clusters(SEED, arguments.clusters, 2);
    // Nodes enough that nearly everything finds a place: what waits is decided in every turn.
    let nodes = clusters.iter_mut().flat_map(|cluster| &mut cluster.pools).flat_map(|pool| &mut pool.shapes);
    nodes.for_each(|shape| shape.count *= 40);
    let begin = "2026-11-30T16:00:00Z".parse()?;
    let fleet = FleetInput { clusters, ..FleetInput::default() };
    let snapshot = Snapshot::new(FleetInput { specs: specs.clone(), ..fleet.clone() })?;
    let first = plan_with(&snapshot, &Changes::default(), begin, &mut Kept::default())?;
    let placed: std::collections::BTreeMap<_, _> = first.decisions.iter().map(|one| (&one.key, one)).collect();
    for spec in &mut specs {
        let targets = placed.get(&spec.key).map(|one| one.targets.as_slice()).unwrap_or_default();
        let current = targets.iter().map(|at| Current {
            cluster: at.cluster.clone(),
            placed: at.replicas,
            observed: at.replicas,
        });
        spec.current = current.collect();
    }
    let followers = (0..arguments.workloads * arguments.curved / 100).map(|n| bench::spec(SEED, n, false).key);
    let curve = Curve {
        name: "office".to_owned(),
        chosen: Chosen { workloads: followers.collect(), tenants: BTreeSet::new() },
        // Half of the workloads ask for two regions.
        least: 2,
        workday: WORKDAY,
        rest_day: [40; 24],
    };
    let arrivals = Arrivals {
        name: "new".to_owned(),
        template: WorkloadKey::new("bench", "app-000000"),
        every: DAY / arguments.arrivals.max(1),
        stay: Stay::Exponential(7 * DAY),
    };
    Ok(Simulation {
        start: begin,
        days: arguments.days,
        seed: SEED,
        stages: vec![Stage { at: 0, fleet, specs: Some(specs), utilisation: PerMille(500), ..Stage::default() }],
        conduct: Conduct { start_minutes: 2, failover: Failover::AfterMinutes(5) },
        arrivals: if arguments.arrivals > 0 { vec![arrivals] } else { Vec::new() },
        curves: if arguments.curved > 0 { vec![curve] } else { Vec::new() },
        // The month begins with a Tuesday.
        rest_days: (0..arguments.days).filter(|day| matches!(day % 7, 4 | 5)).collect(),
        failures: vec![Failures {
            name: "random".to_owned(),
            clusters: BTreeSet::new(),
            when: FailureTimes::Random { between: 30 * DAY, repair: 4 * HOUR },
            effect: Effect::Down,
        }],
        threads: NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN),
    })
}
