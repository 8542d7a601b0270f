//! As [`super::scenarios`], of workloads whose pods ask different things of their nodes: each part has pools of its own in
//! one cluster, room that parts share is counted once, and a refusal names the part.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::affinity::{Expression, Operator, Taint, TaintEffect, Toleration};
use super::fixture::Dice;
use super::input::{Grant, PoolInput, Term};
use super::scenarios::{cluster, codes, fleet, on, one, resources, running, spec, targets, told, with};
use super::{DaemonInput, FleetInput, Image, NodeDemand, NodeTerm, Part, PodInput, Rule, Snapshot, Spec, Status};
use crate::detect::{Arch, ImageEntry, Needs, OciPlatform, PoolFacts, Provenance, labels};
use crate::terms::{Code, Value};

fn image(name: &str, architectures: &[&str]) -> Image {
    let entry = |architecture: &&str| ImageEntry {
        digest: None,
        platform: OciPlatform::new("linux", architecture, ""),
        needs: Needs::default(),
        provenance: Provenance::Declared,
    };
    Image { name: name.to_owned(), entries: architectures.iter().map(entry).collect(), needs: Needs::default() }
}

fn part(name: &str, architectures: &[&str]) -> Part {
    Part {
        name: name.to_owned(),
        templates: [format!("{name}/spec/template")].into(),
        images: vec![image(&format!("registry.example.cn/{name}:1"), architectures)],
        ..Part::default()
    }
}

/// One pod of a core for each part.
fn parted(name: &str, replicas: i64, parts: Vec<Part>) -> Spec {
    let pods = (0..).zip(&parts).filter(|(_, part)| !part.optional);
    let pods =
        pods.map(|(part, _)| PodInput { request: resources(1000), count: 1, part, ..PodInput::default() }).collect();
    Spec { pods, ..with(spec(name, replicas), |requirement| requirement.parts = parts) }
}

/// Pools by architecture and cores.
fn pools(pools: &[(Arch, i64)]) -> Vec<PoolInput> {
    let pool = |(at, (arch, cpu)): (usize, &(Arch, i64))| {
        let mut pool = cluster("", "", *cpu).pools.remove(0);
        (pool.name, pool.facts) = (format!("{at}-{}", arch.as_str()), PoolFacts::unknown(arch.clone()));
        pool
    };
    pools.iter().enumerate().map(pool).collect()
}

/// The usual fleet with an amd64 pool beside the arm64 one in 昆明.
fn mixed() -> FleetInput {
    let mut fleet = fleet();
    fleet.clusters[0].pools = pools(&[(Arch::Arm64, 3000), (Arch::Amd64, 2000)]);
    fleet
}

fn two() -> Spec {
    parted("app", 1, vec![part("web", &["arm64"]), part("db", &["amd64"])])
}

#[test]
fn parts_for_different_cpus_go_to_a_cluster_that_has_both() {
    assert_eq!(targets(&one(mixed(), two())), [("昆明", 1)]);
    let told = told(mixed(), &two());
    let here = told.clusters.iter().find(|cluster| cluster.cluster == "昆明").unwrap();
    let pools: Vec<_> = here.pools.iter().map(|pool| (&*pool.part, &*pool.pool, pool.accepted, pool.slots)).collect();
    assert_eq!(
        pools,
        [
            ("web", "0-arm64", true, 3),
            ("web", "1-amd64", false, 2),
            ("db", "0-arm64", false, 3),
            ("db", "1-amd64", true, 2)
        ]
    );
    assert_eq!((here.slots, here.changes.len()), (2, 0), "so many of both");
    assert_eq!(one(mixed(), Spec { replicas: 3, ..two() }).status, Status::Pending);
}

