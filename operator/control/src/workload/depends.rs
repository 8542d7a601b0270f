//! For whom a workload waits before it begins.
//!
//! Only a beginning waits: what was ever seen in a member goes on whatever becomes of the workloads it once waited for.
//! Workloads that wait for each other in a circle wait for a person, who is told the circle.

use std::collections::BTreeSet;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::WorkloadKey;

use super::dereference::Gathered;
use crate::state::State;

/// For whom a workload waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Names of workloads that are not ready; where they wait in a circle, the way round.
    pub(crate) names: Vec<String>,
    /// They wait for each other, or one is not there: nothing comes of waiting alone.
    pub(crate) stuck: bool,
}

/// For whom it waits; `None` when it does not.
pub(crate) fn waiting(
    gathered: &Gathered<'_>,
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
) -> Option<Waiting> {
    let begun = placement.status.as_ref().is_some_and(|status| status.begun);
    if workload.spec.depends_on.is_empty() || begun {
        return None;
    }
    let there = |status: &api::DeliveryStatus| super::build::seen(status, 0).objects;
    if gathered.reports.values().flatten().any(there) {
        return None;
    }
    let names: Vec<String> = workload
        .spec
        .depends_on
        .iter()
        .filter(|name| !is_ready(gathered.state, &gathered.key.namespace, name))
        .map(ToString::to_string)
        .collect();
    if names.is_empty() {
        return None;
    }
    if let Some(circle) = circle(gathered.state, gathered.key) {
        return Some(Waiting { names: vec![circle.join(" -> ")], stuck: true });
    }
    let key = |name: &String| WorkloadKey::new(&gathered.key.namespace, name);
    let stuck = names.iter().any(|name| gathered.state.fleet_workload(&key(name)).is_none());
    Some(Waiting { names, stuck })
}

/// Whether a workload is as its own latest version wants it.
fn is_ready(state: &State, namespace: &str, name: &str) -> bool {
    let Some(workload) = state.fleet_workload(&WorkloadKey::new(namespace, name)) else { return false };
    let Some(status) = &workload.status else { return false };
    let ready = |condition: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| condition.type_ == "Ready";
    status.observed_generation == workload.metadata.generation
        && status.conditions.iter().find(ready).is_some_and(|condition| condition.status == "True")
}

/// The way from a workload back to itself over those it waits for, its name first and last.
fn circle(state: &State, key: &WorkloadKey) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut way = vec![key.name.clone()];
    round(state, key, &key.name, &mut seen, &mut way).then_some(way)
}

fn round(state: &State, key: &WorkloadKey, at: &str, seen: &mut BTreeSet<String>, way: &mut Vec<String>) -> bool {
    let Some(workload) = state.fleet_workload(&WorkloadKey::new(&key.namespace, at)) else { return false };
    for next in &workload.spec.depends_on {
        way.push(next.to_string());
        if **next == *key.name || (seen.insert(next.to_string()) && round(state, key, next, seen, way)) {
            return true;
        }
        way.pop();
    }
    false
}
