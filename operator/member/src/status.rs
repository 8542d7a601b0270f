//! The status of a delivery from what was seen of its objects: counts, and one reason for each condition.
//!
//! The most serious thing is the reason, its object is named, and times change only when a condition does: a status that
//! says the same is the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, DeliveryStatus, ObjectObservation, ObjectState};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::apply::Silent;
use crate::namespace::Ground;

/// What happened on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// Objects of the order.
    pub(crate) objects: Vec<ObjectObservation>,
    /// Objects that are to go, or that nobody ordered anything about.
    pub(crate) left: Vec<ObjectObservation>,
    /// The order may start nothing new any more.
    pub(crate) expired: bool,
    /// Something that concerns the whole order.
    whole: Option<(ControllerReason, String)>,
    /// The namespace is another's.
    foreign: Option<String>,
    known: Vec<ObjectObservation>,
}

impl Course {
    pub(crate) fn new(recorded: &DeliveryStatus) -> Self {
        Self { known: recorded.objects.clone(), ..Self::default() }
    }

    /// The whole order is refused.
    pub(crate) fn refuse(&mut self, why: String) {
        self.whole = Some((ControllerReason::DeliveryRefused, why));
    }

    /// A newer order was carried out before.
    pub(crate) fn superseded(&mut self, done: i64) {
        let why = format!("an order of epoch {done} was carried out before");
        self.whole = Some((ControllerReason::OrderSuperseded, why));
    }

    /// The member does not answer, or we held back; the first reason stays.
    pub(crate) fn silent(&mut self, silent: Silent) {
        self.whole.get_or_insert(match silent {
            Silent::Member(why) => (ControllerReason::MemberUnreachable, why),
            Silent::Held(why) => (ControllerReason::DeliveryInProgress, why),
        });
    }

    /// Whether nothing more is tried.
    pub(crate) fn is_silent(&self) -> bool {
        self.whole.is_some()
    }

    /// Nothing can be put into the namespace.
    pub(crate) fn no_ground(&mut self, namespace: &str, ground: &Ground) {
        let (reason, why) = match ground {
            Ground::Ready => return,
            Ground::Foreign(owner) if owner.is_empty() => {
                let why =
                    format!("namespace {namespace} was there before; its administrator has not given it to the tenant");
                self.foreign = Some(why.clone());
                (ControllerReason::DeliveryRefused, why)
            }
            Ground::Foreign(owner) => {
                let why = format!("namespace {namespace} belongs to tenant {owner}");
                self.foreign = Some(why.clone());
                (ControllerReason::DeliveryRefused, why)
            }
            Ground::Going => (ControllerReason::DeliveryRefused, format!("namespace {namespace} is being deleted")),
            Ground::Refused(words) => (ControllerReason::DeliveryRefused, words.clone()),
            Ground::Late => (ControllerReason::OrderExpired, format!("namespace {namespace} is not there")),
        };
        self.whole = Some((reason, why));
    }
}

/// Puts the status together.
pub(crate) fn compose(
    spec: &DeliverySpec,
    recorded: &DeliveryStatus,
    course: Course,
    now: Timestamp,
) -> DeliveryStatus {
    let Course { mut objects, left, expired, whole, foreign, known } = course;
    if objects.is_empty() && left.is_empty() {
        objects = known; // nothing was looked at, so nothing new is known
    }
    let ordered = objects.len();
    let names: BTreeSet<String> = objects.iter().map(|one| one.name.to_string()).collect();
    objects.extend(left.into_iter().filter(|one| !names.contains(&*one.name)));
    let stopped = whole.is_some();
    let verdict = whole.unwrap_or_else(|| verdict(spec, &objects, ordered, expired));
    let own = || objects.iter().take(ordered);
    let sum = |of: fn(&ObjectObservation) -> Option<i32>, counts: fn(&ObjectObservation) -> bool| {
        let parts: Option<Vec<i32>> = own().filter(|one| counts(one)).map(of).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| parts.into_iter().fold(0, i32::saturating_add))
    };
    // An object counts when it has replicas at all; one that is unknown makes the sum unknown.
    let has = |one: &ObjectObservation| one.wanted.is_some() || one.present.is_some();
    let (present, ready) = (sum(|one| one.present, has), sum(|one| one.ready, has));
    let whole = verdict.0 == ControllerReason::AsWanted;
    let carried_out = whole
        || own().all(|one| !matches!(one.state, ObjectState::Waiting | ObjectState::Refused | ObjectState::Conflict));
    let silent = verdict.0 == ControllerReason::MemberUnreachable;
    let refused = matches!(
        verdict.0,
        ControllerReason::DeliveryRefused | ControllerReason::OrderSuperseded | ControllerReason::OrderExpired
    );
    let going = matches!(verdict.0, ControllerReason::DeliveryInProgress | ControllerReason::Removing);
    // What neither is well nor goes on by itself needs a person: a failed or drifted object as much as a refused one.
    let stalled = !(whole || going || silent);
    let mut conditions = recorded.conditions.clone();
    let ready_is = if silent {
        "Unknown"
    } else if whole {
        "True"
    } else {
        "False"
    };
    set(&mut conditions, ConditionType::Ready, Some(ready_is), &verdict, now);
    set(&mut conditions, ConditionType::Reconciling, going.then_some("True"), &verdict, now);
    set(&mut conditions, ConditionType::Stalled, stalled.then_some("True"), &verdict, now);
    let why = (ControllerReason::DeliveryRefused, foreign.clone().unwrap_or_default());
    if !silent {
        set(&mut conditions, ConditionType::NamespaceConflict, foreign.map(|_| "True"), &why, now);
    }
    DeliveryStatus {
        observed_generation: recorded.observed_generation,
        epoch: if carried_out && !stopped && !refused { Some(spec.epoch) } else { recorded.epoch },
        objects,
        present: if silent { None } else { present },
        ready: if silent { None } else { ready },
        conditions,
    }
}

