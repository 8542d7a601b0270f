//! Objects that go, and objects that are let go.
//!
//! Removal names what it removes by uid; anything else under the same name is another object. What is not ours is not
//! touched. Batch by batch in reverse order: the next goes when the one before is proven gone, workloads together with
//! their pods. An object that is let go keeps every field; only our marks and our claim on fields are taken off.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ObjectIdentity, ObjectObservation, ObjectState};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::Profile;
use serde_json::{Map, Value, json};

use crate::apply::{Order, Silent};
use crate::call::Place;
use crate::order::removal_order;
use crate::words::Refusal;
use crate::{drift, pods};

/// What becomes of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are deleted.
    Remove,
    /// They stay, and are no longer ours.
    LetGo,
}

/// Carries a removal out as far as it goes now. Every named object has an observation afterwards.
pub(crate) async fn all(
    order: &Order<'_>,
    objects: &[ObjectIdentity],
    recorded: &[ObjectObservation],
    fate: Fate,
) -> (Vec<ObjectObservation>, Option<Silent>) {
    let mut seen: Vec<ObjectObservation> = Vec::new();
    let mut blocked = false;
    let mut silent = None;
    for batch in removal_order(objects, &order.member.knowledge.profiles) {
        for identity in batch.iter().filter_map(|index| objects.get(*index)) {
            let before = recorded.iter().find(|one| one.identity.as_ref() == Some(identity));
            let state = if silent.is_some() || blocked && fate == Fate::Remove {
                Ok((before.map_or(ObjectState::Waiting, |before| before.state), None))
            } else {
                one(order, identity, fate).await
            };
            match state {
                Ok((state, message)) => seen.push(observation(identity, before, state, message, &seen)),
                Err(why) => {
                    let state = before.map_or(ObjectState::Waiting, |before| before.state);
                    seen.push(observation(identity, before, state, None, &seen));
                    silent = Some(why);
                }
            }
        }
        blocked |= seen.iter().any(|one| !matches!(one.state, ObjectState::Gone | ObjectState::Conflict));
    }
    (seen, silent)
}

fn observation(
    identity: &ObjectIdentity,
    before: Option<&ObjectObservation>,
    state: ObjectState,
    message: Option<String>,
    others: &[ObjectObservation],
) -> ObjectObservation {
    let plain: String = format!("{}-{}", identity.kind, identity.name)
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(56)
        .collect();
    let plain = plain.trim_matches('-').to_owned();
    let taken = |name: &str| others.iter().any(|other| *other.name == *name);
    let mut name = before.map_or(plain.clone(), |before| before.name.to_string());
    let mut number = 1;
    while taken(&name) {
        number += 1;
        name = format!("{plain}-{number}");
    }
    ObjectObservation {
        name: name.into(),
        identity: Some(identity.clone()),
        state,
        applied: before.and_then(|before| before.applied.clone()),
        message: message.map(Into::into),
        ..ObjectObservation::default()
    }
}

type Told = (ObjectState, Option<String>);

async fn one(order: &Order<'_>, identity: &ObjectIdentity, fate: Fate) -> Result<Told, Silent> {
    match attempt(order, identity, fate).await {
        Ok(told) => Ok(told),
        Err(Refusal::Silence(why)) => Err(Silent::Member(why)),
        Err(Refusal::Held(why)) => Err(Silent::Held(why)),
        Err(Refusal::NotFound) => Ok((ObjectState::Removing, None)), // looked at again next time
        Err(Refusal::Changed) => Ok((ObjectState::Waiting, Some("it changed at the same moment".to_owned()))),
        Err(Refusal::Fields(fields)) => Ok((ObjectState::Refused, Some(fields.join("; ")))),
        Err(Refusal::Immutable(words) | Refusal::Forbidden(words) | Refusal::Refused(words)) => {
            Ok((ObjectState::Refused, Some(words)))
        }
    }
}

