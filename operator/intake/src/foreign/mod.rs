//! Objects of other multi-cluster systems as ours, with a list of what has no counterpart.
//!
//! Clusters: contexts of a kubeconfig, SIG `ClusterProfile`, Karmada `Cluster`, OCM `ManagedCluster`. Policies: Karmada
//! `PropagationPolicy` and `OverridePolicy` (and their cluster-wide forms), OCM `Placement`. Nothing is dropped silently:
//! every field of a foreign spec is either taken, or told with its value ([`taken::Taken`]). Credentials are never read.

mod clusters;
mod karmada;
mod kubeconfig;
mod ocm;
mod overrides;
mod taken;

use std::collections::BTreeMap;
use std::io::Read;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Digest, Finding, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use crate::documents::{self, Document};
use crate::files;
use crate::yaml::{self, Limits};

use taken::Taken;

/// What the other system does not say of a cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Site of every imported cluster.
    pub site: Option<String>,
    /// Form of cloud.
    pub form: api::CloudForm,
    /// Whose the clusters are.
    pub ownership: api::Ownership,
}

/// What was imported.
#[derive(Debug, Default)]
pub struct Imported {
    /// Objects of ours, by kind and name.
    pub objects: Vec<Value>,
    /// What differs, what has no counterpart, what is wrong with the input.
    pub findings: Vec<Finding>,
    /// Clusters were in the input, and no site was given for them.
    pub site_wanted: bool,
}

/// Reads inputs (paths, folders, `-`).
pub fn import(inputs: &[String], stdin: &mut dyn Read, settings: &Settings) -> Imported {
    let limits = Limits::default();
    let mut work = Work { settings, imported: Imported::default(), policies: Vec::new() };
    let mut documents = Vec::new();
    let mut each = |name: &str, bytes: &[u8]| {
        // A kubeconfig has no name and so is no object to the reader of documents.
        let (parsed, _) = yaml::read(name, bytes, &limits);
        let configs = parsed.into_iter().filter(|parsed| kubeconfig::is_one(&parsed.value));
        let configs: Vec<Value> = configs.map(|parsed| parsed.value).collect();
        if configs.is_empty() {
            let (mut read, mut found) = documents::read_bytes(name, bytes, &limits);
            documents.append(&mut read);
            work.imported.findings.append(&mut found);
        }
        for config in &configs {
            kubeconfig::import(&mut work, name, config);
        }
    };
    let unread = files::read_each(inputs, stdin, limits.bytes, &mut each);
    work.imported.findings.extend(unread);
    // Overrides are joined to the policies of the same objects, so these come last.
    let (overrides, others): (Vec<Document>, Vec<Document>) =
        documents.into_iter().partition(|document| document.kind.ends_with("OverridePolicy"));
    for document in &others {
        work.document(document);
    }
    for document in &overrides {
        overrides::import(&mut work, document);
    }
    work.finish()
}

/// An imported policy, until overrides have been joined to it.
pub(super) struct Policy {
    /// Empty for one of the whole hub.
    namespace: String,
    name: String,
    labels: BTreeMap<String, String>,
    rules: api::PlacementRules,
    /// Objects the foreign policy selects.
    selects: Vec<Value>,
}

pub(super) struct Work<'a> {
    settings: &'a Settings,
    imported: Imported,
    policies: Vec<Policy>,
}