/// The most serious thing about the objects.
fn verdict(
    spec: &DeliverySpec,
    objects: &[ObjectObservation],
    ordered: usize,
    expired: bool,
) -> (ControllerReason, String) {
    use ControllerReason as Why;
    let first = |states: &[ObjectState]| objects.iter().find(|one| states.contains(&one.state));
    let told = |one: &ObjectObservation| match &one.message {
        Some(message) => format!("{}: {}", one.name, &**message),
        None => format!("{} is {:?}", one.name, one.state),
    };
    if let Some(one) = first(&[ObjectState::Refused, ObjectState::Conflict]) {
        return (Why::DeliveryRefused, told(one));
    }
    let removing = spec.state != DeliveryState::Present;
    if removing {
        let open = objects.iter().take(ordered).find(|one| one.state != ObjectState::Gone);
        return open.map_or((Why::AsWanted, String::new()), |one| (Why::Removing, told(one)));
    }
    if let Some(one) = first(&[ObjectState::Failed]) {
        return (Why::ObjectFailed, told(one));
    }
    if let Some(one) = first(&[ObjectState::Drifted]) {
        return (Why::Drifted, told(one));
    }
    let own = objects.iter().take(ordered);
    if let Some(one) = own.clone().find(|one| one.state == ObjectState::Waiting).filter(|_| expired) {
        return (Why::OrderExpired, told(one));
    }
    let mut open = own.filter(|one| !matches!(one.state, ObjectState::Ready | ObjectState::Finished));
    if let Some(one) = open.next() {
        return (Why::DeliveryInProgress, told(one));
    }
    let ordered_away = objects.iter().skip(ordered).find(|one| {
        let named = one.identity.as_ref().is_some_and(|identity| spec.removing.contains(identity));
        named && one.state != ObjectState::Gone
    });
    ordered_away.map_or((Why::AsWanted, String::new()), |one| (Why::Removing, told(one)))
}

