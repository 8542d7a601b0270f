//! `jiuzhou find`: which systems run an image, a package or what a vulnerability is in, and what nobody looked into.

use jiuzhou_engine::terms::Finding;

use crate::document::{Cell, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// One workload with one of its images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundRow {
    /// Tenant; `None` where no tenant owns the namespace.
    pub tenant: Option<String>,
    /// Information system.
    pub system: Option<String>,
    /// Workload.
    pub workload: String,
    /// Image as the workload names it.
    pub image: String,
    /// What matched: a package with its version, or a vulnerability and the package it is in.
    pub matched: Vec<String>,
    /// Clusters it is on.
    pub clusters: Option<Vec<String>>,
    /// Network zones asked for.
    pub zones: Vec<String>,
    /// Whom to call.
    pub contact: Option<String>,
}

/// The document.
#[must_use]
pub fn find(
    meta: Meta,
    subject: &str,
    matches: &[FoundRow],
    unseen: &[FoundRow],
    images: usize,
    findings: Vec<Finding>,
) -> Document {
    let mut document = Document::new(DocumentKind::Find, meta);
    subject.clone_into(&mut document.subject);
    let distinct = |names: Vec<String>| names.into_iter().collect::<std::collections::BTreeSet<_>>().len();
    document.figure(Word::SectionMatches, distinct(matches.iter().map(|row| row.workload.clone()).collect()));
    document.figure(Word::Systems, distinct(matches.iter().filter_map(|row| row.system.clone()).collect()));
    document.figure(Word::Images, images);
    document.figure(Word::SectionNotInspected, distinct(unseen.iter().map(|row| row.image.clone()).collect()));
    document.sections.push(table(Word::SectionMatches, matches, Status::Warn));
    document.sections.push(table(Word::SectionNotInspected, unseen, Status::Unknown));
    document.take_findings(findings);
    document.notes.push(Word::NoteFind);
    document
}

fn table(title: Word, rows: &[FoundRow], status: Status) -> Section {
    let mut table = Section::new(
        title,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("status", Word::Status),
            Column::text("system", Word::System),
            Column::text("workload", Word::Workload),
            Column::text("image", Word::Image),
            Column::text("matched", Word::Matched),
            Column::text("clusters", Word::SectionClusters),
            Column::text("zones", Word::Zone).wide(),
            Column::text("contact", Word::Contact).wide(),
        ],
    )
    .grouped_by(0);
    for row in rows {
        table.row(vec![
            Cell::known(row.tenant.as_deref()),
            status.into(),
            Cell::known(row.system.as_deref()),
            row.workload.as_str().into(),
            row.image.as_str().into(),
            Cell::List(row.matched.clone()),
            Cell::known(row.clusters.clone()),
            Cell::List(row.zones.clone()),
            Cell::known(row.contact.as_deref()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_nobody_looked_into_is_not_free_of_anything() {
        let row =
            |workload: &str| FoundRow { workload: workload.to_owned(), image: "a".to_owned(), ..FoundRow::default() };
        let document =
            find(Meta::default(), "log4j", &[row("门户/web")], &[row("档案/db"), row("档案/job")], 2, Vec::new());
        assert_eq!(document.headline[0].value, Cell::Int(1));
        assert_eq!(document.headline[3].value, Cell::Int(1));
        assert_eq!(Section::status(&document.sections[1].rows[0]), Some(Status::Unknown));
        assert_eq!(document.sections[0].rows[0][6], Cell::Unknown, "where it runs is not known from files");
    }
}
