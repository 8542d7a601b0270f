//! Node objects as detection takes them.
//!
//! One reading for all: `jiuzhou inventory` reads nodes from files, the operator and the agent from an API server. What
//! Koordinator says of a CPU stands in another object ([`cpu_basic_info`]); what it keeps back on a node for processes
//! outside of Kubernetes is an annotation that its scheduler takes off allocatable, so it is taken off here; pods are
//! not looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::detect::{CpuBasicInfo, NodeFacts, Taint, TaintEffect};
use serde_json::Value;

use crate::object::{Object, items, shown};
use crate::path::join;
use crate::quantity::Quantity;

/// Annotation of a NodeResourceTopology with Koordinator's description of the CPU.
const CPU_BASIC_INFO: &str = "node.koordinator.sh/cpu-basic-info";

/// Annotation of a Node with what Koordinator keeps back: `resources` and `reservedCPUs` (a cpuset, before any `cpu` of
/// the former), `applyPolicy` empty, `Default` or `ReservedCPUsOnly` (pins only).
const RESERVATION: &str = "node.koordinator.sh/reservation";

/// What Koordinator itself keeps up to date with the reservation already taken off.
const BATCH: &str = "kubernetes.io/batch-";

/// An amount of a node that is no amount; it counts as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAmount {
    /// The resource.
    pub resource: String,
    /// What stands there.
    pub seen: String,
    /// JSON pointer to it.
    pub pointer: String,
}

/// What a Node object shows, and the amounts in it that cannot be read.
#[must_use]
pub fn node_facts(node: &Value) -> (NodeFacts, Vec<BadAmount>) {
    let object = Object::new(node);
    let text = |field: &str| object.text(&format!("/status/nodeInfo/{field}")).to_owned();
    let mut bad = Vec::new();
    let mut allocatable = amounts(node, "/status/allocatable", &mut bad);
    for (name, kept) in reservation(&object) {
        if let Some(amount) = allocatable.get_mut(&name).filter(|_| !name.starts_with(BATCH)) {
            *amount = amount.saturating_sub(kept).max(0);
        }
    }
    let facts = NodeFacts {
        name: object.name().to_owned(),
        architecture: text("architecture"),
        operating_system: text("operatingSystem"),
        os_image: text("osImage"),
        kernel_version: text("kernelVersion"),
        container_runtime_version: text("containerRuntimeVersion"),
        labels: texts(node, "/metadata/labels"),
        annotations: texts(node, "/metadata/annotations"),
        allocatable,
        capacity: amounts(node, "/status/capacity", &mut bad),
        taints: items(node, "/spec/taints").iter().filter_map(taint).collect(),
        cpu_basic_info: None,
    };
    (facts, bad)
}

/// Whether the scheduler gives a node new pods that tolerate nothing: Ready, not cordoned, no hard taint.
#[must_use]
pub fn takes_pods(node: &Value) -> bool {
    let ready = items(node, "/status/conditions").iter().any(|condition| {
        let is = |field: &str, value: &str| condition.get(field).and_then(Value::as_str) == Some(value);
        is("type", "Ready") && is("status", "True")
    });
    let cordoned = node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false);
    let mut taints = items(node, "/spec/taints").iter().filter_map(taint);
    ready && !cordoned && !taints.any(|taint| taint.effect != TaintEffect::PreferNoSchedule)
}

/// What Koordinator says of the CPU of the node that a NodeResourceTopology is named after.
#[must_use]
pub fn cpu_basic_info(topology: &Value) -> Option<CpuBasicInfo> {
    let info: Value = serde_json::from_str(Object::new(topology).annotation(CPU_BASIC_INFO)?).ok()?;
    let cpu_model = info.get("cpuModel").and_then(Value::as_str).unwrap_or_default().to_owned();
    let hyper_thread_enabled = info.get("hyperThreadEnabled").and_then(Value::as_bool);
    Some(CpuBasicInfo { cpu_model, hyper_thread_enabled })
}

/// What Koordinator's scheduler takes off allocatable. An annotation that it could not read takes nothing, as there.
fn reservation(node: &Object<'_>) -> BTreeMap<String, i64> {
    let Some(said) = node.annotation(RESERVATION).and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return BTreeMap::new();
    };
    let text = |field: &str| said.get(field).and_then(Value::as_str).unwrap_or_default();
    if !matches!(text("applyPolicy"), "" | "Default") {
        return BTreeMap::new();
    }
    let mut unread = Vec::new();
    let mut kept = amounts(&said, "/resources", &mut unread);
    match cpuset(text("reservedCPUs")) {
        Some(0) => {}
        Some(cpus) => drop(kept.insert("cpu".to_owned(), cpus.saturating_mul(1000))),
        None => return BTreeMap::new(),
    }
    if unread.is_empty() { kept } else { BTreeMap::new() }
}

