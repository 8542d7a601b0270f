//! Days of a fleet, event by event: workloads come and go, curves rise and fall, clusters fail, evidence runs out, prices
//! change, and the engine that plans and operates decides at every turn.
//!
//! Every place of a replica is a decision of [`jiuzhou_engine::decide::plan_with`], carried out as
//! [`jiuzhou_engine::step::shift`] orders. A cluster that fails is told to the engine as not reached; a workload that
//! leaves it is told as not running there any more, with the cause of a failover: no rule is passed by, and none is
//! repeated here. The same simulation gives the same outcome on any number of threads and in any order of its inputs.
//!
//! [`model`] is what goes in, [`outcome`] what comes out; `queue` orders events, `copies` is a workload as it exists,
//! `account` adds up, `run` does.

mod account;
mod copies;
mod dice;
mod live;
mod model;
mod outcome;
mod queue;
mod run;
#[cfg(test)]
mod tests;

pub use dice::Dice;
pub use model::{
    Arrivals, Chosen, Conduct, Curve, DAY, Effect, Failover, FailureTimes, Failures, HOUR, Simulation, Stage, Stay,
    Traits,
};
pub use outcome::{Activity, ClusterTold, DateTold, Day, Group, Outcome, Service, Spending, Standing, WorkloadTold};
pub use run::{SimulateError, simulate};
