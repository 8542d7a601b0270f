//! Jiuzhou on real control planes, a module per topic. `cargo xtask e2e [FILTER]` starts them and runs this.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chart;
mod definitions;
mod hub;
mod life;
mod operator;
mod planes;
mod rules;
mod select;
mod stories;
mod transcripts;

/// The examples of the rules, the same that `operator/api/tests/rules.rs` tries offline.
#[path = "../../../../operator/api/tests/cases/mod.rs"]
mod cases;
