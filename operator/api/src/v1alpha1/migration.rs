//! `Migration` 迁移任务: workloads of a namespace go from some clusters to others, wave by wave.
//!
//! It moves nothing by itself: the step a wave has reached narrows where its workloads may be placed, and placement does
//! the rest with all its laws. What the hub cannot see (a copy, a comparison, a test) is evidence that one person records
//! and another verifies. How far each wave has come stands in the status, and is written before it is acted on.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::text::{Date, Name, Text, Title, Token};

/// Name of the gate that says that data was copied.
pub const GATE_COPY: &str = "copy";
/// Name of the gate that says that both sides hold the same data.
pub const GATE_COMPARE: &str = "compare";
/// Name of the gate that says that data was brought back to where it came from.
pub const GATE_WAY_BACK: &str = "way-back";

/// Minutes after which what moves and is not well has failed.
fn deadline() -> i32 {
    60
}

fn one() -> i32 {
    1
}

/// A migration. 迁移任务。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "Migration",
    plural = "migrations",
    shortname = "mig",
    category = "jiuzhou",
    namespaced,
    status = "MigrationStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Workloads of its namespace go from some clusters to others in waves, with gates, data steps, evidence and a way back. 迁移任务：本命名空间的工作负载分批由原集群迁往目标集群，含关口、数据步骤、证据与回退。",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type", description = "Type. 类型。"),
    printcolumn(
        name = "Wave",
        type_ = "string",
        json_path = ".status.wave",
        description = "Wave that is under way. 当前批次。"
    ),
    printcolumn(name = "Step", type_ = "string", json_path = ".status.step", description = "Its step. 当前步骤。"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status",
        description = "Every wave is completed. 全部批次完成。"
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
    validation = ("self.from.all(x, !(x in self.to))", "to: must be other clusters than from, because a change of CPU within one cluster is a rollout and no migration. to：须与 from 为不同集群，同一集群内更换芯片属于发布而非迁移。"),
    validation = ("self.type == 'Adaptation' || !has(self.platforms) || size(self.platforms) == 0", "platforms: leave it out with Relocation, because only an adaptation promises another CPU. platforms：Relocation 时不填，只有适配才约定更换芯片。"),
    validation = ("self.type == oldSelf.type && self.from == oldSelf.from && self.to == oldSelf.to", "type, from, to: cannot be changed, because what has moved already was judged by them; make a new migration. type、from、to：不得更改，已迁移的部分以其为准；请另建迁移任务。")
)]
pub struct MigrationSpec {
    /// Whether it is to another CPU or only to other clusters. 适配（更换芯片）或迁云（仅更换集群）。
    #[serde(rename = "type")]
    pub type_: MigrationType,
    /// Clusters it goes away from. 原集群。
    #[schemars(length(min = 1, max = 16))]
    pub from: Vec<Name>,
    /// Clusters it goes to. Where the placement of a workload allows none of them, its wave does not begin. 目标集群；工作负载的部署意图均不允许时，其批次不会开始。
    #[schemars(length(min = 1, max = 16))]
    pub to: Vec<Name>,
    /// CPU platforms that all nodes of the target have to be; every domestic one when empty. 目标节点须属于的芯片平台；为空则为全部国产平台。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub platforms: Vec<Token>,
    /// Why. 原因。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Document that orders it. 依据文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Holds every wave at its step; what fails on the target goes back all the same. 暂停：各批次停在当前步骤；目标上的失败仍会回退。
    #[serde(default)]
    pub paused: bool,
    /// Waves in order: one begins when the one before is completed. 按序的批次：前一批次完成后才开始下一批次。
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub waves: Vec<MigrationWave>,
    /// What was proven, by whom. It counts once another person has verified it. 证据：由一人登记，经另一人核验后有效。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["wave".into(), "gate".into(), "attempt".into()]))]
    pub evidence: Vec<GateEvidence>,
}

/// What changes by a migration. 迁移类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MigrationType {
    /// From x86 to a domestic CPU. 由 x86 适配至国产芯片。
    #[default]
    Adaptation,
    /// From cluster to cluster. 由一集群迁往另一集群。
    Relocation,
}

/// Workloads that go together. 同批迁移的工作负载。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("has(self.trialPercent) || self.trialMinutes == 0", "trialMinutes: give trialPercent with it, because without a dual run there is nothing to wait for. trialMinutes：须同时填写 trialPercent，没有双轨运行则无可等待。"),
    validation = ("!has(self.gates) || self.gates.all(x, !(x.name in ['copy', 'compare', 'way-back']))", "gates: choose another name than copy, compare and way-back, because those are the gates of the data steps. gates：不得命名为 copy、compare、way-back，此为数据步骤的关口。"),
    validation = ("self.attempt >= oldSelf.attempt", "attempt: cannot be lowered, because evidence of an earlier attempt would count again. attempt：不得减小，否则前次的证据会再次生效。")
)]
pub struct MigrationWave {
    /// Its name. 名称。
    pub name: Name,
    /// Workloads of this namespace; one that several waves name goes with the first. 本命名空间的工作负载；列入多个批次的以首个为准。
    #[schemars(length(min = 1, max = 32))]
    pub workloads: Vec<Name>,
    /// Share of the replicas that runs on the target in a dual run before the cut-over, in percent; absent: no dual run. 切换前双轨运行时位于目标的副本百分数；未填写则不双轨运行。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub trial_percent: Option<i32>,
    /// Minutes without a break that the dual run must be well before the cut-over. 切换前双轨运行须持续正常的分钟数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 44_640))]
    pub trial_minutes: i32,
    /// Minutes without a break that all of it must be well on the target before it counts as completed. 切换后须持续正常多少分钟方视为完成。
    #[serde(default)]
    #[schemars(range(min = 0, max = 44_640))]
    pub soak_minutes: i32,
    /// Minutes after which what moves and is not well has failed. 迁移中在此分钟数内未正常即判为失败。
    #[serde(default = "deadline")]
    #[schemars(range(min = 1, max = 10_080))]
    pub deadline_minutes: i32,
    /// What must be proven beyond what the hub sees. 除平台可见之外须证明的事项。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub gates: Vec<MigrationGate>,
    /// Data that goes along: it is copied and compared before anything is moved. 随迁数据：迁移之前须复制并比对。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<MigrationData>,
    /// Orders it back to where it came from. 下令回退。
    #[serde(default)]
    pub rollback: bool,
    /// Raise it to try a wave again that was rolled back: evidence of earlier attempts counts no more. 回退后再次尝试时递增：此前的证据不再有效。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub attempt: i32,
}

