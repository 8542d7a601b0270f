//! Whether the CPU has the instructions (step 4).
//!
//! Levels are unfolded into features, because "ARMv8.2" is no promise: cores of that name lack single features. x86
//! levels are compared first, where the level of the node is known. A silent image is held against the policy's floor.

use std::collections::BTreeSet;

use super::super::{
    Arch, ImageEntry, Judgement, Level, Needs, OciPlatform, PoolFacts, Provenance, level_features, normalise_feature,
};
use super::select::variant_level;
use super::{Case, declare, nfd, note, other_pool, reject, unknown};
use crate::terms::{Code, Reason, Value};

pub(super) fn isa(case: &Case<'_>, index: usize) -> Vec<Judgement> {
    let (entry, platform, facts) = (&case.entries[index], &case.platforms[index], case.facts);
    let mut found = Vec::new();
    if !platform.is_native_to(&facts.arch) {
        // 32-bit entries have no level of ours; single features still count.
        features(&mut found, &entry.needs, facts);
        features(&mut found, case.extra, facts);
        return found;
    }
    if facts.arch == Arch::Sw64 {
        let reason = Reason::new(Code::ArchitectureUnlisted).object(facts.arch.as_str());
        found.push(note(reason));
    }
    let baseline = Level::lowest(&facts.arch);
    let by_variant = variant_level(platform).filter(|level| Some(*level) > baseline);
    let applies = |level: &Level| level.arch() == facts.arch;
    let declared_level = entry.needs.level.filter(applies).max(by_variant);
    let sibling = declared_level.is_none() && has_higher_sibling(case.platforms, platform);
    if sibling {
        found.push(note(Reason::new(Code::BaselineImpliedBySibling).object(platform.to_string())));
    }
    if let Some(level) = declared_level.max(case.extra.level.filter(applies)) {
        at_level(&mut found, level, facts);
    }
    features(&mut found, &entry.needs, facts);
    features(&mut found, case.extra, facts);
    let spoken = matches!(entry.provenance, Provenance::Declared | Provenance::Inspected | Provenance::NfdArtifact);
    let declared = declared_level.is_some() || sibling || spoken || !entry.needs.features.is_empty();
    if !declared && let Some(floor) = case.policy.floor.get(&facts.arch) {
        found.extend(below_floor(*floor, facts));
    }
    found
}

/// Under an emulator only the baseline is taken for granted.
pub(super) fn under_emulation(entry: &ImageEntry, platform: &OciPlatform, extra: &Needs) -> Vec<Judgement> {
    let arch = Arch::parse(&platform.architecture);
    let lowest = Level::lowest(&arch);
    let above = |level: &Level| level.arch() == arch && Some(*level) > lowest;
    let level =
        entry.needs.level.filter(above).max(variant_level(platform).filter(above)).max(extra.level.filter(above));
    let levels = level.map(|level| level.to_string());
    let features = entry.needs.features.iter().chain(&extra.features).cloned();
    let wanted: BTreeSet<String> = levels.into_iter().chain(features).collect();
    let unproven = |feature: String| {
        let reason = Reason::new(Code::IsaUnknown).object("emulator").wanted(feature.clone());
        unknown(reason, other_pool(feature))
    };
    wanted.into_iter().map(unproven).collect()
}

/// An index that also offers a higher variant builds its plain entry for the baseline.
fn has_higher_sibling(platforms: &[OciPlatform], plain: &OciPlatform) -> bool {
    let level = variant_level(plain);
    let sibling = |other: &&OciPlatform| other.os == plain.os && other.architecture == plain.architecture;
    platforms.iter().filter(sibling).any(|other| variant_level(other) > level)
}

fn at_level(found: &mut Vec<Judgement>, level: Level, facts: &PoolFacts) {
    match (level, facts.level) {
        (Level::X86(_), Some(have)) if have.at_least(level) => {}
        (Level::X86(_), Some(have)) => {
            let reason = Reason::new(Code::IsaLevelTooHigh)
                .object(facts.name())
                .seen(have.to_string())
                .wanted(level.to_string());
            found.push(reject(reason, other_pool(level.to_string())));
        }
        _ => level_features(level).iter().for_each(|feature| push(found, feature, facts)),
    }
}

fn features(found: &mut Vec<Judgement>, needs: &Needs, facts: &PoolFacts) {
    needs.features.iter().for_each(|feature| push(found, &normalise_feature(feature), facts));
}

fn push(found: &mut Vec<Judgement>, feature: &str, facts: &PoolFacts) {
    let judgement = match presence(feature, facts) {
        Presence::Here => return,
        Presence::Missing => {
            let reason = Reason::new(Code::IsaFeatureMissing).object(facts.name()).wanted(feature);
            reject(reason, other_pool(feature))
        }
        Presence::Unknown => {
            let reason = Reason::new(Code::IsaUnknown).object(facts.name()).wanted(feature);
            unknown(reason, nfd("sources.cpu.cpuid"))
        }
    };
    if !found.contains(&judgement) {
        found.push(judgement);
    }
}

#[derive(PartialEq, Eq)]
enum Presence {
    Here,
    Missing,
    Unknown,
}

fn presence(feature: &str, facts: &PoolFacts) -> Presence {
    if facts.features.contains(feature) {
        Presence::Here
    } else if facts.complete_features || facts.absent.contains(feature) {
        Presence::Missing
    } else if facts.level.is_some_and(|level| level_features(level).contains(feature)) {
        Presence::Here
    } else {
        Presence::Unknown
    }
}

/// A silent image on a CPU that is not known to reach the floor.
fn below_floor(floor: Level, facts: &PoolFacts) -> Option<Judgement> {
    let x86 = matches!(floor, Level::X86(_)) && facts.level.is_some_and(|have| have.at_least(floor));
    let missing: Vec<Presence> =
        level_features(floor).iter().map(|f| presence(f, facts)).filter(|p| *p != Presence::Here).collect();
    if x86 || missing.is_empty() {
        return None;
    }
    let seen = facts.level.map_or(Value::Unknown, |level| Value::from(level.to_string()));
    let reason = Reason::new(Code::UndeclaredBaseline).object(facts.name()).seen(seen).wanted(floor.to_string());
    // A CPU known to be below stays below: only the image can say more. One not known may simply not have been asked.
    let known = facts.level.is_some() || missing.contains(&Presence::Missing);
    let change = if known { declare("needs.level") } else { nfd("sources.cpu.cpuid") };
    Some(unknown(reason, change))
}
