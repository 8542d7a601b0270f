//! `jiuzhou test`: every expectation of every case, and what the cases have exercised.
//!
//! A row is one expectation, so that a test report counts what was claimed; a failed one is a problem at the line of the
//! test. Rules that no case saw refuse are shown as such: nobody has tried them.

use jiuzhou_engine::decide::Rule;
use jiuzhou_engine::terms::{Finding, Place, Reason};

use super::decision::rule as rule_word;
use crate::document::{Cell, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Term, Word};

/// One expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is about, in the words of the file.
    pub about: String,
    /// What was wanted and what was seen, where it is not met.
    pub missed: Option<Reason>,
    /// Why it is so.
    pub why: Option<Reason>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The test it belongs to.
    pub test: String,
    /// Its name.
    pub name: String,
    /// Its workload.
    pub workload: Option<String>,
    /// Its expectations.
    pub checks: Vec<Check>,
}

impl Case {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.missed.is_none())
    }
}

/// Cases by what they saw of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exercised {
    /// Cases in which it let the workload in somewhere.
    pub let_in: u32,
    /// Cases in which it kept the workload out somewhere.
    pub kept_out: u32,
    /// Expectations that name it.
    pub asserted: u32,
    /// Of those cases, the failing ones.
    pub failed: u32,
}

impl Exercised {
    /// Whether some case met it.
    #[must_use]
    pub fn met(&self) -> bool {
        self.let_in > 0 || self.kept_out > 0
    }
}

/// What a thing is that cases may exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A tier.
    Tier,
    /// A placement policy.
    Policy,
    /// A taint of a cluster.
    Taint,
}

/// Everything the report is made from.
#[derive(Clone, Debug, Default)]
pub struct TestInput {
    /// The cases, by test.
    pub cases: Vec<Case>,
    /// What the cases saw of each rule.
    pub rules: Vec<(Rule, Exercised)>,
    /// What they saw of tiers, policies and taints, with where those stand.
    pub things: Vec<(Thing, String, Exercised, Option<Place>)>,
}

/// The document.
#[must_use]
pub fn test(meta: Meta, input: &TestInput, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Test, meta);
    let ratio = |part: usize, whole: usize| {
        let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Cell::Ratio(int(part), int(whole))
    };
    let checks = || input.cases.iter().flat_map(|case| &case.checks);
    let passed = input.cases.iter().filter(|case| case.passed()).count();
    document.figure(Word::Cases, ratio(passed, input.cases.len()));
    document.figure(Word::ExpectationsMet, ratio(checks().filter(|c| c.missed.is_none()).count(), checks().count()));
    let both = input.rules.iter().filter(|(_, seen)| seen.let_in > 0 && seen.kept_out > 0).count();
    document.figure(Word::ExercisedRules, ratio(both, input.rules.len()));
    let met = input.things.iter().filter(|(_, _, seen, _)| seen.met()).count();
    document.figure(Word::Exercised, ratio(met, input.things.len()));
    document.sections.push(expectations(&input.cases));
    document.sections.push(rules(&input.rules));
    document.sections.push(things(&input.things));
    document.take_findings(findings);
    document
}

fn expectations(cases: &[Case]) -> Section {
    let columns = vec![
        Column::text("test", Word::Test),
        Column::text("case", Word::Case),
        Column::text("expectation", Word::Expectation),
        Column::text("status", Word::Status),
        Column::text("message", Word::Message),
        Column::text("why", Word::Why),
        Column::text("place", Word::Place),
        Column::text("workload", Word::Workload).wide(),
    ];
    let mut section = Section::new(Word::SectionExpectations, columns).grouped_by(0);
    let known = |reason: &Option<Reason>| reason.clone().map_or(Cell::NotApplicable, Cell::Reason);
    for case in cases {
        for check in &case.checks {
            let status = if check.missed.is_some() { Status::Failed } else { Status::Ok };
            let place = check.place.as_ref().map(|place| format!("{}:{}", place.file, place.line));
            let cells = vec![
                case.test.as_str().into(),
                case.name.as_str().into(),
                check.about.as_str().into(),
                status.into(),
                known(&check.missed),
                known(&check.why),
                place.map_or(Cell::NotApplicable, Cell::Text),
                case.workload.as_deref().map_or(Cell::NotApplicable, Cell::from),
            ];
            section.row_at(cells, check.place.clone());
        }
    }
    section
}

