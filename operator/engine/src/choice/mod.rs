//! Which of the eligible clusters get how many replicas.
//!
//! [`choose`] is pure and deterministic, and reuses its [`Scratch`]. Objective, in this order: feasible; fewest replicas
//! leaving candidates that may keep them; fewest ordered groups opened; the best set of clusters in (ordered group,
//! score, name) order, where a better cluster is taken if and only if a feasible completion still exists; closeness of
//! the division to its weights. Eligibility, slots and prose are not decided here.

mod outcome;
mod problem;

pub use outcome::{Facts, Invalid, Limit, Outcome, Placement, Target};
pub use problem::{
    Candidate, Extra, Key, KeyGroups, MAX_KEYS, MAX_REPLICAS, Mode, NO_EXTRA, NO_GROUP, Problem, Rebalance, Strength,
};

/// Memory that is used again from call to call; one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    targets: Vec<Target>,
}

/// Decides. See the module.
#[must_use]
pub fn choose<'s>(problem: &Problem<'_>, scratch: &'s mut Scratch) -> Outcome<'s> {
    if problem.replicas < 1 || problem.replicas > MAX_REPLICAS {
        return Outcome::Invalid(Invalid::Replicas);
    }
    scratch.targets.clear();
    Outcome::NotProven(Facts { limit: Limit::Together, usable: 0, capacity: 0, best: 0, groups: [0; 3], nodes: 0 })
}
