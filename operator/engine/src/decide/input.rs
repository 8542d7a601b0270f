//! What the engine is told about the fleet: clusters, pools, tenants, tiers, freezes. Plain values, no indices.
//!
//! Intake builds these from custom resources, control from what it watches; [`super::Snapshot`] compiles them. Every
//! collection is sorted, so equal fleets have equal canonical bytes. Dates have become instants: a document "valid
//! until 31 December" has `until` at the first instant of 1 January in Beijing, and is valid strictly before it.
//! What workloads ask for is in [`super::Spec`].

mod documents;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::affinity::{Affinity, Taint};
use super::resources::Resources;
use crate::detect::PoolFacts;

pub use documents::{
    CheckInput, CheckKind, Dimension, Evidence, EvidenceState, OnExpiry, ProtectionReport, Supplied, TierInput,
};

/// Who owns a cluster's operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ownership {
    /// Not stated.
    #[default]
    Unknown,
    /// A government body.
    Government,
    /// A domestic company.
    Domestic,
    /// A joint venture.
    JointVenture,
    /// A foreign company.
    Foreign,
}

/// Whether a cluster takes new work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClusterState {
    /// Takes new work.
    #[default]
    Active,
    /// Keeps what runs, takes nothing new, is being emptied.
    Draining,
    /// Is leaving the fleet.
    Deleting,
}

/// Whether the hub (or the agent) reaches a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reachability {
    /// Yes.
    #[default]
    Reachable,
    /// Not known, e.g. one of two witnesses says no.
    Unknown,
    /// No: takes no new replicas; what runs there stays (failover is a step of its own).
    Unreachable,
}

/// A period; `from` inclusive, `until` exclusive. `None` is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// First instant it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// First instant it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Term {
    /// Always.
    pub const OPEN: Self = Self { from: None, until: None };

    /// Whether it holds at an instant.
    #[must_use]
    pub fn holds(&self, as_of: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= as_of) && self.until.is_none_or(|until| as_of < until)
    }

    /// The next instant after `as_of` at which it begins or ends to hold.
    #[must_use]
    pub fn next_change(&self, as_of: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().flatten().filter(|at| *at > as_of).min()
    }
}

/// So many nodes with the same free vector, other people's pods taken off and ours not. At most 16 per pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeShapeInput {
    /// How many such nodes.
    pub count: i64,
    /// Free on each of them, rounded down.
    pub free: Resources,
}

/// Nodes of one cluster that no rule tells apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolInput {
    /// Name, unique within the cluster.
    pub name: String,
    /// Network zone the nodes stand in (`dedicated`, `public`, `internet-access`, ...); empty when not stated.
    pub zone: String,
    /// What its CPUs and kernels are.
    pub facts: PoolFacts,
    /// Labels all its nodes carry; selectors of pods and the delivered node affinity look at them.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints all its nodes carry.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taints: BTreeSet<Taint>,
    /// Free room by node shape.
    pub shapes: Vec<NodeShapeInput>,
    /// Requests of pods that were seen Unschedulable here since the room was observed: pods at least as large find none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unschedulable: Vec<Resources>,
    /// The cluster adjusts cpu to the speed of these nodes itself (Koordinator), so requests are never converted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cpu_normalised: bool,
}

/// A registry that a network zone reaches, and which images it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryInput {
    /// Host that image references are rewritten to.
    pub host: String,
    /// Images it is known to hold, as [`super::Image::name`] or by digest alone; `None` when nobody looked.
    #[serde(default)]
    pub holds: Option<BTreeSet<String>>,
}

/// A figure a preference can weigh clusters by. The unit is the figure's own; bounds are in the same unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Figure {
    /// Grams of CO2 per kWh used.
    CarbonGramsPerKwh,
    /// PUE in thousandths.
    PuePerMille,
    /// Price of the reference shape in fen per month.
    CostFenPerMonth,
    /// Use of the cluster in thousandths.
    UtilisationPerMille,
    /// 1 when the provider is local to the tenant's region, else 0.
    LocalSupplier,
    /// 1 when the cluster has this label (`key=value`, or `key` for any value), else 0; the engine looks itself.
    Label(String),
    /// A figure by a name of the installation's own.
    Named(String),
}

impl From<String> for Figure {
    fn from(text: String) -> Self {
        match text.as_str() {
            "carbonGramsPerKwh" => Self::CarbonGramsPerKwh,
            "puePerMille" => Self::PuePerMille,
            "costFenPerMonth" => Self::CostFenPerMonth,
            "utilisationPerMille" => Self::UtilisationPerMille,
            "localSupplier" => Self::LocalSupplier,
            _ => match text.split_once(':') {
                Some(("label", label)) => Self::Label(label.to_owned()),
                Some(("named", name)) => Self::Named(name.to_owned()),
                _ => Self::Named(text),
            },
        }
    }
}

