//! Deciding where workloads go.
//!
//! [`input`] is what the engine is told about the fleet, [`Spec`] what a workload asks, [`Decision`], [`Plan`] and
//! [`Explanation`] what comes out. In between: the compiled [`Snapshot`], the rules, the ledger of capacity and quota.
//! How replicas are chosen among candidates is [`crate::choice`]'s, what fits into a node [`crate::capacity`]'s, and
//! whether an image runs on a CPU [`crate::detect`]'s.

pub mod affinity;
mod bookings;
mod build;
mod calendar;
pub mod canonical;
mod changes;
mod columns;
mod decided;
#[cfg(test)]
mod enough_tests;
mod explain;
mod failback;
mod fingerprint;
mod fit;
#[cfg(test)]
mod fixture;
mod frozen;
mod holds;
mod index;
pub mod input;
mod judged;
mod kept;
#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod laws;
mod ledger;
mod mask;
mod nearest;
mod nodes;
mod orders;
mod plan;
mod planner;
mod platforms;
mod pool_rules;
mod quota;
mod record;
mod repack;
pub mod resources;
mod rule;
mod rules;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod scenarios_of_changes;
#[cfg(test)]
mod scenarios_of_orders;
#[cfg(test)]
mod scenarios_of_parts;
#[cfg(test)]
mod scenarios_of_pools;
#[cfg(test)]
mod scenarios_of_scaling;
mod shape;
mod snapshot;
mod spec;
mod spreads;
mod standing;
mod stay;
mod store;
mod tell;
pub mod tier;
#[cfg(test)]
mod unhealthy_tests;
mod verdicts;
mod view;
mod wake;

pub use decided::{Decided, Hindrance};
pub use explain::{cost, explain, explain_all, explain_all_on};
pub use fit::{Fit, fit, undescribed, unknown};
pub use frozen::held_by_freeze;
pub use kept::Kept;
pub use nearest::{Nearest, plan_and_nearest};
pub use nodes::{NodeAffinities, NodeDemand, NodeTerm, node_affinity};
pub use plan::{Changes, PlanError, PlanInput, Replay, decide, outline_with, plan, plan_with, replay, replay_on};
pub use planner::Planner;
pub use record::{
    Change, ClusterExplanation, Decision, Explanation, Move, Outline, Outlined, Plan, PoolExplanation, QuotaUse,
    RuleCheck, ScoreTerm, Status, Target, Violation,
};
pub use resources::Resources;
pub use rule::{Answer, Check, Rule};
pub use snapshot::{ClusterSlot, FleetInput, Snapshot, SnapshotError};
pub use spec::{
    Cause, CpuSensitivity, Current, DaemonInput, Division, Image, MaxShare, Mode, Part, PodInput, Policy, Preference,
    Requirement, ShareOf, Spec, Spread, SpreadKey, Stop, WorkloadKey,
};
pub use verdicts::Verdicts;
pub use view::demanded_tier;
