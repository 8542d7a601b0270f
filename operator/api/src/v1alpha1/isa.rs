//! Words of processors: architecture, ABI world, what an image needs, how a runtime selects.
//!
//! Facts and terms are those of node-feature-discovery, the OCI image specification and the LoongArch toolchains.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class::Tee;
use crate::text::Token;

/// Processor architecture as Go writes it. 处理器架构，按 Go 的写法。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// x86-64. x86-64 架构。
    #[default]
    Amd64,
    /// 32-bit x86; only ever an image's. 32 位 x86，仅用于镜像。
    #[serde(rename = "386")]
    I386,
    /// AArch64. AArch64 架构。
    Arm64,
    /// 32-bit Arm; only ever an image's. 32 位 Arm，仅用于镜像。
    Arm,
    /// LoongArch64. 龙架构 64 位。
    Loong64,
    /// Sunway. 申威架构。
    Sw64,
    /// RISC-V 64. RISC-V 64 位。
    Riscv64,
}

/// Which LoongArch ABI world something belongs to. 龙架构 ABI 世界。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AbiWorld {
    /// Not known. 未知。
    #[default]
    Unknown,
    /// New world. 新世界。
    New,
    /// Old world. 旧世界。
    Old,
    /// Both. 两者皆可。
    Any,
    /// The architecture has no such split. 该架构不区分。
    NotApplicable,
}

/// Yes, no or not known. 是、否或未知。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Known {
    /// Not known. 未知。
    #[default]
    Unknown,
    /// Yes. 是。
    Yes,
    /// No. 否。
    No,
}

/// How a container runtime picks an entry of an image index. 容器运行时从镜像索引选取条目的方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RuntimeSelection {
    /// As stock containerd does. 与原版 containerd 一致。
    #[default]
    Stock,
    /// The best native variant, as newer Docker stores do. 选取最高的本机变体，如新版 Docker 存储。
    MaxNative,
    /// By the variant declared in the runtime's configuration. 按运行时配置声明的变体。
    DeclaredVariant,
    /// The hub pins the digest of one entry. 由中心固定为某一条目的摘要。
    Pinned,
}

/// How the program in an image runs. 镜像中程序的执行方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Execution {
    /// Machine code with a C library. 依赖 C 库的本机代码。
    #[default]
    Native,
    /// On a virtual machine or interpreter: Java, Python. 由虚拟机或解释器执行：Java、Python。
    Interpreted,
    /// A static Go program. 静态链接的 Go 程序。
    StaticGo,
}

/// A C library and its least version. C 库及最低版本。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Libc {
    /// Family: glibc or musl. 种类：glibc 或 musl。
    pub family: Token,
    /// Least version. 最低版本。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Token>,
}

/// What an image needs of a node; absent means not stated. 镜像对节点的需求；未填写即未说明。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageNeeds {
    /// Least ISA level, e.g. armv8.1 or x86-64-v3. 最低指令集级别，例如 armv8.1 或 x86-64-v3。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Token>,
    /// CPU features by their lower-case names, e.g. atomics. CPU 特性，小写名称，例如 atomics。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub features: Vec<Token>,
    /// Largest page size it runs on, in KiB. 可运行的最大页大小（KiB）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 4, max = 64))]
    pub max_page_size_kib: Option<i32>,
    /// LoongArch ABI world. 龙架构 ABI 世界。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abi_world: Option<AbiWorld>,
    /// Whether it has 32-bit Arm code. 是否含 32 位 Arm 代码。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aarch32: Option<bool>,
    /// Least kernel, e.g. 5.10. 最低内核版本，例如 5.10。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_min: Option<Token>,
    /// C library. C 库。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<Libc>,
    /// Any one of these trusted execution environments. 任一可信执行环境。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee: Vec<Tee>,
    /// Accelerator classes, e.g. npu-inference. 加速器类别，例如 npu-inference。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub accelerators: Vec<Token>,
    /// How it runs. 执行方式。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
}
