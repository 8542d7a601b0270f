//! "One change would be enough" is a promise: the change that is named, made in the inputs, gives every replica a place.
//!
//! Random fleets and workloads; each one change of each explanation of a workload without a place is carried out as a
//! person would who reads its reason and its fix, and the workload is decided again on what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::affinity::{Affinity, Toleration};
use super::fixture::{self, Dice, now};
use super::input::{ClusterInput, ClusterState, Grant, NodeShapeInput, Ownership, PoolInput, Reachability, Term};
use super::record::{Change, ClusterExplanation, Status};
use super::rule::Rule;
use super::snapshot::{FleetInput, Snapshot};
use super::spec::{Requirement, Spec};
use super::{Changes, explain, plan};
use crate::detect::{ImageEntry, Needs, OciPlatform, Provenance};
use crate::terms::{Code, Reason, Value};

/// What is changed, in one place.
struct World {
    fleet: FleetInput,
    spec: Spec,
}

impl World {
    fn asks(&mut self, change: impl FnOnce(&mut Requirement)) {
        change(Arc::make_mut(&mut self.spec.requirement));
    }

    fn tenant(&mut self, change: impl FnOnce(&mut super::input::TenantInput)) {
        let name = self.spec.requirement.tenant.clone();
        if let Some(tenant) = self.fleet.tenants.iter_mut().find(|tenant| tenant.name == name) {
            change(tenant);
        }
    }

    fn placed(self) -> bool {
        let changes = Changes { specs: vec![self.spec], ..Changes::default() };
        plan(&Snapshot::new(self.fleet).unwrap(), &changes, now()).unwrap().decisions[0].status == Status::Placed
    }
}

fn text(value: &Value) -> String {
    if let Value::Text(text) = value { text.clone() } else { String::new() }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Millicores(number) | Value::Bytes(number) => *number,
        _ => 0,
    }
}

/// The pools in which the change is to be made: those that nothing else refuses.
fn pools<'c>(cluster: &'c mut ClusterInput, told: &ClusterExplanation, rule: Option<Rule>) -> Vec<&'c mut PoolInput> {
    let only = |name: &str| {
        let pool = told.pools.iter().find(|pool| pool.pool == name).unwrap();
        pool.rules.iter().filter(|check| check.refuses).all(|check| Some(check.rule) == rule)
    };
    cluster.pools.iter_mut().filter(|pool| only(&pool.name)).collect()
}

/// One more of what is allowed; nothing named allows all.
fn allow(allowed: &mut BTreeSet<String>, more: &str) {
    if !allowed.is_empty() {
        allowed.insert(more.to_owned());
    }
}

