//! Deployments, StatefulSets and DaemonSets: how many replicas there are, are of the present generation, are available.
//!
//! Field by field as their controllers define them, because clients compare them: `kubectl rollout status` waits for
//! `updatedReplicas` and `availableReplicas` of the observed generation, Helm 3 for a ReplicaSet beneath the Deployment
//! ([`Mirror`]) and for equal revisions of a StatefulSet, Argo CD and kstatus for the conditions too.

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::ObjectState;
use jiuzhou_objects::digest;
use jiuzhou_objects::object::Object;
use serde_json::{Value, json};

use super::conditions::{Condition, dated, same};
use super::{Case, Part};
use crate::select::natives::Native;
use crate::workload::dereference::Gathered;

/// The ReplicaSet beneath a Deployment, as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mirror {
    /// The object, for server-side apply; `None` when it is there as it should be.
    pub(crate) object: Option<Value>,
    pub(crate) name: String,
    /// Its status, but for the generation where `object` changes that.
    pub(crate) status: Value,
}

/// The reason by which clients give a rollout up.
pub(super) const OVER: &str = "ProgressDeadlineExceeded";

/// What the counts of the members come to.
struct Counts {
    /// Pods that exist.
    total: i64,
    /// Of the present generation.
    updated: i64,
    ready: i64,
    available: i64,
    /// Pods that members had when they were last heard and are not heard now.
    silent: i64,
    /// Of the present generation and surely ready, surely available.
    new_ready: i64,
    new_available: i64,
}

fn whole(number: Option<i32>) -> i64 {
    i64::from(number.unwrap_or(0))
}

fn counts(case: &Case<'_>) -> Counts {
    let total = |part: &Part<'_>| {
        let counted = part.counted().and_then(|counted| counted.replicas);
        whole(counted.or_else(|| part.seen.and_then(|seen| seen.present)))
    };
    let updated = |part: &Part<'_>| if part.current { whole(part.counted().and_then(|c| c.updated)) } else { 0 };
    let ready = |part: &Part<'_>| if part.answers { whole(part.seen.and_then(|seen| seen.ready)) } else { 0 };
    let available = |part: &Part<'_>| {
        if part.answers { whole(part.counted().and_then(|counted| counted.available)) } else { 0 }
    };
    // Of pods that are ready it is not known of which template they are: old ones are taken to be ready first.
    let old = |part: &Part<'_>| total(part).saturating_sub(updated(part)).max(0);
    let fresh = |part: &Part<'_>, of: i64| of.saturating_sub(old(part)).clamp(0, updated(part));
    Counts {
        total: case.existing(total),
        updated: case.sum(updated),
        ready: case.sum(ready),
        available: case.sum(available),
        silent: case.existing(|part| if part.answers { 0 } else { total(part) }),
        new_ready: case.sum(|part| fresh(part, ready(part))),
        new_available: case.sum(|part| fresh(part, available(part))),
    }
}

impl Counts {
    fn complete(&self, wanted: i64) -> bool {
        self.updated >= wanted && self.total == self.updated && self.available >= wanted
    }
}

/// The status of a Deployment.
pub(super) fn deployment(case: &Case<'_>) -> Value {
    let (wanted, counts) = (case.wanted(), counts(case));
    let needed = wanted.saturating_sub(max_unavailable(case.manifest, wanted));
    let available = if counts.available >= needed {
        Condition {
            kind: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.".to_owned(),
        }
    } else if counts.available.saturating_add(counts.silent) >= needed && counts.silent > 0 {
        let silent: Vec<&str> = case.parts.iter().filter(|part| !part.answers).map(|part| part.cluster).collect();
        let message = format!("members do not answer: {}", silent.join(", "));
        Condition { kind: "Available", status: "Unknown", reason: "MemberUnreachable", message }
    } else {
        let message = "Deployment does not have minimum availability.".to_owned();
        Condition { kind: "Available", status: "False", reason: "MinimumReplicasUnavailable", message }
    };
    let conditions = vec![available, progressing(case, &counts)];
    json!({
        "observedGeneration": case.generation,
        "replicas": counts.total,
        "updatedReplicas": counts.updated,
        "readyReplicas": counts.ready,
        "availableReplicas": counts.available,
        "unavailableReplicas": wanted.saturating_sub(counts.available).max(0),
        "conditions": dated(conditions, &case.native.status, case.now),
    })
}

/// How a rollout goes: done, failed in a member, held up for a reason that the workload has, or on its way.
fn progressing<'a>(case: &'a Case<'_>, counts: &Counts) -> Condition<'a> {
    let of =
        |status: &'a str, reason: &'a str, message: String| Condition { kind: "Progressing", status, reason, message };
    let wanted = case.wanted();
    let failed =
        case.parts.iter().find(|part| part.current && part.seen.is_some_and(|seen| seen.state == ObjectState::Failed));
    if let Some(part) = failed {
        let words = part.seen.and_then(|seen| seen.message.as_deref()).unwrap_or_default();
        return of("False", OVER, format!("{}: {words}", part.cluster));
    }
    if counts.complete(wanted) {
        let message =
            format!("{} of {wanted} replicas are updated and available in: {}", counts.updated, case.clusters());
        return of("True", "NewReplicaSetAvailable", message);
    }
    let stalled = case.workload.conditions.iter().find(|one| one.type_ == "Stalled" && one.status == "True");
    if let Some(stalled) = stalled {
        let words = case.workload.message_en.as_deref().unwrap_or_default().to_owned();
        let over = deadline(case.native, case.manifest).is_some_and(|at| at <= case.now);
        return of("False", if over { OVER } else { &stalled.reason }, words);
    }
    let message = format!("{} of {wanted} replicas are updated, {} available", counts.updated, counts.available);
    of("True", "ReplicaSetUpdated", message)
}

