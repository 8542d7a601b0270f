//! What is told of a workload and of its placement. Pure: from what is decided, ordered and seen to two statuses.
//!
//! One reason for a state; the first that holds: it is being removed, it cannot be decided on, it has no place, it runs
//! against a rule, a member refused it, a member is silent, it is on its way, all is as wanted. What was not seen is
//! left out and never zero.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::text::Title;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::{Decision, Division, Status};
use jiuzhou_engine::step::rollout::{Health, Phase, Step};
use jiuzhou_engine::step::{Continuity, Seen, Wait};
use jiuzhou_engine::terms::{Finding, Reason};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::build::{Built, continuity, seen};
use super::conditions::{Standing, condition, dated, of_standing};
use super::dereference::{Deletion, Gathered, Held};
use super::staged;
use super::validate::obstacle;
use crate::select::left;

/// Most clusters that a status lists.
const CLUSTERS_MOST: usize = 50;

/// Clusters that a sentence names.
const LISTED_MOST: usize = 3;
/// Most endpoints that a status lists, and the longest that is listed.
const ENDPOINTS_MOST: usize = 32;
const ENDPOINT_MOST: usize = 128;

/// One cluster of a placement as it stands.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    wanted: i32,
    placed: i32,
    ready: Option<i32>,
    /// It has run to its end here.
    finished: bool,
    /// Why it is not healthy.
    trouble: Option<(ControllerReason, String)>,
}

/// The status of a workload; `None` when there is no workload to tell of.
pub(crate) fn of_workload(gathered: &Gathered<'_>, built: &Built, now: Timestamp) -> Option<api::FleetWorkloadStatus> {
    let workload = gathered.workload?;
    let before = workload.status.clone().unwrap_or_default();
    let generation = workload.metadata.generation.unwrap_or(0);
    let parts = parts(gathered, built);
    let standing = standing(gathered, built, &parts);
    let wanted = gathered.spec.and_then(|_| i32::try_from(wanted(gathered, &parts)).ok());
    let mut conditions = of_standing(&standing, generation);
    conditions.extend(own(gathered, &parts, generation));
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
        message_zh: Some(standing.zh.as_str().into()),
        message_en: Some(standing.en.as_str().into()),
        conditions: dated(conditions, &before.conditions, now),
    })
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
    let standing = standing(gathered, built, &parts);
    let mut reasons: BTreeMap<&str, i32> = BTreeMap::new();
    for part in &parts {
        let reason = part.trouble.as_ref().map_or(ControllerReason::AsWanted, |(reason, _)| *reason);
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

/// How far what is committed has come.
struct Came {
    revision: Option<i64>,
    stable: Option<jiuzhou_api::text::ContentDigest>,
    rollout: Option<api::RolloutProgress>,
}

fn came(
    gathered: &Gathered<'_>,
    built: &Built,
    placement: &api::FleetPlacement,
    before: &api::FleetPlacementStatus,
    parts: &[Part],
) -> Came {
    let there = Came {
        revision: Some(staged::target(placement)).filter(|revision| *revision > 0),
        stable: placement.spec.inputs.content.clone(),
        rollout: None,
    };
    let open = gathered.workload.is_some_and(|workload| staged::is_staged(workload, placement));
    let said = gathered.template.map(ToString::to_string).as_deref() == placement.spec.inputs.content.as_deref();
    match &built.step {
        Some(step) if step.phase == Phase::Done => there,
        Some(step) => {
            let (reason, message) = phase(gathered, step, parts).unwrap_or((ControllerReason::AsWanted, String::new()));
            Came {
                revision: before.revision.or(staged::base(placement)),
                stable: before.stable.clone(),
                rollout: staged::written(step, reason.as_str(), &message),
            }
        }
        // Without stages what is committed goes to all clusters at once.
        None if built.present && !open && said => there,
        None => Came { revision: before.revision, stable: before.stable.clone(), rollout: before.rollout.clone() },
    }
}

/// What a rollout waits for: a reason, and what it is about.
fn phase(gathered: &Gathered<'_>, step: &Step, parts: &[Part]) -> Option<(ControllerReason, String)> {
    let stage = &step.progress.stage;
    let join = |clusters: &BTreeSet<String>| clusters.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let gate = || {
        let rollout = gathered.workload.and_then(|workload| workload.spec.rollout.as_ref());
        let one = rollout.and_then(|rollout| rollout.stages.iter().find(|one| *one.name == *stage));
        one.and_then(|one| one.gate.as_deref()).unwrap_or_default()
    };
    let why = |clusters: &BTreeSet<String>| {
        let trouble = parts.iter().filter(|part| clusters.contains(&part.name)).find_map(|part| part.trouble.as_ref());
        match trouble {
            Some((reason, words)) => format!("{stage}: {reason} {words}"),
            None => format!("{stage}: {}", join(clusters)),
        }
    };
    Some(match &step.phase {
        Phase::Done => return None,
        Phase::OnTheWay(clusters) => (ControllerReason::RolloutInProgress, format!("{stage} ({})", join(clusters))),
        Phase::Resting(until) => (ControllerReason::RolloutInProgress, format!("{stage} (until {until})")),
        Phase::Gate => (ControllerReason::RolloutInProgress, format!("{stage} (gate: {})", gate())),
        Phase::Failed(clusters) | Phase::Late(clusters) => (ControllerReason::RolloutFailed, why(clusters)),
        Phase::Paused => (ControllerReason::RolloutPaused, stage.clone()),
        Phase::Approval => {
            let change = gathered.placement.and_then(|placement| placement.spec.inputs.content.as_deref());
            (ControllerReason::WaitingForApproval, format!("{stage} -> {}", change.unwrap_or_default()))
        }
    })
}

/// The same as it is written, where this run has not looked at every cluster yet.
fn told_phase(gathered: &Gathered<'_>, built: &Built, parts: &[Part]) -> Option<(ControllerReason, String)> {
    if let Some(step) = &built.step {
        return phase(gathered, step, parts);
    }
    let placement = gathered.placement?;
    let written = placement.status.as_ref()?.rollout.as_ref()?;
    let open = gathered.workload.is_some_and(|workload| staged::is_staged(workload, placement));
    let reason = ControllerReason::ALL.iter().find(|one| Some(one.as_str()) == written.reason.as_deref())?;
    open.then(|| (*reason, written.message.as_deref().unwrap_or_default().to_owned()))
}

/// Stage that a rollout has reached.
fn stage(gathered: &Gathered<'_>, built: &Built) -> Option<String> {
    match &built.step {
        Some(step) => (step.phase != Phase::Done).then(|| step.progress.stage.clone()),
        None => {
            let placement = gathered.placement?;
            let open = gathered.workload.is_some_and(|workload| staged::is_staged(workload, placement));
            let written = placement.status.as_ref()?.rollout.as_ref().filter(|_| open)?;
            Some(written.stage.to_string())
        }
    }
}

/// Clusters that have the committed revision and are well with it; `None` while one was not looked at.
fn updated(gathered: &Gathered<'_>, built: &Built) -> Option<i32> {
    let placement = gathered.placement?;
    let mut placed = placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0);
    let looked = built.present && placed.all(|cluster| gathered.reports.contains_key(&*cluster.name));
    looked.then(|| count(built.health.values().filter(|health| **health == Health::Well).count()))
}

