//! What ran before us is taken over without a restart: its pods stay the same ones, what we add goes in with its next change,
//! and it is gone only when the last of its pods is, which carry no label of ours.

use std::collections::BTreeSet;
use std::time::Duration;

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Cluster, Component, Seen, Start, eventually};
use serde_json::{Value, json};

/// Pods of an application, each by its uid and the time it was made; only those with a label of ours when asked for.
fn pods(member: &Cluster, namespace: &str, selector: &str) -> BTreeSet<(String, String)> {
    let listed = member.kubectl(&["get", "pods", "-n", namespace, "-l", selector, "-o", "json"]).unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let text = |pod: &Value, field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
    let items = listed["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|pod| (text(pod, "uid"), text(pod, "creationTimestamp"))).collect()
}

/// What the hub says of templates that wait.
fn waits(scene: &Scene, workload: &str) -> String {
    let workload = scene.get("fwl", workload, Some(&scene.namespace())).unwrap();
    let conditions = workload["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let one = conditions.iter().find(|one| one["type"] == "AffinityDeferred");
    one.map(|one| one["message"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn what_runs_is_adopted_without_a_restart_and_is_gone_only_with_its_last_pod() {
    let mut scene = Scene::begin("adopt").await.unwrap();
    let (namespace, tenant) = (scene.namespace(), scene.name().to_owned());
    let member = scene.member("kunpeng").clone();
    let labels = json!({ "jiuzhou.dev/tenant": tenant });
    let ground =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace, "labels": labels } });
    member.apply(&ground.to_string()).unwrap();
    for name in ["web", "still"] {
        let mut deployment = scene.deployment(name, "both", 2);
        deployment["metadata"]["namespace"] = json!(namespace);
        // Its administrator agrees to the take-over.
        deployment["metadata"]["annotations"] = json!({ "jiuzhou.dev/take-over": format!("{namespace}/{name}") });
        member.apply(&deployment.to_string()).unwrap();
    }
    let ran = eventually("all ran before", SOON, || async {
        let running = ["web", "still"].map(|name| scene.running("kunpeng", name));
        let found = ["web", "still"].map(|name| pods(&member, &namespace, &format!("app={name}")));
        Ok(Seen::when(running == [2, 2], found, format!("{running:?}")))
    })
    .await
    .unwrap();

    let operator = scene.operator(Start { alone: true, ..Start::default() }).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    scene.apply(&[scene.workload("web", "both", 2), scene.workload("still", "both", 2)]).unwrap();
    let same = || ["web", "still"].map(|name| pods(&member, &namespace, &format!("app={name}"))) == ran;
    for name in ["web", "still"] {
        scene.runs(name, &[("kunpeng", 2)], SOON).await.unwrap();
        let told = waits(&scene, name);
        assert!(told.contains(&format!("Deployment/{name} (kunpeng)")) && told.contains("接管"), "{told}");
    }
    assert!(same(), "the same pods");
    let owner = "-o=jsonpath={.metadata.annotations.jiuzhou\\.dev/owner}";
    let owned = member.kubectl(&["get", "deployment", "web", "-n", &namespace, owner]).unwrap();
    assert_eq!(owned, format!("{namespace}/web"), "it is ours");

    // A new operator remembers it by the object alone.
    operator.kill().unwrap();
    let operator = scene.operator(Start { alone: true, ..Start::default() }).await.unwrap();
    scene.stays("the same pods run", Duration::from_secs(10), || async { Ok(same()) }).await.unwrap();

    // Another image: with its rollout our labels and the node affinity come in.
    scene.apply(&[scene.workload("web", "arm", 2)]).unwrap();
    let ours = "app=web,jiuzhou.dev/workload=web";
    eventually("its new pods carry our labels", AFTER_A_KILL, || async {
        let (all, ours) = (pods(&member, &namespace, "app=web"), pods(&member, &namespace, ours));
        Ok(Seen::when(all.len() == 2 && all == ours, (), format!("{ours:?} of {all:?}")))
    })
    .await
    .unwrap();
    scene.runs("web", &[("kunpeng", 2)], SOON).await.unwrap();
    eventually("nothing waits any more", SOON, || async {
        let told = waits(&scene, "web");
        Ok(Seen::when(told.is_empty(), (), told))
    })
    .await
    .unwrap();
    let affinity = "-o=jsonpath={.spec.template.spec.affinity.nodeAffinity}";
    let there = member.kubectl(&["get", "deployment", "web", "-n", &namespace, affinity]).unwrap();
    assert!(there.contains("kubernetes.io/arch"), "{there}");
    assert_eq!(pods(&member, &namespace, "app=still"), ran[1], "what did not change is as it was");

    // Its removal is ordered; nodes that do not answer end no pod, and somebody takes away all above the pods.
    member.plane.freeze(&[Component::Kwok]).unwrap();
    scene.fleet.hub().kubectl(&["delete", "fwl", "still", "-n", &namespace, "--wait=false"]).unwrap();
    let unowned = eventually("its Deployment is gone before its pods", AFTER_A_KILL, || async {
        let left = member.kubectl(&["get", "deployment,replicaset", "-n", &namespace, "-o", "json"])?;
        let left: Value = serde_json::from_str(&left)?;
        let going = |one: &&Value| !one["metadata"]["deletionTimestamp"].is_null();
        for one in left["items"].as_array().into_iter().flatten().filter(going) {
            let kind = one["kind"].as_str().unwrap_or_default().to_lowercase();
            let name = format!("{kind}/{}", one["metadata"]["name"].as_str().unwrap_or_default());
            let bare = ["patch", &name, "-n", &namespace, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#];
            member.try_kubectl(&bare, "")?;
        }
        let there = member.kubectl(&["get", "deployment", "still", "-n", &namespace, "--ignore-not-found"])?;
        Ok(Seen::when(there.is_empty(), (), there))
    })
    .await;
    let held = scene
        .stays("it is not gone while its pods are", Duration::from_secs(10), || async {
            let there = scene.fleet.hub().kubectl(&["get", "fwl", "-n", &scene.namespace(), "-o", "name"])?;
            Ok(there.contains("/still")
                && pods(&scene.member("kunpeng").clone(), &scene.namespace(), "app=still").len() == 2)
        })
        .await;
    member.plane.thaw(&[Component::Kwok]).unwrap();
    unowned.unwrap();
    held.unwrap();
    eventually("it is gone with its pods", AFTER_A_KILL, || async {
        let there = scene.fleet.hub().kubectl(&["get", "fwl", "-n", &scene.namespace(), "-o", "name"])?;
        let left = pods(&member, &namespace, "app=still").len();
        Ok(Seen::when(!there.contains("/still") && left == 0, (), format!("{left} pods, {there}")))
    })
    .await
    .unwrap();
    assert!(scene.end(operator).await.unwrap() >= 3);
}
