//! Workloads: what each asks for, from its objects, its information system, its tenant and its policy.
//!
//! A need that stands in two places is taken as the stricter of the two; what a workload states below its system's is
//! told by the checks and raised here all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::{Affinity, Expression, Operator};
use jiuzhou_engine::decide::{
    Cause, Current, Image, PodInput, Policy, Requirement, Resources, Spec, WorkloadKey, resources,
};
use jiuzhou_engine::detect::{AcceleratorNeed, Needs};
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::images::{ImageRef, images};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::pod::PodRequests;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::shape::{Component, Count, Shape};
use serde_json::Value;

use crate::documents::Document;
use crate::objects::{Item, Objects, named};

use super::clusters::any_of;
use super::images::{Images, needs, together};
use super::places::{Places, label, prefix};
use super::policies::{self, Placement};
use super::tenants::{amounts, texts};
use super::words;

/// What conversion looks things up in.
pub(super) struct Context<'a> {
    pub(super) objects: &'a Objects,
    pub(super) profiles: &'a Profiles,
    pub(super) images: &'a Images,
    pub(super) places: &'a Places,
    pub(super) owners: &'a BTreeMap<String, String>,
}

/// Specs of all workloads; requirements and policies that are equal are shared.
pub(super) fn specs(context: &Context<'_>, findings: &mut Vec<Finding>) -> Vec<Spec> {
    let mut requirements: BTreeMap<Requirement, Arc<Requirement>> = BTreeMap::new();
    let mut policies: BTreeMap<Policy, Arc<Policy>> = BTreeMap::new();
    let mut specs = Vec::new();
    for item in context.objects.workloads.values() {
        let Some((mut spec, requirement, policy)) = spec(context, item, findings) else { continue };
        spec.requirement = Arc::clone(requirements.entry(requirement.clone()).or_insert_with(|| Arc::new(requirement)));
        spec.policy = Arc::clone(policies.entry(policy.clone()).or_insert_with(|| Arc::new(policy)));
        spec.changed = changed(&spec, context.objects);
        specs.push(spec);
    }
    specs
}

/// Whether what a workload asks for is another than what its placement was decided from. A placement that names another
/// digest (or one written by hand) counts as older than the workload.
fn changed(spec: &Spec, objects: &Objects) -> bool {
    let Some(placed) = objects.placements.get(&(spec.key.namespace.clone(), spec.key.name.clone())) else {
        return false;
    };
    match spec.intent() {
        Ok(intent) => *placed.object.spec.inputs.workload != *intent.to_string(),
        // Not to know is to look again.
        Err(_) => true,
    }
}

/// Pods and images of one workload.
#[derive(Default)]
struct Contents {
    pods: Vec<(PodRequests, i64)>,
    claims: i64,
    images: Vec<Image>,
    kinds: BTreeSet<String>,
    unprofiled: BTreeSet<String>,
    replicas: Option<i64>,
    pinned: bool,
}

