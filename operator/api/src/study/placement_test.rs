//! `PlacementTest` 部署策略测试: what is expected of the decisions on a fleet, for `jiuzhou test`.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::text::{Date, Name, Title, Token, WorkloadName};

/// What is expected of the decisions on a fleet. 对部署决策的预期。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "study.jiuzhou.dev",
    version = "v1alpha1",
    kind = "PlacementTest",
    plural = "placementtests",
    derive = "PartialEq",
    derive = "Default",
    doc = "Expected placements, refusals and findings, for `jiuzhou test`; nothing acts on it. 预期的部署、拒绝与问题项，供 `jiuzhou test` 使用，不会被执行。"
)]
#[serde(rename_all = "camelCase")]
pub struct PlacementTestSpec {
    /// Day on which everything is judged; the day of the run when absent. 判定日期；未填写时取运行日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Date>,
    /// Supposed changes of the fleet, for every case. 适用于全部用例的假设变更。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub changes: Vec<Change>,
    /// The cases. 用例。
    #[schemars(length(min = 1, max = 512))]
    pub cases: Vec<Case>,
}

/// One case. 一个用例。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "has(self.workload) || !(has(self.expect.status) || has(self.expect.replicas) || has(self.expect.clusters) || has(self.expect.uses) || has(self.expect.avoids) || has(self.expect.allowed) || has(self.expect.refused) || has(self.expect.because) || has(self.expect.violations))",
    "workload: name one, because only findings can be expected without. workload：须填写，只有问题项可以不针对工作负载。"
))]
pub struct Case {
    /// What it shows, for people. 用例说明。
    pub name: Title,
    /// Day on which it is judged; the test's when absent. 判定日期；未填写时取测试的日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Date>,
    /// Supposed changes of the fleet, after those of the test. 假设变更，在测试的变更之后进行。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub changes: Vec<Change>,
    /// The workload, NAMESPACE/NAME. 工作负载，命名空间/名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// What is expected; at least one thing. 预期，至少一项。
    pub expect: Expectations,
}

/// How a decision ends. 决策结果。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ExpectedStatus {
    /// All replicas have a place. 全部副本已部署。
    #[default]
    Placed,
    /// Allowed somewhere, but it does not fit now. 有集群允许，但暂无法容纳。
    Pending,
    /// No cluster may carry it. 没有集群可以承载。
    Refused,
    /// The search was cut short. 搜索提前结束。
    NotProven,
}

/// What is expected of one workload or of the input. 对一个工作负载或输入的预期。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "has(self.status) || has(self.replicas) || has(self.clusters) || has(self.uses) || has(self.avoids) || has(self.allowed) || has(self.refused) || has(self.because) || has(self.violations) || has(self.findings)",
    "expect: give at least one expectation, because a case that expects nothing always passes. expect：至少填写一项预期，没有预期的用例总会通过。"
))]
pub struct Expectations {
    /// How the decision ends. 决策结果。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ExpectedStatus>,
    /// Replicas that have a place. 已部署的副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub replicas: Option<i32>,
    /// Exactly these clusters with so many replicas each; `{}` for none at all. 恰好为这些集群及其副本数；`{}` 表示一个也没有。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::replicas_by_cluster")]
    pub clusters: Option<BTreeMap<String, i32>>,
    /// Clusters that get replicas, maybe beside others. 应有副本的集群，可另有其他集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub uses: Vec<Name>,
    /// Clusters that get none. 不应有副本的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub avoids: Vec<Name>,
    /// Clusters that every rule lets it into, whether it goes there or not. 全部规则均允许的集群，无论是否部署到其上。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub allowed: Vec<Name>,
    /// Clusters that keep it out, and why. 应被拒绝的集群及其原因。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub refused: Vec<Refusal>,
    /// Reason codes of what limits the decision, e.g. QuotaExceeded. 限制该决策的原因代码，例如 QuotaExceeded。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub because: Vec<Token>,
    /// Exactly what runs against a rule; `[]` for nothing at all. 恰好为这些违规运行；`[]` 表示没有。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub violations: Option<Vec<ExpectedViolation>>,
    /// Findings about the input. 对输入的问题项。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub findings: Vec<ExpectedFinding>,
}

/// A cluster that keeps the workload out. 拒绝该工作负载的集群。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Cluster. 集群。
    pub cluster: Name,
    /// Rule, e.g. tier or architecture. 规则，例如 tier 或 architecture。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Token>,
    /// Reason code, e.g. TierTooLow. 原因代码，例如 TierTooLow。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Token>,
}

/// Something that runs against a rule. 一项违规运行。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedViolation {
    /// Cluster. 集群。
    pub cluster: Name,
    /// Rule. 规则。
    pub rule: Token,
}

/// A finding about the input. 一个对输入的问题项。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedFinding {
    /// Code. 代码。
    pub code: Token,
    /// Object as findings name it, KIND/NAME or KIND/NAMESPACE/NAME; any when absent. 对象，写作 种类/名称 或 种类/命名空间/名称；未填写则任意。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Title>,
    /// Whether it is expected to be there; false when it must not be. 是否应出现；false 表示不得出现。
    #[serde(default = "yes")]
    pub present: bool,
}

fn yes() -> bool {
    true
}
