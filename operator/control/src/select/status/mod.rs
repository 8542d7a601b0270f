//! The status of native objects, summed up from what the members' controllers count. Pure.
//!
//! A hub's object has one generation and the members have many objects: a count belongs to the present generation only
//! where the member says that it applied exactly what is ordered now. What runs of older orders counts as old, what a
//! silent member has counts as not available, and nothing is told before every cluster of the placement was seen once:
//! a client that waits never takes ignorance for success. Of a workload that every cluster has whole, the slowest
//! cluster is told.

mod apps;
mod conditions;
mod others;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{DeliveryState, ObjectObservation, ObservedCounts};
use jiuzhou_engine::decide::Division;
use jiuzhou_objects::render::digest_of;
use serde_json::Value;

use super::kinds::Kind;
use super::natives::Native;
use crate::workload::build::Built;
use crate::workload::dereference::Gathered;
use crate::workload::staged;

pub(crate) use apps::Mirror;

/// A status that differs from what is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// The status; `None` when it is as it should be and only what is beneath is not.
    pub(crate) status: Option<Value>,
    /// The ReplicaSet beneath a Deployment.
    pub(crate) mirror: Option<Mirror>,
}

/// One cluster's part of one object.
#[derive(Clone, Debug)]
struct Part<'a> {
    cluster: &'a str,
    /// Something is to run there.
    wanted: bool,
    /// The member answers.
    answers: bool,
    /// What was seen; `None` when it has nothing.
    seen: Option<&'a ObjectObservation>,
    /// What was seen is of what is ordered now.
    current: bool,
}

impl Part<'_> {
    fn counted(&self) -> Option<&ObservedCounts> {
        self.seen?.counted.as_ref()
    }
}

/// One native object and what is known of it in the members.
struct Case<'a> {
    native: &'a Native,
    manifest: &'a Value,
    name: &'a str,
    /// Generation that the orders were made from.
    generation: i64,
    parts: Vec<Part<'a>>,
    /// Every cluster has all replicas.
    duplicated: bool,
    /// How the workload stands.
    workload: &'a api::FleetWorkloadStatus,
    now: Timestamp,
}

