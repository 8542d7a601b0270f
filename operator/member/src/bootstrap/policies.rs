//! ValidatingAdmissionPolicies of a member: what keeps our objects ours, and the hub's account at its work.
//!
//! They stop accidents and tenants, not the cluster's own administrators (`system:masters`), who could remove them anyway.
//! An object of ours may be changed by others (drift is corrected or reported by the delivery), but not taken out of our
//! sight by its labels, and not deleted. The claim of a hub is changed by a hub only.

use jiuzhou_api::meta;
use serde_json::{Value, json};

use super::rights::KINDS;
use super::{hub_user, labels};

const API: &str = "admissionregistration.k8s.io/v1";

/// All policies with their bindings.
pub(super) fn all() -> Vec<Value> {
    let mut all = Vec::new();
    for (name, policy) in
        [("jiuzhou-objects", objects()), ("jiuzhou-namespaces", namespaces()), ("jiuzhou-hub-account", hub_account())]
    {
        all.push(json!({
            "apiVersion": API, "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": name, "labels": labels() },
            "spec": policy,
        }));
        all.push(json!({
            "apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": name, "labels": labels() },
            "spec": { "policyName": name, "validationActions": ["Deny"] },
        }));
    }
    all
}

/// Who may: our own accounts, Kubernetes' own controllers (garbage collection, the end of a namespace), and the
/// cluster's administrators.
fn allowed() -> Value {
    let tenants = format!("system:serviceaccounts:{}", meta::TENANTS_NAMESPACE);
    let ours = format!("system:serviceaccounts:{}", meta::SYSTEM_NAMESPACE);
    let groups = [tenants.as_str(), ours.as_str(), "system:serviceaccounts:kube-system", "system:masters"];
    let group = |group: &str| format!("'{group}' in request.userInfo.groups");
    let any: Vec<String> = groups.into_iter().map(group).collect();
    let expression = format!("{} || request.userInfo.username.startsWith('system:kube-')", any.join(" || "));
    json!({ "name": "allowed", "expression": expression })
}

/// Our labels and annotations are as before.
fn marks_kept() -> String {
    let part = |part: &str| {
        let of = |object: &str| format!("(has({object}.metadata.{part}) ? {object}.metadata.{part} : {{}})");
        let (new, old) = (of("object"), of("oldObject"));
        let ours = "(k.startsWith('jiuzhou.dev/') || k == 'app.kubernetes.io/managed-by')";
        format!("{old}.all(k, !{ours} || (k in {new} && {new}[k] == {old}[k])) && {new}.all(k, !{ours} || k in {old})")
    };
    format!("{} && {}", part("labels"), part("annotations"))
}

fn rules(resources: &[(&str, &str, &str)], operations: &[&str]) -> Value {
    resources
        .iter()
        .map(|(group, version, resource)| {
            json!({ "apiGroups": [group], "apiVersions": [version], "resources": [resource], "operations": operations })
        })
        .collect()
}

fn ours() -> Value {
    json!({ "matchLabels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY } })
}

/// Only `update` and `delete`: who makes an object with our label makes one that we refuse to take over.
fn objects() -> Value {
    let kinds: Vec<(&str, &str, &str)> = KINDS.iter().map(|kind| (kind.group, kind.version, kind.resource)).collect();
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": { "resourceRules": rules(&kinds, &["UPDATE", "DELETE"]), "objectSelector": ours() },
        "variables": [allowed()],
        "validations": [
            {
                "expression": "request.operation != 'DELETE' || variables.allowed",
                "message": "this object is delivered by Jiuzhou: remove it from its FleetWorkload on the hub",
                "reason": "Forbidden",
            },
            {
                "expression": format!("request.operation != 'UPDATE' || variables.allowed || ({})", marks_kept()),
                "message": "labels and annotations of jiuzhou.dev are kept by Jiuzhou only",
                "reason": "Forbidden",
            },
        ],
    })
}

fn namespaces() -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": rules(&[("", "v1", "namespaces")], &["UPDATE", "DELETE"]), "objectSelector": ours(),
        },
        "variables": [allowed()],
        "validations": [
            {
                "expression": "request.operation != 'DELETE' || variables.allowed",
                "message": "this namespace belongs to a tenant of Jiuzhou: remove it from the Tenant on the hub",
                "reason": "Forbidden",
            },
            {
                "expression": format!("request.operation != 'UPDATE' || variables.allowed || ({})", marks_kept()),
                "message": "labels and annotations of jiuzhou.dev are kept by Jiuzhou only",
                "reason": "Forbidden",
            },
        ],
    })
}

/// The hub's account keeps to namespaces of ours.
fn hub_account() -> Value {
    let has = |object: &str| {
        format!(
            "has({object}.metadata.labels) && '{key}' in {object}.metadata.labels && \
             {object}.metadata.labels['{key}'] == '{value}'",
            key = meta::LABEL_MANAGED_BY,
            value = meta::MANAGED_BY
        )
    };
    let kept =
        ["default", "kube-system", "kube-public", "kube-node-lease", meta::SYSTEM_NAMESPACE, meta::TENANTS_NAMESPACE];
    let kept: Vec<String> = kept.iter().map(|name| format!("'{name}'")).collect();
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": rules(&[("", "v1", "namespaces")], &["CREATE", "UPDATE", "DELETE"]),
        },
        "matchConditions": [
            { "name": "the-hub", "expression": format!("request.userInfo.username == '{}'", hub_user()) },
        ],
        "validations": [
            {
                "expression": format!("!(request.name in [{}])", kept.join(", ")),
                "message": "the hub does not touch the namespaces of the cluster itself",
            },
            {
                "expression": format!("request.operation == 'DELETE' || ({})", has("object")),
                "message": "the hub makes and changes namespaces with its label only",
            },
            {
                "expression": format!("request.operation == 'CREATE' || ({})", has("oldObject")),
                "message": "this namespace is not the hub's",
            },
        ],
    })
}
