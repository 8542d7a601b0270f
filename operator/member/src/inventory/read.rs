//! Nodes and pods in pages. A page is folded and dropped, so 5,000 nodes cost their facts and not their objects.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_engine::detect::CpuBasicInfo;
use jiuzhou_objects::node::{cpu_basic_info, node_facts, takes_pods};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::pod::pod_requests;
use serde::Deserialize;
use serde_json::Value;

use super::pools::{NodeSeen, Used};
use crate::connection::Trouble;
use crate::lineage::{Makers, Owner};

/// API of NodeResourceTopology.
pub(super) const TOPOLOGY_API: &str = "topology.node.k8s.io/v1alpha1";
/// Nodes are large (images, hundreds of labels), pods are many.
const NODES_A_PAGE: u32 = 100;
const PODS_A_PAGE: u32 = 500;
/// Pages of one list; a member that always has one more is lying.
const MAX_PAGES: u32 = 4_000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Value>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// All nodes.
pub(super) async fn nodes(client: &kube::Client) -> Result<Vec<NodeSeen>, Trouble> {
    let mut nodes = Vec::new();
    each(client, &format!("/api/v1/nodes?limit={NODES_A_PAGE}"), |node| {
        let (facts, _) = node_facts(node);
        nodes.push(NodeSeen { facts, takes_pods: takes_pods(node) });
    })
    .await?;
    nodes.sort_by(|a, b| a.facts.name.cmp(&b.facts.name));
    Ok(nodes)
}

/// Adds what Koordinator says of the CPUs.
pub(super) async fn describe(client: &kube::Client, nodes: &mut [NodeSeen]) -> Result<(), Trouble> {
    let mut described: BTreeMap<String, CpuBasicInfo> = BTreeMap::new();
    each(client, &format!("/apis/{TOPOLOGY_API}/noderesourcetopologies?limit={PODS_A_PAGE}"), |topology| {
        if let Some(info) = cpu_basic_info(topology) {
            described.insert(Object::new(topology).name().to_owned(), info);
        }
    })
    .await?;
    for node in nodes {
        node.facts.cpu_basic_info = described.remove(&node.facts.name);
    }
    Ok(())
}

/// Kinds whose objects may have been there before us, as paths of their lists.
const TAKEN_OVER: &[(&str, &str)] = &[
    ("DaemonSet", "/apis/apps/v1/daemonsets"),
    ("Deployment", "/apis/apps/v1/deployments"),
    ("StatefulSet", "/apis/apps/v1/statefulsets"),
    ("CronJob", "/apis/batch/v1/cronjobs"),
    ("Job", "/apis/batch/v1/jobs"),
];

/// Objects of ours that were there before us, by namespace: pods of them may carry no label of ours.
async fn taken_over(client: &kube::Client) -> Result<BTreeMap<String, Vec<Owner>>, Trouble> {
    let mut owners: BTreeMap<String, Vec<Owner>> = BTreeMap::new();
    let selector = meta::LABEL_TAKEN_OVER.replace('/', "%2F");
    for (kind, path) in TAKEN_OVER {
        let path = format!("{path}?limit={PODS_A_PAGE}&labelSelector={selector}");
        let listed = each(client, &path, |object| {
            let view = Object::new(object);
            let owner = Owner {
                key: String::new(),
                kind: (*kind).to_owned(),
                name: view.name().to_owned(),
                uid: Some(view.text("/metadata/uid").to_owned()),
            };
            owners.entry(view.namespace().to_owned()).or_default().push(owner);
        });
        match listed.await {
            // A kind that an old cluster does not serve has no objects.
            // Where they may not be listed, their pods count as a stranger's: too little room is free then, and never too much.
            Ok(()) | Err(Trouble::NotFound(_) | Trouble::Forbidden(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(owners)
}

/// What pods that are not ours ask of each node. Ours are counted by the ledger of placements. Who made a pod is told by names
/// alone here: our own account may not list what stands between.
pub(super) async fn used(client: &kube::Client) -> Result<BTreeMap<String, Used>, Trouble> {
    let (owners, makers) = (taken_over(client).await?, Makers::default());
    let path = format!(
        "/api/v1/pods?limit={PODS_A_PAGE}&labelSelector=%21{}&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed",
        meta::LABEL_WORKLOAD.replace('/', "%2F"),
    );
    let mut used: BTreeMap<String, Used> = BTreeMap::new();
    each(client, &path, |pod| {
        let object = Object::new(pod);
        let node = object.text("/spec/nodeName");
        let ours = owners.get(object.namespace()).is_some_and(|owners| makers.owner(pod, owners).is_some());
        // A pod without a node takes no room yet.
        if !node.is_empty() && !ours {
            used.entry(node.to_owned()).or_default().add(&pod_requests(object, "", &mut Vec::new()));
        }
    })
    .await?;
    Ok(used)
}

/// Every object of a list. One that expires in the middle is no list: the caller reads again later.
async fn each(client: &kube::Client, path: &str, mut each: impl FnMut(&Value)) -> Result<(), Trouble> {
    let mut items: u64 = 0;
    let mut next: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let uri = match &next {
            None => path.to_owned(),
            Some(token) => format!("{path}&continue={}", encode(token)),
        };
        let request = http::Request::get(&uri).body(Vec::new());
        let request = request.map_err(|_| Trouble::Nonsense("a continue token that is none".to_owned()))?;
        let page: Page = client.request(request).await.map_err(|error| Trouble::of(&error))?;
        items += page.items.len() as u64;
        page.items.iter().for_each(&mut each);
        match page.metadata.next.filter(|token| !token.is_empty()) {
            None => return Ok(()),
            token => next = token,
        }
    }
    Err(Trouble::Nonsense(format!("a list of more than {items} objects in {MAX_PAGES} pages")))
}

/// Percent-encodes all but what is safe in a query.
fn encode(token: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let one = |byte: u8| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    token.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continue_token_cannot_change_the_request() {
        assert_eq!(encode("ab=c&watch=true"), "ab%3Dc%26watch%3Dtrue");
        assert_eq!(encode("a-b_c.d~9"), "a-b_c.d~9");
    }
}
