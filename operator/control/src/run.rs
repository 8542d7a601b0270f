//! The wiring of one run: what is started, in which order, and how it ends.

use kube::Client;

use crate::error::Error;
use crate::options::Options;
use crate::stop::Stop;

/// Runs until told to stop.
///
/// # Errors
/// What makes going on pointless: a hub that refuses us, an audit log that cannot be written.
pub async fn run(client: Client, options: Options, stop: Stop) -> Result<(), Error> {
    let version = client.apiserver_version().await.map_err(|error| Error::api("read", "the hub's version", error))?;
    tracing::info!(hub = %version.git_version, dedicated = options.dedicated_hub, "started");
    stop.requested().await;
    tracing::info!("stopped");
    Ok(())
}
