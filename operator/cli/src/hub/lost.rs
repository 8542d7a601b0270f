//! `fence` and `failover`: what a person says about members that do not answer.
//!
//! Both are words to the operator, which moves what the rules let it move; neither passes a rule.

use anyhow::{Context as _, bail};
use jiuzhou_control::fleet::lost;
use jiuzhou_engine::decide::WorkloadKey;

use crate::args::{FailoverArgs, FenceArgs, HubArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;

/// Confirms that nothing runs in a member any more.
pub(crate) fn fence(args: &FenceArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.confirm != args.cluster {
        bail!("--confirm names {}, not {}", args.confirm, args.cluster);
    }
    let mut by = args.by.clone();
    if let Some(document) = &args.document {
        by = format!("{by} {document}");
    }
    let cluster = &args.cluster;
    let since = ask(&args.hub, async |client| lost::fence(client, cluster, &by).await)?;
    context.say(context.pick(
        &format!(
            "{cluster}, silent since {since}, is confirmed as fenced: what may run only once is started elsewhere"
        ),
        &format!("已确认 {cluster}（自 {since} 起无应答）已被隔离：只能运行一份的工作负载将在别处启动"),
    ));
    Ok(Exit::Ok)
}

/// Lets a workload leave a member that does not answer.
pub(crate) fn failover(args: &FailoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = match args.workload.split_once('/') {
        Some((namespace, name)) => WorkloadKey::new(namespace, name),
        None => WorkloadKey::new(args.namespace.as_deref().unwrap_or("default"), &args.workload),
    };
    let from = &args.from;
    let before = ask(&args.hub, async |client| lost::failover(client, &key, from, args.undo).await)?;
    if args.undo {
        context.say(&format!("{key} {} {from}", context.pick("waits for its turn to leave", "将按次序离开")));
        return Ok(Exit::Ok);
    }
    context.say(&format!("{key} {} {from}", context.pick("may leave", "可离开")));
    let hint = match before.as_deref() {
        Some("Fence") => context.pick(
            "It may run only once: it waits for `jiuzhou fence` all the same.",
            "该工作负载只能运行一份，仍须先执行 `jiuzhou fence`。",
        ),
        Some("Data") => {
            context.pick("Its data is only there: nothing is started elsewhere.", "其数据仅在该集群，不会在别处启动。")
        }
        Some("Once") => context.pick("It runs once, and never again.", "该工作负载仅运行一次，不会再次运行。"),
        Some(_) => context.pick("→ jiuzhou rollout status shows how it stands.", "→ 进展见 jiuzhou rollout status。"),
        None => context.pick(
            "The member answers: the order holds when it falls silent.",
            "该成员目前有应答：该指令在其无应答时生效。",
        ),
    };
    context.hint(hint);
    Ok(Exit::Ok)
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
