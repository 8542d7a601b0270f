//! A kubeconfig out of a Secret, read as the statement of a stranger.
//!
//! Only what names a server, pins its authority and proves who we are is taken. Whatever would run a program, read a
//! file, go another way or trust anybody is refused, each with its own reason, also in entries that are not used. No
//! refusal repeats a value of the file: it may be a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::text::ContentDigest;
use jiuzhou_engine::terms::Digest;
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate::{Term, certificate_term, token_term};

/// Largest kubeconfig taken. One cluster with its certificates needs about 10 KiB.
const MAX_BYTES: usize = 128 << 10;

/// Why a kubeconfig is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Larger than 128 KiB.
    #[error("failed to read the kubeconfig: it has more than 131072 bytes")]
    TooLarge,
    /// No kubeconfig at all.
    #[error("failed to read the kubeconfig: it is no YAML or JSON of kind Config")]
    Unreadable,
    /// The context to use is not said or not there.
    #[error("failed to use the kubeconfig: current-context names no context with a cluster and a user")]
    NoContext,
    /// No server, or one that is not https.
    #[error("failed to use the kubeconfig: server must be https://host[:port]")]
    ServerInvalid,
    /// `exec` would run a program here.
    #[error(
        "failed to use the kubeconfig: users[].user.exec would run a program on the hub; give a token or a client certificate"
    )]
    Exec,
    /// `auth-provider` would do so too.
    #[error(
        "failed to use the kubeconfig: users[].user.auth-provider is not taken; give a token or a client certificate"
    )]
    AuthProvider,
    /// A path would read a file here.
    #[error(
        "failed to use the kubeconfig: {field} names a file of the hub; give {field}-data, or token, with the content"
    )]
    FilePath {
        /// The field.
        field: &'static str,
    },
    /// TLS without a check.
    #[error(
        "failed to use the kubeconfig: insecure-skip-tls-verify trusts anybody on the way; give certificate-authority-data"
    )]
    Insecure,
    /// A proxy of the file's choice.
    #[error(
        "failed to use the kubeconfig: proxy-url is not taken; a member behind a proxy is joined with an agent (pull)"
    )]
    Proxy,
    /// An address of a proxy that is none.
    #[error("failed to use the proxy: give http://host:port")]
    ProxyInvalid,
    /// User name and password.
    #[error("failed to use the kubeconfig: username and password are not taken; give a token or a client certificate")]
    Password,
    /// `as`, `as-groups`...
    #[error("failed to use the kubeconfig: users[].user.as is not taken; the account itself needs the rights")]
    ActsAsAnother,
    /// No authority to check the server against.
    #[error("failed to use the kubeconfig: certificate-authority-data is missing")]
    AuthorityMissing,
    /// Not certificates.
    #[error("failed to use the kubeconfig: certificate-authority-data holds no certificate in PEM")]
    AuthorityInvalid,
    /// Neither token nor certificate.
    #[error(
        "failed to use the kubeconfig: the user has neither token nor client-certificate-data with client-key-data"
    )]
    NoCredential,
    /// Certificate or key cannot be read, or do not belong together.
    #[error(
        "failed to use the kubeconfig: client-certificate-data and client-key-data are no pair in PEM, or token is no text"
    )]
    CredentialUnusable,
    /// It has ended.
    #[error("failed to use the kubeconfig: its credential ended at {at}")]
    CredentialExpired {
        /// When.
        at: Timestamp,
    },
    /// It has not begun: one of the clocks is wrong.
    #[error("failed to use the kubeconfig: its credential begins only at {at}; compare the clocks")]
    CredentialNotYetValid {
        /// When.
        at: Timestamp,
    },
    /// A service account's name that cannot be sent.
    #[error("failed to act as a service account: its name is no header value")]
    ActorInvalid,
}

impl Refusal {
    /// The reason of the condition that shows it.
    #[must_use]
    pub fn reason(&self) -> ControllerReason {
        match self {
            Self::CredentialExpired { .. } | Self::CredentialNotYetValid { .. } => ControllerReason::CredentialExpired,
            _ => ControllerReason::CredentialRefused,
        }
    }
}

