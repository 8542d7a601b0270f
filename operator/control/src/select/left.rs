//! What left a selection and still runs in members: held until a person confirms exactly that set.
//!
//! An object that is deleted on the hub, or that a selector suddenly misses, is no order to remove it (an empty render
//! would remove a whole system). What runs pods or holds data is told as held, with the digest of the set; an annotation
//! with that digest is the order. Configuration that nobody uses any more is kept in silence until then, because charts
//! give it a new name with every change.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveryState, ObjectIdentity, ObjectState};
use jiuzhou_engine::terms::{DigestAlgorithm, Hasher};
use jiuzhou_objects::object::Object;
use serde_json::json;

use crate::workload::build::Built;
use crate::workload::conditions::Standing;
use crate::workload::dereference::Gathered;

/// Objects that a sentence names.
const NAMED_MOST: usize = 4;

/// By cluster, what is there and is in the workload no more.
fn of<'a>(gathered: &Gathered<'a>) -> BTreeMap<&'a str, Vec<&'a ObjectIdentity>> {
    let Some(workload) = gathered.workload.filter(|workload| workload.spec.select.is_some()) else {
        return BTreeMap::new();
    };
    // Where nothing is taken at all the workload as a whole is held, and that is told.
    if workload.spec.objects.is_empty() || workload.metadata.deletion_timestamp.is_some() {
        return BTreeMap::new();
    }
    let names: BTreeSet<&str> = workload.spec.objects.iter().map(|entry| &*entry.name).collect();
    let mut all = BTreeMap::new();
    for (cluster, report) in gathered.reports {
        let objects = report.iter().flat_map(|report| &report.objects);
        let there = objects.filter(|object| !matches!(object.state, ObjectState::Gone | ObjectState::Conflict));
        let left: Vec<&ObjectIdentity> = there
            .filter(|object| !names.contains(&*object.name))
            .filter_map(|object| object.identity.as_ref())
            .collect();
        if !left.is_empty() {
            all.insert(cluster.as_str(), left);
        }
    }
    all
}

/// Names the set: the same objects in the same clusters.
fn digest(left: &BTreeMap<&str, Vec<&ObjectIdentity>>) -> String {
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    for (cluster, objects) in left {
        let sorted: BTreeSet<&ObjectIdentity> = objects.iter().copied().collect();
        for object in sorted {
            for text in [cluster, &*object.api_version, &*object.kind, &*object.name, &*object.uid] {
                hasher.field(text.as_bytes());
            }
        }
    }
    hasher.finish().to_string()
}

/// Adds to the orders what a person confirmed.
pub(crate) fn order(gathered: &Gathered<'_>, built: &mut Built) {
    let left = of(gathered);
    if left.is_empty() {
        return;
    }
    let annotations = gathered.workload.and_then(|workload| workload.metadata.annotations.as_ref());
    if annotations.and_then(|all| all.get(meta::ANNOTATION_CONFIRM_REMOVAL)) != Some(&digest(&left)) {
        return;
    }
    for (cluster, objects) in left {
        let Some(order) = built.orders.get_mut(cluster) else { continue };
        if order.delivery.state == DeliveryState::Present {
            order.delivery.removing.extend(objects.into_iter().cloned());
        }
    }
}

/// How a workload stands that holds something that runs; `None` when it holds nothing of weight.
pub(crate) fn standing(gathered: &Gathered<'_>) -> Option<Standing> {
    let left = of(gathered);
    let profiles = gathered.state.base().map(|base| &base.profiles)?;
    let weighs = |object: &&ObjectIdentity| {
        let kind = json!({ "apiVersion": &*object.api_version, "kind": &*object.kind });
        let profile = profiles.of(Object::new(&kind));
        profile.is_some_and(jiuzhou_objects::profile::Profile::runs_pods) || &*object.kind == "PersistentVolumeClaim"
    };
    let told: Vec<String> = left
        .iter()
        .flat_map(|(cluster, objects)| objects.iter().copied().map(move |object| (cluster, object)))
        .filter(|(_, object)| weighs(object))
        .map(|(cluster, object)| format!("{cluster} {}/{}", object.kind, object.name))
        .collect();
    if told.is_empty() {
        return None;
    }
    let more = told.len().saturating_sub(NAMED_MOST);
    let mut names = told.into_iter().take(NAMED_MOST).collect::<Vec<_>>().join("; ");
    if more > 0 {
        names = format!("{names}; +{more}");
    }
    let order = format!("{}={}", meta::ANNOTATION_CONFIRM_REMOVAL, digest(&left));
    let standing = Standing::new(false, "SelectionLeft", &format!("{names} ({order})"), 0, 0);
    Some(Standing { reason: ControllerReason::DeletionHeld.as_str().to_owned(), ..standing })
}
