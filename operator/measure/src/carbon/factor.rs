//! Which grid factor holds for a place and a year.
//!
//! The latest year not after the reporting year; never interpolated, never a later year. A place without a row of its
//! own falls back to the national factor of the same series, and the choice says so. The year used is part of every
//! figure.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Milligrams, MilliwattHours};
use serde::{Deserialize, Serialize};

use crate::{MeasureError, mul_div_round};

/// Which factor is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Series {
    /// Consumption-side average: location-based figures and SCI.
    Average,
    /// Average without market-traded non-fossil power: the uncovered rest of market-based figures.
    Residual,
}

/// One published factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Factor {
    /// Six-digit province code of GB/T 2260, `CN`, or the name of an operator's own series.
    pub area: String,
    /// The year it is for.
    pub year: i16,
    /// Which factor it is.
    pub series: Series,
    /// Milligrams of CO2 per kWh.
    pub mg_per_kwh: i64,
    /// Where it was published.
    pub source: String,
    /// How sure the table is of it.
    pub confidence: String,
}

impl Factor {
    /// Emissions of some energy, half up.
    ///
    /// # Errors
    /// [`MeasureError::OutOfRange`] for negative values or a product out of range.
    pub fn emissions(&self, energy: MilliwattHours) -> Result<Milligrams, MeasureError> {
        mul_div_round(energy.0, self.mg_per_kwh, 1_000_000, "emissions").map(Milligrams)
    }
}

/// The factor that holds, and whether it is the place's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The factor; its year may be earlier than the reporting year.
    pub factor: &'a Factor,
    /// The place has none of its own, this is the national one.
    pub fallback: bool,
}

/// Factors by area, series and year.
#[derive(Clone, Debug, Default)]
pub struct FactorTable(BTreeMap<(String, Series, i16), Factor>);

impl FactorTable {
    /// The area of national factors.
    pub const NATIONAL: &'static str = "CN";

    /// Collects factors.
    ///
    /// # Errors
    /// [`MeasureError::Repeated`] for two of one area, series and year; [`MeasureError::OutOfRange`] for a negative one.
    pub fn new(factors: impl IntoIterator<Item = Factor>) -> Result<Self, MeasureError> {
        let mut table = BTreeMap::new();
        for factor in factors {
            if factor.mg_per_kwh < 0 {
                return Err(MeasureError::OutOfRange("a grid factor"));
            }
            let name = format!("{} {:?} {}", factor.area, factor.series, factor.year);
            if table.insert((factor.area.clone(), factor.series, factor.year), factor).is_some() {
                return Err(MeasureError::Repeated { what: "grid factor", name });
            }
        }
        Ok(Self(table))
    }

    /// The factor for an area and a reporting year; `None` when there is not even a national one by then.
    #[must_use]
    pub fn choose(&self, area: &str, year: i16, series: Series) -> Option<Choice<'_>> {
        let latest = |area: &str| {
            let (from, to) = ((area.to_owned(), series, i16::MIN), (area.to_owned(), series, year));
            self.0.range(from..=to).next_back().map(|(_, factor)| factor)
        };
        match latest(area) {
            Some(factor) => Some(Choice { factor, fallback: false }),
            None => latest(Self::NATIONAL).map(|factor| Choice { factor, fallback: area != Self::NATIONAL }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(area: &str, year: i16, mg_per_kwh: i64) -> Factor {
        let (source, confidence) = (String::new(), "secondary".to_owned());
        Factor { area: area.into(), year, series: Series::Average, mg_per_kwh, source, confidence }
    }

    #[test]
    fn the_latest_year_not_after_the_reporting_year_holds() {
        let table = FactorTable::new([
            factor("530000", 2021, 123_500),
            factor("530000", 2022, 107_300),
            factor("CN", 2021, 556_800),
            factor("CN", 2023, 530_600),
        ])
        .unwrap();
        let choose = |area, year| {
            table.choose(area, year, Series::Average).map(|c| (c.factor.mg_per_kwh, c.factor.year, c.fallback))
        };
        assert_eq!(choose("530000", 2021), Some((123_500, 2021, false)));
        assert_eq!(choose("530000", 2025), Some((107_300, 2022, false)));
        assert_eq!(choose("540000", 2025), Some((530_600, 2023, true)), "Tibet has no factor of its own");
        assert_eq!(choose("540000", 2022), Some((556_800, 2021, true)), "never a later year");
        assert_eq!(choose("530000", 2020), None, "not even a national one");
        assert_eq!(choose("CN", 2025), Some((530_600, 2023, false)));
        assert_eq!(table.choose("530000", 2025, Series::Residual), None, "series are never mixed");
    }

    #[test]
    fn a_kilowatt_hour_emits_its_factor() {
        let yunnan = factor("530000", 2022, 107_300);
        assert_eq!(yunnan.emissions(MilliwattHours(1_000_000)), Ok(Milligrams(107_300)));
        assert!(yunnan.emissions(MilliwattHours(-1)).is_err());
        assert!(FactorTable::new([yunnan.clone(), yunnan]).is_err());
    }
}
