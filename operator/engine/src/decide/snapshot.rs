//! The compiled fleet at one position: clusters in stable slots, indices over them, tenants, tiers, freezes, workloads.
//!
//! A snapshot is built whole or kept up to date by deltas; both ways give the same digest and the same decisions,
//! because nothing that leaves it depends on slot numbers: ties go by name. Judging at an instant is
//! [`super::Planner`]'s part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::canonical::{self, CanonicalError};
use super::changes::{Touch, Touches};
use super::fingerprint::{Fingerprints, kept};
use super::index::Index;
use super::input::{ClusterInput, FreezeInput, PoolInput, TenantInput, TierInput};
use super::mask;
use super::spec::{Spec, WorkloadKey};
use crate::capacity::Performance;
use crate::detect;
use crate::terms::{Digest, DigestAlgorithm, Hasher};

/// Where a cluster stands in the snapshot. Stable while the cluster is in the fleet; used again after it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterSlot(u32);

impl ClusterSlot {
    pub(crate) fn new(at: usize) -> Self {
        Self(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Everything a snapshot is built from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FleetInput {
    /// Clusters.
    pub clusters: Vec<ClusterInput>,
    /// Tenants.
    pub tenants: Vec<TenantInput>,
    /// Tiers.
    pub tiers: Vec<TierInput>,
    /// Change freezes.
    pub freezes: Vec<FreezeInput>,
    /// Floors, emulators and accelerator classes of the architecture rule; `strict` and `allow_emulation` are set by
    /// each requirement.
    pub architecture: detect::Policy,
    /// CPU platforms: the node affinity of a delivery is derived from the needs and these.
    pub catalogue: detect::Catalogue,
    /// Digest of the built-in data and catalogue in use.
    pub data: Option<Digest>,
    /// Workloads with what runs of them.
    pub specs: Vec<Spec>,
}

/// The inputs cannot be one fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Two inputs have one name.
    #[error("failed to build the snapshot: {kind} {name:?} is there twice")]
    Duplicate {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

/// The compiled fleet.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    slots: Vec<Option<Arc<ClusterInput>>>,
    vacant: BTreeSet<usize>,
    by_name: BTreeMap<String, ClusterSlot>,
    /// By slot: place of the cluster in name order.
    ranks: Vec<u32>,
    pub(crate) index: Index,
    pub(crate) tenants: BTreeMap<String, TenantInput>,
    /// By rank.
    pub(crate) tiers: Vec<TierInput>,
    pub(crate) freezes: BTreeMap<String, FreezeInput>,
    pub(crate) architecture: detect::Policy,
    pub(crate) catalogue: detect::Catalogue,
    data: Option<Digest>,
    pub(crate) specs: BTreeMap<WorkloadKey, Arc<Spec>>,
    cluster_digests: Fingerprints<String>,
    spec_digests: Fingerprints<WorkloadKey>,
    /// Digest of everything but clusters and specs, kept until any of it changes.
    rules_digest: OnceLock<Digest>,
    /// Counts changes of what all verdicts rest on beside clusters.
    revision: u64,
    touches: Touches,
}

impl Snapshot {
    /// Builds from all inputs at once.
    ///
    /// # Errors
    /// [`SnapshotError::Duplicate`] when a name is there twice: which one holds would depend on the order of inputs.
    pub fn new(fleet: FleetInput) -> Result<Self, SnapshotError> {
        let FleetInput { clusters, tenants, tiers, freezes, architecture, catalogue, data, specs } = fleet;
        let mut snapshot = Self { architecture, catalogue, data, ..Self::default() };
        snapshot.set_tiers(tiers)?;
        let duplicate = |kind, name: &str| SnapshotError::Duplicate { kind, name: name.to_owned() };
        for tenant in tenants {
            if let Some(old) = snapshot.tenants.insert(tenant.name.clone(), tenant) {
                return Err(duplicate("tenant", &old.name));
            }
        }
        for freeze in freezes {
            if let Some(old) = snapshot.freezes.insert(freeze.name.clone(), freeze) {
                return Err(duplicate("freeze", &old.name));
            }
        }
        for spec in specs {
            snapshot.spec_digests.changed(&spec.key);
            if let Some(old) = snapshot.specs.insert(spec.key.clone(), Arc::new(spec)) {
                return Err(duplicate("workload", &old.key.to_string()));
            }
        }
        let mut clusters = clusters;
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some([first, _]) = clusters.array_windows::<2>().find(|[a, b]| a.name == b.name) {
            return Err(duplicate("cluster", &first.name));
        }
        for cluster in clusters {
            snapshot.put(cluster);
        }
        snapshot.rank();
        Ok(snapshot)
    }

    /// Enters a cluster or changes it. Returns its slot.
    pub fn upsert_cluster(&mut self, cluster: ClusterInput) -> ClusterSlot {
        let known = self.by_name.contains_key(&cluster.name);
        let slot = self.put(cluster);
        if !known {
            self.rank();
        }
        slot
    }

    /// Takes a cluster out; its slot may be used again. `None` when there was none of that name.
    pub fn remove_cluster(&mut self, name: &str) -> Option<ClusterSlot> {
        let slot = self.by_name.remove(name)?;
        if let Some(cluster) = self.slots.get_mut(slot.index()).and_then(Option::take) {
            self.index.post(slot.index(), &cluster, false);
        }
        self.vacant.insert(slot.index());
        self.cluster_digests.gone(&name.to_owned());
        self.touch(Touch::Cluster(slot));
        self.rank();
        Some(slot)
    }

    fn put(&mut self, mut cluster: ClusterInput) -> ClusterSlot {
        cluster.pools.sort_by(|a, b| a.name.cmp(&b.name));
        cluster.evidence.sort();
        cluster.protection.sort();
        cluster.cryptography.sort();
        for pool in &mut cluster.pools {
            pool.shapes.sort();
        }
        let slot = match self.by_name.get(&cluster.name) {
            Some(slot) => {
                if let Some(old) = self.slots.get_mut(slot.index()).and_then(Option::take) {
                    self.index.post(slot.index(), &old, false);
                }
                *slot
            }
            None => {
                let at = self.vacant.pop_first().unwrap_or(self.slots.len());
                if at == self.slots.len() {
                    self.slots.push(None);
                    self.ranks.push(0);
                }
                let slot = ClusterSlot::new(at);
                self.by_name.insert(cluster.name.clone(), slot);
                slot
            }
        };
        self.index.post(slot.index(), &cluster, true);
        self.cluster_digests.changed(&cluster.name);
        self.touch(Touch::Cluster(slot));
        if let Some(place) = self.slots.get_mut(slot.index()) {
            *place = Some(Arc::new(cluster));
        }
        slot
    }

    fn rank(&mut self) {
        for (rank, slot) in self.by_name.values().enumerate() {
            if let Some(place) = self.ranks.get_mut(slot.index()) {
                *place = u32::try_from(rank).unwrap_or(u32::MAX);
            }
        }
    }

    /// What all verdicts rest on beside clusters has changed.
    fn revise(&mut self) {
        self.revision = self.revision.wrapping_add(1);
        self.rules_digest = OnceLock::new();
    }

    /// Enters a tenant or changes it.
    pub fn upsert_tenant(&mut self, tenant: TenantInput) {
        self.revise();
        self.tenants.insert(tenant.name.clone(), tenant);
    }

    /// Takes a tenant out.
    pub fn remove_tenant(&mut self, name: &str) -> Option<TenantInput> {
        self.revise();
        self.tenants.remove(name)
    }

    /// Replaces the tiers.
    ///
    /// # Errors
    /// [`SnapshotError::Duplicate`] when a name or a rank is there twice.
    pub fn set_tiers(&mut self, mut tiers: Vec<TierInput>) -> Result<(), SnapshotError> {
        tiers.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
        let mut names = BTreeSet::new();
        let mut ranks = BTreeSet::new();
        for tier in &tiers {
            if !names.insert(&tier.name) || !ranks.insert(tier.rank) {
                return Err(SnapshotError::Duplicate { kind: "tier", name: tier.name.clone() });
            }
        }
        self.tiers = tiers;
        self.revise();
        Ok(())
    }

    /// Enters a change freeze or changes it.
    pub fn upsert_freeze(&mut self, freeze: FreezeInput) {
        self.revise();
        self.freezes.insert(freeze.name.clone(), freeze);
    }

    /// Takes a change freeze out.
    pub fn remove_freeze(&mut self, name: &str) -> Option<FreezeInput> {
        self.revise();
        self.freezes.remove(name)
    }

    /// Enters a workload or changes it.
    pub fn upsert_spec(&mut self, spec: Spec) {
        self.spec_digests.changed(&spec.key);
        self.touch(Touch::Spec(spec.key.clone()));
        match self.specs.get_mut(&spec.key) {
            Some(known) => *known = Arc::new(spec),
            None => _ = self.specs.insert(spec.key.clone(), Arc::new(spec)),
        }
    }

    /// Takes a workload out.
    pub fn remove_spec(&mut self, key: &WorkloadKey) -> Option<Arc<Spec>> {
        self.spec_digests.gone(key);
        self.touch(Touch::Spec(key.clone()));
        self.specs.remove(key)
    }

    /// A workload.
    #[must_use]
    pub fn spec(&self, key: &WorkloadKey) -> Option<&Arc<Spec>> {
        self.specs.get(key)
    }

    /// A workload that is decided on: not one of which only what it takes is kept.
    #[must_use]
    pub fn decided_on(&self, key: &WorkloadKey) -> Option<&Arc<Spec>> {
        self.spec(key).filter(|spec| !spec.reserved)
    }

    /// All workloads, by key.
    pub fn specs(&self) -> impl Iterator<Item = &Arc<Spec>> {
        self.specs.values()
    }

    /// The tiers by rank, lowest first.
    #[must_use]
    pub fn tiers(&self) -> &[TierInput] {
        &self.tiers
    }

    /// The cluster in a slot.
    #[must_use]
    pub fn cluster(&self, slot: ClusterSlot) -> Option<&Arc<ClusterInput>> {
        self.slots.get(slot.index())?.as_ref()
    }

    /// The slot of a cluster.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<ClusterSlot> {
        self.by_name.get(name).copied()
    }

    /// All clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = (ClusterSlot, &Arc<ClusterInput>)> {
        self.by_name.values().filter_map(|slot| Some((*slot, self.cluster(*slot)?)))
    }

    /// What one cpu of a cluster does, against the reference platform: that of its slowest pool. `None` where the
    /// performance of a pool's platform is not declared, or the cluster adjusts cpu to it itself.
    #[must_use]
    pub fn performance(&self, cluster: &ClusterInput) -> Option<Performance> {
        let declared = |pool: &PoolInput| {
            let platform = pool.facts.platform.as_deref().filter(|_| !pool.cpu_normalised)?;
            Performance::new(self.catalogue.get(platform)?.per_cpu_perf?.0)
        };
        cluster.pools.iter().map(declared).min().flatten()
    }

    /// How many clusters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no cluster.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    fn touch(&mut self, touch: Touch) {
        self.touches.add(touch, self.by_name.len() + self.specs.len());
    }