impl From<Figure> for String {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::CarbonGramsPerKwh => "carbonGramsPerKwh".to_owned(),
            Figure::PuePerMille => "puePerMille".to_owned(),
            Figure::CostFenPerMonth => "costFenPerMonth".to_owned(),
            Figure::UtilisationPerMille => "utilisationPerMille".to_owned(),
            Figure::LocalSupplier => "localSupplier".to_owned(),
            Figure::Label(label) => format!("label:{label}"),
            Figure::Named(name) => format!("named:{name}"),
        }
    }
}

/// One member cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterInput {
    /// Name, unique in the fleet.
    pub name: String,
    /// Site (machine room).
    pub site: String,
    /// GB/T 2260 code of its site, e.g. `532900`; empty when not stated.
    pub region: String,
    /// Availability zone inside the region, for spreading; empty when none.
    pub availability_zone: String,
    /// Cloud provider.
    pub provider: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: BTreeSet<Taint>,
    /// Whether it takes new work.
    pub state: ClusterState,
    /// Whether it is reached.
    pub reachability: Reachability,
    /// Since when it has been healthy without a break; `None` when it is not, or nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_since: Option<Timestamp>,
    /// Who owns the operator.
    pub ownership: Ownership,
    /// Jurisdictions whose law its operator is under, ISO 3166 alpha-2; empty when not stated.
    pub jurisdictions: BTreeSet<String>,
    /// Tenants it is dedicated to; empty means shared.
    pub dedicated_to: BTreeSet<String>,
    /// Classified-protection reports (等保).
    pub protection: Vec<ProtectionReport>,
    /// Commercial-cryptography assessment reports (密评), same form.
    pub cryptography: Vec<ProtectionReport>,
    /// Documents on sovereignty.
    pub evidence: Vec<Evidence>,
    /// Results of checks of kind [`CheckKind::Supplied`], by check id.
    pub supplied: BTreeMap<String, Supplied>,
    /// API kinds served, `GROUP/VERSION/Kind` (`v1/Pod` for the core group); `None` when not known.
    pub kinds: Option<BTreeSet<String>>,
    /// Database services offered, with the network zones that reach them; no zone means every zone.
    pub databases: BTreeMap<String, BTreeSet<String>>,
    /// Registry that must be shown to hold an image, by network zone; key empty for zones without their own. A zone
    /// without any pulls from wherever the manifest says.
    pub registries: BTreeMap<String, RegistryInput>,
    /// Named peers that its firewall has opened, with the network zones it opened them for; no zone means every zone.
    pub peers: BTreeMap<String, BTreeSet<String>>,
    /// Pools.
    pub pools: Vec<PoolInput>,
    /// Figures for preferences; missing means not known.
    pub figures: BTreeMap<Figure, i64>,
    /// Share of free slots kept for emergencies, in percent of each placement's slots; only an emergency uses it.
    pub emergency_reserve_percent: u8,
}

/// A quota grant: a document that allows resources for a term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Number of the document.
    pub document: String,
    /// Validity.
    pub term: Term,
    /// What it allows. A resource that any grant names is limited to the sum of the grants that hold; one that no grant
    /// names is not limited at this tenant. `cpu@kunpeng-920` is cpu on one CPU platform, which counts beside all cpu.
    pub amount: BTreeMap<String, i64>,
}

/// One tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantInput {
    /// Name.
    pub name: String,
    /// Tenant whose quota pays, `None` at the root.
    pub quota_parent: Option<String>,
    /// Grants; `None` means this tenant limits nothing, an empty list that nothing is allowed.
    pub grants: Option<Vec<Grant>>,
    /// Percent of every quota that only failover may use, 0 to 100.
    pub headroom_percent: u8,
    /// GB/T 2260 prefixes (`53`, `5329`, `532901`) it may use; empty means any.
    pub regions: BTreeSet<String>,
    /// Network zones it may use; empty means any.
    pub zones: BTreeSet<String>,
    /// Providers it may use; empty means any.
    pub providers: BTreeSet<String>,
    /// Lowest tier it may use, by name.
    pub tier: Option<String>,
    /// Clusters it may use; empty means any that is not dedicated to others.
    pub clusters: BTreeSet<String>,
}

/// Class of data (数据分类分级), lowest first. Classified state secrets (涉密) never enter a decision: see
/// [`super::Requirement::classified`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataClass {
    /// 一般数据.
    #[default]
    General,
    /// 重要数据.
    Important,
    /// 核心数据.
    Core,
}

/// A change freeze (封网期).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FreezeInput {
    /// Name.
    pub name: String,
    /// When.
    pub term: Term,
    /// Clusters concerned, by affinity; `None` means all.
    pub clusters: Option<Affinity>,
    /// Tenants concerned; empty means all.
    pub tenants: BTreeSet<String>,
}
