//! What is known of CPUs for the domestic shares: brand, architecture, 安全可靠测评.
//!
//! A cluster of several platforms is counted by what they have in common. Where they differ, nobody knows on which of
//! them a replica runs, so the answer is unknown and not a part.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_measure::adoption::Assessed;

use super::day;
use crate::objects::{Items, Objects, named};

/// The scheme whose results count for the domestic share.
const SCHEME: &str = "安全可靠测评";

/// What is known of a CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cpu {
    /// For people; empty when unknown.
    pub(super) name: String,
    /// Empty when unknown.
    pub(super) brand: String,
    pub(super) domestic: Option<bool>,
    pub(super) x86: Option<bool>,
    pub(super) assessed: Assessed,
}

/// A platform of the catalogue; `None` when it is not in it.
pub(super) fn platform(platforms: &Items<api::CpuPlatform>, id: &str, today: Date) -> Option<Cpu> {
    let spec = &named(platforms, id)?.object.spec;
    let x86 = match spec.architecture {
        api::Architecture::Amd64 | api::Architecture::I386 => true,
        api::Architecture::Arm64
        | api::Architecture::Arm
        | api::Architecture::Loong64
        | api::Architecture::Sw64
        | api::Architecture::Riscv64 => false,
    };
    Some(Cpu {
        name: spec.display_name.to_string(),
        brand: brand_name(spec.brand),
        domestic: domestic(spec.brand),
        x86: Some(x86),
        // A generic platform stands for CPUs of any maker, some of which may be on a notice.
        assessed: if domestic(spec.brand).is_some() { assessed(&spec.assurance, today) } else { Assessed::Unknown },
    })
}

/// The platforms of domestic brands, each with its brand: the families that a system may be moved to.
#[must_use]
pub fn domestic_families(objects: &Objects) -> BTreeMap<String, String> {
    let all = objects.platforms.values().filter(|item| domestic(item.object.spec.brand) == Some(true));
    all.map(|item| (item.document.name.clone(), brand_name(item.object.spec.brand))).collect()
}

/// A brand alone, for assets whose platform nobody entered. Notices name products, not brands.
pub(super) fn brand(brand: api::CpuBrand) -> Cpu {
    let x86 = match brand {
        api::CpuBrand::Hygon | api::CpuBrand::Zhaoxin | api::CpuBrand::Intel | api::CpuBrand::Amd => Some(true),
        api::CpuBrand::Kunpeng | api::CpuBrand::Phytium | api::CpuBrand::Loongson | api::CpuBrand::Sunway => {
            Some(false)
        }
        api::CpuBrand::Other => None,
    };
    let assessed = if domestic(brand) == Some(false) { Assessed::Never } else { Assessed::Unknown };
    Cpu { name: format!("{brand:?}"), brand: brand_name(brand), domestic: domestic(brand), x86, assessed }
}

/// A brand by its name; a maker that is none of the list is nobody known.
fn brand_name(brand: api::CpuBrand) -> String {
    if brand == api::CpuBrand::Other { String::new() } else { format!("{brand:?}") }
}

fn domestic(brand: api::CpuBrand) -> Option<bool> {
    match brand {
        api::CpuBrand::Kunpeng
        | api::CpuBrand::Phytium
        | api::CpuBrand::Hygon
        | api::CpuBrand::Loongson
        | api::CpuBrand::Zhaoxin
        | api::CpuBrand::Sunway => Some(true),
        api::CpuBrand::Intel | api::CpuBrand::Amd => Some(false),
        api::CpuBrand::Other => None,
    }
}

/// The result that holds on a day; else the last one, so that the report can say that it ran out.
fn assessed(results: &[api::Assurance], today: Date) -> Assessed {
    let terms = results.iter().filter(|result| result.scheme == SCHEME);
    let mut terms: Vec<(Date, Date)> =
        terms.filter_map(|result| Some((day(Some(&result.date))?, day(Some(&result.valid_until))?))).collect();
    terms.sort_by_key(|(from, until)| (*from <= today && today <= *until, *until));
    terms.last().map_or(Assessed::Never, |(from, until)| Assessed::Between(*from, *until))
}

/// What several pools have in common. `pools` are the platforms; one that is unknown makes everything unknown.
pub(super) fn common(pools: &[Option<Cpu>], today: Date) -> Cpu {
    let Some(known) = pools.iter().cloned().collect::<Option<Vec<Cpu>>>().filter(|known| !known.is_empty()) else {
        return Cpu::default();
    };
    let mut names: Vec<String> = known.iter().map(|cpu| cpu.name.clone()).collect();
    names.sort();
    names.dedup();
    let all = |of: fn(&Cpu) -> Option<bool>| {
        let first = of(known.first()?)?;
        known.iter().all(|cpu| of(cpu) == Some(first)).then_some(first)
    };
    // Terms may differ as long as their answer for the day is one.
    let answer = known.first().and_then(|cpu| cpu.assessed.on(today));
    let agree = answer.is_some() && known.iter().all(|cpu| cpu.assessed.on(today) == answer);
    let brand = known.first().map(|cpu| cpu.brand.clone()).unwrap_or_default();
    Cpu {
        name: names.join(" + "),
        brand: if known.iter().all(|cpu| cpu.brand == brand) { brand } else { String::new() },
        domestic: all(|cpu| cpu.domestic),
        x86: all(|cpu| cpu.x86),
        assessed: known.first().filter(|_| agree).map_or(Assessed::Unknown, |cpu| cpu.assessed),
    }
}
