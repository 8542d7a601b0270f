//! Reports against a running operator on a hub in memory: live, frozen, told apart, quiet; the numbers those of the command.

use jiuzhou_api::v1alpha1::ReportStatus;
use jiuzhou_intake::{Options, figures};
use jiuzhou_report::render;
use serde_json::{Value, json};

use super::Reporter;
use crate::stop::{Stop, Stopper};
use crate::testing::{Hub, story};

/// A cluster report over days of November.
fn report(name: &str, kind: &str, from: &str, until: &str, scope: &Value) -> Value {
    json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "ClusterReport", "metadata": { "name": name },
        "spec": { "report": { "type": kind, "period": { "from": from, "until": until }, "scope": scope } },
    })
}

/// A hub with the province and these reports, an operator that has come to rest, and who reports on it.
async fn running(reports: &[Value]) -> (Hub, Reporter, Stopper) {
    let mut objects = story("10-province");
    objects.extend(reports.iter().cloned());
    let hub = Hub::with(&objects).await;
    let (reporter, stopper) = start(&hub).await;
    (hub, reporter, stopper)
}

async fn start(hub: &Hub) -> (Reporter, Stopper) {
    let (stopper, stop) = Stop::new();
    drop(hub.start(stop));
    hub.quiet().await;
    (hub.reporter(), stopper)
}

/// A look, and the time its watch events need.
async fn look(hub: &Hub, reporter: &mut Reporter) {
    assert!(reporter.look().await.expect("a look"), "the hub is known");
    hub.quiet().await;
}

fn status(hub: &Hub, name: &str) -> ReportStatus {
    let report = hub.object("ClusterReport", "", name).expect("the report");
    serde_json::from_value(report["status"].clone()).expect("a status")
}

fn reason<'a>(status: &'a ReportStatus, kind: &str) -> Option<&'a str> {
    status.conditions.iter().find(|one| one.type_ == kind && one.status == "True").map(|one| one.reason.as_str())
}

/// Writes of statuses of reports since the log was cleared.
fn written(hub: &Hub) -> Vec<String> {
    let paths = hub.writes().into_iter().map(|entry| entry.path);
    paths.filter(|path| path.contains("reports/") && path.contains("/status")).collect()
}

