//! The normal form of an answer: what differs from run to run gets a name, the rest stays to the letter.
//!
//! Uids and resourceVersions are numbered as they appear in a case, so that equal ones stay equal and different ones
//! different. Times, addresses, generated endings and revisions of lists lose their value.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use super::{Answer, Step};

static UID: LazyLock<Regex> = LazyLock::new(|| pattern("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b10\.\d+\.\d+\.\d+\b"));
static TOO_OLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"too old resource version: \d+ \(\d+\)"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\d+\b"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern is regular")
}

/// The names given in one case.
#[derive(Debug)]
pub struct Normal {
    namespace: String,
    uids: BTreeMap<String, String>,
    versions: BTreeMap<String, String>,
    prefixes: Vec<String>,
}

impl Normal {
    /// For a case that runs in a namespace.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self { namespace, uids: BTreeMap::new(), versions: BTreeMap::new(), prefixes: Vec::new() }
    }

    /// The normal form of an answer.
    pub fn answer(&mut self, step: &Step, mut answer: Answer) -> Answer {
        let prefix = step.body.as_ref().and_then(|body| body.pointer("/metadata/generateName")).and_then(Value::as_str);
        self.prefixes.extend(prefix.map(str::to_owned));
        if let Some(filter) = &step.filter
            && let Some(list) = answer.body.pointer_mut(&filter.list).and_then(Value::as_array_mut)
        {
            list.retain(|element| {
                let name = element.pointer(&filter.by).and_then(Value::as_str).unwrap_or_default();
                filter.of.iter().any(|kept| kept == name)
            });
            list.sort_by_key(|element| element.pointer(&filter.by).map(Value::to_string));
        }
        plain_status(&mut answer.body);
        let listed = answer.body.get("items").is_some();
        answer.body = self.value("", answer.body, listed);
        for event in &mut answer.events {
            // A bookmark says where the whole store stands.
            if event["type"] == "BOOKMARK" {
                event["object"]["metadata"]["resourceVersion"] = json!("");
            }
        }
        answer.events = answer.events.into_iter().map(|event| self.value("", event, false)).collect();
        answer.warnings = answer.warnings.iter().map(|warning| self.text(warning)).collect();
        answer
    }

    fn value(&mut self, name: &str, value: Value, list: bool) -> Value {
        match value {
            Value::Object(fields) => self.map(fields, list),
            Value::Array(items) if name == "managedFields" => {
                let mut items: Vec<Value> = items.into_iter().map(|item| self.value("", item, false)).collect();
                // In one second entries are sorted by name, over a second's end by time.
                items
                    .sort_by_key(|entry| ["operation", "manager", "subresource"].map(|field| entry[field].to_string()));
                Value::Array(items)
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value("", item, false)).collect()),
            Value::String(_) if name == "continue" => json!("continue"),
            Value::String(_) if name == "resourceVersion" && list => json!("list"),
            Value::String(text) if name == "resourceVersion" => json!(self.version(&text)),
            Value::String(text) => Value::String(self.text(&text)),
            other => other,
        }
    }

    /// The metadata of a list is the only thing inside `list` whose revision says nothing.
    fn map(&mut self, mut fields: Map<String, Value>, list: bool) -> Value {
        for noise in ["storageVersionHash", "serverAddressByClientCIDRs"] {
            fields.remove(noise);
        }
        // The uid first: it stands in messages beside it.
        let mut out = Map::new();
        for (name, value) in fields {
            let in_metadata = list && matches!(name.as_str(), "metadata" | "resourceVersion");
            let value = self.value(&name, value, in_metadata);
            out.insert(self.text(&name), value);
        }
        Value::Object(out)
    }

    fn version(&mut self, text: &str) -> String {
        if text.is_empty() || text == "0" {
            return text.to_owned();
        }
        let next = format!("rv-{}", self.versions.len() + 1);
        self.versions.entry(text.to_owned()).or_insert(next).clone()
    }

    fn text(&mut self, text: &str) -> String {
        // Of a difference of Go values only the sentence before it.
        let text = text.split("\n@@").next().unwrap_or_default();
        let text = TOO_OLD.replace_all(text, "too old resource version: old (oldest)").into_owned();
        let text = &text;
        let text = TIME.replace_all(text, "time").into_owned();
        let text = UID
            .replace_all(&text, |found: &Captures<'_>| {
                let next = format!("uid-{}", self.uids.len() + 1);
                self.uids.entry(found[0].to_owned()).or_insert(next).clone()
            })
            .into_owned();
        let text = ADDRESS.replace_all(&text, "address").into_owned();
        let text = NUMBER
            .replace_all(&text, |found: &Captures<'_>| {
                let known = found[0].len() > 2;
                self.versions.get(&found[0]).filter(|_| known).cloned().unwrap_or_else(|| found[0].to_owned())
            })
            .into_owned();
        let text = text.replace(&self.namespace, "{ns}");
        for prefix in &self.prefixes {
            if let Some(end) = text.strip_prefix(prefix.as_str())
                && end.len() == 5
                && end.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            {
                return format!("{prefix}?????");
            }
        }
        text
    }
}

/// A Status of several errors: they come in no order, and the message only repeats them. JSON inside a message has no
/// order of its fields.
fn plain_status(body: &mut Value) {
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) else { return };
    causes.sort_by_key(Value::to_string);
    let embedded =
        causes.iter().any(|cause| cause["message"].as_str().is_some_and(|text| text.contains("Invalid value: \"{")));
    for cause in causes.iter_mut().filter(|cause| cause["field"] == "patch") {
        let text = cause["message"].as_str().unwrap_or_default();
        let why = text.rsplit_once("}\": ").map_or("", |(_, why)| why);
        cause["message"] = json!(format!("Invalid value: the object: {why}"));
    }
    if causes.len() > 1 || embedded {
        let message = body["message"].as_str().unwrap_or_default();
        let short =
            message.split_once(" is invalid: ").map(|(what, _)| format!("{what} is invalid: as its causes say"));
        if let Some(short) = short {
            body["message"] = json!(short);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_keep_equal_names() {
        let mut normal = Normal::new("case-1");
        let uid = "123e4567-e89b-42d3-a456-426614174000";
        let body = json!({"metadata": {"uid": uid, "resourceVersion": "1234", "namespace": "case-1",
            "creationTimestamp": "2026-01-05T04:00:00Z"}, "message": format!("uid {uid} at 1234, address 10.96.0.7")});
        let answer = normal.answer(&Step::default(), Answer { code: 200, body, ..Answer::default() });
        assert_eq!(
            answer.body,
            json!({"metadata": {"uid": "uid-1", "resourceVersion": "rv-1", "namespace": "{ns}", "creationTimestamp": "time"},
                "message": "uid uid-1 at 1234, address address"})
        );
    }
}
