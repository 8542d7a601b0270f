//! Change freezes on a hub in memory, row by row: what waits for the end, and what goes on.

use jiff::SignedDuration;
use serde_json::{Value, json};

use jiuzhou_engine::decide::WorkloadKey;

use super::mode_tests::{approved, emergency};
use crate::people::approve;
use crate::people::stop::{self, Given};
use crate::revision::order;
use crate::stop::Stop;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";

/// What is done while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    /// A replica more, and one less.
    ScaleUp,
    ScaleDown,
    /// Another port.
    Content,
    /// What an upgrade of the operator would render otherwise: a value of the cluster that is put in.
    Value,
    /// The cluster is emptied.
    Drain,
    /// A workload is deleted by a person.
    Delete,
    /// The cluster does not answer for longer than it is waited for.
    Failover,
    /// Back to the revision before.
    Rollback,
    /// A stop order, approved.
    StopOrder,
    /// The end of one that was given before.
    Restore,
    /// An emergency, approved.
    Emergency,
    /// The end of one that began before.
    EndOfEmergency,
}

impl Row {
    const ALL: [(Self, bool); 12] = [
        (Self::ScaleUp, false),
        (Self::ScaleDown, false),
        (Self::Content, false),
        (Self::Value, false),
        (Self::Drain, false),
        (Self::Delete, false),
        (Self::Failover, true),
        (Self::Rollback, true),
        (Self::StopOrder, true),
        (Self::Restore, true),
        (Self::Emergency, true),
        (Self::EndOfEmergency, true),
    ];

    /// What is there before the freeze begins.
    async fn before(self, hub: &Hub) {
        match self {
            Self::Rollback => content(hub, 81).await,
            Self::Restore => stopped(hub).await,
            Self::EndOfEmergency => {
                tight(hub).await;
                emergency(hub, PORTAL.1, 24).await;
                approved(hub).await;
                hub.quiet().await;
            }
            Self::Emergency => tight(hub).await,
            _ => {}
        }
    }

    async fn play(self, hub: &Hub) {
        match self {
            Self::ScaleUp => scale(hub, 3).await,
            Self::ScaleDown => scale(hub, 1).await,
            Self::Content => content(hub, 81).await,
            Self::Value => {
                let values = json!({ "spec": { "values": { "db": "dm.two" } } });
                hub.patch("MemberCluster", None, FIRST, "", &values).await;
            }
            Self::Drain => {
                hub.patch("MemberCluster", None, FIRST, "", &json!({ "spec": { "lifecycle": "Draining" } })).await;
            }
            Self::Delete => {
                hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
            }
            Self::Failover => {
                hub.members.falls_silent(FIRST);
                hub.sees(FIRST, ["Unreachable"; 2]).await;
                hub.quiet().await;
                hub.pass(400).await;
            }
            Self::Rollback => {
                let client = hub.world.client_named("person");
                order::back(&client, &WorkloadKey::new(PORTAL.0, PORTAL.1), None).await.expect("it goes back");
            }
            Self::StopOrder => stopped(hub).await,
            Self::Restore => {
                let (client, key) = (hub.world.client_named("person"), system(hub));
                stop::restore(&client, &key, "张三", hub.world.clock().now()).await.expect("it is lifted");
            }
            Self::Emergency => {
                emergency(hub, PORTAL.1, 24).await;
                approved(hub).await;
            }
            Self::EndOfEmergency => {
                hub.patch("OperatingMode", None, "flood", "", &json!({ "spec": { "ended": true } })).await;
            }
        }
    }
}

fn system(hub: &Hub) -> WorkloadKey {
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    WorkloadKey::new(PORTAL.0, workload["spec"]["system"].as_str().unwrap_or_default())
}

