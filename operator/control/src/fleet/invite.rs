//! How a cluster joins by pull: its namespace on the hub with the rights of its agent, and what its own administrator
//! applies in it. The hub gets no credential of the member at all.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Connection as Way, MemberCluster, MemberClusterSpec, PullConnection};
use jiuzhou_member::agent::REPORT;
use jiuzhou_member::agent::identity::{GROUP, user_name};
use jiuzhou_member::connection::Trouble;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::join::{JoinError, apply};

/// Service account in a member's namespace whose token lets an agent ask for its first certificate.
const BOOTSTRAP: &str = "bootstrap";
/// Roles of agents on the hub.
const AGENT: &str = "jiuzhou-agent";
/// Role of the operator in a member's namespace.
const OPERATOR: &str = "jiuzhou-operator";
/// Life of the token that an administrator carries to the member.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// Name of the user that asks for an agent's first certificate.
#[must_use]
pub fn bootstrap_user(cluster: &str) -> String {
    format!("system:serviceaccount:{}:{BOOTSTRAP}", meta::member_namespace(cluster))
}

/// The objects on the hub for the agent of a cluster. Pure.
#[must_use]
pub fn objects(cluster: &str) -> Vec<Value> {
    let namespace = meta::member_namespace(cluster);
    let labels = json!({ meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_CLUSTER: cluster });
    let rbac = "rbac.authorization.k8s.io";
    let user = json!({ "apiGroup": rbac, "kind": "User", "name": user_name(cluster) });
    let bootstrap = json!({ "kind": "ServiceAccount", "name": BOOTSTRAP, "namespace": namespace });
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace, "labels": labels } }),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": BOOTSTRAP, "namespace": namespace, "labels": labels },
            "automountServiceAccountToken": false,
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role",
            "metadata": { "name": AGENT, "namespace": namespace, "labels": labels },
            "rules": [
                // Its orders, the secrets and large manifests that go with them, and how they stand.
                { "apiGroups": [meta::GROUP], "resources": ["deliveries"], "verbs": ["list", "watch"] },
                { "apiGroups": [meta::GROUP], "resources": ["deliveries/status"], "verbs": ["patch"] },
                { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
                // What it is told and what it tells.
                { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"] },
                { "apiGroups": [""], "resources": ["configmaps"], "resourceNames": [REPORT], "verbs": ["patch"] },
                { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"] },
                // Its heartbeat.
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [meta::AGENT_LEASE], "verbs": ["patch"] },
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
            ],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
            "metadata": { "name": AGENT, "namespace": namespace, "labels": labels },
            "roleRef": { "apiGroup": rbac, "kind": "Role", "name": AGENT },
            "subjects": [user],
        }),
        // What the operator does there: orders with their secrets, what the agent is told and tells.
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role",
            "metadata": { "name": OPERATOR, "namespace": namespace, "labels": labels },
            "rules": [
                { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "create", "delete"] },
                { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch", "create", "patch", "delete"] },
            ],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
            "metadata": { "name": OPERATOR, "namespace": namespace, "labels": labels },
            "roleRef": { "apiGroup": rbac, "kind": "Role", "name": OPERATOR },
            "subjects": [{ "kind": "ServiceAccount", "name": "jiuzhou", "namespace": meta::SYSTEM_NAMESPACE }],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole",
            "metadata": { "name": "jiuzhou-agent-certificates", "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY } },
            "rules": [
                { "apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"], "verbs": ["create", "get"] },
            ],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": { "name": "jiuzhou-agent-certificates", "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY } },
            "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": "jiuzhou-agent-certificates" },
            "subjects": [{ "apiGroup": rbac, "kind": "Group", "name": GROUP }],
        }),
        json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("{namespace}-{BOOTSTRAP}"), "labels": labels },
            "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": "jiuzhou-agent-certificates" },
            "subjects": [bootstrap],
        }),
    ]
}

/// Lets the agent of a cluster in: makes its place on the hub and its MemberCluster, and returns the token by which it asks
/// for its first certificate.
///
/// # Errors
/// The hub's answer; a MemberCluster of this name that says another way.
pub async fn invite(
    hub: &Client,
    cluster: &str,
    spec: MemberClusterSpec,
    pull: PullConnection,
) -> Result<String, JoinError> {
    let failed = |what: String, error: &kube::Error| JoinError::Hub { what, trouble: Trouble::of(error) };
    let members: Api<MemberCluster> = Api::all(hub.clone());
    let there = members.get_opt(cluster).await.map_err(|error| failed("read the MemberCluster".to_owned(), &error))?;
    match there {
        Some(there) if there.spec.connection.pull.is_none() => return Err(JoinError::OtherWay(cluster.to_owned())),
        Some(_) => {}
        None => {
            let connection = Way { pull: Some(pull), ..Way::default() };
            let object = MemberCluster::new(cluster, MemberClusterSpec { connection, ..spec });
            let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
            let made = members.create(&params, &object).await;
            made.map_err(|error| failed("make the MemberCluster".to_owned(), &error))?;
        }
    }
    for object in objects(cluster) {
        let what = || format!("apply {} {}", object["kind"], object["metadata"]["name"]);
        apply(hub, &object).await.map_err(|error| failed(what(), &error))?;
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(hub.clone(), &meta::member_namespace(cluster));
    let spec =
        TokenRequestSpec { audiences: Vec::new(), bound_object_ref: None, expiration_seconds: Some(TOKEN_SECONDS) };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts.create_token_request(BOOTSTRAP, &PostParams::default(), &request).await;
    let answer = answer.map_err(|error| failed("make a bootstrap token".to_owned(), &error))?;
    Ok(answer.status.map(|status| status.token).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_has_rights_in_its_own_namespace_and_may_ask_for_a_certificate() {
        let all = objects("a");
        for object in &all {
            let text = object.to_string();
            assert!(!text.contains("\"*\"") && !text.contains("escalate") && !text.contains("impersonate"), "{text}");
            if object["kind"] == "ClusterRole" {
                let rules = object["rules"].as_array().unwrap();
                assert_eq!(rules.len(), 1);
                assert_eq!(rules[0]["resources"], json!(["certificatesigningrequests"]));
                assert_eq!(rules[0]["verbs"], json!(["create", "get"]));
            }
        }
        let is_agents = |object: &&Value| object["kind"] == "Role" && object["metadata"]["name"] == AGENT;
        let role = all.iter().find(is_agents).unwrap();
        assert_eq!(role["metadata"]["namespace"], "jiuzhou-member-a");
        let secrets = role["rules"].as_array().unwrap().iter().find(|rule| rule["resources"] == json!(["secrets"]));
        assert_eq!(secrets.unwrap()["verbs"], json!(["get"]), "secrets are read by name only");
        assert_eq!(bootstrap_user("a"), "system:serviceaccount:jiuzhou-member-a:bootstrap");
    }
}
