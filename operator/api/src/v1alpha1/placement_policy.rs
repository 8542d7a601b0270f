//! `ClusterPlacementPolicy` and `PlacementPolicy` 部署策略: the same rules for the whole hub and for one namespace.
//!
//! A CRD has one scope, hence two kinds with one spec (docs/adr/0002).

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{placement::PlacementRules, plain_status::PlainStatus};
use crate::text::Title;

/// A policy any tenant may name. 各单位均可引用的部署策略。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "ClusterPlacementPolicy",
    plural = "clusterplacementpolicies",
    shortname = "cjpp",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A placement policy that workloads of every namespace may name. 部署策略，各命名空间的工作负载均可引用。",
    printcolumn(
        name = "Users",
        type_ = "integer",
        json_path = ".status.users",
        description = "Workloads that use it. 引用它的工作负载数。"
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
pub struct ClusterPlacementPolicySpec {
    /// Name for people. 显示名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Title>,
    /// How clusters are chosen and replicas divided. 选择集群与划分副本的方式。
    #[serde(default)]
    pub placement: PlacementRules,
}

/// A policy of one namespace. 一个命名空间的部署策略。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "PlacementPolicy",
    plural = "placementpolicies",
    shortname = "jpp",
    category = "jiuzhou",
    namespaced,
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A placement policy that workloads of its namespace may name. 部署策略，本命名空间的工作负载可引用。",
    printcolumn(
        name = "Users",
        type_ = "integer",
        json_path = ".status.users",
        description = "Workloads that use it. 引用它的工作负载数。"
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
pub struct PlacementPolicySpec {
    /// Name for people. 显示名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Title>,
    /// How clusters are chosen and replicas divided. 选择集群与划分副本的方式。
    #[serde(default)]
    pub placement: PlacementRules,
}
