//! Terms for images of the worked cases, and how those of several images, zones and platforms join.

use std::collections::BTreeSet;

use super::super::fixture::{entry, needing, pool, set};
use super::super::{Answer, Arch, KernelVersion, Level, Platform, PoolFacts, Tee};
use super::*;

fn catalogue() -> Catalogue {
    let platform = |id: &str, arch: Arch, level: &str, features: &str| Platform {
        id: id.to_owned(),
        vendor: id.to_owned(),
        arch,
        level: Level::parse(level),
        features: set(features),
        absent: BTreeSet::new(),
        page_hints: Vec::new(),
        aarch32: Answer::Unknown,
        world: None,
        tee_possible: BTreeSet::new(),
        threads_per_core: None,
        per_cpu_perf: None,
        detect: Vec::new(),
    };
    let platforms = vec![
        platform("kunpeng-920", Arch::Arm64, "armv8.2", "aes"),
        platform("phytium-ft2000plus", Arch::Arm64, "armv8.0", "crc32"),
        platform("hygon-7000", Arch::Amd64, "x86-64-v3", ""),
    ];
    Catalogue { platforms, ..Catalogue::default() }
}

fn subject<'a>(images: Vec<(&'a [ImageEntry], &'a Needs)>, platforms: &'a BTreeSet<String>) -> Subject<'a> {
    Subject { images, platforms, zones: None }
}

fn derived(entries: &[ImageEntry], policy: &Policy) -> Result<NodeAffinity, Reason> {
    of(&subject(vec![(entries, &Needs::default())], &BTreeSet::new()), &catalogue(), policy)
}

fn terms(entries: &[ImageEntry], policy: &Policy) -> Vec<Term> {
    derived(entries, policy).expect("few alternatives").terms().expect("an image asks for something").to_vec()
}

fn labelled(facts: &PoolFacts, labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    let arch = [(labels::ARCH, facts.arch.as_str()), (labels::OS, "linux")];
    arch.iter().chain(labels).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const ATOMICS: (&str, &str) = ("feature.node.kubernetes.io/cpu-cpuid.ATOMICS", "true");

fn lse() -> ImageEntry {
    needing("arm64", Needs { features: set("atomics"), max_page_size_ki: Some(64), ..Needs::default() })
}

#[test]
fn a_silent_image_asks_for_its_architectures_only() {
    let both = terms(&[entry("arm64"), entry("amd64")], &Policy::default());
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|term| term.0.len() == 2), "architecture and system: {both:?}");
    let strict = Policy { strict: true, ..Policy::default() };
    let floored = terms(&[entry("arm64")], &strict);
    assert!(floored.iter().any(|term| term.0.iter().any(|e| e.key == ATOMICS.0)), "{floored:?}");
}

#[test]
fn a_feature_is_asked_of_nfd_or_of_the_declared_platform() {
    let terms = terms(&[lse()], &Policy::default());
    let admits = |labels: &[(&str, &str)]| terms.iter().any(|term| term.admits(&labelled(&pool("KP4"), labels)));
    assert!(admits(&[ATOMICS]));
    assert!(admits(&[(labels::PLATFORM, "kunpeng-920")]));
    assert!(!admits(&[]));
    assert!(!admits(&[(labels::PLATFORM, "phytium-ft2000plus")]));
}

#[test]
fn pages_kernel_and_tee_multiply_into_terms() {
    let needs = Needs {
        max_page_size_ki: Some(4),
        kernel_min: Some(KernelVersion(5, 10, 0)),
        tee: [Tee::TrustZone].into(),
        ..Needs::default()
    };
    let all = terms(&[needing("arm64", needs)], &Policy::default());
    assert_eq!(all.len(), 4, "two ways to tell pages, two ways to be newer");
    let labels = |minor| {
        let more = [
            ("chips.jiuzhou.dev/page-size-ki", "4"),
            ("chips.jiuzhou.dev/tee.trustzone", "true"),
            ("feature.node.kubernetes.io/kernel-version.major", "5"),
            ("feature.node.kubernetes.io/kernel-version.minor", minor),
        ];
        labelled(&pool("KP4"), &more)
    };
    assert!(all.iter().any(|term| term.admits(&labels("10"))));
    assert!(!all.iter().any(|term| term.admits(&labels("4"))));
}

