//! From resources to what the engine is told: the one place that knows both sides.
//!
//! One file per topic. Structs of the api are taken apart without `..`, so that a new field does not compile until
//! somebody has decided what it means here; a field that a plan does not look at is named with the room that does.
//! Nothing is invented: what a resource does not say stays unknown.

mod catalogue;
mod cel;
mod clusters;
mod contents;
mod figures;
mod images;
mod kinds;
mod nodes;
mod places;
mod policies;
mod pools;
mod tenants;
mod tiers;
mod words;
mod workloads;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::FleetInput;
use jiuzhou_engine::detect::{Catalogue, NodeFacts};
use jiuzhou_engine::terms::Finding;
use jiuzhou_objects::profile::Profiles;

use crate::builtin;
use crate::objects::Objects;

pub use catalogue::catalogue;
pub use kinds::profiles;
pub use nodes::nodes;
pub(crate) use places::{Places, labels};

/// Everything the engine and the objects room are told.
#[derive(Debug)]
pub struct Converted {
    /// Inputs of the snapshot, workloads included.
    pub fleet: FleetInput,
    /// CPU platforms, built-in and declared.
    pub catalogue: Catalogue,
    /// Kind profiles, built-in and declared.
    pub profiles: Profiles,
    /// Nodes of the input.
    pub nodes: Vec<NodeFacts>,
}

/// Converts checked objects for a point in time.
#[must_use]
pub fn convert(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) -> Converted {
    let catalogue = catalogue(&objects.platforms);
    let profiles = profiles(&objects.kinds, findings);
    let nodes = nodes(&objects.natives, findings);
    let images = images::Images::new(&objects.images, findings);
    let places = Places::new(&objects.clusters, &objects.sites);
    let from_nodes = nodes::pools(&nodes, &catalogue);
    let mut clusters = clusters::clusters(objects, &from_nodes, as_of, findings);
    let tiers = tiers::tiers(objects, &mut clusters, as_of, findings);
    let owners = namespace_owners(objects);
    let context =
        workloads::Context { objects, profiles: &profiles, images: &images, places: &places, owners: &owners };
    let specs = workloads::specs(&context, findings);
    let fleet = FleetInput {
        clusters,
        tenants: tenants::tenants(&objects.tenants, findings),
        tiers,
        freezes: tenants::freezes(&objects.freezes, &objects.tenants, &places),
        architecture: catalogue::policy(&objects.tiers),
        data: Some(builtin::digest()),
        specs,
    };
    Converted { fleet, catalogue, profiles, nodes }
}

/// Which tenant owns a namespace; the first by name where two claim it, which is a finding of the checks.
pub(crate) fn namespace_owners(objects: &Objects) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for item in objects.tenants.values() {
        for namespace in &item.object.spec.namespaces {
            owners.entry(namespace.name.to_string()).or_insert_with(|| item.document.name.clone());
        }
    }
    owners
}
