//! The whole way on a hub in memory: from an applied object to its members and its status, and back.

use jiuzhou_engine::decide;
use jiuzhou_intake::Options;
use serde_json::{Value, json};

use super::*;
use crate::record::journal;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");

async fn portal() -> Hub {
    Hub::with(&story("01-first-tenant")).await
}

/// What an operator writes to the hub, as `VERB resource/subresource`.
fn told(hub: &Hub) -> Vec<String> {
    let line = |entry: &jiuzhou_world::Entry| format!("{} {}/{}", entry.verb, entry.resource, entry.subresource);
    hub.writes().iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn an_applied_workload_becomes_ready_with_four_writes() {
    let (workload, rest): (Vec<_>, Vec<_>) =
        story("01-first-tenant").into_iter().partition(|object| object["kind"] == "FleetWorkload");
    let hub = Hub::with(&rest).await;
    hub.run().await.expect("it runs");
    hub.world.clear_log();
    hub.create(&workload[0]).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    let workload: Vec<String> = told(&hub).into_iter().filter(|line| line.contains("jiuzhou.dev")).collect();
    assert_eq!(
        workload,
        [
            "patch fleetworkloads.jiuzhou.dev/",
            "create fleetplacements.jiuzhou.dev/",
            "patch fleetplacements.jiuzhou.dev/status",
            "patch fleetworkloads.jiuzhou.dev/status",
            // Once for all workloads of the system.
            "patch informationsystems.jiuzhou.dev/status",
        ]
    );
    assert_eq!(hub.world.refused(), []);
}

#[tokio::test(start_paused = true)]
async fn a_restart_with_nothing_changed_writes_nothing() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(told(&hub), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_restart_before_any_member_is_seen_again_writes_nothing() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.world.clear_log();
    hub.members.there.lock().expect("a lock").clear();
    hub.members.mute(true);
    hub.run().await.expect("it runs again");
    assert_eq!(told(&hub), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_example_province_comes_to_rest_and_every_decision_replays() {
    let hub = Hub::with(&story("10-province")).await;
    hub.run().await.expect("it runs");
    let placed = hub.world.objects(jiuzhou_api::meta::API_VERSION, "FleetPlacement");
    let workloads = hub.world.objects(jiuzhou_api::meta::API_VERSION, "FleetWorkload");
    assert!(placed.len() > 40, "{} placements", placed.len());
    for workload in &workloads {
        let (status, generation) = (&workload["status"], &workload["metadata"]["generation"]);
        assert_eq!(status["observedGeneration"], *generation, "{}", workload["metadata"]["name"]);
        assert!(status["messageZh"].as_str().is_some_and(|text| !text.is_empty()));
    }
    // Every decision that stands is one of the recorded batches, and each batch is decided again to the same bytes.
    let mut decisions = BTreeSet::new();
    journal::read::<Error>(hub.folder.path(), |decided| {
        let again = decide::replay(decided.input).expect("a fleet");
        assert_eq!((again.sha256, again.sm3), (decided.sha256, decided.sm3));
        for decision in &again.plan.decisions {
            let id = decide::canonical::digest(decision, jiuzhou_engine::terms::DigestAlgorithm::Sha256);
            decisions.insert(id.expect("a digest").to_string());
        }
        Ok(())
    })
    .expect("the journal is whole");
    for placement in &placed {
        let decision = placement["spec"]["decision"].as_str().unwrap_or_default();
        assert!(decisions.contains(decision), "{} is recorded", placement["metadata"]["name"]);
    }
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(told(&hub), Vec::<String>::new(), "quiet after a restart");
    // And `plan` over what the hub has moves nothing.
    let state = crate::export::state(&hub.world.client()).await.expect("the state");
    let texts: Vec<(String, Vec<u8>)> = state
        .iter()
        .flat_map(|(kind, values)| values.iter().map(move |value| (kind.clone(), value)))
        .map(|(kind, value)| (format!("{kind}.yaml"), serde_json::to_vec(value).expect("JSON")))
        .collect();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_slice())).collect();
    let as_of = hub.world.clock().now();
    let fleet = jiuzhou_intake::load_texts(&texts, &Options::at(as_of)).expect("a fleet");
    let plan = decide::plan(&fleet.snapshot, &decide::Changes::default(), as_of).expect("a plan");
    let moving: Vec<_> = plan.decisions.iter().filter(|decision| !decision.moves.is_empty()).collect();
    assert!(moving.is_empty(), "{moving:?}");
    let before = jiuzhou_intake::placements::committed(&fleet.objects);
    let specs: Vec<_> = fleet.snapshot.specs().map(|spec| (**spec).clone()).collect();
    let commits = jiuzhou_intake::placements::of_plan(&plan, specs.iter(), &before, i64::MAX, None).expect("commits");
    assert_eq!(commits, []);
}

#[tokio::test(start_paused = true)]
async fn a_scale_is_followed_and_the_chain_of_decisions_holds() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let first = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &json!({ "spec": { "replicas": 5 } })).await;
    hub.run().await.expect("it runs");
    let second = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 5)].into());
    assert_eq!(second["spec"]["previous"], first["spec"]["decision"]);
    assert_eq!(second["spec"]["sequence"], first["spec"]["sequence"]);
    assert!(second["spec"]["epoch"].as_i64() > first["spec"]["epoch"].as_i64());
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    assert_eq!((&workload["status"]["ready"], &workload["status"]["wanted"]), (&json!(5), &json!(5)));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_content_alone_gets_a_decision_and_an_epoch_of_its_own() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let first = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    let mut objects = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload")["spec"]["objects"].clone();
    objects[1]["manifest"]["spec"]["ports"] = json!([{ "port": 81, "targetPort": 8080 }]);
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "objects": objects } })).await;
    hub.run().await.expect("it runs");
    let second = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert_ne!(second["spec"]["decision"], first["spec"]["decision"]);
    assert_eq!(second["spec"]["inputs"]["workload"], first["spec"]["inputs"]["workload"], "it asks for the same");
    assert!(second["spec"]["epoch"].as_i64() > first["spec"]["epoch"].as_i64());
    let there = hub.members.there.lock().expect("a lock");
    let ports: Vec<&Value> = there
        .values()
        .flat_map(|order| &order.delivery.objects)
        .filter_map(|object| object.manifest.as_ref()?.pointer("/spec/ports/0/port"))
        .collect();
    assert_eq!(ports, [&json!(81)]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_removes_everything_in_order_and_leaves_nothing() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    let epoch = placement["spec"]["epoch"].as_i64().expect("an epoch");
    hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
    hub.run().await.expect("it runs");
    // Members have seen its epoch: a hub that forgot it would take them for younger than itself.
    let known = crate::decide::counter::read(&hub.world.client()).await.expect("the counter says");
    assert_eq!(known.committed, epoch);
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(hub.object("FleetPlacement", PORTAL.0, PORTAL.1), None);
    assert_eq!(hub.object("FleetWorkload", PORTAL.0, PORTAL.1), None);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_because_the_namespace_goes_is_held_and_everything_runs_on() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.delete("/api/v1/namespaces/kunming-portal").await;
    hub.world.settle();
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into());
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "DeletionHeld");
    assert!(hub.object("FleetPlacement", PORTAL.0, PORTAL.1).is_some());
}

