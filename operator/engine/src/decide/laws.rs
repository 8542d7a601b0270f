//! The promises of a decision as properties: hard rules, order of inputs, quiet plans, ledgers, replay.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::canonical;
use super::fixture::{self, Dice, easy, now};
use super::input::{DataClass, TierInput};
use super::mask;
use super::rule::Rule;
use super::rules::Judge;
use super::shape::REFERENCE;
use super::snapshot::{ClusterSlot, FleetInput};
use super::store::VerdictStore;
use super::view::{Demand, View};
use super::{
    Changes, CpuSensitivity, Decision, Kept, Move, Plan, PlanInput, Planner, Requirement, Snapshot, Spec, Status,
    Verdicts, explain_all, plan, plan_with, replay, replay_on,
};
use crate::capacity::{Performance, convert_cpu};
use crate::detect::Tee;
use crate::terms::Millicores;

fn world(dice: &mut Dice, clusters: u64, specs: u64) -> (FleetInput, Vec<Spec>) {
    let mut fleet = fixture::fleet(dice, clusters);
    // Half of the worlds are quiet enough that most workloads find a place.
    if dice.one_in(2) {
        fleet.tiers.clear();
        fleet.freezes.clear();
        fleet.tenants.iter_mut().for_each(|tenant| tenant.tier = None);
    }
    let hard = dice.one_in(3);
    let specs = (0..specs).map(|n| fixture::spec(dice, n, hard)).collect();
    (fleet, specs)
}

/// As [`world`], with workloads whose pods have nodes of their own among them.
fn mixed_world(dice: &mut Dice, clusters: u64, specs: u64) -> (FleetInput, Vec<Spec>) {
    let (fleet, mut specs) = world(dice, clusters, specs);
    for spec in &mut specs {
        if dice.one_in(3) {
            fixture::parted(dice, spec);
        }
    }
    (fleet, specs)
}

fn bytes(plan: &Plan) -> String {
    String::from_utf8(canonical::bytes(plan).unwrap()).unwrap()
}

fn first_plan(fleet: FleetInput, specs: &[Spec]) -> Plan {
    let changes = Changes { specs: specs.to_vec(), ..Changes::default() };
    plan(&Snapshot::new(fleet).unwrap(), &changes, now()).unwrap()
}

fn carried_out(mut fleet: FleetInput, specs: &[Spec], plan: &Plan) -> FleetInput {
    fleet.specs = specs.to_vec();
    for spec in &mut fleet.specs {
        if let Some(decision) = plan.decisions.iter().find(|decision| decision.key == spec.key) {
            fixture::running(spec, &decision.targets);
        }
    }
    fleet
}

fn judged(snapshot: &Snapshot, requirement: Requirement) -> Verdicts {
    let view = View::new(snapshot, now());
    let mut store = VerdictStore::default();
    let id = store.of(&view, &Arc::new(requirement));
    store.block(id).unwrap().clone()
}

fn raised(dice: &mut Dice, from: &Requirement) -> Requirement {
    let mut to = from.clone();
    match dice.below(9) {
        0 => to.data_class = DataClass::Core,
        1 => to.protection = Some(from.protection.unwrap_or(0).saturating_add(1)),
        2 => to.tier = Some(if from.tier.as_deref() == Some("s1") { "s2" } else { "s3" }.to_owned()),
        3 => _ = to.reach.insert("gateway".to_owned()),
        4 => _ = to.databases.insert("达梦".to_owned()),
        5 => _ = to.kinds.insert("batch/v1/Job".to_owned()),
        6 if from.tee.is_empty() => _ = to.tee.insert(Tee::Csv),
        7 if from.zone.is_none() => to.zone = Some("public".to_owned()),
        _ => to.classified = true,
    }
    to
}

type World = fn(&mut Dice, u64, u64) -> (FleetInput, Vec<Spec>);

