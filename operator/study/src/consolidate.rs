//! Which clusters and nodes could be emptied, by asking the engine what it would decide without them.
//!
//! Clusters are drained one after the other, those with the fewest replicas first, and a drain stands when every replica
//! leaves, nobody loses a place and nothing newly runs against a rule. Of the clusters that stay, the nodes a pool could
//! do without are found by taking nodes away until what runs there no longer fits. What is saved is what emptied nodes
//! draw while they idle: the rest of their energy goes along with what moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide::canonical::CanonicalError;
use jiuzhou_engine::decide::input::{ClusterInput, ClusterState, PoolInput};
use jiuzhou_engine::decide::{
    self, Changes, Current, Decision, FleetInput, Move, Plan, Policy, Snapshot, SnapshotError, Spec, Status,
    WorkloadKey,
};
use jiuzhou_engine::terms::{Code, Fen, Milligrams, MilliwattHours, Reason};
use jiuzhou_measure::MeasureError;
use jiuzhou_measure::rates::{ClusterRates, Estimate};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The fleet with what runs.
    pub fleet: &'a FleetInput,
    /// Clusters to try; every one when empty.
    pub only: &'a [String],
    /// The instant.
    pub as_of: Timestamp,
    /// What clusters draw and cost.
    pub rates: &'a BTreeMap<String, ClusterRates>,
    /// Hours to save for.
    pub hours: i64,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum ConsolidateError {
    /// The inputs cannot be one fleet.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// An estimate left the range of its unit.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

/// A cluster that could be emptied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emptied {
    /// Name.
    pub cluster: String,
    /// Its nodes.
    pub nodes: i64,
    /// Replicas that would leave.
    pub replicas: i64,
    /// Where its workloads would change, this cluster included.
    pub moves: Vec<(WorkloadKey, Move)>,
    /// What its idle nodes draw, emit and cost.
    pub saves: Estimate,
}

/// A cluster that could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name.
    pub cluster: String,
    /// Replicas on it.
    pub replicas: i64,
    /// How many workloads stand in the way.
    pub blocking: usize,
    /// The first of them, and why.
    pub workload: WorkloadKey,
    /// Why, where the engine has a reason.
    pub why: Option<Reason>,
    /// The other cluster that comes nearest to taking it, where the reason is one of that cluster's.
    pub nearest: Option<String>,
}

/// Nodes of a pool that could be emptied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// Cluster.
    pub cluster: String,
    /// Pool.
    pub pool: String,
    /// Its nodes.
    pub nodes: i64,
    /// How many of them could be emptied; `None` when what runs there cannot be packed anew (it runs against a rule).
    pub spare: Option<i64>,
    /// What those draw, emit and cost while idle.
    pub saves: Estimate,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consolidation {
    /// Clusters that could be emptied together, in the order in which they were tried.
    pub emptied: Vec<Emptied>,
    /// Clusters that could not.
    pub kept: Vec<Kept>,
    /// Pools of the clusters that stay.
    pub nodes: Vec<Nodes>,
}

/// Asks.
///
/// # Errors
/// [`ConsolidateError`]; none for the inputs of one fleet in the range of its units.
pub fn consolidate(asked: &Asked<'_>) -> Result<Consolidation, ConsolidateError> {
    let mut fleet = asked.fleet.clone();
    let mut plan = planned(&fleet, asked.as_of)?;
    settle(&mut fleet.specs, &plan);
    let tried = |name: &str| asked.only.is_empty() || asked.only.iter().any(|only| only == name);
    let placed = |plan: &Plan, name: &str| -> i64 {
        let on = plan.decisions.iter().flat_map(|one| &one.targets).filter(|target| target.cluster == name);
        on.map(|target| target.replicas).fold(0, i64::saturating_add)
    };
    let mut order: Vec<(i64, String)> = fleet
        .clusters
        .iter()
        .filter(|one| one.state == ClusterState::Active && tried(&one.name))
        .map(|one| (placed(&plan, &one.name), one.name.clone()))
        .collect();
    order.sort();
    let mut found = Consolidation::default();
    for (_, name) in order {
        let replicas = placed(&plan, &name);
        let mut without = fleet.clone();
        if let Some(cluster) = cluster_mut(&mut without.clusters, &name) {
            cluster.state = ClusterState::Draining;
        }
        let next = planned(&without, asked.as_of)?;
        match blocked(&plan, &next, &name, replicas, &without, asked.as_of)? {
            Some(kept) => found.kept.push(kept),
            None => {
                let moves = moves(&plan, &next);
                let (nodes, saves) = all_nodes(&without, &name, asked)?;
                found.emptied.push(Emptied { cluster: name, nodes, replicas, moves, saves });
                settle(&mut without.specs, &next);
                (fleet, plan) = (without, next);
            }
        }
    }
    let names: Vec<String> = found.kept.iter().map(|kept| kept.cluster.clone()).collect();
    for name in names {
        found.nodes.extend(spare_nodes(&fleet, &plan, &name, asked)?);
    }
    Ok(found)
}