#[test]
fn a_refusal_names_the_part_and_its_reason() {
    let decision = one(fleet(), two());
    assert_eq!(decision.status, Status::Refused);
    let reason = decision.limits.iter().find(|reason| reason.code == Code::NoManifestForPlatform);
    let reason = reason.unwrap_or_else(|| panic!("{:?}", decision.limits));
    assert_eq!(reason.about, Value::from("db: registry.example.cn/db:1"), "web runs here: {reason:?}");
    assert_eq!(reason.seen, Value::List(vec!["linux/amd64".to_owned()]), "what it does offer");
    assert!(decision.limits.iter().all(|reason| reason.about != Value::from("web")), "{decision:?}");
    let told = told(fleet(), &two());
    let cluster = &told.clusters[0];
    let pools = cluster.rules.iter().find(|check| check.rule == Rule::Pools).unwrap();
    assert_eq!(pools.check.reasons.len(), 1);
    assert_eq!((&pools.check.reasons[0].about, pools.refuses), (&Value::from("db"), true));
    assert_eq!(cluster.changes.iter().map(|change| change.rule).collect::<Vec<_>>(), [Some(Rule::Architecture)]);
    assert!(told.one_change.iter().any(|(name, _)| *name == cluster.cluster), "db for arm64 would be enough");
}

#[test]
fn selectors_and_taints_are_each_part_s_own() {
    let asking = |value: &str| {
        let expression = Expression { key: "disk".into(), operator: Operator::In, values: vec![value.to_owned()] };
        let terms = Some(vec![NodeTerm { expressions: vec![expression], by_name: false }]);
        NodeDemand { terms, tolerations: BTreeSet::new() }
    };
    let mut fleet = fleet();
    fleet.clusters[1].pools = pools(&[(Arch::Arm64, 2000), (Arch::Arm64, 2000)]);
    fleet.clusters[1].pools[0].labels.insert("disk".into(), "ssd".into());
    fleet.clusters[1].pools[1].labels.insert("disk".into(), "hdd".into());
    fleet.clusters[1].pools[1].taints.insert(Taint {
        key: "cold".into(),
        value: String::new(),
        effect: TaintEffect::NoSchedule,
    });
    let stands = Toleration { key: "cold".into(), exists: true, ..Toleration::default() };
    let mut app = parted("app", 2, vec![Part { nodes: [asking("ssd")].into(), ..part("hot", &["arm64"]) }]);
    let cold = NodeDemand { tolerations: [stands].into(), ..asking("hdd") };
    app = with(app, |r| r.parts.push(Part { nodes: [cold].into(), ..part("cold", &["arm64"]) }));
    app.pods.push(PodInput { request: resources(1000), count: 1, part: 1, ..PodInput::default() });
    assert_eq!(targets(&one(fleet.clone(), app.clone())), [("大理", 2)]);
    // Without its toleration the second part has no node left.
    let bare = with(app, |r| r.parts[1].nodes = [asking("hdd")].into());
    let told = told(fleet, &bare);
    let dali = told.clusters.iter().find(|cluster| cluster.cluster == "大理").unwrap();
    let taints = dali.rules.iter().find(|check| check.rule == Rule::Pools).unwrap();
    assert_eq!(taints.check.reasons[0].about, Value::from("cold"));
}

#[test]
fn room_that_parts_share_is_counted_once() {
    // Both may use the only pool: two cores for one replica, four cores in all.
    let both = parted("app", 2, vec![part("web", &["arm64"]), part("db", &["arm64", "amd64"])]);
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    assert_eq!(one(fleet.clone(), both.clone()).status, Status::Placed);
    assert_eq!(one(fleet.clone(), Spec { replicas: 3, ..both.clone() }).status, Status::Pending);
    // With a pool that only one of them may use the other keeps the shared one.
    fleet.clusters[0].pools = pools(&[(Arch::Arm64, 4000), (Arch::Amd64, 4000)]);
    assert_eq!(one(fleet.clone(), Spec { replicas: 4, ..both.clone() }).status, Status::Placed);
    assert_eq!(one(fleet, Spec { replicas: 5, ..both }).status, Status::Pending);
}

