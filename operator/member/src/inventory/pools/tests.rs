//! Nodes in, pools out.

use jiuzhou_objects::node::{node_facts, takes_pods};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::pod::pod_requests;
use serde_json::{Value, json};

use super::*;

fn node(name: &str, change: impl FnOnce(&mut Value)) -> NodeSeen {
    let mut node = json!({
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/arch": "arm64", "jiuzhou.dev/zone": "gov-extranet",
            "feature.node.kubernetes.io/cpu-cpuid.AES": "true", "rack": "r1",
        } },
        "spec": {},
        "status": {
            "nodeInfo": {
                "architecture": "arm64", "operatingSystem": "linux", "osImage": "Kylin V10",
                "kernelVersion": "4.19.90-24.4.v2101.ky10.aarch64", "containerRuntimeVersion": "containerd://1.7.13",
            },
            "allocatable": { "cpu": "32", "memory": "64Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    });
    change(&mut node);
    NodeSeen { facts: node_facts(&node).0, takes_pods: takes_pods(&node) }
}

fn plain(name: &str) -> NodeSeen {
    node(name, |_| {})
}

fn pod(cpu: &str) -> PodRequests {
    let pod = json!({ "spec": { "containers": [{ "resources": { "requests": { "cpu": cpu, "memory": "1Gi" } } }] } });
    pod_requests(Object::new(&pod), "", &mut Vec::new())
}

fn free(pool: &api::PoolStatus, resource: &str) -> Vec<(i32, String)> {
    pool.free
        .iter()
        .map(|shape| (shape.nodes, shape.free.get(resource).map(|q| q.0.clone()).unwrap_or_default()))
        .collect()
}

#[test]
fn nodes_of_equal_facts_are_one_pool_and_what_others_use_is_taken_off() {
    let mut used = Used::default();
    used.add(&pod("1500m"));
    used.add(&pod("500m"));
    let used = BTreeMap::from([("b".to_owned(), used)]);
    let (pools, left_out) = pools(&[plain("a"), plain("b"), plain("c")], &used, &Catalogue::default(), &[]);
    assert_eq!((pools.len(), left_out), (1, 0));
    let pool = &pools[0];
    assert_eq!(pool.nodes, 3);
    assert_eq!(pool.zone.as_deref(), Some("gov-extranet"));
    assert_eq!(pool.allocatable.get("cpu").map(|q| q.0.as_str()), Some("96000m"));
    assert_eq!(free(pool, "cpu"), [(1, "30000m".to_owned()), (2, "32000m".to_owned())]);
    assert_eq!(free(pool, "pods"), [(1, "108".to_owned()), (2, "110".to_owned())]);
    let labels: Vec<&str> = pool.labels.keys().map(String::as_str).collect();
    assert_eq!(
        labels,
        ["feature.node.kubernetes.io/cpu-cpuid.AES", "jiuzhou.dev/zone", "kubernetes.io/arch", "rack"],
        "no host names; of NFD what images ask for"
    );
}

#[test]
fn a_node_that_takes_no_pods_counts_but_has_nothing_free() {
    let cordoned = node("b", |node| node["spec"]["unschedulable"] = json!(true));
    let (pools, _) = pools(&[plain("a"), cordoned], &BTreeMap::new(), &Catalogue::default(), &[]);
    assert_eq!((pools[0].nodes, free(&pools[0], "cpu")), (2, vec![(1, "32000m".to_owned())]));
    let tainted = node("b", |node| node["spec"]["taints"] = json!([{ "key": "k", "effect": "NoSchedule" }]));
    let (pools, _) = super::pools(&[plain("a"), tainted], &BTreeMap::new(), &Catalogue::default(), &[]);
    let tainted = pools.iter().find(|pool| !pool.taints.is_empty()).unwrap();
    assert_eq!((pools.len(), tainted.nodes, tainted.free.len()), (2, 1, 0));
}

#[test]
fn a_pool_keeps_its_name_while_nodes_come_and_go_and_changes_it_with_its_facts() {
    let name = |nodes: &[NodeSeen]| pools(nodes, &BTreeMap::new(), &Catalogue::default(), &[]).0[0].name.clone();
    let before = name(&[plain("a"), plain("b")]);
    assert_eq!(before, name(&[plain("b"), plain("c"), plain("d")]));
    let kernel = node("a", |node| node["status"]["nodeInfo"]["kernelVersion"] = json!("5.10.0"));
    assert_ne!(before, name(&[kernel]));
    assert!(words::is_name(&before), "{before}");
}

#[test]
fn labels_that_an_administrator_speaks_of_divide_pools() {
    let other = || node("b", |node| node["metadata"]["labels"]["rack"] = json!("r2"));
    let count =
        |dividing: &[&str]| pools(&[plain("a"), other()], &BTreeMap::new(), &Catalogue::default(), dividing).0.len();
    assert_eq!((count(&[]), count(&["rack"])), (1, 2));
}

#[test]
fn many_different_nodes_make_at_most_sixteen_shapes_rounded_down() {
    let nodes: Vec<NodeSeen> = (0..100).map(|n| plain(&format!("n{n:03}"))).collect();
    let used: BTreeMap<String, Used> = (0..100)
        .map(|n| {
            let mut used = Used::default();
            used.add(&pod(&format!("{}m", 100 * n)));
            (format!("n{n:03}"), used)
        })
        .collect();
    let (pools, _) = pools(&nodes, &used, &Catalogue::default(), &[]);
    let shapes = free(&pools[0], "cpu");
    let promised: i64 =
        shapes.iter().map(|(nodes, cpu)| i64::from(*nodes) * cpu.trim_end_matches('m').parse::<i64>().unwrap()).sum();
    let really: i64 = (0..100).map(|n| 32_000 - 100 * n).sum();
    assert_eq!(shapes.iter().map(|(nodes, _)| nodes).sum::<i32>(), 100);
    assert!(shapes.len() <= 16 && promised <= really && promised * 10 >= really * 9, "{promised} of {really}");
}

#[test]
fn an_architecture_nobody_knows_is_left_out_and_counted() {
    let odd = node("b", |node| node["status"]["nodeInfo"]["architecture"] = json!("s390x"));
    let (pools, left_out) = pools(&[plain("a"), odd], &BTreeMap::new(), &Catalogue::default(), &[]);
    assert_eq!((pools.len(), left_out), (1, 1));
}
