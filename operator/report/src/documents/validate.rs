//! `jiuzhou validate`: what is wrong with the input, file by file.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::Finding;

use crate::document::{Column, Document, DocumentKind, Meta, Section, Status};
use crate::finding::Tally;
use crate::words::Word;

/// What was read, beside what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Every file that was opened, with the number of objects in it; `-` for standard input.
    pub files: BTreeMap<String, usize>,
}

/// The document. A file without findings has a row too: that it was read is the point of a validation.
#[must_use]
pub fn validate(meta: Meta, read: &Read, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Validate, meta);
    let all = Tally::of(&findings);
    let objects = read.files.values().fold(0_usize, |sum, count| sum.saturating_add(*count));
    let mut by_file: BTreeMap<&str, (Option<usize>, Vec<Finding>)> =
        read.files.iter().map(|(file, objects)| (file.as_str(), (Some(*objects), Vec::new()))).collect();
    for finding in &findings {
        if let Some(place) = &finding.place {
            by_file.entry(&place.file).or_default().1.push(finding.clone());
        }
    }
    // A file of which nothing could be read is a file, too.
    document.figure(Word::Files, by_file.len());
    document.figure(Word::Objects, objects);
    document.figure(Word::Errors, all.errors);
    document.figure(Word::Warnings, all.warnings);
    document.figure(Word::Infos, all.infos);
    let mut section = Section::new(
        Word::Files,
        vec![
            Column::text("file", Word::File),
            Column::text("status", Word::Status),
            Column::figure("objects", Word::Objects),
            Column::figure("errors", Word::Errors),
            Column::figure("warnings", Word::Warnings),
            Column::figure("infos", Word::Infos),
        ],
    );
    for (file, (objects, found)) in by_file {
        let tally = Tally::of(&found);
        let status = match tally {
            Tally { errors: 1.., .. } => Status::Refused,
            Tally { warnings: 1.., .. } => Status::Warn,
            Tally { .. } => Status::Ok,
        };
        section.row(vec![
            file.into(),
            status.into(),
            crate::document::Cell::known(objects),
            tally.errors.into(),
            tally.warnings.into(),
            tally.infos.into(),
        ]);
    }
    document.sections.push(section);
    document.take_findings(findings);
    document
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::{Code, Place, Reason};

    use super::*;
    use crate::document::Cell;

    #[test]
    fn a_clean_file_has_a_row_and_a_broken_one_is_refused() {
        let read = Read { files: BTreeMap::from([("a.yaml".to_owned(), 3), ("b.yaml".to_owned(), 0)]) };
        let place = Place { file: "b.yaml".to_owned(), line: 1, column: 1, text: String::new() };
        let found = Finding::new(Reason::new(Code::SyntaxInvalid)).at(place);
        let document = validate(Meta::default(), &read, vec![found]);
        let rows = &document.sections[0].rows;
        assert_eq!(Section::status(&rows[0]), Some(Status::Ok));
        assert_eq!(Section::status(&rows[1]), Some(Status::Refused));
        assert_eq!(document.headline[2].value, Cell::Int(1));
    }

    #[test]
    fn a_file_that_could_not_be_opened_has_unknown_objects() {
        let place = Place { file: "gone.yaml".to_owned(), ..Place::default() };
        let found = Finding::new(Reason::new(Code::FileUnreadable)).at(place);
        let document = validate(Meta::default(), &Read::default(), vec![found]);
        assert_eq!(document.sections[0].rows[0][2], Cell::Unknown);
    }
}
