//! As [`super::scenarios`], of what the nodes of a pool show, take and are fit for, and of going back to a group.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::{Affinity, Expression, Operator, Taint, TaintEffect, Toleration};
use super::fixture::now;
use super::input::{DataClass, NodeShapeInput, PoolInput, TierInput};
use super::scenarios::{cluster, codes, fleet, granted, on, one, resources, running, spec, targets, told, with};
use super::{
    Changes, CpuSensitivity, FleetInput, Image, NodeDemand, NodeTerm, Policy, Rule, Snapshot, Spec, Status, plan,
};
use crate::detect::{
    Answer, Arch, Catalogue, ImageEntry, Level, Needs, OciPlatform, PageSize, Platform, Provenance, labels,
};
use crate::terms::{Code, PerMille, Value};

fn pool(fleet: &mut FleetInput, cluster: usize, change: impl FnOnce(&mut PoolInput)) {
    change(&mut fleet.clusters[cluster].pools[0]);
}

fn asking(key: &str, value: &str) -> NodeDemand {
    let expression = Expression { key: key.to_owned(), operator: Operator::In, values: vec![value.to_owned()] };
    NodeDemand {
        terms: Some(vec![NodeTerm { expressions: vec![expression], by_name: false }]),
        tolerations: BTreeSet::new(),
    }
}

fn first_reason(fleet: FleetInput, spec: &Spec, cluster: &str, rule: Rule) -> Option<(Code, Value)> {
    let explained = told(fleet, spec);
    let cluster = explained.clusters.into_iter().find(|told| told.cluster == cluster).unwrap();
    let check = cluster.rules.into_iter().find(|check| check.rule == rule).unwrap();
    check.check.reasons.into_iter().next().map(|reason| (reason.code, reason.object))
}

#[test]
fn a_selector_that_no_pool_satisfies_refuses_there_and_names_the_label() {
    let mut fleet = fleet();
    pool(&mut fleet, 1, |pool| _ = pool.labels.insert("disk".to_owned(), "ssd".to_owned()));
    let wanted = with(spec("app", 1), |r| r.nodes = [asking("disk", "ssd")].into());
    assert_eq!(targets(&one(fleet.clone(), wanted.clone())), [("大理", 1)]);
    let reason = first_reason(fleet, &wanted, "昆明", Rule::NodeLabels);
    assert_eq!(reason, Some((Code::NodeLabelMismatch, "disk".into())));
}

#[test]
fn a_taint_of_nodes_is_stood_by_the_pods_and_not_by_the_policy() {
    let mut fleet = fleet();
    let taint = Taint { key: "gpu".into(), value: "a".into(), effect: TaintEffect::NoSchedule };
    for at in 0..3 {
        pool(&mut fleet, at, |pool| _ = pool.taints.insert(taint.clone()));
    }
    let stands = Toleration { key: "gpu".into(), exists: true, ..Toleration::default() };
    let by_policy = with(spec("app", 1), |r| r.tolerations = vec![stands.clone()]);
    assert_eq!(one(fleet.clone(), by_policy.clone()).status, Status::Refused);
    let reason = first_reason(fleet.clone(), &by_policy, "大理", Rule::NodeTaints);
    assert_eq!(reason, Some((Code::NodeTaintNotTolerated, "gpu".into())));
    let demand = NodeDemand { terms: None, tolerations: [stands].into() };
    let by_pods = with(spec("app", 1), |r| r.nodes = [demand].into());
    assert_eq!(one(fleet, by_pods).status, Status::Placed);
}

/// Two nodes of four cores in each cluster.
fn two_nodes() -> FleetInput {
    let mut fleet = fleet();
    for at in 0..3 {
        pool(&mut fleet, at, |pool| pool.shapes[0].count = 2);
    }
    fleet
}

fn alone(name: &str, replicas: i64, takes: &str) -> Spec {
    let mut one = with(spec(name, replicas), |r| r.affinity.names = ["昆明".to_owned()].into());
    one.pods[0].one_per_node = [takes.to_owned()].into();
    one
}

