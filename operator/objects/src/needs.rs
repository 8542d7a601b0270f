//! What the pods of one template demand of the nodes and the cluster they go to.
//!
//! Node selector and required affinity become constraints that [`NodeNeeds::admits`] evaluates exactly as the
//! scheduler does. Preferences are left out: they never forbid. References to other objects are
//! [`crate::references`].

use std::collections::BTreeSet;

use jiuzhou_engine::terms::{Code, Finding, Reason};
use serde_json::{Map, Value};

use crate::object::{Labels, Object, items, text_map};
use crate::path::join;
use crate::selector::{LabelSelector, Operator, Requirement, Term};

/// Labels that the kubelet gives every node for its architecture (Go's name of it).
const ARCHITECTURE: [&str; 2] = ["beta.kubernetes.io/arch", "kubernetes.io/arch"];

/// Labels that the kubelet gives every node for its operating system, which is Linux in every member.
const SYSTEM: [&str; 2] = ["beta.kubernetes.io/os", "kubernetes.io/os"];

/// A toleration as Kubernetes reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Toleration {
    /// Taint key; empty for all.
    pub key: String,
    /// Any value (`Exists`) instead of this one.
    pub any_value: bool,
    /// Value for `Equal`.
    pub value: String,
    /// Taint effect; empty for all.
    pub effect: String,
    /// Seconds after which a `NoExecute` taint evicts all the same.
    pub seconds: Option<i64>,
}

impl Toleration {
    /// Whether it covers a taint. An empty key covers all keys only together with `Exists`.
    #[must_use]
    pub fn tolerates(&self, key: &str, value: &str, effect: &str) -> bool {
        (self.effect.is_empty() || self.effect == effect)
            && (self.key == key || (self.key.is_empty() && self.any_value))
            && (self.any_value || self.value == value)
    }
}

/// A topology spread constraint; the selector stays with the manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spread {
    /// Node label that makes the groups.
    pub key: String,
    /// Largest allowed difference between groups.
    pub max_skew: i64,
    /// Refuses to schedule otherwise (`DoNotSchedule`).
    pub hard: bool,
}

/// Demands on nodes and cluster of one pod template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeNeeds {
    /// `spec.nodeSelector`: all of these labels.
    pub selector: Labels,
    /// Required node affinity: one of these terms; `None` when there is none, an empty list matches no node.
    pub terms: Option<Vec<Term>>,
    /// Tolerations.
    pub tolerations: Vec<Toleration>,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<String>,
    /// `spec.schedulerName` when it is not the default one.
    pub scheduler: Option<String>,
    /// `spec.nodeName`, which bypasses the scheduler.
    pub node_name: Option<String>,
    /// Topology spread constraints.
    pub spread: Vec<Spread>,
    /// Shares the node's network, process or IPC namespace.
    pub host_namespaces: bool,
    /// Paths of the node it mounts.
    pub host_paths: Vec<String>,
    /// A container runs privileged.
    pub privileged: bool,
    /// Claims of the namespace it mounts, by name.
    pub claims: Vec<String>,
    /// What it takes of its node of which every node has one.
    pub one_per_node: BTreeSet<OnePerNode>,
    /// What it asks of nodes by other pods there and nobody can count: the field, and where it stands below the pod's spec.
    pub by_pods: Vec<(&'static str, &'static str)>,
}

/// Something of which every node has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnePerNode {
    /// A port of the node. The scheduler lets two pods share one on different addresses; a port is one here.
    Port {
        /// `TCP`, `UDP` or `SCTP`.
        protocol: String,
        /// Its number.
        port: i64,
    },
    /// The place beside which required anti-affinity by host name lets no pod with the labels of this selector stand:
    /// the selector as JSON. The pod has these labels itself.
    Apart(String),
}

