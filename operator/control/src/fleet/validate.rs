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
        // Without a word here the member would wait for a right that nobody knows to be missing.
        Credential::Unreadable { what } => {
            let told = format!("{what} cannot be read by the operator: keep it in jiuzhou-system, as join does");
            Err((Problem::new(ControllerReason::CredentialRefused, told), None))
        }
        // The hub's own trouble is none of the member's: what is in use stays in use.
        Credential::Unknown(trouble) => {
            tracing::warn!(%trouble, "failed to read the credential of a member; trying again");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_may_not_be_read_is_told_with_its_name() {
        let unreadable = Credential::Unreadable { what: "Secret elsewhere/kubeconfig".to_owned() };
        let Err((problem, version)) = validate(unreadable, Timestamp::UNIX_EPOCH) else { panic!("it is taken") };
        assert!(version.is_none());
        assert!(format!("{problem:?}").contains("Secret elsewhere/kubeconfig cannot be read"), "{problem:?}");
    }
}
