//! Sentences of the codes of area `Rule`: whether a cluster may carry a workload.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::AffinityMismatch => Sentence {
            en: "The cluster does not match {object}: it has {seen}, the placement wants {wanted}.",
            zh: "集群不满足 {object}：现有 {seen}，要求 {wanted}。",
            fix_en: "Change the placement, or the label of the cluster.",
            fix_zh: "请修改部署要求，或修改集群标签。",
        },
        _ => return None,
    })
}
