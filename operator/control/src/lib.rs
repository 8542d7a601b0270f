//! The control room acts: it reads the hub's API server, asks the engine, commits what was decided, has it recorded and
//! delivered, and tells how it went.
//!
//! One way, in this order: `hub` (what the API server says) -> [`state`] (the snapshot, kept up to date) -> `planner`
//! (the one task: `decide` commits, `record` remembers, `workload` orders and tells) -> [`orders`] (the border to who
//! delivers). Beside it: `fleet` (members), [`tenants`], `reports` (figures, metrics and reminders from copies), [`people`] (what they order). Nothing here reads YAML files or prints; no rule about where a workload may run stands here.

#[cfg(test)]
mod campaign;
mod connect;
mod decide;
mod definitions;
pub mod delivery;
pub mod dump;
mod error;
mod events;
pub mod export;
pub mod fleet;
pub mod http;
mod hub;
mod keys;
#[cfg(test)]
mod kstatus_tests;
pub mod leader;
pub mod metrics;
mod options;
pub mod orders;
pub mod people;
mod planner;
mod record;
mod reports;
pub mod revision;
pub mod rights;
mod run;
mod seeded;
mod select;
pub mod state;
mod stop;
mod systems;
pub mod telemetry;
pub mod tenants;
#[cfg(test)]
mod testing;
mod workload;

pub use kube::Client;

pub use connect::{Target, connect, install_crypto};
pub use error::{Category, Error};
pub use options::Options;
pub use planner::Clock;
pub use record::journal::{Decided, read as read_decisions};
pub use record::retention::Keep;
pub use run::run;
pub use stop::{Stop, Stopper};
