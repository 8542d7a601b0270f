//! A workload whose templates ask for different CPUs on a hub in memory: told by its template where one of the CPUs is
//! missing.

use serde_json::json;

use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");

/// The first story with a Deployment for amd64 beside the portal, which runs on arm64 here.
async fn hub() -> Hub {
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
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    hub
}

#[tokio::test(start_paused = true)]
async fn without_nodes_for_one_of_them_it_is_refused_and_told_of_that_one() {
    let hub = hub().await;
    assert_ne!(hub.ready(PORTAL.0, PORTAL.1).0, "True");
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let told = workload["status"]["messageEn"].as_str().unwrap_or_default();
    assert!(told.contains("legacy: registry.gov.example/kunming/legacy:1"), "{told}");
}
