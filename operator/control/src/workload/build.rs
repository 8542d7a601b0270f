//! From what is known to what is ordered of each cluster. Pure.
//!
//! How many replicas a cluster may have now is the engine's `step`; here it becomes a delivery with rendered objects, or
//! an order to remove exactly the objects that were seen. A cluster that is left and proven empty is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::step::rollout::{Course, Health, Step};
use jiuzhou_engine::step::{Action, Continuity, Part, Ran, Seen, Wait, shift};
use jiuzhou_engine::terms::Finding;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::render::{Rendered, digest_of};
use jiuzhou_objects::secrets::DigestKey;

use super::depends::{self, Waiting};
use super::dereference::Gathered;
use super::halted;
use super::render;
use super::staged::{self, Source};
use super::validate::Valid;
use crate::delivery::Look;
use crate::orders::Order;
use crate::revision::content::Place;
use crate::seeded::{self, Bug};
use crate::tenants;

/// What comes out for one workload.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Orders by cluster. A cluster without one gets none.
    pub(crate) orders: BTreeMap<String, Order>,
    /// Clusters about which nothing is ordered and of which nothing is known: somebody has to look.
    pub(crate) looks: BTreeMap<String, Look>,
    /// Why a cluster does not have yet what was decided.
    pub(crate) waits: BTreeMap<String, Wait>,
    /// Clusters of the placement that are left and proven empty.
    pub(crate) forget: Vec<String>,
    /// Why nothing can be rendered for a cluster.
    pub(crate) unrendered: BTreeMap<String, Vec<Finding>>,
    /// Everything of a workload that is being removed is proven gone.
    pub(crate) gone: bool,
    /// Orders follow the placement: what is committed is being carried out.
    pub(crate) present: bool,
    /// Number of the order that stops it.
    pub(crate) stopped: Option<String>,
    /// Objects that run on although an order stops the workload, by cluster.
    pub(crate) run_on: BTreeMap<String, Vec<String>>,
    /// Clusters in which it was stopped while it ran, and does not run again.
    pub(crate) interrupted: BTreeSet<String>,
    /// For whom it waits before it begins.
    pub(crate) waiting: Option<Waiting>,
    /// What is declared of a rollout that is under way.
    pub(crate) course: Option<Course>,
    /// How clusters stand with the revision that is to be everywhere.
    pub(crate) health: BTreeMap<String, Health>,
    /// The next step of the rollout, once the gates were looked at.
    pub(crate) step: Option<Step>,
}

/// Builds it.
pub(crate) fn build(gathered: &Gathered<'_>, valid: &Valid<'_>, key: &DigestKey) -> Built {
    match *valid {
        Valid::Nothing => Built::default(),
        Valid::Removing { placement: Some(placement) } => removing(gathered, placement),
        Valid::Removing { placement: None } => Built { gone: true, ..Built::default() },
        Valid::Present { workload, placement } => present(gathered, workload, placement, key),
    }
}

