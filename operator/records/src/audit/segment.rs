//! One file of the log: its name, its header, and where its records lie.
//!
//! A segment is made whole (written beside, synced, renamed), so its header is never half there; records are added to
//! the last one only.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use serde::{Deserialize, Serialize};

use super::{
    AuditError, Damage, Fault, Head, Record, line,
    record::{self, Chain},
};

const FORMAT: &str = "jiuzhou-audit/1";
/// One record in so many has its offset in memory.
const MARK_EVERY: u64 = 64;

/// First line of a segment.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    format: String,
    log: String,
    first: u64,
    term: u64,
    previous: Digest,
}

/// A segment as far as its records are durable.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) bytes: u64,
    marks: Vec<u64>,
}

/// Name of the segment whose first record has this number.
fn name(first: u64) -> String {
    format!("audit-{first:020}.jsonl")
}

/// All segments of a folder, by the first number in their name.
pub(super) fn list(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, AuditError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(AuditError::io("read", folder))? {
        let path = entry.map_err(AuditError::io("read", folder))?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| {
            let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
            (digits.len() == 20).then(|| digits.parse().ok()).flatten()
        });
        if let Some(first) = number {
            found.insert(first, path);
        }
    }
    Ok(found)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), AuditError> {
    // Only Unix can open a folder to sync it; elsewhere names are as durable as the file system makes them.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(AuditError::io("sync", folder))?;
    }
    Ok(())
}

/// Makes the segment that follows a chain, durable with its name.
pub(super) fn create(folder: &Path, chain: &Chain) -> Result<Segment, AuditError> {
    let Head { log, size, term, digest } = chain.head.clone();
    let header = Header { format: FORMAT.into(), log, first: size, term, previous: digest };
    let (bytes, _) = line::seal(&header, chain.algorithm);
    let path = folder.join(name(size));
    let beside = path.with_extension("new");
    let mut file = File::create(&beside).map_err(AuditError::io("create", &beside))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(AuditError::io("write", &beside))?;
    fs::rename(&beside, &path).map_err(AuditError::io("rename", &beside))?;
    sync_folder(folder)?;
    Ok(Segment::new(path, size, bytes.len() as u64))
}

/// Reads a header line: the head before its first record, and how the log is digested.
pub(super) fn header(bytes: &[u8]) -> Result<(Head, DigestAlgorithm), Fault> {
    let (value, digest) = line::open(bytes)?;
    let header: Header = serde_json::from_value(value).map_err(|error| Fault::Shape(error.to_string()))?;
    if header.format != FORMAT {
        return Err(Fault::Shape(format!("format {:?}", header.format)));
    }
    let head = Head { log: header.log, size: header.first, term: header.term, digest: header.previous };
    Ok((head, digest.algorithm()))
}

impl Segment {
    /// A segment with a header and no record.
    pub(super) fn new(path: PathBuf, first: u64, bytes: u64) -> Self {
        Self { path, first, count: 0, bytes, marks: Vec::new() }
    }

    /// Notes that a record of so many bytes follows.
    pub(super) fn push(&mut self, bytes: u64) {
        if self.count.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.bytes);
        }
        self.count += 1;
        self.bytes += bytes;
    }

    /// Opens it to add records.
    pub(super) fn tail(&self) -> Result<File, AuditError> {
        OpenOptions::new().append(true).open(&self.path).map_err(AuditError::io("open", &self.path))
    }

    /// At most `most` records from a number of this segment on.
    pub(super) fn read(&self, from: u64, most: usize) -> Result<Vec<Record>, AuditError> {
        let at = from - self.first;
        let (Some(mark), Ok(skip)) = (
            usize::try_from(at / MARK_EVERY).ok().and_then(|mark| self.marks.get(mark)),
            usize::try_from(at % MARK_EVERY),
        ) else {
            return Ok(Vec::new());
        };
        let most = usize::try_from(self.count - at).map_or(most, |left| left.min(most));
        let io = |error| AuditError::io("read", &self.path)(error);
        let mut reader = BufReader::new(File::open(&self.path).map_err(io)?);
        let mut offset = reader.seek(SeekFrom::Start(*mark)).map_err(io)?;
        let mut bytes = Vec::new();
        let mut records = Vec::with_capacity(most);
        for number in 0..skip + most {
            bytes.clear();
            reader.read_until(b'\n', &mut bytes).map_err(io)?;
            if number >= skip {
                let record = record::parse(&bytes).and_then(|record| {
                    let expected = from + records.len() as u64;
                    let found = record.seq;
                    (found == expected).then_some(record).ok_or(Fault::Order { found, expected })
                });
                records.push(record.map_err(|fault| AuditError::Damaged(Damage::new(&self.path, offset, fault)))?);
            }
            offset += bytes.len() as u64;
        }
        Ok(records)
    }
}

/// What adding records needs of a file. A test puts one that fails in its place.
pub(super) trait Medium: Send {
    /// Bytes in it.
    fn size(&self) -> io::Result<u64>;
    /// Adds bytes at the end.
    fn add(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes them durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts off what is beyond a length, durably.
    fn cut(&mut self, size: u64) -> io::Result<()>;
}

impl Medium for File {
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size).and_then(|()| self.sync_all())
    }
}
