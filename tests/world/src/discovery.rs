//! Discovery: which groups, versions and resources there are, in the old form and in the aggregated one.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::answer::{Answer, Content, Result, method_not_allowed, no_such_path, not_in_this_world};
use crate::kinds::Kind;
use crate::request::Request;
use crate::world::Inner;

/// Verbs of a resource, in alphabetical order.
const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// Verbs of a custom resource, in the order its handler prints them.
const CUSTOM_VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// Verbs of status and scale.
const SUB_VERBS: &[&str] = &["get", "patch", "update"];

/// The order of the built-in groups, as a real server sorts them.
const GROUPS: &[&str] = &[
    "apps",
    "events.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
];

impl Inner {
    /// Answers what is not about an object; `None` when it is.
    pub(crate) fn discover(&self, request: &Request) -> Option<Result<Answer>> {
        let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        let aggregated = request.accept.contains("as=APIGroupDiscoveryList");
        let answer = match parts.as_slice() {
            ["version"] => Ok(Answer::json(200, version())),
            ["healthz" | "livez" | "readyz"] => {
                Ok(Answer { code: 200, body: Content::Text("ok".to_owned()), warnings: Vec::new() })
            }
            ["api"] if aggregated => Ok(Answer::json(200, self.aggregated(true))),
            ["apis"] if aggregated => Ok(Answer::json(200, self.aggregated(false))),
            ["api"] => Ok(Answer::json(
                200,
                json!({"kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "world:443"}]}),
            )),
            ["apis"] => Ok(Answer::json(200, self.group_list())),
            ["api", "v1"] => Ok(Answer::json(200, self.resource_list("", "v1"))),
            ["apis", group] => self.group(group),
            ["apis", group, version] => self.resources_of(group, version),
            ["api" | "apis", ..] => return None,
            [] | ["openapi" | "metrics" | "logs" | "swagger.json" | ".well-known" | "openid", ..] => {
                Err(not_in_this_world(&request.path))
            }
            _ => Err(no_such_path()),
        };
        let allowed = request.method == Method::GET;
        Some(if allowed { answer } else { Err(method_not_allowed(None)) })
    }

    /// The kinds by group, built-in groups first, then ours by name.
    fn groups(&self) -> Vec<(String, Vec<Arc<Kind>>)> {
        let mut by_group: BTreeMap<String, Vec<Arc<Kind>>> = BTreeMap::new();
        for kind in self.kinds.iter() {
            by_group.entry(kind.group.clone()).or_default().push(kind.clone());
        }
        let mut groups: Vec<_> = by_group.into_iter().collect();
        let place = |name: &str| GROUPS.iter().position(|group| *group == name).unwrap_or(GROUPS.len());
        groups.sort_by_key(|(name, _)| (place(name), name.clone()));
        for (_, kinds) in &mut groups {
            kinds.sort_by(|a, b| a.plural.cmp(&b.plural));
        }
        groups
    }

    fn group_list(&self) -> Value {
        let groups: Vec<Value> = self
            .groups()
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .filter_map(|(name, kinds)| api_group(name, kinds))
            .collect();
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
    }

    fn group(&self, name: &str) -> Result<Answer> {
        let found = self.groups().into_iter().find(|(group, _)| group == name);
        let group = found.and_then(|(name, kinds)| api_group(&name, &kinds)).ok_or_else(no_such_path)?;
        let mut group = group;
        group["kind"] = json!("APIGroup");
        group["apiVersion"] = json!("v1");
        Ok(Answer::json(200, group))
    }

    fn resources_of(&self, group: &str, version: &str) -> Result<Answer> {
        let known = self.kinds.iter().any(|kind| kind.group == group && kind.version == version);
        if known { Ok(Answer::json(200, self.resource_list(group, version))) } else { Err(no_such_path()) }
    }

    fn resource_list(&self, group: &str, version: &str) -> Value {
        let mut resources = Vec::new();
        let mut kinds: Vec<&Arc<Kind>> =
            self.kinds.iter().filter(|kind| kind.group == group && kind.version == version).collect();
        kinds.sort_by(|a, b| a.plural.cmp(&b.plural));
        for kind in kinds {
            let mut resource = json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
                "kind": kind.kind, "verbs": verbs(kind)});
            if !kind.short_names.is_empty() {
                resource["shortNames"] = json!(kind.short_names);
            }
            if !kind.categories.is_empty() {
                resource["categories"] = json!(kind.categories);
            }
            resources.push(resource);
            for (name, group, version, sub_kind) in subresources(kind) {
                let mut sub = json!({"name": format!("{}/{name}", kind.plural), "singularName": "",
                    "namespaced": kind.namespaced, "kind": sub_kind, "verbs": SUB_VERBS});
                if name == "scale" {
                    sub["group"] = json!(group);
                    sub["version"] = json!(version);
                }
                resources.push(sub);
            }
        }
        let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let mut out = json!({"kind": "APIResourceList", "groupVersion": name, "resources": resources});
        if !group.is_empty() {
            out["apiVersion"] = json!("v1");
        }
        out
    }

