//! From resources to what the engine is told: the one place that knows both sides.
//!
//! One file per topic. Structs of the api are taken apart without `..`, so that a new field does not compile until
//! somebody has decided what it means here; a field that a plan does not look at is named with the room that does.
//! Nothing is invented: what a resource does not say stays unknown.

mod catalogue;
mod cel;
mod claims;
mod clusters;
mod contents;
#[cfg(test)]
mod contents_tests;
mod continuity;
mod demands;
mod figures;
mod images;
mod kept;
mod kinds;
mod migrations;
mod modes;
mod nodes;
mod parts;
mod places;
mod policies;
mod pools;
mod rebalance;
mod reserved;
mod stops;
mod tenants;
mod tiers;
mod words;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{ClusterSelector, PlacementRules};
use jiuzhou_engine::decide::input::{ClusterInput, PoolInput};
use jiuzhou_engine::decide::{FleetInput, Spec};
use jiuzhou_engine::detect::{Catalogue, NodeFacts};
use jiuzhou_engine::step::migration::Phase;
use jiuzhou_engine::terms::{Finding, ObjectRef};
use jiuzhou_measure::carbon::FactorTable;
use jiuzhou_objects::profile::Profiles;

use crate::approvals::Approved;
use crate::beijing;
use crate::builtin;
use crate::objects::{Key, Objects, named};

pub use catalogue::catalogue;
pub use claims::rivals;
pub use continuity::continuity;
pub use kinds::profiles;
pub use migrations::Migrations;
pub use modes::Modes;
pub(crate) use modes::approval as approval_of_mode;
pub use nodes::nodes;
pub(crate) use places::{Places, labels};
pub(crate) use reserved::holding;
pub(crate) use stops::approval;
pub(crate) use words::dimension;
pub use workloads::Shared;

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

/// What conversion looks things up in, for one state of the objects.
///
/// It holds while objects of the kinds that [`Base::is_made_from`] tells stay as they are, so that who keeps a fleet up to
/// date converts one workload or one cluster by it and nothing else.
#[derive(Debug)]
pub struct Base {
    /// CPU platforms, built-in and declared.
    pub catalogue: Catalogue,
    /// Kind profiles, built-in and declared.
    pub profiles: Profiles,
    /// Nodes of the input.
    pub nodes: Vec<NodeFacts>,
    images: images::Images,
    places: Places,
    from_nodes: BTreeMap<String, Vec<PoolInput>>,
    owners: BTreeMap<String, String>,
    factors: FactorTable,
    /// Orders that are approved on the day it was made for.
    pub approved: Approved,
    /// Emergencies at the instant it was made for. It holds until the next of them begins or ends.
    pub modes: Modes,
    /// Where migrations let workloads be.
    pub migrations: Migrations,
}

impl Base {
    /// Reads it off the objects as of an instant. It holds for that Beijing day.
    #[must_use]
    pub fn new(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) -> Self {
        let catalogue = catalogue(&objects.platforms);
        let profiles = profiles(&objects.kinds, findings);
        let nodes = nodes(&objects.natives, findings);
        let images = images::Images::new(objects, findings);
        let places = Places::new(&objects.clusters, &objects.sites);
        let from_nodes = nodes::pools(&nodes, &catalogue, &demands::labels_asked_for(objects, &profiles));
        let owners = namespace_owners(objects);
        let factors = crate::figures::tables::factors();
        let approved = Approved::on(beijing::day(as_of), &objects.approvals);
        let modes = Modes::new(objects, &places, as_of, &approved);
        let migrations = Migrations::new(&objects.migrations);
        Self { catalogue, profiles, nodes, images, places, from_nodes, owners, factors, approved, modes, migrations }
    }

    /// Kinds any change of whose objects makes a base (and everything converted by it) old. A change of a cluster does
    /// when it is new, leaves or changes its site; a change of a workload does when other databases are asked for,
    /// or, where pools are made of nodes, other node labels.
    #[must_use]
    pub fn is_made_from(kind: &str) -> bool {
        const OTHERS: [&str; 8] = [
            "FleetWorkload",
            "FleetPlacement",
            "InformationSystem",
            "PlacementPolicy",
            "MemberCluster",
            "Delivery",
            "Report",
            "ClusterReport",
        ];
        !OTHERS.contains(&kind)
    }

    /// The spec of one workload. Where it is not there or cannot be decided on (which is told), what its placement holds;
    /// `None` when there is neither.
    #[must_use]
    pub fn workload(
        &self,
        objects: &Objects,
        key: &Key,
        shared: &mut Shared,
        findings: &mut Vec<Finding>,
    ) -> Option<Spec> {
        let workload = objects.workloads.get(key);
        let spec = workload.and_then(|workload| self.workload_as(objects, workload, shared, findings));
        spec.or_else(|| reserved::reserved(objects, key))
    }

