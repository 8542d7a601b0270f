//! One month's bill: quantity times time times price, exact until the very end.
//!
//! Every line is an exact fraction of a fen over one common denominator; the total is rounded half up and the lines
//! share it by largest remainder, ties by name, so a bill adds up to the fen whatever its lines are. Months add because
//! each month is a bill of its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Fen, ObjectRef, Reason, Value};
use serde::Serialize;

use crate::{LeftOut, MeasureError, Month};

use super::{Match, MicroFen, PriceBook, PriceUnit, Service};

/// Usage of one service by one subject, constant over its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage {
    /// Unique within a bill; ties of rounding go by it.
    pub name: String,
    /// Whom it is charged to.
    pub subject: ObjectRef,
    /// What is used.
    pub service: Service,
    /// Provider.
    pub provider: String,
    /// CPU platforms it may have run on; none when it does not matter.
    pub platforms: BTreeSet<String>,
    /// Quantity in thousandths of the catalogue's unit.
    pub quantity_milli: i64,
    /// From this moment.
    pub from: Timestamp,
    /// To this moment, exclusive.
    pub to: Timestamp,
}

/// A line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BillLine {
    /// Name of the usage.
    pub name: String,
    /// Whom it is charged to.
    pub subject: ObjectRef,
    /// What is used.
    pub service: Service,
    /// Service catalogue code; `None` when no price holds.
    pub code: Option<String>,
    /// Why no price holds.
    pub unpriced: Option<Code>,
    /// Quantity in thousandths.
    pub quantity_milli: i64,
    /// Seconds within the month.
    pub seconds: i64,
    /// The unit price; `None` when no price holds.
    pub unit_price: Option<(MicroFen, PriceUnit)>,
    /// The amount; `None` when no price holds: unpriced is not free.
    pub amount: Option<Fen>,
}

/// The bill of one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// The month (账期).
    pub month: Month,
    /// Lines by name.
    pub lines: Vec<BillLine>,
    /// Sum of the priced lines.
    pub total: Fen,
    /// Seconds without a price, times lines.
    pub unpriced_seconds: i64,
    /// Unpriced time and conflicts of prices.
    pub notes: Vec<LeftOut>,
}

const WHAT: &str = "a bill";
const OUT: MeasureError = MeasureError::OutOfRange(WHAT);

/// Prices the part of each usage that falls into a month; usage outside it makes no line.
///
/// # Errors
/// [`MeasureError`] for a negative quantity or price, two usages of one name, or products out of range.
pub fn price_month(book: &PriceBook, usage: &[Usage], month: Month) -> Result<Bill, MeasureError> {
    let mut bill = Bill { month, lines: Vec::new(), total: Fen(0), unpriced_seconds: 0, notes: Vec::new() };
    let mut sorted: Vec<_> = usage.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(MeasureError::Repeated { what: "usage", name: twice[0].name.clone() });
    }
    // Exact amounts in units of 1 / (1,000,000 x 1,000 x seconds of the month) fen.
    let denominator = i128::from(month.seconds()) * 1_000_000_000;
    let mut exact = Vec::new();
    for usage in sorted {
        let from = usage.from.max(month.start()).as_second();
        let seconds = usage.to.min(month.end()).as_second() - from;
        if seconds <= 0 {
            continue;
        }
        if usage.quantity_milli < 0 {
            return Err(OUT);
        }
        let found = match book.find_on(&usage.service, &usage.provider, &usage.platforms, month) {
            Match::One(price) => Ok(price),
            Match::None => Err(Code::TimeUnpriced),
            Match::Conflict => Err(Code::PriceConflict),
            Match::Unclear => Err(Code::PriceUnclear),
        };
        if let Err(code) = found {
            bill.note(usage, code, seconds)?;
        }
        let unit_price = found.ok().map(|price| (price.price, price.unit));
        let amount = unit_price.map(|(price, unit)| exact_amount(usage.quantity_milli, price, unit, seconds, month));
        exact.push(amount.transpose()?);
        bill.lines.push(BillLine {
            name: usage.name.clone(),
            subject: usage.subject.clone(),
            service: usage.service.clone(),
            code: found.ok().map(|price| price.code.clone()),
            unpriced: found.err(),
            quantity_milli: usage.quantity_milli,
            seconds,
            unit_price,
            amount: None,
        });
    }
    bill.round(&exact, denominator)?;
    bill.notes.sort_unstable();
    Ok(bill)
}

