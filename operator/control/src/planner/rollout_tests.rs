//! Rollouts, revisions and waiting for others on a hub in memory: what reaches which cluster, and what is told of it.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::{Value, json};

use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const CLUSTERS: [&str; 3] = ["kunming-gov-1", "kunming-gov-2", "kunming-gov-3"];

fn cluster_like(objects: &[Value], name: &str) -> Value {
    let mut cluster = objects.iter().find(|object| object["kind"] == "MemberCluster").cloned().expect("a cluster");
    cluster["metadata"]["name"] = name.into();
    cluster
}

/// The first story on three equal clusters, each with a whole copy: the first cluster, the second, the rest.
async fn fleet(rollout: Value) -> Hub {
    let mut objects = story("01-first-tenant");
    let more: Vec<Value> = CLUSTERS[1..].iter().map(|name| cluster_like(&objects, name)).collect();
    objects.extend(more);
    let workload = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    let spec = workload["spec"].as_object_mut().expect("a spec");
    spec.remove("placementPolicy");
    spec.insert("placement".into(), json!({ "replicas": { "mode": "Duplicated" } }));
    spec.insert("rollout".into(), rollout);
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!(ports(&hub), [80, 80, 80], "three clusters have it");
    hub
}

/// Two stages by name, and the rest.
fn stages() -> Value {
    json!([
        { "name": "first", "clusters": { "names": [CLUSTERS[0]] } },
        { "name": "second", "clusters": { "names": [CLUSTERS[1]] } },
    ])
}

fn workload(hub: &Hub) -> Value {
    hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload")
}

fn placement(hub: &Hub) -> Value {
    hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement")
}

/// Changes the content: the port of the Service tells the version.
async fn change(hub: &Hub, port: i64) {
    let mut objects = workload(hub)["spec"]["objects"].clone();
    let all = objects.as_array_mut().expect("objects");
    let service = all.iter_mut().find(|object| object["manifest"]["kind"] == "Service").expect("a Service");
    service["manifest"]["spec"]["ports"] = json!([{ "port": port, "targetPort": 8080 }]);
    patch(hub, json!({ "objects": objects })).await;
}

async fn patch(hub: &Hub, spec: Value) {
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": spec })).await;
}

/// What each cluster was ordered to have, by cluster.
fn ports(hub: &Hub) -> Vec<i64> {
    let there = hub.members.there.lock().expect("a lock");
    let by_cluster: BTreeMap<&String, i64> = there
        .iter()
        .filter_map(|((_, cluster), order)| {
            let manifests = order.delivery.objects.iter().filter_map(|object| object.manifest.as_ref());
            let port = manifests.filter_map(|manifest| manifest.pointer("/spec/ports/0/port")?.as_i64()).next()?;
            Some((cluster, port))
        })
        .collect();
    by_cluster.into_values().collect()
}

/// In the second cluster this version fails.
fn fails_in_second(hub: &Hub, port: i64) {
    hub.members.judge(move |delivery, object| {
        let manifests = delivery.objects.iter().filter_map(|object| object.manifest.as_ref());
        let bad = manifests.filter_map(|manifest| manifest.pointer("/spec/ports/0/port")).any(|seen| *seen == port);
        let deployment = object.manifest.as_ref().is_some_and(|manifest| manifest["kind"] == "Deployment");
        (bad && deployment && *delivery.cluster == *CLUSTERS[1]).then_some(ObjectState::Failed)
    });
}

fn revisions(hub: &Hub) -> Vec<i64> {
    let mut all: Vec<i64> = hub
        .world
        .objects("apps/v1", "ControllerRevision")
        .iter()
        .filter_map(|object| object["revision"].as_i64())
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_in_the_second_stage_never_reaches_the_third_and_goes_back() {
    let hub = fleet(json!({ "stages": stages() })).await;
    fails_in_second(&hub, 81);
    change(&hub, 81).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 80]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "RolloutFailed".to_owned()));
    let status = workload(&hub)["status"].clone();
    assert!(status["messageEn"].as_str().is_some_and(|text| text.contains("second") && text.contains(CLUSTERS[1])));
    assert!(status["messageZh"].as_str().is_some_and(|text| text.contains("发布已停止")));
    assert_eq!(
        (&status["revision"], &status["stage"], &status["updatedClusters"]),
        (&json!(2), &json!("second"), &json!(1))
    );
    assert!(status["conditions"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "Stalled")));
    assert_eq!(placement(&hub)["status"]["revision"], 1);
    assert_eq!(revisions(&hub), [1, 2]);

    // After a restart it is where it was, and nothing is written.
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(ports(&hub), [81, 81, 80]);
    assert_eq!(hub.writes().len(), 0, "{:?}", hub.writes());

    // Another number of replicas reaches every cluster, each with the content it has.
    patch(&hub, json!({ "replicas": 3 })).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 80]);
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1).into_values().collect::<Vec<_>>(), [3, 3, 3]);

    // Back to what ran before: nobody has to wait for anything but health.
    change(&hub, 80).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [80, 80, 80]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!((&placement(&hub)["status"]["revision"], &placement(&hub)["spec"]["revision"]), (&json!(3), &json!(3)));
    assert!(placement(&hub)["status"]["rollout"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_well_everywhere_reaches_everybody() {
    let hub = fleet(json!({ "stages": stages() })).await;
    change(&hub, 81).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 81]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!(workload(&hub)["status"]["updatedClusters"], 3);
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.writes().len(), 0, "{:?}", hub.writes());
}

