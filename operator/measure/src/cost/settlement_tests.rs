//! What a settlement promises: sums that add up whatever is grouped, open time that stands in none, deductions to the fen.

use proptest::prelude::*;

use super::settlement::*;
use super::{MicroFen, Price, PriceBook, PriceUnit, Service};
use crate::{Month, Period};
use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Fen, ObjectRef};
use std::collections::BTreeSet;

fn october() -> Month {
    Month::parse("2026-10").unwrap()
}

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_second(october().start().as_second() + hours * 3600).unwrap()
}

fn price(service: Service, code: &str, provider: &str, micro: i64) -> Price {
    Price {
        service,
        code: code.to_owned(),
        provider: Some(provider.to_owned()),
        platform: None,
        unit: PriceUnit::Hour,
        price: MicroFen(micro),
        from: october(),
        until: None,
    }
}

fn reserved(tenant: &str, system: &str, provider: &str, service: Service, milli: Option<i64>) -> Reservation {
    Reservation {
        tenant: tenant.to_owned(),
        system: ObjectRef::new("InformationSystem", tenant, system),
        provider: provider.to_owned(),
        service,
        workload: ObjectRef::new("FleetWorkload", tenant, system),
        cluster: format!("{provider}-1"),
        from: hour(0),
        to: hour(10),
        platforms: BTreeSet::new(),
        basis: if milli.is_some() { Basis::Reserved } else { Basis::Unrecorded },
        quantity_milli: milli,
        asked: true,
    }
}

fn selector(provider: &str) -> Selector {
    let (tenant, system, code) = (None, None, None);
    Selector { month: october(), provider: provider.to_owned(), tenant, system, code, bodies: BTreeSet::new() }
}

fn of(tenant: &str, provider: &str) -> Selector {
    Selector { tenant: Some(tenant.to_owned()), bodies: [tenant.to_owned()].into(), ..selector(provider) }
}

fn input(reservations: Vec<Reservation>) -> SettlementInput {
    let book = PriceBook::new(vec![
        price(Service::Cpu, "CPU-01", "yn", 8_000_000),
        price(Service::Memory, "MEM-01", "yn", 2_100_000),
        price(Service::Cpu, "CPU-01", "dl", 7_000_000),
    ]);
    SettlementInput { period: Period::month(october()), book, reservations, deductions: Vec::new(), invoice: None }
}

/// 4 cpu for 10 h at 8 fen, 8 GiB at 2.1 fen, and 1 cpu at 7 fen.
fn three() -> Vec<Reservation> {
    vec![
        reserved("a", "portal", "yn", Service::Cpu, Some(4000)),
        reserved("a", "portal", "yn", Service::Memory, Some(8000)),
        reserved("b", "archive", "dl", Service::Cpu, Some(1000)),
    ]
}

#[test]
fn quantity_times_hours_times_price() {
    let settled = settle(&input(three())).unwrap();
    let amounts: Vec<_> = settled.charges.iter().map(|one| (one.code.as_deref(), one.amount)).collect();
    assert_eq!(
        amounts,
        [(Some("CPU-01"), Some(Fen(320))), (Some("MEM-01"), Some(Fen(168))), (Some("CPU-01"), Some(Fen(70)))]
    );
    assert_eq!((settled.by_tenant["a"].payable, settled.total.payable), (Fen(488), Fen(558)));
    assert!(settled.notes.is_empty() && settled.compared.is_none());
}

#[test]
fn what_is_not_recorded_or_not_priced_is_open_and_in_no_sum() {
    let mut all = three();
    all.push(reserved("b", "archive", "dl", Service::Memory, Some(1000)));
    all.push(reserved("b", "old", "", Service::Cpu, None));
    let settled = settle(&input(all)).unwrap();
    assert_eq!((settled.total.payable, settled.total.charges, settled.total.open), (Fen(558), 5, 2));
    let open: Vec<_> = settled.charges.iter().filter_map(|one| one.open).collect();
    assert_eq!(open, [Code::TimeUnpriced, Code::TimeUnrecorded]);
    assert_eq!(settled.notes.len(), 2);
    assert_eq!(settled.notes[0].reason.seen, "10 h".into());
}

