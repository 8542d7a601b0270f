//! Members that are lost for a while: nothing is concluded from a short silence, nothing is deleted after a long one, and
//! what was ordered meanwhile is carried out when they are back.

use std::time::Duration;

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Component, Seen, Start, eventually};

/// Deletions of ours in a member so far.
fn deletions(scene: &Scene, member: &str) -> usize {
    let events = scene.member(member).audit().unwrap();
    let ours =
        events.iter().filter(|event| event.user_agent.starts_with("jiuzhou") && event.verb.starts_with("delete"));
    ours.count()
}

/// One member hangs with its connections open, another loses its API server: two silences, one law.
#[tokio::test]
async fn a_member_that_hangs_and_one_that_is_down_keep_everything_and_are_back_in_step() {
    let mut scene = Scene::begin("lost").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng", "x86"]).await.unwrap();
    scene.apply(&[scene.workload("arm", "arm", 2), scene.workload("amd", "x86", 2)]).unwrap();
    scene.runs("arm", &[("kunpeng", 2), ("x86", 0)], SOON).await.unwrap();
    scene.runs("amd", &[("kunpeng", 0), ("x86", 2)], SOON).await.unwrap();
    let before = ["kunpeng", "x86"].map(|member| deletions(&scene, member));

    scene.member("kunpeng").plane.freeze(&[Component::ApiServer]).unwrap();
    scene.member("x86").plane.kill(&[Component::ApiServer]).unwrap();
    let reachable = |scene: &Scene, member: &str| {
        let object = scene.get("mc", member, None)?;
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        anyhow::Ok(conditions.iter().any(|one| one["type"] == "Reachable" && one["status"] == "True"))
    };
    scene
        .stays("a short silence changes nothing", Duration::from_secs(20), || async {
            Ok(reachable(&scene, "kunpeng")? && reachable(&scene, "x86")?)
        })
        .await
        .unwrap();
    for member in ["kunpeng", "x86"] {
        let told = scene.member_says(member, "Reachable", "False", SOON).await.unwrap();
        assert!(told.starts_with("MemberUnreachable"), "{told}");
    }

    // What is wanted now waits: nothing new goes to a cluster that does not answer, and nothing leaves it.
    for workload in ["arm", "amd"] {
        let namespace = scene.namespace();
        scene.fleet.hub().kubectl(&["scale", "fwl", workload, "-n", &namespace, "--replicas=3"]).unwrap();
    }
    for workload in ["arm", "amd"] {
        eventually(&format!("{workload} waits"), SOON, || async {
            let told = scene.told(workload)?;
            Ok(Seen::when(!told.starts_with("AsWanted"), (), told))
        })
        .await
        .unwrap();
    }
    for workload in ["arm", "amd"] {
        let placement = scene.get("fpl", workload, Some(&scene.namespace())).unwrap();
        let clusters = placement["spec"]["clusters"].as_array().unwrap();
        assert_eq!(clusters.len(), 1, "it was moved away: {placement}");
    }

    scene.member("kunpeng").plane.thaw(&[Component::ApiServer]).unwrap();
    // In both the controllers have ended meanwhile: they could not renew their leases.
    for member in ["kunpeng", "x86"] {
        scene.member(member).plane.start(scene.fleet.tools()).unwrap();
    }
    scene.runs("arm", &[("kunpeng", 3), ("x86", 0)], AFTER_A_KILL).await.unwrap();
    scene.runs("amd", &[("kunpeng", 0), ("x86", 3)], AFTER_A_KILL).await.unwrap();
    scene.ready(&["kunpeng", "x86"]).await.unwrap();
    assert_eq!(["kunpeng", "x86"].map(|member| deletions(&scene, member)), before, "something was deleted");
    assert!(scene.end(operator).await.unwrap() >= 4);
}

