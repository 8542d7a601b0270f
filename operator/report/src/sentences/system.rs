//! What is told of an information system: how its workloads stand together, and the order that stops it.

use super::Lang;

/// How far an order that stops a system has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemStop<'a> {
    /// Nobody else has approved it.
    Unapproved {
        /// Who gave it.
        by: &'a str,
    },
    /// It is approved; so many workloads of it are not stopped yet.
    Stopping {
        /// The approval.
        approval: &'a str,
        /// Workloads that are not stopped yet.
        left: usize,
    },
    /// Nothing of the system runs.
    Stopped {
        /// The approval.
        approval: &'a str,
    },
}

/// All workloads of a system are as wanted, or it has none.
#[must_use]
pub fn system_ready(workloads: usize, lang: Lang) -> String {
    match (workloads, lang) {
        (0, Lang::En) => "This platform delivers nothing of it.".to_owned(),
        (0, Lang::Zh) => "其没有由本平台下发的工作负载。".to_owned(),
        (1, Lang::En) => "Its workload is as wanted.".to_owned(),
        (all, Lang::En) => format!("All {all} workloads are as wanted."),
        (all, Lang::Zh) => format!("全部 {all} 个工作负载符合要求。"),
    }
}

/// Some workloads of a system are not as wanted; `named` are the first of them, each with its reason.
#[must_use]
pub fn system_open(open: usize, workloads: usize, named: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{open} of {workloads} workloads are not as wanted: {named}."),
        Lang::Zh => format!("{workloads} 个工作负载中有 {open} 个不符合要求：{named}。"),
    }
}

/// How far the order `number` that stops the system `key` has come, and what a person does next.
#[must_use]
pub fn system_stop(number: &str, key: &str, stop: SystemStop<'_>, lang: Lang) -> String {
    match (stop, lang) {
        (SystemStop::Unapproved { by }, Lang::En) => format!(
            "Order {number} stops nothing until another person than {by} approves it: jiuzhou approve stop {key}."
        ),
        (SystemStop::Unapproved { by }, Lang::Zh) => {
            format!("停用令 {number} 须由 {by} 以外的人批准后方生效：jiuzhou approve stop {key}。")
        }
        (SystemStop::Stopping { approval, left }, Lang::En) => {
            format!("Order {number}, approved by {approval}, stops it; {left} workloads are not stopped yet.")
        }
        (SystemStop::Stopping { approval, left }, Lang::Zh) => {
            format!("停用令 {number} 已由 {approval} 批准，正在停用；尚有 {left} 个工作负载未停。")
        }
        (SystemStop::Stopped { approval }, Lang::En) => format!(
            "Order {number}, approved by {approval}, stopped it; objects and volumes are kept: jiuzhou restore {key}."
        ),
        (SystemStop::Stopped { approval }, Lang::Zh) => {
            format!("停用令 {number} 已由 {approval} 批准，已停用；对象与数据卷保留：jiuzhou restore {key}。")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_an_order_names_it_and_says_what_can_be_done() {
        for lang in [Lang::En, Lang::Zh] {
            let said = |stop| system_stop("停〔2026〕7号", "a/b", stop, lang);
            let waits = said(SystemStop::Unapproved { by: "张三" });
            assert!(waits.contains("停〔2026〕7号") && waits.contains("张三") && waits.contains("approve stop a/b"));
            assert!(said(SystemStop::Stopping { approval: "stop-1", left: 2 }).contains('2'));
            assert!(said(SystemStop::Stopped { approval: "stop-1" }).contains("restore a/b"));
        }
        assert!(system_ready(0, Lang::En) != system_ready(1, Lang::En) && system_ready(2, Lang::Zh).contains('2'));
    }
}
