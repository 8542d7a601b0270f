//! What a gate is told: findings, the rows of tables that list what went wrong, and rows that failed, in one shape.
//!
//! Shared by the formats that know problems only (SARIF, GitLab, GitHub). Each problem has an identity that does not
//! change when lines move: its code, its object and its field, not its place.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Digest, Finding, Place, Severity};

use super::cell::show;
use crate::document::{Cell, Document, Section};
use crate::finding::clean;
use crate::sentences;
use crate::words::{Lang, Word};

/// One problem.
pub(super) struct Problem<'a> {
    pub(super) severity: Severity,
    /// Code of a finding or reason, else the key of the table.
    pub(super) rule: Rule,
    /// The sentence.
    pub(super) message: String,
    /// What a person can do; may be empty.
    pub(super) fix: String,
    /// The object, as `Kind/namespace/name` and field; empty for a file as a whole.
    pub(super) object: String,
    pub(super) place: Option<&'a Place>,
    /// 64 hex digits, unique within the document.
    pub(super) fingerprint: String,
}

/// By what rule something is a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A code.
    Code(Code),
    /// A table whose rows are problems.
    Table(Word),
}

impl Rule {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Code(code) => code.as_str(),
            Self::Table(title) => title.key(),
        }
    }
}

/// All problems of a document, findings first, each in its own order.
pub(super) fn problems(document: &Document, lang: Lang) -> Vec<Problem<'_>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut unique = |identity: String| {
        let nth = known.entry(identity.clone()).or_default();
        *nth += 1;
        let digest = Digest::sha256(format!("{identity}\u{0}{nth}").as_bytes()).to_string();
        digest.trim_start_matches("sha256:").to_owned()
    };
    let mut all = Vec::new();
    for finding in &document.findings {
        all.push(of_finding(finding, lang, &mut unique));
    }
    for section in &document.sections {
        for (at, row) in section.rows.iter().enumerate().filter(|(_, row)| section.is_problem(row)) {
            all.push(of_row(section, at, row, lang, &mut unique));
        }
    }
    all
}

fn of_finding<'a>(finding: &'a Finding, lang: Lang, unique: &mut dyn FnMut(String) -> String) -> Problem<'a> {
    let subject = finding.subject.as_ref();
    let object = subject.map_or_else(String::new, |object| format!("{object} {}", finding.pointer));
    let place = finding.place.as_ref();
    // What has no object (a file that does not parse) is known by its file and the text of its line.
    let whole = || place.map_or_else(String::new, |place| format!("{}\u{0}{}", place.file, place.text));
    let identity = format!(
        "{}\u{0}{}\u{0}{:?}",
        finding.reason.code,
        if subject.is_some() { object.clone() } else { whole() },
        (&finding.reason.about, &finding.reason.object)
    );
    Problem {
        severity: finding.severity,
        rule: Rule::Code(finding.reason.code),
        message: clean(&sentences::render(&finding.reason, subject, lang)),
        fix: clean(&sentences::fix(&finding.reason, subject, lang)),
        object: clean(object.trim_end()),
        place,
        fingerprint: unique(identity),
    }
}

fn of_row<'a>(
    section: &'a Section,
    at: usize,
    row: &[Cell],
    lang: Lang,
    unique: &mut dyn FnMut(String) -> String,
) -> Problem<'a> {
    let names: Vec<String> = row
        .iter()
        .take_while(|cell| matches!(cell, Cell::Text(_) | Cell::Catalogued(_) | Cell::Word(_)))
        .map(|cell| show(cell, lang, false, usize::MAX))
        .collect();
    let reason = row.iter().find_map(|cell| if let Cell::Reason(reason) = cell { Some(reason) } else { None });
    let fix = row.iter().find(|cell| matches!(cell, Cell::Fix(_)));
    let title = section.title.text(lang);
    let why = reason.map_or_else(|| title.to_owned(), |reason| clean(&sentences::render(reason, None, lang)));
    let object = names.join(" ");
    let identity = format!("{}\u{0}{:?}\u{0}{:?}", section.title.key(), row.first(), row.get(1..3));
    Problem {
        severity: Severity::Error,
        rule: reason.map_or(Rule::Table(section.title), |reason| Rule::Code(reason.code)),
        message: format!("{object}{}{why}", lang.colon()),
        fix: fix.map_or_else(String::new, |fix| show(fix, lang, false, usize::MAX)),
        object,
        place: section.places.get(&at),
        fingerprint: unique(identity),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::render::sample;

    #[test]
    fn fingerprints_are_unique_and_do_not_know_lines() {
        let mut document = sample::document();
        let prints = |document: &Document| -> Vec<String> {
            problems(document, Lang::En).into_iter().map(|problem| problem.fingerprint).collect()
        };
        let before = prints(&document);
        assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
        for place in document.findings.iter_mut().filter_map(|finding| finding.place.as_mut()) {
            place.line += 40;
        }
        assert_eq!(prints(&document), before);
        let again = document.findings.clone();
        document.findings.extend(again);
        let doubled = prints(&document);
        assert_eq!(doubled.iter().collect::<BTreeSet<_>>().len(), doubled.len(), "two of one kind are two");
    }

    #[test]
    fn rows_of_a_table_of_problems_are_among_them_and_other_rows_are_not() {
        let document = sample::document();
        let rows: usize = document.sections.iter().filter(|one| one.problems).map(|one| one.rows.len()).sum();
        assert!(rows > 0 && document.sections.iter().any(|one| !one.problems));
        assert_eq!(problems(&document, Lang::Zh).len(), document.findings.len() + rows);
    }
}
