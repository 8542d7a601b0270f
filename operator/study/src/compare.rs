//! Two plans of one fleet held against each other: the present, and what is supposed.
//!
//! What moves, what newly finds no place or runs against a rule, whom it touches, and what both draw, emit and cost in a
//! month at the same rates of estimation. Nothing is decided here; both plans are the engine's.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::resources::{CPU, MEMORY};
use jiuzhou_engine::decide::{Decision, Move, Plan, QuotaUse, Spec, Status, Target, Violation, WorkloadKey};
use jiuzhou_engine::terms::{Code, Fen, Milligrams, MilliwattHours, PerMille, Reason};
use jiuzhou_measure::MeasureError;
use jiuzhou_measure::energy::Amounts;
use jiuzhou_measure::rates::{ClusterRates, Estimate};

/// One of the two.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The plan, every workload told.
    pub plan: &'a Plan,
    /// The workloads it was made from.
    pub specs: &'a [Spec],
    /// What its clusters draw and cost.
    pub rates: &'a BTreeMap<String, ClusterRates>,
}

/// How both are estimated.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Use of a node that is assumed.
    pub utilisation: PerMille,
    /// Hours.
    pub hours: i64,
}

/// A workload on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// How its decision ended.
    pub status: Status,
    /// Replicas wanted.
    pub wanted: i64,
    /// Where they are.
    pub targets: Vec<Target>,
    /// What runs against a rule.
    pub violations: Vec<Violation>,
}

/// A workload that is not on both sides the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadChange {
    /// Which.
    pub key: WorkloadKey,
    /// Its tenant, as supposed; before, where it is gone.
    pub tenant: String,
    /// At present; `None` when it is new.
    pub before: Option<State>,
    /// As supposed; `None` when it is gone.
    pub after: Option<State>,
    /// Replicas that change place, by cluster.
    pub moves: Vec<Move>,
    /// It has a place for all replicas at present, and not as supposed.
    pub loses_place: bool,
    /// What runs against a rule and does not at present.
    pub new_violations: Vec<Violation>,
    /// What limits it, as supposed.
    pub why: Option<Reason>,
}

impl WorkloadChange {
    /// Replicas that are started anew somewhere.
    #[must_use]
    pub fn started(&self) -> i64 {
        self.moves.iter().map(|one| one.to.saturating_sub(one.from).max(0)).fold(0, i64::saturating_add)
    }
}

/// Sums of estimates, and how many replicas are left out because something is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Replicas.
    pub replicas: i64,
    /// Energy of what is known.
    pub energy: MilliwattHours,
    /// Emissions of what is known.
    pub carbon: Milligrams,
    /// Price of what is known.
    pub cost: Fen,
    /// Replicas whose energy is not known.
    pub no_energy: i64,
    /// Replicas whose emissions are not known.
    pub no_carbon: i64,
    /// Replicas whose price is not known.
    pub no_cost: i64,
}

/// Something with its totals on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    /// At present.
    pub before: Total,
    /// As supposed.
    pub after: Total,
}

/// The comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Workloads that are not the same on both sides, by key.
    pub workloads: Vec<WorkloadChange>,
    /// Workloads that are.
    pub unchanged: usize,
    /// By cluster.
    pub clusters: BTreeMap<String, Both>,
    /// By tenant, with how many of its workloads change.
    pub tenants: BTreeMap<String, (Both, usize)>,
    /// Everything.
    pub whole: Both,
    /// Quotas whose use or limit differs: before, after.
    pub quota: Vec<(Option<QuotaUse>, Option<QuotaUse>)>,
}

impl Comparison {
    /// Says of what leaves clusters that are supposed to be lost why it does. The decision cannot: on its side there is
    /// nothing left that could leave.
    pub fn tell_lost(&mut self, lost: &BTreeSet<String>) {
        for step in self.workloads.iter_mut().flat_map(|one| &mut one.moves) {
            if step.to < step.from && lost.contains(&step.cluster) {
                let reason = || Reason::new(Code::ClusterUnreachable).object(step.cluster.as_str());
                step.reason.get_or_insert_with(reason);
            }
        }
    }

    /// Workloads with replicas that change place. One that only grows or shrinks where it is does not move.
    #[must_use]
    pub fn moved(&self) -> usize {
        self.workloads.iter().filter(|one| one.before.is_some() && one.after.is_some() && !one.moves.is_empty()).count()
    }

    /// Replicas that are started anew.
    #[must_use]
    pub fn started(&self) -> i64 {
        self.workloads.iter().map(WorkloadChange::started).fold(0, i64::saturating_add)
    }

    /// Workloads that lose their place.
    #[must_use]
    pub fn unplaced(&self) -> usize {
        self.workloads.iter().filter(|one| one.loses_place).count()
    }

