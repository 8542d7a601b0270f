//! What the world says: objects, streams, and refusals with the Status bodies of a real API server.

use std::fmt;

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::watch::Watch;

/// An answer before it becomes an HTTP response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Content,
    /// Texts of `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    Json(Value),
    Text(String),
    Watch(Box<Watch>),
}

impl Answer {
    pub(crate) fn json(code: u16, body: Value) -> Self {
        Self { code, body: Content::Json(body), warnings: Vec::new() }
    }
}

/// Why a request was refused: a Status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) status: Value,
    /// Seconds of a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
    /// Texts of `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Box<Refusal>>;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.status["message"].as_str().unwrap_or_default())
    }
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldError {
    reason: &'static str,
    pub(crate) field: String,
    /// What is said after the field.
    pub(crate) body: String,
}

impl FieldError {
    fn new(reason: &'static str, field: &str, body: String) -> Self {
        Self { reason, field: field.to_owned(), body }
    }

    pub(crate) fn required(field: &str, detail: &str) -> Self {
        Self::new("FieldValueRequired", field, with_detail("Required value", detail))
    }

    pub(crate) fn invalid(field: &str, seen: &Value, detail: &str) -> Self {
        Self::new("FieldValueInvalid", field, with_detail(&format!("Invalid value: {}", seen_text(seen)), detail))
    }

    /// Wrong without showing the value.
    pub(crate) fn invalid_unseen(field: &str, detail: &str) -> Self {
        Self::new("FieldValueInvalid", field, with_detail("Invalid value", detail))
    }

    /// Whether it keeps rules from being looked at.
    pub(crate) fn blocks_rules(&self) -> bool {
        matches!(
            self.reason,
            "FieldValueNotSupported"
                | "FieldValueRequired"
                | "FieldValueTooLong"
                | "FieldValueTooMany"
                | "FieldValueTypeInvalid"
        )
    }

    pub(crate) fn wrong_type(field: &str, seen: &Value, detail: &str) -> Self {
        Self::new("FieldValueTypeInvalid", field, with_detail(&format!("Invalid value: {}", seen_text(seen)), detail))
    }

    pub(crate) fn duplicate(field: &str, seen: &Value) -> Self {
        Self::new("FieldValueDuplicate", field, format!("Duplicate value: {}", seen_text(seen)))
    }

    pub(crate) fn forbidden(field: &str, detail: &str) -> Self {
        Self::new("FieldValueForbidden", field, with_detail("Forbidden", detail))
    }

    pub(crate) fn too_long(field: &str, at_most: u64) -> Self {
        Self::new("FieldValueTooLong", field, format!("Too long: may not be more than {at_most} bytes"))
    }

    pub(crate) fn too_many(field: &str, seen: usize, at_most: u64) -> Self {
        Self::new("FieldValueTooMany", field, format!("Too many: {seen}: must have at most {at_most} items"))
    }

    pub(crate) fn not_supported(field: &str, seen: &Value, allowed: &[Value]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(seen_text).collect();
        let body = format!("Unsupported value: {}: supported values: {}", seen_text(seen), allowed.join(", "));
        Self::new("FieldValueNotSupported", field, body)
    }

    /// With another reason, as a rule may ask for.
    pub(crate) fn with_reason(mut self, reason: &'static str, seen: &Value, detail: &str) -> Self {
        self.reason = reason;
        self.body = match reason {
            "FieldValueRequired" => with_detail("Required value", detail),
            "FieldValueForbidden" => with_detail("Forbidden", detail),
            "FieldValueDuplicate" => format!("Duplicate value: {}", seen_text(seen)),
            _ => self.body,
        };
        self
    }
}

fn with_detail(body: &str, detail: &str) -> String {
    if detail.is_empty() { body.to_owned() } else { format!("{body}: {detail}") }
}

/// A value as an error shows it.
fn seen_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

fn refusal(code: u16, reason: &str, message: &str, details: Value) -> Box<Refusal> {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    if !details.is_null() {
        status["details"] = details;
    }
    if reason.is_empty() {
        status.as_object_mut().map(|status| status.remove("reason"));
    }
    Box::new(Refusal { code, status, retry_after: None, warnings: Vec::new() })
}

fn details(name: &str, group: &str, kind: &str) -> Value {
    let mut out = json!({});
    for (field, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            out[field] = json!(value);
        }
    }
    out
}

/// 404: an object that is not there.
pub(crate) fn not_found(kind: &Kind, name: &str) -> Box<Refusal> {
    let message = format!("{} {name:?} not found", kind.resource());
    refusal(404, "NotFound", &message, details(name, &kind.group, &kind.plural))
}

/// 404: the namespace is not there.
pub(crate) fn namespace_not_found(name: &str) -> Box<Refusal> {
    refusal(404, "NotFound", &format!("namespaces {name:?} not found"), details(name, "", "namespaces"))
}

/// 404: a resource of the core group that is not there.
pub(crate) fn no_such_resource() -> Box<Refusal> {
    refusal(404, "NotFound", "the server could not find the requested resource", json!({}))
}

