//! The managers of an object: `metadata.managedFields` read, changed by a write, and printed.
//!
//! Two kinds of write change it. An update (every verb but apply) takes over what it changes, for the manager's name. An
//! apply owns exactly what its configuration names, and is refused when that would change what another manager holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::schema::Schema;

use super::set::{Set, Step, dotted};
use super::typed::{self, compare};

/// Who writes, and how it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    /// `Apply` before `Update`, as entries are sorted.
    operation: String,
    name: String,
    /// Part of the identity of an update only.
    version: String,
    subresource: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    set: Set,
    version: String,
    time: Option<String>,
}

/// All managers of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Managers {
    entries: BTreeMap<Manager, Entry>,
}

/// What a write says about itself.
pub(crate) struct Writer<'a> {
    /// Field manager, or what stands before the slash of the user agent.
    pub(crate) name: &'a str,
    /// `apiVersion` the object was written in.
    pub(crate) version: &'a str,
    /// Subresource, or empty.
    pub(crate) subresource: &'a str,
    /// Time, as printed; the scale endpoint records none.
    pub(crate) now: Option<&'a str>,
}

/// Through what it is written.
pub(crate) struct Endpoint<'a> {
    /// Schema of the kind.
    pub(crate) schema: &'a Schema,
    /// The object of the kind that says nothing.
    pub(crate) empty: &'a Value,
    /// Paths the endpoint resets, so that nobody owns them through it.
    pub(crate) ignored: &'a Set,
}

/// A path that another manager holds.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    pub(crate) manager: String,
    pub(crate) path: String,
}

/// Entries of updates beyond these many are folded into one.
const MAX_UPDATERS: usize = 10;

