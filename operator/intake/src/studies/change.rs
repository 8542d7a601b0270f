//! What each verb of a change does to the documents.
//!
//! A verb whose object is not there is a finding: a scenario about a cluster that does not exist would else say that
//! nothing happens. What no resource can say (replicas that are gone with their cluster, emergency mode until it has a
//! resource of its own) is kept in [`Supposed`] and given to the engine as what it is told of workloads.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::meta;
use jiuzhou_api::study::{Change, CloseFirewall, Emergency, ExpireEvidence, SetGridFactor, SetReplicas};
use jiuzhou_engine::decide::{Cause, Spec};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use serde_json::{Value, json};

use crate::beijing;
use crate::builtin;
use crate::documents::Document;
use crate::schema;

use super::{Placed, edit, merge};

/// Names listed when none is near.
const LISTED: usize = 8;

/// What is supposed of workloads beyond what a resource says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Supposed {
    /// Clusters that are lost with everything that ran there.
    pub lost: BTreeSet<String>,
    /// Emergency mode, one entry for each change that asks for it.
    pub emergency: Vec<Emergency>,
}

impl Supposed {
    /// Tells it of workloads: replicas on lost clusters are gone and placed anew as a failover does, and emergency mode
    /// is the cause of what is decided in it.
    pub fn tell(&self, specs: &mut [Spec]) {
        for spec in specs {
            let before = spec.current.len();
            spec.current.retain(|current| !self.lost.contains(&current.cluster));
            let lost = spec.current.len() < before;
            let name = spec.key.to_string();
            let cause = if self.emergency.iter().any(|mode| takes(mode, &spec.requirement.tenant, &name)) {
                Cause::Emergency
            } else if lost {
                Cause::Failover
            } else {
                continue;
            };
            Arc::make_mut(&mut spec.requirement).cause = cause;
        }
    }
}

fn takes(mode: &Emergency, tenant: &str, workload: &str) -> bool {
    let Emergency { tenants, workloads } = mode;
    let everybody = tenants.is_empty() && workloads.is_empty();
    everybody || tenants.iter().any(|one| *one == *tenant) || workloads.iter().any(|one| *one == *workload)
}

/// Makes one change.
pub(super) fn make(
    documents: &mut Vec<Document>,
    by: &Placed<'_>,
    as_of: Timestamp,
    supposed: &mut Supposed,
    findings: &mut Vec<Finding>,
) {
    let today = beijing::day(as_of);
    let mut fleet = Fleet { documents, by, findings };
    let Change {
        drain,
        lose,
        unreachable,
        put,
        patch,
        remove,
        expire,
        close,
        grid_factor,
        replicas,
        emergency,
        merge: merged,
    } = by.change;
    if let Some(cluster) = drain {
        fleet.edit("MemberCluster", "", cluster, |document, by| {
            edit::set(document, "/spec/lifecycle", json!("Draining"), by);
        });
    }
    for cluster in lose.iter().chain(unreachable) {
        fleet.edit("MemberCluster", "", cluster, |document, by| {
            let seen = json!({ "hub": "Unreachable", "agent": "Unreachable" });
            edit::set(document, "/status/reachability", seen, by);
        });
    }
    supposed.lost.extend(lose.iter().map(ToString::to_string));
    if let Some(object) = put {
        fleet.put(object);
    }
    if let Some(patch) = patch {
        let namespace = patch.namespace.as_deref().unwrap_or_default();
        fleet.edit(&patch.kind, namespace, &patch.name, |document, by| {
            edit::merge(document, &patch.merge, &format!("{}/patch/merge", by.pointer), by);
        });
    }
    if let Some(object) = remove {
        fleet.remove(&object.kind, object.namespace.as_deref().unwrap_or_default(), &object.name);
    }
    if let Some(expired) = expire {
        fleet.expire(expired, today);
    }
    if let Some(closed) = close {
        fleet.close(closed);
    }
    if let Some(factor) = grid_factor {
        fleet.grid_factor(factor, today);
    }
    if let Some(SetReplicas { workload, replicas }) = replicas {
        let (namespace, name) = workload.split_once('/').unwrap_or_default();
        fleet.edit("FleetWorkload", namespace, name, |document, by| {
            edit::set(document, "/spec/replicas", json!(replicas), by);
        });
    }
    if let Some(mode) = emergency {
        fleet.emergency(mode);
        supposed.emergency.push(mode.clone());
    }
    if let Some(bodies) = merged {
        merge::tenants(&mut fleet, bodies);
    }
}

