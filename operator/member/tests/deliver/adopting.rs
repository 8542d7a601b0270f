//! A workload that ran before us is taken over: nothing of it restarts, its pods are known all the same, and what we add
//! goes in with its next change.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{DeliveredObject, DeliveryState, ObjectState, OnDrift, WrittenAffinity};
use jiuzhou_engine::detect::Catalogue;
use jiuzhou_member::{inventory, look};
use jiuzhou_world::Controllers;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};

use crate::scene::{Scene, job, of_kind, web};

const TEMPLATE: &str = "/spec/template";

/// Our node affinity, as rendering puts it into a template that has none.
fn with_affinity(mut object: DeliveredObject) -> DeliveredObject {
    let manifest = object.manifest.as_mut().expect("a manifest");
    let pod_spec = match manifest["kind"].as_str() {
        Some("CronJob") => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    };
    let term = json!({"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]});
    manifest.pointer_mut(pod_spec).expect("a pod spec")["affinity"] =
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}});
    object.written_affinity = vec![WrittenAffinity { pod_spec: pod_spec.into(), affinity: None }];
    DeliveredObject { take_over: true, ..object }
}

/// What a person made of the same manifest before us: without all that is ours.
fn before_us(object: &DeliveredObject) -> Value {
    let mut manifest = object.manifest.clone().expect("a manifest");
    manifest["metadata"] =
        json!({"name": "web", "namespace": "bureau", "labels": {"app.kubernetes.io/managed-by": "Helm"}});
    let template = if manifest["kind"] == "CronJob" { "/spec/jobTemplate/spec/template" } else { TEMPLATE };
    let template = manifest.pointer_mut(template).expect("a template");
    template["metadata"] = json!({"labels": {"app": "web"}});
    template["spec"].as_object_mut().expect("a pod spec").remove("affinity");
    manifest
}

/// A member in which the object of an order ran before.
fn running(object: DeliveredObject) -> Scene {
    let scene = Scene::new(vec![object]);
    let labels = json!({"jiuzhou.dev/tenant": "bureau-tenant"});
    scene
        .world
        .seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bureau", "labels": labels}}));
    scene.world.seed(before_us(&scene.spec.objects[0]));
    scene.rest();
    scene
}

fn pods(scene: &Scene) -> BTreeMap<String, Value> {
    let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    scene.world.objects("v1", "Pod").iter().map(|pod| (uid(pod), pod["metadata"]["labels"].clone())).collect()
}

#[tokio::test]
async fn what_runs_is_taken_over_without_a_restart_whatever_its_kind() {
    for (api_version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
    ] {
        let object = if kind == "Job" { job() } else { of_kind(api_version, kind) };
        let mut scene = running(with_affinity(object));
        let (before, ran) = (scene.live(api_version, kind, "web").unwrap(), pods(&scene));
        scene.arrive().await;
        let after = scene.live(api_version, kind, "web").unwrap();
        assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"], "{kind}: {}", scene.message());
        assert_eq!(after["spec"], before["spec"], "{kind}");
        assert_eq!(after["metadata"]["labels"]["jiuzhou.dev/workload"], "web", "{kind}");
        assert_eq!(pods(&scene), ran, "{kind}");
        let seen = scene.seen("web");
        assert!(seen.taken_over && seen.as_found.is_some(), "{kind}: {seen:?}");
        // An operator that lost everything, and a node affinity that became another one, change nothing either.
        scene.world.clear_log();
        scene.status = Default::default();
        scene.arrive().await;
        assert_eq!(scene.writes(), Vec::<String>::new(), "{kind}");
        scene.change("web", |manifest| retarget(manifest, "amd64"));
        scene.arrive().await;
        assert_eq!(scene.live(api_version, kind, "web").unwrap()["spec"], before["spec"], "{kind}");
        scene.check();
    }
}

