//! What a workload asks for: the requirement (which clusters may), the policy (how to spread) and the rest.
//!
//! Requirement and policy are shared: many workloads ask the same, and a verdict is computed once for each distinct
//! requirement. What differs between equal workloads (name, replicas, what runs, where its data is) stands in [`Spec`].

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::affinity::{Affinity, Toleration};
use super::canonical::{self, CanonicalError};
use super::input::{DataClass, Figure, Ownership};
use super::nodes::NodeDemand;
use super::resources::Resources;
use crate::detect::{AcceleratorNeed, ImageEntry, Needs, Tee};
use crate::terms::{Digest, DigestAlgorithm, Percent};

/// Namespace and name of a workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadKey {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl WorkloadKey {
    /// Key from its two parts.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl std::fmt::Display for WorkloadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Why a decision is made. Everything but `Change` passes a change freeze; no cause passes any other rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// An ordinary change.
    #[default]
    Change,
    /// A cluster was lost. May use the headroom of quotas.
    Failover,
    /// A rollout goes back.
    Rollback,
    /// A security order.
    Security,
    /// Emergency mode (战), with its approval. May use the clusters' emergency reserve.
    Emergency,
    /// The end of emergency mode.
    EndOfEmergency,
}

/// A container image with what its entries need.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Image {
    /// Reference by digest where known; the name registries are asked for.
    pub name: String,
    /// Entries of its index.
    pub entries: Vec<ImageEntry>,
    /// What the workload needs of the node beyond what the entries say (they can only be raised).
    pub needs: Needs,
}

/// Pods of a workload that ask other things of their nodes than its other pods do, and so have nodes of their own: what
/// stands here comes on top of what all pods of the requirement ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part {
    /// How people are told of it: names of its objects.
    pub name: String,
    /// Its pod templates: `OBJECT/spec/template`, or the name of an object for all that it has.
    pub templates: BTreeSet<String>,
    /// Images of its containers.
    pub images: Vec<Image>,
    /// As [`Requirement::nodes`].
    pub nodes: BTreeSet<NodeDemand>,
    /// Its pods run where they can and hold nobody up (a DaemonSet beside others): no cluster is refused for them but one
    /// where they would come onto nodes that a rule refuses.
    #[serde(skip_serializing_if = "is_default")]
    pub optional: bool,
}

/// Which clusters may carry a workload. Every field only narrows; the default refuses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Requirement {
    /// Tenant it belongs to; empty only in tests and benchmarks.
    pub tenant: String,
    /// Why it is decided now.
    pub cause: Cause,
    /// A classified system (涉密): refused everywhere.
    pub classified: bool,
    /// Class of its data.
    pub data_class: DataClass,
    /// Lowest tier by name, beyond what the class demands.
    pub tier: Option<String>,
    /// Classified-protection level of the system (等保), 1 to 5; the platform's must be at least this.
    pub protection: Option<u8>,
    /// GB/T 2260 prefixes; empty means any.
    pub regions: BTreeSet<String>,
    /// Providers; empty means any.
    pub providers: BTreeSet<String>,
    /// Network zone of the pool, exactly; `None` means any.
    pub zone: Option<String>,
    /// Named peers that the cluster's firewall must have opened.
    pub reach: BTreeSet<String>,
    /// Owners allowed; empty means any.
    pub ownership: BTreeSet<Ownership>,
    /// Jurisdictions allowed; empty means any. All of the cluster's must be among them.
    pub jurisdictions: BTreeSet<String>,
    /// API kinds its objects use, `GROUP/VERSION/Kind`.
    pub kinds: BTreeSet<String>,
    /// Kinds without a KindProfile and without declared components: nothing can be said of them, so nobody may.
    pub unprofiled: BTreeSet<String>,
    /// Images of the containers of every part.
    pub images: Vec<Image>,
    /// CPU platforms allowed; empty means any.
    pub platforms: BTreeSet<String>,
    /// Emulated programs are acceptable to the policy.
    pub allow_emulation: bool,
    /// One of these trusted execution environments; empty means none is needed.
    pub tee: BTreeSet<Tee>,
    /// Database services, all of them.
    pub databases: BTreeSet<String>,
    /// Accelerators, all of them on one node.
    pub accelerators: BTreeSet<AcceleratorNeed>,
    /// What its pods ask of their node beyond its CPU, one entry for each distinct template. Empty means that they ask
    /// nothing and stand no taint.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub nodes: BTreeSet<NodeDemand>,
    /// Pods with nodes of their own; none where all pods ask the same. Each has to find a pool in a cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Taints of clusters it stands.
    pub tolerations: Vec<Toleration>,
    /// Clusters its placement allows.
    pub affinity: Affinity,
    /// Ordered groups of clusters; a cluster belongs to the first that matches. Empty means one group of all.
    pub groups: Vec<Affinity>,
}

