//! Subresources: status, scale, finalize of namespaces, eviction of pods.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value, json};

use crate::answer::{
    Answer, FieldError, Result, bad_request, conflict, invalid, method_not_allowed, not_found, not_in_this_world,
};
use crate::kinds::{Kind, Scale};
use crate::meta;
use crate::request::Request;
use crate::selector;
use crate::store::Object;
use crate::verbs::{DeleteOptions, Write, apply_json_patch, json_patch_of, merge_patch_of};
use crate::world::{Inner, success};

impl Inner {
    /// The status of an object.
    pub(crate) fn status(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        match request.method {
            Method::GET => self.get(request, kind),
            Method::PUT => self.replace_through(request, kind, "status"),
            Method::PATCH => self.patch(request, kind, "status"),
            _ => Err(method_not_allowed(Some(kind))),
        }
    }

    /// The scale of an object.
    pub(crate) fn scale(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        let Some(paths) = kind.scale.clone() else { return Err(method_not_allowed(Some(kind))) };
        let key = self.key(request, kind);
        let name = &request.target.name;
        let object = self.store.get(&key).ok_or_else(|| not_found(kind, name))?;
        if request.method == Method::GET {
            return Ok(Answer::json(200, print_scale(&paths, &object)));
        }
        let mut scale = print_scale(&paths, &object);
        let json = || request.json().map_err(|error| bad_request(&format!("couldn't read the body: {error}")));
        match (request.method.clone(), request.content_type.as_str()) {
            (Method::PUT, _) => scale = json()?,
            (Method::PATCH, "application/merge-patch+json" | "application/strategic-merge-patch+json") => {
                json_patch::merge(&mut scale, &merge_patch_of(request)?);
            }
            (Method::PATCH, "application/json-patch+json") => {
                apply_json_patch(&mut scale, &json_patch_of(request)?)?;
            }
            (Method::PATCH, other) => return Err(not_in_this_world(&format!("{other} on the scale subresource"))),
            _ => return Err(method_not_allowed(Some(kind))),
        }
        let replicas = scale.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_default();
        if replicas < 0 {
            let detail = "must be greater than or equal to 0";
            let error = FieldError::invalid("spec.replicas", &json!(replicas), detail);
            return Err(invalid("autoscaling", "Scale", name, &[error]));
        }
        let version = meta::text(&scale, "resourceVersion").to_owned();
        let uid = Some(meta::text(&scale, "uid").to_owned()).filter(|uid| !uid.is_empty());
        let stored = self.set_replicas(request, kind, &paths, replicas, &version, uid.as_deref())?;
        Ok(Answer::json(200, print_scale(&paths, &stored)))
    }

    fn set_replicas(
        &mut self,
        request: &Request,
        kind: &Arc<Kind>,
        paths: &Scale,
        replicas: i64,
        version: &str,
        uid: Option<&str>,
    ) -> Result<Object> {
        let mut write = self.write(request, kind, "scale")?;
        let (stored, _) = self.store_change(&mut write, false, uid, |write: &mut Write<'_>, old| {
            let mut object = old.cloned().unwrap_or_default();
            set_pointer(&mut object, &paths.spec, json!(replicas));
            if !version.is_empty() {
                meta::metadata(&mut object).insert("resourceVersion".to_owned(), json!(version));
            }
            write.record(old, &mut object);
            Ok(object)
        })?;
        Ok(stored)
    }

    /// The finalize endpoint of a namespace: only `spec.finalizers` moves.
    pub(crate) fn finalize(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        if request.method != Method::PUT {
            return Err(method_not_allowed(Some(kind)));
        }
        let mut write = self.write(request, kind, "finalize")?;
        let body = request.json().map_err(|error| bad_request(&format!("couldn't read the body: {error}")))?;
        let wanted = body.pointer("/spec/finalizers").cloned().unwrap_or(json!([]));
        let empty = wanted.as_array().is_none_or(Vec::is_empty);
        let (stored, _) = self.store_change(&mut write, false, None, |_, old| {
            let mut object = old.cloned().unwrap_or_default();
            if empty {
                object["spec"] = json!({});
            } else {
                object["spec"]["finalizers"] = wanted;
            }
            Ok(object)
        })?;
        if empty && meta::is_terminating(&stored) && meta::finalizers(&stored).is_empty() && !write.dry_run {
            self.store.delete(&write.key);
        }
        Ok(write.answer(200, &stored))
    }

    /// Eviction of a pod, where no disruption budget stands against it.
    pub(crate) fn evict(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        if request.method != Method::POST {
            return Err(method_not_allowed(Some(kind)));
        }
        let key = self.key(request, kind);
        let name = &request.target.name;
        let pod = self.store.get(&key).ok_or_else(|| not_found(kind, name))?;
        let blocked = self.store.list("poddisruptionbudgets.policy", Some(&request.target.namespace)).into_iter().any(
            |(_, budget)| {
                let allowed = budget.pointer("/status/disruptionsAllowed").and_then(Value::as_i64).unwrap_or_default();
                let selector = budget.pointer("/spec/selector").cloned().unwrap_or_default();
                allowed <= 0 && matches_native(&selector, &pod)
            },
        );
        if blocked {
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            return Err(crate::answer::status(429, "TooManyRequests", message, None));
        }
        if meta::is_terminating(&pod) {
            return Err(conflict(kind, name, "the pod is being deleted"));
        }
        if !request.dry_run() {
            self.delete_object(kind, &key, &DeleteOptions::default())?;
        }
        Ok(Answer::json(201, success(&Value::Null)))
    }
}

/// The scale of an object as `autoscaling/v1` prints it.
fn print_scale(paths: &Scale, object: &Value) -> Value {
    let metadata: Map<String, Value> = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), object.pointer(&format!("/metadata/{name}"))?.clone())))
        .collect();
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    let (wanted, seen) = (number(&paths.spec), number(&paths.status));
    let mut status = json!({"replicas": seen});
    if let Some(selector) = paths.selector.as_deref().and_then(|pointer| object.pointer(pointer)) {
        let text = selector.as_str().map_or_else(|| selector::printed(selector), str::to_owned);
        if !text.is_empty() {
            status["selector"] = json!(text);
        }
    }
    let spec = if wanted == 0 { json!({}) } else { json!({"replicas": wanted}) };
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status})
}

fn set_pointer(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for name in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

/// Whether a native label selector picks an object; the empty one picks everything.
pub(crate) fn matches_native(selector: &Value, object: &Value) -> bool {
    let text = selector::printed(selector);
    let mut query = std::collections::BTreeMap::new();
    query.insert("labelSelector".to_owned(), text);
    selector::Selector::of(&query).is_ok_and(|selector| selector.matches(object))
}
