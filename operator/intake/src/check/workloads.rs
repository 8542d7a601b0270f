//! Workloads against their system and tenant, and placement policies nobody uses.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::Name;
use jiuzhou_api::v1alpha1::{DataClass, FleetWorkload};
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity};

use crate::objects::{Item, Key, named};

use super::scene::{Field, Scene, covers, full_name, input, weigh};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let floors = tier_floors(scene);
    for item in input(&scene.objects.workloads) {
        against_system(scene, item, &floors, out);
        against_tenant(scene, item, out);
    }
    policies_unused(scene, out);
}

/// The highest tier that a class of data needs at least: rank and name.
fn tier_floors<'a>(scene: &Scene<'a>) -> BTreeMap<DataClass, (i32, &'a str)> {
    let mut floors = BTreeMap::new();
    for item in scene.objects.tiers.values() {
        let own = (item.object.spec.rank, item.document.name.as_str());
        for class in &item.object.spec.data_classes {
            let floor = floors.entry(*class).or_insert(own);
            *floor = own.max(*floor);
        }
    }
    floors
}

/// Class, tier and protection may be stricter than the system's, never looser.
fn against_system(
    scene: &Scene<'_>,
    item: &Item<FleetWorkload>,
    floors: &BTreeMap<DataClass, (i32, &str)>,
    out: &mut Vec<Finding>,
) {
    let needs = &item.object.spec.requirements;
    let Some(system) = scene.system(&item.document.namespace, &item.object.spec.system) else { return };
    let system = &system.object.spec;
    let at = Field::new(&item.document, "/spec/requirements");
    let mut looser = |field: &str, seen: String, wanted: String| {
        let at = at.down(field);
        out.push(at.finding(Reason::new(Code::RequirementLooser).object(at.name()).seen(seen).wanted(wanted)));
    };
    let class = system.data_class.class;
    if let Some(own) = needs.data_class.filter(|own| *own < class) {
        looser("dataClass", format!("{own:?}"), format!("{class:?}"));
    }
    if let (Some(own), Some(level)) = (needs.protection_level, system.protection.as_ref().map(|p| p.level))
        && own < level
    {
        looser("protectionLevel", own.to_string(), level.to_string());
    }
    let class = needs.data_class.unwrap_or_default().max(class);
    if let (Some(own), Some((rank, tier))) = (&needs.min_tier, floors.get(&class))
        && named(&scene.objects.tiers, own).is_some_and(|own| own.object.spec.rank < *rank)
    {
        looser("minTier", own.to_string(), (*tier).to_owned());
    }
}

/// What a workload asks for beyond what its tenant allows: nothing would be accepted.
fn against_tenant(scene: &Scene<'_>, item: &Item<FleetWorkload>, out: &mut Vec<Finding>) {
    let needs = &item.object.spec.requirements;
    let Some([owner]) = scene.owners.get(item.document.namespace.as_str()).map(Vec::as_slice) else { return };
    let allowed = &owner.object.spec.allowed;
    let at = Field::new(&item.document, "/spec/requirements");
    let mut looser = |at: Field<'_>, seen: &str, wanted: Vec<String>| {
        let reason = Reason::new(Code::GuardrailLooser).object(full_name(&item.document));
        out.push(at.finding(reason.seen(seen).wanted(wanted)));
    };
    if !allowed.regions.is_empty() {
        // A wider region than allowed is fine: the intersection is not empty.
        let outside = |code: &str| !allowed.regions.iter().any(|own| covers(own, code) || covers(code, own));
        for (index, region) in needs.regions.iter().enumerate().filter(|(_, region)| outside(region)) {
            looser(at.at("regions", index), region, allowed.regions.iter().map(ToString::to_string).collect());
        }
    }
    if let Some(zone) = needs.zone.as_ref().filter(|zone| !allowed.zones.is_empty() && !allowed.zones.contains(zone)) {
        looser(at.down("zone"), zone, allowed.zones.iter().map(ToString::to_string).collect());
    }
    let rank = |tier: &Name| named(&scene.objects.tiers, tier).map(|item| item.object.spec.rank);
    if let (Some(own), Some(limit)) = (&needs.min_tier, &allowed.min_tier)
        && let (Some(low), Some(high)) = (rank(own), rank(limit))
        && low < high
    {
        looser(at.down("minTier"), own, vec![limit.to_string()]);
    }
}

/// A policy is used by a workload that names it, or as the default of a tenant.
fn policies_unused(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut used: BTreeSet<Key> = BTreeSet::new();
    let mut take = |namespace: &str, policy: &Name| {
        let own = (namespace.to_owned(), policy.to_string());
        if scene.objects.policies.contains_key(&own) {
            used.insert(own);
        } else {
            used.insert((String::new(), policy.to_string()));
        }
    };
    for item in scene.objects.workloads.values() {
        if let Some(policy) = &item.object.spec.placement_policy {
            take(&item.document.namespace, policy);
        }
    }
    for item in scene.objects.tenants.values() {
        let spec = &item.object.spec;
        for namespace in &spec.namespaces {
            spec.default_policy.iter().for_each(|policy| take(&namespace.name, policy));
        }
    }
    let fleet = input(&scene.objects.cluster_policies).map(|item| &item.document);
    for document in input(&scene.objects.policies).map(|item| &item.document).chain(fleet) {
        if !used.contains(&(document.namespace.clone(), document.name.clone())) {
            let reason = Reason::new(Code::PolicyUnused).object(document.name.as_str());
            let finding = document.finding(reason, "/metadata/name");
            // A refused object may be the one that uses it.
            let unsure = scene.refused_any(&["FleetWorkload", "Tenant"]);
            out.push(if unsure { weigh(finding, Severity::Info) } else { finding });
        }
    }
}
