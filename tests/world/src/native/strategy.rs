//! What create and update do by kind: which part is reset, when the generation moves, what a server fills in.

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::meta;
use crate::tick::NOT_READY;
use crate::world::Inner;

use super::TEMPLATE_GENERATION;

/// Native kinds whose generation follows their spec.
const WITH_GENERATION: &[&str] = &[
    "customresourcedefinitions.apiextensions.k8s.io",
    "cronjobs.batch",
    "daemonsets.apps",
    "deployments.apps",
    "ingressclasses.networking.k8s.io",
    "ingresses.networking.k8s.io",
    "jobs.batch",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "pods",
    "priorityclasses.scheduling.k8s.io",
    "replicasets.apps",
    "statefulsets.apps",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
];

/// Native kinds whose PUT makes an object that is not there.
const CREATED_BY_UPDATE: &[&str] = &[
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "endpoints",
    "leases.coordination.k8s.io",
    "limitranges",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "services",
];

/// Native kinds whose PUT must carry a resourceVersion.
const NEEDS_VERSION: &[&str] = &[
    "customresourcedefinitions.apiextensions.k8s.io",
    "leases.coordination.k8s.io",
    "poddisruptionbudgets.policy",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
];

/// Native kinds whose status endpoint leaves the labels alone.
const STATUS_KEEPS_LABELS: &[&str] = &["deployments.apps", "statefulsets.apps"];

pub(crate) fn may_create_on_update(kind: &Kind) -> bool {
    kind.is_one_of(CREATED_BY_UPDATE)
}

pub(crate) fn needs_version(kind: &Kind) -> bool {
    kind.is_one_of(NEEDS_VERSION)
}

pub(crate) fn status_keeps_labels(kind: &Kind) -> bool {
    kind.is_one_of(STATUS_KEEPS_LABELS)
}

/// Whether an object waits for finalizers of another kind than those in its metadata.
pub(crate) fn has_other_finalizers(kind: &Kind, object: &Value) -> bool {
    kind.is_one_of(&["namespaces"])
        && object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// Whether a new object is read with more than is stored of it: a claim, a job without labels, an applied namespace. Seen
/// on a real server: the first update after the create raises the revision though nothing changes.
pub(crate) fn is_read_with_more(kind: &Kind, object: &Value, applied: bool) -> bool {
    kind.is_one_of(&["persistentvolumeclaims"])
        || kind.is_one_of(&["jobs.batch"]) && object.pointer("/metadata/labels").is_none()
        || kind.is_one_of(&["namespaces"]) && applied
}

/// Whether the status goes its own way.
fn has_own_status(kind: &Kind) -> bool {
    kind.status
}

/// Fills a new object in.
pub(crate) fn prepare_new(world: &mut Inner, kind: &Kind, object: &mut Value) {
    if !kind.native {
        if kind.status
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        // A default of the status as a whole is read, and stored by the next update only.
        let before = object.clone();
        crate::schema::decode::default(object, &kind.schema);
        if *object != before {
            let (namespace, name) = (meta::text(object, "namespace").to_owned(), meta::text(object, "name").to_owned());
            world.unsaved.insert(crate::store::Key::new(&kind.resource(), &namespace, &name));
        }
        meta::metadata(object).insert("generation".to_owned(), json!(1));
        return;
    }
    if kind.is_one_of(WITH_GENERATION) {
        meta::metadata(object).insert("generation".to_owned(), json!(1));
    }
    if has_own_status(kind) && !kind.is_one_of(&["nodes"]) {
        object["status"] = new_status(kind, object);
    }
    match kind.resource().as_str() {
        "namespaces" => object["spec"]["finalizers"] = json!(["kubernetes"]),
        "persistentvolumeclaims" => add_finalizer(object, "kubernetes.io/pvc-protection"),
        "persistentvolumes" => add_finalizer(object, "kubernetes.io/pv-protection"),
        "services" => address(world, object),
        "daemonsets.apps" => object["metadata"]["annotations"][TEMPLATE_GENERATION] = json!("1"),
        "nodes" => {
            let mut taints = object.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
            if !taints.iter().any(|taint| taint["key"] == NOT_READY) {
                taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
                object["spec"]["taints"] = json!(taints);
            }
        }
        "jobs.batch" => job_selector(object),
        _ => {}
    }
}

fn new_status(kind: &Kind, object: &Value) -> Value {
    let status = |field: &str| object.pointer(&format!("/status/{field}")).cloned();
    match kind.resource().as_str() {
        "namespaces" => json!({"phase": "Active"}),
        "persistentvolumeclaims" | "persistentvolumes" => json!({"phase": "Pending"}),
        "pods" => json!({"phase": "Pending", "qosClass": quality(object)}),
        "services" => json!({"loadBalancer": {}}),
        "ingresses.networking.k8s.io" => json!({"loadBalancer": {}}),
        "daemonsets.apps" => {
            json!({"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0})
        }
        "replicasets.apps" => json!({"replicas": 0}),
        "statefulsets.apps" => json!({"replicas": 0, "availableReplicas": 0}),
        "horizontalpodautoscalers.autoscaling" => {
            json!({"desiredReplicas": 0, "currentMetrics": null})
        }
        "poddisruptionbudgets.policy" => {
            json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0})
        }
        "customresourcedefinitions.apiextensions.k8s.io" => definition_status(object),
        _ => status("").unwrap_or(json!({})),
    }
}

/// A new definition has no accepted names yet.
fn definition_status(object: &Value) -> Value {
    let versions: Vec<&Value> = object
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| &version["name"])
        .collect();
    json!({"storedVersions": versions, "acceptedNames": {"plural": "", "kind": ""}, "conditions": null})
}

