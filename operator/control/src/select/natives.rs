//! What the hub has of native objects, as its watches say. Pure: no client, no clock.
//!
//! An object is kept as its author wrote it, with what tells one version from another, its status, and who else writes
//! that status: where a controller does, its kind is not ours to deliver. What is absent is only known to be absent once
//! its kind was listed whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_engine::terms::{DigestAlgorithm, Hasher};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::{digest, selection};
use serde_json::{Value, json};

use super::kinds::{KINDS, Kind};

/// What a watch of native objects says.
#[derive(Debug)]
pub(crate) enum Event {
    /// A kind is being listed anew.
    Begin { kind: &'static Kind },
    /// Every object of a kind was seen since.
    Complete { kind: &'static Kind },
    /// An object is there, or is another than before.
    Put { kind: &'static Kind, object: Box<Value> },
    /// An object is gone.
    Gone { kind: &'static Kind, namespace: String, name: String },
    /// A kind cannot be followed.
    Refused { kind: &'static Kind, why: String },
}

/// A native object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Native {
    pub(crate) kind: &'static Kind,
    pub(crate) uid: String,
    pub(crate) generation: i64,
    pub(crate) created: Option<Timestamp>,
    /// As its author wrote it; `None` where no workload may have it.
    pub(crate) manifest: Option<Value>,
    /// Another one for another content. No digest of a Secret: that could be guessed from.
    pub(crate) version: String,
    pub(crate) status: Value,
    /// Who else writes its status.
    pub(crate) foreign: Option<String>,
    /// Of what is beneath another object: that object's kind and uid.
    pub(crate) owner: Option<(String, String)>,
    /// Of a ReplicaSet that we wrote: its spec.
    pub(crate) mirror: Option<Value>,
}

/// Kind and name in a namespace.
type Key = (&'static str, String);

/// What an event changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Namespaces where objects came, went or are others than before.
    pub(crate) content: BTreeSet<String>,
    /// Namespaces where a status or something beneath an object did.
    pub(crate) told: BTreeSet<String>,
    /// What can be said of all namespaces changed.
    pub(crate) everything: bool,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(crate) struct Natives {
    all: BTreeMap<String, BTreeMap<Key, Native>>,
    listing: BTreeMap<&'static str, BTreeSet<(String, String)>>,
    complete: BTreeSet<&'static str>,
    refused: BTreeMap<&'static str, String>,
    /// Kinds that a controller acts on: by kind, which objects show it.
    foreign: BTreeMap<&'static str, BTreeMap<(String, String), String>>,
}

impl Natives {
    /// Takes an event in.
    pub(crate) fn take(&mut self, event: Event) -> Touched {
        let mut touched = Touched::default();
        match event {
            Event::Begin { kind } => drop(self.listing.insert(kind.kind, BTreeSet::new())),
            Event::Complete { kind } => {
                let seen = self.listing.remove(kind.kind).unwrap_or_default();
                for (namespace, name) in self.of_kind(kind.kind) {
                    if !seen.contains(&(namespace.clone(), name.clone())) {
                        self.remove(kind, &namespace, &name, &mut touched);
                    }
                }
                self.refused.remove(kind.kind);
                touched.everything = self.complete.insert(kind.kind);
            }
            Event::Put { kind, object } => self.put(kind, &object, &mut touched),
            Event::Gone { kind, namespace, name } => self.remove(kind, &namespace, &name, &mut touched),
            // What was listed before stays known; a watch that breaks begins anew.
            Event::Refused { kind, why } if !self.complete.contains(kind.kind) => {
                touched.everything = self.refused.insert(kind.kind, why.clone()) != Some(why);
            }
            Event::Refused { .. } => {}
        }
        touched
    }

    fn put(&mut self, kind: &'static Kind, object: &Value, touched: &mut Touched) {
        let view = Object::new(object);
        let (namespace, name) = (view.namespace().to_owned(), view.name().to_owned());
        if let Some(seen) = self.listing.get_mut(kind.kind) {
            seen.insert((namespace.clone(), name.clone()));
        }
        // What the platform itself keeps there is nobody's workload, and credentials of members are nobody's business.
        let ours = namespace == meta::SYSTEM_NAMESPACE || namespace.starts_with(meta::MEMBER_NAMESPACE_PREFIX);
        if ours || namespace == "kube-system" {
            return;
        }
        let native = Native::new(kind, object);
        self.note_foreign(&native, &namespace, &name);
        let of_namespace = self.all.entry(namespace.clone()).or_default();
        let before = of_namespace.insert((kind.kind, name), native.clone());
        let content = before.as_ref().is_none_or(|before| {
            (&before.uid, &before.version, &before.foreign) != (&native.uid, &native.version, &native.foreign)
        });
        if native.foreign.is_some() && before.as_ref().is_none_or(|before| before.foreign.is_none()) {
            touched.everything = true;
        }
        if content && native.manifest.is_some() {
            touched.content.insert(namespace);
        } else if before.as_ref() != Some(&native) {
            touched.told.insert(namespace);
        }
    }

    fn note_foreign(&mut self, native: &Native, namespace: &str, name: &str) {
        let at = (namespace.to_owned(), name.to_owned());
        // A Job beneath a CronJob was made by the controller of CronJobs.
        if let Some((owner, _)) =
            native.owner.as_ref().filter(|(owner, _)| native.kind.kind == "Job" && owner == "CronJob")
            && let Some(kind) = super::kinds::named(owner)
        {
            self.foreign.entry(kind.kind).or_default().insert(at.clone(), "its controller".to_owned());
        }
        let of_kind = self.foreign.entry(native.kind.kind).or_default();
        match &native.foreign {
            Some(manager) => drop(of_kind.insert(at, manager.clone())),
            None => drop(of_kind.remove(&at)),
        }
    }

    fn remove(&mut self, kind: &'static Kind, namespace: &str, name: &str, touched: &mut Touched) {
        let Some(of_namespace) = self.all.get_mut(namespace) else { return };
        let Some(native) = of_namespace.remove(&(kind.kind, name.to_owned())) else { return };
        if of_namespace.is_empty() {
            self.all.remove(namespace);
        }
        if let Some(of_kind) = self.foreign.get_mut(kind.kind) {
            touched.everything |= of_kind.remove(&(namespace.to_owned(), name.to_owned())).is_some();
        }
        let changed = if native.manifest.is_some() { &mut touched.content } else { &mut touched.told };
        changed.insert(namespace.to_owned());
    }

    fn of_kind(&self, kind: &str) -> Vec<(String, String)> {
        let all = self.all.iter();
        let of_kind = |(namespace, objects): (&String, &BTreeMap<Key, Native>)| -> Vec<(String, String)> {
            let names = objects.keys().filter(|(one, _)| *one == kind).map(|(_, name)| name.clone());
            names.map(|name| (namespace.clone(), name)).collect()
        };
        all.flat_map(of_kind).collect()
    }

    /// Objects of a namespace that a workload may have.
    pub(crate) fn of_namespace(&self, namespace: &str) -> impl Iterator<Item = (&str, &Native)> {
        let objects = self.all.get(namespace).into_iter().flatten();
        objects.filter(|(_, native)| native.manifest.is_some()).map(|((_, name), native)| (name.as_str(), native))
    }

    /// An object.
    pub(crate) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Native> {
        let kind = super::kinds::named(kind)?;
        self.all.get(namespace)?.get(&(kind.kind, name.to_owned()))
    }

    /// A kind that was never listed whole, and why not where that is known; `None` when every kind was.
    pub(crate) fn unread(&self) -> Option<(&'static str, Option<&str>)> {
        let missing = || KINDS.iter().map(|kind| kind.kind).filter(|kind| !self.complete.contains(kind));
        let refused = missing().find(|kind| self.refused.contains_key(kind)).or_else(|| missing().next())?;
        Some((refused, self.refused.get(refused).map(String::as_str)))
    }

    /// What shows that a controller acts on a kind: an object and who wrote its status.
    pub(crate) fn acted_on(&self, kind: &str) -> Option<(String, &str)> {
        let ((namespace, name), manager) = self.foreign.get(kind)?.first_key_value()?;
        Some((format!("{namespace}/{name}"), manager))
    }

    /// Whether objects of a kind have been left alone: one is older than this instant and nobody acted on it.
    pub(crate) fn left_alone(&self, kind: &str, since: Timestamp) -> bool {
        let mut of_kind = self.all.values().flatten().filter(|((one, _), _)| *one == kind).map(|(_, native)| native);
        of_kind.any(|native| native.foreign.is_none() && native.created.is_some_and(|created| created <= since))
    }
}

impl Native {
    pub(crate) fn new(kind: &'static Kind, object: &Value) -> Self {
        let view = Object::new(object);
        let manifest = selection::prepare(object);
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(view.text("/metadata/uid").as_bytes());
        match &manifest {
            // Neither has a status, so another version is another content.
            Some(_) if matches!(kind.kind, "Secret" | "ConfigMap") => {
                hasher.field(view.text("/metadata/resourceVersion").as_bytes());
            }
            Some(manifest) => hasher.field(digest::of(manifest).to_string().as_bytes()),
            None => hasher.field(b""),
        }
        let controller = view.value.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let controller = controller.into_iter().flatten().find(|owner| owner["controller"] == true);
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let owner = controller.map(|owner| (text(owner, "kind"), text(owner, "uid")));
        let mirrored = kind.kind == "ReplicaSet"
            && view.labels().get(meta::LABEL_MANAGED_BY).is_some_and(|by| by == meta::MANAGED_BY);
        Self {
            kind,
            uid: view.text("/metadata/uid").to_owned(),
            generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0),
            created: view.text("/metadata/creationTimestamp").parse().ok(),
            version: hasher.finish().to_string(),
            status: object.get("status").cloned().unwrap_or_else(|| json!({})),
            foreign: foreign(object),
            owner,
            mirror: mirrored.then(|| object["spec"].clone()),
            manifest,
        }
    }
}

/// Who else writes the status of an object, by its managed fields.
fn foreign(object: &Value) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let mut of_status =
        entries.filter(|entry| entry["subresource"] == "status").filter_map(|entry| entry["manager"].as_str());
    of_status.find(|manager| *manager != meta::FIELD_MANAGER).map(str::to_owned)
}
