//! CSV as a spreadsheet exports it: rows by the names of their columns, each with its place.
//!
//! The first line names the columns, in English or Chinese. Text must be UTF-8, with or without byte order mark: another
//! encoding is told and not guessed, because a wrong guess turns one name into another. A row with another number of
//! cells than the first line is told and left out.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use jiuzhou_engine::terms::{Code, Finding, Place, Reason};

/// Bytes of one file: a province's invoice by system and code has some 10,000 rows.
pub const BYTES: usize = 64 << 20;
/// Characters of a line that a finding shows.
const SHOWN: usize = 240;

/// Columns: the name in JSON's spelling, and what else they are called, the usual Chinese name first.
pub(crate) type Columns = &'static [(&'static str, &'static [&'static str])];

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    cells: BTreeMap<&'static str, String>,
    /// Where it begins.
    pub(crate) place: Place,
}

impl Row {
    /// A cell without blanks around it; empty when there is no such column.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// As [`Self::get`]; `None` when empty.
    pub(crate) fn some(&self, column: &str) -> Option<&str> {
        Some(self.get(column)).filter(|text| !text.is_empty())
    }
}

/// Reads a table. `None` when it cannot be read at all, which is told; a file that cannot be read is not an empty one.
pub(crate) fn read(
    name: &str,
    bytes: &[u8],
    columns: Columns,
    needed: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<Vec<Row>> {
    let mut reader = Reader { name, columns, findings };
    let text = reader.text(bytes)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut csv = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut records = csv.records().filter_map(Result::ok);
    let head = records.next().unwrap_or_default();
    let places = reader.columns(&head, needed, &lines)?;
    let mut rows = Vec::new();
    // A record begins after the line ends before it, which the reader counts with the record.
    let (mut counted, mut line) = (0, 1_u32);
    for record in records {
        let after = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(counted);
        let ends = text.as_bytes()[after..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let newlines = text.as_bytes()[counted..after + ends].iter().filter(|byte| **byte == b'\n').count();
        (counted, line) = (after + ends, line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX)));
        let place = reader.place(line, &lines);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != head.len() {
            let count = |record: &StringRecord| i64::try_from(record.len()).unwrap_or(i64::MAX);
            let reason = Reason::new(Code::TableRowUneven).seen(count(&record)).wanted(count(&head));
            reader.findings.push(Finding::new(reason).at(place));
            continue;
        }
        let cell = |(key, at): (&&'static str, &usize)| (*key, record.get(*at).unwrap_or_default().trim().to_owned());
        rows.push(Row { cells: places.iter().map(cell).collect(), place });
    }
    Some(rows)
}

/// What is wrong with a cell of a row.
pub(crate) fn wrong(row: &Row, column: &str) -> Reason {
    Reason::new(Code::TableRowInvalid).object(column).seen(row.get(column))
}

struct Reader<'a> {
    name: &'a str,
    columns: Columns,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn text<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b str> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let wrong = match std::str::from_utf8(bytes) {
            Ok(text) => return Some(text),
            Err(error) => error.valid_up_to(),
        };
        let line = 1 + bytes[..wrong].iter().filter(|byte| **byte == b'\n').count();
        let seen = format!("0x{:02X}", bytes[wrong]);
        let place = Place {
            file: self.name.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: 1,
            text: String::new(),
        };
        self.told(Reason::new(Code::TableNotUtf8).object(self.name).seen(seen), place);
        None
    }

    /// Where each column stands; `None` when one that is needed is missing.
    fn columns(
        &mut self,
        head: &StringRecord,
        needed: &[&str],
        lines: &[&str],
    ) -> Option<BTreeMap<&'static str, usize>> {
        let (mut columns, mut unknown) = (BTreeMap::new(), Vec::new());
        for (at, name) in head.iter().map(str::trim).enumerate() {
            let known =
                self.columns.iter().find(|(key, others)| key.eq_ignore_ascii_case(name) || others.contains(&name));
            match known {
                // Of two columns of one name the first counts, the other is told.
                Some((key, _)) if !columns.contains_key(key) => drop(columns.insert(*key, at)),
                _ if name.is_empty() => {}
                _ => unknown.push(name.to_owned()),
            }
        }
        let place = self.place(1, lines);
        let all = self.columns;
        let both = |key: &&str| {
            let zh = all.iter().find(|(own, _)| own == key).and_then(|(_, others)| others.first());
            format!("{key} ({})", zh.copied().unwrap_or_default())
        };
        let missing: Vec<String> = needed.iter().filter(|key| !columns.contains_key(*key)).map(both).collect();
        let names: Vec<&str> = all.iter().map(|(key, _)| *key).collect();
        let known: Vec<String> = names.iter().map(both).collect();
        if !missing.is_empty() {
            let seen: Vec<String> = head.iter().map(str::to_owned).collect();
            let reason = Reason::new(Code::TableColumnMissing).object(missing.join(", "));
            self.told(reason.seen(seen.join(", ")).wanted(known), place);
            return None;
        }
        if !unknown.is_empty() {
            self.told(Reason::new(Code::TableColumnUnknown).seen(unknown).wanted(known), place);
        }
        Some(columns)
    }

    fn place(&self, line: u32, lines: &[&str]) -> Place {
        let text = usize::try_from(line).ok().and_then(|line| lines.get(line.checked_sub(1)?));
        let text = text.map(|line| line.chars().take(SHOWN).collect()).unwrap_or_default();
        Place { file: self.name.to_owned(), line, column: 1, text }
    }

    fn told(&mut self, reason: Reason, place: Place) {
        self.findings.push(Finding::new(reason).at(place));
    }
}
