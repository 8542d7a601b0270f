//! What left a workload and is still there in members: ordered away where that is an order, else held until a person
//! confirms exactly that set.
//!
//! An object that is deleted on the hub, or that a selector suddenly misses, is no order to remove it (an empty render
//! would remove a whole system). What runs pods or holds data is told as held, with the digest of the set; an annotation
//! with that digest is the order. Configuration that nobody uses any more is kept in silence until then, because charts
//! give it a new name with every change.
//!
//! An object that its owner took out of a plain list is another matter: the list was edited, and the revision without it is
//! committed and recorded. Its removal is ordered by uid, and the member carries it out once all that stays is ready. Only
//! what runs pods or holds data still waits for the annotation, because a list that lost a line is not a wish to stop.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveryState, ObjectIdentity, ObjectState};
use jiuzhou_engine::terms::{DigestAlgorithm, Hasher};
use jiuzhou_member::bootstrap::KINDS;
use jiuzhou_objects::object::Object;
use serde_json::json;

use crate::workload::build::Built;
use crate::workload::conditions::Standing;
use crate::workload::dereference::Gathered;
use crate::workload::staged::{self, Source};

/// Objects that a sentence names.
const NAMED_MOST: usize = 4;

/// By cluster, what is there and is in the workload no more.
fn of<'a>(gathered: &Gathered<'a>) -> BTreeMap<&'a str, Vec<&'a ObjectIdentity>> {
    let (Some(workload), Some(placement)) = (gathered.workload, gathered.placement) else { return BTreeMap::new() };
    // Where nothing is taken at all the workload as a whole is held, and that is told.
    if workload.spec.objects.is_empty() || workload.metadata.deletion_timestamp.is_some() {
        return BTreeMap::new();
    }
    let names: BTreeSet<&str> = workload.spec.objects.iter().map(|entry| &*entry.name).collect();
    let mut all = BTreeMap::new();
    // Under another name in the list it is still the same object.
    let wanted: BTreeSet<(&str, &str)> = workload
        .spec
        .objects
        .iter()
        .map(|entry| Object::new(&entry.manifest))
        .map(|object| (object.kind(), object.name()))
        .collect();
    for (cluster, report) in gathered.reports {
        // Where an older revision is still ordered, what is in it has not left.
        let now = || matches!(staged::source(gathered, workload, placement, cluster), Source::Now);
        if workload.spec.select.is_none() && !now() {
            continue;
        }
        let objects = report.iter().flat_map(|report| &report.objects);
        let there = objects.filter(|object| !matches!(object.state, ObjectState::Gone | ObjectState::Conflict));
        let left: Vec<&ObjectIdentity> = there
            .filter(|object| !names.contains(&*object.name))
            .filter_map(|object| object.identity.as_ref())
            .filter(|identity| !wanted.contains(&(&*identity.kind, &*identity.name)))
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
    let mut left = of(gathered);
    if left.is_empty() {
        return;
    }
    if is_plain(gathered) {
        remove(built, &light(gathered, &left));
        left = heavy(gathered, &left);
    }
    let annotations = gathered.workload.and_then(|workload| workload.metadata.annotations.as_ref());
    if annotations.and_then(|all| all.get(meta::ANNOTATION_CONFIRM_REMOVAL)) != Some(&digest(&left)) {
        return;
    }
    remove(built, &left);
}

/// Adds objects to what is ordered away, where something else stays.
fn remove(built: &mut Built, objects: &BTreeMap<&str, Vec<&ObjectIdentity>>) {
    for (cluster, objects) in objects {
        let Some(order) = built.orders.get_mut(*cluster) else { continue };
        if order.delivery.state == DeliveryState::Present {
            order.delivery.removing.extend(objects.iter().copied().cloned());
        }
    }
}

/// Whether its objects are a list in the workload itself.
fn is_plain(gathered: &Gathered<'_>) -> bool {
    gathered.workload.is_some_and(|workload| workload.spec.select.is_none())
}

/// Whether an object runs pods or holds data. Of a kind that nobody described nothing else can be said.
fn weighs(gathered: &Gathered<'_>, object: &ObjectIdentity) -> bool {
    let kind = json!({ "apiVersion": &*object.api_version, "kind": &*object.kind });
    let profiles = gathered.state.base().map(|base| &base.profiles);
    let profile = profiles.and_then(|profiles| profiles.of(Object::new(&kind)));
    let native = || KINDS.iter().any(|kind| kind.kind == &*object.kind && is_of(&object.api_version, kind.group));
    &*object.kind == "PersistentVolumeClaim"
        || profile.map_or_else(|| !native(), jiuzhou_objects::profile::Profile::runs_pods)
}

fn is_of(api_version: &str, group: &str) -> bool {
    api_version.split_once('/').map_or("", |(group, _)| group) == group
}

fn kept<'a>(
    left: &BTreeMap<&'a str, Vec<&'a ObjectIdentity>>,
    keep: impl Fn(&ObjectIdentity) -> bool,
) -> BTreeMap<&'a str, Vec<&'a ObjectIdentity>> {
    let kept = left.iter().map(|(cluster, all)| (*cluster, all.iter().copied().filter(|one| keep(one)).collect()));
    kept.filter(|(_, all): &(&str, Vec<_>)| !all.is_empty()).collect()
}

fn heavy<'a>(
    gathered: &Gathered<'_>,
    left: &BTreeMap<&'a str, Vec<&'a ObjectIdentity>>,
) -> BTreeMap<&'a str, Vec<&'a ObjectIdentity>> {
    kept(left, |object| weighs(gathered, object))
}

fn light<'a>(
    gathered: &Gathered<'_>,
    left: &BTreeMap<&'a str, Vec<&'a ObjectIdentity>>,
) -> BTreeMap<&'a str, Vec<&'a ObjectIdentity>> {
    kept(left, |object| !weighs(gathered, object))
}

/// How a workload stands that holds something that runs; `None` when it holds nothing of weight.
pub(crate) fn standing(gathered: &Gathered<'_>) -> Option<Standing> {
    let mut left = of(gathered);
    let heavy = heavy(gathered, &left);
    if is_plain(gathered) {
        left.clone_from(&heavy);
    }
    let objects = heavy.iter().flat_map(|(cluster, objects)| objects.iter().map(move |object| (cluster, object)));
    let told: Vec<String> =
        objects.map(|(cluster, object)| format!("{cluster} {}/{}", object.kind, object.name)).collect();
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
