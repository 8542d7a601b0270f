//! `Tenant` 单位: a government body with its place in both trees, its quota and its guardrails.
//!
//! 块 is the tree of localities, 条 the tree of ministries; quota is enforced along one of them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{document::Document, in_force::InForce};
use crate::text::{CreditCode, Date, Name, ObjectName, RegionCode, Resources, Title};

/// A government body. 单位。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Tenant",
    plural = "tenants",
    shortname = "jzt",
    category = "jiuzhou",
    status = "TenantStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A government body: who it is, whom it answers to (块 and 条), its quota, budget and guardrails. 单位：身份、块与条的隶属、配额、预算与限制。",
    validation = (
        "(!has(self.spec.blockParent) || self.spec.blockParent != self.metadata.name) && (!has(self.spec.lineParent) || self.spec.lineParent != self.metadata.name)",
        "blockParent, lineParent: must name another tenant, because a body cannot be its own superior. blockParent、lineParent：须为另一单位，单位不能隶属于自身。"
    ),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName", description = "Name. 名称。"),
    printcolumn(name = "Level", type_ = "string", json_path = ".spec.level", description = "Level. 层级。"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region", description = "GB/T 2260 code. 区划代码。"),
    printcolumn(name = "Systems", type_ = "integer", json_path = ".status.systems", description = "Information systems. 信息系统数。"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", description = "Ready. 就绪。"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason", description = "Why. 原因。"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "Age. 存在时间。")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!has(oldSelf.unifiedCode) || (has(self.unifiedCode) && self.unifiedCode == oldSelf.unifiedCode)", "unifiedCode: cannot be changed once set, because settlements were made under it: make a new Tenant and name this one in predecessors. unifiedCode：设定后不可更改，结算以其为准：请新建单位并在 predecessors 中注明本单位。"),
    validation = ("self.quotaParent != 'Line' || has(self.lineParent)", "quotaParent: Line needs lineParent, because quota is enforced along that tree. quotaParent：取 Line 时须填写 lineParent，配额沿该树执行。")
)]
pub struct TenantSpec {
    /// Full name. 单位全称。
    pub display_name: Title,
    /// Unified social credit code; never changes. 统一社会信用代码，不可更改。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified_code: Option<CreditCode>,
    /// Level of government. 行政层级。
    pub level: TenantLevel,
    /// Kind of body. 单位性质。
    #[serde(default)]
    pub kind: TenantKind,
    /// GB/T 2260 code it belongs to. 所属区划代码。
    pub region: RegionCode,
    /// Superior in the tree of localities (块). 块上的上级单位。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_parent: Option<Name>,
    /// Superior in the tree of ministries (条). 条上的上级单位。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_parent: Option<Name>,
    /// Tree of the payer, along which quota is enforced. 付费方所在的树，配额沿其执行。
    #[serde(default)]
    pub quota_parent: QuotaParent,
    /// Grants of quota; those valid on a day are added. 配额批复；当日有效者相加。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub quota: Vec<QuotaGrant>,
    /// Part of the quota kept for failover, in percent. 为故障转移预留的配额比例（百分数）。
    #[serde(default)]
    #[schemars(range(min = 0, max = 90))]
    pub failover_headroom_percent: i32,
    /// Budget per year. 年度预算。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["year".into()]))]
    pub budget: Vec<Budget>,
    /// Where its workloads may go; a child may only tighten. 工作负载可去之处；下级只能收紧。
    #[serde(default)]
    pub allowed: Allowed,
    /// Placement policy of workloads that name none: a PlacementPolicy of their namespace, else a ClusterPlacementPolicy. 未指定部署策略的工作负载所用策略：先取命名空间内 PlacementPolicy，再取 ClusterPlacementPolicy。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_policy: Option<Name>,
    /// Bodies it came from. 前身单位。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["tenant".into()]))]
    pub predecessors: Vec<Predecessor>,
    /// Namespaces it owns, same name on hub and members. 拥有的命名空间，中心与成员同名。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub namespaces: Vec<TenantNamespace>,
}

