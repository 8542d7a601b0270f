//! `test`, `whatif` and `consolidate` as a gate meets them: exit codes, lines, formats, both languages.

use std::fs;

use crate::runner::Folder;

const FLEET: &str = "examples/03-tiers-and-vault";
const AS_OF: [&str; 2] = ["--as-of", "2026-11-23"];

/// A test with one case about `base-registry/population-core`, which runs in the vault.
fn case(expect: &str, changes: &str) -> String {
    format!(
        "apiVersion: study.jiuzhou.dev/v1alpha1\nkind: PlacementTest\nmetadata: {{name: core-data}}\nspec:\n  cases:\n  \
         - name: 仅限数据金库\n    workload: base-registry/population-core\n    changes: {changes}\n    expect: {expect}\n"
    )
}

/// Runs `jiuzhou test` on the fleet and one file, without the fleet's own tests.
fn test(expect: &str, changes: &str, more: &[&str]) -> (i32, String, String) {
    let folder = Folder::new();
    fs::write(folder.path().join("case.yaml"), case(expect, changes)).expect("a writable folder");
    let args = [&["test", FLEET, "case.yaml", "--only", "core-data"], &AS_OF[..], more].concat();
    let ran = folder.run(&args);
    (ran.code, ran.out, ran.err)
}

#[test]
fn what_is_as_expected_passes_and_what_is_not_fails_with_its_line_whatever_the_format() {
    assert_eq!(test("{status: Placed, clusters: {vault: 4}}", "[]", &[]).0, 0);
    for format in ["text", "json", "junit", "github", "csv", "markdown"] {
        let (code, out, err) = test("{status: Placed, clusters: {gov-main: 4}}", "[]", &["-o", format]);
        assert_eq!(code, 3, "{format}: {out}{err}");
        assert!(out.contains("gov-main=4") && out.contains("vault=4"), "{format}: {out}");
    }
    let (_, out, _) = test("{status: Placed, clusters: {gov-main: 4}}", "[]", &["-o", "github", "--lang", "zh"]);
    assert!(out.starts_with("::error file=case.yaml,line=9,"), "{out}");
    assert!(out.contains("预期为 gov-main=4，实际为 vault=4"), "{out}");
}

#[test]
fn why_a_cluster_keeps_out_is_told_with_the_miss() {
    let (code, out, _) = test("{uses: [gov-main]}", "[]", &["-o", "junit"]);
    assert_eq!(code, 3);
    assert!(out.contains("tests=\"") && out.matches("<failure ").count() == 1, "{out}");
    assert!(out.contains("has tier s2") || out.contains("tier s2"), "{out}");
}

#[test]
fn names_that_do_not_exist_are_errors_of_the_file_with_what_was_meant() {
    let (code, _, err) = test("{refused: [{cluster: gov-main, rule: teir}]}", "[]", &["-o", "json=out.json"]);
    assert_eq!(code, 4, "{err}");
    let (code, out, _) = test("{refused: [{cluster: gov-main, code: TierToLow}]}", "[]", &[]);
    assert_eq!(code, 4);
    assert!(out.contains("TierTooLow"), "{out}");
    let (code, out, _) = test("{status: Placd}", "[]", &[]);
    assert_eq!((code, out.contains("ValueNotAllowed")), (4, true), "{out}");
}

#[test]
fn a_change_that_cannot_be_made_fails_its_case() {
    let (code, out, _) = test("{status: Placed}", "[{drain: vualt}]", &[]);
    assert_eq!(code, 3);
    assert!(out.contains("vualt"), "{out}");
    // A changed fleet with an error nobody expects is another fleet than the one meant.
    let broken = "[{patch: {kind: MemberCluster, name: gov-main, merge: {spec: {site: nowhere}}}}]";
    assert_eq!(test("{status: Placed}", broken, &[]).0, 3);
    assert_eq!(test("{status: Placed, findings: [{code: ReferenceUnknown}]}", broken, &[]).0, 0);
}

#[test]
fn a_gate_that_requires_tests_fails_where_there_are_none_or_some_policy_has_none() {
    let folder = Folder::new();
    let run = |more: &[&str]| {
        let args = [&["test", "examples/07-supplier-concentration"], &AS_OF[..], more].concat();
        folder.run(&args)
    };
    let ran = run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("TestsAbsent"), "a run without tests says so: {}", ran.out);
    let ran = run(&["--require-tests", "-o", "github"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("title=TestMissing") && ran.out.contains("policies.yaml,line="), "{}", ran.out);
}

fn whatif(more: &[&str]) -> (i32, String, String) {
    let ran = Folder::new().run(&[&["whatif", FLEET], &AS_OF[..], more].concat());
    (ran.code, ran.out, ran.err)
}

