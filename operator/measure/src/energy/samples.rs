//! Integrates readings into hours and months.
//!
//! Power samples are joined by straight lines, counters by their difference; both only across gaps up to a declared
//! length. A longer gap is listed, never filled in. Rounding: energy is summed in microjoules and cut to milliwatt-hours
//! on the running sum, so that hours add up to the total and nothing is lost but the last fraction.
//! Counter rule (Kepler `calculateEnergyDelta`): a fall is a wrap when the maximum is known, otherwise a reset that
//! counts as nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, MilliwattHours, Milliwatts, ObjectRef, Reason, Value};
use serde::Serialize;

use crate::{BadPeriod, LeftOut, MeasureError, Month, Period, Ratio};

const HOUR_MS: i64 = 3_600_000;
/// Microjoules (milliwatts times milliseconds) in a milliwatt-hour.
const PER_MWH: i128 = 3_600_000;
/// No gap longer than this may be bridged, whatever is asked for.
const LONGEST_GAP_MS: i64 = 31 * 24 * HOUR_MS;

/// Power at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PowerSample {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub power: Milliwatts,
}

/// An energy counter at a moment, in microjoules (RAPL's own unit; joules x 1,000,000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CounterSample {
    /// When.
    pub at: Timestamp,
    /// The reading in microjoules.
    pub microjoules: i64,
}

/// Energy and sampled time of one hour or month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Energy.
    pub energy: MilliwattHours,
    /// Time covered by samples that are close enough, in milliseconds.
    pub covered_ms: i64,
}

/// Time without samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The sample before.
    pub from: Timestamp,
    /// The sample after.
    pub to: Timestamp,
    /// What a counter says was used in it, when exactly is not known; `None` for power samples, wraps and resets.
    pub energy: Option<MilliwattHours>,
}

/// What samples of one source add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// By the first moment of each hour; hours without samples are absent.
    pub hours: BTreeMap<Timestamp, Bucket>,
    /// Gaps that were too long.
    pub gaps: Vec<Gap>,
    /// Readings that did not count, gaps and resets, as findings about the source.
    pub left_out: Vec<LeftOut>,
}

impl Series {
    /// Energy and coverage by Beijing month. Energy in a long gap of a counter counts when the gap lies in one month.
    ///
    /// # Errors
    /// [`MeasureError`] when a sum leaves its range or an hour lies outside the calendar.
    pub fn months(&self) -> Result<BTreeMap<Month, Bucket>, MeasureError> {
        let mut months = BTreeMap::<Month, Bucket>::new();
        let mut add = |at: Timestamp, energy: MilliwattHours, covered: i64| -> Result<(), MeasureError> {
            let bucket = months.entry(Month::of(at).map_err(outside)?).or_default();
            bucket.energy = bucket.energy.checked_add(energy).ok_or(MeasureError::OutOfRange("monthly energy"))?;
            bucket.covered_ms += covered;
            Ok(())
        };
        for (hour, bucket) in &self.hours {
            add(*hour, bucket.energy, bucket.covered_ms)?;
        }
        for gap in &self.gaps {
            let Some(energy) = gap.energy else { continue };
            let month = Month::of(gap.from).map_err(outside)?;
            if gap.to <= month.end() {
                add(gap.from, energy, 0)?;
            }
        }
        Ok(months)
    }

    /// The share of a period's time that is covered by samples, in milliseconds.
    #[must_use]
    pub fn coverage(&self, period: Period) -> Ratio {
        let covered = self.hours.range(period.first().start()..period.last().end()).map(|(_, b)| b.covered_ms).sum();
        Ratio::new(covered, period.seconds().saturating_mul(1000))
    }
}

fn outside(_: BadPeriod) -> MeasureError {
    MeasureError::OutOfRange("the month of a sample")
}

