//! The study room asks the engine about what is not: expectations held against decisions, the present against a
//! supposed fleet, what could be emptied, what could run on which CPUs, and how days would go by.
//!
//! It decides nothing itself: every answer comes from [`jiuzhou_engine::decide`] on inputs that were changed, and is
//! compared here. Pure: no files, no clock, no prose. Reading tests and scenarios is intake's, telling is report's.

pub mod cases;
pub mod compare;
pub mod consolidate;
pub mod coverage;
#[cfg(test)]
mod fixture;
pub mod readiness;
pub mod simulate;
