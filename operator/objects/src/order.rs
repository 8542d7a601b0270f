//! The order in which objects are applied, and the reverse in which they go.
//!
//! Namespaces and definitions first; then by declared wave; inside a wave what pods need, workloads, what points at
//! them. The order is total: same objects, same order, whatever the order of the input.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::object::Object;
use crate::profile::{Profile, Profiles};

/// The place of an object in a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Namespaces and definitions of kinds.
    Ground,
    /// Limits and classes that are consulted when a pod is admitted.
    Limits,
    /// Identities and rights.
    Rights,
    /// Configuration, secrets, volumes, network policies: read when a pod starts, or a door that must be shut by then.
    Inputs,
    /// Services that name the pods of a StatefulSet.
    Names,
    /// Everything that runs pods, and kinds we do not know.
    Workloads,
    /// What points at workloads: services, budgets, autoscalers.
    Fronts,
    /// What points at services: ingresses, routes.
    Routes,
    /// What intercepts the API server's calls; it must find its service ready.
    Hooks,
}

/// The rank of an object by its kind. A headless Service is taken to give StatefulSet pods their names.
#[must_use]
pub fn rank(object: Object<'_>, profiles: &Profiles) -> Rank {
    if profiles.of(object).is_some_and(Profile::runs_pods) {
        return Rank::Workloads;
    }
    match (object.group(), object.kind()) {
        ("", "Namespace") | ("apiextensions.k8s.io", _) => Rank::Ground,
        ("", "ResourceQuota" | "LimitRange")
        | ("scheduling.k8s.io" | "storage.k8s.io" | "node.k8s.io", _)
        | ("networking.k8s.io", "IngressClass")
        | ("gateway.networking.k8s.io", "GatewayClass") => Rank::Limits,
        ("", "ServiceAccount") | ("rbac.authorization.k8s.io", _) => Rank::Rights,
        ("", "ConfigMap" | "Secret" | "PersistentVolume" | "PersistentVolumeClaim")
        | ("networking.k8s.io", "NetworkPolicy") => Rank::Inputs,
        ("", "Service") if object.text("/spec/clusterIP") == "None" => Rank::Names,
        ("", "Service" | "Endpoints")
        | ("discovery.k8s.io" | "policy" | "autoscaling" | "autoscaling.k8s.io" | "keda.sh", _)
        | ("monitoring.coreos.com", "ServiceMonitor" | "PodMonitor") => Rank::Fronts,
        ("networking.k8s.io" | "extensions", "Ingress") | ("gateway.networking.k8s.io", _) => Rank::Routes,
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Rank::Hooks,
        _ => Rank::Workloads,
    }
}

/// Indices of the objects in the order of apply, in batches: objects of one batch may be applied at once. `waves`
/// holds declared waves by index; the others are wave 0.
#[must_use]
pub fn batches<V: Borrow<Value>>(objects: &[V], waves: &BTreeMap<usize, i64>, profiles: &Profiles) -> Vec<Vec<usize>> {
    let mut found: BTreeMap<(bool, i64, Rank), Vec<usize>> = BTreeMap::new();
    for (index, value) in objects.iter().enumerate() {
        let rank = rank(Object::new(value.borrow()), profiles);
        let later = rank != Rank::Ground;
        let wave = if later { waves.get(&index).copied().unwrap_or(0) } else { 0 };
        found.entry((later, wave, rank)).or_default().push(index);
    }
    let key = |index: &usize| {
        let object = objects.get(*index).map(|value| Object::new(value.borrow()));
        (
            object.map(|o| (o.kind().to_owned(), o.namespace().to_owned(), o.name().to_owned(), o.group().to_owned())),
            *index,
        )
    };
    let mut batches: Vec<Vec<usize>> = found.into_values().collect();
    batches.iter_mut().for_each(|batch| batch.sort_by_cached_key(key));
    batches
}

/// The order of removal: the batches of apply backwards, and each of them backwards.
#[must_use]
pub fn removal<V: Borrow<Value>>(objects: &[V], waves: &BTreeMap<usize, i64>, profiles: &Profiles) -> Vec<Vec<usize>> {
    let mut batches = batches(objects, waves, profiles);
    batches.reverse();
    batches.iter_mut().for_each(|batch| batch.reverse());
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn set() -> Vec<Value> {
        [
            ("networking.k8s.io/v1", "Ingress", "i"),
            ("v1", "Service", "s"),
            ("apps/v1", "Deployment", "b"),
            ("apps/v1", "Deployment", "a"),
            ("v1", "Secret", "s"),
            ("v1", "ServiceAccount", "x"),
            ("v1", "Namespace", "n"),
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "w"),
            ("custom.io/v1", "Database", "d"),
        ]
        .map(|(api, kind, name)| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}}))
        .into()
    }

    fn kinds(objects: &[Value], batches: &[Vec<usize>]) -> Vec<String> {
        batches.iter().flatten().map(|i| Object::new(&objects[*i]).reference().to_string()).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_goes_last() {
        let objects = set();
        let apply = batches(&objects, &BTreeMap::new(), &Profiles::default());
        let order = [
            "Namespace/n",
            "ServiceAccount/x",
            "Secret/s",
            "Database/d",
            "Deployment/a",
            "Deployment/b",
            "Service/s",
            "Ingress/i",
            "ValidatingWebhookConfiguration/w",
        ];
        assert_eq!(kinds(&objects, &apply), order);
        let mut back = order;
        back.reverse();
        assert_eq!(kinds(&objects, &removal(&objects, &BTreeMap::new(), &Profiles::default())), back);
    }

    #[test]
    fn a_declared_wave_outweighs_the_kind_but_not_the_namespace() {
        let objects = set();
        let waves = [(2, -1), (6, 9), (3, 1)].into();
        let got = kinds(&objects, &batches(&objects, &waves, &Profiles::default()));
        assert_eq!(got[..2], ["Namespace/n", "Deployment/b"]);
        assert_eq!(got.last().map(String::as_str), Some("Deployment/a"));
    }

    proptest! {
        #[test]
        fn the_order_of_the_input_does_not_matter(order in Just(set()).prop_shuffle()) {
            let (want, got) = (set(), order);
            let none = BTreeMap::new();
            let p = Profiles::default();
            prop_assert_eq!(kinds(&want, &batches(&want, &none, &p)), kinds(&got, &batches(&got, &none, &p)));
        }
    }
}
