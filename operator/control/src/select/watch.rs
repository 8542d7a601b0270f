//! One watch per native kind, begun when the first workload selects something: a hub without `select` is asked nothing.
//!
//! A kind that cannot be listed is told once and asked for again; nothing is concluded of its objects meanwhile.

use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event as Told};
use kube::runtime::{WatchStreamExt as _, watcher as watch_stream};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::Event;
use super::kinds::{KINDS, Kind};
use crate::hub::Seen;
use crate::stop::Stop;

/// Follows every native kind from the moment that somebody wants it.
pub(crate) fn watch_natives(client: &Client, stop: &Stop, wanted: &watch::Receiver<bool>, sender: &mpsc::Sender<Seen>) {
    for kind in KINDS {
        let (client, stop, sender, mut wanted) = (client.clone(), stop.clone(), sender.clone(), wanted.clone());
        tokio::spawn(async move {
            let follow = async {
                if wanted.wait_for(|wanted| *wanted).await.is_ok() {
                    follow(client, kind, &sender).await;
                }
            };
            tokio::select! {
                () = stop.requested() => {}
                () = follow => {}
            }
        });
    }
}

async fn follow(client: Client, kind: &'static Kind, sender: &mpsc::Sender<Seen>) {
    let api: Api<DynamicObject> = Api::all_with(client, &kind.resource());
    let config = watcher::Config {
        field_selector: Some(kind.fields.to_owned()).filter(|f| !f.is_empty()),
        ..Default::default()
    };
    let events = watch_stream(api, config).default_backoff();
    let mut events = std::pin::pin!(events.into_stream());
    let mut told = None;
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => read(event, kind),
            Err(error) => {
                let why = error.to_string();
                if told.as_ref() == Some(&why) {
                    continue;
                }
                tracing::warn!(kind = kind.kind, error = %error, "failed to watch; asking again");
                told = Some(why.clone());
                Some(Event::Refused { kind, why: why.chars().take(300).collect() })
            }
        };
        if let Some(event) = event
            && sender.send(Seen::Native(event)).await.is_err()
        {
            return;
        }
    }
}

fn read(event: Told<DynamicObject>, kind: &'static Kind) -> Option<Event> {
    Some(match event {
        Told::Init => Event::Begin { kind },
        Told::InitDone => Event::Complete { kind },
        Told::InitApply(object) | Told::Apply(object) => Event::Put { kind, object: Box::new(value(object, kind)?) },
        Told::Delete(object) => Event::Gone {
            kind,
            namespace: object.metadata.namespace.unwrap_or_default(),
            name: object.metadata.name.unwrap_or_default(),
        },
    })
}

/// The object as a value that names its kind, which items of a list do not do.
pub(crate) fn value(mut object: DynamicObject, kind: &Kind) -> Option<Value> {
    object.types = Some(kube::api::TypeMeta { api_version: kind.api_version(), kind: kind.kind.to_owned() });
    match serde_json::to_value(object) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::error!(kind = kind.kind, error = %error, "failed to read an object");
            None
        }
    }
}
