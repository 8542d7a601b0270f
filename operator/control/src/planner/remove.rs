//! Takes away by order: deletions of workloads that were given and are no side effect of something else going away.
//!
//! The deletion of a `FleetWorkload` is an order only if quorum reads show that neither its namespace nor its definition
//! is being deleted, and as long as there are not too many at once; else it is held, keeps running and says so, until a
//! person confirms exactly what waits in its namespace. Finalizers go in order: everything proven gone in the members,
//! then the placement, then the workload.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ApprovedOrder, FleetPlacement};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::{Digest, ObjectRef};
use jiuzhou_intake::approvals;
use jiuzhou_report::sentences::HeldBecause;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, Resource as _, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Planner;
use super::brake::{self, Brake};
use crate::decide::commit::finalizer_patch;
use crate::error::{Category, Error};
use crate::hub::Seen;
use crate::revision::store;
use crate::seeded::{self, Bug};
use crate::state::State;
use crate::workload::dereference::{Deletion, Held};

/// Name of the definition of workloads.
const DEFINITION: &str = "fleetworkloads.jiuzhou.dev";

/// How a deletion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// Asked for; not looked at yet.
    Asked,
    /// It is an order.
    Ordered,
    /// It may not be one, because of this.
    Held(HeldBecause),
}

/// Deletions under way, and what building found on the way.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    deletions: BTreeMap<WorkloadKey, Course>,
    /// Of each held deletion: why, and what stands for all that wait in its namespace.
    held: BTreeMap<WorkloadKey, Held>,
    brake: Brake,
    /// Deletions that were seen since they were judged last.
    fresh: BTreeSet<WorkloadKey>,
    /// Workloads of which nothing is left in any member.
    gone: BTreeSet<WorkloadKey>,
    /// Approvals by which held deletions were let go; each until that is written on it.
    pub(super) used: BTreeSet<String>,
    /// Clusters of a placement that are left and proven empty.
    forget: BTreeMap<WorkloadKey, Vec<String>>,
}

impl Removals {
    /// Workloads whose removal may be carried out.
    pub(super) fn ordered(&self) -> BTreeSet<WorkloadKey> {
        let ordered = self.deletions.iter().filter(|(_, deletion)| **deletion == Course::Ordered);
        ordered.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn is_ordered(&self, key: &WorkloadKey) -> bool {
        self.deletions.get(key) == Some(&Course::Ordered)
    }

    /// How the deletion of a workload stands, for who carries it out and tells of it.
    pub(super) fn deletion(&self, key: &WorkloadKey) -> Deletion<'_> {
        match (self.deletions.get(key), self.held.get(key)) {
            (Some(Course::Ordered), _) => Deletion::Ordered,
            (Some(Course::Held(_)), Some(held)) => Deletion::Held(held),
            _ => Deletion::None,
        }
    }

    /// Whether the deletion of a workload is not judged yet.
    pub(super) fn awaits(&self, key: &WorkloadKey) -> bool {
        self.fresh.contains(key)
    }

    /// Workloads whose deletion is not judged yet.
    pub(super) fn unjudged(&self) -> impl Iterator<Item = WorkloadKey> {
        self.fresh.iter().cloned()
    }

    /// Workloads whose deletion is held.
    pub(super) fn held(&self) -> Vec<WorkloadKey> {
        self.held.keys().cloned().collect()
    }

    /// Looks whether a workload asks to be deleted. One that was made anew under the same name takes its place over.
    pub(super) fn look(&mut self, state: &State, key: &WorkloadKey) {
        let workload = state.fleet_workload(key);
        let deleting = workload.is_some_and(|workload| workload.meta().deletion_timestamp.is_some());
        if deleting {
            let before = self.deletions.insert(key.clone(), Course::Asked);
            match before {
                Some(Course::Ordered) => drop(self.deletions.insert(key.clone(), Course::Ordered)),
                Some(held @ Course::Held(_)) => {
                    self.deletions.insert(key.clone(), held);
                    self.fresh.insert(key.clone());
                }
                Some(Course::Asked) | None => drop(self.fresh.insert(key.clone())),
            }
        } else if !seeded::is(Bug::NameIsTheWorkload) {
            self.deletions.remove(key);
            self.fresh.remove(key);
            self.gone.remove(key);
        }
    }

