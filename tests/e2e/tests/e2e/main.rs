//! Jiuzhou on real control planes, a module per topic. `cargo xtask e2e [FILTER]` starts them and runs this.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_worlds;
mod chart;
mod definitions;
mod emergency;
mod hostile;
mod hub;
mod images;
mod life;
mod lost;
mod migration;
mod operator;
mod orders;
mod planes;
mod pull;
mod rebalance;
mod reports;
mod rights;
mod rollout;
mod rules;
mod select;
mod stories;
mod takeover;
mod tenant;
mod transcripts;
mod unwell;
mod upgrade;

/// The examples of the rules, the same that `operator/api/tests/rules.rs` tries offline.
#[path = "../../../../operator/api/tests/cases/mod.rs"]
mod cases;
