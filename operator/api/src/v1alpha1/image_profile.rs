//! `ImageProfile` 镜像适配档案: what one image (by digest) offers and needs, and how that is known.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    isa::{Architecture, ImageNeeds},
    plain_status::PlainStatus,
};
use crate::text::{Date, ImageDigest, ImageReference, Title, Token};

/// Facts about one image. 一个镜像的适配事实。
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "jiuzhou.dev",
    version = "v1alpha1",
    kind = "ImageProfile",
    plural = "imageprofiles",
    shortname = "imgp",
    category = "jiuzhou",
    status = "PlainStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "What one image offers and needs, by digest. 一个镜像（按摘要）的条目与需求。",
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image", description = "Image. 镜像。"),
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
pub struct ImageProfileSpec {
    /// Image without tag and digest, e.g. registry.gov.example/app/web. 镜像（不含标签与摘要），例如 registry.gov.example/app/web。
    pub image: ImageReference,
    /// Tags it was seen under, so that manifests that name a tag find it. 曾见的标签，便于按标签引用的清单查找。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tags: Vec<Token>,
    /// Digest of the index, or of the manifest of an image without index; never changes. 索引摘要，无索引时为清单摘要；不可更改。
    #[x_kube(validation = ("self == oldSelf", "digest: cannot be changed once set, because a profile is of one image: make a new ImageProfile. digest：设定后不可更改，一份档案对应一个镜像：请新建 ImageProfile。"))]
    pub digest: ImageDigest,
    /// Its entries. 镜像条目。
    #[schemars(length(min = 1, max = 64))]
    pub entries: Vec<ImageEntry>,
}

/// How a fact is known; later ones are surer. 事实来源；越靠后越可靠。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Provenance {
    /// The image says nothing. 镜像未说明。
    #[default]
    None,
    /// Concluded from other facts. 推断。
    Inferred,
    /// Declared by a person. 人工声明。
    Declared,
    /// From an NFD compatibility artifact. 取自 NFD 兼容性制品。
    NfdArtifact,
    /// Found by looking into the image. 检查镜像所得。
    Inspected,
}

/// A need a fact is about. 事实所属的需求项。
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum NeedField {
    /// ISA level. 指令集级别。
    #[default]
    Level,
    /// CPU features. CPU 特性。
    Features,
    /// Page size. 页大小。
    MaxPageSize,
    /// ABI world. ABI 世界。
    AbiWorld,
    /// 32-bit Arm code. 32 位 Arm 代码。
    Aarch32,
    /// Kernel. 内核。
    KernelMin,
    /// C library. C 库。
    Libc,
    /// Trusted execution. 可信执行环境。
    Tee,
    /// Accelerator. 加速器。
    Accelerators,
    /// How it runs. 执行方式。
    Execution,
}

/// Where one fact was taken from. 一项事实的来源。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactSource {
    /// Which need. 需求项。
    pub need: NeedField,
    /// How it is known. 来源。
    pub provenance: Provenance,
    /// What was looked at, e.g. the file. 检查对象，例如文件。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Title>,
    /// When. 日期。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_on: Option<Date>,
}

/// One entry of an image index. 镜像索引的一个条目。
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageEntry {
    /// Digest of the manifest. 清单摘要。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ImageDigest>,
    /// Operating system. 操作系统。
    #[serde(default = "linux")]
    pub os: Token,
    /// Architecture as the index writes it. 架构，按索引原文。
    pub architecture: Token,
    /// Variant as the index writes it. 变体，按索引原文。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Token>,
    /// os.version; ignored on Linux. os.version，Linux 下忽略。
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<Token>,
    /// os.features. os.features 字段。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub os_features: Vec<Token>,
    /// What it needs. 需求。
    #[serde(default)]
    pub needs: ImageNeeds,
    /// How the needs are known unless facts says otherwise. 需求的来源，facts 另有说明的除外。
    #[serde(default)]
    pub provenance: Provenance,
    /// Provenance of single needs. 各项需求的来源。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["need".into()]))]
    pub facts: Vec<FactSource>,
}

impl ImageEntry {
    /// The architecture when it is one the catalogue knows (`aarch64`, `x86_64`, `loongarch64`, `sw_64` included).
    #[must_use]
    pub fn known_architecture(&self) -> Option<Architecture> {
        Some(match &*self.architecture {
            "amd64" | "x86_64" | "x86-64" => Architecture::Amd64,
            "386" | "i386" | "i686" => Architecture::I386,
            "arm64" | "aarch64" => Architecture::Arm64,
            "arm" | "armhf" | "armel" => Architecture::Arm,
            "loong64" | "loongarch64" => Architecture::Loong64,
            "sw64" | "sw_64" => Architecture::Sw64,
            "riscv64" => Architecture::Riscv64,
            _ => return None,
        })
    }
}

fn linux() -> Token {
    "linux".into()
}
