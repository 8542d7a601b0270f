//! What people order, under their own rights: a system stopped and restored, an order of another person approved, a member
//! that does not answer fenced or left, data that was left used again, a workload placed anew, a hub or member that went
//! back in time taken as it is.
//!
//! An order is an object, a field or an annotation on the hub, written here and by nothing else of the operator; what
//! follows from it is decided, recorded and carried out like every other change.

pub mod approve;
pub mod data;
pub mod lost;
pub mod profiles;
pub mod rebalance;
pub mod recover;
pub mod stop;

use std::fmt::Debug;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload};
use jiuzhou_engine::decide::WorkloadKey;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Error;

/// A merge patch of exactly the version that was read: an order is given on what was looked at.
///
/// # Errors
/// When the hub does not answer or refuses, and when the object is another by now.
pub(crate) async fn change<K>(api: &Api<K>, known: &K, mut change: Value) -> Result<K, Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    change["metadata"]["uid"] = known.uid().into();
    change["metadata"]["resourceVersion"] = known.resource_version().into();
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER_PERSON.to_owned()), ..PatchParams::default() };
    let changed = api.patch(&known.name_any(), &params, &Patch::Merge(change)).await;
    let what = || match known.namespace() {
        Some(namespace) => format!("{} {namespace}/{}", K::kind(&()), known.name_any()),
        None => format!("{} {}", K::kind(&()), known.name_any()),
    };
    changed.map_err(|error| Error::api("change", what(), error))
}

/// A workload that an order is about, with its placement and the API to change it by.
async fn read(
    client: &Client,
    key: &WorkloadKey,
) -> Result<(Api<FleetWorkload>, FleetWorkload, Option<FleetPlacement>), Error> {
    let api: Api<FleetWorkload> = Api::namespaced(client.clone(), &key.namespace);
    let workload = api.get(&key.name).await;
    let workload = workload.map_err(|error| Error::api("read", format!("FleetWorkload {key}"), error))?;
    let placements: Api<FleetPlacement> = Api::namespaced(client.clone(), &key.namespace);
    let placement = placements.get_opt(&key.name).await;
    let placement = placement.map_err(|error| Error::api("read", format!("FleetPlacement {key}"), error))?;
    Ok((api, workload, placement))
}

/// The workloads of a namespace.
async fn workloads(client: &Client, namespace: &str) -> Result<Vec<FleetWorkload>, Error> {
    let all = Api::<FleetWorkload>::namespaced(client.clone(), namespace).list(&ListParams::default()).await;
    Ok(all.map_err(|error| Error::api("list", format!("FleetWorkloads of {namespace}"), error))?.items)
}
