//! From what a node shows to its profile: the platform by precedence, then every fact from the best source for it.
//!
//! Precedence is administrator's label, Koordinator, NFD, instance type, kernel and OS, cluster default; within one
//! source the surer rule wins, then the one with more predicates, then catalogue order. What the node itself shows of
//! flags and levels beats what the catalogue says of the silicon: a hypervisor may hide features.

use std::collections::BTreeSet;

use super::evidence::{Conflict, Evidence, EvidenceKey};
use super::features::arm_level;
use super::nfd::Nfd;
use super::{
    Answer, Arch, Catalogue, Confidence, Level, NodeFacts, NodeProfile, OsFamily, PageSize, Platform, PoolFacts,
    Predicate, Runtime, Selection, Tee, World, labels, level_features, normalise_feature, os_family,
};
use super::{KernelVersion, Rule};
use crate::terms::PerMille;

/// What a node's CPU is, by the rules of the catalogue.
#[must_use]
pub fn detect(node: &NodeFacts, catalogue: &Catalogue) -> NodeProfile {
    let arch = Arch::parse(&node.architecture);
    let seen = Seen { node, nfd: Nfd::of(node, &arch), arch };
    let mut profile = NodeProfile {
        facts: PoolFacts::unknown(seen.arch.clone()),
        os_family: os_family(&node.kernel_version, &node.os_image),
        smt: None,
        per_cpu_perf: None,
        koordinator_ratio: node.annotations.get(labels::KOORDINATOR_RATIO).and_then(|text| ratio(text)),
        evidence: Vec::new(),
        conflicts: Vec::new(),
    };
    if !node.operating_system.is_empty() {
        profile.facts.os = node.operating_system.to_ascii_lowercase();
    }
    let platform = identify(&seen, catalogue, &mut profile);
    profile.conflicts.extend(other_arch(&seen));
    profile.facts.kernel = KernelVersion::parse(&node.kernel_version);
    isa(&seen, platform, &mut profile.facts);
    page_size(&seen, platform, &mut profile);
    world(&seen, platform, &mut profile);
    aarch32(&seen, platform, &mut profile.facts);
    tee(&seen, platform, &mut profile.facts);
    runtime(&seen, &mut profile);
    profile.facts.accelerators = accelerators(node);
    profile.facts.emulators = flags_under(node, labels::EMULATOR_PREFIX).map(str::to_owned).collect();
    profile.facts.liblol = node.labels.get(labels::LIBLOL).is_some_and(|value| value == "true");
    profile.facts.conflicting = !profile.conflicts.is_empty();
    profile.smt = seen
        .nfd
        .multithreading
        .or_else(|| node.cpu_basic_info.as_ref().and_then(|info| info.hyper_thread_enabled))
        .or_else(|| platform.and_then(|platform| platform.threads_per_core).map(|threads| threads > 1));
    profile.per_cpu_perf = platform.and_then(|platform| platform.per_cpu_perf);
    profile.evidence.sort_by(|a, b| b.key.precedence().cmp(&a.key.precedence()).then_with(|| a.cmp(b)));
    profile
}

/// A node with its NFD labels read.
struct Seen<'a> {
    node: &'a NodeFacts,
    nfd: Nfd,
    arch: Arch,
}

