//! The world under a kube client, as production code meets it: typed calls, watches, runtime helpers, faults.

use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use jiuzhou_world::{Clock, Controllers, Fault, Gate, WatchFault, World};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchParams};
use kube::core::WatchEvent;
use kube::runtime::watcher;
use serde_json::{Value, json};

fn world() -> World {
    World::hub("hub", Clock::default())
}

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"key": value}})).expect("a ConfigMap")
}

fn deployment(image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}}})
}

#[tokio::test]
async fn objects_are_made_read_listed_changed_and_deleted() {
    let world = world();
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    let made = maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
    let again = maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap_err();
    assert!(matches!(again, kube::Error::Api(status) if status.is_already_exists()));

    let mut changed = made.clone();
    changed.data.as_mut().unwrap().insert("key".to_owned(), "2".to_owned());
    maps.replace("a", &PostParams::default(), &changed).await.unwrap();
    let stale = maps.replace("a", &PostParams::default(), &changed).await.unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.is_conflict()));

    maps.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    let names: Vec<String> =
        maps.list(&ListParams::default()).await.unwrap().into_iter().filter_map(|m| m.metadata.name).collect();
    assert_eq!(names, ["a", "b"]);

    let wrong = Preconditions { uid: Some("another".to_owned()), ..Preconditions::default() };
    let refused = maps.delete("a", &DeleteParams::default().preconditions(wrong)).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.is_conflict()));
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
    assert_eq!(world.refused(), []);
}

#[tokio::test]
async fn a_watch_tells_every_change_and_ends_at_its_limit() {
    let world = world();
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    let from = maps.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let stream = maps.watch(&WatchParams::default().timeout(10), &from).await.unwrap();
    maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"key": "2"}}))).await.unwrap();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    world.clock().advance(SignedDuration::from_secs(10));
    let events: Vec<&str> = stream
        .map_ok(|event| match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => "bookmark",
            WatchEvent::Error(_) => "error",
        })
        .try_collect()
        .await
        .unwrap();
    assert_eq!(events, ["added", "modified", "deleted", "bookmark"]);
}

#[tokio::test]
async fn a_watcher_survives_410_and_sees_what_it_missed() {
    let world = world();
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    let mut stream = watcher(maps.clone(), watcher::Config::default()).boxed();
    while !matches!(stream.next().await.unwrap().unwrap(), watcher::Event::InitDone) {}
    maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let event = stream.next().await.unwrap().unwrap();
    assert!(matches!(event, watcher::Event::Apply(_)));

    assert_eq!(world.fault_watches(|request| request.target.plural == "configmaps", Some(WatchFault::Expire)), 1);
    assert!(stream.next().await.unwrap().is_err());
    maps.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    let mut seen = Vec::new();
    loop {
        match stream.next().await.unwrap() {
            Ok(watcher::Event::InitApply(object)) => seen.push(object.metadata.name.unwrap()),
            Ok(watcher::Event::InitDone) => break,
            _ => {}
        }
    }
    assert_eq!(seen, ["a", "b"]);
}

#[tokio::test]
async fn an_apply_owns_its_fields_and_meets_conflicts() {
    let world = world();
    let deployments: Api<Deployment> = Api::default_namespaced(world.client());
    let first = PatchParams::apply("one");
    let made = deployments.patch("web", &first, &Patch::Apply(deployment("a:1"))).await.unwrap();
    assert_eq!(made.metadata.generation, Some(1));
    assert_eq!(made.spec.as_ref().unwrap().revision_history_limit, Some(10));

    let other = PatchParams::apply("two");
    let conflict = deployments.patch("web", &other, &Patch::Apply(deployment("a:2"))).await.unwrap_err();
    let kube::Error::Api(status) = conflict else { panic!("a status was expected") };
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(
        status.message.contains("conflict with \"one\": .spec.template.spec.containers[name=\"web\"].image"),
        "{}",
        status.message
    );

    let forced = deployments.patch("web", &other.clone().force(), &Patch::Apply(deployment("a:2"))).await.unwrap();
    assert_eq!(forced.metadata.generation, Some(2));
    let before = world.revision();
    deployments.patch("web", &other.force(), &Patch::Apply(deployment("a:2"))).await.unwrap();
    assert_eq!(world.revision(), before, "an apply that changes nothing writes nothing");
}

#[tokio::test]
async fn the_rules_of_our_kinds_are_enforced() {
    let world = world();
    let bad = json!({"apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "t"}, "spec": {}});
    let kind = kube::core::GroupVersionKind::gvk("jiuzhou.dev", "v1alpha1", "Tenant");
    let (resource, capabilities) = kube::discovery::pinned_kind(&world.client(), &kind).await.unwrap();
    assert_eq!(capabilities.scope, kube::discovery::Scope::Cluster);
    let tenants: Api<kube::core::DynamicObject> = Api::all_with(world.client(), &resource);
    let refused = tenants.create(&PostParams::default(), &serde_json::from_value(bad).unwrap()).await.unwrap_err();
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 422), "{refused}");
}