fn planned(fleet: &FleetInput, as_of: Timestamp) -> Result<Plan, ConsolidateError> {
    let snapshot = Snapshot::new(fleet.clone())?;
    Ok(decide::plan(&snapshot, &Changes { all: true, ..Changes::default() }, as_of)?)
}

fn cluster_mut<'a>(clusters: &'a mut [ClusterInput], name: &str) -> Option<&'a mut ClusterInput> {
    clusters.iter_mut().find(|one| one.name == name)
}

/// Workloads run where a plan has put them.
fn settle(specs: &mut [Spec], plan: &Plan) {
    let decided: BTreeMap<&WorkloadKey, &Decision> = plan.decisions.iter().map(|one| (&one.key, one)).collect();
    for spec in specs {
        let Some(decision) = decided.get(&spec.key) else { continue };
        spec.current = decision
            .targets
            .iter()
            .filter(|target| target.replicas > 0)
            .map(|target| Current {
                cluster: target.cluster.clone(),
                placed: target.replicas,
                observed: target.replicas,
            })
            .collect();
        spec.changed = false;
    }
}

/// What keeps a cluster from being emptied.
fn blocked(
    before: &Plan,
    after: &Plan,
    cluster: &str,
    replicas: i64,
    without: &FleetInput,
    as_of: Timestamp,
) -> Result<Option<Kept>, ConsolidateError> {
    let old: BTreeMap<&WorkloadKey, &Decision> = before.decisions.iter().map(|one| (&one.key, one)).collect();
    let mut blocking = after.decisions.iter().filter(|now| {
        let was = old.get(&now.key);
        let stays = now.targets.iter().any(|target| target.cluster == cluster && target.replicas > 0);
        let loses = now.status != Status::Placed && was.is_some_and(|was| was.status == Status::Placed);
        let known = |one: &decide::Violation| {
            was.is_some_and(|was| was.violations.iter().any(|old| old.cluster == one.cluster && old.rule == one.rule))
        };
        stays || loses || now.violations.iter().any(|one| !known(one))
    });
    let Some(first) = blocking.next() else { return Ok(None) };
    let violated = || first.violations.iter().find_map(|one| one.reasons.first());
    let mut why = first.limits.first().or_else(violated).cloned();
    let mut nearest = None;
    // That the cluster is being emptied is the question, not the answer: what keeps the others from taking it is.
    if why.as_ref().is_none_or(|reason| reason.code == Code::ClusterDraining) {
        let snapshot = Snapshot::new(without.clone())?;
        let told = decide::explain(&snapshot, &Changes { all: true, ..Changes::default() }, &first.key, as_of)?;
        let draining =
            |name: &str| without.clusters.iter().any(|one| one.name == name && one.state != ClusterState::Active);
        let clusters = told.map(|told| told.clusters).unwrap_or_default();
        let others = clusters.iter().filter(|one| !draining(&one.cluster) && !one.changes.is_empty());
        if let Some(best) = others.min_by_key(|one| (one.cost, &one.cluster)) {
            why = best.changes.first().and_then(|change| change.reasons.first()).cloned();
            nearest = Some(best.cluster.clone());
        }
    }
    Ok(Some(Kept {
        cluster: cluster.to_owned(),
        replicas,
        workload: first.key.clone(),
        why,
        nearest,
        blocking: 1 + blocking.count(),
    }))
}

fn moves(before: &Plan, after: &Plan) -> Vec<(WorkloadKey, Move)> {
    let places = |plan: &Plan| -> BTreeMap<(WorkloadKey, String), i64> {
        let targets = plan.decisions.iter().flat_map(|one| one.targets.iter().map(move |target| (one, target)));
        targets.map(|(one, target)| ((one.key.clone(), target.cluster.clone()), target.replicas)).collect()
    };
    let (from, to) = (places(before), places(after));
    let mut all: Vec<_> = from.keys().chain(to.keys()).cloned().collect();
    all.sort();
    all.dedup();
    let step = |at: (WorkloadKey, String)| {
        let (was, is) = (from.get(&at).copied().unwrap_or(0), to.get(&at).copied().unwrap_or(0));
        (was != is).then_some((at.0, Move { cluster: at.1, from: was, to: is, reason: None }))
    };
    all.into_iter().filter_map(step).collect()
}

fn nodes_of(pool: &PoolInput) -> i64 {
    pool.shapes.iter().map(|shape| shape.count).fold(0, i64::saturating_add)
}

