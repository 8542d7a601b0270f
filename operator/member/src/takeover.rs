//! Taking over an object that was there before: only when asked, and only when the result would be what is there.
//!
//! Identical means: after a dry run nothing differs but our own labels and annotations on the object. Its pod templates stay as
//! they were found ([`crate::found`]), so that no pod is replaced. Kinds whose pods nobody can follow without our labels get
//! them, and the node affinity where there was none: their pods are replaced as by any change of a template. What the manager
//! before us held of the same fields becomes ours, so that a field we drop later goes away.

use jiuzhou_api::meta;
use jiuzhou_objects::object::Object;
use serde_json::{Value, json};

use crate::call::{Caller, How, Place};
use crate::drift;
use crate::words::Refusal;

/// What came of it.
pub(crate) enum Taken {
    /// It is ours now.
    Ours(Value),
    /// It is not identical, at these pointers; nothing was written.
    Differs(Vec<String>),
}

/// What an object is to be once it is ours.
pub(crate) struct Wish {
    /// With all that we add.
    pub(crate) whole: Value,
    /// With its pod templates as the workload has them, where its pods are found without what we add.
    pub(crate) as_found: Option<Value>,
    /// Pointers of its pod templates.
    pub(crate) templates: Vec<String>,
}

/// Takes an object over, if it is identical.
pub(crate) async fn take(caller: &Caller<'_>, place: &Place, live: &Value, wish: &Wish) -> Result<Taken, Refusal> {
    // Forced, because one of our labels may have another value there; what else differs is seen below.
    let dry = How { force: true, dry_run: true };
    let Some(as_found) = &wish.as_found else {
        let result = caller.apply(place, &wish.whole, dry).await?;
        return take_as(caller, place, live, &wish.whole, &result, &wish.templates).await;
    };
    // What was ours once, and was let go, may have everything in its templates already.
    match caller.apply(place, &wish.whole, dry).await {
        Ok(result) if same_templates(&result, live, &wish.templates) => {
            return take_as(caller, place, live, &wish.whole, &result, &[]).await;
        }
        // A template that cannot be changed stays as it is, too.
        Ok(_) | Err(Refusal::Immutable(_)) => {}
        Err(refusal) => return Err(refusal),
    }
    let result = caller.apply(place, as_found, dry).await?;
    take_as(caller, place, live, as_found, &result, &[]).await
}

fn same_templates(one: &Value, two: &Value, templates: &[String]) -> bool {
    // A Pod is its own template; what may change of it is no part of what runs.
    let of = |value: &Value, template: &String| {
        let place = if template.is_empty() { "/spec" } else { template };
        value.pointer(place).cloned()
    };
    templates.iter().all(|template| of(one, template) == of(two, template))
}

/// Takes an object over in one form, if a dry run of it gives what is there.
async fn take_as(
    caller: &Caller<'_>,
    place: &Place,
    live: &Value,
    body: &Value,
    result: &Value,
    templates: &[String],
) -> Result<Taken, Refusal> {
    let (result, have) = (bare(result, live, templates), bare(live, live, templates));
    let mut fields = drift::differences(&result, &have);
    fields.extend(drift::differences(&have, &result));
    if !fields.is_empty() {
        fields.sort();
        fields.dedup();
        fields.truncate(8);
        return Ok(Taken::Differs(fields));
    }
    let mut body = body.clone();
    // Exactly what was compared, or nothing.
    body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    let taken = caller.apply(place, &body, How { force: true, dry_run: false }).await?;
    let kept: Vec<Value> = drift::managers(&taken).filter(|entry| !gives_up(entry, &taken)).cloned().collect();
    if kept.len() == drift::managers(&taken).count() {
        return Ok(Taken::Ours(taken));
    }
    let patch = json!({"metadata": {
        "uid": taken["metadata"]["uid"],
        "resourceVersion": taken["metadata"]["resourceVersion"],
        "managedFields": kept,
    }});
    caller.merge(place, &patch).await.map(Taken::Ours)
}

/// Whether an entry of another manager holds something we hold too. Controllers keep theirs: they hold status,
/// replicas, or annotations that nobody applied.
fn gives_up(entry: &Value, object: &Value) -> bool {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    if text("manager") == Some(meta::FIELD_MANAGER) || text("subresource").is_some() {
        return false;
    }
    let ours = drift::managers(object).find(|other| {
        other.get("manager").and_then(Value::as_str) == Some(meta::FIELD_MANAGER)
            && other.get("operation").and_then(Value::as_str) == Some("Apply")
    });
    let fields = |entry: Option<&Value>| entry.and_then(|entry| entry.get("fieldsV1")).cloned().unwrap_or_default();
    overlap(&fields(Some(entry)), &fields(ours))
}

