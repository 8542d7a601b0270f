//! Writes the statuses of a workload, its placement and the native objects it selects where they differ from what is
//! there, and nothing where they do not.
//!
//! By server-side apply under our one field manager, bound to the uid: a status is never written into an object that was
//! made anew under the same name.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetPlacementStatus, FleetWorkload, FleetWorkloadStatus};
use jiuzhou_engine::decide::WorkloadKey;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::{Category, Error};
use crate::select::Event;
use crate::select::status::Told;
use crate::select::write::write as write_native;

/// What is to be written of one workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes {
    /// Uid and status of the workload.
    pub(crate) workload: Option<(String, FleetWorkloadStatus)>,
    /// Uid and status of its placement.
    pub(crate) placement: Option<(String, FleetPlacementStatus)>,
    /// Statuses of the native objects it selects.
    pub(crate) natives: Vec<Told>,
}

impl Writes {
    pub(crate) fn is_empty(&self) -> bool {
        self.workload.is_none() && self.placement.is_none() && self.natives.is_empty()
    }
}

/// What was written, as the API server has it now.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) workload: Option<FleetWorkload>,
    pub(crate) placement: Option<FleetPlacement>,
    pub(crate) natives: Vec<Event>,
}

/// Writes them. An object that is gone or was made anew is no error: its own events will tell.
pub(crate) async fn update_status(client: &Client, key: &WorkloadKey, writes: Writes) -> Result<Written, Error> {
    let Writes { workload, placement, natives } = writes;
    let mut written = Written::default();
    for told in &natives {
        written.natives.extend(write_native(client, told).await?);
    }
    if let Some((uid, status)) = placement {
        written.placement = write(client, key, "FleetPlacement", &uid, &status).await?;
    }
    if let Some((uid, status)) = workload {
        written.workload = write(client, key, "FleetWorkload", &uid, &status).await?;
    }
    Ok(written)
}

async fn write<K, S>(client: &Client, key: &WorkloadKey, kind: &str, uid: &str, status: &S) -> Result<Option<K>, Error>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
    S: Serialize,
{
    let api: Api<K> = Api::namespaced(client.clone(), &key.namespace);
    let body = json!({
        "apiVersion": meta::API_VERSION,
        "kind": kind,
        "metadata": { "name": key.name, "namespace": key.namespace, "uid": uid },
        "status": status,
    });
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    match api.patch_status(&key.name, &params, &Patch::Apply(body)).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => match Error::api("write", format!("the status of {kind} {key}"), error) {
            error if error.category() == Category::Conflict => Ok(None),
            error => Err(error),
        },
    }
}
