//! Sentences of the codes of area `Measure`: figures.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::FigureMissing => Sentence {
            en: "The figure {object} is not known.",
            zh: "指标 {object} 未知。",
            fix_en: "Enter the measured value with its source.",
            fix_zh: "请填报带来源的实测值。",
        },
        _ => return None,
    })
}
