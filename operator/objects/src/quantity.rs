//! Kubernetes quantities, exactly: `250m`, `1.5Gi`, `1e3`, in nano-units inside an `i128`.
//!
//! Rules of `resource.Quantity` (k8s.io/apimachinery): a precision below nano is rounded away from zero, a request is
//! rounded up to whole milli-CPU or bytes. Other than Kubernetes, which caps silently, a value beyond 2^63 - 1 is
//! refused: a capped capacity would be a wrong figure.

use std::fmt;

use jiuzhou_engine::terms::{Bytes, Millicores};
use serde_json::Value;

use crate::error::{ObjectsError, QuantityFault};

const NANO: i128 = 1_000_000_000;
/// 2^63 - 1 units, the largest quantity Kubernetes keeps.
const MAX: i128 = i64::MAX as i128 * NANO;

/// How a quantity was written, and is written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `n u m k M G T P E`.
    #[default]
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// `1e3`.
    DecimalExponent,
}

/// A quantity in nano-units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// [`ObjectsError::Quantity`] for anything Kubernetes would refuse, and for values we cannot keep exactly.
    pub fn parse(text: &str) -> Result<Self, ObjectsError> {
        parse(text).map_err(|why| ObjectsError::Quantity { text: text.chars().take(64).collect(), why })
    }

    /// Reads a quantity from a manifest, where it may be a text or a number.
    ///
    /// # Errors
    /// As [`Quantity::parse`]; any other JSON type has no number.
    pub fn from_value(value: &Value) -> Result<Self, ObjectsError> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            other => Err(ObjectsError::Quantity { text: crate::object::shown(other), why: QuantityFault::NoNumber }),
        }
    }

    /// Exact sum, or `None` beyond 2^63 - 1.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let nanos = self.nanos.checked_add(other.nanos).filter(|sum| sum.abs() <= MAX)?;
        Some(Self { nanos, format: if self.nanos == 0 { other.format } else { self.format } })
    }

    /// The larger one.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if other.nanos > self.nanos { other } else { self }
    }

    /// The value in nano-units.
    #[must_use]
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// How it was written.
    #[must_use]
    pub fn format(self) -> Format {
        self.format
    }

    /// Below zero; Kubernetes reads it but refuses it as a request or limit.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whole units, as extended resources and huge pages must be.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.nanos % NANO == 0
    }

    /// Thousandths, rounded up; `None` beyond 2^63 - 1 thousandths.
    #[must_use]
    pub fn millicores(self) -> Option<Millicores> {
        i64::try_from(ceil_div(self.nanos, 1_000_000)).ok().map(Millicores)
    }

    /// Whole units, rounded up.
    #[must_use]
    pub fn units(self) -> Option<i64> {
        i64::try_from(ceil_div(self.nanos, NANO)).ok()
    }

    /// Bytes, rounded up.
    #[must_use]
    pub fn bytes(self) -> Option<Bytes> {
        self.units().map(Bytes)
    }
}

fn ceil_div(value: i128, by: i128) -> i128 {
    value.div_euclid(by) + i128::from(value.rem_euclid(by) != 0)
}

fn parse(text: &str) -> Result<Quantity, QuantityFault> {
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(QuantityFault::NoNumber);
    }
    let (format, binary, decimal) = scale(suffix)?;
    let fraction = fraction.trim_end_matches('0');
    let mut number: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = i128::from(digit - b'0');
        number = number.checked_mul(10).and_then(|n| n.checked_add(digit)).ok_or(QuantityFault::OutOfRange)?;
    }
    let places = i64::try_from(fraction.len()).map_err(|_| QuantityFault::OutOfRange)?;
    let nanos = nanos(number, binary, decimal.saturating_add(9).saturating_sub(places))?;
    Ok(Quantity { nanos: if negative { -nanos } else { nanos }, format })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// `number * 2^binary * 10^decimal`, rounded up, at most [`MAX`].
