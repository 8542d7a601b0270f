//! Both reports from YAML through the real door, with the sums done by hand.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, MilliwattHours, PerMille};
use jiuzhou_measure::adoption::{AdoptionReport, FigureId, Settings, adoption};
use jiuzhou_measure::energy::{Account, Metric, Provenance, PueSource, account};
use jiuzhou_measure::{LeftOut, Month, Period, Ratio};

use super::*;
use crate::{Fleet, Options, load};

/// The end of 23 November 2026 in Beijing.
pub(super) fn as_of() -> Timestamp {
    "2026-11-23T15:59:59Z".parse().unwrap()
}

pub(super) fn read(text: &str, at: Timestamp) -> Fleet {
    load(&["-".to_owned()], &mut text.as_bytes(), &Options::at(at)).unwrap()
}

pub(super) fn counted(fleet: &Fleet, at: Timestamp) -> AdoptionReport {
    let settings = Settings { as_of: at, minimum_ready_days: minimum_days(&fleet.objects, at) };
    adoption(&register(&fleet.into(), at), settings).unwrap()
}

pub(super) fn month(fleet: &Fleet, month: &str) -> Account {
    account(&energy(&fleet.into(), Period::month(Month::parse(month).unwrap()), as_of())).unwrap()
}

fn codes(notes: &[LeftOut]) -> Vec<Code> {
    notes.iter().map(|note| note.reason.code).collect()
}

fn codes_of(notes: &[LeftOut], name: &str) -> Vec<Code> {
    notes.iter().filter(|note| note.subject.name == name).map(|note| note.reason.code).collect()
}

/// Two bodies, the second below the first; a room with two meters and one with nothing; one Kunpeng cluster.
pub(super) const FLEET: &str = r#"
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: {name: dali}
spec:
  displayName: 大理州政务云机房
  region: "532901"
  provider: cec
  governmentOwned: true
  standardRacks: 200
  meterReadings:
  - {month: 2026-10, meter: Site, wattHours: 1300000}
  - {month: 2026-10, meter: It, wattHours: 1000000}
  - {month: 2026-09, meter: It, wattHours: 900000}
  bills:
  - {month: 2026-10, number: DL-10-1, wattHours: 1000000, fen: 60000}
  - {month: 2026-10, number: DL-10-2, wattHours: 310000, fen: 18600}
  water:
  - {fromMonth: 2026-10, untilMonth: 2026-10, millilitresPerKwh: 1800}
  certificates:
  - {id: GEC-1, wattHours: 260000, generatedMonth: 2026-09, retiredOn: 2026-10-20}
  - {id: GEC-2, wattHours: 1000000, generatedMonth: 2026-09}
  - {id: GEC-3, wattHours: 1000000, generatedMonth: 2026-09, retiredOn: 2026-10-20, tradable: false}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: {name: lhasa}
spec:
  displayName: 拉萨机房
  region: "540102"
  provider: cec
  pue:
  - {fromMonth: 2026-09, untilMonth: 2026-09, perMille: 1200}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: {name: dali-1}
spec:
  site: dali
  form: Dedicated
  ownership: Government
  connection: {pull: {}}
  defaultZone: gov-extranet
  poolFacts:
  - {name: all, nodeLabels: {pool: a}, idleWatts: 200, busyWatts: 400}
status:
  pools:
  - name: a
    platform: test-cpu
    confidence: Certain
    architecture: arm64
    nodes: 2
    labels: {pool: a}
    allocatable: {cpu: "16", memory: 64Gi}
    free:
    - {nodes: 2, free: {cpu: "4", memory: 16Gi}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: CpuPlatform
metadata: {name: test-cpu}
spec:
  displayName: 鲲鹏试验型号
  vendor: hisilicon
  brand: Kunpeng
  architecture: arm64
  isa: {level: armv8.2}
  assurance:
  - {scheme: 安全可靠测评, product: 鲲鹏试验型号, level: I, notice: 2023年第1号, date: 2023-11-24, validUntil: 2026-11-23}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: dali}
