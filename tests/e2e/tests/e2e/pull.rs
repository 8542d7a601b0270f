//! A member that the hub does not reach: its agent fetches orders, goes on when the line is cut or when it was killed, and
//! is back in step afterwards.

use std::time::Duration;

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Agent, Seen, Start, eventually};
use serde_json::json;
use testbed::faults::{Line, Relay};

// The door in front of the member works beside the commands that this test waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_member_goes_on_offline_and_is_back_in_step() {
    let mut scene = Scene::begin("pull").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    let line = Relay::open(&scene.fleet.hub().plane).await.unwrap();
    let agent = Agent::join(&scene.fleet, "hygon", scene.name(), scene.name(), &line.server()).unwrap();
    // Orders count as out of date after a minute and a half without the hub.
    let stale = ["--orders-hold-minutes", "1"];
    let process = agent.start(&stale).unwrap();
    scene.joined("hygon").unwrap();
    scene.ready(&["hygon"]).await.unwrap();
    scene.apply(&[scene.workload("amd", "x86", 2)]).unwrap();
    scene.runs("amd", &[("hygon", 2)], SOON).await.unwrap();
    let namespace = scene.namespace();
    let hub = scene.fleet.hub().clone();

    // The agent is killed: what runs runs on, what is ordered waits, the next agent takes up everything.
    process.kill().unwrap();
    hub.kubectl(&["scale", "fwl", "amd", "-n", &namespace, "--replicas=3"]).unwrap();
    scene.member_says("hygon", "Reachable", "False", SOON).await.unwrap();
    assert_eq!(scene.running("hygon", "amd"), 2);
    let mut process = agent.start(&stale).unwrap();
    scene.runs("amd", &[("hygon", 3)], AFTER_A_KILL).await.unwrap();
    scene.ready(&["hygon"]).await.unwrap();

    // The line is cut: the agent keeps what it was told, and repairs it while that is not out of date.
    line.set(Line::Cut);
    scene.member("hygon").kubectl(&["delete", "deployment", "amd", "-n", &namespace]).unwrap();
    eventually("the agent repairs offline", SOON, || async {
        Ok(Seen::when(scene.running("hygon", "amd") == 3, (), format!("{} run", scene.running("hygon", "amd"))))
    })
    .await
    .unwrap();
    hub.kubectl(&["scale", "fwl", "amd", "-n", &namespace, "--replicas=1"]).unwrap();
    scene.member_says("hygon", "Reachable", "False", SOON).await.unwrap();
    assert_eq!(scene.running("hygon", "amd"), 3, "an order went through a line that is cut");

    // Out of date, nothing new is started, and what runs is left alone.
    eventually("the agent says that its orders are out of date", AFTER_A_KILL, || {
        let said = process.alive().and_then(|()| process.said("orders are out of date: nothing new is started"));
        async move { Ok(Seen::when(said?, (), "nothing said")) }
    })
    .await
    .unwrap();
    scene.member("hygon").kubectl(&["delete", "deployment", "amd", "-n", &namespace]).unwrap();
    let gone =
        || async { Ok(scene.member("hygon").kubectl(&["get", "deployments", "-n", &namespace])?.trim().is_empty()) };
    scene.stays("an order that is out of date starts nothing", Duration::from_secs(15), gone).await.unwrap();

    // The line is back: the agent is told the newest order and carries that out.
    line.set(Line::Open);
    scene.runs("amd", &[("hygon", 1)], AFTER_A_KILL).await.unwrap();
    scene.ready(&["hygon"]).await.unwrap();

    // A large manifest stands beside its order, arrives whole, and goes when the order names it no more.
    let settings = |size: usize| {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "amd-settings" },
            "data": { "text": "a".repeat(size) } })
    };
    // So does a Secret, which stands in no order at all.
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "amd-token" },
        "stringData": { "token": "canary-e2e" } });
    let deployment = scene.deployment("amd", "x86", 1);
    scene.apply(&[scene.workload_of("amd", &[deployment.clone(), settings(150_000), secret])]).unwrap();
    let arrived = ["get", "secret", "amd-token", "-n", &namespace, "-o=jsonpath={.data.token}", "--ignore-not-found"];
    let kept = || {
        let hub = hub.kubectl(&["get", "secrets", "-n", "jiuzhou-member-hygon", "-o=jsonpath={.items[*].data}"])?;
        Ok::<_, anyhow::Error>(hub.contains("Y2FuYXJ5LWUyZQ=="))
    };
    let apart = || {
        let names = hub.kubectl(&["get", "configmaps", "-n", "jiuzhou-member-hygon", "-o", "name"])?;
        Ok::<_, anyhow::Error>(names.lines().filter(|line| line.starts_with("configmap/blob-")).count())
    };
    let there = || {
        let all = ["get", "configmap", "amd-settings", "-n", &namespace, "-o", "jsonpath={.data.text}"];
        scene.member("hygon").kubectl(&all).map(|text| text.len()).unwrap_or_default()
    };
    eventually("the large manifest arrives", SOON, || async {
        let seen = (there(), apart()?);
        Ok(Seen::when(seen == (150_000, 1), (), format!("{seen:?}")))
    })
    .await
    .unwrap();
    eventually("the Secret arrives", SOON, || async {
        let seen = (scene.member("hygon").kubectl(&arrived)?, kept()?);
        Ok(Seen::when(seen == ("Y2FuYXJ5LWUyZQ==".to_owned(), true), (), format!("{seen:?}")))
    })
    .await
    .unwrap();
    scene.apply(&[scene.workload_of("amd", &[deployment, settings(10)])]).unwrap();
    eventually("the Secret is gone from the member and from beside its orders", SOON, || async {
        let seen = (scene.member("hygon").kubectl(&arrived)?, kept()?);
        Ok(Seen::when(seen == (String::new(), false), (), format!("{seen:?}")))
    })
    .await
    .unwrap();
    eventually("nothing stands beside the order any more", SOON, || async {
        let seen = (there(), apart()?);
        Ok(Seen::when(seen == (10, 0), (), format!("{seen:?}")))
    })
    .await
    .unwrap();
    assert!(scene.end(operator).await.unwrap() >= 3);
    process.terminate(Duration::from_secs(20)).unwrap();
}
