//! The operator as a process of its own, which a test starts, kills and starts again.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::fleet::{Fleet, binary};

/// Who the operator is on the hub, as API servers record it.
pub const USER: &str = "system:serviceaccount:jiuzhou-system:jiuzhou";

/// Where it lives on the hub.
const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: jiuzhou-system}
";

/// One running process. Killed when dropped.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    log: PathBuf,
    /// Where the words of this start begin in the log.
    from: usize,
    listen: SocketAddr,
}

impl Operator {
    /// Starts the operator on the hub as its own service account. Its audit log is in the folder `audit` of the set,
    /// its words go to `logs/operator.log`, each start behind the one before.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(fleet: &Fleet) -> Result<Self> {
        let layout = fleet.set().layout();
        let kubeconfig = account(fleet, layout.folder())?;
        let (log, audit) = (layout.logs().join("operator.log"), audit(fleet));
        // Free now; should somebody take it meanwhile, the operator says so and the test fails with its words.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a port")?;
        let listen = listener.local_addr().context("failed to find a port")?;
        drop(listener);
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("failed to open {}", log.display()))?;
        let from = file.metadata().with_context(|| format!("failed to look at {}", log.display()))?.len();
        let output = file.try_clone().context("failed to share a log")?;
        let child = Command::new(binary()?)
            .args(["operator", "--dedicated-hub", "--log", "json", "--listen", &listen.to_string()])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--audit")
            .arg(audit)
            .env("RUST_LOG", "jiuzhou=debug")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(file)
            .spawn()
            .context("failed to start the program under test")?;
        Ok(Self { child, log, from: usize::try_from(from).context("failed to measure a log")?, listen })
    }

    /// Where health and metrics answer.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where its words go.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it has said a message since this start.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn said(&self, message: &str) -> Result<bool> {
        let words = std::fs::read(&self.log).with_context(|| format!("failed to read {}", self.log.display()))?;
        let words = String::from_utf8_lossy(words.get(self.from..).unwrap_or_default()).into_owned();
        let mut lines = words.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(lines.any(|line| line["message"] == message))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("failed to kill the program under test")?;
        self.child.wait().context("failed to wait for the program under test")?;
        Ok(())
    }

    /// Asks it to end, as a rollout does, and waits.
    ///
    /// # Errors
    /// When it is still there after the time given.
    pub fn terminate(mut self, within: Duration) -> Result<ExitStatus> {
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status();
        asked.context("failed to run sh")?;
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().context("failed to wait for the program under test")? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("failed to end within {} s: see {}", within.as_secs(), self.log.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it is still running; its end is told otherwise.
    ///
    /// # Errors
    /// When it has ended, with where its words are.
    pub fn alive(&mut self) -> Result<()> {
        match self.child.try_wait().context("failed to look at the program under test")? {
            None => Ok(()),
            Some(status) => bail!("failed: the program under test ended with {status}: see {}", self.log.display()),
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Already ended is fine: there is nothing to do about a process in a destructor.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of the operator's audit log.
#[must_use]
pub fn audit(fleet: &Fleet) -> PathBuf {
    fleet.set().layout().folder().join("audit")
}

/// A kubeconfig of the operator's service account, made when it is not there. Account, roles, bindings and admission
/// policies are those of the chart as helm renders them: what the operator needs and the chart does not grant fails here.
fn account(fleet: &Fleet, folder: &Path) -> Result<PathBuf> {
    let path = folder.join("operator.kubeconfig");
    if path.is_file() {
        return Ok(path);
    }
    let hub = fleet.hub();
    hub.apply(NAMESPACE)?;
    // Admission asks each Tenant which namespaces are its own, so the definitions come first.
    hub.apply_path("crds")?;
    let chart = ["template", "jiuzhou", "charts/jiuzhou", "--namespace=jiuzhou-system", "--kube-version=1.33.0"];
    let parts = ["--set=dedicatedHub=true", "--show-only=templates/rbac.yaml", "--show-only=templates/admission.yaml"];
    hub.apply(&fleet.helm(&[chart.as_slice(), &parts].concat())?)?;
    let token = hub.kubectl(&["create", "token", "jiuzhou", "--namespace=jiuzhou-system", "--duration=8h"])?;
    let of = hub.plane.kubeconfig();
    let text = std::fs::read_to_string(&of).with_context(|| format!("failed to read {}", of.display()))?;
    let mut config: Value = serde_json::from_str(&text).context("failed to read a kubeconfig")?;
    config["users"] = json!([{ "name": "hub", "user": { "token": token.trim() } }]);
    std::fs::write(&path, config.to_string()).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}
