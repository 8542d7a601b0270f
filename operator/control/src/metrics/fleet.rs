//! From results of the measure room to the fleet's series. Pure: what is unknown has no series, and never zero.
//!
//! Exported are grams, joules, litres and counts; kilowatt-hours and percentages are made where they are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Milligrams, MilliwattHours, PerMille};
use jiuzhou_measure::{
    Ratio,
    adoption::{AdoptionReport, FigureId, Hosting},
    energy::{Account, Metric as Limited, Provenance, PueSource, Share, SiteAccount},
};

use super::{Rows, table};

/// What is known of one member cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Its name.
    pub name: String,
    /// Rank of the tier it meets; `None` unknown.
    pub tier: Option<i64>,
    /// When the first valid evidence of each kind (dimension) runs out.
    pub expiries: BTreeMap<String, Timestamp>,
    /// When the hub's credential for it runs out; `None` unknown.
    pub credential: Option<Timestamp>,
}

/// Energy added up since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// IT energy by site and how well it is known.
    pub sites: BTreeMap<(String, Provenance), MilliwattHours>,
    /// IT energy by tenant.
    pub tenants: BTreeMap<String, Share>,
    /// What belongs to nobody.
    pub system: MilliwattHours,
    /// What is free.
    pub unallocated: MilliwattHours,
}

/// Everything the series are made from; what is absent has no series.
#[derive(Clone, Copy, Debug, Default)]
pub struct FleetFacts<'a> {
    /// Adoption as of now.
    pub adoption: Option<&'a AdoptionReport>,
    /// Energy of the last month that has ended.
    pub energy: Option<&'a Account>,
    /// Energy added up since the process began.
    pub live: Option<&'a Live>,
    /// Province code of each site.
    pub provinces: Option<&'a BTreeMap<String, String>>,
    /// Member clusters.
    pub clusters: &'a [ClusterFacts],
}

/// The fleet's series.
#[must_use]
pub fn fleet(facts: FleetFacts<'_>) -> Rows {
    let mut rows = Rows::default();
    if let Some(report) = facts.adoption {
        adoption(&mut rows, report);
    }
    if let Some(account) = facts.energy {
        let none = BTreeMap::new();
        let provinces = facts.provinces.unwrap_or(&none);
        for site in &account.sites {
            self::site(&mut rows, site, provinces.get(&site.site.name).map_or("", String::as_str));
        }
        rows.add(table::MONTH, [], float(account.period.first().start().as_second()));
        tenants(&mut rows, table::MONTH_TENANT_ENERGY, &account.tenants, account.system, account.unallocated);
    }
    if let Some(live) = facts.live {
        let none = BTreeMap::new();
        let provinces = facts.provinces.unwrap_or(&none);
        for ((site, source), energy) in &live.sites {
            let province = provinces.get(site).map_or("", String::as_str);
            rows.add(table::ENERGY, [site, province, word(*source)], joules(*energy));
        }
        tenants(&mut rows, table::TENANT_ENERGY, &live.tenants, live.system, live.unallocated);
    }
    for cluster in facts.clusters {
        if let Some(tier) = cluster.tier {
            rows.add(table::TIER, [&cluster.name], float(tier));
        }
        for (kind, expiry) in &cluster.expiries {
            rows.add(table::EVIDENCE, [kind, &cluster.name], float(expiry.as_second()));
        }
        if let Some(expiry) = cluster.credential {
            rows.add(table::CREDENTIAL, [&cluster.name], float(expiry.as_second()));
        }
    }
    rows
}

