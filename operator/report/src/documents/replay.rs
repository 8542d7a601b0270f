//! `jiuzhou replay`: whether a recorded plan comes out again, byte by byte.

use jiuzhou_engine::terms::Digest;

use crate::document::{Cell, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// What was recorded, and what the stored inputs give; pairs are (recorded, again).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Version of the program that recorded it.
    pub engine_version: String,
    /// Decisions recorded.
    pub decisions: usize,
    /// Digest of the stored inputs.
    pub input: (Digest, Digest),
    /// SHA-256 of the plan.
    pub sha256: (Digest, Digest),
    /// SM3 of the plan.
    pub sm3: (Digest, Digest),
    /// Whether the recorded plan itself has the bytes that were decided again.
    pub same_bytes: bool,
}

impl Compared {
    /// Whether everything is the same.
    #[must_use]
    pub fn same(&self) -> bool {
        let pairs = [self.input, self.sha256, self.sm3];
        self.same_bytes && pairs.iter().all(|(recorded, again)| recorded == again)
    }
}

/// The document: one row per thing compared.
#[must_use]
pub fn replay(meta: Meta, compared: &Compared) -> Document {
    let mut document = Document::new(DocumentKind::Replay, meta);
    let state = |same: bool| if same { Status::Ok } else { Status::Refused };
    document.figure(Word::SectionWorkloads, compared.decisions);
    document.figure(Word::SameBytes, state(compared.same()));
    document.figure(Word::RecordedBy, compared.engine_version.as_str());
    let columns = vec![
        Column::text("what", Word::What),
        Column::text("status", Word::Status),
        Column::text("recorded", Word::Recorded),
        Column::text("again", Word::Again),
    ];
    let mut section = Section::new(Word::SectionDigests, columns);
    let pairs =
        [(Word::InputDigest, compared.input), (Word::PlanSha256, compared.sha256), (Word::PlanSm3, compared.sm3)];
    for (what, (recorded, again)) in pairs {
        let digest = |digest: Digest| Cell::Text(digest.to_string());
        section.row(vec![what.into(), state(recorded == again).into(), digest(recorded), digest(again)]);
    }
    let bytes =
        vec![Word::PlanBytes.into(), state(compared.same_bytes).into(), Cell::NotApplicable, Cell::NotApplicable];
    section.row(bytes);
    document.sections.push(section);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(again: &[u8]) -> Compared {
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(again));
        Compared {
            engine_version: "0.1.0".into(),
            decisions: 2,
            input: (a, a),
            sha256: (a, b),
            sm3: (a, a),
            same_bytes: true,
        }
    }

    #[test]
    fn one_difference_is_shown_on_its_row_and_in_the_headline() {
        assert!(compared(b"a").same());
        let other = compared(b"b");
        assert!(!other.same());
        let document = replay(Meta::new(None, None), &other);
        let states: Vec<_> = document.sections[0].rows.iter().filter_map(|row| Section::status(row)).collect();
        assert_eq!(states, [Status::Ok, Status::Refused, Status::Ok, Status::Ok]);
    }
}