async fn stopped(hub: &Hub) {
    let (client, key) = (hub.world.client_named("person"), system(hub));
    let at = hub.world.clock().now();
    let given = Given { order: "云数停〔2026〕3号".to_owned(), reason: None, by: "张三".to_owned(), at };
    stop::stop(&client, &key, given).await.expect("the order is taken");
    let asked = approve::stop(&client, &key).await.expect("it is shown");
    approve::approve(&client, &asked, &super::mode_tests::signature()).await.expect("it is approved");
    hub.quiet().await;
}

async fn scale(hub: &Hub, replicas: i32) {
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &json!({ "spec": { "replicas": replicas } })).await;
    hub.quiet().await;
}

/// Most free room is kept for emergencies, and more is wanted than the rest holds.
async fn tight(hub: &Hub) {
    for cluster in [FIRST, SECOND] {
        hub.patch("MemberCluster", None, cluster, "", &json!({ "spec": { "emergencyReservePercent": 90 } })).await;
    }
    scale(hub, 50).await;
}

async fn content(hub: &Hub, port: i32) {
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).unwrap_or_default();
    let mut objects = workload["spec"]["objects"].clone();
    objects[1]["manifest"]["spec"]["ports"] = json!([{ "port": port, "targetPort": 8080 }]);
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "objects": objects } })).await;
    hub.quiet().await;
}

/// Two clusters; the one that is chosen puts a value in.
async fn fleet() -> Hub {
    let mut objects = story("01-first-tenant");
    let first = objects.iter_mut().find(|object| object["kind"] == "MemberCluster").expect("a cluster");
    first["spec"]["values"] = json!({ "db": "dm.one" });
    let mut second = first.clone();
    second["metadata"]["name"] = json!(SECOND);
    objects.push(second);
    let env = json!([{ "container": "web", "name": "DB", "value": "$(value:db)" }]);
    let overrides = json!([{ "name": "db", "platforms": ["kunpeng-920"], "env": env }]);
    let workload = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    workload["spec"]["placement"] = json!({
        "overrides": overrides, "replicas": { "mode": "Divided", "divideBy": "Packed" },
    });
    Hub::with(&objects).await
}

/// Freezes every cluster from an hour ago for half a day.
pub(super) async fn freeze(hub: &Hub) {
    let now = hub.world.clock().now();
    let at = |hours: i64| (now + SignedDuration::from_hours(hours)).to_string();
    hub.create(&json!({
        "apiVersion": jiuzhou_api::meta::API_VERSION, "kind": "ChangeFreeze", "metadata": { "name": "two-sessions" },
        "spec": { "start": at(-1), "end": at(12), "reason": "两会保障" },
    }))
    .await;
    hub.quiet().await;
}

/// What runs and with which content.
fn stands(hub: &Hub) -> Value {
    json!([hub.members.replicas(PORTAL.0, PORTAL.1), hub.members.contents(PORTAL.0, PORTAL.1)])
}

#[tokio::test(start_paused = true)]
async fn everything_waits_for_the_end_of_a_freeze_but_failover_rollback_security_orders_and_emergencies() {
    let mut wrong = Vec::new();
    for (row, passes) in Row::ALL {
        let hub = fleet().await;
        let (stopper, stop) = Stop::new();
        let running = hub.start(stop);
        hub.quiet().await;
        row.before(&hub).await;
        hub.quiet().await;
        freeze(&hub).await;
        let before = stands(&hub);
        row.play(&hub).await;
        hub.quiet().await;
        if (stands(&hub) != before) != passes {
            wrong.push(format!("{row:?} while it lasts: {} then {}", before, stands(&hub)));
        }
        let told = hub.ready(PORTAL.0, PORTAL.1).1;
        if [Row::ScaleDown, Row::Content, Row::Value, Row::Delete].contains(&row) && told != "WaitingForFreeze" {
            wrong.push(format!("{row:?}: {told}"));
        }
        hub.pass(13 * 3600).await;
        if stands(&hub) == before {
            wrong.push(format!("{row:?} after it"));
        }
        stopper.stop();
        running.await.expect("no panic").expect("it runs");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
