//! One connection to one cluster, built by hand: nothing in it is read from the environment or from files.
//!
//! A member's credential is written by somebody else and a member's answers come from somebody else, so both are
//! treated as hostile: [`kubeconfig`] refuses what could run or read something here, [`guard`] bounds time, retries,
//! size and number of requests. kube's own defaults (15 retries on every verb, `Retry-After` without an end, no limit of
//! a whole request) are not used. What is asked of a member is in the other files of this room.

mod body;
mod certificate;
mod guard;
mod kubeconfig;
mod trouble;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use jiuzhou_api::text::ContentDigest;
use kube::client::{Body, ConfigExt};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder, ServiceExt};

pub use body::Reply;
pub use certificate::{Term, certificate_term, request_subject, token_term};
pub use guard::{GuardError, Observer};
pub use kubeconfig::{Endpoint, Refusal};
pub use trouble::Trouble;

/// What one member may cost the hub. The figures are generous for an honest API server and small for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the TCP connection stands.
    pub connect: Duration,
    /// From the call to the last byte of the answer, waiting for a free place and retries included: a request that is
    /// older is never sent. For a watch: until the answer begins.
    pub request: Duration,
    /// Longest silence of a watch. API servers send a bookmark about every minute.
    pub watch_idle: Duration,
    /// Repetitions of a request that was answered 429, 503 or 504.
    pub retries: u32,
    /// Longest obedience to `Retry-After`.
    pub retry_after: Duration,
    /// Bytes of one answer.
    pub answer_bytes: u64,
    /// Bytes of one event of a watch.
    pub event_bytes: u64,
    /// Bytes of a watch within a minute.
    pub minute_bytes: u64,
    /// Requests at the same time.
    pub requests: usize,
    /// Watches at the same time.
    pub watches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            watch_idle: Duration::from_secs(150),
            retries: 2,
            retry_after: Duration::from_secs(5),
            answer_bytes: 32 << 20,
            event_bytes: 4 << 20,
            minute_bytes: 128 << 20,
            requests: 16,
            watches: 128,
        }
    }
}

/// Sends requests, whatever is behind: a TLS client, or the in-memory world of the tests.
pub type Transport = BoxCloneSyncService<Request<Body>, Response<Reply>, BoxError>;

/// A connection to a cluster: clients for its own account and for those it may act as.
///
/// Cheap to clone; all clones share one budget.
#[derive(Clone)]
pub struct Connection {
    number: u64,
    transport: Transport,
    budget: Arc<guard::Budget>,
    client: kube::Client,
    /// A client is a task of its own: one for each account, not one for each call.
    actors: Arc<Mutex<BTreeMap<String, kube::Client>>>,
    term: Option<Term>,
    authority: Option<ContentDigest>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("term", &self.term).finish_non_exhaustive()
    }
}

impl Connection {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Refusal`] when key and certificate do not make a TLS identity or the token is no header value.
    pub fn open(endpoint: Endpoint, limits: Limits) -> Result<Self, Refusal> {
        install_tls_provider();
        let Endpoint { config, term, authority, proxy } = endpoint;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(limits.connect));
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(30)));
        let unusable = |_| Refusal::CredentialUnusable;
        let transport = match proxy {
            None => service(&config, config.rustls_https_connector_with_connector(connector).map_err(unusable)?)?,
            // The proxy sees where to, not what: TLS is spoken through it to the server itself.
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy, connector);
                service(&config, config.rustls_https_connector_with_connector(tunnel).map_err(unusable)?)?
            }
        };
        Ok(Self::over(transport, limits, term, authority))
    }

    /// A connection by a configuration of this machine's own making (a service account of the pod, a person's kubeconfig):
    /// its paths are followed, its token is read again when it is renewed. Never for what comes out of a Secret.
    ///
    /// # Errors
    /// [`Refusal`] when the configuration makes no TLS client.
    pub fn trusted(config: kube::Config, limits: Limits) -> Result<Self, Refusal> {
        Self::open(Endpoint { config, term: None, authority: None, proxy: None }, limits)
    }

    /// A connection over any transport, with the same guard.
    #[must_use]
    pub fn over(transport: Transport, limits: Limits, term: Option<Term>, authority: Option<ContentDigest>) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let budget = Arc::new(guard::Budget::new(limits));
        let client = client(&transport, &budget, Vec::new());
        Self { number, transport, budget, client, actors: Arc::default(), term, authority }
    }

    /// From now on every request over this connection is told to the observer when it has ended.
    #[must_use]
    pub fn observed(self, observer: Observer) -> Self {
        self.budget.observe(observer);
        self
    }

    /// The client of the credential's own account.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// A client whose every request is made as this service account, so that the member's own RBAC judges it.
    ///
    /// # Errors
    /// [`Refusal::ActorInvalid`] when the names are no header value.
    pub fn acting_as(&self, namespace: &str, account: &str) -> Result<kube::Client, Refusal> {
        let user = format!("system:serviceaccount:{namespace}:{account}");
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = actors.get(&user) {
            return Ok(client.clone());
        }
        let value = HeaderValue::from_str(&user).map_err(|_| Refusal::ActorInvalid)?;
        let headers = vec![(HeaderName::from_static("impersonate-user"), value)];
        let client = client(&self.transport, &self.budget, headers);
        actors.insert(user, client.clone());
        Ok(client)
    }

    /// A number that no other connection of this process has.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When the credential ends; `None` when it does not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.term.map(|term| term.ends)
    }

    /// The term of the credential; `None` when it does not say.
    #[must_use]
    pub fn term(&self) -> Option<Term> {
        self.term
    }

    /// Digest of the certificate authority that the credential pins.
    #[must_use]
    pub fn authority(&self) -> Option<&ContentDigest> {
        self.authority.as_ref()
    }
}

/// Requests over a connector, with the server's address and the credential put on.
fn service<C>(config: &kube::Config, connector: C) -> Result<Transport, Refusal>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let authorization = config.auth_layer().map_err(|_| Refusal::CredentialUnusable)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(authorization)
        .map_err(BoxError::from)
        .map_response(|response: Response<_>| response.map(Reply::new))
        .service(client);
    Ok(BoxCloneSyncService::new(service))
}

fn client(transport: &Transport, budget: &Arc<guard::Budget>, headers: Vec<(HeaderName, HeaderValue)>) -> kube::Client {
    kube::Client::new(guard::Guard::new(transport.clone(), Arc::clone(budget), headers), "default")
}

/// Wraps a service as a transport: what a test or a proxy puts in place of TLS.
pub fn transport<S, B>(service: S) -> Transport
where
    S: tower::Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    BoxCloneSyncService::new(service.map_err(Into::into).map_response(|response: Response<B>| response.map(Reply::new)))
}

/// Makes ring the one TLS provider of this process. rustls has none of its own here and panics at first use without.
pub fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the process may have been first with the same provider; there is no other in the build.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
