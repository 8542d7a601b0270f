//! The agent of a pull member as a process of its own, by the service account that its administrator made.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use jiuzhou_api::meta::PUSH_ACCOUNT;
use serde_json::{Value, json};

use crate::fleet::{Cluster, Fleet, binary};
use crate::process::Process;

/// What an agent is started with; it can be started again and again.
#[derive(Clone, Debug)]
pub struct Agent {
    cluster: String,
    kubeconfig: PathBuf,
    authority: PathBuf,
    token: PathBuf,
    log: PathBuf,
    server: String,
}

impl Agent {
    /// Lets a member join by pull as its administrator would, `hub_server` being the hub's address as the member
    /// reaches it. Nothing is started yet.
    ///
    /// # Errors
    /// When the hub or the member says no.
    #[allow(clippy::disallowed_methods, reason = "what our own program wrote is read as it is")]
    pub fn join(fleet: &Fleet, member: &str, site: &str, tenant: &str, hub_server: &str) -> Result<Self> {
        let folder = fleet.set().layout().folder().join("agents").join(member);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("failed to remove the files of an earlier agent")?;
        }
        std::fs::create_dir_all(&folder).context("failed to make a folder for an agent")?;
        let manifests = folder.join("manifests.yaml");
        let hub = fleet.hub().plane.kubeconfig();
        let mut join = Command::new(binary()?);
        join.args(["join", member, "--pull", "--site", site, "--tenants", tenant, "--server", hub_server]);
        join.args(["--heartbeat-seconds", "5"]).arg("--hub-kubeconfig").arg(hub).arg("--manifests").arg(&manifests);
        let said = join.output().context("failed to run join")?;
        anyhow::ensure!(said.status.success(), "failed to join: {}", String::from_utf8_lossy(&said.stderr));
        let text = std::fs::read_to_string(&manifests).context("failed to read what join wrote")?;
        let mut objects: Vec<Value> = Vec::new();
        // A line of its own: certificates have such lines inside.
        let documents = text.strip_prefix("---\n").unwrap_or(&text).split("\n---\n");
        for document in documents.filter(|document| !document.trim().is_empty()) {
            objects.push(serde_saphyr::from_str(document).context("failed to read what join wrote")?);
        }
        let find = |kind: &str, pointer: &str| {
            let mut of_kind = objects.iter().filter(|object| object["kind"] == kind);
            of_kind.find_map(|object| object.pointer(pointer)?.as_str().map(str::to_owned))
        };
        let token = find("Secret", "/stringData/token").context("failed to find the agent's token")?;
        let authority = find("ConfigMap", "/data/ca.crt").context("failed to find the hub's authority")?;
        // Fake nodes run no agent: the process beside the control planes is the pod.
        objects.retain(|object| object["kind"] != "Deployment");
        let cluster = fleet.member(member);
        cluster.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string())?;
        let agent = Self {
            cluster: member.to_owned(),
            kubeconfig: folder.join("kubeconfig"),
            authority: folder.join("hub-ca.crt"),
            token: folder.join("token"),
            log: fleet.set().layout().logs().join(format!("agent-{member}.log")),
            server: hub_server.to_owned(),
        };
        std::fs::write(&agent.authority, authority).context("failed to write the hub's authority")?;
        std::fs::write(&agent.token, token).context("failed to write the agent's token")?;
        std::fs::write(&agent.kubeconfig, kubeconfig(cluster)?).context("failed to write the agent's kubeconfig")?;
        Ok(agent)
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, more: &[&str]) -> Result<Process> {
        let mut command = Command::new(binary()?);
        command.args(["agent", &self.cluster, "--log", "json", "--heartbeat-seconds", "5"]);
        command.args(["--hub-server", &self.server]).args(more);
        command.arg("--kubeconfig").arg(&self.kubeconfig).arg("--hub-ca").arg(&self.authority);
        command.arg("--bootstrap-token").arg(&self.token);
        Process::start(command, self.log.clone())
    }
}

/// A kubeconfig of the account that the agent's pod would run as.
fn kubeconfig(member: &Cluster) -> Result<String> {
    let hours = "--duration=8h";
    let token = member.kubectl(&["create", "token", PUSH_ACCOUNT, "--namespace=jiuzhou-system", hours])?;
    let of = member.plane.kubeconfig();
    let text = std::fs::read_to_string(&of).with_context(|| format!("failed to read {}", of.display()))?;
    let mut config: Value = serde_json::from_str(&text).context("failed to read a kubeconfig")?;
    config["users"] = json!([{ "name": member.name(), "user": { "token": token.trim() } }]);
    Ok(config.to_string())
}
