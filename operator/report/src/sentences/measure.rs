//! Sentences of the codes of area `Measure`: figures.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
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
        Code::CpuNotDomestic => Sentence {
            en: "{object} is {seen}, which does not count by this measure ({wanted}).",
            zh: "{object} 为 {seen}，按此口径（{wanted}）不计入。",
            fix_en: "Enter the assessment of the CPU if there is one.",
            fix_zh: "如有测评结果，请补充填报该芯片的测评信息。",
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
        Code::FigureMissing => Sentence {
            en: "The figure {object} is not known.",
            zh: "指标 {object} 未知。",
            fix_en: "Enter the measured value with its source.",
            fix_zh: "请填报带来源的实测值。",
        },
        Code::HostedNotCloud => Sentence {
            en: "{object} is hosted, which is not cloud.",
            zh: "{object} 为托管，不属于上云。",
            fix_en: "Move it onto the cloud, or correct its hosting state with evidence.",
            fix_zh: "请迁移上云，或凭证据更正承载状态。",
        },
        Code::LiftUnverified => Sentence {
            en: "{object} is declared as lifted, but the evidence is not verified.",
            zh: "{object} 申报为上云，但证据未经核验。",
            fix_en: "Have another person verify the evidence.",
            fix_zh: "请由他人核验证据。",
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
        Code::PueBelowOne => Sentence {
            en: "The PUE of {object} is {seen}; it cannot be under {wanted}.",
            zh: "{object} 的 PUE 为 {seen}，不可能低于 {wanted}。",
            fix_en: "Check both meters and their period.",
            fix_zh: "请核对两块电表及其周期。",
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
        Code::UnexplainedDifference => Sentence {
            en: "{object} shows {seen}, {wanted} is explained.",
            zh: "{object} 计量为 {seen}，可解释部分为 {wanted}。",
            fix_en: "Check the meters and what is attached to them.",
            fix_zh: "请核对仪表及其供电范围。",
        },
        _ => return None,
    })
}
