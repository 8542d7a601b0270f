//! Native objects on a dedicated hub in memory: taken, delivered, followed, told of, and held when they vanish.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::stop::Stop;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/kunming-portal/deployments/portal";

/// The first story with its objects beside the workload, which selects them.
fn selecting() -> Vec<Value> {
    let mut objects = story("01-first-tenant");
    let mut natives = Vec::new();
    for workload in objects.iter_mut().filter(|object| object["kind"] == "FleetWorkload") {
        let entries = workload["spec"].as_object_mut().and_then(|spec| spec.remove("objects")).expect("objects");
        for entry in entries.as_array().expect("a list") {
            let mut native = entry["manifest"].clone();
            native["metadata"]["labels"] = json!({ "app": "portal" });
            if native["kind"] == "Deployment" {
                native["spec"]["template"]["spec"]["containers"][0]["envFrom"] =
                    json!([{ "configMapRef": { "name": "settings" } }]);
            }
            natives.push(native);
        }
        workload["spec"]["select"] = json!({ "labels": { "labels": { "app": "portal" } } });
    }
    let metadata = json!({ "name": "settings", "namespace": PORTAL.0 });
    natives.push(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "1" } }));
    objects.extend(natives);
    objects
}

async fn portal() -> Hub {
    let hub = Hub::with(&selecting()).await;
    hub.world.clock().advance(SignedDuration::from_secs(60));
    hub
}

async fn change(hub: &Hub, path: &str, patch: &Value, manager: &str) {
    let request = http::Request::patch(format!("{path}?fieldManager={manager}"));
    let request = request.header("content-type", "application/merge-patch+json");
    let request = request.body(serde_json::to_vec(patch).expect("JSON")).expect("a request");
    hub.world.client_named("person").request::<Value>(request).await.expect("the change is accepted");
}

fn native(hub: &Hub, api_version: &str, kind: &str, name: &str) -> Value {
    hub.world.object(api_version, kind, PORTAL.0, name).unwrap_or_default()
}

fn delivered(hub: &Hub) -> BTreeSet<String> {
    let there = hub.members.there.lock().expect("a lock");
    there.values().flat_map(|order| &order.delivery.objects).map(|object| object.name.to_string()).collect()
}

fn writes(hub: &Hub) -> Vec<String> {
    hub.writes().iter().map(|entry| format!("{} {}/{}", entry.verb, entry.resource, entry.subresource)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_selected_runs_in_members_and_its_status_is_told_on_the_hub() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    let expected = ["configmap-settings", "deployment-portal", "service-portal"];
    assert_eq!(delivered(&hub), expected.map(str::to_owned).into());
    let deployment = native(&hub, "apps/v1", "Deployment", "portal");
    let status = &deployment["status"];
    assert_eq!(status["observedGeneration"], deployment["metadata"]["generation"]);
    for count in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(status[count], 2, "{count}");
    }
    // What Helm 3 looks for: a ReplicaSet of the Deployment's template, beneath it, seen and ready.
    let mirror = native(&hub, "apps/v1", "ReplicaSet", "portal-fleet");
    assert_eq!(mirror["spec"]["template"], deployment["spec"]["template"]);
    assert_eq!(mirror["metadata"]["ownerReferences"][0]["uid"], deployment["metadata"]["uid"]);
    assert_eq!(mirror["status"]["observedGeneration"], mirror["metadata"]["generation"]);
    assert_eq!(mirror["status"]["readyReplicas"], 2);
    assert_eq!(hub.world.refused(), []);
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(writes(&hub), Vec::<String>::new(), "quiet after a restart");
}

#[tokio::test(start_paused = true)]
async fn a_scale_and_a_change_of_a_native_object_are_followed() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let first = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    change(&hub, &format!("{DEPLOYMENT}/scale"), &json!({ "spec": { "replicas": 5 } }), "kubectl").await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 5)].into());
    let deployment = native(&hub, "apps/v1", "Deployment", "portal");
    assert_eq!(deployment["status"]["availableReplicas"], 5);
    assert_eq!(deployment["status"]["observedGeneration"], deployment["metadata"]["generation"]);
    // Configuration that is only named is followed too, and asks for a decision of its own.
    let second = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert_ne!(first["spec"]["decision"], second["spec"]["decision"]);
    let settings = "/api/v1/namespaces/kunming-portal/configmaps/settings";
    change(&hub, settings, &json!({ "data": { "a": "2" } }), "kubectl").await;
    hub.run().await.expect("it runs");
    let third = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert_ne!(second["spec"]["decision"], third["spec"]["decision"]);
    let there = hub.members.there.lock().expect("a lock");
    let manifests =
        there.values().flat_map(|order| &order.delivery.objects).filter_map(|object| object.manifest.as_ref());
    let data: Vec<&Value> = manifests.filter(|one| one["kind"] == "ConfigMap").map(|one| &one["data"]["a"]).collect();
    assert_eq!(data, ["2"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_exported_plans_the_same_offline() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let state = crate::export::state(&hub.world.client()).await.expect("the state");
    let natives: Vec<&str> = ["configmaps", "deployments", "services"].to_vec();
    assert!(
        natives.iter().all(|plural| state.get(*plural).is_some_and(|values| values.len() == 1)),
        "{:?}",
        state.keys()
    );
    let texts: Vec<(String, Vec<u8>)> = state
        .iter()
        .flat_map(|(kind, values)| values.iter().map(move |value| (kind.clone(), value)))
        .map(|(kind, value)| (format!("{kind}.yaml"), serde_json::to_vec(value).expect("JSON")))
        .collect();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_slice())).collect();
    let as_of = hub.world.clock().now();
    let fleet = jiuzhou_intake::load_texts(&texts, &jiuzhou_intake::Options::at(as_of)).expect("a fleet");
    let key = jiuzhou_engine::decide::WorkloadKey::new(PORTAL.0, PORTAL.1);
    let spec = fleet.snapshot.spec(&key).expect("it is decided on offline too");
    assert!(!spec.changed, "it asks for what its placement was decided from");
    let changes = jiuzhou_engine::decide::Changes::default();
    let plan = jiuzhou_engine::decide::plan(&fleet.snapshot, &changes, as_of).expect("a plan");
    assert!(plan.decisions.iter().all(|decision| decision.moves.is_empty()), "{:?}", plan.decisions);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_no_member_finishes_is_never_told_as_done() {
    let hub = portal().await;
    hub.members.slow.lock().expect("a lock").push("kunming-gov-1".to_owned());
    hub.run().await.expect("it runs");
    let deployment = native(&hub, "apps/v1", "Deployment", "portal");
    assert_eq!(deployment["status"]["observedGeneration"], deployment["metadata"]["generation"], "it was looked at");
    assert_eq!(deployment["status"]["availableReplicas"].as_i64().unwrap_or(0), 0);
    assert_eq!(deployment["status"]["unavailableReplicas"], 2);
    let mirror = native(&hub, "apps/v1", "ReplicaSet", "portal-fleet");
    assert_eq!(mirror["status"]["readyReplicas"].as_i64().unwrap_or(0), 0);
}

