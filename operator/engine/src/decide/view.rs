//! A snapshot seen at an instant, and what a requirement demands there.
//!
//! What depends on the instant is worked out once for all clusters by the [`Calendar`]; tenants and classes are looked up
//! for each requirement ([`Demand`]).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::calendar::{Calendar, Dated};
use super::input::{FreezeInput, TierInput};
use super::mask::Mask;
use super::nodes::node_affinity;
use super::snapshot::Snapshot;
use super::spec::Requirement;
use super::tier;
use crate::detect;
use crate::detect::affinity::NodeAffinity;
use crate::terms::Reason;

/// A snapshot at an instant.
#[derive(Debug)]
pub(crate) struct View<'s> {
    pub(crate) snapshot: &'s Snapshot,
    pub(crate) as_of: Timestamp,
    pub(crate) calendar: Calendar,
}

impl<'s> View<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, as_of: Timestamp) -> Self {
        Self { snapshot, as_of, calendar: Calendar::new(snapshot, as_of) }
    }

    /// What of a cluster depends on the instant.
    pub(crate) fn dated(&self, slot: usize) -> Dated {
        self.calendar.dated(slot)
    }

    /// Freezes that hold now, with the clusters they mean.
    pub(crate) fn freezes(&self) -> impl Iterator<Item = (&'s FreezeInput, &Mask)> {
        let held = self.calendar.freezes.iter();
        held.filter_map(|(name, clusters)| Some((self.snapshot.freezes.get(name)?, clusters)))
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand {
    /// How many tiers from the lowest.
    pub(crate) tiers: usize,
    /// A tier that was named and is not defined: nobody may.
    pub(crate) undefined: Option<String>,
    /// Unknown is refused: a tier up to the demanded one is strict, or everything is asked to be.
    pub(crate) strict: bool,
    /// The tenant is named and not known: nobody may.
    pub(crate) tenant_unknown: bool,
    /// What each part asks where pods have nodes of their own; then every rule about nodes is the parts' to answer.
    pub(crate) parts: Vec<PartDemand>,
    /// It is a part's whose pods hold nobody up.
    pub(crate) optional: bool,
    affinity: OnceLock<Derived>,
}

/// A part of a requirement as if it were alone.
#[derive(Clone, Debug)]
pub(crate) struct PartDemand {
    pub(crate) name: String,
    pub(crate) requirement: Requirement,
    pub(crate) demand: Demand,
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
        let parts = requirement.parts.iter().map(|part| {
            let alone = requirement.of_part(part);
            let demand = Self { optional: part.optional, ..Self::new(snapshot, &alone) };
            PartDemand { name: part.name.clone(), requirement: alone, demand }
        });
        let parts = parts.collect();
        Self { tiers, undefined, strict, tenant_unknown, parts, optional: false, affinity: OnceLock::new() }
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
