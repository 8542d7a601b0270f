//! Settlements from YAML through the real door, with the sums done by hand.

use jiuzhou_engine::terms::{Code, Fen};
use jiuzhou_measure::Period;
use jiuzhou_measure::cost::{Basis, Charge};

use super::tests::{FLEET, as_of, read, system, workload};
use super::*;
use crate::invoices::Papers;

/// Prices of the room's provider; CPU is cheaper from October on.
const MORE: &str = r#"
---
apiVersion: jiuzhou.dev/v1alpha1
kind: PriceBook
metadata: {name: cec}
spec:
  displayName: 目录
  provider: cec
  items:
  - {code: CPU-01, title: 核时, unit: CpuHour, prices: [{fromMonth: "2026-01", untilMonth: "2026-09", fen: 9}, {fromMonth: "2026-10", fen: 8}]}
  - {code: MEM-01, title: 内存, unit: MemoryGibHour, prices: [{fromMonth: "2026-01", fen: 21, perUnits: 10}]}
"#;

fn placement(since: &str, epoch: i64) -> String {
    format!(
        r#"
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetPlacement
metadata: {{name: yiban, namespace: civil}}
spec:
  decision: sha256:2fb2b94ede840db07dca0670988b25c29ebb8846e308fcd1ef6c53c492b441c5
  epoch: {epoch}
  sequence: 1
  clusters: [{{name: dali-1, replicas: 2}}]
  inputs:
    workload: sha256:6e01d8237a8db421c8bbd83c767dd0c143976c006bd5aa104a8fa71bfb189970
    policy: sha256:409da41859b1142f694d0124b38a241f0b494c513ab0ca04ddeed15be9fa0363
    snapshot: sha256:8be66b8ae895d268e00ddf62b6cfbf84f81ed495e2ba90adee895179c076913f
    data: sha256:c3a4eb7e51a8ba7bf2f7a92db8492f2ee503de12cc8cece47342fa7f4941320d
  asOf: "{since}"
"#
    )
}

fn settled_of(text: &str, month: &str) -> Settled {
    let fleet = read(text, as_of());
    let ask = Ask::settlement(Period::parse(month).unwrap(), as_of());
    settled(&(&fleet).into(), &ask, as_of(), &Papers::default()).unwrap().unwrap()
}

fn told(charge: &Charge) -> (Basis, Option<i64>, i64, Option<Fen>, Option<Code>) {
    (charge.basis, charge.quantity_milli, charge.seconds / 3600, charge.amount, charge.open)
}

/// A workload of two replicas of one cpu and one GiB each, with these lines of status.
fn running(more: &str) -> String {
    let ready = ", ready: 2";
    let one = workload("yiban", "2026-09-01T00:00:00Z", ready);
    [FLEET, MORE, &system("yiban", "  hosting: {state: CloudNative}\n"), &one, more].concat()
}

#[test]
fn what_is_committed_is_charged_by_the_prices_of_each_month() {
    let text = running(&placement("2026-09-01T00:00:00+08:00", 1));
    let october = settled_of(&text, "2026-10");
    let charges: Vec<_> = october.settlement.charges.iter().map(told).collect();
    // 2 cpu x 744 h x 8 fen, 2 GiB x 744 h x 2.1 fen: 11,904 and 3,124.8.
    assert_eq!(
        charges,
        [
            (Basis::Reserved, Some(2000), 744, Some(Fen(11_904)), None),
            (Basis::Reserved, Some(2000), 744, Some(Fen(3125)), None)
        ]
    );
    let charge = &october.settlement.charges[0];
    assert_eq!(
        (charge.tenant.as_str(), charge.system.name.as_str(), charge.provider.as_str()),
        ("dali-civil", "yiban", "cec")
    );
    assert!(october.findings.is_empty(), "{:?}", october.findings);
    // 2 cpu x 720 h x 9 fen in September.
    assert_eq!(settled_of(&text, "2026-09").settlement.charges[0].amount, Some(Fen(12_960)));
}

