//! Our members as `ClusterProfile`s of SIG Multicluster, for whoever speaks that (Kueue, Argo CD, others).
//!
//! Published only where the CRD is installed; one fact per property, because a value has at most 1,024 characters. What
//! others publish under another cluster manager is theirs. [`profile`] is pure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{MemberCluster, MemberClusterStatus, PoolStatus};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt, discovery};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stop::Stop;

/// The name under which we publish.
pub(crate) const MANAGER: &str = "jiuzhou";
/// Label that must equal the cluster manager's name.
const MANAGER_LABEL: &str = "x-k8s.io/cluster-manager";
/// Between two looks whether the CRD is installed.
const LOOK: Duration = Duration::from_secs(300);

/// The kind, in the version that is spoken.
pub(crate) fn kind() -> GroupVersionKind {
    GroupVersionKind::gvk("multicluster.x-k8s.io", "v1alpha1", "ClusterProfile")
}

/// Whether the hub has the CRD; shared by all tasks.
#[derive(Clone, Debug, Default)]
pub(super) struct Installed(Arc<AtomicBool>);

impl Installed {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks for the CRD now and then.
pub(super) async fn look(hub: Client, installed: Installed, stop: Stop) {
    loop {
        let found = discovery::pinned_kind(&hub, &kind()).await.is_ok();
        if found != installed.0.swap(found, Ordering::Relaxed) {
            tracing::info!(found, "ClusterProfile");
        }
        tokio::select! {
            () = stop.requested() => return,
            () = sleep(LOOK) => {}
        }
    }
}

/// The profile of a member: spec and status.
#[must_use]
pub(super) fn profile(object: &MemberCluster, status: &MemberClusterStatus) -> (Value, Value) {
    let name = object.name_any();
    let display = object.spec.display_name.as_ref().map_or(name.as_str(), |title| title);
    let spec = json!({ "displayName": display, "clusterManager": { "name": MANAGER } });
    let mut properties = vec![
        ("jiuzhou.dev/site".to_owned(), object.spec.site.to_string()),
        ("jiuzhou.dev/form".to_owned(), format!("{:?}", object.spec.form)),
    ];
    if let Some(tier) = status.tier.as_ref().and_then(|tier| tier.name.as_ref()) {
        properties.push(("jiuzhou.dev/tier".to_owned(), tier.to_string()));
    }
    let sum = |pools: &mut dyn Iterator<Item = &PoolStatus>| pools.map(|pool| i64::from(pool.nodes)).sum::<i64>();
    let mut platforms: Vec<&str> = status.pools.iter().filter_map(|pool| pool.platform.as_deref()).collect();
    platforms.sort_unstable();
    platforms.dedup();
    for platform in platforms {
        let nodes = sum(&mut status.pools.iter().filter(|pool| pool.platform.as_deref() == Some(platform)));
        properties.push((format!("nodes.jiuzhou.dev/{platform}"), nodes.to_string()));
    }
    let mut zones: Vec<&str> = status.pools.iter().filter_map(|pool| pool.zone.as_deref()).collect();
    zones.sort_unstable();
    zones.dedup();
    properties.extend(zones.iter().map(|zone| (format!("zone.jiuzhou.dev/{zone}"), "true".to_owned())));
    let properties: Vec<Value> =
        properties.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Reachable");
    let conditions: Vec<Value> = ready
        .map(|reachable| {
            json!({
                "type": "ControlPlaneHealthy", "status": reachable.status, "reason": reachable.reason,
                "message": reachable.message, "lastTransitionTime": reachable.last_transition_time,
            })
        })
        .into_iter()
        .collect();
    let version = status.version.as_deref().unwrap_or_default();
    (spec, json!({ "version": { "kubernetes": version }, "properties": properties, "conditions": conditions }))
}

/// Publishes a profile where it differs from what is there.
///
/// # Errors
/// The hub's answer.
pub(super) async fn publish(hub: &Client, object: &MemberCluster, wanted: &(Value, Value)) -> Result<(), kube::Error> {
    let name = object.name_any();
    let resource = ApiResource::from_gvk(&kind());
    let api: Api<DynamicObject> = Api::namespaced_with(hub.clone(), meta::SYSTEM_NAMESPACE, &resource);
    let (spec, status) = wanted;
    let live = api.get_opt(&name).await?;
    let manager = live.as_ref().and_then(|live| live.labels().get(MANAGER_LABEL).cloned());
    if manager.is_some_and(|manager| manager != MANAGER) {
        return Ok(());
    }
    let data = live.map(|live| live.data).unwrap_or_default();
    let (api_version, kind) = (&resource.api_version, &resource.kind);
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    if data.get("spec") != Some(spec) {
        let patch = json!({
            "apiVersion": api_version, "kind": kind, "spec": spec,
            "metadata": { "name": name, "labels": { MANAGER_LABEL: MANAGER, meta::LABEL_MANAGED_BY: meta::MANAGED_BY } },
        });
        api.patch(&name, &params, &Patch::Apply(&patch)).await?;
    }
    if data.get("status") != Some(status) {
        let patch = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "status": status });
        api.patch_status(&name, &params, &Patch::Apply(&patch)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::{MemberClusterSpec, TierStatus};

    use super::*;

    #[test]
    fn a_profile_says_version_tier_nodes_by_platform_and_zones() {
        let spec = MemberClusterSpec { site: "dali".into(), ..MemberClusterSpec::default() };
        let pool = |platform: &str, nodes| PoolStatus {
            platform: Some(platform.into()),
            zone: Some("gov-extranet".into()),
            nodes,
            ..PoolStatus::default()
        };
        let status = MemberClusterStatus {
            version: Some("v1.36.3".into()),
            tier: Some(TierStatus { name: Some("s2".into()), ..TierStatus::default() }),
            pools: vec![pool("kunpeng-920", 3), pool("kunpeng-920", 2), pool("hygon-7000", 1)],
            ..MemberClusterStatus::default()
        };
        let (spec, status) = profile(&MemberCluster::new("a", spec), &status);
        assert_eq!(spec, json!({ "displayName": "a", "clusterManager": { "name": "jiuzhou" } }));
        assert_eq!(status["version"]["kubernetes"], "v1.36.3");
        let properties = status["properties"].as_array().unwrap();
        let find = |name: &str| properties.iter().find(|p| p["name"] == name).map(|p| p["value"].clone());
        assert_eq!(find("nodes.jiuzhou.dev/kunpeng-920"), Some(json!("5")));
        assert_eq!(find("jiuzhou.dev/tier"), Some(json!("s2")));
        assert_eq!(find("zone.jiuzhou.dev/gov-extranet"), Some(json!("true")));
    }
}
