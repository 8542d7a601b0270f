//! Conditions as Kubernetes tools read them: Ready, Reconciling and Stalled by the rules of kstatus, and our own beside.
//!
//! A time is that of the last change of a condition's status and never of the last look, so that an unchanged state is
//! an unchanged object.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message that the schema of a condition takes.
const MESSAGE_MOST: usize = 2048;

/// How a state stands: one reason, told in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) ready: bool,
    /// A controller's reason or a code of the engine.
    pub(crate) reason: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    /// Something is on its way and nobody has to do anything.
    pub(crate) progressing: bool,
}

impl Standing {
    /// Told by the sentence of a controller's reason.
    pub(crate) fn new(ready: bool, reason: &str, object: &str, seen: i64, wanted: i64) -> Self {
        let said = |lang| sentences::condition(reason, object, seen, wanted, lang).unwrap_or_else(|| reason.to_owned());
        Self { ready, reason: reason.to_owned(), en: said(Lang::En), zh: said(Lang::Zh), progressing: false }
    }

    /// The same, on its way.
    pub(crate) fn progressing(self) -> Self {
        Self { progressing: true, ..self }
    }
}

/// A condition to be written; the time comes from what is written already.
pub(crate) fn condition(kind: ConditionType, status: bool, reason: &str, message: &str, generation: i64) -> Condition {
    Condition {
        type_: kind.as_str().to_owned(),
        status: if status { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.chars().take(MESSAGE_MOST).collect(),
        observed_generation: Some(generation),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    }
}

/// Ready, and Reconciling or Stalled where it is not: those two are absent where they do not hold, as kstatus wants it.
pub(crate) fn of_standing(standing: &Standing, generation: i64) -> Vec<Condition> {
    let message = format!("{} {}", standing.en, standing.zh);
    let mut ready = condition(ConditionType::Ready, standing.ready, &standing.reason, &message, generation);
    let unseen = is_unseen(&standing.reason);
    if !standing.ready && unseen {
        "Unknown".clone_into(&mut ready.status);
    }
    let mut all = vec![ready];
    if !standing.ready {
        // What nobody sees may be well: it is looked at again, and nobody is told that it failed. Where it waits for a
        // person it stalls all the same.
        let goes_on = standing.progressing || (unseen && !needs_person(&standing.reason));
        let other = if goes_on { ConditionType::Reconciling } else { ConditionType::Stalled };
        all.push(condition(other, true, &standing.reason, &message, generation));
    }
    all
}

/// Whether a reason says that nothing is known, so that Ready is neither true nor false.
fn is_unseen(reason: &str) -> bool {
    let silent = [
        ControllerReason::MemberUnreachable,
        ControllerReason::FailoverWaiting,
        ControllerReason::StormBrake,
        ControllerReason::NotObserved,
    ];
    needs_person(reason) || silent.iter().any(|unseen| unseen.as_str() == reason)
}

/// Whether what is in a member that does not answer waits for a person.
fn needs_person(reason: &str) -> bool {
    let waits =
        [ControllerReason::FenceUnavailable, ControllerReason::FailoverManual, ControllerReason::DataNotReplicated];
    waits.iter().any(|waits| waits.as_str() == reason)
}

/// Gives conditions their times: those of before where the status is the same, else now.
pub(crate) fn dated(mut conditions: Vec<Condition>, before: &[Condition], now: Timestamp) -> Vec<Condition> {
    let to_second = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor);
    let now = Time(now.round(to_second).unwrap_or(now));
    for condition in &mut conditions {
        let known = before.iter().find(|known| known.type_ == condition.type_ && known.status == condition.status);
        // What says itself since when it is so is believed, whenever it was seen.
        let stated =
            (condition.last_transition_time.0 > Timestamp::UNIX_EPOCH).then(|| condition.last_transition_time.clone());
        let since = || stated.unwrap_or_else(|| now.clone());
        condition.last_transition_time = known.map_or_else(since, |known| known.last_transition_time.clone());
    }
    conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reasons of members and reports have their sentences where they are given.
    const NOT_OF_WORKLOADS: &[&str] = &[];

    #[test]
    fn every_reason_of_a_workload_is_told_in_both_languages() {
        let known = [
            "AsWanted",
            "NotObserved",
            "SpecInvalid",
            "NoClusterFits",
            "PartlyPlaced",
            "Violating",
            "WaitingForApproval",
            "WaitingForFreeze",
            "WaitingForDependency",
            "RolloutInProgress",
            "DeliveryInProgress",
            "DeliveryRefused",
            "Drifted",
            "MemberUnreachable",
            "FailoverWaiting",
            "StormBrake",
            "FailoverManual",
            "FenceUnavailable",
            "DataNotReplicated",
            "ObjectFailed",
            "LastCopyKept",
            "Removing",
            "DeletionHeld",
            "EpochBehind",
            "Stopping",
            "Stopped",
            "RunInterrupted",
        ];
        for word in known.iter().filter(|word| !NOT_OF_WORKLOADS.contains(word)) {
            assert!(ControllerReason::ALL.iter().any(|reason| reason.as_str() == *word), "{word} is no reason");
            assert!(sentences::condition(word, "", 0, 0, Lang::Zh).is_some(), "{word} has no sentence");
        }
    }

    #[test]
    fn a_time_moves_with_the_status_and_with_nothing_else() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let (first, later) = (at("2026-11-23T00:00:00.7Z"), at("2026-11-23T01:00:00Z"));
        let ready = |status, reason: &str| vec![condition(ConditionType::Ready, status, reason, "", 1)];
        let one = dated(ready(false, "A"), &[], first);
        assert_eq!(one[0].last_transition_time.0, at("2026-11-23T00:00:00Z"), "whole seconds, as they are written");
        assert_eq!(dated(ready(false, "B"), &one, later)[0].last_transition_time, one[0].last_transition_time);
        assert_eq!(dated(ready(true, "C"), &one, later)[0].last_transition_time.0, later);
    }

    #[test]
    fn what_is_ready_neither_reconciles_nor_stalls() {
        let types = |standing: &Standing| of_standing(standing, 1).into_iter().map(|c| c.type_).collect::<Vec<_>>();
        let standing = Standing::new(true, "AsWanted", "", 3, 3);
        assert_eq!(types(&standing), ["Ready"]);
        let waits = Standing { ready: false, ..standing };
        assert_eq!(types(&waits), ["Ready", "Stalled"]);
        assert_eq!(types(&waits.progressing()), ["Ready", "Reconciling"]);
    }

    #[test]
    fn what_nobody_sees_is_unknown_and_no_failure() {
        let stalls = of_standing(&Standing::new(false, "FenceUnavailable", "kunpeng", 0, 3), 1);
        let said: Vec<_> = stalls.iter().map(|one| (one.type_.as_str(), one.status.as_str())).collect();
        assert_eq!(said, [("Ready", "Unknown"), ("Stalled", "True")], "a person is needed");
        for reason in ["MemberUnreachable", "FailoverWaiting", "StormBrake", "NotObserved"] {
            let all = of_standing(&Standing::new(false, reason, "kunpeng", 0, 3), 1);
            let said: Vec<_> = all.iter().map(|one| (one.type_.as_str(), one.status.as_str())).collect();
            assert_eq!(said, [("Ready", "Unknown"), ("Reconciling", "True")], "{reason}");
        }
    }
}
