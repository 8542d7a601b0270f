//! Overrides per cluster, platform or zone: what a policy changes in an object for one place.
//!
//! An override that does not fit is refused as a whole and the object stays as it was; it never reaches a member half
//! applied. What changed is listed pointer by pointer, so that a plan can show where each field came from. Quota and
//! hard rules are checked again by the caller on the result. The identity of an object cannot be overridden.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ObjectsError;
use crate::images::{ImageRef, containers};
use crate::object::Object;
use crate::path::join;
use crate::profile::Profile;

/// Where an override holds. Empty fields hold everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Cluster name.
    pub cluster: String,
    /// CPU platform name.
    pub platform: String,
    /// Network zone.
    pub zone: String,
    /// Architecture, Go's name (`arm64`).
    pub architecture: String,
}

impl Site {
    /// Whether a selector of this form takes a place: every field it states must be equal.
    #[must_use]
    pub fn selects(&self, place: &Self) -> bool {
        let fits = |want: &str, have: &str| want.is_empty() || want == have;
        fits(&self.cluster, &place.cluster)
            && fits(&self.platform, &place.platform)
            && fits(&self.zone, &place.zone)
            && fits(&self.architecture, &place.architecture)
    }
}

/// One rule of overriding. Its parts are applied in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// Where it holds.
    pub site: Site,
    /// Kind it is for; empty for every object of the workload.
    pub kind: String,
    /// Name it is for; empty for every one.
    pub name: String,
    /// Image by container name, an empty name for every container.
    pub images: BTreeMap<String, String>,
    /// Image by the one it replaces: registry and repository, and tag or digest where it states them. The one that
    /// states most wins.
    pub images_by_name: BTreeMap<String, String>,
    /// Environment variables by container name (empty for every container), then by name. A variable that is there is
    /// replaced, `valueFrom` included.
    pub env: BTreeMap<String, BTreeMap<String, String>>,
    /// Labels set on the object (not on its pods: a Deployment's selector must go on matching them).
    pub labels: BTreeMap<String, String>,
    /// Annotations set on the object.
    pub annotations: BTreeMap<String, String>,
    /// RFC 6902 operations; empty for none.
    pub patch: Vec<Value>,
}

/// What an override may never change.
const IDENTITY: &[&str] = &["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/uid"];

/// Applies the overrides that hold at a place, in order; gives the pointers that differ afterwards, sorted.
///
/// # Errors
/// [`ObjectsError::Override`] for the first that does not fit; the object is then unchanged.
pub fn apply(
    object: &mut Value,
    profile: Option<&Profile>,
    overrides: &[Override],
    place: &Site,
) -> Result<Vec<String>, ObjectsError> {
    let mut after = object.clone();
    for rule in overrides.iter().filter(|rule| rule.site.selects(place)) {
        let view = Object::new(&after);
        let fits = |want: &str, have: &str| want.is_empty() || want == have;
        if fits(&rule.kind, view.kind()) && fits(&rule.name, view.name()) {
            rule.apply(&mut after, profile)?;
        }
    }
    if let Some(pointer) = IDENTITY.iter().find(|pointer| object.pointer(pointer) != after.pointer(pointer)) {
        return Err(fault(pointer, "the identity of an object cannot be changed"));
    }
    let mut changed = Vec::new();
    differences(object, &after, "", &mut changed);
    *object = after;
    Ok(changed)
}

fn fault(pointer: &str, why: impl Into<String>) -> ObjectsError {
    ObjectsError::Override { pointer: pointer.to_owned(), why: why.into() }
}

impl Override {
    fn apply(&self, object: &mut Value, profile: Option<&Profile>) -> Result<(), ObjectsError> {
        let view = Object::new(object);
        let templates = profile.map(|profile| profile.templates_in(view)).unwrap_or_default();
        let all: Vec<String> = templates.iter().flat_map(|(template, _)| containers(view, template)).collect();
        for container in &all {
            self.container(object, container)?;
        }
        for (field, entries) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            for (key, value) in entries {
                set(object, &["metadata", field, key], value)?;
            }
        }
        if self.patch.is_empty() {
            return Ok(());
        }
        let patch: json_patch::Patch = serde_json::from_value(Value::Array(self.patch.clone()))
            .map_err(|error| fault("/patch", error.to_string()))?;
        json_patch::patch(object, &patch).map_err(|error| fault(error.path.as_str(), error.kind.to_string()))
    }

    /// What an image is replaced by.
    fn replacing(&self, image: &ImageRef) -> Option<&String> {
        let stated = |want: &Option<String>, have: &Option<String>| want.is_none() || want == have;
        let replaces = |from: &str| {
            let from = ImageRef::parse(from).ok()?;
            let fits =
                from.name() == image.name() && stated(&from.digest, &image.digest) && stated(&from.tag, &image.tag);
            fits.then_some((from.digest.is_some(), from.tag.is_some()))
        };
        let found = self.images_by_name.iter().filter_map(|(from, to)| Some((replaces(from)?, from, to)));
        found.max_by_key(|(precision, from, _)| (*precision, *from)).map(|(_, _, to)| to)
    }

    fn container(&self, object: &mut Value, pointer: &str) -> Result<(), ObjectsError> {
        let text = |field: &str| Object::new(object).text(&join(pointer, field)).to_owned();
        let (name, image) = (text("name"), text("image"));
        let by_name = ImageRef::parse(&image).ok().and_then(|image| self.replacing(&image));
        let image = self.images.get(&name).or(by_name).or_else(|| self.images.get(""));
        let empty = BTreeMap::new();
        let env: BTreeMap<&String, &String> = ["", name.as_str()]
            .iter()
            .flat_map(|container| self.env.get(*container).unwrap_or(&empty)) // the container's own win
            .collect();
        let Some(container) = object.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            return Err(fault(pointer, "not a container"));
        };
        if let Some(image) = image {
            ImageRef::parse(image).map_err(|error| fault(&join(pointer, "image"), error.to_string()))?;
            container.insert("image".to_owned(), image.as_str().into());
        }
        if env.is_empty() {
            return Ok(());
        }
        let list = container.entry("env").or_insert_with(|| Value::Array(Vec::new()));
        let Some(list) = list.as_array_mut() else { return Err(fault(&join(pointer, "env"), "not a list")) };
        for (name, value) in env {
            let variable = serde_json::json!({"name": name, "value": value});
            match list.iter_mut().find(|item| item.get("name").and_then(Value::as_str) == Some(name)) {
                Some(item) => *item = variable,
                None => list.push(variable),
            }
        }
        Ok(())
    }
}

