//! A foreign spec that is taken apart: what was asked for is gone, and what is left has no counterpart.
//!
//! So a field that a later version of the other system adds is told too, without anybody naming it here.

use jiuzhou_engine::terms::{Code, Reason};
use serde_json::Value;

use crate::documents::Document;

use super::Work;

/// Longest value that is quoted.
const SHOWN: usize = 120;

pub(super) struct Taken<'a> {
    pub(super) document: &'a Document,
    rest: Value,
    root: String,
}

impl<'a> Taken<'a> {
    /// The part of a document at a pointer, such as `/spec`.
    pub(super) fn of(document: &'a Document, root: &str) -> Self {
        let rest = document.value.pointer(root).cloned().unwrap_or(Value::Null);
        Self { document, rest, root: root.to_owned() }
    }

    /// Takes the value at a pointer below the root.
    pub(super) fn take(&mut self, pointer: &str) -> Option<Value> {
        let (parent, field) = pointer.rsplit_once('/')?;
        let value = self.rest.pointer_mut(parent)?.as_object_mut()?.remove(field)?;
        (!value.is_null()).then_some(value)
    }

    pub(super) fn text(&mut self, pointer: &str) -> Option<String> {
        match self.take(pointer)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    pub(super) fn list(&mut self, pointer: &str) -> Vec<Value> {
        match self.take(pointer) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        }
    }

    pub(super) fn number(&mut self, pointer: &str) -> Option<i64> {
        self.take(pointer)?.as_i64()
    }

    /// Tells a field that became something else.
    pub(super) fn differs(&self, work: &mut Work<'_>, pointer: &str, wanted: &str) {
        let reason = Reason::new(Code::CounterpartDiffers).object(dotted(&self.root, pointer)).wanted(wanted);
        work.found(self.document.finding(reason, &format!("{}{pointer}", self.root)));
    }

    /// Tells a field that was taken and became nothing.
    pub(super) fn lost(&self, work: &mut Work<'_>, pointer: &str, value: &Value, instead: &str) {
        let reason = Reason::new(Code::NoCounterpart).object(dotted(&self.root, pointer)).seen(shown(value));
        work.found(self.document.finding(reason.wanted(instead), &format!("{}{pointer}", self.root)));
    }

    /// Tells everything that nobody took.
    pub(super) fn finish(self, work: &mut Work<'_>, instead: &str) {
        let mut left = Vec::new();
        leaves(&self.rest, "", &mut left);
        for (pointer, value) in left {
            self.lost(work, &pointer, &value, instead);
        }
    }
}

/// What is left, as deep as maps go; empty maps and lists say nothing.
fn leaves(value: &Value, at: &str, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        other => out.push((at.to_owned(), other.clone())),
    }
}

fn dotted(root: &str, pointer: &str) -> String {
    format!("{root}{pointer}").trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

/// A value as short text. Of a map or a list only the outside is told: inside may be a password.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => format!("{{{}}}", fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        Value::Array(items) => format!("[{}]", items.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}
