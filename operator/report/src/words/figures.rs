//! How figures are written: units, decimals, grouping, time.
//!
//! Everything is integer arithmetic, so the same value gives the same text everywhere. Values are cut, not rounded
//! up: room is never shown larger, and a share is never shown as 100 % before it is whole. Time is Beijing time (no
//! daylight saving since 1991, so a fixed offset is exact for every date this project knows).

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};

use super::Lang;

/// The unit of a quantity; the figure is an integer of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Thousandths of a CPU, shown as CPU.
    Millicores,
    /// Bytes, shown with binary prefixes.
    Bytes,
    /// Thousandths of a watt-hour, shown as kWh.
    MilliwattHours,
    /// Milligrams of CO2, shown as t, kg or g.
    MilligramsCo2,
    /// Fen, shown as yuan.
    Fen,
    /// Thousandths of a ratio, e.g. a PUE.
    PerMille,
    /// Percent.
    Percent,
    /// Points of a score.
    Points,
    /// Days.
    Days,
    /// Seconds, shown as hours.
    Seconds,
    /// Thousandths of whatever is counted.
    Thousandths,
    /// Millionths of a fen, shown as yuan.
    MicroFen,
}

impl Unit {
    /// The stable key in JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Millicores => "millicores",
            Self::Bytes => "bytes",
            Self::MilliwattHours => "milliwattHours",
            Self::MilligramsCo2 => "milligramsCo2",
            Self::Fen => "fen",
            Self::PerMille => "perMille",
            Self::Percent => "percent",
            Self::Points => "points",
            Self::Days => "days",
            Self::Seconds => "seconds",
            Self::Thousandths => "thousandths",
            Self::MicroFen => "microFen",
        }
    }
}

/// A whole number with thousands grouped by commas, as both languages do in statistics.
#[must_use]
pub fn grouped(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", group(value.unsigned_abs()))
}

