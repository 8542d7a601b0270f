//! A tenant on real clusters: its fence, and its end. Deleting it takes nothing away that runs; deleting its namespace on
//! the hub is held until a person confirms it; what goes in a member is what is proven empty.

use std::time::Duration;

use jiuzhou_e2e::ledger::every_delivery_was_decided;
use jiuzhou_e2e::{Cluster, Fleet, Seen, eventually};
use serde_json::{Value, json};

use crate::definitions::install;
use crate::life::{BOTH, WITHIN, evidence, image, jiuzhou, list, object, path_of};
use crate::operator::started;

const TENANT: &str = "guard";
const MEMBER: &str = "phytium";
/// One goes with the tenant, one holds what a stranger put there, one is deleted on the hub by mistake.
const NAMESPACES: [&str; 3] = ["guard-portal", "guard-shared", "guard-lost"];

fn ground() -> String {
    let owned: Vec<Value> = NAMESPACES.iter().map(|name| json!({ "name": name, "system": "guard" })).collect();
    let document = json!({ "number": "昆财采〔2026〕12号", "date": "2026-01-15" });
    let grant = json!({
        "name": "year", "document": document, "from": "2026-01-01", "hard": { "cpu": "6", "memory": "12Gi", "pods": "40" },
    });
    let tenant = json!({
        "displayName": "昆明市安全服务中心", "level": "City", "region": "530100", "namespaces": owned, "quota": [grant],
    });
    let system = json!({
        "displayName": "安全服务", "projectCode": "KM-2026-0919", "tenant": TENANT, "functionDomain": "PublicService",
        "dataClass": { "class": "General", "setBy": "业务科" },
    });
    let mut all: Vec<Value> = NAMESPACES
        .iter()
        .map(|name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }))
        .collect();
    all.extend([
        object("Site", "guard-1", None, &json!({ "displayName": "昆明", "region": "530100", "provider": "own" })),
        object("Tenant", TENANT, None, &tenant),
        image("guard", BOTH, &["amd64", "arm64"]),
        object("InformationSystem", "guard", Some(NAMESPACES[0]), &system),
    ]);
    list(&all)
}

fn workload(namespace: &str) -> Value {
    let labels = json!({ "app": "web" });
    let container = json!({
        "name": "web", "image": format!("registry.gov.example/life/guard@{BOTH}"),
        "resources": { "requests": { "cpu": "250m", "memory": "128Mi" } },
    });
    let manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    object(
        "FleetWorkload",
        "web",
        Some(namespace),
        &json!({ "system": "guard", "objects": [{ "name": "app", "manifest": manifest }] }),
    )
}

fn running(cluster: &Cluster, namespace: &str) -> usize {
    let pods =
        cluster.kubectl(&["get", "pods", "-n", namespace, "--no-headers", "--ignore-not-found"]).unwrap_or_default();
    pods.lines().filter(|line| line.contains("Running")).count()
}

