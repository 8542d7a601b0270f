//! The worked cases: one row, one verdict, one reason. Rows 1 to 45 keep the numbers of the specification.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fixture::{entry, needing, pool, selecting, set};
use super::super::{
    AcceleratorNeed, Answer, Arch, Emulator, Execution, ImageEntry, KernelVersion, Level, Libc, LibcFamily, Needs,
    PageSize, PoolFacts, Selection, Tee, World,
};
use super::super::{Confidence, Outcome, Policy, compatible};
use crate::terms::{Code, PerMille};

use Outcome::{Accept, AcceptWithWarning as Warn, Reject, Unknown};

fn level(text: &str) -> Needs {
    Needs { level: Level::parse(text), ..Needs::default() }
}

fn with(features: &str) -> Needs {
    Needs { features: set(features), ..Needs::default() }
}

fn page(most: u32) -> Needs {
    Needs { max_page_size_ki: Some(most), ..Needs::default() }
}

fn of(world: World) -> Needs {
    Needs { world: Some(world), ..Needs::default() }
}

/// Needs whose page size is out of the question, for rows about something else.
fn any_page(needs: Needs) -> Needs {
    Needs { max_page_size_ki: Some(64), ..needs }
}

fn tee(tee: Tee) -> Needs {
    Needs { tee: [tee].into(), ..Needs::default() }
}

fn kernel(major: u32, minor: u32) -> Needs {
    Needs { kernel_min: Some(KernelVersion(major, minor, 0)), ..Needs::default() }
}

fn npu() -> Needs {
    let need = AcceleratorNeed { class: "npu-inference".to_owned(), count: 2 };
    Needs { accelerators: [need].into(), ..level("armv8.0") }
}

fn policy() -> Policy {
    let exagear = Emulator { from: Some(Arch::Amd64), to: Some(Arch::Arm64), speed: Some(PerMille(800)) };
    let resources: BTreeSet<String> = ["huawei.com/Ascend310P".to_owned()].into();
    Policy {
        emulators: BTreeMap::from([("exagear".to_owned(), exagear)]),
        accelerator_classes: BTreeMap::from([("npu-inference".to_owned(), resources)]),
        ..Policy::default()
    }
}

#[track_caller]
fn row(number: &str, entries: &[ImageEntry], facts: &PoolFacts, outcome: Outcome, codes: &[Code]) {
    check(number, entries, facts, &policy(), outcome, codes);
}

#[track_caller]
fn check(number: &str, entries: &[ImageEntry], facts: &PoolFacts, policy: &Policy, outcome: Outcome, codes: &[Code]) {
    let verdict = compatible(entries, &Needs::default(), facts, policy);
    let found: Vec<Code> = verdict.judgements.iter().map(|judgement| judgement.reason.code).collect();
    assert_eq!((verdict.outcome, found.as_slice()), (outcome, codes), "row {number}: {verdict:#?}");
    for judgement in verdict.judgements.iter().filter(|judgement| judgement.outcome >= Unknown) {
        assert!(judgement.change.is_some(), "row {number}: no change is named for {judgement:?}");
    }
}

#[test]
fn arm64_instruction_sets() {
    use Code::{IsaFeatureMissing, IsaUnknown, UndeclaredBaseline};
    let both = [entry("amd64"), entry("arm64")];
    row("1", &both, &pool("KP4"), Accept, &[]);
    row("2", &[entry("amd64")], &pool("KP4"), Reject, &[Code::NoManifestForPlatform]);
    row("3", &both, &pool("S4"), Unknown, &[UndeclaredBaseline]);
    row("4", &[needing("arm64", level("armv8.0"))], &pool("S4"), Accept, &[]);
    let lse = [needing("arm64", any_page(with("atomics")))];
    row("5", &lse, &pool("FT64"), Reject, &[IsaFeatureMissing]);
    row("6", &lse, &pool("KP4"), Accept, &[]);
    row("7", &[needing("arm64", with("bf16 rcpc"))], &pool("KP4"), Reject, &[IsaFeatureMissing; 2]);
    row("8", &[needing("arm64", with("lrcpc"))], &pool("D862"), Accept, &[]);
    row("9", &[needing("arm64", with("jscvt"))], &pool("D862"), Reject, &[IsaFeatureMissing]);
    let crypto = [needing("arm64", with("sm3 sm4"))];
    row("40", &crypto, &pool("KP4"), Reject, &[IsaFeatureMissing; 2]);
    row("40", &crypto, &pool("D862"), Accept, &[]);
    row("45", &lse, &pool("ARM?"), Unknown, &[IsaUnknown]);
}