/// Integrates power samples of one source. Order does not matter; of several samples at one moment the lowest counts.
///
/// # Errors
/// [`MeasureError::Setting`] unless `max_gap_ms` is above zero and at most 31 days; [`MeasureError::OutOfRange`].
pub fn integrate_power(source: &ObjectRef, samples: &[PowerSample], max_gap_ms: i64) -> Result<Series, MeasureError> {
    check_gap(max_gap_ms)?;
    let mut series = Series::default();
    let mut sorted = Vec::with_capacity(samples.len());
    for sample in samples {
        if sample.power.0 < 0 {
            series.invalid(source, Value::Int(sample.power.0), "0 mW or more");
        } else {
            sorted.push(*sample);
        }
    }
    sorted.sort_unstable();
    sorted.dedup_by_key(|sample| sample.at);
    let mut meter = Meter::default();
    for pair in sorted.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let span = ms(to.at) - ms(from.at);
        if span == 0 {
            continue;
        }
        if span > max_gap_ms {
            series.gap(source, Gap { from: from.at, to: to.at, energy: None }, max_gap_ms);
            continue;
        }
        let (first, slope) = (i128::from(from.power.0), i128::from(to.power.0) - i128::from(from.power.0));
        meter.spread(ms(from.at), span, |passed| {
            let passed = i128::from(passed);
            let triangle = slope.checked_mul(passed.checked_mul(passed)?)?.div_euclid(2 * i128::from(span));
            first.checked_mul(passed)?.checked_add(triangle)
        })?;
    }
    series.hours = meter.hours()?;
    series.left_out.sort_unstable();
    Ok(series)
}

/// Integrates readings of one counter. `max` is the reading after which it starts again at zero, where it is known.
///
/// # Errors
/// [`MeasureError::Setting`] unless `max_gap_ms` is above zero and at most 31 days; [`MeasureError::OutOfRange`].
pub fn integrate_counter(
    source: &ObjectRef,
    samples: &[CounterSample],
    max: Option<i64>,
    max_gap_ms: i64,
) -> Result<Series, MeasureError> {
    check_gap(max_gap_ms)?;
    let max = max.filter(|max| *max > 0);
    let mut series = Series::default();
    let mut sorted = Vec::with_capacity(samples.len());
    for sample in samples {
        if sample.microjoules < 0 || max.is_some_and(|max| sample.microjoules > max) {
            series.invalid(source, Value::Int(sample.microjoules), "a reading from 0 to the counter's maximum");
        } else {
            sorted.push(*sample);
        }
    }
    sorted.sort_unstable();
    sorted.dedup_by_key(|sample| sample.at);
    let mut meter = Meter::default();
    for pair in sorted.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let span = ms(to.at) - ms(from.at);
        if span == 0 {
            continue;
        }
        let forward = to.microjoules >= from.microjoules;
        let delta = match (forward, max) {
            (true, _) => to.microjoules - from.microjoules,
            // Both readings are within the maximum, so neither difference can be negative.
            (false, Some(max)) => (max - from.microjoules)
                .checked_add(to.microjoules)
                .ok_or(MeasureError::OutOfRange("a counter's difference"))?,
            (false, None) => {
                series.left_out.push(LeftOut {
                    subject: source.clone(),
                    reason: Reason::new(Code::CounterReset)
                        .object(source.name.as_str())
                        .seen(to.microjoules)
                        .wanted(from.microjoules),
                });
                continue;
            }
        };
        if span > max_gap_ms {
            // With a known maximum it may have gone round more than once: then nothing is known.
            let energy = (forward && max.is_none()).then_some(MilliwattHours(delta / 3_600_000));
            series.gap(source, Gap { from: from.at, to: to.at, energy }, max_gap_ms);
            continue;
        }
        meter.spread(ms(from.at), span, |passed| {
            Some(i128::from(delta).checked_mul(i128::from(passed))? / i128::from(span))
        })?;
    }
    series.hours = meter.hours()?;
    series.left_out.sort_unstable();
    Ok(series)
}

impl Series {
    fn invalid(&mut self, source: &ObjectRef, seen: Value, wanted: &str) {
        let reason = Reason::new(Code::ReadingInvalid).object(source.name.as_str()).seen(seen).wanted(wanted);
        self.left_out.push(LeftOut { subject: source.clone(), reason });
    }

