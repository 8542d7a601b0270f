//! Reports that the operator keeps: live from what is observed, the same figures as the command over the exported state,
//! and frozen once their period is over.

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, jiuzhou};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

fn report(kind: &str, name: &str, namespace: Option<&str>, of: (&str, &str, &str), scope: &Value) -> Value {
    let (type_, from, until) = of;
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": kind, "metadata": metadata,
        "spec": { "report": { "type": type_, "period": { "from": from, "until": until }, "scope": scope } },
    })
}

/// Waits until a report is Ready for a reason; gives its status.
async fn stands(scene: &Scene, kind: &str, name: &str, namespace: Option<&str>, reason: &str) -> Value {
    eventually(&format!("{kind} {name} is {reason}"), SOON, || async {
        let status = scene.get(kind, name, namespace)?["status"].clone();
        let ready = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Ready");
        let told = ready.map_or_else(String::new, |ready| format!("{} {}", ready["status"], ready["reason"]));
        Ok(Seen::when(told == format!("\"True\" \"{reason}\""), status.clone(), told))
    })
    .await
    .unwrap()
}

/// What the command prints of a report over a folder.
#[allow(clippy::disallowed_methods, reason = "what our own program wrote is read as it is")]
fn printed(kind: &str, name: &str, folder: &str) -> Value {
    let output = jiuzhou(&["report", kind, folder, "--for", name, "-o", "json"]).unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn reports_follow_what_is_observed_agree_with_the_command_and_freeze_when_their_period_ends() {
    let mut scene = Scene::begin("figures").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["x86"]).await.unwrap();
    let accepted = json!({ "hosting": {
        "state": "CloudNative", "since": "2026-01-15", "evidence": { "number": "昆数验〔2026〕3号" },
        "declaredBy": "信息科", "verifiedBy": "大数据局审核岗", "verifiedOn": "2026-02-01",
    } });
    let system = ["patch", "informationsystem", "figures", "-n", &scene.namespace(), "--type=merge", "-p"];
    let accepted = json!({ "spec": accepted }).to_string();
    scene.fleet.hub().kubectl(&[system.as_slice(), &[&accepted]].concat()).unwrap();
    scene.apply(&[scene.workload("web", "x86", 2)]).unwrap();
    scene.runs("web", &[("x86", 2)], AFTER_A_KILL).await.unwrap();

    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    let (first, last) = (today.first_of_month(), today.last_of_month());
    let (from, until) = (first.to_string(), last.to_string());
    let before = first.yesterday().unwrap();
    let (of_before, until_before) = (before.first_of_month().to_string(), before.to_string());
    let mine = json!({ "tenants": [scene.name()] });
    let namespace = scene.namespace();
    let live = ("Adoption", from.as_str(), until.as_str());
    // Meters are read by the month: a month that is not over has no figure yet.
    let energy = ("Energy", of_before.as_str(), until_before.as_str());
    let past = ("Adoption", of_before.as_str(), until_before.as_str());
    let everything = json!({});
    let reports = [
        report("ClusterReport", "figures-live", None, live, &mine),
        report("ClusterReport", "figures-energy", None, energy, &everything),
        report("ClusterReport", "figures-past", None, past, &mine),
        report("Report", "own", Some(&namespace), live, &everything),
    ];
    scene.apply(&reports).unwrap();
    let adoption = stands(&scene, "clusterreport", "figures-live", None, "ReportLive").await;
    assert!(adoption["headline"].as_str().is_some_and(|text| text.contains("1/1")), "{adoption}");
    stands(&scene, "clusterreport", "figures-past", None, "ReportFrozen").await;
    let own = stands(&scene, "report", "own", Some(&namespace), "ReportLive").await;
    assert_eq!(own["headline"], adoption["headline"], "a namespace sees its own tenant");

    // The same figures as the command over what the hub exports.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state").display().to_string();
    let audit = jiuzhou_e2e::operator::audit(&scene.fleet).display().to_string();
    scene.order(&["export-state", "--out", &folder, "--audit", &audit]).unwrap();
    let objects = format!("{folder}/objects");
    let energy = stands(&scene, "clusterreport", "figures-energy", None, "ReportFrozen").await;
    for (kind, name, status) in [("adoption", "figures-live", &adoption), ("energy", "figures-energy", &energy)] {
        let printed = printed(kind, name, &objects);
        assert_eq!(printed["contentDigest"], status["digest"], "{name}: {}", printed["headline"]);
    }
    // The plan over it moves nothing, and every decision of this and the stories before is decided again to its bytes.
    let plan = jiuzhou(&["plan", &objects, "-o", "json"]).unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let workloads = plan["sections"].as_array().into_iter().flatten().find(|section| section["key"] == "workloads");
    let rows = workloads.unwrap()["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((&row["added"], &row["removed"]), (&json!([]), &json!([])), "{row}");
        assert_eq!(row["kept"][0]["name"], json!("x86"), "{row}");
    }
    let decisions: Vec<_> = std::fs::read_dir(format!("{folder}/decisions")).unwrap().map(|one| one.unwrap()).collect();
    assert!(!decisions.is_empty());
    for decision in &decisions {
        jiuzhou(&["replay", decision.path().to_str().unwrap()]).unwrap();
    }

    // What is observed changes, and the live report with it; what is frozen stays.
    let frozen = scene.get("clusterreport", "figures-past", None).unwrap()["status"].clone();
    let hub = scene.fleet.hub();
    hub.kubectl(&["delete", "fwl", "web", "-n", &namespace, "--timeout=120s"]).unwrap();
    eventually("the live report follows", AFTER_A_KILL, || async {
        let now = scene.get("clusterreport", "figures-live", None)?["status"]["headline"].clone();
        Ok(Seen::when(now != adoption["headline"], (), now.to_string()))
    })
    .await
    .unwrap();
    assert_eq!(scene.get("clusterreport", "figures-past", None).unwrap()["status"], frozen);
    hub.kubectl(&["delete", "clusterreport", "figures-live", "figures-energy", "figures-past"]).unwrap();
    hub.kubectl(&["delete", "report", "own", "-n", &namespace]).unwrap();
    assert!(scene.end(operator).await.unwrap() >= 2);
}
