//! What the API server does to an object before it looks at it: unknown fields out (told, not silent), nulls of fields
//! that are not nullable out, defaults in.

use jiuzhou_engine::terms::{Code, Finding, Reason};
use serde_json::Value;

use crate::documents::Document;

use super::compile::Schema;
use super::path::{dotted, down};
use super::suggest;

/// Fields every object has beside those of its schema.
const TOP: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Removes and tells every field the schema does not know. `pointer` is where `value` is in the document.
pub(super) fn unknown(
    document: &Document,
    value: &mut Value,
    schema: &Schema,
    pointer: &str,
    findings: &mut Vec<Finding>,
) {
    let known: &[&str] = if pointer.is_empty() { &TOP } else { &[] };
    walk(document, value, schema, pointer, known, findings);
}

fn walk(
    document: &Document,
    value: &mut Value,
    schema: &Schema,
    pointer: &str,
    known: &[&str],
    findings: &mut Vec<Finding>,
) {
    match value {
        Value::Object(fields) => {
            let implied: &[&str] = if schema.embedded { &TOP } else { known };
            if schema.closed() {
                let names = schema.properties.keys().map(String::as_str).chain(implied.iter().copied());
                let is_unknown =
                    |name: &String| !schema.properties.contains_key(name) && !implied.contains(&name.as_str());
                let strangers: Vec<String> = fields.keys().filter(|name| is_unknown(name)).cloned().collect();
                for name in strangers {
                    fields.remove(&name);
                    let at = down(pointer, &name);
                    let wanted = suggest::nearest_or_all(&name, names.clone());
                    let reason = Reason::new(Code::FieldUnknown).object(dotted(&at)).wanted(wanted);
                    findings.push(document.key_finding(reason, &at));
                }
            }
            for (name, child) in fields {
                // `metadata` of an object is known to `metadata`, not to its schema.
                if implied.contains(&name.as_str()) {
                    continue;
                }
                if let Some(schema) = schema.field(name) {
                    walk(document, child, schema, &down(pointer, name), &[], findings);
                }
            }
        }
        Value::Array(elements) => {
            if let Some(schema) = &schema.items {
                for (index, element) in elements.iter_mut().enumerate() {
                    walk(document, element, schema, &format!("{pointer}/{index}"), &[], findings);
                }
            }
        }
        _ => {}
    }
}

/// Removes nulls of fields that are not nullable, as if they had not been written.
pub(super) fn nulls(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, child| !child.is_null() || schema.field(name).is_none_or(|s| s.nullable));
            for (name, child) in fields {
                if let Some(schema) = schema.field(name) {
                    nulls(child, schema);
                }
            }
        }
        Value::Array(elements) => {
            if let Some(schema) = &schema.items {
                elements.iter_mut().for_each(|element| nulls(element, schema));
            }
        }
        _ => {}
    }
}

/// Adds the defaults of fields that are not there, then of what is inside those that are.
pub(super) fn defaults(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => {
            for (name, child) in &schema.properties {
                if let Some(default) = &child.default
                    && !fields.contains_key(name)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, child) in fields {
                if let Some(schema) = schema.field(name) {
                    defaults(child, schema);
                }
            }
        }
        Value::Array(elements) => {
            if let Some(schema) = &schema.items {
                elements.iter_mut().for_each(|element| defaults(element, schema));
            }
        }
        _ => {}
    }
}