fn adoption(rows: &mut Rows, report: &AdoptionReport) {
    // Provinces, and what states none: together they are the whole register, each system once.
    let provinces = report.by_region.iter().filter(|(code, _)| code.is_empty() || code.ends_with("0000"));
    for (code, adoption) in provinces {
        let figure = adoption.figure(FigureId::AdoptionMeasured);
        let Ratio { numerator, denominator } = figure.ratio;
        let left_out = i64::try_from(figure.left_out.len()).unwrap_or(i64::MAX);
        for (state, count) in [("adopted", numerator), ("not-adopted", denominator - numerator), ("left-out", left_out)]
        {
            rows.add(table::ADOPTION, [code, state], float(count));
        }
    }
    for (hosting, count) in &report.by_hosting {
        let hosting = match hosting {
            Hosting::OnPremises => "on-premises",
            Hosting::Hosted => "hosted",
            Hosting::Lifted => "lifted",
            Hosting::CloudNative => "cloud-native",
            Hosting::Retired => "retired",
        };
        rows.add(table::HOSTING, [hosting], float(*count));
    }
    for (basis, id) in [
        ("assessed", FigureId::DomesticAssessed),
        ("brand", FigureId::DomesticBrand),
        ("non-x86", FigureId::DomesticNonX86),
    ] {
        let Ratio { numerator, denominator } = report.whole.figure(id).ratio;
        rows.add(table::DOMESTIC, [basis, "domestic"], thousandth(numerator));
        rows.add(table::DOMESTIC, [basis, "other"], thousandth(denominator - numerator));
    }
}

fn site(rows: &mut Rows, account: &SiteAccount, province: &str) {
    let name = account.site.name.as_str();
    if let (Some(energy), Some(source)) = (account.it, account.it_source) {
        rows.add(table::MONTH_ENERGY, [name, province, word(source)], joules(energy));
    }
    if let Some(energy) = account.facility {
        let source = if account.facility_metered { "metered" } else { "by-pue" };
        rows.add(table::FACILITY_ENERGY, [name, province, source], joules(energy));
    }
    for (method, emissions) in [("location", account.emissions.location), ("market", account.emissions.market)] {
        if let Some(Milligrams(milligrams)) = emissions {
            rows.add(table::CO2E, [name, province, method], thousandth(milligrams));
        }
    }
    if let (Some(PerMille(pue)), Some(source)) = (account.pue, account.pue_source) {
        let kind = match source {
            PueSource::Meters => "meters",
            PueSource::Entered => "entered",
        };
        rows.add(table::PUE, [name, kind], thousandth(pue));
    }
    for limit in account.verdicts.iter().map(|verdict| &verdict.limit) {
        if limit.metric == Limited::Pue && limit.applies == Some(true) {
            rows.add(table::PUE_LIMIT, [name, &limit.name], thousandth(limit.bound));
        }
    }
    if let Some(Ratio { numerator, denominator }) = account.renewable_share.filter(|share| share.denominator > 0) {
        rows.add(table::REF, [name], float(numerator) / float(denominator));
    }
    if let Some(millilitres) = account.water {
        rows.add(table::WUE, [name], thousandth(millilitres));
    }
}

fn tenants(
    rows: &mut Rows,
    metric: table::Metric,
    tenants: &BTreeMap<String, Share>,
    system: MilliwattHours,
    unallocated: MilliwattHours,
) {
    // Names of tenants are DNS labels, so a name in brackets is none.
    for (tenant, share) in tenants {
        rows.add(metric, [tenant, "active"], joules(share.active));
        rows.add(metric, [tenant, "idle"], joules(share.idle));
    }
    // Without any energy nothing is known, and these two are no zero.
    if !tenants.is_empty() || system.0 > 0 || unallocated.0 > 0 {
        rows.add(metric, ["(system)", "active"], joules(system));
        rows.add(metric, ["(unallocated)", "idle"], joules(unallocated));
    }
}

fn word(source: Provenance) -> &'static str {
    match source {
        Provenance::Measured => "measured",
        Provenance::Modelled => "modelled",
        Provenance::Default => "default",
    }
}

/// 1 mWh is 3.6 J.
fn joules(MilliwattHours(energy): MilliwattHours) -> f64 {
    float(energy) * 3.6
}

fn thousandth(value: i64) -> f64 {
    float(value) / 1000.0
}

