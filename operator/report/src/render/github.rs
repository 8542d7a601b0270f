//! GitHub workflow commands: a line per problem, which the runner shows beside the line of the change.
//!
//! The runner shows about ten of each kind per step, so the worst stand first; all of them are in the log. Text of the
//! input is escaped as the runner asks, so that it can neither end a line nor start a command of its own.

use std::fmt::Write as _;

use jiuzhou_engine::terms::Severity;

use super::Options;
use super::problem::problems;
use crate::document::Document;

pub(super) fn render(document: &Document, options: &Options) -> String {
    let mut problems = problems(document, options.lang);
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let mut out = String::new();
    for problem in &problems {
        let command = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = problem.place {
            properties.push(format!("file={}", property(&place.file)));
            properties.push(format!("line={},col={}", place.line.max(1), place.column.max(1)));
        }
        properties.push(format!("title={}", property(problem.rule.id())));
        let mut message = problem.message.clone();
        if !problem.fix.is_empty() {
            message.push('\n');
            message.push_str(&problem.fix);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn text_of_the_input_cannot_end_a_line_or_start_a_command() {
        assert_eq!(property("a:b,c%\n::error::x"), "a%3Ab%2Cc%25%0A%3A%3Aerror%3A%3Ax");
        let mut document = sample::document();
        document.findings[0].reason.seen = "x\n::error::injected".into();
        if let Some(place) = &mut document.findings[0].place {
            place.file = "a\n::error::b".to_owned();
        }
        let text = render(&document, &Options::default());
        let commands = ["::error ", "::warning ", "::notice "];
        assert!(text.lines().all(|line| commands.iter().any(|command| line.starts_with(command))), "{text}");
    }

    #[test]
    fn the_worst_stand_first() {
        let text = render(&sample::document(), &Options::default());
        let kinds: Vec<&str> = text.lines().filter_map(|line| line.split([' ']).next()).collect();
        let rank = |kind: &&str| ["::error", "::warning", "::notice"].iter().position(|known| known == kind);
        assert!(kinds.is_sorted_by_key(rank) && kinds.first() == Some(&"::error"), "{kinds:?}");
    }
}
