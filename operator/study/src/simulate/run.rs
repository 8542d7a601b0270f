//! The simulation itself: takes what happens next, tells the engine, and carries out what it decides.
//!
//! What happens stands in the files beside: `demand` (workloads and replicas), `faults` (clusters), `stages` (files).

mod demand;
mod faults;
mod stages;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{self, Changes, FleetInput, Kept, Snapshot, SnapshotError, Status, WorkloadKey};
use jiuzhou_engine::step::failover::Copy;
use jiuzhou_measure::MeasureError;

use super::account::{Flow, Ledger};
use super::copies::{Copies, Spread};
use super::dice::Dice;
use super::live::{Ended, Live};
use super::model::{Arrivals, DAY, Failures, Simulation, Stage};
use super::outcome::{Activity, DateTold, Day, Outcome, Spending, Standing, WorkloadTold};
use super::queue::{Event, Queue};

/// A simulation cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The inputs of a stage cannot be one fleet.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A sum leaves its range.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The simulation does not say what the fleet is at its start.
    #[error("failed to simulate: there is no stage at the first minute")]
    NoStage,
}

/// Runs a simulation. Tells after each day how many have passed.
///
/// # Errors
/// [`SimulateError`] when the inputs cannot be one fleet or a sum leaves its range.
pub fn simulate(simulation: &Simulation, passed: &mut dyn FnMut(u32)) -> Result<Outcome, SimulateError> {
    let mut run = Run::new(simulation)?;
    let end = i64::from(simulation.days).saturating_mul(DAY);
    let mut next_day = DAY;
    loop {
        let minute = run.queue.next_minute().filter(|minute| *minute < end).unwrap_or(end);
        while next_day <= minute {
            run.close_day(next_day)?;
            passed(u32::try_from(next_day / DAY).unwrap_or(u32::MAX));
            next_day += DAY;
        }
        if minute >= end {
            break;
        }
        let events = run.queue.take(minute);
        run.step(minute, &events)?;
    }
    Ok(run.finish(end))
}

struct Run<'a> {
    simulation: &'a Simulation,
    /// By name.
    arrivals: Vec<&'a Arrivals>,
    /// By name.
    failures: Vec<&'a Failures>,
    stage: &'a Stage,
    snapshot: Snapshot,
    kept: Kept,
    lives: BTreeMap<WorkloadKey, Live>,
    queue: Queue,
    links: faults::Links,
    /// Clusters as the files say.
    clusters: BTreeMap<String, &'a ClusterInput>,
    /// Since when a cluster that failed is healthy again.
    healed: BTreeMap<String, Timestamp>,
    dice: BTreeMap<(usize, String), Dice>,
    streams: Vec<demand::Stream>,
    admitted: u64,
    ledger: Ledger,
    flow: Flow,
    /// Since the day began.
    activity: Activity,
    spending: Spending,
    /// Workloads that ask for something else, of which the snapshot is told once that is decided.
    changed: BTreeSet<WorkloadKey>,
    /// Workloads the snapshot does not have as they are.
    touched: BTreeSet<WorkloadKey>,
    /// Workloads that the last turn had something to say about.
    troubled: BTreeSet<WorkloadKey>,
    /// Workloads with copies on clusters that are not reached, or that left some there, of which the step may say
    /// something else than before.
    /// With what was asked of the step last; `None` where that has to be collected anew.
    failing: BTreeMap<WorkloadKey, Option<Vec<Copy>>>,
    /// Copies may leave, or need not any more.
    leaves: bool,
    /// Some are on their way, or wait for others that are.
    leaving: bool,
    /// The engine has to look.
    asked: bool,
    outcome: Outcome,
    ended: Vec<WorkloadTold>,
}

