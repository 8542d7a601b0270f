//! Workloads that are not well in members that answer, on a hub in memory: what leaves, what waits, what stays.

use jiff::SignedDuration;
use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Hub, portal_in, workload};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";
const THIRD: &str = "kunming-gov-3";

/// Clusters and a workload that leaves where it is not well.
fn objects(clusters: usize, application: &Value) -> Vec<Value> {
    let mut objects = portal_in(clusters);
    workload(&mut objects)["spec"]["placement"]["failover"] = json!({ "application": application });
    objects
}

/// From now on the portal is not ready in these members.
fn unwell_in(hub: &Hub, clusters: &'static [&'static str]) {
    hub.members.judge(move |delivery, object| {
        let runs = object.manifest.as_ref().is_some_and(|manifest| manifest.pointer("/spec/template").is_some());
        (runs && clusters.contains(&&*delivery.cluster)).then_some(ObjectState::Applied)
    });
}

/// Cluster and replicas as committed, without those that are being left.
fn placed(hub: &Hub) -> Vec<(String, i64)> {
    hub.placed(PORTAL).into_iter().filter(|(_, replicas)| *replicas > 0).collect()
}

fn phases(hub: &Hub) -> Vec<String> {
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    let entries = placement["status"]["applicationFailover"].as_array().cloned().unwrap_or_default();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    entries.iter().map(|one| format!("{} {}", text(one, "name"), text(one, "phase"))).collect()
}

fn of(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(name, replicas)| ((*name).to_owned(), *replicas)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_well_gets_another_place_when_its_time_is_over_and_does_not_come_back() {
    let hub = Hub::with(&objects(3, &json!({}))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(placed(&hub), of(&[(FIRST, 2)]));
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), vec![format!("{FIRST} Waiting")]));
    hub.pass(290).await;
    assert_eq!(placed(&hub), of(&[(FIRST, 2)]), "its 300 seconds are not over");
    hub.pass(20).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(SECOND, 2)]), vec![format!("{FIRST} Moved")]));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [(SECOND.to_owned(), 2)].into());
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    unwell_in(&hub, &[]);
    hub.pass(3_700).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(SECOND, 2)]), Vec::new()), "the cooldown is over and it stays");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.writes().len(), 0, "quiet after a restart");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_well_where_it_went_either_stays_there_and_says_so_until_its_content_changes() {
    let hub = Hub::with(&objects(5, &json!({ "afterSeconds": 60, "cooldownSeconds": 300 }))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    unwell_in(&hub, &[FIRST, SECOND, THIRD, "kunming-gov-4", "kunming-gov-5"]);
    for _ in 0..40 {
        hub.pass(61).await;
    }
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(SECOND, 2)]), vec![format!("{SECOND} Exhausted")]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "UnhealthyEverywhere".to_owned()));
    // Another content gets its own time and its own tries.
    let other = json!({ "spec": { "objects": workload(&mut objects(1, &json!({})))["spec"]["objects"] } });
    let mut other = other;
    for object in other["spec"]["objects"].as_array_mut().expect("objects") {
        if object["manifest"]["spec"]["template"].is_object() {
            object["manifest"]["spec"]["template"]["metadata"]["annotations"] = json!({ "build": "2" });
        }
    }
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &other).await;
    hub.quiet().await;
    assert_eq!(phases(&hub), [format!("{SECOND} Waiting")]);
    unwell_in(&hub, &[SECOND]);
    for _ in 0..3 {
        hub.pass(61).await;
    }
    assert_eq!(placed(&hub), of(&[(FIRST, 2)]), "the cooldown is long over");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_clock_and_what_was_not_watched_is_watched_once_more() {
    let hub = Hub::with(&objects(3, &json!({}))).await;
    hub.run().await.expect("it runs");
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clock().advance(SignedDuration::from_secs(4_000));
    hub.world.clear_log();
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), vec![format!("{FIRST} Waiting")]));
    assert_eq!(hub.writes().len(), 0, "nothing is written because of a restart");
    hub.pass(61).await;
    assert_eq!(placed(&hub), of(&[(SECOND, 2)]));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn nothing_moves_where_nobody_asked_for_it_nor_where_nothing_else_takes_it() {
    let mut plain = objects(3, &json!({}));
    workload(&mut plain)["spec"]["placement"]["failover"] = json!({});
    let hub = Hub::with(&plain).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    unwell_in(&hub, &[FIRST]);
    hub.pass(4_000).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), Vec::new()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");

    let hub = Hub::with(&objects(1, &json!({}))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    hub.pass(310).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), vec![format!("{FIRST} Released")]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "WorkloadUnhealthy".to_owned()));
    // It recovers before anything could take it.
    unwell_in(&hub, &[]);
    hub.quiet().await;
    hub.pass(70).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), Vec::new()));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn a_single_writer_is_gone_from_where_it_was_before_it_starts_elsewhere() {
    let mut all = objects(3, &json!({}));
    let one = workload(&mut all);
    one["spec"]["continuity"] = json!("SingleWriter");
    one["spec"]["data"] = json!({ "mode": "External" });
    let hub = Hub::with(&all).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    let witness = |order: &crate::orders::Order, there: &crate::testing::There| {
        let starts = order.delivery.state == jiuzhou_api::v1alpha1::DeliveryState::Present;
        let others = there.keys().any(|(_, cluster)| **cluster != *order.delivery.cluster);
        assert!(!(starts && others), "two at once");
    };
    *hub.members.witness.lock().expect("nobody panicked") = Some(Box::new(witness));
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    hub.pass(310).await;
    assert_eq!(placed(&hub), of(&[(SECOND, 2)]));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [(SECOND.to_owned(), 2)].into());
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

