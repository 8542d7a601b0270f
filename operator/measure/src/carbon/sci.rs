//! Software carbon intensity (ISO/IEC 21031:2024, SCI 1.1.0): `(O + M) per R`.
//!
//! `O = E x I` with the location-based average factor; `E` is everything reserved, idle included, and the overhead of
//! the machine room. `M = TE x TiR/EL x RR/ToR`. The inputs have no place for a certificate: market instruments never
//! lower a score. Scores of components add only for one and the same functional unit, so the unit is part of a score.

use jiuzhou_engine::terms::{Milligrams, MilliwattHours};
use serde::Serialize;

use crate::{MeasureError, mul_div_round};

use super::Factor;

const WHAT: &str = "software carbon intensity";

/// What was emitted to make the hardware, and how much of it the software has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embodied {
    /// Total embodied emissions (TE).
    pub total: Milligrams,
    /// Time reserved for the software (TiR), in seconds.
    pub reserved_seconds: i64,
    /// Expected lifespan of the hardware (EL), in seconds.
    pub lifespan_seconds: i64,
    /// Resources reserved (RR), in any unit.
    pub resources: i64,
    /// Total of the resources (ToR), in the same unit.
    pub resources_total: i64,
}

impl Embodied {
    /// The share of the software, half up.
    ///
    /// # Errors
    /// [`MeasureError`] for a lifespan or total of zero, a share above the whole, or values out of range.
    pub fn share(self) -> Result<Milligrams, MeasureError> {
        if self.lifespan_seconds <= 0 || self.resources_total <= 0 {
            return Err(MeasureError::Setting("lifespan and total resources are above zero"));
        }
        if self.resources > self.resources_total || self.resources < 0 || self.reserved_seconds < 0 {
            return Err(MeasureError::Setting("reserved resources are from 0 to the total"));
        }
        let part = self.reserved_seconds.checked_mul(self.resources).ok_or(MeasureError::OutOfRange(WHAT))?;
        let whole = i128::from(self.lifespan_seconds) * i128::from(self.resources_total);
        mul_div_round(self.total.0, part, whole, WHAT).map(Milligrams)
    }
}

/// A score, kept as emissions and units so that scores of one unit can be added exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// Operational emissions (O).
    pub operational: Milligrams,
    /// Embodied emissions (M).
    pub embodied: Milligrams,
    /// Functional unit (R), e.g. `request`.
    pub unit: String,
    /// How many of them.
    pub units: i64,
}

impl Score {
    /// Micrograms per functional unit, half up; `None` for R = 0: there is no intensity of nothing.
    #[must_use]
    pub fn micrograms_per_unit(&self) -> Option<i64> {
        if self.units <= 0 {
            return None;
        }
        let total = self.operational.checked_add(self.embodied)?;
        mul_div_round(total.0, 1000, i128::from(self.units), WHAT).ok()
    }

    /// Picograms per functional unit, half up, for units as small as one request of a site that answers millions an hour.
    /// `None` for R = 0, and for more than nine tonnes per unit.
    #[must_use]
    pub fn picograms_per_unit(&self) -> Option<i64> {
        if self.units <= 0 {
            return None;
        }
        let total = self.operational.checked_add(self.embodied)?;
        mul_div_round(total.0, 1_000_000_000, i128::from(self.units), WHAT).ok()
    }

    /// The score of two components of one application; `None` for different units or counts, or out of range.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        if self.unit != other.unit || self.units != other.units {
            return None;
        }
        Some(Self {
            operational: self.operational.checked_add(other.operational)?,
            embodied: self.embodied.checked_add(other.embodied)?,
            unit: self.unit.clone(),
            units: self.units,
        })
    }
}

