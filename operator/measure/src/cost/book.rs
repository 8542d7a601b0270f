//! Which price holds: by what is used, provider, platform and Beijing month.
//!
//! A price for an accelerator class goes before one for any accelerator; then a price for a provider and a platform goes
//! before one for the provider, that before one for the platform, that before the general one. Two prices of one rank in
//! one month are a conflict: neither is used, because picking one in silence would be a lie on a bill.

use std::collections::BTreeSet;

use jiuzhou_engine::terms::Fen;
use serde::{Deserialize, Serialize};

use crate::Month;

/// Money in millionths of a fen: unit prices of small units are not whole fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroFen(pub i64);

impl MicroFen {
    /// A price in whole fen; `None` out of range.
    #[must_use]
    pub fn from_fen(fen: Fen) -> Option<Self> {
        fen.0.checked_mul(1_000_000).map(Self)
    }
}

/// What is used and charged for. The unit that is counted follows from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// CPU, counted in cpus.
    Cpu,
    /// Memory, counted in GiB.
    Memory,
    /// Storage, counted in GiB.
    Storage,
    /// Accelerators of a class, counted in pieces; in a price book the empty class stands for any.
    Accelerator(String),
    /// One item of the catalogue, by its code.
    Item(String),
}

/// What one price is for: one unit of quantity over this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PriceUnit {
    /// Per unit and hour.
    Hour,
    /// Per unit and Beijing month; part of a month is charged by the second.
    Month,
}

/// A line of a price book.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// What it is for.
    pub service: Service,
    /// Service catalogue code.
    pub code: String,
    /// Only for this provider.
    pub provider: Option<String>,
    /// Only on this CPU platform.
    pub platform: Option<String>,
    /// Per what time.
    pub unit: PriceUnit,
    /// Price of one unit, never negative.
    pub price: MicroFen,
    /// First month it holds.
    pub from: Month,
    /// Last month it holds, inclusive; open when absent.
    pub until: Option<Month>,
}

/// What the book says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match<'a> {
    /// This price holds.
    One(&'a Price),
    /// No price holds.
    None,
    /// Several of the same rank hold.
    Conflict,
    /// It depends on the platform, and which one it was is not known.
    Unclear,
}

/// Prices in any order.
#[derive(Clone, Debug, Default)]
pub struct PriceBook(Vec<Price>);

impl PriceBook {
    /// A book of these lines; exact repetitions count once.
    #[must_use]
    pub fn new(mut prices: Vec<Price>) -> Self {
        prices.sort_unstable();
        prices.dedup();
        Self(prices)
    }

    /// All prices, in one order.
    #[must_use]
    pub fn prices(&self) -> &[Price] {
        &self.0
    }

