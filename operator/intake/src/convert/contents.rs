//! The objects of one workload in figures: its pods, claims and images, and whether it may be divided.
//!
//! Each manifest is read by the room `objects`; here the manifests of a workload are put together. A workload with one
//! divisible template (a Deployment) counts its pods as replicas. Anything else (several templates, components declared
//! by hand) is a set: the whole set is one replica and is only ever multiplied.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{Image, NodeDemand, PodInput, Resources, resources};
use jiuzhou_engine::detect::Needs;
use jiuzhou_engine::terms::{Bytes, Code, Finding, Millicores, Reason};
use jiuzhou_objects::images::{ImageRef, images};
use jiuzhou_objects::needs::NodeNeeds;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::pod::PodRequests;
use jiuzhou_objects::profile::{CountRule, Profile, may_hide_pods};
use jiuzhou_objects::shape::{Component, Count, Scaler, Shape, claim, scalers};
use serde_json::Value;

use crate::documents::Document;

use super::demands::demand;
use super::images::needs;
use super::kept::Claims;
use super::tenants::amounts;
use super::workloads::Context;

/// Equal pods that run at once.
struct Pods {
    requests: PodRequests,
    count: i64,
    /// Bytes that each of them claims for itself.
    claims: i64,
}

/// Pods and images of one workload.
#[derive(Default)]
pub(super) struct Contents {
    sets: Vec<Pods>,
    /// Bytes of the claims that the pods share.
    shared_claims: i64,
    /// Its pods can be counted out one by one.
    divisible: bool,
    /// A StatefulSet, or pods with a claim.
    pub(super) single_writer: bool,
    /// What it claims of volumes.
    pub(super) claims: Claims,
    pub(super) images: Vec<Image>,
    pub(super) nodes: BTreeSet<NodeDemand>,
    /// Requests of pods that run on every node.
    pub(super) per_node: Vec<Resources>,
    pub(super) kinds: BTreeSet<String>,
    pub(super) unprofiled: BTreeSet<String>,
}

/// One image as a workload names it.
struct Used {
    image: ImageRef,
    /// Where it stands first.
    pointer: String,
    /// What the pods that use it say of the nodes they want.
    pods: Vec<NodeNeeds>,
}

/// Reads the objects of a workload.
pub(super) fn contents(
    context: &Context<'_>,
    document: &Document,
    objects: &[api::WorkloadObject],
    requirements: &api::Requirements,
    findings: &mut Vec<Finding>,
) -> Contents {
    let mut contents = Contents::default();
    let mut raised: BTreeMap<String, Needs> = BTreeMap::new();
    for (index, api::RaisedNeeds { image, needs: more }) in requirements.image_needs.iter().enumerate() {
        let pointer = format!("/spec/requirements/imageNeeds/{index}/needs");
        raised.insert(image.to_string(), needs(document, &pointer, more, findings));
    }
    let mut seen: BTreeMap<String, Used> = BTreeMap::new();
    let mut demands: Vec<(NodeDemand, bool)> = Vec::new();
    let manifests: Vec<Value> = objects.iter().map(|entry| entry.manifest.clone()).collect();
    // What is wrong with a scaler is told by the checks.
    let scalers = scalers(&manifests, &mut Vec::new());
    for (index, entry) in objects.iter().enumerate() {
        let api::WorkloadObject { name, manifest, on_delete: _, on_drift: _, on_immutable: _, wave: _ } = entry;
        let at = format!("/spec/objects/{index}/manifest");
        let object = Object::new(manifest);
        contents.kinds.insert(format!("{}/{}", object.api_version(), object.kind()));
        let declared: Vec<(usize, &api::Component)> =
            requirements.components.iter().enumerate().filter(|(_, c)| c.object.as_deref() == Some(name)).collect();
        let mut found = Vec::new();
        if !declared.is_empty() {
            for (index, component) in declared {
                let pointer = format!("/spec/requirements/components/{index}");
                self::declared(document, &pointer, component, &mut contents, &mut seen, findings);
            }
        } else if let Some(profile) = context.profiles.of(object) {
            contents.take(object, profile, &scalers, &mut found);
            used(object, profile, &at, &mut seen, &mut demands, &mut found);
        } else if may_hide_pods(object, context.profiles) {
            contents.unprofiled.insert(format!("{}/{}", object.api_version(), object.kind()));
        }
        for finding in found {
            let pointer = format!("{at}{}", finding.pointer);
            let severity = finding.severity;
            let mut finding = document.finding(finding.reason, &pointer);
            finding.severity = severity;
            findings.push(finding);
        }
    }
    for (index, component) in requirements.components.iter().enumerate().filter(|(_, c)| c.object.is_none()) {
        let pointer = format!("/spec/requirements/components/{index}");
        declared(document, &pointer, component, &mut contents, &mut seen, findings);
    }
    contents.nodes = asked(demands);
    for (written, Used { image, pointer, pods }) in &seen {
        let more = raised.remove(written).unwrap_or_default();
        let named: BTreeSet<String> = pods.iter().flat_map(NodeNeeds::named_architectures).collect();
        let told = context.images.may_describe(image);
        let (mut image, known) = context.images.find(image, more, &named);
        // A pod that asks for other nodes never runs there, whatever the image offers.
        image.entries.retain(|entry| pods.iter().all(|pod| pod.admits_architecture(&entry.platform.architecture)));
        if !known && !told {
            let offered = image.entries.iter().map(|entry| entry.platform.to_string()).collect::<Vec<_>>();
            let reason = Reason::new(Code::ImageNotProfiled).object(written.as_str()).wanted(offered);
            findings.push(document.finding(reason, pointer));
        }
        contents.images.push(image);
    }
    for image in raised.keys() {
        let reason = Reason::new(Code::ReferenceUnknown).object(image.as_str()).seen(document.object_ref().to_string());
        let reason = reason.wanted(seen.keys().cloned().collect::<Vec<_>>());
        findings.push(document.finding(reason, "/spec/requirements/imageNeeds"));
    }
    contents
}

