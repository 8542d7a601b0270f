//! One operator after another: by a hand-over, after a kill, and after kills at any moment of a workload's life.
//!
//! The file log has one writer, so a second replica waits for its lock and then for the lease; what is promised is that
//! it takes over with nothing lost and nothing written twice, and fast when the first one was told to end.

use std::time::{Duration, Instant};

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Operator, Seen, Start, eventually};
use serde_json::Value;

async fn leads(operator: &Operator, within: Duration) {
    eventually("it leads", within, || async { Ok(Seen::when(operator.said("leading")?, (), "it does not lead")) })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_replica_takes_over_at_once_when_the_first_ends_and_in_time_when_it_dies() {
    let mut scene = Scene::begin("takeover").await.unwrap();
    let first = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    scene.apply(&[scene.workload("arm", "arm", 1)]).unwrap();
    scene.runs("arm", &[("kunpeng", 1)], AFTER_A_KILL).await.unwrap();

    // Two at once: the second one waits and writes nothing.
    let second = scene.operator(Start { replica: 1, ..Start::default() }).await.unwrap();
    eventually("the second waits for the log", SOON, || async {
        let waits = second.said("another process has the audit log; waiting")?;
        Ok(Seen::when(waits, (), "it does not wait"))
    })
    .await
    .unwrap();
    assert!(!second.said("leading").unwrap());

    // Handed over: the next leader waits for nobody, neither for the lease nor for members.
    let began = Instant::now();
    assert!(first.terminate(Duration::from_secs(30)).unwrap().success());
    leads(&second, Duration::from_secs(10)).await;
    scene.fleet.hub().kubectl(&["scale", "fwl", "arm", "-n", &scene.namespace(), "--replicas=2"]).unwrap();
    scene.runs("arm", &[("kunpeng", 2)], Duration::from_secs(25)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(35), "a hand-over took {:?}", began.elapsed());

    // Killed: the third waits until no request of the second can be under way any more, and goes on.
    let third = scene.operator(Start::default()).await.unwrap();
    let killed = Instant::now();
    second.kill().unwrap();
    scene.fleet.hub().kubectl(&["scale", "fwl", "arm", "-n", &scene.namespace(), "--replicas=3"]).unwrap();
    leads(&third, Duration::from_secs(60)).await;
    scene.runs("arm", &[("kunpeng", 3)], AFTER_A_KILL).await.unwrap();
    assert!(killed.elapsed() > Duration::from_secs(30), "it did not wait for requests of the one before");
    let events = scene.member("kunpeng").audit().unwrap();
    let last = events.iter().rfind(|event| event.name == "arm" && event.resource == "deployments" && event.wrote());
    assert_eq!(last.unwrap().request["spec"]["replicas"], 3);
    assert!(scene.end(third).await.unwrap() >= 3);
}

/// A generator of numbers that are the same in every run: a failure names its moment.
struct Moments(u64);

impl Moments {
    /// Milliseconds below a bound.
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Placed, scaled, moved, removed: in each the operator dies at several moments, and each ends as it would have without.
#[tokio::test]
async fn an_operator_that_is_killed_at_any_moment_is_followed_by_the_right_state() {
    const SEED: u64 = 20_261_126;
    let mut moments = Moments(SEED);
    let mut scene = Scene::begin("killed").await.unwrap();
    let mut operator = scene.operator(Start { alone: true, ..Start::default() }).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();
    for round in 0..2 {
        let name = format!("both-{round}");
        let (namespace, selector) = (scene.namespace(), name.as_str());
        for deed in ["place", "scale", "drain", "undo", "remove"] {
            match deed {
                "place" => scene.apply(&[scene.workload(selector, "both", 2)]).unwrap(),
                "scale" => {
                    scene
                        .fleet
                        .hub()
                        .kubectl(&["scale", "fwl", selector, "-n", &namespace, "--replicas=3"])
                        .map(drop)
                        .unwrap();
                }
                "drain" => scene.order(&["drain", "kunpeng"]).unwrap(),
                "undo" => scene.order(&["drain", "kunpeng", "--undo"]).unwrap(),
                _ => {
                    let deleted = ["delete", "fwl", selector, "-n", &namespace, "--wait=false"];
                    scene.fleet.hub().kubectl(&deleted).map(drop).unwrap();
                }
            }
            // Twice in a row: also while it finds its way back.
            for _ in 0..2 {
                let wait = moments.next(2500);
                println!("seed {SEED} round {round}: {deed}, killed after {wait} ms");
                tokio::time::sleep(Duration::from_millis(wait)).await;
                operator.kill().unwrap();
                operator = scene.operator(Start { alone: true, ..Start::default() }).await.unwrap();
            }
            let right = |counts: [usize; 2], told: Option<&str>| match deed {
                "place" => counts.iter().sum::<usize>() == 2 && told == Some("AsWanted"),
                "scale" | "undo" => counts.iter().sum::<usize>() == 3 && told == Some("AsWanted"),
                "drain" => counts == [0, 3] && told == Some("AsWanted"),
                _ => counts == [0, 0] && told.is_none(),
            };
            eventually(&format!("{deed} of {name} ended right"), AFTER_A_KILL, || async {
                let counts = ["kunpeng", "x86"].map(|member| scene.running(member, selector));
                let all = scene.fleet.hub().kubectl(&["get", "fwl", "-n", &scene.namespace(), "-o", "json"])?;
                let all: Value = serde_json::from_str(&all)?;
                let one = all["items"].as_array().into_iter().flatten().find(|one| one["metadata"]["name"] == selector);
                let told = one.map(|one| one["status"]["reason"].as_str().unwrap_or_default().to_owned());
                Ok(Seen::when(right(counts, told.as_deref()), (), format!("{counts:?} {told:?}")))
            })
            .await
            .unwrap();
        }
    }
    assert!(scene.end(operator).await.unwrap() >= 6);
}
