//! One workload for one member: from the objects as written to the objects as delivered.
//!
//! Pure and deterministic: the same workload, place and terms give the same bytes, in whatever order they came. All
//! or nothing: a workload of which one object cannot be rendered is not rendered, and every reason is a finding with
//! its place in the FleetWorkload.
//!
//! In order, for each object: what only an API server may say is left out and the namespace is filled in ([`stamp`]);
//! overrides are applied and checked again ([`place`]); replicas are set for the part of this cluster ([`replicas`]);
//! images are named as this place reaches them; the derived node affinity goes into every pod template; labels say
//! whose it is. Data of Secrets leaves the manifest. Sending any of it is the member room's.

mod place;
mod replicas;
mod stamp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{
    CarriedValue, DeliveredObject, FleetWorkload, Override, RegistryRewrite, SecretReference, StateRule, WatchedValue,
    WorkloadObject, WrittenAffinity,
};
use jiuzhou_engine::detect::affinity::Term;
use jiuzhou_engine::terms::{Code, Digest, Finding, Form, ObjectRef, Reason, Severity};
use serde_json::Value;

use crate::affinity;
use crate::digest;
use crate::object::{Object, Scope, scope_of};
use crate::profile::Profiles;
use crate::secrets::{DigestKey, SecretManifest};
use crate::selector::Requirement;

pub use stamp::label_value;

/// The cluster a workload is rendered for, and what was decided about it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Name of the member cluster.
    pub cluster: &'a str,
    /// Tenant that owns the workload.
    pub tenant: &'a str,
    /// Replicas of every cluster of the placement, this one among them: bounds of autoscalers are divided like them.
    pub parts: &'a BTreeMap<String, i64>,
    /// Every cluster has all replicas (`Duplicated`), so nothing is divided.
    pub duplicated: bool,
    /// Network zones of the pools the decision accepted; empty when none is known.
    pub zones: &'a BTreeSet<String>,
    /// CPU platforms of the pools the decision accepted; an empty text is a pool whose platform is unknown.
    pub platforms: &'a BTreeSet<String>,
    /// Values of the member cluster.
    pub values: &'a BTreeMap<String, String>,
    /// Registries of the member cluster.
    pub registries: &'a [RegistryRewrite],
    /// Overrides of the effective policy whose `clusters` take this cluster (or say nothing), in the policy's order.
    /// Platforms and zones are looked at here.
    pub overrides: &'a [&'a Override],
    /// Node affinity derived from the needs of the images: `None` adds nothing, no term at all means that no node fits.
    pub affinity: Option<&'a [Term]>,
    /// In its place, that of templates whose pods have nodes of their own, by object and pointer of the template
    /// (`web/spec/template`), or by the object for all that it has.
    pub affinities: &'a BTreeMap<String, Vec<Term>>,
    /// Values of the status that are wanted to be known of it here.
    pub watched: &'a [StateRule],
    /// What the copy here is told of the one it replaced.
    pub carried: &'a [CarriedValue],
}

/// What is delivered to one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Objects, by their name in the workload.
    pub objects: Vec<DeliveredObject>,
    /// Secrets the objects refer to, by name.
    pub secrets: Vec<SecretManifest>,
    /// Digest of all of it: a new one is a change of content, and asks for a new epoch.
    pub digest: Digest,
    /// Images that overrides brought in (before registries are rewritten): the caller holds their profiles against the
    /// decision, which knew those of the manifests only.
    pub overridden_images: BTreeSet<String>,
    /// What is worth knowing. No errors: those leave nothing rendered.
    pub findings: Vec<Finding>,
}

/// One object on its way.
struct Draft<'a> {
    /// Place in the workload's list.
    index: usize,
    entry: &'a WorkloadObject,
    value: Value,
    take_over: bool,
    /// Affinity of its pods before ours was added.
    written: Vec<WrittenAffinity>,
}

/// Renders a workload for a member.
///
/// # Errors
/// Every finding, when one of them is an error.
pub fn render(
    workload: &FleetWorkload,
    target: &Target<'_>,
    profiles: &Profiles,
    key: &DigestKey,
) -> Result<Rendered, Vec<Finding>> {
    let mut work = Work { workload, target, profiles, findings: Vec::new(), overridden: BTreeSet::new() };
    let mut drafts = work.drafts();
    let rules = place::in_force(&mut work);
    for draft in &mut drafts {
        place::overrides(&mut work, draft, &rules);
    }
    replicas::divide(&mut work, &mut drafts);
    for draft in &mut drafts {
        place::registries(&mut work, draft);
        work.affinity(draft);
        stamp::labels(&mut work, draft);
    }
    let (mut objects, mut secrets) = (Vec::new(), Vec::new());
    for draft in drafts {
        let (object, secret) = work.finish(draft, key);
        objects.extend(object);
        secrets.extend(secret);
    }
    let mut findings = work.findings;
    findings.sort_by_cached_key(Finding::sort_key);
    findings.dedup();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    objects.sort_by_cached_key(|object| object.name.to_string());
    secrets.sort_by(|a, b| a.name().cmp(b.name()));
    let whole = serde_json::to_value(&objects).unwrap_or_default();
    Ok(Rendered { objects, secrets, digest: digest::of(&whole), overridden_images: work.overridden, findings })
}

