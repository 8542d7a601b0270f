//! What of a cluster the rules look at, and what only room, score and failback do.
//!
//! A member tells of its free room all the time. Where nothing else of it differs, no verdict can, and nobody is judged
//! again.

use super::input::{ClusterInput, PoolInput};

impl ClusterInput {
    /// Whether no rule can tell it from another form of itself.
    #[must_use]
    pub fn is_judged_as(&self, other: &Self) -> bool {
        // Every field is named, so that a new one has to be put on one of the two sides.
        let Self {
            name,
            site,
            region,
            availability_zone,
            provider,
            labels,
            taints,
            state,
            reachability,
            ownership,
            jurisdictions,
            dedicated_to,
            protection,
            cryptography,
            evidence,
            supplied,
            kinds,
            databases,
            registries,
            peers,
            pools,
            healthy_since: _,
            figures: _,
            emergency_reserve_percent: _,
        } = self;
        *name == other.name
            && *site == other.site
            && *region == other.region
            && *availability_zone == other.availability_zone
            && *provider == other.provider
            && *labels == other.labels
            && *taints == other.taints
            && *state == other.state
            && *reachability == other.reachability
            && *ownership == other.ownership
            && *jurisdictions == other.jurisdictions
            && *dedicated_to == other.dedicated_to
            && *protection == other.protection
            && *cryptography == other.cryptography
            && *evidence == other.evidence
            && *supplied == other.supplied
            && *kinds == other.kinds
            && *databases == other.databases
            && *registries == other.registries
            && *peers == other.peers
            && pools.len() == other.pools.len()
            && pools.iter().zip(&other.pools).all(|(one, two)| one.is_judged_as(two))
    }
}

impl PoolInput {
    fn is_judged_as(&self, other: &Self) -> bool {
        let Self { name, zone, facts, labels, taints, cpu_normalised, shapes: _, unschedulable: _ } = self;
        *name == other.name
            && *zone == other.zone
            && *facts == other.facts
            && *labels == other.labels
            && *taints == other.taints
            && *cpu_normalised == other.cpu_normalised
    }
}