    /// The price of a service at a provider on a platform in a month.
    #[must_use]
    pub fn find(&self, service: &Service, provider: &str, platform: &str, month: Month) -> Match<'_> {
        let any = Service::Accelerator(String::new());
        let general = matches!(service, Service::Accelerator(class) if !class.is_empty()).then_some(&any);
        let fits = |wanted: Option<&str>, seen: &str| wanted.is_none_or(|wanted| wanted == seen);
        let mut best = Match::None;
        let mut best_rank = 0;
        for wanted in std::iter::once(service).chain(general) {
            let start = self.0.partition_point(|price| price.service < *wanted);
            for price in self.0[start..].iter().take_while(|price| price.service == *wanted) {
                let holds = price.from <= month && price.until.is_none_or(|until| month <= until);
                let (for_provider, for_platform) = (price.provider.as_deref(), price.platform.as_deref());
                if !holds || !fits(for_provider, provider) || !fits(for_platform, platform) {
                    continue;
                }
                let class = 4 * u8::from(wanted == service);
                let rank = 1 + u8::from(for_platform.is_some()) + 2 * u8::from(for_provider.is_some()) + class;
                if rank == best_rank {
                    best = Match::Conflict;
                } else if rank > best_rank {
                    (best, best_rank) = (Match::One(price), rank);
                }
            }
        }
        best
    }

    /// The price of a service that ran on one of some platforms: the one they have in common, else it is not clear.
    #[must_use]
    pub fn find_on(&self, service: &Service, provider: &str, platforms: &BTreeSet<String>, month: Month) -> Match<'_> {
        let mut found = platforms.iter().map(|platform| self.find(service, provider, platform, month));
        let Some(first) = found.next() else { return self.find(service, provider, "", month) };
        let same = |other: Match<'_>| match (first, other) {
            (Match::One(a), Match::One(b)) => (&a.code, a.unit, a.price) == (&b.code, b.unit, b.price),
            (a, b) => a == b,
        };
        if found.all(same) { first } else { Match::Unclear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(provider: Option<&str>, platform: Option<&str>, fen: i64) -> Price {
        Price {
            service: Service::Cpu,
            code: "ECS-VCPU".into(),
            provider: provider.map(Into::into),
            platform: platform.map(Into::into),
            unit: PriceUnit::Month,
            price: MicroFen::from_fen(Fen(fen)).unwrap(),
            from: Month::parse("2025-01").unwrap(),
            until: None,
        }
    }

    #[test]
    fn the_most_particular_price_holds() {
        let book = PriceBook::new(vec![
            price(None, None, 1),
            price(None, Some("kunpeng"), 2),
            price(Some("天翼"), None, 3),
            price(Some("天翼"), Some("kunpeng"), 4),
        ]);
        let june = Month::parse("2025-06").unwrap();
        let find = |provider, platform| match book.find(&Service::Cpu, provider, platform, june) {
            Match::One(price) => price.price.0 / 1_000_000,
            _ => 0,
        };
        assert_eq!(
            [find("移动", "hygon"), find("移动", "kunpeng"), find("天翼", "hygon"), find("天翼", "kunpeng")],
            [1, 2, 3, 4]
        );
        assert_eq!(book.find(&Service::Memory, "天翼", "", june), Match::None);
        assert_eq!(book.find(&Service::Cpu, "移动", "hygon", Month::parse("2024-12").unwrap()), Match::None);
    }

    #[test]
    fn two_prices_of_one_rank_are_a_conflict_unless_the_better_rank_decides() {
        let june = Month::parse("2025-06").unwrap();
        let mut prices = vec![price(None, None, 1), price(None, None, 2)];
        assert_eq!(PriceBook::new(prices.clone()).find(&Service::Cpu, "天翼", "x", june), Match::Conflict);
        prices.push(price(Some("天翼"), None, 3));
        assert!(matches!(PriceBook::new(prices).find(&Service::Cpu, "天翼", "x", june), Match::One(_)));
        let same = PriceBook::new(vec![price(None, None, 1), price(None, None, 1)]);
        assert!(matches!(same.find(&Service::Cpu, "天翼", "x", june), Match::One(_)));
    }

    #[test]
    fn a_price_of_a_class_goes_before_one_of_any_accelerator() {
        let of = |class: &str, fen| Price { service: Service::Accelerator(class.into()), ..price(None, None, fen) };
        let june = Month::parse("2025-06").unwrap();
        let book = PriceBook::new(vec![of("", 1), of("training", 2)]);
        let find = |class: &str| match book.find(&Service::Accelerator(class.into()), "天翼", "", june) {
            Match::One(price) => price.price.0 / 1_000_000,
            _ => 0,
        };
        assert_eq!([find("training"), find("inference"), find("")], [2, 1, 1]);
    }

    #[test]
    fn platforms_of_one_price_have_it_and_others_make_it_unclear() {
        let june = Month::parse("2025-06").unwrap();
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let book = PriceBook::new(vec![price(None, None, 1), price(None, Some("kunpeng"), 2)]);
        let find = |names: &[&str]| book.find_on(&Service::Cpu, "天翼", &set(names), june);
        assert!(matches!(find(&["hygon", "phytium"]), Match::One(price) if price.platform.is_none()));
        assert_eq!(find(&["hygon", "kunpeng"]), Match::Unclear);
        assert!(matches!(find(&["kunpeng"]), Match::One(price) if price.platform.is_some()));
        assert!(matches!(find(&[]), Match::One(_)));
    }
}