/// Level of government, from high to low. 行政层级，由高到低。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TenantLevel {
    /// National. 国家。
    National,
    /// Province. 省。
    Province,
    /// City, and departments of a province. 市州（厅局）。
    City,
    /// County. 县。
    #[default]
    County,
    /// Town. 镇。
    Town,
    /// Village. 村。
    Village,
}

/// Kind of body. 单位性质。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TenantKind {
    /// Organ of party or government. 党政机关。
    #[default]
    Organ,
    /// Public institution. 事业单位。
    PublicInstitution,
    /// State enterprise. 国有企业。
    StateEnterprise,
    /// Social organisation. 社会组织。
    SocialOrganisation,
    /// Other enterprise. 其他企业。
    Enterprise,
}

/// Tree along which quota is enforced. 配额执行所沿的树。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum QuotaParent {
    /// The locality's (块). 块。
    #[default]
    Block,
    /// The ministry's (条). 条。
    Line,
}

/// A grant of quota with its document and term. 一项配额批复及其文号与期限。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.until) || self.from <= self.until", "until: must not be before from, because a grant holds from its first to its last day. until：不得早于 from，批复自首日至末日有效。"))]
pub struct QuotaGrant {
    /// Its name. 名称。
    pub name: Name,
    /// Document that grants it. 批复文件。
    pub document: Document,
    /// First day. 首日。
    pub from: Date,
    /// Last day; open when absent. 末日；未填写则长期有效。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Platform it is for; every platform when absent. 适用的芯片平台；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ObjectName>,
    /// Amounts, by resource; a resource not named is not limited by this grant. 各资源数量；未列出的资源不受本批复限制。
    pub hard: Resources,
}

/// Budget of one year. 一年的预算。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Year. 年份。
    #[schemars(range(min = 2000, max = 2100))]
    pub year: i32,
    /// Amount in fen. 金额（分）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_000_i64))]
    pub fen: i64,
    /// Document that grants it. 批复文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// Guardrails: where workloads may go; an empty list allows all. 限制：工作负载可去之处；列表为空即不限。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allowed {
    /// Regions; 530000 covers 532900. 区划；530000 包含 532900。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub regions: Vec<RegionCode>,
    /// Network zones. 网络区域。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub zones: Vec<Name>,
    /// Lowest tier. 最低主权等级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tier: Option<Name>,
    /// Providers. 服务商。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub providers: Vec<Name>,
    /// Clusters. 成员集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub clusters: Vec<Name>,
}

/// How a body came from another. 沿革方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SuccessionKind {
    /// Renamed. 更名。
    #[default]
    Rename,
    /// Merged into this one. 并入。
    Merge,
    /// Split off. 分立。
    Split,
}

/// A body it came from. 一个前身单位。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Predecessor {
    /// Tenant it was. 原单位。
    pub tenant: Name,
    /// How. 方式。
    #[serde(default)]
    pub kind: SuccessionKind,
    /// When. 日期。
    pub date: Date,
    /// Document. 依据文件。
    pub document: Document,
}

/// Environment of a namespace. 环境。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Environment {
    /// Production. 生产。
    #[default]
    Production,
    /// Staging. 预发布。
    Staging,
    /// Test. 测试。
    Test,
    /// Development. 开发。
    Development,
}

/// A namespace of a tenant. 单位的一个命名空间。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantNamespace {
    /// Name of the namespace. 命名空间名称。
    pub name: Name,
    /// Information system it is for. 所属信息系统。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Name>,
    /// Environment. 环境。
    #[serde(default)]
    pub environment: Environment,
}

/// What was observed of a tenant. 单位的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Information systems it owns. 拥有的信息系统数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub systems: Option<i32>,
    /// Quota valid now. 当前有效配额。
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub hard: Resources,
    /// What is placed, own and of its children. 已部署用量，含下级。
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub used: Resources,
    /// What holds of what needs an approval to change. 变更须经审批的内容的生效值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["order".into()]))]
    pub in_force: Vec<InForce>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
