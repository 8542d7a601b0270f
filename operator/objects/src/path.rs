//! Paths into a manifest: JSON pointers (RFC 6901) in which a step `*` stands for every item of a list or value of a
//! map. A profile names its pod templates with them; findings name exact places with plain pointers.

use std::fmt;

use serde_json::Value;

use crate::error::ObjectsError;

/// A pointer with optional `*` steps. The empty path is the whole object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads `/spec/template` or `/spec/workers/*/template`.
    ///
    /// # Errors
    /// [`ObjectsError::Path`] when the text is not empty and does not start with `/`.
    pub fn parse(text: &str) -> Result<Self, ObjectsError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let rest = text.strip_prefix('/').ok_or_else(|| ObjectsError::Path(text.to_owned()))?;
        Ok(Self(rest.split('/').map(unescape).collect()))
    }

    /// A path made of fixed steps.
    pub(crate) fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(|step| (*step).to_owned()).collect())
    }

    /// The path one step deeper.
    #[must_use]
    pub fn child(&self, step: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.to_owned());
        Self(steps)
    }

    /// Every exact pointer this path stands for in a value, in document order (maps by key). Steps that lead nowhere
    /// give nothing.
    #[must_use]
    pub fn resolve(&self, root: &Value) -> Vec<String> {
        let mut found = vec![(String::new(), root)];
        for step in &self.0 {
            let mut next = Vec::new();
            for (pointer, value) in found {
                match (step.as_str(), value) {
                    ("*", Value::Array(items)) => {
                        next.extend(items.iter().enumerate().map(|(i, item)| (format!("{pointer}/{i}"), item)));
                    }
                    ("*", Value::Object(map)) => {
                        next.extend(map.iter().map(|(key, item)| (join(&pointer, key), item)));
                    }
                    (step, value) => {
                        let here = join(&pointer, step);
                        if let Some(item) = value.pointer(&join("", step)) {
                            next.push((here, item));
                        }
                    }
                }
            }
            found = next;
        }
        found.into_iter().map(|(pointer, _)| pointer).collect()
    }

    /// The pointer this path stands for beside another one: a `*` takes the step that `near` has there, as long as both
    /// have the same steps before it. `None` when a `*` has nothing to take.
    pub(crate) fn beside(&self, near: &str) -> Option<String> {
        let mut near = near.split('/').skip(1).map(unescape);
        let (mut pointer, mut together) = (String::new(), true);
        for step in &self.0 {
            let other = near.next();
            let step = if step == "*" { other.clone().filter(|_| together)? } else { step.clone() };
            together &= other.as_ref() == Some(&step);
            pointer = join(&pointer, &step);
        }
        Some(pointer)
    }

    /// The first value at this path.
    #[must_use]
    pub fn first<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.resolve(root).first().and_then(|pointer| root.pointer(pointer))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "/{}", escape(step)))
    }
}

/// A pointer one step deeper.
pub(crate) fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", escape(step))
}

/// Writes a value at a pointer, making maps where there is nothing yet; `false` when something else is in the way.
pub(crate) fn write(root: &mut Value, pointer: &str, value: Value) -> bool {
    let mut place = root;
    for step in pointer.split('/').skip(1).map(unescape) {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        let next = match place {
            Value::Object(map) => Some(map.entry(step).or_insert(Value::Null)),
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    *place = value;
    true
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_every_item_and_every_key() {
        let value = json!({"spec": {"workers": [{"t": 1}, {"x": 2}, {"t": 3}], "roles": {"b/c": {"t": 4}}}});
        let list = Path::parse("/spec/workers/*/t").unwrap();
        assert_eq!(list.resolve(&value), ["/spec/workers/0/t", "/spec/workers/2/t"]);
        assert_eq!(list.first(&value), Some(&json!(1)));
        let map = Path::parse("/spec/roles/*/t").unwrap();
        assert_eq!(map.resolve(&value), ["/spec/roles/b~1c/t"]);
        assert_eq!(value.pointer("/spec/roles/b~1c/t"), Some(&json!(4)));
    }

    #[test]
    fn a_path_reads_back_as_written_and_refuses_dots() {
        for text in ["", "/a", "/a~1b/*/c~0d"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert!(Path::parse("spec.template").is_err());
    }
}