#[test]
fn too_many_alternatives_are_refused_by_name() {
    let tee: BTreeSet<Tee> = Tee::ALL.iter().copied().collect();
    let needs =
        Needs { tee, kernel_min: Some(KernelVersion(5, 10, 0)), max_page_size_ki: Some(16), ..Needs::default() };
    let refused = derived(&[needing("arm64", needs)], &Policy::default());
    assert_eq!(refused.expect_err("13 x 2 x 3 terms").code, Code::NotExpressible);
}

#[test]
fn images_of_one_pod_meet_on_the_architectures_they_share() {
    let (both, one, none) = ([entry("arm64"), entry("amd64")], [entry("arm64")], Needs::default());
    let platforms = BTreeSet::new();
    let joined = of(&subject(vec![(&both, &none), (&one, &none)], &platforms), &catalogue(), &Policy::default());
    let alone = of(&subject(vec![(&one, &none)], &platforms), &catalogue(), &Policy::default());
    assert_eq!(joined, alone, "the amd64 entry has no partner");
    let apart =
        of(&subject(vec![(&[entry("amd64")], &none), (&one, &none)], &platforms), &catalogue(), &Policy::default());
    assert_eq!(apart.expect("nothing multiplies").terms(), Some(&[][..]), "no node runs both");
}

#[test]
fn zones_and_platforms_keep_off_nodes_that_say_otherwise_and_no_others() {
    let (lse, none, platforms) = ([lse()], Needs::default(), BTreeSet::from(["kunpeng-920".to_owned()]));
    let zones = Some(BTreeSet::from(["gov".to_owned()]));
    let subject = Subject { zones, ..subject(vec![(&lse, &none)], &platforms) };
    let affinity = of(&subject, &catalogue(), &Policy::default()).expect("few alternatives");
    let admits = |labels: &[(&str, &str)]| affinity.admits(&labelled(&pool("KP4"), labels));
    assert!(admits(&[ATOMICS]) && admits(&[ATOMICS, (labels::ZONE, "gov")]));
    assert!(!admits(&[ATOMICS, (labels::ZONE, "internet")]));
    assert!(!admits(&[ATOMICS, (labels::PLATFORM, "phytium-ftc862")]));
    let missing = affinity.missing(&labelled(&pool("KP4"), &[]));
    assert!(missing.contains(ATOMICS.0) && missing.contains(labels::PLATFORM), "{missing:?}");
}

#[test]
fn a_variant_above_the_lowest_asks_for_its_level() {
    let mut v3 = entry("amd64");
    v3.platform.variant = "v3".to_owned();
    let terms = terms(&[v3], &Policy::default());
    let flag = format!("{}X86_64_V3", labels::NFD_FLAG);
    assert!(terms.iter().any(|term| term.0.iter().any(|expression| expression.key == flag)), "{terms:?}");
}

#[test]
fn nodes_with_an_allowed_emulator_are_admitted() {
    let emulator = super::super::Emulator { from: Some(Arch::Amd64), to: Some(Arch::Arm64), speed: None };
    let emulators = BTreeMap::from([("exagear".to_owned(), emulator)]);
    let policy = Policy { emulators, allow_emulation: true, ..Policy::default() };
    let bridged = labelled(&pool("KP4"), &[("chips.jiuzhou.dev/emulator.exagear", "true")]);
    assert!(derived(&[entry("amd64")], &policy).expect("two terms").admits(&bridged));
    let denied = Policy { allow_emulation: false, ..policy };
    assert!(!derived(&[entry("amd64")], &denied).expect("one term").admits(&bridged));
}
