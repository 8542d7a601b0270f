//! Step 5: the status, written when it says something new, and the finalizer.

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{MemberCluster, MemberClusterStatus};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::status::status;
use super::task::Memory;
use super::{Outlook, Settings, leave, profile};
use crate::error::{Category, of_api};

pub(super) async fn update_status(
    hub: &Client,
    object: &MemberCluster,
    outlook: &Outlook,
    settings: &Settings,
    memory: &mut Memory,
) -> Result<(), Category> {
    if object.metadata.deletion_timestamp.is_none()
        && let Err(error) = leave::finalizer(hub, object, true).await
    {
        tracing::debug!(member = %object.name_any(), %error, "failed to set the finalizer; trying again");
    }
    // The watch may be behind our own last write.
    let before = memory.written.clone().or_else(|| object.status.clone()).unwrap_or_default();
    let may_write_room = memory.free_written.is_none_or(|at| at.elapsed() >= settings.free);
    let now = status(object, &before, outlook, memory, Timestamp::now(), may_write_room);
    if now == before {
        return Ok(());
    }
    let pools_written = now.pools != before.pools;
    match write(hub, object, &now).await {
        Ok(()) => {
            memory.written = Some(now);
            if pools_written {
                memory.free_written = Some(Instant::now());
            }
        }
        // Gone meanwhile: the watch will say so.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => {}
        Err(error) => {
            tracing::warn!(member = %object.name_any(), %error, "failed to write the status; trying again");
            return Err(of_api(&error));
        }
    }
    Ok(())
}

/// The same for who reads ClusterProfiles.
pub(super) async fn publish(hub: &Client, object: &MemberCluster, memory: &mut Memory) {
    let Some(status) = memory.written.as_ref().or(object.status.as_ref()) else { return };
    let wanted = profile::profile(object, status);
    if memory.published.as_ref() == Some(&wanted) {
        return;
    }
    match profile::publish(hub, object, &wanted).await {
        Ok(()) => memory.published = Some(wanted),
        Err(error) => tracing::warn!(member = %object.name_any(), %error, "failed to publish a ClusterProfile"),
    }
}

/// Server-side apply by name and uid: what is gone is not made again.
async fn write(hub: &Client, object: &MemberCluster, status: &MemberClusterStatus) -> Result<(), kube::Error> {
    let name = object.name_any();
    let patch = json!({
        "apiVersion": meta::API_VERSION,
        "kind": "MemberCluster",
        "metadata": { "name": name, "uid": object.metadata.uid },
        "status": status,
    });
    let api: Api<MemberCluster> = Api::all(hub.clone());
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    api.patch_status(&name, &params, &Patch::Apply(&patch)).await.map(drop)
}
