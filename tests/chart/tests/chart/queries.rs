//! Every query of the dashboard and of the alerts reads, and names only series and labels that the process exports.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_control::metrics::{self, Kind};
use promql_parser::{
    label::MatchOp,
    parser::{self, Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value;

use jiuzhou_chart::{documents, text};

/// Series that a scrape shows, with their labels.
fn exported() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut all = BTreeMap::new();
    for metric in metrics::ALL {
        for name in metric.series() {
            let mut labels: BTreeSet<_> = metric.labels.iter().copied().collect();
            if metric.kind == Kind::Histogram && name.ends_with("_bucket") {
                labels.insert("le");
            }
            all.insert(name, labels);
        }
    }
    all
}

/// Collects the selectors of a query.
#[derive(Default)]
struct Selectors(Vec<VectorSelector>);

impl ExprVisitor for Selectors {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        match expr {
            Expr::VectorSelector(selector) => self.0.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.0.push(matrix.vs.clone()),
            _ => {}
        }
        Ok(true)
    }
}

fn selectors(query: &str) -> Vec<VectorSelector> {
    let expr = parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut found = Selectors::default();
    walk_expr(&mut found, &expr).unwrap();
    found.0
}

/// Queries of the dashboard by panel, and of the alerts by name.
fn queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text("charts/jiuzhou/files/dashboard.json")).unwrap();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push((panel["title"].to_string(), target["expr"].as_str().unwrap().to_owned()));
        }
    }
    let alerts = documents("alerts.yaml", &text("charts/jiuzhou/files/alerts.yaml")).remove(0);
    for group in alerts["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            found.push((rule["alert"].to_string(), rule["expr"].as_str().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn every_query_reads_and_names_only_what_is_exported() {
    let exported = exported();
    let queries = queries();
    assert!(queries.len() > 30, "the dashboard and the alerts were read");
    for (place, query) in queries {
        let selectors = selectors(&query);
        assert!(!selectors.is_empty(), "{place} asks for nothing");
        for selector in selectors {
            let name = selector.name.unwrap_or_default();
            let labels = exported.get(&name).unwrap_or_else(|| panic!("{place}: {name} is not exported"));
            for matcher in &selector.matchers.matchers {
                assert!(labels.contains(matcher.name.as_str()), "{place}: {name} has no label {}", matcher.name);
                assert!(!matches!(matcher.op, MatchOp::Equal) || !matcher.value.is_empty(), "{place}: {matcher:?}");
            }
        }
    }
}

/// A rate of a gauge, or a bare counter in a sum over time, is a number nobody can explain.
#[test]
fn rates_are_of_counters_and_histograms_only() {
    let kinds: BTreeMap<_, _> =
        metrics::ALL.iter().flat_map(|metric| metric.series().into_iter().map(|name| (name, metric.kind))).collect();
    for (place, query) in queries() {
        for part in ["rate(", "increase("].iter().flat_map(|function| query.split(function).skip(1)) {
            let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let kind = kinds.get(&name).unwrap_or_else(|| panic!("{place}: {name}"));
            assert!(matches!(kind, Kind::Counter | Kind::Histogram), "{place}: {name} is a gauge");
        }
    }
}

/// Every metric is looked at by somebody, or is listed here with the reason.
#[test]
fn every_metric_is_on_the_dashboard_or_in_an_alert() {
    let used: BTreeSet<_> =
        queries().iter().flat_map(|(_, query)| selectors(query)).filter_map(|selector| selector.name).collect();
    let for_queries_of_others = [
        "jiuzhou_leader_term",                   // to compare with the audit log after an incident
        "jiuzhou_audit_waiting",                 // a moment's depth; the rate says more
        "jiuzhou_audit_records",                 // for sizing the volume
        "jiuzhou_month_start_timestamp_seconds", // says which month the others are of
        "jiuzhou_month_facility_energy_joules",  // for PUE of many sites together
    ];
    for metric in metrics::ALL {
        let shown = metric.series().iter().any(|name| used.contains(name));
        let excused = for_queries_of_others.contains(&metric.name().as_str());
        assert!(shown != excused, "{}: shown {shown}, excused {excused}", metric.name());
    }
}

#[test]
fn every_alert_has_a_severity_and_a_summary_in_both_languages() {
    let alerts = documents("alerts.yaml", &text("charts/jiuzhou/files/alerts.yaml")).remove(0);
    let rules: Vec<_> =
        alerts["groups"].as_array().unwrap().iter().flat_map(|g| g["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(name.starts_with("Jiuzhou"), "{name}");
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(rule["annotations"]["summary"].as_str().unwrap().is_ascii(), "{name}");
        assert!(!rule["annotations"]["summary_zh"].as_str().unwrap().is_ascii(), "{name}");
    }
}

#[test]
fn a_panel_says_what_it_shows_in_both_languages_and_has_its_own_place() {
    let dashboard: Value = serde_json::from_str(&text("charts/jiuzhou/files/dashboard.json")).unwrap();
    let mut places = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_ascii() && title.bytes().any(|byte| byte.is_ascii_alphabetic()), "{title}");
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| place[key].as_u64().unwrap());
        assert!(x + w <= 24, "{title} leaves the grid");
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            assert!(places.insert(cell), "{title} covers another panel");
        }
    }
}
