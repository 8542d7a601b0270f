//! `jiuzhou report energy`: energy and emissions of machine rooms with their sources, limits, and whom they go to.

use jiuzhou_engine::terms::{Finding, Milligrams, MilliwattHours, PerMille};
use jiuzhou_measure::carbon::{FactorTable, Series};
use jiuzhou_measure::energy::{
    Account, FactorUse, Metric, Provenance, PueSource, RenewableSource, Share, SiteAccount, Verdict,
};
use jiuzhou_measure::{LeftOut, Ratio};

use super::adoption::{Lookup, list};
use super::energy_shares::{platforms, tenants};
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// The document. A sum over rooms of which one is unknown is unknown.
#[must_use]
pub fn energy(meta: Meta, account: &Account, lookup: &dyn Lookup, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Energy, meta);
    document.subject = account.period.to_string();
    let sites = &account.sites;
    document.figure(Word::MeasuredShare, energy_share(account.measured));
    let known = sites.iter().filter(|site| site.it.is_some()).count();
    let counts = i64::try_from(known).ok().zip(i64::try_from(sites.len()).ok());
    document.figure(Word::SitesKnown, counts.map_or(Cell::Unknown, |(known, all)| Cell::Ratio(known, all)));
    document.figure(Word::EnergyIt, total(sites, |site| site.it));
    document.figure(Word::EnergyFacility, total(sites, |site| site.facility));
    let observed = account.use_observed();
    document.figure(Word::UseObserved, Cell::Ratio(observed.numerator, observed.denominator));
    document.figure(Word::LocationBased, total(sites, |site| site.emissions.location));
    document.figure(Word::MarketBased, total(sites, |site| site.emissions.market));
    if account.only.is_some() {
        of_tenants(&mut document, account);
    }

    document.sections.push(site_table(sites));
    document.sections.extend(limits(sites));
    document.sections.push(emissions(sites));
    document.sections.push(factors(sites, lookup));
    document.sections.push(renewable(sites));
    document.sections.push(reconciliation(sites));
    document.sections.push(tenants(account, lookup));
    if account.only.is_none() {
        document.sections.push(platforms(account, lookup));
    }
    let mut notes: Vec<LeftOut> = sites.iter().flat_map(|site| &site.notes).cloned().collect();
    notes.sort_unstable();
    notes.dedup();
    document.sections.push(list(Word::SectionEnergyNotes, &notes, lookup));
    document.take_findings(findings);
    document.notes.extend([
        Word::NoteModel,
        Word::NoteTenants,
        Word::NoteLimits,
        Word::NoteCertificates,
        Word::NoteEmbodied,
        Word::NoteUnknown,
    ]);
    document
}

/// The head of a report on tenants: what is theirs. What is the rooms' stands in the tables alone.
fn of_tenants(document: &mut Document, account: &Account) {
    let share = |share: &Share| share.active.checked_add(share.idle);
    let energy = account.tenants.values().try_fold(MilliwattHours(0), |sum, one| sum.checked_add(share(one)?));
    let emissions = account.tenants.keys().map(|tenant| account.emissions_of(tenant));
    let emissions = emissions.collect::<Option<Vec<_>>>();
    let emissions = emissions.and_then(|all| all.into_iter().try_fold(Milligrams(0), Milligrams::checked_add));
    let known = !account.tenants.is_empty();
    document.headline.retain(|figure| matches!(figure.label, Word::MeasuredShare | Word::UseObserved));
    document.figure(Word::TenantsEnergy, Cell::known(energy.filter(|_| known)));
    document.figure(Word::TenantsEmissions, Cell::known(emissions.filter(|_| known)));
}

fn energy_share(ratio: Ratio) -> Cell {
    Cell::Share(ratio.numerator, ratio.denominator, Unit::MilliwattHours)
}

fn total<T: Into<Cell> + Sum>(sites: &[SiteAccount], of: impl Fn(&SiteAccount) -> Option<T>) -> Cell {
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

impl Sum for Milligrams {
    const ZERO: Self = Self(0);
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
}

fn provenance(source: Provenance) -> Word {
    match source {
        Provenance::Measured => Word::SourceMeasured,
        Provenance::Modelled => Word::SourceModelled,
        Provenance::Default => Word::SourceDefault,
    }
}

/// The word of where IT energy comes from; the meters of its pools stand for a room's own.
fn it_source(site: &SiteAccount) -> Option<Word> {
    match site.it_source? {
        Provenance::Measured if site.pool_meters.is_some() && site.it == site.pool_meters => Some(Word::PoolMeters),
        source => Some(provenance(source)),
    }
}

fn site_table(sites: &[SiteAccount]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("it", Word::EnergyIt),
        Column::text("itSource", Word::ItSource),
        Column::text("band", Word::Band).wide(),
        Column::figure("modelled", Word::Modelled).wide(),
        Column::figure("poolMeters", Word::PoolMeters).wide(),
        Column::figure("pue", Word::Pue),
        Column::text("pueSource", Word::PueSource).wide(),
        Column::figure("facility", Word::EnergyFacility),
        Column::text("facilitySource", Word::FacilitySource).wide(),
        Column::figure("wue", Word::Wue),
        Column::figure("readings", Word::Readings),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 8 };
    let mut section = Section::new(Word::SectionSites, columns).drawn(chart);
    for site in sites {
        let pue = site.pue_source.map(|source| match source {
            PueSource::Meters => Word::SourceMeters,
            PueSource::Entered => Word::SourceEntered,
        });
        let facility = if site.facility_metered { Word::SourceSiteMeter } else { Word::SourceItTimesPue };
        section.row(vec![
            site.title.as_str().into(),
            Cell::known(site.it),
            Cell::known(it_source(site)),
            match (site.it_band, site.it_source) {
                (Some((low, high)), _) => Cell::Between(low.0, high.0, Unit::MilliwattHours),
                (None, Some(_)) => Cell::NotApplicable,
                (None, None) => Cell::Unknown,
            },
            Cell::known(site.modelled),
            Cell::known(site.pool_meters),
            Cell::known(site.pue),
            Cell::known(pue),
            Cell::known(site.facility),
            Cell::known(site.facility.map(|_| facility)),
            Cell::known(site.water.map(PerMille)),
            Cell::Ratio(site.readings.numerator, site.readings.denominator),
        ]);
    }
    section
}

