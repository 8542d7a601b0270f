//! What Node Feature Discovery shows of a CPU, with its traps taken out.
//!
//! On arm64 `cpu-model.id` is MIDR[15:0] in decimal, so the part number is `id >> 4`; family and id `0` mean the kernel
//! did not expose them. On x86 NFD's default configuration hides many flags (SSE*, BMI*, F16C, LZCNT, ...): their
//! absence proves nothing, only the `X86_64_Vn` labels (NFD 0.19 and later) and the flags in [`SHOWN_X86`] do.

use std::collections::BTreeSet;

use super::{Arch, Level, NodeFacts, labels, normalise_feature};

/// Flags that NFD shows on x86 whenever the CPU has them.
const SHOWN_X86: &[&str] =
    &["avx", "avx2", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "aes", "fma", "movbe", "sha_ni"];

/// Flags that NFD shows on arm64 whenever the CPU has them: the first hardware capability word of Linux. `bf16`, `i8mm`
/// and `sve2` are in the second, which not every version reads.
const SHOWN_ARM: &[&str] = &[
    "aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "asimdrdm", "jscvt", "fcma", "lrcpc",
    "dcpop", "sha3", "sm3", "sm4", "asimddp", "sha512", "sve",
];

/// NFD's CPU labels of one node, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Nfd {
    pub(super) vendor: Option<String>,
    pub(super) family: Option<String>,
    pub(super) model: Option<String>,
    pub(super) part: Option<String>,
    /// Flags seen, normalised, without the level labels.
    pub(super) flags: BTreeSet<String>,
    /// Flags that would be shown if they were there.
    pub(super) absent: BTreeSet<String>,
    /// Highest `X86_64_Vn`.
    pub(super) level: Option<Level>,
    /// Runs under a hypervisor.
    pub(super) guest: bool,
    /// `cpu-hardware_multithreading`.
    pub(super) multithreading: Option<bool>,
}

impl Nfd {
    pub(super) fn of(node: &NodeFacts, arch: &Arch) -> Self {
        let label = |name: &str| node.labels.get(&format!("{}{name}", labels::NFD)).map(String::as_str);
        let seen = |name: &str| label(name).filter(|value| *value != "0").map(str::to_owned);
        let mut nfd = Self {
            vendor: label("cpu-model.vendor_id").map(str::to_owned),
            family: seen("cpu-model.family"),
            guest: label("cpu-model.hypervisor").is_some_and(|name| name != "none"),
            multithreading: label("cpu-hardware_multithreading").map(|value| value == "true"),
            ..Self::default()
        };
        let id = label("cpu-model.id").and_then(|text| text.parse::<u32>().ok());
        match arch {
            Arch::Arm64 => nfd.part = id.filter(|id| *id != 0).map(|id| format!("{:#x}", (id >> 4) & 0xfff)),
            _ if nfd.family.is_some() => nfd.model = id.map(|id| id.to_string()),
            _ => {}
        }
        for (key, value) in node.labels.range(labels::NFD_FLAG.to_owned()..) {
            let Some(flag) = key.strip_prefix(labels::NFD_FLAG) else { break };
            if value != "true" {
                continue;
            }
            let level = flag.strip_prefix("X86_64_V").and_then(|n| n.parse().ok()).filter(|n| (1..=4).contains(n));
            match level {
                Some(n) => nfd.level = nfd.level.max(Some(Level::X86(n))),
                None => {
                    nfd.flags.insert(normalise_feature(flag));
                }
            }
        }
        if !nfd.flags.is_empty() {
            let shown = match arch {
                Arch::Amd64 => SHOWN_X86,
                Arch::Arm64 => SHOWN_ARM,
                _ => &[],
            };
            let missing = shown.iter().filter(|flag| !nfd.flags.contains(**flag));
            nfd.absent = missing.map(|flag| (*flag).to_owned()).collect();
        }
        nfd
    }

    /// Whether a rule's flag is shown; level labels by their name (`X86_64_V3`).
    pub(super) fn has(&self, flag: &str) -> bool {
        match level_flag(flag) {
            Some(level) => self.level >= Some(level),
            None => self.flags.contains(&normalise_feature(flag)),
        }
    }

    /// Whether a rule's flag is known to be missing.
    pub(super) fn lacks(&self, flag: &str) -> bool {
        match level_flag(flag) {
            Some(level) => self.level.is_some_and(|have| have < level),
            None => self.absent.contains(&normalise_feature(flag)),
        }
    }
}

fn level_flag(flag: &str) -> Option<Level> {
    let lower = flag.to_ascii_lowercase();
    lower.strip_prefix("x86_64_v").and_then(|n| n.parse().ok()).map(Level::X86)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(labels: &[(&str, &str)]) -> NodeFacts {
        let labels = labels.iter().map(|(k, v)| (format!("{}{k}", labels::NFD), (*v).to_owned())).collect();
        NodeFacts { labels, ..NodeFacts::default() }
    }

    /// The whole derived range of each part, docs of NFD and lscpu-arm.c.
    #[test]
    fn the_part_is_the_upper_bits_of_the_id() {
        for (part, from, to) in [
            ("0xd01", 53264, 53279),
            ("0xd02", 53280, 53295),
            ("0xd03", 53296, 53311),
            ("0xd06", 53344, 53359),
            ("0xd22", 53792, 53807),
            ("0x660", 26112, 26127),
            ("0x662", 26144, 26159),
            ("0x663", 26160, 26175),
            ("0x664", 26176, 26191),
            ("0x862", 34336, 34351),
        ] {
            for id in from..=to {
                let node = node(&[("cpu-model.id", &id.to_string())]);
                assert_eq!(Nfd::of(&node, &Arch::Arm64).part.as_deref(), Some(part), "{id}");
            }
        }
        for hidden in ["0", "x", "", "-1", "99999999999"] {
            let node = node(&[("cpu-model.id", hidden), ("cpu-model.family", "0")]);
            let nfd = Nfd::of(&node, &Arch::Arm64);
            assert_eq!((nfd.part, nfd.family), (None, None), "{hidden}");
        }
    }

    #[test]
    fn a_hidden_flag_proves_nothing_and_a_shown_one_does() {
        let node = node(&[("cpu-cpuid.AVX", "true"), ("cpu-cpuid.AESNI", "true"), ("cpu-cpuid.X86_64_V2", "true")]);
        let nfd = Nfd::of(&node, &Arch::Amd64);
        assert!(nfd.has("AESNI") && nfd.has("X86_64_V1") && nfd.lacks("X86_64_V3") && nfd.lacks("AVX2"));
        assert!(!nfd.has("BMI1") && !nfd.lacks("BMI1"), "NFD hides BMI1");
        let silent = Nfd::of(&NodeFacts::default(), &Arch::Amd64);
        assert!(!silent.lacks("AVX2") && !silent.lacks("X86_64_V3"), "no labels, no proof");
    }
}
