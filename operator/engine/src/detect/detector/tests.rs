//! Nodes of the field and what detection says of them.

use super::super::fixture::set;
use super::super::{CpuBasicInfo, PageHint};
use super::*;
use crate::terms::Code;

fn one_of(key: EvidenceKey, value: &str) -> Predicate {
    Predicate::OneOf(key, vec![value.to_owned()])
}

fn model(text: &str) -> Predicate {
    Predicate::Glob(EvidenceKey::KoordinatorCpuModel, vec![text.to_owned()])
}

fn platform(id: &str, vendor: &str, arch: Arch, all: Vec<Predicate>) -> Platform {
    Platform {
        id: id.to_owned(),
        vendor: vendor.to_owned(),
        arch,
        level: None,
        features: BTreeSet::new(),
        absent: BTreeSet::new(),
        page_hints: vec![PageHint { os: "kylin".to_owned(), release_from: String::new(), page_size_ki: 64 }],
        aarch32: Answer::Unknown,
        world: None,
        tee_possible: BTreeSet::new(),
        threads_per_core: None,
        per_cpu_perf: None,
        detect: vec![Rule { confidence: Confidence::Certain, all }],
    }
}

fn part(part: &str) -> Vec<Predicate> {
    vec![one_of(EvidenceKey::NfdVendor, "VendorUnknown"), one_of(EvidenceKey::NfdPart, part)]
}

/// A small catalogue of the same shape as the shipped one.
fn catalogue() -> Catalogue {
    let zhaoxin = |flag: Predicate| vec![one_of(EvidenceKey::NfdFamily, "7"), flag];
    let hygon = || vec![one_of(EvidenceKey::NfdVendor, "Hygon"), one_of(EvidenceKey::NfdFamily, "24")];
    let s2500 = [part("0x663"), vec![model("*S2500*")]].concat();
    let first = [hygon(), vec![one_of(EvidenceKey::NfdModel, "1")]].concat();
    let platforms = vec![
        platform("hygon-c86", "hygon", Arch::Amd64, hygon()),
        Platform {
            level: Some(Level::X86(3)),
            tee_possible: [Tee::Csv].into(),
            threads_per_core: Some(2),
            ..platform("hygon-7000", "hygon", Arch::Amd64, first)
        },
        Platform {
            level: Some(Level::Arm(8, 2)),
            features: set("atomics jscvt"),
            absent: set("lrcpc bf16"),
            ..platform("kunpeng-920", "kunpeng", Arch::Arm64, part("0xd01"))
        },
        Platform {
            level: Some(Level::Arm(8, 0)),
            features: set("crc32"),
            absent: set("atomics"),
            ..platform("phytium-ftc663", "phytium", Arch::Arm64, part("0x663"))
        },
        platform("phytium-s2500", "phytium", Arch::Arm64, s2500),
        platform("loongson-3c5000", "loongson", Arch::Loong64, vec![model("*3C5000*")]),
        platform("zhaoxin-kh40000", "zhaoxin", Arch::Amd64, zhaoxin(Predicate::HasFlag("AVX2".to_owned()))),
        platform("zhaoxin-kx6000", "zhaoxin", Arch::Amd64, zhaoxin(Predicate::LacksFlag("AVX2".to_owned()))),
    ];
    Catalogue { platforms, ..Catalogue::default() }
}

fn node(arch: &str, labels: &[(&str, &str)]) -> NodeFacts {
    let full = |key: &str| match key {
        key if key.contains('/') => key.to_owned(),
        key => format!("{}{key}", labels::NFD),
    };
    NodeFacts {
        name: "n1".to_owned(),
        architecture: arch.to_owned(),
        labels: labels.iter().map(|(key, value)| (full(key), (*value).to_owned())).collect(),
        ..NodeFacts::default()
    }
}

fn named(node: &NodeFacts) -> Option<String> {
    detect(node, &catalogue()).facts.platform
}

const UNKNOWN: (&str, &str) = ("cpu-model.vendor_id", "VendorUnknown");

#[test]
fn parts_name_arm_cores_and_the_model_text_refines_them() {
    assert_eq!(named(&node("arm64", &[UNKNOWN, ("cpu-model.id", "53264")])).as_deref(), Some("kunpeng-920"));
    let mut s2500 = node("arm64", &[UNKNOWN, ("cpu-model.id", "26163")]);
    assert_eq!(named(&s2500).as_deref(), Some("phytium-ftc663"));
    s2500.cpu_basic_info = Some(CpuBasicInfo { cpu_model: "Phytium,S2500/64".to_owned(), hyper_thread_enabled: None });
    let profile = detect(&s2500, &catalogue());
    assert_eq!(profile.facts.platform.as_deref(), Some("phytium-s2500"));
    assert!(profile.conflicts.is_empty(), "a refinement is no contradiction");
    assert_eq!(named(&node("arm64", &[UNKNOWN, ("cpu-model.id", "0")])), None, "hidden MIDR is unknown");
    let arm = node("arm64", &[("cpu-model.vendor_id", "ARM"), ("cpu-model.id", "53264")]);
    assert_eq!(named(&arm), None, "Arm's own 0xd01 is Cortex-A32");
}

