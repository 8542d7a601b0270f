//! Takes away by order: deletions of workloads that were given and are no side effect of something else going away.
//!
//! The deletion of a `FleetWorkload` is an order only if quorum reads show that neither its namespace nor its definition
//! is being deleted; else it is held, keeps running and says so. Finalizers go in order: everything proven gone in the
//! members, then the placement, then the workload.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::FleetPlacement;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::ObjectRef;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, Resource as _, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::Planner;
use crate::decide::commit::finalizer_patch;
use crate::error::{Category, Error};
use crate::hub::Seen;
use crate::state::State;
use crate::workload::dereference::Deletion;

/// Name of the definition of workloads.
const DEFINITION: &str = "fleetworkloads.jiuzhou.dev";

/// How a deletion stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Course {
    /// Asked for; not looked at yet.
    Asked,
    /// It is an order.
    Ordered,
    /// It may not be one, because of this.
    Held(String),
}

/// Deletions under way, and what building found on the way.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    deletions: BTreeMap<WorkloadKey, Course>,
    /// Workloads of which nothing is left in any member.
    gone: BTreeSet<WorkloadKey>,
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
        match self.deletions.get(key) {
            None | Some(Course::Asked) => Deletion::None,
            Some(Course::Ordered) => Deletion::Ordered,
            Some(Course::Held(why)) => Deletion::Held(why),
        }
    }

    /// Looks whether a workload asks to be deleted. One that was made anew under the same name takes its place over.
    pub(super) fn look(&mut self, state: &State, key: &WorkloadKey) {
        let workload = state.fleet_workload(key);
        let deleting = workload.is_some_and(|workload| workload.meta().deletion_timestamp.is_some());
        if deleting {
            self.deletions.entry(key.clone()).or_insert(Course::Asked);
        } else {
            self.deletions.remove(key);
            self.gone.remove(key);
        }
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
        let open: Vec<WorkloadKey> = self
            .removals
            .deletions
            .iter()
            .filter(|(_, deletion)| **deletion != Course::Ordered)
            .map(|(key, _)| key.clone())
            .collect();
        for key in open {
            let judged = judge(&self.client, &key).await;
            match judged {
                Ok(None) => {
                    tracing::info!(workload = %key, "its deletion is an order");
                    self.removals.deletions.insert(key.clone(), Course::Ordered);
                    self.turn = true;
                    self.dirty.insert(key);
                }
                Ok(Some(why)) => {
                    let held = Course::Held(why.clone());
                    if self.removals.deletions.insert(key.clone(), held.clone()) != Some(held) {
                        tracing::warn!(workload = %key, why, "its deletion is held");
                        self.dirty.insert(key);
                    }
                }
                Err(error) => {
                    self.dirty.insert(key);
                    self.back_off("judge a deletion", &error);
                }
            }
        }
        let done: Vec<WorkloadKey> =
            self.removals.gone.iter().filter(|key| self.removals.is_ordered(key)).cloned().collect();
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

    /// The placement first, then the workload: a crash between the two leaves nothing that nobody knows of.
    async fn let_go(&mut self, key: &WorkloadKey) -> Result<(), Error> {
        if let Some(placement) = self.state.placement(key).cloned() {
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

/// Why a deletion is no order; `None` when it is. Quorum reads, for a cache may not know yet.
async fn judge(client: &Client, key: &WorkloadKey) -> Result<Option<String>, Error> {
    let namespace = Api::<Namespace>::all(client.clone()).get_opt(&key.namespace).await;
    let namespace = namespace.map_err(|error| Error::api("read", format!("namespace {}", key.namespace), error))?;
    match namespace {
        None => return Ok(Some(format!("namespace {} is gone", key.namespace))),
        Some(namespace) if namespace.metadata.deletion_timestamp.is_some() => {
            return Ok(Some(format!("namespace {} is being deleted", key.namespace)));
        }
        Some(_) => {}
    }
    let definition = Api::<CustomResourceDefinition>::all(client.clone()).get_opt(DEFINITION).await;
    let definition = definition.map_err(|error| Error::api("read", DEFINITION, error))?;
    Ok(match definition {
        None => Some(format!("the definition {DEFINITION} is gone")),
        Some(definition) if definition.metadata.deletion_timestamp.is_some() => {
            Some(format!("the definition {DEFINITION} is being deleted"))
        }
        Some(_) => None,
    })
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
