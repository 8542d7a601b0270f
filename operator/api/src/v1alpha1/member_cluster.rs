//! `MemberCluster` 成员集群: one cluster of the fleet, what is declared about it and what was observed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::{Dimension, SmAlgorithm, SovereigntyStage, Tee},
    connection::Connection,
    evidence::Evidence,
    pool::{PoolFacts, PoolReading, PoolStatus, TaintEffect},
    protection::Protection,
};
use crate::text::{
    ApiVersion, ContentDigest, CountryCode, Date, DocumentNumber, Host, KindName, LabelKey, LabelValue, Name, Title,
    Token, Values,
};

/// A member cluster. 成员集群。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "MemberCluster",
    plural = "memberclusters",
    shortname = "mc",
    category = "jiuzhou",
    status = "MemberClusterStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "One cluster of the fleet: where it is, whose it is, how it is reached, what is proved about it, and what was observed. 成员集群：位置、归属、连接方式、证据与观测结果。",
    validation = ("size(self.metadata.name) <= 48", "metadata.name: at most 48 characters, because the namespace jiuzhou-member-<name> may have 63. metadata.name：至多 48 个字符，命名空间 jiuzhou-member-<名称> 至多 63 个字符。"),
    printcolumn(name = "Site", type_ = "string", json_path = ".spec.site", description = "Site. 机房。"),
    printcolumn(name = "Tier", type_ = "string", json_path = ".status.tier.name", description = "Sovereignty tier. 主权等级。"),
    printcolumn(name = "Hub", type_ = "string", json_path = ".status.reachability.hub", description = "Reachability from the hub. 中心可达性。"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", description = "Kubernetes version. Kubernetes 版本。"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", description = "Ready. 就绪。"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason", description = "Why. 原因。"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "Age. 存在时间。")
)]
#[serde(rename_all = "camelCase")]
pub struct MemberClusterSpec {
    /// Name for people. 显示名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Title>,
    /// Site it stands in. 所在机房。
    pub site: Name,
    /// Provider of the cloud; the site's when absent. 云服务商；未填写时取机房的服务商。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Name>,
    /// Form of cloud. 云形态。
    pub form: CloudForm,
    /// Kind of place. 位置类型。
    #[serde(default)]
    pub place: PlaceKind,
    /// Whose it is. 所有权。
    pub ownership: Ownership,
    /// Tenants it is dedicated to; shared by all when empty. 专属单位；为空则由全部单位共用。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub dedicated_to: Vec<Name>,
    /// Countries whose law reaches the owner or operator. 其法律及于所有者或运营者的国家。
    #[serde(default = "china", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub jurisdictions: Vec<CountryCode>,
    /// How it is reached. 连接方式。
    pub connection: Connection,
    /// Network zone of nodes that no entry of poolFacts names. poolFacts 未指明的节点所在网络区域。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_zone: Option<Name>,
    /// What is stated about nodes by label: zone, platform, page size, power. 按标签对节点的声明：区域、平台、页大小、功耗。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pool_facts: Vec<PoolFacts>,
    /// Readings of node pools' own meters (BMC, PDU, smart socket) per month; a pool counts when every month of a period has one. 节点池自身电表（BMC、PDU、智能插座）的月度读数；统计期内每个月都有读数时方计入。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["pool".into(), "month".into()]))]
    pub pool_readings: Vec<PoolReading>,
    /// Graded protection (等保). 等级保护。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    /// Cryptography assessment (密评). 密码应用安全性评估。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptography: Option<Protection>,
    /// Evidence about its sovereignty. 主权证据。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub evidence: Vec<Evidence>,
    /// Trusted execution environments declared. 声明的可信执行环境。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee: Vec<Tee>,
    /// Commercial cryptography declared. 声明的国密算法。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub sm_crypto: Vec<SmAlgorithm>,
    /// Databases offered. 提供的数据库。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub databases: Vec<DatabaseOffer>,
    /// Registries and how hosts are rewritten per zone. 镜像仓库及各区域的主机改写。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub registries: Vec<RegistryRewrite>,
    /// Values usable in overrides. 可用于差异化配置的值。
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
    /// Peers its firewall has opened. 防火墙已开通的对端。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub peers: Vec<OpenedPeer>,
    /// Taints of the whole cluster. 集群污点。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into(), "effect".into()]))]
    pub taints: Vec<ClusterTaint>,
    /// Whether it carries workloads, is being emptied, or is leaving the fleet. 承载、清空或退出。
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// Part of allocatable kept for emergencies, in percent. 为应急预留的可分配量比例（百分数）。
    #[serde(default)]
    #[schemars(range(min = 0, max = 90))]
    pub emergency_reserve_percent: i32,
}