fn present(
    gathered: &Gathered<'_>,
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
    key: &DigestKey,
) -> Built {
    let sources = Sources { gathered, workload, placement, key };
    if halted::stopped(placement).is_some() {
        return halted::build(gathered, workload, placement, &sources);
    }
    let mut built = Built { present: true, ..Built::default() };
    let continuity = continuity(gathered.spec, workload);
    let mut parts = parts(gathered, placement);
    if continuity == Continuity::RunOnce {
        parts.iter_mut().for_each(|(cluster, part)| part.ran = ran(gathered, placement, cluster));
    }
    let mut actions = shift(&parts, continuity);
    if seeded::is(Bug::ForgetUnproven) {
        built.forget.extend(parts.iter().filter(|(_, part)| part.wanted == 0).map(|(cluster, _)| cluster.clone()));
    }
    if seeded::is(Bug::RemoveBeforeAdd) {
        let leaving = |cluster: &String| {
            parts.get(cluster).is_some_and(|part| part.wanted == 0 && part.seen.is_some_and(|seen| seen.objects))
        };
        for (_, action) in actions.iter_mut().filter(|(cluster, _)| leaving(cluster)) {
            *action = (Action::Remove, None);
        }
    }
    built.waiting = depends::waiting(gathered, workload, placement);
    if built.waiting.is_some() {
        for (action, wait) in actions.values_mut().filter(|(action, _)| matches!(action, Action::Have(_))) {
            (*action, *wait) = (Action::Stay, Some(Wait::Dependency));
        }
    }
    let ordered: BTreeMap<String, i64> = actions
        .iter()
        .filter_map(|(cluster, (action, _))| match action {
            Action::Have(replicas) => Some((cluster.clone(), *replicas)),
            Action::Stay | Action::Remove | Action::Forget => None,
        })
        .collect();
    for (cluster, (action, wait)) in actions {
        if let Some(wait) = wait {
            if wait == Wait::Unseen {
                built.looks.insert(cluster.clone(), look(gathered));
            }
            built.waits.insert(cluster.clone(), wait);
        }
        match action {
            // What may have run and cannot be rendered says why it cannot, before a restart and after it.
            Action::Stay if wait == Some(Wait::MayHaveRun) => {
                if let Ok(Some(Err(findings))) = sources.render(&cluster, &ordered) {
                    built.unrendered.insert(cluster, findings);
                }
            }
            Action::Stay => {}
            Action::Forget => built.forget.push(cluster),
            Action::Remove => {
                if let Some(order) = removal(gathered, placement, &cluster) {
                    built.orders.insert(cluster, order);
                }
            }
            Action::Have(replicas) => match sources.render(&cluster, &ordered) {
                Ok(Some(Ok(mut rendered))) => {
                    if halted::interrupted(placement, &cluster) {
                        halted::quieten(gathered, &mut rendered.objects);
                        built.interrupted.insert(cluster.clone());
                    }
                    // What is left behind is no part of how the change stands.
                    let stays = parts.get(&cluster).is_some_and(|part| part.wanted > 0);
                    if stays && staged::revision_of(workload, placement, &cluster) == Some(staged::target(placement)) {
                        built.health.insert(cluster.clone(), health(gathered, &cluster, &rendered.objects, replicas));
                    }
                    let delivery = DeliverySpec {
                        replicas: i32::try_from(replicas + i64::from(seeded::is(Bug::OneTooMany))).ok(),
                        objects: rendered.objects,
                        continuity: workload.spec.continuity.unwrap_or_default(),
                        fence: workload.spec.fence,
                        ..order(gathered, placement, &cluster, DeliveryState::Present)
                    };
                    built.orders.insert(cluster, Order { delivery, secrets: rendered.secrets });
                }
                Ok(Some(Err(findings))) => {
                    // Nothing is ordered, so nothing is reported of itself: what is there is looked for.
                    if !gathered.reports.contains_key(&cluster) {
                        built.looks.insert(cluster.clone(), look(gathered));
                    }
                    built.health.insert(cluster.clone(), Health::Failed);
                    built.unrendered.insert(cluster, findings);
                }
                // The cluster has left the fleet: what runs there is listed where it leaves, and stays.
                Ok(None) => {}
                Err(wait) => {
                    if !gathered.reports.contains_key(&cluster) {
                        built.looks.insert(cluster.clone(), look(gathered));
                    }
                    built.waits.insert(cluster, wait);
                }
            },
        }
    }
    built.course = staged::course(gathered, workload, placement);
    built
}

/// Where what is delivered to a cluster comes from.
pub(super) struct Sources<'a> {
    gathered: &'a Gathered<'a>,
    workload: &'a api::FleetWorkload,
    placement: &'a api::FleetPlacement,
    key: &'a DigestKey,
}

impl Sources<'_> {
    /// Renders what a cluster gets now. An error says why nothing new is ordered of it; `None` when it left the fleet.
    pub(super) fn render(
        &self,
        cluster: &str,
        parts: &BTreeMap<String, i64>,
    ) -> Result<Option<Result<Rendered, Vec<Finding>>>, Wait> {
        let Self { gathered, workload, placement, key } = *self;
        let Some(spec) = gathered.spec else { return Ok(None) };
        let Some(now) = Place::now(gathered.state, spec, cluster) else { return Ok(None) };
        let looked = gathered.reports.get(cluster);
        let nothing = looked.and_then(Option::as_ref).is_none_or(|status| !seen(status, 0).objects);
        match staged::source(gathered, workload, placement, cluster) {
            Source::Now => {
                let overrides = gathered.state.rules(gathered.key).map(|rules| rules.overrides.as_slice());
                let (affinity, affinities) = match gathered.state.snapshot().node_affinities(&spec.requirement) {
                    Ok(affinities) => affinities.terms(),
                    Err(reason) => return Ok(Some(Err(vec![Finding::new(reason)]))),
                };
                let overrides = overrides.unwrap_or_default();
                let affinity = affinity.as_deref();
                let draft = render::Draft { workload, overrides, affinity, affinities: &affinities, place: &now };
                Ok(render::for_cluster(gathered, &draft, cluster, parts, key))
            }
            Source::Stored(revision, content) => {
                // What was decided was decided for the newer one; an older one begins only where all rules let it.
                let older = revision != staged::target(placement);
                if older && looked.is_none() {
                    return Err(Wait::Revision);
                }
                if nothing && older && !gathered.may_begin.contains(&(revision, cluster.to_owned())) {
                    return Err(Wait::Stage);
                }
                let there = looked.and_then(Option::as_ref).map(|status| &status.objects);
                let has = |name: &str| there.is_some_and(|all| all.iter().any(|one| *one.name == *name));
                let was = content.workload(workload, key, &has);
                // A cluster without a word of its own put nothing in; one that is new puts in what it says now.
                let plain = if nothing { now } else { now.plain() };
                let place = content.places.get(cluster).unwrap_or(&plain);
                let draft = render::Draft {
                    workload: &was,
                    overrides: &content.overrides,
                    affinity: content.affinity.as_deref(),
                    affinities: &content.affinities,
                    place,
                };
                Ok(render::for_cluster(gathered, &draft, cluster, parts, key))
            }
            Source::Unknown if nothing => Err(Wait::Stage),
            Source::Unknown => Err(Wait::Revision),
        }
    }
}

