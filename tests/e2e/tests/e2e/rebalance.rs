//! A person orders a workload to be placed anew: shown before, held by a freeze, carried out once, also over a killed leader.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, jiuzhou};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

/// The latest order that was carried out.
fn done(scene: &Scene) -> Option<Timestamp> {
    let placement = scene.get("fpl", "both", Some(&scene.namespace())).unwrap();
    placement["spec"]["rebalancedAt"].as_str().map(|at| at.parse().unwrap())
}

/// A change freeze of this story's tenant, from an hour ago until in six.
fn freeze(scene: &Scene) -> Value {
    let at = |hours: i64| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
    json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "ChangeFreeze", "metadata": { "name": scene.name() },
        "spec": { "start": at(-1), "end": at(6), "reason": "两会保障", "tenants": [scene.name()] },
    })
}

/// Where a plan over files of the state adds and removes replicas of the workload.
fn moved(objects: &str) -> [Value; 2] {
    let plan = jiuzhou(&["plan", objects, "-o", "json", "--fail-on", "never"]).unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let workloads = plan["sections"].as_array().into_iter().flatten().find(|section| section["key"] == "workloads");
    let row = workloads.unwrap()["rows"].as_array().into_iter().flatten().find(|row| row.to_string().contains("both"));
    let row = row.unwrap();
    [row["added"].clone(), row["removed"].clone()]
}

#[tokio::test]
async fn an_order_to_place_anew_waits_for_a_freeze_and_is_carried_out_once_also_over_a_killed_leader() {
    let mut scene = Scene::begin("rebalance").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();
    // The second group is for when the first has no room, and nothing goes back by itself.
    let group = |name: &str, member: &str| json!({ "name": name, "selector": { "names": [member] }, "failbackAfterMinutes": 600 });
    let mut both = scene.workload("both", "both", 2);
    both["spec"]["placement"] = json!({ "groups": [group("own", "kunpeng"), group("other", "x86")] });
    scene.apply(&[both]).unwrap();
    scene.runs("both", &[("kunpeng", 2), ("x86", 0)], AFTER_A_KILL).await.unwrap();
    scene.order(&["drain", "kunpeng"]).unwrap();
    scene.runs("both", &[("kunpeng", 0), ("x86", 2)], SOON).await.unwrap();
    scene.order(&["drain", "kunpeng", "--undo"]).unwrap();
    scene.member_says("kunpeng", "Ready", "True", SOON).await.unwrap();
    let here = |scene: &Scene, counts: [usize; 2]| ["kunpeng", "x86"].map(|m| scene.running(m, "both")) == counts;
    scene
        .stays("nothing goes back by itself", Duration::from_secs(8), || async { Ok(here(&scene, [0, 2])) })
        .await
        .unwrap();

    // Ordered in a freeze it waits and says for what.
    scene.apply(&[freeze(&scene)]).unwrap();
    let key = format!("{}/both", scene.namespace());
    scene.order(&["rebalance", &key]).unwrap();
    scene.says("both", &["WaitingForFreeze", "rebalance"], SOON).await.unwrap();
    assert_eq!((here(&scene, [0, 2]), done(&scene)), (true, None));
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    scene.order(&["export-state", "--out", &state]).unwrap();
    assert_eq!(moved(&format!("{state}/objects")), [json!([]), json!([])], "offline it waits as well");
    scene.fleet.hub().kubectl(&["delete", "changefreeze", scene.name()]).unwrap();
    scene.runs("both", &[("kunpeng", 2), ("x86", 0)], SOON).await.unwrap();
    let first = done(&scene).unwrap();

    // What moves it away afterwards is no order, and the old order does not bring it back, whoever leads.
    scene.order(&["drain", "kunpeng"]).unwrap();
    scene.runs("both", &[("kunpeng", 0), ("x86", 2)], SOON).await.unwrap();
    scene.order(&["drain", "kunpeng", "--undo"]).unwrap();
    operator.kill().unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.member_says("kunpeng", "Ready", "True", AFTER_A_KILL).await.unwrap();
    scene
        .stays("an order is carried out once", Duration::from_secs(8), || async { Ok(here(&scene, [0, 2])) })
        .await
        .unwrap();

    // Ordered while nobody leads, it is carried out by whoever leads next.
    operator.kill().unwrap();
    scene.order(&["rebalance", &key]).unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.runs("both", &[("kunpeng", 2), ("x86", 0)], AFTER_A_KILL).await.unwrap();
    eventually("the placement says which order it was", SOON, || async {
        let now = done(&scene);
        Ok(Seen::when(now.is_some_and(|now| now > first), (), format!("{now:?}")))
    })
    .await
    .unwrap();
    assert!(scene.end(operator).await.unwrap() >= 4, "deliveries were looked at");
}
