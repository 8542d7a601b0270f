//! The log of requests: every one that reached the world, in order, with what became of it.
//!
//! Oracles read it: it is the complete history of a server. Bodies appear as digests only.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::request::Request;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the log, from 0.
    pub number: u64,
    /// Time on the world's clock.
    pub at: jiff::Timestamp,
    /// Client that asked, as named by the test.
    pub client: String,
    /// User, after impersonation.
    pub user: String,
    /// Groups it was asked for with.
    pub groups: Vec<String>,
    /// Method.
    pub method: String,
    /// Verb: get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: String,
    /// Path.
    pub path: String,
    /// Query as sorted `name=value` pairs.
    pub query: String,
    /// `plural.group`, or empty.
    pub resource: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name, or empty; of a create the name that came out.
    pub name: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// SHA-256 of the body in hexadecimal, empty without a body.
    pub body_digest: String,
    /// Status of the answer; 0 when the connection broke before the request was handled.
    pub code: u16,
    /// Revision of the store after the request.
    pub revision: u64,
    /// Whether it changed the store.
    pub wrote: bool,
    /// What a test did to it, or empty.
    pub fault: String,
}

impl Entry {
    /// The entry of a request that has not been handled yet.
    pub(crate) fn begin(number: u64, at: jiff::Timestamp, request: &Request) -> Self {
        let target = &request.target;
        let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            number,
            at,
            client: request.client.clone(),
            user: request.user.clone(),
            groups: request.groups.clone(),
            method: request.method.to_string(),
            verb: request.verb().to_owned(),
            path: request.path.clone(),
            query: query.join("&"),
            resource: if target.plural.is_empty() {
                String::new()
            } else {
                crate::kinds::resource(&target.group, &target.plural)
            },
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            subresource: target.subresource.clone(),
            body_digest: digest(&request.body),
            code: 0,
            revision: 0,
            wrote: false,
            fault: String::new(),
        }
    }

    /// One line for a person, and for comparing two runs: everything but the time.
    #[must_use]
    pub fn line(&self) -> String {
        let fault = if self.fault.is_empty() { String::new() } else { format!(" [{}]", self.fault) };
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let digest = self.body_digest.get(..8).unwrap_or_default();
        format!(
            "{:>5} {} {} {}{query} {digest} -> {} @{}{fault}",
            self.number, self.client, self.method, self.path, self.code, self.revision
        )
    }

    /// The name of what was made, from the answer.
    pub(crate) fn named(&mut self, body: &Value) {
        if self.name.is_empty() && self.verb == "create" {
            self.name = crate::meta::text(body, "name").to_owned();
        }
    }
}

fn digest(body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}
