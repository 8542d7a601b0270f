//! The one reason for the state of a workload: the first that holds.
//!
//! It is being removed, it cannot be decided on, it has no place, it runs against a rule, a member refused it, a member is
//! silent, it is on its way, all is as wanted.

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_engine::decide::input::OnExpiry;
use jiuzhou_engine::decide::{Decision, Rule, Status, Violation, demanded_tier};
use jiuzhou_engine::terms::Reason;
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;

use super::part::Part;
use super::rollout::told_phase;
use super::{ran_out, wanted};
use crate::select::left;
use crate::workload::build::Built;
use crate::workload::conditions::Standing;
use crate::workload::dereference::{Deletion, Gathered, Held};
use crate::workload::halted;
use crate::workload::validate::obstacle;

/// Clusters that a sentence names.
pub(super) const LISTED_MOST: usize = 3;

/// A reason of the engine as a standing, with what would help.
pub(super) fn of_reason(reason: &Reason, ready: bool) -> Standing {
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
pub(super) fn of_held(gathered: &Gathered<'_>, held: &Held, standing: Standing) -> Standing {
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
pub(super) fn standing(gathered: &Gathered<'_>, built: &Built, parts: &[Part], now: Timestamp) -> Standing {
    let wanted = wanted(gathered, parts);
    let ready = parts.iter().filter_map(|part| part.ready).map(i64::from).fold(0_i64, i64::saturating_add);
    let of = |reason: ControllerReason, object: &str| Standing::new(false, reason.as_str(), object, ready, wanted);
    if gathered.behind {
        return of(ControllerReason::EpochBehind, "");
    }
    if let Some(freeze) = gathered.frozen {
        let until = freeze.term.until.map(|until| format!(" ({until})")).unwrap_or_default();
        return of(ControllerReason::WaitingForFreeze, &format!("{}{until}", freeze.name));
    }
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
    if let Some(order) = &built.stopped {
        return stopped(gathered, built, parts, order);
    }
    if let Some(command) = &gathered.held_move {
        return of(ControllerReason::WaitingForApproval, command);
    }
    if let Some(decision) = gathered.decision
        && let Some(standing) = undecided(gathered, decision, (ready, wanted), now)
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
        // What is left in a member that is silent goes when it answers; nobody waits for that.
        let concerned = |part: &&Part| part.wanted > 0 || !gathered.is_given_up(&part.name);
        let troubles = parts.iter().filter(concerned).filter_map(|part| part.trouble.as_ref());
        troubles.into_iter().find(|(one, _)| *one == reason).map(|(_, words)| words.as_str())
    };
    for reason in [
        ControllerReason::SpecInvalid,
        ControllerReason::DeliveryRefused,
        ControllerReason::UnhealthyEverywhere,
        ControllerReason::StateNotCarried,
        ControllerReason::ApplicationUnhealthy,
        ControllerReason::ObjectFailed,
        ControllerReason::MayHaveRun,
        ControllerReason::RunInterrupted,
        ControllerReason::OutcomeUnknown,
        ControllerReason::FenceUnavailable,
        ControllerReason::DataNotReplicated,
        ControllerReason::FailoverManual,
        ControllerReason::StormBrake,
        ControllerReason::FailoverWaiting,
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

/// A workload that an order stops: what of it is left, or that nothing is.
fn stopped(gathered: &Gathered<'_>, built: &Built, parts: &[Part], order: &str) -> Standing {
    let report = |part: &Part| gathered.reports.get(&part.name).and_then(Option::as_ref);
    let pods = parts.iter().filter_map(|part| halted::left(built, &part.name, report(part))).sum();
    let of = |reason: ControllerReason, object: &str| Standing::new(false, reason.as_str(), object, pods, 0);
    let open = |wanted: ControllerReason| {
        let of_it = parts.iter().filter_map(|part| part.trouble.as_ref()).filter(move |(reason, _)| *reason == wanted);
        of_it.map(|(_, words)| words.as_str()).collect::<Vec<_>>()
    };
    let unrendered = open(ControllerReason::SpecInvalid);
    if !unrendered.is_empty() {
        return of(ControllerReason::SpecInvalid, &format!("{order}; {}", listed(&unrendered)));
    }
    let left = open(ControllerReason::Stopping);
    if left.is_empty() {
        return of(ControllerReason::Stopped, order);
    }
    let standing = of(ControllerReason::Stopping, &format!("{order} ({})", listed(&left)));
    // What runs on in spite of the order does not end by itself.
    if built.run_on.is_empty() { standing.progressing() } else { standing }
}

/// The first few of many, and how many more there are.
pub(super) fn listed(all: &[&str]) -> String {
    let more = all.len().saturating_sub(LISTED_MOST);
    let first = all.iter().take(LISTED_MOST).copied().collect::<Vec<_>>().join("; ");
    if more == 0 { first } else { format!("{first}; +{more}") }
}

/// The same with the cluster that comes nearest and what would help there. While nobody has looked, what is written of the
/// same reason stays, so that a restart changes no word.
fn with_nearest(gathered: &Gathered<'_>, standing: Standing) -> Standing {
    match gathered.nearest {
        Some(Some(nearest)) => {
            let said = |plain: &str, lang| format!("{plain} {}", sentences::nearest(nearest, lang));
            Standing { en: said(&standing.en, Lang::En), zh: said(&standing.zh, Lang::Zh), ..standing }
        }
        Some(None) => standing,
        None => {
            let written = gathered.workload.and_then(|workload| workload.status.as_ref());
            let (en, zh) = written
                .filter(|written| written.reason.as_deref() == Some(standing.reason.as_str()))
                .map_or((None, None), |written| (written.message_en.as_deref(), written.message_zh.as_deref()));
            let kept = |plain: &str, written: Option<&str>| {
                written.filter(|written| written.starts_with(plain)).unwrap_or(plain).to_owned()
            };
            Standing { en: kept(&standing.en, en), zh: kept(&standing.zh, zh), ..standing }
        }
    }
}

/// Until when what runs has to have left, where its tier says that it moves: so long after its documents ran out.
fn moves_until(gathered: &Gathered<'_>, violation: &Violation, decision: &Decision) -> Option<Timestamp> {
    let tier = demanded_tier(gathered.state.snapshot(), &gathered.spec?.requirement)?;
    let OnExpiry::Move { within_seconds } = tier.on_expiry else { return None };
    let since = ran_out(gathered, &violation.cluster, decision).filter(|_| violation.rule == Rule::Tier)?;
    since.checked_add(SignedDuration::from_secs(within_seconds)).ok()
}

/// When the sentence becomes another by the clock alone: the time to move is over.
pub(super) fn deadline(gathered: &Gathered<'_>) -> Option<Timestamp> {
    let decision = gathered.decision?;
    moves_until(gathered, decision.violations.first()?, decision)
}

/// What a decision says against it being ready; `None` when everything has a place by the rules.
fn undecided(
    gathered: &Gathered<'_>,
    decision: &Decision,
    (ready, wanted): (i64, i64),
    now: Timestamp,
) -> Option<Standing> {
    if let Some(violation) = decision.violations.first()
        && let Some(reason) = violation.reasons.first()
    {
        let why = of_reason(reason, false);
        let due = moves_until(gathered, violation, decision);
        let told = |lang, why: &str| {
            let due = due.map(|until| format!(" {}", sentences::move_until(until, until <= now, lang)));
            let object = format!("{}: {why}{}", violation.cluster, due.unwrap_or_default());
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
        Some(limit) => with_nearest(gathered, of_reason(limit, false)),
        None if placed => Standing::new(false, ControllerReason::PartlyPlaced.as_str(), "", ready, wanted),
        None => Standing::new(false, ControllerReason::NoClusterFits.as_str(), "", ready, wanted),
    })
}
