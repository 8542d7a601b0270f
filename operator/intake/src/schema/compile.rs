//! A structural schema in the form the checks walk: fields looked up once, patterns compiled once.
//!
//! Read from the JSON form of a CRD's `openAPIV3Schema`. Keywords the API server ignores in structural schemas are
//! ignored here too.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// One node of a schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) kind: Option<Type>,
    pub(super) nullable: bool,
    pub(super) int_or_string: bool,
    pub(super) preserve_unknown: bool,
    pub(super) embedded: bool,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) required: Vec<String>,
    pub(super) additional: Option<Box<Schema>>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) default: Option<Value>,
    pub(super) allowed: Vec<Value>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) multiple_of: Option<f64>,
    pub(super) length: (Option<u64>, Option<u64>),
    pub(super) count: (Option<u64>, Option<u64>),
    pub(super) entries: (Option<u64>, Option<u64>),
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<String>,
    pub(super) list: ListType,
    pub(super) all_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) not: Option<Box<Schema>>,
}

/// The types of JSON schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Boolean,
    Integer,
    Number,
    Text,
    List,
    Map,
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "string",
            Self::List => "array",
            Self::Map => "object",
        }
    }
}

/// A bound of a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) at: f64,
    pub(super) exclusive: bool,
}

/// A pattern and its source. One that does not compile refuses everything: an open door would be a silent default.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    pub(super) compiled: Option<Regex>,
}

/// How the elements of a list are told apart.
#[derive(Debug, Default)]
pub(super) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

impl Schema {
    pub(super) fn compile(json: &Value) -> Self {
        let flag = |name: &str| json.get(name).and_then(Value::as_bool).unwrap_or_default();
        let whole = |name: &str| json.get(name).and_then(Value::as_u64);
        let float = |name: &str| json.get(name).and_then(Value::as_f64);
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let boxed = |name: &str| json.get(name).filter(|v| v.is_object()).map(|v| Box::new(Self::compile(v)));
        let many = |name: &str| match json.get(name).and_then(Value::as_array) {
            Some(schemas) => schemas.iter().map(Self::compile).collect(),
            None => Vec::new(),
        };
        let names = |name: &str| match json.get(name).and_then(Value::as_array) {
            Some(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let bound = |at: &str, exclusive: &str| float(at).map(|at| Bound { at, exclusive: flag(exclusive) });
        let properties = match json.get("properties").and_then(Value::as_object) {
            Some(fields) => fields.iter().map(|(name, schema)| (name.clone(), Self::compile(schema))).collect(),
            None => BTreeMap::new(),
        };
        Self {
            kind: text("type").and_then(type_of),
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            properties,
            required: names("required"),
            additional: boxed("additionalProperties"),
            items: boxed("items"),
            default: json.get("default").cloned(),
            allowed: json.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: float("multipleOf"),
            length: (whole("minLength"), whole("maxLength")),
            count: (whole("minItems"), whole("maxItems")),
            entries: (whole("minProperties"), whole("maxProperties")),
            pattern: text("pattern")
                .map(|source| Pattern { source: source.to_owned(), compiled: Regex::new(source).ok() }),
            format: text("format").map(str::to_owned),
            list: match text("x-kubernetes-list-type") {
                Some("set") => ListType::Set,
                Some("map") => ListType::Map(names("x-kubernetes-list-map-keys")),
                _ => ListType::Atomic,
            },
            all_of: many("allOf"),
            any_of: many("anyOf"),
            one_of: many("oneOf"),
            not: boxed("not"),
        }
    }

    /// The schema of a field of a map.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// Whether it is a Kubernetes quantity: a number or a text with a unit, which only its pattern tells apart from a
    /// port name or another int-or-string.
    pub(super) fn is_quantity(&self) -> bool {
        self.int_or_string && self.pattern.is_some()
    }

    /// Whether the fields of a map are closed: any other is unknown.
    pub(super) fn closed(&self) -> bool {
        self.additional.is_none() && !self.preserve_unknown && self.kind == Some(Type::Map)
    }
}

fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "string" => Type::Text,
        "array" => Type::List,
        "object" => Type::Map,
        _ => return None,
    })
}