/// Makes a change; `None` for one that a person cannot make by an edit of these inputs (another tier, new evidence).
fn made(world: &World, told: &ClusterExplanation, change: &Change) -> Option<World> {
    let mut to = World { fleet: world.fleet.clone(), spec: world.spec.clone() };
    let at = to.fleet.clusters.iter().position(|cluster| cluster.name == told.cluster)?;
    let (name, region, provider) = {
        let cluster = &to.fleet.clusters[at];
        (cluster.name.clone(), cluster.region.clone(), cluster.provider.clone())
    };
    let Some(reason) = change.reasons.first() else {
        // Room that no node comes near to: nothing is named.
        return None;
    };
    let (object, seen, wanted) = (text(&reason.object), text(&reason.seen), text(&reason.wanted));
    let tenant = to.spec.requirement.tenant.clone();
    match reason.code {
        Code::ClusterDedicated => _ = to.fleet.clusters[at].dedicated_to.insert(tenant),
        Code::RegionNotAllowed => {
            to.asks(|asked| allow(&mut asked.regions, &region));
            to.tenant(|tenant| allow(&mut tenant.regions, &region));
        }
        Code::ProviderNotAllowed => {
            to.asks(|asked| allow(&mut asked.providers, &provider));
            to.tenant(|tenant| allow(&mut tenant.providers, &provider));
        }
        Code::ZoneNotAllowed => to.tenant(|tenant| _ = tenant.zones.insert(seen)),
        // Its nodes come into the zone; asking for another zone would close the pools that are in the one asked for.
        Code::ZoneMismatch => {
            let all = pools(&mut to.fleet.clusters[at], told, change.rule).into_iter();
            all.filter(|pool| pool.zone == seen).for_each(|pool| {
                pool.labels.insert(crate::detect::labels::ZONE.to_owned(), wanted.clone());
                pool.zone.clone_from(&wanted);
            });
        }
        Code::ReachNotOpened => _ = to.fleet.clusters[at].peers.insert(wanted, BTreeSet::new()),
        Code::DatabaseNotOffered => _ = to.fleet.clusters[at].databases.insert(wanted, BTreeSet::new()),
        Code::OwnershipNotAllowed => {
            let owner = to.fleet.clusters[at].ownership;
            to.asks(|asked| _ = asked.ownership.insert(owner));
        }
        Code::OwnershipUnknown => to.fleet.clusters[at].ownership = Ownership::Government,
        Code::JurisdictionNotAllowed => {
            let own = to.fleet.clusters[at].jurisdictions.clone();
            to.asks(|asked| asked.jurisdictions.extend(own));
        }
        Code::JurisdictionUnknown => _ = to.fleet.clusters[at].jurisdictions.insert("CN".to_owned()),
        Code::KindNotServed => _ = to.fleet.clusters[at].kinds.get_or_insert_default().insert(object),
        Code::KindNotUnderstood => to.asks(|asked| _ = asked.unprofiled.remove(&object)),
        Code::KindsUnknown => {
            let kinds = to.spec.requirement.kinds.clone();
            to.fleet.clusters[at].kinds = Some(kinds);
        }
        Code::PlatformNotAllowed => to.asks(|asked| _ = asked.platforms.insert(seen)),
        Code::NoManifestForPlatform => {
            let (os, architecture) = wanted.split_once('/')?;
            let platform = OciPlatform { os: os.into(), architecture: architecture.into(), ..OciPlatform::default() };
            let (needs, provenance) = (Needs::default(), Provenance::Declared);
            to.asks(|asked| asked.images[0].entries.push(ImageEntry { digest: None, platform, needs, provenance }));
        }
        Code::ImageNotInRegistry => {
            for registry in to.fleet.clusters[at].registries.values_mut() {
                registry.holds.get_or_insert_default().insert(object.clone());
            }
        }
        Code::TeeAbsent | Code::TeeUndeclared => {
            let tee = to.spec.requirement.tee.clone();
            let cluster = &mut to.fleet.clusters[at];
            pools(cluster, told, change.rule).into_iter().for_each(|pool| pool.facts.tee.extend(tee.clone()));
        }
        Code::AcceleratorAbsent => {
            let cluster = &mut to.fleet.clusters[at];
            for pool in pools(cluster, told, change.rule) {
                pool.facts.accelerators.insert(object.clone(), int(&reason.wanted));
            }
        }
        Code::NodeTaintNotTolerated => {
            to.fleet.clusters[at].pools.iter_mut().for_each(|pool| pool.taints.retain(|taint| taint.key != object));
        }
        Code::FreezeActive => to.fleet.freezes.retain(|freeze| freeze.name != object),
        Code::ClusterDraining => to.fleet.clusters[at].state = ClusterState::Active,
        Code::ClusterUnreachable | Code::ReachabilityUnknown => {
            to.fleet.clusters[at].reachability = Reachability::Reachable;
        }
        Code::TaintNotTolerated => {
            let toleration = Toleration { key: object, exists: true, ..Toleration::default() };
            to.asks(|asked| asked.tolerations.push(toleration));
        }
        Code::AffinityMismatch => match object.as_str() {
            "names" => to.asks(|asked| _ = asked.affinity.names.insert(name)),
            "exclude" => to.asks(|asked| _ = asked.affinity.exclude.remove(&name)),
            key => to.asks(|asked| {
                asked.affinity.labels.remove(key);
                asked.affinity.expressions.retain(|one| one.key != key);
            }),
        },
        Code::GroupMismatch => {
            let group = Affinity { names: [name].into(), ..Affinity::default() };
            to.asks(|asked| asked.groups.push(group));
        }
        Code::ResourceMissing => {
            // One node more that holds one replica, with everything it asks for.
            let mut free: BTreeMap<String, i64> = BTreeMap::new();
            for pod in &to.spec.pods {
                for (resource, amount) in &pod.request {
                    *free.entry(resource.clone()).or_default() += amount * pod.count * 4;
                }
                *free.entry("pods".to_owned()).or_default() += pod.count;
            }
            for resource in to.spec.per_node.iter().flat_map(|daemon| &daemon.request) {
                *free.entry(resource.0.clone()).or_default() += resource.1 * 4;
            }
            *free.entry("pods".to_owned()).or_default() += i64::try_from(to.spec.per_node.len()).unwrap();
            let cluster = &mut to.fleet.clusters[at];
            for pool in pools(cluster, told, None) {
                pool.unschedulable.clear();
                pool.shapes.push(NodeShapeInput { count: 1, free: free.clone() });
            }
        }
        _ => return None,
    }
    Some(to)
}

