//! `operator`: runs on a hub until it is told to stop.

use anyhow::Context as _;
use jiuzhou_control::{Options, Stop};

use crate::args::{OperatorArgs, Switch};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::{connect, log};

/// Runs the operator; SIGTERM and SIGINT end it in order.
pub(crate) fn run(args: &OperatorArgs, context: &Context) -> anyhow::Result<Exit> {
    jiuzhou_control::install_crypto();
    log::start(args.log, context.quiet);
    let options = Options {
        audit: args.audit.clone(),
        listen: args.listen,
        leader_election: args.leader_election == Switch::On,
        dedicated_hub: args.dedicated_hub,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async {
        let stop = Stop::on_signal().context("failed to listen for signals")?;
        let client = connect::client(&args.hub).await?;
        jiuzhou_control::run(client, options, stop).await?;
        Ok(Exit::Ok)
    })
}