/// What the controllers of a server make of a new definition: names, conditions, a finalizer. The world does it at once.
pub(crate) fn established(object: &Value, now: &str) -> Value {
    let mut out = object.clone();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    out["status"]["acceptedNames"] = object.pointer("/spec/names").cloned().unwrap_or_default();
    out["status"]["conditions"] = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    add_finalizer(&mut out, "customresourcecleanup.apiextensions.k8s.io");
    out
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    if !meta::finalizers(object).contains(&finalizer) {
        let mut list = object.pointer("/metadata/finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
        list.push(json!(finalizer));
        meta::metadata(object).insert("finalizers".to_owned(), json!(list));
    }
}

/// A service gets its address, and the same one in the list of addresses.
fn address(world: &mut Inner, object: &mut Value) {
    let spec = &mut object["spec"];
    if spec["type"] == "ExternalName" {
        return;
    }
    let given = spec.get("clusterIP").and_then(Value::as_str).filter(|ip| !ip.is_empty()).map(str::to_owned);
    let first = spec.pointer("/clusterIPs/0").and_then(Value::as_str).map(str::to_owned);
    let address = given.or(first).unwrap_or_else(|| world.new_address());
    spec["clusterIP"] = json!(address);
    spec["clusterIPs"] = json!([address]);
    if spec.get("ipFamilies").is_none() {
        spec["ipFamilies"] = json!(["IPv4"]);
    }
    if spec.get("ipFamilyPolicy").is_none() {
        spec["ipFamilyPolicy"] = json!("SingleStack");
    }
}

/// The pods of a job are told by its uid, in the selector and in the labels of the template.
fn job_selector(object: &mut Value) {
    if object.pointer("/spec/manualSelector") == Some(&json!(true)) {
        return;
    }
    let uid = meta::text(object, "uid").to_owned();
    let name = meta::text(object, "name").to_owned();
    let labels = &mut object["spec"]["template"]["metadata"]["labels"];
    labels["batch.kubernetes.io/controller-uid"] = json!(uid);
    labels["batch.kubernetes.io/job-name"] = json!(name);
    labels["controller-uid"] = json!(uid);
    labels["job-name"] = json!(name);
    let labels = labels.clone();
    // A job without labels takes those of its template, when it is read.
    if object.pointer("/metadata/labels").is_none() {
        object["metadata"]["labels"] = labels;
    }
    object["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = json!(uid);
}

fn quality(pod: &Value) -> &'static str {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array).cloned().unwrap_or_default();
    let part =
        |container: &Value, part: &str| container.pointer(&format!("/resources/{part}")).cloned().unwrap_or_default();
    let none = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    if containers.iter().all(|c| none(&part(c, "requests")) && none(&part(c, "limits"))) {
        return "BestEffort";
    }
    let full = |c: &Value| {
        let limits = part(c, "limits");
        limits.get("cpu").is_some() && limits.get("memory").is_some() && limits == part(c, "requests")
    };
    if containers.iter().all(full) { "Guaranteed" } else { "Burstable" }
}

/// Puts back what the main endpoint does not change.
pub(crate) fn prepare_change(kind: &Kind, object: &mut Value, old: &Value) {
    if has_own_status(kind) {
        match (old.get("status"), object.as_object_mut()) {
            (Some(status), Some(fields)) => {
                fields.insert("status".to_owned(), status.clone());
            }
            (None, Some(fields)) => {
                fields.remove("status");
            }
            _ => {}
        }
    }
    if kind.is_one_of(&["namespaces"]) {
        // Only the finalize endpoint changes these.
        match old.pointer("/spec/finalizers") {
            Some(list) => object["spec"]["finalizers"] = list.clone(),
            None => object["spec"] = json!({}),
        }
    }
    if kind.is_one_of(&["services"]) && object["spec"]["type"] != "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if object["spec"].get(field).is_none()
                && let Some(value) = old["spec"].get(field)
            {
                object["spec"][field] = value.clone();
            }
        }
    }
    if kind.is_one_of(&["daemonsets.apps"]) {
        let before = old.pointer("/metadata/annotations").and_then(|a| a.get(TEMPLATE_GENERATION)).cloned();
        let number = before.as_ref().and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok()).unwrap_or(1);
        let next = number + i64::from(object.pointer("/spec/template") != old.pointer("/spec/template"));
        object["metadata"]["annotations"][TEMPLATE_GENERATION] = json!(next.to_string());
    }
    if kind.is_one_of(&["jobs.batch"]) && object.pointer("/spec/selector").is_none() {
        object["spec"]["selector"] = old["spec"]["selector"].clone();
    }
}

