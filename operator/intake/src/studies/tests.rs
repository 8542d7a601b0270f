//! Supposed changes against a small fleet: what they do to what the engine is told, and where findings lead.

use jiuzhou_engine::decide::Cause;
use jiuzhou_engine::decide::input::{ClusterState, Figure, Reachability};
use jiuzhou_engine::terms::{Code, Finding};

use super::*;
use crate::documents::read_bytes;
use crate::load::Fleet;
use crate::yaml::Limits;
use crate::{Options, load_texts};

const FLEET: &str = r#"
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: {name: room}
spec: {displayName: 机房, region: "530100", provider: cloud, pue: [{fromMonth: "2026-01", untilMonth: "2026-12", kind: Measured, perMille: 1300}]}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: {name: main}
spec:
  site: room
  form: Private
  ownership: Government
  dedicatedTo: [health]
  connection: {pull: {}}
  peers: [{name: bank, ticket: T-1}, {name: police, ticket: T-2}]
  evidence:
    - {id: e-1, dimension: Data, claim: backups, value: "CN", issuer: 甲, validFrom: "2026-01-01", validUntil: "2027-12-31",
       recordedOn: "2026-01-02", enteredBy: 李, verifiedBy: 周, verifiedOn: "2026-01-03", state: Verified}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: health}
spec: {displayName: 卫健委, level: City, region: "530100", namespaces: [{name: health}], quota: [{name: q, document: {number: 一}, from: "2026-01-01", hard: {cpu: "8"}}]}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: civil}
spec: {displayName: 民政局, level: City, region: "530100", namespaces: [{name: civil}], quota: [{name: q, document: {number: 二}, from: "2026-01-01", hard: {cpu: "4"}}]}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {name: web, namespace: health}
spec:
  system: none
  objects:
    - name: app
      manifest:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: health}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: c, image: "r.example/web@sha256:9513f3c7598cc39eda840f1a10e857c6d8a8794ad7125275828ea8c2fc4a6cc9", resources: {requests: {cpu: 1}}}]}
"#;

fn options() -> Options {
    Options::at("2026-11-23T15:59:59Z".parse().unwrap())
}

fn input(text: &str) -> Input {
    let (documents, findings) = read_bytes("fleet.yaml", text.as_bytes(), &Limits::default());
    Input { documents, findings }
}

/// The fleet with some changes, written as the list of a scenario; findings of the changes themselves come first.
fn supposing(changes: &str) -> (Fleet, Supposed, Vec<Finding>) {
    let indented = changes.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "apiVersion: study.jiuzhou.dev/v1alpha1\nkind: Scenario\nmetadata: {{name: s}}\nspec:\n  changes:\n{indented}"
    );
    let studies = load_texts(&[("scenario.yaml".to_owned(), text.as_bytes())], &options()).unwrap();
    assert_eq!(studies.findings, [], "{text}");
    let item = studies.studies.scenarios.values().next().unwrap();
    let placed = placed(&item.object.spec.changes, &item.document, "/spec/changes");
    let mut wrong = Vec::new();
    let (input, supposed) = input(FLEET).supposing(&placed, options().as_of, &mut wrong);
    (input.build(&options()).unwrap(), supposed, wrong)
}

fn cluster(fleet: &Fleet) -> &jiuzhou_engine::decide::input::ClusterInput {
    &fleet.converted.fleet.clusters[0]
}

#[test]
fn verbs_about_a_cluster_change_what_the_engine_is_told_of_it() {
    let (fleet, _, wrong) = supposing("- drain: main\n- unreachable: main");
    assert_eq!(wrong, []);
    assert_eq!(
        (cluster(&fleet).state, cluster(&fleet).reachability),
        (ClusterState::Draining, Reachability::Unreachable)
    );
    let (fleet, ..) = supposing("- close: {cluster: main, peer: bank}");
    assert_eq!(cluster(&fleet).peers.keys().collect::<Vec<_>>(), ["police"]);
    let (fleet, ..) = supposing("- close: {}");
    assert!(cluster(&fleet).peers.is_empty());
    let (fleet, ..) = supposing("- expire: {cluster: main, evidence: e-1}");
    assert!(!cluster(&fleet).evidence[0].term.holds(options().as_of), "{:?}", cluster(&fleet).evidence);
    let (fleet, ..) = supposing("- gridFactor: {milligramsPerKwh: 100000}");
    let carbon = Figure::Named("carbonMilligramsPerKwh".to_owned());
    assert_eq!(cluster(&fleet).figures.get(&carbon), Some(&130_000));
}

