//! Native objects that a workload's `select` takes: which they are, what they need, and how they read as manifests.
//!
//! Taken is what the labels and kinds say, and what that needs by name (configuration, credentials, accounts, claims).
//! What something else makes is left out: objects with a controller above them, hooks of Helm, what every cluster has of
//! its own. A manifest is the object as its author wrote it: what an API server or a controller put in is taken out, so
//! that the same intent on two hubs reads the same.
//!
//! Pure. Following objects is the control room's; a folder of YAML is selected from in the same way.

use std::collections::BTreeSet;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{LabelOperator, ObjectSelection, WorkloadObject};
use serde_json::Value;

use crate::dependencies::Graph;
use crate::object::{Object, items};
use crate::profile::Profiles;
use crate::wrap::entry_name;

/// Metadata that belongs to the author of an object.
const AUTHORS: [&str; 4] = ["annotations", "labels", "name", "namespace"];

/// Annotations that a server or a client put there for itself, whole or by their beginning.
const OTHERS_ANNOTATIONS: &[&str] = &[
    "autoscaling.alpha.kubernetes.io/",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/",
];

/// Labels that the API server puts on the pods of a Job, each with the uid or name of exactly that Job.
const JOB_LABELS: [&str; 4] =
    ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

/// Types of Secrets that belong to a cluster or a tool and never to a workload.
const OTHERS_SECRETS: [&str; 3] =
    ["bootstrap.kubernetes.io/token", "helm.sh/release.v1", "kubernetes.io/service-account-token"];

