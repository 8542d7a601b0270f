//! The programs a control plane consists of, and where they are found.
//!
//! Looked for in this order, group by group, because the programs of a group must be of one version: the folder named
//! by `JIUZHOU_KUBE_BIN`, the one named by `KUBEBUILDER_ASSETS`, `PATH`, the user's cache, and at last a build from
//! source (`compile`). The order is a user's choice before ours, and what is fast before what is slow.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::compile;

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// The store.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// Namespaces, garbage collection, workloads, service accounts.
    KubeControllerManager,
    /// Pods to nodes.
    KubeScheduler,
    /// The client a person uses.
    Kubectl,
    /// Makes fake nodes Ready and their pods Running.
    Kwok,
    /// Starts and stops a control plane.
    Kwokctl,
    /// Charts.
    Helm,
    /// A registry of images, and a client that fills it.
    Crane,
}

impl Tool {
    /// Name of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Kwokctl => "kwokctl",
            Self::Helm => "helm",
            Self::Crane => "crane",
        }
    }
}

/// Programs that come together: one version, one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The store.
    Etcd,
    /// The four programs of Kubernetes.
    Kubernetes,
    /// KWOK and its starter.
    Kwok,
    /// Helm.
    Helm,
    /// Crane.
    Crane,
}

impl Group {
    /// What a control plane needs; Helm and Crane are asked for apart.
    pub const CONTROL_PLANE: &[Self] = &[Self::Etcd, Self::Kubernetes, Self::Kwok];

    /// Its name in messages and in the cache.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Kubernetes => "kubernetes",
            Self::Kwok => "kwok",
            Self::Helm => "helm",
            Self::Crane => "crane",
        }
    }

    /// Its programs.
    #[must_use]
    pub fn tools(self) -> &'static [Tool] {
        match self {
            Self::Etcd => &[Tool::Etcd],
            Self::Kubernetes => &[Tool::KubeApiserver, Tool::KubeControllerManager, Tool::KubeScheduler, Tool::Kubectl],
            Self::Kwok => &[Tool::Kwok, Tool::Kwokctl],
            Self::Helm => &[Tool::Helm],
            Self::Crane => &[Tool::Crane],
        }
    }

    /// Oldest version that works here: Kubernetes by what a hub promises, the others by what is tried.
    fn oldest(self) -> (u32, u32) {
        match self {
            Self::Etcd => (3, 5),
            Self::Kubernetes => (1, 30),
            Self::Kwok => (0, 8),
            Self::Helm => (3, 14),
            Self::Crane => (0, 19),
        }
    }

    /// The program that is asked for the version, and how.
    fn asked(self) -> (Tool, &'static str) {
        match self {
            Self::Etcd => (Tool::Etcd, "--version"),
            Self::Kubernetes => (Tool::KubeApiserver, "--version"),
            Self::Kwok => (Tool::Kwokctl, "--version"),
            Self::Helm => (Tool::Helm, "version"),
            Self::Crane => (Tool::Crane, "version"),
        }
    }
}

/// Where a group was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the folder an environment variable names.
    Environment(&'static str),
    /// On `PATH`.
    Path,
    /// In the cache of earlier builds.
    Cache,
    /// Built just now.
    Built,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(formatter, "${variable}"),
            Self::Path => formatter.write_str("PATH"),
            Self::Cache => formatter.write_str("cache"),
            Self::Built => formatter.write_str("built from source"),
        }
    }
}

/// A group that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where.
    pub origin: Origin,
    /// As it says itself, such as `v1.36.3`.
    pub version: String,
    paths: BTreeMap<Tool, PathBuf>,
}

/// The programs of the groups asked for.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    groups: BTreeMap<Group, Found>,
}

impl Tools {
    /// Finds every group, building what is nowhere; says what it takes through `say`.
    ///
    /// # Errors
    /// When a group is nowhere and cannot be built, or a folder named by the environment holds one that is too old.
    pub fn find(groups: &[Group], say: &mut dyn FnMut(&str)) -> Result<Self> {
        let mut tools = Self::default();
        for &group in groups {
            let found = one(group, say)?;
            say(&format!("{} {} ({})", group.name(), found.version, found.origin));
            tools.groups.insert(group, found);
        }
        Ok(tools)
    }

    /// The groups in order.
    pub fn groups(&self) -> impl Iterator<Item = (Group, &Found)> {
        self.groups.iter().map(|(group, found)| (*group, found))
    }

    /// Every program with its path.
    pub fn all(&self) -> impl Iterator<Item = (Tool, &Path)> {
        self.groups.values().flat_map(|found| found.paths.iter().map(|(tool, path)| (*tool, path.as_path())))
    }

    /// The path of a program of a group that was asked for.
    ///
    /// # Errors
    /// When its group was not asked for.
    pub fn path(&self, tool: Tool) -> Result<&Path> {
        let mut all = self.all();
        all.find(|(one, _)| *one == tool)
            .map(|(_, path)| path)
            .with_context(|| format!("failed to find {}: its group was not asked for", tool.name()))
    }

