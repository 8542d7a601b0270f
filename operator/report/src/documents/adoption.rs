//! `jiuzhou report adoption`: every reading of the register, by whom, and what was left out with its reason.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::Finding;
use jiuzhou_measure::LeftOut;
use jiuzhou_measure::adoption::{Adoption, AdoptionReport, FigureId};

use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section};
use crate::words::Word;

/// The word of a figure.
fn word(figure: FigureId) -> Word {
    match figure {
        FigureId::AdoptionMeasured => Word::AdoptionMeasured,
        FigureId::AdoptionDeclared => Word::AdoptionDeclared,
        FigureId::AdoptionWithoutExemptions => Word::AdoptionWithoutExemptions,
        FigureId::AdoptionCloudNative => Word::AdoptionCloudNative,
        FigureId::AdoptionGovernmentRooms => Word::AdoptionGovernmentRooms,
        FigureId::AdoptionObservedVcpu => Word::AdoptionObservedVcpu,
        FigureId::DomesticAssessed => Word::DomesticAssessed,
        FigureId::DomesticBrand => Word::DomesticBrand,
        FigureId::DomesticNonX86 => Word::DomesticNonX86,
    }
}

/// The document. `name` turns a key of a grouping (a body, a function, a region code) into what people call it.
#[must_use]
pub fn adoption(
    meta: Meta,
    report: &AdoptionReport,
    name: &dyn Fn(Word, &str) -> Option<String>,
    findings: Vec<Finding>,
) -> Document {
    let mut document = Document::new(DocumentKind::Adoption, meta);
    for figure in [FigureId::AdoptionMeasured, FigureId::AdoptionDeclared, FigureId::DomesticAssessed] {
        document.figure(word(figure), share(&report.whole, figure));
    }
    document.sections.push(figures(&report.whole));
    let groups = [
        (Word::SectionByBlock, &report.by_block),
        (Word::SectionByLine, &report.by_line),
        (Word::SectionByFunction, &report.by_function),
        (Word::SectionByRegion, &report.by_region),
    ];
    document.sections.extend(groups.map(|(title, groups)| by(title, groups, name)));
    document.sections.push(reasons(Word::SectionLeftOut, &report.whole, |figure| &figure.left_out));
    document.sections.push(reasons(Word::SectionNotCounted, &report.whole, |figure| &figure.not_counted));
    document.sections.push(list(Word::SectionExemptionsInvalid, &report.notes));
    document.sections.push(list(Word::SectionNoSystems, &report.not_applicable));
    document.take_findings(findings);
    document.notes.extend([Word::NoteAdoption, Word::NoteUnknown]);
    document
}

fn share(adoption: &Adoption, figure: FigureId) -> Cell {
    let ratio = adoption.figure(figure).ratio;
    Cell::Ratio(ratio.numerator, ratio.denominator)
}

fn figures(whole: &Adoption) -> Section {
    let columns = vec![
        Column::text("figure", Word::Figure),
        Column::figure("share", Word::Share),
        Column::figure("leftOut", Word::SectionLeftOut).wide(),
        Column::figure("notCounted", Word::SectionNotCounted).wide(),
    ];
    let mut section = Section::new(Word::SectionFigures, columns);
    for (id, figure) in whole.figures() {
        section.row(vec![
            word(id).into(),
            share(whole, id),
            figure.left_out.len().into(),
            figure.not_counted.len().into(),
        ]);
    }
    section
}

/// One row per group; a group of which nothing is in the denominator is 不适用.
fn by(title: Word, groups: &BTreeMap<String, Adoption>, name: &dyn Fn(Word, &str) -> Option<String>) -> Section {
    let columns = vec![
        Column::text("key", Word::Group),
        Column::text("name", Word::Object),
        Column::figure("measured", Word::AdoptionMeasured),
        Column::figure("declared", Word::AdoptionDeclared),
        Column::figure("cloudNative", Word::AdoptionCloudNative).wide(),
        Column::figure("domesticAssessed", Word::DomesticAssessed).wide(),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 1, part: None, value: 2 };
    let mut section = Section::new(title, columns).drawn(chart);
    for (key, adoption) in groups {
        let stated = (!key.is_empty()).then_some(key.as_str());
        section.row(vec![
            Cell::known(stated),
            Cell::known(name(title, key).or_else(|| stated.map(str::to_owned))),
            share(adoption, FigureId::AdoptionMeasured),
            share(adoption, FigureId::AdoptionDeclared),
            share(adoption, FigureId::AdoptionCloudNative),
            share(adoption, FigureId::DomesticAssessed),
        ]);
    }
    section
}

