//! What is written, and what is not written again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiuzhou_api::v1alpha1::{DeliveredObject, ObjectState, OnDrift, OnImmutable};
use jiuzhou_world::{Fault, Gate};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::discovery::ApiResource;
use kube::core::gvk::GroupVersionKind;
use serde_json::{Value, json};

use crate::scene::{OWNER, Scene, annotation, config, job, object, secret, web};

/// A change by somebody else in the member.
pub(crate) async fn by_hand(scene: &Scene, (group, kind): (&str, &str), name: &str, patch: Value) {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    let api: Api<DynamicObject> = Api::namespaced_with(scene.world.client_named("somebody"), "bureau", &kind);
    let params = PatchParams { field_manager: Some("kubectl-edit".into()), ..PatchParams::default() };
    api.patch(name, &params, &Patch::Merge(patch)).await.expect("a change by hand");
}

#[tokio::test]
async fn a_workload_arrives_in_order_and_is_ready_when_its_pods_are() {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    let mut scene = Scene::new(vec![object("front", service), web(2), config("settings", "1")]);
    scene.deliver().await;
    assert_eq!(scene.reason(), "DeliveryInProgress", "{}", scene.message());
    assert_eq!(
        scene.writes(),
        ["create namespaces/bureau", "patch configmaps/settings", "patch deployments.apps/web", "patch services/web"]
    );
    scene.arrive().await;
    assert_eq!((scene.status.present, scene.status.ready), (Some(2), Some(2)));
    let live = scene.deployment();
    assert_eq!(annotation(&live, "jiuzhou.dev/owner"), OWNER);
    assert_eq!(annotation(&live, "jiuzhou.dev/epoch"), "7");
    assert_eq!(scene.status.epoch, Some(7));
    scene.check();
}

#[tokio::test]
async fn a_second_delivery_writes_nothing_even_without_its_status() {
    let (password, secrets) = secret("canary-1");
    let mut scene = Scene::new(vec![web(2), config("settings", "1"), password]);
    scene.secrets = secrets;
    scene.arrive().await;
    let status = scene.status.clone();
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!(scene.status, status, "a status that says the same is the same");
    scene.status = Default::default(); // a restart that lost everything
    scene.spec.epoch += 1; // and a new decision with the same content
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert_eq!(scene.reason(), "AsWanted", "{}", scene.message());
    scene.check();
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let mut scene = Scene::new(vec![web(2), config("settings", "1")]);
    scene.arrive().await;
    scene.change("settings", |manifest| manifest["data"] = json!({"other": "2"}));
    scene.world.clear_log();
    scene.arrive().await;
    assert_eq!(scene.writes(), ["patch configmaps/settings"]);
    let live = scene.live("v1", "ConfigMap", "settings").unwrap();
    assert_eq!(live["data"], json!({"other": "2"}), "a field that left the manifest leaves the member");
    assert_eq!(annotation(&scene.deployment(), "jiuzhou.dev/epoch"), "7", "the epoch of its last change");
    scene.check();
}

#[tokio::test]
async fn drift_is_corrected_or_reported_as_declared() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.arrive().await;
    by_hand(&scene, ("", "ConfigMap"), "settings", json!({"data": {"k": "tampered", "added": "stays"}})).await;
    scene.deliver().await;
    let live = scene.live("v1", "ConfigMap", "settings").unwrap();
    assert_eq!(live["data"], json!({"k": "1", "added": "stays"}), "what is not ours is left alone");
    assert_eq!(scene.reason(), "AsWanted");

    scene.spec.objects[0].on_drift = OnDrift::Report;
    by_hand(&scene, ("", "ConfigMap"), "settings", json!({"data": {"k": "tampered"}})).await;
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!((scene.reason(), scene.state("settings")), ("Drifted", ObjectState::Drifted));
    assert!(scene.message().contains("/data/k"), "{}", scene.message());
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.check();
}

