//! Why a workload stands where it stands: every rule on every cluster, scores, and what would have to change.
//!
//! Nothing of this is stored; it is derived from the same snapshot when somebody asks. "What would have to change" for a
//! cluster is the cheapest set by a fixed table: its own refusals, those of the pool that is cheapest to open, and room
//! as the amount that is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;

use super::canonical::CanonicalError;
use super::columns;
use super::input::ClusterInput;
use super::kept::Kept;
use super::plan::{Changes, Turn, turns};
use super::planner::{Decided, Hindrance, Planner};
use super::pool_rules::{POOL_RULES, UNSEEN};
use super::record::{Change, ClusterExplanation, Explanation, PoolExplanation, QuotaUse, RuleCheck, Status};
use super::resources;
use super::rule::{Check, Rule};
use super::rules::{Judge, named};
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{Spec, WorkloadKey};
use super::tell::{Position, data_rule, health_rule, limit_reason};
use super::view::Demand;
use crate::choice::Limit;
use crate::terms::{Code, Reason, Value};

/// What room costs in the table.
const CAPACITY_COST: u32 = 3;
/// What a line of a policy costs in it.
const POLICY_COST: u32 = 1;
/// What a grant of quota costs in it.
const QUOTA_COST: u32 = 5;

/// What it is thought to cost to make a rule pass: from a line in a policy over a certificate to what nobody can change.
#[must_use]
pub fn cost(rule: Rule) -> u32 {
    match rule {
        Rule::Affinity | Rule::Group | Rule::Taints | Rule::Freeze | Rule::NodeLabels | Rule::NodeTaints => 1,
        Rule::Reachability | Rule::Registry | Rule::NodeAffinity | Rule::Separation => 2,
        Rule::Kinds | Rule::Reach => 3,
        Rule::Architecture | Rule::State => 4,
        Rule::Database | Rule::PoolZone => 5,
        Rule::Accelerator | Rule::Tee | Rule::Zones | Rule::Providers => 6,
        Rule::Tenant => 7,
        Rule::Regions | Rule::Protection | Rule::Tier => 8,
        Rule::Jurisdiction | Rule::Data | Rule::Health => 9,
        // Follows from the rules about pools; never an obstacle of its own.
        Rule::Pools => 0,
        Rule::Classified => 1000,
    }
}

/// Explains one workload of a plan: what was decided for it at its turn, and why.
///
/// `None` when there is no workload of that name.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn explain(
    snapshot: &Snapshot,
    changes: &Changes,
    key: &WorkloadKey,
    as_of: Timestamp,
) -> Result<Option<Explanation>, CanonicalError> {
    let keys = BTreeSet::from([key.clone()]);
    Ok(explain_all(snapshot, changes, &keys, as_of)?.remove(key))
}

/// Explains several workloads in one pass; names that no workload has are left out.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn explain_all(
    snapshot: &Snapshot,
    changes: &Changes,
    keys: &BTreeSet<WorkloadKey>,
    as_of: Timestamp,
) -> Result<BTreeMap<WorkloadKey, Explanation>, CanonicalError> {
    explain_all_on(snapshot, changes, keys, as_of, NonZeroUsize::MIN)
}

/// As [`explain_all`], on several threads: the same, sooner.
///
/// # Errors
/// As [`explain_all`].
pub fn explain_all_on(
    snapshot: &Snapshot,
    changes: &Changes,
    keys: &BTreeSet<WorkloadKey>,
    as_of: Timestamp,
    threads: NonZeroUsize,
) -> Result<BTreeMap<WorkloadKey, Explanation>, CanonicalError> {
    let mut explained = BTreeMap::new();
    if keys.is_empty() {
        return Ok(explained);
    }
    let fleet = snapshot.digest()?;
    // The first pass finds the order in which the ledger saw the workloads; the second stops at the last one's turn.
    let mut kept = Kept::on(threads);
    let mut first = Planner::resume(snapshot, as_of, &mut kept);
    first.books.begin();
    let order = turns(&mut first, changes, true);
    first.put_away(&mut kept);
    let mut planner = Planner::resume(snapshot, as_of, &mut kept);
    let (mut sequence, mut passed) = (0, 0);
    for Turn { set, weighed, pass, superseded, .. } in order {
        if pass != passed {
            planner.repack();
            passed = pass;
        }
        let turn = planner.turn(set, weighed);
        if superseded {
            continue;
        }
        sequence += 1;
        let asked = || turn.set.iter().zip(&turn.decided).filter(|(spec, _)| keys.contains(&spec.key));
        for (spec, decided) in asked() {
            let position = Position { fleet, sequence, before: None };
            explained.insert(spec.key.clone(), planner.explain(spec, decided, position)?);
        }
        planner.book_turn(&turn);
        for (spec, _) in asked() {
            if let Some(explanation) = explained.get_mut(&spec.key) {
                let after = planner.books.quota.report(&planner.view, Some(&spec.requirement.tenant));
                explanation.quota = at_its_turn(&explanation.quota, after);
            }
        }
        if explained.len() == keys.len() {
            break;
        }
    }
    Ok(explained)
}

