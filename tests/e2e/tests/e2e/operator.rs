//! The operator as a process: it starts, ends when told, and does nothing when there is nothing to do.

use std::time::Duration;

use jiuzhou_e2e::audit::Event;
use jiuzhou_e2e::operator::USER;
use jiuzhou_e2e::{Fleet, Operator, Seen, eventually};

use crate::definitions::install;

/// What the operator has asked of the hub, from the n-th event on.
fn asked(fleet: &Fleet, from: usize) -> Vec<Event> {
    let mut events = fleet.hub().audit().unwrap().split_off(from);
    events.retain(|event| event.user == USER);
    events
}

fn told(events: &[Event]) -> String {
    let lines = events.iter().map(|event| format!("{} {} {}", event.verb, event.uri, event.code));
    lines.collect::<Vec<_>>().join("\n")
}

/// Starts it and waits until it says so; also where its requests begin in the audit log.
pub(crate) async fn started(fleet: &Fleet) -> (Operator, usize) {
    let from = fleet.hub().audit().unwrap().len();
    let mut operator = Operator::start(fleet).unwrap();
    eventually("the operator has started", Duration::from_secs(60), || {
        let said = operator.alive().and_then(|()| operator.said("started"));
        async move { Ok(Seen::when(said?, (), "nothing said")) }
    })
    .await
    .unwrap();
    (operator, from)
}

#[tokio::test]
async fn it_starts_on_the_hub_and_ends_in_order_when_asked() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let (operator, _) = started(&fleet).await;
    let ended = operator.terminate(Duration::from_secs(20)).unwrap();
    assert!(ended.success(), "{ended}");
}

/// A restart with nothing changed writes nothing but leases: asked of the API server's own log.
#[tokio::test]
async fn a_restart_with_nothing_changed_writes_nothing() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    // The first start may make what it needs once, such as the key of its digests.
    let (first, _) = started(&fleet).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    first.terminate(Duration::from_secs(20)).unwrap();
    let (second, from) = started(&fleet).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    second.terminate(Duration::from_secs(20)).unwrap();
    let mut writes = asked(&fleet, from);
    writes.retain(|event| event.is_write() && event.resource != "leases" && event.group != "events.k8s.io");
    assert!(writes.is_empty(), "{}", told(&writes));
}

/// Killed in the middle of anything, it starts again: nothing it left behind keeps it from doing so.
#[tokio::test]
async fn it_starts_again_after_being_killed() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    for wait in [0, 30, 200] {
        let (operator, _) = started(&fleet).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        operator.kill().unwrap();
    }
    let (operator, _) = started(&fleet).await;
    assert!(operator.terminate(Duration::from_secs(20)).unwrap().success());
}

#[tokio::test]
async fn a_hub_that_does_not_answer_is_told_and_not_waited_for_in_silence() {
    use jiuzhou_e2e::binary;
    use std::process::Command;

    let fleet = Fleet::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(fleet.hub().plane.kubeconfig()).unwrap();
    let server = fleet.hub().plane.server().unwrap();
    let nobody = folder.path().join("nobody");
    std::fs::write(&nobody, text.replace(&server, "https://127.0.0.1:9")).unwrap();
    let output = Command::new(binary().unwrap())
        .args(["operator", "--log", "json", "--listen", "127.0.0.1:0", "--audit"])
        .arg(folder.path().join("audit"))
        .arg("--kubeconfig")
        .arg(&nobody)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("failed to"), "{said}");
}
