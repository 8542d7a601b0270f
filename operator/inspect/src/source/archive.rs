//! A saved image: the tar that `docker save`, `podman save` and `skopeo copy oci-archive:` write, packed or not.
//!
//! Members are found once and read where they stand. Newer archives hold an OCI layout, older ones `manifest.json` with
//! paths of members; where both stand, the layout is read, because it has digests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::error::InspectError;
use crate::limits::Limits;
use crate::oci::{Descriptor, Manifest, Saved};
use crate::unpack;

use super::{Blob, Root, Source, Target, blob_path, bounded, layout_roots};

/// An archive and where its members stand.
pub(super) struct Archive {
    file: File,
    members: BTreeMap<String, (u64, u64)>,
    limits: Limits,
    path: String,
}

impl Archive {
    pub(super) fn open(path: &str, limits: Limits) -> Result<Self, InspectError> {
        let mut file = File::open(path).map_err(|error| InspectError::read(path, error))?;
        let regular = file.metadata().map_err(|error| InspectError::read(path, error))?.is_file();
        if !regular {
            return Self::spooled(path, &mut file, limits);
        }
        let mut head = Vec::new();
        (&file).take(8).read_to_end(&mut head).map_err(|error| InspectError::read(path, error))?;
        file.rewind().map_err(|error| InspectError::read(path, error))?;
        if unpack::is_packed(&head) {
            return Self::spooled(path, &mut file, limits);
        }
        Self::index(path, file, limits)
    }

    /// What cannot be read twice or from the middle goes into an unnamed file first.
    pub(super) fn spooled(path: &str, from: &mut dyn Read, limits: Limits) -> Result<Self, InspectError> {
        let failed = |error| InspectError::from_io(path, error);
        let mut file = tempfile::tempfile().map_err(failed)?;
        let mut stream = unpack::unpacked(Box::new(from)).map_err(failed)?.take(limits.archive.saturating_add(1));
        let count = io::copy(&mut stream, &mut file).map_err(failed)?;
        if count > limits.archive {
            return Err(InspectError::limit(path, limits.archive));
        }
        drop(stream);
        file.rewind().map_err(failed)?;
        Self::index(path, file, limits)
    }

    fn index(path: &str, file: File, limits: Limits) -> Result<Self, InspectError> {
        let not_an_image = || InspectError::NotAnImage { path: path.to_owned() };
        let mut members = BTreeMap::new();
        let mut archive = tar::Archive::new(&file);
        // Raw: the names that matter are short, and what extends the others is not read into memory.
        let entries = archive.entries_with_seek().map_err(|_| not_an_image())?.raw(true);
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(_) if members.is_empty() => return Err(not_an_image()),
                Err(error) => return Err(InspectError::malformed(path, error)),
            };
            if members.len() >= limits.paths {
                return Err(InspectError::limit("members of the archive", limits.paths as u64));
            }
            let kind = entry.header().entry_type();
            let name = entry.path_bytes();
            let name = String::from_utf8_lossy(name.strip_prefix(b"./").unwrap_or(&name)).into_owned();
            if kind.is_file() {
                let size = entry.header().entry_size().map_err(|error| InspectError::malformed(path, error))?;
                members.insert(name, (entry.raw_file_position(), size));
            } else if let (true, Ok(Some(target))) = (kind.is_symlink() || kind.is_hard_link(), entry.link_name()) {
                // `docker save` of old links one layer of equal content to another: `../<id>/layer.tar`.
                let target = target.to_string_lossy();
                let same = members.get(target.trim_start_matches("../").trim_start_matches("./")).copied();
                members.extend(same.map(|place| (name, place)));
            }
        }
        let archive = Self { file, members, limits, path: path.to_owned() };
        let known = ["index.json", "manifest.json"].iter().any(|name| archive.members.contains_key(*name));
        if known { Ok(archive) } else { Err(not_an_image()) }
    }

    fn member(&mut self, name: &str) -> Result<Blob<'_>, InspectError> {
        let (offset, size) = *self.members.get(name).ok_or_else(|| InspectError::Missing(name.to_owned()))?;
        self.file.seek(SeekFrom::Start(offset)).map_err(|error| InspectError::read(&self.path, error))?;
        Ok(Blob { reader: Box::new((&self.file).take(size)), size })
    }

    fn document(&mut self, name: &str) -> Result<Vec<u8>, InspectError> {
        let limit = self.limits.json;
        let blob = self.member(name)?;
        let mut bytes = Vec::new();
        bounded(blob.reader, limit, &mut bytes).map_err(|error| InspectError::from_io(name, error))?;
        Ok(bytes)
    }
}

impl Source for Archive {
    fn roots(&mut self) -> Result<Vec<Root>, InspectError> {
        if self.members.contains_key("index.json") {
            let index = Manifest::parse("index.json", &self.document("index.json")?)?;
            return layout_roots(index.manifests.unwrap_or_default(), &self.limits);
        }
        let bytes = self.document("manifest.json")?;
        let saved: Vec<Saved> =
            serde_json::from_slice(&bytes).map_err(|error| InspectError::malformed("manifest.json", error))?;
        if saved.len() > self.limits.manifests {
            return Err(InspectError::limit("images of manifest.json", self.limits.manifests as u64));
        }
        let root =
            |mut saved: Saved| Root { names: std::mem::take(&mut saved.repo_tags), target: Target::Saved(saved) };
        Ok(saved.into_iter().map(root).collect())
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<Blob<'_>, InspectError> {
        match &descriptor.member {
            Some(member) => self.member(&member.clone()),
            None => self.member(&blob_path(&descriptor.digest)?),
        }
    }
}
