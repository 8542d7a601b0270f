//! `rebalance`: a person orders a workload to be placed anew.

use jiff::Timestamp;
use jiuzhou_control::people::rebalance;

use crate::args::RebalanceArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::{ask, named};

/// Gives the order, or withdraws the one that waits.
pub(crate) fn rebalance(args: &RebalanceArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = named(&args.of);
    if args.withdraw {
        let at = ask(&args.of.hub, async |client| rebalance::withdraw(client, &key).await)?;
        context.say(&format!(
            "{key} {} {at}",
            context.pick("stays where it is; withdrawn is the order of", "保持原处；已撤销指令：")
        ));
        return Ok(Exit::Ok);
    }
    let at = args.rebalance_at.unwrap_or_else(Timestamp::now);
    let at = ask(&args.of.hub, async |client| rebalance::order(client, &key, at).await)?;
    context.say(&format!(
        "{key} {} {at}",
        context.pick("is ordered to be placed anew, from", "已下令重新部署，自此时起：")
    ));
    context.hint(context.pick(
        "It passes no rule: a change freeze, an outage where it runs and too many moves at once hold it.\n→ kubectl get fpl -o yaml shows it as rebalancedAt once it is carried out.",
        "不突破任何规则：封网期、所在集群无应答或同时迁移过多时均须等待。\n→ 执行后可见于 kubectl get fpl -o yaml 的 rebalancedAt。",
    ));
    Ok(Exit::Ok)
}
