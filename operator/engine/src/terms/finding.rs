//! A finding: one thing wrong (or worth knowing) with place and code. Intake, engine and measure all speak this type.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Code, Place, Value};

/// How much a finding weighs. Order: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing; never fails a gate.
    Info,
    /// Likely a mistake; fails a gate run with `--fail-on warning`.
    Warning,
    /// Breaks a rule or cannot be used.
    Error,
}

/// Which object is meant. Empty namespace for cluster-scoped kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Kind, e.g. `MemberCluster`.
    pub kind: String,
    /// Namespace, empty when cluster-scoped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// A reference to a namespaced object, or to a cluster-scoped one with an empty namespace.
    #[must_use]
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A code with its typed parameters. Every code has the same ones, so that every sentence can name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// What it is.
    pub code: Code,
    /// What the sentence is said of, where one object has several: the image of a container. Set by whoever knows it.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub about: Value,
    /// The thing it is about inside the subject: an image, a label key, a field, a document.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub object: Value,
    /// The value seen.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub seen: Value,
    /// The value wanted (or the allowed ones).
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub wanted: Value,
}

fn is_unknown(value: &Value) -> bool {
    *value == Value::Unknown
}

impl Reason {
    /// A reason without parameters yet.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, about: Value::Unknown, object: Value::Unknown, seen: Value::Unknown, wanted: Value::Unknown }
    }

    /// Names what the sentence is said of.
    #[must_use]
    pub fn about(mut self, about: impl Into<Value>) -> Self {
        self.about = about.into();
        self
    }

    /// Names the thing it is about.
    #[must_use]
    pub fn object(mut self, object: impl Into<Value>) -> Self {
        self.object = object.into();
        self
    }

    /// Names the value seen.
    #[must_use]
    pub fn seen(mut self, seen: impl Into<Value>) -> Self {
        self.seen = seen.into();
        self
    }

    /// Names the value wanted.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Into<Value>) -> Self {
        self.wanted = wanted.into();
        self
    }
}

/// One thing found, with everything a person or a gate needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// What it is.
    #[serde(flatten)]
    pub reason: Reason,
    /// The object it belongs to; `None` when the file did not even parse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ObjectRef>,
    /// JSON pointer inside the object, e.g. `/spec/replicas`; empty for the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Where it stands; `None` for objects that did not come from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Finding {
    /// A finding with the code's own severity.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self { severity: reason.code.severity(), reason, subject: None, pointer: String::new(), place: None }
    }

    /// Names the object.
    #[must_use]
    pub fn on(mut self, subject: ObjectRef) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Names the field by JSON pointer.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The order of every list of findings: file, line, column, code, object, pointer.
    #[must_use]
    pub fn sort_key(&self) -> impl Ord + use<> {
        (self.place.clone(), self.reason.clone(), self.subject.clone(), self.pointer.clone())
    }
}
