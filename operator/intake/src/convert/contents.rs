//! The objects of one workload in figures: its pods, claims and images, and whether it may be divided.
//!
//! Each manifest is read by the room `objects`; here the manifests of a workload are put together. A workload with one
//! divisible template (a Deployment) counts its pods as replicas. Anything else (several templates, components declared
//! by hand) is a set: the whole set is one replica and is only ever multiplied.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{DaemonInput, NodeDemand, PodInput, Resources, resources};
use jiuzhou_engine::detect::Needs;
use jiuzhou_engine::terms::{Bytes, Code, Finding, Millicores, Reason};
use jiuzhou_objects::images::{ImageRef, images};
use jiuzhou_objects::needs::{NodeNeeds, OnePerNode};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::pod::PodRequests;
use jiuzhou_objects::profile::{CountRule, Profile, may_hide_pods};
use jiuzhou_objects::shape::{Component, Count, Scaler, Shape, claim, scalers};
use serde_json::Value;

use crate::documents::Document;

use super::demands::demand;
use super::images::needs;
use super::kept::Claims;
use super::parts::{self, Asked, Asker};
use super::tenants::amounts;
use super::workloads::Context;

/// Equal pods that run at once.
struct Pods {
    requests: PodRequests,
    count: i64,
    /// Bytes that each of them claims for itself.
    claims: i64,
    /// Place among those who ask for nodes.
    asker: usize,
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
    /// What its pods ask of nodes.
    pub(super) asked: Asked,
    /// Pods that run on every node, with their place among those who ask for nodes.
    daemons: Vec<(Resources, usize)>,
    /// By who asks for nodes: of what their pods take the only one of a node.
    one_per_node: Vec<BTreeSet<String>>,
    pub(super) kinds: BTreeSet<String>,
    pub(super) unprofiled: BTreeSet<String>,
}

/// Images by how they are written, with where they stand first.
type Seen = BTreeMap<String, (ImageRef, String)>;

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
    let mut seen = Seen::new();
    let mut askers: Vec<Asker> = Vec::new();
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
            // Nothing tells the pods of one object apart.
            askers.push(silent(name));
            for (index, component) in declared {
                let pointer = format!("/spec/requirements/components/{index}");
                self::declared(document, &pointer, component, &mut contents, (&mut seen, &mut askers), findings);
            }
        } else if let Some(profile) = context.profiles.of(object) {
            let first = askers.len();
            used(object, profile, (&at, name), (&mut seen, &mut askers), &mut found);
            let own = askers.get(first..).unwrap_or_default();
            let place = |template: &str| {
                let key = format!("{name}{template}");
                first + own.iter().position(|asker| asker.template == key).unwrap_or(0)
            };
            contents.take(object, profile, &scalers, place, &mut found);
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
        askers.push(silent(&component.name));
        declared(document, &pointer, component, &mut contents, (&mut seen, &mut askers), findings);
    }
    let known = parts::known(&askers, &seen, &raised, context.images);
    for (written, (image, pointer)) in &seen {
        raised.remove(written);
        if known.get(written).is_none_or(|(_, known)| *known) || context.images.may_describe(image) {
            continue;
        }
        let own = askers.iter().flat_map(|asker| parts::images_of(asker, &known)).filter(|(name, _)| *name == written);
        let mut offered: Vec<String> = Vec::new();
        for platform in own.flat_map(|(_, image)| image.entries).map(|entry| entry.platform.to_string()) {
            if !offered.contains(&platform) {
                offered.push(platform);
            }
        }
        let reason = Reason::new(Code::ImageNotProfiled).object(written.as_str()).wanted(offered);
        findings.push(document.finding(reason, pointer));
    }
    for image in raised.keys() {
        let reason = Reason::new(Code::ReferenceUnknown).object(image.as_str()).seen(document.object_ref().to_string());
        let reason = reason.wanted(seen.keys().cloned().collect::<Vec<_>>());
        findings.push(document.finding(reason, "/spec/requirements/imageNeeds"));
    }
    contents.asked = parts::asked(&askers, &known);
    contents.one_per_node = askers.iter().map(|asker| one_per_node(&asker.needs, &document.namespace)).collect();
    contents
}

/// What pods take of their node of which it has one, as people read it. Ports are the node's, whoever binds them;
/// anti-affinity is among the pods of a namespace.
fn one_per_node(needs: &NodeNeeds, namespace: &str) -> BTreeSet<String> {
    let name = |one: &OnePerNode| match one {
        OnePerNode::Port { protocol, port } => format!("hostPort/{protocol}/{port}"),
        OnePerNode::Apart(selector) => format!("podAntiAffinity/{namespace}/{selector}"),
    };
    needs.one_per_node.iter().map(name).collect()
}

/// Pods of which nothing but images and requests is declared.
fn silent(name: &str) -> Asker {
    Asker {
        name: name.to_owned(),
        template: name.to_owned(),
        images: BTreeSet::new(),
        needs: NodeNeeds::default(),
        demand: NodeDemand::default(),
        per_node: false,
    }
}

