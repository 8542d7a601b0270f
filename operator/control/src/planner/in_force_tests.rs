//! What needs an approval to change, on a hub in memory: the former value is decided by until others approved exactly the
//! change, an approval is used once, and the requester's own is none.

use serde_json::{Value, json};

use jiuzhou_api::v1alpha1::ApprovedOrder;

use crate::people::approve::{self, Signature};
use crate::stop::Stop;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");

fn by(user: &str) -> Signature {
    Signature {
        user: user.to_owned(),
        role: "分管局长".to_owned(),
        statement: None,
        requester: Some("张三".to_owned()),
        document: "云数批〔2026〕7号".to_owned(),
        until: "2026-12-01".to_owned(),
        needed: 1,
    }
}

fn system(hub: &Hub) -> String {
    let workload = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    workload["spec"]["system"].as_str().unwrap_or_default().to_owned()
}

fn told(hub: &Hub, kind: &str, namespace: &str, name: &str) -> (Value, Value, String) {
    let status = hub.object(kind, namespace, name).expect("the object")["status"].clone();
    let ready = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Ready").cloned();
    let reason = ready.unwrap_or_default()["reason"].as_str().unwrap_or_default().to_owned();
    (status["inForce"][0]["value"].clone(), status["inForce"][0]["waiting"].clone(), reason)
}

/// The tenant that owns the workload, granted this many cores.
async fn granted(hub: &Hub, cpu: &str) -> String {
    let tenant = hub.world.objects("jiuzhou.dev/v1alpha1", "Tenant").into_iter().find(|tenant| {
        tenant["spec"]["namespaces"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == PORTAL.0))
    });
    let tenant = tenant.expect("a tenant")["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let grant = json!({
        "name": "base", "document": { "number": "云资源批复〔2026〕3号" }, "from": "2026-01-01", "hard": { "cpu": cpu },
    });
    hub.patch("Tenant", None, &tenant, "", &json!({ "spec": { "quota": [grant], "failoverHeadroomPercent": 0 } }))
        .await;
    tenant
}

async fn scale(hub: &Hub, replicas: i32) {
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "/scale", &json!({ "spec": { "replicas": replicas } })).await;
    hub.quiet().await;
}

fn runs(hub: &Hub) -> i32 {
    hub.members.replicas(PORTAL.0, PORTAL.1).into_values().sum()
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_raised_is_not_used_before_another_person_approved_exactly_that() {
    let hub = Hub::with(&story("01-first-tenant")).await;
    let tenant = granted(&hub, "2").await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(told(&hub, "Tenant", "", &tenant).0["quota"][0]["hard"]["cpu"], "2", "what was first holds");
    scale(&hub, 50).await;
    let before = runs(&hub);
    granted(&hub, "400").await;
    hub.quiet().await;
    assert_eq!(runs(&hub), before, "the former quota holds");
    let (held, waiting, _) = told(&hub, "Tenant", "", &tenant);
    assert_eq!(held["quota"][0]["hard"]["cpu"], "2");
    assert!(waiting.is_string());
    let client = hub.world.client_named("person");
    let asked = approve::change_of(&client, ApprovedOrder::RaiseQuota, &tenant).await.expect("it is shown");
    assert!(asked.touches.iter().any(|line| line.contains("400")), "{:?}", asked.touches);
    approve::approve(&client, &asked, &by("张三")).await.expect_err("the requester never approves");
    let (name, _) = approve::approve(&client, &asked, &by("李四")).await.expect("it is approved");
    // Changed after it was approved: that is another change.
    granted(&hub, "500").await;
    hub.quiet().await;
    assert_eq!(runs(&hub), before, "nobody approved this one");
    granted(&hub, "400").await;
    hub.quiet().await;
    assert!(runs(&hub) > before, "{}", runs(&hub));
    let (held, waiting, _) = told(&hub, "Tenant", "", &tenant);
    assert_eq!((&held["quota"][0]["hard"]["cpu"], waiting), (&json!("400"), Value::Null));
    let approval = hub.object("Approval", "", &name).expect("the approval");
    assert!(approval["status"]["usedAt"].is_string() && approval["status"]["closedAt"].is_string(), "{approval}");
    // Lowered freely; the same change again needs another approval.
    granted(&hub, "2").await;
    hub.quiet().await;
    granted(&hub, "400").await;
    hub.quiet().await;
    assert!(told(&hub, "Tenant", "", &tenant).1.is_string(), "an approval is used once");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs");
    assert_eq!(hub.writes(), [], "a restart writes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_class_that_is_lowered_and_an_exemption_wait_and_say_for_which_command() {
    let mut objects = story("01-first-tenant");
    let one = objects.iter_mut().find(|object| object["kind"] == "InformationSystem").expect("a system");
    one["spec"]["dataClass"]["class"] = json!("Important");
    let hub = Hub::with(&objects).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    let name = system(&hub);
    let waits = "WaitingForApproval";
    assert_ne!(told(&hub, "InformationSystem", PORTAL.0, &name).2, waits);
    let lowered = json!({ "spec": { "dataClass": { "class": "General" } } });
    hub.patch("InformationSystem", Some(PORTAL.0), &name, "", &lowered).await;
    hub.quiet().await;
    let (held, waiting, reason) = told(&hub, "InformationSystem", PORTAL.0, &name);
    assert_eq!((&held["class"], waiting.is_string(), reason.as_str()), (&json!("Important"), true, waits));
    let message =
        hub.object("InformationSystem", PORTAL.0, &name).expect("the system")["status"]["conditions"].to_string();
    assert!(message.contains(&format!("jiuzhou approve class {}/{name}", PORTAL.0)), "{message}");
    let client = hub.world.client_named("person");
    let subject = format!("{}/{name}", PORTAL.0);
    let asked = approve::change_of(&client, ApprovedOrder::LowerClass, &subject).await.expect("it is shown");
    approve::approve(&client, &asked, &by("李四")).await.expect("it is approved");
    hub.quiet().await;
    let (held, waiting, reason) = told(&hub, "InformationSystem", PORTAL.0, &name);
    assert_eq!((&held["class"], waiting), (&json!("General"), Value::Null));
    assert_ne!(reason, waits);
    approve::change_of(&client, ApprovedOrder::Exempt, &subject).await.expect_err("nothing waits");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