    /// The version of Kubernetes.
    ///
    /// # Errors
    /// When it was not asked for.
    pub fn kubernetes(&self) -> Result<&str> {
        let found = self.groups.get(&Group::Kubernetes).context("failed to find Kubernetes: it was not asked for")?;
        Ok(&found.version)
    }
}

/// Folders named by the environment, the user's choice first.
const VARIABLES: [&str; 2] = ["JIUZHOU_KUBE_BIN", "KUBEBUILDER_ASSETS"];

fn one(group: Group, say: &mut dyn FnMut(&str)) -> Result<Found> {
    for variable in VARIABLES {
        let folder = std::env::var_os(variable).filter(|folder| !folder.is_empty());
        if let Some(found) = folder.and_then(|folder| whole(group, &[PathBuf::from(folder)])) {
            let found = checked(group, found, Origin::Environment(variable))?;
            return Ok(found);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(paths) = whole(group, &std::env::split_paths(&path).collect::<Vec<_>>()) {
        match checked(group, paths, Origin::Path) {
            Ok(found) => return Ok(found),
            Err(unfit) => say(&format!("{} on PATH is passed over: {unfit:#}", group.name())),
        }
    }
    let cached = compile::folder(group)?;
    if let Some(paths) = whole(group, std::slice::from_ref(&cached)) {
        return checked(group, paths, Origin::Cache);
    }
    let built = compile::build(group, say)?;
    let paths = whole(group, &[built]).context("failed to find what was just built")?;
    checked(group, paths, Origin::Built)
}

/// All programs of a group, each in the first folder that has it; nothing when one is missing.
fn whole(group: Group, folders: &[PathBuf]) -> Option<BTreeMap<Tool, PathBuf>> {
    let first = |tool: &Tool| {
        let mut candidates = folders.iter().map(|folder| folder.join(tool.name()));
        candidates.find(|path| path.is_file()).map(|path| (*tool, path))
    };
    group.tools().iter().map(first).collect()
}

fn checked(group: Group, paths: BTreeMap<Tool, PathBuf>, origin: Origin) -> Result<Found> {
    let (tool, argument) = group.asked();
    let path = &paths[&tool];
    let text = answer(path, argument)?;
    let (version, pair) =
        version(&text).with_context(|| format!("failed to read the version of {} in {text:?}", path.display()))?;
    let oldest = group.oldest();
    ensure!(pair >= oldest, "failed to use {} {version}: at least {}.{} is needed", path.display(), oldest.0, oldest.1);
    Ok(Found { origin, version: format!("v{version}"), paths })
}

/// What a program prints when asked.
pub(crate) fn answer(program: &Path, argument: impl AsRef<OsStr>) -> Result<String> {
    let output =
        Command::new(program).arg(argument).output().with_context(|| format!("failed to run {}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("failed to run {}: {}", program.display(), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first `MAJOR.MINOR.PATCH` in a text, with its first two numbers.
fn version(text: &str) -> Option<(&str, (u32, u32))> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    words.filter(|word| !word.is_empty()).find_map(|word| {
        let mut numbers = word.split('.');
        let pair = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        numbers.next()?.parse::<u32>().ok()?;
        Some((word, pair))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_each_program_prints_them() {
        let told = [
            ("etcd Version: 3.6.8\nGit SHA: Not provided\nGo Version: go1.26.8\n", "3.6.8", (3, 6)),
            ("Kubernetes v1.36.3\n", "1.36.3", (1, 36)),
            ("kwokctl version v0.8.0 go1.26.8 (linux/amd64)\n", "0.8.0", (0, 8)),
            ("version.BuildInfo{Version:\"v3.22.0\", GitCommit:\"\", GoVersion:\"go1.26.8\"}\n", "3.22.0", (3, 22)),
        ];
        for (text, wanted, pair) in told {
            assert_eq!(version(text), Some((wanted, pair)), "{text}");
        }
        assert_eq!(version("Kubernetes unknown 1.2"), None);
    }

    #[test]
    fn a_group_is_taken_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned(), other.path().to_owned()];
        std::fs::write(folder.path().join("kwok"), "").unwrap();
        assert_eq!(whole(Group::Kwok, &folders), None);
        std::fs::write(other.path().join("kwokctl"), "").unwrap();
        std::fs::write(other.path().join("kwok"), "").unwrap();
        let paths = whole(Group::Kwok, &folders).unwrap();
        assert_eq!(paths[&Tool::Kwok], folder.path().join("kwok"), "the first folder wins");
        assert_eq!(paths[&Tool::Kwokctl], other.path().join("kwokctl"));
    }

    #[cfg(unix)]
    #[test]
    fn a_version_that_is_too_old_is_refused_by_name() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let etcd = folder.path().join("etcd");
        std::fs::write(&etcd, "#!/bin/sh\necho etcd Version: 3.4.23\n").unwrap();
        std::fs::set_permissions(&etcd, std::fs::Permissions::from_mode(0o755)).unwrap();
        let paths = whole(Group::Etcd, &[folder.path().to_owned()]).unwrap();
        let refused = checked(Group::Etcd, paths, Origin::Path).unwrap_err().to_string();
        assert!(refused.contains("3.4.23") && refused.contains("at least 3.5"), "{refused}");
    }
}
