//! An image in an OCI registry, by the distribution specification: tokens, mirrors, proxies, bounded answers.
//!
//! One HTTP client that blocks (`ureq`, rustls). A registry is asked with as little as it asks for: anonymously first,
//! then with what `WWW-Authenticate` wants. Credentials go to the host they are written for and to the token service
//! that host names; they are never followed by a redirect (blobs are often on another host), never logged, never in an
//! error. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` count as usual.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use jiuzhou_engine::terms::Digest;
use serde::Deserialize;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::error::InspectError;
use crate::limits::Limits;
use crate::oci::{ACCEPT, Descriptor};
use crate::reference::Reference;

use super::{Blob, Root, Source, Target};

/// A registry that has not answered a header by then does not answer.
const HEADERS: Duration = Duration::from_secs(30);
/// One layer of many GiB over a slow line.
const BODY: Duration = Duration::from_secs(3600);
/// Redirects of one blob.
const REDIRECTS: usize = 5;
/// Bytes of a token answer.
const TOKEN: u64 = 64 << 10;

/// How registries are reached.
#[derive(Clone, Default)]
pub struct Access {
    mirrors: BTreeMap<String, String>,
    plain: bool,
    logins: BTreeMap<String, String>,
}

impl Access {
    /// Mirrors as `HOST=OTHER[/PREFIX]`, whether to speak plain HTTP, and Docker's file of credentials.
    ///
    /// # Errors
    /// When a mirror or the named file cannot be read; the default file may be absent.
    pub fn new(mirrors: &[String], plain: bool, config: Option<&Path>) -> Result<Self, InspectError> {
        let mut access = Self { plain, ..Self::default() };
        for text in mirrors {
            let (host, other) = text
                .split_once('=')
                .filter(|(host, other)| !host.is_empty() && !other.is_empty())
                .ok_or_else(|| InspectError::malformed(&format!("--mirror {text}"), "want HOST=OTHER[/PREFIX]"))?;
            access.mirrors.insert(host.to_owned(), other.trim_end_matches('/').to_owned());
        }
        let path = config.map(Path::to_owned).or_else(default_config);
        if let Some(path) = path {
            let shown = path.display().to_string();
            match std::fs::read(&path) {
                Ok(bytes) => access.logins = logins(&shown, &bytes)?,
                Err(error) if config.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(InspectError::read(&shown, error)),
            }
        }
        Ok(access)
    }
}

