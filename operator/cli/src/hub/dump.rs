//! What stands in namespaces of a running cluster, for `adopt`: read through its API server, written nowhere.

use anyhow::Context as _;
use serde_json::json;

use crate::args::{AdoptArgs, HubArgs};
use crate::context::Context;
use crate::hub::connect;

/// Reads the namespaces that are asked for as one List. What could not be read is told.
pub(crate) fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<String> {
    let cluster = HubArgs { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    let dump = connect::ask(&cluster, async |client| {
        jiuzhou_control::dump::read(client, &args.namespaces).await.context("failed to read the cluster")
    })?;
    for (kind, why) in &dump.missing {
        let told = context.pick("jiuzhou: not read", "jiuzhou：未能读取");
        context.say(&format!("{told} {kind}: {why}"));
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": dump.objects }).to_string())
}
