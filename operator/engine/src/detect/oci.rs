//! OCI platforms, normalised and matched as containerd does it (containerd/platforms `Normalize` and `Only`).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Arch;

/// The platform of an index entry. `os.version` is not kept: it decides nothing on Linux.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OciPlatform {
    /// Operating system.
    pub os: String,
    /// Architecture by its Go name.
    pub architecture: String,
    /// Variant; empty means none.
    pub variant: String,
    /// OS features; all must be offered by the host, and a stock host offers none.
    pub os_features: BTreeSet<String>,
}

impl OciPlatform {
    /// A platform without OS features.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            os_features: BTreeSet::new(),
        }
    }

    /// Reads `linux/arm64/v8`; a missing part is empty.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split('/');
        let mut next = || parts.next().unwrap_or_default().trim();
        Self::new(next(), next(), next())
    }

    /// The one spelling of this platform. Idempotent.
    #[must_use]
    pub fn normalise(&self) -> Self {
        let os = self.os.trim().to_ascii_lowercase();
        let architecture = self.architecture.trim().to_ascii_lowercase();
        let variant = self.variant.trim().to_ascii_lowercase();
        let (architecture, variant) = normalise_arch(&architecture, &variant);
        let os = if os.is_empty() { "linux".to_owned() } else { os };
        Self { os, architecture, variant, os_features: self.os_features.clone() }
    }

    /// Whether it is for nodes of this architecture natively (not 32-bit, not emulated).
    #[must_use]
    pub fn is_native_to(&self, arch: &Arch) -> bool {
        self.architecture == arch.as_str()
    }
}

