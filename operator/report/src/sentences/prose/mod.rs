//! Chinese for parameters that are prose: what a parser, an operating system or our own code says of a fault.
//!
//! Such a text comes as English and JSON keeps it so. Each code that has one names the tables it is looked up in, so that
//! a name of somebody's object is never taken for prose. Entries are pairs with `{}` for what differs, the first that
//! fits counts. What a foreign tool says beyond the tables is quoted as its own words, with a Chinese label before it.

mod own;
mod sources;
mod tools;
mod yaml;

use jiuzhou_engine::terms::Code;

use super::Lang;

/// English and Chinese of one text; holes are filled in order, or by number where Chinese has another one.
type Table = &'static [(&'static str, &'static str)];

/// How deep a text is looked up inside another one.
const INSIDE: usize = 3;

/// Where a code's prose is looked up, and whether what is not found there is quoted as the words of a tool.
fn tables(code: Code) -> Option<(&'static [Table], bool)> {
    Some(match code {
        Code::SyntaxInvalid => (&[yaml::MESSAGES, tools::JSON], true),
        Code::LimitExceeded => (&[own::AMOUNTS], false),
        Code::ContentUnsupported => (&[own::CONTENTS], false),
        Code::FileUnreadable => (&[tools::FILES, own::CONTENTS], true),
        Code::PathSkipped => (&[own::SKIPPED], false),
        Code::TypeMismatch | Code::DocumentNotObject => (&[own::TYPES], false),
        Code::ValueNotAllowed => (&[own::ALTERNATIVES], false),
        Code::RuleNotEvaluated => (&[tools::CEL, own::EXPRESSIONS], true),
        Code::OverrideInvalid | Code::ManifestFieldInvalid | Code::QuantityInvalid => (&[own::OVERRIDES], false),
        Code::SbomUnreadable => (&[own::SBOMS, tools::JSON], true),
        Code::ImageUnreadable | Code::ManifestUnreadable | Code::LayerUnreadable => {
            (&[own::IMAGES, tools::FILES, tools::JSON], true)
        }
        _ => return None,
    })
}

/// A parameter of this code in the language asked for; `None` when it is a name, a token or a quotation of the input, or
/// is of that language already.
pub(super) fn told(code: Code, text: &str, lang: Lang) -> Option<String> {
    match (code, lang) {
        (Code::RuleBroken, _) => half(text, lang).map(str::to_owned),
        (Code::CpuForeign | Code::CpuNotAssessed | Code::CpuX86, _) => side(text, lang).map(str::to_owned),
        (_, Lang::En) => None,
        (_, Lang::Zh) => zh(code, text),
    }
}

/// The half of a message that says the same in English and then in Chinese, as those of our schemas do.
fn half(text: &str, lang: Lang) -> Option<&str> {
    let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let count = |text: &str| text.chars().filter(is_han).count();
    let cuts = text.match_indices(". ").map(|(at, _)| at);
    let halves = cuts.filter_map(|at| Some((text.get(..at)?, text.get(at + 2..)?)));
    // English may be several sentences, and may quote a Chinese word; Chinese has signs of its own, and may name a field
    // that ends in a dot.
    let is_english = |text: &str| count(text) < 3 && !text.contains(['：', '，', '。', '；']);
    let (en, zh) = halves.filter(|(en, zh)| is_english(en) && count(zh) > 2).last()?;
    Some(if lang == Lang::Zh { zh } else { en })
}

/// The side of a name that is written in both languages, `海光 7000 系列 / Hygon C86 7000`, as those of the catalogue are.
fn side(text: &str, lang: Lang) -> Option<&str> {
    let (first, second) = text.split_once(" / ")?;
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    match (han(first), han(second)) {
        (true, false) => Some(if lang == Lang::Zh { first } else { second }),
        (false, true) => Some(if lang == Lang::Zh { second } else { first }),
        _ => None,
    }
}

/// A name of the catalogue, or where one of its figures comes from, in the language asked for; anything else as it is.
#[must_use]
pub fn catalogued(text: &str, lang: Lang) -> String {
    let known = if lang == Lang::Zh { look_up(&[sources::SOURCES], text, INSIDE) } else { None };
    known.unwrap_or_else(|| side(text, lang).unwrap_or(text).to_owned())
}

/// The Chinese of a parameter of this code.
fn zh(code: Code, text: &str) -> Option<String> {
    let (tables, foreign) = tables(code)?;
    look_up(tables, text, INSIDE).or_else(|| (foreign && is_prose(text)).then(|| format!("原文“{text}”")))
}

fn look_up(tables: &[Table], text: &str, inside: usize) -> Option<String> {
    let entries = tables.iter().copied().flatten();
    let (zh, holes) = entries.into_iter().find_map(|(en, zh)| Some((zh, holes(en, text)?)))?;
    let (mut said, mut rest, mut next) = (String::new(), *zh, 0);
    while let Some((before, after)) = rest.split_once('{') {
        let (number, after) = after.split_once('}')?;
        let hole = holes.get(number.parse().unwrap_or(next)).copied().unwrap_or_default();
        next += 1;
        said.push_str(before);
        match inside.checked_sub(1).and_then(|inside| look_up(tables, hole, inside)) {
            Some(hole) => said.push_str(&hole),
            None => said.push_str(hole),
        }
        rest = after;
    }
    said.push_str(rest);
    Some(said)
}

