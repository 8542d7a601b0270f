//! What is committed of a workload that is not there any more, or cannot be understood.
//!
//! Its pods still run, so that they take room and quota until they are proven gone. A placement says what its replicas
//! take ([`holding`]); from that a spec is made of which nothing is decided ([`reserved`]). Which nodes they may be on is
//! not known without the workload: they are counted where its tenant may be.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiuzhou_api::text::Resources as Quantities;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::resources::{self, Resources};
use jiuzhou_engine::decide::{CpuSensitivity, PodInput, Requirement, Spec, WorkloadKey};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::objects::{Key, Objects};

use super::tenants::amounts;
use super::workloads::current;

/// Most kinds of pods, and most names of resources, that a placement holds.
const MOST: (usize, usize) = (64, 32);

/// What the replicas of a workload take, for its placement to say; `None` when a placement cannot hold it.
pub(crate) fn holding(spec: &Spec) -> Option<api::Holding> {
    let system = spec.system.split_once('/').map(|(_, name)| name.into());
    let pods = |pod: &PodInput| {
        // Which nodes they may be on, and what they take there alone, is not known without the workload.
        let PodInput { request, count, part: _, one_per_node: _ } = pod;
        Some(api::HeldPods { count: i32::try_from((*count).max(1)).ok()?, request: written(request)? })
    };
    let holding = api::Holding {
        tenant: spec.requirement.tenant.as_str().into(),
        system,
        pods: spec.pods.iter().map(pods).collect::<Option<_>>()?,
        per_node: spec.per_node.iter().map(|daemon| written(&daemon.request)).collect::<Option<_>>()?,
        cpu_sensitivity: match spec.cpu {
            CpuSensitivity::AsWritten => api::CpuSensitivity::None,
            CpuSensitivity::Linear => api::CpuSensitivity::Linear,
        },
        quota: written(&spec.quota)?,
    };
    (holding.pods.len() <= MOST.0 && holding.per_node.len() <= MOST.0).then_some(holding)
}

fn written(amounts: &Resources) -> Option<Quantities> {
    let text = |name: &str, amount: i64| match name {
        resources::CPU if amount % 1000 != 0 => format!("{amount}m"),
        resources::CPU => (amount / 1000).to_string(),
        _ => amount.to_string(),
    };
    let written: BTreeMap<_, _> =
        amounts.iter().map(|(name, amount)| (name.clone(), Quantity(text(name, *amount)))).collect();
    (written.len() <= MOST.1).then_some(Quantities(written))
}

/// A spec that only holds what is committed; `None` when nothing is, or when its placement does not say what it takes.
pub(super) fn reserved(objects: &Objects, key: &Key) -> Option<Spec> {
    let placement = objects.placements.get(key)?;
    let api::Holding { tenant, system, pods, per_node, cpu_sensitivity, quota } =
        placement.object.spec.holds.as_ref()?;
    let workload = objects.workloads.get(key).map(|item| &*item.object);
    let current = current(workload, Some(&placement.object));
    if current.iter().all(|current| current.placed <= 0 && current.observed <= 0) {
        return None;
    }
    // Amounts have passed their schema; one that cannot be counted all the same counts nothing.
    let read = |quantities: &Quantities| amounts(&placement.document, "/spec/holds", quantities, &mut Vec::new());
    let namespace = key.0.as_str();
    Some(Spec {
        key: WorkloadKey::new(namespace, &key.1),
        system: system.as_ref().map(|system| format!("{namespace}/{system}")).unwrap_or_default(),
        admitted: u64::try_from(placement.object.spec.sequence).unwrap_or(u64::MAX),
        requirement: Arc::new(Requirement { tenant: tenant.to_string(), ..Requirement::default() }),
        replicas: current.iter().map(|current| current.placed.max(0)).fold(0, i64::saturating_add),
        pods: pods
            .iter()
            .map(|pods| PodInput {
                request: read(&pods.request),
                count: i64::from(pods.count).max(1),
                ..PodInput::default()
            })
            .collect(),
        per_node: per_node.iter().map(|request| read(request).into()).collect(),
        cpu: match cpu_sensitivity {
            api::CpuSensitivity::None => CpuSensitivity::AsWritten,
            api::CpuSensitivity::Linear => CpuSensitivity::Linear,
        },
        quota: read(quota),
        current,
        reserved: true,
        ..Spec::default()
    })
}
