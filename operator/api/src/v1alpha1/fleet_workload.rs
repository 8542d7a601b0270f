//! `FleetWorkload` 工作负载: native objects with what they need and how they may be moved.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{placement::PlacementRules, requirements::Requirements, rollout::Rollout, selector::LabelSelector};
use crate::text::{ApiVersion, KindName, Month, Name, Text, Title, Token};

/// A workload of the fleet. 工作负载。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "FleetWorkload",
    plural = "fleetworkloads",
    shortname = "fwl",
    category = "jiuzhou",
    namespaced,
    status = "FleetWorkloadStatus",
    derive = "PartialEq",
    derive = "Default",
    scale(spec_replicas_path = ".spec.replicas", status_replicas_path = ".status.ready"),
    doc = "A workload: its objects, what it needs of a cluster, how it may be moved, where it should go. 工作负载：对象、对集群的要求、迁移方式与部署意图。",
    printcolumn(
        name = "System",
        type_ = "string",
        json_path = ".spec.system",
        description = "Information system. 信息系统。"
    ),
    printcolumn(
        name = "Wanted",
        type_ = "integer",
        json_path = ".status.wanted",
        description = "Replicas wanted. 期望副本数。"
    ),
    printcolumn(
        name = "Placed",
        type_ = "integer",
        json_path = ".status.placed",
        description = "Replicas placed. 已部署副本数。"
    ),
    printcolumn(
        name = "Ready",
        type_ = "integer",
        json_path = ".status.ready",
        description = "Replicas ready. 就绪副本数。"
    ),
    printcolumn(
        name = "Clusters",
        type_ = "integer",
        json_path = ".status.clusterCount",
        description = "Clusters used. 使用的集群数。"
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
    validation = ("has(self.objects) != has(self.select)", "objects, select: give exactly one, because an object of both would be delivered twice. objects、select：只能填写其一，两者并存会重复下发。"),
    validation = ("!has(self.select) || !has(self.replicas)", "replicas: leave it out with select, because the native objects say how many they want and two numbers would contradict each other. replicas：使用 select 时不填，副本数以原生对象为准，两处数字会相互矛盾。"),
    validation = ("!has(self.placement) || !has(self.placementPolicy)", "placement, placementPolicy: give at most one, because two intents for one workload contradict each other. placement、placementPolicy：至多填写其一，同一工作负载不能有两种意图。"),
    validation = ("!has(self.continuity) || self.continuity != 'RunOnce' || !has(self.rollout)", "rollout: leave it out with RunOnce, because a job never runs again. rollout：RunOnce 时不填，任务不会再次执行。"),
    validation = ("!has(self.continuity) || !(self.continuity in ['SingleWriter', 'RunOnce', 'OneCluster']) || !has(self.placement) || !has(self.placement.replicas) || self.placement.replicas.mode != 'Duplicated'", "placement.replicas.mode: choose Divided with SingleWriter, RunOnce and OneCluster, because a copy in every cluster would write or run twice. placement.replicas.mode：SingleWriter、RunOnce、OneCluster 须选 Divided，每个集群一份会重复写入或执行。"),
    validation = ("self.fence != 'SelfFence' || (has(self.continuity) && self.continuity == 'SingleWriter')", "fence: SelfFence needs continuity SingleWriter, because only a single writer is stopped by its own agent. fence：SelfFence 须配合 continuity 为 SingleWriter，只有单写工作负载由其代理自行停止。"),
    validation = ("has(self.maxClockDriftSeconds) == (self.fence == 'SelfFence')", "maxClockDriftSeconds: give it exactly when fence is SelfFence, because the promise holds within that drift only. maxClockDriftSeconds：仅当 fence 为 SelfFence 时填写，该承诺只在此漂移之内成立。")
)]
pub struct FleetWorkloadSpec {
    /// Information system it is part of, in the same namespace. 所属信息系统，同一命名空间。
    pub system: Name,
    /// Native objects, in the order of their waves. 原生对象，按批次下发。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub objects: Vec<WorkloadObject>,
    /// Native objects of this namespace on a dedicated hub, by label. 专用中心上本命名空间的原生对象，按标签选择。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<ObjectSelection>,
    /// Replicas wanted in all; those of the manifest when absent. 期望总副本数；未填写时取清单中的副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub replicas: Option<i32>,
    /// What it needs of a cluster; only ever stricter than the system's. 对集群的要求，只能严于信息系统。
    #[serde(default)]
    pub requirements: Requirements,
    /// How it may be moved; by kind when absent. 迁移时的连续性；未填写则按资源类型。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<Continuity>,
    /// Where its data is; Pinned with a bound PVC when absent. 数据所在；未填写且有已绑定的 PVC 时为 Pinned。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataPlacement>,
    /// Whether a cut-off member stops it by itself. 失联成员是否自行停止。
    #[serde(default)]
    pub fence: Fence,
    /// Greatest clock drift between hub and members that is declared, in seconds. 声明的中心与成员时钟最大漂移（秒）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub max_clock_drift_seconds: Option<i32>,
    /// Priority; higher is placed first. 优先级；高者先部署。
    #[serde(default)]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: i32,
    /// Workloads of one namespace with this key go to the same clusters. 同一命名空间内此键相同的工作负载部署到相同集群。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colocate: Option<Name>,
    /// Workloads of this namespace that must be ready first. 须先就绪的本命名空间工作负载。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub depends_on: Vec<Name>,
    /// How a change goes out. 变更发布方式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Placement, inline. 内联部署意图。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementRules>,
    /// Placement policy by name: of this namespace first, then of the cluster. 部署策略名称：先取本命名空间，再取集群级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement_policy: Option<Name>,
}

