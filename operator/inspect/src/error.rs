//! Why a source, or a part of an image, cannot be read.

use std::io;

/// A failure of this room. Failures of a part end in a finding that carries their words.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// A file or folder.
    #[error("failed to read {path}: {}", source.kind())]
    Read {
        /// Which.
        path: String,
        /// What the machine says.
        source: io::Error,
    },
    /// The file or folder is no image.
    #[error(
        "failed to find an image in {path}: want an OCI layout (oci-layout, index.json) or an archive of `docker save`"
    )]
    NotAnImage {
        /// Which.
        path: String,
    },
    /// A document of the image is not what it should be.
    #[error("failed to read {what}: {detail}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A blob that an image names is not there.
    #[error("failed to find {0}")]
    Missing(String),
    /// Bytes that do not have the digest they are named by.
    #[error("failed to verify {0}: the bytes have another digest")]
    Digest(String),
    /// More than [`crate::Limits`] allow.
    #[error("failed to read {what}: more than {limit}")]
    Limit {
        /// What there is too much of.
        what: String,
        /// How much is allowed.
        limit: u64,
    },
    /// A form this build does not read.
    #[error("failed to read {what}: {detail} is not supported")]
    Unsupported {
        /// What has the form.
        what: String,
        /// The form.
        detail: String,
    },
    /// A registry did not answer as it should.
    #[error("failed to ask the registry {host}: {detail}")]
    Registry {
        /// Which.
        host: String,
        /// What it answered.
        detail: String,
    },
}

impl InspectError {
    pub(crate) fn read(path: &str, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    #[allow(clippy::needless_pass_by_value, reason = "texts and errors alike are told and gone")]
    pub(crate) fn malformed(what: &str, detail: impl ToString) -> Self {
        Self::Malformed { what: what.to_owned(), detail: detail.to_string() }
    }

    pub(crate) fn limit(what: &str, limit: u64) -> Self {
        Self::Limit { what: what.to_owned(), limit }
    }

    pub(crate) fn unsupported(what: &str, detail: &str) -> Self {
        Self::Unsupported { what: what.to_owned(), detail: detail.to_owned() }
    }

    /// The error that a reader carries through `std::io`, or the reader's own.
    pub(crate) fn from_io(what: &str, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::malformed(what, error),
        }
    }
}

impl From<InspectError> for io::Error {
    fn from(error: InspectError) -> Self {
        Self::other(error)
    }
}
