//! A change of the fleet that is only supposed: one verb with what it is about.
//!
//! Every verb is an edit of resources. What follows from it is the engine's to say, by the rules it has anyway.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::{KindName, Name, ObjectName as ObjectText, Token, WorkloadName};

/// One supposed change; exactly one of its fields. 一项假设的变更；只填写其中一个字段。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "[has(self.drain), has(self.lose), has(self.unreachable), has(self.put), has(self.patch), has(self.remove), has(self.expire), has(self.close), has(self.gridFactor), has(self.replicas), has(self.emergency), has(self.merge)].filter(one, one).size() == 1",
    "changes: give exactly one verb in each entry, because changes are made in their order. changes：每项只填写一个动作，变更按次序进行。"
))]
pub struct Change {
    /// Empty this cluster of what can move. 清空该集群中可迁移的负载。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Name>,
    /// This cluster is lost with everything that runs there: it is not reached and its replicas are gone, so they are placed anew as a failover does. 失去该集群及其上的全部副本：无法访问，副本按故障转移重新部署。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lose: Option<Name>,
    /// This cluster is not reached; what runs there runs on. 无法访问该集群；其上的负载继续运行。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<Name>,
    /// Add this object, or put it in the place of the one of its name. 新增该对象，或替换同名对象。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::manifest")]
    pub put: Option<Value>,
    /// Change fields of an object (JSON merge patch, RFC 7386). 修改对象的字段（JSON 合并补丁，RFC 7386）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchObject>,
    /// Take an object away. 移除对象。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<ObjectName>,
    /// Let evidence or reports of a cluster run out. 使集群的证据或测评报告到期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire: Option<ExpireEvidence>,
    /// Close a firewall towards a peer. 关闭通往对端的防火墙。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseFirewall>,
    /// Change the emission factor of the grid at a site. 修改机房的电网排放因子。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_factor: Option<SetGridFactor>,
    /// Change how many replicas a workload wants. 修改工作负载的期望副本数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<SetReplicas>,
    /// Emergency mode (战): workloads may use the emergency reserve and pass change freezes. 战时模式：工作负载可使用应急预留并越过封网期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// Merge one body into another: namespaces, systems, quota and subordinates go over. 将一个单位并入另一个：命名空间、信息系统、配额与下级一并划转。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeTenants>,
}

/// Names an object. 指明一个对象。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// Kind. 种类。
    pub kind: KindName,
    /// Namespace; absent for kinds without one. 命名空间；无命名空间的种类不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// Name. 名称。
    pub name: ObjectText,
}

/// Fields of an object to change. 要修改的对象字段。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PatchObject {
    /// Kind. 种类。
    pub kind: KindName,
    /// Namespace; absent for kinds without one. 命名空间；无命名空间的种类不填。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// Name. 名称。
    pub name: ObjectText,
    /// The fields as they shall be; null takes a field away, a list replaces the whole list. 修改后的字段；null 表示删除字段，列表整体替换。
    #[schemars(schema_with = "crate::schema::fields")]
    pub merge: Value,
}

/// What of a cluster runs out the day before. 集群中于前一日到期的内容。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpireEvidence {
    /// Cluster. 集群。
    pub cluster: Name,
    /// Id of the evidence, or number of a report of 等保 or 密评; everything when absent. 证据编号，或等保、密评报告的编号；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Token>,
}

/// A firewall to close. 要关闭的防火墙。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloseFirewall {
    /// Cluster; every one when absent. 集群；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Name>,
    /// Peer; every one when absent. 对端；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Name>,
}

/// The emission factor of the grid at a site. 机房的电网排放因子。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetGridFactor {
    /// Site; every one when absent. 机房；未填写则全部。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
    /// Milligrams of CO2 per kWh: 0.5366 kg is 536600. 每千瓦时二氧化碳毫克数：0.5366 千克写作 536600。
    #[schemars(range(min = 0, max = 5_000_000))]
    pub milligrams_per_kwh: i64,
}

/// How many replicas a workload wants. 工作负载的期望副本数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetReplicas {
    /// The workload, NAMESPACE/NAME. 工作负载，命名空间/名称。
    pub workload: WorkloadName,
    /// Replicas. 副本数。
    #[schemars(range(min = 0, max = 1_000_000))]
    pub replicas: i32,
}

/// Whom emergency mode is for; everybody when nothing is named. 战时模式的适用范围；均未填写则全部。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Emergency {
    /// Tenants. 单位。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub tenants: Vec<Name>,
    /// Workloads, NAMESPACE/NAME. 工作负载，命名空间/名称。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub workloads: Vec<WorkloadName>,
}

/// A body that goes into another. 并入另一单位的单位。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.from != self.into", "into: must be another tenant than from, because a body cannot be merged into itself. into：须与 from 不是同一单位，单位不能并入自身。"))]
pub struct MergeTenants {
    /// The body that ends. 被撤并的单位。
    pub from: Name,
    /// The body that takes it over. 接收单位。
    pub into: Name,
}
