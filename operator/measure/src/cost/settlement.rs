//! The settlement (结算单) of a period: what was reserved, at which price, less what is deducted, against the invoice.
//!
//! Every month and provider is a bill of its own, so months and providers add. A reservation whose quantity nobody
//! recorded, and time without a price, stay in the settlement as open charges: they have no amount, stand in no sum, and
//! a difference to an invoice that covers one of them is not known. A deduction is shared by the charges it is for in
//! proportion to what is left of them, to the fen; one that is larger than they are is refused, not cut.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Fen, ObjectRef, Reason, Value};
use serde::Serialize;

use crate::apportion::apportion;
use crate::{LeftOut, MeasureError, Month, Period};

use super::{MicroFen, PriceBook, PriceUnit, Service, Usage, difference, price_month};

const WHAT: &str = "a settlement";
const OUT: MeasureError = MeasureError::OutOfRange(WHAT);

/// What a charge rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// What was reserved by the placement that was committed.
    Reserved,
    /// What was used, by the month's average; it is more than what was reserved, or that is not recorded.
    Used,
    /// Nobody recorded how much it was.
    Unrecorded,
}

/// Something that was reserved or used, constant over its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reservation {
    /// Body it is charged to.
    pub tenant: String,
    /// Information system it is for.
    pub system: ObjectRef,
    /// Provider; empty when it is not known.
    pub provider: String,
    /// What is reserved.
    pub service: Service,
    /// Workload.
    pub workload: ObjectRef,
    /// Cluster; empty when it is not known.
    pub cluster: String,
    /// From this moment.
    pub from: Timestamp,
    /// To this moment, exclusive.
    pub to: Timestamp,
    /// Platforms it may have run on.
    pub platforms: BTreeSet<String>,
    /// What the quantity rests on.
    pub basis: Basis,
    /// Quantity in thousandths of the unit of the service; `None` when it is not known.
    pub quantity_milli: Option<i64>,
    /// It is asked for. What is not has its part of rounding and deductions all the same, so that a body's own settlement
    /// says what the whole one says of it.
    pub asked: bool,
}

/// Which charges a line of an invoice or a deduction is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Month (账期).
    pub month: Month,
    /// Provider.
    pub provider: String,
    /// Body, with everything below it in the tree of localities; every body when absent.
    pub tenant: Option<String>,
    /// Information system; every one when absent.
    pub system: Option<ObjectRef>,
    /// Service catalogue code; every one when absent.
    pub code: Option<String>,
    /// The body and those below it.
    #[serde(skip)]
    pub bodies: BTreeSet<String>,
}

impl Selector {
    fn takes(&self, charge: &Charge) -> bool {
        (self.month, self.provider.as_str()) == (charge.month, charge.provider.as_str())
            && (self.tenant.is_none() || self.bodies.contains(&charge.tenant))
            && self.system.as_ref().is_none_or(|system| *system == charge.system)
            && self.code.as_ref().is_none_or(|code| Some(code) == charge.code.as_ref())
    }

    /// The narrower of two selectors that take a charge has it: a system before a body, a body before those above it.
    fn narrowness(&self) -> (bool, Reverse<usize>, bool) {
        let bodies = if self.tenant.is_some() { self.bodies.len() } else { usize::MAX };
        (self.system.is_some(), Reverse(bodies), self.code.is_some())
    }
}

/// A line of a provider's invoice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Invoiced {
    /// What it is for.
    pub selector: Selector,
    /// Its amount.
    pub amount: Fen,
    /// Line of the file.
    pub line: u32,
}

/// What is deducted from charges, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deduction {
    /// From what.
    pub selector: Selector,
    /// How much.
    pub amount: Fen,
    /// Why.
    pub reason: String,
    /// Line of the file.
    pub line: u32,
}

/// One line of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// Month (账期).
    pub month: Month,
    /// Body.
    pub tenant: String,
    /// Information system.
    pub system: ObjectRef,
    /// Provider; empty when it is not known.
    pub provider: String,
    /// Service catalogue code; `None` when no price holds.
    pub code: Option<String>,
    /// What is charged for.
    pub service: Service,
    /// Workload.
    pub workload: ObjectRef,
    /// Cluster; empty when it is not known.
    pub cluster: String,
    /// What the quantity rests on.
    pub basis: Basis,
    /// Quantity in thousandths.
    pub quantity_milli: Option<i64>,
    /// Seconds within the month.
    pub seconds: i64,
    /// The unit price.
    pub unit_price: Option<(MicroFen, PriceUnit)>,
    /// Amount; `None` while it is open.
    pub amount: Option<Fen>,
    /// What is deducted.
    pub deduction: Fen,
    /// Why, each reason once.
    pub reasons: Vec<String>,
    /// Why it is open.
    pub open: Option<Code>,
    #[serde(skip)]
    asked: bool,
}

