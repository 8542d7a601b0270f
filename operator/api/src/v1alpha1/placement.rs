//! What a placement policy says, wherever it stands: `ClusterPlacementPolicy`, `PlacementPolicy`, or inline.
//!
//! Guardrails (Tenant, SovereigntyTier) are intersected with this and never overridden by it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{class::Strength, overrides::Override, pool::TaintEffect, selector::ClusterSelector};
use crate::text::{LabelKey, LabelValue, Name, StatusPath};

/// How clusters are chosen and replicas divided. 选择集群与划分副本的方式。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementRules {
    /// Clusters that may be used at all; every one the guardrails allow when absent. 可用集群；未填写则为限制允许的全部集群。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterSelector>,
    /// Ordered groups: the next is used when the one before has no room. 有序分组：前一组容量不足时使用下一组。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub groups: Vec<ClusterGroup>,
    /// What is preferred among allowed clusters. 在允许的集群中偏好什么。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub preferences: Vec<Preference>,
    /// How replicas are divided. 副本划分方式。
    #[serde(default)]
    pub replicas: ReplicaRule,
    /// Spread over groups, at most 3 with distinct keys. 分散规则，至多 3 项且键不重复。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["key".into()]),
        validation = ("size(self) <= 3", "spread: at most 3 entries, because more keys cannot be solved exactly. spread：至多 3 项，键过多则无法精确求解。"),
        validation = ("self.all(s, self.exists_one(o, o.key == s.key))", "spread: every key may stand once, because two entries for one key contradict each other. spread：每个键只能出现一次，同键两项会相互矛盾。")
    )]
    pub spread: Vec<Spread>,
    /// Largest share one group may carry. 单组承载份额上限。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub max_share: Vec<MaxShare>,
    /// Taints of clusters that are tolerated. 容忍的集群污点。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<ClusterToleration>,
    /// What happens when a cluster fails. 集群故障时的处理。
    #[serde(default)]
    pub failover: Failover,
    /// How much may be down or moving at once. 同时不可用或迁移的上限。
    #[serde(default)]
    pub disruption: Disruption,
    /// How much better another choice must be, in thousandths of the best score there can be, before anything is moved; looked at once an hour and whenever the workload is decided anyway; absent: nothing moves for a score. 新方案须优于现状多少（满分的千分数）才迁移；每小时评估一次，工作负载重新决策时亦评估；未填写则不因评分迁移。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub rebalance_gain_per_mille: Option<i32>,
    /// What differs per cluster, platform or zone. 按集群、平台或区域的差异化配置。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub overrides: Vec<Override>,
}

/// One group of clusters. 一个集群分组。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterGroup {
    /// Its name. 名称。
    pub name: Name,
    /// Clusters of the group; at least one part. 组内集群，至少填写一项选择。
    pub selector: ClusterSelector,
    /// Whether what does not fit here goes on to the next group. 容量不足时是否溢出到下一组。
    #[serde(default = "yes")]
    pub overflow: bool,
    /// Minutes this group must be well before replicas come back to it. 恢复稳定多少分钟后回迁到本组。
    #[serde(default = "failback_minutes")]
    #[schemars(range(min = 0, max = 44_640))]
    pub failback_after_minutes: i32,
}

fn yes() -> bool {
    true
}

fn failback_minutes() -> i32 {
    30
}

/// Raw figure a preference looks at; its unit and its better side are fixed. 偏好所看的原始数值；单位与优劣方向固定。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PreferenceMetric {
    /// Milligrams of CO2 per kWh of IT energy, lower is better. 每千瓦时 IT 用电的二氧化碳毫克数，越低越好。
    #[default]
    Carbon,
    /// PUE in thousandths, lower is better. PUE 千分数，越低越好。
    Energy,
    /// Fen per 1000 cpu-hours, lower is better. 每千核时价格（分），越低越好。
    Cost,
    /// Share of allocatable in use in thousandths, lower is better (spreads). 可分配量使用率千分数，越低越好（分散）。
    LowUtilisation,
    /// The same, higher is better (packs). 同上，越高越好（集中）。
    HighUtilisation,
    /// 1 when the provider is local by label, else 0; higher is better. 本地供应商为 1，否则为 0；越高越好。
    LocalSupplier,
    /// 1 when the label matches, else 0; higher is better. 标签匹配为 1，否则为 0；越高越好。
    Label,
}

