//! What a platform engineer would try: one small fleet, one thing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fixture::now;
use super::input::{
    CheckInput, CheckKind, ClusterInput, ClusterState, DataClass, Dimension, Evidence, EvidenceState, FreezeInput,
    Grant, NodeShapeInput, OnExpiry, PoolInput, Reachability, TenantInput, Term, TierInput,
};
use super::{
    Cause, Changes, Current, Decision, Explanation, FleetInput, MaxShare, PodInput, Policy, Requirement, Resources,
    Rule, ShareOf, Snapshot, Spec, Spread, SpreadKey, Status, Stop, WorkloadKey, decide, explain, plan,
};
use crate::detect::{Arch, PoolFacts};
use crate::terms::{Code, Percent, Value};

pub(super) fn resources(cpu: i64) -> Resources {
    [("cpu".to_owned(), cpu), ("memory".to_owned(), cpu << 20)].into()
}

pub(super) fn cluster(name: &str, region: &str, cpu: i64) -> ClusterInput {
    let mut free = resources(cpu);
    free.insert("pods".to_owned(), 110);
    ClusterInput {
        name: name.to_owned(),
        region: region.to_owned(),
        pools: vec![PoolInput {
            name: "默认".to_owned(),
            zone: "public".to_owned(),
            facts: PoolFacts::unknown(Arch::Arm64),
            labels: [].into(),
            taints: [].into(),
            shapes: vec![NodeShapeInput { count: 1, free }],
            unschedulable: Vec::new(),
            cpu_normalised: false,
        }],
        ..ClusterInput::default()
    }
}

pub(super) fn fleet() -> FleetInput {
    FleetInput {
        clusters: vec![
            cluster("昆明", "530100", 4000),
            cluster("大理", "532901", 4000),
            cluster("徐州", "320300", 4000),
        ],
        tenants: vec![TenantInput { name: "民政局".to_owned(), ..TenantInput::default() }],
        ..FleetInput::default()
    }
}

pub(super) fn spec(name: &str, replicas: i64) -> Spec {
    Spec {
        key: WorkloadKey::new("民政", name),
        requirement: Arc::new(Requirement { tenant: "民政局".to_owned(), ..Requirement::default() }),
        replicas,
        pods: vec![PodInput { request: resources(1000), count: 1, ..PodInput::default() }],
        quota: resources(1000),
        ..Spec::default()
    }
}

pub(super) fn on(mut spec: Spec, cluster: &str, placed: i64) -> Spec {
    spec.current.push(Current { cluster: cluster.to_owned(), placed, observed: placed });
    spec
}

pub(super) fn with(mut spec: Spec, change: impl FnOnce(&mut Requirement)) -> Spec {
    change(Arc::make_mut(&mut spec.requirement));
    spec
}

pub(super) fn one(fleet: FleetInput, spec: Spec) -> Decision {
    decide(&Snapshot::new(fleet).unwrap(), &[spec], now()).unwrap().remove(0)
}

pub(super) fn running(mut fleet: FleetInput, spec: Spec) -> Decision {
    let key = spec.key.clone();
    fleet.specs.push(spec);
    let changes = Changes { all: true, ..Changes::default() };
    let plan = plan(&Snapshot::new(fleet).unwrap(), &changes, now()).unwrap();
    plan.decisions.into_iter().find(|decision| decision.key == key).unwrap()
}

pub(super) fn told(fleet: FleetInput, spec: &Spec) -> Explanation {
    let changes = Changes { specs: vec![spec.clone()], ..Changes::default() };
    explain(&Snapshot::new(fleet).unwrap(), &changes, &spec.key, now()).unwrap().unwrap()
}

pub(super) fn targets(decision: &Decision) -> Vec<(&str, i64)> {
    decision.targets.iter().map(|target| (&*target.cluster, target.replicas)).collect()
}

