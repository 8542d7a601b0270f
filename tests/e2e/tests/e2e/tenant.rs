//! A tenant on real clusters: its fence, and its end. Deleting it takes nothing away that runs; deleting its namespace on
//! the hub is held until a person confirms it; what goes in a member is what is proven empty.

use std::time::Duration;

use jiuzhou_e2e::scene::{AFTER_A_KILL, Scene, object};
use jiuzhou_e2e::{Cluster, Seen, Start, eventually};
use serde_json::{Value, json};

const MEMBER: &str = "kunpeng";

fn running(cluster: &Cluster, namespace: &str) -> usize {
    let arguments = ["get", "pods", "-n", namespace, "--no-headers", "--ignore-not-found"];
    let pods = cluster.kubectl(&arguments).unwrap_or_default();
    pods.lines().filter(|line| line.contains("Running")).count()
}

/// Waits until an answer of kubectl is as wanted.
async fn says(cluster: &Cluster, what: &str, arguments: &[&str], wanted: impl Fn(&str) -> bool) -> String {
    eventually(what, AFTER_A_KILL, || {
        let told = cluster.kubectl(arguments);
        let done = told.as_deref().is_ok_and(&wanted);
        async move { Ok(Seen::when(done, told.as_ref().map(String::clone).unwrap_or_default(), format!("{told:?}"))) }
    })
    .await
    .unwrap()
}

async fn gone(cluster: &Cluster, kind: &str, name: &str) {
    let arguments = ["get", kind, name, "--ignore-not-found"];
    says(cluster, &format!("{kind} {name} is gone"), &arguments, |told| told.trim().is_empty()).await;
}

