//! `FleetPlacement` 部署结果: the commit point of a decision. The operator writes it, nobody else.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirements::CpuSensitivity;
use crate::text::{ContentDigest, DocumentNumber, Name, ObjectName, Resources, StateText, Text, Token};

/// The placement of one workload, of the same name. 同名工作负载的部署结果。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "FleetPlacement",
    plural = "fleetplacements",
    shortname = "fpl",
    category = "jiuzhou",
    namespaced,
    status = "FleetPlacementStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Where a workload was decided to run; written by the operator by compare-and-swap. 工作负载的部署决策结果，由平台以比较交换方式写入。",
    printcolumn(name = "Epoch", type_ = "integer", json_path = ".spec.epoch", description = "Epoch. 轮次。"),
    printcolumn(
        name = "Wanted",
        type_ = "integer",
        json_path = ".status.totals.wanted",
        description = "Replicas wanted. 期望副本数。"
    ),
    printcolumn(
        name = "Placed",
        type_ = "integer",
        json_path = ".status.totals.placed",
        description = "Replicas placed. 已部署副本数。"
    ),
    printcolumn(
        name = "Ready-Replicas",
        type_ = "integer",
        json_path = ".status.totals.ready",
        description = "Replicas ready. 就绪副本数。"
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
    validation = ("self.epoch >= oldSelf.epoch", "epoch: must not go down, because members refuse orders of an older epoch. epoch：不得减小，成员拒绝旧轮次的指令。"),
    validation = ("self.decision == oldSelf.decision || (has(self.previous) && self.previous == oldSelf.decision)", "previous: must be the decision this one follows, because a decision taken on an older one is lost work. previous：须为所依据的上一决策，基于更旧决策的结果不得写入。")
)]
pub struct FleetPlacementSpec {
    /// Digest that names the decision. 决策标识（摘要）。
    pub decision: ContentDigest,
    /// Decision before it. 上一决策。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<ContentDigest>,
    /// Grows with every decision that changes something. 每次有变化的决策加一。
    #[schemars(range(min = 0))]
    pub epoch: i64,
    /// Place in the order of admission; it never changes. 准入次序，不可更改。
    #[schemars(range(min = 0))]
    #[x_kube(validation = ("self == oldSelf", "sequence: cannot be changed once set, because workloads are decided in the order they were admitted. sequence：设定后不可更改，工作负载按准入次序决策。"))]
    pub sequence: i64,
    /// Number of what is delivered; it grows with every change of content and stays when replicas move. 所下发内容的版本号；内容每次变化加一，仅副本移动时不变。
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub revision: i64,
    /// Clusters and their replicas. 集群与副本。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub clusters: Vec<PlacedCluster>,
    /// Clusters where it left data when its replicas went, with the epoch of that data. 副本撤离后留有数据的集群，及其数据的纪元。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub left: Vec<LeftData>,
    /// What copies are told of those that they replaced; it stays as long as they are there with this content. 告知各副本的旧副本状态；在副本位置与内容不变期间保留。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub carried: Vec<CarriedState>,
    /// What kept it from being better or larger, as a code. 限制因素，代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_limit: Option<Token>,
    /// Order by which it is stopped, or by whose end it runs again. 据以停用的停用令，或据其解除而恢复运行。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<PlacementStop>,
    /// Emergency in which it was decided, with what is given back at its end. 作出决策时的战时模式，及其结束时恢复的原部署。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PlacementMode>,
    /// The latest order to place it anew that was carried out; an order that is not later is none. 已执行的最近一次重新部署指令；不晚于此的指令无效。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub rebalanced_at: Option<Time>,
    /// What its replicas take, so that they are counted although the workload is not there. 副本所占用的资源，工作负载不在时仍据此计入。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Holding>,
    /// Digests of what the decision was made from. 决策依据的摘要。
    pub inputs: DecisionInputs,
    /// Time the decision was made for. 决策所依据的时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub as_of: Option<Time>,
}

/// One cluster of a placement. 部署结果中的一个集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacedCluster {
    /// Cluster. 集群。
    pub name: Name,
    /// Replicas. 副本数。
    #[schemars(range(min = 0, max = 1_000_000))]
    pub replicas: i32,
    /// Digest of what this cluster puts into the content: its values, registries, zones; absent where it puts in nothing. 本集群带入内容的取值、镜像仓库与区域的摘要；无则不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Token>,
}

/// Data that was left in a cluster. 留在集群中的数据。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftData {
    /// Cluster. 集群。
    pub name: Name,
    /// Epoch of the last placement that had replicas there. 最后一次在该处有副本的部署纪元。
    #[schemars(range(min = 0))]
    pub epoch: i64,
}

/// The emergency in which a placement was decided. 作出部署决策时的战时模式。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementMode {
    /// Name of the OperatingMode. 平战模式名称。
    pub name: ObjectName,
    /// Approval that it rests on. 所依据的审批单。
    pub approval: ObjectName,
    /// When it ends by itself. 自动结束时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub until: Time,
    /// Whether it is over, and what it moved beyond that is still on its way back. 是否已结束，正在恢复原状。
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// Where it was before, and is again at its end. 此前的部署，结束时恢复。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub before: Vec<PlacedCluster>,
}

