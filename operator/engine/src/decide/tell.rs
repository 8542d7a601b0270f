//! From a decision in numbers to the record with names: targets, moves, limits, violations, counts per rule.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::canonical::CanonicalError;
use super::input::Reachability;
use super::planner::{Decided, Hindrance, Planner};
use super::record::{Decision, Move, Status, Target, Violation};
use super::rule::{Check, Rule};
use super::rules::Judge;
use super::snapshot::ClusterSlot;
use super::spec::{Spec, SpreadKey};
use super::stay::{Stays, stays};
use super::view::Demand;
use crate::choice::{self, Limit, NO_GROUP, Problem, Why};
use crate::terms::{Code, Digest, Reason, Value};

/// What a record says besides the decision itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) fleet: Digest,
    pub(crate) sequence: u64,
    pub(crate) before: Option<Digest>,
}

/// Clusters out of reach that a decision names at most.
const LOST: usize = 4;

impl Planner<'_> {
    /// The record of a decision at a place in the ledger.
    ///
    /// # Errors
    /// [`CanonicalError`] when the spec has a form JSON does not know; none of ours has.
    pub(crate) fn record(
        &self,
        spec: &Spec,
        decided: &Decided,
        position: Position,
    ) -> Result<Decision, CanonicalError> {
        let targets = self.targets(spec, decided);
        let sum = targets.iter().map(|target| target.replicas).fold(0_i64, i64::saturating_add);
        let duplicated = spec.policy.division == super::spec::Division::Duplicated;
        let shortfall = match decided.status {
            Status::Placed => 0,
            _ if duplicated && sum > 0 => 0,
            _ => spec.replicas.saturating_sub(sum).max(0),
        };
        let rejected = Rule::ALL.into_iter().filter_map(|rule| {
            let excused = self.excused(spec, decided, rule);
            let refused = self.verdicts(decided)?.refused(rule).saturating_sub(excused);
            (refused > 0).then_some((rule, refused))
        });
        Ok(Decision {
            key: spec.key.clone(),
            sequence: position.sequence,
            as_of: self.view.as_of,
            status: decided.status,
            rebalanced: spec.rebalance_at.filter(|_| spec.rebalance && decided.status == Status::Placed),
            shortfall,
            moves: self.moves(spec, decided),
            limits: self.limits(spec, decided),
            violations: self.violations(spec, decided),
            rejected: rejected.collect(),
            full: decided.full,
            spec: self.view.snapshot.spec_digest(spec)?,
            verdicts: self.store.digest(self.view.snapshot, decided.block),
            fleet: position.fleet,
            before: position.before,
            targets,
        })
    }

    /// Where replicas are to be, by name of cluster.
    pub(crate) fn targets(&self, spec: &Spec, decided: &Decided) -> Vec<Target> {
        let mut targets: Vec<_> = decided
            .targets
            .iter()
            .filter(|(_, replicas)| *replicas > 0)
            .map(|(slot, replicas)| Target { cluster: self.name(*slot), replicas: *replicas })
            .collect();
        if decided.status != Status::Placed {
            // Replicas on a cluster that the snapshot does not have stay, too.
            let missing = spec.current.iter().filter(|c| c.placed > 0 && self.view.snapshot.slot(&c.cluster).is_none());
            targets.extend(missing.map(|c| Target { cluster: c.cluster.clone(), replicas: c.placed }));
            targets.sort();
        }
        targets
    }

    pub(crate) fn name(&self, slot: ClusterSlot) -> String {
        self.view.snapshot.cluster(slot).map(|cluster| cluster.name.clone()).unwrap_or_default()
    }

    /// Clusters that carry replicas of the workload pass the taints they would otherwise be kept out by.
    fn excused(&self, spec: &Spec, decided: &Decided, rule: Rule) -> u32 {
        if rule != Rule::Taints {
            return 0;
        }
        let slots = spec.current.iter().filter_map(|current| self.view.snapshot.slot(&current.cluster));
        let excused = slots.filter(|slot| self.verdicts(decided).is_some_and(|verdicts| verdicts.refuses(rule, *slot)));
        u32::try_from(excused.count()).unwrap_or(0)
    }

    fn moves(&self, spec: &Spec, decided: &Decided) -> Vec<Move> {
        let narrow = |slot: ClusterSlot| u32::try_from(slot.index()).unwrap_or(u32::MAX);
        let targets: Vec<_> = decided
            .targets
            .iter()
            .map(|(slot, replicas)| choice::Target { slot: narrow(*slot), replicas: *replicas, current: 0 })
            .collect();
        let known = |current: &&super::spec::Current| self.view.snapshot.slot(&current.cluster);
        let present: Vec<_> =
            spec.current.iter().filter_map(|current| Some((narrow(known(&current)?), current.placed))).collect();
        let staying = |slot: u32| {
            let slot = ClusterSlot::new(slot as usize);
            let stays = self.verdicts(decided).map(|v| stays(&self.view, v, spec, slot));
            stays != Some(Stays::Leaves)
        };
        let mut moves: Vec<_> = choice::changes(&targets, &present, staying, spec.rebalance)
            .into_iter()
            .filter(|change| change.from != change.to)
            .map(|change| {
                let slot = ClusterSlot::new(change.slot as usize);
                let reason = match change.why {
                    Why::NotEligible => {
                        self.refusals(spec, decided, slot).into_iter().find_map(|v| v.reasons.into_iter().next())
                    }
                    Why::Unchanged
                    | Why::Chosen
                    | Why::Grown
                    | Why::FewerWanted
                    | Why::BoundForces(_)
                    | Why::BetterScore => None,
                };
                Move { cluster: self.name(slot), from: change.from, to: change.to, reason }
            })
            .collect();
        moves.sort();
        moves
    }

    /// The rules that refuse a cluster, with reasons.
    pub(crate) fn refusals(&self, spec: &Spec, decided: &Decided, slot: ClusterSlot) -> Vec<Violation> {
        let demand = Demand::new(self.view.snapshot, &spec.requirement);
        let judge = Judge { view: &self.view, requirement: &spec.requirement, demand: &demand };
        let (Some(verdicts), Some(cluster)) = (self.verdicts(decided), self.view.snapshot.cluster(slot)) else {
            return Vec::new();
        };
        let mut refusals: Vec<_> = Rule::ALL
            .into_iter()
            .filter(|rule| verdicts.refuses(*rule, slot))
            .map(|rule| (rule, judge.check(rule, slot.index(), cluster)))
            .collect();
        let data = data_rule(spec, &cluster.name);
        if !data.reasons.is_empty() {
            refusals.push((Rule::Data, data));
        }
        let health = health_rule(spec, &cluster.name);
        if !health.reasons.is_empty() {
            refusals.push((Rule::Health, health));
        }
        let told = refusals.into_iter();
        told.map(|(rule, check)| Violation { cluster: cluster.name.clone(), rule, reasons: check.reasons }).collect()
    }

    /// Whether anything runs against a rule.
    pub(crate) fn violates(&self, spec: &Spec, decided: &Decided) -> bool {
        !self.violations(spec, decided).is_empty()
    }

    fn violations(&self, spec: &Spec, decided: &Decided) -> Vec<Violation> {
        let mut violations: Vec<_> = decided
            .targets
            .iter()
            .filter(|(slot, _)| spec.current.iter().any(|c| self.view.snapshot.slot(&c.cluster) == Some(*slot)))
            .flat_map(|(slot, _)| self.refusals(spec, decided, *slot))
            // A freeze and a lost connection hold things as they are, and who is not well is told of by itself.
            .filter(|violation| !matches!(violation.rule, Rule::Freeze | Rule::Reachability | Rule::Health))
            .collect();
        violations.sort();
        violations
    }

    /// What refuses every single cluster: a freeze, a tenant nobody knows, a classified system.
    fn everywhere(&self, spec: &Spec, decided: &Decided) -> Vec<Reason> {
        let all = u32::try_from(self.view.snapshot.len()).unwrap_or(u32::MAX);
        let demand = Demand::new(self.view.snapshot, &spec.requirement);
        let judge = Judge { view: &self.view, requirement: &spec.requirement, demand: &demand };
        let Some((slot, cluster)) = self.view.snapshot.clusters().next() else { return Vec::new() };
        Rule::ALL
            .into_iter()
            .filter(|rule| self.verdicts(decided).is_some_and(|verdicts| verdicts.refused(*rule) == all))
            .filter_map(|rule| judge.check(rule, slot.index(), cluster).reasons.into_iter().next())
            .collect()
    }

    /// Clusters that only a lost connection keeps from taking more.
    fn lost(&self, spec: &Spec, decided: &Decided) -> Vec<Reason> {
        let Some(verdicts) = self.verdicts(decided) else { return Vec::new() };
        let lost = self.view.snapshot.clusters().filter(|(slot, cluster)| {
            let others = || Rule::ALL.into_iter().filter(|rule| *rule != Rule::Reachability);
            cluster.reachability == Reachability::Unreachable
                && others().all(|rule| !verdicts.refuses(rule, *slot))
                && data_rule(spec, &cluster.name).reasons.is_empty()
                && !spec.unhealthy_in.contains_key(&cluster.name)
        });
        lost.take(LOST).map(|(_, cluster)| Reason::new(Code::ClusterUnreachable).object(&*cluster.name)).collect()
    }

    /// How many groups of a key a decision uses.
    fn used(&self, key: &SpreadKey, decided: &Decided) -> i64 {
        let group = |slot: &ClusterSlot| match self.books.columns.groups(key) {
            Some(groups) => groups.by_slot.get(slot.index()).copied(),
            None => u32::try_from(slot.index()).ok(),
        };
        let targets = decided.targets.iter().filter(|(_, replicas)| *replicas > 0);
        let used: BTreeSet<u32> = targets.filter_map(|(slot, _)| group(slot)).filter(|id| *id != NO_GROUP).collect();
        i64::try_from(used.len()).unwrap_or(i64::MAX)
    }

    /// Why it is not placed, and what was given up.
    fn limits(&self, spec: &Spec, decided: &Decided) -> Vec<Reason> {
        let mut limits: Vec<_> = match &decided.limit {
            Some(Hindrance::Waits(slot)) => {
                self.refusals(spec, decided, *slot).into_iter().flat_map(|refusal| refusal.reasons).collect()
            }
            // What an order stops waits for that order and for nothing else.
            Some(limit @ Hindrance::Stopped { .. }) => return vec![limit_reason(spec, limit)],
            limit => limit.iter().map(|limit| limit_reason(spec, limit)).collect(),
        };
        if decided.status != Status::Placed && matches!(decided.limit, Some(Hindrance::Choice { .. })) {
            // First of all: with the connection back there may be room for everything.
            limits.splice(0..0, self.lost(spec, decided));
            // Who is to leave a cluster where it is not well is told so before what it finds no room for.
            let unwell = spec.current.iter().filter(|current| current.placed > 0);
            limits.splice(0..0, unwell.flat_map(|current| health_rule(spec, &current.cluster).reasons));
        }
        if decided.status != Status::Placed {
            for reason in self.everywhere(spec, decided) {
                if !limits.contains(&reason) {
                    limits.push(reason);
                }
            }
        }
        for (at, spread) in spec.policy.spread.iter().enumerate().filter(|(at, _)| *at < 8) {
            if decided.dropped & (1 << at) != 0 {
                let reason = Reason::new(Code::PreferredDropped).object(key_name(&spread.key));
                limits.push(reason.seen(self.used(&spread.key, decided)).wanted(i64::from(spread.min_groups)));
            }
        }
        limits
    }
}

