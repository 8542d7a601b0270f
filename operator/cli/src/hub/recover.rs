//! `recover`: a hub or a member was restored from a backup, or a standby takes the place of a hub that is lost.
//!
//! What confirming does is shown first; the value of `--confirm` is of exactly what was shown.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiuzhou_control::people::approve::whoami;
use jiuzhou_control::people::recover::{self, Promotion, Standing};

use crate::args::RecoverArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::ask;

/// Shows how hub or member stand and, where that is confirmed, goes on.
pub(crate) fn run(args: &RecoverArgs, context: &Context) -> anyhow::Result<Exit> {
    match (&args.cluster, args.promote) {
        (Some(cluster), _) => member(args, cluster, context),
        (None, true) => promote(args, context),
        (None, false) => hub(args, context),
    }
}

fn hub(args: &RecoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let standing = ask(&args.hub, async |client| recover::look(client).await)?;
    print(&of_hub(&standing, context))?;
    if standing.behind == 0 {
        return Ok(Exit::Ok);
    }
    let epoch = standing.behind.to_string();
    if !confirmed(args, &epoch, "jiuzhou recover", context)? {
        return Ok(Exit::Ok);
    }
    let at = whole_second()?;
    ask(&args.hub, async |client| {
        let by = whoami(client).await?;
        recover::go_on(client, standing.behind, &by, at).await
    })?;
    context.say(context.pick(
        &format!("the hub goes on above epoch {epoch}: decisions, removals and moves are carried out again"),
        &format!("中心自轮次 {epoch} 之后继续：恢复决策、移除与迁移"),
    ));
    Ok(Exit::Ok)
}

fn of_hub(standing: &Standing, context: &Context) -> String {
    let Standing { hub, committed, behind, members, placed: (workloads, clusters) } = standing;
    let mut out = String::new();
    let mut line = |en: &str, zh: &str, text: &str| out += &format!("{}: {text}\n", context.pick(en, zh));
    line("hub", "中心", hub);
    line("committed here up to epoch", "本中心提交至轮次", &committed.to_string());
    for (member, words) in members {
        line("member", "成员", &format!("{member}: {words}"));
    }
    if *behind == 0 {
        line(
            "recover",
            "恢复",
            context.pick(
                "nothing to do: no member has seen what this hub never committed",
                "无须处理：没有成员见过未提交的轮次",
            ),
        );
        return out;
    }
    line("seen by members up to epoch", "成员已见轮次", &behind.to_string());
    line(
        "until then",
        "在此之前",
        context.pick(
            "nothing is decided and nothing is written to members; what runs there runs on",
            "不作决策，也不向成员写入；成员中的负载照常运行",
        ),
    );
    line(
        "first",
        "请先",
        context.pick(
            "apply what was changed since the backup (from Git), and compare with what runs: in each member, \
             kubectl get deploy,sts,job,ds -A -l app.kubernetes.io/managed-by=jiuzhou. What moved since runs where it moved to; \
             a single copy must be stopped there, or its FleetWorkload pinned there, before you confirm",
            "重新应用备份之后的变更（来自 Git），并与实际运行情况核对：在各成员中执行 \
             kubectl get deploy,sts,job,ds -A -l app.kubernetes.io/managed-by=jiuzhou。备份之后迁移的负载在新位置运行；\
             只能运行一份的，须先在该处停止，或将其 FleetWorkload 固定于该处，再行确认",
        ),
    );
    line(
        "confirming",
        "确认后",
        context.pick(
                &format!(
                    "raises the counter above {behind}; the placements of {workloads} workloads in {clusters} members are \
                     carried out as this hub knows them, and deletions and moves go on"
                ),
                &format!("计数器升至 {behind} 之上；按本中心所知，在 {clusters} 个成员中执行 {workloads} 个工作负载的部署结果，删除与迁移恢复"),
            ),
    );
    out
}

