//! The pure part of `jiuzhou wrap`: plain manifests in, FleetWorkloads out.
//!
//! Every object given comes out exactly once: in one FleetWorkload, or as a finding that says why not; one that is given
//! twice with the same content (as charts and installers do) is one object. Objects go
//! together by namespace and by `app.kubernetes.io/instance` (else `part-of`); an object without such a label follows
//! what it is linked with, else it makes a group with what hangs on it. Manifests are taken over byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::terms::{Code, Digest, Finding, ObjectRef, Reason, Severity};
use serde_json::{Value, json};

use crate::dependencies::Graph;
use crate::object::{Object, Scope, custom_scopes, flatten, scope_of};
use crate::order::batches;
use crate::profile::{Profile, Profiles, may_hide_pods};
use crate::together::colocate;

/// A FleetWorkload takes at most this many objects.
pub const MAX_OBJECTS: usize = 64;

/// What a user may say about the wrapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrapOptions {
    /// One FleetWorkload (per namespace) of this name instead of grouping by label.
    pub name: Option<String>,
    /// Namespace for objects that state none.
    pub namespace: String,
    /// `spec.system` of the results.
    pub system: Option<String>,
    /// `spec.placementPolicy` of the results.
    pub policy: Option<String>,
}

/// The result of wrapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wrapped {
    /// FleetWorkloads, by namespace and name.
    pub workloads: Vec<Value>,
    /// Objects that are in none of them, with the finding that says so in `findings`.
    pub left_out: Vec<Value>,
    /// Everything worth knowing.
    pub findings: Vec<Finding>,
}

/// Wraps plain manifests (lists are taken apart).
#[must_use]
pub fn wrap(manifests: Vec<Value>, options: &WrapOptions, profiles: &Profiles) -> Wrapped {
    let (objects, findings) = flatten(manifests);
    let mut out = Wrapped { findings, ..Wrapped::default() };
    let custom = custom_scopes(&objects);
    let mut seen: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    let mut kept = Vec::new();
    for value in objects {
        let object = Object::new(&value);
        let scope = scope_of(object.group(), object.kind(), &custom);
        let namespace = effective(object, options);
        let identity = (object.group().to_owned(), object.kind().to_owned(), namespace, object.name().to_owned());
        let before = seen.entry(identity).or_default();
        if before.contains(&value) {
            // To apply both is to apply one: told, but no fault.
            let note = object.finding(Reason::new(Code::ManifestDuplicate), "");
            out.findings.push(Finding { severity: Severity::Info, ..note });
            continue;
        }
        let duplicate = !before.is_empty();
        before.push(value.clone());
        match refusal(object, scope, duplicate) {
            Some(reason) => {
                out.findings.push(object.finding(reason, ""));
                out.left_out.push(value);
            }
            None => {
                if object.carries_secret() {
                    out.findings.push(object.finding(Reason::new(Code::SecretInlined), ""));
                }
                kept.push(value);
            }
        }
    }
    // Sorted, so that neither grouping nor splitting can depend on the order of the input.
    kept.sort_by_cached_key(|value| {
        let o = Object::new(value);
        (effective(o, options), o.kind().to_owned(), o.name().to_owned(), o.group().to_owned())
    });
    let graph = Graph::new(&kept, &options.namespace, profiles);
    let left_out: BTreeSet<String> = out
        .left_out
        .iter()
        .map(|value| {
            let object = Object::new(value);
            let scope = scope_of(object.group(), object.kind(), &custom);
            let namespace = if scope == Scope::Cluster { String::new() } else { effective(object, options) };
            ObjectRef::new(object.kind(), &namespace, object.name()).to_string()
        })
        .collect();
    for (index, value) in kept.iter().enumerate() {
        let object = Object::new(value);
        out.findings.extend(graph.missing(index).into_iter().filter(|finding| {
            // Refused objects are there, only elsewhere; their own finding says so.
            !matches!(&finding.reason.object, jiuzhou_engine::terms::Value::Text(name) if left_out.contains(name))
        }));
        if may_hide_pods(object, profiles) {
            let kind = format!("{}/{}", object.group(), object.kind());
            out.findings.push(object.finding(Reason::new(Code::KindUnprofiled).object(kind), ""));
        }
    }
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut home: BTreeMap<usize, usize> = BTreeMap::new();
    for ((namespace, name), members) in groups(&kept, &graph, options, profiles) {
        let names = taken.entry(namespace.clone()).or_default();
        let first = out.workloads.len();
        let parts = fleet_workloads(&kept, &members, &graph, (&namespace, &name), options, profiles, names, &mut out);
        home.extend(parts.into_iter().map(|(index, part)| (index, first + part)));
    }
    colocate(&mut out.workloads, &kept, &home, &graph, &options.namespace, profiles);
    out
}

