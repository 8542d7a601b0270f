//! Evidence that runs out where the tier says Move, on a hub in memory: what runs gets its other place first, in time and
//! truthfully after a night without the operator; many at once wait for an approval; renewal moves nothing back.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::{Value, json};

use jiuzhou_api::v1alpha1::ApprovedOrder;

use crate::people::approve::{self, FLEET, Signature};
use crate::stop::Stop;
use crate::testing::{Hub, story};

const NAMESPACE: &str = "kunming-portal";
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";

/// Two clusters, so many workloads like the first story's, and a tier whose evidence lasts until tomorrow in the first.
async fn fleet(workloads: usize, on_expiry: &str) -> Hub {
    let mut objects = story("01-first-tenant");
    let first = objects.iter_mut().find(|object| object["kind"] == "MemberCluster").expect("a cluster");
    let mut second = first.clone();
    for evidence in first["spec"]["evidence"].as_array_mut().expect("evidence") {
        evidence["validUntil"] = json!("2026-11-24");
    }
    second["metadata"]["name"] = json!(SECOND);
    objects.push(second);
    let tier =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/tiers/s1.yaml")).expect("the tier");
    let (mut tier, _) =
        jiuzhou_intake::documents::read_bytes("s1.yaml", tier.as_bytes(), &jiuzhou_intake::yaml::Limits::default());
    let mut tier = tier.remove(0).value;
    tier["spec"]["onExpiry"] = json!(on_expiry);
    if on_expiry == "Move" {
        tier["spec"]["moveWithinHours"] = json!(24);
    }
    objects.push(tier);
    let one = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    one["spec"]["placement"] = json!({
        "preferences": [], "replicas": { "mode": "Divided", "divideBy": "Packed" },
    });
    one["spec"]["placement"].as_object_mut().expect("fields").remove("preferences");
    let one = one.clone();
    for number in 1..workloads {
        let mut other = one.clone();
        other["metadata"]["name"] = json!(format!("portal-{number:02}"));
        for object in other["spec"]["objects"].as_array_mut().expect("objects") {
            let own = format!("{}-{number}", object["manifest"]["metadata"]["name"].as_str().unwrap_or_default());
            object["manifest"]["metadata"]["name"] = json!(own);
        }
        objects.push(other);
    }
    Hub::with(&objects).await
}