impl Case<'_> {
    /// Replicas that the object asks for.
    fn wanted(&self) -> i64 {
        self.manifest.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
    }

    /// Sums a count over the clusters; of one that every cluster has whole, the least of those that are to have it.
    fn sum(&self, count: impl Fn(&Part<'_>) -> i64) -> i64 {
        if self.duplicated {
            return self.parts.iter().filter(|part| part.wanted).map(count).min().unwrap_or(0);
        }
        self.parts.iter().map(count).fold(0, i64::saturating_add)
    }

    /// Sums what still exists: of one that every cluster has whole, the most.
    fn existing(&self, count: impl Fn(&Part<'_>) -> i64) -> i64 {
        if self.duplicated {
            return self.parts.iter().map(count).max().unwrap_or(0);
        }
        self.parts.iter().map(count).fold(0, i64::saturating_add)
    }

    /// Clusters by name, for people.
    fn clusters(&self) -> String {
        let names: Vec<&str> = self.parts.iter().filter(|part| part.wanted).map(|part| part.cluster).collect();
        names.join(", ")
    }
}

/// What is to be written of the natives of a workload. `workload` is its status as it is now.
pub(crate) fn of_workload(
    gathered: &Gathered<'_>,
    built: &Built,
    workload: &api::FleetWorkloadStatus,
    now: Timestamp,
) -> Vec<Told> {
    let Some(resolution) = gathered.state.resolution(gathered.key) else { return Vec::new() };
    let duplicated = gathered.spec.is_some_and(|spec| spec.policy.division == Division::Duplicated);
    let entries = gathered.workload.map(|workload| workload.spec.objects.as_slice()).unwrap_or_default();
    let mut all = Vec::new();
    for entry in entries {
        let Some(source) = resolution.sources.get(&*entry.name) else { continue };
        let native = gathered.state.natives().get(source.kind, &gathered.key.namespace, &source.name);
        let Some(native) = native.filter(|native| native.uid == source.uid) else { continue };
        let Some(parts) = parts(gathered, built, &entry.name) else { return Vec::new() };
        let case = Case {
            native,
            manifest: &entry.manifest,
            name: &source.name,
            generation: source.generation,
            parts,
            // Nodes are counted everywhere.
            duplicated: duplicated && source.kind != "DaemonSet",
            workload,
            now,
        };
        let (status, mirror) = told(&case, gathered);
        let status = status.filter(|status| !conditions::same(&native.status, status));
        if status.is_some() || mirror.is_some() {
            all.push(Told {
                kind: native.kind,
                namespace: gathered.key.namespace.clone(),
                name: source.name.clone(),
                uid: source.uid.clone(),
                status,
                mirror,
            });
        }
    }
    all
}

/// When what is told of a workload's natives changes by the clock alone: a Deployment that is held up runs into the
/// deadline that its author gave it.
pub(crate) fn again(gathered: &Gathered<'_>, now: Timestamp) -> Option<Timestamp> {
    let resolution = gathered.state.resolution(gathered.key)?;
    let deployments = resolution.sources.values().filter(|source| source.kind == "Deployment");
    let natives = deployments.filter_map(|source| {
        let native = gathered.state.natives().get(source.kind, &gathered.key.namespace, &source.name)?;
        apps::deadline(native, native.manifest.as_ref()?)
    });
    natives.filter(|at| *at > now).min()
}

fn told(case: &Case<'_>, gathered: &Gathered<'_>) -> (Option<Value>, Option<Mirror>) {
    match case.native.kind.kind {
        "Deployment" => {
            let mirror = apps::mirror(case, gathered);
            (Some(apps::deployment(case)), mirror)
        }
        "StatefulSet" => (Some(apps::stateful_set(case)), None),
        "DaemonSet" => (apps::daemon_set(case), None),
        "Job" => (others::job(case), None),
        "Service" | "Ingress" => (others::addresses(case), None),
        "PersistentVolumeClaim" => (others::claim(case), None),
        _ => (None, None),
    }
}

/// What every cluster of the placement has of one object; `None` while one of them was not seen in this run.
fn parts<'a>(gathered: &Gathered<'a>, built: &Built, entry: &str) -> Option<Vec<Part<'a>>> {
    let clusters = gathered.placement.map(|placement| placement.spec.clusters.as_slice()).unwrap_or_default();
    let mut parts = Vec::new();
    let ordered: BTreeMap<&str, Option<String>> = built
        .orders
        .iter()
        .filter(|(_, order)| order.delivery.state == DeliveryState::Present)
        .map(|(cluster, order)| {
            let object = order.delivery.objects.iter().find(|object| *object.name == *entry);
            (cluster.as_str(), object.and_then(digest_of).map(|digest| digest.to_string()))
        })
        .collect();
    for placed in clusters {
        let cluster = &*placed.name;
        let unreachable = gathered.state.is_unreachable(cluster);
        let report = match gathered.reports.get(cluster) {
            Some(report) => report.as_ref(),
            None if unreachable => None,
            None => return None,
        };
        let seen = report.and_then(|report| report.objects.iter().find(|object| *object.name == *entry));
        let digest = ordered.get(cluster).and_then(Option::as_deref);
        let applied = seen.and_then(|seen| seen.applied.as_deref());
        // A cluster of a later stage has what is ordered there, and that is an older revision.
        let placement = gathered.placement.zip(gathered.workload);
        let newest = placement.is_none_or(|(placement, workload)| {
            staged::revision_of(workload, placement, cluster) == Some(staged::target(placement))
        });
        parts.push(Part {
            cluster,
            wanted: placed.replicas > 0,
            answers: !unreachable,
            current: newest && digest.is_some() && digest == applied,
            seen,
        });
    }
    Some(parts)
}
