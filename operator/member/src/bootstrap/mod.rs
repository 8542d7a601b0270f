//! What a member's own administrator puts into it so that a hub may work there: by `jiuzhou join`, or by hand.
//!
//! Least rights: the hub's account sees nodes, pods and workloads, keeps namespaces that carry our label, and acts as the
//! tenants that are named; the tenants' accounts may do what a workload needs, in namespaces bound to them, and can run
//! no pod and mint no token where they live. There is no `*`, no `escalate`; `bind` and `impersonate` are by name. Nothing
//! here is sent to a cluster; these are texts.

mod pod;
mod policies;
mod rights;

use jiuzhou_api::meta;
use serde_json::{Value, json};

pub use pod::AgentPod;
pub use rights::{KINDS, KindRight, tenants_role};

/// Name of the hub's roles and bindings.
pub const HUB_ROLE: &str = meta::PUSH_ACCOUNT;

/// What to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrap {
    /// Tenants that the hub may act as.
    pub tenants: Vec<String>,
    /// Whether the API server knows ValidatingAdmissionPolicy (1.30 and later).
    pub admission: bool,
    /// With pull: the agent that runs there by this account.
    pub agent: Option<AgentPod>,
}

/// The user name of the hub's account in a member.
#[must_use]
pub fn hub_user() -> String {
    format!("system:serviceaccount:{}:{}", meta::SYSTEM_NAMESPACE, meta::PUSH_ACCOUNT)
}

impl Bootstrap {
    /// All objects, in the order in which they must be applied.
    #[must_use]
    pub fn manifests(&self) -> Vec<Value> {
        let mut tenants = self.tenants.clone();
        tenants.sort();
        tenants.dedup();
        let mut manifests = vec![
            namespace(meta::SYSTEM_NAMESPACE),
            namespace(meta::TENANTS_NAMESPACE),
            no_pods(),
            account(),
            rights::hub_cluster_role(),
            cluster_binding(),
            rights::tenant_cluster_role(),
            rights::hub_system_role(self.agent.is_some()),
            binding(meta::SYSTEM_NAMESPACE),
            tenants_role(&tenants),
            binding(meta::TENANTS_NAMESPACE),
        ];
        if self.admission {
            manifests.extend(policies::all());
        }
        manifests.extend(self.agent.iter().flat_map(AgentPod::manifests));
        manifests
    }
}

/// Labels of everything made here.
fn labels() -> Value {
    json!({ meta::LABEL_MANAGED_BY: meta::MANAGED_BY })
}

/// No pod of ours runs there but the agent, which is a restricted one.
fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": name, "labels": {
            meta::LABEL_MANAGED_BY: meta::MANAGED_BY,
            "pod-security.kubernetes.io/enforce": "restricted",
        } },
    })
}

/// Where the tenants' accounts live nobody runs a pod, so nobody gets a token of another by mounting it.
fn no_pods() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": "no-pods", "namespace": meta::TENANTS_NAMESPACE, "labels": labels() },
        "spec": { "hard": { "pods": "0", "secrets": "0" } },
    })
}

fn account() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": meta::PUSH_ACCOUNT, "namespace": meta::SYSTEM_NAMESPACE, "labels": labels() },
        "automountServiceAccountToken": false,
    })
}

fn subjects() -> Value {
    json!([{ "kind": "ServiceAccount", "name": meta::PUSH_ACCOUNT, "namespace": meta::SYSTEM_NAMESPACE }])
}

fn cluster_binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": HUB_ROLE, "labels": labels() },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": HUB_ROLE },
        "subjects": subjects(),
    })
}

fn binding(namespace: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": { "name": HUB_ROLE, "namespace": namespace, "labels": labels() },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": HUB_ROLE },
        "subjects": subjects(),
    })
}

#[cfg(test)]
mod tests;
