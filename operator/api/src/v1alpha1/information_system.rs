//! `InformationSystem` 政务信息系统: the unit of cloud adoption, with its grading, its bodies and its assets.
//!
//! 涉密 systems are refused at the door: the data class says so in its own CEL message.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::{BusinessLevel, DataClass, DutyKind, FunctionDomain},
    cpu_platform::CpuBrand,
    document::Document,
    in_force::InForce,
    protection::Protection,
};
use crate::text::{CreditCode, Date, DocumentNumber, Name, ObjectName, RegionCode, Text, Title, Token};

/// A government information system. 政务信息系统。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "InformationSystem",
    plural = "informationsystems",
    shortname = "isys",
    category = "jiuzhou",
    namespaced,
    status = "InformationSystemStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A government information system, the unit of cloud adoption. 政务信息系统，上云统计的单元。",
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName", description = "Name. 名称。"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant", description = "Owner. 所属单位。"),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".spec.dataClass.class",
        description = "Data class. 数据级别。"
    ),
    printcolumn(
        name = "Hosting",
        type_ = "string",
        json_path = ".spec.hosting.state",
        description = "Declared hosting state. 申报的承载状态。"
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
#[x_kube(
    validation = ("!has(oldSelf.stop) || oldSelf.stop.lifted || has(self.stop)", "stop: cannot be dropped while it is in force, because what an order stopped must not start by an edit; lift it with jiuzhou restore. stop：生效期间不得删除，奉令停用者不得因修改而重新启动；请用 jiuzhou restore 解除。"),
    validation = ("!has(oldSelf.stop) || oldSelf.stop.lifted || !has(self.stop) || self.stop.order == oldSelf.stop.order", "stop.order: cannot be changed while it is in force, because what was stopped is known by the number of its order; lift it first. stop.order：生效期间不得更改，停用以令号为据；请先解除。"),
    validation = ("!has(oldSelf.stop) || !has(self.stop) || !oldSelf.stop.lifted || self.stop.lifted || self.stop.requestedAt != oldSelf.stop.requestedAt", "stop.lifted: cannot be taken back, because its approval was of that order alone; give a new order with its own requestedAt. stop.lifted：不得撤回，审批单只对该停用令有效；请另下停用令并填写新的 requestedAt。")
)]
pub struct InformationSystemSpec {
    /// Full name. 系统全称。
    pub display_name: Title,
    /// 项目编码 of the register, unique; never changes. 项目编码，唯一且不可更改。
    #[x_kube(validation = ("self == oldSelf", "projectCode: cannot be changed once set, because adoption is counted by it: retire this system and make a new one. projectCode：设定后不可更改，上云率按其统计：请将本系统退役并新建。"))]
    pub project_code: Token,
    /// Tenant that owns it. 所属单位。
    pub tenant: Name,
    /// Region it serves; the tenant's when absent. 服务区划；未填写时取单位所在区划。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionCode>,
    /// Function of government it serves. 所属职能。
    pub function_domain: FunctionDomain,
    /// Whom it serves. 履职类型。
    #[serde(default)]
    pub duty_kind: DutyKind,
    /// Capabilities, to find duplicates, e.g. electronic-seal. 能力标签，用于查重，例如 electronic-seal。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub capabilities: Vec<Name>,
    /// Where it runs, as declared. 承载方式（申报）。
    #[serde(default)]
    pub hosting: Hosting,
    /// Exemption from going to the cloud. 上云豁免。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<Exemption>,
    /// Graded protection of its own (等保). 系统等级保护。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    /// Cryptography assessment of its own (密评). 系统密码应用安全性评估。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptography: Option<Protection>,
    /// Class of its data. 数据级别。
    pub data_class: SystemDataClass,
    /// Recovery time objective in minutes. 恢复时间目标 RTO（分钟）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub recovery_time_minutes: Option<i32>,
    /// Recovery point objective in minutes. 恢复点目标 RPO（分钟）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub recovery_point_minutes: Option<i32>,
    /// Systems it cannot work without. 依赖的系统。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub depends_on: Vec<SystemReference>,
    /// How important its business is. 业务重要程度。
    #[serde(default)]
    pub business_level: BusinessLevel,
    /// Contractors and when their contracts end. 承建与运维单位及合同截止日。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into(), "until".into()]))]
    pub contractors: Vec<Contractor>,
    /// Bodies that have a part in it. 相关单位。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub bodies: Vec<Body>,
    /// Whom to ask. 联系人。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub contacts: Vec<Contact>,
    /// Parts that are counted and never delivered: VMs, machines, databases, middleware. 只统计、不下发的部分：虚拟机、物理机、数据库、中间件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub assets: Vec<Asset>,
    /// Order that stops it everywhere, written by jiuzhou stop and lifted by jiuzhou restore. 停用令，由 jiuzhou stop 写入、jiuzhou restore 解除。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopOrder>,
}