/// The rule about data: where it is, and where it is older than elsewhere. Not part of a requirement, because it differs
/// between equal workloads.
pub(crate) fn data_rule(spec: &Spec, cluster: &str) -> Check {
    let elsewhere = spec
        .data_on
        .as_ref()
        .filter(|on| !on.contains(cluster))
        .map(|on| Reason::new(Code::DataElsewhere).seen(cluster).wanted(on.iter().cloned().collect::<Vec<_>>()));
    let stale =
        spec.stale.get(cluster).map(|epoch| Reason::new(Code::StaleData).object(cluster).seen(Value::Int(*epoch)));
    let fail = |reason| Check::because(super::rule::Answer::Fail, reason);
    elsewhere.into_iter().chain(stale).map(fail).fold(Check::pass(), Check::and)
}

/// The rule about how it fared there. No part of a requirement either.
pub(crate) fn health_rule(spec: &Spec, cluster: &str) -> Check {
    let unwell = spec.unhealthy_in.get(cluster);
    let reason = |since: &Timestamp| Reason::new(Code::WorkloadUnhealthy).object(cluster).seen(Value::Time(*since));
    unwell.map(|since| Check::because(super::rule::Answer::Fail, reason(since))).unwrap_or_default()
}

/// A spread key as the policy spells it.
pub(crate) fn key_name(key: &SpreadKey) -> String {
    match key {
        SpreadKey::Cluster => "cluster".to_owned(),
        SpreadKey::Site => "site".to_owned(),
        SpreadKey::Region => "region".to_owned(),
        SpreadKey::AvailabilityZone => "availabilityZone".to_owned(),
        SpreadKey::Provider => "provider".to_owned(),
        SpreadKey::Platform => "platform".to_owned(),
        SpreadKey::Label(label) => format!("label:{label}"),
        SpreadKey::Among(names) => format!("among:{}", names.iter().map(String::as_str).collect::<Vec<_>>().join("+")),
    }
}