/// How a cluster stands with what it is ordered to have: whether each object is that version, and well.
fn health(gathered: &Gathered<'_>, cluster: &str, objects: &[api::DeliveredObject], replicas: i64) -> Health {
    let Some(Some(status)) = gathered.reports.get(cluster) else { return Health::OnTheWay };
    let observed = |object: &api::DeliveredObject| status.objects.iter().find(|one| one.name == object.name);
    let current = |object: &api::DeliveredObject, one: &api::ObjectObservation| {
        let wanted = digest_of(object).map(|digest| digest.to_string());
        wanted.is_some() && one.applied.as_deref() == wanted.as_deref()
    };
    let mut well = true;
    for object in objects {
        let Some(one) = observed(object) else { return Health::OnTheWay };
        match one.state {
            // What a member refuses it refuses now; a failure of what was there before is none of this revision.
            ObjectState::Refused | ObjectState::Conflict => return Health::Failed,
            ObjectState::Failed if current(object, one) => return Health::Failed,
            ObjectState::Ready | ObjectState::Finished => well &= current(object, one),
            _ => well = false,
        }
    }
    let ended = status.objects.iter().any(|one| one.state == ObjectState::Finished);
    let enough = ended || seen(status, replicas).ready.is_some_and(|ready| ready >= replicas);
    if well && enough && !objects.is_empty() { Health::Well } else { Health::OnTheWay }
}

/// Everything of a workload goes, everywhere; what was not looked at is not gone.
fn removing(gathered: &Gathered<'_>, placement: &api::FleetPlacement) -> Built {
    let mut built = Built { gone: true, ..Built::default() };
    for (cluster, part) in parts(gathered, placement) {
        match part.seen {
            Some(seen) if !seen.objects && seen.present == Some(0) => {}
            Some(_) => {
                built.gone = false;
                if let Some(order) = removal(gathered, placement, &cluster) {
                    built.orders.insert(cluster, order);
                }
            }
            None => {
                built.gone = false;
                built.looks.insert(cluster.clone(), look(gathered));
                built.waits.insert(cluster, Wait::Unseen);
            }
        }
    }
    built
}

/// What is decided and seen, by cluster of the placement.
fn parts(gathered: &Gathered<'_>, placement: &api::FleetPlacement) -> BTreeMap<String, Part> {
    let part = |cluster: &api::PlacedCluster| {
        let wanted = i64::from(cluster.replicas);
        let report = gathered.reports.get(&*cluster.name);
        let seen = report.map(|report| report.as_ref().map_or(Seen::NOTHING, |status| seen(status, wanted)));
        let silent = gathered.state.is_unreachable(&cluster.name);
        // What a silent member said last tells what may be there, and not what is ready there.
        let seen =
            seen.map(|seen| if silent && seen.objects { Seen { present: None, ready: None, ..seen } } else { seen });
        let seen = if seeded::is(Bug::UnseenIsEmpty) { seen.or(Some(Seen::NOTHING)) } else { seen };
        let stopped = wanted == 0 && gathered.is_given_up(&cluster.name);
        (cluster.name.to_string(), Part { wanted, seen, ran: Ran::Never, stopped })
    };
    placement.spec.clusters.iter().map(part).collect()
}

