//! A workload for one of its clusters: what the objects room needs to know to render it.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{FleetWorkload, MemberCluster, Override};
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{Division, Spec};
use jiuzhou_engine::terms::Finding;
use jiuzhou_intake::objects::named;
use jiuzhou_objects::render::{Rendered, Target, render};
use jiuzhou_objects::secrets::DigestKey;

use super::dereference::Gathered;
use crate::state::State;

/// Renders a workload for a cluster that is in the fleet; `None` when it is not (any more).
pub(crate) fn for_cluster(
    gathered: &Gathered<'_>,
    workload: &FleetWorkload,
    cluster: &str,
    parts: &BTreeMap<String, i64>,
    key: &DigestKey,
) -> Option<Result<Rendered, Vec<Finding>>> {
    let (state, spec) = (gathered.state, gathered.spec?);
    let base = state.base()?;
    let input = state.snapshot().slot(cluster).and_then(|slot| state.snapshot().cluster(slot))?;
    let member: &MemberCluster = &named(&state.objects().clusters, cluster)?.object;
    let (zones, platforms) = pools(spec, input);
    let overrides: Vec<&Override> = overrides(state, gathered, input);
    let tenant = state.tenant(gathered.key);
    // A need that no label can say is refused by the decision; nothing is rendered for it meanwhile.
    let affinity = match state.snapshot().node_affinity(&spec.requirement) {
        Ok(affinity) => affinity,
        Err(reason) => return Some(Err(vec![Finding::new(reason)])),
    };
    let target = Target {
        cluster,
        tenant: &tenant,
        parts,
        duplicated: spec.policy.division == Division::Duplicated,
        zones: &zones,
        platforms: &platforms,
        values: &member.spec.values.0,
        registries: &member.spec.registries,
        overrides: &overrides,
        affinity: affinity.terms(),
    };
    Some(render(workload, &target, &base.profiles, key))
}

/// Overrides of the rules that hold whose clusters take this one, in their order.
fn overrides<'a>(state: &'a State, gathered: &Gathered<'_>, cluster: &ClusterInput) -> Vec<&'a Override> {
    let Some(base) = state.base() else { return Vec::new() };
    let all = state.rules(gathered.key).map(|rules| rules.overrides.as_slice()).unwrap_or_default();
    let takes = |one: &&Override| one.clusters.as_ref().is_none_or(|selector| base.selects(selector, cluster));
    all.iter().filter(takes).collect()
}

/// Zones and platforms of the pools a workload may use in a cluster.
fn pools(spec: &Spec, cluster: &ClusterInput) -> (BTreeSet<String>, BTreeSet<String>) {
    let requirement = &spec.requirement;
    let (mut zones, mut platforms) = (BTreeSet::new(), BTreeSet::new());
    for pool in &cluster.pools {
        let platform = pool.facts.platform.clone().unwrap_or_default();
        let other_zone = requirement.zone.as_ref().is_some_and(|zone| *zone != pool.zone);
        let other_platform = !requirement.platforms.is_empty() && !requirement.platforms.contains(&platform);
        if !other_zone && !other_platform {
            zones.insert(pool.zone.clone());
            platforms.insert(platform);
        }
    }
    (zones, platforms)
}
