//! Orders by push: carried out from here, and looked at again when the member says that something changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryStatus};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_member::watch::{Notice, Watches};
use jiuzhou_member::{Member, Secrets, deliver, look};
use jiuzhou_objects::object::Object;
use tokio::sync::mpsc;

use super::Parts;
use super::desk::Desk;
use super::worker::{Done, Work};
use crate::orders::Order;

/// A connection to a member, and the watches over it.
#[derive(Debug, Default)]
pub(super) struct Hand {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    member: Member,
    number: u64,
    watches: Watches,
    notices: mpsc::Receiver<Notice>,
}

impl Hand {
    /// Takes a connection into use, with watches of its own. Work that is under way over another one ends as it ends.
    pub(super) fn open(&mut self, desk: &Desk, member: Member, number: u64) {
        if self.open.as_ref().is_some_and(|open| open.number == number) {
            return;
        }
        let member = member.witnessed(Arc::clone(&desk.parts.witness));
        let (watches, notices) = Watches::new(member.clone());
        self.open = Some(Open { member, number, watches, notices });
    }

    /// The work that is due for a workload. It ends in bounded time: every request has a deadline, and the first silence
    /// ends an order.
    pub(super) fn work(&self, desk: &Desk, key: &WorkloadKey) -> Option<Work> {
        let member = self.open.as_ref()?.member.clone();
        let key = key.clone();
        if let Some(standing) = desk.standing.get(&key) {
            let (order, recorded) = (Arc::clone(&standing.order), standing.status.clone());
            let parts = desk.parts.clone();
            let work = async move {
                let done = carry(&parts, &member, &order, &recorded).await;
                Done::Carried(key, order, done)
            };
            return Some(work.boxed());
        }
        let wanted = desk.looks.get(&key)?.look.clone();
        let work = async move {
            let seen = look(&member, &wanted.tenant, &wanted.workload, &wanted.manifests).await;
            Done::Looked(key, seen)
        };
        Some(work.boxed())
    }

    /// The next workload of which something changed; for ever without a connection.
    pub(super) async fn changed(&mut self) -> Option<WorkloadKey> {
        let Some(open) = &mut self.open else { return std::future::pending().await };
        loop {
            match open.notices.recv().await {
                Some(Notice::Changed(workload)) => {
                    return Some(WorkloadKey::new(&workload.namespace, &workload.name));
                }
                Some(Notice::Complete { .. }) => {}
                Some(Notice::Broken { kind, why }) => {
                    tracing::debug!(cluster = open.member.cluster(), kind, why, "a watch broke; it is taken up again");
                }
                None => return std::future::pending().await,
            }
        }
    }

    /// Watches the kinds of an order from now on.
    pub(super) async fn watch(&mut self, spec: &DeliverySpec) {
        let Some(open) = &mut self.open else { return };
        let manifests = spec.objects.iter().filter_map(|object| object.manifest.as_ref()).map(Object::new);
        let kinds: BTreeSet<(String, String)> =
            manifests.map(|object| (object.api_version().to_owned(), object.kind().to_owned())).collect();
        for (api_version, kind) in kinds {
            // A kind that cannot be asked about now is asked about at the next turn.
            if let Ok(Some(served)) = open.member.served(&api_version, &kind).await {
                open.watches.ensure(&served);
            }
        }
    }
}

async fn carry(
    parts: &Parts,
    member: &Member,
    order: &Order,
    recorded: &DeliveryStatus,
) -> Result<DeliveryStatus, String> {
    parts.ways.ready(member.cluster(), &order.delivery).await?;
    let secrets: Secrets = order.secrets.iter().map(|secret| (secret.name().to_owned(), secret.clone())).collect();
    Ok(deliver(member, &order.delivery, &secrets, recorded, (parts.clock)()).await)
}
