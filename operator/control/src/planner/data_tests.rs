//! Data that stays where it was written: a workload with a claim goes nowhere, and what it left in a cluster is not run on
//! again before a person says so.

use serde_json::json;

use jiuzhou_engine::decide::WorkloadKey;

use crate::people::data;
use crate::stop::Stop;
use crate::testing::{Hub, story};

const REGISTER: (&str, &str) = ("kunming-portal", "portal");
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";

/// The workload of the first story as a StatefulSet of one with a claim, and a second cluster like its only one.
async fn register() -> Hub {
    let mut objects = story("01-first-tenant");
    let first = objects.iter().find(|object| object["kind"] == "MemberCluster").expect("a cluster").clone();
    let mut second = first;
    second["metadata"]["name"] = json!(SECOND);
    objects.push(second);
    let workload = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    let mut app = workload["spec"]["objects"][0].clone();
    app["manifest"]["kind"] = json!("StatefulSet");
    app["manifest"]["spec"]["replicas"] = json!(1);
    app["manifest"]["spec"]["serviceName"] = json!("portal");
    app["manifest"]["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": { "name": "data" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
    }]);
    workload["spec"]["objects"] = json!([app]);
    Hub::with(&objects).await
}

/// Clusters with data that was left.
fn left(hub: &Hub) -> Vec<String> {
    let placement = hub.object("FleetPlacement", REGISTER.0, REGISTER.1).expect("a placement");
    let all = placement["spec"]["left"].as_array().cloned().unwrap_or_default();
    assert!(all.iter().all(|one| one["epoch"].as_i64().is_some_and(|epoch| epoch > 0)), "each with its epoch");
    all.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn drain(hub: &Hub, cluster: &str, drains: bool) {
    hub.patch(
        "MemberCluster",
        None,
        cluster,
        "",
        &json!({ "spec": { "lifecycle": if drains { "Draining" } else { "Active" } } }),
    )
    .await;
    hub.quiet().await;
}

fn at(cluster: &str) -> Vec<(String, i64)> {
    vec![(cluster.to_owned(), 1)]
}

#[tokio::test(start_paused = true)]
async fn a_workload_stays_with_its_data_and_old_data_waits_for_a_word() {
    let hub = register().await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!((hub.placed(REGISTER), left(&hub)), (at(FIRST), vec![]));

    // What has run has data: a drain takes it nowhere.
    drain(&hub, FIRST, true).await;
    assert_eq!(hub.placed(REGISTER), at(FIRST));
    assert_eq!(hub.members.replicas(REGISTER.0, REGISTER.1), [(FIRST.to_owned(), 1)].into());

    // Its owner says that the data is in both: it goes, and what it leaves is written down.
    let both = json!({ "spec": { "data": { "mode": "Replicated", "clusters": [FIRST, SECOND] } } });
    hub.patch("FleetWorkload", Some(REGISTER.0), REGISTER.1, "", &both).await;
    hub.quiet().await;
    assert_eq!((hub.placed(REGISTER), left(&hub)), (at(SECOND), vec![FIRST.to_owned()]));

    // The way back is over older data: nobody goes there unasked, and it is told why.
    drain(&hub, FIRST, false).await;
    drain(&hub, SECOND, true).await;
    assert_eq!((hub.placed(REGISTER), left(&hub)), (at(SECOND), vec![FIRST.to_owned()]));

    let key = WorkloadKey::new(REGISTER.0, REGISTER.1);
    let client = hub.world.client_named("person");
    assert!(data::reuse(&client, &key, SECOND).await.is_err(), "nothing was left there");
    data::reuse(&client, &key, FIRST).await.expect("the word is taken");
    hub.quiet().await;
    assert_eq!((hub.placed(REGISTER), left(&hub)), (at(FIRST), vec![SECOND.to_owned()]));
    // The word was about that data: what it leaves now needs another.
    drain(&hub, SECOND, false).await;
    drain(&hub, FIRST, true).await;
    assert_eq!(hub.placed(REGISTER), at(FIRST));

    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("a restart");
    assert_eq!(hub.writes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_scaled_to_nothing_comes_back_to_its_data_without_a_word() {
    let hub = register().await;
    hub.run().await.expect("it runs");
    let scale = |replicas: i64| json!({ "spec": { "replicas": replicas } });
    hub.patch("FleetWorkload", Some(REGISTER.0), REGISTER.1, "/scale", &scale(0)).await;
    hub.run().await.expect("it runs");
    assert!(hub.placed(REGISTER).iter().all(|(_, replicas)| *replicas == 0), "{:?}", hub.placed(REGISTER));
    assert_eq!(left(&hub), [FIRST.to_owned()]);
    hub.patch("FleetWorkload", Some(REGISTER.0), REGISTER.1, "/scale", &scale(1)).await;
    hub.run().await.expect("it runs");
    assert_eq!((hub.placed(REGISTER), left(&hub)), (at(FIRST), vec![]));
}
