//! `jiuzhou report energy`: energy and emissions of sites, whom they go to, and what no meter explains.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Finding, MilliwattHours, PerMille};
use jiuzhou_measure::carbon::Scope2;
use jiuzhou_measure::energy::{Reconciliation, Renewable, Share};
use jiuzhou_measure::{LeftOut, Period, Ratio};

use super::adoption::list;
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section};
use crate::words::Word;

/// One site in the period, as the measure room computed it. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteEnergy {
    /// Name.
    pub site: String,
    /// Energy of its machines.
    pub it: Option<MilliwattHours>,
    /// The measured PUE of the same period.
    pub pue: Option<PerMille>,
    /// Whole energy of the room.
    pub facility: Option<MilliwattHours>,
    /// Part of the period that samples cover.
    pub coverage: Option<Ratio>,
    /// Renewable energy.
    pub renewable: Renewable,
    /// Emissions.
    pub emissions: Scope2,
    /// Meters and bills against each other.
    pub reconciliation: Reconciliation,
}

/// Everything the report is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnergyInput {
    /// The months.
    pub period: Period,
    /// The part of the energy that was measured and not modelled.
    pub measured: Ratio,
    /// Sites by name.
    pub sites: Vec<SiteEnergy>,
    /// Energy by tenant.
    pub tenants: BTreeMap<String, Share>,
    /// Energy of what belongs to nobody.
    pub system: MilliwattHours,
    /// Energy of what is free (未分配).
    pub unallocated: MilliwattHours,
}

/// The document. A sum over sites of which one is unknown is unknown.
#[must_use]
pub fn energy(meta: Meta, input: &EnergyInput, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Energy, meta);
    document.subject = input.period.to_string();
    let sites = &input.sites;
    let share = |ratio: Ratio| Cell::Ratio(ratio.numerator, ratio.denominator);
    document.figure(Word::MeasuredShare, share(input.measured));
    document.figure(Word::EnergyIt, total(sites, |site| site.it));
    document.figure(Word::EnergyFacility, total(sites, |site| site.facility));
    document.figure(Word::LocationBased, total(sites, |site| site.emissions.location));
    document.figure(Word::MarketBased, total(sites, |site| site.emissions.market));

    document.sections.push(site_table(sites));
    document.sections.push(emissions(sites));
    document.sections.push(reconciliation(sites));
    document.sections.push(tenants(input));
    let collect = |of: fn(&SiteEnergy) -> &Vec<LeftOut>| sites.iter().flat_map(of).cloned().collect::<Vec<_>>();
    let mut left_out = collect(|site| &site.renewable.left_out);
    left_out.extend(collect(|site| &site.reconciliation.notes));
    left_out.sort_unstable();
    document.sections.push(list(Word::SectionLeftOut, &left_out));
    document.take_findings(findings);
    document.notes.extend([Word::NoteCertificates, Word::NoteUnknown]);
    document
}

fn total<T: Into<Cell> + Sum>(sites: &[SiteEnergy], of: impl Fn(&SiteEnergy) -> Option<T>) -> Cell {
    let sum = sites.iter().try_fold(T::ZERO, |sum, site| sum.plus(of(site)?));
    // No sites: there is nothing to sum up, which is not the same as zero.
    Cell::known(sum.filter(|_| !sites.is_empty()))
}

/// Sums of units, checked.
trait Sum: Sized {
    const ZERO: Self;
    fn plus(self, other: Self) -> Option<Self>;
}

impl Sum for MilliwattHours {
    const ZERO: Self = Self(0);
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
}

impl Sum for jiuzhou_engine::terms::Milligrams {
    const ZERO: Self = Self(0);
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
}

fn site_table(sites: &[SiteEnergy]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("it", Word::EnergyIt),
        Column::figure("pue", Word::Pue),
        Column::figure("facility", Word::EnergyFacility),
        Column::figure("coverage", Word::Coverage),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 3 };
    let mut section = Section::new(Word::SectionSites, columns).drawn(chart);
    for site in sites {
        section.row(vec![
            site.site.as_str().into(),
            Cell::known(site.it),
            Cell::known(site.pue),
            Cell::known(site.facility),
            site.coverage.map_or(Cell::Unknown, |ratio| Cell::Ratio(ratio.numerator, ratio.denominator)),
        ]);
    }
    section
}

