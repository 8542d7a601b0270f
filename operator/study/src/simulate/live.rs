//! One workload in a simulation: what is asked for, what exists, and what is added up about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide::resources::{CPU, MEMORY};
use jiuzhou_engine::decide::{Cause, Division, Outlined, Spec, Status, Target};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::step::failover::{Copy, Entry, Outage, Phase, Tie};

use super::account::{Flow, Ledger, Spell};
use super::copies::{Done, Link, Spread};
use super::model::{Conduct, Traits};
use super::outcome::{Group, Service, WorkloadTold};

/// A workload.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// As the files say, without what runs.
    pub(super) base: Spec,
    pub(super) traits: Traits,
    /// Number of the curve its replicas follow.
    pub(super) curve: Option<usize>,
    /// Replicas wanted now.
    pub(super) wanted: i64,
    /// What is wanted changed since the engine decided on it.
    pub(super) changed: bool,
    pub(super) spread: Spread,
    /// How far its copies on clusters that are not reached are.
    pub(super) failover: BTreeMap<String, Entry>,
    /// Replicas it had on clusters that are lost for good and has not placed anew.
    pub(super) dropped: i64,
    pub(super) status: Status,
    pub(super) waiting: Spell,
    pub(super) refused: Spell,
    pub(super) violating: Spell,
    pub(super) moved: i64,
    tenant: u32,
    tier: String,
    flow: Flow,
    service: Service,
    /// Replicas that are charged, by number of cluster.
    charged: BTreeMap<u32, i64>,
}

/// What a turn changed of a workload.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effects {
    /// Replicas that changed their cluster.
    pub(super) moved: i64,
    /// What was ordered.
    pub(super) done: Done,
    /// The engine has to be told of it anew.
    pub(super) other: bool,
}

/// What one replica asks for: millicores and bytes.
fn each(spec: &Spec) -> (i64, i64) {
    let of = |resource: &str| {
        let pods = spec.pods.iter();
        let amount = pods.map(|pod| pod.request.get(resource).copied().unwrap_or(0).saturating_mul(pod.count));
        amount.fold(0_i64, i64::saturating_add).max(0)
    };
    (of(CPU), of(MEMORY))
}

impl Live {
    pub(super) fn new(base: Spec, traits: Traits, spread: Spread, tier: String, tenant: u32, now: i64) -> Self {
        Self {
            wanted: base.replicas,
            changed: base.changed,
            base: Spec { current: Vec::new(), changed: false, rebalance: false, ..base },
            traits,
            curve: None,
            spread,
            failover: BTreeMap::new(),
            dropped: 0,
            status: Status::Placed,
            waiting: Spell::default(),
            refused: Spell::default(),
            violating: Spell::default(),
            moved: 0,
            tenant,
            tier,
            flow: Flow::from(now),
            service: Service::default(),
            charged: BTreeMap::new(),
        }
    }

    /// As the engine is told of it.
    pub(super) fn spec(&self) -> Spec {
        let mut spec =
            Spec { replicas: self.wanted, current: self.spread.current(), changed: self.changed, ..self.base.clone() };
        spec.lost = self.released();
        if (self.dropped > 0 || !spec.lost.is_empty()) && spec.requirement.cause == Cause::Change {
            Arc::make_mut(&mut spec.requirement).cause = Cause::Failover;
        }
        spec
    }

    /// Takes a decision on it.
    pub(super) fn take(
        &mut self,
        decision: &Outlined,
        now: i64,
        conduct: Conduct,
        link: impl Fn(&str) -> Link,
    ) -> Effects {
        self.status = decision.status;
        let told = (std::mem::take(&mut self.changed), self.dropped > 0);
        self.waiting.set(now, decision.status != Status::Placed);
        self.refused.set(now, decision.status == Status::Refused);
        self.violating.set(now, decision.violates);
        let (gained, lost) = self.difference(&decision.targets);
        let moved = gained.min(lost.saturating_add(self.dropped));
        self.moved += moved;
        self.dropped = match decision.status {
            Status::Placed => 0,
            Status::Pending | Status::Refused | Status::NotProven => self.dropped.saturating_sub(gained).max(0),
        };
        let mut done = Done::default();
        if gained > 0 || lost > 0 {
            self.spread.decide(decision.targets.iter().map(|target| (target.cluster.as_str(), target.replicas)));
            done = self.spread.settle(self.traits.continuity, now, conduct.start_minutes, link);
        }
        let other = gained > 0 || lost > 0 || told != (false, self.dropped > 0);
        Effects { moved, done, other }
    }

