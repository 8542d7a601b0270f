//! Orders by pull: stored in the member's namespace on the hub for its agent, with their secrets beside them.
//!
//! An order is written only where it differs from the one that is stored, secrets and large manifests before the order
//! that names them. A stored order goes when the agent has proven that what it removes is gone; what stood beside it goes
//! when no order names it and the agent has carried out the one that does not.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Delivery, DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_member::witness::{Outcome, Target, Verb, Write};
use jiuzhou_objects::blob;
use jiuzhou_objects::render::label_value;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Parts;
use super::desk::Desk;
use super::worker::{Done, Work};
use crate::orders::Order;

type Deliveries = BoxStream<'static, watcher::Result<watcher::Event<DeserializeGuard<Delivery>>>>;

/// The stored orders of one member.
pub(super) struct Shelf {
    events: Deliveries,
    /// Workloads with a stored order; `None` until the first list is complete.
    listed: Option<BTreeSet<WorkloadKey>>,
    listing: BTreeSet<WorkloadKey>,
}

/// The next workload of which a stored order changed, or `None` when the list is complete; for ever without a shelf.
pub(super) async fn next(shelf: &mut Option<Shelf>) -> Option<WorkloadKey> {
    match shelf {
        Some(shelf) => shelf.next().await,
        None => std::future::pending().await,
    }
}

impl Shelf {
    pub(super) fn new(desk: &Desk) -> Self {
        let api: Api<DeserializeGuard<Delivery>> =
            Api::namespaced(desk.parts.hub.clone(), &meta::member_namespace(&desk.cluster));
        let events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        Self { events, listed: None, listing: BTreeSet::new() }
    }

    async fn next(&mut self) -> Option<WorkloadKey> {
        loop {
            match self.events.next().await? {
                Ok(watcher::Event::Init) => self.listing = BTreeSet::new(),
                Ok(watcher::Event::InitApply(object)) => self.listing.extend(object.0.ok().as_ref().map(key)),
                Ok(watcher::Event::InitDone) => {
                    self.listed = Some(std::mem::take(&mut self.listing));
                    return None;
                }
                Ok(watcher::Event::Apply(object)) => {
                    if let Ok(delivery) = object.0 {
                        let changed = key(&delivery);
                        self.listed.iter_mut().for_each(|listed| listed.extend([changed.clone()]));
                        return Some(changed);
                    }
                }
                Ok(watcher::Event::Delete(object)) => {
                    if let Ok(delivery) = object.0 {
                        let gone = key(&delivery);
                        self.listed.iter_mut().for_each(|listed| listed.retain(|one| *one != gone));
                        return Some(gone);
                    }
                }
                Err(error) => tracing::debug!(%error, "failed to watch stored orders; trying again"),
            }
        }
    }

    /// The work that is due for a workload: storing its order, or reading what its agent told.
    pub(super) fn work(&self, desk: &Desk, key: &WorkloadKey) -> Option<Work> {
        let (parts, cluster, key) = (desk.parts.clone(), desk.cluster.clone(), key.clone());
        if let Some(standing) = desk.standing.get(&key) {
            let order = Arc::clone(&standing.order);
            let work = async move {
                let done = store(&parts, &cluster, &order).await;
                Done::Stored(key, order, done)
            };
            return Some(work.boxed());
        }
        // Of what no order is stored, this member was ordered nothing; of what is, its agent tells.
        let there = self.listed.as_ref()?.contains(&key);
        let work = async move {
            let told = if there { told(&parts, &cluster, &key).await } else { Ok(None) };
            let told = match told {
                Ok(None) if there => Err("the agent has not told yet".to_owned()),
                told => told,
            };
            Done::Looked(key, told)
        };
        Some(work.boxed())
    }
}

fn key(delivery: &Delivery) -> WorkloadKey {
    WorkloadKey::new(&delivery.spec.workload.namespace, &delivery.spec.workload.name)
}

/// What the agent told about an order as it stands; about an older one nothing is taken.
fn current_status(delivery: &Delivery) -> Option<DeliveryStatus> {
    let generation = delivery.metadata.generation;
    delivery.status.clone().filter(|status| status.observed_generation == generation)
}

async fn told(parts: &Parts, cluster: &str, key: &WorkloadKey) -> Result<Option<DeliveryStatus>, String> {
    let api: Api<Delivery> = Api::namespaced(parts.hub.clone(), &meta::member_namespace(cluster));
    let stored = api.get_opt(&meta::delivery_name(&key.namespace, &key.name)).await.map_err(words)?;
    Ok(stored.as_ref().and_then(current_status))
}

/// How a stored order stands.
pub(super) struct Stored {
    /// What the agent told of it.
    pub(super) status: Option<DeliveryStatus>,
    /// It was a removal, is proven, and is not there any more.
    pub(super) ended: bool,
}

