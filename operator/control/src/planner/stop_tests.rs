//! Stop orders on a hub in memory: nothing runs, everything stays, and what was there comes back as it was.

use serde_json::{Value, json};

use jiuzhou_engine::decide::WorkloadKey;

use crate::people::approve::{self, Signature};
use crate::people::stop::{self, Given};
use crate::stop::Stop;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const NUMBER: &str = "云数停〔2026〕3号";

const REQUESTER: &str = "张三";

fn at(hub: &Hub) -> jiff::Timestamp {
    hub.world.clock().now()
}

fn given(hub: &Hub, number: &str) -> Given {
    Given { order: number.to_owned(), reason: None, by: REQUESTER.to_owned(), at: at(hub) }
}

fn signature(user: &str) -> Signature {
    Signature {
        user: user.to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: None,
        document: NUMBER.to_owned(),
        until: "2026-12-01".to_owned(),
        needed: 1,
    }
}

/// The order, approved by another person. Returns the workloads it names and the approval.
async fn order_stop(hub: &Hub, system: &WorkloadKey) -> (Vec<String>, String) {
    let client = hub.world.client_named("person");
    let told = stop::stop(&client, system, given(hub, NUMBER)).await.expect("the order is taken");
    let asked = approve::stop(&client, system).await.expect("it is shown");
    let (name, left) = approve::approve(&client, &asked, &signature("李四")).await.expect("it is approved");
    assert_eq!(left, 0);
    (told, name)
}

async fn lift(hub: &Hub, system: &WorkloadKey) -> Result<String, crate::Error> {
    stop::restore(&hub.world.client_named("person"), system, REQUESTER, at(hub)).await
}

/// When an approval was used, and when it was closed.
fn approval(hub: &Hub, name: &str) -> (bool, bool) {
    let approval = hub.object("Approval", "", name).expect("the approval");
    (approval["status"]["usedAt"].is_string(), approval["status"]["closedAt"].is_string())
}

/// The system of the first story, in a form with every kind that runs.
async fn portal() -> (Hub, WorkloadKey) {
    let objects = story("01-first-tenant");
    let system = objects.iter().find(|one| one["kind"] == "InformationSystem").expect("a system");
    let name = system["metadata"]["name"].as_str().expect("a name").to_owned();
    (Hub::with(&objects).await, WorkloadKey::new(PORTAL.0, &name))
}

fn placement(hub: &Hub) -> Value {
    hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement")["spec"].clone()
}

fn replicas(hub: &Hub) -> Vec<i32> {
    hub.members.replicas(PORTAL.0, PORTAL.1).into_values().collect()
}

fn message(hub: &Hub, language: &str) -> String {
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    workload["status"][language].as_str().unwrap_or_default().to_owned()
}

/// A condition of a system: status, reason and message.
fn told(hub: &Hub, system: &WorkloadKey, kind: &str) -> Option<(String, String, String)> {
    let object = hub.object("InformationSystem", &system.namespace, &system.name).expect("a system");
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let one = all.into_iter().find(|one| one["type"] == kind)?;
    let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("reason"), text("message")))
}

/// The same without the message.
fn stands(hub: &Hub, system: &WorkloadKey, kind: &str) -> Option<(String, String)> {
    told(hub, system, kind).map(|(status, reason, _)| (status, reason))
}

