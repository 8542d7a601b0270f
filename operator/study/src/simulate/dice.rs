//! Random numbers of a simulation: SplitMix64, one stream for each thing that draws, in integers.
//!
//! SplitMix64 (Steele, Lea and Flood, 2014) is three lines whose outputs are published, so the stream of a seed is a
//! fact and not a property of a crate's version. Every stream is keyed by the seed and by names, never by a place in a
//! list: what one cluster draws depends neither on the other clusters nor on the order in which anything is given.

use jiuzhou_engine::terms::{DigestAlgorithm, Hasher};
use jiuzhou_measure::energy::{FRACTION, ln_fixed};

/// Numbers of one stream.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of a seed and some names.
    #[must_use]
    pub fn new(seed: u64, names: &[&str]) -> Self {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(&seed.to_be_bytes());
        names.iter().for_each(|name| hasher.field(name.as_bytes()));
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finish().bytes()[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// The next number.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included; `low` where there is none.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u128::from(high.saturating_sub(low).max(0).unsigned_abs()) + 1;
        // Multiply and shift: biased by less than width / 2^64.
        let offset = (u128::from(self.draw()) * width) >> 64;
        low.saturating_add(i64::try_from(offset).unwrap_or(0))
    }

    /// A time until something that happens by chance, of this mean: exponential, rounded down.
    pub fn exponential(&mut self, mean: i64) -> i64 {
        const ONE: i128 = 1 << 32;
        // From 2^-32 to 1, so the longest time is 22 means.
        let uniform = i128::from(self.draw() >> 32) + 1;
        let times = ln_fixed(ONE, uniform).unwrap_or(0);
        i64::try_from((i128::from(mean.max(0)) * times) >> FRACTION).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published outputs of SplitMix64 for the seed 1234567.
    #[test]
    fn the_stream_is_the_published_one() {
        let mut dice = Dice(1_234_567);
        let drawn: Vec<u64> = (0..5).map(|_| dice.draw()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(drawn, published);
    }

    #[test]
    fn streams_of_other_names_or_seeds_are_others() {
        let first = |seed, names: &[&str]| Dice::new(seed, names).draw();
        let all = [first(7, &["a", "bc"]), first(7, &["ab", "c"]), first(8, &["a", "bc"]), first(7, &["a"])];
        let different: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!((different.len(), first(7, &["a", "bc"])), (4, all[0]));
    }

    #[test]
    fn the_mean_and_the_spread_are_those_of_an_exponential() {
        let mut dice = Dice::new(1, &["mean"]);
        let drawn: Vec<i64> = (0..20_000).map(|_| dice.exponential(1000)).collect();
        let mean = drawn.iter().sum::<i64>() / 20_000;
        assert!((970..=1030).contains(&mean), "{mean}");
        // 1 - 1/e of them are below the mean, 5 % above three means.
        let below = drawn.iter().filter(|one| **one < 1000).count();
        let far = drawn.iter().filter(|one| **one > 3000).count();
        assert!((12_400..=12_900).contains(&below) && (900..=1100).contains(&far), "{below} {far}");
        assert_eq!(dice.exponential(0), 0);
    }

    #[test]
    fn both_ends_are_reached_and_nothing_beyond() {
        let mut dice = Dice::new(1, &["ends"]);
        let drawn: std::collections::BTreeSet<i64> = (0..200).map(|_| dice.between(-1, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1, 2]);
        assert_eq!((dice.between(5, 5), dice.between(5, 1)), (5, 5));
    }
}
