//! `CpuPlatform` 芯片平台: overrides or adds to the catalogue of processors.
//!
//! Every fact of silicon that placement or energy needs, and the rules by which a node is recognised.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    class::Tee,
    isa::{AbiWorld, Architecture, Known},
    plain_status::PlainStatus,
    pool::Confidence,
};
use crate::text::{Date, DocumentNumber, Name, Text, Title, Token};

/// A CPU platform. 芯片平台。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "CpuPlatform",
    plural = "cpuplatforms",
    shortname = "cpup",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A processor platform: overrides the built-in catalogue entry of the same name or adds one. 芯片平台：覆盖同名内置目录项，或新增一项。",
    printcolumn(name = "Brand", type_ = "string", json_path = ".spec.brand", description = "Brand. 品牌。"),
    printcolumn(
        name = "Arch",
        type_ = "string",
        json_path = ".spec.architecture",
        description = "Architecture. 架构。"
    ),
    printcolumn(
        name = "Level",
        type_ = "string",
        json_path = ".spec.isa.level",
        description = "ISA level. 指令集级别。"
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
pub struct CpuPlatformSpec {
    /// Name for people. 显示名称。
    pub display_name: Title,
    /// Maker. 厂商。
    pub vendor: Title,
    /// Brand. 品牌。
    pub brand: CpuBrand,
    /// Architecture. 架构。
    pub architecture: Architecture,
    /// What `uname -m` prints, e.g. aarch64. `uname -m` 的输出，例如 aarch64。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uname_machine: Option<Token>,
    /// ELF machine number, e.g. 183. ELF 机器编号，例如 183。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65535))]
    pub elf_machine: Option<i32>,
    /// Instruction set. 指令集。
    #[serde(default)]
    pub isa: PlatformIsa,
    /// Page sizes. 页大小。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_sizes: Option<PageSizes>,
    /// Whether EL0 runs 32-bit Arm code. EL0 能否运行 32 位 Arm 代码。
    #[serde(default)]
    pub aarch32_el0: Known,
    /// LoongArch ABI world. 龙架构 ABI 世界。
    #[serde(default)]
    pub abi_world: AbiWorld,
    /// Cryptography in hardware. 硬件密码能力。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<PlatformCrypto>,
    /// Trusted execution environments the silicon can do; not whether they are switched on. 芯片支持的可信执行环境，不代表已启用。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub tee_possible: Vec<Tee>,
    /// Numbers of a socket. 单路参数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<PlatformShape>,
    /// Performance, only ever measured or declared with its source. 性能，须实测或注明出处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<PlatformPerformance>,
    /// Results of 安全可靠测评. 安全可靠测评结果。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["notice".into(), "product".into()]))]
    pub assurance: Vec<Assurance>,
    /// Best variant an image entry for it can have, e.g. v8 or v3. 镜像条目可采用的最高变体，例如 v8 或 v3。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci_max_variant: Option<Token>,
    /// How a node is recognised; first full match of the best confidence wins. 节点识别规则；同等把握下先匹配者优先。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub detect: Vec<DetectRule>,
    /// Where the facts were taken from. 事实出处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Text>,
}

/// Brand of processor, white paper figure 25. 芯片品牌（白皮书图 25）。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CpuBrand {
    /// Kunpeng. 鲲鹏。
    Kunpeng,
    /// Phytium. 飞腾。
    Phytium,
    /// Hygon. 海光。
    Hygon,
    /// Loongson. 龙芯。
    Loongson,
    /// Zhaoxin. 兆芯。
    Zhaoxin,
    /// Sunway. 申威。
    Sunway,
    /// Intel. 英特尔。
    Intel,
    /// AMD. 超威。
    Amd,
    /// Another. 其他。
    #[default]
    Other,
}

/// Instruction set of a platform. 平台指令集。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformIsa {
    /// Level that surely holds, e.g. armv8.0, x86-64-v3, la64. 确定满足的级别，例如 armv8.0、x86-64-v3、la64。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Token>,
    /// Features it has, by lower-case names. 具备的特性，小写名称。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub features: Vec<Token>,
    /// Features it is known to lack. 已知缺失的特性。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub absent: Vec<Token>,
}

/// Page sizes a platform can have. 平台的页大小。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageSizes {
    /// Page sizes the silicon can do, in KiB. 芯片支持的页大小（KiB）。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::page_sizes")]
    pub possible_kib: Vec<i32>,
    /// What an operating system usually sets; a node's own value wins. 各操作系统的常见取值；以节点实际值为准。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["os".into()]))]
    pub likely: Vec<LikelyPageSize>,
}

/// Usual page size under one operating system. 某操作系统下的常见页大小。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LikelyPageSize {
    /// Id of the operating system, e.g. kylin. 操作系统标识，例如 kylin。
    pub os: Token,
    /// Page size in KiB. 页大小（KiB）。
    #[schemars(range(min = 4, max = 64))]
    pub page_size_kib: i32,
}

/// How an algorithm is done. 算法实现方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CryptoSupport {
    /// Not known. 未知。
    #[default]
    Unknown,
    /// By instructions of the architecture. 架构指令。
    Isa,
    /// By instructions of the vendor. 厂商指令。
    VendorIsa,
    /// By an accelerator beside the cores. 片上加速器。
    Accelerator,
    /// Not in hardware. 无硬件支持。
    None,
}

