//! The member room speaks with one cluster: it connects, says who the cluster is and what it has, applies deliveries
//! there and reads their status. Push from the hub and pull by the agent run the same code.
//!
//! It never sees the hub's other resources, decides nothing and reads no files or environment.

pub mod agent;
mod apply;
pub mod bootstrap;
mod call;
pub mod claim;
pub mod connection;
mod counted;
mod deliver;
mod drift;
mod found;
mod health;
pub mod inventory;
pub mod kinds;
pub mod left;
mod lineage;
mod look;
mod member;
mod namespace;
mod order;
mod pods;
pub mod probe;
mod quota;
mod removal;
mod state;
mod status;
mod takeover;
mod vacate;
pub mod watch;
pub mod witness;
mod words;

/// How a cluster is reached, for who builds an [`agent::Agent`] or a [`connection::Connection`] of this machine.
pub use kube::Config;
pub use kube::config::{KubeConfigOptions, Kubeconfig};

pub use deliver::{Secrets, deliver};
pub use health::{RuleError, Rules};
pub use look::look;
pub use member::{Actors, Knowledge, Member};
pub use vacate::{Vacated, vacate};
