//! End-to-end: real control planes, driven from tests.
//!
//! The tests stand in `tests/e2e`, a module per topic; here is what they share: the control planes with typed access
//! (`fleet`), waiting that says what it saw (`wait`), what the API servers recorded (`audit`), the operator and the agent
//! as processes that can be killed (`operator`, `agent`) with the roles they have (`rights`), and a tenant with members
//! and workloads (`scene`). `cargo xtask e2e` starts the control planes and runs the tests.

pub mod agent;
pub mod audit;
mod fleet;
pub mod ledger;
pub mod operator;
mod process;
pub mod rights;
pub mod scene;
mod wait;

pub use agent::Agent;
pub use fleet::{Cluster, Fleet, binary, root, unique};
pub use operator::{Operator, Start};
pub use process::Process;
pub use scene::Scene;
pub use testbed::Component;
pub use wait::{Seen, eventually};
