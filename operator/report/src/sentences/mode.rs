//! What is told of an emergency (平战模式), in words.

use jiff::Timestamp;

use crate::words::Lang;

/// How far an emergency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeTold<'a> {
    /// Nobody but who asked for it has agreed.
    Unapproved {
        /// Who asked for it.
        by: &'a str,
    },
    /// It is approved and begins later.
    Planned {
        /// When it begins.
        from: Timestamp,
    },
    /// It holds.
    InForce {
        /// When it ends by itself.
        until: Timestamp,
        /// Workloads placed under it.
        workloads: i32,
        /// Workloads that give way.
        victims: i32,
    },
    /// It has ended and something is not as before yet.
    GivingBack {
        /// Workloads still placed under it.
        workloads: i32,
        /// Workloads that still give way.
        victims: i32,
    },
    /// It has ended and all is as before.
    Over,
}

/// How far the emergency `name` is, and what a person does next. Counted after the words, so that one workload reads as
/// well as ten.
#[must_use]
pub fn mode(name: &str, told: ModeTold<'_>, lang: Lang) -> String {
    match (told, lang) {
        (ModeTold::Unapproved { by }, Lang::En) => {
            format!("It changes nothing until another person than {by} approves it: jiuzhou approve mode {name}.")
        }
        (ModeTold::Unapproved { by }, Lang::Zh) => {
            format!("须由 {by} 以外的人批准后方生效：jiuzhou approve mode {name}。")
        }
        (ModeTold::Planned { from }, Lang::En) => format!("It is approved and begins at {from}."),
        (ModeTold::Planned { from }, Lang::Zh) => format!("已获批，自 {from} 起生效。"),
        (ModeTold::InForce { until, workloads, victims }, Lang::En) => format!(
            "It is in force until {until}; workloads placed under it: {workloads}, giving way: {victims}. To end it \
             early set spec.ended."
        ),
        (ModeTold::InForce { until, workloads, victims }, Lang::Zh) => {
            format!("生效至 {until}；按其部署的工作负载 {workloads} 个，让位 {victims} 个。提前结束请设置 spec.ended。")
        }
        (ModeTold::GivingBack { workloads, victims }, Lang::En) => format!(
            "It has ended; still to be given back: workloads placed under it: {workloads}, giving way: {victims}."
        ),
        (ModeTold::GivingBack { workloads, victims }, Lang::Zh) => {
            format!("已结束；尚待恢复：按其部署的工作负载 {workloads} 个，让位 {victims} 个。")
        }
        (ModeTold::Over, Lang::En) => "It has ended; all is as it was before.".to_owned(),
        (ModeTold::Over, Lang::Zh) => "已结束，一切恢复原状。".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_do_something_is_told_what_and_every_state_reads_otherwise() {
        let at = Timestamp::UNIX_EPOCH;
        for lang in [Lang::En, Lang::Zh] {
            let said = |told| mode("flood", told, lang);
            let waits = said(ModeTold::Unapproved { by: "张三" });
            assert!(waits.contains("张三") && waits.contains("jiuzhou approve mode flood"), "{waits}");
            let all = [
                waits,
                said(ModeTold::Planned { from: at }),
                said(ModeTold::InForce { until: at, workloads: 2, victims: 1 }),
                said(ModeTold::GivingBack { workloads: 2, victims: 1 }),
                said(ModeTold::Over),
            ];
            let other: std::collections::BTreeSet<&String> = all.iter().collect();
            assert_eq!(other.len(), all.len());
            assert!(all.iter().all(|text| text.ends_with(if lang == Lang::En { '.' } else { '。' })));
        }
    }
}
