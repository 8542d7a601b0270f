//! What a cluster is and has: version, kinds it serves, node pools with their free room.
//!
//! Reading is bounded: nodes and pods come in pages that are folded and dropped, and a read that fails in the middle is
//! no read (what was known stays). [`pools`] is pure; [`moved`] says when a new observation is worth writing. Nodes
//! become pools by the same code as in `jiuzhou inventory`.

mod discover;
mod moved;
mod pools;
mod read;
mod words;

use jiuzhou_api::v1alpha1::{PoolStatus, ServedKinds};
use jiuzhou_engine::detect::Catalogue;
use serde::{Deserialize, Serialize};

use crate::connection::Trouble;

pub use moved::{Moved, moved};
pub use pools::{NodeSeen, Used, pools};

/// What was observed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Inventory {
    /// Kubernetes version as the server prints it.
    pub version: Option<String>,
    /// Kinds by API version, sorted.
    pub apis: Vec<ServedKinds>,
    /// Pools, the largest first; without a time of observation.
    pub pools: Vec<PoolStatus>,
    /// All nodes, also those of pools that are left out.
    pub nodes: usize,
    /// Pools left out: more than 64, or an architecture nobody knows.
    pub left_out: usize,
}

/// Observes a cluster. `dividing` are labels that divide pools although no rule about CPUs looks at them.
///
/// # Errors
/// The first request that failed; nothing partial is returned.
pub async fn observe(client: &kube::Client, catalogue: &Catalogue, dividing: &[&str]) -> Result<Inventory, Trouble> {
    let version = client.apiserver_version().await.map_err(|error| Trouble::of(&error))?.git_version;
    let apis = discover::served(client).await?;
    let has_topologies = apis.iter().any(|api| {
        *api.api_version == *read::TOPOLOGY_API && api.kinds.iter().any(|kind| **kind == *"NodeResourceTopology")
    });
    let mut nodes = read::nodes(client).await?;
    if has_topologies {
        read::describe(client, &mut nodes).await?;
    }
    let used = read::used(client).await?;
    let count = nodes.len();
    let (pools, left_out) = pools(&nodes, &used, catalogue, dividing);
    Ok(Inventory { version: words::token(&version), apis, pools, nodes: count, left_out })
}
