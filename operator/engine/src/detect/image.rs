//! An image as the exact rule sees it: the entries of its index and what each needs of a node.
//!
//! Facts come from an `ImageProfile` (by digest), an NFD compatibility artifact or an inspection; an image nobody
//! described has empty [`Needs`] with [`Provenance::None`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{KernelVersion, Level, OciPlatform, Tee, World};
use crate::terms::Digest;

/// Who said what an entry needs. Anything but `Inferred` and `None` is a declaration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Nobody.
    #[default]
    None,
    /// Guessed from a base image or a name.
    Inferred,
    /// Read from the binaries.
    Inspected,
    /// An OCI referrer of type `application/vnd.nfd.image-compatibility.v1alpha1`.
    NfdArtifact,
    /// A person.
    Declared,
}

/// A field of [`Needs`], for saying how a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NeedField {
    /// [`Needs::level`].
    Level,
    /// [`Needs::features`].
    Features,
    /// [`Needs::max_page_size_ki`].
    MaxPageSize,
    /// [`Needs::world`].
    AbiWorld,
    /// [`Needs::aarch32`].
    Aarch32,
    /// [`Needs::kernel_min`].
    KernelMin,
    /// [`Needs::libc`].
    Libc,
    /// [`Needs::execution`].
    Execution,
}

impl NeedField {
    /// Every field, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Level,
        Self::Features,
        Self::MaxPageSize,
        Self::AbiWorld,
        Self::Aarch32,
        Self::KernelMin,
        Self::Libc,
        Self::Execution,
    ];
}

/// How one need of an entry is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Which.
    pub need: NeedField,
    /// By whom; `None` is unknown.
    pub provenance: Provenance,
    /// What was looked at, such as a file of the image.
    pub source: String,
}

/// How the programs of an image execute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Execution {
    /// Machine code linked against the image's libraries, or not stated.
    #[default]
    Native,
    /// A virtual machine or interpreter: says nothing of the base image, which is native.
    Interpreted,
    /// One static Go binary and no base image: its runtime asks the kernel for the page size.
    StaticGo,
}

/// C libraries whose version tells a LoongArch ABI world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LibcFamily {
    /// GNU.
    Glibc,
    /// musl.
    Musl,
}

/// The C library an image carries. It gates no node (an image brings its own), but on LoongArch its version tells the
/// ABI world: glibc 2.36 and musl 1.2.5 are the first of the new world, glibc 2.28 is the old world's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Libc {
    /// Which.
    pub family: LibcFamily,
    /// Its version.
    pub version: KernelVersion,
}

impl Libc {
    /// The LoongArch ABI world this library belongs to.
    #[must_use]
    pub fn world(self) -> World {
        let first_new = match self.family {
            LibcFamily::Glibc => KernelVersion(2, 36, 0),
            LibcFamily::Musl => KernelVersion(1, 2, 5),
        };
        if self.version >= first_new { World::New } else { World::Old }
    }
}

/// So many of an accelerator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcceleratorNeed {
    /// A portable class (`npu-inference`), or the name of an extended resource (it contains `/`).
    pub class: String,
    /// How many on one node; at least 1.
    pub count: i64,
}

/// What is needed of a node. Adding to any field only narrows, except `tee`, where any one of the set is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Needs {
    /// Instruction set level. A level of another architecture does not apply.
    pub level: Option<Level>,
    /// Features beyond the level, normalised.
    pub features: BTreeSet<String>,
    /// Largest kernel page size the binaries run on, in KiB.
    pub max_page_size_ki: Option<u32>,
    /// LoongArch ABI world.
    pub world: Option<World>,
    /// Contains 32-bit Arm programs.
    pub aarch32: bool,
    /// Oldest kernel.
    pub kernel_min: Option<KernelVersion>,
    /// C library inside the image.
    pub libc: Option<Libc>,
    /// One of these trusted execution environments; empty means none is needed.
    pub tee: BTreeSet<Tee>,
    /// Accelerators, all of them.
    pub accelerators: BTreeSet<AcceleratorNeed>,
    /// How its programs execute.
    pub execution: Execution,
}

/// One entry of an image index, or the only manifest of a single-platform image (its config's platform).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageEntry {
    /// Digest of the manifest.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// Platform as written in the index; the rule normalises it.
    pub platform: OciPlatform,
    /// What this entry needs.
    #[serde(default)]
    pub needs: Needs,
    /// Who said so.
    #[serde(default)]
    pub provenance: Provenance,
}
