//! How far a rollout has come, as a status tells it: its stage, its phase with the reason, what is updated.
//!
//! What this run cannot say yet, because it has not looked at every cluster, stays as it is written.

use std::collections::BTreeSet;

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::step::rollout::{Health, Phase, Step};

use super::count;
use super::part::Part;
use crate::workload::build::Built;
use crate::workload::dereference::Gathered;
use crate::workload::staged;

/// How far what is committed has come.
pub(super) struct Came {
    pub(super) revision: Option<i64>,
    pub(super) stable: Option<jiuzhou_api::text::ContentDigest>,
    pub(super) rollout: Option<api::RolloutProgress>,
}

pub(super) fn came(
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
pub(super) fn phase(gathered: &Gathered<'_>, step: &Step, parts: &[Part]) -> Option<(ControllerReason, String)> {
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
pub(super) fn told_phase(gathered: &Gathered<'_>, built: &Built, parts: &[Part]) -> Option<(ControllerReason, String)> {
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
pub(super) fn stage(gathered: &Gathered<'_>, built: &Built) -> Option<String> {
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

/// Clusters that have the committed revision and are well with it; `None` while one was not looked at or is silent.
pub(super) fn updated(gathered: &Gathered<'_>, built: &Built) -> Option<i32> {
    let placement = gathered.placement?;
    let mut placed = placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0);
    // A silent member has not said how it stands now.
    let said = |name: &str| gathered.reports.contains_key(name) && !gathered.state.is_unreachable(name);
    let looked = built.present && placed.all(|cluster| said(&cluster.name));
    looked.then(|| count(built.health.values().filter(|health| **health == Health::Well).count()))
}
