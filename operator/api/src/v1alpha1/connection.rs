//! How a member cluster is reached: push, pull or ferry; exactly one.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::text::{ContentDigest, Host, Name, ObjectName};

/// How the hub and the member meet; exactly one of push, pull, ferry. 中心与成员的连接方式：push、pull、ferry 三选一。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "[has(self.push), has(self.pull), has(self.ferry)].filter(x, x).size() == 1",
    "connection: give exactly one of push, pull, ferry, because two ways to one member would act twice. connection：push、pull、ferry 只能填写一种，两种通道会重复执行。"
))]
pub struct Connection {
    /// The hub calls the member's API server. 中心主动访问成员 API 服务器。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushConnection>,
    /// An agent in the member calls the hub through one outbound port. 成员内代理经一个出站端口访问中心。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<PullConnection>,
    /// Signed numbered bundles of files carried across a one-way gate (网闸). 签名且编号的文件包经网闸摆渡。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ferry: Option<FerryConnection>,
}

/// Push: a kubeconfig in a Secret, without exec plugins or file paths. 推送：存于 Secret 的 kubeconfig，不含 exec 插件与文件路径。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PushConnection {
    /// Namespace of the Secret. Secret 所在命名空间。
    pub secret_namespace: Name,
    /// Name of the Secret. Secret 名称。
    pub secret_name: ObjectName,
    /// Key inside the Secret. Secret 中的键。
    #[serde(default = "kubeconfig_key")]
    pub secret_key: ObjectName,
}

fn kubeconfig_key() -> ObjectName {
    "kubeconfig".into()
}

/// Pull: an agent that reports by heartbeat. 拉取：以心跳上报的代理。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PullConnection {
    /// Seconds between heartbeats, under 60. 心跳间隔（秒），小于 60。
    #[serde(default = "heartbeat")]
    #[schemars(range(min = 5, max = 59))]
    pub heartbeat_seconds: i32,
    /// HTTP proxy on the way out. 出站 HTTP 代理。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_proxy: Option<Host>,
}

impl Default for PullConnection {
    fn default() -> Self {
        Self { heartbeat_seconds: heartbeat(), http_proxy: None }
    }
}

fn heartbeat() -> i32 {
    20
}

/// Ferry: bundles of files across a gate. 摆渡：经网闸传递的文件包。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FerryConnection {
    /// Digest of the public key that signs what comes back. 回传文件包签名公钥的摘要。
    pub key_digest: ContentDigest,
    /// Longest time between two bundles in minutes; later the member is Unknown. 两次摆渡最长间隔（分钟）；超过则状态为 Unknown。
    #[serde(default = "ferry_minutes")]
    #[schemars(range(min = 5, max = 44_640))]
    pub max_interval_minutes: i32,
}

fn ferry_minutes() -> i32 {
    1440
}
