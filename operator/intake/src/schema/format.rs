//! The formats an API server checks (its list of supported ones); others are documentation, as there.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether text has a format. Formats that an API server does not know pass.
pub(super) fn holds(format: &str, text: &str) -> bool {
    match format {
        // RFC 3339: the zone is part of it.
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "uuid" => is_uuid(text),
        "byte" => is_base64(text),
        _ => true,
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let Ok(bits) = bits.parse::<u8>() else { return false };
    address.parse::<Ipv4Addr>().is_ok() && bits <= 32 || address.parse::<Ipv6Addr>().is_ok() && bits <= 128
}

fn is_uuid(text: &str) -> bool {
    let hex: Vec<&str> = text.split('-').collect();
    hex.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && hex.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// The range of a whole-number format.
pub(super) fn integer_range(format: &str) -> Option<(i64, i64)> {
    match format {
        "int32" => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        "int64" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_hold_and_break() {
        for (format, good, bad) in [
            ("date-time", "2026-01-31T00:00:00+08:00", "2026-01-31 00:00"),
            ("date", "2024-02-29", "2023-02-29"),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "fd00::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("byte", "YQ==", "YQ="),
        ] {
            assert!(holds(format, good), "{format} {good}");
            assert!(!holds(format, bad), "{format} {bad}");
        }
        assert!(holds("a-format-nobody-knows", "x"));
    }
}