/// What a decision took: used when it was made, and used with it.
fn at_its_turn(before: &[QuotaUse], after: Vec<QuotaUse>) -> Vec<QuotaUse> {
    let used = |line: &QuotaUse| {
        let same = before.iter().find(|other| other.tenant == line.tenant && other.resource == line.resource);
        same.map_or(0, |other| other.after)
    };
    after.into_iter().map(|line| QuotaUse { before: used(&line), ..line }).collect()
}

/// What is told of the pools of a cluster for one part, in the order of pools.
fn of_part<'p>(pools: &'p [PoolExplanation], spec: &Spec, part: usize) -> impl Iterator<Item = &'p PoolExplanation> {
    let of_cluster = pools.len() / spec.requirement.parts.len().max(1);
    pools.iter().skip(part * of_cluster).take(of_cluster)
}

impl Planner<'_> {
    /// Explains a decision that has not been booked yet.
    pub(crate) fn explain(
        &mut self,
        spec: &Arc<Spec>,
        decided: &Decided,
        position: Position,
    ) -> Result<Explanation, CanonicalError> {
        let decision = self.record(spec, decided, position)?;
        self.books.ledger.shape(spec);
        let demand = Demand::new(self.view.snapshot, &spec.requirement);
        let judge = Judge { view: &self.view, requirement: &spec.requirement, demand: &demand };
        let mut clusters = Vec::with_capacity(self.view.snapshot.len());
        for (slot, cluster) in self.view.snapshot.clusters() {
            clusters.push(self.explain_cluster(&judge, spec, decided, slot, cluster));
        }
        let mut one_change: Vec<_> =
            self.limit_alone(spec, decided).map(|change| (String::new(), change)).into_iter().collect();
        for cluster in &clusters {
            if let [one] = cluster.changes.as_slice()
                && one.is_one()
                && self.enough(spec, decided, cluster, one)
            {
                one_change.push((cluster.cluster.clone(), one.clone()));
            }
        }
        one_change.sort_by(|a, b| a.1.cost.cmp(&b.1.cost).then_with(|| a.0.cmp(&b.0)));
        let quota = self.books.quota.report(&self.view, Some(&spec.requirement.tenant));
        Ok(Explanation { decision, clusters, quota, one_change })
    }

    /// Whether one change on a cluster gives a workload without a place one for all its replicas, shares, spreads and
    /// quota included: it is decided again with the cluster let in. Of a set that must stand together, and where the
    /// search was cut short, nothing is promised. A workload that has its place needs no change; what is told then is
    /// which clusters one change would open to it.
    pub(super) fn enough(
        &mut self,
        spec: &Spec,
        decided: &Decided,
        cluster: &ClusterExplanation,
        change: &Change,
    ) -> bool {
        match decided.status {
            Status::Placed => return true,
            Status::NotProven => return false,
            Status::Pending | Status::Refused if spec.colocate.is_some() => return false,
            Status::Pending | Status::Refused => {}
        }
        let Some(slot) = self.view.snapshot.slot(&cluster.cluster) else { return false };
        // What is told of one pool opens others only where it is the same that keeps them out.
        let same = |check: &Check| [true, false].iter().any(|strict| check.refusing(*strict) == change.reasons);
        let opened = |pool: &PoolExplanation| {
            let mut refusing = pool.rules.iter().filter(|rule| rule.refuses);
            pool.accepted || refusing.all(|rule| Some(rule.rule) == change.rule && same(&rule.check))
        };
        let room = if spec.requirement.parts.is_empty() {
            let pools = cluster.pools.iter().filter(|pool| opened(pool));
            pools.fold(0_i64, |sum, pool| sum.saturating_add(pool.slots))
        } else {
            let open = |part: usize, plane: usize| of_part(&cluster.pools, spec, part).nth(plane).is_some_and(opened);
            self.books.ledger.sets(decided.shape, slot.index(), open)
        };
        // Missing room is told as what one replica more needs.
        let room = if change.rule.is_none() { room.saturating_add(1) } else { room };
        self.would_place(spec, decided, slot, room)
    }

    /// The quota, share or spread that keeps a workload without a place, where nothing else does: it is decided again
    /// without it.
    fn limit_alone(&mut self, spec: &Spec, decided: &Decided) -> Option<Change> {
        if decided.status != Status::Pending || spec.colocate.is_some() {
            return None;
        }
        let limit = decided.limit.as_ref()?;
        let mut eased = spec.clone();
        let cost = match limit {
            Hindrance::Quota { tenant, resource, needed, .. } => {
                let headroom = |line: &QuotaUse| if spec.fails_over() { 0 } else { line.headroom };
                let short = |line: &QuotaUse| {
                    let left = line.limit.map(|limit| limit.saturating_sub(headroom(line)).saturating_sub(line.after));
                    line.resource == *resource && line.tenant != *tenant && left.is_some_and(|left| left < *needed)
                };
                let chain = self.books.quota.report(&self.view, Some(&spec.requirement.tenant));
                if resource.contains('@') || chain.iter().any(short) {
                    return None;
                }
                eased.quota.remove(resource);
                for request in &mut eased.per_node {
                    request.request.remove(resource);
                }
                QUOTA_COST
            }
            Hindrance::Choice { limit, .. } => {
                let policy = Arc::make_mut(&mut eased.policy);
                match limit {
                    Limit::MinGroups(at) | Limit::MaxGroups(at) | Limit::MinReplicas(at)
                        if usize::from(*at) < policy.spread.len() =>
                    {
                        policy.spread.remove(usize::from(*at));
                    }
                    Limit::Share(at, _) => {
                        let of = policy.spread.get(usize::from(*at)).map(|spread| spread.key.clone());
                        let key = of.or_else(|| policy.max_share.last().map(|share| share.key.clone()))?;
                        policy.max_share.retain(|share| share.key != key);
                    }
                    _ => return None,
                }
                POLICY_COST
            }
            _ => return None,
        };
        self.would_place_eased(&eased, decided).then(|| Change {
            rule: None,
            cost,
            reasons: vec![limit_reason(spec, limit)],
        })
    }

    pub(super) fn explain_cluster(
        &self,
        judge: &Judge<'_>,
        spec: &Spec,
        decided: &Decided,
        slot: ClusterSlot,
        cluster: &ClusterInput,
    ) -> ClusterExplanation {
        let current = spec.current.iter().find(|current| current.cluster == cluster.name).map_or(0, |c| c.placed);
        let told = |rule: Rule, check: Check| {
            let excused = rule == Rule::Taints && current > 0;
            RuleCheck { rule, refuses: judge.refuses(check.answer) && !excused, check }
        };
        let rules: Vec<_> = Rule::ALL
            .into_iter()
            .map(|rule| match rule {
                Rule::Data => told(rule, data_rule(spec, &cluster.name)),
                Rule::Health => told(rule, health_rule(spec, &cluster.name)),
                rule => told(rule, judge.check(rule, slot.index(), cluster)),
            })
            .collect();
        let mut pools = Vec::with_capacity(cluster.pools.len());
        for (part, (name, judge)) in judge.parts().into_iter().enumerate() {
            for (plane, pool) in cluster.pools.iter().enumerate() {
                let rules: Vec<_> = POOL_RULES
                    .into_iter()
                    .map(|rule| told(rule, named(name, judge.check_pool(rule, cluster, pool))))
                    .collect();
                pools.push(PoolExplanation {
                    pool: pool.name.clone(),
                    part: name.to_owned(),
                    platform: pool.facts.name().to_owned(),
                    accepted: rules.iter().all(|rule| !rule.refuses),
                    rules,
                    slots: self.books.ledger.pool_slots(decided.shape, part, plane, slot.index()),
                });
            }
        }
        let accepted: Vec<bool> = pools.iter().map(|pool| pool.accepted).collect();
        let of_cluster = cluster.pools.len();
        let slots = self.books.ledger.whole(decided.shape, slot.index(), |part, plane| {
            plane < of_cluster && accepted.get(part * of_cluster + plane) == Some(&true)
        });
        let terms = columns::terms(cluster, &spec.policy.preferences);
        let changes = self.changes((judge, spec), (slot, cluster), decided, &rules, &pools, slots);
        ClusterExplanation {
            cluster: cluster.name.clone(),
            eligible: rules.iter().all(|rule| !rule.refuses),
            current,
            replicas: decided.targets.iter().find(|(at, _)| *at == slot).map_or(0, |(_, replicas)| *replicas),
            slots,
            score: columns::score(&terms),
            terms,
            group: judge.group(cluster).and_then(|group| u32::try_from(group).ok()),
            cost: changes.iter().fold(0, |sum, change| sum + change.cost),
            changes,
            rules,
            pools,
        }
    }

    /// The cheapest set of changes after which one replica more could go to the cluster: for each part the pool that is
    /// cheapest to open.
    fn changes(
        &self,
        (judge, spec): (&Judge<'_>, &Spec),
        (slot, input): (ClusterSlot, &ClusterInput),
        decided: &Decided,
        rules: &[RuleCheck],
        pools: &[PoolExplanation],
        slots: i64,
    ) -> Vec<Change> {
        let obstacle = |rule: &RuleCheck| Change {
            rule: Some(rule.rule),
            cost: cost(rule.rule),
            reasons: rule.check.refusing(judge.strict()).to_vec(),
        };
        let room = |reasons| Change { rule: None, cost: CAPACITY_COST, reasons };
        let own = rules
            .iter()
            .filter(|rule| rule.refuses && rule.rule != Rule::Pools && !POOL_RULES.contains(&rule.rule))
            .map(obstacle);
        let mut changes: Vec<_> = own.collect();
        for (part, (_, judge)) in judge.parts().into_iter().enumerate() {
            if spec.requirement.parts.get(part).is_some_and(|part| part.optional) {
                continue;
            }
            let by_pool = of_part(pools, spec, part).enumerate().map(|(plane, pool)| {
                let mut needed: Vec<_> = pool.rules.iter().filter(|rule| rule.refuses).map(obstacle).collect();
                // Labels are judged of a pool that no other rule refuses, so of this one they are asked for here.
                let refused: Vec<Rule> = needed.iter().filter_map(|change| change.rule).collect();
                if let Some(of) = input.pools.get(plane).filter(|_| refused.iter().any(|rule| UNSEEN.contains(rule))) {
                    let check = judge.unlabelled(of, &refused);
                    if !check.reasons.is_empty() {
                        let rule = Rule::NodeAffinity;
                        needed.push(obstacle(&RuleCheck { rule, refuses: true, check }));
                    }
                }
                // A set may have room in several pools together.
                let elsewhere = pool.accepted && slots > 0;
                if pool.slots < 1 && !elsewhere {
                    needed.push(room(self.missing(decided.shape, part, plane, slot.index())));
                }
                let reasons = needed.iter().map(|change| change.reasons.len()).sum::<usize>();
                ((needed.iter().map(|change| change.cost).sum::<u32>(), needed.len(), reasons, plane), needed)
            });
            match by_pool.min_by_key(|(price, _)| *price) {
                Some((_, needed)) => changes.extend(needed),
                None => changes.push(room(vec![Reason::new(Code::NoPoolAccepted)])),
            }
        }
        if changes.is_empty() && slots < 1 {
            // Each part alone has room, and not all of them together.
            let reason = Reason::new(Code::CapacityInsufficient).object(spec.key.to_string());
            changes.push(room(vec![reason.seen(slots).wanted(1)]));
        }
        changes.sort_by_key(|change| (change.cost, change.rule));
        changes
    }

    /// What the node that comes closest is short of.
    fn missing(&self, shape: usize, part: usize, plane: usize, slot: usize) -> Vec<Reason> {
        let short = self.books.ledger.missing(shape, part, plane, slot);
        short
            .into_iter()
            .map(|(name, free, wanted)| {
                let value = |amount: i64| match &*name {
                    resources::CPU => Value::Millicores(amount),
                    resources::MEMORY | resources::EPHEMERAL_STORAGE => Value::Bytes(amount),
                    _ => Value::Int(amount),
                };
                Reason::new(Code::ResourceMissing).object(&*name).seen(value(free)).wanted(value(wanted))
            })
            .collect()
    }
}
