//! What the log keeps of an entry, and the chain that ties records together.

use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use serde::{Deserialize, Serialize};

use super::{
    entry::{Entry, Kind},
    line,
};

/// An entry with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Place in the log, from 0, without gaps.
    pub seq: u64,
    /// First record of the write this one was part of.
    pub batch: u64,
    /// Lease term of the writer.
    pub term: u64,
    /// What happened.
    pub entry: Entry,
    /// Digest of the record before; of the log's id for the first.
    pub previous: Digest,
    /// Digest of this record.
    pub digest: Digest,
}

/// A record on disk, without its own digest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<E> {
    seq: u64,
    batch: u64,
    term: u64,
    entry: E,
    previous: Digest,
}

/// Where a log stands. Kept outside the log it shows later that records were cut off or rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    /// Id of the log: the hub's.
    pub log: String,
    /// Records in it.
    pub size: u64,
    /// Highest lease term in it.
    pub term: u64,
    /// Digest of the last record; of the log's id when empty.
    pub digest: Digest,
}

/// Answer to an append: the entry is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its record.
    pub seq: u64,
    /// Digest of that record.
    pub digest: Digest,
    /// Whether this append made the record, rather than an earlier one.
    pub fresh: bool,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No newline at the end.
    #[error("the line is not finished")]
    Unfinished,
    /// Bytes of zero, as a file system leaves where a write did not arrive.
    #[error("the line has a hole")]
    Hole,
    /// Not JSON.
    #[error("the line is not JSON")]
    NotJson,
    /// JSON in another spelling than the one that is written.
    #[error("the line is not in canonical form")]
    NotCanonical,
    /// No digest, or one that cannot be read.
    #[error("the line has no digest")]
    NoDigest,
    /// The digest does not fit the line.
    #[error("the digest does not fit the line")]
    Digest,
    /// Not a record or header of this format.
    #[error("the line is neither record nor header of this format: {0}")]
    Shape(String),
    /// A record or segment is missing, doubled or in another place.
    #[error("found number {found}, expected {expected}")]
    Order {
        /// What is there.
        found: u64,
        /// What must be there.
        expected: u64,
    },
    /// The record before is another one.
    #[error("the digest of the record before does not fit")]
    Chain,
    /// A lease term goes down, or a write's first number does.
    #[error("the field {0} goes back")]
    Back(&'static str),
    /// The segment is of another log, or digested in another way.
    #[error("the segment is of another log")]
    Log,
    /// The segment has nothing at all.
    #[error("the segment has no header")]
    Headless,
}

/// The end of a chain, and what may follow.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) head: Head,
    pub(super) algorithm: DigestAlgorithm,
    batch: u64,
}

impl Chain {
    /// The chain of an empty log.
    pub(super) fn start(log: &str, algorithm: DigestAlgorithm) -> Self {
        let head = Head { log: log.to_owned(), size: 0, term: 0, digest: Digest::of(algorithm, log.as_bytes()) };
        Self { head, algorithm, batch: 0 }
    }

    /// Where a segment starts whose predecessor could not be read.
    pub(super) fn resume(head: Head, algorithm: DigestAlgorithm) -> Self {
        let batch = head.size;
        Self { head, algorithm, batch }
    }

    /// Starts a new write: the records that follow are durable together.
    pub(super) fn begin(&mut self) {
        self.batch = self.head.size;
    }

    /// Adds an entry and says its line.
    pub(super) fn push(&mut self, term: u64, entry: &Entry) -> (Vec<u8>, Digest) {
        let body = Body { seq: self.head.size, batch: self.batch, term, entry, previous: self.head.digest };
        let (bytes, digest) = line::seal(&body, self.algorithm);
        self.head = Head { size: self.head.size + 1, term, digest, log: std::mem::take(&mut self.head.log) };
        (bytes, digest)
    }

    /// Reads the next line, which must follow from what came before.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Result<Record, Fault> {
        let record = parse(bytes)?;
        if record.seq != self.head.size {
            return Err(Fault::Order { found: record.seq, expected: self.head.size });
        }
        if record.digest.algorithm() != self.algorithm {
            return Err(Fault::Log);
        }
        if record.previous != self.head.digest {
            return Err(Fault::Chain);
        }
        if record.term < self.head.term {
            return Err(Fault::Back("term"));
        }
        if record.batch < self.batch || record.batch > record.seq {
            return Err(Fault::Back("batch"));
        }
        self.batch = record.batch;
        self.head = Head {
            size: record.seq + 1,
            term: record.term,
            digest: record.digest,
            log: std::mem::take(&mut self.head.log),
        };
        Ok(record)
    }
}

/// Reads a line as a record, without asking what came before.
pub(super) fn parse(bytes: &[u8]) -> Result<Record, Fault> {
    let (value, digest) = line::open(bytes)?;
    let body: Body<Entry> = serde_json::from_value(value).map_err(|error| Fault::Shape(error.to_string()))?;
    body.entry.check().map_err(|fault| Fault::Shape(fault.to_string()))?;
    let Body { seq, batch, term, entry, previous } = body;
    Ok(Record { seq, batch, term, entry, previous, digest })
}

impl Record {
    /// What makes two entries the same record.
    pub(super) fn identity(&self) -> Digest {
        self.entry.identity(self.term)
    }

    /// The decision this record is about, for kinds that have one.
    #[must_use]
    pub fn decision(&self) -> Option<(Kind, Digest)> {
        self.entry.decision.map(|decision| (self.entry.kind, decision))
    }
}
