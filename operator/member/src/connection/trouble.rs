//! What went wrong with a member, as few words as a condition needs.
//!
//! A member's own words are shown where they help (a refusal names the right that is missing); they are cut, because a
//! hostile member may say anything, and never contain what we sent.

use std::error::Error;

use super::GuardError;

/// Why a request to a member did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No TCP or TLS connection, or it broke.
    NoConnection(String),
    /// The server's certificate is not of the authority that the credential pins.
    Untrusted(String),
    /// Our own limits cut it.
    Cut(GuardError),
    /// 401: the credential is not taken.
    Unauthenticated(String),
    /// 403: a right is missing.
    Forbidden(String),
    /// 404.
    NotFound(String),
    /// 409: changed under our hands, or there already.
    Conflict(String),
    /// Any other answer of an API server.
    Answered {
        /// Status code.
        code: u16,
        /// Its words.
        message: String,
    },
    /// An answer that is none of an API server.
    Nonsense(String),
}

impl Trouble {
    /// Reads an error of kube.
    #[must_use]
    pub fn of(error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let message = short(&status.message);
            return match status.code {
                401 => Self::Unauthenticated(message),
                403 => Self::Forbidden(message),
                404 => Self::NotFound(message),
                409 => Self::Conflict(message),
                code => Self::Answered { code, message },
            };
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        let mut last = String::new();
        while let Some(current) = cause {
            if let Some(cut) = current.downcast_ref::<GuardError>() {
                return Self::Cut(*cut);
            }
            if let Some(why) = untrusted(current) {
                return Self::Untrusted(short(&why));
            }
            last = current.to_string();
            cause = current.source();
        }
        match error {
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) | kube::Error::ReadEvents(_) => {
                Self::Nonsense("the answer is none of a Kubernetes API server".to_owned())
            }
            _ => Self::NoConnection(short(&last)),
        }
    }

    /// Whether the member did not answer at all: what its health is judged by.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        match self {
            Self::NoConnection(_) | Self::Untrusted(_) | Self::Cut(_) => true,
            Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Answered { .. }
            | Self::Nonsense(_) => false,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoConnection(why) => write!(f, "failed to connect: {why}"),
            Self::Untrusted(why) => {
                write!(f, "failed to trust the server: its certificate is not of the kubeconfig's authority ({why})")
            }
            Self::Cut(why) => write!(f, "{why}"),
            Self::Unauthenticated(words) => write!(f, "failed to authenticate (401): {words}"),
            Self::Forbidden(words) => write!(f, "failed for want of a right (403): {words}"),
            Self::NotFound(words) => write!(f, "failed to find it (404): {words}"),
            Self::Conflict(words) => write!(f, "failed by a conflict (409): {words}"),
            Self::Answered { code, message } => write!(f, "failed with {code}: {message}"),
            Self::Nonsense(what) => write!(f, "failed to understand: {what}"),
        }
    }
}

/// Why a certificate was not taken. An `io::Error` hides what it carries from the chain of causes, and layers of TLS and
/// HTTP put one into another.
fn untrusted(error: &(dyn Error + 'static)) -> Option<String> {
    let mut inner = error;
    while let Some(carried) = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        inner = carried;
    }
    match inner.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => Some(format!("{why:?}")),
        _ => None,
    }
}

/// At most 300 characters on one line.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_of_another_authority_is_told_apart_from_silence() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = kube::Error::Service(Box::new(std::io::Error::other(std::io::Error::other(tls))));
        let trouble = Trouble::of(&error);
        assert_eq!(trouble, Trouble::Untrusted("UnknownIssuer".to_owned()));
        assert!(trouble.is_silence(), "it did not answer us");
        let refused = kube::Error::Service(Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)));
        assert!(matches!(Trouble::of(&refused), Trouble::NoConnection(_)));
    }
}
