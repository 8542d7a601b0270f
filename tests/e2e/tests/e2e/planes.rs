//! The control planes themselves: what they are told apart by, and that they can be hurt and come back.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiuzhou_e2e::{Component, Fleet, Seen, binary, eventually, unique};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use serde_json::Value;

/// What `jiuzhou inventory` finds in what kubectl prints of each member's nodes.
#[tokio::test]
async fn the_inventory_recognises_the_cpu_of_every_member() {
    let fleet = Fleet::start().await.unwrap();
    let mut seen = BTreeMap::new();
    for member in fleet.members() {
        let nodes = member.kubectl(&["get", "nodes", "-o", "yaml"]).unwrap();
        let mut command = Command::new(binary().unwrap());
        command.args(["inventory", "-", "-o", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(nodes.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sections = told["sections"].as_array().unwrap_or_else(|| panic!("{told:#}"));
        let platforms = sections.iter().find(|section| section["key"] == "platforms").unwrap();
        let rows = platforms["rows"].as_array().unwrap().iter();
        let told = rows.map(|row| format!("{} on {} nodes", row["platform"].as_str().unwrap_or("?"), row["nodes"]));
        let platforms: Vec<String> = told.collect();
        seen.insert(member.name().to_owned(), platforms.join(", "));
    }
    let wanted = [
        ("hygon", "hygon-7000 on 3 nodes"),
        ("kunpeng", "kunpeng-920 on 3 nodes"),
        ("loongson", "loongson-3c5000 on 3 nodes"),
        ("phytium", "phytium-s2500 on 3 nodes"),
        ("x86", "x86-64-v4 on 3 nodes"),
    ];
    assert_eq!(seen, BTreeMap::from(wanted.map(|(name, nodes)| (name.to_owned(), nodes.to_owned()))));
}

/// A pod whose node affinity names an architecture runs where it is and waits where it is not.
#[tokio::test]
async fn a_pod_runs_on_a_member_of_its_architecture_alone() {
    let fleet = Fleet::start().await.unwrap();
    let pod = |name: &str| -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": { "name": name },
            "spec": {
                "nodeSelector": { "kubernetes.io/arch": "arm64" },
                "containers": [{ "name": "web", "image": "registry.gov.example/web:1" }],
            },
        }))
        .unwrap()
    };
    for (member, phase, condition) in [("kunpeng", "Running", "True"), ("x86", "Pending", "False")] {
        let pods: Api<Pod> = Api::namespaced(fleet.member(member).client.clone(), "default");
        pods.create(&PostParams::default(), &pod("arm-only")).await.unwrap();
        eventually(&format!("the pod on {member} is {phase}"), Duration::from_secs(60), || async {
            let status = pods.get("arm-only").await?.status.unwrap_or_default();
            let scheduled = status.conditions.iter().flatten().find(|one| one.type_ == "PodScheduled");
            let seen = scheduled.map(|one| one.status.clone()).unwrap_or_default();
            let right = status.phase.as_deref() == Some(phase) && seen == condition;
            Ok(Seen::when(right, (), format!("{:?}, PodScheduled {seen}", status.phase)))
        })
        .await
        .unwrap();
        pods.delete("arm-only", &DeleteParams::default().grace_period(0)).await.unwrap();
    }
}

#[tokio::test]
async fn the_audit_log_shows_who_wrote_what_and_hides_secrets() {
    let fleet = Fleet::start().await.unwrap();
    let member = fleet.member("hygon");
    let name = unique("seen");
    let object = |kind: &str, content: &str| {
        format!("{{apiVersion: v1, kind: {kind}, metadata: {{name: {name}, namespace: default}}, {content}}}")
    };
    member.apply(&object("Secret", "stringData: {password: hidden-word}")).unwrap();
    member.apply(&object("Service", "spec: {ports: [{port: 80}]}")).unwrap();
    member.kubectl(&["delete", "secret,service", &name]).unwrap();
    let events = member.audit().unwrap();
    let of = |resource: &str| {
        let mine = events.iter().filter(|event| event.name == name && event.resource == resource && event.wrote());
        mine.map(|event| (event.verb.as_str(), event.user.as_str())).collect::<Vec<_>>()
    };
    let wanted = [("patch", "kwok-admin"), ("delete", "kwok-admin")];
    assert_eq!(of("secrets"), wanted);
    assert_eq!(of("services"), wanted);
    let service = events.iter().find(|event| event.name == name && event.resource == "services").unwrap();
    assert_eq!(service.request["spec"]["ports"][0]["port"], 80);
    assert!(service.user_agent.starts_with("kubectl/"), "{}", service.user_agent);
    let log = std::fs::read_to_string(member.plane.audit_log()).unwrap();
    assert!(!log.contains("hidden-word") && !log.contains("aGlkZGVuLXdvcmQ"));
}

#[tokio::test]
async fn a_member_that_lost_its_api_server_comes_back_with_what_it_had() {
    let fleet = Fleet::start().await.unwrap();
    let member = fleet.member("phytium");
    let namespaces: Api<Namespace> = Api::all(member.client.clone());
    let name = unique("kept");
    let kept =
        Namespace { metadata: ObjectMeta { name: Some(name.clone()), ..Default::default() }, ..Default::default() };
    namespaces.create(&PostParams::default(), &kept).await.unwrap();

    member.plane.kill(&[Component::ApiServer]).unwrap();
    assert!(namespaces.get(&name).await.is_err(), "a dead API server answered");

    member.plane.start(fleet.tools()).unwrap();
    member.plane.answering(fleet.tools()).unwrap();
    assert!(namespaces.get_opt(&name).await.unwrap().is_some());
    namespaces.delete(&name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_frozen_member_answers_nothing_and_goes_on_when_thawed() {
    let fleet = Fleet::start().await.unwrap();
    let member = fleet.member("loongson");
    let namespaces: Api<Namespace> = Api::all(member.client.clone());
    member.plane.freeze(&[Component::ApiServer]).unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(2), namespaces.list(&ListParams::default())).await;
    assert!(asked.is_err(), "a frozen API server answered: {asked:?}");
    member.plane.thaw(&[Component::ApiServer]).unwrap();
    eventually("the thawed API server answers", Duration::from_secs(60), || async {
        let listed = namespaces.list(&ListParams::default()).await?;
        Ok(Seen::Done(listed.items.len()))
    })
    .await
    .unwrap();
}

/// Two sets side by side: their ports, files and processes are their own, and `down` leaves nothing of the one and
/// the other alone.
#[tokio::test]
async fn a_second_set_stands_beside_the_first_and_leaves_nothing() {
    let fleet = Fleet::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("second");
    let second = testbed::Set::up(&folder, &[], fleet.tools(), &mut |_| {}).unwrap();
    let rows = second.status(fleet.tools()).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].version.is_some(), "{rows:?}");
    assert_ne!(rows[0].server, fleet.hub().plane.server().unwrap());
    let again = testbed::Set::up(&folder, &[], fleet.tools(), &mut |_| {}).unwrap();
    assert_eq!(again.hub().server().unwrap(), rows[0].server, "starting twice made another hub");
    let ended = testbed::Set::down(&folder).unwrap();
    assert_eq!(ended, 3, "etcd, API server, controller manager");
    assert!(!folder.exists());
    fleet.hub().kubectl(&["get", "--raw", "/readyz"]).unwrap();
}
