//! Reports after a reform of bodies (机构改革): by the tree of their own day, before, between and after its dates.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_measure::adoption::FigureId;
use jiuzhou_measure::{Month, Period, Ratio, Scope};

use super::answer::{Figures, answer};
use super::ask::Ask;
use super::tests::{FLEET, as_of, counted, read, system, workload};

/// 1 July: the office takes the name of bureau. 1 September: the bureau splits off its archive. 1 November: it is merged into
/// the body of social affairs. The objects are those of today, so the systems name the bodies of today.
const REFORM: &str = "
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: office}
spec: {displayName: 大理市电子政务办公室, level: County, region: \"532901\", blockParent: dali}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: bureau}
spec:
  displayName: 大理市大数据局
  level: County
  region: \"532901\"
  blockParent: dali
  predecessors: [{tenant: office, kind: Rename, date: 2026-07-01, document: {number: 大编〔2026〕1号}}]
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: archive}
spec:
  displayName: 大理市数字档案馆
  level: County
  region: \"532901\"
  blockParent: bureau
  predecessors: [{tenant: bureau, kind: Split, date: 2026-09-01, document: {number: 大编〔2026〕2号}}]
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: social}
spec:
  displayName: 大理市社会事务局
  level: County
  region: \"532901\"
  blockParent: dali
  predecessors: [{tenant: bureau, kind: Merge, date: 2026-11-01, document: {number: 大编〔2026〕3号}}]
";

fn of(tenant: &str, text: &str) -> String {
    text.replace("tenant: dali-civil", &format!("tenant: {tenant}"))
}

fn reformed() -> String {
    [FLEET, REFORM, &of("bureau", &system("exchange", "")), &of("archive", &system("files", ""))].concat()
}

/// The last second of a Beijing day.
fn end_of(day: &str) -> Timestamp {
    format!("{day}T23:59:59+08:00").parse().unwrap()
}

#[test]
fn a_report_has_the_bodies_of_its_day_and_their_systems() {
    let text = reformed();
    // The day, who is there of the reform, and whose the two systems are, with what the block of the bureau or office has.
    let days: [(&str, &[(&str, i64)]); 5] = [
        ("2026-06-30", &[("office", 2), ("social", 0)]),
        ("2026-07-01", &[("bureau", 2), ("social", 0)]),
        ("2026-08-31", &[("bureau", 2), ("social", 0)]),
        // The archive is below the bureau: its system counts for both.
        ("2026-09-01", &[("archive", 1), ("bureau", 2), ("social", 0)]),
        ("2026-11-01", &[("archive", 1), ("social", 2)]),
    ];
    for (day, wanted) in days {
        let at = end_of(day);
        let report = counted(&read(&text, at), at);
        let reform = ["archive", "bureau", "office", "social"];
        let there: Vec<_> = report.by_block.iter().filter(|(name, _)| reform.contains(&name.as_str())).collect();
        let told: Vec<(&str, i64)> = there
            .into_iter()
            .map(|(name, figures)| (name.as_str(), figures.figure(FigureId::AdoptionMeasured).ratio.denominator))
            .collect();
        assert_eq!(told, wanted, "{day}");
        let all = report.by_block["dali"].figure(FigureId::AdoptionMeasured).ratio;
        assert_eq!(all, Ratio::new(0, 2), "{day}: nobody is lost on the way");
    }
}

#[test]
fn months_are_asked_about_by_any_name_of_a_body_and_told_by_the_one_they_had() {
    let native = "  hosting: {state: CloudNative}\n";
    let text = [FLEET, SUCCESSOR, &system("native", native), &workload("native", "2026-09-01T00:00:00Z", ", ready: 2")];
    let fleet = read(&text.concat(), as_of());
    let scene = (&fleet).into();
    let month = |text| Period::month(Month::parse(text).unwrap());
    let tenants = |name: &str| {
        let scope = Scope { blocks: BTreeSet::from([name.to_owned()]), ..Scope::default() };
        let ask = Ask { scope, ..Ask::energy(month("2026-10"), as_of()) };
        match answer(&scene, &ask, as_of()).unwrap().map(|answer| answer.figures) {
            Some(Figures::Energy(account)) => account.tenants.into_keys().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    // It was merged after the month that is asked about and before the day on which that is done.
    assert_eq!(tenants("dali-civil"), ["dali-civil"]);
    assert_eq!(tenants("dali"), ["dali-civil"]);
    assert_eq!(tenants("social"), [""; 0]);
}

/// Another body takes in the one of the fleet on 1 November.
const SUCCESSOR: &str = "
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: social}
spec:
  displayName: 大理市社会事务局
  unifiedCode: \"11532901MB0Y123475\"
  level: County
  region: \"532901\"
  blockParent: dali
  predecessors: [{tenant: dali-civil, kind: Merge, date: 2026-11-01, document: {number: 大编〔2026〕3号}}]
";

#[test]
fn a_merged_body_counts_as_its_successor_from_the_day_on() {
    let text = [FLEET, SUCCESSOR, &system("a", "")].concat();
    let of = |at: &str| {
        let at = at.parse().unwrap();
        counted(&read(&text, at), at).by_block
    };
    let before = of("2026-10-31T15:59:59Z");
    assert_eq!(before["dali-civil"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(0, 1));
    assert_eq!(before["social"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(0, 0));
    let after = of("2026-10-31T16:00:00Z");
    assert!(!after.contains_key("dali-civil"));
    assert_eq!(after["social"].figure(FigureId::AdoptionMeasured).ratio, Ratio::new(0, 1));
}
