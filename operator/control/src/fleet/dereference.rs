//! Step 1: what the hub says about a member besides its MemberCluster: its credential and its agent's heartbeat.

use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{MemberCluster, PushConnection};
use jiuzhou_member::connection::Trouble;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::Boards;
use super::board::Board;
use super::task::Memory;

/// A Secret that was refused is looked at again after this time even if it did not change: a term may have begun.
const AGAIN: Duration = Duration::from_secs(60);

/// The credential as found.
pub(super) enum Credential {
    /// As before, or none is needed.
    Same,
    /// Another than the one in use.
    Found {
        /// `resourceVersion` of the Secret.
        version: String,
        /// Its bytes.
        kubeconfig: Vec<u8>,
    },
    /// There is no such Secret, or no such key in it.
    Missing {
        /// What is missing.
        what: String,
        /// `resourceVersion` of the Secret, where there is one.
        version: Option<String>,
    },
    /// The operator has no right to read the Secret, and no connection of an earlier one is in use.
    Unreadable {
        /// The Secret.
        what: String,
    },
    /// The hub did not say.
    Unknown(Trouble),
}

/// What was read.
pub(super) struct Read {
    pub(super) credential: Credential,
    /// Whether the agent lives; `None` when it cannot be told.
    pub(super) agent_alive: Option<bool>,
}

pub(super) async fn dereference(hub: &Client, object: &MemberCluster, memory: &mut Memory, boards: &Boards) -> Read {
    let credential = match &object.spec.connection.push {
        None => Credential::Same,
        Some(push) if is_known(push, memory, &boards.secrets) => Credential::Same,
        Some(push) => read(hub, push, memory).await,
    };
    let lease = (meta::member_namespace(&object.name_any()), meta::AGENT_LEASE.to_owned());
    let seconds = object.spec.connection.pull.as_ref().map_or(20, |pull| pull.heartbeat_seconds);
    let interval = Duration::from_secs(u64::try_from(seconds).unwrap_or(20));
    let now = memory.now();
    let agent_alive = memory.heartbeat.observe(boards.leases.get(&lease).as_deref(), interval, now);
    Read { credential, agent_alive }
}

/// Whether the Secret is the one that is in use or was refused a moment ago.
fn is_known(push: &PushConnection, memory: &Memory, secrets: &Board) -> bool {
    let key = (push.secret_namespace.to_string(), push.secret_name.to_string());
    let version = secrets.get(&key);
    if let Some((_, refused, at)) = &memory.refusal {
        return *refused == version && at.elapsed() < AGAIN;
    }
    match (&memory.connection, version) {
        (None, _) => false,
        // The watch has not spoken yet: the connection came from a read.
        (Some(_), None) => true,
        (Some((_, used)), Some(version)) => *used == version,
    }
}

async fn read(hub: &Client, push: &PushConnection, memory: &mut Memory) -> Credential {
    let api: Api<Secret> = Api::namespaced(hub.clone(), &push.secret_namespace);
    let what = format!("Secret {}/{}", push.secret_namespace, push.secret_name);
    let secret = match api.get_opt(&push.secret_name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Credential::Missing { what, version: None },
        Err(error) => {
            return match Trouble::of(&error) {
                Trouble::Forbidden(_) if memory.connection.is_none() => Credential::Unreadable { what },
                trouble => Credential::Unknown(trouble),
            };
        }
    };
    let version = secret.resource_version().unwrap_or_default();
    if memory.connection.as_ref().is_some_and(|(_, used)| *used == version) {
        memory.refusal = None;
        return Credential::Same;
    }
    let data = secret.data.and_then(|mut data| data.remove(&*push.secret_key));
    if let Some((_, _, at)) = &mut memory.refusal {
        *at = Instant::now();
    }
    match data {
        Some(bytes) => Credential::Found { version, kubeconfig: bytes.0 },
        None => Credential::Missing { what: format!("key {} of {what}", push.secret_key), version: Some(version) },
    }
}
