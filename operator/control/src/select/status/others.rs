//! Jobs, claims, and what has addresses: Services of type LoadBalancer and Ingresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{ObjectState, ObservedCounts};
use serde_json::{Value, json};

use super::{Case, Part};

/// The status of a Job; `None` before it began anywhere, and once it has ended: an end is final.
pub(super) fn job(case: &Case<'_>) -> Option<Value> {
    let ended = |kind: &str| {
        let conditions = case.native.status["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|one| one["type"] == kind && one["status"] == "True")
    };
    if ended("Complete") || ended("Failed") {
        return None;
    }
    let counted: Vec<&ObservedCounts> = case.parts.iter().filter_map(|part| part.counted()).collect();
    let sum =
        |of: fn(&ObservedCounts) -> Option<i32>| counted.iter().filter_map(|one| of(one)).map(i64::from).sum::<i64>();
    // An API server lets neither count go down, nor the start be moved.
    let most = |field: &str, now: i64| case.native.status[field].as_i64().unwrap_or(0).max(now);
    let written = case.native.status["startTime"].as_str().map(str::to_owned);
    let first = counted.iter().filter_map(|one| one.started.as_ref()).map(|time| time.0).min();
    let started = written.or_else(|| first.map(second))?;
    let mut status = json!({
        "startTime": started,
        "active": sum(|one| one.active),
        "succeeded": most("succeeded", sum(|one| one.succeeded)),
        "failed": most("failed", sum(|one| one.failed)),
    });
    let wanted: Vec<_> = case.parts.iter().filter(|part| part.wanted).collect();
    let all = |state: ObjectState| {
        !wanted.is_empty() && wanted.iter().all(|part| part.seen.is_some_and(|seen| seen.state == state))
    };
    let failed = wanted.iter().find(|part| part.seen.is_some_and(|seen| seen.state == ObjectState::Failed));
    let condition = |kind: &str, reason: &str, message: String| {
        let at = second(case.now);
        json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastProbeTime": at, "lastTransitionTime": at})
    };
    if all(ObjectState::Finished) {
        let last = counted.iter().filter_map(|one| one.completed.as_ref()).map(|time| time.0).max();
        status["completionTime"] = second(last.unwrap_or(case.now)).into();
        status["active"] = 0.into();
        let message = format!("Reached expected number of succeeded pods in: {}", case.clusters());
        status["conditions"] = json!([
            condition("SuccessCriteriaMet", "CompletionsReached", message.clone()),
            condition("Complete", "CompletionsReached", message),
        ]);
    } else if let Some(part) = failed {
        status["active"] = 0.into();
        let words = part.seen.and_then(|seen| seen.message.as_deref()).unwrap_or_default();
        let message = format!("{}: {words}", part.cluster);
        status["conditions"] = json!([
            condition("FailureTarget", "FailedInMember", message.clone()),
            condition("Failed", "FailedInMember", message),
        ]);
    }
    Some(status)
}

/// The addresses that members gave a Service or an Ingress; `None` where none are given out.
pub(super) fn addresses(case: &Case<'_>) -> Option<Value> {
    let text = |pointer: &str| case.manifest.pointer(pointer).and_then(Value::as_str);
    if case.native.kind.kind == "Service" && text("/spec/type") != Some("LoadBalancer") {
        return None;
    }
    let rules = case.manifest.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let hosts: BTreeSet<&str> = rules.filter_map(|rule| rule["host"].as_str()).collect();
    let all = case.parts.iter().filter_map(|part| part.seen).flat_map(|seen| &seen.addresses);
    let given: BTreeSet<&str> = all.map(|address| &**address).filter(|address| !hosts.contains(address)).collect();
    let written = case.native.status.pointer("/loadBalancer/ingress").is_some();
    if given.is_empty() && !written {
        return None;
    }
    let one = |address: &&str| match address.parse::<IpAddr>() {
        Ok(_) => json!({ "ip": address }),
        Err(_) => json!({ "hostname": address }),
    };
    Some(json!({ "loadBalancer": { "ingress": given.iter().map(one).collect::<Vec<_>>() } }))
}

/// The phase of a claim: bound where it is bound in every cluster that is to have it; `None` before any says so.
pub(super) fn claim(case: &Case<'_>) -> Option<Value> {
    let wanted: Vec<_> = case.parts.iter().filter(|part| part.wanted).collect();
    if wanted.is_empty() {
        return None;
    }
    let phases: BTreeSet<&str> = wanted.iter().map(|part| phase(part)).collect();
    let told = if phases.contains("Lost") {
        "Lost"
    } else if phases.iter().all(|phase| *phase == "Bound") {
        "Bound"
    } else {
        "Pending"
    };
    Some(json!({ "phase": told }))
}

/// The phase of a claim in one cluster.
fn phase<'a>(part: &Part<'a>) -> &'a str {
    let counted = part.seen.and_then(|seen| seen.counted.as_ref());
    counted.and_then(|counted| counted.phase.as_deref()).unwrap_or("Pending")
}

/// A time as Kubernetes writes it.
fn second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
