//! The life of a workload on a fleet of real clusters: join, place by architecture, scale, move, drain, the operator
//! killed in between, removed, left.

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Seen, Start, eventually};

#[tokio::test]
async fn a_workload_is_placed_scaled_moved_and_removed_and_every_write_was_decided() {
    let mut scene = Scene::begin("life").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();

    // What has no amd64 goes to the Kunpeng cluster alone.
    scene.apply(&[scene.workload("arm", "arm", 2)]).unwrap();
    scene.runs("arm", &[("kunpeng", 2), ("x86", 0)], AFTER_A_KILL).await.unwrap();

    // Killed and started again, it goes on with what it finds: scaled while nobody was there.
    operator.kill().unwrap();
    scene.fleet.hub().kubectl(&["scale", "fwl", "arm", "-n", &scene.namespace(), "--replicas=3"]).unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.runs("arm", &[("kunpeng", 3), ("x86", 0)], AFTER_A_KILL).await.unwrap();

    // What runs on both moves when a cluster is drained; what runs on one alone stays and says why.
    scene.apply(&[scene.workload("both", "both", 2)]).unwrap();
    eventually("both replicas run somewhere", SOON, || async {
        let counts = ["kunpeng", "x86"].map(|member| scene.running(member, "both"));
        Ok(Seen::when(counts.iter().sum::<usize>() == 2, (), format!("{counts:?}")))
    })
    .await
    .unwrap();
    scene.order(&["drain", "kunpeng"]).unwrap();
    scene.runs("both", &[("kunpeng", 0), ("x86", 2)], SOON).await.unwrap();
    assert_eq!(scene.running("kunpeng", "arm"), 3, "nowhere else may carry it, so it stays");

    assert!(scene.end(operator).await.unwrap() >= 6, "deliveries were looked at");
}