impl Default for MigrationWave {
    fn default() -> Self {
        Self {
            name: Name::default(),
            workloads: Vec::new(),
            trial_percent: None,
            trial_minutes: 0,
            soak_minutes: 0,
            deadline_minutes: deadline(),
            gates: Vec::new(),
            data: None,
            rollback: false,
            attempt: one(),
        }
    }
}

/// Something that must be proven before a wave goes on. 须证明的关口。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationGate {
    /// Its name, e.g. functional-test. 名称，例如 functional-test。
    pub name: Name,
    /// Before what. 在何步骤之前。
    pub before: MigrationBoundary,
    /// What has to be shown. 须证明的内容。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants: Option<Text>,
}

/// Before what a gate stands; a boundary that a wave does not have is passed with the next one. 关口所在；批次没有该步骤时随下一步骤检查。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MigrationBoundary {
    /// Before data is copied. 数据复制之前。
    Copy,
    /// Before the dual run. 双轨运行之前。
    Trial,
    /// Before the cut-over. 切换之前。
    #[default]
    CutOver,
    /// Before it counts as completed. 完成之前。
    Completion,
}

/// Data of a wave and how it goes along. 批次的数据及其迁移方式。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationData {
    /// How it is copied. 复制方式。
    pub copy: Text,
    /// How both sides are compared. 比对方式。
    pub compare: Text,
    /// Whether the target writes in a dual run already. 双轨运行时目标是否已有写入。
    #[serde(default)]
    pub trial_writes: bool,
    /// How what the target has written comes back. Without it nothing goes back after the first write there. 目标写入的数据如何回迁；未填写则目标首次写入之后不得回退。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<Text>,
}

/// What somebody has proven. 一项证据。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!has(self.verifiedBy) || self.verifiedBy != self.recordedBy", "verifiedBy: must be another person than recordedBy, because nobody verifies their own evidence. verifiedBy：须与 recordedBy 不是同一人，不得核验本人登记的证据。"))]
pub struct GateEvidence {
    /// The wave. 批次。
    pub wave: Name,
    /// The gate: one of the wave, or copy, compare, way-back. 关口：批次中所列者，或 copy、compare、way-back。
    pub gate: Name,
    /// The attempt it is of. 所属的尝试。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub attempt: i32,
    /// What came out. 结论。
    pub result: GateResult,
    /// Day it was proven. 日期。
    pub date: Date,
    /// Who recorded it. 登记人。
    pub recorded_by: Title,
    /// Who verified it. 核验人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Title>,
    /// Report, run or record that shows it, with the digest of the original. 报告或记录及原件摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// In words. 说明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Text>,
}

/// What came out of a gate. 关口结论。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum GateResult {
    /// It was shown. 通过。
    Passed,
    /// It was not. 未通过。
    #[default]
    Failed,
}

/// How far a wave has come. 批次的步骤。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MigrationStep {
    /// For the wave before. 等待前一批次。
    #[default]
    Waiting,
    /// Whether it could run on the target. 评估目标能否运行。
    Assessing,
    /// Its data is copied. 复制数据。
    Copying,
    /// Both sides' data is compared. 比对数据。
    Comparing,
    /// Both sides serve. 双轨运行。
    Trial,
    /// All of it goes to the target; what serves stays until the target does. 切换到目标；目标就绪之前原处继续服务。
    CuttingOver,
    /// All of it serves from the target, and is watched. 目标承载全部服务，观察中。
    Soaking,
    /// It is there for good. 完成。
    Completed,
    /// What the target has written is brought back; the target serves. 回迁数据，目标继续服务。
    ReturningData,
    /// It goes back to where it came from; what serves stays until that does. 回退中；原处就绪之前目标继续服务。
    RollingBack,
    /// It is back where it came from. 已回退。
    RolledBack,
}

/// How far a migration has come. 迁移进展。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// Wave that is under way; the last one when all are completed. 当前批次；全部完成时为末批。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<Name>,
    /// Its step. 当前步骤。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<MigrationStep>,
    /// Every wave. 各批次。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub waves: Vec<WaveStatus>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// How far a wave has come, and what it waits for. 批次进展与所等待的事项。
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaveStatus {
    /// The wave. 批次。
    pub name: Name,
    /// Its attempt. 尝试次数。
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub attempt: i32,
    /// Its step. It is written before it is acted on. 步骤；先写入后执行。
    pub step: MigrationStep,
    /// Since when it is at this step. 进入该步骤的时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub since: Time,
    /// Since when all is well at this step without a break. 该步骤持续正常的起始时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub healthy_since: Option<Time>,
    /// When the target could write for the first time. 目标可能首次写入的时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub first_write_at: Option<Time>,
    /// Why it is where it is. 原因。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Token>,
    /// The same as a sentence. 英文说明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_en: Option<Text>,
    /// The same as a sentence in Chinese. 中文说明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_zh: Option<Text>,
}
