//! `rollout` and `rollback`: how a change of a workload stands, what there was before, hold, go on, approve, go back.
//!
//! Orders are changes of the FleetWorkload under the rights of whoever runs this; the operator does the rest. Results
//! are told on standard output, what was done on standard error.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use jiuzhou_api::v1alpha1::StageApproval;
use jiuzhou_control::revision::order::{self, Line, Standing};

use crate::args::{RollbackArgs, RolloutAction, RolloutArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::{ask, named};

/// Tells how a rollout stands, or changes that.
pub(crate) fn rollout(args: &RolloutArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = named(&args.of);
    match args.action {
        RolloutAction::Status => {
            let standing = ask(&args.of.hub, async |client| order::standing(client, &key).await)?;
            print(&status(&standing, context))?;
            let status = standing.workload.status.as_ref();
            let failed = status.and_then(|status| status.reason.as_deref()) == Some("RolloutFailed");
            return Ok(if failed { Exit::Findings } else { Exit::Ok });
        }
        RolloutAction::History => {
            let lines = ask(&args.of.hub, async |client| order::history(client, &key).await)?;
            print(&history(&lines, context))?;
        }
        RolloutAction::Pause => {
            ask(&args.of.hub, async |client| order::pause(client, &key, true).await)?;
            context.say(&format!("{key} {}", context.pick("is paused", "已暂停")));
        }
        RolloutAction::Resume => {
            ask(&args.of.hub, async |client| order::pause(client, &key, false).await)?;
            context.say(&format!("{key} {}", context.pick("goes on", "已恢复")));
        }
        RolloutAction::Approve => {
            let (Some(stage), Some(change), Some(by)) = (&args.stage, &args.change, &args.by) else {
                bail!(context.pick("give --stage, --change and --by", "须填写 --stage、--change 与 --by").to_owned());
            };
            let approval = StageApproval {
                stage: stage.as_str().into(),
                change: change.as_str().into(),
                approved_by: by.as_str().into(),
                statement: args.statement.as_deref().map(Into::into),
            };
            let digest = ask(&args.of.hub, async |client| order::approve(client, &key, approval).await)?;
            context.say(&format!("{key} {stage} → {digest} {}", context.pick("is approved", "已批准")));
        }
    }
    Ok(Exit::Ok)
}

/// Goes back to an older revision.
pub(crate) fn rollback(args: &RollbackArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = named(&args.of);
    let revision = ask(&args.of.hub, async |client| order::back(client, &key, args.to).await)?;
    context.say(&format!("{key} {} {revision}", context.pick("goes back to revision", "正在回退到版本")));
    context.hint(&format!("→ jiuzhou rollout status {key}"));
    context.hint(context.pick(
        "Who keeps it in Git reverts the commit there, or the next sync brings the newer objects back.",
        "若以 Git 管理，请在 Git 中撤销该提交，否则下次同步会恢复较新的对象。",
    ));
    Ok(Exit::Ok)
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes()).context("failed to write the result")
}

/// What the status says: one line for the whole, one for each cluster while a rollout is under way.
fn status(standing: &Standing, context: &Context) -> String {
    let workload = standing.workload.status.clone().unwrap_or_default();
    let sentence = match context.lang {
        jiuzhou_report::words::Lang::En => workload.message_en,
        jiuzhou_report::words::Lang::Zh => workload.message_zh,
    };
    let reason = workload.reason.as_deref().unwrap_or("-").to_owned();
    let mut out = format!("{reason}: {}\n", sentence.as_deref().unwrap_or("-"));
    let Some(placement) = &standing.placement else { return out };
    let spec = &placement.spec;
    let known = placement.status.as_ref().and_then(|status| status.revision);
    let number = |revision: Option<i64>| revision.map_or_else(|| "?".to_owned(), |revision| revision.to_string());
    let change = spec.inputs.content.as_deref().unwrap_or("-");
    out += &format!("{}: {} ({change})\n", context.pick("revision", "版本"), spec.revision);
    out += &format!("{}: {}\n", context.pick("everywhere", "全部集群"), number(known));
    let Some(rollout) = placement.status.as_ref().and_then(|status| status.rollout.as_ref()) else { return out };
    out += &format!("{}: {}\n", context.pick("stage", "阶段"), &*rollout.stage);
    for cluster in &rollout.clusters {
        out += &format!("  {}: {}\n", &*cluster.name, number(cluster.revision));
    }
    out
}

fn history(lines: &[Line], context: &Context) -> String {
    let head = context.pick("REVISION  STORED  CAUSE  IMAGES", "版本  保存时间  原因  镜像");
    let line = |line: &Line| {
        let cause = if line.cause.is_empty() { "-" } else { &line.cause };
        format!("{}  {}  {cause}  {}\n", line.revision, line.at, line.images.join(" "))
    };
    format!("{head}\n{}", lines.iter().map(line).collect::<String>())
}