/// What the pods ask of nodes. Pods of a DaemonSet run where they can and hold nobody up, unless there are no others.
fn asked(demands: Vec<(NodeDemand, bool)>) -> BTreeSet<NodeDemand> {
    let only_daemons = demands.iter().all(|(_, per_node)| *per_node);
    let asked = demands.into_iter().filter(|(_, per_node)| only_daemons || !per_node);
    let asked: BTreeSet<NodeDemand> = asked.map(|(demand, _)| demand).collect();
    // Asking nothing and standing no taint is what is taken of a workload that says nothing.
    if asked.iter().eq([&NodeDemand::default()]) { BTreeSet::new() } else { asked }
}

/// Notes the images of an object with the demands of the pods that use them.
fn used(
    object: Object<'_>,
    profile: &Profile,
    at: &str,
    seen: &mut BTreeMap<String, Used>,
    demands: &mut Vec<(NodeDemand, bool)>,
    found: &mut Vec<Finding>,
) {
    let mut templates = Vec::new();
    for (template, count) in profile.templates_in(object) {
        // Selectors that match nothing are told by the checks.
        let needs = NodeNeeds::of(object, &template, &mut Vec::new());
        let per_node = *count == CountRule::PerNode;
        demands.push((demand(&needs, per_node), per_node));
        templates.push((template, needs));
    }
    for one in images(object, profile, found) {
        let pods = templates.iter().filter(|(template, _)| one.pointer.starts_with(&format!("{template}/")));
        let pods = pods.map(|(_, needs)| needs.clone());
        let pointer = format!("{at}{}", one.pointer);
        let entry = seen.entry(one.image.to_string());
        entry.or_insert_with(|| Used { image: one.image, pointer, pods: Vec::new() }).pods.extend(pods);
    }
}

fn declared(
    document: &Document,
    pointer: &str,
    component: &api::Component,
    contents: &mut Contents,
    seen: &mut BTreeMap<String, Used>,
    findings: &mut Vec<Finding>,
) {
    let api::Component { name: _, object: _, images, requests, replicas } = component;
    for (index, image) in images.iter().enumerate() {
        let at = format!("{pointer}/images/{index}");
        match ImageRef::parse(image) {
            Ok(reference) => {
                seen.entry(image.to_string()).or_insert(Used { image: reference, pointer: at, pods: Vec::new() });
            }
            Err(_) => {
                let reason = Reason::new(Code::ImageInvalid).object(image.as_ref()).seen(image.as_ref());
                findings.push(document.finding(reason, &at));
            }
        }
    }
    let mut all = amounts(document, &format!("{pointer}/requests"), requests, findings);
    let mut one = |name: &str| all.remove(name).unwrap_or(0);
    let requests = PodRequests {
        cpu: Millicores(one(resources::CPU)),
        memory: Bytes(one(resources::MEMORY)),
        ephemeral_storage: Bytes(one(resources::EPHEMERAL_STORAGE)),
        extended: all,
    };
    contents.sets.push(Pods { requests, count: i64::from(*replicas), claims: 0 });
}

