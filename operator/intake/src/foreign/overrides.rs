//! Karmada `OverridePolicy` and `ClusterOverridePolicy`: overrides of ours stand inside the placement policy.
//!
//! They are joined to the imported policy that selects the same objects. JSON patches, labels and annotations come over;
//! what edits texts of the manifest (image parts, commands, arguments, embedded documents) needs the manifest and is told.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1 as api;
use serde_json::{Value, json};

use crate::documents::Document;

use super::karmada::selector;
use super::{Policy, Taken, Work, is_label_key, name_of, renamed};

/// Longest name of an override.
const NAME: usize = 63;
/// Bounds of our lists.
const OVERRIDES: usize = 32;
const PATCHES: usize = 64;

pub(super) fn import(work: &mut Work<'_>, document: &Document) {
    let mut spec = Taken::of(document, "/spec");
    let selects = spec.list("/resourceSelectors");
    let objects = object_names(&selects);
    let mut made = Vec::new();
    let rules = spec.list("/overrideRules");
    for (index, rule) in rules.iter().enumerate() {
        one(work, &spec, &format!("/overrideRules/{index}"), rule, &objects, &mut made);
    }
    // The form before 1.0: one target and its overriders.
    let (target, overriders) = (spec.take("/targetCluster"), spec.take("/overriders"));
    if let Some(overriders) = overriders.filter(|value| value.as_object().is_some_and(|map| !map.is_empty())) {
        let rule = json!({ "targetCluster": target, "overriders": overriders });
        one(work, &spec, "", &rule, &objects, &mut made);
    }
    spec.finish(work, "spec.placement.overrides");
    if made.is_empty() {
        return;
    }
    let namespace = if document.kind == "OverridePolicy" { document.namespace.clone() } else { String::new() };
    let joined = work.policies.iter().position(|policy| {
        let reaches = namespace.is_empty() || policy.namespace == namespace;
        reaches && policy.rules.overrides.len() + made.len() <= OVERRIDES && overlap(&policy.selects, &selects)
    });
    let taken = Taken::of(document, "/spec");
    match joined {
        Some(at) => {
            let name = work.policies[at].name.clone();
            taken.differs(work, "/resourceSelectors", &format!("PlacementPolicy/{name} overrides"));
            let policy = &mut work.policies[at];
            for mut one in made {
                while policy.rules.overrides.iter().any(|other| other.name == one.name) {
                    one.name = name_of(&format!("{}.", one.name), NAME).into();
                }
                policy.rules.overrides.push(one);
            }
        }
        None => {
            let name = renamed(work, document, NAME);
            taken.differs(work, "/resourceSelectors", &format!("PlacementPolicy/{name}"));
            let rules = api::PlacementRules { overrides: made, ..api::PlacementRules::default() };
            work.policies.push(Policy { namespace, name, labels: BTreeMap::new(), rules, selects });
        }
    }
}

/// Names that `wrap` and `adopt` give to objects: kind and name. Empty, which is all objects, unless all are named.
fn object_names(selects: &[Value]) -> Vec<String> {
    let name = |select: &Value| {
        let text = |field: &str| select.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(name_of(&format!("{}-{}", text("kind")?.to_lowercase(), text("name")?), NAME))
    };
    selects.iter().map(name).collect::<Option<Vec<String>>>().unwrap_or_default()
}

fn overlap(one: &[Value], other: &[Value]) -> bool {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let meet = |a: &Value, b: &Value| {
        let (first, second) = (text(a, "name"), text(b, "name"));
        let named = first.is_empty() || second.is_empty() || first == second;
        text(a, "kind") == text(b, "kind") && text(a, "apiVersion") == text(b, "apiVersion") && named
    };
    one.iter().any(|a| other.iter().any(|b| meet(a, b)))
}

fn one(
    work: &mut Work<'_>,
    spec: &Taken<'_>,
    at: &str,
    rule: &Value,
    objects: &[String],
    made: &mut Vec<api::Override>,
) {
    let target = rule.get("targetCluster").cloned().unwrap_or(Value::Null);
    let overriders = rule.get("overriders").cloned().unwrap_or(Value::Null);
    let Some(clusters) = selector(work, spec, &format!("{at}/targetCluster"), &target) else {
        spec.lost(work, &format!("{at}/overriders"), &overriders, "FleetWorkload.spec.objects[].manifest");
        return;
    };
    let mut patches = Vec::new();
    for (field, value) in overriders.as_object().into_iter().flatten() {
        let at = format!("{at}/overriders/{field}");
        let list = value.as_array().cloned().unwrap_or_default();
        match field.as_str() {
            "plaintext" => list.iter().enumerate().for_each(|(index, entry)| match plain(entry) {
                Some(patch) => patches.push(patch),
                None => spec.lost(work, &format!("{at}/{index}"), entry, "patches"),
            }),
            "labelsOverrider" | "annotationsOverrider" => {
                let root = if field == "labelsOverrider" { "/metadata/labels" } else { "/metadata/annotations" };
                for (index, entry) in list.iter().enumerate() {
                    map_entry(work, spec, &format!("{at}/{index}"), root, entry, &mut patches);
                }
            }
            "imageOverrider" => spec.lost(work, &at, value, "overrides[].images, MemberCluster.spec.registries"),
            _ => spec.lost(work, &at, value, "overrides[].patches"),
        }
    }
    if patches.len() > PATCHES {
        spec.lost(work, &format!("{at}/overriders"), &overriders, "overrides");
        patches.truncate(PATCHES);
    }
    if patches.is_empty() {
        return;
    }
    made.push(api::Override {
        name: name_of(&format!("{}-{}", spec.document.name, made.len() + 1), NAME).into(),
        clusters: Some(clusters),
        objects: objects.iter().map(|name| name.as_str().into()).collect(),
        patches,
        ..api::Override::default()
    });
}

fn plain(entry: &Value) -> Option<api::PatchOperation> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let path = text("path").filter(|path| path.starts_with('/') && path.len() <= 256)?;
    operation(text("operator")?, path, entry.get("value"))
}

/// Each key of a map of labels or annotations.
fn map_entry(
    work: &mut Work<'_>,
    spec: &Taken<'_>,
    at: &str,
    root: &str,
    entry: &Value,
    patches: &mut Vec<api::PatchOperation>,
) {
    let operator = entry.get("operator").and_then(Value::as_str).unwrap_or_default();
    let values = entry.get("value").and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in &values {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        let fits = is_label_key(key);
        match operation(operator, &format!("{root}/{escaped}"), Some(value)).filter(|_| fits) {
            Some(patch) => patches.push(patch),
            None => spec.lost(work, &format!("{at}/{escaped}"), value, "patches"),
        }
    }
}

fn operation(operator: &str, path: &str, value: Option<&Value>) -> Option<api::PatchOperation> {
    let op = match operator {
        "add" => api::PatchOp::Add,
        "replace" => api::PatchOp::Replace,
        "remove" => api::PatchOp::Remove,
        _ => return None,
    };
    let value_json = match (op, value) {
        (api::PatchOp::Remove, _) => None,
        (_, Some(value)) => Some(value.to_string().into()),
        (_, None) => return None,
    };
    Some(api::PatchOperation { op, path: path.into(), value_json })
}
