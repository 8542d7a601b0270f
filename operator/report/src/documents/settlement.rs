//! `jiuzhou report settlement` 结算单: what each body owes which provider for what, and what the provider asks for.
//!
//! An open charge keeps its time and says why it has no amount; the sums beside it say how many such charges they leave
//! out. What is compared with the invoice is all there is, each charge once.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Fen, Finding, ObjectRef};
use jiuzhou_measure::cost::{Basis, Charge, Compared, PriceUnit, Service, Settlement, Sum};

use super::adoption::{Lookup, list};
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// The document.
#[must_use]
pub fn settlement(meta: Meta, settled: &Settlement, lookup: &dyn Lookup, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Settlement, meta);
    document.subject = settled.period.to_string();
    let Sum { amount, deduction, payable, charges, open } = settled.total;
    for (word, fen) in [(Word::Payable, payable), (Word::Amount, amount), (Word::Deduction, deduction)] {
        document.figure(word, known(fen, &settled.total));
    }
    document.figure(Word::ChargesPriced, Cell::Ratio(charges - open, charges));
    if let Some(compared) = &settled.compared {
        let invoiced = compared.iter().filter_map(|one| one.invoiced);
        document.figure(Word::Invoiced, Cell::known(Fen::sum(invoiced).ok()));
        document.figure(Word::InvoiceDifference, Cell::known(difference(compared)));
    }

    let tenants = settled.by_tenant.iter().map(|(name, sum)| (vec![body(lookup, name)], *sum));
    document.sections.push(sums(Word::SectionSumsByTenant, vec![Column::text("tenant", Word::Tenant)], tenants));
    let columns = vec![Column::text("tenant", Word::Tenant), Column::text("system", Word::System)];
    let systems = settled.by_system.iter();
    let systems = systems.map(|((tenant, system), sum)| (vec![body(lookup, tenant), titled(lookup, system)], *sum));
    document.sections.push(sums(Word::SectionSumsBySystem, columns, systems));
    let providers = settled.by_provider.iter().map(|(name, sum)| (vec![name_or_unknown(name)], *sum));
    document.sections.push(sums(
        Word::SectionSumsByProvider,
        vec![Column::text("provider", Word::Provider)],
        providers,
    ));
    if let Some(compared) = &settled.compared {
        document.sections.push(against(compared, lookup));
    }
    document.sections.push(lines(&settled.charges, lookup));
    document.sections.push(list(Word::SectionOpenTime, &settled.notes, lookup));
    document.take_findings(findings);
    document.notes.extend([Word::NoteSettlement, Word::NoteMoney]);
    if settled.compared.is_some() {
        document.notes.push(Word::NoteInvoice);
    }
    document.notes.push(Word::NoteUnknown);
    document
}

/// The invoice less all that is to be paid; not known while a charge is open. What the invoice leaves out counts.
fn difference(compared: &[Compared]) -> Option<Fen> {
    if compared.iter().any(|one| one.ours.open > 0) {
        return None;
    }
    let invoiced = Fen::sum(compared.iter().filter_map(|one| one.invoiced)).ok()?;
    invoiced.checked_sub(Fen::sum(compared.iter().map(|one| one.ours.payable)).ok()?)
}

/// A sum of charges. Where none has an amount it is not known, which is not the same as zero.
fn known(fen: Fen, sum: &Sum) -> Cell {
    match sum.charges {
        0 => Cell::NotApplicable,
        charges if charges == sum.open => Cell::Unknown,
        _ => fen.into(),
    }
}

fn titled(lookup: &dyn Lookup, object: &ObjectRef) -> Cell {
    lookup.title(object).map_or_else(|| object.name.as_str().into(), Cell::Text)
}

fn body(lookup: &dyn Lookup, name: &str) -> Cell {
    if name.is_empty() { Cell::Unknown } else { titled(lookup, &ObjectRef::new("Tenant", "", name)) }
}

fn name_or_unknown(name: &str) -> Cell {
    Cell::known((!name.is_empty()).then_some(name))
}

fn sums(title: Word, mut columns: Vec<Column>, rows: impl Iterator<Item = (Vec<Cell>, Sum)>) -> Section {
    let chart = Chart { form: ChartForm::Bars, label: columns.len() - 1, part: None, value: columns.len() + 2 };
    columns.extend([
        Column::figure("amount", Word::Amount),
        Column::figure("deduction", Word::Deduction),
        Column::figure("payable", Word::Payable),
        Column::figure("open", Word::ChargesOpen),
    ]);
    let mut section = Section::new(title, columns).drawn(chart);
    for (mut cells, sum) in rows {
        cells.extend([sum.amount, sum.deduction, sum.payable].map(|fen| known(fen, &sum)));
        cells.push(Cell::Ratio(sum.open, sum.charges));
        section.row(cells);
    }
    section
}