/// What happens to an object when it leaves the workload. 对象移出工作负载后的处理。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnDelete {
    /// It stays in the member. 保留在成员中。
    Retain,
    /// It is deleted there. 在成员中删除。
    #[default]
    Delete,
}

/// What happens when a member's object differs. 成员中的对象出现漂移时的处理。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnDrift {
    /// It is set right. 纠正。
    #[default]
    Correct,
    /// It is reported. 报告。
    Report,
}

/// What happens when a field cannot be changed. 字段不可变时的处理。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OnImmutable {
    /// The change waits for a person. 等待人工处理。
    #[default]
    Refuse,
    /// The object is made again. 重建对象。
    Recreate,
}

/// One native object. 一个原生对象。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "!has(self.manifest.apiVersion) || !self.manifest.apiVersion.startsWith('jiuzhou.dev/')",
    "manifest: must not be an object of jiuzhou.dev, because a fleet does not deliver its own orders. manifest：不得为 jiuzhou.dev 的对象，平台不下发自身的指令。"
))]
pub struct WorkloadObject {
    /// Its name in this list. 在列表中的名称。
    pub name: Name,
    /// The object as for one cluster. 对象清单，按单集群书写。
    #[schemars(schema_with = "crate::schema::manifest")]
    pub manifest: serde_json::Value,
    /// What happens when it leaves the workload. 移出后的处理。
    #[serde(default)]
    pub on_delete: OnDelete,
    /// What happens when a member's differs. 漂移的处理。
    #[serde(default)]
    pub on_drift: OnDrift,
    /// What happens when a field cannot be changed. 字段不可变的处理。
    #[serde(default)]
    pub on_immutable: OnImmutable,
    /// Wave; lower goes first. 批次；小者先行。
    #[serde(default)]
    #[schemars(range(min = -100, max = 100))]
    pub wave: i32,
}

/// Native objects by label. 按标签选择的原生对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectSelection {
    /// Labels they carry. 标签条件。
    pub labels: LabelSelector,
    /// Kinds; every kind with a profile when empty. 资源类型；为空则取所有有档案的类型。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub kinds: Vec<ObjectKind>,
}

/// A Kubernetes kind. 一种 Kubernetes 资源类型。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKind {
    /// `apiVersion`. API 版本。
    pub api_version: ApiVersion,
    /// Kind. 资源类型。
    pub kind: KindName,
}

/// How something may be moved. 迁移时的连续性。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Continuity {
    /// The new copy is ready before the old goes (Deployment). 先增后减（Deployment）。
    #[default]
    AddBeforeRemove,
    /// The old copy is gone before the new starts (StatefulSet, anything with a PVC). 先停后起（StatefulSet 或带 PVC 者）。
    SingleWriter,
    /// It runs once and never again (Job). 只运行一次，绝不重跑（Job）。
    RunOnce,
    /// It lives in one cluster at a time (CronJob). 同一时间只在一个集群（CronJob）。
    OneCluster,
    /// One per node (DaemonSet). 每节点一份（DaemonSet）。
    PerNode,
}