/// 404: a path that nobody serves, answered with plain text.
pub(crate) fn no_such_path() -> Box<Refusal> {
    let mut refusal = no_such_resource();
    refusal.status = Value::String("404 page not found\n".to_owned());
    refusal
}

/// 405.
pub(crate) fn method_not_allowed(details_of: Option<&Kind>) -> Box<Refusal> {
    let details = details_of.map_or_else(|| json!({}), |_| json!({}));
    refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details)
}

/// 409: the name is taken.
pub(crate) fn already_exists(kind: &Kind, name: &str) -> Box<Refusal> {
    let message = format!("{} {name:?} already exists", kind.resource());
    refusal(409, "AlreadyExists", &message, details(name, &kind.group, &kind.plural))
}

/// 409 with the reason that was found.
pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Box<Refusal> {
    let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
    refusal(409, "Conflict", &message, details(name, &kind.group, &kind.plural))
}

/// 409 on delete, which names the kind and not the resource.
pub(crate) fn delete_conflict(kind: &Kind, name: &str, why: &str) -> Box<Refusal> {
    let resource = if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) };
    let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
    refusal(409, "Conflict", &message, details(name, &kind.group, &kind.kind))
}

/// What a stale resourceVersion is told.
pub(crate) const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

/// 409: fields held by other managers.
pub(crate) fn apply_conflict(conflicts: &[crate::apply::Conflict]) -> Box<Refusal> {
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|c| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", c.manager), "field": c.path}))
        .collect();
    let message = match conflicts {
        [one] => format!("Apply failed with 1 conflict: conflict with {}: {}", one.manager, one.path),
        many => {
            let mut lines = Vec::new();
            let mut last = "";
            for conflict in many {
                if conflict.manager != last {
                    lines.push(format!("conflicts with {}:", conflict.manager));
                    last = &conflict.manager;
                }
                lines.push(format!("- {}", conflict.path));
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    refusal(409, "Conflict", &message, json!({"causes": causes}))
}

/// 422 with every field that is wrong.
pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Box<Refusal> {
    let printed: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.field, e.body)).collect();
    let mut printed_once = printed.clone();
    printed_once.dedup();
    let printed = match printed_once.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let causes: Vec<Value> =
        errors.iter().map(|e| json!({"reason": e.reason, "message": e.body, "field": e.field})).collect();
    let mut details = details(name, group, kind);
    details["causes"] = Value::Array(causes);
    refusal(422, "Invalid", &format!("{qualified} {name:?} is invalid: {printed}"), details)
}

/// 422 of a patch that cannot be applied. Why is not said.
pub(crate) fn unprocessable() -> Box<Refusal> {
    refusal(422, "Invalid", "the server rejected our request due to an error in our request", json!({}))
}

/// 400.
pub(crate) fn bad_request(message: &str) -> Box<Refusal> {
    refusal(400, "BadRequest", message, Value::Null)
}

/// 403.
pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str, causes: Value) -> Box<Refusal> {
    let message = format!("{} {name:?} is forbidden: {why}", kind.resource());
    let mut details = details(name, &kind.group, &kind.plural);
    if !causes.is_null() {
        details["causes"] = causes;
    }
    refusal(403, "Forbidden", &message, details)
}

/// 410: a revision that is no longer kept.
pub(crate) fn expired(message: &str) -> Box<Refusal> {
    refusal(410, "Expired", message, Value::Null)
}

/// 415 of a custom resource, which names what it takes.
pub(crate) fn unsupported_media_type(accepted: &[&str]) -> Box<Refusal> {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {}",
        accepted.join(", ")
    );
    refusal(415, "UnsupportedMediaType", &message, Value::Null)
}

/// 415 of a native resource.
pub(crate) fn unsupported_media() -> Box<Refusal> {
    refusal(415, "UnsupportedMediaType", "415: Unsupported Media Type", json!({}))
}

/// 500.
pub(crate) fn internal(message: &str) -> Box<Refusal> {
    let details = json!({"causes": [{"message": message}]});
    refusal(500, "InternalError", &format!("Internal error occurred: {message}"), details)
}

/// 500 with a plain message.
pub(crate) fn internal_plain(message: &str) -> Box<Refusal> {
    refusal(500, "", message, Value::Null)
}

/// 504: a revision that is not there yet.
pub(crate) fn too_large_version(asked: u64, current: u64) -> Box<Refusal> {
    let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
    let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
    refusal(504, "Timeout", &message, json!({"causes": causes, "retryAfterSeconds": 1}))
}

/// 501: what the world does not do, said loudly.
pub(crate) fn not_in_this_world(what: &str) -> Box<Refusal> {
    refusal(501, "NotImplemented", &format!("the world of the tests does not do this: {what}"), Value::Null)
}

/// Any status, for faults.
pub(crate) fn status(code: u16, reason: &str, message: &str, retry_after: Option<u64>) -> Box<Refusal> {
    let details = retry_after.map_or(Value::Null, |seconds| json!({"retryAfterSeconds": seconds}));
    let mut refusal = refusal(code, reason, message, details);
    refusal.retry_after = retry_after;
    refusal
}
