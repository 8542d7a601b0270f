//! A member that answers nonsense: whatever its answers say, nothing is removed, and when it is itself again everything
//! is as it was.
//!
//! Its true answers are changed at random: a value becomes another, a field goes, an element comes twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::Method;
use jiuzhou_api::v1alpha1::DeliveredObject;
use jiuzhou_engine::detect::Catalogue;
use jiuzhou_member::inventory;
use jiuzhou_world::odd::Change;
use jiuzhou_world::{Fault, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Scene, config, job, object, web};

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = any::<(u64, u64)>().prop_map(|(place, what)| Change { place, what });
    prop::collection::vec(one, 1..24)
}

/// Changes the answers to these requests, each by the next change.
fn lie(scene: &Scene, changes: Vec<Change>, about: fn(&Request) -> bool) {
    let turns = Arc::new(Mutex::new(changes.into_iter().cycle()));
    scene.world.intercept(move |request| {
        let turns = Arc::clone(&turns);
        let rewrite = move |answer| match turns.lock().expect("a lock").next() {
            Some(change) => change.of(answer),
            None => answer,
        };
        about(request).then(|| Fault::Rewrite(Arc::new(rewrite)))
    });
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(story)
}

/// A Job beside the rest.
fn migrate() -> DeliveredObject {
    let mut manifest = job().manifest.expect("a manifest");
    manifest["metadata"]["name"] = "migrate".into();
    object("migrate", manifest)
}

fn node(name: &str) -> Value {
    let resources = json!({ "cpu": "8", "memory": "32Gi", "pods": "110" });
    json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": { "kubernetes.io/arch": "arm64", "disk": "ssd" } },
        "status": { "capacity": resources, "allocatable": resources, "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "architecture": "arm64", "kernelVersion": "5.10.0", "osImage": "openEuler 22.03",
                "containerRuntimeVersion": "containerd://1.7.27" } } })
}

/// What is in the member, but for what every write changes.
fn there(scene: &Scene) -> Vec<(String, Option<i64>)> {
    let kinds = [("apps/v1", "Deployment", "web"), ("v1", "ConfigMap", "settings"), ("batch/v1", "Job", "migrate")];
    let mut found = Vec::new();
    for (api_version, kind, name) in kinds {
        let live = scene.live(api_version, kind, name);
        let live = live.unwrap_or_else(|| panic!("{kind} {name} is gone"));
        found.push((live["metadata"]["uid"].to_string(), live["spec"]["replicas"].as_i64()));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// While a member answers nonsense, nothing is deleted or made again; afterwards everything is as it was.
    #[test]
    fn whatever_a_member_answers_nothing_is_removed(changes in changes(), reads in any::<bool>()) {
        run(async {
            let mut scene = Scene::new(vec![web(2), config("settings", "1"), migrate()]);
            scene.arrive().await;
            let (before, seen) = (there(&scene), scene.identities());
            scene.world.clear_log();
            lie(&scene, changes, if reads { |request| request.method == Method::GET } else { |_| true });
            for _ in 0..6 {
                scene.deliver().await;
                scene.rest();
                let deleted: Vec<_> = scene.writes().into_iter().filter(|write| write.starts_with("delete")).collect();
                assert_eq!((deleted, there(&scene)), (vec![], before.clone()));
            }
            scene.world.heal();
            scene.arrive().await;
            assert_eq!((there(&scene), scene.identities()), (before, seen));
        });
    }

    /// What an order removes goes, and what is not in it stays, whatever the member says of either.
    #[test]
    fn whatever_a_member_answers_nothing_but_what_is_ordered_is_removed(changes in changes()) {
        run(async {
            let mut scene = Scene::new(vec![web(2), config("settings", "1"), migrate(), config("goes", "1")]);
            scene.arrive().await;
            let before = there(&scene);
            scene.spec.objects.retain(|object| *object.name != *"goes");
            scene.spec.removing = scene.identities().into_iter().filter(|one| *one.name == *"goes").collect();
            scene.spec.epoch += 1;
            lie(&scene, changes, |request| request.method == Method::GET);
            for _ in 0..6 {
                scene.deliver().await;
                scene.rest();
                let deletes = |write: &String| write.starts_with("delete") && !write.ends_with("/goes");
                let deleted: Vec<_> = scene.writes().into_iter().filter(deletes).collect();
                assert_eq!((deleted, there(&scene)), (vec![], before.clone()));
            }
            scene.world.heal();
            scene.arrive().await;
            assert_eq!((there(&scene), scene.live("v1", "ConfigMap", "goes")), (before, None));
        });
    }

    /// An inventory of nonsense is an error or a guess, and the next one is right.
    #[test]
    fn whatever_a_member_answers_the_next_inventory_is_right(changes in changes()) {
        run(async {
            let scene = Scene::new(vec![]);
            for name in ["a", "b", "c"] {
                scene.world.seed(node(name));
            }
            let client = scene.world.client_named("hub");
            let catalogue = Catalogue::default();
            let look = || inventory::observe(&client, &catalogue, &["disk"]);
            let before = look().await.unwrap();
            lie(&scene, changes, |_| true);
            for _ in 0..4 {
                drop(look().await);
            }
            scene.world.heal();
            assert_eq!(look().await.unwrap(), before);
        });
    }
}

#[test]
fn the_nonsense_is_of_many_kinds() {
    let mut told = BTreeSet::new();
    for seed in 0..40_u64 {
        let number =
            |n: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::try_from(7 * n % 64).unwrap()) ^ n;
        let changes: Vec<_> = (0..8).map(|n| Change { place: number(n), what: number(n + 8) }).collect();
        run(async {
            let mut scene = Scene::new(vec![web(2), config("settings", "1")]);
            scene.arrive().await;
            lie(&scene, changes, |_| true);
            for _ in 0..4 {
                scene.deliver().await;
                told.insert(scene.reason().to_owned());
                scene.rest();
            }
        });
    }
    assert!(told.len() >= 4, "{told:?}");
}
