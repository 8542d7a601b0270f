//! Patch: JSON patch, merge patch, strategic merge patch, server-side apply.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::answer::{
    Answer, FieldError, Result, apply_conflict, bad_request, internal, invalid, not_in_this_world, unprocessable,
    unsupported_media, unsupported_media_type,
};
use crate::apply::{self, Endpoint, Managers};
use crate::kinds::Kind;
use crate::meta;
use crate::request::Request;
use crate::schema::Schema;
use crate::world::Inner;

use super::decode;
use super::write::{Unknown, Write, set_managers};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
const APPLY_PATCH: &str = "application/apply-patch+yaml";

impl Inner {
    /// Patches an object through one of its endpoints.
    pub(crate) fn patch(&mut self, request: &Request, kind: &Arc<Kind>, subresource: &'static str) -> Result<Answer> {
        let media = request.content_type.as_str();
        let known = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];
        let served = known.contains(&media) || media == STRATEGIC_PATCH && kind.native;
        if !served {
            // A native resource is not even asked what it takes.
            let elsewhere = kind.native && media != STRATEGIC_PATCH;
            return Err(if elsewhere {
                unsupported_media()
            } else {
                unsupported_media_type(&[JSON_PATCH, MERGE_PATCH, APPLY_PATCH])
            });
        }
        let mut write = self.write(request, kind, subresource)?;
        check_options(request)?;
        let changed = match media {
            APPLY_PATCH => {
                let config = config(request)?;
                let may_create = subresource.is_empty();
                self.store_change(&mut write, may_create, None, |write, old| applied(write, old, &config))
            }
            JSON_PATCH => {
                let patch = json_patch_of(request)?;
                self.store_change(&mut write, false, None, |write, old| {
                    patched(write, old, |object| apply_json_patch(object, &patch))
                })
            }
            other => {
                let patch = merge_patch_of(request)?;
                let schema = (other == STRATEGIC_PATCH).then_some(&kind.schema);
                self.store_change(&mut write, false, None, |write, old| {
                    patched(write, old, |object| match schema {
                        Some(schema) => strategic_merge(object, &patch, Some(schema)),
                        None => {
                            json_patch::merge(object, &patch);
                            Ok(())
                        }
                    })
                })
            }
        };
        let (stored, created) = changed.map_err(|refusal| write.refused(refusal))?;
        Ok(write.answer(if created { 201 } else { 200 }, &stored))
    }
}

/// The patch of a merge patch request.
pub(crate) fn merge_patch_of(request: &Request) -> Result<Value> {
    let patch: Value = request.json().map_err(|error| bad_request(&format!("error decoding patch: {error}")))?;
    let found = match &patch {
        Value::Object(_) => return Ok(patch),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    };
    let wanted = "map[string]interface {}";
    Err(bad_request(&format!("error decoding patch: json: cannot unmarshal {found} into Go value of type {wanted}")))
}

/// The operations of a JSON patch request.
pub(crate) fn json_patch_of(request: &Request) -> Result<json_patch::Patch> {
    let value: Value = request.json().map_err(|error| bad_request(&format!("error decoding patch: {error}")))?;
    if value.is_object() {
        let wanted = "[]handlers.jsonPatchOp";
        return Err(bad_request(&format!(
            "error decoding patch: json: cannot unmarshal object into Go value of type {wanted}"
        )));
    }
    serde_json::from_value(value).map_err(|error| bad_request(&format!("error decoding patch: {error}")))
}

/// Applies a JSON patch as the server's library does: all or nothing; a test for null holds where nothing is, and a
/// replace puts what is not there.
pub(crate) fn apply_json_patch(object: &mut Value, patch: &json_patch::Patch) -> Result<()> {
    use json_patch::{AddOperation, Patch, PatchOperation};
    let mut changed = object.clone();
    for operation in &patch.0 {
        let operation = match operation {
            PatchOperation::Test(test) if test.value.is_null() && changed.pointer(test.path.as_str()).is_none() => {
                continue;
            }
            PatchOperation::Replace(replace) if changed.pointer(replace.path.as_str()).is_none() => {
                PatchOperation::Add(AddOperation { path: replace.path.clone(), value: replace.value.clone() })
            }
            other => other.clone(),
        };
        json_patch::patch(&mut changed, &Patch(vec![operation])).map_err(|_| unprocessable())?;
    }
    *object = changed;
    Ok(())
}

/// An apply needs a manager, nothing else may be forced.
fn check_options(request: &Request) -> Result<()> {
    let mut errors = Vec::new();
    let apply = request.content_type == APPLY_PATCH;
    if apply && request.option("fieldManager").unwrap_or_default().is_empty() {
        errors.push(FieldError::required("fieldManager", "is required for apply patch"));
    }
    if !apply && request.option("force").is_some() {
        errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
    }
    if errors.is_empty() { Ok(()) } else { Err(invalid("meta.k8s.io", "PatchOptions", "", &errors)) }
}

/// The configuration of an apply. JSON is YAML; what is only YAML the world does not read.
fn config(request: &Request) -> Result<Value> {
    let value = request.json().map_err(|_| not_in_this_world("apply patches that are YAML and not JSON"))?;
    if value.is_object() { Ok(value) } else { Err(bad_request("error decoding YAML: the patch is no object")) }
}