impl Seen<'_> {
    /// The value of a piece of evidence; `None` when there is none.
    fn value(&self, key: &EvidenceKey) -> Option<&str> {
        let text = match key {
            EvidenceKey::Arch => self.arch.as_str(),
            EvidenceKey::Label(name) => self.node.labels.get(name)?,
            EvidenceKey::KoordinatorCpuModel => &self.node.cpu_basic_info.as_ref()?.cpu_model,
            EvidenceKey::NfdVendor => self.nfd.vendor.as_deref()?,
            EvidenceKey::NfdFamily => self.nfd.family.as_deref()?,
            EvidenceKey::NfdModel => self.nfd.model.as_deref()?,
            EvidenceKey::NfdPart => self.nfd.part.as_deref()?,
            EvidenceKey::InstanceType => self.node.labels.get(labels::INSTANCE_TYPE)?,
            EvidenceKey::Kernel => &self.node.kernel_version,
            EvidenceKey::OsImage => &self.node.os_image,
            EvidenceKey::Runtime => &self.node.container_runtime_version,
            EvidenceKey::NfdFlags | EvidenceKey::ClusterDefault => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn holds(&self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::OneOf(key, wanted) => self.value(key).is_some_and(|value| wanted.iter().any(|w| w == value)),
            Predicate::Glob(key, globs) => self.value(key).is_some_and(|value| globs.iter().any(|g| glob(g, value))),
            Predicate::HasFlag(flag) => self.nfd.has(flag),
            Predicate::LacksFlag(flag) => self.nfd.lacks(flag),
        }
    }

    fn matches(&self, rule: &Rule) -> bool {
        !rule.all.is_empty() && rule.all.iter().all(|predicate| self.holds(predicate))
    }

    /// The evidence that a matching rule rests on: its strongest predicate.
    fn evidence(&self, rule: &Rule, platform: &Platform) -> Evidence {
        let strongest = rule.all.iter().max_by_key(|predicate| predicate.precedence());
        let (key, value) = match strongest {
            Some(Predicate::OneOf(key, _) | Predicate::Glob(key, _)) => {
                (key.clone(), self.value(key).unwrap_or_default().to_owned())
            }
            Some(Predicate::HasFlag(flag)) => (EvidenceKey::NfdFlags, flag.clone()),
            Some(Predicate::LacksFlag(flag)) => (EvidenceKey::NfdFlags, format!("-{flag}")),
            None => (EvidenceKey::Arch, self.arch.to_string()),
        };
        Evidence { key, value, says: platform.id.clone(), confidence: rule.confidence }
    }
}

/// `*` is any run of characters, `?` one; ASCII case is ignored (model texts differ in it).
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (
        pattern.chars().map(|c| c.to_ascii_lowercase()).collect(),
        text.chars().map(|c| c.to_ascii_lowercase()).collect(),
    );
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// One platform a rule named.
struct Match<'a> {
    platform: &'a Platform,
    evidence: Evidence,
    predicates: usize,
}

/// The platform, its evidence, and conflicts between sources; `None` when nothing matches or sources contradict.
fn identify<'a>(seen: &Seen<'_>, catalogue: &'a Catalogue, profile: &mut NodeProfile) -> Option<&'a Platform> {
    let mut matches: Vec<Match<'a>> = Vec::new();
    if let Some(id) = seen.node.labels.get(labels::PLATFORM) {
        let key = EvidenceKey::Label(labels::PLATFORM.to_owned());
        match catalogue.get(id) {
            Some(platform) => {
                let evidence = Evidence { key, value: id.clone(), says: id.clone(), confidence: Confidence::Certain };
                matches.push(Match { platform, evidence, predicates: 1 });
            }
            None => profile.evidence.push(Evidence {
                key,
                value: id.clone(),
                says: String::new(),
                confidence: Confidence::Unknown,
            }),
        }
    }
    for platform in &catalogue.platforms {
        for rule in platform.detect.iter().filter(|rule| seen.matches(rule)) {
            let evidence = seen.evidence(rule, platform);
            matches.push(Match { platform, evidence, predicates: rule.all.len() });
        }
    }
    if let Some(platform) = catalogue.default_platform.get(&seen.arch).and_then(|id| catalogue.get(id)) {
        let evidence = Evidence {
            key: EvidenceKey::ClusterDefault,
            value: seen.arch.to_string(),
            says: platform.id.clone(),
            confidence: Confidence::Guess,
        };
        matches.push(Match { platform, evidence, predicates: 1 });
    }
    // A stable sort: equal weights stay in catalogue order.
    let weight = |m: &Match<'_>| (m.evidence.key.precedence(), m.evidence.confidence, m.predicates);
    matches.sort_by_key(|m| std::cmp::Reverse(weight(m)));
    let best = matches.first()?;
    profile.evidence.extend(matches.iter().map(|m| m.evidence.clone()));
    if best.platform.arch != seen.arch {
        let weaker = Evidence {
            key: EvidenceKey::Arch,
            value: seen.arch.to_string(),
            says: seen.arch.to_string(),
            confidence: Confidence::Certain,
        };
        profile.conflicts.push(Conflict { stronger: best.evidence.clone(), weaker });
        return None;
    }
    for other in &matches[1..] {
        let sure = best.evidence.confidence == Confidence::Certain && other.evidence.confidence == Confidence::Certain;
        if sure && other.platform.vendor != best.platform.vendor {
            let (stronger, weaker) = (best.evidence.clone(), other.evidence.clone());
            profile.conflicts.push(Conflict { stronger, weaker });
        }
    }
    profile.facts.platform = Some(best.platform.id.clone());
    // A second source that says the same makes it no less sure.
    let same = matches.iter().filter(|other| other.platform.id == best.platform.id);
    profile.facts.confidence = same.map(|m| m.evidence.confidence).max().unwrap_or(best.evidence.confidence);
    Some(best.platform)
}

