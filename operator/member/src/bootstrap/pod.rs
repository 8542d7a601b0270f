//! The agent as a pod in a member: what its administrator applies to join by pull.

use jiuzhou_api::meta;
use serde_json::{Value, json};

use super::labels;

/// Names of the objects.
const NAME: &str = "jiuzhou-agent";
const TOKEN: &str = "agent-bootstrap";
const HUB: &str = "agent-hub";
/// Where they are mounted.
const TOKEN_PATH: &str = "/etc/jiuzhou/bootstrap";
const HUB_PATH: &str = "/etc/jiuzhou/hub";

/// An agent and how it reaches the hub.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AgentPod {
    /// Name of the MemberCluster.
    pub cluster: String,
    /// Its image.
    pub image: String,
    /// Address of the hub's API server.
    pub server: String,
    /// The hub's certificate authority in PEM.
    pub authority: String,
    /// Token for the first certificate.
    pub token: String,
    /// HTTP proxy on the way.
    pub proxy: Option<String>,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: i32,
}

impl std::fmt::Debug for AgentPod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentPod").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl AgentPod {
    pub(super) fn manifests(&self) -> Vec<Value> {
        let metadata = |name: &str| json!({ "name": name, "namespace": meta::SYSTEM_NAMESPACE, "labels": labels() });
        let mut arguments = vec![
            "agent".to_owned(),
            self.cluster.clone(),
            format!("--hub-server={}", self.server),
            format!("--hub-ca={HUB_PATH}/ca.crt"),
            format!("--bootstrap-token={TOKEN_PATH}/token"),
            format!("--heartbeat-seconds={}", self.heartbeat_seconds),
            "--log=json".to_owned(),
        ];
        arguments.extend(self.proxy.iter().map(|proxy| format!("--http-proxy={proxy}")));
        let container = json!({
            "name": "agent",
            "image": self.image,
            "args": arguments,
            "resources": { "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" } },
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": [
                { "name": "token", "mountPath": TOKEN_PATH, "readOnly": true },
                { "name": "hub", "mountPath": HUB_PATH, "readOnly": true },
            ],
        });
        let selector = json!({ "app.kubernetes.io/name": NAME });
        vec![
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": metadata(TOKEN), "stringData": { "token": self.token },
            }),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": metadata(HUB), "data": { "ca.crt": self.authority },
            }),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": metadata(NAME),
                // One at a time: two agents would both carry out every order.
                "spec": { "replicas": 1, "strategy": { "type": "Recreate" }, "selector": { "matchLabels": selector },
                    "template": {
                        "metadata": { "labels": selector },
                        "spec": {
                            "serviceAccountName": meta::PUSH_ACCOUNT,
                            "automountServiceAccountToken": true,
                            "securityContext": {
                                "runAsNonRoot": true, "runAsUser": 65534, "runAsGroup": 65534,
                                "seccompProfile": { "type": "RuntimeDefault" },
                            },
                            "containers": [container],
                            "volumes": [
                                // After the first certificate it is not needed any more and may be deleted.
                                { "name": "token", "secret": { "secretName": TOKEN, "optional": true } },
                                { "name": "hub", "configMap": { "name": HUB } },
                            ],
                        },
                    },
                },
            }),
        ]
    }
}