#[test]
fn pods_that_stand_apart_get_a_node_each_also_beside_what_runs() {
    let apart = |replicas| alone("app", replicas, "podAntiAffinity/民政/{}");
    assert_eq!(targets(&one(two_nodes(), apart(2))), [("昆明", 2)]);
    let third = one(two_nodes(), apart(3));
    assert_eq!((third.status, codes(&third)), (Status::Pending, vec![Code::CapacityInsufficient]));
    // One runs: its node is taken, and the other is free whatever room the first has.
    assert_eq!(targets(&running(two_nodes(), Spec { changed: true, ..on(apart(2), "昆明", 1) })), [("昆明", 2)]);
    let more = running(two_nodes(), Spec { changed: true, ..on(apart(3), "昆明", 2) });
    assert_eq!((targets(&more), more.shortfall), (vec![("昆明", 2)], 1));
}

#[test]
fn a_port_of_the_nodes_is_one_for_all_workloads() {
    let fleet = || {
        let mut fleet = two_nodes();
        fleet.specs.push(on(alone("other", 1, "hostPort/TCP/80"), "昆明", 1));
        fleet
    };
    assert_eq!(targets(&one(fleet(), alone("app", 1, "hostPort/TCP/80"))), [("昆明", 1)]);
    assert_eq!(one(fleet(), alone("app", 2, "hostPort/TCP/80")).status, Status::Pending);
    assert_eq!(one(fleet(), alone("app", 2, "hostPort/UDP/80")).status, Status::Placed);
    // With one on each node nothing but the port is missing.
    let mut taken = two_nodes();
    taken.specs.push(on(alone("other", 2, "hostPort/TCP/80"), "昆明", 2));
    let explained = told(taken, &alone("app", 1, "hostPort/TCP/80"));
    let here = explained.clusters.into_iter().find(|told| told.cluster == "昆明").unwrap();
    let missing: Vec<_> = here.changes.iter().flat_map(|change| &change.reasons).map(|reason| &reason.object).collect();
    assert_eq!(missing, [&Value::from("hostPort/TCP/80")]);
}

fn four_kib() -> Image {
    let platform = OciPlatform { os: "linux".into(), architecture: "arm64".into(), ..OciPlatform::default() };
    let needs = Needs { max_page_size_ki: Some(4), level: Level::parse("armv8.0"), ..Needs::default() };
    let entry = ImageEntry { digest: None, platform, needs, provenance: Provenance::Declared };
    Image { name: "registry.example.cn/向量库@sha256:1".into(), entries: vec![entry], needs: Needs::default() }
}

/// A fleet whose every cluster has a pool of 4 KiB pages; the first has one of 64 KiB beside it.
fn pages() -> FleetInput {
    let mut fleet = fleet();
    let page = |pool: &mut PoolInput, ki: u32| {
        pool.facts.page_size = Some(PageSize { ki, confidence: crate::detect::Confidence::Certain });
        pool.facts.level = Level::parse("armv8.2");
    };
    for at in 0..3 {
        pool(&mut fleet, at, |pool| {
            page(pool, 4);
            pool.labels.insert(labels::PAGE_SIZE_KI.to_owned(), "4".to_owned());
        });
    }
    let mut large = fleet.clusters[0].pools[0].clone();
    page(&mut large, 64);
    "大页".clone_into(&mut large.name);
    fleet.clusters[0].pools.push(large);
    fleet
}

#[test]
fn a_cluster_whose_unfit_nodes_no_label_tells_apart_is_refused() {
    let wanted = with(spec("app", 1), |r| r.images = vec![four_kib()]);
    // The 64 KiB pool carries the label of the other: pods would be sent there.
    let reason = first_reason(pages(), &wanted, "昆明", Rule::Separation);
    assert_eq!(reason, Some((Code::NotExpressible, "大页".into())));
    assert_ne!(targets(&one(pages(), wanted.clone())), [("昆明", 1)]);
    let mut told_apart = pages();
    told_apart.clusters[0].pools[1].labels.insert(labels::PAGE_SIZE_KI.to_owned(), "64".to_owned());
    assert_eq!(first_reason(told_apart.clone(), &wanted, "昆明", Rule::Separation), None);
    let only = with(wanted, |r| r.affinity.names = ["昆明".to_owned()].into());
    assert_eq!(targets(&one(told_apart, only)), [("昆明", 1)]);
}