/// How many CPUs a cpuset like `0-3,8` names, each once; `None` where it is no cpuset.
fn cpuset(text: &str) -> Option<i64> {
    /// More than any machine has; what names more is no cpuset.
    const MOST: u32 = 65_536;
    let mut cpus = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cpus.extend(first..=last);
    }
    i64::try_from(cpus.len()).ok()
}

fn texts(node: &Value, pointer: &str) -> BTreeMap<String, String> {
    let fields = node.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
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

fn amounts(node: &Value, pointer: &str, bad: &mut Vec<BadAmount>) -> BTreeMap<String, i64> {
    let fields = node.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    let mut amounts = BTreeMap::new();
    for (name, value) in fields {
        let quantity = Quantity::from_value(value).ok().filter(|quantity| !quantity.is_negative());
        let amount = quantity.and_then(|q| if name == "cpu" { q.millicores().map(|m| m.0) } else { q.units() });
        if let Some(amount) = amount {
            amounts.insert(name.clone(), amount);
        } else {
            bad.push(BadAmount { resource: name.clone(), seen: shown(value), pointer: join(pointer, name) });
        }
    }
    amounts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(spec: &Value, ready: &str) -> Value {
        json!({
            "metadata": { "name": "n1", "labels": { "a": "b", "odd": 3 } },
            "spec": spec,
            "status": {
                "nodeInfo": { "architecture": "arm64", "kernelVersion": "4.19.90" },
                "allocatable": { "cpu": "31850m", "memory": "120Gi", "pods": "110", "huawei.com/Ascend910": -1 },
                "conditions": [{ "type": "Ready", "status": ready }],
            },
        })
    }

    #[test]
    fn a_node_is_read_and_what_is_no_amount_is_named() {
        let (facts, bad) = node_facts(&node(&json!({}), "True"));
        assert_eq!((facts.name.as_str(), facts.architecture.as_str()), ("n1", "arm64"));
        assert_eq!(facts.labels, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
        let amounts: Vec<_> = facts.allocatable.iter().map(|(name, amount)| (name.as_str(), *amount)).collect();
        assert_eq!(amounts, [("cpu", 31_850), ("memory", 120 << 30), ("pods", 110)]);
        let want = BadAmount {
            resource: "huawei.com/Ascend910".to_owned(),
            seen: "-1".to_owned(),
            pointer: "/status/allocatable/huawei.com~1Ascend910".to_owned(),
        };
        assert_eq!(bad, [want]);
    }

    #[test]
    fn what_koordinator_keeps_back_is_taken_off() {
        let table = [
            (r#"{"resources":{"cpu":"2","memory":"20Gi"}}"#, 29_850, 100),
            (r#"{"resources":{"cpu":"2"},"reservedCPUs":"0-3, 8,3"}"#, 26_850, 120),
            (r#"{"resources":{"cpu":"2"},"applyPolicy":"Default"}"#, 29_850, 120),
            (r#"{"reservedCPUs":"0-3","applyPolicy":"ReservedCPUsOnly"}"#, 31_850, 120),
            (r#"{"resources":{"cpu":"999","memory":"1Ti"}}"#, 0, 0),
            (r#"{"resources":{"example.com/dongle":"1"}}"#, 31_850, 120),
            (r#"{"reservedCPUs":"3-0","resources":{"memory":"1Gi"}}"#, 31_850, 120),
            (r#"{"reservedCPUs":"0-4294967295"}"#, 31_850, 120),
            (r#"{"resources":{"cpu":"two","memory":"1Gi"}}"#, 31_850, 120),
            ("not JSON", 31_850, 120),
        ];
        for (annotation, cpu, memory) in table {
            let mut node = node(&json!({}), "True");
            node["metadata"]["annotations"] = json!({ RESERVATION: annotation });
            node["status"]["allocatable"]["kubernetes.io/batch-cpu"] = json!("1000");
            let facts = node_facts(&node).0;
            let seen = (facts.allocatable["cpu"], facts.allocatable["memory"] >> 30);
            assert_eq!(seen, (cpu, memory), "{annotation}");
            assert_eq!(facts.allocatable["kubernetes.io/batch-cpu"], 1000);
        }
    }

    #[test]
    fn a_node_takes_pods_when_it_is_ready_and_neither_cordoned_nor_tainted() {
        let tainted = |effect: &str| json!({ "taints": [{ "key": "k", "effect": effect }] });
        let table = [
            (json!({}), "True", true),
            (json!({}), "False", false),
            (json!({}), "Unknown", false),
            (json!({ "unschedulable": true }), "True", false),
            (tainted("PreferNoSchedule"), "True", true),
            (tainted("NoSchedule"), "True", false),
            (tainted("NoExecute"), "True", false),
        ];
        for (spec, ready, want) in table {
            assert_eq!(takes_pods(&node(&spec, ready)), want, "{spec} {ready}");
        }
        assert!(!takes_pods(&json!({})), "a node that says nothing");
    }
}
