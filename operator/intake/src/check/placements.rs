//! Placement rules against the fleet: selectors that match no cluster, weights without weight, groups there are not.
//!
//! Nothing is said about a fleet without clusters. Whether a workload fits is the engine's to decide.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{
    ChangeFreeze, ClusterSelector, MemberCluster, PlacementRules, Site, Spread, Strength, TopologyKey,
};
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity, Value};

use crate::convert::{Places, labels};
use crate::objects::{Item, named};

use super::scene::{Field, Scene, input, weigh};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let fleet = Fleet::new(scene);
    freezes(&fleet, out);
    without_workload(scene, out);
    for item in input(&scene.objects.workloads) {
        let at = Field::new(&item.document, "/spec");
        if let Some(rules) = &item.object.spec.placement {
            check_rules(&fleet, rules, &at.down("placement"), out);
        }
        for (index, stage) in item.object.spec.rollout.iter().flat_map(|rollout| &rollout.stages).enumerate() {
            let at = at.down("rollout").at("stages", index).down("clusters");
            if let Some(clusters) = &stage.clusters {
                check_selector(&fleet, clusters, &at, out);
            }
        }
    }
    for item in input(&scene.objects.policies) {
        check_rules(&fleet, &item.object.spec.placement, &Field::new(&item.document, "/spec/placement"), out);
    }
    for item in input(&scene.objects.cluster_policies) {
        check_rules(&fleet, &item.object.spec.placement, &Field::new(&item.document, "/spec/placement"), out);
    }
}

/// Placements whose workload is not there: what they hold is counted where they say what that is.
fn without_workload(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for (key, item) in &scene.objects.placements {
        let spec = &item.object.spec;
        let replicas = spec.clusters.iter().map(|cluster| i64::from(cluster.replicas)).fold(0, i64::saturating_add);
        if replicas > 0 && !scene.objects.workloads.contains_key(key) {
            let code = if spec.holds.is_some() { Code::PlacementReserved } else { Code::PlacementUncounted };
            let reason = Reason::new(code).object(item.document.object_ref().to_string()).seen(replicas);
            out.push(item.document.finding(reason, "/metadata/name"));
        }
    }
}

/// Freezes: a scope that takes no cluster, two of one scope at one time, and those that are over.
fn freezes(fleet: &Fleet<'_>, out: &mut Vec<Finding>) {
    let mut scopes: BTreeMap<String, Vec<&Item<ChangeFreeze>>> = BTreeMap::new();
    for item in input(&fleet.scene.objects.freezes) {
        let spec = &item.object.spec;
        let at = Field::new(&item.document, "/spec");
        if let Some(selector) = &spec.clusters {
            check_selector(fleet, selector, &at.down("clusters"), out);
        }
        if spec.end.0 <= fleet.scene.as_of {
            let reason = Reason::new(Code::TermExpired).object(item.document.name.as_str());
            let ended = at.down("end").finding(reason.seen(Value::Time(spec.end.0)));
            out.push(weigh(ended, Severity::Info));
        }
        let scope = serde_json::to_string(&(&spec.clusters, &spec.tenants)).unwrap_or_default();
        scopes.entry(scope).or_default().push(item);
    }
    for same in scopes.values_mut() {
        same.sort_by_key(|item| item.object.spec.start.0);
        for pair in same.windows(2) {
            if let [first, second] = pair
                && second.object.spec.start.0 < first.object.spec.end.0
            {
                let reason = Reason::new(Code::FreezeOverlap).object(second.document.name.as_str());
                let reason = reason.seen(first.document.name.as_str());
                out.push(second.document.finding(reason, "/spec/start"));
            }
        }
    }
}

/// A cluster with its site.
struct Member<'a> {
    item: &'a Item<MemberCluster>,
    site: Option<&'a Site>,
    labels: BTreeMap<String, String>,
}

struct Fleet<'a> {
    members: Vec<Member<'a>>,
    scene: &'a Scene<'a>,
    places: Places,
}

impl<'a> Fleet<'a> {
    fn new(scene: &'a Scene<'a>) -> Self {
        let objects = scene.objects;
        let member = |item: &'a Item<MemberCluster>| {
            let labels = labels(&item.object, named(&objects.sites, &item.object.spec.site));
            Member { item, site: scene.site(&item.object), labels }
        };
        let members = objects.clusters.values().map(member).collect();
        Self { members, scene, places: Places::new(&objects.clusters, &objects.sites) }
    }

    /// The clusters a selector takes, as the conversion for the engine reads it.
    fn matching(&self, selector: &ClusterSelector) -> Vec<&Member<'a>> {
        let affinity = self.places.affinity(selector);
        self.members.iter().filter(|member| affinity.matches(&member.item.document.name, &member.labels)).collect()
    }

    /// The groups of a key among some clusters; `None` when a cluster does not say to which it belongs.
    fn groups(&self, spread: &Spread, clusters: Option<&ClusterSelector>) -> Option<BTreeSet<String>> {
        let mut groups = BTreeSet::new();
        let members = clusters.map_or_else(|| self.members.iter().collect(), |selector| self.matching(selector));
        for member in members {
            let own = member.groups(spread, self.scene);
            if own.is_empty() {
                return None;
            }
            groups.extend(own);
        }
        Some(groups)
    }
}