#[tokio::test]
async fn replicas_that_another_manager_holds_are_left_alone_but_zero_is_not() {
    let mut scene = Scene::new(vec![web(2)]);
    scene.arrive().await;
    by_hand(&scene, ("apps", "Deployment"), "web", json!({"spec": {"replicas": 5}})).await;
    scene.world.settle();
    scene.change("web", |manifest| {
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.cn/web:2".into();
    });
    scene.arrive().await;
    let live = scene.deployment();
    assert_eq!(live["spec"]["replicas"], 5);
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.cn/web:2");
    let told = scene.seen("web").message.clone().unwrap_or_default();
    assert!(told.contains("kubectl-edit"), "{told}");
    scene.change("web", |manifest| manifest["spec"]["replicas"] = 0.into());
    scene.deliver().await;
    assert_eq!(scene.deployment()["spec"]["replicas"], 0, "a stop order stops");
    scene.check();
}

#[tokio::test]
async fn an_object_that_was_there_before_is_not_touched() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.deliver().await; // makes the namespace
    let mut scene = Scene { spec: scene.spec.clone(), ..scene };
    scene
        .world
        .seed(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "bureau"},
        "data": {"k": "theirs"}}));
    scene.spec.objects = vec![config("other", "1")];
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!((scene.reason(), scene.state("other")), ("DeliveryRefused", ObjectState::Conflict));
    assert_eq!(scene.seen("other").identity, None, "what is not ours is in no inventory of ours");
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.check();
}

#[tokio::test]
async fn an_identical_object_is_taken_over_when_asked_and_then_is_wholly_ours() {
    let mut scene = Scene::new(vec![config("other", "1")]);
    scene.deliver().await;
    let take_over = |value: &str| DeliveredObject { take_over: true, ..config("settings", value) };
    scene
        .world
        .seed(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "bureau",
        "labels": {"app.kubernetes.io/managed-by": "Helm"}}, "data": {"k": "theirs"}}));
    scene.spec.objects = vec![take_over("ours")];
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!(scene.state("settings"), ObjectState::Conflict);
    assert!(scene.message().contains("/data/k"), "{}", scene.message());
    assert_eq!(scene.writes(), Vec::<String>::new());

    scene.spec.objects = vec![take_over("theirs")];
    scene.deliver().await;
    assert_eq!(scene.state("settings"), ObjectState::Ready, "{}", scene.message());
    scene.spec.objects = vec![config("settings", "theirs")];
    scene.change("settings", |manifest| manifest["data"] = json!({"new": "1"}));
    scene.deliver().await;
    let live = scene.live("v1", "ConfigMap", "settings").unwrap();
    assert_eq!(live["data"], json!({"new": "1"}), "the former manager holds nothing back");
    scene.check();
}

#[tokio::test]
async fn an_update_never_makes_a_vanished_object_again() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.arrive().await;
    scene.change("settings", |manifest| manifest["data"] = json!({"k": "2"}));
    // Between our read and our write the object vanishes, and comes back as somebody else's.
    let gate = Gate::new();
    let (door, once) = (gate.clone(), AtomicBool::new(false));
    scene.world.intercept(move |request| {
        let write = request.method == http::Method::PATCH && request.target.name == "settings";
        (write && !once.swap(true, Ordering::Relaxed)).then(|| Fault::Hold(door.clone()))
    });
    let world = scene.world.clone();
    let meddle = async {
        while !world.log().iter().any(|entry| entry.fault == "held") {
            tokio::task::yield_now().await;
        }
        let api: Api<ConfigMap> = Api::namespaced(world.client_named("somebody"), "bureau");
        api.delete("settings", &DeleteParams::default()).await.expect("a delete by hand");
        world.seed(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "bureau"},
            "data": {"k": "theirs"}}),
        );
        gate.open();
    };
    tokio::join!(scene.deliver(), meddle);
    let live = scene.live("v1", "ConfigMap", "settings").unwrap();
    assert_eq!(live["data"], json!({"k": "theirs"}));
    assert_eq!(scene.state("settings"), ObjectState::Conflict, "{}", scene.message());
}

