//! What is told of a workload and of its placement. Pure: from what is decided, ordered and seen to two statuses.
//!
//! `part` is one cluster as it stands, `standing` the one reason for the state, `rollout` how far a change has come. What
//! was not seen is left out and never zero.

mod deferred;
mod part;
mod rollout;
mod standing;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::text::Title;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::ObjectState;
use jiuzhou_engine::decide::{Decision, Division, Status, demanded_tier, tier};
use jiuzhou_engine::step::Continuity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::build::{Built, continuity, seen};
use super::conditions::{condition, dated, of_standing};
use super::dereference::Gathered;
use super::halted;
use crate::planner::application;
use crate::planner::failover::to_write;
pub(crate) use part::finished;
use part::{Part, parts};
use rollout::{Came, came, stage, updated};
use standing::standing;

/// Most clusters that a status lists.
const CLUSTERS_MOST: usize = 50;

/// Most endpoints that a status lists, and the longest that is listed.
const ENDPOINTS_MOST: usize = 32;

const ENDPOINT_MOST: usize = 128;

/// Longest sentence that a status takes.
const MESSAGE_MOST: usize = 1024;

/// The status of a workload; `None` when there is no workload to tell of.
pub(crate) fn of_workload(gathered: &Gathered<'_>, built: &Built, now: Timestamp) -> Option<api::FleetWorkloadStatus> {
    let workload = gathered.workload?;
    let before = workload.status.clone().unwrap_or_default();
    let generation = workload.metadata.generation.unwrap_or(0);
    let parts = parts(gathered, built);
    let standing = standing(gathered, built, &parts, now);
    let wanted = gathered.spec.and_then(|_| i32::try_from(wanted(gathered, &parts)).ok());
    let mut conditions = of_standing(&standing, generation);
    conditions.extend(own(gathered, &parts, generation));
    conditions.extend(deferred::told(gathered, &before.conditions, generation));
    Some(api::FleetWorkloadStatus {
        observed_generation: Some(generation),
        wanted: wanted.or(before.wanted),
        placed: Some(parts.iter().map(|part| part.wanted).fold(0, i32::saturating_add)),
        ready: ready(&parts),
        revision: gathered.placement.map(|placement| placement.spec.revision).filter(|revision| *revision > 0),
        updated_clusters: updated(gathered, built).or(before.updated_clusters),
        stage: stage(gathered, built).map(Into::into),
        cluster_count: Some(count(parts.iter().filter(|part| part.wanted > 0).count())),
        clusters: parts
            .iter()
            .filter(|part| part.wanted > 0 || part.placed > 0)
            .take(CLUSTERS_MOST)
            .map(|part| api::ClusterReplicas {
                name: part.name.as_str().into(),
                placed: part.placed,
                ready: part.ready,
            })
            .collect(),
        endpoints: endpoints(gathered, &before),
        // Measured by whoever reads meters; carried along.
        usage: before.usage.clone(),
        reason: Some(standing.reason.as_str().into()),
        message_zh: Some(bounded(&standing.zh).into()),
        message_en: Some(bounded(&standing.en).into()),
        conditions: dated(conditions, &before.conditions, now),
    })
}

/// When what is told becomes another although nothing happens.
pub(crate) fn changes_at(gathered: &Gathered<'_>, now: Timestamp) -> Option<Timestamp> {
    standing::deadline(gathered).filter(|at| *at > now)
}

