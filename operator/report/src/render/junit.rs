//! JUnit XML: a suite per tenant (or whatever groups a table), a case per row, a suite for the findings.
//!
//! Written by hand: `quick-junit` costs some twenty crates (uuid, chrono among them) for these four elements. The
//! only hard part, what XML 1.0 allows, is [`escape`]. There is no time in it: a report did not run for some seconds.

use std::fmt::Write as _;

use jiuzhou_engine::terms::{Finding, Severity};

use super::Options;
use super::cell::{self, show};
use crate::document::{Cell, Document, Section, Status};
use crate::finding::frame;
use crate::render::Style;
use crate::words::{Lang, Word};

/// One suite: name and cases, already written.
#[derive(Default)]
struct Suite {
    cases: String,
    tests: usize,
    failures: usize,
    skipped: usize,
}

/// How a case ended.
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

pub(super) fn render(document: &Document, options: &Options) -> String {
    let lang = options.lang;
    let mut suites: Vec<(String, Suite)> = Vec::new();
    for section in &document.sections {
        let title = section.title.text(lang);
        for (group, rows) in section.groups() {
            let name = group.map(|cell| format!("{title} / {}", show(cell, lang, false, usize::MAX)));
            let mut suite = Suite::default();
            rows.iter().for_each(|row| suite.row(section, row, lang));
            suites.push((name.unwrap_or_else(|| title.to_owned()), suite));
        }
    }
    let mut suite = Suite::default();
    document.findings.iter().for_each(|finding| suite.finding(finding, lang));
    suites.push((Word::SectionFindings.text(lang).to_owned(), suite));

    let sum = |count: fn(&Suite) -> usize| suites.iter().map(|(_, suite)| count(suite)).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures, skipped) = (sum(|s| s.tests), sum(|s| s.failures), sum(|s| s.skipped));
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        escape(&format!("jiuzhou {}", cell::title(document, lang)))
    );
    for (name, suite) in &suites {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
            escape(name),
            suite.tests,
            suite.failures,
            suite.skipped
        );
        out.push_str(&suite.cases);
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

impl Suite {
    fn row(&mut self, section: &Section, row: &[Cell], lang: Lang) {
        let texts: Vec<String> = row.iter().map(|cell| show(cell, lang, false, usize::MAX)).collect();
        // The names of the row: its leading texts, without the group, which names the suite.
        let named = row.iter().take_while(|cell| {
            matches!(cell, Cell::Text(_) | Cell::Catalogued(_) | Cell::Term(_) | Cell::Code(_) | Cell::Word(_))
        });
        let names: Vec<&str> = texts
            .iter()
            .enumerate()
            .take(named.count().max(1))
            .filter(|(at, _)| section.group != Some(*at) || texts.len() == 1)
            .map(|(_, text)| text.as_str())
            .collect();
        let name = if names.is_empty() { texts.first().cloned().unwrap_or_default() } else { names.join(" ") };
        let outcome = match Section::status(row) {
            Some(Status::Refused | Status::Violating | Status::Failed) => Outcome::Failed,
            Some(Status::Unknown | Status::Pending) => Outcome::Skipped,
            Some(Status::Ok | Status::Warn) | None => Outcome::Passed,
        };
        let why = row.iter().find_map(|cell| match cell {
            Cell::Reason(_) => Some(show(cell, lang, false, usize::MAX)),
            _ => None,
        });
        let detail: Vec<String> = section
            .columns
            .iter()
            .zip(&texts)
            .map(|(column, text)| format!("{}{}{text}", column.label.text(lang), lang.colon()))
            .collect();
        let message = why.unwrap_or_else(|| detail.join("; "));
        self.case(section.title.key(), &name, &outcome, &message, &detail.join("\n"));
    }

    fn finding(&mut self, finding: &Finding, lang: Lang) {
        let subject = finding.subject.as_ref().map(|object| format!("{object} ")).unwrap_or_default();
        let place = finding.place.as_ref();
        let place = place.map(|place| format!(" {}:{}:{}", place.file, place.line, place.column)).unwrap_or_default();
        let name = format!("{subject}{}{place}", finding.reason.code);
        let outcome = if finding.severity == Severity::Error { Outcome::Failed } else { Outcome::Passed };
        let message = crate::sentences::render(&finding.reason, finding.subject.as_ref(), lang);
        self.case(Word::SectionFindings.key(), &name, &outcome, &message, &frame(finding, lang, Style::default()));
    }

    fn case(&mut self, class: &str, name: &str, outcome: &Outcome, message: &str, detail: &str) {
        self.tests += 1;
        let (message, detail) = (escape(message), escape(detail));
        // Writing to a String cannot fail.
        let _ = write!(self.cases, "    <testcase classname=\"jiuzhou.{class}\" name=\"{}\">", escape(name));
        let _ = match outcome {
            Outcome::Passed => write!(self.cases, "<system-out>{detail}</system-out>"),
            Outcome::Failed => {
                self.failures += 1;
                write!(self.cases, "<failure message=\"{message}\">{detail}</failure>")
            }
            Outcome::Skipped => {
                self.skipped += 1;
                write!(self.cases, "<skipped message=\"{message}\"/>")
            }
        };
        self.cases.push_str("</testcase>\n");
    }
}

/// Text for XML 1.0: the five entities; what XML does not allow at all becomes U+FFFD. Line breaks survive in
/// attributes as character references.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn refused_rows_and_error_findings_fail_and_the_counts_agree() {
        let text = render(&sample::document(), &Options::default());
        let cases = text.matches("<testcase ").count();
        let failures = text.matches("<failure ").count();
        assert!(text.contains(&format!("tests=\"{cases}\" failures=\"{failures}\"")), "{text}");
        assert!(failures > 0 && failures < cases);
        assert_eq!(text.matches("</testcase>").count(), cases);
    }

    #[test]
    fn hostile_names_stay_inside_their_attribute() {
        assert_eq!(escape("a\"><x>&'\u{0}\u{1b}\n"), "a&quot;&gt;&lt;x&gt;&amp;&apos;\u{fffd}\u{fffd}&#10;");
    }
}
