//! A tenant leaves: its namespace in a member goes when nothing of anybody is in it any more.
//!
//! Our account may not list what is not ours, least of all Secrets. So the member itself is asked to count: a second
//! ResourceQuota counts every kind that can be made in the namespace, with what a fresh one holds as its limit. From then
//! on nothing new can be made there, and when the member says that it holds no more than a fresh one, that is proof, not
//! a guess. What is more than that is told by number, and everything stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::DeliverySpec;
use jiuzhou_objects::object::Object;
use kube::discovery::{Discovery, Scope, verbs};
use serde_json::{Map, Value, json};

use crate::call::{Caller, How, Place};
use crate::member::Member;
use crate::namespace::place;
use crate::words::{Censor, Refusal};

/// Name of the ResourceQuota that counts.
const COUNT: &str = "jiuzhou-leaving";
/// What comes and goes by itself, follows from something else, or is a limit and no content.
const NO_CONTENT: [&str; 6] =
    ["events", "events.events.k8s.io", "endpoints", "endpointslices.discovery.k8s.io", "limitranges", "resourcequotas"];

/// How a namespace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vacated {
    /// It is not there.
    Gone,
    /// It is being deleted, or is being counted: ask again.
    OnItsWay,
    /// It was never made by us: it stays its owner's.
    NotOurs,
    /// It holds what is not ours, by resource; it stays.
    Holds(BTreeMap<String, i64>),
}

/// Sees to the namespace of an order that lets its tenant go. Deletes it when it is proven empty.
///
/// # Errors
/// The member's words; nothing is known then.
pub async fn vacate(member: &Member, order: &DeliverySpec) -> Result<Vacated, String> {
    let censor = Censor::default();
    let witness = member.witness.as_deref().map(|witness| (witness, order));
    let caller = Caller { client: member.client.clone(), limit: member.limit, censor: &censor, witness };
    seen_to(member, &caller, order).await.map_err(|refusal| match refusal {
        Refusal::Silence(why)
        | Refusal::Held(why)
        | Refusal::Forbidden(why)
        | Refusal::Refused(why)
        | Refusal::Immutable(why) => why,
        Refusal::Fields(fields) => fields.join("; "),
        Refusal::NotFound => "the member says 404".to_owned(),
        Refusal::Changed => "it changed at the same moment".to_owned(),
    })
}

async fn seen_to(member: &Member, caller: &Caller<'_>, order: &DeliverySpec) -> Result<Vacated, Refusal> {
    let (namespace, kinds) = (&*order.workload.namespace, &*member.kinds);
    let ground = place(caller, kinds, "v1", "Namespace", "", namespace).await?;
    let Some(live) = caller.get(&ground).await? else { return Ok(Vacated::Gone) };
    let labels = Object::new(&live).labels();
    let is = |label: &str, value: &str| labels.get(label).map(String::as_str) == Some(value);
    if !is(meta::LABEL_TENANT, &order.tenant) || !is(meta::LABEL_MANAGED_BY, meta::MANAGED_BY) {
        return Ok(Vacated::NotOurs);
    }
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Ok(Vacated::OnItsWay);
    }
    let binding =
        place(caller, kinds, "rbac.authorization.k8s.io/v1", "RoleBinding", namespace, meta::TENANT_ROLE).await?;
    let bound = caller.get(&binding).await?.is_some();
    let fresh = fresh(&countable(caller).await?, bound);
    let counter = place(caller, kinds, "v1", "ResourceQuota", namespace, COUNT).await?;
    match count(caller, &counter, order, &fresh).await? {
        None => Ok(Vacated::OnItsWay),
        Some((more, _)) if more.is_empty() => {
            caller.delete(&ground, &live, false).await?;
            Ok(Vacated::OnItsWay)
        }
        Some((more, quota)) => {
            // Whoever still uses the namespace goes on as before.
            caller.delete(&counter, &quota, false).await?;
            Ok(Vacated::Holds(more))
        }
    }
}

