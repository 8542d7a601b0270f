//! Node pools: as a cluster's status tells them, with what its administrator stated on top.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::Taint;
use jiuzhou_engine::decide::input::{NodeShapeInput, PoolInput};
use jiuzhou_engine::detect::{Confidence, KernelVersion, Level, PageSize, PoolFacts, Runtime, normalise_feature};
use jiuzhou_engine::terms::Finding;

use crate::objects::Item;

use super::tenants::amounts;
use super::words;

/// The pools of a cluster's status.
pub(super) fn pools(item: &Item<api::MemberCluster>, findings: &mut Vec<Finding>) -> Vec<PoolInput> {
    let Some(status) = &item.object.status else { return Vec::new() };
    let spec = &item.object.spec;
    let pool = |(index, pool): (usize, &api::PoolStatus)| {
        let stated: Vec<&api::PoolFacts> = spec.pool_facts.iter().filter(|facts| speaks_of(facts, pool)).collect();
        self::pool(item, index, pool, &stated, findings)
    };
    status.pools.iter().enumerate().map(pool).collect()
}

/// Whether a statement is about a pool: its nodes carry all the labels.
fn speaks_of(facts: &api::PoolFacts, pool: &api::PoolStatus) -> bool {
    facts.node_labels.0.iter().all(|(key, value)| pool.labels.0.get(key) == Some(value))
}

fn pool(
    item: &Item<api::MemberCluster>,
    index: usize,
    pool: &api::PoolStatus,
    stated: &[&api::PoolFacts],
    findings: &mut Vec<Finding>,
) -> PoolInput {
    let api::PoolStatus {
        name,
        zone,
        platform,
        confidence,
        evidence: _,
        conflicts,
        architecture,
        isa_level,
        features,
        absent,
        features_complete,
        page_size_kib,
        abi_world,
        liblol,
        aarch32,
        kernel,
        os_image: _,
        runtime,
        tee,
        sm_crypto: _,
        emulators,
        threads_per_core: _,
        nodes: _,
        labels,
        taints,
        allocatable,
        free,
        unschedulable,
        cpu_normalised,
        server_model: _,
        observed_at: _,
    } = pool;
    let api::PoolRuntime { name: runtime_name, version, selection, variant } = runtime;
    let pointer = format!("/status/pools/{index}");
    let mut facts = PoolFacts::unknown(words::arch(*architecture));
    facts.platform = platform.as_ref().map(ToString::to_string);
    facts.confidence = if platform.is_some() { words::confidence(*confidence) } else { Confidence::Unknown };
    facts.level = isa_level.as_deref().and_then(Level::parse);
    facts.features = features.iter().map(|f| normalise_feature(f)).collect();
    facts.absent = absent.iter().map(|f| normalise_feature(f)).collect();
    facts.complete_features = *features_complete;
    if let Some(ki) = page_size_kib.and_then(|ki| u32::try_from(ki).ok()) {
        facts.page_size = Some(PageSize { ki, confidence: Confidence::Certain });
    }
    facts.world = words::world(*abi_world);
    facts.liblol = *liblol;
    facts.aarch32 = words::known(*aarch32);
    facts.kernel = kernel.as_deref().and_then(KernelVersion::parse);
    facts.runtime = Runtime {
        name: runtime_name.as_deref().unwrap_or_default().to_owned(),
        version: version.as_deref().unwrap_or_default().to_owned(),
        selection: words::selection(*selection, variant.as_deref()),
    };
    facts.tee = tee.iter().copied().map(words::tee).collect();
    facts.emulators = emulators.iter().map(ToString::to_string).collect();
    facts.conflicting = !conflicts.is_empty();
    let shapes: Vec<NodeShapeInput> = free
        .iter()
        .enumerate()
        .map(|(i, shape)| {
            let api::NodeShape { nodes, free } = shape;
            let free = amounts(&item.document, &format!("{pointer}/free/{i}/free"), free, findings);
            NodeShapeInput { count: i64::from(*nodes), free }
        })
        .collect();
    facts.accelerators = accelerators(item, &pointer, allocatable, &shapes, findings);
    let mut zone = zone.as_ref().or(item.object.spec.default_zone.as_ref()).map(ToString::to_string);
    state(&mut facts, &mut zone, stated, &item.object.spec);
    PoolInput {
        name: name.to_string(),
        zone: zone.unwrap_or_default(),
        facts,
        labels: labels.0.clone(),
        taints: taints.iter().map(taint).collect(),
        shapes,
        unschedulable: unschedulable
            .iter()
            .enumerate()
            .map(|(i, request)| amounts(&item.document, &format!("{pointer}/unschedulable/{i}"), request, findings))
            .collect(),
        cpu_normalised: *cpu_normalised,
    }
}

fn taint(taint: &api::NodeTaint) -> Taint {
    let api::NodeTaint { key, value, effect } = taint;
    let value = value.as_ref().map(ToString::to_string).unwrap_or_default();
    Taint { key: key.to_string(), value, effect: words::effect(*effect) }
}

/// Extended resources of a pool with the most that one node has free: what a pod may at most ask of one node.
fn accelerators(
    item: &Item<api::MemberCluster>,
    pointer: &str,
    allocatable: &jiuzhou_api::text::Resources,
    shapes: &[NodeShapeInput],
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, i64> {
    let all = amounts(&item.document, &format!("{pointer}/allocatable"), allocatable, findings);
    let extended: BTreeSet<String> =
        all.into_keys().chain(shapes.iter().flat_map(|s| s.free.keys().cloned())).filter(|n| n.contains('/')).collect();
    let most = |name: &String| shapes.iter().filter_map(|shape| shape.free.get(name)).copied().max().unwrap_or(0);
    extended.into_iter().map(|name| (name.clone(), most(&name))).collect()
}

/// What an administrator states wins over what was detected.
fn state(
    facts: &mut PoolFacts,
    zone: &mut Option<String>,
    stated: &[&api::PoolFacts],
    cluster: &api::MemberClusterSpec,
) {
    for statement in stated {
        let api::PoolFacts {
            name: _,
            node_labels: _,
            zone: stated_zone,
            platform,
            runtime_selection,
            runtime_variant,
            page_size_kib,
            abi_world,
            aarch32,
            tee,
            emulators,
            server_model: _,
            idle_watts: _,
            busy_watts: _,
        } = statement;
        if let Some(stated) = stated_zone {
            *zone = Some(stated.to_string());
        }
        if let Some(platform) = platform {
            facts.platform = Some(platform.to_string());
            facts.confidence = Confidence::Certain;
            facts.conflicting = false;
        }
        if let Some(selection) = runtime_selection {
            facts.runtime.selection = words::selection(*selection, runtime_variant.as_deref());
        }
        if let Some(ki) = page_size_kib.and_then(|ki| u32::try_from(ki).ok()) {
            facts.page_size = Some(PageSize { ki, confidence: Confidence::Certain });
        }
        if let Some(world) = abi_world {
            facts.world = words::world(*world);
        }
        if let Some(aarch32) = aarch32 {
            facts.aarch32 = words::known(*aarch32);
        }
        facts.tee.extend(tee.iter().copied().map(words::tee));
        facts.emulators.extend(emulators.iter().map(ToString::to_string));
    }
    // Declared for the cluster without saying where: a hint for its pools, no proof.
    facts.tee_possible.extend(cluster.tee.iter().copied().map(words::tee));
}
