//! The worker of one member: which orders stand, which are due, and when each is looked at again.
//!
//! Work is under way for several workloads at once and for one workload once: what comes for it meanwhile is due again
//! when that has ended. What was never carried out goes before what is only looked at again, so that a thousand looks do
//! not hold up the one order that somebody waits for.
//!
//! An order that was carried out is looked at again when something of it changes and now and then; one that failed is
//! tried again, later each time. Changes come in bursts: a look waits until it is quiet for a moment, and the longer the
//! slower the member answers, so that looks never become its load. What was seen is reported when it differs from what was reported last; silence is not
//! reported, because nothing was seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

use super::mailbox::{Mail, Mailbox};
use super::{Look, Pace, Parts, Way, pull, push};
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
    closed: Option<String>,
    /// How long an order takes, smoothed.
    takes: Duration,
}

pub(super) async fn run(cluster: String, mailbox: Arc<Mailbox>, parts: Parts) {
    let mut desk =
        Desk { cluster, parts, standing: BTreeMap::new(), looks: BTreeMap::new(), closed: None, takes: Duration::ZERO };
    let mut works = Works::default();
    let mut hand = push::Hand::default();
    let mut shelf: Option<pull::Shelf> = None;
    loop {
        let mail = mailbox.empty();
        if mail.closed {
            return works.finish(&mut desk, &mut hand).await;
        }
        desk.take(mail);
        match desk.parts.ways.way(&desk.cluster) {
            Way::Push(member, number) => {
                (shelf, desk.closed) = (None, None);
                hand.open(&desk, member, number);
                works.begin(&mut desk, &|desk, key| hand.work(desk, key));
            }
            Way::Pull => {
                (hand, desk.closed) = (push::Hand::default(), None);
                let shelf = shelf.get_or_insert_with(|| pull::Shelf::new(&desk));
                works.begin(&mut desk, &|desk, key| shelf.work(desk, key));
            }
            Way::Closed(why) => desk.wait(why),
        }
        let next = works.next(&desk);
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = mailbox.wait() => {}
            () = sleep => {}
            Some(done) = works.ended() => works.take(done, &mut desk, &mut hand).await,
            Some(workload) = hand.changed() => desk.touch(&workload),
            changed = pull::next(&mut shelf) => changed.iter().for_each(|workload| desk.touch(workload)),
        }
    }
}

/// What came of one piece of work.
pub(super) enum Done {
    /// An order was carried out by push as far as it went.
    Carried(WorkloadKey, Arc<Order>, Result<DeliveryStatus, String>),
    /// An order was stored for the agent, or found stored.
    Stored(WorkloadKey, Arc<Order>, Result<pull::Stored, String>),
    /// A question was answered; `None` for one that is to be asked again without a fault.
    Looked(WorkloadKey, Result<Option<DeliveryStatus>, String>),
}

/// One piece of work.
pub(super) type Work = BoxFuture<'static, Done>;

/// The work that is under way, and when the next may begin.
#[derive(Default)]
struct Works {
    under_way: FuturesUnordered<Work>,
    slot: Option<Instant>,
}

impl Works {
    /// Begins what is due, as far as the pace of this member lets it.
    fn begin(&mut self, desk: &mut Desk, work: &dyn Fn(&Desk, &WorkloadKey) -> Option<Work>) {
        let pace = desk.parts.pace;
        let now = Instant::now();
        for key in desk.due() {
            if self.under_way.len() >= pace.at_once || self.slot.is_some_and(|slot| slot > now) {
                return;
            }
            let Some(one) = work(desk, &key) else {
                desk.not_yet(&key);
                continue;
            };
            desk.begun(&key);
            self.under_way.push(one);
            // A pause is made up for by a short burst, no longer than what may be under way at once.
            let behind = pace.between.saturating_mul(u32::try_from(pace.at_once).unwrap_or(u32::MAX));
            let from = self.slot.unwrap_or(now).max(now.checked_sub(behind).unwrap_or(now));
            self.slot = Some(from + pace.between);
        }
    }

    /// When something is to begin next without anything happening before.
    fn next(&self, desk: &Desk) -> Option<Instant> {
        if self.under_way.len() >= desk.parts.pace.at_once {
            return None;
        }
        let next = desk.next()?;
        Some(self.slot.map_or(next, |slot| next.max(slot)))
    }

