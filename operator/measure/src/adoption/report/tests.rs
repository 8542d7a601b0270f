//! Adoption by example and by law.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::Ratio;
use crate::adoption::{Assessed, Exemption, Footprint};

fn settings() -> Settings {
    Settings { as_of: "2025-06-30T15:59:59Z".parse().unwrap(), minimum_ready_days: 7 }
}

fn entry(name: &str, hosting: Hosting) -> Entry {
    Entry {
        reference: ObjectRef::new("InformationSystem", "mzj", name),
        title: String::new(),
        project_code: format!("P-{name}"),
        tenant: "民政局".into(),
        function: "PublicService".into(),
        region: "320302".into(),
        hosting,
        since: None,
        lift_verified: true,
        ready_days: Some(30),
        exemption: None,
        footprint: vec![cpu(1000, "kunpeng")],
    }
}

fn cpu(millicores: i64, brand: &str) -> Footprint {
    let (x86, domestic) = match brand {
        "kunpeng" => (Some(false), Some(true)),
        "hygon" => (Some(true), Some(true)),
        "intel" => (Some(true), Some(false)),
        _ => (None, None),
    };
    Footprint {
        millicores,
        on_cloud: true,
        government_room: Some(true),
        cpu: brand.into(),
        brand: brand.into(),
        provider: String::new(),
        domestic,
        x86,
        assessed: match brand {
            "kunpeng" => Assessed::Between(date(2022, 7, 1), date(2025, 6, 30)),
            "hygon" | "intel" => Assessed::Never,
            _ => Assessed::Unknown,
        },
    }
}

fn report(entries: Vec<Entry>) -> AdoptionReport {
    adoption(&Register { bodies: Vec::new(), entries }, settings()).unwrap()
}

fn ratio(report: &AdoptionReport, id: FigureId) -> (i64, i64) {
    let Ratio { numerator, denominator } = report.whole.figure(id).ratio;
    (numerator, denominator)
}

fn codes(list: &[LeftOut]) -> Vec<Code> {
    list.iter().map(|left| left.reason.code).collect()
}

/// I-18 of the white paper's table: 10 systems, 7 on the cloud, retired ones excluded.
#[test]
fn seven_of_ten_systems_are_seventy_percent() {
    let mut entries: Vec<_> = (0..7).map(|i| entry(&format!("c{i}"), Hosting::CloudNative)).collect();
    entries.extend((0..3).map(|i| entry(&format!("o{i}"), Hosting::OnPremises)));
    entries.push(entry("r", Hosting::Retired));
    let report = report(entries);
    let measured = report.whole.figure(FigureId::AdoptionMeasured);
    assert_eq!(measured.ratio.per_mille().map(|r| r.0), Some(700));
    assert_eq!(codes(&measured.left_out), [Code::EntryRetired]);
    assert_eq!(codes(&measured.not_counted), [Code::EntryOnPremises; 3]);
}

#[test]
fn what_is_declared_is_not_what_is_measured() {
    let unverified = Entry { lift_verified: false, ..entry("b-lifted", Hosting::Lifted) };
    let young = Entry { ready_days: Some(6), ..entry("c-young", Hosting::CloudNative) };
    let down = Entry { ready_days: None, ..entry("d-down", Hosting::CloudNative) };
    let report = report(vec![
        entry("a-lifted", Hosting::Lifted),
        unverified,
        young,
        down,
        entry("e-hosted", Hosting::Hosted),
        entry("f-native", Hosting::CloudNative),
    ]);
    assert_eq!(ratio(&report, FigureId::AdoptionMeasured), (2, 6));
    assert_eq!(ratio(&report, FigureId::AdoptionDeclared), (5, 6));
    assert_eq!(ratio(&report, FigureId::AdoptionCloudNative), (1, 6));
    let why = codes(&report.whole.figure(FigureId::AdoptionMeasured).not_counted);
    let ready = Code::NotReadyLongEnough;
    assert_eq!(why, [Code::LiftUnverified, ready, ready, Code::HostedNotCloud]);
}