/// Sets a condition, or takes it away. The time of transition moves only with the status.
fn set(
    conditions: &mut Vec<Condition>,
    kind: ConditionType,
    status: Option<&str>,
    (reason, message): &(ControllerReason, String),
    now: Timestamp,
) {
    let before = conditions.iter().position(|condition| condition.type_ == kind.as_str());
    let Some(status) = status else {
        before.map(|index| conditions.remove(index));
        return;
    };
    let since = before.and_then(|index| conditions.get(index)).filter(|condition| condition.status == status);
    let condition = Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.chars().take(1024).collect(),
        last_transition_time: since.map_or(Time(now), |condition| condition.last_transition_time.clone()),
        observed_generation: None,
    };
    match before.and_then(|index| conditions.get_mut(index)) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::ObjectIdentity;

    use super::*;

    fn one(name: &str, state: ObjectState) -> ObjectObservation {
        ObjectObservation { name: name.into(), state, ..ObjectObservation::default() }
    }

    fn status_of(objects: Vec<ObjectObservation>) -> DeliveryStatus {
        let course = Course { objects, ..Course::default() };
        compose(&DeliverySpec { epoch: 7, ..DeliverySpec::default() }, &DeliveryStatus::default(), course, at(0))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn says(status: &DeliveryStatus, kind: &str) -> Option<(String, String)> {
        let found = status.conditions.iter().find(|condition| condition.type_ == kind)?;
        Some((found.status.clone(), found.reason.clone()))
    }

    #[test]
    fn the_most_serious_state_is_the_reason() {
        use ObjectState::{Applied, Conflict, Drifted, Failed, Finished, Ready, Waiting};
        let table = [
            (vec![Ready, Finished], "True", "AsWanted", true),
            (vec![Ready, Applied], "False", "DeliveryInProgress", true),
            (vec![Waiting, Ready], "False", "DeliveryInProgress", false),
            (vec![Drifted, Applied], "False", "Drifted", true),
            (vec![Drifted, Failed], "False", "ObjectFailed", true),
            (vec![Conflict, Failed], "False", "DeliveryRefused", false),
        ];
        for (states, ready, reason, carried_out) in table {
            let objects = states.iter().enumerate().map(|(index, state)| one(&format!("o{index}"), *state)).collect();
            let status = status_of(objects);
            assert_eq!(says(&status, "Ready"), Some((ready.into(), reason.into())), "{states:?}");
            assert_eq!(status.epoch, carried_out.then_some(7), "{states:?}");
            let other = match reason {
                "AsWanted" => (None, None),
                "DeliveryInProgress" => (says(&status, "Reconciling"), None),
                _ => (None, says(&status, "Stalled")),
            };
            assert_eq!((says(&status, "Reconciling"), says(&status, "Stalled")), other, "{states:?}");
        }
    }

    #[test]
    fn one_unknown_count_makes_the_sum_unknown() {
        let counted = |name: &str, present: Option<i32>| ObjectObservation {
            wanted: Some(2),
            present,
            ready: Some(1),
            ..one(name, ObjectState::Ready)
        };
        let config = one("config", ObjectState::Ready);
        let known = status_of(vec![counted("a", Some(2)), counted("b", Some(3)), config.clone()]);
        assert_eq!((known.present, known.ready), (Some(5), Some(2)));
        let unknown = status_of(vec![counted("a", Some(2)), counted("b", None), config.clone()]);
        assert_eq!((unknown.present, unknown.ready), (None, Some(2)));
        assert_eq!(status_of(vec![config]).present, None, "nothing with replicas is not zero replicas");
    }

    #[test]
    fn silence_leaves_what_was_known_and_says_unknown() {
        let before = DeliveryStatus { epoch: Some(6), ..status_of(vec![one("a", ObjectState::Ready)]) };
        let mut course = Course::new(&before);
        course.silent(Silent::Member("no answer".into()));
        course.silent(Silent::Held("later".into()));
        let status = compose(&DeliverySpec { epoch: 7, ..DeliverySpec::default() }, &before, course, at(9));
        assert_eq!(status.objects, before.objects);
        assert_eq!((status.epoch, status.present), (Some(6), None));
        assert_eq!(says(&status, "Ready"), Some(("Unknown".into(), "MemberUnreachable".into())));
        assert_eq!(status.conditions[0].message, "no answer");
    }

    #[test]
    fn a_status_that_says_the_same_is_the_same() {
        let spec = DeliverySpec { epoch: 7, ..DeliverySpec::default() };
        let first = status_of(vec![one("a", ObjectState::Applied)]);
        let again = |state| Course { objects: vec![one("a", state)], ..Course::default() };
        assert_eq!(compose(&spec, &first, again(ObjectState::Applied), at(60)), first);
        let other = compose(&spec, &first, again(ObjectState::Ready), at(60));
        assert_eq!(other.conditions[0].last_transition_time, Time(at(60)));
        assert_eq!(says(&other, "Reconciling"), None);
    }

    #[test]
    fn an_ordered_removal_is_open_until_it_is_proven() {
        let identity = ObjectIdentity { uid: "u".into(), ..ObjectIdentity::default() };
        let spec = DeliverySpec { removing: vec![identity.clone()], ..DeliverySpec::default() };
        let with = |state| {
            let gone = ObjectObservation { identity: Some(identity.clone()), ..one("old", state) };
            let course = Course { objects: vec![one("a", ObjectState::Ready)], left: vec![gone], ..Course::default() };
            compose(&spec, &DeliveryStatus::default(), course, at(0))
        };
        assert_eq!(says(&with(ObjectState::Removing), "Ready"), Some(("False".into(), "Removing".into())));
        assert_eq!(says(&with(ObjectState::Gone), "Ready"), Some(("True".into(), "AsWanted".into())));
    }
}
