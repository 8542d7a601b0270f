//! Watches that tell which workload to look at, whatever happens to their connection.

use std::time::Duration;

use jiuzhou_api::v1alpha1::DeliveredObject;
use jiuzhou_member::watch::{Notice, Watches};
use jiuzhou_world::WatchFault;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use crate::scene::{Scene, object};

/// The next notice that something changed; `None` when nothing is said for a while.
async fn changed(notices: &mut Receiver<Notice>) -> Option<String> {
    let next = async {
        loop {
            match notices.recv().await? {
                Notice::Changed(workload) => return Some(format!("{}/{}", workload.namespace, workload.name)),
                Notice::Complete { .. } | Notice::Broken { .. } => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), next).await.unwrap_or_default()
}

/// A kind whose objects our own account may list.
fn service(name: &str) -> DeliveredObject {
    let spec = json!({"ports": [{"port": 80}], "selector": {"app": name}});
    object(name, json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}))
}

async fn watched(scene: &Scene) -> (Watches, Receiver<Notice>) {
    let (mut watches, notices) = Watches::new(scene.member.clone());
    let client = scene.world.client_named("hub");
    let served = scene.member.kinds().find(&client, "v1", "Service").await.expect("an answer").expect("a kind");
    watches.ensure(&served);
    watches.ensure(&served);
    assert_eq!(watches.len(), 1, "one watch for a kind");
    (watches, notices)
}

#[tokio::test(start_paused = true)]
async fn what_comes_changes_or_goes_is_told_by_workload() {
    let mut scene = Scene::new(vec![service("settings")]);
    let (_watches, mut notices) = watched(&scene).await;
    assert_eq!(changed(&mut notices).await, None, "foreign objects are not watched");
    scene.deliver().await;
    assert_eq!(changed(&mut notices).await.as_deref(), Some("bureau/web"));
    let api: Api<Service> = Api::namespaced(scene.world.client_named("somebody"), "bureau");
    api.delete("settings", &DeleteParams::default()).await.unwrap();
    assert_eq!(changed(&mut notices).await.as_deref(), Some("bureau/web"));
    scene.check();
}

#[tokio::test(start_paused = true)]
async fn a_delete_while_the_watch_was_down_is_told_after_the_next_complete_list() {
    let mut scene = Scene::new(vec![service("settings")]);
    scene.deliver().await;
    let (_watches, mut notices) = watched(&scene).await;
    assert_eq!(changed(&mut notices).await.as_deref(), Some("bureau/web"));
    let api: Api<Service> = Api::namespaced(scene.world.client_named("somebody"), "bureau");
    scene.world.fault_watches(|_| true, Some(WatchFault::Stall));
    api.delete("settings", &DeleteParams::default()).await.unwrap();
    scene.world.compact();
    scene.world.fault_watches(|_| true, Some(WatchFault::Expire));
    assert_eq!(changed(&mut notices).await.as_deref(), Some("bureau/web"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_says_nothing_about_objects() {
    let mut scene = Scene::new(vec![service("settings")]);
    scene.deliver().await;
    let (_watches, mut notices) = watched(&scene).await;
    assert_eq!(changed(&mut notices).await.as_deref(), Some("bureau/web"));
    scene.world.intercept(|request| (request.target.plural == "services").then(|| jiuzhou_world::Fault::code(503)));
    scene.world.compact();
    scene.world.fault_watches(|_| true, Some(WatchFault::Expire));
    assert_eq!(changed(&mut notices).await, None);
    scene.world.heal();
    assert_eq!(changed(&mut notices).await, None, "nothing changed all the while");
}
