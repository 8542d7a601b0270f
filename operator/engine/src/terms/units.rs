//! Integer quantities with their unit in the type.
//!
//! No floats: sums must not depend on their order, and a plan must give the same bytes everywhere. Every operation
//! that can leave the range is checked and answers `None` (or [`Overflow`] through `?`), never wraps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sum or product left the range of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to compute {0}: out of range")]
pub struct Overflow(pub &'static str);

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Zero of this unit.
            pub const ZERO: Self = Self(0);

            /// Sum, or `None` out of range.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// Difference, or `None` out of range.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// Product with a count, or `None` out of range.
            #[must_use]
            pub fn checked_mul(self, count: i64) -> Option<Self> {
                self.0.checked_mul(count).map(Self)
            }

            /// Sum of many.
            ///
            /// # Errors
            /// [`Overflow`] when a partial sum leaves the range.
            pub fn sum(items: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
                items.into_iter().try_fold(Self::ZERO, Self::checked_add).ok_or(Overflow($what))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit!(
    /// CPU time per second in thousandths of a CPU (Kubernetes `m`).
    Millicores,
    "a sum of millicores"
);
unit!(
    /// Memory or storage in bytes.
    Bytes,
    "a sum of bytes"
);
unit!(
    /// Electric power in thousandths of a watt.
    Milliwatts,
    "a sum of power"
);
unit!(
    /// Energy in thousandths of a watt-hour; 1 kWh is 1,000,000. 2^63 of them are 9.2 billion MWh.
    MilliwattHours,
    "a sum of energy"
);
unit!(
    /// Money in fen (1/100 yuan).
    Fen,
    "a sum of money"
);
unit!(
    /// Mass of CO2 (or CO2e where stated) in milligrams; 1 t is 10^9.
    Milligrams,
    "a sum of emissions"
);
unit!(
    /// A ratio in thousandths, e.g. PUE 1.25 is 1250.
    PerMille,
    "a ratio"
);

/// A whole percentage from 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u8);

impl Percent {
    /// `None` above 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// The number, 0 to 100.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// `floor(n * percent / 100)`, exact for every non-negative `n`.
    #[must_use]
    pub fn floor_of(self, n: i64) -> i64 {
        let product = i128::from(n) * i128::from(self.0) / 100;
        i64::try_from(product).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_checked() {
        assert_eq!(Fen::sum([Fen(2), Fen(3)]), Ok(Fen(5)));
        assert_eq!(Fen::sum([Fen(i64::MAX), Fen(1)]), Err(Overflow("a sum of money")));
    }

    #[test]
    fn a_percentage_floors_and_never_overflows() {
        let share = Percent::new(60).expect("60 is a percentage");
        assert_eq!(share.floor_of(4), 2);
        assert_eq!(Percent::new(100).expect("100 is a percentage").floor_of(i64::MAX), i64::MAX);
        assert_eq!(Percent::new(101), None);
    }
}
