//! `help`: a command's help, what a reason code means and what to do, the exit codes, the formats.

use std::fmt::Write as _;

use jiuzhou_engine::terms::{Area, Code, Severity};
use jiuzhou_report::render::Format;
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;

use crate::args::HelpArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Prints help on a topic, or the help of the program.
pub(crate) fn run(args: &HelpArgs, context: &Context) -> anyhow::Result<Exit> {
    let text = match args.topic.as_deref() {
        None => crate::command(context.lang).render_help().to_string(),
        Some("codes") => codes(context),
        Some("exit-codes") => exit_codes(context),
        Some("formats") => formats(),
        Some(topic) => {
            let command =
                crate::command(context.lang).find_subcommand_mut(topic).map(|sub| sub.render_help().to_string());
            match command.or_else(|| code_of(topic).map(|code| one_code(code, context))) {
                Some(text) => text,
                None => {
                    let known = context.pick(
                        "a command, a reason code (see `jiuzhou help codes`), `exit-codes` or `formats`",
                        "命令名、原因代码（见 `jiuzhou help codes`）、`exit-codes` 或 `formats`",
                    );
                    let near = jiuzhou_intake::schema::nearest(topic, Code::ALL.iter().map(|code| code.as_str()));
                    let near = near.first().map_or_else(String::new, |near| {
                        context.pick("; did you mean ", "；是否指 ").to_owned() + near + context.pick("?", "？")
                    });
                    context.say(&format!(
                        "jiuzhou: {topic}: {}{known}{near}",
                        context.pick("no such topic; choose: ", "没有该主题，请选择：")
                    ));
                    return Ok(Exit::Usage);
                }
            }
        }
    };
    output::print(&text)?;
    Ok(Exit::Ok)
}

/// A code by its name, in capitals or not.
fn code_of(topic: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(topic))
}

fn one_code(code: Code, context: &Context) -> String {
    let mut text = format!("{code} ({}, {})\n", severity(code.severity(), context), area(code.area(), context));
    if let Some(sentence) = sentences::of(code) {
        let (what, fix) = match context.lang {
            Lang::En => (sentence.en, sentence.fix_en),
            Lang::Zh => (sentence.zh, sentence.fix_zh),
        };
        let _ = writeln!(text, "\n  {what}\n  {fix}");
    }
    text
}

fn codes(context: &Context) -> String {
    let mut text = String::new();
    let mut last = None;
    for code in Code::ALL {
        if last != Some(code.area()) {
            let _ = writeln!(text, "{}{}", if last.is_some() { "\n" } else { "" }, area(code.area(), context));
            last = Some(code.area());
        }
        let what = sentences::of(*code).map_or("", |sentence| context.pick(sentence.en, sentence.zh));
        let _ = writeln!(text, "  {:<28} {}", code.as_str(), what);
    }
    text
}

fn exit_codes(context: &Context) -> String {
    let mut text = String::new();
    for (exit, en, zh) in Exit::TABLE {
        let _ = writeln!(text, "{:>3}  {}", *exit as u8, context.pick(en, zh));
    }
    text
}

fn formats() -> String {
    Format::ALL.iter().map(|format| format!("{}\n", format.name())).collect()
}

fn severity(severity: Severity, context: &Context) -> &str {
    match severity {
        Severity::Info => context.pick("info", "提示"),
        Severity::Warning => context.pick("warning", "警告"),
        Severity::Error => context.pick("error", "错误"),
    }
}

fn area(area: Area, context: &Context) -> &str {
    match area {
        Area::Intake => context.pick("Reading files", "读取文件"),
        Area::Detect => context.pick("CPU detection", "芯片识别"),
        Area::Inspect => context.pick("Looking into images", "镜像检查"),
        Area::Rule => context.pick("Rules on clusters", "集群规则"),
        Area::Architecture => context.pick("Architecture", "芯片架构"),
        Area::Choice => context.pick("Fit and choice", "容量与选择"),
        Area::Measure => context.pick("Figures", "指标"),
        Area::Study => context.pick("Tests and scenarios", "测试与推演"),
    }
}