    /// The aggregated form, of the core group or of all others.
    fn aggregated(&self, core: bool) -> Value {
        let items: Vec<Value> = self
            .groups()
            .iter()
            .filter(|(name, _)| name.is_empty() == core)
            .map(|(name, kinds)| {
                let version = kinds.first().map(|kind| kind.version.clone()).unwrap_or_default();
                let resources: Vec<Value> = kinds.iter().map(|kind| aggregated_resource(kind)).collect();
                let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
                json!({"metadata": metadata, "versions": [
                    {"version": version, "resources": resources, "freshness": "Current"}]})
            })
            .collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
    }
}

fn verbs(kind: &Kind) -> Vec<&'static str> {
    let whole = if kind.native { VERBS } else { CUSTOM_VERBS };
    let single = kind.is_one_of(&["namespaces"]);
    whole.iter().copied().filter(|verb| !(single && *verb == "deletecollection")).collect()
}

fn api_group(name: &str, kinds: &[Arc<Kind>]) -> Option<Value> {
    let version = &kinds.first()?.version;
    let entry = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    Some(json!({"name": name, "versions": [entry], "preferredVersion": entry}))
}

/// Name, group, version and kind of the subresources of a kind.
fn subresources(kind: &Kind) -> Vec<(&'static str, String, String, String)> {
    let mut out = Vec::new();
    if kind.scale.is_some() {
        out.push(("scale", "autoscaling".to_owned(), "v1".to_owned(), "Scale".to_owned()));
    }
    if kind.status {
        out.push(("status", kind.group.clone(), kind.version.clone(), kind.kind.clone()));
    }
    if !kind.native {
        out.reverse();
    }
    out
}

fn aggregated_resource(kind: &Kind) -> Value {
    let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
    let mut out = json!({"resource": kind.plural, "scope": scope, "singularResource": kind.singular, "verbs": verbs(kind),
        "responseKind": response_kind(kind, &kind.group, &kind.version, &kind.kind)});
    if !kind.short_names.is_empty() {
        out["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        out["categories"] = json!(kind.categories);
    }
    let subs: Vec<Value> = subresources(kind)
        .into_iter()
        .map(|(name, group, version, sub_kind)| {
            json!({"subresource": name, "verbs": SUB_VERBS,
                "responseKind": response_kind(kind, &group, &version, &sub_kind)})
        })
        .collect();
    if !subs.is_empty() {
        out["subresources"] = json!(subs);
    }
    out
}

/// The kind of an answer; a native resource of its own group leaves group and version out.
fn response_kind(of: &Kind, group: &str, version: &str, kind: &str) -> Value {
    let own = of.native && group == of.group;
    let (group, version) = if own { ("", "") } else { (group, version) };
    json!({"group": group, "version": version, "kind": kind})
}

fn version() -> Value {
    json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "gc", "platform": "linux/amd64", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35"})
}
