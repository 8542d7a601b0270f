//! An account by example, with the sums done by hand.

use jiuzhou_engine::terms::{Code, Milliwatts, ObjectRef};

use super::*;
use crate::Month;
use crate::carbon::{Factor, Series};
use crate::energy::{Amounts, Consumer, LinearPower, Provenance, Pue, PueKind};

const KWH: i64 = 1_000_000;

fn kwh(n: i64) -> Option<MilliwattHours> {
    Some(MilliwattHours(n * KWH))
}

fn period() -> Period {
    Period::month(Month::parse("2026-10").unwrap())
}

fn factor(series: Series, mg: i64) -> Option<FactorUse> {
    let factor = Factor {
        area: "530000".into(),
        year: 2022,
        series,
        mg_per_kwh: mg,
        source: "公报".into(),
        confidence: "secondary".into(),
    };
    Some(FactorUse { factor, fallback: false })
}

/// Two nodes of 200 W idle and 400 W full at half load: 300 W each, 31 days of 24 hours: 2 x 0.3 x 744 = 446.4 kWh.
fn cluster() -> ClusterInput {
    let amounts = |cpu| Amounts { cpu, memory: 0 };
    let consumer = |tenant: &str, workload: &str, cpu| Consumer {
        observed: false,
        tenant: tenant.into(),
        workload: workload.into(),
        requested: amounts(cpu),
        used: amounts(cpu),
    };
    ClusterInput {
        reference: ObjectRef::new("MemberCluster", "", "dali-a"),
        pools: vec![PoolInput {
            metered: None,
            name: "p".into(),
            platform: "kunpeng-920".into(),
            nodes: 2,
            power: Some(PoolPower {
                line: LinearPower { idle: Milliwatts(200_000), peak: Milliwatts(400_000) },
                provenance: Provenance::Modelled,
            }),
            utilisation: Some(PerMille(500)),
            allocatable: amounts(8000),
        }],
        cpu_used: Some(4000),
        consumers: vec![consumer("民政局", "a", 1000), consumer("医保局", "b", 2000)],
    }
}

fn site(name: &str) -> SiteInput {
    SiteInput {
        reference: ObjectRef::new("Site", "", name),
        average: factor(Series::Average, 107_300),
        residual: factor(Series::Residual, 609_600),
        clusters: vec![cluster()],
        ..SiteInput::default()
    }
}

fn input(sites: Vec<SiteInput>) -> AccountInput {
    AccountInput {
        period: period(),
        seconds: period().seconds(),
        sites,
        certificates: Vec::new(),
        policy: Policy::Proportional,
        defaults: ServerDefaults { idle_of_tdp: PerMille(200), peak_of_tdp: PerMille(950), band: PerMille(300) },
        default_utilisation: PerMille(500),
        tolerance: PerMille(20),
    }
}

fn codes(site: &SiteAccount) -> Vec<Code> {
    site.notes.iter().map(|note| note.reason.code).collect()
}

#[test]
fn a_modelled_room_has_a_band_and_no_facility_energy_without_a_pue() {
    let result = account(&input(vec![site("a")])).unwrap();
    let room = &result.sites[0];
    assert_eq!(room.it, Some(MilliwattHours(446_400_000)));
    assert_eq!(room.it_source, Some(Provenance::Modelled));
    // 30 % of 446.4 is 133.92.
    assert_eq!(room.it_band, Some((MilliwattHours(312_480_000), MilliwattHours(580_320_000))));
    assert_eq!((room.facility, room.emissions.location, room.renewable_share), (None, None, None));
    assert_eq!(result.measured, Ratio::new(0, 446_400_000));
    assert!(codes(room).contains(&Code::PueMissing));
}

