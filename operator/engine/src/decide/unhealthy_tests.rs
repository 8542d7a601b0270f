//! Workloads that are not well in a cluster that answers: what leaves, what is avoided, what stays, and how it is told.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::fixture::{self, Dice, now};
use super::input::FreezeInput;
use super::rule::Rule;
use super::scenarios::{codes, fleet, on, one, running, spec, targets, told, with};
use super::snapshot::{FleetInput, Snapshot};
use super::{Cause, Changes, Division, Policy, Spec, Status, plan};
use crate::terms::{Code, Value};

fn since() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("an instant")
}

/// Let go from these clusters.
fn unwell(spec: Spec, clusters: &[&str]) -> Spec {
    let unhealthy_in = clusters.iter().map(|name| ((*name).to_owned(), since())).collect();
    Spec { unhealthy_in, ..with(spec, |requirement| requirement.cause = Cause::Failover) }
}

fn divided(spec: Spec, division: Division) -> Spec {
    Spec { policy: Arc::new(Policy { division, ..Policy::default() }), ..spec }
}

fn packed(spec: Spec) -> Spec {
    divided(spec, Division::Packed)
}

#[test]
fn what_is_not_well_leaves_and_is_placed_nowhere_it_was_not_well() {
    let moved = running(fleet(), unwell(packed(on(spec("app", 2), "大理", 2)), &["大理"]));
    assert_eq!((moved.status, targets(&moved)), (Status::Placed, vec![("徐州", 2)]));
    let away = moved.moves.iter().find(|step| step.cluster == "大理").expect("it leaves");
    assert_eq!(away.reason.as_ref().map(|reason| reason.code), Some(Code::WorkloadUnhealthy));
    let avoided = one(fleet(), unwell(packed(spec("app", 2)), &["大理", "徐州"]));
    assert_eq!(targets(&avoided), [("昆明", 2)]);
    let explained = told(fleet(), &unwell(packed(spec("app", 2)), &["大理"]));
    let there = explained.clusters.iter().find(|cluster| cluster.cluster == "大理").expect("told of every cluster");
    let rule = there.rules.iter().find(|check| check.rule == Rule::Health).expect("told by its own rule");
    assert!(rule.refuses && !there.eligible);
    let reason = &rule.check.reasons[0];
    assert_eq!((reason.code, &reason.seen), (Code::WorkloadUnhealthy, &Value::Time(since())));
}

#[test]
fn where_nothing_else_takes_all_of_it_everything_stays_and_it_is_told() {
    let big = running(fleet(), unwell(packed(on(spec("app", 4), "大理", 4)), &["大理"]));
    assert_eq!(targets(&big), [("徐州", 4)]);
    let larger = running(fleet(), unwell(packed(on(spec("app", 9), "大理", 9)), &["大理"]));
    assert_eq!((larger.status, targets(&larger)), (Status::Pending, vec![("大理", 9)]));
    assert_eq!(codes(&larger)[0], Code::WorkloadUnhealthy, "first of all, and then what stands in the way: {larger:?}");
    assert!(larger.violations.is_empty(), "nothing is broken by it");
    let everywhere = running(fleet(), unwell(packed(on(spec("app", 2), "大理", 2)), &["大理", "徐州", "昆明"]));
    assert_eq!((everywhere.status, targets(&everywhere)), (Status::Pending, vec![("大理", 2)]));
    // Whole on every cluster: no other takes its place.
    let all = on(on(on(spec("app", 1), "大理", 1), "徐州", 1), "昆明", 1);
    let whole = running(fleet(), unwell(divided(all, Division::Duplicated), &["大理"]));
    assert_eq!(targets(&whole), [("大理", 1), ("徐州", 1), ("昆明", 1)]);
}

#[test]
fn a_freeze_does_not_hold_it() {
    let mut frozen = fleet();
    frozen.freezes = vec![FreezeInput { name: "两会保障".to_owned(), ..FreezeInput::default() }];
    let moved = running(frozen, unwell(packed(on(spec("app", 2), "大理", 2)), &["大理"]));
    assert_eq!((moved.status, targets(&moved)), (Status::Placed, vec![("徐州", 2)]));
}

#[test]
fn to_be_unwell_is_no_change_of_what_is_asked_for() {
    let app = on(spec("app", 2), "大理", 2);
    assert_eq!(unwell(app.clone(), &["大理"]).intent().unwrap(), app.intent().unwrap());
}

proptest! {
    /// Nothing is placed where it was not well, nothing is lost on the way, and what was moved stays moved.
    #[test]
    fn what_is_unwell_moves_whole_or_not_at_all_and_never_to_where_it_was_unwell(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut fleet: FleetInput = fixture::fleet(&mut dice, 8);
        fleet.tiers.clear();
        fleet.tenants.iter_mut().for_each(|tenant| tenant.tier = None);
        let mut specs: Vec<Spec> = (0..6).map(|n| fixture::spec(&mut dice, n, false)).collect();
        let changes = Changes { specs: specs.clone(), ..Changes::default() };
        let first = plan(&Snapshot::new(fleet.clone()).unwrap(), &changes, now()).unwrap();
        for (spec, decision) in specs.iter_mut().filter_map(|spec| {
            let decision = first.decisions.iter().find(|decision| decision.key == spec.key)?;
            Some((spec, decision))
        }) {
            fixture::running(spec, &decision.targets);
            if let Some(current) = spec.current.first().filter(|_| dice.one_in(2)) {
                let cluster = current.cluster.clone();
                *spec = unwell(spec.clone(), &[&cluster]);
            }
        }
        fleet.specs.clone_from(&specs);
        let second = plan(&Snapshot::new(fleet.clone()).unwrap(), &Changes { all: true, ..Changes::default() }, now()).unwrap();
        for decision in &second.decisions {
            let spec = specs.iter_mut().find(|spec| spec.key == decision.key).unwrap();
            let before = |name: &str| spec.current.iter().find(|one| one.cluster == name).map_or(0, |one| one.placed);
            let whole = spec.policy.division == Division::Duplicated;
            for target in decision.targets.iter().filter(|target| spec.unhealthy_in.contains_key(&target.cluster)) {
                prop_assert!(target.replicas == before(&target.cluster), "{decision:?}");
                prop_assert!(decision.status != Status::Placed || whole, "{decision:?}");
            }
            if decision.status == Status::Placed && !whole {
                prop_assert_eq!(decision.targets.iter().map(|target| target.replicas).sum::<i64>(), spec.replicas);
            } else if decision.status != Status::Placed {
                prop_assert!(decision.moves.is_empty(), "{decision:?}");
            }
            fixture::running(spec, &decision.targets);
        }
        fleet.specs = specs;
        let third = plan(&Snapshot::new(fleet).unwrap(), &Changes { all: true, ..Changes::default() }, now()).unwrap();
        for decision in &third.decisions {
            let spec = second.decisions.iter().find(|before| before.key == decision.key).unwrap();
            prop_assert!(spec.status != Status::Placed || decision.moves.is_empty(), "{decision:?}");
        }
    }
}
