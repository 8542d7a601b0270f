//! `stop` and `restore`: a whole information system taken to nothing that runs by order, and back.
//!
//! The order is written on the InformationSystem under the rights of whoever runs this; the operator does the rest.

use anyhow::Context as _;
use jiuzhou_api::v1alpha1::StopOrder;
use jiuzhou_control::people::stop as orders;
use jiuzhou_engine::decide::WorkloadKey;

use crate::args::{HubArgs, RestoreArgs, StopArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;

/// Stops a system everywhere.
pub(crate) fn stop(args: &StopArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = key(&args.stopped_system, args.namespace.as_deref());
    let order =
        StopOrder { order: args.order.as_str().into(), reason: args.reason.as_deref().map(Into::into), lifted: false };
    let workloads = ask(&args.hub, async |client| orders::stop(client, &key, order).await)?;
    let (number, count) = (&args.order, workloads.len());
    context.say(context.pick(
        &format!("{key} is ordered to stop by {number}: {count} workloads"),
        &format!("已按停用令 {number} 停用 {key}：{count} 个工作负载"),
    ));
    context.hint(&format!("→ kubectl get fwl -n {}", key.namespace));
    Ok(Exit::Ok)
}

/// Lifts the order that stops a system.
pub(crate) fn restore(args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = key(&args.stopped_system, args.namespace.as_deref());
    let number = ask(&args.hub, async |client| orders::restore(client, &key).await)?;
    context.say(context.pick(
        &format!("the order {number} on {key} is lifted; it runs again where it ran"),
        &format!("{key} 的停用令 {number} 已解除，将在原处恢复运行"),
    ));
    context.hint(&format!("→ kubectl get fwl -n {}", key.namespace));
    Ok(Exit::Ok)
}

fn key(system: &str, namespace: Option<&str>) -> WorkloadKey {
    match system.split_once('/') {
        Some((namespace, name)) => WorkloadKey::new(namespace, name),
        None => WorkloadKey::new(namespace.unwrap_or("default"), system),
    }
}

fn ask<T>(
    hub: &HubArgs,
    question: impl AsyncFnOnce(&jiuzhou_control::Client) -> Result<T, jiuzhou_control::Error>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async {
        let client = connect::client(hub).await?;
        Ok(question(&client).await?)
    })
}
