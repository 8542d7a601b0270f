//! Reads a segment from its first line to its last, and tells an unfinished write from damage.
//!
//! A write that was under way when the machine stopped leaves its end missing or holes of zeros, and only in the last
//! write of the last segment; it was never acknowledged. Everything else is damage and is never repaired here.

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use jiuzhou_engine::terms::Digest;

use super::{
    AuditError, Entry, Fault, Kind, Record,
    record::{self, Chain},
    segment::{self, Segment},
};

/// Where a segment is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// File of the segment.
    pub segment: PathBuf,
    /// Offset of the line in bytes.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Damage {
    pub(super) fn new(segment: &Path, offset: u64, fault: Fault) -> Self {
        Self { segment: segment.to_owned(), offset, fault }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.segment.display(), self.offset, self.fault)
    }
}

/// The rest of a write that did not finish: never acknowledged, and no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// File of the segment.
    pub segment: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Their digest.
    pub digest: Digest,
    /// Where the bytes were kept when they were cut off.
    pub kept: Option<PathBuf>,
}

impl Torn {
    /// The entry that tells of the cut, for the caller to append first.
    #[must_use]
    pub fn entry(&self, time: jiff::Timestamp, actor: impl Into<String>) -> Entry {
        let mut entry = Entry::new(time, Kind::TailCut, actor);
        entry.digests.insert("cut".into(), self.digest);
        entry
    }
}

/// A segment that was read, and the unfinished write behind its last record.
pub(super) struct Scanned {
    pub(super) segment: Segment,
    pub(super) torn: Option<(Torn, Vec<u8>)>,
}

/// Reads a segment that must follow from a chain, and moves the chain to its end.
///
/// `last` says that no segment follows, so that its end may be unfinished.
pub(super) fn segment(
    path: &Path,
    chain: &mut Chain,
    last: bool,
    mut visit: impl FnMut(&Record),
) -> Result<Scanned, AuditError> {
    let io = |error| AuditError::io("read", path)(error);
    let damaged = |offset, fault| AuditError::Damaged(Damage::new(path, offset, fault));
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).map_err(io)?;
    if line.is_empty() {
        return Err(damaged(0, Fault::Headless));
    }
    let (head, algorithm) = segment::header(&line).map_err(|fault| damaged(0, fault))?;
    if (&head.log, algorithm) != (&chain.head.log, chain.algorithm) {
        return Err(damaged(0, Fault::Log));
    }
    if head.size != chain.head.size {
        return Err(damaged(0, Fault::Order { found: head.size, expected: chain.head.size }));
    }
    if head != chain.head {
        return Err(damaged(0, Fault::Chain));
    }
    let mut segment = Segment::new(path.to_owned(), head.size, line.len() as u64);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
            return Ok(Scanned { segment, torn: None });
        }
        let fault = match chain.accept(&line) {
            Ok(record) => {
                segment.push(line.len() as u64);
                visit(&record);
                continue;
            }
            Err(fault) => fault,
        };
        let offset = segment.bytes;
        if !last || !matches!(fault, Fault::Unfinished | Fault::Hole) {
            return Err(damaged(offset, fault));
        }
        reader.read_to_end(&mut line).map_err(io)?;
        if acknowledged_follows(&line, chain.head.size) {
            return Err(damaged(offset, fault));
        }
        let digest = Digest::of(chain.algorithm, &line);
        let torn = Torn { segment: path.to_owned(), offset, bytes: line.len() as u64, digest, kept: None };
        return Ok(Scanned { segment, torn: Some((torn, line)) });
    }
}

/// Whether a later write than the one with this record left a whole line: then this one had been acknowledged.
fn acknowledged_follows(rest: &[u8], seq: u64) -> bool {
    rest.split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| record::parse(line).ok())
        .any(|record| record.batch > seq)
}
