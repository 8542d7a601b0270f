//! Names of instruction set features and what the levels demand.
//!
//! Features are lower-case names as the kernel prints them (`/proc/cpuinfo`). Aliases of other tools (NFD, klauspost,
//! Go) are folded in [`normalise_feature`]. Only features that decide something appear in tables here; any other name
//! passes through unchanged.

use std::collections::BTreeSet;

use super::Level;

/// Other spellings of the same feature.
const ALIASES: &[(&str, &str)] = &[
    ("aesarm", "aes"),
    ("aesni", "aes"),
    ("aes-ni", "aes"),
    ("lse", "atomics"),
    ("rdm", "asimdrdm"),
    ("fp16", "fphp"),
    ("dotprod", "asimddp"),
    ("fhm", "asimdfhm"),
    ("rcpc", "lrcpc"),
    ("pclmulqdq", "pclmul"),
    ("clmul", "pclmul"),
    ("pclmuldq", "pclmul"),
    ("sha", "sha_ni"),
    ("sha-ni", "sha_ni"),
    ("fma3", "fma"),
    ("lzcnt", "abm"),
    ("sse4", "sse4_1"),
    ("sse4.1", "sse4_1"),
    ("sse42", "sse4_2"),
    ("sse4.2", "sse4_2"),
    ("sse3", "pni"),
    ("lahf", "lahf_lm"),
    ("osxsave", "xsave"),
    ("sm3_x86", "sm3"),
    ("sm4_x86", "sm4"),
];

/// The one spelling of a feature: lower case, aliases folded. Idempotent.
#[must_use]
pub fn normalise_feature(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    match ALIASES.iter().find(|(alias, _)| *alias == lower) {
        Some((_, canonical)) => (*canonical).to_owned(),
        None => lower,
    }
}

/// x86-64 psABI levels 1 to 4 as klauspost/cpuid and GOAMD64 define them; AES, PCLMUL and SHA are in none.
const X86: [&[&str]; 4] = [
    &["cmov", "cx8", "fpu", "fxsr", "mmx", "sse", "sse2"],
    &["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"],
    &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
    &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
];

/// Features mandatory from armv8.N on. LSE at 8.1 and rcpc at 8.3, bf16 at 8.6 are confirmed by field reports
/// (go-re2#136, ClickHouse#110510); the other rows follow the Arm architecture manual.
const ARM8: [&[&str]; 7] = [
    &[],
    &["atomics", "asimdrdm", "crc32"],
    &["dcpop"],
    &["lrcpc", "jscvt", "fcma"],
    &["asimddp", "flagm", "uscat", "ilrcpc", "dit"],
    &["sb", "ssbs", "frint", "flagm2"],
    &["bf16", "i8mm"],
];

/// Every feature a level demands, lower levels included.
#[must_use]
pub fn level_features(level: Level) -> BTreeSet<String> {
    let names = |rows: &[&[&str]]| rows.iter().copied().flatten().map(|name| (*name).to_owned()).collect();
    match level {
        Level::X86(n) => names(&X86[..usize::from(n).min(X86.len())]),
        Level::Arm(8, minor) => names(&ARM8[..(usize::from(minor) + 1).min(ARM8.len())]),
        Level::Arm(_, minor) => {
            let mut features: BTreeSet<String> = names(&ARM8[..(usize::from(minor) + 6).min(ARM8.len())]);
            features.insert("sve2".to_owned());
            features
        }
        Level::La64 | Level::Sw64 => BTreeSet::new(),
    }
}

/// The highest arm64 level whose mandatory features are all there; at least armv8.0.
pub(super) fn arm_level(features: &BTreeSet<String>) -> Level {
    let reached = |level: &Level| level_features(*level).is_subset(features);
    let v9 = (0..=1).rev().map(|minor| Level::Arm(9, minor));
    let v8 = (1..=6).rev().map(|minor| Level::Arm(8, minor));
    v9.chain(v8).find(reached).unwrap_or(Level::Arm(8, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_contains_the_one_below() {
        for pair in [1, 2, 3, 4].map(Level::X86).windows(2) {
            assert!(level_features(pair[0]).is_subset(&level_features(pair[1])));
        }
        for pair in [0, 1, 2, 3, 4, 5, 6].map(|minor| Level::Arm(8, minor)).windows(2) {
            assert!(level_features(pair[0]).is_subset(&level_features(pair[1])));
        }
        assert!(level_features(Level::Arm(8, 5)).is_subset(&level_features(Level::Arm(9, 0))));
        assert!(!level_features(Level::X86(4)).contains("aes"));
    }

    /// Dumps of /proc/cpuinfo: hrw/arm-socs-table.
    #[test]
    fn dumps_of_domestic_cores_give_their_levels() {
        let level = |flags: &str| arm_level(&flags.split(' ').map(normalise_feature).collect());
        let kunpeng = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma dcpop";
        assert_eq!(level(kunpeng), Level::Arm(8, 2));
        let ftc862 = "crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop sha3 sm3 sm4 asimddp sha512";
        assert_eq!(level(ftc862), Level::Arm(8, 2));
        assert_eq!(level("fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"), Level::Arm(8, 0));
    }

    #[test]
    fn aliases_fold_once() {
        for (alias, canonical) in ALIASES {
            assert_eq!(normalise_feature(&alias.to_uppercase()), *canonical);
            assert_eq!(normalise_feature(canonical), *canonical, "{canonical} must be a fixed point");
        }
    }
}
