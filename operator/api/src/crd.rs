//! All custom resource definitions in one stable order, and what a reader without an API server needs of them.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceValidation,
};
use kube::CustomResourceExt;
use serde_json::Value;

use crate::{schema, v1alpha1 as api};

/// Where objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One name for the whole cluster.
    Cluster,
    /// A name per namespace.
    Namespaced,
}

/// What a reader needs of a kind: names, scope and the published schema.
#[derive(Clone, Debug, PartialEq)]
pub struct KindInfo {
    /// Kind, e.g. `MemberCluster`.
    pub kind: String,
    /// Plural, e.g. `memberclusters`.
    pub plural: String,
    /// Short names.
    pub short_names: Vec<String>,
    /// Scope.
    pub scope: Scope,
    /// `openAPIV3Schema` of the whole object as published, with defaults and `x-kubernetes-validations`.
    pub schema: Value,
}

/// Every custom resource definition, ordered by plural name.
#[must_use]
pub fn all_crds() -> Vec<CustomResourceDefinition> {
    CRDS.clone()
}

/// Made once: deriving the schemas of all kinds takes longer than most of what asks for them.
static CRDS: LazyLock<Vec<CustomResourceDefinition>> = LazyLock::new(derived);
static KINDS: LazyLock<Vec<KindInfo>> = LazyLock::new(described);

fn derived() -> Vec<CustomResourceDefinition> {
    let mut crds: Vec<_> = [
        api::Approval::crd(),
        api::ChangeFreeze::crd(),
        api::ClusterPlacementPolicy::crd(),
        api::ClusterReport::crd(),
        api::CpuPlatform::crd(),
        api::Delivery::crd(),
        api::FleetPlacement::crd(),
        api::FleetWorkload::crd(),
        api::ImageProfile::crd(),
        api::InformationSystem::crd(),
        api::KindProfile::crd(),
        api::MemberCluster::crd(),
        api::Migration::crd(),
        api::OperatingMode::crd(),
        api::PlacementPolicy::crd(),
        api::PriceBook::crd(),
        api::Report::crd(),
        api::Site::crd(),
        api::SovereigntyTier::crd(),
        api::Tenant::crd(),
    ]
    .into_iter()
    .map(published)
    .collect();
    crds.sort_by(|a, b| a.spec.names.plural.cmp(&b.spec.names.plural));
    crds
}

/// Every kind with its schema, in the order of [`all_crds`].
#[must_use]
pub fn kinds() -> &'static [KindInfo] {
    &KINDS
}

fn described() -> Vec<KindInfo> {
    all_crds().into_iter().map(info).collect()
}

/// What a reader needs of a definition.
pub(crate) fn info(crd: CustomResourceDefinition) -> KindInfo {
    KindInfo {
        schema: schema_of(&crd),
        kind: crd.spec.names.kind,
        plural: crd.spec.names.plural,
        short_names: crd.spec.names.short_names.unwrap_or_default(),
        scope: if crd.spec.scope == "Cluster" { Scope::Cluster } else { Scope::Namespaced },
    }
}

/// The schema of a definition's one version; `Null` when it has none.
fn schema_of(crd: &CustomResourceDefinition) -> Value {
    let schema = crd.spec.versions.first().and_then(|version| version.schema.as_ref());
    let schema = schema.and_then(|schema| schema.open_api_v3_schema.as_ref());
    serde_json::to_value(schema).unwrap_or_default()
}

/// The definition with its schema in the form we publish.
pub(crate) fn published(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let mut schema = schema_of(&crd);
    schema::finish(&mut schema);
    if let Some(version) = crd.spec.versions.first_mut() {
        version.schema = serde_json::from_value(schema)
            .ok()
            .map(|props| CustomResourceValidation { open_api_v3_schema: Some(props) });
    }
    crd
}