impl Requirement {
    /// What one part asks, as if it were alone.
    #[must_use]
    pub fn of_part(&self, part: &Part) -> Self {
        let mut alone = Self { parts: Vec::new(), ..self.clone() };
        alone.images.extend(part.images.iter().cloned());
        alone.nodes.extend(part.nodes.iter().cloned());
        alone
    }

    /// The images of all its pods.
    pub fn all_images(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().chain(self.parts.iter().flat_map(|part| &part.images))
    }
}

/// What clusters are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SpreadKey {
    /// Each cluster is a group.
    Cluster,
    /// Site.
    Site,
    /// Region code as stated.
    Region,
    /// Availability zone.
    AvailabilityZone,
    /// Provider.
    Provider,
    /// CPU platform of the cluster's accepted pools (clusters with several are a group of their own by their list).
    Platform,
    /// Value of a label; clusters without it cannot be used when the spread is required.
    Label(String),
    /// Whether the cluster is one of these: two groups, the named ones and all others.
    Among(BTreeSet<String>),
}

/// A bound on groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// What clusters are grouped by.
    pub key: SpreadKey,
    /// Fewest groups that get replicas, at least 1.
    pub min_groups: u32,
    /// Most groups that get replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_groups: Option<u32>,
    /// Fewest replicas in each group that gets any, at least 1.
    pub min_replicas: i64,
    /// `Required`: without it nothing is placed; otherwise `Preferred`: kept where possible.
    pub required: bool,
}

/// Whose replicas a share is counted over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShareOf {
    /// The workload's own.
    #[default]
    Workload,
    /// All of the information system.
    System,
    /// All of the tenant.
    Tenant,
    /// All of the fleet.
    Fleet,
}

/// No group may hold more than a share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaxShare {
    /// What clusters are grouped by.
    pub key: SpreadKey,
    /// Share; the cap is `floor(n * percent / 100)`.
    pub percent: Percent,
    /// Over whose replicas.
    pub of: ShareOf,
    /// `Required` or `Preferred`.
    pub required: bool,
}

/// How replicas are divided.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Division {
    /// Each chosen cluster gets all replicas.
    Duplicated,
    /// In proportion to free slots.
    #[default]
    ByCapacity,
    /// In proportion to weights of the first matching affinity; clusters that match none weigh nothing.
    ByWeight(Vec<(Affinity, u32)>),
    /// As few clusters as possible.
    Packed,
}

/// A wish: a figure mapped by declared bounds to 0 to 1,000 points, times weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// The figure.
    pub figure: Figure,
    /// Value worth 0 points, in the figure's unit.
    pub worst: i64,
    /// Value worth 1,000 points; below `worst` where less is better.
    pub best: i64,
    /// Weight, 1 to 100.
    pub weight: u32,
}

/// How to place: shared by many workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// How replicas are divided.
    pub division: Division,
    /// Wishes.
    pub preferences: Vec<Preference>,
    /// Fewest replicas on a cluster that gets any; 0 and 1 mean the same.
    pub min_per_cluster: i64,
    /// Most replicas on one cluster.
    pub max_per_cluster: Option<i64>,
    /// Bounds on groups, at most 3.
    pub spread: Vec<Spread>,
    /// Bounds on shares.
    pub max_share: Vec<MaxShare>,
    /// What runs may move, when it is decided anyway, if the mean score per replica gains more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebalance_gain: Option<i64>,
    /// By group of the requirement: seconds that its clusters must have been healthy before what runs in a later group
    /// goes back to it; `None` (or no entry) means never.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failback_seconds: Vec<Option<i64>>,
}

