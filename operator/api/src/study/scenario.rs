//! `Scenario` 推演方案: changes that are supposed together, for `jiuzhou whatif`.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::change::Change;
use crate::text::{Date, Title};

/// Changes that are supposed together. 一并假设的变更。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "study.jiuzhou.dev",
    version = "v1alpha1",
    kind = "Scenario",
    plural = "scenarios",
    derive = "PartialEq",
    derive = "Default",
    doc = "Changes of the fleet that are supposed together, for `jiuzhou whatif`; nothing acts on it. 一并假设的变更，供 `jiuzhou whatif` 使用，不会被执行。"
)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioSpec {
    /// Name for people. 显示名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Title>,
    /// Day on which the supposed state is judged; the day of the run when absent. 假设状态的判定日期；未填写时取运行日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Date>,
    /// The changes, made in this order. 变更，按此次序进行。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub changes: Vec<Change>,
}
