//! Nodes of equal facts as pools, with what is free on them. Pure.
//!
//! Free is what a pod without tolerations finds: allocatable less what pods that are not ours ask for, on nodes that are
//! Ready, not cordoned and not tainted; at most 16 shapes a pool, merged downwards.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_api::text::{Labels, Resources as Amounts};
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::capacity::{FreePool, NodeShape, ResourceId, Resources};
use jiuzhou_engine::detect::{Catalogue, Conflict, Evidence, NodeFacts, Pool, PoolFacts, Selection, group, labels};
use jiuzhou_engine::terms::{Bytes, Digest, Millicores};
use jiuzhou_objects::pod::PodRequests;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::words;

/// Bounds of the schema.
const MAX_POOLS: usize = 64;
const MAX_LABELS: usize = 32;
const MAX_RESOURCES: usize = 32;
const MAX_EVIDENCE: usize = 16;
const MAX_FEATURES: usize = 256;
const MAX_TAINTS: usize = 16;

/// A node as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSeen {
    /// What it shows.
    pub facts: NodeFacts,
    /// Whether it gets new pods that tolerate nothing.
    pub takes_pods: bool,
}

/// What pods on a node ask for, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    amounts: BTreeMap<String, i64>,
}

impl Used {
    /// Adds one pod. Sums saturate: more than everything is everything.
    pub fn add(&mut self, pod: &PodRequests) {
        let PodRequests { cpu, memory, ephemeral_storage, extended } = pod;
        let plain = [("cpu", cpu.0), ("memory", memory.0), ("ephemeral-storage", ephemeral_storage.0), ("pods", 1)];
        let all = plain.into_iter().chain(extended.iter().map(|(name, amount)| (name.as_str(), *amount)));
        for (name, amount) in all.filter(|(_, amount)| *amount != 0) {
            let sum = self.amounts.entry(name.to_owned()).or_insert(0);
            *sum = sum.saturating_add(amount);
        }
    }
}

/// Pools of nodes, the largest first, and how many had to be left out.
#[must_use]
pub fn pools(
    nodes: &[NodeSeen],
    used: &BTreeMap<String, Used>,
    catalogue: &Catalogue,
    dividing: &[&str],
) -> (Vec<api::PoolStatus>, usize) {
    let facts: Vec<NodeFacts> = nodes.iter().map(|node| node.facts.clone()).collect();
    let mut by_labels = vec![meta::LABEL_NODE_ZONE];
    by_labels.extend(dividing.iter().copied().filter(|label| *label != meta::LABEL_NODE_ZONE));
    let groups = group(&facts, catalogue, &by_labels);
    let all = groups.len();
    let mut pools: Vec<api::PoolStatus> =
        groups.iter().filter_map(|pool| status(pool, nodes, used, catalogue, &by_labels)).collect();
    pools.sort_by(|a, b| b.nodes.cmp(&a.nodes).then(a.name.cmp(&b.name)));
    pools.truncate(MAX_POOLS);
    let left_out = all - pools.len();
    (pools, left_out)
}

