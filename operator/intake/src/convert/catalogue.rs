//! The catalogue of CPU platforms and the tables of the architecture rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::detect::{
    Arch, Catalogue, EvidenceKey, Level, PageHint, Platform, Policy, Predicate, Rule, normalise_feature,
};
use jiuzhou_engine::terms::PerMille;

use crate::objects::{Item, Items};

use super::words;

/// Platforms, specific before general as the catalogue wants it: those of a brand before those of none, the more
/// predicates the earlier, then by name.
#[must_use]
pub fn catalogue(items: &Items<api::CpuPlatform>) -> Catalogue {
    let mut ordered: Vec<&Item<api::CpuPlatform>> = items.values().collect();
    let predicates = |item: &Item<api::CpuPlatform>| item.object.spec.detect.iter().map(|rule| rule.all.len()).max();
    ordered.sort_by_key(|item| (item.object.spec.brand == api::CpuBrand::Other, Reverse(predicates(item))));
    Catalogue { platforms: ordered.into_iter().map(platform).collect(), default_platform: BTreeMap::new() }
}

fn platform(item: &Item<api::CpuPlatform>) -> Platform {
    let api::CpuPlatformSpec {
        display_name: _,
        vendor,
        brand: _, // reports and spread
        architecture,
        uname_machine: _, // inspection of images
        elf_machine: _,   // inspection of images
        isa,
        page_sizes,
        aarch32_el0,
        abi_world,
        crypto: _,
        tee_possible,
        shape,
        performance,
        assurance: _,       // checks of tiers, reports
        oci_max_variant: _, // follows from the level
        detect,
        source: _,
    } = &item.object.spec;
    let api::PlatformIsa { level, features, absent } = isa;
    let names = |list: &[jiuzhou_api::text::Token]| list.iter().map(|name| normalise_feature(name)).collect();
    Platform {
        id: item.document.name.clone(),
        vendor: vendor.to_string(),
        arch: words::arch(*architecture),
        level: level.as_deref().and_then(Level::parse),
        features: names(features),
        absent: names(absent),
        page_hints: page_sizes.iter().flat_map(|sizes| &sizes.likely).filter_map(page_hint).collect(),
        aarch32: words::known(*aarch32_el0),
        world: words::world(*abi_world),
        tee_possible: tee_possible.iter().copied().map(words::tee).collect(),
        threads_per_core: shape
            .as_ref()
            .and_then(|shape| shape.threads_per_core.as_ref())
            .and_then(|number| u32::try_from(number.value).ok()),
        // Only what the operator measured converts requests; press and vendor figures are for reading.
        per_cpu_perf: performance
            .as_ref()
            .filter(|p| p.confidence == api::PerformanceConfidence::Measured)
            .map(|p| PerMille(i64::from(p.per_cpu_per_mille))),
        detect: detect.iter().map(rule).collect(),
    }
}

fn page_hint(likely: &api::LikelyPageSize) -> Option<PageHint> {
    let api::LikelyPageSize { os, page_size_kib } = likely;
    Some(PageHint::parse(os, u32::try_from(*page_size_kib).ok()?))
}

fn rule(rule: &api::DetectRule) -> Rule {
    let api::DetectRule { confidence, all } = rule;
    Rule { confidence: words::confidence(*confidence), all: all.iter().flat_map(predicates).collect() }
}

fn predicates(predicate: &api::DetectPredicate) -> Vec<Predicate> {
    let api::DetectPredicate { evidence, label_key, operator, values } = predicate;
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    let key = match evidence {
        api::EvidenceKey::Architecture => EvidenceKey::Arch,
        api::EvidenceKey::NfdVendor => EvidenceKey::NfdVendor,
        api::EvidenceKey::NfdFamily => EvidenceKey::NfdFamily,
        api::EvidenceKey::NfdPart => EvidenceKey::NfdPart,
        api::EvidenceKey::NfdModel => EvidenceKey::NfdModel,
        api::EvidenceKey::NfdFlags => EvidenceKey::NfdFlags,
        api::EvidenceKey::KoordinatorModel => EvidenceKey::KoordinatorCpuModel,
        api::EvidenceKey::Label => EvidenceKey::Label(label_key.as_ref().map(ToString::to_string).unwrap_or_default()),
        api::EvidenceKey::Kernel => EvidenceKey::Kernel,
        api::EvidenceKey::OsImage => EvidenceKey::OsImage,
        api::EvidenceKey::InstanceType => EvidenceKey::InstanceType,
    };
    match operator {
        api::DetectOperator::In => vec![Predicate::OneOf(key, texts)],
        api::DetectOperator::Glob => vec![Predicate::Glob(key, texts)],
        api::DetectOperator::Has => texts.into_iter().map(Predicate::HasFlag).collect(),
        api::DetectOperator::Lacks => texts.into_iter().map(Predicate::LacksFlag).collect(),
    }
}

/// Tables of the architecture rule; floors are the engine's own, which tiers raise.
pub(super) fn policy() -> Policy {
    Policy { accelerator_classes: accelerator_classes(), ..Policy::default() }
}

/// The floors a tier states; a level that does not exist is the schema's to refuse.
pub(super) fn floors(floors: &[api::IsaFloor]) -> BTreeMap<Arch, Level> {
    let floor = |api::IsaFloor { architecture, level }: &api::IsaFloor| {
        Some((words::arch(*architecture), Level::parse(level)?))
    };
    floors.iter().filter_map(floor).collect()
}

/// Rows of `class`, `resource` of the built-in table.
fn accelerator_classes() -> BTreeMap<String, BTreeSet<String>> {
    crate::builtin::accelerator_classes()
}