#[tokio::test(start_paused = true)]
async fn a_system_tells_how_it_stands_and_how_far_an_order_that_stops_it_has_come() {
    let (hub, system) = portal().await;
    let is = |status: &str, reason: &str| Some((status.to_owned(), reason.to_owned()));
    let fresh = hub.object("InformationSystem", &system.namespace, &system.name).expect("a system");
    assert_eq!(fresh["status"], json!({ "observedGeneration": -1 }), "nobody has looked at it");
    hub.members.slow.lock().expect("a lock").extend(["kunming-gov-1".to_owned()]);
    hub.run().await.expect("it runs");
    let slow = told(&hub, &system, "Ready").expect("a condition");
    assert_eq!((slow.0.as_str(), slow.1.as_str()), ("False", "DeliveryInProgress"));
    assert!(slow.2.contains("1 of 1 workloads are not as wanted: portal (DeliveryInProgress)"), "{}", slow.2);
    hub.members.slow.lock().expect("a lock").clear();
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub, &system, "Ready"), is("True", "AsWanted"));
    assert_eq!(stands(&hub, &system, "StopOrdered"), None);
    let status = hub.object("InformationSystem", &system.namespace, &system.name).expect("a system")["status"].clone();
    assert_eq!(
        (&status["observedHosting"], &status["workloads"], &status["readyWorkloads"]),
        (&json!("CloudNative"), &json!(1), &json!(1))
    );

    // An order that nobody else approved is told as that, and it goes on running.
    let client = hub.world.client_named("person");
    stop::stop(&client, &system, given(&hub, NUMBER)).await.expect("the order is taken");
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub, &system, "StopOrdered"), is("False", "WaitingForApproval"));
    assert_eq!(stands(&hub, &system, "Ready"), is("True", "AsWanted"));
    let said = told(&hub, &system, "StopOrdered").expect("a condition").2;
    assert!(said.contains(NUMBER) && said.contains(REQUESTER) && said.contains("jiuzhou approve stop"), "{said}");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);

    let asked = approve::stop(&client, &system).await.expect("it is shown");
    let (approval, _) = approve::approve(&client, &asked, &signature("李四")).await.expect("it is approved");
    hub.run().await.expect("it runs");
    assert_eq!(stands(&hub, &system, "StopOrdered"), is("True", "Stopped"));
    assert_eq!(stands(&hub, &system, "Ready"), is("False", "Stopped"));
    assert_eq!(stands(&hub, &system, "Stalled"), is("True", "Stopped"));
    assert!(told(&hub, &system, "Ready").expect("a condition").2.contains(&approval));
    let status = hub.object("InformationSystem", &system.namespace, &system.name).expect("a system")["status"].clone();
    assert_eq!(status["observedHosting"], Value::Null, "nothing of it runs");

    lift(&hub, &system).await.expect("it is lifted");
    hub.run().await.expect("it runs");
    assert_eq!((stands(&hub, &system, "StopOrdered"), stands(&hub, &system, "Stalled")), (None, None));
    assert_eq!(stands(&hub, &system, "Ready"), is("True", "AsWanted"));
}

#[tokio::test(start_paused = true)]
async fn an_order_stops_everything_and_lifting_it_brings_back_exactly_what_was_there() {
    let (hub, system) = portal().await;
    hub.run().await.expect("it runs");
    let before = placement(&hub);
    let delivered = |hub: &Hub| {
        let there = hub.members.there.lock().expect("a lock");
        there.values().flat_map(|order| order.delivery.objects.clone()).collect::<Vec<_>>()
    };
    let running = delivered(&hub);
    let (told, name) = order_stop(&hub, &system).await;
    assert_eq!(told, [PORTAL.1]);
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [0]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "Stopped".to_owned()));
    assert!(message(&hub, "messageEn").contains(NUMBER) && message(&hub, "messageZh").contains(NUMBER));
    let stopped = placement(&hub);
    assert_eq!(stopped["clusters"], before["clusters"], "it keeps its places");
    assert_eq!(stopped["stop"], json!({ "order": NUMBER, "approval": name, "lifted": false }));
    assert_eq!(approval(&hub, &name), (true, false));
    let names = |objects: &[jiuzhou_api::v1alpha1::DeliveredObject]| {
        objects.iter().map(|object| object.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&delivered(&hub)), names(&running), "no object goes");

    lift(&hub, &system).await.expect("it is lifted");
    hub.run().await.expect("it runs");
    assert_eq!(approval(&hub, &name), (true, true), "it is never used again");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!(placement(&hub)["clusters"], before["clusters"]);
    assert_eq!(placement(&hub)["revision"], before["revision"], "nothing of what is delivered has changed");
    assert_eq!(delivered(&hub), running, "the same objects, to the byte");
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.writes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn neither_a_restart_nor_a_change_nor_a_scale_nor_a_new_copy_of_the_system_starts_what_is_stopped() {
    let (hub, system) = portal().await;
    let original = hub.object("InformationSystem", &system.namespace, &system.name).expect("a system");
    hub.run().await.expect("it runs");
    order_stop(&hub, &system).await;
    hub.run().await.expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!((replicas(&hub), hub.writes().len()), (vec![0], 0));
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &json!({ "spec": { "replicas": 5 } })).await;
    let mut objects = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload")["spec"]["objects"].clone();
    objects[0]["manifest"]["spec"]["replicas"] = json!(7);
    objects[1]["manifest"]["spec"]["ports"] = json!([{ "port": 81, "targetPort": 8080 }]);
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "objects": objects } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [0]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "Stopped");
    // The system is made anew from files that know nothing of the order: nobody lifted it.
    let path = format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{}/informationsystems/{}", system.namespace, system.name);
    hub.delete(&path).await;
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [0], "the system is gone");
    let metadata = json!({ "name": system.name, "namespace": system.namespace });
    hub.create(&json!({ "apiVersion": original["apiVersion"], "kind": "InformationSystem", "metadata": metadata, "spec": original["spec"] })).await;
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [0], "the system is there again");
    assert_eq!(lift(&hub, &system).await.expect("it is lifted"), NUMBER);
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [5], "as it was scaled meanwhile");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted");
}