fn spec(
    context: &Context<'_>,
    item: &Item<api::FleetWorkload>,
    findings: &mut Vec<Finding>,
) -> Option<(Spec, Requirement, Policy)> {
    let api::FleetWorkloadSpec {
        system,
        objects,
        select,
        replicas,
        requirements,
        continuity: _, // how it is moved is control's
        data,
        fence: _,                   // control
        max_clock_drift_seconds: _, // control
        priority,
        colocate,
        depends_on: _, // order of delivery
        rollout: _,    // control
        placement,
        placement_policy,
    } = &item.object.spec;
    let document = &item.document;
    if select.is_some() {
        // The objects are on the hub; a folder does not have them.
        let reason = Reason::new(Code::NotPlanned).object("FleetWorkload.spec.select");
        findings.push(document.finding(reason, "/spec/select"));
        return None;
    }
    let contents = contents(context, document, objects, requirements, findings);
    let namespace = document.namespace.as_str();
    let owner = context.objects.systems.get(&(namespace.to_owned(), system.to_string()));
    let tenant = match owner {
        Some(owner) => owner.object.spec.tenant.to_string(),
        None => context.owners.get(namespace).cloned().unwrap_or_default(),
    };
    let rules = rules(context, namespace, &tenant, placement.as_ref(), placement_policy.as_deref());
    let Placement { affinity, groups, tolerations, policy } =
        rules.map(|rules| policies::placement(rules, context.places)).unwrap_or_default();
    let wanted = replicas.map(i64::from).or(contents.replicas).unwrap_or(1);
    let pods = pods(document, &contents, wanted, findings)?;
    let key = WorkloadKey::new(namespace, &document.name);
    let placed = context.objects.placements.get(&(namespace.to_owned(), document.name.clone()));
    let mut requirement = requirement(owner, requirements, &contents);
    requirement.tenant = tenant;
    requirement.affinity =
        Affinity { expressions: [affinity.expressions, requirement.affinity.expressions].concat(), ..affinity };
    requirement.groups = groups;
    requirement.tolerations = tolerations;
    let spec = Spec {
        system: owner.map(|_| format!("{namespace}/{system}")).unwrap_or_default(),
        priority: *priority,
        admitted: placed.map_or(u64::MAX, |placed| u64::try_from(placed.object.spec.sequence).unwrap_or(u64::MAX)),
        colocate: colocate.as_ref().map(|key| format!("{namespace}/{key}")),
        requirement: Arc::default(),
        policy: Arc::default(),
        replicas: wanted,
        quota: quota(&pods, contents.claims),
        pods,
        current: placed.map(|placed| current(&item.object, &placed.object)).unwrap_or_default(),
        data_on: data_on(data.as_ref(), contents.pinned, placed.map(|placed| &placed.object)),
        changed: false, // told when requirement and policy are known
        rebalance: false,
        key,
    };
    Some((spec, requirement, policy))
}

/// The rules that hold: inline, else by name (its namespace first), else the tenant's default.
fn rules<'a>(
    context: &'a Context<'_>,
    namespace: &str,
    tenant: &str,
    inline: Option<&'a api::PlacementRules>,
    by_name: Option<&str>,
) -> Option<&'a api::PlacementRules> {
    if inline.is_some() {
        return inline;
    }
    let default = || named(&context.objects.tenants, tenant)?.object.spec.default_policy.as_deref();
    let name = by_name.or_else(default)?;
    let own = context.objects.policies.get(&(namespace.to_owned(), name.to_owned()));
    let shared = || named(&context.objects.cluster_policies, name).map(|item| &item.object.spec.placement);
    own.map(|item| &item.object.spec.placement).or_else(shared)
}

