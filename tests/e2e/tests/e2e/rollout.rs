//! A change of content on real clusters: it waits for its approval, stops where a stage fails, goes back; a workload that
//! waits for another begins after it. A quota in the second member keeps the new pods away there: what is changed does
//! not come up, as with an image that cannot be pulled.

use jiuzhou_e2e::scene::{AFTER_A_KILL, Scene, jiuzhou, object};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

const MEMBERS: [&str; 2] = ["kunpeng", "x86"];

/// A whole copy in each member; the first stage is Kunpeng, the rest comes after an approval.
fn workload(scene: &Scene, name: &str, version: &str, depends_on: &[&str]) -> Value {
    let mut manifest = scene.deployment(name, "both", 1);
    manifest["spec"]["progressDeadlineSeconds"] = 10.into();
    manifest["spec"]["strategy"] = json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{ "name": "VERSION", "value": version }]);
    let stage = json!({ "name": "pilot", "clusters": { "names": [MEMBERS[0]] }, "approval": true });
    let spec = json!({
        "system": scene.name(), "dependsOn": depends_on, "objects": [{ "name": "app", "manifest": manifest }],
        "placement": { "replicas": { "mode": "Duplicated" } }, "rollout": { "stages": [stage] },
    });
    object("FleetWorkload", name, Some(&scene.namespace()), &spec)
}

/// What a command of ours said on standard output.
fn said(scene: &Scene, arguments: &[&str]) -> String {
    let hub = scene.fleet.hub().plane.kubeconfig().display().to_string();
    let output = jiuzhou(&[arguments, ["--kubeconfig", hub.as_str()].as_slice()].concat()).unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The version that each member's Deployment asks for; empty where there is none.
fn versions(scene: &Scene, name: &str) -> [String; 2] {
    let (namespace, path) = (scene.namespace(), "-o=jsonpath={.spec.template.spec.containers[0].env[0].value}");
    MEMBERS.map(|member| {
        let arguments = ["get", "deployment", name, "-n", &namespace, "--ignore-not-found", path];
        scene.member(member).kubectl(&arguments).unwrap_or_default().trim().to_owned()
    })
}

/// Waits until the members ask for these versions and the hub gives this reason; the sentence it gives.
async fn stands(scene: &Scene, name: &str, reason: &str, wanted: [&str; 2]) -> String {
    eventually(&format!("{name} stands at {wanted:?} with {reason}"), AFTER_A_KILL, || async {
        let (seen, namespace) = (versions(scene, name), scene.namespace());
        let status = scene.get("fwl", name, Some(&namespace))?["status"].clone();
        let told = format!("{} {}", status["reason"].as_str().unwrap_or("-"), status["messageEn"]);
        let done = seen == wanted && status["reason"] == reason;
        Ok(Seen::when(done, told.clone(), format!("{seen:?} {told}")))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_staged_change_waits_stops_and_goes_back_and_who_depends_begins_later() {
    let mut scene = Scene::begin("rollout").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&MEMBERS).await.unwrap();
    let namespace = scene.namespace();

    // Who waits for another begins after it; a first version goes to all clusters at once.
    scene.apply(&[workload(&scene, "pages", "1", &["base"])]).unwrap();
    let told = stands(&scene, "pages", "WaitingForDependency", ["", ""]).await;
    assert!(told.contains("base"), "{told}");
    scene.apply(&[workload(&scene, "base", "1", &[])]).unwrap();
    stands(&scene, "base", "AsWanted", ["1", "1"]).await;
    stands(&scene, "pages", "AsWanted", ["1", "1"]).await;

    // A change reaches the pilot and waits there for the approval of exactly this change.
    let named = format!("{namespace}/base");
    scene.apply(&[workload(&scene, "base", "2", &[])]).unwrap();
    stands(&scene, "base", "WaitingForApproval", ["2", "1"]).await;
    let status = said(&scene, &["rollout", "status", &named]);
    assert!(status.contains("pilot") && status.contains("x86: 1") && status.contains("kunpeng: 2"), "{status}");
    let change = status.split(['(', ')']).find(|word| word.starts_with("sha256:")).unwrap().to_owned();

    // In the second member the new pods cannot begin: the stage fails, and what ran there runs on.
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "full", "namespace": namespace },
        "spec": { "hard": { "pods": "2" } },
    });
    scene.member(MEMBERS[1]).apply(&quota.to_string()).unwrap();
    said(&scene, &["rollout", "approve", &named, "--stage", "pilot", "--change", &change, "--by", "周处长"]);
    let told = stands(&scene, "base", "RolloutFailed", ["2", "2"]).await;
    assert!(told.contains("x86"), "{told}");
    let ready = ["get", "deployment", "base", "-n", &namespace, "-o=jsonpath={.status.readyReplicas}"];
    assert_eq!(scene.member(MEMBERS[1]).kubectl(&ready).unwrap().trim(), "1", "the older pod serves on");

    // Back to what ran everywhere: no approval is asked for.
    let history = said(&scene, &["rollout", "history", &named]);
    assert!(history.lines().count() >= 3, "{history}");
    said(&scene, &["rollback", &named, "--to", "1"]);
    stands(&scene, "base", "AsWanted", ["1", "1"]).await;

    scene.member(MEMBERS[1]).kubectl(&["delete", "resourcequota", "full", "-n", &namespace]).unwrap();
    scene.fleet.hub().kubectl(&["delete", "fwl", "--all", "-n", &namespace, "--timeout=150s"]).unwrap();
    let left = ["get", "controllerrevisions", "-n", &namespace, "--no-headers", "--ignore-not-found"];
    assert_eq!(scene.fleet.hub().kubectl(&left).unwrap().trim(), "", "revisions go with their workload");
    assert!(scene.end(operator).await.unwrap() >= 4, "deliveries were looked at");
}
