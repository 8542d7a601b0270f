//! Schemas: of our CRDs and of the native kinds, in one form that pruning, defaulting, validation and server-side apply
//! walk.
//!
//! Read from the JSON of an `openAPIV3Schema` or of `native/schemas.json` (written by `native/reduce.py` from the sources
//! of Kubernetes). What the walks do stands in `decode`, `validate` and `rules`.

pub(crate) mod decode;
pub(crate) mod quantity;
pub(crate) mod rules;
pub(crate) mod validate;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// One node of a schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    reference: Option<String>,
    pub(crate) kind: Option<Type>,
    pub(crate) nullable: bool,
    pub(crate) int_or_string: bool,
    pub(crate) quantity: bool,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded: bool,
    pub(crate) properties: BTreeMap<String, Schema>,
    pub(crate) required: Vec<String>,
    pub(crate) additional: Option<Box<Schema>>,
    pub(crate) items: Option<Box<Schema>>,
    pub(crate) default: Option<Value>,
    pub(crate) allowed: Vec<Value>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    pub(crate) length: (Option<u64>, Option<u64>),
    pub(crate) count: (Option<u64>, Option<u64>),
    pub(crate) entries: (Option<u64>, Option<u64>),
    pub(crate) pattern: Option<Pattern>,
    pub(crate) format: Option<String>,
    pub(crate) list: ListType,
    pub(crate) atomic_map: bool,
    pub(crate) merge_key: Option<String>,
    pub(crate) merge_list: bool,
    pub(crate) printed: Printed,
    pub(crate) all_of: Vec<Schema>,
    pub(crate) any_of: Vec<Schema>,
    pub(crate) one_of: Vec<Schema>,
    pub(crate) not: Option<Box<Schema>>,
}

/// The types of JSON schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Boolean,
    Integer,
    Number,
    Text,
    List,
    Map,
}

/// What Go prints of an absent or empty field of a native kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Printed {
    /// What was given, for a pointer; also every field of a custom resource.
    #[default]
    AsGiven,
    /// Always, with its zero value.
    Always,
    /// Not when it is zero.
    UnlessZero,
    /// Not when it has no elements.
    UnlessEmpty,
}

/// A bound of a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) at: f64,
    pub(crate) exclusive: bool,
}

/// A pattern and its source; one that does not compile matches nothing.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) source: String,
    pub(crate) compiled: Option<Regex>,
}

/// How the elements of a list are told apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "string",
            Self::List => "array",
            Self::Map => "object",
        }
    }

    fn read(name: &str) -> Option<Self> {
        [Self::Boolean, Self::Integer, Self::Number, Self::Text, Self::List, Self::Map]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Its name in structured merge.
    pub(crate) fn structured_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer | Self::Number => "numeric (int or float)",
            Self::Text => "string",
            Self::List => "list",
            Self::Map => "map",
        }
    }

    pub(crate) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
        }
    }
}

/// The published form of the native kinds.
static NATIVE: LazyLock<Native> = LazyLock::new(|| {
    let json: Value =
        serde_json::from_str(include_str!("../../native/schemas.json")).expect("native/schemas.json is JSON");
    let read = |name: &str| json.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let definitions = read("definitions").iter().map(|(name, s)| (name.clone(), Schema::compile(s))).collect();
    let kinds = read("kinds").iter().filter_map(|(k, n)| Some((k.clone(), n.as_str()?.to_owned()))).collect();
    Native { definitions, kinds }
});

struct Native {
    definitions: BTreeMap<String, Schema>,
    kinds: BTreeMap<String, String>,
}

/// The schema of a native kind, by `group/version/Kind` (`v1/Pod`).
pub(crate) fn native(kind: &str) -> Option<Schema> {
    let name = NATIVE.kinds.get(kind)?;
    Some(Schema { reference: Some(name.clone()), ..Schema::default() })
}

/// The schema of `metadata`.
pub(crate) fn metadata() -> Schema {
    let name = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta".to_owned();
    Schema { reference: Some(name), ..Schema::default() }
}

impl Schema {
    /// Reads a schema. Keywords the world does not know are documentation.
    pub(crate) fn compile(json: &Value) -> Self {
        let flag = |name: &str| json.get(name).and_then(Value::as_bool).unwrap_or_default();
        let whole = |name: &str| json.get(name).and_then(Value::as_u64);
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let boxed = |name: &str| json.get(name).filter(|v| v.is_object()).map(|v| Box::new(Self::compile(v)));
        let list = |name: &str| json.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let many = |name: &str| list(name).iter().map(Self::compile).collect();
        let names = |name: &str| list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let bound = |at: &str, exclusive: &str| {
            json.get(at).and_then(Value::as_f64).map(|at| Bound { at, exclusive: flag(exclusive) })
        };
        let reference = text("$ref").map(str::to_owned);
        let strategy = text("x-kubernetes-patch-strategy").unwrap_or_default();
        Self {
            kind: text("type").and_then(Type::read),
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string") || text("format") == Some("int-or-string"),
            quantity: reference.as_deref().is_some_and(|name| name.ends_with(".Quantity")),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            properties: match json.get("properties").and_then(Value::as_object) {
                Some(fields) => fields.iter().map(|(name, schema)| (name.clone(), Self::compile(schema))).collect(),
                None => BTreeMap::new(),
            },
            required: names("required"),
            additional: boxed("additionalProperties"),
            items: boxed("items"),
            default: json.get("default").cloned(),
            allowed: list("enum"),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
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
            atomic_map: text("x-kubernetes-map-type") == Some("atomic"),
            merge_key: text("x-kubernetes-patch-merge-key").map(str::to_owned),
            merge_list: strategy.contains("merge"),
            printed: match text("x-go") {
                Some("always") => Printed::Always,
                Some("zero") => Printed::UnlessZero,
                Some("empty") => Printed::UnlessEmpty,
                _ => Printed::AsGiven,
            },
            all_of: many("allOf"),
            any_of: many("anyOf"),
            one_of: many("oneOf"),
            not: boxed("not"),
            reference,
        }
    }

    /// The schema of a custom resource: what its CRD says, with the fields every object has.
    pub(crate) fn of_custom_resource(json: &Value) -> Self {
        let mut schema = Self::compile(json);
        schema.as_resource();
        schema
    }

    fn as_resource(&mut self) {
        let text = || Self { kind: Some(Type::Text), ..Self::default() };
        self.properties.insert("apiVersion".to_owned(), text());
        self.properties.insert("kind".to_owned(), text());
        self.properties.insert("metadata".to_owned(), metadata());
    }

    /// Itself, or what it refers to.
    pub(crate) fn resolve(&self) -> &Self {
        match &self.reference {
            Some(name) => NATIVE.definitions.get(name).unwrap_or(self),
            None => self,
        }
    }

    /// Name of the Go type it refers to.
    pub(crate) fn go_name(&self) -> Option<&str> {
        self.reference.as_deref().and_then(|name| name.rsplit('.').next())
    }

    /// The schema of a field of a map.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let schema = self.resolve();
        schema.properties.get(name).or(schema.additional.as_deref())
    }

    /// Whether the fields of the map are closed: any other is unknown.
    pub(crate) fn is_closed(&self) -> bool {
        self.additional.is_none()
            && !self.preserve_unknown
            && self.kind == Some(Type::Map)
            && !(self.properties.is_empty() && self.required.is_empty() && !self.embedded)
    }

    /// The type as structured merge knows it; none for what may be a number or a text.
    pub(crate) fn structured_type(&self) -> Option<Type> {
        if self.int_or_string || self.quantity { None } else { self.kind }
    }
}
