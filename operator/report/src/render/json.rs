//! The versioned JSON form: the same bytes in every language, keys that never change within a major version.
//!
//! The shapes below are the contract; `docs/schema/document.schema.json` is generated from them and a test compares
//! it. A cell is as plain as its type allows: text and codes are strings, counts are integers, an unknown is `null`
//! (never 0), whatever carries a unit is an object that names it. Sentences stand in both languages.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Finding, Reason, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use super::RenderError;
use crate::document::{Cell, Document, FORMAT_VERSION, Section};
use crate::sentences;
use crate::words::{Lang, Word};

/// A report of Jiuzhou.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Jiuzhou report document")]
pub(super) struct Wire {
    /// Version of this form, `MAJOR.MINOR`. Readers refuse a major version they do not know and ignore fields they do not know.
    format_version: &'static str,
    /// Which report: Plan, Explain, Validate, Inventory, Adoption, Energy, Replay.
    kind: &'static str,
    /// The object the report is about; empty for the whole input.
    subject: String,
    /// Title in both languages.
    title: Both,
    /// Version of the engine.
    engine_version: String,
    /// The time the report looks from, RFC 3339 in UTC; null when it has none.
    as_of: Option<String>,
    /// Digest of the input, `sha256:HEX` or `sm3:HEX`; null when there is none.
    input_digest: Option<String>,
    /// Digest of what the report says, without when and by what it was made; reports that a resource may keep have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_digest: Option<String>,
    /// Key figures by key.
    headline: BTreeMap<&'static str, WireCell>,
    /// The tables, in order.
    sections: Vec<WireSection>,
    /// Findings, in the order of file, line, column, code.
    findings: Vec<WireFinding>,
    /// How to read the figures.
    notes: Vec<WireNote>,
}

/// A text in both languages.
#[derive(Serialize, JsonSchema)]
struct Both {
    /// English.
    en: String,
    /// Simplified Chinese.
    zh: String,
}

impl Both {
    fn word(word: Word) -> Self {
        Self { en: word.text(Lang::En).to_owned(), zh: word.text(Lang::Zh).to_owned() }
    }
}

/// One table.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WireSection {
    /// Stable key of the table.
    key: &'static str,
    /// Heading in both languages.
    title: Both,
    /// Keys of the columns in their order.
    columns: Vec<&'static str>,
    /// One object per row, by column key.
    rows: Vec<BTreeMap<&'static str, WireCell>>,
}

/// A value. A string is a name, a code, a key of ours, an RFC 3339 time or a date; null is not known.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum WireCell {
    /// A name, code, key, time or date.
    Text(String),
    /// A count.
    Number(i64),
    /// A figure with its unit.
    Quantity {
        /// The figure.
        value: i64,
        /// Its unit: millicores, bytes, milliwattHours, milligramsCo2, fen, perMille, percent, points, days.
        unit: &'static str,
    },
    /// From and to.
    Between {
        /// Lower end.
        low: i64,
        /// Upper end.
        high: i64,
        /// Unit.
        unit: &'static str,
    },
    /// Before and after.
    Change {
        /// Before.
        before: i64,
        /// After.
        after: i64,
        /// Unit of both.
        unit: &'static str,
    },
    /// A share; a whole of 0 means that it does not apply.
    Ratio {
        /// Numerator.
        numerator: i64,
        /// Denominator.
        denominator: i64,
        /// Unit of both, where they are quantities.
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<&'static str>,
    },
    /// Names.
    Names(Vec<String>),
    /// Names with a number each.
    Counted(Vec<WireCounted>),
    /// A reason or a fix.
    Statement(Box<WireReason>),
    /// Does not apply.
    NotApplicable {
        /// Always true.
        #[serde(rename = "notApplicable")]
        not_applicable: bool,
    },
    /// Not known.
    Unknown(()),
}

/// A name with a number.
#[derive(Serialize, JsonSchema)]
pub(super) struct WireCounted {
    /// The name.
    name: String,
    /// The number.
    count: i64,
}

/// A code with its typed parameters and its sentences.
#[derive(Serialize, JsonSchema)]
pub(super) struct WireReason {
    /// The code; `jiuzhou help codes` lists them.
    code: &'static str,
    /// What it is said of where one object has several, e.g. an image; null where it is said of the subject.
    about: WireCell,
    /// The thing it is about inside the subject.
    object: WireCell,
    /// The value seen.
    seen: WireCell,
    /// The value wanted, or the allowed ones.
    wanted: WireCell,
    /// What is the case.
    message: Both,
    /// What a person can do.
    fix: Both,
}

/// One finding.
#[derive(Serialize, JsonSchema)]
struct WireFinding {
    /// error, warning or info.
    severity: &'static str,
    /// What it is.
    #[serde(flatten)]
    reason: WireReason,
    /// The object it belongs to; null when the file did not parse.
    subject: Option<WireObject>,
    /// JSON pointer inside the object; empty for the whole.
    pointer: String,
    /// Where it stands; null for what did not come from a file.
    place: Option<WirePlace>,
}

/// An object of the API.
#[derive(Serialize, JsonSchema)]
struct WireObject {
    /// Kind.
    kind: String,
    /// Namespace; empty when cluster-scoped.
    namespace: String,
    /// Name.
    name: String,
}

/// A place in a file.
#[derive(Serialize, JsonSchema)]
struct WirePlace {
    /// Path as given, `-` for standard input, `builtin:NAME` for a built-in table.
    file: String,
    /// Line, from 1.
    line: u32,
    /// Column in characters, from 1.
    column: u32,
    /// The line itself.
    text: String,
}

/// A note.
#[derive(Serialize, JsonSchema)]
struct WireNote {
    /// Stable key.
    key: &'static str,
    /// The sentence.
    message: Both,
}