impl Contents {
    /// Takes the pods and claims of one object.
    fn take(&mut self, object: Object<'_>, profile: &Profile, scalers: &[Scaler], found: &mut Vec<Finding>) {
        let shape = Shape::of(object, profile, found);
        // Within a workload there is one namespace, written or not.
        let target = |s: &&Scaler| s.target.kind == shape.object.kind && s.target.name == shape.object.name;
        let scaler = scalers.iter().filter(target).min_by_key(|scaler| &scaler.scaler);
        for component in &shape.components {
            let Component { template: _, count, requests, claims } = component;
            let count = match count {
                // An autoscaler brings the pods between its bounds, whatever is written; 0 switches it off.
                Count::Pods(pods) => scaler.filter(|_| *pods > 0).map_or(*pods, |s| (*pods).clamp(s.min, s.max)),
                Count::Job { parallelism, .. } => *parallelism,
                // One on every node is no replica: it takes its room on each of them.
                Count::PerNode => {
                    self.per_node.push(request(requests));
                    continue;
                }
            };
            self.single_writer |= shape.continuity == jiuzhou_objects::profile::Continuity::SingleWriter;
            self.claims.bound |= claims.iter().any(|claim| claim.bound);
            self.claims.any |= !claims.is_empty();
            let claims = claims.iter().fold(0i64, |sum, claim| sum.saturating_add(claim.size.0));
            self.divisible = profile.replicas.is_some();
            self.sets.push(Pods { requests: requests.clone(), count, claims });
        }
        if (object.group(), object.kind()) == ("", "PersistentVolumeClaim") {
            let claim = claim(object, "", found);
            self.claims.bound |= claim.bound;
            self.claims.any = true;
            self.shared_claims = self.shared_claims.saturating_add(claim.size.0);
        }
    }

    /// The only set, where its pods are the replicas.
    fn counted_out(&self) -> Option<&Pods> {
        match self.sets.as_slice() {
            [only] if self.divisible => Some(only),
            _ => None,
        }
    }

    /// Replicas as the manifests have them.
    pub(super) fn replicas(&self) -> i64 {
        self.counted_out().map_or(1, |only| only.count)
    }

    /// Pods of one replica. `None`, and a finding, where `wanted` of them are more than can be counted.
    pub(super) fn pods(&self, document: &Document, wanted: i64, findings: &mut Vec<Finding>) -> Option<Vec<PodInput>> {
        let one = self.counted_out().is_some();
        let counted = self.sets.iter().map(|set| (set, if one { 1 } else { set.count })).filter(|(_, n)| *n > 0);
        let pods: Vec<PodInput> =
            counted.map(|(set, count)| PodInput { request: request(&set.requests), count }).collect();
        let total: Option<i64> = pods.iter().try_fold(0i64, |sum, pod| sum.checked_add(pod.count.checked_mul(wanted)?));
        if total.is_none() {
            let reason = Reason::new(Code::OutOfRange).object("spec.replicas").seen(wanted).wanted("< 2^63");
            findings.push(document.finding(reason, "/spec/replicas"));
            return None;
        }
        Some(pods)
    }

    /// What one replica takes from the quota: its pods, their claims, and its share of the claims that all use. Sums
    /// beyond 2^63 stay at the limit, which no quota allows.
    pub(super) fn quota(&self, pods: &[PodInput], wanted: i64) -> Resources {
        let mut sum = Resources::new();
        for pod in pods {
            for (name, amount) in &pod.request {
                let entry = sum.entry(name.clone()).or_insert(0);
                *entry = entry.saturating_add(amount.saturating_mul(pod.count));
            }
            let entry = sum.entry(resources::PODS.to_owned()).or_insert(0);
            *entry = entry.saturating_add(pod.count);
        }
        let own = |set: &Pods| set.claims.saturating_mul(if self.counted_out().is_some() { 1 } else { set.count });
        let own = self.sets.iter().map(own).fold(0i64, i64::saturating_add);
        // Rounded up: at most one byte too much for each replica.
        let replicas = if self.counted_out().is_some() { wanted.max(1) } else { 1 };
        let shared = self.shared_claims / replicas + i64::from(self.shared_claims % replicas > 0);
        let claims = own.saturating_add(shared);
        if claims > 0 {
            sum.insert(resources::STORAGE.to_owned(), claims);
        }
        sum
    }
}

fn request(requests: &PodRequests) -> Resources {
    let PodRequests { cpu, memory, ephemeral_storage, extended } = requests;
    let named =
        [(resources::CPU, cpu.0), (resources::MEMORY, memory.0), (resources::EPHEMERAL_STORAGE, ephemeral_storage.0)];
    let mut all: Resources = extended.clone();
    all.extend(named.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)));
    all
}
