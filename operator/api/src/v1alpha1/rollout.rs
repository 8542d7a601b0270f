//! How a change of what a workload delivers goes out over its clusters, stage by stage.
//!
//! Only content passes the stages: objects, overrides and what a cluster puts into them. Where replicas are, and how
//! many, is decided apart and never waits for a stage. How far a rollout has come stands in the status of the placement.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::selector::ClusterSelector;
use crate::text::{CelExpression, Name, Text, Title, Token};

/// Name of the stage of the clusters that no stage takes.
pub const OTHERS: &str = "others";

/// Minutes after which a stage that is not healthy counts as failed, as for a Deployment.
fn deadline() -> i32 {
    10
}

/// Stages in order; clusters no stage names come last, as the stage `others`. 按序的阶段；未列入的集群作为 others 阶段最后发布。
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Stages; without one a change reaches all clusters at once. 阶段；未填写则变更同时到达全部集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<RolloutStage>,
    /// Holds the rollout where it is: no further cluster gets the change until this is false. 暂停：为 true 时变更不再到达新的集群。
    #[serde(default)]
    pub paused: bool,
    /// Minutes after which a stage that is not healthy has failed. 阶段在此分钟数内未健康即判为失败。
    #[serde(default = "deadline")]
    #[schemars(range(min = 1, max = 10_080))]
    pub progress_deadline_minutes: i32,
    /// What persons have approved. 人工批准。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["stage".into()]))]
    pub approvals: Vec<StageApproval>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { stages: Vec::new(), paused: false, progress_deadline_minutes: deadline(), approvals: Vec::new() }
    }
}

/// One stage; a cluster belongs to the first stage that takes it, and every part that is given must match. 一个阶段；集群归入首个匹配的阶段，给出的各项须同时满足。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("has(self.clusters) || (has(self.tiers) && size(self.tiers) > 0) || (has(self.zones) && size(self.zones) > 0)", "stage: give clusters, tiers or zones, because an empty one would silently take every cluster. stage：至少填写 clusters、tiers、zones 之一，空的阶段会悄然包含全部集群。"),
    validation = ("self.name != 'others'", "name: choose another than others, because that is the stage of the clusters no stage takes. name：不得为 others，该名称用于未列入任何阶段的集群。")
)]
pub struct RolloutStage {
    /// Its name. 名称。
    pub name: Name,
    /// Clusters of the stage, by name, site, region, provider or label. 本阶段集群，按名称、机房、区划、服务商或标签。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterSelector>,
    /// Only clusters of these sovereignty tiers. 仅这些主权等级的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub tiers: Vec<Name>,
    /// Only clusters with a pool in one of these network zones. 仅在这些网络区域有节点池的集群。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub zones: Vec<Name>,
    /// CEL over `status` of the workload that must hold before the next stage. 进入下一阶段前须成立的 CEL（针对工作负载的 status）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<CelExpression>,
    /// Minutes without a break that it must be healthy before the next stage. 进入下一阶段前须持续健康的分钟数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 44_640))]
    pub pause_minutes: i32,
    /// Whether the rollout stops after this stage until this is false. 为 true 时发布在本阶段之后停止。
    #[serde(default)]
    pub paused: bool,
    /// Whether a person must approve the next stage. 进入下一阶段是否须人工批准。
    #[serde(default)]
    pub approval: bool,
}

/// The word of a person that one change may go beyond one stage; another change needs another one. 人工批准某一变更越过某一阶段；变更改变后批准即失效。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageApproval {
    /// The stage it may go beyond. 可越过的阶段。
    pub stage: Name,
    /// Digest of the change, as the status shows it. 变更的摘要，见状态。
    pub change: Token,
    /// Who approves. 批准人。
    pub approved_by: Title,
    /// What was confirmed, in their words; the document's number where there is one. 批准意见；如有文号须注明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Text>,
}