/// A server, the authority it is checked against, and a credential: all a connection needs.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(super) config: kube::Config,
    pub(super) term: Option<Term>,
    pub(super) authority: Option<ContentDigest>,
    pub(super) proxy: Option<http::Uri>,
}

impl Endpoint {
    /// Reads a kubeconfig.
    ///
    /// # Errors
    /// The first [`Refusal`] that holds.
    pub fn from_kubeconfig(bytes: &[u8], now: Timestamp) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Unreadable)?;
        let file = Kubeconfig::from_yaml(text).map_err(|_| Refusal::Unreadable)?;
        let users = || file.auth_infos.iter().filter_map(|named| named.auth_info.as_ref());
        let clusters = || file.clusters.iter().filter_map(|named| named.cluster.as_ref());
        users().try_for_each(no_surprise_in_user)?;
        clusters().try_for_each(no_surprise_in_cluster)?;
        let context = file.contexts.iter().find(|named| Some(&named.name) == file.current_context.as_ref());
        let context = context.and_then(|named| named.context.as_ref()).ok_or(Refusal::NoContext)?;
        let cluster = file.clusters.iter().find(|named| named.name == context.cluster);
        let cluster = cluster.and_then(|named| named.cluster.as_ref()).ok_or(Refusal::NoContext)?;
        let user = file.auth_infos.iter().find(|named| Some(&named.name) == context.user.as_ref());
        let user = user.and_then(|named| named.auth_info.as_ref()).ok_or(Refusal::NoContext)?;
        Self::new(cluster, user, now)
    }

    /// From a server's address, its authority in PEM and a client certificate with its key in PEM.
    ///
    /// # Errors
    /// The first [`Refusal`] that holds.
    pub fn from_certificate(
        server: &str,
        authority: &str,
        certificate: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let user = serde_json::json!({
            "client-certificate-data": STANDARD.encode(certificate), "client-key-data": STANDARD.encode(key),
        });
        Self::of(server, authority, user, now)
    }

    /// From a server's address, its authority in PEM and a bearer token.
    ///
    /// # Errors
    /// The first [`Refusal`] that holds.
    pub fn from_token(server: &str, authority: &str, token: &str, now: Timestamp) -> Result<Self, Refusal> {
        Self::of(server, authority, serde_json::json!({ "token": token }), now)
    }

    fn of(server: &str, authority: &str, user: serde_json::Value, now: Timestamp) -> Result<Self, Refusal> {
        let cluster = Cluster {
            server: Some(server.to_owned()),
            certificate_authority_data: Some(STANDARD.encode(authority)),
            ..Cluster::default()
        };
        let user: AuthInfo = serde_json::from_value(user).map_err(|_| Refusal::CredentialUnusable)?;
        Self::new(&cluster, &user, now)
    }

    fn new(cluster: &Cluster, user: &AuthInfo, now: Timestamp) -> Result<Self, Refusal> {
        let server: http::Uri =
            cluster.server.as_deref().unwrap_or_default().parse().map_err(|_| Refusal::ServerInvalid)?;
        let plain = server.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if server.scheme_str() != Some("https") || !plain || server.query().is_some() {
            return Err(Refusal::ServerInvalid);
        }
        let (roots, authority) = authority(cluster)?;
        let term = credential(user, now)?;
        let mut config = kube::Config::new(server);
        config.root_cert = Some(roots);
        config.auth_info = user.clone();
        config.tls_server_name = cluster.tls_server_name.clone();
        // Our own guard stands in their place.
        config.default_retry = false;
        config.connect_timeout = None;
        config.write_timeout = None;
        Ok(Self { config, term, authority: Some(authority), proxy: None })
    }

    /// The same through an HTTP proxy (`http://host:port`) that an administrator names.
    ///
    /// # Errors
    /// [`Refusal::ProxyInvalid`] when it is no such address.
    pub fn through(mut self, proxy: &str) -> Result<Self, Refusal> {
        let uri: http::Uri = proxy.parse().map_err(|_| Refusal::ProxyInvalid)?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(Refusal::ProxyInvalid);
        }
        self.proxy = Some(uri);
        Ok(self)
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> String {
        self.config.cluster_url.to_string()
    }
}