/// Puts back what the status endpoint does not change.
pub(crate) fn prepare_status(kind: &Kind, object: &mut Value, old: &Value) {
    if !kind.native {
        let status = object.get("status").cloned();
        let managed = object.pointer("/metadata/managedFields").cloned();
        let version = object.pointer("/metadata/resourceVersion").cloned();
        *object = old.clone();
        for (field, value) in [("managedFields", managed), ("resourceVersion", version)] {
            match value {
                Some(value) => meta::metadata(object).insert(field.to_owned(), value),
                None => meta::metadata(object).remove(field),
            };
        }
        if let Some(fields) = object.as_object_mut() {
            match status {
                Some(status) => fields.insert("status".to_owned(), status),
                None => fields.remove("status"),
            };
        }
        return;
    }
    if let Some(spec) = old.get("spec") {
        object["spec"] = spec.clone();
    }
    if status_keeps_labels(kind) {
        match old.pointer("/metadata/labels") {
            Some(labels) => meta::metadata(object).insert("labels".to_owned(), labels.clone()),
            None => meta::metadata(object).remove("labels"),
        };
    }
}

/// Whether a change of the object moves its generation.
pub(crate) fn generation_moves(kind: &Kind, object: &Value, old: &Value) -> bool {
    if kind.native {
        return kind.is_one_of(WITH_GENERATION) && object.get("spec") != old.get("spec");
    }
    let content = |object: &Value| {
        let mut out = object.clone();
        if let Some(fields) = out.as_object_mut() {
            fields.remove("metadata");
        }
        out
    };
    content(object) != content(old)
}
