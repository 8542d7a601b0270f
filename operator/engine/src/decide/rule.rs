//! The names of the rules, in the order they are told.
//!
//! All rules are evaluated on all clusters, whatever the others say. What each one tests is in [`super::rules`] (one
//! cluster) and [`super::verdicts`] (all clusters at once).

use serde::{Deserialize, Serialize};

use crate::terms::Reason;

/// A rule of eligibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// Dedicated clusters carry their tenants only; a tenant with a list of clusters uses only those.
    Tenant,
    /// GB/T 2260 prefixes of the tenant and of the workload.
    Regions,
    /// Network zones of the tenant (pool).
    Zones,
    /// Providers of the tenant and of the workload.
    Providers,
    /// Classified systems are refused.
    Classified,
    /// The tier that data class, tenant and workload demand.
    Tier,
    /// Protection level: platform at least system, with a valid report.
    Protection,
    /// Network zone of the pool, exactly (pool).
    PoolZone,
    /// Named peers are opened.
    Reach,
    /// Ownership and jurisdictions.
    Jurisdiction,
    /// API kinds are served and profiled.
    Kinds,
    /// The images run on the pool's CPUs (pool).
    Architecture,
    /// The registry of the pool's zone holds the images (pool).
    Registry,
    /// Trusted execution environment (pool).
    Tee,
    /// Database services.
    Database,
    /// Accelerators (pool).
    Accelerator,
    /// Labels that the pods ask of their node (pool).
    NodeLabels,
    /// Taints of nodes are tolerated by the pods (pool).
    NodeTaints,
    /// The node affinity that delivery adds admits the nodes (pool).
    NodeAffinity,
    /// What delivery adds keeps the pods off the cluster's other nodes, which a rule refuses.
    Separation,
    /// The data is there.
    Data,
    /// No change freeze.
    Freeze,
    /// The cluster takes new work.
    State,
    /// The cluster is reached.
    Reachability,
    /// Taints are tolerated.
    Taints,
    /// The placement's affinity.
    Affinity,
    /// One of the placement's groups.
    Group,
    /// One pool passes all pool rules together.
    Pools,
    /// It was well there when it was there last.
    Health,
}

impl Rule {
    /// How many.
    pub const COUNT: usize = 29;

    /// All, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Tenant,
        Self::Regions,
        Self::Zones,
        Self::Providers,
        Self::Classified,
        Self::Tier,
        Self::Protection,
        Self::PoolZone,
        Self::Reach,
        Self::Jurisdiction,
        Self::Kinds,
        Self::Architecture,
        Self::Registry,
        Self::Tee,
        Self::Database,
        Self::Accelerator,
        Self::NodeLabels,
        Self::NodeTaints,
        Self::NodeAffinity,
        Self::Separation,
        Self::Data,
        Self::Freeze,
        Self::State,
        Self::Reachability,
        Self::Taints,
        Self::Affinity,
        Self::Group,
        Self::Pools,
        Self::Health,
    ];

    /// Rules whose refusal ends without anybody changing the workload or earning a quality: a freeze runs out, a link
    /// comes back, a drain is done. What only they keep out waits; it is not refused.
    pub(crate) const PASSING: [Self; 3] = [Self::Freeze, Self::State, Self::Reachability];

    /// Place in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What a rule says of a cluster, best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// It may.
    #[default]
    Pass,
    /// It may, with something worth knowing.
    Warn,
    /// It cannot be told. Refused where the demanded tier is strict, else a warning.
    Unknown,
    /// It may not.
    Fail,
}

/// A rule's answer for one cluster or pool with everything that led to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The answer: the worst of its reasons.
    pub answer: Answer,
    /// Why, what weighs most first; empty for a plain pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// How many of the reasons, from the first, fail.
    #[serde(default, skip_serializing_if = "none")]
    failing: usize,
    /// How many of those after them leave it open.
    #[serde(default, skip_serializing_if = "none")]
    unknown: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn none(count: &usize) -> bool {
    *count == 0
}

impl Check {
    /// A plain pass.
    #[must_use]
    pub fn pass() -> Self {
        Self::default()
    }

    /// An answer with its reason.
    #[must_use]
    pub fn because(answer: Answer, reason: Reason) -> Self {
        Self::of(answer, vec![reason])
    }

    /// An answer with all that led to it.
    #[must_use]
    pub fn of(answer: Answer, reasons: Vec<Reason>) -> Self {
        let count = |of: Answer| if answer == of { reasons.len() } else { 0 };
        let (failing, unknown) = (count(Answer::Fail), count(Answer::Unknown));
        Self { answer, reasons, failing, unknown }
    }

    /// The worse of two, reasons of both, what fails before what is not known before what is only worth knowing.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.answer = self.answer.max(other.answer);
        let Self { reasons: mut failing, failing: fail, unknown, .. } = other;
        let mut open = failing.split_off(fail.min(failing.len()));
        let noted = open.split_off(unknown.min(open.len()));
        self.reasons.splice(self.failing..self.failing, failing);
        self.failing += fail;
        let after = self.failing + self.unknown;
        self.reasons.splice(after..after, open);
        self.unknown += unknown;
        self.reasons.extend(noted);
        self
    }

    /// The same with every reason told in another way.
    #[must_use]
    pub(crate) fn told(mut self, tell: impl FnMut(Reason) -> Reason) -> Self {
        self.reasons = self.reasons.into_iter().map(tell).collect();
        self
    }

    /// The reasons that keep something out: those that fail and, where the unknown is refused, those that leave it open.
    #[must_use]
    pub fn refusing(&self, strict: bool) -> &[Reason] {
        let most = if strict { self.failing + self.unknown } else { self.failing };
        self.reasons.get(..most).unwrap_or(&self.reasons)
    }
}
