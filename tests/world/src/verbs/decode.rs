//! From the body of a request to an object of its kind: unknown fields, wrong types, defaults.

use serde_json::{Value, json};

use crate::answer::{FieldError, Result, bad_request, invalid};
use crate::kinds::Kind;
use crate::native;
use crate::schema::decode::{self, WrongType};
use crate::schema::{self, Schema};

/// An object as it would be stored, and the fields that got lost on the way.
pub(crate) struct Decoded {
    pub(crate) object: Value,
    pub(crate) unknown: Vec<String>,
}

/// Reads the body of a create or an update.
pub(crate) fn body(kind: &Kind, value: Value) -> Result<Decoded> {
    if !value.is_object() {
        return Err(bad_request("the body of the request is no object"));
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (version, named) = (text("apiVersion"), text("kind"));
    if !version.is_empty() && version != kind.api_version() && kind.native {
        let last = version.rsplit('/').next().unwrap_or_default();
        let message = format!(
            "{named} in version {last:?} cannot be handled as a {}: no kind {named:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"",
            kind.kind
        );
        return Err(bad_request(&message));
    }
    if !version.is_empty() && version != kind.api_version() {
        let message = format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            kind.api_version()
        );
        return Err(bad_request(&message));
    }
    if named.is_empty() && !kind.native {
        let text = value.to_string();
        let begin: String = text.chars().take(30).collect();
        let message = format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{text}' ({begin} ...)",
            kind.kind
        );
        return Err(bad_request(&message));
    }
    if named != kind.kind && !kind.native {
        let error = FieldError::invalid("kind", &json!(named), &format!("must be {}", kind.kind));
        let name = crate::meta::text(&value, "name");
        return Err(invalid(&kind.group, named, name, &[error]));
    }
    if !named.is_empty() && named != kind.kind {
        let message = format!(
            "{named} in version {:?} cannot be handled as a {}: no kind {named:?} is registered",
            kind.version, kind.kind
        );
        return Err(bad_request(&message));
    }
    object(kind, value).map_err(|wrong| {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: {}",
            kind.kind,
            kind.version,
            kind.kind,
            wrong_type(&wrong)
        );
        bad_request(&message)
    })
}

/// Gives an object the form in which it is stored.
pub(crate) fn object(kind: &Kind, mut value: Value) -> std::result::Result<Decoded, WrongType> {
    value["apiVersion"] = json!(kind.api_version());
    value["kind"] = json!(kind.kind);
    let unknown = decode::prune(&mut value, &kind.schema);
    if kind.native {
        decode::go_form(&mut value, &kind.schema)?;
        native::default(kind, &mut value);
        decode::go_form(&mut value, &kind.schema)?;
    } else {
        whole_numbers(&mut value);
        go_metadata(&mut value)?;
        embedded_metadata(&mut value, &kind.schema)?;
        decode::drop_nulls(&mut value, &kind.schema);
        decode::default(&mut value, &kind.schema);
    }
    Ok(Decoded { object: value, unknown })
}

/// The object of a kind that says nothing, as the server compares new ones with.
pub(crate) fn empty(kind: &Kind) -> Value {
    let mut value = json!({"apiVersion": kind.api_version(), "kind": kind.kind});
    if kind.native {
        // The zero value of a Go type always has the right types.
        let _ = decode::go_form(&mut value, &kind.schema);
    }
    value
}

/// A number without a fraction is printed without one.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            // What is printed with no fraction reads as a whole number, or stays what it is.
            let whole =
                number.as_f64().filter(|f| f.fract() == 0.0).and_then(|f| format!("{f:.0}").parse::<i64>().ok());
            if let Some(whole) = whole {
                *value = json!(whole);
            }
        }
        _ => {}
    }
}

/// Metadata of a custom resource passes through the Go type.
fn go_metadata(value: &mut Value) -> std::result::Result<(), WrongType> {
    if value.get("metadata").is_none_or(Value::is_null) {
        value["metadata"] = json!({});
    }
    decode::go_form(&mut value["metadata"], &schema::metadata())
}

fn embedded_metadata(value: &mut Value, schema: &Schema) -> std::result::Result<(), WrongType> {
    let schema = schema.resolve();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match schema.field(name) {
                    _ if schema.embedded && name == "metadata" && value.is_object() => {
                        decode::go_form(value, &schema::metadata())?;
                    }
                    Some(field) => embedded_metadata(value, field)?,
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(schema) = &schema.items {
                    embedded_metadata(item, schema)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The sentence of Go's JSON decoder.
pub(crate) fn wrong_type(wrong: &WrongType) -> String {
    format!("json: cannot unmarshal {} into Go struct field {} of type {}", wrong.found, wrong.field, wrong.wanted)
}
