//! The CEL rules of a schema, compiled once per kind, through kube's own evaluator; those that only name a pattern are
//! held by `shapes`.

use jiuzhou_engine::terms::{Code, Finding, Reason};
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use crate::documents::Document;

use super::path::{dotted, pointer_of};
use super::shapes::Shapes;
use super::structure::quoted;

thread_local! {
    /// Registering the functions of Kubernetes costs more than a rule; the evaluator itself holds no state.
    static VALIDATOR: Validator = Validator::new();
}

/// The rules of one schema.
#[derive(Debug)]
pub(super) struct Compiled {
    shapes: Shapes,
    /// `None` when it has none that says more than a pattern.
    compiled: Option<CompiledSchema>,
}

impl Compiled {
    pub(super) fn new(schema: &Value) -> Self {
        let mut schema = schema.clone();
        let shapes = Shapes::take(&mut schema);
        Self { shapes, compiled: has_rules(&schema).then(|| compile_schema(&schema)) }
    }

    /// Runs every rule on a defaulted object. Transition rules need an old object and do not run on files.
    pub(super) fn check(&self, document: &Document, value: &Value, findings: &mut Vec<Finding>) {
        self.shapes.check(value, "", &mut |pointer, message| {
            findings.push(document.finding(broken(document, value, pointer, message), pointer));
        });
        let Some(compiled) = &self.compiled else { return };
        let Err(errors) = VALIDATOR.with(|validator| validator.validate_compiled(compiled, value, None)) else {
            return;
        };
        for error in errors.into_vec() {
            let pointer = pointer_of(&error.field_path, value);
            let reason = match error.kind {
                ErrorKind::ValidationFailure => broken(document, value, &pointer, &error.message),
                _ => {
                    let reason = Reason::new(Code::RuleNotEvaluated).object(object(document, &pointer));
                    reason.seen(error.message).wanted(error.rule)
                }
            };
            findings.push(document.finding(reason, &pointer));
        }
    }
}

fn object(document: &Document, pointer: &str) -> String {
    if pointer.is_empty() { document.kind.clone() } else { dotted(pointer) }
}

/// A rule does not hold of what is at `pointer`.
fn broken(document: &Document, value: &Value, pointer: &str, message: &str) -> Reason {
    let reason = Reason::new(Code::RuleBroken).object(object(document, pointer)).wanted(plain(message));
    match value.pointer(pointer).filter(|seen| !seen.is_object() && !seen.is_array()) {
        Some(seen) => reason.seen(quoted(seen)),
        None => reason,
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
