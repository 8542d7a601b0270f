//! Migrations on a hub in memory: a wave goes over without a gap, a gate that fails keeps or brings everything back in every
//! state, and nothing goes back over what the target has written without a declared way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::{Value, json};

use crate::testing::{Hub, story};

const NAMESPACE: &str = "qujing-service";
const SOURCE: &str = "qujing-x86";
const TARGET: &str = "qujing-kunpeng";

/// The story of a migration with its one wave, and what runs before it.
async fn before(wave: Value) -> Hub {
    let mut objects = story("11-migration");
    objects.retain(|object| object["kind"] != "Migration");
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    assert_eq!(runs(&hub, "web"), [(SOURCE, 4)].map(owned).into());
    hub.create(&json!({
        "apiVersion": jiuzhou_api::meta::API_VERSION, "kind": "Migration",
        "metadata": { "name": "go", "namespace": NAMESPACE },
        "spec": { "type": "Adaptation", "from": [SOURCE], "to": [TARGET], "platforms": ["kunpeng-920"], "waves": [wave] },
    }))
    .await;
    hub
}

fn owned((name, replicas): (&str, i32)) -> (String, i32) {
    (name.to_owned(), replicas)
}

fn wave(more: &Value) -> Value {
    let mut wave = json!({ "name": "one", "workloads": ["web"], "deadlineMinutes": 60 });
    for (key, value) in more.as_object().expect("fields") {
        wave[key] = value.clone();
    }
    wave
}

fn runs(hub: &Hub, name: &str) -> BTreeMap<String, i32> {
    hub.members.replicas(NAMESPACE, name)
}

fn at(hub: &Hub) -> (String, String) {
    let status = hub.object("Migration", NAMESPACE, "go").expect("a migration")["status"].clone();
    let text = |field: &str| status["waves"][0][field].as_str().unwrap_or_default().to_owned();
    (text("step"), text("reason"))
}

fn stands(hub: &Hub, step: &str, reason: &str, places: &[(&str, i32)]) {
    assert_eq!(at(hub), (step.to_owned(), reason.to_owned()));
    assert_eq!(runs(hub, "web"), places.iter().copied().map(owned).collect(), "{step}");
}

/// Changes the spec as a person does.
async fn says(hub: &Hub, spec: Value) {
    hub.patch("Migration", Some(NAMESPACE), "go", "", &json!({ "spec": spec })).await;
    hub.run().await.expect("it runs");
}

fn proof(gate: &str, result: &str) -> Value {
    json!({
        "wave": "one", "gate": gate, "result": result, "date": "2026-11-23", "recordedBy": "张三", "verifiedBy": "李四",
    })
}

async fn later(hub: &Hub, minutes: i64) {
    hub.world.clock().advance(SignedDuration::from_mins(minutes));
    hub.run().await.expect("it runs");
}

/// Watches every order: all replicas that serve, at any moment, on whichever side.
fn least_served(hub: &Hub) -> Arc<Mutex<i32>> {
    let least = Arc::new(Mutex::new(i32::MAX));
    let seen = Arc::clone(&least);
    let witness = move |order: &crate::orders::Order, there: &crate::testing::There| {
        if order.key().name != "web" {
            return;
        }
        let own = |((workload, _), _): &(&(jiuzhou_engine::decide::WorkloadKey, String), _)| *workload == order.key();
        let others = there.iter().filter(own).filter(|((_, cluster), _)| **cluster != *order.delivery.cluster);
        let others: i32 = others.map(|(_, order)| order.delivery.replicas.unwrap_or(0)).sum();
        let removed = order.delivery.state == jiuzhou_api::v1alpha1::DeliveryState::Removing;
        let own = if removed { 0 } else { order.delivery.replicas.unwrap_or(0) };
        let before = there.get(&(order.key(), order.delivery.cluster.to_string()));
        let before = before.and_then(|order| order.delivery.replicas).unwrap_or(0);
        let mut least = seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What is newly ordered is not ready yet when it is ordered.
        *least = (*least).min(others + own.min(before));
    };
    *hub.members.witness.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(witness));
    least
}