impl Charge {
    /// What is to be paid; `None` while it is open.
    #[must_use]
    pub fn payable(&self) -> Option<Fen> {
        self.amount?.checked_sub(self.deduction)
    }
}

/// Charges added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sum {
    /// Amounts.
    pub amount: Fen,
    /// Deductions.
    pub deduction: Fen,
    /// What is to be paid.
    pub payable: Fen,
    /// Charges.
    pub charges: i64,
    /// Of them those without an amount.
    pub open: i64,
}

impl Sum {
    fn add(&mut self, charge: &Charge) -> Result<(), MeasureError> {
        self.charges += 1;
        let (Some(amount), Some(payable)) = (charge.amount, charge.payable()) else {
            self.open += 1;
            return Ok(());
        };
        self.amount = self.amount.checked_add(amount).ok_or(OUT)?;
        self.deduction = self.deduction.checked_add(charge.deduction).ok_or(OUT)?;
        self.payable = self.payable.checked_add(payable).ok_or(OUT)?;
        Ok(())
    }
}

/// What an invoice asks for beside what the settlement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Which charges.
    pub selector: Selector,
    /// What they come to.
    pub ours: Sum,
    /// What is asked for; `None` for charges that no line of the invoice is for.
    pub invoiced: Option<Fen>,
    /// The invoice less ours; `None` while one of the charges is open.
    pub difference: Option<Fen>,
    /// First line of the file that asks for it.
    pub line: Option<u32>,
}

/// The settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// Of which months.
    pub period: Period,
    /// Lines in order of month, body, system, provider, service, workload, cluster and time.
    pub charges: Vec<Charge>,
    /// Everything.
    pub total: Sum,
    /// By body.
    pub by_tenant: BTreeMap<String, Sum>,
    /// By information system.
    pub by_system: BTreeMap<(String, ObjectRef), Sum>,
    /// By provider; the empty name is not known.
    pub by_provider: BTreeMap<String, Sum>,
    /// Against the invoice; `None` without one.
    pub compared: Option<Vec<Compared>>,
    /// Deductions that could not be made: line of the file, and why.
    pub refused: Vec<(u32, Reason)>,
    /// Open time.
    pub notes: Vec<LeftOut>,
}

/// Everything a settlement is made from.
#[derive(Clone, Debug)]
pub struct SettlementInput {
    /// Of which months.
    pub period: Period,
    /// Prices.
    pub book: PriceBook,
    /// What was reserved.
    pub reservations: Vec<Reservation>,
    /// What is deducted.
    pub deductions: Vec<Deduction>,
    /// What providers ask for; `None` without an invoice.
    pub invoice: Option<Vec<Invoiced>>,
}

/// Settles. The order of the lists changes nothing.
///
/// # Errors
/// [`MeasureError`] for negative quantities and prices, the same reservation twice, and sums out of range.
pub fn settle(input: &SettlementInput) -> Result<Settlement, MeasureError> {
    let mut charges = Vec::new();
    for month in input.period.months() {
        charges.extend(charges_of(input, month)?);
    }
    charges.sort_by(|a, b| order(a).cmp(&order(b)));
    let refused = deduct(&mut charges, &input.deductions)?;
    let compared = input.invoice.as_ref().map(|invoice| compare(&charges, invoice)).transpose()?;
    charges.retain(|charge| charge.asked);
    let notes = notes(&charges);
    let mut settlement = Settlement {
        period: input.period,
        total: Sum::default(),
        by_tenant: BTreeMap::new(),
        by_system: BTreeMap::new(),
        by_provider: BTreeMap::new(),
        compared,
        refused,
        notes,
        charges,
    };
    for charge in &settlement.charges {
        settlement.total.add(charge)?;
        settlement.by_tenant.entry(charge.tenant.clone()).or_default().add(charge)?;
        let system = (charge.tenant.clone(), charge.system.clone());
        settlement.by_system.entry(system).or_default().add(charge)?;
        settlement.by_provider.entry(charge.provider.clone()).or_default().add(charge)?;
    }
    Ok(settlement)
}