fn default_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// Logins of Docker's file by host. Helpers are programs and are not run.
fn logins(shown: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>, InspectError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Config {
        auths: BTreeMap<String, Login>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Login {
        auth: String,
        username: String,
        password: String,
    }
    // Nothing of the file may be in the error: it holds passwords.
    let config: Config =
        serde_json::from_slice(bytes).map_err(|_| InspectError::malformed(shown, "no JSON of Docker"))?;
    let mut logins = BTreeMap::new();
    for (host, login) in config.auths {
        let host = host.trim_start_matches("https://").trim_start_matches("http://");
        let host = host.split('/').next().unwrap_or(host);
        let host = if host == "index.docker.io" { "docker.io" } else { host };
        let encoded = match (login.auth.is_empty(), login.username.is_empty()) {
            (false, _) => login.auth,
            (true, false) => {
                base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", login.username, login.password))
            }
            _ => continue,
        };
        logins.insert(host.to_owned(), encoded);
    }
    Ok(logins)
}

/// One image of a registry.
pub struct Registry {
    agent: Agent,
    reference: Reference,
    /// Host and path that are asked, after mirrors.
    host: String,
    path: String,
    scheme: &'static str,
    login: Option<String>,
    authorization: Option<String>,
    limits: Limits,
}

impl Registry {
    /// Prepares to read an image; nothing is asked yet.
    ///
    /// # Errors
    /// When the text is no reference.
    pub fn open(text: &str, access: &Access, limits: Limits) -> Result<Self, InspectError> {
        let reference = Reference::parse(text.strip_prefix("docker://").unwrap_or(text))
            .map_err(|error| InspectError::malformed(&error.0, "want HOST/PATH:TAG or HOST/PATH@sha256:DIGEST"))?;
        let (host, path) = match access.mirrors.get(&reference.host) {
            Some(mirror) => match mirror.split_once('/') {
                Some((host, prefix)) => (host.to_owned(), format!("{prefix}/{}", reference.path)),
                None => (mirror.clone(), reference.path.clone()),
            },
            None => (reference.host.clone(), reference.path.clone()),
        };
        let login = access.logins.get(&host).cloned();
        // Docker Hub answers under another name than its images have.
        let host = if host == "docker.io" { "registry-1.docker.io".to_owned() } else { host };
        let scheme = if access.plain || is_loopback(&host) { "http" } else { "https" };
        let config = Agent::config_builder()
            .timeout_connect(Some(HEADERS))
            .timeout_recv_response(Some(HEADERS))
            .timeout_recv_body(Some(BODY))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("jiuzhou/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::new_with_config(config);
        Ok(Self { agent, reference, host, path, scheme, login, authorization: None, limits })
    }

    #[allow(clippy::needless_pass_by_value, reason = "texts and errors alike are told and gone")]
    fn failed(&self, detail: impl ToString) -> InspectError {
        InspectError::Registry { host: self.host.clone(), detail: detail.to_string() }
    }

    /// Asks once, and once more with what the registry wants.
    fn get(&mut self, part: &str) -> Result<Response<Body>, InspectError> {
        let url = format!("{}://{}/v2/{}/{part}", self.scheme, self.host, self.path);
        let answer = self.ask(&url, self.authorization.clone())?;
        if answer.status() != StatusCode::UNAUTHORIZED || self.authorization.is_some() {
            return self.followed(answer, &url);
        }
        let challenge = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        let challenge = challenge.map(str::to_owned).unwrap_or_default();
        self.authorization = Some(self.authorize(&challenge)?);
        let answer = self.ask(&url, self.authorization.clone())?;
        self.followed(answer, &url)
    }

    fn ask(&self, url: &str, authorization: Option<String>) -> Result<Response<Body>, InspectError> {
        let mut request = self.agent.get(url).header("accept", ACCEPT);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        request.call().map_err(|error| self.failed(error))
    }

    /// Follows redirects without credentials, and never from TLS to plain HTTP.
    fn followed(&self, mut answer: Response<Body>, from: &str) -> Result<Response<Body>, InspectError> {
        let mut at = from.to_owned();
        for _ in 0..REDIRECTS {
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let target = answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let next = absolute(&at, target).ok_or_else(|| self.failed("a redirect to nowhere"))?;
            if at.starts_with("https://") && !next.starts_with("https://") {
                return Err(self.failed("a redirect from TLS to plain HTTP"));
            }
            // The same host may ask for its credentials again.
            let same = host_of(&next) == Some(self.host.as_str());
            answer = self.ask(&next, self.authorization.clone().filter(|_| same))?;
            at = next;
        }
        Err(self.failed("too many redirects"))
    }

    /// The value of `Authorization` for a challenge.
    fn authorize(&self, challenge: &str) -> Result<String, InspectError> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        let login = self.login.as_ref().map(|login| format!("Basic {login}"));
        if scheme.eq_ignore_ascii_case("basic") {
            return login.ok_or_else(|| self.failed("it asks for a password, and none is known for it"));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(self.failed(format!("it asks for {scheme:?}, which is not supported")));
        }
        let fields = parameters(rest);
        let realm = fields.get("realm").filter(|realm| host_of(realm).is_some());
        let realm = realm.ok_or_else(|| self.failed("it names no token service"))?;
        // A password goes over TLS, or to this machine.
        let safe = realm.starts_with("https://") || host_of(realm).is_some_and(is_loopback) || self.scheme == "http";
        if !safe {
            return Err(self.failed("its token service speaks plain HTTP"));
        }
        let mut request = self.agent.get(realm.as_str()).query("scope", format!("repository:{}:pull", self.path));
        if let Some(service) = fields.get("service") {
            request = request.query("service", service);
        }
        if let Some(login) = login {
            request = request.header("authorization", login);
        }
        let mut answer = request.call().map_err(|error| self.failed(error))?;
        if !answer.status().is_success() {
            return Err(self.failed(format!("its token service answers {}", answer.status())));
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let text = answer.body_mut().with_config().limit(TOKEN).read_to_vec().map_err(|error| self.failed(error))?;
        let token: Token =
            serde_json::from_slice(&text).map_err(|_| self.failed("its token service gives no token"))?;
        let token =
            token.token.or(token.access_token).ok_or_else(|| self.failed("its token service gives no token"))?;
        Ok(format!("Bearer {token}"))
    }

    fn checked(&self, answer: Response<Body>, part: &str) -> Result<Response<Body>, InspectError> {
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::NOT_FOUND => Err(InspectError::Missing(format!("{}/{}/{part}", self.host, self.path))),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(self.failed(format!("it does not let {} be read ({})", self.path, answer.status())))
            }
            status => Err(self.failed(format!("it answers {status} for {part}"))),
        }
    }
}

