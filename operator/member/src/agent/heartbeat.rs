//! The heartbeat: a lease on the hub, renewed often enough that no firewall forgets the way.

use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::meta;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a lease holds: three heartbeats, and never less than what counts as an outage.
pub(super) fn lease_seconds(heartbeat: Duration) -> Duration {
    (heartbeat * 3).max(Duration::from_secs(40))
}

/// Beats for ever. `beats` is told the moment at which a beat that arrived was sent.
pub(super) async fn beat(hub: Client, namespace: &str, cluster: &str, every: Duration, beats: watch::Sender<Instant>) {
    let leases: Api<Lease> = Api::namespaced(hub, namespace);
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    loop {
        let sent = Instant::now();
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": meta::AGENT_LEASE, "labels": { meta::LABEL_CLUSTER: cluster } },
            "spec": {
                "holderIdentity": cluster,
                "leaseDurationSeconds": lease_seconds(every).as_secs(),
                "renewTime": micro(Timestamp::now()),
            },
        });
        match leases.patch(meta::AGENT_LEASE, &params, &Patch::Apply(&lease)).await {
            Ok(_) => {
                beats.send_replace(sent);
            }
            Err(error) => tracing::warn!(%error, "failed to reach the hub"),
        }
        sleep_until(sent + every).await;
    }
}

/// A time with exactly six digits of a second, as MicroTime wants it.
fn micro(at: Timestamp) -> String {
    format!("{at:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_time_has_six_digits() {
        assert_eq!(micro("2026-11-26T05:00:00Z".parse().unwrap()), "2026-11-26T05:00:00.000000Z");
    }

    #[test]
    fn a_lease_outlives_two_lost_beats() {
        assert_eq!(lease_seconds(Duration::from_secs(20)).as_secs(), 60);
        assert_eq!(lease_seconds(Duration::from_secs(5)).as_secs(), 40);
    }
}
