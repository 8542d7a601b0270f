//! What controllers of a member count of an object, as the hub sums it up: replicas by template and availability, pods
//! of jobs, the phase of a claim, addresses of load balancers and ingresses.
//!
//! A count is given only where the controller has seen the object as it is now; before that it is news of the past and
//! unknown. Kubernetes leaves a count of 0 out of a status, so absence is 0 once the controller has spoken.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_api::text::Title;
use jiuzhou_api::v1alpha1::ObservedCounts;
use jiuzhou_objects::object::Object;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

/// Addresses that are told of one object at most.
const ADDRESSES_MOST: usize = 16;
/// Longest address that is told.
const ADDRESS_MOST: usize = 128;

/// What is counted; `None` where nothing of the kind is, or where its controller has not spoken yet.
pub(crate) fn of(live: &Value) -> Option<ObservedCounts> {
    let object = Object::new(live);
    let whole = |pointer: &str| live.pointer(pointer).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    let spoken = |pointer: &str| Some(whole(pointer).unwrap_or(0));
    let counts = match (object.group(), object.kind()) {
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") if is_current(live) => ObservedCounts {
            replicas: spoken("/status/replicas"),
            // A ReplicaSet has one template only.
            updated: match object.kind() {
                "ReplicaSet" => spoken("/status/replicas"),
                _ => spoken("/status/updatedReplicas"),
            },
            available: spoken("/status/availableReplicas"),
            ..ObservedCounts::default()
        },
        ("apps", "DaemonSet") if is_current(live) => ObservedCounts {
            replicas: spoken("/status/currentNumberScheduled"),
            updated: spoken("/status/updatedNumberScheduled"),
            available: spoken("/status/numberAvailable"),
            ..ObservedCounts::default()
        },
        // A Job has no observedGeneration: its controller has spoken when it has begun, suspended or ended it.
        ("batch", "Job") if live.pointer("/status").and_then(Value::as_object).is_some_and(|s| !s.is_empty()) => {
            ObservedCounts {
                active: spoken("/status/active"),
                succeeded: spoken("/status/succeeded"),
                failed: spoken("/status/failed"),
                started: time(live, "/status/startTime"),
                completed: time(live, "/status/completionTime"),
                ..ObservedCounts::default()
            }
        }
        ("", "PersistentVolumeClaim") if !object.text("/status/phase").is_empty() => {
            ObservedCounts { phase: Some(object.text("/status/phase").into()), ..ObservedCounts::default() }
        }
        _ => return None,
    };
    Some(counts)
}

/// Where an object answers: the addresses a load balancer gave it, and for an ingress the hosts it serves.
pub(crate) fn addresses(live: &Value) -> Vec<Title> {
    let object = Object::new(live);
    let list = |pointer: &str| live.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let given = || list("/status/loadBalancer/ingress").filter_map(|one| text(one, "ip").or(text(one, "hostname")));
    let found: BTreeSet<String> = match (object.group(), object.kind()) {
        ("", "Service") => given().collect(),
        ("networking.k8s.io", "Ingress") => {
            given().chain(list("/spec/rules").filter_map(|rule| text(rule, "host"))).collect()
        }
        _ => BTreeSet::new(),
    };
    let short = found.into_iter().filter(|one| !one.is_empty() && one.chars().count() <= ADDRESS_MOST);
    short.take(ADDRESSES_MOST).map(Title::from).collect()
}

/// Whether the controller has looked at the object as it is now.
fn is_current(live: &Value) -> bool {
    let number = |pointer: &str| live.pointer(pointer).and_then(Value::as_i64);
    match (number("/status/observedGeneration"), number("/metadata/generation")) {
        (Some(seen), Some(now)) => seen >= now,
        _ => false,
    }
}

fn time(live: &Value, pointer: &str) -> Option<Time> {
    live.pointer(pointer).and_then(Value::as_str)?.parse::<Timestamp>().ok().map(Time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_of_the_object_as_it_is_now_or_unknown() {
        let deployment = |seen: i64| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 2},
                "status": {"observedGeneration": seen, "replicas": 4, "updatedReplicas": 3}})
        };
        let counts = of(&deployment(2)).unwrap();
        assert_eq!((counts.replicas, counts.updated, counts.available), (Some(4), Some(3), Some(0)));
        assert_eq!(of(&deployment(1)), None);
        let daemon = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"generation": 1},
            "status": {"observedGeneration": 1, "currentNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 2}});
        let counts = of(&daemon).unwrap();
        assert_eq!((counts.replicas, counts.updated, counts.available), (Some(3), Some(1), Some(2)));
    }

    #[test]
    fn a_job_that_nobody_looked_at_is_unknown_and_one_that_ended_has_its_times() {
        let job = |status: Value| of(&json!({"apiVersion": "batch/v1", "kind": "Job", "status": status}));
        assert_eq!(job(json!({})), None);
        let done =
            job(json!({"startTime": "2026-11-23T00:00:00Z", "completionTime": "2026-11-23T00:01:00Z", "succeeded": 1}));
        let done = done.unwrap();
        assert_eq!((done.active, done.succeeded, done.failed), (Some(0), Some(1), Some(0)));
        assert!(done.started < done.completed);
    }

    #[test]
    fn addresses_are_those_of_load_balancers_and_hosts_of_ingresses() {
        let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "10.0.0.1"},
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}, {"hostname": "lb.example"}]}}});
        assert_eq!(addresses(&service), ["203.0.113.7", "lb.example"].map(Title::from));
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "spec": {"rules": [{"host": "portal.gov.example"}, {"http": {}}]}});
        assert_eq!(addresses(&ingress), [Title::from("portal.gov.example")]);
        assert!(addresses(&json!({"apiVersion": "v1", "kind": "Service", "status": {"loadBalancer": {}}})).is_empty());
    }
}
