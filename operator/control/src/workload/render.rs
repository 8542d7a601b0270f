//! A workload for one of its clusters: what the objects room needs to know to render it.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1::{FleetWorkload, Override};
use jiuzhou_engine::decide::Division;
use jiuzhou_engine::detect::affinity::Term;
use jiuzhou_engine::terms::Finding;
use jiuzhou_objects::render::{Rendered, Target, render};
use jiuzhou_objects::secrets::DigestKey;

use super::dereference::Gathered;
use crate::revision::content::Place;

/// What is rendered: a workload as it is written now or as it was, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) workload: &'a FleetWorkload,
    pub(crate) overrides: &'a [Override],
    pub(crate) affinity: Option<&'a [Term]>,
    pub(crate) affinities: &'a BTreeMap<String, Vec<Term>>,
    /// What the cluster puts in.
    pub(crate) place: &'a Place,
}

/// Renders it for a cluster; `None` when nothing is known of what is asked for.
pub(crate) fn for_cluster(
    gathered: &Gathered<'_>,
    draft: &Draft<'_>,
    cluster: &str,
    parts: &BTreeMap<String, i64>,
    key: &DigestKey,
) -> Option<Result<Rendered, Vec<Finding>>> {
    let (state, spec) = (gathered.state, gathered.spec?);
    let base = state.base()?;
    let place = draft.place;
    let overrides: Vec<&Override> = place.overrides.iter().filter_map(|at| draft.overrides.get(*at)).collect();
    let tenant = state.tenant(gathered.key);
    let application = state.rules(gathered.key).and_then(|rules| rules.failover.application.as_ref());
    let placement = gathered.placement.map(|placement| &placement.spec);
    let carried = placement.and_then(|placement| placement.carried.iter().find(|one| *one.name == *cluster));
    let target = Target {
        cluster,
        tenant: &tenant,
        parts,
        duplicated: spec.policy.division == Division::Duplicated,
        zones: &place.zones,
        platforms: &place.platforms,
        values: &place.values,
        registries: &place.registries,
        overrides: &overrides,
        affinity: draft.affinity,
        affinities: draft.affinities,
        watched: application.map(|application| application.state.as_slice()).unwrap_or_default(),
        carried: carried.map(|carried| carried.values.as_slice()).unwrap_or_default(),
    };
    Some(render(draft.workload, &target, &base.profiles, key))
}
