//! Where images come from: a layout folder, a saved archive, a registry. Each gives roots and the bytes of blobs.
//!
//! A source checks what it is asked for (a digest is a digest before it becomes a path or a request); whoever reads a
//! blob verifies its bytes ([`read_json`], `layer::read`).

mod archive;
mod layout;
#[cfg(feature = "registry")]
pub mod registry;

use std::io::{self, Read};
use std::path::Path;

use jiuzhou_engine::terms::Digest;

use crate::error::InspectError;
use crate::limits::Limits;
use crate::oci::{Descriptor, Saved};
use crate::unpack::Verified;

/// One image of a source.
#[derive(Clone, Debug)]
pub struct Root {
    /// What the source calls it, e.g. `registry.gov.example/app/web:1.2` or `1.2`; empty when it has no name.
    pub(crate) names: Vec<String>,
    /// What stands there.
    pub(crate) target: Target,
}

/// What the root of an image is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// An index or a manifest by its digest.
    Blob(Descriptor),
    /// Manifests that stand in the index of a layout without an index of their own, and so without a digest.
    Loose(Vec<Descriptor>),
    /// An entry of `manifest.json`, which has no manifest of a registry and so no digest, either.
    Saved(Saved),
}

/// The bytes of a blob as they are stored, and how many.
pub struct Blob<'a> {
    pub(crate) reader: Box<dyn Read + 'a>,
    pub(crate) size: u64,
}

/// Gives the images of a place.
pub trait Source {
    /// The images, in the order of the source.
    ///
    /// # Errors
    /// When there is nothing that can be read.
    fn roots(&mut self) -> Result<Vec<Root>, InspectError>;

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    fn blob(&mut self, descriptor: &Descriptor) -> Result<Blob<'_>, InspectError>;
}

/// Opens a layout folder or an archive; `-` is `stdin`.
///
/// # Errors
/// When there is no image.
pub fn open(path: &str, stdin: &mut dyn Read, limits: &Limits) -> Result<Box<dyn Source>, InspectError> {
    if path == "-" {
        return Ok(Box::new(archive::Archive::spooled(path, stdin, *limits)?));
    }
    let meta = std::fs::metadata(path).map_err(|error| InspectError::read(path, error))?;
    if meta.is_dir() {
        return Ok(Box::new(layout::Layout::open(Path::new(path), *limits)?));
    }
    Ok(Box::new(archive::Archive::open(path, *limits)?))
}

/// A whole document, bounded and verified.
pub(crate) fn read_json(
    source: &mut dyn Source,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Vec<u8>, InspectError> {
    let what = if descriptor.digest.is_empty() { descriptor.member.clone() } else { Some(descriptor.digest.clone()) };
    let what = what.unwrap_or_default();
    let blob = source.blob(descriptor)?;
    if blob.size > limits.json {
        return Err(InspectError::limit(&what, limits.json));
    }
    let mut bytes = Vec::new();
    let verified = Verified::new(blob.reader, &descriptor.digest, descriptor.size);
    bounded(verified, limits.json, &mut bytes).map_err(|error| InspectError::from_io(&what, error))?;
    Ok(bytes)
}

/// Reads everything, or fails after so many bytes.
pub(crate) fn bounded(reader: impl Read, limit: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut taken = reader.take(limit.saturating_add(1));
    taken.read_to_end(bytes)?;
    if bytes.len() as u64 > limit {
        return Err(InspectError::limit("bytes of a document", limit).into());
    }
    Ok(())
}

/// Where a blob stands under the root of a layout. Only what is a digest becomes a path.
fn blob_path(digest: &str) -> Result<String, InspectError> {
    let known = Digest::parse(digest).map(|digest| digest.to_string());
    let known = known.ok_or_else(|| InspectError::unsupported("a blob", &format!("the digest {digest:?}")))?;
    Ok(format!("blobs/{}", known.replacen(':', "/", 1)))
}

/// The roots of the index of a layout: what has a name of its own is an image of its own; manifests without names are
/// the platforms of one.
fn layout_roots(manifests: Vec<Descriptor>, limits: &Limits) -> Result<Vec<Root>, InspectError> {
    if manifests.len() > limits.manifests {
        return Err(InspectError::limit("manifests of index.json", limits.manifests as u64));
    }
    // containerd and Docker write the whole reference, others only the tag.
    const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
    let mut roots: Vec<Root> = Vec::new();
    let mut loose = Vec::new();
    for descriptor in manifests {
        let name = NAMES.iter().find_map(|key| descriptor.annotations.get(*key)).filter(|name| !name.is_empty());
        let Some(name) = name.cloned() else {
            loose.push(descriptor);
            continue;
        };
        let same = |root: &&mut Root| matches!(&root.target, Target::Blob(other) if other.digest == descriptor.digest);
        match roots.iter_mut().find(same) {
            Some(root) => root.names.push(name),
            None => roots.push(Root { names: vec![name], target: Target::Blob(descriptor) }),
        }
    }
    let platforms = loose.iter().filter(|descriptor| !descriptor.is_attestation()).count();
    if platforms > 1 && loose.iter().all(|descriptor| descriptor.platform.is_some()) {
        roots.push(Root { names: Vec::new(), target: Target::Loose(loose) });
    } else {
        let real = loose.into_iter().filter(|descriptor| platforms == 0 || !descriptor.is_attestation());
        roots.extend(real.map(|one| Root { names: Vec::new(), target: Target::Blob(one) }));
    }
    Ok(roots)
}
