//! A person's order to place a workload anew, as if nothing of it ran, and its withdrawal while it waits.
//!
//! The order is an annotation with an instant, as `kubectl rollout restart` writes one; the operator carries each out once
//! and writes on the placement which was the last. It passes no rule and no brake.

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::FleetWorkload;
use jiuzhou_engine::decide::WorkloadKey;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::{change, read};
use crate::error::Error;

/// Orders it. Returns the instant that the order names: `at`, or later where an order of that instant was carried out.
///
/// # Errors
/// When the hub does not answer or refuses, and when there is nothing that an order could move.
pub async fn order(client: &Client, key: &WorkloadKey, at: Timestamp) -> Result<Timestamp, Error> {
    let (api, workload, placement) = read(client, key).await?;
    let Some(placement) = placement else {
        return Err(Error::Order(
            format!("{key} has no placement yet: it is placed as soon as it can be."),
            format!("{key} 尚无部署结果，可部署时将立即部署。"),
        ));
    };
    if placement.status.as_ref().is_some_and(|status| !status.started.is_empty()) {
        return Err(Error::Order(
            format!("{key} runs once and has begun: it is not run a second time elsewhere."),
            format!("{key} 只运行一次且已启动，不会在别处再次运行。"),
        ));
    }
    let done = placement.spec.rebalanced_at.map(|done| done.0);
    let next = done.and_then(|done| done.checked_add(SignedDuration::from_secs(1)).ok());
    let at = next.map_or(at, |next| next.max(at));
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    write(&api, &workload, Value::from(at.to_string())).await?;
    Ok(at)
}

/// Withdraws the order that waits. Returns the instant that it names.
///
/// # Errors
/// When the hub does not answer or refuses, and when no order waits.
pub async fn withdraw(client: &Client, key: &WorkloadKey) -> Result<String, Error> {
    let (api, workload, placement) = read(client, key).await?;
    let done = placement.and_then(|placement| placement.spec.rebalanced_at).map(|done| done.0);
    let stated = workload.annotations().get(meta::ANNOTATION_REBALANCE_AT).cloned();
    let waits = |stated: &String| stated.parse::<Timestamp>().map_or(true, |at| done.is_none_or(|done| done < at));
    let Some(stated) = stated.filter(waits) else {
        return Err(Error::Order(
            format!("no order to place {key} anew waits."),
            format!("{key} 没有等待执行的重新部署指令。"),
        ));
    };
    write(&api, &workload, Value::Null).await?;
    Ok(stated)
}

async fn write(api: &Api<FleetWorkload>, workload: &FleetWorkload, order: Value) -> Result<(), Error> {
    let word = json!({ "metadata": { "annotations": { meta::ANNOTATION_REBALANCE_AT: order } } });
    change(api, workload, word).await.map(drop)
}
