//! The measure room counts: energy, carbon, cost and cloud adoption, from plain inputs to figures that can be checked.
//!
//! Every figure carries its numerator, its denominator and the list of what was left out and why; what is not known
//! stays unknown and is never zero. Pure integer arithmetic: no clock, no files, no floats; remainders go to the
//! largest fraction, ties by name. Intake fills the inputs from resources, report tells the results. What belongs
//! elsewhere: reading YAML (intake), sentences (report), stores of usage (records).

pub mod adoption;
pub mod apportion;
pub mod assessment;
pub mod carbon;
pub mod cost;
pub mod energy;
pub mod expiry;
mod figure;
mod period;
pub mod rates;
mod scope;
pub mod sovereignty;

pub use figure::{Figure, LeftOut, MeasureError, Ratio};
pub use period::{BadPeriod, Month, Period, beijing_date};
pub use scope::Scope;

/// `round(a * b / d)` for non-negative values, half up.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for a negative value, `d` of zero, or a result beyond `i64`.
pub(crate) fn mul_div_round(a: i64, b: i64, d: i128, what: &'static str) -> Result<i64, MeasureError> {
    let product = i128::from(a) * i128::from(b);
    if product < 0 || d <= 0 {
        return Err(MeasureError::OutOfRange(what));
    }
    // |product| is at most 2^126, so adding half of a divisor below 2^126 stays in range.
    let rounded = product.checked_add(d / 2).ok_or(MeasureError::OutOfRange(what))? / d;
    i64::try_from(rounded).map_err(|_| MeasureError::OutOfRange(what))
}
