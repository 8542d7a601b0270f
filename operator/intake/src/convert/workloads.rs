//! Workloads: what each asks for, from its objects, its information system, its tenant and its policy.
//!
//! A need that stands in two places is taken as the stricter of the two; what a workload states below its system's is
//! told by the checks and raised here all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::{Affinity, Expression, Operator};
use jiuzhou_engine::decide::{
    Cause, CpuSensitivity, Current, Division, Mode, Policy, Requirement, Spec, Spread, SpreadKey, WorkloadKey,
};
use jiuzhou_engine::detect::{AcceleratorNeed, Needs};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use jiuzhou_objects::profile::Profiles;

use crate::approvals::Approved;
use crate::in_force;
use crate::objects::{Item, Objects, named};

use super::claims;
use super::clusters::any_of;
use super::contents::{self, Contents};
use super::images::{Images, together};
use super::kept::kept;
use super::migrations::Migrations;
use super::modes::{Modes, given_back};
use super::places::{Places, label, prefix};
use super::policies::{self, Placement};
use super::rebalance;
use super::stops;
use super::tenants::texts;
use super::words;

/// What conversion looks things up in.
pub(super) struct Context<'a> {
    pub(super) objects: &'a Objects,
    pub(super) profiles: &'a Profiles,
    pub(super) images: &'a Images,
    pub(super) places: &'a Places,
    pub(super) owners: &'a BTreeMap<String, String>,
    pub(super) approved: &'a Approved,
    pub(super) modes: &'a Modes,
    pub(super) migrations: &'a Migrations,
}

/// Requirements and policies that are equal are one.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    requirements: BTreeMap<Requirement, Arc<Requirement>>,
    policies: BTreeMap<Policy, Arc<Policy>>,
}

impl Shared {
    /// Forgets what nobody has any more.
    pub fn sweep(&mut self) {
        self.requirements.retain(|_, shared| Arc::strong_count(shared) > 1);
        self.policies.retain(|_, shared| Arc::strong_count(shared) > 1);
    }
}