fn promote(args: &RecoverArgs, context: &Context) -> anyhow::Result<Exit> {
    let shown = ask(&args.hub, async |client| recover::promotion(client, args.former.as_deref()).await)?;
    let Promotion { hub, former, term, members, done } = &shown;
    let mut out = String::new();
    let mut line = |en: &str, zh: &str, text: &str| out += &format!("{}: {text}\n", context.pick(en, zh));
    line("this hub", "本中心", hub);
    line("takes the place of", "接替", former);
    line("members", "成员", &if members.is_empty() { "-".to_owned() } else { members.join(", ") });
    line(
        "confirming",
        "确认后",
        context.pick(
                &format!(
                    "starts the operator anew in a term above {term}; it takes the claim of each member by compare-and-swap. \
                     From then on the former hub is refused there and says ClaimedByOther; writes to a member begin 100 s \
                     later. Where members have seen more than this hub committed, all waits for `jiuzhou recover`"
                ),
                &format!(
                    "控制器以高于 {term} 的任期重新启动，逐一以比较并交换的方式接管各成员。此后原中心在成员处被拒绝，\
                     并报告 ClaimedByOther；接管 100 秒后才开始写入成员。若成员所见超过本中心已提交的内容，一切等待 `jiuzhou recover`"
                ),
            ),
    );
    print(&out)?;
    if *done {
        context.say(context.pick("it is promoted already", "已完成接替"));
        return Ok(Exit::Ok);
    }
    if !confirmed(args, former, "jiuzhou recover --promote", context)? {
        return Ok(Exit::Ok);
    }
    let at = whole_second()?;
    ask(&args.hub, async |client| {
        let by = whoami(client).await?;
        recover::promote(client, &shown, &by, at).await
    })?;
    context.say(context.pick("promoted; the operator starts anew", "已接替；控制器将重新启动"));
    context.hint("→ kubectl get mc");
    Ok(Exit::Ok)
}

fn member(args: &RecoverArgs, cluster: &str, context: &Context) -> anyhow::Result<Exit> {
    let shown = ask(&args.hub, async |client| recover::member(client, cluster).await)?;
    let mut out = format!("{cluster}: {}\n", shown.words);
    let mut line = |en: &str, zh: &str, text: &str| out += &format!("{}: {text}\n", context.pick(en, zh));
    for workload in &shown.placed {
        line("applied again", "重新下发", workload);
    }
    line(
        "not touched",
        "不作处理",
        context.pick(
            "what the backup brought back and is not placed there: kubectl get deploy,sts,job,ds -A -l \
             app.kubernetes.io/managed-by=jiuzhou in the member shows it",
            "备份带回而不应在该处的对象；可在该成员中执行 kubectl get deploy,sts,job,ds -A -l \
             app.kubernetes.io/managed-by=jiuzhou 查看",
        ),
    );
    print(&out)?;
    if !confirmed(args, cluster, &format!("jiuzhou recover {cluster}"), context)? {
        return Ok(Exit::Ok);
    }
    ask(&args.hub, async |client| {
        let by = whoami(client).await?;
        recover::accept(client, cluster, &by).await
    })?;
    context.say(context.pick(
        &format!("{cluster} is taken as it is: what is ordered is applied, and removals go on"),
        &format!("已接受 {cluster} 的现状：指令重新下发，移除恢复"),
    ));
    Ok(Exit::Ok)
}

/// Whether exactly what was shown is confirmed.
fn confirmed(args: &RecoverArgs, shown: &str, command: &str, context: &Context) -> anyhow::Result<bool> {
    match &args.recovered {
        Some(confirm) if confirm == shown => Ok(true),
        Some(confirm) => bail!(
            context
                .pick(
                    &format!("--confirm names {confirm}, and what is shown is {shown}"),
                    &format!("--confirm 填写的是 {confirm}，而所示为 {shown}"),
                )
                .to_owned()
        ),
        None => {
            let former = args.former.as_ref().map(|former| format!(" --former {former}")).unwrap_or_default();
            context.hint(&format!("→ {command}{former} --confirm {shown}"));
            Ok(false)
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes()).context("failed to write what is shown")
}

/// Now, as objects hold it.
fn whole_second() -> anyhow::Result<Timestamp> {
    Timestamp::from_second(Timestamp::now().as_second()).context("failed to tell the time")
}