#[tokio::test]
async fn fields_that_cannot_change_wait_for_a_person_or_make_the_object_again() {
    let mut scene = Scene::new(vec![web(1)]);
    scene.arrive().await;
    let uid = scene.deployment()["metadata"]["uid"].clone();
    let relabel = |manifest: &mut Value| {
        manifest["spec"]["selector"]["matchLabels"]["app"] = "new".into();
        manifest["spec"]["template"]["metadata"]["labels"]["app"] = "new".into();
    };
    scene.change("web", relabel);
    scene.deliver().await;
    assert_eq!((scene.reason(), scene.state("web")), ("DeliveryRefused", ObjectState::Refused));
    assert!(scene.message().contains("/spec/selector/matchLabels/app"), "{}", scene.message());
    scene.spec.objects[0].on_immutable = OnImmutable::Recreate;
    scene.arrive().await;
    assert_ne!(scene.deployment()["metadata"]["uid"], uid);
    scene.check();
}

#[tokio::test]
async fn a_job_runs_once_whatever_happens_to_it() {
    let mut scene = Scene::new(vec![job()]);
    scene.arrive().await;
    let uid = scene.live("batch/v1", "Job", "web").unwrap()["metadata"]["uid"].clone();
    scene.change("web", |manifest| {
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.cn/web:2".into();
    });
    scene.spec.objects[0].on_immutable = OnImmutable::Recreate;
    scene.deliver().await;
    let live = scene.live("batch/v1", "Job", "web").unwrap();
    assert_eq!(live["metadata"]["uid"], uid, "{}", scene.message());
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.cn/web:1");
    scene.check();
}

#[tokio::test]
async fn an_older_order_is_refused_and_an_expired_one_starts_nothing() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.arrive().await;
    let newer = scene.spec.clone();
    scene.change("settings", |manifest| manifest["data"] = json!({"k": "2"}));
    scene.arrive().await;
    scene.world.clear_log();
    scene.spec = newer;
    scene.deliver().await;
    assert_eq!(scene.reason(), "OrderSuperseded");
    scene.status = Default::default();
    scene.deliver().await;
    assert_eq!(scene.state("settings"), ObjectState::Refused, "the object itself remembers");

    scene.spec.epoch = 20;
    scene.spec.objects.push(config("more", "1"));
    scene.spec.not_after = Some(Time(scene.now));
    scene.deliver().await;
    assert_eq!((scene.reason(), scene.state("more")), ("OrderExpired", ObjectState::Waiting));
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.check();
}

#[tokio::test]
async fn a_wave_waits_until_the_one_before_is_ready() {
    let mut first = job();
    first.wave = -1;
    let mut scene = Scene::new(vec![config("settings", "1"), first]);
    scene.world.control(jiuzhou_world::Controllers::default()); // nothing runs
    scene.deliver().await;
    scene.deliver().await;
    assert_eq!(scene.state("settings"), ObjectState::Waiting);
    assert_eq!(scene.seen("settings").message.as_deref(), Some("waits for web"));
    assert_eq!(scene.live("v1", "ConfigMap", "settings"), None);
    scene.world.control(jiuzhou_world::Controllers::all(1));
    scene.world.settle();
    scene.arrive().await;
    assert!(scene.live("v1", "ConfigMap", "settings").is_some());
}

#[tokio::test]
async fn a_foreign_namespace_is_a_conflict_until_its_administrator_consents() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.world.seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bureau"}}));
    scene.deliver().await;
    let conflict = scene.status.conditions.iter().any(|c| c.type_ == "NamespaceConflict" && c.status == "True");
    assert!(conflict, "{:?}", scene.status.conditions);
    assert_eq!(scene.writes(), Vec::<String>::new());
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
    let api: Api<DynamicObject> = Api::all_with(scene.world.client_named("administrator"), &kind);
    let consent = json!({"metadata": {"labels": {"jiuzhou.dev/tenant": "bureau-tenant"}}});
    api.patch("bureau", &PatchParams::default(), &Patch::Merge(consent)).await.unwrap();
    scene.arrive().await;
    assert!(scene.status.conditions.iter().all(|condition| condition.type_ != "NamespaceConflict"));
    scene.check();
}

