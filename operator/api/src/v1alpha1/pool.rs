//! Node pools of a member cluster: what an administrator states about them, and what was observed.
//!
//! A pool is a set of nodes equal in everything placement looks at; it is grouped by equality, not named by a cloud.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::{SmAlgorithm, Tee},
    isa::{AbiWorld, Architecture, Known, RuntimeSelection},
};
use crate::text::{LabelKey, LabelValue, Labels, Month, Name, ObjectName, Resources, Title, Token};

/// What an administrator states about the nodes with certain labels; it wins over what was detected. 管理员对带有某些标签的节点的声明，优先于检测结果。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "size(self.nodeLabels) > 0",
    "nodeLabels: give at least one label, because a statement about every node would hide mixed pools. nodeLabels：至少填写一个标签，对全部节点的声明会掩盖混合节点池。"
))]
pub struct PoolFacts {
    /// Its name. 名称。
    pub name: Name,
    /// Labels that the nodes carry. 节点带有的标签。
    #[serde(default)]
    pub node_labels: Labels,
    /// Network zone, e.g. gov-extranet or internet. 网络区域，例如 gov-extranet（政务外网区）或 internet（互联网区）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Name>,
    /// CPU platform by its id in the catalogue. 芯片平台，目录中的标识。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ObjectName>,
    /// How the runtime selects image entries. 运行时选取镜像条目的方式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_selection: Option<RuntimeSelection>,
    /// Variant declared in the runtime's configuration, e.g. v8.2. 运行时配置声明的变体，例如 v8.2。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_variant: Option<Token>,
    /// Page size in KiB. 页大小（KiB）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 4, max = 64))]
    pub page_size_kib: Option<i32>,
    /// LoongArch ABI world. 龙架构 ABI 世界。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abi_world: Option<AbiWorld>,
    /// Whether 32-bit Arm code runs. 能否运行 32 位 Arm 代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aarch32: Option<Known>,
    /// Trusted execution environments switched on. 已启用的可信执行环境。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee: Vec<Tee>,
    /// Emulators installed: qemu-user, exagear. 已安装的转译器：qemu-user、exagear。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub emulators: Vec<Token>,
    /// Server model whose power curve is used. 采用其功耗曲线的服务器型号。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_model: Option<Name>,
    /// Power of one node when idle, in watts. 单节点空闲功率（瓦）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub idle_watts: Option<i32>,
    /// Power of one node at full load, in watts. 单节点满载功率（瓦）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub busy_watts: Option<i32>,
}

/// How sure a detection is. 检测的把握程度。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Confidence {
    /// A guess. 推测。
    #[default]
    Guess,
    /// Probable. 很可能。
    Probable,
    /// Certain. 确定。
    Certain,
}

/// Container runtime of a pool. 节点池的容器运行时。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolRuntime {
    /// Name, e.g. containerd. 名称，例如 containerd。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Token>,
    /// Version. 版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Token>,
    /// How it selects image entries. 选取镜像条目的方式。
    #[serde(default)]
    pub selection: RuntimeSelection,
    /// Variant declared in its configuration. 配置声明的变体。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Token>,
}

/// A number of nodes with equal free room. 若干空闲量相同的节点。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeShape {
    /// How many nodes. 节点数。
    #[schemars(range(min = 1, max = 100_000))]
    pub nodes: i32,
    /// Free room of one of them, rounded down; pods that are not ours are taken off. 单个节点的空闲量，向下取整；已扣除非本平台的 Pod。
    pub free: Resources,
}

/// Taint common to the nodes of a pool. 节点池共有的污点。
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTaint {
    /// Key. 键。
    pub key: LabelKey,
    /// Value. 值。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// Effect. 效果。
    #[serde(default)]
    pub effect: TaintEffect,
}

/// What a taint does to who does not tolerate it. 污点对未容忍者的效果。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// Nothing new is placed. 不再新部署。
    #[default]
    NoSchedule,
    /// New placements avoid it. 尽量不新部署。
    PreferNoSchedule,
    /// What runs is moved away too. 已运行的也迁出。
    NoExecute,
}

