//! The last test of a whole run: granted minus used is empty, on the hub and on the members, and nothing of ours was
//! forbidden. It reads what the API servers recorded while the stories ran; by itself it proves nothing, so without a
//! filter it runs after them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiuzhou_e2e::{Fleet, rights};

#[tokio::test]
async fn every_right_that_is_granted_was_used_and_none_was_missing() {
    let fleet = Fleet::start().await.unwrap();
    let hub = (rights::roles(fleet.hub()).unwrap(), fleet.hub().audit().unwrap());
    let members: Vec<_> =
        fleet.members().map(|member| (rights::roles(member).unwrap(), member.audit().unwrap())).collect();
    let clusters: Vec<_> = std::iter::once(hub).chain(members).collect();
    let (unused, granted) = rights::unused(&clusters);
    let forbidden: Vec<String> = clusters.iter().flat_map(|(_, events)| rights::forbidden(events)).collect();
    assert!(granted > 100, "{granted} rights were looked at: is the chart's role on the hub?");
    let found = [forbidden.join("\n"), unused.join("\n")];
    assert!(
        found.iter().all(String::is_empty),
        "{} requests of ours were forbidden, {} of {granted} rights were never used:\n{}",
        forbidden.len(),
        unused.len(),
        found.join("\n")
    );
}