/// Reads the objects of a workload.
fn contents(
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
    let mut seen: BTreeMap<String, ImageRef> = BTreeMap::new();
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
            let shape = Shape::of(object, profile, &mut found);
            take(&shape, &mut contents);
            for used in images(object, profile, &mut found) {
                seen.insert(used.image.to_string(), used.image);
            }
            if contents.replicas.is_none() {
                let path = profile.replicas.as_ref().and_then(|path| path.first(manifest));
                contents.replicas = path.and_then(Value::as_i64);
            }
        } else {
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
    for (written, reference) in &seen {
        let more = raised.remove(written).unwrap_or_default();
        let (image, known) = context.images.find(reference, more);
        if !known {
            let reason = Reason::new(Code::ImageNotProfiled).object(written.as_str()).wanted("linux/amd64");
            findings.push(document.finding(reason, "/spec/objects"));
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

fn declared(
    document: &Document,
    pointer: &str,
    component: &api::Component,
    contents: &mut Contents,
    seen: &mut BTreeMap<String, ImageRef>,
    findings: &mut Vec<Finding>,
) {
    let api::Component { name: _, object: _, images, requests, replicas } = component;
    for image in images {
        match ImageRef::parse(image) {
            Ok(reference) => {
                seen.insert(image.to_string(), reference);
            }
            Err(_) => {
                let reason = Reason::new(Code::ImageInvalid).object(image.as_ref()).seen(image.as_ref());
                findings.push(document.finding(reason, &format!("{pointer}/images")));
            }
        }
    }
    let mut all = amounts(document, &format!("{pointer}/requests"), requests, findings);
    let mut one = |name: &str| all.remove(name).unwrap_or(0);
    let requests = PodRequests {
        cpu: jiuzhou_engine::terms::Millicores(one(resources::CPU)),
        memory: jiuzhou_engine::terms::Bytes(one(resources::MEMORY)),
        ephemeral_storage: jiuzhou_engine::terms::Bytes(one(resources::EPHEMERAL_STORAGE)),
        extended: all,
    };
    contents.pods.push((requests, i64::from(*replicas)));
}

/// Takes the pods of one object: counts become "per replica of the workload" in [`pods`].
fn take(shape: &Shape, contents: &mut Contents) {
    for component in &shape.components {
        let Component { template: _, count, requests, claims } = component;
        let pods = match count {
            Count::Pods(pods) | Count::Job { parallelism: pods, .. } => *pods,
            // One per node is not counted against room: the nodes are what they are.
            Count::PerNode => continue,
        };
        contents.pods.push((requests.clone(), pods));
        for claim in claims {
            contents.claims = contents.claims.saturating_add(claim.size.0.saturating_mul(pods.max(1)));
            contents.pinned |= claim.bound;
        }
    }
}

/// Pods of one replica. A workload of one template counts its pods as replicas; of several, the whole set is one
/// replica and is only ever multiplied.
fn pods(document: &Document, contents: &Contents, wanted: i64, findings: &mut Vec<Finding>) -> Option<Vec<PodInput>> {
    let single = contents.pods.len() == 1;
    let mut pods = Vec::new();
    for (requests, count) in contents.pods.iter().filter(|(_, count)| *count > 0) {
        let count = if single && contents.replicas.is_some() { 1 } else { *count };
        pods.push(PodInput { request: request(requests), count });
    }
    let total: Option<i64> = pods.iter().try_fold(0i64, |sum, pod| sum.checked_add(pod.count.checked_mul(wanted)?));
    if total.is_none() {
        let reason = Reason::new(Code::OutOfRange).object("spec.replicas").seen(wanted).wanted("< 2^63");
        findings.push(document.finding(reason, "/spec/replicas"));
        return None;
    }
    Some(pods)
}

fn request(requests: &PodRequests) -> Resources {
    let PodRequests { cpu, memory, ephemeral_storage, extended } = requests;
    let named =
        [(resources::CPU, cpu.0), (resources::MEMORY, memory.0), (resources::EPHEMERAL_STORAGE, ephemeral_storage.0)];
    let mut all: Resources = extended.clone();
    all.extend(named.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)));
    all
}

/// What one replica takes from the quota: its pods and their claims. Sums beyond 2^63 stay at the limit, which no
/// quota allows.
fn quota(pods: &[PodInput], claims: i64) -> Resources {
    let mut sum = Resources::new();
    for pod in pods {
        for (name, amount) in &pod.request {
            let entry = sum.entry(name.clone()).or_insert(0);
            *entry = entry.saturating_add(amount.saturating_mul(pod.count));
        }
        let entry = sum.entry(resources::PODS.to_owned()).or_insert(0);
        *entry = entry.saturating_add(pod.count);
    }
    if claims > 0 {
        sum.insert(resources::STORAGE.to_owned(), claims);
    }
    sum
}

fn current(workload: &api::FleetWorkload, placement: &api::FleetPlacement) -> Vec<Current> {
    let seen = workload.status.as_ref().map(|status| status.clusters.as_slice()).unwrap_or_default();
    let observed = |name: &str| seen.iter().find(|c| *c.name == *name).map(|c| i64::from(c.placed));
    let current = |placed: &api::PlacedCluster| {
        let api::PlacedCluster { name, replicas } = placed;
        let placed = i64::from(*replicas);
        Current { cluster: name.to_string(), placed, observed: observed(name).unwrap_or(placed) }
    };
    placement.spec.clusters.iter().map(current).collect()
}

/// Clusters the data ties the workload to; `None` when it may go anywhere.
fn data_on(
    data: Option<&api::DataPlacement>,
    bound: bool,
    placed: Option<&api::FleetPlacement>,
) -> Option<BTreeSet<String>> {
    let here = || placed.map(|p| p.spec.clusters.iter().map(|c| c.name.to_string()).collect::<BTreeSet<_>>());
    match data {
        None if bound => here().filter(|clusters| !clusters.is_empty()),
        None => None,
        Some(api::DataPlacement { mode, clusters }) => match mode {
            api::DataMode::Pinned if clusters.is_empty() => here().filter(|clusters| !clusters.is_empty()),
            api::DataMode::Pinned | api::DataMode::Replicated => Some(texts(clusters)),
            api::DataMode::External | api::DataMode::Disposable => None,
        },
    }
}

fn has_crypto(algorithm: api::SmAlgorithm) -> Expression {
    Expression { key: label::crypto(algorithm), operator: Operator::Exists, values: Vec::new() }
}

/// Which clusters may: the workload's own needs and its system's, the stricter of each.
fn requirement(
    system: Option<&Item<api::InformationSystem>>,
    requirements: &api::Requirements,
    contents: &Contents,
) -> Requirement {
    let api::Requirements {
        data_class,
        min_tier,
        regions,
        zone,
        protection_level,
        databases,
        tee,
        sm_crypto,
        accelerators,
        platforms,
        allow_emulation,
        needs_reach,
        image_needs: _,     // with the images
        components: _,      // with the contents
        cpu_sensitivity: _, // requests stay as written until a platform's performance is declared
    } = requirements;
    let class = system.map(|item| item.object.spec.data_class.class).unwrap_or_default();
    let protection = system.and_then(|item| item.object.spec.protection.as_ref()).map(|p| p.level);
    let level = protection.into_iter().chain(*protection_level).max();
    let mut images = contents.images.clone();
    let extra = Needs { tee: tee.iter().copied().map(words::tee).collect(), ..Needs::default() };
    for image in &mut images {
        image.needs = together(std::mem::take(&mut image.needs), extra.clone());
    }
    Requirement {
        tenant: String::new(),
        cause: Cause::Change,
        classified: false, // refused at the door
        data_class: words::data_class(data_class.unwrap_or_default().max(class)),
        tier: min_tier.as_ref().map(ToString::to_string),
        protection: level.and_then(|level| u8::try_from(level).ok()),
        regions: regions.iter().map(|code| prefix(code).to_owned()).collect(),
        providers: BTreeSet::new(),
        zone: zone.as_ref().map(ToString::to_string),
        reach: needs_reach.iter().map(|need| need.peer.to_string()).collect(),
        ownership: BTreeSet::new(),
        jurisdictions: BTreeSet::new(),
        kinds: contents.kinds.clone(),
        unprofiled: contents.unprofiled.clone(),
        images,
        platforms: texts(platforms),
        allow_emulation: *allow_emulation,
        tee: tee.iter().copied().map(words::tee).collect(),
        databases: databases.iter().map(any_of).collect(),
        accelerators: accelerators
            .iter()
            .map(|api::AcceleratorNeed { class, count }| AcceleratorNeed {
                class: class.to_string(),
                count: i64::from(*count),
            })
            .collect(),
        // Cryptography is a quality of the cluster, told by labels; the placement's own affinity comes on top.
        affinity: Affinity { expressions: sm_crypto.iter().copied().map(has_crypto).collect(), ..Affinity::default() },
        tolerations: Vec::new(),
        groups: Vec::new(),
    }
}
