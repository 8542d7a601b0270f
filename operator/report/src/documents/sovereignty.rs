//! `jiuzhou report sovereignty`: tiers, what runs out when, 等保 and 密评 per body, on whom the fleet depends, who is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::{Change, Decision, WorkloadKey};
use jiuzhou_engine::terms::{Finding, ObjectRef, Place};
use jiuzhou_measure::expiry::{Expiring, Proof};
use jiuzhou_measure::sovereignty::{BodyGrades, Concentration, Grades, TierStanding};

use super::adoption::Lookup;
use super::plan::not_placed;
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// Days ahead that the calendar shows.
const AHEAD: i64 = 90;

/// Everything the report is made from.
pub struct SovereigntyInput<'a> {
    /// The instant it speaks of.
    pub now: Timestamp,
    /// Clusters by name.
    pub tiers: &'a [TierStanding],
    /// What runs out, in any order.
    pub expiring: &'a [Expiring],
    /// Bodies by name.
    pub bodies: &'a BTreeMap<String, BodyGrades>,
    /// CPU by brand.
    pub brands: &'a Concentration,
    /// CPU by provider.
    pub providers: &'a Concentration,
    /// Who is refused by a plan over everything, with the tenant.
    pub refused: &'a [(String, Decision)],
    /// For those the cluster that comes nearest, and what would have to change there.
    pub nearest: &'a BTreeMap<WorkloadKey, (String, Vec<Change>)>,
    /// Where objects of the input stand, for formats that point at lines.
    pub places: &'a BTreeMap<ObjectRef, Place>,
    /// Names and places.
    pub lookup: &'a dyn Lookup,
}

/// The word of a kind of proof.
#[must_use]
pub fn proof(proof: Proof) -> Word {
    match proof {
        Proof::Evidence(_) => Word::ProofEvidence,
        Proof::Protection => Word::ProofProtection,
        Proof::Cryptography => Word::ProofCryptography,
        Proof::Credential => Word::ProofCredential,
    }
}

/// The document.
#[must_use]
pub fn sovereignty(meta: Meta, input: &SovereigntyInput<'_>, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Sovereignty, meta);
    let int = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let tiered = input.tiers.iter().filter(|row| row.tier.is_some()).count();
    document.figure(Word::ClustersWithTier, Cell::Ratio(int(tiered), int(input.tiers.len())));
    let sum = |of: fn(&BodyGrades) -> Grades| {
        let all = input.bodies.values().map(of);
        all.fold((0, 0), |(held, all), grades| (held + grades.holding(), all + grades.systems()))
    };
    let ((protected, systems), (assessed, _)) = (sum(|body| body.protection), sum(|body| body.cryptography));
    document.figure(Word::ProtectionHolds, Cell::Ratio(protected, systems));
    document.figure(Word::CryptographyHolds, Cell::Ratio(assessed, systems));
    let ahead = |one: &&Expiring| (0..=AHEAD).contains(&one.days_left(input.now));
    document.figure(Word::EndsSoon, input.expiring.iter().filter(ahead).count());
    let ended = input.expiring.iter().filter(|one| one.days_left(input.now) < 0).count();
    document.figure(Word::Ended, ended);
    document.figure(Word::IndexByBrand, Cell::known(input.brands.index));
    document.figure(Word::IndexByProvider, Cell::known(input.providers.index));
    let refused = input.refused.iter().map(|(tenant, decision)| (tenant.as_str(), decision));
    let mut refused: Vec<(&str, &Decision)> = refused.collect();
    refused.sort_by_key(|(tenant, decision)| (*tenant, &decision.key));
    document.figure(Word::StatusRefused, refused.len());

    document.sections.push(tiers(input));
    document.sections.push(calendar(input));
    document.sections.push(bodies(Word::SectionProtectionByBody, input, |body| body.protection));
    document.sections.push(bodies(Word::SectionCryptographyByBody, input, |body| body.cryptography));
    document.sections.push(held(Word::SectionByBrand, Word::Brand, input.brands));
    document.sections.push(held(Word::SectionByProvider, Word::Provider, input.providers));
    document.sections.push(not_placed(&refused, input.nearest, input.places));
    document.take_findings(findings);
    document.notes.extend([Word::NoteTier, Word::NoteCalendar, Word::NoteConcentration, Word::NoteUnknown]);
    document
}

