//! What happens in the background of a cluster, one step per tick: namespaces are emptied, definitions with their
//! objects go, owned objects follow their owners, finalizers of the server are lifted.
//!
//! A real cluster does this in controllers, at its own pace; here a test says when. Every step works on what the store
//! held when the tick began, so that a chain of owners takes a tick per link.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::apply::{Endpoint, Managers, Set, Step, Writer};
use crate::meta;
use crate::store::{Key, Object};
use crate::verbs::{self, DeleteOptions};
use crate::world::Inner;

/// The field manager of the background.
pub(crate) const SERVER: &str = "kube-controller-manager";

/// Key of the taint of nodes that are not ready.
pub(crate) const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// The resource of custom resource definitions.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

impl Inner {
    /// One step of everything in the background; whether anything moved.
    pub(crate) fn tick(&mut self) -> bool {
        let before = self.store.revision();
        let objects = self.store.everything();
        self.empty_namespaces(&objects);
        self.remove_definitions(&objects);
        self.lift_protection(&objects);
        self.collect_garbage(&objects);
        self.run_controllers();
        self.bookmark_round += 1;
        self.store.revision() != before
    }

    /// Stores what the server itself changed, under its own manager.
    pub(crate) fn put_as(&mut self, manager: &str, subresource: &str, key: &Key, mut object: Value) {
        if let (Some(kind), Some(old)) = (self.kinds.by_resource(&key.resource), self.store.get(key)) {
            let now = self.clock.printed();
            let version = kind.api_version();
            let writer = Writer { name: manager, version: &version, subresource, now: Some(&now) };
            let empty = verbs::empty(&kind);
            let mut ignored = Set::default();
            if subresource == "status" {
                ignored.insert(&[Step::Field("metadata".to_owned())]);
            }
            let endpoint = Endpoint { schema: &kind.schema, empty: &empty, ignored: &ignored };
            let mut managers = Managers::read(&old);
            let (before, after) = (meta::without_managed_fields(&old), meta::without_managed_fields(&object));
            managers.update(&endpoint, &before, &after, &writer);
            verbs::set_managers(&mut object, &managers);
        }
        self.store.put(key, object);
    }

    fn empty_namespaces(&mut self, objects: &[(Key, Object)]) {
        let terminating: Vec<&(Key, Object)> = objects
            .iter()
            .filter(|(key, object)| key.resource == "namespaces" && meta::is_terminating(object))
            .collect();
        for (key, _) in terminating {
            let name = key.name();
            let inside: Vec<Key> = objects.iter().map(|(k, _)| k).filter(|k| k.namespace() == name).cloned().collect();
            for key in &inside {
                self.delete_in_background(key, |options| options);
            }
            let left: Vec<(Key, Object)> =
                self.store.everything().into_iter().filter(|(key, _)| key.namespace() == name).collect();
            if left.is_empty() {
                self.finish_namespace(key);
            } else {
                self.tell_namespace(key, &left);
            }
        }
    }

    /// Nothing is left inside: the namespace goes, or waits for finalizers of its own.
    fn finish_namespace(&mut self, key: &Key) {
        let Some(namespace) = self.store.get(key) else { return };
        let mut object = (*namespace).clone();
        object["spec"] = json!({});
        if meta::finalizers(&object).is_empty() {
            self.store.put(key, object);
            self.store.delete(key);
        } else if object != *namespace {
            self.store.put(key, object);
        }
    }