/// An order on all replicas of a placement. 对部署结果全部副本的指令。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementStop {
    /// Number of the order. 停用令文号。
    pub order: DocumentNumber,
    /// Approval that it was carried out by. 据以执行的审批单。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ObjectName>,
    /// Emergency that it gives way to. 为其让位的战时模式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ObjectName>,
    /// When it ends by itself; absent where only a person lifts it. 自动结束时间；须由人解除的不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub until: Option<Time>,
    /// Whether it was lifted with this decision; else nothing runs. 是否随本决策解除；未解除则均不运行。
    #[serde(default)]
    pub lifted: bool,
}

/// What the replicas of a placement take of clusters and of quota. 部署结果的副本所占用的集群容量与配额。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holding {
    /// Tenant whose quota pays. 承担配额的单位。
    pub tenant: Name,
    /// Information system, in the namespace of the placement. 政务信息系统，与部署结果同一命名空间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<ObjectName>,
    /// Pods of one replica. 一个副本的 Pod。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub pods: Vec<HeldPods>,
    /// Requests of pods that run once on every node of its clusters. 在所用集群每个节点各运行一个的 Pod 的请求量。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub per_node: Vec<Resources>,
    /// How cpu requests follow the speed of a cluster. cpu 请求换算方式。
    #[serde(default)]
    pub cpu_sensitivity: CpuSensitivity,
    /// What one replica takes from the quota. 一个副本占用的配额。
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub quota: Resources,
}

/// Equal pods of one replica. 一个副本中相同的 Pod。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldPods {
    /// How many. 数量。
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: i32,
    /// Request of one of them. 单个 Pod 的请求量。
    #[serde(default)]
    pub request: Resources,
}

/// Digests of what a decision was made from. 决策依据的摘要。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionInputs {
    /// Of the workload. 工作负载。
    pub workload: ContentDigest,
    /// Of the policy. 部署策略。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<ContentDigest>,
    /// Of the snapshot. 快照。
    pub snapshot: ContentDigest,
    /// Of the built-in data. 内置数据。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ContentDigest>,
    /// Of what is delivered: objects, overrides, node affinity. 所下发内容：对象、覆盖项与节点亲和。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentDigest>,
}

/// Sums over all clusters. 全部集群合计。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementTotals {
    /// Replicas wanted. 期望副本数。
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub wanted: i32,
    /// Replicas placed. 已部署副本数。
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub placed: i32,
    /// Replicas ready; absent is unknown. 就绪副本数；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready: Option<i32>,
}

/// How many clusters have one reason. 一个原因的集群数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReasonCount {
    /// Code. 代码。
    pub reason: Token,
    /// Clusters. 集群数。
    #[schemars(range(min = 0))]
    pub count: i32,
}

/// A cluster that is not healthy. 不健康的集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnhealthyCluster {
    /// Cluster. 集群。
    pub name: Name,
    /// Code. 代码。
    pub reason: Token,
    /// The failing object, value seen and value wanted. 失败对象、实际值与期望值。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
}

/// Which revision a cluster has. 一个集群所处的版本。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRevision {
    /// Cluster. 集群。
    pub name: Name,
    /// Revision it has or is getting; absent is unknown, and what is there stays until its stage comes. 已有或正在更新到的版本；未填写即未知，在其阶段到来前保持现状。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub revision: Option<i64>,
}

/// How far a change of content has come. 内容变更的发布进度。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutProgress {
    /// Revision that is rolled out. 正在发布的版本。
    #[schemars(range(min = 0))]
    pub revision: i64,
    /// Stage it has reached. 已到达的阶段。
    pub stage: Name,
    /// Since when it is there. 到达该阶段的时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub since: Option<Time>,
    /// Since when everything it has reached is healthy without a break. 已到达的集群自何时起持续健康。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub healthy_since: Option<Time>,
    /// What it waits for, as a code. 等待原因，代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Token>,
    /// The failing cluster, the open gate, what to approve. 失败的集群、未通过的门禁或须批准的内容。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
    /// Revision of every cluster. 各集群的版本。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub clusters: Vec<ClusterRevision>,
}

/// How a run ended. 运行结果。
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RunOutcome {
    /// As its kind profile wants it. 按资源档案已完成。
    Finished,
    /// It failed by its kind profile. 按资源档案已失败。
    Failed,
}

