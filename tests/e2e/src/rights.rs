//! Rights as granted held against rights as used: what the live roles of ours say, and what the API servers recorded.
//!
//! A right that no request of a whole run needed is one too many; a request of ours that was forbidden is one too few.
//! Some rights are asked about by an API server itself while it answers another request, and so leave no line of their
//! own in its log: they count as used where that other request went through.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::audit::Event;
use crate::fleet::Cluster;

/// One verb on one resource, as a role grants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The role, as `ClusterRole/jiuzhou`.
    pub role: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Resource, with its subresource after a slash.
    pub resource: String,
    /// The one name it holds for; empty for any.
    pub name: String,
    /// The verb.
    pub verb: String,
}

/// A request on the wire, as far as a role is asked about it.
fn is(event: &Event, group: &str, resource: &str, verbs: &[&str]) -> bool {
    event.group == group && event.resource == resource && verbs.contains(&event.verb.as_str()) && event.code != 403
}

impl Grant {
    /// Whether a request needed it.
    #[must_use]
    pub fn used_by(&self, event: &Event) -> bool {
        let rbac = "rbac.authorization.k8s.io";
        match (self.verb.as_str(), self.resource.as_str()) {
            ("approve", "signers") => {
                is(event, "certificates.k8s.io", "certificatesigningrequests/approval", &["patch", "update"])
            }
            ("bind", _) => is(event, rbac, "rolebindings", &["create", "patch"]),
            ("impersonate", _) => {
                event.acted_as.as_ref().is_some_and(|user| user.ends_with(&format!(":{}", self.name)))
            }
            // An apply that makes its object is asked about as both.
            ("create", _) => {
                is(event, &self.group, &self.resource, &["create"])
                    || is(event, &self.group, &self.resource, &["patch"]) && event.code == 201
            }
            (verb, _) => {
                let named = self.name.is_empty() || self.name == event.name || event.name.is_empty();
                named && is(event, &self.group, &self.resource, &[verb])
            }
        }
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { role, group, resource, name, verb } = self;
        let name = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        write!(f, "{role}: {verb} {resource}.{group}{name}")
    }
}

fn words<'a>(rule: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    rule[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What a role grants, one by one.
#[must_use]
pub fn grants(role: &Value) -> Vec<Grant> {
    let title = format!(
        "{}/{}",
        role["kind"].as_str().unwrap_or_default(),
        role["metadata"]["name"].as_str().unwrap_or_default()
    );
    let mut found = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let names: Vec<&str> = words(rule, "resourceNames").collect();
        let names = if names.is_empty() { vec![""] } else { names };
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for (name, verb) in names.iter().flat_map(|name| words(rule, "verbs").map(move |verb| (name, verb))) {
                    found.push(Grant {
                        role: title.clone(),
                        group: group.to_owned(),
                        resource: resource.to_owned(),
                        name: (*name).to_owned(),
                        verb: verb.to_owned(),
                    });
                }
            }
        }
    }
    found
}

/// Roles of ours in a cluster, whatever their namespace.
///
/// # Errors
/// When they cannot be read.
pub fn roles(cluster: &Cluster) -> Result<Vec<Value>> {
    let told = cluster.kubectl(&["get", "roles,clusterroles", "--all-namespaces", "--output=json"])?;
    let told: Value = serde_json::from_str(&told).context("failed to read the roles")?;
    let ours = |role: &&Value| {
        let labels = &role["metadata"]["labels"];
        labels["app.kubernetes.io/managed-by"] == "jiuzhou" || labels["app.kubernetes.io/part-of"] == "jiuzhou"
    };
    Ok(told["items"].as_array().into_iter().flatten().filter(ours).cloned().collect())
}

/// Whose requests a role of ours is for; `None` for the roles of people.
#[must_use]
pub fn holder(role: &Value) -> Option<fn(&Event) -> bool> {
    const HUB: &str = "system:serviceaccount:jiuzhou-system:jiuzhou-hub";
    fn asks(event: &Event, user: &str) -> bool {
        event.user == user
    }
    Some(match role["metadata"]["name"].as_str().unwrap_or_default() {
        "jiuzhou" | "jiuzhou-operator" => |event| asks(event, crate::operator::USER),
        "jiuzhou-agent" => |event| event.user.starts_with("system:jiuzhou:member:"),
        "jiuzhou-agent-certificates" => |event| {
            event.user.starts_with("system:jiuzhou:member:")
                || event.user.starts_with("system:serviceaccount:jiuzhou-member-") && event.user.ends_with(":bootstrap")
        },
        "jiuzhou-hub" => |event| asks(event, HUB),
        "jiuzhou-tenant" => |event| {
            event.acted_as.as_ref().is_some_and(|user| user.starts_with("system:serviceaccount:jiuzhou-tenants:"))
        },
        _ => return None,
    })
}

