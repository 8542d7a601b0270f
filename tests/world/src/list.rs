//! Lists: selectors, pages, old revisions, and the forms an object is asked for in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::answer::{Answer, FieldError, Result, bad_request, expired, invalid, too_large_version};
use crate::kinds::Kind;
use crate::request::Request;
use crate::selector::Selector;
use crate::store::{Key, Object};
use crate::world::Inner;

/// Form in which objects are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The whole object.
    Whole,
    /// Only its metadata.
    Metadata,
}

impl Form {
    pub(crate) fn of(request: &Request) -> Self {
        if request.accept.contains("as=PartialObjectMetadata") { Self::Metadata } else { Self::Whole }
    }

    /// An object in this form; `kind` is put on it.
    pub(crate) fn print(self, kind: &Kind, object: &Value) -> Value {
        let mut out = match self {
            Self::Whole => object.clone(),
            Self::Metadata => {
                let metadata = object.get("metadata").cloned().unwrap_or_default();
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
        };
        if self == Self::Whole {
            out["apiVersion"] = json!(kind.api_version());
            out["kind"] = json!(kind.kind);
        }
        out
    }

    /// An object as an element of a list: native ones carry no kind there.
    fn print_element(self, kind: &Kind, object: &Value) -> Value {
        let mut out = self.print(kind, object);
        if self == Self::Whole
            && kind.native
            && let Some(fields) = out.as_object_mut()
        {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        out
    }
}

/// What a list says about the revision it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Now,
    NotOlderThan(u64),
    Exact(u64),
}

/// Where the next page begins, inside a continue token.
struct Continue {
    revision: u64,
    start: String,
}

impl Continue {
    fn print(&self) -> String {
        let json = json!({"v": "meta.k8s.io/v1", "rv": self.revision, "start": format!("{}\u{0}", self.start)});
        URL_SAFE_NO_PAD.encode(json.to_string())
    }

    fn read(text: &str) -> Option<Self> {
        let json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let start = json.get("start")?.as_str()?.trim_end_matches('\u{0}').to_owned();
        Some(Self { revision: json.get("rv")?.as_u64()?, start })
    }
}

/// What a client is told whose pages are no longer kept.
const EXPIRED_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

impl Inner {
    /// Lists a collection.
    pub(crate) fn list(&self, request: &Request, kind: &Kind) -> Result<Answer> {
        let selector = Selector::read(request)?;
        let form = Form::of(request);
        check_rule(request)?;
        let limit = match request.option("limit").filter(|text| !text.is_empty()) {
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| bad_request(&format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?,
            None => 0,
        };
        let token = request.option("continue").filter(|token| !token.is_empty());
        let (revision, start) = match token {
            Some(text) => self.continued(text)?,
            None => (self.revision_of(request)?, String::new()),
        };
        let namespace = Some(request.target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let rows = self.store.snapshot(&kind.resource(), namespace, revision);
        let rest: Vec<(Key, Object)> = rows.into_iter().filter(|(key, _)| key.path.as_str() > start.as_str()).collect();

        let matching: Vec<&(Key, Object)> = rest.iter().filter(|(_, object)| selector.matches(object)).collect();
        let page: Vec<&(Key, Object)> =
            matching.iter().take(if limit == 0 { usize::MAX } else { limit }).copied().collect();
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if page.len() < matching.len()
            && let Some((last, _)) = page.last()
        {
            metadata["continue"] = json!(Continue { revision, start: last.path.clone() }.print());
            // With a selector the server cannot count what remains.
            let selected = ["labelSelector", "fieldSelector"].iter().any(|name| request.option(name).is_some());
            if !selected {
                metadata["remainingItemCount"] = json!(matching.len() - page.len());
            }
        }
        let items: Vec<Value> = page.into_iter().map(|(_, object)| form.print_element(kind, object)).collect();
        let (list_kind, api_version) = match form {
            Form::Whole => (kind.list_kind.clone(), kind.api_version()),
            Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        if !kind.native && form == Form::Whole && metadata.get("continue").is_none() {
            metadata["continue"] = json!("");
        }
        // An empty list of metadata is written without items by a real server (seen on 1.36.3).
        let none = form == Form::Metadata && items.is_empty();
        let items = if none { Value::Null } else { Value::Array(items) };
        let body = json!({"kind": list_kind, "apiVersion": api_version, "metadata": metadata, "items": items});
        Ok(Answer::json(200, body))
    }

    /// The revision and place a continue token names.
    fn continued(&self, text: &str) -> Result<(u64, String)> {
        let Some(token) = Continue::read(text) else {
            return Err(bad_request(
                "invalid continue token: continue key is not valid: server does not recognize this encoded version ",
            ));
        };
        if token.revision < self.store.compacted() {
            let mut refusal = expired(EXPIRED_CONTINUE);
            let next = Continue { revision: self.store.revision(), start: token.start };
            refusal.status["metadata"] = json!({"continue": next.print()});
            return Err(refusal);
        }
        Ok((token.revision, token.start))
    }

    /// The revision a list is to show.
    fn revision_of(&self, request: &Request) -> Result<u64> {
        let text = request.option("resourceVersion").unwrap_or_default();
        let rule = request.option("resourceVersionMatch").unwrap_or_default();
        let version = match text {
            "" => None,
            text => Some(
                text.parse::<u64>()
                    .map_err(|_| bad_request(&format!("invalid resource version: {}", invalid_version(text))))?,
            ),
        };
        let now = self.store.revision();
        let at = match (version, rule) {
            (None | Some(0), _) => At::Now,
            (Some(version), "Exact") => At::Exact(version),
            (Some(version), _) => At::NotOlderThan(version),
        };
        match at {
            At::Now => Ok(now),
            At::NotOlderThan(version) | At::Exact(version) if version > now => Err(too_large_version(version, now)),
            At::NotOlderThan(_) => Ok(now),
            At::Exact(version) if version < self.store.compacted() => {
                Err(expired("The resourceVersion for the provided list is too old."))
            }
            At::Exact(version) => Ok(version),
        }
    }
}

/// What is said of a revision that is no number.
pub(crate) fn invalid_version(text: &str) -> String {
    format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax")
}

/// A rule for revisions must fit the revision.
pub(crate) fn check_rule(request: &Request) -> Result<()> {
    let version = request.option("resourceVersion").unwrap_or_default();
    let rule = request.option("resourceVersionMatch").unwrap_or_default();
    let initial = request.option("sendInitialEvents").is_some();
    let why = match (rule, version) {
        ("", _) if initial => "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ("", _) => return Ok(()),
        (_, "") if !initial => "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ("Exact", "0") => "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        _ => return Ok(()),
    };
    Err(invalid("meta.k8s.io", "ListOptions", "", &[FieldError::forbidden("resourceVersionMatch", why)]))
}