#[test]
fn a_pool_that_does_not_show_what_is_asked_for_is_not_used() {
    let mut fleet = pages();
    fleet.clusters[1].pools[0].labels.clear();
    let wanted = with(spec("app", 1), |r| r.images = vec![four_kib()]);
    let reason = first_reason(fleet.clone(), &wanted, "大理", Rule::NodeAffinity);
    assert_eq!(reason, Some((Code::AffinityExcludes, "默认".into())));
    let delivered = Snapshot::new(fleet).unwrap().node_affinities(&wanted.requirement).unwrap().whole;
    let shown = BTreeMap::from([(labels::ARCH, "arm64"), (labels::OS, "linux"), (labels::PAGE_SIZE_KI, "4")]);
    let shown = shown.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert!(delivered.admits(&shown) && !delivered.admits(&BTreeMap::new()));
}

#[test]
fn peers_and_databases_are_there_for_their_zones_only() {
    let mut fleet = fleet();
    let inner = || BTreeSet::from(["inner".to_owned()]);
    fleet.clusters[1].peers.insert("省级平台".to_owned(), inner());
    fleet.clusters[2].peers.insert("省级平台".to_owned(), BTreeSet::from(["public".to_owned()]));
    fleet.clusters[2].databases.insert("达梦".to_owned(), inner());
    let wanted = with(spec("app", 1), |r| r.reach = ["省级平台".to_owned()].into());
    assert_eq!(targets(&one(fleet.clone(), wanted.clone())), [("徐州", 1)]);
    let both = with(wanted, |r| r.databases = ["达梦".to_owned()].into());
    assert_eq!(one(fleet.clone(), both.clone()).status, Status::Refused);
    let reason = first_reason(fleet, &both, "徐州", Rule::Database);
    assert_eq!(reason, Some((Code::DatabaseNotOffered, "达梦".into())));
}

#[test]
fn daemons_take_room_on_each_node_before_replicas_do() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    let mut free = resources(4000);
    free.insert("pods".to_owned(), 110);
    pool(&mut fleet, 0, |pool| pool.shapes = vec![NodeShapeInput { count: 3, free }]);
    let with_daemons = |replicas| Spec { per_node: vec![resources(500).into()], ..spec("app", replicas) };
    // 3 nodes of 4 cores, half a core of each taken: 3 pods of one core on each.
    assert_eq!(one(fleet.clone(), with_daemons(9)).status, Status::Placed);
    assert_eq!(one(fleet.clone(), with_daemons(10)).status, Status::Pending);
    assert_eq!(one(fleet.clone(), spec("app", 12)).status, Status::Placed);
    // They are there once: what already runs grows beside its own daemons.
    let grown = on(with_daemons(9), "昆明", 8);
    assert_eq!(running(fleet.clone(), grown).status, Status::Placed);
    let other = running(fleet.clone(), on(with_daemons(1), "昆明", 1));
    assert_eq!(other.status, Status::Placed);
    let alone = |cpu| Spec { pods: Vec::new(), per_node: vec![resources(cpu).into()], ..spec("agent", 1) };
    assert_eq!(one(fleet.clone(), alone(4000)).status, Status::Placed);
    assert_eq!(one(fleet, alone(4500)).status, Status::Pending, "no node has that much");
}

