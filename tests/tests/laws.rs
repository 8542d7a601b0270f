//! `docs/laws.md` names tests that exist, and at least one for each law of the architecture.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Law number -> (file, function) of each line "- `file` `function`".
fn named() -> BTreeMap<u32, Vec<(String, String)>> {
    let text = std::fs::read_to_string(root().join("docs/laws.md")).unwrap();
    let mut laws: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    let mut law = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            law = heading.split('.').next().and_then(|number| number.parse().ok());
        } else if let (Some(law), true) = (law, line.starts_with("- `")) {
            let mut quoted = line.split('`').skip(1).step_by(2).map(str::to_owned);
            let (file, test) = (quoted.next().unwrap(), quoted.next().unwrap());
            laws.entry(law).or_default().push((file, test));
        }
    }
    laws
}

/// Whether the file holds that function with a test attribute above it, or inside `proptest!`.
fn holds(source: &str, test: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declared = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(test)).is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(|line| declared(line)) else { return false };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.into_iter().any(|line| line.contains("test"))
}

#[test]
fn every_law_names_tests_that_exist() {
    let laws = named();
    let numbers: Vec<u32> = laws.keys().copied().collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>(), "each law of the architecture has tests");
    let mut missing = Vec::new();
    for (law, tests) in &laws {
        for (file, test) in tests {
            let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
            if !holds(&source, test) {
                missing.push(format!("law {law}: {file} has no test {test}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_name_that_is_no_test_is_found_out() {
    let source =
        "#[test]\nfn real() {}\nfn helper() {}\n    /// doc\n    #[tokio::test]\n    async fn also_real() {}\n";
    assert!(holds(source, "real") && holds(source, "also_real"));
    assert!(!holds(source, "helper") && !holds(source, "rea") && !holds(source, "absent"));
}
