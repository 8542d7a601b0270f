//! The rights of the hub's account and of the tenants' accounts in a member, each with its reason.

use jiuzhou_api::meta;
use serde_json::{Value, json};

use super::{HUB_ROLE, labels};

/// A kind of object that a tenant's account may apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRight {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version that is listed when objects are counted.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Resource.
    pub resource: &'static str,
    /// Whether the hub's own account may list it, to count what is left and to see how it stands.
    pub hub_lists: bool,
}

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    resource: &'static str,
    hub_lists: bool,
) -> KindRight {
    KindRight { group, version, kind, resource, hub_lists }
}

/// Everything a workload may consist of without a further right. Contents of ConfigMaps and Secrets are the tenant's: the
/// hub's account cannot list them.
pub const KINDS: &[KindRight] = &[
    kind("", "v1", "ConfigMap", "configmaps", false),
    kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    kind("", "v1", "Secret", "secrets", false),
    kind("", "v1", "Service", "services", true),
    kind("", "v1", "ServiceAccount", "serviceaccounts", true),
    kind("apps", "v1", "DaemonSet", "daemonsets", true),
    kind("apps", "v1", "Deployment", "deployments", true),
    kind("apps", "v1", "StatefulSet", "statefulsets", true),
    kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    kind("batch", "v1", "CronJob", "cronjobs", true),
    kind("batch", "v1", "Job", "jobs", true),
    kind("networking.k8s.io", "v1", "Ingress", "ingresses", true),
    kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", true),
    kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
];

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": groups, "resources": resources, "verbs": verbs })
}

fn named(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": groups, "resources": resources, "resourceNames": names, "verbs": verbs })
}

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = KINDS.iter().map(|kind| kind.group).collect();
    groups.dedup();
    groups
}

fn resources(group: &str, which: impl Fn(&KindRight) -> bool) -> Vec<&'static str> {
    KINDS.iter().filter(|kind| kind.group == group && which(kind)).map(|kind| kind.resource).collect()
}

pub(super) fn hub_cluster_role() -> Value {
    let rbac = "rbac.authorization.k8s.io";
    let mut rules = vec![
        // Inventory: pools, and what pods that are not ours take.
        rule(&[""], &["nodes", "pods"], &["list"]),
        rule(&["topology.node.k8s.io"], &["noderesourcetopologies"], &["list"]),
        // Identity (kube-system), and the namespaces of tenants; admission keeps it to those with our label.
        rule(&[""], &["namespaces"], &["get", "create", "delete"]),
        // What a tenant may use, and that its account may work in its namespaces: by one role, and no other.
        rule(&[""], &["resourcequotas"], &["get", "create", "patch", "delete"]),
        rule(&[""], &["limitranges"], &["get", "create"]),
        rule(&[rbac], &["rolebindings"], &["get", "create"]),
        named(&[rbac], &["clusterroles"], &[meta::TENANT_ROLE], &["bind"]),
    ];
    // How what we delivered stands, and what of it is left.
    for group in groups() {
        let listed = resources(group, |kind| kind.hub_lists);
        rules.push(rule(&[group], &listed, &["list", "watch"]));
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": HUB_ROLE, "labels": labels() },
        "rules": rules,
    })
}

pub(super) fn hub_system_role(agent: bool) -> Value {
    let mut rules = vec![
        // The claim: who commands here, up to which epoch.
        rule(&[""], &["configmaps"], &["create"]),
        named(&[""], &["configmaps"], &[meta::HUB_CLAIM], &["get", "update", "delete"]),
    ];
    if agent {
        // Key and certificate of the agent.
        rules.push(rule(&[""], &["secrets"], &["create"]));
        rules.push(named(&[""], &["secrets"], &[crate::agent::identity::SECRET], &["get", "patch"]));
    } else {
        // The hub renews its own token before it ends.
        rules.push(named(&[""], &["serviceaccounts/token"], &[meta::PUSH_ACCOUNT], &["create"]));
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": { "name": HUB_ROLE, "namespace": meta::SYSTEM_NAMESPACE, "labels": labels() },
        "rules": rules,
    })
}

/// The hub makes the accounts of tenants, and acts as those that are named. A name that is not here is a right that is
/// missing, and the operator shows this role with the name added.
#[must_use]
pub fn tenants_role(tenants: &[String]) -> Value {
    let mut rules = vec![rule(&[""], &["serviceaccounts"], &["get", "create", "delete"])];
    // An empty list of names would mean every name.
    if !tenants.is_empty() {
        let names: Vec<&str> = tenants.iter().map(String::as_str).collect();
        rules.push(named(&[""], &["serviceaccounts"], &names, &["impersonate"]));
    }
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": { "name": HUB_ROLE, "namespace": meta::TENANTS_NAMESPACE, "labels": labels() },
        "rules": rules,
    })
}

pub(super) fn tenant_cluster_role() -> Value {
    let mut rules = Vec::new();
    for group in groups() {
        let resources = resources(group, |kind| kind.kind != "Secret");
        rules.push(rule(&[group], &resources, &["get", "list", "create", "patch", "delete"]));
    }
    // A Secret is written and removed by name; nobody lists them.
    rules.push(rule(&[""], &["secrets"], &["get", "create", "patch", "delete"]));
    // Pods and who owns them: a workload is gone when none is left.
    rules.push(rule(&[""], &["pods"], &["list"]));
    rules.push(rule(&["apps"], &["replicasets"], &["list"]));
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": meta::TENANT_ROLE, "labels": labels() },
        "rules": rules,
    })
}
