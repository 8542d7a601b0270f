//! Values read through a schema: which paths a value has, how two values differ, how one is laid over another, and
//! what is left when paths are taken away.
//!
//! The rules are those of structured merge: maps are merged field by field unless atomic, lists are atomic unless their
//! type is `set` or `map`. Without a schema maps are merged and lists are atomic.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use crate::schema::{ListType, Schema};

use super::set::{Set, Step};

/// How a value is walked.
enum Shape<'a> {
    /// One leaf: scalars, atomic lists and maps.
    Leaf,
    /// A map, field by field.
    Map(Option<&'a Schema>),
    /// A list whose elements have an identity.
    List(&'a ListType, Option<&'a Schema>),
}

fn shape<'a>(schema: Option<&'a Schema>, value: &Value) -> Shape<'a> {
    let schema = schema.map(Schema::resolve);
    match value {
        Value::Object(_) if schema.is_some_and(|s| s.atomic_map) => Shape::Leaf,
        Value::Object(_) => Shape::Map(schema),
        Value::Array(_) => match schema {
            Some(schema) if schema.list != ListType::Atomic => Shape::List(&schema.list, schema.items.as_deref()),
            _ => Shape::Leaf,
        },
        _ => Shape::Leaf,
    }
}

fn field<'a>(schema: Option<&'a Schema>, name: &str) -> Option<&'a Schema> {
    schema.and_then(|schema| schema.field(name))
}

/// The identity of a list element, or why it has none.
fn identity(list: &ListType, items: Option<&Schema>, element: &Value) -> Result<Step, String> {
    let ListType::Map(keys) = list else {
        return match element {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
            scalar => Ok(Step::Value(scalar.to_string())),
        };
    };
    let Some(fields) = element.as_object() else {
        return Err("associative list with keys may not have non-map elements".to_owned());
    };
    let items = items.map(Schema::resolve);
    let key: Map<String, Value> = keys
        .iter()
        .filter_map(|name| {
            let default = || field(items, name).and_then(|s| s.default.clone());
            fields.get(name).cloned().or_else(default).map(|value| (name.clone(), value))
        })
        .collect();
    if key.is_empty() {
        let keys = keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(" ");
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{keys}] (and doesn't have default values for any key fields)"
        ));
    }
    Ok(Step::Key(Value::Object(key).to_string()))
}

/// The elements of a list by identity, in order; of equal ones the first. An element without identity is left out: what
/// is stored has been validated, what is applied is checked by [`check`] before.
fn indexed<'v>(list: &ListType, items: Option<&Schema>, value: &'v Value) -> Vec<(Step, &'v Value)> {
    let mut out: Vec<(Step, &Value)> = Vec::new();
    for element in value.as_array().into_iter().flatten() {
        if let Ok(step) = identity(list, items, element)
            && !out.iter().any(|(known, _)| *known == step)
        {
            out.push((step, element));
        }
    }
    out
}

/// Every path of a value.
pub(crate) fn paths(schema: Option<&Schema>, value: &Value) -> Set {
    let mut set = Set::default();
    collect(schema, value, &mut Vec::new(), &mut set);
    set
}

fn collect(schema: Option<&Schema>, value: &Value, path: &mut Vec<Step>, set: &mut Set) {
    match shape(schema, value) {
        Shape::Leaf => set.insert(path),
        Shape::Map(schema) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                path.push(Step::Field(name.clone()));
                collect(field(schema, name), value, path, set);
                let declared = schema.is_some_and(|s| s.properties.contains_key(name));
                if value.is_null() || value.as_object().is_some_and(Map::is_empty) || !declared {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Shape::List(list, items) => {
            for (step, element) in indexed(list, items, value) {
                path.push(step);
                collect(items, element, path, set);
                set.insert(path);
                path.pop();
            }
        }
    }
}

/// What changed from one value to another.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) removed: Set,
    pub(crate) modified: Set,
    pub(crate) added: Set,
}

/// Compares two values.
pub(crate) fn compare(schema: Option<&Schema>, old: &Value, new: &Value) -> Comparison {
    let mut out = Comparison::default();
    walk(schema, Some(old), Some(new), &mut Vec::new(), &mut out);
    out
}

