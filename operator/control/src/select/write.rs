//! Writes what is told of a native object: its status, and the ReplicaSet beneath a Deployment.
//!
//! By server-side apply of the status alone under our one field manager, bound to the uid. Nothing of a native object's
//! spec or metadata is ever written.

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::Event;
use super::kinds::{Kind, named};
use super::status::Told;
use super::watch::value;
use crate::error::{Category, Error};

/// Writes it. Returns the objects as they are now; one that is gone or was made anew is left to its own events.
///
/// # Errors
/// What the hub says, but for a conflict.
pub(crate) async fn write(client: &Client, told: &Told) -> Result<Vec<Event>, Error> {
    let mut written = Vec::new();
    if let (Some(mirror), Some(kind)) = (&told.mirror, named("ReplicaSet")) {
        let at = At { client, kind, namespace: &told.namespace, name: &mirror.name };
        let mut status = mirror.status.clone();
        if let Some(object) = &mirror.object {
            let Some(object) = at.apply(object, false).await? else { return Ok(written) };
            status["observedGeneration"] = object.metadata.generation.unwrap_or(0).into();
        }
        written.extend(at.status(None, &status).await?);
    }
    if let Some(status) = &told.status {
        let at = At { client, kind: told.kind, namespace: &told.namespace, name: &told.name };
        written.extend(at.status(Some(&told.uid), status).await?);
    }
    Ok(written)
}

struct At<'a> {
    client: &'a Client,
    kind: &'static Kind,
    namespace: &'a str,
    name: &'a str,
}

impl At<'_> {
    async fn status(&self, uid: Option<&str>, status: &Value) -> Result<Option<Event>, Error> {
        let mut metadata = json!({ "name": self.name, "namespace": self.namespace });
        if let Some(uid) = uid {
            metadata["uid"] = uid.into();
        }
        let body = json!({
            "apiVersion": self.kind.api_version(), "kind": self.kind.kind, "metadata": metadata, "status": status,
        });
        let written = self.apply(&body, true).await?;
        let object = written.and_then(|object| value(object, self.kind));
        Ok(object.map(|object| Event::Put { kind: self.kind, object: Box::new(object) }))
    }

    async fn apply(&self, body: &Value, status: bool) -> Result<Option<DynamicObject>, Error> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), self.namespace, &self.kind.resource());
        let params = PatchParams::apply(jiuzhou_api::meta::FIELD_MANAGER).force();
        let patch = Patch::Apply(body);
        let written = match status {
            true => api.patch_status(self.name, &params, &patch).await,
            false => api.patch(self.name, &params, &patch).await,
        };
        match written {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
            Err(error) => {
                let what = format!("the status of {} {}/{}", self.kind.kind, self.namespace, self.name);
                match Error::api("write", what, error) {
                    error if error.category() == Category::Conflict => Ok(None),
                    error => Err(error),
                }
            }
        }
    }
}