fn exact_amount(
    quantity_milli: i64,
    price: MicroFen,
    unit: PriceUnit,
    seconds: i64,
    month: Month,
) -> Result<i128, MeasureError> {
    if price.0 < 0 {
        return Err(OUT);
    }
    // A month has whole hours, so an hourly price scales exactly to the month.
    let hours = match unit {
        PriceUnit::Hour => month.seconds() / 3600,
        PriceUnit::Month => 1,
    };
    let part = i128::from(quantity_milli) * i128::from(price.0);
    part.checked_mul(i128::from(seconds)).and_then(|part| part.checked_mul(i128::from(hours))).ok_or(OUT)
}

impl Bill {
    fn note(&mut self, usage: &Usage, code: Code, seconds: i64) -> Result<(), MeasureError> {
        self.unpriced_seconds = self.unpriced_seconds.checked_add(seconds).ok_or(OUT)?;
        let month = self.month.to_string();
        let reason = match code {
            Code::PriceConflict => Reason::new(code).seen(month),
            code => Reason::new(code).seen(Value::Text(format!("{seconds} s"))).wanted(month),
        };
        self.notes.push(LeftOut { subject: usage.subject.clone(), reason: reason.object(usage.name.as_str()) });
        Ok(())
    }

    /// Rounds the total half up and gives the lines their floors and then the largest remainders.
    fn round(&mut self, exact: &[Option<i128>], denominator: i128) -> Result<(), MeasureError> {
        let whole = exact.iter().flatten().try_fold(0_i128, |sum, part| sum.checked_add(*part)).ok_or(OUT)?;
        let total = i64::try_from(whole.checked_add(denominator / 2).ok_or(OUT)? / denominator).map_err(|_| OUT)?;
        let mut rest = total;
        let mut fractions = Vec::new();
        for (index, (line, part)) in self.lines.iter_mut().zip(exact).enumerate() {
            let Some(part) = part else { continue };
            let floor = i64::try_from(part / denominator).map_err(|_| OUT)?;
            line.amount = Some(Fen(floor));
            rest -= floor;
            fractions.push((part % denominator, index));
        }
        // Lines are in order of name, so a stable sort leaves ties by name.
        fractions.sort_by_key(|fraction| std::cmp::Reverse(fraction.0));
        for (_, index) in fractions {
            if rest == 0 {
                break;
            }
            if let Some(amount) = &mut self.lines[index].amount {
                amount.0 += 1;
                rest -= 1;
            }
        }
        self.total = Fen(total);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cost::{Price, charged};

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn price(code: &str, unit: PriceUnit, micro_fen: i64, from: &str, until: Option<&str>) -> Price {
        Price {
            service: Service::Item(code.into()),
            code: code.into(),
            provider: None,
            platform: None,
            unit,
            price: MicroFen(micro_fen),
            from: month(from),
            until: until.map(month),
        }
    }

    fn usage(name: &str, code: &str, quantity_milli: i64, from: Timestamp, to: Timestamp) -> Usage {
        Usage {
            name: name.into(),
            subject: ObjectRef::new("InformationSystem", "mzj", "一网通办"),
            service: Service::Item(code.into()),
            provider: "天翼".into(),
            platforms: BTreeSet::new(),
            quantity_milli,
            from,
            to,
        }
    }

    /// OpenCost's default on-premises prices (0.031611 and 0.004237 dollars per vCPU and GiB hour, here in fen), max of
    /// request and use: 2 vCPU requested and 1 used, 4 GiB requested and 6 used, over 100 hours.
    #[test]
    fn the_default_prices_of_opencost() {
        let book = PriceBook::new(vec![
            price("cpu", PriceUnit::Hour, 3_161_100, "2025-01", None),
            price("ram", PriceUnit::Hour, 423_700, "2025-01", None),
        ]);
        let from = month("2025-06").start();
        let to = Timestamp::from_second(from.as_second() + 360_000).unwrap();
        let lines =
            [usage("cpu", "cpu", charged(2000, 1000), from, to), usage("ram", "ram", charged(4000, 6000), from, to)];
        let bill = price_month(&book, &lines, month("2025-06")).unwrap();
        // 632.22 and 254.22 fen: 886.44 in all, the larger fraction of two equal ones goes by name.
        let amounts: Vec<_> = bill.lines.iter().map(|l| l.amount).collect();
        assert_eq!((amounts, bill.total), (vec![Some(Fen(632)), Some(Fen(254))], Fen(886)));
    }

    #[test]
    fn a_change_of_price_falls_on_a_beijing_month() {
        let book = PriceBook::new(vec![
            price("vm", PriceUnit::Month, 10_000_000_000, "2025-05", Some("2025-05")),
            price("vm", PriceUnit::Month, 20_000_000_000, "2025-06", None),
        ]);
        let lines = [usage("vm", "vm", 1000, month("2025-05").start(), month("2025-06").end())];
        assert_eq!(price_month(&book, &lines, month("2025-05")).unwrap().total, Fen(10_000));
        assert_eq!(price_month(&book, &lines, month("2025-06")).unwrap().total, Fen(20_000));
        assert!(price_month(&book, &lines, month("2025-07")).unwrap().lines.is_empty());
    }

    #[test]
    fn unpriced_time_is_shown_and_not_free() {
        let book = PriceBook::new(vec![price("vm", PriceUnit::Month, 1_000_000, "2025-06", None)]);
        let lines = [usage("vm", "vm", 1000, month("2025-05").start(), month("2025-06").end())];
        let bill = price_month(&book, &lines, month("2025-05")).unwrap();
        assert_eq!((bill.lines[0].amount, bill.total), (None, Fen(0)));
        assert_eq!(bill.unpriced_seconds, month("2025-05").seconds());
        assert_eq!(bill.notes[0].reason.code, Code::TimeUnpriced);
        let twice = [lines[0].clone(), lines[0].clone()];
        assert!(price_month(&book, &twice, month("2025-05")).is_err());
    }

    #[test]
    fn three_thirds_of_a_fen_are_one_fen_on_the_first_line() {
        let book = PriceBook::new(vec![price("x", PriceUnit::Month, 1_000_000, "2025-06", None)]);
        let start = month("2025-06").start();
        let third = Timestamp::from_second(start.as_second() + 10 * 86_400).unwrap();
        let lines: Vec<_> = ["c", "a", "b"].iter().map(|name| usage(name, "x", 1000, start, third)).collect();
        let bill = price_month(&book, &lines, month("2025-06")).unwrap();
        let amounts: Vec<_> = bill.lines.iter().map(|l| (l.name.as_str(), l.amount)).collect();
        assert_eq!(amounts, [("a", Some(Fen(1))), ("b", Some(Fen(0))), ("c", Some(Fen(0)))]);
    }

    proptest! {
        #[test]
        fn a_bill_adds_up_in_any_order(
            items in prop::collection::vec((0i64..100_000, 0i64..2_592_000, 0i64..2_592_000), 0..12),
            micro_fen in 0i64..1_000_000_000,
            turn in 0usize..12,
        ) {
            let book = PriceBook::new(vec![price("x", PriceUnit::Hour, micro_fen, "2025-06", None)]);
            let start = month("2025-06").start().as_second();
            let at = |s: i64| Timestamp::from_second(start + s).unwrap();
            let mut lines: Vec<_> = items.iter().enumerate()
                .map(|(i, (q, a, b))| usage(&format!("u{i}"), "x", *q, at(*a.min(b)), at(*a.max(b)))).collect();
            let bill = price_month(&book, &lines, month("2025-06")).unwrap();
            let sum: i64 = bill.lines.iter().filter_map(|l| l.amount).map(|f| f.0).sum();
            prop_assert_eq!(sum, bill.total.0);
            prop_assert!(bill.lines.iter().all(|l| l.amount.is_some_and(|f| f.0 >= 0)));
            if !lines.is_empty() {
                let turn = turn % lines.len();
                lines.rotate_left(turn);
                prop_assert_eq!(price_month(&book, &lines, month("2025-06")).unwrap(), bill);
            }
        }
    }
}
