//! What a member has of a workload, looked at without an order and without a memory.
//!
//! For a hub that lost its memory and for clusters a workload is to leave. Kinds of every workload and those of its own
//! manifests are listed to the last page as its tenant; a list that fails is no answer, so that *nothing is there* is
//! only ever said when it was seen.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, DeliveryStatus, ObjectObservation, WorkloadReference};
use jiuzhou_objects::object::{Object, group_of};
use jiuzhou_objects::profile::pods_tell_owner;
use jiuzhou_objects::render::label_value;
use serde_json::Value;

use crate::apply::{Order, identity};
use crate::call::{Caller, Place};
use crate::deliver::Secrets;
use crate::lineage::Owner;
use crate::member::Member;
use crate::words::{Censor, Refusal};
use crate::{counted, found, health, pods};

/// Kinds that a workload is made of.
const USUAL: &[(&str, &str)] = &[
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
];

/// Kinds that neither run nor hold anything by themselves. Where the tenant may not list them (nobody lists Secrets), they
/// are not seen this way; for every other kind a missing right is no answer.
const INERT: &[(&str, &str)] =
    &[("rbac.authorization.k8s.io/v1", "Role"), ("rbac.authorization.k8s.io/v1", "RoleBinding"), ("v1", "Secret")];

/// Looks at what a member has of a workload: `None` when it has nothing of it. `manifests` are its own (`apiVersion`, kind,
/// name), now and before: their kinds are listed, and their Secrets, which nobody may list, are asked for by name.
///
/// # Errors
/// The words of the first list that failed; nothing is known then.
pub async fn look(
    member: &Member,
    tenant: &str,
    workload: &WorkloadReference,
    manifests: &BTreeSet<(String, String, String)>,
) -> Result<Option<DeliveryStatus>, String> {
    let censor = Censor::default();
    let client = member.client_for(tenant)?;
    let caller = Caller { client, limit: member.limit, censor: &censor, witness: None };
    let spec = DeliverySpec {
        cluster: member.cluster().into(),
        workload: workload.clone(),
        tenant: tenant.into(),
        state: DeliveryState::Orphan, // never carried out: it says where to look
        ..DeliverySpec::default()
    };
    let owner = format!("{}/{}", workload.namespace, workload.name);
    let order = Order { member, spec: &spec, owner, secrets: &Secrets::new(), caller, expired: true };
    seen(&order, manifests).await.map_err(|refusal| match refusal {
        Refusal::Silence(why)
        | Refusal::Held(why)
        | Refusal::Forbidden(why)
        | Refusal::Refused(why)
        | Refusal::Immutable(why) => why,
        Refusal::Fields(fields) => fields.join("; "),
        Refusal::NotFound => "the member says 404 to a list".to_owned(),
        Refusal::Changed => "the list changed while it was read".to_owned(),
    })
}

