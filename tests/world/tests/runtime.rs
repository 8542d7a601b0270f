//! What production code uses of kube's runtime works on the world: watchers of every kind, finalizers, events, discovery,
//! and the faults a campaign puts in their way.

use futures::{StreamExt, TryStreamExt};
use jiuzhou_api::v1alpha1::Tenant;
use jiuzhou_world::{Clock, Fault, WatchFault, World};
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use k8s_openapi::api::events::v1::Event as RecordedEvent;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PartialObjectMeta, Patch, PatchParams, PostParams};
use kube::discovery::Discovery;
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Event as FinalizerEvent, finalizer};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"k": "1"}})).expect("a ConfigMap")
}

async fn until_ready<K>(
    stream: &mut (impl futures::Stream<Item = watcher::Result<watcher::Event<K>>> + Unpin),
) -> usize {
    let mut seen = 0;
    loop {
        match stream.next().await.expect("a watcher never ends").expect("the list is taken") {
            watcher::Event::InitApply(_) => seen += 1,
            watcher::Event::InitDone => return seen,
            _ => {}
        }
    }
}

#[tokio::test]
async fn streaming_lists_and_metadata_watchers_begin_with_what_is_there() {
    let world = World::new("w", Clock::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let mut stream = watcher(maps.clone(), watcher::Config::default().streaming_lists()).boxed();
    assert_eq!(until_ready(&mut stream).await, 1);
    let metadata: Api<PartialObjectMeta<ConfigMap>> = Api::default_namespaced(world.client());
    let mut stream = watcher(metadata, watcher::Config::default()).boxed();
    assert_eq!(until_ready(&mut stream).await, 1);
    assert_eq!(world.refused(), []);
}

#[tokio::test]
async fn pages_are_followed_to_the_end_and_expire_at_the_compaction() {
    let world = World::new("w", Clock::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    for i in 0..5 {
        maps.create(&PostParams::default(), &config_map(&format!("m{i}"))).await.unwrap();
    }
    let mut stream = watcher(maps.clone(), watcher::Config::default().page_size(2)).boxed();
    assert_eq!(until_ready(&mut stream).await, 5);
    let first = maps.list(&ListParams::default().limit(2)).await.unwrap();
    maps.create(&PostParams::default(), &config_map("late")).await.unwrap();
    world.compact();
    let token = first.metadata.continue_.unwrap();
    let gone = maps.list(&ListParams::default().limit(2).continue_token(&token)).await.unwrap_err();
    assert!(matches!(gone, kube::Error::Api(status) if status.code == 410));
}

#[tokio::test]
async fn a_finalizer_holds_its_object_until_the_clean_up_is_done() {
    let world = World::new("w", Clock::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let reconcile = async |cleaned: bool| {
        let object = std::sync::Arc::new(maps.get("a").await.unwrap());
        finalizer(&maps, "test.dev/clean", object, async |event| match event {
            FinalizerEvent::Apply(_) => Ok(Action::await_change()),
            FinalizerEvent::Cleanup(_) if cleaned => Ok(Action::await_change()),
            FinalizerEvent::Cleanup(_) => Err(std::io::Error::other("not yet")),
        })
        .await
    };
    reconcile(false).await.unwrap();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(reconcile(false).await.is_err());
    assert!(maps.get_opt("a").await.unwrap().is_some());
    reconcile(true).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_recorder_writes_events() {
    let world = World::new("w", Clock::default());
    let reporter = Reporter { controller: "jiuzhou.dev/test".to_owned(), instance: None };
    let recorder = Recorder::new(world.client(), reporter);
    let about =
        ObjectReference { namespace: Some("default".to_owned()), name: Some("a".to_owned()), ..Default::default() };
    let event = Event {
        type_: EventType::Normal,
        reason: "Placed".to_owned(),
        note: None,
        action: "Place".to_owned(),
        secondary: None,
    };
    recorder.publish(&event, &about).await.unwrap();
    recorder.publish(&event, &about).await.unwrap();
    let events: Api<RecordedEvent> = Api::default_namespaced(world.client());
    let list = events.list(&ListParams::default()).await.unwrap().items;
    assert_eq!(list.len(), 1, "the second is counted in a series");
    assert_eq!(list[0].series.as_ref().map(|series| series.count), Some(2));
}

#[tokio::test]
async fn discovery_finds_our_kinds_and_those_of_members() {
    let world = World::hub("hub", Clock::default());
    let discovery = Discovery::new(world.client()).run_aggregated().await.unwrap();
    assert!(discovery.has_group("jiuzhou.dev") && discovery.has_group("apps"));
    let discovery = Discovery::new(World::new("member", Clock::default()).client()).run().await.unwrap();
    assert!(!discovery.has_group("jiuzhou.dev") && discovery.has_group("apps"));
}

#[tokio::test]
async fn a_definition_that_goes_takes_its_objects_and_its_kind_with_it() {
    let world = World::hub("hub", Clock::default());
    let tenants: Api<Tenant> = Api::all(world.client());
    let tenant = json!({"apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "t"},
        "spec": {"displayName": "x", "level": "City", "region": "530100"}});
    tenants.patch("t", &PatchParams::apply("test"), &Patch::Apply(tenant)).await.unwrap();
    let kind = kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = kube::core::ApiResource::from_gvk(&kind);
    let definitions: Api<DynamicObject> = Api::all_with(world.client(), &resource);
    definitions.delete("tenants.jiuzhou.dev", &DeleteParams::default()).await.unwrap();
    world.settle();
    assert!(matches!(tenants.get("t").await, Err(kube::Error::Api(status)) if status.code == 404));
    assert!(world.object("jiuzhou.dev/v1alpha1", "Tenant", "", "t").is_none());
}

#[tokio::test]
async fn a_swapped_cluster_answers_at_the_same_address_as_another() {
    let (old, new) = (World::new("old", Clock::default()), World::new("new", Clock::default()));
    let door = old.door("operator");
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(door.client());
    let before = namespaces.get("kube-system").await.unwrap().metadata.uid;
    door.turn_to(&new);
    let after = namespaces.get("kube-system").await.unwrap().metadata.uid;
    assert_ne!(before, after);
    assert_eq!((old.log().len(), new.log().len()), (1, 1));
}

#[tokio::test]
async fn a_watch_of_a_server_that_fell_behind_shows_nothing_new() {
    let world = World::new("w", Clock::default());
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let then = world.revision();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    let number = world.intercept(move |request| request.reads().then_some(Fault::Stale(then)));
    let mut stream = watcher(maps.clone(), watcher::Config::default()).boxed();
    assert_eq!(until_ready(&mut stream).await, 1, "the deleted object is still there");
    assert!(futures::poll!(stream.next()).is_pending());
    world.release(number);
    world.fault_watches(|_| true, Some(WatchFault::Cut));
    let event = stream.next().await.unwrap().unwrap();
    assert!(matches!(event, watcher::Event::Delete(_)));
}

#[tokio::test]
async fn a_stalled_watch_catches_up_and_a_deaf_one_does_not() {
    for (fault, expected) in [(WatchFault::Stall, vec!["a", "b"]), (WatchFault::BookmarksOnly, vec!["b"])] {
        let world = World::new("w", Clock::default());
        let maps: Api<ConfigMap> = Api::default_namespaced(world.client());
        let stream = watcher(maps.clone(), watcher::Config::default()).default_backoff();
        let mut stream = stream.applied_objects().map_ok(|map| map.metadata.name.unwrap_or_default()).boxed();
        assert!(futures::poll!(stream.next()).is_pending());
        while world.watches().is_empty() {
            tokio::task::yield_now().await;
            assert!(futures::poll!(stream.next()).is_pending());
        }
        world.fault_watches(|_| true, Some(fault));
        maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
        for _ in 0..10 {
            assert!(futures::poll!(stream.next()).is_pending());
            tokio::task::yield_now().await;
        }
        world.fault_watches(|_| true, None);
        maps.create(&PostParams::default(), &config_map("b")).await.unwrap();
        for name in expected {
            assert_eq!(stream.next().await.unwrap().unwrap(), name, "{fault:?}");
        }
    }
}
