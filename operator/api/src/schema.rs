//! Schema pieces that a derive cannot make, and the finish every generated schema gets.
//!
//! The finish removes `nullable` and the null member of optional enums: an API server drops a null of a field that is
//! not nullable, which is what a person who writes `field:` means, and CEL's `has()` then has one meaning.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// What a reason of a condition looks like, ours and the engine's codes: `ExpiresIn30Days`, `CpuX86`.
pub(crate) const REASON_PATTERN: &str = "^[A-Z][A-Za-z0-9]*$";

/// Adds one CEL rule to a schema.
pub(crate) fn add_rule(schema: &mut Schema, rule: &str, message: &str) {
    let rule = json!({ "rule": rule, "message": message });
    let rules = schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(rule);
    }
}

/// `status.conditions`: the Kubernetes shape with bounds and the list-map marker.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One condition. 一项状态条件。",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {
                    "type": "string", "maxLength": 63, "pattern": "^[A-Z][A-Za-z]*$",
                    "description": "What it is about, e.g. Ready. 条件类型，例如 Ready。",
                },
                "status": {
                    "type": "string", "enum": ["True", "False", "Unknown"],
                    "description": "True, False or Unknown. 取值 True、False 或 Unknown。",
                },
                "observedGeneration": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "Generation of the spec this was computed from. 计算所依据的 spec 代数。",
                },
                "lastTransitionTime": {
                    "type": "string", "format": "date-time",
                    "description": "When the status last changed. 取值上次变化的时间。",
                },
                "reason": {
                    "type": "string", "maxLength": 128, "pattern": REASON_PATTERN,
                    "description": "Why, from a closed list. 原因，取自固定清单。",
                },
                "message": {
                    "type": "string", "maxLength": 2048,
                    "description": "A sentence for people, in both languages. 供人阅读的说明，中英文。",
                },
            },
        },
    })
}

/// What a status says before anybody has looked: a generation that no object has. Without it tools that know no kind of
/// ours (kstatus, and so Flux and Helm) would take an object without conditions for a finished one.
pub(crate) fn unobserved() -> Value {
    json!({ "observedGeneration": -1 })
}

/// A point in time, RFC 3339.
pub(crate) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// A point in time of a file that no API server bounds, RFC 3339.
pub(crate) fn instant(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "maxLength": 40 })
}

/// A figure for each hour of a day, in percent.
pub(crate) fn hours(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 24,
        "maxItems": 24,
        "items": {
            "type": "integer", "format": "int32", "minimum": 0, "maximum": 10_000,
            "description": "Percent. 百分比。",
        },
    })
}

/// Page sizes in KiB.
pub(crate) fn page_sizes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 4,
        "items": {
            "type": "integer", "format": "int32", "minimum": 4, "maximum": 64,
            "description": "Page size in KiB. 页大小（KiB）。",
        },
    })
}

/// An embedded Kubernetes object; below apiVersion, kind and metadata it is not checked by the schema.
pub(crate) fn manifest(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

/// Fields of any object; what they may be is checked once they stand in it.
pub(crate) fn fields(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Replicas by name of cluster.
pub(crate) fn replicas_by_cluster(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 1000,
        "additionalProperties": {
            "type": "integer", "format": "int32", "minimum": 0, "maximum": 1_000_000,
            "description": "Replicas. 副本数。",
        },
    })
}

/// Brings a derived schema into the form we publish.
pub(crate) fn finish(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("nullable");
            if let Some(Value::Array(members)) = map.get_mut("enum") {
                members.retain(|member| !member.is_null());
            }
            for key in ["items", "additionalProperties"] {
                if let Some(inner) = map.get_mut(key) {
                    finish(inner);
                }
            }
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.values_mut().for_each(finish);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}
