//! The fence around what a tenant may use in one namespace of a member: a ResourceQuota, and defaults for pods that say
//! nothing.
//!
//! The ledger of the hub divides a grant; the fence holds if anybody else creates pods there, so that a tenant cannot
//! take more of one member than it was granted everywhere. It is never lower than what is in use: a grant that ends stops
//! what is new by the hub's decision, and must not keep a pod that was evicted from coming back.

use jiuzhou_api::meta;
use jiuzhou_api::text::Resources;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::quantity::Quantity;
use serde_json::{Map, Value, json};

use crate::call::{Caller, How};
use crate::kinds::Kinds;
use crate::namespace::place;
use crate::words::Refusal;

/// Name of our ResourceQuota and our LimitRange in a namespace.
pub(crate) const NAME: &str = "jiuzhou";

/// Brings the fence up to date. Without a grant there is none, and one that stands stays.
pub(crate) async fn fence(
    caller: &Caller<'_>,
    kinds: &Kinds,
    (namespace, tenant): (&str, &str),
    granted: &Resources,
) -> Result<(), Refusal> {
    let hard = hard(granted);
    if hard.is_empty() {
        return Ok(());
    }
    if hard.contains_key("requests.cpu") || hard.contains_key("requests.memory") {
        defaults(caller, kinds, namespace, tenant).await?;
    }
    let place = place(caller, kinds, "v1", "ResourceQuota", namespace, NAME).await?;
    let live = caller.get(&place).await?;
    let Some(live) = live else {
        return caller.create(&place, &quota(namespace, tenant, &hard)).await.map(drop);
    };
    if Object::new(&live).labels().get(meta::LABEL_TENANT).map(String::as_str) != Some(tenant) {
        return Err(Refusal::Refused(format!("ResourceQuota {NAME} of namespace {namespace} is not ours")));
    }
    let hard = not_below_use(hard, &live["status"]["used"]);
    if same(&hard, &live["spec"]["hard"]) {
        return Ok(());
    }
    let mut wanted = quota(namespace, tenant, &hard);
    wanted["metadata"]["uid"] = live["metadata"]["uid"].clone();
    caller.apply(&place, &wanted, How { force: true, dry_run: false }).await.map(drop)
}

/// A quota on requests refuses pods that state none: to those the least is given, which changes nothing for them.
async fn defaults(caller: &Caller<'_>, kinds: &Kinds, namespace: &str, tenant: &str) -> Result<(), Refusal> {
    let place = place(caller, kinds, "v1", "LimitRange", namespace, NAME).await?;
    if caller.get(&place).await?.is_some() {
        return Ok(());
    }
    let range = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": metadata(namespace, tenant),
        "spec": { "limits": [{ "type": "Container", "defaultRequest": { "cpu": "0", "memory": "0" } }] },
    });
    caller.create(&place, &range).await.map(drop)
}

fn metadata(namespace: &str, tenant: &str) -> Value {
    let labels = json!({ meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_TENANT: tenant });
    json!({ "name": NAME, "namespace": namespace, "labels": labels })
}

fn quota(namespace: &str, tenant: &str, hard: &Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata(namespace, tenant), "spec": { "hard": hard },
    })
}

/// What a container asks for is a request; pods are counted as they are.
fn hard(granted: &Resources) -> Map<String, Value> {
    let name = |resource: &str| match resource {
        "pods" => resource.to_owned(),
        _ => format!("requests.{resource}"),
    };
    granted.iter().map(|(resource, amount)| (name(resource), json!(amount.0))).collect()
}

/// The amount, however it is written.
fn quantity(value: &Value) -> Option<i128> {
    Some(Quantity::parse(value.as_str()?).ok()?.nanos())
}

fn not_below_use(mut hard: Map<String, Value>, used: &Value) -> Map<String, Value> {
    for (resource, limit) in &mut hard {
        let used = &used[resource];
        if let (Some(wanted), Some(now)) = (quantity(limit), quantity(used))
            && now > wanted
        {
            *limit = used.clone();
        }
    }
    hard
}

/// An API server spells amounts its own way: 1000m is 1.
fn same(wanted: &Map<String, Value>, live: &Value) -> bool {
    let Some(live) = live.as_object() else { return false };
    wanted.len() == live.len()
        && wanted.iter().all(|(resource, amount)| {
            live.get(resource)
                .is_some_and(|now| now == amount || quantity(now).is_some_and(|now| Some(now) == quantity(amount)))
        })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

    use super::*;

    fn granted(amounts: &[(&str, &str)]) -> Map<String, Value> {
        hard(&Resources(amounts.iter().map(|(name, text)| ((*name).to_owned(), Amount((*text).to_owned()))).collect()))
    }

    #[test]
    fn a_grant_is_a_fence_of_requests() {
        let made = granted(&[("cpu", "8"), ("huawei.com/Ascend910", "2"), ("pods", "100")]);
        let want = json!({ "requests.cpu": "8", "requests.huawei.com/Ascend910": "2", "pods": "100" });
        assert_eq!(Value::Object(made), want);
        assert!(granted(&[]).is_empty());
    }

    #[test]
    fn a_fence_is_not_below_what_is_used_and_spelling_is_no_difference() {
        let used = json!({ "requests.cpu": "6", "pods": "3" });
        let lowered = not_below_use(granted(&[("cpu", "4"), ("pods", "100")]), &used);
        assert_eq!((&lowered["requests.cpu"], &lowered["pods"]), (&json!("6"), &json!("100")));
        let live = json!({ "requests.cpu": "4", "requests.memory": "1Gi" });
        assert!(same(&granted(&[("cpu", "4000m"), ("memory", "1024Mi")]), &live));
        assert!(!same(&granted(&[("cpu", "4000m")]), &live), "one resource is limited no more");
        assert!(!same(&granted(&[("cpu", "5"), ("memory", "1Gi")]), &live));
    }
}
