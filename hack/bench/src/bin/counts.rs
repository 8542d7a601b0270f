//! `cargo run --release -p bench --bin counts [-- --write]`
//!
//! Counts allocations and instructions of fixed work and compares them with `hack/bench/counts.json`, which is committed.
//! Counts, never times: they say the same on a busy machine. Instructions are counted by valgrind (callgrind) where it is
//! installed, of `counted` alone; without it that is said and only allocations are compared. A count above its figure by
//! more than the tolerance fails; one below it by more asks for `--write`, so that what was gained is kept.

use std::alloc::System;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use jiuzhou_engine::decide::{Changes, FleetInput, Planner, Snapshot, Spec, plan};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SEED: u64 = 20_261_126;

/// Compares counts with the committed ones.
#[derive(Debug, Parser)]
struct Arguments {
    /// Write the counts instead of comparing them.
    #[arg(long)]
    write: bool,
    /// Do this work once and count nothing; what callgrind looks at.
    #[arg(long, hide = true)]
    run: Option<Work>,
}

/// Work of which one measure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Work {
    /// 300 workloads with selectors of their own decided over 1,000 clusters; the shapes are known.
    Decide,
    /// The same, each booked before the next.
    Reserve,
    /// 20 shapes seen first over 1,000 clusters of 4 pools.
    First,
    /// A plan of 200 workloads over 100 clusters with its records.
    Plan,
}

const ALL: [Work; 4] = [Work::Decide, Work::Reserve, Work::First, Work::Plan];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    allocations: u64,
    /// `None` where valgrind is not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<u64>,
}

/// The committed file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    tolerance_percent: u64,
    counts: BTreeMap<Work, Count>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { write, run } = Arguments::parse();
    if let Some(work) = run {
        Made::new(work)?.counted()?;
        return Ok(());
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.json");
    let mut now = BTreeMap::new();
    for work in ALL {
        now.insert(work, Count { allocations: allocations(work)?, instructions: instructions(work)? });
    }
    if now.values().any(|count| count.instructions.is_none()) {
        say("valgrind is not installed: instructions are not counted");
    }
    let known = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice::<Counts>(&text).ok());
    if write {
        let tolerance_percent = known.as_ref().map_or(10, |known| known.tolerance_percent);
        return save(&file, &Counts { tolerance_percent, counts: now });
    }
    let known = known.with_context(|| format!("failed to read {}", file.display()))?;
    let mut fault = false;
    for (work, count) in &now {
        let before = known.counts.get(work).copied().context("failed to find a count: run with --write")?;
        let pairs = [
            ("allocations", Some(before.allocations), Some(count.allocations)),
            ("instructions", before.instructions, count.instructions),
        ];
        for (what, before, now) in pairs {
            let (Some(before), Some(now)) = (before, now) else { continue };
            let slack = before * known.tolerance_percent / 100 + 16;
            let verdict = match now {
                now if now > before + slack => "MORE",
                now if now + slack < before => "LESS: run with --write and commit",
                _ => "as committed",
            };
            fault |= verdict != "as committed";
            say(&format!("{work:?} {what}: {now}, committed {before}: {verdict}"));
        }
    }
    if fault {
        bail!("failed to stay within {} percent of the committed counts", known.tolerance_percent);
    }
    Ok(())
}

fn say(line: &str) {
    #[expect(clippy::print_stdout, reason = "the counts are the output")]
    {
        println!("{line}");
    }
}

fn save(file: &PathBuf, counts: &Counts) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(counts)? + "\n";
    std::fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
}

/// What a piece of work needs, made before counting begins.
struct Made {
    work: Work,
    snapshot: Snapshot,
    specs: Vec<Arc<Spec>>,
}

impl Made {
    fn new(work: Work) -> anyhow::Result<Self> {
        let (clusters, pools, specs) = match work {
            Work::Decide | Work::Reserve => (1_000, 1, 300),
            Work::First => (1_000, 4, 20),
            Work::Plan => (100, 2, 200),
        };
        let clusters = bench::clusters(SEED, clusters, pools);
        let snapshot = Snapshot::new(FleetInput { clusters, ..FleetInput::default() })?;
        let specs = (0..specs).map(|n| Arc::new(bench::spec(SEED, n, true))).collect();
        Ok(Self { work, snapshot, specs })
    }

    /// The work. Of its own, so that callgrind can be told to look at nothing else.
    fn counted(&self) -> anyhow::Result<u64> {
        let mut planner = Planner::new(&self.snapshot, Timestamp::UNIX_EPOCH);
        if matches!(self.work, Work::Decide | Work::Reserve) {
            self.specs.iter().for_each(|spec| planner.prepare(spec));
        }
        let specs: Vec<Spec> = self.specs.iter().map(|spec| (**spec).clone()).collect();
        let before = ALLOCATOR.stats();
        counted(self.work, &self.snapshot, &mut planner, &self.specs, specs)?;
        let used = ALLOCATOR.stats() - before;
        Ok(u64::try_from(used.allocations + used.reallocations)?)
    }
}

#[inline(never)]
fn counted(
    work: Work,
    snapshot: &Snapshot,
    planner: &mut Planner<'_>,
    shared: &[Arc<Spec>],
    specs: Vec<Spec>,
) -> anyhow::Result<()> {
    match work {
        Work::First => specs.iter().for_each(|spec| planner.prepare(spec)),
        Work::Plan => {
            let changes = Changes { specs, ..Changes::default() };
            plan(snapshot, &changes, Timestamp::UNIX_EPOCH)?;
        }
        Work::Decide | Work::Reserve => {
            for spec in shared {
                let decided = planner.decide(spec);
                if work == Work::Reserve {
                    planner.commit(spec, &decided);
                }
            }
        }
    }
    Ok(())
}

fn allocations(work: Work) -> anyhow::Result<u64> {
    Made::new(work)?.counted()
}

/// `None` where valgrind is not installed.
fn instructions(work: Work) -> anyhow::Result<Option<u64>> {
    let name = work.to_possible_value().context("failed to name the work")?;
    let own = std::env::current_exe().context("failed to find this program")?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counts::counted*"]);
    valgrind.arg(own).args(["--run", name.get_name()]);
    let output = match valgrind.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("failed to start valgrind"),
    };
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    let count = collected.and_then(|count| count.parse().ok()).filter(|count| *count > 0);
    Ok(Some(count.with_context(|| format!("failed to count instructions: {told}"))?))
}