fn nanos(number: i128, binary: u32, decimal: i64) -> Result<i128, QuantityFault> {
    if number == 0 {
        return Ok(0);
    }
    let number = number.checked_mul(1 << binary).ok_or(QuantityFault::OutOfRange)?;
    let power = u32::try_from(decimal.unsigned_abs()).ok().and_then(|places| 10_i128.checked_pow(places));
    let nanos = match (decimal >= 0, power) {
        (true, Some(power)) => number.checked_mul(power).ok_or(QuantityFault::OutOfRange)?,
        (true, None) => return Err(QuantityFault::OutOfRange),
        (false, Some(power)) => ceil_div(number, power),
        (false, None) => 1, // below any nano: rounded up, as Kubernetes does
    };
    if nanos > MAX { Err(QuantityFault::OutOfRange) } else { Ok(nanos) }
}

/// Format, power of two, power of ten of a suffix.
fn scale(suffix: &str) -> Result<(Format, u32, i64), QuantityFault> {
    let decimal = |exponent| Ok((Format::DecimalSi, 0, exponent));
    let binary = |power| Ok((Format::BinarySi, power, 0));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E']).ok_or(QuantityFault::Suffix)?;
            let exponent: i64 = exponent.parse().map_err(|_| QuantityFault::Suffix)?;
            Ok((Format::DecimalExponent, 0, exponent))
        }
    }
}

/// The canonical text: no fraction, the largest suffix that keeps the value exact. A binary quantity below 1024 or
/// with a fraction is written decimally, so that nothing is lost.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let units = self.nanos / NANO;
        if self.format == Format::BinarySi && self.is_whole() && units.abs() >= 1024 {
            let (number, steps) = strip(units, 1024, 6);
            return write!(f, "{number}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][steps]);
        }
        let (number, steps) = strip(self.nanos, 1000, 9);
        if self.format == Format::DecimalExponent {
            return match steps {
                3 => write!(f, "{number}"),
                0..3 => write!(f, "{number}e-{}", (3 - steps) * 3),
                _ => write!(f, "{number}e{}", (steps - 3) * 3),
            };
        }
        write!(f, "{number}{}", ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][steps])
    }
}

