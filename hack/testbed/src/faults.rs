//! A way to an API server that can be hurt: in front of one control plane, with faults chosen request by request.
//!
//! [`Door`] speaks TLS with the control plane's own serving certificate, so that whoever pins its authority believes it;
//! it passes requests on with the caller's token and answers instead where a fault says so. [`Relay`] passes bytes on
//! unread, for callers that prove who they are by a certificate: it can only be cut or hang. Both end when dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use futures::StreamExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::plane::Plane;

/// What happens to a request instead of an honest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is taken and never answered.
    Hang,
    /// 429, to come again after so many seconds.
    TooMany(u64),
    /// 503.
    Unavailable,
    /// 200 with an empty list of another kind, or an object that was never there.
    Lie,
    /// 200 with a page for people.
    Nonsense,
    /// 200 and bytes without an end.
    Flood,
    /// It is carried out, and the answer is lost.
    LoseAnswer,
    /// It is carried out after a while.
    Late(Duration),
}

/// Says what is to happen to a request; nothing for an honest answer.
type Choice = Box<dyn FnMut(&Method, &Uri) -> Option<Fault> + Send>;

/// What all connections of a door share.
#[derive(Clone)]
struct Shared {
    client: kube::Client,
    choice: Arc<Mutex<Choice>>,
    /// Requests that came so far, and of these how many met a fault.
    counts: Arc<Mutex<(u64, u64)>>,
}

/// A way to a control plane by TLS and HTTP.
pub struct Door {
    address: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Door").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Door {
    /// Opens a door in front of a control plane; it is honest until told otherwise. Needs a runtime.
    ///
    /// # Errors
    /// When the certificates of the control plane cannot be read or no port is free.
    pub async fn open(plane: &Plane) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        let address = listener.local_addr().context("failed to listen")?;
        let [certificate, key] = plane.serving();
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect)
            .with_context(|| format!("failed to read {}", certificate.display()))?;
        let key = PrivateKeyDer::from_pem_file(&key).with_context(|| format!("failed to read {}", key.display()))?;
        let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.context("failed to use a certificate")?));
        let shared = Shared {
            client: upstream(plane).await?,
            choice: Arc::new(Mutex::new(Box::new(|_, _| None))),
            counts: Arc::default(),
        };
        let app = axum::Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(Tls { listener, acceptor }, app).await;
        });
        Ok(Self { address, shared, task })
    }

    /// Its address, in place of that of the API server.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Chooses a fault for each request from now on.
    pub fn choose(&self, choice: impl FnMut(&Method, &Uri) -> Option<Fault> + Send + 'static) {
        *self.shared.choice.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(choice);
    }

    /// The same fault for every request.
    pub fn always(&self, fault: Fault) {
        self.choose(move |_, _| Some(fault));
    }

    /// Honest again.
    pub fn heal(&self) {
        self.choose(|_, _| None);
    }

    /// Requests that came so far, and of these how many met a fault.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        *self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client that trusts the control plane and says nothing about who asks: the caller's own words do.
async fn upstream(plane: &Plane) -> Result<kube::Client> {
    let path = plane.kubeconfig();
    let mut file = Kubeconfig::read_from(&path).with_context(|| format!("failed to read {}", path.display()))?;
    for named in &mut file.auth_infos {
        named.auth_info = Some(kube::config::AuthInfo::default());
    }
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    (config.read_timeout, config.write_timeout) = (None, None);
    kube::Client::try_from(config).context("failed to make a client")
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let fault = {
        let mut choice = shared.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice(request.method(), request.uri())
    };
    {
        let mut counts = shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts = (counts.0 + 1, counts.1 + u64::from(fault.is_some()));
    }
    match fault {
        None => pass(shared.client, request).await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Late(wait)) => {
            tokio::time::sleep(wait).await;
            pass(shared.client, request).await
        }
        Some(Fault::LoseAnswer) => {
            drop(pass(shared.client, request).await);
            std::future::pending().await
        }
        Some(Fault::TooMany(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], "later").into_response()
        }
        Some(Fault::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "not now").into_response(),
        Some(Fault::Lie) => {
            let lie = r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;
            ([(header::CONTENT_TYPE, "application/json")], lie).into_response()
        }
        Some(Fault::Nonsense) => {
            ([(header::CONTENT_TYPE, "text/html")], "<html><body>Welcome to nginx!</body></html>").into_response()
        }
        Some(Fault::Flood) => {
            let pieces = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'7'; 65_536])));
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(pieces)).into_response()
        }
    }
}

/// Passes a request on with what the caller says of himself.
async fn pass(client: kube::Client, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    hop(&mut parts.headers);
    parts.headers.remove(header::HOST);
    let Ok(body) = axum::body::to_bytes(body, 16 << 20).await else {
        return (StatusCode::BAD_REQUEST, "the request broke off").into_response();
    };
    let request = axum::http::Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    match client.send(request).await {
        Ok(answer) => {
            let (mut parts, body) = answer.into_parts();
            hop(&mut parts.headers);
            let pieces = http_body_util::BodyStream::new(body)
                .filter_map(|frame| async move { frame.map(|frame| frame.into_data().ok()).transpose() });
            Response::from_parts(parts, Body::from_stream(pieces))
        }
        Err(_) => (StatusCode::BAD_GATEWAY, "nobody is behind this door").into_response(),
    }
}

/// Headers that belong to one connection and not to the request.
fn hop(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE] {
        headers.remove(name);
    }
}

/// Connections that have shown their certificate.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            // Whoever breaks off while greeting is no connection.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// How a relay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Bytes go both ways.
    Open,
    /// Connections are closed, and new ones at once.
    Cut,
}

/// A way to a control plane that passes bytes on.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Opens one. Needs a runtime.
    ///
    /// # Errors
    /// When the control plane has no address or no port is free.
    pub async fn open(plane: &Plane) -> Result<Self> {
        let to = plane.server()?.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        let address = listener.local_addr().context("failed to listen")?;
        let (line, told) = watch::channel(Line::Open);
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut from, _)) = listener.accept().await else { continue };
                let (to, mut told) = (to.clone(), told.clone());
                if *told.borrow() == Line::Cut {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut behind) = TcpStream::connect(to).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut behind) => {}
                        _ = told.wait_for(|line| *line == Line::Cut) => {}
                    }
                });
            }
        });
        Ok(Self { address, line, task })
    }

    /// Its address, in place of that of the API server.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Cuts or opens the line.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.line.send_replace(Line::Cut);
        self.task.abort();
    }
}