pub(super) fn codes(decision: &Decision) -> Vec<Code> {
    decision.limits.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_region_keeps_out_what_lies_elsewhere_and_says_where_it_lies() {
    let wanted = with(spec("低保系统", 2), |r| r.regions = ["5329".to_owned()].into());
    assert_eq!(targets(&one(fleet(), wanted.clone())), [("大理", 2)]);
    let explained = told(fleet(), &wanted);
    let xuzhou = explained.clusters.iter().find(|cluster| cluster.cluster == "徐州").unwrap();
    let region = xuzhou.rules.iter().find(|rule| rule.rule == Rule::Regions).unwrap();
    assert!(region.refuses && !xuzhou.eligible);
    assert_eq!(region.check.reasons[0].seen, Value::Text("320300".to_owned()));
    assert_eq!(xuzhou.rules.len(), Rule::COUNT, "every rule is told, whatever the others say");
}

#[test]
fn what_runs_against_a_rule_stays_is_reported_and_moves_by_order_only() {
    let astray = on(with(spec("app", 1), |r| r.regions = ["53".to_owned()].into()), "徐州", 1);
    let kept = running(fleet(), astray.clone());
    assert_eq!((targets(&kept), kept.violations[0].rule), (vec![("徐州", 1)], Rule::Regions));
    assert!(kept.moves.is_empty());

    let moved = running(fleet(), Spec { rebalance: true, ..astray.clone() });
    assert!(!targets(&moved).contains(&("徐州", 1)), "{moved:?}");
    let left = moved.moves.iter().find(|step| step.cluster == "徐州").unwrap();
    assert_eq!(left.reason.as_ref().unwrap().code, Code::RegionNotAllowed);

    // Nothing grows where it may no longer be.
    let grown = running(fleet(), Spec { replicas: 3, ..astray });
    assert_eq!(grown.targets.iter().find(|target| target.cluster == "徐州").unwrap().replicas, 1);
}

#[test]
fn a_tier_that_runs_out_holds_or_moves_as_the_tier_says() {
    let document = Evidence {
        id: "商密评估".to_owned(),
        dimension: Dimension::Technical,
        claim: "kms".to_owned(),
        value: String::new(),
        term: Term { from: None, until: Some(now()) },
        recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        state: EvidenceState::Verified,
        state_since: None,
    };
    let world = |on_expiry, as_of_valid: bool| {
        let mut fleet = fleet();
        for cluster in &mut fleet.clusters {
            let mut document = document.clone();
            if as_of_valid || cluster.name == "昆明" {
                document.term.until = None;
            }
            cluster.evidence = vec![document];
        }
        let kind = CheckKind::Evidence { claim: "kms".to_owned(), values: BTreeSet::new() };
        fleet.tiers = vec![TierInput {
            name: "s2".to_owned(),
            rank: 2,
            checks: vec![CheckInput { id: "kms".to_owned(), dimension: Dimension::Technical, kind }],
            classes: [DataClass::Important].into(),
            strict: true,
            on_expiry,
            ..TierInput::default()
        }];
        fleet
    };
    let app = with(spec("app", 1), |r| r.data_class = DataClass::Important);
    assert_eq!(
        targets(&one(world(OnExpiry::Hold, false), app.clone())),
        [("昆明", 1)],
        "exactly on its end it is over"
    );
    let placed = on(app, "大理", 1);
    assert!(running(world(OnExpiry::Hold, true), placed.clone()).violations.is_empty());
    let held = running(world(OnExpiry::Hold, false), placed.clone());
    assert_eq!((targets(&held), held.violations[0].rule), (vec![("大理", 1)], Rule::Tier));
    let moved = running(world(OnExpiry::Move { within_seconds: 86_400 }, false), placed);
    assert_eq!(targets(&moved), [("昆明", 1)]);
}

#[test]
fn a_draining_cluster_is_left_and_a_missing_one_is_not_guessed_about() {
    let mut draining = fleet();
    draining.clusters[1].state = ClusterState::Draining;
    let moved = running(draining, on(spec("app", 1), "大理", 1));
    assert_eq!(moved.status, Status::Placed);
    assert!(moved.targets.iter().all(|target| target.cluster != "大理"));

    let lost = running(fleet(), on(spec("app", 1), "保山", 1));
    assert_eq!(
        (lost.status, targets(&lost), codes(&lost)),
        (Status::Pending, vec![("保山", 1)], vec![Code::ClusterMissing])
    );
    assert!(lost.moves.is_empty());
}

#[test]
fn when_nothing_fits_what_runs_stays() {
    let mut draining = fleet();
    for cluster in &mut draining.clusters {
        cluster.state = ClusterState::Draining;
    }
    let stuck = running(draining, on(spec("app", 1), "大理", 1));
    assert_eq!((stuck.status, targets(&stuck)), (Status::Pending, vec![("大理", 1)]));
    assert_eq!(codes(&stuck), [Code::ClusterDraining]);
    assert!(stuck.moves.is_empty());
}

#[test]
fn a_freeze_holds_changes_but_not_failover() {
    let mut frozen = fleet();
    frozen.freezes = vec![FreezeInput { name: "两会保障".to_owned(), ..FreezeInput::default() }];
    let grow = Spec { replicas: 2, ..on(spec("app", 1), "大理", 1) };
    let held = running(frozen.clone(), grow.clone());
    assert_eq!((held.status, targets(&held)), (Status::Pending, vec![("大理", 1)]));
    assert!(codes(&held).contains(&Code::FreezeActive) && held.violations.is_empty(), "{held:?}");
    let urgent = running(frozen, with(grow, |r| r.cause = Cause::Failover));
    assert_eq!(urgent.status, Status::Placed);
}

#[test]
fn what_is_let_go_leaves_a_lost_cluster_only_where_something_takes_its_place() {
    let lost = || {
        let mut fleet = fleet();
        fleet.clusters[1].reachability = Reachability::Unreachable;
        fleet
    };
    let let_go = |spec: Spec| Spec { lost: ["大理".to_owned()].into(), ..with(spec, |r| r.cause = Cause::Failover) };
    let packed = |spec: Spec| Spec {
        policy: Arc::new(Policy { division: super::Division::Packed, ..Policy::default() }),
        ..spec
    };
    let stays = running(lost(), packed(on(spec("app", 2), "大理", 2)));
    assert_eq!((stays.status, targets(&stays)), (Status::Placed, vec![("大理", 2)]), "nobody let it go");
    let moved = running(lost(), let_go(packed(on(spec("app", 2), "大理", 2))));
    assert_eq!((moved.status, targets(&moved)), (Status::Placed, vec![("徐州", 2)]));
    let mut back = lost();
    back.clusters[1].reachability = Reachability::Reachable;
    assert_eq!(
        targets(&running(back, let_go(packed(on(spec("app", 2), "大理", 2))))),
        [("大理", 2)],
        "it answers again"
    );
    let big = running(lost(), let_go(packed(on(spec("app", 9), "大理", 9))));
    assert_eq!((big.status, targets(&big)), (Status::Pending, vec![("大理", 9)]), "all of it or none");

    // Whole on every cluster: no other takes its place, so it has something to come back to; a scale goes on elsewhere.
    let whole = |spec: Spec| Spec {
        policy: Arc::new(Policy { division: super::Division::Duplicated, ..Policy::default() }),
        ..spec
    };
    let all = on(on(on(spec("app", 1), "大理", 1), "徐州", 1), "昆明", 1);
    let kept = running(lost(), let_go(whole(all.clone())));
    assert_eq!((kept.status, targets(&kept)), (Status::Placed, vec![("大理", 1), ("徐州", 1), ("昆明", 1)]));
    let scaled = running(lost(), let_go(whole(Spec { replicas: 2, ..all })));
    assert_eq!(targets(&scaled), [("大理", 1), ("徐州", 2), ("昆明", 2)]);
    let one = Spread { key: SpreadKey::Cluster, min_groups: 1, max_groups: Some(1), min_replicas: 1, required: true };
    let mut single = let_go(whole(on(spec("app", 1), "大理", 1)));
    Arc::make_mut(&mut single.policy).spread = vec![one];
    assert_eq!(targets(&running(lost(), single)), [("徐州", 1)], "another takes its place");
}

#[test]
fn what_an_order_stops_keeps_its_places_and_nothing_else_is_chosen_until_it_is_lifted() {
    let order = |lifted| {
        Some(Stop { order: "停〔2026〕3号".to_owned(), approval: "stop-1".to_owned(), mode: None, lifted })
    };
    let fresh = one(fleet(), Spec { stop: order(false), ..spec("app", 2) });
    assert_eq!((fresh.status, targets(&fresh), codes(&fresh)), (Status::Pending, vec![], vec![Code::StoppedByOrder]));

    // Neither more replicas nor a cluster that is emptied moves it.
    let mut draining = fleet();
    draining.clusters.iter_mut().for_each(|cluster| cluster.state = ClusterState::Draining);
    let grown = Spec { replicas: 3, changed: true, stop: order(false), ..on(spec("app", 1), "大理", 1) };
    for fleet in [fleet(), draining] {
        let held = running(fleet, grown.clone());
        assert_eq!((held.status, targets(&held)), (Status::Pending, vec![("大理", 1)]));
        assert_eq!((codes(&held), held.moves.len()), (vec![Code::StoppedByOrder], 0));
    }
    // Told in every plan as long as it holds, and once more when it is lifted, although nothing else woke it.
    let back = running(fleet(), Spec { stop: order(true), ..on(spec("app", 1), "大理", 1) });
    assert_eq!((back.status, targets(&back)), (Status::Placed, vec![("大理", 1)]));
    assert_eq!((codes(&back), back.moves.len()), (vec![], 0));
    let intent = |stop| Spec { stop, ..spec("app", 1) }.intent().unwrap();
    assert_eq!(intent(order(false)), intent(None), "an order is no change of what is asked for");
}

#[test]
fn what_only_a_freeze_a_drain_or_a_lost_link_keeps_out_waits_and_is_not_refused() {
    let mut frozen = fleet();
    frozen.freezes = vec![FreezeInput { name: "两会保障".to_owned(), ..FreezeInput::default() }];
    let fresh = one(frozen.clone(), spec("app", 1));
    assert_eq!((fresh.status, codes(&fresh)), (Status::Pending, vec![Code::FreezeActive]));

    let mut lost = fleet();
    lost.clusters.iter_mut().for_each(|cluster| cluster.reachability = Reachability::Unreachable);
    let waiting = one(lost, with(spec("app", 1), |r| r.regions = ["5329".to_owned()].into()));
    assert_eq!((waiting.status, codes(&waiting)), (Status::Pending, vec![Code::ClusterUnreachable]));

    // More of it would fit where it runs, and only the connection is lost: that is said before the room elsewhere.
    let mut away = fleet();
    away.clusters.iter_mut().for_each(|cluster| cluster.reachability = Reachability::Unreachable);
    let current = |cluster: &str, placed| Current { cluster: cluster.to_owned(), placed, observed: placed };
    let grown = Spec { current: vec![current("大理", 1)], ..spec("app", 2) };
    let grown = one(away, with(grown, |r| r.regions = ["5329".to_owned()].into()));
    assert_eq!((grown.status, targets(&grown)), (Status::Pending, vec![("大理", 1)]));
    assert_eq!(codes(&grown), [Code::ClusterUnreachable, Code::CapacityInsufficient]);
    assert_eq!(grown.limits[0].object, Value::from("大理"));

    // The end of the freeze would not help: the region stands in the way as well, or the data is elsewhere.
    let nowhere = with(spec("app", 1), |r| r.regions = ["11".to_owned()].into());
    assert_eq!(one(frozen.clone(), nowhere).status, Status::Refused);
    let pinned = Spec { data_on: Some(["保山".to_owned()].into()), ..spec("app", 1) };
    assert_eq!(one(frozen, pinned).status, Status::Refused);
    let mut leaving = fleet();
    leaving.clusters.iter_mut().for_each(|cluster| cluster.state = ClusterState::Deleting);
    assert_eq!(one(leaving, spec("app", 1)).status, Status::Refused);
}

#[test]
fn a_preferred_spread_that_cannot_be_met_is_told_with_the_groups_it_got() {
    let mut wanted = spec("app", 2);
    wanted.requirement = Arc::new(Requirement { regions: ["5329".to_owned()].into(), ..(*wanted.requirement).clone() });
    let spread = Spread { key: SpreadKey::Region, min_groups: 2, max_groups: None, min_replicas: 1, required: false };
    wanted.policy = Arc::new(Policy { spread: vec![spread], ..Policy::default() });
    let placed = one(fleet(), wanted);
    assert_eq!((placed.status, codes(&placed)), (Status::Placed, vec![Code::PreferredDropped]));
    assert_eq!((&placed.limits[0].seen, &placed.limits[0].wanted), (&Value::Int(1), &Value::Int(2)));
}

pub(super) fn granted(cpu: i64, until: Option<&str>) -> FleetInput {
    let mut fleet = fleet();
    fleet.tenants = vec![
        TenantInput {
            name: "省级".to_owned(),
            grants: Some(vec![Grant {
                document: "云资源批复〔2026〕3号".to_owned(),
                term: Term { from: None, until: until.map(|text| text.parse().unwrap()) },
                amount: [("cpu".to_owned(), cpu)].into(),
            }]),
            headroom_percent: 50,
            ..TenantInput::default()
        },
        TenantInput { name: "民政局".to_owned(), quota_parent: Some("省级".to_owned()), ..TenantInput::default() },
    ];
    fleet
}

#[test]
fn a_quota_binds_along_the_payers_tree_and_keeps_headroom_for_failover() {
    let over = one(granted(4000, None), spec("app", 3));
    assert_eq!((over.status, codes(&over)), (Status::Pending, vec![Code::QuotaExceeded]));
    assert_eq!(over.limits[0].object, Value::Text("省级 cpu".to_owned()));
    assert_eq!((&over.limits[0].seen, &over.limits[0].wanted), (&Value::Millicores(2000), &Value::Millicores(3000)));
    assert_eq!(one(granted(4000, None), spec("app", 2)).status, Status::Placed);
    let urgent = with(spec("app", 3), |r| r.cause = Cause::Failover);
    assert_eq!(one(granted(4000, None), urgent).status, Status::Placed);
    // An emergency opens reserves and not the headroom; what loses a cluster during one uses both.
    let emergency = || with(spec("app", 3), |r| r.cause = Cause::Emergency);
    assert_eq!(codes(&one(granted(4000, None), emergency())), [Code::QuotaExceeded]);
    let lost = Spec { lost: ["大理".to_owned()].into(), ..emergency() };
    assert_eq!(one(granted(4000, None), lost).status, Status::Placed);
}

#[test]
fn a_grant_that_ran_out_allows_nothing() {
    assert_eq!(one(granted(9000, Some("2026-07-01T00:00:00Z")), spec("app", 1)).status, Status::Pending);
    assert_eq!(one(granted(9000, Some("2026-07-01T00:00:01Z")), spec("app", 1)).status, Status::Placed);
}

#[test]
fn a_circle_of_payers_is_walked_once() {
    let mut fleet = granted(4000, None);
    fleet.tenants[0].quota_parent = Some("民政局".to_owned());
    assert_eq!(one(fleet.clone(), spec("app", 2)).status, Status::Placed);
    assert_eq!(one(fleet, spec("app", 3)).status, Status::Pending);
}

#[test]
fn the_same_quota_is_never_spent_twice_in_one_plan() {
    let specs = (0..4).map(|n| spec(&format!("app-{n}"), 1)).collect();
    let changes = Changes { specs, ..Changes::default() };
    let plan = plan(&Snapshot::new(granted(4000, None)).unwrap(), &changes, now()).unwrap();
    let placed = plan.decisions.iter().filter(|decision| decision.status == Status::Placed).count();
    assert_eq!(placed, 2);
    let line = plan.quota.iter().find(|line| line.tenant == "省级" && line.resource == "cpu").unwrap();
    assert_eq!((line.before, line.after, line.limit, line.headroom), (0, 2000, Some(4000), 2000));
}

#[test]
fn a_workload_that_is_not_there_keeps_its_room_and_its_quota_and_is_not_decided_on() {
    let mut fleet = granted(8000, None);
    fleet.clusters.truncate(1);
    let mut gone = on(spec("已撤", 3), "昆明", 3);
    gone.reserved = true;
    // Rules that it breaks, or that nobody knows of it, are no reason to look at it.
    gone = with(gone, |r| r.regions = ["32".to_owned()].into());
    fleet.specs.push(gone);
    let full = one(fleet.clone(), spec("新建", 2));
    assert_eq!((full.status, codes(&full)), (Status::Pending, vec![Code::CapacityInsufficient]));
    assert_eq!(one(fleet.clone(), spec("新建", 1)).status, Status::Placed);
    fleet.clusters.push(cluster("大理", "532901", 4000));
    let dear = one(fleet.clone(), spec("新建", 2));
    assert_eq!((dear.status, codes(&dear)), (Status::Pending, vec![Code::QuotaExceeded]), "3 of 4 cpu are spent");
    let changes = Changes { all: true, ..Changes::default() };
    let plan = plan(&Snapshot::new(fleet).unwrap(), &changes, now()).unwrap();
    assert!(plan.decisions.is_empty() && plan.removed.is_empty());
    let line = plan.quota.iter().find(|line| line.tenant == "省级" && line.resource == "cpu").unwrap();
    assert_eq!((line.before, line.after), (3000, 3000));
}

#[test]
fn replicas_seen_but_no_longer_placed_still_take_room() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    let mut leaving = on(spec("旧版", 1), "昆明", 1);
    leaving.current[0].observed = 3;
    fleet.specs.push(leaving);
    assert_eq!(one(fleet.clone(), spec("新版", 2)).status, Status::Pending);
    assert_eq!(one(fleet, spec("新版", 1)).status, Status::Placed);
}

