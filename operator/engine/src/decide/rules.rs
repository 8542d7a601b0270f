//! Every rule on one cluster, told with its reasons. This is the meaning of the rules; [`super::verdicts`] is the same
//! for all clusters at once, and a property test holds the two equal.
//!
//! Rules about nodes are judged per pool; the cluster's answer is that of its best pool. Rules that depend on the
//! workload rather than its requirement (where its data is, what already runs) are added by the planner.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::tolerated;
use super::index::{Offer, Zoned, registry_of};
use super::input::{ClusterInput, ClusterState, Ownership, PoolInput, Reachability};
use super::nodes::{self, NodeSide};
use super::rule::{Answer, Check, Rule};
use super::spec::{Cause, Image, Requirement};
use super::tier::{self, region_within};
use super::view::{Demand, View};
use crate::detect::affinity::NodeAffinity;
use crate::detect::{self, Outcome, PoolFacts};
use crate::terms::{Code, Reason, Value};

/// The rules that are judged per pool.
pub(crate) const POOL_RULES: [Rule; 11] = [
    Rule::Zones,
    Rule::PoolZone,
    Rule::Reach,
    Rule::Architecture,
    Rule::Registry,
    Rule::Tee,
    Rule::Database,
    Rule::Accelerator,
    Rule::NodeLabels,
    Rule::NodeTaints,
    Rule::NodeAffinity,
];

/// Pool rules that the scheduler of the member knows nothing of: only the delivered affinity keeps pods off what they
/// refuse.
pub(crate) const UNSEEN: [Rule; 7] = [
    Rule::Zones,
    Rule::PoolZone,
    Rule::Reach,
    Rule::Architecture,
    Rule::Registry,
    Rule::Tee,
    Rule::Database,
];

