//! Pod templates of objects that were there before us: a take-over leaves them as they were found. Pure.
//!
//! What we add to a template (labels, the owner, node affinity) replaces its pods. So while a workload asks for the
//! templates that its object was found with, what is sent has them as the workload has them, and a mark on the object says
//! which those are: the digest of them. The mark is read back from the member, or from what was recorded where somebody took
//! it off, so that no restart forgets it. It ends when the workload says something else: then ours goes in with that
//! change. What runs once is never edited, whatever is said.
//!
//! Only kinds whose pods are found by who owns them ([`crate::lineage`]) are left this way.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveredObject, ObjectObservation};
use jiuzhou_objects::digest;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::{Continuity, Profile, pods_tell_owner};
use serde_json::{Map, Value, json};

/// What the object was seen as, and what is known of it from before.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The object in the member.
    pub(crate) live: &'a Value,
    /// What was observed of it before.
    pub(crate) recorded: Option<&'a ObjectObservation>,
}

/// A manifest whose pod templates are as the workload has them.
pub(crate) struct AsWritten {
    /// The manifest, with the marks that say so.
    pub(crate) manifest: Value,
    /// Digest of its templates.
    pub(crate) digest: String,
}

/// The manifest without what we added to its pod templates; `None` for a kind whose pods need our labels to be found.
pub(crate) fn as_written(manifest: &Value, order: &DeliveredObject, profile: Option<&Profile>) -> Option<AsWritten> {
    let object = Object::new(manifest);
    if !pods_tell_owner(object.group(), object.kind()) {
        return None;
    }
    let mut written = manifest.clone();
    let mut templates = Map::new();
    for (template, _) in profile?.templates_in(object) {
        // A Pod is its own template: the labels on it are those of the object.
        if !template.is_empty() {
            for field in ["labels", "annotations"] {
                unmark(&mut written, &format!("{template}/metadata"), field);
            }
        }
        let pod_spec = format!("{template}/spec");
        let before = order.written_affinity.iter().find(|one| *one.pod_spec == *pod_spec);
        if let (Some(before), Some(spec)) = (before, written.pointer_mut(&pod_spec).and_then(Value::as_object_mut)) {
            match &before.affinity {
                Some(affinity) => drop(spec.insert("affinity".to_owned(), affinity.clone())),
                None => drop(spec.remove("affinity")),
            }
        }
        templates.insert(template.clone(), written.pointer(&template).cloned().unwrap_or_default());
    }
    let digest = digest::of(&Value::Object(templates)).to_string();
    mark(&mut written, Some(&digest));
    Some(AsWritten { manifest: written, digest })
}

/// What an object of ours is to be: as ordered, or with its templates as they were found.
pub(crate) fn kept(manifest: &Value, order: &DeliveredObject, profile: Option<&Profile>, known: Known<'_>) -> Value {
    if !is_taken_over(known) {
        return manifest.clone();
    }
    let found = as_found(known);
    let run_once = profile.is_some_and(|profile| profile.continuity == Continuity::RunOnce);
    match as_written(manifest, order, profile) {
        Some(written) if run_once || found == Some(written.digest.as_str()) => written.manifest,
        _ => {
            let mut manifest = manifest.clone();
            mark(&mut manifest, None);
            manifest
        }
    }
}

/// Whether the object was there before us, so that pods of it may carry no label of ours.
pub(crate) fn is_taken_over(known: Known<'_>) -> bool {
    has_mark(known.live) || remembered(known).is_some()
}

/// The same by what stands on the object.
pub(crate) fn has_mark(live: &Value) -> bool {
    Object::new(live).labels().contains_key(meta::LABEL_TAKEN_OVER)
}

/// Digest of the templates that wait, by what stands on the object.
pub(crate) fn digest_on(live: &Value) -> Option<&str> {
    Object::new(live).annotation(meta::ANNOTATION_AS_FOUND)
}

/// The object remembers best. What was recorded stands in where our marks were taken off.
fn as_found(known: Known<'_>) -> Option<&str> {
    digest_on(known.live).or_else(|| remembered(known)?.as_found.as_deref())
}

/// What was recorded of exactly this object, when that says that it was there before.
fn remembered(known: Known<'_>) -> Option<&ObjectObservation> {
    let uid = Object::new(known.live).text("/metadata/uid");
    let same = |one: &&ObjectObservation| one.identity.as_ref().is_some_and(|identity| *identity.uid == *uid);
    known.recorded.filter(|one| one.taken_over).filter(same)
}

/// Takes our keys out of a map of a template's metadata. A map that becomes empty goes, as an API server drops it.
fn unmark(manifest: &mut Value, metadata: &str, field: &str) {
    let Some(metadata) = manifest.pointer_mut(metadata).and_then(Value::as_object_mut) else { return };
    let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) else { return };
    map.retain(|key, _| !is_ours(key));
    if map.is_empty() {
        metadata.remove(field);
    }
}

/// Whether a label or an annotation of a template is one that we put there.
fn is_ours(key: &str) -> bool {
    key.split_once('/').is_some_and(|(prefix, _)| prefix == meta::GROUP || prefix == meta::ANNOTATION_STATE)
}

/// Says on the object that it was there before, and with `digest` that its templates are as they were found.
fn mark(manifest: &mut Value, digest: Option<&str>) {
    let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let mut put = |field: &str, key: &str, text: &str| {
        let map = metadata.entry(field).or_insert_with(|| json!({}));
        if let Some(map) = map.as_object_mut() {
            map.insert(key.to_owned(), text.into());
        }
    };
    put("labels", meta::LABEL_TAKEN_OVER, "true");
    if let Some(digest) = digest {
        put("annotations", meta::ANNOTATION_AS_FOUND, digest);
    }
}

#[cfg(test)]
mod tests;
