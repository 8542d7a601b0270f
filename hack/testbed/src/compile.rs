//! Builds a group of programs from source with Go, into the user's cache.
//!
//! For machines that reach a Go module proxy but no release page, which is where governments build. Versions stand in
//! the `go.mod` files beside this crate and their `go.sum` pins every byte, so no checksum service is asked. A cache
//! folder is named by a digest of everything that goes into the build: change a version, and it is built anew.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::tools::Group;

/// How a group is built.
struct Recipe {
    /// Folder of the Go module, beside this crate's manifest.
    module: &'static str,
    go_mod: &'static str,
    go_sum: &'static str,
    packages: &'static [&'static str],
    /// Module whose version the programs report.
    stamped: &'static str,
    /// Linker variables that take it: VERSION, MAJOR and MINOR are filled in.
    variables: &'static [&'static str],
}

fn recipe(group: Group) -> Recipe {
    let kube = |packages, stamped, variables| Recipe {
        module: "kube",
        go_mod: include_str!("../kube/go.mod"),
        go_sum: include_str!("../kube/go.sum"),
        packages,
        stamped,
        variables,
    };
    match group {
        Group::Kubernetes => kube(
            &[
                "k8s.io/kubernetes/cmd/kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-scheduler",
                "k8s.io/kubernetes/cmd/kubectl",
            ],
            "k8s.io/kubernetes",
            &[
                "k8s.io/component-base/version.gitVersion=vVERSION",
                "k8s.io/component-base/version.gitMajor=MAJOR",
                "k8s.io/component-base/version.gitMinor=MINOR",
            ],
        ),
        Group::Kwok => kube(
            &["sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok/cmd/kwokctl"],
            "sigs.k8s.io/kwok",
            &["sigs.k8s.io/kwok/pkg/consts.Version=vVERSION"],
        ),
        Group::Etcd => Recipe {
            module: "etcd",
            go_mod: include_str!("../etcd/go.mod"),
            go_sum: include_str!("../etcd/go.sum"),
            packages: &["go.etcd.io/etcd/server/v3"],
            stamped: "go.etcd.io/etcd/server/v3",
            variables: &[],
        },
        Group::Helm => Recipe {
            module: "helm",
            go_mod: include_str!("../helm/go.mod"),
            go_sum: include_str!("../helm/go.sum"),
            packages: &["helm.sh/helm/v3/cmd/helm"],
            stamped: "helm.sh/helm/v3",
            variables: &["helm.sh/helm/v3/internal/version.version=vVERSION"],
        },
        Group::Crane => Recipe {
            module: "crane",
            go_mod: include_str!("../crane/go.mod"),
            go_sum: include_str!("../crane/go.sum"),
            packages: &["github.com/google/go-containerregistry/cmd/crane"],
            stamped: "github.com/google/go-containerregistry",
            variables: &["github.com/google/go-containerregistry/cmd/crane/cmd.Version=vVERSION"],
        },
    }
}

impl Recipe {
    /// The version of a module as its `go.mod` requires it.
    fn version(&self) -> Result<&'static str> {
        let mut lines = self.go_mod.lines().map(|line| line.trim().trim_start_matches("require "));
        lines
            .find_map(|line| line.strip_prefix(self.stamped)?.split_whitespace().next()?.strip_prefix('v'))
            .with_context(|| format!("failed to find the version of {} in {}/go.mod", self.stamped, self.module))
    }

    fn linker_flags(&self) -> Result<String> {
        let version = self.version()?;
        let mut numbers = version.split('.');
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let filled = self.variables.iter().map(|variable| {
            let variable = variable.replace("VERSION", version).replace("MAJOR", major).replace("MINOR", minor);
            format!(" -X {variable}")
        });
        Ok(std::iter::once("-s -w".to_owned()).chain(filled).collect())
    }

    /// A digest of everything that decides the bytes that come out, but for the Go compiler's own version.
    fn key(&self) -> Result<String> {
        let mut digest = Sha256::new();
        let flags = self.linker_flags()?;
        let machine = [std::env::consts::OS, std::env::consts::ARCH];
        let parts = [self.go_mod, self.go_sum, &flags].into_iter().chain(self.packages.iter().copied()).chain(machine);
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The user's cache folder for what we keep.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(base.context("failed to find a cache folder: set XDG_CACHE_HOME or HOME")?.join("jiuzhou"))
}

