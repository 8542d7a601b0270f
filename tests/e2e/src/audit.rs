//! What the API servers recorded: who asked for what, and what they answered.
//!
//! One event is one finished request (`ResponseComplete` of `audit.k8s.io/v1`). Writes carry what was asked for, but
//! not those of Secrets and ConfigMaps.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;

/// Verbs that change state.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// One finished request.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Id of the request.
    pub id: String,
    /// When it came in.
    pub received: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
    /// Who asked, such as `system:serviceaccount:jiuzhou-system:jiuzhou`.
    pub user: String,
    /// Whom they acted as, when they impersonated somebody.
    pub acted_as: Option<String>,
    /// The program that asked.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// API group of the object; empty for the core group.
    pub group: String,
    /// Resource, with its subresource after a slash: `deployments/scale`.
    pub resource: String,
    /// Namespace of the object; empty for cluster-wide ones.
    pub namespace: String,
    /// Name of the object; empty for lists and creations with generated names.
    pub name: String,
    /// Status code answered.
    pub code: u16,
    /// Why it was refused beyond its code, such as `NamespaceTerminating`; empty when nothing was said.
    pub cause: String,
    /// What was asked for; null for reads and for what the policy keeps out.
    pub request: Value,
}

impl Event {
    /// Whether it asked to change something for good: a write that is no trial run.
    #[must_use]
    pub fn is_write(&self) -> bool {
        WRITES.contains(&self.verb.as_str()) && !self.uri.contains("dryRun=All")
    }

    /// Whether it changed something.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.is_write() && (200..300).contains(&self.code)
    }

    fn read(line: &str) -> Result<Option<Self>> {
        let event: Value = serde_json::from_str(line).context("failed to read an audit event")?;
        if event["stage"] != "ResponseComplete" {
            return Ok(None);
        }
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let time = |pointer: &str| -> Result<Timestamp> {
            text(pointer).parse().with_context(|| format!("failed to read {pointer} of an audit event"))
        };
        let mut resource = text("/objectRef/resource");
        let part = text("/objectRef/subresource");
        if !part.is_empty() {
            resource = format!("{resource}/{part}");
        }
        let code = event["responseStatus"]["code"].as_u64().unwrap_or_default();
        Ok(Some(Self {
            id: text("/auditID"),
            received: time("/requestReceivedTimestamp")?,
            answered: time("/stageTimestamp")?,
            user: text("/user/username"),
            acted_as: event.pointer("/impersonatedUser/username").and_then(Value::as_str).map(str::to_owned),
            user_agent: text("/userAgent"),
            verb: text("/verb"),
            uri: text("/requestURI"),
            group: text("/objectRef/apiGroup"),
            resource,
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            code: u16::try_from(code).context("failed to read the status code of an audit event")?,
            cause: text("/responseStatus/details/causes/0/reason"),
            request: event["requestObject"].clone(),
        }))
    }
}

/// Every event of a log. A last line without its end is being written and is left out.
///
/// # Errors
/// When the log cannot be read or a whole line is no event.
pub fn read(log: &Path) -> Result<Vec<Event>> {
    let text = fs::read_to_string(log).with_context(|| format!("failed to read {}", log.display()))?;
    events(&text)
}

fn events(text: &str) -> Result<Vec<Event>> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().filter(|line| !line.is_empty());
    lines.filter_map(|line| Event::read(line).transpose()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a1","stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/shop/deployments/web/scale?fieldManager=jiuzhou","verb":"patch","user":{"username":"system:serviceaccount:jiuzhou-system:jiuzhou"},"impersonatedUser":{"username":"tenant"},"userAgent":"jiuzhou/0.1.0","objectRef":{"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps","apiVersion":"v1","subresource":"scale"},"responseStatus":{"code":200},"requestObject":{"spec":{"replicas":3}},"requestReceivedTimestamp":"2026-11-23T01:02:03.000001Z","stageTimestamp":"2026-11-23T01:02:03.004000Z"}"#;

    #[test]
    fn an_event_says_who_asked_for_what_and_what_was_answered() {
        let events = events(&format!("{LINE}\n")).unwrap();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.user, "system:serviceaccount:jiuzhou-system:jiuzhou");
        assert_eq!(event.acted_as.as_deref(), Some("tenant"));
        assert_eq!((event.group.as_str(), event.resource.as_str()), ("apps", "deployments/scale"));
        assert_eq!(event.request["spec"]["replicas"], 3);
        assert!(event.wrote() && event.received < event.answered);
    }

    #[test]
    fn a_refused_write_and_a_trial_run_changed_nothing() {
        let refused = LINE.replace(r#""code":200"#, r#""code":409"#);
        let trial = LINE.replace("fieldManager=jiuzhou", "dryRun=All&fieldManager=jiuzhou");
        let both = events(&format!("{refused}\n{trial}\n")).unwrap();
        assert!(both[0].is_write() && !both[0].wrote());
        assert!(!both[1].is_write());
    }

    #[test]
    fn a_line_that_is_being_written_is_left_out_and_a_broken_one_is_told() {
        let half = &LINE[..LINE.len() / 2];
        assert_eq!(events(&format!("{LINE}\n{half}")).unwrap().len(), 1);
        assert!(events(&format!("{half}\n{LINE}\n")).is_err());
    }

    #[test]
    fn stages_before_the_answer_are_no_events_of_their_own() {
        let early = LINE.replace("ResponseComplete", "ResponseStarted");
        assert_eq!(events(&format!("{early}\n{LINE}\n")).unwrap().len(), 1);
    }
}