/// Whether a cluster that passes all rules can only be useless to a workload for want of room: its data is not tied to
/// others, and no weight of nothing keeps it off.
fn only_room_counts(spec: &Spec) -> bool {
    spec.data_on.is_none()
        && spec.stale.is_empty()
        && spec.unhealthy_in.is_empty()
        && !matches!(spec.policy.division, super::spec::Division::ByWeight(_))
}

/// What a hindrance says to people.
pub(crate) fn limit_reason(spec: &Spec, hindrance: &Hindrance) -> Reason {
    let workload = spec.key.to_string();
    let whole = |resource: &str| resource.split_once('@').map_or(resource, |(resource, _)| resource).to_owned();
    let amount = |resource: &str, amount: i64| match &*whole(resource) {
        super::resources::CPU => Value::Millicores(amount),
        super::resources::MEMORY | super::resources::EPHEMERAL_STORAGE | super::resources::STORAGE => {
            Value::Bytes(amount)
        }
        _ => Value::Int(amount),
    };
    match hindrance {
        // What is waited for is told by the rules of that cluster.
        Hindrance::NoCluster | Hindrance::Waits(_) => Reason::new(Code::NoCandidate).object(workload),
        Hindrance::Replicas => {
            Reason::new(Code::ReplicasOutOfRange).object(workload).seen(spec.replicas).wanted(choice::MAX_REPLICAS)
        }
        Hindrance::ClusterMissing(cluster) => Reason::new(Code::ClusterMissing).object(workload).seen(&**cluster),
        Hindrance::Stopped { order } => Reason::new(Code::StoppedByOrder).object(workload).seen(&**order),
        Hindrance::Colocation => {
            let set = spec.colocate.clone().unwrap_or_default();
            Reason::new(Code::ColocationImpossible).object(workload).wanted(set)
        }
        Hindrance::Quota { tenant, resource, left, needed } => Reason::new(Code::QuotaExceeded)
            .object(format!("{tenant} {resource}"))
            .seen(amount(resource, *left))
            .wanted(amount(resource, *needed)),
        Hindrance::Choice { limit, best, capacity, groups, nodes } => {
            let key = |at: u8| {
                let spread = spec.policy.spread.get(usize::from(at)).map(|spread| &spread.key);
                let share = || spec.policy.max_share.iter().map(|share| &share.key).next_back();
                spread.or_else(share).map(key_name).unwrap_or_default()
            };
            let spread = |at: u8| spec.policy.spread.get(usize::from(at));
            let reason = Reason::new(limit.code());
            match limit {
                _ if *nodes > Problem::BUDGET => {
                    let steps = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                    let reason = Reason::new(Code::ChoiceNotProven).object(workload);
                    reason.seen(steps(*nodes)).wanted(steps(Problem::BUDGET))
                }
                // Clusters pass all rules (else it would be told as refused), and none of them has room for one replica.
                Limit::NoCandidate if only_room_counts(spec) => {
                    let reason = Reason::new(Limit::Capacity.code());
                    reason.object(workload).seen(*capacity).wanted(spec.replicas)
                }
                Limit::NoCandidate | Limit::Together => reason.object(workload),
                Limit::Capacity | Limit::Candidates => reason.object(workload).seen(*capacity).wanted(spec.replicas),
                Limit::Replicas => reason.object(workload).seen(spec.replicas).wanted(spec.replicas),
                Limit::MinGroups(at) => {
                    let seen = groups.get(usize::from(*at)).copied().unwrap_or(0);
                    let wanted = spread(*at).map_or(0, |spread| spread.min_groups);
                    reason.object(key(*at)).seen(i64::from(seen)).wanted(i64::from(wanted))
                }
                Limit::MaxGroups(at) => reason.object(key(*at)).seen(*best).wanted(spec.replicas),
                Limit::MinReplicas(at) => {
                    let wanted = spread(*at).map_or(0, |s| i64::from(s.min_groups).saturating_mul(s.min_replicas));
                    reason.object(key(*at)).seen(spec.replicas).wanted(wanted)
                }
                Limit::Share(at, 0) => {
                    Reason::new(Code::ShareExceeded).object(key(*at)).seen(*best).wanted(spec.replicas)
                }
                Limit::Share(at, next) => reason.object(key(*at)).seen(spec.replicas).wanted(*next),
            }
        }
    }
}
