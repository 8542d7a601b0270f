//! CSV for spreadsheets (RFC 4180): a block per table, with a byte order mark so that Excel reads it as UTF-8.
//!
//! A block is a line with the title, a line of headings and the rows; empty lines stand between blocks. The first block
//! tells what made the report, its key figures and how to read them. Text that a spreadsheet would run as a formula
//! gets an apostrophe before it.

use super::Options;
use super::cell;
use super::sheet::{Field, headings, rows};
use crate::document::Document;
use crate::finding::{clean, severity};
use crate::sentences;
use crate::words::{Lang, Word};

pub(super) fn render(document: &Document, options: &Options) -> String {
    let lang = options.lang;
    let mut out = String::from("\u{feff}");
    line(&mut out, [cell::title(document, lang)]);
    for figure in &document.headline {
        let (label, value) = cell::figure(figure, lang, false);
        line(&mut out, [label, value]);
    }
    for (label, value) in cell::meta(document, lang) {
        line(&mut out, [label.to_owned(), value]);
    }
    for note in &document.notes {
        line(&mut out, [Word::Notes.text(lang).to_owned(), note.text(lang).to_owned()]);
    }
    for section in &document.sections {
        out.push_str("\r\n");
        line(&mut out, [section.title.text(lang).to_owned()]);
        line(&mut out, headings(section, lang));
        for row in rows(section, lang) {
            let fields = row.iter().map(|field| match field {
                Field::Text(text) => harmless(text),
                Field::Number { .. } => field.plain(),
            });
            raw(&mut out, fields);
        }
    }
    if !document.findings.is_empty() {
        out.push_str("\r\n");
        line(&mut out, [Word::SectionFindings.text(lang).to_owned()]);
        line(&mut out, finding_headings(lang));
        findings(document, lang).into_iter().for_each(|row| line(&mut out, row));
    }
    out
}

/// Headings of the table of findings.
pub(super) fn finding_headings(lang: Lang) -> Vec<String> {
    let words = [
        Word::Severity,
        Word::Code,
        Word::Message,
        Word::Fix,
        Word::Object,
        Word::Field,
        Word::File,
        Word::LineNumber,
        Word::ColumnNumber,
    ];
    words.iter().map(|word| word.text(lang).to_owned()).collect()
}

/// The findings as rows under [`finding_headings`].
pub(super) fn findings(document: &Document, lang: Lang) -> Vec<Vec<String>> {
    let row = |finding: &jiuzhou_engine::terms::Finding| {
        let subject = finding.subject.as_ref();
        let place = finding.place.as_ref();
        let number = |number: u32| number.to_string();
        vec![
            severity(finding.severity).text(lang).to_owned(),
            finding.reason.code.to_string(),
            clean(&sentences::render(&finding.reason, subject, lang)),
            clean(&sentences::fix(&finding.reason, subject, lang)),
            clean(&subject.map(ToString::to_string).unwrap_or_default()),
            clean(&finding.pointer),
            clean(&place.map(|place| place.file.clone()).unwrap_or_default()),
            place.map(|place| number(place.line)).unwrap_or_default(),
            place.map(|place| number(place.column)).unwrap_or_default(),
        ]
    };
    document.findings.iter().map(row).collect()
}

fn line(out: &mut String, fields: impl IntoIterator<Item = String>) {
    raw(out, fields.into_iter().map(|field| harmless(&field)));
}

fn raw(out: &mut String, fields: impl IntoIterator<Item = String>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

/// Text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn it_starts_with_the_mark_and_ends_lines_as_the_rfc_says() {
        let text = render(&sample::document(), &Options { lang: Lang::Zh, ..Options::default() });
        assert!(text.as_bytes().starts_with(&[0xef, 0xbb, 0xbf]));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(text.contains("徐州一号,row-0 麒麟,✓ 正常,鲲鹏 920,256,549755813888,"), "{text}");
    }

    #[test]
    fn quotes_are_doubled_and_formulas_are_text() {
        let mut out = String::new();
        line(&mut out, ["a \"b\", c".to_owned(), "=1+1".to_owned(), "@x".to_owned(), "多".to_owned()]);
        assert_eq!(out, "\"a \"\"b\"\", c\",'=1+1,'@x,多\r\n");
    }
}
