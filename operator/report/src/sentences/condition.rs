//! Sentences of the reasons a controller gives for a state of a workload. Codes of the engine have their own.
//!
//! Keys are the words of the api's `ControllerReason`, which this room does not import; the control room's tests hold
//! the two lists together. Holes as in the other sentences.

use super::Lang;

/// Reason, English, Chinese.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("AsWanted", "All {wanted} replicas are ready.", "全部 {wanted} 个副本已就绪。"),
    ("Finished", "It has run to its end.", "已运行完毕。"),
    ("NotObserved", "Nothing was seen of it yet.", "尚未观测。"),
    ("SpecInvalid", "It cannot be decided on: {object}", "无法决策：{object}"),
    ("ReferenceMissing", "{object} is named and does not exist.", "所引用的 {object} 不存在。"),
    ("NoClusterFits", "No cluster may carry it: {object}", "没有成员集群可以承载：{object}"),
    (
        "PartlyPlaced",
        "{seen} of {wanted} replicas have a place: {object}",
        "{wanted} 个副本中有 {seen} 个已有位置：{object}",
    ),
    ("Violating", "It runs where a rule no longer lets it: {object}", "运行位置已不符合规则：{object}"),
    ("WaitingForApproval", "It waits for an approval of {object}.", "正在等待对 {object} 的批准。"),
    ("WaitingForFreeze", "It waits for the end of the change freeze {object}.", "正在等待封网期 {object} 结束。"),
    ("WaitingForDependency", "It waits for {object} to be ready.", "正在等待 {object} 就绪。"),
    (
        "AffinityDeferred",
        "Pod templates that were taken over stay as they were found, and nothing restarts; labels and node affinity go in with their next change: {object}",
        "被接管的 Pod 模板保持原样，不重启；平台标签与节点亲和性随其下次变更加入：{object}",
    ),
    ("RolloutInProgress", "Stage {object} of the rollout is not finished.", "发布阶段 {object} 尚未完成。"),
    (
        "DeliveryInProgress",
        "{seen} of {wanted} replicas are ready; on its way: {object}.",
        "{wanted} 个副本中有 {seen} 个已就绪；正在处理：{object}。",
    ),
    ("RolloutPaused", "The rollout is paused: {object}", "发布已暂停：{object}"),
    (
        "RolloutFailed",
        "The rollout stopped; clusters of later stages keep what they have: {object}",
        "发布已停止，后续阶段的集群保持现状：{object}",
    ),
    (
        "RevisionUnknown",
        "What {object} has now is not known; it stays as it is until its stage of the rollout comes.",
        "{object} 当前的版本未知；在其发布阶段到来之前保持现状。",
    ),
    (
        "MayHaveRun",
        "It may have run in {object} already and nobody can tell, so it is not run again; delete it and create it anew to run it once more.",
        "其可能已在 {object} 运行过且无从确认，因此不再运行；如需再运行一次，请删除后重新创建。",
    ),
    (
        "OutcomeUnknown",
        "It has run in {object}; how it ended was not seen, and it is not run again.",
        "其已在 {object} 运行过，结果未能观测到，不再运行。",
    ),
    ("ObjectFailed", "An object failed: {object}", "对象失败：{object}"),
    ("DeliveryRefused", "A member refused an object: {object}", "成员拒绝了对象：{object}"),
    ("Drifted", "Another hand changed {object}.", "{object} 已被他人改动。"),
    ("MemberUnreachable", "The member {object} does not answer.", "成员 {object} 无应答。"),
    (
        "FailoverWaiting",
        "The member {object} does not answer; its replicas get another place if it stays silent.",
        "成员 {object} 无应答；若持续如此，其副本将另行部署。",
    ),
    (
        "StormBrake",
        "So many members do not answer at once that nothing is moved: {object}. To move one workload all the same: jiuzhou failover.",
        "大量成员同时无应答，暂停一切转移：{object}。如需转移个别工作负载，请使用 jiuzhou failover。",
    ),
    (
        "FailoverManual",
        "The member {object} does not answer, and a person decides whether its replicas get another place: jiuzhou failover.",
        "成员 {object} 无应答，副本是否另行部署由人工决定：jiuzhou failover。",
    ),
    (
        "ApplicationUnhealthy",
        "Too few replicas are ready in {object}; they get another place as far as that allows.",
        "{object} 上就绪副本持续不足；在所述条件允许时另行部署。",
    ),
    (
        "StateNotCarried",
        "It is not well in {object}: the state that its new copy is to be told is not complete, so it waits. To move it without: jiuzhou failover.",
        "其在 {object} 上状态不良，但应告知新副本的状态不完整，因此等待。如需不带该状态转移：jiuzhou failover。",
    ),
    (
        "UnhealthyEverywhere",
        "It is not well in {object} either, so the fault is more likely its own than a cluster's, and it is moved no more: change it, or name the cluster it is to leave: jiuzhou failover.",
        "其在 {object} 上同样状态不良，故障更可能出自工作负载自身，因此不再转移：请修改工作负载，或以 jiuzhou failover 指定须撤离的集群。",
    ),
    (
        "FenceUnavailable",
        "The member {object} does not answer, and only one copy may run: nothing is started elsewhere until it is certain that the one there has stopped: jiuzhou fence.",
        "成员 {object} 无应答，而该工作负载只能有一个副本运行：在确认原副本已停止之前不在别处启动：jiuzhou fence。",
    ),
    (
        "DataNotReplicated",
        "The member {object} does not answer, and its data is only there.",
        "成员 {object} 无应答，而数据仅存于该处。",
    ),
    ("IdentityChanged", "Another cluster is behind the address of {object}.", "{object} 的地址背后已是另一集群。"),
    (
        "EpochBehind",
        "The hub was restored from a backup older than what its members have seen: nothing is decided and nothing written to members until a person has looked: jiuzhou recover.",
        "中心自备份恢复，其数据早于成员已见的内容：在人工核对之前不作决策，也不向成员写入：jiuzhou recover。",
    ),
    ("RightMissing", "A right is missing: {object}", "缺少权限：{object}"),
    (
        "LastCopyKept",
        "The copy in {object} stays until another one is ready or a person orders its removal.",
        "{object} 中的副本予以保留，直至其他副本就绪或人工下令移除。",
    ),
    (
        "SelectionLeft",
        "No longer in the workload, kept running: {object}. To remove it, annotate the FleetWorkload with what stands in brackets.",
        "已不在该工作负载中、仍保留运行：{object}。如需移除，请将括号中的内容作为注解加到该 FleetWorkload。",
    ),
    ("Stopping", "Order {object} stops it; {seen} pods are left.", "正按停用令 {object} 停用，尚余 {seen} 个 Pod。"),
    (
        "Stopped",
        "It is stopped by order {object}; its objects and volumes are kept.",
        "已按停用令 {object} 停用；对象与数据卷保留。",
    ),
    (
        "RunInterrupted",
        "An order stopped it while it ran in {object}; it is not run again. Delete it and create it anew to run it once more.",
        "其在 {object} 运行中被停用令中断，不再运行；如需再运行一次，请删除后重新创建。",
    ),
    ("Removing", "It is being removed; left in: {object}.", "正在移除；尚存于：{object}。"),
    (
        "DeletionHeld",
        "Its deletion is held because {object}; it keeps running.",
        "因 {object}，删除已暂停；其继续运行。",
    ),
    ("ReportLive", "It follows what is observed until {object}.", "随观测持续更新，至 {object} 为止。"),
    ("ReportFrozen", "It is frozen with what was entered by {object}.", "已按截至 {object} 的录入内容冻结。"),
    (
        "ReportSpecChanged",
        "It is frozen, and its spec was changed afterwards: the figures are those of the former spec. Make a new report.",
        "报表冻结之后 spec 又被修改，数字仍按原 spec；请另建报表。",
    ),
    ("PeriodOpen", "There is nothing to report for {object} yet.", "{object} 尚无可报内容。"),
    (
        "PeriodInvalid",
        "The period {object} has no such day, or is not of whole months.",
        "周期 {object} 含有不存在的日期，或不是完整的自然月。",
    ),
    ("NamespaceUnowned", "No tenant owns the namespace {object}.", "命名空间 {object} 不属于任何单位。"),
    (
        "ScopeTooWide",
        "{object} is not below the tenant that owns the namespace.",
        "{object} 不在该命名空间所属单位之下。",
    ),
    ("FiguresFailed", "The figures cannot be made: {object}", "无法得出数字：{object}"),
    (
        "EntriesChanged",
        "What was entered for the period has changed since the report was frozen; a new report over the same days shows it.",
        "报表冻结之后，该周期的录入内容有变；以相同日期另建报表即可查看。",
    ),
    ("MigrationCompleted", "Every wave is completed.", "全部批次已完成。"),
    ("MigrationInProgress", "Wave {object} goes to its next step.", "批次 {object} 正在进入下一步骤。"),
    ("MigrationWaiting", "It waits for wave {object} to be completed.", "正在等待批次 {object} 完成。"),
    (
        "MigrationPaused",
        "Wave {object} is paused; set spec.paused to false to let it go on.",
        "批次 {object} 已暂停；将 spec.paused 设为 false 即可继续。",
    ),
    (
        "MigrationMoving",
        "Wave {object} moves; what serves stays until the other side does.",
        "批次 {object} 正在迁移；另一侧就绪之前原侧继续服务。",
    ),
    ("MigrationResting", "All is well; it is watched until {object}.", "一切正常，观察至 {object}。"),
    (
        "MigrationFailing",
        "Wave {object} fails where it is; both sides stay as they are until a person orders it back or sets it right.",
        "批次 {object} 在当前位置失败；在人工下令回退或修复之前，两侧保持现状。",
    ),
    (
        "MigrationLate",
        "Wave {object} is not well in time; what serves stays.",
        "批次 {object} 未在期限内恢复正常；提供服务的一侧保持不变。",
    ),
    (
        "MigrationRolledBack",
        "Wave {object} is back where it came from; raise its attempt to try again.",
        "批次 {object} 已回退；如需再次尝试，请递增 attempt。",
    ),
    (
        "GateOpen",
        "Gate {object} waits for evidence that another person has verified.",
        "关口 {object} 等待经他人核验的证据。",
    ),
    ("GateFailed", "Gate {object} was not passed; nothing goes forward.", "关口 {object} 未通过，不再继续。"),
    ("TargetUnfit", "It could not run on the target: {object}", "无法在目标运行：{object}"),
    ("TargetUnknown", "Whether it could run on the target is not known: {object}", "能否在目标运行未知：{object}"),
    (
        "WayBackMissing",
        "Wave {object} does not go back: the target has written, and no way back of its data is declared (data.wayBack).",
        "批次 {object} 不予回退：目标已有写入，且未声明数据回迁方式（data.wayBack）。",
    ),
    ("ExpiresIn90Days", "Runs out within 90 days: {object}.", "90 天内到期：{object}。"),
    ("ExpiresIn60Days", "Runs out within 60 days: {object}.", "60 天内到期：{object}。"),
    ("ExpiresIn30Days", "Runs out within 30 days: {object}.", "30 天内到期：{object}。"),
    ("ExpiresIn7Days", "Runs out within 7 days: {object}.", "7 天内到期：{object}。"),
    ("Expired", "Has run out: {object}.", "已到期：{object}。"),
];