/// All nodes of a cluster, idle.
fn all_nodes(fleet: &FleetInput, name: &str, asked: &Asked<'_>) -> Result<(i64, Estimate), ConsolidateError> {
    let Some(cluster) = fleet.clusters.iter().find(|one| one.name == name) else {
        return Ok((0, Estimate::default()));
    };
    let (mut nodes, mut saves) = (0_i64, Estimate::NOTHING);
    for pool in &cluster.pools {
        let count = nodes_of(pool);
        nodes = nodes.saturating_add(count);
        saves = plus(saves, idle(asked, name, &pool.name, count)?)?;
    }
    Ok((nodes, saves))
}

fn idle(asked: &Asked<'_>, cluster: &str, pool: &str, nodes: i64) -> Result<Estimate, ConsolidateError> {
    if nodes == 0 {
        return Ok(Estimate::NOTHING);
    }
    let rates = asked.rates.get(cluster);
    let saved = rates.map(|rates| rates.idle_nodes(pool, nodes, asked.hours, asked.hours)).transpose()?;
    Ok(saved.unwrap_or_default())
}

/// The sum of two estimates; what is not known of either is not known of both.
///
/// # Errors
/// [`MeasureError`] out of range.
pub fn plus(a: Estimate, b: Estimate) -> Result<Estimate, MeasureError> {
    const OUT: MeasureError = MeasureError::OutOfRange("a sum of estimates");
    let sum = |a: Option<i64>, b: Option<i64>| match (a, b) {
        (Some(a), Some(b)) => a.checked_add(b).map(Some).ok_or(OUT),
        _ => Ok(None),
    };
    Ok(Estimate {
        energy: sum(a.energy.map(|e| e.0), b.energy.map(|e| e.0))?.map(MilliwattHours),
        carbon: sum(a.carbon.map(|e| e.0), b.carbon.map(|e| e.0))?.map(Milligrams),
        cost: sum(a.cost.map(|e| e.0), b.cost.map(|e| e.0))?.map(Fen),
    })
}

