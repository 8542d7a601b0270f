//! A decision in numbers, before it is told: slots and amounts, no names.
//!
//! The record with names is made of it by `tell`.

use super::record::Status;
use super::snapshot::ClusterSlot;
use crate::choice::{Facts, Limit, MAX_KEYS};

/// A decision before it is told: slots, numbers, no names. See [`Planner::record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// How it ended.
    pub status: Status,
    /// Replicas by cluster, in name order. What runs stays when the status is not `Placed`.
    pub targets: Vec<(ClusterSlot, i64)>,
    /// What limited it.
    pub limit: Option<Hindrance>,
    /// Preferred spreads that were given up: bit per entry of the policy's spread.
    pub dropped: u8,
    /// What runs was placed anew, by an order or for a better score.
    pub rebalanced: bool,
    /// Clusters without room for one replica.
    pub full: u32,
    pub(crate) block: usize,
    pub(crate) shape: usize,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Choice found no placement.
    Choice {
        /// What bound, with the facts of the refusal.
        limit: Limit,
        /// Replicas the best clusters hold within the bounds on groups.
        best: i64,
        /// Replicas all usable clusters hold.
        capacity: i64,
        /// Usable groups of each key.
        groups: [u32; MAX_KEYS],
        /// Search nodes used.
        nodes: u64,
    },
    /// A quota.
    Quota {
        /// Whose.
        tenant: String,
        /// Of what.
        resource: String,
        /// Still free.
        left: i64,
        /// Needed.
        needed: i64,
    },
    /// No cluster passes all rules.
    NoCluster,
    /// No cluster passes all rules, but this one is kept out only by what passes by itself: a freeze, a drain, a lost
    /// connection.
    Waits(ClusterSlot),
    /// Replicas outside 0 to the most that can be decided.
    Replicas,
    /// A person's order stops it: its places stay as they are.
    Stopped {
        /// Number of the order.
        order: String,
    },
    /// Another workload of its colocation set found no place with it.
    Colocation,
    /// Replicas stand on a cluster that the snapshot does not have. Nothing is done on a guess: a cluster that leaves the
    /// fleet passes through its state of leaving.
    ClusterMissing(String),
}

pub(super) fn hindrance(facts: Facts) -> Hindrance {
    let Facts { limit, best, capacity, groups, nodes, .. } = facts;
    Hindrance::Choice { limit, best, capacity, groups, nodes }
}
