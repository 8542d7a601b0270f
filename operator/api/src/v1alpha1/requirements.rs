//! What a workload needs of a cluster. It may only be stricter than what its information system says.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::{DataClass, SmAlgorithm, Tee},
    isa::ImageNeeds,
};
use crate::text::{DocumentNumber, ImageReference, Name, ObjectName, RegionCode, Resources, Token};

/// What a workload needs of a cluster; absent means as the system says. 对集群的要求；未填写则随信息系统。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// Class of its data. 数据级别。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_class: Option<DataClass>,
    /// Lowest sovereignty tier, by name. 最低主权等级，按名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tier: Option<Name>,
    /// Regions it must stay in; 530000 covers 532900. 须留在的区划；530000 包含 532900。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub regions: Vec<RegionCode>,
    /// Network zone of its nodes; an exact match. 节点的网络区域，须完全一致。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Name>,
    /// Level of graded protection the cluster must have at least. 集群等级保护最低等级。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub protection_level: Option<i32>,
    /// Databases it needs, each from any of its products. 所需数据库，每项任选其一产品。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub databases: Vec<DatabaseNeed>,
    /// Any one of these trusted execution environments. 任一可信执行环境。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee: Vec<Tee>,
    /// Commercial cryptography the cluster must declare. 集群须声明的国密算法。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub sm_crypto: Vec<SmAlgorithm>,
    /// Accelerators. 加速器。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["class".into()]))]
    pub accelerators: Vec<AcceleratorNeed>,
    /// CPU platforms it may run on; any when empty. 可运行的芯片平台；为空则任意。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub platforms: Vec<ObjectName>,
    /// Whether emulated code is accepted where the tier allows it. 在等级允许处是否接受转译执行。
    #[serde(default)]
    pub allow_emulation: bool,
    /// Peers it must reach from where it runs. 须可达的对端。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["peer".into()]))]
    pub needs_reach: Vec<ReachNeed>,
    /// What images need beyond their profiles; only ever more. 镜像在档案之外的需求，只增不减。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["image".into()]))]
    pub image_needs: Vec<RaisedNeeds>,
    /// Components of objects whose kind has no profile. 无类型档案的对象的组成部分。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub components: Vec<Component>,
    /// How cpu requests follow the speed of another platform. cpu 请求随平台性能换算的方式。
    #[serde(default)]
    pub cpu_sensitivity: CpuSensitivity,
}

/// A database that is needed. 所需数据库。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseNeed {
    /// Any one of these products. 任一产品。
    #[schemars(length(min = 1, max = 16))]
    pub any_of: Vec<Name>,
}

/// An accelerator that is needed. 所需加速器。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceleratorNeed {
    /// Portable class, e.g. npu-inference. 通用类别，例如 npu-inference。
    pub class: Token,
    /// Per pod. 每个 Pod 的数量。
    #[schemars(range(min = 1, max = 64))]
    pub count: i32,
}

/// A peer that must be reachable. 须可达的对端。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReachNeed {
    /// Name of the peer. 对端名称。
    pub peer: Name,
    /// Number of the network policy work order it was asked for with. 申请的网络策略工单号。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<DocumentNumber>,
}

/// What one image needs beyond its profile. 某镜像在档案之外的需求。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RaisedNeeds {
    /// Image as the manifest names it. 镜像，按清单原文。
    pub image: ImageReference,
    /// Needs. 需求。
    pub needs: ImageNeeds,
}

/// A set of equal pods of an object whose kind has no profile. 无类型档案的对象中一组相同的 Pod。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Its name. 名称。
    pub name: Name,
    /// Object it belongs to, by its name in objects. 所属对象，按其在 objects 中的名称。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Name>,
    /// Images it runs. 运行的镜像。
    #[schemars(length(min = 1, max = 32))]
    pub images: Vec<ImageReference>,
    /// Requests of one pod. 单个 Pod 的资源请求。
    pub requests: Resources,
    /// Pods per replica of the workload. 每个工作负载副本的 Pod 数。
    #[schemars(range(min = 1, max = 10_000))]
    pub replicas: i32,
}

/// How cpu requests follow the speed of another platform. cpu 请求换算方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CpuSensitivity {
    /// They stay as written. 不换算。
    #[default]
    None,
    /// They are divided by the declared performance. 按声明的性能换算。
    Linear,
}
