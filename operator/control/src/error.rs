//! What can go wrong in this room, and the few kinds of it that metrics and back-off look at.

use std::path::PathBuf;

use jiuzhou_engine::decide::canonical::CanonicalError;
use jiuzhou_records::audit::AuditError;
use kube::config::{InferConfigError, KubeconfigError};

use crate::http::ServeError;
use crate::leader::NotLeader;
use crate::state::StateError;
use crate::telemetry::traces::AddressError;

/// Kinds of errors: a bounded list, fit for a label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The configuration of this run.
    Configuration,
    /// Somebody else wrote first: read again and decide again.
    Conflict,
    /// A right is missing.
    Forbidden,
    /// The API server refuses the object.
    Refused,
    /// The API server does not answer, or not in time.
    Unreachable,
    /// The audit log cannot be written or read.
    Records,
    /// This process does not lead.
    Lease,
    /// A fault of ours.
    Internal,
}

impl Category {
    /// As the label of a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Records => "records",
            Self::Lease => "lease",
            Self::Internal => "internal",
        }
    }
}

/// Why the operator could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig says nothing usable.
    #[error("failed to read the kubeconfig")]
    Kubeconfig(#[source] KubeconfigError),
    /// Neither a kubeconfig nor a service account.
    #[error("failed to find out where the hub is")]
    Infer(#[source] Box<InferConfigError>),
    /// No client can be made of the configuration.
    #[error("failed to make a client of the hub")]
    Client(#[source] Box<kube::Error>),
    /// The counter of epochs holds no number.
    #[error("failed to read the counter of epochs: {0:?} is no number; a counter never begins anew by itself")]
    Epoch(String),
    /// The note of reminders holds something else.
    #[error("failed to read what was reminded of: the ConfigMap jiuzhou-system/reminders is no note of ours")]
    Reminders,
    /// The Secret of the digest key holds none, or there is no randomness to make one.
    #[error("failed to read the digest key: the Secret jiuzhou-system/digest-key holds none")]
    DigestKey,
    /// The snapshot cannot be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// A value cannot be digested.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The inputs of decisions cannot be written or read.
    #[error("failed to {verb} {}", path.display())]
    Journal {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// This process may not write now.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// Another process leads.
    #[error("failed to keep the lease; another process may lead")]
    LeaseLost,
    /// A person gave this hub a new term, or the members of another hub.
    #[error(
        "failed to go on as before: a person gave this hub another term or the members of a former hub; starting anew"
    )]
    Promoted,
    /// Traces cannot be sent there.
    #[error(transparent)]
    Traces(#[from] AddressError),
    /// Health or metrics cannot be served.
    #[error(transparent)]
    Serve(ServeError),
    /// A revision cannot be written as an object, or is none that can be gone back to.
    #[error("failed to make a revision of {0}")]
    Revision(String, #[source] serde_json::Error),
    /// What was asked of a revision or a rollout cannot be done; the text says why, in English and Chinese.
    #[error("{0} {1}")]
    Order(String, String),
    /// The audit log refused.
    #[error("failed to record a decision")]
    Audit(#[source] AuditError),
    /// The hub refused or did not answer.
    #[error("failed to {verb} {what}")]
    Api {
        /// What was asked for, e.g. `write`.
        verb: &'static str,
        /// Of which object.
        what: String,
        /// What the client says.
        source: Box<kube::Error>,
    },
}

impl Error {
    /// An answer of the hub about one object.
    #[must_use]
    pub fn api(verb: &'static str, what: impl Into<String>, source: kube::Error) -> Self {
        Self::Api { verb, what: what.into(), source: Box::new(source) }
    }

    /// What kind it is.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::Kubeconfig(_) | Self::Infer(_) | Self::Client(_) => Category::Configuration,
            Self::Epoch(_) | Self::DigestKey | Self::Reminders | Self::State(StateError::Snapshot(_)) => {
                Category::Refused
            }
            Self::State(StateError::Schema(_)) | Self::Canonical(_) => Category::Internal,
            Self::NotLeader(_) | Self::LeaseLost | Self::Promoted => Category::Lease,
            Self::Serve(_) | Self::Traces(_) => Category::Configuration,
            Self::Journal { .. } | Self::Audit(_) => Category::Records,
            Self::Revision(..) => Category::Internal,
            Self::Order(..) => Category::Refused,
            Self::Api { source, .. } => of_api(source),
        }
    }
}

/// What kind of error the answer to a request is; one that says "not there" is an answer, not an error.
///
/// # Errors
/// The category of an answer that refuses, or of none at all.
pub(crate) fn of_answer(status: Option<http::StatusCode>) -> Result<(), Category> {
    match status.map(|status| status.as_u16()) {
        None | Some(429) => Err(Category::Unreachable),
        Some(401 | 403) => Err(Category::Forbidden),
        Some(409) => Err(Category::Conflict),
        Some(code) if code < 400 || code == 404 => Ok(()),
        Some(code) if code < 500 => Err(Category::Refused),
        Some(_) => Err(Category::Unreachable),
    }
}

/// What kind an answer of an API server is.
#[must_use]
pub(crate) fn of_api(error: &kube::Error) -> Category {
    match error {
        kube::Error::Api(status) if status.is_conflict() || status.is_already_exists() => Category::Conflict,
        kube::Error::Api(status) if status.is_forbidden() || status.code == 401 => Category::Forbidden,
        kube::Error::Api(status) if status.code == 429 || status.code >= 500 => Category::Unreachable,
        kube::Error::Api(_) => Category::Refused,
        kube::Error::SerdeError(_) => Category::Internal,
        _ => Category::Unreachable,
    }
}
