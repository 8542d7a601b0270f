//! What is kept equals what is made anew, whatever happened to a fleet in whatever order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::canonical;
use super::fixture::{self, Dice};
use super::input::{ClusterInput, Grant, NodeShapeInput, Term};
use super::planner::Planner;
use super::snapshot::{ClusterSlot, FleetInput, Snapshot};
use super::spec::{Spec, WorkloadKey};
use super::{Changes, Decision, Kept, Outline, Outlined, Plan, Status, outline_with, plan, plan_with};

const ACCELERATORS: [&str; 3] = ["huawei.com/Ascend910", "hygon.com/dcu", "aliyun.com/ppu"];

/// Node shapes with devices, so that the order of names has something to decide.
fn shapes(dice: &mut Dice) -> Vec<NodeShapeInput> {
    let one = |dice: &mut Dice| {
        let mut free = BTreeMap::from([
            ("cpu".to_owned(), 1000 * (1 + dice.int(4))),
            ("memory".to_owned(), (1 + dice.int(8)) << 30),
            ("pods".to_owned(), 1 + dice.int(20)),
        ]);
        if dice.one_in(2) {
            free.insert(dice.pick(&ACCELERATORS).to_owned(), 1 + dice.int(4));
        }
        NodeShapeInput { count: 1 + dice.int(3), free }
    };
    (0..1 + dice.below(3)).map(|_| one(dice)).collect()
}

fn cluster(dice: &mut Dice, name: &str) -> ClusterInput {
    let mut cluster = fixture::cluster(dice, name);
    for pool in &mut cluster.pools {
        if dice.one_in(2) {
            pool.shapes = shapes(dice);
        }
    }
    cluster.emergency_reserve_percent = if dice.one_in(4) { 20 } else { 0 };
    cluster
}

fn any_of(dice: &mut Dice, most: u64) -> Spec {
    let n = dice.below(most);
    spec(dice, n)
}

fn spec(dice: &mut Dice, n: u64) -> Spec {
    let hard = dice.one_in(4);
    let mut spec = fixture::spec(dice, n, hard);
    spec.colocate = dice.one_in(4).then(|| format!("组-{}", dice.below(2)));
    if dice.one_in(4) {
        spec.pods[0].request.insert(dice.pick(&ACCELERATORS).to_owned(), 1);
    }
    spec
}

/// A fleet that lives, and the instant.
struct Life {
    frame: FleetInput,
    snapshot: Snapshot,
    as_of: jiff::Timestamp,
}

impl Life {
    fn new(dice: &mut Dice) -> Self {
        let mut frame = fixture::fleet(dice, 0);
        if dice.one_in(2) {
            frame.tiers.clear();
            frame.freezes.clear();
            frame.tenants.iter_mut().for_each(|tenant| tenant.tier = None);
        }
        for tenant in &mut frame.tenants {
            if dice.one_in(3) {
                let amount = [("cpu@kunpeng-920".to_owned(), 2000 + dice.int(9000))].into();
                let grant = Grant { document: "批复".into(), term: Term::OPEN, amount };
                tenant.grants.get_or_insert_default().push(grant);
            }
        }
        let mut snapshot = Snapshot::new(frame.clone()).unwrap();
        (0..6).for_each(|n| _ = snapshot.upsert_cluster(cluster(dice, &format!("集群-{n}"))));
        (0..7).for_each(|n| snapshot.upsert_spec(spec(dice, n)));
        Self { frame, snapshot, as_of: fixture::now() }
    }

    /// The same fleet, made of its inputs at once.
    fn anew(&self) -> Snapshot {
        let clusters = self.snapshot.clusters().map(|(_, cluster)| (**cluster).clone()).collect();
        let specs = self.snapshot.specs().map(|spec| (**spec).clone()).collect();
        Snapshot::new(FleetInput { clusters, specs, ..self.frame.clone() }).unwrap()
    }

    fn any_cluster(&self, dice: &mut Dice) -> Option<ClusterInput> {
        let clusters: Vec<_> = self.snapshot.clusters().map(|(_, cluster)| Arc::clone(cluster)).collect();
        (!clusters.is_empty()).then(|| (*dice.pick(&clusters)).clone())
    }

    fn any_spec(&self, dice: &mut Dice) -> Option<Spec> {
        let specs: Vec<_> = self.snapshot.specs().cloned().collect();
        (!specs.is_empty()).then(|| (*dice.pick(&specs)).clone())
    }

