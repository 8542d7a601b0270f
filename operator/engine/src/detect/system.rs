//! Operating systems and kernels as node objects show them.
//!
//! `VERSION_ID` of the domestic systems is no version number (`V10`), so the family comes from the distribution part
//! of the kernel release (`.ky10`, `.oe2203sp4`, `.el8`, `.uel20`) first and from `osImage` second.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first three numbers of a kernel release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KernelVersion(pub u32, pub u32, pub u32);

impl KernelVersion {
    /// Reads `4.19.90-24.4.v2101.ky10.x86_64`, `5.10`, `6`; `None` when it starts with no number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.');
        let first = numbers.next()?.parse().ok()?;
        let mut next = || match numbers.next() {
            None | Some("") => Some(0),
            Some(digits) => digits.parse().ok(),
        };
        Some(Self(first, next()?, next()?))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl From<KernelVersion> for String {
    fn from(version: KernelVersion) -> Self {
        version.to_string()
    }
}

/// The text is no kernel version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the kernel version {0:?}: want numbers such as 5.10")]
pub struct KernelVersionError(String);

impl TryFrom<String> for KernelVersion {
    type Error = KernelVersionError;

    fn try_from(text: String) -> Result<Self, KernelVersionError> {
        Self::parse(&text).ok_or(KernelVersionError(text))
    }
}

/// Distribution and its release as far as they matter to CPU facts, e.g. `openEuler` `22.03`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OsFamily {
    /// `kylin`, `uos`, `openEuler`, `euleros`, `rhel`, `loongnix`, `ctyunos`, `anolis`, `debian`, ... Empty: unknown.
    pub id: String,
    /// Release, e.g. `10`, `22.03`; empty when not stated.
    pub release: String,
}

impl OsFamily {
    fn new(id: &str, release: &str) -> Self {
        Self { id: id.to_owned(), release: release.to_owned() }
    }
}

/// The distribution of a node from kernel release and `osImage`.
#[must_use]
pub fn os_family(kernel_release: &str, os_image: &str) -> OsFamily {
    from_kernel(kernel_release).or_else(|| from_image(os_image)).unwrap_or_default()
}

/// Parts of a kernel release that name the distribution: a prefix, then digits.
const KERNEL_PARTS: [(&str, &str); 8] = [
    ("ky", "kylin"),
    ("oe", "openEuler"),
    ("uelc", "uos"),
    ("uel", "uos"),
    ("uos", "uos"),
    ("eulerosv", "euleros"),
    ("ctl", "ctyunos"),
    ("el", "rhel"),
];

fn from_kernel(release: &str) -> Option<OsFamily> {
    let lower = release.to_ascii_lowercase();
    for part in lower.split(['.', '-', '_', '+']) {
        for (prefix, id) in KERNEL_PARTS {
            let Some(rest) = part.strip_prefix(prefix) else { continue };
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if digits.is_empty() {
                continue;
            }
            // oe2203sp4 and oe1 (20.03) are the two ways openEuler writes its release.
            let release = match (id, digits.as_str()) {
                ("openEuler", "1") => "20.03".to_owned(),
                ("openEuler", d) if d.len() == 4 => format!("{}.{}", &d[..2], &d[2..]),
                (_, d) => d.to_owned(),
            };
            return Some(OsFamily { id: id.to_owned(), release });
        }
    }
    None
}

const IMAGE_NAMES: [(&str, &str); 15] = [
    ("kylin", "kylin"),
    ("uniontech", "uos"),
    ("uos", "uos"),
    ("openeuler", "openEuler"),
    ("euleros", "euleros"),
    ("loongnix", "loongnix"),
    ("ctyunos", "ctyunos"),
    ("anolis", "anolis"),
    ("red hat", "rhel"),
    ("rocky", "rhel"),
    ("almalinux", "rhel"),
    ("centos", "rhel"),
    ("debian", "debian"),
    ("ubuntu", "ubuntu"),
    ("deepin", "deepin"),
];

fn from_image(os_image: &str) -> Option<OsFamily> {
    let lower = os_image.to_lowercase();
    let (_, id) = IMAGE_NAMES.iter().find(|(name, _)| lower.contains(name))?;
    let start = lower.find(|c: char| c.is_ascii_digit());
    let release: String = start
        .map(|at| lower[at..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect())
        .unwrap_or_default();
    Some(OsFamily::new(id, release.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_of_the_field_are_read() {
        for (text, want) in [
            ("4.19.90-24.4.v2101.ky10.x86_64", Some(KernelVersion(4, 19, 90))),
            ("5.10.0-254.0.0.158.oe2203sp4.aarch64", Some(KernelVersion(5, 10, 0))),
            ("6.6", Some(KernelVersion(6, 6, 0))),
            ("6", Some(KernelVersion(6, 0, 0))),
            ("5.10.", Some(KernelVersion(5, 10, 0))),
            ("内核", None),
            ("", None),
            ("99999999999.1", None),
        ] {
            assert_eq!(KernelVersion::parse(text), want, "{text}");
        }
        assert!(KernelVersion(4, 19, 90) < KernelVersion(5, 10, 0));
    }

    #[test]
    fn the_distribution_comes_from_the_kernel_first() {
        for (kernel, image, id, release) in [
            ("4.19.90-24.4.v2101.ky10.x86_64", "Kylin Linux Advanced Server V10 (Sword)", "kylin", "10"),
            ("5.10.0-254.0.0.158.oe2203sp4.aarch64", "openEuler 22.03 (LTS-SP4)", "openEuler", "22.03"),
            ("4.19.90-2112.8.0.0131.oe1.aarch64", "", "openEuler", "20.03"),
            ("4.19.0-91.82.uelc20.x86_64", "UnionTech OS Server 20", "uos", "20"),
            ("3.10.0-1160.25.1.el7.x86_64", "CentOS Linux 7 (Core)", "rhel", "7"),
            ("6.1.0-18-amd64", "Debian GNU/Linux 12 (bookworm)", "debian", "12"),
            ("4.19.0-loongson-3", "Kylin Linux Advanced Server V10 (Tercel)", "kylin", "10"),
            ("6.8.0", "银河麒麟", "", ""),
            ("", "", "", ""),
        ] {
            assert_eq!(os_family(kernel, image), OsFamily::new(id, release), "{kernel} {image}");
        }
    }
}
