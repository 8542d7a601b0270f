//! `ClusterReport` and `Report` 报表: what is reported, over what, for which period.
//!
//! The object holds headline and summary; the full document comes from `jiuzhou report` and the console.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{ContentDigest, Date, Name, RegionCode, Title, Token};

/// A report over the fleet. 面向全局的报表。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "ClusterReport",
    plural = "clusterreports",
    shortname = "cjzr",
    category = "jiuzhou",
    status = "ReportStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A report over the whole fleet or a part of it. 面向全局或其中一部分的报表。",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.report.type", description = "Type. 类型。"),
    printcolumn(
        name = "From",
        type_ = "string",
        json_path = ".spec.report.period.from",
        description = "First day. 首日。"
    ),
    printcolumn(
        name = "Until",
        type_ = "string",
        json_path = ".spec.report.period.until",
        description = "Last day. 末日。"
    ),
    printcolumn(
        name = "Headline",
        type_ = "string",
        json_path = ".status.headline",
        description = "Headline. 摘要数字。"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Ready. 就绪。"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why. 原因。"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age. 存在时间。"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReportSpec {
    /// What is reported. 报表内容。
    pub report: ReportRequest,
}

/// A report over what the tenant of the namespace owns. 面向命名空间所属单位的报表。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Report",
    plural = "reports",
    shortname = "jzr",
    category = "jiuzhou",
    namespaced,
    status = "ReportStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A report over what the tenant of its namespace owns; a wider scope is refused. 面向命名空间所属单位的报表；更大的范围会被拒绝。",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.report.type", description = "Type. 类型。"),
    printcolumn(
        name = "From",
        type_ = "string",
        json_path = ".spec.report.period.from",
        description = "First day. 首日。"
    ),
    printcolumn(
        name = "Until",
        type_ = "string",
        json_path = ".spec.report.period.until",
        description = "Last day. 末日。"
    ),
    printcolumn(
        name = "Headline",
        type_ = "string",
        json_path = ".status.headline",
        description = "Headline. 摘要数字。"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Ready. 就绪。"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason",
        description = "Why. 原因。"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Age. 存在时间。"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ReportSpec {
    /// What is reported. 报表内容。
    pub report: ReportRequest,
}

/// Type of report. 报表类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ReportType {
    /// Cloud adoption. 上云率。
    #[default]
    Adoption,
    /// Energy and carbon. 能耗与碳排放。
    Energy,
    /// Settlement. 结算单。
    Settlement,
    /// Sovereignty. 数字主权。
    Sovereignty,
    /// Assessment index. 评估指数。
    Assessment,
}

/// What is reported, over what, for which period. 报表内容、范围与周期。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.type != 'Adoption' || !has(self.scope) || !has(self.scope.sites) || size(self.scope.sites) == 0", "scope.sites: not for type Adoption, because a system may run in several rooms; use tenants, lines or regions. scope.sites：不适用于 Adoption，一个系统可能运行于多个机房；请用 tenants、lines 或 regions。"),
    validation = ("!(self.type in ['Energy', 'Settlement']) || (self.period.from.endsWith('-01') && self.period.until.matches('(-01-31|-03-31|-05-31|-07-31|-08-31|-10-31|-12-31|-04-30|-06-30|-09-30|-11-30|-02-28|-02-29)$'))", "period: whole Beijing months for types Energy and Settlement, because meters are read and prices hold by the month. period：Energy 与 Settlement 须为完整的自然月（北京时间），计量与计价按月进行。")
)]
pub struct ReportRequest {
    /// Type. 类型。
    #[serde(rename = "type")]
    pub type_: ReportType,
    /// Period. 周期。
    pub period: ReportPeriod,
    /// Scope; everything visible when absent. 范围；未填写则为全部可见对象。
    #[serde(default)]
    pub scope: ReportScope,
    /// Days a system must have run to count as on the cloud. 计为上云所需的最少运行天数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 366))]
    pub minimum_days: i32,
    /// Days after the end of the period in which what is entered still counts, such as meter readings and bills. 周期结束后仍接收计量读数、账单等录入的天数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 92))]
    pub grace_days: i32,
}

/// Beijing days, end inclusive. 北京时间日期，含末日。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.from <= self.until", "until: must not be before from, because a period runs forward. until：不得早于 from，周期须由前至后。"))]
pub struct ReportPeriod {
    /// First day. 首日。
    pub from: Date,
    /// Last day. 末日。
    pub until: Date,
}

/// What a report is over; empty lists do not narrow. 报表范围；列表为空即不收窄。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportScope {
    /// Tenants, with everything below them in the tree of localities. 单位及其块上的全部下级。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub tenants: Vec<Name>,
    /// Tenants, with everything below them in the tree of lines. 单位及其条线上的全部下级。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub lines: Vec<Name>,
    /// Regions; 530000 covers 532900. 区划；530000 包含 532900。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub regions: Vec<RegionCode>,
    /// Sites. 机房。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub sites: Vec<Name>,
}

/// What was reported. 报表结果。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// The one figure, with numerator and denominator. 主要数字，含分子与分母。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<Title>,
    /// Summary as JSON, at most 8 KiB. 摘要（JSON），至多 8 KiB。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub summary: Option<String>,
    /// Digest of what the full document says; `jiuzhou report --for` prints the same one. 完整文档内容的摘要，与 `jiuzhou report --for` 所示一致。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentDigest>,
    /// Digest of what people had entered for the period (register, readings, bills, certificates). Later entries are told by it. 该周期已录入内容（清单、读数、账单、绿证）的摘要，用于识别事后录入。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<ContentDigest>,
    /// Version of the document's form. 文档格式版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Token>,
    /// When it was frozen, after the end of the period; absent while it may change. 周期结束后的冻结时间；仍可变化时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub frozen_at: Option<Time>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
