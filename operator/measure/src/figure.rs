//! The shape of every figure: a ratio of two counts, and the lists that explain both.
//!
//! A denominator of zero is "not applicable", never 0 % and never 100 %. An auditor can rebuild the numerator and the
//! denominator from the register and the two lists alone.

use jiuzhou_engine::terms::{ObjectRef, Overflow, PerMille, Reason};
use serde::Serialize;

/// Why something could not be measured at all. What is merely missing is a [`Reason`], not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// A sum or product left its range, or a value that must not be negative was.
    #[error("failed to compute {0}: out of range")]
    OutOfRange(&'static str),
    /// The name of something that must be unique was not.
    #[error("failed to measure: {what} {name:?} is given twice")]
    Repeated {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What a figure needs decided cannot be.
    #[error("failed to measure what a plan says: {0}")]
    Plan(String),
    /// A setting makes no sense.
    #[error("failed to measure: {0}")]
    Setting(&'static str),
}

impl From<Overflow> for MeasureError {
    fn from(overflow: Overflow) -> Self {
        Self::OutOfRange(overflow.0)
    }
}

/// A numerator over a denominator in the same unit, kept apart so that sums of figures stay exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ratio {
    /// What counts.
    pub numerator: i64,
    /// Out of what.
    pub denominator: i64,
}

impl Ratio {
    /// A ratio of two counts.
    #[must_use]
    pub fn new(numerator: i64, denominator: i64) -> Self {
        Self { numerator, denominator }
    }

    /// In thousandths, half up; `None` (not applicable) unless the denominator is positive.
    #[must_use]
    pub fn per_mille(self) -> Option<PerMille> {
        if self.denominator <= 0 {
            return None;
        }
        let denominator = i128::from(self.denominator);
        let scaled = (i128::from(self.numerator) * 2000 + denominator).div_euclid(denominator * 2);
        i64::try_from(scaled).ok().map(PerMille)
    }
}

/// Something that did not count, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// The object.
    pub subject: ObjectRef,
    /// Why.
    pub reason: Reason,
}

/// A ratio with what explains it. Both lists are in order of subject and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// The ratio itself.
    pub ratio: Ratio,
    /// What is not even in the denominator, and why (retired, exempt, counted already).
    pub left_out: Vec<LeftOut>,
    /// What is in the denominator and not (or not wholly) in the numerator, and why.
    pub not_counted: Vec<LeftOut>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denominator_of_zero_is_not_applicable() {
        assert_eq!(Ratio::new(0, 0).per_mille(), None);
        assert_eq!(Ratio::new(0, 3).per_mille(), Some(PerMille(0)));
    }

    #[test]
    fn thousandths_round_half_up_and_survive_the_largest_counts() {
        assert_eq!(Ratio::new(7, 10).per_mille(), Some(PerMille(700)));
        assert_eq!(Ratio::new(1, 2000).per_mille(), Some(PerMille(1)));
        assert_eq!(Ratio::new(2, 3).per_mille(), Some(PerMille(667)));
        assert_eq!(Ratio::new(i64::MAX, i64::MAX).per_mille(), Some(PerMille(1000)));
        assert_eq!(Ratio::new(i64::MAX, 1).per_mille(), None);
    }
}
