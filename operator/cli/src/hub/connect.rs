//! From the flags that name the hub to a client of it.

use anyhow::Context as _;

use crate::args::HubArgs;

/// A client of the hub. The TLS provider is chosen first: there is one, and no library may choose another.
pub(crate) async fn client(args: &HubArgs) -> anyhow::Result<jiuzhou_control::Client> {
    let target = jiuzhou_control::Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    jiuzhou_control::connect(&target).await.context("failed to reach the hub")
}