/// One member is lost for longer than its workloads wait: what may be anywhere gets another place, what may run only once
/// waits for a person's word, and what was left goes when the member is back.
#[tokio::test]
async fn copies_leave_a_member_that_stays_silent_and_a_single_writer_waits_for_the_fence() {
    let mut scene = Scene::begin("failover").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["x86"]).await.unwrap();
    let quick = |mut workload: serde_json::Value| {
        workload["spec"]["placement"] = serde_json::json!({
            "replicas": { "mode": "Divided", "divideBy": "Packed" }, "failover": { "afterSeconds": 30 },
        });
        workload
    };
    let web = quick(scene.workload("web", "both", 2));
    let mut single = quick(scene.workload("ledger", "both", 1));
    single["spec"]["continuity"] = "SingleWriter".into();
    scene.apply(&[web, single]).unwrap();
    for (workload, replicas) in [("web", 2), ("ledger", 1)] {
        scene.runs(workload, &[("x86", replicas)], SOON).await.unwrap();
    }
    // Where to go, once it is needed: nothing moves because a cluster joined.
    scene.join(&["kunpeng"]).await.unwrap();
    scene.member("x86").plane.kill(&[Component::ApiServer]).unwrap();
    scene.member_says("x86", "Reachable", "False", SOON).await.unwrap();
    // Half a minute, twice, because only the hub can see a member by push.
    let long = Duration::from_secs(150);
    scene.runs("web", &[("kunpeng", 2)], long).await.unwrap();
    eventually("the single writer waits for a word", SOON, || async {
        let told = scene.told("ledger")?;
        Ok(Seen::when(told.starts_with("FenceUnavailable"), (), told))
    })
    .await
    .unwrap();
    assert_eq!(scene.running("kunpeng", "ledger"), 0, "it may run in the silent member");
    assert!(
        scene.order(&["fence", "x86", "--confirm", "kunpeng", "--by", "值班员"]).is_err(),
        "another name is no word"
    );
    scene.order(&["fence", "x86", "--confirm", "x86", "--by", "值班员", "--document", "云值〔2026〕1号"]).unwrap();
    scene.runs("ledger", &[("kunpeng", 1)], SOON).await.unwrap();

    // Back: what was left there goes, by uid, and nothing follows it back.
    scene.member("x86").plane.start(scene.fleet.tools()).unwrap();
    for (workload, replicas) in [("web", 2), ("ledger", 1)] {
        scene.runs(workload, &[("x86", 0), ("kunpeng", replicas)], AFTER_A_KILL).await.unwrap();
        eventually("nothing of the outage is left written", SOON, || async {
            let placement = scene.get("fpl", workload, Some(&scene.namespace()))?;
            let clusters = placement["spec"]["clusters"].as_array().map_or(0, Vec::len);
            let done = placement["status"]["failover"].is_null() && clusters == 1;
            Ok(Seen::when(done, (), placement["status"].to_string()))
        })
        .await
        .unwrap();
    }
    assert!(scene.end(operator).await.unwrap() >= 4);
}

/// A member has seen more than this hub ever committed, as after the hub's restore from a backup: nothing is decided or
/// written until a person has looked, and then it goes on above what was seen.
#[tokio::test]
async fn a_restored_hub_waits_for_a_person_and_goes_on_above_what_its_members_have_seen() {
    let mut scene = Scene::begin("restored").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    scene.apply(&[scene.workload("web", "arm", 2)]).unwrap();
    scene.runs("web", &[("kunpeng", 2)], SOON).await.unwrap();
    let claim = r#"{"data":{"highestEpoch":"900000"}}"#;
    let seen = ["patch", "configmap", "hub", "-n", "jiuzhou-system", "--type=merge", "-p", claim];
    scene.member("kunpeng").kubectl(&seen).unwrap();
    // The claim is looked at every minute.
    let told = scene.member_says("kunpeng", "IdentityConfirmed", "False", Duration::from_secs(120)).await.unwrap();
    assert!(told.starts_with("EpochBehind"), "{told}");
    let namespace = scene.namespace();
    scene.fleet.hub().kubectl(&["scale", "fwl", "web", "-n", &namespace, "--replicas=3"]).unwrap();
    eventually("the workload says so", SOON, || async {
        let told = scene.told("web")?;
        Ok(Seen::when(told.starts_with("EpochBehind"), (), told))
    })
    .await
    .unwrap();
    scene
        .stays("nothing is ordered", Duration::from_secs(15), || async { Ok(scene.running("kunpeng", "web") == 2) })
        .await
        .unwrap();
    assert!(scene.order(&["recover", "--confirm", "899999"]).is_err(), "another epoch was shown");
    scene.order(&["recover", "--confirm", "900000"]).unwrap();
    scene.runs("web", &[("kunpeng", 3)], SOON).await.unwrap();
    scene.ready(&["kunpeng"]).await.unwrap();
    let placement = scene.get("fpl", "web", Some(&namespace)).unwrap();
    assert!(placement["spec"]["epoch"].as_i64() > Some(900_000), "{placement}");
    assert!(scene.end(operator).await.unwrap() >= 1);
}