fn group(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `value / scale` with between `least` and `most` decimals, cut towards zero.
fn decimal(value: i64, scale: u64, least: usize, most: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let places = u128::from(10_u64.pow(most));
    let fraction = u128::from(magnitude % scale) * places / u128::from(scale);
    let width = usize::try_from(most).unwrap_or(0);
    let mut fraction = format!("{fraction:0width$}");
    while fraction.len() > least && fraction.ends_with('0') {
        fraction.pop();
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", group(magnitude / scale))
}

/// A figure with its unit, as a person of that language writes it.
#[must_use]
pub fn quantity(value: i64, unit: Unit, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match unit {
        Unit::Millicores => format!("{} {}", decimal(value, 1000, 0, 3), if zh { "核" } else { "CPU" }),
        Unit::Bytes => bytes(value),
        Unit::MilliwattHours => format!("{} kWh", decimal(value, 1_000_000, 0, 3)),
        Unit::MilligramsCo2 => {
            let (scale, name) = match value.unsigned_abs() {
                1_000_000_000.. => (1_000_000_000, "t"),
                1_000_000.. => (1_000_000, "kg"),
                _ => (1_000, "g"),
            };
            format!("{} {name}CO2", decimal(value, scale, 0, 3))
        }
        Unit::Fen => format!("{} {}", decimal(value, 100, 2, 2), if zh { "元" } else { "CNY" }),
        Unit::PerMille => decimal(value, 1000, 2, 3),
        Unit::Percent => percent(&grouped(value), lang),
        Unit::Points => format!("{} {}", grouped(value), if zh { "分" } else { "points" }),
        Unit::Days => {
            let name = match (zh, value) {
                (true, _) => "天",
                (false, 1) => "day",
                (false, _) => "days",
            };
            format!("{} {name}", grouped(value))
        }
        Unit::Seconds => format!("{} {}", decimal(value, 3600, 0, 2), if zh { "小时" } else { "h" }),
        Unit::Thousandths => decimal(value, 1000, 0, 3),
        Unit::MicroFen => format!("{} {}", decimal(value, 100_000_000, 2, 8), if zh { "元" } else { "CNY" }),
    }
}

fn bytes(value: i64) -> String {
    const STEPS: [(u32, &str); 5] = [(50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    for (power, name) in STEPS {
        let scale = 1_u64 << power;
        if value.unsigned_abs() >= scale {
            return format!("{} {name}", decimal(value, scale, 0, 2));
        }
    }
    format!("{} B", grouped(value))
}

fn percent(number: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{number} %"),
        Lang::Zh => format!("{number}%"),
    }
}

/// A share with its numerator and denominator; `None` when there is no whole to have a share of (不适用).
#[must_use]
pub fn ratio(part: i64, whole: i64, lang: Lang) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let tenths = i128::from(part) * 1000 / i128::from(whole);
    let number = if part != 0 && tenths == 0 {
        "<0.1".to_owned()
    } else {
        decimal(i64::try_from(tenths).unwrap_or(i64::MAX), 10, 1, 1)
    };
    let counts = format!("{}/{}", grouped(part), grouped(whole));
    Some(format!("{}{}", percent(&number, lang), lang.bracketed(&counts)))
}

/// A point in time as Beijing time to the second, with the offset written out.
#[must_use]
pub fn beijing(time: Timestamp) -> String {
    time.to_zoned(TimeZone::fixed(offset(8))).strftime("%Y-%m-%d %H:%M:%S +08:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        let cases = [
            (12_500, Unit::Millicores, "12.5 CPU", "12.5 核"),
            (1, Unit::Millicores, "0.001 CPU", "0.001 核"),
            (8 << 30, Unit::Bytes, "8 GiB", "8 GiB"),
            ((8 << 30) - 1, Unit::Bytes, "7.99 GiB", "7.99 GiB"),
            (-1023, Unit::Bytes, "-1,023 B", "-1,023 B"),
            (1_234_567_890_123, Unit::MilliwattHours, "1,234,567.89 kWh", "1,234,567.89 kWh"),
            (570_300_000, Unit::MilligramsCo2, "570.3 kgCO2", "570.3 kgCO2"),
            (123_450, Unit::Fen, "1,234.50 CNY", "1,234.50 元"),
            (1250, Unit::PerMille, "1.25", "1.25"),
            (1300, Unit::PerMille, "1.30", "1.30"),
            (60, Unit::Percent, "60 %", "60%"),
            (1, Unit::Days, "1 day", "1 天"),
            (744 * 3600, Unit::Seconds, "744 h", "744 小时"),
            (5400, Unit::Seconds, "1.5 h", "1.5 小时"),
            (500, Unit::Thousandths, "0.5", "0.5"),
            (2_100_000, Unit::MicroFen, "0.021 CNY", "0.021 元"),
            (8_000_000, Unit::MicroFen, "0.08 CNY", "0.08 元"),
            (1, Unit::MicroFen, "0.00000001 CNY", "0.00000001 元"),
        ];
        for (value, unit, en, zh) in cases {
            assert_eq!(quantity(value, unit, Lang::En), en);
            assert_eq!(quantity(value, unit, Lang::Zh), zh);
        }
    }

    #[test]
    fn a_share_is_never_shown_larger_than_it_is_nor_as_nothing() {
        assert_eq!(ratio(9_999, 10_000, Lang::En).as_deref(), Some("99.9 % (9,999/10,000)"));
        assert_eq!(ratio(1, 10_000, Lang::Zh).as_deref(), Some("<0.1%（1/10,000）"));
        assert_eq!(ratio(0, 7, Lang::En).as_deref(), Some("0.0 % (0/7)"));
        assert_eq!(ratio(0, 0, Lang::En), None);
        assert!(ratio(i64::MAX, i64::MAX, Lang::En).is_some_and(|text| text.starts_with("100.0 %")));
    }

    #[test]
    fn the_ends_of_the_range_have_a_text() {
        for unit in [Unit::Bytes, Unit::Fen, Unit::MilligramsCo2, Unit::MilliwattHours] {
            assert!(quantity(i64::MIN, unit, Lang::En).starts_with('-'));
            assert!(!quantity(i64::MAX, unit, Lang::Zh).starts_with('-'));
        }
    }

    #[test]
    fn midnight_in_beijing_is_the_next_day() {
        let time: Timestamp = "2026-11-22T16:00:00Z".parse().expect("a time");
        assert_eq!(beijing(time), "2026-11-23 00:00:00 +08:00");
    }
}
