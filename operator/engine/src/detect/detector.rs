//! Detection.

use super::{Arch, Catalogue, NodeFacts, NodeProfile, OsFamily, PoolFacts};

/// What a node's CPU is.
#[must_use]
pub fn detect(node: &NodeFacts, _catalogue: &Catalogue) -> NodeProfile {
    NodeProfile {
        facts: PoolFacts::unknown(Arch::parse(&node.architecture)),
        os_family: OsFamily::default(),
        smt: None,
        per_cpu_perf: None,
        koordinator_ratio: None,
        evidence: Vec::new(),
        conflicts: Vec::new(),
    }
}
