//! What of a spec needs an approval to change, as it holds: the value that was there first, or that was approved since.
//!
//! Decisions are made by it and not by the spec where the two differ, so a change that nobody else approved changes nothing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::ApprovedOrder;
use crate::text::{ContentDigest, ObjectName};

/// A part of a spec as it holds. 生效值。
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// Kind of order that changes it. 变更所需的指令类型。
    pub order: ApprovedOrder,
    /// Its value, in the form of the spec; empty for none. 生效值，格式同 spec；为空即没有。
    #[schemars(schema_with = "crate::schema::fields")]
    pub value: Value,
    /// Approval by which it came to hold; absent where none was needed. 使其生效的审批单；无须审批时不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ObjectName>,
    /// Digest of the change that waits for an approval. 等待审批的变更的摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<ContentDigest>,
}

/// The status of a declaration that needs an approval to change. 变更须经审批的声明类资源的状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardedStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// How many objects use it. 引用它的对象数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub users: Option<i32>,
    /// What holds of what needs an approval to change. 变更须经审批的内容的生效值。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["order".into()]))]
    pub in_force: Vec<InForce>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
