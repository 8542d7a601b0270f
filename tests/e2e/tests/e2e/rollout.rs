//! A change of content on real clusters: it stops where a stage fails, waits for its approval, goes back; a workload that
//! waits for another begins after it. A quota in the second member keeps the new pods away there: what is changed does
//! not come up, as with an image that cannot be pulled.

use std::process::Command;
use std::time::Duration;

use jiuzhou_e2e::{Cluster, Fleet, Seen, binary, eventually};
use serde_json::{Value, json};

use crate::definitions::install;
use crate::life::{evidence, list, object};
use crate::operator::started;

const WITHIN: Duration = Duration::from_secs(180);
const NAMESPACE: &str = "rollout-portal";
const MEMBERS: [&str; 2] = ["kunpeng", "x86"];
const BOTH: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

fn ground() -> String {
    let tenant = json!({
        "displayName": "昆明市发布中心", "level": "City", "region": "530100",
        "namespaces": [{ "name": NAMESPACE, "system": "rollout" }],
    });
    let system = json!({
        "displayName": "发布", "projectCode": "KM-2026-0910", "tenant": "rollout", "functionDomain": "PublicService",
        "dataClass": { "class": "General", "setBy": "业务科" },
    });
    let entries: Vec<Value> = ["amd64", "arm64"]
        .iter()
        .map(|architecture| json!({ "architecture": architecture, "provenance": "Inspected" }))
        .collect();
    let image = json!({ "image": "registry.gov.example/rollout/both", "digest": BOTH, "entries": entries });
    list(&[
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }),
        object("Site", "rollout-1", None, &json!({ "displayName": "昆明", "region": "530100", "provider": "own" })),
        object("Tenant", "rollout", None, &tenant),
        object("ImageProfile", "rollout-both", None, &image),
        object("InformationSystem", "rollout", Some(NAMESPACE), &system),
    ])
}

