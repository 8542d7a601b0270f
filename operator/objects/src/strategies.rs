//! Random manifests for property tests, and the test that no JSON at all makes this room panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::profile::Profiles;
use crate::selector::Requirement;
use crate::{affinity, dependencies, images, needs, object, order, overrides, shape, wrap};

/// Words that occur in real manifests, so that random JSON gets past the first look.
const WORDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "labels",
    "spec",
    "template",
    "containers",
    "initContainers",
    "image",
    "resources",
    "requests",
    "limits",
    "cpu",
    "memory",
    "replicas",
    "affinity",
    "nodeAffinity",
    "env",
    "valueFrom",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
    "matchExpressions",
    "key",
    "operator",
    "values",
    "volumes",
    "selector",
    "matchLabels",
    "items",
    "List",
    "Deployment",
    "Service",
    "Job",
    "apps/v1",
    "v1",
    "parallelism",
    "subjects",
    "roleRef",
    "rules",
    "tls",
    "1Gi",
    "-1",
    "In",
    "overhead",
    "restartPolicy",
    "Always",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

/// Any JSON, with a taste for the words of manifests.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(word(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Small sets of well-formed manifests that name and select each other, some labelled.
pub(crate) fn manifests() -> impl Strategy<Value = Vec<Value>> {
    let kinds = [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("v1", "Service"),
        ("v1", "Namespace"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("networking.k8s.io/v1", "Ingress"),
        ("x.io/v1", "Custom"),
    ];
    let one = (
        proptest::sample::select(kinds.to_vec()),
        "[a-e]{1,2}",
        "[a-e]{1,2}",
        proptest::option::of("[pq]"),
        proptest::option::of(proptest::sample::select(vec!["ns", "other"])),
    );
    let one = one.prop_map(|((api, kind), name, other, instance, namespace)| {
        let mut value = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": {
            "selector": {"app": other}, "serviceName": other,
            "defaultBackend": {"service": {"name": other}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {
                "containers": [{"envFrom": [{"configMapRef": {"name": other}}]}],
                "volumes": [{"secret": {"secretName": other}}]}}}});
        if let Some(instance) = instance {
            value["metadata"]["labels"] = json!({"app.kubernetes.io/instance": instance});
        }
        if let Some(namespace) = namespace {
            value["metadata"]["namespace"] = namespace.into();
        }
        value
    });
    // Distinct by kind, name and namespace, or a shuffle would keep another one of two duplicates.
    proptest::collection::vec(one, 0..90).prop_map(|list| {
        let mut seen = std::collections::BTreeSet::new();
        let key = |value: &Value| {
            let o = object::Object::new(value);
            let namespace = if o.namespace().is_empty() { "ns" } else { o.namespace() };
            format!("{}/{}/{}", o.kind(), namespace, o.name())
        };
        list.into_iter().filter(|value| seen.insert(key(value))).collect()
    })
}

fn exercise(value: &Value) {
    let profiles = Profiles::default();
    let one = std::slice::from_ref(value);
    let (flat, mut findings) = object::flatten(one.to_vec());
    let _ = shape::scalers(&flat, &mut findings);
    let graph = dependencies::Graph::new(one, "", &profiles);
    let _ = (graph.closure(&[0, 7]), graph.missing(0), order::batches(one, &[(0, 3)].into(), &profiles));
    let _ = wrap::wrap(one.to_vec(), &wrap::WrapOptions::default(), &profiles);
    for profile in crate::profile::native() {
        let view = object::Object::new(value);
        let _ = shape::Shape::of(view, &profile, &mut findings);
        let _ = images::images(view, &profile, &mut findings);
        let mut changed = value.clone();
        for (template, _) in profile.templates_in(view) {
            affinity::require(&mut changed, &template, &[vec![Requirement::is_in("a", &["b"])]]);
            let _ = needs::NodeNeeds::of(view, &template, &mut findings).admits("n", &object::Labels::new());
        }
        images::rewrite(&mut changed, &profile, &[("docker.io".to_owned(), "r.cn".to_owned())].into());
        let rule = overrides::Override {
            images: [(String::new(), "a/b".to_owned())].into(),
            env: [(String::new(), [("A".to_owned(), "1".to_owned())].into())].into(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            ..overrides::Override::default()
        };
        let _ = overrides::apply(&mut changed, Some(&profile), &[rule], &overrides::Site::default());
    }
}

proptest! {
    #[test]
    fn no_json_makes_this_room_panic(value in any_json()) {
        exercise(&value);
    }

    #[test]
    fn no_json_inside_a_workload_makes_this_room_panic(
        kind in proptest::sample::select(vec![("apps/v1", "Deployment"), ("batch/v1", "Job"), ("v1", "Pod")]),
        spec in any_json(),
        template in any_json(),
    ) {
        let mut value = json!({"apiVersion": kind.0, "kind": kind.1, "metadata": {"name": "x"}, "spec": spec});
        exercise(&value);
        value["spec"] = json!({"template": {"spec": template}, "replicas": spec, "parallelism": spec,
            "containers": template, "volumeClaimTemplates": template});
        exercise(&value);
    }
}
