//! Sentences of the codes of area `Intake` about what comes from other systems: import, adoption, SBOMs.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::AdoptionWouldChange => Sentence {
            en: "Taking over {subject} would change {object}: it is {seen} and would be {wanted}.",
            zh: "接管 {subject} 会改变 {object}：现为 {seen}，接管后为 {wanted}。",
            fix_en: "Take it over in a maintenance window: its pods are replaced one by one.",
            fix_zh: "请安排在维护窗口内接管：其 Pod 会逐个替换。",
        },
        Code::AffinityDeferred => Sentence {
            en: "{object} is taken over with its pod template as it is, and nothing restarts; {wanted} and node affinity go in when it changes next.",
            zh: "{object} 按现有 Pod 模板接管，不重启；{wanted} 与节点亲和性在其下次变更时加入。",
            fix_en: "Nothing is to be done.",
            fix_zh: "无需处理。",
        },
        Code::ConnectionNotImported => Sentence {
            en: "{subject} was imported without its credential, which never leaves the other system.",
            zh: "{subject} 导入时未带凭据，凭据不会离开原系统。",
            fix_en: "Run `jiuzhou join {object}` with an administrator's kubeconfig of that cluster, or declare a Pull connection.",
            fix_zh: "请使用该集群管理员的 kubeconfig 执行 `jiuzhou join {object}`，或声明拉取（Pull）连接。",
        },
        Code::CounterpartDiffers => Sentence {
            en: "{object} of {subject} became {wanted}, which means nearly the same.",
            zh: "{subject} 的 {object} 已转换为 {wanted}，含义相近但不完全相同。",
            fix_en: "Compare both before you rely on it.",
            fix_zh: "使用前请对照两者的含义。",
        },
        Code::NoCounterpart => Sentence {
            en: "{object} of {subject} has no counterpart here and was left out; it was {seen}.",
            zh: "{subject} 的 {object} 在此没有对应项，已略去；原值为 {seen}。",
            fix_en: "Look at {wanted} for what it was for.",
            fix_zh: "如需原有用途，请查看 {wanted}。",
        },
        Code::NotAdopted => Sentence {
            en: "{subject} is not taken over, because of {seen}.",
            zh: "不接管 {subject}，依据为 {seen}。",
            fix_en: "Nothing is to be done; it stays as it is.",
            fix_zh: "无需处理，它保持不变。",
        },
        Code::NotImported => Sentence {
            en: "{subject} is of a kind that is not imported.",
            zh: "{subject} 的类型不在导入范围内。",
            fix_en: "Give only clusters, policies and placements; plain manifests are taken by `jiuzhou wrap` and `jiuzhou adopt`.",
            fix_zh: "请只提供集群、策略与放置类对象；普通清单请使用 `jiuzhou wrap` 或 `jiuzhou adopt`。",
        },
        Code::SbomUnreadable => Sentence {
            en: "{object} is no SBOM that can be read: {seen}.",
            zh: "{object} 不是可读取的 SBOM：{seen}。",
            fix_en: "Give CycloneDX or SPDX in JSON.",
            fix_zh: "请提供 JSON 格式的 CycloneDX 或 SPDX 文件。",
        },
        _ => return None,
    })
}