/// The score of a component from its energy at the meter of the room, the factor of the place and its hardware.
///
/// # Errors
/// [`MeasureError`] for negative values, a factor of another series than the average, or products out of range.
pub fn sci(
    energy: MilliwattHours,
    factor: &Factor,
    hardware: &[Embodied],
    unit: &str,
    units: i64,
) -> Result<Score, MeasureError> {
    if factor.series != super::Series::Average {
        return Err(MeasureError::Setting("software carbon intensity takes the location-based average factor"));
    }
    let shares = hardware.iter().map(|part| part.share()).collect::<Result<Vec<_>, _>>()?;
    Ok(Score {
        operational: factor.emissions(energy)?,
        embodied: Milligrams::sum(shares)?,
        unit: unit.to_owned(),
        units,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::carbon::{Series, scope2};

    fn factor(mg_per_kwh: i64) -> Factor {
        Factor {
            area: "CN".into(),
            year: 2023,
            series: Series::Average,
            mg_per_kwh,
            source: String::new(),
            confidence: String::new(),
        }
    }

    fn device(total: i64, reserved: i64, lifespan: i64, resources: i64, of: i64) -> Embodied {
        Embodied {
            total: Milligrams(total),
            reserved_seconds: reserved,
            lifespan_seconds: lifespan,
            resources,
            resources_total: of,
        }
    }

    /// Impact Framework's sci-embodied manifest: 1533.12 g over three years, one hour of one of eight vCPUs.
    #[test]
    fn the_embodied_share_of_the_impact_framework() {
        assert_eq!(device(1_533_120, 3600, 94_608_000, 1, 8).share(), Ok(Milligrams(7)));
        // The same in nanograms shows the digits: 1533.12 x 3600 / 94,608,000 / 8 is 0.007292237 g.
        assert_eq!(device(1_533_120_000_000, 3600, 94_608_000, 1, 8).share(), Ok(Milligrams(7_292_237)));
    }

    /// Impact Framework's sci plugin: 5 g operational and 0.02 g embodied over 100 requests are 0.0502 g per request.
    #[test]
    fn the_score_of_the_impact_framework() {
        let score =
            Score { operational: Milligrams(5_000), embodied: Milligrams(20), unit: "request".into(), units: 100 };
        assert_eq!(score.micrograms_per_unit(), Some(50_200));
    }

    #[test]
    fn there_is_no_score_of_nothing_and_units_do_not_mix() {
        let score = sci(MilliwattHours(1_000_000), &factor(500_000), &[], "request", 0).unwrap();
        assert_eq!(score.micrograms_per_unit(), None);
        let per_user = Score { unit: "user".into(), ..score.clone() };
        assert_eq!(score.plus(&per_user), None);
        assert_eq!(score.plus(&score).map(|s| s.operational), Some(Milligrams(1_000_000)));
        assert!(device(1, 1, 0, 1, 1).share().is_err());
        assert!(device(1, 1, 1, 2, 1).share().is_err());
        let residual = Factor { series: Series::Residual, ..factor(1) };
        assert!(sci(MilliwattHours(1), &residual, &[], "request", 1).is_err());
    }

    proptest! {
        /// Certificates lower the market-based figure and leave score and location-based figure as they were.
        #[test]
        fn certificates_never_change_the_score(energy in 1i64..1 << 40, covered in 0i64..1 << 40, units in 1i64..1000) {
            let average = factor(530_600);
            let residual = Factor { series: Series::Residual, ..factor(609_600) };
            let run = |covered| {
                let scope = scope2(Some(MilliwattHours(energy)), MilliwattHours(covered), Some(&average), Some(&residual));
                let score = sci(MilliwattHours(energy), &average, &[], "request", units).unwrap();
                (scope.unwrap(), score)
            };
            let ((without, score), (with, green)) = (run(0), run(covered));
            prop_assert_eq!(&score, &green);
            prop_assert_eq!(without.location, Some(score.operational));
            prop_assert_eq!(with.location, without.location);
            prop_assert!(with.market <= without.market);
        }

        #[test]
        fn parts_of_a_device_never_exceed_it(total in 0i64..1 << 50, parts in 1i64..64) {
            let share = device(total, 3600, 3600, 1, parts).share().unwrap();
            let all = i128::from(share.0) * i128::from(parts);
            prop_assert!((all - i128::from(total)).abs() <= i128::from(parts));
        }
    }
}
