//! A snapshot seen at an instant: everything that depends on time, worked out once for all clusters.
//!
//! Tiers and protection levels rest on documents with terms, freezes on windows. What a requirement demands of them is
//! in [`Demand`].

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::input::{ClusterInput, FreezeInput, TierInput};
use super::mask::Mask;
use super::nodes::node_affinity;
use super::snapshot::Snapshot;
use super::spec::Requirement;
use super::tier;
use crate::detect;
use crate::detect::affinity::NodeAffinity;
use crate::terms::Reason;

/// The highest protection level there is (GB/T 22240).
const LEVELS: u8 = 5;

/// What of a cluster depends on the instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dated {
    /// Tiers from the lowest that hold for certain, and that would if everything Unknown held.
    pub(crate) tiers: (usize, usize),
    /// Highest protection level with a verified report, and with any.
    pub(crate) protection: (u8, u8),
}

/// A snapshot at an instant.
#[derive(Debug)]
pub(crate) struct View<'s> {
    pub(crate) snapshot: &'s Snapshot,
    pub(crate) as_of: Timestamp,
    dated: Vec<Dated>,
    /// `[n]`: clusters with at least n tiers, for certain and possibly.
    pub(crate) tiers: Vec<(Mask, Mask)>,
    /// `[level]`: clusters with at least that protection level, for certain and possibly.
    pub(crate) protection: Vec<(Mask, Mask)>,
    /// Freezes that hold now.
    pub(crate) freezes: Vec<(&'s FreezeInput, Mask)>,
    pub(crate) next_change: Option<Timestamp>,
}

impl<'s> View<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, as_of: Timestamp) -> Self {
        let mut view = Self {
            snapshot,
            as_of,
            dated: vec![Dated::default(); snapshot.slots()],
            tiers: vec![Default::default(); snapshot.tiers.len() + 1],
            protection: vec![Default::default(); usize::from(LEVELS) + 1],
            freezes: Vec::new(),
            next_change: None,
        };
        let mut next = snapshot.freezes.values().filter_map(|f| f.term.next_change(as_of)).min();
        let grants = snapshot.tenants.values().flat_map(|t| t.grants.iter().flatten());
        next = next.into_iter().chain(grants.filter_map(|g| g.term.next_change(as_of))).min();
        for (slot, cluster) in snapshot.clusters() {
            let dated = date(snapshot, cluster, as_of);
            let slot = slot.index();
            for (n, (certain, possible)) in view.tiers.iter_mut().enumerate() {
                if n <= dated.tiers.0 {
                    certain.set(slot);
                }
                if n <= dated.tiers.1 {
                    possible.set(slot);
                }
            }
            for (level, (certain, possible)) in (0..=LEVELS).zip(view.protection.iter_mut()) {
                if level <= dated.protection.0 {
                    certain.set(slot);
                }
                if level <= dated.protection.1 {
                    possible.set(slot);
                }
            }
            if let Some(place) = view.dated.get_mut(slot) {
                *place = dated;
            }
            next = next.into_iter().chain(tier::next_change(cluster, as_of)).min();
        }
        for freeze in snapshot.freezes.values().filter(|freeze| freeze.term.holds(as_of)) {
            let mut mask = Mask::default();
            for (slot, cluster) in snapshot.clusters() {
                if freeze.clusters.as_ref().is_none_or(|which| which.matches(&cluster.name, &cluster.labels)) {
                    mask.set(slot.index());
                }
            }
            view.freezes.push((freeze, mask));
        }
        view.next_change = next;
        view
    }

    /// What of a cluster depends on the instant.
    pub(crate) fn dated(&self, slot: usize) -> Dated {
        self.dated.get(slot).copied().unwrap_or_default()
    }
}

