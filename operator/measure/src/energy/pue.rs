//! From IT energy to the whole machine room (ISO/IEC 30134-2).
//!
//! A PUE counts only when it was measured and over exactly the period of the energy; designed and partial
//! figures and other periods leave the room's energy 未知. It is never under 1.

use jiuzhou_engine::terms::{Code, MilliwattHours, ObjectRef, PerMille, Reason, Value};
use serde::{Deserialize, Serialize};

use crate::{LeftOut, MeasureError, Period, mul_div_round};

/// How a PUE came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum PueKind {
    /// Both meters were read.
    Measured,
    /// The designer's figure.
    Design,
    /// Of a part of the room.
    Partial,
    /// Both meters were read, over less than twelve months. For the months it was read over it is as good as any.
    Interim,
}

/// A PUE as entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pue {
    /// In thousandths.
    pub value: PerMille,
    /// How it came about.
    pub kind: PueKind,
    /// Of which months.
    pub period: Period,
}

impl PueKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "Measured",
            Self::Design => "Design",
            Self::Partial => "Partial",
            Self::Interim => "Interim",
        }
    }
}

/// The PUE that holds for a period, or why none does. Of several that hold the highest counts.
///
/// # Errors
/// The reasons, at least one, in order.
pub fn choose_pue(site: &ObjectRef, entered: &[Pue], period: Period) -> Result<PerMille, Vec<LeftOut>> {
    let mut best = None;
    let mut why = Vec::new();
    for pue in entered {
        let object = site.name.as_str();
        let reason = if pue.value.0 < 1000 {
            Reason::new(Code::PueBelowOne).seen(Value::PerMille(pue.value.0)).wanted(Value::PerMille(1000))
        } else if !matches!(pue.kind, PueKind::Measured | PueKind::Interim) {
            Reason::new(Code::PueNotMeasured).seen(pue.kind.as_str()).wanted(PueKind::Measured.as_str())
        } else if pue.period != period {
            Reason::new(Code::PuePeriodDiffers).seen(pue.period.to_string()).wanted(period.to_string())
        } else {
            best = best.max(Some(pue.value));
            continue;
        };
        why.push(LeftOut { subject: site.clone(), reason: reason.object(object) });
    }
    if entered.is_empty() {
        let reason = Reason::new(Code::PueMissing).object(site.name.as_str()).wanted(period.to_string());
        why.push(LeftOut { subject: site.clone(), reason });
    }
    why.sort_unstable();
    best.ok_or(why)
}

/// The room's energy for IT energy and a PUE that holds, half up.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for negative energy or a product out of range; [`MeasureError::Setting`] under 1.
pub fn facility_energy(it: MilliwattHours, pue: PerMille) -> Result<MilliwattHours, MeasureError> {
    if pue.0 < 1000 {
        return Err(MeasureError::Setting("a PUE is 1000 ‰ or more"));
    }
    mul_div_round(it.0, pue.0, 1000, "facility energy").map(MilliwattHours)
}

/// The PUE of two meters over the same time, half up; `None` without IT energy or under 1.
#[must_use]
pub fn pue_from_meters(facility: MilliwattHours, it: MilliwattHours) -> Option<PerMille> {
    if it.0 <= 0 || facility < it {
        return None;
    }
    mul_div_round(facility.0, 1000, i128::from(it.0), "a PUE").ok().map(PerMille)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Month;

    fn period(text: &str) -> Period {
        Period::month(Month::parse(text).unwrap())
    }

    fn site() -> ObjectRef {
        ObjectRef::new("Site", "", "大理机房")
    }

    #[test]
    fn only_a_measured_pue_of_the_same_period_counts() {
        let june = period("2025-06");
        let pue = |value, kind, period| Pue { value: PerMille(value), kind, period };
        let good = pue(1350, PueKind::Measured, june);
        let bad = [
            (pue(1200, PueKind::Design, june), Code::PueNotMeasured),
            (pue(1200, PueKind::Measured, period("2025-05")), Code::PuePeriodDiffers),
            (pue(999, PueKind::Measured, june), Code::PueBelowOne),
        ];
        for (entry, code) in bad {
            let why = choose_pue(&site(), &[entry], june).unwrap_err();
            assert_eq!(why[0].reason.code, code);
            assert_eq!(choose_pue(&site(), &[entry, good], june), Ok(PerMille(1350)));
        }
        let why = choose_pue(&site(), &[], june).unwrap_err();
        assert_eq!(why[0].reason.code, Code::PueMissing);
    }

    #[test]
    fn a_room_uses_at_least_what_its_machines_use() {
        assert_eq!(facility_energy(MilliwattHours(1000), PerMille(1250)), Ok(MilliwattHours(1250)));
        assert!(facility_energy(MilliwattHours(1000), PerMille(999)).is_err());
        assert!(facility_energy(MilliwattHours(i64::MAX), PerMille(1001)).is_err());
        assert_eq!(pue_from_meters(MilliwattHours(150), MilliwattHours(100)), Some(PerMille(1500)));
        assert_eq!(pue_from_meters(MilliwattHours(99), MilliwattHours(100)), None);
        assert_eq!(pue_from_meters(MilliwattHours(99), MilliwattHours(0)), None);
    }
}