async fn seen(
    order: &Order<'_>,
    manifests: &BTreeSet<(String, String, String)>,
) -> Result<Option<DeliveryStatus>, Refusal> {
    let usual = USUAL.iter().map(|(api_version, kind)| ((*api_version).to_owned(), (*kind).to_owned()));
    let kinds: BTreeSet<(String, String)> =
        usual.chain(manifests.iter().map(|(api_version, kind, _)| (api_version.clone(), kind.clone()))).collect();
    let labels = format!("{}={}", meta::LABEL_WORKLOAD, label_value(&order.spec.workload.name));
    let mut objects: BTreeMap<String, ObjectObservation> = BTreeMap::new();
    for (api_version, kind) in kinds {
        let Some(served) = order.caller.kind(&order.member.kinds, &api_version, &kind).await? else { continue };
        if !served.namespaced {
            continue;
        }
        let place = Place::new(&served, &order.spec.workload.namespace, "");
        let inert = INERT.contains(&(api_version.as_str(), kind.as_str()));
        let listed = match order.caller.list_whole(&place, &labels).await {
            Err(Refusal::Forbidden(_)) if inert => continue,
            listed => listed?,
        };
        for mut live in listed {
            // Items of a list do not say what they are.
            live["apiVersion"] = api_version.as_str().into();
            live["kind"] = kind.as_str().into();
            if let Some(one) = observe(order, &live) {
                objects.entry(one.name.to_string()).or_insert(one);
            }
        }
    }
    for (api_version, kind, name) in manifests.iter().filter(|(_, kind, _)| kind == "Secret") {
        let Some(served) = order.caller.kind(&order.member.kinds, api_version, kind).await? else { continue };
        let place = Place::new(&served, &order.spec.workload.namespace, name);
        if let Some(one) = order.caller.get(&place).await?.as_ref().and_then(|live| observe(order, live)) {
            objects.entry(one.name.to_string()).or_insert(one);
        }
    }
    let mut owners = pods::taken_over(objects.values());
    owners.extend(gone(order, manifests).await?);
    let pods = pods::present(order, &owners).await?;
    if objects.is_empty() && pods.is_empty() {
        return Ok(None);
    }
    for (name, one) in &mut objects {
        if one.wanted.is_some() {
            one.present = Some(pods.get(name).copied().unwrap_or(0).max(one.ready.unwrap_or(0)));
        }
    }
    let mut ready = objects.values().filter(|one| one.wanted.is_some()).map(|one| one.ready);
    let ready = ready.try_fold(0_i32, |sum, one| Some(sum.saturating_add(one?)));
    Ok(Some(DeliveryStatus {
        objects: objects.into_values().collect(),
        present: Some(pods.values().fold(0, |sum: i32, count| sum.saturating_add(*count))),
        ready,
        ..DeliveryStatus::default()
    }))
}

/// Objects of the workload's own manifests that are not there, as owners of pods by their name alone: they may have gone before
/// their pods, and have been there before us, so that the pods carry no label of ours.
async fn gone(order: &Order<'_>, manifests: &BTreeSet<(String, String, String)>) -> Result<Vec<Owner>, Refusal> {
    let mut gone = Vec::new();
    for (api_version, kind, name) in manifests.iter().filter(|(_, kind, _)| kind != "Pod") {
        if !pods_tell_owner(group_of(api_version), kind) {
            continue;
        }
        let Some(served) = order.caller.kind(&order.member.kinds, api_version, kind).await? else { continue };
        let place = Place::new(&served, &order.spec.workload.namespace, name);
        let there = match order.caller.get(&place).await {
            // A kind of which the tenant may see nothing is none that we delivered.
            Err(Refusal::Forbidden(_)) => continue,
            there => there?.is_some(),
        };
        if !there {
            gone.push(Owner { key: name.clone(), kind: kind.clone(), name: name.clone(), uid: None });
        }
    }
    Ok(gone)
}

/// An object of this workload by its own mark. A pod below another object is counted, not listed.
fn observe(order: &Order<'_>, live: &Value) -> Option<ObjectObservation> {
    let object = Object::new(live);
    let below = live.pointer("/metadata/ownerReferences/0").is_some();
    if below || object.annotation(meta::ANNOTATION_OWNER) != Some(order.owner.as_str()) {
        return None;
    }
    let name = object.labels().remove(meta::LABEL_OBJECT)?;
    let judged = order.member.knowledge.rules.judge(live);
    let profile = order.member.knowledge.profiles.of(object);
    let (wanted, ready) = profile.map_or((None, None), |profile| health::counts(live, profile));
    Some(ObjectObservation {
        name: name.into(),
        identity: Some(identity(live)),
        state: judged.state,
        applied: object.annotation(meta::ANNOTATION_APPLIED).map(Into::into),
        taken_over: found::has_mark(live),
        as_found: found::digest_on(live).map(Into::into),
        wanted,
        present: None,
        ready,
        counted: counted::of(live),
        addresses: counted::addresses(live),
        values: Vec::new(), // nobody asks for it where nothing is ordered
        message: judged.message.map(|text| order.caller.censor.clean(&text).into()),
    })
}
