//! How long the inputs of decisions are kept: by days and by bytes, whole files at a time, the oldest first.
//!
//! Every file begins with the whole fleet, so what remains replays by itself. The file that is being written always
//! stays. What goes is first told in the audit log, by name and digest: that a decision was committed is kept for ever,
//! only what it was decided from is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Digest, DigestAlgorithm, Hasher};

use super::journal::{failed, files};
use crate::error::Error;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days since the last line of a file was written.
    pub days: u32,
    /// Bytes of all files together.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { days: 180, bytes: 4 << 30 }
    }
}

/// A file that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outdated {
    pub(crate) path: PathBuf,
    /// SHA-256 of its bytes.
    pub(crate) digest: Digest,
}

impl Outdated {
    /// Its name in the audit log.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Removes it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(failed("remove", &self.path))
    }
}

/// Files of a folder that are not kept. Reads them for their digests.
pub(crate) fn outdated(folder: &Path, keep: Keep, now: Timestamp) -> Result<Vec<Outdated>, Error> {
    let mut all = Vec::new();
    for path in files(folder)?.into_values() {
        let metadata = fs::metadata(&path).map_err(failed("look at", &path))?;
        // A file system that does not say when keeps by bytes alone.
        let written = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(now);
        all.push((path, metadata.len(), written));
    }
    let mut total: u64 = all.iter().map(|(_, bytes, _)| bytes).sum();
    let oldest = now - Duration::from_secs(u64::from(keep.days) * 24 * 3600);
    // The newest is being written.
    all.pop();
    let mut gone = Vec::new();
    for (path, bytes, written) in all {
        if total <= keep.bytes && written >= oldest {
            break;
        }
        total = total.saturating_sub(bytes);
        let digest = digest(&path)?;
        gone.push(Outdated { path, digest });
    }
    Ok(gone)
}

fn digest(path: &Path) -> Result<Digest, Error> {
    use std::io::Read as _;
    let mut file = fs::File::open(path).map_err(failed("read", path))?;
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece).map_err(failed("read", path))? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(sizes: &[usize]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (index, size) in sizes.iter().enumerate() {
            fs::write(folder.path().join(format!("{:08}.jsonl", index + 1)), vec![b'x'; *size]).unwrap();
        }
        folder
    }

    fn names(folder: &Path, keep: Keep, now: Timestamp) -> Vec<String> {
        outdated(folder, keep, now).unwrap().iter().map(Outdated::name).collect()
    }

    #[test]
    fn the_oldest_go_first_and_the_one_being_written_never() {
        let folder = folder(&[100, 100, 100]);
        let keep = |bytes| Keep { days: 10, bytes };
        let now = Timestamp::now();
        assert_eq!(names(folder.path(), keep(300), now), Vec::<String>::new());
        assert_eq!(names(folder.path(), keep(299), now), ["00000001.jsonl"]);
        assert_eq!(names(folder.path(), keep(0), now), ["00000001.jsonl", "00000002.jsonl"]);
        let later = now + Duration::from_secs(11 * 24 * 3600);
        assert_eq!(names(folder.path(), keep(1000), later), ["00000001.jsonl", "00000002.jsonl"]);
    }

    #[test]
    fn what_goes_is_named_by_its_digest() {
        let folder = folder(&[3, 1]);
        let gone = outdated(folder.path(), Keep { days: 1, bytes: 0 }, Timestamp::now()).unwrap();
        assert_eq!(gone[0].digest, Digest::sha256(b"xxx"));
        gone[0].remove().unwrap();
        assert!(!folder.path().join("00000001.jsonl").exists());
    }
}