    /// Workloads with something that newly runs against a rule.
    #[must_use]
    pub fn violating(&self) -> usize {
        self.workloads.iter().filter(|one| !one.new_violations.is_empty()).count()
    }
}

/// Compares.
///
/// # Errors
/// [`MeasureError`] when an estimate leaves the range of its unit.
pub fn compare(before: &Side<'_>, after: &Side<'_>, scale: Scale) -> Result<Comparison, MeasureError> {
    let (old, new) = (told(before), told(after));
    let keys: BTreeSet<&WorkloadKey> = old.keys().chain(new.keys()).copied().collect();
    let mut comparison = Comparison::default();
    let mut touched: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys {
        let (was, is) = (old.get(key), new.get(key));
        let tenant = is.or(was).map_or("", |(spec, _)| spec.requirement.tenant.as_str());
        let change = change(key, tenant, was.copied(), is.copied());
        let moved_body = was.is_some_and(|(spec, _)| spec.requirement.tenant != tenant);
        if change.before == change.after && !moved_body {
            comparison.unchanged += 1;
        } else {
            *touched.entry(tenant).or_default() += 1;
            comparison.workloads.push(change);
        }
    }
    for (side, of) in [(before, &old), (after, &new)] {
        let earlier = std::ptr::eq(side, before);
        for (spec, decision) in of.values() {
            for target in &decision.targets {
                let one = estimate(side.rates.get(&target.cluster), spec, target.replicas, scale)?;
                let tenant = comparison.tenants.entry(spec.requirement.tenant.clone()).or_default();
                let cluster = comparison.clusters.entry(target.cluster.clone()).or_default();
                for both in [&mut tenant.0, cluster, &mut comparison.whole] {
                    add(if earlier { &mut both.before } else { &mut both.after }, one, target.replicas)?;
                }
            }
        }
    }
    // A cluster that comes or goes is told though nothing runs there: that nothing does is what one wants to know.
    let only = |one: &Side<'_>, other: &Side<'_>| -> Vec<String> {
        one.rates.keys().filter(|name| !other.rates.contains_key(*name)).cloned().collect()
    };
    for name in only(before, after).into_iter().chain(only(after, before)) {
        comparison.clusters.entry(name).or_default();
    }
    for (tenant, count) in touched {
        comparison.tenants.entry(tenant.to_owned()).or_default().1 = count;
    }
    comparison.quota = quota(&before.plan.quota, &after.plan.quota);
    Ok(comparison)
}

type Told<'a> = BTreeMap<&'a WorkloadKey, (&'a Spec, &'a Decision)>;

fn told<'a>(side: &Side<'a>) -> Told<'a> {
    let specs: BTreeMap<&WorkloadKey, &Spec> = side.specs.iter().map(|spec| (&spec.key, spec)).collect();
    let decisions = side.plan.decisions.iter();
    decisions.filter_map(|decision| Some((&decision.key, (*specs.get(&decision.key)?, decision)))).collect()
}

fn state((spec, decision): (&Spec, &Decision)) -> State {
    State {
        status: decision.status,
        wanted: spec.replicas,
        targets: decision.targets.iter().filter(|target| target.replicas > 0).cloned().collect(),
        violations: decision.violations.clone(),
    }
}

fn change(
    key: &WorkloadKey,
    tenant: &str,
    was: Option<(&Spec, &Decision)>,
    is: Option<(&Spec, &Decision)>,
) -> WorkloadChange {
    let (before, after) = (was.map(state), is.map(state));
    let places = |state: Option<&State>| -> BTreeMap<String, i64> {
        let targets = state.map(|state| state.targets.as_slice()).unwrap_or_default();
        targets.iter().map(|target| (target.cluster.clone(), target.replicas)).collect()
    };
    let (from, to) = (places(before.as_ref()), places(after.as_ref()));
    let decided = is.map(|(_, decision)| decision.moves.as_slice()).unwrap_or_default();
    let clusters: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let moves = clusters.into_iter().filter_map(|cluster| {
        let (from, to) = (from.get(cluster).copied().unwrap_or(0), to.get(cluster).copied().unwrap_or(0));
        let reason = decided.iter().find(|one| one.cluster == *cluster).and_then(|one| one.reason.clone());
        (from != to).then(|| Move { cluster: cluster.clone(), from, to, reason })
    });
    let placed = |state: Option<&State>| state.is_some_and(|state| state.status == Status::Placed);
    let known = before.as_ref().map(|state| state.violations.as_slice()).unwrap_or_default();
    let broken = |one: &&Violation| !known.iter().any(|old| old.cluster == one.cluster && old.rule == one.rule);
    let violations = after.as_ref().map(|state| state.violations.as_slice()).unwrap_or_default();
    let why = is.and_then(|(_, decision)| {
        let violated = || decision.violations.iter().find_map(|one| one.reasons.first());
        decision.limits.first().or_else(violated).cloned()
    });
    WorkloadChange {
        key: key.clone(),
        tenant: tenant.to_owned(),
        moves: moves.collect(),
        // What is new and finds no place is as much a result of the scenario as what loses its own.
        loses_place: after.is_some() && !placed(after.as_ref()) && (before.is_none() || placed(before.as_ref())),
        new_violations: violations.iter().filter(broken).cloned().collect(),
        why,
        before,
        after,
    }
}

