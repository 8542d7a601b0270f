//! Types, allowed values, ranges, lengths, patterns, required fields and list keys: one finding each, with its place.

use jiuzhou_engine::terms::{Code, Finding, Reason, Value as Term};
use serde_json::{Map, Value};

use crate::documents::{Document, type_name};

use super::compile::{ListType, Pattern, Schema, Type};
use super::format;
use super::path::{dotted, down};

/// Characters of a value that a finding quotes.
const QUOTED: usize = 120;

/// What a Kubernetes quantity looks like.
pub(crate) const UNITS: &str = "≥ 0 + (n u m k M G T P E, Ki Mi Gi Ti Pi Ei)";

/// Checks a value that was pruned and defaulted.
pub(super) fn check(document: &Document, value: &Value, schema: &Schema, findings: &mut Vec<Finding>) {
    Check { document, findings }.node(value, schema, "");
}

struct Check<'a> {
    document: &'a Document,
    findings: &'a mut Vec<Finding>,
}

impl Check<'_> {
    fn tell(&mut self, reason: Reason, pointer: &str) {
        self.findings.push(self.document.finding(reason, pointer));
    }

    fn node(&mut self, value: &Value, schema: &Schema, pointer: &str) {
        if value.is_null() && schema.nullable {
            return;
        }
        if !has_type(value, schema) {
            return self.wrong_type(value, schema, pointer);
        }
        if !schema.allowed.is_empty() && !schema.allowed.iter().any(|allowed| same(allowed, value)) {
            let wanted: Vec<String> = schema.allowed.iter().filter(|v| !v.is_null()).map(quoted).collect();
            let reason = Reason::new(Code::ValueNotAllowed).object(dotted(pointer)).seen(quoted(value)).wanted(wanted);
            self.tell(reason, pointer);
        }
        match value {
            Value::Number(_) | Value::String(_) if schema.is_quantity() => self.quantity(value, schema, pointer),
            Value::Number(number) => self.number(number, schema, pointer),
            Value::String(text) => self.text(text, schema, pointer),
            Value::Array(elements) => self.list(elements, schema, pointer),
            Value::Object(fields) => self.map(fields, schema, pointer),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(value, schema, pointer);
    }

    /// The type does not fit; text without quotes that YAML took for something else is told as such.
    fn wrong_type(&mut self, value: &Value, schema: &Schema, pointer: &str) {
        let wants_text = schema.kind == Some(Type::Text);
        let unquoted = match value {
            Value::Bool(_) if wants_text => Some(Code::BooleanUnquoted),
            Value::Number(_) if wants_text => Some(Code::NumberUnquoted),
            _ => None,
        };
        let written = self.document.written(pointer);
        let reason = match unquoted {
            Some(code) if !written.is_empty() => {
                let wanted = format!("\"{written}\"");
                Reason::new(code).object(dotted(pointer)).seen(written).wanted(wanted)
            }
            _ => {
                let wanted = match schema.kind {
                    _ if schema.int_or_string => "integer or string",
                    Some(kind) => kind.name(),
                    None => "another type",
                };
                Reason::new(Code::TypeMismatch).object(dotted(pointer)).seen(type_name(value)).wanted(wanted)
            }
        };
        self.tell(reason, pointer);
    }

    fn number(&mut self, number: &serde_json::Number, schema: &Schema, pointer: &str) {
        let Some(float) = number.as_f64() else { return };
        let below = schema.minimum.is_some_and(|m| float < m.at || (m.exclusive && float <= m.at));
        let above = schema.maximum.is_some_and(|m| float > m.at || (m.exclusive && float >= m.at));
        let range =
            schema.format.as_deref().and_then(format::integer_range).filter(|_| schema.kind == Some(Type::Integer));
        let outside = range.is_some_and(|(low, high)| number.as_i64().is_none_or(|n| n < low || n > high));
        if below || above || outside {
            let reason = Reason::new(Code::OutOfRange).object(dotted(pointer)).seen(number.to_string());
            self.tell(reason.wanted(range_text(schema, range)), pointer);
        }
        if schema.multiple_of.is_some_and(|step| step > 0.0 && (float / step).fract() != 0.0) {
            let step = schema.multiple_of.unwrap_or_default();
            let reason = Reason::new(Code::OutOfRange).object(dotted(pointer)).seen(number.to_string());
            self.tell(reason.wanted(format!("n × {step}")), pointer);
        }
    }

    /// A Kubernetes quantity. Stricter than the API server, which applies the pattern to text only and so lets a
    /// negative number pass.
    fn quantity(&mut self, value: &Value, schema: &Schema, pointer: &str) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let matches = |pattern: &Pattern| pattern.compiled.as_ref().is_some_and(|regex| regex.is_match(&text));
        if !schema.pattern.as_ref().is_some_and(matches) {
            let reason = Reason::new(Code::UnitUnknown).object(dotted(pointer)).seen(cut(&text)).wanted(UNITS);
            self.tell(reason, pointer);
        }
    }

    fn text(&mut self, text: &str, schema: &Schema, pointer: &str) {
        self.size(text.chars().count(), schema.length, pointer);
        if let Some(pattern) = &schema.pattern
            && !pattern.compiled.as_ref().is_some_and(|regex| regex.is_match(text))
        {
            let reason = Reason::new(Code::PatternMismatch).object(dotted(pointer)).seen(cut(text));
            self.tell(reason.wanted(pattern.source.as_str()), pointer);
        }
        if let Some(format) = &schema.format
            && !format::holds(format, text)
        {
            let reason = Reason::new(Code::FormatInvalid).object(dotted(pointer)).seen(cut(text));
            self.tell(reason.wanted(format.as_str()), pointer);
        }
    }

    fn list(&mut self, elements: &[Value], schema: &Schema, pointer: &str) {
        self.size(elements.len(), schema.count, pointer);
        let Some(items) = &schema.items else { return };
        for (index, element) in elements.iter().enumerate() {
            self.node(element, items, &format!("{pointer}/{index}"));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, element) in elements.iter().enumerate() {
            let key = match &schema.list {
                ListType::Atomic => return,
                ListType::Set => element.to_string(),
                ListType::Map(keys) => {
                    let parts = keys.iter().filter_map(|key| element.get(key).map(|v| format!("{key}={}", quoted(v))));
                    parts.collect::<Vec<_>>().join(", ")
                }
            };
            if !seen.insert(key.clone()) {
                let reason = Reason::new(Code::ElementDuplicate).object(dotted(pointer)).seen(cut(&key));
                self.tell(reason, &format!("{pointer}/{index}"));
            }
        }
    }

    fn map(&mut self, fields: &Map<String, Value>, schema: &Schema, pointer: &str) {
        self.size(fields.len(), schema.entries, pointer);
        let embedded: &[&str] = if schema.embedded { &["apiVersion", "kind"] } else { &[] };
        for name in schema.required.iter().map(String::as_str).chain(embedded.iter().copied()) {
            if !fields.contains_key(name) {
                let at = down(pointer, name);
                self.tell(Reason::new(Code::FieldMissing).object(dotted(&at)), &at);
            }
        }
        for (name, child) in fields {
            if let Some(schema) = schema.field(name) {
                self.node(child, schema, &down(pointer, name));
            }
        }
    }

    fn size(&mut self, length: usize, (low, high): (Option<u64>, Option<u64>), pointer: &str) {
        let n = u64::try_from(length).unwrap_or(u64::MAX);
        if low.is_some_and(|low| n < low) || high.is_some_and(|high| n > high) {
            let wanted = match (low, high) {
                (Some(low), Some(high)) => format!("{low}–{high}"),
                (Some(low), None) => format!("≥ {low}"),
                (None, high) => format!("≤ {}", high.unwrap_or_default()),
            };
            let seen = i64::try_from(length).unwrap_or(i64::MAX);
            self.tell(Reason::new(Code::LengthOutOfRange).object(dotted(pointer)).seen(seen).wanted(wanted), pointer);
        }
    }

    /// allOf, anyOf, oneOf, not. The alternatives of `anyOf` and `oneOf` that name required fields are told by name.
    fn combined(&mut self, value: &Value, schema: &Schema, pointer: &str) {
        for part in &schema.all_of {
            self.node(value, part, pointer);
        }
        let any = schema.any_of.is_empty() || schema.any_of.iter().any(|part| self.fits(value, part));
        let fitting = schema.one_of.iter().filter(|part| self.fits(value, part)).count();
        let one = schema.one_of.is_empty() || fitting == 1;
        if !any || !one {
            let alternatives = schema.any_of.iter().chain(&schema.one_of);
            let wanted: Vec<String> =
                alternatives.map(|part| part.required.join(" + ")).filter(|s| !s.is_empty()).collect();
            let wanted = if wanted.is_empty() { Term::Text("one alternative".to_owned()) } else { Term::List(wanted) };
            let reason = Reason::new(Code::ValueNotAllowed).object(named(pointer)).seen(quoted(value)).wanted(wanted);
            self.tell(reason, pointer);
        }
        if schema.not.as_ref().is_some_and(|part| self.fits(value, part)) {
            let reason = Reason::new(Code::ValueNotAllowed).object(named(pointer)).seen(quoted(value));
            self.tell(reason, pointer);
        }
    }

    fn fits(&self, value: &Value, schema: &Schema) -> bool {
        let mut findings = Vec::new();
        Check { document: self.document, findings: &mut findings }.node(value, schema, "");
        findings.is_empty()
    }
}