impl Member<'_> {
    fn provider(&self) -> Option<&str> {
        let own = self.item.object.spec.provider.as_deref();
        own.or_else(|| self.site.map(|site| site.spec.provider.as_ref()))
    }

    /// The groups of a key the cluster belongs to, or may belong to; empty when that is not known.
    fn groups(&self, spread: &Spread, scene: &Scene<'_>) -> BTreeSet<String> {
        let spec = &self.item.object.spec;
        let region = |digits: usize| self.site.and_then(|site| site.spec.region.get(..digits)).map(str::to_owned);
        let pools = self.item.object.status.iter().flat_map(|status| &status.pools);
        let platforms = pools.clone().filter_map(|pool| pool.platform.as_deref());
        let platforms: BTreeSet<&str> =
            platforms.chain(spec.pool_facts.iter().filter_map(|facts| facts.platform.as_deref())).collect();
        match spread.key {
            TopologyKey::Cluster => BTreeSet::from([self.item.document.name.clone()]),
            TopologyKey::Site => BTreeSet::from([spec.site.to_string()]),
            TopologyKey::Prefecture => region(4).into_iter().collect(),
            TopologyKey::Province => region(2).into_iter().collect(),
            TopologyKey::Provider => self.provider().map(str::to_owned).into_iter().collect(),
            TopologyKey::Zone => {
                let stated = pools.filter_map(|pool| pool.zone.as_deref());
                let facts = spec.pool_facts.iter().filter_map(|facts| facts.zone.as_deref());
                stated.chain(facts).chain(spec.default_zone.as_deref()).map(str::to_owned).collect()
            }
            TopologyKey::Platform => platforms.into_iter().map(str::to_owned).collect(),
            TopologyKey::Brand => {
                let brand = |name| named(&scene.objects.platforms, name).map(|item| item.object.spec.brand);
                platforms.into_iter().filter_map(brand).map(|brand| format!("{brand:?}")).collect()
            }
            TopologyKey::Label => {
                let labels = self.item.object.metadata.labels.as_ref();
                let value = spread.label.as_deref().zip(labels).and_then(|(label, labels)| labels.get(label));
                value.cloned().into_iter().collect()
            }
        }
    }
}

fn check_rules(fleet: &Fleet<'_>, rules: &PlacementRules, at: &Field<'_>, out: &mut Vec<Finding>) {
    if let Some(selector) = &rules.clusters {
        check_selector(fleet, selector, &at.down("clusters"), out);
    }
    for (index, group) in rules.groups.iter().enumerate() {
        check_selector(fleet, &group.selector, &at.at("groups", index).down("selector"), out);
    }
    let replicas = at.down("replicas");
    for (index, weight) in rules.replicas.weights.iter().enumerate() {
        check_selector(fleet, &weight.selector, &replicas.at("weights", index).down("selector"), out);
    }
    for (index, change) in rules.overrides.iter().enumerate() {
        if let Some(selector) = &change.clusters {
            check_selector(fleet, selector, &at.at("overrides", index).down("clusters"), out);
        }
    }
    let weights = &rules.replicas.weights;
    if !weights.is_empty() && weights.iter().all(|weight| weight.weight == 0) {
        let at = replicas.down("weights");
        out.push(at.finding(Reason::new(Code::DivisionWeightless).object(at.name())));
    }
    for (index, spread) in rules.spread.iter().enumerate() {
        check_spread(fleet, rules, spread, &at.at("spread", index).down("minGroups"), out);
    }
}

/// A selector that takes no cluster, unless a name in it is unknown: that is told already.
fn check_selector(fleet: &Fleet<'_>, selector: &ClusterSelector, at: &Field<'_>, out: &mut Vec<Finding>) {
    let objects = fleet.scene.objects;
    if fleet.scene.refused_any(&["MemberCluster", "Site"]) {
        // It may be the one that is meant.
        return;
    }
    let known = selector.names.iter().all(|name| named(&objects.clusters, name).is_some())
        && selector.sites.iter().all(|name| named(&objects.sites, name).is_some());
    if known && !fleet.members.is_empty() && fleet.matching(selector).is_empty() {
        let seen = serde_json::to_value(selector).unwrap_or_default();
        let seen: BTreeMap<String, serde_json::Value> = serde_json::from_value(seen).unwrap_or_default();
        let seen: Vec<String> = seen.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        out.push(at.finding(Reason::new(Code::SelectorEmpty).object(at.name()).seen(seen.join("; "))));
    }
}

/// More groups wanted than the clusters that may be chosen have. A cluster that does not say its group could be of
/// any, so nothing is said then.
fn check_spread(fleet: &Fleet<'_>, rules: &PlacementRules, spread: &Spread, at: &Field<'_>, out: &mut Vec<Finding>) {
    // A cluster that was refused may be of any group.
    if fleet.scene.refused_any(&["MemberCluster", "Site"]) {
        return;
    }
    let Some(groups) = fleet.groups(spread, rules.clusters.as_ref()).filter(|groups| !groups.is_empty()) else {
        return;
    };
    let there = i64::try_from(groups.len()).unwrap_or(i64::MAX);
    if i64::from(spread.min_groups) > there {
        let reason = Reason::new(Code::GroupsTooFew).object(at.name());
        let finding = at.finding(reason.seen(there).wanted(i64::from(spread.min_groups)));
        out.push(match spread.strength {
            Strength::Required => finding,
            Strength::Preferred => weigh(finding, Severity::Info),
        });
    }
}
