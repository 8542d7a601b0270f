//! Orders by push: carried out from here, and looked at again when the member says that something changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryStatus};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_member::watch::{Notice, Watches};
use jiuzhou_member::{Member, Secrets, deliver, look};
use jiuzhou_objects::object::Object;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::worker::Desk;
use crate::orders::Order;

/// What came of one order.
type Carried = (WorkloadKey, Arc<Order>, Result<DeliveryStatus, String>);

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
    /// Carries out what is due. Ends in bounded time: every request has a deadline, and the first silence ends an order.
    pub(super) async fn turn(&mut self, desk: &mut Desk, member: Member, number: u64) {
        let open = match self.open.take() {
            Some(open) if open.number == number => self.open.insert(open),
            _ => {
                let member = member.witnessed(Arc::clone(&desk.parts.witness));
                let (watches, notices) = Watches::new(member.clone());
                self.open.insert(Open { member, number, watches, notices })
            }
        };
        let due: Vec<(WorkloadKey, Arc<Order>, DeliveryStatus)> = desk
            .due()
            .into_iter()
            .filter_map(|key| {
                let standing = desk.standing.get(&key)?;
                Some((key, Arc::clone(&standing.order), standing.status.clone()))
            })
            .collect();
        let (member, parts, cluster) = (&open.member, &desk.parts, desk.cluster.as_str());
        let start = Instant::now();
        let mut work: Vec<BoxFuture<'_, Carried>> = Vec::new();
        for (nth, (key, order, recorded)) in due.into_iter().enumerate() {
            let slot = start + parts.pace.between.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX));
            let one = async move {
                tokio::time::sleep_until(slot).await;
                let done = carry(parts, member, cluster, &order, &recorded).await;
                (key, order, done)
            };
            work.push(one.boxed());
        }
        let done: Vec<Carried> = stream::iter(work).buffer_unordered(parts.pace.at_once).collect().await;
        for (key, order, done) in done {
            match done {
                Ok(status) => {
                    open.watch(&order.delivery).await;
                    desk.carried(&key, &order, status);
                }
                Err(why) => desk.failed(&key, &why),
            }
        }
        open.answer(desk).await;
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
}

async fn carry(
    parts: &super::Parts,
    member: &Member,
    cluster: &str,
    order: &Order,
    recorded: &DeliveryStatus,
) -> Result<DeliveryStatus, String> {
    parts.ways.ready(cluster, &order.delivery).await?;
    let secrets: Secrets = order.secrets.iter().map(|secret| (secret.name().to_owned(), secret.clone())).collect();
    Ok(deliver(member, &order.delivery, &secrets, recorded, (parts.clock)()).await)
}

impl Open {
    /// Watches the kinds of an order from now on.
    async fn watch(&mut self, spec: &DeliverySpec) {
        let manifests = spec.objects.iter().filter_map(|object| object.manifest.as_ref()).map(Object::new);
        let kinds: BTreeSet<(String, String)> =
            manifests.map(|object| (object.api_version().to_owned(), object.kind().to_owned())).collect();
        for (api_version, kind) in kinds {
            // A kind that cannot be asked about now is asked about at the next turn.
            if let Ok(Some(served)) = self.member.served(&api_version, &kind).await {
                self.watches.ensure(&served);
            }
        }
    }

    /// Answers what the member has of workloads without an order.
    async fn answer(&self, desk: &mut Desk) {
        let now = Instant::now();
        let due: Vec<WorkloadKey> =
            desk.looks.iter().filter(|(_, look)| look.1 <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            let Some((wanted, ..)) = desk.looks.get(&key).cloned() else { continue };
            match look(&self.member, &wanted.tenant, &wanted.workload, &wanted.manifests).await {
                Ok(status) => {
                    desk.looks.remove(&key);
                    desk.report(&key, status);
                }
                Err(why) => desk.look_again(&key, &why),
            }
        }
    }
}