/// When a Deployment that is held up has been so for as long as its author lets it; `None` when nothing holds it up or
/// that is told already.
pub(super) fn deadline(native: &Native, manifest: &Value) -> Option<Timestamp> {
    let mut conditions = native.status["conditions"].as_array().into_iter().flatten();
    let held = conditions.find(|one| one["type"] == "Progressing" && one["status"] == "False")?;
    let since: Timestamp = held["lastTransitionTime"].as_str()?.parse().ok()?;
    let seconds = manifest.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_i64).unwrap_or(600);
    since.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// Replicas that may be missing while a Deployment counts as available.
fn max_unavailable(manifest: &Value, wanted: i64) -> i64 {
    if manifest.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate") {
        return 0;
    }
    let stated = manifest.pointer("/spec/strategy/rollingUpdate/maxUnavailable");
    let percent = |text: &str| text.strip_suffix('%').and_then(|number| number.parse::<i64>().ok());
    let most = match stated {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => percent(text).map_or(0, |percent| wanted.saturating_mul(percent) / 100),
        _ => wanted.saturating_mul(25) / 100,
    };
    most.clamp(0, wanted)
}

/// The ReplicaSet beneath a Deployment where it is not as it should be.
pub(super) fn mirror(case: &Case<'_>, gathered: &Gathered<'_>) -> Option<Mirror> {
    let counts = counts(case);
    let name = format!("{}-fleet", case.name);
    let status = json!({
        "replicas": counts.updated,
        "fullyLabeledReplicas": counts.updated,
        "readyReplicas": counts.new_ready,
        "availableReplicas": counts.new_available,
    });
    let template = case.manifest.pointer("/spec/template")?;
    let wanted = case.wanted();
    let there = gathered.state.natives().get("ReplicaSet", &gathered.key.namespace, &name);
    if let Some(there) = there {
        let spec = there.mirror.as_ref()?; // another's of that name: it stays as it is
        let owned = there.owner.as_ref().is_some_and(|(_, uid)| *uid == case.native.uid);
        if owned && spec.get("template") == Some(template) && spec["replicas"].as_i64() == Some(wanted) {
            let mut status = status;
            status["observedGeneration"] = there.generation.into();
            return (!same(&there.status, &status)).then_some(Mirror { object: None, name, status });
        }
    }
    let mut labels = template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    labels[meta::LABEL_MANAGED_BY] = meta::MANAGED_BY.into();
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": gathered.key.namespace, "labels": labels,
            // Beneath its Deployment for clients, and gone with it; both are objects of the hub.
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": case.name, "uid": case.native.uid,
                "controller": true, "blockOwnerDeletion": false,
            }],
        },
        "spec": {
            "replicas": wanted,
            "selector": case.manifest.pointer("/spec/selector").cloned().unwrap_or_default(),
            "template": template,
        },
    });
    Some(Mirror { object: Some(object), name, status })
}

/// The status of a StatefulSet. A revision is a digest of what is delivered but for the number of replicas.
pub(super) fn stateful_set(case: &Case<'_>) -> Value {
    let (wanted, counts) = (case.wanted(), counts(case));
    let mut content = case.manifest.clone();
    if let Some(spec) = content.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
    }
    let hash: String = digest::of(&content).to_string().chars().skip("sha256:".len()).take(10).collect();
    let next = format!("{}-{hash}", Object::new(case.manifest).name());
    let before = case.native.status["currentRevision"].as_str().filter(|before| !before.is_empty());
    let done = counts.complete(wanted) && counts.ready >= wanted;
    let current = if done { next.as_str() } else { before.unwrap_or(&next) };
    json!({
        "observedGeneration": case.generation,
        "replicas": counts.total,
        "readyReplicas": counts.ready,
        "availableReplicas": counts.available,
        "currentReplicas": if current == next { counts.updated } else { counts.total.saturating_sub(counts.updated).max(0) },
        "updatedReplicas": counts.updated,
        "currentRevision": current,
        "updateRevision": next,
    })
}

/// The status of a DaemonSet; `None` while a cluster has not counted its nodes for the present generation: none wanted
/// would look like all done.
pub(super) fn daemon_set(case: &Case<'_>) -> Option<Value> {
    let wanted = || case.parts.iter().filter(|part| part.wanted);
    let counted = wanted().all(|part| part.current && part.answers && part.counted().is_some());
    if !counted || wanted().next().is_none() {
        return None;
    }
    let counts = counts(case);
    let nodes =
        case.parts.iter().map(|part| whole(part.seen.and_then(|seen| seen.wanted))).fold(0, i64::saturating_add);
    Some(json!({
        "observedGeneration": case.generation,
        "desiredNumberScheduled": nodes,
        "currentNumberScheduled": counts.total,
        "updatedNumberScheduled": counts.updated,
        "numberReady": counts.ready,
        "numberAvailable": counts.available,
        "numberUnavailable": nodes.saturating_sub(counts.available).max(0),
        "numberMisscheduled": 0,
    }))
}
