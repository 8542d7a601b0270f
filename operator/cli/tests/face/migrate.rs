//! `migrate` as a person meets it: the order of steps, what blocks, one by its name, formats, both languages.

use std::fs;

use serde_json::Value;

use crate::runner::{Folder, Ran, root};

const STORY: &str = "examples/11-migration";

fn run(folder: &Folder, action: &str, path: &str, more: &[&str]) -> Ran {
    folder.run(&[&["migrate", action, path, "--as-of", "2026-11-23"], more].concat())
}

fn section(json: &str, key: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(json).expect("one document");
    let sections = document["sections"].as_array().expect("sections");
    let section = sections.iter().find(|section| section["key"] == key).unwrap_or_else(|| panic!("{key} in {json}"));
    section["rows"].as_array().expect("rows").clone()
}

/// The story in a folder of its own, with a piece of one file replaced.
fn changed(folder: &Folder, file: &str, from: &str, to: &str) {
    let story = root().join(STORY);
    fs::create_dir(folder.path().join("mine")).expect("a folder");
    for entry in fs::read_dir(story).expect("the story") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("a name");
        if !name.ends_with(".yaml") {
            continue;
        }
        let mut text = fs::read_to_string(entry.path()).expect("a text");
        if name == file {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        fs::write(folder.path().join("mine").join(name), text).expect("a writable folder");
    }
}

#[test]
fn the_plan_has_every_step_in_order_and_says_what_the_first_wave_needs() {
    let folder = Folder::new();
    let told = run(&folder, "plan", STORY, &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    let at = |text: &str| told.out.find(text).unwrap_or_else(|| panic!("{text} in {}", told.out));
    assert!(at("dual run") < at("cut-over") && at("cut-over") < at("copy of data"), "{}", told.out);
    assert!(told.out.contains("load-test") && told.out.contains("functional-test"), "{}", told.out);
    let json = run(&folder, "plan", STORY, &["-o", "json"]).out;
    assert_eq!(
        section(&json, "migrationSteps").len(),
        11,
        "five of the portal, which has no data, and six of the archive"
    );
    let fits = section(&json, "migrationWorkloads");
    assert_eq!(fits.len(), 2);
    assert!(fits.iter().all(|row| row.to_string().contains("ok")), "{fits:?}");
    let zh = run(&folder, "plan", STORY, &["--lang", "zh"]);
    assert!(zh.out.starts_with("迁移任务") && zh.out.contains("双轨运行"), "{}", zh.out);
    for format in ["wide", "csv", "html", "markdown", "yaml", "junit", "sarif"] {
        let ran = run(&folder, "plan", STORY, &["-o", format]);
        assert_eq!(ran.code, 0, "{format}: {}", ran.err);
    }
}

#[test]
fn a_workload_that_could_not_run_there_says_why_and_a_broken_file_is_no_plan() {
    let folder = Folder::new();
    let arm = "    - {architecture: arm64, variant: v8, needs: {level: armv8.0, maxPageSizeKib: 64, execution: Native}, provenance: Inspected}\n";
    changed(&folder, "images.yaml", arm, "");
    let told = run(&folder, "plan", "mine", &[]);
    assert!(told.out.contains("no manifest for linux/arm64"), "{}{}", told.out, told.err);
    assert!(told.out.contains("0.0 % (0/2)"), "{}", told.out);
    let broken = Folder::new();
    changed(&broken, "migration.yaml", "to: [qujing-kunpeng]", "to: [qujing-x86]");
    let ran = run(&broken, "plan", "mine", &[]);
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(ran.out.contains("must be other clusters than from"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_status_is_what_is_written_and_a_name_that_is_not_there_is_told_with_the_nearest() {
    let folder = Folder::new();
    let none = run(&folder, "status", STORY, &[]);
    assert!(none.out.contains("waiting"), "{}", none.out);
    let written = "status:\n  waves:\n    - {name: portal, step: Trial, since: \"2026-11-22T00:00:00Z\", healthySince: \"2026-11-22T01:00:00Z\"}\nspec:";
    changed(&folder, "migration.yaml", "spec:", written);
    let told = run(&folder, "status", "mine", &["--name", "qujing-service/to-kunpeng"]);
    assert!(told.out.contains("dual run") && told.out.contains("2026-11-22"), "{}", told.out);
    let wrong = run(&folder, "status", STORY, &["--name", "to-kunpen"]);
    assert_eq!((wrong.code, wrong.err.contains("to-kunpeng")), (1, true), "{}", wrong.err);
    let wrong = run(&folder, "status", STORY, &["--name", "to-kunpen", "--lang", "zh"]);
    assert!(wrong.err.contains("找不到迁移任务"), "{}", wrong.err);
}