    /// Keys of held deletions by namespace, with what stands for them.
    fn waiting(&self, state: &State) -> BTreeMap<String, (Vec<WorkloadKey>, Digest)> {
        let mut by_namespace: BTreeMap<String, Vec<WorkloadKey>> = BTreeMap::new();
        for (key, course) in &self.deletions {
            if matches!(course, Course::Held(_)) {
                by_namespace.entry(key.namespace.to_string()).or_default().push(key.clone());
            }
        }
        let with_code = |(namespace, keys): (String, Vec<WorkloadKey>)| {
            let uid =
                |key: &WorkloadKey| state.fleet_workload(key).and_then(kube::ResourceExt::uid).unwrap_or_default();
            let uids: Vec<String> = keys.iter().map(uid).collect();
            let each = keys.iter().zip(&uids).map(|(key, uid)| (&*key.namespace, &*key.name, uid.as_str()));
            let digest = approvals::of_deletions(each);
            (namespace, (keys, digest))
        };
        by_namespace.into_iter().map(with_code).collect()
    }

    /// Notes what building found.
    pub(super) fn note(&mut self, key: &WorkloadKey, forget: Vec<String>, gone: bool) {
        if gone {
            self.gone.insert(key.clone());
        } else {
            self.gone.remove(key);
        }
        if forget.is_empty() {
            self.forget.remove(key);
        } else {
            self.forget.insert(key.clone(), forget);
        }
    }
}

impl Planner {
    /// Judges what is asked for, and takes the finalizers off what is gone.
    pub(super) async fn carry_out_removals(&mut self) {
        self.judge_removals().await;
        let done: Vec<WorkloadKey> =
            self.removals.gone.iter().filter(|key| self.removals.is_ordered(key)).cloned().collect();
        let done = if seeded::is(Bug::FinalizerFirst) { self.removals.ordered().into_iter().collect() } else { done };
        for key in done {
            if let Err(error) = self.let_go(&key).await {
                self.dirty.insert(key);
                self.back_off("let go of what is removed", &error);
            }
        }
        for (key, clusters) in std::mem::take(&mut self.removals.forget) {
            if let Err(error) = self.forget(&key, &clusters).await {
                self.dirty.insert(key);
                self.back_off("forget a cluster that is left", &error);
            }
        }
    }

    /// Says of each deletion that was asked for whether it is an order.
    async fn judge_removals(&mut self) {
        // What a hub that went back in time knows of a deletion may be of long ago.
        if self.is_behind() {
            return;
        }
        let now = self.now();
        let fresh = std::mem::take(&mut self.removals.fresh);
        let (waits, fresh) = fresh.into_iter().partition(|key: &WorkloadKey| self.waits_for_freeze(key, now));
        self.removals.fresh = waits;
        if fresh.is_empty() {
            return;
        }
        let (mut may_go, mut held) = (Vec::new(), BTreeMap::new());
        let mut looked = Looked::default();
        for key in fresh {
            if self.removals.deletions.get(&key) != Some(&Course::Asked) {
                continue; // held already: only a confirmation changes that
            }
            // What an earlier run ordered or held, its status tells: a restart is no new burst and no confirmation.
            let told = self.state.fleet_workload(&key).and_then(|workload| workload.status.as_ref()?.reason.clone());
            if told.as_deref() == Some(ControllerReason::Removing.as_str()) {
                self.order_removal(key);
                continue;
            }
            match looked.judge(&self.client, &key).await {
                Ok(Some(cause)) => {
                    held.insert(key, cause);
                }
                Ok(None) if told.as_deref() == Some(ControllerReason::DeletionHeld.as_str()) => {
                    held.insert(key, self.too_many());
                }
                Ok(None) => may_go.push(key),
                Err(error) => {
                    self.dirty.insert(key);
                    self.back_off("judge a deletion", &error);
                }
            }
        }
        let before = self.removals.deletions.values().filter_map(|course| match course {
            Course::Held(cause) => Some(cause),
            Course::Asked | Course::Ordered => None,
        });
        let braked = |cause: &&HeldBecause| matches!(cause, HeldBecause::TooMany { .. });
        let waiting = before.chain(held.values()).filter(braked).count();
        let workloads = self.state.workload_keys().len();
        if may_go.is_empty() || self.removals.brake.admits(Instant::now(), may_go.len(), waiting, workloads) {
            may_go.into_iter().for_each(|key| self.order_removal(key));
        } else {
            let cause = self.too_many();
            held.extend(may_go.into_iter().map(|key| (key, cause)));
        }
        for (key, cause) in held {
            tracing::warn!(workload = %key, ?cause, "its deletion is held");
            self.removals.deletions.insert(key, Course::Held(cause));
        }
        self.release_confirmed();
    }

