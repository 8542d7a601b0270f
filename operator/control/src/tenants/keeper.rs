//! The task of the tenants: a finalizer on each, a status, and the way out of one that is deleted.
//!
//! Deleting a Tenant takes nothing away by itself: while a workload stands in one of its namespaces the deletion is held,
//! and everything runs on under its rules. When none is left, its namespaces in the members are given back ([`leave`]),
//! and then the finalizer goes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload, QuotaGrant, Tenant, TenantStatus};
use jiuzhou_intake::approvals::Approved;
use jiuzhou_intake::{beijing, in_force};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::sync::watch;

use super::leave::{self, Leaving};
use super::quota;
use super::usage::{self, Told};
use crate::error::Error;
use crate::leader::Gate;
use crate::metrics::Metrics;
use crate::planner::in_force::waiting;
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
    /// What only the planner knows of tenants; `None` until it was looked at.
    pub(crate) told: watch::Receiver<Option<Arc<Told>>>,
}

impl Keeper {
    /// Runs until told to stop.
    pub(crate) async fn run(mut self, stop: Stop) {
        let api: Api<DeserializeGuard<Tenant>> = Api::all(self.hub.clone());
        let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut again = tokio::time::interval(AGAIN);
        let mut leaving: BTreeMap<String, Tenant> = BTreeMap::new();
        let mut all: BTreeMap<String, Tenant> = BTreeMap::new();
        loop {
            let event = tokio::select! {
                () = stop.requested() => return,
                event = events.next() => event,
                Ok(()) = self.told.changed() => {
                    self.told.mark_unchanged();
                    for tenant in all.values().cloned().collect::<Vec<_>>() {
                        self.see(tenant, &mut leaving).await;
                    }
                    continue;
                }
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
                    Ok(tenant) => {
                        all.insert(tenant.name_any(), tenant.clone());
                        self.see(tenant, &mut leaving).await;
                    }
                    Err(error) => tracing::error!(%error, "failed to read a Tenant; it is left alone"),
                },
                Some(Ok(watcher::Event::Delete(object))) => {
                    leaving.remove(&object.name_any());
                    all.remove(&object.name_any());
                }
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
        let mut all = conditions(way, generation);
        if matches!(way, Way::Stays)
            && let Some(waits) = waiting(&tenant.name_any(), &before.in_force, generation)
        {
            all = waits.to_vec();
        }
        let told = self.told.borrow().clone();
        let known = told.as_ref().map(|told| told.tenants.get(&tenant.name_any()).cloned().unwrap_or_default());
        let conflict = known.as_ref().and_then(|known| usage::conflict(known, generation));
        // What was not looked at again stays as it was told.
        let whole = told.as_ref().is_some_and(|told| told.whole);
        let kept = before.conditions.iter().find(|one| one.type_ == ConditionType::NamespaceConflict.as_str());
        all.extend(conflict.or_else(|| kept.filter(|_| !whole).cloned()));
        let status = TenantStatus {
            observed_generation: Some(generation),
            hard: quota::sum(&held(tenant), beijing::day(now)),
            used: known.map_or_else(|| before.used.clone(), |known| known.used),
            conditions: dated(all, &before.conditions, now),
            ..before.clone()
        };
        if status == before {
            return Ok(());
        }
        // What holds is written by the planner, and by it alone.
        let status = TenantStatus { in_force: Vec::new(), ..status };
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

/// The grants that hold, as they are written; what the spec says where nothing waits.
fn held(tenant: &Tenant) -> Cow<'_, [QuotaGrant]> {
    // A change that is approved and not written yet is written next.
    in_force::quota(tenant, &Approved::default()).0
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
    use std::sync::Mutex;

    use jiuzhou_api::text::Resources;
    use jiuzhou_world::{Clock as WorldClock, World};
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
    use serde_json::Value;

    use super::super::usage::Known;
    use super::*;
    use crate::delivery::audit::Audit;
    use crate::fleet::Members;
    use crate::leader::Term;
    use crate::record::Records;
    use crate::record::retention::Keep;

    /// A keeper of a hub with one tenant, and who tells it what the planner knows.
    fn keeper(hub: &World, folder: &std::path::Path) -> (Keeper, watch::Sender<Option<Arc<Told>>>) {
        let world = hub.clone();
        let clock: Clock = Arc::new(move || world.clock().now());
        let records = Records::open(folder, "hub", clock(), Keep::default()).expect("the audit log opens");
        let gate = Gate::alone(Term(1));
        let (sender, told) = watch::channel(None);
        let client = hub.client_named("operator");
        let leaving = Leaving {
            hub: client.clone(),
            members: Members::default(),
            witness: Arc::new(Audit::new(records.log(), gate.clone(), Arc::clone(&clock), "operator")),
            log: records.log(),
            gate: gate.clone(),
            clock: Arc::clone(&clock),
            actor: "operator",
            recorded: Mutex::default(),
        };
        (Keeper { hub: client, gate, clock, leaving, metrics: Arc::default(), told }, sender)
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_tells_what_it_uses_and_which_namespace_is_not_its_own_and_a_restart_takes_nothing_back() {
        let hub = World::hub("hub", WorldClock::default());
        hub.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } }));
        hub.seed(json!({
            "apiVersion": meta::API_VERSION, "kind": "Tenant", "metadata": { "name": "health" },
            "spec": {
                "displayName": "省卫生健康委员会", "unifiedCode": "11530100MB0000017T", "level": "Province", "region": "530000",
                "namespaces": [{ "name": "health-prod", "system": "records" }],
            },
        }));
        let folder = tempfile::tempdir().expect("a folder");
        let (keeper_, sender) = keeper(&hub, folder.path());
        let (stopper, stop) = Stop::new();
        let running = tokio::spawn(keeper_.run(stop));
        let wait = || tokio::time::sleep(Duration::from_secs(5));
        let status = || hub.object(meta::API_VERSION, "Tenant", "", "health").expect("the tenant")["status"].clone();
        let conflict = |status: &Value| {
            let all = status["conditions"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|one| one["type"] == "NamespaceConflict").map(|one| one["message"].to_string())
        };
        wait().await;
        assert_eq!((status()["used"].clone(), conflict(&status())), (Value::Null, None), "nothing was looked at");
        let used = Resources([("cpu".to_owned(), Quantity("2".to_owned()))].into());
        let known = Known { used, conflicts: ["dali/health-prod".to_owned()].into() };
        let told = Told { tenants: [("health".to_owned(), known)].into(), whole: true };
        sender.send_replace(Some(Arc::new(told)));
        wait().await;
        assert_eq!(status()["used"], json!({ "cpu": "2" }));
        assert!(conflict(&status()).is_some_and(|message| message.contains("dali/health-prod")));
        stopper.stop();
        running.await.expect("no panic");
        let before = hub.revision();
        let folder = tempfile::tempdir().expect("a folder");
        let (keeper_, sender) = keeper(&hub, folder.path());
        let (stopper, stop) = Stop::new();
        let running = tokio::spawn(keeper_.run(stop));
        wait().await;
        assert_eq!(hub.revision(), before, "a restart with nothing changed writes nothing");
        // Not every member was looked at: what was told stays. Then all were, and it is over.
        let used = Resources([("cpu".to_owned(), Quantity("2".to_owned()))].into());
        let known = Known { used, ..Known::default() };
        let told = Told { tenants: [("health".to_owned(), known)].into(), whole: false };
        sender.send_replace(Some(Arc::new(told.clone())));
        wait().await;
        assert_eq!(hub.revision(), before);
        sender.send_replace(Some(Arc::new(Told { whole: true, ..told })));
        wait().await;
        assert_eq!(conflict(&status()), None);
        stopper.stop();
        running.await.expect("no panic");
    }

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