    /// What was touched, for who keeps something made of this snapshot.
    pub(crate) fn touches(&self) -> &Touches {
        &self.touches
    }

    /// Slots in use and vacant.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Words of a full-width mask.
    pub(crate) fn width(&self) -> usize {
        mask::words(self.slots.len())
    }

    pub(crate) fn name_rank(&self, slot: ClusterSlot) -> u32 {
        self.ranks.get(slot.index()).copied().unwrap_or(u32::MAX)
    }

    /// Digest of the whole fleet in its canonical form: everything by name. Clusters and workloads that have not changed
    /// since the last call are not read again.
    ///
    /// # Errors
    /// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(b"jiuzhou-fleet/3");
        let cluster = |name: &String| self.slot(name).and_then(|slot| self.cluster(slot)).map(|cluster| &**cluster);
        self.cluster_digests.feed(&mut hasher, |name| canonical::digest(&cluster(name), DigestAlgorithm::Sha256))?;
        hasher.field(b"");
        hasher.field(kept(&self.rules_digest, || self.digest_rules())?.bytes());
        let spec = |key: &WorkloadKey| self.specs.get(key).map(|spec| &**spec);
        self.spec_digests.feed(&mut hasher, |key| canonical::digest(&spec(key), DigestAlgorithm::Sha256))?;
        Ok(hasher.finish())
    }

    /// Digest of a workload, kept where it is as it was entered.
    ///
    /// # Errors
    /// As [`Self::digest`].
    pub(crate) fn spec_digest(&self, spec: &Spec) -> Result<Digest, CanonicalError> {
        let digest = || canonical::digest(spec, DigestAlgorithm::Sha256);
        match self.specs.get(&spec.key) {
            Some(known) if **known == *spec => self.spec_digests.of(&spec.key, digest),
            _ => digest(),
        }
    }

    fn digest_rules(&self) -> Result<Digest, CanonicalError> {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(&canonical::bytes(&self.tenants.values().collect::<Vec<_>>())?);
        hasher.field(&canonical::bytes(&self.tiers)?);
        hasher.field(&canonical::bytes(&self.freezes.values().collect::<Vec<_>>())?);
        hasher.field(&canonical::bytes(&self.architecture)?);
        hasher.field(&canonical::bytes(&self.catalogue)?);
        hasher.field(&canonical::bytes(&self.data)?);
        Ok(hasher.finish())
    }
}

#[cfg(test)]
mod tests;
