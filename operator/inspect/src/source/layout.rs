//! An OCI image layout as a folder: `oci-layout`, `index.json`, `blobs/sha256/…`.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::InspectError;
use crate::limits::Limits;
use crate::oci::{Descriptor, Manifest};

use super::{Blob, Root, Source, blob_path, bounded, layout_roots};

/// A layout folder.
pub(super) struct Layout {
    folder: PathBuf,
    limits: Limits,
}

impl Layout {
    pub(super) fn open(folder: &Path, limits: Limits) -> Result<Self, InspectError> {
        if !folder.join("index.json").is_file() {
            return Err(InspectError::NotAnImage { path: folder.display().to_string() });
        }
        Ok(Self { folder: folder.to_owned(), limits })
    }

    /// A regular file and nothing that could block or never end.
    fn file(&self, path: &str) -> Result<(File, u64), InspectError> {
        let whole = self.folder.join(path);
        let shown = whole.display().to_string();
        let meta = match std::fs::metadata(&whole) {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(InspectError::Missing(path.to_owned()));
            }
            Err(error) => return Err(InspectError::read(&shown, error)),
        };
        if !meta.is_file() {
            return Err(InspectError::unsupported(&shown, "what is no regular file"));
        }
        let file = File::open(&whole).map_err(|error| InspectError::read(&shown, error))?;
        Ok((file, meta.len()))
    }
}

impl Source for Layout {
    fn roots(&mut self) -> Result<Vec<Root>, InspectError> {
        let (file, _) = self.file("index.json")?;
        let mut bytes = Vec::new();
        bounded(file, self.limits.json, &mut bytes).map_err(|error| InspectError::from_io("index.json", error))?;
        let index = Manifest::parse("index.json", &bytes)?;
        layout_roots(index.manifests.unwrap_or_default(), &self.limits)
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<Blob<'_>, InspectError> {
        let (file, size) = self.file(&blob_path(&descriptor.digest)?)?;
        Ok(Blob { reader: Box::new(file), size })
    }
}