#[test]
fn arm64_variants_and_selection() {
    use Selection::{DeclaredVariant, Pinned, Stock};
    let v82 = [entry("arm64/v8.2")];
    row("10", &v82, &pool("KP4"), Reject, &[Code::VariantUnselectable]);
    row("11", &v82, &selecting("KP4", Pinned), Accept, &[]);
    row("11", &v82, &selecting("KP4", DeclaredVariant(Level::Arm(8, 2))), Accept, &[]);
    // The plain entry beside a v8.2 one is built for v8.0: Phytium may run it.
    let graded = [entry("arm64/v8.2"), entry("arm64")];
    row("12", &graded, &pool("S4"), Accept, &[Code::BaselineImpliedBySibling]);
    // Somebody configured the runtime above its silicon.
    let wrong = selecting("S4", DeclaredVariant(Level::Arm(8, 2)));
    row("12b", &v82, &wrong, Reject, &[Code::IsaFeatureMissing, Code::IsaFeatureMissing, Code::IsaUnknown]);
    for selection in [Stock, Pinned, DeclaredVariant(Level::Arm(8, 2))] {
        row("13", &[entry("arm64/v8.10")], &selecting("KP4", selection), Reject, &[Code::NoManifestForPlatform]);
    }
    row("13b", &[], &pool("KP4"), Reject, &[Code::NoManifestForPlatform]);
    row("13c", &[entry("unknown/unknown")], &pool("KP4"), Reject, &[Code::NoManifestForPlatform]);
}

#[test]
fn page_sizes() {
    let small = [needing("arm64", Needs { level: Level::parse("armv8.0"), ..page(4) })];
    row("14", &small, &pool("FT64"), Reject, &[Code::PageSizeUnsupported]);
    row("14", &small, &pool("KP64"), Reject, &[Code::PageSizeUnsupported]);
    row("15", &[needing("arm64", page(64))], &pool("KP64"), Accept, &[]);
    row("16", &[entry("arm64")], &pool("KP64"), Unknown, &[Code::PageSizeUndeclared]);
    // A static Go binary asks the kernel; an interpreter's base image does not.
    let runs = |execution| [needing("arm64", Needs { execution, ..Needs::default() })];
    row("17", &runs(Execution::StaticGo), &pool("KP64"), Accept, &[]);
    row("17b", &runs(Execution::Interpreted), &pool("KP64"), Unknown, &[Code::PageSizeUndeclared]);
    row("17c", &[entry("arm64")], &PoolFacts { page_size: None, ..pool("KP4") }, Unknown, &[Code::PageSizeUnknown]);
    let usual = |ki| PoolFacts { page_size: Some(PageSize { ki, confidence: Confidence::Probable }), ..pool("KP4") };
    row("17d", &[entry("arm64")], &usual(4), Warn, &[Code::PageSizeLikely]);
    row("17e", &small, &usual(64), Unknown, &[Code::PageSizeUnknown]);
}

#[test]
fn thirty_two_bit_programs() {
    let v7 = [needing("arm/v7", page(4))];
    row("18", &v7, &pool("S4"), Warn, &[Code::Runs32Bit]);
    row("18b", &v7, &pool("KP4"), Reject, &[Code::Aarch32Absent]);
    let unsure = PoolFacts { compat_kernel: Answer::Unknown, ..pool("S4") };
    row("18c", &v7, &unsure, Unknown, &[Code::Aarch32Unknown]);
    row("30", &[entry("386")], &pool("HY"), Warn, &[Code::Runs32Bit]);
}