/// One preference with its weight and its declared bounds. 一项偏好及其权重与声明的上下界。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("has(self.label) == (self.metric == 'Label')", "label: give it exactly when metric is Label, because only that metric looks at one. label：仅当 metric 为 Label 时填写，只有该指标看标签。"),
    validation = ("self.metric in ['Label', 'LocalSupplier'] || (has(self.lowest) && has(self.highest))", "lowest, highest: give both with this metric, because a score between undeclared bounds would move when one cluster is lost. lowest、highest：该指标须同时填写，未声明上下界时失去一个集群会改变全部评分。"),
    validation = ("!has(self.lowest) || !has(self.highest) || self.lowest < self.highest", "lowest: must be below highest, because the score is a place between the two. lowest：须小于 highest，评分为两者之间的位置。"),
    validation = ("self.weight >= 0", "weight: must be 0 or more, because a preference cannot count against itself. weight：须不小于 0，偏好不能为负。")
)]
pub struct Preference {
    /// Its name. 名称。
    pub name: Name,
    /// Raw figure. 原始数值。
    pub metric: PreferenceMetric,
    /// Weight against the other preferences. 相对其他偏好的权重。
    #[serde(default = "hundred")]
    #[schemars(range(max = 1000))]
    pub weight: i32,
    /// Lowest figure, in the unit of the metric; below it nothing changes. 下界，单位随指标；低于该值不再变化。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000_000_i64))]
    pub lowest: Option<i64>,
    /// Highest figure, in the unit of the metric; above it nothing changes. 上界，单位随指标；高于该值不再变化。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000_000_i64))]
    pub highest: Option<i64>,
    /// Label that is liked. 偏好的标签。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<PreferredLabel>,
}

fn hundred() -> i32 {
    100
}

/// A label that is liked. 偏好的标签。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferredLabel {
    /// Key. 键。
    pub key: LabelKey,
    /// Values; any when empty. 取值；为空则任意。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub values: Vec<LabelValue>,
}

/// Whether each cluster gets all replicas or a part. 每个集群得到全部还是部分副本。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ReplicaMode {
    /// Every chosen cluster gets all. 每个选中集群部署全部副本。
    Duplicated,
    /// Replicas are divided. 副本在集群间划分。
    #[default]
    Divided,
}

/// By what replicas are divided. 副本划分依据。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DivideBy {
    /// By room. 按空闲容量。
    #[default]
    Capacity,
    /// By the weights given. 按给定权重。
    Weight,
    /// Into as few clusters as hold them. 集中到尽量少的集群。
    Packed,
}

/// How replicas are divided. 副本划分规则。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.mode != 'Duplicated' || !has(self.divideBy)", "divideBy: leave it out with Duplicated, because every cluster gets all replicas. divideBy：Duplicated 模式下不填，每个集群均得到全部副本。"),
    validation = ("self.mode != 'Duplicated' || (!has(self.minPerCluster) && !has(self.maxPerCluster))", "minPerCluster, maxPerCluster: leave them out with Duplicated, because every cluster gets all replicas. minPerCluster、maxPerCluster：Duplicated 模式下不填，每个集群均得到全部副本。"),
    validation = ("(has(self.divideBy) && self.divideBy == 'Weight') == (has(self.weights) && size(self.weights) > 0)", "weights: give them exactly when divideBy is Weight, because other ways do not look at them. weights：仅当 divideBy 为 Weight 时填写，其他方式不使用权重。"),
    validation = ("!has(self.minPerCluster) || !has(self.maxPerCluster) || self.minPerCluster <= self.maxPerCluster", "minPerCluster: must not be above maxPerCluster, because no division would fit. minPerCluster：不得大于 maxPerCluster，否则无法划分。")
)]
pub struct ReplicaRule {
    /// Whether each cluster gets all or a part. 复制或划分。
    #[serde(default)]
    pub mode: ReplicaMode,
    /// By what they are divided; capacity when absent. 划分依据；未填写时按容量。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide_by: Option<DivideBy>,
    /// Weights; a cluster no entry matches gets none. 权重；未匹配任何项的集群不分配。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub weights: Vec<ClusterWeight>,
    /// Fewest replicas in a cluster that is used. 被使用集群的最少副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_per_cluster: Option<i32>,
    /// Most replicas in a cluster. 单集群最多副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_per_cluster: Option<i32>,
}