/// Pods are kept to an architecture by the node's label, which somebody may have overwritten: then they land elsewhere.
fn other_arch(seen: &Seen<'_>) -> Option<Conflict> {
    let labelled = seen.node.labels.get(labels::ARCH).filter(|label| !label.is_empty())?;
    if seen.arch.as_str().is_empty() || Arch::parse(labelled) == seen.arch {
        return None;
    }
    let key = EvidenceKey::Label(labels::ARCH.to_owned());
    let stronger = fact(EvidenceKey::Arch, seen.arch.as_str(), seen.arch.to_string(), Confidence::Certain);
    Some(Conflict { stronger, weaker: fact(key, labelled, labelled.clone(), Confidence::Certain) })
}

/// Level and features. A platform that is only probable adds features but proves no absence; a guess adds nothing.
fn isa(seen: &Seen<'_>, platform: Option<&Platform>, facts: &mut PoolFacts) {
    let nfd = &seen.nfd;
    facts.features = nfd.flags.clone();
    facts.absent = nfd.absent.clone();
    let sure = facts.confidence == Confidence::Certain;
    // The levels of x86 guests are the hypervisor's choice: NFD's word is final, and a guest without it stays unknown.
    let silicon_counts = facts.confidence >= Confidence::Probable && nfd.level.is_none() && !nfd.guest;
    if let Some(platform) = platform {
        if seen.arch != Arch::Amd64 || silicon_counts {
            let mut features: BTreeSet<String> = platform.features.iter().map(|f| normalise_feature(f)).collect();
            features.extend(platform.level.map(level_features).unwrap_or_default());
            if facts.confidence >= Confidence::Probable {
                facts.features.extend(features.difference(&nfd.absent).cloned());
            }
        }
        if sure {
            let absent = platform.absent.iter().map(|f| normalise_feature(f));
            facts.absent.extend(absent.filter(|f| !nfd.flags.contains(f)));
        }
    }
    facts.level = match seen.arch {
        Arch::Amd64 => {
            let silicon = platform.and_then(|platform| platform.level).filter(|_| sure && silicon_counts);
            let level = nfd.level.or(silicon);
            facts.features.extend(level.map(level_features).unwrap_or_default());
            level
        }
        Arch::Arm64 if !nfd.flags.is_empty() || (sure && platform.is_some_and(|p| p.level.is_some())) => {
            Some(arm_level(&facts.features))
        }
        Arch::Loong64 => Some(Level::La64),
        Arch::Sw64 => Some(Level::Sw64),
        Arch::Arm64 | Arch::Riscv64 | Arch::Other(_) => None,
    };
    let features = &facts.features;
    facts.absent.retain(|feature| !features.contains(feature));
}

fn fact(key: EvidenceKey, value: &str, says: String, confidence: Confidence) -> Evidence {
    Evidence { key, value: value.to_owned(), says, confidence }
}

