//! What every command of a hub begins with: a client of it, a question asked of it, a workload or a system by its name.

use anyhow::Context as _;
use jiuzhou_engine::decide::WorkloadKey;

use crate::args::{HubArgs, WorkloadArgs};

/// A client of the hub. The TLS provider is chosen first: there is one, and no library may choose another.
pub(crate) async fn client(args: &HubArgs) -> anyhow::Result<jiuzhou_control::Client> {
    let target = jiuzhou_control::Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    jiuzhou_control::connect(&target).await.context("failed to reach the hub")
}

/// Asks the hub, on this thread.
pub(crate) fn ask<T, E: Into<anyhow::Error>>(
    hub: &HubArgs,
    question: impl AsyncFnOnce(&jiuzhou_control::Client) -> Result<T, E>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async { question(&client(hub).await?).await.map_err(Into::into) })
}

/// NAME or NAMESPACE/NAME; the namespace beside it counts where it names none.
pub(crate) fn key(name: &str, namespace: Option<&str>) -> WorkloadKey {
    match name.split_once('/') {
        Some((namespace, name)) => WorkloadKey::new(namespace, name),
        None => WorkloadKey::new(namespace.unwrap_or("default"), name),
    }
}

/// The workload that a command is about.
pub(crate) fn named(of: &WorkloadArgs) -> WorkloadKey {
    key(&of.workload, of.namespace.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_named_with_its_namespace_or_beside_it() {
        assert_eq!(key("a/b", Some("c")), WorkloadKey::new("a", "b"));
        assert_eq!(key("b", Some("c")), WorkloadKey::new("c", "b"));
        assert_eq!(key("b", None), WorkloadKey::new("default", "b"));
    }
}