fn figures() -> [Column; 4] {
    [
        Column::figure("letIn", Word::CasesLetIn),
        Column::figure("keptOut", Word::CasesKeptOut),
        Column::figure("asserted", Word::Asserted),
        Column::figure("failed", Word::CasesFailed),
    ]
}

fn cells(seen: &Exercised) -> [Cell; 4] {
    [seen.let_in.into(), seen.kept_out.into(), seen.asserted.into(), seen.failed.into()]
}

fn rules(rules: &[(Rule, Exercised)]) -> Section {
    let mut columns = vec![Column::text("rule", Word::Rule), Column::text("status", Word::Status)];
    columns.extend(figures());
    let mut section = Section::new(Word::SectionExercisedRules, columns);
    for (rule, seen) in rules {
        // What nobody has seen refuse (or let in) is not known to do so.
        let status = if seen.let_in > 0 && seen.kept_out > 0 { Status::Ok } else { Status::Unknown };
        let mut row = vec![rule_word(*rule).into(), status.into()];
        row.extend(cells(seen));
        section.row(row);
    }
    section
}

fn things(things: &[(Thing, String, Exercised, Option<Place>)]) -> Section {
    let mut columns =
        vec![Column::text("kind", Word::Kind), Column::text("name", Word::Name), Column::text("status", Word::Status)];
    columns.extend(figures());
    let mut section = Section::new(Word::SectionExercised, columns);
    for (thing, name, seen, place) in things {
        let kind: Cell = match thing {
            Thing::Tier => Term::SovereigntyTier.into(),
            Thing::Policy => Term::PlacementPolicy.into(),
            Thing::Taint => Word::RuleTaints.into(),
        };
        let status = if seen.met() { Status::Ok } else { Status::Unknown };
        let mut row = vec![kind, name.as_str().into(), status.into()];
        row.extend(cells(seen));
        section.row_at(row, place.clone());
    }
    section
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Code;

    use super::*;
    use crate::render::{Format, Options, render_text};
    use crate::words::Lang;

    fn input() -> TestInput {
        let missed = Reason::new(Code::ExpectationMissed).object("status").seen("Refused").wanted("Placed");
        let place =
            Place { file: "tests/tier.yaml".to_owned(), line: 14, column: 7, text: "      status: Placed".to_owned() };
        let met = Check { about: "refused public-1".to_owned(), missed: None, why: None, place: None };
        let why = Some(Reason::new(Code::TierTooLow).seen("s1").wanted("s3"));
        let failed = Check { about: "status".to_owned(), missed: Some(missed), why, place: Some(place) };
        let case = |name: &str, checks| Case {
            test: "tiers".to_owned(),
            name: name.to_owned(),
            workload: Some("health/records".to_owned()),
            checks,
        };
        TestInput {
            cases: vec![case("stays out", vec![met.clone()]), case("has a place", vec![met, failed])],
            rules: vec![(Rule::Tier, Exercised { let_in: 1, kept_out: 1, asserted: 1, failed: 1 })],
            things: vec![(Thing::Tier, "s3".to_owned(), Exercised::default(), None)],
        }
    }

    #[test]
    fn a_failed_expectation_is_one_failure_of_a_test_report_with_line_and_reason() {
        let document = test(Meta::default(), &input(), Vec::new());
        let text = render_text(&document, Format::Junit, &Options::default()).expect("text");
        assert_eq!(text.matches("<failure ").count(), 1, "{text}");
        assert!(text.contains("Expected status Placed, but it is Refused."), "{text}");
        assert!(text.contains("tests/tier.yaml:14"), "{text}");
        assert_eq!(document.headline[0].value, Cell::Ratio(1, 2));
    }

    #[test]
    fn gates_are_told_what_failed_at_its_line_and_nothing_else() {
        let document = test(Meta::default(), &input(), Vec::new());
        let options = Options { lang: Lang::Zh, ..Options::default() };
        let text = render_text(&document, Format::Github, &options).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("::error file=tests/tier.yaml,line=14,"), "{text}");
        assert!(text.contains("预期为 Placed"), "{text}");
    }
}