/// The document in the shape that JSON and YAML share.
pub(super) fn wire(document: &Document) -> Wire {
    Wire {
        format_version: FORMAT_VERSION,
        kind: document.kind.key(),
        subject: document.subject.clone(),
        title: Both::word(document.kind.title()),
        engine_version: document.meta.engine_version.clone(),
        as_of: document.meta.as_of.map(|time| time.to_string()),
        input_digest: document.meta.input_digest.map(|digest| digest.to_string()),
        content_digest: document.meta.content_digest.map(|digest| digest.to_string()),
        headline: document.headline.iter().map(|figure| (figure.label.key(), cell(&figure.value))).collect(),
        sections: document.sections.iter().map(section).collect(),
        findings: document.findings.iter().map(finding).collect(),
        notes: document.notes.iter().map(|note| WireNote { key: note.key(), message: Both::word(*note) }).collect(),
    }
}

fn section(section: &Section) -> WireSection {
    let keys = || section.columns.iter().map(|column| column.key);
    WireSection {
        key: section.title.key(),
        title: Both::word(section.title),
        columns: keys().collect(),
        rows: section.rows.iter().map(|row| keys().zip(row.iter().map(cell)).collect()).collect(),
    }
}

pub(super) fn cell(value: &Cell) -> WireCell {
    match value {
        Cell::Text(text) | Cell::Catalogued(text) => WireCell::Text(text.clone()),
        Cell::Word(word) => WireCell::Text(word.key().to_owned()),
        Cell::Term(term) => WireCell::Text(term.key().to_owned()),
        Cell::Code(code) => WireCell::Text(code.to_string()),
        Cell::Reason(why) | Cell::Fix(why) => WireCell::Statement(Box::new(reason(why, None))),
        Cell::Int(number) => WireCell::Number(*number),
        Cell::Quantity(value, unit) => WireCell::Quantity { value: *value, unit: unit.key() },
        Cell::Ratio(part, whole) => WireCell::Ratio { numerator: *part, denominator: *whole, unit: None },
        Cell::Share(part, whole, unit) => {
            WireCell::Ratio { numerator: *part, denominator: *whole, unit: Some(unit.key()) }
        }
        Cell::Change(before, after, unit) => WireCell::Change { before: *before, after: *after, unit: unit.key() },
        Cell::Between(low, high, unit) => WireCell::Between { low: *low, high: *high, unit: unit.key() },
        Cell::Time(time) => WireCell::Text(time.to_string()),
        Cell::Date(date) => WireCell::Text(date.to_string()),
        Cell::Words(words) => WireCell::Names(words.iter().map(|word| word.key().to_owned()).collect()),
        Cell::List(names) => WireCell::Names(names.clone()),
        Cell::Counted(names) => WireCell::Counted(
            names.iter().map(|one| WireCounted { name: one.name.clone(), count: one.count }).collect(),
        ),
        Cell::Status(status) => WireCell::Text(status.word().key().to_owned()),
        Cell::Unknown => WireCell::Unknown(()),
        Cell::NotApplicable => WireCell::NotApplicable { not_applicable: true },
    }
}

fn reason(reason: &Reason, subject: Option<&jiuzhou_engine::terms::ObjectRef>) -> WireReason {
    let both = |make: fn(&Reason, Option<&jiuzhou_engine::terms::ObjectRef>, Lang) -> String| Both {
        en: make(reason, subject, Lang::En),
        zh: make(reason, subject, Lang::Zh),
    };
    WireReason {
        code: reason.code.as_str(),
        about: cell(&reason.about.clone().into()),
        object: cell(&reason.object.clone().into()),
        seen: cell(&reason.seen.clone().into()),
        wanted: cell(&reason.wanted.clone().into()),
        message: both(sentences::render),
        fix: both(sentences::fix),
    }
}

fn finding(finding: &Finding) -> WireFinding {
    let subject = finding.subject.as_ref();
    WireFinding {
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        },
        reason: reason(&finding.reason, subject),
        subject: subject.map(|object| WireObject {
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }),
        pointer: finding.pointer.clone(),
        place: finding.place.as_ref().map(|place| WirePlace {
            file: place.file.clone(),
            line: place.line,
            column: place.column,
            text: place.text.clone(),
        }),
    }
}

pub(super) fn render(document: &Document) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(&wire(document))?;
    text.push('\n');
    Ok(text)
}

/// The JSON Schema of the form, as committed in `docs/schema/`.
///
/// # Errors
/// When the schema cannot be written as JSON, which a generated schema does not cause.
pub fn schema() -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Wire))?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::render::sample;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/document.schema.json");

    #[test]
    fn the_committed_schema_is_the_generated_one() {
        let generated = schema().unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(COMMITTED, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(COMMITTED).unwrap();
        assert_eq!(committed, generated, "run UPDATE_GOLDEN=1 cargo test -p jiuzhou-report");
    }

    #[test]
    fn output_of_every_cell_type_validates_and_a_broken_one_does_not() {
        let schema: Value = serde_json::from_str(&schema().unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut value: Value = serde_json::from_str(&render(&sample::document()).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        value["sections"][0]["rows"][0]["pool"] = serde_json::json!({ "value": "three" });
        assert!(!validator.is_valid(&value));
        value["sections"] = Value::Null;
        assert!(!validator.is_valid(&value));
    }

    #[test]
    fn an_unknown_is_null_and_not_zero() {
        let value: Value = serde_json::from_str(&render(&sample::document()).unwrap()).unwrap();
        assert_eq!(value["headline"]["pue"], Value::Null);
        assert_eq!(value["headline"]["nodes"], serde_json::json!({ "numerator": 5, "denominator": 8 }));
    }
}