fn walk(schema: Option<&Schema>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Step>, out: &mut Comparison) {
    let Some(guide) = new.filter(|new| !new.is_null()).or(old).or(new) else { return };
    let empty = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(_) => false,
    };
    let container = |value: Option<&Value>| value.is_none_or(|v| v.is_null() || v.is_array() || v.is_object());
    let both_empty = empty(old) && empty(new) && container(old) && container(new);
    // Another type on the other side: the whole is one leaf.
    let alike = match (old, new) {
        (Some(Value::Null), Some(_)) | (Some(_), Some(Value::Null)) => true,
        (Some(old), Some(new)) => old.is_object() == new.is_object() && old.is_array() == new.is_array(),
        _ => true,
    };
    match shape(schema, guide) {
        _ if both_empty || !alike => leaf(old, new, path, out),
        Shape::Leaf => leaf(old, new, path, out),
        Shape::Map(schema) => {
            let old_fields = old.and_then(Value::as_object);
            let new_fields = new.and_then(Value::as_object);
            let names: BTreeSet<&String> = old_fields.into_iter().chain(new_fields).flat_map(Map::keys).collect();
            for name in names {
                path.push(Step::Field(name.clone()));
                let old = old_fields.and_then(|m| m.get(name));
                let new = new_fields.and_then(|m| m.get(name));
                walk(field(schema, name), old, new, path, out);
                path.pop();
            }
            itself(old, new, path, out);
        }
        Shape::List(list, items) => {
            let old_items: BTreeMap<Step, &Value> =
                old.map(|v| indexed(list, items, v)).unwrap_or_default().into_iter().collect();
            let new_items: BTreeMap<Step, &Value> =
                new.map(|v| indexed(list, items, v)).unwrap_or_default().into_iter().collect();
            let steps: BTreeSet<&Step> = old_items.keys().chain(new_items.keys()).collect();
            for step in steps {
                path.push(step.clone());
                walk(items, old_items.get(step).copied(), new_items.get(step).copied(), path, out);
                path.pop();
            }
            itself(old, new, path, out);
        }
    }
}

fn leaf(old: Option<&Value>, new: Option<&Value>, path: &[Step], out: &mut Comparison) {
    match (old, new) {
        (Some(old), Some(new)) if old != new => out.modified.insert(path),
        _ => itself(old, new, path, out),
    }
}

fn itself(old: Option<&Value>, new: Option<&Value>, path: &[Step], out: &mut Comparison) {
    match (old, new) {
        (None, Some(_)) => out.added.insert(path),
        (Some(_), None) => out.removed.insert(path),
        _ => {}
    }
}

