//! Sentences of area `Study`: tests, scenarios.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::ExpectationMissed => Sentence {
            en: "Expected {object} {wanted}, but it is {seen}.",
            zh: "{object} 预期为 {wanted}，实际为 {seen}。",
            fix_en: "Correct what the case is about, or the expectation if the change is meant.",
            fix_zh: "请更正用例所涉对象；若变化属预期，请更正预期。",
        },
        Code::SystemUndescribed => Sentence {
            en: "No workload of {object} is described, so where it could run is not known.",
            zh: "{object} 未登记工作负载，可运行于何处未知。",
            fix_en: "Describe its workloads with their images, or take them over with `jiuzhou adopt`.",
            fix_zh: "请登记其工作负载与镜像，或用 `jiuzhou adopt` 接管。",
        },
        Code::TestMissing => Sentence {
            en: "No case of any test is about {object}.",
            zh: "没有任何测试用例涉及 {object}。",
            fix_en: "Write a case with a workload that {object} holds for.",
            fix_zh: "请编写用例，选取适用 {object} 的工作负载。",
        },
        Code::TestsAbsent => Sentence {
            en: "There is no PlacementTest in {object}.",
            zh: "{object} 中没有 PlacementTest。",
            fix_en: "Name the folder that holds the tests, or write one.",
            fix_zh: "请指明测试所在目录，或编写测试。",
        },
        _ => return None,
    })
}
