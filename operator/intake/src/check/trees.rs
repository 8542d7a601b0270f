//! Trees and graphs: tenants above tenants, quota and guardrails along them, systems and workloads that wait.
//!
//! Quota is enforced along the payer's tree (块 or 条), guardrails hold along both; the engine intersects them, so a
//! child that allows more is a mistake in words, not a way out.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::{Name, RegionCode};
use jiuzhou_api::v1alpha1::{Allowed, QuotaParent, Tenant};
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::quantity::Quantity;

use crate::objects::{Item, Key, named};

use super::scene::{Scene, covers, full_name, input};

/// Ancestors looked at; China has six levels of government.
const LEVELS: usize = 32;

/// Members of a cycle named in a finding.
const STEPS: usize = 8;

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    tenant_cycles(scene, out);
    system_cycles(scene, out);
    workload_cycles(scene, out);
    guardrails(scene, out);
    grants(scene, out);
}

fn block(tenant: &Tenant) -> Option<&Name> {
    tenant.spec.block_parent.as_ref()
}

fn line(tenant: &Tenant) -> Option<&Name> {
    tenant.spec.line_parent.as_ref()
}

fn payer(tenant: &Tenant) -> Option<&Name> {
    match tenant.spec.quota_parent {
        QuotaParent::Block => block(tenant),
        QuotaParent::Line => line(tenant),
    }
}

type Parent = fn(&Tenant) -> Option<&Name>;

fn tenant_cycles(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut told: BTreeSet<Vec<&str>> = BTreeSet::new();
    let trees: [(Parent, &str); 3] =
        [(block, "/spec/blockParent"), (line, "/spec/lineParent"), (payer, "/spec/quotaParent")];
    for (parent, pointer) in trees {
        let edges = scene.objects.tenants.values();
        let edges = edges.map(|item| (item.document.name.as_str(), parent(&item.object).map(AsRef::as_ref)));
        let edges: BTreeMap<&str, Vec<&str>> = edges.map(|(name, up)| (name, up.into_iter().collect())).collect();
        for mut cycle in cycles(&edges) {
            let mut members = cycle.clone();
            members.sort_unstable();
            // The payer's tree is made of the other two; a cycle of one of those is told once.
            if !told.insert(members) {
                continue;
            }
            // Every tenant of the circle is told: each may be the one that is wrong.
            for _ in 0..cycle.len() {
                if let Some(item) = cycle.first().and_then(|name| named(&scene.objects.tenants, name)) {
                    let reason = Reason::new(Code::TenantCycle).object(item.document.name.as_str());
                    out.push(item.document.finding(reason.seen(round(&cycle)), pointer));
                }
                cycle.rotate_left(1);
            }
        }
    }
}

/// `a → b → a`; the middle of a long way is left out.
fn round(cycle: &[&str]) -> String {
    let mut steps: Vec<&str> = cycle.iter().take(STEPS).copied().collect();
    if cycle.len() > STEPS {
        steps.push("…");
    }
    steps.extend(cycle.first());
    steps.join(" → ")
}

fn system_cycles(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let systems = &scene.objects.systems;
    let mut edges: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for (key, item) in systems {
        let end = |other: &jiuzhou_api::v1alpha1::SystemReference| {
            (other.namespace.as_deref().unwrap_or(&key.0).to_owned(), other.name.to_string())
        };
        edges.insert(key.clone(), item.object.spec.depends_on.iter().map(end).collect());
    }
    for cycle in cycles(&edges) {
        let names: Vec<String> = cycle.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
        if let Some(item) = cycle.first().and_then(|key| systems.get(key)) {
            out.push(waits(item, &names));
        }
    }
}

fn workload_cycles(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let workloads = &scene.objects.workloads;
    let mut edges: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for (key, item) in workloads {
        let ends = item.object.spec.depends_on.iter().map(|name| (key.0.clone(), name.to_string()));
        edges.insert(key.clone(), ends.collect());
    }
    for cycle in cycles(&edges) {
        let names: Vec<String> = cycle.iter().map(|(_, name)| name.clone()).collect();
        if let Some(item) = cycle.first().and_then(|key| workloads.get(key)) {
            out.push(waits(item, &names));
        }
    }
}

