//! Adds judgements up: the whole register, and by 块, 条, function and region.
//!
//! A body's figures cover everything below it in that tree; a region's everything inside it. Bodies with no entry in
//! either tree below them are 不适用. A cycle in a tree (intake reports it) is walked once.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::terms::{Code, ObjectRef, Reason};
use serde::Serialize;

use super::{Body, Entry, FigureId, Hosting, Register, Settings, judge::Judge, judge::Judgement};
use crate::{Figure, LeftOut, MeasureError, beijing_date};

/// Every figure of one group of entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Adoption(BTreeMap<FigureId, Figure>);

impl Default for Adoption {
    fn default() -> Self {
        Self(FigureId::ALL.into_iter().map(|id| (id, Figure::default())).collect())
    }
}

impl Adoption {
    /// One figure.
    #[must_use]
    pub fn figure(&self, id: FigureId) -> &Figure {
        // Made with every id and never shrunk.
        &self.0[&id]
    }

    /// All figures in the order of a report.
    pub fn figures(&self) -> impl Iterator<Item = (FigureId, &Figure)> {
        self.0.iter().map(|(id, figure)| (*id, figure))
    }

    fn add(&mut self, subject: &ObjectRef, judgements: &[Judgement]) -> Result<(), MeasureError> {
        const RANGE: MeasureError = MeasureError::OutOfRange("adoption");
        for (figure, judgement) in self.0.values_mut().zip(judgements) {
            let ratio = &mut figure.ratio;
            ratio.numerator = ratio.numerator.checked_add(judgement.numerator).ok_or(RANGE)?;
            ratio.denominator = ratio.denominator.checked_add(judgement.denominator).ok_or(RANGE)?;
            let note = |reason: &Reason| LeftOut { subject: subject.clone(), reason: reason.clone() };
            figure.left_out.extend(judgement.left_out.iter().map(note));
            figure.not_counted.extend(judgement.not_counted.iter().map(note));
        }
        Ok(())
    }
}

/// The report's figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptionReport {
    /// The whole register.
    pub whole: Adoption,
    /// By body and everything below it in the tree of localities (块).
    pub by_block: BTreeMap<String, Adoption>,
    /// By body and everything below it in the tree of lines (条).
    pub by_line: BTreeMap<String, Adoption>,
    /// By function domain; the empty key is "not stated".
    pub by_function: BTreeMap<String, Adoption>,
    /// By province, prefecture and county code; the empty key is "not stated".
    pub by_region: BTreeMap<String, Adoption>,
    /// By level of government of the body that owns the system, by itself; the empty key is "not stated".
    pub by_level: BTreeMap<String, Adoption>,
    /// Entries by declared hosting state, one per project code, retired ones included.
    pub by_hosting: BTreeMap<Hosting, i64>,
    /// Bodies with no system of their own or below them: 不适用.
    pub not_applicable: Vec<LeftOut>,
    /// Exemptions that do not hold.
    pub notes: Vec<LeftOut>,
}

/// Measures a register. The order of its lists changes nothing.
///
/// # Errors
/// [`MeasureError::Repeated`] for a system or body given twice; [`MeasureError::OutOfRange`] for negative CPU or sums
/// out of range.
pub fn adoption(register: &Register, settings: Settings) -> Result<AdoptionReport, MeasureError> {
    let judge = Judge { settings, today: beijing_date(settings.as_of) };
    let mut entries: Vec<&Entry> = register.entries.iter().collect();
    entries.sort_by(|a, b| a.reference.cmp(&b.reference));
    if let Some(twice) = entries.windows(2).find(|pair| pair[0].reference == pair[1].reference) {
        return Err(MeasureError::Repeated { what: "system", name: twice[0].reference.to_string() });
    }
    let mut bodies = BTreeMap::new();
    for body in &register.bodies {
        if bodies.insert(body.name.as_str(), body).is_some() {
            return Err(MeasureError::Repeated { what: "body", name: body.name.clone() });
        }
    }

    let mut report = AdoptionReport::default();
    for name in bodies.keys() {
        report.by_block.insert((*name).to_owned(), Adoption::default());
        report.by_line.insert((*name).to_owned(), Adoption::default());
    }
    let mut with_entries = BTreeSet::new();
    let first = first_of_each_code(&entries);
    for entry in entries {
        let kept = first.get(entry.project_code.as_str()).copied();
        let repeats = kept.filter(|kept| kept.reference != entry.reference);
        let judgements = judge.judge(entry, repeats)?;
        let subject = &entry.reference;
        report.whole.add(subject, &judgements)?;
        let blocks = above(&bodies, &entry.tenant, |body| body.block_parent.as_deref());
        let lines = above(&bodies, &entry.tenant, |body| body.line_parent.as_deref());
        add(&mut report.by_block, blocks.iter().copied(), subject, &judgements)?;
        add(&mut report.by_line, lines.iter().copied(), subject, &judgements)?;
        with_entries.extend(blocks);
        with_entries.extend(lines);
        add(&mut report.by_function, [entry.function.as_str()], subject, &judgements)?;
        let level = bodies.get(entry.tenant.as_str()).map_or("", |body| body.level.as_str());
        add(&mut report.by_level, [level], subject, &judgements)?;
        if repeats.is_none() {
            *report.by_hosting.entry(entry.hosting).or_default() += 1;
        }
        let regions = regions(&entry.region);
        add(&mut report.by_region, regions.iter().map(String::as_str), subject, &judgements)?;
        if let Some(reason) = judge.invalid_exemption(entry) {
            report.notes.push(LeftOut { subject: subject.clone(), reason });
        }
    }
    for name in bodies.keys().filter(|name| !with_entries.contains(*name)) {
        let reason = Reason::new(Code::EntryAbsent).object(*name);
        report.not_applicable.push(LeftOut { subject: ObjectRef::new("Tenant", "", name), reason });
    }
    Ok(report)
}

fn add<'a>(
    groups: &mut BTreeMap<String, Adoption>,
    keys: impl IntoIterator<Item = &'a str>,
    subject: &ObjectRef,
    judgements: &[Judgement],
) -> Result<(), MeasureError> {
    keys.into_iter().try_for_each(|key| groups.entry(key.to_owned()).or_default().add(subject, judgements))
}

/// Of several entries with one project code the first in service counts, by name.
fn first_of_each_code<'a>(entries: &[&'a Entry]) -> BTreeMap<&'a str, &'a Entry> {
    let mut first: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries.iter().copied().filter(|entry| !entry.project_code.is_empty()) {
        let kept = first.entry(&entry.project_code).or_insert(entry);
        if kept.hosting == Hosting::Retired && entry.hosting != Hosting::Retired {
            *kept = entry;
        }
    }
    first
}

/// A body and all above it in one tree, each once. A name nobody registered stands alone.
fn above<'a>(
    bodies: &BTreeMap<&'a str, &'a Body>,
    name: &'a str,
    parent: impl Fn(&'a Body) -> Option<&'a str>,
) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let mut chain = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next.filter(|name| seen.insert(*name)) {
        chain.push(name);
        next = bodies.get(name).and_then(|body| parent(body));
    }
    chain
}

/// The codes a GB/T 2260 code lies in, itself included: province, prefecture, county.
fn regions(code: &str) -> Vec<String> {
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return vec![code.to_owned()];
    }
    let mut all = vec![format!("{}0000", &code[..2]), format!("{}00", &code[..4]), code.to_owned()];
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