/// `None` for an architecture that the schema has no word for.
fn status(
    pool: &Pool,
    nodes: &[NodeSeen],
    used: &BTreeMap<String, Used>,
    catalogue: &Catalogue,
    dividing: &[&str],
) -> Option<api::PoolStatus> {
    let Pool { profile, labels: common, taints, nodes: members } = pool;
    let members: Vec<&NodeSeen> = members.iter().filter_map(|index| nodes.get(*index)).collect();
    let first = members.first()?;
    let PoolFacts {
        os: _,
        arch,
        platform,
        confidence,
        level,
        features,
        absent,
        complete_features,
        page_size,
        world,
        aarch32,
        compat_kernel: _, // part of the grouping; `aarch32` is what users read
        kernel: _,        // as the node prints it
        liblol,
        runtime,
        tee,
        tee_possible: _, // follows from the platform
        accelerators: _, // in `allocatable`
        emulators,
        conflicting: _, // see `conflicts`
    } = &profile.facts;
    let amounts = Names::of(&members);
    let smt = match profile.smt {
        Some(false) => Some(1),
        Some(true) => platform.as_deref().and_then(|id| catalogue.get(id)?.threads_per_core).filter(|n| *n > 1),
        None => None,
    };
    Some(api::PoolStatus {
        name: name(pool, dividing).into(),
        zone: common.get(meta::LABEL_NODE_ZONE).filter(|zone| words::is_name(zone)).map(|zone| zone.as_str().into()),
        platform: platform.as_deref().map(Into::into),
        confidence: words::confidence(*confidence),
        evidence: profile.evidence.iter().take(MAX_EVIDENCE).filter_map(|e| words::title(&says(e))).collect(),
        conflicts: profile.conflicts.iter().take(MAX_EVIDENCE).filter_map(|c| words::title(&against(c))).collect(),
        architecture: words::architecture(arch)?,
        isa_level: level.as_ref().map(|level| level.to_string().into()),
        features: features.iter().filter_map(|f| words::token(f)).take(MAX_FEATURES).map(Into::into).collect(),
        absent: absent.iter().filter_map(|f| words::token(f)).take(MAX_FEATURES).map(Into::into).collect(),
        // A list that was cut is not complete.
        features_complete: *complete_features && features.len() <= MAX_FEATURES,
        page_size_kib: page_size.and_then(|size| i32::try_from(size.ki).ok()),
        abi_world: words::world(*world, arch),
        liblol: *liblol,
        aarch32: words::known(*aarch32),
        kernel: words::title(&first.facts.kernel_version),
        os_image: words::title(&first.facts.os_image),
        runtime: api::PoolRuntime {
            name: words::token(&runtime.name).map(Into::into),
            version: words::token(&runtime.version).map(Into::into),
            selection: words::selection(runtime.selection),
            variant: match runtime.selection {
                Selection::DeclaredVariant(level) => Some(level.to_string().into()),
                Selection::Stock | Selection::MaxNative | Selection::Pinned => None,
            },
        },
        tee: words::tees(tee),
        sm_crypto: words::sm(features),
        emulators: emulators.iter().filter_map(|e| words::token(e)).take(8).map(Into::into).collect(),
        threads_per_core: smt.and_then(|threads| i32::try_from(threads).ok()),
        nodes: i32::try_from(members.len()).unwrap_or(i32::MAX),
        labels: shown_labels(common, dividing),
        taints: taints.iter().take(MAX_TAINTS).filter_map(words::taint).collect(),
        allocatable: amounts.allocatable(&members),
        free: amounts.free(&members, used),
        // What the member's scheduler could not place is told by whoever delivers there.
        unschedulable: Vec::new(),
        cpu_normalised: profile.koordinator_ratio.is_some(),
        server_model: None,
        observed_at: None,
    })
}

/// The platform (or architecture) and a short digest of what tells pools apart: stable while that is.
fn name(pool: &Pool, dividing: &[&str]) -> String {
    let mut facts = pool.profile.facts.clone();
    facts.accelerators.values_mut().for_each(|count| *count = 0);
    let values: Vec<Option<&String>> = dividing.iter().map(|label| pool.labels.get(*label)).collect();
    let key =
        serde_json::json!([facts, pool.profile.smt, pool.profile.koordinator_ratio.is_some(), values, pool.taints]);
    let digest = Digest::sha256(key.to_string().as_bytes());
    let short: String = digest.bytes().iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let platform: String =
        facts.name().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(56).collect();
    format!("{}-{short}", platform.to_ascii_lowercase().trim_matches('-'))
}

fn says(evidence: &Evidence) -> String {
    let Evidence { key, value, says, confidence } = evidence;
    format!("{key}={value}: {says} ({})", confidence.as_str())
}

fn against(conflict: &Conflict) -> String {
    format!("{}={} / {}={}", conflict.stronger.key, conflict.stronger.value, conflict.weaker.key, conflict.weaker.value)
}

