//! Sentences of conditions, English then Chinese: one for each reason that a member's status gives.
//!
//! A detail (a name, a member's own words) stands between; it is not translated.

use jiuzhou_api::conditions::ControllerReason;

/// What a reason says, in both languages.
pub(super) fn sentence(reason: ControllerReason) -> (&'static str, &'static str) {
    match reason {
        ControllerReason::AsWanted => ("All is as wanted", "一切符合要求"),
        ControllerReason::NotObserved => ("Not looked at yet", "尚未观测"),
        ControllerReason::SpecInvalid => ("The spec breaks a rule", "spec 违反规则"),
        ControllerReason::ReferenceMissing => ("Something that is named does not exist", "所引用的对象不存在"),
        ControllerReason::CredentialRefused => ("The credential is not used", "凭据不予使用"),
        ControllerReason::CredentialExpired => ("The credential is outside its term", "凭据不在有效期内"),
        ControllerReason::ClaimedByOther => {
            ("The member obeys another hub; nothing is written there", "该成员服从另一中心，不向其写入")
        }
        ControllerReason::DuplicateMember => ("Two MemberClusters are one cluster", "两个 MemberCluster 指向同一集群"),
        ControllerReason::EpochBehind => (
            "Hub or member went back in time; deletes and moves wait for a person",
            "中心或成员的数据已回退，删除与迁移须等待人工确认",
        ),
        ControllerReason::AnswerInvalid => ("What the member says cannot be used", "成员的应答无法使用"),
        ControllerReason::Draining => ("The member is being emptied", "成员正在清空"),
        ControllerReason::Removing => ("The member is leaving", "成员正在退出"),
        ControllerReason::RightMissing => ("A right is missing in the member", "在成员中缺少权限"),
        ControllerReason::MemberUnreachable => ("The member does not answer", "成员无应答"),
        ControllerReason::IdentityChanged => (
            "Another cluster is behind the address; nothing is read or written there",
            "该地址背后已是另一集群，不读取也不写入",
        ),
        // No member is told so.
        _ => ("A reason of workloads", "工作负载的原因"),
    }
}

/// The message of a condition, at most 2,048 characters.
pub(super) fn message(reason: ControllerReason, detail: &str) -> String {
    let (english, chinese) = sentence(reason);
    let text = match detail {
        "" => format!("{english}. {chinese}。"),
        _ => format!("{english}: {detail}. {chinese}。"),
    };
    text.chars().take(2048).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_it_in_both_languages_and_keeps_the_detail() {
        let text = message(ControllerReason::CredentialRefused, "exec would run a program");
        assert_eq!(text, "The credential is not used: exec would run a program. 凭据不予使用。");
        assert_eq!(message(ControllerReason::AsWanted, ""), "All is as wanted. 一切符合要求。");
        assert!(message(ControllerReason::RightMissing, &"长".repeat(4000)).chars().count() <= 2048);
    }
}
