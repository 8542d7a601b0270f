//! `KindProfile`: where replicas, pod templates and dependencies stand in objects of one kind, and what healthy means.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{fleet_workload::Continuity, plain_status::PlainStatus};
use crate::text::{ApiVersion, CelExpression, FieldPath, KindName};

/// How to read objects of one kind. 如何理解一种资源类型的对象。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "KindProfile",
    plural = "kindprofiles",
    shortname = "kp",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "For one kind: where replicas, pod templates and dependencies stand, what cannot be changed, when it is healthy. 一种资源类型的副本、Pod 模板与依赖路径、不可变字段及健康判定。",
    printcolumn(
        name = "Target-API",
        type_ = "string",
        json_path = ".spec.targetApiVersion",
        description = "apiVersion. API 版本。"
    ),
    printcolumn(
        name = "Target-Kind",
        type_ = "string",
        json_path = ".spec.targetKind",
        description = "Kind. 资源类型。"
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
pub struct KindProfileSpec {
    /// `apiVersion` of the kind. 资源的 apiVersion。
    pub target_api_version: ApiVersion,
    /// The kind. 资源类型。
    pub target_kind: KindName,
    /// Path of the number of replicas; absent when it has none. 副本数路径；没有则不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<FieldPath>,
    /// Whether replicas may be divided over clusters. 副本能否在集群间划分。
    #[serde(default = "yes")]
    pub divisible: bool,
    /// Pod templates. Pod 模板。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    pub pod_templates: Vec<PodTemplatePath>,
    /// Volume claim templates. 存储卷申领模板路径。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub claim_templates: Vec<FieldPath>,
    /// Objects it names. 引用的其他对象。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub dependencies: Vec<DependencyPath>,
    /// Fields an API server refuses to change. API 服务器拒绝更改的字段。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub immutable_fields: Vec<FieldPath>,
    /// CEL over `object`: whether it is healthy. 针对 object 的 CEL：是否健康。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<CelExpression>,
    /// CEL over `object`: whether it is finished. 针对 object 的 CEL：是否完成。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<CelExpression>,
    /// Continuity unless the workload says otherwise. 工作负载未说明时的连续性。
    #[serde(default)]
    pub continuity: Continuity,
}

/// A pod template inside an object. 对象中的一个 Pod 模板。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodTemplatePath {
    /// Path of the template (the object with metadata and spec). 模板路径（含 metadata 与 spec 的对象）。
    pub path: FieldPath,
    /// Path of how many pods it makes; the replicas of the whole when absent. 该模板的 Pod 数路径；未填写则取整体副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<FieldPath>,
}

/// What a path names. 路径所引用的对象类型。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DependencyForm {
    /// A name. 名称。
    #[default]
    Name,
    /// A label selector. 标签选择器。
    Selector,
}

/// An object that is named at a path. 路径处引用的对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyPath {
    /// Path of the name or selector. 名称或选择器的路径。
    pub path: FieldPath,
    /// What stands there. 该处内容。
    #[serde(default)]
    pub form: DependencyForm,
    /// `apiVersion` of what is named. 被引用对象的 apiVersion。
    pub api_version: ApiVersion,
    /// Kind of what is named. 被引用对象的类型。
    pub kind: KindName,
    /// Whether it may be missing. 是否可以缺失。
    #[serde(default)]
    pub optional: bool,
}

fn yes() -> bool {
    true
}
