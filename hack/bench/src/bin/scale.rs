//! `cargo run --release -p bench --bin scale -- first|memory`
//!
//! What grows with the fleet. `first`: the first sight of a replica's shape at 1,000 clusters of 4 pools. `memory`:
//! 100,000 workloads with selectors of their own decided and booked over 1,000 clusters. One JSON line each. What a turn
//! among many that run costs is measured by `turns`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use jiuzhou_engine::decide::{FleetInput, Planner, Snapshot, Spec, Status};
use serde_json::{Value, json};

const SEED: u64 = 20_261_126;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    First,
    Memory,
}

/// Measures what grows with the fleet.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    what: What,
    /// Workloads of `memory`.
    #[arg(long)]
    workloads: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { what, workloads } = Arguments::parse();
    let told = match what {
        What::First => first()?,
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
