//! The terms of one image: what each entry of its index asks of a node, as alternatives of labels.
//!
//! Needs become alternatives (NFD's label, or an administrator's declaration of the platform), alternatives multiply
//! into terms. Several images, network zones and platforms are put together in the parent.

use std::collections::{BTreeMap, BTreeSet};

use super::super::compatible::variant_level;
use super::super::{
    Answer, Arch, Catalogue, ImageEntry, KernelVersion, Level, Libc, Needs, Platform, Policy, Provenance, Tee, World,
    labels, level_features, normalise_feature,
};
use super::{Expression, MOST_TERMS, Term, too_many};
use crate::terms::Reason;

/// The terms of one image: any of them admits; sorted. Empty means no node.
pub(super) fn of_image(
    entries: &[ImageEntry],
    needs: &Needs,
    catalogue: &Catalogue,
    policy: &Policy,
) -> Result<Vec<Term>, Reason> {
    let mut by_arch: BTreeMap<Arch, Vec<&ImageEntry>> = BTreeMap::new();
    for entry in entries {
        by_arch.entry(node_arch(&entry.platform.normalise().architecture)).or_default().push(entry);
    }
    let mut terms: BTreeSet<Term> = BTreeSet::new();
    for (arch, entries) in by_arch {
        let native = |entry: &&&ImageEntry| entry.platform.normalise().is_native_to(&arch);
        let any_native = entries.iter().any(|entry| native(&entry));
        for entry in entries.iter().filter(|entry| !any_native || native(entry)) {
            terms.extend(of_entry(entry, needs, &arch, catalogue, policy)?);
            if terms.len() > MOST_TERMS {
                return Err(too_many(terms.len()));
            }
        }
    }
    terms.extend(emulated(entries, policy));
    Ok(terms.into_iter().collect())
}

/// Where emulation is allowed, nodes that declare an emulator for one of the entries.
fn emulated(entries: &[ImageEntry], policy: &Policy) -> Vec<Term> {
    if !policy.allow_emulation {
        return Vec::new();
    }
    let archs = || entries.iter().map(|entry| Arch::parse(&entry.platform.normalise().architecture));
    let fitting =
        policy.emulators.iter().filter(|(_, e)| archs().any(|arch| e.from.as_ref().is_none_or(|f| *f == arch)));
    let term = |(name, emulator): (&String, &super::super::Emulator)| {
        let installed = Expression::is_true(format!("{}{name}", labels::EMULATOR_PREFIX));
        let arch = emulator.to.iter().map(|arch| Expression::is_in(labels::ARCH, [arch.as_str()]));
        Term(BTreeSet::from([installed]).into_iter().chain(arch).collect::<BTreeSet<_>>().into_iter().collect())
    };
    fitting.map(term).collect()
}

/// 32-bit images run on the 64-bit nodes of their family.
fn node_arch(architecture: &str) -> Arch {
    match architecture {
        "386" => Arch::Amd64,
        "arm" => Arch::Arm64,
        other => Arch::parse(other),
    }
}

type Alternatives = Vec<Vec<Expression>>;

fn of_entry(
    entry: &ImageEntry,
    extra: &Needs,
    arch: &Arch,
    catalogue: &Catalogue,
    policy: &Policy,
) -> Result<Vec<Term>, Reason> {
    let os = entry.platform.normalise().os;
    let common = [Expression::is_in(labels::ARCH, [arch.as_str()]), Expression::is_in(labels::OS, [os])];
    let mut all: Vec<Alternatives> = vec![isa(entry, extra, arch, catalogue, policy)];
    for needs in [&entry.needs, extra] {
        if arch.has_page_sizes() {
            all.extend(needs.max_page_size_ki.filter(|most| *most < 64).map(|most| pages(most, arch)));
        }
        if *arch == Arch::Loong64 {
            let world = needs.world.or_else(|| needs.libc.map(Libc::world));
            all.extend(world.map(worlds));
        }
        if *arch == Arch::Arm64 && (needs.aarch32 || entry.platform.normalise().architecture == "arm") {
            all.push(vec![vec![Expression::is_in(labels::AARCH32, [Answer::Yes.as_str()])]]);
        }
        all.extend(needs.kernel_min.map(kernel));
        if !needs.tee.is_empty() {
            all.push(needs.tee.iter().flat_map(|tee| tees(*tee)).collect());
        }
    }
    let mut products: BTreeSet<BTreeSet<Expression>> = BTreeSet::from([common.iter().cloned().collect()]);
    for alternatives in all.into_iter().filter(|alternatives| !alternatives.is_empty()) {
        let join =
            |product: &BTreeSet<Expression>, more: &Vec<Expression>| product.iter().chain(more).cloned().collect();
        products =
            products.iter().flat_map(|product| alternatives.iter().map(move |more| join(product, more))).collect();
        if products.len() > MOST_TERMS {
            return Err(too_many(products.len()));
        }
    }
    Ok(products.into_iter().map(|product| Term(product.into_iter().collect())).collect())
}

