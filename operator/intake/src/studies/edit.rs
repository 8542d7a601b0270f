//! Edits of one document, each remembered with the change that made it, so that a finding leads there.

use serde_json::{Map, Value};

use crate::documents::Document;

use super::Placed;

/// Sets the fields a merge patch names (RFC 7386): null takes a field away, a list replaces the whole list.
pub(super) fn merge(document: &mut Document, fields: &Value, at: &str, by: &Placed<'_>) {
    apply(&mut document.value, fields);
    let mut set = Vec::new();
    leaves(fields, "", &mut set);
    for field in set {
        document.suppose(&field, by.document, &format!("{at}{field}"));
    }
}

/// Sets one field, making the maps above it.
pub(super) fn set(document: &mut Document, field: &str, value: Value, by: &Placed<'_>) {
    let mut fields = value;
    for name in field.rsplit('/').filter(|name| !name.is_empty()) {
        fields = Value::Object(Map::from_iter([(name.to_owned(), fields)]));
    }
    apply(&mut document.value, &fields);
    document.suppose(field, by.document, &by.pointer);
}

/// Changes the elements of a list in place; the list is left alone when nothing in it changes.
pub(super) fn each(
    document: &mut Document,
    field: &str,
    by: &Placed<'_>,
    mut change: impl FnMut(&mut Value) -> bool,
) -> bool {
    let Some(Value::Array(list)) = document.value.pointer_mut(field) else { return false };
    let mut changed = Vec::new();
    for (index, element) in list.iter_mut().enumerate() {
        if change(element) {
            changed.push(index);
        }
    }
    for index in &changed {
        document.suppose(&format!("{field}/{index}"), by.document, &by.pointer);
    }
    !changed.is_empty()
}

/// A text of an element.
pub(super) fn text<'a>(element: &'a Value, field: &str) -> &'a str {
    element.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a field of an element; what is no map is left alone, for its schema will refuse it.
pub(super) fn put(element: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = element {
        fields.insert(field.to_owned(), value);
    }
}

fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(map) = target {
        for (name, value) in fields {
            if value.is_null() {
                map.remove(name);
            } else {
                apply(map.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

fn leaves(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{at}/{name}"), out);
            }
        }
        _ => out.push(at.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test cases of RFC 7386, appendix A: original, patch, result.
    #[test]
    fn a_merge_patch_does_what_the_standard_says() {
        let table = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (original, patch, result) in table {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let mut target = read(original);
            apply(&mut target, &read(patch));
            assert_eq!(target, read(result), "{original} with {patch}");
        }
    }

    #[test]
    fn the_fields_a_patch_sets_are_told_by_pointer() {
        let mut fields = Vec::new();
        let patch = serde_json::json!({ "spec": { "a/b": 1, "c": { "d": [1] }, "e": {} } });
        leaves(&patch, "", &mut fields);
        assert_eq!(fields, ["/spec/a~1b", "/spec/c/d", "/spec/e"]);
    }
}