#[tokio::test(start_paused = true)]
async fn on_a_full_hub_it_is_refused_with_who_acts_there() {
    let hub = portal().await;
    let status = json!({ "status": { "observedGeneration": 1, "replicas": 2 } });
    change(&hub, &format!("{DEPLOYMENT}/status"), &status, "kube-controller-manager").await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "SelectionRefused".to_owned()));
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let words = workload["status"]["messageEn"].as_str().expect("a message");
    assert!(words.contains("Deployment (kube-controller-manager: kunming-portal/portal)"), "{words}");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(native(&hub, "apps/v1", "Deployment", "portal")["status"]["replicas"], 2, "its status is another's");
}

#[tokio::test(start_paused = true)]
async fn an_operator_of_no_dedicated_hub_refuses_and_asks_for_no_native_object() {
    let mut hub = portal().await;
    hub.dedicated = false;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "HubNotDedicated".to_owned()));
    let asked: Vec<String> = hub.world.log().iter().map(|entry| entry.resource.clone()).collect();
    assert!(asked.iter().all(|resource| resource != "deployments.apps" && resource != "secrets"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_controller_gets_its_moment_to_show_itself_before_anything_is_delivered() {
    let hub = Hub::with(&selecting()).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into(), "the Deployment is new");
    hub.world.clock().advance(SignedDuration::from_secs(4));
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_vanishes_keeps_running_until_exactly_that_is_confirmed() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.delete(DEPLOYMENT).await;
    hub.world.settle();
    hub.run().await.expect("it runs");
    let left = |hub: &Hub| {
        let there = hub.members.there.lock().expect("a lock");
        there.values().map(|order| order.delivery.removing.len()).sum::<usize>()
    };
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "DeletionHeld".to_owned()));
    assert_eq!(left(&hub), 0, "nothing is ordered away");
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let words = workload["status"]["messageEn"].as_str().expect("a message").to_owned();
    let (_, order) = words.split_once("jiuzhou.dev/confirm-removal=").expect("how to confirm");
    let digest = order.split(')').next().expect("a digest").to_owned();
    let annotate = |digest: &str| json!({ "metadata": { "annotations": { "jiuzhou.dev/confirm-removal": digest } } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &annotate("sha256:another")).await;
    hub.run().await.expect("it runs");
    assert_eq!(left(&hub), 0, "another set was confirmed");
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &annotate(&digest)).await;
    hub.run().await.expect("it runs");
    // The Deployment, and the configuration that only it named.
    let there = hub.members.there.lock().expect("a lock").clone();
    let names: BTreeSet<String> =
        there.values().flat_map(|o| &o.delivery.objects).map(|o| o.name.to_string()).collect();
    assert_eq!(names, ["service-portal".to_owned()].into());
    drop(there);
    assert_ne!(hub.ready(PORTAL.0, PORTAL.1).1, "DeletionHeld", "what was confirmed is gone");
}

#[tokio::test(start_paused = true)]
async fn a_selection_that_matches_nothing_any_more_removes_nothing() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.delete(DEPLOYMENT).await;
    hub.delete("/api/v1/namespaces/kunming-portal/services/portal").await;
    hub.world.settle();
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "SelectionLost".to_owned()));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    // A restart knows no more and removes no more; the order is the deletion of the workload.
    hub.run().await.expect("it runs again");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(hub.object("FleetWorkload", PORTAL.0, PORTAL.1), None);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_is_no_absence() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.world.clear_log();
    let gate = hub.world.intercept(|request| {
        let native = request.method == http::Method::GET && request.path.ends_with("/deployments");
        native.then_some(jiuzhou_world::Fault::Break)
    });
    // It asks again and again, so it never comes to rest: a minute is enough to do harm in.
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    for _ in 0..120 {
        std::thread::sleep(Duration::from_millis(2));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    assert_ne!(hub.ready(PORTAL.0, PORTAL.1).1, "SelectionLost");
    hub.world.release(gate);
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).0, "True");
}
