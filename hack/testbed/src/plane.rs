//! One control plane: made, started, stopped, made to hang.
//!
//! `kwokctl` does the wiring of flags and certificates; what differs from its defaults stands in [`configuration`]:
//! loopback only, an audit log, and for the hub the few controllers that a dedicated hub runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::chips::Chip;
use crate::kubeconfig::Access;
use crate::processes::{self, Process, Signal};
use crate::set::Layout;
use crate::tools::{Tool, Tools};

/// Controllers of a dedicated hub: nothing that makes pods, so native workloads on it are wishes and not work. Its API server
/// protects claims of storage, so somebody has to let them go, else their namespace is never gone.
const HUB_CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller,\
    persistentvolumeclaim-protection-controller,\
    serviceaccount-token-controller,root-ca-certificate-publisher-controller,\
    certificatesigningrequest-approving-controller,certificatesigningrequest-signing-controller,\
    certificatesigningrequest-cleaner-controller,resourcequota-controller,clusterrole-aggregation-controller";

/// How long a control plane may take until it answers; a loaded machine of two cores is slow.
const PATIENCE: Duration = Duration::from_secs(240);

/// A process of a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers.
    ControllerManager,
    /// The scheduler.
    Scheduler,
    /// The fake kubelets.
    Kwok,
}

impl Component {
    /// Its name, as `kwokctl` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok-controller",
        }
    }
}

/// A control plane of a set: the hub, or a member with a CPU.
#[derive(Clone, Debug)]
pub struct Plane {
    name: String,
    chip: Option<&'static Chip>,
    layout: Layout,
}

impl Plane {
    pub(crate) fn new(layout: &Layout, chip: Option<&'static Chip>) -> Self {
        let name = chip.map_or("hub", |chip| chip.name).to_owned();
        Self { name, chip, layout: layout.clone() }
    }