    /// Replicas that clusters gain, and that clusters lose, by a decision.
    fn difference(&self, targets: &[Target]) -> (i64, i64) {
        let (mut gained, mut lost) = (0_i64, 0_i64);
        let decided = |cluster: &str| self.spread.by_cluster.get(cluster).map_or(0, |copies| copies.decided);
        for target in targets {
            let more = target.replicas.saturating_sub(decided(&target.cluster));
            gained = gained.saturating_add(more.max(0));
            lost = lost.saturating_add(more.saturating_neg().max(0));
        }
        for (cluster, copies) in &self.spread.by_cluster {
            if targets.iter().all(|target| target.cluster != *cluster) {
                lost = lost.saturating_add(copies.decided);
            }
        }
        (gained, lost)
    }

    /// Clusters that it may leave because nobody reaches them.
    fn released(&self) -> BTreeSet<String> {
        let released = self.failover.iter().filter(|(_, entry)| entry.phase == Phase::Released);
        released.map(|(cluster, _)| cluster.clone()).collect()
    }

    /// Whether a copy left a cluster so long ago that the engine's step need not be asked about it until that is back.
    fn rests(&self, cluster: &str, outages: &BTreeMap<String, Outage>, now: Timestamp) -> bool {
        outages.contains_key(cluster)
            && self.failover.get(cluster).is_some_and(|entry| entry.rests(now))
            && self.spread.by_cluster.get(cluster).is_some_and(|copies| copies.decided == 0)
    }

    /// Its copies on clusters that are not reached, as the engine's step asks for them.
    pub(super) fn copies(
        &self,
        outages: &BTreeMap<String, Outage>,
        after_seconds: i64,
        settled: bool,
        now: Timestamp,
    ) -> impl Iterator<Item = Copy> {
        let tie = match self.traits.continuity {
            Continuity::AddBeforeRemove | Continuity::PerNode => Tie::None,
            // Its agent has stopped it by the time that others would leave.
            Continuity::SingleWriter if self.traits.fenced => Tie::Single(Some(0)),
            Continuity::SingleWriter | Continuity::OneCluster => Tie::Single(None),
            Continuity::RunOnce => Tie::Once,
        };
        let concerned = self.spread.by_cluster.iter().filter(move |(cluster, copies)| {
            let known = self.failover.contains_key(*cluster);
            (known || (copies.decided > 0 && outages.contains_key(*cluster))) && !self.rests(cluster, outages, now)
        });
        concerned.map(move |(cluster, copies)| Copy {
            workload: self.base.key.clone(),
            cluster: cluster.clone(),
            tenant: self.base.requirement.tenant.clone(),
            priority: self.base.priority,
            after_seconds,
            at_once: 1,
            tie,
            moved: copies.decided == 0,
            settled,
            entry: self.failover.get(cluster).copied(),
            ..Copy::default()
        })
    }

    /// What the step said of them. Answers how many were let go, and whether what the engine is told of it differs.
    pub(super) fn let_go(
        &mut self,
        mut entries: BTreeMap<String, Entry>,
        outages: &BTreeMap<String, Outage>,
        now: Timestamp,
    ) -> (i64, bool) {
        let resting = self.failover.iter().filter(|(cluster, _)| self.rests(cluster, outages, now));
        let resting: Vec<_> = resting.map(|(cluster, entry)| (cluster.clone(), *entry)).collect();
        entries.extend(resting);
        if entries == self.failover {
            return (0, false);
        }
        let before = self.released();
        self.failover = entries;
        let now = self.released();
        let mut count = 0;
        for cluster in now.difference(&before) {
            count += 1;
            if self.traits.continuity == Continuity::SingleWriter
                && let Some(copies) = self.spread.by_cluster.get_mut(cluster)
            {
                copies.stop();
            }
        }
        (count, now != before)
    }