#[test]
fn pods_on_every_node_are_charged_to_the_quota_by_the_nodes_there_are() {
    // Two cores are open; a replica of one core and three nodes.
    let mut fleet = granted(4000, None);
    fleet.clusters.truncate(1);
    let mut free = resources(4000);
    free.insert("pods".to_owned(), 110);
    pool(&mut fleet, 0, |pool| pool.shapes = vec![NodeShapeInput { count: 3, free }]);
    let with_daemons = |cpu| Spec { per_node: vec![resources(cpu).into()], ..spec("app", 1) };
    assert_eq!(one(fleet.clone(), with_daemons(300)).status, Status::Placed);
    let over = one(fleet.clone(), with_daemons(400));
    assert_eq!((over.status, codes(&over)), (Status::Pending, vec![Code::QuotaExceeded]));
    assert_eq!((&over.limits[0].seen, &over.limits[0].wanted), (&Value::Millicores(2000), &Value::Millicores(2200)));
    let used = |fleet: &FleetInput| {
        let plan = plan(&Snapshot::new(fleet.clone()).unwrap(), &Changes::default(), now()).unwrap();
        plan.quota.iter().find(|line| line.tenant == "省级" && line.resource == "cpu").map(|line| line.after).unwrap()
    };
    fleet.specs.push(on(with_daemons(300), "昆明", 1));
    assert_eq!(used(&fleet), 1900);
    pool(&mut fleet, 0, |pool| pool.shapes[0].count = 2);
    assert_eq!(used(&fleet), 1600);
}

#[test]
fn what_daemons_hold_is_not_there_for_others() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    fleet.specs.push(on(Spec { per_node: vec![resources(500).into()], ..spec("first", 1) }, "昆明", 1));
    let plan = |replicas| {
        let changes = Changes { specs: vec![spec("second", replicas)], ..Changes::default() };
        plan(&Snapshot::new(fleet.clone()).unwrap(), &changes, now()).unwrap().decisions[0].status
    };
    assert_eq!((plan(2), plan(3)), (Status::Placed, Status::Pending), "4 cores less 1 less a half");
}

#[test]
fn a_pod_seen_unschedulable_closes_the_pool_to_pods_as_large() {
    let mut fleet = fleet();
    pool(&mut fleet, 0, |pool| pool.unschedulable = vec![resources(1000)]);
    let here = |mut spec: Spec| {
        spec = with(spec, |r| r.affinity.names = ["昆明".to_owned()].into());
        one(fleet.clone(), spec).status
    };
    assert_eq!(here(spec("large", 1)), Status::Pending);
    let mut small = spec("small", 1);
    small.pods[0].request = resources(900);
    assert_eq!(here(small), Status::Placed);
}

#[test]
fn cpu_is_converted_only_with_declared_performance_and_when_asked_for() {
    let platform = |id: &str, perf: Option<i64>| Platform {
        id: id.into(),
        vendor: id.into(),
        arch: Arch::Arm64,
        level: None,
        features: BTreeSet::new(),
        absent: BTreeSet::new(),
        page_hints: Vec::new(),
        aarch32: Answer::Unknown,
        world: None,
        tee_possible: BTreeSet::new(),
        threads_per_core: None,
        per_cpu_perf: perf.map(PerMille),
        detect: Vec::new(),
    };
    let mut fleet = fleet();
    fleet.catalogue =
        Catalogue { platforms: vec![platform("慢", Some(500)), platform("未测", None)], ..Catalogue::default() };
    pool(&mut fleet, 0, |pool| pool.facts.platform = Some("慢".into()));
    pool(&mut fleet, 1, |pool| pool.facts.platform = Some("未测".into()));
    let most = |fleet: &FleetInput, name: &str, cpu| {
        let spec = |n| Spec { cpu, ..with(spec("app", n), |r| r.affinity.names = [name.to_owned()].into()) };
        (1..9).take_while(|n| one(fleet.clone(), spec(*n)).status == Status::Placed).count()
    };
    assert_eq!(most(&fleet, "昆明", CpuSensitivity::AsWritten), 4);
    assert_eq!(most(&fleet, "昆明", CpuSensitivity::Linear), 2, "half the speed takes twice the cpu");
    assert_eq!(most(&fleet, "大理", CpuSensitivity::Linear), 4, "nobody measured it");
    pool(&mut fleet, 0, |pool| pool.cpu_normalised = true);
    assert_eq!(most(&fleet, "昆明", CpuSensitivity::Linear), 4, "the cluster does it itself");
}

