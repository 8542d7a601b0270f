//! What a person decides about a run of the operator; everything else is read from the hub.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::record::retention::Keep;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the audit log.
    pub audit: PathBuf,
    /// How much of the inputs of decisions is kept there.
    pub keep: Keep,
    /// Where health and metrics answer; metrics without authentication on loopback, else by bearer token.
    pub listen: SocketAddr,
    /// Whether a lease is held before anything is written.
    pub leader_election: bool,
    /// Whether the hub is said to be dedicated (no controller of workloads acts there).
    pub dedicated_hub: bool,
    /// Collector that traces of decisions go to, `http://HOST:PORT`.
    pub otlp: Option<String>,
}