#[tokio::test]
async fn a_tenant_is_fenced_and_leaves_only_when_nothing_of_it_runs() {
    let mut scene = Scene::begin("guard").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    // One goes with the tenant, one holds what a stranger put there, one is deleted on the hub by mistake.
    let (portal, shared, lost) = (scene.namespace(), "guard-shared".to_owned(), "guard-lost".to_owned());
    let all = [&portal, &shared, &lost];
    let namespace = |name: &String| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    // A system is of its namespace.
    let system = |namespace: &String, code: &str| {
        let spec = json!({
            "displayName": "安全服务", "projectCode": code, "tenant": "guard", "functionDomain": "PublicService",
            "dataClass": { "class": "General", "setBy": "业务科" },
        });
        object("InformationSystem", "guard", Some(namespace), &spec)
    };
    scene.apply(&[namespace(&shared), namespace(&lost)]).unwrap();
    scene.apply(&[system(&shared, "KM-2026-9101"), system(&lost, "KM-2026-9102")]).unwrap();
    let owned: Vec<Value> = all.iter().map(|name| json!({ "name": name, "system": "guard" })).collect();
    let grant = json!({
        "name": "year", "document": { "number": "昆财采〔2026〕12号" }, "from": "2026-01-01",
        "hard": { "cpu": "6", "memory": "12Gi", "pods": "40" },
    });
    let patch = json!({ "spec": { "namespaces": owned, "quota": [grant] } }).to_string();
    scene.fleet.hub().kubectl(&["patch", "tenant", "guard", "--type=merge", "-p", &patch]).unwrap();
    scene.join(&[MEMBER]).await.unwrap();
    let workload = |namespace: &String| {
        let mut one = scene.workload("web", "both", 1);
        one["metadata"]["namespace"] = json!(namespace);
        one
    };
    scene.apply(&all.map(workload)).unwrap();
    let (hub, member) = (scene.fleet.hub(), scene.member(MEMBER));
    for namespace in all {
        let ready = ["get", "fwl", "web", "-n", namespace, "-o=jsonpath={.status.reason}"];
        says(hub, &format!("{namespace} runs"), &ready, |told| told == "AsWanted").await;
    }

    // The fence: the whole grant in each namespace, and a pod that states no requests is let in with the least.
    let hard = ["get", "resourcequota", "jiuzhou", "-n", &portal, "-o=jsonpath={.spec.hard}"];
    let hard: Value = serde_json::from_str(&member.kubectl(&hard).unwrap()).unwrap();
    assert_eq!(hard, json!({ "requests.cpu": "6", "requests.memory": "12Gi", "pods": "40" }));
    let bare = ["run", "bare", "-n", &portal, "--image=a", "--dry-run=server", "-o=name"];
    member.kubectl(&bare).unwrap();
    let greedy =
        r#"--overrides={"spec":{"containers":[{"name":"bare","image":"a","resources":{"requests":{"cpu":"7"}}}]}}"#;
    let refused = member.try_kubectl(&[bare.as_slice(), &[greedy]].concat(), "").unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exceeded quota"), "{refused:?}");

    // A grant that is cut is a lower fence, in each namespace that has something of the tenant.
    let cut = json!({ "spec": { "quota": [{
        "name": "year", "document": { "number": "昆财采〔2026〕12号" }, "from": "2026-01-01",
        "hard": { "cpu": "5", "memory": "12Gi", "pods": "40" },
    }] } });
    hub.kubectl(&["patch", "tenant", "guard", "--type=merge", "-p", &cut.to_string()]).unwrap();
    let cpu = ["get", "resourcequota", "jiuzhou", "-n", &portal, "-o=jsonpath={.spec.hard['requests\\.cpu']}"];
    says(member, "the fence is lower", &cpu, |told| told == "5").await;

    // The tenant is deleted while it runs: held, and everything runs on.
    hub.delete_confirmed("tenant", "guard", &["--wait=false"]).unwrap();
    let ready = ".status.conditions[?(@.type=='Ready')]";
    let path = format!("-o=jsonpath={{{ready}.reason}} {{{ready}.message}}");
    let asked = ["get", "tenant", "guard", &path];
    let told = says(hub, "the tenant is held", &asked, |told| told.starts_with("DeletionHeld")).await;
    assert!(told.contains("guard-portal/web") && told.contains("删除已暂停"), "{told}");

    // A namespace of the hub is deleted: what runs is held too, until exactly it is confirmed.
    let unconfirmed = hub.try_kubectl(&["delete", "namespace", &lost, "--wait=false"], "").unwrap();
    let words = String::from_utf8_lossy(&unconfirmed.stderr).into_owned();
    assert!(!unconfirmed.status.success() && words.contains("删除未确认"), "{words}");
    hub.delete_confirmed("namespace", &lost, &["--wait=false"]).unwrap();
    let asked = ["get", "fwl", "web", "-n", &lost, "-o=jsonpath={.status.reason} {.status.messageEn}"];
    let told = says(hub, "the workload is held", &asked, |told| told.starts_with("DeletionHeld")).await;
    scene
        .stays("everything runs on", Duration::from_secs(5), || async {
            Ok(all.iter().all(|one| running(member, one) == 1))
        })
        .await
        .unwrap();
    let command = told.split_once("kubectl ").map(|(_, command)| command.trim().to_owned()).unwrap();
    hub.kubectl(&command.split(' ').collect::<Vec<_>>()).unwrap();
    gone(hub, "namespace", &lost).await;
    assert_eq!(running(member, &lost), 0);

    // A stranger's Secret is in one of the namespaces: nobody of ours may read or list it, and it keeps the namespace.
    member.kubectl(&["create", "secret", "generic", "theirs", "-n", &shared, "--from-literal=a=b"]).unwrap();
    for namespace in [&portal, &shared] {
        hub.kubectl(&["delete", "fwl", "web", "-n", namespace, "--timeout=120s"]).unwrap();
    }
    gone(hub, "tenant", "guard").await;
    gone(member, "namespace", &portal).await;
    gone(member, "namespace", &lost).await;
    member.kubectl(&["get", "secret", "theirs", "-n", &shared]).unwrap();
    let account = ["get", "serviceaccount", "guard", "-n", "jiuzhou-tenants", "--ignore-not-found"];
    assert_eq!(member.kubectl(&account).unwrap().trim(), "", "its account is gone");

    member.kubectl(&["delete", "namespace", &shared, "--wait=false"]).unwrap();
    hub.kubectl(&["delete", "namespace", &shared, "--wait=false"]).unwrap();
    assert!(scene.end(operator).await.unwrap() >= 6, "deliveries were looked at");
}
