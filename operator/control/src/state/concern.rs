//! What a changed object concerns: itself, a few others, or everything.
//!
//! A kind that is not named here concerns everything; that is slow and never wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::convert::{Base, rivals};
use jiuzhou_intake::objects::{Key, Objects, named};

/// Workloads and clusters to convert again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Concern {
    everything: bool,
    pub(super) workloads: BTreeSet<Key>,
    pub(super) clusters: BTreeSet<String>,
}

/// What of an object others are tied to: where it changes, more than the object itself is concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    present: bool,
    /// Of a cluster: its site, which says which regions the fleet has.
    site: String,
    /// Of a workload: databases it needs, which clusters are asked for by name.
    databases: Vec<api::DatabaseNeed>,
    /// Of a workload or its placement: who claims the same objects.
    rivals: Vec<Key>,
    /// Of a system: itself, because what is told of it concerns nobody.
    system: Option<Arc<api::InformationSystem>>,
}

/// The ties of an object as it is now.
pub(super) fn ties(objects: &Objects, object: &ObjectRef) -> Ties {
    let key = (object.namespace.clone(), object.name.clone());
    match object.kind.as_str() {
        "MemberCluster" => named(&objects.clusters, &object.name).map_or_else(Ties::default, |item| Ties {
            present: true,
            site: item.object.spec.site.to_string(),
            ..Ties::default()
        }),
        // Others do not care whether it is there, only what it claims.
        "FleetWorkload" => objects.workloads.get(&key).map_or_else(Ties::default, |item| Ties {
            databases: item.object.spec.requirements.databases.clone(),
            rivals: rivals(objects, &key),
            ..Ties::default()
        }),
        "FleetPlacement" => Ties { rivals: rivals(objects, &key), ..Ties::default() },
        "InformationSystem" => {
            Ties { system: objects.systems.get(&key).map(|item| Arc::clone(&item.object)), ..Ties::default() }
        }
        _ => Ties::default(),
    }
}

impl Concern {
    /// All of it.
    pub(super) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// Adds a workload or a placement of which only more is told than before.
    pub(super) fn add_told(&mut self, object: &ObjectRef) {
        if !self.everything {
            self.workloads.insert((object.namespace.clone(), object.name.clone()));
        }
    }

    /// Adds what a change of an object concerns; `before` are its ties before the change.
    pub(super) fn add(&mut self, objects: &Objects, object: &ObjectRef, before: &Ties) {
        if self.everything {
            return;
        }
        let after = ties(objects, object);
        let same = (after.present, &after.site, &after.databases) == (before.present, &before.site, &before.databases);
        if Base::is_made_from(&object.kind) || !same {
            *self = Self::everything();
            return;
        }
        self.workloads.extend(before.rivals.iter().chain(&after.rivals).cloned());
        let key = (object.namespace.clone(), object.name.clone());
        match object.kind.as_str() {
            "FleetWorkload" | "FleetPlacement" => drop(self.workloads.insert(key)),
            "MemberCluster" => drop(self.clusters.insert(object.name.clone())),
            "InformationSystem" if said(before.system.as_deref()) == said(after.system.as_deref()) => {}
            "InformationSystem" => self.workloads.extend(of_namespace(objects, &object.namespace, Some(&object.name))),
            "PlacementPolicy" => self.workloads.extend(of_namespace(objects, &object.namespace, None)),
            // Deliveries and reports are told by others and tell the engine nothing.
            _ => {}
        }
    }
}

/// What a system says, apart from what is told of it.
fn said(system: Option<&api::InformationSystem>) -> Option<&api::InformationSystemSpec> {
    system.map(|system| &system.spec)
}

/// Workloads of a namespace, of one system where it is named.
fn of_namespace<'a>(
    objects: &'a Objects,
    namespace: &'a str,
    system: Option<&'a str>,
) -> impl Iterator<Item = Key> + 'a {
    let from = (namespace.to_owned(), String::new());
    let of_it = objects.workloads.range(from..).take_while(move |((of, _), _)| of == namespace);
    of_it
        .filter(move |(_, item)| system.is_none_or(|system| *item.object.spec.system == *system))
        .map(|(key, _)| key.clone())
}