fn no_surprise_in_cluster(cluster: &Cluster) -> Result<(), Refusal> {
    let Cluster { insecure_skip_tls_verify, certificate_authority, proxy_url, .. } = cluster;
    if insecure_skip_tls_verify.is_some_and(|skip| skip) {
        return Err(Refusal::Insecure);
    }
    if certificate_authority.is_some() {
        return Err(Refusal::FilePath { field: "certificate-authority" });
    }
    if proxy_url.is_some() {
        return Err(Refusal::Proxy);
    }
    Ok(())
}

fn no_surprise_in_user(user: &AuthInfo) -> Result<(), Refusal> {
    if user.exec.is_some() {
        return Err(Refusal::Exec);
    }
    if user.auth_provider.is_some() {
        return Err(Refusal::AuthProvider);
    }
    for (path, field) in [
        (&user.token_file, "tokenFile"),
        (&user.client_certificate, "client-certificate"),
        (&user.client_key, "client-key"),
    ] {
        if path.is_some() {
            return Err(Refusal::FilePath { field });
        }
    }
    if user.username.is_some() || user.password.is_some() {
        return Err(Refusal::Password);
    }
    let others = user.impersonate.is_some() || user.impersonate_uid.is_some() || user.impersonate_groups.is_some();
    if others || user.impersonate_user_extra.is_some() {
        return Err(Refusal::ActsAsAnother);
    }
    Ok(())
}

/// Certificates of the authority, and their digest in order.
fn authority(cluster: &Cluster) -> Result<(Vec<Vec<u8>>, ContentDigest), Refusal> {
    let data = cluster.certificate_authority_data.as_deref().ok_or(Refusal::AuthorityMissing)?;
    let pem = STANDARD.decode(data.trim()).map_err(|_| Refusal::AuthorityInvalid)?;
    let roots: Result<Vec<Vec<u8>>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|found| found.map(|der| der.as_ref().to_vec())).collect();
    let roots = roots.map_err(|_| Refusal::AuthorityInvalid)?;
    if roots.is_empty() || roots.iter().any(|der| certificate_term(der).is_none()) {
        return Err(Refusal::AuthorityInvalid);
    }
    let digest = Digest::sha256(&roots.concat());
    Ok((roots, digest.to_string().into()))
}

/// The term of the credential; of two the one that ends earlier.
fn credential(user: &AuthInfo, now: Timestamp) -> Result<Option<Term>, Refusal> {
    // Secrets of kube are read through serde: the crate of their type is not ours to import.
    let plain = serde_json::to_value(user).map_err(|_| Refusal::CredentialUnusable)?;
    let text = |field: &str| plain.get(field).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let pem = |field: &str| -> Result<Option<Vec<u8>>, Refusal> {
        let decode = |data: &str| STANDARD.decode(data.trim()).map_err(|_| Refusal::CredentialUnusable);
        text(field).map(decode).transpose()
    };
    let (certificate, key) = (pem("client-certificate-data")?, pem("client-key-data")?);
    let token = text("token");
    let mut terms = Vec::new();
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let der = CertificateDer::from_pem_slice(&certificate).map_err(|_| Refusal::CredentialUnusable)?;
            PrivateKeyDer::from_pem_slice(&key).map_err(|_| Refusal::CredentialUnusable)?;
            let term = certificate_term(&der).ok_or(Refusal::CredentialUnusable)?;
            if now < term.begins {
                return Err(Refusal::CredentialNotYetValid { at: term.begins });
            }
            terms.push(term);
        }
        (None, None) if token.is_none() => return Err(Refusal::NoCredential),
        (None, None) => {}
        _ => return Err(Refusal::CredentialUnusable),
    }
    terms.extend(token.and_then(token_term));
    match terms.into_iter().min_by_key(|term| term.ends) {
        Some(term) if term.ends <= now => Err(Refusal::CredentialExpired { at: term.ends }),
        term => Ok(term),
    }
}

#[cfg(test)]
mod tests;
