//! Validations of native kinds that the operator meets: what must be there, what may not change.

use serde_json::{Value, json};

use crate::answer::FieldError;
use crate::kinds::Kind;
use crate::subresources::matches_native;

/// What is wrong with an object; with an old one also what may not change.
pub(crate) fn check(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match kind.resource().as_str() {
        "deployments.apps" | "replicasets.apps" | "statefulsets.apps" | "daemonsets.apps" => {
            workload(object, &mut errors);
            let recreate = text(object, "/spec/strategy/type") == "Recreate";
            if recreate && object.pointer("/spec/strategy/rollingUpdate").is_some() {
                let detail = "may not be specified when strategy `type` is 'Recreate'";
                errors.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
            }
            if let Some(old) = old {
                if kind.plural == "statefulsets" {
                    stateful_set(object, old, &mut errors);
                } else {
                    immutable(object, old, "/spec/selector", &mut errors);
                }
            }
        }
        "jobs.batch" => job(object, old, &mut errors),
        "cronjobs.batch" => pod_spec(object, "/spec/jobTemplate/spec/template/spec", &mut errors),
        "pods" => pod_spec(object, "/spec", &mut errors),
        "configmaps" | "secrets" => frozen_data(object, old, &mut errors),
        "services" => service(object, old, &mut errors),
        "persistentvolumeclaims" => claim(object, old, &mut errors),
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            if let Some(old) = old.filter(|old| old.get("roleRef") != object.get("roleRef")) {
                let _ = old;
                let role = |field: &str| object["roleRef"][field].clone();
                // Printed as the internal Go type, which has no JSON names.
                let seen = json!({"APIGroup": role("apiGroup"), "Kind": role("kind"), "Name": role("name")});
                errors.push(FieldError::invalid("roleRef", &seen, "cannot change roleRef"));
            }
        }
        _ => {}
    }
    errors
}

fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn workload(object: &Value, errors: &mut Vec<FieldError>) {
    if let Some(replicas) = object.pointer("/spec/replicas").and_then(Value::as_i64).filter(|n| *n < 0) {
        errors.push(FieldError::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0"));
    }
    let selector = object.pointer("/spec/selector").filter(|selector| !selector.is_null());
    match selector {
        None => errors.push(FieldError::required("spec.selector", "")),
        Some(selector) if selector.as_object().is_some_and(serde_json::Map::is_empty) => {
            let detail = "empty selector is invalid for deployment";
            errors.push(FieldError::invalid("spec.selector", selector, detail));
        }
        Some(_) => {}
    }
    let labels = object.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
    let matches = selector.is_some_and(|selector| matches_native(selector, &json!({"metadata": {"labels": labels}})));
    if !matches {
        let seen = if labels.is_null() { json!({}) } else { labels };
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", &seen, detail));
    }
    pod_spec(object, "/spec/template/spec", errors);
}

fn pod_spec(object: &Value, pointer: &str, errors: &mut Vec<FieldError>) {
    let containers = object.pointer(&format!("{pointer}/containers")).and_then(Value::as_array);
    let at = dotted(pointer);
    if containers.is_none_or(Vec::is_empty) {
        errors.push(FieldError::required(&format!("{at}.containers"), ""));
    }
    for (i, container) in containers.into_iter().flatten().enumerate() {
        if text(container, "/name").is_empty() {
            errors.push(FieldError::required(&format!("{at}.containers[{i}].name"), ""));
        }
        if text(container, "/image").is_empty() {
            errors.push(FieldError::required(&format!("{at}.containers[{i}].image"), ""));
        }
    }
}

fn immutable(object: &Value, old: &Value, pointer: &str, errors: &mut Vec<FieldError>) {
    if object.pointer(pointer) != old.pointer(pointer) {
        let seen = object.pointer(pointer).cloned().unwrap_or_default();
        errors.push(FieldError::invalid(&dotted(pointer), &seen, "field is immutable"));
    }
}

/// What a StatefulSet may change.
const STATEFUL_CHANGES: &[&str] = &[
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

fn stateful_set(object: &Value, old: &Value, errors: &mut Vec<FieldError>) {
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.retain(|name, _| !STATEFUL_CHANGES.contains(&name.as_str()));
        }
        spec
    };
    if fixed(object) != fixed(old) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        errors.push(FieldError::forbidden("spec", detail));
    }
}

fn job(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    pod_spec(object, "/spec/template/spec", errors);
    let policy = text(object, "/spec/template/spec/restartPolicy");
    if !matches!(policy, "OnFailure" | "Never") {
        let detail = "valid values: \"OnFailure\", \"Never\"";
        errors.push(FieldError::required("spec.template.spec.restartPolicy", detail));
    }
    let Some(old) = old else { return };
    immutable(object, old, "/spec/completions", errors);
    immutable(object, old, "/spec/selector", errors);
    immutable(object, old, "/spec/template", errors);
    immutable(object, old, "/spec/completionMode", errors);
}

/// Data that was declared immutable.
fn frozen_data(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let Some(old) = old.filter(|old| old.get("immutable") == Some(&json!(true))) else {
        return;
    };
    let detail = "field is immutable when `immutable` is set";
    if object.get("immutable") != Some(&json!(true)) {
        errors.push(FieldError::forbidden("immutable", detail));
    }
    for field in ["data", "binaryData"] {
        if object.get(field) != old.get(field) {
            errors.push(FieldError::forbidden(field, detail));
        }
    }
}

fn service(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let headless = text(object, "/spec/clusterIP") == "None";
    let kind = text(object, "/spec/type");
    let ports = object.pointer("/spec/ports").and_then(Value::as_array).is_some_and(|ports| !ports.is_empty());
    if !ports && !headless && kind != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    let ports = object.pointer("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
    for (i, port) in ports.iter().enumerate().filter(|_| ports.len() > 1) {
        if text(port, "/name").is_empty() {
            errors.push(FieldError::required(&format!("spec.ports[{i}].name"), ""));
        }
    }
    let Some(old) = old else { return };
    let (before, after) = (text(old, "/spec/clusterIP"), text(object, "/spec/clusterIP"));
    if kind != "ExternalName" && !before.is_empty() && before != after {
        errors.push(FieldError::invalid("spec.clusterIPs[0]", &json!([after]), "may not change once set"));
    }
}

fn claim(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    if object.pointer("/spec/accessModes").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        errors.push(FieldError::required("spec.accessModes", "at least 1 access mode is required"));
    }
    if object.pointer("/spec/resources/requests/storage").is_none() {
        errors.push(FieldError::required("spec.resources[storage]", ""));
    }
    let Some(old) = old else { return };
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.retain(|name, _| name != "resources" && name != "volumeAttributesClassName");
        }
        spec
    };
    if fixed(object) != fixed(old) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.push(FieldError::forbidden("spec", detail));
    }
}