/// Level and features: by NFD's labels, or by the platforms of the catalogue that have them.
fn isa(entry: &ImageEntry, extra: &Needs, arch: &Arch, catalogue: &Catalogue, policy: &Policy) -> Alternatives {
    let applies = |level: &Level| level.arch() == *arch;
    let by_variant = variant_level(&entry.platform.normalise()).filter(|level| Some(*level) > Level::lowest(arch));
    let own = entry.needs.level.filter(applies).max(by_variant.filter(applies));
    let silent = own.is_none() && entry.needs.features.is_empty() && entry.provenance == Provenance::None;
    // A silent image below the floor is Unknown: only a strict policy refuses it, so only then does the label matter.
    let floor = policy.floor.get(arch).copied().filter(|_| silent && policy.strict);
    let level = own.max(extra.level.filter(applies)).max(floor).filter(|level| Some(*level) > Level::lowest(arch));
    let mut features: BTreeSet<String> =
        entry.needs.features.iter().chain(&extra.features).map(|f| normalise_feature(f)).collect();
    if let Some(level @ Level::Arm(..)) = level {
        features.extend(level_features(level));
    }
    if features.is_empty() && level.is_none() {
        return Vec::new();
    }
    let mut by_flags: Vec<Expression> = features.iter().map(|f| Expression::is_true(nfd_flag(f, arch))).collect();
    if let Some(Level::X86(n)) = level {
        by_flags.push(Expression::is_true(format!("{}X86_64_V{n}", labels::NFD_FLAG)));
    }
    let has = |platform: &&Platform| {
        let mut known: BTreeSet<String> = platform.features.iter().map(|f| normalise_feature(f)).collect();
        known.extend(platform.level.map(level_features).unwrap_or_default());
        let reached = level.is_none_or(|level| match level {
            Level::X86(_) => platform.level.is_some_and(|have| have.at_least(level)),
            _ => true,
        });
        platform.arch == *arch && reached && features.is_subset(&known)
    };
    let ids: Vec<&str> = catalogue.platforms.iter().filter(has).map(|platform| platform.id.as_str()).collect();
    let mut alternatives = vec![by_flags];
    if !ids.is_empty() {
        alternatives.push(vec![Expression::is_in(labels::PLATFORM, ids)]);
    }
    alternatives
}

/// NFD's name of a flag; its names differ from the kernel's in a few cases.
fn nfd_flag(feature: &str, arch: &Arch) -> String {
    let name = match (feature, arch) {
        ("aes", Arch::Amd64) => "AESNI",
        ("sha_ni", _) => "SHA",
        ("fma", _) => "FMA3",
        ("abm", _) => "LZCNT",
        ("pclmul", _) => "CLMUL",
        ("pni", _) => "SSE3",
        ("sse4_1", _) => "SSE4",
        ("sse4_2", _) => "SSE42",
        ("lahf_lm", _) => "LAHF",
        ("xsave", _) => "OSXSAVE",
        ("fpu", _) => "X87",
        ("fxsr", _) => "FXSR",
        ("sm3", Arch::Amd64) => "SM3_X86",
        ("sm4", Arch::Amd64) => "SM4_X86",
        (other, _) => return format!("{}{}", labels::NFD_FLAG, other.to_ascii_uppercase()),
    };
    format!("{}{name}", labels::NFD_FLAG)
}

fn pages(most: u32, arch: &Arch) -> Alternatives {
    let sizes: Vec<u32> = [4, 16, 64].into_iter().filter(|size| *size <= most).collect();
    let declared = Expression::is_in(labels::PAGE_SIZE_KI, sizes.iter().map(ToString::to_string));
    let option = |size: &u32| {
        let name = if *arch == Arch::Arm64 { format!("ARM64_{size}K_PAGES") } else { format!("PAGE_SIZE_{size}KB") };
        vec![Expression::is_true(format!("{}{name}", labels::NFD_KERNEL_CONFIG))]
    };
    sizes.iter().map(option).chain([vec![declared]]).collect()
}

/// New-world kernels start at 5.19. An old one is told by a label: 4.19 alone could be a backport.
fn worlds(world: World) -> Alternatives {
    let declared = vec![Expression::is_in(labels::ABI_WORLD, [world.as_str()])];
    match world {
        World::Old => {
            vec![declared, vec![Expression::is_true(labels::LIBLOL)]]
        }
        World::New => [vec![declared], kernel(KernelVersion(5, 19, 0))].concat(),
    }
}

fn kernel(KernelVersion(major, minor, _): KernelVersion) -> Alternatives {
    let key = |part: &str| format!("{}kernel-version.{part}", labels::NFD);
    let newer = vec![Expression::above(&key("major"), major)];
    let mut same = vec![Expression::is_in(key("major"), [major.to_string()])];
    // Patch levels are left to the verdict: distributions number them as they like.
    same.extend(minor.checked_sub(1).map(|below| Expression::above(&key("minor"), below)));
    vec![newer, same]
}

fn tees(tee: Tee) -> Alternatives {
    let declared = vec![Expression::is_true(format!("{}{tee}", labels::TEE_PREFIX))];
    let shown = match tee {
        Tee::Sgx => "sgx.enabled",
        Tee::Tdx => "tdx.enabled",
        Tee::SevEs => "sev.es.enabled",
        Tee::SevSnp => "sev.snp.enabled",
        // NFD's sev.enabled also appears on Hygon, where it proves nothing.
        Tee::Sev | Tee::Csv | Tee::HygonDcu | Tee::TrustZone | Tee::VirtCca | Tee::Cca => return vec![declared],
    };
    vec![declared, vec![Expression::is_true(format!("{}{shown}", labels::NFD_SECURITY))]]
}
