//! The chart, without helm: what is generated is up to date, what helm rendered keeps its promises, every query reads.
//!
//! `UPDATE_GOLDEN=1` rewrites what is generated. What needs the real helm stands in tests/e2e; `charts/render.sh` writes
//! what helm renders.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;
mod queries;
mod rendered;
mod sources;
