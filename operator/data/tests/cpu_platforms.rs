//! The built-in CPU catalogue: every file parses, ids are unique, every fact has a source, no figure is made up.

// The one YAML door is the intake's; this room's own files are checked where they lie.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

fn catalogue() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cpu-platforms");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is shipped")
        .map(|file| file.expect("a readable folder").path())
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a readable file");
        let value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().expect("a file has a name").to_string_lossy().into_owned(), value)
    };
    files.iter().map(read).collect()
}

#[test]
fn every_entry_is_a_cpu_platform_named_as_its_file() {
    let mut ids = BTreeSet::new();
    for (file, platform) in catalogue() {
        assert_eq!(platform["apiVersion"], "jiuzhou.dev/v1alpha1", "{file}");
        assert_eq!(platform["kind"], "CpuPlatform", "{file}");
        assert_eq!(platform["metadata"]["name"], Value::from(file.as_str()));
        assert!(ids.insert(file));
    }
    for id in [
        "kunpeng-920",
        "kunpeng-920-v120",
        "kunpeng-950",
        "phytium-ft2000plus",
        "phytium-s2500",
        "phytium-ftc663",
        "phytium-ftc862",
        "phytium-s5000c",
        "hygon-7000",
        "hygon-c86",
        "zhaoxin-kh40000",
        "zhaoxin-kx6000",
        "loongson-3c5000",
        "loongson-3c6000",
        "loongson-generic",
        "sunway-sw64",
        "x86-64-v2",
        "x86-64-v3",
        "x86-64-v4",
        "armv8.0",
        "armv8.2",
        "armv9.0",
    ] {
        assert!(ids.contains(id), "{id} is missing");
    }
}

#[test]
fn facts_have_a_source_with_the_day_it_was_read_and_a_confidence() {
    for (file, platform) in catalogue() {
        let spec = &platform["spec"];
        let source = spec["source"].as_str().unwrap_or_default();
        assert!(source.starts_with("Read 2026-11-23. "), "{file}");
        assert!(source.chars().count() <= 1024, "{file}");
        assert!(["certain", "probable", "unverified"].iter().any(|word| source.contains(word)), "{file}");
        for (name, number) in spec["shape"].as_object().into_iter().flatten() {
            assert!(!number["source"].as_str().unwrap_or_default().is_empty(), "{file}: {name}");
            let note = number["note"].as_str().unwrap_or_default();
            let word = note.split([' ', ';']).next().unwrap_or_default();
            assert!(["certain", "probable", "unverified"].contains(&word), "{file}: {name}: {note}");
        }
        assert!(spec.get("performance").is_none(), "{file}: a figure nobody measured");
        assert!(spec["displayName"].as_str().is_some_and(|name| name.contains(" / ")), "{file}: two languages");
    }
}

#[test]
fn every_entry_can_be_recognised_and_never_has_what_it_lacks() {
    for (file, platform) in catalogue() {
        let spec = &platform["spec"];
        let rules = spec["detect"].as_array().unwrap_or_else(|| panic!("{file} has no rule"));
        assert!(rules.iter().all(|rule| rule["all"].as_array().is_some_and(|all| !all.is_empty())), "{file}");
        let names = |key: &str| -> BTreeSet<&str> {
            spec["isa"][key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        assert!(names("features").is_disjoint(&names("absent")), "{file}");
    }
}

#[test]
fn an_assessment_is_valid_for_three_years() {
    let mut count = 0;
    for (file, platform) in catalogue() {
        for entry in platform["spec"]["assurance"].as_array().into_iter().flatten() {
            count += 1;
            assert_eq!((&entry["date"], &entry["validUntil"]), (&"2025-03-14".into(), &"2028-03-13".into()), "{file}");
            assert!(entry["level"] == "I" || entry["level"] == "II", "{file}");
            assert!(!entry["notice"].as_str().unwrap_or_default().is_empty(), "{file}");
        }
    }
    assert_eq!(count, 6, "the notice of 2025 lists six server and desktop CPUs of this catalogue");
}
