//! Orders for a member by pull: stored in its namespace on the hub, with their secrets beside them, and read back.
//!
//! Secrets stand there only while an order names them. A Delivery is never deleted while its workload may still be in the
//! member: that it is gone is what the agent proves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Delivery, DeliveryState, ObjectState};
use jiuzhou_objects::secrets::MANIFEST;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio::time::interval;

use super::{Held, Shared, Work, hold, report};
use crate::fleet::MemberEvent;

/// What could not be written is written again after this time.
const SWEEP: Duration = Duration::from_secs(60);

type Key = (String, String);

/// Serves until the orders end (`true`) or the member is reached another way.
pub(super) async fn serve(
    shared: &Shared,
    cluster: &str,
    held: &mut BTreeMap<Key, Held>,
    orders: &mut mpsc::UnboundedReceiver<Arc<Work>>,
    mut events: broadcast::Receiver<MemberEvent>,
) -> bool {
    let namespace = meta::member_namespace(cluster);
    let stored: Api<DeserializeGuard<Delivery>> = Api::namespaced(shared.hub.clone(), &namespace);
    let mut statuses = watcher(stored, watcher::Config::default()).default_backoff().boxed();
    let mut sweep = interval(SWEEP);
    let mut unwritten: BTreeSet<Key> = held.keys().cloned().collect();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return true };
                let key = super::key(&order);
                if hold(held, order) {
                    unwritten.insert(key);
                }
            }
            Some(event) = statuses.next() => {
                if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event
                    && let Ok(delivery) = object.0
                {
                    seen(shared, held, delivery);
                }
                continue;
            }
            event = events.recv() => {
                if matches!(event, Err(broadcast::error::RecvError::Closed)) {
                    return true;
                }
                if shared.members.get(cluster).is_some_and(|member| !member.by_pull) {
                    return false;
                }
                continue;
            }
            _ = sweep.tick() => {
                if let Err(error) = tidy(shared, &namespace, held).await {
                    tracing::debug!(member = %cluster, %error, "failed to tidy; trying again");
                }
            }
        }
        for key in std::mem::take(&mut unwritten) {
            let Some(known) = held.get(&key) else { continue };
            if let Err(error) = write(shared, &namespace, &known.work).await {
                tracing::warn!(member = %cluster, workload = %key.1, %error, "failed to store an order; trying again");
                unwritten.insert(key);
            }
        }
    }
}

/// What an agent says counts for the order that it says it of.
fn seen(shared: &Shared, held: &mut BTreeMap<Key, Held>, delivery: Delivery) {
    let workload = &delivery.spec.workload;
    let key = (workload.namespace.to_string(), workload.name.to_string());
    let current = delivery.metadata.generation;
    let Some(status) = delivery.status.filter(|status| status.observed_generation == current) else { return };
    let ours = held.get(&key).is_some_and(|known| known.work.delivery == delivery.spec);
    if ours {
        report(shared, held, &key, status);
    }
}

/// Secrets first: an order that names one that is not there waits for nothing.
async fn write(shared: &Shared, namespace: &str, work: &Work) -> Result<(), kube::Error> {
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    let secrets: Api<Secret> = Api::namespaced(shared.hub.clone(), namespace);
    for secret in &work.secrets {
        secrets.patch(secret.name(), &params, &Patch::Apply(&secret.stored(namespace))).await?;
    }
    let workload = &work.delivery.workload;
    let name = meta::delivery_name(&workload.namespace, &workload.name);
    let delivery = json!({
        "apiVersion": meta::API_VERSION, "kind": "Delivery",
        "metadata": {
            "name": name, "namespace": namespace,
            "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_TENANT: work.delivery.tenant },
        },
        "spec": work.delivery,
    });
    let deliveries: Api<Delivery> = Api::namespaced(shared.hub.clone(), namespace);
    deliveries.patch(&name, &params, &Patch::Apply(&delivery)).await.map(drop)
}

/// Removes orders that were carried out to the end, and secrets that no stored order names.
async fn tidy(shared: &Shared, namespace: &str, held: &mut BTreeMap<Key, Held>) -> Result<(), kube::Error> {
    let done: Vec<Key> = held
        .iter()
        .filter(|(_, known)| {
            let ended = known.work.delivery.state == DeliveryState::Removing;
            let gone = known.status.objects.iter().all(|object| object.state == ObjectState::Gone);
            ended && gone && known.status.epoch == Some(known.work.delivery.epoch)
        })
        .map(|(key, _)| key.clone())
        .collect();
    let deliveries: Api<Delivery> = Api::namespaced(shared.hub.clone(), namespace);
    for key in done {
        let name = meta::delivery_name(&key.0, &key.1);
        if let Some(stored) = deliveries.get_opt(&name).await? {
            deliveries.delete(&name, &exactly(&stored.metadata)).await?;
        }
        held.remove(&key);
    }
    // What counts is what is stored: after a restart not every order has been given again yet.
    let stored = deliveries.list(&ListParams::default()).await?;
    let mut named: BTreeSet<String> =
        held.values().flat_map(|known| known.work.secrets.iter().map(|secret| secret.name().to_owned())).collect();
    named.extend(stored.iter().flat_map(|delivery| {
        delivery.spec.objects.iter().filter_map(|object| object.secret.as_ref()).map(|secret| secret.name.to_string())
    }));
    let secrets: Api<Secret> = Api::namespaced(shared.hub.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={}", meta::LABEL_MANAGED_BY, meta::MANAGED_BY));
    for secret in secrets.list_metadata(&ours).await? {
        let name = secret.name_any();
        if !named.contains(&name) && secret.annotations().contains_key(MANIFEST) {
            secrets.delete(&name, &exactly(&secret.metadata)).await?;
        }
    }
    Ok(())
}

fn exactly(metadata: &kube::api::ObjectMeta) -> DeleteParams {
    let preconditions =
        Preconditions { uid: metadata.uid.clone(), resource_version: metadata.resource_version.clone() };
    DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }
}
