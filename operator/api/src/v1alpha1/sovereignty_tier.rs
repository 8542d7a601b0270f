//! `SovereigntyTier` 主权等级: one rung of the ladder a cluster climbs by evidence.
//!
//! A cluster's tier is the highest rank at which this and all lower ranks hold; unverified is unknown.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::{DataClass, Dimension, SovereigntyStage},
    in_force::GuardedStatus,
};
use crate::text::{CelExpression, Name, Text, Title, Token};

/// One tier. 主权等级。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "SovereigntyTier",
    plural = "sovereigntytiers",
    shortname = "tier",
    category = "jiuzhou",
    status = "GuardedStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A sovereignty tier: its rank, its checks, the data classes that need it. 主权等级：序号、检查项与要求该等级的数据级别。",
    printcolumn(name = "Rank", type_ = "integer", json_path = ".spec.rank", description = "Rank. 序号。"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".spec.stage", description = "Stage. 阶段。"),
    printcolumn(
        name = "Strict",
        type_ = "boolean",
        json_path = ".spec.strict",
        description = "Unknown refuses. 未知即拒绝。"
    ),
    printcolumn(
        name = "Clusters",
        type_ = "integer",
        json_path = ".status.users",
        description = "Clusters at this tier. 处于该等级的集群数。"
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
#[x_kube(validation = (
    "has(self.moveWithinHours) == (self.onExpiry == 'Move')",
    "moveWithinHours: give it exactly when onExpiry is Move, because only a move has a deadline. moveWithinHours：仅当 onExpiry 为 Move 时填写，只有迁移才有期限。"
))]
pub struct SovereigntyTierSpec {
    /// Name for people. 显示名称。
    pub display_name: Title,
    /// Rank; higher is stricter, each rank stands once. 序号；越高越严，每个序号只用一次。
    #[schemars(range(min = 0, max = 9))]
    pub rank: i32,
    /// Stage it belongs to. 所属阶段。
    #[serde(default)]
    pub stage: SovereigntyStage,
    /// Checks that must all hold. 须全部通过的检查项。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub checks: Vec<TierCheck>,
    /// Data classes that need at least this tier. 至少要求该等级的数据级别。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub data_classes: Vec<DataClass>,
    /// Whether Unknown refuses like a failure. 未知是否按不通过处理。
    #[serde(default)]
    pub strict: bool,
    /// Whether emulated code may run at this tier. 该等级是否允许转译执行。
    #[serde(default)]
    pub allow_emulation: bool,
    /// ISA level per architecture that an image without statement is taken to need. 未说明需求的镜像，各架构按此指令集级别处理。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["architecture".into()]))]
    pub isa_floors: Vec<IsaFloor>,
    /// What happens to running workloads when evidence runs out. 证据到期后已运行工作负载的处理。
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// Deadline of a move, in hours. 迁移期限（小时）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8760))]
    pub move_within_hours: Option<i32>,
    /// Note for people. 备注。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// What happens when a cluster loses the tier. 集群失去等级时的处理。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnExpiry {
    /// What runs stays and is Violating; nothing new comes. 已运行的保留并标记违规，不再新增。
    #[default]
    Hold,
    /// What runs is moved within a deadline. 在期限内迁移。
    Move,
}

/// Level that an undeclared image is taken to need. 未说明镜像的指令集下限。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct IsaFloor {
    /// Architecture. 架构。
    pub architecture: super::isa::Architecture,
    /// Level, e.g. armv8.1. 级别，例如 armv8.1。
    pub level: Token,
}

/// One check of a tier; exactly one of builtIn, claim, cel. 一项检查：builtIn、claim、cel 三选一。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "[has(self.builtIn), has(self.claim), has(self.cel)].filter(x, x).size() == 1",
    "check: give exactly one of builtIn, claim, cel, because one check has one outcome. 检查项：builtIn、claim、cel 只能填写一种，一项检查只有一个结果。"
))]
pub struct TierCheck {
    /// Its name. 名称。
    pub name: Name,
    /// Dimension it belongs to. 所属维度。
    pub dimension: Dimension,
    /// A check that is computed from declared facts. 由声明事实计算的内置检查。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<BuiltInCheck>,
    /// A claim that verified evidence must make. 须有已核实证据的声明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimCheck>,
    /// CEL over `evidence`, `site` and `cluster`; must be boolean. 针对 evidence、site、cluster 的 CEL 布尔表达式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cel: Option<CelExpression>,
    /// What is missing when it fails, for people. 未通过时缺少什么，供人阅读。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
}

/// Name of a built-in check. 内置检查名称。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BuiltInCheckName {
    /// The site's region is in the list of GB/T 2260. 机房区划代码在 GB/T 2260 之内。
    #[default]
    RegionInCountry,
    /// Ownership is Government or Domestic. 所有权为政府自有或内资。
    OwnershipDomestic,
    /// No jurisdiction but CN. 管辖地仅为 CN。
    JurisdictionDomestic,
    /// Graded protection at least `atLeast` with a report not overdue. 等级保护不低于 atLeast 且测评未过期。
    ProtectionLevel,
    /// Cryptography assessed at least `atLeast`, report not overdue. 密码应用等级不低于 atLeast 且评估未过期。
    CryptographyLevel,
    /// Every pool has a network zone. 每个节点池都有网络区域。
    ZonesDeclared,
    /// Every pool's platform has a valid assessment of level `atLeast`. 每个节点池的平台都有不低于 atLeast 级的有效测评。
    CpuAssured,
    /// At least `atLeast` CPU brands. CPU 品牌不少于 atLeast 个。
    CpuBrands,
    /// Form is Private or Dedicated. 云形态为私有云或专属云。
    DedicatedNodes,
}

/// A built-in check with its parameter. 内置检查及其参数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuiltInCheck {
    /// Which. 检查名称。
    pub name: BuiltInCheckName,
    /// Its bound, where it has one. 下限，若有。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub at_least: Option<i32>,
}

/// A claim that evidence must make. 证据须作出的声明。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimCheck {
    /// Claim, e.g. keyCustody. 事项，例如 keyCustody。
    pub claim: Token,
    /// Values that count; any when empty. 认可的取值；为空则任意。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub values: Vec<Title>,
    /// Oldest it may be, in months since validFrom. 自 validFrom 起的最长月数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 120))]
    pub within_months: Option<i32>,
}
