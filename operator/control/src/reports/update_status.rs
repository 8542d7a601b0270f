//! Writes the status of a report: by server-side apply under our one field manager, bound to the version it was made for.
//!
//! The version is what keeps a frozen report frozen: a status that was worked out before the freeze was seen is refused.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ClusterReport, Report, ReportStatus};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::error::{Category, Error};

/// A status to be written.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// `None` for a report of the whole fleet.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) version: String,
    pub(super) status: ReportStatus,
}

/// Writes one. A report that is gone or was changed meanwhile is no error: it is looked at again.
pub(super) async fn update_status(client: &Client, write: &Write) -> Result<(), Error> {
    let Write { namespace, name, uid, version, status } = write;
    let mut metadata = json!({ "name": name, "uid": uid, "resourceVersion": version });
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    let body = |kind: &str, metadata| json!({ "apiVersion": meta::API_VERSION, "kind": kind, "metadata": metadata, "status": status });
    let answer = match namespace {
        Some(namespace) => {
            metadata["namespace"] = json!(namespace);
            let api: Api<Report> = Api::namespaced(client.clone(), namespace);
            api.patch_status(name, &params, &Patch::Apply(body("Report", metadata))).await.map(drop)
        }
        None => {
            let api: Api<ClusterReport> = Api::all(client.clone());
            api.patch_status(name, &params, &Patch::Apply(body("ClusterReport", metadata))).await.map(drop)
        }
    };
    match answer {
        Ok(()) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => match Error::api("write", format!("the status of report {name}"), error) {
            error if error.category() == Category::Conflict => Ok(()),
            error => Err(error),
        },
    }
}