fn waits<T>(item: &Item<T>, cycle: &[String]) -> Finding {
    let names: Vec<&str> = cycle.iter().map(String::as_str).collect();
    let reason = Reason::new(Code::DependencyCycle).object(full_name(&item.document)).seen(round(&names));
    item.document.finding(reason, "/spec/dependsOn")
}

/// One cycle of every part of a graph that has one, each starting at its smallest node. Linear in nodes and edges.
fn cycles<K: Ord + Clone>(edges: &BTreeMap<K, Vec<K>>) -> Vec<Vec<K>> {
    // Take away, again and again, what waits for nothing: what is left is on a cycle or leads to one.
    let mut waiting_for: BTreeMap<&K, usize> = BTreeMap::new();
    let mut wanted_by: BTreeMap<&K, Vec<&K>> = BTreeMap::new();
    for (from, ends) in edges {
        let ends: BTreeSet<&K> = ends.iter().filter(|end| edges.contains_key(end)).collect();
        waiting_for.insert(from, ends.len());
        ends.into_iter().for_each(|end| wanted_by.entry(end).or_default().push(from));
    }
    let mut free: Vec<&K> = waiting_for.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
    while let Some(node) = free.pop() {
        waiting_for.remove(node);
        for from in wanted_by.get(node).into_iter().flatten() {
            if let Some(count) = waiting_for.get_mut(from) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(from);
                }
            }
        }
    }
    let mut seen: BTreeSet<&K> = BTreeSet::new();
    let mut found = Vec::new();
    for start in waiting_for.keys() {
        let (mut path, mut place) = (Vec::new(), BTreeMap::new());
        let mut node = *start;
        while seen.insert(node) {
            place.insert(node, path.len());
            path.push(node);
            let ends = edges.get(node).into_iter().flatten();
            // Every node left has an end that is left.
            let Some(next) = ends.filter(|end| waiting_for.contains_key(end)).min() else { break };
            node = next;
        }
        if let Some(cycle) = place.get(node).and_then(|from| path.get(*from..)) {
            let smallest = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
            let (tail, head) = cycle.split_at(smallest);
            found.push(head.iter().chain(tail).map(|node| (*node).clone()).collect());
        }
    }
    found
}

/// Every tenant against the nearest tenant above it, in both trees, that limits the same thing.
fn guardrails(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.tenants) {
        let mut told: BTreeSet<(String, String)> = BTreeSet::new();
        let trees: [Parent; 2] = [block, line];
        for parent in trees {
            let above = ancestors(scene, item, parent);
            for (pointer, seen, wanted) in looser(scene, &item.object.spec.allowed, &above) {
                if told.insert((pointer.clone(), seen.clone())) {
                    let reason = Reason::new(Code::GuardrailLooser).object(item.document.name.as_str());
                    out.push(item.document.finding(reason.seen(seen).wanted(wanted), &pointer));
                }
            }
        }
    }
}

fn ancestors<'a>(scene: &Scene<'a>, item: &Item<Tenant>, parent: Parent) -> Vec<&'a Allowed> {
    let mut above = Vec::new();
    let mut next = parent(&item.object).and_then(|name| named(&scene.objects.tenants, name));
    while let Some(item) = next.filter(|_| above.len() < LEVELS) {
        above.push(&item.object.spec.allowed);
        next = parent(&item.object).and_then(|name| named(&scene.objects.tenants, name));
    }
    above
}

/// One of the lists of names of a guardrail.
type List = fn(&Allowed) -> &[Name];