/// The spec of one workload; `None` when it cannot be decided on, which is told.
pub(super) fn one(
    context: &Context<'_>,
    item: &Item<api::FleetWorkload>,
    shared: &mut Shared,
    findings: &mut Vec<Finding>,
) -> Option<Spec> {
    let key = (item.document.namespace.clone(), item.document.name.clone());
    if let Some(finding) = claims::taken(context.objects, &key, item) {
        findings.push(finding);
        return None;
    }
    let (mut spec, requirement, policy) = spec(context, item, findings)?;
    let Shared { requirements, policies } = shared;
    spec.requirement = Arc::clone(requirements.entry(requirement.clone()).or_insert_with(|| Arc::new(requirement)));
    spec.policy = Arc::clone(policies.entry(policy.clone()).or_insert_with(|| Arc::new(policy)));
    spec.changed = changed(&spec, context.objects);
    Some(spec)
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
        continuity,
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
    if select.is_some() && objects.is_empty() {
        // What is selected stands in `objects` where it is known; a folder need not have it.
        let key = (document.namespace.clone(), document.name.clone());
        let unknown = || Reason::new(Code::NotPlanned).object("FleetWorkload.spec.select");
        let reason = context.objects.unselected.get(&key).cloned().unwrap_or_else(unknown);
        findings.push(document.finding(reason, "/spec/select"));
        return None;
    }
    let contents = contents::contents(context, document, objects, requirements, findings);
    let namespace = document.namespace.as_str();
    let owner = context.objects.systems.get(&(namespace.to_owned(), system.to_string()));
    let tenant = tenant(context, item);
    if tenant.is_empty() {
        // Without a tenant no rule of isolation could refuse anything. The checks tell of the namespace.
        return None;
    }
    let rules = rules(context, namespace, &tenant, placement.as_ref(), placement_policy.as_deref());
    let Placement { affinity, groups, tolerations, mut policy } =
        rules.map(|rules| policies::placement(rules, context.places)).unwrap_or_default();
    if stays_together(*continuity, data.as_ref(), &contents) {
        in_one_cluster(&mut policy);
    }
    let wanted = replicas.map_or_else(|| contents.replicas(), i64::from);
    let pods = contents.pods(document, wanted, findings)?;
    let key = WorkloadKey::new(namespace, &document.name);
    let placed = context.objects.placements.get(&(namespace.to_owned(), document.name.clone()));
    let mut requirement = requirement(owner, requirements, &contents, context.approved);
    requirement.tenant = tenant;
    let kept = kept(&item.object, data.as_ref(), contents.claims, placed.map(|placed| &*placed.object));
    let lost = lost(placed.map(|placed| &*placed.object));
    let (unhealthy_in, let_go) = unhealthy(placed.map(|placed| &*placed.object));
    if !lost.is_empty() || let_go {
        requirement.cause = Cause::Failover;
    }
    requirement.groups = groups;
    requirement.tolerations = tolerations;
    let own = (namespace.to_owned(), document.name.clone());
    let committed = placed.map(|placed| &placed.object.spec);
    let mode = context.modes.of(&own, &requirement.tenant, committed.and_then(|placed| placed.mode.as_ref()));
    if mode.as_ref().is_some_and(|mode| !mode.over) {
        requirement.cause = Cause::Emergency;
    }
    context.modes.open(mode.as_ref(), affinity, committed, &mut requirement, &mut policy);
    let migrates = context.migrations.of(&own);
    if let Some(held) = migrates {
        held.narrow(&mut requirement, &mut policy, wanted);
    }
    let order = rebalance::ordered(item, placed.map(|placed| &*placed.object), findings);
    let mut spec = Spec {
        system: owner.map(|_| format!("{namespace}/{system}")).unwrap_or_default(),
        priority: *priority,
        admitted: placed.map_or(u64::MAX, |placed| u64::try_from(placed.object.spec.sequence).unwrap_or(u64::MAX)),
        colocate: colocate.as_ref().map(|key| format!("{namespace}/{key}")),
        requirement: Arc::default(),
        policy: Arc::default(),
        replicas: wanted,
        quota: contents.quota(&pods, wanted),
        pods,
        per_node: contents.per_node(),
        cpu: match requirements.cpu_sensitivity {
            api::CpuSensitivity::None => CpuSensitivity::AsWritten,
            api::CpuSensitivity::Linear => CpuSensitivity::Linear,
        },
        current: current(Some(&item.object), placed.map(|placed| &*placed.object)),
        data_on: migrates.map_or(kept.on.clone(), |held| held.data_on(kept.on)),
        keeps_data: kept.keeps,
        stale: kept.stale.into_iter().filter(|(at, _)| !migrates.is_some_and(|held| held.renews(at))).collect(),
        changed: false, // told when requirement and policy are known
        rebalance: order.is_some() && rebalance::concerns(placed.map(|placed| &*placed.object)),
        rebalance_at: order,
        lost,
        unhealthy_in,
        reserved: false,
        stop: stops::stop(
            &(namespace.to_owned(), system.to_string()),
            owner.and_then(|owner| owner.object.spec.stop.as_ref()),
            placed.and_then(|placed| placed.object.spec.stop.as_ref()),
            context.approved,
            context.modes,
        )
        .or_else(|| context.modes.gives_way(&own)),
        mode,
        key,
    };
    let held = committed.and_then(|placed| placed.mode.as_ref()).filter(|held| !held.over);
    if let (Some(Mode { over: true, .. }), Some(held)) = (&spec.mode, held) {
        // A freeze that began meanwhile does not keep what an emergency took; what is lost fails over all the same.
        if requirement.cause == Cause::Change {
            requirement.cause = Cause::EndOfEmergency;
        }
        spec.current = given_back(&spec.current, &held.before);
    }
    // Who gives way to an emergency keeps the place and not the room.
    if spec.stop.as_ref().is_some_and(|stop| stop.mode.is_some() && !stop.lifted) {
        (spec.pods, spec.per_node, spec.quota) = (Vec::new(), Vec::new(), BTreeMap::new());
    }
    Some((spec, requirement, policy))
}

