//! The snapshot, kept up to date: only what a change concerns is converted again.
//!
//! Objects go in as the API server has them; the same checks, defaults and conversion that `plan` uses make a snapshot
//! of them, so both decide the same. What a change concerns is told by [`concern`]; where that is not clear everything
//! is converted again, and only what came out differently is touched. A property holds the snapshot against one that is
//! made anew. Pure: no client, no clock.

mod changes;
mod concern;
mod delivered;
#[cfg(test)]
mod door_tests;
mod selection;
mod systems;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{FleetInput, Snapshot, SnapshotError, Spec, WorkloadKey};
use jiuzhou_engine::terms::{Finding, ObjectRef, Severity};
use jiuzhou_intake::beijing;
use jiuzhou_intake::convert::{Base, Shared};
use jiuzhou_intake::documents::Document;
use jiuzhou_intake::objects::{Item, Key, Objects, named};
use jiuzhou_intake::schema::{Kinds, Rules, SchemaError};
use serde_json::Value;

pub use changes::Changed;
use concern::{Concern, Ties};
use delivered::{Delivered, Parts};

use crate::select::Natives;
use crate::select::resolve::Resolution;

/// The state cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The schemas of this build are broken.
    #[error("failed to read the built-in schemas")]
    Schema(#[from] SchemaError),
    /// Objects contradict each other in a way that conversion lets through, which is a fault of ours.
    #[error("failed to build the fleet")]
    Snapshot(#[from] SnapshotError),
}

/// Which version of an object was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    uid: String,
    /// `resourceVersion` as a number, which every API server we support compares by; 0 where it is none.
    number: u64,
    /// Which version of what was asked for; 0 where it is not told.
    generation: i64,
}

/// Kinds whose status only we write, several times for each version of what was asked for.
const TOLD_OFTEN: [&str; 2] = ["FleetPlacement", "FleetWorkload"];

/// Everything that is known of the hub's objects, and the snapshot made of it.
#[derive(Debug)]
pub struct State {
    kinds: Kinds,
    builtin: Objects,
    objects: Objects,
    versions: BTreeMap<ObjectRef, Version>,
    /// Objects seen since a kind began to be listed anew, by kind.
    listing: BTreeMap<String, BTreeSet<ObjectRef>>,
    complete: BTreeSet<String>,
    findings: BTreeMap<ObjectRef, Vec<Finding>>,
    base: Option<Base>,
    shared: Shared,
    snapshot: Snapshot,
    /// Tenants, tiers, freezes and tables of the snapshot; its clusters and workloads are in the snapshot alone.
    frame: FleetInput,
    day: Option<Date>,
    concern: Concern,
    changed: Changed,
    delivered: Delivered,
    /// Whether native objects may be selected here.
    dedicated: bool,
    natives: Natives,
    /// What the selection of a workload was resolved to, and those that are to be resolved.
    selecting: BTreeMap<Key, Resolution>,
    unresolved: BTreeSet<Key>,
}

impl State {
    /// A state that has seen nothing.
    ///
    /// # Errors
    /// When the schemas of this build are broken.
    pub fn new() -> Result<Self, StateError> {
        let kinds = Kinds::new(meta::GROUP, &jiuzhou_api::all_crds())?;
        // The built-in data is read by a test of its own room: it has no findings.
        let builtin = Objects::builtin(&kinds, &mut Vec::new());
        Ok(Self {
            kinds,
            objects: builtin.clone(),
            builtin,
            versions: BTreeMap::new(),
            listing: BTreeMap::new(),
            complete: BTreeSet::new(),
            findings: BTreeMap::new(),
            base: None,
            shared: Shared::default(),
            snapshot: Snapshot::default(),
            frame: FleetInput::default(),
            day: None,
            concern: Concern::everything(),
            changed: Changed::default(),
            delivered: Delivered::default(),
            dedicated: false,
            natives: Natives::default(),
            selecting: BTreeMap::new(),
            unresolved: BTreeSet::new(),
        })
    }

    /// A kind is being listed anew.
    pub fn begin(&mut self, kind: &str) {
        self.listing.insert(kind.to_owned(), BTreeSet::new());
    }

    /// A kind was listed whole: what was not seen is gone. Returns what is.
    pub fn complete(&mut self, kind: &str) -> Vec<ObjectRef> {
        let seen = self.listing.remove(kind).unwrap_or_default();
        let gone: Vec<_> =
            self.versions.keys().filter(|object| object.kind == kind && !seen.contains(object)).cloned().collect();
        for object in &gone {
            self.remove(object);
        }
        self.complete.insert(kind.to_owned());
        gone
    }

