//! `metadata` of any object: a CRD's schema says nothing about it, the API server checks it all the same.

use std::sync::LazyLock;

use jiuzhou_engine::terms::{Code, Finding, Reason};
use regex::Regex;
use serde_json::{Value, json};

use crate::documents::Document;

use super::compile::Schema;
use super::{prune, structure};

/// RFC 1123 subdomain, what Kubernetes accepts as the name of a custom resource.
const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// RFC 1123 label, what Kubernetes accepts as the name of a namespace.
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// A label key without its prefix, and every label value that is not empty.
const LABEL_VALUE: &str = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$";

/// The fields of `ObjectMeta` (Kubernetes API reference), with the bounds that hold for all kinds.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let whole = json!({"type": "integer"});
    Schema::compile(&json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "metadata": {"type": "object", "properties": {
            "name": {"type": "string", "maxLength": 253},
            "generateName": text, "namespace": {"type": "string", "maxLength": 63},
            "labels": {"type": "object", "additionalProperties": {
                "type": "string", "maxLength": 63, "pattern": LABEL_VALUE}},
            "annotations": {"type": "object", "additionalProperties": text},
            "finalizers": {"type": "array", "items": text},
            "ownerReferences": {"type": "array", "items": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            "managedFields": {"type": "array", "items": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            "uid": text, "resourceVersion": text, "selfLink": text, "generation": whole,
            "creationTimestamp": {"type": "string", "nullable": true, "format": "date-time"},
            "deletionTimestamp": {"type": "string", "nullable": true, "format": "date-time"},
            "deletionGracePeriodSeconds": whole,
        }},
    }}))
});

static SUBDOMAIN_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SUBDOMAIN).ok());
static LABEL_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LABEL).ok());

/// Checks `metadata` of an object of ours.
pub(super) fn check(document: &Document, value: &Value, findings: &mut Vec<Finding>) {
    let Some(metadata) = value.get("metadata") else { return };
    if let Some(schema) = SCHEMA.field("metadata") {
        prune::unknown(document, &mut metadata.clone(), schema, "/metadata", findings);
    }
    check_native_metadata(document, value, findings);
    name(document, "metadata.name", &document.name, &SUBDOMAIN_RE, findings);
}

/// Checks `metadata` of a native object: types and labels only, for names of some native kinds are freer.
pub(crate) fn check_native_metadata(document: &Document, value: &Value, findings: &mut Vec<Finding>) {
    let Some(metadata) = value.get("metadata") else { return };
    // Names of roles and bindings are path segments (`system:masters`); everything else is a DNS subdomain.
    if !document.name.is_empty() && document.group_version().0 != "rbac.authorization.k8s.io" {
        name(document, "metadata.name", &document.name, &SUBDOMAIN_RE, findings);
    }
    structure::check(document, &json!({"metadata": metadata}), &SCHEMA, findings);
}

/// Whether the namespace fits the scope of the kind.
pub(super) fn check_scope(document: &mut Document, namespaced: bool, findings: &mut Vec<Finding>) {
    let pointer = "/metadata/namespace";
    if namespaced && document.namespace.is_empty() {
        let reason = Reason::new(Code::NamespaceMissing).object(document.object_ref().to_string());
        findings.push(document.finding(reason, pointer));
        document.namespace = "default".to_owned();
    } else if namespaced {
        name(document, "metadata.namespace", &document.namespace, &LABEL_RE, findings);
    } else if !document.namespace.is_empty() {
        let namespace = std::mem::take(&mut document.namespace);
        let reason = Reason::new(Code::NamespaceIgnored).object(document.object_ref().to_string()).seen(namespace);
        findings.push(document.finding(reason, pointer));
    }
}

fn name(document: &Document, field: &str, text: &str, pattern: &Option<Regex>, findings: &mut Vec<Finding>) {
    if !pattern.as_ref().is_some_and(|regex| regex.is_match(text)) {
        let wanted = pattern.as_ref().map_or("", Regex::as_str);
        let reason = Reason::new(Code::NameInvalid).object(field).seen(text).wanted(wanted);
        findings.push(document.finding(reason, &format!("/{}", field.replace('.', "/"))));
    }
}
