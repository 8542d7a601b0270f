//! The one task that decides: it owns the state, takes in what is seen, has decided what is woken, and keeps every
//! workload on its way from placement to status.
//!
//! Events are taken together for some milliseconds, so that a burst is one batch. Nothing is decided before every cache
//! is complete, nothing is committed before the batch is written down, nothing is ordered before the commit is recorded.
//! What it does is in the files beside: [`turn`] decides and commits, [`follow`] carries out and tells, [`remove`] takes
//! away by order.

pub(crate) mod application;
#[cfg(test)]
mod application_tests;
mod approvals;
mod brake;
mod copies;
#[cfg(test)]
mod data_tests;
pub(crate) mod failover;
#[cfg(test)]
mod failover_tests;
mod follow;
mod freeze;
#[cfg(test)]
mod freeze_tests;
pub(crate) mod in_force;
#[cfg(test)]
mod in_force_tests;
#[cfg(test)]
mod migration_tests;
mod migrations;
#[cfg(test)]
mod mode_tests;
mod modes;
mod moves;
#[cfg(test)]
mod moves_tests;
mod nearest;
#[cfg(test)]
mod once_tests;
mod outlook;
#[cfg(test)]
mod parts_tests;
mod past;
#[cfg(test)]
mod past_tests;
mod pending;
#[cfg(test)]
mod rebalance_tests;
mod recovered;
mod remove;
mod revisions;
#[cfg(test)]
mod rollout_tests;
#[cfg(test)]
mod stop_tests;
mod systems;
#[cfg(test)]
mod tests;
mod trail;
mod turn;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_engine::decide::{Decision, Kept, WorkloadKey};
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::objects::named;
use jiuzhou_objects::secrets::DigestKey;
use kube::Client;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::decide::epoch::Epochs;
use crate::error::{Category, Error};
use crate::events::Events;
use crate::fleet::Outlook;
use crate::http::Health;
use crate::hub::Seen;
use crate::leader::Gate;
use crate::metrics::Metrics;
use crate::orders::{Orders, Report};
use crate::record::Records;
use crate::reports::{self, Wished};
use crate::run::CACHES;
use crate::select::claims;
use crate::state::State;
use crate::stop::Stop;
use crate::telemetry::traces::Traces;
use crate::workload::apply::Given;
use crate::workload::dereference::Reports;
use pending::Pending;
use trail::Trail;
use turn::whole_second;

/// How long events are taken together after the first: hides a burst, and nobody notices it.
const TOGETHER: Duration = Duration::from_millis(20);
/// How long a failed turn waits at least and at most before it is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// How long a start waits for native objects that are selected, so that nothing is told and taken back.
const NATIVES_AWAITED: Duration = Duration::from_secs(30);

/// The instant, as somebody else tells it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the planner is made of.
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) records: Records,
    pub(crate) orders: Arc<dyn Orders>,
    /// What the tasks of the members are told.
    pub(crate) outlook: watch::Sender<Arc<Outlook>>,
    pub(crate) digest_key: DigestKey,
    pub(crate) gate: Gate,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    /// Whether the hub is said to be dedicated.
    pub(crate) dedicated: bool,
    /// Told when native objects are to be followed.
    pub(crate) natives: watch::Sender<bool>,
    /// Who works on copies of the state asks for them here.
    pub(crate) wished: Wished,
    /// Where the steps of decisions are told.
    pub(crate) traces: Traces,
}