/// Every limit beside its figure, one table per metric so that bars share a scale and the limit is a line.
fn limits(sites: &[SiteAccount]) -> Vec<Section> {
    let metrics = [
        (Metric::Pue, Word::SectionLimitsPue, Word::Pue),
        (Metric::Renewable, Word::SectionLimitsRef, Word::Ref),
        (Metric::Water, Word::SectionLimitsWue, Word::Wue),
    ];
    let mut sections = Vec::new();
    for (metric, title, label) in metrics {
        let columns = vec![
            Column::text("site", Word::Site),
            Column::figure("seen", label),
            Column::figure("bound", Word::LimitValue),
            Column::text("status", Word::Holds),
            Column::text("source", Word::SourceText),
            Column::text("until", Word::LimitUntil).wide(),
            Column::text("name", Word::Rule).wide(),
        ];
        let chart = Chart { form: ChartForm::Limit(2), label: 0, part: None, value: 1 };
        let mut section = Section::new(title, columns).drawn(chart);
        for site in sites {
            for verdict in site.verdicts.iter().filter(|verdict| verdict.limit.metric == metric) {
                section.row(limit(site, verdict));
            }
        }
        if !section.rows.is_empty() {
            sections.push(section);
        }
    }
    sections
}

fn limit(site: &SiteAccount, verdict: &Verdict) -> Vec<Cell> {
    let status = match verdict.kept {
        Some(true) => Status::Ok,
        Some(false) => Status::Violating,
        None => Status::Unknown,
    };
    vec![
        site.title.as_str().into(),
        Cell::known(verdict.seen.map(PerMille)),
        PerMille(verdict.limit.bound).into(),
        status.into(),
        Cell::Catalogued(verdict.limit.source.clone()),
        verdict.limit.until.map_or(Cell::Word(Word::None), Cell::Date),
        verdict.limit.name.as_str().into(),
    ]
}

fn emissions(sites: &[SiteAccount]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("facility", Word::EnergyFacility),
        Column::figure("locationBased", Word::LocationBased),
        Column::figure("marketBased", Word::MarketBased),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 2 };
    let mut section = Section::new(Word::SectionEmissions, columns).drawn(chart);
    for site in sites {
        section.row(vec![
            site.title.as_str().into(),
            Cell::known(site.facility),
            Cell::known(site.emissions.location),
            Cell::known(site.emissions.market),
        ]);
    }
    section
}

/// The factors behind the figures above, with area, year and series.
fn factors(sites: &[SiteAccount], lookup: &dyn Lookup) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::text("series", Word::Series),
        Column::text("area", Word::FactorArea),
        Column::figure("year", Word::FactorYear),
        Column::figure("perKwh", Word::FactorValue),
        Column::text("source", Word::SourceText),
        Column::text("confidence", Word::Confidence).wide(),
    ];
    let mut section = Section::new(Word::SectionCarbon, columns);
    let mut row = |site: &SiteAccount, series: Series, used: Option<&FactorUse>| {
        let series = match series {
            Series::Average => Word::SeriesAverage,
            Series::Residual => Word::SeriesResidual,
        };
        let mut cells = vec![site.title.as_str().into(), series.into()];
        if let Some(FactorUse { factor, .. }) = used {
            cells.extend([
                match factor.area.as_str() {
                    FactorTable::NATIONAL => Word::Nation.into(),
                    area => lookup.division(area).unwrap_or_else(|| area.to_owned()).into(),
                },
                Cell::Text(factor.year.to_string()),
                Milligrams(factor.mg_per_kwh).into(),
                Cell::Catalogued(factor.source.clone()),
                if factor.confidence.is_empty() {
                    Cell::NotApplicable
                } else {
                    Cell::Catalogued(factor.confidence.clone())
                },
            ]);
        }
        section.row(cells);
    };
    for site in sites {
        row(site, Series::Average, site.average.as_ref());
        row(site, Series::Residual, site.residual.as_ref());
    }
    section
}