/// What a person types by the status of a held deletion: the value of the annotation.
fn code(hub: &Hub, name: &str) -> String {
    let workload = hub.object("FleetWorkload", PORTAL.0, name).expect("a workload");
    let told = workload["status"]["messageEn"].as_str().unwrap_or_default();
    let (_, code) = told.split_once(&format!("{}=", jiuzhou_api::meta::ANNOTATION_CONFIRM_DELETIONS)).expect(told);
    code.trim_end().to_owned()
}

async fn confirm(hub: &Hub, name: &str, code: &str) {
    let annotation = json!({ jiuzhou_api::meta::ANNOTATION_CONFIRM_DELETIONS: code });
    let patch = json!({ "metadata": { "annotations": annotation } });
    hub.patch("FleetWorkload", Some(PORTAL.0), name, "", &patch).await;
}

#[tokio::test(start_paused = true)]
async fn a_held_deletion_is_carried_out_when_a_person_confirms_exactly_it() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.delete("/api/v1/namespaces/kunming-portal").await;
    hub.world.settle();
    hub.run().await.expect("it runs");
    confirm(&hub, PORTAL.1, "0123456789abcdef").await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "DeletionHeld", "that code stands for something else");
    confirm(&hub, PORTAL.1, &code(&hub, PORTAL.1)).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(hub.object("FleetWorkload", PORTAL.0, PORTAL.1), None);
}

