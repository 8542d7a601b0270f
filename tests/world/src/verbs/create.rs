//! Create.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::{Answer, Result, bad_request, internal_plain, status};
use crate::kinds::Kind;
use crate::meta;
use crate::request::Request;
use crate::store::Key;
use crate::world::Inner;

impl Inner {
    /// Makes a new object.
    pub(crate) fn create(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        let mut write = self.write(request, kind, "")?;
        let value = request.json().map_err(|error| bad_request(&format!("couldn't read the body: {error}")))?;
        let mut object = write.decode_body(value)?;
        let namespace = meta::text(&object, "namespace");
        if kind.namespaced && !namespace.is_empty() && namespace != request.target.namespace {
            return Err(bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        if !meta::text(&object, "resourceVersion").is_empty() {
            return Err(internal_plain("resourceVersion should not be set on objects to be created"));
        }
        let prefix = meta::text(&object, "generateName").to_owned();
        if meta::text(&object, "name").is_empty() && !prefix.is_empty() {
            let name = format!("{prefix}{}", self.new_suffix());
            meta::metadata(&mut object).insert("name".to_owned(), json!(name));
        }
        for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
            meta::metadata(&mut object).remove(field);
        }
        write.record(None, &mut object);
        let name = meta::text(&object, "name").to_owned();
        write.key = Key::new(&kind.resource(), &request.target.namespace, &name);
        let stored = self.store_new(&write, object).map_err(|refusal| write.refused(refusal))?;
        Ok(write.answer(201, &stored))
    }

    /// No new objects of a kind whose definition is going.
    pub(crate) fn check_terminating_definition(&self, kind: &Kind) -> Result<()> {
        if kind.native {
            return Ok(());
        }
        let definition = self.store.get(&Key::new(DEFINITIONS, "", &kind.resource()));
        if definition.is_some_and(|definition| meta::is_terminating(&definition)) {
            let message = "create not allowed while custom resource definition is terminating";
            let mut refusal = status(405, "MethodNotAllowed", message, None);
            refusal.status["details"] = json!({"group": kind.group, "kind": kind.plural});
            return Err(refusal);
        }
        Ok(())
    }
}

/// The resource of custom resource definitions.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// The body of a request that must be JSON.
pub(crate) fn json_body(request: &Request) -> Result<Value> {
    request.json().map_err(|error| bad_request(&format!("couldn't read the body: {error}")))
}
