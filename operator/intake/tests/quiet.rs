//! The whole way of a decision, as files: read, plan, commit, write the placements, read again, plan again.
//!
//! A plan of a plan's own result moves nothing and commits nothing: after the first plan, and after workloads were
//! scaled while members still run what was ordered before. What the engine promises about its own values is tested
//! there; here stands what only the way through the files can break.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiuzhou_api::v1alpha1::FleetPlacementSpec;
use jiuzhou_engine::decide::{self, Changes, Decision, Plan, PlanInput, Status, WorkloadKey};
use jiuzhou_engine::terms::{Code, Finding, Severity};
use jiuzhou_intake::{Fleet, Options, load_texts, placements};
use proptest::prelude::*;

const AS_OF: &str = "2026-11-23T15:59:59Z";

/// A cluster of tier S1 as the first story has it; its name, site and room are replaced.
const CLUSTER: &str = include_str!("../../../examples/01-first-tenant/clusters.yaml");

/// The text with one part replaced that must be there.
#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the story");
    text.replace(from, to)
}

/// Three clusters at two sites, as large as told (nodes, cpu of each), one tenant and one system.
fn fleet(nodes: &[(u8, u8)], quota: u32) -> String {
    let mut text = String::from(
        "apiVersion: jiuzhou.dev/v1alpha1\nkind: Site\nmetadata: {name: dali}\n\
         spec: {displayName: 大理, region: \"532900\", provider: cec}\n---\n\
         apiVersion: jiuzhou.dev/v1alpha1\nkind: Site\nmetadata: {name: kunming}\n\
         spec: {displayName: 昆明, region: \"530100\", provider: telecom}\n---\n\
         apiVersion: jiuzhou.dev/v1alpha1\nkind: ImageProfile\nmetadata: {name: web}\n\
         spec: {image: registry.gov.example/web, digest: \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \
         entries: [{architecture: arm64, variant: v8, needs: {level: armv8.0, maxPageSizeKib: 64, execution: Native}, \
         provenance: Inspected}]}\n---\n\
         apiVersion: jiuzhou.dev/v1alpha1\nkind: InformationSystem\nmetadata: {name: pension, namespace: social}\n\
         spec: {displayName: 养老保险, projectCode: P-001, tenant: hrss, functionDomain: PublicService, \
         dataClass: {class: General, setBy: 王五}}\n",
    );
    writeln!(
        text,
        "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: Tenant\nmetadata: {{name: hrss}}\nspec: {{displayName: 人社局, \
         level: City, region: \"532900\", namespaces: [{{name: social}}], quota: [{{name: q, document: {{number: 一号}}, \
         from: 2025-01-01, hard: {{cpu: {quota}}}}}]}}"
    )
    .unwrap();
    for (at, (count, cpu)) in nodes.iter().enumerate() {
        let site = if at == 1 { "site: kunming" } else { "site: dali" };
        let cluster = with(CLUSTER, "name: kunming-gov-1", &format!("name: c{at}"));
        let cluster = with(&cluster, "site: kunming-1", site);
        let room = format!("{{nodes: {count}, free: {{cpu: \"{cpu}\", memory: 64Gi, pods: \"50\"}}}}");
        let cluster = with(&cluster, "{nodes: 3, free: {cpu: \"40\", memory: 160Gi, pods: \"60\"}}", &room);
        writeln!(text, "---\n{cluster}").unwrap();
    }
    text
}

/// What one workload asks for.
#[derive(Clone, Debug)]
struct Asked {
    stateful: bool,
    cpu: u8,
    rules: &'static str,
    priority: u8,
    colocated: bool,
    replicas: u8,
}

/// Ways to place; `{}` leaves all to the defaults.
const RULES: &[&str] = &[
    "{}",
    "{replicas: {mode: Duplicated}}",
    "{replicas: {divideBy: Packed}}",
    "{replicas: {divideBy: Weight, weights: [{selector: {names: [c0]}, weight: 3}, {selector: {names: [c1, c2]}, weight: 1}]}}",
    "{spread: [{key: Site, minGroups: 2}]}",
    "{spread: [{key: Cluster, minGroups: 2, strength: Preferred}], maxShare: [{percent: 60, key: Cluster}]}",
    "{maxShare: [{percent: 70, key: Provider, of: Tenant}]}",
    "{groups: [{name: own, selector: {names: [c0]}}, {name: other, selector: {names: [c1, c2]}}]}",
];