fn names(hub: &Hub) -> Vec<String> {
    let all = hub.world.objects(jiuzhou_api::meta::API_VERSION, "FleetWorkload");
    all.iter().map(|one| one["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The fewest replicas that are ordered in all from now on: nothing may be ordered that leaves fewer than before.
pub(super) fn least_ordered(hub: &Hub) -> Arc<Mutex<i32>> {
    let least = Arc::new(Mutex::new(i32::MAX));
    let seen = Arc::clone(&least);
    *hub.members.witness.lock().expect("a lock") = Some(Box::new(move |_, there| {
        let sum: i32 = there.values().map(|order| order.delivery.replicas.unwrap_or(0)).sum();
        if !there.is_empty() {
            let mut least = seen.lock().expect("a lock");
            *least = (*least).min(sum);
        }
    }));
    least
}

/// In which clusters a workload is.
pub(super) fn runs(hub: &Hub, name: &str) -> Vec<String> {
    let all = hub.members.replicas(NAMESPACE, name).into_iter();
    all.filter(|(_, replicas)| *replicas > 0).map(|(cluster, _)| cluster).collect()
}

fn condition(hub: &Hub, name: &str, kind: &str) -> Value {
    let workload = hub.object("FleetWorkload", NAMESPACE, name).expect("a workload");
    let all = workload["status"]["conditions"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|one| one["type"] == kind).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn what_a_tier_says_to_move_is_added_first_and_renewal_moves_nothing_back() {
    let hub = fleet(1, "Move").await;
    let least = least_ordered(&hub);
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(runs(&hub, "portal"), [FIRST]);
    // The last day is a Beijing day: it ends at 16:00 UTC of 24 November.
    hub.pass(35 * 3600).await;
    assert_eq!(runs(&hub, "portal"), [FIRST], "an hour before its end");
    hub.pass(2 * 3600).await;
    assert_eq!(runs(&hub, "portal"), [SECOND]);
    assert_eq!(hub.ready(NAMESPACE, "portal").1, "AsWanted");
    assert_eq!(*least.lock().expect("a lock"), 2, "added before anything was taken away");
    let renewed: Vec<Value> = {
        let cluster = hub.object("MemberCluster", "", FIRST).expect("a cluster");
        let mut all = cluster["spec"]["evidence"].as_array().cloned().unwrap_or_default();
        all.iter_mut().for_each(|one| one["validUntil"] = json!("2027-11-24"));
        all
    };
    hub.patch("MemberCluster", None, FIRST, "", &json!({ "spec": { "evidence": renewed } })).await;
    hub.quiet().await;
    assert_eq!(runs(&hub, "portal"), [SECOND], "renewal moves nothing back");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn what_has_nowhere_to_move_to_says_until_when_it_has_to_and_when_that_is_over() {
    let hub = fleet(1, "Move").await;
    let same = hub.object("MemberCluster", "", FIRST).expect("a cluster")["spec"]["evidence"].clone();
    hub.patch("MemberCluster", None, SECOND, "", &json!({ "spec": { "evidence": same } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(NAMESPACE, "portal").1, "AsWanted");
    let mut told = Vec::new();
    for hours in [37, 24] {
        hub.world.clock().advance(SignedDuration::from_hours(hours));
        hub.run().await.expect("it runs");
        assert_eq!(
            (runs(&hub, "portal"), hub.ready(NAMESPACE, "portal").1.as_str()),
            (vec![FIRST.to_owned()], "Violating")
        );
        let workload = hub.object("FleetWorkload", NAMESPACE, "portal").expect("a workload");
        told.push(
            ["messageEn", "messageZh"].map(|key| workload["status"][key].as_str().unwrap_or_default().to_owned()),
        );
    }
    // The last day ended with 24 November in Beijing; the tier gives 24 hours.
    let ends = ["by 2026-11-26 00:00:00 +08:00.", "须在 2026-11-26 00:00:00 +08:00 前迁出。"];
    for (text, end) in told[0].iter().zip(ends) {
        assert!(text.contains(end), "{text}");
    }
    for (text, over) in told[1].iter().zip(["; that is over.", "期限已过。"]) {
        assert!(text.contains(over), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn that_the_time_to_move_is_over_is_told_when_it_is_though_nothing_else_happens() {
    let hub = fleet(1, "Move").await;
    let same = hub.object("MemberCluster", "", FIRST).expect("a cluster")["spec"]["evidence"].clone();
    hub.patch("MemberCluster", None, SECOND, "", &json!({ "spec": { "evidence": same } })).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    let message = || {
        let workload = hub.object("FleetWorkload", NAMESPACE, "portal").expect("a workload");
        workload["status"]["messageEn"].as_str().unwrap_or_default().to_owned()
    };
    let deadline: jiff::Timestamp = "2026-11-25T16:00:00Z".parse().expect("an instant");
    let before = deadline.duration_since(hub.world.clock().now()).as_secs() - 600;
    hub.pass(u32::try_from(before).expect("it lies ahead")).await;
    assert_eq!(hub.ready(NAMESPACE, "portal").1, "Violating");
    assert!(message().contains("by 2026-11-26 00:00:00 +08:00."), "{}", message());
    assert!(hub.world.clock().now() < deadline, "ten minutes before");
    hub.pass(660).await;
    assert!(message().contains("; that is over."), "{}", message());
    assert_eq!(runs(&hub, "portal"), [FIRST], "and what runs stays");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_says_since_when_also_after_a_night_without_the_operator() {
    let hub = fleet(1, "Hold").await;
    hub.run().await.expect("it runs");
    hub.world.clock().advance(SignedDuration::from_hours(72));
    hub.run().await.expect("it runs");
    assert_eq!(runs(&hub, "portal"), [FIRST], "what runs stays");
    assert_eq!(hub.ready(NAMESPACE, "portal").1, "Violating");
    let kept = condition(&hub, "portal", "RulesSatisfied");
    assert_eq!(
        (kept["status"].as_str(), kept["lastTransitionTime"].as_str()),
        (Some("False"), Some("2026-11-24T16:00:00Z"))
    );
}

#[tokio::test(start_paused = true)]
async fn many_moves_at_once_wait_for_an_approval_of_exactly_their_plan() {
    let hub = fleet(12, "Move").await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.pass(37 * 3600).await;
    for name in names(&hub) {
        assert_eq!(runs(&hub, &name), [FIRST], "{name}");
        assert_eq!(hub.ready(NAMESPACE, &name).1, "WaitingForApproval", "{name}");
    }
    hub.pass(24 * 3600).await;
    assert!(names(&hub).iter().all(|name| runs(&hub, name) == [FIRST]), "time lets nothing through");
    let client = hub.world.client_named("person");
    let asked = approve::moves(&client).await.expect("the plan is shown");
    assert_eq!((asked.order, asked.subject.as_str(), asked.touches.len()), (ApprovedOrder::MassChange, FLEET, 12));
    assert!(asked.touches[0].contains(&format!("{FIRST} 2 -> {SECOND} 2")), "{:?}", asked.touches);
    let by = Signature {
        user: "李四".to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: Some("张三".to_owned()),
        document: "云数批〔2026〕8号".to_owned(),
        until: "2026-12-01".to_owned(),
        needed: 1,
    };
    let (name, _) = approve::approve(&client, &asked, &by).await.expect("it is approved");
    hub.quiet().await;
    for name in names(&hub) {
        assert_eq!(runs(&hub, &name), [SECOND], "{name}");
    }
    let approval = hub.object("Approval", "", &name).expect("the approval")["status"].clone();
    assert!(approval["usedAt"].is_string() && approval["closedAt"].is_string(), "{approval}");
    approve::moves(&client).await.expect_err("nothing waits any more");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs");
    assert_eq!(hub.writes(), [], "a restart writes nothing");
}
