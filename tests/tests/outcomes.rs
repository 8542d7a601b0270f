//! How the workloads of each story are decided: the counts and the reasons that its README and commands.txt promise.
//!
//! What is checked is the decision, not its wording: sentences and tables are tested where they are made.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiuzhou_engine::decide::{self, Changes, Decision, Explanation, Plan, PlanInput, Snapshot, Status, WorkloadKey};
use jiuzhou_engine::terms::{Code, Value};
use jiuzhou_intake::{Fleet, Options};
use jiuzhou_tests::examples;

/// The end of 23 November 2026 in Beijing, which the commands of the stories name.
const AS_OF: &str = "2026-11-23T15:59:59Z";

fn load(folders: &[&str], as_of: &str) -> Fleet {
    let inputs: Vec<String> =
        folders.iter().map(|folder| examples().join(folder).to_string_lossy().into_owned()).collect();
    jiuzhou_intake::load(&inputs, &mut std::io::empty(), &Options::at(as_of.parse().unwrap())).unwrap()
}

fn changes() -> Changes {
    Changes { all: true, ..Changes::default() }
}

fn plan(folders: &[&str], as_of: &str) -> Plan {
    let fleet = load(folders, as_of).converted.fleet;
    decide::replay(PlanInput { fleet, changes: changes(), as_of: as_of.parse().unwrap() }).unwrap().plan
}

fn of<'a>(plan: &'a Plan, name: &str) -> &'a Decision {
    plan.decisions.iter().find(|decision| decision.key.name == name).unwrap()
}

fn explain(folder: &str, namespace: &str, name: &str) -> Explanation {
    let snapshot = Snapshot::new(load(&[folder], AS_OF).converted.fleet).unwrap();
    let key = WorkloadKey::new(namespace, name);
    decide::explain(&snapshot, &changes(), &key, AS_OF.parse().unwrap()).unwrap().unwrap()
}

fn targets(decision: &Decision) -> Vec<(&str, i64)> {
    decision.targets.iter().map(|target| (&*target.cluster, target.replicas)).collect()
}

fn codes(decision: &Decision) -> Vec<Code> {
    decision.limits.iter().map(|reason| reason.code).collect()
}

#[test]
fn every_story_places_as_many_as_it_says() {
    // Story, placed, pending, refused.
    let stories = [
        ("01-first-tenant", 1, 0, 0),
        ("02-mixed-cpus/fleet", 6, 0, 0),
        ("03-tiers-and-vault", 5, 0, 1),
        ("04-dali-two-zones", 3, 0, 2),
        ("05-xuzhou-city", 32, 0, 0),
        ("06-ganzi-prefecture", 28, 1, 0),
        ("07-supplier-concentration", 2, 1, 0),
        ("10-province", 43, 4, 4),
        ("11-migration", 2, 0, 0),
    ];
    for (story, placed, pending, refused) in stories {
        let plan = plan(&[story], AS_OF);
        let count = |status| plan.decisions.iter().filter(|decision| decision.status == status).count();
        let seen = (count(Status::Placed), count(Status::Pending), count(Status::Refused), count(Status::NotProven));
        assert_eq!(seen, (placed, pending, refused, 0), "{story}");
    }
}

#[test]
fn enrolment_fills_the_city_and_overflows_into_the_public_cloud() {
    let plan = plan(&["05-xuzhou-city"], AS_OF);
    assert_eq!(targets(of(&plan, "education-1")), [("telecom-burst", 6), ("xz-kunpeng", 18)]);
}

#[test]
fn the_payer_of_a_county_binds_its_portal_and_the_line_pays_where_it_says_so() {
    let plan = plan(&["06-ganzi-prefecture"], AS_OF);
    let portal = of(&plan, "shiqu-portal");
    assert_eq!((portal.status, codes(portal)), (Status::Pending, vec![Code::QuotaExceeded]));
    assert_eq!(portal.limits[0].object, Value::Text("shiqu-county cpu".to_owned()));
    let used = |tenant: &str| {
        plan.quota.iter().find(|line| line.tenant == tenant && line.resource == "cpu").map(|line| line.after)
    };
    assert_eq!((used("gz-medical-insurance"), used("xinlong-county")), (Some(2000), Some(0)));
}

#[test]
fn a_share_that_adds_up_to_too_little_is_no_matter_of_one_cluster() {
    let told = explain("07-supplier-concentration", "yn-emergency", "video-index");
    assert_eq!((told.decision.status, told.decision.shortfall), (Status::Pending, 5));
    let named: Vec<&str> = told.one_change.iter().map(|(cluster, _)| &**cluster).collect();
    assert_eq!(named, [""], "a larger share would do, one more brand would not");
    assert_eq!(told.clusters.iter().filter(|cluster| cluster.changes.len() == 1).count(), 2, "two brands for x86");
}

#[test]
fn evidence_that_runs_out_keeps_what_runs_and_takes_nothing_new() {
    let folders = ["08-evidence-runs-out/fleet", "08-evidence-runs-out/state"];
    for day in ["2026-11-23T15:59:59Z", "2026-12-15T15:59:59Z"] {
        let plan = plan(&folders, day);
        let runs = of(&plan, "social-insurance");
        assert_eq!((runs.moves.len(), runs.violations.len()), (0, 0), "{day}");
    }
    let plan = plan(&folders, "2027-01-15T15:59:59Z");
    let runs = of(&plan, "social-insurance");
    assert_eq!((targets(runs), runs.moves.len()), (vec![("city-a", 4), ("city-b", 4)], 0));
    assert!(runs.violations.iter().all(|violation| violation.cluster == "city-a"));
    assert!(!runs.violations.is_empty());
    assert!(of(&plan, "pension-check").targets.iter().all(|target| target.cluster == "city-b"));
}

#[test]
fn the_province_refuses_and_waits_for_the_reasons_of_its_table() {
    let plan = plan(&["10-province"], AS_OF);
    let mut unplaced: Vec<_> = plan.decisions.iter().filter(|decision| decision.status != Status::Placed).collect();
    unplaced.sort_by_key(|decision| &decision.key.name);
    let told: Vec<_> = unplaced.iter().map(|decision| (&*decision.key.name, decision.status)).collect();
    assert_eq!(
        told,
        [
            ("budget-pay", Status::Refused),
            ("hr-archive", Status::Refused),
            ("mall-web", Status::Pending),
            ("plate-reader", Status::Refused),
            ("population-index", Status::Pending),
            ("qj-portal-web", Status::Pending),
            ("sunway-verify", Status::Refused),
            ("training-web", Status::Pending),
        ]
    );
    assert_eq!(codes(of(&plan, "qj-portal-web")), [Code::FreezeActive]);
    assert_eq!(codes(of(&plan, "training-web")), [Code::QuotaExceeded]);
    let violating: Vec<_> =
        plan.decisions.iter().filter(|d| !d.violations.is_empty()).map(|d| d.key.name.as_str()).collect();
    assert_eq!(violating, ["insurance-query"]);
    let reader = explain("10-province", "rl-border", "plate-reader");
    let (cluster, change) = &reader.one_change[0];
    assert_eq!((&**cluster, change.reasons[0].code), ("ruili-edge", Code::IsaFeatureMissing));
}
