//! From resources to what the measure room counts: the register of adoption and the input of an energy account.
//!
//! Nothing is judged here and nothing is invented: what no resource says stays `None`, and measure says 未知. What
//! belongs here is which record speaks of which day, system, room or month; what counts is measure's business.

mod adoption;
mod cpu;
mod energy;
mod names;
mod power;
mod rates;
pub(crate) mod tables;

pub use adoption::{Register, minimum_days, register};
pub use energy::energy;
pub use names::{division, document, findings, title};
pub use rates::{Rates, rates};
pub use tables::{Comparison, comparison};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::beijing;

/// A Beijing day as written; `None` when there is none or it is no day of the calendar (which the checks tell).
fn day(text: Option<&str>) -> Option<Date> {
    text?.parse().ok()
}

/// The Beijing day of an instant.
fn today(at: Timestamp) -> Date {
    beijing::day(at)
}

#[cfg(test)]
mod readings_tests;
#[cfg(test)]
mod tests;