/// Whether anything of it was seen in a member.
fn begun(gathered: &Gathered<'_>) -> bool {
    gathered.reports.values().flatten().any(|status| seen(status, 0).objects)
}

/// Where something that runs once was seen to run: what was written stays, for what has run may leave nothing to see.
fn started(gathered: &Gathered<'_>, before: &api::FleetPlacementStatus) -> Vec<api::StartedIn> {
    let once = gathered.workload.is_some_and(|workload| continuity(gathered, workload) == Continuity::RunOnce);
    if !once {
        return before.started.clone();
    }
    let mut started: BTreeMap<&str, Option<api::RunOutcome>> =
        before.started.iter().map(|one| (&*one.name, one.outcome)).collect();
    for (cluster, status) in gathered.reports.iter().filter_map(|(cluster, report)| Some((cluster, report.as_ref()?))) {
        let state = |state: ObjectState| status.objects.iter().any(|object| object.state == state);
        let outcome = match () {
            () if state(ObjectState::Failed) => Some(api::RunOutcome::Failed),
            () if finished(status) => Some(api::RunOutcome::Finished),
            () => None,
        };
        if outcome.is_some() || seen(status, 0).started {
            let known = started.entry(cluster).or_default();
            *known = outcome.or(*known);
        }
    }
    started.into_iter().map(|(name, outcome)| api::StartedIn { name: name.into(), outcome }).collect()
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

/// The clusters of a placement as they stand.
fn parts(gathered: &Gathered<'_>, built: &Built) -> Vec<Part> {
    let clusters = gathered.placement.map(|placement| placement.spec.clusters.as_slice()).unwrap_or_default();
    let part = |cluster: &api::PlacedCluster| {
        let name = cluster.name.to_string();
        let report = gathered.reports.get(&name).and_then(Option::as_ref);
        let looked = gathered.reports.contains_key(&name);
        let seen = report.map_or(Seen::NOTHING, |status| seen(status, i64::from(cluster.replicas)));
        let there = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        // What nobody could count may all be there.
        let present = if looked { there(seen.present.unwrap_or(seen.ordered)) } else { told_placed(gathered, &name) };
        let ready = if looked { seen.ready.map(there) } else { told_ready(gathered, &name) };
        let finished = match built.waits.get(&name) {
            Some(Wait::Ran) => outcome(gathered, &name) == Some(api::RunOutcome::Finished),
            _ => report.is_some_and(finished),
        };
        let trouble = match told_trouble(gathered, &name) {
            Some(told) if !looked && !built.unrendered.contains_key(&name) => told,
            _ => trouble(gathered, built, &name, cluster.replicas, report),
        };
        // What is there counts as long as it is there: its room is not free before.
        Part { wanted: cluster.replicas, placed: present.max(cluster.replicas), ready, finished, trouble, name }
    };
    clusters.iter().map(part).collect()
}

/// Whether what runs once has run to its end.
fn finished(status: &DeliveryStatus) -> bool {
    let ended = |object: &api::ObjectObservation| object.state == ObjectState::Finished;
    let well = |object: &api::ObjectObservation| matches!(object.state, ObjectState::Ready | ObjectState::Finished);
    status.objects.iter().any(ended) && status.objects.iter().all(well)
}

/// How a run ended that left nothing behind, as it was written when it was seen.
fn outcome(gathered: &Gathered<'_>, cluster: &str) -> Option<api::RunOutcome> {
    let status = gathered.placement?.status.as_ref()?;
    status.started.iter().find(|one| *one.name == *cluster)?.outcome
}

/// Replicas there as they are written: room that was taken is not free because nobody has looked yet.
fn told_placed(gathered: &Gathered<'_>, cluster: &str) -> i32 {
    let written = gathered.workload.and_then(|workload| workload.status.as_ref());
    let one = written.and_then(|status| status.clusters.iter().find(|one| *one.name == *cluster));
    one.map_or(0, |one| one.placed)
}

/// Readiness as it is written, for a cluster that this run has not looked at yet: a restart is no news.
fn told_ready(gathered: &Gathered<'_>, cluster: &str) -> Option<i32> {
    let written = gathered.workload.and_then(|workload| workload.status.as_ref())?;
    written.clusters.iter().find(|one| *one.name == *cluster)?.ready
}

/// The same of its trouble; `None` when nothing is written of this version of the placement.
fn told_trouble(gathered: &Gathered<'_>, cluster: &str) -> Option<Option<(ControllerReason, String)>> {
    let placement = gathered.placement?;
    let written = placement.status.as_ref()?;
    if written.observed_generation != placement.metadata.generation {
        return None;
    }
    let unhealthy = written.unhealthy.iter().find(|one| *one.name == *cluster);
    Some(unhealthy.and_then(|one| {
        let reason = ControllerReason::ALL.iter().find(|reason| reason.as_str() == &*one.reason)?;
        Some((*reason, one.message.as_deref().unwrap_or_default().to_owned()))
    }))
}

/// Why a cluster is not healthy; `None` when it is.
fn trouble(
    gathered: &Gathered<'_>,
    built: &Built,
    cluster: &str,
    wanted: i32,
    report: Option<&DeliveryStatus>,
) -> Option<(ControllerReason, String)> {
    if let Some(findings) = built.unrendered.get(cluster) {
        return Some((ControllerReason::SpecInvalid, findings.first().map(said).unwrap_or_default()));
    }
    if let Some(report) = report {
        let words = |state: ObjectState| {
            let object = report.objects.iter().find(|object| object.state == state)?;
            let message = object.message.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
            Some(format!("{cluster}: {}{message}", object.name))
        };
        for (state, reason) in [
            (ObjectState::Refused, ControllerReason::DeliveryRefused),
            (ObjectState::Conflict, ControllerReason::DeliveryRefused),
            (ObjectState::Failed, ControllerReason::ObjectFailed),
            (ObjectState::Drifted, ControllerReason::Drifted),
        ] {
            if let Some(words) = words(state) {
                return Some((reason, words));
            }
        }
    }
    if gathered.state.is_unreachable(cluster) {
        return Some((ControllerReason::MemberUnreachable, cluster.to_owned()));
    }
    match built.waits.get(cluster) {
        Some(Wait::ReadyElsewhere) => return Some((ControllerReason::LastCopyKept, cluster.to_owned())),
        Some(Wait::Dependency) => {
            let names = built.waiting.as_ref().map(|waiting| waiting.names.join(", ")).unwrap_or_default();
            return Some((ControllerReason::WaitingForDependency, names));
        }
        Some(Wait::Stage) => return Some((ControllerReason::RolloutInProgress, cluster.to_owned())),
        Some(Wait::Revision) => return Some((ControllerReason::RevisionUnknown, cluster.to_owned())),
        Some(Wait::GoneElsewhere | Wait::Unseen) => {
            return Some((ControllerReason::DeliveryInProgress, cluster.to_owned()));
        }
        Some(Wait::Started) => return Some((ControllerReason::LastCopyKept, cluster.to_owned())),
        Some(Wait::MayHaveRun) => return Some((ControllerReason::MayHaveRun, cluster.to_owned())),
        Some(Wait::Ran) => {
            return match outcome(gathered, cluster) {
                Some(api::RunOutcome::Finished) => None,
                Some(api::RunOutcome::Failed) => Some((ControllerReason::ObjectFailed, cluster.to_owned())),
                None => Some((ControllerReason::OutcomeUnknown, cluster.to_owned())),
            };
        }
        None => {}
    }
    let settled = report.is_some_and(|status| {
        let ready = seen(status, i64::from(wanted)).ready;
        let enough = wanted == 0 || finished(status) || ready.is_some_and(|ready| ready >= i64::from(wanted));
        let all = status
            .objects
            .iter()
            .all(|object| matches!(object.state, ObjectState::Ready | ObjectState::Finished | ObjectState::Gone));
        enough && all && !status.objects.is_empty()
    });
    let gone = wanted == 0 && report.is_none_or(|status| !seen(status, 0).objects);
    if settled || gone { None } else { Some((ControllerReason::DeliveryInProgress, open(cluster, wanted, report))) }
}

/// What a cluster is still waited for: its first object that is not there yet, with what is seen and wanted of it.
fn open(cluster: &str, wanted: i32, report: Option<&DeliveryStatus>) -> String {
    let Some(report) = report else { return cluster.to_owned() };
    let done = [ObjectState::Ready, ObjectState::Finished, ObjectState::Gone];
    if let Some(object) = report.objects.iter().find(|object| !done.contains(&object.state)) {
        let why = object.message.as_deref().map(str::to_owned);
        let state = || format!("{:?}", object.state).to_lowercase();
        return format!("{cluster}: {} {}", object.name, why.unwrap_or_else(state));
    }
    let ready = report.ready.map_or_else(|| "unknown".to_owned(), |ready| ready.to_string());
    format!("{cluster}: {ready} of {wanted} replicas ready")
}

fn said(finding: &Finding) -> String {
    sentences::render(&finding.reason, finding.subject.as_ref(), Lang::En)
}

/// A reason of the engine as a standing, with what would help.
fn of_reason(reason: &Reason, ready: bool) -> Standing {
    let said = |lang| format!("{} {}", sentences::render(reason, None, lang), sentences::fix(reason, None, lang));
    Standing {
        ready,
        reason: reason.code.as_str().to_owned(),
        en: said(Lang::En),
        zh: said(Lang::Zh),
        progressing: false,
    }
}

/// A held deletion with why it is held and how exactly what waits is confirmed.
fn of_held(gathered: &Gathered<'_>, held: &Held, standing: Standing) -> Standing {
    let (namespace, reason) = (&*gathered.key.namespace, ControllerReason::DeletionHeld.as_str());
    let command = format!(
        "kubectl annotate fwl {} -n {namespace} --overwrite {}={}",
        gathered.key.name,
        jiuzhou_api::meta::ANNOTATION_CONFIRM_DELETIONS,
        held.code
    );
    let said = |lang| {
        let because = sentences::held_because(held.cause, namespace, lang);
        let held_so = sentences::condition(reason, &because, 0, 0, lang).unwrap_or_default();
        format!("{held_so} {}", sentences::confirm_deletions(held.waiting, namespace, &command, lang))
    };
    Standing { en: said(Lang::En), zh: said(Lang::Zh), ..standing }
}

/// How a workload stands.
fn standing(gathered: &Gathered<'_>, built: &Built, parts: &[Part]) -> Standing {
    let wanted = wanted(gathered, parts);
    let ready = parts.iter().filter_map(|part| part.ready).map(i64::from).fold(0_i64, i64::saturating_add);
    let of = |reason: ControllerReason, object: &str| Standing::new(false, reason.as_str(), object, ready, wanted);
    if let Deletion::Held(held) = gathered.deletion {
        return of_held(gathered, held, of(ControllerReason::DeletionHeld, ""));
    }
    if gathered.deletion == Deletion::Ordered {
        let left: Vec<&str> = parts.iter().filter(|part| part.placed > 0).map(|part| part.name.as_str()).collect();
        return of(ControllerReason::Removing, &left.join(", ")).progressing();
    }
    if gathered.workload.is_none() {
        return of(ControllerReason::ReferenceMissing, &format!("FleetWorkload {}", gathered.key));
    }
    if let Some(reason) = obstacle(gathered) {
        return of_reason(&reason, false);
    }
    if let Some(decision) = gathered.decision
        && let Some(standing) = undecided(gathered, decision, ready, wanted)
    {
        return standing;
    }
    if gathered.placement.is_none() {
        return of(ControllerReason::NotObserved, "").progressing();
    }
    if let Some(waiting) = &built.waiting {
        let standing = of(ControllerReason::WaitingForDependency, &waiting.names.join(", "));
        return if waiting.stuck { standing } else { standing.progressing() };
    }
    let rollout = told_phase(gathered, built, parts);
    if let Some((reason @ ControllerReason::RolloutFailed, words)) = &rollout {
        return of(*reason, words);
    }
    let first = |reason: ControllerReason| {
        let found = parts.iter().filter_map(|part| part.trouble.as_ref()).find(|(one, _)| *one == reason);
        found.map(|(_, words)| words.as_str())
    };
    for reason in [
        ControllerReason::SpecInvalid,
        ControllerReason::DeliveryRefused,
        ControllerReason::ObjectFailed,
        ControllerReason::MayHaveRun,
        ControllerReason::OutcomeUnknown,
        ControllerReason::MemberUnreachable,
        ControllerReason::Drifted,
    ] {
        if let Some(words) = first(reason) {
            return of(reason, words);
        }
    }
    if let Some((reason, words)) = &rollout {
        return of(*reason, words).progressing();
    }
    if let Some(words) = first(ControllerReason::RevisionUnknown) {
        return of(ControllerReason::RevisionUnknown, words).progressing();
    }
    for reason in [ControllerReason::DeliveryInProgress, ControllerReason::LastCopyKept] {
        if first(reason).is_some() {
            let open: Vec<&str> =
                parts.iter().filter_map(|part| part.trouble.as_ref()).map(|(_, words)| &**words).collect();
            return of(reason, &listed(&open)).progressing();
        }
    }
    if let Some(held) = left::standing(gathered) {
        return held;
    }
    let placed = || parts.iter().filter(|part| part.wanted > 0);
    let all_ran = placed().next().is_some() && placed().all(|part| part.finished);
    let reason = if all_ran { ControllerReason::Finished } else { ControllerReason::AsWanted };
    Standing::new(true, reason.as_str(), "", ready, wanted)
}

/// The first few of many, and how many more there are.
fn listed(all: &[&str]) -> String {
    let more = all.len().saturating_sub(LISTED_MOST);
    let first = all.iter().take(LISTED_MOST).copied().collect::<Vec<_>>().join("; ");
    if more == 0 { first } else { format!("{first}; +{more}") }
}

/// What a decision says against it being ready; `None` when everything has a place by the rules.
fn undecided(gathered: &Gathered<'_>, decision: &Decision, ready: i64, wanted: i64) -> Option<Standing> {
    if let Some(violation) = decision.violations.first()
        && let Some(reason) = violation.reasons.first()
    {
        let why = of_reason(reason, false);
        let told = |lang, why: &str| {
            let object = format!("{}: {why}", violation.cluster);
            sentences::condition(ControllerReason::Violating.as_str(), &object, ready, wanted, lang).unwrap_or_default()
        };
        return Some(Standing {
            reason: ControllerReason::Violating.as_str().to_owned(),
            en: told(Lang::En, &why.en),
            zh: told(Lang::Zh, &why.zh),
            ..why
        });
    }
    if decision.status == Status::Placed {
        return None;
    }
    let limit = decision.limits.first();
    let placed = gathered.placement.is_some_and(|placement| placement.spec.clusters.iter().any(|c| c.replicas > 0));
    Some(match limit {
        Some(limit) => of_reason(limit, false),
        None if placed => Standing::new(false, ControllerReason::PartlyPlaced.as_str(), "", ready, wanted),
        None => Standing::new(false, ControllerReason::NoClusterFits.as_str(), "", ready, wanted),
    })
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
        all.push(condition(ConditionType::RulesSatisfied, kept, reason, "", generation));
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
