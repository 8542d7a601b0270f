//! Every rule on one cluster, told with its reasons. This is the meaning of the rules; [`super::verdicts`] is the same
//! for all clusters at once, and a property test holds the two equal.
//!
//! Rules about nodes are judged per pool; the cluster's answer is that of its best pool. Rules that depend on the
//! workload rather than its requirement (where its data is, what already runs) are added by the planner.

use std::collections::BTreeSet;

use super::affinity::tolerated;
use super::input::{ClusterInput, ClusterState, Ownership, Reachability};
use super::pool_rules::POOL_RULES;
use super::rule::{Answer, Check, Rule};
use super::spec::{Cause, Requirement};
use super::tier::{self, region_within};
use super::view::{Demand, PartDemand, View};
use crate::detect::affinity::NodeAffinity;
use crate::terms::{Code, Reason, Value};

/// One requirement against one cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) requirement: &'a Requirement,
    pub(crate) demand: &'a Demand,
}

pub(crate) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> Value {
    Value::List(items.into_iter().map(|item| item.to_string()).collect())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn fail(reason: Reason) -> Check {
    Check::because(Answer::Fail, reason)
}

pub(crate) fn unknown(reason: Reason) -> Check {
    Check::because(Answer::Unknown, reason)
}

/// Rules about all nodes of a cluster.
const OF_NODES: [Rule; 2] = [Rule::Separation, Rule::Pools];

/// Says of which part something is said.
pub(crate) fn named(part: &str, check: Check) -> Check {
    let tell = |reason: Reason| {
        if part.is_empty() {
            return reason;
        }
        let about = match &reason.about {
            Value::Text(image) => format!("{part}: {image}"),
            _ => part.to_owned(),
        };
        reason.about(about)
    };
    check.told(tell)
}

impl<'a> Judge<'a> {
    /// The node affinity that delivery adds.
    pub(crate) fn derived(&self) -> &'a Result<NodeAffinity, Reason> {
        self.demand.affinity(self.view.snapshot, self.requirement)
    }

    /// Whether what is not known keeps the cluster out.
    pub(crate) fn strict(&self) -> bool {
        self.demand.strict
    }

    /// Whether an answer keeps the cluster out.
    pub(crate) fn refuses(&self, answer: Answer) -> bool {
        answer == Answer::Fail || (answer == Answer::Unknown && self.demand.strict)
    }

    /// Whether its pods have nodes of their own by part.
    pub(crate) fn has_parts(&self) -> bool {
        !self.demand.parts.is_empty()
    }

    /// The judges of its parts with their names; itself where there are none.
    pub(crate) fn parts(&self) -> Vec<(&'a str, Judge<'a>)> {
        let of = |part: &'a PartDemand| {
            let judge = Judge { view: self.view, requirement: &part.requirement, demand: &part.demand };
            (part.name.as_str(), judge)
        };
        if self.has_parts() { self.demand.parts.iter().map(of).collect() } else { vec![("", *self)] }
    }

    /// A rule about nodes where pods have nodes of their own: what it says to the part that fares worst. Parts that hold
    /// nobody up are only kept off nodes that are refused.
    fn of_parts(&self, rule: Rule, slot: usize, cluster: &ClusterInput) -> Check {
        let parts = self.parts().into_iter().filter(|(_, part)| rule == Rule::Separation || !part.demand.optional);
        parts.map(|(name, part)| named(name, part.check(rule, slot, cluster))).fold(Check::pass(), Check::and)
    }

    /// One rule on the cluster in a slot.
    pub(crate) fn check(&self, rule: Rule, slot: usize, cluster: &ClusterInput) -> Check {
        match rule {
            _ if self.has_parts() && (POOL_RULES.contains(&rule) || OF_NODES.contains(&rule)) => {
                self.of_parts(rule, slot, cluster)
            }
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
                Reachability::Unreachable => fail(Reason::new(Code::ClusterUnreachable).object(&*cluster.name)),
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

    /// The first group of the placement that the cluster is in; 0 when there are no groups.
    pub(crate) fn group(&self, cluster: &ClusterInput) -> Option<usize> {
        let groups = &self.requirement.groups;
        if groups.is_empty() {
            return Some(0);
        }
        groups.iter().position(|group| group.matches(&cluster.name, &cluster.labels))
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
            .freezes()
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