#[tokio::test]
async fn kinds_of_the_whole_cluster_and_unknown_kinds_are_refused() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
    let unknown = json!({"apiVersion": "x.io/v1", "kind": "Ring", "metadata": {"name": "r"}});
    let mut elsewhere = config("elsewhere", "1");
    elsewhere.manifest.as_mut().unwrap()["metadata"]["namespace"] = "kube-system".into();
    let mut scene = Scene::new(vec![object("role", role), object("ring", unknown), elsewhere]);
    scene.deliver().await;
    for name in ["role", "ring", "elsewhere"] {
        assert_eq!(scene.state(name), ObjectState::Refused, "{name}: {:?}", scene.seen(name));
    }
    assert_eq!(scene.writes(), ["create namespaces/bureau"]);
}

#[tokio::test]
async fn a_refusal_of_the_member_is_told_in_its_words_without_secrets() {
    let (password, secrets) = secret("canary-word");
    let mut scene = Scene::new(vec![password, config("settings", "1")]);
    scene.secrets = secrets;
    scene.world.intercept(|request| {
        let write = request.method == http::Method::PATCH && request.target.name == "settings";
        write.then(|| Fault::Refuse {
            code: 403,
            reason: "Forbidden",
            message: "not with password canary-word nor Y2FuYXJ5LXdvcmQ=".into(),
            retry_after: None,
        })
    });
    scene.deliver().await;
    assert_eq!(scene.state("settings"), ObjectState::Refused);
    let whole = format!("{:?}", scene.status);
    assert!(whole.contains("not with password"), "{whole}");
    assert!(!whole.contains("canary") && !whole.contains("Y2FuYXJ5"), "{whole}");
    assert_eq!(scene.live("v1", "Secret", "password").unwrap()["data"]["password"], "Y2FuYXJ5LXdvcmQ=");
}

#[tokio::test]
async fn what_somebody_made_at_the_same_moment_is_left_as_they_made_it() {
    let mut scene = Scene::new(vec![config("other", "1")]);
    scene.arrive().await;
    scene.spec.objects = vec![config("settings", "1")];
    let gate = Gate::new();
    let door = gate.clone();
    let once = AtomicBool::new(false);
    scene.world.intercept(move |request| {
        let write = request.method == http::Method::PATCH && request.target.name == "settings";
        (write && !once.swap(true, Ordering::Relaxed)).then(|| Fault::Hold(door.clone()))
    });
    let world = scene.world.clone();
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "bureau"},
        "data": {"theirs": "1"}});
    let meddle = async {
        while !world.log().iter().any(|entry| entry.fault == "held") {
            tokio::task::yield_now().await;
        }
        world.seed(theirs.clone());
        gate.open();
    };
    tokio::join!(scene.deliver(), meddle);
    assert_eq!(scene.state("settings"), ObjectState::Conflict, "{}", scene.message());
    let live = scene.live("v1", "ConfigMap", "settings").unwrap();
    assert_eq!(live["data"], json!({"theirs": "1"}));
    assert_eq!(live["metadata"].get("labels"), None, "{}", live["metadata"]);
    assert_eq!(annotation(&live, "jiuzhou.dev/owner"), "");
}