fn order(charge: &Charge) -> impl Ord {
    let Charge { month, tenant, system, provider, service, workload, cluster, basis, seconds, .. } = charge.clone();
    (month, tenant, system, provider, service, workload, cluster, basis, seconds)
}

/// The name of a reservation on a bill: ties of rounding go by it.
fn name(one: &Reservation) -> String {
    let Reservation { tenant, system, provider, service, workload, cluster, from, .. } = one;
    format!("{tenant} {system} {provider} {service:?} {workload} {cluster} {from}")
}

fn charges_of(input: &SettlementInput, month: Month) -> Result<Vec<Charge>, MeasureError> {
    let within = |one: &&Reservation| one.from < month.end() && one.to > month.start();
    let (mut bills, mut charges) = (BTreeMap::<&str, Vec<Usage>>::new(), Vec::new());
    let mut named = BTreeMap::new();
    for one in input.reservations.iter().filter(within) {
        if named.insert(name(one), one).is_some() {
            return Err(MeasureError::Repeated { what: "reservation", name: name(one) });
        }
        let Some(quantity_milli) = one.quantity_milli else {
            let seconds = one.to.min(month.end()).as_second() - one.from.max(month.start()).as_second();
            charges.push(charge(one, month, seconds, Some(Code::TimeUnrecorded)));
            continue;
        };
        bills.entry(&one.provider).or_default().push(Usage {
            name: name(one),
            subject: one.system.clone(),
            service: one.service.clone(),
            provider: one.provider.clone(),
            platforms: one.platforms.clone(),
            quantity_milli,
            from: one.from,
            to: one.to,
        });
    }
    for usage in bills.values() {
        for line in price_month(&input.book, usage, month)?.lines {
            let Some(one) = named.get(&line.name) else { continue };
            charges.push(Charge {
                code: line.code,
                unit_price: line.unit_price,
                amount: line.amount,
                ..charge(one, month, line.seconds, line.unpriced)
            });
        }
    }
    Ok(charges)
}

fn charge(one: &Reservation, month: Month, seconds: i64, open: Option<Code>) -> Charge {
    Charge {
        month,
        tenant: one.tenant.clone(),
        system: one.system.clone(),
        provider: one.provider.clone(),
        code: None,
        service: one.service.clone(),
        workload: one.workload.clone(),
        cluster: one.cluster.clone(),
        basis: one.basis,
        quantity_milli: one.quantity_milli,
        seconds,
        unit_price: None,
        amount: None,
        deduction: Fen(0),
        reasons: Vec::new(),
        open,
        asked: one.asked,
    }
}

/// What is counted of a service, as price books call it.
fn unit(service: &Service) -> String {
    match service {
        Service::Cpu => "CpuHour".to_owned(),
        Service::Memory => "MemoryGibHour".to_owned(),
        Service::Storage => "StorageGibMonth".to_owned(),
        Service::Accelerator(class) => format!("AcceleratorHour {class}"),
        Service::Item(code) => format!("ItemMonth {code}"),
    }
}

