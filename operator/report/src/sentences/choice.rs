//! Sentences of the codes of area `Choice`: whether and how a workload fits.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::CapacityInsufficient => Sentence {
            en: "There is too little room for {object}: {seen} of {wanted} replicas fit.",
            zh: "{object} 的资源不足：仅能容纳 {wanted} 个副本中的 {seen} 个。",
            fix_en: "Add capacity, lower the request, or allow more clusters.",
            fix_zh: "请增加容量、降低资源请求，或放宽可用集群范围。",
        },
        Code::ChoiceNotProven => Sentence {
            en: "Whether {object} can be placed was not settled: the search stopped after {seen} of {wanted} steps.",
            zh: "未能判定 {object} 是否可以部署：搜索在 {seen} 步后停止（上限 {wanted} 步）。",
            fix_en: "Use nested spread keys (site within region), relax one of the crossing keys, or raise the search budget.",
            fix_zh: "请改用逐级嵌套的分布维度（如机房属于区域），放宽其中一个交叉维度，或提高搜索上限。",
        },
        Code::HeldByFreeze => Sentence {
            en: "What is decided for {subject} waits for the end of the change freeze {object}, {seen}.",
            zh: "对 {subject} 的决策须等待封网期 {object} 结束（{seen}）。",
            fix_en: "Nothing to do: it is carried out by itself then. A rollback, failover and security orders pass the freeze.",
            fix_zh: "无须处理，届时自动执行。回滚、故障切换和安全指令不受封网期限制。",
        },
        Code::NoCandidate => Sentence {
            en: "No cluster passes all rules for {object}.",
            zh: "没有成员集群满足 {object} 的全部规则。",
            fix_en: "See which rule refuses which cluster; a single change that would be enough is listed first.",
            fix_zh: "请查看各成员集群被哪条规则拒绝；只需一处改动即可满足的列在最前。",
        },
        Code::PreferredDropped => Sentence {
            en: "The preferred spread over {object} could not be met: groups used {seen}, wanted {wanted}.",
            zh: "未能满足对 {object} 的优先分布要求：实际使用 {seen} 组，期望 {wanted} 组。",
            fix_en: "Nothing needs to be done; add capacity in more groups to honour it.",
            fix_zh: "无需处理；如需满足该要求，请在更多分组中增加容量。",
        },
        Code::ShareRounding => Sentence {
            en: "The share per group of {object}, rounded down, cannot hold {seen} replicas; {wanted} replicas would do.",
            zh: "{object} 的单组占比上限向下取整后无法容纳 {seen} 个副本；改为 {wanted} 个副本即可。",
            fix_en: "Change the number of replicas, raise the share, or allow more groups.",
            fix_zh: "请调整副本数、提高占比上限，或允许更多分组。",
        },
        Code::SpreadConflict => Sentence {
            en: "Each spread bound of {object} can be met, but not all at once.",
            zh: "{object} 的各项分布要求均可单独满足，但无法同时满足。",
            fix_en: "Relax one bound, or make it preferred.",
            fix_zh: "请放宽其中一项要求，或将其改为优先（非强制）要求。",
        },
        Code::SpreadGroupsMissing => Sentence {
            en: "The spread over {object} needs {wanted} groups with room; there are {seen}.",
            zh: "按 {object} 分布需要 {wanted} 个有余量的分组，目前只有 {seen} 个。",
            fix_en: "Add clusters or capacity in more groups, or lower the least number of groups.",
            fix_zh: "请在更多分组中增加集群或容量，或降低最少分组数。",
        },
        Code::SpreadGroupsTooFew => Sentence {
            en: "The groups of {object} that may be used hold {seen} of {wanted} replicas.",
            zh: "{object} 允许使用的分组最多只能容纳 {wanted} 个副本中的 {seen} 个。",
            fix_en: "Raise the greatest number of groups, or add capacity in the largest ones.",
            fix_zh: "请提高最多分组数，或在较大的分组中增加容量。",
        },
        Code::SpreadReplicasTooFew => Sentence {
            en: "The spread over {object} needs at least {wanted} replicas; {seen} are asked for.",
            zh: "按 {object} 分布至少需要 {wanted} 个副本，目前只申请了 {seen} 个。",
            fix_en: "Ask for more replicas, or lower the least number of replicas per group.",
            fix_zh: "请增加副本数，或降低每组最少副本数。",
        },
        Code::ClusterMissing => Sentence {
            en: "{object} has replicas on {seen}, which is not among the clusters known; nothing is changed on a guess.",
            zh: "{object} 在 {seen} 上有副本，但该成员集群不在已知范围内；不会凭猜测做任何更改。",
            fix_en: "Give the cluster's document, or take it out of the fleet by way of Deleting.",
            fix_zh: "请提供该成员集群的资源文件，或通过“正在退出”状态将其移出。",
        },
        Code::ColocationImpossible => Sentence {
            en: "{object} must stand with the others of {wanted}, and no cluster takes them all.",
            zh: "{object} 须与 {wanted} 中的其他工作负载同处部署，但没有成员集群能全部容纳。",
            fix_en: "Add room on a cluster that all of them may use, or take one out of the set.",
            fix_zh: "请在全部工作负载均可使用的成员集群上增加容量，或将其中一个移出该组。",
        },
        Code::QuotaExceeded => Sentence {
            en: "The quota {object} has {seen} left; {wanted} is needed.",
            zh: "配额 {object} 剩余 {seen}，需要 {wanted}。",
            fix_en: "Ask the payer for a further grant, or lower replicas or requests.",
            fix_zh: "请向付费单位申请追加配额，或减少副本数或资源请求。",
        },
        Code::ReplicasOutOfRange => Sentence {
            en: "{object} asks for {seen} replicas; 0 to {wanted} can be decided.",
            zh: "{object} 申请 {seen} 个副本，可决策的范围为 0 至 {wanted}。",
            fix_en: "Correct the number of replicas.",
            fix_zh: "请更正副本数。",
        },
        Code::ResourceMissing => Sentence {
            en: "The closest node has {seen} of {object} left; {wanted} is asked for.",
            zh: "最接近要求的节点剩余 {object} 为 {seen}，需要 {wanted}。",
            fix_en: "Add nodes, or lower the request.",
            fix_zh: "请增加节点，或降低资源请求。",
        },
        Code::ShareExceeded => Sentence {
            en: "The share over {object} leaves room for {seen} of {wanted} replicas.",
            zh: "按 {object} 计算的占比上限只允许 {wanted} 个副本中的 {seen} 个。",
            fix_en: "Raise the share, or place more in other groups first.",
            fix_zh: "请提高占比上限，或先在其他分组增加部署。",
        },
        Code::StoppedByOrder => Sentence {
            en: "{object} is stopped by order {seen}; it keeps its places and runs nothing.",
            zh: "{object} 已按停用令 {seen} 停用；部署位置保留，不运行任何副本。",
            fix_en: "Nothing needs to be done; jiuzhou restore lifts the order.",
            fix_zh: "无需处理；以 jiuzhou restore 解除停用令。",
        },
        _ => return None,
    })
}
