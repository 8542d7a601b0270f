//! A migration on real clusters: a wave goes from x86 to Kunpeng share by share, a gate that fails in its dual run brings it
//! back, a second try completes, and nothing goes back over what the target has written without a declared way.

use jiuzhou_e2e::scene::{AFTER_A_KILL, Scene, object};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

const SOURCE: &str = "x86";
const TARGET: &str = "kunpeng";

/// Four replicas that prefer x86, of an image for both.
fn workload(scene: &Scene) -> Value {
    let group = |name: &str| json!({ "name": name, "selector": { "names": [name] } });
    let spec = json!({
        "system": scene.name(), "objects": [{ "name": "app", "manifest": scene.deployment("web", "both", 4) }],
        "placement": { "groups": [group(SOURCE), group(TARGET)] },
    });
    object("FleetWorkload", "web", Some(&scene.namespace()), &spec)
}

/// The migration with its one wave, and what is proven of it in an attempt.
fn migration(scene: &Scene, wave: &Value, proven: &[(&str, &str, u32)]) -> Value {
    let evidence = proven.iter().map(|(gate, result, attempt)| {
        json!({
            "wave": "one", "gate": gate, "result": result, "attempt": attempt, "date": "2026-11-26",
            "recordedBy": "测试组", "verifiedBy": "审核岗",
        })
    });
    let mut one = json!({ "name": "one", "workloads": ["web"] });
    for (key, value) in wave.as_object().unwrap() {
        one[key] = value.clone();
    }
    let spec = json!({
        "type": "Adaptation", "from": [SOURCE], "to": [TARGET], "platforms": ["kunpeng-920"], "waves": [one],
        "evidence": evidence.collect::<Vec<_>>(),
    });
    object("Migration", "go", Some(&scene.namespace()), &spec)
}

/// Ready replicas in a member; 0 where there is no Deployment.
fn ready(scene: &Scene, member: &str) -> i64 {
    let (namespace, path) = (scene.namespace(), "-o=jsonpath={.status.readyReplicas}");
    let arguments = ["get", "deployment", "web", "-n", &namespace, "--ignore-not-found", path];
    scene.member(member).kubectl(&arguments).unwrap_or_default().trim().parse().unwrap_or(0)
}

/// Waits for a step with a reason and for so many ready replicas on source and target.
async fn stands(scene: &Scene, step: &str, reason: &str, wanted: [i64; 2]) {
    let namespace = scene.namespace();
    eventually(&format!("the wave stands at {step} with {reason} on {wanted:?}"), AFTER_A_KILL, || async {
        let seen = [ready(scene, SOURCE), ready(scene, TARGET)];
        let status = scene.get("migration", "go", Some(&namespace))?["status"]["waves"][0].clone();
        let done = status["step"] == step && status["reason"] == reason && seen == wanted;
        Ok(Seen::when(done, (), format!("{seen:?} {status}")))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_wave_goes_over_comes_back_when_a_gate_fails_and_keeps_what_the_target_has_written() {
    let mut scene = Scene::begin("migration").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&[SOURCE, TARGET]).await.unwrap();
    scene.apply(&[workload(&scene)]).unwrap();
    let namespace = scene.namespace();
    eventually("all of it serves from x86", AFTER_A_KILL, || async {
        let seen = [ready(&scene, SOURCE), ready(&scene, TARGET)];
        Ok(Seen::when(seen == [4, 0], (), format!("{seen:?}")))
    })
    .await
    .unwrap();

    // A dual run of a quarter waits for its gate; the gate fails, and all of it serves from x86 again.
    let gates = json!([{ "name": "load-test", "before": "CutOver" }]);
    let first = json!({ "trialPercent": 25, "gates": gates });
    scene.apply(&[migration(&scene, &first, &[])]).unwrap();
    stands(&scene, "Trial", "GateOpen", [3, 1]).await;
    scene.apply(&[migration(&scene, &first, &[("load-test", "Failed", 1)])]).unwrap();
    stands(&scene, "RolledBack", "MigrationRolledBack", [4, 0]).await;

    // The second try has data of its own, which is copied and compared before anything moves.
    let data = json!({ "copy": "全量导出后增量同步", "compare": "逐表比对" });
    let second = json!({ "attempt": 2, "trialPercent": 25, "gates": gates, "data": data, "soakMinutes": 60 });
    scene.apply(&[migration(&scene, &second, &[])]).unwrap();
    stands(&scene, "Copying", "GateOpen", [4, 0]).await;
    let proven = [("copy", "Passed", 2), ("compare", "Passed", 2), ("load-test", "Passed", 2)];
    scene.apply(&[migration(&scene, &second, &proven)]).unwrap();
    stands(&scene, "Soaking", "MigrationResting", [0, 4]).await;

    // Kunpeng may have written: nothing goes back without a declared way, and with one the data goes first.
    let mut back = second.clone();
    back["rollback"] = json!(true);
    scene.apply(&[migration(&scene, &back, &proven)]).unwrap();
    stands(&scene, "Soaking", "WayBackMissing", [0, 4]).await;
    back["data"]["wayBack"] = json!("反向增量同步");
    scene.apply(&[migration(&scene, &back, &proven)]).unwrap();
    stands(&scene, "ReturningData", "GateOpen", [0, 4]).await;
    let returned = [proven.as_slice(), &[("way-back", "Passed", 2)]].concat();
    scene.apply(&[migration(&scene, &back, &returned)]).unwrap();
    stands(&scene, "RolledBack", "MigrationRolledBack", [4, 0]).await;

    // The migration goes, and nothing moves.
    scene.fleet.hub().kubectl(&["delete", "migration", "go", "-n", &namespace]).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!([ready(&scene, SOURCE), ready(&scene, TARGET)], [4, 0]);
    scene.fleet.hub().kubectl(&["delete", "fwl", "--all", "-n", &namespace, "--timeout=150s"]).unwrap();
    assert!(scene.end(operator).await.unwrap() >= 4, "deliveries were looked at");
}