/// Where the data of a workload is. 工作负载数据所在。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DataMode {
    /// Where it is bound now; it does not move. 固定在当前位置，不迁移。
    #[default]
    Pinned,
    /// Outside the cluster. 在集群之外。
    External,
    /// Copied to the clusters named. 已复制到所列集群。
    Replicated,
    /// It may be lost. 可以丢弃。
    Disposable,
}

/// Where data is and in which clusters. 数据所在与所在集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.mode != 'Replicated' || (has(self.clusters) && size(self.clusters) > 0)", "data.clusters: name at least one with Replicated, because the workload can only go where its data is. data.clusters：Replicated 时至少填写一个集群，工作负载只能去数据所在之处。"))]
pub struct DataPlacement {
    /// Where it is. 所在。
    pub mode: DataMode,
    /// Clusters that hold it, with Pinned and Replicated. 持有数据的集群（Pinned 与 Replicated）。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub clusters: Vec<Name>,
}

/// Whether a cut-off member stops the workload by itself. 失联成员是否自行停止工作负载。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Fence {
    /// It goes on. 继续运行。
    #[default]
    None,
    /// The agent stops it when its lease runs out. 租约到期由代理停止。
    SelfFence,
}

/// Replicas in one cluster. 一个集群中的副本。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReplicas {
    /// Cluster. 集群。
    pub name: Name,
    /// Replicas placed. 已部署副本数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub placed: i32,
    /// Replicas ready; absent is unknown. 就绪副本数；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub ready: Option<i32>,
}

/// Where a figure of use comes from. 用量数据的来源。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum UseSource {
    /// Read from the cluster's own metering. 由集群自身计量采集。
    #[default]
    Observed,
    /// Stated by somebody. 人工填报。
    Declared,
}

/// Use of one cluster, averaged over a month. 一个集群的月均用量。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterUse {
    /// Cluster. 集群。
    pub cluster: Name,
    /// Month. 月份。
    pub month: Month,
    /// CPU in use in millicores, all replicas. 全部副本的 CPU 用量（毫核）。
    #[schemars(range(min = 0, max = 1_000_000_000_000_i64))]
    pub cpu_millicores: i64,
    /// Where it comes from. 来源。
    #[serde(default)]
    pub source: UseSource,
}

/// What was observed of a workload. 工作负载的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = crate::schema::unobserved()))]
pub struct FleetWorkloadStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub observed_generation: Option<i64>,
    /// Replicas wanted. 期望副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub wanted: Option<i32>,
    /// Replicas placed. 已部署副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub placed: Option<i32>,
    /// Replicas ready. 就绪副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready: Option<i32>,
    /// Revision that is delivered; while a rollout is under way, the new one. 所下发内容的版本号；发布进行中为新版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub revision: Option<i64>,
    /// Clusters that have this revision. 已为该版本的集群数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub updated_clusters: Option<i32>,
    /// Stage that a rollout has reached; absent when none is under way. 发布已到达的阶段；无进行中的发布时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Name>,
    /// Clusters used. 使用的集群数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub cluster_count: Option<i32>,
    /// Per cluster, at most 50. 各集群情况，至多 50 个。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub clusters: Vec<ClusterReplicas>,
    /// Use by cluster and month; energy is shared by it where a period has every month, else by requests. 各集群月均用量；统计期内每个月都有时按用量分摊能耗，否则按请求量。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 600))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["cluster".into(), "month".into()]))]
    pub usage: Vec<ClusterUse>,
    /// Where it answers. 访问端点。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub endpoints: Vec<Title>,
    /// The one reason, as a code. 唯一原因代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Token>,
    /// The sentence, Chinese. 说明，中文。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_zh: Option<Text>,
    /// The sentence, English. 说明，英文。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_en: Option<Text>,
    /// Conditions Ready, Reconciling, Stalled and the kind's own. 状态条件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