/// For each pool of a cluster, the most nodes it could do without: one pool after the other, so that the nodes found can
/// be taken away together.
fn spare_nodes(fleet: &FleetInput, plan: &Plan, name: &str, asked: &Asked<'_>) -> Result<Vec<Nodes>, ConsolidateError> {
    let Some(cluster) = fleet.clusters.iter().find(|one| one.name == name) else { return Ok(Vec::new()) };
    let mut left = alone(fleet, plan, cluster);
    let packs = packs(&left, asked.as_of)?;
    let mut found = Vec::new();
    for (at, pool) in cluster.pools.iter().enumerate() {
        let nodes = nodes_of(pool);
        let mut spare = 0_i64;
        if packs {
            // The most that still fits: below it everything does, above it nothing does.
            let (mut low, mut high) = (0_i64, nodes);
            while low < high {
                let middle = low + (high - low + 1) / 2;
                let mut fewer = left.clone();
                take(&mut fewer, at, middle);
                if self::packs(&fewer, asked.as_of)? {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            spare = low;
            take(&mut left, at, spare);
        }
        found.push(Nodes {
            cluster: name.to_owned(),
            pool: pool.name.clone(),
            nodes,
            spare: packs.then_some(spare),
            saves: if packs { idle(asked, name, &pool.name, spare)? } else { Estimate::default() },
        });
    }
    Ok(found)
}

/// One cluster as a fleet of its own, with what a plan has put there and nothing running yet.
fn alone(fleet: &FleetInput, plan: &Plan, cluster: &ClusterInput) -> FleetInput {
    let mut specs = Vec::new();
    for decision in &plan.decisions {
        let on = decision.targets.iter().find(|target| target.cluster == cluster.name && target.replicas > 0);
        let spec = fleet.specs.iter().find(|spec| spec.key == decision.key);
        let (Some(target), Some(spec)) = (on, spec) else { continue };
        specs.push(Spec {
            replicas: target.replicas,
            current: Vec::new(),
            colocate: None,
            // How replicas are spread over clusters has been decided; here is one.
            policy: Arc::new(Policy::default()),
            data_on: None,
            stale: BTreeMap::new(),
            ..spec.clone()
        });
    }
    FleetInput { clusters: vec![cluster.clone()], freezes: Vec::new(), specs, ..fleet.clone() }
}

fn packs(fleet: &FleetInput, as_of: Timestamp) -> Result<bool, ConsolidateError> {
    Ok(planned(fleet, as_of)?.decisions.iter().all(|one| one.status == Status::Placed))
}

/// Takes nodes out of a pool, those with the most room first: they hold least of what others run.
fn take(fleet: &mut FleetInput, pool: usize, mut nodes: i64) {
    let Some(pool) = fleet.clusters.first_mut().and_then(|one| one.pools.get_mut(pool)) else { return };
    let mut order: Vec<usize> = (0..pool.shapes.len()).collect();
    let room = |at: &usize| pool.shapes.get(*at).map(|shape| shape.free.clone());
    order.sort_by_key(|at| std::cmp::Reverse(room(at)));
    for at in order {
        if let Some(shape) = pool.shapes.get_mut(at) {
            let taken = nodes.min(shape.count);
            shape.count -= taken;
            nodes -= taken;
        }
    }
    pool.shapes.retain(|shape| shape.count > 0);
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::{Milliwatts, PerMille};
    use jiuzhou_measure::energy::{LinearPower, PoolPower, Provenance};
    use jiuzhou_measure::rates::PoolRates;

    use super::*;
    use crate::fixture::{as_of, cluster, fleet, within, workload};

    fn asked(fleet: &FleetInput, only: &[String]) -> Consolidation {
        let line = LinearPower { idle: Milliwatts(100_000), peak: Milliwatts(300_000) };
        let power = Some(PoolPower { line, provenance: Provenance::Modelled });
        let pool = PoolRates { pool: "pool".to_owned(), nodes: 4, millicores: 16_000, power, node_month: None };
        let one = ClusterRates {
            pue: Some(PerMille(1500)),
            mg_per_kwh: Some(500_000),
            pools: vec![pool],
            ..ClusterRates::default()
        };
        let rates = fleet.clusters.iter().map(|cluster| (cluster.name.clone(), one.clone())).collect();
        consolidate(&Asked { fleet, only, as_of: as_of(), rates: &rates, hours: 720 }).expect("an answer")
    }

    #[test]
    fn a_cluster_whose_replicas_fit_elsewhere_could_be_emptied_and_saves_its_idle_nodes() {
        let fleet = fleet(
            &[cluster("a", 4, 4), cluster("b", 2, 4)],
            &[workload("v", 5, &[("a", 5)]), workload("w", 2, &[("b", 2)])],
        );
        let found = asked(&fleet, &[]);
        // b first: it has fewer. What b had is on a then, and a has no other place to go.
        assert_eq!(found.emptied.iter().map(|one| one.cluster.as_str()).collect::<Vec<_>>(), ["b"]);
        let b = &found.emptied[0];
        assert_eq!((b.nodes, b.replicas, b.moves.len()), (2, 2, 2));
        // 2 nodes of 100 W for 720 h, times 1.5.
        assert_eq!(b.saves.energy, Some(MilliwattHours(216_000_000)));
        assert_eq!((found.kept[0].cluster.as_str(), found.kept[0].blocking), ("a", 2));
        // 7 replicas of one cpu need two nodes of four.
        assert_eq!((found.nodes[0].nodes, found.nodes[0].spare), (4, Some(2)));
    }

    #[test]
    fn a_hard_rule_keeps_a_cluster() {
        let mut far = cluster("far", 4, 4);
        far.region = "110000".to_owned();
        let fleet = fleet(&[cluster("a", 4, 4), far], &[within(workload("w", 1, &[("a", 1)]), &["53"])]);
        let found = asked(&fleet, &[]);
        assert_eq!(found.emptied.iter().map(|one| one.cluster.as_str()).collect::<Vec<_>>(), ["far"]);
        assert_eq!((found.kept[0].cluster.as_str(), found.kept[0].workload.name.as_str()), ("a", "w"));
        assert_eq!(found.nodes[0].spare, Some(3));
        // Where the other cluster stays, it is told why that one does not take it.
        let alone = asked(&fleet, &["a".to_owned()]);
        let told = (alone.kept[0].why.as_ref().map(|why| why.code), alone.kept[0].nearest.as_deref());
        assert_eq!(told, (Some(Code::RegionNotAllowed), Some("far")));
    }

    #[test]
    fn only_what_is_asked_for_is_tried() {
        let fleet = fleet(&[cluster("a", 4, 4), cluster("b", 2, 4)], &[workload("w", 2, &[("b", 2)])]);
        let found = asked(&fleet, &["b".to_owned()]);
        assert_eq!((found.emptied.len(), found.kept.len()), (1, 0));
    }

    #[test]
    fn what_runs_against_a_rule_cannot_be_packed_anew_and_is_not_told_as_spare() {
        let mut a = cluster("a", 4, 4);
        a.region = "110000".to_owned();
        let fleet = fleet(&[a], &[within(workload("w", 1, &[("a", 1)]), &["53"])]);
        let found = asked(&fleet, &[]);
        assert_eq!((found.kept.len(), found.nodes[0].spare), (1, None));
    }
}
