//! The world of the tests: a Kubernetes API server in memory, under production code.
//!
//! [`World`] is a `tower::Service` of HTTP requests: `world.client()` is a `kube::Client` that talks to it, without
//! sockets. It is deterministic: the clock stands until a test moves it, uids and revisions are counted, what happens in
//! the background happens in [`World::tick`]. What it says is compared with a real API server, request by request
//! (`transcripts/`, `conformance`). It has no RBAC, no admission and no conversion; what it does not do it refuses with
//! 501, and [`World::refused`] lists it so that a test can fail on it. It never ships.

pub mod conformance;
pub mod odd;

mod answer;
mod apply;
mod clock;
mod controllers;
mod discovery;
mod door;
mod faults;
mod kinds;
mod list;
mod log;
mod meta;
mod native;
mod request;
mod schema;
mod selector;
mod store;
mod subresources;
mod tick;
mod verbs;
mod watch;
mod world;

pub use clock::Clock;
pub use controllers::Controllers;
pub use door::{Door, World};
pub use faults::{Fault, Gate, WatchFault};
pub use log::Entry;
pub use request::{Request, Target};
pub use watch::{WatchStream, WorldBody};
pub use world::OpenWatch;
