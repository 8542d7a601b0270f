//! The task of the tenants: a finalizer on each, a status, and the way out of one that is deleted.
//!
//! Deleting a Tenant takes nothing away by itself: while a workload stands in one of its namespaces the deletion is held,
//! and everything runs on under its rules. When none is left, its namespaces in the members are given back ([`leave`]),
//! and then the finalizer goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload, Tenant, TenantStatus};
use jiuzhou_intake::beijing;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use super::leave::{self, Leaving};
use super::quota;
use crate::error::Error;
use crate::leader::Gate;
use crate::metrics::Metrics;
use crate::planner::{Clock, chain};
use crate::stop::Stop;
use crate::workload::conditions::{condition, dated};

/// Between two looks at tenants that leave.
const AGAIN: Duration = Duration::from_secs(10);
/// Names that a message lists.
const NAMED: usize = 5;

/// How a deletion stands, or that there is none.
enum Way {
    Stays,
    /// It waits; English and Chinese.
    Held(ControllerReason, String, String),
    /// Nothing is left to wait for.
    Free,
}

/// The task.
pub(crate) struct Keeper {
    pub(crate) hub: Client,
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    pub(crate) leaving: Leaving,
    pub(crate) metrics: Arc<Metrics>,
}

impl Keeper {
    /// Runs until told to stop.
    pub(crate) async fn run(self, stop: Stop) {
        let api: Api<DeserializeGuard<Tenant>> = Api::all(self.hub.clone());
        let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut again = tokio::time::interval(AGAIN);
        let mut leaving: BTreeMap<String, Tenant> = BTreeMap::new();
        loop {
            let event = tokio::select! {
                () = stop.requested() => return,
                event = events.next() => event,
                _ = again.tick() => {
                    for tenant in std::mem::take(&mut leaving).into_values() {
                        self.see(tenant, &mut leaving).await;
                    }
                    continue;
                }
            };
            match event {
                None => return,
                Some(Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object))) => match object.0 {
                    Ok(tenant) => self.see(tenant, &mut leaving).await,
                    Err(error) => tracing::error!(%error, "failed to read a Tenant; it is left alone"),
                },
                Some(Ok(watcher::Event::Delete(object))) => drop(leaving.remove(&object.name_any())),
                Some(Ok(_)) => {}
                Some(Err(error)) => tracing::warn!(%error, "failed to watch Tenants; trying again"),
            }
        }
    }

    /// One tenant, once. What leaves, and what failed, is looked at again.
    async fn see(&self, tenant: Tenant, again: &mut BTreeMap<String, Tenant>) {
        let began = tokio::time::Instant::now();
        let ended = self.step(&tenant).await;
        self.metrics.reconciled("tenants", began.elapsed(), ended.as_ref().map(drop).map_err(Error::category));
        match ended {
            Ok(true) => {}
            Ok(false) => drop(again.insert(tenant.name_any(), tenant)),
            Err(error) => {
                tracing::warn!(tenant = %tenant.name_any(), error = %chain(&error), "failed to see to a tenant; trying again");
                again.insert(tenant.name_any(), tenant);
            }
        }
        self.metrics.queued("tenants", again.len());
    }

    /// Returns whether nothing is left to do for this version of it.
    async fn step(&self, tenant: &Tenant) -> Result<bool, Error> {
        let way = self.way(tenant).await?;
        self.gate.check()?;
        if matches!(way, Way::Free) {
            self.finalizer(tenant, false).await?;
            return Ok(true);
        }
        if matches!(way, Way::Stays) {
            self.finalizer(tenant, true).await?;
        }
        self.tell(tenant, &way).await?;
        Ok(matches!(way, Way::Stays))
    }

    async fn way(&self, tenant: &Tenant) -> Result<Way, Error> {
        if tenant.metadata.deletion_timestamp.is_none() {
            return Ok(Way::Stays);
        }
        let workloads = self.workloads(tenant).await?;
        if !workloads.is_empty() {
            return Ok(held_by(&workloads));
        }
        Ok(match self.leaving.step(tenant).await? {
            leave::Step::Done => Way::Free,
            leave::Step::Waits { en, zh } => Way::Held(ControllerReason::Removing, en, zh),
        })
    }

    /// Workloads and placements in its namespaces, read anew: a cache may not know the last one yet.
    async fn workloads(&self, tenant: &Tenant) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for namespace in tenant.spec.namespaces.iter().map(|namespace| &*namespace.name) {
            let all = ListParams::default();
            let list = Api::<FleetWorkload>::namespaced(self.hub.clone(), namespace).list_metadata(&all).await;
            let list = list.map_err(|error| Error::api("list", format!("FleetWorkloads of {namespace}"), error))?;
            found.extend(list.iter().map(|one| format!("{namespace}/{}", one.name_any())));
            let list = Api::<FleetPlacement>::namespaced(self.hub.clone(), namespace).list_metadata(&all).await;
            let list = list.map_err(|error| Error::api("list", format!("FleetPlacements of {namespace}"), error))?;
            found.extend(list.iter().map(|one| format!("{namespace}/{}", one.name_any())));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Puts our finalizer on or takes it off, on exactly the object that was read. One that changed meanwhile comes again.
    async fn finalizer(&self, tenant: &Tenant, wanted: bool) -> Result<(), Error> {
        let mut finalizers = tenant.metadata.finalizers.clone().unwrap_or_default();
        if finalizers.iter().any(|one| one == meta::FINALIZER_TENANT) == wanted {
            return Ok(());
        }
        finalizers.retain(|one| one != meta::FINALIZER_TENANT);
        if wanted {
            finalizers.push(meta::FINALIZER_TENANT.to_owned());
        }
        let patch = json!({ "metadata": {
            "uid": tenant.metadata.uid, "resourceVersion": tenant.metadata.resource_version, "finalizers": finalizers,
        } });
        let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let api: Api<Tenant> = Api::all(self.hub.clone());
        match api.patch_metadata(&tenant.name_any(), &params, &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_not_found() => Ok(()),
            Err(error) => Err(Error::api("write", format!("Tenant {}", tenant.name_any()), error)),
        }
    }

    async fn tell(&self, tenant: &Tenant, way: &Way) -> Result<(), Error> {
        let now = (self.clock)();
        let before = tenant.status.clone().unwrap_or_default();
        let generation = tenant.metadata.generation.unwrap_or(0);
        let status = TenantStatus {
            observed_generation: Some(generation),
            hard: quota::sum(&tenant.spec.quota, beijing::day(now)),
            conditions: dated(conditions(way, generation), &before.conditions, now),
            ..before.clone()
        };
        if status == before {
            return Ok(());
        }
        let name = tenant.name_any();
        let body = json!({
            "apiVersion": meta::API_VERSION, "kind": "Tenant",
            "metadata": { "name": name, "uid": tenant.metadata.uid }, "status": status,
        });
        let api: Api<Tenant> = Api::all(self.hub.clone());
        match api.patch_status(&name, &PatchParams::apply(meta::FIELD_MANAGER).force(), &Patch::Apply(&body)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_not_found() => Ok(()),
            Err(error) => Err(Error::api("write", format!("the status of Tenant {name}"), error)),
        }
    }
}

