//! A workload that is not well in a member that answers: it gets another place, is told there what it said of itself, and does
//! not go back.

use std::time::Duration;

use jiuzhou_e2e::scene::{SOON, Scene};
use jiuzhou_e2e::{Cluster, Seen, Start, eventually};
use serde_json::{Value, json};

/// What the new copy is told: a figure that only the member's controller writes.
const TOLD: &str = "/metadata/annotations/state.jiuzhou.dev~1seen";

/// Lets the nodes of a member take pods, or no more.
fn nodes(member: &Cluster, order: &str) {
    for node in member.kubectl(&["get", "nodes", "-o", "name"]).unwrap().lines() {
        member.kubectl(&[order, node]).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_well_in_a_member_goes_elsewhere_with_its_state_and_stays_there() {
    let mut scene = Scene::begin("unwell").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["x86"]).await.unwrap();
    let mut web = scene.workload("web", "both", 2);
    web["spec"]["placement"] = json!({
        "replicas": { "mode": "Divided", "divideBy": "Packed" },
        "failover": { "application": {
            "afterSeconds": 30, "cooldownSeconds": 300,
            "state": [{ "alias": "seen", "jsonPath": ".status.observedGeneration" }],
        } },
    });
    scene.apply(&[web]).unwrap();
    scene.runs("web", &[("x86", 2)], SOON).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    let namespace = scene.namespace();

    // Its pods end there and find no node any more.
    let member = scene.member("x86");
    nodes(member, "cordon");
    member.kubectl(&["delete", "pods", "-n", &namespace, "-l", "app=web", "--wait=false"]).unwrap();
    let moved = scene.runs("web", &[("x86", 0), ("kunpeng", 2)], Duration::from_secs(240)).await;
    nodes(member, "uncordon");
    moved.unwrap();
    // Where there is another place at once the status says why for less than a second; the event stays.
    let events = ["get", "events", "-n", &namespace, "--field-selector", "reason=ApplicationUnhealthy"];
    let events = [&events[..], &["-o", "jsonpath={.items[*].message}"]].concat();
    eventually("an event tells why it went", SOON, || async {
        let told = scene.fleet.hub().kubectl(&events)?;
        Ok(Seen::when(told.contains("x86"), (), told))
    })
    .await
    .unwrap();

    let deployment = |member: &str| -> Value {
        let live = scene.member(member).kubectl(&["get", "deployment", "web", "-n", &namespace, "-o", "json"]).unwrap();
        serde_json::from_str(&live).unwrap()
    };
    let there = deployment("kunpeng");
    let said = |at: &str| there.pointer(at).and_then(Value::as_str).and_then(|said| said.parse::<u32>().ok());
    assert!(said(TOLD) >= Some(1) && said(&format!("/spec/template{TOLD}")) == said(TOLD), "{there}");
    let placement = scene.get("fpl", "web", Some(&namespace)).unwrap();
    let left = &placement["status"]["applicationFailover"][0];
    assert_eq!((&left["name"], &left["phase"]), (&json!("x86"), &json!("Moved")), "{placement}");
    scene
        .stays("it stays where it went", Duration::from_secs(10), || async {
            Ok(scene.running("kunpeng", "web") == 2 && scene.running("x86", "web") == 0)
        })
        .await
        .unwrap();
    assert!(scene.end(operator).await.unwrap() >= 2);
}
