//! CPU requests from one platform to another, only with performance that somebody declared and answers for.

use crate::terms::Millicores;

/// Relative throughput of one Kubernetes cpu in thousandths of the reference platform's. Positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Performance(i64);

impl Performance {
    /// `None` unless positive.
    #[must_use]
    pub fn new(per_mille: i64) -> Option<Self> {
        (per_mille > 0).then_some(Self(per_mille))
    }

    /// Thousandths.
    #[must_use]
    pub fn per_mille(self) -> i64 {
        self.0
    }
}

/// `ceil_to_10m(request x reference / target)`, never below 10m for a request above 0; the request itself where either
/// performance is not declared (the caller reports that). `None` out of range or for a negative request.
#[must_use]
pub fn convert_cpu(
    request: Millicores,
    reference: Option<Performance>,
    target: Option<Performance>,
) -> Option<Millicores> {
    if request.0 < 0 {
        return None;
    }
    let (Some(reference), Some(target)) = (reference, target) else { return Some(request) };
    let product = i128::from(request.0) * i128::from(reference.0);
    let tens = i128::from(target.0) * 10;
    let steps = (product + tens - 1) / tens;
    i64::try_from(steps * 10).ok().map(Millicores)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the formula: 4 cpu at 0.67 of the reference are 5.9701 cpu, rounded up to 10m.
    #[test]
    fn four_cpus_on_a_slower_chip_become_nearly_six() {
        let reference = Performance::new(1000);
        assert_eq!(convert_cpu(Millicores(4000), reference, Performance::new(670)), Some(Millicores(5980)));
    }

    #[test]
    fn nothing_is_converted_without_declared_performance() {
        assert_eq!(convert_cpu(Millicores(1234), Performance::new(1000), None), Some(Millicores(1234)));
        assert_eq!(Performance::new(0), None);
    }

    #[test]
    fn a_small_request_stays_at_least_ten_and_a_huge_one_is_refused() {
        let (fast, slow) = (Performance::new(i64::MAX), Performance::new(1));
        assert_eq!(convert_cpu(Millicores(1), slow, fast), Some(Millicores(10)));
        assert_eq!(convert_cpu(Millicores(0), slow, fast), Some(Millicores(0)));
        assert_eq!(convert_cpu(Millicores(i64::MAX), fast, slow), None);
        assert_eq!(convert_cpu(Millicores(-1), None, None), None);
    }
}