    /// Its name: `hub`, or that of its CPU.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The CPU of its nodes; none for the hub, which has no nodes.
    #[must_use]
    pub fn chip(&self) -> Option<&'static Chip> {
        self.chip
    }

    /// A kubeconfig of its administrator, certificates inside.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig(&self.name)
    }

    /// The folder with the logs of its processes.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }

    /// The audit log of its API server: one JSON event a line.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.logs().join("audit.log")
    }

    /// The address of its API server.
    ///
    /// # Errors
    /// When it was never made.
    pub fn server(&self) -> Result<String> {
        let port = self.ports()?.first().copied().context("failed to find the port of the API server")?;
        Ok(format!("https://127.0.0.1:{port}"))
    }

    /// Certificate and key with which its API server serves.
    #[cfg(feature = "faults")]
    pub(crate) fn serving(&self) -> [PathBuf; 2] {
        ["admin.crt", "admin.key"].map(|file| self.folder().join("pki").join(file))
    }

    fn folder(&self) -> PathBuf {
        self.layout.work().join("clusters").join(&self.name)
    }

    fn exists(&self) -> bool {
        self.folder().join("kwok.yaml").is_file() && self.layout.configuration(&self.name).is_file()
    }

    /// The ports it was given, the API server's first; none when it was never made.
    ///
    /// # Errors
    /// When its configuration cannot be read.
    pub(crate) fn ports(&self) -> Result<Vec<u16>> {
        let path = self.layout.configuration(&self.name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
        };
        let value: Value = serde_json::from_str(&text).with_context(|| format!("failed to read {}", path.display()))?;
        let port = |key: &str| value["options"][key].as_u64().and_then(|port| u16::try_from(port).ok());
        Ok(PORTS.iter().filter_map(|key| port(key)).collect())
    }

    /// Makes it, or starts what of it is not running; gives a cluster that answers and whose nodes are Ready.
    ///
    /// # Errors
    /// When it does not come up; with the last lines of its logs.
    pub(crate) fn up(&self, tools: &Tools, ports: [u16; 6]) -> Result<()> {
        if self.exists() {
            self.thaw(&[])?;
            if self.processes(&[])?.len() == self.components().len() && self.ready(tools).is_ok() {
                return Ok(());
            }
            self.start(tools)?;
        } else {
            self.create(tools, ports)?;
        }
        self.write_kubeconfig()?;
        self.answering(tools)?;
        if let Some(chip) = self.chip {
            let nodes = self.layout.nodes(&self.name);
            fs::write(&nodes, chip.nodes(tools.kubernetes()?).to_string())
                .with_context(|| format!("failed to write {}", nodes.display()))?;
            let path = nodes.to_str().context("failed to use a folder whose name is not UTF-8")?;
            self.kubectl(tools, &["apply", "--server-side", "--field-manager=kubelet", "-f", path])?;
            self.kubectl(
                tools,
                &["apply", "--server-side", "--field-manager=kubelet", "--subresource=status", "-f", path],
            )?;
            self.kubectl(tools, &["wait", "--for=condition=Ready", "--timeout=120s", "nodes", "--all"])?;
        }
        Ok(())
    }

    fn create(&self, tools: &Tools, ports: [u16; 6]) -> Result<()> {
        let configuration = self.layout.configuration(&self.name);
        let text = format!("{:#}\n", self.settings(tools, ports)?);
        fs::write(&configuration, text).with_context(|| format!("failed to write {}", configuration.display()))?;
        let mut create = self.kwokctl(tools, &["create", "cluster", "--wait", "0s", "--kubeconfig", ""])?;
        create.arg("--config").arg(&configuration);
        run(create, "kwokctl create cluster")
    }

    /// Starts what of it is not running.
    ///
    /// # Errors
    /// When `kwokctl` fails.
    pub fn start(&self, tools: &Tools) -> Result<()> {
        // `kwokctl` takes a process that ended but was not waited for as running, and starts nothing in its place.
        for component in self.components() {
            let file = self.folder().join("pids").join(format!("{}.pid", component.name()));
            if file.exists() && self.processes(&[*component])?.is_empty() {
                fs::remove_file(&file).with_context(|| format!("failed to remove {}", file.display()))?;
            }
        }
        run(self.kwokctl(tools, &["start", "cluster"])?, "kwokctl start cluster")
    }

    /// Ends processes at once, as a power cut does; [`Self::start`] brings them back with what etcd had stored.
    ///
    /// # Errors
    /// When they cannot be found or ended.
    pub fn kill(&self, components: &[Component]) -> Result<()> {
        processes::tell(&self.processes(components)?, Signal::Kill)
    }

    /// Makes processes stand still: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When they cannot be found or told.
    pub fn freeze(&self, components: &[Component]) -> Result<()> {
        processes::tell(&self.processes(components)?, Signal::Stop)
    }

    /// Lets frozen processes go on.
    ///
    /// # Errors
    /// When they cannot be found or told.
    pub fn thaw(&self, components: &[Component]) -> Result<()> {
        processes::tell(&self.processes(components)?, Signal::Continue)
    }

    fn components(&self) -> &'static [Component] {
        const ALL: [Component; 5] = [
            Component::Etcd,
            Component::ApiServer,
            Component::ControllerManager,
            Component::Scheduler,
            Component::Kwok,
        ];
        // A hub has no nodes.
        if self.chip.is_some() { &ALL } else { &ALL[..3] }
    }

    /// Its processes, all or those of some components.
    pub(crate) fn processes(&self, components: &[Component]) -> Result<Vec<Process>> {
        let mut found = processes::below(&self.folder())?;
        if !components.is_empty() {
            // A component is the program of a command line, never a word of its arguments.
            let program = |one: &Process| one.command.split(" -").next().unwrap_or_default().to_owned();
            let is = |one: &Process, component: &Component| program(one).ends_with(&format!("/{}", component.name()));
            found.retain(|one| components.iter().any(|component| is(one, component)));
        }
        Ok(found)
    }

    /// Waits until the API server says that it is ready.
    ///
    /// # Errors
    /// When it does not in time; with the last lines of its log.
    pub fn answering(&self, tools: &Tools) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Err(error) = self.ready(tools) else { return Ok(()) };
            if Instant::now() > deadline {
                let log = last_lines(&self.logs().join("kube-apiserver.log"), 20);
                bail!("failed to start {} within {} s: {error:#}\n{log}", self.name, PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn ready(&self, tools: &Tools) -> Result<String> {
        self.kubectl(tools, &["get", "--raw", "/readyz", "--request-timeout=5s"])
    }

    /// Runs kubectl on it and gives what it printed.
    ///
    /// # Errors
    /// When kubectl fails, with what it said.
    pub fn kubectl(&self, tools: &Tools, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(tools.path(Tool::Kubectl)?);
        let output = command.arg("--kubeconfig").arg(self.kubeconfig()).args(arguments).output();
        let output = output.context("failed to run kubectl")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("failed to run kubectl {} on {}: {}", arguments.join(" "), self.name, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn write_kubeconfig(&self) -> Result<()> {
        let text = crate::kubeconfig::kubeconfig(&[self.access()?]);
        crate::kubeconfig::write_private(&self.kubeconfig(), &text)
    }

    pub(crate) fn access(&self) -> Result<Access> {
        Access::read(&self.name, self.server()?, &self.folder().join("pki"))
    }

    fn kwokctl(&self, tools: &Tools, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(tools.path(Tool::Kwokctl)?);
        // A person's own settings for KWOK are made for other clusters.
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("KWOK_") {
                command.env_remove(key);
            }
        }
        command.env("KWOK_WORKDIR", self.layout.work()).args(["--name", &self.name]).args(arguments);
        Ok(command)
    }

    fn settings(&self, tools: &Tools, ports: [u16; 6]) -> Result<Value> {
        let path = |tool| -> Result<String> {
            let path = tools.path(tool)?.to_str().context("failed to use a program whose path is not UTF-8")?;
            Ok(path.to_owned())
        };
        let mut options = json!({
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "kubeVersion": tools.kubernetes()?,
            "kubeAuditPolicy": self.layout.audit_policy(),
            "etcdBinary": path(Tool::Etcd)?,
            "kubeApiserverBinary": path(Tool::KubeApiserver)?,
            "kubeControllerManagerBinary": path(Tool::KubeControllerManager)?,
            "kubeSchedulerBinary": path(Tool::KubeScheduler)?,
            "kubectlBinary": path(Tool::Kubectl)?,
            "kwokControllerBinary": path(Tool::Kwok)?,
        });
        for (key, port) in PORTS.iter().zip(ports) {
            options[*key] = json!(port);
        }
        let mut patches = Vec::new();
        if self.chip.is_none() {
            options["disable"] = json!(["kube-scheduler", "kwok-controller"]);
            let pki = |file| self.folder().join("pki").join(file);
            patches.push(json!({ "name": "kube-controller-manager", "extraArgs": [
                { "key": "controllers", "value": HUB_CONTROLLERS },
                { "key": "cluster-signing-cert-file", "value": pki("ca.crt") },
                { "key": "cluster-signing-key-file", "value": pki("ca.key") },
            ] }));
            // Pull members introduce themselves by a bootstrap token.
            patches.push(json!({ "name": "kube-apiserver", "extraArgs": [
                { "key": "enable-bootstrap-token-auth", "value": "true" },
            ] }));
        }
        Ok(json!({
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": options,
            "componentsPatches": patches,
        }))
    }
}

/// Options of `kwokctl` that take a port, the API server's first.
const PORTS: [&str; 6] = [
    "kubeApiserverPort",
    "etcdPort",
    "etcdPeerPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
];

fn run(mut command: Command, what: &str) -> Result<()> {
    let output = command.output().with_context(|| format!("failed to run {what}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("failed to run {what}: {}", said.trim());
    }
    Ok(())
}

/// The end of a log, for a message about why something did not start.
pub(crate) fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    format!("{}:\n{}", path.display(), lines[from..].join("\n"))
}