#[test]
fn the_time_before_the_last_decision_is_not_recorded_unless_it_is_the_first() {
    let since = "2026-10-16T00:00:00+08:00";
    let first = settled_of(&running(&placement(since, 1)), "2026-10").settlement;
    assert_eq!(first.charges.iter().map(told).map(|one| one.2).collect::<Vec<_>>(), [384, 384]);
    let later = settled_of(&running(&placement(since, 3)), "2026-10");
    let unrecorded = (Basis::Unrecorded, None, 360, None, Some(Code::TimeUnrecorded));
    let charges: Vec<_> = later.settlement.charges.iter().map(told).collect();
    assert_eq!(charges.iter().filter(|one| **one == unrecorded).count(), 2);
    assert_eq!((later.settlement.total.charges, later.settlement.total.open), (4, 2));
    let codes: Vec<Code> = later.findings.iter().map(|finding| finding.reason.code).collect();
    assert_eq!(codes, [Code::TimeUnrecorded, Code::TimeUnrecorded]);
    assert!(later.findings.iter().all(|finding| finding.place.is_some()));
}

#[test]
fn without_a_placement_or_after_it_changed_nothing_of_the_month_is_known() {
    for text in [running(""), running(&placement("2026-11-03T00:00:00Z", 2))] {
        let settled = settled_of(&text, "2026-10").settlement;
        assert_eq!((settled.total.open, settled.total.charges, settled.total.payable), (2, 2, Fen(0)));
    }
    // Decided for the first time in November: there was nothing in October.
    assert_eq!(settled_of(&running(&placement("2026-11-03T00:00:00Z", 1)), "2026-10").settlement.total.charges, 0);
}

#[test]
fn a_job_that_has_ended_is_not_charged_to_the_end_of_the_month() {
    let ended = placement("2026-09-01T00:00:00+08:00", 1) + "status:\n  started: [{name: dali-1, outcome: Finished}]\n";
    let settled = settled_of(&running(&ended), "2026-10").settlement;
    assert_eq!((settled.total.charges, settled.total.open), (2, 2));
    let runs = ended.replace(", outcome: Finished", "");
    assert_eq!(settled_of(&running(&runs), "2026-10").settlement.total.open, 0);
}

#[test]
fn use_of_the_month_is_charged_where_it_is_more_or_nothing_else_is_known() {
    let with = |text: String| {
        text.replace(
            "  wanted: 2\n",
            "  wanted: 2\n  usage: [{cluster: dali-1, month: \"2026-10\", cpuMillicores: 3000}]\n",
        )
    };
    let text = with(running(&placement("2026-10-16T00:00:00+08:00", 3)));
    let settled = settled_of(&text, "2026-10").settlement;
    let mut cpu: Vec<_> = settled.charges.iter().map(told).filter(|one| one.0 == Basis::Used).collect();
    cpu.sort_by_key(|one| one.2);
    assert_eq!(cpu.iter().map(|one| (one.1, one.2)).collect::<Vec<_>>(), [(Some(3000), 360), (Some(3000), 384)]);
    // Only memory before the change stays unknown.
    assert_eq!(settled.total.open, 1);
    let less =
        with(running(&placement("2026-09-01T00:00:00+08:00", 1))).replace("cpuMillicores: 3000", "cpuMillicores: 500");
    assert_eq!(settled_of(&less, "2026-10").settlement.charges[0].basis, Basis::Reserved);
}

#[test]
fn a_platform_whose_price_differs_and_a_service_without_one_stay_open() {
    let text = running(&placement("2026-09-01T00:00:00+08:00", 1));
    let other = text.replace("unit: MemoryGibHour", "unit: MemoryGibHour, platform: kunpeng-920");
    let settled = settled_of(&other, "2026-10");
    assert_eq!(settled.settlement.charges[1].open, Some(Code::TimeUnpriced));
    assert_eq!(settled.findings[0].reason.code, Code::TimeUnpriced);
}