/// What `allowed` permits beyond the nearest of `above` that limits it: pointer, value, the values permitted there.
fn looser(scene: &Scene<'_>, allowed: &Allowed, above: &[&Allowed]) -> Vec<(String, String, Vec<String>)> {
    let mut found = Vec::new();
    let texts = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let lists: [(&str, List); 3] =
        [("zones", |a| &a.zones), ("providers", |a| &a.providers), ("clusters", |a| &a.clusters)];
    for (field, list) in lists {
        let Some(limit) = above.iter().map(|a| list(a)).find(|limit| !limit.is_empty()) else { continue };
        let limit: BTreeSet<&Name> = limit.iter().collect();
        for (index, name) in list(allowed).iter().enumerate().filter(|(_, name)| !limit.contains(name)) {
            let names: Vec<Name> = limit.iter().map(|name| (*name).clone()).collect();
            found.push((format!("/spec/allowed/{field}/{index}"), name.to_string(), texts(&names)));
        }
    }
    if let Some(limit) = above.iter().map(|a| &a.regions).find(|limit| !limit.is_empty()) {
        let outside = |region: &RegionCode| !limit.iter().any(|wide| covers(wide, region));
        for (index, region) in allowed.regions.iter().enumerate().filter(|(_, region)| outside(region)) {
            let names = limit.iter().map(ToString::to_string).collect();
            found.push((format!("/spec/allowed/regions/{index}"), region.to_string(), names));
        }
    }
    let rank = |tier: &Name| named(&scene.objects.tiers, tier).map(|item| item.object.spec.rank);
    let limit = above.iter().find_map(|a| a.min_tier.as_ref());
    if let (Some(own), Some(limit)) = (&allowed.min_tier, limit)
        && let (Some(low), Some(high)) = (rank(own), rank(limit))
        && low < high
    {
        found.push(("/spec/allowed/minTier".to_owned(), own.to_string(), vec![limit.to_string()]));
    }
    found
}

/// Amounts by platform (empty: any) and resource.
type Amounts = BTreeMap<(String, String), Quantity>;

/// The grants of the children that hold on the day, added, against the parent's.
fn grants(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut children: BTreeMap<&str, Amounts> = BTreeMap::new();
    for item in scene.objects.tenants.values() {
        if let Some(parent) = payer(&item.object) {
            add(children.entry(parent.as_ref()).or_default(), granted(scene, &item.object));
        }
    }
    for item in input(&scene.objects.tenants) {
        let Some(below) = children.get(item.document.name.as_str()) else { continue };
        for ((platform, resource), own) in granted(scene, &item.object) {
            let key = (platform, resource);
            let Some(sum) = below.get(&key).filter(|sum| sum.nanos() > own.nanos()) else { continue };
            let reason = Reason::new(Code::GrantAboveParent).object(format!("{} {}", item.document.name, key.1));
            out.push(item.document.finding(reason.seen(sum.to_string()).wanted(own.to_string()), "/spec/quota"));
        }
    }
}

fn granted(scene: &Scene<'_>, tenant: &Tenant) -> Amounts {
    let mut sum = Amounts::new();
    let holds = |until: Option<&str>| until.is_none_or(|until| scene.today.as_str() <= until);
    for grant in &tenant.spec.quota {
        if *grant.from <= *scene.today && holds(grant.until.as_deref()) {
            let platform = grant.platform.as_deref().unwrap_or_default();
            // What is no quantity is a finding of the schema.
            let amounts = grant
                .hard
                .iter()
                .filter_map(|(name, text)| Some(((platform.to_owned(), name.clone()), Quantity::parse(&text.0).ok()?)));
            add(&mut sum, amounts.collect());
        }
    }
    sum
}

fn add(sum: &mut Amounts, more: Amounts) {
    for (key, amount) in more {
        let total = sum.get(&key).map_or(Some(amount), |old| old.checked_add(amount));
        if let Some(total) = total {
            sum.insert(key, total);
        }
    }
}

#[cfg(test)]
mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is found is a cycle; where nothing is found, the nodes can be put in order.
        #[test]
        fn cycles_are_found_exactly_where_there_are_some(pairs in prop::collection::vec((0u8..9, 0u8..9), 0..16)) {
            let mut edges: BTreeMap<u8, Vec<u8>> = (0..9).map(|node| (node, Vec::new())).collect();
            for (from, to) in &pairs {
                edges.get_mut(from).unwrap().push(*to);
            }
            let found = cycles(&edges);
            for cycle in &found {
                let steps = cycle.iter().zip(cycle.iter().cycle().skip(1));
                prop_assert!(!cycle.is_empty() && steps.into_iter().all(|(a, b)| edges[a].contains(b)));
            }
            let mut left = edges.clone();
            while let Some(node) = left.iter().find(|(_, ends)| !ends.iter().any(|e| left.contains_key(e))) {
                let node = *node.0;
                left.remove(&node);
            }
            prop_assert_eq!(left.is_empty(), found.is_empty());
        }
    }
}
