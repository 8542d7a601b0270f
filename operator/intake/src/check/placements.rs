//! Placement rules against the fleet: selectors that match no cluster, weights without weight, groups there are not.
//!
//! Nothing is said about a fleet without clusters. Whether a workload fits is the engine's to decide.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{
    ClusterSelector, LabelExpression, LabelOperator, MemberCluster, PlacementRules, Site, Spread, Strength, TopologyKey,
};
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity};

use crate::objects::{Item, named};

use super::scene::{Field, Scene, covers, input, weigh};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let fleet = Fleet::new(scene);
    for item in input(&scene.objects.workloads) {
        let at = Field::new(&item.document, "/spec");
        if let Some(rules) = &item.object.spec.placement {
            check_rules(&fleet, rules, &at.down("placement"), out);
        }
        for (index, stage) in item.object.spec.rollout.iter().flat_map(|rollout| &rollout.stages).enumerate() {
            let at = at.down("rollout").at("stages", index).down("clusters");
            check_selector(&fleet, &stage.clusters, &at, out);
        }
    }
    for item in input(&scene.objects.policies) {
        check_rules(&fleet, &item.object.spec.placement, &Field::new(&item.document, "/spec/placement"), out);
    }
    for item in input(&scene.objects.cluster_policies) {
        check_rules(&fleet, &item.object.spec.placement, &Field::new(&item.document, "/spec/placement"), out);
    }
}

/// A cluster with its site.
struct Member<'a> {
    item: &'a Item<MemberCluster>,
    site: Option<&'a Site>,
}

struct Fleet<'a> {
    members: Vec<Member<'a>>,
    scene: &'a Scene<'a>,
}

impl<'a> Fleet<'a> {
    fn new(scene: &'a Scene<'a>) -> Self {
        let member = |item: &'a Item<MemberCluster>| Member { item, site: scene.site(&item.object) };
        Self { members: scene.objects.clusters.values().map(member).collect(), scene }
    }

    fn matching(&self, selector: &'a ClusterSelector) -> impl Iterator<Item = &Member<'a>> {
        self.members.iter().filter(|member| member.matches(selector))
    }

    /// The groups of a key among some clusters; `None` when a cluster does not say to which it belongs.
    fn groups(&self, key: TopologyKey, clusters: Option<&'a ClusterSelector>) -> Option<BTreeSet<String>> {
        let mut groups = BTreeSet::new();
        for member in self.members.iter().filter(|member| clusters.is_none_or(|selector| member.matches(selector))) {
            let own = member.groups(key, self.scene);
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

    fn matches(&self, selector: &ClusterSelector) -> bool {
        let ClusterSelector {
            names,
            exclude_names,
            sites,
            regions,
            providers,
            forms,
            places,
            ownerships,
            labels,
            expressions,
        } = selector;
        let (spec, name) = (&self.item.object.spec, self.item.document.name.as_str());
        let own = self.item.object.metadata.labels.as_ref();
        let label = |key: &str| own.and_then(|labels| labels.get(key)).map(String::as_str);
        let region = self.site.map(|site| site.spec.region.as_ref());
        (names.is_empty() || names.iter().any(|n| *n == name))
            && !exclude_names.iter().any(|n| *n == name)
            && (sites.is_empty() || sites.contains(&spec.site))
            && (regions.is_empty() || region.is_some_and(|own| regions.iter().any(|wide| covers(wide, own))))
            && (providers.is_empty() || self.provider().is_some_and(|own| providers.iter().any(|p| *p == own)))
            && (forms.is_empty() || forms.contains(&spec.form))
            && (places.is_empty() || places.contains(&spec.place))
            && (ownerships.is_empty() || ownerships.contains(&spec.ownership))
            && labels.iter().all(|(key, value)| label(key) == Some(value.as_str()))
            && expressions.iter().all(|expression| holds(expression, label(&expression.key)))
    }

    /// The groups of a key the cluster belongs to, or may belong to; empty when that is not known.
    fn groups(&self, key: TopologyKey, scene: &Scene<'_>) -> BTreeSet<String> {
        let spec = &self.item.object.spec;
        let region = |digits: usize| self.site.and_then(|site| site.spec.region.get(..digits)).map(str::to_owned);
        let pools = self.item.object.status.iter().flat_map(|status| &status.pools);
        let platforms = pools.clone().filter_map(|pool| pool.platform.as_deref());
        let platforms: BTreeSet<&str> =
            platforms.chain(spec.pool_facts.iter().filter_map(|facts| facts.platform.as_deref())).collect();
        match key {
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
        }
    }
}

fn holds(expression: &LabelExpression, own: Option<&str>) -> bool {
    let listed = || own.is_some_and(|own| expression.values.iter().any(|value| *value == own));
    match expression.operator {
        LabelOperator::In => listed(),
        LabelOperator::NotIn => !listed(),
        LabelOperator::Exists => own.is_some(),
        LabelOperator::DoesNotExist => own.is_none(),
    }
}

fn check_rules<'a>(fleet: &Fleet<'a>, rules: &'a PlacementRules, at: &Field<'_>, out: &mut Vec<Finding>) {
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
fn check_selector<'a>(fleet: &Fleet<'a>, selector: &'a ClusterSelector, at: &Field<'_>, out: &mut Vec<Finding>) {
    let objects = fleet.scene.objects;
    let known = selector.names.iter().all(|name| named(&objects.clusters, name).is_some())
        && selector.sites.iter().all(|name| named(&objects.sites, name).is_some());
    if known && !fleet.members.is_empty() && fleet.matching(selector).next().is_none() {
        let seen = serde_json::to_value(selector).unwrap_or_default();
        let seen: BTreeMap<String, serde_json::Value> = serde_json::from_value(seen).unwrap_or_default();
        let seen: Vec<String> = seen.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        out.push(at.finding(Reason::new(Code::SelectorEmpty).object(at.name()).seen(seen.join("; "))));
    }
}

/// More groups wanted than the clusters that may be chosen have. A cluster that does not say its group could be of
/// any, so nothing is said then.
fn check_spread<'a>(
    fleet: &Fleet<'a>,
    rules: &'a PlacementRules,
    spread: &Spread,
    at: &Field<'_>,
    out: &mut Vec<Finding>,
) {
    let Some(groups) = fleet.groups(spread.key, rules.clusters.as_ref()).filter(|groups| !groups.is_empty()) else {
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