#[test]
fn what_runs_of_parts_holds_its_room_against_others_and_stays() {
    let mut fleet = mixed();
    fleet.specs.push(Spec { replicas: 2, ..on(two(), "昆明", 2) });
    let decide = |arch: &str| {
        let other = with(spec("other", 1), |r| {
            r.images = vec![image("registry.example.cn/other:1", &[arch])];
            r.affinity.names = ["昆明".to_owned()].into();
        });
        one(fleet.clone(), other)
    };
    assert_eq!(decide("arm64").status, Status::Placed, "one of three cores is left");
    assert_eq!(codes(&decide("amd64")), [Code::CapacityInsufficient], "none of two");
    let again = running(mixed(), Spec { replicas: 2, ..on(two(), "昆明", 2) });
    assert_eq!((again.status, targets(&again)), (Status::Placed, vec![("昆明", 2)]));
}

#[test]
fn pods_of_one_set_need_not_meet_in_one_pool() {
    let mut fleet = fleet();
    fleet.clusters.truncate(1);
    fleet.clusters[0].pools = pools(&[(Arch::Arm64, 2000), (Arch::Arm64, 1000)]);
    let set = |pods: Vec<PodInput>| Spec { pods, ..spec("set", 1) };
    let pods = |count| PodInput { request: resources(1000), count, ..PodInput::default() };
    assert_eq!(one(fleet.clone(), set(vec![pods(3)])).status, Status::Placed);
    assert_eq!(one(fleet.clone(), set(vec![pods(2), pods(1)])).status, Status::Placed);
    assert_eq!(one(fleet.clone(), set(vec![pods(4)])).status, Status::Pending);
    let large = PodInput { request: resources(3000), count: 1, ..PodInput::default() };
    assert_eq!(one(fleet, set(vec![large])).status, Status::Pending, "one pod stands on one node");
}

#[test]
fn a_daemon_set_for_other_cpus_holds_nobody_up_and_takes_its_room_where_it_runs() {
    let daemon = Part { optional: true, ..part("agent", &["amd64"]) };
    let mut app = parted("app", 3, vec![part("web", &["arm64", "amd64"]), daemon.clone()]);
    app.per_node = vec![DaemonInput { part: 1, ..resources(1000).into() }];
    let names = |spec: Spec, name: &str| with(spec, |r| r.affinity.names = [name.to_owned()].into());
    // 大理 has no amd64 node: the agent runs nowhere there, and the rest does.
    assert_eq!(one(mixed(), names(app.clone(), "大理")).status, Status::Placed);
    assert_eq!(one(mixed(), names(Spec { replicas: 4, ..app.clone() }, "大理")).status, Status::Placed);
    // 昆明: three cores, and two less one for the agent.
    assert_eq!(one(mixed(), names(Spec { replicas: 4, ..app.clone() }, "昆明")).status, Status::Placed);
    assert_eq!(one(mixed(), names(Spec { replicas: 5, ..app.clone() }, "昆明")).status, Status::Pending);
    // Where nothing keeps its pods off nodes that a rule refuses, nobody is let in.
    let mut pages = daemon;
    pages.images[0].entries[0].needs.max_page_size_ki = Some(4);
    pages.images[0].entries[0].platform = OciPlatform::new("linux", "arm64", "");
    let mut fleet = mixed();
    for pool in &mut fleet.clusters[1].pools {
        pool.facts.page_size = Some(crate::detect::PageSize { ki: 64, confidence: crate::detect::Confidence::Certain });
        pool.labels.insert(labels::PAGE_SIZE_KI.to_owned(), "4".to_owned());
    }
    let app = with(names(app, "大理"), |r| r.parts[1] = pages);
    let refused = one(fleet, app);
    assert_eq!(
        (refused.status, refused.rejected.contains_key(&Rule::Separation)),
        (Status::Refused, true),
        "{refused:?}"
    );
}