    fn gap(&mut self, source: &ObjectRef, gap: Gap, max_gap_ms: i64) {
        let seen = format!("{}/{}", gap.from, gap.to);
        let reason = Reason::new(Code::SampleGap)
            .object(source.name.as_str())
            .seen(seen)
            .wanted(format!("{} s", max_gap_ms / 1000));
        self.left_out.push(LeftOut { subject: source.clone(), reason });
        self.gaps.push(gap);
    }
}

fn check_gap(max_gap_ms: i64) -> Result<(), MeasureError> {
    if (1..=LONGEST_GAP_MS).contains(&max_gap_ms) {
        Ok(())
    } else {
        Err(MeasureError::Setting("the longest bridged gap is from 1 ms to 31 days"))
    }
}

fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// Microjoules and covered milliseconds by hour number.
#[derive(Default)]
struct Meter(BTreeMap<i64, (i128, i64)>);

impl Meter {
    /// Adds an interval; `energy(passed)` is what was used `passed` ms after its start, in microjoules.
    fn spread(&mut self, start: i64, span: i64, energy: impl Fn(i64) -> Option<i128>) -> Result<(), MeasureError> {
        const RANGE: MeasureError = MeasureError::OutOfRange("energy of samples");
        let mut done = 0;
        let mut before = 0;
        while done < span {
            let hour = (start + done).div_euclid(HOUR_MS);
            let until = span.min((hour + 1) * HOUR_MS - start);
            let after = energy(until).ok_or(RANGE)?;
            let bucket = self.0.entry(hour).or_default();
            bucket.0 = bucket.0.checked_add(after - before).ok_or(RANGE)?;
            bucket.1 += until - done;
            (done, before) = (until, after);
        }
        Ok(())
    }

    fn hours(self) -> Result<BTreeMap<Timestamp, Bucket>, MeasureError> {
        const RANGE: MeasureError = MeasureError::OutOfRange("energy of samples");
        let mut running = 0_i128;
        let mut told = 0_i128;
        let mut hours = BTreeMap::new();
        for (hour, (microjoules, covered_ms)) in self.0 {
            running = running.checked_add(microjoules).ok_or(RANGE)?;
            let total = running / PER_MWH;
            let energy = i64::try_from(total - told).map_err(|_| RANGE)?;
            told = total;
            // An hour that holds a sample may still start before the first moment jiff knows.
            let start = Timestamp::from_millisecond(hour * HOUR_MS).map_err(|_| RANGE)?;
            hours.insert(start, Bucket { energy: MilliwattHours(energy), covered_ms });
        }
        Ok(hours)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source() -> ObjectRef {
        ObjectRef::new("MemberCluster", "", "昆明一号")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_750_000_000 - 1_750_000_000 % 3600 + seconds).unwrap()
    }

    fn power(samples: &[(i64, i64)], gap: i64) -> Series {
        let samples: Vec<_> =
            samples.iter().map(|(s, mw)| PowerSample { at: at(*s), power: Milliwatts(*mw) }).collect();
        integrate_power(&source(), &samples, gap * 1000).unwrap()
    }

    fn counter(samples: &[(i64, i64)], max: Option<i64>, gap: i64) -> Series {
        let samples: Vec<_> = samples.iter().map(|(s, uj)| CounterSample { at: at(*s), microjoules: *uj }).collect();
        integrate_counter(&source(), &samples, max, gap * 1000).unwrap()
    }

    fn total(series: &Series) -> i64 {
        series.hours.values().map(|b| b.energy.0).sum()
    }

    #[test]
    fn a_constant_hundred_watts_for_two_hours_is_two_hundred_watt_hours() {
        let series = power(&[(1800, 100_000), (5400, 100_000), (9000, 100_000)], 3600);
        let hours: Vec<_> = series.hours.values().map(|b| (b.energy.0, b.covered_ms)).collect();
        assert_eq!(hours, [(50_000, 1_800_000), (100_000, 3_600_000), (50_000, 1_800_000)]);
    }

    #[test]
    fn a_rising_line_gives_each_hour_its_own_part() {
        let series = power(&[(0, 0), (7200, 200_000)], 7200);
        let hours: Vec<_> = series.hours.values().map(|b| b.energy.0).collect();
        assert_eq!(hours, [50_000, 150_000]);
    }

