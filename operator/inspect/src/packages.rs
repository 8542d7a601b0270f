//! Software that an image says it has: package lists of Debian and Alpine, modules of Go programs, and the names that
//! Python distributions and Java archives have on disk.
//!
//! It answers `find --package`. It is no replacement for an SBOM of the build: what was copied in without a name has none.

use std::collections::BTreeSet;

use crate::tree::{Content, Tree};

/// A piece of software in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Type as package URLs spell it: `deb`, `apk`, `golang`, `pypi`, `maven`.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Where it stands in the image.
    pub source: String,
}

/// Every package of a tree, sorted, each once. The flag says whether a database was seen that is not read.
pub(crate) fn packages(tree: &Tree) -> (Vec<Package>, bool) {
    let mut found = BTreeSet::new();
    let mut unread = false;
    for (path, file) in tree.files() {
        match &file.content {
            Content::Text(bytes) if path.ends_with("lib/apk/db/installed") => {
                let text = String::from_utf8_lossy(bytes);
                paragraphs(&text, "apk", ("P:", "V:"), path, &mut found);
            }
            Content::Text(bytes) if path == "var/lib/dpkg/status" || path.starts_with("var/lib/dpkg/status.d/") => {
                let text = String::from_utf8_lossy(bytes);
                paragraphs(&text, "deb", ("Package: ", "Version: "), path, &mut found);
            }
            Content::Elf(elf) => {
                let modules = elf.go.iter().flat_map(|go| go.main.iter().chain(&go.modules));
                for (name, version) in modules.filter(|(name, _)| !name.is_empty()) {
                    let version = version.clone();
                    found.insert(Package { kind: "golang", name: name.clone(), version, source: format!("/{path}") });
                }
            }
            _ => named(path, &mut found),
        }
        unread |= path.starts_with("var/lib/rpm/") || path.starts_with("usr/lib/sysimage/rpm/");
    }
    (found.into_iter().collect(), unread)
}

/// Blocks of `KEY: value` lines.
fn paragraphs(text: &str, kind: &'static str, keys: (&str, &str), path: &str, found: &mut BTreeSet<Package>) {
    for block in text.split("\n\n") {
        let field =
            |key: &str| block.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned());
        // `deinstall ok config-files`: only its configuration is left.
        let gone = block.lines().any(|line| line.starts_with("Status: ") && !line.ends_with(" installed"));
        if let (Some(name), Some(version), false) = (field(keys.0), field(keys.1), gone) {
            found.insert(Package { kind, name, version, source: format!("/{path}") });
        }
    }
}

/// `…/site-packages/requests-2.31.0.dist-info/METADATA`, `…/log4j-core-2.14.1.jar`.
fn named(path: &str, found: &mut BTreeSet<Package>) {
    let mut add = |kind: &'static str, stem: &str| {
        // The version begins at the first hyphen before a digit: names have hyphens, too.
        let digit = |at: &usize| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let Some(at) = stem.match_indices('-').map(|(at, _)| at).find(digit) else { return };
        let (name, version) = (stem[..at].to_owned(), stem[at + 1..].to_owned());
        found.insert(Package { kind, name, version, source: format!("/{path}") });
    };
    if let Some(stem) = path.strip_suffix(".dist-info/METADATA") {
        add("pypi", stem.rsplit('/').next().unwrap_or(stem));
    } else if let Some(stem) = path.strip_suffix(".jar") {
        add("maven", stem.rsplit('/').next().unwrap_or(stem));
    }
}