impl Managers {
    /// Reads `metadata.managedFields`; entries that are no entries are left out.
    pub(crate) fn read(object: &Value) -> Self {
        let mut entries = BTreeMap::new();
        for entry in object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (operation, version) = (text("operation"), text("apiVersion"));
            if version.is_empty() || !matches!(operation.as_str(), "Apply" | "Update") {
                continue;
            }
            let manager = Manager {
                name: text("manager"),
                version: if operation == "Apply" { String::new() } else { version.clone() },
                operation,
                subresource: text("subresource"),
            };
            let set = Set::read(entry.get("fieldsV1").unwrap_or(&Value::Null));
            let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
            entries.insert(manager, Entry { set, version, time });
        }
        Self { entries }
    }

    /// Whether nobody is recorded.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// As `metadata.managedFields`: by operation, time, name, version, subresource.
    pub(crate) fn print(&self) -> Value {
        let mut entries: Vec<(&Manager, &Entry)> = self.entries.iter().collect();
        entries.sort_by(|(a, x), (b, y)| {
            (&a.operation, &x.time, &a.name, &x.version, &a.subresource).cmp(&(
                &b.operation,
                &y.time,
                &b.name,
                &y.version,
                &b.subresource,
            ))
        });
        let printed = |(manager, entry): (&Manager, &Entry)| {
            let mut out = json!({"manager": manager.name, "operation": manager.operation, "apiVersion": entry.version,
                "fieldsType": "FieldsV1", "fieldsV1": entry.set.print()});
            if let Some(time) = &entry.time {
                out["time"] = json!(time);
            }
            if !manager.subresource.is_empty() {
                out["subresource"] = json!(manager.subresource);
            }
            out
        };
        Value::Array(entries.into_iter().map(printed).collect())
    }

    /// Records an update from `old` to `new`; both without managed fields. Nobody is recorded on an object that has no
    /// managers and existed before.
    pub(crate) fn update(&mut self, endpoint: &Endpoint<'_>, old: &Value, new: &Value, writer: &Writer<'_>) {
        let created = old.as_object().is_none_or(|old| old.get("metadata").is_none_or(|m| m.get("uid").is_none()));
        if self.is_empty() && !created {
            return;
        }
        self.record_update(endpoint, old, new, writer);
        self.fold_old_updaters();
    }

    fn record_update(&mut self, endpoint: &Endpoint<'_>, old: &Value, new: &Value, writer: &Writer<'_>) {
        let change = compare(Some(endpoint.schema), old, new);
        let ignored = endpoint.ignored;
        let (added, modified, removed) = (
            change.added.without_trees(ignored),
            change.modified.without_trees(ignored),
            change.removed.without_trees(ignored),
        );
        let taken = modified.union(&added);
        for entry in self.entries.values_mut() {
            entry.set = entry.set.difference(&taken).difference(&removed);
        }
        self.entries.retain(|_, entry| !entry.set.is_empty());
        let mine = taken.difference(&never_owned());
        if !mine.is_empty() {
            let manager = Manager {
                operation: "Update".to_owned(),
                name: writer.name.to_owned(),
                version: writer.version.to_owned(),
                subresource: writer.subresource.to_owned(),
            };
            let before = self.entries.get(&manager).map(|entry| entry.set.clone()).unwrap_or_default();
            let entry = Entry {
                set: before.union(&mine),
                version: writer.version.to_owned(),
                time: writer.now.map(str::to_owned),
            };
            self.entries.insert(manager, entry);
        }
    }

    /// More updaters than fit: the oldest become one entry.
    fn fold_old_updaters(&mut self) {
        loop {
            let mut updaters: Vec<(Option<String>, Manager)> = self
                .entries
                .iter()
                .filter(|(manager, _)| manager.operation == "Update")
                .map(|(manager, entry)| (entry.time.clone(), manager.clone()))
                .collect();
            if updaters.len() <= MAX_UPDATERS {
                return;
            }
            updaters.sort();
            let Some((time, oldest)) = updaters.into_iter().find(|(_, manager)| manager.name != "ancient-changes")
            else {
                return;
            };
            let Some(entry) = self.entries.remove(&oldest) else { return };
            let ancient = Manager { name: "ancient-changes".to_owned(), subresource: String::new(), ..oldest };
            let into = self.entries.entry(ancient).or_insert(Entry {
                set: Set::default(),
                version: entry.version.clone(),
                time: None,
            });
            into.set = into.set.union(&entry.set);
            into.time = time;
        }
    }

    /// Applies `config` to `live`, both without managed fields: the object it makes, or what stands against it.
    ///
    /// # Errors
    /// The paths that other managers hold with another value, unless forced.
    pub(crate) fn apply(
        &mut self,
        endpoint: &Endpoint<'_>,
        live: Option<&Value>,
        config: &Value,
        force: bool,
        writer: &Writer<'_>,
    ) -> Result<Value, Vec<Conflict>> {
        if let Some(live) = live
            && self.is_empty()
        {
            let before = Writer { name: "before-first-apply", ..*writer };
            self.record_update(endpoint, endpoint.empty, live, &before);
        }
        let &Endpoint { schema, empty, ignored } = endpoint;
        let live = live.unwrap_or(empty);
        let merged = typed::merge(Some(schema), live, config);
        let manager = Manager {
            operation: "Apply".to_owned(),
            name: writer.name.to_owned(),
            version: String::new(),
            subresource: writer.subresource.to_owned(),
        };
        let last = self.entries.get(&manager).map(|entry| entry.set.clone());
        let set = typed::paths(Some(schema), config).without_trees(ignored);
        let entry = Entry { set, version: writer.version.to_owned(), time: writer.now.map(str::to_owned) };
        let mut after = self.clone();
        let before = after.entries.insert(manager.clone(), entry);
        let merged = match last {
            Some(last) if !last.is_empty() => after.pruned(schema, &merged, &last),
            _ => merged,
        };

        let change = compare(Some(schema), live, &merged);
        let taken = change.modified.union(&change.added).without_trees(ignored);
        let removed = change.removed.without_trees(ignored);
        let mut conflicts = Vec::new();
        for (other, entry) in after.entries.iter_mut().filter(|(other, _)| **other != manager) {
            let lost = entry.set.intersection(&taken);
            conflicts
                .extend(lost.paths().iter().map(|path| Conflict { manager: other.shown(entry), path: dotted(path) }));
            entry.set = entry.set.difference(&lost).difference(&removed);
        }
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        let mine = after.entries.get_mut(&manager);
        if let Some(entry) = mine {
            entry.set = entry.set.difference(&never_owned());
            // The object did not move: the time stays, and a manager that is new has none.
            if merged == *live {
                entry.time = before.and_then(|before| before.time);
            }
        }
        after.entries.retain(|_, entry| !entry.set.is_empty());
        *self = after;
        Ok(merged)
    }

    /// The merged object without what the manager applied last time, does not apply now, and nobody else holds.
    fn pruned(&self, schema: &Schema, merged: &Value, last: &Set) -> Value {
        let without = |paths: &Set| typed::without(Some(schema), merged, paths).unwrap_or_else(|| json!({}));
        let pruned = without(&typed::with_named_fields(Some(schema), last));
        let held = self.entries.values().fold(Set::default(), |held, entry| held.union(&entry.set));
        let all = typed::paths(Some(schema), merged);
        let named = |set: &Set| typed::with_named_fields(Some(schema), set);
        let kept = named(&typed::paths(Some(schema), &pruned)).union(&named(&held));
        let pruned = without(&named(&all).difference(&kept));
        // What nobody applied before stays, whoever holds it.
        let left = typed::paths(Some(schema), &pruned);
        without(&named(&all).difference(&named(&left)).intersection(&named(last)))
    }
}

impl Manager {
    /// As the message of a conflict names it.
    fn shown(&self, entry: &Entry) -> String {
        let mut out = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            out = format!("{out} with subresource {:?}", self.subresource);
        }
        if self.operation == "Update" {
            out = format!("{out} using {}", entry.version);
        }
        out
    }
}

/// What no manager ever holds.
fn never_owned() -> Set {
    let field = |name: &str| Step::Field(name.to_owned());
    let mut set = Set::default();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&[field(name)]);
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&[field("metadata"), field(name)]);
    }
    set
}
