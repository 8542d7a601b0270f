//! One cluster of a placement as it stands: what is wanted, there and ready, and why it is not well.
//!
//! A cluster that this run has not looked at yet keeps what is written of it.

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{DeliveryStatus, ObjectState};
use jiuzhou_engine::step::failover::Phase;
use jiuzhou_engine::step::{Seen, Wait};
use jiuzhou_engine::terms::Finding;
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;

use crate::planner::application;
use crate::planner::failover::told;
use crate::workload::build::{Built, seen};
use crate::workload::dereference::Gathered;
use crate::workload::halted;

/// One cluster of a placement as it stands.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) wanted: i32,
    pub(super) placed: i32,
    pub(super) ready: Option<i32>,
    /// It has run to its end here.
    pub(super) finished: bool,
    /// Why it is not healthy.
    pub(super) trouble: Option<(ControllerReason, String)>,
}

/// The clusters of a placement as they stand.
pub(super) fn parts(gathered: &Gathered<'_>, built: &Built) -> Vec<Part> {
    let clusters = gathered.placement.map(|placement| placement.spec.clusters.as_slice()).unwrap_or_default();
    let part = |cluster: &api::PlacedCluster| {
        let name = cluster.name.to_string();
        let report = gathered.reports.get(&name).and_then(Option::as_ref);
        let looked = gathered.reports.contains_key(&name);
        let seen = report.map_or(Seen::NOTHING, |status| seen(status, i64::from(cluster.replicas)));
        let there = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        // What nobody could count may all be there.
        let present = if looked { there(seen.present.unwrap_or(seen.ordered)) } else { told_placed(gathered, &name) };
        let silent = gathered.state.is_unreachable(&name);
        // What a silent member said last is not what is.
        let ready = match () {
            () if silent => None,
            () if looked => seen.ready.map(there),
            () => told_ready(gathered, &name),
        };
        let finished = match built.waits.get(&name) {
            Some(Wait::Ran) => outcome(gathered, &name) == Some(api::RunOutcome::Finished),
            _ => report.is_some_and(finished),
        };
        let trouble = match told_trouble(gathered, &name) {
            // Nobody looks at a silent member before it answers, but how far its failover is goes on.
            Some(told) if !looked && !silent && !built.unrendered.contains_key(&name) => told,
            _ => trouble(gathered, built, &name, cluster.replicas, report),
        };
        // What is there counts as long as it is there: its room is not free before.
        Part { wanted: cluster.replicas, placed: present.max(cluster.replicas), ready, finished, trouble, name }
    };
    clusters.iter().map(part).collect()
}

/// Whether what runs once has run to its end.
pub(crate) fn finished(status: &DeliveryStatus) -> bool {
    let ended = |object: &api::ObjectObservation| object.state == ObjectState::Finished;
    let well = |object: &api::ObjectObservation| matches!(object.state, ObjectState::Ready | ObjectState::Finished);
    status.objects.iter().any(ended) && status.objects.iter().all(well)
}

/// How a run ended that left nothing behind, as it was written when it was seen.
pub(super) fn outcome(gathered: &Gathered<'_>, cluster: &str) -> Option<api::RunOutcome> {
    let status = gathered.placement?.status.as_ref()?;
    status.started.iter().find(|one| *one.name == *cluster)?.outcome
}

/// Replicas there as they are written: room that was taken is not free because nobody has looked yet.
pub(super) fn told_placed(gathered: &Gathered<'_>, cluster: &str) -> i32 {
    let written = gathered.workload.and_then(|workload| workload.status.as_ref());
    let one = written.and_then(|status| status.clusters.iter().find(|one| *one.name == *cluster));
    one.map_or(0, |one| one.placed)
}

/// Readiness as it is written, for a cluster that this run has not looked at yet: a restart is no news.
pub(super) fn told_ready(gathered: &Gathered<'_>, cluster: &str) -> Option<i32> {
    let written = gathered.workload.and_then(|workload| workload.status.as_ref())?;
    written.clusters.iter().find(|one| *one.name == *cluster)?.ready
}

