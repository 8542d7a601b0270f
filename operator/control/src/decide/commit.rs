//! The commit point: one compare-and-swap write of a `FleetPlacement` per decision.
//!
//! A first placement is created with its finalizer, after its workload has one, so that neither can vanish unnoticed. A
//! later one replaces exactly the version it was decided on. Whoever loses reads again and decides again.

use futures::StreamExt as _;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload};
use jiuzhou_engine::decide::WorkloadKey;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::batch::Commit;
use crate::error::{Category, Error};

/// Writes that are under way at once: more than hides the latency of one, less than an API server's own limits.
const AT_ONCE: usize = 16;

/// How a commit ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is committed; objects as they are now, the workload where it was written too.
    Committed(Box<Committed>),
    /// Another version is there; the decision is void.
    Lost,
    /// It could not be written.
    Failed(Error),
}

/// A commit that went through.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) placement: FleetPlacement,
    pub(crate) workload: Option<FleetWorkload>,
}

/// Commits several decisions, each for itself, in no order: their order is in their sequence.
pub(crate) async fn all(client: &Client, commits: Vec<(Commit, FleetWorkload)>) -> Vec<(Commit, Outcome)> {
    let one = |(commit, workload): (Commit, FleetWorkload)| async move {
        let outcome = match one(client, &commit, &workload).await {
            Ok(committed) => Outcome::Committed(Box::new(committed)),
            Err(error) if error.category() == Category::Conflict => Outcome::Lost,
            Err(error) => Outcome::Failed(error),
        };
        (commit, outcome)
    };
    futures::stream::iter(commits).map(one).buffer_unordered(AT_ONCE).collect().await
}

async fn one(client: &Client, commit: &Commit, workload: &FleetWorkload) -> Result<Committed, Error> {
    let key = commit.key();
    let workload = if has(workload.metadata.finalizers.as_deref(), meta::FINALIZER_WORKLOAD) {
        None
    } else {
        Some(guard(client, key, workload).await?)
    };
    let api: Api<FleetPlacement> = Api::namespaced(client.clone(), &key.namespace);
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let written = match &commit.before {
        Some(before) => {
            let next = FleetPlacement { spec: commit.spec.clone(), ..before.clone() };
            api.replace(&key.name, &params, &next).await
        }
        None => {
            let mut first = jiuzhou_intake::placements::object(key, commit.spec.clone());
            first.metadata.finalizers = Some(vec![meta::FINALIZER_PLACEMENT.to_owned()]);
            api.create(&params, &first).await
        }
    };
    let placement = written.map_err(|error| Error::api("commit", key.to_string(), error))?;
    Ok(Committed { placement, workload })
}

fn has(finalizers: Option<&[String]>, finalizer: &str) -> bool {
    finalizers.is_some_and(|all| all.iter().any(|one| one == finalizer))
}

/// Puts our finalizer on a workload, on exactly the version that was decided on.
async fn guard(client: &Client, key: &WorkloadKey, workload: &FleetWorkload) -> Result<FleetWorkload, Error> {
    let mut finalizers = workload.metadata.finalizers.clone().unwrap_or_default();
    finalizers.push(meta::FINALIZER_WORKLOAD.to_owned());
    let api: Api<FleetWorkload> = Api::namespaced(client.clone(), &key.namespace);
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let patch =
        finalizer_patch(&finalizers, workload.metadata.uid.as_deref(), workload.metadata.resource_version.as_deref());
    let written = api.patch(&key.name, &params, &Patch::Merge(patch)).await;
    written.map_err(|error| Error::api("guard", key.to_string(), error))
}

/// A merge patch of finalizers that holds for one object only, and for one version of it where that is given.
pub(crate) fn finalizer_patch(finalizers: &[String], uid: Option<&str>, version: Option<&str>) -> Value {
    let mut patch = json!({ "metadata": { "finalizers": finalizers, "uid": uid } });
    if let Some(version) = version {
        patch["metadata"]["resourceVersion"] = Value::from(version);
    }
    patch
}

/// An object as it is now; `None` when there is none. It is listed by its name: two who write at once are rare, and the right
/// to list is there anyway.
pub(crate) async fn read<K>(client: &Client, key: &WorkloadKey) -> Result<Option<K>, Error>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let this = ListParams::default().fields(&format!("metadata.name={}", key.name));
    let found = Api::<K>::namespaced(client.clone(), &key.namespace).list(&this).await;
    let found = found.map_err(|error| Error::api("read", key.to_string(), error))?;
    Ok(found.items.into_iter().next())
}
