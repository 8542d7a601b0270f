//! What hangs together in a set of objects: closures, groups, and names that lead nowhere.
//!
//! The closure of an object holds what it needs, what those need, and what serves any of them (a Service for its pods,
//! the Ingress for that Service, the role binding of a service account). Other workloads that merely share something
//! are not in it. Results are in the order of (kind, namespace, name), whatever the order of the input.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use serde_json::Value;

use crate::object::{Labels, Object, Scope, custom_scopes, scope_of, text_map};
use crate::profile::{Profiles, may_hide_pods};
use crate::references::{End, Link, Tie, links};

/// One object of a set.
#[derive(Clone, Debug)]
struct Node<'a> {
    object: Object<'a>,
    key: ObjectRef,
    links: Vec<Link>,
    /// Indices this object needs, and serves.
    needs: BTreeSet<usize>,
    serves: BTreeSet<usize>,
}

/// Objects with their links resolved. Indices are those of the slice it was made from.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    by_key: BTreeMap<ObjectRef, usize>,
    served_by: Vec<BTreeSet<usize>>,
    /// Namespaces with objects that may run pods nobody here sees; a selector there may take those.
    hidden_pods: BTreeSet<String>,
}

impl<'a> Graph<'a> {
    /// Resolves the links of some objects. Namespaced ones without a namespace are taken to be in
    /// `default_namespace` (which may be empty). Of two objects with one key, names lead to the first.
    #[must_use]
    pub fn new(objects: &'a [Value], default_namespace: &str, profiles: &Profiles) -> Self {
        let custom = custom_scopes(objects);
        let mut nodes: Vec<Node<'a>> = Vec::with_capacity(objects.len());
        let mut by_key = BTreeMap::new();
        let mut pods: BTreeMap<String, Vec<(usize, Labels)>> = BTreeMap::new();
        for (index, value) in objects.iter().enumerate() {
            let object = Object::new(value);
            let namespace = match (scope_of(object.group(), object.kind(), &custom), object.namespace()) {
                (Scope::Cluster, _) => "",
                (Scope::Namespaced, "") => default_namespace,
                (Scope::Namespaced, stated) => stated,
            };
            let key = ObjectRef::new(object.kind(), namespace, object.name());
            by_key.entry(key.clone()).or_insert(index);
            for (template, _) in profiles.of(object).map(|p| p.templates_in(object)).unwrap_or_default() {
                let labels = text_map(value.pointer(&format!("{template}/metadata/labels")));
                pods.entry(namespace.to_owned()).or_default().push((index, labels));
            }
            let links = links(object, namespace, profiles);
            nodes.push(Node { object, key, links, needs: BTreeSet::new(), serves: BTreeSet::new() });
        }
        let mut served_by = vec![BTreeSet::new(); nodes.len()];
        for (index, node) in nodes.iter_mut().enumerate() {
            for link in &node.links {
                let ends: Vec<usize> = match &link.end {
                    End::Named(key) => by_key.get(key).copied().into_iter().collect(),
                    End::Pods(selector) => {
                        let selector = selector.for_templates();
                        let here = pods.get(&node.key.namespace).into_iter().flatten();
                        here.filter(|(_, labels)| selector.matches(labels)).map(|(pod, _)| *pod).collect()
                    }
                };
                for end in ends.into_iter().filter(|end| *end != index) {
                    match link.tie {
                        Tie::Needs => node.needs.insert(end),
                        Tie::Serves => {
                            served_by[end].insert(index);
                            node.serves.insert(end)
                        }
                    };
                }
            }
        }
        let hiding = nodes.iter().filter(|node| may_hide_pods(node.object, profiles));
        let hidden_pods = hiding.map(|node| node.key.namespace.clone()).collect();
        Self { nodes, by_key, served_by, hidden_pods }
    }

    /// Where an object stands in the slice, by its kind, effective namespace and name.
    #[must_use]
    pub fn find(&self, key: &ObjectRef) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// The key of an object: kind, effective namespace, name.
    #[must_use]
    pub fn key(&self, index: usize) -> Option<&ObjectRef> {
        self.nodes.get(index).map(|node| &node.key)
    }

    /// The objects an object needs or serves, directly.
    pub fn neighbours(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.nodes.get(index).into_iter().flat_map(|node| node.needs.union(&node.serves).copied())
    }

    /// The objects an object needs, directly.
    pub fn needs(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.nodes.get(index).into_iter().flat_map(|node| node.needs.iter().copied())
    }

    /// What an object cannot do without and names: where that stands, and the pointer of the name, once per object.
    #[must_use]
    pub fn named(&self, index: usize) -> Vec<(usize, &str)> {
        let mut named = BTreeSet::new();
        let links = self.nodes.get(index).into_iter().flat_map(|node| &node.links);
        links
            .filter(|link| link.tie == Tie::Needs && !link.optional)
            .filter_map(|link| match &link.end {
                End::Named(key) => Some((self.find(key)?, link.pointer.as_str())),
                End::Pods(_) => None,
            })
            .filter(|(end, _)| *end != index && named.insert(*end))
            .collect()
    }

