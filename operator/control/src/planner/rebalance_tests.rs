//! Orders to place a workload anew, on a hub in memory: each once, within all brakes, over restarts; and a better score, which
//! is looked at once an hour.

use jiff::{SignedDuration, Timestamp};
use jiuzhou_engine::decide::{self, WorkloadKey};
use serde_json::{Value, json};

use super::freeze_tests::freeze;
use super::moves_tests::{least_ordered, runs};
use crate::error::Error;
use crate::people::approve::{self, Signature};
use crate::people::rebalance;
use crate::record::journal;
use crate::stop::Stop;
use crate::testing::{Hub, story};

const NAMESPACE: &str = "kunming-portal";
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";

/// Two equal clusters of which the better one by name takes nothing while workloads come, packed into one cluster each.
async fn fleet(workloads: usize, rules: Value) -> Hub {
    let mut objects = story("01-first-tenant");
    let first = objects.iter_mut().find(|object| object["kind"] == "MemberCluster").expect("a cluster");
    let mut second = first.clone();
    first["spec"]["lifecycle"] = json!("Draining");
    second["metadata"]["name"] = json!(SECOND);
    objects.push(second);
    let one = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    one["spec"]["placement"] = rules;
    one["spec"]["placement"]["replicas"] = json!({ "mode": "Divided", "divideBy": "Packed" });
    let one = one.clone();
    for number in 1..workloads {
        let mut other = one.clone();
        other["metadata"]["name"] = json!(format!("portal-{number:02}"));
        for object in other["spec"]["objects"].as_array_mut().expect("objects") {
            let own = format!("{}-{number}", object["manifest"]["metadata"]["name"].as_str().unwrap_or_default());
            object["manifest"]["metadata"]["name"] = json!(own);
        }
        objects.push(other);
    }
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    lifecycle(&hub, FIRST, "Active").await;
    hub.run().await.expect("it runs");
    for name in names(&hub) {
        assert_eq!(runs(&hub, &name), [SECOND], "{name}: a cluster that is better moves nothing by itself");
    }
    hub
}

async fn lifecycle(hub: &Hub, cluster: &str, lifecycle: &str) {
    hub.patch("MemberCluster", None, cluster, "", &json!({ "spec": { "lifecycle": lifecycle } })).await;
}