/// One requirement against one cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) requirement: &'a Requirement,
    pub(crate) demand: &'a Demand,
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> Value {
    Value::List(items.into_iter().map(|item| item.to_string()).collect())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn fail(reason: Reason) -> Check {
    Check::because(Answer::Fail, reason)
}

fn unknown(reason: Reason) -> Check {
    Check::because(Answer::Unknown, reason)
}

impl<'a> Judge<'a> {
    /// The node affinity that delivery adds.
    pub(crate) fn derived(&self) -> &'a Result<NodeAffinity, Reason> {
        self.demand.affinity(self.view.snapshot, self.requirement)
    }

    /// Whether an answer keeps the cluster out.
    pub(crate) fn refuses(&self, answer: Answer) -> bool {
        answer == Answer::Fail || (answer == Answer::Unknown && self.demand.strict)
    }

    /// One rule on the cluster in a slot.
    pub(crate) fn check(&self, rule: Rule, slot: usize, cluster: &ClusterInput) -> Check {
        match rule {
            _ if POOL_RULES.contains(&rule) => cluster
                .pools
                .iter()
                // What may not be used needs no admission: its refusal is told by the rule it breaks.
                .filter(|pool| rule != Rule::NodeAffinity || !self.unfit(cluster, pool))
                .map(|pool| self.check_pool(rule, cluster, pool))
                .min_by_key(|check| check.answer)
                .unwrap_or_default(),
            Rule::Separation => self.separation(cluster),
            Rule::Pools => self.pools(cluster),
            Rule::Tenant => self.tenant(cluster),
            Rule::Regions => self.regions(cluster),
            Rule::Providers => self.providers(cluster),
            Rule::Classified if self.requirement.classified => fail(Reason::new(Code::ClassifiedRefused)),
            Rule::Tier => self.tier(slot, cluster),
            Rule::Protection => self.protection(slot),
            Rule::Jurisdiction => self.jurisdiction(cluster),
            Rule::Kinds => self.kinds(cluster),
            Rule::Freeze => self.freeze(cluster),
            Rule::State => match cluster.state {
                ClusterState::Active => Check::pass(),
                ClusterState::Draining => fail(Reason::new(Code::ClusterDraining)),
                ClusterState::Deleting => fail(Reason::new(Code::ClusterDeleting)),
            },
            Rule::Reachability => match cluster.reachability {
                Reachability::Reachable => Check::pass(),
                Reachability::Unknown => unknown(Reason::new(Code::ReachabilityUnknown)),
                Reachability::Unreachable => fail(Reason::new(Code::ClusterUnreachable)),
            },
            Rule::Taints => cluster
                .taints
                .iter()
                .filter(|taint| !tolerated(taint, &self.requirement.tolerations))
                .map(|taint| {
                    let effect = format!("{:?}", taint.effect);
                    fail(Reason::new(Code::TaintNotTolerated).object(&*taint.key).seen(&*taint.value).wanted(effect))
                })
                .fold(Check::pass(), Check::and),
            Rule::Affinity => self.affinity(cluster),
            Rule::Group => match self.group(cluster) {
                None if !self.requirement.groups.is_empty() => fail(Reason::new(Code::GroupMismatch)),
                _ => Check::pass(),
            },
            _ => Check::pass(),
        }
    }

    /// One pool rule on one pool.
    pub(crate) fn check_pool(&self, rule: Rule, cluster: &ClusterInput, pool: &PoolInput) -> Check {
        match rule {
            Rule::Zones => self.tenant_zone(&pool.zone),
            Rule::PoolZone => self.pool_zone(&pool.zone),
            Rule::Architecture => self.architecture(&pool.facts),
            Rule::Tee => self.tee(&pool.facts),
            Rule::Accelerator => self.accelerator(&pool.facts),
            Rule::Reach => self.reach(&Offer::of(cluster, &pool.zone)),
            Rule::Database => self.database(&Offer::of(cluster, &pool.zone)),
            Rule::Registry => {
                registry_of(cluster, &pool.zone).map_or_else(Check::pass, |registry| self.registry(registry))
            }
            Rule::NodeLabels => nodes::selected(&self.requirement.nodes, &NodeSide::of(pool)),
            Rule::NodeTaints => nodes::stands(&self.requirement.nodes, &NodeSide::of(pool)),
            Rule::NodeAffinity if !self.unfit(cluster, pool) => self.admitted(&pool.name, &NodeSide::of(pool).shown()),
            _ => Check::pass(),
        }
    }

    /// Whether a pool passes all pool rules.
    pub(crate) fn accepts(&self, cluster: &ClusterInput, pool: &PoolInput) -> bool {
        POOL_RULES.iter().all(|rule| !self.refuses(self.check_pool(*rule, cluster, pool).answer))
    }

    /// The first group of the placement that the cluster is in; 0 when there are no groups.
    pub(crate) fn group(&self, cluster: &ClusterInput) -> Option<usize> {
        let groups = &self.requirement.groups;
        if groups.is_empty() {
            return Some(0);
        }
        groups.iter().position(|group| group.matches(&cluster.name, &cluster.labels))
    }

    /// Whether a rule that the scheduler does not know refuses a pool.
    fn unfit(&self, cluster: &ClusterInput, pool: &PoolInput) -> bool {
        UNSEEN.iter().any(|rule| self.refuses(self.check_pool(*rule, cluster, pool).answer))
    }

    /// The derived affinity on the labels of a pool.
    pub(crate) fn admitted(&self, pool: &str, labels: &BTreeMap<String, String>) -> Check {
        match self.derived() {
            Ok(affinity) if !affinity.admits(labels) => {
                fail(Reason::new(Code::AffinityExcludes).object(pool).wanted(list(affinity.missing(labels))))
            }
            // Without an affinity nothing goes anywhere: see [`Rule::Separation`].
            Ok(_) | Err(_) => Check::pass(),
        }
    }

    /// Pods that go to an accepted pool of a cluster must not find their way to one that is refused.
    fn separation(&self, cluster: &ClusterInput) -> Check {
        let affinity = match self.derived() {
            Ok(affinity) => affinity,
            Err(reason) => return fail(reason.clone()),
        };
        if !cluster.pools.iter().any(|pool| self.accepts(cluster, pool)) {
            return Check::pass();
        }
        let open = |pool: &&PoolInput| {
            let side = NodeSide::of(pool);
            let seen = [Rule::Accelerator, Rule::NodeLabels, Rule::NodeTaints];
            affinity.admits(&side.shown())
                && seen.iter().all(|rule| self.check_pool(*rule, cluster, pool).answer != Answer::Fail)
        };
        let unfit = cluster.pools.iter().filter(|pool| self.unfit(cluster, pool) && open(pool));
        unfit
            .map(|pool| fail(Reason::new(Code::NotExpressible).object(&*pool.name).wanted(self.separator(cluster, pool))))
            .fold(Check::pass(), Check::and)
    }

    /// The label (or the option of NFD) that would keep pods off a pool.
    fn separator(&self, cluster: &ClusterInput, pool: &PoolInput) -> &'static str {
        let refused = |rule: &Rule| self.refuses(self.check_pool(*rule, cluster, pool).answer);
        match UNSEEN.iter().find(|rule| refused(rule)) {
            Some(Rule::Zones | Rule::PoolZone | Rule::Registry | Rule::Reach | Rule::Database) => detect::labels::ZONE,
            _ => {
                let policy = self.demand.policy(self.view.snapshot, self.requirement);
                let verdict = |image: &Image| detect::compatible(&image.entries, &image.needs, &pool.facts, &policy);
                let refused = self.requirement.images.iter().map(verdict).find(|verdict| !verdict.admitted);
                refused.map_or(detect::labels::PLATFORM, |verdict| detect::affinity::separator(&verdict))
            }
        }
    }

    fn pools(&self, cluster: &ClusterInput) -> Check {
        if cluster.pools.iter().any(|pool| self.accepts(cluster, pool)) {
            return Check::pass();
        }
        let names = list(cluster.pools.iter().map(|pool| &pool.name));
        fail(Reason::new(Code::NoPoolAccepted).seen(names))
    }

    fn tenant(&self, cluster: &ClusterInput) -> Check {
        let name = &self.requirement.tenant;
        let mut check = Check::pass();
        if self.demand.tenant_unknown {
            check = check.and(fail(Reason::new(Code::TenantUnknown).seen(&**name)));
        }
        if !cluster.dedicated_to.is_empty() && !cluster.dedicated_to.contains(name) {
            let reason = Reason::new(Code::ClusterDedicated).seen(list(&cluster.dedicated_to)).wanted(&**name);
            check = check.and(fail(reason));
        }
        if let Some(tenant) = self.view.snapshot.tenants.get(name)
            && !tenant.clusters.is_empty()
            && !tenant.clusters.contains(&cluster.name)
        {
            let reason = Reason::new(Code::ClusterNotAllowed).seen(&*cluster.name).wanted(list(&tenant.clusters));
            check = check.and(fail(reason));
        }
        check
    }

    fn regions(&self, cluster: &ClusterInput) -> Check {
        let tenant = self.view.snapshot.tenants.get(&self.requirement.tenant).map(|tenant| &tenant.regions);
        let mut check = Check::pass();
        for prefixes in [Some(&self.requirement.regions), tenant].into_iter().flatten().filter(|p| !p.is_empty()) {
            check = check.and(region(&cluster.region, prefixes));
        }
        check
    }

    fn providers(&self, cluster: &ClusterInput) -> Check {
        let tenant = self.view.snapshot.tenants.get(&self.requirement.tenant).map(|tenant| &tenant.providers);
        let mut check = Check::pass();
        for allowed in [Some(&self.requirement.providers), tenant].into_iter().flatten().filter(|p| !p.is_empty()) {
            check = check.and(provider(&cluster.provider, allowed));
        }
        check
    }

    fn tier(&self, slot: usize, cluster: &ClusterInput) -> Check {
        if let Some(name) = &self.demand.undefined {
            return fail(Reason::new(Code::TierUndefined).wanted(&**name));
        }
        let (certain, possible) = self.view.dated(slot).tiers;
        if certain >= self.demand.tiers {
            return Check::pass();
        }
        let name = |n: usize| -> Value {
            let tier = n.checked_sub(1).and_then(|at| self.view.snapshot.tiers.get(at));
            tier.map_or(Value::Int(number(n)), |tier| Value::Text(tier.name.clone()))
        };
        let (code, answer) = if possible >= self.demand.tiers {
            (Code::TierUnverified, Answer::Unknown)
        } else {
            (Code::TierTooLow, Answer::Fail)
        };
        let reason = Reason::new(code).object(self.missing_checks(cluster)).seen(name(certain));
        Check::because(answer, reason.wanted(name(self.demand.tiers)))
    }

    /// The checks that keep a cluster below the tier demanded, by tier, with the document each looked at.
    fn missing_checks(&self, cluster: &ClusterInput) -> Vec<String> {
        let demanded = self.view.snapshot.tiers.get(..self.demand.tiers).unwrap_or_default();
        let standing = tier::evaluate(cluster, demanded, self.view.as_of);
        let open = standing.checks.iter().filter(|result| !matches!(result.outcome, tier::CheckOutcome::Pass { .. }));
        open.map(|result| match &result.document {
            Some(document) => format!("{} ({document})", result.check),
            None => result.check.clone(),
        })
        .collect()
    }

    fn protection(&self, slot: usize) -> Check {
        let Some(wanted) = self.requirement.protection else { return Check::pass() };
        let (certain, possible) = self.view.dated(slot).protection;
        if certain >= wanted {
            return Check::pass();
        }
        let (code, answer) = if possible >= wanted {
            (Code::ProtectionUnverified, Answer::Unknown)
        } else {
            (Code::ProtectionTooLow, Answer::Fail)
        };
        Check::because(answer, Reason::new(code).seen(i64::from(certain)).wanted(i64::from(wanted)))
    }

    pub(crate) fn reach(&self, offer: &Offer) -> Check {
        offered(&self.requirement.reach, &offer.peers, Code::ReachNotOpened)
    }

    pub(crate) fn database(&self, offer: &Offer) -> Check {
        offered(&self.requirement.databases, &offer.databases, Code::DatabaseNotOffered)
    }

    fn jurisdiction(&self, cluster: &ClusterInput) -> Check {
        let (owners, wanted) = (&self.requirement.ownership, &self.requirement.jurisdictions);
        let mut check = Check::pass();
        let names = || list(owners.iter().map(|owner| format!("{owner:?}")));
        if !owners.is_empty() && cluster.ownership == Ownership::Unknown {
            check = check.and(unknown(Reason::new(Code::OwnershipUnknown).wanted(names())));
        } else if !owners.is_empty() && !owners.contains(&cluster.ownership) {
            let seen = format!("{:?}", cluster.ownership);
            check = check.and(fail(Reason::new(Code::OwnershipNotAllowed).seen(seen).wanted(names())));
        }
        if !wanted.is_empty() && cluster.jurisdictions.is_empty() {
            check = check.and(unknown(Reason::new(Code::JurisdictionUnknown).wanted(list(wanted))));
        } else if !wanted.is_empty() && !cluster.jurisdictions.is_subset(wanted) {
            let seen = list(&cluster.jurisdictions);
            check = check.and(fail(Reason::new(Code::JurisdictionNotAllowed).seen(seen).wanted(list(wanted))));
        }
        check
    }

    fn kinds(&self, cluster: &ClusterInput) -> Check {
        let unprofiled = self.requirement.unprofiled.iter();
        let mut check = unprofiled
            .map(|kind| fail(Reason::new(Code::KindNotUnderstood).object(&**kind)))
            .fold(Check::pass(), Check::and);
        match &cluster.kinds {
            _ if self.requirement.kinds.is_empty() => {}
            None => check = check.and(unknown(Reason::new(Code::KindsUnknown).wanted(list(&self.requirement.kinds)))),
            Some(served) => {
                for kind in self.requirement.kinds.difference(served) {
                    check = check.and(fail(Reason::new(Code::KindNotServed).object(&**kind).wanted(&**kind)));
                }
            }
        }
        check
    }

    fn freeze(&self, cluster: &ClusterInput) -> Check {
        if self.requirement.cause != Cause::Change {
            return Check::pass();
        }
        self.view
            .freezes
            .iter()
            .map(|(freeze, _)| freeze)
            .filter(|f| f.tenants.is_empty() || f.tenants.contains(&self.requirement.tenant))
            .filter(|f| f.clusters.as_ref().is_none_or(|which| which.matches(&cluster.name, &cluster.labels)))
            .map(|f| {
                let until = f.term.until.map_or(Value::Unknown, Value::Time);
                fail(Reason::new(Code::FreezeActive).object(&*f.name).seen(until))
            })
            .fold(Check::pass(), Check::and)
    }

    fn affinity(&self, cluster: &ClusterInput) -> Check {
        let affinity = &self.requirement.affinity;
        let mismatch = |key: &str, seen: Value, wanted: Value| {
            fail(Reason::new(Code::AffinityMismatch).object(key).seen(seen).wanted(wanted))
        };
        let mut check = Check::pass();
        if !affinity.names.is_empty() && !affinity.names.contains(&cluster.name) {
            check = check.and(mismatch("names", (&*cluster.name).into(), list(&affinity.names)));
        }
        if affinity.exclude.contains(&cluster.name) {
            check = check.and(mismatch("exclude", (&*cluster.name).into(), Value::Unknown));
        }
        let seen = |key: &str| cluster.labels.get(key).map_or(Value::Unknown, |value| Value::Text(value.clone()));
        for (key, value) in affinity.labels.iter().filter(|(key, value)| cluster.labels.get(*key) != Some(*value)) {
            check = check.and(mismatch(key, seen(key), (&**value).into()));
        }
        for expression in &affinity.expressions {
            if !expression.matches_value(cluster.labels.get(&expression.key).map(String::as_str)) {
                let wanted = std::iter::once(format!("{:?}", expression.operator)).chain(expression.values.clone());
                check = check.and(mismatch(&expression.key, seen(&expression.key), list(wanted)));
            }
        }
        check
    }

    pub(crate) fn tenant_zone(&self, zone: &str) -> Check {
        match self.view.snapshot.tenants.get(&self.requirement.tenant).map(|tenant| &tenant.zones) {
            Some(zones) if !zones.is_empty() && zone.is_empty() => {
                unknown(Reason::new(Code::ZoneUnknown).wanted(list(zones)))
            }
            Some(zones) if !zones.is_empty() && !zones.contains(zone) => {
                fail(Reason::new(Code::ZoneNotAllowed).seen(zone).wanted(list(zones)))
            }
            _ => Check::pass(),
        }
    }

    pub(crate) fn pool_zone(&self, zone: &str) -> Check {
        match &self.requirement.zone {
            Some(wanted) if zone.is_empty() => unknown(Reason::new(Code::ZoneUnknown).wanted(&**wanted)),
            Some(wanted) if wanted != zone => fail(Reason::new(Code::ZoneMismatch).seen(zone).wanted(&**wanted)),
            _ => Check::pass(),
        }
    }

    pub(crate) fn registry(&self, registry: &super::input::RegistryInput) -> Check {
        let absent = |code| {
            move |image: &Image| {
                Reason::new(code).object(&*image.name).seen(&*registry.host).wanted(&*image.name)
            }
        };
        match &registry.holds {
            None => self
                .requirement
                .images
                .iter()
                .map(absent(Code::ImageRegistryUnknown))
                .map(unknown)
                .fold(Check::pass(), Check::and),
            Some(held) => self
                .requirement
                .images
                .iter()
                .filter(|image| {
                    !held.contains(&image.name) && !digest_of(&image.name).is_some_and(|d| held.contains(d))
                })
                .map(absent(Code::ImageNotInRegistry))
                .map(fail)
                .fold(Check::pass(), Check::and),
        }
    }

    pub(crate) fn architecture(&self, facts: &PoolFacts) -> Check {
        let platforms = &self.requirement.platforms;
        let mut check = match &facts.platform {
            _ if platforms.is_empty() => Check::pass(),
            None => unknown(Reason::new(Code::PlatformNotKnown).seen(facts.name()).wanted(list(platforms))),
            Some(platform) if platforms.contains(platform) => Check::pass(),
            Some(platform) => fail(Reason::new(Code::PlatformNotAllowed).seen(&**platform).wanted(list(platforms))),
        };
        if self.requirement.images.is_empty() {
            return check;
        }
        let policy = self.demand.policy(self.view.snapshot, self.requirement);
        for image in &self.requirement.images {
            let verdict = detect::compatible(&image.entries, &image.needs, facts, &policy);
            let answer = match verdict.outcome {
                Outcome::Accept => continue,
                Outcome::AcceptWithWarning => Answer::Warn,
                Outcome::Unknown => Answer::Unknown,
                Outcome::Reject => Answer::Fail,
            };
            let reasons = verdict.binding().map(|judgement| judgement.reason.clone().about(&*image.name)).collect();
            check = check.and(Check { answer, reasons });
        }
        check
    }

    pub(crate) fn tee(&self, facts: &PoolFacts) -> Check {
        let wanted = &self.requirement.tee;
        if wanted.is_empty() || !wanted.is_disjoint(&facts.tee) {
            return Check::pass();
        }
        let names = list(wanted.iter().map(|tee| tee.as_str()));
        let seen = list(facts.tee.iter().map(|tee| tee.as_str()));
        if wanted.is_disjoint(&facts.tee_possible) {
            fail(Reason::new(Code::TeeAbsent).seen(seen).wanted(names))
        } else {
            unknown(Reason::new(Code::TeeUndeclared).seen(seen).wanted(names))
        }
    }

    pub(crate) fn accelerator(&self, facts: &PoolFacts) -> Check {
        let classes = &self.view.snapshot.architecture.accelerator_classes;
        let mut check = Check::pass();
        for need in &self.requirement.accelerators {
            let direct = BTreeSet::from([need.class.clone()]);
            let resources = match classes.get(&need.class) {
                Some(resources) => resources,
                None if need.class.contains('/') => &direct,
                None => {
                    check = check.and(unknown(Reason::new(Code::AcceleratorClassUnknown).wanted(&*need.class)));
                    continue;
                }
            };
            let most = resources.iter().filter_map(|name| facts.accelerators.get(name)).max().copied().unwrap_or(0);
            if most < need.count.max(1) {
                let reason = Reason::new(Code::AcceleratorAbsent).object(&*need.class).seen(most).wanted(need.count);
                check = check.and(fail(reason));
            }
        }
        check
    }
}

