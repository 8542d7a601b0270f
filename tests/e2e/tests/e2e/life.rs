//! The life of a workload on a fleet of real clusters: join, place by architecture, scale, move, drain, the operator
//! killed in between, removed, left. After it the API servers' own logs show a recorded decision before every delivery.

use std::process::Command;
use std::time::Duration;

use jiuzhou_e2e::ledger::every_delivery_was_decided;
use jiuzhou_e2e::{Cluster, Fleet, Seen, binary, eventually};
use serde_json::{Value, json};

use crate::definitions::install;
use crate::operator::started;

/// A leader that follows a killed one waits for the lease and the longest request before it writes to a member: a minute.
const WITHIN: Duration = Duration::from_secs(180);
const NAMESPACE: &str = "life-portal";
const MEMBERS: [&str; 2] = ["kunpeng", "x86"];

/// Digests of an image for arm64 alone and of one for both.
const ARM: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const BOTH: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

pub(crate) fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

pub(crate) fn object(kind: &str, name: &str, namespace: Option<&str>, spec: &Value) -> Value {
    json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": kind,
        "metadata": { "name": name, "namespace": namespace }, "spec": spec,
    })
}

fn image(name: &str, digest: &str, architectures: &[&str]) -> Value {
    let entries: Vec<Value> = architectures
        .iter()
        .map(|architecture| json!({ "architecture": architecture, "provenance": "Inspected" }))
        .collect();
    let image = format!("registry.gov.example/life/{name}");
    object(
        "ImageProfile",
        &format!("life-{name}"),
        None,
        &json!({ "image": image, "digest": digest, "entries": entries }),
    )
}

/// Everything but members and workloads.
fn ground() -> String {
    let tenant = json!({
        "displayName": "昆明市生活服务中心", "level": "City", "region": "530100",
        "namespaces": [{ "name": NAMESPACE, "system": "life" }],
    });
    let system = json!({
        "displayName": "生活服务", "projectCode": "KM-2026-0909", "tenant": "life", "functionDomain": "PublicService",
        "dataClass": { "class": "General", "setBy": "业务科" },
    });
    list(&[
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        object("Site", "life-1", None, &json!({ "displayName": "昆明", "region": "530100", "provider": "own" })),
        object("Tenant", "life", None, &tenant),
        image("arm", ARM, &["arm64"]),
        image("both", BOTH, &["amd64", "arm64"]),
        object("InformationSystem", "life", Some(NAMESPACE), &system),
    ])
}

fn workload(name: &str, image: &str, digest: &str) -> String {
    let labels = json!({ "app": name });
    let container = json!({
        "name": "web", "image": format!("registry.gov.example/life/{image}@{digest}"),
        "resources": { "requests": { "cpu": "500m", "memory": "256Mi" } },
    });
    let manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": 2, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    let spec = json!({ "system": "life", "objects": [{ "name": "app", "manifest": manifest }] });
    list(&[object("FleetWorkload", name, Some(NAMESPACE), &spec)])
}

/// The evidence that tier S1 asks for, verified by a second person.
pub(crate) fn evidence() -> String {
    let claims = [
        ("providerCreditCode", "Operational", "12530100MB0000017P"),
        ("controlPlaneLocation", "Data", "CN"),
        ("backupLocation", "Data", "CN"),
        ("logLocation", "Data", "CN"),
        ("registryLocation", "SupplyChain", "CN"),
    ];
    let one = |(claim, dimension, value): &(&str, &str, &str)| {
        json!({
            "id": claim.to_lowercase(), "dimension": dimension, "claim": claim, "value": value, "issuer": "昆明市大数据局",
            "validFrom": "2026-03-01", "validUntil": "2036-02-28", "recordedOn": "2026-03-05", "enteredBy": "李工",
            "verifiedBy": "周处长", "verifiedOn": "2026-03-09", "state": "Verified",
        })
    };
    json!({ "spec": { "evidence": claims.iter().map(one).collect::<Vec<_>>() } }).to_string()
}

/// Types a command of ours as a person would.
fn jiuzhou(arguments: &[&str]) {
    let output = Command::new(binary().unwrap()).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "jiuzhou {}: {said}", arguments.join(" "));
}

fn path_of(cluster: &Cluster) -> String {
    cluster.plane.kubeconfig().display().to_string()
}

