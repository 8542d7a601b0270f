//! What a wave of a migration waits for, in both languages: the sentences are those of conditions, because that is where
//! a hub tells them.

use jiuzhou_engine::step::migration::{Hitch, Wait};

use super::condition::condition;
use super::{Lang, render};

/// A state of a wave in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The reason, as a condition has it.
    pub reason: &'static str,
    /// The sentence.
    pub sentence: String,
    /// It goes on by itself, and nobody has to do anything.
    pub goes_on: bool,
}

/// What a wave waits for.
#[must_use]
pub fn migration(wait: &Wait, wave: &str, lang: Lang) -> Told {
    let gate = |gate: &str| format!("{wave}/{gate}");
    let hitch = |hitch: &Hitch| format!("{}: {}", hitch.workload, render(&hitch.reason, None, lang));
    let (reason, object, goes_on) = match wait {
        Wait::Nothing => ("MigrationCompleted", wave.to_owned(), true),
        Wait::Step => ("MigrationInProgress", wave.to_owned(), true),
        Wait::Earlier(earlier) => ("MigrationWaiting", earlier.clone(), true),
        Wait::Paused => ("MigrationPaused", wave.to_owned(), false),
        Wait::Unknown(what) => ("TargetUnknown", hitch(what), false),
        Wait::Unfit(why) => ("TargetUnfit", hitch(why), false),
        Wait::Gate(name) => ("GateOpen", gate(name), false),
        Wait::GateFailed(name) => ("GateFailed", gate(name), false),
        Wait::Moving => ("MigrationMoving", wave.to_owned(), true),
        Wait::Failed => ("MigrationFailing", wave.to_owned(), false),
        Wait::Late => ("MigrationLate", wave.to_owned(), false),
        Wait::Resting(until) => ("MigrationResting", until.to_string(), true),
        Wait::NoWayBack => ("WayBackMissing", wave.to_owned(), false),
        Wait::Retry => ("MigrationRolledBack", wave.to_owned(), false),
    };
    let sentence = condition(reason, &object, 0, 0, lang).unwrap_or_else(|| reason.to_owned());
    Told { reason, sentence, goes_on }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::{Code, Reason};

    use super::*;

    #[test]
    fn every_wait_is_told_in_both_languages_with_what_it_is_about() {
        let hitch = Hitch { workload: "web".to_owned(), reason: Reason::new(Code::NoCandidate).object("web") };
        let all = [
            Wait::Nothing,
            Wait::Step,
            Wait::Earlier("first".to_owned()),
            Wait::Paused,
            Wait::Unknown(hitch.clone()),
            Wait::Unfit(hitch),
            Wait::Gate("test".to_owned()),
            Wait::GateFailed("test".to_owned()),
            Wait::Moving,
            Wait::Failed,
            Wait::Late,
            Wait::Resting(jiff::Timestamp::UNIX_EPOCH),
            Wait::NoWayBack,
            Wait::Retry,
        ];
        for wait in all {
            let (en, zh) = (migration(&wait, "one", Lang::En), migration(&wait, "one", Lang::Zh));
            assert_ne!(en.sentence, en.reason, "{wait:?} has no sentence");
            assert!(en.sentence.is_ascii() && !zh.sentence.is_ascii(), "{wait:?}: {} {}", en.sentence, zh.sentence);
            assert_eq!((en.reason, en.goes_on), (zh.reason, zh.goes_on));
        }
        assert!(migration(&Wait::Gate("test".to_owned()), "one", Lang::En).sentence.contains("one/test"));
    }
}
