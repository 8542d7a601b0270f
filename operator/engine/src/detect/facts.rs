//! The facts of a pool that decide whether an image runs there, and nothing else, so that equal pools are one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Answer, Arch, Confidence, KernelVersion, Level, Runtime, Tee, World};

/// The page size of a node's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSize {
    /// Size in KiB.
    pub ki: u32,
    /// `Certain` from an administrator or the kernel's build options, `Probable` from what is usual.
    pub confidence: Confidence,
}

/// What the exact rule sees of a pool. Equal facts give equal verdicts: callers intern them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolFacts {
    /// Operating system by its Go name, `linux`.
    pub os: String,
    /// Architecture as the kubelet reports it.
    pub arch: Arch,
    /// Platform id; `None` when not recognised.
    pub platform: Option<String>,
    /// How sure the platform is.
    pub confidence: Confidence,
    /// Instruction set level; `None` when not known.
    pub level: Option<Level>,
    /// Features known to be there, normalised.
    pub features: BTreeSet<String>,
    /// Features known to be missing.
    pub absent: BTreeSet<String>,
    /// `features` names everything the CPU has, so what is not named is missing. NFD never proves that.
    pub complete_features: bool,
    /// Page size; `None` when not known.
    pub page_size: Option<PageSize>,
    /// LoongArch ABI world; `None` when not known.
    pub world: Option<World>,
    /// Whether the cores run 32-bit Arm programs.
    pub aarch32: Answer,
    /// Whether the kernel was built with `COMPAT`.
    pub compat_kernel: Answer,
    /// Kernel; `None` when not known.
    pub kernel: Option<KernelVersion>,
    /// libLoL is installed.
    pub liblol: bool,
    /// Container runtime.
    pub runtime: Runtime,
    /// Usable trusted execution environments.
    pub tee: BTreeSet<Tee>,
    /// Those that something hints at without proof.
    pub tee_possible: BTreeSet<Tee>,
    /// Extended resources of accelerators with the most that one node of the pool can allocate.
    pub accelerators: BTreeMap<String, i64>,
    /// Emulators the administrator declared as installed.
    pub emulators: BTreeSet<String>,
    /// Evidence contradicts itself: every verdict is at least Unknown.
    pub conflicting: bool,
}

impl PoolFacts {
    /// Facts of a pool of which nothing but the architecture is known.
    #[must_use]
    pub fn unknown(arch: Arch) -> Self {
        let page_size = (arch == Arch::Amd64).then_some(PageSize { ki: 4, confidence: Confidence::Certain });
        Self {
            os: "linux".to_owned(),
            arch,
            platform: None,
            confidence: Confidence::Unknown,
            level: None,
            features: BTreeSet::new(),
            absent: BTreeSet::new(),
            complete_features: false,
            page_size,
            world: None,
            aarch32: Answer::Unknown,
            compat_kernel: Answer::Unknown,
            kernel: None,
            liblol: false,
            runtime: Runtime::default(),
            tee: BTreeSet::new(),
            tee_possible: BTreeSet::new(),
            accelerators: BTreeMap::new(),
            emulators: BTreeSet::new(),
            conflicting: false,
        }
    }

    /// The platform id, or the architecture where none was recognised, or `unknown`: what a sentence names.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.platform.as_deref().unwrap_or(self.arch.as_str());
        if name.is_empty() { "unknown" } else { name }
    }
}