const SAVEPOINT: &str = "/metadata/annotations/state.jiuzhou.dev~1savepoint";
const OF_PODS: &str = "/spec/template/metadata/annotations/state.jiuzhou.dev~1savepoint";

fn with_state(optional: bool) -> Value {
    json!({ "state": [
        { "alias": "savepoint", "jsonPath": ".status.job.savepoint" },
        { "alias": "note", "jsonPath": ".status.note", "optional": optional },
    ] })
}

#[tokio::test(start_paused = true)]
async fn a_new_copy_is_told_what_the_one_before_said_over_restarts_and_until_its_content_changes() {
    let hub = Hub::with(&objects(3, &with_state(true))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.members.say(&[("savepoint", "s3://checkpoints/7".to_owned())]);
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    hub.pass(310).await;
    assert_eq!(placed(&hub), of(&[(SECOND, 2)]));
    let told = |cluster: &str, pointer: &str| hub.members.told(PORTAL.0, PORTAL.1, cluster, pointer);
    assert_eq!(told(SECOND, SAVEPOINT), [json!("s3://checkpoints/7")], "on the object that said it, and on no other");
    assert_eq!(told(SECOND, OF_PODS), [json!("s3://checkpoints/7")]);
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert_eq!(placement["spec"]["carried"][0]["name"], SECOND);
    assert_eq!(placement["spec"]["carried"][0]["from"], FIRST);
    let missing = &placement["status"]["applicationFailover"][0]["stateMissing"];
    assert_eq!(missing, "note: nothing at .status.note", "what is optional is left out and told");
    // What the new copy says is none of it, the cooldown ends, and the operator begins anew: nothing is restarted for it.
    let contents = hub.members.contents(PORTAL.0, PORTAL.1);
    unwell_in(&hub, &[]);
    hub.members.say(&[("savepoint", "s3://checkpoints/8".to_owned())]);
    hub.pass(4_000).await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(hub.writes().len(), 0, "quiet after a restart");
    assert_eq!(hub.members.contents(PORTAL.0, PORTAL.1), contents);
    // Its pods are made anew anyway with another content, and then it goes.
    let mut all = objects(1, &with_state(true));
    let one = workload(&mut all);
    for object in one["spec"]["objects"].as_array_mut().expect("objects") {
        if object["manifest"]["spec"]["template"].is_object() {
            object["manifest"]["spec"]["template"]["metadata"]["annotations"] = json!({ "build": "2" });
        }
    }
    let patch = json!({ "spec": { "objects": one["spec"]["objects"] } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &patch).await;
    hub.quiet().await;
    assert_eq!(told(SECOND, OF_PODS), Vec::<Value>::new());
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert!(placement["spec"]["carried"].is_null());
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn a_move_waits_for_the_state_it_has_to_take_along_and_says_for_what() {
    let hub = Hub::with(&objects(3, &with_state(false))).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.members.say(&[("savepoint", "s3://checkpoints/7".to_owned()), ("note", "x".repeat(1025))]);
    unwell_in(&hub, &[FIRST]);
    hub.quiet().await;
    hub.pass(1_000).await;
    assert_eq!((placed(&hub), phases(&hub)), (of(&[(FIRST, 2)]), vec![format!("{FIRST} State")]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "StateNotCarried".to_owned()));
    let told = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let message = told["status"]["messageEn"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("note: 1025 > 1024 bytes"), "{message}");
    // Together they may be too large, too.
    let at_most = "x".repeat(1024);
    hub.members.say(&[("savepoint", at_most.clone()), ("note", at_most)]);
    hub.quiet().await;
    assert_eq!(placed(&hub), of(&[(SECOND, 2)]), "it goes when it can take all of it along");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