/// An order that stops a system once another person has approved it: nothing of it runs anywhere, its objects and volumes stay. 停用令：经他人审批后，各处均不运行，对象与数据卷保留。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopOrder {
    /// Number of the order. 停用令文号。
    pub order: DocumentNumber,
    /// Why. 原因。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// User that gives it. 下令人的用户名。
    pub requested_by: Title,
    /// When it is given. 下令时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub requested_at: Time,
    /// Whether it is lifted; then everything runs again where it ran before. Only then may it be dropped. 是否已解除；解除后在原处恢复运行，此后方可删除本字段。
    #[serde(default)]
    pub lifted: bool,
}

/// Where a system runs. 承载状态。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HostingState {
    /// In a machine room of its own. 自有机房。
    #[default]
    OnPremises,
    /// Hosted machines; not cloud. 托管，不计为上云。
    Hosted,
    /// Lifted to the cloud as it was. 平移上云。
    Lifted,
    /// Cloud native. 云原生。
    CloudNative,
    /// Retired. 已退役。
    Retired,
}

/// Where a system runs and the proof. 承载方式及证明。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.verifiedBy) || (has(self.declaredBy) && self.verifiedBy != self.declaredBy)", "verifiedBy: must be another person than declaredBy, because nobody verifies what they declared. verifiedBy：须与 declaredBy 不是同一人，申报人不得自行核实。"))]
pub struct Hosting {
    /// State. 承载状态。
    #[serde(default)]
    pub state: HostingState,
    /// Since when. 起始日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// Document that proves it. 证明文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Document>,
    /// Who declared it. 申报人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_by: Option<Title>,
    /// Who verified it. 核实人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Title>,
    /// Day it was verified. 核实日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<Date>,
}

/// An exemption; it always ends. 豁免，须有截止日。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.document.date) || self.document.date <= self.until", "until: must not be before the date of the document, because an exemption holds from its document to its last day. until：不得早于文件日期，豁免自批文之日至末日有效。"))]
pub struct Exemption {
    /// Document that allows it. 批准文件。
    pub document: Document,
    /// Why. 原因。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Last day it holds. 有效期末日。
    pub until: Date,
}

/// Class of the data of a system: the highest of all data it uses. 系统数据级别：取所用数据的最高级别。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!has(self.confirmedBy) || self.confirmedBy != self.setBy", "confirmedBy: must be another than setBy, because the bureau confirms what the data owner set. confirmedBy：须与 setBy 不同，由主管部门确认数据所有者的定级。"),
    validation = ("!has(self.confirmedOn) || (has(self.confirmedBy) && (!has(self.setOn) || self.setOn <= self.confirmedOn))", "confirmedOn: needs confirmedBy and must not be before setOn, because a class is confirmed after it was set. confirmedOn：须同时填写 confirmedBy 且不得早于 setOn，先定级后确认。")
)]
pub struct SystemDataClass {
    /// Class by GB/T 43697-2024. 数据级别（GB/T 43697-2024）。
    pub class: DataClass,
    /// Whether it holds personal information. 是否含个人信息。
    #[serde(default)]
    pub personal: bool,
    /// Data owner who set it. 定级的数据所有者。
    pub set_by: Title,
    /// Day it was set. 定级日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_on: Option<Date>,
    /// Who confirmed it for the bureau. 主管部门确认人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<Title>,
    /// Day it was confirmed. 确认日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_on: Option<Date>,
}

