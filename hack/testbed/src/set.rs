//! A set of control planes in one folder: a dedicated hub and members of several CPUs.
//!
//! Everything of a set is below its folder (programs by link, certificates, stores, logs, kubeconfigs), so that two
//! sets stand side by side and nothing is left when it goes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::chips::{self, Chip};
use crate::plane::Plane;
use crate::tools::Tools;
use crate::{compile, kubeconfig, ports, processes};

/// Where the files of a set are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// The layout of a folder, which need not exist.
    ///
    /// # Errors
    /// When the path cannot be made absolute.
    pub fn new(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder).with_context(|| format!("failed to find {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Links to the programs, for a person's `PATH`.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// The kubeconfig of one cluster's administrator, or of all (`all`, the hub first).
    #[must_use]
    pub fn kubeconfig(&self, name: &str) -> PathBuf {
        self.folder.join("kubeconfig").join(name)
    }

    /// A folder for the logs of whoever uses the set.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.join("kwok")
    }

    pub(crate) fn configuration(&self, name: &str) -> PathBuf {
        self.folder.join("settings").join(format!("{name}.json"))
    }

    pub(crate) fn nodes(&self, name: &str) -> PathBuf {
        self.folder.join("settings").join(format!("{name}-nodes.json"))
    }

    pub(crate) fn audit_policy(&self) -> PathBuf {
        self.folder.join("settings").join("audit-policy.yaml")
    }

    fn record(&self) -> PathBuf {
        self.folder.join("set.json")
    }
}

/// A hub and its members.
#[derive(Clone, Debug)]
pub struct Set {
    layout: Layout,
    hub: Plane,
    members: Vec<Plane>,
}

/// What is seen of one control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `hub`, or the name of the member.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Address of its API server.
    pub server: String,
    /// Version its API server reports; nothing when it does not answer.
    pub version: Option<String>,
    /// Ready nodes and all nodes.
    pub nodes: (usize, usize),
    /// Memory of its processes in bytes, where the system says.
    pub memory: Option<u64>,
}

impl Set {
    /// The set in a folder; nothing when there is none.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        let layout = Layout::new(folder)?;
        let text = match fs::read_to_string(layout.record()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", layout.record().display())),
        };
        let value: Value =
            serde_json::from_str(&text).with_context(|| format!("failed to read {}", layout.record().display()))?;
        let names = value["members"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let chips = names.map(|name| chips::chip(name).with_context(|| format!("failed to find the member {name}")));
        Ok(Some(Self::of(layout, &chips.collect::<Result<Vec<_>>>()?)))
    }

    fn of(layout: Layout, chips: &[&'static Chip]) -> Self {
        let hub = Plane::new(&layout, None);
        let members = chips.iter().map(|chip| Plane::new(&layout, Some(chip))).collect();
        Self { layout, hub, members }
    }

    /// Starts the set in a folder, or what of it is not running; members that it has already stay.
    ///
    /// # Errors
    /// When a control plane does not come up; the others stay, for a look at the logs.
    pub fn up(folder: &Path, chips: &[&'static Chip], tools: &Tools, say: &mut dyn FnMut(&str)) -> Result<Self> {
        let old = Self::open(folder)?;
        let mut all: Vec<&'static Chip> = old.iter().flat_map(|set| &set.members).filter_map(Plane::chip).collect();
        for chip in chips {
            if !all.contains(chip) {
                all.push(chip);
            }
        }
        let set = Self::of(Layout::new(folder)?, &all);
        set.lay(tools)?;
        let began = Instant::now();
        let _turn = turn()?;
        let mut taken = BTreeSet::new();
        for plane in set.planes() {
            taken.extend(plane.ports()?);
        }
        let mut given = Vec::new();
        for plane in set.planes() {
            given.push((plane, ports::free::<6>(&mut taken)?));
        }
        let results: Vec<Result<Duration>> = std::thread::scope(|scope| {
            let start = |(plane, ports): (&Plane, [u16; 6])| {
                plane.up(tools, ports)?;
                Ok(began.elapsed())
            };
            let started: Vec<_> = given.into_iter().map(|one| scope.spawn(move || start(one))).collect();
            let joined = started.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined.map(|one| one.unwrap_or_else(|_| bail!("failed to start a control plane: it panicked"))).collect()
        });
        for (plane, result) in set.planes().zip(results) {
            let took = result.with_context(|| format!("failed to start {}", plane.name()))?;
            say(&format!("{} is up after {:.1} s", plane.name(), took.as_secs_f64()));
        }
        let accesses = set.planes().map(Plane::access).collect::<Result<Vec<_>>>()?;
        kubeconfig::write_private(&set.layout.kubeconfig("all"), &kubeconfig::kubeconfig(&accesses))?;
        Ok(set)
    }

    /// Makes the folders and files that the control planes share.
    fn lay(&self, tools: &Tools) -> Result<()> {
        let layout = &self.layout;
        for folder in [
            layout.work(),
            layout.bin(),
            layout.folder.join("kubeconfig"),
            layout.folder.join("settings"),
            layout.logs(),
        ] {
            fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        }
        let policy = layout.audit_policy();
        fs::write(&policy, include_str!("../audit-policy.yaml"))
            .with_context(|| format!("failed to write {}", policy.display()))?;
        for (tool, path) in tools.all() {
            link(path, &layout.bin().join(tool.name()))?;
        }
        let names: Vec<&str> = self.members.iter().map(Plane::name).collect();
        let record = layout.record();
        fs::write(&record, format!("{:#}\n", json!({ "members": names })))
            .with_context(|| format!("failed to write {}", record.display()))
    }

    /// Ends every process of the set in a folder and removes the folder; gives the number of processes.
    ///
    /// # Errors
    /// When a process does not end, or the folder is not one of ours.
    pub fn down(folder: &Path) -> Result<usize> {
        let layout = Layout::new(folder)?;
        let ended = processes::end(&layout.folder)?;
        if layout.folder.exists() {
            ensure!(
                layout.record().is_file() || layout.work().is_dir(),
                "failed to take {} for a set: it has no set.json, so nothing is removed",
                layout.folder.display()
            );
            fs::remove_dir_all(&layout.folder)
                .with_context(|| format!("failed to remove {}", layout.folder.display()))?;
        }
        Ok(ended)
    }

    /// Copies the logs of every control plane, and what stands in the set's own `logs` folder, to another folder.
    ///
    /// # Errors
    /// When a file cannot be copied.
    pub fn keep_logs(&self, to: &Path) -> Result<()> {
        for plane in self.planes() {
            copy_files(&plane.logs(), &to.join(plane.name()))?;
        }
        copy_files(&self.layout.logs(), to)
    }

    /// Where its files are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Plane {
        &self.hub
    }

    /// The members, in the order they were asked for.
    #[must_use]
    pub fn members(&self) -> &[Plane] {
        &self.members
    }

    /// The hub and the members.
    pub fn planes(&self) -> impl Iterator<Item = &Plane> {
        std::iter::once(&self.hub).chain(&self.members)
    }

    /// What is seen of each control plane now.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn status(&self, tools: &Tools) -> Result<Vec<Row>> {
        self.planes().map(|plane| row(plane, tools)).collect()
    }
}