#[test]
fn an_exemption_holds_to_the_end_of_its_last_beijing_day_and_needs_a_document() {
    let exempt = |name: &str, document: &str, until| Entry {
        exemption: Some(Exemption { document: document.into(), from: None, until }),
        ..entry(name, Hosting::OnPremises)
    };
    let entries = vec![
        exempt("a", "苏政办〔2025〕1号", date(2025, 6, 30)),
        exempt("b", "苏政办〔2025〕2号", date(2025, 6, 29)),
        exempt("c", " ", date(2026, 1, 1)),
        entry("d", Hosting::CloudNative),
    ];
    let report = report(entries.clone());
    assert_eq!(ratio(&report, FigureId::AdoptionMeasured), (1, 3));
    assert_eq!(ratio(&report, FigureId::AdoptionWithoutExemptions), (1, 4));
    assert_eq!(codes(&report.notes), [Code::ExemptionInvalid; 2]);
    let left = &report.whole.figure(FigureId::AdoptionMeasured).left_out[0];
    assert_eq!(left.reason.seen, "苏政办〔2025〕1号".into(), "the document stands in the list");
    let next_day = Settings { as_of: "2025-06-30T16:00:00Z".parse().unwrap(), ..settings() };
    let later = adoption(&Register { bodies: Vec::new(), entries }, next_day).unwrap();
    assert_eq!(ratio(&later, FigureId::AdoptionMeasured), (1, 4));
}

#[test]
fn a_project_code_counts_once_and_one_in_service_goes_first() {
    let same = |name: &str, hosting| Entry { project_code: "X".into(), ..entry(name, hosting) };
    let report = report(vec![
        same("a", Hosting::Retired),
        same("b", Hosting::CloudNative),
        same("c", Hosting::OnPremises),
        Entry { project_code: String::new(), ..entry("d", Hosting::CloudNative) },
        Entry { project_code: String::new(), ..entry("e", Hosting::CloudNative) },
    ]);
    let measured = report.whole.figure(FigureId::AdoptionMeasured);
    assert_eq!((measured.ratio.numerator, measured.ratio.denominator), (1, 3));
    assert_eq!(codes(&measured.left_out), [Code::ProjectCodeRepeated; 2]);
    assert_eq!(codes(&measured.not_counted), [Code::ProjectCodeAbsent; 2]);
}

#[test]
fn the_domestic_share_has_three_readings() {
    let mixed = vec![cpu(1000, "kunpeng"), cpu(2000, "hygon"), cpu(3000, "intel"), cpu(4000, "")];
    let off = Footprint { on_cloud: false, government_room: Some(false), ..cpu(500, "intel") };
    let mut footprint = mixed;
    footprint.push(off);
    let report = report(vec![Entry { footprint, ..entry("a", Hosting::CloudNative) }]);
    assert_eq!(ratio(&report, FigureId::DomesticAssessed), (1000, 10_000));
    assert_eq!(ratio(&report, FigureId::DomesticBrand), (3000, 10_000));
    assert_eq!(ratio(&report, FigureId::DomesticNonX86), (1000, 10_000));
    assert_eq!(ratio(&report, FigureId::AdoptionObservedVcpu), (10_000, 10_500));
    assert_eq!(ratio(&report, FigureId::AdoptionGovernmentRooms), (0, 1));
    let brand = codes(&report.whole.figure(FigureId::DomesticBrand).not_counted);
    assert_eq!(brand, [Code::CpuForeign, Code::CpuUnknown], "unknown is listed as unknown");
}

#[test]
fn a_system_nobody_observed_is_left_out_of_what_is_weighted_by_cpu() {
    let report = report(vec![Entry { footprint: Vec::new(), ..entry("a", Hosting::Lifted) }]);
    let weighted = report.whole.figure(FigureId::AdoptionObservedVcpu);
    assert_eq!(weighted.ratio.per_mille(), None);
    assert_eq!(codes(&weighted.left_out), [Code::CpuUnobserved]);
    assert_eq!(ratio(&report, FigureId::AdoptionMeasured), (1, 1));
}

