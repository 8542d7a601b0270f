//! Sets what pools drew, what the site's meter read and what the bill says side by side.
//!
//! The step from pools to the meter is explained by a PUE that holds, the step from meter to bill by nothing; what is
//! left of either is 未解释差额. A missing reading leaves its difference unknown, never zero; saying which are missing is the account's business.

use jiuzhou_engine::terms::{Code, MilliwattHours, ObjectRef, PerMille, Reason, Value};
use serde::Serialize;

use crate::{LeftOut, MeasureError};

use super::facility_energy;

/// What is known of a site in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteReadings {
    /// Sum of the IT energy of all pools; `None` when one of them is unknown.
    pub pools: Option<MilliwattHours>,
    /// The PUE that holds for the period.
    pub pue: Option<PerMille>,
    /// The site's meter.
    pub meter: Option<MilliwattHours>,
    /// The electricity bill.
    pub bill: Option<MilliwattHours>,
}

/// The account of one site in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    /// Pools times PUE: what the meter should read.
    pub explained: Option<MilliwattHours>,
    /// Meter less what is explained; negative when the meter reads less.
    pub meter_unexplained: Option<MilliwattHours>,
    /// Bill less meter.
    pub bill_unexplained: Option<MilliwattHours>,
    /// Differences beyond the tolerance.
    pub notes: Vec<LeftOut>,
}

/// Reconciles one site. Differences up to `tolerance` (thousandths of the reading) are shown but not remarked upon.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for negative readings or results out of range.
pub fn reconcile(
    site: &ObjectRef,
    readings: SiteReadings,
    tolerance: PerMille,
) -> Result<Reconciliation, MeasureError> {
    let all = [readings.pools, readings.meter, readings.bill];
    if tolerance.0 < 0 || all.iter().flatten().any(|energy| energy.0 < 0) {
        return Err(MeasureError::OutOfRange("a meter reading"));
    }
    let mut result = Reconciliation::default();
    if let (Some(pools), Some(pue)) = (readings.pools, readings.pue) {
        result.explained = Some(facility_energy(pools, pue)?);
    }
    let mut differ = |code: Code, seen: Option<MilliwattHours>, explained: Option<MilliwattHours>| {
        let (seen, explained) = (seen?, explained?);
        let difference = seen.checked_sub(explained)?;
        let allowed = i128::from(seen.0) * i128::from(tolerance.0) / 1000;
        if i128::from(difference.0).abs() > allowed {
            let reason = Reason::new(code)
                .object(site.name.as_str())
                .seen(Value::MilliwattHours(seen.0))
                .wanted(Value::MilliwattHours(explained.0));
            result.notes.push(LeftOut { subject: site.clone(), reason });
        }
        Some(difference)
    };
    let meter = differ(Code::MeterDiffers, readings.meter, result.explained);
    let bill = differ(Code::BillDiffers, readings.bill, readings.meter);
    result.meter_unexplained = meter;
    result.bill_unexplained = bill;
    result.notes.sort_unstable();
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kwh(n: i64) -> Option<MilliwattHours> {
        Some(MilliwattHours(n * 1_000_000))
    }

    #[test]
    fn what_pue_does_not_explain_is_shown() {
        let site = ObjectRef::new("Site", "", "徐州");
        let readings = SiteReadings { pools: kwh(1000), pue: Some(PerMille(1300)), meter: kwh(1400), bill: kwh(1410) };
        let result = reconcile(&site, readings, PerMille(20)).unwrap();
        assert_eq!(result.explained, kwh(1300));
        assert_eq!(result.meter_unexplained, kwh(100));
        assert_eq!(result.bill_unexplained, kwh(10));
        assert_eq!(result.notes.len(), 1, "10 of 1410 is within 2 %");
        assert_eq!(result.notes[0].reason.code, Code::MeterDiffers);
    }

    #[test]
    fn what_is_missing_stays_unknown() {
        let site = ObjectRef::new("Site", "", "徐州");
        let result = reconcile(&site, SiteReadings { meter: kwh(5), ..SiteReadings::default() }, PerMille(0)).unwrap();
        assert_eq!((result.explained, result.meter_unexplained, result.bill_unexplained), (None, None, None));
        assert!(result.notes.is_empty());
        assert!(reconcile(&site, SiteReadings { meter: kwh(-5), ..SiteReadings::default() }, PerMille(0)).is_err());
    }
}