#[test]
fn an_invoice_is_compared_line_by_line_and_what_it_leaves_out_is_told() {
    let invoiced = |selector, fen, line| Invoiced { selector, amount: Fen(fen), line };
    let mut input = input(three());
    input.invoice = Some(vec![invoiced(of("a", "yn"), 400, 2), invoiced(of("a", "yn"), 100, 3)]);
    let compared = settle(&input).unwrap().compared.unwrap();
    let told: Vec<_> = compared
        .iter()
        .map(|one| (one.selector.provider.as_str(), one.invoiced, one.ours.payable, one.difference))
        .collect();
    assert_eq!(told, [("dl", None, Fen(70), None), ("yn", Some(Fen(500)), Fen(488), Some(Fen(12)))]);
    // The narrower line has the charge; both lines of one thing are one.
    let system = ObjectRef::new("InformationSystem", "a", "portal");
    let memory = Selector { system: Some(system), code: Some("MEM-01".to_owned()), ..selector("yn") };
    input.invoice = Some(vec![invoiced(selector("yn"), 320, 2), invoiced(memory, 168, 3)]);
    let compared = settle(&input).unwrap().compared.unwrap();
    let differences: Vec<_> = compared.iter().map(|one| one.difference).collect();
    assert_eq!(differences, [None, Some(Fen(0)), Some(Fen(0))]);
}

#[test]
fn a_difference_to_open_charges_is_not_known() {
    let mut all = three();
    all.push(reserved("b", "archive", "dl", Service::Memory, Some(1000)));
    let mut input = input(all);
    input.invoice = Some(vec![Invoiced { selector: selector("dl"), amount: Fen(70), line: 2 }]);
    let compared = settle(&input).unwrap().compared.unwrap();
    assert_eq!((compared[0].ours.payable, compared[0].ours.open, compared[0].difference), (Fen(70), 1, None));
}

#[test]
fn a_deduction_is_shared_to_the_fen_and_one_that_is_too_large_is_refused() {
    let deduction = |selector, fen, line| Deduction { selector, amount: Fen(fen), reason: "SLA".to_owned(), line };
    let mut input = input(three());
    input.deductions =
        vec![deduction(of("a", "yn"), 101, 2), deduction(of("b", "dl"), 71, 3), deduction(of("c", "yn"), 1, 4)];
    let settled = settle(&input).unwrap();
    // 101 fen by 320 to 168: 66.2 and 34.8.
    let parts: Vec<_> = settled.charges.iter().map(|one| (one.deduction, one.reasons.len())).collect();
    assert_eq!(parts, [(Fen(66), 1), (Fen(35), 1), (Fen(0), 0)]);
    assert_eq!((settled.total.deduction, settled.total.payable), (Fen(101), Fen(457)));
    let refused: Vec<_> = settled.refused.iter().map(|(line, reason)| (*line, reason.code)).collect();
    assert_eq!(refused, [(3, Code::DeductionExceeds), (4, Code::DeductionExceeds)]);
}

#[test]
fn months_are_bills_of_their_own_at_their_own_prices() {
    let mut input = input(three());
    input.period = Period::new(october(), october().next()).unwrap();
    let mut dearer = price(Service::Cpu, "CPU-01", "dl", 9_000_000);
    dearer.from = october().next();
    let mut until = price(Service::Cpu, "CPU-01", "dl", 7_000_000);
    until.until = Some(october());
    input.book = PriceBook::new(vec![until, dearer]);
    input.reservations = vec![Reservation { to: october().next().end(), ..three().remove(2) }];
    let settled = settle(&input).unwrap();
    let amounts: Vec<_> = settled.charges.iter().map(|one| one.amount).collect();
    // 744 h at 7 fen, 720 h at 9.
    assert_eq!(amounts, [Some(Fen(5208)), Some(Fen(6480))]);
    let twice = vec![three().remove(0), three().remove(0)];
    assert!(settle(&SettlementInput { reservations: twice, ..input }).is_err());
}

#[test]
fn what_is_not_asked_for_changes_no_fen_of_what_is() {
    // Three thirds of a fen: the one fen is the first one's, alone or together.
    let third = |tenant: &str| Reservation { to: hour(1), ..reserved(tenant, "s", "yn", Service::Cpu, Some(42)) };
    let all: Vec<Reservation> = ["a", "b", "c"].map(third).to_vec();
    let amounts = |all: Vec<Reservation>| -> Vec<_> {
        settle(&input(all)).unwrap().charges.iter().map(|one| (one.tenant.clone(), one.amount)).collect()
    };
    let whole = amounts(all.clone());
    for name in ["a", "b", "c"] {
        let narrowed = all.iter().cloned().map(|one| Reservation { asked: one.tenant == name, ..one }).collect();
        let wanted: Vec<_> = whole.iter().filter(|(tenant, _)| tenant == name).cloned().collect();
        assert_eq!(amounts(narrowed), wanted);
    }
}

