//! One sentence and one fix per code, in English and Chinese.
//!
//! One file per area of [`Code`]; `cross_check` and `interop` hold parts of area `Intake`. Placeholders `{object}`, `{seen}`,
//! `{wanted}` are filled from the reason; `{subject}`
//! is the object a finding belongs to. A sentence says what is the case, the fix says what a person does about it; both
//! are full sentences with a full stop. The test below demands both languages for every code.

mod architecture;
mod choice;
mod condition;
mod cross_check;
mod detect;
mod fill;
mod held;
mod inspect;
mod intake;
mod interop;
mod measure;
mod migration;
mod mode;
mod nearest;
mod prose;
mod rule;
mod study;
mod system;

use jiuzhou_engine::terms::{Area, Code};

pub use condition::condition;
pub use fill::{fix, render, value};
pub use held::{HeldBecause, confirm_deletions, held_because};
pub use migration::{Told, migration};
pub use mode::{ModeTold, mode};
pub use nearest::{move_until, nearest};
pub use prose::catalogued;
pub use system::{SystemStop, system_open, system_ready, system_stop};

pub use crate::words::Lang;

/// The four texts of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What is the case, English.
    pub en: &'static str,
    /// What is the case, Chinese.
    pub zh: &'static str,
    /// What to do, English.
    pub fix_en: &'static str,
    /// What to do, Chinese.
    pub fix_zh: &'static str,
}

/// The texts of a code; `None` only for a code somebody forgot, which the test below prevents.
#[must_use]
pub fn of(code: Code) -> Option<Sentence> {
    match code.area() {
        Area::Intake => intake::of(code).or_else(|| cross_check::of(code)).or_else(|| interop::of(code)),
        Area::Detect => detect::of(code),
        Area::Inspect => inspect::of(code),
        Area::Rule => rule::of(code),
        Area::Architecture => architecture::of(code),
        Area::Choice => choice::of(code),
        Area::Measure => measure::of(code),
        Area::Study => study::of(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_sentence_and_fix_in_both_languages() {
        let missing: Vec<_> = Code::ALL.iter().filter(|code| of(**code).is_none()).collect();
        assert!(missing.is_empty(), "no sentence for {missing:?}");
        for code in Code::ALL {
            let s = of(*code).expect("checked above");
            for (text, zh) in [(s.en, false), (s.zh, true), (s.fix_en, false), (s.fix_zh, true)] {
                assert!(text.ends_with(if zh { '。' } else { '.' }), "{code}: {text:?} is no full sentence");
                let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(!zh || chinese, "{code}: {text:?} is not Chinese");
                for hole in text.split('{').skip(1) {
                    let name = hole.split('}').next().unwrap_or_default();
                    assert!(
                        matches!(name, "object" | "seen" | "wanted" | "subject"),
                        "{code}: unknown hole {{{name}}}"
                    );
                }
            }
        }
    }
}
