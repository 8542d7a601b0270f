//! The small closed vocabularies of CPU facts: architecture, level, ABI world, confidence, TEE, runtime selection.
//!
//! Each has one spelling in text (`as_str`, `parse`), the one used in resources and labels. Lists of instruction set
//! features are in [`super::level_features`], operating systems and kernels in [`super::KernelVersion`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// CPU architecture by its Go name, as `status.nodeInfo.architecture` and OCI indexes spell it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
    /// LoongArch, either ABI world.
    Loong64,
    /// Sunway; not in upstream Go, not in containerd's table.
    Sw64,
    /// RISC-V.
    Riscv64,
    /// Any other, as written (lower case).
    Other(String),
}

impl Arch {
    /// Reads any usual spelling (`x86_64`, `aarch64`, `loongarch64`, `sw_64`).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lower = text.trim().to_ascii_lowercase();
        match lower.as_str() {
            "amd64" | "x86_64" | "x86-64" => Self::Amd64,
            "arm64" | "aarch64" => Self::Arm64,
            "loong64" | "loongarch64" => Self::Loong64,
            "sw64" | "sw_64" => Self::Sw64,
            "riscv64" => Self::Riscv64,
            _ => Self::Other(lower),
        }
    }

    /// The Go name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Loong64 => "loong64",
            Self::Sw64 => "sw64",
            Self::Riscv64 => "riscv64",
            Self::Other(name) => name,
        }
    }

    /// Whether kernels of this architecture come in several page sizes that matter to images.
    #[must_use]
    pub fn has_page_sizes(&self) -> bool {
        matches!(self, Self::Arm64 | Self::Loong64)
    }
}

impl From<String> for Arch {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Arch> for String {
    fn from(arch: Arch) -> Self {
        arch.as_str().to_owned()
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An instruction set level. Levels of one architecture are ordered; across architectures they are not comparable
/// (see [`Level::at_least`]), the derived order only sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Level {
    /// `x86-64-v1` to `v4` (GOAMD64).
    X86(u8),
    /// `armv8.0` and up (GOARM64): major and minor.
    Arm(u8, u8),
    /// LoongArch 64-bit.
    La64,
    /// Sunway.
    Sw64,
}

impl Level {
    /// Reads `x86-64-v3`, `armv8.2`, `armv9`, `la64`, `sw64`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "la64" {
            return Some(Self::La64);
        }
        if text == "sw64" {
            return Some(Self::Sw64);
        }
        if let Some(n) = text.strip_prefix("x86-64-v") {
            return n.parse().ok().filter(|n| (1..=4).contains(n)).map(Self::X86);
        }
        let (major, minor) = {
            let version = text.strip_prefix("armv")?;
            version.split_once('.').unwrap_or((version, "0"))
        };
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        matches!((major, minor), (8, 0..=9) | (9, 0..=7)).then_some(Self::Arm(major, minor))
    }

    /// The architecture this level belongs to.
    #[must_use]
    pub fn arch(self) -> Arch {
        match self {
            Self::X86(_) => Arch::Amd64,
            Self::Arm(..) => Arch::Arm64,
            Self::La64 => Arch::Loong64,
            Self::Sw64 => Arch::Sw64,
        }
    }

    /// The lowest level of an architecture; `None` where no levels are defined.
    #[must_use]
    pub fn lowest(arch: &Arch) -> Option<Self> {
        match arch {
            Arch::Amd64 => Some(Self::X86(1)),
            Arch::Arm64 => Some(Self::Arm(8, 0)),
            Arch::Loong64 => Some(Self::La64),
            Arch::Sw64 => Some(Self::Sw64),
            Arch::Riscv64 | Arch::Other(_) => None,
        }
    }