/// What is more than in a fresh namespace, with the quota that says so; `None` while the member has not counted yet.
async fn count(
    caller: &Caller<'_>,
    place: &Place,
    order: &DeliverySpec,
    fresh: &Map<String, Value>,
) -> Result<Option<(BTreeMap<String, i64>, Value)>, Refusal> {
    let labels = json!({ meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_TENANT: order.tenant });
    let wanted = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": COUNT, "namespace": order.workload.namespace, "labels": labels },
        "spec": { "hard": fresh },
    });
    let Some(live) = caller.get(place).await? else {
        return caller.create(place, &wanted).await.map(|_| None);
    };
    if live["spec"]["hard"] != Value::Object(fresh.clone()) {
        return caller.apply(place, &wanted, How { force: true, dry_run: false }).await.map(|_| None);
    }
    Ok(more(fresh, &live["status"]).map(|more| (more, live)))
}

/// Compares what the member counted; `None` while it has not counted all of it.
fn more(fresh: &Map<String, Value>, status: &Value) -> Option<BTreeMap<String, i64>> {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    let mut more = BTreeMap::new();
    for (resource, limit) in fresh {
        if status["hard"][resource] != *limit {
            return None;
        }
        let (used, limit) = (number(&status["used"][resource])?, number(limit)?);
        if used > limit {
            more.insert(resource.trim_start_matches("count/").to_owned(), used - limit);
        }
    }
    Some(more)
}

/// Every kind that can be made in a namespace, as a quota counts it.
async fn countable(caller: &Caller<'_>) -> Result<BTreeSet<String>, Refusal> {
    let client = &caller.client;
    let found = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(found) => found,
        // Before Kubernetes 1.26, group by group.
        Err(_) => {
            let found = Discovery::new(client.clone()).run().await;
            found.map_err(|error| Refusal::of(&error, false, caller.censor))?
        }
    };
    let mut countable = BTreeSet::new();
    for (resource, capabilities) in found.groups().flat_map(kube::discovery::ApiGroup::resources_by_stability) {
        let kept = capabilities.supports_operation(verbs::CREATE) && capabilities.supports_operation(verbs::LIST);
        if capabilities.scope == Scope::Namespaced && kept {
            let group = if resource.group.is_empty() { String::new() } else { format!(".{}", resource.group) };
            countable.insert(format!("{}{group}", resource.plural));
        }
    }
    Ok(countable)
}

/// What a namespace holds in which nobody made anything: what Kubernetes puts there, and our one binding.
fn fresh(countable: &BTreeSet<String>, bound: bool) -> Map<String, Value> {
    let content = countable.iter().filter(|resource| !NO_CONTENT.contains(&resource.as_str()));
    let number = |resource: &str| match resource {
        "serviceaccounts" | "configmaps" => "1",
        "rolebindings.rbac.authorization.k8s.io" if bound => "1",
        _ => "0",
    };
    content.map(|resource| (format!("count/{resource}"), json!(number(resource)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources() -> BTreeSet<String> {
        let all = ["configmaps", "secrets", "serviceaccounts", "events", "rolebindings.rbac.authorization.k8s.io"];
        all.map(str::to_owned).into()
    }

    #[test]
    fn a_fresh_namespace_holds_what_kubernetes_puts_there_and_our_binding() {
        let fresh = fresh(&resources(), true);
        assert_eq!(
            Value::Object(fresh),
            json!({ "count/configmaps": "1", "count/secrets": "0", "count/serviceaccounts": "1",
                "count/rolebindings.rbac.authorization.k8s.io": "1" })
        );
    }

    #[test]
    fn empty_is_only_what_was_counted_whole() {
        let fresh = fresh(&resources(), false);
        let hard = Value::Object(fresh.clone());
        let mut used = hard.clone();
        assert_eq!(more(&fresh, &json!({})), None, "not counted yet");
        assert_eq!(more(&fresh, &json!({ "hard": hard, "used": used })), Some(BTreeMap::new()));
        used["count/secrets"] = json!("2");
        let found = more(&fresh, &json!({ "hard": hard, "used": used })).unwrap_or_default();
        assert_eq!(found, BTreeMap::from([("secrets".to_owned(), 2)]));
        used.as_object_mut().map(|used| used.remove("count/secrets"));
        assert_eq!(more(&fresh, &json!({ "hard": hard, "used": used })), None, "a part is no proof");
        let old = json!({ "count/configmaps": "1" });
        assert_eq!(more(&fresh, &json!({ "hard": old, "used": hard })), None, "counted for an older question");
    }
}