/// Another node affinity of ours.
fn retarget(manifest: &mut Value, architecture: &str) {
    let pod_spec =
        if manifest["kind"] == "CronJob" { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    let terms = "affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let value = manifest.pointer_mut(&format!("{pod_spec}/{terms}/0/matchExpressions/0/values/0"));
    *value.expect("our term") = architecture.into();
}

#[tokio::test]
async fn what_we_add_goes_in_with_the_next_change_and_not_again_out() {
    let mut scene = running(with_affinity(web(2)));
    scene.arrive().await;
    let image = |number: i32| {
        move |manifest: &mut Value| {
            let image = format!("registry.example.cn/web:{number}");
            manifest["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
        }
    };
    for number in [2, 1] {
        scene.change("web", image(number));
        scene.arrive().await;
        let template = scene.deployment().pointer(TEMPLATE).cloned().unwrap();
        assert_eq!(template["metadata"]["labels"]["jiuzhou.dev/workload"], "web", "image {number}");
        assert!(template["spec"]["affinity"]["nodeAffinity"].is_object(), "image {number}");
        let seen = scene.seen("web");
        assert!(seen.taken_over && seen.as_found.is_none(), "{seen:?}");
    }
    scene.check();
}

#[tokio::test]
async fn a_hand_that_changes_what_waits_or_takes_our_marks_off_does_not_bring_it_in() {
    let mut scene = running(with_affinity(web(2)));
    scene.arrive().await;
    let found = scene.deployment()["spec"].clone();
    let unmark = json!({"metadata": {"labels": {"jiuzhou.dev/taken-over": null},
        "annotations": {"jiuzhou.dev/template-as-found": null}}});
    crate::writing::by_hand(&scene, ("apps", "Deployment"), "web", unmark).await;
    scene.arrive().await;
    assert_eq!(scene.deployment()["spec"], found);
    assert!(scene.seen("web").as_found.is_some(), "it is told again");
    let image = json!({"spec": {"template": {"metadata": {"labels": {"by": "hand"}}, "spec": {"containers": [
        {"name": "web", "image": "registry.example.cn/other:1"}]}}}});
    crate::writing::by_hand(&scene, ("apps", "Deployment"), "web", image).await;
    scene.spec.objects[0].on_drift = OnDrift::Report;
    scene.deliver().await;
    assert_eq!(scene.state("web"), ObjectState::Drifted, "{}", scene.message());
    scene.spec.objects[0].on_drift = OnDrift::Correct;
    scene.arrive().await;
    let image = scene.deployment().pointer("/spec/template/spec/containers/0/image").cloned();
    assert_eq!(image, found.pointer("/template/spec/containers/0/image").cloned(), "as it was found");
    assert!(scene.deployment().pointer("/spec/template/spec/affinity").is_none());
}

#[tokio::test]
async fn a_template_that_really_differs_is_told_and_not_touched() {
    let mut scene = running(with_affinity(web(2)));
    scene.change("web", |manifest| manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "other:1".into());
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!(scene.state("web"), ObjectState::Conflict);
    assert!(scene.message().contains("/spec/template/spec/containers/0/image"), "{}", scene.message());
    assert!(!scene.message().contains("affinity"), "what we add is no difference: {}", scene.message());
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert!(!scene.seen("web").taken_over);
}

#[tokio::test]
async fn what_was_ours_and_let_go_is_taken_back_with_what_is_in_it() {
    let mut scene = Scene::new(vec![with_affinity(web(2))]);
    scene.arrive().await;
    let before = scene.deployment();
    let objects = std::mem::take(&mut scene.spec.objects);
    scene.spec.state = DeliveryState::Orphan;
    scene.deliver().await;
    scene.spec.state = DeliveryState::Present;
    scene.spec.objects = objects;
    scene.spec.epoch += 1;
    scene.status = Default::default();
    scene.arrive().await;
    assert_eq!(scene.deployment()["spec"], before["spec"]);
    assert_eq!(scene.seen("web").as_found, None, "nothing waits");
}

/// A ReplicaSet that nothing owns, with a pod, named as those of a Deployment are.
fn below_a_set(scene: &Scene, deployment: &str) {
    let name = format!("{deployment}-5d9");
    let labels = json!({"app": deployment, "pod-template-hash": "5d9"});
    let spec = json!({"containers": [{"name": "web", "image": "other:1"}]});
    scene
        .world
        .seed(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "namespace": "bureau"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}}));
    let uid = scene.live("apps/v1", "ReplicaSet", &name).expect("the set")["metadata"]["uid"].clone();
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": uid, "controller": true});
    scene.world.seed(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("{name}-x"), "namespace": "bureau",
        "labels": labels, "ownerReferences": [owner]}, "spec": spec, "status": {"phase": "Running"}}),
    );
}

