//! Failover of workloads that are not well in members that answer: what members report and what was written down goes in,
//! the engine's step says how far each copy is, and what comes out stands in the status of each placement, as that of
//! failover of clusters does ([`super::failover`]). Both take from the same budgets.
//!
//! Only workloads whose placement rules have an `application` block are looked at, and of those only what a report, a
//! change or a clock concerns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{Spec, WorkloadKey};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::step::application::{Entry, Look, Sick};
use jiuzhou_engine::step::failover::{Copy, Phase, Tie};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Planner;
use super::failover::{mode, ordered, phase, settled, told};
use crate::workload::build::{continuity, seen};
use crate::workload::status::finished;

/// What is written down of the copies of one workload, by cluster.
pub(crate) type Entries = BTreeMap<String, Written>;

/// What is written down of one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) entry: Entry,
    /// What a new copy is told, and what it is not.
    pub(crate) state: State,
}

/// What a new copy is told of the status of the one that it replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) values: Vec<api::CarriedValue>,
    /// What is missing or too large, and why; the move waits for what is not optional.
    pub(crate) missing: Vec<String>,
    waits: bool,
}

/// Longest text that the schema takes.
const TEXT_MOST: usize = 1024;

/// What is worked out, by workload.
#[derive(Debug, Default)]
pub(super) struct Applications {
    pub(super) entries: BTreeMap<WorkloadKey, Entries>,
    /// Workloads that something was seen of since they were looked at.
    pub(super) seen: BTreeSet<WorkloadKey>,
    /// Any workload may be concerned.
    pub(super) all: bool,
    /// Since when this process sees a copy unwell without having seen it well.
    unwell: BTreeMap<WorkloadKey, BTreeMap<String, Timestamp>>,
}

impl Planner {
    /// The workloads that are to be looked at now.
    pub(super) fn applications_concerned(&mut self) -> BTreeSet<WorkloadKey> {
        let mut keys = std::mem::take(&mut self.applications.seen);
        if std::mem::take(&mut self.applications.all) {
            keys.extend(self.state.workload_keys());
        }
        keys.retain(|key| self.rules_of_application(key).is_some());
        keys.extend(self.applications.entries.keys().cloned());
        keys.extend(self.state.failing().cloned());
        keys
    }

    /// Whether a workload is to leave members where it is not well, or something is written down of it.
    pub(super) fn has_application_failover(&self, key: &WorkloadKey) -> bool {
        self.applications.entries.contains_key(key) || self.rules_of_application(key).is_some()
    }

    fn rules_of_application(&self, key: &WorkloadKey) -> Option<(&api::ApplicationFailover, &api::PlacementRules)> {
        let rules = self.state.rules(key)?;
        Some((rules.failover.application.as_ref()?, rules))
    }