/// The status of a placement; `None` when there is none.
pub(crate) fn of_placement(
    gathered: &Gathered<'_>,
    built: &Built,
    now: Timestamp,
) -> Option<api::FleetPlacementStatus> {
    let placement = gathered.placement?;
    let before = placement.status.clone().unwrap_or_default();
    let generation = placement.metadata.generation.unwrap_or(0);
    let parts = parts(gathered, built);
    let standing = standing(gathered, built, &parts, now);
    let mut reasons: BTreeMap<&str, i32> = BTreeMap::new();
    let well = if built.stopped.is_some() { ControllerReason::Stopped } else { ControllerReason::AsWanted };
    for part in &parts {
        let reason = part.trouble.as_ref().map_or(well, |(reason, _)| *reason);
        *reasons.entry(reason.as_str()).or_default() += 1;
    }
    let wanted = gathered.spec.and_then(|_| i32::try_from(wanted(gathered, &parts)).ok());
    let Came { revision, stable, rollout } = came(gathered, built, placement, &before, &parts);
    Some(api::FleetPlacementStatus {
        observed_generation: Some(generation),
        revision,
        stable,
        rollout,
        begun: before.begun || begun(gathered),
        started: started(gathered, &before),
        failover: gathered.failover.map(to_write).unwrap_or_default(),
        application_failover: gathered.application.map(application::to_write).unwrap_or_default(),
        totals: Some(api::PlacementTotals {
            wanted: wanted.unwrap_or(0),
            placed: parts.iter().map(|part| part.wanted).fold(0, i32::saturating_add),
            ready: ready(&parts),
        }),
        reasons: reasons.into_iter().map(|(reason, count)| api::ReasonCount { reason: reason.into(), count }).collect(),
        unhealthy: parts
            .iter()
            .filter_map(|part| part.trouble.as_ref().map(|trouble| (part, trouble)))
            .take(CLUSTERS_MOST)
            .map(|(part, (reason, message))| api::UnhealthyCluster {
                name: part.name.as_str().into(),
                reason: reason.as_str().into(),
                message: (!message.is_empty()).then(|| message.chars().take(512).collect::<String>().into()),
            })
            .collect(),
        conditions: dated(of_standing(&standing, generation), &before.conditions, now),
    })
}

/// A sentence as long as the schema takes it.
fn bounded(sentence: &str) -> String {
    match sentence.char_indices().nth(MESSAGE_MOST) {
        None => sentence.to_owned(),
        Some(_) => sentence.chars().take(MESSAGE_MOST - 1).chain(['…']).collect(),
    }
}

/// Whether anything of it was seen in a member.
fn begun(gathered: &Gathered<'_>) -> bool {
    gathered.reports.values().flatten().any(|status| seen(status, 0).objects)
}

/// Where something that runs once was seen to run: what was written stays, for what has run may leave nothing to see.
fn started(gathered: &Gathered<'_>, before: &api::FleetPlacementStatus) -> Vec<api::StartedIn> {
    let once = gathered.workload.is_some_and(|workload| continuity(gathered.spec, workload) == Continuity::RunOnce);
    if !once {
        return before.started.clone();
    }
    let mut started: BTreeMap<&str, (Option<api::RunOutcome>, bool)> =
        before.started.iter().map(|one| (&*one.name, (one.outcome, one.interrupted))).collect();
    for (cluster, status) in gathered.reports.iter().filter_map(|(cluster, report)| Some((cluster, report.as_ref()?))) {
        let state = |state: ObjectState| status.objects.iter().any(|object| object.state == state);
        let outcome = match () {
            () if state(ObjectState::Failed) => Some(api::RunOutcome::Failed),
            () if finished(status) => Some(api::RunOutcome::Finished),
            () => None,
        };
        if outcome.is_some() || seen(status, 0).started {
            let known = started.entry(cluster).or_default();
            known.0 = outcome.or(known.0);
        }
    }
    let stopped = gathered.placement.is_some_and(|placement| halted::stopped(placement).is_some());
    let one = |(name, (outcome, interrupted)): (&str, (Option<api::RunOutcome>, bool))| api::StartedIn {
        name: name.into(),
        outcome,
        interrupted: outcome.is_none() && (interrupted || stopped),
    };
    started.into_iter().map(one).collect()
}

/// Replicas ready in all; one cluster of which nothing is known makes the sum unknown.
fn ready(parts: &[Part]) -> Option<i32> {
    let counted = parts.iter().filter(|part| part.wanted > 0 || part.ready.is_some());
    counted.map(|part| part.ready).try_fold(0_i32, |sum, ready| Some(sum.saturating_add(ready?)))
}

/// Where it answers: what members say, by cluster and object. Of a cluster that this run has not looked at yet, what is
/// written stays.
fn endpoints(gathered: &Gathered<'_>, before: &api::FleetWorkloadStatus) -> Vec<Title> {
    let clusters = gathered.placement.map(|placement| placement.spec.clusters.as_slice()).unwrap_or_default();
    let mut all = BTreeSet::new();
    for cluster in clusters {
        let name = &*cluster.name;
        let Some(report) = gathered.reports.get(name) else {
            let of_it = |endpoint: &&Title| endpoint.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
            all.extend(before.endpoints.iter().filter(of_it).cloned());
            continue;
        };
        for object in report.iter().flat_map(|report| &report.objects) {
            let Some(identity) = object.identity.as_ref().filter(|_| object.state != ObjectState::Gone) else {
                continue;
            };
            let told =
                object.addresses.iter().map(|address| format!("{name} {}/{} {address}", identity.kind, identity.name));
            all.extend(told.filter(|endpoint| endpoint.chars().count() <= ENDPOINT_MOST).map(Title::from));
        }
    }
    all.into_iter().take(ENDPOINTS_MOST).collect()
}