/// The task.
pub(crate) struct Planner {
    client: Client,
    clock: Clock,
    records: Records,
    orders: Arc<dyn Orders>,
    outlook: watch::Sender<Arc<Outlook>>,
    /// When the tier of a cluster changes by the clock alone.
    tiers_change: Option<Timestamp>,
    digest_key: DigestKey,
    events: Events,
    gate: Gate,
    metrics: Arc<Metrics>,
    health: Health,
    dedicated: bool,
    natives: watch::Sender<bool>,
    started: Instant,
    wished: Wished,
    trail: Trail,
    pending: Pending,
    epochs: Epochs,
    state: State,
    /// What the engine keeps from turn to turn.
    kept: Kept,
    /// Every kind was listed whole once.
    complete: bool,
    decisions: BTreeMap<WorkloadKey, Decision>,
    /// What would help those without a place.
    nearby: nearest::Nearby,
    /// Decisions of placements that are in the audit log, as digests.
    recorded: BTreeMap<WorkloadKey, (String, i64)>,
    reports: BTreeMap<WorkloadKey, Reports>,
    given: Given,
    /// Clusters in which this process was the first to commit a place of a workload.
    fresh: BTreeMap<WorkloadKey, BTreeSet<String>>,
    removals: remove::Removals,
    failovers: failover::Failovers,
    applications: application::Applications,
    guards: in_force::Guards,
    moves: moves::Moves,
    weighing: weigh::Weighing,
    /// Workloads whose change waits for the end of a change freeze.
    frozen: BTreeSet<WorkloadKey>,
    past: past::Past,
    revisions: revisions::Revisions,
    systems: systems::Systems,
    /// It was told that nobody lets go of claims on this hub.
    claims_stuck: bool,
    /// Workloads whose content may be another than before; everything when `suspect_all`.
    suspects: BTreeSet<WorkloadKey>,
    suspect_all: bool,
    /// Workloads to look at again when nothing happens, and when.
    wakes: BTreeMap<WorkloadKey, Instant>,
    /// The snapshot changed, or a decision was lost: decide.
    turn: bool,
    migrations: migrations::Waiting,
    /// When the fleet changes by itself next: a term ends, a freeze begins.
    next_change: Option<Instant>,
    retry_at: Option<Instant>,
    failures: u32,
    /// Workloads to follow up.
    dirty: BTreeSet<WorkloadKey>,
    /// Workloads whose status is to be written, and when.
    due: BTreeMap<WorkloadKey, Instant>,
}

impl Planner {
    pub(crate) fn new(parts: Parts) -> Result<Self, Error> {
        let Parts { client, clock, records, orders, outlook, digest_key, .. } = parts;
        let Parts { gate, metrics, health, dedicated, natives, wished, traces, .. } = parts;
        let mut state = State::new()?;
        if dedicated {
            state.dedicate();
        }
        Ok(Self {
            epochs: Epochs::new(client.clone()),
            events: Events::new(client.clone()),
            client,
            clock,
            records,
            orders,
            outlook,
            tiers_change: None,
            digest_key,
            gate,
            metrics,
            health,
            kept: Kept::on(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
            dedicated,
            natives,
            started: Instant::now(),
            wished,
            trail: Trail::new(traces),
            pending: Pending::default(),
            state,
            complete: false,
            decisions: BTreeMap::new(),
            nearby: nearest::Nearby::default(),
            recorded: BTreeMap::new(),
            reports: BTreeMap::new(),
            given: Given::default(),
            fresh: BTreeMap::new(),
            removals: remove::Removals::default(),
            failovers: failover::Failovers::default(),
            applications: application::Applications::default(),
            moves: moves::Moves::default(),
            weighing: weigh::Weighing::new(Instant::now()),
            frozen: BTreeSet::new(),
            guards: in_force::Guards::of_everything(),
            past: past::Past::default(),
            revisions: revisions::Revisions::default(),
            systems: systems::Systems::default(),
            claims_stuck: false,
            suspects: BTreeSet::new(),
            suspect_all: true,
            wakes: BTreeMap::new(),
            turn: true,
            migrations: migrations::Waiting::default(),
            next_change: None,
            retry_at: None,
            failures: 0,
            dirty: BTreeSet::new(),
            due: BTreeMap::new(),
        })
    }

    /// Runs until told to stop, or until nobody tells anything any more.
    ///
    /// # Errors
    /// What makes going on pointless: the audit log takes no more appends.
    pub(crate) async fn run(
        mut self,
        mut seen: mpsc::Receiver<Seen>,
        mut reports: mpsc::UnboundedReceiver<Report>,
        stop: Stop,
    ) -> Result<(), Error> {
        loop {
            let wake = self.wake();
            tokio::select! {
                () = stop.requested() => return Ok(()),
                event = seen.recv() => match event {
                    Some(event) => self.take(event),
                    None => return Ok(()),
                },
                Some(report) = reports.recv() => self.report(report),
                wish = copies::wish(&mut self.wished) => {
                    self.give_copy(wish);
                    continue;
                }
                () = sleep_until(wake) => {}
            }
            self.gather(&mut seen, &mut reports).await;
            self.step().await?;
        }
    }

    /// One round with what has come in: decide, follow up, tell.
    pub(crate) async fn step(&mut self) -> Result<(), Error> {
        if !self.complete && !self.is_complete() {
            return Ok(());
        }
        let now = Instant::now();
        if self.next_change.is_some_and(|at| at <= now) {
            self.next_change = None;
            self.turn = true;
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.turn = true;
        }
        if self.retry_at.is_some() {
            self.tell().await;
            return Ok(());
        }
        self.turn |= !self.is_behind() && self.weighing.is_due(now, &self.state);
        let woken: Vec<WorkloadKey> =
            self.wakes.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in woken {
            self.wakes.remove(&key);
            self.dirty.insert(key);
        }
        self.metrics.queued("workloads", self.dirty.union(&self.suspects).count());
        match self.look_back().await {
            Ok(()) => {}
            Err(error @ Error::Promoted) => return Err(error),
            Err(error) => {
                self.back_off("look what members have seen", &error);
                return Ok(());
            }
        }
        if self.turn && self.is_behind() {
            // Members are told what the fleet rests on all the same, and the snapshot stays up to date.
            self.turn = false;
            let as_of = whole_second(self.now());
            self.state.refresh(as_of)?;
            self.look_out(as_of);
        }
        let turned = self.turn;
        if self.turn {
            self.turn = false;
            let began = Instant::now();
            let decided = self.decide().await;
            self.metrics.reconciled("workloads", began.elapsed(), decided.as_ref().copied().map_err(Error::category));
            // Who was to be weighed in a turn that failed is weighed in the next one.
            let weighed = if decided.is_ok() { self.weighing.slice(now) } else { BTreeSet::new() };
            self.weighing.done(&weighed, now);
            match decided {
                Ok(()) => {}
                Err(error) if error.category() == Category::Records => return Err(error),
                Err(error) => {
                    self.turn = true;
                    self.back_off("decide", &error);
                }
            }
        }
        self.look_at_failovers();
        self.follow().await?;
        self.look_out_for_left();
        if let Err(error) = self.write_held_moves().await {
            self.back_off("write down the moves that wait", &error);
        }
        self.settle_in_force().await;
        self.settle_approvals().await;
        self.tell().await;
        self.tell_systems().await;
        if turned {
            self.tell_modes().await;
        }
        if turned || self.migrations.wake.is_some_and(|at| at <= Instant::now()) {
            self.look_at_migrations().await;
        }
        self.store_revisions().await;
        self.metrics.queued("workloads", self.dirty.union(&self.suspects).count());
        self.metrics.queued("statuses", self.due.len());
        if self.retry_at.is_none() {
            self.failures = 0;
        }
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        let incomplete = self.state.incomplete();
        self.complete = incomplete.is_empty() && self.natives_awaited().is_none();
        if self.complete {
            tracing::info!(objects = self.state.len(), "every kind was listed");
            self.health.set_ready(CACHES, true);
            self.dirty = self.state.workload_keys();
            self.failovers.ask = true;
        }
        self.complete
    }

    /// Until when native objects are waited for before anything is decided. Afterwards what selects them waits alone.
    fn natives_awaited(&self) -> Option<Instant> {
        let until = self.started + NATIVES_AWAITED;
        let missing = self.dedicated && self.state.selects() && self.state.natives().unread().is_some();
        (missing && Instant::now() < until).then_some(until)
    }

    /// Tries again later, and later each time.
    fn back_off(&mut self, what: &'static str, error: &Error) {
        let (least, most) = RETRY;
        let wait = least.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(most);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + wait);
        let category = error.category().as_str();
        tracing::warn!(error = %chain(error), category, ?wait, "failed to {what}; trying again");
    }