    /// No decision was necessary: it has what it wants and breaks nothing.
    pub(super) fn is_well(&mut self, now: i64) {
        self.status = Status::Placed;
        for spell in [&mut self.waiting, &mut self.refused, &mut self.violating] {
            spell.set(now, false);
        }
    }

    /// Brings the accounts up to what exists now.
    pub(super) fn count(&mut self, now: i64, link: impl Fn(&str) -> Link, whole: &mut Flow, ledger: &mut Ledger) {
        let wanted = match self.base.policy.division {
            Division::Duplicated => {
                let clusters = self.spread.by_cluster.values().filter(|copies| copies.decided > 0).count();
                self.wanted.saturating_mul(i64::try_from(clusters).unwrap_or(i64::MAX).max(1))
            }
            Division::ByCapacity | Division::ByWeight(_) | Division::Packed => self.wanted,
        };
        let ready = self.spread.ready(now, &link).min(wanted);
        let placed = self.spread.decided().max(ready).min(wanted);
        self.level(now, Service { wanted, placed, ready }, whole);
        let running = self.spread.by_cluster.iter().filter(|(cluster, copies)| copies.there > 0 && link(cluster).runs);
        let charged = running.map(|(cluster, copies)| (ledger.clusters.number(cluster), copies.there)).collect();
        self.charge(now, charged, ledger);
    }

    fn level(&mut self, now: i64, level: Service, whole: &mut Flow) {
        let before = self.flow.level();
        if before != level {
            self.flow.set(now, level);
            whole.change(now, before, level);
        }
    }

    fn charge(&mut self, now: i64, charged: BTreeMap<u32, i64>, ledger: &mut Ledger) {
        if charged == self.charged {
            return;
        }
        let each = each(&self.base);
        for (cluster, count) in &self.charged {
            let more = charged.get(cluster).copied().unwrap_or(0) - count;
            if more != 0 {
                ledger.change(now, *cluster, self.tenant, more, each);
            }
        }
        for (cluster, count) in charged.iter().filter(|(cluster, _)| !self.charged.contains_key(cluster)) {
            ledger.change(now, *cluster, self.tenant, *count, each);
        }
        self.charged = charged;
    }

    /// Its files say something else. What it asks for is charged anew.
    pub(super) fn becomes(&mut self, base: Spec, traits: Traits, tier: String, now: i64, ledger: &mut Ledger) {
        self.charge(now, BTreeMap::new(), ledger);
        let tenant = ledger.tenants.number(&base.requirement.tenant);
        self.base =
            Spec { current: Vec::new(), admitted: self.base.admitted, changed: false, rebalance: false, ..base };
        (self.traits, self.tenant, self.tier, self.changed) = (traits, tenant, tier, true);
    }

    /// It is gone, or the simulation ends: what there is to tell of it.
    pub(super) fn end(mut self, now: i64, whole: &mut Flow, ledger: &mut Ledger) -> Ended {
        self.level(now, Service::default(), whole);
        self.charge(now, BTreeMap::new(), ledger);
        self.service.add(self.flow.take(now));
        let waiting = self.waiting.minutes(now);
        let violating = self.violating.minutes(now);
        let group = Group {
            workloads: 1,
            service: self.service,
            moved: self.moved,
            waiting,
            refused: self.refused.minutes(now),
            violating,
            ..Group::default()
        };
        let told = WorkloadTold {
            key: self.base.key,
            tenant: self.base.requirement.tenant.clone(),
            tier: self.tier,
            service: self.service,
            moved: self.moved,
            waiting,
            violating,
            last: self.status,
        };
        Ended { group, told }
    }
}

/// What there is to tell of a workload in the end.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) group: Group,
    pub(super) told: WorkloadTold,
}