async fn store(parts: &Parts, cluster: &str, order: &Order) -> Result<Stored, String> {
    let namespace = meta::member_namespace(cluster);
    let (spec, blobs) = blob::apart(&order.delivery);
    let workload = &spec.workload;
    let name = meta::delivery_name(&workload.namespace, &workload.name);
    let api: Api<Delivery> = Api::namespaced(parts.hub.clone(), &namespace);
    let stored = api.get_opt(&name).await.map_err(words)?;
    let Some(stored) = stored.filter(|stored| stored.spec == spec) else {
        if !spec.removing.is_empty() {
            parts.ways.may_remove(cluster)?;
        }
        for secret in &order.secrets {
            keep::<Secret>(parts, &namespace, order, &secret.stored(&namespace), secret.name()).await?;
        }
        for blob in &blobs {
            keep::<ConfigMap>(parts, &namespace, order, &blob.stored(&namespace), &blob.reference().name).await?;
        }
        let labels = json!({meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_TENANT: spec.tenant,
            meta::LABEL_WORKLOAD: label_value(&workload.name)});
        let body = json!({"apiVersion": meta::API_VERSION, "kind": "Delivery",
            "metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec});
        let params = PatchParams::apply(meta::FIELD_MANAGER).force();
        let write = async { api.patch(&name, &params, &Patch::Apply(&body)).await };
        witnessed(parts, order, (Verb::Apply, "Delivery", &namespace, &name), write).await?;
        return Ok(Stored { status: None, ended: false });
    };
    let status = current_status(&stored);
    if status.as_ref().is_none_or(|status| status.epoch != Some(spec.epoch)) {
        return Ok(Stored { status, ended: false });
    }
    let gone = status.iter().flat_map(|status| &status.objects).all(|object| object.state == ObjectState::Gone);
    let ended = spec.state == DeliveryState::Removing && gone;
    if ended {
        let params = exactly(&stored.metadata);
        let write = async { api.delete(&name, &params).await };
        witnessed(parts, order, (Verb::Delete, "Delivery", &namespace, &name), write).await?;
    }
    let secrets = order.secrets.iter().map(jiuzhou_objects::secrets::SecretManifest::name).collect();
    tidy::<Secret>(parts, &namespace, order, &secrets).await?;
    let blobs = blobs.iter().map(|blob| &*blob.reference().name).collect();
    tidy::<ConfigMap>(parts, &namespace, order, &blobs).await?;
    Ok(Stored { status, ended })
}

/// What stands beside an order: a Secret, or a ConfigMap.
trait Beside:
    kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug
{
}

impl Beside for Secret {}
impl Beside for ConfigMap {}

/// Makes what is not there. Its name tells its content, so one that is there is the same.
async fn keep<K: Beside>(
    parts: &Parts,
    namespace: &str,
    order: &Order,
    stored: &Value,
    name: &str,
) -> Result<(), String> {
    let api: Api<K> = Api::namespaced(parts.hub.clone(), namespace);
    let kind = K::kind(&());
    if api.get_metadata_opt(name).await.map_err(words)?.is_some() {
        return Ok(());
    }
    let workload = &order.delivery.workload;
    let mut stored = stored.clone();
    stored["metadata"]["labels"][meta::LABEL_WORKLOAD] = label_value(&workload.name).into();
    stored["metadata"]["annotations"][meta::ANNOTATION_OWNER] =
        format!("{}/{}", workload.namespace, workload.name).into();
    let object: K = serde_json::from_value(stored).map_err(|_| format!("{kind} {name} cannot be stored"))?;
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let write = async { api.create(&params, &object).await };
    witnessed(parts, order, (Verb::Create, &*kind, namespace, name), write).await.map(drop)
}

/// Removes what stands beside the order of the workload and is not named by it.
async fn tidy<K: Beside>(parts: &Parts, namespace: &str, order: &Order, named: &BTreeSet<&str>) -> Result<(), String> {
    let workload = &order.delivery.workload;
    let owner = format!("{}/{}", workload.namespace, workload.name);
    let api: Api<K> = Api::namespaced(parts.hub.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={}", meta::LABEL_WORKLOAD, label_value(&workload.name)));
    for object in api.list_metadata(&ours).await.map_err(words)? {
        let name = object.name_any();
        let own = object.annotations().get(meta::ANNOTATION_OWNER) == Some(&owner);
        if own && !named.contains(name.as_str()) {
            let params = exactly(&object.metadata);
            let write = async { api.delete(&name, &params).await };
            witnessed(parts, order, (Verb::Delete, &*K::kind(&()), namespace, &name), write).await?;
        }
    }
    Ok(())
}

/// One write to the hub in the name of an order, with the witness before and after it.
async fn witnessed<T>(
    parts: &Parts,
    order: &Order,
    (verb, kind, namespace, name): (Verb, &str, &str, &str),
    write: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, String> {
    let api_version = if kind == "Delivery" { meta::API_VERSION } else { "v1" };
    let target = Target {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
        uid: None,
    };
    let shown = Write { order: &order.delivery, verb, target };
    parts.witness.before(&shown).await?;
    let answer = write.await;
    let outcome = match &answer {
        Ok(_) => Outcome::Done,
        Err(kube::Error::Api(_)) => Outcome::Refused,
        Err(_) => Outcome::Unknown,
    };
    parts.witness.after(&shown, outcome).await;
    answer.map_err(words)
}

fn exactly(metadata: &kube::api::ObjectMeta) -> DeleteParams {
    let preconditions =
        Preconditions { uid: metadata.uid.clone(), resource_version: metadata.resource_version.clone() };
    DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }
}

fn words(error: kube::Error) -> String {
    match error {
        // An API server repeats what it refuses; only the reason is ours to tell.
        kube::Error::Api(status) => format!("the hub says {} ({})", status.reason, status.code),
        error => error.to_string(),
    }
}