/// Labels that a placement may name, or that the affinity derived from an image asks for: those that divide pools first,
/// an administrator's, Kubernetes' own, levels and pages as NFD writes them, others, single CPU flags. Where not all have
/// room, a pool is refused for what it does not show rather than trusted. A host name is no label of a pool.
fn shown_labels(common: &BTreeMap<String, String>, dividing: &[&str]) -> Labels {
    let rank = |key: &str| match key {
        _ if dividing.contains(&key) => 0,
        _ if key.contains("jiuzhou.dev/") => 1,
        labels::ARCH | labels::OS | labels::INSTANCE_TYPE => 2,
        _ if key.starts_with("topology.kubernetes.io/") || key.starts_with("node-role.kubernetes.io/") => 3,
        _ if key.strip_prefix(labels::NFD_FLAG).is_some_and(|flag| flag.starts_with("X86_64_V")) => 4,
        _ if key.starts_with(labels::NFD_KERNEL_CONFIG) => 4,
        _ if key.starts_with(labels::NFD_FLAG) => 6,
        _ => 5,
    };
    let flag = |key: &str| key.starts_with(labels::NFD_FLAG) || key.starts_with(labels::NFD_KERNEL_CONFIG);
    let shown = |key: &str| {
        (flag(key) || !key.starts_with(labels::NFD))
            && key != "kubernetes.io/hostname"
            && !key.starts_with("beta.kubernetes.io/")
    };
    let mut ranked: Vec<(&String, &String)> = common.iter().filter(|(key, _)| shown(key)).collect();
    ranked.sort_by_key(|(key, _)| rank(key));
    Labels(ranked.into_iter().take(MAX_LABELS).map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Names of the resources of a pool: the four plain ones, and others by number.
struct Names {
    extended: Vec<String>,
}

impl Names {
    fn of(members: &[&NodeSeen]) -> Self {
        let mut extended: Vec<String> =
            members.iter().flat_map(|node| node.facts.allocatable.keys().cloned()).collect();
        extended.sort();
        extended.dedup();
        extended.retain(|name| !matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage" | "pods"));
        extended.truncate(MAX_RESOURCES - 4);
        Self { extended }
    }

    fn vector(&self, amount: impl Fn(&str) -> i64) -> Resources {
        let plain = Resources::new(
            Millicores(amount("cpu")),
            Bytes(amount("memory")),
            Bytes(amount("ephemeral-storage")),
            amount("pods"),
        );
        let extended: Vec<(ResourceId, i64)> =
            self.extended.iter().zip(0_u64..).map(|(name, id)| (ResourceId(id), amount(name))).collect();
        plain.with(&extended).expect("names were deduplicated")
    }

    fn amounts(&self, of: &Resources) -> Amounts {
        let plain = [
            ("cpu", format!("{}m", of.cpu.0)),
            ("memory", of.memory.0.to_string()),
            ("ephemeral-storage", of.ephemeral.0.to_string()),
            ("pods", of.pods.to_string()),
        ];
        let extended =
            self.extended.iter().zip(0_u64..).map(|(name, id)| (name.as_str(), of.amount(ResourceId(id)).to_string()));
        let all = plain.into_iter().chain(extended);
        let some = all.filter(|(_, amount)| amount != "0" && amount != "0m");
        Amounts(some.map(|(name, amount)| (name.to_owned(), Quantity(amount))).collect())
    }

    fn allocatable(&self, members: &[&NodeSeen]) -> Amounts {
        let sum = |name: &str| {
            let amounts = members.iter().filter_map(|node| node.facts.allocatable.get(name));
            amounts.fold(0_i64, |sum, amount| sum.saturating_add(*amount))
        };
        self.amounts(&self.vector(sum))
    }

    fn free(&self, members: &[&NodeSeen], used: &BTreeMap<String, Used>) -> Vec<api::NodeShape> {
        let shapes = members.iter().filter(|node| node.takes_pods).map(|node| {
            let taken = used.get(&node.facts.name);
            let free = |name: &str| {
                let have = node.facts.allocatable.get(name).copied().unwrap_or(0);
                have.saturating_sub(taken.and_then(|used| used.amounts.get(name)).copied().unwrap_or(0)).max(0)
            };
            NodeShape { free: self.vector(free), count: 1 }
        });
        let pool = FreePool::new(shapes);
        let shape = |shape: &NodeShape| api::NodeShape {
            nodes: i32::try_from(shape.count).unwrap_or(i32::MAX),
            free: self.amounts(&shape.free),
        };
        pool.shapes().iter().map(shape).collect()
    }
}

#[cfg(test)]
mod tests;
