//! Sentences of the codes of area `Detect`: what a node says of its CPU.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::EvidenceConflict => Sentence {
            en: "The evidence about {object} disagrees: {seen} against {wanted}.",
            zh: "{object} 的证据相互矛盾：{seen} 与 {wanted}。",
            fix_en: "Correct the label, or declare the platform of the pool.",
            fix_zh: "请更正标签，或声明该节点池的芯片平台。",
        },
        Code::PlatformUnknown => Sentence {
            en: "No rule recognises the CPU of {object}[; the node shows {seen}].",
            zh: "无法识别 {object} 的芯片平台[，节点显示的信息为 {seen}]。",
            fix_en: "Run Node Feature Discovery there, or set the label chips.jiuzhou.dev/platform.",
            fix_zh: "请在该集群部署 Node Feature Discovery，或为节点设置标签 chips.jiuzhou.dev/platform。",
        },
        Code::PlatformUnlisted => Sentence {
            en: "The label of {object} names the CPU platform {seen}, which the catalogue does not have.",
            zh: "{object} 的标签声明芯片平台为 {seen}，但芯片平台目录中没有该平台。",
            fix_en: "Correct the label, or add a CpuPlatform of that name.",
            fix_zh: "请更正标签，或新增同名的芯片平台（CpuPlatform）。",
        },
        _ => return None,
    })
}
