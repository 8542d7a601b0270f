//! What an agent tells the hub: who the cluster is and what it has. Written when it moved, as push does it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::HubClaim;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{JSON, REPORT, Settings};
use crate::claim::{self, Hub, Standing};
use crate::connection::Trouble;
use crate::inventory::{self, Inventory, Moved, moved};
use crate::left;

/// Between two observations, and between two writes of free room that moved.
const OBSERVE: Duration = Duration::from_secs(60);
const ROOM: Duration = Duration::from_secs(300);

/// What an agent tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// Uid of the cluster's `kube-system`.
    pub identity: String,
    /// Which hub the member says it obeys; judged by the hub, not by the agent.
    pub claim: Option<HubClaim>,
    /// What the cluster has.
    pub inventory: Inventory,
    /// Objects of ours by namespace from complete lists, while the member drains or leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<BTreeMap<String, i32>>,
}

/// Reports for ever.
pub(super) async fn report(
    hub: Client,
    member: Client,
    namespace: &str,
    cluster: &str,
    mut settings: watch::Receiver<Settings>,
) {
    let maps: Api<ConfigMap> = Api::namespaced(hub, namespace);
    let mut written: Option<Report> = None;
    let mut room_written = Instant::now();
    loop {
        let known = settings.borrow_and_update().clone();
        match observe(&member, &known).await {
            Ok(mut report) => {
                let far = written.as_ref().map_or(Moved::Facts, |written| far(written, &report));
                let due = match far {
                    Moved::Facts => true,
                    Moved::Room => room_written.elapsed() >= ROOM,
                    Moved::Little => false,
                };
                if due && write(&maps, cluster, &report).await {
                    room_written = Instant::now();
                    written = Some(std::mem::take(&mut report));
                }
            }
            Err(trouble) => tracing::warn!(%trouble, "failed to observe the cluster"),
        }
        tokio::select! {
            () = sleep(OBSERVE) => {}
            // Without a sender nothing changes any more; the clock still counts.
            Ok(()) = settings.changed() => {}
        }
    }
}

fn far(written: &Report, now: &Report) -> Moved {
    let Report { identity, claim, inventory, left } = now;
    let Inventory { version, apis, pools, nodes: _, left_out } = inventory;
    let before = &written.inventory;
    let same = written.identity == *identity && written.claim == *claim && written.left == *left;
    if !same || before.version != *version || before.apis != *apis || before.left_out != *left_out {
        return Moved::Facts;
    }
    moved(&before.pools, pools)
}

async fn observe(member: &Client, settings: &Settings) -> Result<Report, Trouble> {
    let identity = claim::identity(member).await?;
    let dividing: Vec<&str> = settings.dividing.iter().map(String::as_str).collect();
    let inventory = inventory::observe(member, &settings.catalogue, &dividing).await?;
    let claim = claim::read(member).await?.map(|found| found.claim);
    let left = if settings.leaving { Some(left::left(member).await?) } else { None };
    Ok(Report { identity, claim, inventory, left })
}

/// How this hub stands with this member, by the member's own record.
pub(super) async fn standing(member: &Client, settings: &Settings) -> Result<Standing, Trouble> {
    let Settings { hub, term, epoch, succeeds, never, .. } = settings.clone();
    let hub = Hub { id: hub, term, epoch, succeeds, never };
    let found = claim::read(member).await?;
    Ok(claim::judge(found.as_ref().map(|found| &found.claim), &hub, None))
}

async fn write(maps: &Api<ConfigMap>, cluster: &str, report: &Report) -> bool {
    let Ok(text) = serde_json::to_string(report) else { return false };
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": REPORT, "labels": { meta::LABEL_CLUSTER: cluster } },
        "data": { JSON: text },
    });
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    match maps.patch(REPORT, &params, &Patch::Apply(&map)).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "failed to report to the hub; trying again");
            false
        }
    }
}
