//! The audit log: an append-only chain of records, durable before an append is acknowledged.
//!
//! [`Entry`] is what a caller says, [`Record`] is what the log keeps: the entry with its place, the lease term of who
//! wrote it, the digest of the record before and its own. [`Log`] is what a store must do; [`FileLog`] is the store in
//! one folder of one process; [`Recorder`] shares one store among many callers, who wait together for one fsync.
//! [`verify`] reads a folder that nobody needs to have open. A chain alone cannot tell that its last records were cut off
//! cleanly: keep a [`Head`] elsewhere and hand it to [`FileLog::open`] and [`verify`].
//!
//! The format is internal and may change until the ledger is published. Not here: what a decision is, sentences.

mod entry;
mod error;
mod file;
mod index;
mod line;
mod record;
mod recorder;
mod scan;
mod segment;
mod verify;

pub use entry::{Cluster, Entry, EntryFault, Kind, ObjectId, Outcome, Verb, WorkloadId, WriteResult};
pub use error::AuditError;
pub use file::{FileLog, Opened, Options};
pub use record::{Fault, Head, Receipt, Record};
pub use recorder::{Recorder, Stats};
pub use scan::{Damage, Torn};
pub use verify::{Verification, verify};

/// What a writer believes about the log; an append that believes wrong is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Records in the log.
    pub size: u64,
    /// Lease term of the writer; the log refuses one below the highest it has seen.
    pub term: u64,
}

/// A store of records. One writer at a time; a second one is found out by term and size.
pub trait Log: Send {
    /// Where the log stands.
    fn head(&self) -> Head;

    /// Appends entries in order, all durable when this returns. An entry that is already there answers with its first
    /// record and changes nothing; one that breaks a rule is refused alone, and the others are appended.
    ///
    /// # Errors
    /// The batch as a whole: [`AuditError::StaleTerm`], [`AuditError::Moved`], [`AuditError::Io`]. Nothing of it is
    /// acknowledged then; what reached the disk anyway is found again by appending once more.
    fn append(&mut self, expected: Expected, entries: &[Entry])
    -> Result<Vec<Result<Receipt, AuditError>>, AuditError>;

    /// At most `most` records from a sequence number on; empty at the end of the log.
    ///
    /// # Errors
    /// [`AuditError::Io`], or [`AuditError::Damaged`] when a record is not what was written.
    fn read(&self, from: u64, most: usize) -> Result<Vec<Record>, AuditError>;

    /// The record of an entry, if the log has it; how a new leader learns what it need not append again.
    ///
    /// # Errors
    /// As [`Log::read`].
    fn find(&self, entry: &Entry, term: u64) -> Result<Option<Record>, AuditError>;

    /// All records from a sequence number on, read in pages.
    fn records(&self, from: u64) -> Records<'_, Self>
    where
        Self: Sized,
    {
        Records { log: self, next: from, page: Vec::new().into_iter(), failed: false }
    }
}

/// Iterates over a log; made by [`Log::records`]. Ends after the first error.
#[derive(Debug)]
pub struct Records<'a, L> {
    log: &'a L,
    next: u64,
    page: std::vec::IntoIter<Record>,
    failed: bool,
}

/// Records read at once by [`Records`].
const PAGE: usize = 256;

impl<L: Log> Iterator for Records<'_, L> {
    type Item = Result<Record, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.page.as_slice().is_empty() {
            match self.log.read(self.next, PAGE) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        let record = self.page.next()?;
        self.next = record.seq + 1;
        Some(Ok(record))
    }
}