async fn attempt(order: &Order<'_>, identity: &ObjectIdentity, fate: Fate) -> Result<Told, Refusal> {
    let caller = &order.caller;
    let Some(served) = caller.kind(&order.member.kinds, &identity.api_version, &identity.kind).await? else {
        // A kind that is not served any more may have taken its objects with it, or may be back tomorrow.
        let why = format!("the member does not serve {} {}", identity.api_version, identity.kind);
        return Ok((ObjectState::Refused, Some(why)));
    };
    let namespace = identity.namespace.as_deref().unwrap_or_default();
    if !served.namespaced || namespace != &*order.spec.workload.namespace {
        return Ok((ObjectState::Refused, Some("it is not in the namespace of its workload".to_owned())));
    }
    let place = Place::new(&served, namespace, &identity.name);
    let view = json!({"apiVersion": &*identity.api_version, "kind": &*identity.kind});
    let runs_pods = order.member.knowledge.profiles.of(Object::new(&view)).is_some_and(Profile::runs_pods);
    let Some(live) = caller.get(&place).await? else {
        return gone(order, identity, fate, runs_pods).await;
    };
    let object = Object::new(&live);
    if object.text("/metadata/uid") != &*identity.uid {
        return gone(order, identity, fate, runs_pods).await;
    }
    let owned = object.annotation(meta::ANNOTATION_OWNER);
    let ours = owned == Some(order.owner.as_str()) || owned.is_none() && drift::managed_by_us(object);
    match (ours, fate) {
        (true, _) => {}
        (false, Fate::LetGo) => return Ok((ObjectState::Gone, None)), // not ours, as ordered
        (false, Fate::Remove) => {
            let whose = owned.unwrap_or("nobody we know");
            return Ok((ObjectState::Conflict, Some(format!("it belongs to {whose}"))));
        }
    }
    let newer = object.annotation(meta::ANNOTATION_EPOCH).and_then(|epoch| epoch.parse::<i64>().ok());
    if let Some(epoch) = newer.filter(|epoch| *epoch > order.spec.epoch) {
        let why = format!("it carries epoch {epoch}, newer than the order's {}", order.spec.epoch);
        return Ok((ObjectState::Refused, Some(why)));
    }
    if fate == Fate::LetGo {
        caller.merge(&place, &release(&live)).await?;
        return Ok((ObjectState::Gone, None));
    }
    if !object.text("/metadata/deletionTimestamp").is_empty() {
        return Ok((ObjectState::Removing, held(object)));
    }
    if order.expired {
        return Ok((ObjectState::Waiting, Some("the order is too old to remove anything".to_owned())));
    }
    caller.delete(&place, &live, runs_pods).await?;
    // Often it is gone at once.
    match caller.get(&place).await? {
        Some(live) if Object::new(&live).text("/metadata/uid") == &*identity.uid => {
            Ok((ObjectState::Removing, held(Object::new(&live))))
        }
        _ => gone(order, identity, fate, runs_pods).await,
    }
}

/// What keeps an object that is being deleted.
fn held(object: Object<'_>) -> Option<String> {
    let finalizers = object.value.pointer("/metadata/finalizers").and_then(Value::as_array)?;
    let names: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| format!("waits for {}", names.join(", ")))
}

/// The object is gone; of a workload only when its pods are, those that are ending included.
async fn gone(order: &Order<'_>, identity: &ObjectIdentity, fate: Fate, runs_pods: bool) -> Result<Told, Refusal> {
    if fate == Fate::LetGo || !runs_pods {
        return Ok((ObjectState::Gone, None));
    }
    let left = pods::left(order, identity).await?;
    if left == 0 {
        return Ok((ObjectState::Gone, None));
    }
    Ok((ObjectState::Removing, Some(format!("{left} of its pods are still there"))))
}

/// A patch that takes our marks off and gives our fields up, for exactly the object that was read.
fn release(live: &Value) -> Value {
    let object = Object::new(live);
    let mut labels = Map::new();
    for key in object.labels().keys() {
        let ours =
            key == meta::LABEL_MANAGED_BY && object.labels().get(key).map(String::as_str) == Some(meta::MANAGED_BY);
        if ours || key.starts_with("jiuzhou.dev/") {
            labels.insert(key.clone(), Value::Null);
        }
    }
    let marks = live.pointer("/metadata/annotations").and_then(Value::as_object);
    let annotations: Map<String, Value> = marks
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("jiuzhou.dev/"))
        .map(|(key, _)| (key.clone(), Value::Null))
        .collect();
    let is_ours = |entry: &&Value| entry.get("manager").and_then(Value::as_str) == Some(meta::FIELD_MANAGER);
    let mut kept: Vec<Value> = drift::managers(live).filter(|entry| !is_ours(entry)).cloned().collect();
    if kept.is_empty() {
        kept.push(json!({})); // an empty list would be taken for "unchanged"
    }
    json!({"metadata": {
        "uid": object.text("/metadata/uid"),
        "resourceVersion": object.text("/metadata/resourceVersion"),
        "labels": labels,
        "annotations": annotations,
        "managedFields": kept,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letting_go_takes_our_marks_off_and_nothing_else() {
        let live = json!({"metadata": {"uid": "u", "resourceVersion": "5",
            "labels": {"a": "b", "jiuzhou.dev/workload": "w", "app.kubernetes.io/managed-by": "jiuzhou"},
            "annotations": {"jiuzhou.dev/owner": "n/w", "x": "y"},
            "managedFields": [{"manager": "jiuzhou", "operation": "Apply"}, {"manager": "hpa", "operation": "Update"}]}});
        assert_eq!(
            release(&live),
            json!({"metadata": {"uid": "u", "resourceVersion": "5",
                "labels": {"jiuzhou.dev/workload": null, "app.kubernetes.io/managed-by": null},
                "annotations": {"jiuzhou.dev/owner": null},
                "managedFields": [{"manager": "hpa", "operation": "Update"}]}})
        );
    }

    #[test]
    fn a_made_up_name_is_a_name_and_nobody_elses() {
        let identity = ObjectIdentity { kind: "ConfigMap".into(), name: "a.b".into(), ..ObjectIdentity::default() };
        let first = observation(&identity, None, ObjectState::Gone, None, &[]);
        assert_eq!(&*first.name, "configmap-a-b");
        let second = observation(&identity, None, ObjectState::Gone, None, std::slice::from_ref(&first));
        assert_eq!(&*second.name, "configmap-a-b-2");
    }
}
