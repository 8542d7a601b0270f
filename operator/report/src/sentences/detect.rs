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
        _ => return None,
    })
}
