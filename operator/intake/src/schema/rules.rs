//! The CEL rules of a schema, compiled once per kind, through kube's own evaluator.

use jiuzhou_engine::terms::{Code, Finding, Reason};
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use crate::documents::Document;

use super::path::{dotted, pointer_of};
use super::structure::quoted;

thread_local! {
    /// Registering the functions of Kubernetes costs more than a rule; the evaluator itself holds no state.
    static VALIDATOR: Validator = Validator::new();
}

/// The rules of one schema; `None` when it has none.
#[derive(Debug)]
pub(super) struct Rules(Option<CompiledSchema>);

impl Rules {
    pub(super) fn compile(schema: &Value) -> Self {
        Self(has_rules(schema).then(|| compile_schema(schema)))
    }

    /// Runs every rule on a defaulted object. Transition rules need an old object and do not run on files.
    pub(super) fn check(&self, document: &Document, value: &Value, findings: &mut Vec<Finding>) {
        let Some(compiled) = &self.0 else { return };
        let Err(errors) = VALIDATOR.with(|validator| validator.validate_compiled(compiled, value, None)) else {
            return;
        };
        for error in errors.into_vec() {
            let pointer = pointer_of(&error.field_path, value);
            let object = if pointer.is_empty() { document.kind.clone() } else { dotted(&pointer) };
            let reason = match error.kind {
                ErrorKind::ValidationFailure => {
                    let seen = value.pointer(&pointer).filter(|v| !v.is_object() && !v.is_array());
                    let reason = Reason::new(Code::RuleBroken).object(object).wanted(plain(&error.message));
                    match seen {
                        Some(seen) => reason.seen(quoted(seen)),
                        None => reason,
                    }
                }
                _ => Reason::new(Code::RuleNotEvaluated).object(object).seen(error.message).wanted(error.rule),
            };
            findings.push(document.finding(reason, &pointer));
        }
    }
}

/// The sentence around a message ends with a full stop; one of the message's own would double it.
fn plain(message: &str) -> &str {
    message.trim_end_matches(['.', '。'])
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