#[tokio::test(start_paused = true)]
async fn a_held_deletion_is_carried_out_when_another_person_approves_exactly_it() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    hub.delete("/api/v1/namespaces/kunming-portal").await;
    hub.world.settle();
    hub.run().await.expect("it runs");
    let client = hub.world.client_named("person");
    let asked = crate::people::approve::deletions(&client, PORTAL.0).await.expect("it is shown");
    assert_eq!(asked.touches, ["kunming-portal/portal: kunming-gov-1 2"]);
    let by = crate::people::approve::Signature {
        user: "李四".to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: Some("张三".to_owned()),
        document: "云数〔2026〕9号".to_owned(),
        until: "2026-12-01".to_owned(),
        needed: 1,
    };
    // Of other objects it is no approval.
    let other = crate::people::approve::Asked { digest: jiuzhou_engine::terms::Digest::sha256(b"x"), ..asked.clone() };
    crate::people::approve::approve(&client, &other, &by).await.expect("it is written");
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "DeletionHeld");
    let (name, _) = crate::people::approve::approve(&client, &asked, &by).await.expect("it is approved");
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    assert_eq!(hub.object("FleetWorkload", PORTAL.0, PORTAL.1), None);
    let status = hub.object("Approval", "", &name).expect("the approval")["status"].clone();
    assert!(status["usedAt"].is_string() && status["closedAt"].is_string(), "{status}");
}

