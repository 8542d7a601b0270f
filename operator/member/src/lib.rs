//! The member room speaks with one cluster: it applies deliveries there and reads their status. Push from the hub and
//! pull by the agent run the same code.
//!
//! It never sees the hub's other resources, decides nothing and reads no files or environment.

mod apply;
mod call;
mod deliver;
mod drift;
mod health;
pub mod kinds;
mod look;
mod member;
mod namespace;
mod order;
mod pods;
mod removal;
mod status;
mod takeover;
pub mod watch;
pub mod witness;
mod words;

pub use deliver::{Secrets, deliver};
pub use health::{RuleError, Rules};
pub use look::look;
pub use member::{Actors, Knowledge, Member};