#[test]
fn a_second_source_that_says_the_same_makes_nothing_less_sure() {
    let mut sunway = platform("sunway-sw64", "sunway", Arch::Sw64, vec![one_of(EvidenceKey::Arch, "sw64")]);
    let kernel = Predicate::Glob(EvidenceKey::Kernel, vec!["*sw_64*".to_owned()]);
    sunway.detect.push(Rule { confidence: Confidence::Probable, all: vec![kernel] });
    let catalogue = Catalogue { platforms: vec![sunway], ..Catalogue::default() };
    let node = NodeFacts { kernel_version: "4.19.180-sw_64".to_owned(), ..node("sw64", &[]) };
    let facts = detect(&node, &catalogue).facts;
    assert_eq!((facts.platform.as_deref(), facts.confidence), (Some("sunway-sw64"), Confidence::Certain));
}

#[test]
fn an_overwritten_label_of_the_architecture_is_a_conflict() {
    let conflicts = |arch: &str, label: &str| {
        let profile = detect(&node(arch, &[(labels::ARCH, label)]), &catalogue());
        assert_eq!(profile.facts.conflicting, !profile.conflicts.is_empty());
        profile.conflicts.len()
    };
    assert_eq!((conflicts("arm64", "amd64"), conflicts("arm64", "arm64")), (1, 0));
    assert_eq!(conflicts("", "amd64"), 0, "a node that says nothing contradicts nothing");
}

#[test]
fn zhaoxin_generations_differ_by_avx2() {
    let zhaoxin = |flag| named(&node("amd64", &[("cpu-model.family", "7"), ("cpu-model.id", "11"), flag]));
    assert_eq!(zhaoxin(("cpu-cpuid.AVX2", "true")).as_deref(), Some("zhaoxin-kh40000"));
    assert_eq!(zhaoxin(("cpu-cpuid.AVX", "true")).as_deref(), Some("zhaoxin-kx6000"));
    assert_eq!(zhaoxin(("x/y", "true")), None, "without flags nothing is known to be missing");
}

#[test]
fn a_hygon_guest_has_what_its_hypervisor_shows() {
    let hygon = [("cpu-model.vendor_id", "Hygon"), ("cpu-model.family", "24"), ("cpu-model.id", "1")];
    let with = |more: &[(&str, &str)]| detect(&node("amd64", &[&hygon, more].concat()), &catalogue());
    let bare = with(&[]);
    assert_eq!(bare.facts.platform.as_deref(), Some("hygon-7000"), "the rule with more predicates wins");
    assert_eq!((bare.facts.level, bare.smt), (Some(Level::X86(3)), Some(true)));
    let kvm64 = with(&[("cpu-model.hypervisor", "kvm"), ("cpu-cpuid.X86_64_V1", "true"), ("cpu-cpuid.FP", "true")]);
    assert_eq!(kvm64.facts.level, Some(Level::X86(1)));
    assert!(kvm64.facts.absent.contains("aes") && !kvm64.facts.features.contains("avx2"));
    let blind = with(&[("cpu-model.hypervisor", "kvm")]);
    assert_eq!(blind.facts.level, None, "a guest that shows no level proves none");
    let sev = with(&[("cpu-security.sev.enabled", "true")]);
    assert!(sev.facts.tee.is_empty() && sev.facts.tee_possible.contains(&Tee::Csv));
    let declared = with(&[("chips.jiuzhou.dev/tee.csv", "true")]);
    assert!(declared.facts.tee.contains(&Tee::Csv) && declared.facts.tee_possible.is_empty());
}

#[test]
fn contradictions_are_conflicts() {
    let wrong = detect(&node("amd64", &[(labels::PLATFORM, "kunpeng-920")]), &catalogue());
    assert!(wrong.facts.conflicting && wrong.facts.platform.is_none());
    let two = [(labels::PLATFORM, "kunpeng-920"), UNKNOWN, ("cpu-model.id", "26163")];
    let vendors = detect(&node("arm64", &two), &catalogue());
    assert!(vendors.facts.conflicting, "the label says Kunpeng, the core says Phytium");
    let pages = [(labels::PAGE_SIZE_KI, "4"), ("kernel-config.ARM64_64K_PAGES", "true")];
    assert!(detect(&node("arm64", &pages), &catalogue()).facts.conflicting);
    let unlisted = detect(&node("arm64", &[(labels::PLATFORM, "kunpeng-9000")]), &catalogue());
    assert!(!unlisted.facts.conflicting);
    let codes: Vec<Code> = unlisted.reasons("n1").iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [Code::PlatformUnlisted, Code::PlatformUnknown]);
    let codes: Vec<Code> = vendors.reasons("n1").iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [Code::EvidenceConflict]);
}