#[test]
fn x86_levels() {
    use Code::{IsaFeatureMissing, IsaLevelTooHigh, UndeclaredBaseline};
    let needs = |text: &str| [needing("amd64", level(text))];
    row("19", &[entry("amd64")], &pool("HY"), Accept, &[]);
    row("20", &needs("x86-64-v3"), &pool("HYvm"), Reject, &[IsaLevelTooHigh]);
    row("21", &needs("x86-64-v2"), &pool("ZX6"), Accept, &[]);
    row("22", &[needing("amd64", with("avx2"))], &pool("ZX6"), Reject, &[IsaFeatureMissing]);
    row("23", &needs("x86-64-v3"), &pool("ZX4"), Accept, &[]);
    row("24", &needs("x86-64-v4"), &pool("HY"), Reject, &[IsaLevelTooHigh]);
    row("24", &needs("x86-64-v4"), &pool("ZX4"), Reject, &[IsaLevelTooHigh]);
    row("25", &needs("x86-64-v4"), &pool("XV4"), Accept, &[]);
    row("25b", &[entry("amd64")], &pool("HYvm"), Unknown, &[UndeclaredBaseline]);
    row("25c", &[entry("amd64")], &PoolFacts::unknown(Arch::Amd64), Unknown, &[UndeclaredBaseline]);
}

#[test]
fn x86_variants_and_selection() {
    let v3 = [entry("amd64/v3")];
    row("26", &v3, &pool("HY"), Reject, &[Code::VariantUnselectable]);
    row("27", &v3, &selecting("HY", Selection::MaxNative), Accept, &[]);
    row("28", &v3, &selecting("ZX6", Selection::MaxNative), Reject, &[Code::NoManifestForPlatform]);
    // AlmaLinux/container-images#71: the plain entry is last, so a v4 CPU gets v2.
    let alma = [entry("amd64"), entry("amd64/v2")];
    let verdict = compatible(&alma, &Needs::default(), &selecting("XV4", Selection::MaxNative), &policy());
    assert_eq!((verdict.outcome, verdict.entry), (Accept, Some(1)), "row 29");
    let gpu = {
        let mut gpu = entry("amd64");
        gpu.platform.os_features.insert("gpu".to_owned());
        [gpu]
    };
    row("31", &gpu, &pool("HY"), Reject, &[Code::OsFeatureMissing]);
    row("31b", &[entry("amd64")].map(windows), &pool("HY"), Reject, &[Code::NoManifestForPlatform]);
}

fn windows(mut entry: ImageEntry) -> ImageEntry {
    entry.platform.os = "windows".to_owned();
    entry
}

#[test]
fn loongarch_and_sunway() {
    let libc = |minor| Libc { family: LibcFamily::Glibc, version: KernelVersion(2, minor, 0) };
    let (new, old) = ([needing("loong64", of(World::New))], [needing("loongarch64", of(World::Old))]);
    row("32", &new, &pool("LN"), Accept, &[]);
    row("33", &new, &pool("LO"), Reject, &[Code::AbiWorldMismatch]);
    row("34", &old, &PoolFacts { liblol: true, ..pool("LN") }, Warn, &[Code::LiblolBridged]);
    row("34b", &old, &pool("LN"), Reject, &[Code::AbiWorldMismatch]);
    row("34c", &new, &PoolFacts { liblol: true, ..pool("LO") }, Reject, &[Code::AbiWorldMismatch]);
    row("35", &[entry("loong64")], &pool("LN"), Unknown, &[Code::AbiWorldUndeclared]);
    let large = PageSize { ki: 64, confidence: Confidence::Certain };
    row("36", &new, &PoolFacts { page_size: Some(large), ..pool("LN") }, Unknown, &[Code::PageSizeUndeclared]);
    let with_libc = |minor| [needing("loong64", Needs { libc: Some(libc(minor)), ..Needs::default() })];
    row("36b", &with_libc(38), &pool("LN"), Accept, &[]);
    row("36c", &with_libc(28), &pool("LN"), Reject, &[Code::AbiWorldMismatch]);
    row("36d", &new, &PoolFacts { world: None, ..pool("LN") }, Unknown, &[Code::AbiWorldUnknown]);
    row("37", &[entry("sw64")], &pool("SW"), Accept, &[Code::ArchitectureUnlisted]);
}

