//! The hub and the members with typed access, and kubectl as a person would use it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use testbed::{Group, Plane, Set, Tool, Tools};

use crate::audit::{self, Event};
use crate::scene::{KINDS, SOON};

/// A hub and its members, up and answering. Clients belong to the runtime of one test.
#[derive(Debug)]
pub struct Fleet {
    set: Set,
    tools: Tools,
    hub: Cluster,
    members: BTreeMap<String, Cluster>,
}

/// One control plane and its administrator.
#[derive(Clone)]
pub struct Cluster {
    /// As its administrator. It never asks twice by itself, so that a test sees what it did.
    pub client: Client,
    /// The control plane.
    pub plane: Plane,
    kubectl: PathBuf,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("plane", &self.plane).finish_non_exhaustive()
    }
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/e2e is two folders below the workspace")
}

/// A name that no earlier run on the same set has used.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", std::process::id())
}

/// The program under test.
///
/// # Errors
/// When `cargo xtask e2e` did not name it.
pub fn binary() -> Result<PathBuf> {
    let path = std::env::var_os("JIUZHOU_BIN").context("failed to find JIUZHOU_BIN: run cargo xtask e2e")?;
    Ok(PathBuf::from(path))
}

impl Fleet {
    /// Takes the set that `cargo xtask e2e` started, and starts again what an earlier test stopped.
    ///
    /// # Errors
    /// When there is no set or it does not come up.
    pub async fn start() -> Result<Self> {
        let folder = std::env::var_os("JIUZHOU_E2E_SET")
            .context("failed to find JIUZHOU_E2E_SET: run cargo xtask e2e, which starts the control planes")?;
        let folder = PathBuf::from(folder);
        let set = Set::open(&folder)?.with_context(|| format!("failed to find a set in {}", folder.display()))?;
        let tools = Tools::find(Group::CONTROL_PLANE, &mut |_| {})?;
        let set = Set::up(set.layout().folder(), &[], &tools, &mut |_| {})?;
        let hub = Cluster::new(set.hub().clone(), &tools).await?;
        let mut members = BTreeMap::new();
        for plane in set.members() {
            members.insert(plane.name().to_owned(), Cluster::new(plane.clone(), &tools).await?);
        }
        Ok(Self { set, tools, hub, members })
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Cluster {
        &self.hub
    }

    /// A member by name.
    ///
    /// # Panics
    /// When there is none of that name, which is a fault of the test.
    #[must_use]
    pub fn member(&self, name: &str) -> &Cluster {
        self.members.get(name).unwrap_or_else(|| panic!("no member {name}"))
    }

    /// Every member, in order of names.
    pub fn members(&self) -> impl Iterator<Item = &Cluster> {
        self.members.values()
    }

    /// The set itself: its files and folders.
    #[must_use]
    pub fn set(&self) -> &Set {
        &self.set
    }

    /// Runs helm on the hub and gives what it printed.
    ///
    /// # Errors
    /// When helm cannot be found or says no, with its words.
    pub fn helm(&self, arguments: &[&str]) -> Result<String> {
        self.helm_on(&self.hub, arguments)
    }

    /// Runs helm on a cluster and gives what it printed.
    ///
    /// # Errors
    /// When helm cannot be found or says no, with its words.
    pub fn helm_on(&self, cluster: &Cluster, arguments: &[&str]) -> Result<String> {
        cluster.helm(arguments)
    }

    /// The programs.
    #[must_use]
    pub fn tools(&self) -> &Tools {
        &self.tools
    }
}

impl Cluster {
    /// A control plane with typed access.
    ///
    /// # Errors
    /// When its kubeconfig cannot be read.
    pub async fn new(plane: Plane, tools: &Tools) -> Result<Self> {
        let path = plane.kubeconfig();
        let file = Kubeconfig::read_from(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        // The process may hold two providers through other crates; the first choice of any test stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(config).context("failed to make a client")?;
        Ok(Self { client, plane, kubectl: tools.path(Tool::Kubectl)?.to_owned() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.plane.name()
    }

    /// Waits until the definitions that were applied are served.
    ///
    /// # Errors
    /// When one is not in [`SOON`].
    pub fn serves_definitions(&self) -> Result<()> {
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"];
        let until = Instant::now() + SOON;
        // kubectl fails on a definition without any condition yet; and established is not served: for some seconds the server
        // answers 429, "storage is (re)initializing".
        let look = || self.kubectl(&wait).and_then(|_| self.kubectl(&["get", KINDS, "-A", "--ignore-not-found"]));
        while let Err(error) = look() {
            ensure!(Instant::now() < until, "{error:?}");
            std::thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    }

    /// Runs kubectl and gives what it printed.
    ///
    /// # Errors
    /// When kubectl says no, with its words.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with(arguments, "")
    }

    /// Runs kubectl with a text on its standard input.
    ///
    /// # Errors
    /// When kubectl says no, with its words.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.try_kubectl(arguments, input)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("failed: kubectl {} on {}: {}", arguments.join(" "), self.name(), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs kubectl where a refusal is what the test is about.
    ///
    /// # Errors
    /// When kubectl cannot be run at all.
    pub fn try_kubectl(&self, arguments: &[&str], input: &str) -> Result<Output> {
        use std::io::Write as _;

        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(self.plane.kubeconfig()).args(arguments).current_dir(root());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("failed to run kubectl")?;
        let mut stdin = child.stdin.take().context("failed to reach kubectl")?;
        // It may end without reading: then its own words are what counts.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().context("failed to wait for kubectl")
    }

    /// Applies a text of YAML as a person would.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply(&self, yaml: &str) -> Result<String> {
        self.kubectl_with(&["apply", "--server-side", "-f", "-"], yaml)
    }

    /// Applies a file or folder of the workspace as a person would.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn apply_path(&self, path: &str) -> Result<String> {
        ensure!(root().join(path).exists(), "failed to find {path}");
        self.kubectl(&["apply", "--server-side", "-R", "-f", path])
    }

    /// Runs helm on it and gives what it printed.
    ///
    /// # Errors
    /// When helm cannot be found or says no, with its words.
    pub fn helm(&self, arguments: &[&str]) -> Result<String> {
        let tools = Tools::find(&[Group::Helm], &mut |_| {})?;
        let mut command = Command::new(tools.path(Tool::Helm)?);
        command.current_dir(root()).arg("--kubeconfig").arg(self.plane.kubeconfig()).args(arguments);
        let output = command.output().context("failed to run helm")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("failed: helm {}: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Deletes what admission protects, as a person would: confirmed by name first. Gone already is well.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub fn delete_confirmed(&self, resource: &str, name: &str, more: &[&str]) -> Result<()> {
        let confirm = format!("{}={name}", jiuzhou_api::meta::ANNOTATION_CONFIRM_DELETE);
        let there = self.kubectl(&["get", resource, name, "--ignore-not-found", "--output=name"])?;
        if there.trim().is_empty() {
            return Ok(());
        }
        self.kubectl(&["annotate", "--overwrite", resource, name, &confirm])?;
        let delete = ["delete", "--ignore-not-found", resource, name];
        self.kubectl(&[&delete, more].concat()).map(drop)
    }

    /// What its API server has recorded so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn audit(&self) -> Result<Vec<Event>> {
        audit::read(&self.plane.audit_log())
    }
}
