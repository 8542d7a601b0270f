//! A cell as a person reads it: shared by text, Markdown, JUnit and HTML.

use crate::document::{Cell, Figure};
use crate::finding::clean;
use crate::sentences;
use crate::words::{Lang, Word, beijing, grouped, quantity, ratio};

/// Names of a list shown where space is short.
pub(super) const NARROW_LIST: usize = 8;

/// The text of a cell; lists are cut after `most` names. Never holds control characters.
pub(super) fn show(cell: &Cell, lang: Lang, ascii: bool, most: usize) -> String {
    match cell {
        Cell::Text(text) => clean(text),
        Cell::Catalogued(text) => clean(&sentences::catalogued(text, lang)),
        Cell::Word(word) => word.text(lang).to_owned(),
        Cell::Words(words) => {
            let texts: Vec<&str> = words.iter().map(|word| word.text(lang)).collect();
            lang.list(&texts, most)
        }
        Cell::Term(term) => term.text(lang).to_owned(),
        Cell::Code(code) => code.to_string(),
        Cell::Reason(reason) => clean(&sentences::render(reason, None, lang)),
        Cell::Fix(reason) => clean(&sentences::fix(reason, None, lang)),
        Cell::Int(number) => grouped(*number),
        Cell::Quantity(value, unit) => quantity(*value, *unit, lang),
        Cell::Ratio(part, whole) => {
            ratio(*part, *whole, lang).unwrap_or_else(|| Word::NotApplicable.text(lang).to_owned())
        }
        Cell::Share(part, whole, unit) => match ratio(*part, *whole, lang) {
            Some(text) => {
                // The share alone, then both quantities with their unit.
                let number = text.split(['(', '（']).next().unwrap_or_default().trim_end();
                let counts = format!("{} / {}", quantity(*part, *unit, lang), quantity(*whole, *unit, lang));
                format!("{number}{}", lang.bracketed(&counts))
            }
            None => Word::NotApplicable.text(lang).to_owned(),
        },
        Cell::Between(low, high, unit) => {
            format!("{} – {}", quantity(*low, *unit, lang), quantity(*high, *unit, lang))
        }
        Cell::Change(before, after, unit) => {
            let to = if ascii { "->" } else { "→" };
            format!("{} {to} {}", quantity(*before, *unit, lang), quantity(*after, *unit, lang))
        }
        Cell::Time(time) => beijing(*time),
        Cell::Date(date) => date.to_string(),
        Cell::List(names) if names.is_empty() => Word::None.text(lang).to_owned(),
        Cell::List(names) => clean(&lang.list(names, most)),
        Cell::Counted(names) if names.is_empty() => Word::None.text(lang).to_owned(),
        Cell::Counted(names) => {
            let times = if ascii { 'x' } else { '×' };
            let texts: Vec<String> =
                names.iter().map(|counted| format!("{}{times}{}", counted.name, counted.count)).collect();
            clean(&lang.list(&texts, most))
        }
        Cell::Status(status) => format!("{} {}", status.mark(ascii), status.word().text(lang)),
        Cell::Unknown => Word::Unknown.text(lang).to_owned(),
        Cell::NotApplicable => Word::NotApplicable.text(lang).to_owned(),
    }
}

/// A figure of the headline as label and value.
pub(super) fn figure(figure: &Figure, lang: Lang, ascii: bool) -> (String, String) {
    // States are written small in tables; at the head of a line they begin like every label.
    let mut label = figure.label.text(lang).to_owned();
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    (label, show(&figure.value, lang, ascii, NARROW_LIST))
}

/// The lines on what made the report: label and value.
pub(super) fn meta(document: &crate::document::Document, lang: Lang) -> Vec<(&'static str, String)> {
    let meta = &document.meta;
    let unknown = || Word::Unknown.text(lang).to_owned();
    let mut lines = vec![
        (Word::AsOf.text(lang), meta.as_of.map_or_else(unknown, beijing)),
        (Word::EngineVersion.text(lang), clean(&meta.engine_version)),
        (Word::FormatVersion.text(lang), crate::document::FORMAT_VERSION.to_owned()),
        (Word::InputDigest.text(lang), meta.input_digest.map_or_else(unknown, |digest| digest.to_string())),
    ];
    lines.extend(meta.content_digest.map(|digest| (Word::ContentDigest.text(lang), digest.to_string())));
    lines
}

/// The title with the object it is about.
pub(super) fn title(document: &crate::document::Document, lang: Lang) -> String {
    let title = document.kind.title().text(lang);
    if document.subject.is_empty() {
        title.to_owned()
    } else {
        format!("{title}{}{}", lang.colon(), clean(&document.subject))
    }
}
