//! Sets of field paths, the values of `managedFields`: a tree whose nodes are members or only lead to members.
//!
//! The order of path elements (field names, then list keys, then set values) is the order in which an API server prints
//! them. What a path means for a value stands in `typed`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A field of a map, `f:name`.
    Field(String),
    /// An element of a list of maps by its key fields, `k:{...}`; the text is JSON with sorted names.
    Key(String),
    /// An element of a set by its value, `v:...`; the text is JSON.
    Value(String),
    /// An element by its position, `i:0`; only read, never made.
    Index(u64),
}

impl Step {
    /// As it stands in `managedFields`.
    fn print(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(json) => format!("k:{json}"),
            Self::Value(json) => format!("v:{json}"),
            Self::Index(at) => format!("i:{at}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            // Through a value, so that the names are sorted.
            "k" => Some(Self::Key(serde_json::from_str::<Value>(rest).ok()?.to_string())),
            "v" => Some(Self::Value(serde_json::from_str::<Value>(rest).ok()?.to_string())),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    /// As it stands in the message of a conflict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(json) => {
                let fields: BTreeMap<String, Value> = serde_json::from_str(json).unwrap_or_default();
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Value(json) => write!(f, "[={json}]"),
            Self::Index(at) => write!(f, "[{at}]"),
        }
    }
}

/// A set of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    nodes: BTreeMap<Step, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    below: Set,
}

impl Set {
    /// Adds a path; the empty path is the object itself, which nobody owns.
    pub(crate) fn insert(&mut self, path: &[Step]) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = self.nodes.entry(first.clone()).or_default();
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.values().all(|node| !node.member && node.below.is_empty())
    }

    /// Whether one step is itself a member.
    pub(crate) fn has(&self, step: &Step) -> bool {
        self.nodes.get(step).is_some_and(|node| node.member)
    }

    /// The paths below one step, none when there are none.
    pub(crate) fn below(&self, step: &Step) -> Option<&Self> {
        self.nodes.get(step).map(|node| &node.below).filter(|below| !below.is_empty())
    }

    /// The steps that lead somewhere, with what lies below them.
    pub(crate) fn leading(&self) -> impl Iterator<Item = (&Step, &Self)> {
        self.nodes.iter().filter(|(_, node)| !node.below.is_empty()).map(|(step, node)| (step, &node.below))
    }

    /// Both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        for (step, node) in &other.nodes {
            let mine = out.nodes.entry(step.clone()).or_default();
            mine.member |= node.member;
            mine.below = mine.below.union(&node.below);
        }
        out
    }

    /// What is in both.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && theirs, Self::intersection, false)
    }

    /// What is here and not there. A path says nothing about the paths below it.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && !theirs, Self::difference, true)
    }

    fn combined(
        &self,
        other: &Self,
        member: fn(bool, bool) -> bool,
        below: fn(&Self, &Self) -> Self,
        keep_rest: bool,
    ) -> Self {
        let mut nodes = BTreeMap::new();
        for (step, node) in &self.nodes {
            let node = match other.nodes.get(step) {
                Some(theirs) => {
                    Node { member: member(node.member, theirs.member), below: below(&node.below, &theirs.below) }
                }
                None if keep_rest => node.clone(),
                None => continue,
            };
            if node.member || !node.below.is_empty() {
                nodes.insert(step.clone(), node);
            }
        }
        Self { nodes }
    }

    /// Without what another set holds and everything below it.
    pub(crate) fn without_trees(&self, other: &Self) -> Self {
        let mut nodes = BTreeMap::new();
        for (step, node) in &self.nodes {
            let theirs = other.nodes.get(step);
            if theirs.is_some_and(|theirs| theirs.member) {
                continue;
            }
            let below = theirs.map_or_else(|| node.below.clone(), |theirs| node.below.without_trees(&theirs.below));
            if node.member || !below.is_empty() {
                nodes.insert(step.clone(), Node { member: node.member, below });
            }
        }
        Self { nodes }
    }

    /// Every path, in order.
    pub(crate) fn paths(&self) -> Vec<Vec<Step>> {
        let mut out = Vec::new();
        self.collect(&mut Vec::new(), &mut out);
        out
    }

    fn collect(&self, prefix: &mut Vec<Step>, out: &mut Vec<Vec<Step>>) {
        // Members of one level before what lies below them, as an API server lists conflicts.
        for (step, node) in &self.nodes {
            if node.member {
                prefix.push(step.clone());
                out.push(prefix.clone());
                prefix.pop();
            }
        }
        for (step, node) in &self.nodes {
            prefix.push(step.clone());
            node.below.collect(prefix, out);
            prefix.pop();
        }
    }

    /// As `fieldsV1`.
    pub(crate) fn print(&self) -> Value {
        let mut out = Map::new();
        for (step, node) in &self.nodes {
            let mut below = match node.below.print() {
                Value::Object(below) => below,
                _ => Map::new(),
            };
            if node.member && !below.is_empty() {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            out.insert(step.print(), Value::Object(below));
        }
        Value::Object(out)
    }

    /// From `fieldsV1`; what is no path is left out.
    pub(crate) fn read(value: &Value) -> Self {
        let mut set = Self::default();
        for (text, below) in value.as_object().into_iter().flatten() {
            let Some(step) = Step::read(text) else { continue };
            let member = below.as_object().is_none_or(|below| below.is_empty() || below.contains_key("."));
            set.nodes.insert(step, Node { member, below: Self::read(below) });
        }
        set
    }
}

/// A path as the message of a conflict shows it.
pub(crate) fn dotted(path: &[Step]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &str) -> Step {
        Step::Field(name.to_owned())
    }

    #[test]
    fn a_set_prints_and_reads_itself() {
        let json = json!({"f:spec": {"f:replicas": {}, "f:ports": {
            ".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}},
            "f:metadata": {"f:finalizers": {"v:\"a/b\"": {}}}});
        assert_eq!(Set::read(&json).print(), json);
    }

    #[test]
    fn a_parent_says_nothing_about_its_children() {
        let mut parent = Set::default();
        parent.insert(&[field("a")]);
        let mut child = Set::default();
        child.insert(&[field("a"), field("b")]);
        assert_eq!(parent.difference(&child), parent);
        assert_eq!(child.difference(&parent), child);
        assert!(child.without_trees(&parent).is_empty());
        assert!(parent.intersection(&child).is_empty());
        assert_eq!(parent.union(&child).paths().len(), 2);
    }
}