/// Whether all replicas belong into one cluster. The members of a StatefulSet find each other by name within a cluster,
/// and a volume is in one: divided, each part would take itself for the whole. Who keeps the data elsewhere, or in
/// several clusters, says so in `spec.data`; who knows better says so in `spec.continuity`.
fn stays_together(continuity: Option<api::Continuity>, data: Option<&api::DataPlacement>, contents: &Contents) -> bool {
    let kept_here = match data.map(|data| data.mode) {
        None | Some(api::DataMode::Pinned) => true,
        Some(api::DataMode::External | api::DataMode::Replicated | api::DataMode::Disposable) => false,
    };
    match continuity {
        None => contents.single_writer && kept_here,
        Some(api::Continuity::SingleWriter | api::Continuity::RunOnce | api::Continuity::OneCluster) => kept_here,
        Some(api::Continuity::AddBeforeRemove | api::Continuity::PerNode) => false,
    }
}

/// Lets a policy use one cluster only, unless it says itself how many.
fn in_one_cluster(policy: &mut Policy) {
    let stated = policy.spread.iter().any(|spread| spread.key == SpreadKey::Cluster);
    if policy.division != Division::Duplicated && !stated {
        policy.spread.push(Spread {
            key: SpreadKey::Cluster,
            min_groups: 1,
            max_groups: Some(1),
            min_replicas: 1,
            required: true,
        });
    }
}

/// The tenant of a workload: its system's, else the owner of its namespace; empty when nobody is.
pub(super) fn tenant(context: &Context<'_>, item: &Item<api::FleetWorkload>) -> String {
    let namespace = item.document.namespace.as_str();
    match context.objects.systems.get(&(namespace.to_owned(), item.object.spec.system.to_string())) {
        Some(owner) => owner.object.spec.tenant.to_string(),
        None => context.owners.get(namespace).cloned().unwrap_or_default(),
    }
}

/// The rules that hold for a workload.
pub(super) fn rules_of<'a>(
    context: &Context<'a>,
    item: &'a Item<api::FleetWorkload>,
) -> Option<&'a api::PlacementRules> {
    let spec = &item.object.spec;
    let tenant = tenant(context, item);
    let by_name = spec.placement_policy.as_deref();
    rules(context, &item.document.namespace, &tenant, spec.placement.as_ref(), by_name)
}

/// The rules that hold: inline, else by name (its namespace first), else the tenant's default.
fn rules<'a>(
    context: &Context<'a>,
    namespace: &str,
    tenant: &str,
    inline: Option<&'a api::PlacementRules>,
    by_name: Option<&str>,
) -> Option<&'a api::PlacementRules> {
    inline.or_else(|| shared_rules(context, namespace, tenant, by_name).map(|(_, rules)| rules))
}

/// The policy object whose rules hold where a workload has none of its own.
fn shared_rules<'a>(
    context: &Context<'a>,
    namespace: &str,
    tenant: &str,
    by_name: Option<&str>,
) -> Option<(ObjectRef, &'a api::PlacementRules)> {
    let default = || named(&context.objects.tenants, tenant)?.object.spec.default_policy.as_deref();
    let name = by_name.or_else(default)?;
    let own = context.objects.policies.get(&(namespace.to_owned(), name.to_owned()));
    let own = own.map(|item| (ObjectRef::new("PlacementPolicy", namespace, name), &item.object.spec.placement));
    let shared = || {
        let item = named(&context.objects.cluster_policies, name)?;
        Some((ObjectRef::new("ClusterPlacementPolicy", "", name), &item.object.spec.placement))
    };
    own.or_else(shared)
}

/// The policy object whose rules hold for a workload; `None` when it has rules of its own or none at all.
pub(super) fn policy_of(context: &Context<'_>, item: &Item<api::FleetWorkload>) -> Option<ObjectRef> {
    let spec = &item.object.spec;
    if spec.placement.is_some() {
        return None;
    }
    let (namespace, by_name) = (item.document.namespace.as_str(), spec.placement_policy.as_deref());
    shared_rules(context, namespace, &tenant(context, item), by_name).map(|(policy, _)| policy)
}