    /// The closure of some objects, themselves included, in key order.
    #[must_use]
    pub fn closure(&self, roots: &[usize]) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<usize> = roots.iter().copied().filter(|root| *root < self.nodes.len()).collect();
        while let Some(index) = todo.pop() {
            if seen.insert(index) {
                todo.extend(&self.nodes[index].needs);
                todo.extend(&self.served_by[index]);
            }
        }
        self.sorted(seen)
    }

    /// Sorts indices by key; equal keys by position.
    #[must_use]
    pub fn sorted(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut sorted: Vec<usize> = indices.into_iter().filter(|index| *index < self.nodes.len()).collect();
        sorted.sort_by_key(|index| (&self.nodes[*index].key, *index));
        sorted
    }

    /// Every name in an object that leads to nothing in the set and is not optional, as findings, once per name. Selectors that take
    /// no pod are listed too: the Service or budget does nothing. A policy for all pods of a namespace is no such case.
    #[must_use]
    pub fn missing(&self, index: usize) -> Vec<Finding> {
        let Some(node) = self.nodes.get(index) else { return Vec::new() };
        let finding = |reason, link: &Link| Finding::new(reason).on(node.key.clone()).pointer(link.pointer.as_str());
        let mut findings = Vec::new();
        let mut named = BTreeSet::new();
        for link in node.links.iter().filter(|link| !link.optional) {
            match &link.end {
                End::Named(key) if !self.by_key.contains_key(key) && named.insert(key) => {
                    findings.push(finding(Reason::new(Code::DependencyMissing).object(key.to_string()), link));
                }
                End::Pods(selector)
                    if !selector.is_empty()
                        && node.serves.is_empty()
                        && !self.hidden_pods.contains(&node.key.namespace) =>
                {
                    let seen = node.object.value.pointer(&link.pointer).map(crate::object::shown).unwrap_or_default();
                    findings.push(finding(Reason::new(Code::SelectorMatchesNothing).seen(seen), link));
                }
                _ => {}
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn object(api: &str, kind: &str, name: &str, rest: Value) -> Value {
        let mut value = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
        for (key, item) in rest.as_object().cloned().unwrap_or_default() {
            value[key] = item;
        }
        value
    }

    /// A shop: two workloads that share a ConfigMap, with everything around the first.
    fn shop() -> Vec<Value> {
        let pod = |app: &str, spec: Value| json!({"spec": {"template": {"metadata": {"labels": {"app": app}}, "spec": spec}}});
        vec![
            object(
                "apps/v1",
                "Deployment",
                "web",
                pod(
                    "web",
                    json!({
                "serviceAccountName": "web", "imagePullSecrets": [{"name": "pull"}],
                "containers": [{"envFrom": [{"configMapRef": {"name": "shared"}}],
                    "env": [{"valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
                            {"valueFrom": {"configMapKeyRef": {"name": "maybe", "key": "p", "optional": true}}}]}],
                "volumes": [{"projected": {"sources": [{"secret": {"name": "tls"}}]}},
                            {"persistentVolumeClaim": {"claimName": "data"}}]}),
                ),
            ),
            object(
                "apps/v1",
                "Deployment",
                "batch",
                pod(
                    "batch",
                    json!({
                "containers": [{"envFrom": [{"configMapRef": {"name": "shared"}}]}]}),
                ),
            ),
            object("v1", "ConfigMap", "shared", json!({})),
            object("v1", "Secret", "db", json!({})),
            object("v1", "PersistentVolumeClaim", "data", json!({})),
            object("v1", "ServiceAccount", "web", json!({})),
            object("v1", "Service", "web", json!({"spec": {"selector": {"app": "web"}}})),
            object("v1", "Service", "lost", json!({"spec": {"selector": {"app": "nobody"}}})),
            object(
                "networking.k8s.io/v1",
                "Ingress",
                "web",
                json!({"spec": {"rules": [
                {"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}}),
            ),
            object(
                "policy/v1",
                "PodDisruptionBudget",
                "web",
                json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}}),
            ),
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "web",
                json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}),
            ),
            object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "web",
                json!({
                "roleRef": {"kind": "Role", "name": "web"}, "subjects": [{"kind": "ServiceAccount", "name": "web"}]}),
            ),
            object("rbac.authorization.k8s.io/v1", "Role", "web", json!({})),
        ]
    }

    fn names(objects: &[Value], indices: &[usize]) -> Vec<String> {
        indices.iter().map(|i| Object::new(&objects[*i]).reference().to_string()).collect()
    }

    #[test]
    fn a_profile_of_a_known_kind_links_a_service_to_its_own_pods_only() {
        let mut profiles = Profiles::default();
        let spec = json!({"targetApiVersion": "v1", "targetKind": "Service", "dependencies": [
            {"path": "/spec/selector", "form": "Selector", "apiVersion": "v1", "kind": "Pod", "optional": true}]});
        profiles.insert(crate::profile::Profile::read(&spec).unwrap());
        let objects = shop();
        let graph = Graph::new(&objects, "", &profiles);
        let service = objects.iter().position(|value| value["kind"] == "Service").unwrap();
        let served: Vec<_> = graph.neighbours(service).collect();
        assert_eq!(names(&objects, &served), ["Deployment/web"]);
    }

    #[test]
    fn a_closure_holds_needs_and_servants_but_no_stranger() {
        let objects = shop();
        let graph = Graph::new(&objects, "", &Profiles::default());
        assert_eq!(
            names(&objects, &graph.closure(&[0])),
            [
                "ConfigMap/shared",
                "Deployment/web",
                "HorizontalPodAutoscaler/web",
                "Ingress/web",
                "PersistentVolumeClaim/data",
                "PodDisruptionBudget/web",
                "Role/web",
                "RoleBinding/web",
                "Secret/db",
                "Service/web",
                "ServiceAccount/web"
            ]
        );
        assert_eq!(names(&objects, &graph.closure(&[1])), ["ConfigMap/shared", "Deployment/batch"]);
    }

    #[test]
    fn names_that_lead_nowhere_are_found_unless_optional() {
        let objects = shop();
        let graph = Graph::new(&objects, "", &Profiles::default());
        let missing: Vec<_> = graph.missing(0).into_iter().map(|f| (f.reason.object, f.pointer)).collect();
        let spec = "/spec/template/spec";
        assert_eq!(
            missing,
            [
                ("Secret/pull".into(), format!("{spec}/imagePullSecrets/0/name")),
                ("Secret/tls".into(), format!("{spec}/volumes/0/projected/sources/0/secret/name")),
            ]
        );
        let lost: Vec<_> = graph.missing(7).into_iter().map(|f| f.reason.code).collect();
        assert_eq!(lost, [Code::SelectorMatchesNothing]);
    }

    #[test]
    fn a_selector_beside_a_kind_that_may_make_pods_is_not_called_empty() {
        let objects = vec![
            object("v1", "Service", "s", json!({"spec": {"selector": {"app": "made-by-an-operator"}}})),
            object("monitoring.coreos.com/v1", "Prometheus", "k8s", json!({})),
        ];
        assert_eq!(Graph::new(&objects, "", &Profiles::default()).missing(0), vec![]);
        assert_eq!(Graph::new(&objects[..1], "", &Profiles::default()).missing(0).len(), 1);
    }

    #[test]
    fn a_service_for_one_pod_of_a_stateful_set_serves_the_set_and_a_name_is_missed_once() {
        let env = json!([{"valueFrom": {"secretKeyRef": {"name": "pw"}}}]);
        let objects = vec![
            object(
                "v1",
                "Service",
                "db-0",
                json!({"spec": {"selector": {"app": "db", "statefulset.kubernetes.io/pod-name": "db-0"}}}),
            ),
            object(
                "apps/v1",
                "StatefulSet",
                "db",
                json!({"spec": {"serviceName": "none", "template": {
                "metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"env": env}, {"env": env}]}}}}),
            ),
        ];
        let graph = Graph::new(&objects, "", &Profiles::default());
        assert_eq!(graph.closure(&[1]), [0, 1]);
        assert_eq!(graph.missing(0), vec![]);
        let missing: Vec<_> = graph.missing(1).into_iter().map(|f| f.reason.object).collect();
        assert_eq!(missing, ["Secret/pw".into()]);
    }

    #[test]
    fn a_name_means_the_objects_own_namespace() {
        let mut objects = shop();
        objects[0]["metadata"]["namespace"] = "a".into();
        objects[2]["metadata"]["namespace"] = "b".into();
        let graph = Graph::new(&objects, "a", &Profiles::default());
        let missing: Vec<_> = graph.missing(0).into_iter().map(|f| f.reason.object).collect();
        assert!(missing.contains(&"ConfigMap/a/shared".into()), "the one in namespace b is another: {missing:?}");
        assert_eq!(graph.missing(6), vec![], "the Service is taken to be in namespace a too");
    }

    proptest! {
        #[test]
        fn the_order_of_the_objects_changes_no_closure(
            order in Just((0..shop().len()).collect::<Vec<_>>()).prop_shuffle(),
            root in 0..shop().len(),
        ) {
            let objects = shop();
            let shuffled: Vec<Value> = order.iter().map(|i| objects[*i].clone()).collect();
            let moved = order.iter().position(|i| *i == root).unwrap();
            let profiles = Profiles::default();
            let (a, b) = (Graph::new(&objects, "", &profiles), Graph::new(&shuffled, "", &profiles));
            prop_assert_eq!(names(&objects, &a.closure(&[root])), names(&shuffled, &b.closure(&[moved])));
            prop_assert_eq!(a.missing(root), b.missing(moved));
        }
    }
}