fn effective(object: Object<'_>, options: &WrapOptions) -> String {
    if object.namespace().is_empty() { options.namespace.clone() } else { object.namespace().to_owned() }
}

fn refusal(object: Object<'_>, scope: Scope, duplicate: bool) -> Option<Reason> {
    if duplicate {
        return Some(Reason::new(Code::ManifestDuplicate));
    }
    if object.kind() == "CustomResourceDefinition" {
        return Some(Reason::new(Code::CrdNotWrapped));
    }
    if let Some(hook) = object.annotation("helm.sh/hook") {
        return Some(Reason::new(Code::HookNotWrapped).seen(hook));
    }
    (scope == Scope::Cluster).then(|| Reason::new(Code::ClusterScopedNotWrapped))
}

type Groups = BTreeMap<(String, String), Vec<usize>>;

fn groups(objects: &[Value], graph: &Graph<'_>, options: &WrapOptions, profiles: &Profiles) -> Groups {
    let namespace = |index: usize| effective(Object::new(&objects[index]), options);
    let mut groups = Groups::new();
    if let Some(name) = &options.name {
        for index in 0..objects.len() {
            groups.entry((namespace(index), name.clone())).or_default().push(index);
        }
        return groups;
    }
    let mut labels: Vec<Option<String>> = objects.iter().map(|value| label(Object::new(value))).collect();
    let mut neighbours = vec![BTreeSet::new(); objects.len()];
    for index in 0..objects.len() {
        for other in graph.neighbours(index).filter(|other| namespace(*other) == namespace(index)) {
            neighbours[index].insert(other);
            neighbours[other].insert(index);
        }
    }
    // Labels spread along links, nearest first, the smallest label where two are equally near.
    let mut edge: Vec<usize> = (0..objects.len()).filter(|index| labels[*index].is_some()).collect();
    while !edge.is_empty() {
        let mut reached: BTreeMap<usize, String> = BTreeMap::new();
        for index in edge {
            let Some(label) = labels[index].clone() else { continue };
            for other in neighbours[index].iter().filter(|other| labels[**other].is_none()) {
                let best = reached.entry(*other).or_insert_with(|| label.clone());
                if label < *best {
                    best.clone_from(&label);
                }
            }
        }
        edge = reached.keys().copied().collect();
        for (index, label) in reached {
            labels[index] = Some(label);
        }
    }
    // What no label reached: one group for each set of linked objects, named after its first workload; what runs
    // nothing goes into a group of its own.
    for start in 0..objects.len() {
        if labels[start].is_some() {
            continue;
        }
        let mut set = BTreeSet::new();
        let mut todo = vec![start];
        while let Some(index) = todo.pop() {
            if set.insert(index) {
                todo.extend(&neighbours[index]);
            }
        }
        let workload = set
            .iter()
            .map(|i| Object::new(&objects[*i]))
            .find(|object| profiles.of(*object).is_some_and(Profile::runs_pods));
        let name = workload.map_or("shared", |object| object.name());
        for index in set {
            labels[index] = Some(dns_label(name));
        }
    }
    for (index, label) in labels.into_iter().enumerate() {
        groups.entry((namespace(index), label.unwrap_or_default())).or_default().push(index);
    }
    groups
}

fn label(object: Object<'_>) -> Option<String> {
    let labels = object.labels();
    let keys = ["app.kubernetes.io/instance", "app.kubernetes.io/part-of"];
    keys.iter().find_map(|key| labels.get(*key)).filter(|value| !value.is_empty()).map(|value| dns_label(value))
}

/// A name of at most 63 characters as Kubernetes allows it; a digest keeps shortened or altered ones apart.
fn dns_label(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let kept: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let kept = kept.trim_matches('-');
    if kept == text && kept.len() <= 63 {
        return kept.to_owned();
    }
    let digest = Digest::sha256(text.as_bytes()).to_string();
    let tail: String = digest.chars().skip("sha256:".len()).take(8).collect();
    let head: String = kept.chars().take(54).collect();
    let head = head.trim_matches('-');
    if head.is_empty() { format!("w-{tail}") } else { format!("{head}-{tail}") }
}