    /// Kinds that were never listed whole. Nothing may be decided while there is one.
    #[must_use]
    pub fn incomplete(&self) -> Vec<String> {
        jiuzhou_api::kinds().iter().map(|info| info.kind.clone()).filter(|kind| !self.complete.contains(kind)).collect()
    }

    /// An object is there. `None` when that was known or is older than what is known; else which object it is.
    pub fn put(&mut self, value: Value) -> Option<ObjectRef> {
        let version = version(&value);
        let document = Document::of_object(value)?;
        let object = document.object_ref();
        if let Some(seen) = self.listing.get_mut(&object.kind) {
            seen.insert(object.clone());
        }
        let known = self.versions.get(&object);
        if known.is_some_and(|known| known.uid == version.uid && known.number >= version.number && version.number > 0) {
            return None;
        }
        // What was asked for is as it was: its rules hold, and nobody else is concerned.
        let asked_before = known.is_some_and(|known| {
            (&known.uid, known.generation) == (&version.uid, version.generation) && version.generation > 0
        });
        let same =
            asked_before && TOLD_OFTEN.contains(&object.kind.as_str()) && !self.objects.refused.contains(&object);
        let ties = (!same).then(|| concern::ties(&self.objects, &object));
        let before = (ties, Parts::of(&self.objects, &object));
        let mut findings = Vec::new();
        let carried = self.carry(&object);
        let rules = if same { Rules::HeldBefore } else { Rules::Run };
        self.objects.put(document, &self.kinds, rules, &self.builtin, &mut findings);
        self.restore(&object, carried);
        self.moved(&object, &before);
        self.tell(&object, findings);
        self.versions.insert(object.clone(), version);
        Some(object)
    }

    /// An object is gone.
    pub fn remove(&mut self, object: &ObjectRef) {
        let before = (Some(concern::ties(&self.objects, object)), Parts::of(&self.objects, object));
        self.objects.remove(object, &self.builtin);
        self.restore(object, None);
        self.moved(object, &before);
        self.findings.remove(object);
        self.versions.remove(object);
    }

    /// An object is another than before, or gone; without ties only its status is.
    fn moved(&mut self, object: &ObjectRef, (ties, parts): &(Option<Ties>, Parts)) {
        match ties {
            Some(ties) => self.concern.add(&self.objects, object, ties),
            None => self.concern.add_told(object),
        }
        let now = Parts::of(&self.objects, object);
        if self.delivered.moved(object, parts, &now) {
            self.changed.told.insert(object.name.clone());
        }
    }

    fn tell(&mut self, object: &ObjectRef, findings: Vec<Finding>) {
        if findings.is_empty() {
            self.findings.remove(object);
        } else {
            self.findings.insert(object.clone(), findings);
        }
    }

    /// Brings the snapshot up to what was put in. What changed is added to [`State::take_changed`].
    ///
    /// # Errors
    /// [`StateError::Snapshot`]; the snapshot is as it was.
    pub fn refresh(&mut self, as_of: Timestamp) -> Result<(), StateError> {
        self.resolve(as_of);
        // Terms, prices and evidence are told by Beijing days.
        let day = beijing::day(as_of);
        let modes_change = self.modes_change().is_some_and(|at| at <= as_of);
        if self.day != Some(day) || modes_change {
            self.concern = Concern::everything();
        }
        if self.concern.is_everything() || self.base.is_none() {
            self.rebuild(as_of)?;
            self.day = Some(day);
        } else {
            self.touch(as_of);
        }
        self.concern = Concern::default();
        Ok(())
    }

    /// Converts what is concerned.
    fn touch(&mut self, as_of: Timestamp) {
        let Some(base) = self.base.take() else { return };
        let concern = std::mem::take(&mut self.concern);
        for name in &concern.clusters {
            let cluster = base.cluster(&self.objects, name, as_of, &mut Vec::new());
            self.changed.put_cluster(&mut self.snapshot, name, cluster);
        }
        for key in &concern.workloads {
            self.workload(&base, key);
        }
        self.base = Some(base);
    }