/// Demands on nodes that depend on which pods are there already. Who counts room by free amounts, and by what a node has
/// one of, cannot tell whether these hold: required affinity to pods, anti-affinity to other pods or over more than a
/// node, hard topology spread.
const BY_PODS: [(&str, &str); 3] = [
    (
        "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        "/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
    ),
    (
        "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution",
    ),
    ("topologySpreadConstraints", "/topologySpreadConstraints"),
];

/// The label by which anti-affinity keeps pods apart on nodes.
const HOSTNAME: &str = "kubernetes.io/hostname";

impl NodeNeeds {
    /// Reads the template (or Pod) at a pointer.
    #[must_use]
    pub fn of(object: Object<'_>, template: &str, findings: &mut Vec<Finding>) -> Self {
        let pointer = join(template, "spec");
        let Some(spec) = object.value.pointer(&pointer) else { return Self::default() };
        let text = |field: &str| spec.get(field).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned);
        let flag = |field: &str| spec.get(field) == Some(&Value::Bool(true));
        let mut needs = Self {
            selector: text_map(spec.get("nodeSelector")),
            terms: required_terms(spec),
            tolerations: items(spec, "/tolerations").iter().map(toleration).collect(),
            runtime_class: text("runtimeClassName"),
            scheduler: text("schedulerName").filter(|name| name != "default-scheduler"),
            node_name: text("nodeName"),
            spread: items(spec, "/topologySpreadConstraints").iter().map(spread).collect(),
            host_namespaces: flag("hostNetwork") || flag("hostPID") || flag("hostIPC"),
            ..Self::default()
        };
        for volume in items(spec, "/volumes") {
            let at = |path: &str| volume.pointer(path).and_then(Value::as_str).map(str::to_owned);
            needs.host_paths.extend(at("/hostPath/path"));
            needs.claims.extend(at("/persistentVolumeClaim/claimName"));
        }
        for container in ["/initContainers", "/containers"].iter().flat_map(|list| items(spec, list)) {
            needs.privileged |= container.pointer("/securityContext/privileged") == Some(&Value::Bool(true));
        }
        let ports = host_ports(spec, flag("hostNetwork"));
        needs.one_per_node =
            ports.map(|(port, protocol)| OnePerNode::Port { protocol: protocol.to_owned(), port }).collect();
        let [near, apart, even] = BY_PODS;
        let labels = text_map(object.value.pointer(&join(template, "metadata")).and_then(|of| of.get("labels")));
        let (counted, others): (Vec<_>, Vec<_>) =
            items(spec, apart.1).iter().map(|term| from_its_own(term, &labels)).partition(Option::is_some);
        needs.one_per_node.extend(counted.into_iter().flatten().map(OnePerNode::Apart));
        let there = [
            (near, !items(spec, near.1).is_empty()),
            (apart, !others.is_empty()),
            (even, needs.spread.iter().any(|one| one.hard)),
        ];
        needs.by_pods = there.into_iter().filter(|(_, there)| *there).map(|(field, _)| field).collect();
        needs.report(object, &pointer, findings);
        needs
    }

    fn report(&self, object: Object<'_>, spec: &str, findings: &mut Vec<Finding>) {
        if self.terms.as_ref().is_some_and(|terms| terms.iter().all(dead)) {
            let pointer = format!("{spec}{REQUIRED}");
            let reason = Reason::new(Code::AffinityMatchesNothing).object(pointer.as_str());
            findings.push(object.finding(reason, pointer));
        }
        if let Some(node) = &self.node_name {
            let reason = Reason::new(Code::NodeNameFixed).seen(node.as_str());
            findings.push(object.finding(reason, join(spec, "nodeName")));
        }
    }

    /// Whether a node of this name with these labels may run the pod, as far as selector and affinity go.
    #[must_use]
    pub fn admits(&self, node: &str, labels: &Labels) -> bool {
        self.node_name.as_ref().is_none_or(|name| name == node)
            && self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(|term| term.matches(node, labels)))
    }

    /// Whether selector and affinity leave nodes of an architecture (Go's name of it), whatever else they ask for.
    #[must_use]
    pub fn admits_architecture(&self, architecture: &str) -> bool {
        let meets = |requirement: &&Requirement| {
            requirement.matches(&[(requirement.key.clone(), architecture.to_owned())].into())
        };
        let named = |requirement: &&Requirement| ARCHITECTURE.contains(&requirement.key.as_str());
        self.selector.iter().all(|(key, value)| !ARCHITECTURE.contains(&key.as_str()) || value == architecture)
            && self.terms.as_ref().is_none_or(|terms| {
                let mut live = terms.iter().filter(|term| !dead(term));
                live.any(|term| term.labels.iter().filter(named).all(|requirement| meets(&requirement)))
            })
    }

    /// The architectures that selector or affinity name as fit: the author's word that the images have them.
    #[must_use]
    pub fn named_architectures(&self) -> BTreeSet<String> {
        let selected = self.selector.iter().filter(|(key, _)| ARCHITECTURE.contains(&key.as_str()));
        let requirements = self.terms.iter().flatten().flat_map(|term| &term.labels);
        let listed = requirements.filter(|r| ARCHITECTURE.contains(&r.key.as_str()) && r.operator == Operator::In);
        let named = selected.map(|(_, value)| value).chain(listed.flat_map(|r| &r.values));
        named.filter(|architecture| self.admits_architecture(architecture)).cloned().collect()
    }

    /// Labels that nodes must carry or lack beyond those of architecture and operating system, by key.
    #[must_use]
    pub fn other_labels(&self) -> BTreeSet<String> {
        let known = |key: &str| ARCHITECTURE.contains(&key) || SYSTEM.contains(&key);
        let terms = self.terms.iter().flatten().flat_map(|term| &term.labels).map(|requirement| &requirement.key);
        self.selector.keys().chain(terms).filter(|key| !known(key)).cloned().collect()
    }
}