#[test]
fn both_trees_and_regions_are_summed_and_empty_bodies_are_not_applicable() {
    let body = |name: &str, block: Option<&str>, line: Option<&str>| Body {
        name: name.into(),
        block_parent: block.map(Into::into),
        line_parent: line.map(Into::into),
        level: "County".into(),
    };
    let bodies = vec![
        body("徐州市", None, None),
        body("民政局", Some("徐州市"), Some("省民政厅")),
        body("省民政厅", None, None),
        body("档案馆", Some("徐州市"), None),
        body("圈一", Some("圈二"), None),
        body("圈二", Some("圈一"), None),
    ];
    let mut looped = entry("b", Hosting::Lifted);
    looped.tenant = "圈一".into();
    let register = Register { bodies, entries: vec![entry("a", Hosting::CloudNative), looped] };
    let report = adoption(&register, settings()).unwrap();
    let of = |groups: &BTreeMap<String, Adoption>, key: &str| {
        let ratio = groups[key].figure(FigureId::AdoptionMeasured).ratio;
        (ratio.numerator, ratio.denominator)
    };
    assert_eq!(of(&report.by_block, "徐州市"), (1, 1));
    assert_eq!(of(&report.by_line, "省民政厅"), (1, 1));
    assert_eq!(of(&report.by_block, "省民政厅"), (0, 0));
    assert_eq!(of(&report.by_block, "圈二"), (1, 1), "a cycle is walked once");
    assert_eq!(of(&report.by_region, "320000"), (2, 2));
    assert_eq!(of(&report.by_region, "320300"), (2, 2));
    assert_eq!(of(&report.by_function, "PublicService"), (2, 2));
    let absent: Vec<_> = report.not_applicable.iter().map(|left| left.subject.name.as_str()).collect();
    assert_eq!(absent, ["档案馆"]);
    assert_eq!(report.by_block["档案馆"].figure(FigureId::AdoptionMeasured).ratio.per_mille(), None);
}

#[test]
fn what_cannot_be_is_an_error() {
    let twice = Register { entries: vec![entry("a", Hosting::Lifted); 2], ..Register::default() };
    assert!(matches!(adoption(&twice, settings()), Err(MeasureError::Repeated { .. })));
    let negative = Entry { footprint: vec![cpu(-1, "intel")], ..entry("a", Hosting::Lifted) };
    let register = Register { entries: vec![negative], ..Register::default() };
    assert!(matches!(adoption(&register, settings()), Err(MeasureError::OutOfRange(_))));
    let odd = Entry { region: "大理".into(), ..entry("a", Hosting::Lifted) };
    assert!(report(vec![odd]).by_region.contains_key("大理"));
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let hosting = prop::sample::select(vec![
        Hosting::OnPremises,
        Hosting::Hosted,
        Hosting::Lifted,
        Hosting::CloudNative,
        Hosting::Retired,
    ]);
    let brand = prop::sample::select(vec!["kunpeng", "hygon", "intel", ""]);
    (
        hosting,
        any::<bool>(),
        prop::option::of(0i64..20),
        0u8..12,
        prop::collection::vec((0i64..5000, brand), 0..3),
        any::<bool>(),
    )
        .prop_map(|(hosting, lift_verified, ready_days, code, places, exempt)| Entry {
            project_code: if code == 0 { String::new() } else { format!("P{code}") },
            lift_verified,
            ready_days,
            exemption: exempt.then(|| Exemption { document: "文".into(), from: None, until: date(2025, 12, 31) }),
            footprint: places.into_iter().map(|(millicores, brand)| cpu(millicores, brand)).collect(),
            ..entry("x", hosting)
        })
}

proptest! {
    #[test]
    fn every_entry_is_counted_or_explained(list in prop::collection::vec(any_entry(), 0..20), turn in 0usize..20) {
        let mut entries: Vec<_> = list.into_iter().enumerate().map(|(i, mut e)| {
            e.reference.name = format!("s{i:02}");
            e.function = format!("f{}", i % 3);
            e
        }).collect();
        let result = report(entries.clone());
        for (id, figure) in result.whole.figures() {
            prop_assert!(0 <= figure.ratio.numerator && figure.ratio.numerator <= figure.ratio.denominator, "{:?}", id);
            let parts: i64 = result.by_function.values().map(|a| a.figure(id).ratio.denominator).sum();
            prop_assert_eq!(parts, figure.ratio.denominator);
        }
        let count = |n: usize| i64::try_from(n).unwrap();
        let measured = result.whole.figure(FigureId::AdoptionMeasured);
        prop_assert_eq!(measured.ratio.denominator + count(measured.left_out.len()), count(entries.len()));
        prop_assert_eq!(measured.ratio.numerator + count(measured.not_counted.len()), measured.ratio.denominator);
        let declared = result.whole.figure(FigureId::AdoptionDeclared).ratio;
        prop_assert!(measured.ratio.numerator <= declared.numerator);
        if !entries.is_empty() {
            let turn = turn % entries.len();
            entries.rotate_left(turn);
            prop_assert_eq!(report(entries), result);
        }
    }
}