spec: {displayName: 大理州大数据局, unifiedCode: "11532900MB0Y12345Q", level: City, region: "532900"}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: dali-civil}
spec:
  displayName: 大理市民政局
  unifiedCode: "11532901MB0Y123459"
  level: County
  region: "532901"
  blockParent: dali
  namespaces: [{name: civil}]
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: idle}
spec: {displayName: 无系统单位, unifiedCode: "11532901MB0Y123467", level: County, region: "532901"}
"#;

/// A system with its own lines.
pub(super) fn system(name: &str, more: &str) -> String {
    format!(
        r#"
---
apiVersion: jiuzhou.dev/v1alpha1
kind: InformationSystem
metadata: {{name: {name}, namespace: civil}}
spec:
  displayName: 系统{name}
  projectCode: P-{name}
  tenant: dali-civil
  functionDomain: PublicService
  dataClass: {{class: General, setBy: 张三}}
{more}"#
    )
}

/// A workload of two replicas of one CPU each, Ready since a moment.
pub(super) fn workload(system: &str, since: &str, ready: &str) -> String {
    format!(
        r#"
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {{name: {system}, namespace: civil}}
spec:
  system: {system}
  objects:
  - name: web
    manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: {system}}}
      spec:
        replicas: 2
        selector: {{matchLabels: {{app: web}}}}
        template:
          metadata: {{labels: {{app: web}}}}
          spec:
            containers:
            - {{name: web, image: registry.gov.example/web:1, resources: {{requests: {{cpu: "1", memory: 1Gi}}}}}}
status:
  wanted: 2
  placed: 2
  ready: 2
  clusters: [{{name: dali-1, placed: 2{ready}}}]
  conditions:
  - {{type: Ready, status: "True", reason: Ready, message: ok, lastTransitionTime: "{since}"}}
"#
    )
}