#[test]
fn colocated_workloads_stand_together_or_nowhere() {
    let set = |big: i64| {
        let mut first = spec("前端", 1);
        let mut second = with(spec("后端", 1), |r| r.regions = ["53".to_owned()].into());
        second.pods[0].request = resources(big);
        first.colocate = Some("门户".to_owned());
        second.colocate = Some("门户".to_owned());
        let changes = Changes { specs: vec![first, second], ..Changes::default() };
        plan(&Snapshot::new(fleet()).unwrap(), &changes, now()).unwrap().decisions
    };
    let placed = set(2000);
    assert!(placed.iter().all(|decision| decision.status == Status::Placed));
    assert_eq!(placed[0].targets, placed[1].targets);
    let apart = set(9000);
    assert!(
        apart.iter().all(|decision| decision.status == Status::Pending && decision.targets.is_empty()),
        "{apart:?}"
    );
}

#[test]
fn who_waits_for_a_refused_one_of_its_set_is_not_told_of_room() {
    let first = spec("前端", 1);
    let mut second = with(spec("后端", 1), |r| r.regions = ["99".to_owned()].into());
    let told = |first: &Spec, second: &Spec| {
        let set = [first, second].map(|spec| Spec { colocate: Some("门户".to_owned()), ..spec.clone() });
        let changes = Changes { specs: set.into(), ..Changes::default() };
        let decisions = plan(&Snapshot::new(fleet()).unwrap(), &changes, now()).unwrap().decisions;
        let of = |name: &str| decisions.iter().find(|decision| decision.key.name == name).unwrap().clone();
        [of("前端"), of("后端")].map(|decision| (decision.status, decision.limits.first().map(|limit| limit.code)))
    };
    let [waits, refused] = told(&first, &second);
    assert_eq!((waits, refused.0), ((Status::Pending, Some(Code::ColocationImpossible)), Status::Refused));
    // Of what is too large wherever it goes, its own room is told.
    second = spec("后端", 1);
    second.pods[0].request = resources(900_000);
    let [waits, large] = told(&first, &second);
    assert_eq!(
        (waits.1, large),
        (Some(Code::ColocationImpossible), (Status::Pending, Some(Code::CapacityInsufficient)))
    );
}

