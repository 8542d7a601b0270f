//! Quantities in the form an API server prints them: `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`.

/// The canonical form of a quantity, or `None` when the text is none.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    if number.is_empty() {
        return None;
    }
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let exponent = -i32::try_from(fraction.len()).ok()?;
    let printed = match suffix {
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => binary(mantissa, exponent, suffix)?,
        _ => decimal(mantissa, exponent + power(suffix)?),
    };
    Some(if negative && printed != "0" { format!("-{printed}") } else { printed })
}

fn power(suffix: &str) -> Option<i32> {
    Some(match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => return suffix.strip_prefix(['e', 'E'])?.parse().ok(),
    })
}

/// The largest power of a thousand that leaves a whole number.
fn decimal(mut mantissa: i128, mut exponent: i32) -> String {
    if mantissa == 0 {
        return "0".to_owned();
    }
    // Nano is the smallest; more is rounded up, as Kubernetes does.
    while exponent < -9 {
        mantissa = (mantissa + 9) / 10;
        exponent += 1;
    }
    while exponent % 3 != 0 {
        mantissa *= 10;
        exponent -= 1;
    }
    while mantissa % 1000 == 0 && exponent < 18 {
        mantissa /= 1000;
        exponent += 3;
    }
    while exponent > 18 {
        mantissa *= 1000;
        exponent -= 3;
    }
    let suffix = match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    };
    format!("{mantissa}{suffix}")
}

/// The largest power of 1024 that leaves a whole number; below 1024 it is a plain number of bytes.
fn binary(mantissa: i128, exponent: i32, suffix: &str) -> Option<String> {
    let names = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let power = names.iter().position(|name| *name == suffix)?;
    let divisor = 10_i128.checked_pow(exponent.unsigned_abs())?;
    let bytes = mantissa.checked_mul(1024_i128.checked_pow(u32::try_from(power).ok()?)?)?;
    if bytes % divisor != 0 {
        // A fraction of a byte is printed in the decimal form.
        return Some(decimal(bytes, exponent));
    }
    let (mut bytes, mut at) = (bytes / divisor, 0);
    while bytes != 0 && bytes % 1024 == 0 && at + 1 < names.len() {
        bytes /= 1024;
        at += 1;
    }
    Some(format!("{bytes}{}", names[at]))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn quantities_have_one_form() {
        for (given, wanted) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1500Mi", "1500Mi"),
            ("1.5Gi", "1536Mi"),
            ("0", "0"),
            ("100", "100"),
            ("2000", "2k"),
            ("1e3", "1k"),
            ("-250m", "-250m"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(wanted), "{given}");
        }
        assert_eq!(canonical("4 cores"), None);
        assert_eq!(canonical(""), None);
    }
}