impl Source for Registry {
    fn roots(&mut self) -> Result<Vec<Root>, InspectError> {
        let wanted = match (&self.reference.digest, &self.reference.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        };
        let part = format!("manifests/{wanted}");
        let answer = self.get(&part)?;
        let mut answer = self.checked(answer, &part)?;
        let limit = self.limits.json;
        let bytes = answer.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| self.failed(error))?;
        let digest = Digest::sha256(&bytes);
        if self.reference.digest.as_ref().is_some_and(|wanted| *wanted != digest) {
            return Err(InspectError::Digest(wanted));
        }
        let mut name = Reference { digest: None, ..self.reference.clone() };
        if self.reference.digest.is_none() && name.tag.is_none() {
            name.tag = Some("latest".to_owned());
        }
        let descriptor = Descriptor { digest: digest.to_string(), ..Descriptor::default() };
        Ok(vec![Root { names: vec![name.to_string()], target: Target::Blob(descriptor) }])
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<Blob<'_>, InspectError> {
        let digest = Digest::parse(&descriptor.digest)
            .ok_or_else(|| InspectError::unsupported("a blob", &format!("the digest {:?}", descriptor.digest)))?;
        // What is a manifest is not a blob to a registry; a descriptor without a type is the root.
        let kind = &descriptor.media_type;
        let manifest = kind.is_empty() || kind.contains("manifest") || kind.contains("image.index");
        let part = format!("{}/{digest}", if manifest { "manifests" } else { "blobs" });
        let answer = self.get(&part)?;
        let answer = self.checked(answer, &part)?;
        let length = answer.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let size = length.or(descriptor.size).unwrap_or(0);
        Ok(Blob { reader: Box::new(answer.into_body().into_reader()), size })
    }
}

/// `key="value", key=value`
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.insert(key, value.trim().to_owned());
        rest = next;
    }
    found
}

/// Host and port of an address of HTTP.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty() && !host.contains('@')).then_some(host)
}

/// The target of a redirect seen from an address.
fn absolute(from: &str, target: &str) -> Option<String> {
    if host_of(target).is_some() {
        return Some(target.to_owned());
    }
    let (scheme, _) = from.split_once("://")?;
    target.starts_with('/').then(|| format!("{scheme}://{}{target}", host_of(from).unwrap_or_default()))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_hosts_and_redirects_are_read() {
        let fields =
            parameters(r#"realm="https://auth.example/token",service=registry.example,scope="repository:a:pull,push""#);
        assert_eq!(fields["realm"], "https://auth.example/token");
        assert_eq!(
            (fields["service"].as_str(), fields["scope"].as_str()),
            ("registry.example", "repository:a:pull,push")
        );
        assert!(is_loopback("localhost:5000") && is_loopback("127.0.0.1") && is_loopback("[::1]:80"));
        assert!(!is_loopback("localhost.example") && !is_loopback("10.0.0.1:5000"));
        assert_eq!(absolute("https://a.example/x", "/y").as_deref(), Some("https://a.example/y"));
        assert_eq!(absolute("https://a.example/x", "ftp://b"), None);
        assert_eq!(host_of("https://user@evil.example/"), None);
    }

    #[test]
    fn logins_are_found_by_host_and_a_broken_file_tells_nothing_of_itself() {
        let found = logins("f", br#"{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"r.example:5000":{"username":"a","password":"b"}}}"#);
        let found = found.unwrap();
        assert_eq!((found["docker.io"].as_str(), found["r.example:5000"].as_str()), ("YTpi", "YTpi"));
        let error = logins("f", br#"{"auths":{"r":{"auth":12345}}}"#).unwrap_err();
        assert!(!error.to_string().contains("12345"));
    }

    #[test]
    fn a_mirror_stands_in_for_host_and_prefix() {
        let access = Access::new(&["docker.io=mirror.gov.example/hub".to_owned()], false, Some(Path::new("/dev/null")));
        assert!(access.is_err(), "an empty file is no JSON");
        let access = Access {
            mirrors: BTreeMap::from([("docker.io".to_owned(), "mirror.gov.example/hub".to_owned())]),
            ..Access::default()
        };
        let registry = Registry::open("nginx:1.27", &access, Limits::default()).unwrap();
        assert_eq!((registry.host.as_str(), registry.path.as_str()), ("mirror.gov.example", "hub/library/nginx"));
        assert_eq!((registry.scheme, registry.reference.host.as_str()), ("https", "docker.io"));
    }
}