/// What replicas of a workload draw, emit and cost on a cluster; nothing is known where the cluster has no rates.
fn estimate(rates: Option<&ClusterRates>, spec: &Spec, replicas: i64, scale: Scale) -> Result<Estimate, MeasureError> {
    let Some(rates) = rates else { return Ok(Estimate::default()) };
    let of = |resource: &str| {
        spec.pods.iter().try_fold(0_i64, |sum, pod| {
            let each = pod.request.get(resource).copied().unwrap_or(0).checked_mul(pod.count)?;
            sum.checked_add(each.checked_mul(replicas)?)
        })
    };
    let out = MeasureError::OutOfRange("requests of a plan");
    let (Some(cpu), Some(memory)) = (of(CPU), of(MEMORY)) else { return Err(out) };
    rates.share(Amounts { cpu, memory }, scale.utilisation, scale.hours)
}

fn add(total: &mut Total, one: Estimate, replicas: i64) -> Result<(), MeasureError> {
    const OUT: MeasureError = MeasureError::OutOfRange("totals of a plan");
    total.replicas = total.replicas.checked_add(replicas).ok_or(OUT)?;
    match one.energy {
        Some(energy) => total.energy = total.energy.checked_add(energy).ok_or(OUT)?,
        None => total.no_energy = total.no_energy.saturating_add(replicas),
    }
    match one.carbon {
        Some(carbon) => total.carbon = total.carbon.checked_add(carbon).ok_or(OUT)?,
        None => total.no_carbon = total.no_carbon.saturating_add(replicas),
    }
    match one.cost {
        Some(cost) => total.cost = total.cost.checked_add(cost).ok_or(OUT)?,
        None => total.no_cost = total.no_cost.saturating_add(replicas),
    }
    Ok(())
}

