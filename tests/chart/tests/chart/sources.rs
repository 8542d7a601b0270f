//! What is generated is what the code says, and what helm rendered is of this chart.

use std::fs;

use jiuzhou_chart::{documents, files, root, text};
use jiuzhou_engine::terms::Digest;
use serde_json::Value;

use crate::generate;

#[test]
fn generated_files_are_what_the_code_says() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (path, wanted) in generate::all() {
        let file = root().join(path);
        if fs::read_to_string(&file).is_ok_and(|found| found == wanted) {
            continue;
        }
        assert!(update, "{path} is not what the code says: run `cargo xtask gen`");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
}

/// Without helm nobody can tell what a template renders to, so what it rendered names the chart it was rendered from.
#[test]
fn what_helm_rendered_is_of_this_chart() {
    // Written from code and compared above: they change often and hold no template but a condition around them.
    let generated = ["crds.yaml", "rbac.yaml", "README.md"];
    let of = |chart: &str| sum(chart, &generated);
    let wanted = |sum: &str| format!("# Rendered by helm from the chart {sum}");
    for (case, chart) in
        [("default", "charts/jiuzhou"), ("everything", "charts/jiuzhou"), ("agent", "charts/jiuzhou-agent")]
    {
        let path = format!("charts/golden/{case}.yaml");
        let first = text(&path).lines().next().unwrap().to_owned();
        assert_eq!(first, wanted(&of(chart)), "{path} is of another chart: run `charts/render.sh`, which needs helm");
    }
}

/// As `sha256sum` writes it in charts/render.sh.
fn sum(chart: &str, generated: &[&str]) -> String {
    let mut sums = String::new();
    for path in files(chart) {
        if generated.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let sum = Digest::sha256(&fs::read(root().join(&path)).unwrap()).to_string();
        sums += &format!("{}  {}\n", sum.trim_start_matches("sha256:"), path.display().to_string().replace('\\', "/"));
    }
    Digest::sha256(sums.as_bytes()).to_string().trim_start_matches("sha256:").to_owned()
}

#[test]
fn the_schema_takes_the_defaults_and_refuses_two_replicas_with_a_file_log() {
    let schema: Value = serde_json::from_str(&text("charts/jiuzhou/values.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let defaults = documents("values.yaml", &text("charts/jiuzhou/values.yaml")).remove(0);
    assert!(
        schema.is_valid(&defaults),
        "{:?}",
        schema.iter_errors(&defaults).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let refuse = |pointer: &str, value: Value| {
        let mut values = defaults.clone();
        *values.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&values), "{pointer} is not checked");
    };
    refuse("/replicas", 2.into());
    refuse("/replicas", 0.into());
    refuse("/audit/store", "memory".into());
    refuse("/audit/size", "10".into());
    refuse("/image/digest", "latest".into());
    refuse("/metrics/port", 80.into());
    refuse("/audit/inputsDays", 0.into());
    refuse("/audit/inputsMiB", 8.into());
    // Traces are not sent over TLS, and never with a password in the address.
    refuse("/tracing/otlp", "https://collector:4318".into());
    refuse("/tracing/otlp", "http://user:password@collector:4318".into());
    refuse("/image", serde_json::json!({ "repository": "jiuzhou", "registy": "typo" }));
}

#[test]
fn the_schema_of_the_agent_refuses_what_would_reach_nobody() {
    let schema: Value = serde_json::from_str(&text("charts/jiuzhou-agent/values.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut values = documents("values.yaml", &text("charts/jiuzhou-agent/values.yaml")).remove(0);
    assert!(!schema.is_valid(&values), "a chart without cluster and hub must be refused");
    let given = documents("agent.values.yaml", &text("charts/golden/agent.values.yaml")).remove(0);
    values["cluster"] = given["cluster"].clone();
    for key in ["server", "ca"] {
        values["hub"][key] = given["hub"][key].clone();
    }
    assert!(schema.is_valid(&values), "{:?}", schema.iter_errors(&values).map(|e| e.to_string()).collect::<Vec<_>>());
    let refuse = |pointer: &str, value: Value| {
        let mut values = values.clone();
        *values.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&values), "{pointer} is not checked");
    };
    refuse("/hub/server", "http://hub.example".into());
    refuse("/hub/heartbeatSeconds", 60.into());
    refuse("/hub/proxy", "http://user:password@proxy:3128".into());
    refuse("/hub/ordersHoldMinutes", 0.into());
    refuse("/tenants", serde_json::json!(["*"]));
    refuse("/cluster", "Dali".into());
}

#[test]
fn every_value_has_a_comment_in_both_languages_and_a_place_in_the_schema() {
    values_are_described("charts/jiuzhou");
    values_are_described("charts/jiuzhou-agent");
}

fn values_are_described(chart: &str) {
    let schema: Value = serde_json::from_str(&text(&format!("{chart}/values.schema.json"))).unwrap();
    let values = generate::values(&text(&format!("{chart}/values.yaml")));
    for (path, _, comment) in &values {
        assert!(!comment.is_ascii() && comment.contains(". "), "{path}: {comment}");
        let pointer: String = path.split('.').map(|key| format!("/properties/{key}")).collect();
        assert!(schema.pointer(&pointer).is_some(), "{path} is not in the schema");
    }
    let defaults = documents("values.yaml", &text(&format!("{chart}/values.yaml"))).remove(0);
    let mut left = vec![(String::new(), &defaults)];
    while let Some((path, value)) = left.pop() {
        let described = values.iter().any(|(described, _, _)| *described == path);
        match value {
            Value::Object(fields) if !described && !fields.is_empty() => {
                let below = |key: &String| if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                left.extend(fields.iter().map(|(key, value)| (below(key), value)));
            }
            _ => assert!(described, "{path} has no comment"),
        }
    }
}