#[tokio::test(start_paused = true)]
async fn many_deletions_at_once_are_held_until_exactly_they_are_confirmed() {
    let hub = portal().await;
    let one = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    let names: Vec<String> = (0..11).map(|number| format!("copy-{number:02}")).collect();
    for name in &names {
        let mut spec = one["spec"].clone();
        for object in spec["objects"].as_array_mut().expect("objects") {
            let own = format!("{name}-{}", object["manifest"]["metadata"]["name"].as_str().unwrap_or_default());
            object["manifest"]["metadata"]["name"] = json!(own);
        }
        let metadata = json!({ "name": name, "namespace": PORTAL.0 });
        let copy =
            json!({ "apiVersion": one["apiVersion"], "kind": "FleetWorkload", "metadata": metadata, "spec": spec });
        hub.create(&copy).await;
    }
    hub.run().await.expect("it runs");
    for name in &names {
        hub.delete(&format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{}/fleetworkloads/{name}", PORTAL.0)).await;
    }
    hub.run().await.expect("it runs");
    for name in &names {
        assert_eq!(hub.ready(PORTAL.0, name).1, "DeletionHeld", "{name}");
        assert!(!hub.members.replicas(PORTAL.0, name).is_empty(), "{name} runs on");
    }
    // A restart is no confirmation, and time is none.
    hub.world.clock().advance(jiff::SignedDuration::from_hours(2));
    hub.run().await.expect("it runs again");
    assert_eq!(hub.ready(PORTAL.0, &names[0]).1, "DeletionHeld");
    let before = code(&hub, &names[0]);
    hub.delete(&format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{}/fleetworkloads/{}", PORTAL.0, PORTAL.1)).await;
    hub.run().await.expect("it runs");
    assert_ne!(code(&hub, &names[0]), before, "one more waits: the code stands for other objects");
    confirm(&hub, &names[0], &before).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, &names[0]).1, "DeletionHeld", "a changed set is not confirmed");
    confirm(&hub, &names[1], &code(&hub, &names[1])).await;
    hub.run().await.expect("it runs");
    for name in names.iter().map(String::as_str).chain([PORTAL.1]) {
        assert_eq!(hub.object("FleetWorkload", PORTAL.0, name), None, "{name}");
        assert_eq!(hub.members.replicas(PORTAL.0, name), [].into(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_workload_with_no_place_says_why_and_is_placed_when_it_can_be() {
    let hub = portal().await;
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "replicas": 1000 } })).await;
    hub.run().await.expect("it runs");
    let (status, reason) = hub.ready(PORTAL.0, PORTAL.1);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "CapacityInsufficient"));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into());
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "replicas": 3 } })).await;
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 3)].into());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_valid_stops_nobody() {
    let hub = portal().await;
    // As an older definition would have let in.
    hub.world.intercept(|request| {
        let list = request.method == http::Method::GET && request.path.ends_with("/fleetworkloads");
        list.then(|| {
            jiuzhou_world::Fault::Rewrite(Arc::new(|mut body: Value| {
                if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
                    items.push(json!({
                        "metadata": { "name": "broken", "namespace": "kunming-portal", "uid": "x" },
                        "spec": { "system": 7, "objects": "none" },
                    }));
                }
                body
            }))
        })
    });
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).0, "True");
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_any_write_ends_in_the_same_state() {
    let whole = portal().await;
    whole.run().await.expect("it runs");
    let writes = whole.writes().len();
    for after in 0..writes {
        let hub = portal().await;
        let (stopper, stop) = Stop::new();
        let running = hub.start(stop);
        let mut seen = 0;
        let gate = hub.world.intercept(move |request| {
            let write = request.client == "operator" && request.method != http::Method::GET;
            if write {
                seen += 1;
            }
            // The write of the crash is done, its answer never comes; nothing after it is.
            match seen {
                n if write && n == after + 1 => Some(jiuzhou_world::Fault::LoseAnswer),
                n if write && n > after + 1 => Some(jiuzhou_world::Fault::Break),
                _ => None,
            }
        });
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(1));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        running.abort();
        let _ = running.await;
        drop(stopper);
        hub.world.release(gate);
        hub.run().await.expect("the next one runs");
        assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [("kunming-gov-1".to_owned(), 2)].into(), "{after}");
        assert_eq!(hub.ready(PORTAL.0, PORTAL.1).0, "True", "after write {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_where_nothing_becomes_ready_is_told_as_on_its_way() {
    let hub = portal().await;
    hub.members.slow.lock().expect("a lock").push("kunming-gov-1".to_owned());
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "DeliveryInProgress".to_owned()));
    hub.members.slow.lock().expect("a lock").clear();
    hub.members.tell();
    hub.run().await.expect("it runs");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).0, "True");
}