#[test]
fn a_scenario_ends_by_what_follows_from_it() {
    // The vault is the only place for core data.
    assert_eq!(whatif(&["--drain", "vault"]).0, 3);
    assert_eq!(whatif(&["--drain", "vault", "--fail-on", "never"]).0, 0);
    // Everything on the pending cluster fits elsewhere.
    assert_eq!(whatif(&["--lose", "gov-pending"]).0, 0);
    assert_eq!(whatif(&["--lose", "gov-pending", "--fail-on", "move"]).0, 3);
    let (code, out, err) = whatif(&["--drain", "vualt"]);
    assert_eq!(code, 4, "{err}");
    assert!(out.contains("vualt") && out.contains("vault"), "{out}");
}

#[test]
fn nothing_supposed_and_wrong_words_are_told_in_both_languages() {
    let (code, _, err) = whatif(&[]);
    assert_eq!((code, err.contains("failed to suppose anything")), (64, true), "{err}");
    let (code, _, err) = whatif(&["--replicas", "web", "--lang", "zh"]);
    assert_eq!((code, err.contains("应写作")), (64, true), "{err}");
    let (code, _, err) = whatif(&["--scenario", "nobody", "--lang", "zh"]);
    assert_eq!((code, err.contains("找不到 Scenario")), (1, true), "{err}");
}

#[test]
fn a_later_day_lets_run_out_what_runs_out_until_then() {
    let (code, out, _) = whatif(&["--on", "2027-12-31", "-o", "json"]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("\"supposedOn\""), "{out}");
}

#[test]
fn where_nothing_changes_nothing_follows() {
    let folder = Folder::new();
    for story in ["examples/05-xuzhou-city", "examples/06-ganzi-prefecture", "examples/10-province"] {
        let args = [
            &["whatif", story, "--on", "2026-11-23", "--fail-on", "move,violation,unplaced,error", "-o", "json"],
            &AS_OF[..],
        ];
        let ran = folder.run(&args.concat());
        assert_eq!(ran.code, 0, "{story}: {}{}", ran.out, ran.err);
        let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        assert!(json["headline"]["unchanged"].as_i64().is_some_and(|n| n > 20), "{story}: {}", json["headline"]);
        let rows = json["sections"].as_array().into_iter().flatten().filter_map(|one| one["rows"].as_array());
        let clusters = json["sections"].as_array().into_iter().flatten().find(|one| one["key"] == "clusters");
        let told = clusters.and_then(|one| one["rows"].as_array()).map_or(0, Vec::len);
        assert_eq!(rows.map(Vec::len).sum::<usize>(), told, "{story}: a row that is not one of a cluster");
    }
}