#[test]
fn a_lost_cluster_takes_its_replicas_along_and_they_fail_over() {
    let (fleet, supposed, _) = supposing("- lose: main");
    let mut specs = fleet.converted.fleet.specs.clone();
    specs[0].current = vec![jiuzhou_engine::decide::Current { cluster: "main".to_owned(), placed: 2, observed: 2 }];
    supposed.tell(&mut specs);
    assert_eq!((specs[0].current.len(), specs[0].requirement.cause), (0, Cause::Failover));
    assert_eq!(cluster(&fleet).reachability, Reachability::Unreachable);
    // Who had nothing there changes nothing.
    let mut specs = fleet.converted.fleet.specs.clone();
    supposed.tell(&mut specs);
    assert_eq!(specs[0].requirement.cause, Cause::Change);
}

#[test]
fn emergency_mode_is_the_cause_of_those_it_names_only() {
    for (changes, cause) in [
        ("- emergency: {}", Cause::Emergency),
        ("- emergency: {tenants: [health]}", Cause::Emergency),
        ("- emergency: {workloads: [health/web]}", Cause::Emergency),
        ("- emergency: {tenants: [civil]}", Cause::Change),
    ] {
        let (fleet, supposed, wrong) = supposing(changes);
        assert_eq!(wrong, [], "{changes}");
        let mut specs = fleet.converted.fleet.specs.clone();
        supposed.tell(&mut specs);
        assert_eq!(specs[0].requirement.cause, cause, "{changes}");
    }
}

#[test]
fn a_finding_about_a_patched_field_leads_to_the_patch_and_about_any_other_to_the_file() {
    let (fleet, _, wrong) = supposing("- patch: {kind: MemberCluster, name: main, merge: {spec: {site: nowhere}}}");
    assert_eq!(wrong, []);
    let finding = fleet
        .findings
        .iter()
        .find(|one| one.reason.code == Code::ReferenceUnknown && one.pointer == "/spec/site")
        .unwrap();
    let place = finding.place.clone().unwrap();
    assert_eq!((place.file.as_str(), place.line), ("scenario.yaml", 6));
    let system = fleet.findings.iter().find(|one| one.pointer == "/spec/system").unwrap();
    assert_eq!(system.place.as_ref().unwrap().file, "fleet.yaml");
}

#[test]
fn null_takes_a_field_away_and_a_built_in_object_can_be_changed() {
    let (fleet, ..) =
        supposing("- patch: {kind: MemberCluster, name: main, merge: {spec: {peers: null, dedicatedTo: null}}}");
    assert!(cluster(&fleet).peers.is_empty() && cluster(&fleet).dedicated_to.is_empty());
    let strict = |fleet: &Fleet| fleet.converted.fleet.tiers.iter().find(|tier| tier.name == "s1").unwrap().strict;
    let before = strict(&supposing("- drain: main").0);
    let changes = format!("- patch: {{kind: SovereigntyTier, name: s1, merge: {{spec: {{strict: {}}}}}}}", !before);
    assert_eq!(strict(&supposing(&changes).0), !before);
}

#[test]
fn put_and_remove_are_objects_of_the_fleet_like_any_other() {
    let put = "- put: {apiVersion: jiuzhou.dev/v1alpha1, kind: Tenant, metadata: {name: new}, spec: {displayName: 新区, level: City, region: \"899999\"}}";
    let (fleet, _, wrong) = supposing(put);
    assert_eq!(wrong, []);
    assert_eq!(fleet.converted.fleet.tenants.len(), 3);
    let finding = fleet.findings.iter().find(|one| one.reason.code == Code::RegionUnknown);
    assert_eq!(finding.and_then(|one| one.place.as_ref()).map(|place| place.file.as_str()), Some("scenario.yaml"));
    let (fleet, ..) = supposing("- remove: {kind: FleetWorkload, namespace: health, name: web}");
    assert!(fleet.converted.fleet.specs.is_empty());
}

#[test]
fn replicas_are_those_of_the_change() {
    let (fleet, ..) = supposing("- replicas: {workload: health/web, replicas: 7}");
    assert_eq!(fleet.converted.fleet.specs[0].replicas, 7);
}

#[test]
fn a_merger_moves_namespaces_quota_and_dedicated_clusters() {
    let (fleet, _, wrong) = supposing("- merge: {from: health, into: civil}");
    assert_eq!(wrong, []);
    let input = &fleet.converted.fleet;
    assert_eq!(input.tenants.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["civil"]);
    assert_eq!(input.tenants[0].grants.as_ref().unwrap().len(), 2);
    assert_eq!(input.specs[0].requirement.tenant, "civil");
    assert!(cluster(&fleet).dedicated_to.contains("civil"));
}

