//! `Delivery` 下发单: the order to one member about one workload, and what the member made of it.
//!
//! The same value is handed over in memory (Push) or stored in the hub namespace of the member (Pull, Ferry), so that one
//! code applies it. Absence orders nothing: only `Removing` with a decision and uids removes, only `Orphan` lets go.
//! Secret data never stands here; a Secret of the workload is a Secret of the same namespace, named by its digest.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fleet_workload::{Continuity, Fence, OnDelete, OnDrift, OnImmutable};
use crate::text::{
    ApiVersion, ContentDigest, KindName, Name, ObjectName, Resources, StateText, StatusPath, Text, Title, Token,
};

/// What is ordered. 指令内容。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeliveryState {
    /// The objects are there as rendered. 对象须按渲染结果存在。
    #[default]
    Present,
    /// The objects named by uid are removed. 按 uid 删除所列对象。
    Removing,
    /// The objects stay and are no longer ours. 对象保留，不再由本平台管理。
    Orphan,
}

/// One workload's objects for one member. 一个工作负载在一个成员中的对象。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Delivery",
    plural = "deliveries",
    shortname = "dlv",
    category = "jiuzhou",
    namespaced,
    status = "DeliveryStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "What one member is ordered to have of one workload; written by the operator, read by the member's agent. 一个成员须持有的某工作负载对象；由平台写入，由成员代理读取。",
    printcolumn(
        name = "Namespace-Of",
        type_ = "string",
        json_path = ".spec.workload.namespace",
        description = "Namespace of the workload. 工作负载命名空间。"
    ),
    printcolumn(
        name = "Workload",
        type_ = "string",
        json_path = ".spec.workload.name",
        description = "Workload. 工作负载。"
    ),
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".spec.state",
        description = "What is ordered. 指令内容。"
    ),
    printcolumn(name = "Epoch", type_ = "integer", json_path = ".spec.epoch", description = "Epoch. 轮次。"),
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
    validation = ("self.epoch >= oldSelf.epoch", "epoch: must not go down, because a member refuses orders of an older epoch. epoch：不得减小，成员拒绝旧轮次的指令。"),
    validation = ("self.state != 'Removing' || has(self.removing)", "removing: name the uids with Removing, because only what is named is removed. removing：state 为 Removing 时须列出 uid，只删除列出的对象。"),
    validation = ("self.state != 'Present' || has(self.objects)", "objects: give at least one with Present, because absence orders nothing. objects：state 为 Present 时至少一个，缺失不构成指令。")
)]
pub struct DeliverySpec {
    /// Member it is for. 目标成员集群。
    pub cluster: Name,
    /// Workload it comes from. 来源工作负载。
    pub workload: WorkloadReference,
    /// Tenant whose service account applies it. 以其服务账号执行的单位。
    pub tenant: Name,
    /// What the tenant was granted in all: a limit on its namespace. Nothing when it has no grant. 该单位获批的总量，作为其命名空间的上限；无批复时为空。
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub quota: Resources,
    /// What is ordered. 指令内容。
    #[serde(default)]
    pub state: DeliveryState,
    /// Decision it carries out. 所执行的决策。
    pub decision: ContentDigest,
    /// Epoch of the last change of content. 内容最近一次变化的轮次。
    #[schemars(range(min = 0))]
    pub epoch: i64,
    /// After this nothing new is started by an agent that cannot ask the hub. 此时刻之后，失联的代理不再启动新内容。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub not_after: Option<Time>,
    /// Replicas of the workload here; absent where its kinds have none. 本集群副本数；无副本概念时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub replicas: Option<i32>,
    /// How it may be moved. 迁移时的连续性。
    #[serde(default)]
    pub continuity: Continuity,
    /// Whether the agent stops it when it is cut off. 失联时代理是否停止。
    #[serde(default)]
    pub fence: Fence,
    /// Rendered objects in any order; the member applies by rank and wave. 渲染后的对象；成员按次序执行。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub objects: Vec<DeliveredObject>,
    /// Objects to remove, with Removing. 须删除的对象（Removing）。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub removing: Vec<ObjectIdentity>,
}

