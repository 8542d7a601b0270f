//! The operator as a process of its own, which a test starts, kills and starts again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::fleet::{Cluster, Fleet, binary};
use crate::process::Process;

/// Who the operator is on the hub, as API servers record it.
pub const USER: &str = "system:serviceaccount:jiuzhou-system:jiuzhou";

/// Where it lives on the hub.
const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: jiuzhou-system}
";

/// One running operator. Killed when dropped.
#[derive(Debug)]
pub struct Operator {
    process: Process,
    listen: SocketAddr,
}

/// How an operator is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Without a lease: only the lock of the audit log keeps it alone, and a restart waits for nobody.
    pub alone: bool,
    /// Which of several at the same time.
    pub replica: usize,
    /// Answering on every address, where metrics need a token; else on loopback.
    pub open: bool,
}

impl Operator {
    /// Starts the operator on the hub as its own service account. Its audit log is in the folder `audit` of the set,
    /// its words go to `logs/operator.log`, each start behind the one before.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(fleet: &Fleet) -> Result<Self> {
        Self::start_as(fleet, Start::default())
    }

    /// The same, in another way. A second one at the same time speaks to a log of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_as(fleet: &Fleet, how: Start) -> Result<Self> {
        let layout = fleet.set().layout();
        let name = if how.replica == 0 { "operator.log".to_owned() } else { format!("operator-{}.log", how.replica) };
        launch(fleet.hub(), layout.folder(), layout.logs().join(name), how)
    }

    /// Where health and metrics answer.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(self) -> Result<()> {
        self.process.kill()
    }

    /// Asks it to end, as a rollout does, and waits.
    ///
    /// # Errors
    /// When it is still there after the time given.
    pub fn terminate(self, within: Duration) -> Result<ExitStatus> {
        self.process.terminate(within)
    }
}

impl Deref for Operator {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Operator {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Starts the operator on another hub than the set's, with all its files in a folder.
///
/// # Errors
/// When it cannot be started.
pub fn start_on(hub: &Cluster, folder: &Path) -> Result<Operator> {
    launch(hub, folder, folder.join("operator.log"), Start::default())
}

fn launch(hub: &Cluster, folder: &Path, log: PathBuf, how: Start) -> Result<Operator> {
    let kubeconfig = account(hub, folder)?;
    // Free now; should somebody take it meanwhile, the operator says so and the test fails with its words.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a port")?;
    let listen = listener.local_addr().context("failed to find a port")?;
    drop(listener);
    let mut command = Command::new(binary()?);
    let address = if how.open { SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port())) } else { listen };
    command.args(["operator", "--dedicated-hub", "--log", "json", "--listen", &address.to_string()]);
    command.arg("--kubeconfig").arg(kubeconfig).arg("--audit").arg(folder.join("audit"));
    if how.alone {
        command.args(["--leader-election", "off"]);
    }
    Ok(Operator { process: Process::start(command, log)?, listen })
}

/// The folder of the operator's audit log.
#[must_use]
pub fn audit(fleet: &Fleet) -> PathBuf {
    fleet.set().layout().folder().join("audit")
}

/// A kubeconfig of the operator's service account, made when it is not there. Account, roles, bindings and admission
/// policies are those of the chart as helm renders them: what the operator needs and the chart does not grant fails here.
fn account(hub: &Cluster, folder: &Path) -> Result<PathBuf> {
    let path = folder.join("operator.kubeconfig");
    if path.is_file() {
        return Ok(path);
    }
    // Where helm has installed the chart, all of this is there and helm's own.
    let account = ["get", "serviceaccount", "jiuzhou", "--namespace=jiuzhou-system", "--ignore-not-found", "-o=name"];
    if hub.kubectl(&account)?.trim().is_empty() {
        hub.apply(NAMESPACE)?;
        // Admission asks each Tenant which namespaces are its own, so the definitions come first.
        hub.apply_path("crds")?;
        let chart = ["template", "jiuzhou", "charts/jiuzhou", "--namespace=jiuzhou-system", "--kube-version=1.33.0"];
        let parts =
            ["--set=dedicatedHub=true", "--show-only=templates/rbac.yaml", "--show-only=templates/admission.yaml"];
        hub.apply(&hub.helm(&[chart.as_slice(), &parts].concat())?)?;
    }
    let token = hub.kubectl(&["create", "token", "jiuzhou", "--namespace=jiuzhou-system", "--duration=8h"])?;
    let of = hub.plane.kubeconfig();
    let text = std::fs::read_to_string(&of).with_context(|| format!("failed to read {}", of.display()))?;
    let mut config: Value = serde_json::from_str(&text).context("failed to read a kubeconfig")?;
    config["users"] = json!([{ "name": "hub", "user": { "token": token.trim() } }]);
    std::fs::write(&path, config.to_string()).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}