/// Kunming and Dali are of one platform, Xuzhou of another; the tenant may use 2 cores on the first.
#[test]
fn a_quota_for_one_platform_sends_the_rest_elsewhere() {
    let mut fleet = fleet();
    for (at, platform) in ["慢", "慢", "快"].into_iter().enumerate() {
        pool(&mut fleet, at, |pool| pool.facts.platform = Some(platform.into()));
    }
    fleet.tenants[0].grants = Some(vec![super::input::Grant {
        document: "批复".into(),
        term: super::input::Term::OPEN,
        amount: [("cpu@慢".to_owned(), 2000)].into(),
    }]);
    let on = |decision: &super::Decision, names: [&str; 2]| {
        let mine = decision.targets.iter().filter(|target| names.contains(&&*target.cluster));
        mine.map(|target| target.replicas).sum::<i64>()
    };
    let placed = one(fleet.clone(), spec("app", 6));
    assert_eq!(placed.status, Status::Placed);
    assert_eq!((on(&placed, ["昆明", "大理"]), on(&placed, ["徐州", ""])), (2, 4));
    let full = one(fleet.clone(), spec("app", 7));
    assert_eq!((full.status, codes(&full)), (Status::Pending, vec![Code::QuotaExceeded]));
    assert_eq!(full.limits[0].object, Value::from("民政局 cpu@慢"));
    // What runs counts against its platform, and is given back.
    fleet.specs.push(super::scenarios::on(spec("first", 2), "昆明", 2));
    assert_eq!(targets(&one(fleet, spec("app", 4))), [("徐州", 4)]);
}

#[test]
fn the_floor_of_a_tier_holds_for_those_who_need_it() {
    let mut fleet = fleet();
    let platform = OciPlatform { os: "linux".into(), architecture: "arm64".into(), ..OciPlatform::default() };
    let silent = ImageEntry { digest: None, platform, needs: Needs::default(), provenance: Provenance::None };
    let image = Image { name: "registry.example.cn/a:1".into(), entries: vec![silent], needs: Needs::default() };
    for at in 0..3 {
        pool(&mut fleet, at, |pool| {
            pool.facts.level = Level::parse("armv8.1");
            pool.facts.features = crate::detect::level_features(Level::Arm(8, 1));
            pool.facts.page_size = Some(PageSize { ki: 4, confidence: crate::detect::Confidence::Certain });
            let atomics = format!("{}ATOMICS", labels::NFD_FLAG);
            pool.labels.insert(atomics, "true".to_owned());
        });
    }
    let floors = BTreeMap::from([(Arch::Arm64, Level::Arm(8, 2))]);
    fleet.tiers = vec![
        TierInput { name: "s1".into(), rank: 1, classes: [DataClass::Important].into(), ..TierInput::default() },
        TierInput { name: "s2".into(), rank: 2, classes: [DataClass::Core].into(), floors, ..TierInput::default() },
    ];
    let app = |class| with(spec("app", 1), |r| (r.images, r.data_class) = (vec![image.clone()], class));
    assert_eq!(first_reason(fleet.clone(), &app(DataClass::Important), "昆明", Rule::Architecture), None);
    let above = first_reason(fleet, &app(DataClass::Core), "昆明", Rule::Architecture);
    assert_eq!(above.map(|reason| reason.0), Some(Code::UndeclaredBaseline));
}

#[test]
fn a_missing_manifest_is_a_fact_only_where_somebody_looked() {
    let told = |provenance| {
        let platform = OciPlatform { os: "linux".into(), architecture: "amd64".into(), ..OciPlatform::default() };
        let entry = ImageEntry { digest: None, platform, needs: Needs::default(), provenance };
        let image = Image { name: "registry.example.cn/a:1".into(), entries: vec![entry], needs: Needs::default() };
        let app = with(spec("app", 1), |r| r.images = vec![image]);
        first_reason(fleet(), &app, "昆明", Rule::Architecture).map(|reason| reason.0)
    };
    assert_eq!(told(Provenance::None), Some(Code::ManifestNotKnown));
    assert_eq!(told(Provenance::Inspected), Some(Code::NoManifestForPlatform));
}