    /// The same of a workload as it was or might be, among the objects as they are.
    #[must_use]
    pub fn workload_as(
        &self,
        objects: &Objects,
        workload: &crate::objects::Item<jiuzhou_api::v1alpha1::FleetWorkload>,
        shared: &mut Shared,
        findings: &mut Vec<Finding>,
    ) -> Option<Spec> {
        workloads::one(&self.context(objects), workload, shared, findings)
    }

    /// The same of a workload as it would be if the wave of its migration were at a phase.
    #[must_use]
    pub fn workload_at(&self, objects: &Objects, key: &Key, phase: Phase) -> Option<Spec> {
        let migrations = self.migrations.supposed(key, phase);
        let context = workloads::Context { migrations: &migrations, ..self.context(objects) };
        workloads::one(&context, objects.workloads.get(key)?, &mut Shared::default(), &mut Vec::new())
    }

    fn context<'a>(&'a self, objects: &'a Objects) -> workloads::Context<'a> {
        workloads::Context {
            objects,
            profiles: &self.profiles,
            images: &self.images,
            places: &self.places,
            owners: &self.owners,
            approved: &self.approved,
            modes: &self.modes,
            migrations: &self.migrations,
        }
    }

    /// The placement rules that hold for a workload: its own, else those it names, else its tenant's.
    #[must_use]
    pub fn rules<'a>(&'a self, objects: &'a Objects, key: &Key) -> Option<&'a PlacementRules> {
        workloads::rules_of(&self.context(objects), objects.workloads.get(key)?)
    }

    /// The policy object whose rules hold for a workload; `None` when it has rules of its own or none at all.
    #[must_use]
    pub fn policy(&self, objects: &Objects, key: &Key) -> Option<ObjectRef> {
        workloads::policy_of(&self.context(objects), objects.workloads.get(key)?)
    }

    /// The tenant of a workload; empty when nobody owns its namespace.
    #[must_use]
    pub fn tenant(&self, objects: &Objects, key: &Key) -> String {
        let item = objects.workloads.get(key);
        item.map(|item| workloads::tenant(&self.context(objects), item)).unwrap_or_default()
    }

    /// Whether a selector takes a cluster, by what the engine is told of that cluster.
    #[must_use]
    pub fn selects(&self, selector: &ClusterSelector, cluster: &ClusterInput) -> bool {
        self.places.affinity(selector).matches(&cluster.name, &cluster.labels)
    }

    /// One cluster with the results of the tiers' checks; `None` when it is not there.
    #[must_use]
    pub fn cluster(
        &self,
        objects: &Objects,
        name: &str,
        as_of: Timestamp,
        findings: &mut Vec<Finding>,
    ) -> Option<ClusterInput> {
        let item = named(&objects.clusters, name)?;
        let mut cluster = clusters::cluster(objects, item, &self.from_nodes, &self.factors, as_of, findings);
        // What is wrong with a tier is told once, where all are converted.
        let _ = tiers::tiers(objects, std::slice::from_mut(&mut cluster), as_of, &self.approved, &mut Vec::new());
        Some(cluster)
    }

    /// Everything the engine is told.
    #[must_use]
    pub fn fleet(
        &self,
        objects: &Objects,
        as_of: Timestamp,
        shared: &mut Shared,
        findings: &mut Vec<Finding>,
    ) -> FleetInput {
        let mut clusters = clusters::clusters(objects, &self.from_nodes, &self.factors, as_of, findings);
        let tiers = tiers::tiers(objects, &mut clusters, as_of, &self.approved, findings);
        let keys: BTreeSet<&Key> = objects.workloads.keys().chain(objects.placements.keys()).collect();
        let specs = keys.into_iter().filter_map(|key| self.workload(objects, key, shared, findings)).collect();
        FleetInput {
            clusters,
            tenants: tenants::tenants(&objects.tenants, &self.approved, findings),
            tiers,
            freezes: tenants::freezes(&objects.freezes, &objects.tenants, &self.places),
            architecture: catalogue::policy(),
            catalogue: self.catalogue.clone(),
            data: Some(builtin::digest()),
            specs,
        }
    }
}

/// Converts checked objects for a point in time.
#[must_use]
pub fn convert(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) -> Converted {
    let base = Base::new(objects, as_of, findings);
    let fleet = base.fleet(objects, as_of, &mut Shared::default(), findings);
    let Base { catalogue, profiles, nodes, .. } = base;
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
