//! Writes down what holds of what needs an approval to change, and says of what waits for which approval.
//!
//! The value that was there first is written when an object is first seen; from then on the status says what decisions are
//! made by, and a change that loosens it takes its place once others approved exactly it. Written on exactly the version
//! that was judged, so that a change that comes meanwhile is judged itself.

use std::collections::BTreeSet;

use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{InForce, InformationSystem, SovereigntyTier, Tenant};
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::approvals::{Approved, word};
use jiuzhou_intake::in_force::{self, Guarded};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Planner, chain};
use crate::error::of_api;
use crate::workload::conditions::{condition, dated};

/// Objects to judge.
#[derive(Debug, Default)]
pub(super) struct Guards {
    due: BTreeSet<ObjectRef>,
    /// All of them.
    all: bool,
}

impl Guards {
    /// Everything is to be judged.
    pub(super) fn of_everything() -> Self {
        Self { due: BTreeSet::new(), all: true }
    }

    /// An object of the hub was seen.
    pub(super) fn saw(&mut self, object: &ObjectRef) {
        match object.kind.as_str() {
            "InformationSystem" | "Tenant" | "SovereigntyTier" => drop(self.due.insert(object.clone())),
            "Approval" => self.all = true,
            _ => {}
        }
    }
}

impl Planner {
    /// Brings what is written of what holds up to date.
    pub(super) async fn settle_in_force(&mut self) {
        if self.is_behind() || self.gate.check().is_err() || (!self.guards.all && self.guards.due.is_empty()) {
            return;
        }
        let Some(base) = self.state.base() else { return };
        let (approved, objects, now) = (base.approved.clone(), self.state.objects(), self.now());
        let every = std::mem::take(&mut self.guards.all);
        let due = std::mem::take(&mut self.guards.due);
        let asked = |kind: &str, key: &(String, String)| every || due.contains(&ObjectRef::new(kind, &key.0, &key.1));
        // The rest of the status of a system or a tenant is its keeper's.
        let systems = objects.systems.iter().filter(|(key, _)| asked("InformationSystem", key));
        let systems: Vec<(InformationSystem, Value)> = systems
            .filter_map(|(_, item)| {
                let (one, status) = (&*item.object, item.object.status.clone().unwrap_or_default());
                let next = told(&in_force::of_system(one), &approved);
                (status.in_force != next).then(|| (one.clone(), json!({ "inForce": next })))
            })
            .collect();
        let tiers = objects.tiers.iter().filter(|(key, _)| asked("SovereigntyTier", key));
        let tiers: Vec<(SovereigntyTier, Value)> = tiers
            .filter_map(|(_, item)| {
                let (one, status) = (&*item.object, item.object.status.clone().unwrap_or_default());
                let next = told(&in_force::of_tier(one), &approved);
                let body = whole(one, &status.in_force, &status.conditions, status.observed_generation, &next, now)?;
                Some((one.clone(), body))
            })
            .collect();
        let tenants = objects.tenants.iter().filter(|(key, _)| asked("Tenant", key));
        let tenants: Vec<(Tenant, Value)> = tenants
            .filter_map(|(_, item)| {
                let (one, status) = (&*item.object, item.object.status.clone().unwrap_or_default());
                let next = told(&in_force::of_tenant(one), &approved);
                (status.in_force != next).then(|| (one.clone(), json!({ "inForce": next })))
            })
            .collect();
        for (one, body) in systems {
            let api = Api::namespaced(self.client.clone(), &one.namespace().unwrap_or_default());
            self.write_in_force(&api, &one, body).await;
        }
        for (one, body) in tiers {
            self.write_in_force(&Api::all(self.client.clone()), &one, body).await;
        }
        for (one, body) in tenants {
            self.write_in_force(&Api::all(self.client.clone()), &one, body).await;
        }
    }

    async fn write_in_force<K>(&mut self, api: &Api<K>, object: &K, status: Value)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
    {
        // Built in, and so nobody's to change.
        if object.meta().uid.is_none() {
            return;
        }
        let (kind, name) = (K::kind(&()), object.name_any());
        let body = json!({
            "metadata": { "uid": object.uid(), "resourceVersion": object.resource_version() }, "status": status,
        });
        let params =
            PatchParams { field_manager: Some(jiuzhou_api::meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let since = tokio::time::Instant::now();
        let written = api.patch_status(&name, &params, &Patch::Merge(&body)).await;
        let ended = written.as_ref().map(drop).map_err(of_api);
        self.metrics.reconciled("statuses", since.elapsed(), ended);
        match written {
            Ok(written) => self.take_in(&written, &kind),
            // It changed meanwhile, and comes again.
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_not_found() => {}
            Err(error) => {
                tracing::warn!(kind = %kind, name, error = %chain(&error), "failed to write what holds; trying again");
                self.guards.due.insert(ObjectRef::new(&kind, &object.namespace().unwrap_or_default(), &name));
            }
        }
    }
}

fn told(all: &[Guarded], approved: &Approved) -> Vec<InForce> {
    all.iter().map(|one| one.holds(approved)).collect()
}

/// What waits for an approval, in words, with the command that shows it.
pub(crate) fn waiting(subject: &str, holds: &[InForce], generation: i64) -> Option<[Condition; 2]> {
    let waits = holds.iter().filter(|one| one.waiting.is_some());
    let commands: Vec<String> = waits.map(|one| format!("jiuzhou approve {} {subject}", word(one.order))).collect();
    if commands.is_empty() {
        return None;
    }
    let reason = ControllerReason::WaitingForApproval.as_str();
    let said = |lang| sentences::condition(reason, &commands.join("; "), 0, 0, lang).unwrap_or_default();
    let text = format!("{} {}", said(Lang::En), said(Lang::Zh));
    let told = |kind, status| condition(kind, status, reason, &text, generation);
    Some([told(ConditionType::Ready, false), told(ConditionType::Stalled, true)])
}

/// The status of an object that nobody else tells of; `None` when it is written so.
fn whole<K: Resource>(
    object: &K,
    before: &[InForce],
    conditions: &[Condition],
    observed: Option<i64>,
    next: &[InForce],
    now: jiff::Timestamp,
) -> Option<Value> {
    let generation = object.meta().generation.unwrap_or(0);
    let subject = match object.namespace() {
        Some(namespace) => format!("{namespace}/{}", object.name_any()),
        None => object.name_any(),
    };
    let ready = || {
        let reason = ControllerReason::AsWanted.as_str();
        vec![condition(ConditionType::Ready, true, reason, "All is as wanted. 一切符合要求。", generation)]
    };
    let all = waiting(&subject, next, generation).map_or_else(ready, Vec::from);
    let all = dated(all, conditions, now);
    let same = before == next && conditions == all && observed == Some(generation);
    (!same).then(|| json!({ "observedGeneration": generation, "inForce": next, "conditions": all }))
}