/// What `jiuzhou report --for` prints over the exported state: headline and digest.
async fn printed(hub: &Hub, name: &str) -> (String, String) {
    let state = crate::export::state(&hub.world.client()).await.expect("the state");
    let values = state.iter().flat_map(|(kind, values)| values.iter().map(move |value| (kind.clone(), value)));
    let texts: Vec<(String, Vec<u8>)> =
        values.map(|(kind, value)| (format!("{kind}.yaml"), serde_json::to_vec(value).expect("JSON"))).collect();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_slice())).collect();
    let now = hub.world.clock().now();
    let fleet = jiuzhou_intake::load_texts(&texts, &Options::at(now)).expect("a fleet");
    let request = &fleet.objects.cluster_reports[&(String::new(), name.to_owned())].object.spec.report;
    let ask = figures::ask(&fleet.objects, None, request).expect("a question");
    let answer = figures::answer(&(&fleet).into(), &ask, now).expect("sums").expect("figures");
    let summary = render::summary(&super::document::document(&fleet.objects, &ask, &answer, now), 8192).expect("JSON");
    (summary.headline, summary.digest.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_report_says_what_the_command_says_of_the_exported_state_and_a_second_look_writes_nothing() {
    let scoped = json!({ "regions": ["530000"] });
    let reports = [
        report("adoption", "Adoption", "2026-11-01", "2026-11-30", &json!({})),
        report("adoption-yunnan", "Adoption", "2026-11-01", "2026-11-30", &scoped),
        report("energy", "Energy", "2026-10-01", "2026-12-31", &json!({})),
        report("settlement", "Settlement", "2026-10-01", "2026-12-31", &json!({})),
        report("settlement-kunming", "Settlement", "2026-10-01", "2026-12-31", &json!({ "tenants": ["kunming"] })),
        report("assessment", "Assessment", "2026-11-01", "2026-11-30", &json!({})),
        report("sovereignty", "Sovereignty", "2026-11-01", "2026-11-30", &json!({})),
        report("sovereignty-kunming", "Sovereignty", "2026-11-01", "2026-11-30", &json!({ "tenants": ["kunming"] })),
    ];
    let (hub, mut reporter, _stopper) = running(&reports).await;
    look(&hub, &mut reporter).await;
    let all = reports.iter().filter_map(|report| report["metadata"]["name"].as_str());
    for name in all {
        let status = status(&hub, name);
        let (headline, digest) = printed(&hub, name).await;
        assert_eq!(status.headline.as_deref(), Some(headline.as_str()), "{name}");
        assert_eq!(status.digest.as_deref(), Some(digest.as_str()), "{name}");
        assert_eq!(reason(&status, "Ready"), Some("ReportLive"), "{name}");
        let summary = status.summary.expect("a summary");
        assert!(summary.len() <= 8192 && serde_json::from_str::<Value>(&summary).is_ok(), "{name}");
        assert_eq!(status.frozen_at, None);
    }
    assert!(
        status(&hub, "adoption").headline.expect("a headline").starts_with("实测上云率 Cloud adoption, measured: ")
    );
    hub.world.clear_log();
    look(&hub, &mut reporter).await;
    let mut other = hub.reporter();
    look(&hub, &mut other).await;
    assert_eq!(
        written(&hub),
        Vec::<String>::new(),
        "nothing changed, so nothing is written, by another leader neither"
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_follows_the_register() {
    let (hub, mut reporter, _stopper) =
        running(&[report("adoption", "Adoption", "2026-11-01", "2026-11-30", &json!({}))]).await;
    look(&hub, &mut reporter).await;
    let before = status(&hub, "adoption");
    let system = &hub.world.objects(jiuzhou_api::meta::API_VERSION, "InformationSystem")[0];
    let text = |pointer: &str| system.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let retired = json!({ "spec": { "hosting": { "state": "Retired" } } });
    hub.patch("InformationSystem", Some(&text("/metadata/namespace")), &text("/metadata/name"), "", &retired).await;
    hub.quiet().await;
    look(&hub, &mut reporter).await;
    let after = status(&hub, "adoption");
    assert_ne!(after.digest, before.digest);
    assert_eq!(after.digest.as_deref(), Some(printed(&hub, "adoption").await.1.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_report_is_frozen_after_its_period_and_never_changes_again() {
    // It is November 23: the first is over, the second is not, the third has not begun.
    let reports = [
        report("october", "Energy", "2026-10-01", "2026-10-31", &json!({})),
        report("november", "Adoption", "2026-11-01", "2026-11-30", &json!({})),
        report("december", "Adoption", "2026-12-01", "2026-12-31", &json!({})),
    ];
    let (hub, mut reporter, stopper) = running(&reports).await;
    look(&hub, &mut reporter).await;
    let frozen = status(&hub, "october");
    assert_eq!((reason(&frozen, "Ready"), reason(&frozen, "Frozen")), (Some("ReportFrozen"), Some("ReportFrozen")));
    assert!(frozen.frozen_at.is_some() && frozen.digest.is_some());
    assert_eq!(reason(&status(&hub, "november"), "Ready"), Some("ReportLive"));
    let ahead = status(&hub, "december");
    assert_eq!((ahead.headline.as_deref(), reason(&ahead, "Reconciling")), (None, Some("PeriodOpen")));
    // A bill that comes later changes nothing of it, and is told.
    let site = &hub.world.objects(jiuzhou_api::meta::API_VERSION, "Site")[0];
    let name = site["metadata"]["name"].as_str().expect("a name");
    let bills = json!({ "spec": { "bills": [{ "month": "2026-10", "wattHours": 987_654_321_000_i64, "fen": 60_000_000, "number": "电费2026-10" }] } });
    hub.patch("Site", None, name, "", &bills).await;
    hub.quiet().await;
    look(&hub, &mut reporter).await;
    let told = status(&hub, "october");
    assert_eq!(reason(&told, "EnteredLater"), Some("EntriesChanged"));
    let same = |one: &ReportStatus| {
        (one.headline.clone(), one.summary.clone(), one.digest.clone(), one.entries.clone(), one.frozen_at.clone())
    };
    assert_eq!(same(&told), same(&frozen));
    // Nor do a restart, a clock that goes back, or another spec.
    stopper.stop();
    hub.quiet().await;
    hub.world.clock().set("2026-10-15T00:00:00Z".parse().expect("an instant"));
    let (mut reporter, _stopper) = start(&hub).await;
    look(&hub, &mut reporter).await;
    assert_eq!(same(&status(&hub, "october")), same(&frozen));
    let other = json!({ "spec": { "report": { "type": "Adoption" } } });
    hub.patch("ClusterReport", None, "october", "", &other).await;
    hub.quiet().await;
    look(&hub, &mut reporter).await;
    let changed = status(&hub, "october");
    assert_eq!(same(&changed), same(&frozen));
    assert_eq!(reason(&changed, "Stalled"), Some("ReportSpecChanged"));
    assert_eq!(changed.observed_generation, frozen.observed_generation, "the generation its figures are of");
}

#[tokio::test(start_paused = true)]
async fn a_settlement_is_frozen_and_a_price_entered_later_is_told() {
    let october = report("october", "Settlement", "2026-10-01", "2026-10-31", &json!({}));
    let (hub, mut reporter, _stopper) = running(&[october]).await;
    look(&hub, &mut reporter).await;
    let frozen = status(&hub, "october");
    assert_eq!((reason(&frozen, "Ready"), reason(&frozen, "Frozen")), (Some("ReportFrozen"), Some("ReportFrozen")));
    assert!(frozen.headline.as_deref().is_some_and(|line| line.starts_with("应付 Payable: ")), "{:?}", frozen.headline);
    let priced = |month: &str| {
        json!({ "spec": { "items": [{
            "code": "CPU-09", "title": "通用计算", "unit": "CpuHour", "prices": [{ "fromMonth": month, "fen": 99 }],
        }] } })
    };
    // A price of December is none of October's.
    for (month, told) in [("2026-12", None), ("2026-10", Some("EntriesChanged"))] {
        let book = json!({ "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "PriceBook", "metadata": { "name": "late" },
            "spec": { "displayName": "目录", "provider": "global-cloud", "items": priced(month)["spec"]["items"] } });
        if hub.object("PriceBook", "", "late").is_none() {
            hub.create(&book).await;
        } else {
            hub.patch("PriceBook", None, "late", "", &priced(month)).await;
        }
        hub.quiet().await;
        look(&hub, &mut reporter).await;
        let later = status(&hub, "october");
        assert_eq!(reason(&later, "EnteredLater"), told, "{month}");
        assert_eq!((later.digest, later.summary), (frozen.digest.clone(), frozen.summary.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn days_of_grace_let_readings_come_after_the_end() {
    let mut october = report("october", "Energy", "2026-10-01", "2026-10-31", &json!({}));
    october["spec"]["report"]["graceDays"] = json!(30);
    let (hub, mut reporter, _stopper) = running(&[october]).await;
    look(&hub, &mut reporter).await;
    assert_eq!(status(&hub, "october").frozen_at, None);
    let before = status(&hub, "october").digest;
    let site = &hub.world.objects(jiuzhou_api::meta::API_VERSION, "Site")[0];
    let name = site["metadata"]["name"].as_str().expect("a name");
    let bills = json!({ "spec": { "bills": [{ "month": "2026-10", "wattHours": 987_654_321_000_i64, "fen": 60_000_000, "number": "电费2026-10" }] } });
    hub.patch("Site", None, name, "", &bills).await;
    hub.quiet().await;
    look(&hub, &mut reporter).await;
    assert_ne!(status(&hub, "october").digest, before);
    hub.world.clock().set("2026-12-01T00:00:00+08:00".parse().expect("an instant"));
    look(&hub, &mut reporter).await;
    let frozen = status(&hub, "october");
    assert!(frozen.frozen_at.is_some());
    assert_eq!(reason(&frozen, "EnteredLater"), None);
}

#[tokio::test(start_paused = true)]
async fn a_report_of_a_namespace_sees_its_tenant_alone() {
    let hub = Hub::with(&story("10-province")).await;
    let tenant = hub
        .world
        .objects(jiuzhou_api::meta::API_VERSION, "Tenant")
        .into_iter()
        .find(|tenant| tenant["spec"]["blockParent"].is_string() && tenant["spec"]["namespaces"][0]["name"].is_string())
        .expect("a tenant below another");
    let text = |pointer: &str| tenant.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    let (namespace, above) = (text("/spec/namespaces/0/name"), text("/spec/blockParent"));
    for (name, scope) in [("own", json!({})), ("wide", json!({ "tenants": [above] }))] {
        let mut object = report(name, "Adoption", "2026-11-01", "2026-11-30", &scope);
        object["kind"] = json!("Report");
        object["metadata"]["namespace"] = json!(namespace);
        hub.create(&object).await;
    }
    let (mut reporter, _stopper) = start(&hub).await;
    look(&hub, &mut reporter).await;
    let read = |name: &str| -> ReportStatus {
        serde_json::from_value(hub.object("Report", &namespace, name).expect("it")["status"].clone()).expect("a status")
    };
    assert_eq!(reason(&read("own"), "Ready"), Some("ReportLive"));
    let summary: Value = serde_json::from_str(&read("own").summary.expect("a summary")).expect("JSON");
    let whole = hub.world.objects(jiuzhou_api::meta::API_VERSION, "InformationSystem").len();
    let counted = summary["headline"]["adoptionDeclared"]["denominator"].as_i64().expect("a count");
    assert!(usize::try_from(counted).expect("a count") < whole, "{counted} of {whole}");
    let wide = read("wide");
    assert_eq!((reason(&wide, "Stalled"), &wide.headline), (Some("ScopeTooWide"), &None));
}

#[tokio::test(start_paused = true)]
async fn reminders_are_told_once_across_restarts() {
    let (hub, mut reporter, stopper) = running(&[]).await;
    hub.world.clear_log();
    look(&hub, &mut reporter).await;
    let events = || hub.world.objects("events.k8s.io/v1", "Event").len();
    let reminders = || {
        let all = hub.world.objects("events.k8s.io/v1", "Event");
        all.iter().filter(|event| event["action"] == "Remind").count()
    };
    let first = reminders();
    assert!(first > 0, "the province has evidence that runs out");
    let total = events();
    stopper.stop();
    hub.quiet().await;
    let (mut reporter, _stopper) = start(&hub).await;
    hub.world.clear_log();
    look(&hub, &mut reporter).await;
    assert_eq!((reminders(), events()), (first, total), "told once");
    assert_eq!(hub.writes().len(), 0, "and noted once");
}

#[tokio::test(start_paused = true)]
async fn what_is_placed_is_told_of_its_tenant_and_of_who_pays_with_it() {
    let (hub, mut reporter, stopper) = running(&[]).await;
    let told = reporter.tenants();
    assert!(told.borrow().is_none(), "nothing is told before a look");
    look(&hub, &mut reporter).await;
    let told = told.borrow().clone().expect("told");
    assert!(told.whole, "every member was looked at");
    // Every replica that is placed asks for CPU, so whose workload is placed uses some.
    let placed = hub.world.objects("jiuzhou.dev/v1alpha1", "FleetPlacement");
    let placed = placed.iter().filter(|one| one["spec"]["clusters"].as_array().is_some_and(|all| !all.is_empty()));
    let namespaces: Vec<&str> = placed.filter_map(|one| one["metadata"]["namespace"].as_str()).collect();
    assert!(namespaces.len() > 10);
    let mut using = 0;
    for tenant in hub.world.objects("jiuzhou.dev/v1alpha1", "Tenant") {
        let own = tenant["spec"]["namespaces"].as_array().cloned().unwrap_or_default();
        if own.iter().any(|one| one["name"].as_str().is_some_and(|name| namespaces.contains(&name))) {
            let name = tenant["metadata"]["name"].as_str().unwrap_or_default();
            assert!(told.tenants[name].used.0.contains_key("cpu"), "{name}: {:?}", told.tenants[name]);
            using += 1;
        }
    }
    assert!(using > 3);
    stopper.stop();
}
