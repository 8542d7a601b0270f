//! When each step of a decision began, for traces. Costs nothing while nobody listens.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::DeliveryStatus;
use jiuzhou_engine::decide::WorkloadKey;

use crate::telemetry::traces::{Span, Step, Traces};

/// Decisions whose orders are followed at most: more than any burst, and a bound.
const MOST: usize = 20_000;

/// What is remembered of the ways of decisions.
#[derive(Debug, Default)]
pub(super) struct Trail {
    traces: Traces,
    /// The first event since the last turn.
    event: Option<Timestamp>,
    /// Orders on their way: decision, epoch, and since when.
    ordered: BTreeMap<(WorkloadKey, String), (String, i64, Timestamp)>,
}

/// Times of one turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) event: Timestamp,
    pub(super) began: Timestamp,
    pub(super) decided: Timestamp,
}

impl Trail {
    pub(super) fn new(traces: Traces) -> Self {
        Self { traces, ..Self::default() }
    }

    /// Something was seen.
    pub(super) fn event(&mut self, now: impl FnOnce() -> Timestamp) {
        if self.traces.is_on() && self.event.is_none() {
            self.event = Some(now());
        }
    }

    /// A turn begins: when the first event of it was seen.
    pub(super) fn turn(&mut self, now: Timestamp) -> Timestamp {
        self.event.take().unwrap_or(now)
    }

    /// A decision was committed.
    pub(super) fn committed(&self, key: &WorkloadKey, decision: &str, turn: Turn, now: Timestamp) {
        let Turn { event, began, decided } = turn;
        for (step, from, to) in [
            (Step::Decision, event, now),
            (Step::Watch, event, began),
            (Step::Decide, began, decided),
            (Step::Commit, decided, now),
        ] {
            self.tell(key, decision, step, from, to, None);
        }
    }

    /// A decision was recorded.
    pub(super) fn recorded(&self, key: &WorkloadKey, decision: &str, began: Timestamp, now: Timestamp) {
        self.tell(key, decision, Step::Record, began, now, None);
    }

    /// Orders of a decision were given to members.
    pub(super) fn ordered<'a>(
        &mut self,
        key: &WorkloadKey,
        decision: &str,
        epoch: i64,
        clusters: impl Iterator<Item = &'a str>,
        now: impl Fn() -> Timestamp,
    ) {
        if !self.traces.is_on() {
            return;
        }
        for cluster in clusters {
            let order = (decision.to_owned(), epoch, now());
            if self.ordered.len() < MOST {
                self.ordered.insert((key.clone(), cluster.to_owned()), order);
            }
        }
    }

    /// A member reported: the order is carried out when it tells of its epoch and all is ready.
    pub(super) fn reported(
        &mut self,
        key: &WorkloadKey,
        cluster: &str,
        status: Option<&DeliveryStatus>,
        now: impl FnOnce() -> Timestamp,
    ) {
        if self.ordered.is_empty() {
            return;
        }
        let place = (key.clone(), cluster.to_owned());
        let Some((_, epoch, _)) = self.ordered.get(&place) else { return };
        let there = status.is_some_and(|status| {
            let ready = status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True");
            status.epoch.is_some_and(|seen| seen >= *epoch) && ready
        });
        if there && let Some((decision, _, since)) = self.ordered.remove(&place) {
            self.tell(key, &decision, Step::Deliver, since, now(), Some(cluster));
        }
    }

    /// A status was written.
    pub(super) fn told(&self, key: &WorkloadKey, decision: &str, began: Timestamp, now: Timestamp) {
        self.tell(key, decision, Step::Status, began, now, None);
    }

    fn tell(
        &self,
        key: &WorkloadKey,
        decision: &str,
        step: Step,
        began: Timestamp,
        ended: Timestamp,
        cluster: Option<&str>,
    ) {
        if self.traces.is_on() {
            let (decision, workload) = (decision.to_owned(), key.to_string());
            let cluster = cluster.map(str::to_owned);
            self.traces.tell(Span { decision, step, began, ended, workload, cluster });
        }
    }
}