#[test]
fn what_a_change_names_must_be_there() {
    for (changes, near) in [
        ("- drain: mian", "main"),
        ("- replicas: {workload: health/wbe, replicas: 1}", "web"),
        ("- expire: {cluster: main, evidence: e-9}", "e-1"),
        ("- close: {cluster: main, peer: nobody}", "police"),
        ("- merge: {from: helth, into: civil}", "health"),
        ("- remove: {kind: Site, name: attic}", "room"),
        ("- emergency: {tenants: [nobody]}", "health"),
    ] {
        let (_, _, wrong) = supposing(changes);
        assert_eq!(wrong.len(), 1, "{changes}: {wrong:?}");
        assert_eq!(wrong[0].reason.code, Code::ReferenceUnknown, "{changes}");
        assert_eq!(wrong[0].place.as_ref().unwrap().line, 6, "{changes}");
        let wanted = format!("{:?}", wrong[0].reason.wanted);
        assert!(wanted.contains(near), "{changes}: {wanted}");
    }
}

#[test]
fn a_change_has_exactly_one_verb() {
    for (change, faults) in [("{drain: a, lose: b}", 1), ("{}", 1), ("{drain: a}", 0), ("{drian: a}", 2)] {
        let text = format!(
            "apiVersion: study.jiuzhou.dev/v1alpha1\nkind: Scenario\nmetadata: {{name: s}}\nspec: {{changes: [{change}]}}\n"
        );
        let fleet = load_texts(&[("s.yaml".to_owned(), text.as_bytes())], &options()).unwrap();
        assert_eq!(fleet.findings.len(), faults, "{change}: {:?}", fleet.findings);
    }
}

#[test]
fn files_for_studies_are_no_objects_of_the_fleet() {
    let text = format!(
        "{FLEET}---\napiVersion: study.jiuzhou.dev/v1alpha1\nkind: PlacementTest\nmetadata: {{name: t}}\nspec:\n  cases:\n  - name: 没有预期\n    expect: {{}}\n"
    );
    let fleet = input(&text).build(&options()).unwrap();
    assert!(fleet.objects.natives.is_empty());
    let own: Vec<_> =
        fleet.findings.iter().filter(|one| one.subject.as_ref().is_some_and(|on| on.kind == "PlacementTest")).collect();
    assert_eq!(
        own.iter().map(|one| (one.reason.code, one.pointer.as_str())).collect::<Vec<_>>(),
        [(Code::RuleBroken, "/spec/cases/0/expect")]
    );
}

#[test]
fn changes_to_files_that_are_not_as_their_schema_says_are_findings_and_no_panic() {
    let broken = FLEET.replace("namespaces: [{name: health}], quota: [{name: q, document: {number: 一}, from: \"2026-01-01\", hard: {cpu: \"8\"}}]", "namespaces: [1], quota: [a, 2]");
    let broken = broken.replace(
        "quota: [{name: q, document: {number: 二}, from: \"2026-01-01\", hard: {cpu: \"4\"}}]",
        "quota: [b, {}]",
    );
    let broken = broken.replace("peers: [{name: bank, ticket: T-1}, {name: police, ticket: T-2}]", "peers: bank");
    let document =
        Document::of_object(serde_json::json!({ "apiVersion": "a/v1", "kind": "K", "metadata": { "name": "n" } }));
    let document = document.unwrap();
    for change in [
        serde_json::json!({ "merge": { "from": "health", "into": "civil" } }),
        serde_json::json!({ "expire": { "cluster": "main" } }),
        serde_json::json!({ "close": {} }),
        serde_json::json!({ "drain": "main" }),
        serde_json::json!({ "put": { "kind": "Tenant" } }),
        serde_json::json!({ "patch": { "kind": "Tenant", "name": "health", "merge": { "spec": 1 } } }),
    ] {
        let changes: Vec<Change> = vec![serde_json::from_value(change.clone()).unwrap()];
        let mut wrong = Vec::new();
        let (input, _) = input(&broken).supposing(&placed(&changes, &document, ""), options().as_of, &mut wrong);
        assert!(!input.build(&options()).unwrap().findings.is_empty(), "{change}");
    }
}

/// Days from 1 December 2026 on, with changes written as the list of a simulation.
fn days(changes: &str, many: u32) -> Days {
    let indented = changes.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "apiVersion: study.jiuzhou.dev/v1alpha1\nkind: Simulation\nmetadata: {{name: s}}\nspec:\n  changes:\n{indented}"
    );
    let studies = load_texts(&[("days.yaml".to_owned(), text.as_bytes())], &options()).unwrap();
    assert_eq!(studies.findings, [], "{text}");
    let item = studies.studies.simulations.values().next().unwrap();
    let start = "2026-11-30T16:00:00Z".parse().unwrap();
    input(FLEET).days(start, many, &item.object.spec.changes, Some(&item.document), &options()).unwrap()
}