/// The documents with the change that is being made.
pub(super) struct Fleet<'a, 'c> {
    pub(super) documents: &'a mut Vec<Document>,
    pub(super) by: &'a Placed<'c>,
    findings: &'a mut Vec<Finding>,
}

impl<'c> Fleet<'_, 'c> {
    /// Documents of one of our kinds.
    pub(super) fn of_kind<'k>(&mut self, kind: &'k str) -> impl Iterator<Item = &mut Document> + use<'_, 'k, 'c> {
        let ours = move |document: &&mut Document| document.group_version().0 == meta::GROUP && document.kind == kind;
        self.documents.iter_mut().filter(ours)
    }

    /// Edits an object, built-in ones included. `false` when it is not there, which is told.
    pub(super) fn edit(
        &mut self,
        kind: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Document, &Placed<'c>),
    ) -> bool {
        let by = self.by;
        let Some(index) = self.find(kind, namespace, name) else {
            self.missing(kind, namespace, name);
            return false;
        };
        if let Some(document) = self.documents.get_mut(index) {
            change(document, by);
        }
        true
    }

    /// Where an object stands in the list; a built-in one is added to it first, because it is about to change.
    fn find(&mut self, kind: &str, namespace: &str, name: &str) -> Option<usize> {
        let is =
            |document: &Document| document.kind == kind && document.namespace == namespace && document.name == name;
        let found = self.documents.iter().position(is);
        found.or_else(|| {
            let shipped = builtin::documents().into_iter().find(is)?;
            self.documents.push(shipped);
            Some(self.documents.len() - 1)
        })
    }

    pub(super) fn remove(&mut self, kind: &str, namespace: &str, name: &str) {
        let before = self.documents.len();
        self.documents.retain(|d| !(d.kind == kind && d.namespace == namespace && d.name == name));
        if self.documents.len() == before {
            self.missing(kind, namespace, name);
        }
    }

    fn put(&mut self, object: &Value) {
        let pointer = format!("{}/put", self.by.pointer);
        // The schema of the change asks for apiVersion and kind; a name it cannot ask for.
        let Some(document) = self.by.document.part(&pointer, object.clone()) else {
            let reason = Reason::new(Code::FieldMissing).object("metadata.name");
            self.findings.push(self.by.document.finding(reason, &pointer));
            return;
        };
        self.documents.retain(|other| other.object_ref() != document.object_ref());
        self.documents.push(document);
    }

    fn expire(&mut self, expired: &ExpireEvidence, today: Date) {
        let ExpireEvidence { cluster, evidence } = expired;
        let (Ok(yesterday), wanted) = (today.yesterday(), evidence.as_deref()) else { return };
        let (last, before) = (yesterday.to_string(), yesterday.yesterday().unwrap_or(yesterday).to_string());
        let mut any = false;
        let there = self.edit("MemberCluster", "", cluster, |document, by| {
            any |= edit::each(document, "/spec/evidence", by, |one| {
                let meant = wanted.is_none_or(|id| id == edit::text(one, "id"));
                meant && ends(one, "validFrom", "validUntil", &last, &last)
            });
            for reports in ["/spec/protection/reports", "/spec/cryptography/reports"] {
                any |= edit::each(document, reports, by, |one| {
                    let meant = wanted.is_none_or(|number| number == edit::text(one, "number"));
                    meant && ends(one, "date", "dueAgain", &before, &last)
                });
            }
        });
        if there && !any {
            let entered = self.evidence_of(cluster);
            let pointer = format!("{}/expire", self.by.pointer);
            let what = wanted.map_or_else(|| "evidence".to_owned(), |id| format!("evidence/{id}"));
            self.unknown(format!("MemberCluster/{cluster} {what}"), entered, &pointer);
        }
    }

    /// What evidence and reports of a cluster are called.
    fn evidence_of(&self, cluster: &str) -> Vec<String> {
        let is = |document: &&Document| document.kind == "MemberCluster" && document.name == *cluster;
        let Some(document) = self.documents.iter().find(is) else { return Vec::new() };
        let named = |(list, key): (&str, &str)| -> Vec<String> {
            let all = document.value.pointer(list).and_then(Value::as_array);
            all.into_iter().flatten().map(|one| edit::text(one, key).to_owned()).collect()
        };
        let lists = [
            ("/spec/evidence", "id"),
            ("/spec/protection/reports", "number"),
            ("/spec/cryptography/reports", "number"),
        ];
        lists.into_iter().flat_map(named).take(LISTED).collect()
    }

    fn close(&mut self, closed: &CloseFirewall) {
        let CloseFirewall { cluster, peer } = closed;
        let by = self.by;
        if let Some(name) = cluster.as_deref().filter(|name| self.find("MemberCluster", "", name).is_none()) {
            return self.missing("MemberCluster", "", name);
        }
        let (mut any, mut opened) = (false, BTreeSet::new());
        for document in self.of_kind("MemberCluster") {
            if cluster.as_deref().is_some_and(|name| name != document.name) {
                continue;
            }
            let Some(Value::Array(peers)) = document.value.pointer("/spec/peers") else { continue };
            opened.extend(peers.iter().map(|one| edit::text(one, "name").to_owned()));
            let stays = |one: &&Value| peer.as_deref().is_some_and(|name| name != edit::text(one, "name"));
            let left: Vec<Value> = peers.iter().filter(stays).cloned().collect();
            if left.len() < peers.len() {
                edit::set(document, "/spec/peers", Value::Array(left), by);
                any = true;
            }
        }
        if !any {
            let names = [
                cluster.as_deref().map(|name| format!("MemberCluster/{name}")),
                peer.as_deref().map(|p| format!("peer/{p}")),
            ];
            let pointer = format!("{}/close", by.pointer);
            let told: Vec<String> = names.into_iter().flatten().collect();
            let told = if told.is_empty() { "peer".to_owned() } else { told.join(" ") };
            self.unknown(told, opened.into_iter().take(LISTED).collect(), &pointer);
        }
    }

    fn grid_factor(&mut self, factor: &SetGridFactor, today: Date) {
        let SetGridFactor { site, milligrams_per_kwh } = factor;
        let entry = json!({
            "year": today.year(), "milligramsPerKwh": milligrams_per_kwh, "document": { "number": "whatif" },
        });
        let by = self.by;
        let mut any = false;
        for document in self.of_kind("Site") {
            if site.as_deref().is_some_and(|name| name != document.name) {
                continue;
            }
            let others = document.value.pointer("/spec/gridFactors").and_then(Value::as_array).cloned();
            let same = |one: &Value| {
                let location = one.get("basis").is_none_or(|basis| basis == "Location");
                location && one.get("year").and_then(Value::as_i64) == Some(i64::from(today.year()))
            };
            let mut factors: Vec<Value> = others.unwrap_or_default().into_iter().filter(|one| !same(one)).collect();
            factors.push(entry.clone());
            edit::set(document, "/spec/gridFactors", Value::Array(factors), by);
            any = true;
        }
        if !any {
            self.missing("Site", "", site.as_deref().unwrap_or("*"));
        }
    }

    /// Whom emergency mode names must be there.
    fn emergency(&mut self, mode: &Emergency) {
        for tenant in &mode.tenants {
            if self.find("Tenant", "", tenant).is_none() {
                self.missing("Tenant", "", tenant);
            }
        }
        for workload in &mode.workloads {
            let (namespace, name) = workload.split_once('/').unwrap_or_default();
            if self.find("FleetWorkload", namespace, name).is_none() {
                self.missing("FleetWorkload", namespace, name);
            }
        }
    }

    /// Tells that an object is not there, with the names that are like it.
    fn missing(&mut self, kind: &str, namespace: &str, name: &str) {
        let object = ObjectRef::new(kind, namespace, name).to_string();
        let of_kind = || self.documents.iter().filter(|document| document.kind == kind);
        let full = |document: &Document| match document.namespace.as_str() {
            "" => document.name.clone(),
            namespace => format!("{namespace}/{}", document.name),
        };
        let mut wanted = schema::nearest(name, of_kind().map(|document| document.name.as_str()));
        if wanted.is_empty() {
            wanted = of_kind().map(full).take(LISTED).collect();
        }
        let verb = self.by.pointer.clone();
        self.unknown(object, wanted, &verb);
    }

    fn unknown(&mut self, object: String, wanted: Vec<String>, pointer: &str) {
        let document = self.by.document;
        let reason = Reason::new(Code::ReferenceUnknown).object(object).seen(document.object_ref().to_string());
        self.findings.push(document.finding(reason.wanted(wanted), pointer));
    }
}

/// Lets a term end on a day. `false` when it had ended by then.
fn ends(one: &mut Value, from: &str, until: &str, latest_from: &str, last: &str) -> bool {
    if edit::text(one, until) <= last {
        return false;
    }
    if edit::text(one, from) > latest_from {
        edit::put(one, from, json!(latest_from));
    }
    edit::put(one, until, json!(last));
    true
}
