//! A workload whose templates ask for different CPUs on a hub in memory: placed where both are, each template delivered with
//! its own node affinity, told by its template where one of the CPUs is missing.

use serde_json::{Value, json};

use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");

/// The first story with a Deployment for amd64 beside the portal, which runs on arm64 here, and a pool for it if wanted.
async fn hub(with_pool: bool) -> Hub {
    let mut objects = story("01-first-tenant");
    let workload = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    let all = workload["spec"]["objects"].as_array_mut().expect("objects");
    let web = all.first_mut().expect("the portal");
    web["manifest"]["spec"]["template"]["spec"]["nodeSelector"] = json!({ "kubernetes.io/arch": "arm64" });
    let mut legacy = web.clone();
    legacy["name"] = json!("legacy");
    legacy["manifest"]["metadata"]["name"] = json!("legacy");
    let spec = &mut legacy["manifest"]["spec"]["template"]["spec"];
    spec["nodeSelector"] = json!({ "kubernetes.io/arch": "amd64" });
    spec["containers"][0]["image"] = json!("registry.gov.example/kunming/legacy:1");
    all.push(legacy);
    if with_pool {
        let mut profile = objects.iter().find(|object| object["kind"] == "ImageProfile").cloned().expect("a profile");
        profile["metadata"]["name"] = json!("legacy");
        profile["spec"] = json!({
            "image": "registry.gov.example/kunming/legacy", "tags": ["1"], "digest": format!("sha256:{}", "a".repeat(64)),
            "entries": [{ "architecture": "amd64", "needs": { "level": "x86-64-v1", "execution": "Native" },
                          "provenance": "Inspected" }],
        });
        objects.push(profile);
    }
    let cluster = objects.iter_mut().find(|object| object["kind"] == "MemberCluster").expect("a cluster");
    let pools = cluster["status"]["pools"].as_array_mut().expect("pools");
    if with_pool {
        pools.push(json!({
            "name": "x86", "zone": "gov-extranet", "confidence": "Certain", "architecture": "amd64", "nodes": 1,
            "isaLevel": "x86-64-v3", "pageSizeKib": 4, "abiWorld": "NotApplicable", "kernel": "5.10.0-216",
            "runtime": { "name": "containerd", "version": "1.7.27", "selection": "Stock" },
            "labels": { "kubernetes.io/arch": "amd64", "jiuzhou.dev/zone": "gov-extranet" },
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "free": [{ "nodes": 1, "free": { "cpu": "4", "memory": "16Gi", "pods": "60" } }],
            "observedAt": "2026-11-23T01:20:00Z",
        }));
    }
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    hub
}

/// The architectures a delivered template is kept on.
fn kept_on(hub: &Hub, name: &str) -> Vec<String> {
    let there = hub.members.there.lock().expect("a lock");
    let objects = there.values().flat_map(|order| &order.delivery.objects);
    let manifest = objects.filter(|object| *object.name == *name).find_map(|object| object.manifest.clone());
    let terms =
        "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let terms = manifest.as_ref().and_then(|manifest| manifest.pointer(terms)?.as_array()).cloned().unwrap_or_default();
    let all = terms.iter().filter_map(|term| term["matchExpressions"].as_array()).flatten();
    let of_arch = all.filter(|expression| expression["key"] == "kubernetes.io/arch");
    let mut values: Vec<String> = of_arch
        .flat_map(|one| one["values"].as_array().cloned().unwrap_or_default())
        .filter_map(|v| text(&v))
        .collect();
    values.sort();
    values.dedup();
    values
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn templates_for_different_cpus_are_delivered_each_with_its_own_affinity() {
    let hub = hub(true).await;
    let ready = hub.ready(PORTAL.0, PORTAL.1);
    let status = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).map(|object| object["status"].clone());
    assert_eq!(ready, ("True".to_owned(), "AsWanted".to_owned()), "{status:#?}");
    assert_eq!((kept_on(&hub, "app"), kept_on(&hub, "legacy")), (vec!["arm64".to_owned()], vec!["amd64".to_owned()]));
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.writes().len(), 0, "{:?}", hub.writes());
}

#[tokio::test(start_paused = true)]
async fn without_nodes_for_one_of_them_it_is_refused_and_told_of_that_one() {
    let hub = hub(false).await;
    assert_ne!(hub.ready(PORTAL.0, PORTAL.1).0, "True");
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let told = workload["status"]["messageEn"].as_str().unwrap_or_default();
    assert!(told.contains("legacy: registry.gov.example/kunming/legacy:1"), "{told}");
}
