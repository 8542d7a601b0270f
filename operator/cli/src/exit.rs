//! The exit codes: one meaning per number, the same whatever `-o` says.
//!
//! clap's own code for wrong usage is 2, which here means "changes"; the face maps it to 64 (EX_USAGE of sysexits.h).

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and nothing that blocks.
    Ok = 0,
    /// The work itself failed: a file could not be written, a bug.
    Failed = 1,
    /// Only with `--detailed-exitcode`: done, and the plan changes something.
    Changes = 2,
    /// A finding at or above `--fail-on`, or a workload that cannot be placed.
    Findings = 3,
    /// The input cannot be used: unreadable, not YAML, against the schema or a CEL rule.
    Input = 4,
    /// Wrong usage of the command line.
    Usage = 64,
}

impl Exit {
    /// Every code with its meaning in English and Chinese, for `help exit-codes` and the reference.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Ok, "done, and nothing that blocks", "完成，没有阻断性问题"),
        (
            Self::Failed,
            "the work itself failed (a file could not be written, a bug)",
            "执行失败（例如无法写入文件，或程序缺陷）",
        ),
        (
            Self::Changes,
            "with --detailed-exitcode only: done, and the plan changes something",
            "仅在使用 --detailed-exitcode 时：完成，且方案有变更",
        ),
        (
            Self::Findings,
            "a finding at or above --fail-on, or a workload that cannot be placed",
            "存在达到 --fail-on 级别的问题项，或有工作负载无法部署",
        ),
        (
            Self::Input,
            "the input cannot be used (unreadable, not YAML, against the schema or a rule)",
            "输入无法使用（无法读取、不是 YAML、不符合结构或规则）",
        ),
        (Self::Usage, "wrong usage of the command line", "命令行用法错误"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
