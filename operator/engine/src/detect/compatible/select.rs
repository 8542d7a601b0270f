//! Which entry of an index the runtime of a pool pulls (steps 1 and 2).
//!
//! What the runtime selects and what the CPU can run are two questions: a stock runtime refuses an index that offers
//! only `amd64/v3` on a CPU that has all of v3. `os.version` decides nothing on Linux and is not looked at.

use super::super::oci::arm64_version;
use super::super::{Judgement, Level, OciPlatform, PoolFacts, Selection, match_vector};
use super::{picks_variants, reject};
use crate::terms::{Code, Reason};

/// Indices of the candidates, best first: one, except under [`Selection::Pinned`]. A refusal otherwise.
pub(super) fn select(platforms: &[OciPlatform], facts: &PoolFacts) -> Result<Vec<usize>, Box<Judgement>> {
    let pinned = facts.runtime.selection == Selection::Pinned;
    let usable = |platform: &OciPlatform| platform.os == facts.os && (pinned || platform.os_features.is_empty());
    let candidates = if pinned { pinnable(platforms, facts) } else { Vec::new() };
    if !candidates.is_empty() {
        return Ok(candidates);
    }
    let vector = vector(facts);
    let matches = |platform: &OciPlatform, (architecture, variant): &(String, String)| {
        platform.architecture == *architecture && platform.variant == *variant
    };
    let first = vector.iter().find_map(|wanted| {
        (0..platforms.len()).find(|index| usable(&platforms[*index]) && matches(&platforms[*index], wanted))
    });
    if let Some(index) = first {
        return Ok(vec![index]);
    }
    let of_os = |platform: &&OciPlatform| platform.os == facts.os;
    let featured = platforms.iter().filter(of_os).find(|p| vector.iter().any(|wanted| matches(p, wanted)));
    if let Some(platform) = featured {
        let wanted: Vec<String> = platform.os_features.iter().cloned().collect();
        let reason = Reason::new(Code::OsFeatureMissing).object(platform.to_string()).wanted(wanted);
        let change = Reason::new(Code::ChangeAddVariantlessManifest).object(plain(facts));
        return Err(Box::new(reject(reason, change)));
    }
    let offers: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    let native = |p: &&OciPlatform| p.is_native_to(&facts.arch);
    if let Some(platform) = platforms.iter().filter(of_os).filter(native).find(|p| runs(p, facts)) {
        let reason = Reason::new(Code::VariantUnselectable)
            .object(platform.to_string())
            .seen(runtime_name(facts))
            .wanted(plain(facts));
        let change = Reason::new(Code::ChangeAddVariantlessManifest).object(plain(facts));
        return Err(Box::new(reject(reason, change)));
    }
    let reason = Reason::new(Code::NoManifestForPlatform).object(facts.name()).seen(offers).wanted(plain(facts));
    Err(Box::new(reject(reason, Reason::new(Code::ChangeAddManifest).object(plain(facts)))))
}

/// What the runtime matches, best first.
fn vector(facts: &PoolFacts) -> Vec<(String, String)> {
    let arch = facts.arch.as_str();
    match (facts.runtime.selection, facts.level) {
        (Selection::MaxNative, Some(Level::X86(n))) => match_vector(arch, &format!("v{n}")),
        (Selection::DeclaredVariant(Level::X86(n)), _) if arch == "amd64" => match_vector(arch, &format!("v{n}")),
        (Selection::DeclaredVariant(Level::Arm(major, minor)), _) if arch == "arm64" => {
            match_vector(arch, &format!("v{major}.{minor}"))
        }
        _ => match_vector(arch, ""),
    }
}

/// Native entries whose variant the CPU reaches, highest variant first, index order between equals.
fn pinnable(platforms: &[OciPlatform], facts: &PoolFacts) -> Vec<usize> {
    let fits = |index: &usize| {
        let platform = &platforms[*index];
        platform.os == facts.os && platform.is_native_to(&facts.arch) && runs(platform, facts)
    };
    let mut fitting: Vec<usize> = (0..platforms.len()).filter(fits).collect();
    fitting.sort_by_key(|index| std::cmp::Reverse(variant_level(&platforms[*index])));
    fitting
}

/// Whether the CPU reaches the entry's variant; an unknown level reaches only the lowest.
fn runs(platform: &OciPlatform, facts: &PoolFacts) -> bool {
    let lowest = Level::lowest(&facts.arch);
    match variant_level(platform) {
        Some(wanted) => facts.level.or(lowest).is_some_and(|have| have.at_least(wanted)),
        None => platform.variant.is_empty(),
    }
}

/// The level a normalised variant stands for; `None` for architectures without variants and for unknown variants.
pub(in crate::detect) fn variant_level(platform: &OciPlatform) -> Option<Level> {
    match platform.architecture.as_str() {
        "amd64" if platform.variant.is_empty() => Some(Level::X86(1)),
        "amd64" => Level::parse(&format!("x86-64-{}", platform.variant)),
        "arm64" => arm64_version(&platform.variant).map(|(major, minor)| Level::Arm(major, minor)),
        _ => None,
    }
}

/// Whether the entry names a real architecture (build attestations say `unknown`).
pub(super) fn known_architecture(platform: &OciPlatform) -> bool {
    !matches!(platform.architecture.as_str(), "" | "unknown")
}

fn plain(facts: &PoolFacts) -> String {
    OciPlatform::new(&facts.os, facts.arch.as_str(), "").to_string()
}

fn runtime_name(facts: &PoolFacts) -> String {
    let name = if facts.runtime.name.is_empty() { "containerd" } else { &facts.runtime.name };
    if picks_variants(facts.runtime.selection) {
        format!("{name} ({})", facts.runtime.selection.as_str())
    } else {
        name.to_owned()
    }
}
