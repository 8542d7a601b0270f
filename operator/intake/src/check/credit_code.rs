//! 统一社会信用代码: the check character of GB 32100-2015.
//!
//! 17 characters of a 31-letter alphabet, each times 3^i mod 31; the 18th makes the sum 0 mod 31.

/// The alphabet of GB 32100: digits and capitals without I, O, S, V, Z, in order of value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The check character that the first 17 characters demand; `None` when one of them is not of the alphabet or the
/// length is not 18.
#[must_use]
pub fn check_character(code: &str) -> Option<char> {
    let bytes = code.as_bytes();
    if bytes.len() != 18 {
        return None;
    }
    let mut sum = 0usize;
    let mut weight = 1usize;
    for byte in bytes.iter().take(17) {
        sum += ALPHABET.iter().position(|letter| letter == byte)? * weight;
        weight = weight * 3 % 31;
    }
    let value = (31 - sum % 31) % 31;
    ALPHABET.get(value).copied().map(char::from)
}

/// Whether a code is valid.
#[must_use]
pub fn is_valid(code: &str) -> bool {
    check_character(code).is_some_and(|check| code.ends_with(check))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes that companies print in their public reports.
    #[test]
    fn published_codes_are_valid_and_one_slip_breaks_them() {
        for code in ["91330106673959654P", "914403001922038216", "91440300708461136T"] {
            assert!(is_valid(code), "{code}: {:?}", check_character(code));
        }
        assert!(!is_valid("91330106673959645P"));
        assert!(!is_valid("9133010667395965"));
        assert!(!is_valid("9133010667395965O4"));
    }
}