/// Lays `config` over `live`: nothing is removed, the order of lists that `config` touches is its own.
pub(crate) fn merge(schema: Option<&Schema>, live: &Value, config: &Value) -> Value {
    // A null says nothing about what a container holds.
    if config.is_null() && (live.is_object() || live.is_array()) {
        return live.clone();
    }
    match (shape(schema, config), live, config) {
        (Shape::Map(schema), Value::Object(live), Value::Object(config)) => {
            let mut out = live.clone();
            for (name, value) in config {
                let merged = match live.get(name) {
                    Some(old) => merge(field(schema, name), old, value),
                    None => value.clone(),
                };
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Shape::List(list, items), Value::Array(_), Value::Array(_)) => {
            Value::Array(merge_lists(list, items, live, config))
        }
        _ => config.clone(),
    }
}

fn merge_lists(list: &ListType, items: Option<&Schema>, live: &Value, config: &Value) -> Vec<Value> {
    let left = indexed(list, items, live);
    let right = indexed(list, items, config);
    let in_left = |step: &Step| left.iter().find(|(known, _)| known == step).map(|(_, value)| *value);
    let in_right = |step: &Step| right.iter().find(|(known, _)| known == step).map(|(_, value)| *value);
    // The shared elements in the order of `config`; live ones in between stay where they were between them.
    let mut shared: VecDeque<&Step> =
        right.iter().map(|(step, _)| step).filter(|step| in_left(step).is_some()).collect();
    let both = |step: &Step, new: &Value| match in_left(step) {
        Some(old) => merge(items, old, new),
        None => new.clone(),
    };
    let (mut l, mut r, mut out, mut done) = (0, 0, Vec::new(), Vec::new());
    while l < left.len() || r < right.len() {
        if let (Some((left_step, _)), Some((right_step, value))) = (left.get(l), right.get(r)) {
            if left_step == right_step {
                out.push(both(right_step, value));
                done.push(right_step);
                shared.pop_front();
                (l, r) = (l + 1, r + 1);
                continue;
            }
            if in_right(left_step).is_some() && shared.front().is_some_and(|next| *next != left_step) {
                l += 1;
                continue;
            }
        }
        if let Some((step, value)) = left.get(l) {
            if in_right(step).is_none() {
                out.push((*value).clone());
                l += 1;
                continue;
            }
            if done.contains(&step) {
                l += 1;
            }
        }
        if let Some((step, value)) = right.get(r) {
            out.push(both(step, value));
            done.push(step);
            r += 1;
            if shared.front() == Some(&step) {
                shared.pop_front();
            }
        }
    }
    out
}

/// The value without some paths; `None` when nothing is left of it.
pub(crate) fn without(schema: Option<&Schema>, value: &Value, paths: &Set) -> Option<Value> {
    match shape(schema, value) {
        Shape::Leaf => match value {
            // Atomic containers go as a whole when something below them is named; empty ones vanish.
            Value::Object(_) | Value::Array(_) => None,
            scalar => Some(scalar.clone()),
        },
        Shape::Map(schema) => {
            let mut out = Map::new();
            for (name, value) in value.as_object().into_iter().flatten() {
                let step = Step::Field(name.clone());
                if paths.has(&step) {
                    continue;
                }
                match paths.below(&step) {
                    Some(below) => {
                        out.insert(name.clone(), without(field(schema, name), value, below).unwrap_or(Value::Null));
                    }
                    None => {
                        out.insert(name.clone(), value.clone());
                    }
                }
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        Shape::List(list, items) => {
            let mut out = Vec::new();
            for element in value.as_array().into_iter().flatten() {
                let Ok(step) = identity(list, items, element) else { continue };
                if paths.has(&step) {
                    continue;
                }
                match paths.below(&step) {
                    Some(below) => out.push(without(items, element, below).unwrap_or(Value::Null)),
                    None => out.push(element.clone()),
                }
            }
            (!out.is_empty()).then_some(Value::Array(out))
        }
    }
}

/// The set with every named field that leads to a member made a member itself; fields of free maps stay out.
pub(crate) fn with_named_fields(schema: Option<&Schema>, set: &Set) -> Set {
    let mut out = set.clone();
    extend(schema, set, &mut Vec::new(), &mut out);
    out
}

fn extend(schema: Option<&Schema>, set: &Set, path: &mut Vec<Step>, out: &mut Set) {
    let schema = schema.map(Schema::resolve);
    for (step, below) in set.leading() {
        path.push(step.clone());
        let below_schema = match step {
            Step::Field(name) => {
                if schema.is_some_and(|s| s.properties.contains_key(name)) {
                    out.insert(path);
                }
                field(schema, name)
            }
            _ => schema.and_then(|s| s.items.as_deref()),
        };
        extend(below_schema, below, path, out);
        path.pop();
    }
}

/// What keeps a configuration from being applied: unknown fields, wrong types, elements without or with the same
/// identity. Each line is path and reason, as an API server puts it into its message.
pub(crate) fn check(schema: Option<&Schema>, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    check_at(schema, value, "", &mut out);
    out
}

fn check_at(schema: Option<&Schema>, value: &Value, at: &str, out: &mut Vec<String>) {
    let Some(schema) = schema.map(Schema::resolve) else { return };
    if value.is_null() {
        return;
    }
    if let Some(wanted) = schema.structured_type()
        && !wanted.fits(value)
    {
        out.push(format!("{at}: expected {}, got {}", wanted.structured_name(), printed(value)));
        return;
    }
    match shape(Some(schema), value) {
        Shape::Map(_) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let at = format!("{at}.{name}");
                match schema.field(name) {
                    Some(field) => check_at(Some(field), value, &at, out),
                    None if schema.is_closed() => out.push(format!("{at}: field not declared in schema")),
                    None => {}
                }
            }
        }
        Shape::List(list, items) => {
            let mut seen = Vec::new();
            for (i, element) in value.as_array().into_iter().flatten().enumerate() {
                match identity(list, items, element) {
                    Err(reason) => out.push(format!("{at}: element {i}: {reason}")),
                    Ok(step) if seen.contains(&step) => {
                        out.push(format!("{at}: duplicate entries for key {step}"));
                    }
                    Ok(step) => {
                        check_at(items, element, &format!("{at}{step}"), out);
                        seen.push(step);
                    }
                }
            }
        }
        Shape::Leaf => {
            for element in value.as_array().into_iter().flatten() {
                check_at(schema.items.as_deref(), element, at, out);
            }
        }
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(_) => format!("&{{{}}}", value.as_str().unwrap_or_default()),
        other => format!("&{{{other}}}"),
    }
}
