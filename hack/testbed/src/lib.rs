//! Real Kubernetes control planes on this machine: a hub and member clusters with fake nodes of several CPUs.
//!
//! What `hack/clusters` starts for a person and the end-to-end tests for themselves: etcd, kube-apiserver,
//! kube-controller-manager, kube-scheduler and KWOK, which makes pods Running without containers. One file each says
//! where the binaries come from (`tools`, `compile`), which CPUs there are (`chips`), how one control plane is started
//! and stopped (`plane`), how a set of them lives in one folder (`set`), and, for tests, how the way to one is hurt (`faults`). Nothing here knows Jiuzhou's resources.

pub mod chips;
pub mod cli;
mod compile;
#[cfg(feature = "faults")]
pub mod faults;
mod kubeconfig;
mod plane;
mod ports;
mod processes;
mod set;
mod tools;

pub use plane::{Component, Plane};
pub use set::{Layout, Row, Set};
pub use tools::{Group, Tool, Tools};
