//! `drain` and `leave`: the two steps by which a member cluster lets go of its workloads and then of the fleet.
//!
//! Both only say what is wanted; the operator does it, lists what is left in the status, and holds the deletion until
//! nothing is left or `--abandon` names the cluster.

use anyhow::{Context as _, bail};
use jiuzhou_control::fleet::order::{Order, order};

use crate::args::{DrainArgs, HubArgs, LeaveArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;

/// Empties a member, or takes that back.
pub(crate) fn drain(args: &DrainArgs, context: &Context) -> anyhow::Result<Exit> {
    let (what, order) = if args.undo {
        (context.pick("carries workloads again", "恢复承载"), Order::Active)
    } else {
        (context.pick("is being emptied", "正在清空"), Order::Drain)
    };
    give(&args.hub, &args.cluster, order)?;
    context.say(&format!("{} {what}: kubectl get mc {} -o yaml", args.cluster, args.cluster));
    Ok(Exit::Ok)
}

/// Lets a member go.
pub(crate) fn leave(args: &LeaveArgs, context: &Context) -> anyhow::Result<Exit> {
    let abandon = match &args.abandon {
        Some(name) if *name != args.cluster => bail!(
            context
                .pick(
                    &format!("--abandon names {name}, not {}", args.cluster),
                    &format!("--abandon 填写的是 {name}，而不是 {}", args.cluster),
                )
                .to_owned()
        ),
        Some(_) => true,
        None => false,
    };
    give(&args.hub, &args.cluster, Order::Leave { abandon })?;
    context.say(context.pick(
        &format!(
            "{} leaves as soon as nothing of ours is left there: kubectl get mc {} -o yaml",
            args.cluster, args.cluster
        ),
        &format!("{} 将在无遗留对象后退出：kubectl get mc {} -o yaml", args.cluster, args.cluster),
    ));
    Ok(Exit::Ok)
}

fn give(hub: &HubArgs, cluster: &str, order_given: Order) -> anyhow::Result<()> {
    connect::ask(hub, async |client| order(client, cluster, order_given).await.context("failed to give the order"))
}