fn page_size(seen: &Seen<'_>, platform: Option<&Platform>, profile: &mut NodeProfile) {
    if !seen.arch.has_page_sizes() {
        return;
    }
    let mut found: Vec<(u32, Evidence)> = Vec::new();
    if let Some(value) = seen.node.labels.get(labels::PAGE_SIZE_KI)
        && let Ok(ki) = value.parse()
    {
        let key = EvidenceKey::Label(labels::PAGE_SIZE_KI.to_owned());
        found.push((ki, fact(key, value, format!("pageSizeKi={ki}"), Confidence::Certain)));
    }
    for (option, ki) in [
        ("ARM64_4K_PAGES", 4),
        ("ARM64_16K_PAGES", 16),
        ("ARM64_64K_PAGES", 64),
        ("PAGE_SIZE_4KB", 4),
        ("PAGE_SIZE_16KB", 16),
        ("PAGE_SIZE_64KB", 64),
    ] {
        let key = format!("{}{option}", labels::NFD_KERNEL_CONFIG);
        if seen.node.labels.get(&key).is_some_and(|value| value == "true") {
            let evidence = fact(EvidenceKey::Label(key), "true", format!("pageSizeKi={ki}"), Confidence::Certain);
            found.push((ki, evidence));
        }
    }
    if let Some((ki, stronger)) = found.first() {
        for (_, weaker) in found.iter().filter(|(other, _)| other != ki) {
            profile.conflicts.push(Conflict { stronger: stronger.clone(), weaker: weaker.clone() });
        }
        profile.facts.page_size = Some(PageSize { ki: *ki, confidence: Confidence::Certain });
    } else if let Some(ki) = platform.and_then(|platform| likely_page(platform, &profile.os_family)) {
        let value = if seen.node.os_image.is_empty() { &seen.node.kernel_version } else { &seen.node.os_image };
        found.push((ki, fact(EvidenceKey::OsImage, value, format!("pageSizeKi={ki}"), Confidence::Probable)));
        profile.facts.page_size = Some(PageSize { ki, confidence: Confidence::Probable });
    }
    profile.evidence.extend(found.into_iter().map(|(_, evidence)| evidence));
}

fn likely_page(platform: &Platform, os: &OsFamily) -> Option<u32> {
    let fits = |hint: &&super::PageHint| {
        let os_fits = hint.os.is_empty() || hint.os.eq_ignore_ascii_case(&os.id);
        let release_fits = match KernelVersion::parse(&hint.release_from) {
            None => true,
            Some(from) => KernelVersion::parse(&os.release).is_some_and(|release| release >= from),
        };
        os_fits && release_fits
    };
    platform.page_hints.iter().find(fits).map(|hint| hint.page_size_ki)
}

/// Old world: kernel 4.19, or Kylin, UOS, Loongnix below 5.19. New world: 5.19 and later.
fn world(seen: &Seen<'_>, platform: Option<&Platform>, profile: &mut NodeProfile) {
    if seen.arch != Arch::Loong64 {
        return;
    }
    let kernel = profile.facts.kernel.map(|KernelVersion(major, minor, _)| (major, minor));
    let old_os = matches!(profile.os_family.id.as_str(), "kylin" | "uos" | "loongnix");
    let from_kernel = match kernel {
        Some(version) if version >= (5, 19) => Some((World::New, Confidence::Certain)),
        Some((4, 19)) => Some((World::Old, Confidence::Certain)),
        _ if old_os => Some((World::Old, Confidence::Probable)),
        _ => None,
    };
    let declared = seen.node.labels.get(labels::ABI_WORLD).and_then(|text| World::parse(text));
    let label = EvidenceKey::Label(labels::ABI_WORLD.to_owned());
    let sources = [
        declared.map(|world| fact(label, world.as_str(), format!("abiWorld={world}"), Confidence::Certain)),
        from_kernel.map(|(world, confidence)| {
            fact(EvidenceKey::Kernel, &seen.node.kernel_version, format!("abiWorld={world}"), confidence)
        }),
    ];
    if let [Some(stronger), Some(weaker)] = &sources
        && stronger.says != weaker.says
        && weaker.confidence == Confidence::Certain
    {
        profile.conflicts.push(Conflict { stronger: stronger.clone(), weaker: weaker.clone() });
    }
    profile.evidence.extend(sources.into_iter().flatten());
    profile.facts.world =
        declared.or(from_kernel.map(|(world, _)| world)).or(platform.and_then(|platform| platform.world));
}