/// Takes from the manifests of one namespace, as [`prepare`] gives them: entries of a workload in the order of their
/// names there.
#[must_use]
pub fn select(
    selection: &ObjectSelection,
    namespace: &str,
    manifests: &[Value],
    profiles: &Profiles,
) -> Vec<WorkloadObject> {
    let all = manifests.iter().enumerate();
    let roots: Vec<usize> =
        all.filter(|(_, manifest)| takes(selection, Object::new(manifest))).map(|(index, _)| index).collect();
    if roots.is_empty() {
        return Vec::new();
    }
    let graph = Graph::new(manifests, namespace, profiles);
    let mut taken = BTreeSet::new();
    let mut todo = roots;
    while let Some(index) = todo.pop() {
        if taken.insert(index) {
            todo.extend(graph.needs(index));
        }
    }
    let mut names = BTreeSet::new();
    let entry = |index: usize| {
        let manifest = manifests.get(index)?.clone();
        let name = entry_name(Object::new(&manifest), &mut names).into();
        Some(WorkloadObject { name, manifest, ..WorkloadObject::default() })
    };
    let mut entries: Vec<WorkloadObject> = graph.sorted(taken).into_iter().filter_map(entry).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

/// A native object as its author wrote it; `None` where no workload may have it.
#[must_use]
pub fn prepare(native: &Value) -> Option<Value> {
    is_anyones(Object::new(native)).then(|| manifest(native))
}

/// Whether the kinds and labels of a selection take an object.
#[must_use]
pub fn takes(selection: &ObjectSelection, object: Object<'_>) -> bool {
    let labels = object.labels();
    let kinds = &selection.kinds;
    let kind = kinds.iter().any(|k| *k.api_version == *object.api_version() && *k.kind == *object.kind());
    (kinds.is_empty() || kind)
        && selection.labels.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selection.labels.expressions.iter().all(|expression| {
            let own = labels.get(expression.key.as_ref());
            let listed = own.is_some_and(|own| expression.values.iter().any(|value| *value == own.as_str()));
            match expression.operator {
                LabelOperator::In => listed,
                LabelOperator::NotIn => !listed,
                LabelOperator::Exists => own.is_some(),
                LabelOperator::DoesNotExist => own.is_none(),
            }
        })
}

/// Whether a person or a tool for people made an object, so that a workload may have it.
fn is_anyones(object: Object<'_>) -> bool {
    let owners = items(object.value, "/metadata/ownerReferences");
    let owned = owners.iter().any(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let of_every_cluster = matches!(
        (object.group(), object.kind(), object.name()),
        ("", "ConfigMap", "kube-root-ca.crt") | ("", "ServiceAccount", "default")
    );
    let others = object.kind() == "Secret" && OTHERS_SECRETS.contains(&object.text("/type"));
    let hook = object.annotation("helm.sh/hook").is_some();
    !(owned || of_every_cluster || others || hook || object.group() == meta::GROUP)
}

fn manifest(native: &Value) -> Value {
    let mut value = native.clone();
    let Some(map) = value.as_object_mut() else { return value };
    map.remove("status");
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| AUTHORS.contains(&field.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !OTHERS_ANNOTATIONS.iter().any(|theirs| key.starts_with(theirs)));
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    for template in ["/spec/template", "/spec/jobTemplate", "/spec/jobTemplate/spec/template"] {
        take(&mut value, &format!("{template}/metadata"), "creationTimestamp");
    }
    let view = Object::new(native);
    if view.text("/metadata/uid").is_empty() {
        return value; // no API server had it yet: all of it is its author's
    }
    match (view.group(), view.kind()) {
        ("", "Service") => service(&mut value, native),
        ("", "PersistentVolumeClaim") if !states(native, "volumeName") => drop(take(&mut value, "/spec", "volumeName")),
        // Tokens that a controller made for the account on its own cluster.
        ("", "ServiceAccount") => drop(take(&mut value, "", "secrets")),
        ("batch", "Job") if native.pointer("/spec/manualSelector") != Some(&Value::Bool(true)) => job(&mut value),
        _ => {}
    }
    value
}

/// Addresses and ports of a Service are handed out by each cluster; those that were asked for stay.
fn service(value: &mut Value, native: &Value) {
    let headless = value.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None");
    for field in ["clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies"] {
        if field != "clusterIP" || !headless {
            take(value, "/spec", field);
        }
    }
    if value.pointer("/spec/ipFamilyPolicy").and_then(Value::as_str) == Some("SingleStack") {
        take(value, "/spec", "ipFamilyPolicy");
    }
    if states(native, "nodePort") {
        return;
    }
    for port in value.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        port.as_object_mut().map(|port| port.remove("nodePort"));
    }
}

/// The API server gives a Job a selector and labels with its uid; every cluster makes its own.
fn job(value: &mut Value) {
    take(value, "/spec", "selector");
    for label in JOB_LABELS {
        take(value, "/spec/template/metadata/labels", label);
    }
}

/// Whether anybody wrote a field of the spec: what an API server hands out by itself stands in nobody's managed fields.
fn states(native: &Value, field: &str) -> bool {
    let wanted = format!("f:{field}");
    let of_spec = |entry: &Value| entry.pointer("/fieldsV1/f:spec").is_some_and(|fields| holds(fields, &wanted));
    items(native, "/metadata/managedFields").iter().any(of_spec)
}

fn holds(fields: &Value, wanted: &str) -> bool {
    fields.as_object().into_iter().flatten().any(|(key, below)| key == wanted || holds(below, wanted))
}

fn take(value: &mut Value, parent: &str, field: &str) -> Option<Value> {
    value.pointer_mut(parent)?.as_object_mut()?.remove(field)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn selection(app: &str) -> ObjectSelection {
        serde_json::from_value(json!({"labels": {"labels": {"app": app}}})).unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn native(api: &str, kind: &str, name: &str, app: &str, rest: Value) -> Value {
        let mut value = json!({"apiVersion": api, "kind": kind,
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}, "uid": format!("u-{name}"),
                "resourceVersion": "7", "generation": 2, "creationTimestamp": "2026-11-23T00:00:00Z"},
            "status": {"observedGeneration": 2}});
        for (key, item) in rest.as_object().cloned().unwrap_or_default() {
            match (value.get_mut(&key).and_then(Value::as_object_mut), item.as_object()) {
                (Some(map), Some(more)) => map.extend(more.clone()),
                _ => value[key] = item,
            }
        }
        value
    }

    fn shop() -> Vec<Value> {
        let pod = json!({"serviceAccountName": "web", "containers": [{"name": "web", "image": "x",
            "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "password"}}]}]});
        let template = json!({"spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}});
        let made =
            json!({"metadata": {"ownerReferences": [{"kind": "Deployment", "name": "web", "controller": true}]}});
        vec![
            native("apps/v1", "Deployment", "web", "web", template),
            native("v1", "ConfigMap", "settings", "other", json!({"data": {"a": "1"}})),
            native("v1", "ConfigMap", "unused", "other", json!({"data": {"a": "1"}})),
            native("v1", "Secret", "password", "other", json!({"data": {"a": "MQ=="}})),
            native("v1", "ServiceAccount", "web", "other", json!({"secrets": [{"name": "web-token"}]})),
            native("v1", "Service", "web", "web", json!({"spec": {"selector": {"app": "web"}}})),
            native("apps/v1", "ReplicaSet", "web-1", "web", made),
            native(
                "batch/v1",
                "Job",
                "migrate",
                "web",
                json!({"metadata": {"annotations": {"helm.sh/hook": "pre-upgrade"}}}),
            ),
            native("v1", "Secret", "sh.helm.release.v1.web.v1", "web", json!({"type": "helm.sh/release.v1"})),
            native("v1", "ConfigMap", "kube-root-ca.crt", "web", json!({})),
        ]
    }

    fn names(selection: &ObjectSelection, natives: &[Value]) -> Vec<String> {
        let manifests: Vec<Value> = natives.iter().filter_map(prepare).collect();
        let selected = select(selection, "shop", &manifests, &Profiles::default());
        selected.iter().map(|entry| entry.name.to_string()).collect()
    }

    #[test]
    fn what_is_selected_takes_along_what_it_needs_and_nothing_that_others_make() {
        let taken = ["configmap-settings", "deployment-web", "secret-password", "service-web", "serviceaccount-web"];
        assert_eq!(names(&selection("web"), &shop()), taken);
        assert_eq!(names(&selection("nobody"), &shop()), [""; 0]);
    }

    #[test]
    fn kinds_narrow_what_is_taken_by_label_and_not_what_that_needs() {
        let mut only = selection("web");
        only.kinds = serde_json::from_value(json!([{"apiVersion": "apps/v1", "kind": "Deployment"}])).unwrap();
        let taken = ["configmap-settings", "deployment-web", "secret-password", "serviceaccount-web"];
        assert_eq!(names(&only, &shop()), taken);
    }

    #[test]
    fn a_manifest_is_what_its_author_wrote() {
        let service = |spec: Value, managed: Value| {
            let mut service = native("v1", "Service", "web", "web", json!({"spec": spec}));
            service["metadata"]["managedFields"] = managed;
            service["metadata"]["annotations"] =
                json!({"kubectl.kubernetes.io/last-applied-configuration": "{}", "pv.kubernetes.io/x": "y"});
            manifest(&service)
        };
        let given = json!({"type": "NodePort", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"],
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80, "nodePort": 30080}]});
        let plain = service(given.clone(), json!([]));
        assert_eq!(plain["spec"], json!({"type": "NodePort", "ports": [{"port": 80}]}));
        assert_eq!(plain["metadata"], json!({"name": "web", "namespace": "shop", "labels": {"app": "web"}}));
        assert_eq!(plain.get("status"), None);
        let asked = json!([{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:ports": {"k:{\"port\":80}": {"f:nodePort": {}}}}}}]);
        assert_eq!(service(given, asked)["spec"]["ports"], json!([{"port": 80, "nodePort": 30080}]));
        let mut written =
            native("v1", "Service", "web", "web", json!({"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}));
        written["metadata"].as_object_mut().unwrap().remove("uid");
        assert_eq!(manifest(&written)["spec"]["ports"][0]["nodePort"], 30080, "a file says what its author means");
        let headless = service(json!({"clusterIP": "None", "clusterIPs": ["None"]}), json!([]));
        assert_eq!(headless["spec"], json!({"clusterIP": "None"}));
        let labels = json!({"app": "x", "controller-uid": "u", "job-name": "x"});
        let job = native(
            "batch/v1",
            "Job",
            "x",
            "web",
            json!({"spec": {"selector": {"matchLabels": {"controller-uid": "u"}}, "template": {"metadata": {"labels": labels, "creationTimestamp": null}}}}),
        );
        assert_eq!(manifest(&job)["spec"], json!({"template": {"metadata": {"labels": {"app": "x"}}}}));
        let claim = native("v1", "PersistentVolumeClaim", "x", "web", json!({"spec": {"volumeName": "pv-1"}}));
        assert_eq!(manifest(&claim)["spec"], json!({}));
    }

    proptest! {
        #[test]
        fn the_order_of_the_natives_changes_nothing(order in Just((0..shop().len()).collect::<Vec<_>>()).prop_shuffle()) {
            let shuffled: Vec<Value> = order.iter().map(|index| shop()[*index].clone()).collect();
            prop_assert_eq!(names(&selection("web"), &shuffled), names(&selection("web"), &shop()));
        }
    }
}
