//! Who a room's IT energy went to: clusters by their models, workloads by use and share, platforms by pool.
//!
//! A room is split over its member clusters by the meters of their pools where all of them have one, else by what the
//! pools are modelled at, or by allocatable CPU where one has no model. Nothing is lost: tenants, system, unallocated and
//! outside sum to the IT energy of all known rooms.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, MilliwattHours, ObjectRef, PerMille, Reason};

use super::{Account, AccountInput, RANGE, SiteAccount, SiteInput, add};
use crate::apportion::apportion;
use crate::energy::{Amounts, Consumer, LinearPower, Node, Provenance, Share, attribute};
use crate::{LeftOut, MeasureError};

/// What one node of a pool draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPower {
    /// From idle to full load, at the wall.
    pub line: LinearPower,
    /// Modelled with facts about this machine, or by defaults.
    pub provenance: Provenance,
}

/// Nodes that are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolInput {
    /// Unique in the cluster.
    pub name: String,
    /// CPU platform; empty when not known.
    pub platform: String,
    /// Nodes.
    pub nodes: i64,
    /// Power of one node; `None` when nothing is known.
    pub power: Option<PoolPower>,
    /// Part of the CPU in use, in thousandths; `None` when not observed.
    pub utilisation: Option<PerMille>,
    /// What pods can have on all its nodes.
    pub allocatable: Amounts,
    /// Its own meter over the whole period.
    pub metered: Option<MilliwattHours>,
}

/// A member cluster in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInput {
    /// The `MemberCluster`.
    pub reference: ObjectRef,
    /// Its pools.
    pub pools: Vec<PoolInput>,
    /// CPU in use by everything on it, in millicores; `None` when not observed.
    pub cpu_used: Option<i64>,
    /// What of it is ours, by workload.
    pub consumers: Vec<Consumer>,
}

/// The pools of a room by their models.
pub(super) struct Modelled {
    /// Their sum; `None` unless every pool has a model and there is one.
    pub(super) energy: Option<MilliwattHours>,
    /// The weakest of theirs.
    pub(super) provenance: Provenance,
    /// Pools without a model.
    pub(super) missing: Vec<LeftOut>,
}

pub(super) fn modelled(clusters: &[ClusterInput], input: &AccountInput) -> Result<Modelled, MeasureError> {
    let mut sum = MilliwattHours(0);
    let mut result = Modelled { energy: None, provenance: Provenance::Modelled, missing: Vec::new() };
    let mut pools = 0_usize;
    for cluster in clusters {
        if cluster.pools.is_empty() {
            let reason = Reason::new(Code::PowerUnknown).object(cluster.reference.name.as_str());
            result.missing.push(LeftOut { subject: cluster.reference.clone(), reason });
        }
        for pool in &cluster.pools {
            pools += 1;
            match pool_energy(pool, input)? {
                Some((_, energy, provenance)) => {
                    add(&mut sum, energy)?;
                    result.provenance = result.provenance.max(provenance);
                }
                None => {
                    let object = format!("{}/{}", cluster.reference.name, pool.name);
                    let reason = Reason::new(Code::PowerUnknown).object(object);
                    result.missing.push(LeftOut { subject: cluster.reference.clone(), reason });
                }
            }
        }
    }
    result.energy = (pools > 0 && result.missing.is_empty()).then_some(sum);
    Ok(result)
}

/// The sum of the pools' own meters; `None` unless every pool of every cluster has one.
pub(super) fn metered(clusters: &[ClusterInput]) -> Result<Option<MilliwattHours>, MeasureError> {
    if clusters.is_empty() || clusters.iter().any(|cluster| cluster.pools.is_empty()) {
        return Ok(None);
    }
    let mut sum = MilliwattHours(0);
    for pool in clusters.iter().flat_map(|cluster| &cluster.pools) {
        let Some(metered) = pool.metered else { return Ok(None) };
        if metered.0 < 0 {
            return Err(RANGE);
        }
        add(&mut sum, metered)?;
    }
    Ok(Some(sum))
}

