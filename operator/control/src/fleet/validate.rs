//! Step 2: whether what was read may be used. Pure.

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_member::connection::Endpoint;

use super::dereference::Credential;
use super::status::Problem;

/// What is wrong with a credential, and the version of the Secret that is.
pub(super) type Fault = (Problem, Option<String>);

/// Checks a credential.
///
/// # Errors
/// What is wrong, and the version of the Secret that is.
pub(super) fn validate(credential: Credential, now: Timestamp) -> Result<Option<(Endpoint, String)>, Fault> {
    match credential {
        Credential::Same => Ok(None),
        Credential::Found { version, kubeconfig } => match Endpoint::from_kubeconfig(&kubeconfig, now) {
            Ok(endpoint) => Ok(Some((endpoint, version))),
            Err(refusal) => Err((Problem::new(refusal.reason(), refusal.to_string()), Some(version))),
        },
        Credential::Missing { what, version } => {
            Err((Problem::new(ControllerReason::ReferenceMissing, format!("{what} does not exist")), version))
        }
        // The hub's own trouble is none of the member's: what is in use stays in use.
        Credential::Unknown(trouble) => {
            tracing::warn!(%trouble, "failed to read the credential of a member; trying again");
            Ok(None)
        }
    }
}
