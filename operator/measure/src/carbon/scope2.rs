//! Location- and market-based emissions of bought electricity (GHG Protocol scope 2 guidance, 2015).
//!
//! Location-based: all energy times the average factor of the place; contracts cannot change it. Market-based: energy
//! covered by certificates emits nothing, the rest emits the residual factor. Both are always given side by side.

use jiuzhou_engine::terms::{Milligrams, MilliwattHours};
use serde::Serialize;

use crate::MeasureError;

use super::Factor;

/// Both figures of one site in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope2 {
    /// Location-based; `None` when energy or factor is unknown.
    pub location: Option<Milligrams>,
    /// Market-based; `None` when energy or the residual factor it needs is unknown.
    pub market: Option<Milligrams>,
}

/// Emissions of a site's energy, of which `covered` has counted certificates or own renewable generation.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for negative energy or products out of range.
pub fn scope2(
    energy: Option<MilliwattHours>,
    covered: MilliwattHours,
    average: Option<&Factor>,
    residual: Option<&Factor>,
) -> Result<Scope2, MeasureError> {
    let Some(energy) = energy else { return Ok(Scope2::default()) };
    if energy.0 < 0 || covered.0 < 0 {
        return Err(MeasureError::OutOfRange("emissions"));
    }
    let location = average.map(|factor| factor.emissions(energy)).transpose()?;
    let rest = MilliwattHours(energy.0 - covered.0.min(energy.0));
    let market = match residual {
        Some(factor) => Some(factor.emissions(rest)?),
        None => (rest.0 == 0).then_some(Milligrams::ZERO),
    };
    Ok(Scope2 { location, market })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::carbon::Series;

    fn factor(series: Series, mg_per_kwh: i64) -> Factor {
        Factor {
            area: "CN".into(),
            year: 2023,
            series,
            mg_per_kwh,
            source: "announcement".into(),
            confidence: "secondary".into(),
        }
    }

    #[test]
    fn certificates_lower_the_market_based_figure_only() {
        let (average, residual) = (factor(Series::Average, 530_600), factor(Series::Residual, 609_600));
        let kwh = |n: i64| MilliwattHours(n * 1_000_000);
        let none = scope2(Some(kwh(1000)), kwh(0), Some(&average), Some(&residual)).unwrap();
        assert_eq!(none, Scope2 { location: Some(Milligrams(530_600_000)), market: Some(Milligrams(609_600_000)) });
        let all = scope2(Some(kwh(1000)), kwh(1500), Some(&average), Some(&residual)).unwrap();
        assert_eq!(all, Scope2 { market: Some(Milligrams(0)), ..none });
    }

    #[test]
    fn what_is_not_known_stays_unknown() {
        let average = factor(Series::Average, 1);
        assert_eq!(scope2(None, MilliwattHours(0), Some(&average), None), Ok(Scope2::default()));
        let result = scope2(Some(MilliwattHours(5)), MilliwattHours(0), None, None).unwrap();
        assert_eq!(result, Scope2::default());
    }

    proptest! {
        #[test]
        fn more_certificates_never_raise_either_figure(energy in 0i64..1 << 40, a in 0i64..1 << 40, more in 0i64..1 << 40) {
            let (average, residual) = (factor(Series::Average, 530_600), factor(Series::Residual, 609_600));
            let run = |covered| scope2(Some(MilliwattHours(energy)), MilliwattHours(covered), Some(&average), Some(&residual));
            let (few, many) = (run(a).unwrap(), run(a + more).unwrap());
            prop_assert_eq!(few.location, many.location);
            prop_assert!(many.market <= few.market);
        }
    }
}