/// What is remembered of a run in a cluster. What this process has ordered itself it knows to be new; what an earlier one
/// committed may have been ordered and be gone.
fn ran(gathered: &Gathered<'_>, placement: &api::FleetPlacement, cluster: &str) -> Ran {
    let started = placement.status.iter().flat_map(|status| &status.started);
    match started.into_iter().any(|one| *one.name == *cluster) {
        true => Ran::Seen,
        false if gathered.fresh.is_some_and(|fresh| fresh.contains(cluster)) => Ran::Never,
        false => Ran::Perhaps,
    }
}

/// What a report says, in the words of the engine. What was not counted stays unknown; where nothing has replicas to be
/// counted, what is `wanted` is there when its objects are, and ready when all of them are.
pub(crate) fn seen(status: &DeliveryStatus, wanted: i64) -> Seen {
    // A change that was refused or waits leaves what is there running; what is another's is none of ours.
    let there = |object: &api::ObjectObservation| match object.state {
        ObjectState::Conflict | ObjectState::Gone => false,
        ObjectState::Waiting | ObjectState::Refused => object.identity.is_some(),
        ObjectState::Applied
        | ObjectState::Ready
        | ObjectState::Finished
        | ObjectState::Failed
        | ObjectState::Drifted
        | ObjectState::Removing => true,
    };
    let objects = &status.objects;
    let any = objects.iter().any(there);
    let ended = |object: &api::ObjectObservation| matches!(object.state, ObjectState::Finished | ObjectState::Failed);
    let ran = objects.iter().any(ended);
    let counted = objects.iter().any(|object| object.wanted.is_some() || object.present.is_some());
    if !counted && status.present.is_none() {
        let well = |object: &api::ObjectObservation| matches!(object.state, ObjectState::Ready | ObjectState::Finished);
        let whole = if any { wanted.max(1) } else { 0 };
        let ready = if objects.iter().filter(|object| object.state != ObjectState::Gone).all(well) { whole } else { 0 };
        return Seen { objects: any, ordered: whole, present: Some(whole), ready: Some(ready), started: ran };
    }
    let present = status.present.map(i64::from);
    Seen {
        objects: any,
        ordered: objects.iter().filter_map(|object| object.wanted).map(i64::from).max().unwrap_or(0),
        present,
        ready: status.ready.map(i64::from),
        // Pods that nobody could count may be there.
        started: present.map_or(any, |present| present > 0) || ran,
    }
}

/// Stated, else by what the workload is made of.
pub(crate) fn continuity(spec: Option<&Spec>, workload: &api::FleetWorkload) -> Continuity {
    if seeded::is(Bug::WriterAsFree) {
        return Continuity::AddBeforeRemove;
    }
    jiuzhou_intake::convert::continuity(workload, spec)
}

pub(super) fn order(
    gathered: &Gathered<'_>,
    placement: &api::FleetPlacement,
    cluster: &str,
    state: DeliveryState,
) -> DeliverySpec {
    DeliverySpec {
        cluster: cluster.into(),
        workload: api::WorkloadReference {
            namespace: gathered.key.namespace.as_str().into(),
            name: gathered.key.name.as_str().into(),
        },
        tenant: gathered.state.tenant(gathered.key).into(),
        quota: tenants::granted(gathered.state, gathered.key),
        state,
        decision: placement.spec.decision.clone(),
        epoch: placement.spec.epoch,
        ..DeliverySpec::default()
    }
}

/// What to look for. Objects that left the workload while nobody watched are found where their kind is still used.
pub(super) fn look(gathered: &Gathered<'_>) -> Look {
    let objects = gathered.workload.into_iter().flat_map(|workload| &workload.spec.objects);
    let manifests = objects.map(|object| {
        let object = Object::new(&object.manifest);
        (object.api_version().to_owned(), object.kind().to_owned(), object.name().to_owned())
    });
    let workload = api::WorkloadReference {
        namespace: gathered.key.namespace.as_str().into(),
        name: gathered.key.name.as_str().into(),
    };
    Look { workload, tenant: gathered.state.tenant(gathered.key), manifests: manifests.collect() }
}

/// The order to remove exactly what was seen; `None` when nothing with a uid was.
fn removal(gathered: &Gathered<'_>, placement: &api::FleetPlacement, cluster: &str) -> Option<Order> {
    let status = gathered.reports.get(cluster)?.as_ref()?;
    let there = status.objects.iter().filter(|object| object.state != ObjectState::Gone);
    let removing: Vec<_> = there.filter_map(|object| object.identity.clone()).collect();
    if removing.is_empty() {
        return None;
    }
    let delivery = DeliverySpec { removing, ..order(gathered, placement, cluster, DeliveryState::Removing) };
    Some(Order { delivery, secrets: Vec::new() })
}