#[tokio::test]
async fn objects_are_applied_as_the_tenant_and_namespaces_as_the_hub() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.world.seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "jiuzhou-tenants"}}));
    let door = scene.world.door("hub");
    scene.member = scene.member.clone().acting_as(Arc::new(move |tenant: &str| {
        let user = http::HeaderValue::from_str(&format!("system:serviceaccount:jiuzhou-tenants:{tenant}"));
        let user = user.map_err(|error| error.to_string())?;
        let service = tower::ServiceBuilder::new()
            .map_request(move |mut request: http::Request<kube::client::Body>| {
                request.headers_mut().insert("impersonate-user", user.clone());
                request
            })
            .service(door.clone());
        Ok(kube::Client::new(service, "default"))
    }));
    scene.arrive().await;
    let users = |resource: &str| {
        let log = scene.world.log();
        let users =
            log.iter().filter(|entry| entry.wrote && entry.resource == resource).map(|entry| entry.user.clone());
        users.collect::<Vec<_>>()
    };
    assert_eq!(users("configmaps"), ["system:serviceaccount:jiuzhou-tenants:bureau-tenant"]);
    for own in ["namespaces", "serviceaccounts", "rolebindings.rbac.authorization.k8s.io"] {
        let users = users(own);
        assert_eq!(users.len(), 1, "{own}");
        assert!(!users[0].contains("tenant"), "{own}: {users:?}");
    }
    let binding = scene.live("rbac.authorization.k8s.io/v1", "RoleBinding", "jiuzhou-tenant").unwrap();
    assert_eq!(binding["subjects"][0]["name"], "bureau-tenant");
    scene.world.clear_log();
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.check();
}

#[tokio::test]
async fn a_grant_is_a_fence_that_is_written_once_and_never_below_use() {
    let amount = |text: &str| k8s_openapi::apimachinery::pkg::api::resource::Quantity(text.to_owned());
    let grant = |cpu: &str| jiuzhou_api::text::Resources([("cpu".to_owned(), amount(cpu))].into());
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.spec.quota = grant("8");
    scene.arrive().await;
    let hard = |scene: &Scene| scene.live("v1", "ResourceQuota", "jiuzhou").unwrap()["spec"]["hard"].clone();
    assert_eq!(hard(&scene), json!({"requests.cpu": "8"}));
    let range = scene.live("v1", "LimitRange", "jiuzhou").unwrap();
    assert_eq!(range["spec"]["limits"][0]["defaultRequest"]["cpu"], "0");
    scene.world.clear_log();
    scene.spec.quota = grant("8000m");
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new(), "spelled another way it is the same");
    // Without a grant the fence stays: a grant that ends takes nothing from what runs.
    scene.spec.quota = jiuzhou_api::text::Resources::default();
    scene.deliver().await;
    assert_eq!(hard(&scene), json!({"requests.cpu": "8"}));
    let used = json!({"status": {"hard": {"requests.cpu": "8"}, "used": {"requests.cpu": "6"}}});
    let client = scene.world.client_named("quota-controller");
    let quotas: Api<k8s_openapi::api::core::v1::ResourceQuota> = Api::namespaced(client, "bureau");
    quotas.patch_status("jiuzhou", &PatchParams::default(), &Patch::Merge(used)).await.unwrap();
    scene.spec.quota = grant("4");
    scene.deliver().await;
    assert_eq!(hard(&scene), json!({"requests.cpu": "6"}), "an evicted pod can come back");
    scene.check();
}

#[tokio::test]
async fn a_quota_of_our_name_that_is_not_ours_is_told_and_not_taken() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    let labels = json!({"jiuzhou.dev/tenant": "bureau-tenant"});
    scene
        .world
        .seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bureau", "labels": labels}}));
    scene.world.seed(json!({"apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "jiuzhou", "namespace": "bureau"}, "spec": {"hard": {"pods": "1"}}}));
    let amount = k8s_openapi::apimachinery::pkg::api::resource::Quantity("8".to_owned());
    scene.spec.quota = jiuzhou_api::text::Resources([("pods".to_owned(), amount)].into());
    scene.deliver().await;
    assert!(scene.message().contains("ResourceQuota jiuzhou"), "{}", scene.message());
    assert_eq!(scene.live("v1", "ResourceQuota", "jiuzhou").unwrap()["spec"]["hard"], json!({"pods": "1"}));
    assert_eq!(scene.live("v1", "ConfigMap", "settings"), None, "nothing goes into a namespace that cannot be fenced");
}