#[test]
fn papers_are_held_against_it_at_their_lines() {
    let fleet = read(&running(&placement("2026-09-01T00:00:00+08:00", 1)), as_of());
    let (scene, period) = (Scene::from(&fleet), Period::parse("2026-10").unwrap());
    let payers = payers(&scene, period);
    let mut papers = Papers::default();
    // The bureau above stands for the county's body below it.
    let invoice = "month,provider,tenant,amount\n2026-10,cec,大理州大数据局,150.29\n";
    assert!(papers.take_invoice("invoice.csv", invoice.as_bytes(), &payers, period).is_empty());
    let deductions =
        "month,provider,system,amount,reason\n2026-10,cec,P-yiban,1.00,故障 3 小时\n2026-10,cec,,1000,多\n";
    assert!(papers.take_deductions("cut.csv", deductions.as_bytes(), &payers, period).is_empty());
    let settled = settled(&scene, &Ask::settlement(period, as_of()), as_of(), &papers).unwrap().unwrap();
    assert_eq!((settled.settlement.total.payable, settled.settlement.total.deduction), (Fen(14_929), Fen(100)));
    assert_eq!(settled.settlement.compared.as_ref().unwrap()[0].difference, Some(Fen(100)));
    let told: Vec<_> = settled.findings.iter().map(|f| (f.reason.code, f.place.as_ref().unwrap().line)).collect();
    assert_eq!(told, [(Code::DeductionExceeds, 3), (Code::InvoiceDiffers, 2)]);
}

#[test]
fn a_scope_narrows_by_body_and_place() {
    let fleet = read(&running(&placement("2026-09-01T00:00:00+08:00", 1)), as_of());
    let period = Period::parse("2026-10").unwrap();
    let with = |scope: jiuzhou_measure::Scope| {
        let ask = Ask { scope, ..Ask::settlement(period, as_of()) };
        settled(&(&fleet).into(), &ask, as_of(), &Papers::default()).unwrap().unwrap().settlement.total.charges
    };
    let names = |name: &str| [name.to_owned()].into();
    assert_eq!(with(jiuzhou_measure::Scope { blocks: names("dali"), ..Default::default() }), 2);
    assert_eq!(with(jiuzhou_measure::Scope { blocks: names("idle"), ..Default::default() }), 0);
    assert_eq!(with(jiuzhou_measure::Scope { sites: names("lhasa"), ..Default::default() }), 0);
    assert_eq!(with(jiuzhou_measure::Scope { regions: names("532900"), ..Default::default() }), 2);
}

#[test]
fn assets_of_the_register_are_charged_by_their_days_and_only_where_they_are_told() {
    let prices = MORE.replace(
        "  items:\n",
        "  items:\n  - {code: DB-01, title: 数据库实例, unit: ItemMonth, prices: [{fromMonth: \"2026-01\", fen: 310000}]}\n",
    );
    let assets = r#"  assets:
  - {name: vm-1, kind: VirtualMachine, cpus: 4, memoryGib: 10, cloud: cec, since: "2026-10-22"}
  - {name: db-1, kind: Database, cpus: 8, cloud: cec, code: DB-01, since: "2026-01-01", until: "2026-10-10"}
  - {name: old, kind: Machine, cpus: 64, cloud: cec, since: "2026-01-01", until: "2026-09-30"}
  - {name: own, kind: Machine, cpus: 64, since: "2026-01-01"}
  - {name: unsaid, kind: VirtualMachine, cpus: 2, cloud: cec}
"#;
    let text = [FLEET, &prices, &system("yiban", &format!("  hosting: {{state: Lifted}}\n{assets}"))].concat();
    let october = settled_of(&text, "2026-10");
    let rows = october.settlement.charges.iter();
    let rows: Vec<_> = rows.map(|one| (one.workload.name.as_str(), one.seconds / 3600, one.amount)).collect();
    // The 22nd to the 31st are 240 h: 4 cpu x 8 fen and 10 GiB x 2.1 fen an hour; ten of 31 days of 3,100 yuan.
    assert_eq!(
        rows,
        [("vm-1", 240, Some(Fen(7680))), ("vm-1", 240, Some(Fen(5040))), ("db-1", 240, Some(Fen(100_000)))]
    );
    assert_eq!(october.settlement.total.payable, Fen(112_720));
    assert_eq!(
        settled_of(&text, "2026-09").settlement.charges.len(),
        2,
        "the database, and the CPUs of the old machine"
    );
}
