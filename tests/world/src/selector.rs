//! Label selectors and the field selectors the operator uses.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answer::{Result, bad_request, not_in_this_world};
use crate::request::Request;

/// What a list or a watch selects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// Field selectors the world knows; everything else is 501.
const FIELDS: &[&str] = &["metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "type"];

impl Selector {
    /// Reads the selectors of a request.
    pub(crate) fn read(request: &Request) -> Result<Self> {
        Self::of(&request.query)
    }

    /// Reads selectors from query parameters.
    pub(crate) fn of(query: &BTreeMap<String, String>) -> Result<Self> {
        let option = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let labels = labels(option("labelSelector"))?;
        let mut fields = Vec::new();
        for term in option("fieldSelector").split(',').filter(|term| !term.is_empty()) {
            let (name, equal, value) = if let Some((name, value)) = term.split_once("!=") {
                (name, false, value)
            } else if let Some((name, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (name, true, value)
            } else {
                let message = format!("invalid selector: '{term}'; can't understand '{term}'");
                return Err(bad_request(&message));
            };
            if !FIELDS.contains(&name) {
                return Err(not_in_this_world(&format!("field selector {name}")));
            }
            fields.push((name.to_owned(), equal, value.to_owned()));
        }
        Ok(Self { labels, fields })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let empty = serde_json::Map::new();
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object).unwrap_or(&empty);
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        let field = |name: &str| {
            object.pointer(&format!("/{}", name.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default()
        };
        self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|seen| values.iter().any(|value| value == seen)),
            Requirement::NotIn(key, values) => !label(key).is_some_and(|seen| values.iter().any(|value| value == seen)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        }) && self.fields.iter().all(|(name, equal, value)| (field(name) == value) == *equal)
    }
}

/// A label selector as text: `a=b,c in (d,e),!f`.
fn labels(text: &str) -> Result<Vec<Requirement>> {
    let refused = |term: &str| {
        let found = term.split_whitespace().nth(1).unwrap_or(term);
        let message = format!("unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt");
        bad_request(&message)
    };
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        // A comma inside brackets does not end a requirement.
        let mut depth = 0_u32;
        let end = rest.find(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (term, tail) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
        out.push(requirement(term.trim()).ok_or_else(|| refused(term.trim()))?);
        rest = tail.trim();
    }
    Ok(out)
}

fn requirement(term: &str) -> Option<Requirement> {
    let values = |text: &str| -> Option<Vec<String>> {
        let inside = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inside.split(',').map(|value| value.trim().to_owned()).collect())
    };
    let own = |text: &str| text.trim().to_owned();
    if let Some(key) = term.strip_prefix('!') {
        return Some(Requirement::Absent(own(key)));
    }
    if let Some((key, text)) =
        term.split_once(" notin ").or_else(|| term.split_once(" notin(").map(|(k, _)| (k, &term[k.len() + 6..])))
    {
        return Some(Requirement::NotIn(own(key), values(text)?));
    }
    if let Some((key, text)) =
        term.split_once(" in ").or_else(|| term.split_once(" in(").map(|(k, _)| (k, &term[k.len() + 3..])))
    {
        return Some(Requirement::In(own(key), values(text)?));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Some(Requirement::NotIn(own(key), vec![own(value)]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Requirement::In(own(key), vec![own(value)]));
    }
    let word = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (!term.is_empty() && term.chars().all(word)).then(|| Requirement::Exists(own(term)))
}

/// The `matchLabels` and `matchExpressions` of a native selector as text.
pub(crate) fn printed(selector: &Value) -> String {
    let labels: BTreeMap<&String, &Value> =
        selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten().collect();
    let mut terms: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| expression.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut values: Vec<&str> = expression
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        terms.push(match text("operator") {
            "In" => format!("{} in ({values})", text("key")),
            "NotIn" => format!("{} notin ({values})", text("key")),
            "Exists" => text("key").to_owned(),
            _ => format!("!{}", text("key")),
        });
    }
    terms.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selected(text: &str) -> Vec<&'static str> {
        let selector = Selector { labels: labels(text).unwrap(), fields: Vec::new() };
        let objects = [
            ("plain", json!({})),
            ("web", json!({"app": "web", "tier": "front"})),
            ("db", json!({"app": "db", "x.dev/tier": "back"})),
        ];
        objects
            .into_iter()
            .filter(|(_, l)| selector.matches(&json!({"metadata": {"labels": l}})))
            .map(|(n, _)| n)
            .collect()
    }

    #[test]
    fn every_form_of_a_label_selector_selects() {
        assert_eq!(selected("app=web"), ["web"]);
        assert_eq!(selected("app==web,tier"), ["web"]);
        assert_eq!(selected("app!=web"), ["plain", "db"]);
        assert_eq!(selected("app in (web, db),!tier"), ["db"]);
        assert_eq!(selected("app notin (web)"), ["plain", "db"]);
        assert_eq!(selected("x.dev/tier"), ["db"]);
        assert_eq!(selected(""), ["plain", "web", "db"]);
        assert!(labels("a b").is_err());
    }
}