#[tokio::test]
async fn pods_without_our_labels_count_until_the_last_has_ended() {
    let mut scene = running(with_affinity(web(2)));
    below_a_set(&scene, "web-admin");
    scene.arrive().await;
    assert_eq!((scene.status.present, scene.status.ready), (Some(2), Some(2)), "another's pod is none of it");
    let workload = scene.spec.workload.clone();
    let manifests = BTreeSet::from([("apps/v1".to_owned(), "Deployment".to_owned(), "web".to_owned())]);
    let seen = look(&scene.member, "bureau-tenant", &workload, &manifests).await.unwrap().expect("the deployment");
    assert_eq!(seen.present, Some(2), "without a memory");

    let mut controllers = Controllers::all(1);
    controllers.end_pods = false;
    scene.world.control(controllers);
    scene.remove_all();
    // Another hand is faster, and does not wait for the pods as we do.
    let api: Api<Deployment> = Api::namespaced(scene.world.client_named("somebody"), "bureau");
    api.delete("web", &DeleteParams::background()).await.expect("a delete by hand");
    for _ in 0..3 {
        scene.deliver().await;
        scene.rest();
    }
    assert_eq!(scene.live("apps/v1", "Deployment", "web"), None);
    assert_eq!(pods(&scene).len(), 3, "two are ending");
    assert_eq!((scene.reason(), scene.state("web")), ("Removing", ObjectState::Removing), "{:?}", scene.status);
    let seen = look(&scene.member, "bureau-tenant", &workload, &manifests).await.unwrap();
    assert_eq!(seen.expect("pods of it").present, Some(2), "gone before its pods, and nobody remembers it");
    scene.world.control(Controllers::all(1));
    scene.rest();
    scene.deliver().await;
    assert_eq!(scene.state("web"), ObjectState::Gone, "{:?}", scene.status);
    assert_eq!(pods(&scene).len(), 1, "another's stays");
    assert_eq!(look(&scene.member, "bureau-tenant", &workload, &manifests).await, Ok(None));
    scene.check();
}

#[tokio::test]
async fn a_pod_is_not_gone_because_its_deployment_and_what_stood_between_are() {
    let mut scene = running(with_affinity(web(1)));
    scene.arrive().await;
    // As kubectl leaves it with --cascade=orphan.
    below_a_set(&scene, "web");
    scene.remove_all();
    for _ in 0..4 {
        scene.deliver().await;
        scene.rest();
    }
    assert_eq!(scene.state("web"), ObjectState::Removing, "{:?}", scene.status);
    assert!(scene.message().contains("1 of its pods"), "{}", scene.message());
}

#[tokio::test]
async fn pods_of_what_was_taken_over_are_no_strangers_to_the_inventory() {
    let mut scene = running(with_affinity(web(2)));
    scene.world.seed(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "simulated",
        "labels": {"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"}},
        "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"}, "conditions": [{"type": "Ready", "status": "True"}],
        "nodeInfo": {"architecture": "arm64", "operatingSystem": "linux"}}}));
    let client = scene.world.client_named("hub");
    let catalogue = Catalogue::default();
    let free = |inventory: &inventory::Inventory| inventory.pools[0].free[0].free.get("cpu").map(|cpu| cpu.0.clone());
    let before = inventory::observe(&client, &catalogue, &[]).await.unwrap();
    assert_eq!(free(&before).as_deref(), Some("6000m"), "strangers take their room");
    scene.arrive().await;
    let after = inventory::observe(&client, &catalogue, &[]).await.unwrap();
    assert_eq!(free(&after).as_deref(), Some("8000m"), "the ledger counts them, and only it");
    scene.check();
}