    /// The copies of a workload that are not well, or that something is written down of.
    pub(super) fn sick(&mut self, key: &WorkloadKey, now: Timestamp) -> Vec<Sick> {
        let looks = self.looks(key);
        let mut unwell = self.applications.unwell.remove(key).unwrap_or_default();
        unwell.retain(|cluster, _| matches!(looks.get(cluster), Some(Seen::Unwell | Seen::Nothing)));
        for (cluster, _) in looks.iter().filter(|(_, look)| **look == Seen::Unwell) {
            unwell.entry(cluster.clone()).or_insert(now);
        }
        if !unwell.is_empty() {
            self.applications.unwell.insert(key.clone(), unwell.clone());
        }
        let (Some(workload), Some(placement)) = (self.state.fleet_workload(key), self.state.placement(key)) else {
            return Vec::new();
        };
        let Some((declared, rules)) = self.rules_of_application(key) else { return Vec::new() };
        let spec = self.state.snapshot().decided_on(key);
        match continuity(spec.map(|spec| &**spec), workload) {
            // What runs once runs nowhere else, and what runs on every node belongs to its cluster.
            Continuity::RunOnce | Continuity::PerNode => return Vec::new(),
            Continuity::AddBeforeRemove | Continuity::SingleWriter | Continuity::OneCluster => {}
        }
        let written = written(placement);
        let reports = self.reports.get(key);
        let settled = reports.is_some_and(|reports| settled(placement, reports));
        let ordered = ordered(workload);
        let needs = workload.spec.depends_on.iter().map(|name| WorkloadKey::new(&key.namespace, name));
        let needs: BTreeSet<WorkloadKey> = needs.collect();
        let status = placement.status.as_ref();
        let changing = status.is_some_and(|status| status.rollout.is_some());
        let is_well = |name: &String| looks.get(name) == Some(&Seen::Well) && !written.contains_key(name);
        let is_open = |name: &String| matches!(looks.get(name), Some(Seen::Nothing | Seen::Silent));
        let elsewhere =
            |cluster: &str, of: &dyn Fn(&String) -> bool| looks.keys().any(|name| name != cluster && of(name));
        let names: BTreeSet<&String> = looks.keys().chain(written.keys()).collect();
        let sick = |cluster: &String| {
            let placed = looks.get(cluster);
            let entry = written.get(cluster).map(|written| written.entry);
            let look = match placed {
                Some(Seen::Unwell) => Look::Unwell(unwell.get(cluster).copied().unwrap_or(now)),
                Some(Seen::Well) => Look::Well,
                Some(Seen::Silent) => Look::Silent,
                Some(Seen::Nothing) | None => Look::Unseen,
            };
            if entry.is_none() && !matches!(look, Look::Unwell(_)) {
                return None;
            }
            let copy = Copy {
                workload: key.clone(),
                cluster: cluster.clone(),
                tenant: spec.map(|spec| spec.requirement.tenant.clone()).unwrap_or_default(),
                priority: spec.map_or(0, |spec| spec.priority),
                depends_on: needs.clone(),
                mode: mode(rules.failover.mode),
                after_seconds: i64::from(declared.after_seconds),
                at_once: usize::try_from(rules.disruption.max_clusters).unwrap_or(1),
                tie: spec.map_or(Tie::None, |spec| tie(spec, cluster)),
                ordered: ordered.contains(cluster.as_str()),
                moved: placed.is_none(),
                settled,
                entry: None,
            };
            Some(Sick {
                copy,
                look,
                revision: placement.spec.revision,
                cooldown_seconds: i64::from(declared.cooldown_seconds),
                changing,
                state_known: self.state_of(key, cluster).is_none_or(|state| !state.waits),
                well_elsewhere: elsewhere(cluster, &is_well),
                open_elsewhere: elsewhere(cluster, &is_open),
                entry,
            })
        };
        names.into_iter().filter_map(sick).collect()
    }

    /// What a new copy would be told of the one in a cluster; `None` where nobody has looked.
    fn state_of(&self, key: &WorkloadKey, cluster: &str) -> Option<State> {
        let (declared, _) = self.rules_of_application(key)?;
        let status = self.reports.get(key)?.get(cluster)?.as_ref()?;
        Some(state(&declared.state, status))
    }

    /// What is to be written of a copy with its entry. What is let go takes along what was seen of it last; who has left
    /// leaves what it took.
    pub(super) fn with_state(&self, key: &WorkloadKey, cluster: &str, entry: Entry) -> Written {
        let known = || {
            let placement = self.state.placement(key)?;
            Some(written(placement).remove(cluster)?.state)
        };
        let state = match entry.phase {
            Phase::Released => self.state_of(key, cluster).or_else(known),
            Phase::State => {
                self.state_of(key, cluster).map(|state| State { values: Vec::new(), ..state }).or_else(known)
            }
            Phase::Moved => known(),
            _ => None,
        };
        Written { entry, state: State { waits: false, ..state.unwrap_or_default() } }
    }

    /// How the copies of a workload are seen, by cluster where replicas are decided to be.
    fn looks(&self, key: &WorkloadKey) -> BTreeMap<String, Seen> {
        let Some(placement) = self.state.placement(key) else { return BTreeMap::new() };
        let spec = self.state.snapshot().decided_on(key);
        // What an order stops runs nowhere, and of what cannot be decided on nothing is known.
        let runs = spec.is_some_and(|spec| spec.stop.as_ref().is_none_or(|stop| stop.lifted));
        let reports = self.reports.get(key).filter(|_| runs);
        let look = |cluster: &api::PlacedCluster| {
            let name = cluster.name.to_string();
            let report = reports.and_then(|reports| reports.get(&name));
            let look = match report {
                _ if self.state.is_unreachable(&name) => Seen::Silent,
                Some(Some(status)) => look(status, i64::from(cluster.replicas)),
                Some(None) | None => Seen::Nothing,
            };
            (name, look)
        };
        placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0).map(look).collect()
    }
}