#[tokio::test]
async fn a_namespace_takes_its_contents_with_it_and_finalizers_hold_it() {
    let world = world();
    let namespaces: Api<Namespace> = Api::all(world.client());
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": "n"}})).unwrap();
    namespaces.create(&PostParams::default(), &namespace).await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(world.client(), "n");
    let mut held = config_map("held", "1");
    held.metadata.finalizers = Some(vec!["test.dev/hold".to_owned()]);
    maps.create(&PostParams::default(), &held).await.unwrap();
    maps.create(&PostParams::default(), &config_map("free", "1")).await.unwrap();
    namespaces.delete("n", &DeleteParams::default()).await.unwrap();
    world.settle();
    let refused = maps.create(&PostParams::default(), &config_map("late", "1")).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.is_forbidden()));
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 1);
    maps.patch("held", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"finalizers": null}})))
        .await
        .unwrap();
    world.settle();
    assert!(namespaces.get_opt("n").await.unwrap().is_none());
}

#[tokio::test]
async fn workloads_become_ready_with_pods_and_lose_them_when_deleted() {
    let world = world();
    world.control(Controllers::all(2));
    let deployments: Api<Deployment> = Api::default_namespaced(world.client());
    deployments.patch("web", &PatchParams::apply("one"), &Patch::Apply(deployment("a:1"))).await.unwrap();
    world.settle();
    let status = deployments.get("web").await.unwrap().status.unwrap();
    assert_eq!((status.ready_replicas, status.observed_generation), (Some(2), Some(1)));
    let pods: Api<Pod> = Api::default_namespaced(world.client());
    assert_eq!(pods.list(&ListParams::default().labels("app=web")).await.unwrap().items.len(), 2);
    deployments.delete("web", &DeleteParams::background()).await.unwrap();
    world.settle();
    assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 2, "pods have their grace");
    world.clock().advance(SignedDuration::from_secs(31));
    world.settle();
    assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn faults_hit_the_request_they_are_meant_for_and_are_logged() {
    let world = world();
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client_named("operator"));
    let mut writes = 0;
    world.intercept(move |request| {
        writes += u32::from(!request.reads());
        (writes == 1 && !request.reads()).then_some(Fault::LoseAnswer)
    });
    assert!(maps.create(&PostParams::default(), &config_map("a", "1")).await.is_err());
    let again = maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap_err();
    assert!(matches!(again, kube::Error::Api(status) if status.is_already_exists()), "the first was committed");
    world.heal();

    let gate = Gate::new();
    let held = gate.clone();
    world.intercept(move |request| (request.verb() == "delete").then(|| Fault::Hold(held.clone())));
    let parameters = DeleteParams::default();
    let mut delete = Box::pin(maps.delete("a", &parameters));
    assert!(futures::poll!(&mut delete).is_pending());
    tokio::task::yield_now().await;
    assert!(maps.get_opt("a").await.unwrap().is_some(), "a held delete has not happened");
    gate.open();
    delete.await.unwrap();
    world.heal();

    maps.create(&PostParams::default(), &config_map("b", "1")).await.unwrap();
    world.intercept(|request| (request.verb() == "list").then(Fault::empty_list));
    assert!(maps.list(&ListParams::default()).await.unwrap().items.is_empty());
    let faults: Vec<String> =
        world.log().into_iter().map(|entry| entry.fault).filter(|fault| !fault.is_empty()).collect();
    assert_eq!(faults, ["answer lost", "held", "rewritten"]);
    assert!(world.log().iter().all(|entry| entry.client == "operator"));
}

#[tokio::test]
async fn a_stale_server_shows_the_past_and_a_restored_one_forgets() {
    let world = world();
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    let then = world.revision();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    world.intercept(move |_| Some(Fault::Stale(then)));
    assert!(maps.get_opt("a").await.unwrap().is_some());
    world.heal();
    assert!(maps.get_opt("a").await.unwrap().is_none());
    world.roll_back(then);
    assert!(maps.get_opt("a").await.unwrap().is_some());
}

#[tokio::test]
async fn the_same_test_gives_the_same_world() {
    let run = || async {
        let world = world();
        let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
        let mut map = config_map("", "1");
        map.metadata.generate_name = Some("x-".to_owned());
        maps.create(&PostParams::default(), &map).await.unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
        let lines: Vec<String> = world.log().iter().map(jiuzhou_world::Entry::line).collect();
        (world.digest(), lines)
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn what_the_world_does_not_do_is_refused_loudly() {
    let world = world();
    let request = http::Request::get("/openapi/v2").body(Vec::new()).unwrap();
    assert!(world.client().request_text(request).await.is_err());
    assert_eq!(world.refused().len(), 1);
}