#[tokio::test(start_paused = true)]
async fn a_wave_goes_over_share_by_share_without_a_gap_and_a_restart_writes_nothing() {
    let gates = json!([{ "name": "load-test", "before": "CutOver" }]);
    let hub = before(wave(&json!({ "trialPercent": 25, "trialMinutes": 30, "soakMinutes": 60, "gates": gates }))).await;
    let least = least_served(&hub);
    hub.run().await.expect("it runs");
    stands(&hub, "Trial", "MigrationResting", &[(SOURCE, 3), (TARGET, 1)]);
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0, "nothing changed");

    later(&hub, 30).await;
    stands(&hub, "Trial", "GateOpen", &[(SOURCE, 3), (TARGET, 1)]);
    let mut unverified = proof("load-test", "Passed");
    unverified.as_object_mut().expect("fields").remove("verifiedBy");
    says(&hub, json!({ "evidence": [unverified] })).await;
    stands(&hub, "Trial", "GateOpen", &[(SOURCE, 3), (TARGET, 1)]);
    says(&hub, json!({ "evidence": [proof("load-test", "Passed")] })).await;
    stands(&hub, "Soaking", "MigrationResting", &[(TARGET, 4)]);
    later(&hub, 60).await;
    stands(&hub, "Completed", "MigrationCompleted", &[(TARGET, 4)]);
    assert_eq!(*least.lock().unwrap_or_else(PoisonError::into_inner), 4, "all replicas served all the time");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);

    // The migration goes; what it moved stays.
    hub.delete(&format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{NAMESPACE}/migrations/go")).await;
    hub.patch(
        "FleetWorkload",
        Some(NAMESPACE),
        "web",
        "",
        &json!({ "spec": { "placement": { "groups": [
        { "name": "kunpeng", "selector": { "names": [TARGET] } }, { "name": "x86", "selector": { "names": [SOURCE] } },
    ] } } }),
    )
    .await;
    hub.run().await.expect("it runs");
    assert_eq!(runs(&hub, "web"), [(TARGET, 4)].map(owned).into());
}

/// A gate that fails, in every state that a person can bring it about in.
#[tokio::test(start_paused = true)]
async fn a_gate_that_fails_in_every_state_keeps_or_brings_back_what_serves() {
    let gate = |before: &str| json!([{ "name": "test", "before": before }]);
    let fail = json!({ "evidence": [proof("test", "Failed")] });
    let source = &[(SOURCE, 4)];

    let hub = before(wave(&json!({ "gates": gate("Copy") }))).await;
    says(&hub, fail.clone()).await;
    stands(&hub, "Assessing", "GateFailed", source);

    let data = json!({ "copy": "导出导入", "compare": "逐表比对" });
    for (passed, gate, step) in [(vec![], "copy", "Copying"), (vec!["copy"], "compare", "Comparing")] {
        let hub = before(wave(&json!({ "data": data }))).await;
        let mut evidence: Vec<Value> = passed.iter().map(|gate| proof(gate, "Passed")).collect();
        says(&hub, json!({ "evidence": evidence })).await;
        stands(&hub, step, "GateOpen", source);
        evidence.push(proof(gate, "Failed"));
        says(&hub, json!({ "evidence": evidence })).await;
        stands(&hub, step, "GateFailed", source);
    }

    let hub = before(wave(&json!({ "trialPercent": 25, "gates": gate("CutOver") }))).await;
    let least = least_served(&hub);
    hub.run().await.expect("it runs");
    stands(&hub, "Trial", "GateOpen", &[(SOURCE, 3), (TARGET, 1)]);
    says(&hub, fail.clone()).await;
    stands(&hub, "RolledBack", "MigrationRolledBack", source);
    assert_eq!(*least.lock().unwrap_or_else(PoisonError::into_inner), 4);
    says(&hub, json!({ "waves": [wave(&json!({ "attempt": 2, "trialPercent": 25, "gates": gate("CutOver") }))] }))
        .await;
    stands(&hub, "Trial", "GateOpen", &[(SOURCE, 3), (TARGET, 1)]);

    let hub = before(wave(&json!({ "soakMinutes": 60, "gates": gate("Completion") }))).await;
    let least = least_served(&hub);
    hub.run().await.expect("it runs");
    stands(&hub, "Soaking", "MigrationResting", &[(TARGET, 4)]);
    says(&hub, fail).await;
    stands(&hub, "RolledBack", "MigrationRolledBack", source);
    assert_eq!(*least.lock().unwrap_or_else(PoisonError::into_inner), 4);
}

#[tokio::test(start_paused = true)]
async fn a_target_where_nothing_becomes_ready_is_left_in_time_and_the_source_never_went() {
    let hub = before(wave(&json!({}))).await;
    hub.members.slow.lock().unwrap_or_else(PoisonError::into_inner).push(TARGET.to_owned());
    hub.run().await.expect("it runs");
    let (step, reason) = at(&hub);
    assert_eq!((step.as_str(), reason.as_str()), ("CuttingOver", "MigrationMoving"));
    assert_eq!(runs(&hub, "web").get(SOURCE), Some(&4), "what serves stays until the target does");
    later(&hub, 60).await;
    stands(&hub, "RolledBack", "MigrationRolledBack", &[(SOURCE, 4)]);

    let hub = before(wave(&json!({ "trialPercent": 50, "trialMinutes": 60 }))).await;
    hub.run().await.expect("it runs");
    stands(&hub, "Trial", "MigrationResting", &[(SOURCE, 2), (TARGET, 2)]);
    hub.members.judge(|delivery, _| (&*delivery.cluster == TARGET).then_some(ObjectState::Failed));
    hub.run().await.expect("it runs");
    stands(&hub, "RolledBack", "MigrationRolledBack", &[(SOURCE, 4)]);
}

