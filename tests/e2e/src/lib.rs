//! End-to-end: real control planes, driven from tests.
//!
//! The tests stand in `tests/e2e`, a module per topic; here is what they share: the control planes with typed access
//! (`fleet`), waiting that says what it saw (`wait`), what the API servers recorded (`audit`), and the operator as a
//! process that can be killed (`operator`), and the roles it has (`rights`). `cargo xtask e2e` starts the control planes and runs the tests.

pub mod audit;
mod fleet;
pub mod ledger;
pub mod operator;
pub mod rights;
mod wait;

pub use fleet::{Cluster, Fleet, binary, root, unique};
pub use operator::Operator;
pub use testbed::Component;
pub use wait::{Seen, eventually};
