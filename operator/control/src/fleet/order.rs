//! A person's orders about a member: `drain`, `leave`, and back. They are spec changes; the tasks carry them out.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Lifecycle, MemberCluster};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client};
use serde_json::json;

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It carries workloads again.
    Active,
    /// It is emptied.
    Drain,
    /// It is emptied and let go.
    Leave {
        /// Although objects are left there.
        abandon: bool,
    },
}

/// Gives an order.
///
/// # Errors
/// The hub's answer.
pub async fn order(hub: &Client, cluster: &str, order: Order) -> Result<(), kube::Error> {
    let api: Api<MemberCluster> = Api::all(hub.clone());
    let there = api.get(cluster).await?;
    let lifecycle = match order {
        Order::Active => Lifecycle::Active,
        Order::Drain => Lifecycle::Draining,
        Order::Leave { .. } => Lifecycle::Leaving,
    };
    let leave = matches!(order, Order::Leave { .. }).then_some(cluster);
    let abandon = matches!(order, Order::Leave { abandon: true }).then_some(cluster);
    // Admission on the hub refuses a deletion that does not name its object.
    let annotations = json!({ meta::ANNOTATION_CONFIRM_DELETE: leave, meta::ANNOTATION_ABANDON: abandon });
    let metadata = json!({ "uid": there.metadata.uid, "annotations": annotations });
    let patch = json!({ "metadata": metadata, "spec": { "lifecycle": lifecycle } });
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let changed = api.patch(cluster, &params, &Patch::Merge(&patch)).await?;
    if let Order::Leave { .. } = order {
        let preconditions = Preconditions { uid: changed.metadata.uid.clone(), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        api.delete(cluster, &params).await?;
    }
    Ok(())
}
