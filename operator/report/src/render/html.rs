//! One self-contained page: style sheet and pictures inside, no script, no address of anything outside.
//!
//! It opens from a USB stick in a network without internet, prints on A4, reads well with a screen reader, on a
//! phone, in the dark. The page refuses to load anything by its own policy. Text of the input is escaped by askama;
//! the one part put in as it is are the charts, which escape their own.

use askama::Template;
use jiuzhou_engine::terms::{Finding, Severity};

use super::{Options, RenderError, cell, svg};
use crate::document::{Cell, Document, DocumentKind, Section, Status};
use crate::finding::{clean, severity, summary, width};
use crate::sentences;
use crate::words::{Lang, Word};

#[derive(Template)]
#[template(path = "document.html")]
struct Page {
    lang: &'static str,
    title: String,
    headline: Vec<(String, String)>,
    head_title: &'static str,
    sections: Vec<Table>,
    findings_title: String,
    /// What is wrong leads where it is the matter, or where it makes the rest doubtful.
    findings_first: bool,
    findings: Vec<Item>,
    notes_title: &'static str,
    notes: Vec<&'static str>,
    meta: Vec<(&'static str, String)>,
    none: &'static str,
}

struct Table {
    title: String,
    columns: Vec<(&'static str, bool)>,
    rows: Vec<Vec<Field>>,
    chart: Option<String>,
}

struct Field {
    text: String,
    class: &'static str,
}

struct Item {
    class: &'static str,
    mark: char,
    severity: &'static str,
    code: String,
    sentence: String,
    place: String,
    line: Option<(u32, String)>,
    object: String,
    fix_label: &'static str,
    fix: String,
}

pub(super) fn render(document: &Document, options: &Options) -> Result<String, RenderError> {
    let lang = options.lang;
    let page = Page {
        lang: lang.tag(),
        title: cell::title(document, lang),
        headline: document.headline.iter().map(|figure| cell::figure(figure, lang, false)).collect(),
        head_title: Word::Headline.text(lang),
        sections: document.sections.iter().map(|section| table(section, lang)).collect(),
        findings_title: format!(
            "{}{}",
            Word::SectionFindings.text(lang),
            lang.bracketed(&summary(&document.findings, lang))
        ),
        findings_first: leads(document),
        findings: document.findings.iter().map(|finding| item(finding, lang)).collect(),
        notes_title: Word::Notes.text(lang),
        notes: document.notes.iter().map(|note| note.text(lang)).collect(),
        meta: cell::meta(document, lang),
        none: Word::None.text(lang),
    };
    let mut text = page.render()?;
    text.push('\n');
    Ok(text)
}

/// Whether findings stand before what was asked for: a check of files is about nothing else, and an error means that the
/// rest was made from less than was meant.
fn leads(document: &Document) -> bool {
    document.kind == DocumentKind::Validate
        || document.findings.iter().any(|finding| finding.severity == Severity::Error)
}

fn table(section: &Section, lang: Lang) -> Table {
    let fields = |row: &Vec<Cell>| {
        let one = |(value, column): (&Cell, &crate::document::Column)| Field {
            text: cell::show(value, lang, false, usize::MAX),
            class: class(value, column.right),
        };
        row.iter().zip(&section.columns).map(one).collect()
    };
    Table {
        title: format!("{}{}", section.title.text(lang), lang.bracketed(&section.rows.len().to_string())),
        columns: section.columns.iter().map(|column| (column.label.text(lang), column.right)).collect(),
        rows: section.rows.iter().map(fields).collect(),
        chart: svg::draw(section, lang),
    }
}

/// Display columns of a word that may be broken anywhere: a digest would push what stands behind it out of sight.
const LONG: usize = 48;

fn class(value: &Cell, right: bool) -> &'static str {
    match value {
        Cell::Status(Status::Ok) => "status ok",
        Cell::Status(Status::Warn) => "status warn",
        Cell::Status(Status::Pending) => "status pending",
        Cell::Status(Status::Unknown) => "status unknown",
        Cell::Status(Status::Refused | Status::Violating | Status::Failed) => "status bad",
        Cell::Unknown | Cell::NotApplicable if right => "right muted",
        Cell::Unknown | Cell::NotApplicable => "muted",
        Cell::Reason(_) | Cell::Fix(_) => "prose",
        Cell::Date(_) if !right => "date",
        Cell::Text(text) if !right && text.split(' ').any(|word| width(word) > LONG) => "long",
        Cell::List(names) if !names.is_empty() => "names",
        Cell::Counted(names) if !names.is_empty() => "names",
        _ if right => "right",
        _ => "",
    }
}

fn item(finding: &Finding, lang: Lang) -> Item {
    let subject = finding.subject.as_ref();
    let place = finding.place.as_ref();
    let (class, status) = match finding.severity {
        Severity::Error => ("bad", Status::Refused),
        Severity::Warning => ("warn", Status::Warn),
        Severity::Info => ("pending", Status::Pending),
    };
    let object = subject.map(|object| format!("{object} {}", finding.pointer)).unwrap_or_default();
    Item {
        class,
        mark: if finding.severity == Severity::Info { 'i' } else { status.mark(false) },
        severity: severity(finding.severity).text(lang),
        code: finding.reason.code.to_string(),
        sentence: clean(&sentences::render(&finding.reason, subject, lang)),
        place: place.map(|at| format!("{}:{}:{}", clean(&at.file), at.line, at.column)).unwrap_or_default(),
        line: place.filter(|at| !at.text.is_empty()).map(|at| (at.line, clean(&at.text))),
        object: clean(object.trim_end()),
        fix_label: Word::Fix.text(lang),
        fix: clean(&sentences::fix(&finding.reason, subject, lang)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::render::sample;

    fn page(lang: Lang) -> String {
        render(&sample::document(), &Options { lang, ..Options::default() }).unwrap()
    }

    #[test]
    fn the_page_loads_nothing_and_runs_nothing() {
        for lang in Lang::ALL {
            let text = page(lang);
            for outside in ["http:", "https:", "//", "<script", "<link", "<img", "<iframe", "@import", "url(", " on"] {
                let hit = text.find(outside).filter(|_| outside != " on");
                assert_eq!(hit, None, "{outside}");
            }
            assert!(text.contains("default-src 'none'"));
            assert!(text.contains(&format!("<html lang=\"{}\">", lang.tag())));
        }
    }

    #[test]
    fn dates_stay_whole_and_a_digest_does_not_push_its_row_out_of_sight() {
        let day = jiff::civil::date(2026, 12, 31);
        let digest = format!("registry.gov.example/app@sha256:{}", "a".repeat(64));
        let cases =
            [(Cell::Date(day), "date"), (digest.as_str().into(), "long"), ("大理州一体化政务服务平台".into(), "")];
        for (cell, wanted) in cases {
            assert_eq!(class(&cell, false), wanted);
        }
        assert_eq!(class(&digest.as_str().into(), true), "right");
        let css = include_str!("../../templates/document.css");
        assert!(css.contains("td.date {") && css.contains("td.long {"));
    }

    #[test]
    fn what_was_asked_for_leads_unless_the_input_is_in_doubt() {
        let place = |document: &Document| {
            let text = render(document, &Options::default()).unwrap();
            (text.find("class=\"finding").unwrap(), text.find("<table").unwrap())
        };
        let mut document = sample::document();
        document.kind = DocumentKind::Plan;
        document.findings.iter_mut().for_each(|finding| finding.severity = Severity::Warning);
        let (finding, table) = place(&document);
        assert!(table < finding);
        document.findings[0].severity = Severity::Error;
        let (finding, table) = place(&document);
        assert!(finding < table);
    }

    #[test]
    fn text_of_the_input_stays_text() {
        let text = page(Lang::En);
        assert!(!text.contains("<b>") && text.contains("&lt;b&gt;") | text.contains("&#60;b&#62;"), "{text}");
    }

    #[test]
    fn every_table_has_a_caption_and_headings_with_scope() {
        let text = page(Lang::Zh);
        let count = |needle: &str| text.matches(needle).count();
        assert_eq!(count("<table"), count("<caption"));
        assert_eq!(count("<th "), count("scope=\"col\"") + count("scope=\"row\""));
    }

    /// WCAG 2.1, 1.4.3: at least 4.5 to 1 for text, in the light and in the dark.
    #[test]
    fn colours_have_enough_contrast() {
        let css = include_str!("../../templates/document.css");
        let blocks: Vec<&str> = css.split(":root").skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(blocks.len(), 2, "one light and one dark palette");
        for block in blocks {
            let colours: BTreeMap<&str, f64> = block
                .split(';')
                .filter_map(|line| line.rsplit_once("--")?.1.split_once(": #"))
                .map(|(name, hex)| (name, luminance(hex)))
                .collect();
            for name in ["ok", "warn", "bad", "unknown", "pending"] {
                let (fg, bg) = (colours[format!("{name}-fg").as_str()], colours[format!("{name}-bg").as_str()]);
                assert!(contrast(fg, bg) >= 4.5, "{name}: {}", contrast(fg, bg));
            }
            for name in ["text", "muted", "accent"] {
                for ground in ["ground", "panel"] {
                    let ratio = contrast(colours[name], colours[ground]);
                    assert!(ratio >= 4.5, "{name} on {ground}: {ratio}");
                }
            }
        }
    }

    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    }

    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}