    /// Whether a CPU of this level has all that `other` demands; `false` across architectures. armv9.n is at least
    /// armv8.(n+5), as the Arm architecture defines it and containerd matches it.
    #[must_use]
    pub fn at_least(self, other: Self) -> bool {
        match (self, other) {
            (Self::X86(have), Self::X86(want)) => have >= want,
            (Self::Arm(9, have), Self::Arm(8, want)) => have.saturating_add(5).min(9) >= want,
            (Self::Arm(have, a), Self::Arm(want, b)) => (have, a) >= (want, b),
            (have, want) => have == want,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X86(n) => write!(f, "x86-64-v{n}"),
            Self::Arm(major, minor) => write!(f, "armv{major}.{minor}"),
            Self::La64 => f.write_str("la64"),
            Self::Sw64 => f.write_str("sw64"),
        }
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.to_string()
    }
}

/// The text is no instruction set level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the level {0:?}: want x86-64-v1 to v4, armv8.0 to armv9.7, la64 or sw64")]
pub struct LevelError(String);

impl TryFrom<String> for Level {
    type Error = LevelError;

    fn try_from(text: String) -> Result<Self, LevelError> {
        Self::parse(&text).ok_or(LevelError(text))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $text)] $item,)* }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$item,)*];

            /// The spelling in resources and labels.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$item => $text,)* }
            }

            /// Reads that spelling.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How far a fact about a node can be trusted. Order: `Unknown < Guess < Probable < Certain`.
    Confidence {
        /// Nothing is known.
        Unknown = "unknown",
        /// A hint that proves nothing (instance type, kernel string).
        Guess = "guess",
        /// Right in most cases; never used to refuse.
        Probable = "probable",
        /// Declared by an administrator or read from the CPU.
        Certain = "certain",
    }
}

words! {
    /// LoongArch ABI world: binaries of one do not run on kernels of the other.
    World {
        /// ABI1.0: kernel 4.19, glibc 2.28; Kylin, UOS, Loongnix.
        Old = "old",
        /// ABI2.0: kernel 5.19 and later, glibc 2.36 and later.
        New = "new",
    }
}

words! {
    /// A yes-or-no fact that may be unknown.
    Answer {
        /// No.
        No = "no",
        /// Not known.
        Unknown = "unknown",
        /// Yes.
        Yes = "yes",
    }
}

words! {
    /// Trusted execution environments.
    Tee {
        /// Intel SGX enclaves.
        Sgx = "sgx",
        /// Intel TDX guests.
        Tdx = "tdx",
        /// AMD SEV.
        Sev = "sev",
        /// AMD SEV-ES.
        SevEs = "sev-es",
        /// AMD SEV-SNP.
        SevSnp = "sev-snp",
        /// Hygon CSV; declared by the owner only.
        Csv = "csv",
        /// Hygon DCU in trusted mode.
        HygonDcu = "hygon-dcu",
        /// Arm TrustZone; declared by the owner only.
        TrustZone = "trustzone",
        /// Kunpeng virtCCA; declared by the owner only.
        VirtCca = "virtcca",
        /// Armv9 realm management extension.
        Cca = "cca",
    }
}

/// How the container runtime picks an entry of an image index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The plain host platform: containerd, CRI-O, podman; whatever the silicon can do.
    #[default]
    Stock,
    /// The highest amd64 variant of the CPU (Docker's containerd image store since moby#52773).
    MaxNative,
    /// An administrator configured the runtime's arm64 variant.
    DeclaredVariant(Level),
    /// The hub rewrites the image to the digest of one entry.
    Pinned,
}

impl Selection {
    /// The spelling in labels; the variant of [`Selection::DeclaredVariant`] has a label of its own.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::MaxNative => "max-native",
            Self::DeclaredVariant(_) => "declared-variant",
            Self::Pinned => "pinned",
        }
    }
}

/// The container runtime of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// Name, e.g. `containerd`; empty when not stated.
    pub name: String,
    /// Version, e.g. `1.7.13`; empty when not stated.
    pub version: String,
    /// How it picks an entry.
    pub selection: Selection,
}