fn quota(before: &[QuotaUse], after: &[QuotaUse]) -> Vec<(Option<QuotaUse>, Option<QuotaUse>)> {
    let by_name = |uses: &[QuotaUse]| -> BTreeMap<(String, String), QuotaUse> {
        uses.iter().map(|one| ((one.tenant.clone(), one.resource.clone()), one.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let same = |a: &Option<QuotaUse>, b: &Option<QuotaUse>| match (a, b) {
        (Some(a), Some(b)) => (a.after, a.limit) == (b.after, b.limit),
        _ => false,
    };
    let pair = |name| (before.get(&name).cloned(), after.get(&name).cloned());
    names.into_iter().map(pair).filter(|(a, b)| !same(a, b)).collect()
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::decide::FleetInput;
    use jiuzhou_engine::decide::input::{ClusterState, Reachability};
    use jiuzhou_engine::terms::Milliwatts;
    use jiuzhou_measure::cost::MicroFen;
    use jiuzhou_measure::energy::{LinearPower, PoolPower, Provenance};
    use jiuzhou_measure::rates::PoolRates;

    use super::*;
    use crate::fixture::{cluster, fleet, plan, workload};

    const SCALE: Scale = Scale { utilisation: PerMille(500), hours: 720 };

    fn rates(names: &[&str]) -> BTreeMap<String, ClusterRates> {
        let line = LinearPower { idle: Milliwatts(4000), peak: Milliwatts(8000) };
        let power = Some(PoolPower { line, provenance: Provenance::Modelled });
        let pool = PoolRates { pool: "pool".to_owned(), nodes: 1, millicores: 4000, power, node_month: None };
        let one = ClusterRates {
            cpu_hour: Some(MicroFen(1_000_000)),
            gib_hour: Some(MicroFen(0)),
            pue: Some(PerMille(1000)),
            mg_per_kwh: Some(500_000),
            pools: vec![pool],
            ..ClusterRates::default()
        };
        names.iter().map(|name| ((*name).to_owned(), one.clone())).collect()
    }

    fn compared(before: &FleetInput, after: &FleetInput, rates: &BTreeMap<String, ClusterRates>) -> Comparison {
        let (old, new) = (plan(before), plan(after));
        let side = |plan, specs| Side { plan, specs, rates };
        compare(&side(&old, &before.specs), &side(&new, &after.specs), SCALE).expect("in range")
    }

    #[test]
    fn equal_sides_differ_in_nothing() {
        let fleet = fleet(&[cluster("a", 2, 4)], &[workload("w", 3, &[("a", 3)])]);
        let same = compared(&fleet, &fleet, &rates(&["a"]));
        assert_eq!((same.workloads.len(), same.unchanged, same.moved()), (0, 1, 0));
        assert_eq!(same.whole.before, same.whole.after);
        assert!(same.quota.is_empty());
    }

    #[test]
    fn a_cluster_that_comes_or_goes_is_told_though_nothing_runs_there() {
        let fleet = fleet(&[cluster("a", 2, 4)], &[workload("w", 3, &[("a", 3)])]);
        let plan = plan(&fleet);
        let side = |rates| Side { plan: &plan, specs: &fleet.specs, rates };
        let (small, large) = (rates(&["a"]), rates(&["a", "new"]));
        let told = |before, after| {
            let compared = compare(&side(before), &side(after), SCALE).expect("in range");
            compared.clusters.into_iter().map(|(name, both)| (name, both.after.replicas)).collect::<Vec<_>>()
        };
        let wanted = [("a".to_owned(), 3), ("new".to_owned(), 0)];
        assert_eq!(told(&small, &large), wanted);
        assert_eq!(told(&large, &small), wanted);
        assert_eq!(told(&small, &small), wanted[..1]);
    }

    #[test]
    fn a_drain_moves_what_runs_and_says_what_stays_without_a_place() {
        let before = fleet(
            &[cluster("a", 2, 4), cluster("b", 1, 4)],
            &[workload("v", 4, &[("a", 4)]), workload("w", 3, &[("a", 3)])],
        );
        let mut after = before.clone();
        after.clusters[0].state = ClusterState::Draining;
        let told = compared(&before, &after, &rates(&["a", "b"]));
        let moved = told.workloads.iter().find(|one| one.key.name == "v").expect("v moves");
        let steps: Vec<_> = moved.moves.iter().map(|step| (step.cluster.as_str(), step.from, step.to)).collect();
        assert_eq!((steps, moved.started()), (vec![("a", 4, 0), ("b", 0, 4)], 4));
        // b has room for four: w waits.
        let waits = told.workloads.iter().find(|one| one.key.name == "w").expect("w is touched");
        assert!(waits.loses_place && waits.why.is_some(), "{waits:?}");
        assert_eq!((told.unplaced(), told.tenants[""].1), (1, 2));
    }

    #[test]
    fn what_leaves_a_lost_cluster_says_so_and_what_comes_elsewhere_does_not() {
        let before = fleet(&[cluster("a", 2, 4), cluster("b", 2, 4)], &[workload("w", 3, &[("a", 3)])]);
        let mut after = before.clone();
        after.clusters[0].reachability = Reachability::Unreachable;
        after.specs[0].current.clear();
        after.specs[0].changed = true;
        let mut told = compared(&before, &after, &rates(&["a", "b"]));
        told.tell_lost(&["a".to_owned()].into());
        let steps = told.workloads[0].moves.iter();
        let steps: Vec<_> = steps.map(|step| (&*step.cluster, step.reason.as_ref().map(|one| one.code))).collect();
        assert_eq!(steps, [("a", Some(Code::ClusterUnreachable)), ("b", None)]);
    }

    #[test]
    fn estimates_follow_the_replicas_and_what_has_no_rate_is_counted() {
        let before = fleet(&[cluster("a", 2, 4)], &[workload("w", 2, &[("a", 2)])]);
        let mut after = before.clone();
        after.specs[0].replicas = 4;
        after.specs[0].changed = true;
        let told = compared(&before, &after, &rates(&["a"]));
        // 6 W for 4 cpu is 1.5 W each; 720 h is 1.08 kWh and 7.2 yuan a replica.
        assert_eq!((told.whole.before.energy.0, told.whole.after.energy.0), (2_160_000, 4_320_000));
        assert_eq!((told.whole.before.cost, told.whole.after.cost), (Fen(1440), Fen(2880)));
        assert_eq!(told.whole.after.carbon, Milligrams(2_160_000));
        assert_eq!((told.moved(), told.workloads[0].started()), (1, 2));
        let unknown = compared(&before, &after, &BTreeMap::new());
        assert_eq!((unknown.whole.after.no_cost, unknown.whole.after.cost), (4, Fen(0)));
    }

    #[test]
    fn what_is_new_or_gone_is_told_as_such() {
        let before = fleet(&[cluster("a", 2, 4)], &[workload("old", 1, &[("a", 1)])]);
        let after = fleet(&[cluster("a", 2, 4)], &[workload("new", 99, &[])]);
        let told = compared(&before, &after, &rates(&["a"]));
        let names: Vec<_> = told
            .workloads
            .iter()
            .map(|one| (one.key.name.as_str(), one.before.is_some(), one.after.is_some(), one.loses_place))
            .collect();
        assert_eq!(names, [("new", false, true, true), ("old", true, false, false)]);
        assert_eq!(told.moved(), 0);
    }
}