/// Whether a term matches no node at all.
fn dead(term: &Term) -> bool {
    term.broken || (term.labels.is_empty() && term.fields.is_empty())
}

/// Where the required node affinity stands below a pod spec.
pub(crate) const REQUIRED: &str = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";

fn required_terms(spec: &Value) -> Option<Vec<Term>> {
    let required = spec.pointer(REQUIRED).filter(|required| !required.is_null())?;
    Some(items(required, "/nodeSelectorTerms").iter().map(Term::read).collect())
}

/// Ports of the node that the containers bind, with their protocol: those of containers that run beside the others. With
/// the node's own network every port of a container is one of the node.
fn host_ports(spec: &Value, of_the_node: bool) -> impl Iterator<Item = (i64, &str)> {
    let beside = |container: &&Value| container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
    let containers = items(spec, "/initContainers").iter().filter(beside).chain(items(spec, "/containers"));
    let port = move |port: &Value| {
        let number = |field: &str| port.get(field).and_then(Value::as_i64).filter(|number| *number > 0);
        number("hostPort").or_else(|| number("containerPort").filter(|_| of_the_node))
    };
    let ports = containers.flat_map(|container| items(container, "/ports"));
    ports.filter_map(move |of| Some((port(of)?, of.get("protocol").and_then(Value::as_str).unwrap_or("TCP"))))
}

/// The selector, as JSON, of a term of anti-affinity that keeps the pods of one template off each other's nodes; nothing
/// for a term of other pods, of other namespaces or of more than a node.
fn from_its_own(term: &Value, labels: &Labels) -> Option<String> {
    let selector = term.get("labelSelector").filter(|selector| !selector.is_null())?;
    let by_node = term.get("topologyKey").and_then(Value::as_str) == Some(HOSTNAME);
    let everywhere = term.get("namespaceSelector").is_some_and(|of| of.as_object().is_some_and(Map::is_empty));
    let here = items(term, "/namespaces").is_empty() && term.get("namespaceSelector").is_none_or(Value::is_null);
    let own = LabelSelector::read(selector).for_templates().matches(labels);
    (by_node && own && (here || everywhere)).then(|| selector.to_string())
}

