//! What can go wrong with the audit log. Clonable, because one failed write is the answer to every waiting append.

use std::{io, path::PathBuf, sync::Arc};

use super::{Damage, EntryFault, Kind};

/// Errors of the audit log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    /// The file system refused. After a failed write or fsync the log takes no more appends until it is opened again.
    #[error("failed to {doing} {}: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        error: Arc<io::Error>,
    },
    /// Another process has the folder open.
    #[error("failed to open the audit log in {}: another process has it open", .0.display())]
    Locked(PathBuf),
    /// The folder holds the log of another hub.
    #[error("failed to open the audit log: it belongs to hub {found:?}, not to {wanted:?}")]
    OtherLog {
        /// Whose it is.
        found: String,
        /// Whose was wanted.
        wanted: String,
    },
    /// The log has fewer records than somebody has seen, or other ones.
    #[error("failed to open the audit log: record {at} was seen elsewhere and is {} here", if *.missing { "missing" } else { "another" })]
    Rewritten {
        /// Sequence number of the last record of the head kept elsewhere.
        at: u64,
        /// Gone, rather than different.
        missing: bool,
    },
    /// Bytes that were acknowledged are not what was written. Nothing is repaired by itself.
    #[error("failed to read the audit log: {0}")]
    Damaged(Damage),
    /// The writer's lease term is below one the log has seen: somebody else leads.
    #[error("failed to append to the audit log: lease term {given} is over, the log has seen {seen}")]
    StaleTerm {
        /// Term of the writer.
        given: u64,
        /// Highest term in the log.
        seen: u64,
    },
    /// The log has another size than the writer believes: somebody else wrote.
    #[error("failed to append to the audit log: expected {expected} records, found {found}")]
    Moved {
        /// What the writer believed.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The segment has another length than this process left it: somebody else wrote.
    #[error("failed to append to the audit log: {} has {found} bytes, expected {expected}", path.display())]
    Overwritten {
        /// The segment.
        path: PathBuf,
        /// Bytes this process wrote.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The entry breaks a rule of [`super::Entry`].
    #[error("failed to append to the audit log: {0}")]
    Entry(EntryFault),
    /// A decision of this id is recorded with other digests.
    #[error("failed to append to the audit log: {kind:?} is already record {seq}, with other content")]
    Conflict {
        /// Kind of the entry.
        kind: Kind,
        /// The record it collides with.
        seq: u64,
    },
    /// More appends wait than the recorder holds.
    #[error("failed to append to the audit log: {0} appends are waiting")]
    Overloaded(usize),
    /// The recorder was stopped.
    #[error("failed to append to the audit log: it is closed")]
    Closed,
}

impl AuditError {
    /// An error of the file system.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { doing, path, error: Arc::new(error) }
    }
}
