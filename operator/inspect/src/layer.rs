//! One layer into the tree: a tar read as a stream.
//!
//! Entries are taken raw, so that long names and pax headers are read with bounds of ours. The first bytes of a file say
//! what it is; executables are read whole (bounded) one at a time and only their facts are kept.

use std::io::{self, Read};
use std::sync::Arc;

use tar::{EntryType, PaxExtensions};

use crate::elf::Elf;
use crate::error::InspectError;
use crate::limits::Limits;
use crate::oci::Descriptor;
use crate::source::Source;
use crate::tree::{Content, File, Node, Tree};
use crate::unpack::{self, Budget, Verified};

/// Texts that are kept, by the end of their path.
const TEXTS: [&str; 5] =
    ["etc/os-release", "usr/lib/os-release", "lib/apk/db/installed", "var/lib/dpkg/status", "etc/ld.so.conf"];

/// Folders whose texts are kept.
const TEXT_FOLDERS: [&str; 2] = ["etc/ld.so.conf.d/", "var/lib/dpkg/status.d/"];

/// Bytes of pax headers and long names: two paths and what goes with them.
const EXTENSION: u64 = 64 << 10;

/// Reads a layer of a source into the tree and verifies it.
pub(crate) fn read(
    source: &mut dyn Source,
    descriptor: &Descriptor,
    tree: &mut Tree,
    budget: &mut Budget,
    limits: &Limits,
) -> Result<(), InspectError> {
    let what = descriptor.member.clone().unwrap_or_else(|| descriptor.digest.clone());
    let foreign = ["foreign", "nondistributable"].iter().any(|word| descriptor.media_type.contains(word));
    if foreign || descriptor.media_type.contains("encrypted") {
        return Err(InspectError::unsupported(&what, &descriptor.media_type));
    }
    let blob = source.blob(descriptor)?;
    let packed = blob.size;
    let mut raw = Verified::new(blob.reader, &descriptor.digest, descriptor.size);
    let read = {
        let mut unpacked =
            unpack::layer(Box::new(&mut raw), packed, budget, limits).map_err(|e| InspectError::from_io(&what, e))?;
        tree.next_layer();
        entries(&mut *unpacked, tree, limits).and_then(|()| io::copy(&mut unpacked, &mut io::sink()).map(drop))
    };
    // The digest is that of all bytes, also of those behind the end of the tar.
    read.and_then(|()| io::copy(&mut raw, &mut io::sink()).map(drop)).map_err(|e| InspectError::from_io(&what, e))
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Extension {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

fn entries(reader: &mut dyn Read, tree: &mut Tree, limits: &Limits) -> io::Result<()> {
    let mut archive = tar::Archive::new(reader);
    let mut extension = Extension::default();
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_gnu_longlink() {
            let text = String::from_utf8_lossy(&short(&mut entry)?).trim_end_matches('\0').to_owned();
            *(if kind.is_gnu_longname() { &mut extension.path } else { &mut extension.link }) = Some(text);
            continue;
        }
        if kind.is_pax_local_extensions() {
            let bytes = short(&mut entry)?;
            for pair in PaxExtensions::new(&bytes) {
                let pair = pair?;
                let value = String::from_utf8_lossy(pair.value_bytes()).into_owned();
                match pair.key_bytes() {
                    b"path" => extension.path = Some(value),
                    b"linkpath" => extension.link = Some(value),
                    b"size" => extension.size = value.parse().ok(),
                    _ => {}
                }
            }
            continue;
        }
        if kind.is_pax_global_extensions() {
            continue;
        }
        let extension = std::mem::take(&mut extension);
        let size = entry.header().entry_size()?;
        if extension.size.is_some_and(|said| said != size) || kind == EntryType::GNUSparse {
            // Two readers would see two archives, so neither reading is right.
            return Err(InspectError::unsupported("the layer", "a sparse file, or one with two sizes,").into());
        }
        let path = extension.path.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        let link = extension
            .link
            .or_else(|| entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .unwrap_or_default();
        if path.len() > limits.path_bytes || link.len() > limits.path_bytes {
            return Err(InspectError::limit("bytes of a path", limits.path_bytes as u64).into());
        }
        if tree.len() >= limits.paths {
            return Err(InspectError::limit("paths of the image", limits.paths as u64).into());
        }
        match kind {
            EntryType::Regular | EntryType::Continuous => {
                let runnable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
                let content = content(&path, &mut entry, limits)?;
                tree.add(&path, Node::File(Arc::new(File { runnable, content })), limits);
            }
            EntryType::Directory => tree.add(&path, Node::Folder, limits),
            EntryType::Symlink => tree.add(&path, Node::Link(link), limits),
            EntryType::Link => tree.add_hard_link(&path, &link, limits),
            _ => tree.add(&path, Node::Other, limits),
        }
    }
    Ok(())
}

fn short(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    crate::source::bounded(entry, EXTENSION, &mut bytes)?;
    Ok(bytes)
}

/// What is kept of a file.
fn content(path: &str, entry: &mut impl Read, limits: &Limits) -> io::Result<Content> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match entry.read(&mut head[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    let head = &head[..filled];
    let rest = |limit: u64, entry: &mut dyn Read| {
        let mut bytes = head.to_vec();
        entry.take(limit.saturating_sub(4)).read_to_end(&mut bytes).map(|_| bytes)
    };
    if head == b"\x7fELF" {
        let bytes = rest(limits.executable, entry)?;
        let cut = entry.read(&mut [0])? > 0;
        return Ok(Elf::read(&bytes, cut).map_or(Content::Other, |elf| Content::Elf(Box::new(elf))));
    }
    if head.starts_with(b"#!") {
        let bytes = rest(512, entry)?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.get(2..).unwrap_or_default()).trim().to_owned();
        return Ok(Content::Script(line));
    }
    let clean = path.trim_start_matches("./").trim_start_matches('/');
    let asked = TEXTS.contains(&clean) || TEXT_FOLDERS.iter().any(|folder| clean.starts_with(folder));
    if asked {
        return Ok(Content::Text(Arc::new(rest(limits.text, entry)?)));
    }
    Ok(Content::Other)
}
