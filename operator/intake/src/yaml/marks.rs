//! Where each part of a document stands: a tree beside the value, asked by JSON pointer.
//!
//! The tree keeps keys and positions only. A pointer that leads nowhere (a missing field, a default) gives the nearest
//! ancestor that stands in the text, which is where a person has to add something.

use serde_saphyr::{Location, Spanned};

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Line from 1.
    pub line: u32,
    /// Column in characters from 1.
    pub column: u32,
}

impl Mark {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Of a node: where it is written, not where an alias uses it, for that is the text to correct.
    pub(super) fn of<T>(spanned: &Spanned<T>) -> Self {
        let known = |location: Location| location.line() > 0;
        Self::from_location(if known(spanned.defined) { spanned.defined } else { spanned.referenced })
    }

    pub(super) fn from_location(location: Location) -> Self {
        let clamp = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
        Self { line: clamp(location.line()), column: clamp(location.column()) }
    }

    /// The same place in the file when the document starts after some lines.
    #[must_use]
    pub(super) fn down(self, lines: u32) -> Self {
        Self { line: self.line.saturating_add(lines), column: self.column }
    }
}

/// The positions of one document.
#[derive(Clone, Debug)]
pub struct Marks {
    top: Mark,
    inside: Inside,
    lines_before: u32,
}

/// Positions below a value.
#[derive(Clone, Debug, Default)]
pub(super) enum Inside {
    /// A scalar.
    #[default]
    Leaf,
    /// Elements in order: where each stands and what is below it.
    List(Vec<(Mark, Inside)>),
    /// Entries sorted by key.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) key_mark: Mark,
    pub(super) value_mark: Mark,
    pub(super) inside: Inside,
}

impl Marks {
    pub(super) fn new(top: Mark, inside: Inside, lines_before: u32) -> Self {
        Self { top, inside, lines_before }
    }

    /// Of a thing without a text: everything stands at its beginning.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Mark::START, Inside::Leaf, 0)
    }

    /// Where the key of a field stands; for list elements and the whole document where the value stands.
    #[must_use]
    pub fn key(&self, pointer: &str) -> Mark {
        self.find(pointer).0
    }

    /// Where the value of a field stands.
    #[must_use]
    pub fn value(&self, pointer: &str) -> Mark {
        self.find(pointer).1
    }

    /// The positions of a part as a document of its own: what an element of a `List` becomes.
    #[must_use]
    pub fn part(&self, pointer: &str) -> Self {
        let (_, top, inside) = self.walk(pointer);
        Self { top, inside: inside.clone(), lines_before: self.lines_before }
    }

    fn find(&self, pointer: &str) -> (Mark, Mark) {
        let (key, value, _) = self.walk(pointer);
        (key.down(self.lines_before), value.down(self.lines_before))
    }

    fn walk(&self, pointer: &str) -> (Mark, Mark, &Inside) {
        let (mut key, mut value, mut inside) = (self.top, self.top, &self.inside);
        for token in pointer.split('/').skip(1) {
            match inside {
                Inside::Leaf => break,
                Inside::List(elements) => {
                    let Some((mark, below)) = token.parse::<usize>().ok().and_then(|i| elements.get(i)) else { break };
                    (key, value, inside) = (*mark, *mark, below);
                }
                Inside::Map(entries) => {
                    let name = token.replace("~1", "/").replace("~0", "~");
                    let Ok(found) = entries.binary_search_by(|entry| (*entry.key).cmp(name.as_str())) else { break };
                    let Some(entry) = entries.get(found) else { break };
                    (key, value, inside) = (entry.key_mark, entry.value_mark, &entry.inside);
                }
            }
        }
        (key, value, inside)
    }
}
