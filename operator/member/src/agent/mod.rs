//! The agent: what runs inside a member that the hub cannot or shall not reach (pull).
//!
//! It goes out through one door only. On the hub it reads and writes its own namespace and nothing else, by a certificate
//! whose key never leaves the member ([`identity`]). It beats ([`heartbeat`]), tells what the cluster has ([`report`]) and
//! carries out the deliveries it finds ([`orders`]) by the same code as push. Cut off from the hub it keeps what it was
//! told and starts nothing that is out of date; it stops only what declared to be stopped then ([`fence`]).

mod blobs;
mod fence;
mod heartbeat;
pub mod identity;
mod orders;
mod report;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_engine::detect::Catalogue;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::connection::{Connection, Endpoint, Limits, Refusal, Trouble};
use crate::member::{Actors, Knowledge, Member};
use identity::Identity;

pub use report::Report;

/// ConfigMap in the agent's namespace on the hub with what the hub tells it.
pub const SETTINGS: &str = "agent";
/// ConfigMap there with what the agent tells.
pub const REPORT: &str = "report";
/// Key in both.
pub const JSON: &str = "json";

/// Between two tries to renew a certificate that still holds.
const RENEW_AGAIN: Duration = Duration::from_secs(300);
/// Between two tries of something that failed.
const AGAIN: Duration = Duration::from_secs(10);

/// What the hub tells an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// CPU platforms, by which nodes become pools.
    pub catalogue: Catalogue,
    /// Labels of nodes that divide pools.
    pub dividing: Vec<String>,
    /// Id of the hub.
    pub hub: String,
    /// Term of its leader.
    pub term: i64,
    /// Highest epoch it has committed.
    pub epoch: i64,
    /// The hub whose members a person gave to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<String>,
    /// Epochs between these two are none of its own.
    pub never: (i64, i64),
    /// Whether the member drains or leaves: the agent then counts what is left.
    pub leaving: bool,
}

/// How to reach the hub.
#[derive(Clone, Debug)]
pub struct HubAddress {
    /// Address of its API server.
    pub server: String,
    /// Its certificate authority in PEM.
    pub authority: String,
    /// An HTTP proxy on the way.
    pub proxy: Option<String>,
}

/// An agent before it runs.
#[derive(Debug)]
pub struct Agent {
    /// Name of the MemberCluster.
    pub cluster: String,
    /// The hub.
    pub hub: HubAddress,
    /// The member, by the agent's own account.
    pub member: Connection,
    /// Proves once that an administrator let this cluster in.
    pub bootstrap_token: Option<String>,
    /// Between two heartbeats, under 60 seconds.
    pub heartbeat: Duration,
    /// Without the hub for longer, what it ordered is out of date: nothing new is started by it.
    pub orders_hold: Duration,
    /// What is known of kinds.
    pub knowledge: Arc<Knowledge>,
    /// Whether objects are applied as the tenants' accounts.
    pub impersonate: bool,
}

