//! The orders that stand for one member: which are due, what came of each, and when each is looked at again.
//!
//! What was never carried out goes before what is only looked at again, so that a thousand looks do not hold up the one order
//! that somebody waits for.
//!
//! An order that was carried out is looked at again when something of it changes and now and then; one that failed is
//! tried again, later each time. Changes come in bursts: a look waits until it is quiet for a moment, and the longer the
//! slower the member answers, so that looks never become its load. What was seen is reported when it differs from what was
//! reported last; silence is not reported, because nothing was seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

use super::mailbox::Mail;
use super::{Look, Pace, Parts, pull};
use crate::orders::{Order, Report};

/// Until a question is asked again that could not be asked.
const NOT_YET: Duration = Duration::from_millis(200);

/// So many times as long as an order takes is waited between two looks at it, at least [`super::Pace::settle`].
const PER_ANSWER: u32 = 8;
/// But at most so many times that.
const SETTLE_MOST: u32 = 8;

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
    /// It was not carried out yet as it stands now.
    fresh: bool,
    /// Since when it is being carried out.
    under_way: Option<Instant>,
    /// When something of it changed in the member since it was begun last: at first, and at last.
    stirred: Option<(Instant, Instant)>,
}

/// A question that stands.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) look: Look,
    pub(super) due: Instant,
    failures: u32,
    pub(super) under_way: bool,
}

/// Everything of one member.
pub(super) struct Desk {
    pub(super) cluster: String,
    pub(super) parts: Parts,
    pub(super) standing: BTreeMap<WorkloadKey, Standing>,
    pub(super) looks: BTreeMap<WorkloadKey, Question>,
    /// Why the member is not reached, as said last.
    pub(super) closed: Option<String>,
    /// How long an order takes, smoothed.
    takes: Duration,
}

impl Standing {
    fn new(order: Arc<Order>, due: Instant) -> Self {
        let status = DeliveryStatus::default();
        let (failures, reported, looked, under_way, stirred) = (0, false, None, None, None);
        Self { order, status, due, looked, failures, reported, fresh: true, under_way, stirred }
    }

    /// When it is to be looked at, with what changed in the member.
    fn due(&self, pace: Pace, settle: Duration) -> Instant {
        let Some((first, last)) = self.stirred else { return self.due };
        let quiet = (last + pace.quiet).min(first + pace.settle);
        let soon = self.looked.map_or(first, |looked| quiet.max(looked + settle));
        self.due.min(soon)
    }
}

impl Desk {
    /// Nothing stands yet.
    pub(super) fn new(cluster: String, parts: Parts) -> Self {
        let (standing, looks) = (BTreeMap::new(), BTreeMap::new());
        Self { cluster, parts, standing, looks, closed: None, takes: Duration::ZERO }
    }

    /// Takes in what came.
    pub(super) fn take(&mut self, mail: Mail) {
        let now = Instant::now();
        for (key, order) in mail.orders {
            self.looks.remove(&key);
            match self.standing.get_mut(&key) {
                Some(standing) if standing.order.is(&order) => {}
                Some(standing) => {
                    (standing.order, standing.due, standing.failures, standing.fresh) = (order, now, 0, true);
                }
                None => drop(self.standing.insert(key, Standing::new(order, now))),
            }
        }
        for (key, look) in mail.looks {
            if !self.standing.contains_key(&key) {
                self.looks.insert(key, Question { look, due: now, failures: 0, under_way: false });
            }
        }
        if mail.woken {
            self.standing.values_mut().for_each(|standing| standing.due = now);
            self.looks.values_mut().for_each(|question| question.due = now);
        }
        if mail.retried {
            let failed = self.standing.values_mut().filter(|standing| standing.failures > 0);
            failed.for_each(|standing| standing.due = now);
        }
    }