fn quiet_after_its_own_plan(seed: u64, world: World) {
    let mut dice = Dice::new(seed);
    let (fleet, specs) = world(&mut dice, 9, 7);
    let first = first_plan(fleet.clone(), &specs);
    let after = Snapshot::new(carried_out(fleet, &specs, &first)).unwrap();
    let second = plan(&after, &Changes { all: true, ..Changes::default() }, now()).unwrap();
    for decision in &second.decisions {
        assert_eq!(decision.moves, Vec::<Move>::new(), "{decision:?}");
    }
    assert_eq!(second.decisions.len(), specs.len());
}

fn explained_as_planned(seed: u64, world: World) {
    let mut dice = Dice::new(seed);
    let (fleet, specs) = world(&mut dice, 9, 7);
    let snapshot = Snapshot::new(fleet.clone()).unwrap();
    let changes = Changes { specs: specs.clone(), ..Changes::default() };
    let keys = specs.iter().map(|spec| spec.key.clone()).collect();
    let explained = explain_all(&snapshot, &changes, &keys, now()).unwrap();
    for decision in first_plan(fleet, &specs).decisions {
        let told = &explained[&decision.key].decision;
        assert_eq!(told, &Decision { before: None, ..decision });
    }
}

/// Worlds in which a workload without a place in the first plan had one in the second. In the first of them a pod of
/// 1,250 millicores missed a node of 集群-6 by how the pods before it lay on the nodes; in the third a cluster with more
/// nodes than the quota bears for what runs on each of them was chosen as long as it had room.
const GAPS: [u64; 3] = [13_657_804_405_718_844_675, 8_615_231_493_699_900_942, 16_253_291_822_677_053_499];

#[test]
fn who_missed_a_place_by_a_gap_between_pods_has_it_in_the_first_plan_or_not_at_all() {
    GAPS.into_iter().for_each(|seed| quiet_after_its_own_plan(seed, world));
    GAPS.into_iter().for_each(|seed| explained_as_planned(seed, world));
}