    /// The next that ends; for ever while nothing is under way.
    async fn ended(&mut self) -> Option<Done> {
        if self.under_way.is_empty() {
            return std::future::pending().await;
        }
        self.under_way.next().await
    }

    async fn take(&mut self, done: Done, desk: &mut Desk, hand: &mut push::Hand) {
        match done {
            Done::Carried(key, order, Ok(status)) => {
                hand.watch(&order.delivery).await;
                desk.carried(&key, &order, status);
            }
            Done::Stored(key, order, Ok(stored)) => desk.stored(&key, &order, stored),
            Done::Carried(key, _, Err(why)) | Done::Stored(key, _, Err(why)) => desk.failed(&key, &why),
            Done::Looked(key, Ok(status)) => {
                // An order that came meanwhile tells more than the answer.
                if desk.looks.remove(&key).is_some() {
                    desk.report(&key, status);
                }
            }
            Done::Looked(key, Err(why)) => desk.look_again(&key, &why),
        }
    }

    /// What has begun ends; nothing new begins.
    async fn finish(mut self, desk: &mut Desk, hand: &mut push::Hand) {
        while let Some(done) = self.under_way.next().await {
            self.take(done, desk, hand).await;
        }
    }
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
    fn take(&mut self, mail: Mail) {
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
    fn due(&self) -> Vec<WorkloadKey> {
        let (now, pace, settle) = (Instant::now(), self.parts.pace, self.settle());
        let orders = self.standing.iter().filter(|(_, standing)| standing.under_way.is_none());
        let orders = orders.map(|(key, standing)| (!standing.fresh, standing.due(pace, settle), key));
        let mut due: Vec<(bool, Instant, &WorkloadKey)> = orders.filter(|(_, due, _)| *due <= now).collect();
        due.sort();
        let asked = self.looks.iter().filter(|(_, question)| !question.under_way && question.due <= now);
        due.into_iter().map(|(.., key)| key).chain(asked.map(|(key, _)| key)).cloned().collect()
    }

    fn begun(&mut self, key: &WorkloadKey) {
        if let Some(standing) = self.standing.get_mut(key) {
            (standing.under_way, standing.stirred, standing.fresh) = (Some(Instant::now()), None, false);
        } else if let Some(question) = self.looks.get_mut(key) {
            question.under_way = true;
        }
    }

    /// Nothing can be said about a workload before something else is known.
    fn not_yet(&mut self, key: &WorkloadKey) {
        if let Some(question) = self.looks.get_mut(key) {
            question.due = Instant::now() + NOT_YET;
        }
    }

    fn next(&self) -> Option<Instant> {
        let (pace, settle) = (self.parts.pace, self.settle());
        let orders = self.standing.values().filter(|standing| standing.under_way.is_none());
        let orders = orders.map(|standing| standing.due(pace, settle));
        let looks = self.looks.values().filter(|question| !question.under_way).map(|question| question.due);
        orders.chain(looks).min()
    }

    /// Something of a workload changed in the member.
    fn touch(&mut self, key: &WorkloadKey) {
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
    fn wait(&mut self, why: String) {
        let soon = Instant::now() + self.parts.pace.retry_most;
        self.standing.values_mut().for_each(|standing| standing.due = standing.due.max(soon));
        self.looks.values_mut().for_each(|question| question.due = question.due.max(soon));
        if self.closed.as_ref() != Some(&why) {
            tracing::info!(cluster = self.cluster, why, "orders wait");
            self.closed = Some(why);
        }
    }

    /// An order could not be tried.
    fn failed(&mut self, key: &WorkloadKey, why: &str) {
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
    fn carried(&mut self, key: &WorkloadKey, order: &Arc<Order>, status: DeliveryStatus) {
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
    fn stored(&mut self, key: &WorkloadKey, order: &Arc<Order>, stored: pull::Stored) {
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
    fn look_again(&mut self, key: &WorkloadKey, why: &str) {
        tracing::debug!(cluster = self.cluster, workload = %key, why, "failed to look; trying again");
        let wait = self.looks.get(key).map(|question| self.wait_after(question.failures));
        if let (Some(question), Some(wait)) = (self.looks.get_mut(key), wait) {
            question.under_way = false;
            (question.due, question.failures) = (Instant::now() + wait, question.failures.saturating_add(1));
        }
    }

    fn report(&self, key: &WorkloadKey, status: Option<DeliveryStatus>) {
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
