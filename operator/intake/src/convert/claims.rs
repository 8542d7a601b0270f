//! Which workload an object belongs to when two claim it: the one that was admitted first, then the first by name.
//!
//! Objects of a workload stand in its namespace, so only workloads of one namespace can claim the same. The other one is
//! not decided on: two deliveries of one object would overwrite each other for ever.

use std::collections::BTreeSet;

use jiuzhou_api::v1alpha1::FleetWorkload;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::object::Object;

use crate::objects::{Item, Key, Objects};

/// API group, kind and name of an object in a namespace.
type Claim<'a> = (&'a str, &'a str, &'a str);

fn claims(workload: &FleetWorkload) -> impl Iterator<Item = Claim<'_>> {
    workload.spec.objects.iter().map(|entry| {
        let object = Object::new(&entry.manifest);
        (object.group(), object.kind(), object.name())
    })
}

/// The workloads of a namespace, but for one.
fn others<'a>(objects: &'a Objects, key: &'a Key) -> impl Iterator<Item = (&'a Key, &'a Item<FleetWorkload>)> {
    let from = (key.0.clone(), String::new());
    let of_namespace = objects.workloads.range(from..).take_while(move |(other, _)| other.0 == key.0);
    of_namespace.filter(move |(other, _)| *other != key)
}

/// Who has the older right: a place in the queue that lasts, then the name.
fn rank<'a>(objects: &Objects, key: &'a Key) -> (i64, &'a str) {
    (objects.placements.get(key).map_or(i64::MAX, |placed| placed.object.spec.sequence), &key.1)
}

/// The finding about a workload that claims what another one has; `None` when it has the older right to all of it.
pub(super) fn taken(objects: &Objects, key: &Key, item: &Item<FleetWorkload>) -> Option<Finding> {
    let own: BTreeSet<Claim<'_>> = claims(&item.object).collect();
    let mine = rank(objects, key);
    let (owner, claim) = others(objects, key).find_map(|(other, theirs)| {
        let shared = claims(&theirs.object).find(|claim| own.contains(claim))?;
        (rank(objects, other) < mine).then_some((other, shared))
    })?;
    let index = claims(&item.object).position(|own| own == claim).unwrap_or(0);
    let (_, kind, name) = claim;
    let reason = Reason::new(Code::ObjectClaimedTwice).object(format!("{kind}/{}/{name}", key.0));
    let reason = reason.seen(format!("{}/{}", owner.0, owner.1));
    Some(item.document.finding(reason, &format!("/spec/objects/{index}/manifest/metadata/name")))
}

/// Workloads that claim something a workload claims: whether they may have it depends on that one.
#[must_use]
pub fn rivals(objects: &Objects, key: &Key) -> Vec<Key> {
    let Some(item) = objects.workloads.get(key) else { return Vec::new() };
    let own: BTreeSet<Claim<'_>> = claims(&item.object).collect();
    let shares = |theirs: &Item<FleetWorkload>| claims(&theirs.object).any(|claim| own.contains(&claim));
    others(objects, key).filter(|(_, theirs)| shares(theirs)).map(|(other, _)| other.clone()).collect()
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Severity;

    use crate::{Options, load};

    const TENANT: &str = "apiVersion: jiuzhou.dev/v1alpha1\nkind: Tenant\nmetadata: {name: body}\nspec: {displayName: 单位, \
         level: City, region: \"532900\", namespaces: [{name: ns}]}\n";

    fn workload(name: &str, object: &str) -> String {
        format!(
            "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: FleetWorkload\nmetadata: {{name: {name}, namespace: ns}}\nspec: \
             {{system: app, objects: [{{name: o, manifest: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: \
             {object}}}}}}}]}}\n"
        )
    }

    fn placement(name: &str, sequence: i64) -> String {
        let digest = format!("sha256:{}", "a".repeat(64));
        format!(
            "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: FleetPlacement\nmetadata: {{name: {name}, namespace: ns}}\nspec: \
             {{decision: '{digest}', epoch: 9, sequence: {sequence}, inputs: {{workload: '{digest}', snapshot: \
             '{digest}'}}}}\n"
        )
    }

    /// Names of the workloads that are decided on, and what the refused ones are told.
    fn decided(more: &[String]) -> (Vec<String>, Vec<String>) {
        let text = format!("{TENANT}{}", more.concat());
        let options = Options::at("2026-11-23T00:00:00Z".parse().unwrap());
        let fleet = load(&["-".to_owned()], &mut text.as_bytes(), &options).unwrap();
        let names = fleet.converted.fleet.specs.iter().map(|spec| spec.key.name.clone()).collect();
        let told = fleet
            .findings
            .iter()
            .filter(|f| f.severity == Severity::Error && f.reason.code.as_str() == "ObjectClaimedTwice");
        let told = told.map(|f| format!("{}: {:?}", f.subject.as_ref().unwrap().name, f.reason.seen)).collect();
        (names, told)
    }

    #[test]
    fn the_first_by_name_has_what_two_new_ones_claim() {
        let (names, told) = decided(&[workload("b", "conf"), workload("a", "conf"), workload("c", "other")]);
        assert_eq!(names, ["a", "c"]);
        assert!(told.iter().all(|line| line.starts_with("b: ") && line.contains("ns/a")), "{told:?}");
    }

    #[test]
    fn who_was_admitted_first_keeps_it() {
        let (names, _) = decided(&[workload("a", "conf"), workload("b", "conf"), placement("b", 4)]);
        assert_eq!(names, ["b"]);
        let both = [workload("a", "conf"), workload("b", "conf"), placement("b", 4), placement("a", 3)];
        assert_eq!(decided(&both).0, ["a"]);
    }
}