/// The object after a patch that knows no schema.
fn patched(write: &mut Write<'_>, old: Option<&Value>, patch: impl FnOnce(&mut Value) -> Result<()>) -> Result<Value> {
    let mut object = old.cloned().unwrap_or_default();
    patch(&mut object)?;
    let text = object.to_string();
    let refused = |why: &str| invalid("", "", "", &[FieldError::invalid("patch", &json!(text), why)]);
    let decoded = decode::object(&write.kind, object).map_err(|wrong| refused(&decode::wrong_type(&wrong)))?;
    let sentences: Vec<String> = decoded.unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
    if !sentences.is_empty() {
        match write.unknown() {
            Unknown::Ignore => {}
            Unknown::Warn => write.warnings.extend(sentences),
            Unknown::Strict => return Err(refused(&format!("strict decoding error: {}", sentences.join(", ")))),
        }
    }
    let mut object = decoded.object;
    write.record(old, &mut object);
    Ok(object)
}

/// The object after an apply.
fn applied(write: &mut Write<'_>, old: Option<&Value>, config: &Value) -> Result<Value> {
    let kind = write.kind.clone();
    let version = config.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let named = config.get("kind").and_then(Value::as_str).unwrap_or_default();
    if version != kind.api_version() || named != kind.kind {
        let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
        return Err(bad_request(&format!("invalid object type: {version}, Kind={named}")));
    }
    if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(bad_request("metadata.managedFields must be nil"));
    }
    let wrong = apply::check(Some(&kind.schema), config);
    if !wrong.is_empty() {
        let text =
            |field: &str| config.pointer(&format!("/metadata/{field}")).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        let group = if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() };
        let why = if wrong.len() == 1 {
            wrong.concat()
        } else {
            format!("errors:\n{}", wrong.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
        };
        let message =
            format!("failed to create typed patch object ({namespace}/{name}; {group}, Kind={}): {why}", kind.kind);
        return Err(internal_typed(&message));
    }
    let mut managers = old.map(Managers::read).unwrap_or_default();
    let live = old.map(meta::without_managed_fields);
    let force = write.request.flag("force") && write.request.option("force").is_some();
    let empty = decode::empty(&kind);
    let endpoint = Endpoint { schema: &kind.schema, empty: &empty, ignored: &write.ignored() };
    let merged = managers
        .apply(&endpoint, live.as_ref(), config, force, &write.writer())
        .map_err(|conflicts| apply_conflict(&conflicts))?;
    let decoded = decode::object(&kind, merged).map_err(|wrong| internal(&decode::wrong_type(&wrong)))?;
    let mut object = decoded.object;
    set_managers(&mut object, &managers);
    Ok(object)
}

/// A configuration that does not fit the schema: the server blames itself.
fn internal_typed(message: &str) -> Box<crate::answer::Refusal> {
    crate::answer::status(500, "", message, None)
}

/// Strategic merge as far as the operator and kubectl use it: lists with a merge key are merged by it, `$patch: delete`
/// and `$patch: replace` work; the other directives are refused.
fn strategic_merge(object: &mut Value, patch: &Value, schema: Option<&Schema>) -> Result<()> {
    let schema = schema.map(Schema::resolve);
    let Some(fields) = patch.as_object() else {
        *object = patch.clone();
        return Ok(());
    };
    if fields.keys().any(|name| {
        name.starts_with("$setElementOrder") || name.starts_with("$deleteFromPrimitiveList") || name == "$retainKeys"
    }) {
        return Err(not_in_this_world("strategic merge directives beside $patch"));
    }
    if fields.get("$patch").and_then(Value::as_str) == Some("replace") {
        *object = without_directive(patch);
        return Ok(());
    }
    if !object.is_object() {
        *object = json!({});
    }
    let Some(target) = object.as_object_mut() else { return Ok(()) };
    for (name, value) in fields {
        let field = schema.and_then(|schema| schema.field(name));
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(_) => strategic_merge(target.entry(name.clone()).or_insert(json!({})), value, field)?,
            Value::Array(items) => match field {
                Some(field) if field.merge_list => merge_list(target, name, items, field)?,
                _ => {
                    target.insert(name.clone(), value.clone());
                }
            },
            scalar => {
                target.insert(name.clone(), scalar.clone());
            }
        }
    }
    Ok(())
}

fn merge_list(target: &mut Map<String, Value>, name: &str, items: &[Value], field: &Schema) -> Result<()> {
    let list = target.entry(name.to_owned()).or_insert(json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else { return Ok(()) };
    let Some(key) = &field.merge_key else {
        // A list of scalars is a set.
        for item in items.iter().filter(|item| !list.contains(item)).collect::<Vec<_>>() {
            list.push(item.clone());
        }
        return Ok(());
    };
    for item in items {
        let at = list.iter().position(|seen| seen.get(key) == item.get(key));
        let directive = item.get("$patch").and_then(Value::as_str);
        match (directive, at) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some("delete"), None) => {}
            (Some("replace"), _) if item.get(key).is_none() => list.clear(),
            (_, Some(at)) => strategic_merge(&mut list[at], item, field.items.as_deref())?,
            (_, None) => list.push(without_directive(item)),
        }
    }
    Ok(())
}

fn without_directive(value: &Value) -> Value {
    let mut out = value.clone();
    if let Some(fields) = out.as_object_mut() {
        fields.remove("$patch");
    }
    out
}