/// Two whole copies, the first stage on Kunpeng, the rest after an approval.
fn workload(name: &str, version: &str, depends_on: &[&str]) -> String {
    let labels = json!({ "app": name });
    let container = json!({
        "name": "web", "image": format!("registry.gov.example/rollout/both@{BOTH}"),
        "env": [{ "name": "VERSION", "value": version }],
        "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } },
    });
    let manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": 1, "progressDeadlineSeconds": 10, "selector": { "matchLabels": labels },
            "strategy": { "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    let stage = json!({ "name": "pilot", "clusters": { "names": [MEMBERS[0]] }, "approval": true });
    let spec = json!({
        "system": "rollout", "dependsOn": depends_on, "objects": [{ "name": "app", "manifest": manifest }],
        "placement": { "replicas": { "mode": "Duplicated" } }, "rollout": { "stages": [stage] },
    });
    list(&[object("FleetWorkload", name, Some(NAMESPACE), &spec)])
}

/// Types a command of ours as a person would; what it said on standard output.
fn jiuzhou(arguments: &[&str]) -> String {
    let output = Command::new(binary().unwrap()).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(0) || output.status.code() == Some(3), "{}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The version that a member's Deployment asks for.
fn version(cluster: &Cluster, name: &str) -> String {
    let path = "-o=jsonpath={.spec.template.spec.containers[0].env[0].value}";
    let arguments = ["get", "deployment", name, "-n", NAMESPACE, "--ignore-not-found", path];
    cluster.kubectl(&arguments).unwrap_or_default().trim().to_owned()
}

/// Waits until the members ask for these versions and the hub gives this reason; the sentence it gives.
async fn stands(fleet: &Fleet, name: &str, reason: &str, versions: [&str; 2]) -> String {
    eventually(&format!("{name} stands at {versions:?} with {reason}"), WITHIN, || {
        let seen = MEMBERS.map(|member| version(fleet.member(member), name));
        let path = "-o=jsonpath={.status.reason} {.status.messageEn}";
        let told = fleet.hub().kubectl(&["get", "fwl", name, "-n", NAMESPACE, path]).unwrap_or_default();
        let done = seen == versions && told.split(' ').next() == Some(reason);
        async move { Ok(Seen::when(done, told.clone(), format!("{seen:?} {told}"))) }
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_staged_change_waits_stops_and_goes_back_and_who_depends_begins_later() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let hub = fleet.hub().plane.kubeconfig().display().to_string();
    let (operator, _) = started(&fleet).await;
    fleet.hub().apply(&ground()).unwrap();
    for name in MEMBERS {
        let kubeconfig = fleet.member(name).plane.kubeconfig().display().to_string();
        let to = ["--kubeconfig", &kubeconfig, "--hub-kubeconfig", &hub, "--site", "rollout-1", "--tenants", "rollout"];
        jiuzhou(&[&["join", name], to.as_slice()].concat());
        fleet.hub().kubectl(&["patch", "mc", name, "--type=merge", "-p", &evidence()]).unwrap();
    }

    // Who waits for another begins after it; a first version goes to all clusters at once.
    fleet.hub().apply(&workload("pages", "1", &["base"])).unwrap();
    let told = stands(&fleet, "pages", "WaitingForDependency", ["", ""]).await;
    assert!(told.contains("base"), "{told}");
    fleet.hub().apply(&workload("base", "1", &[])).unwrap();
    stands(&fleet, "base", "AsWanted", ["1", "1"]).await;
    stands(&fleet, "pages", "AsWanted", ["1", "1"]).await;

    // A change reaches the pilot and waits there for the approval of exactly this change.
    let on_hub = ["--kubeconfig", hub.as_str()];
    let named = format!("{NAMESPACE}/base");
    fleet.hub().apply(&workload("base", "2", &[])).unwrap();
    stands(&fleet, "base", "WaitingForApproval", ["2", "1"]).await;
    let status = jiuzhou(&[&["rollout", "status", &named], on_hub.as_slice()].concat());
    assert!(status.contains("pilot") && status.contains("x86: 1") && status.contains("kunpeng: 2"), "{status}");
    let change = status.split(['(', ')']).find(|word| word.starts_with("sha256:")).unwrap().to_owned();

    // In the second member the new pods cannot begin: the stage fails, and what ran there runs on.
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "full", "namespace": NAMESPACE },
        "spec": { "hard": { "pods": "2" } },
    });
    fleet.member(MEMBERS[1]).apply(&quota.to_string()).unwrap();
    let approve = ["rollout", "approve", &named, "--stage", "pilot", "--change", &change, "--by", "周处长"];
    jiuzhou(&[approve.as_slice(), on_hub.as_slice()].concat());
    let told = stands(&fleet, "base", "RolloutFailed", ["2", "2"]).await;
    assert!(told.contains("x86"), "{told}");
    let ready = ["get", "deployment", "base", "-n", NAMESPACE, "-o=jsonpath={.status.readyReplicas}"];
    assert_eq!(fleet.member(MEMBERS[1]).kubectl(&ready).unwrap().trim(), "1", "the older pod serves on");

    // Back to what ran everywhere: no approval is asked for.
    let history = jiuzhou(&[&["rollout", "history", &named], on_hub.as_slice()].concat());
    assert!(history.lines().count() >= 3, "{history}");
    jiuzhou(&[&["rollback", &named, "--to", "1"], on_hub.as_slice()].concat());
    stands(&fleet, "base", "AsWanted", ["1", "1"]).await;

    fleet.hub().kubectl(&["delete", "fwl", "base", "pages", "-n", NAMESPACE, "--timeout=120s"]).unwrap();
    fleet.member(MEMBERS[1]).kubectl(&["delete", "resourcequota", "full", "-n", NAMESPACE]).unwrap();
    let left = fleet.hub().kubectl(&["get", "controllerrevisions", "-n", NAMESPACE, "--no-headers"]).unwrap();
    assert_eq!(left.trim(), "", "revisions go with their workload");
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
    fleet.hub().kubectl(&["delete", "namespace", NAMESPACE]).unwrap();
    fleet.hub().kubectl(&["delete", "site/rollout-1", "tenant/rollout", "imageprofile/rollout-both"]).unwrap();
}
