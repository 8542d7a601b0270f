//! The control room acts: it reads the hub's API server, asks the engine, commits what was decided, has it recorded and
//! delivered, and tells how it went.
//!
//! One way, in this order: [`hub`] (what the API server says) -> `state` (the snapshot, kept up to date) -> `planner`
//! (what is decided anew, committed and recorded) -> delivery -> `status`. Nothing here reads YAML files or prints; no
//! rule about where a workload may run stands here.

mod connect;
pub mod delivery;
mod error;
pub mod export;
pub mod http;
pub mod leader;
pub mod metrics;
mod options;
pub mod orders;
pub mod rights;
mod run;
mod stop;
pub mod telemetry;

pub use kube::Client;

pub use connect::{Target, connect, install_crypto};
pub use error::{Category, Error};
pub use options::Options;
pub use run::run;
pub use stop::Stop;
