//! Every label, heading and note we print, in English and Chinese, and how figures are written.
//!
//! [`Word`] is one closed list: a label without one of its languages does not compile. Kinds of the API are
//! [`Term`]s of the one glossary. A key is part of the JSON contract and is never translated. Full sentences about a
//! code stand in [`crate::sentences`].

mod figures;
mod glossary;
mod labels;

pub use figures::{Unit, beijing, grouped, quantity, ratio};
pub use glossary::Term;
pub use labels::Word;

/// The language of what a person reads. Codes, JSON keys and exit codes are never translated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Both, in the order of columns in the catalogue.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The language tag of BCP 47, as the `lang` attribute of a page wants it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// What stands between a label and its value.
    #[must_use]
    pub fn colon(self) -> &'static str {
        match self {
            Self::En => ": ",
            Self::Zh => "：",
        }
    }

    /// What stands between two items of a list.
    #[must_use]
    pub fn comma(self) -> &'static str {
        match self {
            Self::En => ", ",
            Self::Zh => "、",
        }
    }

    /// A list of names, cut after `most` with the number that is left said in words.
    #[must_use]
    pub fn list<T: AsRef<str>>(self, items: &[T], most: usize) -> String {
        let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
        let joined = shown.join(self.comma());
        match (items.len().saturating_sub(most), self) {
            (0, _) => joined,
            (more, Self::En) => format!("{joined} and {more} more"),
            (more, Self::Zh) => format!("{joined}等 {} 项", more + shown.len()),
        }
    }

    /// A remark in brackets after a text.
    #[must_use]
    pub fn bracketed(self, remark: &str) -> String {
        match self {
            Self::En => format!(" ({remark})"),
            Self::Zh => format!("（{remark}）"),
        }
    }
}

/// A closed list of words: variant, stable key, English, Chinese.
macro_rules! catalogue {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $key:literal $en:literal $zh:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $en] $variant,)* }

        impl $name {
            /// Every entry, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable key: part of the JSON contract, never translated.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// The entry of a key.
            #[must_use]
            pub fn of_key(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entry| entry.key() == key)
            }

            /// The text a person reads.
            #[must_use]
            pub fn text(self, lang: crate::words::Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, crate::words::Lang::En) => $en,
                      (Self::$variant, crate::words::Lang::Zh) => $zh,)*
                }
            }
        }
    };
}
use catalogue;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_are_unique_and_fit_for_json() {
        for keys in [
            Word::ALL.iter().map(|word| word.key()).collect::<Vec<_>>(),
            Term::ALL.iter().map(|term| term.key()).collect(),
        ] {
            let distinct: BTreeSet<_> = keys.iter().collect();
            assert_eq!(distinct.len(), keys.len(), "a key is used twice");
            assert!(keys.iter().all(|key| key.bytes().all(|b| b.is_ascii_alphanumeric())), "{keys:?}");
        }
    }

    #[test]
    fn every_chinese_text_is_chinese_and_no_english_text_is() {
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        // Abbreviations that Chinese specialists use as they are.
        let as_is = [Word::Cpu, Word::AbiWorld];
        for word in Word::ALL {
            assert!(!chinese(word.text(Lang::En)), "{word:?}");
            assert!(chinese(word.text(Lang::Zh)) || as_is.contains(word), "{word:?}");
        }
        for term in Term::ALL {
            assert!(!chinese(term.text(Lang::En)) && chinese(term.text(Lang::Zh)), "{term:?}");
        }
    }

    #[test]
    fn a_long_list_says_how_many_are_left() {
        let names: Vec<String> = (1..=10).map(|n| format!("c{n}")).collect();
        assert_eq!(Lang::En.list(&names, 2), "c1, c2 and 8 more");
        assert_eq!(Lang::Zh.list(&names, 2), "c1、c2等 10 项");
        assert_eq!(Lang::Zh.list(&names[..2], 2), "c1、c2");
        assert_eq!(Lang::En.list::<String>(&[], 8), "");
    }

    /// The one glossary is the data room's table; a label that has an entry there says the same.
    #[test]
    fn labels_agree_with_the_glossary() {
        let table = include_str!("../../../data/tables/glossary.tsv");
        let glossary: std::collections::BTreeMap<&str, &str> = table
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some((line.split('\t').next()?, line.split('\t').nth(1)?)))
            .collect();
        let kebab = |key: &str| {
            key.chars().fold(String::new(), |mut id, c| {
                if c.is_ascii_uppercase() && !id.is_empty() {
                    id.push('-');
                }
                id.push(c.to_ascii_lowercase());
                id
            })
        };
        let mut wrong = Vec::new();
        let mut compare = |key: &str, text: &'static str, must: bool| match glossary.get(kebab(key).as_str()) {
            Some(zh) if *zh != text => wrong.push(format!("{key}: {text}, in the glossary {zh}")),
            None if must => wrong.push(format!("{key} is not in the glossary")),
            _ => {}
        };
        for term in Term::ALL {
            let id = if *term == Term::FleetWorkload { "Workload" } else { term.key() };
            compare(id, term.text(Lang::Zh), true);
        }
        Word::ALL.iter().for_each(|word| compare(word.key(), word.text(Lang::Zh), false));
        assert!(glossary.len() > 50 && wrong.is_empty(), "{wrong:#?}");
    }

    /// Items and dimensions of the evaluation index say what its tables say.
    #[test]
    fn the_evaluation_index_has_a_word_for_every_row() {
        let tables = [
            ("dimension", include_str!("../../../data/index/assessment-dimensions.tsv"), 2),
            ("item", include_str!("../../../data/index/assessment-items.tsv"), 4),
        ];
        for (kind, table, zh) in tables {
            let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
            for row in rows.map(|line| line.split('\t').collect::<Vec<_>>()) {
                let id = row[0].split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect::<String>();
                let word = Word::of_key(&format!("{kind}{id}")).unwrap_or_else(|| panic!("no word for {}", row[0]));
                assert_eq!(word.text(Lang::Zh), row[zh], "{}", row[0]);
                assert_eq!(word.text(Lang::En).to_lowercase(), row[zh + 1].to_lowercase(), "{}", row[0]);
            }
        }
    }
}