/// Whether two sets of fields have a leaf in common.
fn overlap(one: &Value, two: &Value) -> bool {
    let (Some(one), Some(two)) = (one.as_object(), two.as_object()) else { return false };
    one.iter().any(|(key, inner)| {
        two.get(key).is_some_and(|other| {
            let leaf = |value: &Value| value.as_object().is_none_or(|map| map.keys().all(|key| key == "."));
            key != "." && (leaf(inner) && leaf(other) || overlap(inner, other))
        })
    })
}

/// Metadata that changes by itself.
const MOVING: &[&str] = &["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// An object without what changes by itself.
pub(crate) fn plain(object: &Value) -> Value {
    let mut plain = object.clone();
    if let Some(map) = plain.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = plain.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in MOVING {
            metadata.remove(*field);
        }
    }
    plain
}

/// An object without what we always add.
fn bare(object: &Value, live: &Value, templates: &[String]) -> Value {
    let mut bare = plain(object);
    let places = std::iter::once(String::new()).chain(templates.iter().cloned());
    for place in places {
        for field in ["labels", "annotations"] {
            let pointer = format!("{place}/metadata/{field}");
            if let Some(map) = bare.pointer_mut(&pointer).and_then(Value::as_object_mut) {
                map.retain(|key, _| !key.starts_with("jiuzhou.dev/") && key != meta::LABEL_MANAGED_BY);
            }
        }
    }
    for template in templates {
        let affinity = format!("{template}/spec/affinity/nodeAffinity");
        let required = format!("{affinity}/requiredDuringSchedulingIgnoredDuringExecution");
        if Object::new(live).value.pointer(&required).is_none()
            && let Some(map) = bare.pointer_mut(&affinity).and_then(Value::as_object_mut)
        {
            map.remove("requiredDuringSchedulingIgnoredDuringExecution");
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_manager_of_our_fields_gives_up_its_own() {
        let entry = |manager: &str, operation: &str, subresource: Option<&str>, fields: Value| {
            let mut entry = json!({"manager": manager, "operation": operation, "fieldsV1": fields});
            if let Some(subresource) = subresource {
                entry["subresource"] = subresource.into();
            }
            entry
        };
        let image = json!({"f:spec": {"f:template": {".": {}, "f:image": {}}}});
        let object = json!({"metadata": {"managedFields": [entry("jiuzhou", "Apply", None, image.clone())]}});
        let table = [
            (entry("kubectl", "Update", None, image.clone()), true),
            (entry("helm", "Apply", None, json!({"f:spec": {"f:template": {"f:image": {}, "f:x": {}}}})), true),
            (entry("kube-controller-manager", "Update", Some("scale"), image.clone()), false),
            (
                entry("kube-controller-manager", "Update", None, json!({"f:metadata": {"f:annotations": {"f:r": {}}}})),
                false,
            ),
            (entry("other", "Update", None, json!({"f:spec": {".": {}, "f:template": {".": {}, "f:y": {}}}})), false),
            (entry("jiuzhou", "Apply", None, image), false),
        ];
        for (entry, want) in table {
            assert_eq!(gives_up(&entry, &object), want, "{entry}");
        }
    }

    #[test]
    fn what_we_add_is_not_held_against_an_object() {
        let live = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm", "a": "b"}, "resourceVersion": "1"},
            "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}}});
        let mut result = live.clone();
        result["metadata"]["labels"] =
            json!({"app.kubernetes.io/managed-by": "jiuzhou", "jiuzhou.dev/workload": "w", "a": "b"});
        result["spec"]["template"]["metadata"]["labels"]["jiuzhou.dev/workload"] = "w".into();
        result["spec"]["template"]["spec"]["affinity"] = json!({"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}});
        let templates = ["/spec/template".to_owned()];
        let (one, two) = (bare(&result, &live, &templates), bare(&live, &live, &templates));
        assert_eq!(drift::differences(&one, &two), Vec::<String>::new());
        assert_eq!(drift::differences(&two, &one), Vec::<String>::new());
        result["spec"]["template"]["spec"]["x"] = 2.into();
        assert_eq!(drift::differences(&bare(&result, &live, &templates), &two), ["/spec/template/spec/x"]);
    }
}