#[tokio::test(start_paused = true)]
async fn what_is_made_while_its_system_is_stopped_waits_and_another_order_is_refused() {
    let (hub, system) = portal().await;
    order_stop(&hub, &system).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "Stopped");
    let client = hub.world.client_named("person");
    assert!(stop::stop(&client, &system, given(&hub, "另一令")).await.is_err(), "one order at a time");
    let dropped = json!({ "spec": { "stop": null } });
    let path = format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{}/informationsystems/{}", system.namespace, system.name);
    let request = http::Request::patch(path).header("content-type", "application/merge-patch+json");
    let request = request.body(serde_json::to_vec(&dropped).expect("JSON")).expect("a request");
    assert!(client.request::<Value>(request).await.is_err(), "an edit does not lift it");
    lift(&hub, &system).await.expect("it is lifted");
    hub.run().await.expect("it runs");
    assert_eq!(replicas(&hub), [2]);
    assert!(lift(&hub, &system).await.is_err(), "there is nothing to lift");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_recorded_with_its_number_before_a_member_hears_of_it() {
    let (hub, system) = portal().await;
    hub.run().await.expect("it runs");
    let folder = hub.folder.path().to_owned();
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let witness = std::sync::Arc::clone(&heard);
    *hub.members.witness.lock().expect("a lock") = Some(Box::new(move |order, _| {
        let text: String = std::fs::read_dir(&folder)
            .expect("the log")
            .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok())
            .collect();
        witness.lock().expect("a lock").push((order.delivery.replicas, text.contains(NUMBER)));
    }));
    order_stop(&hub, &system).await;
    hub.run().await.expect("it runs");
    let heard = heard.lock().expect("a lock").clone();
    assert!(heard.contains(&(Some(0), true)), "{heard:?}");
    assert!(!heard.contains(&(Some(0), false)), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told_until_nothing_is() {
    let (hub, system) = portal().await;
    hub.run().await.expect("it runs");
    let (stopper, stopped) = Stop::new();
    let running = hub.start(stopped);
    hub.quiet().await;
    hub.members.mute(true);
    order_stop(&hub, &system).await;
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "Stopping", "the member has not said so yet");
    hub.members.mute(false);
    hub.members.tell();
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "Stopped");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

/// A Job as the only object of the workload.
async fn with_job(hub: &Hub) {
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let mut template = workload["spec"]["objects"][0]["manifest"]["spec"]["template"].clone();
    template["spec"]["restartPolicy"] = json!("Never");
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "once" }, "spec": { "template": template } });
    let spec = json!({ "system": workload["spec"]["system"], "objects": [{ "name": "once", "manifest": job }] });
    let metadata = json!({ "name": "once", "namespace": PORTAL.0 });
    hub.create(
        &json!({ "apiVersion": workload["apiVersion"], "kind": "FleetWorkload", "metadata": metadata, "spec": spec }),
    )
    .await;
}