/// Divides by `by` as often as it goes exactly, at most `most` times.
fn strip(mut number: i128, by: i128, most: usize) -> (i128, usize) {
    let mut steps = 0;
    while steps < most && number % by == 0 {
        number /= by;
        steps += 1;
    }
    (number, steps)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values as Kubernetes' own quantity tests state them (apimachinery, quantity_test.go): text, nanos, canonical.
    #[test]
    fn reads_and_writes_as_kubernetes_does() {
        let table: &[(&str, i128, &str)] = &[
            ("0", 0, "0"),
            ("0n", 0, "0"),
            ("0Ki", 0, "0"),
            ("0e0", 0, "0"),
            ("1n", 1, "1n"),
            ("1u", 1_000, "1u"),
            ("5m", 5_000_000, "5m"),
            ("1", NANO, "1"),
            ("1000", 1000 * NANO, "1k"),
            ("2M", 2_000_000 * NANO, "2M"),
            ("9223372036854775807", MAX, "9223372036854775807"),
            ("8E", 8_000_000_000_000_000_000 * NANO, "8E"),
            ("1E", 1_000_000_000_000_000_000 * NANO, "1E"),
            ("1E3", 1000 * NANO, "1e3"),
            ("1e+3", 1000 * NANO, "1e3"),
            ("1e-3", 1_000_000, "1e-3"),
            ("100e1", 1000 * NANO, "1e3"),
            ("1Ki", 1024 * NANO, "1Ki"),
            ("8Ki", 8192 * NANO, "8Ki"),
            ("7Mi", 7 * 1024 * 1024 * NANO, "7Mi"),
            ("6Gi", 6 * (1 << 30) * NANO, "6Gi"),
            ("5Ti", 5 * (1 << 40) * NANO, "5Ti"),
            ("4Pi", 4 * (1 << 50) * NANO, "4Pi"),
            ("3Ei", 3 * (1 << 60) * NANO, "3Ei"),
            ("1.5", 1_500_000_000, "1500m"),
            ("1.5Gi", 1536 * 1024 * 1024 * NANO, "1536Mi"),
            ("0.5Mi", 512 * 1024 * NANO, "512Ki"),
            ("0.5Ki", 512 * NANO, "512"),
            ("1.", NANO, "1"),
            (".5", 500_000_000, "500m"),
            ("+.5", 500_000_000, "500m"),
            ("-1", -NANO, "-1"),
            ("-250m", -250_000_000, "-250m"),
            ("0.0000000001", 1, "1n"),
            ("0.1n", 1, "1n"),
            ("1.0000000001", 1_000_000_001, "1000000001n"),
            ("-0.1n", -1, "-1n"),
            ("1e-400", 1, "1e-9"),
            ("0012", 12 * NANO, "12"),
        ];
        for (text, nanos, canonical) in table {
            let quantity = Quantity::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(quantity.nanos(), *nanos, "{text}");
            assert_eq!(quantity.to_string(), *canonical, "{text}");
        }
    }

    #[test]
    fn refuses_what_kubernetes_refuses() {
        for text in [
            "",
            ".",
            "+",
            "-",
            "aoeu",
            "1.1.M",
            "1+1.0M",
            "0.1mi",
            "0.1am",
            ".5i",
            "1i",
            "-3.01i",
            "-3.01e-",
            "1K",
            " 1",
            "1 ",
            "1 Gi",
            "1GB",
            "1e",
            "1ki",
            "１",
            "1e1.5",
            "1e9223372036854775808",
            "--1",
            "0x10",
            "核",
        ] {
            assert!(Quantity::parse(text).is_err(), "{text:?}");
        }
        for text in ["9223372036854775808", "16Ei", "1e19", "1e400", "10E"] {
            let error = Quantity::parse(text).unwrap_err();
            assert!(matches!(error, ObjectsError::Quantity { why: QuantityFault::OutOfRange, .. }), "{text}");
        }
    }

    #[test]
    fn requests_round_up_to_milli_and_byte() {
        let table = [("0.1m", 1, 1), ("1.0001", 1001, 2), ("1500m", 1500, 2), ("100u", 1, 1), ("2", 2000, 2)];
        for (text, milli, units) in table {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.millicores(), Some(Millicores(milli)), "{text}");
            assert_eq!(quantity.bytes(), Some(Bytes(units)), "{text}");
        }
        assert_eq!(Quantity::parse("9223372036854775807").unwrap().millicores(), None, "beyond 2^63 thousandths");
    }

    #[test]
    fn a_manifest_may_hold_numbers() {
        assert_eq!(Quantity::from_value(&serde_json::json!(2)).unwrap().millicores(), Some(Millicores(2000)));
        assert_eq!(Quantity::from_value(&serde_json::json!(0.1)).unwrap().millicores(), Some(Millicores(100)));
        assert!(Quantity::from_value(&serde_json::json!([1])).is_err());
    }

    proptest! {
        #[test]
        fn writing_and_reading_gives_the_same_value(
            nanos in -MAX..=MAX,
            format in prop_oneof![Just(Format::DecimalSi), Just(Format::BinarySi), Just(Format::DecimalExponent)],
        ) {
            let quantity = Quantity { nanos, format };
            prop_assert_eq!(Quantity::parse(&quantity.to_string()).unwrap().nanos(), nanos);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Quantity::parse(&text);
        }

        #[test]
        fn number_like_texts_never_panic(text in "[-+]?[0-9]{0,45}[.]?[0-9]{0,45}([eE][-+]?[0-9]{0,20}|[nmkMGTPE]i?)?") {
            if let Ok(quantity) = Quantity::parse(&text) {
                prop_assert!(quantity.nanos().abs() <= MAX);
            }
        }
    }
}