fn against(compared: &[Compared], lookup: &dyn Lookup) -> Section {
    let columns = vec![
        Column::text("month", Word::BillingMonth),
        Column::text("provider", Word::Provider),
        Column::text("for", Word::InvoiceFor),
        Column::figure("invoiced", Word::Invoiced),
        Column::figure("payable", Word::Payable),
        Column::figure("difference", Word::InvoiceDifference),
        Column::text("status", Word::Status),
        Column::figure("open", Word::ChargesOpen),
    ];
    let mut section = Section::new(Word::SectionInvoice, columns);
    for one in compared {
        let selector = &one.selector;
        let tenant = selector.tenant.as_ref().map(|name| body(lookup, name));
        let system = selector.system.as_ref().map(|system| titled(lookup, system));
        let parts = [tenant, system, selector.code.clone().map(Cell::Text)];
        let parts: Vec<String> = parts
            .into_iter()
            .flatten()
            .filter_map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None })
            .collect();
        let status = match (one.invoiced, one.difference) {
            (None, _) => Status::Warn,
            (_, None) => Status::Unknown,
            (_, Some(Fen(0))) => Status::Ok,
            (_, Some(_)) => Status::Warn,
        };
        section.row(vec![
            one.selector.month.to_string().into(),
            name_or_unknown(&selector.provider),
            match (one.invoiced, parts.is_empty()) {
                (None, _) => Word::NotInvoiced.into(),
                (Some(_), true) => Word::Total.into(),
                (Some(_), false) => Cell::List(parts),
            },
            one.invoiced.map_or(Cell::NotApplicable, Into::into),
            if one.ours.charges == 0 { Fen(0).into() } else { known(one.ours.payable, &one.ours) },
            if one.invoiced.is_none() { Cell::NotApplicable } else { Cell::known(one.difference) },
            status.into(),
            Cell::Ratio(one.ours.open, one.ours.charges),
        ]);
    }
    section
}

fn service(service: &Service) -> Word {
    match service {
        Service::Cpu => Word::ServiceCpu,
        Service::Memory => Word::ServiceMemory,
        Service::Storage => Word::ServiceStorage,
        Service::Accelerator(_) => Word::ServiceAccelerator,
        Service::Item(_) => Word::ServiceItem,
    }
}

/// Quantity times time in thousandths of what a price is for; hours where there is none.
fn used(charge: &Charge) -> Option<i64> {
    let per = match charge.unit_price {
        Some((_, PriceUnit::Month)) => charge.month.seconds(),
        Some((_, PriceUnit::Hour)) | None => 3600,
    };
    let product = i128::from(charge.quantity_milli?) * i128::from(charge.seconds);
    i64::try_from(product / i128::from(per)).ok()
}