    /// When to wake without an event.
    fn wake(&self) -> Option<Instant> {
        if self.complete && self.retry_at.is_none() && (self.turn || !self.dirty.is_empty()) {
            return Some(Instant::now());
        }
        let natives = if self.complete { None } else { self.natives_awaited() };
        let (due, wake) = (self.due.values().min().copied(), self.wakes.values().min().copied());
        let (systems, failovers, migrations) = (self.systems.next(), self.failovers.wake, self.migrations.wake);
        let weighing =
            Some(self.weighing.due).filter(|_| self.complete && self.retry_at.is_none() && !self.is_behind());
        let others = [self.revisions.next(), systems, failovers, migrations, self.past.look, natives, weighing];
        [self.next_change, self.retry_at, due, wake].into_iter().chain(others).flatten().min()
    }

    /// Takes what else comes in a moment, so that a burst is decided at once.
    async fn gather(&mut self, seen: &mut mpsc::Receiver<Seen>, reports: &mut mpsc::UnboundedReceiver<Report>) {
        let until = Instant::now() + TOGETHER;
        loop {
            tokio::select! {
                Some(event) = seen.recv() => self.take(event),
                Some(report) = reports.recv() => self.report(report),
                () = tokio::time::sleep_until(until) => return,
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    /// Takes in what the hub said.
    pub(crate) fn take(&mut self, event: Seen) {
        self.trail.event(|| (self.clock)());
        match event {
            Seen::Begin { kind } => self.state.begin(&kind),
            Seen::Complete { kind } => {
                for object in self.state.complete(&kind) {
                    self.gone(&object);
                }
                self.turn = true;
            }
            Seen::Put(value) => self.put(value),
            Seen::Gone(object) => {
                self.state.remove(&object);
                self.gone(&object);
                self.turn = true;
            }
            Seen::Native(event) => self.native(event),
        }
        if self.dedicated && self.state.selects() {
            self.natives.send_if_modified(|followed| !std::mem::replace(followed, true));
        }
    }

    /// Takes in what was seen of native objects.
    pub(super) fn native(&mut self, event: crate::select::Event) {
        if let crate::select::Event::Put { object, .. } = &event
            && !self.claims_stuck
            && claims::is_stuck(object, self.now())
        {
            self.claims_stuck = true;
            tracing::warn!(claim = %object["metadata"]["name"], "{}", claims::ADVICE);
        }
        let keys = self.state.take_native(event);
        self.dirty.extend(keys);
        self.turn |= self.state.is_unresolved();
    }

    /// Takes in an object; what was known already wakes nobody.
    pub(super) fn put(&mut self, value: Value) {
        let told = self.state.is_told_only(&value);
        self.past.words.look |= value["kind"] == "MemberCluster";
        let Some(object) = self.state.put(value) else { return };
        self.guards.saw(&object);
        self.turn = true;
        self.failovers.ask |= !matches!(object.kind.as_str(), "Delivery" | "Report" | "ClusterReport");
        match object.kind.as_str() {
            "FleetWorkload" | "FleetPlacement" => {
                self.applications.seen.insert(WorkloadKey::new(&object.namespace, &object.name));
            }
            "Tenant" | "PlacementPolicy" | "ClusterPlacementPolicy" | "InformationSystem" => {
                self.applications.all |= !told;
            }
            _ => {}
        }
        let key = WorkloadKey::new(&object.namespace, &object.name);
        match object.kind.as_str() {
            "FleetWorkload" => {
                self.suspect(&key);
                // Who waits for it may begin.
                self.dirty.extend(self.state.dependents(&key));
                self.part_changed(&key);
                self.dirty.insert(key);
            }
            "FleetPlacement" => {
                self.suspect(&key);
                self.part_changed(&key);
                self.dirty.insert(key);
            }
            // Deletions that are held may be approved by it.
            "Approval" => {
                self.suspect_all = true;
                self.dirty.extend(self.removals.held());
                self.approval_changed();
            }
            "InformationSystem" => {
                // What is told of a system concerns nobody.
                self.suspect_all |= !told;
                self.system_changed(key);
            }
            // What a cluster puts in is held against what is committed once the snapshot knows of it.
            "Delivery" | "Report" | "ClusterReport" | "MemberCluster" => {}
            _ => self.suspect_all = true,
        }
    }

    fn suspect(&mut self, key: &WorkloadKey) {
        self.revisions.suspect(key);
        self.suspects.insert(key.clone());
    }

    fn gone(&mut self, object: &ObjectRef) {
        self.failovers.ask = true;
        let key = WorkloadKey::new(&object.namespace, &object.name);
        match object.kind.as_str() {
            "FleetWorkload" => {
                self.suspect(&key);
                self.dirty.extend(self.state.dependents(&key));
                self.part_changed(&key);
                self.dirty.insert(key);
            }
            "Approval" => {
                self.suspect_all = true;
                self.approval_changed();
            }
            "FleetPlacement" => {
                self.part_changed(&key);
                self.recorded.remove(&key);
                self.pending.forget(&key);
                self.given.forget(&key);
                self.fresh.remove(&key);
                self.wakes.remove(&key);
                self.revisions.forget(&key);
                self.dirty.insert(key);
            }
            "Delivery" | "Report" | "ClusterReport" | "MemberCluster" => {}
            _ => self.suspect_all = true,
        }
    }

    /// Takes in what was seen in a member.
    pub(crate) fn report(&mut self, report: Report) {
        let Report { cluster, workload, status } = report;
        let known = self.reports.entry(workload.clone()).or_default();
        if known.get(&cluster).is_some_and(|before| *before == status) {
            return;
        }
        self.trail.reported(&workload, &cluster, status.as_ref(), || (self.clock)());
        if let Some(took) = self.pending.reported(&workload, &cluster, status.as_ref())
            && let Some(member) = named(&self.state.objects().clusters, &cluster)
        {
            self.metrics.delivered(reports::connection(&member.object), took);
        }
        known.insert(cluster, status);
        // What waits its turn behind it may go, and it may be well no more.
        self.failovers.ask |= self.failovers.of(&workload).is_some();
        if self.has_application_failover(&workload) {
            self.failovers.ask = true;
            self.applications.seen.insert(workload.clone());
        }
        self.dirty.insert(workload);
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// An error with what is behind it, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