    /// Something happens.
    fn step(&mut self, dice: &mut Dice) {
        match dice.below(14) {
            0 => {
                let name = format!("集群-{}", dice.below(8));
                self.snapshot.upsert_cluster(cluster(dice, &name));
            }
            1 => _ = self.snapshot.remove_cluster(&format!("集群-{}", dice.below(8))),
            2..=4 => {
                // A member tells of its room.
                let Some(mut seen) = self.any_cluster(dice) else { return };
                for pool in &mut seen.pools {
                    pool.shapes = shapes(dice);
                }
                seen.healthy_since = dice.one_in(2).then(|| dice.pick(&fixture::instants()));
                seen.emergency_reserve_percent = if dice.one_in(3) { 30 } else { 0 };
                self.snapshot.upsert_cluster(seen);
            }
            5 => {
                let Some(mut seen) = self.any_cluster(dice) else { return };
                let other = fixture::cluster(dice, "");
                (seen.state, seen.reachability, seen.labels) = (other.state, other.reachability, other.labels);
                self.snapshot.upsert_cluster(seen);
            }
            6 | 7 => {
                let mut next = any_of(dice, 9);
                if let Some(known) = self.snapshot.spec(&next.key) {
                    next.current.clone_from(&known.current);
                    next.changed = true;
                }
                self.snapshot.upsert_spec(next);
            }
            8 => {
                let Some(mut known) = self.any_spec(dice) else { return };
                (known.replicas, known.changed) = (known.replicas + 1, true);
                self.snapshot.upsert_spec(known);
            }
            9 => _ = self.snapshot.remove_spec(&WorkloadKey::new("ns", &format!("应用-{}", dice.below(9)))),
            10 => {
                let Some(mut known) = self.any_spec(dice) else { return };
                known.current.iter_mut().for_each(|current| current.observed = dice.int(8));
                self.snapshot.upsert_spec(known);
            }
            11 => {
                let Some(tenant) = self.frame.tenants.first_mut() else { return };
                tenant.headroom_percent = u8::try_from(dice.below(50)).unwrap();
                self.snapshot.upsert_tenant(tenant.clone());
            }
            12 => self.as_of = dice.pick(&fixture::instants()),
            _ => self.snapshot = if dice.one_in(2) { self.snapshot.clone() } else { self.anew() },
        }
    }

    /// What a plan decided is carried out, in part perhaps.
    fn take_in(&mut self, dice: &mut Dice, plan: &Plan) {
        for decision in plan.decisions.iter().filter(|decision| decision.status == Status::Placed) {
            let Some(known) = self.snapshot.spec(&decision.key).filter(|_| !dice.one_in(4)) else { continue };
            let mut spec = (**known).clone();
            fixture::running(&mut spec, &decision.targets);
            (spec.changed, spec.rebalance, spec.rebalance_at) = (false, false, None);
            if dice.one_in(3) {
                spec.current.iter_mut().for_each(|current| current.observed = 0);
            }
            self.snapshot.upsert_spec(spec);
        }
    }

    fn ask(&self, dice: &mut Dice) -> Changes {
        let mut changes = Changes::default();
        if dice.one_in(3) {
            changes.specs = (0..dice.below(3)).map(|_| any_of(dice, 9)).collect();
        }
        let key = |dice: &mut Dice| WorkloadKey::new("ns", &format!("应用-{}", dice.below(9)));
        if dice.one_in(4) {
            changes.removed.insert(key(dice));
        }
        if dice.one_in(4) {
            changes.rebalance.insert(key(dice));
        }
        if dice.one_in(4) {
            changes.weigh.insert(key(dice));
        }
        changes.all = dice.one_in(6);
        changes
    }
}

/// Everything a planner knows before it decides, by name.
fn known(planner: &Planner<'_>) -> Vec<String> {
    let books = &planner.books;
    let name = |slot: usize| planner.view.snapshot.cluster(ClusterSlot::new(slot)).map(|cluster| cluster.name.clone());
    let mut told = Vec::new();
    for (slot, cluster) in planner.view.snapshot.clusters() {
        for plane in 0..cluster.pools.len() {
            told.push(format!("{} {plane}: {:?}", cluster.name, books.ledger.told(plane, slot.index())));
        }
        told.push(format!(
            "{:?} {:?}",
            planner.view.dated(slot.index()),
            books.reserves.get(slot.index()).unwrap_or(&0)
        ));
    }
    let mut all: Vec<_> = books.placed.iter().flatten().collect();
    all.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    for (spec, placed) in all {
        let key = &spec.key;
        let placed: BTreeSet<_> = placed.iter().map(|(slot, replicas)| (name(*slot), *replicas)).collect();
        told.push(format!("{key} {} {placed:?}", spec.replicas));
    }
    told.push(format!("{:?} {:?}", books.stirring, books.sets));
    told.push(format!("{:?}", books.quota.report(&planner.view, None)));
    told.push(format!("{:?}", planner.view.calendar.next_change()));
    told
}

fn bytes(plan: &Plan) -> String {
    String::from_utf8(canonical::bytes(plan).unwrap()).unwrap()
}

