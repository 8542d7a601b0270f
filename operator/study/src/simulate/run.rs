//! The simulation itself: takes what happens next, tells the engine, and carries out what it decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use jiuzhou_engine::decide::input::{ClusterInput, Reachability};
use jiuzhou_engine::decide::{self, Changes, FleetInput, Kept, Snapshot, SnapshotError, Spec, Status, WorkloadKey};
use jiuzhou_engine::step::Continuity;
use jiuzhou_measure::MeasureError;

use super::account::{Flow, Ledger};
use super::copies::{Copies, Link, Spread};
use super::dice::Dice;
use super::live::{Ended, Live};
use super::model::{Arrivals, DAY, Effect, Failover, FailureTimes, Failures, HOUR, Simulation, Stage, Stay, Traits};
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

/// How clusters are reached.
#[derive(Debug, Default)]
struct Links {
    /// As the files say.
    unreached: BTreeSet<String>,
    faults: BTreeMap<String, Fault>,
}

/// What is wrong with a cluster beyond what its files say.
#[derive(Clone, Copy, Debug, Default)]
struct Fault {
    /// Failures that hold in which nothing runs there.
    down: u32,
    /// Failures that hold in which nobody reaches it.
    cut: u32,
    /// It does not come back.
    lost: bool,
    /// Since when it is not reached.
    since: i64,
}

impl Fault {
    fn holds(self) -> bool {
        self.lost || self.down > 0 || self.cut > 0
    }
}

impl Links {
    fn of(&self, cluster: &str) -> Link {
        let fault = self.faults.get(cluster).copied().unwrap_or_default();
        Link { reached: !fault.holds() && !self.unreached.contains(cluster), runs: !fault.lost && fault.down == 0 }
    }
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
    links: Links,
    /// Clusters as the files say.
    clusters: BTreeMap<String, &'a ClusterInput>,
    /// Since when a cluster that failed is healthy again.
    healed: BTreeMap<String, Timestamp>,
    dice: BTreeMap<(usize, String), Dice>,
    streams: Vec<Stream>,
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
    /// The engine has to look.
    asked: bool,
    outcome: Outcome,
    ended: Vec<WorkloadTold>,
}

