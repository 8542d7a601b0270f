//! From parsed documents to objects: apiVersion, kind, namespace and name known, lists taken apart.
//!
//! Nothing here knows our kinds; a document is ours or native by its apiVersion, which `schema` and `native` look at.

use std::io::Read;
use std::sync::Arc;

use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Place, Reason};
use serde_json::Value;

use crate::files;
use crate::load::Progress;
use crate::yaml::{self, Limits, Marks, Parsed, Source};

/// Lists inside lists that are taken apart; more is no manifest.
const LISTS: usize = 4;

/// One object of the input and where it stands.
#[derive(Clone, Debug)]
pub struct Document {
    /// E.g. `jiuzhou.dev/v1alpha1`.
    pub api_version: String,
    /// E.g. `Tenant`.
    pub kind: String,
    /// As written; empty when absent.
    pub namespace: String,
    /// As written; empty when absent, which is a finding.
    pub name: String,
    /// The whole object.
    pub value: Value,
    marks: Marks,
    source: Arc<Source>,
    /// Fields that a supposed change has set, later ones last, and where that change stands.
    supposed: Vec<Supposed>,
}

/// A field with everything below it that stands in another text than its object.
#[derive(Clone, Debug)]
struct Supposed {
    field: String,
    base: String,
    marks: Marks,
    source: Arc<Source>,
}

impl Document {
    /// An object of an API server. It has no text, so its places name it: `FleetWorkload/portal/web`.
    ///
    /// `None` when apiVersion, kind or name is missing, which no API server answers with.
    #[must_use]
    pub fn of_object(value: Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("/apiVersion"), text("/kind"));
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        if api_version.is_empty() || kind.is_empty() || name.is_empty() {
            return None;
        }
        let source = Arc::new(Source::named(&ObjectRef::new(&kind, &namespace, &name).to_string()));
        let (marks, supposed) = (Marks::none(), Vec::new());
        Some(Self { api_version, kind, namespace, name, value, marks, source, supposed })
    }

    /// A value inside this document as an object of its own, which stands where it is written here.
    ///
    /// `None` when apiVersion, kind or name is missing.
    #[must_use]
    pub fn part(&self, pointer: &str, value: Value) -> Option<Self> {
        let part = Self::of_object(value)?;
        Some(Self { marks: self.marks.part(pointer), source: Arc::clone(&self.source), ..part })
    }

    /// Says that a field was set by a change that stands at `pointer` of another document.
    pub(crate) fn suppose(&mut self, field: &str, by: &Self, pointer: &str) {
        let (marks, source) = (by.marks.clone(), Arc::clone(&by.source));
        self.supposed.push(Supposed { field: field.to_owned(), base: pointer.to_owned(), marks, source });
    }

    /// The text that a field stands in, with its positions and its pointer there.
    fn stands(&self, pointer: &str) -> (&Source, &Marks, String) {
        let below =
            |one: &&Supposed| pointer.strip_prefix(&one.field).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        match self.supposed.iter().rev().find(below) {
            Some(one) => {
                let rest = pointer.strip_prefix(&one.field).unwrap_or_default();
                (&one.source, &one.marks, format!("{}{rest}", one.base))
            }
            None => (&self.source, &self.marks, pointer.to_owned()),
        }
    }

    /// Group and version: `("apps", "v1")`, `("", "v1")`.
    #[must_use]
    pub fn group_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }

    /// Which object this is.
    #[must_use]
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.kind, &self.namespace, &self.name)
    }

    /// Where the value of a field stands, or the nearest thing above it that stands in the text.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Place {
        let (source, marks, pointer) = self.stands(pointer);
        source.place(marks.value(&pointer))
    }

    /// A finding about the value of a field, with object and place.
    #[must_use]
    pub fn finding(&self, reason: Reason, pointer: &str) -> Finding {
        self.about(Finding::new(reason)).pointer(pointer).at(self.place(pointer))
    }

    /// A finding about a key, such as one the schema does not know.
    #[must_use]
    pub fn key_finding(&self, reason: Reason, pointer: &str) -> Finding {
        let (source, marks, at) = self.stands(pointer);
        let place = source.place(marks.key(&at));
        self.about(Finding::new(reason)).pointer(pointer).at(place)
    }

    /// What has no kind is no object that could be named.
    fn about(&self, finding: Finding) -> Finding {
        if self.kind.is_empty() { finding } else { finding.on(self.object_ref()) }
    }

    /// The word that stands unquoted at a field, as it is written.
    #[must_use]
    pub fn written(&self, pointer: &str) -> String {
        let (source, marks, pointer) = self.stands(pointer);
        source.token(marks.value(&pointer))
    }
}

