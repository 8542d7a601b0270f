//! In which order the objects of a delivery come and go.
//!
//! Waves first, as their owner numbered them; inside of a wave by rank (what pods need, workloads, what points at them).
//! A wave starts when the waves before it are ready, a rank when the ranks before it are there.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1::{DeliveredObject, ObjectIdentity, ObjectState};
use jiuzhou_objects::order::{batches, removal};
use jiuzhou_objects::profile::Profiles;
use serde_json::{Value, json};

/// Objects that may be applied at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Their wave.
    pub(crate) wave: i32,
    /// Indices in the delivery's list.
    pub(crate) objects: Vec<usize>,
}

/// The batches of a delivery in the order of apply.
pub(crate) fn apply_order(objects: &[DeliveredObject], profiles: &Profiles) -> Vec<Batch> {
    // Of a Secret only the kind is known here, and only that counts.
    let secret = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    let values: Vec<Value> =
        objects.iter().map(|object| object.manifest.clone().unwrap_or_else(|| secret(&object.name))).collect();
    let waves: BTreeMap<usize, i64> =
        objects.iter().enumerate().map(|(index, object)| (index, i64::from(object.wave))).collect();
    let wave = |batch: &[usize]| batch.first().and_then(|index| objects.get(*index)).map_or(0, |object| object.wave);
    batches(&values, &waves, profiles).into_iter().map(|objects| Batch { wave: wave(&objects), objects }).collect()
}

/// The batches in which named objects go: what points at others first, what others need last.
pub(crate) fn removal_order(objects: &[ObjectIdentity], profiles: &Profiles) -> Vec<Vec<usize>> {
    let values: Vec<Value> = objects
        .iter()
        .map(|one| {
            json!({"apiVersion": &*one.api_version, "kind": &*one.kind,
                "metadata": {"name": &*one.name, "namespace": one.namespace.as_deref()}})
        })
        .collect();
    removal(&values, &BTreeMap::new(), profiles)
}

/// Whether an object is there, so that what needs it may follow.
pub(crate) fn is_there(state: ObjectState) -> bool {
    match state {
        ObjectState::Applied
        | ObjectState::Ready
        | ObjectState::Finished
        | ObjectState::Failed
        | ObjectState::Drifted => true,
        ObjectState::Waiting
        | ObjectState::Refused
        | ObjectState::Conflict
        | ObjectState::Removing
        | ObjectState::Gone => false,
    }
}

/// Whether an object does what it is for, so that a later wave may follow.
pub(crate) fn is_ready(state: ObjectState) -> bool {
    matches!(state, ObjectState::Ready | ObjectState::Finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, api: &str, kind: &str, wave: i32) -> DeliveredObject {
        let manifest = (kind != "Secret")
            .then(|| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": {"template": {}}}));
        DeliveredObject { name: name.into(), manifest, wave, ..DeliveredObject::default() }
    }

    #[test]
    fn waves_come_before_ranks_and_secrets_before_pods() {
        let objects = [
            object("ingress", "networking.k8s.io/v1", "Ingress", 0),
            object("web", "apps/v1", "Deployment", 0),
            object("password", "v1", "Secret", 0),
            object("schema", "batch/v1", "Job", -1),
        ];
        let got: Vec<(i32, Vec<usize>)> =
            apply_order(&objects, &Profiles::default()).into_iter().map(|batch| (batch.wave, batch.objects)).collect();
        assert_eq!(got, [(-1, vec![3]), (0, vec![2]), (0, vec![1]), (0, vec![0])]);
    }

    #[test]
    fn what_points_at_others_goes_first() {
        let one = |api: &str, kind: &str| ObjectIdentity {
            api_version: api.into(),
            kind: kind.into(),
            name: "x".into(),
            ..ObjectIdentity::default()
        };
        let objects = [one("v1", "ConfigMap"), one("apps/v1", "Deployment"), one("v1", "Service")];
        assert_eq!(removal_order(&objects, &Profiles::default()), [[2], [1], [0]]);
    }
}
