//! What the cases of a run have exercised: every rule, and the tiers, policies and taints of the fleet.
//!
//! A rule is exercised both ways when some case saw it let its workload in and some case saw it keep one out; a rule
//! that never refused anything in a test is a rule nobody has tried. What a case expects is counted beside it, because
//! a refusal that nobody asserts may come and go unseen.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::{Answer, Explanation, Rule};
use jiuzhou_engine::terms::{ObjectRef, Value};

use crate::cases::Expectation;

/// Cases by what they saw of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Cases in which it let the workload into some cluster.
    pub let_in: u32,
    /// Cases in which it kept the workload out of some cluster.
    pub kept_out: u32,
    /// Expectations that name it.
    pub asserted: u32,
    /// Of the cases that met it, those that failed.
    pub failed: u32,
}

impl Seen {
    /// Whether some case met it at all.
    #[must_use]
    pub fn met(&self) -> bool {
        self.let_in > 0 || self.kept_out > 0
    }
}

/// One case with what the engine said of its workload.
#[derive(Clone, Copy, Debug)]
pub struct CaseSeen<'a> {
    /// What the engine said.
    pub told: &'a Explanation,
    /// What was expected.
    pub expectations: &'a [Expectation],
    /// Whether all of it was met.
    pub passed: bool,
    /// The tier that the workload demands.
    pub tier: Option<&'a str>,
    /// The policy object that holds for it.
    pub policy: Option<&'a ObjectRef>,
    /// The taints of clusters: cluster and key.
    pub taints: &'a BTreeSet<(String, String)>,
}

/// What the cases of a run have exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By rule; every rule has an entry once a case was taken.
    pub rules: BTreeMap<Rule, Seen>,
    /// By name of tier.
    pub tiers: BTreeMap<String, Seen>,
    /// By policy object.
    pub policies: BTreeMap<ObjectRef, Seen>,
    /// By cluster and key of taint.
    pub taints: BTreeMap<(String, String), Seen>,
}

impl Coverage {
    /// Takes a case in.
    pub fn take(&mut self, case: &CaseSeen<'_>) {
        let told = case.told;
        for rule in Rule::ALL {
            let seen = self.rules.entry(rule).or_default();
            let asserted = case.expectations.iter().filter(|one| names(one, rule));
            seen.asserted = seen.asserted.saturating_add(count(asserted.count()));
            let of_clusters = told.clusters.iter().flat_map(|one| &one.rules);
            let of_pools = told.clusters.iter().flat_map(|one| &one.pools).flat_map(|pool| &pool.rules);
            let (mut let_in, mut kept_out) = (false, false);
            for check in of_clusters.chain(of_pools).filter(|check| check.rule == rule) {
                let_in |= !check.refuses && check.check.answer == Answer::Pass;
                kept_out |= check.refuses;
            }
            add(seen, let_in, kept_out, case.passed);
        }
        let tier_out = keeps_out(told, Rule::Tier);
        if let Some(tier) = case.tier {
            let seen = self.tiers.entry(tier.to_owned()).or_default();
            add(seen, told.clusters.iter().any(|one| lets_in(one, Rule::Tier)), tier_out, case.passed);
            let asserted = case.expectations.iter().filter(|one| names(one, Rule::Tier)).count();
            seen.asserted = seen.asserted.saturating_add(count(asserted));
        }
        if let Some(policy) = case.policy {
            let seen = self.policies.entry(policy.clone()).or_default();
            let out = [Rule::Affinity, Rule::Group, Rule::Taints].into_iter().any(|rule| keeps_out(told, rule));
            add(seen, told.clusters.iter().any(|one| one.eligible), out, case.passed);
            seen.asserted = seen.asserted.saturating_add(count(case.expectations.len()));
        }
        for (cluster, key) in case.taints {
            let Some(one) = told.clusters.iter().find(|one| one.cluster == *cluster) else { continue };
            let refused = |check: &jiuzhou_engine::decide::RuleCheck| {
                check.rule == Rule::Taints
                    && check.refuses
                    && check.check.reasons.iter().any(|reason| reason.object == Value::from(key.as_str()))
            };
            let out = one.rules.iter().any(refused);
            let seen = self.taints.entry((cluster.clone(), key.clone())).or_default();
            add(seen, !out, out, case.passed);
            let asserted = case.expectations.iter().filter(|expectation| {
                matches!(expectation, Expectation::Refused { cluster: named, .. } if named == cluster)
                    && names(expectation, Rule::Taints)
            });
            seen.asserted = seen.asserted.saturating_add(count(asserted.count()));
        }
    }
}

fn add(seen: &mut Seen, let_in: bool, kept_out: bool, passed: bool) {
    seen.let_in = seen.let_in.saturating_add(u32::from(let_in));
    seen.kept_out = seen.kept_out.saturating_add(u32::from(kept_out));
    seen.failed = seen.failed.saturating_add(u32::from((let_in || kept_out) && !passed));
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

fn lets_in(one: &jiuzhou_engine::decide::ClusterExplanation, rule: Rule) -> bool {
    one.rules.iter().any(|check| check.rule == rule && !check.refuses)
}

fn keeps_out(told: &Explanation, rule: Rule) -> bool {
    told.clusters.iter().flat_map(|one| &one.rules).any(|check| check.rule == rule && check.refuses)
}

/// Whether an expectation is about a rule.
fn names(expectation: &Expectation, rule: Rule) -> bool {
    match expectation {
        Expectation::Refused { rule: Some(named), .. } => *named == rule,
        Expectation::Violations(pairs) => pairs.iter().any(|(_, named)| *named == rule),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cluster, explain, fleet, within, workload};

    #[test]
    fn a_rule_counts_once_per_case_whatever_the_number_of_clusters() {
        let far = |name: &str| {
            let mut one = cluster(name, 1, 4);
            one.region = "110000".to_owned();
            one
        };
        let fleet = fleet(&[cluster("a", 1, 4), far("b"), far("c")], &[within(workload("w", 1, &[]), &["53"])]);
        let told = explain(&fleet, "w");
        let expectations = [Expectation::Refused { cluster: "b".to_owned(), rule: Some(Rule::Regions), code: None }];
        let policy = ObjectRef::new("PlacementPolicy", "ns", "p");
        let mut coverage = Coverage::default();
        let case = CaseSeen {
            told: &told,
            expectations: &expectations,
            passed: false,
            tier: Some("s1"),
            policy: Some(&policy),
            taints: &BTreeSet::new(),
        };
        coverage.take(&case);
        coverage.take(&CaseSeen { passed: true, ..case });
        let regions = coverage.rules[&Rule::Regions];
        assert_eq!(regions, Seen { let_in: 2, kept_out: 2, asserted: 2, failed: 1 });
        assert_eq!(coverage.rules[&Rule::Tier], Seen { let_in: 2, kept_out: 0, asserted: 0, failed: 1 });
        assert!(coverage.tiers["s1"].met() && coverage.policies[&policy].met());
        assert_eq!(coverage.rules.len(), Rule::COUNT);
    }
}
