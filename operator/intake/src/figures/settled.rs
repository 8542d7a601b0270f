//! A settlement as asked for: its sums, and findings at the lines of the papers and the objects they are about.

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Digest, Finding, Reason, Value};
use jiuzhou_measure::cost::{Compared, Settlement, SettlementInput, settle};
use jiuzhou_measure::{MeasureError, Period, Scope};
use serde_json::json;

use super::ask::Ask;
use super::bodies::Bodies;
use super::settlement::{last_day, price_book, reservations};
use super::{Scene, findings};
use crate::invoices::Papers;

/// A settlement, and what there is to say of its inputs.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The settlement.
    pub settlement: Settlement,
    /// The months it is of and the days and the scope that were asked for.
    pub subject: String,
    /// What is open, cannot be deducted or differs.
    pub findings: Vec<Finding>,
    /// Digest of the prices that hold in the period.
    pub entered: Digest,
}

/// Settles what is asked for against papers; `None` while no month of it has ended.
///
/// # Errors
/// [`MeasureError`] for sums out of range and inputs that contradict themselves.
pub fn settled(scene: &Scene<'_>, ask: &Ask, now: Timestamp, papers: &Papers) -> Result<Option<Settled>, MeasureError> {
    let Some(period) = ask.months(now) else { return Ok(None) };
    // Whom is asked about and whom is charged go by the names of one day.
    let names = Bodies::on(scene.objects, last_day(period));
    let now_called = |bodies: &std::collections::BTreeSet<String>| bodies.iter().map(|name| names.now(name)).collect();
    let scope =
        Scope { blocks: now_called(&ask.scope.blocks), lines: now_called(&ask.scope.lines), ..ask.scope.clone() };
    let book = price_book(scene.objects);
    let entered = entered(&book, period);
    let settlement = settle(&SettlementInput {
        period,
        book,
        reservations: reservations(scene, period, &scope),
        deductions: papers.deductions.clone(),
        invoice: papers.invoice.clone(),
    })?;
    let mut all = findings(scene.objects, &settlement.notes);
    for (line, reason) in &settlement.refused {
        let finding = Finding::new(reason.clone());
        all.push(match papers.deduction_places.get(line) {
            Some(place) => finding.at(place.clone()),
            None => finding,
        });
    }
    all.extend(settlement.compared.iter().flatten().filter_map(|compared| differs(compared, papers)));
    let subject = format!("{period} ({})", ask.subject());
    Ok(Some(Settled { settlement, subject, findings: all, entered }))
}

fn differs(compared: &Compared, papers: &Papers) -> Option<Finding> {
    let Compared { selector, ours, invoiced, difference, line } = compared;
    difference.filter(|difference| difference.0 != 0)?;
    let system = selector.system.as_ref().map(|system| system.name.clone());
    let parts = [Some(selector.month.to_string()), Some(selector.provider.clone()), selector.tenant.clone(), system];
    let object: Vec<String> = parts.into_iter().chain([selector.code.clone()]).flatten().collect();
    let reason = Reason::new(Code::InvoiceDiffers)
        .object(object.join(" "))
        .seen(Value::Fen((*invoiced)?.0))
        .wanted(Value::Fen(ours.payable.0));
    let finding = Finding::new(reason);
    Some(match line.and_then(|line| papers.invoice_places.get(&line)) {
        Some(place) => finding.at(place.clone()),
        None => finding,
    })
}

/// What people entered for a period: its prices.
fn entered(book: &jiuzhou_measure::cost::PriceBook, period: Period) -> Digest {
    let holds = |price: &&jiuzhou_measure::cost::Price| {
        price.from <= period.last() && price.until.is_none_or(|until| period.first() <= until)
    };
    let prices: Vec<_> = book.prices().iter().filter(holds).collect();
    Digest::sha256(json!({ "period": period.to_string(), "prices": prices }).to_string().as_bytes())
}