fn china() -> Vec<CountryCode> {
    vec!["CN".into()]
}

/// Whether a cluster carries workloads. Leaving is two steps, so that nothing runs on unseen. 集群的承载状态；退出分两步，避免遗留未知负载。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Lifecycle {
    /// It carries workloads. 承载工作负载。
    #[default]
    Active,
    /// What can move leaves; nothing new comes. 可迁移者迁出，不再接收。
    Draining,
    /// Emptied, then let go: what is left there is listed and stays. 清空后退出；遗留对象列出并保留。
    Leaving,
}

/// Form of cloud, white paper figure 25. 云形态（白皮书图 25）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CloudForm {
    /// Public cloud. 公有云。
    Public,
    /// Private cloud. 私有云。
    #[default]
    Private,
    /// Dedicated cloud. 专属云。
    Dedicated,
    /// Hosted machines. 托管。
    Hosted,
}

/// Kind of place. 位置类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PlaceKind {
    /// Data centre. 数据中心。
    #[default]
    DataCentre,
    /// Edge. 边缘。
    Edge,
}

/// Whose a cluster is, white paper figure 24. 集群所有权（白皮书图 24）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Ownership {
    /// Government. 政府自有。
    #[default]
    Government,
    /// A domestic company. 内资企业。
    Domestic,
    /// A joint venture. 合资企业。
    JointVenture,
    /// A foreign company. 外资企业。
    Foreign,
}

/// A database offered to workloads. 向工作负载提供的数据库。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseOffer {
    /// Name of the offer. 名称。
    pub name: Name,
    /// Product: dameng, kingbase, gbase, or another name. 产品：dameng（达梦）、kingbase（人大金仓）、gbase（南大通用）或其他名称。
    pub product: Name,
    /// Version. 版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Token>,
    /// Zones it can be reached from; all when empty. 可访问的网络区域；为空则全部可访问。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub zones: Vec<Name>,
}

/// How an image host is rewritten. 镜像主机改写规则。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryRewrite {
    /// Zone it holds in; every zone when absent. 适用的网络区域；未填写则适用全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Name>,
    /// Host (and path prefix) in manifests. 清单中的主机（与路径前缀）。
    pub from: Host,
    /// Host (and path prefix) to use here. 本集群使用的主机（与路径前缀）。
    pub to: Host,
    /// Whether the registry is a mirror that must be shown to hold the image. 是否为须证明已有镜像的镜像站。
    #[serde(default)]
    pub must_hold: bool,
    /// Digests it is known to hold. 已知拥有的镜像摘要。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    pub holds: Vec<crate::text::ImageDigest>,
}

/// A peer the firewall lets through. 防火墙已放通的对端。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenedPeer {
    /// Name of the peer. 对端名称。
    pub name: Name,
    /// Number of the network policy work order. 网络策略工单号。
    pub ticket: DocumentNumber,
    /// Zones it was opened for; all when empty. 放通的网络区域；为空则全部。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub zones: Vec<Name>,
    /// Last day it is open. 放通截止日。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

/// Taint of a whole cluster. 集群级污点。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTaint {
    /// Key. 键。
    pub key: LabelKey,
    /// Value. 值。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// Effect. 效果。
    #[serde(default)]
    pub effect: TaintEffect,
    /// When it was set; tolerations with seconds count from it. 设置时间；带时限的容忍自此计时。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub since: Option<Time>,
}

/// Whether something answers. 是否可达。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Reach {
    /// Not known. 未知。
    #[default]
    Unknown,
    /// It answers. 可达。
    Reachable,
    /// It does not answer. 不可达。
    Unreachable,
}

/// Reachability as seen from both sides. 双方所见的可达性。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reachability {
    /// As the hub sees it. 中心所见。
    #[serde(default)]
    pub hub: Reach,
    /// As the agent sees it. 代理所见。
    #[serde(default)]
    pub agent: Reach,
    /// When it last answered. 上次应答时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub last_seen: Option<Time>,
}

