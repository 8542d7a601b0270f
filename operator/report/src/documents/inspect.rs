//! `jiuzhou inspect`: what images offer and need, platform by platform, each fact with how it is known.

use jiuzhou_engine::detect::{Execution, Fact, ImageEntry, LibcFamily, NeedField, Provenance};
use jiuzhou_engine::terms::{Bytes, Finding};

use crate::document::{Cell, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// One platform of one image.
#[derive(Clone, Debug)]
pub struct InspectedEntry {
    /// The image, as findings name it.
    pub image: String,
    /// What the engine is told.
    pub entry: ImageEntry,
    /// How each need is known.
    pub facts: Vec<Fact>,
    /// What runs the program; `None` is unknown.
    pub runtime: Option<Word>,
    /// `PRETTY_NAME` of os-release.
    pub system: Option<String>,
    /// Files that were looked at.
    pub programs: Vec<InspectedProgram>,
    /// Executables and libraries by architecture, e.g. `arm64: 120`.
    pub executables: Vec<String>,
    /// Number of packages.
    pub packages: usize,
    /// Number of paths; `None` when no layer could be read.
    pub paths: Option<usize>,
    /// The weightiest finding about it.
    pub status: Status,
}

/// A file that runs.
#[derive(Clone, Debug)]
pub struct InspectedProgram {
    /// Its path.
    pub path: String,
    /// Why it was looked at.
    pub role: Word,
    /// Its architecture.
    pub architecture: String,
    /// Largest page size it can be mapped with.
    pub page: Option<Bytes>,
    /// Its loader; `None` for none.
    pub loader: Option<String>,
}

/// The document. The headline says which share of the facts is known.
#[must_use]
pub fn inspect(
    meta: Meta,
    subject: &str,
    images: usize,
    entries: &[InspectedEntry],
    findings: Vec<Finding>,
) -> Document {
    let mut document = Document::new(DocumentKind::Inspect, meta);
    subject.clone_into(&mut document.subject);
    let applies = |(entry, fact): &(&InspectedEntry, &Fact)| value(&entry.entry, fact) != Cell::NotApplicable;
    let facts = || entries.iter().flat_map(|entry| entry.facts.iter().map(move |fact| (entry, fact))).filter(applies);
    let known = facts().filter(|(_, fact)| fact.provenance != Provenance::None).count();
    document.figure(Word::Images, images);
    document.figure(Word::ImagePlatforms, entries.len());
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    document.figure(Word::FactsKnown, Cell::Ratio(count(known), count(facts().count())));
    document.figure(Word::Packages, entries.iter().map(|entry| entry.packages).sum::<usize>());
    document.sections.push(platforms(entries));
    document.sections.push(needs(entries));
    document.sections.push(programs(entries));
    document.take_findings(findings);
    document.notes.extend([Word::NoteInspect, Word::NoteUnknown]);
    document
}

fn platforms(entries: &[InspectedEntry]) -> Section {
    let mut table = Section::new(
        Word::SectionImagePlatforms,
        vec![
            Column::text("image", Word::Image),
            Column::text("platform", Word::ImagePlatform),
            Column::text("status", Word::Status),
            Column::text("runtime", Word::Runtime),
            Column::text("system", Word::OperatingSystem),
            Column::text("executables", Word::Executables).wide(),
            Column::figure("packages", Word::Packages).wide(),
            Column::figure("paths", Word::Paths).wide(),
        ],
    )
    .grouped_by(0);
    for entry in entries {
        table.row(vec![
            entry.image.as_str().into(),
            entry.entry.platform.to_string().into(),
            entry.status.into(),
            Cell::known(entry.runtime),
            Cell::known(entry.system.as_deref()),
            Cell::List(entry.executables.clone()),
            entry.packages.into(),
            Cell::known(entry.paths),
        ]);
    }
    table
}

fn needs(entries: &[InspectedEntry]) -> Section {
    let mut table = Section::new(
        Word::SectionImageFacts,
        vec![
            Column::text("image", Word::Image),
            Column::text("platform", Word::ImagePlatform),
            Column::text("need", Word::Need),
            Column::text("value", Word::Value),
            Column::text("knownBy", Word::KnownBy),
            Column::text("source", Word::SourceText),
        ],
    )
    .grouped_by(0);
    for entry in entries {
        for fact in &entry.facts {
            let value = value(&entry.entry, fact);
            // What cannot be asked of this architecture is no gap.
            if value == Cell::NotApplicable {
                continue;
            }
            let source = if fact.source.is_empty() { Cell::Unknown } else { fact.source.as_str().into() };
            table.row(vec![
                entry.image.as_str().into(),
                entry.entry.platform.to_string().into(),
                need(fact.need).into(),
                value,
                provenance(fact.provenance),
                source,
            ]);
        }
    }
    table
}

/// The value of a need; unknown where nobody said it, not applicable where the architecture has no such thing.
fn value(entry: &ImageEntry, fact: &Fact) -> Cell {
    let architecture = entry.platform.normalise().architecture;
    let has = |names: &[&str]| names.contains(&architecture.as_str());
    let applies = match fact.need {
        NeedField::Level => has(&["amd64", "arm64"]),
        NeedField::Features => !entry.needs.features.is_empty(),
        NeedField::MaxPageSize => has(&["arm64", "loong64"]),
        NeedField::AbiWorld => has(&["loong64"]),
        NeedField::Aarch32 => has(&["arm64"]),
        NeedField::KernelMin | NeedField::Execution => true,
        NeedField::Libc => entry.needs.execution != Execution::StaticGo,
    };
    if !applies {
        return Cell::NotApplicable;
    }
    if fact.provenance == Provenance::None {
        return Cell::Unknown;
    }
    let needs = &entry.needs;
    match fact.need {
        // A declared level stands in the variant of the entry.
        NeedField::Level => needs.level.map_or_else(|| fact.source.as_str().into(), |level| level.to_string().into()),
        NeedField::Features => Cell::List(needs.features.iter().cloned().collect()),
        NeedField::MaxPageSize => Cell::known(needs.max_page_size_ki.map(|ki| Bytes(i64::from(ki) * 1024))),
        NeedField::AbiWorld => Cell::known(needs.world.map(jiuzhou_engine::detect::World::as_str)),
        NeedField::Aarch32 => if needs.aarch32 { Word::Yes } else { Word::No }.into(),
        NeedField::KernelMin => Cell::known(needs.kernel_min.map(|kernel| kernel.to_string())),
        NeedField::Libc => Cell::known(needs.libc.map(|libc| {
            let family = match libc.family {
                LibcFamily::Glibc => "glibc",
                LibcFamily::Musl => "musl",
            };
            format!("{family} {}", libc.version)
        })),
        NeedField::Execution => match needs.execution {
            Execution::Native => "native",
            Execution::Interpreted => "interpreted",
            Execution::StaticGo => "static-go",
        }
        .into(),
    }
}

fn programs(entries: &[InspectedEntry]) -> Section {
    let mut table = Section::new(
        Word::SectionImagePrograms,
        vec![
            Column::text("image", Word::Image),
            Column::text("platform", Word::ImagePlatform),
            Column::text("path", Word::Path),
            Column::text("role", Word::Role),
            Column::text("architecture", Word::Architecture),
            Column::figure("pageSize", Word::PageSize),
            Column::text("loader", Word::LoaderPath).wide(),
        ],
    )
    .grouped_by(0);
    for entry in entries {
        for program in &entry.programs {
            table.row(vec![
                entry.image.as_str().into(),
                entry.entry.platform.to_string().into(),
                program.path.as_str().into(),
                program.role.into(),
                program.architecture.as_str().into(),
                Cell::known(program.page),
                program.loader.as_deref().map_or(Cell::Word(Word::None), Into::into),
            ]);
        }
    }
    table
}

fn need(need: NeedField) -> Word {
    match need {
        NeedField::Level => Word::NeedLevel,
        NeedField::Features => Word::NeedFeatures,
        NeedField::MaxPageSize => Word::NeedPageSize,
        NeedField::AbiWorld => Word::NeedAbiWorld,
        NeedField::Aarch32 => Word::NeedAarch32,
        NeedField::KernelMin => Word::NeedKernel,
        NeedField::Libc => Word::NeedLibc,
        NeedField::Execution => Word::NeedExecution,
    }
}

fn provenance(provenance: Provenance) -> Cell {
    match provenance {
        Provenance::None => Cell::Unknown,
        Provenance::Inferred => Word::ProvenanceInferred.into(),
        Provenance::Inspected => Word::ProvenanceInspected.into(),
        Provenance::NfdArtifact => Word::ProvenanceNfd.into(),
        Provenance::Declared => Word::ProvenanceDeclared.into(),
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::detect::{Level, Needs, OciPlatform};

    use super::*;

    fn entry(platform: &str, needs: Needs, facts: Vec<Fact>) -> InspectedEntry {
        let entry =
            ImageEntry { digest: None, platform: OciPlatform::parse(platform), needs, provenance: Provenance::None };
        InspectedEntry {
            image: "门户:1.0".to_owned(),
            entry,
            facts,
            runtime: None,
            system: None,
            programs: Vec::new(),
            executables: Vec::new(),
            packages: 3,
            paths: None,
            status: Status::Unknown,
        }
    }

    fn fact(need: NeedField, provenance: Provenance) -> Fact {
        Fact { need, provenance, source: String::new() }
    }

    #[test]
    fn what_is_unknown_counts_and_what_does_not_apply_has_no_row() {
        let facts = vec![
            fact(NeedField::Level, Provenance::Inspected),
            fact(NeedField::AbiWorld, Provenance::None),
            fact(NeedField::MaxPageSize, Provenance::None),
        ];
        let needs = Needs { level: Some(Level::X86(3)), ..Needs::default() };
        let x86 = entry("linux/amd64", needs, facts.clone());
        let loong = entry("linux/loong64", Needs::default(), facts);
        let document = inspect(Meta::default(), "x", 1, &[x86, loong], Vec::new());
        assert_eq!(document.headline[2].value, Cell::Ratio(1, 3));
        let rows: Vec<_> = document.sections[1].rows.iter().map(|row| (&row[2], &row[3], &row[4])).collect();
        assert_eq!(
            rows,
            [
                (&Word::NeedLevel.into(), &"x86-64-v3".into(), &Word::ProvenanceInspected.into()),
                (&Word::NeedAbiWorld.into(), &Cell::Unknown, &Cell::Unknown),
                (&Word::NeedPageSize.into(), &Cell::Unknown, &Cell::Unknown),
            ]
        );
    }
}
