//! Terms for images of the worked cases, and what verification says of pools.

use std::collections::BTreeSet;

use super::super::fixture::{entry, needing, pool, set};
use super::super::{NodeProfile, OsFamily, Platform, PoolFacts, compatible};
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

fn terms(entries: &[ImageEntry], needs: &Needs, policy: &Policy) -> Vec<Term> {
    required(entries, needs, &catalogue(), policy).expect("few alternatives")
}

fn labelled(facts: PoolFacts, labels: &[(&str, &str)]) -> Pool {
    let arch = [(labels::ARCH, facts.arch.as_str()), (labels::OS, "linux")];
    let labels = arch.iter().chain(labels).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let profile = NodeProfile {
        facts,
        os_family: OsFamily::default(),
        smt: None,
        per_cpu_perf: None,
        koordinator_ratio: None,
        evidence: Vec::new(),
        conflicts: Vec::new(),
    };
    Pool { profile, labels, taints: Vec::new(), nodes: vec![0] }
}

fn verdicts(entries: &[ImageEntry], pools: &[Pool]) -> Vec<Reason> {
    let (needs, policy) = (Needs::default(), Policy { strict: true, ..Policy::default() });
    let judged: Vec<Verdict> =
        pools.iter().map(|pool| compatible(entries, &needs, &pool.profile.facts, &policy)).collect();
    let terms = terms(entries, &needs, &policy);
    verify(&terms, pools.iter().zip(&judged).map(|(pool, verdict)| ("pool", pool, verdict)))
}

const ATOMICS: (&str, &str) = ("feature.node.kubernetes.io/cpu-cpuid.ATOMICS", "true");

fn lse() -> ImageEntry {
    needing("arm64", Needs { features: set("atomics"), max_page_size_ki: Some(64), ..Needs::default() })
}

#[test]
fn a_silent_image_asks_for_its_architectures_only() {
    let both = terms(&[entry("arm64"), entry("amd64")], &Needs::default(), &Policy::default());
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|term| term.0.len() == 2), "architecture and system: {both:?}");
    let strict = Policy { strict: true, ..Policy::default() };
    let floored = terms(&[entry("arm64")], &Needs::default(), &strict);
    assert!(floored.iter().any(|term| term.0.iter().any(|e| e.key == ATOMICS.0)), "{floored:?}");
}

#[test]
fn a_feature_is_asked_of_nfd_or_of_the_declared_platform() {
    let terms = terms(&[lse()], &Needs::default(), &Policy::default());
    let admits = |labels: &[(&str, &str)]| terms.iter().any(|term| term.admits(&labelled(pool("KP4"), labels).labels));
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
    let all = terms(&[needing("arm64", needs)], &Needs::default(), &Policy::default());
    assert_eq!(all.len(), 4, "two ways to tell pages, two ways to be newer");
    let labels = |minor| {
        let more = [
            ("chips.jiuzhou.dev/page-size-ki", "4"),
            ("chips.jiuzhou.dev/tee.trustzone", "true"),
            ("feature.node.kubernetes.io/kernel-version.major", "5"),
            ("feature.node.kubernetes.io/kernel-version.minor", minor),
        ];
        labelled(pool("KP4"), &more).labels
    };
    assert!(all.iter().any(|term| term.admits(&labels("10"))));
    assert!(!all.iter().any(|term| term.admits(&labels("4"))));
}

#[test]
fn too_many_alternatives_are_refused_by_name() {
    let tee: BTreeSet<Tee> = Tee::ALL.iter().copied().collect();
    let needs =
        Needs { tee, kernel_min: Some(KernelVersion(5, 10, 0)), max_page_size_ki: Some(16), ..Needs::default() };
    let refused = required(&[needing("arm64", needs)], &Needs::default(), &catalogue(), &Policy::default());
    assert_eq!(refused.expect_err("13 x 2 x 3 terms").code, Code::NotExpressible);
}

#[test]
fn verification_names_the_option_that_would_separate() {
    // Page size is declared, but no label of the 64 KiB pool shows it: only a wrong label could admit it.
    let four =
        needing("arm64", Needs { level: Level::parse("armv8.0"), max_page_size_ki: Some(4), ..Needs::default() });
    let lying = labelled(pool("KP64"), &[(labels::PAGE_SIZE_KI, "4")]);
    let found = verdicts(&[four], &[lying]);
    assert_eq!(found, [Reason::new(Code::NotExpressible).object("pool").wanted("sources.kernel.configOpts")]);
    // A silent 64-bit image on 64 KiB pages: nothing in its needs keeps it away.
    let silent = verdicts(
        &[entry("arm64")],
        &[labelled(
            pool("KP64"),
            &[
                ATOMICS,
                ("feature.node.kubernetes.io/cpu-cpuid.ASIMDRDM", "true"),
                ("feature.node.kubernetes.io/cpu-cpuid.CRC32", "true"),
            ],
        )],
    );
    assert_eq!(silent.first().map(|reason| reason.code), Some(Code::NotExpressible));
    let unlabelled = verdicts(&[lse()], &[labelled(pool("KP4"), &[])]);
    assert_eq!(unlabelled.first().map(|reason| reason.code), Some(Code::AffinityExcludes));
    assert!(verdicts(&[lse()], &[labelled(pool("KP4"), &[ATOMICS]), labelled(pool("FT64"), &[])]).is_empty());
}