#[test]
fn a_narrowed_settlement_leaves_out_lines_that_are_for_others() {
    let invoiced = |selector, fen, line| Invoiced { selector, amount: Fen(fen), line };
    let narrowed = three().into_iter().map(|one| Reservation { asked: one.tenant == "a", ..one }).collect();
    let mut input = input(narrowed);
    input.invoice =
        Some(vec![invoiced(selector("yn"), 488, 2), invoiced(of("b", "dl"), 70, 3), invoiced(of("c", "dl"), 9, 4)]);
    let settled = settle(&input).unwrap();
    let told: Vec<_> = settled.compared.unwrap().iter().map(|one| (one.line, one.difference)).collect();
    // What is for nobody is told: somebody is asked to pay for nothing.
    assert_eq!(told, [(Some(4), Some(Fen(9))), (Some(2), Some(Fen(0)))]);
    assert_eq!(settled.total.charges, 2);
}

proptest! {
    #[test]
    fn every_grouping_adds_up_to_the_same_total_in_any_order(
        items in prop::collection::vec((0usize..3, 0usize..4, 0usize..3, 0i64..90_000, any::<bool>(), 0i64..300), 1..24),
        deductions in prop::collection::vec((0usize..3, 0usize..3, 0i64..400), 0..6),
        asked in prop::collection::vec((0usize..3, 0usize..4, 0i64..9_000), 0..6),
        turn in 0usize..24,
    ) {
        let (tenants, providers) = (["a", "b", "c"], ["yn", "dl", "none"]);
        let mut all: Vec<Reservation> = items.iter().enumerate().map(|(at, (t, s, p, milli, known, start))| {
            let service = if at % 3 == 0 { Service::Memory } else { Service::Cpu };
            let one = reserved(tenants[*t], &format!("s{s}"), providers[*p], service, known.then_some(*milli));
            Reservation { workload: ObjectRef::new("FleetWorkload", "x", &format!("w{at}")), from: hour(*start), to: hour(start + 7), ..one }
        }).collect();
        let mut input = input(Vec::new());
        input.deductions = deductions.iter().enumerate().map(|(at, (t, p, fen))| Deduction {
            selector: of(tenants[*t], providers[*p]), amount: Fen(*fen), reason: format!("r{at}"), line: 2,
        }).collect();
        input.invoice = Some(asked.iter().map(|(p, t, fen)| Invoiced {
            selector: tenants.get(*t).map_or_else(|| selector(providers[*p]), |tenant| of(tenant, providers[*p])),
            amount: Fen(*fen), line: 2,
        }).collect());
        input.reservations = all.clone();
        let settled = settle(&input).unwrap();
        let sum = |fen: &mut dyn Iterator<Item = Fen>| fen.map(|fen| fen.0).sum::<i64>();
        let total = settled.total;
        prop_assert_eq!(total.amount.0 - total.deduction.0, total.payable.0);
        prop_assert_eq!(sum(&mut settled.charges.iter().filter_map(Charge::payable)), total.payable.0);
        prop_assert_eq!(sum(&mut settled.by_tenant.values().map(|one| one.payable)), total.payable.0);
        prop_assert_eq!(sum(&mut settled.by_system.values().map(|one| one.payable)), total.payable.0);
        prop_assert_eq!(sum(&mut settled.by_provider.values().map(|one| one.amount)), total.amount.0);
        let compared = settled.compared.as_ref().unwrap();
        prop_assert_eq!(sum(&mut compared.iter().map(|one| one.ours.payable)), total.payable.0);
        prop_assert_eq!(compared.iter().map(|one| one.ours.charges).sum::<i64>(), total.charges);
        prop_assert_eq!(sum(&mut compared.iter().filter_map(|one| one.invoiced)), asked.iter().map(|one| one.2).sum::<i64>());
        prop_assert!(settled.charges.iter().all(|one| one.payable().is_none_or(|fen| fen.0 >= 0)));
        prop_assert!(settled.charges.iter().all(|one| one.amount.is_some() == one.open.is_none()));
        let turn = turn % all.len();
        all.rotate_left(turn);
        input.reservations = all;
        input.deductions.reverse();
        prop_assert_eq!(settle(&input).unwrap(), settled);
    }
}
