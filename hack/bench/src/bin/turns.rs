//! `cargo run --release -p bench --bin turns [-- --workloads 5000 --clusters 100]`
//!
//! What a turn of the operator costs among many workloads that run: a few of them change, or members tell of their room,
//! and everything woken is planned with what was kept from the turn before. Times, allocations of the whole turn and,
//! where valgrind is installed, instructions; beside them the cost of a plan made with nothing, which is what a turn
//! would cost if nothing were kept. One JSON line for each number of changes.

use std::alloc::System;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use jiff::Timestamp;
use jiuzhou_engine::decide::{Changes, Current, Decision, FleetInput, Kept, Plan, Snapshot, Spec, plan, plan_with};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SEED: u64 = 20_261_126;
const AS_OF: Timestamp = Timestamp::UNIX_EPOCH;
/// Turns of each kind.
const ROUNDS: u64 = 40;

/// Measures turns.
#[derive(Debug, Parser)]
struct Arguments {
    /// Workloads that run.
    #[arg(long, default_value_t = 5_000)]
    workloads: u64,
    /// Clusters of two pools they run on.
    #[arg(long, default_value_t = 100)]
    clusters: u64,
    /// Take one turn of so many changes and count nothing; what callgrind looks at.
    #[arg(long, hide = true)]
    run: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut world = World::new(&arguments)?;
    if let Some(changes) = arguments.run {
        world.change(0, changes);
        return world.turn().map(drop);
    }
    say(&world.made_anew()?);
    for changes in [0, 1, 10, 100] {
        let mut told = world.measure(changes)?;
        told["instructions"] = instructions(&arguments, changes)?.into();
        say(&told);
    }
    say(&world.heartbeats()?);
    Ok(())
}

fn say(line: &serde_json::Value) {
    #[expect(clippy::print_stdout, reason = "the figures are the output")]
    {
        println!("{line}");
    }
}

/// A fleet at rest, and what is kept of it.
struct World {
    snapshot: Snapshot,
    kept: Kept,
}

impl World {
    fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let specs: Vec<Spec> = (0..arguments.workloads).map(|n| bench::spec(SEED, n, true)).collect();
        let mut clusters = bench::clusters(SEED, arguments.clusters, 2);
        // Nodes enough that nearly everything finds a place: what waits is decided in every turn.
        let nodes = clusters.iter_mut().flat_map(|cluster| &mut cluster.pools).flat_map(|pool| &mut pool.shapes);
        nodes.for_each(|shape| shape.count *= 40);
        let mut snapshot = Snapshot::new(FleetInput { clusters, specs, ..FleetInput::default() })?;
        let first = plan(&snapshot, &Changes::default(), AS_OF)?;
        take_in(&mut snapshot, &first);
        let mut kept = Kept::default();
        plan_with(&snapshot, &Changes::default(), AS_OF, &mut kept)?;
        Ok(Self { snapshot, kept })
    }

    /// One replica more for some workloads, others in each round.
    fn change(&mut self, round: u64, changes: u64) {
        let all: Vec<_> = self.snapshot.specs().map(|spec| spec.key.clone()).collect();
        for n in 0..changes {
            let at = usize::try_from((round * 97 + n * 461) % all.len() as u64).unwrap_or(0);
            let Some(known) = all.get(at).and_then(|key| self.snapshot.spec(key)) else { continue };
            let spec = Spec { replicas: known.replicas + 1, changed: true, ..(**known).clone() };
            self.snapshot.upsert_spec(spec);
        }
    }

    #[inline(never)]
    fn turn(&mut self) -> anyhow::Result<Plan> {
        Ok(plan_with(&self.snapshot, &Changes::default(), AS_OF, &mut self.kept)?)
    }

    /// The same as a turn, with nothing kept.
    fn made_anew(&self) -> anyhow::Result<serde_json::Value> {
        let mut times = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            plan(&self.snapshot, &Changes::default(), AS_OF)?;
            times.push(start.elapsed());
        }
        let (median, _) = middle(times);
        Ok(json!({ "what": "a turn with nothing kept", "us_median": median }))
    }

    /// Turns of so many changes. What a turn decided is taken in, and taken into what is kept by a turn of its own that
    /// is counted apart: it comes with the events of what was written.
    fn measure(&mut self, changes: u64) -> anyhow::Result<serde_json::Value> {
        let (mut turns, mut after, mut allocations, mut decided) = (Vec::new(), Vec::new(), 0, 0);
        for round in 0..ROUNDS {
            self.change(round, changes);
            let (before, start) = (ALLOCATOR.stats(), Instant::now());
            let plan = self.turn()?;
            turns.push(start.elapsed());
            let used = ALLOCATOR.stats() - before;
            allocations = used.allocations + used.reallocations;
            decided = plan.decisions.len();
            take_in(&mut self.snapshot, &plan);
            let start = Instant::now();
            self.turn()?;
            after.push(start.elapsed());
        }
        let ((median, p99), (median_after, _)) = (middle(turns), middle(after));
        Ok(json!({
            "what": format!("a turn with {changes} changed"), "us_median": median, "us_p99": p99,
            "us_median_taken_in": median_after, "decisions": decided, "allocations": allocations,
        }))
    }

    /// Turns in which one member tells of its room and nothing else is new.
    fn heartbeats(&mut self) -> anyhow::Result<serde_json::Value> {
        let clusters: Vec<_> = self.snapshot.clusters().map(|(_, cluster)| (**cluster).clone()).collect();
        let mut times = Vec::new();
        for mut cluster in clusters.into_iter().take(usize::try_from(ROUNDS)?) {
            let nodes = cluster.pools.iter_mut().flat_map(|pool| &mut pool.shapes);
            nodes.for_each(|shape| shape.count += 1);
            self.snapshot.upsert_cluster(cluster);
            let start = Instant::now();
            self.turn()?;
            times.push(start.elapsed());
        }
        let (median, p99) = middle(times);
        Ok(json!({ "what": "a turn in which one member tells of its room", "us_median": median, "us_p99": p99 }))
    }
}

/// What was decided runs.
fn take_in(snapshot: &mut Snapshot, plan: &Plan) {
    let decisions: BTreeMap<_, &Decision> = plan.decisions.iter().map(|d| (&d.key, d)).collect();
    for (key, decision) in decisions {
        let Some(known) = snapshot.spec(key) else { continue };
        let current = decision.targets.iter().map(|target| Current {
            cluster: target.cluster.clone(),
            placed: target.replicas,
            observed: target.replicas,
        });
        let spec = Spec { current: current.collect(), changed: false, ..(**known).clone() };
        snapshot.upsert_spec(spec);
    }
}

fn middle(mut times: Vec<Duration>) -> (u128, u128) {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).map_or(0, Duration::as_micros);
    (at(50), at(99))
}

/// Instructions of one turn; `None` where valgrind is not installed.
fn instructions(arguments: &Arguments, changes: u64) -> anyhow::Result<Option<u64>> {
    let own = std::env::current_exe().context("failed to find this program")?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    valgrind.arg("--toggle-collect=*World::turn*").arg(own);
    let Arguments { workloads, clusters, run: _ } = arguments;
    valgrind.args(["--workloads", &workloads.to_string(), "--clusters", &clusters.to_string()]);
    let output = match valgrind.args(["--run", &changes.to_string()]).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("failed to start valgrind"),
    };
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    let count = collected.and_then(|count| count.parse().ok()).filter(|count| *count > 0);
    Ok(Some(count.with_context(|| format!("failed to count instructions: {told}"))?))
}