fn suspended(hub: &Hub) -> Vec<bool> {
    let there = hub.members.there.lock().expect("a lock");
    let once = there.iter().filter(|((key, _), _)| key.name == "once").flat_map(|(_, order)| &order.delivery.objects);
    once.map(|object| object.manifest.as_ref().is_some_and(|one| one["spec"]["suspend"] == true)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_stopped_while_it_runs_is_suspended_and_not_run_again() {
    let (hub, system) = portal().await;
    with_job(&hub).await;
    hub.members.slow.lock().expect("a lock").push("kunming-gov-1".to_owned());
    hub.run().await.expect("it runs");
    assert_eq!(suspended(&hub), [false]);
    order_stop(&hub, &system).await;
    hub.run().await.expect("it runs");
    assert_eq!(suspended(&hub), [true]);
    lift(&hub, &system).await.expect("it is lifted");
    hub.run().await.expect("it runs");
    assert_eq!(suspended(&hub), [true], "it would run a second time");
    assert_eq!(hub.ready(PORTAL.0, "once").1, "RunInterrupted");
    assert_eq!(replicas(&hub), [2], "what may run again does");
}

#[tokio::test(start_paused = true)]
async fn an_order_stops_nothing_until_exactly_it_is_approved_by_enough_others() {
    let (hub, system) = portal().await;
    let client = hub.world.client_named("person");
    stop::stop(&client, &system, given(&hub, NUMBER)).await.expect("the order is taken");
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted", "nobody approved it");
    let asked = approve::stop(&client, &system).await.expect("it is shown");
    assert_eq!((asked.requester.as_deref(), asked.number.as_deref()), (Some(REQUESTER), Some(NUMBER)));
    assert_eq!(asked.touches, ["kunming-portal/portal: kunming-gov-1 2"]);
    assert!(approve::approve(&client, &asked, &signature(REQUESTER)).await.is_err(), "the requester never approves");
    let two = Signature { needed: 2, ..signature("李四") };
    let (name, left) = approve::approve(&client, &asked, &two).await.expect("the first of two");
    assert_eq!(left, 1);
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted", "one of two approved it");
    // The order is changed after it was shown: what was approved is another one.
    let reason = json!({ "spec": { "stop": { "reason": "别的原因" } } });
    hub.patch("InformationSystem", Some(&system.namespace), &system.name, "", &reason).await;
    assert_eq!(
        approve::approve(&client, &asked, &signature("王五")).await.expect("the second of two"),
        (name.clone(), 0)
    );
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted", "the order that was approved is not the one that stands");
    assert_eq!(approval(&hub, &name), (false, false));
    let asked = approve::stop(&client, &system).await.expect("it is shown");
    let (other, _) = approve::approve(&client, &asked, &signature("王五")).await.expect("it is approved");
    assert_ne!(other, name);
    hub.run().await.expect("it runs");
    assert_eq!((hub.ready(PORTAL.0, PORTAL.1).1.as_str(), replicas(&hub)), ("Stopped", vec![0]));
    assert_eq!((approval(&hub, &other), approval(&hub, &name)), ((true, false), (false, false)));
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_ran_out_starts_nothing_and_keeps_what_it_was_used_for() {
    let (hub, system) = portal().await;
    hub.run().await.expect("it runs");
    let (_, name) = order_stop(&hub, &system).await;
    hub.run().await.expect("it runs");
    hub.world.clock().advance(jiff::SignedDuration::from_hours(24 * 30));
    hub.run().await.expect("it runs");
    assert_eq!((hub.ready(PORTAL.0, PORTAL.1).1.as_str(), replicas(&hub)), ("Stopped", vec![0]));
    lift(&hub, &system).await.expect("it is lifted");
    hub.run().await.expect("it runs");
    assert_eq!((replicas(&hub), approval(&hub, &name)), (vec![2], (true, true)));
    // A new order needs a new approval; one that has run out is none.
    let client = hub.world.client_named("person");
    stop::stop(&client, &system, given(&hub, NUMBER)).await.expect("the order is taken");
    let asked = approve::stop(&client, &system).await.expect("it is shown");
    approve::approve(&client, &asked, &signature("李四")).await.expect("until a day that has passed");
    hub.run().await.expect("it runs");
    assert_eq!((hub.ready(PORTAL.0, PORTAL.1).1.as_str(), replicas(&hub)), ("AsWanted", vec![2]));
}

#[tokio::test(start_paused = true)]
async fn nobody_signs_another_order_under_the_name_of_the_one_that_was_shown() {
    let (hub, system) = portal().await;
    hub.run().await.expect("it runs");
    let client = hub.world.client_named("person");
    stop::stop(&client, &system, given(&hub, NUMBER)).await.expect("the order is taken");
    let asked = approve::stop(&client, &system).await.expect("it is shown");
    // Somebody puts an approval of another order under the name that this one will have.
    let other = jiuzhou_engine::terms::Digest::sha256(b"another order").to_string();
    let short: String = asked.digest.to_string().trim_start_matches("sha256:").chars().take(16).collect();
    let planted = json!({
        "apiVersion": jiuzhou_api::meta::API_VERSION, "kind": "Approval",
        "metadata": { "name": format!("stop-{short}") },
        "spec": {
            "order": "StopSystem", "subject": system.to_string(), "digest": other, "requester": REQUESTER, "needed": 2,
            "approvers": [{ "user": "王五", "role": "处长" }], "document": { "number": NUMBER }, "until": "2026-12-01",
        },
    });
    hub.create(&planted).await;
    let refused = approve::approve(&client, &asked, &signature("李四")).await.expect_err("it is another order");
    assert!(refused.to_string().contains("another order"), "{refused}");
    let kept = hub.object("Approval", "", &format!("stop-{short}")).expect("it is there");
    assert_eq!(kept["spec"]["approvers"].as_array().map(Vec::len), Some(1), "nobody signed it");
}
