//! `operator`: runs on a hub until it is told to stop.

use anyhow::Context as _;
use jiuzhou_control::{Options, Stop};

use crate::args::{LogForm, OperatorArgs, Switch};
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;

/// Runs the operator; SIGTERM and SIGINT end it in order.
pub(crate) fn run(args: &OperatorArgs, context: &Context) -> anyhow::Result<Exit> {
    jiuzhou_control::install_crypto();
    start_log(args.log, context.quiet);
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

/// The log of a long run: on standard error, `RUST_LOG` decides what of it.
fn start_log(form: LogForm, quiet: bool) {
    let level = if quiet { "jiuzhou=warn" } else { "jiuzhou=info" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process (a test) keeps the first log.
    let _ = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().try_init(),
    };
}
