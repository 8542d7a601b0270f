//! `OperatingMode` 平战模式: an emergency for named tenants and workloads, with an approval and an end.
//!
//! It opens the reserve of clusters, passes change freezes, decides named workloads first, takes named victims to nothing
//! that runs, and lets what has no room burst (突发) into clusters beyond its own. It never loosens a hard rule. It ends by
//! itself, and what it changed is given back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{class::DataClass, document::Document, selector::ClusterSelector};
use crate::text::{Name, ObjectName, Text, Title};

/// An emergency. 战时模式。
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "OperatingMode",
    plural = "operatingmodes",
    shortname = "opm",
    category = "jiuzhou",
    status = "OperatingModeStatus",
    derive = "PartialEq",
    doc = "An emergency for named tenants and workloads: reserve, priority, victims and burst, with an approval and an end; it never loosens a hard rule, and gives back what it changed. 平战模式：为指定单位与工作负载启用应急预留、优先级、让位与突发扩展，须经审批并有截止时间；不放宽任何硬性规则，结束后恢复原状。",
    printcolumn(name = "From", type_ = "date", json_path = ".spec.from", description = "Start. 开始。"),
    printcolumn(name = "Until", type_ = "string", json_path = ".spec.until", description = "End. 结束。"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state", description = "How far it is. 进展。"),
    printcolumn(name = "Ended", type_ = "boolean", json_path = ".spec.ended", description = "Ended early. 提前结束。"),
    printcolumn(
        name = "Requester",
        type_ = "string",
        json_path = ".spec.requestedBy",
        description = "Who asked. 申请人。"
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
    validation = ("self.from < self.until", "until: must be after from, because an emergency lasts from its start to its end. until：须晚于 from，战时模式自开始持续至结束。"),
    validation = ("(has(self.tenants) && size(self.tenants) > 0) || (has(self.workloads) && size(self.workloads) > 0)", "tenants, workloads: name at least one, because an emergency is for somebody. tenants、workloads：至少填写一项，战时模式须有适用对象。"),
    validation = ("!has(self.victims) || !has(self.workloads) || self.victims.all(x, !self.workloads.exists(o, o.__namespace__ == x.__namespace__ && o.name == x.name))", "victims: must be others than workloads, because nobody gives way to themselves. victims：须与 workloads 不同，不得为自身让位。"),
    validation = ("self.ended || !oldSelf.ended", "ended: cannot be taken back, because its approval was of that emergency alone; make a new one. ended：不得撤回，审批单只对该次战时模式有效；请另行新建。")
)]
pub struct OperatingModeSpec {
    /// When it starts. 开始时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub from: Time,
    /// When it ends by itself. 自动结束时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub until: Time,
    /// Why. 原因。
    pub reason: Text,
    /// Document that orders it. 依据文件。
    pub document: Document,
    /// User that asks for it. 申请人的用户名。
    pub requested_by: Title,
    /// When it is asked for. 申请时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub requested_at: Time,
    /// Whether it is ended before its time. 是否提前结束。
    #[serde(default)]
    pub ended: bool,
    /// Tenants whose workloads it is for, with everything below them. 适用单位及其下级。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tenants: Vec<Name>,
    /// Workloads that it is for. 适用工作负载。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["namespace".into(), "name".into()]))]
    pub workloads: Vec<FavouredWorkload>,
    /// Workloads that give way: nothing of them runs while it lasts, and their room is free. Their objects, volumes and places are kept. 让位的工作负载：期间不运行并让出容量；对象、数据卷与部署位置保留。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["namespace".into(), "name".into()]))]
    pub victims: Vec<NamedWorkload>,
    /// Clusters beyond those of a placement that may be used while it lasts, after all of the placement's own. 期间可在部署策略的集群之后使用的其他集群。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
}

/// Clusters that an emergency opens to whom it is for. Every hard rule holds there. 战时突发使用的集群，一切硬性规则仍然适用。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Burst {
    /// Which clusters; at least one part. 集群，至少填写一项选择。
    pub clusters: ClusterSelector,
    /// Highest class of data that may go there. 可前往的最高数据级别。
    #[serde(default)]
    pub highest_class: DataClass,
}

/// A workload that an emergency is for. 战时模式适用的工作负载。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FavouredWorkload {
    /// Namespace. 命名空间。
    pub namespace: Name,
    /// Name. 名称。
    pub name: ObjectName,
    /// Priority while it lasts; its own when absent. 期间的优先级；未填写则沿用原有优先级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: Option<i32>,
}

/// A workload by name. 指定的工作负载。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedWorkload {
    /// Namespace. 命名空间。
    pub namespace: Name,
    /// Name. 名称。
    pub name: ObjectName,
}

/// How far an emergency is. 战时模式的进展。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ModeState {
    /// Nobody else has approved it. 尚未获批。
    #[default]
    WaitingForApproval,
    /// It is approved and has not begun. 已获批，尚未开始。
    Planned,
    /// It is in force. 生效中。
    InForce,
    /// It has ended, and something is not given back yet. 已结束，尚有未恢复之处。
    GivingBack,
    /// It has ended, and all is given back. 已结束并恢复原状。
    Over,
}

/// How an emergency stands. 战时模式的状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatingModeStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// How far it is. 进展。
    #[serde(default)]
    pub state: ModeState,
    /// Workloads whose placement was decided under it and is not given back yet. 按其部署且尚未恢复的工作负载数。
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub workloads: i32,
    /// Workloads that give way to it. 正在让位的工作负载数。
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub victims: i32,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
