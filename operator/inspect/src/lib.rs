//! The inspect room looks into images: what an image offers and needs, read from its bytes and not only declared.
//!
//! In: an OCI layout folder or a saved archive ([`open`]), or a registry (feature `registry`). Out: one [`Inspected`] per
//! image, with an engine entry per platform, every fact with its source, and findings. Nothing of an image is ever
//! written to the disk or executed: layers are read as a stream into an index of paths ([`tree`]), and what decides is
//! kept of each file (the headers of executables, a few texts). Input is hostile: sizes, counts, depths, names and links
//! are bounded by [`Limits`], and what is wrong with an image is a finding, never a panic.
//!
//! This room imports the engine only: it knows neither our resources nor reports.

mod elf;
mod entry;
mod error;
mod golang;
mod layer;
mod limits;
mod needs;
mod oci;
mod packages;
mod programs;
mod reference;
mod source;
mod tree;
mod unpack;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use elf::{Elf, ElfKind};
pub use entry::{Entry, Inspected, Program, Role, Runtime};
pub use error::InspectError;
pub use golang::GoBuild;
pub use limits::Limits;
pub use packages::Package;
pub use reference::{Reference, ReferenceError};
#[cfg(feature = "registry")]
pub use source::registry;
pub use source::{Source, open};

/// Looks into every image of a source. `command` is looked at instead of the image's own, unless it is empty.
///
/// # Errors
/// When the source as a whole cannot be read; whatever is wrong with a part of it is a finding.
pub fn inspect(source: &mut dyn Source, command: &[String], limits: &Limits) -> Result<Vec<Inspected>, InspectError> {
    let roots = source.roots()?;
    Ok(roots.into_iter().map(|root| entry::image(source, root, command, limits)).collect())
}
