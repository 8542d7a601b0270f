//! What differs per cluster, platform or zone. Overrides are checked again against quota and hard rules.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::selector::ClusterSelector;
use crate::text::{FieldPath, ImageReference, Name, ObjectName, Text, Token};

/// One override. 一项差异化配置。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("has(self.clusters) || has(self.platforms) || has(self.zones)", "override: give at least one of clusters, platforms, zones, because what holds everywhere belongs into the manifest. 差异化配置：至少填写 clusters、platforms、zones 之一，处处适用的内容应写入清单。"),
    validation = ("has(self.images) || has(self.env) || has(self.patches)", "override: give at least one of images, env, patches, because it would change nothing. 差异化配置：至少填写 images、env、patches 之一，否则没有任何改变。")
)]
pub struct Override {
    /// Its name. 名称。
    pub name: Name,
    /// Clusters it is for. 适用集群。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterSelector>,
    /// CPU platforms it is for. 适用芯片平台。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 32))]
    pub platforms: Vec<ObjectName>,
    /// Network zones it is for. 适用网络区域。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    pub zones: Vec<Name>,
    /// Objects of the workload it is for, by their name there; all when empty. 适用的对象，按其在工作负载中的名称；为空则全部。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub objects: Vec<Name>,
    /// Images to use instead. 替换的镜像。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 32))]
    pub images: Vec<ImageOverride>,
    /// Environment variables to set. 设置的环境变量。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub env: Vec<EnvOverride>,
    /// JSON patch (RFC 6902). JSON 补丁（RFC 6902）。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 64))]
    pub patches: Vec<PatchOperation>,
}

/// An image to use instead. 替换的镜像。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageOverride {
    /// Image in the manifest. 清单中的镜像。
    pub from: ImageReference,
    /// Image to use. 使用的镜像。
    pub to: ImageReference,
}

/// An environment variable to set; `$(value:NAME)` takes a value of the cluster. 设置的环境变量；`$(value:名称)` 取集群的值。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvOverride {
    /// Container; every container when absent. 容器；未填写则全部容器。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Name>,
    /// Name. 名称。
    pub name: Token,
    /// Value. 值。
    pub value: Text,
}

/// Operation of a JSON patch. JSON 补丁操作。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatchOp {
    /// Add. 添加。
    #[default]
    Add,
    /// Replace. 替换。
    Replace,
    /// Remove. 删除。
    Remove,
    /// Test. 校验。
    Test,
}

/// One operation of a JSON patch. 一个 JSON 补丁操作。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.valueJson) == (self.op != 'remove')", "valueJson: give it with add, replace, test and leave it out with remove, because only remove needs no value. valueJson：add、replace、test 时填写，remove 时不填，只有删除不需要值。"))]
pub struct PatchOperation {
    /// Operation. 操作。
    pub op: PatchOp,
    /// JSON pointer of the field. 字段的 JSON pointer。
    pub path: FieldPath,
    /// Value, written as JSON. 值，以 JSON 文本书写。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_json: Option<Text>,
}
