//! What the process answers over HTTP: is it alive, is it ready, its metrics.
//!
//! Two listeners. Health tells nothing but names of parts and may be asked by anybody, as the kubelet does. Metrics
//! name tenants and clusters: they are served on loopback, or to callers whose bearer token the hub vouches for and who
//! may `get` the path `/metrics` there. TLS is the mesh's or the network policy's business.

mod access;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use self::access::Answer;
pub use self::access::{Access, Tokens};
pub(crate) use self::access::{MAY_AUTHENTICATE, MAY_AUTHORIZE};
use crate::metrics::Metrics;

/// Longest time an answer may take; a scrape of everything takes milliseconds.
const ANSWER: Duration = Duration::from_secs(10);

/// Whether the process is alive and ready; parts report, the kubelet asks. Copies are of the same process.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    ready: BTreeMap<&'static str, bool>,
    broken: BTreeMap<&'static str, String>,
}

impl Health {
    /// Nothing is ready until each of these parts has said so, such as each cache.
    #[must_use]
    pub fn new(parts: impl IntoIterator<Item = &'static str>) -> Self {
        let health = Self::default();
        health.hold().ready = parts.into_iter().map(|part| (part, false)).collect();
        health
    }

    /// A part is ready, or no longer.
    pub fn set_ready(&self, part: &'static str, ready: bool) {
        self.hold().ready.insert(part, ready);
    }

    /// A part is broken so that only a restart helps, such as an audit log that takes no more appends.
    pub fn set_broken(&self, part: &'static str, why: impl Into<String>) {
        self.hold().broken.insert(part, why.into());
    }

    /// Names of parts that are not ready.
    #[must_use]
    pub fn waiting(&self) -> Vec<&'static str> {
        self.hold().ready.iter().filter(|(_, ready)| !**ready).map(|(part, _)| *part).collect()
    }

    /// The state is two maps, each of which a panic elsewhere leaves whole.
    fn hold(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Alive unless a part is broken.
    fn live(&self) -> (StatusCode, String) {
        let broken: Vec<_> = self.hold().broken.iter().map(|(part, why)| format!("{part}: {why}\n")).collect();
        if broken.is_empty() {
            (StatusCode::OK, "ok\n".into())
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, broken.concat())
        }
    }

    /// Ready when alive and every part is ready.
    fn ready(&self) -> (StatusCode, String) {
        let live = self.live();
        if live.0 != StatusCode::OK {
            return live;
        }
        let waiting: Vec<_> = self.waiting().iter().map(|part| format!("waiting for {part}\n")).collect();
        if waiting.is_empty() { live } else { (StatusCode::SERVICE_UNAVAILABLE, waiting.concat()) }
    }
}

/// Routes `/healthz` and `/readyz`.
pub fn health_routes(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|State(health): State<Health>| async move { health.live() }))
        .route("/readyz", get(|State(health): State<Health>| async move { health.ready() }))
        .with_state(health)
}

/// Route `/metrics`.
pub fn metrics_routes(metrics: Arc<Metrics>, access: Access) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state((metrics, Arc::new(access)))
}

async fn scrape(State((metrics, access)): State<(Arc<Metrics>, Arc<Access>)>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    match tokio::time::timeout(ANSWER, access.ask(token)).await.unwrap_or(Answer::Unavailable) {
        Answer::Granted => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], metrics.encode()).into_response()
        }
        Answer::Unknown => ([(header::WWW_AUTHENTICATE, "Bearer")], StatusCode::UNAUTHORIZED).into_response(),
        Answer::Denied => StatusCode::FORBIDDEN.into_response(),
        Answer::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Why something is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("failed to listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// Metrics without authentication on an address that others reach.
    #[error("failed to serve metrics on {0}: without authentication only a loopback address is allowed")]
    Open(SocketAddr),
    /// The listener ended.
    #[error("failed to serve: {0}")]
    Ended(io::Error),
}

/// Takes an address for health.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// Takes an address for metrics.
///
/// # Errors
/// [`ServeError::Open`], [`ServeError::Listen`].
pub async fn listen_for_metrics(address: SocketAddr, access: &Access) -> Result<TcpListener, ServeError> {
    if matches!(access, Access::Loopback) && !address.ip().is_loopback() {
        return Err(ServeError::Open(address));
    }
    listen(address).await
}

/// Answers until `stop`; requests under way are finished.
///
/// # Errors
/// [`ServeError::Ended`].
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    axum::serve(listener, routes).with_graceful_shutdown(stop).await.map_err(ServeError::Ended)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;

    async fn ask(routes: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn ready_only_when_every_part_has_said_so_and_the_missing_ones_are_named() {
        let health = Health::new(["cache of sites", "cache of tenants"]);
        let routes = health_routes(health.clone());
        assert_eq!(ask(&routes, "/healthz").await, (StatusCode::OK, "ok\n".into()));
        health.set_ready("cache of sites", true);
        let (status, body) = ask(&routes, "/readyz").await;
        assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "waiting for cache of tenants\n"));
        health.set_ready("cache of tenants", true);
        assert_eq!(ask(&routes, "/readyz").await.0, StatusCode::OK);
        health.set_ready("cache of sites", false);
        assert_eq!(ask(&routes, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_broken_part_ends_life_and_says_why() {
        let health = Health::new([]);
        let routes = health_routes(health.clone());
        health.set_broken("audit log", "failed to sync");
        let told = (StatusCode::INTERNAL_SERVER_ERROR, "audit log: failed to sync\n".to_owned());
        assert_eq!(ask(&routes, "/healthz").await, told);
        assert_eq!(ask(&routes, "/readyz").await, told);
    }

    #[tokio::test]
    async fn metrics_without_authentication_are_refused_beyond_loopback() {
        let refused = listen_for_metrics("0.0.0.0:0".parse().unwrap(), &Access::Loopback).await;
        assert!(matches!(refused, Err(ServeError::Open(_))));
        let listener = listen_for_metrics("127.0.0.1:0".parse().unwrap(), &Access::Loopback).await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
    }

    #[tokio::test]
    async fn a_scrape_is_openmetrics_text() {
        let routes = metrics_routes(Arc::new(Metrics::new()), Access::Loopback);
        let (status, body) = ask(&routes, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.starts_with("# HELP jiuzhou_") && body.ends_with("# EOF\n"), "{body}");
    }

    #[tokio::test]
    async fn a_request_under_way_is_finished_when_told_to_stop() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, health_routes(Health::new([])), async move {
            let _ = stopped.await;
        }));
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    }
}