/// The cache folder of a group; it may not exist yet.
///
/// # Errors
/// When there is no cache folder.
pub(crate) fn folder(group: Group) -> Result<PathBuf> {
    Ok(cache()?.join("bin").join(format!("{}-{}", group.name(), recipe(group).key()?)))
}

/// Builds a group and gives its folder. A second builder waits for the first and takes its result.
///
/// # Errors
/// When Go is missing, a module cannot be fetched, or the build fails; says what else would help.
pub(crate) fn build(group: Group, say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let done = folder(group)?;
    let parent = done.parent().context("failed to find the folder of the cache")?;
    fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
    let lock = File::create(done.with_extension("lock")).context("failed to make the lock of a build")?;
    lock.lock().context("failed to wait for another build")?;
    if done.is_dir() {
        return Ok(done);
    }
    let recipe = recipe(group);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(recipe.module);
    say(&format!("{} {}: building from source, minutes the first time", group.name(), recipe.version()?));
    let began = Instant::now();
    let unfinished = done.with_extension("unfinished");
    // What a build left that was killed; the lock says that nobody writes there now.
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).with_context(|| format!("failed to remove {}", unfinished.display()))?;
    }
    fs::create_dir_all(&unfinished).with_context(|| format!("failed to make {}", unfinished.display()))?;
    compile(group, &recipe, &source, &unfinished)?;
    fs::rename(&unfinished, &done).with_context(|| format!("failed to move to {}", done.display()))?;
    say(&format!("{}: built in {} s", group.name(), began.elapsed().as_secs()));
    Ok(done)
}

fn compile(group: Group, recipe: &Recipe, source: &Path, into: &Path) -> Result<()> {
    let help = "put the programs into a folder and name it in JIUZHOU_KUBE_BIN, or give this machine Go 1.26 and a \
                module proxy (GOPROXY)";
    ensure!(source.is_dir(), "failed to build {}: {} is gone; {help}", group.name(), source.display());
    // A folder takes names from the packages; etcd's package is called server, so a single program is named.
    let output = match group.tools() {
        [only] => into.join(only.name()),
        _ => into.join(""),
    };
    let built = Command::new("go")
        .current_dir(source)
        .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", &recipe.linker_flags()?, "-o"])
        .arg(&output)
        .args(recipe.packages)
        // A user's own flags and workspace are made for other modules.
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")])
        .output();
    let built = match built {
        Ok(built) => built,
        Err(error) => bail!("failed to build {}: go: {error}; {help}", group.name()),
    };
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        let last: Vec<&str> = said.trim().lines().rev().take(12).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!("failed to build {}: go build said\n{}\n{help}", group.name(), last.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: [Group; 5] = [Group::Etcd, Group::Kubernetes, Group::Kwok, Group::Helm, Group::Crane];

    #[test]
    fn versions_come_from_the_go_modules() {
        for group in GROUPS {
            let version = recipe(group).version().unwrap();
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{group:?}: {version}");
        }
    }

    #[test]
    fn every_package_is_a_tool_of_its_module_so_that_tidy_keeps_it() {
        for group in GROUPS {
            let recipe = recipe(group);
            for package in recipe.packages {
                let named = recipe.go_mod.lines().any(|line| line.trim().trim_start_matches("tool ") == *package);
                assert!(named, "{package} is no tool line of {}/go.mod", recipe.module);
            }
            assert_eq!(recipe.packages.len(), group.tools().len());
        }
    }

    #[test]
    fn the_staging_modules_are_of_the_version_of_kubernetes() {
        let recipe = recipe(Group::Kubernetes);
        let staging = recipe.version().unwrap().replacen('1', "0", 1);
        let replaced: Vec<&str> = recipe.go_mod.lines().filter(|line| line.contains("=>")).collect();
        assert!(replaced.len() > 30, "{}", replaced.len());
        for line in replaced {
            assert!(line.ends_with(&format!(" v{staging}")), "{line}");
        }
    }

    #[test]
    fn a_key_changes_with_the_version_and_the_flags() {
        let one = recipe(Group::Kwok);
        let mut other = recipe(Group::Kwok);
        assert_eq!(one.key().unwrap(), other.key().unwrap());
        other.variables = &[];
        assert_ne!(one.key().unwrap(), other.key().unwrap());
        assert_ne!(one.key().unwrap(), recipe(Group::Kubernetes).key().unwrap());
    }
}
