//! Sentences of the codes of area `Architecture`: the exact image-to-node rule.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::NoManifestForPlatform => Sentence {
            en: "The image {object} has no manifest for {wanted}; it offers {seen}.",
            zh: "镜像 {object} 没有适用于 {wanted} 的清单，仅提供 {seen}。",
            fix_en: "Build and push the image for {wanted}.",
            fix_zh: "请为 {wanted} 构建并推送镜像。",
        },
        _ => return None,
    })
}
