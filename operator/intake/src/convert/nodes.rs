//! Node objects as detection takes them, and as pools of the cluster they name.
//!
//! A Node belongs to the cluster its label `jiuzhou.dev/cluster` names. Pods are not read: what a node has free is what
//! it can allocate, so these pools are for looking and for first plans, and a cluster's own status comes before them.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_engine::decide::input::{NodeShapeInput, PoolInput};
use jiuzhou_engine::detect::{Catalogue, CpuBasicInfo, NodeFacts, Pool, Taint, TaintEffect, group};
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::quantity::Quantity;
use serde_json::Value;

use crate::documents::Document;
use crate::native::Native;

/// Annotation of a NodeResourceTopology with Koordinator's description of the CPU.
const CPU_BASIC_INFO: &str = "node.koordinator.sh/cpu-basic-info";

/// The nodes of an input in order of name, with what Koordinator says of them.
#[must_use]
pub fn nodes(natives: &[Native], findings: &mut Vec<Finding>) -> Vec<NodeFacts> {
    let mut described: BTreeMap<&str, CpuBasicInfo> = BTreeMap::new();
    for native in natives.iter().filter(|n| n.document.kind == "NodeResourceTopology") {
        let annotations = native.document.value.pointer("/metadata/annotations");
        let text = annotations.and_then(|a| a.get(CPU_BASIC_INFO)).and_then(Value::as_str);
        let info = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(info) = info {
            let cpu_model = info.get("cpuModel").and_then(Value::as_str).unwrap_or_default().to_owned();
            let hyper_thread_enabled = info.get("hyperThreadEnabled").and_then(Value::as_bool);
            described.insert(&native.document.name, CpuBasicInfo { cpu_model, hyper_thread_enabled });
        }
    }
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
    let value = &document.value;
    let text = |field: &str| {
        let found = value.pointer(&format!("/status/nodeInfo/{field}")).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let map = |pointer: &str| -> BTreeMap<String, String> {
        let fields = value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
        fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let taints = value.pointer("/spec/taints").and_then(Value::as_array).into_iter().flatten();
    NodeFacts {
        name: document.name.clone(),
        architecture: text("architecture"),
        operating_system: text("operatingSystem"),
        os_image: text("osImage"),
        kernel_version: text("kernelVersion"),
        container_runtime_version: text("containerRuntimeVersion"),
        labels: map("/metadata/labels"),
        annotations: map("/metadata/annotations"),
        allocatable: amounts(document, "/status/allocatable", findings),
        capacity: amounts(document, "/status/capacity", findings),
        taints: taints.filter_map(taint).collect(),
        cpu_basic_info: None,
    }
}

fn taint(value: &Value) -> Option<Taint> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let effect = match text("effect").as_str() {
        "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
        "NoSchedule" => TaintEffect::NoSchedule,
        "NoExecute" => TaintEffect::NoExecute,
        _ => return None,
    };
    Some(Taint { key: text("key"), value: text("value"), effect })
}

fn amounts(document: &Document, pointer: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, i64> {
    let fields = document.value.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    let mut amounts = BTreeMap::new();
    for (name, value) in fields {
        let quantity = Quantity::from_value(value).ok().filter(|q| !q.is_negative());
        let amount = quantity.and_then(|q| if name == "cpu" { q.millicores().map(|m| m.0) } else { q.units() });
        if let Some(amount) = amount {
            amounts.insert(name.clone(), amount);
        } else {
            let reason = Reason::new(Code::UnitUnknown).object(name.as_str()).seen(value.to_string());
            let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            findings.push(document.finding(reason.wanted("≥ 0"), &at));
        }
    }
    amounts
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
