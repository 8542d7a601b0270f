//! The stories of `examples/` are valid, complete and say what their READMEs promise.
//!
//! How their workloads are decided stands in `outcomes.rs`; here stands what must hold of the documents themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jiuzhou_engine::terms::Finding;
use jiuzhou_intake::documents::Document;
use jiuzhou_tests::{examples, load, stories};
use serde_json::Value;

/// The story whose `bad/` folder is wrong on purpose.
const GATE: &str = "09-gitops-gate";
/// The story inside the binary.
const DEMO: &str = "10-province";

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn line(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{}:{}: {}", place.file, place.line, place.text.trim()));
    format!("{} {}: {:?}", place.unwrap_or_default(), finding.pointer, finding.reason)
}

/// Documents of all stories, the bad half of the gate left out; told with every finding when there is one.
fn good() -> &'static BTreeMap<String, Vec<Document>> {
    static GOOD: LazyLock<BTreeMap<String, Vec<Document>>> = LazyLock::new(read_good);
    &GOOD
}

fn read_good() -> BTreeMap<String, Vec<Document>> {
    let mut good = BTreeMap::new();
    let mut wrong = Vec::new();
    for story in stories().unwrap() {
        let folder = if name(&story) == GATE { story.join("good") } else { story.clone() };
        let (documents, findings) = load(&folder).unwrap();
        wrong.extend(findings.iter().map(line));
        good.insert(name(&story), documents);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    good
}

#[test]
fn every_story_loads_without_a_finding() {
    for (story, documents) in good() {
        assert!(!documents.is_empty(), "{story} has no document");
    }
}

#[test]
fn every_kind_of_the_api_stands_in_a_story() {
    let used: BTreeSet<String> = good().values().flatten().map(|document| document.kind.clone()).collect();
    // Nobody writes a Delivery and no plan reads one: the operator makes it for members it does not reach.
    let told = |kind: &String| used.contains(kind) || kind == "Delivery";
    let missing: Vec<String> =
        jiuzhou_api::kinds().iter().map(|kind| kind.kind.clone()).filter(|kind| !told(kind)).collect();
    assert!(missing.is_empty(), "in no example: {missing:?}");
}

/// The first column of a built-in table.
fn first_column(table: &str) -> impl Iterator<Item = String> + '_ {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split('\t').next()).map(str::to_owned)
}