    fn workload(&mut self, base: &Base, key: &Key) {
        let mut findings = Vec::new();
        let spec = base.workload(&self.objects, key, &mut self.shared, &mut findings);
        self.changed.put_spec(&mut self.snapshot, &WorkloadKey::new(&key.0, &key.1), spec);
        if self.objects.workloads.contains_key(key) {
            self.tell(&ObjectRef::new("FleetWorkload", &key.0, &key.1), findings);
        }
    }

    /// Converts everything and touches what is different.
    fn rebuild(&mut self, as_of: Timestamp) -> Result<(), StateError> {
        let base = Base::new(&self.objects, as_of, &mut Vec::new());
        let mut findings = Vec::new();
        let mut fleet = base.fleet(&self.objects, as_of, &mut self.shared, &mut findings);
        let clusters = std::mem::take(&mut fleet.clusters);
        let specs = std::mem::take(&mut fleet.specs);
        if fleet != self.frame || self.base.is_none() {
            let mut next = Snapshot::new(fleet.clone())?;
            for (_, cluster) in self.snapshot.clusters() {
                next.upsert_cluster((**cluster).clone());
            }
            for spec in self.snapshot.specs() {
                next.upsert_spec((**spec).clone());
            }
            self.snapshot = next;
            self.frame = fleet;
            self.changed.frame = true;
        }
        let names: BTreeSet<String> = clusters.iter().map(|cluster| cluster.name.clone()).collect();
        let gone: Vec<String> =
            self.snapshot.clusters().map(|(_, c)| c.name.clone()).filter(|name| !names.contains(name)).collect();
        for name in gone {
            self.changed.put_cluster(&mut self.snapshot, &name, None);
        }
        for cluster in clusters {
            let name = cluster.name.clone();
            self.changed.put_cluster(&mut self.snapshot, &name, Some(cluster));
        }
        let keys: BTreeSet<WorkloadKey> = specs.iter().map(|spec| spec.key.clone()).collect();
        let gone: Vec<WorkloadKey> =
            self.snapshot.specs().map(|spec| spec.key.clone()).filter(|key| !keys.contains(key)).collect();
        for key in gone {
            self.changed.put_spec(&mut self.snapshot, &key, None);
        }
        for spec in specs {
            let key = spec.key.clone();
            self.changed.put_spec(&mut self.snapshot, &key, Some(spec));
        }
        let mut by_object: BTreeMap<ObjectRef, Vec<Finding>> = BTreeMap::new();
        for finding in findings {
            if let Some(object) = finding.subject.clone() {
                by_object.entry(object).or_default().push(finding);
            }
        }
        // What was refused at the door keeps its findings; the rest is told anew.
        let mut before = std::mem::take(&mut self.findings);
        // A workload tells of its own in its status; of most others nobody would.
        for (object, findings) in by_object.iter().filter(|(object, _)| object.kind != "FleetWorkload") {
            let fault = findings.iter().find(|finding| finding.severity == Severity::Error);
            if let Some(fault) = fault.filter(|_| before.get(object) != Some(findings)) {
                tracing::warn!(%object, code = %fault.reason.code, at = fault.pointer, "an object is at fault");
            }
        }
        before.retain(|object, _| self.objects.refused.contains(object));
        self.findings = before;
        self.findings.extend(by_object);
        self.shared.sweep();
        self.base = Some(base);
        Ok(())
    }

    /// What changed since this was asked last.
    pub fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// Whether anything changed that was not taken yet.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// What the engine decides on.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The snapshot's tenants, tiers, freezes and tables.
    #[must_use]
    pub fn frame(&self) -> &FleetInput {
        &self.frame
    }

    /// The objects, typed.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// What conversion looks things up in; `None` before the first [`State::refresh`].
    #[must_use]
    pub fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// A workload as the API server has it.
    #[must_use]
    pub fn fleet_workload(&self, key: &WorkloadKey) -> Option<&api::FleetWorkload> {
        self.objects.workloads.get(&(key.namespace.clone(), key.name.clone())).map(|item| &*item.object)
    }

    /// The placement of a workload as the API server has it.
    #[must_use]
    pub fn placement(&self, key: &WorkloadKey) -> Option<&api::FleetPlacement> {
        self.objects.placements.get(&(key.namespace.clone(), key.name.clone())).map(|item| &*item.object)
    }

    /// The placement rules that hold for a workload.
    #[must_use]
    pub fn rules(&self, key: &WorkloadKey) -> Option<&api::PlacementRules> {
        self.base.as_ref()?.rules(&self.objects, &(key.namespace.clone(), key.name.clone()))
    }

