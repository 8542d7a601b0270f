//! What a node's CPU is, and whether an image runs on it.
//!
//! Two halves. *Detection* turns what a Node object shows ([`NodeFacts`]) into a [`NodeProfile`] with the evidence
//! that led there, by rules that are data of the [`Catalogue`], and groups nodes of equal facts into [`Pool`]s. *The
//! exact rule* ([`compatible`]) judges the entries of an image against the facts of a pool and keeps every reason;
//! [`affinity`] derives the node affinity a delivery adds. Reading files and Kubernetes objects is the intake's part,
//! capacity is not looked at here.

pub mod affinity;
mod catalogue;
mod compatible;
mod detector;
mod evidence;
mod facts;
mod features;
mod image;
pub mod labels;
mod nfd;
mod node;
mod oci;
mod pools;
mod system;
mod verdict;
mod words;

#[cfg(test)]
mod fixture;

pub use catalogue::{Catalogue, PageHint, Platform, Predicate, Rule};
pub use compatible::compatible;
pub use detector::detect;
pub use evidence::{Conflict, Evidence, EvidenceKey};
pub use facts::{PageSize, PoolFacts};
pub use features::{level_features, normalise_feature};
pub use image::{AcceleratorNeed, Execution, Fact, ImageEntry, Libc, LibcFamily, NeedField, Needs, Provenance};
pub use node::{CpuBasicInfo, NodeFacts, NodeProfile, Taint, TaintEffect};
pub use oci::{OciPlatform, match_vector};
pub use pools::{Pool, group};
pub use system::{KernelVersion, OsFamily, os_family};
pub use verdict::{Emulator, Judgement, Outcome, Policy, Verdict};
pub use words::{Answer, Arch, Confidence, Level, Runtime, Selection, Tee, World};