fn emissions(sites: &[SiteEnergy]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("locationBased", Word::LocationBased),
        Column::figure("marketBased", Word::MarketBased),
        Column::figure("renewableCovered", Word::Covered),
        Column::figure("surplus", Word::Surplus).wide(),
        Column::figure("ref", Word::Ref),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionEmissions, columns).drawn(chart);
    for site in sites {
        section.row(vec![
            site.site.as_str().into(),
            Cell::known(site.emissions.location),
            Cell::known(site.emissions.market),
            site.renewable.covered.into(),
            site.renewable.surplus.into(),
            site.renewable.factor.map_or(Cell::Unknown, |ratio| Cell::Ratio(ratio.numerator, ratio.denominator)),
        ]);
    }
    section
}

fn reconciliation(sites: &[SiteEnergy]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("explained", Word::EnergyExplained),
        Column::figure("meterUnexplained", Word::MeterUnexplained),
        Column::figure("billUnexplained", Word::BillUnexplained),
    ];
    let mut section = Section::new(Word::SectionReconciliation, columns);
    for site in sites {
        section.row(vec![
            site.site.as_str().into(),
            Cell::known(site.reconciliation.explained),
            Cell::known(site.reconciliation.meter_unexplained),
            Cell::known(site.reconciliation.bill_unexplained),
        ]);
    }
    section
}

/// Tenants, what belongs to nobody and what is free: together all the energy attributed.
fn tenants(input: &EnergyInput) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::figure("activeEnergy", Word::ActiveEnergy),
        Column::figure("idleEnergy", Word::IdleEnergy),
        Column::figure("total", Word::Total),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 3 };
    let mut section = Section::new(Word::SectionTenants, columns).drawn(chart);
    let mut row = |name: Cell, active: MilliwattHours, idle: MilliwattHours| {
        section.row(vec![name, active.into(), idle.into(), Cell::known(active.checked_add(idle))]);
    };
    for (tenant, share) in &input.tenants {
        row(tenant.as_str().into(), share.active, share.idle);
    }
    row(Word::SystemEnergy.into(), input.system, MilliwattHours::ZERO);
    row(Word::Unallocated.into(), MilliwattHours::ZERO, input.unallocated);
    section
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Milligrams;
    use jiuzhou_measure::Month;

    use super::*;

    fn input(sites: Vec<SiteEnergy>) -> EnergyInput {
        EnergyInput {
            period: Period::month(Month::parse("2026-10").unwrap()),
            measured: Ratio::new(3, 4),
            sites,
            tenants: BTreeMap::from([(
                "徐州".to_owned(),
                Share { active: MilliwattHours(5), idle: MilliwattHours(2) },
            )]),
            system: MilliwattHours(1),
            unallocated: MilliwattHours(4),
        }
    }

    fn site(name: &str, it: Option<i64>, location: Option<i64>) -> SiteEnergy {
        SiteEnergy {
            site: name.to_owned(),
            it: it.map(MilliwattHours),
            emissions: Scope2 { location: location.map(Milligrams), market: None },
            ..SiteEnergy::default()
        }
    }

    #[test]
    fn one_unknown_site_makes_the_sum_unknown() {
        let known = site("a", Some(7), Some(10));
        let all = energy(Meta::default(), &input(vec![known.clone(), site("b", Some(1), None)]), Vec::new());
        assert_eq!(all.headline[1].value, MilliwattHours(8).into());
        assert_eq!(all.headline[3].value, Cell::Unknown);
        let none = energy(Meta::default(), &input(Vec::new()), Vec::new());
        assert_eq!(none.headline[1].value, Cell::Unknown);
    }

    #[test]
    fn tenants_system_and_free_energy_stand_in_one_table() {
        let document = energy(Meta::default(), &input(Vec::new()), Vec::new());
        let totals: Vec<_> = document.sections[3].rows.iter().filter_map(|row| row[3].magnitude()).collect();
        assert_eq!(totals, [7, 1, 4]);
    }
}
