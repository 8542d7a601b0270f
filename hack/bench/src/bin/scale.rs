//! `cargo run --release -p bench --bin scale -- first|batch|memory`
//!
//! What grows with the fleet. `first`: the first sight of a replica's shape at 1,000 clusters of 4 pools. `batch`: 10
//! changed workloads among 5,000 that run, entered with `upsert_spec` and planned with the verdicts kept. `memory`:
//! 100,000 workloads with selectors of their own decided and booked over 1,000 clusters. One JSON line each.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use jiuzhou_engine::decide::{
    Changes, Current, FleetInput, Means, Plan, Planner, Snapshot, Spec, Status, VerdictStore, plan_with,
};
use serde_json::{Value, json};

const SEED: u64 = 20_261_126;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    First,
    Batch,
    Memory,
}

/// Measures what grows with the fleet.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    what: What,
    /// Workloads of `batch` and `memory`.
    #[arg(long)]
    workloads: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { what, workloads } = Arguments::parse();
    let told = match what {
        What::First => first()?,
        What::Batch => batch(workloads.unwrap_or(5_000))?,
        What::Memory => memory(workloads.unwrap_or(100_000))?,
    };
    #[expect(clippy::print_stdout, reason = "the figures are the output")]
    {
        println!("{told}");
    }
    Ok(())
}

fn fleet(pools: u64, specs: Vec<Spec>) -> anyhow::Result<Snapshot> {
    let clusters = bench::clusters(SEED, 1_000, pools);
    Ok(Snapshot::new(FleetInput { clusters, specs, ..FleetInput::default() })?)
}

fn middle(mut times: Vec<Duration>) -> (u128, u128) {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).map_or(0, Duration::as_nanos);
    (at(50), at(99))
}

fn first() -> anyhow::Result<Value> {
    let snapshot = fleet(4, Vec::new())?;
    let mut planner = Planner::new(&snapshot, Timestamp::UNIX_EPOCH);
    let mut times = Vec::new();
    for n in 0..500_i64 {
        let mut spec = bench::spec(SEED, 1, false);
        for pod in &mut spec.pods {
            pod.request.insert("cpu".to_owned(), 1_000 + n);
        }
        let start = Instant::now();
        planner.prepare(&spec);
        times.push(start.elapsed());
    }
    let (median, p99) = middle(times);
    Ok(json!({ "what": "first sight of a shape, 1,000 clusters x 4 pools", "ns_median": median, "ns_p99": p99 }))
}

/// The workloads as they run once a plan is carried out.
fn carried_out(specs: Vec<Spec>, plan: &Plan) -> Vec<Spec> {
    let mut decisions: std::collections::BTreeMap<_, _> = plan.decisions.iter().map(|d| (&d.key, d)).collect();
    let run = |mut spec: Spec| {
        let targets = decisions.remove(&spec.key).map(|d| d.targets.as_slice()).unwrap_or_default();
        let current = targets.iter().map(|target| Current {
            cluster: target.cluster.clone(),
            placed: target.replicas,
            observed: target.replicas,
        });
        spec.current = current.collect();
        spec
    };
    specs.into_iter().map(run).collect()
}

fn batch(workloads: u64) -> anyhow::Result<Value> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let means = |verdicts: VerdictStore| Means { verdicts, threads };
    let specs: Vec<Spec> = (0..workloads).map(|n| bench::spec(SEED, n, true)).collect();
    let as_of = Timestamp::UNIX_EPOCH;
    let whole = Instant::now();
    let (plan, _) = plan_with(&fleet(2, specs.clone())?, &Changes::default(), as_of, means(VerdictStore::default()))?;
    let whole = whole.elapsed();
    let mut snapshot = fleet(2, carried_out(specs, &plan))?;
    let (_, mut verdicts) = plan_with(&snapshot, &Changes::default(), as_of, means(VerdictStore::default()))?;
    let (mut digests, mut plans, mut decided) = (Vec::new(), Vec::new(), 0);
    for round in 0..20 {
        for n in 0..10 {
            let at = (round * 97 + n * 461) % workloads;
            let key = bench::spec(SEED, at, true).key;
            let Some(known) = snapshot.spec(&key) else { continue };
            let mut spec = (**known).clone();
            (spec.replicas, spec.changed) = (spec.replicas + 1, true);
            snapshot.upsert_spec(spec);
        }
        let start = Instant::now();
        snapshot.digest()?;
        digests.push(start.elapsed());
        let start = Instant::now();
        let (plan, kept) = plan_with(&snapshot, &Changes::default(), as_of, means(verdicts))?;
        plans.push(start.elapsed());
        verdicts = kept;
        decided = plan.decisions.len();
        // What was decided is committed, so that the next round starts quiet.
        for decision in &plan.decisions {
            if let Some(known) = snapshot.spec(&decision.key) {
                let spec = carried_out(vec![(**known).clone()], &plan).remove(0);
                snapshot.upsert_spec(Spec { changed: false, ..spec });
            }
        }
    }
    let (digest, _) = middle(digests);
    let (median, worst) = middle(plans);
    Ok(json!({
        "what": format!("10 changed of {workloads} workloads, 1,000 clusters x 2 pools"),
        "whole_plan_ms": whole.as_millis(), "digest_us_median": digest / 1_000,
        "plan_us_median": median / 1_000, "plan_us_p99": worst / 1_000, "decisions": decided,
        "threads": threads.get(),
    }))
}

fn memory(workloads: u64) -> anyhow::Result<Value> {
    let snapshot = fleet(1, Vec::new())?;
    let start = Instant::now();
    let mut planner = Planner::new(&snapshot, Timestamp::UNIX_EPOCH);
    let mut placed = 0_u64;
    for n in 0..workloads {
        let spec = Arc::new(bench::spec(SEED, n, true));
        let decided = planner.decide(&spec);
        planner.commit(&spec, &decided);
        placed += u64::from(decided.status == Status::Placed);
    }
    let took = start.elapsed();
    Ok(json!({
        "what": format!("{workloads} workloads with selectors of their own, decided and booked over 1,000 clusters"),
        "ms": took.as_millis(), "placed": placed, "peak_rss_bytes": bench::peak_rss(),
    }))
}
