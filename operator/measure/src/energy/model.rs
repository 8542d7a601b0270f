//! What a machine draws where nothing measures it: published power models in integers.
//!
//! Use is in thousandths of full use (0 to 1000), power in milliwatts, rounded half up once at the end of each formula.
//! TEADS and Boavizta describe a CPU package, SPECpower a whole server at the wall; PUE multiplies wall power only, so
//! the two are never mixed. Every result is Modelled or Default, never Measured.

use jiuzhou_engine::terms::{MilliwattHours, Milliwatts, PerMille};
use serde::Serialize;

use crate::{MeasureError, mul_div_round};

const WHAT: &str = "modelled power";

fn used(utilisation: PerMille) -> Result<i64, MeasureError> {
    (0..=1000).contains(&utilisation.0).then_some(utilisation.0).ok_or(MeasureError::Setting("use is from 0 to 1000 ‰"))
}

/// A straight line from idle to full load: a whole server (SPECpower) or one vCPU (Cloud Carbon Footprint).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinearPower {
    /// At idle.
    pub idle: Milliwatts,
    /// At full use.
    pub peak: Milliwatts,
}

impl LinearPower {
    /// `idle + use x (peak - idle)`.
    ///
    /// # Errors
    /// [`MeasureError`] when use is not in 0 to 1000 or idle is negative or above peak.
    pub fn at(self, utilisation: PerMille) -> Result<Milliwatts, MeasureError> {
        let utilisation = used(utilisation)?;
        if self.idle.0 < 0 || self.peak < self.idle {
            return Err(MeasureError::Setting("idle power is from 0 to full power"));
        }
        let rise = mul_div_round(self.peak.0 - self.idle.0, utilisation, 1000, WHAT)?;
        Ok(Milliwatts(self.idle.0 + rise))
    }

    /// Energy of `units` of it (vCPUs, servers) over some seconds, in milliwatt-hours, rounded once.
    ///
    /// # Errors
    /// As [`Self::at`], or out of range.
    pub fn energy(self, utilisation: PerMille, units: i64, seconds: i64) -> Result<MilliwattHours, MeasureError> {
        let power = self.at(utilisation)?.0.checked_mul(units).ok_or(MeasureError::OutOfRange(WHAT))?;
        mul_div_round(power, seconds, 3600, WHAT).map(MilliwattHours)
    }
}

/// What draws by its amount alone, whatever its use is: memory by the GB, disks by the TB, a network by the GB that went
/// through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitEnergy {
    /// Microwatt-hours of one unit (a GB for an hour, a TB for an hour, a GB carried).
    pub micro: i64,
}

impl UnitEnergy {
    /// Energy of an amount, rounded once. One unit is so many of what the amount is counted in: byte-seconds of a GB for
    /// an hour are 3,600,000,000,000, bytes of a GB carried are 1,000,000,000.
    ///
    /// # Errors
    /// [`MeasureError`] when the unit is not above zero, something is negative, or out of range.
    pub fn energy(self, amount: i64, unit: i64) -> Result<MilliwattHours, MeasureError> {
        if unit <= 0 {
            return Err(MeasureError::Setting("a unit is above zero"));
        }
        mul_div_round(amount, self.micro, i128::from(unit) * 1000, WHAT).map(MilliwattHours)
    }
}

/// A modelled figure with what it may be off by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Band {
    /// The lower end.
    pub low: Milliwatts,
    /// The figure.
    pub middle: Milliwatts,
    /// The upper end.
    pub high: Milliwatts,
}

/// How a server is guessed from the thermal design power of its sockets (table `power-defaults`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerDefaults {
    /// Idle power of the server, in thousandths of the sum of TDP.
    pub idle_of_tdp: PerMille,
    /// Full power, in thousandths of the sum of TDP.
    pub peak_of_tdp: PerMille,
    /// How far off a modelled figure may be, in thousandths of it.
    pub band: PerMille,
}

impl ServerDefaults {
    /// The line for a server whose sockets together have this TDP.
    ///
    /// # Errors
    /// [`MeasureError::OutOfRange`] for negative values.
    pub fn server(self, tdp: Milliwatts) -> Result<LinearPower, MeasureError> {
        Ok(LinearPower {
            idle: Milliwatts(mul_div_round(tdp.0, self.idle_of_tdp.0, 1000, WHAT)?),
            peak: Milliwatts(mul_div_round(tdp.0, self.peak_of_tdp.0, 1000, WHAT)?),
        })
    }

