//! Sentences of the codes of area `Intake`: reading files.

use jiuzhou_engine::terms::Code;

use super::Sentence;

pub(super) fn of(code: Code) -> Option<Sentence> {
    Some(match code {
        Code::FileUnreadable => Sentence {
            en: "{object} cannot be read: {seen}.",
            zh: "无法读取 {object}：{seen}。",
            fix_en: "Check the path and its permissions.",
            fix_zh: "请检查路径及其权限。",
        },
        Code::SyntaxInvalid => Sentence {
            en: "The text is not valid YAML or JSON: {seen}.",
            zh: "文本不是有效的 YAML 或 JSON：{seen}。",
            fix_en: "Correct the line shown.",
            fix_zh: "请修改所示的行。",
        },
        _ => return None,
    })
}