/// Raises the quota, or drops the bound, that a change without a cluster names.
fn eased(world: &World, reason: &Reason) -> Option<World> {
    let mut to = World { fleet: world.fleet.clone(), spec: world.spec.clone() };
    match reason.code {
        Code::QuotaExceeded => {
            let named = text(&reason.object);
            let (name, resource) = named.split_once(' ')?;
            let short = int(&reason.wanted) - int(&reason.seen);
            let tenant = to.fleet.tenants.iter_mut().find(|tenant| tenant.name == name)?;
            // Of what is granted a part is kept for failover.
            let amount = short * 100 / i64::from(100 - tenant.headroom_percent.min(99)) + 1000;
            let grant =
                Grant { document: "追加".into(), term: Term::OPEN, amount: [(resource.to_owned(), amount)].into() };
            tenant.grants.get_or_insert_default().push(grant);
        }
        _ => {
            let policy = Arc::make_mut(&mut to.spec.policy);
            let key = text(&reason.object);
            policy.spread.retain(|spread| super::tell::key_name(&spread.key) != key);
            policy.max_share.retain(|share| super::tell::key_name(&share.key) != key);
        }
    }
    Some(to)
}

/// Tries every change that is named; answers how many were made, by the code of their reason.
fn tried(seed: u64) -> BTreeMap<Code, usize> {
    let mut dice = Dice::new(seed);
    let mut fleet = fixture::fleet(&mut dice, 6);
    if dice.one_in(2) {
        fleet.tiers.clear();
        fleet.tenants.iter_mut().for_each(|tenant| tenant.tier = None);
    }
    let hard = !dice.one_in(3);
    let mut made_of: BTreeMap<Code, usize> = BTreeMap::new();
    for n in 0..6 {
        let mut spec = fixture::spec(&mut dice, n, hard);
        spec.replicas = 1 + dice.int(3);
        let world = World { fleet: fleet.clone(), spec };
        let changes = Changes { specs: vec![world.spec.clone()], ..Changes::default() };
        let snapshot = Snapshot::new(fleet.clone()).unwrap();
        let told = explain(&snapshot, &changes, &world.spec.key, now()).unwrap().unwrap();
        if told.decision.status == Status::Placed {
            continue;
        }
        for (cluster, change) in &told.one_change {
            let to = match told.clusters.iter().find(|one| one.cluster == *cluster) {
                Some(cluster) => made(&world, cluster, change),
                None => eased(&world, &change.reasons[0]),
            };
            let Some(to) = to else { continue };
            *made_of.entry(change.reasons[0].code).or_default() += 1;
            let again = World { fleet: to.fleet.clone(), spec: to.spec.clone() };
            if to.placed() {
                continue;
            }
            let changes = Changes { specs: vec![again.spec.clone()], ..Changes::default() };
            let told =
                explain(&Snapshot::new(again.fleet).unwrap(), &changes, &again.spec.key, now()).unwrap().unwrap();
            let there = told.clusters.into_iter().find(|one| one.cluster == *cluster);
            let left: Vec<Change> = there.map(|one| one.changes).unwrap_or_default();
            // How nodes are labelled is judged of pools that nothing else refuses, so it shows only now. Nodes that tell
            // their zone and platform, as ours do, have no such obstacle.
            let labels = |one: &Change| matches!(one.rule, Some(Rule::NodeAffinity | Rule::Separation));
            // What is known of nodes is held against what an image needs, so it shows only when there is an image.
            let facts = |one: &Change| {
                let unknown = [Code::PageSizeUnknown, Code::AbiWorldUndeclared, Code::AbiWorldUnknown];
                change.reasons[0].code == Code::NoManifestForPlatform
                    && one.reasons.iter().all(|reason| unknown.contains(&reason.code))
            };
            let later = !left.is_empty() && left.iter().all(|one| labels(one) || facts(one));
            assert!(later, "seed {seed}: {cluster} {change:?}\n{:?}\n{left:?}", told.decision.limits);
        }
    }
    made_of
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_one_change_that_is_named_is_enough_when_it_is_made(seed in any::<u64>()) {
        tried(seed);
    }
}

#[test]
fn the_changes_that_are_tried_are_of_many_rules() {
    let mut all: BTreeMap<Code, usize> = BTreeMap::new();
    for seed in 0..600 {
        for (code, count) in tried(seed) {
            *all.entry(code).or_default() += count;
        }
    }
    assert!(all.len() >= 16, "{all:?}");
}