/// A stream of arrivals.
#[derive(Debug)]
struct Stream {
    gaps: Dice,
    stays: Dice,
    /// Seconds of the next.
    next: i64,
    count: u64,
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
            links: Links::default(),
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
                Event::GiveUp { cluster, since } => self.give_up(cluster, *since, now),
                Event::Depart(key) => self.depart(key, now),
                Event::Arrive(stream) => self.arrive(*stream, now),
                Event::Hour => self.follow_curves(now),
                Event::Ready(key) => self.look(key, now),
                Event::Date => self.asked = true,
            }
        }
        let dated = events.contains(&Event::Date) && self.outcome.turns > 0;
        self.put_in();
        if std::mem::take(&mut self.asked) {
            self.turn(now, dated);
            self.put_in();
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

    /// A workload is there.
    fn enter(&mut self, spec: Spec, spread: Spread, (traits, curve): (Traits, Option<usize>), now: i64) {
        let tenant = self.ledger.tenants.number(&spec.requirement.tenant);
        let tier = self.tier_of(&spec);
        let mut live = Live::new(spec, traits, spread, tier, tenant, now);
        live.curve = curve;
        live.wanted = self.wanted(&live, now);
        live.changed |= live.wanted != live.base.replicas;
        let links = &self.links;
        live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
        self.touched.insert(live.base.key.clone());
        self.lives.insert(live.base.key.clone(), live);
    }

    fn tier_of(&self, spec: &Spec) -> String {
        decide::demanded_tier(&self.snapshot, &spec.requirement).map(|tier| tier.name.clone()).unwrap_or_default()
    }

    fn curve_of(&self, spec: &Spec) -> Option<usize> {
        let curves = self.simulation.curves.iter().enumerate().filter(|(_, curve)| curve.chosen.takes(spec));
        curves.min_by(|(_, a), (_, b)| a.name.cmp(&b.name)).map(|(number, _)| number)
    }

    /// Replicas that are wanted of a workload at a minute.
    fn wanted(&self, live: &Live, now: i64) -> i64 {
        let Some(curve) = live.curve.and_then(|number| self.simulation.curves.get(number)) else {
            return live.base.replicas;
        };
        let day = u32::try_from(now.div_euclid(DAY)).unwrap_or(0);
        let rests = self.simulation.rest_days.contains(&day);
        let hour = usize::try_from(now.rem_euclid(DAY) / HOUR).unwrap_or(0);
        let by_hour = if rests { &curve.rest_day } else { &curve.workday };
        let percent = i128::from(by_hour.get(hour).copied().unwrap_or(100));
        let replicas = (i128::from(live.base.replicas) * percent + 99).div_euclid(100);
        i64::try_from(replicas).unwrap_or(i64::MAX).max(curve.least.min(live.base.replicas))
    }

    fn follow_curves(&mut self, now: i64) {
        self.queue.push(now + HOUR - now.rem_euclid(HOUR), Event::Hour);
        let followers = self.lives.iter().filter(|(_, live)| live.curve.is_some());
        let changed: Vec<(WorkloadKey, i64)> = followers
            .map(|(key, live)| (key, live.wanted, self.wanted(live, now)))
            .filter(|(_, before, wanted)| before != wanted)
            .map(|(key, _, wanted)| (key.clone(), wanted))
            .collect();
        for (key, wanted) in changed {
            self.asked = true;
            if let Some(live) = self.lives.get_mut(&key) {
                (live.wanted, live.changed) = (wanted, true);
                let links = &self.links;
                live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
                self.changed.insert(key);
            }
        }
    }

    fn begin_stream(&mut self, number: usize) {
        let Some(arrivals) = self.arrivals.get(number) else { return };
        let seed = self.simulation.seed;
        let stream = Stream {
            gaps: Dice::new(seed, &["arrivals", &arrivals.name]),
            stays: Dice::new(seed, &["stays", &arrivals.name]),
            next: 0,
            count: 0,
        };
        self.streams.push(stream);
        self.await_next(number);
    }

    fn await_next(&mut self, number: usize) {
        let (Some(arrivals), Some(stream)) = (self.arrivals.get(number), self.streams.get_mut(number)) else { return };
        // In seconds, so that short gaps are not rounded away.
        stream.next = stream.next.saturating_add(stream.gaps.exponential(arrivals.every.max(1).saturating_mul(60)));
        self.queue.push(stream.next / 60, Event::Arrive(number));
    }

    /// The next workload of a stream; all of them where several come in one minute.
    fn arrive(&mut self, number: usize, now: i64) {
        while self.streams.get(number).is_some_and(|stream| stream.next / 60 == now) {
            self.arrive_one(number, now);
            self.await_next(number);
        }
    }

    fn arrive_one(&mut self, number: usize, now: i64) {
        let (Some(arrivals), Some(stream)) = (self.arrivals.get(number), self.streams.get_mut(number)) else { return };
        stream.count += 1;
        let stay = match arrivals.stay {
            Stay::Forever => None,
            Stay::Between(from, until) => Some(stream.stays.between(from, until)),
            Stay::Exponential(mean) => Some(stream.stays.exponential(mean)),
        };
        let Some(like) = self.lives.get(&arrivals.template) else { return };
        // A name that Kubernetes does not allow is nobody else's.
        let name = format!("{}+{}-{}", arrivals.template.name, arrivals.name, stream.count);
        let key = WorkloadKey { namespace: arrivals.template.namespace.clone(), name };
        self.admitted += 1;
        // It is a workload of its own: it need not stand where its template does.
        let spec = Spec {
            key: key.clone(),
            admitted: self.admitted,
            changed: true,
            colocate: None,
            data_on: None,
            ..like.base.clone()
        };
        let conduct = (like.traits, like.curve);
        self.enter(spec, Spread::default(), conduct, now);
        self.activity.arrived += 1;
        self.asked = true;
        if let Some(stay) = stay {
            self.queue.push(now + stay.max(1), Event::Depart(key));
        }
    }

    fn depart(&mut self, key: &WorkloadKey, now: i64) {
        let Some(live) = self.lives.remove(key) else { return };
        let ended = live.end(now, &mut self.flow, &mut self.ledger);
        self.keep(ended);
        self.snapshot.remove_spec(key);
        self.touched.remove(key);
        self.changed.remove(key);
        self.troubled.remove(key);
        self.activity.departed += 1;
        self.asked |= !self.troubled.is_empty();
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

    /// Workloads with something decided or there on a cluster.
    fn on(&self, cluster: &str) -> Vec<WorkloadKey> {
        let on = self.lives.iter().filter(|(_, live)| live.spread.by_cluster.contains_key(cluster));
        on.map(|(key, _)| key.clone()).collect()
    }

    /// Clusters of the stage: rules of failure begin for those that are new.
    fn know_clusters(&mut self, now: i64) {
        let clusters = &self.stage.fleet.clusters;
        let unreached = clusters.iter().filter(|cluster| cluster.reachability != Reachability::Reachable);
        self.links.unreached = unreached.map(|cluster| cluster.name.clone()).collect();
        let before = std::mem::replace(
            &mut self.clusters,
            clusters.iter().map(|cluster| (cluster.name.clone(), cluster)).collect(),
        );
        for cluster in clusters.iter().filter(|cluster| !before.contains_key(&cluster.name)) {
            self.outcome.clusters.entry(cluster.name.clone()).or_default();
            for (number, rule) in self.failures.iter().enumerate() {
                if !rule.clusters.is_empty() && !rule.clusters.contains(&cluster.name) {
                    continue;
                }
                let name = cluster.name.clone();
                match &rule.when {
                    FailureTimes::Random { between, repair } => {
                        let mut dice = Dice::new(self.simulation.seed, &["failures", &rule.name, &name]);
                        let at = now + dice.exponential(*between).max(1);
                        let minutes = dice.exponential(*repair).max(1);
                        self.dice.insert((number, name.clone()), dice);
                        self.queue.push(at, Event::Fail { cluster: name, rule: number, minutes });
                    }
                    FailureTimes::Windows(windows) => {
                        for (from, minutes) in windows.iter().filter(|(from, _)| *from >= now) {
                            let event = Event::Fail { cluster: name.clone(), rule: number, minutes: (*minutes).max(1) };
                            self.queue.push(*from, event);
                        }
                    }
                }
            }
        }
    }

    /// A cluster as the engine is told of it.
    fn tell_cluster(&mut self, name: &str) {
        let Some(base) = self.clusters.get(name) else { return };
        let mut cluster = (*base).clone();
        let fault = self.links.faults.get(name).copied().unwrap_or_default();
        if fault.holds() {
            (cluster.reachability, cluster.healthy_since) = (Reachability::Unreachable, None);
        } else if let Some(since) = self.healed.get(name) {
            cluster.healthy_since = Some(*since);
        }
        self.snapshot.upsert_cluster(cluster);
        self.asked = true;
    }

    fn fail(&mut self, cluster: &str, rule: usize, minutes: i64, now: i64) {
        let Some(failures) = self.failures.get(rule) else { return };
        self.queue.push(now + minutes, Event::Repair { cluster: cluster.to_owned(), rule });
        if !self.clusters.contains_key(cluster) {
            return;
        }
        let fault = self.links.faults.entry(cluster.to_owned()).or_default();
        let held = fault.holds();
        match failures.effect {
            Effect::Down => fault.down += 1,
            Effect::CutOff => fault.cut += 1,
        }
        if !held {
            fault.since = now;
            if let Failover::AfterMinutes(wait) = self.simulation.conduct.failover {
                self.queue.push(now + wait.max(0), Event::GiveUp { cluster: cluster.to_owned(), since: now });
            }
            self.tell_cluster(cluster);
        }
        self.activity.failures += 1;
        if let Some(told) = self.outcome.clusters.get_mut(cluster) {
            told.failures += 1;
        }
        for key in self.on(cluster) {
            self.look(&key, now);
        }
    }

    fn repair(&mut self, cluster: &str, rule: usize, now: i64) {
        let Some(failures) = self.failures.get(rule) else { return };
        if let (FailureTimes::Random { between, repair }, Some(dice)) =
            (&failures.when, self.dice.get_mut(&(rule, cluster.to_owned())))
        {
            let at = now + dice.exponential(*between).max(1);
            let minutes = dice.exponential(*repair).max(1);
            self.queue.push(at, Event::Fail { cluster: cluster.to_owned(), rule, minutes });
        }
        let Some(fault) = self.links.faults.get_mut(cluster) else { return };
        let down = fault.down;
        match failures.effect {
            Effect::Down => fault.down = fault.down.saturating_sub(1),
            Effect::CutOff => fault.cut = fault.cut.saturating_sub(1),
        }
        let (back, runs, since) = (!fault.holds(), down > 0 && fault.down == 0 && !fault.lost, fault.since);
        if back {
            let at = self.instant(now);
            self.links.faults.remove(cluster);
            self.healed.insert(cluster.to_owned(), at);
            if let Some(told) = self.outcome.clusters.get_mut(cluster) {
                told.minutes += now - since;
            }
            self.tell_cluster(cluster);
        }
        for key in self.on(cluster) {
            if let Some(live) = self.lives.get_mut(&key) {
                if runs {
                    live.spread.restart(cluster, now + self.simulation.conduct.start_minutes);
                }
                if back && live.returns(cluster) {
                    self.touched.insert(key.clone());
                }
            }
            self.look(&key, now);
        }
    }

    /// Workloads leave a cluster that has not been reached for long enough. Who must be proven gone before it starts
    /// elsewhere waits, unless it stops by itself.
    fn give_up(&mut self, cluster: &str, since: i64, now: i64) {
        let fault = self.links.faults.get(cluster).copied().unwrap_or_default();
        if !fault.holds() || fault.since != since {
            return;
        }
        for key in self.on(cluster) {
            let Some(live) = self.lives.get_mut(&key) else { continue };
            let Some(copies) = live.spread.by_cluster.get_mut(cluster).filter(|copies| copies.decided > 0) else {
                continue;
            };
            let gone = match live.traits.continuity {
                Continuity::AddBeforeRemove | Continuity::PerNode => false,
                Continuity::SingleWriter if live.traits.fenced => true,
                Continuity::SingleWriter | Continuity::RunOnce | Continuity::OneCluster => continue,
            };
            live.dropped = live.dropped.saturating_add(copies.decided);
            copies.decided = 0;
            if gone {
                live.spread.by_cluster.remove(cluster);
            }
            self.leave(key, now);
        }
    }

    /// A cluster is lost with everything that ran there.
    fn lose(&mut self, cluster: &str, now: i64) {
        let fault = self.links.faults.entry(cluster.to_owned()).or_default();
        if fault.lost {
            return;
        }
        if !fault.holds() {
            fault.since = now;
        }
        fault.lost = true;
        self.activity.failures += 1;
        if let Some(told) = self.outcome.clusters.get_mut(cluster) {
            told.failures += 1;
        }
        self.tell_cluster(cluster);
        for key in self.on(cluster) {
            let Some(live) = self.lives.get_mut(&key) else { continue };
            let Some(copies) = live.spread.by_cluster.remove(cluster) else { continue };
            live.dropped = live.dropped.saturating_add(copies.decided);
            self.leave(key, now);
        }
    }

    fn leave(&mut self, key: WorkloadKey, now: i64) {
        self.activity.failovers += 1;
        self.asked = true;
        self.look(&key, now);
        self.touched.insert(key);
    }

    /// The files say something else from now on.
    fn enter_stage(&mut self, number: usize, now: i64) -> Result<(), SimulateError> {
        let Some(stage) = self.simulation.stages.get(number) else { return Ok(()) };
        // What was used until now was used at the rates before.
        let spent = self.ledger.settle(now, &self.stage.rates, self.stage.utilisation)?;
        self.spending.add(&spent)?;
        let before = std::mem::replace(&mut self.stage, stage);
        let (old, new) = (&before.fleet, &stage.fleet);
        let known: BTreeMap<String, &ClusterInput> = self.clusters.clone();
        self.know_clusters(now);
        let same_rules = (&old.tenants, &old.tiers, &old.freezes, &old.architecture, &old.catalogue, old.data)
            == (&new.tenants, &new.tiers, &new.freezes, &new.architecture, &new.catalogue, new.data);
        if !same_rules {
            let specs = self.snapshot.specs().map(|spec| (**spec).clone()).collect();
            self.snapshot = Snapshot::new(FleetInput { specs, ..new.clone() })?;
            self.asked = true;
        }
        let names: Vec<String> = self.clusters.keys().cloned().collect();
        for name in names {
            if !same_rules || known.get(&name) != self.clusters.get(&name) {
                self.tell_cluster(&name);
            }
        }
        for gone in known.keys().filter(|name| !self.clusters.contains_key(*name)) {
            self.snapshot.remove_cluster(gone);
            self.asked = true;
        }
        for lost in stage.lost.iter().filter(|lost| !before.lost.contains(*lost)) {
            self.lose(lost, now);
        }
        if let Some(specs) = &stage.specs {
            self.take_specs(specs, before, now);
        }
        Ok(())
    }

    /// The workloads of a stage: those that are new, those that are gone, those that ask for something else.
    fn take_specs(&mut self, specs: &[Spec], before: &Stage, now: i64) {
        let known: BTreeMap<&WorkloadKey, &Spec> =
            self.previous_specs(before).into_iter().flatten().map(|spec| (&spec.key, spec)).collect();
        let there: BTreeSet<&WorkloadKey> = specs.iter().map(|spec| &spec.key).collect();
        for gone in known.keys().filter(|key| !there.contains(*key)) {
            self.depart(gone, now);
        }
        for spec in specs.iter().filter(|spec| !spec.reserved) {
            let traits = self.stage.traits.get(&spec.key).copied().unwrap_or_default();
            if !self.lives.contains_key(&spec.key) {
                self.admitted += 1;
                let spec = Spec { admitted: self.admitted, current: Vec::new(), changed: true, ..spec.clone() };
                let curve = self.curve_of(&spec);
                self.enter(spec, Spread::default(), (traits, curve), now);
                self.activity.arrived += 1;
                self.asked = true;
                continue;
            }
            if known.get(&spec.key).is_some_and(|old| same_intent(old, spec)) {
                continue;
            }
            let (curve, tier) = (self.curve_of(spec), self.tier_of(spec));
            let Some(mut live) = self.lives.remove(&spec.key) else { continue };
            live.becomes(spec.clone(), traits, tier, now, &mut self.ledger);
            live.curve = curve;
            live.wanted = self.wanted(&live, now);
            let links = &self.links;
            live.count(now, |cluster| links.of(cluster), &mut self.flow, &mut self.ledger);
            self.lives.insert(spec.key.clone(), live);
            self.touched.insert(spec.key.clone());
            self.asked = true;
        }
    }

    /// The workloads that the files had before.
    fn previous_specs(&self, before: &'a Stage) -> Option<&'a [Spec]> {
        let earlier = self.simulation.stages.iter().filter(|stage| stage.at <= before.at);
        earlier.filter_map(|stage| stage.specs.as_deref()).next_back()
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

/// Whether two forms of a workload ask for the same.
fn same_intent(old: &Spec, new: &Spec) -> bool {
    let bare =
        |spec: &Spec| Spec { current: Vec::new(), admitted: 0, changed: false, rebalance: false, ..spec.clone() };
    bare(old) == bare(new)
}
