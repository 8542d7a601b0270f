//! The metadata every kind has: names, labels, finalizers, owners; what may change and what an update may not touch.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::answer::FieldError;
use crate::kinds::Kind;

/// A rule for names or label values: a pattern and the sentence for what breaks it.
struct Rule {
    pattern: &'static str,
    longest: usize,
    sentence: &'static str,
}

const SUBDOMAIN: Rule = Rule {
    pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    longest: 253,
    sentence: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
};
const LABEL: Rule = Rule {
    pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    longest: 63,
    sentence: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
};
const LABEL_VALUE: Rule = Rule {
    pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
    longest: 63,
    sentence: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
};

static PATTERNS: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    [SUBDOMAIN, LABEL, LABEL_VALUE]
        .into_iter()
        .map(|rule| (rule.pattern, Regex::new(rule.pattern).expect("the patterns of names are regular")))
        .collect()
});

impl Rule {
    fn broken(&self, text: &str) -> Option<String> {
        if text.len() > self.longest {
            return Some(format!("must be no more than {} bytes", self.longest));
        }
        let matched = PATTERNS.iter().any(|(pattern, regex)| *pattern == self.pattern && regex.is_match(text));
        (!matched).then(|| self.sentence.to_owned())
    }
}

/// A text field of `metadata`.
pub(crate) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object.get("metadata").and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// `metadata` of an object, made when it is missing.
pub(crate) fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"].as_object_mut().expect("metadata was made a map above")
}

/// Finalizers of an object.
pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a deletion is under way.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// Generation, 0 when the kind has none.
pub(crate) fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

/// Raises the generation of an object that has one.
pub(crate) fn bump_generation(object: &mut Value) {
    let next = generation(object) + 1;
    if next > 1 {
        metadata(object).insert("generation".to_owned(), json!(next));
    }
}

/// The object without what the server says about who wrote which field.
pub(crate) fn without_managed_fields(object: &Value) -> Value {
    let mut out = object.clone();
    if let Some(metadata) = out.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    out
}

/// What is wrong with the metadata of a new object.
pub(crate) fn check_new(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = text(object, "name");
    if name.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else if kind.is_one_of(&["namespaces"]) && name.contains('.') {
        errors.push(FieldError::invalid("metadata.name", &json!(name), "must not contain dots"));
    } else if let Some(sentence) = name_rule(kind).and_then(|rule| rule.broken(name)) {
        errors.push(FieldError::invalid("metadata.name", &json!(name), &sentence));
    }
    check_common(kind, object, &mut errors);
    errors
}

/// What is wrong with the metadata of a changed object. A server looks twice and says everything twice.
pub(crate) fn check_changed(kind: &Kind, object: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if is_terminating(old) {
        let before = finalizers(old);
        let added: Vec<&str> = finalizers(object).into_iter().filter(|f| !before.contains(f)).collect();
        if !added.is_empty() {
            let list = added.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>().join(", ");
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"
            );
            errors.push(FieldError::forbidden("metadata.finalizers", &detail));
        }
    }
    for field in ["name", "namespace", "uid"] {
        let seen = text(object, field);
        if seen != text(old, field) {
            errors.push(FieldError::invalid(&format!("metadata.{field}"), &json!(seen), "field is immutable"));
        }
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        let value = |object: &Value| object.get("metadata").and_then(|m| m.get(field)).cloned().unwrap_or_default();
        if value(object) != value(old) {
            errors.push(FieldError::invalid(&format!("metadata.{field}"), &value(object), "field is immutable"));
        }
    }
    check_common(kind, object, &mut errors);
    let again = errors.clone();
    errors.extend(again);
    errors
}

fn check_common(kind: &Kind, object: &Value, errors: &mut Vec<FieldError>) {
    for (key, value) in object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten() {
        check_key("metadata.labels", key, errors);
        let value = value.as_str().unwrap_or_default();
        if let Some(sentence) = LABEL_VALUE.broken(value) {
            errors.push(FieldError::invalid("metadata.labels", &json!(value), &sentence));
        }
    }
    for (key, _) in object.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten() {
        check_key("metadata.annotations", &key.to_lowercase(), errors);
    }
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    for (i, owner) in owners.into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            let seen = owner.get(field).and_then(Value::as_str).unwrap_or_default();
            if seen.is_empty() {
                let at = if field == "apiVersion" {
                    "metadata.ownerReferences.apiVersion".to_owned()
                } else {
                    format!("metadata.ownerReferences[{i}].{field}")
                };
                let at = if field == "apiVersion" { at } else { format!("metadata.ownerReferences.{field}") };
                let detail = if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                errors.push(FieldError::invalid(&at, &json!(seen), detail));
            }
        }
    }
    let generic = !kind.native || kind.is_one_of(&["customresourcedefinitions.apiextensions.k8s.io"]);
    for (i, finalizer) in finalizers(object).into_iter().enumerate() {
        let standard = matches!(finalizer, "orphan" | "foregroundDeletion" | "kubernetes");
        if !generic && !standard && !finalizer.contains('/') {
            let sentence = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&format!("metadata.finalizers[{i}]"), &json!(finalizer), sentence));
        } else {
            check_key("metadata.finalizers", finalizer, errors);
        }
    }
}

/// A key of labels or annotations: an optional prefix and a name.
fn check_key(at: &str, key: &str, errors: &mut Vec<FieldError>) {
    if key.matches('/').count() > 1 {
        let sentence = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        errors.push(FieldError::invalid(at, &json!(key), sentence));
        return;
    }
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if let Some(sentence) = prefix.and_then(|prefix| SUBDOMAIN.broken(prefix)) {
        errors.push(FieldError::invalid(at, &json!(key), &format!("prefix part {sentence}")));
    }
    if name.is_empty() || LABEL_VALUE.broken(name).is_some() {
        let sentence = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
        errors.push(FieldError::invalid(at, &json!(key), sentence));
    }
}

fn name_rule(kind: &Kind) -> Option<Rule> {
    if kind.is_one_of(&["namespaces"]) {
        return Some(LABEL);
    }
    if kind.is_one_of(&["services"]) {
        return Some(LABEL);
    }
    // Names of roles and bindings are path segments.
    (kind.group != "rbac.authorization.k8s.io").then_some(SUBDOMAIN)
}