fn reasons(title: Word, whole: &Adoption, entries: impl Fn(&jiuzhou_measure::Figure) -> &Vec<LeftOut>) -> Section {
    let columns = vec![
        Column::text("figure", Word::Figure),
        Column::text("object", Word::Object),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix).wide(),
    ];
    let mut section = Section::new(title, columns).grouped_by(0);
    for (id, figure) in whole.figures() {
        for entry in entries(figure) {
            section.row(vec![
                word(id).into(),
                entry.subject.to_string().into(),
                entry.reason.clone().into(),
                Cell::Fix(entry.reason.clone()),
            ]);
        }
    }
    section
}

/// What is remarkable about objects, as a table.
pub(super) fn list(title: Word, entries: &[LeftOut]) -> Section {
    let columns = vec![
        Column::text("object", Word::Object),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix).wide(),
    ];
    let mut section = Section::new(title, columns);
    for entry in entries {
        section.row(vec![
            entry.subject.to_string().into(),
            entry.reason.clone().into(),
            Cell::Fix(entry.reason.clone()),
        ]);
    }
    section
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiuzhou_engine::terms::ObjectRef;
    use jiuzhou_measure::adoption::{self as measure, Body, Entry, Hosting, Register, Settings};

    use super::*;
    use crate::render::{Format, Options, render};

    fn entry(name: &str, hosting: Hosting, lift_verified: bool) -> Entry {
        Entry {
            reference: ObjectRef::new("InformationSystem", "xuzhou", name),
            title: String::new(),
            project_code: format!("2026-{name}"),
            tenant: "徐州市".to_owned(),
            function: String::new(),
            region: "320300".to_owned(),
            hosting,
            since: None,
            lift_verified,
            ready_days: None,
            exemption: None,
            footprint: Vec::new(),
        }
    }

    #[test]
    fn the_headline_has_both_counts_and_what_did_not_count_has_a_reason() {
        let bodies =
            ["徐州市", "空单位"].map(|name| Body { name: name.to_owned(), block_parent: None, line_parent: None, level: String::new() });
        let entries = vec![
            entry("a", Hosting::Lifted, true),
            entry("b", Hosting::Lifted, false),
            entry("c", Hosting::Hosted, false),
        ];
        let settings = Settings { as_of: Timestamp::UNIX_EPOCH, minimum_ready_days: 0 };
        let report = measure::adoption(&Register { bodies: bodies.to_vec(), entries }, settings).unwrap();
        let document = adoption(Meta::default(), &report, &|_, _| None, Vec::new());
        assert_eq!(document.headline[0].value, Cell::Ratio(1, 3));
        let rows = |title: Word| document.sections.iter().find(|one| one.title == title).map(|one| &one.rows);
        let measured = |row: &&Vec<Cell>| row[0] == Cell::Word(Word::AdoptionMeasured);
        assert_eq!(rows(Word::SectionNotCounted).unwrap().iter().filter(measured).count(), 2);
        assert_eq!(rows(Word::SectionNoSystems).unwrap().len(), 1);
        // A function nobody stated is unknown, not an empty name.
        assert_eq!(rows(Word::SectionByFunction).unwrap()[0][0], Cell::Unknown);
        for format in Format::ALL {
            assert!(render(&document, format, &Options::default()).unwrap().contains("徐州市"));
        }
        assert_eq!(document.sections[1].rows[1][2], Cell::Ratio(0, 0), "shown as n/a");
    }
}