/// Makes the workloads of one group. Answers which of them each object is in.
#[expect(clippy::too_many_arguments, reason = "one call, from wrap")]
fn fleet_workloads(
    objects: &[Value],
    members: &[usize],
    graph: &Graph<'_>,
    (namespace, name): (&str, &str),
    options: &WrapOptions,
    profiles: &Profiles,
    taken: &mut BTreeSet<String>,
    out: &mut Wrapped,
) -> BTreeMap<usize, usize> {
    let parts = split(objects, members, graph, profiles);
    let part_name =
        |number: usize| if number == 0 { name.to_owned() } else { dns_label(&format!("{name}-{}", number + 1)) };
    if parts.len() > 1 {
        let reason = Reason::new(Code::ClosureSplit)
            .object(name)
            .seen(i64::try_from(members.len()).unwrap_or(i64::MAX))
            .wanted(i64::try_from(MAX_OBJECTS).unwrap_or(i64::MAX));
        out.findings.push(Finding::new(reason).on(ObjectRef::new("FleetWorkload", namespace, name)));
    }
    let home: BTreeMap<usize, usize> =
        parts.iter().enumerate().flat_map(|(number, part)| part.iter().map(move |index| (*index, number))).collect();
    let mut names: Vec<String> = Vec::with_capacity(parts.len());
    for (number, part) in parts.iter().enumerate() {
        let mut own = part_name(number);
        while !taken.insert(own.clone()) {
            own = dns_label(&format!("{own}-x"));
        }
        let mut entries = BTreeSet::new();
        let list: Vec<Value> = part
            .iter()
            .map(|index| json!({"name": entry_name(Object::new(&objects[*index]), &mut entries), "manifest": objects[*index]}))
            .collect();
        let mut workload = json!({
            "apiVersion": "jiuzhou.dev/v1alpha1",
            "kind": "FleetWorkload",
            "metadata": {"name": own},
            "spec": {"objects": list},
        });
        if !namespace.is_empty() {
            workload["metadata"]["namespace"] = namespace.into();
        }
        // Only on earlier parts, so that no two wait for each other.
        let needed: BTreeSet<usize> =
            part.iter().flat_map(|index| graph.needs(*index)).filter_map(|i| home.get(&i).copied()).collect();
        let needed: Vec<&String> =
            needed.into_iter().filter(|other| *other < number).map(|other| &names[other]).collect();
        if !needed.is_empty() {
            workload["spec"]["dependsOn"] = json!(needed);
        }
        for (field, value) in [("system", &options.system), ("placementPolicy", &options.policy)] {
            if let Some(value) = value {
                workload["spec"][field] = value.as_str().into();
            }
        }
        names.push(own);
        out.workloads.push(workload);
    }
    home
}

/// The name of an object in the list of a workload: its kind and name.
pub(crate) fn entry_name(object: Object<'_>, taken: &mut BTreeSet<String>) -> String {
    let mut name = dns_label(&format!("{}-{}", object.kind().to_ascii_lowercase(), object.name()));
    if !taken.insert(name.clone()) {
        // Two groups may have a kind of one name.
        name = dns_label(&format!("{name}.{}", object.group()));
        taken.insert(name.clone());
    }
    name
}

