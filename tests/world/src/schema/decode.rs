//! What happens to an object between the wire and the store: unknown fields go, nulls go, defaults come, and a native
//! object gets the form in which Go prints it.

use serde_json::{Map, Value};

use super::{Printed, Schema, Type, quantity};

/// Why a body cannot be read as an object of its kind.
#[derive(Debug)]
pub(crate) struct WrongType {
    /// Go type and path of the field, dotted.
    pub(crate) field: String,
    /// Type of the field in Go's words.
    pub(crate) wanted: String,
    /// Type found.
    pub(crate) found: &'static str,
}

/// Takes away every field the schema does not know; their paths, for the warning or the refusal.
pub(crate) fn prune(value: &mut Value, schema: &Schema) -> Vec<String> {
    let mut unknown = Vec::new();
    prune_at(value, schema, "", false, &mut unknown);
    unknown
}

fn prune_at(value: &mut Value, schema: &Schema, at: &str, preserve: bool, unknown: &mut Vec<String>) {
    let schema = schema.resolve();
    let preserve = preserve || schema.preserve_unknown;
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let resource = schema.embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata");
                let known = preserve || resource || schema.field(name).is_some() || !schema.is_closed();
                if !known {
                    unknown.push(joined(at, name));
                }
                known
            });
            for (name, value) in fields.iter_mut() {
                let at = joined(at, name);
                match schema.field(name) {
                    Some(field) => prune_at(value, field, &at, false, unknown),
                    // The metadata of an embedded object is known, whatever else it may carry.
                    None if schema.embedded && name == "metadata" => {
                        prune_at(value, &super::metadata(), &at, false, unknown);
                    }
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                if let Some(schema) = &schema.items {
                    prune_at(item, schema, &format!("{at}[{i}]"), preserve && schema.preserve_unknown, unknown);
                }
            }
        }
        _ => {}
    }
}

fn joined(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// Takes away nulls of known fields that are not nullable, before defaults come in.
pub(crate) fn drop_nulls(value: &mut Value, schema: &Schema) {
    let schema = schema.resolve();
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                !(value.is_null() && schema.field(name).is_some_and(|field| !field.resolve().nullable))
            });
            for (name, value) in fields.iter_mut() {
                if let Some(field) = schema.field(name) {
                    drop_nulls(value, field);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(schema) = &schema.items {
                    drop_nulls(item, schema);
                }
            }
        }
        _ => {}
    }
}

/// Puts the defaults of a custom resource's schema in.
pub(crate) fn default(value: &mut Value, schema: &Schema) {
    let schema = schema.resolve();
    match value {
        Value::Object(fields) => {
            for (name, field) in &schema.properties {
                if let (Some(default), false) = (&field.default, fields.contains_key(name)) {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(field) = schema.field(name) {
                    default(value, field);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(schema) = &schema.items {
                    default(item, schema);
                }
            }
        }
        _ => {}
    }
}

/// Gives a native object the form in which Go prints it: zero values that are always printed come in, empty ones that
/// are not go, quantities get their one form.
///
/// # Errors
/// When a value has the wrong type, as decoding into the Go type would fail.
pub(crate) fn go_form(value: &mut Value, schema: &Schema) -> Result<(), WrongType> {
    go_form_at(value, schema, "", "")
}

fn go_form_at(value: &mut Value, schema: &Schema, holder: &str, at: &str) -> Result<(), WrongType> {
    let quantity = schema.quantity;
    let own = schema.go_name().unwrap_or(holder).to_owned();
    let schema = schema.resolve();
    if quantity {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return Err(wrong(holder, at, "string".to_owned(), other)),
        };
        if let Some(text) = quantity::canonical(&text) {
            *value = Value::String(text);
        }
        return Ok(());
    }
    if schema.int_or_string {
        return match value {
            Value::String(_) | Value::Number(_) => Ok(()),
            other => Err(wrong(holder, at, "string".to_owned(), other)),
        };
    }
    let wanted = schema.kind.filter(|kind| !kind.fits(value));
    match (wanted, &mut *value) {
        (Some(kind), found) => return Err(wrong(holder, at, go_name(kind, schema), found)),
        (None, Value::Object(fields)) if !schema.properties.is_empty() => {
            fields.retain(|_, value| !value.is_null());
            for (name, field) in &schema.properties {
                if let Some(value) = fields.get_mut(name) {
                    go_form_at(value, field, &own, &joined(at, name))?;
                } else if field.printed == Printed::Always {
                    let mut zero = zero(field);
                    go_form_at_nullable(&mut zero, field, &own, &joined(at, name))?;
                    fields.insert(name.clone(), zero);
                }
            }
            fields.retain(|name, value| match schema.properties.get(name).map(|field| field.printed) {
                Some(Printed::UnlessZero) => !is_zero(value),
                Some(Printed::UnlessEmpty) => !is_empty(value),
                _ => true,
            });
        }
        (None, Value::Object(fields)) => {
            for (name, value) in fields.iter_mut() {
                if let Some(field) = schema.field(name) {
                    if value.is_null() {
                        *value = zero(field);
                        continue;
                    }
                    go_form_at(value, field, &own, &joined(at, name))?;
                }
            }
        }
        (None, Value::Array(items)) => {
            for item in items.iter_mut() {
                if let Some(schema) = &schema.items {
                    go_form_at(item, schema, &own, at)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn go_form_at_nullable(value: &mut Value, schema: &Schema, holder: &str, at: &str) -> Result<(), WrongType> {
    if value.is_null() { Ok(()) } else { go_form_at(value, schema, holder, at) }
}

/// The zero value of a Go type that has no pointer.
fn zero(schema: &Schema) -> Value {
    let resolved = schema.resolve();
    match resolved.kind {
        Some(Type::Map) if resolved.properties.is_empty() => Value::Null,
        Some(Type::Map) => Value::Object(Map::new()),
        Some(Type::Text) if resolved.format.as_deref() == Some("date-time") => Value::Null,
        Some(Type::Text) => Value::String(String::new()),
        Some(Type::Boolean) => Value::Bool(false),
        Some(Type::Integer | Type::Number) => Value::from(0),
        _ if schema.quantity => Value::String("0".to_owned()),
        _ if resolved.int_or_string => Value::from(0),
        _ => Value::Null,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn wrong(holder: &str, at: &str, wanted: String, found: &Value) -> WrongType {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    WrongType { field: if holder.is_empty() { at.to_owned() } else { format!("{holder}.{at}") }, wanted, found }
}

/// The Go type a schema stands for.
fn go_name(kind: Type, schema: &Schema) -> String {
    let element = |schema: Option<&Schema>| {
        schema.map_or_else(String::new, |s| {
            let named = s.go_name().map(|name| format!("v1.{name}"));
            named.or_else(|| s.resolve().kind.map(|kind| go_name(kind, s.resolve()))).unwrap_or_default()
        })
    };
    match (kind, schema.format.as_deref()) {
        (Type::Integer, Some("int64")) => "int64".to_owned(),
        (Type::Integer, _) => "int32".to_owned(),
        (Type::Number, _) => "float64".to_owned(),
        (Type::Boolean, _) => "bool".to_owned(),
        (Type::Text, _) => "string".to_owned(),
        (Type::List, _) => format!("[]{}", element(schema.items.as_deref())),
        (Type::Map, _) => format!("map[string]{}", element(schema.additional.as_deref())),
    }
}