    /// The figure with its band.
    ///
    /// # Errors
    /// [`MeasureError::OutOfRange`].
    pub fn banded(self, middle: Milliwatts) -> Result<Band, MeasureError> {
        let off = mul_div_round(middle.0, self.band.0, 1000, WHAT)?;
        Ok(Band {
            low: Milliwatts(middle.0.saturating_sub(off).max(0)),
            middle,
            high: Milliwatts(middle.0.checked_add(off).ok_or(MeasureError::OutOfRange(WHAT))?),
        })
    }
}

/// The TEADS curve: (use, power) in thousandths of full use and of TDP, straight lines between the points.
pub const TEADS: [(i64, i64); 4] = [(0, 120), (100, 320), (500, 750), (1000, 1020)];

/// Power of one CPU package by the TEADS curve.
///
/// # Errors
/// [`MeasureError`] when use is not in 0 to 1000 or the TDP is negative.
pub fn teads(tdp: Milliwatts, utilisation: PerMille) -> Result<Milliwatts, MeasureError> {
    let x = used(utilisation)?;
    let (from, to) = TEADS
        .iter()
        .zip(&TEADS[1..])
        .find(|(_, to)| x <= to.0)
        .ok_or(MeasureError::Setting("the TEADS curve ends at full use"))?;
    // The factor in thousandths times the length of its segment, so that nothing is rounded twice.
    let width = to.0 - from.0;
    let factor = from.1 * width + (to.1 - from.1) * (x - from.0);
    mul_div_round(tdp.0, factor, i128::from(width) * 1000, WHAT).map(Milliwatts)
}

/// The Boavizta curve of one socket: `P = a ln(b (w + c)) + d` watts with `w` in percent, at least 1 W.
///
/// Coefficients are times 10,000 (table `power-curves`). The logarithm is computed in binary fixed point with 48
/// fraction bits, cut down at every bit; the result is exact to the milliwatt but for ties of the last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCurve {
    /// Factor in front, times 10,000.
    pub a: i64,
    /// Factor of the load, times 10,000.
    pub b: i64,
    /// Shift of the load in percent, times 10,000.
    pub c: i64,
    /// Shift in watts, times 10,000.
    pub d: i64,
}

impl LogCurve {
    /// Power at a use.
    ///
    /// # Errors
    /// [`MeasureError`] when use is not in 0 to 1000, or the coefficients leave the logarithm's range.
    pub fn at(self, utilisation: PerMille) -> Result<Milliwatts, MeasureError> {
        const SCALE: i128 = 10_000;
        let out = MeasureError::OutOfRange(WHAT);
        // Use in thousandths is percent times ten, so percent times 10,000 is use times 1,000.
        let load = i128::from(used(utilisation)?) * 1000 + i128::from(self.c);
        let argument = i128::from(self.b).checked_mul(load).ok_or(out.clone())?;
        let logarithm = ln_fixed(argument, SCALE * SCALE).ok_or(out.clone())?;
        // a and d are times 10,000 and milliwatts are wanted: divide by ten.
        let rise = i128::from(self.a).checked_mul(logarithm).ok_or(out.clone())? >> FRACTION;
        let milliwatts = (rise + i128::from(self.d) + 5).div_euclid(10);
        i64::try_from(milliwatts.max(1000)).map(Milliwatts).map_err(|_| out)
    }
}

/// Fraction bits of [`ln_fixed`].
pub const FRACTION: u32 = 48;
/// ln 2 with 48 fraction bits.
const LN_2: i128 = 195_103_586_505_167;

