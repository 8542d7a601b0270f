//! `jiuzhou report adoption`: every reading of the register, by whom, and what was left out with its reason.
//!
//! What did not count stands once per system and reason, with the figures it concerns, its document and its place.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Finding, ObjectRef, PerMille, Place, Reason};
use jiuzhou_measure::LeftOut;
use jiuzhou_measure::adoption::{Adoption, AdoptionReport, FigureId, Hosting};

use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section};
use crate::words::{Unit, Word};

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

fn hosting(state: Hosting) -> Word {
    match state {
        Hosting::OnPremises => Word::HostingOnPremises,
        Hosting::Hosted => Word::HostingHosted,
        Hosting::Lifted => Word::HostingLifted,
        Hosting::CloudNative => Word::HostingCloudNative,
        Hosting::Retired => Word::HostingRetired,
    }
}

/// What a reader wants to know of an object beside its figures. The face looks it up.
pub trait Lookup {
    /// What people call it.
    fn title(&self, object: &ObjectRef) -> Option<String>;
    /// Name of a division of GB/T 2260.
    fn division(&self, code: &str) -> Option<String>;
    /// Number of the document an entry leans on for a reason.
    fn document(&self, object: &ObjectRef, reason: &Reason) -> Option<String>;
    /// Where the object stands.
    fn place(&self, object: &ObjectRef) -> Option<Place>;
}

/// Everything the report is made from.
pub struct AdoptionInput<'a> {
    /// The figures.
    pub report: &'a AdoptionReport,
    /// Days of readiness asked of cloud-native systems.
    pub minimum_days: i64,
    /// A published figure to compare with, and its source.
    pub comparison: Option<(PerMille, String)>,
    /// Names, documents, places.
    pub lookup: &'a dyn Lookup,
}

/// The document.
#[must_use]
pub fn adoption(meta: Meta, input: &AdoptionInput<'_>, findings: Vec<Finding>) -> Document {
    let (report, lookup) = (input.report, input.lookup);
    let mut document = Document::new(DocumentKind::Adoption, meta);
    for figure in [
        FigureId::AdoptionMeasured,
        FigureId::AdoptionDeclared,
        FigureId::AdoptionCloudNative,
        FigureId::AdoptionObservedVcpu,
        FigureId::DomesticAssessed,
    ] {
        document.figure(word(figure), share(&report.whole, figure));
    }
    document.figure(Word::MinimumDays, Cell::Quantity(input.minimum_days, Unit::Days));
    document.sections.push(figures(&report.whole));
    if let Some((value, source)) = &input.comparison {
        let columns = vec![
            Column::text("figure", Word::Figure),
            Column::figure("share", Word::Share),
            Column::text("source", Word::SourceText),
        ];
        let mut section = Section::new(Word::SectionComparison, columns);
        let percent = Cell::Quantity(value.0 / 10, Unit::Percent);
        section.row(vec![Word::GovernmentAverage.into(), percent, Cell::Catalogued(source.clone())]);
        document.sections.push(section);
    }
    document.sections.push(by_hosting(&report.by_hosting));
    let body = |name: &str| lookup.title(&ObjectRef::new("Tenant", "", name)).map(Cell::Text);
    let stated = |prefix: &str, key: &str| Word::of_key(&format!("{prefix}{key}")).map(Cell::Word);
    let groups = [
        by(Word::SectionByBlock, &report.by_block, &body),
        by(Word::SectionByLine, &report.by_line, &body),
        by(Word::SectionByFunction, &report.by_function, &|key| stated("function", key)),
        by(Word::SectionByLevel, &report.by_level, &|key| stated("level", key)),
        by(Word::SectionByRegion, &report.by_region, &|code| lookup.division(code).map(Cell::Text)),
    ];
    document.sections.extend(groups);
    document.sections.push(reasons(Word::SectionLeftOut, &report.whole, lookup, |figure| &figure.left_out));
    document.sections.push(reasons(Word::SectionNotCounted, &report.whole, lookup, |figure| &figure.not_counted));
    document.sections.push(list(Word::SectionExemptionsInvalid, &report.notes, lookup));
    document.sections.push(list(Word::SectionNoSystems, &report.not_applicable, lookup));
    document.take_findings(findings);
    document.notes.extend([
        Word::NoteAdoption,
        Word::NoteComparison,
        Word::NoteObservedVcpu,
        Word::NoteAsOf,
        Word::NoteUnknown,
    ]);
    document
}