/// What runs: what is committed with what is seen of it, then what is seen where nothing is committed any more (or not
/// known to be): it takes its room until it is gone.
pub(super) fn current(workload: Option<&api::FleetWorkload>, placement: Option<&api::FleetPlacement>) -> Vec<Current> {
    let seen = workload
        .and_then(|workload| workload.status.as_ref())
        .map(|status| status.clusters.as_slice())
        .unwrap_or_default();
    let observed = |name: &str| seen.iter().find(|c| *c.name == *name).map(|c| i64::from(c.placed));
    let committed = placement.map(|placement| placement.spec.clusters.as_slice()).unwrap_or_default();
    let current = |placed: &api::PlacedCluster| {
        let api::PlacedCluster { name, replicas, place: _ } = placed;
        let placed = i64::from(*replicas);
        Current { cluster: name.to_string(), placed, observed: observed(name).unwrap_or(placed) }
    };
    let leaving = seen.iter().filter(|one| one.placed > 0 && committed.iter().all(|placed| placed.name != one.name));
    let leaving =
        leaving.map(|one| Current { cluster: one.name.to_string(), placed: 0, observed: i64::from(one.placed) });
    committed.iter().map(current).chain(leaving).collect()
}

/// Clusters that do not answer and that its replicas may leave, as its placement says.
fn lost(placement: Option<&api::FleetPlacement>) -> BTreeSet<String> {
    let status = placement.and_then(|placement| placement.status.as_ref());
    let entries = status.map(|status| status.failover.as_slice()).unwrap_or_default();
    let released = entries.iter().filter(|entry| entry.phase == api::FailoverPhase::Released);
    released.map(|entry| entry.name.to_string()).collect()
}

/// Clusters that its replicas are not to be in because they were not well there, and since when; and whether any was let go
/// and has not left yet.
fn unhealthy(placement: Option<&api::FleetPlacement>) -> (BTreeMap<String, Timestamp>, bool) {
    let status = placement.and_then(|placement| placement.status.as_ref());
    let entries = status.map(|status| status.application_failover.as_slice()).unwrap_or_default();
    let is = |phase: api::FailoverPhase| move |entry: &&api::ApplicationFailoverEntry| entry.phase == phase;
    let (released, moved) = (is(api::FailoverPhase::Released), is(api::FailoverPhase::Moved));
    let let_go = entries.iter().any(|entry| released(&entry));
    let avoided = entries.iter().filter(|entry| released(entry) || moved(entry));
    (avoided.map(|entry| (entry.name.to_string(), entry.since.0)).collect(), let_go)
}

fn has_crypto(algorithm: api::SmAlgorithm) -> Expression {
    Expression { key: label::crypto(algorithm), operator: Operator::Exists, values: Vec::new() }
}

/// Which clusters may: the workload's own needs and its system's, the stricter of each.
fn requirement(
    system: Option<&Item<api::InformationSystem>>,
    requirements: &api::Requirements,
    contents: &Contents,
    approved: &Approved,
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
        cpu_sensitivity: _, // with the spec
    } = requirements;
    let class = system.map(|item| in_force::data_class(&item.object, approved).class).unwrap_or_default();
    let protection = system.and_then(|item| item.object.spec.protection.as_ref()).map(|p| p.level);
    let level = protection.into_iter().chain(*protection_level).max();
    let (mut images, mut parts) = (contents.asked.images.clone(), contents.asked.parts.clone());
    let extra = Needs { tee: tee.iter().copied().map(words::tee).collect(), ..Needs::default() };
    for image in images.iter_mut().chain(parts.iter_mut().flat_map(|part| &mut part.images)) {
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
        nodes: contents.asked.nodes.clone(),
        parts,
        tolerations: Vec::new(),
        groups: Vec::new(),
    }
}
