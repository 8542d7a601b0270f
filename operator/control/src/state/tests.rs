//! A snapshot that was kept up to date is the snapshot that is made anew, whatever came in whatever order.

use std::sync::LazyLock;

use jiuzhou_engine::decide::canonical;
use jiuzhou_engine::terms::{Code, DigestAlgorithm};
use jiuzhou_intake::convert::convert;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::story;

pub(super) fn now() -> Timestamp {
    "2026-11-23T04:00:00Z".parse().expect("an instant")
}

/// The objects of the example province, as an API server would hold them.
pub(super) static PROVINCE: LazyLock<Vec<Value>> = LazyLock::new(|| story("10-province"));

fn object_of(value: &Value) -> ObjectRef {
    Document::of_object(value.clone()).expect("an object").object_ref()
}

/// The digest of a snapshot that is made of the same objects at once.
fn made_anew(state: &State) -> String {
    let fleet = convert(state.objects(), now(), &mut Vec::new()).fleet;
    Snapshot::new(fleet).expect("a fleet").digest().expect("a digest").to_string()
}

/// The digest of what is recorded: the frame and what the snapshot holds.
fn recorded(state: &State) -> String {
    let mut fleet = state.frame().clone();
    fleet.clusters = state.snapshot().clusters().map(|(_, cluster)| (**cluster).clone()).collect();
    fleet.specs = state.snapshot().specs().map(|spec| (**spec).clone()).collect();
    Snapshot::new(fleet).expect("a fleet").digest().expect("a digest").to_string()
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    Remove(usize),
    /// Another version of an object: one field of its own is changed.
    Change(usize, u8),
    /// A placement of a workload, in some clusters.
    Place(usize, u8),
    Refresh,
}

fn step(of: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..of).prop_map(Step::Put),
        2 => (0..of).prop_map(Step::Remove),
        4 => ((0..of), any::<u8>()).prop_map(|(at, how)| Step::Change(at, how)),
        4 => ((0..of), any::<u8>()).prop_map(|(at, how)| Step::Place(at, how)),
        2 => Just(Step::Refresh),
    ]
}

/// A change that the schemas allow, by kind.
fn changed(mut value: Value, how: u8) -> Value {
    match value["kind"].as_str().unwrap_or_default() {
        "FleetWorkload" => {
            value["spec"]["replicas"] = json!(how % 7 + 1);
            if how.is_multiple_of(5) {
                value["spec"]["requirements"]["databases"] = json!([{ "anyOf": ["dameng"] }]);
            }
        }
        "MemberCluster" => {
            value["metadata"]["labels"]["example.org/lot"] = json!(format!("l{}", how % 3));
            value["spec"]["emergencyReservePercent"] = json!(how % 50);
        }
        "InformationSystem" => value["spec"]["dataClass"] = json!({ "class": "Important" }),
        "SovereigntyTier" => value["spec"]["strict"] = json!(how.is_multiple_of(2)),
        "Tenant" => value["spec"]["failoverHeadroomPercent"] = json!(how % 50),
        _ => {}
    }
    value
}

/// A placement of the workload, if it is one.
fn placement(state: &State, workload: &Value, how: u8) -> Option<Value> {
    let object = object_of(workload);
    let key = WorkloadKey::new(&object.namespace, &object.name);
    state.fleet_workload(&key)?;
    let digest = format!("sha256:{}", "0".repeat(64));
    let clusters: Vec<&str> =
        ["dali-kunpeng", "km-hygon", "km-kunpeng"].into_iter().skip(usize::from(how % 3)).collect();
    let clusters: Vec<Value> = clusters.iter().map(|name| json!({ "name": name, "replicas": how % 4 })).collect();
    Some(json!({
        "apiVersion": meta::API_VERSION, "kind": "FleetPlacement",
        "metadata": { "name": key.name, "namespace": key.namespace },
        "spec": {
            "decision": digest, "epoch": i64::from(how) + 1, "sequence": 1, "clusters": clusters,
            "inputs": {
                "workload": digest, "snapshot": digest,
                "content": digest,
            },
        },
    }))
}

