//! Dates of the resources as instants: a date is a Beijing day, an end is inclusive, a month is a Beijing month.
//!
//! China has had one offset all year since 1992, so no time zone table is needed; earlier days do not occur in the
//! resources and are read with the same offset.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use jiuzhou_engine::decide::input::Term;

/// UTC+8.
const BEIJING: Offset = Offset::constant(8);

/// The first instant of a day; `None` when the text is no day of the calendar (`2025-02-30`).
#[must_use]
pub fn start(day: &str) -> Option<Timestamp> {
    instant(day.parse().ok()?)
}

/// The first instant after a day that is meant inclusively.
#[must_use]
pub fn end(day: &str) -> Option<Timestamp> {
    let day: Date = day.parse().ok()?;
    instant(day.tomorrow().ok()?)
}

/// The last whole second of a day.
#[must_use]
pub fn last_second(day: Date) -> Option<Timestamp> {
    instant(day.tomorrow().ok()?)?.checked_sub(1.second()).ok()
}

/// A term from its first day to its last.
#[must_use]
pub fn term(from: Option<&str>, until: Option<&str>) -> Option<Term> {
    let from = from.map(|day| start(day).ok_or(())).transpose().ok()?;
    let until = until.map(|day| end(day).ok_or(())).transpose().ok()?;
    Some(Term { from, until })
}

/// The day in Beijing at an instant.
#[must_use]
pub fn day(at: Timestamp) -> Date {
    BEIJING.to_datetime(at).date()
}

/// The first instant of the day so many months after the day of an instant.
#[must_use]
pub fn months_after(at: Timestamp, months: i32) -> Option<Timestamp> {
    instant(day(at).checked_add(months.months()).ok()?)
}

fn instant(day: Date) -> Option<Timestamp> {
    TimeZone::fixed(BEIJING).to_timestamp(day.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_beijing() {
        assert_eq!(start("2026-01-01").unwrap().to_string(), "2025-12-31T16:00:00Z");
        assert_eq!(end("2025-12-31").unwrap().to_string(), "2025-12-31T16:00:00Z");
        assert_eq!(start("2025-02-30"), None);
        assert_eq!(day("2025-12-31T16:00:00Z".parse().unwrap()).to_string(), "2026-01-01");
    }

    #[test]
    fn a_term_holds_through_its_last_day() {
        let term = term(Some("2025-01-01"), Some("2025-12-31")).unwrap();
        assert!(term.holds("2025-12-31T15:59:59Z".parse().unwrap()));
        assert!(!term.holds("2025-12-31T16:00:00Z".parse().unwrap()));
        assert_eq!(super::term(Some("2025-13-01"), None), None);
    }
}
