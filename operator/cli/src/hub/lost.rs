//! `fence` and `failover`: what a person says about members that do not answer.
//!
//! Both are words to the operator, which moves what the rules let it move; neither passes a rule.

use anyhow::bail;
use jiuzhou_api::v1alpha1::FailoverPhase;
use jiuzhou_control::people::lost;

use crate::args::{FailoverArgs, FenceArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::{ask, named};

/// Confirms that nothing runs in a member any more.
pub(crate) fn fence(args: &FenceArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.confirm != args.cluster {
        bail!(
            context
                .pick(
                    &format!("--confirm names {}, not {}", args.confirm, args.cluster),
                    &format!("--confirm 填写的是 {}，而不是 {}", args.confirm, args.cluster),
                )
                .to_owned()
        );
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
    let key = named(&args.of);
    let from = &args.from;
    let before = ask(&args.of.hub, async |client| lost::failover(client, &key, from, args.undo).await)?;
    if args.undo {
        context.say(&format!("{key} {} {from}", context.pick("waits for its turn to leave", "将按次序离开")));
        return Ok(Exit::Ok);
    }
    context.say(&format!("{key} {} {from}", context.pick("may leave", "可离开")));
    let hint = match before {
        Some(FailoverPhase::Fence) => context.pick(
            "It may run only once: it waits for `jiuzhou fence` all the same.",
            "该工作负载只能运行一份，仍须先执行 `jiuzhou fence`。",
        ),
        Some(FailoverPhase::Data) => {
            context.pick("Its data is only there: nothing is started elsewhere.", "其数据仅在该集群，不会在别处启动。")
        }
        Some(FailoverPhase::Once) => {
            context.pick("It runs once, and never again.", "该工作负载仅运行一次，不会再次运行。")
        }
        Some(_) => context.pick("→ jiuzhou rollout status shows how it stands.", "→ 进展见 jiuzhou rollout status。"),
        None => context.pick(
            "The member answers: the order holds when it falls silent, or when the workload is not well there and its policy has failover.application.",
            "该成员目前有应答：该指令在其无应答时生效，或在策略填写了 failover.application 且工作负载在该处状态不良时生效。",
        ),
    };
    context.hint(hint);
    Ok(Exit::Ok)
}