#[test]
fn seen_flags_beat_the_catalogue() {
    let id = [UNKNOWN, ("cpu-model.id", "53264")];
    let silicon = detect(&node("arm64", &id), &catalogue()).facts;
    assert!(silicon.features.contains("atomics") && silicon.absent.contains("lrcpc"));
    assert_eq!(silicon.level, Some(Level::Arm(8, 2)));
    let flags = [("cpu-cpuid.CRC32", "true"), ("cpu-cpuid.LRCPC", "true")];
    let masked = detect(&node("arm64", &[&id[..], &flags].concat()), &catalogue()).facts;
    assert!(masked.absent.contains("atomics") && !masked.features.contains("atomics"));
    assert!(masked.features.contains("lrcpc") && !masked.absent.contains("lrcpc"));
    assert_eq!(masked.level, Some(Level::Arm(8, 0)));
}

#[test]
fn page_sizes_are_certain_from_the_node_and_probable_from_custom() {
    let facts = |os_image: &str, more: &[(&str, &str)]| {
        let mut node = node("arm64", &[&[UNKNOWN, ("cpu-model.id", "26163")], more].concat());
        node.os_image = os_image.to_owned();
        detect(&node, &catalogue()).facts.page_size
    };
    let size = |ki, confidence| Some(PageSize { ki, confidence });
    assert_eq!(facts("Kylin Linux Advanced Server V10 (Halberd)", &[]), size(64, Confidence::Probable));
    assert_eq!(facts("Debian GNU/Linux 12 (bookworm)", &[]), None);
    let four = [("kernel-config.ARM64_4K_PAGES", "true")];
    assert_eq!(facts("Kylin Linux Advanced Server V10 (Halberd)", &four), size(4, Confidence::Certain));
}

#[test]
fn loongarch_worlds_follow_kernel_and_distribution() {
    let world = |kernel: &str, os: &str| {
        let mut node = node("loong64", &[]);
        (node.kernel_version, node.os_image) = (kernel.to_owned(), os.to_owned());
        detect(&node, &catalogue()).facts.world
    };
    assert_eq!(world("4.19.0-19-loongson-3", "Loongnix GNU/Linux 20"), Some(World::Old));
    assert_eq!(world("4.19.190+", ""), Some(World::Old));
    assert_eq!(world("6.6.63", "Kylin Linux Advanced Server V11"), Some(World::New));
    assert_eq!(world("5.10.0", "UnionTech OS Server 20"), Some(World::Old));
    assert_eq!(world("5.10.0", "openEuler 22.03"), None);
    assert_eq!(world("", ""), None);
}

#[test]
fn strange_input_is_unknown_and_never_a_panic() {
    let strange = node("龙芯", &[("cpu-model.id", "飞腾"), (labels::PAGE_SIZE_KI, "大"), (labels::ABI_WORLD, "新")]);
    let profile = detect(&strange, &catalogue());
    assert_eq!((profile.facts.platform, profile.facts.level), (None, None));
    assert_eq!(ratio("1.49"), Some(PerMille(1490)));
    for text in ["", ".", "x", "1.x", "-1", "99999999999999999999"] {
        assert_eq!(ratio(text), None, "{text}");
    }
}

#[test]
fn globs_match_as_in_shells() {
    for (pattern, text, want) in [
        ("*S2500*", "Phytium,S2500/64", true),
        ("hygon c86 7*", "Hygon C86 7285 32-core Processor", true),
        ("*FT-2000+*", "FT-2000/4", false),
        ("a?c", "abc", true),
        ("", "", true),
        ("*", "", true),
        ("a*b*c", "aXbYbZ", false),
        ("飞*", "飞腾", true),
    ] {
        assert_eq!(glob(pattern, text), want, "{pattern} {text}");
    }
}

#[test]
fn a_thousand_equal_nodes_are_one_pool() {
    let mut nodes: Vec<NodeFacts> = (0..1000)
        .map(|i| NodeFacts { name: format!("n{i:04}"), ..node("arm64", &[UNKNOWN, ("cpu-model.id", "53264")]) })
        .collect();
    nodes[7].allocatable.insert("huawei.com/Ascend310P".to_owned(), 3);
    nodes[8].allocatable.insert("huawei.com/Ascend310P".to_owned(), 8);
    nodes[9].labels.insert("zone".to_owned(), "internet".to_owned());
    let pools = super::super::group(&nodes, &catalogue(), &["zone"]);
    let sizes: Vec<usize> = pools.iter().map(|pool| pool.nodes.len()).collect();
    assert_eq!(sizes, [997, 2, 1]);
    assert_eq!(pools[1].profile.facts.accelerators["huawei.com/Ascend310P"], 8);
    assert!(pools[0].profile.evidence.len() < 4, "evidence is a union, not a list per node");
    nodes.reverse();
    let reversed = super::super::group(&nodes, &catalogue(), &["zone"]);
    let facts = |pools: &[super::super::Pool]| pools.iter().map(|p| p.profile.facts.clone()).collect::<Vec<_>>();
    assert_eq!(facts(&pools), facts(&reversed));
}