fn names(hub: &Hub) -> Vec<String> {
    let all = hub.world.objects(jiuzhou_api::meta::API_VERSION, "FleetWorkload");
    all.iter().map(|one| one["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn done(hub: &Hub, name: &str) -> Option<String> {
    let placement = hub.object("FleetPlacement", NAMESPACE, name).expect("a placement");
    placement["spec"]["rebalancedAt"].as_str().map(str::to_owned)
}

async fn order(hub: &Hub, name: &str, at: Timestamp) -> Result<Timestamp, Error> {
    rebalance::order(&hub.world.client_named("person"), &WorkloadKey::new(NAMESPACE, name), at).await
}

/// Every recorded batch, decided again.
fn replayed(hub: &Hub) -> usize {
    let mut batches = 0;
    let again = |recorded: journal::Decided| {
        let replay = decide::replay(recorded.input).expect("it is decided again");
        assert_eq!((replay.sha256, &replay.plan), (recorded.sha256, &recorded.plan));
        batches += 1;
        Ok::<_, Error>(())
    };
    journal::read(hub.folder.path(), again).expect("the inputs are read");
    batches
}

#[tokio::test(start_paused = true)]
async fn an_order_places_anew_once_adds_before_it_removes_and_replays() {
    let hub = fleet(1, json!({})).await;
    let least = least_ordered(&hub);
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    let at = order(&hub, "portal", hub.world.clock().now()).await.expect("it is ordered");
    hub.quiet().await;
    assert_eq!((runs(&hub, "portal"), done(&hub, "portal")), (vec![FIRST.to_owned()], Some(at.to_string())));
    assert_eq!(hub.ready(NAMESPACE, "portal").1, "AsWanted");
    assert_eq!(*least.lock().expect("a lock"), 2, "added before anything was taken away");

    // The order is carried out: what moves afterwards moves for its own reasons, and stays there.
    lifecycle(&hub, FIRST, "Draining").await;
    hub.quiet().await;
    lifecycle(&hub, FIRST, "Active").await;
    hub.quiet().await;
    assert_eq!(runs(&hub, "portal"), [SECOND]);
    let annotation = jiuzhou_api::meta::ANNOTATION_REBALANCE_AT;
    for word in [Value::Null, json!(at.to_string()), json!("2020-01-01T00:00:00Z"), json!("soon")] {
        let patch = json!({ "metadata": { "annotations": { annotation: word } } });
        hub.patch("FleetWorkload", Some(NAMESPACE), "portal", "", &patch).await;
        hub.quiet().await;
        assert_eq!(runs(&hub, "portal"), [SECOND], "{word} orders nothing");
    }
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs");
    assert_eq!(hub.writes(), [], "nor does a restart");

    // An order that is given while nobody leads is carried out by whoever leads next, once.
    hub.world.clock().advance(SignedDuration::from_secs(60));
    let again = order(&hub, "portal", at).await.expect("it is ordered");
    assert!(again > at, "another order is a later one");
    hub.run().await.expect("it runs");
    assert_eq!((runs(&hub, "portal"), done(&hub, "portal")), (vec![FIRST.to_owned()], Some(again.to_string())));
    hub.world.clear_log();
    hub.run().await.expect("it runs");
    assert_eq!(hub.writes(), [], "a restart writes nothing");
    assert!(replayed(&hub) > 3);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_finds_nothing_better_is_carried_out_without_touching_a_member() {
    let hub = fleet(1, json!({})).await;
    lifecycle(&hub, FIRST, "Draining").await;
    hub.run().await.expect("it runs");
    let contents = hub.members.contents(NAMESPACE, "portal");
    let at = order(&hub, "portal", hub.world.clock().now()).await.expect("it is ordered");
    hub.run().await.expect("it runs");
    assert_eq!((runs(&hub, "portal"), done(&hub, "portal")), (vec![SECOND.to_owned()], Some(at.to_string())));
    assert_eq!(
        (hub.members.contents(NAMESPACE, "portal"), hub.ready(NAMESPACE, "portal").1.as_str()),
        (contents, "AsWanted")
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_the_end_of_a_freeze_says_so_and_may_be_withdrawn() {
    for withdrawn in [false, true] {
        let hub = fleet(1, json!({})).await;
        let (stopper, stop) = Stop::new();
        let running = hub.start(stop);
        hub.quiet().await;
        freeze(&hub).await;
        let at = order(&hub, "portal", hub.world.clock().now()).await.expect("it is ordered");
        hub.quiet().await;
        assert_eq!((runs(&hub, "portal"), done(&hub, "portal")), (vec![SECOND.to_owned()], None));
        assert_eq!(hub.ready(NAMESPACE, "portal").1, "WaitingForFreeze");
        let (client, key) = (hub.world.client_named("person"), WorkloadKey::new(NAMESPACE, "portal"));
        if withdrawn {
            assert_eq!(rebalance::withdraw(&client, &key).await.expect("it is withdrawn"), at.to_string());
            hub.quiet().await;
            assert_eq!(hub.ready(NAMESPACE, "portal").1, "AsWanted");
        }
        hub.pass(13 * 3600).await;
        let (there, carried_out) = if withdrawn { (SECOND, None) } else { (FIRST, Some(at.to_string())) };
        assert_eq!((runs(&hub, "portal"), done(&hub, "portal")), (vec![there.to_owned()], carried_out));
        assert_eq!(hub.ready(NAMESPACE, "portal").1, "AsWanted");
        rebalance::withdraw(&client, &key).await.expect_err("no order waits");
        stopper.stop();
        running.await.expect("no panic").expect("it runs");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_for_later_waits_for_its_instant_over_a_restart() {
    let hub = fleet(1, json!({})).await;
    let later = hub.world.clock().now() + SignedDuration::from_hours(2);
    order(&hub, "portal", later).await.expect("it is ordered");
    hub.run().await.expect("it runs");
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.pass(3600).await;
    assert_eq!(
        (runs(&hub, "portal"), hub.ready(NAMESPACE, "portal").1.as_str()),
        (vec![SECOND.to_owned()], "AsWanted")
    );
    hub.pass(3600).await;
    assert_eq!(runs(&hub, "portal"), [FIRST]);
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_while_the_cluster_where_it_runs_does_not_answer() {
    let hub = fleet(1, json!({ "failover": { "mode": "Never" } })).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.members.falls_silent(SECOND);
    hub.sees(SECOND, ["Unreachable"; 2]).await;
    hub.quiet().await;
    order(&hub, "portal", hub.world.clock().now()).await.expect("it is ordered");
    hub.pass(600).await;
    assert_eq!(done(&hub, "portal"), None, "who leaves such a cluster fails over");
    assert_eq!(hub.placed((NAMESPACE, "portal")), [(SECOND.to_owned(), 2)]);
    hub.members.speaks(SECOND);
    hub.sees(SECOND, ["Reachable"; 2]).await;
    hub.quiet().await;
    assert_eq!(runs(&hub, "portal"), [FIRST]);
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn orders_for_many_at_once_wait_for_an_approval_of_exactly_their_plan() {
    let hub = fleet(12, json!({})).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    for name in names(&hub) {
        order(&hub, &name, hub.world.clock().now()).await.expect("it is ordered");
    }
    hub.quiet().await;
    for name in names(&hub) {
        assert_eq!((runs(&hub, &name), done(&hub, &name)), (vec![SECOND.to_owned()], None), "{name}");
        assert_eq!(hub.ready(NAMESPACE, &name).1, "WaitingForApproval", "{name}");
    }
    approved(&hub, 12).await;
    for name in names(&hub) {
        assert_eq!((runs(&hub, &name), done(&hub, &name).is_some()), (vec![FIRST.to_owned()], true), "{name}");
    }
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

/// Another person approves the moves that wait.
async fn approved(hub: &Hub, moves: usize) {
    let client = hub.world.client_named("person");
    let asked = approve::moves(&client).await.expect("the plan is shown");
    assert_eq!(asked.touches.len(), moves);
    let by = Signature {
        user: "李四".to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: Some("张三".to_owned()),
        document: "云数批〔2026〕8号".to_owned(),
        until: "2026-12-01".to_owned(),
        needed: 1,
    };
    approve::approve(&client, &asked, &by).await.expect("it is approved");
    hub.quiet().await;
}

/// Placement rules that like a label, with or without a threshold.
fn likes_green(gain: Option<i32>) -> Value {
    let mut rules = json!({ "preferences": [{ "name": "green", "metric": "Label", "label": { "key": "green" } }] });
    if let Some(gain) = gain {
        rules["rebalanceGainPerMille"] = json!(gain);
    }
    rules
}

async fn turns_green(hub: &Hub) {
    hub.patch("MemberCluster", None, FIRST, "", &json!({ "metadata": { "labels": { "green": "yes" } } })).await;
    hub.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_better_score_is_looked_at_within_an_hour_and_moves_beyond_the_threshold_only() {
    for (gain, moves) in [(None, false), (Some(1000), false), (Some(500), true)] {
        let hub = fleet(1, likes_green(gain)).await;
        let (stopper, stop) = Stop::new();
        let running = hub.start(stop);
        hub.quiet().await;
        turns_green(&hub).await;
        assert_eq!(runs(&hub, "portal"), [SECOND], "{gain:?}: a score wakes nobody");
        hub.world.clear_log();
        hub.pass(3700).await;
        let there = if moves { FIRST } else { SECOND };
        assert_eq!(runs(&hub, "portal"), [there], "{gain:?}");
        if !moves {
            assert_eq!(hub.writes(), [], "{gain:?}: a look writes nothing");
        }
        stopper.stop();
        running.await.expect("no panic").expect("it runs");
        replayed(&hub);
    }
}

#[tokio::test(start_paused = true)]
async fn a_better_score_for_many_waits_for_an_approval_and_in_a_freeze_moves_nobody() {
    let hub = fleet(12, likes_green(Some(500))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    turns_green(&hub).await;
    freeze(&hub).await;
    hub.pass(3700).await;
    for name in names(&hub) {
        assert_eq!((runs(&hub, &name), hub.ready(NAMESPACE, &name).1.as_str()), (vec![SECOND.to_owned()], "AsWanted"));
    }
    hub.pass(13 * 3600).await;
    for name in names(&hub) {
        assert_eq!(runs(&hub, &name), [SECOND], "{name}");
        assert_eq!(hub.ready(NAMESPACE, &name).1, "WaitingForApproval", "{name}");
    }
    approved(&hub, 12).await;
    for name in names(&hub) {
        assert_eq!(runs(&hub, &name), [FIRST], "{name}");
    }
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