/// Seconds as hours with at most two decimals, cut.
fn hours(seconds: i64) -> String {
    let hundredths = seconds * 100 / 3600;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{} h", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Open time by system, provider, service and reason, each added up.
fn notes(charges: &[Charge]) -> Vec<LeftOut> {
    let mut open: BTreeMap<_, i64> = BTreeMap::new();
    for charge in charges {
        let Some(code) = charge.open else { continue };
        let key = (&charge.system, code, &charge.provider, unit(&charge.service), charge.month);
        let sum = open.entry(key).or_default();
        *sum = sum.saturating_add(charge.seconds);
    }
    let note = |((system, code, provider, unit, month), seconds): ((&ObjectRef, Code, &String, String, Month), i64)| {
        let object = format!("{provider} {unit}").trim_start().to_owned();
        let reason = Reason::new(code).object(object).wanted(month.to_string());
        let reason =
            if code == Code::PriceConflict { reason.seen(month.to_string()) } else { reason.seen(hours(seconds)) };
        LeftOut { subject: system.clone(), reason }
    };
    open.into_iter().map(note).collect()
}

/// Shares deductions out; returns those that cannot be made.
fn deduct(charges: &mut [Charge], deductions: &[Deduction]) -> Result<Vec<(u32, Reason)>, MeasureError> {
    let mut sorted: Vec<&Deduction> = deductions.iter().collect();
    sorted.sort_unstable();
    let mut refused = Vec::new();
    for one in sorted {
        if one.amount.0 < 0 {
            return Err(OUT);
        }
        let taken: Vec<usize> = (0..charges.len())
            .filter(|at| one.selector.takes(&charges[*at]) && charges[*at].amount.is_some())
            .collect();
        let left: Vec<i64> = taken.iter().map(|at| charges[*at].payable().map_or(0, |left| left.0)).collect();
        let all = left.iter().try_fold(0_i64, |sum, left| sum.checked_add(*left)).ok_or(OUT)?;
        if all < one.amount.0 || taken.is_empty() {
            let reason = Reason::new(Code::DeductionExceeds).object(one.reason.as_str());
            refused.push((one.line, reason.seen(Value::Fen(one.amount.0)).wanted(Value::Fen(all))));
            continue;
        }
        let names: Vec<String> = (0..taken.len()).map(|at| format!("{at:09}")).collect();
        let weights: Vec<(&str, i128)> =
            names.iter().zip(&left).map(|(n, left)| (n.as_str(), i128::from(*left))).collect();
        for (at, part) in taken.iter().zip(apportion(one.amount.0, &weights, WHAT)?) {
            let charge = &mut charges[*at];
            charge.deduction = charge.deduction.checked_add(Fen(part)).ok_or(OUT)?;
            if part > 0 && !charge.reasons.contains(&one.reason) {
                charge.reasons.push(one.reason.clone());
            }
        }
    }
    Ok(refused)
}

/// Every charge beside the narrowest lines of the invoice that are for it; together they are all charges, each once. A
/// line that is for more than what is asked for is compared with all it is for; one that is for nothing of it is left out.
fn compare(charges: &[Charge], invoice: &[Invoiced]) -> Result<Vec<Compared>, MeasureError> {
    let mut asked: BTreeMap<&Selector, (Fen, u32)> = BTreeMap::new();
    for one in invoice {
        let (sum, line) = asked.entry(&one.selector).or_insert((Fen(0), one.line));
        *sum = sum.checked_add(one.amount).ok_or(OUT)?;
        *line = one.line.min(*line);
    }
    // An invoice by system has as many lines as there are systems and codes; a charge meets those of its own system.
    let mut near: BTreeMap<(Month, &str, Option<&ObjectRef>), Vec<&Selector>> = BTreeMap::new();
    for selector in asked.keys().copied() {
        let key = (selector.month, selector.provider.as_str(), selector.system.as_ref());
        near.entry(key).or_default().push(selector);
    }
    let mut ours: BTreeMap<Selector, Sum> =
        asked.keys().map(|selector| ((*selector).clone(), Sum::default())).collect();
    let mut others: BTreeSet<&Selector> = BTreeSet::new();
    let mut own: BTreeSet<&Selector> = BTreeSet::new();
    for charge in charges {
        let of = |system| near.get(&(charge.month, charge.provider.as_str(), system)).into_iter().flatten().copied();
        let takes = of(Some(&charge.system)).chain(of(None)).filter(|selector| selector.takes(charge));
        let other = || Selector {
            month: charge.month,
            provider: charge.provider.clone(),
            tenant: None,
            system: None,
            code: None,
            bodies: BTreeSet::new(),
        };
        let selector = match takes.max_by_key(|selector| selector.narrowness()) {
            Some(selector) => {
                let lines = if charge.asked { &mut own } else { &mut others };
                lines.insert(selector);
                selector.clone()
            }
            None if charge.asked => other(),
            None => continue,
        };
        ours.entry(selector).or_default().add(charge)?;
    }
    ours.retain(|selector, _| own.contains(selector) || !others.contains(selector));
    let compared = ours.into_iter().map(|(selector, ours)| {
        let asked = asked.get(&selector);
        let invoiced = asked.map(|(sum, _)| *sum);
        let difference = match invoiced {
            Some(invoiced) if ours.open == 0 => Some(difference(invoiced, ours.payable).ok_or(OUT)?),
            _ => None,
        };
        Ok(Compared { line: asked.map(|(_, line)| *line), selector, ours, invoiced, difference })
    });
    compared.collect()
}
