//! Clusters that fail, are cut off or lost, and workloads that leave them.
//!
//! When a copy leaves a cluster that is not reached is the engine's step, as it is an operator's: time, turn, storm brake
//! and what ties it ([`jiuzhou_engine::step::failover`]); where it goes is decided by all the rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::decide::input::Reachability;
use jiuzhou_engine::step::failover::{Copy, Entry, Fleet, Outage, Phase, Told, tell};

use super::Run;
use crate::simulate::copies::Link;
use crate::simulate::model::{Effect, Failover, FailureTimes};
use crate::simulate::queue::Event;

/// How clusters are reached.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// As the files say.
    pub(super) unreached: BTreeSet<String>,
    pub(super) faults: BTreeMap<String, Fault>,
}

/// What is wrong with a cluster beyond what its files say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fault {
    /// Failures that hold in which nothing runs there.
    down: u32,
    /// Failures that hold in which nobody reaches it.
    cut: u32,
    /// It does not come back.
    lost: bool,
    /// Since when it is not reached.
    pub(super) since: i64,
}

impl Fault {
    fn holds(self) -> bool {
        self.lost || self.down > 0 || self.cut > 0
    }
}

impl Links {
    pub(super) fn of(&self, cluster: &str) -> Link {
        let fault = self.faults.get(cluster).copied().unwrap_or_default();
        Link { reached: !fault.holds() && !self.unreached.contains(cluster), runs: !fault.lost && fault.down == 0 }
    }
}

/// Whether the step says the same of a copy for as long as its cluster is not back and nothing else is decided of it: it
/// left long ago, or cannot leave. Then nobody has to ask about it until one of these changes.
fn bides(copy: &Copy, entry: &Entry, outages: &BTreeMap<String, Outage>, now: Timestamp) -> bool {
    let tied = !copy.moved && matches!(entry.phase, Phase::Once | Phase::Fence);
    outages.contains_key(&copy.cluster) && (tied || (copy.moved && entry.rests(now)))
}

impl Run<'_> {
    /// Workloads with something decided or there on a cluster.
    pub(super) fn on(&self, cluster: &str) -> Vec<WorkloadKey> {
        let on = self.lives.iter().filter(|(_, live)| live.spread.by_cluster.contains_key(cluster));
        on.map(|(key, _)| key.clone()).collect()
    }

    /// A cluster as the engine is told of it.
    pub(super) fn tell_cluster(&mut self, name: &str) {
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

    pub(super) fn fail(&mut self, cluster: &str, rule: usize, minutes: i64, now: i64) {
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
            self.tell_cluster(cluster);
        }
        self.activity.failures += 1;
        if let Some(told) = self.outcome.clusters.get_mut(cluster) {
            told.failures += 1;
        }
        for key in self.on(cluster) {
            self.look(&key, now);
            self.failing.insert(key, None);
        }
        self.leaves = true;
    }

    pub(super) fn repair(&mut self, cluster: &str, rule: usize, now: i64) {
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
            self.leaves = true;
        }
        for key in self.on(cluster) {
            if self.lives.get(&key).is_some_and(|live| live.failover.contains_key(cluster)) {
                self.failing.insert(key.clone(), None);
            }
            if runs && let Some(live) = self.lives.get_mut(&key) {
                live.spread.restart(cluster, now + self.simulation.conduct.start_minutes);
            }
            self.look(&key, now);
        }
    }

    /// Lets copies go whose time and turn have come.
    pub(super) fn fail_over(&mut self, now: i64) {
        let Failover::AfterMinutes(wait) = self.simulation.conduct.failover else { return };
        self.leaving = false;
        if self.failing.is_empty() {
            return;
        }
        let outage = |(cluster, fault): (&String, &Fault)| {
            let outage = Outage { since: self.instant(fault.since), certain: true, silent: true, fenced: None };
            (fault.holds() && !fault.lost).then(|| (cluster.clone(), outage))
        };
        let outages: BTreeMap<String, Outage> = self.links.faults.iter().filter_map(outage).collect();
        let silent = self.clusters.keys().filter(|cluster| !self.links.of(cluster).reached).count();
        let fleet = Fleet { clusters: self.clusters.len(), silent };
        let (seconds, instant) = (wait.max(0).saturating_mul(60), self.instant(now));
        let mut failing = std::mem::take(&mut self.failing);
        let mut copies: Vec<Copy> = Vec::new();
        let mut ends: Vec<usize> = Vec::with_capacity(failing.len());
        for (key, asked) in &mut failing {
            if let Some(asked) = asked.take() {
                copies.extend(asked);
            } else if let Some(live) = self.lives.get(key) {
                let settled = live.spread.settled(now, |cluster| self.links.of(cluster));
                copies.extend(live.copies(&outages, seconds, settled, instant));
            }
            ends.push(copies.len());
        }
        let Told { entries, wake } = tell(&copies, &outages, fleet, instant);
        if let Some(wake) = wake {
            let seconds = wake.duration_since(self.simulation.start).as_secs();
            let minute = seconds.div_euclid(60) + i64::from(seconds.rem_euclid(60) > 0);
            self.queue.push(minute.max(now + 1), Event::Failover);
        }
        let leaves = |entry: &Entry| matches!(entry.phase, Phase::Turn | Phase::Released | Phase::Moved);
        self.leaving = entries.iter().flatten().any(leaves);
        let (mut told, mut ends, mut done) = (copies.into_iter().zip(entries), ends.into_iter(), 0);
        let mut others: Vec<(WorkloadKey, BTreeMap<String, Entry>)> = Vec::new();
        failing.retain(|key, asked| {
            let end = ends.next().unwrap_or(done);
            let mut own: Vec<Copy> = Vec::new();
            let (mut other, mut waits) = (false, false);
            for (mut copy, entry) in told.by_ref().take(end - std::mem::replace(&mut done, end)) {
                other |= copy.entry != entry;
                waits |= entry.is_some_and(|entry| !bides(&copy, &entry, &outages, instant));
                copy.entry = entry;
                own.push(copy);
            }
            if other {
                let entries = own.iter().filter_map(|copy| Some((copy.cluster.clone(), copy.entry?)));
                others.push((key.clone(), entries.collect()));
            }
            *asked = Some(own);
            waits
        });
        self.failing = failing;
        for (key, own) in others {
            let Some(live) = self.lives.get_mut(&key) else { continue };
            let (count, differs) = live.let_go(own, &outages, instant);
            self.activity.failovers += count;
            if differs {
                self.asked = true;
                self.look(&key, now);
                self.touched.insert(key);
            }
        }
    }

    /// A cluster is lost with everything that ran there.
    pub(super) fn lose(&mut self, cluster: &str, now: i64) {
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
            self.activity.failovers += 1;
            self.asked = true;
            self.look(&key, now);
            self.failing.insert(key.clone(), None);
            self.touched.insert(key);
        }
    }
}
