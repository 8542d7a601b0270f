//! Emergencies on a hub in memory: they open reserves and take room from named victims, end by themselves, and give back
//! what was there.

use serde_json::{Value, json};

use crate::people::approve::{self, Signature};
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const CLUSTER: &str = "kunming-gov-1";

/// The first story with most free room kept for emergencies, and a second workload.
async fn portal() -> Hub {
    let hub = Hub::with(&story("01-first-tenant")).await;
    let one = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let mut spec = one["spec"].clone();
    spec["replicas"] = json!(1);
    for object in spec["objects"].as_array_mut().expect("objects") {
        let own = format!("other-{}", object["manifest"]["metadata"]["name"].as_str().unwrap_or_default());
        object["manifest"]["metadata"]["name"] = json!(own);
    }
    let metadata = json!({ "name": "other", "namespace": PORTAL.0 });
    hub.create(
        &json!({ "apiVersion": one["apiVersion"], "kind": "FleetWorkload", "metadata": metadata, "spec": spec }),
    )
    .await;
    hub.run().await.expect("it runs");
    hub.patch("MemberCluster", None, CLUSTER, "", &json!({ "spec": { "emergencyReservePercent": 90 } })).await;
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &json!({ "spec": { "replicas": 50 } })).await;
    hub.run().await.expect("it runs");
    hub
}

/// An emergency for a workload from an hour ago until so many hours from now, that nobody has approved yet.
pub(super) async fn emergency(hub: &Hub, name: &str, hours: i64) {
    let now = hub.world.clock().now();
    let at = |hours: i64| (now + jiff::SignedDuration::from_hours(hours)).to_string();
    let spec = json!({
        "from": at(-1), "until": at(hours), "reason": "防汛一级响应", "document": { "number": "云防汛〔2026〕1号" },
        "requestedBy": "张三", "requestedAt": at(-2),
        "workloads": [{ "namespace": PORTAL.0, "name": name, "priority": 100 }],
        "victims": [{ "namespace": PORTAL.0, "name": "other" }],
    });
    hub.create(&json!({
        "apiVersion": jiuzhou_api::meta::API_VERSION, "kind": "OperatingMode", "metadata": { "name": "flood" }, "spec": spec,
    }))
    .await;
}

pub(super) fn signature() -> Signature {
    Signature {
        user: "李四".to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: None,
        document: "云防汛〔2026〕1号".to_owned(),
        until: "2026-11-30".to_owned(),
        needed: 1,
    }
}

/// Another person approves it. Returns the name of the approval.
pub(super) async fn approved(hub: &Hub) -> String {
    let client = hub.world.client_named("person");
    let asked = approve::mode(&client, "flood").await.expect("it is shown");
    approve::approve(&client, &asked, &signature()).await.expect("it is approved").0
}

/// An emergency from an hour ago until tomorrow, approved by another person where that is said.
async fn declare(hub: &Hub, is_approved: bool) -> Option<String> {
    emergency(hub, PORTAL.1, 24).await;
    if is_approved { Some(approved(hub).await) } else { None }
}

fn placed(hub: &Hub, name: &str) -> Value {
    hub.object("FleetPlacement", PORTAL.0, name).expect("a placement")["spec"]["clusters"].clone()
}

fn runs(hub: &Hub, name: &str) -> Vec<i32> {
    hub.members.replicas(PORTAL.0, name).into_values().collect()
}

fn stands(hub: &Hub) -> [(String, Value, Vec<i32>); 2] {
    [PORTAL.1, "other"].map(|name| (hub.ready(PORTAL.0, name).1, placed(hub, name), runs(hub, name)))
}

#[tokio::test(start_paused = true)]
async fn an_emergency_opens_the_reserve_stops_its_victims_and_gives_back_exactly_what_was_there() {
    let hub = portal().await;
    let before = stands(&hub);
    assert_eq!((before[0].2.as_slice(), before[1].2.as_slice()), ([2].as_slice(), [1].as_slice()));
    assert_ne!(before[0].0, "AsWanted", "most of fifty have no place outside of the reserve");
    let name = declare(&hub, true).await.expect("an approval");
    hub.run().await.expect("it runs");
    assert_eq!((runs(&hub, PORTAL.1), runs(&hub, "other")), (vec![50], vec![0]));
    assert_eq!(
        (hub.ready(PORTAL.0, PORTAL.1).1.as_str(), hub.ready(PORTAL.0, "other").1.as_str()),
        ("AsWanted", "Stopped")
    );
    assert_eq!(placed(&hub, "other"), before[1].1, "who gives way keeps the place");
    let approval = |hub: &Hub| hub.object("Approval", "", &name).expect("the approval")["status"].clone();
    assert!(approval(&hub)["usedAt"].is_string() && approval(&hub)["closedAt"].is_null());
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);

    // Its object goes: nothing ends early because less is known.
    hub.delete("/apis/jiuzhou.dev/v1alpha1/operatingmodes/flood").await;
    hub.run().await.expect("it runs");
    assert_eq!((runs(&hub, PORTAL.1), runs(&hub, "other")), (vec![50], vec![0]));
    // And the end comes by itself.
    hub.world.clock().advance(jiff::SignedDuration::from_hours(25));
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub), before);
    assert!(approval(&hub)["closedAt"].is_string(), "it is never used again");
    for name in [PORTAL.1, "other"] {
        let spec = hub.object("FleetPlacement", PORTAL.0, name).expect("a placement")["spec"].clone();
        assert_eq!(spec["mode"], Value::Null, "{name}");
        assert_ne!(spec["stop"]["lifted"], json!(false), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_emergency_that_nobody_approved_changes_nothing_and_a_person_ends_one_early() {
    let hub = portal().await;
    let before = stands(&hub);
    declare(&hub, false).await;
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub), before, "nobody approved it");
    hub.delete("/apis/jiuzhou.dev/v1alpha1/operatingmodes/flood").await;
    declare(&hub, true).await;
    hub.run().await.expect("it runs");
    assert_eq!((runs(&hub, PORTAL.1), runs(&hub, "other")), (vec![50], vec![0]));
    hub.patch("OperatingMode", None, "flood", "", &json!({ "spec": { "ended": true } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub), before, "ended by a person");
}

#[tokio::test(start_paused = true)]
async fn the_end_is_met_by_a_running_operator_without_an_event() {
    let hub = portal().await;
    let before = stands(&hub);
    declare(&hub, true).await.expect("an approval");
    let (stopper, stop) = crate::stop::Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(runs(&hub, PORTAL.1), [50]);
    hub.world.clock().advance(jiff::SignedDuration::from_hours(25));
    tokio::time::sleep(std::time::Duration::from_secs(26 * 3600)).await;
    hub.quiet().await;
    assert_eq!(stands(&hub), before);
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
