//! What to do about one object: pure, from what is wanted and what is there.
//!
//! Nothing is written where nothing would change. Whether a difference is one in meaning or only in spelling (`1000m`
//! and `1`) is not guessed: [`differences`] finds where they might differ, and the member's own dry run decides.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveredObject, ObjectObservation, ObjectState, OnDrift, OnImmutable};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::{Continuity, Profile};
use serde_json::Value;

/// What is known when it is decided what happens to an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// The object as it is to be, with owner and labels, without epoch, decision and digest.
    pub(crate) wanted: &'a Value,
    /// Digest of what is to be sent.
    pub(crate) digest: &'a str,
    /// The object in the member; `None` when a successful read did not find it.
    pub(crate) live: Option<&'a Value>,
    /// What the order says about it.
    pub(crate) order: &'a DeliveredObject,
    /// What was observed of it before.
    pub(crate) recorded: Option<&'a ObjectObservation>,
    /// Profile of its kind.
    pub(crate) profile: Option<&'a Profile>,
    /// `NAMESPACE/NAME` of its workload.
    pub(crate) owner: &'a str,
    /// Epoch of the order.
    pub(crate) epoch: i64,
    /// The order may start nothing new any more.
    pub(crate) expired: bool,
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is made.
    Create,
    /// It is ours and its content changed.
    Update,
    /// It is ours and unchanged, and seems to differ at these pointers: a dry run tells whether it does.
    Compare(Vec<String>),
    /// Nothing is sent.
    Keep,
    /// It is another's and looks like ours; a dry run tells whether it is identical.
    TakeOver,
    /// It is deleted and made again, as its owner declared; these fields cannot be changed.
    Recreate(Vec<String>),
    /// Nothing is sent, and this is how it stands.
    Stay(ObjectState, String),
}

/// Decides about one object.
pub(crate) fn decide(facts: &Facts<'_>) -> Step {
    let run_once = facts.profile.is_some_and(|profile| profile.continuity == Continuity::RunOnce);
    let known = facts.recorded.filter(|recorded| recorded.identity.is_some());
    let Some(live) = facts.live else {
        return match known {
            _ if facts.expired => Step::Stay(ObjectState::Waiting, "the order is too old to start anything".into()),
            Some(recorded) if run_once => vanished(recorded.state),
            Some(recorded) if facts.order.on_drift == OnDrift::Report && recorded.state != ObjectState::Removing => {
                Step::Stay(ObjectState::Drifted, "it was deleted by another hand".into())
            }
            _ => Step::Create,
        };
    };
    let object = Object::new(live);
    if let Some(whose) = foreign(facts, object) {
        let asked = facts.order.take_over || object.annotation(meta::ANNOTATION_TAKE_OVER) == Some(facts.owner);
        return match (whose, asked) {
            (Whose::Nobody, true) if facts.expired => {
                Step::Stay(ObjectState::Conflict, "the order is too old to take it over".into())
            }
            (Whose::Nobody, true) => Step::TakeOver,
            (Whose::Nobody, false) => {
                Step::Stay(ObjectState::Conflict, "it was there before and nobody asked to take it over".into())
            }
            (Whose::Workload(owner), _) => Step::Stay(ObjectState::Conflict, format!("it belongs to {owner}")),
        };
    }
    if !object.text("/metadata/deletionTimestamp").is_empty() {
        return Step::Stay(ObjectState::Removing, "it is being deleted; it is made again when it is gone".into());
    }
    let theirs = object.annotation(meta::ANNOTATION_EPOCH).and_then(|epoch| epoch.parse::<i64>().ok());
    if let Some(epoch) = theirs.filter(|epoch| *epoch > facts.epoch) {
        let seen = format!("it carries epoch {epoch}, newer than the order's {}", facts.epoch);
        return Step::Stay(ObjectState::Refused, seen);
    }
    let same = object.annotation(meta::ANNOTATION_APPLIED) == Some(facts.digest);
    if same || facts.expired {
        let differ = differences(facts.wanted, live);
        return if differ.is_empty() || facts.expired { Step::Keep } else { Step::Compare(differ) };
    }
    let fixed = immutable(facts, live);
    if fixed.is_empty() || run_once {
        return Step::Update; // what a started Job has stays in it
    }
    recreate(facts, &fixed).unwrap_or_else(|told| Step::Stay(ObjectState::Refused, told))
}

