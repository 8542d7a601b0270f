//! The same document holds the same number of rows, problems and findings in every format, for every pair of formats.
//!
//! Formats with tables are counted by rows, those for gates by problems; JSON and CSV, which a test can take apart by
//! table, are counted both ways, so that the two kinds of formats meet.

use std::io::Read as _;

use super::{Format, Options, render, render_text, sample};
use crate::document::Document;
use crate::words::{Lang, Word};

/// What a reader of a format would count; `None` where the format does not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    rows: Option<usize>,
    /// Rows of tables of problems.
    problems: Option<usize>,
    findings: usize,
}

fn count(document: &Document, format: Format, lang: Lang) -> Counts {
    let options = Options { lang, ..Options::default() };
    if format == Format::Xlsx {
        return from_workbook(document, render(document, format, &options).unwrap());
    }
    let text = render_text(document, format, &options).unwrap();
    let rows = |rows: usize, findings: usize| Counts { rows: Some(rows), problems: None, findings };
    match format {
        Format::Text | Format::Wide => {
            let named = text.lines().filter(|line| line.contains("row-")).count();
            rows(named, text.lines().filter(|line| line.contains("]: ") || line.contains("]：")).count())
        }
        Format::Json => from_value(document, &serde_json::from_str(&text).unwrap()),
        Format::Yaml => {
            #[expect(clippy::disallowed_methods, reason = "reads back what this room wrote, no input of a user")]
            let value = serde_saphyr::from_str(&text).unwrap();
            from_value(document, &value)
        }
        Format::Markdown => {
            let lines = || text.lines().filter(|line| line.starts_with("| "));
            let rules = lines().filter(|line| line.starts_with("| --- |")).count();
            rows(lines().count() - 2 * rules, text.lines().filter(|line| line.contains("** `")).count())
        }
        Format::Junit => {
            let findings = text.matches("classname=\"jiuzhou.findings\"").count();
            rows(text.matches("<testcase ").count() - findings, findings)
        }
        Format::Html => {
            rows(text.matches("<tr class=\"row\">").count(), text.matches("<article class=\"finding").count())
        }
        Format::Xlsx => unreachable!("counted above"),
        Format::Csv => from_csv(document, &text, lang),
        Format::Sarif => {
            let log: serde_json::Value = serde_json::from_str(&text).unwrap();
            let results = log["runs"][0]["results"].as_array().unwrap();
            told(document, results.iter().map(|one| one["ruleId"].as_str().unwrap().to_owned()))
        }
        Format::Gitlab => {
            let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            told(document, entries.iter().map(|one| one["check_name"].as_str().unwrap().to_owned()))
        }
        Format::Github => told(
            document,
            text.lines().map(|line| {
                let title = line.split("title=").nth(1).unwrap();
                title.split("::").next().unwrap().to_owned()
            }),
        ),
    }
}

/// Splits problems into findings and rows: every finding takes one problem of its code.
fn told(document: &Document, rules: impl Iterator<Item = String>) -> Counts {
    let mut rules: Vec<String> = rules.collect();
    let all = rules.len();
    for finding in &document.findings {
        if let Some(at) = rules.iter().position(|rule| rule == finding.reason.code.as_str()) {
            rules.remove(at);
        }
    }
    Counts { rows: None, problems: Some(rules.len()), findings: all - rules.len() }
}

fn from_value(document: &Document, value: &serde_json::Value) -> Counts {
    let length = |value: &serde_json::Value| value.as_array().map_or(0, Vec::len);
    let sections = || value["sections"].as_array().unwrap().iter();
    let problem = |key: &str| document.sections.iter().any(|one| one.problems && one.title.key() == key);
    Counts {
        rows: Some(sections().map(|section| length(&section["rows"])).sum()),
        problems: Some(
            sections()
                .filter(|section| problem(section["key"].as_str().unwrap()))
                .map(|section| length(&section["rows"]))
                .sum(),
        ),
        findings: length(&value["findings"]),
    }
}

