//! Shared watches of small things on the hub: which version a Secret has (never its data), what a lease says.
//!
//! A thousand members must not mean a thousand watches. A board holds one short text for each object; who waits for a
//! change of one object is woken by its key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use jiuzhou_api::meta;
use jiuzhou_member::agent::REPORT;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::broadcast;

use crate::stop::Stop;

/// Namespace and name.
pub(super) type Key = (String, String);

/// What shared watches have seen.
#[derive(Clone)]
pub(super) struct Board {
    seen: Arc<Mutex<BTreeMap<Key, String>>>,
    followed: Arc<Mutex<BTreeSet<String>>>,
    changes: broadcast::Sender<Key>,
}

impl Default for Board {
    fn default() -> Self {
        Self { seen: Arc::default(), followed: Arc::default(), changes: broadcast::Sender::new(256) }
    }
}

impl Board {
    /// What was last seen of an object.
    pub(super) fn get(&self, key: &Key) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keys of objects that change from now on.
    pub(super) fn changes(&self) -> broadcast::Receiver<Key> {
        self.changes.subscribe()
    }

    fn put(&self, key: Key, value: String) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&key) != Some(&value) {
            seen.insert(key.clone(), value);
            // Nobody listening is no fault.
            let _ = self.changes.send(key);
        }
    }

    /// Follows the versions of the Secrets of a namespace; again for the same namespace does nothing.
    pub(super) fn follow_secrets(&self, hub: &Client, namespace: &str, stop: &Stop) {
        let first = self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace.to_owned());
        if !first {
            return;
        }
        let (board, stop, namespace) = (self.clone(), stop.clone(), namespace.to_owned());
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(hub.clone(), &namespace);
        tokio::spawn(async move {
            let says = |secret: &PartialObjectMeta<Secret>| secret.resource_version();
            board.watch(api, watcher::Config::default(), says, stop).await;
        });
    }

    /// Follows the version of what the agent of a member reports, in its namespace; again for the same does nothing.
    pub(super) fn follow_report(&self, hub: &Client, namespace: &str, stop: &Stop) {
        let first = self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace.to_owned());
        if !first {
            return;
        }
        let (board, stop, namespace) = (self.clone(), stop.clone(), namespace.to_owned());
        let api: Api<PartialObjectMeta<ConfigMap>> = Api::namespaced(hub.clone(), &namespace);
        tokio::spawn(async move {
            let config = watcher::Config::default().fields(&format!("metadata.name={REPORT}"));
            let says = |map: &PartialObjectMeta<ConfigMap>| map.resource_version();
            board.watch(api, config, says, stop).await;
        });
    }

    /// A deleted object keeps its last value: what is gone says nothing, and nobody acts on it.
    async fn watch<K>(&self, api: Api<K>, config: watcher::Config, says: impl Fn(&K) -> Option<String>, stop: Stop)
    where
        K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static,
        K::DynamicType: Default,
    {
        let mut events = watcher(api, config).default_backoff().boxed();
        loop {
            let event = tokio::select! {
                () = stop.requested() => return,
                event = events.next() => event,
            };
            match event {
                None => return,
                Some(Err(error)) => tracing::warn!(%error, "failed to watch; trying again"),
                Some(Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object))) => {
                    if let Some(value) = says(&object) {
                        self.put((object.namespace().unwrap_or_default(), object.name_any()), value);
                    }
                }
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Follows the heartbeats of agents in all their namespaces.
pub(super) async fn watch_leases(hub: Client, board: Board, stop: Stop) {
    let config = watcher::Config::default().labels(meta::LABEL_CLUSTER);
    let says = |lease: &Lease| Some(lease.spec.as_ref()?.renew_time.as_ref()?.0.to_string());
    board.watch(Api::<Lease>::all(hub), config, says, stop).await;
}