/// What is looked up the other way round is what a walk over everything finds.
fn assert_looked_up(state: &State) {
    let placements = || state.objects().placements.iter();
    for cluster in ["dali-kunpeng", "km-hygon", "km-kunpeng", "nowhere"] {
        let uses = |placed: &api::FleetPlacement| placed.spec.clusters.iter().any(|c| *c.name == *cluster);
        let walked: BTreeSet<WorkloadKey> = placements()
            .filter(|(_, item)| uses(&item.object))
            .map(|((namespace, name), _)| WorkloadKey::new(namespace, name))
            .collect();
        assert_eq!(state.placed_in(&BTreeSet::from([cluster.to_owned()]), false), walked, "{cluster}");
    }
    let highest = placements().map(|(_, item)| item.object.spec.epoch).max().unwrap_or(0);
    assert!(state.highest_epoch() >= highest);
}

/// The whole province, listed.
pub(super) fn listed() -> State {
    let mut state = State::new().expect("schemas");
    for value in PROVINCE.iter() {
        state.put(value.clone());
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_snapshot_kept_up_to_date_is_one_made_anew(steps in prop::collection::vec(step(PROVINCE.len()), 1..40)) {
        let mut state = listed();
        state.refresh(now()).expect("a fleet");
        for step in steps {
            match step {
                Step::Put(at) => drop(state.put(PROVINCE[at].clone())),
                Step::Remove(at) => state.remove(&object_of(&PROVINCE[at])),
                Step::Change(at, how) => drop(state.put(changed(PROVINCE[at].clone(), how))),
                Step::Place(at, how) => {
                    if let Some(placement) = placement(&state, &PROVINCE[at], how) {
                        drop(state.put(placement));
                    }
                }
                Step::Refresh => {
                    state.refresh(now()).expect("a fleet");
                    assert_looked_up(&state);
                }
            }
        }
        state.refresh(now()).expect("a fleet");
        assert_looked_up(&state);
        let kept = state.snapshot().digest().expect("a digest").to_string();
        prop_assert_eq!(&kept, &made_anew(&state));
        prop_assert_eq!(&kept, &recorded(&state));
    }
}

#[test]
fn a_change_of_one_workload_touches_that_workload_alone() {
    let mut state = listed();
    state.refresh(now()).expect("a fleet");
    drop(state.take_changed());
    let workload = PROVINCE.iter().find(|value| value["kind"] == "FleetWorkload").expect("a workload").clone();
    let object = object_of(&workload);
    state.put(changed(workload, 6));
    state.refresh(now()).expect("a fleet");
    let touched = state.take_changed();
    assert_eq!(touched.specs, BTreeSet::from([WorkloadKey::new(&object.namespace, &object.name)]));
    assert_eq!((touched.frame, touched.clusters.len()), (false, 0));
    state.refresh(now()).expect("a fleet");
    assert!(state.take_changed().is_empty(), "nothing came in");
}

#[test]
fn an_object_that_cannot_be_read_is_a_finding_and_stops_nothing() {
    let mut state = listed();
    let broken = json!({
        "apiVersion": meta::API_VERSION, "kind": "FleetWorkload",
        "metadata": { "name": "broken", "namespace": "nowhere" }, "spec": { "system": 7 },
    });
    let object = state.put(broken).expect("it is taken note of");
    state.refresh(now()).expect("a fleet");
    assert!(!state.findings(&object).is_empty());
    assert!(state.objects().refused.contains(&object));
    assert!(state.snapshot().specs().count() > 0, "the others are there");
    state.remove(&object);
    assert!(state.findings(&object).is_empty());
}

#[test]
fn an_older_version_never_takes_the_place_of_a_newer_one() {
    let mut state = State::new().expect("schemas");
    let tenant = PROVINCE.iter().find(|value| value["kind"] == "Tenant").expect("a tenant");
    let at = |version: &str, percent: u8| {
        let mut value = changed(tenant.clone(), percent);
        value["metadata"]["resourceVersion"] = json!(version);
        value["metadata"]["uid"] = json!("one");
        value
    };
    assert!(state.put(at("9", 20)).is_some());
    assert!(state.put(at("10", 30)).is_some(), "compared as numbers");
    assert!(state.put(at("9", 20)).is_none());
    let mut again = at("3", 40);
    again["metadata"]["uid"] = json!("two");
    assert!(state.put(again).is_some(), "another object of the same name");
}

#[test]
fn what_a_whole_list_does_not_have_is_gone_and_half_a_list_says_nothing() {
    let mut state = listed();
    let tenants = state.objects().tenants.len();
    state.begin("Tenant");
    assert_eq!(state.objects().tenants.len(), tenants, "half a list says nothing");
    let gone = state.complete("Tenant");
    assert_eq!((gone.len(), state.objects().tenants.len()), (tenants, 0));
    assert!(!state.incomplete().contains(&"Tenant".to_owned()));
    assert!(state.incomplete().contains(&"Site".to_owned()));
}

#[test]
fn a_built_in_object_holds_again_when_that_of_the_user_is_gone() {
    let mut state = State::new().expect("schemas");
    let (key, item) = state.objects().tiers.iter().next().expect("a built-in tier");
    let (name, strict) = (key.1.clone(), item.object.spec.strict);
    let mut own = serde_json::to_value(&item.object).expect("a value");
    own["apiVersion"] = json!(meta::API_VERSION);
    own["kind"] = json!("SovereigntyTier");
    own["spec"]["strict"] = json!(!strict);
    let object = state.put(own).expect("an object");
    assert_eq!(state.findings(&object), []);
    let now = |state: &State| state.objects().tiers.get(&(String::new(), name.clone())).map(|i| i.object.spec.strict);
    assert_eq!(now(&state), Some(!strict));
    state.remove(&object);
    assert_eq!(now(&state), Some(strict));
}

#[test]
fn a_tier_of_a_rank_that_is_taken_is_left_out_and_told_and_all_else_is_decided() {
    let mut state = listed();
    state.refresh(now()).expect("a fleet");
    let before = state.frame().tiers.clone();
    let tier = |name: &str, made: &str, rank: i64| {
        json!({
            "apiVersion": meta::API_VERSION, "kind": "SovereigntyTier",
            "metadata": { "name": name, "uid": name, "creationTimestamp": made },
            "spec": { "displayName": "试验", "rank": rank },
        })
    };
    let object = state.put(tier("a-new-one", "2026-11-01T00:00:00Z", 1)).expect("an object");
    state.refresh(now()).expect("nothing is in the way of the others");
    assert_eq!(state.frame().tiers, before, "the built-in tier of that rank was there first");
    let told: Vec<_> = state.findings(&object).iter().map(|one| (one.reason.code, one.pointer.clone())).collect();
    assert_eq!(told, [(Code::TierRankTaken, "/spec/rank".to_owned())]);
    // Of two that people made the older one holds, whatever they are called.
    state.put(tier("z", "2026-10-01T00:00:00Z", 9)).expect("an object");
    let younger = state.put(tier("b", "2026-10-02T00:00:00Z", 9)).expect("an object");
    state.refresh(now()).expect("a fleet");
    let names: Vec<&str> = state.frame().tiers.iter().filter(|tier| tier.rank == 9).map(|one| &*one.name).collect();
    assert_eq!(names, ["z"]);
    assert_eq!(state.findings(&younger).len(), 1);
}

#[test]
fn a_recorded_fleet_has_one_canonical_form() {
    let mut state = listed();
    state.refresh(now()).expect("a fleet");
    let once = canonical::digest(state.frame(), DigestAlgorithm::Sha256).expect("a digest");
    state.refresh(now()).expect("a fleet");
    assert_eq!(once, canonical::digest(state.frame(), DigestAlgorithm::Sha256).expect("a digest"));
}

#[test]
fn free_room_alone_is_nothing_that_is_told_of_a_cluster_and_its_values_are() {
    let mut state = listed();
    state.refresh(now()).expect("a fleet");
    drop(state.take_changed());
    let cluster = PROVINCE.iter().find(|value| value["kind"] == "MemberCluster").expect("a cluster");
    let name = cluster["metadata"]["name"].as_str().expect("a name").to_owned();
    let mut seen = cluster.clone();
    seen["status"]["pools"][0]["free"] = json!([{ "nodes": 1, "free": { "cpu": "1", "memory": "1Gi", "pods": "9" } }]);
    state.put(seen.clone());
    state.refresh(now()).expect("a fleet");
    let room = state.take_changed();
    assert_eq!((room.clusters, room.told), (BTreeSet::from([name.clone()]), BTreeSet::new()));
    seen["spec"]["values"] = json!({ "db": "dm.dali" });
    state.put(seen);
    state.refresh(now()).expect("a fleet");
    let values = state.take_changed();
    assert_eq!((values.clusters, values.told), (BTreeSet::new(), BTreeSet::from([name])));
}