#[test]
fn tee_accelerator_kernel() {
    let csv = [needing("amd64", tee(Tee::Csv))];
    row("38", &csv, &pool("HY"), Unknown, &[Code::TeeUndeclared]);
    row("38", &csv, &PoolFacts { tee: [Tee::Csv].into(), ..pool("HY") }, Accept, &[]);
    row("39", &csv, &pool("ZX4"), Reject, &[Code::TeeAbsent]);
    row("41", &[needing("arm64", npu())], &pool("KP4"), Reject, &[Code::AcceleratorAbsent]);
    let cards = |count| PoolFacts {
        accelerators: BTreeMap::from([("huawei.com/Ascend310P".to_owned(), count)]),
        ..pool("KP4")
    };
    row("41b", &[needing("arm64", npu())], &cards(2), Accept, &[]);
    row("41c", &[needing("arm64", npu())], &cards(1), Reject, &[Code::AcceleratorAbsent]);
    let verdict = compatible(&[needing("arm64", npu())], &Needs::default(), &cards(8), &Policy::default());
    assert_eq!(verdict.judgements[0].reason.code, Code::AcceleratorClassUnknown);
    row("43", &[needing("arm64", any_page(kernel(5, 10)))], &pool("FT64"), Reject, &[Code::KernelTooOld]);
    row("44", &[needing("arm64", kernel(5, 10))], &pool("KP4"), Accept, &[]);
    row(
        "44b",
        &[needing("arm64", kernel(5, 10))],
        &PoolFacts { kernel: None, ..pool("KP4") },
        Unknown,
        &[Code::KernelUnknown],
    );
}

#[test]
fn emulation_needs_leave_and_an_emulator() {
    let exagear = PoolFacts { emulators: ["exagear".to_owned()].into(), ..pool("KP4") };
    let allowed = Policy { allow_emulation: true, ..policy() };
    let image = [entry("amd64")];
    check("42", &image, &exagear, &allowed, Warn, &[Code::NoManifestForPlatform, Code::Emulated]);
    check("42b", &image, &exagear, &policy(), Reject, &[Code::NoManifestForPlatform]);
    check("42c", &image, &pool("KP4"), &allowed, Reject, &[Code::NoManifestForPlatform]);
    let demanding = [needing("amd64", Needs { kernel_min: Some(KernelVersion(6, 6, 0)), ..level("x86-64-v3") })];
    check(
        "42d",
        &demanding,
        &exagear,
        &allowed,
        Reject,
        &[Code::NoManifestForPlatform, Code::Emulated, Code::IsaUnknown, Code::KernelTooOld],
    );
}

#[test]
fn contradicting_evidence_is_never_silently_used() {
    row("46", &[entry("arm64")], &PoolFacts { conflicting: true, ..pool("KP4") }, Unknown, &[Code::EvidenceConflict]);
}

#[test]
fn a_strict_policy_refuses_what_is_unknown() {
    let verdict = |strict| {
        let policy = Policy { strict, ..policy() };
        compatible(&[entry("arm64")], &Needs::default(), &pool("S4"), &policy)
    };
    assert!(verdict(false).admitted && !verdict(true).admitted);
    assert_eq!(verdict(true).outcome, Unknown, "the outcome keeps the word unknown");
}

#[test]
fn one_change_is_named_when_it_is_enough() {
    let change = |entries: &[ImageEntry], facts: &PoolFacts| {
        compatible(entries, &Needs::default(), facts, &policy()).one_change().map(|reason| reason.code)
    };
    assert_eq!(change(&[entry("amd64")], &pool("KP4")), Some(Code::ChangeAddManifest));
    assert_eq!(change(&[entry("amd64/v3")], &pool("HY")), Some(Code::ChangeAddVariantlessManifest));
    assert_eq!(change(&[entry("arm64")], &pool("S4")), Some(Code::ChangeDeclareNeeds));
    assert_eq!(change(&[needing("arm64", with("atomics"))], &pool("FT64")), Some(Code::ChangePickOtherPool));
    let unseen = PoolFacts { page_size: pool("KP4").page_size, ..PoolFacts::unknown(Arch::Arm64) };
    assert_eq!(change(&[entry("arm64")], &unseen), Some(Code::ChangeEnableNfdOption));
    assert_eq!(change(&[entry("arm64")], &pool("FT64")), None, "baseline and page size are two declarations");
    assert_eq!(change(&[entry("arm64")], &pool("KP4")), None, "nothing is wrong");
}