    /// What the engine would be told of a workload if it said this; `None` when it cannot be decided on.
    #[must_use]
    pub fn spec_as(&self, key: &WorkloadKey, workload: &api::FleetWorkload) -> Option<Spec> {
        let base = self.base.as_ref()?;
        let known = self.objects.workloads.get(&(key.namespace.clone(), key.name.clone()))?;
        let other = Item { object: Arc::new(workload.clone()), ..known.clone() };
        base.workload_as(&self.objects, &other, &mut Shared::default(), &mut Vec::new())
    }

    /// Workloads that wait for this one before they begin.
    #[must_use]
    pub fn dependents(&self, key: &WorkloadKey) -> Vec<WorkloadKey> {
        let from = (key.namespace.clone(), String::new());
        let here = self.objects.workloads.range(from..).take_while(|((namespace, _), _)| *namespace == key.namespace);
        let waits =
            |item: &Item<api::FleetWorkload>| item.object.spec.depends_on.iter().any(|name| **name == *key.name);
        here.filter(|(_, item)| waits(item)).map(|((namespace, name), _)| WorkloadKey::new(namespace, name)).collect()
    }

    /// When an emergency begins or ends next, after the instant of the last [`State::refresh`].
    #[must_use]
    pub fn modes_change(&self) -> Option<Timestamp> {
        self.base.as_ref()?.modes.next_change()
    }

    /// The Beijing day that the snapshot was refreshed for; `None` before the first [`State::refresh`].
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        self.day
    }

    /// The tenant of a workload; empty when nobody owns its namespace.
    #[must_use]
    pub fn tenant(&self, key: &WorkloadKey) -> String {
        let tenant = |base: &Base| base.tenant(&self.objects, &(key.namespace.clone(), key.name.clone()));
        self.base.as_ref().map(tenant).unwrap_or_default()
    }

    /// How many objects of the hub are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Workloads and placements that there are, by key.
    #[must_use]
    pub fn workload_keys(&self) -> BTreeSet<WorkloadKey> {
        let keys = self.objects.workloads.keys().chain(self.objects.placements.keys());
        keys.map(|(namespace, name)| WorkloadKey::new(namespace, name)).collect()
    }

    /// Workloads with a place in one of these clusters, or all of them.
    #[must_use]
    pub fn placed_in(&self, clusters: &BTreeSet<String>, all: bool) -> BTreeSet<WorkloadKey> {
        if all {
            return self.objects.placements.keys().map(|(of, name)| WorkloadKey::new(of, name)).collect();
        }
        clusters.iter().flat_map(|cluster| self.delivered.on(cluster)).cloned().collect()
    }

    /// The highest epoch any placement ever had; 0 when there was none.
    #[must_use]
    pub fn highest_epoch(&self) -> i64 {
        self.delivered.epoch()
    }

    /// Whether a cluster is known and does not answer: one side says so and none says otherwise.
    #[must_use]
    pub fn is_unreachable(&self, cluster: &str) -> bool {
        let sides = self.sides(cluster);
        sides.contains(&api::Reach::Unreachable) && !sides.contains(&api::Reach::Reachable)
    }

    /// Whether a cluster is known to answer.
    #[must_use]
    pub fn answers(&self, cluster: &str) -> bool {
        self.sides(cluster).contains(&api::Reach::Reachable)
    }

    /// A cluster as hub and agent see it.
    fn sides(&self, cluster: &str) -> [api::Reach; 2] {
        let member = named(&self.objects.clusters, cluster);
        let reach = member.and_then(|member| member.object.status.as_ref()?.reachability.as_ref());
        reach.map(|reach| [reach.hub, reach.agent]).unwrap_or_default()
    }

    /// Placements with something written down of copies that may leave their members.
    pub fn failing(&self) -> impl Iterator<Item = &WorkloadKey> {
        self.delivered.failing()
    }

    /// What is wrong with an object.
    #[must_use]
    pub fn findings(&self, object: &ObjectRef) -> &[Finding] {
        self.findings.get(object).map(Vec::as_slice).unwrap_or_default()
    }

    /// Everything that is wrong with any object.
    pub fn all_findings(&self) -> impl Iterator<Item = (&ObjectRef, &Vec<Finding>)> {
        self.findings.iter()
    }
}

fn version(value: &Value) -> Version {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    Version {
        uid: text("/metadata/uid").to_owned(),
        number: text("/metadata/resourceVersion").parse().unwrap_or(0),
        generation: value.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0),
    }
}