fn date(snapshot: &Snapshot, cluster: &ClusterInput, as_of: Timestamp) -> Dated {
    let standing = tier::evaluate(cluster, &snapshot.tiers, as_of);
    let attested = |possibly: bool| {
        (1..=LEVELS).rev().find(|level| match tier::attested(&cluster.protection, *level, as_of).0 {
            tier::CheckOutcome::Pass { .. } => true,
            tier::CheckOutcome::Unknown => possibly,
            tier::CheckOutcome::Fail => false,
        })
    };
    Dated {
        tiers: (standing.certain, standing.possible),
        protection: (attested(false).unwrap_or(0), attested(true).unwrap_or(0)),
    }
}

/// The highest tier that a requirement demands by its own words, its class of data and its tenant; `None` when it demands
/// none, or one that is not defined.
#[must_use]
pub fn demanded_tier<'s>(snapshot: &'s Snapshot, requirement: &Requirement) -> Option<&'s TierInput> {
    let demand = Demand::new(snapshot, requirement);
    demand.tiers.checked_sub(1).and_then(|at| snapshot.tiers.get(at)).filter(|_| demand.undefined.is_none())
}

/// What a requirement demands once its tenant and class are looked up.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// How many tiers from the lowest.
    pub(crate) tiers: usize,
    /// A tier that was named and is not defined: nobody may.
    pub(crate) undefined: Option<String>,
    /// Unknown is refused: a tier up to the demanded one is strict, or everything is asked to be.
    pub(crate) strict: bool,
    /// The tenant is named and not known: nobody may.
    pub(crate) tenant_unknown: bool,
    affinity: OnceLock<Derived>,
}

/// The node affinity that delivery adds, or why there is none.
pub(crate) type Derived = Arc<Result<NodeAffinity, Reason>>;

impl Demand {
    pub(crate) fn new(snapshot: &Snapshot, requirement: &Requirement) -> Self {
        let tenant = snapshot.tenants.get(&requirement.tenant);
        let mut tiers = tier::demanded_by_class(&snapshot.tiers, requirement.data_class);
        let mut undefined = None;
        for name in requirement.tier.iter().chain(tenant.and_then(|tenant| tenant.tier.as_ref())) {
            match snapshot.tiers.iter().position(|tier| tier.name == *name) {
                Some(at) => tiers = tiers.max(at + 1),
                None => undefined = Some(name.clone()),
            }
        }
        // A higher demand must not be laxer than a lower one, so the strictness of all tiers below counts too.
        let strict = undefined.is_some()
            || snapshot.architecture.strict
            || snapshot.tiers.iter().take(tiers).any(|tier| tier.strict);
        let tenant_unknown = tenant.is_none() && !requirement.tenant.is_empty();
        Self { tiers, undefined, strict, tenant_unknown, affinity: OnceLock::new() }
    }

    /// As [`Self::new`], with an affinity that was derived for such a demand before.
    pub(crate) fn derived(self, affinity: Derived) -> Self {
        Self { affinity: OnceLock::from(affinity), ..self }
    }

    /// The node affinity that delivery adds, derived when it is asked for first.
    pub(crate) fn affinity(&self, snapshot: &Snapshot, requirement: &Requirement) -> &Derived {
        self.affinity.get_or_init(|| {
            let none = BTreeSet::new();
            let zones = snapshot.tenants.get(&requirement.tenant).map_or(&none, |tenant| &tenant.zones);
            Arc::new(node_affinity(requirement, zones, &snapshot.catalogue, &self.policy(snapshot, requirement)))
        })
    }

    /// What the architecture rule may let in.
    pub(crate) fn policy(&self, snapshot: &Snapshot, requirement: &Requirement) -> detect::Policy {
        let mut floor = snapshot.architecture.floor.clone();
        for (arch, level) in snapshot.tiers.iter().take(self.tiers).flat_map(|tier| &tier.floors) {
            let known = floor.entry(arch.clone()).or_insert(*level);
            if !known.at_least(*level) {
                *known = *level;
            }
        }
        detect::Policy {
            strict: self.strict,
            allow_emulation: requirement.allow_emulation,
            floor,
            ..snapshot.architecture.clone()
        }
    }
}
