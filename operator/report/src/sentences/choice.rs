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
        _ => return None,
    })
}
