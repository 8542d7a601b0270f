//! What clients that wait are told, against the rules they wait by.

use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::json;

use super::*;
use crate::select::kinds::named;

/// One cluster: name, state, whether it applied what is ordered, and total, updated, ready, available.
type Seen = (&'static str, ObjectState, bool, [i32; 4]);

fn observation((_, state, _, [total, updated, ready, available]): &Seen) -> ObjectObservation {
    ObjectObservation {
        name: "web".into(),
        state: *state,
        wanted: Some(3),
        ready: Some(*ready),
        counted: Some(ObservedCounts {
            replicas: Some(*total),
            updated: Some(*updated),
            available: Some(*available),
            ..ObservedCounts::default()
        }),
        ..ObjectObservation::default()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "literals of the tests")]
fn native(kind: &str, spec: Value, status: Value) -> Native {
    let kind = named(kind).unwrap();
    Native::new(
        kind,
        &json!({"apiVersion": kind.api_version(), "kind": kind.kind, "status": status, "spec": spec,
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 4}}),
    )
}

fn tell<T>(native: &Native, seen: &[Seen], silent: &[&str], duplicated: bool, of: impl Fn(&Case<'_>) -> T) -> T {
    let observations: Vec<ObjectObservation> = seen.iter().map(observation).collect();
    let parts = seen.iter().zip(&observations).map(|((cluster, _, current, _), observation)| Part {
        cluster,
        wanted: true,
        answers: !silent.contains(cluster),
        seen: Some(observation),
        current: *current,
    });
    let workload = api::FleetWorkloadStatus::default();
    let manifest = native.manifest.clone().unwrap();
    of(&Case {
        native,
        manifest: &manifest,
        name: "web",
        generation: 4,
        parts: parts.collect(),
        duplicated,
        workload: &workload,
        now: "2026-11-23T04:00:00Z".parse().unwrap(),
    })
}

/// What `kubectl rollout status` says of a Deployment (kubectl, pkg/polymorphichelpers/rollout_status.go).
fn rolled_out(status: &Value, wanted: i64) -> Result<bool, String> {
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    if number("observedGeneration") < 4 {
        return Ok(false);
    }
    let progressing = status["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Progressing");
    if let Some(failed) = progressing.filter(|one| one["reason"] == "ProgressDeadlineExceeded") {
        return Err(failed["message"].as_str().unwrap_or_default().to_owned());
    }
    let updated = number("updatedReplicas");
    Ok(updated >= wanted && number("replicas") <= updated && number("availableReplicas") >= updated)
}

#[test]
fn a_rollout_is_done_when_every_cluster_has_it_and_not_before() {
    use ObjectState::{Applied, Failed, Ready};
    let web = native("Deployment", json!({"replicas": 6}), json!({}));
    let of = |seen: &[Seen]| rolled_out(&tell(&web, seen, &[], false, apps::deployment), 6);
    let (a, b) = (("a", Ready, true, [3, 3, 3, 3]), ("b", Ready, true, [3, 3, 3, 3]));
    assert_eq!(of(&[a, b]), Ok(true));
    assert_eq!(of(&[a, ("b", Ready, false, [3, 3, 3, 3])]), Ok(false), "b still runs the former order");
    assert_eq!(of(&[a, ("b", Applied, true, [4, 3, 3, 3])]), Ok(false), "an old pod is left");
    assert_eq!(of(&[a, ("b", Applied, true, [3, 3, 2, 2])]), Ok(false));
    assert_eq!(of(&[]), Ok(false), "nothing has a place");
    assert!(of(&[a, ("b", Failed, true, [3, 1, 2, 2])]).unwrap_err().starts_with("b: "));
}

#[test]
fn what_is_held_up_longer_than_its_author_lets_it_is_given_up() {
    let stalled = api::FleetWorkloadStatus {
        message_en: Some("No cluster may carry it.".into()),
        conditions: vec![crate::workload::conditions::condition(
            jiuzhou_api::conditions::ConditionType::Stalled,
            true,
            "NoClusterFits",
            "",
            1,
        )],
        ..api::FleetWorkloadStatus::default()
    };
    let held = |since: &str| {
        let before = json!({"conditions": [{"type": "Progressing", "status": "False", "lastTransitionTime": since}]});
        let web = native("Deployment", json!({"replicas": 3, "progressDeadlineSeconds": 60}), before);
        let manifest = web.manifest.clone().unwrap();
        let now = "2026-11-23T04:00:00Z".parse().unwrap();
        let status = apps::deployment(&Case {
            native: &web,
            manifest: &manifest,
            name: "web",
            generation: 4,
            parts: Vec::new(),
            duplicated: false,
            workload: &stalled,
            now,
        });
        let progressing = status["conditions"][1].clone();
        (progressing["reason"].clone(), progressing["message"].clone())
    };
    let words = json!("No cluster may carry it.");
    assert_eq!(held("2026-11-23T03:59:30Z"), (json!("NoClusterFits"), words.clone()));
    assert_eq!(held("2026-11-23T03:59:00Z"), (json!("ProgressDeadlineExceeded"), words));
}

#[test]
fn a_silent_member_is_not_available_and_unknown_is_said() {
    let web = native("Deployment", json!({"replicas": 6}), json!({}));
    let seen = [("a", ObjectState::Ready, true, [3, 3, 3, 3]), ("b", ObjectState::Ready, true, [3, 3, 3, 3])];
    let status = tell(&web, &seen, &["b"], false, apps::deployment);
    assert_eq!(status["availableReplicas"], 3);
    assert_eq!(status["replicas"], 6, "what it had still counts as there");
    let available = &status["conditions"][0];
    assert_eq!((&available["type"], &available["status"]), (&json!("Available"), &json!("Unknown")));
    assert_eq!(available["message"], "members do not answer: b");
    assert_eq!(rolled_out(&status, 6), Ok(false));
}

#[test]
fn where_every_cluster_has_all_the_slowest_is_told() {
    let web = native("Deployment", json!({"replicas": 3}), json!({}));
    let seen = [("a", ObjectState::Ready, true, [3, 3, 3, 3]), ("b", ObjectState::Applied, true, [3, 1, 1, 1])];
    let status = tell(&web, &seen, &[], true, apps::deployment);
    assert_eq!((&status["replicas"], &status["updatedReplicas"]), (&json!(3), &json!(1)));
    assert_eq!(rolled_out(&status, 3), Ok(false));
}

#[test]
fn times_of_conditions_move_with_what_they_say() {
    let seen = [("a", ObjectState::Ready, true, [3, 3, 3, 3])];
    let first = tell(&native("Deployment", json!({"replicas": 3}), json!({})), &seen, &[], false, apps::deployment);
    let mut written = first.clone();
    for condition in written["conditions"].as_array_mut().unwrap() {
        condition["lastTransitionTime"] = "2026-11-22T00:00:00Z".into();
        condition["lastUpdateTime"] = "2026-11-22T00:00:00Z".into();
    }
    let again =
        tell(&native("Deployment", json!({"replicas": 3}), written.clone()), &seen, &[], false, apps::deployment);
    assert_eq!(again, written, "nothing changed, nothing is written");
    assert!(conditions::same(&written, &again) && !conditions::same(&json!({}), &first));
    let fewer = [("a", ObjectState::Applied, true, [3, 3, 2, 2])];
    let later = tell(&native("Deployment", json!({"replicas": 3}), written), &fewer, &[], false, apps::deployment);
    assert_eq!(later["conditions"][1]["lastTransitionTime"], "2026-11-22T00:00:00Z", "still progressing");
    assert_eq!(later["conditions"][1]["lastUpdateTime"], "2026-11-23T04:00:00Z");
    assert_eq!(later["conditions"][0]["lastTransitionTime"], "2026-11-23T04:00:00Z", "no longer available");
}

#[test]
fn a_stateful_set_has_one_revision_when_it_is_done() {
    let of = |spec: Value, status: Value, seen: &[Seen]| {
        tell(&native("StatefulSet", spec, status), seen, &[], false, apps::stateful_set)
    };
    let spec = |image: &str| json!({"replicas": 3, "template": {"spec": {"image": image}}});
    let done = [("a", ObjectState::Ready, true, [3, 3, 3, 3])];
    let first = of(spec("1"), json!({}), &done);
    assert_eq!(first["currentRevision"], first["updateRevision"]);
    let rolling = [("a", ObjectState::Applied, true, [3, 1, 2, 2])];
    let next = of(spec("2"), first.clone(), &rolling);
    assert_eq!(next["currentRevision"], first["currentRevision"]);
    assert_ne!(next["currentRevision"], next["updateRevision"]);
    assert_eq!((&next["updatedReplicas"], &next["currentReplicas"]), (&json!(1), &json!(2)));
    let last = of(spec("2"), next.clone(), &done);
    assert_eq!((&last["currentRevision"], &last["updateRevision"]), (&next["updateRevision"], &next["updateRevision"]));
    let mut more = spec("2");
    more["replicas"] = 5.into();
    assert_eq!(of(more, last.clone(), &done)["updateRevision"], last["updateRevision"], "a scale is no revision");
}

#[test]
fn a_daemon_set_is_told_when_its_nodes_are_counted() {
    let agent = native("DaemonSet", json!({}), json!({}));
    let of = |seen: &[Seen]| tell(&agent, seen, &[], false, apps::daemon_set);
    assert_eq!(of(&[]), None, "no nodes wanted would look like all done");
    assert_eq!(of(&[("a", ObjectState::Ready, false, [3, 3, 3, 3])]), None);
    let status = of(&[("a", ObjectState::Ready, true, [3, 3, 3, 3]), ("b", ObjectState::Applied, true, [3, 2, 2, 2])]);
    let status = status.unwrap();
    assert_eq!((&status["desiredNumberScheduled"], &status["updatedNumberScheduled"]), (&json!(6), &json!(5)));
    assert_eq!((&status["numberReady"], &status["numberUnavailable"]), (&json!(5), &json!(1)));
}

#[test]
fn a_job_ends_once_with_its_times_and_never_goes_back() {
    let job = |status: Value| native("Job", json!({"completions": 1}), status);
    let of = |native: &Native, state: ObjectState, counted: ObservedCounts| {
        let observation = ObjectObservation {
            state,
            counted: Some(counted),
            message: Some("BackoffLimitExceeded".into()),
            ..observation(&("a", state, true, [0; 4]))
        };
        let manifest = native.manifest.clone().unwrap();
        let part = Part { cluster: "a", wanted: true, answers: true, seen: Some(&observation), current: true };
        others::job(&Case {
            native,
            manifest: &manifest,
            name: "web",
            generation: 4,
            parts: vec![part],
            duplicated: false,
            workload: &api::FleetWorkloadStatus::default(),
            now: "2026-11-23T04:00:00Z".parse().unwrap(),
        })
    };
    let time = |text: &str| Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(text.parse().unwrap()));
    let started =
        ObservedCounts { started: time("2026-11-23T03:00:00Z"), active: Some(1), ..ObservedCounts::default() };
    assert_eq!(of(&job(json!({})), ObjectState::Applied, ObservedCounts::default()), None, "nobody began it");
    let running = of(&job(json!({})), ObjectState::Ready, started.clone()).unwrap();
    assert_eq!((&running["startTime"], &running["active"]), (&json!("2026-11-23T03:00:00Z"), &json!(1)));
    assert_eq!(running.get("conditions"), None);
    let done = ObservedCounts {
        succeeded: Some(1),
        active: Some(0),
        completed: time("2026-11-23T03:01:00Z"),
        ..started.clone()
    };
    let done = of(&job(running), ObjectState::Finished, done).unwrap();
    let types: Vec<&Value> = done["conditions"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(types, ["SuccessCriteriaMet", "Complete"], "an API server takes the second only with the first");
    assert_eq!((&done["completionTime"], &done["active"]), (&json!("2026-11-23T03:01:00Z"), &json!(0)));
    assert_eq!(of(&job(done), ObjectState::Ready, started.clone()), None, "an end is final");
    let failed = of(&job(json!({"failed": 3})), ObjectState::Failed, started).unwrap();
    assert_eq!(failed["failed"], 3, "a count never goes down");
    assert_eq!(failed["conditions"][1]["message"], "a: BackoffLimitExceeded");
}

#[test]
fn addresses_and_phases_come_from_every_cluster() {
    let of = |native: &Native, addresses: &[&str], phase: Option<&str>, of: fn(&Case<'_>) -> Option<Value>| {
        let counted = phase.map(|phase| ObservedCounts { phase: Some(phase.into()), ..ObservedCounts::default() });
        let observation = ObjectObservation {
            addresses: addresses.iter().map(|one| (*one).into()).collect(),
            counted,
            ..ObjectObservation::default()
        };
        let manifest = native.manifest.clone().unwrap();
        let part = |cluster| Part { cluster, wanted: true, answers: true, seen: Some(&observation), current: true };
        of(&Case {
            native,
            manifest: &manifest,
            name: "web",
            generation: 4,
            parts: vec![part("a"), part("b")],
            duplicated: false,
            workload: &api::FleetWorkloadStatus::default(),
            now: "2026-11-23T04:00:00Z".parse().unwrap(),
        })
    };
    let balanced = native("Service", json!({"type": "LoadBalancer"}), json!({}));
    let ingress = json!([{"ip": "203.0.113.7"}, {"hostname": "lb.example"}]);
    let told = of(&balanced, &["lb.example", "203.0.113.7"], None, others::addresses).unwrap();
    assert_eq!(told, json!({"loadBalancer": {"ingress": ingress}}));
    assert_eq!(of(&native("Service", json!({}), json!({})), &["203.0.113.7"], None, others::addresses), None);
    let host = native("Ingress", json!({"rules": [{"host": "portal.gov.example"}]}), json!({}));
    assert_eq!(of(&host, &["portal.gov.example"], None, others::addresses), None, "a host is no address");
    let claim = native("PersistentVolumeClaim", json!({}), json!({}));
    for (phase, told) in
        [(Some("Bound"), "Bound"), (Some("Lost"), "Lost"), (Some("Pending"), "Pending"), (None, "Pending")]
    {
        assert_eq!(of(&claim, &[], phase, others::claim), Some(json!({"phase": told})));
    }
}
