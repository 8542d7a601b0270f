//! What the control planes take without us: the same Deployments applied straight to the members.
//!
//! On a machine that all API servers, controllers and etcds share, this is the limit that the burst through the hub is
//! held against, in the same run.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use kube::Api;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::discovery::ApiResource;
use serde_json::json;

use super::{Bench, MEMBERS, tell};

/// Namespace of these Deployments in the members.
const NAMESPACE: &str = "floor";

/// Deployments of a member in a namespace.
pub(crate) fn deployments(bench: &Bench, member: &str, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "apps".to_owned(),
        version: "v1".to_owned(),
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        plural: "deployments".to_owned(),
    };
    Api::namespaced_with(bench.scene.member(member).client.clone(), namespace, &resource)
}

/// How many there are, without reading them.
pub(crate) async fn count(deployments: &Api<DynamicObject>) -> Result<usize> {
    let page = deployments.list_metadata(&ListParams::default().limit(1)).await?;
    let more = page.metadata.remaining_item_count.unwrap_or(0);
    Ok(page.items.len() + usize::try_from(more)?)
}

impl Bench {
    /// All at once and straight to the members, half to each, until all are there and until all are ready.
    pub(crate) async fn floor(&self, count: usize) -> Result<()> {
        let mut members = Vec::new();
        for member in MEMBERS {
            self.scene.member(member).kubectl(&["create", "namespace", NAMESPACE])?;
            members.push(deployments(self, member, NAMESPACE));
        }
        let params = PatchParams::apply("bench");
        let began = Instant::now();
        let one = |nth: usize| {
            let (params, member) = (&params, &members[nth % MEMBERS.len()]);
            let name = format!("floor-{nth}");
            let manifest = self.scene.deployment(&name, ["arm", "x86"][nth % MEMBERS.len()], 1);
            async move { member.patch(&name, params, &Patch::Apply(manifest)).await.map(drop) }
        };
        let applied: Vec<_> = futures::stream::iter(0..count).map(one).buffer_unordered(16).collect().await;
        applied.into_iter().collect::<Result<(), _>>().context("failed to apply to a member")?;
        let there = began.elapsed();
        loop {
            let mut ready = 0;
            for member in &members {
                let all = member.list(&ListParams::default()).await?;
                ready += all.items.iter().filter(|one| one.data["status"]["readyReplicas"] == 1).count();
            }
            if ready == count {
                break;
            }
            ensure!(began.elapsed() < Duration::from_secs(900), "failed to see {} become ready", count - ready);
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let ready = began.elapsed();
        for member in MEMBERS {
            self.scene.member(member).kubectl(&["delete", "namespace", NAMESPACE, "--wait=true"])?;
        }
        tell(&json!({
            "what": "straight to the members, all at once", "count": count, "ms": there.as_millis(),
            "ms_ready": ready.as_millis(), "per_second_ready": count as u128 * 1000 / ready.as_millis().max(1),
        }));
        Ok(())
    }
}
