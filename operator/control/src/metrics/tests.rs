//! What a scrape shows, and that it is what the table says.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Metrics with a series of everything.
fn full() -> Metrics {
    let metrics = Metrics::new();
    let took = Duration::from_millis(3);
    metrics.reconciled("workloads", took, Ok(()));
    metrics.reconciled("workloads", took, Err(Category::Conflict));
    metrics.queued("workloads", 4);
    metrics.decided(took);
    metrics.committed(took);
    metrics.delivered("push", took);
    metrics.requested("kunpeng-a", Ok(()));
    metrics.leads(Some(Term(3)));
    metrics.set_audit(Stats { appended: 5, batches: 2, ..Stats::default() }, 7);
    metrics.set_workloads([("ready", "Ready", 3), ("pending", "NoCapacity", 1)]);
    metrics.set_members([("push", "reachable", 2)]);
    let mut rows = Rows::default();
    for metric in FLEET {
        let labels = metric.labels.iter().map(|label| format!("a {label}")).collect();
        rows.0.entry(metric.base).or_default().insert(labels, 1.5);
    }
    metrics.set_fleet(rows);
    metrics
}

/// Series of a scrape by name, with their label names.
fn series(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let labels = labels.split(',').filter_map(|pair| pair.split_once('=')).map(|(label, _)| label.to_owned());
        found.entry(name.to_owned()).or_default().extend(labels);
    }
    found
}

#[test]
fn a_scrape_shows_exactly_the_series_and_labels_of_the_table() {
    let mut wanted = BTreeMap::new();
    for metric in ALL {
        for name in metric.series() {
            let mut labels: BTreeSet<_> = metric.labels.iter().map(|label| (*label).to_owned()).collect();
            if name.ends_with("_bucket") {
                labels.insert("le".into());
            }
            wanted.insert(name, labels);
        }
    }
    assert_eq!(series(&full().encode()), wanted);
}

#[test]
fn types_and_help_are_those_of_the_table() {
    let text = full().encode();
    for metric in ALL {
        assert!(text.contains(&format!("# TYPE {} {}\n", metric.base, metric.kind.as_str())), "{}", metric.base);
        assert!(text.contains(&format!("# HELP {} {}.\n", metric.base, metric.en)), "{}: {text}", metric.base);
    }
}

#[test]
fn values_are_those_that_were_told() {
    let text = full().encode();
    for line in [
        "jiuzhou_reconciles_total{controller=\"workloads\",outcome=\"error\"} 1",
        "jiuzhou_reconcile_errors_total{controller=\"workloads\",category=\"conflict\"} 1",
        "jiuzhou_queue_depth{controller=\"workloads\"} 4",
        "jiuzhou_leader 1",
        "jiuzhou_leader_term 3.0",
        "jiuzhou_audit_appends_total{result=\"appended\"} 5.0",
        "jiuzhou_audit_records 7.0",
        "jiuzhou_workloads{state=\"pending\",reason=\"NoCapacity\"} 1.0",
        "jiuzhou_metric_series_dropped 0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_gone_has_no_series() {
    let metrics = full();
    metrics.forget_member("kunpeng-a");
    metrics.set_fleet(Rows::default());
    metrics.set_workloads([]);
    metrics.leads(None);
    let text = metrics.encode();
    for gone in ["jiuzhou_member_requests_total{", "jiuzhou_pue_ratio{", "jiuzhou_workloads{", "jiuzhou_leader_term "] {
        assert!(!text.contains(gone), "{gone} is still in\n{text}");
    }
    assert!(text.contains("\njiuzhou_leader 0\n") && text.contains("jiuzhou_audit_records 7.0"), "{text}");
}

#[test]
fn too_many_series_of_one_metric_are_left_out_and_counted() {
    let metrics = Metrics::new();
    let mut rows = Rows::default();
    for number in 0..SERIES_MAX + 7 {
        rows.add(table::TIER, [&format!("c{number}")], 1.0);
    }
    metrics.set_fleet(rows);
    let text = metrics.encode();
    assert_eq!(text.matches("jiuzhou_sovereignty_tier{").count(), SERIES_MAX);
    assert!(text.contains("jiuzhou_metric_series_dropped 7"));
}

#[test]
fn a_name_with_quotes_cannot_break_a_scrape() {
    let metrics = Metrics::new();
    let mut rows = Rows::default();
    rows.add(table::TIER, ["a\"b\\c\nd"], 1.0);
    metrics.set_fleet(rows);
    assert!(
        metrics.encode().contains("jiuzhou_sovereignty_tier{cluster=\"a\\\"b\\\\c\\nd\"} 1.0\n"),
        "{}",
        metrics.encode()
    );
}