/// Idle energy, whole energy and provenance of a pool over the period.
fn pool_energy(
    pool: &PoolInput,
    input: &AccountInput,
) -> Result<Option<(MilliwattHours, MilliwattHours, Provenance)>, MeasureError> {
    let Some(power) = &pool.power else { return Ok(None) };
    let provenance = if pool.utilisation.is_some() { power.provenance } else { Provenance::Default };
    let utilisation = pool.utilisation.unwrap_or(input.default_utilisation);
    let seconds = input.seconds;
    let idle = power.line.energy(PerMille(0), pool.nodes, seconds)?;
    let whole = power.line.energy(utilisation, pool.nodes, seconds)?;
    Ok(Some((idle, whole, provenance)))
}

/// Charges a room's IT energy to tenants and platforms. Returns what its tenants were charged with.
pub(super) fn charge(
    account: &mut Account,
    site: &SiteInput,
    draft: &SiteAccount,
    input: &AccountInput,
) -> Result<BTreeMap<String, Share>, MeasureError> {
    let mut here = BTreeMap::<String, Share>::new();
    let Some(it) = draft.it else {
        account.uncharged.push(draft.title.clone());
        return Ok(here);
    };
    // Weight, idle and whole modelled energy of every pool.
    let mut pools = Vec::new();
    for cluster in &site.clusters {
        for pool in &cluster.pools {
            pools.push((cluster, pool, pool_energy(pool, input)?));
        }
    }
    let all_modelled = pools.iter().all(|(_, _, energy)| energy.is_some());
    let all_metered = draft.pool_meters.is_some();
    let names: Vec<String> =
        pools.iter().map(|(cluster, pool, _)| format!("{}/{}", cluster.reference.name, pool.name)).collect();
    let weight = |(_, pool, energy): &(
        &ClusterInput,
        &PoolInput,
        Option<(MilliwattHours, MilliwattHours, Provenance)>,
    )| match (energy, pool.metered) {
        (_, Some(metered)) if all_metered => i128::from(metered.0),
        (Some((_, whole, _)), _) if all_modelled => i128::from(whole.0),
        _ => i128::from(pool.allocatable.cpu),
    };
    let weights: Vec<(&str, i128)> = names.iter().map(String::as_str).zip(pools.iter().map(weight)).collect();
    let parts = apportion(it.0, &weights, "a room's energy")?;
    let charged: i64 = parts.iter().sum();
    add(&mut account.outside, MilliwattHours(it.0 - charged))?;
    for cluster in &site.clusters {
        let mut node = Node {
            active: MilliwattHours(0),
            idle: MilliwattHours(0),
            cpu_used: 0,
            allocatable: Amounts::default(),
            // By share of CPU alone: the models below describe CPUs, and no published split by memory is known.
            idle_by_cpu: PerMille(1000),
        };
        for ((owner, pool, energy), part) in pools.iter().zip(&parts) {
            if owner.reference != cluster.reference {
                continue;
            }
            // Without a model nothing is known of activity, so all of it is shared as idle energy is.
            let (idle, whole) = energy.as_ref().map_or((1, 1), |(idle, whole, _)| (idle.0, whole.0));
            let split = [("active", i128::from(whole - idle)), ("idle", i128::from(idle))];
            let split = apportion(*part, &split, "a pool's energy")?;
            let given: i64 = split.iter().sum();
            add(&mut node.active, MilliwattHours(split[0]))?;
            add(&mut node.idle, MilliwattHours(split[1] + part - given))?;
            node.allocatable.cpu = node.allocatable.cpu.checked_add(pool.allocatable.cpu).ok_or(RANGE)?;
            node.allocatable.memory = node.allocatable.memory.checked_add(pool.allocatable.memory).ok_or(RANGE)?;
            add(account.platforms.entry(pool.platform.clone()).or_default(), MilliwattHours(*part))?;
        }
        node.cpu_used = cluster.cpu_used.unwrap_or(0);
        for consumer in &cluster.consumers {
            let observed = account.observed.entry(consumer.tenant.clone()).or_default();
            observed.numerator += i64::from(consumer.observed);
            observed.denominator += 1;
        }
        let split = attribute(&node, &cluster.consumers, input.policy)?;
        for (tenant, share) in split.tenants {
            for sum in [here.entry(tenant.clone()).or_default(), account.tenants.entry(tenant).or_default()] {
                add(&mut sum.active, share.active)?;
                add(&mut sum.idle, share.idle)?;
            }
        }
        add(&mut account.system, split.system)?;
        add(&mut account.unallocated, split.unallocated)?;
    }
    Ok(here)
}