/// The workloads with what members run of them: cluster and replicas.
fn workloads(asked: &[Asked], seen: &[BTreeMap<String, i32>]) -> String {
    let mut text = String::new();
    for (at, (one, seen)) in asked.iter().zip(seen).enumerate() {
        let (kind, claims) = match one.stateful {
            true => (
                "StatefulSet",
                ", serviceName: w, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], \
                 resources: {requests: {storage: 1Gi}}}}]",
            ),
            false => ("Deployment", ""),
        };
        let colocate = if one.colocated { ", colocate: together" } else { "" };
        writeln!(
            text,
            "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: FleetWorkload\nmetadata: {{name: w{at}, namespace: social}}\n\
             spec: {{system: pension, priority: {}, placement: {}{colocate}, objects: [{{name: w, manifest: {{apiVersion: \
             apps/v1, kind: {kind}, metadata: {{name: w{at}}}, spec: {{replicas: {}, selector: {{matchLabels: {{app: w{at}}}}}, \
             template: {{metadata: {{labels: {{app: w{at}}}}}, spec: {{containers: [{{name: c, image: \
             \"registry.gov.example/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", resources: \
             {{requests: {{cpu: {}, memory: 1Gi}}}}}}]}}}}{claims}}}}}}}]}}",
            one.priority, one.rules, one.replicas, one.cpu
        )
        .unwrap();
        let clusters: Vec<_> = seen.iter().map(|(name, n)| format!("{{name: {name}, placed: {n}}}")).collect();
        if !clusters.is_empty() {
            writeln!(text, "status: {{clusters: [{}]}}", clusters.join(", ")).unwrap();
        }
    }
    text
}

type Committed = BTreeMap<WorkloadKey, FleetPlacementSpec>;

/// The placements as an export of them reads.
fn written(committed: &Committed) -> String {
    let object = |(key, spec): (&WorkloadKey, &FleetPlacementSpec)| {
        let value = serde_json::to_value(placements::object(key, spec.clone())).unwrap();
        format!("---\n{}\n", serde_saphyr::to_string(&value).unwrap())
    };
    committed.iter().map(object).collect()
}

fn read(texts: &[(&str, &str)]) -> Fleet {
    let texts: Vec<_> = texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes())).collect();
    let fleet = load_texts(&texts, &Options::at(AS_OF.parse().unwrap())).unwrap();
    let wrong: Vec<&Finding> = fleet.findings.iter().filter(|one| one.severity == Severity::Error).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    fleet
}

/// Plans what the texts say; answers the plan and what is committed after it.
fn step(texts: &[(&str, &str)], epoch: i64) -> (Plan, Committed, Committed) {
    let fleet = read(texts);
    let before = placements::committed(&fleet.objects);
    let inputs = fleet.converted.fleet;
    let changes = Changes { all: true, ..Changes::default() };
    let input = PlanInput { fleet: inputs.clone(), changes, as_of: AS_OF.parse().unwrap() };
    let plan = decide::replay(input).unwrap().plan;
    let after = placements::after(&plan, &inputs.specs, &before, epoch, inputs.data).unwrap();
    (plan, before, after)
}

fn moves(plan: &Plan) -> Vec<String> {
    let moved = plan.decisions.iter().filter(|decision| !decision.moves.is_empty());
    moved.map(|decision| format!("{}: {:?}", decision.key, decision.moves)).collect()
}

