//! Pods of a workload that exist in a member, those that are ending included.
//!
//! An object's own count leaves ending pods out, but an ending pod still writes. Pods that have ended for good do not
//! count. A list that is not complete gives no number: unknown is not zero.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::ObjectIdentity;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::render::label_value;
use serde_json::Value;

use crate::apply::Order;
use crate::call::Place;
use crate::words::Refusal;

/// Phases from which a pod never writes again.
const ENDED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// How many pods there are, by the name of their object in the workload.
pub(crate) async fn present(order: &Order<'_>) -> Result<BTreeMap<String, i32>, Refusal> {
    let mut counts = BTreeMap::new();
    for pod in list(order).await? {
        let name = Object::new(&pod).labels().remove(meta::LABEL_OBJECT).unwrap_or_default();
        let count: &mut i32 = counts.entry(name).or_insert(0);
        *count = count.saturating_add(1);
    }
    Ok(counts)
}

/// How many pods are left of an object that is gone. A Pod that is an object itself has none below it.
pub(crate) async fn left(order: &Order<'_>, identity: &ObjectIdentity) -> Result<usize, Refusal> {
    if &*identity.kind == "Pod" {
        return Ok(0);
    }
    // Owned through a ReplicaSet or a Job of a CronJob, so the owner's name only begins with the object's.
    let of_it = |pod: &&Value| {
        let owner = Object::new(pod).text("/metadata/ownerReferences/0/name");
        owner.strip_prefix(&*identity.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    Ok(list(order).await?.iter().filter(of_it).count())
}

async fn list(order: &Order<'_>) -> Result<Vec<Value>, Refusal> {
    let served = order.caller.kind(&order.member.kinds, "v1", "Pod").await?;
    let served = served.ok_or_else(|| Refusal::Refused("the member does not serve pods".to_owned()))?;
    let place = Place::new(&served, &order.spec.workload.namespace, "");
    let workload = label_value(&order.spec.workload.name);
    order.caller.list(&place, &format!("{}={workload}", meta::LABEL_WORKLOAD), ENDED).await
}
