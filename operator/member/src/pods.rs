//! Pods of a workload that exist in a member, those that are ending included.
//!
//! An object's own count leaves ending pods out, but an ending pod still writes. Pods that have ended for good do not
//! count. A list that is not complete gives no number: unknown is not zero. Pods carry our labels, but for those of an
//! object that was there before us: these are known by who made them ([`crate::lineage`]), so for such objects every pod of
//! the namespace is looked at.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ObjectIdentity, ObjectObservation};
use jiuzhou_objects::object::{Object, group_of};
use jiuzhou_objects::profile::pods_tell_owner;
use jiuzhou_objects::render::label_value;
use serde_json::Value;

use crate::apply::Order;
use crate::call::Place;
use crate::lineage::{Makers, Owner};
use crate::words::Refusal;

/// Phases from which a pod never writes again.
const ENDED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Objects of a list that were there before us, as owners of pods.
pub(crate) fn taken_over<'o>(objects: impl IntoIterator<Item = &'o ObjectObservation>) -> Vec<Owner> {
    let owner = |one: &ObjectObservation| Some(owner(&one.name, one.identity.as_ref()?));
    objects.into_iter().filter(|one| one.taken_over).filter_map(owner).collect()
}

fn owner(key: &str, identity: &ObjectIdentity) -> Owner {
    let (kind, name, uid) = (identity.kind.to_string(), identity.name.to_string(), identity.uid.to_string());
    Owner { key: key.to_owned(), kind, name, uid: Some(uid) }
}

/// How many pods there are, by the name of their object in the workload. `owners` are objects whose pods may carry no
/// label of ours.
pub(crate) async fn present(order: &Order<'_>, owners: &[Owner]) -> Result<BTreeMap<String, i32>, Refusal> {
    let mut counts = BTreeMap::new();
    let (pods, makers) = match owners {
        [] => (list(order, Of::Workload).await?, Makers::default()),
        owners => (list(order, Of::Namespace).await?, makers(order, owners).await?),
    };
    let workload = label_value(&order.spec.workload.name);
    for pod in pods {
        let mut labels = Object::new(&pod).labels();
        let name = match makers.owner(&pod, owners) {
            Some(owner) => owner.key.clone(),
            None if labels.get(meta::LABEL_WORKLOAD) == Some(&workload) => {
                labels.remove(meta::LABEL_OBJECT).unwrap_or_default()
            }
            None => continue,
        };
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
    let workload = label_value(&order.spec.workload.name);
    let labelled = |pod: &Value| {
        let maker = Object::new(pod).text("/metadata/ownerReferences/0/name");
        let of_it = maker.strip_prefix(&*identity.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        of_it && Object::new(pod).labels().get(meta::LABEL_WORKLOAD) == Some(&workload)
    };
    // Nobody remembers of what is gone whether it was there before us, so all of the namespace are looked at.
    if !pods_tell_owner(group_of(&identity.api_version), &identity.kind) {
        return Ok(list(order, Of::Workload).await?.iter().filter(|pod| labelled(pod)).count());
    }
    let owners = [owner("", identity)];
    let pods = list(order, Of::Namespace).await?;
    let makers = makers(order, &owners).await?;
    Ok(pods.iter().filter(|pod| labelled(pod) || makers.owner(pod, &owners).is_some()).count())
}

/// Which pods are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Those with the label of the workload.
    Workload,
    /// All of its namespace.
    Namespace,
}

async fn list(order: &Order<'_>, of: Of) -> Result<Vec<Value>, Refusal> {
    let served = order.caller.kind(&order.member.kinds, "v1", "Pod").await?;
    let served = served.ok_or_else(|| Refusal::Refused("the member does not serve pods".to_owned()))?;
    let place = Place::new(&served, &order.spec.workload.namespace, "");
    let labels = format!("{}={}", meta::LABEL_WORKLOAD, label_value(&order.spec.workload.name));
    let labels = if of == Of::Workload { labels.as_str() } else { "" };
    order.caller.list(&place, labels, ENDED).await
}

/// What stands between these owners and their pods. It is read after the pods: what a controller made of them in between is
/// then known. Where it may not be listed, names tell.
async fn makers(order: &Order<'_>, owners: &[Owner]) -> Result<Makers, Refusal> {
    let mut makers = Makers::default();
    let between = [("Deployment", "apps/v1", "ReplicaSet"), ("CronJob", "batch/v1", "Job")];
    for (_, api_version, kind) in between.iter().filter(|(above, ..)| owners.iter().any(|one| one.kind == *above)) {
        let Some(served) = order.caller.kind(&order.member.kinds, api_version, kind).await? else { continue };
        let place = Place::new(&served, &order.spec.workload.namespace, "");
        match order.caller.list(&place, "", "").await {
            Ok(listed) => makers.add(&listed),
            Err(Refusal::Forbidden(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(makers)
}