/// `ln(numerator / denominator)` with 48 fraction bits: the binary logarithm bit by bit, times ln 2. `None` where there is
/// none, or beyond the range.
#[must_use]
pub fn ln_fixed(numerator: i128, denominator: i128) -> Option<i128> {
    if numerator <= 0 || denominator <= 0 {
        return None;
    }
    let one = 1_i128 << FRACTION;
    let mut x = numerator.checked_mul(one)? / denominator;
    if x == 0 {
        return None;
    }
    let mut whole = 0_i128;
    while x >= 2 * one {
        x >>= 1;
        whole += 1;
    }
    while x < one {
        x <<= 1;
        whole -= 1;
    }
    let mut log = whole << FRACTION;
    for bit in (0..FRACTION).rev() {
        // x is below 2, so its square with 96 fraction bits is below 2^98.
        x = (x * x) >> FRACTION;
        if x >= 2 * one {
            x >>= 1;
            log += 1 << bit;
        }
    }
    Some((log.checked_mul(LN_2)?) >> FRACTION)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Cloud Carbon Footprint's own average of an unknown vCPU: 0.74 and 3.5 W at 50 % are 2.12 W.
    #[test]
    fn the_average_vcpu_of_cloud_carbon_footprint() {
        let vcpu = LinearPower { idle: Milliwatts(740), peak: Milliwatts(3500) };
        assert_eq!(vcpu.at(PerMille(500)), Ok(Milliwatts(2120)));
        assert_eq!(vcpu.energy(PerMille(500), 4, 3600 * 24), Ok(MilliwattHours(2120 * 4 * 24)));
    }

    /// TEADS at its four points for 100 W, and the published midpoint of the first segment.
    #[test]
    fn the_teads_curve_meets_its_points() {
        for (use_, watts) in [(0, 12_000), (50, 22_000), (100, 32_000), (500, 75_000), (1000, 102_000)] {
            assert_eq!(teads(Milliwatts(100_000), PerMille(use_)), Ok(Milliwatts(watts)), "{use_}");
        }
        assert!(teads(Milliwatts(100_000), PerMille(1001)).is_err());
        assert!(teads(Milliwatts(-1), PerMille(0)).is_err());
    }

    #[test]
    fn a_server_is_guessed_from_its_sockets_with_a_band() {
        let defaults = ServerDefaults { idle_of_tdp: PerMille(200), peak_of_tdp: PerMille(950), band: PerMille(300) };
        let server = defaults.server(Milliwatts(300_000)).unwrap();
        assert_eq!(server, LinearPower { idle: Milliwatts(60_000), peak: Milliwatts(285_000) });
        let band = defaults.banded(server.idle).unwrap();
        assert_eq!((band.low, band.high), (Milliwatts(42_000), Milliwatts(78_000)));
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(LinearPower { idle: Milliwatts(2), peak: Milliwatts(1) }.at(PerMille(0)).is_err());
        assert!(LinearPower { idle: Milliwatts(1), peak: Milliwatts(2) }.at(PerMille(-1)).is_err());
        assert!(LogCurve { a: 1, b: -1, c: 1, d: 0 }.at(PerMille(0)).is_err());
        let huge = LinearPower { idle: Milliwatts(0), peak: Milliwatts(i64::MAX) };
        assert!(huge.energy(PerMille(1000), 2, 1).is_err());
    }

    #[test]
    fn the_boavizta_curves_agree_with_floating_point() {
        for (a, b, c, d) in [
            (171.1813, 0.0354, 36.8953, -10.1336),
            (35.5688, 0.2438, 9.6694, -0.6087),
            (20.7794, 0.3043, 8.4241, 0.8613),
        ] {
            #[allow(clippy::cast_possible_truncation)]
            let fixed = |x: f64| (x * 10_000.0_f64).round() as i64;
            let curve = LogCurve { a: fixed(a), b: fixed(b), c: fixed(c), d: fixed(d) };
            for use_ in 0..=1000_i32 {
                let float = a * (b * (f64::from(use_) / 10.0 + c)).ln() + d;
                let got = curve.at(PerMille(i64::from(use_))).unwrap().0;
                #[allow(clippy::cast_possible_truncation)]
                let want = (float.max(1.0) * 1000.0).round() as i64;
                assert!((got - want).abs() <= 1, "{use_}: {got} and {want}");
            }
        }
    }

    proptest! {
        #[test]
        fn more_use_never_draws_less(idle in 0i64..1_000_000, more in 0i64..1_000_000, use_ in 0i64..1000) {
            let line = LinearPower { idle: Milliwatts(idle), peak: Milliwatts(idle + more) };
            prop_assert!(line.at(PerMille(use_)).unwrap() <= line.at(PerMille(use_ + 1)).unwrap());
            prop_assert_eq!(line.at(PerMille(0)).unwrap(), line.idle);
            prop_assert!(teads(line.peak, PerMille(use_)).unwrap() <= teads(line.peak, PerMille(use_ + 1)).unwrap());
        }
    }
}