/// Running pods of a workload in a member.
fn running(cluster: &Cluster, workload: &str) -> usize {
    let selector = format!("app={workload}");
    let arguments = ["get", "pods", "-n", NAMESPACE, "-l", &selector, "--no-headers", "--ignore-not-found"];
    let pods = cluster.kubectl(&arguments).unwrap_or_default();
    pods.lines().filter(|line| line.contains("Running")).count()
}

/// Waits until so many pods run in each member, and the hub says that all is as wanted.
async fn runs(fleet: &Fleet, workload: &str, wanted: &dyn Fn(&[usize]) -> bool) {
    eventually(&format!("{workload} runs as decided"), WITHIN, || {
        let counts: Vec<usize> = MEMBERS.iter().map(|name| running(fleet.member(name), workload)).collect();
        let path = "-o=jsonpath={.status.reason} {.status.messageEn}";
        let told = fleet.hub().kubectl(&["get", "fwl", workload, "-n", NAMESPACE, path]);
        let done = wanted(&counts) && told.as_deref().is_ok_and(|told| told.starts_with("AsWanted"));
        async move { Ok(Seen::when(done, (), format!("{counts:?} {told:?}"))) }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_workload_is_placed_scaled_moved_and_removed_and_every_write_was_decided() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let hub = path_of(fleet.hub());
    let (operator, _) = started(&fleet).await;
    fleet.hub().apply(&ground()).unwrap();

    for name in MEMBERS {
        let kubeconfig = path_of(fleet.member(name));
        let to = ["--kubeconfig", &kubeconfig, "--hub-kubeconfig", &hub, "--site", "life-1", "--tenants", "life"];
        jiuzhou(&[&["join", name], to.as_slice()].concat());
        fleet.hub().kubectl(&["patch", "mc", name, "--type=merge", "-p", &evidence()]).unwrap();
    }

    // What has no amd64 goes to the Kunpeng cluster alone.
    fleet.hub().apply(&workload("arm", "arm", ARM)).unwrap();
    runs(&fleet, "arm", &|counts| counts == [2, 0]).await;

    // Killed and started again, it goes on with what it finds: scaled while nobody was there.
    operator.kill().unwrap();
    fleet.hub().kubectl(&["scale", "fwl", "arm", "-n", NAMESPACE, "--replicas=3"]).unwrap();
    let (operator, _) = started(&fleet).await;
    runs(&fleet, "arm", &|counts| counts == [3, 0]).await;

    // What runs on both moves when a cluster is drained; what runs on one alone stays and says why.
    fleet.hub().apply(&workload("both", "both", BOTH)).unwrap();
    runs(&fleet, "both", &|counts| counts.iter().sum::<usize>() == 2).await;
    jiuzhou(&["drain", "kunpeng", "--kubeconfig", &hub]);
    runs(&fleet, "both", &|counts| counts == [0, 2]).await;
    assert_eq!(running(fleet.member("kunpeng"), "arm"), 3, "nowhere else may carry it, so it stays");

    // Removed by order, it is gone from the members and then from the hub.
    fleet.hub().kubectl(&["delete", "fwl", "arm", "both", "-n", NAMESPACE, "--timeout=60s"]).unwrap();
    for name in MEMBERS {
        let left = fleet.member(name).kubectl(&["get", "deployments", "-n", NAMESPACE, "--no-headers"]).unwrap();
        assert_eq!(left.trim(), "", "{name}");
    }

    for name in MEMBERS {
        jiuzhou(&["leave", name, "--kubeconfig", &hub]);
    }
    eventually("both members have left", WITHIN, || {
        let there = fleet.hub().kubectl(&["get", "mc", "--no-headers", "--ignore-not-found"]);
        async move { there.map(|there| Seen::when(there.trim().is_empty(), (), there)) }
    })
    .await
    .unwrap();
    assert!(operator.terminate(Duration::from_secs(20)).unwrap().success());
    assert!(every_delivery_was_decided(&fleet).unwrap() >= 6, "deliveries were looked at");
    fleet.hub().kubectl(&["delete", "namespace", NAMESPACE]).unwrap();
    fleet
        .hub()
        .kubectl(&["delete", "site/life-1", "tenant/life", "imageprofile/life-arm", "imageprofile/life-both"])
        .unwrap();
}