/// The first sheet is the head, the last one the findings where there are any; a sheet has a row of headings.
fn from_workbook(document: &Document, bytes: Vec<u8>) -> Counts {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let rows_of = |archive: &mut zip::ZipArchive<_>, sheet: usize| {
        let mut text = String::new();
        archive.by_name(&format!("xl/worksheets/sheet{sheet}.xml")).unwrap().read_to_string(&mut text).unwrap();
        text.matches("<row ").count() - 1
    };
    let sheets = archive
        .file_names()
        .filter(|name| name.as_ref().is_ok_and(|name| name.starts_with("xl/worksheets/sheet")))
        .count();
    assert_eq!(sheets, 1 + document.sections.len() + usize::from(!document.findings.is_empty()));
    let tables: Vec<usize> = (0..document.sections.len()).map(|at| rows_of(&mut archive, at + 2)).collect();
    let problems = tables.iter().zip(&document.sections).filter(|(_, section)| section.problems);
    Counts {
        rows: Some(tables.iter().sum()),
        problems: Some(problems.map(|(rows, _)| rows).sum()),
        findings: if document.findings.is_empty() { 0 } else { rows_of(&mut archive, sheets) },
    }
}

/// Blocks between empty lines: the head, then title, headings and rows of each table.
fn from_csv(document: &Document, text: &str, lang: Lang) -> Counts {
    let (mut rows, mut problems, mut findings) = (0, 0, 0);
    for block in text.split("\r\n\r\n").skip(1) {
        let lines: Vec<&str> = block.trim_end().split("\r\n").collect();
        let count = lines.len() - 2;
        if lines[0] == Word::SectionFindings.text(lang) {
            findings += count;
            continue;
        }
        rows += count;
        if document.sections.iter().any(|one| one.problems && one.title.text(lang) == lines[0]) {
            problems += count;
        }
    }
    Counts { rows: Some(rows), problems: Some(problems), findings }
}

#[test]
fn every_pair_of_formats_holds_as_many_rows_problems_and_findings() {
    for document in [sample::document(), sample::large(60)] {
        let rows = document.sections.iter().map(|section| section.rows.len()).sum::<usize>();
        let problems: usize = document.sections.iter().filter(|one| one.problems).map(|one| one.rows.len()).sum();
        let whole = Counts { rows: Some(rows), problems: Some(problems), findings: document.findings.len() };
        for lang in Lang::ALL {
            let counts: Vec<_> = Format::ALL.iter().map(|format| (*format, count(&document, *format, lang))).collect();
            for (one, of_one) in &counts {
                for (other, of_other) in &counts {
                    let pair = format!("{} against {}", one.name(), other.name());
                    assert_eq!(of_one.findings, of_other.findings, "{pair}");
                    let same = |a: Option<usize>, b: Option<usize>| a.is_none() || b.is_none() || a == b;
                    assert!(same(of_one.rows, of_other.rows), "{pair}: {of_one:?} {of_other:?}");
                    assert!(same(of_one.problems, of_other.problems), "{pair}: {of_one:?} {of_other:?}");
                }
                assert_eq!(of_one.findings, whole.findings, "{}", one.name());
                assert!(of_one.rows.is_none_or(|rows| Some(rows) == whole.rows), "{}: {of_one:?}", one.name());
                assert!(of_one.problems.is_none_or(|n| Some(n) == whole.problems), "{}: {of_one:?}", one.name());
                assert!(of_one.rows.is_some() || of_one.problems.is_some(), "{}", one.name());
            }
        }
    }
}

#[test]
fn json_and_yaml_are_the_same_in_both_languages() {
    for format in [Format::Json, Format::Yaml] {
        let [en, zh] = Lang::ALL
            .map(|lang| render_text(&sample::document(), format, &Options { lang, ..Options::default() }).unwrap());
        assert_eq!(en, zh);
    }
}
