//! An emergency on real control planes: nothing before another person agrees, then victims give way and what has no room
//! bursts; at its end all is as before. And a tier that somebody changed holds as it was until that is approved.

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, jiuzhou, object};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::json;

use crate::orders::as_somebody_else;

/// Waits until the emergency tells so; `state workloads/victims`.
async fn stands(scene: &Scene, wanted: &str) {
    eventually(&format!("the emergency is {wanted}"), AFTER_A_KILL, || async {
        let status = scene.get("operatingmode", "flood", None)?["status"].clone();
        let state = status["state"].as_str().unwrap_or_default();
        let told = format!("{state} {}/{}", status["workloads"], status["victims"]);
        Ok(Seen::when(told == wanted, (), format!("{told} {status}")))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_emergency_takes_and_bursts_once_it_is_approved_and_gives_all_of_it_back() {
    let mut scene = Scene::begin("flood").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();
    let at_home = json!({ "clusters": { "names": ["kunpeng"] } });
    let mut command = scene.workload("command", "both", 2);
    command["spec"]["placement"] = at_home.clone();
    let mut training = scene.workload("training", "both", 1);
    training["spec"]["placement"] = at_home;
    scene.apply(&[command, training]).unwrap();
    scene.runs("command", &[("kunpeng", 2), ("x86", 0)], AFTER_A_KILL).await.unwrap();
    scene.runs("training", &[("kunpeng", 1)], AFTER_A_KILL).await.unwrap();

    let now = jiff::Timestamp::now();
    let hours = |hours: i64| (now + jiff::SignedDuration::from_hours(hours)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let named = |name: &str| json!({ "namespace": scene.namespace(), "name": name });
    let spec = json!({
        "from": hours(-1), "until": hours(2), "reason": "防汛一级响应", "document": { "number": "云防汛〔2026〕1号" },
        "requestedBy": "kwok-admin", "requestedAt": hours(-1),
        "workloads": [named("command")], "victims": [named("training")],
        "burst": { "clusters": { "names": ["x86"] } },
    });
    scene.apply(&[object("OperatingMode", "flood", None, &spec)]).unwrap();
    stands(&scene, "WaitingForApproval 0/0").await;
    let other = as_somebody_else(&scene, "bureau-director");
    let other = other.path().to_str().unwrap();
    let shown = jiuzhou(&["approve", "mode", "flood", "--kubeconfig", other, "--lang", "en"]).unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let digest = shown.lines().find_map(|line| line.strip_prefix("digest: ")).unwrap();
    let signed = ["--approved-digest", digest, "--role", "分管局长", "--document", "批〔2026〕10号"];
    jiuzhou(&[&["approve", "mode", "flood", "--kubeconfig", other], signed.as_slice()].concat()).unwrap();
    stands(&scene, "InForce 1/1").await;
    eventually("the victim gives way", AFTER_A_KILL, || async {
        let running = scene.running("kunpeng", "training");
        Ok(Seen::when(running == 0, (), running.to_string()))
    })
    .await
    .unwrap();

    // More than its own cluster may hold: the rest goes where the emergency lets it. A pod of a node's size fills nodes.
    let hub = scene.fleet.hub();
    let namespace = scene.namespace();
    let large = json!({ "spec": { "placement": { "replicas": { "maxPerCluster": 3 } }, "replicas": 5 } }).to_string();
    hub.kubectl(&["patch", "fwl", "command", "-n", &namespace, "--type=merge", "-p", &large]).unwrap();
    scene.runs("command", &[("kunpeng", 3), ("x86", 2)], AFTER_A_KILL).await.unwrap();
    let small = json!({ "spec": { "placement": { "replicas": null }, "replicas": 2 } }).to_string();
    hub.kubectl(&["patch", "fwl", "command", "-n", &namespace, "--type=merge", "-p", &small]).unwrap();

    hub.kubectl(&["patch", "operatingmode", "flood", "--type=merge", "-p", r#"{"spec":{"ended":true}}"#]).unwrap();
    stands(&scene, "Over 0/0").await;
    scene.runs("command", &[("kunpeng", 2), ("x86", 0)], AFTER_A_KILL).await.unwrap();
    scene.runs("training", &[("kunpeng", 1)], AFTER_A_KILL).await.unwrap();

    // A tier is used as it was until another person agrees to what somebody made of it. The built-in ones have 0 to 4.
    let tier = |rank: u32| object("SovereigntyTier", "flood-s1", None, &json!({ "displayName": "试验", "rank": rank }));
    scene.apply(&[tier(7)]).unwrap();
    let held = async |wanted: &str| {
        eventually(&format!("rank {wanted} of the tier is in force"), SOON, || async {
            let status = scene.get("sovereigntytier", "flood-s1", None)?["status"].clone();
            let value = status.pointer("/inForce/0/value/rank").map_or_else(String::new, ToString::to_string);
            Ok(Seen::when(value == wanted, (), status.to_string()))
        })
        .await
        .unwrap();
    };
    held("7").await;
    scene.apply(&[tier(8)]).unwrap();
    scene
        .stays("it holds as it was", std::time::Duration::from_secs(5), || async {
            let status = scene.get("sovereigntytier", "flood-s1", None)?["status"].clone();
            Ok(status.pointer("/inForce/0/value/rank") == Some(&json!(7)))
        })
        .await
        .unwrap();
    hub.delete_confirmed("sovereigntytier", "flood-s1", &[]).unwrap();
    hub.delete_confirmed("operatingmode", "flood", &[]).unwrap();
    assert!(scene.end(operator).await.unwrap() >= 3);
}