#[tokio::test(start_paused = true)]
async fn an_approval_holds_for_one_change_and_one_stage() {
    let mut stages = stages();
    stages[0]["approval"] = true.into();
    let hub = fleet(json!({ "stages": stages })).await;
    change(&hub, 81).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 80, 80]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "WaitingForApproval".to_owned()));
    let digest = placement(&hub)["spec"]["inputs"]["content"].clone();
    let message = workload(&hub)["status"]["messageEn"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(digest.as_str().unwrap_or("?")), "{message}");
    let approve = |change: &Value| json!({ "rollout": { "approvals": [{ "stage": "first", "change": change, "approvedBy": "周处长" }] } });
    let other = format!("sha256:{}", "0".repeat(64));
    patch(&hub, approve(&json!(other))).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 80, 80], "an approval of another change is none");
    patch(&hub, approve(&digest)).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 81]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted");
    // The next change waits for its own.
    change(&hub, 82).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [82, 81, 81]);
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_goes_nowhere_until_it_is_resumed() {
    let hub = fleet(json!({ "stages": stages(), "paused": true })).await;
    change(&hub, 81).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [80, 80, 80]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "RolloutPaused".to_owned()));
    patch(&hub, json!({ "rollout": { "paused": false } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 81]);
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_gets_the_revision_of_its_stage() {
    let hub = fleet(json!({ "stages": stages() })).await;
    fails_in_second(&hub, 81);
    change(&hub, 81).await;
    hub.run().await.expect("it runs");
    hub.create(&cluster_like(&story("01-first-tenant"), "kunming-gov-4")).await;
    patch(&hub, json!({ "replicas": 3 })).await;
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [81, 81, 80, 80]);
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_puts_in_is_a_revision_of_its_own_and_passes_the_stages() {
    let hub = fleet(json!({ "stages": stages() })).await;
    let before = placement(&hub)["spec"].clone();
    let rewrite = json!({ "spec": { "registries": [{ "from": "registry.gov.example", "to": "mirror.gov.example" }] } });
    hub.members.slow.lock().expect("a lock").push(CLUSTERS[0].to_owned());
    hub.members.tell();
    for cluster in [CLUSTERS[0], CLUSTERS[2]] {
        hub.patch("MemberCluster", None, cluster, "", &rewrite).await;
    }
    hub.run().await.expect("it runs");
    let after = placement(&hub)["spec"].clone();
    assert_eq!((&before["revision"], &after["revision"]), (&json!(1), &json!(2)));
    assert!(after["epoch"].as_i64() > before["epoch"].as_i64());
    assert_eq!(after["inputs"]["content"], before["inputs"]["content"], "the workload says the same");
    let rewritten = |hub: &Hub| -> Vec<bool> {
        let there = hub.members.there.lock().expect("a lock");
        there.values().map(|order| json!(order.delivery.objects).to_string().contains("mirror.gov.example")).collect()
    };
    assert_eq!(rewritten(&hub), [true, false, false], "the first stage is not well yet");
    hub.members.slow.lock().expect("a lock").clear();
    hub.members.tell();
    hub.run().await.expect("it runs");
    assert_eq!(rewritten(&hub), [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn ten_revisions_are_kept_and_going_back_far_works() {
    let hub = fleet(json!({})).await;
    for port in 81..93 {
        change(&hub, port).await;
        hub.run().await.expect("it runs");
    }
    assert_eq!(ports(&hub), [92, 92, 92], "without stages a change reaches all at once");
    assert_eq!(revisions(&hub), (4..=13).collect::<Vec<i64>>());
    let client = hub.world.client_named("person");
    let key = jiuzhou_engine::decide::WorkloadKey::new(PORTAL.0, PORTAL.1);
    let gone = crate::revision::order::back(&client, &key, Some(2)).await;
    assert!(gone.is_err_and(|error| error.to_string().contains("no revision 2")));
    assert_eq!(crate::revision::order::back(&client, &key, Some(5)).await.expect("it is kept"), 5);
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [84, 84, 84]);
    let history = crate::revision::order::history(&client, &key).await.expect("a history");
    let last = history.last().expect("a revision");
    assert_eq!((last.revision, last.cause.as_str()), (14, "back to revision 5"));
    assert_eq!(crate::revision::order::back(&client, &key, None).await.expect("the one before"), 13);
    hub.run().await.expect("it runs");
    assert_eq!(ports(&hub), [92, 92, 92]);
    // With the workload its revisions go.
    hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
    hub.run().await.expect("it runs");
    assert_eq!(revisions(&hub), Vec::<i64>::new());
}

#[tokio::test(start_paused = true)]
async fn data_of_a_secret_is_in_no_revision_and_survives_a_way_back() {
    let hub = fleet(json!({ "stages": stages() })).await;
    let secret = |data: &str| {
        json!({ "name": "password", "manifest": { "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "password" }, "stringData": { "password": data } } })
    };
    let mut objects = workload(&hub)["spec"]["objects"].clone();
    objects.as_array_mut().expect("objects").push(secret("first-word"));
    patch(&hub, json!({ "objects": objects })).await;
    hub.run().await.expect("it runs");
    let at = objects.as_array().expect("objects").len() - 1;
    objects[at] = secret("second-word");
    patch(&hub, json!({ "objects": objects })).await;
    hub.run().await.expect("it runs");
    assert_eq!(revisions(&hub), [1, 2, 3], "another password is another revision");
    let stored = json!(hub.world.objects("apps/v1", "ControllerRevision")).to_string();
    assert!(!stored.contains("-word") && !stored.contains("Zmlyc3Qtd29yZA"), "{stored}");
    let client = hub.world.client_named("person");
    let key = jiuzhou_engine::decide::WorkloadKey::new(PORTAL.0, PORTAL.1);
    crate::revision::order::back(&client, &key, Some(2)).await.expect("it goes back");
    let said = json!(workload(&hub)["spec"]["objects"]).to_string();
    assert!(said.contains("second-word"), "the newest data stays: {said}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_another_begins_after_it_and_goes_on_without_it() {
    let mut objects = story("01-first-tenant");
    let first = objects.iter().find(|object| object["kind"] == "FleetWorkload").cloned().expect("a workload");
    let mut second = first.clone();
    second["metadata"]["name"] = "pages".into();
    for object in second["spec"]["objects"].as_array_mut().expect("objects") {
        object["manifest"]["metadata"]["name"] = "pages".into();
    }
    second["spec"]["dependsOn"] = json!([PORTAL.1]);
    objects.push(second);
    let hub = Hub::with(&objects).await;
    hub.members.judge(|delivery, _| (*delivery.workload.name == *PORTAL.1).then_some(ObjectState::Applied));
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, "pages"), [].into());
    assert_eq!(hub.ready(PORTAL.0, "pages"), ("False".to_owned(), "WaitingForDependency".to_owned()));
    hub.members.judge(|_, _| None);
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, "pages").len(), 1);
    assert_eq!(hub.ready(PORTAL.0, "pages").1, "AsWanted");
    // What has begun goes on, whatever becomes of the one it waited for.
    hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
    hub.patch("FleetWorkload", Some(PORTAL.0), "pages", "/scale", &json!({ "spec": { "replicas": 3 } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, "pages").into_values().collect::<Vec<_>>(), [3]);
    assert_eq!(hub.ready(PORTAL.0, "pages").1, "AsWanted");
}

#[tokio::test(start_paused = true)]
async fn workloads_that_wait_for_each_other_are_told_the_circle() {
    let mut objects = story("01-first-tenant");
    let index = objects.iter().position(|object| object["kind"] == "FleetWorkload").expect("a workload");
    let mut second = objects[index].clone();
    second["metadata"]["name"] = "pages".into();
    for object in second["spec"]["objects"].as_array_mut().expect("objects") {
        object["manifest"]["metadata"]["name"] = "pages".into();
    }
    second["spec"]["dependsOn"] = json!([PORTAL.1]);
    objects[index]["spec"]["dependsOn"] = json!(["pages"]);
    objects.push(second);
    let hub = Hub::with(&objects).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, "pages").1, "WaitingForDependency");
    let said = hub.object("FleetWorkload", PORTAL.0, "pages").expect("a workload")["status"]["messageEn"].clone();
    assert!(said.as_str().is_some_and(|text| text.contains("pages -> portal -> pages")), "{said}");
}
