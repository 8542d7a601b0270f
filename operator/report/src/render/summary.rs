//! What a resource keeps of a report: one line, the figures that fit, and the digest of all it says.
//!
//! The digest is over what the report says and not over when or by which build it was made, nor over where an object
//! stands in a file: so an operator that watches and a command that reads files come to the same one. Text of the
//! summary is JSON in the shapes of the JSON form.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::Digest;
use serde::Serialize;
use serde_json::Value;

use super::RenderError;
use super::cell::show;
use super::json::{WireCell, cell};
use crate::document::{Cell, Document, FORMAT_VERSION, Section};
use crate::words::Lang;

/// A column that says where an object stands in the input, which is another place for everybody.
const PLACE: &str = "place";
/// Longest one line: what a title of the API takes.
const LINE_MOST: usize = 128;

/// What is kept of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The first figure of its head, in both languages.
    pub headline: String,
    /// The head and as many rows of its tables of figures as fit, as JSON.
    pub json: String,
    /// Digest of all it says.
    pub digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    kind: &'static str,
    subject: &'a str,
    headline: BTreeMap<&'static str, WireCell>,
    tables: Vec<(&'static str, Vec<Row>)>,
}

type Row = BTreeMap<&'static str, WireCell>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Short<'a> {
    format_version: &'static str,
    kind: &'static str,
    subject: &'a str,
    headline: BTreeMap<&'static str, WireCell>,
    tables: BTreeMap<&'static str, Table>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    /// How many rows the report has.
    rows: usize,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    first: Vec<Value>,
}

/// The digest of all a report says.
///
/// # Errors
/// When it cannot be written as JSON, which no document causes.
pub fn digest(document: &Document) -> Result<Digest, RenderError> {
    let said = Said {
        kind: document.kind.key(),
        subject: &document.subject,
        headline: headline(document),
        tables: document.sections.iter().map(|section| (section.title.key(), rows(section))).collect(),
    };
    Ok(Digest::sha256(&serde_json::to_vec(&said)?))
}

/// The summary of a report in at most so many bytes of JSON; the head is always whole.
///
/// # Errors
/// When it cannot be written as JSON, which no document causes.
pub fn summary(document: &Document, most: usize) -> Result<Summary, RenderError> {
    let line = document.headline.first().map(|figure| {
        let label = |lang| figure.label.text(lang);
        // Figures are written alike in both languages but for brackets.
        let value = show(&figure.value, Lang::En, true, 1);
        format!("{} {}: {value}", label(Lang::Zh), label(Lang::En))
    });
    let mut tables: BTreeMap<&'static str, Table> = BTreeMap::new();
    for section in &document.sections {
        tables.insert(section.title.key(), Table { rows: section.rows.len(), first: Vec::new() });
    }
    let mut short = Short {
        format_version: FORMAT_VERSION,
        kind: document.kind.key(),
        subject: &document.subject,
        headline: headline(document),
        tables,
    };
    let mut size = serde_json::to_string(&short)?.len();
    for section in document.sections.iter().filter(|section| is_of_figures(section)) {
        let Some(table) = short.tables.get_mut(section.title.key()) else { continue };
        for (at, row) in rows(section).into_iter().enumerate() {
            let row = serde_json::to_value(row)?;
            // The first row brings the name of the list with it.
            let more = row.to_string().len() + if at == 0 { r#","first":[]"#.len() } else { 1 };
            if size + more > most {
                break;
            }
            size += more;
            table.first.push(row);
        }
    }
    let json = serde_json::to_string(&short)?;
    let headline = line.unwrap_or_default().chars().take(LINE_MOST).collect();
    Ok(Summary { headline, json, digest: digest(document)? })
}

fn headline(document: &Document) -> BTreeMap<&'static str, WireCell> {
    document.headline.iter().map(|figure| (figure.label.key(), cell(&figure.value))).collect()
}

fn rows(section: &Section) -> Vec<Row> {
    let keys = || section.columns.iter().map(|column| column.key);
    let kept = |row: &Vec<Cell>| {
        let cells = keys().zip(row).filter(|(key, _)| *key != PLACE);
        cells.map(|(key, value)| (key, cell(value))).collect()
    };
    section.rows.iter().map(kept).collect()
}

/// Tables of reasons are for people with the whole report before them.
fn is_of_figures(section: &Section) -> bool {
    !section.rows.iter().flatten().any(|cell| matches!(cell, Cell::Reason(_) | Cell::Fix(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Column;
    use crate::render::sample;
    use crate::words::Word;

    #[test]
    fn a_summary_fits_is_json_and_says_how_many_rows_there_are() {
        let mut document = sample::document();
        let columns = vec![Column::text("site", Word::Site), Column::figure("it", Word::EnergyIt)];
        let mut figures = Section::new(Word::SectionSites, columns);
        (0..500).for_each(|number| figures.row(vec![format!("大理 {number}").into(), Cell::Int(number)]));
        document.sections.push(figures);
        let table = |json: &Value| json["tables"][Word::SectionSites.key()].clone();
        for most in [2_000, 8_192] {
            let summary = summary(&document, most).unwrap();
            assert!(summary.json.len() <= most, "{} > {most}", summary.json.len());
            let json: Value = serde_json::from_str(&summary.json).unwrap();
            assert_eq!(table(&json)["rows"], 500);
            assert_eq!(json["headline"].as_object().unwrap().len(), document.headline.len());
        }
        let rows = |most| {
            let json: Value = serde_json::from_str(&summary(&document, most).unwrap().json).unwrap();
            table(&json)["first"].as_array().map_or(0, Vec::len)
        };
        assert!(rows(8_192) > rows(4_000), "room is used");
    }

    #[test]
    fn the_digest_is_of_what_is_said_and_of_nothing_else() {
        let document = sample::document();
        let first = digest(&document).unwrap();
        let mut later = document.clone();
        later.meta = crate::document::Meta::default();
        later.findings.clear();
        assert_eq!(digest(&later).unwrap(), first);
        let mut other = document.clone();
        other.headline[0].value = Cell::Int(-1);
        assert_ne!(digest(&other).unwrap(), first);
        let mut other = document;
        other.sections[0].rows.pop();
        assert_ne!(digest(&other).unwrap(), first);
    }
}
