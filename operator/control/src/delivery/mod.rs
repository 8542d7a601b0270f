//! Delivery: orders on their way to members, and what was seen of them on its way back.
//!
//! One worker for each member, so that one that hangs, floods or lies delays nobody else. What waits is bounded: of each
//! workload only the last order counts. How a member is reached is told by [`Ways`]; by push an order is carried out
//! from here ([`push`]), by pull it is stored for the agent ([`pull`]), and both report in the same words. Every write
//! passes the leader's gate and the audit log ([`audit`]). What is ordered, and when, is decided elsewhere; nothing here
//! removes what no order names.

pub mod audit;
mod desk;
mod mailbox;
mod pull;
mod push;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{DeliverySpec, WorkloadReference};
use jiuzhou_member::Member;
use jiuzhou_member::witness::Witness;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::orders::{Order, Orders, Report};
use mailbox::Mailbox;

/// How a member is reached now.
#[derive(Clone, Debug)]
pub enum Way {
    /// From here. The number changes with the connection.
    Push(Member, u64),
    /// Its agent fetches orders from the hub.
    Pull,
    /// Not at all, or nothing may be done there; why.
    Closed(String),
}

/// Who knows how members are reached, and what has to be done there before an order.
pub trait Ways: Send + Sync {
    /// How a member is reached now. Asked anew for every turn.
    fn way(&self, cluster: &str) -> Way;

    /// Whether anything may be removed in a member. An error holds every order that removes.
    ///
    /// # Errors
    /// Why not.
    fn may_remove(&self, cluster: &str) -> Result<(), String>;

    /// Readies a member for an order by push: its claim knows the epoch, the tenant may act. An error holds the order.
    fn ready<'a>(&'a self, cluster: &'a str, order: &'a DeliverySpec) -> BoxFuture<'a, Result<(), String>>;
}

/// Speed and patience towards one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Orders carried out at the same time.
    pub at_once: usize,
    /// Between the starts of two orders.
    pub between: Duration,
    /// Least time between two looks at one workload, however much changes there.
    pub settle: Duration,
    /// How long nothing changes there before it is looked at.
    pub quiet: Duration,
    /// First wait after a failure; it doubles.
    pub retry: Duration,
    /// Longest wait after failures.
    pub retry_most: Duration,
    /// Between two looks at what is as wanted.
    pub again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            at_once: 8,
            between: Duration::from_millis(10),
            settle: Duration::from_secs(1),
            quiet: Duration::from_millis(200),
            retry: Duration::from_secs(1),
            retry_most: Duration::from_secs(60),
            again: Duration::from_secs(300),
        }
    }
}

/// What deliveries are made of.
#[derive(Clone)]
pub struct Parts {
    /// The hub.
    pub hub: Client,
    /// How members are reached.
    pub ways: Arc<dyn Ways>,
    /// Gate and audit log.
    pub witness: Arc<dyn Witness>,
    /// Where reports go.
    pub reports: mpsc::UnboundedSender<Report>,
    /// The instant.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Speed and patience.
    pub pace: Pace,
}

/// Takes orders for all members. Dropped, its workers end.
pub struct Deliveries {
    parts: Parts,
    workers: Mutex<BTreeMap<String, Worker>>,
}

/// A worker and the way to it.
struct Worker {
    mailbox: Arc<Mailbox>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Deliveries").field("workers", &workers.len()).finish_non_exhaustive()
    }
}

/// A question what a member has of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The workload.
    pub workload: WorkloadReference,
    /// Its tenant.
    pub tenant: String,
    /// `apiVersion`, kind and name of its manifests, now and before.
    pub manifests: BTreeSet<(String, String, String)>,
}

impl Deliveries {
    /// No worker yet. Needs a runtime around its calls.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts, workers: Mutex::default() }
    }

    /// Something about how a member is reached changed.
    pub fn wake(&self, cluster: &str) {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = workers.get(cluster) {
            worker.mailbox.wake();
        }
    }

    /// What was held back may go on now.
    pub fn retry(&self) {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.values().for_each(|worker| worker.mailbox.retry());
    }

    /// Begins nothing more, and waits until what has begun has ended. Returns whether it has in time.
    pub async fn finish(&self, within: Duration) -> bool {
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        workers.values().for_each(|worker| worker.mailbox.close());
        let all = futures::future::join_all(workers.into_values().map(|worker| worker.task));
        tokio::time::timeout(within, all).await.is_ok()
    }

    fn mailbox(&self, cluster: &str) -> Arc<Mailbox> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = workers.get(cluster) {
            return Arc::clone(&worker.mailbox);
        }
        let mailbox = Arc::new(Mailbox::default());
        let task = tokio::spawn(worker::run(cluster.to_owned(), Arc::clone(&mailbox), self.parts.clone()));
        workers.insert(cluster.to_owned(), Worker { mailbox: Arc::clone(&mailbox), task });
        mailbox
    }
}

impl Orders for Deliveries {
    fn give(&self, order: Arc<Order>) {
        self.mailbox(&order.delivery.cluster).put(order);
    }

    /// Until it was seen it is asked again; an order for the workload ends the question.
    fn look(&self, cluster: &str, look: Look) {
        self.mailbox(cluster).ask(look);
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.values().for_each(|worker| worker.mailbox.close());
    }
}