/// Region codes anywhere in an object, by the names of the fields that hold them.
fn regions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("region", Value::String(code)) => found.push(code.clone()),
                    ("regions", Value::Array(codes)) => {
                        found.extend(codes.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("manifest", _) => {}
                    _ => regions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| regions(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_region_code_exists() {
    let tables = [jiuzhou_data::PROVINCES, jiuzhou_data::PREFECTURES, jiuzhou_data::COUNTIES];
    let known: BTreeSet<String> = tables.iter().flat_map(|table| first_column(table.text)).collect();
    let mut seen = 0;
    for (story, documents) in good() {
        for document in documents {
            let mut found = Vec::new();
            regions(&document.value, &mut found);
            seen += found.len();
            let unknown: Vec<&String> = found.iter().filter(|code| !known.contains(*code)).collect();
            assert!(unknown.is_empty(), "{story} {}: {unknown:?}", document.object_ref());
        }
    }
    assert!(seen > 100, "only {seen} region codes were looked at");
}

/// What one object names and which kind must have it, in its own namespace for namespaced kinds.
fn references(document: &Document) -> Vec<(&'static str, String, String)> {
    let text = |pointer: &str| document.value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let own = document.namespace.clone();
    let mut named = Vec::new();
    let mut push = |kind, namespace: &str, pointer: &str| {
        named.extend(text(pointer).map(|name| (kind, namespace.to_owned(), name)));
    };
    match document.kind.as_str() {
        "MemberCluster" => push("Site", "", "/spec/site"),
        "Tenant" => {
            push("Tenant", "", "/spec/blockParent");
            push("Tenant", "", "/spec/lineParent");
        }
        "InformationSystem" => push("Tenant", "", "/spec/tenant"),
        "FleetWorkload" => push("InformationSystem", &own, "/spec/system"),
        "FleetPlacement" => push("FleetWorkload", &own, "/metadata/name"),
        _ => {}
    }
    named
}

#[test]
fn what_an_object_names_stands_in_the_same_story() {
    for (story, documents) in good() {
        let all: BTreeSet<(String, String, String)> =
            documents.iter().map(|d| (d.kind.clone(), d.namespace.clone(), d.name.clone())).collect();
        assert_eq!(all.len(), documents.len(), "{story}: two objects of one name");
        let owned: BTreeSet<&str> = documents
            .iter()
            .filter(|d| d.kind == "Tenant")
            .filter_map(|d| d.value.pointer("/spec/namespaces").and_then(Value::as_array))
            .flatten()
            .filter_map(|namespace| namespace.get("name").and_then(Value::as_str))
            .collect();
        for document in documents {
            for (kind, namespace, name) in references(document) {
                let wanted = (kind.to_owned(), namespace, name);
                assert!(all.contains(&wanted), "{story}: {} names {wanted:?}", document.object_ref());
            }
            if ["FleetWorkload", "InformationSystem", "PlacementPolicy"].contains(&document.kind.as_str()) {
                let namespace = document.namespace.as_str();
                assert!(owned.contains(namespace), "{story}: no tenant owns {namespace}");
            }
        }
    }
}

/// Lines `CODE Kind/name` under a heading of `expected.txt`.
fn expected(text: &str, heading: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn the_bad_half_of_the_gate_is_refused_for_exactly_the_reasons_listed() {
    let gate = examples().join(GATE);
    let text = fs::read_to_string(gate.join("expected.txt")).unwrap();
    let (_, findings) = load(&gate.join("bad")).unwrap();
    let mut seen: Vec<String> = findings
        .iter()
        .map(|finding| {
            let object = finding.subject.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {object}", finding.reason.code.as_str())
        })
        .collect();
    seen.sort();
    let wanted = expected(&text, "[schema]");
    assert!(!wanted.is_empty());
    assert_eq!(seen, wanted, "\n{}", findings.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_whole_validation_of_the_bad_half_adds_exactly_what_needs_more_than_one_object() {
    let gate = examples().join(GATE);
    let text = fs::read_to_string(gate.join("expected.txt")).unwrap();
    let as_of = "2026-11-23T15:59:59Z".parse().unwrap();
    let inputs = [gate.join("bad").to_string_lossy().into_owned()];
    let fleet = jiuzhou_intake::load(&inputs, &mut std::io::empty(), &jiuzhou_intake::Options::at(as_of)).unwrap();
    let told = |finding: &Finding| {
        let object = finding.subject.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{} {object}", finding.reason.code.as_str())
    };
    let mut seen: Vec<String> = fleet.findings.iter().map(told).collect();
    seen.sort();
    let mut wanted = expected(&text, "[schema]");
    wanted.extend(expected(&text, "[references]"));
    wanted.sort();
    assert_eq!(seen, wanted, "\n{}", fleet.findings.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_story_has_a_readme_in_both_languages_and_commands_on_files_that_exist() {
    for story in stories().unwrap() {
        let readme = fs::read_to_string(story.join("README.md")).unwrap();
        assert!(readme.contains("## 中文"), "{}: no Chinese section", name(&story));
        let commands = fs::read_to_string(story.join("commands.txt")).unwrap();
        let mut explained = false;
        let mut count = 0;
        for line in commands.lines().filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                explained = true;
                continue;
            }
            assert!(line.starts_with("jiuzhou "), "{}: {line}", name(&story));
            assert!(explained, "{}: no line says what to see: {line}", name(&story));
            for path in line.split_whitespace().filter(|word| word.starts_with("examples/")) {
                assert!(examples().join("..").join(path).exists(), "{}: {path} does not exist", name(&story));
            }
            explained = false;
            count += 1;
        }
        assert!(count > 0, "{}: no command", name(&story));
    }
}

fn size(path: &Path) -> u64 {
    if path.is_dir() {
        fs::read_dir(path).unwrap().map(|e| size(&e.unwrap().path())).sum()
    } else {
        path.metadata().unwrap().len()
    }
}

#[test]
fn the_demo_is_small_enough_to_stand_in_the_binary() {
    let bytes = size(&examples().join(DEMO));
    assert!(bytes < 400_000, "{bytes} bytes");
}

#[test]
fn the_big_stories_have_the_size_their_readmes_tell() {
    let good = good();
    let count = |story: &str, test: &dyn Fn(&Document) -> bool| good[story].iter().filter(|d| test(d)).count();
    let tenant = |level: &'static str| {
        move |d: &Document| {
            d.kind == "Tenant" && d.value["spec"]["level"] == level && d.value["spec"]["blockParent"].is_string()
        }
    };
    assert_eq!(count("05-xuzhou-city", &tenant("City")), 54, "departments of the city");
    assert_eq!(count("06-ganzi-prefecture", &tenant("City")), 34, "departments of the prefecture");
    let county = |d: &Document| d.kind == "Tenant" && d.name.ends_with("-county");
    assert_eq!(count("06-ganzi-prefecture", &county), 18, "counties");
    let kind = |kind: &'static str| move |d: &Document| d.kind == kind;
    assert!(count(DEMO, &kind("MemberCluster")) >= 10);
    assert!(count(DEMO, &kind("InformationSystem")) >= 35);
    assert!(count(DEMO, &kind("FleetWorkload")) >= 45);
}
