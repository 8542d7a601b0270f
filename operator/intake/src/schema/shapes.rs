//! The rules `self.matches('…')` of a schema, taken out of the CEL that is evaluated and held to a pattern compiled once.
//!
//! The crate `cel` compiles the pattern of `matches` at each evaluation, which cost more than all other rules of an
//! object together, and offers no way to give it a `matches` of one's own. Both read the same crate's syntax, so the
//! answer is the same; a pattern that does not compile, or a rule that says more than this, is left to CEL.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::path::down;

/// The keyword that holds the rules of a node.
const RULES: &str = "x-kubernetes-validations";

/// The patterns of one node and of those below it; nodes without any are not kept.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    own: Vec<Shape>,
    properties: BTreeMap<String, Shapes>,
    additional: Option<Box<Shapes>>,
    items: Option<Box<Shapes>>,
}

#[derive(Debug)]
struct Shape {
    pattern: Regex,
    message: String,
}

impl Shapes {
    /// Takes the rules out of `schema`, the JSON form of a CRD's `openAPIV3Schema`.
    pub(super) fn take(schema: &mut Value) -> Self {
        let Some(fields) = schema.as_object_mut() else { return Self::default() };
        let mut shapes = Self::default();
        if let Some(rules) = fields.get_mut(RULES).and_then(Value::as_array_mut) {
            rules.retain(|rule| shape(rule).map(|shape| shapes.own.push(shape)).is_none());
            if rules.is_empty() {
                fields.remove(RULES);
            }
        }
        let mut child = |name: &str| {
            let taken = fields.get_mut(name).map(Self::take).filter(|taken| !taken.is_empty());
            taken.map(Box::new)
        };
        shapes.items = child("items");
        shapes.additional = child("additionalProperties");
        if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
            let taken = properties.iter_mut().map(|(name, schema)| (name.clone(), Self::take(schema)));
            shapes.properties = taken.filter(|(_, taken)| !taken.is_empty()).collect();
        }
        shapes
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.properties.is_empty() && self.additional.is_none() && self.items.is_none()
    }

    /// Tells each text that has another shape, with its pointer and the message of the rule.
    pub(super) fn check(&self, value: &Value, pointer: &str, tell: &mut impl FnMut(&str, &str)) {
        match value {
            Value::String(text) => {
                for shape in self.own.iter().filter(|shape| !shape.pattern.is_match(text)) {
                    tell(pointer, &shape.message);
                }
            }
            Value::Array(elements) => {
                let Some(items) = &self.items else { return };
                for (index, element) in elements.iter().enumerate() {
                    items.check(element, &format!("{pointer}/{index}"), tell);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let Some(below) = self.properties.get(name).or(self.additional.as_deref()) {
                        below.check(value, &down(pointer, name), tell);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A rule that says this and no more. A quote or an escape inside the literal is left to CEL.
fn shape(rule: &Value) -> Option<Shape> {
    let rule = rule.as_object()?;
    let literal = rule.get("rule")?.as_str()?.strip_prefix("self.matches('")?.strip_suffix("')")?;
    let message = rule.get("message")?.as_str()?;
    let plain = rule.len() == 2 && !literal.contains(['\'', '\\']);
    let pattern = Regex::new(literal).ok().filter(|_| plain)?;
    Some(Shape { pattern, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use kube::core::cel::{Validator, compile_schema};
    use serde_json::json;

    use super::*;

    #[test]
    fn says_what_cel_says_and_leaves_it_the_rest() {
        let text = |rule: &str| json!({"type": "string", RULES: [{"rule": rule, "message": "six digits"}]});
        let schema = json!({"type": "object", "properties": {
            "region": text("self.matches('^[1-8][0-9]{5}$')"),
            "loose": text("self.matches('ab')"),
            "list": {"type": "array", "items": text("self.matches('^a|b$')")},
            "map": {"type": "object", "additionalProperties": text("self.matches('^[0-9A-HJ-NP]$')")},
            "both": text("self == '' || self.matches('^a$')"),
            "escaped": text("self.matches('^\\\\d$')"),
        }});
        let (mut rest, whole) = (schema.clone(), compile_schema(&schema));
        let shapes = Shapes::take(&mut rest);
        assert_eq!(rest.to_string().matches(RULES).count(), 2, "{rest}");
        let rest = compile_schema(&rest);
        let values = ["530000", "930000", "53000", "xaby", "a", "b", "ab", "", "中", "530000\n", "Z", "7"];
        for value in values {
            let object = json!({"region": value, "loose": value, "list": ["b", value], "map": {"k": value},
                "both": value, "escaped": value});
            let told = |schema| match Validator::new().validate_compiled(schema, &object, None) {
                Ok(()) => Vec::new(),
                Err(errors) => errors.into_vec().iter().map(|error| error.field_path.clone()).collect(),
            };
            let (mut ours, mut cel) = (told(&rest), told(&whole));
            shapes.check(&object, "", &mut |pointer, _| ours.push(super::super::path::dotted(pointer)));
            ours.sort();
            cel.sort();
            assert_eq!(ours, cel, "{value:?}");
        }
    }
}
