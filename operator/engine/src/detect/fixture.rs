//! Pools of the worked cases and image entries in short form, for tests only.

use super::{
    Answer, Arch, Confidence, ImageEntry, KernelVersion, Level, Needs, OciPlatform, PageSize, PoolFacts, Provenance,
    Selection, Tee, World, level_features, normalise_feature,
};

pub(super) fn set(names: &str) -> std::collections::BTreeSet<String> {
    names.split_whitespace().map(normalise_feature).collect()
}

fn arm(platform: &str, features: &str, absent: &str, page: u32, kernel: KernelVersion) -> PoolFacts {
    let features = set(features);
    PoolFacts {
        platform: Some(platform.to_owned()),
        confidence: Confidence::Certain,
        level: Some(super::features::arm_level(&features)),
        features,
        absent: set(absent),
        page_size: Some(PageSize { ki: page, confidence: Confidence::Certain }),
        kernel: Some(kernel),
        ..PoolFacts::unknown(Arch::Arm64)
    }
}

fn x86(platform: &str, level: u8) -> PoolFacts {
    PoolFacts {
        platform: Some(platform.to_owned()),
        confidence: Confidence::Certain,
        level: Some(Level::X86(level)),
        features: level_features(Level::X86(level)),
        absent: level_features(Level::X86(4)).difference(&level_features(Level::X86(level))).cloned().collect(),
        kernel: Some(KernelVersion(5, 10, 0)),
        ..PoolFacts::unknown(Arch::Amd64)
    }
}

const KUNPENG: &str = "aes pmull sha1 sha2 crc32 atomics asimdrdm fphp asimdhp jscvt fcma dcpop asimddp asimdfhm";

/// The pools of the worked cases by their short names.
pub(super) fn pool(name: &str) -> PoolFacts {
    let new = KernelVersion(5, 10, 0);
    let kylin = KernelVersion(4, 19, 90);
    match name {
        "KP4" | "KP64" => {
            let page = if name == "KP4" { 4 } else { 64 };
            let mut facts = arm("kunpeng-920", KUNPENG, "lrcpc sve bf16 i8mm sm3 sm4 sha3 sha512", page, new);
            facts.aarch32 = Answer::No;
            facts
        }
        "FT64" => arm("phytium-ft2000plus", "crc32", "atomics fphp lrcpc sve sm3 sm4", 64, kylin),
        "S4" => PoolFacts {
            aarch32: Answer::Yes,
            compat_kernel: Answer::Yes,
            ..arm("phytium-s2500", "aes pmull sha1 sha2 crc32", "atomics asimdrdm", 4, kylin)
        },
        "D862" => arm(
            "phytium-ftc862",
            "crc32 atomics asimdrdm fphp asimdhp lrcpc dcpop sha3 sm3 sm4 asimddp sha512",
            "jscvt fcma sve bf16 i8mm",
            4,
            new,
        ),
        "HY" => PoolFacts { tee_possible: [Tee::Csv].into(), ..x86("hygon-7000", 3) },
        "HYvm" => x86("hygon-7000", 1),
        "ZX4" => x86("zhaoxin-kh40000", 3),
        "ZX6" => x86("zhaoxin-kx6000", 2),
        "XV4" => x86("x86-64-v4", 4),
        "LN" | "LO" => PoolFacts {
            platform: Some("loongson-3c5000".to_owned()),
            confidence: Confidence::Certain,
            level: Some(Level::La64),
            page_size: Some(PageSize { ki: 16, confidence: Confidence::Certain }),
            world: Some(if name == "LN" { World::New } else { World::Old }),
            kernel: Some(if name == "LN" { KernelVersion(6, 6, 0) } else { KernelVersion(4, 19, 0) }),
            ..PoolFacts::unknown(Arch::Loong64)
        },
        "SW" => PoolFacts {
            platform: Some("sunway-sw64".to_owned()),
            level: Some(Level::Sw64),
            ..PoolFacts::unknown(Arch::Sw64)
        },
        // An arm64 node without NFD under Kylin.
        "ARM?" => PoolFacts::unknown(Arch::Arm64),
        other => panic!("no pool {other}"),
    }
}

/// All short names.
pub(super) const POOLS: [&str; 14] =
    ["KP4", "KP64", "FT64", "S4", "D862", "HY", "HYvm", "ZX4", "ZX6", "XV4", "LN", "LO", "SW", "ARM?"];

/// With another selection.
pub(super) fn selecting(name: &str, selection: Selection) -> PoolFacts {
    let mut facts = pool(name);
    facts.runtime.selection = selection;
    facts
}

/// A silent Linux entry, e.g. `arm64/v8.2`.
pub(super) fn entry(platform: &str) -> ImageEntry {
    ImageEntry {
        digest: None,
        platform: OciPlatform::parse(&format!("linux/{platform}")),
        needs: Needs::default(),
        provenance: Provenance::None,
    }
}

/// An entry somebody declared the needs of.
pub(super) fn needing(platform: &str, needs: Needs) -> ImageEntry {
    ImageEntry { needs, provenance: Provenance::Declared, ..entry(platform) }
}