    #[test]
    fn a_gap_is_listed_and_not_filled() {
        let series = power(&[(0, 100_000), (60, 100_000), (7260, 100_000), (7320, 100_000)], 300);
        assert_eq!(total(&series), 2 * 100_000 / 60);
        assert_eq!(series.gaps.len(), 1);
        assert_eq!(series.left_out[0].reason.code, Code::SampleGap);
        let month = Period::month(Month::of(at(0)).unwrap());
        assert_eq!(series.coverage(month), Ratio::new(120_000, month.seconds() * 1000));
    }

    /// Kepler's rule in its own terms: 1,000 of 1,200 then 100 is 300; without a maximum it is nothing.
    #[test]
    fn a_counter_wraps_at_its_maximum_and_a_reset_counts_as_nothing() {
        let unit = 3_600_000;
        let samples = [(0, 1000 * unit), (60, 100 * unit)];
        assert_eq!(total(&counter(&samples, Some(1200 * unit), 300)), 300);
        let reset = counter(&samples, None, 300);
        assert_eq!(total(&reset), 0);
        assert_eq!(reset.left_out[0].reason.code, Code::CounterReset);
        assert_eq!(total(&counter(&[(0, 100 * unit), (60, 350 * unit)], None, 300)), 250);
    }

    #[test]
    fn a_counter_knows_what_a_long_gap_used_but_not_when() {
        let series = counter(&[(0, 0), (86_400, 3_600_000_000)], None, 300);
        assert!(series.hours.is_empty());
        assert_eq!(series.gaps[0].energy, Some(MilliwattHours(1000)));
        let months = series.months().unwrap();
        assert_eq!(months.values().next().map(|b| (b.energy.0, b.covered_ms)), Some((1000, 0)));
        assert_eq!(counter(&[(0, 0), (86_400, 5)], Some(10), 300).gaps[0].energy, None);
    }

    #[test]
    fn impossible_readings_are_listed() {
        assert_eq!(power(&[(0, -1)], 60).left_out[0].reason.code, Code::ReadingInvalid);
        assert_eq!(counter(&[(0, 11)], Some(10), 60).left_out[0].reason.code, Code::ReadingInvalid);
        assert!(integrate_power(&source(), &[], 0).is_err());
        let ends = [
            PowerSample { at: Timestamp::MIN, power: Milliwatts(i64::MAX) },
            PowerSample { at: Timestamp::MAX, power: Milliwatts(i64::MAX) },
        ];
        assert!(integrate_power(&source(), &ends, 1000).unwrap().hours.is_empty());
    }

    proptest! {
        #[test]
        fn hours_add_up_and_order_does_not_matter(
            mut samples in prop::collection::vec((0i64..200_000, 0i64..1_000_000), 2..40),
            turn in 0usize..40,
        ) {
            let series = power(&samples, 200_000);
            let mut sorted = samples.clone();
            sorted.sort_unstable();
            sorted.dedup_by_key(|s| s.0);
            let twice: i128 = sorted.windows(2).map(|p| i128::from(p[1].0 - p[0].0) * i128::from(p[0].1 + p[1].1)).sum();
            // Exact area in mW s over 2; each interval may lose less than one microjoule.
            let exact = twice * 1000 / 2 / PER_MWH;
            prop_assert!((exact - i128::from(total(&series))).abs() <= 1);
            prop_assert!(series.hours.values().all(|b| b.energy.0 >= 0 && b.covered_ms <= HOUR_MS));
            let by_month: i64 = series.months().unwrap().values().map(|b| b.energy.0).sum();
            prop_assert_eq!(by_month, total(&series));
            let turn = turn % samples.len();
            samples.rotate_left(turn);
            prop_assert_eq!(power(&samples, 200_000), series);
        }

        #[test]
        fn a_counter_loses_nothing(steps in prop::collection::vec((1i64..7200, 0i64..1_000_000_000), 1..40)) {
            let (mut now, mut reading) = (0, 0);
            let mut samples = vec![(0, 0)];
            for (seconds, used) in &steps {
                now += seconds;
                reading += used;
                samples.push((now, reading));
            }
            prop_assert_eq!(total(&counter(&samples, None, 7200)), reading / 3_600_000);
        }
    }
}