/// Weight of some clusters; the first entry that matches counts. 部分集群的权重；以首个匹配项为准。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterWeight {
    /// Clusters. 集群。
    pub selector: ClusterSelector,
    /// Weight. 权重。
    #[x_kube(validation = ("self >= 0", "weight: must be 0 or more, because replicas cannot be divided by a negative weight. weight：须不小于 0，副本不能按负权重划分。"))]
    #[schemars(range(max = 1000))]
    pub weight: i32,
}

/// By what clusters are grouped. 集群分组依据。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TopologyKey {
    /// The cluster itself. 集群自身。
    #[default]
    Cluster,
    /// Its site. 机房。
    Site,
    /// Prefecture of its site. 机房所在市州。
    Prefecture,
    /// Province of its site. 机房所在省份。
    Province,
    /// Network zone of the pool. 节点池的网络区域。
    Zone,
    /// Provider. 服务商。
    Provider,
    /// CPU platform of the pool. 节点池的芯片平台。
    Platform,
    /// CPU brand of the pool. 节点池的芯片品牌。
    Brand,
    /// Value of a label of the cluster; clusters without it are in no group. 集群标签的取值；没有该标签的集群不属于任何组。
    Label,
}

/// Spread over the groups of one key. 按一个键分散。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!has(self.maxGroups) || self.minGroups <= self.maxGroups", "minGroups: must not be above maxGroups, because no choice would fit. minGroups：不得大于 maxGroups，否则无可行选择。"),
    validation = ("has(self.label) == (self.key == 'Label')", "label: give it exactly when key is Label, because only that key looks at one. label：仅当 key 为 Label 时填写，只有该键看标签。")
)]
pub struct Spread {
    /// By what clusters are grouped. 分组依据。
    pub key: TopologyKey,
    /// Label of clusters, with the key Label. 集群标签，仅用于 Label 键。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelKey>,
    /// Fewest groups. 最少组数。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_groups: i32,
    /// Most groups. 最多组数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_groups: Option<i32>,
    /// Fewest replicas in a group that is used. 被使用组的最少副本数。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_replicas_per_group: i32,
    /// Whether it must hold. 是否必须满足。
    #[serde(default)]
    pub strength: Strength,
}

fn one() -> i32 {
    1
}

/// Of what a share is taken. 份额的基数。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ShareOf {
    /// Of the replicas of the workload. 本工作负载的副本。
    #[default]
    Workload,
    /// Of the cpu of the information system. 本信息系统的 cpu。
    System,
    /// Of the cpu of the tenant. 本单位的 cpu。
    Tenant,
    /// Of the cpu of the fleet. 全部集群的 cpu。
    Fleet,
}

/// Largest share one group may carry. 单组份额上限。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("self.percent >= 1 && self.percent <= 100", "percent: choose 1 to 100, because a share is a part of the whole. percent：填写 1 至 100，份额是整体的一部分。"),
    validation = ("has(self.label) == (self.key == 'Label')", "label: give it exactly when key is Label, because only that key looks at one. label：仅当 key 为 Label 时填写，只有该键看标签。")
)]
pub struct MaxShare {
    /// Percent, 1 to 100. 百分数，1 至 100。
    #[schemars(range(min = 0, max = 1000))]
    pub percent: i32,
    /// By what clusters are grouped. 分组依据。
    pub key: TopologyKey,
    /// Label of clusters, with the key Label. 集群标签，仅用于 Label 键。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelKey>,
    /// Of what. 基数。
    #[serde(default)]
    pub of: ShareOf,
    /// Whether it must hold. 是否必须满足。
    #[serde(default)]
    pub strength: Strength,
}

/// How a toleration compares. 容忍的比较方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TolerationOperator {
    /// The value is equal. 值相等。
    #[default]
    Equal,
    /// The key is there. 键存在。
    Exists,
}

/// A taint of clusters that is tolerated. 容忍的集群污点。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.operator == 'Equal' || !has(self.value)", "value: leave it out with Exists, because only Equal compares values. value：Exists 时不填，只有 Equal 比较值。"))]
pub struct ClusterToleration {
    /// Key. 键。
    pub key: LabelKey,
    /// How it compares. 比较方式。
    #[serde(default)]
    pub operator: TolerationOperator,
    /// Value. 值。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// Effect; every effect when absent. 效果；未填写则任意。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// For how many seconds NoExecute is tolerated; for ever when absent. 对 NoExecute 的容忍秒数；未填写则一直容忍。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub seconds: Option<i64>,
}