/// Series are floats; beyond 2^53 the last digits go.
#[allow(clippy::cast_precision_loss, reason = "a chart needs no more than 53 bits")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::ObjectRef;
    use jiuzhou_measure::{
        Month, Period,
        adoption::{Assessed, Body, Entry, Footprint, Register, Settings, adoption as measure_adoption},
        carbon::Scope2,
    };

    use super::*;

    fn values(rows: &Rows, metric: table::Metric) -> Vec<(Vec<&str>, f64)> {
        rows.of(metric).map(|(labels, value)| (labels.iter().map(String::as_str).collect(), value)).collect()
    }

    /// A system of a province; lifted ones with verified evidence count.
    fn entry(name: &str, region: &str, hosting: Hosting) -> Entry {
        let cpu = Footprint {
            millicores: 1_500,
            on_cloud: true,
            government_room: Some(true),
            cpu: "kunpeng-920".into(),
            brand: "Kunpeng".into(),
            provider: String::new(),
            domestic: Some(true),
            x86: Some(false),
            assessed: Assessed::Never,
        };
        Entry {
            reference: ObjectRef::new("InformationSystem", "ns", name),
            title: name.into(),
            project_code: name.into(),
            tenant: "bureau".into(),
            function: String::new(),
            region: region.into(),
            hosting,
            since: None,
            lift_verified: true,
            ready_days: None,
            exemption: None,
            footprint: vec![cpu],
        }
    }

    #[test]
    fn adoption_by_province_sums_to_the_register_and_the_ratio_is_left_to_the_query() {
        let register = Register {
            bodies: vec![Body { name: "bureau".into(), block_parent: None, line_parent: None, level: "省".into() }],
            entries: vec![
                entry("a", "530102", Hosting::Lifted),
                entry("b", "530000", Hosting::Hosted),
                entry("c", "110000", Hosting::Lifted),
                entry("d", "", Hosting::Retired),
            ],
        };
        let settings = Settings { as_of: "2026-06-01T00:00:00Z".parse().unwrap(), minimum_ready_days: 0 };
        let report = measure_adoption(&register, settings).unwrap();
        let rows = fleet(FleetFacts { adoption: Some(&report), ..FleetFacts::default() });
        let adoption = values(&rows, table::ADOPTION);
        assert_eq!(adoption.iter().map(|(_, count)| count).sum::<f64>(), 4.0, "{adoption:?}");
        assert!(
            adoption.contains(&(vec!["530000", "adopted"], 1.0))
                && adoption.contains(&(vec!["530000", "not-adopted"], 1.0))
        );
        assert!(
            adoption.contains(&(vec!["110000", "adopted"], 1.0)) && adoption.contains(&(vec!["", "left-out"], 1.0))
        );
        assert!(values(&rows, table::HOSTING).contains(&(vec!["lifted"], 2.0)));
        let whole = report.whole.figure(FigureId::DomesticBrand).ratio;
        let domestic = values(&rows, table::DOMESTIC);
        assert!(whole.numerator > 0 && domestic.contains(&(vec!["brand", "domestic"], thousandth(whole.numerator))));
    }

    fn account(site: SiteAccount) -> Account {
        let month = Month::new(2026, 6).unwrap();
        let period = Period::new(month, month).unwrap();
        Account {
            period,
            sites: vec![site],
            measured: Ratio::default(),
            tenants: [("bureau".into(), Share { active: MilliwattHours(700), idle: MilliwattHours(100) })].into(),
            observed: BTreeMap::new(),
            system: MilliwattHours(50),
            unallocated: MilliwattHours(150),
            outside: MilliwattHours::ZERO,
            uncharged: Vec::new(),
            platforms: BTreeMap::new(),
            only: None,
        }
    }

    #[test]
    fn energy_is_in_joules_and_tenants_sum_to_the_it_energy() {
        let site = SiteAccount {
            site: ObjectRef::new("Site", "", "kunming-a"),
            it: Some(MilliwattHours(1_000)),
            it_source: Some(Provenance::Measured),
            pue: Some(PerMille(1_250)),
            pue_source: Some(PueSource::Meters),
            facility: Some(MilliwattHours(1_250)),
            facility_metered: true,
            water: Some(1_100),
            renewable_share: Some(Ratio::new(1, 4)),
            emissions: Scope2 { location: Some(Milligrams(5_000)), market: None },
            ..SiteAccount::default()
        };
        let account = account(site);
        let provinces = [("kunming-a".to_owned(), "530000".to_owned())].into();
        let facts = FleetFacts { energy: Some(&account), provinces: Some(&provinces), ..FleetFacts::default() };
        let rows = fleet(facts);
        assert_eq!(values(&rows, table::MONTH_ENERGY), [(vec!["kunming-a", "530000", "measured"], 3_600.0)]);
        let tenants: f64 = values(&rows, table::MONTH_TENANT_ENERGY).iter().map(|(_, value)| value).sum();
        assert!((tenants - 3_600.0).abs() < 1e-6, "{tenants}");
        assert_eq!(values(&rows, table::PUE), [(vec!["kunming-a", "meters"], 1.25)]);
        assert_eq!(values(&rows, table::REF), [(vec!["kunming-a"], 0.25)]);
        assert_eq!(
            values(&rows, table::CO2E),
            [(vec!["kunming-a", "530000", "location"], 5.0)],
            "unknown has no series"
        );
        assert_eq!(values(&rows, table::FACILITY_ENERGY), [(vec!["kunming-a", "530000", "metered"], 4_500.0)]);
        assert_eq!(values(&rows, table::WUE), [(vec!["kunming-a"], 1.1)]);
    }

    #[test]
    fn what_is_unknown_has_no_series() {
        let account = account(SiteAccount { site: ObjectRef::new("Site", "", "dark"), ..SiteAccount::default() });
        let clusters = [ClusterFacts { name: "c".into(), ..ClusterFacts::default() }];
        let rows = fleet(FleetFacts { energy: Some(&account), clusters: &clusters, ..FleetFacts::default() });
        for metric in
            [table::MONTH_ENERGY, table::FACILITY_ENERGY, table::CO2E, table::PUE, table::REF, table::WUE, table::TIER]
        {
            assert_eq!(values(&rows, metric), [], "{}", metric.base);
        }
    }

    #[test]
    fn tiers_and_expiries_are_by_cluster() {
        let expiry = "2027-01-01T00:00:00+08:00".parse().unwrap();
        let clusters = [ClusterFacts {
            name: "c".into(),
            tier: Some(3),
            expiries: [("Technical".into(), expiry)].into(),
            credential: Some(expiry),
        }];
        let rows = fleet(FleetFacts { clusters: &clusters, ..FleetFacts::default() });
        assert_eq!(values(&rows, table::TIER), [(vec!["c"], 3.0)]);
        assert_eq!(values(&rows, table::EVIDENCE), [(vec!["Technical", "c"], 1_798_732_800.0)]);
        assert_eq!(values(&rows, table::CREDENTIAL), [(vec!["c"], 1_798_732_800.0)]);
    }

    #[test]
    fn a_thousand_tenants_make_two_series_each_and_no_other_label() {
        let share = Share { active: MilliwattHours(10), idle: MilliwattHours(1) };
        let live = Live {
            sites: [(("kunming-a".to_owned(), Provenance::Modelled), MilliwattHours(11_000))].into(),
            tenants: (0..1000).map(|number| (format!("t{number}"), share)).collect(),
            ..Live::default()
        };
        let mut account = account(SiteAccount::default());
        account.tenants.clone_from(&live.tenants);
        let rows = fleet(FleetFacts { energy: Some(&account), live: Some(&live), ..FleetFacts::default() });
        for metric in [table::TENANT_ENERGY, table::MONTH_TENANT_ENERGY] {
            assert_eq!(values(&rows, metric).len(), 2_002, "{}", metric.base);
        }
        let all: usize = crate::metrics::ALL.iter().map(|metric| values(&rows, *metric).len()).sum();
        assert!(all < 4_010, "{all} series");
        let metrics = crate::metrics::Metrics::new();
        metrics.set_fleet(rows);
        let text = metrics.encode();
        assert!(text.contains("jiuzhou_metric_series_dropped 0"));
        assert!(
            text.contains("jiuzhou_energy_joules_total{site=\"kunming-a\",province=\"\",source=\"modelled\"} 39600.0")
        );
    }
}
