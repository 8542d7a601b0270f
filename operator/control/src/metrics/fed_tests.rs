//! Nothing is declared that nothing feeds: a whole run on worlds in memory has a series of every metric.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiuzhou_member::connection::{Connection, Term, transport};
use jiuzhou_world::{Clock, Fault, World};
use serde_json::json;

use super::ALL;
use crate::fleet::{Fleet, Members, Settings};
use crate::leader::{self, Gate};
use crate::stop::Stop;
use crate::testing::{Hub, story};

#[tokio::test(start_paused = true)]
async fn every_declared_metric_is_fed_by_a_run() {
    let mut objects = story("10-province");
    let site = objects.iter_mut().find(|object| object["kind"] == "Site" && !object["spec"]["water"].is_null());
    let last_month = json!([{ "fromMonth": "2026-10", "untilMonth": "2026-10", "millilitresPerKwh": 1350 }]);
    site.expect("a site with water")["spec"]["water"] = last_month;
    let hub = Hub::with(&objects).await;
    let (stopper, stop) = Stop::new();
    assert!(crate::run::lead(None, &Gate::alone(leader::Term(1)), &hub.metrics, &stop).await.is_some());
    // The first writes fail: errors are counted too.
    let mut failing = 2;
    hub.world.intercept(move |request| {
        let fails = failing > 0 && request.client == "operator" && request.path.ends_with("/status");
        failing -= i32::from(fails);
        fails.then(|| Fault::code(500))
    });
    let running = hub.start(stop.clone());
    hub.quiet().await;
    let mut reporter = hub.reporter();
    assert!(reporter.look().await.expect("a look"), "the hub is known");
    // Energy is added up between two looks.
    hub.world.clock().advance(jiff::SignedDuration::from_secs(60));
    assert!(reporter.look().await.expect("a look"), "the hub is known");
    let member = follow_a_member(&hub, stop);
    // Members are asked for ever, so there is no rest to wait for.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(reporter.look().await.expect("a look"), "the hub is known");
    let text = hub.metrics.encode();
    let fed = |name: &str| {
        text.lines().any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")))
    };
    let starved: Vec<String> = ALL.iter().flat_map(super::Metric::series).filter(|name| !fed(name)).collect();
    assert!(starved.is_empty(), "nothing feeds {starved:?}");
    for line in [
        "jiuzhou_reconciles_total{controller=\"workloads\",outcome=\"done\"}",
        "jiuzhou_reconciles_total{controller=\"members\",outcome=\"done\"}",
        "jiuzhou_reconciles_total{controller=\"statuses\",outcome=\"done\"}",
        "jiuzhou_member_requests_total{cluster=\"counted\",result=\"done\"}",
        "jiuzhou_delivery_duration_seconds_count{connection=\"pull\"}",
        "jiuzhou_queue_depth{controller=\"workloads\"} 0",
        "jiuzhou_queue_depth{controller=\"statuses\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    stopper.stop();
    running.await.expect("no panic").expect("an orderly end");
    member.await.expect("no panic");
}

/// A member by push whose API server is a world too.
fn follow_a_member(hub: &Hub, stop: Stop) -> tokio::task::JoinHandle<()> {
    let world = World::new("counted", Clock::default());
    world.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } }));
    let key = rcgen::KeyPair::generate().expect("a key");
    let authority = rcgen::CertificateParams::default().self_signed(&key).expect("a certificate").pem();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{ "name": "c", "cluster": { "server": "https://counted.example:6443", "certificate-authority-data": STANDARD.encode(authority) } }],
        "users": [{ "name": "c", "user": { "token": "t" } }],
        "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "c" } }],
    });
    hub.world.seed(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "counted", "namespace": "jiuzhou-system" },
        "data": { "kubeconfig": STANDARD.encode(kubeconfig.to_string()) },
    }));
    hub.world.seed(json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "MemberCluster", "metadata": { "name": "counted" },
        "spec": {
            "site": "dali", "form": "Private", "ownership": "Government",
            "connection": { "push": { "secretNamespace": "jiuzhou-system", "secretName": "counted" } },
        },
    }));
    let day = |text: &str| text.parse().expect("an instant");
    let term = Term { begins: day("2026-01-01T00:00:00Z"), ends: day("2027-01-01T00:00:00Z") };
    let fleet = Fleet {
        hub: hub.world.client_named("fleet"),
        outlook: hub.outlook(),
        settings: Settings::default(),
        dial: Arc::new(move |_, limits| {
            let (world, term) = (world.clone(), term);
            let service = tower::service_fn(move |request| {
                let mut door = world.door("fleet");
                async move { tower::Service::call(&mut door, request).await }
            });
            Ok(Connection::over(transport(service), limits, Some(term), None))
        }),
        members: Members::default(),
        gate: Gate::alone(leader::Term(1)),
        metrics: Arc::clone(&hub.metrics),
    };
    tokio::spawn(fleet.run(stop))
}