/// Cryptography in hardware. 硬件密码能力。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformCrypto {
    /// SM2. SM2 公钥密码。
    #[serde(default)]
    pub sm2: CryptoSupport,
    /// SM3. SM3 杂凑。
    #[serde(default)]
    pub sm3: CryptoSupport,
    /// SM4. SM4 分组密码。
    #[serde(default)]
    pub sm4: CryptoSupport,
    /// AES. AES 分组密码。
    #[serde(default)]
    pub aes: CryptoSupport,
}

/// A number with its source. 带出处的数值。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourcedNumber {
    /// The number, in the unit of the field. 数值，单位见字段名。
    #[schemars(range(min = 0, max = 1_000_000))]
    pub value: i32,
    /// Where it was taken from. 出处。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Title>,
    /// Note. 备注。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Title>,
}

/// Numbers of a socket. 单路参数。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformShape {
    /// Cores per socket. 每路核数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores_per_socket: Option<SourcedNumber>,
    /// Threads per core. 每核线程数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_per_core: Option<SourcedNumber>,
    /// Most sockets in a server. 最大路数。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sockets: Option<SourcedNumber>,
    /// Base clock in MHz. 基准主频（MHz）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_megahertz: Option<SourcedNumber>,
    /// Thermal design power of a socket in watts. 单路热设计功耗（瓦）。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tdp_watts: Option<SourcedNumber>,
}

/// Where a performance figure comes from. 性能数据来源。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PerformanceConfidence {
    /// From the press. 媒体报道。
    #[default]
    Press,
    /// From the vendor. 厂商数据。
    Vendor,
    /// Measured by the operator. 运营方实测。
    Measured,
}

/// Throughput of one Kubernetes cpu against the reference platform. 单个 Kubernetes cpu 相对参考平台的吞吐量。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformPerformance {
    /// Throughput of one cpu in thousandths of the reference's. 单 cpu 吞吐量，为参考平台的千分数。
    #[schemars(range(min = 1, max = 100_000))]
    pub per_cpu_per_mille: i32,
    /// Reference platform. 参考平台。
    pub reference: Name,
    /// How it was measured. 测量方法。
    pub method: Title,
    /// When. 日期。
    pub date: Date,
    /// Who answers for it. 负责人。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Title>,
    /// Where it comes from. 来源。
    #[serde(default)]
    pub confidence: PerformanceConfidence,
}

/// Level of 安全可靠测评. 安全可靠测评等级。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AssuranceLevel {
    /// Level I. I 级。
    #[default]
    I,
    /// Level II. II 级。
    II,
}

/// A result of an assessment of the product. 一项产品测评结果。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.date <= self.validUntil", "validUntil: must not be before date, because a result is valid from its notice on. validUntil：不得早于 date，结果自公告之日起有效。"))]
pub struct Assurance {
    /// Scheme, e.g. 安全可靠测评. 测评名称，例如“安全可靠测评”。
    pub scheme: Title,
    /// Product as the notice prints it. 产品名称，按公告原文。
    pub product: Title,
    /// Level. 等级。
    pub level: AssuranceLevel,
    /// Number of the notice. 公告号。
    pub notice: DocumentNumber,
    /// Day of the notice. 公告日期。
    pub date: Date,
    /// Last day it is valid. 有效期末日。
    pub valid_until: Date,
}

/// How a predicate compares. 谓词比较方式。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DetectOperator {
    /// Equal to one of the values. 等于其中之一。
    #[default]
    In,
    /// Matches one of the globs (`*`). 匹配其中一个通配符（`*`）。
    Glob,
    /// The set has all of the values. 集合含全部取值。
    Has,
    /// The set has none of the values. 集合不含任何取值。
    Lacks,
}

/// What a predicate looks at. 谓词对象。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EvidenceKey {
    /// nodeInfo.architecture. 节点上报的架构。
    #[default]
    Architecture,
    /// NFD cpu-model.vendor_id. NFD 的厂商标识。
    NfdVendor,
    /// NFD cpu-model.family. NFD 的家族号。
    NfdFamily,
    /// NFD cpu-model.id divided by 16 (arm64), written 0xd01. NFD 的 id 除以 16（arm64），写作 0xd01。
    NfdPart,
    /// NFD cpu-model.id. NFD 的型号。
    NfdModel,
    /// NFD cpu-cpuid flags. NFD 的特性标志。
    NfdFlags,
    /// Koordinator's cpuModel text. Koordinator 的 cpuModel 文本。
    KoordinatorModel,
    /// A node label, named by labelKey. 节点标签，由 labelKey 指明。
    Label,
    /// Kernel version. 内核版本。
    Kernel,
    /// osImage. 操作系统。
    OsImage,
    /// Instance type. 实例规格。
    InstanceType,
}

/// One predicate over evidence of a node. 针对节点证据的一个谓词。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.labelKey) == (self.evidence == 'Label')", "labelKey: give it exactly when evidence is Label, because only labels have keys. labelKey：仅当 evidence 为 Label 时填写，只有标签有键。"))]
pub struct DetectPredicate {
    /// What it looks at. 对象。
    pub evidence: EvidenceKey,
    /// Key of the label. 标签的键。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_key: Option<crate::text::LabelKey>,
    /// How it compares. 比较方式。
    #[serde(default)]
    pub operator: DetectOperator,
    /// Values. 取值。
    #[schemars(length(min = 1, max = 32))]
    pub values: Vec<Title>,
}

/// A rule by which a node is recognised: all predicates hold. 节点识别规则：全部谓词成立。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DetectRule {
    /// How sure a match is. 匹配的把握程度。
    pub confidence: Confidence,
    /// Predicates that must all hold. 须全部成立的谓词。
    #[schemars(length(min = 1, max = 8))]
    pub all: Vec<DetectPredicate>,
}