/// Where something that runs once was seen. 仅运行一次的工作负载曾在何处运行。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedIn {
    /// Cluster. 集群。
    pub name: Name,
    /// How it ended; absent while it runs, and when it vanished before anybody saw its end. 运行结果；运行中或未及观测即消失时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// An order stopped it while it ran: it is not run again, and stays suspended. 运行中因停用令中断：不再运行，保持挂起。
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// How far replicas are that leave their cluster. 副本撤离所在集群的进度。
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailoverPhase {
    /// Its time is not over. 未到转移时间。
    Waiting,
    /// Others go first. 等待轮次。
    Turn,
    /// So much of the fleet is silent that nothing is moved. 大面积无应答，暂停一切转移。
    StormBrake,
    /// A person decides. 由人工决定。
    Manual,
    /// Its policy says that it stays. 策略规定不转移。
    Never,
    /// It may only be once, and whether the old copy has stopped is not certain. 单写，旧副本是否已停止尚不确定。
    Fence,
    /// Its data is there only. 数据仅在该集群。
    Data,
    /// It runs once and may have begun. 仅运行一次，可能已开始运行。
    Once,
    /// Its replicas leave where all of them have another place. 副本可离开，前提是均有其他位置。
    Released,
    /// They have another place; what is left there goes when the cluster answers. 副本已另有位置，残留待该集群恢复应答后移除。
    Moved,
    /// A change of content is under way, and nothing is moved meanwhile. 内容变更进行中，暂不转移。
    Change,
    /// What a new copy has to know is not known. 新副本所需的状态尚不可得。
    State,
    /// They were not well where they went before either: moved no more until the content changes or a person says so. 转移后仍状态不良，在内容变更或人工指令之前不再转移。
    Exhausted,
}

/// A cluster of the placement that does not answer. 部署结果中无应答的集群。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailoverEntry {
    /// Cluster. 集群。
    pub name: Name,
    /// Since when it is silent. 无应答起始时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub since: Time,
    /// When its replicas may leave at the earliest. 副本最早可离开的时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub due: Time,
    /// How far they are. 进度。
    pub phase: FailoverPhase,
    /// When they were let go. 获准离开的时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub released_at: Option<Time>,
}

/// A cluster of the placement that answers and where replicas are not well, or that was left because of it. 可达而副本状态不良的集群，或因此撤离的集群。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationFailoverEntry {
    /// Cluster. 集群。
    pub name: Name,
    /// Since when they are not well. 状态不良起始时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub since: Time,
    /// When they may leave at the earliest. 最早可离开的时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub due: Time,
    /// How far they are. 进度。
    pub phase: FailoverPhase,
    /// When they were let go. 获准离开的时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub released_at: Option<Time>,
    /// Revision that was not well. 状态不良的版本。
    #[schemars(range(min = 0))]
    pub revision: i64,
    /// Since when all are ready again; forgotten after a minute. 恢复全部就绪的时间；满一分钟后不再记录。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub well_since: Option<Time>,
    /// Until when nothing is placed there again. 在此时间之前不再部署于该处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub avoided_until: Option<Time>,
    /// What its new copy is told, as it was seen last. 告知新副本的状态，以最近观测为准。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub state: Vec<CarriedValue>,
    /// What it is not told, and why. 未能告知的状态及原因。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_missing: Option<Text>,
}

/// A value out of the status of the copy before. 取自旧副本 status 的值。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CarriedValue {
    /// Its name in the new copy. 在新副本中的名称。
    pub alias: Name,
    /// Object of the workload that it belongs to. 所属的工作负载对象。
    pub object: Name,
    /// The value. 值。
    pub value: StateText,
}

/// What a copy is told of the one it replaced. 告知副本的旧副本状态。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CarriedState {
    /// Cluster of the copy. 副本所在集群。
    pub name: Name,
    /// Cluster of the one before. 旧副本所在集群。
    pub from: Name,
    /// The values. 各项值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub values: Vec<CarriedValue>,
}

/// What was observed of a placement. 部署结果的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = crate::schema::unobserved()))]
pub struct FleetPlacementStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub observed_generation: Option<i64>,
    /// Revision that all clusters have; absent is unknown. 全部集群已有的版本；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub revision: Option<i64>,
    /// Digest of its content: a change back to it passes no rest, gate or approval. 该版本内容的摘要；回到该内容的变更无须等待、门禁与批准。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<ContentDigest>,
    /// The rollout under way. 进行中的发布。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutProgress>,
    /// Whether anything of it was ever seen in a member: what was started waits for no other workload. 是否曾在成员中观测到；已启动者不再等待其他工作负载。
    #[serde(default)]
    pub begun: bool,
    /// Of what runs once: where it was seen to run; it is never started anywhere else, and never again. 仅运行一次者曾在何处运行；绝不在别处或再次启动。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub started: Vec<StartedIn>,
    /// Clusters that do not answer, and what becomes of the replicas there. 无应答的集群及其副本的去向。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub failover: Vec<FailoverEntry>,
    /// Clusters that answer and where its replicas are not well, and those left because of it. 可达而副本状态不良的集群，以及因此撤离的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub application_failover: Vec<ApplicationFailoverEntry>,
    /// Sums. 合计。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<PlacementTotals>,
    /// Clusters per reason. 按原因的集群数。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["reason".into()]))]
    pub reasons: Vec<ReasonCount>,
    /// Clusters that are not healthy, at most 50. 不健康的集群，至多 50 个。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub unhealthy: Vec<UnhealthyCluster>,
    /// Conditions Ready, Reconciling, Stalled and the kind's own. 状态条件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
