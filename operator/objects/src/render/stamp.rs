//! What stands on every delivered object, and what never does: labels and the owner on; the words of another API
//! server off. The epoch and the decision are put on when it is sent, because they change without the content.

use jiuzhou_api::meta;
use jiuzhou_engine::terms::{Code, Digest, Form, Reason};
use serde_json::Value;

use crate::object::Object;
use crate::path::{join, write};

use super::{Draft, Work};

/// Fields of metadata that only an API server writes. An ownerReference names a uid of the hub: the garbage collector
/// of the member would take the object for an orphan and delete it.
const SERVER_FIELDS: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Annotations that are of no use in a member. The first holds a copy of the whole object, data of Secrets included.
const ANNOTATIONS: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    meta::ANNOTATION_TAKE_OVER,
    meta::ANNOTATION_EPOCH,
    meta::ANNOTATION_DECISION,
    meta::ANNOTATION_APPLIED,
];

/// Takes off what only an API server, or another place, may say.
pub(super) fn clean(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    map.remove("status");
    let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for field in SERVER_FIELDS {
        metadata.remove(*field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        for key in ANNOTATIONS {
            annotations.remove(*key);
        }
    }
}

/// Puts on whose it is. Pod templates carry two of the labels and the owner, so that pods can be counted and shown by
/// workload.
pub(super) fn labels(work: &mut Work<'_>, draft: &mut Draft<'_>) {
    let workload = label_value(work.name());
    let name = draft.entry.name.to_string();
    let (system, cluster) = (work.workload.spec.system.to_string(), work.target.cluster);
    let owner = work.owner();
    let mut marks = vec![
        (join("/metadata/labels", meta::LABEL_MANAGED_BY), meta::MANAGED_BY.to_owned()),
        (join("/metadata/labels", meta::LABEL_WORKLOAD), workload.clone()),
        (join("/metadata/labels", meta::LABEL_OBJECT), name.clone()),
        (join("/metadata/labels", meta::LABEL_TENANT), work.target.tenant.to_owned()),
        (join("/metadata/labels", meta::LABEL_SYSTEM), system),
        (join("/metadata/labels", meta::LABEL_CLUSTER), cluster.to_owned()),
        (join("/metadata/annotations", meta::ANNOTATION_OWNER), owner.clone()),
    ];
    // Its controller sees what the copy before said of itself on the object, and its pods see it in their template: the copy
    // begins with it, so nothing is restarted for it.
    let carried = work.target.carried.iter().filter(|value| value.object == draft.entry.name);
    let carried: Vec<(String, String)> =
        carried.map(|one| (format!("{}/{}", meta::ANNOTATION_STATE, one.alias), one.value.to_string())).collect();
    let annotate = |at: &str, marks: &mut Vec<(String, String)>| {
        marks.extend(carried.iter().map(|(name, value)| (join(at, name), value.clone())));
    };
    annotate("/metadata/annotations", &mut marks);
    let object = Object::new(&draft.value);
    for (template, _) in work.profiles.of(object).map(|p| p.templates_in(object)).unwrap_or_default() {
        let labels = format!("{template}/metadata/labels");
        marks.push((join(&labels, meta::LABEL_WORKLOAD), workload.clone()));
        marks.push((join(&labels, meta::LABEL_OBJECT), name.clone()));
        let annotations = format!("{template}/metadata/annotations");
        marks.push((join(&annotations, meta::ANNOTATION_OWNER), owner.clone()));
        annotate(&annotations, &mut marks);
    }
    for (pointer, text) in marks {
        if !write(&mut draft.value, &pointer, text.into()) {
            let reason = Reason::new(Code::ManifestFieldInvalid).object(pointer.as_str()).wanted(Form::TextMap);
            work.refuse(draft, reason, &pointer);
        }
    }
}

/// A name as the value of a label: itself, or its beginning with a digest where it has more than 63 characters.
#[must_use]
pub fn label_value(name: &str) -> String {
    if name.len() <= 63 {
        return name.to_owned();
    }
    let digest = Digest::sha256(name.as_bytes()).to_string();
    let (head, tail): (String, String) = (name.chars().take(52).collect(), digest.chars().skip(7).take(10).collect());
    format!("{}-{tail}", head.trim_end_matches(['-', '.']))
}