/// Splits a group into parts of at most [`MAX_OBJECTS`], each in the order of apply: each workload takes the rest of
/// its closure along, closures are packed in order, and one that is too large alone is cut.
fn split(objects: &[Value], members: &[usize], graph: &Graph<'_>, profiles: &Profiles) -> Vec<Vec<usize>> {
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    let values: Vec<&Value> = members.iter().map(|index| &objects[*index]).collect();
    let ordered: Vec<usize> = batches(&values, &BTreeMap::new(), profiles)
        .into_iter()
        .flatten()
        .filter_map(|i| members.get(i).copied())
        .collect();
    if ordered.len() <= MAX_OBJECTS {
        return vec![ordered];
    }
    let place: BTreeMap<usize, usize> = ordered.iter().enumerate().map(|(place, index)| (*index, place)).collect();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let workloads = ordered.iter().filter(|index| profiles.of(Object::new(&objects[**index])).is_some());
    for root in workloads.chain(&ordered) {
        let closure = graph.closure(&[*root]);
        let mut unit: Vec<usize> = closure.into_iter().filter(|i| inside.contains(i) && !done.contains(i)).collect();
        unit.sort_by_key(|index| place.get(index).copied());
        done.extend(&unit);
        for piece in unit.chunks(MAX_OBJECTS) {
            match parts.last_mut() {
                Some(last) if last.len() + piece.len() <= MAX_OBJECTS => last.extend(piece),
                _ => parts.push(piece.to_vec()),
            }
        }
    }
    for part in &mut parts {
        part.sort_by_key(|index| place.get(index).copied());
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::strategies;

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn object(api: &str, kind: &str, name: &str, rest: Value) -> Value {
        let mut value = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
        if let (Some(value), Some(rest)) = (value.as_object_mut(), rest.as_object()) {
            for (key, item) in rest {
                match (value.get_mut(key).and_then(Value::as_object_mut), item.as_object()) {
                    (Some(map), Some(more)) => map.extend(more.clone()),
                    _ => {
                        value.insert(key.clone(), item.clone());
                    }
                }
            }
        }
        value
    }

    fn deployment(name: &str, config: &str) -> Value {
        object(
            "apps/v1",
            "Deployment",
            name,
            json!({"spec": {"template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"envFrom": [{"configMapRef": {"name": config}}]}]}}}}),
        )
    }

    fn plain(manifests: Vec<Value>) -> Wrapped {
        wrap(manifests, &WrapOptions { namespace: "ns".into(), ..WrapOptions::default() }, &Profiles::default())
    }

    fn contents(workload: &Value) -> (String, Vec<String>) {
        let entries = crate::object::items(workload, "/spec/objects");
        let names = entries.iter().map(|e| e["name"].as_str().unwrap_or_default().to_owned()).collect();
        (Object::new(workload).name().to_owned(), names)
    }

    #[test]
    fn unlabelled_objects_follow_their_links() {
        let out = plain(vec![
            object("v1", "Service", "a", json!({"spec": {"selector": {"app": "a"}}})),
            deployment("b", "cb"),
            deployment("a", "ca"),
            object("v1", "ConfigMap", "ca", json!({})),
            object("v1", "ConfigMap", "cb", json!({"metadata": {"labels": {"app.kubernetes.io/instance": "shop"}}})),
            object("v1", "ConfigMap", "alone", json!({})),
        ]);
        let got: Vec<_> = out.workloads.iter().map(contents).collect();
        let want = |name: &str, list: &[&str]| (name.to_owned(), list.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(
            got,
            [
                want("a", &["configmap-ca", "deployment-a", "service-a"]),
                want("shared", &["configmap-alone"]),
                want("shop", &["configmap-cb", "deployment-b"]),
            ]
        );
        assert_eq!(out.findings, vec![]);
    }

    #[test]
    fn workloads_that_share_something_go_to_the_same_clusters() {
        let labelled = |mut value: Value, instance: &str| {
            value["metadata"]["labels"] = json!({"app.kubernetes.io/instance": instance});
            value
        };
        let out = plain(vec![
            labelled(deployment("web", "common"), "web"),
            labelled(deployment("api", "common"), "api"),
            labelled(deployment("own", "mine"), "own"),
            object("v1", "ConfigMap", "common", json!({})),
            object("v1", "ConfigMap", "mine", json!({})),
            // The same names in another namespace are other objects.
            object("v1", "ConfigMap", "common", json!({"metadata": {"namespace": "other"}})),
        ]);
        let keys: Vec<_> = out
            .workloads
            .iter()
            .map(|w| (Object::new(w).name().to_owned(), w["spec"]["colocate"].as_str().map(str::to_owned)))
            .collect();
        let key = |name: &str, key: Option<&str>| (name.to_owned(), key.map(str::to_owned));
        assert_eq!(keys, [key("api", Some("api")), key("own", None), key("web", Some("api")), key("shared", None)]);
    }

    #[test]
    fn what_cannot_be_wrapped_is_named() {
        let hook = json!({"metadata": {"annotations": {"helm.sh/hook": "pre-install"}}});
        let out = plain(vec![
            object("v1", "Namespace", "ns", json!({})),
            object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x.y.io", json!({})),
            object("batch/v1", "Job", "migrate", hook),
            object("v1", "ConfigMap", "c", json!({})),
            object("v1", "ConfigMap", "c", json!({"metadata": {"namespace": "ns"}})),
            json!({"kind": "ConfigMap"}),
        ]);
        let codes: BTreeSet<_> = out.findings.iter().map(|f| f.reason.code).collect();
        let want = [
            Code::ClusterScopedNotWrapped,
            Code::CrdNotWrapped,
            Code::HookNotWrapped,
            Code::ManifestDuplicate,
            Code::ManifestInvalid,
        ];
        assert_eq!(codes, want.into());
        assert_eq!((out.workloads.len(), out.left_out.len()), (1, 4));
    }

    #[test]
    fn the_same_manifest_twice_is_one_and_no_fault() {
        let config = || object("v1", "ConfigMap", "c", json!({"data": {"a": "b"}}));
        let out = plain(vec![config(), config()]);
        let told: Vec<_> = out.findings.iter().map(|f| (f.reason.code, f.severity)).collect();
        assert_eq!(told, [(Code::ManifestDuplicate, Severity::Info)]);
        assert_eq!((contents(&out.workloads[0]).1.len(), out.left_out.len()), (1, 0));
    }

    #[test]
    fn a_need_that_was_left_out_is_named_once() {
        let hook = json!({"metadata": {"annotations": {"helm.sh/hook": "pre-install"}}});
        let out = plain(vec![object("v1", "ConfigMap", "c", hook), deployment("a", "c")]);
        assert_eq!(out.findings.iter().map(|f| f.reason.code).collect::<Vec<_>>(), [Code::HookNotWrapped]);
    }

    #[test]
    fn a_large_group_is_split_by_workload_and_waits_for_what_it_shares() {
        let mut manifests = vec![object("v1", "ConfigMap", "common", json!({}))];
        for n in 0..70 {
            manifests.push(deployment(&format!("w{n:02}"), "common"));
            manifests.push(object(
                "v1",
                "Service",
                &format!("w{n:02}"),
                json!({"spec": {"selector": {"app": format!("w{n:02}")}}}),
            ));
        }
        let options = WrapOptions { name: Some("big".into()), ..WrapOptions::default() };
        let out = wrap(manifests, &options, &Profiles::default());
        let sizes: Vec<_> = out.workloads.iter().map(|w| contents(w).1.len()).collect();
        assert_eq!(sizes, [63, 64, 14]);
        assert_eq!(out.workloads[1]["spec"]["dependsOn"], json!(["big"]));
        assert_eq!(out.workloads[0]["spec"].get("dependsOn"), None);
        assert!(out.workloads.iter().all(|workload| workload["spec"]["colocate"] == "big"), "all share a ConfigMap");
        for workload in &out.workloads {
            let (_, names) = contents(workload);
            for name in names.iter().filter_map(|name| name.strip_prefix("deployment-")) {
                assert!(names.contains(&format!("service-{name}")), "{name} was parted from its service");
            }
        }
        assert_eq!(out.findings.iter().map(|f| f.reason.code).collect::<Vec<_>>(), [Code::ClosureSplit]);
    }

    #[test]
    fn names_stay_legal_and_apart() {
        let long = "x".repeat(80);
        for text in ["shop", "政务服务", "A_b", "-", &long, "a.b"] {
            let name = dns_label(text);
            assert!(name.len() <= 63 && !name.starts_with('-') && !name.ends_with('-'), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        }
        assert_ne!(dns_label("a.b"), dns_label("a-b"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_is_lost_doubled_or_dependent_on_order(
            (manifests, shuffled) in strategies::manifests()
                .prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
            name in proptest::option::of(Just("one".to_owned())),
        ) {
            let options = WrapOptions { name, namespace: "ns".into(), ..WrapOptions::default() };
            let profiles = Profiles::default();
            let out = wrap(manifests.clone(), &options, &profiles);
            let mut back: Vec<String> = out.left_out.iter().map(Value::to_string).collect();
            for workload in &out.workloads {
                let entries = crate::object::items(workload, "/spec/objects");
                prop_assert!((1..=MAX_OBJECTS).contains(&entries.len()));
                back.extend(entries.iter().map(|entry| entry["manifest"].to_string()));
            }
            let mut given: Vec<String> = manifests.iter().map(Value::to_string).collect();
            back.sort();
            given.sort();
            given.dedup();
            prop_assert_eq!(back, given);
            let again = wrap(shuffled, &options, &profiles);
            let names = |o: &Wrapped| o.workloads.iter().map(contents).collect::<Vec<_>>();
            prop_assert_eq!(names(&again), names(&out));
        }
    }
}
