//! How a change of a workload goes out over its clusters, stage by stage.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::selector::ClusterSelector;
use crate::text::{CelExpression, Name};

/// Stages in order; clusters no stage names come last. 按序的阶段；未列入的集群最后发布。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Stages. 阶段。
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub stages: Vec<RolloutStage>,
}

/// One stage. 一个阶段。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStage {
    /// Its name. 名称。
    pub name: Name,
    /// Clusters of the stage. 本阶段集群。
    pub clusters: ClusterSelector,
    /// CEL over `status` that must hold before the next stage. 进入下一阶段前须成立的 CEL（针对 status）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<CelExpression>,
    /// Minutes to wait before the next stage. 进入下一阶段前等待的分钟数。
    #[serde(default)]
    #[schemars(range(min = 0, max = 44_640))]
    pub pause_minutes: i32,
    /// Whether a person must approve the next stage. 进入下一阶段是否须人工批准。
    #[serde(default)]
    pub approval: bool,
}