/// All of what is wanted, as a pool's zone is offered it.
fn offered(wanted: &BTreeSet<String>, zone: &Zoned, code: Code) -> Check {
    let told = |name: &String| {
        if zone.offered.contains(name) {
            return Check::pass();
        }
        match zone.perhaps.get(name) {
            Some(zones) => unknown(Reason::new(Code::ZoneUnknown).object(&**name).wanted(list(zones))),
            None => fail(Reason::new(code).object(&**name).seen(list(&zone.offered)).wanted(&**name)),
        }
    };
    wanted.iter().map(told).fold(Check::pass(), Check::and)
}

/// The digest of a reference by digest, which names the image in whatever registry.
fn digest_of(name: &str) -> Option<&str> {
    name.rsplit_once('@').map(|(_, digest)| digest)
}

/// Region against GB/T 2260 prefixes.
pub(crate) fn region(region: &str, prefixes: &BTreeSet<String>) -> Check {
    if region.is_empty() {
        unknown(Reason::new(Code::RegionNotStated).wanted(list(prefixes)))
    } else if prefixes.iter().any(|prefix| region_within(region, prefix)) {
        Check::pass()
    } else {
        fail(Reason::new(Code::RegionNotAllowed).seen(region).wanted(list(prefixes)))
    }
}

/// Provider against a list.
pub(crate) fn provider(provider: &str, allowed: &BTreeSet<String>) -> Check {
    if provider.is_empty() {
        unknown(Reason::new(Code::ProviderUnknown).wanted(list(allowed)))
    } else if allowed.contains(provider) {
        Check::pass()
    } else {
        fail(Reason::new(Code::ProviderNotAllowed).seen(provider).wanted(list(allowed)))
    }
}