fn named(lookup: &dyn Lookup, object: &ObjectRef) -> Cell {
    lookup.title(object).map_or_else(|| object.name.as_str().into(), Cell::Text)
}

fn tiers(input: &SovereigntyInput<'_>) -> Section {
    let columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::text("tier", Word::Tier),
        Column::figure("rank", Word::Rank),
        Column::text("possible", Word::TierPossible),
        Column::text("failing", Word::TierFailing),
        Column::text("nextExpiry", Word::TierUntil),
    ];
    let mut section = Section::new(Word::SectionTiers, columns);
    for row in input.tiers {
        let cells = vec![
            named(input.lookup, &row.cluster),
            Cell::known(row.tier.as_ref().map(|(name, _)| name.as_str())),
            Cell::known(row.tier.as_ref().map(|(_, rank)| *rank)),
            Cell::known(row.possible.as_deref()),
            Cell::List(row.failing.clone()),
            row.next_expiry.map_or(Cell::NotApplicable, Cell::Time),
        ];
        section.row_at(cells, input.lookup.place(&row.cluster));
    }
    section
}

/// What has run out and what will within 90 days, the first first.
fn calendar(input: &SovereigntyInput<'_>) -> Section {
    let columns = vec![
        Column::text("lastDay", Word::LastDay),
        Column::figure("daysLeft", Word::DaysLeft),
        Column::text("status", Word::Status),
        Column::text("object", Word::Object),
        Column::text("proof", Word::Proof),
        Column::text("name", Word::ProofName),
    ];
    let mut section = Section::new(Word::SectionCalendar, columns);
    let mut ahead: Vec<&Expiring> = input.expiring.iter().filter(|one| one.days_left(input.now) <= AHEAD).collect();
    ahead.sort_by_key(|one| (one.ends, &one.subject, one.proof, &one.name));
    for one in ahead {
        let left = one.days_left(input.now);
        let status = if left < 0 { Status::Violating } else { Status::Warn };
        let cells = vec![
            Cell::Date(one.last_day()),
            Cell::Quantity(left, Unit::Days),
            status.into(),
            named(input.lookup, &one.subject),
            proof(one.proof).into(),
            if one.name.is_empty() { Cell::NotApplicable } else { one.name.as_str().into() },
        ];
        section.row_at(cells, input.lookup.place(&one.subject));
    }
    section
}

fn bodies(title: Word, input: &SovereigntyInput<'_>, of: fn(&BodyGrades) -> Grades) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::figure("holding", Word::Share),
        Column::figure("valid", Word::GradeValid),
        Column::figure("soon", Word::EndsSoon),
        Column::figure("expired", Word::Ended),
        Column::figure("missing", Word::GradeMissing),
        Column::figure("ungraded", Word::GradeNone),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(title, columns).drawn(chart);
    for (body, grades) in input.bodies {
        let grades = of(grades);
        section.row(vec![
            if body.is_empty() { Cell::Unknown } else { named(input.lookup, &ObjectRef::new("Tenant", "", body)) },
            Cell::Ratio(grades.holding(), grades.systems()),
            grades.valid.into(),
            grades.soon.into(),
            grades.expired.into(),
            grades.missing.into(),
            grades.ungraded.into(),
        ]);
    }
    section
}

fn held(title: Word, label: Word, held: &Concentration) -> Section {
    let columns = vec![
        Column::text("name", label),
        Column::figure("share", Word::Share),
        Column::figure("systems", Word::Systems),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(title, columns).drawn(chart);
    for part in &held.parts {
        section.row(vec![
            Cell::known((!part.by.is_empty()).then_some(part.by.as_str())),
            Cell::Share(part.millicores, held.millicores, Unit::Millicores),
            part.systems.into(),
        ]);
    }
    section
}
