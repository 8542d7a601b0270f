//! Failover: which copies may leave members that do not answer, worked out by the engine's step and written down.
//!
//! What a member is known to be, what its workloads say and what was written down before goes in; what comes out stands
//! in the status of each placement, and only what is written there is acted on: the next turn decides it by all the
//! rules. A person's word (a fence, a named workload) is an annotation, read here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::conditions::ConditionType;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{Spec, WorkloadKey};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::step::application::{self, Sick};
use jiuzhou_engine::step::failover::{Copy, Entry, Fleet, Going, Mode, Outage, Phase, Tie, tell_beside};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::Planner;
use crate::seeded::{self, Bug};
use crate::workload::build::continuity;
use crate::workload::dereference::{Entries, Reports};

/// Heartbeats that an agent may miss before it stops what fences itself, and the least time that is: as the agent counts.
const FENCE_AFTER: (i64, i64) = (3, 40);
/// Pods have so long to end where they do not say otherwise, and an agent so long to have it ordered.
const POD_GRACE: i64 = 30;
const AGENT_GRACE: i64 = 60;

/// What is worked out, by workload.
#[derive(Debug, Default)]
pub(super) struct Failovers {
    entries: BTreeMap<WorkloadKey, Entries>,
    /// Something that it rests on may have changed.
    pub(super) ask: bool,
    /// When to ask again although nothing happened.
    pub(super) wake: Option<Instant>,
}

impl Failovers {
    /// What is worked out for a workload.
    pub(super) fn of(&self, key: &WorkloadKey) -> Option<&Entries> {
        self.entries.get(key)
    }
}

impl Planner {
    /// Works it out anew, and has told what is another than before.
    pub(super) fn look_at_failovers(&mut self) {
        let now = Instant::now();
        if self.failovers.wake.is_some_and(|at| at <= now) {
            self.failovers.ask = true;
        }
        if !std::mem::take(&mut self.failovers.ask) {
            return;
        }
        self.failovers.wake = None;
        let at = self.now();
        // Written times are whole seconds, and what is written must be what was worked out.
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let (outages, fleet) = outages(&self.state.objects().clusters, at);
        let written: BTreeSet<WorkloadKey> = self.state.failing().cloned().collect();
        let concerned = self.applications_concerned();
        if outages.is_empty() && written.is_empty() && self.failovers.entries.is_empty() && concerned.is_empty() {
            return;
        }
        let sick: Vec<Sick> = concerned.iter().flat_map(|key| self.sick(key, at)).collect();
        let silent: BTreeSet<String> = outages.keys().cloned().collect();
        let mut keys = self.state.placed_in(&silent, false);
        keys.extend(written);
        let copies: Vec<Copy> = keys.iter().flat_map(|key| self.copies(key, &outages)).collect();
        // Both take from the same budgets: each counts what the other has let go.
        let mut beside = Going::default();
        beside.count(sick.iter().map(|one| (&one.copy, one.entry.map(application::Entry::plain))), at);
        let step = tell_beside(&copies, &outages, fleet, &beside, at);
        let mut entries: BTreeMap<WorkloadKey, Entries> = BTreeMap::new();
        for (copy, entry) in copies.iter().zip(&step.entries) {
            if let Some(entry) = entry {
                entries.entry(copy.workload.clone()).or_default().insert(copy.cluster.clone(), *entry);
            }
        }
        let mut beside = Going::default();
        beside.count(copies.iter().zip(step.entries.iter().copied()), at);
        let answer = application::tell(&sick, fleet, &beside, at);
        self.take_applications(&sick, &answer.entries);
        let changed = keys.iter().filter(|key| entries.get(key) != self.failovers.entries.get(key));
        self.dirty.extend(changed.cloned());
        let gone = self.failovers.entries.keys().filter(|key| !keys.contains(key));
        self.dirty.extend(gone.cloned());
        self.failovers.entries = entries;
        self.failovers.wake = step.wake.into_iter().chain(answer.wake).min().map(|wake| {
            let wait = Duration::try_from(wake.duration_since(at)).unwrap_or(Duration::ZERO);
            now + wait.max(Duration::from_secs(1))
        });
    }

    /// Takes in what was said of copies that are not well, and has told what is another than before.
    fn take_applications(&mut self, sick: &[Sick], told: &[Option<application::Entry>]) {
        let mut entries: BTreeMap<WorkloadKey, super::application::Entries> = BTreeMap::new();
        for (one, entry) in sick.iter().zip(told) {
            if let Some(entry) = entry {
                let written = self.with_state(&one.copy.workload, &one.copy.cluster, *entry);
                entries.entry(one.copy.workload.clone()).or_default().insert(one.copy.cluster.clone(), written);
            }
        }
        let before = &self.applications.entries;
        let keys: BTreeSet<&WorkloadKey> = before.keys().chain(entries.keys()).collect();
        let changed = keys.into_iter().filter(|key| before.get(*key) != entries.get(*key));
        self.dirty.extend(changed.cloned());
        self.applications.entries = entries;
    }