    /// The conditions say what is left.
    fn tell_namespace(&mut self, key: &Key, left: &[(Key, Object)]) {
        let Some(namespace) = self.store.get(key) else { return };
        let mut object = (*namespace).clone();
        let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut resources: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, object) in left {
            *resources.entry(key.resource.as_str()).or_default() += 1;
            for finalizer in meta::finalizers(object) {
                *finalizers.entry(finalizer).or_default() += 1;
            }
        }
        let counted = |counts: &BTreeMap<&str, usize>, what: &str| {
            let list: Vec<String> =
                counts.iter().map(|(name, n)| format!("{name} {what} {n} resource instances")).collect();
            list.join(", ")
        };
        let content = format!("Some resources are remaining: {}", counted(&resources, "has"));
        let waiting = format!("Some content in the namespace has finalizers remaining: {}", counted(&finalizers, "in"));
        let conditions = [
            (
                "NamespaceDeletionDiscoveryFailure",
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered".to_owned(),
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed".to_owned(),
            ),
            (
                "NamespaceDeletionContentFailure",
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization".to_owned(),
            ),
            ("NamespaceContentRemaining", "True", "SomeResourcesRemain", content),
            if finalizers.is_empty() {
                (
                    "NamespaceFinalizersRemaining",
                    "False",
                    "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished".to_owned(),
                )
            } else {
                ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", waiting)
            },
        ];
        let now = self.clock.printed();
        let before = object.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let conditions: Vec<Value> = conditions
            .into_iter()
            .map(|(kind, status, reason, message)| {
                let same = before.iter().find(|c| c["type"] == kind && c["status"] == status);
                let since = same.map_or_else(|| json!(now), |c| c["lastTransitionTime"].clone());
                json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
            })
            .collect();
        object["status"]["conditions"] = json!(conditions);
        if object != *namespace {
            self.put_as(SERVER, "status", key, object);
        }
    }

    /// A definition that was deleted takes its objects with it.
    fn remove_definitions(&mut self, objects: &[(Key, Object)]) {
        let terminating: Vec<&(Key, Object)> = objects
            .iter()
            .filter(|(key, object)| key.resource == DEFINITIONS && meta::is_terminating(object))
            .collect();
        for (key, _) in terminating {
            let resource = key.name().to_owned();
            for (key, _) in self.store.list(&resource, None) {
                self.delete_in_background(&key, |options| options);
            }
            if !self.store.list(&resource, None).is_empty() {
                continue;
            }
            self.lift(key, "customresourcecleanup.apiextensions.k8s.io");
            if self.store.get(key).is_none() {
                self.kinds.remove(&resource);
            }
        }
    }

    /// A definition marked for deletion says that its objects go first.
    pub(crate) fn mark_definition(&self, object: &mut Value) {
        let mut conditions =
            object.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        conditions.push(json!({"type": "Terminating", "status": "True", "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
            "lastTransitionTime": self.clock.printed()}));
        object["status"]["conditions"] = json!(conditions);
    }

    /// Claims and volumes that nobody uses lose their protection.
    fn lift_protection(&mut self, objects: &[(Key, Object)]) {
        for (key, object) in objects.iter().filter(|(_, object)| meta::is_terminating(object)) {
            match key.resource.as_str() {
                "persistentvolumeclaims" if !self.is_used(key) => self.lift(key, "kubernetes.io/pvc-protection"),
                "persistentvolumes" if object.pointer("/status/phase") != Some(&json!("Bound")) => {
                    self.lift(key, "kubernetes.io/pv-protection");
                }
                _ => {}
            }
        }
        for (key, object) in objects.iter().filter(|(key, _)| key.resource == "nodes") {
            self.lift_not_ready(key, object);
        }
    }

    /// A node that says it is ready loses the taint it was made with.
    pub(crate) fn lift_not_ready(&mut self, key: &Key, node: &Value) {
        let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions.into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True");
        let tainted = node.pointer("/spec/taints").and_then(Value::as_array);
        if !ready || !tainted.is_some_and(|taints| taints.iter().any(|taint| taint["key"] == NOT_READY)) {
            return;
        }
        let mut changed = node.clone();
        if let Some(taints) = changed.pointer_mut("/spec/taints").and_then(Value::as_array_mut) {
            taints.retain(|taint| taint["key"] != NOT_READY);
        }
        if changed.pointer("/spec/taints").and_then(Value::as_array).is_some_and(Vec::is_empty)
            && let Some(spec) = changed["spec"].as_object_mut()
        {
            spec.remove("taints");
        }
        self.put_as(SERVER, "", key, changed);
    }

    fn is_used(&self, claim: &Key) -> bool {
        self.store.list("pods", Some(claim.namespace())).iter().any(|(_, pod)| {
            let finished = matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
            let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
            let names =
                volumes.into_iter().flatten().filter_map(|v| v.pointer("/persistentVolumeClaim/claimName")?.as_str());
            !finished && names.into_iter().any(|name| name == claim.name())
        })
    }

    /// Owned objects follow their owners; marked owners wait for those that block them.
    fn collect_garbage(&mut self, objects: &[(Key, Object)]) {
        let uids: BTreeMap<String, &(Key, Object)> =
            objects.iter().map(|row| (meta::text(&row.1, "uid").to_owned(), row)).collect();
        for (key, object) in objects {
            let owners =
                object.pointer("/metadata/ownerReferences").and_then(Value::as_array).cloned().unwrap_or_default();
            if owners.is_empty() {
                continue;
            }
            let owner = |reference: &Value| {
                let uid = reference.get("uid").and_then(Value::as_str).unwrap_or_default();
                // An owner in another namespace is no owner.
                uids.get(uid).filter(|(k, _)| k.namespace().is_empty() || k.namespace() == key.namespace())
            };
            let living: Vec<&Value> = owners.iter().filter(|reference| owner(reference).is_some()).collect();
            let waiting = living.iter().all(|reference| {
                owner(reference).is_some_and(|(_, o)| {
                    meta::is_terminating(o) && meta::finalizers(o).contains(&"foregroundDeletion")
                })
            });
            if living.is_empty() {
                self.delete_in_background(key, |options| options);
            } else if waiting {
                // The dependents of a foreground deletion go first, their own dependents before them.
                let blocks = living.iter().any(|reference| reference["blockOwnerDeletion"] == true);
                self.delete_in_background(key, |mut options| {
                    if blocks {
                        options.propagation = Some("Foreground".to_owned());
                    }
                    options
                });
            }
        }
        for (key, object) in objects.iter().filter(|(_, object)| meta::is_terminating(object)) {
            let uid = meta::text(object, "uid");
            let dependents: Vec<(Key, Object)> =
                self.store.everything().into_iter().filter(|(_, dependent)| owned_by(dependent, uid)).collect();
            if meta::finalizers(object).contains(&"orphan") {
                for (key, dependent) in &dependents {
                    self.release(key, dependent, uid);
                }
                self.lift(key, "orphan");
            } else if meta::finalizers(object).contains(&"foregroundDeletion") {
                let blocking = dependents.iter().any(|(_, dependent)| {
                    let owners = dependent.pointer("/metadata/ownerReferences").and_then(Value::as_array);
                    owners.into_iter().flatten().any(|o| o["uid"] == uid && o["blockOwnerDeletion"] == true)
                });
                if !blocking {
                    self.lift(key, "foregroundDeletion");
                }
            }
        }
    }

    /// An orphaned dependent forgets its owner.
    fn release(&mut self, key: &Key, dependent: &Value, uid: &str) {
        let mut object = dependent.clone();
        if let Some(owners) = object.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
            owners.retain(|owner| owner["uid"] != uid);
            if owners.is_empty() {
                meta::metadata(&mut object).remove("ownerReferences");
            }
        }
        self.put_as(SERVER, "", key, object);
    }

    /// Takes one finalizer away; the last one lets the object go.
    pub(crate) fn lift(&mut self, key: &Key, finalizer: &str) {
        let Some(object) = self.store.get(key) else { return };
        let finalizers = meta::finalizers(&object);
        if !finalizers.contains(&finalizer) {
            return;
        }
        let left: Vec<&str> = finalizers.into_iter().filter(|f| *f != finalizer).collect();
        // A pod whose grace is not over stays: its kubelet lets it go.
        let grace = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or_default();
        if left.is_empty() && meta::is_terminating(&object) && grace == 0 {
            self.store.delete(key);
            return;
        }
        let mut changed = (*object).clone();
        if left.is_empty() {
            meta::metadata(&mut changed).remove("finalizers");
        } else {
            meta::metadata(&mut changed).insert("finalizers".to_owned(), json!(left));
        }
        self.put_as(SERVER, "", key, changed);
    }

    /// A delete by the server itself; what is going already is left alone.
    pub(crate) fn delete_in_background(&mut self, key: &Key, with: impl FnOnce(DeleteOptions) -> DeleteOptions) {
        let Some(kind) = self.kinds.by_resource(&key.resource) else {
            return;
        };
        let going = self.store.get(key).is_none_or(|object| meta::is_terminating(&object));
        if !going {
            // Nothing stands against a delete without conditions.
            let _ = self.delete_object(&kind, key, &with(DeleteOptions::background()));
        }
    }
}

fn owned_by(object: &Value, uid: &str) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| owner["uid"] == uid)
}