#[test]
fn each_part_is_delivered_with_its_own_node_affinity() {
    let affinities = Snapshot::new(mixed()).unwrap().node_affinities(&two().requirement).unwrap();
    let of = |template: &str, arch: &str| {
        let node = [(labels::ARCH.to_owned(), arch.to_owned()), (labels::OS.to_owned(), "linux".to_owned())].into();
        affinities.parts[template].admits(&node)
    };
    assert!(of("web/spec/template", "arm64") && !of("web/spec/template", "amd64"));
    assert!(of("db/spec/template", "amd64") && !of("db/spec/template", "arm64"));
    assert_eq!(affinities.whole.terms(), None, "nothing is asked of all of them");
}

#[test]
fn a_quota_of_one_platform_is_charged_for_the_parts_that_may_land_on_it() {
    let mut fleet = mixed();
    fleet.clusters.truncate(1);
    fleet.clusters[0].pools[0].facts.platform = Some("kunpeng-920".to_owned());
    fleet.clusters[0].pools[1].facts.platform = Some("hygon-7285".to_owned());
    let granted = |amount: i64| Grant {
        document: "文".into(),
        term: Term::OPEN,
        amount: [("cpu@kunpeng-920".to_owned(), amount)].into(),
    };
    let decided = |amount: i64| {
        let mut fleet = fleet.clone();
        fleet.tenants[0].grants = Some(vec![granted(amount)]);
        one(fleet, Spec { quota: resources(2000), ..two() })
    };
    assert_eq!(decided(1000).status, Status::Placed, "of two cores one may be on it");
    assert_eq!(codes(&decided(999)), [Code::QuotaExceeded]);
}

proptest! {
    /// A set has a place exactly where trying every node for every pod finds one: pods of one size, parts that may use one
    /// architecture or any.
    #[test]
    fn mixed_parts_against_trying_every_way(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let mut fleet = fleet();
        fleet.clusters.truncate(1);
        let arch = |dice: &mut Dice| dice.pick(&[Arch::Arm64, Arch::Amd64, Arch::Loong64]);
        let free: Vec<_> = (0..1 + dice.below(4)).map(|_| (arch(&mut dice), dice.int(5))).collect();
        let cores: Vec<_> = free.iter().map(|(arch, cores)| (arch.clone(), cores * 1000)).collect();
        fleet.clusters[0].pools = pools(&cores);
        let all: &[&str] = &["arm64", "amd64", "loong64"];
        let kinds: Vec<(Vec<&str>, i64)> = (0..1 + dice.below(3))
            .map(|_| (if dice.one_in(3) { all.to_vec() } else { vec![dice.pick(&["arm64", "amd64", "loong64"])] }, 1 + dice.int(2)))
            .collect();
        let parts: Vec<_> = kinds.iter().enumerate().map(|(at, (archs, _))| part(&format!("p{at}"), archs)).collect();
        let replicas = 1 + dice.int(3);
        let mut app = parted("app", replicas, parts);
        for (pod, (_, count)) in app.pods.iter_mut().zip(&kinds) {
            pod.count = *count;
        }
        // Pods of one size: Hall's condition over the architectures says whether there is a way.
        let fits = (0..8_u8).all(|chosen| {
            let within = |name: &str| all.iter().position(|one| *one == name).is_some_and(|at| chosen & (1 << at) != 0);
            let asked: i64 = kinds.iter().filter(|(archs, _)| archs.iter().all(|a| within(a))).map(|(_, n)| n * replicas).sum();
            let there: i64 = free.iter().filter(|(arch, _)| within(arch.as_str())).map(|(_, cores)| cores).sum();
            asked <= there
        });
        let decision = one(fleet.clone(), app.clone());
        prop_assert_eq!(decision.status == Status::Placed, fits, "{:?} on {:?}: {:?}", kinds, free, decision.limits);
    }
}