/// Reads every object behind the inputs (see [`files::read_each`]); findings are in the order of reading.
#[must_use]
pub fn read_all(
    inputs: &[String],
    stdin: &mut dyn Read,
    limits: &Limits,
    progress: &Progress,
) -> (Vec<Document>, Vec<Finding>) {
    let (mut documents, mut findings) = (Vec::new(), Vec::new());
    let mut each = |name: &str, bytes: &[u8]| {
        let (mut read, mut found) = read_bytes(name, bytes, limits);
        progress.read_file();
        documents.append(&mut read);
        findings.append(&mut found);
    };
    let mut unread = files::read_each(inputs, stdin, limits.bytes, &mut each);
    findings.append(&mut unread);
    if documents.is_empty() && findings.is_empty() {
        let reason = Reason::new(Code::NothingRead).object(inputs.join(", "));
        let name = inputs.first().map_or(files::STDIN, String::as_str);
        findings.push(Finding::new(reason).at(files::top_of(name)));
    }
    (documents, findings)
}

/// Reads every object of one text, such as a file or a built-in table.
#[must_use]
pub fn read_bytes(name: &str, bytes: &[u8], limits: &Limits) -> (Vec<Document>, Vec<Finding>) {
    let (parsed, mut findings) = yaml::read(name, bytes, limits);
    let mut documents = Vec::new();
    for document in parsed {
        objects(document, LISTS, &mut documents, &mut findings);
    }
    (documents, findings)
}

/// One parsed document as one object, or as the items of a list.
fn objects(parsed: Parsed, lists: usize, documents: &mut Vec<Document>, findings: &mut Vec<Finding>) {
    let Parsed { value, marks, source } = parsed;
    if !value.is_object() {
        let reason = Reason::new(Code::DocumentNotObject).seen(type_name(&value));
        findings.push(Finding::new(reason).at(source.place(marks.value(""))));
        return;
    }
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let supposed = Vec::new();
    let document = Document { api_version, kind, namespace, name, value, marks, source, supposed };
    if document.api_version.starts_with("kustomize.config.k8s.io/") {
        let reason = Reason::new(Code::KustomizationSkipped).object(document.source.name());
        findings.push(document.finding(reason, "/kind"));
        return;
    }
    let element = document.kind.strip_suffix("List").filter(|_| document.value.get("items").is_some());
    if let Some(element) = element {
        return items(&document, element, lists, documents, findings);
    }
    let mut complete = true;
    for field in ["apiVersion", "kind", "metadata/name"] {
        let pointer = format!("/{field}");
        let reason = match document.value.pointer(&pointer) {
            Some(Value::String(text)) if !text.is_empty() => continue,
            Some(Value::Bool(_) | Value::Number(_)) => {
                let written = document.written(&pointer);
                let wanted = format!("\"{written}\"");
                let code = match document.value.pointer(&pointer) {
                    Some(Value::Bool(_)) => Code::BooleanUnquoted,
                    _ => Code::NumberUnquoted,
                };
                Reason::new(code).object(field.replace('/', ".")).seen(written).wanted(wanted)
            }
            Some(Value::Null | Value::String(_)) | None => {
                Reason::new(Code::FieldMissing).object(field.replace('/', "."))
            }
            Some(other) => {
                Reason::new(Code::TypeMismatch).object(field.replace('/', ".")).seen(type_name(other)).wanted("string")
            }
        };
        findings.push(document.finding(reason, &pointer));
        complete = false;
    }
    if complete {
        documents.push(document);
    }
}