fn share(adoption: &Adoption, figure: FigureId) -> Cell {
    let ratio = adoption.figure(figure).ratio;
    match figure {
        FigureId::AdoptionMeasured
        | FigureId::AdoptionDeclared
        | FigureId::AdoptionWithoutExemptions
        | FigureId::AdoptionCloudNative
        | FigureId::AdoptionGovernmentRooms => Cell::Ratio(ratio.numerator, ratio.denominator),
        FigureId::AdoptionObservedVcpu
        | FigureId::DomesticAssessed
        | FigureId::DomesticBrand
        | FigureId::DomesticNonX86 => Cell::Share(ratio.numerator, ratio.denominator, Unit::Millicores),
    }
}

fn figures(whole: &Adoption) -> Section {
    let columns = vec![
        Column::text("figure", Word::Figure),
        Column::figure("share", Word::Share),
        Column::figure("leftOut", Word::SectionLeftOut).wide(),
        Column::figure("notCounted", Word::SectionNotCounted).wide(),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionFigures, columns).drawn(chart);
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

fn by_hosting(states: &BTreeMap<Hosting, i64>) -> Section {
    let columns = vec![Column::text("hosting", Word::Group), Column::figure("systems", Word::Systems)];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionByHosting, columns).drawn(chart);
    for (state, count) in states {
        section.row(vec![hosting(*state).into(), (*count).into()]);
    }
    section
}

/// One row per group; a group of which nothing is in the denominator is 不适用.
fn by(title: Word, groups: &BTreeMap<String, Adoption>, name: &dyn Fn(&str) -> Option<Cell>) -> Section {
    let columns = vec![
        Column::text("name", Word::Object),
        Column::text("key", if title == Word::SectionByRegion { Word::Division } else { Word::Group }).wide(),
        Column::figure("measured", Word::AdoptionMeasured),
        Column::figure("declared", Word::AdoptionDeclared),
        Column::figure("cloudNative", Word::AdoptionCloudNative).wide(),
        Column::figure("observedVcpu", Word::AdoptionObservedVcpu).wide(),
        Column::figure("domesticAssessed", Word::DomesticAssessed),
        Column::figure("domesticBrand", Word::DomesticBrand).wide(),
        Column::figure("domesticNonX86", Word::DomesticNonX86).wide(),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 2 };
    let mut section = Section::new(title, columns).drawn(chart);
    for (key, adoption) in groups {
        let stated = (!key.is_empty()).then_some(key.as_str());
        section.row(vec![
            stated.map_or(Cell::Unknown, |key| name(key).unwrap_or_else(|| key.into())),
            Cell::known(stated),
            share(adoption, FigureId::AdoptionMeasured),
            share(adoption, FigureId::AdoptionDeclared),
            share(adoption, FigureId::AdoptionCloudNative),
            share(adoption, FigureId::AdoptionObservedVcpu),
            share(adoption, FigureId::DomesticAssessed),
            share(adoption, FigureId::DomesticBrand),
            share(adoption, FigureId::DomesticNonX86),
        ]);
    }
    section
}

fn short(object: &ObjectRef) -> Cell {
    if object.namespace.is_empty() {
        object.name.as_str().into()
    } else {
        format!("{}/{}", object.namespace, object.name).into()
    }
}

fn place(place: Option<Place>) -> Cell {
    place.map_or(Cell::Unknown, |place| format!("{}:{}", place.file, place.line).into())
}

/// One row per object and reason, with the figures it concerns: a number of them, or all.
fn reasons(
    title: Word,
    whole: &Adoption,
    lookup: &dyn Lookup,
    entries: impl Fn(&jiuzhou_measure::Figure) -> &Vec<LeftOut>,
) -> Section {
    let columns = vec![
        Column::text("object", Word::Object),
        Column::text("reason", Word::Reason),
        Column::text("document", Word::DocumentNo),
        Column::text("place", Word::Place),
        Column::text("figures", Word::FiguresConcerned).wide(),
        Column::text("fix", Word::Fix).wide(),
    ];
    let mut section = Section::new(title, columns);
    let mut rows: BTreeMap<&LeftOut, Vec<FigureId>> = BTreeMap::new();
    for (id, figure) in whole.figures() {
        for entry in entries(figure) {
            let figures = rows.entry(entry).or_default();
            if figures.last() != Some(&id) {
                figures.push(id);
            }
        }
    }
    for (entry, figures) in rows {
        let concerned = match figures.as_slice() {
            all if all.len() == FigureId::ALL.len() => Word::AllFigures.into(),
            [one] => word(*one).into(),
            some => Cell::Words(some.iter().map(|id| word(*id)).collect()),
        };
        section.row(vec![
            short(&entry.subject),
            entry.reason.clone().into(),
            lookup.document(&entry.subject, &entry.reason).map_or(Cell::NotApplicable, Cell::Text),
            place(lookup.place(&entry.subject)),
            concerned,
            Cell::Fix(entry.reason.clone()),
        ]);
    }
    section
}