/// The sentence of a reason; `None` when it has none.
#[must_use]
pub fn condition(reason: &str, object: &str, seen: i64, wanted: i64, lang: Lang) -> Option<String> {
    let (_, en, zh) = SENTENCES.iter().find(|(word, ..)| *word == reason)?;
    let template = if lang == Lang::Zh { zh } else { en };
    // What comes from outside is put in last, so that it is never read as a template.
    let filled = template.replace("{seen}", &seen.to_string()).replace("{wanted}", &wanted.to_string());
    Some(filled.replace("{object}", object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told_in_both_languages_once() {
        for (at, (word, en, zh)) in SENTENCES.iter().enumerate() {
            assert!(SENTENCES.iter().skip(at + 1).all(|(other, ..)| other != word), "{word} is there twice");
            assert!(en.is_ascii() && zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{word}");
            for hole in ["{object}", "{seen}", "{wanted}"] {
                assert_eq!(en.contains(hole), zh.contains(hole), "{word}: {hole}");
            }
        }
    }

    #[test]
    fn what_comes_from_outside_is_no_template() {
        let said = condition("DeliveryRefused", "{seen} is denied", 1, 2, Lang::En);
        assert_eq!(said.as_deref(), Some("A member refused an object: {seen} is denied"));
        assert_eq!(condition("NoSuchReason", "", 0, 0, Lang::En), None);
    }
}