#[test]
fn pinned_data_keeps_a_workload_where_its_data_is() {
    let pinned = Spec { data_on: Some(["徐州".to_owned()].into()), ..spec("数据库", 1) };
    assert_eq!(targets(&one(fleet(), pinned.clone())), [("徐州", 1)]);
    let explained = told(fleet(), &pinned);
    let kunming = explained.clusters.iter().find(|cluster| cluster.cluster == "昆明").unwrap();
    assert_eq!(kunming.changes[0].rule, Some(Rule::Data));
}

#[test]
fn older_data_keeps_a_workload_out_and_is_told_with_its_epoch() {
    let only = |r: &mut Requirement| r.regions = ["5329".to_owned()].into();
    let stale = with(Spec { stale: [("大理".to_owned(), 7)].into(), ..spec("数据库", 1) }, only);
    let decided = one(fleet(), stale.clone());
    assert_eq!((decided.status, targets(&decided)), (Status::Pending, vec![]), "a person's word lets it in");
    let explained = told(fleet(), &stale);
    let there = explained.clusters.iter().find(|cluster| cluster.cluster == "大理").unwrap();
    let rule = there.rules.iter().find(|check| check.rule == Rule::Data).unwrap();
    assert!(rule.refuses);
    assert_eq!((rule.check.reasons[0].code, &rule.check.reasons[0].seen), (Code::StaleData, &Value::Int(7)));
    // What runs there goes on: it is the data in use.
    let runs = running(fleet(), on(Spec { stale: BTreeMap::new(), ..stale }, "大理", 1));
    assert_eq!(targets(&runs), [("大理", 1)]);
}

