//! Splits a whole number exactly: the largest-remainder rule of every division in this room.
//!
//! Each part gets the floor of its exact share; what is left goes, one by one, to the largest fractions, ties to the
//! smaller name. The parts sum to the whole, no part is negative, a weight of zero gets nothing, and the order of the
//! input changes nothing.

use crate::MeasureError;

/// Splits `total` by `weights` (name, weight). The result is in the order of the input; names must differ.
///
/// With all weights zero nothing is given away: every part is zero and the caller keeps the total.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for a negative total or weight or a product beyond `i128`;
/// [`MeasureError::Repeated`] for two equal names.
pub fn apportion(total: i64, weights: &[(&str, i128)], what: &'static str) -> Result<Vec<i64>, MeasureError> {
    let sum = weights.iter().try_fold(0_i128, |sum, (_, weight)| (*weight >= 0).then_some(sum)?.checked_add(*weight));
    let sum = sum.filter(|_| total >= 0).ok_or(MeasureError::OutOfRange(what))?;
    let mut names: Vec<_> = weights.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(MeasureError::Repeated { what, name: twice[0].to_owned() });
    }
    if sum == 0 {
        return Ok(vec![0; weights.len()]);
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut fractions = Vec::with_capacity(weights.len());
    let mut rest = total;
    for (index, (name, weight)) in weights.iter().enumerate() {
        let product = weight.checked_mul(i128::from(total)).ok_or(MeasureError::OutOfRange(what))?;
        let part = i64::try_from(product / sum).map_err(|_| MeasureError::OutOfRange(what))?;
        rest -= part;
        parts.push(part);
        fractions.push((product % sum, *name, index));
    }
    // The floors miss the total by less than one per part, and only parts with a fraction are missing any.
    fractions.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    for (_, _, index) in fractions {
        if rest == 0 {
            break;
        }
        parts[index] += 1;
        rest -= 1;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_fraction_gets_the_rest_and_the_smaller_name_wins_a_tie() {
        assert_eq!(apportion(10, &[("c", 1), ("a", 1), ("b", 1)], "t"), Ok(vec![3, 4, 3]));
        assert_eq!(apportion(10, &[("a", 2), ("b", 7), ("c", 0)], "t"), Ok(vec![2, 8, 0]));
        assert_eq!(apportion(7, &[("a", 0), ("b", 0)], "t"), Ok(vec![0, 0]));
    }

    #[test]
    fn what_cannot_be_split_is_an_error() {
        assert!(apportion(-1, &[("a", 1)], "t").is_err());
        assert!(apportion(1, &[("a", -1)], "t").is_err());
        assert!(apportion(1, &[("a", 1), ("a", 1)], "t").is_err());
        assert!(apportion(i64::MAX, &[("a", i128::MAX)], "t").is_err());
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_whole_in_any_order(
            total in 0..i64::MAX,
            weights in prop::collection::vec(0..i128::from(u32::MAX), 1..9),
            turn in 0usize..9,
        ) {
            let names: Vec<_> = (0..weights.len()).map(|i| format!("n{i}")).collect();
            let mut input: Vec<_> = names.iter().map(String::as_str).zip(weights.iter().copied()).collect();
            let parts = apportion(total, &input, "t").unwrap();
            if weights.iter().any(|w| *w > 0) {
                prop_assert_eq!(parts.iter().sum::<i64>(), total);
            }
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*part >= 0);
                prop_assert!(*weight > 0 || *part == 0);
            }
            let turn = turn % input.len();
            input.rotate_left(turn);
            let mut turned = apportion(total, &input, "t").unwrap();
            turned.rotate_right(turn);
            prop_assert_eq!(turned, parts);
        }
    }
}
