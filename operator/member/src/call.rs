//! Requests about one object of a member, as values: no type of ours stands between the member's JSON and what is
//! compared.
//!
//! Every request ends after a time limit and every refusal comes back in words that may be shown. Nothing is repeated
//! here: who asks decides with fresh eyes.

use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::DeliverySpec;
use kube::Resource;
use kube::api::{
    DeleteParams, DynamicObject, GetParams, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy,
};
use kube::core::Request;
use kube::core::discovery::ApiResource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kinds::{Kinds, Served};
use crate::witness::{Outcome, Target, Verb, Witness, Write};
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
    /// Who sees its writes, and for which order they are.
    pub(crate) witness: Option<(&'a dyn Witness, &'a DeliverySpec)>,
}

/// Pages of one list; a member that always has one more is lying.
const MOST_PAGES: usize = 400;

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

    /// Sends a write, with the witness before and after it.
    async fn write<T: DeserializeOwned>(
        &self,
        place: &Place,
        (verb, uid): (Verb, Option<&str>),
        request: http::Request<Vec<u8>>,
    ) -> Result<T, Refusal> {
        let Some((witness, order)) = self.witness else { return self.send(request, place.is_secret()).await };
        let target = Target {
            api_version: place.resource.api_version.clone(),
            kind: place.resource.kind.clone(),
            namespace: place.namespace.clone(),
            name: place.name.clone(),
            uid: uid.map(str::to_owned),
        };
        let write = Write { order, verb, target };
        // What was decided from a read is not sent when the witness takes longer than any request may.
        match tokio::time::timeout(self.limit, witness.before(&write)).await {
            Ok(let_through) => let_through.map_err(Refusal::Held)?,
            Err(_) => return Err(Refusal::Held("it could not be recorded in time and was not sent".to_owned())),
        }
        let answer = self.send(request, place.is_secret()).await;
        let outcome = match &answer {
            Ok(_) => Outcome::Done,
            Err(Refusal::Silence(_)) => Outcome::Unknown,
            Err(_) => Outcome::Refused,
        };
        witness.after(&write, outcome).await;
        answer
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
        let request = place.request().patch(&place.name, &params, &Patch::Apply(object));
        let request = request.map_err(|error| unbuilt(&error))?;
        if how.dry_run {
            return self.send(request, place.is_secret()).await;
        }
        self.write(place, (Verb::Apply, text(object, "/metadata/uid")), request).await
    }

    /// A merge patch; with `metadata.resourceVersion` in it, it holds for exactly the object that was read.
    pub(crate) async fn merge(&self, place: &Place, patch: &Value) -> Result<Value, Refusal> {
        let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let request =
            place.request().patch(&place.name, &params, &Patch::Merge(patch)).map_err(|error| unbuilt(&error))?;
        self.write(place, (Verb::Patch, text(patch, "/metadata/uid")), request).await
    }

    /// Deletes exactly the object that was read. With `wait`, it stays visible until what it owns is gone.
    pub(crate) async fn delete(&self, place: &Place, read: &Value, wait: bool) -> Result<(), Refusal> {
        let own = |pointer: &str| text(read, pointer).map(str::to_owned);
        let (uid, resource_version) = (own("/metadata/uid"), own("/metadata/resourceVersion"));
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
        self.write::<Value>(place, (Verb::Delete, text(read, "/metadata/uid")), request).await.map(drop)
    }

    /// Makes an object that must not be there; [`Refusal::Changed`] when it is.
    pub(crate) async fn create(&self, place: &Place, object: &Value) -> Result<Value, Refusal> {
        let params = kube::api::PostParams {
            field_manager: Some(meta::FIELD_MANAGER.to_owned()),
            ..kube::api::PostParams::default()
        };
        let request =
            place.request().create(&params, object.to_string().into_bytes()).map_err(|error| unbuilt(&error))?;
        self.write(place, (Verb::Create, None), request).await
    }

    /// Every object that a selector takes, whole, read to the last page; an incomplete list is a refusal.
    pub(crate) async fn list_whole(&self, place: &Place, labels: &str) -> Result<Vec<Value>, Refusal> {
        self.pages(ListParams::default().labels(labels).limit(100), |params| place.request().list(params)).await
    }

    /// Metadata of every object that both selectors take, read to the last page; an incomplete list is a refusal. An empty
    /// selector takes all.
    pub(crate) async fn list(&self, place: &Place, labels: &str, fields: &str) -> Result<Vec<Value>, Refusal> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let params = ListParams { label_selector: some(labels), field_selector: some(fields), ..ListParams::default() };
        let params = params.limit(500);
        self.pages(params, |params| place.request().list_metadata(params)).await
    }

    async fn pages(
        &self,
        mut params: ListParams,
        request: impl Fn(&ListParams) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Vec<Value>, Refusal> {
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: Value = self.send(request(&params).map_err(|error| unbuilt(&error))?, true).await?;
            found.extend(items(&page).ok_or_else(|| Refusal::Silence("the answer is no list".to_owned()))?);
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => params = params.continue_token(token),
                _ => return Ok(found),
            }
        }
        Err(Refusal::Silence("a list without an end".to_owned()))
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

fn unbuilt(error: &kube::core::request::Error) -> Refusal {
    Refusal::Refused(format!("failed to build the request: {error}"))
}
/// The items of a list. An API server writes none as `null` where only metadata was asked for; what does not say that it
/// is a list is none, so that a stranger's answer never looks like an empty one.
fn items(page: &Value) -> Option<Vec<Value>> {
    let list = page.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match page.get("items") {
        Some(Value::Array(items)) => Some(items.clone()),
        Some(Value::Null) if list => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::items;

    #[test]
    fn an_empty_list_of_metadata_has_null_for_items_and_a_stranger_has_no_items() {
        let empty = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": null});
        assert_eq!(items(&empty), Some(Vec::new()));
        assert_eq!(items(&json!({"kind": "PodList", "items": [{}]})).map(|items| items.len()), Some(1));
        for stranger in [json!({"items": null}), json!({"kind": "PodList"}), json!({"kind": "Status", "items": null})] {
            assert_eq!(items(&stranger), None, "{stranger}");
        }
    }
}