#[test]
fn what_overflowed_goes_back_after_the_stable_time_and_not_before() {
    let named = |name: &str| Affinity { names: [name.to_owned()].into(), ..Affinity::default() };
    let hour = 3600;
    let app = Spec {
        policy: Policy { failback_seconds: vec![Some(hour)], ..Policy::default() }.into(),
        ..with(spec("app", 2), |r| r.groups = vec![named("昆明"), named("大理")])
    };
    let placed = on(app, "大理", 2);
    let world = |since: Option<i64>| {
        let mut fleet = fleet();
        fleet.clusters[0].healthy_since =
            since.map(|ago| now().checked_sub(jiff::SignedDuration::from_secs(ago)).unwrap());
        fleet
    };
    let seconds = |ago| targets(&running(world(ago), placed.clone())) == [("昆明", 2)];
    assert!(!seconds(None), "nobody knows since when it is healthy");
    assert!(!seconds(Some(hour - 1)));
    assert!(seconds(Some(hour)), "exactly at the end of the window");
    let mut waiting = world(Some(hour - 60));
    waiting.specs.push(placed.clone());
    let next = plan(&Snapshot::new(waiting).unwrap(), &Changes::default(), now()).unwrap().next_change;
    assert_eq!(next, Some(now().checked_add(jiff::SignedDuration::from_secs(60)).unwrap()));
    // Without room for all of it, it stays whole where it is.
    let mut full = world(Some(hour));
    full.clusters[0] = super::input::ClusterInput {
        healthy_since: full.clusters[0].healthy_since,
        ..cluster("昆明", "530100", 1000)
    };
    let kept = running(full, placed);
    assert_eq!((targets(&kept), codes(&kept)), (vec![("大理", 2)], vec![]));
}

#[test]
fn a_share_of_platforms_goes_by_the_pools_a_workload_may_use() {
    // Two clusters whose arm64 pools are of one platform; the second has a pool of another that the image does not run on.
    let mut fleet = fleet();
    fleet.clusters.truncate(2);
    for at in 0..2 {
        pool(&mut fleet, at, |pool| pool.facts.platform = Some("kunpeng-920".to_owned()));
    }
    let mut other = fleet.clusters[1].pools[0].clone();
    (other.name, other.facts) = ("x86".to_owned(), crate::detect::PoolFacts::unknown(Arch::Amd64));
    other.facts.platform = Some("hygon-7285".to_owned());
    fleet.clusters[1].pools.push(other);
    let platform = OciPlatform::new("linux", "arm64", "");
    let entry = ImageEntry { digest: None, platform, needs: Needs::default(), provenance: Provenance::Declared };
    let image = Image { name: "registry.example.cn/app:1".into(), entries: vec![entry], needs: Needs::default() };
    let key = super::SpreadKey::Platform;
    let spread = super::Spread { key, min_groups: 2, max_groups: None, min_replicas: 1, required: true };
    let app = |images: Vec<Image>| Spec {
        policy: std::sync::Arc::new(Policy { spread: vec![spread.clone()], ..Policy::default() }),
        ..with(spec("app", 2), |r| r.images = images)
    };
    let refused = one(fleet.clone(), app(vec![image]));
    assert_eq!(refused.status, Status::Pending, "both clusters are kunpeng-920 to it: {refused:?}");
    assert_eq!(one(fleet, app(vec![])).status, Status::Placed, "who may use all of them has two kinds of clusters");
}

#[test]
fn a_quota_that_what_runs_on_every_node_exceeds_on_many_clusters_is_kept_on_fewer() {
    let decided = |cpu: i64| {
        let mut fleet = fleet();
        fleet.tenants[0].grants = Some(vec![super::input::Grant {
            document: "文".into(),
            term: super::input::Term::OPEN,
            amount: [("cpu".to_owned(), cpu)].into(),
        }]);
        let app = Spec { per_node: vec![resources(500).into()], ..spec("app", 2) };
        one(fleet, app)
    };
    assert_eq!(decided(3000).targets.len(), 2, "two clusters, half a core more on each");
    let kept = decided(2500);
    assert_eq!((kept.status, kept.targets.len()), (Status::Placed, 1), "{kept:?}");
    assert_eq!(codes(&decided(2499)), [Code::QuotaExceeded]);
}
