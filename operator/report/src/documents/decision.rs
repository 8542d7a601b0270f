//! What plan and explain share: the engine's rules, answers and amounts in words and cells.

use jiuzhou_engine::decide::resources::{CPU, EPHEMERAL_STORAGE, MEMORY, STORAGE};
use jiuzhou_engine::decide::{Answer, Decision, QuotaUse, Rule, RuleCheck, Status as Outcome};

use crate::document::{Cell, Column, Counted, Section, Status};
use crate::words::{Unit, Word};

/// The word of a rule.
pub(crate) fn rule(rule: Rule) -> Word {
    match rule {
        Rule::Tenant => Word::RuleTenant,
        Rule::Regions => Word::RuleRegions,
        Rule::Zones => Word::RuleZones,
        Rule::Providers => Word::RuleProviders,
        Rule::Classified => Word::RuleClassified,
        Rule::Tier => Word::RuleTier,
        Rule::Protection => Word::RuleProtection,
        Rule::PoolZone => Word::RulePoolZone,
        Rule::Reach => Word::RuleReach,
        Rule::Jurisdiction => Word::RuleJurisdiction,
        Rule::Kinds => Word::RuleKinds,
        Rule::Architecture => Word::RuleArchitecture,
        Rule::Registry => Word::RuleRegistry,
        Rule::Tee => Word::RuleTee,
        Rule::Database => Word::RuleDatabase,
        Rule::Accelerator => Word::RuleAccelerator,
        Rule::NodeLabels => Word::RuleNodeLabels,
        Rule::NodeTaints => Word::RuleNodeTaints,
        Rule::NodeAffinity => Word::RuleNodeAffinity,
        Rule::Separation => Word::RuleSeparation,
        Rule::Data => Word::RuleData,
        Rule::Freeze => Word::RuleFreeze,
        Rule::State => Word::RuleState,
        Rule::Reachability => Word::RuleReachability,
        Rule::Taints => Word::RuleTaints,
        Rule::Affinity => Word::RuleAffinity,
        Rule::Group => Word::RuleGroup,
        Rule::Pools => Word::RulePools,
        Rule::Health => Word::RuleHealth,
    }
}

/// The state of a decided workload. What runs against a rule is violating, however the decision ended.
pub(super) fn outcome(decision: &Decision) -> Status {
    if !decision.violations.is_empty() {
        return Status::Violating;
    }
    match decision.status {
        Outcome::Placed => Status::Ok,
        Outcome::Pending => Status::Pending,
        Outcome::Refused => Status::Refused,
        Outcome::NotProven => Status::Unknown,
    }
}

/// The state of one rule on one cluster.
pub(super) fn answer(check: &RuleCheck) -> Status {
    match (check.refuses, check.check.answer) {
        (true, _) => Status::Refused,
        (false, Answer::Pass) => Status::Ok,
        (false, Answer::Unknown) => Status::Unknown,
        (false, Answer::Warn | Answer::Fail) => Status::Warn,
    }
}

/// Replicas that have a place.
pub(super) fn placed(decision: &Decision) -> i64 {
    decision.targets.iter().fold(0_i64, |sum, target| sum.saturating_add(target.replicas))
}

/// Targets as names with replicas.
pub(super) fn targets(decision: &Decision) -> Vec<Counted> {
    let one =
        |target: &jiuzhou_engine::decide::Target| Counted { name: target.cluster.clone(), count: target.replicas };
    decision.targets.iter().map(one).collect()
}

/// An amount of a resource with the unit its name implies.
pub(super) fn amount(resource: &str, amount: i64) -> Cell {
    // A quota for one platform is named `cpu@kunpeng-920`.
    match resource.split_once('@').map_or(resource, |(resource, _)| resource) {
        CPU => Cell::Quantity(amount, Unit::Millicores),
        MEMORY | EPHEMERAL_STORAGE | STORAGE => Cell::Quantity(amount, Unit::Bytes),
        _ => Cell::Int(amount),
    }
}

/// The table of quotas.
pub(super) fn quota(uses: &[QuotaUse]) -> Section {
    let mut section = Section::new(
        Word::SectionQuota,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("resource", Word::Resource),
            Column::text("status", Word::Status),
            Column::figure("before", Word::Before),
            Column::figure("after", Word::After),
            Column::figure("limit", Word::Limit),
            Column::figure("headroom", Word::Headroom),
        ],
    )
    .grouped_by(0);
    for used in uses {
        let status = match used.limit {
            Some(limit) if used.after > limit => Status::Violating,
            Some(limit) if used.after > limit.saturating_sub(used.headroom) => Status::Warn,
            _ => Status::Ok,
        };
        section.row(vec![
            used.tenant.as_str().into(),
            used.resource.as_str().into(),
            status.into(),
            amount(&used.resource, used.before),
            amount(&used.resource, used.after),
            used.limit.map_or(Cell::NotApplicable, |limit| amount(&used.resource, limit)),
            amount(&used.resource, used.headroom),
        ]);
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_own_word_named_after_it() {
        for one in Rule::ALL {
            let expected = format!("rule{one:?}");
            assert_eq!(rule(one).key(), expected);
        }
    }

    #[test]
    fn headroom_in_use_is_a_warning_and_beyond_the_limit_a_violation() {
        let used = |after| QuotaUse {
            tenant: "xz".to_owned(),
            resource: CPU.to_owned(),
            after,
            limit: Some(100),
            headroom: 20,
            ..QuotaUse::default()
        };
        let section = quota(&[used(80), used(81), used(101)]);
        let states: Vec<_> = section.rows.iter().filter_map(|row| Section::status(row)).collect();
        assert_eq!(states, [Status::Ok, Status::Warn, Status::Violating]);
    }
}