/// Replicas wanted in all: of a workload that every cluster has whole, those of all its clusters.
fn wanted(gathered: &Gathered<'_>, parts: &[Part]) -> i64 {
    let Some(spec) = gathered.spec else { return 0 };
    let clusters = i64::try_from(parts.iter().filter(|part| part.wanted > 0).count()).unwrap_or(i64::MAX);
    match spec.policy.division {
        Division::Duplicated => spec.replicas.saturating_mul(clusters.max(1)),
        Division::ByCapacity | Division::ByWeight(_) | Division::Packed => spec.replicas,
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// When the tier that a workload needs ran out in a cluster, by its documents and not by when it was noticed: an operator that
/// was away over it tells the same.
fn ran_out(gathered: &Gathered<'_>, cluster: &str, decision: &Decision) -> Option<Timestamp> {
    let snapshot = gathered.state.snapshot();
    let input = snapshot.cluster(snapshot.slot(cluster)?)?;
    let mut tiers = gathered.state.frame().tiers.clone();
    tiers.sort_by_key(|tier| tier.rank);
    let demanded = demanded_tier(snapshot, &gathered.spec?.requirement)?;
    let demanded = tiers.iter().position(|tier| tier.name == demanded.name)?;
    let reached = |at: Timestamp| tier::evaluate(input, &tiers, at).certain > demanded;
    if reached(decision.as_of) {
        return None;
    }
    let ends = input.evidence.iter().map(|one| one.term.until);
    let ends = ends.chain(input.protection.iter().chain(&input.cryptography).map(|one| one.term.until));
    let mut ends: Vec<Timestamp> = ends.flatten().filter(|end| *end <= decision.as_of).collect();
    ends.sort_unstable();
    let before = |end: &Timestamp| end.checked_sub(SignedDuration::from_secs(1)).is_ok_and(reached);
    ends.into_iter().rev().find(before)
}

/// The conditions beside Ready: placed, delivered, rules kept.
fn own(gathered: &Gathered<'_>, parts: &[Part], generation: i64) -> Vec<Condition> {
    let mut all = Vec::new();
    if let Some(decision) = gathered.decision {
        let placed = decision.status == Status::Placed;
        let reason = decision.limits.first().filter(|_| !placed).map_or("AsWanted", |limit| limit.code.as_str());
        all.push(condition(ConditionType::Placed, placed, reason, "", generation));
        let kept = decision.violations.is_empty();
        let rule = decision.violations.first().and_then(|violation| violation.reasons.first());
        let reason = rule.map_or("AsWanted", |reason| reason.code.as_str());
        let mut rules = condition(ConditionType::RulesSatisfied, kept, reason, "", generation);
        if let Some(since) =
            decision.violations.iter().filter_map(|one| ran_out(gathered, &one.cluster, decision)).min()
        {
            rules.last_transition_time = Time(since);
        }
        all.push(rules);
    } else if let Some(spec) = gathered.spec.filter(|_| gathered.placement.is_some()) {
        // Not decided in this run: nothing woke it, so it has what it asks for.
        let placed = parts.iter().map(|part| i64::from(part.wanted)).fold(0_i64, i64::saturating_add) >= spec.replicas;
        let reason = if placed { "AsWanted" } else { "PartlyPlaced" };
        all.push(condition(ConditionType::Placed, placed, reason, "", generation));
        all.push(condition(ConditionType::RulesSatisfied, true, "AsWanted", "", generation));
    }
    if gathered.placement.is_some() {
        let trouble = parts.iter().find_map(|part| part.trouble.as_ref());
        let reason = trouble.map_or(ControllerReason::AsWanted, |(reason, _)| *reason);
        all.push(condition(ConditionType::Delivered, trouble.is_none(), reason.as_str(), "", generation));
    }
    all
}
