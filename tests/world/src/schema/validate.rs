//! Structural validation of custom resources, with the sentences of an API server.
//!
//! Only what the schema says; `metadata` is checked for every kind in `meta`, rules (CEL) in `rules`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::answer::FieldError;

use super::{ListType, Schema, Type};

/// Everything that is wrong with a defaulted value. `prefix` is the part of the paths that sentences leave out.
pub(crate) fn validate(value: &Value, schema: &Schema, prefix: &'static str) -> Vec<FieldError> {
    let mut check = Check { errors: Vec::new(), prefix };
    check.node(value, schema, "");
    check.errors
}

struct Check {
    errors: Vec<FieldError>,
    prefix: &'static str,
}

impl Check {
    fn node(&mut self, value: &Value, schema: &Schema, at: &str) {
        let schema = schema.resolve();
        if value.is_null() && schema.nullable {
            return;
        }
        if let Some(wanted) = self.wrong_type(value, schema) {
            let seen = Value::String(kind_name(value).to_owned());
            let detail = format!("{} in body must be of type {wanted}: {:?}", self.place(at), kind_name(value));
            self.errors.push(FieldError::wrong_type(at, &seen, &detail));
            if value.is_f64() && schema.kind == Some(Type::Integer) {
                let detail = format!("Checked value must be of type integer (default format) in {at}");
                self.errors.push(FieldError::invalid("<nil>", &Value::String(String::new()), &detail));
            }
            return;
        }
        match value {
            Value::String(text) => self.text(text, schema, at),
            Value::Number(_) => self.number(value, schema, at),
            Value::Array(items) => self.list(items, schema, at),
            Value::Object(fields) => self.map(fields, schema, at),
            _ => {}
        }
        if !schema.allowed.is_empty() && !schema.allowed.contains(value) {
            self.errors.push(FieldError::not_supported(at, value, &schema.allowed));
        }
        self.combined(value, schema, at);
    }