#[test]
fn the_register_counts_what_is_proved_and_lists_the_rest() {
    let verified = "  hosting: {state: Lifted, evidence: {number: 大数〔2026〕1号}, declaredBy: 甲, verifiedBy: 乙, verifiedOn: 2026-11-23}\n  assets: [{name: vm, kind: VirtualMachine, cpus: 6, brand: Intel, cloud: cec, site: dali}]\n";
    let tomorrow = verified.replace("2026-11-23", "2026-11-24");
    let exempt = "  exemption: {document: {number: 大政〔2026〕7号, date: 2026-01-01}, until: 2026-11-23}\n";
    let late = exempt.replace("until: 2026-11-23", "until: 2026-11-22");
    let native = "  hosting: {state: CloudNative}\n";
    let text = [
        FLEET.to_owned(),
        system("lifted", verified),
        system("tomorrow", &tomorrow),
        system("exempt", exempt),
        system("late", &late),
        system("hosted", "  hosting: {state: Hosted}\n"),
        system("gone", "  hosting: {state: Retired}\n"),
        system("native", native),
        workload("native", "2026-11-20T01:00:00Z", ", ready: 2"),
        system("young", native),
        workload("young", "2026-11-24T01:00:00Z", ", ready: 2"),
    ]
    .concat();
    let fleet = read(&text, as_of());
    let report = counted(&fleet, as_of());
    let measured = report.whole.figure(FigureId::AdoptionMeasured);
    // In: lifted, tomorrow, late, hosted, native, young. On: lifted and native.
    assert_eq!(measured.ratio, Ratio::new(2, 6));
    assert_eq!(codes_of(&measured.left_out, "exempt"), [Code::EntryExempt]);
    assert_eq!(codes_of(&measured.left_out, "gone"), [Code::EntryRetired]);
    assert_eq!(codes_of(&measured.not_counted, "tomorrow"), [Code::LiftUnverified]);
    assert_eq!(codes_of(&measured.not_counted, "hosted"), [Code::HostedNotCloud]);
    assert_eq!(codes_of(&measured.not_counted, "young"), [Code::NotReadyLongEnough]);
    assert_eq!(codes(&report.notes), [Code::ExemptionInvalid]);
    // The county's figures are the prefecture's body's, too; the body without systems is n/a.
    assert_eq!(report.by_block["dali"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(2, 6));
    assert_eq!(report.by_level["County"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(2, 6));
    assert_eq!(report.by_region["530000"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(2, 6));
    assert_eq!(report.by_function["PublicService"].figure(FigureId::AdoptionDeclared).ratio, Ratio::new(4, 6));
    assert_eq!(codes_of(&report.not_applicable, "idle"), [Code::EntryAbsent]);
    // On the cloud: 6 CPUs of Intel lifted, 6 more of "tomorrow", 2 x 1 of the native one, 2 x 1 of the young.
    let vcpu = report.whole.figure(FigureId::AdoptionObservedVcpu).ratio;
    assert_eq!(vcpu, Ratio::new(8_000, 16_000));
    assert_eq!(report.whole.figure(FigureId::DomesticBrand).ratio, Ratio::new(4_000, 16_000));
    assert_eq!(report.whole.figure(FigureId::DomesticAssessed).ratio, Ratio::new(4_000, 16_000));
    assert_eq!(report.whole.figure(FigureId::AdoptionGovernmentRooms).ratio, Ratio::new(2, 6));
    // A day later the assessment has run out and the exemption, too; what was declared for that day holds.
    let next = as_of() + jiff::SignedDuration::from_hours(24);
    let later = counted(&read(&text, next), next);
    assert_eq!(later.whole.figure(FigureId::DomesticAssessed).ratio.numerator, 0);
    assert_eq!(later.whole.figure(FigureId::AdoptionMeasured).ratio, Ratio::new(4, 7));
    let tables =
        adoption(&register(&(&fleet).into(), as_of()), Settings { as_of: as_of(), minimum_ready_days: 0 }).unwrap();
    // An exemption that ran out is a finding at its line; what explains the count stays in the tables.
    let found = findings(&fleet.objects, measured.not_counted.iter().chain(&tables.notes));
    assert_eq!(found.iter().map(|finding| finding.reason.code).collect::<Vec<_>>(), [Code::ExemptionInvalid]);
    assert!(found[0].place.as_ref().unwrap().text.contains("until: 2026-11-22"));
    let subject = found[0].subject.clone().unwrap();
    assert_eq!(document(&fleet.objects, &subject, Code::ExemptionInvalid).unwrap(), "大政〔2026〕7号");
}

#[test]
fn the_days_asked_for_come_from_the_report_over_the_day() {
    let report = "
---
apiVersion: jiuzhou.dev/v1alpha1
kind: ClusterReport
metadata: {name: adoption-2026}
spec: {report: {type: Adoption, period: {from: 2026-01-01, until: 2026-12-31}, minimumDays: 30}}
";
    let native = "  hosting: {state: CloudNative}\n";
    let young = [FLEET, &system("native", native), &workload("native", "2026-10-25T01:00:00Z", ", ready: 2"), report];
    let fleet = read(&young.concat(), as_of());
    assert_eq!(minimum_days(&fleet.objects, as_of()), 30);
    // From 25 October to 23 November are 29 days.
    assert_eq!(counted(&fleet, as_of()).whole.figure(FigureId::AdoptionMeasured).ratio, Ratio::new(0, 1));
    let next = as_of() + jiff::SignedDuration::from_hours(24);
    assert_eq!(
        counted(&read(&young.concat(), next), next).whole.figure(FigureId::AdoptionMeasured).ratio,
        Ratio::new(1, 1)
    );
}

#[test]
fn what_nobody_observed_is_unknown_and_not_zero() {
    let native = "  hosting: {state: CloudNative}\n";
    let text = [FLEET, &system("native", native), &workload("native", "2026-11-01T00:00:00Z", "")].concat();
    let report = counted(&read(&text, as_of()), as_of());
    let vcpu = report.whole.figure(FigureId::AdoptionObservedVcpu);
    assert_eq!(vcpu.ratio.per_mille(), None);
    assert_eq!(codes(&vcpu.left_out), [Code::CpuUnobserved]);
}

#[test]
fn a_month_of_two_rooms() {
    let text = [
        FLEET,
        &system("native", "  hosting: {state: CloudNative}\n"),
        &workload("native", "2026-11-01T00:00:00Z", ", ready: 2"),
    ];
    let fleet = read(&text.concat(), as_of());
    let result = month(&fleet, "2026-10");
    let (dali, lhasa) = (&result.sites[0], &result.sites[1]);
    assert_eq!((dali.it, dali.it_source), (Some(MilliwattHours(1_000_000_000)), Some(Provenance::Measured)));
    // Two nodes at half use: 300 W each over 744 h are 446.4 kWh, shown beside the meter and never mixed with it.
    assert_eq!(dali.modelled, Some(MilliwattHours(446_400_000)));
    assert_eq!((dali.pue, dali.pue_source), (Some(PerMille(1300)), Some(PueSource::Meters)));
    assert_eq!(dali.reconciliation.bill_unexplained, Some(MilliwattHours(10_000_000)));
    assert_eq!(dali.readings, Ratio::new(3, 3));
    // GEC-1 covers 260 of 1300 kWh: REF 0.200, under the 0.300 of 财库〔2023〕7号 for 2025 and 2026.
    assert_eq!(dali.renewable_share.and_then(Ratio::per_mille), Some(PerMille(200)));
    assert!(codes(&dali.notes).contains(&Code::CertificateNotRetired));
    assert!(codes(&dali.notes).contains(&Code::CertificateNotTradable));
    assert!(codes(&dali.notes).contains(&Code::RenewableBelowLimit));
    // Yunnan 2022: 0.1073 kg; national residual 2023: 0.6096 kg on the 1040 kWh that are not covered.
    assert_eq!(dali.average.as_ref().map(|used| (used.factor.year, used.fallback)), Some((2022, false)));
    assert_eq!(dali.emissions.location.map(|mg| mg.0), Some(139_490_000));
    assert_eq!(dali.emissions.market.map(|mg| mg.0), Some(633_984_000));
    let kept = |metric, bound| {
        let verdict = dali.verdicts.iter().find(|v| v.limit.metric == metric && v.limit.bound == bound);
        verdict.and_then(|verdict| verdict.kept)
    };
    assert_eq!((kept(Metric::Pue, 1300), kept(Metric::Pue, 1500)), (Some(true), Some(true)));
    assert_eq!((kept(Metric::Renewable, 300), kept(Metric::Water, 2500)), (Some(false), Some(true)));
    // Use: half of 16 CPUs; ours is 2. Idle is 400 of 600 W: 666.667 kWh, of which 2/16; active 333.333, of which 2/8.
    let ours = result.tenants["dali-civil"];
    assert_eq!((ours.idle.0 / 1000, ours.active.0 / 1000), (83_333, 83_333));
    let all: i64 = result.tenants.values().map(|share| share.active.0 + share.idle.0).sum();
    assert_eq!(all + result.system.0 + result.unallocated.0 + result.outside.0, 1_000_000_000);
    assert_eq!(result.platforms["test-cpu"], MilliwattHours(1_000_000_000));
    // Nothing is known of Lhasa: no cluster, no meter, a PUE of another month, and no factor of Tibet.
    assert_eq!((lhasa.it, lhasa.facility, lhasa.pue, lhasa.renewable_share), (None, None, None, None));
    for code in
        [Code::ItEnergyUnknown, Code::PuePeriodDiffers, Code::MeterMissing, Code::BillMissing, Code::FactorFallback]
    {
        assert!(codes(&lhasa.notes).contains(&code), "{code}");
    }
    assert_eq!(result.uncharged, ["拉萨机房"]);
    assert_eq!(result.measured, Ratio::new(1_000_000_000, 1_000_000_000));
    // A month without any reading is modelled, with its band.
    let august = month(&fleet, "2026-08");
    assert_eq!(august.sites[0].it_source, Some(Provenance::Modelled));
    assert_eq!(august.sites[0].facility, None);
    assert_eq!(august.measured.numerator, 0);
}

#[test]
fn a_certificate_of_two_sites_counts_at_the_first() {
    let text = FLEET.replace(
        "  pue:\n",
        "  meterReadings: [{month: 2026-10, meter: Site, wattHours: 1000000}]\n  certificates:\n  - {id: GEC-1, wattHours: 260000, generatedMonth: 2026-09, retiredOn: 2026-10-21}\n  pue:\n",
    );
    let result = month(&read(&text, as_of()), "2026-10");
    assert_eq!(result.sites[0].renewable.covered, MilliwattHours(260_000_000));
    assert_eq!(result.sites[1].renewable.covered, MilliwattHours(0));
    assert!(codes(&result.sites[1].notes).contains(&Code::CertificateUsedTwice));
}

#[test]
fn a_server_is_known_by_model_or_by_the_heat_of_its_sockets() {
    assert_eq!(tables::server("2x-epyc-7742").map(|(line, _)| line.peak.0), Some(400_000));
    // 2 x 195 W: a fifth idle, 95 % full.
    let (line, provenance) = tables::server("2x-kunpeng-920-6426").unwrap();
    assert_eq!((line.idle.0, line.peak.0, provenance), (78_000, 370_500, Provenance::Default));
    assert_eq!(tables::server("nobody-knows"), None);
    assert!(tables::default("server-idle-of-tdp").is_some() && tables::default("modelled-band").is_some());
    assert_eq!(comparison().map(|published| published.value), Some(PerMille(700)));
}

#[test]
fn nothing_read_is_a_report_of_nothing() {
    let fleet = read("", as_of());
    let report = counted(&fleet, as_of());
    assert_eq!(report.whole.figure(FigureId::AdoptionMeasured).ratio.per_mille(), None);
    let result = month(&fleet, "2026-10");
    assert!(result.sites.is_empty() && result.measured.per_mille().is_none());
}

/// Counted in work, not in time: the register has every system, and each is looked at once.
#[test]
fn a_thousand_systems_are_counted() {
    let mut text = FLEET.to_owned();
    for i in 0..1000 {
        let state = if i % 2 == 0 { "Hosted" } else { "OnPremises" };
        let _ = write!(text, "{}", system(&format!("s{i}"), &format!("  hosting: {{state: {state}}}\n")));
    }
    let fleet = read(&text, as_of());
    assert_eq!(fleet.objects.systems.len(), 1000);
    let report = counted(&fleet, as_of());
    assert_eq!(report.whole.figure(FigureId::AdoptionMeasured).ratio, Ratio::new(0, 1000));
}

#[test]
fn platforms_of_one_domestic_brand_are_one_family_and_generic_or_foreign_ones_are_none() {
    let own = |name: &str, brand: &str| {
        format!(
            "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: CpuPlatform\nmetadata: {{name: {name}}}\nspec:\n  displayName: 本地设备\n  \
             vendor: 某厂\n  brand: {brand}\n  architecture: arm64\n  unameMachine: aarch64\n  source: 设备台账\n"
        )
    };
    let fleet = read(&[own("edge-box", "Phytium"), own("other-box", "Other")].concat(), as_of());
    let families = domestic_families(&fleet.objects);
    let of = |platform: &str| families.get(platform).map(String::as_str);
    assert_eq!((of("kunpeng-920"), of("kunpeng-950")), (Some("Kunpeng"), Some("Kunpeng")));
    assert_eq!((of("hygon-c86"), of("sunway-sw64")), (Some("Hygon"), Some("Sunway")));
    assert_eq!((of("edge-box"), of("other-box"), of("x86-64-v3"), of("armv8.2")), (Some("Phytium"), None, None, None));
}