/// Whether an object is made again because fields of it cannot be changed. A claim of storage never is: its data would
/// go with it.
pub(crate) fn recreate(facts: &Facts<'_>, fields: &[String]) -> Result<Step, String> {
    let object = Object::new(facts.wanted);
    let is_claim = object.group().is_empty() && object.kind() == "PersistentVolumeClaim";
    match facts.order.on_immutable {
        OnImmutable::Recreate if !is_claim => Ok(Step::Recreate(fields.to_vec())),
        OnImmutable::Recreate => {
            Err(format!("{} cannot be changed, and a claim of storage is never made again", fields.join(", ")))
        }
        OnImmutable::Refuse => Err(format!("{} cannot be changed", fields.join(", "))),
    }
}

/// A Job that is gone is never made again, whatever became of it.
fn vanished(state: ObjectState) -> Step {
    match state {
        ObjectState::Finished => Step::Stay(ObjectState::Finished, "it finished and was cleaned up".into()),
        ObjectState::Failed => Step::Stay(ObjectState::Failed, "it failed and was cleaned up".into()),
        _ => Step::Stay(ObjectState::Gone, "it was deleted; what runs once is not started again".into()),
    }
}

/// Whose an object is that is not ours.
enum Whose {
    /// No workload's.
    Nobody,
    /// Another workload's.
    Workload(String),
}

fn foreign(facts: &Facts<'_>, object: Object<'_>) -> Option<Whose> {
    match object.annotation(meta::ANNOTATION_OWNER) {
        Some(owner) if owner == facts.owner => None,
        Some(owner) => Some(Whose::Workload(owner.to_owned())),
        // Somebody may have stripped our annotations from what we made; the uid and our fields still tell.
        None => {
            let uid = object.text("/metadata/uid");
            let recorded = facts.recorded.and_then(|recorded| recorded.identity.as_ref());
            let known = recorded.is_some_and(|identity| *identity.uid == *uid);
            (!(known && managed_by_us(object))).then_some(Whose::Nobody)
        }
    }
}

/// Whether fields of an object are ours by server-side apply.
pub(crate) fn managed_by_us(object: Object<'_>) -> bool {
    managers(object.value).any(|entry| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        text("manager") == Some(meta::FIELD_MANAGER) && text("operation") == Some("Apply")
    })
}

/// The entries of `metadata.managedFields`.
pub(crate) fn managers(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten()
}

/// Who else manages the number of replicas, by the profile's path: an autoscaler, or a person.
pub(crate) fn replicas_elsewhere(live: &Value, profile: &Profile) -> Option<(String, String)> {
    let pointer = profile.replicas.as_ref()?.to_string();
    let fields: String = pointer.split('/').skip(1).map(|step| format!("/f:{step}")).collect();
    let theirs = managers(live).find_map(|entry| {
        let manager = entry.get("manager")?.as_str()?;
        let owns = entry.get("fieldsV1")?.pointer(&fields).is_some();
        (owns && manager != meta::FIELD_MANAGER).then(|| manager.to_owned())
    })?;
    Some((theirs, pointer))
}

/// Paths of the profile that cannot be changed and differ.
fn immutable(facts: &Facts<'_>, live: &Value) -> Vec<String> {
    let Some(profile) = facts.profile else { return Vec::new() };
    let mut found = Vec::new();
    for path in &profile.immutable {
        for pointer in path.resolve(facts.wanted) {
            let (wanted, have) = (facts.wanted.pointer(&pointer), live.pointer(&pointer));
            let mut differ = Vec::new();
            within(wanted.unwrap_or(&Value::Null), have.unwrap_or(&Value::Null), &pointer, &mut differ);
            found.extend(differ);
        }
    }
    found
}

/// Pointers at which something wanted is not there as it is wanted. What the member adds is no difference. A place that
/// differs only in spelling may be among them; nothing that differs in meaning is left out.
pub(crate) fn differences(wanted: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    within(wanted, live, "", &mut found);
    found
}

fn within(wanted: &Value, live: &Value, pointer: &str, found: &mut Vec<String>) {
    match (wanted, live) {
        _ if wanted == live => {}
        // An API server leaves out what is empty.
        (wanted, Value::Null) if is_empty(wanted) => {}
        (Value::Object(wanted), Value::Object(live)) => {
            for (key, value) in wanted {
                let step = key.replace('~', "~0").replace('/', "~1");
                within(value, live.get(key).unwrap_or(&Value::Null), &format!("{pointer}/{step}"), found);
            }
        }
        (Value::Array(wanted), Value::Array(live)) => {
            let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
            let by_name = wanted.iter().all(|item| name(item).is_some());
            for (index, item) in wanted.iter().enumerate() {
                let other = match name(item) {
                    Some(own) if by_name => live.iter().find(|other| name(other).as_ref() == Some(&own)),
                    _ if wanted.len() == live.len() => live.get(index),
                    _ => None,
                };
                within(item, other.unwrap_or(&Value::Null), &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
