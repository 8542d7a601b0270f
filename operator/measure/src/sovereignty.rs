//! Sovereignty in figures: on whom the fleet depends, and how 等保 and 密评 stand for each body.
//!
//! Dependence is counted by observed CPU on the cloud, as adoption counts it, and by systems. What is not known is a
//! part of its own and never left out. The index is that of Herfindahl and Hirschman: the sum of squared shares, from
//! near 0 (many equal ones) to 10,000 (one alone).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_engine::terms::ObjectRef;

use crate::MeasureError;

/// Days before the end that count as soon.
const SOON: i64 = 90;
/// The index of one alone.
const WHOLE: i128 = 10_000;

/// CPU of a system at one that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Brand or provider; empty when not known.
    pub by: String,
    /// The system.
    pub system: ObjectRef,
    /// Observed CPU.
    pub millicores: i64,
}

/// What depends on one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Brand or provider; empty when not known.
    pub by: String,
    /// Observed CPU.
    pub millicores: i64,
    /// Systems with a part there.
    pub systems: i64,
}

/// On whom the fleet depends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concentration {
    /// The largest first, ties by name.
    pub parts: Vec<Part>,
    /// All of it.
    pub millicores: i64,
    /// The index; `None` where nothing was observed or some of it is at nobody knows whom.
    pub index: Option<i64>,
}

/// Adds up who holds what.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for negative CPU and sums out of range.
pub fn concentration(held: &[Held]) -> Result<Concentration, MeasureError> {
    const RANGE: MeasureError = MeasureError::OutOfRange("the concentration of CPU");
    let mut parts: BTreeMap<&str, (i64, BTreeSet<&ObjectRef>)> = BTreeMap::new();
    let mut all = 0_i64;
    for one in held {
        if one.millicores < 0 {
            return Err(RANGE);
        }
        let (sum, systems) = parts.entry(&one.by).or_default();
        *sum = sum.checked_add(one.millicores).ok_or(RANGE)?;
        all = all.checked_add(one.millicores).ok_or(RANGE)?;
        systems.insert(&one.system);
    }
    let known = all > 0 && !parts.contains_key("");
    let square = |sum: &i64| i128::from(*sum).pow(2);
    let index = known.then(|| parts.values().map(|(sum, _)| square(sum)).sum::<i128>() * WHOLE / square(&all));
    let part = |(by, (millicores, systems)): (&str, (i64, BTreeSet<&ObjectRef>))| Part {
        by: by.to_owned(),
        millicores,
        systems: i64::try_from(systems.len()).unwrap_or(i64::MAX),
    };
    let mut parts: Vec<Part> = parts.into_iter().map(part).collect();
    parts.sort_by(|a, b| b.millicores.cmp(&a.millicores).then_with(|| a.by.cmp(&b.by)));
    Ok(Concentration { parts, millicores: all, index: index.and_then(|index| i64::try_from(index).ok()) })
}

/// How a cluster stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierStanding {
    /// The cluster.
    pub cluster: ObjectRef,
    /// The tier that holds for certain, and its rank.
    pub tier: Option<(String, i64)>,
    /// The tier that would hold if everything unknown held.
    pub possible: Option<String>,
    /// What keeps it from the next tier.
    pub failing: Vec<String>,
    /// When the first thing that its tier rests on runs out.
    pub next_expiry: Option<Timestamp>,
}

/// How the systems of a body stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyGrades {
    /// 等保.
    pub protection: Grades,
    /// 密评.
    pub cryptography: Grades,
}

/// How one system stands in one scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Graded {
    /// Its level; `None` when nobody has graded it.
    pub level: Option<i64>,
    /// Last day of the newest verified report; `None` when there is none.
    pub until: Option<Date>,
}

/// How the systems of a body stand in one scheme: each is in exactly one count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grades {
    /// With a verified report for more than 90 days from now.
    pub valid: i64,
    /// With one that runs out within 90 days.
    pub soon: i64,
    /// With one that has run out.
    pub expired: i64,
    /// Graded, without a verified report.
    pub missing: i64,
    /// Not graded.
    pub ungraded: i64,
}

impl Grades {
    /// Counts a system as of a day.
    pub fn count(&mut self, graded: Graded, today: Date) {
        let left = |until: Date| today.until((jiff::Unit::Day, until)).map_or(0, |span| i64::from(span.get_days()));
        let count = match (graded.level, graded.until.map(left)) {
            (None, _) => &mut self.ungraded,
            (Some(_), None) => &mut self.missing,
            (Some(_), Some(left)) if left < 0 => &mut self.expired,
            (Some(_), Some(left)) if left <= SOON => &mut self.soon,
            (Some(_), Some(_)) => &mut self.valid,
        };
        *count += 1;
    }

    /// All systems.
    #[must_use]
    pub fn systems(self) -> i64 {
        self.valid + self.soon + self.expired + self.missing + self.ungraded
    }

    /// Those with a report that holds today.
    #[must_use]
    pub fn holding(self) -> i64 {
        self.valid + self.soon
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn held(by: &str, system: &str, millicores: i64) -> Held {
        Held { by: by.to_owned(), system: ObjectRef::new("InformationSystem", "ns", system), millicores }
    }

    #[test]
    fn shares_and_index_by_hand_and_the_unknown_is_a_part() {
        // 60 %, 40 %: 3,600 + 1,600 of 10,000.
        let result =
            concentration(&[held("b", "x", 2_000), held("a", "x", 3_000), held("b", "y", 2_500), held("b", "y", 0)]);
        let result = result.unwrap();
        let told: Vec<_> = result.parts.iter().map(|part| (part.by.as_str(), part.millicores, part.systems)).collect();
        assert_eq!(told, [("b", 4_500, 2), ("a", 3_000, 1)]);
        assert_eq!((result.millicores, result.index), (7_500, Some(5_200)));
        let alone = concentration(&[held("a", "x", 7)]).unwrap();
        assert_eq!(alone.index, Some(10_000));
        let unknown = concentration(&[held("a", "x", 7), held("", "y", 1)]).unwrap();
        assert_eq!((unknown.parts.len(), unknown.index), (2, None), "nobody knows who holds the rest");
        assert_eq!(concentration(&[]).unwrap().index, None);
        assert!(concentration(&[held("a", "x", i64::MAX), held("b", "x", 1)]).is_err());
        assert!(concentration(&[held("a", "x", -1)]).is_err());
    }

    #[test]
    fn each_system_is_in_one_count() {
        let mut grades = Grades::default();
        let graded = |level: Option<i64>, until| Graded { level, until };
        for one in [
            graded(None, None),
            graded(Some(3), None),
            graded(Some(3), Some(date(2026, 11, 22))),
            graded(Some(3), Some(date(2026, 11, 23))),
            graded(Some(3), Some(date(2027, 2, 21))),
            graded(Some(2), Some(date(2027, 2, 22))),
        ] {
            grades.count(one, date(2026, 11, 23));
        }
        assert_eq!(grades, Grades { valid: 1, soon: 2, expired: 1, missing: 1, ungraded: 1 });
        assert_eq!((grades.systems(), grades.holding()), (6, 3));
    }
}