/// Who the cluster is, so that a swapped one is noticed. 集群身份，用于发现被调换的集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterIdentity {
    /// Uid of its namespace kube-system. kube-system 命名空间的 uid。
    pub uid: Token,
    /// Digest of the API server's CA. API 服务器 CA 的摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_digest: Option<ContentDigest>,
}

/// Which hub a member obeys, as written in the member (`jiuzhou-system/hub`). 成员所服从的中心，记录于成员内。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HubClaim {
    /// Uid of the hub. 中心标识。
    pub hub: Token,
    /// Term of the leader that wrote last. 最近写入的任期。
    #[schemars(range(min = 0))]
    pub term: i64,
    /// Highest epoch the member has seen. 成员见过的最高轮次。
    #[schemars(range(min = 0))]
    pub highest_epoch: i64,
}

/// The credential in use for a member. 访问成员所用的凭据。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialStatus {
    /// When it ends; absent is unknown. 到期时间；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub expires_at: Option<Time>,
    /// From when on it should be renewed: the last fifth of its life. What `jiuzhou join` made the operator renews itself. 应当更新的起始时间，即有效期的最后五分之一；由 `jiuzhou join` 生成的由主控端自行更新。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub renew_at: Option<Time>,
    /// `resourceVersion` of the Secret it came from, to see a rotation. 来源 Secret 的 resourceVersion，用于发现轮换。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_version: Option<Token>,
}

/// An object of ours that is still there while a member leaves. 成员退出时仍存在的本平台对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftObjects {
    /// Namespace. 命名空间。
    pub namespace: Name,
    /// How many. 数量。
    #[schemars(range(min = 0))]
    pub count: i32,
}

/// Kinds of one API version the cluster serves. 集群提供的某一 API 版本的资源类型。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServedKinds {
    /// `apiVersion`. API 版本。
    pub api_version: ApiVersion,
    /// Kinds. 资源类型。
    #[schemars(length(max = 256))]
    pub kinds: Vec<KindName>,
}

/// Tier of one dimension. 单一维度的等级。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DimensionTier {
    /// Dimension. 维度。
    pub dimension: Dimension,
    /// Highest tier this dimension alone reaches; absent is none. 该维度单独达到的最高等级；未填写即无。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Rank of that tier. 等级序号。
    #[schemars(range(min = 0, max = 9))]
    pub rank: i32,
}

/// The tier a cluster has and why not a higher one. 集群等级及未达更高等级的原因。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TierStatus {
    /// Name of the tier; absent is unknown. 等级名称；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Rank of the tier. 等级序号。
    #[serde(default)]
    #[schemars(range(min = 0, max = 9))]
    pub rank: i32,
    /// Stage of the tier. 所处阶段。
    #[serde(default)]
    pub stage: SovereigntyStage,
    /// Tier per dimension. 各维度等级。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 6))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["dimension".into()]))]
    pub dimensions: Vec<DimensionTier>,
    /// Checks of the next tier that fail or are unknown. 上一等级中未通过或未知的检查项。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub failing: Vec<Name>,
    /// First day on which the tier may fall. 等级可能下降的最早日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_expiry: Option<Date>,
}

/// What was observed of a member. 成员集群的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = crate::schema::unobserved()))]
pub struct MemberClusterStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub observed_generation: Option<i64>,
    /// Kubernetes version. Kubernetes 版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Token>,
    /// Who the cluster is. 集群身份。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ClusterIdentity>,
    /// Kinds it serves; empty is unknown. 提供的资源类型；为空即未知。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["apiVersion".into()]))]
    pub apis: Vec<ServedKinds>,
    /// Node pools. 节点池。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pools: Vec<PoolStatus>,
    /// Its sovereignty tier. 主权等级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierStatus>,
    /// Reachability. 可达性。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachability: Option<Reachability>,
    /// Which hub it obeys. 所服从的中心。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<HubClaim>,
    /// The credential in use, with push. 使用中的凭据（push）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialStatus>,
    /// What of ours is still there, by namespace, while it drains or leaves. 清空或退出期间仍存在的对象，按命名空间。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["namespace".into()]))]
    pub left: Vec<LeftObjects>,
    /// Conditions Ready, Reconciling, Stalled and the kind's own. 状态条件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