fn lines(charges: &[Charge], lookup: &dyn Lookup) -> Section {
    let columns = vec![
        Column::text("month", Word::BillingMonth),
        Column::text("tenant", Word::Tenant),
        Column::text("system", Word::System),
        Column::text("workload", Word::Workload),
        Column::text("cluster", Word::Cluster).wide(),
        Column::text("provider", Word::Provider),
        Column::text("code", Word::CatalogueCode),
        Column::text("service", Word::Service),
        Column::text("basis", Word::Basis).wide(),
        Column::figure("quantity", Word::Quantity),
        Column::figure("time", Word::ChargedTime),
        Column::figure("unitPrice", Word::UnitPrice),
        Column::text("per", Word::PriceTime).wide(),
        Column::figure("usage", Word::ChargedUsage).wide(),
        Column::figure("amount", Word::Amount),
        Column::figure("deduction", Word::Deduction),
        Column::text("reason", Word::DeductionReason).wide(),
        Column::figure("payable", Word::Payable),
        Column::text("open", Word::Reason).wide(),
    ];
    let mut section = Section::new(Word::SectionCharges, columns).grouped_by(1);
    let mut titles: BTreeMap<&ObjectRef, Cell> = BTreeMap::new();
    for charge in charges {
        let system = titles.entry(&charge.system).or_insert_with(|| titled(lookup, &charge.system)).clone();
        let milli = |milli: i64| Cell::Quantity(milli, Unit::Thousandths);
        let basis = match charge.basis {
            Basis::Reserved => Word::BasisReserved,
            Basis::Used => Word::BasisUsed,
            Basis::Unrecorded => Word::BasisUnrecorded,
        };
        let cells = vec![
            charge.month.to_string().into(),
            body(lookup, &charge.tenant),
            system,
            format!("{}/{}", charge.workload.namespace, charge.workload.name).into(),
            name_or_unknown(&charge.cluster),
            name_or_unknown(&charge.provider),
            Cell::known(charge.code.as_deref()),
            service(&charge.service).into(),
            basis.into(),
            Cell::known(charge.quantity_milli.map(milli)),
            Cell::Quantity(charge.seconds, Unit::Seconds),
            Cell::known(charge.unit_price.map(|(price, _)| Cell::Quantity(price.0, Unit::MicroFen))),
            Cell::known(charge.unit_price.map(|(_, unit)| match unit {
                PriceUnit::Hour => Word::PerHour,
                PriceUnit::Month => Word::PerMonth,
            })),
            Cell::known(used(charge).map(milli)),
            Cell::known(charge.amount),
            charge.amount.map_or(Cell::Unknown, |_| charge.deduction.into()),
            Cell::List(charge.reasons.clone()),
            Cell::known(charge.payable()),
            charge.open.map_or(Cell::NotApplicable, Cell::Code),
        ];
        // An asset stands in its system.
        section.row_at(cells, lookup.place(&charge.workload).or_else(|| lookup.place(&charge.system)));
    }
    section
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiuzhou_engine::terms::{Place, Reason};
    use jiuzhou_measure::cost::{Invoiced, MicroFen, Price, PriceBook, Reservation, Selector, SettlementInput, settle};
    use jiuzhou_measure::{Month, Period};

    use super::*;
    use crate::render::{Format, Options, render_text};
    use crate::words::Lang;

    struct Names;

    impl Lookup for Names {
        fn title(&self, object: &ObjectRef) -> Option<String> {
            (object.kind == "Tenant").then(|| "徐州市".to_owned())
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

    fn settled() -> Settlement {
        let month = Month::parse("2026-10").expect("a month");
        let one = |service: Service, quantity_milli: Option<i64>| Reservation {
            tenant: "xuzhou".to_owned(),
            system: ObjectRef::new("InformationSystem", "xz", "portal"),
            provider: "cec".to_owned(),
            service,
            workload: ObjectRef::new("FleetWorkload", "xz", "web"),
            cluster: "c1".to_owned(),
            from: month.start(),
            to: month.end(),
            platforms: BTreeSet::new(),
            basis: Basis::Reserved,
            quantity_milli,
            asked: true,
        };
        let price = Price {
            service: Service::Cpu,
            code: "CPU-01".to_owned(),
            provider: None,
            platform: None,
            unit: PriceUnit::Hour,
            price: MicroFen(8_500_000),
            from: month,
            until: None,
        };
        let selector = Selector {
            month,
            provider: "cec".to_owned(),
            tenant: None,
            system: None,
            code: Some("CPU-01".to_owned()),
            bodies: BTreeSet::new(),
        };
        let input = SettlementInput {
            period: Period::month(month),
            book: PriceBook::new(vec![price]),
            reservations: vec![
                one(Service::Cpu, Some(1500)),
                one(Service::Memory, Some(2000)),
                one(Service::Storage, None),
            ],
            deductions: Vec::new(),
            invoice: Some(vec![Invoiced { selector, amount: Fen(10_000), line: 2 }]),
        };
        settle(&input).expect("sums in range")
    }

    #[test]
    fn open_charges_are_unknown_and_beside_the_sums() {
        let document = settlement(Meta::default(), &settled(), &Names, Vec::new());
        // 1.5 cpu x 744 h x 8.5 fen.
        assert_eq!(document.headline[0].value, Cell::from(Fen(9486)));
        assert_eq!(document.headline[3].value, Cell::Ratio(1, 3));
        assert_eq!(document.headline.last().expect("a figure").value, Cell::Unknown);
        let told =
            render_text(&document, Format::Wide, &Options { lang: Lang::Zh, ..Options::default() }).expect("text");
        for part in ["94.86 元", "0.085 元", "744 小时", "账单未列", "5.14 元", "徐州市", "未知"] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
    }
}
