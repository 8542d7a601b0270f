//! Which of the eligible clusters get how many replicas.
//!
//! [`choose`] is pure and deterministic, and reuses its [`Scratch`]. Objective, in this order: feasible; fewest replicas
//! leaving candidates that may keep them; fewest ordered groups opened; the best set of clusters in (ordered group,
//! score, name) order, where a better cluster is taken if and only if a feasible completion still exists; closeness of
//! the division to its weights. Eligibility, slots and prose are not decided here.

mod assign;
mod cells;
mod change;
mod divide;
mod facts;
mod families;
mod flow;
mod force;
mod frame;
mod nested;
mod order;
mod outcome;
mod problem;
mod score;
mod solve;
mod state;
mod walk;

#[cfg(test)]
mod brute;
#[cfg(test)]
mod laws;

pub use change::{Change, Step, Why, changes};
pub use divide::{Bound, Divider, Share};
pub use force::{Force, name_forces};
pub use outcome::{Facts, Invalid, Limit, Outcome, Placement, Target};
pub use problem::{
    Candidate, Extra, Key, KeyGroups, MAX_KEYS, MAX_REPLICAS, Mode, NO_EXTRA, NO_GROUP, Problem, Rebalance, Strength,
};
pub use score::{Contribution, POINTS, Term, score};
pub use solve::{Scratch, choose};