fn toleration(value: &Value) -> Toleration {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Toleration {
        key: text("key"),
        any_value: text("operator") == "Exists",
        value: text("value"),
        effect: text("effect"),
        seconds: value.get("tolerationSeconds").and_then(Value::as_i64),
    }
}

fn spread(value: &Value) -> Spread {
    Spread {
        key: value.get("topologyKey").and_then(Value::as_str).unwrap_or_default().to_owned(),
        max_skew: value.get("maxSkew").and_then(Value::as_i64).unwrap_or(1),
        hard: value.get("whenUnsatisfiable").and_then(Value::as_str) != Some("ScheduleAnyway"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn needs(spec: Value) -> (NodeNeeds, Vec<Code>) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
        let mut findings = Vec::new();
        let needs = NodeNeeds::of(Object::new(&pod), "", &mut findings);
        (needs, findings.into_iter().map(|f| f.reason.code).collect())
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn selector_and_one_of_the_terms_must_hold() {
        let (needs, codes) = needs(json!({"nodeSelector": {"zone": "a"}, "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "arch", "operator": "In", "values": ["arm64"]}]},
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n9"]}]}]}}}}));
        assert_eq!(codes, []);
        assert!(needs.admits("n1", &labels(&[("zone", "a"), ("arch", "arm64")])));
        assert!(needs.admits("n9", &labels(&[("zone", "a"), ("arch", "amd64")])));
        assert!(!needs.admits("n1", &labels(&[("zone", "a"), ("arch", "amd64")])));
        assert!(!needs.admits("n9", &labels(&[("zone", "b")])));
    }

    #[test]
    fn an_affinity_without_a_usable_term_matches_no_node_and_is_found() {
        for terms in [json!([]), json!([{}]), json!([{"matchExpressions": [{"key": "a"}]}]), json!(null)] {
            let (needs, codes) = needs(json!({"affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}}));
            assert!(!needs.admits("n", &Labels::new()), "{terms}");
            assert_eq!(codes, [Code::AffinityMatchesNothing], "{terms}");
        }
    }

    #[test]
    fn architectures_are_read_from_selector_and_affinity() {
        let affinity = |expressions: Value| {
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": expressions}]}}}})
        };
        let arch = |operator: &str, values: &[&str]| {
            affinity(json!([{"key": "kubernetes.io/arch", "operator": operator, "values": values},
                {"key": "disk", "operator": "Exists"}]))
        };
        // The pod, the architectures it may run on, those it names, the other labels it looks at.
        type Row<'a> = (Value, &'a [&'a str], &'a [&'a str], &'a [&'a str]);
        let table: [Row<'_>; 5] = [
            (json!({"nodeSelector": {"kubernetes.io/os": "linux"}}), &["amd64", "arm64"], &[], &[]),
            (
                json!({"nodeSelector": {"beta.kubernetes.io/arch": "arm64", "gpu": "a"}}),
                &["arm64"],
                &["arm64"],
                &["gpu"],
            ),
            (arch("In", &["amd64", "s390x"]), &["amd64"], &["amd64", "s390x"], &["disk"]),
            (arch("NotIn", &["amd64"]), &["arm64"], &[], &["disk"]),
            (affinity(json!([{"key": "disk"}])), &[], &[], &[]),
        ];
        for (spec, admitted, named, other) in table {
            let (needs, _) = needs(spec.clone());
            let left: Vec<_> = ["amd64", "arm64"].into_iter().filter(|a| needs.admits_architecture(a)).collect();
            assert_eq!(left, admitted, "{spec}");
            assert_eq!(needs.named_architectures().iter().collect::<Vec<_>>(), named, "{spec}");
            assert_eq!(needs.other_labels().iter().collect::<Vec<_>>(), other, "{spec}");
        }
    }

    #[test]
    fn tolerations_cover_as_kubernetes_says() {
        let table = [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "k", "operator": "Exists"}), true),
            (json!({"key": "k", "value": "v"}), true),
            (json!({"key": "k", "value": "w"}), false),
            (json!({"key": "k", "value": "v", "effect": "NoExecute"}), false),
            (json!({"key": "k"}), false),
            (json!({}), false),
        ];
        for (value, want) in table {
            assert_eq!(toleration(&value).tolerates("k", "v", "NoSchedule"), want, "{value}");
        }
    }

    #[test]
    fn what_ties_a_pod_to_its_node_is_listed() {
        let (needs, codes) = needs(json!({"hostPID": true, "nodeName": "n7",
            "volumes": [{"hostPath": {"path": "/dev"}}, {"persistentVolumeClaim": {"claimName": "c"}}],
            "containers": [{"ports": [{"hostPort": 80}, {"containerPort": 1}], "securityContext": {"privileged": true}}]}));
        assert!(needs.host_namespaces && needs.privileged);
        assert_eq!((needs.host_paths, needs.claims), (vec!["/dev".into()], vec!["c".into()]));
        assert_eq!(needs.one_per_node, [OnePerNode::Port { protocol: "TCP".into(), port: 80 }].into());
        assert_eq!(codes, [Code::NodeNameFixed]);
    }

    #[test]
    fn ports_of_the_node_are_those_of_containers_that_run_beside_each_other() {
        let port = |protocol: &str, port| OnePerNode::Port { protocol: protocol.to_owned(), port };
        let containers = json!([{"ports": [{"hostPort": 53, "protocol": "UDP"}, {"containerPort": 80}]}]);
        let first = json!([{"ports": [{"hostPort": 1}]}, {"restartPolicy": "Always", "ports": [{"hostPort": 2}]}]);
        let (one, _) = needs(json!({"containers": containers, "initContainers": first}));
        assert_eq!(one.one_per_node, [port("UDP", 53), port("TCP", 2)].into());
        let (own, _) = needs(json!({"containers": containers, "hostNetwork": true}));
        assert_eq!(own.one_per_node, [port("UDP", 53), port("TCP", 80)].into());
        assert_eq!((one.by_pods, own.by_pods), (vec![], vec![]));
    }

    #[test]
    fn anti_affinity_counts_where_it_keeps_the_pods_themselves_apart_on_nodes() {
        let selector = json!({"matchLabels": {"app": "web"}});
        let table = [
            (json!({"topologyKey": HOSTNAME, "labelSelector": selector}), true),
            (json!({"topologyKey": HOSTNAME, "labelSelector": {}}), true),
            (json!({"topologyKey": HOSTNAME, "labelSelector": selector, "namespaceSelector": {}}), true),
            (json!({"topologyKey": HOSTNAME, "labelSelector": selector, "namespaces": []}), true),
            (json!({"topologyKey": HOSTNAME, "labelSelector": selector, "namespaces": ["other"]}), false),
            (
                json!({"topologyKey": HOSTNAME, "labelSelector": selector, "namespaceSelector": {"matchLabels": {"a": "b"}}}),
                false,
            ),
            (json!({"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "db"}}}), false),
            (json!({"topologyKey": HOSTNAME}), false),
            (json!({"topologyKey": "topology.kubernetes.io/zone", "labelSelector": selector}), false),
        ];
        for (term, counted) in table {
            let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web"}},
                "spec": {"affinity": affinity}});
            let needs = NodeNeeds::of(Object::new(&pod), "", &mut Vec::new());
            assert_eq!((needs.one_per_node.len(), needs.by_pods.is_empty()), (usize::from(counted), counted), "{term}");
        }
    }
}
