//! `cargo xtask e2e [FILTER]`: the end-to-end tests on real control planes, from nothing to nothing; `cargo xtask
//! bench-real [PART...]`: the benchmark of the operator there.
//!
//! Builds what is run, starts a set, runs it with the set's folder in its environment, keeps the logs when that fails,
//! and ends the set in any case: a watcher in a process group of its own does so even when this process is interrupted
//! or killed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use testbed::{Group, Set, Tools, chips};

use crate::nested;

/// Name of the set.
const NAME: &str = "e2e";

/// Runs the tests whose names contain the filter, or all.
pub(crate) fn run(root: &Path, filter: &[String]) -> Result<()> {
    cargo(root, ["test", "--no-run", "--quiet", "--locked", "--package", "jiuzhou-e2e"])?;
    let binary = operator(root, false)?;
    let all = chips::CHIPS.iter().collect::<Vec<_>>();
    on_a_set(root, NAME, &all, &binary, |command| {
        command.args(["test", "--locked", "--package", "jiuzhou-e2e", "--", "--test-threads=1"]).args(filter);
    })
}

/// Measures a release build of the operator on a set of its own.
pub(crate) fn bench(root: &Path, arguments: &[String]) -> Result<()> {
    cargo(root, ["build", "--quiet", "--locked", "--package", "bench", "--features", "real", "--bin", "real"])?;
    let binary = operator(root, true)?;
    let names = ["kunpeng", "x86", "hygon"];
    let members = names.iter().filter_map(|name| chips::chip(name)).collect::<Vec<_>>();
    on_a_set(root, "bench", &members, &binary, |command| {
        command.args(["run", "--quiet", "--locked", "--package", "bench", "--features", "real", "--bin", "real", "--"]);
        command.args(arguments);
    })
}

/// Starts a set, runs a cargo command with its folder in the environment, keeps the logs when that fails, and ends it.
fn on_a_set(
    root: &Path,
    name: &'static str,
    members: &[&'static chips::Chip],
    binary: &Path,
    command: impl FnOnce(&mut Command),
) -> Result<()> {
    let mut say = |line: &str| println!("{line}");
    let groups: Vec<Group> = Group::CONTROL_PLANE.iter().copied().chain([Group::Helm, Group::Crane]).collect();
    let tools = Tools::find(&groups, &mut say)?;
    let folder = testbed::cli::folder(name);
    Set::down(&folder)?;
    let watcher = Watcher::start(name)?;
    let set = Set::up(&folder, members, &tools, &mut say)?;
    let mut run = nested::cargo(root);
    run.env("JIUZHOU_E2E_SET", &folder).env("JIUZHOU_BIN", binary).env("JIUZHOU_KUBE_BIN", set.layout().bin());
    command(&mut run);
    let went = run.status().context("failed to start cargo")?;
    let kept = root.join("target").join(format!("{name}-logs"));
    if kept.exists() {
        fs::remove_dir_all(&kept).with_context(|| format!("failed to remove {}", kept.display()))?;
    }
    if !went.success() {
        set.keep_logs(&kept)?;
    }
    watcher.finish()?;
    ensure!(went.success(), "failed on the control planes of {name}; logs of all of them are in {}", kept.display());
    Ok(())
}

/// Ends the set when this process ends, however it ends: it waits for the end of its standard input.
struct Watcher {
    name: &'static str,
    child: Child,
}

impl Watcher {
    fn start(name: &'static str) -> Result<Self> {
        let own = std::env::current_exe().context("failed to find this program")?;
        let mut command = Command::new(own);
        command.args(["clusters", "reap", "--name", name]).stdin(Stdio::piped());
        // An interrupt from the keyboard goes to the whole group; the watcher must outlive it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Self { name, child: command.spawn().context("failed to start the watcher")? })
    }

    fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().context("failed to wait for the watcher")?;
        ensure!(status.success(), "failed to end the control planes: see hack/clusters down --name {}", self.name);
        Ok(())
    }
}

/// Builds the program under test, with the hub's face when it has one, and gives its path.
fn operator(root: &Path, release: bool) -> Result<PathBuf> {
    let output = nested::cargo(root)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .context("failed to run cargo metadata")?;
    ensure!(output.status.success(), "failed to run cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).context("failed to read cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let face = packages.filter(|package| package["name"] == "jiuzhou").map(|package| &package["features"]).next();
    let mut build = vec!["build", "--quiet", "--locked", "--package", "jiuzhou"];
    if face.is_some_and(|features| features["hub"].is_array()) {
        build.extend(["--features", "hub,inspect"]);
    }
    if release {
        build.push("--release");
    }
    cargo(root, build)?;
    let target = metadata["target_directory"].as_str().context("failed to find the target folder")?;
    let binary = Path::new(target).join(if release { "release" } else { "debug" }).join("jiuzhou");
    ensure!(binary.is_file(), "failed to find {}", binary.display());
    Ok(binary)
}

fn cargo<S: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = S>) -> Result<()> {
    let status = nested::cargo(root).args(arguments).status().context("failed to start cargo")?;
    if !status.success() {
        bail!("failed to build what runs on the control planes");
    }
    Ok(())
}
