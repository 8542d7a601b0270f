//! The catalogue of CPU platforms in compiled form, and the rules by which a node shows that it is one of them.
//!
//! The entries are data: shipped as files, added to and overridden by `CpuPlatform` resources. Intake compiles them;
//! nothing here names a vendor.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::evidence::EvidenceKey;
use super::{Answer, Arch, Confidence, Level, Tee, World};
use crate::terms::PerMille;

/// All known platforms, in the order their rules are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalogue {
    /// Platforms; ids are unique. Order matters within one class of confidence only: specific before general.
    pub platforms: Vec<Platform>,
    /// Platform ids assumed for nodes of an architecture that show nothing; at most one per architecture.
    #[serde(default)]
    pub default_platform: BTreeMap<Arch, String>,
}

impl Catalogue {
    /// The platform with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.id == id)
    }
}

/// One CPU platform: what its silicon can do at most, and how to recognise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// Id, e.g. `kunpeng-920`.
    pub id: String,
    /// Maker, e.g. `phytium`; two platforms of one vendor may refine, never contradict each other.
    pub vendor: String,
    /// Architecture.
    pub arch: Arch,
    /// Level its silicon reaches; `None` where only the node can tell.
    #[serde(default)]
    pub level: Option<Level>,
    /// Features that every node of this platform has, guests included.
    #[serde(default)]
    pub features: BTreeSet<String>,
    /// Features it is known to lack.
    #[serde(default)]
    pub absent: BTreeSet<String>,
    /// Page sizes usual under a distribution; never certain.
    #[serde(default)]
    pub page_hints: Vec<PageHint>,
    /// Whether the cores run 32-bit Arm programs.
    pub aarch32: Answer,
    /// ABI world where the platform has only one.
    #[serde(default)]
    pub world: Option<World>,
    /// What its silicon could offer; counts as a hint, not as present.
    #[serde(default)]
    pub tee_possible: BTreeSet<Tee>,
    /// Threads per core where known.
    #[serde(default)]
    pub threads_per_core: Option<u32>,
    /// Throughput of one Kubernetes CPU against the reference platform; `None` until measured.
    #[serde(default)]
    pub per_cpu_perf: Option<PerMille>,
    /// Rules, any of which identifies the platform.
    #[serde(default)]
    pub detect: Vec<Rule>,
}

/// The page size usual under a distribution from a release on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageHint {
    /// Distribution as in [`super::OsFamily::id`]; empty means any.
    pub os: String,
    /// Oldest release it holds for, e.g. `22.03`; empty means any.
    pub release_from: String,
    /// Size in KiB.
    pub page_size_ki: u32,
}

impl PageHint {
    /// Reads a hint as resources write it: `kylin`, `openEuler-22.03` (from that release on), `any`.
    #[must_use]
    pub fn parse(os: &str, page_size_ki: u32) -> Self {
        let (id, release) = match os.split_once('-') {
            Some((id, release)) if release.starts_with(|c: char| c.is_ascii_digit()) => (id, release),
            _ => (os, ""),
        };
        let id = if id == "any" { "" } else { id };
        Self { os: id.to_owned(), release_from: release.to_owned(), page_size_ki }
    }
}

/// All predicates together identify the platform with this confidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// How sure the identification is.
    pub confidence: Confidence,
    /// All must hold; an empty list never matches.
    pub all: Vec<Predicate>,
}

/// One test of one piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Predicate {
    /// The evidence has one of these values.
    OneOf(EvidenceKey, Vec<String>),
    /// The evidence matches one of these globs (`*` and `?`, case-insensitive).
    Glob(EvidenceKey, Vec<String>),
    /// NFD shows the flag.
    HasFlag(String),
    /// NFD shows CPU flags and this one, which it would show, is not among them.
    LacksFlag(String),
}

impl Predicate {
    /// How much the key it looks at weighs; a rule weighs as its strongest predicate.
    pub(super) fn precedence(&self) -> u8 {
        match self {
            Self::OneOf(key, _) | Self::Glob(key, _) => key.precedence(),
            Self::HasFlag(_) | Self::LacksFlag(_) => EvidenceKey::NfdVendor.precedence(),
        }
    }
}
