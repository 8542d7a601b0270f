//! What the hub knows, as values: every object of our kinds, in order of kind, namespace and name.
//!
//! What only an API server keeps about an object's history (managed fields) is left out; everything else stays, status
//! too, because a plan reads what was observed. Secrets are not read.

use std::collections::BTreeMap;

use jiuzhou_api::{KindInfo, meta};
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;

use crate::error::Error;

/// Objects of one page: enough for few requests, small enough for any API server.
const PAGE: u32 = 500;

/// Every object of our kinds, by the plural of its kind.
///
/// # Errors
/// When a kind cannot be listed, its definition not being installed included.
pub async fn state(client: &Client) -> Result<BTreeMap<String, Vec<Value>>, Error> {
    let mut state = BTreeMap::new();
    for kind in jiuzhou_api::kinds() {
        state.insert(kind.plural.clone(), list(client, kind).await?);
    }
    Ok(state)
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