/// A workload by namespace and name. 工作负载的命名空间与名称。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReference {
    /// Namespace. 命名空间。
    pub namespace: Name,
    /// Name. 名称。
    pub name: ObjectName,
}

/// One rendered object. 一个渲染后的对象。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("(has(self.manifest) ? 1 : 0) + (has(self.secret) ? 1 : 0) + (has(self.blob) ? 1 : 0) == 1", "manifest, secret, blob: give exactly one, because secret data never stands in a delivery and large manifests stand beside it. manifest、secret、blob：只能填写其一，机密数据不得写入下发单，大型清单存放于其旁。"))]
pub struct DeliveredObject {
    /// Its name in the workload. 在工作负载中的名称。
    pub name: Name,
    /// The object for this member, its namespace filled in. 面向本成员的对象，命名空间已填写。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::manifest")]
    pub manifest: Option<serde_json::Value>,
    /// Secret of the delivery's namespace that holds the object's data. 下发单命名空间中存放该对象数据的 Secret。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretReference>,
    /// ConfigMap of the delivery's namespace that holds the manifest, where that is large. 清单较大时，下发单命名空间中存放清单的 ConfigMap。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobReference>,
    /// Values of its status that the hub wants to know. 中心须获知的 status 值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub watched: Vec<WatchedValue>,
    /// Wave; lower goes first. 批次；小者先行。
    #[serde(default)]
    #[schemars(range(min = -100, max = 100))]
    pub wave: i32,
    /// What happens when it leaves the workload. 移出后的处理。
    #[serde(default)]
    pub on_delete: OnDelete,
    /// What happens when the member's differs. 漂移的处理。
    #[serde(default)]
    pub on_drift: OnDrift,
    /// What happens when a field cannot be changed. 字段不可变的处理。
    #[serde(default)]
    pub on_immutable: OnImmutable,
    /// Whether an identical object that is not ours may be taken over. 是否可接管内容相同的既有对象。
    #[serde(default)]
    pub take_over: bool,
    /// Affinity of its pods as the workload has it, where ours was added: a template that is taken over keeps it. 加入平台亲和性之前各 Pod 的亲和性：被接管的模板保持不变。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["podSpec".into()]))]
    pub written_affinity: Vec<WrittenAffinity>,
}

/// Affinity of pods as the workload has it. 工作负载所写的 Pod 亲和性。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenAffinity {
    /// Pointer of the pod spec in the manifest. Pod spec 在清单中的位置。
    pub pod_spec: Text,
    /// What the workload says; absent where it says nothing. 工作负载所写内容；未写时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::fields")]
    pub affinity: Option<serde_json::Value>,
}

/// A value of an object's status that the hub wants to know. 中心须获知的一项 status 值。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchedValue {
    /// Its name. 名称。
    pub alias: Name,
    /// Where it stands. 位置。
    pub json_path: StatusPath,
}

/// A value that was asked for, as it is now; a value that is not there is not listed. 所要求的值的现状；不存在者不列出。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedValue {
    /// Its name. 名称。
    pub alias: Name,
    /// The value; absent where it is too large or looks like a secret. 值；过大或疑似机密时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<StateText>,
    /// Its bytes. 字节数。
    #[schemars(range(min = 0))]
    pub bytes: i32,
}

/// A Secret whose data becomes an object of the member. 其数据成为成员对象的 Secret。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret beside the delivery. 下发单旁的 Secret 名称。
    pub name: ObjectName,
    /// Keyed digest of its data, to see a change. 数据的带密钥摘要，用于发现变化。
    pub digest: ContentDigest,
}

/// An immutable ConfigMap that holds a large manifest. 存放大型清单的不可变 ConfigMap。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlobReference {
    /// Name of the ConfigMap beside the delivery. 下发单旁的 ConfigMap 名称。
    pub name: ObjectName,
    /// Digest of the manifest. 清单的摘要。
    pub digest: ContentDigest,
}

/// An object of a member that was seen with this uid. 以此 uid 观测到的成员对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectIdentity {
    /// `apiVersion`. API 版本。
    pub api_version: ApiVersion,
    /// Kind. 资源类型。
    pub kind: KindName,
    /// Namespace; absent for kinds of the whole cluster. 命名空间；集群级资源不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// Name. 名称。
    pub name: ObjectName,
    /// Uid it was seen with. 观测到的 uid。
    pub uid: Token,
}