/// The items of `kind: List` or of a typed list, whose items may leave out apiVersion and kind.
fn items(list: &Document, element: &str, lists: usize, documents: &mut Vec<Document>, findings: &mut Vec<Finding>) {
    let Some(values) = list.value.get("items").and_then(Value::as_array) else {
        // `items: null` is an empty list, as kubectl writes it.
        if list.value.get("items").is_some_and(|items| !items.is_null()) {
            let reason = Reason::new(Code::TypeMismatch).object("items").seen("object").wanted("array");
            findings.push(list.finding(reason, "/items"));
        }
        return;
    };
    if lists == 0 {
        let wanted = i64::try_from(LISTS).unwrap_or(i64::MAX);
        let reason = Reason::new(Code::LimitExceeded).object("lists inside lists").seen(wanted + 1).wanted(wanted);
        findings.push(list.finding(reason, "/items"));
        return;
    }
    for (index, value) in values.iter().enumerate() {
        let mut value = value.clone();
        if let Value::Object(fields) = &mut value
            && !element.is_empty()
        {
            fields.entry("apiVersion").or_insert_with(|| Value::from(list.api_version.as_str()));
            fields.entry("kind").or_insert_with(|| Value::from(element));
        }
        let marks = list.marks.part(&format!("/items/{index}"));
        objects(Parsed { value, marks, source: Arc::clone(&list.source) }, lists - 1, documents, findings);
    }
}

/// The type of a value in the words of JSON schema.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Document>, Vec<Finding>) {
        read_bytes("t.yaml", text.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_list_is_its_items_where_they_stand() {
        let (documents, findings) = read(
            "apiVersion: v1\nkind: NodeList\nitems:\n- metadata: {name: a}\n- metadata:\n    name: b\n  spec: {x: 1}\n",
        );
        assert_eq!(findings, []);
        let refs: Vec<_> = documents.iter().map(|d| d.object_ref().to_string()).collect();
        assert_eq!(refs, ["Node/a", "Node/b"]);
        assert_eq!((documents[1].place("/spec/x").line, documents[1].place("/spec/x").column), (7, 13));
    }

    #[test]
    fn a_finding_about_an_object_of_an_api_server_names_it() {
        let value = serde_json::json!({
            "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Tenant", "metadata": { "name": "bureau" }, "spec": {},
        });
        let document = Document::of_object(value).unwrap();
        let finding = document.finding(Reason::new(Code::FieldMissing), "/spec/kind");
        let place = finding.place.unwrap();
        assert_eq!((place.file.as_str(), place.line, place.text.as_str()), ("Tenant/bureau", 1, ""));
        assert!(Document::of_object(serde_json::json!({ "kind": "Tenant" })).is_none());
    }

    #[test]
    fn lists_in_lists_end() {
        let text = format!("{}{}", "{kind: List, items: [".repeat(8), "]}".repeat(8));
        assert_eq!(read(&text).1[0].reason.code, Code::LimitExceeded);
    }

    #[test]
    fn what_is_no_object_is_told_with_its_place() {
        let (documents, findings) = read("- a\n---\nkind: Site\nmetadata: {}\n---\nname: no\n");
        assert!(documents.is_empty());
        let told: Vec<_> = findings.iter().map(|f| (f.reason.code, f.place.as_ref().unwrap().line)).collect();
        assert_eq!(told[..3], [(Code::DocumentNotObject, 1), (Code::FieldMissing, 3), (Code::FieldMissing, 4)]);
    }

    #[test]
    fn an_unquoted_name_is_told_as_written() {
        let (_, findings) = read("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: no\n");
        assert_eq!(findings[0].reason.code, Code::BooleanUnquoted);
        assert_eq!(findings[0].reason.wanted, "\"no\"".into());
    }
}