#[tokio::test(start_paused = true)]
async fn fewer_replicas_are_not_as_wanted_before_the_member_says_so_nor_while_it_is_silent() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted");
    // The last report tells of two that are ready, which is more than enough.
    hub.members.mute(true);
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "replicas": 1 } })).await;
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "DeliveryInProgress".to_owned()));
    // One witness that gets no answer is no reason to move at once, and every reason to say so.
    let reach = json!({ "status": { "reachability": { "hub": "Unknown", "agent": "Unreachable" } } });
    hub.patch("MemberCluster", None, "kunming-gov-1", "/status", &reach).await;
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "FailoverWaiting".to_owned()));
    let back = json!({ "status": { "reachability": { "hub": "Reachable", "agent": "Reachable" } } });
    hub.patch("MemberCluster", None, "kunming-gov-1", "/status", &back).await;
    hub.members.mute(false);
    hub.members.tell();
    hub.quiet().await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn a_value_of_a_cluster_that_changes_is_delivered_to_what_runs_there() {
    let hub = portal().await;
    let env = json!([{ "container": "web", "name": "DB", "value": "$(value:db)" }]);
    let placement = json!({ "overrides": [{ "name": "db", "platforms": ["kunpeng-920"], "env": env }] });
    hub.patch("MemberCluster", None, "kunming-gov-1", "", &json!({ "spec": { "values": { "db": "dm.one" } } })).await;
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "placement": placement } })).await;
    hub.run().await.expect("it runs");
    let delivered = |hub: &Hub| {
        let there = hub.members.there.lock().expect("a lock");
        let objects = there.values().flat_map(|order| &order.delivery.objects);
        let values = objects.filter_map(|object| {
            let containers = object.manifest.as_ref()?.pointer("/spec/template/spec/containers/0/env")?;
            Some(containers.to_string())
        });
        values.collect::<String>()
    };
    assert!(delivered(&hub).contains("dm.one"), "{}", delivered(&hub));
    let change = json!({ "spec": { "values": { "db": "dm.two" } } });
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    hub.patch("MemberCluster", None, "kunming-gov-1", "", &change).await;
    hub.quiet().await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    assert!(delivered(&hub).contains("dm.two"), "{}", delivered(&hub));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_of_the_list_is_ordered_away_by_uid_and_what_runs_waits_for_a_word() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let mut objects = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload")["spec"]["objects"].clone();
    let config = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "a": "b" } });
    let mut pod = objects[0]["manifest"]["spec"]["template"].clone();
    pod["spec"]["restartPolicy"] = json!("OnFailure");
    let second = json!({ "name": "batch", "manifest": {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "batch" },
        "spec": { "schedule": "0 3 * * *", "jobTemplate": { "spec": { "template": pod } } },
    } });
    let all = objects.as_array_mut().expect("a list");
    all.push(json!({ "name": "settings", "manifest": config("settings") }));
    all.push(second);
    let put = async |objects: &Value| {
        hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &json!({ "spec": { "objects": objects } })).await;
    };
    put(&objects).await;
    let removed: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&removed);
    let witness = move |order: &crate::orders::Order, _: &crate::testing::There| {
        let uids = order.delivery.removing.iter().map(|identity| identity.uid.to_string());
        seen.lock().expect("no panic").extend(uids);
    };
    *hub.members.witness.lock().expect("no panic") = Some(Box::new(witness));
    // Under another name in the list it is the same object: nothing is taken away.
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert!(removed.lock().expect("no panic").is_empty());
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted");
    let list = objects.as_array_mut().expect("a list");
    let batch = list.pop().expect("the second Deployment");
    list.retain(|object| object["name"] != "settings");
    put(&objects).await;
    hub.quiet().await;
    let uids = removed.lock().expect("no panic").clone();
    assert!(!uids.is_empty() && uids.iter().all(|uid| uid.ends_with("-settings")), "{uids:?}");
    let (status, reason) = hub.ready(PORTAL.0, PORTAL.1);
    assert_eq!((status.as_str(), reason.as_str()), ("False", "DeletionHeld"), "what runs pods waits for a person");
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload").to_string();
    let at = workload.find("jiuzhou.dev/confirm-removal=").expect("how to order it");
    let code: String = workload[at..].chars().skip("jiuzhou.dev/confirm-removal=".len()).take(71).collect();
    let confirm = json!({ "metadata": { "annotations": { "jiuzhou.dev/confirm-removal": code } } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &confirm).await;
    hub.quiet().await;
    let name = format!("-{}", batch["name"].as_str().expect("a name"));
    assert!(removed.lock().expect("no panic").iter().any(|uid| uid.ends_with(&name)));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "AsWanted");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