fn held_by(workloads: &[String]) -> Way {
    let some = workloads.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = workloads.len().saturating_sub(NAMED);
    let (more_en, more_zh) = match more {
        0 => (String::new(), String::new()),
        _ => (format!(" and {more} more"), format!(" 等，另有 {more} 个")),
    };
    Way::Held(
        ControllerReason::DeletionHeld,
        format!("Its deletion is held because workloads stand in its namespaces; they keep running: {some}{more_en}."),
        format!("其命名空间中仍有工作负载，删除已暂停；其继续运行：{some}{more_zh}。"),
    )
}

fn conditions(way: &Way, generation: i64) -> Vec<Condition> {
    let told =
        |kind, status, reason: ControllerReason, text: &str| condition(kind, status, reason.as_str(), text, generation);
    match way {
        Way::Stays | Way::Free => {
            vec![told(ConditionType::Ready, true, ControllerReason::AsWanted, "All is as wanted. 一切符合要求。")]
        }
        Way::Held(reason, en, zh) => {
            let text = format!("{en} {zh}");
            let waits = *reason == ControllerReason::DeletionHeld;
            let other = if waits { ConditionType::Stalled } else { ConditionType::Reconciling };
            vec![told(ConditionType::Ready, false, *reason, &text), told(other, true, *reason, &text)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_deletion_names_what_holds_it_in_both_languages() {
        let many: Vec<String> = (0..7).map(|number| format!("portal/w{number}")).collect();
        let all = conditions(&held_by(&many), 3);
        assert_eq!(all.iter().map(|one| one.type_.as_str()).collect::<Vec<_>>(), ["Ready", "Stalled"]);
        assert_eq!((all[0].status.as_str(), all[0].reason.as_str()), ("False", "DeletionHeld"));
        let text = &all[0].message;
        assert!(text.contains("portal/w4") && text.contains("2 more") && text.contains("另有 2 个"), "{text}");
        assert_eq!(conditions(&Way::Stays, 3).len(), 1);
    }
}