/// What is remarkable about objects, as a table.
pub(super) fn list(title: Word, entries: &[LeftOut], lookup: &dyn Lookup) -> Section {
    let columns = vec![
        Column::text("object", Word::Object),
        Column::text("reason", Word::Reason),
        Column::text("place", Word::Place),
        Column::text("fix", Word::Fix).wide(),
    ];
    let mut section = Section::new(title, columns);
    for entry in entries {
        section.row(vec![
            short(&entry.subject),
            entry.reason.clone().into(),
            place(lookup.place(&entry.subject)),
            Cell::Fix(entry.reason.clone()),
        ]);
    }
    section
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiuzhou_measure::adoption::{self as measure, Body, Entry, Register, Settings};

    use super::*;
    use crate::render::{Format, Options, render_text};

    struct Names;

    impl Lookup for Names {
        fn title(&self, object: &ObjectRef) -> Option<String> {
            (object.name == "xuzhou").then(|| "徐州市".to_owned())
        }
        fn division(&self, _: &str) -> Option<String> {
            None
        }
        fn document(&self, _: &ObjectRef, _: &Reason) -> Option<String> {
            Some("徐数〔2026〕1号".to_owned())
        }
        fn place(&self, object: &ObjectRef) -> Option<Place> {
            Some(Place { file: format!("{}.yaml", object.name), line: 3, ..Place::default() })
        }
    }

    fn entry(name: &str, hosting: Hosting, lift_verified: bool) -> Entry {
        Entry {
            reference: ObjectRef::new("InformationSystem", "xz", name),
            title: String::new(),
            project_code: format!("2026-{name}"),
            tenant: "xuzhou".to_owned(),
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
    fn what_did_not_count_stands_once_with_reason_document_and_place() {
        let body = |name: &str| Body {
            name: name.to_owned(),
            block_parent: None,
            line_parent: None,
            level: "City".to_owned(),
        };
        let entries = vec![
            entry("a", Hosting::Lifted, true),
            entry("b", Hosting::Lifted, false),
            entry("c", Hosting::Hosted, false),
        ];
        let settings = Settings { as_of: Timestamp::UNIX_EPOCH, minimum_ready_days: 0 };
        let register = Register { bodies: vec![body("xuzhou"), body("empty")], entries };
        let report = measure::adoption(&register, settings).unwrap();
        let input = AdoptionInput { report: &report, minimum_days: 0, comparison: None, lookup: &Names };
        let document = adoption(Meta::default(), &input, Vec::new());
        assert_eq!(document.headline[0].value, Cell::Ratio(1, 3));
        let rows = |title: Word| &document.sections.iter().find(|one| one.title == title).unwrap().rows;
        // b: not verified, not cloud native by itself; c: hosted. Six figures, a row per reason.
        let hosted: Vec<_> = rows(Word::SectionNotCounted).iter().filter(|row| row[0] == Cell::from("xz/c")).collect();
        assert_eq!(hosted.len(), 1);
        assert_eq!(hosted[0][2], Cell::from("徐数〔2026〕1号"));
        assert_eq!(hosted[0][3], Cell::from("c.yaml:3"));
        assert_eq!(rows(Word::SectionNoSystems).len(), 1);
        // A function nobody stated is unknown, not an empty name; a body without systems is n/a.
        assert_eq!(rows(Word::SectionByFunction)[0][0], Cell::Unknown);
        assert_eq!(rows(Word::SectionByLevel)[0][0], Cell::Word(Word::LevelCity));
        assert_eq!(rows(Word::SectionByBlock)[0][2], Cell::Ratio(0, 0));
        for format in Format::ALL.into_iter().filter(|format| format.has_tables() && format.is_text()) {
            assert!(render_text(&document, format, &Options::default()).unwrap().contains("徐州市"));
        }
    }
}
