//! The worker of one member: which orders stand, which are due, and when each is looked at again.
//!
//! An order that was carried out is looked at again when something of it changes and now and then; one that failed is
//! tried again, later each time. What was seen is reported when it differs from what was reported last; silence is not
//! reported, because nothing was seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

use super::mailbox::Mailbox;
use super::{Look, Parts, Way, pull, push};
use crate::orders::{Order, Report};

/// An order that stands, and what came of it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) order: Arc<Order>,
    pub(super) status: DeliveryStatus,
    /// When it is looked at next.
    pub(super) due: Instant,
    /// When it was looked at last.
    pub(super) looked: Option<Instant>,
    failures: u32,
    reported: bool,
}

/// Everything of one member.
pub(super) struct Desk {
    pub(super) cluster: String,
    pub(super) parts: Parts,
    pub(super) standing: BTreeMap<WorkloadKey, Standing>,
    pub(super) looks: BTreeMap<WorkloadKey, (Look, Instant, u32)>,
    /// Why the member is not reached, as said last.
    closed: Option<String>,
}

pub(super) async fn run(cluster: String, mailbox: Arc<Mailbox>, parts: Parts) {
    let mut desk = Desk { cluster, parts, standing: BTreeMap::new(), looks: BTreeMap::new(), closed: None };
    let mut hand = push::Hand::default();
    let mut shelf = None;
    loop {
        let mail = mailbox.empty();
        if mail.closed {
            return;
        }
        desk.take(mail.orders, mail.looks, mail.woken);
        match desk.parts.ways.way(&desk.cluster) {
            Way::Push(member, number) => {
                (shelf, desk.closed) = (None, None);
                hand.turn(&mut desk, member, number).await;
            }
            Way::Pull => {
                (hand, desk.closed) = (push::Hand::default(), None);
                let shelf = shelf.get_or_insert_with(|| pull::Shelf::new(&desk));
                shelf.turn(&mut desk).await;
            }
            Way::Closed(why) => desk.wait(why),
        }
        let next = desk.next();
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = mailbox.wait() => {}
            () = sleep => {}
            Some(workload) = hand.changed() => desk.touch(&workload),
            changed = pull::next(&mut shelf) => changed.iter().for_each(|workload| desk.touch(workload)),
        }
    }
}

impl Desk {
    fn take(&mut self, orders: BTreeMap<WorkloadKey, Arc<Order>>, looks: BTreeMap<WorkloadKey, Look>, woken: bool) {
        let now = Instant::now();
        for (key, order) in orders {
            self.looks.remove(&key);
            match self.standing.get_mut(&key) {
                Some(standing) if standing.order.is(&order) => {}
                Some(standing) => {
                    (standing.order, standing.due, standing.failures) = (order, now, 0);
                }
                None => {
                    let status = DeliveryStatus::default();
                    let new = Standing { order, status, due: now, looked: None, failures: 0, reported: false };
                    self.standing.insert(key, new);
                }
            }
        }
        for (key, look) in looks {
            if !self.standing.contains_key(&key) {
                self.looks.insert(key, (look, now, 0));
            }
        }
        if woken {
            self.standing.values_mut().for_each(|standing| standing.due = now);
            self.looks.values_mut().for_each(|look| look.1 = now);
        }
    }

    /// Orders that are due, the longest waiting first.
    pub(super) fn due(&self) -> Vec<WorkloadKey> {
        let now = Instant::now();
        let mut due: Vec<(&WorkloadKey, Instant)> =
            self.standing.iter().filter(|(_, s)| s.due <= now).map(|(key, s)| (key, s.due)).collect();
        due.sort_by_key(|(key, at)| (*at, *key));
        due.into_iter().map(|(key, _)| key.clone()).collect()
    }

    fn next(&self) -> Option<Instant> {
        let orders = self.standing.values().map(|standing| standing.due);
        orders.chain(self.looks.values().map(|look| look.1)).min()
    }

    /// Something of a workload changed in the member.
    pub(super) fn touch(&mut self, key: &WorkloadKey) {
        let settle = self.parts.pace.settle;
        if let Some(standing) = self.standing.get_mut(key) {
            let soon = standing.looked.map_or_else(Instant::now, |looked| looked + settle);
            standing.due = standing.due.min(soon);
        }
    }

