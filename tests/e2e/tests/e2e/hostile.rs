//! One member that hangs, floods, lies or asks to be left alone for a day: it is told of, and nobody else waits for it.

use std::time::{Duration, Instant};

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Seen, Start, eventually};
use testbed::faults::{Door, Fault};

/// How long a workload takes from `kubectl apply` until its pod runs in an honest member.
async fn placed_in(scene: &Scene, name: &str) -> Duration {
    let began = Instant::now();
    scene.apply(&[scene.workload(name, "arm", 1)]).unwrap();
    eventually(&format!("{name} runs"), SOON, || async {
        Ok(Seen::when(scene.running("kunpeng", name) == 1, (), "not yet"))
    })
    .await
    .unwrap();
    began.elapsed()
}

// The door in front of the member works beside the commands that this test waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_hangs_floods_or_lies_harms_nobody_else() {
    let mut scene = Scene::begin("hostile").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    let door = Door::open(&scene.member("x86").plane).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    scene.join_at("x86", &door.server()).unwrap();
    scene.ready(&["x86"]).await.unwrap();
    scene.apply(&[scene.workload("victim", "x86", 1)]).unwrap();
    scene.runs("victim", &[("x86", 1)], SOON).await.unwrap();
    let honest = placed_in(&scene, "honest").await;

    let faults = [
        ("hang", Fault::Hang),
        ("ask-for-a-day", Fault::TooMany(99_999)),
        ("flood", Fault::Flood),
        ("lie", Fault::Lie),
        ("nonsense", Fault::Nonsense),
        ("unavailable", Fault::Unavailable),
    ];
    for (index, (name, fault)) in faults.into_iter().enumerate() {
        let before = door.counts().1;
        door.always(fault);
        // Something for the bad member to do, so that it is asked again and again.
        let replicas = format!("--replicas={}", 2 + index);
        scene.fleet.hub().kubectl(&["scale", "fwl", "victim", "-n", &scene.namespace(), &replicas]).unwrap();
        for nth in 0..2 {
            let took = placed_in(&scene, &format!("other-{name}-{nth}")).await;
            assert!(took < honest * 3 + Duration::from_secs(10), "{name}: another took {took:?} instead of {honest:?}");
        }
        eventually(&format!("{name} met somebody"), SOON, || async {
            let (_, met) = door.counts();
            Ok(Seen::when(met > before, (), "no request has met the fault"))
        })
        .await
        .unwrap();
        // What it says is never taken for what is there: the workload stays, and is not told to be as wanted.
        // Progress is written a little later than it is known, so that a burst is one write; until then the status says
        // that it is of an earlier generation.
        let told = eventually(&format!("{name}: the status is of this generation"), SOON, || async {
            let victim = scene.get("fwl", "victim", Some(&scene.namespace()))?;
            let current = victim["status"]["observedGeneration"] == victim["metadata"]["generation"];
            let told = victim["status"]["reason"].as_str().unwrap_or_default().to_owned();
            Ok(Seen::when(current, told.clone(), told))
        })
        .await
        .unwrap();
        assert_ne!(told, "AsWanted", "{name}");
        assert_eq!(scene.running("x86", "victim"), 1, "{name}: something was done by what it said");
        let (asked, met) = door.counts();
        assert!(asked - met < 1000 && met - before < 1000, "{name}: it was asked {} times", met - before);
    }
    door.heal();
    scene.fleet.hub().kubectl(&["scale", "fwl", "victim", "-n", &scene.namespace(), "--replicas=3"]).unwrap();
    scene.ready(&["x86"]).await.unwrap();
    scene.runs("victim", &[("x86", 3)], AFTER_A_KILL).await.unwrap();
    assert!(scene.end(operator).await.unwrap() >= 4);
}
