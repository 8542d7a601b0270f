//! The same document holds the same number of rows and findings in every format, for every pair of formats.

use super::{Format, Options, render, sample};
use crate::document::Document;
use crate::words::Lang;

/// Rows and findings as a reader of that format would count them.
fn count(document: &Document, format: Format, lang: Lang) -> (usize, usize) {
    let text = render(document, format, &Options { lang, ..Options::default() }).unwrap();
    match format {
        Format::Text | Format::Wide => {
            let rows = text.lines().filter(|line| line.contains("row-")).count();
            (rows, text.lines().filter(|line| line.contains("]: ") || line.contains("]：")).count())
        }
        Format::Json => from_value(&serde_json::from_str(&text).unwrap()),
        Format::Yaml => {
            #[expect(clippy::disallowed_methods, reason = "reads back what this room wrote, no input of a user")]
            let value = serde_saphyr::from_str(&text).unwrap();
            from_value(&value)
        }
        Format::Markdown => {
            let lines = || text.lines().filter(|line| line.starts_with("| "));
            let rules = lines().filter(|line| line.starts_with("| --- |")).count();
            (lines().count() - 2 * rules, text.lines().filter(|line| line.contains("** `")).count())
        }
        Format::Junit => {
            let findings = text.matches("classname=\"jiuzhou.findings\"").count();
            (text.matches("<testcase ").count() - findings, findings)
        }
        Format::Html => (text.matches("<tr class=\"row\">").count(), text.matches("<article class=\"finding").count()),
    }
}

fn from_value(value: &serde_json::Value) -> (usize, usize) {
    let length = |value: &serde_json::Value| value.as_array().map_or(0, Vec::len);
    let rows = value["sections"].as_array().unwrap().iter().map(|section| length(&section["rows"])).sum();
    (rows, length(&value["findings"]))
}

#[test]
fn every_pair_of_formats_holds_as_many_rows_and_findings() {
    for document in [sample::document(), sample::large(60)] {
        let rows = document.sections.iter().map(|section| section.rows.len()).sum::<usize>();
        for lang in Lang::ALL {
            for one in Format::ALL {
                for other in Format::ALL {
                    let counts = (count(&document, one, lang), count(&document, other, lang));
                    assert_eq!(counts.0, counts.1, "{} against {}", one.name(), other.name());
                    assert_eq!(counts.0, (rows, document.findings.len()), "{}", one.name());
                }
            }
        }
    }
}

#[test]
fn json_and_yaml_are_the_same_in_both_languages() {
    for format in [Format::Json, Format::Yaml] {
        let [en, zh] =
            Lang::ALL.map(|lang| render(&sample::document(), format, &Options { lang, ..Options::default() }).unwrap());
        assert_eq!(en, zh);
    }
}
