//! Why the deletion of a workload is not carried out, and how a person says that it is meant.
//!
//! What is confirmed is exactly what waits: the code stands for those objects and no others.

use crate::words::Lang;

/// What makes a deletion look like a side effect of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBecause {
    /// The namespace is not there any more.
    NamespaceGone,
    /// The namespace is being deleted.
    NamespaceGoing,
    /// The definition of workloads is not there any more.
    DefinitionGone,
    /// The definition of workloads is being deleted.
    DefinitionGoing,
    /// More deletions than this within the window.
    TooMany {
        /// How many may be carried out in the window.
        limit: usize,
        /// Its length.
        minutes: u64,
    },
}

/// The cause alone, as it stands behind "because".
#[must_use]
pub fn held_because(cause: HeldBecause, namespace: &str, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match cause {
        HeldBecause::NamespaceGone if zh => format!("命名空间 {namespace} 已不存在"),
        HeldBecause::NamespaceGone => format!("namespace {namespace} is gone"),
        HeldBecause::NamespaceGoing if zh => format!("命名空间 {namespace} 正在删除"),
        HeldBecause::NamespaceGoing => format!("namespace {namespace} is being deleted"),
        HeldBecause::DefinitionGone if zh => "FleetWorkload 的资源定义已不存在".to_owned(),
        HeldBecause::DefinitionGone => "the definition of FleetWorkload is gone".to_owned(),
        HeldBecause::DefinitionGoing if zh => "FleetWorkload 的资源定义正在删除".to_owned(),
        HeldBecause::DefinitionGoing => "the definition of FleetWorkload is being deleted".to_owned(),
        HeldBecause::TooMany { limit, minutes } if zh => format!("{minutes} 分钟内的删除超过 {limit} 项"),
        HeldBecause::TooMany { limit, minutes } => format!("more than {limit} deletions came within {minutes} minutes"),
    }
}

/// How exactly the deletions that wait in a namespace are confirmed; `command` is what a person types.
#[must_use]
pub fn confirm_deletions(waiting: usize, namespace: &str, command: &str, lang: Lang) -> String {
    if lang == Lang::Zh {
        format!("命名空间 {namespace} 中有 {waiting} 项删除等待确认；确属本意时执行：{command}")
    } else {
        format!("{waiting} wait in namespace {namespace}; if exactly these are meant: {command}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_told_in_both_languages() {
        for cause in [
            HeldBecause::NamespaceGone,
            HeldBecause::NamespaceGoing,
            HeldBecause::DefinitionGone,
            HeldBecause::DefinitionGoing,
            HeldBecause::TooMany { limit: 10, minutes: 10 },
        ] {
            assert!(held_because(cause, "portal", Lang::En).is_ascii(), "{cause:?}");
            assert!(!held_because(cause, "portal", Lang::Zh).is_ascii(), "{cause:?}");
        }
        for lang in [Lang::En, Lang::Zh] {
            let said = confirm_deletions(3, "portal", "kubectl annotate", lang);
            assert!(said.contains('3') && said.contains("portal") && said.ends_with("kubectl annotate"), "{said}");
        }
    }
}