/// Digest of what is sent for one object: of its manifest, or the keyed one of its Secret. `None` when it has neither.
#[must_use]
pub fn digest_of(object: &DeliveredObject) -> Option<Digest> {
    match (&object.manifest, &object.secret) {
        (Some(manifest), _) => Some(digest::of(manifest)),
        (None, Some(secret)) => Digest::parse(&secret.digest),
        (None, None) => None,
    }
}

struct Work<'a> {
    workload: &'a FleetWorkload,
    target: &'a Target<'a>,
    profiles: &'a Profiles,
    findings: Vec<Finding>,
    overridden: BTreeSet<String>,
}

impl<'a> Work<'a> {
    fn namespace(&self) -> &'a str {
        self.workload.metadata.namespace.as_deref().unwrap_or_default()
    }

    fn name(&self) -> &'a str {
        self.workload.metadata.name.as_deref().unwrap_or_default()
    }

    /// `NAMESPACE/NAME`: the value of the annotation that says whose an object is.
    fn owner(&self) -> String {
        format!("{}/{}", self.namespace(), self.name())
    }

    /// A finding about the workload.
    fn tell(&mut self, reason: Reason, pointer: impl Into<String>) {
        let subject = ObjectRef::new("FleetWorkload", self.namespace(), self.name());
        self.findings.push(Finding::new(reason).on(subject).pointer(pointer));
    }

    /// A finding about an object, at a pointer inside of its manifest.
    fn tell_of(&mut self, draft: &Draft<'_>, reason: Reason, pointer: &str) {
        self.tell(reason, format!("/spec/objects/{}/manifest{pointer}", draft.index));
    }

    /// What stops the rendering whatever the code usually weighs.
    fn refuse(&mut self, draft: &Draft<'_>, reason: Reason, pointer: &str) {
        self.tell_of(draft, reason, pointer);
        if let Some(last) = self.findings.last_mut() {
            last.severity = Severity::Error;
        }
    }

    /// The objects in the order of their names, each with its namespace and without what only an API server may say.
    fn drafts(&mut self) -> Vec<Draft<'a>> {
        let workload = self.workload;
        let mut entries: Vec<(usize, &WorkloadObject)> = workload.spec.objects.iter().enumerate().collect();
        entries.sort_by_cached_key(|(_, entry)| entry.name.to_string());
        let mut drafts = Vec::new();
        let mut seen: BTreeSet<(String, ObjectRef)> = BTreeSet::new();
        for (index, entry) in entries {
            let mut draft =
                Draft { index, entry, value: entry.manifest.clone(), take_over: false, written: Vec::new() };
            draft.take_over =
                Object::new(&draft.value).annotation(meta::ANNOTATION_TAKE_OVER) == Some(self.owner().as_str());
            stamp::clean(&mut draft.value);
            if !self.admissible(&draft) {
                continue;
            }
            if !crate::path::write(&mut draft.value, "/metadata/namespace", self.namespace().into()) {
                let reason = Reason::new(Code::ManifestFieldInvalid).object("/metadata").wanted(Form::Map);
                self.refuse(&draft, reason, "/metadata");
                continue;
            }
            let object = Object::new(&draft.value);
            if !seen.insert((object.group().to_owned(), object.reference())) {
                self.refuse(&draft, Reason::new(Code::ManifestDuplicate), "/metadata/name");
            }
            drafts.push(draft);
        }
        drafts
    }

    fn admissible(&mut self, draft: &Draft<'_>) -> bool {
        let object = Object::new(&draft.value);
        let fields = [("apiVersion", object.api_version()), ("kind", object.kind()), ("metadata.name", object.name())];
        let missing: Vec<String> =
            fields.iter().filter(|(_, text)| text.is_empty()).map(|(field, _)| (*field).to_owned()).collect();
        if !missing.is_empty() {
            let reason = Reason::new(Code::ManifestInvalid).object(&*draft.entry.name).wanted(missing);
            self.refuse(draft, reason, "");
            return false;
        }
        let scope = scope_of(object.group(), object.kind(), &BTreeMap::new());
        // CRDs of a cluster say more; the member room asks it.
        if scope == Scope::Cluster || object.group() == meta::GROUP {
            self.refuse(draft, Reason::new(Code::ClusterScopedNotWrapped), "/kind");
            return false;
        }
        if !object.namespace().is_empty() && object.namespace() != self.namespace() {
            let name = format!("{}/{}", object.kind(), object.name());
            let reason = Reason::new(Code::ManifestNamespaceOther).object(name);
            let reason = reason.seen(object.namespace()).wanted(self.namespace());
            self.refuse(draft, reason, "/metadata/namespace");
            return false;
        }
        true
    }

    /// Values of an object's status that the hub wants to know.
    fn watched(&self, draft: &Draft<'_>) -> Vec<WatchedValue> {
        let rules = self.target.watched.iter();
        let of_it = rules.filter(|rule| rule.object.as_ref().is_none_or(|object| *object == draft.entry.name));
        let value = |rule: &StateRule| WatchedValue { alias: rule.alias.clone(), json_path: rule.json_path.clone() };
        of_it.map(value).collect()
    }

    fn affinity(&mut self, draft: &mut Draft<'_>) {
        let Some(profile) = self.profiles.of(Object::new(&draft.value)) else { return };
        let name = &draft.entry.name;
        for (template, _) in profile.templates_in(Object::new(&draft.value)) {
            let own = self.target.affinities;
            let own = own.get(&format!("{name}{template}")).or_else(|| own.get(&**name)).map(Vec::as_slice);
            let Some(terms) = own.or(self.target.affinity) else { continue };
            if terms.is_empty() {
                self.refuse(draft, Reason::new(Code::AffinityMatchesNothing), "");
                return;
            }
            let read = |term: &Term| -> Vec<Requirement> {
                // An expression of the engine is written as Kubernetes writes it.
                let written = serde_json::to_value(&term.0).unwrap_or_default();
                written.as_array().into_iter().flatten().filter_map(Requirement::read).collect()
            };
            let alternatives: Vec<Vec<Requirement>> = terms.iter().map(read).collect();
            let whole = alternatives.iter().zip(terms).all(|(read, term)| read.len() == term.0.len());
            if !whole {
                self.refuse(draft, Reason::new(Code::NotExpressible).object(self.target.cluster), "");
                return;
            }
            let pod_spec = format!("{template}/spec");
            let before = draft.value.pointer(&pod_spec).and_then(|spec| spec.get("affinity")).cloned();
            if affinity::require(&mut draft.value, &template, &alternatives) {
                // A null is what an API server drops.
                let affinity = before.filter(|before| !before.is_null());
                draft.written.push(WrittenAffinity { pod_spec: pod_spec.into(), affinity });
            }
        }
    }

    fn finish(&mut self, mut draft: Draft<'_>, key: &DigestKey) -> (Option<DeliveredObject>, Option<SecretManifest>) {
        let object = Object::new(&draft.value);
        let is_secret = object.group().is_empty() && object.kind() == "Secret";
        let mut delivered = DeliveredObject {
            name: draft.entry.name.clone(),
            manifest: None,
            secret: None,
            blob: None, // what is too large for an order goes beside it when it is stored
            watched: self.watched(&draft),
            wave: draft.entry.wave,
            on_delete: draft.entry.on_delete,
            on_drift: draft.entry.on_drift,
            on_immutable: draft.entry.on_immutable,
            take_over: draft.take_over,
            written_affinity: std::mem::take(&mut draft.written),
        };
        if !is_secret {
            delivered.manifest = Some(draft.value);
            return (Some(delivered), None);
        }
        if object.text("/type") == "kubernetes.io/service-account-token" {
            let reason = Reason::new(Code::ManifestFieldInvalid).object("/type").seen(object.text("/type"));
            self.refuse(&draft, reason.wanted(Form::UnfilledType), "/type");
            return (None, None);
        }
        let owner = format!("{}/{}", self.owner(), draft.entry.name);
        match SecretManifest::new(draft.value.clone(), &owner, key) {
            Ok(secret) => {
                let (name, digest) = (secret.name().into(), secret.digest().to_string().into());
                delivered.secret = Some(SecretReference { name, digest });
                (Some(delivered), Some(secret))
            }
            Err(_) => {
                let reason = Reason::new(Code::ManifestFieldInvalid).object("/data").wanted(Form::TextMap);
                self.refuse(&draft, reason, "/data");
                (None, None)
            }
        }
    }
}
