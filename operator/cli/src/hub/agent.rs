//! `agent`: runs in a member that the hub does not reach. Of the hub's rooms it uses the log alone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiuzhou_member::agent::{Agent, HubAddress};
use jiuzhou_member::connection::{Connection, Limits, install_tls_provider};
use jiuzhou_member::{Config, Knowledge, KubeConfigOptions, Kubeconfig};

use crate::args::AgentArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::log;

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(args: &AgentArgs, context: &Context) -> anyhow::Result<Exit> {
    install_tls_provider();
    log::start(args.log, context.quiet)?;
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
    };
    let hub =
        HubAddress { server: args.hub_server.clone(), authority: read(&args.hub_ca)?, proxy: args.http_proxy.clone() };
    let bootstrap_token = args.bootstrap_token.as_deref().map(read).transpose()?.map(|text| text.trim().to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async {
        let config = match &args.agent_kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path).context("failed to read the kubeconfig of the member")?;
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?
            }
            None => Config::incluster().context("failed to use the service account of the pod")?,
        };
        let agent = Agent {
            cluster: args.cluster.clone(),
            hub,
            member: Connection::trusted(config, Limits::default())?,
            bootstrap_token,
            heartbeat: Duration::from_secs(args.heartbeat_seconds),
            orders_hold: Duration::from_secs(args.orders_hold_minutes * 60),
            knowledge: Arc::new(Knowledge::default()),
            impersonate: true,
        };
        agent.run(signal()).await?;
        Ok(Exit::Ok)
    })
}

/// Waits for SIGTERM (Kubernetes) or SIGINT (a person).
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
