//! Requests about one object of a member, as values: no type of ours stands between the member's JSON and what is
//! compared.
//!
//! Every request ends after a time limit and every refusal comes back in words that may be shown. Nothing is repeated
//! here: who asks decides with fresh eyes.

use std::time::Duration;

use jiuzhou_api::meta;
use kube::Resource;
use kube::api::{
    DeleteParams, DynamicObject, GetParams, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy,
};
use kube::core::Request;
use kube::core::discovery::ApiResource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kinds::{Kinds, Served};
use crate::words::{Censor, Refusal};

/// Where one object stands in a member.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) resource: ApiResource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl Place {
    pub(crate) fn new(served: &Served, namespace: &str, name: &str) -> Self {
        let namespace = served.namespaced.then(|| namespace.to_owned());
        Self { resource: served.resource.clone(), namespace, name: name.to_owned() }
    }

    fn is_secret(&self) -> bool {
        self.resource.group.is_empty() && self.resource.kind == "Secret"
    }

    fn request(&self) -> Request {
        Request::new(DynamicObject::url_path(&self.resource, self.namespace.as_deref()))
    }
}

/// Asks a member as one account.
#[derive(Clone)]
pub(crate) struct Caller<'a> {
    pub(crate) client: kube::Client,
    pub(crate) limit: Duration,
    pub(crate) censor: &'a Censor,
}

/// How an apply is meant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// Fields of other managers are taken. Only ever for objects that are ours, or proved identical.
    pub(crate) force: bool,
    /// Nothing is stored.
    pub(crate) dry_run: bool,
}

impl Caller<'_> {
    async fn send<T: DeserializeOwned>(&self, request: http::Request<Vec<u8>>, secret: bool) -> Result<T, Refusal> {
        match tokio::time::timeout(self.limit, self.client.request::<T>(request)).await {
            Ok(answer) => answer.map_err(|error| Refusal::of(&error, secret, self.censor)),
            Err(_) => Err(Refusal::Silence(format!("no answer within {} s", self.limit.as_secs()))),
        }
    }

    /// Kinds of the member.
    pub(crate) async fn kind(&self, kinds: &Kinds, api_version: &str, kind: &str) -> Result<Option<Served>, Refusal> {
        match tokio::time::timeout(self.limit, kinds.find(&self.client, api_version, kind)).await {
            Ok(found) => found.map_err(|error| Refusal::of(&error, false, self.censor)),
            Err(_) => Err(Refusal::Silence(format!("no answer within {} s", self.limit.as_secs()))),
        }
    }

    /// The object now, by a quorum read; `None` when the member says that it is not there.
    pub(crate) async fn get(&self, place: &Place) -> Result<Option<Value>, Refusal> {
        let request = place.request().get(&place.name, &GetParams::default()).map_err(|error| unbuilt(&error))?;
        match self.send(request, place.is_secret()).await {
            Ok(value) => Ok(Some(value)),
            Err(Refusal::NotFound) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Server-side apply. Unknown fields are refused: what would be dropped in silence is told instead.
    pub(crate) async fn apply(&self, place: &Place, object: &Value, how: How) -> Result<Value, Refusal> {
        let mut params = PatchParams::apply(meta::FIELD_MANAGER).validation_strict();
        params.force = how.force;
        params.dry_run = how.dry_run;
        let request =
            place.request().patch(&place.name, &params, &Patch::Apply(object)).map_err(|error| unbuilt(&error))?;
        self.send(request, place.is_secret()).await
    }

    /// A merge patch; with `metadata.resourceVersion` in it, it holds for exactly the object that was read.
    pub(crate) async fn merge(&self, place: &Place, patch: &Value) -> Result<Value, Refusal> {
        let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let request =
            place.request().patch(&place.name, &params, &Patch::Merge(patch)).map_err(|error| unbuilt(&error))?;
        self.send(request, place.is_secret()).await
    }

    /// Deletes exactly the object that was read. With `wait`, it stays visible until what it owns is gone.
    pub(crate) async fn delete(&self, place: &Place, read: &Value, wait: bool) -> Result<(), Refusal> {
        let text = |pointer: &str| read.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (uid, resource_version) = (text("/metadata/uid"), text("/metadata/resourceVersion"));
        if uid.is_none() || resource_version.is_none() {
            return Err(Refusal::Refused("failed to delete an object without uid and resourceVersion".to_owned()));
        }
        let propagation = if wait { PropagationPolicy::Foreground } else { PropagationPolicy::Background };
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid, resource_version }),
            propagation_policy: Some(propagation),
            ..DeleteParams::default()
        };
        let request = place.request().delete(&place.name, &params).map_err(|error| unbuilt(&error))?;
        self.send::<Value>(request, place.is_secret()).await.map(drop)
    }

    /// Makes an object that must not be there; [`Refusal::Changed`] when it is.
    pub(crate) async fn create(&self, place: &Place, object: &Value) -> Result<Value, Refusal> {
        let params = kube::api::PostParams {
            field_manager: Some(meta::FIELD_MANAGER.to_owned()),
            ..kube::api::PostParams::default()
        };
        let request =
            place.request().create(&params, object.to_string().into_bytes()).map_err(|error| unbuilt(&error))?;
        self.send(request, place.is_secret()).await
    }

    /// Metadata of every object that both selectors take, read to the last page; an incomplete list is a refusal.
    pub(crate) async fn list(&self, place: &Place, labels: &str, fields: &str) -> Result<Vec<Value>, Refusal> {
        let mut params = ListParams::default().labels(labels).fields(fields).limit(500);
        let mut found = Vec::new();
        loop {
            let request = place.request().list_metadata(&params).map_err(|error| unbuilt(&error))?;
            let page: Value = self.send(request, false).await?;
            let items = page.get("items").and_then(Value::as_array).cloned();
            found.extend(items.ok_or_else(|| Refusal::Silence("the answer is no list".to_owned()))?);
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(found),
            }
        }
    }
}

fn unbuilt(error: &kube::core::request::Error) -> Refusal {
    Refusal::Refused(format!("failed to build the request: {error}"))
}