    /// What is due and not under way: what was never carried out, then what waits longest, then questions.
    pub(super) fn due(&self) -> Vec<WorkloadKey> {
        let (now, pace, settle) = (Instant::now(), self.parts.pace, self.settle());
        let orders = self.standing.iter().filter(|(_, standing)| standing.under_way.is_none());
        let orders = orders.map(|(key, standing)| (!standing.fresh, standing.due(pace, settle), key));
        let mut due: Vec<(bool, Instant, &WorkloadKey)> = orders.filter(|(_, due, _)| *due <= now).collect();
        due.sort();
        let asked = self.looks.iter().filter(|(_, question)| !question.under_way && question.due <= now);
        due.into_iter().map(|(.., key)| key).chain(asked.map(|(key, _)| key)).cloned().collect()
    }

    pub(super) fn begun(&mut self, key: &WorkloadKey) {
        if let Some(standing) = self.standing.get_mut(key) {
            (standing.under_way, standing.stirred, standing.fresh) = (Some(Instant::now()), None, false);
        } else if let Some(question) = self.looks.get_mut(key) {
            question.under_way = true;
        }
    }

    /// Nothing can be said about a workload before something else is known.
    pub(super) fn not_yet(&mut self, key: &WorkloadKey) {
        if let Some(question) = self.looks.get_mut(key) {
            question.due = Instant::now() + NOT_YET;
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        let (pace, settle) = (self.parts.pace, self.settle());
        let orders = self.standing.values().filter(|standing| standing.under_way.is_none());
        let orders = orders.map(|standing| standing.due(pace, settle));
        let looks = self.looks.values().filter(|question| !question.under_way).map(|question| question.due);
        orders.chain(looks).min()
    }

    /// Something of a workload changed in the member.
    pub(super) fn touch(&mut self, key: &WorkloadKey) {
        if let Some(standing) = self.standing.get_mut(key) {
            // What is being looked at may have been read before the change.
            let now = Instant::now();
            standing.stirred = Some((standing.stirred.map_or(now, |(first, _)| first), now));
        }
    }

    /// Least time between two looks at one workload.
    fn settle(&self) -> Duration {
        let least = self.parts.pace.settle;
        self.takes.saturating_mul(PER_ANSWER).clamp(least, least.saturating_mul(SETTLE_MOST))
    }

    /// Nothing can be done in the member now.
    pub(super) fn wait(&mut self, why: String) {
        let soon = Instant::now() + self.parts.pace.retry_most;
        // A change there is no reason to look before the way is open.
        self.standing.values_mut().for_each(|standing| {
            (standing.due, standing.stirred) = (standing.due.max(soon), None);
        });
        self.looks.values_mut().for_each(|question| question.due = question.due.max(soon));
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
            standing.under_way = None;
            standing.failures = standing.failures.saturating_add(1);
            if !standing.fresh {
                standing.due = Instant::now() + wait;
            }
        }
    }

    fn wait_after(&self, failures: u32) -> Duration {
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
        let took = standing.under_way.take().map_or(Duration::ZERO, |began| now - began);
        self.takes = (self.takes.saturating_mul(7) + took) / 8;
        standing.looked = Some(now);
        if !standing.order.is(order) {
            // A newer order came and is due. What the old one has made stays known, and is told by the new one.
            (standing.status, standing.reported) = (status, false);
            return;
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
    pub(super) fn stored(&mut self, key: &WorkloadKey, order: &Arc<Order>, stored: pull::Stored) {
        let now = Instant::now();
        let again = self.parts.pace.again;
        let Some(standing) = self.standing.get_mut(key) else { return };
        (standing.looked, standing.under_way) = (Some(now), None);
        if !standing.order.is(order) {
            return; // a newer order came and is stored next
        }
        (standing.due, standing.failures) = (if standing.stirred.is_some() { now } else { now + again }, 0);
        if let Some(status) = stored.status
            && (!standing.reported || standing.status != status)
        {
            standing.status = status;
            self.tell(key);
        }
        if stored.ended {
            self.standing.remove(key);
        }
    }

    /// A question could not be answered.
    pub(super) fn look_again(&mut self, key: &WorkloadKey, why: &str) {
        tracing::debug!(cluster = self.cluster, workload = %key, why, "failed to look; trying again");
        let wait = self.looks.get(key).map(|question| self.wait_after(question.failures));
        if let (Some(question), Some(wait)) = (self.looks.get_mut(key), wait) {
            question.under_way = false;
            (question.due, question.failures) = (Instant::now() + wait, question.failures.saturating_add(1));
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