fn asked() -> impl Strategy<Value = Asked> {
    let rules = prop::sample::select(RULES);
    (prop::bool::weighted(0.25), 1_u8..=3, rules, 0_u8..=1, prop::bool::weighted(0.2), 0_u8..=9).prop_map(
        |(stateful, cpu, rules, priority, colocated, replicas)| Asked {
            stateful,
            cpu,
            // A StatefulSet stays in one cluster; rules that contradict it are another matter.
            rules: if stateful { "{}" } else { rules },
            priority,
            colocated,
            replicas,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_of_a_plans_result_moves_and_commits_nothing(
        nodes in prop::collection::vec((1_u8..=3, 2_u8..=8), 3),
        quota in 8_u32..=60,
        asked in prop::collection::vec(asked(), 1..=5),
        scaled in prop::collection::vec((0_u8..=9, 0_i32..=3, 0_usize..3), 5),
    ) {
        let fleet = fleet(&nodes, quota);
        let nothing = vec![BTreeMap::new(); asked.len()];
        let text = workloads(&asked, &nothing);
        let (_, _, first) = step(&[("fleet", &fleet), ("w", &text)], 1);
        let state = written(&first);
        let (again, before, after) = step(&[("fleet", &fleet), ("w", &text), ("state", &state)], 2);
        prop_assert_eq!(&before, &first, "what was written is what is read");
        prop_assert_eq!(moves(&again), Vec::<String>::new());
        prop_assert_eq!(&after, &first);

        // Scaled while members still run what was ordered before, and a little more.
        let mut seen = Vec::new();
        let mut wanted = asked.clone();
        for ((at, one), (replicas, more, cluster)) in wanted.iter_mut().enumerate().zip(scaled) {
            one.replicas = replicas;
            let placed = first.get(&WorkloadKey::new("social", &format!("w{at}")));
            let clusters = placed.into_iter().flat_map(|placed| &placed.clusters);
            let mut runs: BTreeMap<_, _> = clusters.map(|one| (one.name.to_string(), one.replicas)).collect();
            if more > 0 && !one.stateful {
                *runs.entry(format!("c{cluster}")).or_default() += more;
            }
            seen.push(runs);
        }
        let text = workloads(&wanted, &seen);
        let (_, _, second) = step(&[("fleet", &fleet), ("w", &text), ("state", &state)], 3);
        let state = written(&second);
        let (again, _, after) = step(&[("fleet", &fleet), ("w", &text), ("state", &state)], 4);
        prop_assert_eq!(moves(&again), Vec::<String>::new());
        prop_assert_eq!(&after, &second);
    }
}

/// Four of the first workload still run although two are committed; five are wanted. What runs has its room already, so
/// three of another fit beside it, now and in the next plan.
#[test]
fn replicas_that_still_run_are_not_paid_for_twice() {
    let fleet = fleet(&[(1, 8), (1, 2), (1, 2)], 60);
    let one = |replicas| Asked {
        stateful: false,
        cpu: 1,
        rules: "{clusters: {names: [c0]}}",
        priority: 0,
        colocated: false,
        replicas,
    };
    let nothing = vec![BTreeMap::new()];
    let (_, _, first) = step(&[("fleet", &fleet), ("w", &workloads(&[one(2)], &nothing))], 1);
    let state = written(&first);
    let seen = [BTreeMap::from([("c0".to_owned(), 4)]), BTreeMap::new()];
    let text = workloads(&[one(5), one(3)], &seen);
    let (plan, _, second) = step(&[("fleet", &fleet), ("w", &text), ("state", &state)], 2);
    assert!(plan.decisions.iter().all(|decision| decision.status == Status::Placed), "{plan:#?}");
    let (again, _, after) = step(&[("fleet", &fleet), ("w", &text), ("state", &written(&second))], 3);
    assert_eq!((moves(&again), &after), (Vec::new(), &second));
}

/// A cluster that no placement names any more is full until what runs there is gone.
#[test]
fn what_still_runs_where_nothing_is_committed_takes_its_room() {
    let fleet = fleet(&[(1, 4), (1, 2), (1, 2)], 60);
    let one = |replicas| Asked {
        stateful: false,
        cpu: 1,
        rules: "{clusters: {names: [c0]}}",
        priority: 0,
        colocated: false,
        replicas,
    };
    let seen = [BTreeMap::from([("c0".to_owned(), 3)]), BTreeMap::new()];
    let text = workloads(&[one(0), one(2)], &seen);
    let (plan, _, _) = step(&[("fleet", &fleet), ("w", &text)], 1);
    let status: Vec<_> = plan.decisions.iter().map(|decision| decision.status).collect();
    assert_eq!(status, [Status::Placed, Status::Pending], "one cpu is left");
}

/// One cluster of two nodes with four cpu each.
fn small() -> String {
    fleet(&[(2, 4)], 6)
}

fn plain(replicas: u8) -> Asked {
    Asked { stateful: false, cpu: 1, rules: "{}", priority: 0, colocated: false, replicas }
}

/// The workload `old` with this many replicas of one cpu, and `new` with that many.
fn old_and_new(old: Option<u8>, new: Option<u8>) -> String {
    let one = |replicas: Option<u8>, name: &str| {
        let text = replicas.map(|replicas| workloads(&[plain(replicas)], &[BTreeMap::new()]));
        text.unwrap_or_default().replace("w0", name)
    };
    format!("{}{}", one(old, "old"), one(new, "new"))
}

fn statuses(plan: &Plan) -> Vec<(String, Status, Option<Code>)> {
    let told = |one: &Decision| (one.key.name.clone(), one.status, one.limits.first().map(|reason| reason.code));
    plan.decisions.iter().map(told).collect()
}

#[test]
fn the_quota_of_a_workload_that_is_not_there_any_more_stays_spent() {
    let (fleet, both) = (small(), old_and_new(Some(4), Some(3)));
    let (_, _, after) = step(&[("fleet", &fleet), ("old", &old_and_new(Some(4), None))], 1);
    let state = written(&after);
    assert!(state.contains("holds:"), "{state}");
    let (there, ..) = step(&[("fleet", &fleet), ("workloads", &both), ("state", &state)], 2);
    let (gone, before, kept) =
        step(&[("fleet", &fleet), ("workloads", &old_and_new(None, Some(3))), ("state", &state)], 2);
    let waits = ("new".to_owned(), Status::Pending, Some(Code::QuotaExceeded));
    assert_eq!(statuses(&gone), std::slice::from_ref(&waits), "nothing is decided about what is not there");
    assert!(statuses(&there).contains(&waits));
    assert_eq!(gone.quota, there.quota);
    assert!(gone.removed.is_empty() && before.iter().all(|placement| kept.get(placement.0) == Some(placement.1)));
    let (fits, ..) = step(&[("fleet", &fleet), ("workloads", &old_and_new(None, Some(2))), ("state", &state)], 2);
    assert_eq!(statuses(&fits), [("new".to_owned(), Status::Placed, None)]);
}

#[test]
fn the_room_of_a_workload_that_is_refused_stays_taken() {
    let wide = fleet(&[(2, 4)], 60);
    let (_, _, after) = step(&[("fleet", &wide), ("old", &old_and_new(Some(6), None))], 1);
    let state = written(&after);
    let broken = old_and_new(Some(6), None).replace("system: pension", "systm: pension");
    let room = |new: u8| {
        let texts =
            [("fleet", wide.as_str()), ("old", &broken), ("state", &state), ("new", &old_and_new(None, Some(new)))];
        let texts: Vec<_> = texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes())).collect();
        let read = load_texts(&texts, &Options::at(AS_OF.parse().unwrap())).unwrap();
        assert!(read.findings.iter().any(|finding| finding.reason.code == Code::FieldUnknown));
        let changes = Changes { all: true, ..Changes::default() };
        let input = PlanInput { fleet: read.converted.fleet, changes, as_of: AS_OF.parse().unwrap() };
        statuses(&decide::replay(input).unwrap().plan)
    };
    assert_eq!(room(3), [("new".to_owned(), Status::Pending, Some(Code::CapacityInsufficient))]);
    assert_eq!(room(2), [("new".to_owned(), Status::Placed, None)]);
}

#[test]
fn a_placement_without_its_workload_is_told_with_what_that_means() {
    let fleet = small();
    let (_, _, mut after) = step(&[("fleet", &fleet), ("old", &old_and_new(Some(4), None))], 1);
    let told = |state: &str, workloads: &str| {
        let read = read(&[("fleet", &fleet), ("state", state), ("workloads", workloads)]);
        let of_state = read.findings.iter().filter(|one| one.place.as_ref().is_some_and(|place| place.file == "state"));
        of_state.map(|one| one.reason.code).collect::<Vec<_>>()
    };
    assert_eq!(told(&written(&after), ""), [Code::PlacementReserved]);
    assert_eq!(told(&written(&after), &old_and_new(Some(4), None)), []);
    after.values_mut().for_each(|placement| placement.holds = None);
    assert_eq!(told(&written(&after), ""), [Code::PlacementUncounted]);
}
