//! Wrong usage told in Chinese. clap's own words are English; this says the same of the kinds a person meets.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use jiuzhou_report::words::Lang;

use crate::failure::Failure;

/// The error in Chinese; `None` for help, version and kinds that are not translated, which clap prints itself.
pub(crate) fn text(error: &Error) -> Option<String> {
    let told = |kind: ContextKind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join("、")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let arg = || told(ContextKind::InvalidArg).unwrap_or_default();
    let value = || told(ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("不认识参数 '{}'", arg()),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 '{}'", told(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{}", arg()),
        ErrorKind::ArgumentConflict => {
            format!("参数 '{}' 不能重复，或不能与 '{}' 同用", arg(), told(ContextKind::PriorArg).unwrap_or_default())
        }
        ErrorKind::InvalidValue if value().is_empty() => format!("'{}' 缺少值", arg()),
        ErrorKind::InvalidValue => format!("'{}' 的值 '{}' 无效", arg(), value()),
        ErrorKind::ValueValidation => {
            let source = error.source().map(|cause| match cause.downcast_ref::<Failure>() {
                Some(failure) => failure.text(Lang::Zh),
                None => cause.to_string(),
            });
            format!("'{}' 的值 '{}' 无效：{}", arg(), value(), source.unwrap_or_default())
        }
        ErrorKind::NoEquals => format!("'{}' 与其值之间须写 '='", arg()),
        ErrorKind::TooManyValues => format!("'{}' 不需要值 '{}'", arg(), value()),
        _ => return None,
    };
    let mut text = format!("错误：{what}\n");
    let valid = [ContextKind::ValidValue, ContextKind::ValidSubcommand].into_iter().find_map(told);
    if let Some(valid) = valid.filter(|valid| !valid.is_empty()) {
        text.push_str(&format!("  可选值：{valid}\n"));
    }
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(near) = kinds.into_iter().find_map(told) {
        text.push_str(&format!("  是否指 '{near}'？\n"));
    }
    text.push_str("\n用 '--help' 查看用法。\n");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(args: &[&str]) -> Option<String> {
        text(&crate::command(Lang::Zh).try_get_matches_from(args).expect_err("wrong usage"))
    }

    #[test]
    fn wrong_usage_names_what_is_wrong_and_what_may_be_meant() {
        for (args, wanted) in [
            (&["jiuzhou", "plan", "--sav", "x"] as &[&str], ["不认识参数 '--sav'", "是否指 '--save'？"]),
            (&["jiuzhou", "validat"], ["没有命令 'validat'", "validate'？"]),
            (&["jiuzhou", "plan", "--fail-on", "x"], ["的值 'x' 无效", "可选值：error、warning、never"]),
            (&["jiuzhou", "plan", "--as-of", "昨天"], ["的值 '昨天' 无效", "应为 2026-11-23 这样的日期"]),
            (&["jiuzhou", "plan", "-o", "pdf"], ["的值 'pdf' 无效", "没有格式 'pdf'"]),
            (&["jiuzhou", "explain"], ["缺少必需的参数", "WORKLOAD"]),
            (&["jiuzhou", "plan", "--save"], ["缺少值", "--save"]),
        ] {
            let told = wrong(args).unwrap_or_default();
            assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{args:?}: {told}");
        }
        assert_eq!(wrong(&["jiuzhou", "--help"]), None);
    }
}