#[test]
fn what_is_tied_to_a_cluster_that_is_emptied_stays_there() {
    let mut fleet = fleet();
    let leaving = fleet.clusters.iter_mut().find(|cluster| cluster.name == "徐州").unwrap();
    leaving.state = ClusterState::Draining;
    let pinned = Spec { data_on: Some(["徐州".to_owned()].into()), ..on(spec("数据库", 1), "徐州", 1) };
    assert_eq!(targets(&running(fleet, pinned)), [("徐州", 1)]);
}

#[test]
fn an_emergency_reserve_is_for_emergencies() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    fleet.clusters[0].emergency_reserve_percent = 50;
    assert_eq!(one(fleet.clone(), spec("app", 3)).status, Status::Pending);
    let urgent = with(spec("app", 3), |r| r.cause = Cause::Emergency);
    assert_eq!(one(fleet, urgent).status, Status::Placed);
}

#[test]
fn a_share_of_the_tenant_counts_what_all_its_workloads_have() {
    let policy = Arc::new(Policy {
        max_share: vec![MaxShare {
            key: SpreadKey::Region,
            percent: Percent::new(50).unwrap(),
            of: ShareOf::Tenant,
            required: true,
        }],
        ..Policy::default()
    });
    let mut fleet = fleet();
    fleet.specs.push(on(spec("已有", 3), "昆明", 3));
    let decision = one(fleet, Spec { policy, ..spec("新增", 3) });
    assert_eq!(decision.status, Status::Placed);
    assert!(decision.targets.iter().all(|target| target.cluster != "昆明"), "half of six is taken: {decision:?}");
}