impl<'a> Run<'a> {
    fn new(simulation: &'a Simulation) -> Result<Self, SimulateError> {
        let stage = simulation.stages.first().filter(|stage| stage.at == 0).ok_or(SimulateError::NoStage)?;
        let mut arrivals: Vec<&Arrivals> = simulation.arrivals.iter().collect();
        arrivals.sort_by(|a, b| a.name.cmp(&b.name));
        let mut failures: Vec<&Failures> = simulation.failures.iter().collect();
        failures.sort_by(|a, b| a.name.cmp(&b.name));
        let specs = stage.specs.clone().unwrap_or_default();
        let admitted = specs.iter().map(|spec| spec.admitted).max().unwrap_or(0);
        let snapshot = Snapshot::new(FleetInput { specs: specs.clone(), ..stage.fleet.clone() })?;
        let mut run = Self {
            simulation,
            arrivals,
            failures,
            stage,
            snapshot,
            kept: Kept::on(simulation.threads),
            lives: BTreeMap::new(),
            queue: Queue::default(),
            links: faults::Links::default(),
            clusters: BTreeMap::new(),
            healed: BTreeMap::new(),
            dice: BTreeMap::new(),
            streams: Vec::new(),
            admitted,
            ledger: Ledger::default(),
            flow: Flow::from(0),
            activity: Activity::default(),
            spending: Spending::default(),
            changed: BTreeSet::new(),
            touched: BTreeSet::new(),
            troubled: BTreeSet::new(),
            failing: BTreeMap::new(),
            leaves: false,
            leaving: false,
            asked: true,
            outcome: Outcome::default(),
            ended: Vec::new(),
        };
        run.know_clusters(0);
        for spec in specs.into_iter().filter(|spec| !spec.reserved) {
            let copies =
                |at: &decide::Current| (at.cluster.clone(), Copies::running(at.placed.max(0), at.observed.max(0)));
            let spread = Spread { by_cluster: spec.current.iter().map(copies).collect() };
            let (traits, curve) = (stage.traits.get(&spec.key).copied().unwrap_or_default(), run.curve_of(&spec));
            run.enter(spec, spread, (traits, curve), 0);
        }
        for lost in &stage.lost {
            run.lose(lost, 0);
        }
        for (number, stage) in simulation.stages.iter().enumerate().skip(1) {
            run.queue.push(stage.at.max(0), Event::Stage(number));
        }
        for number in 0..run.arrivals.len() {
            run.begin_stream(number);
        }
        if !simulation.curves.is_empty() {
            run.queue.push(0, Event::Hour);
        }
        run.queue.push(0, Event::Date);
        Ok(run)
    }

    fn instant(&self, minute: i64) -> Timestamp {
        let after = SignedDuration::from_mins(minute);
        self.simulation.start.saturating_add(after).unwrap_or(Timestamp::MAX)
    }

    /// One minute in which something happens.
    fn step(&mut self, now: i64, events: &[Event]) -> Result<(), SimulateError> {
        for event in events {
            match event {
                Event::Stage(number) => self.enter_stage(*number, now)?,
                Event::Repair { cluster, rule } => self.repair(cluster, *rule, now),
                Event::Fail { cluster, rule, minutes } => self.fail(cluster, *rule, *minutes, now),
                Event::Failover => self.leaves = true,
                Event::Depart(key) => self.depart(key, now),
                Event::Arrive(stream) => self.arrive(*stream, now),
                Event::Hour => self.follow_curves(now),
                Event::Ready(key) => self.look(key, now),
                Event::Date => self.asked = true,
            }
        }
        if std::mem::take(&mut self.leaves) {
            self.fail_over(now);
        }
        let dated = events.contains(&Event::Date) && self.outcome.turns > 0;
        self.put_in();
        if std::mem::take(&mut self.asked) {
            self.turn(now, dated);
            self.put_in();
            if self.leaving {
                // Who has moved makes room for the next.
                self.queue.push(now + 1, Event::Failover);
            }
        }
        Ok(())
    }

    /// Tells the snapshot of workloads as they are now.
    fn put_in(&mut self) {
        for key in std::mem::take(&mut self.touched) {
            if let Some(live) = self.lives.get(&key) {
                self.snapshot.upsert_spec(live.spec());
            }
        }
    }

