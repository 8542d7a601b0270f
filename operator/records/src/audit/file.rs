//! The log in one folder, for one process: segments, a lock, and one fsync per batch.
//!
//! An fsync that failed is never tried again, because the kernel may have dropped the pages: the log then takes no more
//! appends until it is opened and read again. A write that failed before its fsync (a full disk) is cut off, and the log
//! goes on.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, TryLockError},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use jiuzhou_engine::terms::{Digest, DigestAlgorithm};

use super::{
    AuditError, Damage, Entry, Expected, Fault, Head, Log, Receipt, Record,
    index::Index,
    record::Chain,
    scan::{self, Torn},
    segment::{self, Medium, Segment},
};

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Id of the log: the hub's identity. A folder with another id is refused.
    pub log: String,
    /// How a new log is digested; an existing one keeps its own.
    pub algorithm: DigestAlgorithm,
    /// A segment that has grown to so many bytes is sealed, and the next one begun.
    pub segment_bytes: u64,
    /// A head kept elsewhere, which this log must contain.
    pub seen: Option<Head>,
}

impl Options {
    /// SHA-256 and segments of 64 MiB.
    #[must_use]
    pub fn new(log: impl Into<String>) -> Self {
        Self { log: log.into(), algorithm: DigestAlgorithm::Sha256, segment_bytes: 64 << 20, seen: None }
    }
}

/// What opening found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where the log stands.
    pub head: Head,
    /// An unfinished write that was cut off; to be told in the log by [`Torn::entry`].
    pub torn: Option<Torn>,
}

/// The log in one folder. The lock on it ends with this value.
pub struct FileLog {
    folder: PathBuf,
    segment_bytes: u64,
    chain: Chain,
    segments: Vec<Segment>,
    tail: Box<dyn Medium>,
    index: Index,
    failed: Option<AuditError>,
    syncs: u64,
    _lock: File,
}

impl fmt::Debug for FileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog").field("folder", &self.folder).field("head", &self.chain.head).finish_non_exhaustive()
    }
}

impl FileLog {
    /// Opens the log in a folder, or begins one there; reads and checks all of it.
    ///
    /// # Errors
    /// [`AuditError::Locked`], [`AuditError::OtherLog`], [`AuditError::Rewritten`], [`AuditError::Damaged`],
    /// [`AuditError::Io`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Opened), AuditError> {
        fs::create_dir_all(folder).map_err(AuditError::io("create", folder))?;
        let lock = lock(folder)?;
        let Options { log, algorithm, segment_bytes, seen } = options;
        let paths = segment::list(folder)?;
        let mut chain = Chain::start(&log, algorithm);
        if let Some(path) = paths.values().next() {
            let (head, algorithm) = first_header(path)?;
            if head.log != log {
                return Err(AuditError::OtherLog { found: head.log, wanted: log });
            }
            chain = Chain::start(&log, algorithm);
        }
        let mut segments = Vec::with_capacity(paths.len());
        let mut index = Index::default();
        let mut witness = Witness::new(seen.as_ref());
        let mut torn = None;
        for (number, path) in paths.values().enumerate() {
            let last = number + 1 == paths.len();
            let scanned = scan::segment(path, &mut chain, last, |record| {
                index.insert(&record.identity(), record.seq);
                witness.visit(record);
            })?;
            if !last {
                index.seal(scanned.segment.first);
            }
            segments.push(scanned.segment);
            torn = scanned.torn;
        }
        witness.judge(&chain.head)?;
        if segments.is_empty() {
            segments.push(segment::create(folder, &chain)?);
        }
        let last = segments.last().expect("a log has a segment");
        let mut tail = last.tail()?;
        let torn = torn.map(|(torn, bytes)| cut(torn, &bytes, &mut tail)).transpose()?;
        let opened = Opened { head: chain.head.clone(), torn };
        let tail = Box::new(tail);
        let folder = folder.to_owned();
        let log = Self { folder, segment_bytes, chain, segments, tail, index, failed: None, syncs: 0, _lock: lock };
        Ok((log, opened))
    }

    /// Fsyncs of records since it was opened.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    fn last(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("a log has a segment")
    }

    /// Seals the last segment and begins the next, when the last has its size.
    fn rotate(&mut self) -> Result<(), AuditError> {
        let last = self.segments.last().expect("a log has a segment");
        if last.bytes < self.segment_bytes || last.count == 0 {
            return Ok(());
        }
        let next = segment::create(&self.folder, &self.chain)?;
        self.tail = Box::new(next.tail()?);
        self.index.seal(last.first);
        self.segments.push(next);
        Ok(())
    }

    /// The record of an identity among the durable ones.
    fn lookup(&self, identity: &Digest) -> Result<Option<Record>, AuditError> {
        for seq in self.index.candidates(identity) {
            if let Some(record) = self.read(seq, 1)?.pop().filter(|record| record.identity() == *identity) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Writes and syncs a batch; afterwards it is durable, or cut off, or the log is closed to appends.
    fn write(&mut self, bytes: &[u8]) -> Result<(), AuditError> {
        let last = self.last();
        let (path, known) = (last.path.clone(), last.bytes);
        let size = self.tail.size().map_err(AuditError::io("measure", &path))?;
        if size != known {
            return Err(self.fail(AuditError::Overwritten { path, expected: known, found: size }));
        }
        if let Err(error) = self.tail.add(bytes) {
            let error = AuditError::io("write", &path)(error);
            return Err(if self.tail.cut(known).is_ok() { error } else { self.fail(error) });
        }
        self.syncs += 1;
        self.tail.sync().map_err(|error| self.fail(AuditError::io("sync", &path)(error)))
    }

    fn fail(&mut self, error: AuditError) -> AuditError {
        self.failed = Some(error.clone());
        error
    }
}

impl Log for FileLog {
    fn head(&self) -> Head {
        self.chain.head.clone()
    }

    fn append(
        &mut self,
        expected: Expected,
        entries: &[Entry],
    ) -> Result<Vec<Result<Receipt, AuditError>>, AuditError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let head = &self.chain.head;
        if expected.term < head.term {
            return Err(AuditError::StaleTerm { given: expected.term, seen: head.term });
        }
        if expected.size != head.size {
            return Err(AuditError::Moved { expected: expected.size, found: head.size });
        }
        self.rotate()?;
        let mut chain = self.chain.clone();
        chain.begin();
        let mut bytes = Vec::new();
        let mut fresh: BTreeMap<Digest, (Receipt, &Entry)> = BTreeMap::new();
        let mut lengths = Vec::new();
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Err(fault) = entry.check() {
                answers.push(Err(AuditError::Entry(fault)));
                continue;
            }
            let identity = entry.identity(expected.term);
            let again = |seq, digest, conflict| {
                let receipt = Receipt { seq, digest, fresh: false };
                if conflict { Err(AuditError::Conflict { kind: entry.kind, seq }) } else { Ok(receipt) }
            };
            if let Some((first, other)) = fresh.get(&identity) {
                answers.push(again(first.seq, first.digest, other.conflicts(entry)));
            } else if let Some(record) = self.lookup(&identity)? {
                answers.push(again(record.seq, record.digest, record.entry.conflicts(entry)));
            } else {
                let seq = chain.head.size;
                let (line, digest) = chain.push(expected.term, entry);
                let receipt = Receipt { seq, digest, fresh: true };
                lengths.push((identity, line.len() as u64));
                bytes.extend_from_slice(&line);
                fresh.insert(identity, (receipt, entry));
                answers.push(Ok(receipt));
            }
        }
        if !bytes.is_empty() {
            self.write(&bytes)?;
            let first = self.chain.head.size;
            for (seq, (identity, length)) in (first..).zip(&lengths) {
                self.index.insert(identity, seq);
                self.last().push(*length);
            }
            self.chain = chain;
        }
        Ok(answers)
    }

    fn read(&self, from: u64, most: usize) -> Result<Vec<Record>, AuditError> {
        let mut records = Vec::new();
        let start = self.segments.partition_point(|segment| segment.first <= from).saturating_sub(1);
        for segment in &self.segments[start..] {
            let next = from + records.len() as u64;
            if records.len() < most && next < segment.first + segment.count {
                records.extend(segment.read(next, most - records.len())?);
            }
        }
        Ok(records)
    }

    fn find(&self, entry: &Entry, term: u64) -> Result<Option<Record>, AuditError> {
        self.lookup(&entry.identity(term))
    }
}