pub(super) fn has_type(value: &Value, schema: &Schema) -> bool {
    if schema.int_or_string {
        return value.is_i64() || value.is_u64() || value.is_string();
    }
    match schema.kind {
        None => true,
        Some(Type::Boolean) => value.is_boolean(),
        Some(Type::Integer) => value.is_i64() || value.is_u64(),
        Some(Type::Number) => value.is_number(),
        Some(Type::Text) => value.is_string(),
        Some(Type::List) => value.is_array(),
        Some(Type::Map) => value.is_object(),
    }
}

/// Equality of an allowed value: numbers by value.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(x), Some(y)) if x.total_cmp(&y).is_eq())
}

fn named(pointer: &str) -> String {
    if pointer.is_empty() { "the object".to_owned() } else { dotted(pointer) }
}

fn range_text(schema: &Schema, range: Option<(i64, i64)>) -> String {
    let low = schema.minimum.map(|m| format!("{} {}", if m.exclusive { ">" } else { "≥" }, m.at));
    let high = schema.maximum.map(|m| format!("{} {}", if m.exclusive { "<" } else { "≤" }, m.at));
    match (low, high, range) {
        (Some(low), Some(high), _) => format!("{low}, {high}"),
        (Some(one), None, _) | (None, Some(one), _) => one,
        (None, None, Some((low, high))) => format!("≥ {low}, ≤ {high}"),
        (None, None, None) => String::new(),
    }
}

/// A value as a person wrote it, short; of an object or a list nothing is shown, for a Secret may be inside.
pub(super) fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        Value::Object(_) => "{…}".to_owned(),
        Value::Array(_) => "[…]".to_owned(),
        other => cut(&other.to_string()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
