//! Node objects as detection takes them, and as pools of the cluster they name.
//!
//! A Node belongs to the cluster its label `jiuzhou.dev/cluster` names. Pods are not read: what a node has free is what
//! it can allocate, so these pools are for looking and for first plans, and a cluster's own status comes before them.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_engine::decide::input::{NodeShapeInput, PoolInput};
use jiuzhou_engine::detect::{Catalogue, CpuBasicInfo, NodeFacts, Pool, group};
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::node::{BadAmount, cpu_basic_info, node_facts};

use crate::documents::Document;
use crate::native::Native;
use crate::schema::structure::UNITS;

/// The nodes of an input in order of name, with what Koordinator says of them.
#[must_use]
pub fn nodes(natives: &[Native], findings: &mut Vec<Finding>) -> Vec<NodeFacts> {
    let topologies = natives.iter().filter(|native| native.document.kind == "NodeResourceTopology");
    let described: BTreeMap<&str, CpuBasicInfo> = topologies
        .filter_map(|native| Some((native.document.name.as_str(), cpu_basic_info(&native.document.value)?)))
        .collect();
    let is_node = |native: &&Native| native.document.kind == "Node" && native.document.api_version == "v1";
    let mut nodes: Vec<NodeFacts> = natives
        .iter()
        .filter(is_node)
        .map(|native| {
            let mut facts = facts(&native.document, findings);
            facts.cpu_basic_info = described.get(native.document.name.as_str()).cloned();
            facts
        })
        .collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
}

fn facts(document: &Document, findings: &mut Vec<Finding>) -> NodeFacts {
    let (mut facts, bad) = node_facts(&document.value);
    facts.name = document.name.clone();
    findings.extend(bad.into_iter().map(|BadAmount { resource, seen, pointer }| {
        let reason = Reason::new(Code::UnitUnknown).object(resource).seen(seen);
        document.finding(reason.wanted(UNITS), &pointer)
    }));
    facts
}

/// A label with more values than this on the nodes of a cluster makes no pools.
const MOST_VALUES: usize = 16;

/// Pools by cluster, from the nodes that name one; nodes that differ in a label of `asked_for` are not one pool.
pub(super) fn pools(
    nodes: &[NodeFacts],
    catalogue: &Catalogue,
    asked_for: &BTreeSet<String>,
) -> BTreeMap<String, Vec<PoolInput>> {
    let mut by_cluster: BTreeMap<String, Vec<NodeFacts>> = BTreeMap::new();
    for node in nodes {
        if let Some(cluster) = node.labels.get(meta::LABEL_CLUSTER) {
            by_cluster.entry(cluster.clone()).or_default().push(node.clone());
        }
    }
    let pools = |nodes: &Vec<NodeFacts>| {
        let values = |label: &str| nodes.iter().map(|node| node.labels.get(label)).collect::<BTreeSet<_>>().len();
        let few = asked_for.iter().map(String::as_str).filter(|label| values(label) <= MOST_VALUES);
        let by_labels: Vec<&str> = std::iter::once(meta::LABEL_NODE_ZONE).chain(few).collect();
        let groups = group(nodes, catalogue, &by_labels);
        groups.into_iter().enumerate().map(|(index, pool)| self::pool(index, pool, nodes)).collect()
    };
    by_cluster.iter().map(|(cluster, nodes)| (cluster.clone(), pools(nodes))).collect()
}

fn pool(index: usize, pool: Pool, nodes: &[NodeFacts]) -> PoolInput {
    let Pool { profile, labels, taints, nodes: members } = pool;
    let mut shapes: BTreeMap<&BTreeMap<String, i64>, i64> = BTreeMap::new();
    for node in members.iter().filter_map(|member| nodes.get(*member)) {
        *shapes.entry(&node.allocatable).or_insert(0) += 1;
    }
    PoolInput {
        name: format!("{}-{index}", profile.facts.name()),
        zone: labels.get(meta::LABEL_NODE_ZONE).cloned().unwrap_or_default(),
        unschedulable: Vec::new(),
        cpu_normalised: profile.koordinator_ratio.is_some(),
        facts: profile.facts,
        shapes: shapes.into_iter().map(|(free, count)| NodeShapeInput { count, free: free.clone() }).collect(),
        labels,
        taints: taints.into_iter().collect(),
    }
}