/// One pool as observed. 观测到的一个节点池。
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    /// Its name, stable while its facts are. 名称，事实不变则名称不变。
    pub name: Name,
    /// Network zone; absent is unknown. 网络区域；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Name>,
    /// CPU platform by its id in the catalogue; absent is unknown. 芯片平台，目录中的标识；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<ObjectName>,
    /// How sure the platform is. 平台判定的把握程度。
    #[serde(default)]
    pub confidence: Confidence,
    /// Evidence used and its source, strongest first. 所用证据及来源，由强到弱。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub evidence: Vec<Title>,
    /// Evidence that contradicts another; such a pool is Unknown. 互相矛盾的证据；此类节点池判为未知。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conflicts: Vec<Title>,
    /// Architecture the kubelet reports. kubelet 上报的架构。
    pub architecture: Architecture,
    /// Highest ISA level known to hold. 已知满足的最高指令集级别。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isa_level: Option<Token>,
    /// CPU features known to be there. 已知具备的 CPU 特性。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub features: Vec<Token>,
    /// CPU features known to be missing. 已知缺失的 CPU 特性。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub absent: Vec<Token>,
    /// Whether features lists all there are. features 是否完整。
    #[serde(default)]
    pub features_complete: bool,
    /// Page size in KiB; absent is unknown. 页大小（KiB）；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 4, max = 64))]
    pub page_size_kib: Option<i32>,
    /// LoongArch ABI world. 龙架构 ABI 世界。
    #[serde(default)]
    pub abi_world: AbiWorld,
    /// Whether old-world programs run by liblol. 是否经 liblol 运行旧世界程序。
    #[serde(default)]
    pub liblol: bool,
    /// Whether 32-bit Arm code runs. 能否运行 32 位 Arm 代码。
    #[serde(default)]
    pub aarch32: Known,
    /// Kernel as the node prints it. 内核版本，按节点原文。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Title>,
    /// Operating system as the node prints it. 操作系统，按节点原文。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_image: Option<Title>,
    /// Container runtime. 容器运行时。
    #[serde(default)]
    pub runtime: PoolRuntime,
    /// Trusted execution environments switched on. 已启用的可信执行环境。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee: Vec<Tee>,
    /// Commercial cryptography in hardware. 硬件国密算法。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub sm_crypto: Vec<SmAlgorithm>,
    /// Emulators installed. 已安装的转译器。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub emulators: Vec<Token>,
    /// Threads per core; absent is unknown. 每核线程数；未填写即未知。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8))]
    pub threads_per_core: Option<i32>,
    /// Nodes. 节点数。
    #[schemars(range(min = 0, max = 100_000))]
    pub nodes: i32,
    /// Labels common to all nodes that placement may name in an affinity. 全部节点共有、可用于亲和性的标签。
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Taints common to all nodes. 全部节点共有的污点。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub taints: Vec<NodeTaint>,
    /// Allocatable of all nodes together. 全部节点可分配总量。
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub allocatable: Resources,
    /// Free room as at most 16 node shapes. 空闲量，以至多 16 种节点形状表示。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub free: Vec<NodeShape>,
    /// Requests of pods seen Unschedulable since the free room was observed; pods at least as large find no room here. 自观测空闲量以来被判定无法调度的 Pod 的请求量；不小于它的 Pod 视为放不下。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub unschedulable: Vec<Resources>,
    /// Whether the cluster adjusts cpu to the speed of these nodes itself (Koordinator), so that requests are not converted again. 集群是否已按节点性能自行归一化 cpu（Koordinator），此时不再换算请求量。
    #[serde(default)]
    pub cpu_normalised: bool,
    /// Server model whose power curve is used. 采用其功耗曲线的服务器型号。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_model: Option<Name>,
    /// When the free room was observed. 空闲量的观测时间。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schema::time")]
    pub observed_at: Option<Time>,
}

/// One month of a pool's meter. 节点池电表的一个月读数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolReading {
    /// Pool. 节点池。
    pub pool: Name,
    /// Month. 月份。
    pub month: Month,
    /// Energy of the month in watt-hours. 当月电量（瓦时）。
    #[schemars(range(min = 0, max = 9_000_000_000_000_000_i64))]
    pub watt_hours: i64,
    /// What was read, as people call it. 计量方式的说明。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Title>,
}