/// What a plan is without its record.
fn outlined(plan: &Plan) -> Outline {
    let one = |decision: &Decision| Outlined {
        key: decision.key.clone(),
        status: decision.status,
        targets: decision.targets.clone(),
        violates: !decision.violations.is_empty(),
    };
    Outline { decisions: plan.decisions.iter().map(one).collect(), next_change: plan.next_change }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_is_kept_equals_what_is_made_anew(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut life = Life::new(&mut dice);
        let mut kept = Kept::default();
        for _ in 0..14 {
            (0..dice.below(4)).for_each(|_| life.step(&mut dice));
            let changes = life.ask(&mut dice);
            let fresh = life.anew();
            let wanted = plan(&fresh, &changes, life.as_of).unwrap();
            let got = plan_with(&life.snapshot, &changes, life.as_of, &mut kept).unwrap();
            prop_assert_eq!(bytes(&got), bytes(&wanted));
            if dice.one_in(2) {
                let outline = outline_with(&life.snapshot, &changes, life.as_of, &mut kept);
                prop_assert_eq!(outline, outlined(&wanted));
            }
            if dice.one_in(2) {
                life.take_in(&mut dice, &got);
            }
            let mut planner = Planner::resume(&life.snapshot, life.as_of, &mut kept);
            let made = life.anew();
            prop_assert_eq!(known(&planner), known(&Planner::new(&made, life.as_of)));
            planner.books.begin();
            planner.put_away(&mut kept);
        }
    }
}

/// Workloads entered and clusters packed to bring what is kept up to date, and workloads looked at.
fn work(life: &Life, kept: &mut Kept) -> (usize, usize, usize) {
    let mut planner = Planner::resume(&life.snapshot, life.as_of, kept);
    planner.books.begin();
    let turns = plan::turns(&mut planner, &Changes::default(), false).len();
    let (stood, packed) = std::mem::take(&mut planner.books.work);
    planner.put_away(kept);
    (stood, packed, turns)
}

#[test]
fn a_turn_costs_what_changed_and_not_what_runs() {
    let mut dice = Dice::new(3);
    let mut life = Life::new(&mut dice);
    // Sixty workloads that run at rest, each on one cluster.
    for n in 0..60 {
        let name = format!("集群-{}", n % 6);
        let mut seen = cluster(&mut dice, &name);
        while seen.pools.is_empty() {
            seen = cluster(&mut dice, &name);
        }
        // Nothing keeps anybody out.
        (seen.state, seen.reachability) = (super::input::ClusterState::Active, super::input::Reachability::Reachable);
        seen.taints.clear();
        seen.dedicated_to.clear();
        if n < 6 {
            life.snapshot.upsert_cluster(seen);
        }
        let mut spec = fixture::spec(&mut dice, n, false);
        (spec.requirement, spec.policy, spec.replicas) = (Arc::default(), Arc::default(), 1);
        fixture::running(&mut spec, &[super::Target { cluster: name, replicas: 1 }]);
        life.snapshot.upsert_spec(spec);
    }
    let mut kept = Kept::default();
    assert_eq!(work(&life, &mut kept).0, 60, "everything is made once");
    let resting = work(&life, &mut kept);
    assert_eq!((resting.0, resting.1), (0, 0), "nothing changed");
    let known = life.snapshot.spec(&WorkloadKey::new("ns", "应用-7")).unwrap();
    let grown = Spec { replicas: 2, changed: true, ..(**known).clone() };
    life.snapshot.upsert_spec(grown.clone());
    assert_eq!(work(&life, &mut kept), (1, 0, resting.2 + 1), "it takes the room it took");
    let mut moved = Spec { changed: false, ..grown };
    fixture::running(&mut moved, &[super::Target { cluster: "集群-1".into(), replicas: 2 }]);
    life.snapshot.upsert_spec(moved);
    assert_eq!(work(&life, &mut kept), (1, 1, resting.2), "its cluster is packed anew");
    let mut seen = (**life.snapshot.cluster(life.snapshot.slot("集群-2").unwrap()).unwrap()).clone();
    seen.figures.clear();
    let daemons = life.snapshot.specs().filter(|s| !s.per_node.is_empty() && s.current[0].cluster == "集群-2").count();
    life.snapshot.upsert_cluster(seen.clone());
    assert_eq!(work(&life, &mut kept), (daemons, 1, resting.2), "a member told of its room");
    seen.reachability = super::input::Reachability::Unreachable;
    life.snapshot.upsert_cluster(seen);
    assert_eq!(work(&life, &mut kept).0, 10, "those who use it are judged again");
}

#[test]
fn a_member_that_tells_of_its_room_has_nobody_judged_again() {
    let mut dice = Dice::new(11);
    let life = Life::new(&mut dice);
    let mut kept = Kept::default();
    plan_with(&life.snapshot, &Changes::default(), life.as_of, &mut kept).unwrap();
    let mut seen = life.any_cluster(&mut dice).unwrap();
    seen.pools.iter_mut().for_each(|pool| pool.shapes = shapes(&mut dice));
    let before = (*life.snapshot.cluster(life.snapshot.slot(&seen.name).unwrap()).unwrap()).clone();
    assert!(before.is_judged_as(&seen));
    seen.taints.insert(super::affinity::Taint {
        key: "drill".into(),
        value: String::new(),
        effect: super::affinity::TaintEffect::NoSchedule,
    });
    assert!(!before.is_judged_as(&seen));
}