/// Waits until an answer of kubectl is as wanted.
async fn says(cluster: &Cluster, what: &str, arguments: &[&str], wanted: impl Fn(&str) -> bool) -> String {
    eventually(what, WITHIN, || {
        let told = cluster.kubectl(arguments);
        let done = told.as_deref().is_ok_and(&wanted);
        async move { Ok(Seen::when(done, told.as_ref().map(String::clone).unwrap_or_default(), format!("{told:?}"))) }
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_tenant_is_fenced_and_leaves_only_when_nothing_of_it_runs() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let (hub, member) = (fleet.hub(), fleet.member(MEMBER));
    let (operator, _) = started(&fleet).await;
    hub.apply(&ground()).unwrap();
    let (kubeconfig, of_hub) = (path_of(member), path_of(hub));
    let to = ["--kubeconfig", &kubeconfig, "--hub-kubeconfig", &of_hub, "--site", "guard-1", "--tenants", TENANT];
    jiuzhou(&[&["join", MEMBER], to.as_slice()].concat());
    hub.kubectl(&["patch", "mc", MEMBER, "--type=merge", "-p", &evidence()]).unwrap();
    hub.apply(&list(&NAMESPACES.map(workload))).unwrap();
    for namespace in NAMESPACES {
        let ready = ["get", "fwl", "web", "-n", namespace, "-o=jsonpath={.status.reason}"];
        says(hub, &format!("{namespace} runs"), &ready, |told| told == "AsWanted").await;
    }

    // The fence: the whole grant in each namespace, and a pod that states no requests is let in with the least.
    let hard = ["get", "resourcequota", "jiuzhou", "-n", NAMESPACES[0], "-o=jsonpath={.spec.hard}"];
    let hard: Value = serde_json::from_str(&member.kubectl(&hard).unwrap()).unwrap();
    assert_eq!(hard, json!({ "requests.cpu": "6", "requests.memory": "12Gi", "pods": "40" }));
    let bare = ["run", "bare", "-n", NAMESPACES[0], "--image=a", "--dry-run=server", "-o=name"];
    member.kubectl(&bare).unwrap();
    let greedy =
        r#"--overrides={"spec":{"containers":[{"name":"bare","image":"a","resources":{"requests":{"cpu":"7"}}}]}}"#;
    let refused = member.try_kubectl(&[&bare, [greedy].as_slice()].concat(), "").unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exceeded quota"), "{refused:?}");

    // The tenant is deleted while it runs: held, and everything runs on.
    hub.delete_confirmed("tenant", TENANT, &["--wait=false"]).unwrap();
    let path =
        "-o=jsonpath={.status.conditions[?(@.type=='Ready')].reason} {.status.conditions[?(@.type=='Ready')].message}";
    let told =
        says(hub, "the tenant is held", &["get", "tenant", TENANT, path], |told| told.starts_with("DeletionHeld"))
            .await;
    assert!(told.contains("guard-portal/web") && told.contains("删除已暂停"), "{told}");

    // A namespace of the hub is deleted: what runs is held too, until exactly it is confirmed.
    let lost = NAMESPACES[2];
    hub.delete_confirmed("namespace", lost, &["--wait=false"]).unwrap();
    let path = "-o=jsonpath={.status.reason} {.status.messageEn}";
    let told = says(hub, "the workload is held", &["get", "fwl", "web", "-n", lost, path], |told| {
        told.starts_with("DeletionHeld")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for namespace in NAMESPACES {
        assert_eq!(running(member, namespace), 1, "{namespace} runs on");
    }
    let command = told.split_once("kubectl ").map(|(_, command)| command.trim().to_owned()).unwrap_or_default();
    hub.kubectl(&command.split(' ').collect::<Vec<_>>()).unwrap();
    says(hub, "the lost namespace is gone", &["get", "namespace", lost, "--ignore-not-found"], |told| {
        told.trim().is_empty()
    })
    .await;
    assert_eq!(running(member, lost), 0);

    // A stranger's Secret is in one of the namespaces; nobody of ours may read or count it, and it keeps the namespace.
    member.kubectl(&["create", "secret", "generic", "theirs", "-n", NAMESPACES[1], "--from-literal=a=b"]).unwrap();
    for namespace in &NAMESPACES[..2] {
        hub.kubectl(&["delete", "fwl", "web", "-n", namespace, "--timeout=120s"]).unwrap();
    }
    says(hub, "the tenant is gone", &["get", "tenant", TENANT, "--ignore-not-found"], |told| told.trim().is_empty())
        .await;
    for namespace in [NAMESPACES[0], lost] {
        let gone = ["get", "namespace", namespace, "--ignore-not-found"];
        says(member, &format!("{namespace} is gone in the member"), &gone, |told| told.trim().is_empty()).await;
    }
    member.kubectl(&["get", "secret", "theirs", "-n", NAMESPACES[1]]).unwrap();
    let account =
        member.kubectl(&["get", "serviceaccount", TENANT, "-n", "jiuzhou-tenants", "--ignore-not-found"]).unwrap();
    assert_eq!(account.trim(), "", "its account is gone");

    jiuzhou(&["leave", MEMBER, "--kubeconfig", &of_hub]);
    says(hub, "the member has left", &["get", "mc", MEMBER, "--ignore-not-found"], |told| told.trim().is_empty()).await;
    assert!(operator.terminate(Duration::from_secs(20)).unwrap().success());
    assert!(every_delivery_was_decided(&fleet).unwrap() >= 6, "deliveries were looked at");
    member.kubectl(&["delete", "namespace", NAMESPACES[1]]).unwrap();
    for namespace in &NAMESPACES[..2] {
        hub.kubectl(&["delete", "namespace", namespace]).unwrap();
    }
    hub.kubectl(&["delete", "site/guard-1", "imageprofile/life-guard"]).unwrap();
}
