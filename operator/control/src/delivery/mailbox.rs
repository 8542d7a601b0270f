//! What waits for the worker of one member. Of each workload only the last order counts, so it never holds more than
//! there are workloads, however fast orders come and however slow the member is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiuzhou_engine::decide::WorkloadKey;
use tokio::sync::Notify;

use super::Look;
use crate::orders::Order;

/// What came since it was last emptied.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) orders: BTreeMap<WorkloadKey, Arc<Order>>,
    pub(super) looks: BTreeMap<WorkloadKey, Look>,
    /// The way to the member changed.
    pub(super) woken: bool,
    /// What failed may go well now.
    pub(super) retried: bool,
    /// Nothing more comes.
    pub(super) closed: bool,
}

/// The mailbox.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    notify: Notify,
}

impl Mailbox {
    pub(super) fn put(&self, order: Arc<Order>) {
        self.change(|mail| {
            let key = order.key();
            mail.looks.remove(&key);
            mail.orders.insert(key, order);
        });
    }

    pub(super) fn ask(&self, look: Look) {
        self.change(|mail| {
            let key = WorkloadKey::new(&look.workload.namespace, &look.workload.name);
            if !mail.orders.contains_key(&key) {
                mail.looks.insert(key, look);
            }
        });
    }

    pub(super) fn wake(&self) {
        self.change(|mail| mail.woken = true);
    }

    pub(super) fn retry(&self) {
        self.change(|mail| mail.retried = true);
    }

    pub(super) fn close(&self) {
        self.change(|mail| mail.closed = true);
    }

    /// Takes everything out.
    pub(super) fn empty(&self) -> Mail {
        std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something comes. What came before is not lost.
    pub(super) async fn wait(&self) {
        self.notify.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }
}
