//! `operator`: runs on a hub until it is told to stop.

use anyhow::Context as _;
use jiuzhou_control::{Keep, Options, Stop};

use crate::args::{OperatorArgs, Switch};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::{connect, log};

/// Where a collector is, as every program that speaks OTLP reads it.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Runs the operator; SIGTERM and SIGINT end it in order.
pub(crate) fn run(args: &OperatorArgs, context: &Context) -> anyhow::Result<Exit> {
    jiuzhou_control::install_crypto();
    log::start(args.log, context.quiet)?;
    let options = Options {
        audit: args.audit.clone(),
        keep: Keep { days: args.inputs_days, bytes: args.inputs_mib << 20 },
        listen: args.listen,
        leader_election: args.leader_election == Switch::On,
        dedicated_hub: args.dedicated_hub,
        otlp: args.otlp.clone().or_else(|| std::env::var(ENDPOINT).ok()).filter(|address| !address.is_empty()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async {
        let stop = Stop::on_signal().context("failed to listen for signals")?;
        let client = connect::client(&args.hub).await?;
        jiuzhou_control::run(client, options, stop).await?;
        Ok(Exit::Ok)
    })
}