    /// Whether the deletion of a workload waits for the end of a change freeze. What was ordered before goes on.
    fn waits_for_freeze(&self, key: &WorkloadKey, now: jiff::Timestamp) -> bool {
        let told = self.state.fleet_workload(key).and_then(|workload| workload.status.as_ref()?.reason.as_deref());
        told != Some(ControllerReason::Removing.as_str()) && self.freeze_of(key, now).is_some()
    }

    /// Lets go what a person confirmed, and tells what still waits.
    fn release_confirmed(&mut self) {
        for (namespace, (keys, digest)) in self.removals.waiting(&self.state) {
            let code = brake::code(&digest);
            let approved = self.state.base().map(|base| &base.approved);
            let approval = approved.and_then(|all| all.of(ApprovedOrder::DeleteWorkloads, &digest, None));
            if let Some(approval) = approval.map(str::to_owned) {
                tracing::info!(namespace, approval, deletions = keys.len(), "what waits is approved");
                self.removals.used.insert(approval);
                keys.into_iter().for_each(|key| self.order_removal(key));
                continue;
            }
            let confirms = |key: &WorkloadKey| {
                let workload = self.state.fleet_workload(key);
                workload.is_some_and(|one| one.annotations().get(meta::ANNOTATION_CONFIRM_DELETIONS) == Some(&code))
            };
            if keys.iter().any(confirms) {
                tracing::info!(namespace, code, deletions = keys.len(), "what waits is confirmed");
                keys.into_iter().for_each(|key| self.order_removal(key));
            }
        }
        let mut held = BTreeMap::new();
        for (keys, digest) in self.removals.waiting(&self.state).into_values() {
            let code = brake::code(&digest);
            for key in &keys {
                let Some(Course::Held(cause)) = self.removals.deletions.get(key) else { continue };
                held.insert(key.clone(), Held { cause: *cause, waiting: keys.len(), code: code.clone() });
            }
        }
        for (key, now) in &held {
            if self.removals.held.get(key) != Some(now) {
                self.dirty.insert(key.clone());
            }
        }
        self.removals.held = held;
    }

    fn order_removal(&mut self, key: WorkloadKey) {
        tracing::info!(workload = %key, "its deletion is an order");
        self.removals.deletions.insert(key.clone(), Course::Ordered);
        self.turn = true;
        self.dirty.insert(key);
    }

    fn too_many(&self) -> HeldBecause {
        let limit = brake::limit(self.state.workload_keys().len());
        HeldBecause::TooMany { limit, minutes: brake::WINDOW.as_secs() / 60 }
    }

    /// The placement first, then the workload: a crash between the two leaves nothing that nobody knows of.
    async fn let_go(&mut self, key: &WorkloadKey) -> Result<(), Error> {
        self.gate.check()?;
        match store::remove_all(&self.client, key).await {
            Err(error) if error.category() != Category::Forbidden => return Err(error),
            _ => self.revisions.forget(key),
        }
        if let Some(placement) = self.state.placement(key).cloned().filter(|_| !seeded::is(Bug::PlacementLeft)) {
            self.epochs.keep(self.state.highest_epoch()).await?;
            delete::<FleetPlacement>(&self.client, key, &placement).await?;
            release(&self.client, key, &placement, meta::FINALIZER_PLACEMENT).await?;
            // Not left to the watch, which may be behind: a workload made again under this name would be ordered by it.
            self.take(Seen::Gone(ObjectRef::new("FleetPlacement", &key.namespace, &key.name)));
        }
        if let Some(workload) = self.state.fleet_workload(key).cloned() {
            release(&self.client, key, &workload, meta::FINALIZER_WORKLOAD).await?;
        }
        tracing::info!(workload = %key, "removed");
        self.removals.gone.remove(key);
        self.reports.remove(key);
        self.given.forget(key);
        Ok(())
    }