fn normalise_arch(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match architecture {
        "x86_64" | "x86-64" | "amd64" => (
            "amd64",
            match variant.strip_prefix("x86-64-").unwrap_or(variant) {
                "v1" => "",
                other => other,
            },
        ),
        "aarch64" | "arm64" => (
            "arm64",
            match variant.strip_prefix("arm").unwrap_or(variant) {
                "8" | "v8" | "v8.0" => "",
                "9" | "9.0" | "v9.0" => "v9",
                other => other,
            },
        ),
        "i386" => ("386", ""),
        "armhf" => ("arm", "v7"),
        "armel" => ("arm", "v6"),
        "arm" => (
            "arm",
            match variant {
                "" | "7" => "v7",
                "5" => "v5",
                "6" => "v6",
                "8" => "v8",
                other => other,
            },
        ),
        "loongarch64" => ("loong64", variant),
        "sw_64" => ("sw64", variant),
        other => (other, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

impl fmt::Display for OciPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        if !self.os_features.is_empty() {
            let features: Vec<&str> = self.os_features.iter().map(String::as_str).collect();
            write!(f, " [{}]", features.join(","))?;
        }
        Ok(())
    }
}

/// The (architecture, variant) pairs a host matches, best first, all normalised.
#[must_use]
pub fn match_vector(architecture: &str, variant: &str) -> Vec<(String, String)> {
    let (architecture, variant) = normalise_arch(architecture, variant);
    let mut vector = vec![(architecture.clone(), variant.clone())];
    match architecture.as_str() {
        "amd64" => {
            let level = variant.strip_prefix('v').and_then(|n| n.parse::<u8>().ok()).unwrap_or(1);
            vector.extend((1..level).rev().map(|n| normalise_arch("amd64", &format!("v{n}"))));
            vector.push(("386".to_owned(), String::new()));
        }
        "arm" => vector.extend(arm_below(&variant)),
        "arm64" => {
            let known = arm64_version(&variant);
            if known.is_none() {
                vector.clear();
            }
            let (major, minor) = known.unwrap_or((8, 0));
            let top = if major == 9 {
                vector.extend((0..minor).rev().map(|n| normalise_arch("arm64", &format!("v9.{n}"))));
                (minor + 6).min(10)
            } else {
                minor
            };
            vector.extend((0..top).rev().map(|n| normalise_arch("arm64", &format!("v8.{n}"))));
            vector.push(("arm".to_owned(), "v8".to_owned()));
            vector.extend(arm_below("v8"));
        }
        _ => {}
    }
    vector
}

fn arm_below(variant: &str) -> impl Iterator<Item = (String, String)> + use<> {
    let version = variant.strip_prefix('v').and_then(|n| n.parse::<u8>().ok()).unwrap_or(0);
    (5..version).rev().map(|n| ("arm".to_owned(), format!("v{n}")))
}

/// Major and minor of a normalised arm64 variant that containerd knows; `None` for `v8.10` and the like.
pub(super) fn arm64_version(variant: &str) -> Option<(u8, u8)> {
    let (major, minor) = match variant {
        "" => return Some((8, 0)),
        _ => variant.strip_prefix('v')?.split_once('.').unwrap_or((variant.strip_prefix('v')?, "0")),
    };
    let version = (major.parse().ok()?, minor.parse().ok()?);
    (matches!(version, (8, 0..=9) | (9, 0..=7)) && minor.len() == 1).then_some(version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(host: &str, image: &str) -> bool {
        let (host, image) = (OciPlatform::parse(host).normalise(), OciPlatform::parse(image).normalise());
        let vector = match_vector(&host.architecture, &host.variant);
        host.os == image.os && vector.contains(&(image.architecture, image.variant))
    }

    /// The pairs that containerd/platforms publishes for `Only` in compare_test.go, Linux hosts.
    #[test]
    fn match_lists_agree_with_containerd() {
        let arm32 = "arm arm/v5 arm/v6 arm/v7 arm/v8";
        let v9 = "arm64 arm64/v8 arm64/v8.1 arm64/v8.2 arm64/v8.3 arm64/v8.4 arm64/v8.5 arm64/v9 arm64/v9.0";
        for (host, yes, no) in [
            ("amd64", "amd64 386", "amd64/v2 arm/v7 arm64"),
            ("amd64/v2", "amd64 amd64/v1 amd64/v2 386", "amd64/v3 amd64/v4 arm/v7 arm64"),
            ("386", "386", "amd64 arm/v7 arm64"),
            ("arm/v8", arm32, "amd64 arm/v4 arm64"),
            ("arm/v7", "arm arm/v5 arm/v6 arm/v7", "amd64 arm/v4 arm/v8 arm64"),
            ("arm/v6", "arm/v5 arm/v6", "amd64 arm arm/v4 arm/v7 arm/v8 arm64"),
            ("arm/v5", "arm/v5", "amd64 arm arm/v4 arm/v6 arm/v7 arm/v8 arm64"),
            ("arm/v4", "arm/v4", "amd64 arm arm/v5 arm/v6 arm/v7 arm/v8 arm64"),
            ("arm64/v9", &format!("{arm32} {v9}"), "amd64 arm/v4 arm64/v8.6"),
            ("arm64/v8.1", &format!("{arm32} arm64 arm64/v8 arm64/v8.1"), "amd64 arm/v4 arm/v9 arm64/v9"),
            ("arm64", &format!("{arm32} arm64 arm64/v8"), "amd64 arm/v4 arm/v9 arm64/v9 arm64/v8.1"),
            ("arm64/v9.7", "arm64/v8.9 arm64/v9.3", "arm64/v8.10"),
            ("loong64", "loong64 loongarch64", "amd64 loong64/v2"),
            ("sw64", "sw64 sw_64", "amd64"),
        ] {
            for (images, want) in [(yes, true), (no, false)] {
                for image in images.split_whitespace() {
                    let (host, image) = (format!("linux/{host}"), format!("linux/{image}"));
                    assert_eq!(matches(&host, &image), want, "{host} {image}");
                }
            }
        }
        assert!(!matches("linux/amd64", "windows/amd64"));
    }

    #[test]
    fn spellings_fold_as_in_containerd() {
        for (text, want) in [
            ("Linux/AMD64/V1", "linux/amd64"),
            ("linux/x86_64/x86-64-v3", "linux/amd64/v3"),
            ("linux/aarch64/8", "linux/arm64"),
            ("linux/arm64/v8.0", "linux/arm64"),
            ("linux/arm64/9.0", "linux/arm64/v9"),
            ("linux/i386", "linux/386"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/loongarch64", "linux/loong64"),
            ("linux/sw_64", "linux/sw64"),
            ("/", "linux/"),
        ] {
            assert_eq!(OciPlatform::parse(text).normalise().to_string(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(
            os in "[a-zA-Z ]{0,8}",
            arch in prop::sample::select(vec!["amd64", "X86_64", "aarch64", "arm", "armhf", "armel", "i386", "sw_64"]),
            variant in "(x86-64-)?(arm)?v?[0-9]{0,2}(\\.[0-9])?",
        ) {
            let once = OciPlatform::new(&os, arch, &variant).normalise();
            prop_assert_eq!(once.normalise(), once);
        }
    }
}
