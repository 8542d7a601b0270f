//! The definitions change with the chart: what was stored under the older ones is read, the newer fields are served, and
//! what is removed leaves every object where it was.

use std::path::Path;
use std::time::Duration;

use jiuzhou_e2e::operator::start_on;
use jiuzhou_e2e::scene::object;
use jiuzhou_e2e::{Cluster, Fleet, Seen, eventually, root};
use serde_json::{Value, json};

/// The chart as an older version had it: without fields that came later, and with its own number.
fn older_chart(to: &Path, without: &[(&str, &str)]) {
    copy(&root().join("charts/jiuzhou"), to);
    let path = to.join("templates/crds.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut found = 0;
    let documents: Vec<String> = text
        .split("\n---\n")
        .map(|document| {
            let mut lines: Vec<&str> = document.lines().collect();
            for (definition, field) in without {
                if !document.contains(&format!("name: {definition}.jiuzhou.dev")) {
                    continue;
                }
                let head = format!("{field}:");
                while let Some(at) = lines.iter().position(|line| line.trim() == head) {
                    let depth = lines[at].len() - lines[at].trim_start().len();
                    let end = lines[at + 1..].iter().position(|line| line.len() - line.trim_start().len() <= depth);
                    lines.drain(at..end.map_or(lines.len(), |end| at + 1 + end));
                    found += 1;
                }
            }
            lines.join("\n")
        })
        .collect();
    assert!(found >= without.len(), "the fields that an older chart lacks were not found");
    std::fs::write(path, documents.join("\n---\n")).unwrap();
    let chart = to.join("Chart.yaml");
    let text = std::fs::read_to_string(&chart).unwrap();
    let older: Vec<String> = text
        .lines()
        .map(|line| if line.starts_with("version:") { "version: 0.0.1".to_owned() } else { line.to_owned() })
        .collect();
    std::fs::write(chart, older.join("\n")).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

fn site(hub: &Cluster, name: &str) -> Value {
    serde_json::from_str(&hub.kubectl(&["get", "site", name, "-o", "json"]).unwrap()).unwrap()
}

#[tokio::test]
async fn an_upgrade_serves_new_fields_keeps_what_is_stored_and_a_removal_keeps_all() {
    let fleet = Fleet::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let second = testbed::Set::up(&folder.path().join("upgrade"), &[], fleet.tools(), &mut |_| {}).unwrap();
    let hub = Cluster::new(second.hub().clone(), fleet.tools()).await.unwrap();
    let older = folder.path().join("older");
    // Later fields in the eyes of this story; any optional ones do.
    older_chart(&older, &[("sites", "bills"), ("tenants", "predecessors")]);
    let helm = |arguments: &[&str]| fleet.helm_on(&hub, arguments).unwrap();
    hub.kubectl(&["create", "namespace", "jiuzhou-system"]).unwrap();
    let system = ["--namespace", "jiuzhou-system"];
    helm(&[&["install", "jiuzhou", older.to_str().unwrap()], system.as_slice()].concat());
    hub.serves_definitions().unwrap();
    let stored =
        object("Site", "stored", None, &json!({ "displayName": "昆明", "region": "530100", "provider": "own" }));
    hub.apply(&stored.to_string()).unwrap();
    let uid = site(&hub, "stored")["metadata"]["uid"].clone();
    let newer = json!({
        "displayName": "昆明", "region": "530100", "provider": "own",
        "bills": [{ "month": "2026-10", "number": "B-1", "wattHours": 12_000, "fen": 900 }],
    });
    let newer = object("Site", "newer", None, &newer).to_string();
    let refused = hub.try_kubectl(&["apply", "--server-side", "--validate=strict", "-f", "-"], &newer).unwrap();
    assert!(!refused.status.success(), "the older definition knows the newer field");

    helm(&[&["upgrade", "jiuzhou", "charts/jiuzhou", "--set=dedicatedHub=true"], system.as_slice()].concat());
    eventually("the newer field is served", Duration::from_secs(30), || async {
        hub.kubectl_with(&["apply", "--server-side", "--validate=strict", "-f", "-"], &newer).map(Seen::Done)
    })
    .await
    .unwrap();
    assert_eq!(site(&hub, "newer")["spec"]["bills"][0]["wattHours"], 12_000);
    assert_eq!(site(&hub, "stored")["metadata"]["uid"], uid, "what was stored is another object now");

    // The operator of today starts on what an older one has left.
    let operator = start_on(&hub, folder.path()).unwrap();
    eventually("the operator has read everything", Duration::from_secs(90), || async {
        Ok(Seen::when(operator.said("every kind was listed")?, (), "nothing said"))
    })
    .await
    .unwrap();
    assert!(operator.terminate(Duration::from_secs(30)).unwrap().success());

    helm(&[&["uninstall", "jiuzhou"], system.as_slice()].concat());
    assert_eq!(site(&hub, "stored")["metadata"]["uid"], uid);
    assert_eq!(site(&hub, "newer")["spec"]["bills"][0]["wattHours"], 12_000);
    let kept = hub.kubectl(&["get", "crd", "-o", "name"]).unwrap();
    assert_eq!(kept.lines().filter(|line| line.ends_with(".jiuzhou.dev")).count(), jiuzhou_api::kinds().len());
    testbed::Set::down(&folder.path().join("upgrade")).unwrap();
}
