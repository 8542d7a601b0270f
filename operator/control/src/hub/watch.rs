//! One watch per kind, with back-off; a kind whose definition is missing is asked for again until it is there.

use futures::{StreamExt as _, TryStreamExt as _};
use jiuzhou_api::KindInfo;
use jiuzhou_engine::terms::ObjectRef;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch_stream};
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};

use super::Seen;
use crate::export;
use crate::select::watch::watch_natives;
use crate::stop::Stop;

/// Events that may wait for the one reader. A full queue slows the watches down and loses nothing.
const WAITING: usize = 4096;

/// Watches every kind of ours, and native kinds from the moment that `natives` says so. The watches end with the order
/// to stop, or when nobody reads them any more.
pub(crate) fn watch_all(client: &Client, stop: &Stop, natives: &watch::Receiver<bool>) -> mpsc::Receiver<Seen> {
    let (sender, receiver) = mpsc::channel(WAITING);
    watch_natives(client, stop, natives, &sender);
    for kind in jiuzhou_api::kinds() {
        let (client, stop, sender) = (client.clone(), stop.clone(), sender.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.requested() => {}
                () = follow(client, kind, &sender) => {}
            }
        });
    }
    receiver
}

/// Hands on what a watch says, for as long as somebody reads.
async fn follow(client: Client, kind: &'static KindInfo, sender: &mpsc::Sender<Seen>) {
    let api: Api<DynamicObject> = Api::all_with(client, &export::resource(kind));
    let events = watch_stream(api, watcher::Config::default()).default_backoff();
    let mut events = std::pin::pin!(events.into_stream());
    while let Some(event) = events.next().await {
        let seen = match event {
            Ok(event) => read(event, &kind.kind),
            Err(error) => {
                tracing::warn!(kind = kind.kind, error = %error, "failed to watch; asking again");
                continue;
            }
        };
        if let Some(seen) = seen
            && sender.send(seen).await.is_err()
        {
            return;
        }
    }
}

fn read(event: Event<DynamicObject>, kind: &str) -> Option<Seen> {
    Some(match event {
        Event::Init => Seen::Begin { kind: kind.to_owned() },
        Event::InitDone => Seen::Complete { kind: kind.to_owned() },
        Event::InitApply(object) | Event::Apply(object) => match export::value(object, kind) {
            Ok(value) => Seen::Put(value),
            Err(error) => {
                tracing::error!(kind, error = %error, "failed to read an object");
                return None;
            }
        },
        Event::Delete(object) => {
            let metadata = object.metadata;
            Seen::Gone(ObjectRef::new(
                kind,
                &metadata.namespace.unwrap_or_default(),
                &metadata.name.unwrap_or_default(),
            ))
        }
    })
}