/// Sets a text, making maps on the way.
fn set(object: &mut Value, steps: &[&str], value: &str) -> Result<(), ObjectsError> {
    let mut place = object;
    let mut pointer = String::new();
    for step in steps {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Some(map) = place.as_object_mut() else { return Err(fault(&pointer, "not a map")) };
        place = map.entry(*step).or_insert(Value::Null);
        pointer = join(&pointer, step);
    }
    *place = value.into();
    Ok(())
}

/// Pointers at which two values differ, as deep as both are maps or lists of one length.
fn differences(before: &Value, after: &Value, pointer: &str, found: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                differences(a, b, &join(pointer, key), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::Profiles;

    fn web() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2,
            "template": {"spec": {"containers": [
                {"name": "web", "image": "nginx:1", "env": [{"name": "A", "valueFrom": {"x": 1}}]},
                {"name": "log", "image": "quay.io/a/log:2"}]}}}})
    }

    fn run(object: &mut Value, rules: &[Override], place: &Site) -> Result<Vec<String>, ObjectsError> {
        let profiles = Profiles::default();
        let profile = profiles.of(Object::new(object)).cloned();
        apply(object, profile.as_ref(), rules, place)
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn an_override_holds_only_where_it_says_and_lists_what_it_changed() {
        let arm = Override {
            site: Site { architecture: "arm64".into(), ..Site::default() },
            images: map(&[("web", "r.cn/web@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]),
            images_by_name: map(&[("quay.io/a/log", "r.cn/log:2-arm64")]),
            env: [(String::new(), map(&[("A", "1"), ("B", "2")])), ("log".into(), map(&[("B", "3")]))].into(),
            labels: map(&[("a/b", "c")]),
            ..Override::default()
        };
        let mut object = web();
        let elsewhere = Site { architecture: "amd64".into(), ..Site::default() };
        assert_eq!(run(&mut object, std::slice::from_ref(&arm), &elsewhere), Ok(vec![]));
        let here = Site { architecture: "arm64".into(), cluster: "dali".into(), ..Site::default() };
        let containers = "/spec/template/spec/containers";
        assert_eq!(
            run(&mut object, &[arm], &here).unwrap(),
            [
                "/metadata/labels".to_owned(),
                format!("{containers}/0/env"),
                format!("{containers}/0/image"),
                format!("{containers}/1/env"),
                format!("{containers}/1/image"),
            ]
        );
        let env = object.pointer(&format!("{containers}/1/env"));
        assert_eq!(env, Some(&json!([{"name": "A", "value": "1"}, {"name": "B", "value": "3"}])));
        assert_eq!(object.pointer("/metadata/labels"), Some(&json!({"a/b": "c"})));
    }

    #[test]
    fn an_override_that_does_not_fit_changes_nothing() {
        let patches = [
            json!([{"op": "replace", "path": "/spec/replicas", "value": 5}, {"op": "remove", "path": "/spec/none"}]),
            json!([{"op": "replace", "path": "/metadata/name", "value": "other"}]),
            json!([{"op": "replace", "path": "", "value": {}}]),
            json!([{"op": "test", "path": "/spec/replicas", "value": 3}]),
            json!([{"op": "nonsense"}]),
        ];
        for patch in patches {
            let rule = Override { patch: patch.as_array().cloned().unwrap(), ..Override::default() };
            let mut object = web();
            assert!(run(&mut object, &[rule], &Site::default()).is_err(), "{patch}");
            assert_eq!(object, web(), "{patch}");
        }
        let rule = Override { images: map(&[("", "NOT AN IMAGE")]), ..Override::default() };
        assert!(run(&mut web(), &[rule], &Site::default()).is_err());
    }

    #[test]
    fn a_patch_is_applied_and_shown() {
        let patch = vec![json!({"op": "replace", "path": "/spec/replicas", "value": 5})];
        let rule = Override { kind: "Deployment".into(), patch, ..Override::default() };
        let mut object = web();
        assert_eq!(run(&mut object, &[rule], &Site::default()), Ok(vec!["/spec/replicas".to_owned()]));
    }
}