    /// Nothing can be done in the member now.
    fn wait(&mut self, why: String) {
        let soon = Instant::now() + self.parts.pace.retry_most;
        self.standing.values_mut().for_each(|standing| standing.due = standing.due.max(soon));
        self.looks.values_mut().for_each(|look| look.1 = look.1.max(soon));
        if self.closed.as_ref() != Some(&why) {
            tracing::info!(cluster = self.cluster, why, "orders wait");
            self.closed = Some(why);
        }
    }

    /// An order could not be tried.
    pub(super) fn failed(&mut self, key: &WorkloadKey, why: &str) {
        tracing::debug!(cluster = self.cluster, workload = %key, why, "failed to carry out an order; trying again");
        let wait = self.standing.get(key).map(|standing| self.wait_after(standing.failures));
        if let (Some(standing), Some(wait)) = (self.standing.get_mut(key), wait) {
            standing.failures = standing.failures.saturating_add(1);
            standing.due = Instant::now() + wait;
        }
    }

    pub(super) fn wait_after(&self, failures: u32) -> std::time::Duration {
        let pace = self.parts.pace;
        pace.retry.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(pace.retry_most)
    }

    /// Keeps what came of an order, reports it when it is new, and says when to look again.
    pub(super) fn carried(&mut self, key: &WorkloadKey, order: &Arc<Order>, status: DeliveryStatus) {
        let now = Instant::now();
        let (as_wanted, silent) =
            (is(&status, ControllerReason::AsWanted), is(&status, ControllerReason::MemberUnreachable));
        let going = is(&status, ControllerReason::DeliveryInProgress) || is(&status, ControllerReason::Removing);
        let pace = self.parts.pace;
        let Some(failures) = self.standing.get(key).map(|standing| standing.failures) else { return };
        let wait = match () {
            () if as_wanted => pace.again,
            // What is under way tells itself by a watch; this is for what has none.
            () if going => pace.retry.saturating_mul(5),
            () => self.wait_after(failures),
        };
        let Some(standing) = self.standing.get_mut(key) else { return };
        standing.looked = Some(now);
        if !standing.order.is(order) {
            return; // a newer order came; what was seen for the old one is seen again for it
        }
        standing.failures = if as_wanted || going { 0 } else { failures.saturating_add(1) };
        standing.due = now + wait;
        let ended = as_wanted
            && order.delivery.state == DeliveryState::Removing
            && status.objects.iter().all(|object| object.state == ObjectState::Gone);
        let news = !silent && (!standing.reported || standing.status != status);
        standing.status = status;
        if news {
            self.tell(key);
        }
        if ended {
            self.standing.remove(key);
        }
    }

    /// Reports what was seen of an order last.
    fn tell(&mut self, key: &WorkloadKey) {
        let Some(standing) = self.standing.get_mut(key) else { return };
        standing.reported = true;
        let status = standing.status.clone();
        self.report(key, Some(status));
    }

    /// A stored order is as ordered; keeps what its agent told, and reports it when it is new.
    pub(super) fn stored(&mut self, key: &WorkloadKey, status: Option<DeliveryStatus>, ended: bool) {
        let now = Instant::now();
        let again = self.parts.pace.again;
        let Some(standing) = self.standing.get_mut(key) else { return };
        (standing.looked, standing.due, standing.failures) = (Some(now), now + again, 0);
        if let Some(status) = status
            && (!standing.reported || standing.status != status)
        {
            standing.status = status;
            self.tell(key);
        }
        if ended {
            self.standing.remove(key);
        }
    }

    /// A question could not be answered.
    pub(super) fn look_again(&mut self, key: &WorkloadKey, why: &str) {
        tracing::debug!(cluster = self.cluster, workload = %key, why, "failed to look; trying again");
        let wait = self.looks.get(key).map(|look| self.wait_after(look.2));
        if let (Some(look), Some(wait)) = (self.looks.get_mut(key), wait) {
            (look.1, look.2) = (Instant::now() + wait, look.2.saturating_add(1));
        }
    }

    pub(super) fn report(&self, key: &WorkloadKey, status: Option<DeliveryStatus>) {
        let report = Report { cluster: self.cluster.clone(), workload: key.clone(), status };
        // Who does not listen any more is being stopped.
        let _ = self.parts.reports.send(report);
    }
}

/// Whether the reason of Ready is this one.
pub(super) fn is(status: &DeliveryStatus, reason: ControllerReason) -> bool {
    let ready = status.conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.as_str());
    ready.is_some_and(|condition| condition.reason == reason.as_str())
}