fn aarch32(seen: &Seen<'_>, platform: Option<&Platform>, facts: &mut PoolFacts) {
    if seen.arch != Arch::Arm64 {
        return;
    }
    let compat = seen.node.labels.get(&format!("{}COMPAT", labels::NFD_KERNEL_CONFIG));
    facts.compat_kernel = match compat.map(String::as_str) {
        Some("true") => Answer::Yes,
        Some(_) => Answer::No,
        None => Answer::Unknown,
    };
    facts.aarch32 = platform.map_or(Answer::Unknown, |platform| platform.aarch32);
    match seen.node.labels.get(labels::AARCH32).and_then(|text| Answer::parse(text)) {
        // "Runs" speaks of core and kernel together.
        Some(Answer::Yes) => (facts.aarch32, facts.compat_kernel) = (Answer::Yes, Answer::Yes),
        Some(Answer::No) => facts.aarch32 = Answer::No,
        Some(Answer::Unknown) | None => {}
    }
}

fn tee(seen: &Seen<'_>, platform: Option<&Platform>, facts: &mut PoolFacts) {
    facts.tee = flags_under(seen.node, labels::TEE_PREFIX).filter_map(Tee::parse).collect();
    if let Some(platform) = platform {
        facts.tee_possible.extend(platform.tee_possible.iter().copied());
    }
    let hygon =
        seen.nfd.vendor.as_deref() == Some("Hygon") || platform.is_some_and(|p| p.tee_possible.contains(&Tee::Csv));
    for feature in flags_under(seen.node, labels::NFD_SECURITY) {
        match feature {
            "sgx.enabled" => drop(facts.tee.insert(Tee::Sgx)),
            "tdx.enabled" | "tdx.protected" => drop(facts.tee.insert(Tee::Tdx)),
            // The label only says that a parameter of kvm_amd is set; on Hygon that may be CSV.
            _ if feature.starts_with("sev") && hygon => drop(facts.tee_possible.insert(Tee::Csv)),
            "sev.enabled" => drop(facts.tee.insert(Tee::Sev)),
            "sev.es.enabled" => drop(facts.tee.insert(Tee::SevEs)),
            "sev.snp.enabled" => drop(facts.tee.insert(Tee::SevSnp)),
            _ => {}
        }
    }
    let declared = &facts.tee;
    facts.tee_possible.retain(|tee| !declared.contains(tee));
}

fn runtime(seen: &Seen<'_>, profile: &mut NodeProfile) {
    let text = &seen.node.container_runtime_version;
    let (name, version) = text.split_once("://").unwrap_or((text, ""));
    let level = seen.node.labels.get(labels::RUNTIME_VARIANT).and_then(|text| Level::parse(text));
    let label = seen.node.labels.get(labels::RUNTIME_SELECTION).map(String::as_str);
    let selection = match (label, level) {
        (Some("max-native"), _) => Selection::MaxNative,
        (Some("pinned"), _) => Selection::Pinned,
        (Some("declared-variant"), Some(level)) => Selection::DeclaredVariant(level),
        // Without a word from the administrator every runtime picks by the plain host platform.
        _ => Selection::Stock,
    };
    profile.facts.runtime = Runtime { name: name.to_owned(), version: version.to_owned(), selection };
    if let Some(label) = label {
        let key = EvidenceKey::Label(labels::RUNTIME_SELECTION.to_owned());
        profile.evidence.push(fact(key, label, format!("selection={}", selection.as_str()), Confidence::Certain));
    }
}

/// Extended resources a pod can ask for: names with a domain that is not Kubernetes' own.
fn accelerators(node: &NodeFacts) -> std::collections::BTreeMap<String, i64> {
    let extended = |name: &str| name.split_once('/').is_some_and(|(domain, _)| !domain.ends_with("kubernetes.io"));
    let usable = node.allocatable.iter().filter(|(name, count)| extended(name) && **count > 0);
    usable.map(|(name, count)| (name.clone(), *count)).collect()
}

/// What follows a prefix in the keys of labels that are `true`.
fn flags_under<'a>(node: &'a NodeFacts, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let all =
        node.labels.range(prefix.to_owned()..).map_while(move |(key, value)| Some((key.strip_prefix(prefix)?, value)));
    all.filter(|(_, value)| *value == "true").map(|(name, _)| name)
}

/// `1.49` as 1490; more decimals are cut.
fn ratio(text: &str) -> Option<PerMille> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) {
        return None;
    }
    let decimals: String = decimals.chars().chain("000".chars()).take(3).collect();
    let whole: i64 = whole.parse().ok()?;
    whole.checked_mul(1000)?.checked_add(decimals.parse().ok()?).map(PerMille)
}

#[cfg(test)]
mod tests;