/// The same of its trouble; `None` when nothing is written of this version of the placement.
pub(super) fn told_trouble(gathered: &Gathered<'_>, cluster: &str) -> Option<Option<(ControllerReason, String)>> {
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
pub(super) fn trouble(
    gathered: &Gathered<'_>,
    built: &Built,
    cluster: &str,
    wanted: i32,
    report: Option<&DeliveryStatus>,
) -> Option<(ControllerReason, String)> {
    if let Some(findings) = built.unrendered.get(cluster) {
        return Some((ControllerReason::SpecInvalid, findings.first().map(said).unwrap_or_default()));
    }
    if built.stopped.is_some() {
        return stopping(gathered, built, cluster, report);
    }
    if built.interrupted.contains(cluster) {
        return Some((ControllerReason::RunInterrupted, cluster.to_owned()));
    }
    if let Some(trouble) = unwell(gathered, cluster).filter(|_| wanted > 0) {
        return Some(trouble);
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
        return Some(silent(gathered, cluster));
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
    // A report of an older order tells nothing of the one that was given since.
    let ordered = built.orders.get(cluster).map(|order| order.delivery.epoch);
    let settled =
        report.filter(|status| ordered.is_none_or(|epoch| status.epoch >= Some(epoch))).is_some_and(|status| {
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

/// What becomes of the copies in a member that does not answer.
fn silent(gathered: &Gathered<'_>, cluster: &str) -> (ControllerReason, String) {
    let Some(entry) = gathered.failover.and_then(|entries| entries.get(cluster)) else {
        return (ControllerReason::MemberUnreachable, cluster.to_owned());
    };
    let reason = match entry.phase {
        Phase::Waiting | Phase::Turn => {
            return (ControllerReason::FailoverWaiting, format!("{cluster} ({} / {})", entry.since, entry.due));
        }
        Phase::StormBrake => ControllerReason::StormBrake,
        Phase::Manual => ControllerReason::FailoverManual,
        Phase::Fence => ControllerReason::FenceUnavailable,
        Phase::Data => ControllerReason::DataNotReplicated,
        Phase::Never | Phase::Once | Phase::Released | Phase::Moved => ControllerReason::MemberUnreachable,
        // Phases of members that answer.
        Phase::Change | Phase::State | Phase::Exhausted => ControllerReason::MemberUnreachable,
    };
    (reason, cluster.to_owned())
}

/// What becomes of a copy that is not well in a member that answers, once its time is over.
fn unwell(gathered: &Gathered<'_>, cluster: &str) -> Option<(ControllerReason, String)> {
    let written = gathered.application?.get(cluster).filter(|written| application::is_told(written.entry.phase))?;
    let entry = &written.entry;
    if gathered.state.is_unreachable(cluster) || entry.well.is_some() {
        return None;
    }
    Some(match entry.phase {
        Phase::Exhausted => (ControllerReason::UnhealthyEverywhere, cluster.to_owned()),
        Phase::State => {
            (ControllerReason::StateNotCarried, format!("{cluster} ({})", written.state.missing.join("; ")))
        }
        phase => (ControllerReason::ApplicationUnhealthy, format!("{cluster} ({:?}, {})", told(phase), entry.since)),
    })
}

/// What keeps a cluster from having nothing that runs, where an order stops the workload.
fn stopping(
    gathered: &Gathered<'_>,
    built: &Built,
    cluster: &str,
    report: Option<&DeliveryStatus>,
) -> Option<(ControllerReason, String)> {
    let objects = || report.into_iter().flat_map(|report| &report.objects);
    let refused = objects().find(|one| matches!(one.state, ObjectState::Refused | ObjectState::Conflict));
    let run_on = built.run_on.get(cluster).map(|names| names.join(", "));
    let words = match (halted::left(built, cluster, report), refused, run_on) {
        (Some(0), None, None) => return None,
        (_, Some(object), _) => {
            let message = object.message.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
            format!("{cluster}: {}{message}", object.name)
        }
        // A Pod that is an object itself has nothing to be taken to zero.
        (_, None, Some(names)) => format!("{cluster}: {names}"),
        (Some(pods), None, None) => format!("{cluster}: {pods}"),
        (None, None, None) if gathered.state.is_unreachable(cluster) => format!("{cluster}: no answer"),
        (None, None, None) => format!("{cluster}: not counted"),
    };
    Some((ControllerReason::Stopping, words))
}

/// What a cluster is still waited for: its first object that is not there yet, with what is seen and wanted of it.
pub(super) fn open(cluster: &str, wanted: i32, report: Option<&DeliveryStatus>) -> String {
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

pub(super) fn said(finding: &Finding) -> String {
    sentences::render(&finding.reason, finding.subject.as_ref(), Lang::En)
}