/// What one replica consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodInput {
    /// Request of one pod as Kubernetes computes it (init, restartable init, overhead); `pods` is added by the engine.
    pub request: Resources,
    /// Pods of this kind in one replica of the workload, at least 1.
    pub count: i64,
    /// Place of their part in [`Requirement::parts`]; 0 where there are none.
    #[serde(skip_serializing_if = "is_default")]
    pub part: u32,
    /// What each of them takes of its node of which every node has one, by names of the caller: a port of the node, or
    /// the place beside which the pod's required anti-affinity lets no pod like it stand. Who takes the same name on one
    /// node excludes another, over all workloads.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub one_per_node: BTreeSet<String>,
}

/// A pod that runs once on every node of each cluster used (a DaemonSet).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DaemonInput {
    /// Its request, as [`PodInput::request`].
    pub request: Resources,
    /// As [`PodInput::part`].
    #[serde(skip_serializing_if = "is_default")]
    pub part: u32,
    /// As [`PodInput::one_per_node`].
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub one_per_node: BTreeSet<String>,
}

impl From<Resources> for DaemonInput {
    fn from(request: Resources) -> Self {
        Self { request, ..Self::default() }
    }
}

/// What a workload has on a cluster now.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Current {
    /// Cluster.
    pub cluster: String,
    /// Replicas committed there.
    pub placed: i64,
    /// Replicas seen there; more than `placed` while a removal is under way.
    pub observed: i64,
}

/// How cpu requests follow the speed of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CpuSensitivity {
    /// They stay as written.
    #[default]
    AsWritten,
    /// They are written for the reference platform, and divided by the declared performance of the slowest pool of the
    /// cluster; as written where a pool's performance is not declared.
    Linear,
}

/// One workload to decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Which.
    pub key: WorkloadKey,
    /// Information system it belongs to, `namespace/name`.
    pub system: String,
    /// Higher first.
    pub priority: i32,
    /// Place in the queue, durable in its FleetPlacement; lower first, new ones last.
    pub admitted: u64,
    /// Workloads with the same key go to the same clusters or nowhere.
    pub colocate: Option<String>,
    /// Which clusters may.
    pub requirement: Arc<Requirement>,
    /// How to place.
    pub policy: Arc<Policy>,
    /// Replicas wanted.
    pub replicas: i64,
    /// Pods of one replica; several form one composite shape.
    pub pods: Vec<PodInput>,
    /// Pods that run once on every node of each cluster used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub per_node: Vec<DaemonInput>,
    /// How cpu requests follow the speed of a cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub cpu: CpuSensitivity,
    /// What one replica takes from the quota; usually the sum of its pods and their claims.
    pub quota: Resources,
    /// What runs.
    pub current: Vec<Current>,
    /// Clusters its data is on, when the data cannot move; `None` when it can or there is none.
    pub data_on: Option<BTreeSet<String>>,
    /// What it leaves in a cluster is data that grows old: it keeps its data where it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub keeps_data: bool,
    /// Clusters where it left data that is older than what it has elsewhere, with the epoch it was left at: nothing is
    /// placed there until a person says that this data may be used.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stale: BTreeMap<String, i64>,
    /// Clusters whose replicas may be given up because they do not answer: they leave it as long as that is so, where all
    /// of them have another place ([`crate::step::failover`]).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lost: BTreeSet<String>,
    /// Clusters where its replicas were not well although the cluster answers, and since when: what runs there leaves where
    /// all of it has another place, and nothing is placed there ([`crate::step::application`]).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unhealthy_in: BTreeMap<String, Timestamp>,
    /// Its own spec changed since it was placed: clusters that its affinity or groups no longer allow are left. A cluster
    /// that changed instead keeps what runs.
    pub changed: bool,
    /// A person ordered it to be placed anew: what runs may move. The order waits while a freeze holds where it runs, and while
    /// a cluster where it runs does not answer.
    pub rebalance: bool,
    /// The instant that the order names: it holds from then on, until a decision carries it out. The order of a workload that
    /// has no placement yet, too, though nothing of it could move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebalance_at: Option<Timestamp>,
    /// The workload is not there any more, or cannot be understood: what is committed of it keeps its room and its quota
    /// until it is proven gone, and nothing is decided about it.
    #[serde(skip_serializing_if = "is_default")]
    pub reserved: bool,
    /// A person's order on all of it. Nothing is chosen while it holds.
    #[serde(skip_serializing_if = "is_default")]
    pub stop: Option<Stop>,
    /// The emergency it is decided in, or that has ended and gives back what was before.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Option<Mode>,
}

