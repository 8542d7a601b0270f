//! Orders of people: a system is stopped by order once another person approves it, keeps everything, and is restored as it
//! was.

use std::time::{Duration, Instant};

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, jiuzhou};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

/// The hub's kubeconfig as it is for somebody else.
pub(crate) fn as_somebody_else(scene: &Scene, who: &str) -> tempfile::NamedTempFile {
    let text = scene.fleet.hub().kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"]).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"]["as"] = json!(who);
    config["users"][0]["user"]["as-groups"] = json!(["system:masters"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    file
}

/// The system tells how far the order has come: status and reason of its condition, nothing where there is none.
async fn system_says(scene: &Scene, wanted: &str) {
    eventually(&format!("the system says {wanted:?} of the order"), SOON, || async {
        let system = scene.get("informationsystem", "orders", Some(&scene.namespace()))?;
        let conditions = system["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let told = conditions.iter().find(|one| one["type"] == "StopOrdered").map_or_else(String::new, |one| {
            let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("status"), text("reason"))
        });
        Ok(Seen::when(told == wanted, (), told.clone()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_system_is_stopped_once_another_person_approves_it_and_comes_back_as_it_was() {
    let mut scene = Scene::begin("orders").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();
    let mut both = scene.workload("both", "both", 4);
    both["spec"]["placement"] = json!({ "spread": [{ "key": "Cluster", "minGroups": 2 }] });
    scene.apply(&[both]).unwrap();
    let running = |scene: &Scene| ["kunpeng", "x86"].map(|member| scene.running(member, "both"));
    eventually("four run on two clusters", AFTER_A_KILL, || async {
        let counts = running(&scene);
        Ok(Seen::when(counts.iter().sum::<usize>() == 4 && !counts.contains(&0), (), format!("{counts:?}")))
    })
    .await
    .unwrap();
    let before = running(&scene);
    let system = format!("{}/orders", scene.namespace());
    scene.order(&["stop", &system, "--order", "停〔2026〕7号", "--reason", "安全事件处置"]).unwrap();

    // Nobody has approved it: nothing stops, and who ordered it cannot approve it.
    system_says(&scene, "False WaitingForApproval").await;
    let shown = |config: &str| {
        let output = jiuzhou(&["approve", "stop", &system, "--kubeconfig", config, "--lang", "en"]).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let other = as_somebody_else(&scene, "bureau-director");
    let other = other.path().to_str().unwrap();
    let order = shown(other);
    assert!(order.contains("停〔2026〕7号") && order.contains("安全事件处置") && order.contains("both"), "{order}");
    let digest = order.lines().find_map(|line| line.strip_prefix("digest: ")).unwrap().to_owned();
    let approval =
        ["approve", "stop", &system, "--approved-digest", &digest, "--role", "分管局长", "--document", "批〔2026〕9号"];
    assert!(scene.order(&approval).is_err(), "the requester approves nothing");
    scene
        .stays("nothing stops before that", Duration::from_secs(10), || async { Ok(running(&scene) == before) })
        .await
        .unwrap();
    let began = Instant::now();
    jiuzhou(&[approval.as_slice(), &["--kubeconfig", other]].concat()).unwrap();
    eventually("nothing runs any more", SOON, || async {
        let (counts, told) = (running(&scene), scene.told("both")?);
        Ok(Seen::when(counts == [0, 0] && told.starts_with("Stopped"), (), format!("{counts:?} {told}")))
    })
    .await
    .unwrap();
    assert!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
    system_says(&scene, "True Stopped").await;
    let namespace = scene.namespace();
    for member in ["kunpeng", "x86"] {
        let kept =
            scene.member(member).kubectl(&["get", "deployment", "both", "-n", &namespace, "-o", "name"]).unwrap();
        assert!(kept.contains("both"), "the object is kept");
    }
    // Neither a scale nor a restart starts it again.
    scene.fleet.hub().kubectl(&["scale", "fwl", "both", "-n", &namespace, "--replicas=6"]).unwrap();
    operator.kill().unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.stays("it stays stopped", Duration::from_secs(60), || async { Ok(running(&scene) == [0, 0]) }).await.unwrap();
    scene.fleet.hub().kubectl(&["scale", "fwl", "both", "-n", &namespace, "--replicas=4"]).unwrap();
    scene.order(&["restore", &system]).unwrap();
    eventually("it runs as it ran", AFTER_A_KILL, || async {
        let (counts, told) = (running(&scene), scene.told("both")?);
        Ok(Seen::when(counts == before && told.starts_with("AsWanted"), (), format!("{counts:?} {told}")))
    })
    .await
    .unwrap();
    system_says(&scene, "").await;
    assert!(scene.end(operator).await.unwrap() >= 4);
}
