//! `Simulation` 仿真方案: what happens to a fleet in the days to come, for `jiuzhou simulate`.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::schema::{hours, instant};
use crate::text::{Date, Name, Title, WorkloadName};

/// What happens to a fleet in the days to come. 今后若干天内平台上发生的事件。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "study.jiuzhou.dev",
    version = "v1alpha1",
    kind = "Simulation",
    plural = "simulations",
    derive = "PartialEq",
    derive = "Default",
    doc = "What happens to a fleet in the days to come, for `jiuzhou simulate`; nothing acts on it. 今后若干天内平台上发生的事件，供 `jiuzhou simulate` 使用，不会被执行。"
)]
#[serde(rename_all = "camelCase")]
pub struct SimulationSpec {
    /// Name for people. 显示名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Title>,
    /// First day; the day after the day of the run when absent. 起始日；未填写时取运行日期的次日。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Days; 30 when absent. 天数；未填写时为 30。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 366))]
    pub days: Option<i32>,
    /// Seed of everything that happens by chance; 1 when absent. 随机事件的种子；未填写时为 1。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub seed: Option<i64>,
    /// Minutes until a new replica is ready; 2 when absent. 新副本就绪所需分钟数；未填写时为 2。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1440))]
    pub start_minutes: Option<i32>,
    /// When workloads leave a cluster that is not reached; after five minutes when absent. 无法访问某集群时工作负载何时撤离；未填写时为五分钟后。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverRule>,
    /// Workloads that come by chance, and go again. 随机到达并离开的工作负载。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub arrivals: Vec<ArrivalStream>,
    /// Replicas that follow the hour of the day. 随时段变化的副本数。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub curves: Vec<ScalingCurve>,
    /// Days of rest beside Saturdays and Sundays, for curves. 周六、周日之外的休息日，用于时段曲线。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 366))]
    pub holidays: Vec<Date>,
    /// Saturdays and Sundays that are worked. 调休上班的周六、周日。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 366))]
    pub workdays: Vec<Date>,
    /// Failures of clusters; when absent, each cluster fails by chance about once in 60 days for about four hours, and an empty list is none. 集群故障；未填写时各集群平均每 60 天随机故障一次，平均约四小时；空列表表示无故障。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub failures: Option<Vec<FailureRule>>,
    /// Changes of the files from a day on, in their order: prices, factors, drains, tenants. 自某日起的变更，按次序进行：价格、因子、清空集群、单位等。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub changes: Vec<DatedChange>,
}

/// When workloads leave a cluster that is not reached. 无法访问某集群时工作负载何时撤离。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "(self.policy == 'AfterMinutes') == has(self.minutes)",
    "failover: give minutes with the policy AfterMinutes and only then. failover：策略为 AfterMinutes 时填写 minutes，否则不填。"
))]
pub struct FailoverRule {
    /// Whether they leave it. 是否撤离。
    pub policy: FailoverPolicy,
    /// Minutes without a break in which it is not reached. 连续无法访问的分钟数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 525_600))]
    pub minutes: Option<i32>,
}

/// Whether workloads leave a cluster that is not reached. 无法访问某集群时工作负载是否撤离。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailoverPolicy {
    /// After some minutes. 若干分钟后撤离。
    #[default]
    AfterMinutes,
    /// Never: they wait for it. 从不：等待其恢复。
    Never,
}

/// Workloads like one of the fleet that come by chance. 与现有某工作负载相同、随机到达的工作负载。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "!(has(self.stayMinutes) && has(self.meanStayMinutes))",
    "arrivals: give stayMinutes or meanStayMinutes, not both, because one is exact and the other a mean. arrivals：stayMinutes 与 meanStayMinutes 只填其一，前者为确定值，后者为均值。"
))]
pub struct ArrivalStream {
    /// Name of the stream. 名称。
    pub name: Name,
    /// The workload they are like, NAMESPACE/NAME. 所仿照的工作负载，命名空间/名称。
    pub template: WorkloadName,
    /// Mean minutes between two of them. 相邻两次到达的平均间隔（分钟）。
    #[schemars(range(min = 1, max = 5_256_000))]
    pub every_minutes: i32,
    /// Minutes that each stays; to the end when neither is given. 每个停留的分钟数；均未填写时一直停留。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5_256_000))]
    pub stay_minutes: Option<i32>,
    /// Mean minutes that one stays, by chance. 随机停留时间的均值（分钟）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5_256_000))]
    pub mean_stay_minutes: Option<i32>,
}

/// Replicas by the hour of the day. 各时段的副本数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScalingCurve {
    /// Name of the curve; the first by name holds for a workload that several are about. 名称；多条曲线涉及同一工作负载时，以名称在前者为准。
    pub name: Name,
    /// Tenants whose workloads follow it. 遵循该曲线的单位。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub tenants: Vec<Name>,
    /// Workloads that follow it, NAMESPACE/NAME; all when neither is given. 遵循该曲线的工作负载，命名空间/名称；两者均未填写则全部。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub workloads: Vec<WorkloadName>,
    /// Percent of the replicas wanted otherwise for each hour of a working day, rounded up; a working day of an office with a peak in the morning when absent. 工作日各小时副本数的百分比，向上取整；未填写时为带早高峰的办公日。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "hours")]
    pub percent_by_hour: Vec<i32>,
    /// The same for a day of rest; 40 percent all day when absent. 休息日各小时的百分比；未填写时全天为 40。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "hours")]
    pub rest_day_percent_by_hour: Vec<i32>,
    /// Never fewer replicas than this, where as many are wanted otherwise; 1 when absent. 副本数下限（不超过原期望值）；未填写时为 1。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub least: Option<i32>,
}

/// Clusters that fail. 发生故障的集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "has(self.everyHours) == has(self.meanMinutes) && has(self.everyHours) != has(self.windows)",
    "failures: give everyHours with meanMinutes for failures by chance, or windows for known ones. failures：随机故障填写 everyHours 与 meanMinutes，已知故障填写 windows。"
))]
pub struct FailureRule {
    /// Name of the rule. 名称。
    pub name: Name,
    /// Clusters; every one when absent. 集群；未填写则全部。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub clusters: Vec<Name>,
    /// What it does; Down when absent. 影响；未填写时为 Down。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<FailureEffect>,
    /// Mean hours from one end to the next failure of a cluster (MTBF). 单个集群两次故障之间的平均小时数（MTBF）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 876_000))]
    pub every_hours: Option<i32>,
    /// Mean minutes that a failure lasts (MTTR). 故障的平均持续分钟数（MTTR）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 525_600))]
    pub mean_minutes: Option<i32>,
    /// Known periods. 已知时段。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub windows: Option<Vec<FailureWindow>>,
}

/// What a failure does. 故障的影响。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailureEffect {
    /// Nothing runs there, and nobody reaches it. 其上负载停止，且无法访问。
    #[default]
    Down,
    /// Nobody reaches it; what runs there runs on. 无法访问；其上负载继续运行。
    CutOff,
}

/// A period. 一个时段。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureWindow {
    /// Its first minute, RFC 3339. 起始时刻，RFC 3339。
    #[schemars(schema_with = "instant")]
    pub from: String,
    /// Minutes. 分钟数。
    #[schemars(range(min = 1, max = 525_600))]
    pub minutes: i32,
}

/// Changes of the files from a day on. 自某日起的变更。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatedChange {
    /// The day, from its beginning. 日期，自当日零时起。
    pub from: Date,
    /// The changes, in this order. 变更，按此次序进行。
    #[schemars(length(min = 1, max = 64))]
    pub make: Vec<Change>,
}
