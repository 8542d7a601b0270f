//! The worker of one member: takes orders in, begins what is due at the pace of the member, and takes what came of it.
//!
//! Work is under way for several workloads at once and for one workload once: what comes for it meanwhile is due again
//! when that has ended. Which orders stand, and when each is due, is the desk's ([`super::desk`]).

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiuzhou_api::v1alpha1::DeliveryStatus;
use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

use super::desk::Desk;
use super::mailbox::Mailbox;
use super::{Parts, Way, pull, push};
use crate::orders::Order;

pub(super) async fn run(cluster: String, mailbox: Arc<Mailbox>, parts: Parts) {
    let mut desk = Desk::new(cluster, parts);
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