/// How one object of a delivery stands. 下发单中一个对象的情况。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ObjectState {
    /// Not applied yet. 尚未执行。
    #[default]
    Waiting,
    /// There and as ordered, not ready yet. 已存在且符合指令，尚未就绪。
    Applied,
    /// There and ready by its kind profile. 按资源档案已就绪。
    Ready,
    /// There and finished (Job). 已完成（Job）。
    Finished,
    /// There and failed by its kind profile. 按资源档案已失败。
    Failed,
    /// The member refused it. 成员拒绝。
    Refused,
    /// It is another's. 属于他人。
    Conflict,
    /// Changed by another hand and only reported. 被他人改动，仅报告。
    Drifted,
    /// Being removed. 正在删除。
    Removing,
    /// Proven gone. 已确认不存在。
    Gone,
}

/// What was observed of one object. 一个对象的观测结果。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectObservation {
    /// Its name in the workload. 在工作负载中的名称。
    pub name: Name,
    /// Which object. 对象标识。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ObjectIdentity>,
    /// How it stands. 情况。
    #[serde(default)]
    pub state: ObjectState,
    /// Digest of the manifest last applied, so that nothing is sent twice. 最近一次执行的清单摘要，避免重复下发。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<ContentDigest>,
    /// It was there before us: pods of it may carry no label of ours. 此前已存在：其 Pod 可能没有平台标签。
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken_over: bool,
    /// Digest of the pod templates it was found with, while our labels and node affinity wait for their next change. 接管时 Pod 模板的摘要；平台标签与节点亲和性等待其下次变更期间填写。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_found: Option<ContentDigest>,
    /// Replicas wanted, where the kind has them. 期望副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub wanted: Option<i32>,
    /// Replicas that exist, where the kind has them; terminating ones count. 存在的副本数，含正在终止者。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub present: Option<i32>,
    /// Replicas ready, where the kind has them. 就绪副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready: Option<i32>,
    /// What the member's controllers count, where the hub sums it up. 成员控制器的计数，供中心汇总。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<ObservedCounts>,
    /// Values of its status that were asked for. 所要求的 status 值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["alias".into()]))]
    pub values: Vec<ObservedValue>,
    /// Addresses it answers at: of a load balancer, or the hosts of an ingress. 访问地址：负载均衡地址或 Ingress 主机名。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub addresses: Vec<Title>,
    /// The member's words or the value seen and wanted, without secrets. 成员的原话或实际值与期望值，不含机密。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Text>,
}

/// What the controllers of a member count of one object as it is now; what is absent is unknown. 成员控制器对对象当前版本的计数；未填写即未知。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedCounts {
    /// Pods that its controller counts. 控制器计入的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,
    /// Pods of the present template. 当前模板的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub updated: Option<i32>,
    /// Pods that are available. 可用的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub available: Option<i32>,
    /// Pods of a job that run. 任务运行中的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub active: Option<i32>,
    /// Pods of a job that succeeded. 任务已成功的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub succeeded: Option<i32>,
    /// Pods of a job that failed. 任务已失败的 Pod 数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub failed: Option<i32>,
    /// When a job began. 任务开始时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub started: Option<Time>,
    /// When a job was complete. 任务完成时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub completed: Option<Time>,
    /// Phase of a volume claim. 存储卷申领的阶段。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Token>,
}

/// What was observed of a delivery. 下发单的观测状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = crate::schema::unobserved()))]
pub struct DeliveryStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub observed_generation: Option<i64>,
    /// Epoch of the order last carried out whole. 最近一次完整执行的轮次。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub epoch: Option<i64>,
    /// Per object. 各对象情况。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub objects: Vec<ObjectObservation>,
    /// Replicas that exist here; terminating ones count. 本集群存在的副本数，含正在终止者。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub present: Option<i32>,
    /// Replicas ready here. 本集群就绪副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready: Option<i32>,
    /// Conditions Ready, Reconciling, Stalled and the kind's own. 状态条件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