#[test]
fn a_dated_change_holds_from_its_day_on_and_days_between_share_what_they_have() {
    let told = days(
        "- {from: \"2026-12-02\", make: [{drain: main}]}\n- {from: \"2026-12-04\", make: [{replicas: {workload: health/web, replicas: 5}}]}",
        5,
    );
    assert_eq!(told.findings, []);
    let draining: Vec<bool> =
        told.mornings.iter().map(|one| one.fleet.clusters[0].state == ClusterState::Draining).collect();
    assert_eq!(draining, [false, true, true, true, true]);
    let replicas: Vec<Option<i64>> =
        told.mornings.iter().map(|one| one.specs.as_ref().map(|specs| specs[0].replicas)).collect();
    assert_eq!(replicas, [Some(2), Some(2), None, Some(5), None]);
    assert!(told.mornings.iter().all(|one| one.fleet.specs.is_empty() && one.traits.len() == 1));
}

#[test]
fn what_depends_on_the_date_is_asked_anew_each_morning() {
    let until = FLEET.replace("{name: bank, ticket: T-1}", "{name: bank, ticket: T-1, validUntil: \"2026-12-02\"}");
    let until = until.replace("2027-12-31", "2026-12-02");
    let start = "2026-11-30T16:00:00Z".parse().unwrap();
    let told = input(&until).days(start, 4, &[], None, &options()).unwrap();
    let peers: Vec<usize> = told.mornings.iter().map(|one| one.fleet.clusters[0].peers.len()).collect();
    assert_eq!(peers, [2, 2, 1, 1]);
    assert_eq!(told.expiring.len(), 1, "{:?}", told.expiring);
    assert_eq!(told.expiring[0].last_day().to_string(), "2026-12-02");
}

#[test]
fn a_lost_cluster_is_lost_from_its_day_on_and_emergency_mode_begins() {
    let told = days("- {from: \"2026-12-02\", make: [{lose: main}, {emergency: {}}]}", 3);
    let lost: Vec<usize> = told.mornings.iter().map(|one| one.lost.len()).collect();
    assert_eq!(lost, [0, 1, 1]);
    let cause = |morning: &Morning| morning.specs.as_ref().map(|specs| specs[0].requirement.cause);
    assert_eq!((cause(&told.mornings[0]), cause(&told.mornings[1])), (Some(Cause::Change), Some(Cause::Emergency)));
}

#[test]
fn a_change_outside_of_the_days_or_of_what_is_there_is_told_at_its_line() {
    let told =
        days("- {from: \"2026-12-09\", make: [{drain: main}]}\n- {from: \"2026-12-01\", make: [{drain: mian}]}", 2);
    let codes: Vec<_> = told.findings.iter().map(|one| (one.reason.code, one.place.as_ref().unwrap().line)).collect();
    assert_eq!(codes, [(Code::FormatInvalid, 6), (Code::ReferenceUnknown, 7)]);
}

#[test]
fn rules_of_a_simulation_are_those_of_its_schema() {
    for (spec, faults) in [
        ("{failover: {policy: Never}}", 0),
        ("{failover: {policy: Never, minutes: 3}}", 1),
        ("{failover: {policy: AfterMinutes}}", 1),
        ("{failures: [{name: a, everyHours: 9, meanMinutes: 9}]}", 0),
        ("{failures: [{name: a, everyHours: 9}]}", 1),
        (
            "{failures: [{name: a, everyHours: 9, meanMinutes: 9, windows: [{from: \"2026-12-01T00:00:00Z\", minutes: 1}]}]}",
            1,
        ),
        ("{failures: [{name: a}]}", 1),
        ("{arrivals: [{name: a, template: n/w, everyMinutes: 1, stayMinutes: 1, meanStayMinutes: 1}]}", 1),
        ("{curves: [{name: a, percentByHour: [1, 2]}]}", 1),
        ("{days: 0}", 1),
        ("{}", 0),
    ] {
        let text =
            format!("apiVersion: study.jiuzhou.dev/v1alpha1\nkind: Simulation\nmetadata: {{name: s}}\nspec: {spec}\n");
        let fleet = load_texts(&[("s.yaml".to_owned(), text.as_bytes())], &options()).unwrap();
        assert_eq!(fleet.findings.len(), faults, "{spec}: {:?}", fleet.findings);
    }
}
