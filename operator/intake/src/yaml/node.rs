//! A JSON value built straight from the parser together with the positions of its parts.
//!
//! Scalars resolve in the parser (`deserialize_any` with the door's options); here integral floats become integers as
//! sigs.k8s.io/yaml writes them, keys become text, and keys that stand twice are noticed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::marks::{Entry, Inside, Mark};

/// A value, where its parts stand, what was odd, and how many values it is made of.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) inside: Inside,
    pub(super) problems: Vec<Problem>,
    pub(super) count: usize,
}

/// What the parser lets pass and we do not.
#[derive(Debug)]
pub(super) enum Problem {
    /// A key that stands twice.
    DuplicateKey { key: String, mark: Mark, first: Mark },
    /// An unquoted key that is a truth value in YAML 1.1 (`on:`).
    TruthKey { mark: Mark },
}

impl Problem {
    pub(super) fn mark(&self) -> Mark {
        match self {
            Self::DuplicateKey { mark, .. } | Self::TruthKey { mark } => *mark,
        }
    }
}

impl Node {
    fn leaf(value: Value) -> Self {
        Self { value, inside: Inside::Leaf, problems: Vec::new(), count: 1 }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// 2^53: below it every integral float is one integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The number a float is in JSON: integral ones are integers (`1.0`, `1e3`), as kubectl sends them.
fn number(float: f64) -> Option<Number> {
    if float.fract() == 0.0 && float.abs() <= EXACT {
        // The text of an integral float below 2^53 is its exact decimal integer.
        return format!("{float:.0}").parse::<i64>().ok().map(Number::from);
    }
    Number::from_f64(float)
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::leaf(Value::Bool(v)))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::leaf(Value::from(v)))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::leaf(Value::from(v)))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Node, E> {
        number(v).map(|n| Node::leaf(Value::Number(n))).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::leaf(Value::from(v)))
    }

    fn visit_string<E>(self, v: String) -> Result<Node, E> {
        Ok(Node::leaf(Value::String(v)))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::leaf(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::leaf(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let (mut values, mut marks, mut problems, mut count) = (Vec::new(), Vec::new(), Vec::new(), 1usize);
        while let Some(element) = access.next_element::<Spanned<Node>>()? {
            let mark = Mark::of(&element);
            let mut node = element.value;
            values.push(node.value);
            marks.push((mark, node.inside));
            problems.append(&mut node.problems);
            count = count.saturating_add(node.count);
        }
        Ok(Node { value: Value::Array(values), inside: Inside::List(marks), problems, count })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let (mut values, mut entries, mut problems, mut count) = (Map::new(), Vec::new(), Vec::new(), 1usize);
        while let Some(key) = access.next_key::<Spanned<Key>>()? {
            let key_mark = Mark::of(&key);
            let element = access.next_value::<Spanned<Node>>()?;
            let value_mark = Mark::of(&element);
            let mut node = element.value;
            count = count.saturating_add(node.count).saturating_add(1);
            problems.append(&mut node.problems);
            let Key { text, truth } = key.value;
            if truth {
                problems.push(Problem::TruthKey { mark: key_mark });
            }
            if values.contains_key(&text) {
                // Resolved below, when the first place of the key is known by its entry.
                problems.push(Problem::DuplicateKey { key: text, mark: key_mark, first: key_mark });
                continue;
            }
            entries.push(Entry { key: text.as_str().into(), key_mark, value_mark, inside: node.inside });
            values.insert(text, node.value);
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        for problem in &mut problems {
            if let Problem::DuplicateKey { key, mark, first } = problem
                && first == mark
                && let Ok(at) = entries.binary_search_by(|entry| (*entry.key).cmp(key))
            {
                *first = entries[at].key_mark;
            }
        }
        Ok(Node { value: Value::Object(values), inside: Inside::Map(entries), problems, count })
    }
}

/// A key of a mapping as text, as sigs.k8s.io/yaml writes it.
struct Key {
    text: String,
    truth: bool,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is text, a number or a truth value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Key, E> {
        Ok(Key { text: v.to_string(), truth: true })
    }

    fn visit_i64<E>(self, v: i64) -> Result<Key, E> {
        Ok(Key { text: v.to_string(), truth: false })
    }

    fn visit_u64<E>(self, v: u64) -> Result<Key, E> {
        Ok(Key { text: v.to_string(), truth: false })
    }

    fn visit_f64<E>(self, v: f64) -> Result<Key, E> {
        Ok(Key { text: v.to_string(), truth: false })
    }

    fn visit_str<E>(self, v: &str) -> Result<Key, E> {
        Ok(Key { text: v.to_owned(), truth: false })
    }

    fn visit_string<E>(self, v: String) -> Result<Key, E> {
        Ok(Key { text: v, truth: false })
    }
}
