//! Selections in the state: a workload with `select` has, for everything that reads the state, the native objects it
//! takes as its objects.
//!
//! They are put in whenever the workload or an object of its namespace changes, at the next refresh, because the time
//! counts; what is taken again because a workload's status changed is what was taken before.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::objects::Key;
use jiuzhou_objects::profile::Profiles;

use super::State;
use super::concern;
use crate::select::resolve::{Ground, Resolution, resolve};
use crate::select::{Event, Natives};

impl State {
    /// From now on selections are resolved: the operator runs as that of a dedicated hub.
    pub(crate) fn dedicate(&mut self) {
        self.dedicated = true;
    }

    /// Whether a workload selects native objects.
    pub(crate) fn selects(&self) -> bool {
        !self.selecting.is_empty() || !self.unresolved.is_empty()
    }

    /// What is known of native objects.
    pub(crate) fn natives(&self) -> &Natives {
        &self.natives
    }

    /// What a workload's selection was resolved to; `None` for one that selects nothing.
    pub(crate) fn resolution(&self, key: &WorkloadKey) -> Option<&Resolution> {
        self.selecting.get(&(key.namespace.clone(), key.name.clone()))
    }

    /// When a selection is to be looked at again without an event.
    pub(crate) fn selections_settle(&self) -> Option<Timestamp> {
        self.selecting.values().filter_map(|resolution| resolution.again).min()
    }

    /// Whether something changed that the next refresh will resolve.
    pub(crate) fn is_unresolved(&self) -> bool {
        !self.unresolved.is_empty()
    }

    /// Takes in what was seen of native objects. Returns the workloads whose natives changed in any way.
    pub(crate) fn take_native(&mut self, event: Event) -> Vec<WorkloadKey> {
        let touched = self.natives.take(event);
        let of = |key: &&Key, namespaces: &BTreeSet<String>| namespaces.contains(&key.0);
        let all = || self.selecting.keys().chain(&self.unresolved);
        let unresolved: BTreeSet<Key> = if touched.everything {
            all().cloned().collect()
        } else {
            all().filter(|key| of(key, &touched.content)).cloned().collect()
        };
        let told: BTreeSet<Key> = all().filter(|key| of(key, &touched.told)).cloned().collect();
        let keys = unresolved.union(&told).map(|(namespace, name)| WorkloadKey::new(namespace, name)).collect();
        self.unresolved.extend(unresolved);
        keys
    }

    /// The objects of a workload before it is read anew, if it selects them.
    pub(super) fn carry(&mut self, object: &ObjectRef) -> Option<Carried> {
        let key = selecting(object)?;
        if object.kind == "FleetPlacement" {
            // Whether something has a place decides what is said of a selection that takes nothing.
            if self.objects.unselected.contains_key(&key) {
                self.unresolved.insert(key);
            }
            return None;
        }
        let item = self.objects.workloads.get_mut(&key)?;
        item.object.spec.select.as_ref()?;
        Some(Carried(std::mem::take(&mut Arc::make_mut(&mut item.object).spec.objects)))
    }

    /// Puts them back after it was read anew, where it selects the same.
    pub(super) fn restore(&mut self, object: &ObjectRef, carried: Option<Carried>) {
        if object.kind != "FleetWorkload" {
            return;
        }
        let key = (object.namespace.clone(), object.name.clone());
        let selection = self.objects.workloads.get(&key).and_then(|item| item.object.spec.select.as_ref());
        let Some(selection) = selection else {
            self.selecting.remove(&key);
            self.unresolved.remove(&key);
            self.objects.unselected.remove(&key);
            return;
        };
        let same = self.selecting.get(&key).is_some_and(|known| known.selection == *selection);
        match (same, carried, self.objects.workloads.get_mut(&key)) {
            (true, Some(carried), Some(item)) => Arc::make_mut(&mut item.object).spec.objects = carried.0,
            _ => drop(self.unresolved.insert(key)),
        }
    }

    /// Resolves what is due.
    pub(super) fn resolve(&mut self, as_of: Timestamp) {
        let mut due = std::mem::take(&mut self.unresolved);
        let again = self.selecting.iter().filter(|(_, known)| known.again.is_some_and(|at| at <= as_of));
        due.extend(again.map(|(key, _)| key.clone()));
        // Only native kinds are followed, and theirs are the built-in profiles.
        let profiles = Profiles::default();
        for key in due {
            let selection = self.objects.workloads.get(&key).and_then(|item| item.object.spec.select.clone());
            let Some(selection) = selection else { continue };
            let object = ObjectRef::new("FleetWorkload", &key.0, &key.1);
            let before = concern::ties(&self.objects, &object);
            let placed = self.objects.placements.get(&key).is_some_and(|item| !item.object.spec.clusters.is_empty());
            let ground = Ground { natives: &self.natives, namespace: &key.0, dedicated: self.dedicated, placed, as_of };
            let (resolution, outcome) = resolve(&selection, ground, &profiles);
            let Some(item) = self.objects.workloads.get_mut(&key) else { continue };
            match outcome {
                Ok(objects) => {
                    Arc::make_mut(&mut item.object).spec.objects = objects;
                    self.objects.unselected.remove(&key);
                }
                Err(reason) => {
                    Arc::make_mut(&mut item.object).spec.objects = Vec::new();
                    self.objects.unselected.insert(key.clone(), reason);
                }
            }
            self.concern.add(&self.objects, &object, &before);
            self.selecting.insert(key, resolution);
        }
    }
}

/// Objects of a workload on their way from one version of it to the next.
pub(super) struct Carried(Vec<jiuzhou_api::v1alpha1::WorkloadObject>);

fn selecting(object: &ObjectRef) -> Option<Key> {
    let tied = matches!(object.kind.as_str(), "FleetWorkload" | "FleetPlacement");
    tied.then(|| (object.namespace.clone(), object.name.clone()))
}