    /// Asks the engine, and carries out what it decides.
    fn turn(&mut self, now: i64, dated: bool) {
        let as_of = self.instant(now);
        let asked = std::mem::take(&mut self.changed).into_iter();
        let specs = asked.filter_map(|key| self.lives.get(&key)).map(Live::spec).collect();
        let changes = Changes { specs, ..Changes::default() };
        let plan = decide::outline_with(&self.snapshot, &changes, as_of, &mut self.kept);
        self.outcome.turns += 1;
        self.outcome.decisions += u64::try_from(plan.decisions.len()).unwrap_or(0);
        let mut troubled = BTreeSet::new();
        let (mut moved, mut violating) = (0, 0);
        for decision in &plan.decisions {
            let Some(live) = self.lives.get_mut(&decision.key) else { continue };
            let before = live.violating.holds();
            let links = &self.links;
            let effects = live.take(decision, now, self.simulation.conduct, |cluster| links.of(cluster));
            live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
            moved += effects.moved;
            violating += i64::from(live.violating.holds() && !before);
            self.activity.started += effects.done.started;
            if let Some(at) = effects.done.ready_at {
                self.queue.push(at, Event::Ready(decision.key.clone()));
            }
            if effects.other {
                self.touched.insert(decision.key.clone());
                if !live.failover.is_empty() {
                    self.failing.insert(decision.key.clone(), None);
                }
            }
            if decision.status != Status::Placed || live.violating.holds() {
                troubled.insert(decision.key.clone());
            }
        }
        self.activity.moved += moved;
        for key in self.troubled.difference(&troubled) {
            if let Some(live) = self.lives.get_mut(key) {
                live.is_well(now);
            }
        }
        self.troubled = troubled;
        if let Some(next) = plan.next_change {
            let seconds = next.duration_since(self.simulation.start).as_secs();
            let minute = seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0);
            self.queue.push(minute.max(now + 1), Event::Date);
        }
        if dated && (violating > 0 || moved > 0) {
            self.outcome.dates.push(DateTold { at: as_of, violating, moved });
        }
    }

    /// Orders what follows for one workload without asking the engine, and counts.
    fn look(&mut self, key: &WorkloadKey, now: i64) {
        let Some(live) = self.lives.get_mut(key) else { return };
        if let Some(asked) = self.failing.get_mut(key) {
            *asked = None;
        }
        let links = &self.links;
        let before = (!live.spread.rests()).then(|| live.spread.current());
        let start = self.simulation.conduct.start_minutes;
        let done = live.spread.settle(live.traits.continuity, now, start, |cluster| links.of(cluster));
        live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
        self.activity.started += done.started;
        if let Some(at) = done.ready_at {
            self.queue.push(at, Event::Ready(key.clone()));
        }
        if before.is_some_and(|before| live.spread.current() != before) {
            self.touched.insert(key.clone());
            // What became free is of use to who waits.
            self.asked |= !self.troubled.is_empty();
        }
    }

    /// Adds what there is to tell of a workload to its groups.
    fn keep(&mut self, ended: Ended) {
        let Ended { group, told } = ended;
        let groups = [(&told.tenant, &mut self.outcome.tenants), (&told.tier, &mut self.outcome.tiers)];
        for (name, groups) in groups {
            let sum = groups.entry(name.clone()).or_default();
            sum.workloads += 1;
            sum.service.add(group.service);
            sum.moved += group.moved;
            sum.waiting += group.waiting;
            sum.refused += group.refused;
            sum.violating += group.violating;
        }
        if told.service.missing() > 0 {
            self.ended.push(told);
        }
    }

    fn close_day(&mut self, now: i64) -> Result<(), SimulateError> {
        let spent = self.ledger.settle(now, &self.stage.rates, self.stage.utilisation)?;
        self.spending.add(&spent)?;
        let mut standing = Standing::default();
        for live in self.lives.values() {
            standing.workloads += 1;
            standing.refused += i64::from(live.status == Status::Refused);
            standing.waiting += i64::from(matches!(live.status, Status::Pending | Status::NotProven));
            standing.violating += i64::from(live.violating.holds());
        }
        let day = Day {
            number: u32::try_from(now / DAY - 1).unwrap_or(0),
            service: self.flow.take(now),
            activity: std::mem::take(&mut self.activity),
            standing,
            spending: std::mem::take(&mut self.spending),
        };
        self.outcome.service.add(day.service);
        self.outcome.activity.add(&day.activity);
        self.outcome.spending.add(&day.spending)?;
        self.outcome.days.push(day);
        Ok(())
    }

    fn finish(mut self, end: i64) -> Outcome {
        for (_, live) in std::mem::take(&mut self.lives) {
            let ended = live.end(end, &mut self.flow, &mut self.ledger);
            self.keep(ended);
        }
        for (cluster, fault) in &self.links.faults {
            if let Some(told) = self.outcome.clusters.get_mut(cluster) {
                told.minutes += end - fault.since;
            }
        }
        let (by_cluster, by_tenant) = self.ledger.told();
        for (cluster, spending) in by_cluster {
            self.outcome.clusters.entry(cluster).or_default().spending = spending;
        }
        for (tenant, spending) in by_tenant {
            self.outcome.tenants.entry(tenant).or_default().spending = spending;
        }
        self.ended.sort_by(|a, b| b.service.missing().cmp(&a.service.missing()).then_with(|| a.key.cmp(&b.key)));
        self.ended.truncate(Outcome::WORST);
        self.outcome.worst = self.ended;
        self.outcome
    }
}
