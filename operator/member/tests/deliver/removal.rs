//! What goes, in which order, and what is never deleted.

use jiuzhou_api::v1alpha1::{DeliveryState, ObjectState};
use jiuzhou_world::Controllers;
use serde_json::{Value, json};

use crate::scene::{Scene, annotation, config, object, web};

fn front() -> jiuzhou_api::v1alpha1::DeliveredObject {
    object(
        "front",
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    )
}

#[tokio::test]
async fn what_is_ordered_away_goes_in_reverse_order_and_is_proven_gone() {
    let mut scene = Scene::new(vec![web(1), config("settings", "1"), front()]);
    scene.arrive().await;
    scene.remove_all();
    scene.world.clear_log();
    for _ in 0..6 {
        scene.deliver().await;
        scene.rest();
    }
    scene.deliver().await;
    assert_eq!(scene.reason(), "AsWanted", "{}", scene.message());
    assert_eq!(scene.writes(), ["delete services/web", "delete deployments.apps/web", "delete configmaps/settings"]);
    assert!(scene.status.objects.iter().all(|one| one.state == ObjectState::Gone), "{:?}", scene.status.objects);
    assert!(scene.world.objects("v1", "Pod").is_empty());
    scene.check();
}

#[tokio::test]
async fn a_workload_is_not_gone_while_a_pod_of_it_is_ending() {
    let mut scene = Scene::new(vec![web(1)]);
    scene.arrive().await;
    let mut controllers = Controllers::all(1);
    controllers.end_pods = false;
    scene.world.control(controllers);
    scene.remove_all();
    for _ in 0..4 {
        scene.deliver().await;
        scene.rest();
    }
    assert!(!scene.world.objects("v1", "Pod").is_empty(), "the pod is ending");
    assert_eq!((scene.reason(), scene.state("web")), ("Removing", ObjectState::Removing), "{:?}", scene.status);
    scene.world.control(Controllers::all(1));
    scene.rest();
    scene.deliver().await;
    assert_eq!(scene.state("web"), ObjectState::Gone, "{:?}", scene.status);
}

#[tokio::test]
async fn absence_removes_nothing() {
    let mut scene = Scene::new(vec![web(1), config("settings", "1")]);
    scene.arrive().await;
    scene.spec.objects.pop();
    scene.spec.epoch += 1;
    scene.world.clear_log();
    scene.deliver().await;
    scene.deliver().await;
    assert!(scene.live("v1", "ConfigMap", "settings").is_some());
    assert!(scene.seen("settings").identity.is_some(), "the inventory forgets nothing");
    assert_eq!(scene.writes(), Vec::<String>::new());
    // An order without names removes nothing either.
    scene.spec.state = DeliveryState::Removing;
    scene.spec.objects.clear();
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_left_the_workload_goes_when_the_rest_is_ready() {
    let mut scene = Scene::new(vec![web(1), config("settings", "1")]);
    scene.arrive().await;
    scene.spec.removing = vec![scene.seen("settings").identity.clone().unwrap()];
    scene.spec.objects.pop();
    scene.change("web", |manifest| {
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.cn/web:2".into();
    });
    scene.deliver().await;
    assert!(scene.live("v1", "ConfigMap", "settings").is_some(), "the new pods are not ready yet");
    scene.arrive().await;
    assert!(scene.live("v1", "ConfigMap", "settings").is_none());
    assert_eq!(scene.state("settings"), ObjectState::Gone);
}

#[tokio::test]
async fn another_object_of_the_name_and_another_ones_object_stay() {
    let mut scene = Scene::new(vec![config("settings", "1"), config("more", "1")]);
    scene.arrive().await;
    scene.remove_all();
    for identity in &mut scene.spec.removing {
        if *identity.name == *"settings" {
            identity.uid = "another-uid".into();
        }
    }
    let more = scene.live("v1", "ConfigMap", "more").unwrap();
    reown(&scene, &more).await;
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert_eq!((scene.reason(), scene.state("more")), ("DeliveryRefused", ObjectState::Conflict));
    assert!(scene.live("v1", "ConfigMap", "settings").is_some(), "it has another uid than ordered");
}

async fn reown(scene: &Scene, object: &Value) {
    use kube::api::{Api, Patch, PatchParams};
    let api: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(scene.world.client_named("somebody"), "bureau");
    let name = object["metadata"]["name"].as_str().expect("a change by hand");
    let patch = json!({"metadata": {"annotations": {"jiuzhou.dev/owner": "bureau/other"}}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("a change by hand");
}

#[tokio::test]
async fn what_is_let_go_keeps_every_field_and_is_nobodys() {
    let mut scene = Scene::new(vec![web(2), config("settings", "1")]);
    scene.arrive().await;
    let before = scene.deployment();
    scene.spec.state = DeliveryState::Orphan;
    scene.spec.objects.clear();
    scene.deliver().await;
    let after = scene.deployment();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(annotation(&after, "jiuzhou.dev/owner"), "");
    assert!(!after["metadata"].to_string().contains("\"manager\":\"jiuzhou\""), "{}", after["metadata"]);
    assert_eq!(after["metadata"]["labels"].get("jiuzhou.dev/workload"), None);
    assert_eq!(scene.live("v1", "ConfigMap", "settings").unwrap()["data"], json!({"k": "1"}));
    assert_eq!(scene.reason(), "AsWanted", "{:?}", scene.status);
    scene.check();
}
