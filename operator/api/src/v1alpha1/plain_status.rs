//! The status of kinds that only declare something: what generation was read and whether it is usable.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What was seen of a declaration. 声明类资源的状态。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlainStatus {
    /// Generation of the spec this status was computed from. 状态所依据的 spec 代数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// How many objects use it. 引用它的对象数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub users: Option<i32>,
    /// Conditions Ready, Reconciling, Stalled. 状态条件 Ready、Reconciling、Stalled。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}
