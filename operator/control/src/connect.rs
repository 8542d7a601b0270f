//! The client of the hub: whose address, which credentials, and how long a request may take.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::error::Error;

/// A write to the hub takes milliseconds; who does not answer by then is asked again by whoever needs it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Which hub.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// A kubeconfig; else that of the environment, else the service account of the pod.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; else its current one.
    pub context: Option<String>,
}

/// Chooses the one TLS provider. A second call changes nothing.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client of the hub. Nothing is asked of it yet.
///
/// # Errors
/// When the kubeconfig cannot be read or says nothing usable.
pub async fn connect(target: &Target) -> Result<Client, Error> {
    install_crypto();
    let options = KubeConfigOptions { context: target.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match &target.kubeconfig {
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path).map_err(Error::Kubeconfig)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(Error::Kubeconfig)?
        }
        None if target.context.is_some() => Config::from_kubeconfig(&options).await.map_err(Error::Kubeconfig)?,
        None => Config::infer().await.map_err(|error| Error::Infer(Box::new(error)))?,
    };
    // Fifteen tries of every verb, DELETE among them, are kube's default: whoever writes decides anew instead.
    config.default_retry = false;
    config.write_timeout = Some(WRITE_TIMEOUT);
    Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))
}
