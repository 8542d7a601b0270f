//! Makes a value that its schema refuses fit for reading, so that the rest of what it says can be judged as well.
//!
//! What has the wrong type, is not among the allowed values or is missing is replaced by something plain, and every such
//! place is named: nothing may be said about it, and nothing mended is ever decided on.

use serde_json::{Map, Value};

use super::compile::{Schema, Type};
use super::format;
use super::path::down;
use super::structure::{has_type, same};

/// Mends a value below `pointer`. Adds the places that say something else now than what was written.
pub(super) fn mend(value: &mut Value, schema: &Schema, pointer: &str, touched: &mut Vec<String>) {
    if value.is_null() && schema.nullable {
        return;
    }
    let is_allowed = |value: &Value| schema.allowed.is_empty() || schema.allowed.iter().any(|one| same(one, value));
    let is_of_format = |value: &Value| match (&schema.format, value) {
        (Some(format), Value::String(text)) => format::holds(format, text),
        _ => true,
    };
    if !has_type(value, schema) || !is_allowed(value) || !is_of_format(value) {
        *value = plain(schema);
        touched.push(pointer.to_owned());
        return;
    }
    match value {
        Value::Object(fields) => {
            for name in &schema.required {
                if !fields.contains_key(name) {
                    fields.insert(name.clone(), schema.field(name).map_or(Value::Null, plain));
                    touched.push(down(pointer, name));
                }
            }
            for (name, child) in fields {
                if let Some(schema) = schema.field(name) {
                    mend(child, schema, &down(pointer, name), touched);
                }
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                if let Some(schema) = &schema.items {
                    mend(element, schema, &format!("{pointer}/{index}"), touched);
                }
            }
        }
        _ => {}
    }
}

/// Something plain of the type that a schema wants.
fn plain(schema: &Schema) -> Value {
    if let Some(value) = schema.default.as_ref().or_else(|| schema.allowed.iter().find(|value| !value.is_null())) {
        return value.clone();
    }
    let least = || schema.minimum.map_or(0.0, |bound| bound.at.max(0.0));
    match schema.kind {
        _ if schema.int_or_string => Value::from(0),
        Some(Type::Boolean) => Value::from(false),
        // Bounds of our schemas are small whole numbers.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a bound beyond what an integer holds is of no schema of ours"
        )]
        Some(Type::Integer) => Value::from(least().ceil() as i64),
        Some(Type::Number) => Value::from(least()),
        Some(Type::Text) if schema.format.as_deref() == Some("date-time") => Value::from("2000-01-01T00:00:00Z"),
        Some(Type::Text) => Value::from(""),
        Some(Type::List) => Value::Array(Vec::new()),
        Some(Type::Map) => {
            let filled = |name: &String| (name.clone(), schema.field(name).map_or(Value::Null, plain));
            Value::Object(schema.required.iter().map(filled).collect::<Map<_, _>>())
        }
        None => Value::Null,
    }
}