/// Takes the folder for this process.
fn lock(folder: &Path) -> Result<File, AuditError> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = file.map_err(AuditError::io("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(AuditError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(AuditError::io("lock", &path)(error)),
    }
}

/// Header of the first segment: whose log this is.
fn first_header(path: &Path) -> Result<(Head, DigestAlgorithm), AuditError> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(File::open(path).map_err(AuditError::io("open", path))?);
    reader.read_until(b'\n', &mut line).map_err(AuditError::io("read", path))?;
    let damaged = |fault| AuditError::Damaged(Damage::new(path, 0, fault));
    if line.is_empty() {
        return Err(damaged(Fault::Headless));
    }
    segment::header(&line).map_err(damaged)
}

/// Keeps the bytes of an unfinished write beside the segment, then cuts them off.
fn cut(mut torn: Torn, bytes: &[u8], tail: &mut File) -> Result<Torn, AuditError> {
    let kept = torn.segment.with_extension(format!("torn-{}", torn.offset));
    let mut file = File::create(&kept).map_err(AuditError::io("create", &kept))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(AuditError::io("write", &kept))?;
    segment::sync_folder(torn.segment.parent().unwrap_or(Path::new(".")))?;
    tail.cut(torn.offset).map_err(AuditError::io("cut", &torn.segment))?;
    torn.kept = Some(kept);
    Ok(torn)
}

/// Holds the log against a head that was kept elsewhere.
pub(super) struct Witness<'a> {
    seen: Option<&'a Head>,
    met: Option<Digest>,
}

impl<'a> Witness<'a> {
    pub(super) fn new(seen: Option<&'a Head>) -> Self {
        Self { seen: seen.filter(|head| head.size > 0), met: None }
    }

    pub(super) fn visit(&mut self, record: &Record) {
        if self.seen.is_some_and(|head| head.size == record.seq + 1) {
            self.met = Some(record.digest);
        }
    }

    pub(super) fn judge(&self, head: &Head) -> Result<(), AuditError> {
        let Some(seen) = self.seen else { return Ok(()) };
        if seen.log != head.log {
            return Err(AuditError::OtherLog { found: head.log.clone(), wanted: seen.log.clone() });
        }
        if self.met == Some(seen.digest) {
            return Ok(());
        }
        Err(AuditError::Rewritten { at: seen.size - 1, missing: self.met.is_none() })
    }
}

#[cfg(test)]
mod tests;