    /// The copies of a workload that are concerned.
    fn copies(&self, key: &WorkloadKey, outages: &BTreeMap<String, Outage>) -> Vec<Copy> {
        let (Some(workload), Some(placement)) = (self.state.fleet_workload(key), self.state.placement(key)) else {
            return Vec::new();
        };
        let Some(spec) = self.state.snapshot().decided_on(key) else { return Vec::new() };
        // What an order stops runs nowhere, and keeps its places.
        if spec.stop.as_ref().is_some_and(|stop| !stop.lifted) {
            return Vec::new();
        }
        let written = written(placement);
        let rules = self.state.rules(key);
        let failover = rules.map(|rules| rules.failover.clone()).unwrap_or_default();
        let at_once = rules.map(|rules| rules.disruption.clone()).unwrap_or_default().max_clusters;
        let settled = self.reports.get(key).is_some_and(|reports| settled(placement, reports));
        let ordered = ordered(workload);
        let needs = workload.spec.depends_on.iter().map(|name| WorkloadKey::new(&key.namespace, name));
        let needs: BTreeSet<WorkloadKey> = needs.collect();
        let concerned = placement.spec.clusters.iter().filter(|cluster| {
            let known = written.contains_key(&*cluster.name);
            known || (cluster.replicas > 0 && outages.contains_key(&*cluster.name))
        });
        let copy = |cluster: &api::PlacedCluster| Copy {
            workload: key.clone(),
            cluster: cluster.name.to_string(),
            tenant: spec.requirement.tenant.clone(),
            priority: spec.priority,
            depends_on: needs.clone(),
            mode: mode(failover.mode),
            after_seconds: if seeded::is(Bug::FailoverAtOnce) { 0 } else { i64::from(failover.after_seconds) },
            at_once: usize::try_from(at_once).unwrap_or(1),
            tie: self.tie(workload, spec, &cluster.name, outages),
            ordered: ordered.contains(&*cluster.name),
            moved: cluster.replicas == 0,
            settled,
            entry: written.get(&*cluster.name).copied(),
        };
        concerned.map(copy).collect()
    }

    /// What ties a copy to its cluster.
    fn tie(
        &self,
        workload: &api::FleetWorkload,
        spec: &Spec,
        cluster: &str,
        outages: &BTreeMap<String, Outage>,
    ) -> Tie {
        let once = match continuity(Some(spec), workload) {
            Continuity::RunOnce => return Tie::Once,
            Continuity::SingleWriter | Continuity::OneCluster => true,
            Continuity::AddBeforeRemove | Continuity::PerNode => false,
        };
        if spec.data_on.as_ref().is_some_and(|on| on.iter().all(|cluster| outages.contains_key(cluster))) {
            return Tie::Data;
        }
        if !once || seeded::is(Bug::FenceIgnored) {
            return Tie::None;
        }
        let member = self.state.objects().clusters.get(&(String::new(), cluster.to_owned()));
        let pull = member.and_then(|member| member.object.spec.connection.pull.as_ref());
        let by_itself = pull.filter(|_| workload.spec.fence == api::Fence::SelfFence).map(|pull| {
            let (beats, least) = FENCE_AFTER;
            let lease = (i64::from(pull.heartbeat_seconds) * beats).max(least);
            let drift = workload.spec.max_clock_drift_seconds.map_or(0, i64::from);
            lease + drift + pod_grace(workload) + AGENT_GRACE
        });
        Tie::Single(by_itself)
    }
}

/// The longest time that a pod of a workload has to end.
fn pod_grace(workload: &api::FleetWorkload) -> i64 {
    let manifests = workload.spec.objects.iter().map(|object| &object.manifest);
    let stated = manifests.filter_map(|manifest| {
        let paths = [
            "/spec/template/spec/terminationGracePeriodSeconds",
            "/spec/jobTemplate/spec/template/spec/terminationGracePeriodSeconds",
            "/spec/terminationGracePeriodSeconds",
        ];
        paths.into_iter().find_map(|path| manifest.pointer(path)?.as_i64())
    });
    stated.max().unwrap_or(POD_GRACE).max(POD_GRACE)
}

pub(super) fn mode(declared: api::FailoverMode) -> Mode {
    match declared {
        api::FailoverMode::Automatic => Mode::Automatic,
        api::FailoverMode::Manual => Mode::Manual,
        api::FailoverMode::Never => Mode::Never,
    }
}

