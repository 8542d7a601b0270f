//! The hands of the hub: orders about members, carried out or handed on, and what is seen of them.
//!
//! One task for each member, so that a slow one holds up its own orders only. By push the orders are carried out from
//! here ([`push`]); by pull they are stored for the agent ([`pull`]). An order stands until another for the same member and
//! workload takes its place; the same order twice is one; no order removes nothing.

mod pull;
mod push;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryStatus, WorkloadReference};
use jiuzhou_member::Knowledge;
use jiuzhou_member::witness::Witness;
use jiuzhou_objects::secrets::SecretManifest;
use kube::Client;
use tokio::sync::mpsc;

use super::Members;
use crate::tenants::Tenants;

/// What a member is to have of one workload.
#[derive(Clone, Debug)]
pub struct Work {
    /// The order.
    pub delivery: DeliverySpec,
    /// Secrets it refers to.
    pub secrets: Vec<SecretManifest>,
}

/// What was seen of one workload in one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The member.
    pub cluster: String,
    /// The workload.
    pub workload: WorkloadReference,
    /// How it stands.
    pub status: DeliveryStatus,
}

/// What all tasks share.
#[derive(Clone)]
struct Shared {
    hub: Client,
    members: Members,
    tenants: Tenants,
    knowledge: Arc<Knowledge>,
    witness: Arc<dyn Witness>,
    seen: mpsc::UnboundedSender<Seen>,
}

/// Takes orders. Copies are the same hands; when the last is dropped, the tasks end.
#[derive(Clone)]
pub struct Hands {
    shared: Shared,
    tasks: Arc<Mutex<BTreeMap<String, mpsc::UnboundedSender<Arc<Work>>>>>,
}

impl Hands {
    /// Hands that report to `seen`; `witness` is asked before every write to a member by push and told how it ended. What
    /// is handed on to an agent is written on the hub only.
    #[must_use]
    pub fn new(
        hub: Client,
        members: Members,
        knowledge: Arc<Knowledge>,
        witness: Arc<dyn Witness>,
        seen: mpsc::UnboundedSender<Seen>,
    ) -> Self {
        let shared = Shared { hub, members, tenants: Tenants::default(), knowledge, witness, seen };
        Self { shared, tasks: Arc::default() }
    }

    /// Takes an order. Returns at once. Needs a runtime around it.
    pub fn give(&self, work: Arc<Work>) {
        let cluster = work.delivery.cluster.to_string();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let running = tasks.get(&cluster).filter(|task| !task.is_closed());
        let task = match running {
            Some(task) => task.clone(),
            None => {
                let (sender, orders) = mpsc::unbounded_channel();
                tokio::spawn(serve(self.shared.clone(), cluster.clone(), orders));
                tasks.insert(cluster, sender.clone());
                sender
            }
        };
        // A task ends only with its sender.
        let _ = task.send(work);
    }
}

/// Serves one member by the way it is reached, and again by another way when that changes.
async fn serve(shared: Shared, cluster: String, mut orders: mpsc::UnboundedReceiver<Arc<Work>>) {
    let mut held: BTreeMap<(String, String), Held> = BTreeMap::new();
    loop {
        let events = shared.members.events();
        let ended = match shared.members.get(&cluster) {
            Some(member) if member.by_pull => {
                pull::serve(&shared, &cluster, &mut held, &mut orders, events).boxed().await
            }
            _ => push::serve(&shared, &cluster, &mut held, &mut orders, events).boxed().await,
        };
        if ended {
            return;
        }
    }
}

/// An order and what came of it so far.
struct Held {
    work: Arc<Work>,
    status: DeliveryStatus,
}

fn key(work: &Work) -> (String, String) {
    (work.delivery.workload.namespace.to_string(), work.delivery.workload.name.to_string())
}

/// Holds an order; whether it says something new.
fn hold(held: &mut BTreeMap<(String, String), Held>, work: Arc<Work>) -> bool {
    match held.get_mut(&key(&work)) {
        Some(known) if known.work.delivery == work.delivery && known.work.secrets == work.secrets => false,
        Some(known) => {
            known.work = work;
            true
        }
        None => {
            held.insert(key(&work), Held { work, status: DeliveryStatus::default() });
            true
        }
    }
}

/// Keeps what was seen and reports it when it is new.
fn report(
    shared: &Shared,
    held: &mut BTreeMap<(String, String), Held>,
    key: &(String, String),
    status: DeliveryStatus,
) {
    let Some(known) = held.get_mut(key) else { return };
    if known.status == status {
        return;
    }
    known.status = status.clone();
    let delivery = &known.work.delivery;
    let seen = Seen { cluster: delivery.cluster.to_string(), workload: delivery.workload.clone(), status };
    // Who does not listen any more is being stopped.
    let _ = shared.seen.send(seen);
}
