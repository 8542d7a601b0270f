//! Step 3: a connection of what was found good. Nothing is sent.

use jiuzhou_member::connection::{Connection, Endpoint, Limits};

use super::Dial;
use super::status::Problem;

/// Prepares a connection.
///
/// # Errors
/// When certificate, key and authority do not make a TLS client.
pub(super) fn build(dial: &Dial, endpoint: Endpoint, limits: Limits) -> Result<Connection, Problem> {
    dial(endpoint, limits).map_err(|refusal| Problem::new(refusal.reason(), refusal.to_string()))
}
