//! What was seen about a node's CPU, by key, and where two sources disagree.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Confidence;

/// A source of evidence. Order of precedence: administrator's label, Koordinator, NFD, instance type, kernel and OS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceKey {
    /// `status.nodeInfo.architecture`.
    Arch,
    /// A node label by key.
    Label(String),
    /// CPU model text that Koordinator publishes (`node.koordinator.sh/cpu-basic-info`).
    KoordinatorCpuModel,
    /// NFD `cpu-model.vendor_id`.
    NfdVendor,
    /// NFD `cpu-model.family`; `0` counts as not seen.
    NfdFamily,
    /// NFD `cpu-model.id` of x86; `0` counts as seen there.
    NfdModel,
    /// MIDR part number of arm64, `id >> 4` of NFD's `cpu-model.id`, as `0xd01`; `0` counts as not seen.
    NfdPart,
    /// NFD's CPU flags.
    NfdFlags,
    /// Label `node.kubernetes.io/instance-type`.
    InstanceType,
    /// `status.nodeInfo.kernelVersion`.
    Kernel,
    /// `status.nodeInfo.osImage`.
    OsImage,
    /// `status.nodeInfo.containerRuntimeVersion`.
    Runtime,
    /// Default of the cluster for an architecture.
    ClusterDefault,
}

impl EvidenceKey {
    /// Higher beats lower.
    pub(super) fn precedence(&self) -> u8 {
        match self {
            Self::Label(_) => 6,
            Self::KoordinatorCpuModel => 5,
            Self::NfdVendor | Self::NfdFamily | Self::NfdModel | Self::NfdPart | Self::NfdFlags => 4,
            Self::InstanceType => 3,
            Self::Kernel | Self::OsImage | Self::Runtime => 2,
            Self::Arch => 1,
            Self::ClusterDefault => 0,
        }
    }
}

impl fmt::Display for EvidenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arch => f.write_str("arch"),
            Self::Label(key) => write!(f, "label[{key}]"),
            Self::KoordinatorCpuModel => f.write_str("koord.cpuModel"),
            Self::NfdVendor => f.write_str("nfd.vendor"),
            Self::NfdFamily => f.write_str("nfd.family"),
            Self::NfdModel => f.write_str("nfd.model"),
            Self::NfdPart => f.write_str("nfd.part"),
            Self::NfdFlags => f.write_str("nfd.flags"),
            Self::InstanceType => f.write_str("instanceType"),
            Self::Kernel => f.write_str("kernel"),
            Self::OsImage => f.write_str("osImage"),
            Self::Runtime => f.write_str("runtime"),
            Self::ClusterDefault => f.write_str("clusterDefault"),
        }
    }
}

/// One thing seen and what was concluded from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The source.
    pub key: EvidenceKey,
    /// The value seen.
    pub value: String,
    /// What it says: a platform id, `pageSizeKi=64`, `abiWorld=old`.
    pub says: String,
    /// How sure that is.
    pub confidence: Confidence,
}

/// Two pieces of evidence that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The stronger.
    pub stronger: Evidence,
    /// The weaker.
    pub weaker: Evidence,
}