/// What stands in the holes of a pattern; `None` when the text is another one.
fn holes<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default())?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let at = match parts.peek() {
            // The last part is the end of the text.
            None => rest.ends_with(part).then(|| rest.len() - part.len())?,
            Some(_) => rest.find(part)?,
        };
        found.push(rest.get(..at)?);
        rest = rest.get(at + part.len()..)?;
    }
    rest.is_empty().then_some(found)
}

/// Whether a text has words of a language rather than names: two small words next to each other.
fn is_prose(text: &str) -> bool {
    let is_word = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    let words: Vec<&str> = text.split([' ', '\n', ',', ';', ':']).collect();
    words.windows(2).any(|pair| pair.iter().all(|word| is_word(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[Table] = &[
        own::AMOUNTS,
        own::CONTENTS,
        own::SKIPPED,
        own::TYPES,
        own::ALTERNATIVES,
        own::EXPRESSIONS,
        own::OVERRIDES,
        own::SBOMS,
        own::IMAGES,
        tools::FILES,
        tools::JSON,
        tools::CEL,
        yaml::MESSAGES,
    ];

    #[test]
    fn the_chinese_of_an_entry_fills_holes_that_there_are_and_each_text_is_of_its_language() {
        for (en, zh) in ALL.iter().copied().flatten() {
            assert!(en.matches("{}").count() >= zh.matches('{').count(), "{en}");
            assert!(en.is_ascii(), "{en}");
            let chinese = zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(chinese, "{zh}");
            assert!(!is_prose(zh), "{zh} holds English words");
        }
    }

    #[test]
    fn an_entry_is_not_hidden_behind_an_earlier_one() {
        for table in ALL {
            for (at, (en, zh)) in table.iter().enumerate() {
                let text = en.replace("{}", "x");
                let first = table.iter().position(|(pattern, _)| holes(pattern, &text).is_some());
                assert_eq!(first, Some(at), "{en} ({zh})");
            }
        }
    }

    #[test]
    fn a_name_in_both_languages_is_told_in_one_and_a_source_in_chinese_to_who_reads_it() {
        let hygon = "海光 7000 系列（一、二代） / Hygon C86 7000, first and second generation";
        assert_eq!(catalogued(hygon, Lang::Zh), "海光 7000 系列（一、二代）");
        assert_eq!(catalogued(hygon, Lang::En), "Hygon C86 7000, first and second generation");
        assert_eq!(catalogued("自主一号", Lang::En), "自主一号");
        assert_eq!(catalogued("a / b", Lang::Zh), "a / b");
        let notice = "工信厅联节函〔2025〕279号, press";
        assert_eq!(catalogued(notice, Lang::Zh), "工信厅联节函〔2025〕279号，据新闻报道");
        assert_eq!(catalogued(notice, Lang::En), notice);
        assert_eq!(catalogued("secondary", Lang::Zh), "转引");
        assert_eq!(told(Code::CpuX86, hygon, Lang::Zh).as_deref(), Some("海光 7000 系列（一、二代）"));
        // The name of somebody's object is never taken for one of ours.
        assert_eq!(told(Code::ReferenceUnknown, hygon, Lang::Zh), None);
    }

    #[test]
    fn what_differs_is_put_in_and_looked_up_itself() {
        let said = zh(Code::SyntaxInvalid, "unclosed bracket '['").expect("known");
        assert!(said.contains("'['"), "{said}");
        let said = zh(Code::SbomUnreadable, "expected value at line 3 column 7").expect("known");
        assert_eq!(said, "第 3 行第 7 列：此处应有一个值");
        assert_eq!(holes("a{}c{}e", "abbcdde"), Some(vec!["bb", "dd"]));
        assert_eq!(holes("a{}c", "abd"), None);
        assert_eq!(holes("{}", "all of it"), Some(vec!["all of it"]));
    }

    #[test]
    fn of_a_message_in_both_languages_one_half_is_told() {
        let both = "a: must not be x. Or y (涉密) at all. a：不得为 x，也不得为 y";
        let halves = [Lang::En, Lang::Zh].map(|lang| told(Code::RuleBroken, both, lang));
        let expected = ["a: must not be x. Or y (涉密) at all", "a：不得为 x，也不得为 y"];
        assert_eq!(halves, expected.map(|half| Some(half.to_owned())));
        let dotted =
            told(Code::RuleBroken, "p: begin with .status. and no other. p：须以 .status. 开头，不得为其他", Lang::Zh);
        assert_eq!(dotted.as_deref(), Some("p：须以 .status. 开头，不得为其他"));
        assert_eq!(told(Code::RuleBroken, "somebody else's words. In one language", Lang::Zh), None);
    }

    #[test]
    fn words_of_a_tool_that_nobody_foresaw_are_quoted_and_names_are_left_alone() {
        let said = zh(Code::SyntaxInvalid, "the moon is in the way").expect("prose");
        assert_eq!(said, "原文“the moon is in the way”");
        assert_eq!(zh(Code::SyntaxInvalid, "***"), None);
        // A workload may be called as a type is.
        assert_eq!(zh(Code::ReferenceUnknown, "string"), None);
        assert_eq!(zh(Code::TypeMismatch, "string").as_deref(), Some("文本"));
        assert_eq!(zh(Code::TypeMismatch, "spec.object"), None);
    }
}
