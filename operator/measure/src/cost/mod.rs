//! Cost: usage priced by a price book, month by month, in fen that add up.
//!
//! `price` turns quantity and time into a bill; `amount` says which quantity counts (OpenCost: max of request and use).
//! Prices hold for whole Beijing months. What has no price is shown as such and never counted as free. A provider's
//! invoice is compared with a bill here, too: [`settle`] makes the settlement of a period out of all of it.

mod book;
mod price;
mod settlement;
#[cfg(test)]
mod settlement_tests;

pub use book::{Match, MicroFen, Price, PriceBook, PriceUnit, Service};
pub use price::{Bill, BillLine, Usage, price_month};
pub use settlement::{
    Basis, Charge, Compared, Deduction, Invoiced, Reservation, Selector, Settlement, SettlementInput, Sum, settle,
};

use jiuzhou_engine::terms::Fen;

/// The quantity that is charged: the larger of what was reserved and what was used (OpenCost specification).
#[must_use]
pub fn charged(request: i64, usage: i64) -> i64 {
    request.max(usage).max(0)
}

/// The provider's invoice less our bill; positive when the provider asks for more. `None` out of range.
#[must_use]
pub fn difference(invoice: Fen, bill: Fen) -> Option<Fen> {
    invoice.checked_sub(bill)
}
