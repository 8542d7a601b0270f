//! Emergencies on a hub in memory: they open reserves and take room from named victims, end by themselves, and give back
//! what was there.

use serde_json::{Value, json};

use crate::people::approve::{self, Signature};
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const CLUSTER: &str = "kunming-gov-1";

/// The first story with most free room kept for emergencies, and a second workload.
async fn portal() -> Hub {
    portal_among(&story("01-first-tenant")).await
}

async fn portal_among(objects: &[Value]) -> Hub {
    let hub = Hub::with(objects).await;
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

/// The first story with a second cluster, which the portal's own placement leaves out.
fn with_another_cluster() -> Vec<Value> {
    let mut objects = story("01-first-tenant");
    let cluster = objects.iter().find(|object| object["kind"] == "MemberCluster").cloned();
    let mut cluster = cluster.expect("a cluster");
    cluster["metadata"]["name"] = json!(ELSEWHERE);
    for evidence in cluster["spec"]["evidence"].as_array_mut().expect("evidence") {
        evidence["id"] = json!(evidence["id"].as_str().expect("an id").replace("km", "qj"));
    }
    objects.push(cluster);
    let portal = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    portal["spec"]["placement"] = json!({ "clusters": { "names": [CLUSTER] } });
    objects
}

const ELSEWHERE: &str = "qujing-gov-1";

fn told(hub: &Hub) -> (String, Value, Value, String) {
    let status = hub.object("OperatingMode", "", "flood").expect("the mode")["status"].clone();
    let ready = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Ready").cloned();
    let message = ready.unwrap_or_default()["message"].as_str().unwrap_or_default().to_owned();
    (
        status["state"].as_str().unwrap_or_default().to_owned(),
        status["workloads"].clone(),
        status["victims"].clone(),
        message,
    )
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_bursts_into_the_clusters_it_opens_and_comes_back() {
    let hub = portal_among(&with_another_cluster()).await;
    let wanted = json!({ "spec": { "replicas": 300 } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &wanted).await;
    hub.run().await.expect("it runs");
    let before = stands(&hub);
    let others = |hub: &Hub| hub.members.replicas(PORTAL.0, PORTAL.1).get(ELSEWHERE).copied().unwrap_or(0);
    assert_eq!(others(&hub), 0, "its placement leaves that cluster out");
    emergency(&hub, PORTAL.1, 24).await;
    let opens = |class: &str| json!({ "clusters": { "names": [ELSEWHERE] }, "highestClass": class });
    hub.patch("OperatingMode", None, "flood", "", &json!({ "spec": { "burst": opens("General") } })).await;
    approved(&hub).await;
    hub.run().await.expect("it runs");
    assert_eq!(runs(&hub, PORTAL.1).iter().sum::<i32>(), 300, "all of it runs");
    let own = hub.members.replicas(PORTAL.0, PORTAL.1).get(CLUSTER).copied().unwrap_or(0);
    assert!(own > others(&hub) && others(&hub) > 0, "its own cluster is filled first: {own}");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);
    // Its object goes, and nothing ends early.
    let during = stands(&hub);
    hub.delete("/apis/jiuzhou.dev/v1alpha1/operatingmodes/flood").await;
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub), during);
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);
    hub.world.clock().advance(jiff::SignedDuration::from_hours(25));
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub), before, "what was there is there again");
}

#[tokio::test(start_paused = true)]
async fn an_emergency_tells_how_far_it_is() {
    let hub = portal().await;
    emergency(&hub, PORTAL.1, 24).await;
    hub.run().await.expect("it runs");
    let (state, _, _, message) = told(&hub);
    assert_eq!(state, "WaitingForApproval");
    assert!(message.contains("张三") && message.contains("jiuzhou approve mode flood"), "{message}");
    approved(&hub).await;
    hub.run().await.expect("it runs");
    let (state, workloads, victims, message) = told(&hub);
    assert_eq!((state.as_str(), workloads, victims), ("InForce", json!(1), json!(1)), "{message}");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);
    hub.world.clock().advance(jiff::SignedDuration::from_hours(25));
    hub.run().await.expect("it runs");
    let (state, workloads, victims, message) = told(&hub);
    assert_eq!((state.as_str(), workloads, victims), ("Over", json!(0), json!(0)), "{message}");
}