/// Whether replicas leave a failed cluster. 副本是否离开故障集群。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailoverMode {
    /// Replacements are added elsewhere after a while. 一段时间后在别处补足。
    #[default]
    Automatic,
    /// A person decides. 由人工决定。
    Manual,
    /// Never. 不转移。
    Never,
}

/// What happens when a cluster fails. 集群故障时的处理。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.application) || !has(self.mode) || self.mode != 'Never'", "application: leave it out with the mode Never, because nothing is moved then. application：mode 为 Never 时不填，此时不转移任何副本。"))]
pub struct Failover {
    /// Whether replicas leave. 处理方式。
    #[serde(default)]
    pub mode: FailoverMode,
    /// Seconds a cluster must be unreachable for hub and agent first. 中心与代理均不可达多少秒后处理。
    #[serde(default = "failover_seconds")]
    #[schemars(range(min = 30, max = 86_400))]
    pub after_seconds: i32,
    /// When replicas leave a cluster that answers because they are not well there; absent: they stay. 集群可达而副本状态不良时的转移；未填写则不转移。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationFailover>,
}

/// When replicas leave a cluster where fewer of them are ready than are decided there. 副本就绪数少于决策数时的转移方式。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationFailover {
    /// Seconds they must not be well first, without a minute in which all are ready; more than a start takes. 持续状态不良多少秒后转移（期间未有一分钟全部就绪）；须长于正常启动所需时间。
    #[serde(default = "failover_seconds")]
    #[schemars(range(max = 86_400))]
    #[x_kube(validation = ("self >= 30", "application.afterSeconds: choose 30 or more, because no start or restart would be over before. application.afterSeconds：不得小于 30，否则启动或重启尚未完成即被转移。"))]
    pub after_seconds: i32,
    /// Seconds in which they are not placed again in a cluster that they left. 撤离某集群后多少秒内不再部署于该处。
    #[serde(default = "cooldown_seconds")]
    #[schemars(range(max = 604_800))]
    #[x_kube(validation = ("self >= 300", "application.cooldownSeconds: choose 300 or more, because replicas would go to and fro. application.cooldownSeconds：不得小于 300，否则副本会往返迁移。"))]
    pub cooldown_seconds: i32,
    /// What a new copy is told of the status of the one it replaces: at most 1024 bytes each and 8192 together. 告知新副本的旧副本状态，单项至多 1024 字节，合计至多 8192 字节。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub state: Vec<StateRule>,
}

/// Most bytes of one value that is carried over.
pub const STATE_VALUE_BYTES: usize = 1024;
/// Most bytes of all values of a copy together.
pub const STATE_BYTES: usize = 8192;

/// One value that a new copy is told. 告知新副本的一项状态。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateRule {
    /// Its name there: annotation `state.jiuzhou.dev/ALIAS` of the object and of its pods. 在新副本中的名称，即对象及其 Pod 的注解 `state.jiuzhou.dev/ALIAS`。
    pub alias: Name,
    /// Where it stands in the status; what is no text is carried as JSON. 在 status 中的位置；非文本值以 JSON 形式传递。
    pub json_path: StatusPath,
    /// Object of the workload by its name there; the first that has it when absent. 工作负载中的对象名称；未填写则为首个具有该值的对象。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Name>,
    /// Move without it where it is missing or too large; else the move waits and says so. 缺失或过大时仍转移；否则等待并说明。
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

fn cooldown_seconds() -> i32 {
    3600
}

impl Default for ApplicationFailover {
    fn default() -> Self {
        Self { after_seconds: failover_seconds(), cooldown_seconds: cooldown_seconds(), state: Vec::new() }
    }
}

impl Default for Failover {
    fn default() -> Self {
        Self { mode: FailoverMode::default(), after_seconds: failover_seconds(), application: None }
    }
}

fn failover_seconds() -> i32 {
    300
}

/// How much may be down or moving at once. 同时不可用或迁移的上限。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disruption {
    /// Most replicas unavailable, in percent, rounded down, at least one. 不可用副本上限（百分数），向下取整，至少一个。
    #[serde(default = "quarter")]
    #[schemars(range(min = 0, max = 100))]
    pub max_unavailable_percent: i32,
    /// Most clusters changed at once. 同时变更的集群数上限。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub max_clusters: i32,
}

impl Default for Disruption {
    fn default() -> Self {
        Self { max_unavailable_percent: quarter(), max_clusters: one() }
    }
}

fn quarter() -> i32 {
    25
}