/// Why an agent ends.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It has no certificate and no token to get one.
    #[error("failed to register: there is no certificate yet and no bootstrap token")]
    NoToken,
    /// The hub's address, token or certificate.
    #[error("failed to use what leads to the hub")]
    Hub(#[from] Refusal),
    /// The hub refused the request for a certificate.
    #[error("failed to register: the hub refused: {0}")]
    Refused(String),
    /// A key or request could not be made.
    #[error("failed to make a key")]
    Key(#[from] rcgen::Error),
}

impl HubAddress {
    fn endpoint(&self, endpoint: Endpoint) -> Result<Endpoint, Refusal> {
        match &self.proxy {
            Some(proxy) => endpoint.through(proxy),
            None => Ok(endpoint),
        }
    }

    fn by_token(&self, token: &str) -> Result<Connection, Refusal> {
        let endpoint = Endpoint::from_token(&self.server, &self.authority, token, Timestamp::now())?;
        Connection::open(self.endpoint(endpoint)?, Limits::default())
    }

    fn by_certificate(&self, identity: &Identity) -> Result<Connection, Refusal> {
        let Identity { certificate, key } = identity;
        let endpoint = Endpoint::from_certificate(&self.server, &self.authority, certificate, key, Timestamp::now())?;
        Connection::open(self.endpoint(endpoint)?, Limits::default())
    }
}

impl Agent {
    /// Runs until `stop` is ready.
    ///
    /// # Errors
    /// Only what no waiting heals; everything else is tried again.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), AgentError> {
        let mut stop = std::pin::pin!(stop);
        loop {
            let connection = tokio::select! {
                () = &mut stop => return Ok(()),
                connection = self.register() => connection?,
            };
            tracing::info!(cluster = %self.cluster, ends = ?connection.expires_at(), "registered at the hub");
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = self.work(&connection) => {}
                () = self.renew(&connection) => {}
            }
        }
    }

    /// Asks for the next certificate when this one is due, beside the work: while the hub is down, orders are looked after
    /// as before. Done when there is another certificate, or when this one has ended and only the token is left.
    async fn renew(&self, connection: &Connection) {
        until(connection.term().map(|term| term.renew_at())).await;
        while connection.expires_at().is_none_or(|ends| ends > Timestamp::now()) {
            tracing::info!("renewing the certificate");
            let next = match identity::obtain(&connection.client(), &self.cluster).await {
                Ok(fresh) => {
                    identity::store(&self.member.client(), &fresh).await.map_err(|trouble| trouble.to_string())
                }
                Err(Either::Again(trouble)) => Err(trouble.to_string()),
                Err(Either::Ends(error)) => Err(error.to_string()),
            };
            match next {
                Ok(()) => return,
                Err(why) => tracing::warn!(why, "failed to renew the certificate; trying again"),
            }
            sleep(RENEW_AGAIN).await;
        }
    }

    /// A connection with a certificate that holds; gets one where there is none. Tries until it has one.
    async fn register(&self) -> Result<Connection, AgentError> {
        loop {
            match self.registered().await {
                Ok(connection) => return Ok(connection),
                Err(Either::Ends(error)) => return Err(error),
                Err(Either::Again(trouble)) => tracing::warn!(%trouble, "failed to register; trying again"),
            }
            sleep(AGAIN).await;
        }
    }

    async fn registered(&self) -> Result<Connection, Either> {
        let member = self.member.client();
        let known = identity::load(&member).await.map_err(Either::Again)?;
        // One that holds is used, and asks for the next when it is due; one that has ended cannot ask.
        if let Some(present) = known.as_ref().and_then(|known| self.hub.by_certificate(known).ok()) {
            return Ok(present);
        }
        let Some(token) = &self.bootstrap_token else { return Err(Either::Ends(AgentError::NoToken)) };
        let asking = self.hub.by_token(token).map_err(|refusal| Either::Ends(refusal.into()))?;
        let fresh = identity::obtain(&asking.client(), &self.cluster).await?;
        identity::store(&member, &fresh).await.map_err(Either::Again)?;
        self.hub.by_certificate(&fresh).map_err(|refusal| Either::Ends(refusal.into()))
    }

    /// All that is done with one certificate.
    async fn work(&self, hub: &Connection) {
        let client = hub.client();
        let (beats, alive) = watch::channel(Instant::now());
        let (tell, settings) = watch::channel(Settings::default());
        let namespace = meta::member_namespace(&self.cluster);
        let beating = heartbeat::beat(client.clone(), &namespace, &self.cluster, self.heartbeat, beats);
        let listening = listen(client.clone(), &namespace, tell);
        let reporting =
            report::report(client.clone(), self.member.client(), &namespace, &self.cluster, settings.clone());
        let orders =
            orders::Orders::new(client, self.member(), self.member.client(), namespace.clone(), settings, alive);
        let fence_after = heartbeat::lease_seconds(self.heartbeat);
        tokio::join!(beating, listening, reporting, orders.carry_out(fence_after, self.orders_hold));
    }

    fn member(&self) -> Member {
        let member = Member::new(&self.cluster, self.member.client(), Arc::clone(&self.knowledge));
        if !self.impersonate {
            return member;
        }
        let connection = self.member.clone();
        let actors: Actors = Arc::new(move |tenant| {
            connection.acting_as(meta::TENANTS_NAMESPACE, tenant).map_err(|refusal| refusal.to_string())
        });
        member.acting_as(actors)
    }
}

/// An error that ends the agent, or one that waiting may heal.
pub(crate) enum Either {
    Ends(AgentError),
    Again(Trouble),
}

async fn until(at: Option<Timestamp>) {
    let Some(at) = at else { return std::future::pending().await };
    loop {
        let left = at.as_second() - Timestamp::now().as_second();
        if left <= 0 {
            return;
        }
        // In steps: a clock that is set meanwhile is noticed.
        sleep(Duration::from_secs(u64::try_from(left.min(60)).unwrap_or(60))).await;
    }
}

/// Reads what the hub tells, again and again. What was told last stays while the hub is silent.
async fn listen(hub: Client, namespace: &str, tell: watch::Sender<Settings>) {
    let maps: Api<ConfigMap> = Api::namespaced(hub, namespace);
    loop {
        match maps.get_opt(SETTINGS).await {
            Ok(Some(map)) => {
                let text = map.data.as_ref().and_then(|data| data.get(JSON));
                match text.and_then(|text| serde_json::from_str::<Settings>(text).ok()) {
                    Some(settings) => {
                        tell.send_if_modified(|known| {
                            let changed = *known != settings;
                            *known = settings;
                            changed
                        });
                    }
                    None => tracing::warn!("failed to understand what the hub tells; keeping what it told before"),
                }
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "failed to ask the hub"),
        }
        sleep(Duration::from_secs(30)).await;
    }
}