#[test]
fn meters_win_and_the_energy_is_charged_without_loss() {
    let metered = SiteInput { it_meter: kwh(600), site_meter: kwh(780), bill: kwh(800), ..site("a") };
    let result = account(&input(vec![metered])).unwrap();
    let room = &result.sites[0];
    // 780 / 600 = 1.300; 780 kWh x 107.3 g = 83,694 g; residual 780 x 609.6 g = 475,488 g.
    assert_eq!((room.pue, room.pue_source), (Some(PerMille(1300)), Some(PueSource::Meters)));
    assert_eq!(room.emissions.location.map(|g| g.0), Some(83_694_000));
    assert_eq!(room.emissions.market.map(|g| g.0), Some(475_488_000));
    assert_eq!(room.reconciliation.explained, None, "a PUE made of the meter does not explain the meter");
    assert_eq!(room.reconciliation.bill_unexplained, kwh(20));
    assert_eq!(codes(room), [Code::BillDiffers], "20 of 800 is over 2 %");
    assert_eq!(result.measured, Ratio::new(600 * KWH, 600 * KWH));
    // Two thirds of the model are idle: 400 kWh idle, 200 active. Active by 1000:2000:1000 (system) of 4000; idle by
    // 1000 and 2000 of 8000.
    let share = |tenant: &str| (result.tenants[tenant].active.0 / KWH, result.tenants[tenant].idle.0 / KWH);
    assert_eq!((share("民政局"), share("医保局")), ((50, 50), (100, 100)));
    assert_eq!((result.system.0 / KWH, result.unallocated.0 / KWH, result.outside.0), (50, 250, 0));
    assert_eq!(result.platforms["kunpeng-920"], MilliwattHours(600 * KWH));
}

#[test]
fn emissions_follow_the_energy_and_a_tenant_sees_its_own_part_only() {
    let metered = SiteInput { it_meter: kwh(600), site_meter: kwh(780), ..site("a") };
    let whole = account(&input(vec![metered, site("b")])).unwrap();
    // Of 83,694 g in the first room a sixth and a third; the second room's PUE is unknown, and so are its emissions.
    let parts = whole.sites[0].tenant_emissions.clone().unwrap();
    assert_eq!((parts["民政局"].0, parts["医保局"].0), (13_949_000, 27_898_000));
    assert_eq!(whole.emissions_of("民政局"), None);
    let own = whole.clone().of_tenants(&["民政局".to_owned()].into()).unwrap();
    assert_eq!(own.tenants.keys().collect::<Vec<_>>(), ["民政局"]);
    assert_eq!((own.system, own.unallocated), (MilliwattHours(0), MilliwattHours(0)));
    assert_eq!(own.use_observed(), Ratio::new(0, 2), "one workload of its own in each room");
    let energy = |account: &Account| account.tenants["民政局"];
    assert_eq!(energy(&own), energy(&whole));
    let all = energy(&own).active.0 + energy(&own).idle.0;
    assert_eq!(own.measured, Ratio::new(100 * KWH, all), "the metered room's part");
    let none = whole.of_tenants(&["税务局".to_owned()].into()).unwrap();
    assert!(none.sites.is_empty() && none.measured == Ratio::default());
}

#[test]
fn modelled_energy_is_of_the_time_that_is_asked_for() {
    let half = AccountInput { seconds: period().seconds() / 2, ..input(vec![site("a")]) };
    assert_eq!(account(&half).unwrap().sites[0].it, Some(MilliwattHours(223_200_000)));
}

#[test]
fn a_pue_of_another_month_leaves_the_room_unknown() {
    let pue = |month: &str| Pue {
        value: PerMille(1300),
        kind: PueKind::Measured,
        period: Period::month(Month::parse(month).unwrap()),
    };
    let other = SiteInput { it_meter: kwh(600), pues: vec![pue("2026-08"), pue("2026-09")], ..site("a") };
    let room = account(&input(vec![other.clone()])).unwrap().sites.remove(0);
    assert_eq!((room.pue, room.facility), (None, None));
    assert_eq!(codes(&room).iter().filter(|code| **code == Code::PuePeriodDiffers).count(), 1);
    let same = SiteInput { pues: vec![pue("2026-10")], site_meter: None, ..other };
    let room = account(&input(vec![same])).unwrap().sites.remove(0);
    assert_eq!((room.facility, room.facility_metered), (kwh(780), false));
}

#[test]
fn one_pool_without_a_model_makes_the_room_unknown_and_charges_nobody() {
    let mut unknown = site("a");
    unknown.clusters[0].pools[0].power = None;
    let result = account(&input(vec![unknown.clone()])).unwrap();
    assert_eq!(result.sites[0].it, None);
    assert_eq!(result.uncharged, ["a"]);
    assert!(result.tenants.is_empty());
    assert!(codes(&result.sites[0]).contains(&Code::PowerUnknown));
    // With a meter it is known; nothing says what was active, so all is shared as idle: 1000 of 8000 of 800.
    unknown.it_meter = kwh(800);
    let result = account(&input(vec![unknown])).unwrap();
    assert_eq!((result.tenants["民政局"].active.0, result.tenants["民政局"].idle.0 / KWH), (0, 100));
    let nobody = SiteInput { clusters: Vec::new(), it_meter: kwh(5), ..site("b") };
    assert_eq!(account(&input(vec![nobody])).unwrap().outside, MilliwattHours(5 * KWH));
}

