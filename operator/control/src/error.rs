//! What can go wrong in this room, and the few kinds of it that metrics and back-off look at.

use kube::config::{InferConfigError, KubeconfigError};

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
            Self::Api { source, .. } => of_api(source),
        }
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
