//! The CEL rules of a custom resource, through kube's evaluator.

use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use crate::answer::FieldError;

thread_local! {
    /// Registering the functions of Kubernetes costs more than a rule; the evaluator itself holds no state.
    static VALIDATOR: Validator = Validator::new();
}

/// The rules of one kind.
pub(crate) struct Rules(Option<CompiledSchema>);

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Rules" } else { "no Rules" })
    }
}

impl Rules {
    pub(crate) fn compile(schema: &Value) -> Self {
        Self(has_rules(schema).then(|| compile_schema(schema)))
    }

    /// Whether the kind has none.
    pub(crate) fn are_none(&self) -> bool {
        self.0.is_none()
    }

    /// Runs every rule; with an old object the transition rules too.
    pub(crate) fn check(&self, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let Some(compiled) = &self.0 else { return Vec::new() };
        let Err(errors) = VALIDATOR.with(|validator| validator.validate_compiled(compiled, value, old)) else {
            return Vec::new();
        };
        errors
            .into_vec()
            .into_iter()
            .map(|error| {
                let field = if error.field_path.is_empty() { "<nil>".to_owned() } else { error.field_path.clone() };
                let seen = at(&error.field_path, value).filter(|seen| !seen.is_object() && !seen.is_array());
                let shown = seen.cloned().unwrap_or_default();
                let message = error.message.as_str();
                let invalid = |detail: &str| match seen {
                    Some(seen) => FieldError::invalid(&field, seen, detail),
                    None => FieldError::invalid_unseen(&field, detail),
                };
                if error.kind != ErrorKind::ValidationFailure {
                    return invalid(&format!("rule evaluation error: {message}"));
                }
                let plain = invalid(message);
                match error.reason.as_deref() {
                    Some("FieldValueForbidden") => plain.with_reason("FieldValueForbidden", &shown, message),
                    Some("FieldValueRequired") => plain.with_reason("FieldValueRequired", &shown, message),
                    Some("FieldValueDuplicate") => plain.with_reason("FieldValueDuplicate", &shown, message),
                    _ => plain,
                }
            })
            .collect()
    }
}

/// The value at a path as the evaluator writes it (`spec.list[0].key`); keys may hold dots.
pub(crate) fn at<'v>(path: &str, value: &'v Value) -> Option<&'v Value> {
    let (mut rest, mut value) = (path, value);
    while !rest.is_empty() {
        let trimmed = rest.strip_prefix('.').unwrap_or(rest);
        if let Some((index, tail)) = trimmed.strip_prefix('[').and_then(|r| r.split_once(']')) {
            value = value.get(index.parse::<usize>().ok()?)?;
            rest = tail;
            continue;
        }
        let starts = |key: &&String| {
            trimmed.strip_prefix(key.as_str()).is_some_and(|tail| tail.is_empty() || tail.starts_with(['.', '[']))
        };
        let key = value.as_object()?.keys().filter(starts).max_by_key(|key| key.len())?;
        let length = key.len();
        value = value.get(key)?;
        rest = trimmed.get(length..)?;
    }
    Some(value)
}

fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| key == "x-kubernetes-validations" || has_rules(value))
        }
        Value::Array(values) => values.iter().any(has_rules),
        _ => false,
    }
}
