//! Nodes of equal facts as one pool, so that a cluster of 5,000 nodes is judged a handful of times.
//!
//! Capacity is not looked at: a pool is a list of node indices, and who counts room makes shapes of those nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Catalogue, Evidence, NodeFacts, NodeProfile, PoolFacts, Taint, TaintEffect, detect};

/// Nodes that no rule tells apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Facts, evidence and conflicts; evidence and conflicts are the union over the nodes.
    pub profile: NodeProfile,
    /// Labels that all nodes of the pool carry with equal values.
    pub labels: BTreeMap<String, String>,
    /// Taints that keep pods out, equal on all nodes, sorted.
    pub taints: Vec<Taint>,
    /// Indices into the list of nodes, ordered by node name.
    pub nodes: Vec<usize>,
}

/// What must be equal inside a pool. Accelerators count by name only: one broken card makes no pool of its own.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    facts: PoolFacts,
    smt: Option<bool>,
    koordinator: bool,
    labels: Vec<Option<String>>,
    taints: Vec<Taint>,
}

/// Groups nodes by equal facts, equal values of `by_labels` (zone, node pool) and equal hard taints. The order of the
/// pools follows their first node by name.
#[must_use]
pub fn group(nodes: &[NodeFacts], catalogue: &Catalogue, by_labels: &[&str]) -> Vec<Pool> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by(|a, b| nodes[*a].name.cmp(&nodes[*b].name).then(a.cmp(b)));
    let mut at: BTreeMap<Key, usize> = BTreeMap::new();
    let mut pools: Vec<Pool> = Vec::new();
    for index in order {
        let node = &nodes[index];
        let profile = detect(node, catalogue);
        let mut taints = node.taints.clone();
        taints.retain(|taint| taint.effect != TaintEffect::PreferNoSchedule);
        taints.sort();
        let mut facts = profile.facts.clone();
        facts.accelerators.values_mut().for_each(|count| *count = 0);
        let key = Key {
            facts,
            smt: profile.smt,
            koordinator: profile.koordinator_ratio.is_some(),
            labels: by_labels.iter().map(|label| node.labels.get(*label).cloned()).collect(),
            taints: taints.clone(),
        };
        match at.get(&key).and_then(|at| pools.get_mut(*at)) {
            Some(pool) => join(pool, node, index, profile),
            None => {
                at.insert(key, pools.len());
                pools.push(Pool { profile, labels: node.labels.clone(), taints, nodes: vec![index] });
            }
        }
    }
    pools
}

fn join(pool: &mut Pool, node: &NodeFacts, index: usize, profile: NodeProfile) {
    pool.nodes.push(index);
    pool.labels.retain(|key, value| node.labels.get(key) == Some(value));
    for (name, count) in profile.facts.accelerators {
        let most = pool.profile.facts.accelerators.entry(name).or_default();
        *most = count.max(*most);
    }
    let known: BTreeSet<Evidence> = pool.profile.evidence.iter().cloned().collect();
    pool.profile.evidence.extend(profile.evidence.into_iter().filter(|evidence| !known.contains(evidence)));
    for conflict in profile.conflicts {
        if !pool.profile.conflicts.contains(&conflict) {
            pool.profile.conflicts.push(conflict);
        }
    }
}