/// Another system. 另一信息系统。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemReference {
    /// Namespace; the own one when absent. 命名空间；未填写则同一命名空间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// Name. 名称。
    pub name: Name,
}

/// A contractor. 承包单位。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contractor {
    /// Name. 名称。
    pub name: Title,
    /// Unified social credit code. 统一社会信用代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified_code: Option<CreditCode>,
    /// What it does. 承担的工作。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Title>,
    /// Last day of the contract. 合同截止日。
    pub until: Date,
}

/// Part a body has in a system. 单位角色。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BodyRole {
    /// Guides. 指导部门。
    #[default]
    Guiding,
    /// Executes. 执行部门。
    Executing,
    /// Operates. 运营部门。
    Operating,
    /// Uses. 使用部门。
    Using,
}

/// A body with a part in a system. 相关单位。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// Tenant. 单位。
    pub tenant: Name,
    /// Its part. 角色。
    pub role: BodyRole,
}

/// Whom to ask. 联系人。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Name or post. 姓名或岗位。
    pub name: Title,
    /// Part. 职责。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Title>,
    /// Where to reach them. 联系方式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Title>,
}

/// Kind of asset. 资产类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AssetKind {
    /// Virtual machine. 虚拟机。
    #[default]
    VirtualMachine,
    /// Physical machine. 物理机。
    Machine,
    /// Database. 数据库。
    Database,
    /// Middleware. 中间件。
    Middleware,
}

/// A part that is counted and never delivered. 只统计、不下发的资产。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.until) || (has(self.since) && self.since <= self.until)", "until: needs since and must not be before it, because nothing ends before it begins. until：须同时填写 since 且不得早于它，停用不得早于启用。"))]
pub struct Asset {
    /// Its name. 名称。
    pub name: Name,
    /// Kind. 类型。
    pub kind: AssetKind,
    /// Product, e.g. dameng. 产品，例如 dameng。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Title>,
    /// CPUs of it. vCPU 数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cpus: i32,
    /// Memory in GiB. 内存（GiB）。
    #[serde(default)]
    #[schemars(range(min = 0, max = 10_000_000))]
    pub memory_gib: i32,
    /// CPU platform by its id; absent is unknown. 芯片平台标识；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ObjectName>,
    /// CPU brand, when the platform is not known. 芯片品牌（平台未知时填写）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<CpuBrand>,
    /// Operating system. 操作系统。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<Title>,
    /// Provider of the cloud; absent when it is on no cloud. 云服务商；不在云上则不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Name>,
    /// Site it stands in. 所在机房。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
    /// First day it was in use; the settlement charges nothing without it. 启用日期；未填写则不计入结算。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// Last day it was in use; absent while it is. 停用日期；仍在用则不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Code of the service catalogue that it is charged by as one item, e.g. a database instance; absent is by CPU and memory. 按项计费的服务目录编码，例如数据库实例；未填写则按 CPU 与内存计费。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Token>,
}

/// What was observed of a system. 系统的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = crate::schema::unobserved()))]
pub struct InformationSystemStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub observed_generation: Option<i64>,
    /// Hosting as observed: CloudNative while a workload of it has a ready replica; absent is unknown, for nobody looks at what this platform does not deliver. 观测到的承载状态：有就绪副本时为 CloudNative；未填写即未知，平台不观测非其下发的部分。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_hosting: Option<HostingState>,
    /// Workloads that belong to it. 所属工作负载数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub workloads: Option<i32>,
    /// Workloads of it that are as wanted. 符合要求的工作负载数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready_workloads: Option<i32>,
    /// What holds of what needs an approval to change. 变更须经审批的内容的生效值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["order".into()]))]
    pub in_force: Vec<InForce>,
    /// Conditions Ready, Reconciling, Stalled and, while an order is to stop it, StopOrdered. 状态条件 Ready、Reconciling、Stalled，有停用令时另有 StopOrdered。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
