//! Vectors of resources: what a pod asks for and what a node has free.
//!
//! One integer unit per resource: millicores, bytes, pieces. Extended resources carry an interned id; the text is the
//! caller's.

use crate::terms::{Bytes, Millicores};

/// Interned name of an extended resource, e.g. `huawei.com/Ascend910`, or of something of which every node has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub u64);

impl ResourceId {
    const SINGLE: u64 = 1 << 63;

    /// Something of which every node has exactly one and need not say so: a port of its own, a place beside which no
    /// other pod of a kind may stand. A free vector has -1 of it when it is taken.
    #[must_use]
    pub fn single(number: u64) -> Self {
        Self(number | Self::SINGLE)
    }

    /// What a node has of it unsaid.
    fn unsaid(self) -> i64 {
        i64::from(self.0 & Self::SINGLE != 0)
    }
}

/// A resource is named twice in one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read resources: extended resource {0} is named twice")]
pub struct TooManyResources(pub u64);

/// A vector of resources. What is not named is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resources {
    /// CPU.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
    /// Ephemeral storage.
    pub ephemeral: Bytes,
    /// Pods.
    pub pods: i64,
    extended: Vec<(ResourceId, i64)>,
}

/// What one pod asks for; `pods` is 1.
pub type Request = Resources;

impl Resources {
    /// A vector without extended resources.
    #[must_use]
    pub fn new(cpu: Millicores, memory: Bytes, ephemeral: Bytes, pods: i64) -> Self {
        Self { cpu, memory, ephemeral, pods, extended: Vec::new() }
    }

    /// Adds extended resources.
    ///
    /// # Errors
    /// [`TooManyResources`] when one is named twice.
    pub fn with(mut self, extended: &[(ResourceId, i64)]) -> Result<Self, TooManyResources> {
        self.extended.extend_from_slice(extended);
        self.extended.sort_unstable();
        if let Some(pair) = self.extended.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(TooManyResources(pair[0].0.0));
        }
        self.extended.retain(|(_, amount)| *amount != 0);
        Ok(self)
    }

    /// Extended resources by id, without zeros.
    #[must_use]
    pub fn extended(&self) -> &[(ResourceId, i64)] {
        &self.extended
    }

    /// What a node with this free has of an extended resource.
    #[must_use]
    pub fn has(&self, id: ResourceId) -> i64 {
        self.amount(id).saturating_add(id.unsaid())
    }

    /// Amount of one extended resource as it is said.
    #[must_use]
    pub fn amount(&self, id: ResourceId) -> i64 {
        self.extended.binary_search_by_key(&id, |entry| entry.0).map_or(0, |at| self.extended[at].1)
    }

    /// How often `request` fits: the minimum over all resources it asks for. `i64::MAX` when it asks for nothing at all,
    /// 0 when something free is negative.
    #[must_use]
    pub fn fits(&self, request: &Self) -> i64 {
        // Most resources are not what binds: where as many as so far are there, nothing is divided.
        let times = |least: i64, free: i64, asked: i64| match asked.checked_mul(least) {
            _ if asked <= 0 => least,
            Some(enough) if enough <= free => least,
            _ => free.max(0) / asked,
        };
        let least = times(i64::MAX, self.pods, request.pods);
        let least = times(least, self.cpu.0, request.cpu.0);
        let least = times(least, self.memory.0, request.memory.0);
        let least = times(least, self.ephemeral.0, request.ephemeral.0);
        request.extended.iter().fold(least, |least, &(id, asked)| times(least, self.has(id), asked))
    }

    fn zip(&self, other: &Self, each: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        let mut ids: Vec<ResourceId> = self.extended.iter().chain(&other.extended).map(|entry| entry.0).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut extended = Vec::with_capacity(ids.len());
        for id in ids {
            let amount = each(self.amount(id), other.amount(id))?;
            if amount != 0 {
                extended.push((id, amount));
            }
        }
        Some(Self {
            cpu: Millicores(each(self.cpu.0, other.cpu.0)?),
            memory: Bytes(each(self.memory.0, other.memory.0)?),
            ephemeral: Bytes(each(self.ephemeral.0, other.ephemeral.0)?),
            pods: each(self.pods, other.pods)?,
            extended,
        })
    }

    /// Sum, or `None` out of range.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.zip(other, i64::checked_add)
    }

    /// `self - times x other`, or `None` out of range.
    #[must_use]
    pub fn checked_less(&self, other: &Self, times: i64) -> Option<Self> {
        self.zip(other, |have, each| have.checked_sub(each.checked_mul(times)?))
    }

    /// The smaller of each resource.
    #[must_use]
    pub fn floor(&self, other: &Self) -> Self {
        self.zip(other, |one, two| Some(one.min(two))).unwrap_or_default()
    }

    /// Whether a node can have this free: nothing is negative.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let named = [self.cpu.0, self.memory.0, self.ephemeral.0, self.pods];
        named.into_iter().chain(self.extended.iter().map(|entry| self.has(entry.0))).all(|amount| amount >= 0)
    }

    /// The same without that of which every node has one.
    #[must_use]
    pub(super) fn countable(mut self) -> Self {
        self.extended.retain(|(id, _)| id.unsaid() == 0);
        self
    }
}

impl Resources {
    /// Whether a node with this free has at least what the other asks for, of everything.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.amounts_of(other).zip(other.amounts()).all(|(mine, theirs)| mine >= theirs)
            && self.extended.iter().all(|&(id, _)| self.has(id) >= other.amount(id))
    }

    /// Negative amounts raised to 0.
    #[must_use]
    pub(super) fn raised_to_zero(&self) -> Self {
        self.zip(&Self::default(), |amount, _| Some(amount.max(0))).unwrap_or_default()
    }

    /// All amounts, extended ones by id.
    pub(super) fn amounts(&self) -> impl Iterator<Item = i64> {
        let named = [self.cpu.0, self.memory.0, self.ephemeral.0, self.pods];
        named.into_iter().chain(self.extended.iter().map(|entry| entry.1))
    }

    /// What a node with this free has of the resources that `other` names.
    pub(super) fn amounts_of(&self, other: &Self) -> impl Iterator<Item = i64> {
        let named = [self.cpu.0, self.memory.0, self.ephemeral.0, self.pods];
        named.into_iter().chain(other.extended.iter().map(|entry| self.has(entry.0)))
    }
}
