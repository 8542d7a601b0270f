//! The one store: every version of every object under one revision that only grows, as in etcd.
//!
//! A delete takes a revision too. Versions below the compaction point are forgotten; who asks for them is told so by the
//! callers. Nothing here knows a kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

/// An object of the store.
pub(crate) type Object = Arc<Value>;

/// Where an object is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// `plural.group`, or `plural` of the core group.
    pub(crate) resource: String,
    /// `namespace/name` or `name`: in this order lists come out.
    pub(crate) path: String,
}

impl Key {
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        let path = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        Self { resource: resource.to_owned(), path }
    }

    pub(crate) fn namespace(&self) -> &str {
        self.path.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    pub(crate) fn name(&self) -> &str {
        self.path.split_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Object>,
    /// Nothing after a delete.
    pub(crate) after: Option<Object>,
}

/// All objects and their history.
#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    compacted: u64,
    rows: BTreeMap<Key, Vec<(u64, Option<Object>)>>,
    changes: Vec<Change>,
}

impl Store {
    pub(crate) fn new() -> Self {
        // A fresh etcd stands at 1.
        Self { revision: 1, compacted: 0, rows: BTreeMap::new(), changes: Vec::new() }
    }

    /// Revision of the last change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest revision that can still be read.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Lets revisions pass that belong to nobody here.
    pub(crate) fn skip(&mut self, by: u64) {
        self.revision += by;
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Object> {
        self.rows.get(key).and_then(|versions| versions.last()).and_then(|(_, object)| object.clone())
    }

    /// Stores an object under a new revision, which becomes its `resourceVersion`.
    pub(crate) fn put(&mut self, key: &Key, mut value: Value) -> Object {
        self.revision += 1;
        value["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        let object = Arc::new(value);
        self.record(key, Some(object.clone()));
        object
    }

    /// Removes an object; its last state with the revision of the removal.
    pub(crate) fn delete(&mut self, key: &Key) -> Option<Object> {
        let mut last = (*self.get(key)?).clone();
        self.revision += 1;
        last["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        self.record(key, None);
        Some(Arc::new(last))
    }

    fn record(&mut self, key: &Key, after: Option<Object>) {
        let before = self.get(key);
        self.rows.entry(key.clone()).or_default().push((self.revision, after.clone()));
        self.changes.push(Change { revision: self.revision, key: key.clone(), before, after });
    }

    /// The objects of a resource, in one namespace or in all, in the order of their paths, as they were at a revision.
    pub(crate) fn snapshot(&self, resource: &str, namespace: Option<&str>, revision: u64) -> Vec<(Key, Object)> {
        let from = Key { resource: resource.to_owned(), path: String::new() };
        let in_namespace = |key: &Key| namespace.is_none_or(|namespace| key.namespace() == namespace);
        self.rows
            .range(from..)
            .take_while(|(key, _)| key.resource == resource)
            .filter(|(key, _)| in_namespace(key))
            .filter_map(|(key, versions)| {
                let (_, object) = versions.iter().rev().find(|(at, _)| *at <= revision)?;
                object.clone().map(|object| (key.clone(), object))
            })
            .collect()
    }

    /// The objects of a resource now.
    pub(crate) fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<(Key, Object)> {
        self.snapshot(resource, namespace, self.revision)
    }

    /// Every object now.
    pub(crate) fn everything(&self) -> Vec<(Key, Object)> {
        let last = |(key, versions): (&Key, &Vec<(u64, Option<Object>)>)| {
            versions.last().and_then(|(_, object)| object.clone()).map(|object| (key.clone(), object))
        };
        self.rows.iter().filter_map(last).collect()
    }

    /// The changes after a revision.
    pub(crate) fn changes_after(&self, revision: u64) -> &[Change] {
        let from = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.get(from..).unwrap_or_default()
    }

    /// Forgets what was before a revision, as etcd's compaction does.
    pub(crate) fn compact(&mut self, revision: u64) {
        let revision = revision.min(self.revision);
        self.compacted = self.compacted.max(revision);
        for versions in self.rows.values_mut() {
            let keep = versions.partition_point(|(at, _)| *at <= revision).saturating_sub(1);
            versions.drain(..keep);
        }
        self.rows.retain(|_, versions| !matches!(versions.as_slice(), [(at, None)] if *at <= revision));
        self.changes.retain(|change| change.revision > revision);
    }

    /// A store that stands at an earlier revision, for reads of a server that fell behind.
    pub(crate) fn as_of(&self, revision: u64) -> Self {
        let mut out = Self {
            revision: self.revision,
            compacted: self.compacted,
            rows: self.rows.clone(),
            changes: self.changes.clone(),
        };
        out.roll_back(revision);
        out
    }

    /// Puts the store back to an earlier revision, as restoring a backup does: later changes never happened, and their
    /// revisions will be given again.
    pub(crate) fn roll_back(&mut self, revision: u64) {
        for versions in self.rows.values_mut() {
            versions.retain(|(at, _)| *at <= revision);
        }
        self.rows.retain(|_, versions| !versions.is_empty());
        self.changes.retain(|change| change.revision <= revision);
        self.revision = self.revision.min(revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_takes_a_revision_and_history_can_be_read_until_it_is_compacted() {
        let mut store = Store::new();
        let key = Key::new("configmaps", "a", "x");
        store.put(&key, json!({"metadata": {}, "data": {"n": "1"}}));
        let second = store.put(&key, json!({"metadata": {}, "data": {"n": "2"}}));
        assert_eq!(second["metadata"]["resourceVersion"], "3");
        let gone = store.delete(&key).unwrap();
        assert_eq!((gone["metadata"]["resourceVersion"].as_str(), store.revision()), (Some("4"), 4));
        assert!(store.get(&key).is_none());
        assert_eq!(store.snapshot("configmaps", Some("a"), 2)[0].1["data"]["n"], "1");
        assert_eq!(store.snapshot("configmaps", Some("a"), 3).len(), 1);
        assert_eq!(store.changes_after(2).len(), 2);
        store.compact(4);
        assert_eq!((store.changes_after(0).len(), store.everything().len()), (0, 0));
    }

    #[test]
    fn lists_come_in_the_order_of_the_paths() {
        let mut store = Store::new();
        for (namespace, name) in [("a", "b"), ("a-b", "a"), ("a", "a")] {
            store.put(&Key::new("secrets", namespace, name), json!({"metadata": {}}));
        }
        let paths: Vec<String> = store.list("secrets", None).into_iter().map(|(key, _)| key.path).collect();
        assert_eq!(paths, ["a-b/a", "a/a", "a/b"]);
    }

    #[test]
    fn a_restored_backup_forgets_what_came_after_it() {
        let mut store = Store::new();
        let key = Key::new("secrets", "a", "x");
        store.put(&key, json!({"metadata": {}, "v": 1}));
        store.put(&key, json!({"metadata": {}, "v": 2}));
        store.roll_back(2);
        assert_eq!((store.get(&key).unwrap()["v"].as_i64(), store.revision()), (Some(1), 2));
    }
}