/// Whether all that is decided is ready where it is to be.
pub(super) fn settled(placement: &api::FleetPlacement, reports: &Reports) -> bool {
    placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0).all(|cluster| {
        let report = reports.get(&*cluster.name).and_then(Option::as_ref);
        report.and_then(|status| status.ready).is_some_and(|ready| ready >= cluster.replicas)
    })
}

/// Clusters that a person lets a workload leave.
pub(super) fn ordered(workload: &api::FleetWorkload) -> BTreeSet<&str> {
    let stated = workload.annotations().get(meta::ANNOTATION_FAILOVER);
    stated.into_iter().flat_map(|stated| stated.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// What is written down of a placement.
pub(crate) fn written(placement: &api::FleetPlacement) -> Entries {
    let status = placement.status.iter().flat_map(|status| &status.failover);
    status
        .map(|entry| {
            let read = Entry {
                since: entry.since.0,
                due: entry.due.0,
                phase: phase(entry.phase),
                released: entry.released_at.as_ref().map(|at| at.0),
            };
            (entry.name.to_string(), read)
        })
        .collect()
}

/// The same as it is to be written.
pub(crate) fn to_write(entries: &Entries) -> Vec<api::FailoverEntry> {
    let entry = |(name, entry): (&String, &Entry)| api::FailoverEntry {
        name: name.as_str().into(),
        since: Time(entry.since),
        due: Time(entry.due),
        phase: told(entry.phase),
        released_at: entry.released.map(Time),
    };
    entries.iter().map(entry).collect()
}

pub(super) fn phase(written: api::FailoverPhase) -> Phase {
    use api::FailoverPhase as Written;
    match written {
        Written::Waiting => Phase::Waiting,
        Written::Turn => Phase::Turn,
        Written::StormBrake => Phase::StormBrake,
        Written::Manual => Phase::Manual,
        Written::Never => Phase::Never,
        Written::Fence => Phase::Fence,
        Written::Data => Phase::Data,
        Written::Once => Phase::Once,
        Written::Released => Phase::Released,
        Written::Moved => Phase::Moved,
        Written::Change => Phase::Change,
        Written::State => Phase::State,
        Written::Exhausted => Phase::Exhausted,
    }
}

pub(crate) fn told(phase: Phase) -> api::FailoverPhase {
    use api::FailoverPhase as Written;
    match phase {
        Phase::Waiting => Written::Waiting,
        Phase::Turn => Written::Turn,
        Phase::StormBrake => Written::StormBrake,
        Phase::Manual => Written::Manual,
        Phase::Never => Written::Never,
        Phase::Fence => Written::Fence,
        Phase::Data => Written::Data,
        Phase::Once => Written::Once,
        Phase::Released => Written::Released,
        Phase::Moved => Written::Moved,
        Phase::Change => Written::Change,
        Phase::State => Written::State,
        Phase::Exhausted => Written::Exhausted,
    }
}

/// Members that do not answer, and the fleet as a whole. One that nobody has looked at yet is neither silent nor well.
fn outages(
    clusters: &BTreeMap<jiuzhou_intake::objects::Key, jiuzhou_intake::objects::Item<api::MemberCluster>>,
    now: Timestamp,
) -> (BTreeMap<String, Outage>, Fleet) {
    let (mut outages, mut fleet) = (BTreeMap::new(), Fleet::default());
    for item in clusters.values() {
        let member = &*item.object;
        let Some(reach) = member.status.as_ref().and_then(|status| status.reachability.as_ref()) else { continue };
        fleet.clusters += 1;
        let sides = [reach.hub, reach.agent];
        if sides.contains(&api::Reach::Reachable) {
            continue;
        }
        let silent = sides.contains(&api::Reach::Unreachable);
        fleet.silent += usize::from(silent);
        let since = silent_since(member).unwrap_or(now);
        let fenced = member.annotations().get(meta::ANNOTATION_FENCED);
        let fenced = fenced.and_then(|word| word.split_whitespace().next()?.parse().ok());
        let certain = sides == [api::Reach::Unreachable; 2];
        outages.insert(member.name_any(), Outage { since, certain, silent, fenced });
    }
    (outages, fleet)
}

/// Since when a member does not answer, as its condition says.
pub(crate) fn silent_since(member: &api::MemberCluster) -> Option<Timestamp> {
    let conditions = &member.status.as_ref()?.conditions;
    let reachable = conditions.iter().find(|one| one.type_ == ConditionType::Reachable.as_str())?;
    (reachable.status == "False").then_some(reachable.last_transition_time.0)
}