/// An emergency mode (战) as one workload is concerned by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mode {
    /// Name of it.
    pub name: String,
    /// Name of the approval that it rests on.
    pub approval: String,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Priority while it lasts; the workload's own where absent.
    pub priority: Option<i32>,
    /// It is over: the workload is decided once more, on what it had before.
    pub over: bool,
}

/// An order that stops a workload: it keeps its places and runs nothing there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stop {
    /// Number of the order.
    pub order: String,
    /// Name of the approval that it is carried out by.
    pub approval: String,
    /// Emergency that it gives way to, and when that ends by itself.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Option<(String, Timestamp)>,
    /// It is lifted, and what was stopped is decided once more, on what it has.
    pub lifted: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Spec {
    /// The order that stops it now, where there is one.
    pub(crate) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref().filter(|stop| !stop.lifted)
    }

    /// Whether it may use the headroom of quotas: a cluster of it was lost, whatever else it is decided for.
    pub(crate) fn fails_over(&self) -> bool {
        self.requirement.cause == Cause::Failover || !self.lost.is_empty()
    }

    /// Whether a person's order or the end of an emergency asks for a decision, although it has what it wants.
    pub(crate) fn is_summoned(&self) -> bool {
        self.stop.is_some() || self.is_given_back()
    }

    /// Whether an emergency that is over gives back what it changed of it.
    pub(crate) fn is_given_back(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.over)
    }

    /// Its priority now.
    pub(crate) fn rank(&self) -> i32 {
        self.mode.as_ref().filter(|mode| !mode.over).and_then(|mode| mode.priority).unwrap_or(self.priority)
    }

    /// Who is decided, and packed into the ledger, first: higher priority, then earlier admission, then the name.
    pub(crate) fn by_turn(&self, other: &Self) -> Ordering {
        let order = |spec: &Self| (Reverse(spec.rank()), spec.admitted);
        order(self).cmp(&order(other)).then_with(|| self.key.cmp(&other.key))
    }

    /// Digest of what is asked for: everything but what runs, where its data came to lie, what was ordered and why. A placement
    /// keeps it, so that a later reader knows whether the workload has changed since.
    ///
    /// # Errors
    /// [`CanonicalError`] when a value has a form JSON does not know; none of ours has.
    pub fn intent(&self) -> Result<Digest, CanonicalError> {
        let placed = Self { admitted: 0, current: Vec::new(), lost: BTreeSet::new(), ..self.clone() };
        let placed = Self { unhealthy_in: BTreeMap::new(), ..placed };
        let placed = Self { data_on: None, keeps_data: false, stale: BTreeMap::new(), ..placed };
        let placed = Self { changed: false, rebalance: false, rebalance_at: None, ..placed };
        let mut intent = Self { stop: None, mode: None, ..placed };
        // Neither an emergency nor a lost cluster is a change of what is asked for.
        if intent.requirement.cause != Cause::Change {
            Arc::make_mut(&mut intent.requirement).cause = Cause::Change;
        }
        canonical::digest(&intent, DigestAlgorithm::Sha256)
    }
}
