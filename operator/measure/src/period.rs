//! Beijing months and periods of them: the calendar of every bill, factor and certificate.
//!
//! Beijing has kept UTC+8 without summer time since 1991, so a fixed offset is exact for every period that is measured
//! here and needs no time-zone data. Hours start at whole UTC hours, too.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn beijing() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

/// The Beijing day of a moment.
#[must_use]
pub fn beijing_date(at: Timestamp) -> Date {
    at.to_zoned(beijing()).date()
}

/// A month that does not exist, or a period that ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a month: want YYYY-MM between 1991-10 and 8999-12, a period not ending before it starts")]
pub struct BadPeriod;

/// A month in Beijing, text form `2025-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// A month from October 1991 (the first without summer time) to the year 8999.
    ///
    /// # Errors
    /// [`BadPeriod`] for anything else.
    pub fn new(year: i16, month: i8) -> Result<Self, BadPeriod> {
        let known = (1992..9000).contains(&year) || (year == 1991 && month >= 10);
        if known && (1..=12).contains(&month) { Ok(Self { year, month }) } else { Err(BadPeriod) }
    }

    /// Reads `YYYY-MM`.
    ///
    /// # Errors
    /// [`BadPeriod`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadPeriod> {
        let (year, month) = text.split_once('-').filter(|(y, m)| y.len() == 4 && m.len() == 2).ok_or(BadPeriod)?;
        if !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return Err(BadPeriod);
        }
        Self::new(year.parse().map_err(|_| BadPeriod)?, month.parse().map_err(|_| BadPeriod)?)
    }

    /// The month a moment falls in.
    ///
    /// # Errors
    /// [`BadPeriod`] for a moment outside the years this calendar knows.
    pub fn of(at: Timestamp) -> Result<Self, BadPeriod> {
        let date = beijing_date(at);
        Self::new(date.year(), date.month())
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// Months since the year 0: differences of these are differences of months.
    #[must_use]
    pub fn index(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { year: self.year, month: self.month + 1 }
        }
    }

    /// The month before.
    ///
    /// # Errors
    /// [`BadPeriod`] for the first month of the calendar.
    pub fn previous(self) -> Result<Self, BadPeriod> {
        if self.month == 1 { Self::new(self.year - 1, 12) } else { Self::new(self.year, self.month - 1) }
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        civil::date(self.year, self.month, 1)
            .to_zoned(beijing())
            .expect("the first of a month between 1991 and 9000 is a moment in a fixed offset")
            .timestamp()
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.end().as_second() - self.start().as_second()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whole months, both ends inclusive; text form `2025-01/2025-12`, for one month `2025-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Period {
    first: Month,
    last: Month,
}

impl Period {
    /// From the first to the last month, both inclusive.
    ///
    /// # Errors
    /// [`BadPeriod`] when the last comes before the first.
    pub fn new(first: Month, last: Month) -> Result<Self, BadPeriod> {
        if first <= last { Ok(Self { first, last }) } else { Err(BadPeriod) }
    }

    /// One month.
    #[must_use]
    pub fn month(month: Month) -> Self {
        Self { first: month, last: month }
    }

    /// Reads a month `2026-10`, a quarter `2026-Q4`, a year `2026`, or months from to `2026-07/2026-12`.
    ///
    /// # Errors
    /// [`BadPeriod`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadPeriod> {
        if let Some((first, last)) = text.split_once('/') {
            return Self::new(Month::parse(first)?, Month::parse(last)?);
        }
        let (year, part) = text.split_once('-').unwrap_or((text, ""));
        let of_year = |month: &str| Month::parse(&format!("{year}-{month}"));
        match part {
            "" if text.len() == 4 => Self::new(of_year("01")?, of_year("12")?),
            "Q1" => Self::new(of_year("01")?, of_year("03")?),
            "Q2" => Self::new(of_year("04")?, of_year("06")?),
            "Q3" => Self::new(of_year("07")?, of_year("09")?),
            "Q4" => Self::new(of_year("10")?, of_year("12")?),
            _ => Month::parse(text).map(Self::month),
        }
    }

    /// The first month.
    #[must_use]
    pub fn first(self) -> Month {
        self.first
    }

    /// The last month, inclusive.
    #[must_use]
    pub fn last(self) -> Month {
        self.last
    }

    /// Whether a month lies in it.
    #[must_use]
    pub fn contains(self, month: Month) -> bool {
        self.first <= month && month <= self.last
    }

    /// Its months in order.
    pub fn months(self) -> impl Iterator<Item = Month> {
        std::iter::successors(Some(self.first), |month| Some(month.next())).take_while(move |month| *month <= self.last)
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.last.end().as_second() - self.first.start().as_second()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { self.first.fmt(f) } else { f.pad(&format!("{}/{}", self.first, self.last)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_starts_at_midnight_in_beijing() {
        let month = Month::parse("2025-06").unwrap();
        assert_eq!(month.start().to_string(), "2025-05-31T16:00:00Z");
        assert_eq!(month.seconds(), 30 * 86_400);
        let before: Timestamp = "2025-05-31T15:59:59.999Z".parse().unwrap();
        assert_eq!(Month::of(before), Month::parse("2025-05"));
        assert_eq!(Month::of(month.start()), Ok(month));
        assert_eq!(Month::parse("2024-12").unwrap().next().to_string(), "2025-01");
        assert_eq!(Month::parse("2025-01").unwrap().previous(), Month::parse("2024-12"));
        assert_eq!(Month::parse("1991-10").unwrap().previous(), Err(BadPeriod));
    }

    #[test]
    fn only_a_month_reads_as_a_month() {
        for wrong in ["2025", "2025-13", "2025-00", "25-06", "2025-6", "+025-06", "1970-01", "9000-01", "2025-06-01"] {
            assert_eq!(Month::parse(wrong), Err(BadPeriod), "{wrong}");
        }
    }

    #[test]
    fn periods_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("2026-10", "2026-10"),
            ("2026-Q1", "2026-01/2026-03"),
            ("2026-Q4", "2026-10/2026-12"),
            ("2026", "2026-01/2026-12"),
            ("2025-11/2026-02", "2025-11/2026-02"),
        ] {
            assert_eq!(Period::parse(text).unwrap().to_string(), wanted);
        }
        for wrong in ["", "26", "2026-", "2026-Q5", "2026-q1", "Q1", "2026-13", "2026-02/2026-01", "2026/2027"] {
            assert_eq!(Period::parse(wrong), Err(BadPeriod), "{wrong}");
        }
    }

    #[test]
    fn a_period_is_as_long_as_its_months() {
        let year = Period::new(Month::parse("2024-01").unwrap(), Month::parse("2024-12").unwrap()).unwrap();
        assert_eq!(year.months().count(), 12);
        assert_eq!(year.seconds(), year.months().map(Month::seconds).sum::<i64>());
        assert!(Period::new(year.last(), year.first()).is_err());
    }
}
