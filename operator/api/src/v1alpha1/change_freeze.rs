//! `ChangeFreeze` 封网期: a window in which everything waits.
//!
//! Failover, rollback, security orders and the end of 战 mode always go on; that is no choice of the object.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{document::Document, plain_status::PlainStatus, selector::ClusterSelector};
use crate::text::{Name, Text};

/// A window in which everything waits. 封网期。
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "ChangeFreeze",
    plural = "changefreezes",
    shortname = "frz",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    doc = "A scope and a window in which everything waits except failover, rollback, security orders and the end of 战 mode. 封网期：范围与时段，其间除故障转移、回退、安全指令与战时模式结束外一律等待。",
    printcolumn(name = "Start", type_ = "date", json_path = ".spec.start", description = "Start. 开始。"),
    printcolumn(name = "End", type_ = "string", json_path = ".spec.end", description = "End. 结束。"),
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
#[x_kube(validation = ("self.start < self.end", "end: must be after start, because a freeze lasts from its start to its end. end：须晚于 start，封网期自开始持续至结束。"))]
pub struct ChangeFreezeSpec {
    /// When it starts. 开始时间。
    #[schemars(schema_with = "crate::schema::time")]
    pub start: Time,
    /// When it ends; that moment is free again. 结束时间；到时即恢复。
    #[schemars(schema_with = "crate::schema::time")]
    pub end: Time,
    /// Why. 原因。
    pub reason: Text,
    /// Document that orders it. 依据文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Clusters it holds for; every one when absent. 适用集群；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterSelector>,
    /// Tenants it holds for, with everything below them; every one when empty. 适用单位及其下级；为空则全部。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub tenants: Vec<Name>,
}