/// Granted minus used, in words; and how many grants were looked at. A right counts once for all clusters given: the same
/// role stands in each.
#[must_use]
pub fn unused(clusters: &[(Vec<Value>, Vec<Event>)]) -> (Vec<String>, usize) {
    let mut used: BTreeMap<Grant, bool> = BTreeMap::new();
    for (roles, events) in clusters {
        for role in roles {
            let Some(holder) = holder(role) else { continue };
            let own: Vec<&Event> = events.iter().filter(|event| holder(event)).collect();
            for grant in grants(role) {
                let now = own.iter().any(|event| grant.used_by(event));
                *used.entry(grant).or_default() |= now;
            }
        }
    }
    let idle = used.iter().filter(|(_, used)| !**used).map(|(grant, _)| grant.to_string()).collect();
    (idle, used.len())
}

/// Requests of our own accounts that were forbidden: used minus granted. What is asked as a tenant is left to the member,
/// and a namespace that is on its way out refuses with the same code whoever may write there.
#[must_use]
pub fn forbidden(events: &[Event]) -> BTreeSet<String> {
    let own = |event: &&Event| {
        event.acted_as.is_none()
            && (event.user.starts_with("system:serviceaccount:jiuzhou-") || event.user.starts_with("system:jiuzhou:"))
    };
    let refused = events.iter().filter(own).filter(|event| event.code == 403 && event.cause != "NamespaceTerminating");
    refused.map(|event| format!("{}: {} {}", event.user, event.verb, event.uri)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(verb: &str, resource: &str, code: u16) -> Event {
        Event {
            id: "1".to_owned(),
            received: jiff::Timestamp::UNIX_EPOCH,
            answered: jiff::Timestamp::UNIX_EPOCH,
            user: crate::operator::USER.to_owned(),
            acted_as: None,
            user_agent: "jiuzhou/0.1.0".to_owned(),
            verb: verb.to_owned(),
            uri: format!("/apis/jiuzhou.dev/v1alpha1/{resource}"),
            group: "jiuzhou.dev".to_owned(),
            resource: resource.to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
            code,
            cause: String::new(),
            request: Value::Null,
        }
    }

    fn role() -> Value {
        json!({ "kind": "ClusterRole", "metadata": { "name": "jiuzhou" }, "rules": [
            { "apiGroups": ["jiuzhou.dev"], "resources": ["tenants"], "verbs": ["get", "create", "patch"] },
            { "apiGroups": ["jiuzhou.dev"], "resources": ["sites"], "resourceNames": ["b"], "verbs": ["get"] },
        ] })
    }

    fn idle(events: Vec<Event>) -> Vec<String> {
        unused(&[(vec![role()], events)]).0
    }

    #[test]
    fn a_right_that_nobody_needed_is_named_and_one_that_was_refused_is_not_used() {
        let all = ["create tenants", "get tenants", "patch tenants", "get sites"];
        assert_eq!(idle(vec![]).len(), all.len());
        let left = idle(vec![event("get", "tenants", 200), event("patch", "tenants", 403), event("get", "sites", 200)]);
        let named = |what: &str| left.iter().any(|line| line.contains(what));
        assert!(!named("get tenants") && named("patch tenants") && named("create tenants"), "{left:?}");
        assert!(named("get sites"), "another name was asked for: {left:?}");
    }

    #[test]
    fn an_apply_that_makes_its_object_needs_both_verbs() {
        let left = idle(vec![event("patch", "tenants", 201)]);
        assert!(!left.iter().any(|line| line.contains("create tenants") || line.contains("patch tenants")), "{left:?}");
        assert!(idle(vec![event("patch", "tenants", 200)]).iter().any(|line| line.contains("create tenants")));
    }

    #[test]
    fn a_stranger_uses_nothing_of_ours_and_a_refusal_of_ours_is_told() {
        let mut stranger = event("get", "tenants", 200);
        stranger.user = "kubernetes-admin".to_owned();
        assert_eq!(idle(vec![stranger]).len(), 4);
        assert_eq!(forbidden(&[event("get", "tenants", 200)]).len(), 0);
        assert_eq!(forbidden(&[event("get", "tenants", 403)]).len(), 1);
        let mut leaving = event("create", "tenants", 403);
        "NamespaceTerminating".clone_into(&mut leaving.cause);
        assert_eq!(forbidden(&[leaving]).len(), 0, "its namespace ends");
    }
}