#[tokio::test(start_paused = true)]
async fn after_the_first_write_it_goes_back_only_with_a_declared_way_and_once_the_data_is_back() {
    let data = |way_back: bool| {
        let mut data = json!({ "copy": "导出导入", "compare": "逐表比对" });
        if way_back {
            data["wayBack"] = json!("反向同步");
        }
        data
    };
    let proven = || vec![proof("copy", "Passed"), proof("compare", "Passed")];
    let hub = before(wave(&json!({ "data": data(false), "soakMinutes": 60 }))).await;
    says(&hub, json!({ "evidence": proven() })).await;
    stands(&hub, "Soaking", "MigrationResting", &[(TARGET, 4)]);
    let order = |way_back: bool| json!({ "waves": [wave(&json!({ "data": data(way_back), "soakMinutes": 60, "rollback": true }))] });
    says(&hub, order(false)).await;
    stands(&hub, "Soaking", "WayBackMissing", &[(TARGET, 4)]);
    let whole = hub.object("Migration", NAMESPACE, "go").expect("a migration");
    let stalled = |whole: &Value| {
        let conditions = whole["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Stalled" && one["reason"] == "WayBackMissing")
    };
    assert!(stalled(&whole), "{whole}");

    says(&hub, order(true)).await;
    stands(&hub, "ReturningData", "GateOpen", &[(TARGET, 4)]);
    let mut evidence = proven();
    evidence.push(proof("way-back", "Passed"));
    says(&hub, json!({ "evidence": evidence })).await;
    stands(&hub, "RolledBack", "MigrationRolledBack", &[(SOURCE, 4)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_where_the_image_does_not_run_and_the_status_says_why_in_both_languages() {
    let hub = before(wave(&json!({}))).await;
    let profile = hub.object("ImageProfile", "", "qujing-service").expect("a profile");
    let mut entries = profile["spec"]["entries"].as_array().expect("entries").clone();
    entries.retain(|entry| entry["architecture"] == "amd64");
    hub.patch("ImageProfile", None, "qujing-service", "", &json!({ "spec": { "entries": entries } })).await;
    hub.run().await.expect("it runs");
    stands(&hub, "Assessing", "TargetUnfit", &[(SOURCE, 4)]);
    let wave = hub.object("Migration", NAMESPACE, "go").expect("a migration")["status"]["waves"][0].clone();
    let (en, zh) = (wave["messageEn"].as_str().expect("words"), wave["messageZh"].as_str().expect("words"));
    assert!(en.contains("web: ") && en.contains("arm64"), "{en}");
    assert!(zh.contains("web: ") && zh.contains("arm64"), "{zh}");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);
    hub.patch(
        "ImageProfile",
        None,
        "qujing-service",
        "",
        &json!({ "spec": { "entries": profile["spec"]["entries"] } }),
    )
    .await;
    hub.run().await.expect("it runs");
    later(&hub, 1).await;
    stands(&hub, "Completed", "MigrationCompleted", &[(TARGET, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_freeze_holds_what_goes_forward_and_a_rollback_passes_it() {
    let hub = before(wave(&json!({ "trialPercent": 25, "trialMinutes": 30 }))).await;
    hub.run().await.expect("it runs");
    let now = hub.world.clock().now();
    let day = |hours: i64| (now + SignedDuration::from_hours(hours)).to_string();
    hub.create(&json!({
        "apiVersion": jiuzhou_api::meta::API_VERSION, "kind": "ChangeFreeze", "metadata": { "name": "holiday" },
        "spec": { "start": day(-1), "end": day(24), "reason": "保障" },
    }))
    .await;
    later(&hub, 31).await;
    stands(&hub, "Trial", "TargetUnfit", &[(SOURCE, 3), (TARGET, 1)]);
    let back = wave(&json!({ "trialPercent": 25, "trialMinutes": 30, "rollback": true }));
    says(&hub, json!({ "waves": [back] })).await;
    stands(&hub, "RolledBack", "MigrationRolledBack", &[(SOURCE, 4)]);
}
