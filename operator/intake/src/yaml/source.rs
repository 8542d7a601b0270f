//! The text of one file, decoded once, and the places in it.
//!
//! Only UTF-8 is read (with or without a byte order mark). UTF-16 and binary files are refused with a clear word: a
//! guess at the encoding would be a silent default.

use std::cmp::Ordering;
use std::sync::OnceLock;

use jiuzhou_engine::terms::{Code, Finding, Place, Reason};

use super::secrets::{HIDDEN, Hidden};
use super::{Limits, Mark, count};

/// Characters of a line that a [`Place`] quotes.
const QUOTED: usize = 240;

/// The text of one file and where its lines start.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    starts: Vec<usize>,
    /// What is not shown, in order; known once the file is read. Until then nothing is.
    hidden: OnceLock<Vec<Hidden>>,
}

impl Source {
    /// Checks size and encoding.
    pub(super) fn decode(name: &str, bytes: &[u8], limits: &Limits) -> Result<Self, Box<Finding>> {
        let refuse = |reason: Reason, line: u32| {
            let place = Place { file: name.to_owned(), line, column: 1, text: String::new() };
            Err(Box::new(Finding::new(reason).at(place)))
        };
        if bytes.len() > limits.bytes {
            let reason = Reason::new(Code::LimitExceeded).object("bytes per file");
            return refuse(reason.seen(count(bytes.len())).wanted(count(limits.bytes)), 1);
        }
        let unsupported = |seen: String| Reason::new(Code::ContentUnsupported).object(name).seen(seen);
        match bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return refuse(unsupported("UTF-32".to_owned()), 1),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return refuse(unsupported("UTF-16".to_owned()), 1),
            _ => {}
        }
        if let Some(at) = bytes.iter().position(|b| *b == 0) {
            return refuse(unsupported(format!("binary, a zero byte at offset {at}")), line_of(bytes, at));
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                let byte = bytes.get(at).copied().unwrap_or_default();
                let seen = format!("byte 0x{byte:02x} at offset {at}; GBK, GB 18030 or binary");
                return refuse(unsupported(seen), line_of(bytes, at));
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let starts = line_starts(&text);
        Ok(Self { name: name.to_owned(), text, starts, hidden: OnceLock::new() })
    }

    /// A thing without a text, such as an object of an API server: a place in it names the thing.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), text: String::new(), starts: Vec::new(), hidden: OnceLock::from(Vec::new()) }
    }

    /// The decoded text without its byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The path as the user gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says what is never shown.
    pub(super) fn hide(&self, mut hidden: Vec<Hidden>) {
        hidden.sort_unstable();
        hidden.dedup_by(|next, last| {
            let overlap = next.from <= last.until;
            if overlap {
                last.until = last.until.max(next.until);
            }
            overlap
        });
        // Only the first word counts, and there is one: the file is read once.
        let _ = self.hidden.set(hidden);
    }

    /// A place with its line quoted, up to what is hidden of it.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Place {
        let line = self.line(mark.line);
        let text = match self.hidden_from(mark.line, line) {
            None => line.chars().take(QUOTED).collect(),
            Some(column) => line.chars().take(column.min(QUOTED)).chain(HIDDEN.chars()).collect(),
        };
        Place { file: self.name.clone(), line: mark.line, column: mark.column, text }
    }

    /// From which character on a line is hidden, counted from 0; `None` when all of it may be shown.
    fn hidden_from(&self, number: u32, line: &str) -> Option<usize> {
        let Some(hidden) = self.hidden.get() else { return Some(0) };
        let before = hidden.partition_point(|one| one.from.line <= number);
        let reaches = |one: &&Hidden| match one.until.line.cmp(&number) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => {
                let end = usize::try_from(one.until.column.saturating_sub(1)).unwrap_or(usize::MAX);
                let tail = line.chars().take(end).any(|c| !c.is_whitespace() && c != '-');
                one.from.line == number || tail
            }
        };
        // Hidden parts do not overlap, so those that reach this line are the last ones that begin before its end.
        let on_line = hidden.iter().take(before).rev().take_while(|one| one.until.line >= number).filter(reaches);
        let column = |one: &Hidden| if one.from.line == number { one.from.column.saturating_sub(1) } else { 0 };
        on_line.map(column).min().map(|column| usize::try_from(column).unwrap_or(usize::MAX))
    }

    /// The unquoted word that stands at a place, as it is written.
    #[must_use]
    pub fn token(&self, mark: Mark) -> String {
        let skip = usize::try_from(mark.column.saturating_sub(1)).unwrap_or(usize::MAX);
        if self.hidden_from(mark.line, self.line(mark.line)).is_some_and(|hidden| skip >= hidden) {
            return HIDDEN.to_owned();
        }
        let rest = self.line(mark.line).chars().skip(skip);
        rest.take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ']' | '}' | ':' | '#')).take(QUOTED).collect()
    }

    fn line(&self, line: u32) -> &str {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(index).copied() else { return "" };
        let end = self.starts.get(index.saturating_add(1)).copied().unwrap_or(self.text.len());
        self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }
}

/// Line breaks are LF, CRLF and CR, as YAML has them.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        if ends {
            starts.push(at + 1);
        }
    }
    starts
}

fn line_of(bytes: &[u8], at: usize) -> u32 {
    let before = bytes.iter().take(at).filter(|b| **b == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}