/// How a copy is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Silent,
    Well,
    Unwell,
}

fn look(status: &api::DeliveryStatus, wanted: i64) -> Seen {
    let seen = seen(status, wanted);
    match seen.ready {
        _ if finished(status) => Seen::Well,
        // What was not delivered yet, or what nobody could count, is not known to be unwell.
        _ if !seen.objects => Seen::Nothing,
        None => Seen::Nothing,
        Some(ready) if ready >= wanted => Seen::Well,
        Some(_) => Seen::Unwell,
    }
}

/// What ties a copy to its cluster. The member answers, so who may only be once is stopped there and proven gone first.
fn tie(spec: &Spec, cluster: &str) -> Tie {
    match &spec.data_on {
        Some(on) if on.iter().all(|name| name == cluster) => Tie::Data,
        _ => Tie::None,
    }
}

/// The values that are declared, out of what a member says.
fn state(declared: &[api::StateRule], status: &api::DeliveryStatus) -> State {
    let (mut found, mut bytes) = (State::default(), 0_usize);
    for rule in declared {
        let of_it = |object: &&api::ObjectObservation| rule.object.as_ref().is_none_or(|name| *name == object.name);
        let mut seen = status.objects.iter().filter(of_it).filter_map(|object| {
            let value = object.values.iter().find(|value| value.alias == rule.alias)?;
            Some((object, value))
        });
        let problem = match seen.next() {
            Some((object, api::ObservedValue { value: Some(value), .. }))
                if bytes + value.len() <= api::STATE_BYTES =>
            {
                bytes += value.len();
                let (alias, object, value) = (rule.alias.clone(), object.name.clone(), value.clone());
                found.values.push(api::CarriedValue { alias, object, value });
                continue;
            }
            Some((_, api::ObservedValue { value: Some(value), .. })) => {
                format!("{} > {} bytes together", bytes + value.len(), api::STATE_BYTES)
            }
            Some((_, value)) if usize::try_from(value.bytes).unwrap_or(0) > api::STATE_VALUE_BYTES => {
                format!("{} > {} bytes", value.bytes, api::STATE_VALUE_BYTES)
            }
            Some(_) => "looks like a secret".to_owned(),
            None => format!("nothing at {}", &*rule.json_path),
        };
        found.missing.push(format!("{}: {problem}", rule.alias));
        found.waits |= !rule.optional;
    }
    found
}

/// What is written down of a placement.
pub(crate) fn written(placement: &api::FleetPlacement) -> Entries {
    let status = placement.status.iter().flat_map(|status| &status.application_failover);
    let read = |entry: &api::ApplicationFailoverEntry| Entry {
        since: entry.since.0,
        due: entry.due.0,
        phase: phase(entry.phase),
        released: entry.released_at.as_ref().map(|at| at.0),
        revision: entry.revision,
        well: entry.well_since.as_ref().map(|at| at.0),
        avoided_until: entry.avoided_until.as_ref().map(|at| at.0),
    };
    let state = |entry: &api::ApplicationFailoverEntry| State {
        values: entry.state.clone(),
        missing: entry.state_missing.iter().flat_map(|text| text.split("; ")).map(str::to_owned).collect(),
        waits: false,
    };
    let one = |entry: &api::ApplicationFailoverEntry| {
        (entry.name.to_string(), Written { entry: read(entry), state: state(entry) })
    };
    status.map(one).collect()
}

/// The same as it is to be written.
pub(crate) fn to_write(entries: &Entries) -> Vec<api::ApplicationFailoverEntry> {
    let missing = |state: &State| {
        let text = state.missing.join("; ");
        (!text.is_empty()).then(|| text.chars().take(TEXT_MOST).collect::<String>().into())
    };
    let entry = |(name, Written { entry, state }): (&String, &Written)| api::ApplicationFailoverEntry {
        state: state.values.clone(),
        state_missing: missing(state),
        name: name.as_str().into(),
        since: Time(entry.since),
        due: Time(entry.due),
        phase: told(entry.phase),
        released_at: entry.released.map(Time),
        revision: entry.revision,
        well_since: entry.well.map(Time),
        avoided_until: entry.avoided_until.map(Time),
    };
    entries.iter().map(entry).collect()
}

/// Whether something is to be told of a copy beside what its objects say.
pub(crate) fn is_told(phase: Phase) -> bool {
    !matches!(phase, Phase::Waiting | Phase::Moved)
}