proptest! {
    #[test]
    fn nothing_new_stands_where_a_rule_refuses_and_nothing_exceeds_what_is_free(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (fleet, specs) = mixed_world(&mut dice, 10, 8);
        let plan = first_plan(fleet.clone(), &specs);
        let snapshot = Snapshot::new(fleet).unwrap();
        let view = View::new(&snapshot, now());
        let mut taken: BTreeMap<(String, String), i64> = BTreeMap::new();
        for decision in &plan.decisions {
            let spec = specs.iter().find(|spec| spec.key == decision.key).unwrap();
            let demand = Demand::new(&snapshot, &spec.requirement);
            let judge = Judge { view: &view, requirement: &spec.requirement, demand: &demand };
            if decision.status == Status::Placed {
                prop_assert_eq!(decision.targets.iter().map(|t| t.replicas).sum::<i64>(), spec.replicas);
            } else {
                prop_assert!(decision.targets.is_empty());
                prop_assert!(!decision.limits.is_empty(), "a workload without a place says why");
            }
            for target in &decision.targets {
                let slot = snapshot.slot(&target.cluster).unwrap();
                let cluster = snapshot.cluster(slot).unwrap();
                for rule in Rule::ALL {
                    let check = judge.check(rule, slot.index(), cluster);
                    prop_assert!(!judge.refuses(check.answer), "{rule:?} {check:?}");
                }
                let speed = snapshot.performance(cluster).filter(|_| spec.cpu == CpuSensitivity::Linear);
                for pod in &spec.pods {
                    for (resource, amount) in &pod.request {
                        let here = match speed {
                            Some(_) if resource == "cpu" => {
                                convert_cpu(Millicores(*amount), Performance::new(REFERENCE), speed).unwrap().0
                            }
                            _ => *amount,
                        };
                        let key = (target.cluster.clone(), resource.clone());
                        *taken.entry(key).or_default() += here * pod.count * target.replicas;
                    }
                }
            }
        }
        for ((name, resource), amount) in taken {
            let cluster = snapshot.cluster(snapshot.slot(&name).unwrap()).unwrap();
            let shapes = cluster.pools.iter().flat_map(|pool| &pool.shapes);
            let free: i64 = shapes.map(|shape| shape.count * shape.free.get(&resource).copied().unwrap_or(0)).sum();
            prop_assert!(amount <= free, "{name} {resource}: {amount} of {free}");
        }
        for line in &plan.quota {
            if let Some(limit) = line.limit {
                prop_assert!(line.after <= (limit - line.headroom).max(line.before) || specs.iter().any(
                    |spec| spec.requirement.cause == super::Cause::Failover) && line.after <= limit, "{line:?}");
            }
        }
    }

    #[test]
    fn the_order_of_inputs_and_the_way_a_snapshot_came_about_change_nothing(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (fleet, specs) = mixed_world(&mut dice, 9, 7);
        let fresh = first_plan(fleet.clone(), &specs);

        let (mut other, mut shuffled) = (fleet.clone(), specs.clone());
        dice.shuffle(&mut other.clusters);
        dice.shuffle(&mut other.tenants);
        dice.shuffle(&mut other.tiers);
        dice.shuffle(&mut shuffled);
        other.clusters.iter_mut().for_each(|cluster| dice.shuffle(&mut cluster.pools));
        prop_assert_eq!(bytes(&first_plan(other, &shuffled)), bytes(&fresh));

        // A longer life: clusters that come, change and go, slots that are used again.
        let mut lived = Snapshot::new(FleetInput { clusters: vec![], ..fleet.clone() }).unwrap();
        let mut clusters = fleet.clusters.clone();
        dice.shuffle(&mut clusters);
        for cluster in &clusters {
            let passing = format!("临时-{}", dice.below(4));
            lived.upsert_cluster(fixture::cluster(&mut dice, &passing));
            lived.upsert_cluster(fixture::cluster(&mut dice, &cluster.name));
        }
        (0..4).for_each(|n| _ = lived.remove_cluster(&format!("临时-{n}")));
        for cluster in &clusters {
            if dice.one_in(3) {
                lived.remove_cluster(&cluster.name);
            }
        }
        clusters.into_iter().for_each(|cluster| _ = lived.upsert_cluster(cluster));
        prop_assert!(lived.slots() <= fleet.clusters.len() + 4, "slots are used again");
        prop_assert_eq!(lived.digest().unwrap(), Snapshot::new(fleet).unwrap().digest().unwrap());
        let changes = Changes { specs, ..Changes::default() };
        prop_assert_eq!(bytes(&plan(&lived, &changes, now()).unwrap()), bytes(&fresh));
    }

    #[test]
    fn planning_what_a_plan_gave_moves_nothing(seed in any::<u64>()) {
        quiet_after_its_own_plan(seed, mixed_world);
    }

    #[test]
    fn what_a_plan_decided_is_what_is_explained(seed in any::<u64>()) {
        explained_as_planned(seed, mixed_world);
    }

    #[test]
    fn one_replica_more_moves_nobody_where_nothing_but_room_binds(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (fleet, mut specs) = mixed_world(&mut dice, 9, 5);
        specs.iter_mut().for_each(|spec| spec.policy = Arc::default());
        let first = first_plan(fleet.clone(), &specs);
        let mut after = carried_out(fleet, &specs, &first);
        let Some(grown) = after.specs.iter_mut().find(|spec| !spec.current.is_empty()) else { return Ok(()) };
        grown.replicas += 1;
        grown.changed = true;
        let second = plan(&Snapshot::new(after).unwrap(), &Changes::default(), now()).unwrap();
        for step in second.decisions.iter().flat_map(|decision| &decision.moves) {
            prop_assert!(step.to > step.from, "{step:?}");
        }
    }

    #[test]
    fn what_is_kept_and_threads_change_no_byte(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (fleet, specs) = mixed_world(&mut dice, 9, 7);
        let first = first_plan(fleet.clone(), &specs);
        let mut snapshot = Snapshot::new(carried_out(fleet, &specs, &first)).unwrap();
        let mut kept = Kept::on(std::num::NonZeroUsize::new(3).unwrap());
        plan_with(&snapshot, &Changes::default(), now(), &mut kept).unwrap();
        let mut spec = (**snapshot.specs().next().unwrap()).clone();
        (spec.replicas, spec.changed) = (spec.replicas + 1, true);
        snapshot.upsert_spec(spec);
        let kept = plan_with(&snapshot, &Changes::default(), now(), &mut kept).unwrap();
        prop_assert_eq!(bytes(&kept), bytes(&plan(&snapshot, &Changes::default(), now()).unwrap()));
    }

    #[test]
    fn raising_a_declared_need_never_lets_more_in(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let snapshot = Snapshot::new(fixture::fleet(&mut dice, 40)).unwrap();
        let requirement = fixture::requirement(&mut dice);
        let more = raised(&mut dice, &requirement);
        let (before, after) = (judged(&snapshot, requirement.clone()), judged(&snapshot, more.clone()));
        for slot in mask::iter(after.eligible()) {
            // Who asks for more may thereby tell pools apart that looked alike to the scheduler.
            let told_apart = before.refuses(Rule::Separation, ClusterSlot::new(slot));
            prop_assert!(told_apart || mask::has(before.eligible(), slot), "{requirement:?} {more:?}");
        }
        for part in 0..requirement.parts.len().max(1) {
            for (plane, words) in after.accepted(part).enumerate() {
                prop_assert!(mask::iter(words).all(|slot| before.accepts(part, plane, slot)), "{requirement:?} {more:?}");
            }
        }
    }

    #[test]
    fn one_more_eligible_cluster_never_makes_one_workload_infeasible(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let fleet = FleetInput { tiers: Vec::<TierInput>::new(), ..fixture::fleet(&mut dice, 5) };
        let mut spec = fixture::spec(&mut dice, 1, false);
        spec.requirement = Arc::new(easy(&mut dice));
        let decide = |fleet: &FleetInput| {
            let snapshot = Snapshot::new(fleet.clone()).unwrap();
            let mut planner = Planner::new(&snapshot, now());
            planner.decide(&spec).status
        };
        let before = decide(&fleet);
        let mut more = fleet.clone();
        more.clusters.push(fixture::cluster(&mut dice, "集群-新"));
        prop_assert!(before != Status::Placed || decide(&more) == Status::Placed);
    }

    #[test]
    fn a_replay_gives_the_same_bytes(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let (fleet, specs) = mixed_world(&mut dice, 6, 5);
        let recorded = first_plan(fleet.clone(), &specs);
        let input = PlanInput { fleet, changes: Changes { specs, ..Changes::default() }, as_of: now() };
        let stored = serde_json::to_vec(&input).unwrap();
        let again = replay(serde_json::from_slice(&stored).unwrap()).unwrap();
        prop_assert_eq!(String::from_utf8(again.bytes).unwrap(), bytes(&recorded));
        prop_assert_eq!(again.plan, recorded);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_replay_on_any_number_of_threads_gives_the_same_bytes(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let fleet = fixture::fleet(&mut dice, 5);
        // Enough that there is work for every thread.
        let specs: Vec<_> = (0..70).map(|n| fixture::spec(&mut dice, n, true)).collect();
        let fleet = FleetInput { specs, ..fleet };
        let input = PlanInput { fleet, changes: Changes { all: true, ..Changes::default() }, as_of: now() };
        let alone = replay(input.clone()).unwrap();
        for threads in [2, 3, 4] {
            let threads = std::num::NonZeroUsize::new(threads).unwrap();
            prop_assert_eq!(&replay_on(input.clone(), threads).unwrap().bytes, &alone.bytes);
        }
    }
}