#[test]
fn a_certificate_covers_the_market_based_figure_and_counts_once() {
    let room = |name| SiteInput { it_meter: kwh(6000), site_meter: kwh(8000), ..site(name) };
    let mut fleet = input(vec![room("a"), room("b")]);
    fleet.certificates = ["b", "a"]
        .map(|site| Certificate {
            id: "GEC-1".into(),
            used_for: Month::parse("2026-10").unwrap(),
            site: site.into(),
            generated: Month::parse("2026-09").unwrap(),
            energy: MilliwattHours(2000 * KWH),
            retired: true,
            usable_here: true,
        })
        .to_vec();
    let result = account(&fleet).unwrap();
    let (a, b) = (&result.sites[0], &result.sites[1]);
    assert_eq!(a.renewable_share.and_then(Ratio::per_mille), Some(PerMille(250)));
    assert_eq!(b.renewable_share.and_then(Ratio::per_mille), Some(PerMille(0)));
    assert_eq!(a.emissions.location, b.emissions.location, "certificates never change the location-based figure");
    // 6000 kWh uncovered x 609.6 g = 3,657.6 kg.
    assert_eq!(a.emissions.market.map(|mg| mg.0), Some(3_657_600_000));
    assert!(codes(b).contains(&Code::CertificateUsedTwice));
}

#[test]
fn limits_are_compared_exactly_and_an_unknown_figure_keeps_none() {
    let limit = |bound, applies| Limit {
        metric: Metric::Pue,
        bound,
        name: "l".into(),
        source: "文".into(),
        until: None,
        applies,
    };
    let room = |whole| SiteInput {
        it_meter: Some(MilliwattHours(10_000)),
        site_meter: Some(MilliwattHours(whole)),
        limits: vec![limit(1300, Some(true)), limit(1250, None), limit(1200, Some(false))],
        ..site("a")
    };
    let kept = |whole| {
        let room = account(&input(vec![room(whole)])).unwrap().sites.remove(0);
        let broken = codes(&room).contains(&Code::PueAboveLimit);
        (room.verdicts.iter().map(|verdict| verdict.kept).collect::<Vec<_>>(), broken)
    };
    assert_eq!(kept(13_000), (vec![None, Some(true)], false));
    assert_eq!(kept(13_004), (vec![None, Some(false)], true), "1.3004 is shown as 1.300 and is above 1.300");
    let unknown = SiteInput { limits: vec![limit(1300, Some(true))], ..site("a") };
    assert_eq!(account(&input(vec![unknown])).unwrap().sites[0].verdicts[0].kept, None);
}

#[test]
fn an_empty_fleet_has_an_account_of_nothing() {
    let result = account(&input(Vec::new())).unwrap();
    assert_eq!(result.measured.per_mille(), None);
    assert!(account(&input(vec![site("a"), site("a")])).is_err());
}

/// A room without an IT meter, whose pool has one.
#[test]
fn pools_with_meters_of_their_own_are_measured_and_one_without_makes_the_room_a_model() {
    let mut input = input(vec![site("dali")]);
    let site = &mut input.sites[0];
    site.it_meter = None;
    let pools = || MilliwattHours(4_000_000);
    for pool in site.clusters.iter_mut().flat_map(|cluster| &mut cluster.pools) {
        pool.metered = Some(pools());
    }
    let all = site.clusters.iter().map(|cluster| cluster.pools.len()).sum::<usize>();
    let sum = MilliwattHours(4_000_000 * i64::try_from(all).unwrap());
    let measured = account(&input).unwrap();
    let room = &measured.sites[0];
    assert_eq!((room.it, room.it_source, room.pool_meters), (Some(sum), Some(Provenance::Measured), Some(sum)));

    input.sites[0].clusters[0].pools[0].metered = None;
    let modelled = account(&input).unwrap();
    assert_ne!(modelled.sites[0].it_source, Some(Provenance::Measured));
    assert_eq!(modelled.sites[0].pool_meters, None);
}

#[test]
fn the_account_says_how_many_workloads_were_charged_by_what_they_used() {
    let mut input = input(vec![site("dali")]);
    let consumers: usize = input.sites.iter().flat_map(|site| &site.clusters).map(|c| c.consumers.len()).sum();
    assert!(consumers > 1);
    input.sites[0].clusters[0].consumers[0].observed = true;
    let ratio = account(&input).unwrap().use_observed();
    assert_eq!((ratio.numerator, ratio.denominator), (1, i64::try_from(consumers).unwrap()));
}
