//! What the hub knows, as values: every object of our kinds, in order of kind, namespace and name.
//!
//! What only an API server keeps about an object's history (managed fields) is left out; everything else stays, status
//! too, because a plan reads what was observed. Native objects are there where a workload selects them, as their author
//! wrote them. Secrets are not read.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::ObjectSelection;
use jiuzhou_api::{KindInfo, meta};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::selection;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::error::Error;
use crate::select::kinds::KINDS;

/// Objects of one page: enough for few requests, small enough for any API server.
const PAGE: u32 = 500;

/// Every object of our kinds, and the native ones that workloads select, by the plural of its kind.
///
/// # Errors
/// When a kind cannot be listed, its definition not being installed included.
pub async fn state(client: &Client) -> Result<BTreeMap<String, Vec<Value>>, Error> {
    let mut state = BTreeMap::new();
    for kind in jiuzhou_api::kinds() {
        state.insert(kind.plural.clone(), list(client, kind).await?);
    }
    let selected = selected(client, state.get("fleetworkloads").map(Vec::as_slice).unwrap_or_default()).await?;
    state.extend(selected);
    Ok(state)
}

/// What workloads select: without it a plan over the state could not decide on them.
async fn selected(client: &Client, workloads: &[Value]) -> Result<BTreeMap<String, Vec<Value>>, Error> {
    let mut selections: BTreeMap<&str, Vec<ObjectSelection>> = BTreeMap::new();
    for workload in workloads {
        let selection = workload.pointer("/spec/select").cloned().map(serde_json::from_value);
        if let Some(Ok(selection)) = selection {
            selections.entry(Object::new(workload).namespace()).or_default().push(selection);
        }
    }
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (namespace, selections) in selections {
        let mut manifests = Vec::new();
        for kind in KINDS.iter().filter(|kind| kind.kind != "Secret") {
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind.resource());
            let listed =
                api.list(&ListParams::default()).await.map_err(|error| Error::api("list", kind.plural, error))?;
            let values = listed.items.into_iter().filter_map(|object| crate::select::watch::value(object, kind));
            manifests.extend(values.filter_map(|value| selection::prepare(&value)));
        }
        let profiles = Profiles::default();
        let taken = selections.iter().flat_map(|one| selection::select(one, namespace, &manifests, &profiles));
        let mut seen = BTreeSet::new();
        for manifest in taken.map(|entry| entry.manifest) {
            let object = Object::new(&manifest);
            let kind = KINDS.iter().find(|kind| kind.kind == object.kind());
            let Some(kind) = kind.filter(|_| seen.insert((object.kind().to_owned(), object.name().to_owned()))) else {
                continue;
            };
            all.entry(kind.plural.to_owned()).or_default().push(manifest);
        }
    }
    Ok(all)
}

/// How the client names a kind of ours.
pub(crate) fn resource(kind: &KindInfo) -> ApiResource {
    ApiResource {
        group: meta::GROUP.to_owned(),
        version: meta::VERSION.to_owned(),
        api_version: meta::API_VERSION.to_owned(),
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
    }
}

async fn list(client: &Client, kind: &KindInfo) -> Result<Vec<Value>, Error> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource(kind));
    let mut values = BTreeMap::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await.map_err(|error| Error::api("list", &kind.plural, error))?;
        for object in page.items {
            let key = (object.metadata.namespace.clone(), object.metadata.name.clone());
            values.insert(key, value(object, &kind.kind)?);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(values.into_values().collect()),
        }
    }
}

/// The object as a value that names its kind, which items of a list do not do.
pub(crate) fn value(mut object: DynamicObject, kind: &str) -> Result<Value, Error> {
    object.metadata.managed_fields = None;
    object.types = Some(kube::api::TypeMeta { api_version: meta::API_VERSION.to_owned(), kind: kind.to_owned() });
    serde_json::to_value(object).map_err(|error| Error::api("read", kind, kube::Error::SerdeError(error)))
}