/// Notes who asks for nodes in an object, with the images of its pods.
fn used(
    object: Object<'_>,
    profile: &Profile,
    (at, name): (&str, &str),
    (seen, askers): (&mut Seen, &mut Vec<Asker>),
    found: &mut Vec<Finding>,
) {
    let images = images(object, profile, found);
    for (template, count) in profile.templates_in(object) {
        // Selectors that match nothing are told by the checks.
        let needs = NodeNeeds::of(object, &template, &mut Vec::new());
        let per_node = *count == CountRule::PerNode;
        for (field, at) in needs.by_pods.iter().filter(|_| !per_node) {
            found.push(object.finding(Reason::new(Code::NotPlanned).object(*field), format!("{template}/spec{at}")));
        }
        let own = images.iter().filter(|one| one.pointer.starts_with(&format!("{template}/")));
        askers.push(Asker {
            name: name.to_owned(),
            template: format!("{name}{template}"),
            images: own.map(|one| one.image.to_string()).collect(),
            demand: demand(&needs, per_node),
            needs,
            per_node,
        });
    }
    for one in images {
        let pointer = format!("{at}{}", one.pointer);
        seen.entry(one.image.to_string()).or_insert((one.image, pointer));
    }
}

fn declared(
    document: &Document,
    pointer: &str,
    component: &api::Component,
    contents: &mut Contents,
    (seen, askers): (&mut Seen, &mut [Asker]),
    findings: &mut Vec<Finding>,
) {
    let api::Component { name: _, object: _, images, requests, replicas } = component;
    for (index, image) in images.iter().enumerate() {
        let at = format!("{pointer}/images/{index}");
        match ImageRef::parse(image) {
            Ok(reference) => {
                if let Some(asker) = askers.last_mut() {
                    asker.images.insert(image.to_string());
                }
                seen.entry(image.to_string()).or_insert((reference, at));
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
    let asker = askers.len().saturating_sub(1);
    contents.sets.push(Pods { requests, count: i64::from(*replicas), claims: 0, asker });
}

impl Contents {
    /// Takes the pods and claims of one object; `asker` says by the pointer of a template who asks for its nodes.
    fn take(
        &mut self,
        object: Object<'_>,
        profile: &Profile,
        scalers: &[Scaler],
        asker: impl Fn(&str) -> usize,
        found: &mut Vec<Finding>,
    ) {
        let shape = Shape::of(object, profile, found);
        // Within a workload there is one namespace, written or not.
        let target = |s: &&Scaler| s.target.kind == shape.object.kind && s.target.name == shape.object.name;
        let scaler = scalers.iter().filter(target).min_by_key(|scaler| &scaler.scaler);
        for component in &shape.components {
            let Component { template, count, requests, claims } = component;
            let count = match count {
                // An autoscaler brings the pods between its bounds, whatever is written; 0 switches it off.
                Count::Pods(pods) => scaler.filter(|_| *pods > 0).map_or(*pods, |s| (*pods).clamp(s.min, s.max)),
                Count::Job { parallelism, .. } => *parallelism,
                // One on every node is no replica: it takes its room on each of them.
                Count::PerNode => {
                    self.daemons.push((request(requests), asker(template)));
                    continue;
                }
            };
            self.single_writer |= shape.continuity == jiuzhou_objects::profile::Continuity::SingleWriter;
            self.claims.bound |= claims.iter().any(|claim| claim.bound);
            self.claims.any |= !claims.is_empty();
            let claims = claims.iter().fold(0i64, |sum, claim| sum.saturating_add(claim.size.0));
            self.divisible = profile.replicas.is_some();
            self.sets.push(Pods { requests: requests.clone(), count, claims, asker: asker(template) });
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
        let pods = counted.map(|(set, count)| PodInput {
            request: request(&set.requests),
            count,
            part: self.part(set.asker),
            one_per_node: self.one_per_node.get(set.asker).cloned().unwrap_or_default(),
        });
        let pods: Vec<PodInput> = pods.collect();
        let total: Option<i64> = pods.iter().try_fold(0i64, |sum, pod| sum.checked_add(pod.count.checked_mul(wanted)?));
        if total.is_none() {
            let reason = Reason::new(Code::OutOfRange).object("spec.replicas").seen(wanted).wanted("< 2^63");
            findings.push(document.finding(reason, "/spec/replicas"));
            return None;
        }
        Some(pods)
    }

    fn part(&self, asker: usize) -> u32 {
        self.asked.of.get(asker).copied().unwrap_or(0)
    }

    /// Pods that run on every node.
    pub(super) fn per_node(&self) -> Vec<DaemonInput> {
        let daemon = |(request, asker): &(Resources, usize)| DaemonInput {
            request: request.clone(),
            part: self.part(*asker),
            one_per_node: self.one_per_node.get(*asker).cloned().unwrap_or_default(),
        };
        self.daemons.iter().map(daemon).collect()
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
