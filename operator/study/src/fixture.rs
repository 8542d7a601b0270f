//! Small fleets for the tests of this room: clusters `a`, `b`, ... of equal nodes, workloads of one-cpu replicas.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide;
use jiuzhou_engine::decide::input::{ClusterInput, NodeShapeInput, PoolInput};
use jiuzhou_engine::decide::{
    Changes, Current, Explanation, FleetInput, Plan, PodInput, Requirement, Snapshot, Spec, WorkloadKey,
};
use jiuzhou_engine::detect::{Arch, PoolFacts};

pub(crate) fn as_of() -> Timestamp {
    "2026-11-23T15:59:59Z".parse().expect("an instant")
}

pub(crate) fn cluster(name: &str, nodes: i64, cpus: i64) -> ClusterInput {
    let free = [("cpu".to_owned(), cpus * 1000), ("memory".to_owned(), 1 << 40), ("pods".to_owned(), 100)];
    let pool = PoolInput {
        name: "pool".to_owned(),
        zone: String::new(),
        facts: PoolFacts::unknown(Arch::Arm64),
        labels: [("kubernetes.io/arch".to_owned(), "arm64".to_owned())].into(),
        taints: BTreeSet::new(),
        shapes: vec![NodeShapeInput { count: nodes, free: free.into() }],
        unschedulable: Vec::new(),
        cpu_normalised: false,
    };
    ClusterInput { name: name.to_owned(), region: "530100".to_owned(), pools: vec![pool], ..ClusterInput::default() }
}

/// A workload of replicas with one cpu each, running where it is said.
pub(crate) fn workload(name: &str, replicas: i64, running: &[(&str, i64)]) -> Spec {
    let request = [("cpu".to_owned(), 1000)];
    let current = |(cluster, placed): &(&str, i64)| Current {
        cluster: (*cluster).to_owned(),
        placed: *placed,
        observed: *placed,
    };
    Spec {
        key: WorkloadKey::new("ns", name),
        replicas,
        pods: vec![PodInput { request: request.clone().into(), count: 1, ..PodInput::default() }],
        quota: request.into(),
        current: running.iter().map(current).collect(),
        ..Spec::default()
    }
}

/// The same workload, in these regions only.
pub(crate) fn within(spec: Spec, regions: &[&str]) -> Spec {
    let regions = regions.iter().map(|region| (*region).to_owned()).collect();
    Spec { requirement: Arc::new(Requirement { regions, ..Requirement::default() }), ..spec }
}

pub(crate) fn fleet(clusters: &[ClusterInput], specs: &[Spec]) -> FleetInput {
    FleetInput { clusters: clusters.to_vec(), specs: specs.to_vec(), ..FleetInput::default() }
}

pub(crate) fn plan(fleet: &FleetInput) -> Plan {
    let snapshot = Snapshot::new(fleet.clone()).expect("one fleet");
    decide::plan(&snapshot, &Changes { all: true, ..Changes::default() }, as_of()).expect("a plan")
}

pub(crate) fn explain(fleet: &FleetInput, name: &str) -> Explanation {
    let snapshot = Snapshot::new(fleet.clone()).expect("one fleet");
    let changes = Changes { all: true, ..Changes::default() };
    let told = decide::explain(&snapshot, &changes, &WorkloadKey::new("ns", name), as_of()).expect("an explanation");
    told.expect("the workload is there")
}