impl Work<'_> {
    fn document(&mut self, document: &Document) {
        let (group, _) = document.group_version();
        match (group, document.kind.as_str()) {
            ("multicluster.x-k8s.io", "ClusterProfile") => clusters::profile(self, document),
            ("cluster.karmada.io", "Cluster") => clusters::karmada(self, document),
            ("cluster.open-cluster-management.io", "ManagedCluster") => clusters::managed(self, document),
            ("policy.karmada.io", "PropagationPolicy" | "ClusterPropagationPolicy") => karmada::policy(self, document),
            ("cluster.open-cluster-management.io", "Placement") => ocm::placement(self, document),
            _ => self.found(document.finding(Reason::new(Code::NotImported), "/kind")),
        }
    }

    fn found(&mut self, finding: Finding) {
        self.imported.findings.push(finding);
    }

    fn object(&mut self, object: &impl Serialize) {
        // Our own types: serialisation of them cannot fail.
        self.imported.objects.extend(serde_json::to_value(object));
    }

    /// A member cluster with what every import says of it.
    fn cluster(&mut self, name: &str, labels: BTreeMap<String, String>, mut spec: api::MemberClusterSpec) {
        match &self.settings.site {
            Some(site) => spec.site = site.as_str().into(),
            None => self.imported.site_wanted = true,
        }
        spec.form = self.settings.form;
        spec.ownership = self.settings.ownership;
        spec.jurisdictions = vec!["CN".into()];
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            labels: (!labels.is_empty()).then_some(labels),
            ..ObjectMeta::default()
        };
        self.object(&api::MemberCluster { metadata, spec, status: None });
    }

    fn finish(mut self) -> Imported {
        for policy in std::mem::take(&mut self.policies) {
            let metadata = ObjectMeta {
                name: Some(policy.name),
                namespace: (!policy.namespace.is_empty()).then(|| policy.namespace.clone()),
                labels: (!policy.labels.is_empty()).then_some(policy.labels),
                ..ObjectMeta::default()
            };
            let placement = policy.rules;
            if policy.namespace.is_empty() {
                let spec = api::ClusterPlacementPolicySpec { display_name: None, placement };
                self.object(&api::ClusterPlacementPolicy { metadata, spec, status: None });
            } else {
                let spec = api::PlacementPolicySpec { display_name: None, placement };
                self.object(&api::PlacementPolicy { metadata, spec, status: None });
            }
        }
        let key = |object: &Value| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
        };
        self.imported.objects.sort_by_cached_key(key);
        self.imported.findings.sort_by_cached_key(Finding::sort_key);
        self.imported
    }
}

/// Connection of a cluster whose credential `join` will make: the name is the one `join` gives it.
fn push(cluster: &str) -> api::Connection {
    let push = api::PushConnection {
        secret_namespace: jiuzhou_api::meta::SYSTEM_NAMESPACE.into(),
        secret_name: format!("member-{cluster}").into(),
        secret_key: "kubeconfig".into(),
    };
    api::Connection { push: Some(push), ..api::Connection::default() }
}

fn pull() -> api::Connection {
    api::Connection { pull: Some(api::PullConnection::default()), ..api::Connection::default() }
}

/// A name as ours must be: lower-case letters, digits and hyphens, at most so many; a digest keeps altered ones apart.
pub(crate) fn name_of(text: &str, most: usize) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let kept: String = text.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let kept = kept.trim_matches('-');
    if kept == text && kept.len() <= most {
        return kept.to_owned();
    }
    let digest = Digest::sha256(text.as_bytes()).to_string();
    let tail: String = digest.chars().skip("sha256:".len()).take(8).collect();
    let head: String = kept.chars().take(most.saturating_sub(9)).collect();
    let head = head.trim_matches('-');
    if head.is_empty() { format!("c-{tail}") } else { format!("{head}-{tail}") }
}

/// The name of an object of ours for a foreign one; a changed name is told.
fn renamed(work: &mut Work<'_>, document: &Document, most: usize) -> String {
    let name = name_of(&document.name, most);
    if name != document.name {
        let reason = Reason::new(Code::CounterpartDiffers).object("metadata.name").wanted(name.as_str());
        work.found(document.finding(reason, "/metadata/name"));
    }
    name
}

/// Whether a text may be the value of a label.
pub(crate) fn is_label_value(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.chars().next())
        && edge(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Whether a text may be the key of a label.
fn is_label_key(text: &str) -> bool {
    let (prefix, name) = text.rsplit_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    is_label_value(name)
        && prefix.is_none_or(|prefix| {
            !prefix.is_empty() && prefix.len() <= 253 && prefix.chars().all(lower) && !prefix.starts_with(['-', '.'])
        })
}

#[cfg(test)]
mod tests;