    #[expect(clippy::unused_self, reason = "beside its siblings")]
    fn wrong_type(&self, value: &Value, schema: &Schema) -> Option<&'static str> {
        if schema.int_or_string {
            return (!(value.is_i64() || value.is_u64() || value.is_string())).then_some("integer,string");
        }
        schema.kind.filter(|kind| !kind.fits(value)).map(Type::name)
    }

    fn text(&mut self, text: &str, schema: &Schema, at: &str) {
        let seen = Value::String(text.to_owned());
        let letters = text.chars().count() as u64;
        if schema.length.1.is_some_and(|most| letters > most) {
            self.errors.push(FieldError::too_long(at, schema.length.1.unwrap_or_default()));
        }
        if let Some(least) = schema.length.0.filter(|least| letters < *least) {
            let detail = format!("{} in body should be at least {least} chars long", self.place(at));
            self.errors.push(FieldError::invalid(at, &seen, &detail));
        }
        if let Some(pattern) = &schema.pattern
            && !pattern.compiled.as_ref().is_some_and(|regex| regex.is_match(text))
        {
            let detail = format!("{} in body should match '{}'", self.place(at), pattern.source);
            self.errors.push(FieldError::invalid(at, &seen, &detail));
        }
        if let Some(format) = schema.format.as_deref().filter(|format| !holds(format, text)) {
            let detail = format!("{} in body must be of type {format}: {text:?}", self.place(at));
            self.errors.push(FieldError::wrong_type(at, &seen, &detail));
        }
    }

    fn number(&mut self, value: &Value, schema: &Schema, at: &str) {
        let number = value.as_f64().unwrap_or_default();
        if let Some(bound) = schema.minimum
            && (number < bound.at || bound.exclusive && number <= bound.at)
        {
            let than = if bound.exclusive { "greater than" } else { "greater than or equal to" };
            let detail = format!("{} in body should be {than} {}", self.place(at), bound.at);
            self.errors.push(FieldError::invalid(at, value, &detail));
        }
        if let Some(bound) = schema.maximum
            && (number > bound.at || bound.exclusive && number >= bound.at)
        {
            let than = if bound.exclusive { "less than" } else { "less than or equal to" };
            let detail = format!("{} in body should be {than} {}", self.place(at), bound.at);
            self.errors.push(FieldError::invalid(at, value, &detail));
        }
    }

    fn list(&mut self, items: &[Value], schema: &Schema, at: &str) {
        if let Some(most) = schema.count.1.filter(|most| items.len() as u64 > *most) {
            self.errors.push(FieldError::too_many(at, items.len(), most));
        }
        if let Some(least) = schema.count.0.filter(|least| (items.len() as u64) < *least) {
            let detail = format!("{} in body should have at least {least} items", self.place(at));
            self.errors.push(FieldError::invalid(at, &Value::from(items.len()), &detail));
        }
        if let Some(element) = &schema.items {
            for (i, item) in items.iter().enumerate() {
                self.node(item, element, &format!("{at}[{i}]"));
            }
        }
        let mut seen = BTreeSet::new();
        for (i, item) in items.iter().enumerate() {
            let identity = match &schema.list {
                ListType::Atomic => break,
                ListType::Set => item.clone(),
                ListType::Map(keys) => {
                    let element = schema.items.as_deref();
                    let key = |name: &String| {
                        let default = || element.and_then(|e| e.field(name)).and_then(|f| f.default.clone());
                        item.get(name).cloned().or_else(default).map(|value| (name.clone(), value))
                    };
                    Value::Object(keys.iter().filter_map(key).collect::<Map<_, _>>())
                }
            };
            if !seen.insert(identity.to_string()) {
                self.errors.push(FieldError::duplicate(&format!("{at}[{i}]"), &identity));
            }
        }
    }

    fn map(&mut self, fields: &Map<String, Value>, schema: &Schema, at: &str) {
        if let Some(most) = schema.entries.1.filter(|most| fields.len() as u64 > *most) {
            self.errors.push(FieldError::too_many(at, fields.len(), most));
        }
        if let Some(least) = schema.entries.0.filter(|least| (fields.len() as u64) < *least) {
            let detail = format!("{} in body should have at least {least} properties", self.place(at));
            self.errors.push(FieldError::invalid(at, &Value::from(fields.len()), &detail));
        }
        for name in &schema.required {
            if !fields.contains_key(name) {
                self.errors.push(FieldError::required(&joined(at, name), ""));
            }
        }
        if schema.embedded {
            for name in ["apiVersion", "kind"] {
                let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
                if text.is_empty() && !schema.required.iter().any(|required| required == name) {
                    self.errors.push(FieldError::required(&joined(at, name), ""));
                }
            }
        }
        for (name, value) in fields {
            // The metadata of the object itself is checked elsewhere.
            if at.is_empty() && name == "metadata" {
                continue;
            }
            if let Some(field) = schema.field(name) {
                let at = if schema.properties.contains_key(name) { joined(at, name) } else { format!("{at}.{name}") };
                self.node(value, field, &at);
            }
        }
    }

    /// A path as a sentence shows it.
    fn place<'p>(&self, at: &'p str) -> &'p str {
        at.strip_prefix(self.prefix).unwrap_or(at)
    }

    fn combined(&mut self, value: &Value, schema: &Schema, at: &str) {
        for part in &schema.all_of {
            self.node(value, part, at);
        }
        let fits = |part: &Schema| {
            let mut check = Self { errors: Vec::new(), prefix: self.prefix };
            check.node(value, part, at);
            check.errors
        };
        let quoted = if at.is_empty() { "\"\"".to_owned() } else { format!("{at:?}") };
        if !schema.any_of.is_empty() && !schema.any_of.iter().any(|part| fits(part).is_empty()) {
            let detail = format!("{quoted} must validate at least one schema (anyOf)");
            self.errors.push(FieldError::invalid(at, value, &detail));
        }
        if !schema.one_of.is_empty() {
            let results: Vec<Vec<FieldError>> = schema.one_of.iter().map(fits).collect();
            let fitting = results.iter().filter(|errors| errors.is_empty()).count();
            if fitting != 1 {
                let found = if fitting == 0 { "none valid" } else { "more than one valid" };
                let detail = format!("{quoted} must validate one and only one schema (oneOf). Found {found}");
                self.errors.push(FieldError::invalid(at, value, &detail));
            }
        }
        if schema.not.as_ref().is_some_and(|part| fits(part).is_empty()) {
            self.errors.push(FieldError::invalid(at, value, &format!("{quoted} must not validate the schema (not)")));
        }
    }
}

fn joined(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The formats our schemas use; others pass, as in a server that does not know them.
fn holds(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        _ => true,
    }
}
