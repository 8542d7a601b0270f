//! What to do next, from what is wanted and what is seen: `step(state, seen) -> actions`, pure and without a clock.
//!
//! A step never looks at how it came to a state: after a restart it is asked again with what is seen then and answers
//! the same. Writing, waiting and retrying are control's; which replicas go where was decided before ([`crate::decide`]).

pub mod application;
pub mod failover;
pub mod migration;
pub mod rollout;
pub mod shift;

pub use shift::{Action, Continuity, Part, Ran, Seen, Wait, shift};
