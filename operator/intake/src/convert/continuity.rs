//! How a workload may be moved: as it states, else by what it is made of.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::step::Continuity;

/// Stated, else the most careful of what its kinds ask for. `spec` is what the engine is told of it.
#[must_use]
pub fn continuity(workload: &api::FleetWorkload, spec: Option<&Spec>) -> Continuity {
    let has = |kind: &str| workload.spec.objects.iter().any(|object| object.manifest["kind"] == kind);
    match workload.spec.continuity {
        Some(api::Continuity::AddBeforeRemove) => Continuity::AddBeforeRemove,
        Some(api::Continuity::SingleWriter) => Continuity::SingleWriter,
        Some(api::Continuity::RunOnce) => Continuity::RunOnce,
        Some(api::Continuity::OneCluster) => Continuity::OneCluster,
        Some(api::Continuity::PerNode) => Continuity::PerNode,
        None if has("Job") => Continuity::RunOnce,
        None if has("StatefulSet") || has("PersistentVolumeClaim") => Continuity::SingleWriter,
        None if has("CronJob") => Continuity::OneCluster,
        None if has("DaemonSet") && spec.is_none_or(|spec| spec.replicas <= 1) => Continuity::PerNode,
        None => Continuity::AddBeforeRemove,
    }
}
