//! Whose a pod is, by who made it: pods of an object that was there before us carry no label of ours.
//!
//! A pod names what controls it; a ReplicaSet or a Job names what controls that. Where the one between is gone or may not be
//! listed, its name tells: controllers make it of the name of its owner and of something that stands on the pod. A pod that
//! was let go by its owner (`--cascade=orphan`) still carries the name it was made with. Nothing is guessed by the
//! beginning of a name alone, because `web` is also how `web-admin` begins.

use std::collections::BTreeMap;

use jiuzhou_objects::object::Object;
use serde_json::Value;

/// Label with which a ReplicaSet and its pods carry the end of its name.
const TEMPLATE_HASH: &str = "pod-template-hash";
/// Label of pods of a DaemonSet or a StatefulSet.
const REVISION_HASH: &str = "controller-revision-hash";
/// Label with which a StatefulSet names a pod.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// Labels that name the Job of a pod, the present one and the one of old clusters.
const JOB_NAMES: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

/// An object that runs pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// What its pods are counted under.
    pub(crate) key: String,
    /// Kind.
    pub(crate) kind: String,
    /// Its name in the member.
    pub(crate) name: String,
    /// Its uid; `None` when it is gone and nobody remembers, so that only its name tells.
    pub(crate) uid: Option<String>,
}

/// What controls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Controller {
    kind: String,
    name: String,
    uid: String,
}

/// ReplicaSets and Jobs that are there, by uid, with what controls each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Makers(BTreeMap<String, Option<Controller>>);

impl Makers {
    /// Adds what was listed.
    pub(crate) fn add(&mut self, listed: &[Value]) {
        let uid = |one: &Value| Object::new(one).text("/metadata/uid").to_owned();
        self.0.extend(listed.iter().map(|one| (uid(one), controller(one))));
    }

    /// Which of some objects a pod is of.
    pub(crate) fn owner<'o>(&self, pod: &Value, owners: &'o [Owner]) -> Option<&'o Owner> {
        let Some(direct) = controller(pod) else {
            return owners.iter().find(|owner| was_made_by(pod, owner));
        };
        if let Some(owner) = owners.iter().find(|owner| owner.is(&direct)) {
            return Some(owner);
        }
        let above = match direct.kind.as_str() {
            "ReplicaSet" => "Deployment",
            "Job" => "CronJob",
            _ => return None,
        };
        match self.0.get(&direct.uid) {
            Some(Some(above)) => owners.iter().find(|owner| owner.is(above)),
            // Between them is nothing that says whose it is: it is gone, or was let go, or nobody may list it.
            Some(None) | None => owners.iter().find(|owner| owner.kind == above && made_name(pod, owner, &direct.name)),
        }
    }
}

impl Owner {
    /// Whether this is what controls something.
    fn is(&self, controller: &Controller) -> bool {
        match &self.uid {
            Some(uid) => *uid == controller.uid,
            None => self.kind == controller.kind && self.name == controller.name,
        }
    }
}

/// What controls an object: the owner that says so, or its only one.
fn controller(object: &Value) -> Option<Controller> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let says = |owner: &&Value| owner.get("controller") == Some(&Value::Bool(true));
    let owner = owners.iter().find(says).or_else(|| owners.first())?;
    let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Controller { kind: text("kind"), name: text("name"), uid: text("uid") })
}

/// Whether a name is the one a controller gives to what it makes for this owner and this pod.
fn made_name(pod: &Value, owner: &Owner, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(&*owner.name).and_then(|rest| rest.strip_prefix('-')) else { return false };
    match owner.kind.as_str() {
        "Deployment" => Object::new(pod).labels().get(TEMPLATE_HASH).is_some_and(|hash| hash == rest),
        // A Job of a CronJob ends with the minute it was due.
        "CronJob" | "StatefulSet" => !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// Whether a pod that nothing owns was made for this owner.
fn was_made_by(pod: &Value, owner: &Owner) -> bool {
    let object = Object::new(pod);
    let labels = object.labels();
    let prefix = object.text("/metadata/generateName").strip_suffix('-').unwrap_or_default();
    let job = || JOB_NAMES.iter().find_map(|label| labels.get(*label));
    match owner.kind.as_str() {
        "Deployment" => made_name(pod, owner, prefix),
        "ReplicaSet" => labels.contains_key(TEMPLATE_HASH) && prefix == owner.name,
        "DaemonSet" => labels.contains_key(REVISION_HASH) && prefix == owner.name,
        "StatefulSet" => labels.contains_key(POD_NAME) && made_name(pod, owner, object.name()),
        "Job" => job().is_some_and(|job| *job == owner.name),
        "CronJob" => job().is_some_and(|job| made_name(pod, owner, job)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
