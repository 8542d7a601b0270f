//! Sentences of the codes of area `Measure`: figures.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::BillDiffers => Sentence {
            en: "The electricity bill of {object} says {seen}, its meter {wanted}.",
            zh: "{object} 电费单为 {seen}，电表读数为 {wanted}，差额未解释。",
            fix_en: "Check the reading dates of both and what else hangs on the bill.",
            fix_zh: "请核对两者的抄表日期及电费单所含的其他用电。",
        },
        Code::BillMissing => Sentence {
            en: "{object} has no electricity bill of {wanted}.",
            zh: "{object} 没有 {wanted} 的电费单。",
            fix_en: "Enter the bill with its number.",
            fix_zh: "请填报电费单及其账单号。",
        },
        Code::CertificateExpired => Sentence {
            en: "Certificate {object} of {seen} ran out before {wanted}.",
            zh: "绿证 {object}（发电月份 {seen}）在 {wanted} 时已过期。",
            fix_en: "Use a certificate generated within the 24 months before the month it is used for.",
            fix_zh: "请使用发电月份起 24 个月有效期内的绿证。",
        },
        Code::CertificateInvalid => Sentence {
            en: "Certificate {object} cannot be used: {seen}, wanted {wanted}.",
            zh: "绿证 {object} 不可用：实际为 {seen}，应为 {wanted}。",
            fix_en: "Correct its generation month or amount from the certificate itself.",
            fix_zh: "请按绿证原件更正发电月份或电量。",
        },
        Code::CertificateNotRetired => Sentence {
            en: "Certificate {object} was not retired and does not count.",
            zh: "绿证 {object} 尚未核销，不计入。",
            fix_en: "Retire it and enter the retirement.",
            fix_zh: "请办理核销并填报核销记录。",
        },
        Code::CertificateNotTradable => Sentence {
            en: "Certificate {object} may not be traded, and {seen} has no meter reading of own generation in {wanted}.",
            zh: "绿证 {object} 不可交易，而 {seen} 在 {wanted} 没有现场发电的电表读数。",
            fix_en: "Claim it at the site that generated the energy, or enter that site's generation meter.",
            fix_zh: "请在发电所在机房申报，或补充填报该机房的现场发电读数。",
        },
        Code::CertificateUsedTwice => Sentence {
            en: "Certificate {object} is also claimed at {seen}; it counts once, at {wanted}.",
            zh: "绿证 {object} 又被 {seen} 申报；只在 {wanted} 计入一次。",
            fix_en: "Remove the second claim or correct its id.",
            fix_zh: "请删除重复申报或更正绿证编号。",
        },
        Code::CounterReset => Sentence {
            en: "The counter of {object} fell from {wanted} to {seen}; the energy in between is not known.",
            zh: "{object} 的计数器由 {wanted} 回退到 {seen}，其间电量未知。",
            fix_en: "Enter the counter's maximum so that a wrap can be told from a reset.",
            fix_zh: "请填报计数器上限，以区分回绕与重置。",
        },
        Code::CpuForeign => Sentence {
            en: "{wanted} of {object} run on {seen}, which is not a domestic brand.",
            zh: "{object} 有 {wanted}运行在 {seen} 上，非国产品牌。",
            fix_en: "Plan its move to a domestic CPU.",
            fix_zh: "请安排迁移至国产芯片。",
        },
        Code::CpuNotAssessed => Sentence {
            en: "{wanted} of {object} run on {seen}, which has no valid security and reliability assessment.",
            zh: "{object} 有 {wanted}运行在 {seen} 上，该芯片没有有效的安全可靠测评结果。",
            fix_en: "Enter the notice if the CPU is on one, or wait for its assessment.",
            fix_zh: "如已列入测评公告，请在芯片平台中补充填报公告号与有效期。",
        },
        Code::CpuUnknown => Sentence {
            en: "The CPU behind {wanted} of {object} is not known; they do not count as domestic.",
            zh: "{object} 有 {wanted}的芯片未知，不计入国产占比的分子。",
            fix_en: "Enter the platform of the asset, or label the nodes so that it is detected.",
            fix_zh: "请填报资产的芯片平台，或为节点补充标签以便识别。",
        },
        Code::CpuUnobserved => Sentence {
            en: "No CPU of {object} was observed.",
            zh: "{object} 没有观测到 vCPU 用量。",
            fix_en: "Report the status of its workloads, or enter its assets with their CPUs.",
            fix_zh: "请上报其工作负载状态，或填报资产及其 vCPU 数。",
        },
        Code::CpuX86 => Sentence {
            en: "{wanted} of {object} run on {seen}, which is x86.",
            zh: "{object} 有 {wanted}运行在 {seen} 上，属于 x86 架构。",
            fix_en: "Nothing to do unless a policy asks for other architectures.",
            fix_zh: "除非策略要求非 x86 架构，否则无需处理。",
        },
        Code::EntryAbsent => Sentence {
            en: "{object} has no information system on the register: not applicable.",
            zh: "{object} 没有登记政务信息系统，不适用。",
            fix_en: "Register its systems, or leave it as it is if there are none.",
            fix_zh: "请登记其政务信息系统；确无系统的无需处理。",
        },
        Code::EntryExempt => Sentence {
            en: "{object} is exempt by {seen} until {wanted}.",
            zh: "{object} 依据 {seen} 豁免，有效期至 {wanted}。",
            fix_en: "Nothing to do until the exemption ends.",
            fix_zh: "豁免到期前无需处理。",
        },
        Code::EntryLifted => Sentence {
            en: "{object} is lifted, not cloud native.",
            zh: "{object} 为整体上云，尚非云原生。",
            fix_en: "Rebuild it as cloud native when it is next renewed.",
            fix_zh: "可在下次改造时按云原生重构。",
        },
        Code::EntryOnPremises => Sentence {
            en: "{object} runs on premises.",
            zh: "{object} 为本地部署。",
            fix_en: "Plan its move or apply for an exemption.",
            fix_zh: "请安排上云或申请豁免。",
        },
        Code::EntryRetired => Sentence {
            en: "{object} is retired.",
            zh: "{object} 已下线。",
            fix_en: "Nothing to do.",
            fix_zh: "无需处理。",
        },
        Code::ExemptionInvalid => Sentence {
            en: "The exemption of {object} does not count: document {seen}, valid until {wanted}.",
            zh: "{object} 的豁免无效：文号 {seen}，有效期至 {wanted}。",
            fix_en: "Renew the exemption with its document number, or plan the move.",
            fix_zh: "请凭文号办理续期，或安排上云。",
        },
        Code::FactorFallback => Sentence {
            en: "No grid factor is published for {object}; the national factor of {seen} is used.",
            zh: "{object} 没有公布电网排放因子，采用 {seen} 年全国因子。",
            fix_en: "Give the site a factor series of its own with its source.",
            fix_zh: "请为该机房填报带来源的排放因子。",
        },
        Code::HostedNotCloud => Sentence {
            en: "{object} is hosted, which is not cloud.",
            zh: "{object} 为托管，不属于上云。",
            fix_en: "Move it onto the cloud, or correct its hosting state with evidence.",
            fix_zh: "请迁移上云，或凭证据更正承载状态。",
        },
        Code::HostingNotYet => Sentence {
            en: "The hosting state of {object} holds from {seen}; on {wanted} it does not hold yet.",
            zh: "{object} 的承载状态自 {seen} 起生效，在 {wanted} 尚未生效。",
            fix_en: "Nothing to do until that day, unless the day is wrong.",
            fix_zh: "生效之前无需处理；如日期有误请更正。",
        },
        Code::ItEnergyUnknown => Sentence {
            en: "The IT energy of {object} in {wanted} is not known: it has no IT meter reading, and its pools cannot all be modelled.",
            zh: "{object} 在 {wanted} 的 IT 设备能耗未知：没有 IT 电表读数，节点池也无法全部建模。",
            fix_en: "Enter the reading of the IT meter, or the power of every pool.",
            fix_zh: "请填报 IT 电表读数，或补全各节点池的功耗。",
        },
        Code::LiftUnverified => Sentence {
            en: "{object} is declared as lifted, but the evidence is not verified.",
            zh: "{object} 申报为上云，但证据未经核验。",
            fix_en: "Have another person verify the evidence.",
            fix_zh: "请由他人核验证据。",
        },
        Code::MeterDiffers => Sentence {
            en: "The meter of {object} reads {seen}; its pools and PUE explain {wanted}.",
            zh: "{object} 总电表读数为 {seen}，节点池与 PUE 可解释 {wanted}，差额未解释。",
            fix_en: "Check the meters and what is attached to them.",
            fix_zh: "请核对仪表及其供电范围。",
        },
        Code::MeterMissing => Sentence {
            en: "{object} has no reading of the site meter of {wanted}.",
            zh: "{object} 没有 {wanted} 的机房总电表读数。",
            fix_en: "Enter the reading of the month.",
            fix_zh: "请填报当月读数。",
        },
        Code::NotReadyLongEnough => Sentence {
            en: "{object} had Ready replicas for {seen} days, {wanted} are needed.",
            zh: "{object} 有就绪副本的天数为 {seen}，要求 {wanted}。",
            fix_en: "Bring the workload to Ready and keep it so.",
            fix_zh: "请使工作负载就绪并保持稳定。",
        },
        Code::OutsideGovernmentRooms => Sentence {
            en: "{object} runs outside the government's own machine rooms: {seen}.",
            zh: "{object} 运行在政府自有机房之外：{seen}。",
            fix_en: "Nothing to do unless a policy asks for government rooms.",
            fix_zh: "除非策略要求政府机房，否则无需处理。",
        },
        Code::PriceConflict => Sentence {
            en: "Two prices of {object} hold in {seen}.",
            zh: "{object} 在 {seen} 有两个同级价格同时有效。",
            fix_en: "End one of them or make one more specific.",
            fix_zh: "请终止其中一个价格，或使其一更具体。",
        },
        Code::ProjectCodeAbsent => Sentence {
            en: "{object} has no project code and is not counted.",
            zh: "{object} 没有项目编码，不计入分子。",
            fix_en: "Enter its project code.",
            fix_zh: "请填报项目编码。",
        },
        Code::ProjectCodeRepeated => Sentence {
            en: "{object} repeats the project code {seen} of {wanted}; it counts once.",
            zh: "{object} 与 {wanted} 的项目编码 {seen} 重复，只计一次。",
            fix_en: "Merge the two entries or correct the code.",
            fix_zh: "请合并两条登记或更正项目编码。",
        },
        Code::PowerUnknown => Sentence {
            en: "The power of pool {object} is not known.",
            zh: "节点池 {object} 的功耗未知。",
            fix_en: "State idleWatts and busyWatts, or a serverModel of the built-in table, in the cluster's poolFacts.",
            fix_zh: "请在成员集群的 poolFacts 中填报 idleWatts 与 busyWatts，或内置表中的 serverModel。",
        },
        Code::PueAboveLimit => Sentence {
            en: "The PUE of {object} is {seen}, above the limit of {wanted}.",
            zh: "{object} 的 PUE 为 {seen}，高于限值 {wanted}。",
            fix_en: "Improve cooling and power distribution, or correct the readings.",
            fix_zh: "请改进制冷与供配电；如读数有误请更正。",
        },
        Code::PueBelowOne => Sentence {
            en: "The PUE of {object} is {seen}; it cannot be under {wanted}.",
            zh: "{object} 的 PUE 为 {seen}，不可能低于 {wanted}。",
            fix_en: "Check both meters and their period.",
            fix_zh: "请核对两块电表及其周期。",
        },
        Code::PueMissing => Sentence {
            en: "{object} has no measured PUE of {wanted}.",
            zh: "{object} 没有 {wanted} 的实测 PUE。",
            fix_en: "Enter the PUE measured in that month, or the readings of both meters.",
            fix_zh: "请填报当月实测 PUE，或总电表与 IT 电表的读数。",
        },
        Code::PueNotMeasured => Sentence {
            en: "The PUE of {object} is {seen}, only {wanted} counts.",
            zh: "{object} 的 PUE 类型为 {seen}，仅采信 {wanted}。",
            fix_en: "Enter the measured PUE of the period.",
            fix_zh: "请填报本周期的实测 PUE。",
        },
        Code::PuePeriodDiffers => Sentence {
            en: "The PUE of {object} is for {seen}, the energy for {wanted}.",
            zh: "{object} 的 PUE 对应 {seen}，能耗对应 {wanted}。",
            fix_en: "Enter a PUE measured over the same period.",
            fix_zh: "请填报同一周期的实测 PUE。",
        },
        Code::ReadingInvalid => Sentence {
            en: "A reading of {object} is {seen}, wanted {wanted}.",
            zh: "{object} 的读数为 {seen}，应为 {wanted}。",
            fix_en: "Check the meter and correct the reading.",
            fix_zh: "请检查仪表并更正读数。",
        },
        Code::RenewableBelowLimit => Sentence {
            en: "The renewable share (REF) of {object} is {seen}, below the limit of {wanted}.",
            zh: "{object} 的可再生能源利用率（REF）为 {seen}，低于限值 {wanted}。",
            fix_en: "Buy and retire green certificates, or enter those that are missing.",
            fix_zh: "请购买并核销绿证；如有遗漏请补充填报。",
        },
        Code::RoomUnknown => Sentence {
            en: "Whether {object} runs in the government's own machine rooms is not known.",
            zh: "{object} 是否运行在政府自有机房未知。",
            fix_en: "Enter the site of its assets and clusters.",
            fix_zh: "请填报其资产与集群所在机房。",
        },
        Code::SampleGap => Sentence {
            en: "{object} has no samples for {seen}; at most {wanted} is bridged.",
            zh: "{object} 有 {seen} 没有采样，最多允许间隔 {wanted}。",
            fix_en: "Check the collector; the gap stays empty.",
            fix_zh: "请检查采集器；缺口不做填补。",
        },
        Code::TimeUnpriced => Sentence {
            en: "{object} has no price for {seen} in {wanted}.",
            zh: "{object} 在 {wanted} 有 {seen} 未定价。",
            fix_en: "Enter a price for that month.",
            fix_zh: "请补充该月价格。",
        },
        Code::WaterAboveLimit => Sentence {
            en: "{object} uses {seen} L of water per kWh of IT energy, above the limit of {wanted} L.",
            zh: "{object} 每千瓦时 IT 用电耗水 {seen} 升，高于限值 {wanted} 升。",
            fix_en: "Improve cooling, or correct the reading.",
            fix_zh: "请改进制冷；如读数有误请更正。",
        },
        _ => return None,
    })
}
