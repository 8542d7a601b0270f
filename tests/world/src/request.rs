//! A request in the world's words: who asks, for which object, to do what, with which options.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, header};
use serde_json::Value;

/// A request, read.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path without query, decoded.
    pub path: String,
    /// Query parameters; of repeated ones the last.
    pub query: BTreeMap<String, String>,
    /// What the path names.
    pub target: Target,
    /// Which client of the world asks; tests give the name.
    pub client: String,
    /// User of `Impersonate-User`, or `admin`.
    pub user: String,
    /// Groups of `Impersonate-Group`.
    pub groups: Vec<String>,
    /// Content type without parameters.
    pub content_type: String,
    /// Accepted types, as sent.
    pub accept: String,
    /// User agent.
    pub user_agent: String,
    /// Body.
    pub body: bytes::Bytes,
}

/// What a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// API group; empty for the core group.
    pub group: String,
    /// Version; empty when the path names no resource.
    pub version: String,
    /// Plural of the resource.
    pub plural: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name, or empty for a collection.
    pub name: String,
    /// Subresource, or empty.
    pub subresource: String,
}

impl Request {
    /// Reads the parts of an HTTP request.
    #[must_use]
    pub fn read(parts: &http::request::Parts, body: bytes::Bytes, client: &str) -> Self {
        let text = |name: header::HeaderName| header_text(&parts.headers, name.as_str());
        let path = decoded(parts.uri.path());
        let content_type = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned();
        let user = header_text(&parts.headers, "impersonate-user");
        let groups = parts.headers.get_all("impersonate-group").iter();
        Self {
            method: parts.method.clone(),
            target: Target::read(&path),
            query: query(parts.uri.query().unwrap_or_default()),
            client: client.to_owned(),
            user: if user.is_empty() { "admin".to_owned() } else { user },
            groups: groups.filter_map(|group| group.to_str().ok()).map(str::to_owned).collect(),
            content_type,
            accept: text(header::ACCEPT),
            user_agent: text(header::USER_AGENT),
            path,
            body,
        }
    }

    /// A query parameter.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A query parameter that is a flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.option(name), Some("true" | "1" | ""))
    }

    /// Whether it only reads.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.method == Method::GET
    }

    /// The verb of RBAC and audit.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        let named = !self.target.name.is_empty();
        match self.method.as_str() {
            "GET" if self.flag("watch") => "watch",
            "GET" if self.target.plural.is_empty() || named => "get",
            "GET" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if named => "delete",
            "DELETE" => "deletecollection",
            _ => "other",
        }
    }

    /// Whether it is a dry run.
    pub(crate) fn dry_run(&self) -> bool {
        self.option("dryRun").is_some_and(|value| !value.is_empty())
    }

    /// The field manager: what the request says, or what stands before the slash of the user agent.
    pub(crate) fn manager(&self) -> &str {
        match self.option("fieldManager").filter(|manager| !manager.is_empty()) {
            Some(manager) => manager,
            None => match self.user_agent.split('/').next().unwrap_or_default() {
                "" => "unknown",
                agent => agent,
            },
        }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl Target {
    fn read(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Self::default(),
        };
        let mut target = Self { group: group.to_owned(), version: version.to_owned(), ..Self::default() };
        let rest = match rest {
            // The namespace itself and its subresources are objects of their own.
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => rest,
            ["namespaces", namespace, below @ ..] => {
                target.namespace = (*namespace).to_owned();
                below
            }
            all => all,
        };
        let mut words = rest.iter().map(|word| (*word).to_owned());
        target.plural = words.next().unwrap_or_default();
        target.name = words.next().unwrap_or_default();
        target.subresource = words.collect::<Vec<_>>().join("/");
        target
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn query(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " "))))
        .collect()
}

/// Percent-encoding taken away; what is no encoding stays.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if *first == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high * 16 + low);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> (String, String, String, String, String) {
        let t = Target::read(path);
        (t.group, t.plural, t.namespace, t.name, t.subresource)
    }

    fn texts(words: [&str; 5]) -> (String, String, String, String, String) {
        let [a, b, c, d, e] = words.map(str::to_owned);
        (a, b, c, d, e)
    }

    #[test]
    fn paths_name_objects() {
        for (path, words) in [
            ("/api/v1/namespaces", ["", "namespaces", "", "", ""]),
            ("/api/v1/namespaces/a", ["", "namespaces", "", "a", ""]),
            ("/api/v1/namespaces/a/finalize", ["", "namespaces", "", "a", "finalize"]),
            ("/api/v1/namespaces/a/pods", ["", "pods", "a", "", ""]),
            ("/apis/apps/v1/namespaces/a/deployments/x/scale", ["apps", "deployments", "a", "x", "scale"]),
            ("/apis/apps/v1/deployments", ["apps", "deployments", "", "", ""]),
            ("/apis/apps", ["", "", "", "", ""]),
        ] {
            assert_eq!(target(path), texts(words), "{path}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        let query = query("labelSelector=a%3Db%2Cc+in&watch=true&empty");
        assert_eq!(query.get("labelSelector").map(String::as_str), Some("a=b,c in"));
        assert_eq!(query.get("empty").map(String::as_str), Some(""));
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