#[test]
fn scenarios_of_the_files_are_chosen_by_name() {
    let folder = Folder::new();
    let run = |more: &[&str]| folder.run(&[&["whatif", "examples/10-province"], &AS_OF[..], more].concat());
    let ran = run(&[]);
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("lose-dali-kunpeng") && ran.err.contains("reform"), "{}", ran.err);
    let ran = run(&["--scenario", "reform", "--fail-on", "never", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(json["subject"], "reform");
    let supposed = json["sections"].as_array().expect("sections").iter().find(|one| one["key"] == "supposed");
    assert_eq!(supposed.and_then(|one| one["rows"].as_array()).map(Vec::len), Some(5), "{supposed:?}");
}

#[test]
fn consolidation_tells_what_could_be_emptied_in_every_language_alike() {
    let folder = Folder::new();
    let run = |more: &[&str]| folder.run(&[&["consolidate", FLEET], &AS_OF[..], more].concat());
    let (en, zh) = (run(&["-o", "json"]), run(&["-o", "json", "--lang", "zh"]));
    assert_eq!((en.code, &en.out), (0, &zh.out));
    assert!(run(&["--lang", "zh"]).out.contains("可依次腾空的集群"));
    let ran = run(&["--cluster", "vualt"]);
    assert_eq!((ran.code, ran.err.contains("vault")), (1, true), "{}", ran.err);
}

/// The number of a figure of the headline of `report readiness` as JSON.
fn headline(json: &str, key: &str) -> serde_json::Value {
    let document: serde_json::Value = serde_json::from_str(json).expect("one document");
    document["headline"][key].clone()
}

#[test]
fn readiness_asks_family_by_family_and_says_the_one_change() {
    let folder = Folder::new();
    let asked = |more: &[&str]| {
        let args = [&["report", "readiness", "examples/06-ganzi-prefecture"], &AS_OF[..], more].concat();
        folder.run(&args)
    };
    let told = asked(&[]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("Kunpeng") && told.out.contains("Hygon"), "{}", told.out);
    assert!(told.out.contains("The cluster is in region 510100; allowed is 5133."), "{}", told.out);
    // A system that could run on one family and is one change away from another is in both columns.
    let line = told.out.lines().find(|line| line.contains("康定市政务服务门户")).expect("a row");
    assert!(line.contains("Kunpeng") && line.contains("Hygon"), "{line}");
    let zh = asked(&["--lang", "zh"]);
    assert!(zh.out.starts_with("信创迁移就绪度"), "{}", zh.out);
    let json = asked(&["-o", "json"]);
    assert_ne!(headline(&json.out, "systemsReady"), serde_json::Value::Null, "{}", json.out);
    for format in ["wide", "csv", "html", "markdown", "yaml"] {
        let ran = asked(&["-o", format]);
        assert!(ran.code == 0 && ran.out.contains("康定市政务服务门户"), "{format}: {}", ran.err);
    }
}

#[test]
fn readiness_of_nothing_or_of_broken_files_says_so() {
    let folder = Folder::new();
    let none = folder.run(&["report", "readiness", "crds", "--as-of", "2026-11-23"]);
    assert!(none.out.contains("n/a"), "{}{}", none.out, none.err);
    let missing = folder.run(&["report", "readiness", "no-such-folder", "--as-of", "2026-11-23"]);
    assert_eq!(missing.code, 4, "{}", missing.out);
    let named = folder.run(&["report", "readiness", "examples/10-province", "--for", "adoption-2026"]);
    assert_ne!(named.code, 0);
}

/// Runs `jiuzhou simulate` on the fleet and one Simulation.
fn simulate(spec: &str, more: &[&str]) -> (i32, String, String) {
    let folder = Folder::new();
    let text =
        format!("apiVersion: study.jiuzhou.dev/v1alpha1\nkind: Simulation\nmetadata: {{name: days}}\nspec: {spec}\n");
    fs::write(folder.path().join("days.yaml"), text).expect("a writable folder");
    let ran = folder.run(&[&["simulate", FLEET, "days.yaml", "--days", "2"], &AS_OF[..], more].concat());
    (ran.code, ran.out, ran.err)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_a_failure_is_told_where_it_happened() {
    let works =
        "{failures: [{name: works, clusters: [vault], windows: [{from: \"2026-11-24T08:00:00+08:00\", minutes: 60}]}]}";
    let (code, out, err) = simulate(works, &["-o", "json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(simulate(works, &["-o", "json"]).1, out);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let section = |key: &str| {
        let sections = json["sections"].as_array().expect("sections");
        sections.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("no {key}: {out}")).clone()
    };
    let rows = section("byCluster")["rows"].as_array().expect("rows").clone();
    let vault = rows.iter().find(|row| row["cluster"] == "vault").expect("a row");
    assert_eq!((&vault["failures"], &vault["minutes"]), (&1.into(), &60.into()), "{vault}");
    assert_eq!(section("serviceByDay")["rows"].as_array().map(Vec::len), Some(2));
    // Every day of a fleet without failures is whole.
    let (_, quiet, _) = simulate("{failures: []}", &["-o", "json"]);
    let quiet: serde_json::Value = serde_json::from_str(&quiet).expect("JSON");
    assert_ne!(quiet["headline"], json["headline"]);
}

#[test]
fn names_that_a_simulation_gives_must_be_there() {
    for (spec, near) in [
        ("{failures: [{name: a, clusters: [vualt], everyHours: 9, meanMinutes: 9}]}", "vault"),
        ("{curves: [{name: a, tenants: [yn-dat]}]}", "yn-data"),
        ("{curves: [{name: a, workloads: [open-data/open-dat]}]}", "open-data/open-data"),
        ("{arrivals: [{name: a, template: open-data/opn-data, everyMinutes: 9}]}", "open-data/open-data"),
        ("{changes: [{from: \"2026-11-24\", make: [{drain: vualt}]}]}", "vault"),
    ] {
        let (code, out, _) = simulate(spec, &[]);
        assert_eq!(code, 4, "{spec}: {out}");
        assert!(out.contains("ReferenceUnknown") && out.contains(near), "{spec}: {out}");
    }
    let (code, out, _) =
        simulate("{failures: [{name: a, windows: [{from: \"2027-01-01T00:00:00Z\", minutes: 1}]}]}", &[]);
    assert_eq!((code, out.contains("FormatInvalid")), (4, true), "{out}");
    let (code, _, err) = simulate("{}", &["--simulation", "dayz", "--lang", "zh"]);
    assert_eq!((code, err.contains("找不到 Simulation")), (1, true), "{err}");
}

#[test]
fn a_simulation_is_told_in_every_format_and_drawn_over_time() {
    for format in ["wide", "yaml", "markdown", "csv", "junit", "sarif", "gitlab", "github", "html"] {
        let (code, out, err) = simulate("{}", &["-o", format]);
        assert_eq!(code, 0, "{format}: {err}");
        assert_eq!(out.contains("class=\"line\""), format == "html", "{format}");
    }
}