    /// Takes clusters that are proven empty out of a placement.
    async fn forget(&mut self, key: &WorkloadKey, clusters: &[String]) -> Result<(), Error> {
        let Some(placement) = self.state.placement(key).cloned() else { return Ok(()) };
        let mut next = placement.clone();
        next.spec
            .clusters
            .retain(|cluster| cluster.replicas > 0 || !clusters.iter().any(|name| **name == *cluster.name));
        if next.spec.clusters == placement.spec.clusters {
            return Ok(());
        }
        self.gate.check()?;
        let api: Api<FleetPlacement> = Api::namespaced(self.client.clone(), &key.namespace);
        let params = kube::api::PostParams {
            field_manager: Some(meta::FIELD_MANAGER.to_owned()),
            ..kube::api::PostParams::default()
        };
        let written = api.replace(&key.name, &params, &next).await;
        let written = written.map_err(|error| Error::api("write", format!("FleetPlacement {key}"), error))?;
        if let Some(reports) = self.reports.get_mut(key) {
            clusters.iter().for_each(|cluster| drop(reports.remove(cluster)));
        }
        self.take_in(&written, "FleetPlacement");
        Ok(())
    }
}

/// What quorum reads showed in one round, for a cache may not know yet: each namespace and the definition once.
#[derive(Debug, Default)]
struct Looked {
    namespaces: BTreeMap<String, Option<HeldBecause>>,
    definition: Option<Option<HeldBecause>>,
}

impl Looked {
    /// Why a deletion is no order; `None` when it may be one.
    async fn judge(&mut self, client: &Client, key: &WorkloadKey) -> Result<Option<HeldBecause>, Error> {
        if seeded::is(Bug::NamespaceIsAnOrder) {
            return Ok(None);
        }
        let namespace = match self.namespaces.get(&*key.namespace) {
            Some(known) => *known,
            None => {
                let read = Api::<Namespace>::all(client.clone()).get_metadata_opt(&key.namespace).await;
                let read = read.map_err(|error| Error::api("read", format!("namespace {}", key.namespace), error))?;
                let cause = match read {
                    None => Some(HeldBecause::NamespaceGone),
                    Some(read) => read.metadata.deletion_timestamp.map(|_| HeldBecause::NamespaceGoing),
                };
                self.namespaces.insert(key.namespace.to_string(), cause);
                cause
            }
        };
        if namespace.is_some() {
            return Ok(namespace);
        }
        if let Some(known) = self.definition {
            return Ok(known);
        }
        let read = Api::<CustomResourceDefinition>::all(client.clone()).get_metadata_opt(DEFINITION).await;
        let cause = match read.map_err(|error| Error::api("read", DEFINITION, error))? {
            None => Some(HeldBecause::DefinitionGone),
            Some(read) => read.metadata.deletion_timestamp.map(|_| HeldBecause::DefinitionGoing),
        };
        self.definition = Some(cause);
        Ok(cause)
    }
}

/// Deletes exactly the version that is known.
async fn delete<K>(client: &Client, key: &WorkloadKey, object: &K) -> Result<(), Error>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    if object.meta().deletion_timestamp.is_some() {
        return Ok(());
    }
    let exactly = Preconditions { uid: object.uid(), resource_version: None };
    let params = DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
    let api: Api<K> = Api::namespaced(client.clone(), &key.namespace);
    match api.delete(&key.name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(Error::api("delete", format!("{} {key}", K::kind(&())), error)),
    }
}

/// Takes one finalizer off.
async fn release<K>(client: &Client, key: &WorkloadKey, object: &K, finalizer: &str) -> Result<(), Error>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let left: Vec<String> = object.finalizers().iter().filter(|one| *one != finalizer).cloned().collect();
    if left.len() == object.finalizers().len() {
        return Ok(());
    }
    let api: Api<K> = Api::namespaced(client.clone(), &key.namespace);
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let patch = finalizer_patch(&left, object.uid().as_deref(), None);
    match api.patch(&key.name, &params, &Patch::Merge(patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => match Error::api("release", format!("{} {key}", K::kind(&())), error) {
            error if error.category() == Category::Conflict => Ok(()),
            error => Err(error),
        },
    }
}
