//! `stop`, `restore` and `approve`: a whole information system taken to nothing that runs by order, and back; the order of
//! another person looked at and approved.
//!
//! Orders and approvals are written under the rights and the name of whoever runs this; the operator does the rest.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use jiff::{Timestamp, ToSpan as _};
use jiuzhou_api::v1alpha1::ApprovedOrder;
use jiuzhou_control::people::approve::{self as approvals, Asked, Signature};
use jiuzhou_control::people::stop::{self as orders, Given};
use jiuzhou_intake::beijing;

use crate::args::{ApproveArgs, ApproveWhat, RestoreArgs, StopArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::{ask, key};

/// Stops a system everywhere.
pub(crate) fn stop(args: &StopArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = key(&args.stopped_system, args.namespace.as_deref());
    let now = whole_second()?;
    let workloads = ask(&args.hub, async |client| {
        let by = approvals::whoami(client).await?;
        let given = Given { order: args.order.clone(), reason: args.reason.clone(), by, at: now };
        orders::stop(client, &key, given).await
    })?;
    let (number, count) = (&args.order, workloads.len());
    context.say(context.pick(
        &format!("{key} is ordered to stop by {number} ({count} workloads), once another person approves it"),
        &format!("已下停用令 {number}：{key}（{count} 个工作负载），经他人审批后执行"),
    ));
    context.hint(&format!("→ jiuzhou approve stop {key}"));
    Ok(Exit::Ok)
}

/// Lifts the order that stops a system.
pub(crate) fn restore(args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = key(&args.stopped_system, args.namespace.as_deref());
    let now = whole_second()?;
    let number = ask(&args.hub, async |client| {
        let by = approvals::whoami(client).await?;
        orders::restore(client, &key, &by, now).await
    })?;
    context.say(context.pick(
        &format!("the order {number} on {key} is lifted; it runs again where it ran"),
        &format!("{key} 的停用令 {number} 已解除，将在原处恢复运行"),
    ));
    context.hint(&format!("→ kubectl get fwl -n {}", key.namespace));
    Ok(Exit::Ok)
}

/// Shows an order and, where its digest is given, approves it.
pub(crate) fn approve(args: &ApproveArgs, context: &Context) -> anyhow::Result<Exit> {
    let asked = ask(&args.hub, async |client| match args.approved {
        ApproveWhat::Stop => approvals::stop(client, &key(&args.subject, None)).await,
        ApproveWhat::Mode => approvals::mode(client, &args.subject).await,
        ApproveWhat::Deletions => approvals::deletions(client, &args.subject).await,
        ApproveWhat::Class => approvals::change_of(client, ApprovedOrder::LowerClass, &args.subject).await,
        ApproveWhat::Exemption => approvals::change_of(client, ApprovedOrder::Exempt, &args.subject).await,
        ApproveWhat::Quota => approvals::change_of(client, ApprovedOrder::RaiseQuota, &args.subject).await,
        ApproveWhat::Moves => approvals::moves(client).await,
        ApproveWhat::Tier => approvals::change_of(client, ApprovedOrder::ChangeTier, &args.subject).await,
    })?;
    std::io::stdout().lock().write_all(shown(&asked, context).as_bytes()).context("failed to write the order")?;
    let Some(digest) = &args.approved_digest else {
        let (word, subject) = (approvals::word(asked.order), &asked.subject);
        let who = if asked.requester.is_none() { " --requester USER" } else { "" };
        context.hint(&format!(
            "→ jiuzhou approve {word} {subject} --approved-digest {} --role ROLE --document NUMBER{who}",
            asked.digest
        ));
        return Ok(Exit::Ok);
    };
    if *digest != asked.digest.to_string() {
        bail!(
            context
                .pick("the order is another than the one that was shown to you", "该指令与此前所示的不是同一项")
                .to_owned()
        );
    }
    let until = match &args.until {
        Some(day) => day.clone(),
        None => beijing::day(Timestamp::now()).checked_add(7.days())?.to_string(),
    };
    let (name, left) = ask(&args.hub, async |client| {
        let signature = Signature {
            user: approvals::whoami(client).await?,
            role: args.role.clone().unwrap_or_default(),
            statement: args.statement.clone(),
            requester: args.requester.clone(),
            document: args.document.clone().unwrap_or_default(),
            until,
            needed: args.needed,
        };
        approvals::approve(client, &asked, &signature).await
    })?;
    context.say(context.pick(
        &format!("{name}: approved; {left} more have to approve"),
        &format!("{name}：已批准，尚需 {left} 人批准"),
    ));
    Ok(Exit::Ok)
}

/// An order as it is shown: everything that its digest is over, and what it touches.
fn shown(asked: &Asked, context: &Context) -> String {
    let mut out = String::new();
    let mut line = |en: &str, zh: &str, text: &str| out += &format!("{}: {text}\n", context.pick(en, zh));
    line("order", "指令", &format!("{} {}", approvals::word(asked.order), asked.subject));
    for (en, zh, text) in [
        ("number", "文号", &asked.number),
        ("reason", "原因", &asked.reason),
        ("requester", "申请人", &asked.requester),
    ] {
        line(en, zh, text.as_deref().unwrap_or("-"));
    }
    line("digest", "摘要", &asked.digest.to_string());
    for touched in &asked.touches {
        line("touches", "涉及", touched);
    }
    out
}

/// Now, as objects hold it.
fn whole_second() -> anyhow::Result<Timestamp> {
    Timestamp::from_second(Timestamp::now().as_second()).context("failed to tell the time")
}