/// Links to a program, wherever its own links lead. The programs may have been found by the very links of this set.
#[cfg(unix)]
fn link(program: &Path, link: &Path) -> Result<()> {
    let program = fs::canonicalize(program).with_context(|| format!("failed to find {}", program.display()))?;
    if fs::canonicalize(link).is_ok_and(|there| there == program) {
        return Ok(());
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link).with_context(|| format!("failed to remove {}", link.display()))?;
    }
    std::os::unix::fs::symlink(&program, link).with_context(|| format!("failed to link {}", link.display()))
}

/// Copies the plain files of a folder.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))? {
        let path = entry.with_context(|| format!("failed to read {}", from.display()))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, to.join(name)).with_context(|| format!("failed to copy {}", path.display()))?;
        }
    }
    Ok(())
}

fn row(plane: &Plane, tools: &Tools) -> Result<Row> {
    let asked = |arguments: &[&str]| -> Option<Value> {
        let text = plane.kubectl(tools, arguments).ok()?;
        serde_json::from_str(&text).ok()
    };
    let version = asked(&["get", "--raw", "/version", "--request-timeout=3s"]);
    let version = version.and_then(|version| version["gitVersion"].as_str().map(str::to_owned));
    let mut nodes = (0, 0);
    if version.is_some() {
        let list = asked(&["get", "nodes", "-o", "json", "--request-timeout=3s"]).unwrap_or_default();
        for node in list["items"].as_array().into_iter().flatten() {
            let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
            let ready = conditions.clone().any(|one| one["type"] == "Ready" && one["status"] == "True");
            nodes = (nodes.0 + usize::from(ready), nodes.1 + 1);
        }
    }
    Ok(Row {
        name: plane.name().to_owned(),
        title: plane.chip().map_or("dedicated hub", |chip| chip.title).to_owned(),
        server: plane.server().unwrap_or_default(),
        version,
        nodes,
        memory: processes::resident(&plane.processes(&[])?),
    })
}

/// Sets that start at once take turns, from choosing ports until they are listened on.
fn turn() -> Result<File> {
    let folder = compile::cache()?;
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let lock = File::create(folder.join("starting.lock")).context("failed to make the lock of a start")?;
    lock.lock().context("failed to wait for another start")?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_set_is_no_set_and_a_stranger_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Set::open(folder.path()).unwrap().is_none());
        fs::write(folder.path().join("thesis.txt"), "").unwrap();
        let refused = Set::down(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("nothing is removed"), "{refused}");
        assert!(folder.path().join("thesis.txt").is_file());
    }

    #[test]
    fn a_program_found_by_its_own_link_keeps_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (program, there) = (folder.path().join("program"), folder.path().join("there"));
        fs::write(&program, "x").unwrap();
        link(&program, &there).unwrap();
        link(&there, &there).unwrap();
        assert_eq!(fs::read_to_string(&there).unwrap(), "x");
        fs::write(folder.path().join("newer"), "y").unwrap();
        link(&folder.path().join("newer"), &there).unwrap();
        assert_eq!(fs::read_to_string(&there).unwrap(), "y");
    }

    #[test]
    fn a_set_is_read_back_as_it_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        let set = Set::of(layout, &chips::CHIPS.iter().collect::<Vec<_>>());
        set.lay(&Tools::default()).unwrap();
        let read = Set::open(folder.path()).unwrap().unwrap();
        let names: Vec<&str> = read.planes().map(Plane::name).collect();
        assert_eq!(names, ["hub", "kunpeng", "phytium", "hygon", "x86", "loongson"]);
        assert!(Set::down(folder.path()).is_ok());
        assert!(!folder.path().exists());
    }
}
