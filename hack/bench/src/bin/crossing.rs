//! `cargo run --release -p bench --bin crossing [-- --problems 200 --seed 20261126]`
//!
//! Tight problems over 1,000 clusters with two crossing keys that both bound replicas (regions and providers), made from
//! a seed: the case that is hard in general. Counted is how each ends (a refusal must be proven, so `not_proven` is the
//! figure to bring down), timed is `choose` alone. One JSON line of figures; times are for people, counts for comparing.

use std::time::Instant;

use bench::Dice;
use clap::Parser;
use jiuzhou_engine::choice::{Candidate, Extra, Key, KeyGroups, Mode, Outcome, Problem, Rebalance, Scratch, choose};
use jiuzhou_engine::terms::Percent;
use serde_json::json;

const CLUSTERS: usize = 1_000;

/// Decides a seeded set of crossing problems.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 200)]
    problems: u64,
    /// Seed of the set.
    #[arg(long, default_value_t = 20_261_126)]
    seed: u64,
    /// Also print one line for each problem.
    #[arg(long)]
    each: bool,
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn short(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A key whose bounds leave little: the groups it may use hold hardly more than all replicas by their share.
fn key<'a>(dice: &mut Dice, by_slot: &'a [u32], count: u32, replicas: u64) -> Key<'a> {
    let max = dice.between(3, u64::from(count.min(12)));
    let min = dice.between(2, max);
    // Between what divides evenly and half as much again.
    let share = (100 / max + 1) + dice.below(50 / max + 1);
    Key {
        min_groups: short(min),
        max_groups: short(max),
        min_replicas: int(dice.between(1, (replicas / max).max(1))),
        max_share: Percent::new(u8::try_from(share.min(100)).unwrap_or(100)),
        ..Key::new(KeyGroups::Column { by_slot, count })
    }
}

fn main() {
    let Arguments { problems, seed, each } = Arguments::parse();
    let (mut placed, mut best, mut infeasible, mut not_proven) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut times = Vec::new();
    let mut scratch = Scratch::default();
    for number in 0..problems {
        let mut dice = Dice::new(seed.wrapping_add(number));
        let (regions, providers) = (31, 6);
        let region: Vec<u32> = (0..CLUSTERS).map(|_| short(dice.below(regions))).collect();
        let provider: Vec<u32> = (0..CLUSTERS).map(|_| short(dice.below(providers))).collect();
        let replicas = dice.between(50, 400);
        // A third of the problems has hardly more room than replicas.
        let room = if dice.below(3) == 0 { 2 } else { dice.between(4, 30) };
        let candidates: Vec<Candidate> = (0..CLUSTERS)
            .map(|slot| Candidate {
                slot: short(slot as u64),
                extra: jiuzhou_engine::choice::NO_EXTRA,
                tier: 0,
                score: int(dice.below(1_000)),
                capacity: int(dice.below(room)),
            })
            .collect();
        let ranks: Vec<u32> = (0..CLUSTERS).map(|slot| short(slot as u64)).collect();
        let keys = [
            key(&mut dice, &region, short(regions), replicas),
            key(&mut dice, &provider, short(providers), replicas),
            Key { max_groups: short(dice.between(replicas / 4 + 1, 400)), ..Key::new(KeyGroups::Cluster) },
        ];
        let count = if dice.below(2) == 0 { 3 } else { 2 };
        let problem = Problem {
            replicas: int(replicas),
            mode: Mode::ByCapacity,
            candidates: &candidates,
            extras: &[] as &[Extra],
            ranks: &ranks,
            keys: &keys[..count],
            rebalance: Rebalance::Keep,
            budget: Problem::BUDGET,
        };
        let start = Instant::now();
        let outcome = choose(&problem, &mut scratch);
        let took = start.elapsed().as_micros();
        let told = match outcome {
            Outcome::Placed(placement) => {
                placed += 1;
                best += u64::from(placement.optimal);
                if placement.optimal { "placed" } else { "placed, perhaps not the best" }
            }
            Outcome::Infeasible(_) => {
                infeasible += 1;
                "infeasible"
            }
            Outcome::NotProven(_) => {
                not_proven += 1;
                "not proven"
            }
            Outcome::Invalid(_) => "invalid",
        };
        times.push(took);
        if each {
            #[expect(clippy::print_stdout, reason = "the figures are the output")]
            {
                println!("{number}: {told}, {count} keys, {replicas} replicas, {took} us");
            }
        }
    }
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len().saturating_sub(1)) * percent / 100).copied().unwrap_or(0);
    #[expect(clippy::print_stdout, reason = "the figures are the output")]
    {
        println!(
            "{}",
            json!({
                "problems": problems, "seed": seed,
                "placed": placed, "proven_best": best, "infeasible": infeasible, "not_proven": not_proven,
                "us_median": at(50), "us_p99": at(99), "us_worst": at(100),
            })
        );
    }
}
