//! Sentences of the codes of area `Intake` that cross checks give: rules over several objects and their dates.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::CertificatesAboveUse => Sentence {
            en: "The certificates retired at {object} add up to {seen} kWh, but it used {wanted} kWh.",
            zh: "{object} 已核销绿证合计 {seen} kWh，超过用电量 {wanted} kWh。",
            fix_en: "Check the amounts; what is above the use does not count.",
            fix_zh: "请核对电量；超出用电量的部分不计入。",
        },
        Code::ClassUnconfirmed => Sentence {
            en: "The data class {seen} of {object} is not confirmed.",
            zh: "{object} 的数据级别 {seen} 未经主管部门确认。",
            fix_en: "Have the bureau confirm it and enter confirmedBy and confirmedOn.",
            fix_zh: "请由主管部门确认，并填写 confirmedBy 与 confirmedOn。",
        },
        Code::ClusterIdentityDuplicate => Sentence {
            en: "{object} is the same cluster as {seen}.",
            zh: "{object} 与 {seen} 是同一个集群。",
            fix_en: "Remove one of the two registrations; its nodes would be counted twice.",
            fix_zh: "请删除其中一个登记，否则其节点会被重复计算。",
        },
        Code::CountyUnlisted => Sentence {
            en: "The county code {seen} is not in the built-in table of {wanted}.",
            zh: "内置区划表中 {wanted} 没有县级代码 {seen}。",
            fix_en: "Check the code; a county founded lately can be left as it is.",
            fix_zh: "请核对代码；近年新设的县区可保持不变。",
        },
        Code::CreditCodeDuplicate => Sentence {
            en: "The unified social credit code {object} is already used by {seen}.",
            zh: "统一社会信用代码 {object} 已被 {seen} 使用。",
            fix_en: "Give each body its own code; merge the two tenants if they are one body.",
            fix_zh: "请为每个单位填写各自的代码；若为同一单位请合并。",
        },
        Code::DependencyCycle => Sentence {
            en: "{object} waits for itself: {seen}.",
            zh: "{object} 依赖自身：{seen}。",
            fix_en: "Remove one of the dependencies.",
            fix_zh: "请去掉其中一个依赖。",
        },
        Code::DivisionWeightless => Sentence {
            en: "The weights at {object} are all zero, so no replica can be divided.",
            zh: "{object} 处的权重全部为零，副本无法划分。",
            fix_en: "Give at least one cluster a weight above zero.",
            fix_zh: "请至少为一个集群设置大于零的权重。",
        },
        Code::GrantAboveParent => Sentence {
            en: "The grants of the children of {object} add up to {seen}; its own is {wanted}.",
            zh: "{object} 各下级的配额批复合计 {seen}，超过自身的 {wanted}。",
            fix_en: "Lower the grants of the children or raise the parent's; the parent's limit holds.",
            fix_zh: "请调低下级配额或提高上级配额；以上级限额为准。",
        },
        Code::GroupsTooFew => Sentence {
            en: "The spread at {object} wants {wanted} groups, but the fleet has {seen}.",
            zh: "{object} 处的分散要求 {wanted} 组，而全部集群只有 {seen} 组。",
            fix_en: "Lower minGroups, choose another key, or add clusters.",
            fix_zh: "请减小 minGroups、更换分组依据或增加集群。",
        },
        Code::GuardrailLooser => Sentence {
            en: "{object} allows {seen}, but the tenant above allows only {wanted}.",
            zh: "{object} 允许 {seen}，而上级单位只允许 {wanted}。",
            fix_en: "Remove what the tenant above does not allow; it has no effect.",
            fix_zh: "请删除上级不允许的取值，该取值不起作用。",
        },
        Code::HostingContradicted => Sentence {
            en: "{object} is declared {seen}, but the number of its workloads is {wanted}.",
            zh: "{object} 申报为 {seen}，而其工作负载数为 {wanted}。",
            fix_en: "Correct the hosting state, or add or remove the workloads.",
            fix_zh: "请更正承载状态，或补充、移除工作负载。",
        },
        Code::ManifestNamespaceOther => Sentence {
            en: "{object} belongs to the namespace {seen}, but its workload is in {wanted}.",
            zh: "{object} 属于命名空间 {seen}，而其工作负载在 {wanted}。",
            fix_en: "Remove the namespace of the manifest, or move the workload.",
            fix_zh: "请删除清单中的命名空间，或移动工作负载。",
        },
        Code::NamespaceOwnedTwice => Sentence {
            en: "The namespace {object} is already owned by {seen}.",
            zh: "命名空间 {object} 已归 {seen} 所有。",
            fix_en: "Leave it with one tenant.",
            fix_zh: "请只保留在一个单位名下。",
        },
        Code::NativeNotWrapped => Sentence {
            en: "{subject} stands beside the workloads and is placed by none of them.",
            zh: "{subject} 不属于任何工作负载，不会被部署。",
            fix_en: "Wrap it with jiuzhou wrap, or leave it out.",
            fix_zh: "请用 jiuzhou wrap 包装为工作负载，或将其去掉。",
        },
        Code::ObjectClaimedTwice => Sentence {
            en: "{object} is already delivered by {seen}.",
            zh: "{object} 已由 {seen} 下发。",
            fix_en: "Leave the object in one of the two workloads.",
            fix_zh: "请只在其中一个工作负载中保留该对象。",
        },
        Code::PriceGap => Sentence {
            en: "{object} has no price for {seen}, though there are prices before and after.",
            zh: "{object} 在 {seen} 没有价格，而此前此后均有价格。",
            fix_en: "Enter a price for these months, or move the end of the one before.",
            fix_zh: "请补充这些月份的价格，或顺延前一价格的截止月。",
        },
        Code::ProtectionUnreachable => Sentence {
            en: "{object} asks for protection level {wanted}, but the highest of any cluster is {seen}.",
            zh: "{object} 要求等保 {wanted} 级，而全部集群最高为 {seen} 级。",
            fix_en: "Have a cluster graded, or correct the level.",
            fix_zh: "请为集群开展相应级别的测评，或更正等级。",
        },
        Code::ReadingMissing => Sentence {
            en: "{object} has no reading for {seen}.",
            zh: "{object} 缺少 {seen} 的读数。",
            fix_en: "Enter the readings of these months.",
            fix_zh: "请补充这些月份的读数。",
        },
        Code::RecordFromFuture => Sentence {
            en: "{object} is dated {seen}, which is after {wanted}.",
            zh: "{object} 的日期 {seen} 晚于 {wanted}。",
            fix_en: "Correct the date, or enter it when it has come.",
            fix_zh: "请更正日期，或到期后再填报。",
        },
        Code::ScalerContradicts => Sentence {
            en: "The autoscaler {object} keeps {wanted} replicas, but {seen} are written.",
            zh: "自动伸缩 {object} 保持 {wanted} 个副本，而清单写的是 {seen} 个。",
            fix_en: "Remove the replicas from the object, or correct the bounds of the autoscaler.",
            fix_zh: "请删除对象中的副本数，或更正自动伸缩的上下限。",
        },
        Code::SecretInlined => Sentence {
            en: "{subject} carries the data of a Secret, which everybody who may read the FleetWorkload can read.",
            zh: "{subject} 带有 Secret 的数据，凡能读取该 FleetWorkload 的人都能读到。",
            fix_en: "Reference a Secret that a secret store makes in the namespace of each member, or restrict who may read the workload and this output.",
            fix_zh: "请改为引用由密钥管理服务在各成员集群命名空间中生成的 Secret，或限制该工作负载及本输出的读取权限。",
        },
        Code::SystemOutsideTenant => Sentence {
            en: "{object} belongs to {seen}, but its namespace is owned by {wanted}.",
            zh: "{object} 属于 {seen}，而其命名空间归 {wanted} 所有。",
            fix_en: "Move it to a namespace of its tenant, or correct the tenant.",
            fix_zh: "请移至所属单位的命名空间，或更正所属单位。",
        },
        Code::TermEnding => Sentence {
            en: "The term of {object} ends on {seen}.",
            zh: "{object} 将于 {seen} 到期。",
            fix_en: "Renew it before that day.",
            fix_zh: "请在到期前办理续期。",
        },
        Code::TermUnstarted => Sentence {
            en: "The term of {object} starts on {seen}.",
            zh: "{object} 自 {seen} 起生效。",
            fix_en: "Nothing to do if that is meant; it does not count before.",
            fix_zh: "如属预期则无需处理；生效前不计入。",
        },
        _ => return None,
    })
}