#[test]
fn a_workload_in_a_changed_form_is_booked_once() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    fleet.specs.push(on(spec("app", 2), "昆明", 2));
    let mut bigger = spec("app", 2);
    bigger.pods[0].request = resources(2000);
    let changes = Changes { specs: vec![bigger], ..Changes::default() };
    let plan = plan(&Snapshot::new(fleet).unwrap(), &changes, now()).unwrap();
    assert_eq!((plan.decisions[0].status, targets(&plan.decisions[0])), (Status::Placed, vec![("昆明", 2)]));
}

#[test]
fn strange_numbers_end_in_a_status_not_in_a_panic() {
    for replicas in [i64::MIN, -1, 0, i64::MAX] {
        for cpu in [i64::MIN, -1, 0, i64::MAX] {
            let mut strange = spec("怪", replicas);
            strange.pods[0].request = [("cpu".to_owned(), cpu), ("奇怪/资源".to_owned(), cpu)].into();
            strange.quota = strange.pods[0].request.clone();
            let mut fleet = granted(i64::MAX, None);
            fleet.clusters[0].pools[0].shapes[0] = NodeShapeInput { count: i64::MAX, free: resources(i64::MAX >> 20) };
            fleet.clusters[1].pools[0].shapes[0].count = i64::MIN;
            fleet.specs.push(on(on(strange.clone(), "昆明", i64::MAX), "大理", i64::MAX));
            fleet
                .specs
                .push(Spec { key: WorkloadKey::new("民政", "另一"), ..on(strange.clone(), "昆明", i64::MIN) });
            let decision = one(fleet, strange);
            assert!(replicas != 0 || decision.status == Status::Placed);
        }
    }
}