fn renewable(sites: &[SiteAccount]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("ref", Word::Ref),
        Column::text("refSource", Word::RefSource),
        Column::figure("renewableCovered", Word::Covered),
        Column::figure("surplus", Word::Surplus),
    ];
    let mut section = Section::new(Word::SectionRenewable, columns);
    for site in sites {
        let source = site.renewable_source.map(|source| match source {
            RenewableSource::Certificates => Word::SourceCertificates,
            RenewableSource::Entered => Word::SourceDocument,
        });
        let share = match (site.renewable_share, site.renewable_source) {
            (Some(share), Some(RenewableSource::Entered)) => share.per_mille().map_or(Cell::Unknown, Into::into),
            (Some(share), _) => energy_share(share),
            (None, _) => Cell::Unknown,
        };
        section.row(vec![
            site.title.as_str().into(),
            share,
            Cell::known(source),
            // Without certificates and without energy to hold them against, nothing is known.
            Cell::known(
                (site.renewable_source.is_some() || site.renewable.covered.0 > 0).then_some(site.renewable.covered),
            ),
            Cell::known(site.renewable_source.map(|_| site.renewable.surplus)),
        ]);
    }
    section
}

fn reconciliation(sites: &[SiteAccount]) -> Section {
    let columns = vec![
        Column::text("site", Word::Site),
        Column::figure("explained", Word::EnergyExplained),
        Column::figure("meterUnexplained", Word::MeterUnexplained),
        Column::figure("billUnexplained", Word::BillUnexplained),
    ];
    let mut section = Section::new(Word::SectionReconciliation, columns);
    for site in sites {
        section.row(vec![
            site.title.as_str().into(),
            Cell::known(site.reconciliation.explained),
            Cell::known(site.reconciliation.meter_unexplained),
            Cell::known(site.reconciliation.bill_unexplained),
        ]);
    }
    section
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiuzhou_engine::terms::{ObjectRef, Place, Reason};
    use jiuzhou_measure::carbon::Scope2;
    use jiuzhou_measure::energy::Share;
    use jiuzhou_measure::{Month, Period};

    use super::*;
    use crate::render::{Format, Options, render_text};

    struct Nothing;

    impl Lookup for Nothing {
        fn title(&self, _: &ObjectRef) -> Option<String> {
            None
        }
        fn division(&self, _: &str) -> Option<String> {
            None
        }
        fn document(&self, _: &ObjectRef, _: &Reason) -> Option<String> {
            None
        }
        fn place(&self, _: &ObjectRef) -> Option<Place> {
            None
        }
    }

    fn account(sites: Vec<SiteAccount>) -> Account {
        Account {
            period: Period::month(Month::parse("2026-10").unwrap()),
            measured: Ratio::new(3, 4),
            sites,
            tenants: BTreeMap::from([(
                "徐州".to_owned(),
                Share { active: MilliwattHours(5), idle: MilliwattHours(2) },
            )]),
            observed: BTreeMap::from([("徐州".to_owned(), Ratio::new(1, 2))]),
            system: MilliwattHours(1),
            unallocated: MilliwattHours(4),
            outside: MilliwattHours(0),
            uncharged: Vec::new(),
            platforms: BTreeMap::new(),
            only: None,
        }
    }

    fn site(name: &str, it: Option<i64>, location: Option<i64>) -> SiteAccount {
        SiteAccount {
            site: ObjectRef::new("Site", "", name),
            title: name.to_owned(),
            it: it.map(MilliwattHours),
            emissions: Scope2 { location: location.map(Milligrams), market: None },
            ..SiteAccount::default()
        }
    }

    fn figure(document: &Document, label: Word) -> Cell {
        document.headline.iter().find(|figure| figure.label == label).expect("it is in the head").value.clone()
    }

    #[test]
    fn one_unknown_site_makes_the_sum_unknown() {
        let known = site("a", Some(7), Some(10));
        let all = account(vec![known.clone(), site("b", Some(1), None)]);
        let all = energy(Meta::default(), &all, &Nothing, Vec::new());
        assert_eq!(figure(&all, Word::EnergyIt), MilliwattHours(8).into());
        assert_eq!(figure(&all, Word::LocationBased), Cell::Unknown);
        let none = energy(Meta::default(), &account(Vec::new()), &Nothing, Vec::new());
        assert_eq!(figure(&none, Word::EnergyIt), Cell::Unknown);
    }

    #[test]
    fn tenants_system_and_free_energy_stand_in_one_table() {
        let document = energy(Meta::default(), &account(Vec::new()), &Nothing, Vec::new());
        let tenants = document.sections.iter().find(|section| section.title == Word::SectionTenants).unwrap();
        let totals: Vec<_> = tenants.rows.iter().filter_map(|row| row[3].magnitude()).collect();
        assert_eq!(totals, [7, 1, 4]);
        for format in Format::ALL.into_iter().filter(|format| format.has_tables() && format.is_text()) {
            assert!(render_text(&document, format, &Options::default()).unwrap().contains("徐州"), "{}", format.name());
        }
    }
}
