//! Splits a node's energy over what ran on it, without losing or making any.
//!
//! Active energy goes by CPU time used (the Kepler rule), the part of processes that belong to nobody stays `system`.
//! Idle energy goes by share of what the node offers, per resource: by max(request, use) (the OpenCost rule), by request
//! alone (SCI: "reserved or provisioned"), or to nobody; what is free stays `unallocated` (未分配). Split by workload,
//! summed by tenant: joining two tenants is therefore exactly the sum of both.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{MilliwattHours, PerMille};
use serde::Serialize;

use crate::{MeasureError, apportion::apportion};

/// Who pays for idle energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Nobody: idle energy is shown as unallocated.
    ActiveOnly,
    /// By max(request, use) of each resource.
    #[default]
    Proportional,
    /// By request alone; the policy SCI asks for.
    Reserved,
}

/// CPU in millicores and memory in bytes, averaged over the time measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Millicores.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

/// A node over some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Energy above idle.
    pub active: MilliwattHours,
    /// Idle energy.
    pub idle: MilliwattHours,
    /// CPU used by everything on the node, in millicores.
    pub cpu_used: i64,
    /// What pods can have.
    pub allocatable: Amounts,
    /// The part of idle energy that is split by CPU; the rest is split by memory.
    pub idle_by_cpu: PerMille,
}

/// A workload on the node over the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Who it belongs to.
    pub tenant: String,
    /// Unique on the node; ties of rounding go by it.
    pub workload: String,
    /// What it reserved.
    pub requested: Amounts,
    /// What it used.
    pub used: Amounts,
    /// Whether that was read; otherwise what it reserved stands for it.
    pub observed: bool,
}

/// What a workload or tenant is charged with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Active energy.
    pub active: MilliwattHours,
    /// Idle energy.
    pub idle: MilliwattHours,
}

/// Where a node's energy went: the shares, `system` and `unallocated` sum to the node's energy exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// By workload.
    pub workloads: BTreeMap<String, Share>,
    /// By tenant: the sums of its workloads.
    pub tenants: BTreeMap<String, Share>,
    /// Active energy of what belongs to nobody.
    pub system: MilliwattHours,
    /// Idle energy of what is free, or of everything under [`Policy::ActiveOnly`].
    pub unallocated: MilliwattHours,
}

const WHAT: &str = "attributed energy";

/// Splits a node's energy.
///
/// Shares never exceed what there is: on an overcommitted node the sum of shares takes the place of the allocatable
/// amount, and on a node whose own use was read lower than its workloads' that sum takes the place of the former.
///
/// # Errors
/// [`MeasureError`] for negative inputs, a workload named twice, or sums out of range.
pub fn attribute(node: &Node, consumers: &[Consumer], policy: Policy) -> Result<Attribution, MeasureError> {
    let by_cpu = node.idle_by_cpu.0;
    if !(0..=1000).contains(&by_cpu) {
        return Err(MeasureError::Setting("the part of idle energy split by CPU is from 0 to 1000 ‰"));
    }
    let idle_parts =
        apportion(node.idle.0, &[("cpu", i128::from(by_cpu)), ("memory", i128::from(1000 - by_cpu))], WHAT)?;
    let basis = |requested: i64, used: i64| match policy {
        Policy::ActiveOnly => 0,
        Policy::Proportional => requested.max(used),
        Policy::Reserved => requested,
    };
    let names = || consumers.iter().map(|c| c.workload.as_str());
    if consumers.iter().any(|c| [c.requested, c.used].iter().any(|a| a.cpu < 0 || a.memory < 0)) {
        return Err(MeasureError::OutOfRange(WHAT));
    }
    let active = split(node.active.0, node.cpu_used, names().zip(consumers.iter().map(|c| c.used.cpu)))?;
    let cpu = consumers.iter().map(|c| basis(c.requested.cpu, c.used.cpu));
    let cpu = split(idle_parts[0], node.allocatable.cpu, names().zip(cpu))?;
    let memory = consumers.iter().map(|c| basis(c.requested.memory, c.used.memory));
    let memory = split(idle_parts[1], node.allocatable.memory, names().zip(memory))?;

    let mut result = Attribution {
        system: MilliwattHours(active.1),
        unallocated: sum(MilliwattHours(cpu.1), MilliwattHours(memory.1))?,
        ..Attribution::default()
    };
    for (index, consumer) in consumers.iter().enumerate() {
        let share = Share {
            active: MilliwattHours(active.0[index]),
            idle: sum(MilliwattHours(cpu.0[index]), MilliwattHours(memory.0[index]))?,
        };
        result.workloads.insert(consumer.workload.clone(), share);
        let tenant = result.tenants.entry(consumer.tenant.clone()).or_default();
        tenant.active = sum(tenant.active, share.active)?;
        tenant.idle = sum(tenant.idle, share.idle)?;
    }
    Ok(result)
}

fn sum(a: MilliwattHours, b: MilliwattHours) -> Result<MilliwattHours, MeasureError> {
    a.checked_add(b).ok_or(MeasureError::OutOfRange(WHAT))
}

/// Splits `total` by amounts out of `whole`; the second value is the part of what nobody has.
fn split<'a>(
    total: i64,
    whole: i64,
    parts: impl Iterator<Item = (&'a str, i64)>,
) -> Result<(Vec<i64>, i64), MeasureError> {
    // A name no workload can have (it is not a DNS name) and that sorts last: nobody's part loses every tie.
    const NOBODY: &str = "\u{10ffff}";
    let mut weights: Vec<_> = parts.map(|(name, part)| (name, i128::from(part))).collect();
    let taken: i128 = weights.iter().map(|(_, part)| part).sum();
    weights.push((NOBODY, (i128::from(whole) - taken).max(0)));
    let mut shares = apportion(total, &weights, WHAT)?;
    let given: i64 = shares.iter().sum();
    let nobody = shares.pop().unwrap_or_default();
    // With nothing to split by, nobody keeps it all.
    Ok((shares, nobody + (total - given)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn consumer(tenant: &str, workload: &str, request: i64, used: i64) -> Consumer {
        let memory = |cpu: i64| cpu * 1_048_576;
        Consumer {
            observed: true,
            tenant: tenant.into(),
            workload: workload.into(),
            requested: Amounts { cpu: request, memory: memory(request) },
            used: Amounts { cpu: used, memory: memory(used) },
        }
    }

    fn node(active: i64, idle: i64) -> Node {
        Node {
            active: MilliwattHours(active),
            idle: MilliwattHours(idle),
            cpu_used: 4000,
            allocatable: Amounts { cpu: 8000, memory: 8000 * 1_048_576 },
            idle_by_cpu: PerMille(700),
        }
    }

    fn whole(result: &Attribution) -> i64 {
        let shares: i64 = result.tenants.values().map(|s| s.active.0 + s.idle.0).sum();
        shares + result.system.0 + result.unallocated.0
    }

    #[test]
    fn idle_follows_the_policy_and_what_is_free_stays_unallocated() {
        let consumers = [consumer("民政局", "a", 2000, 1000), consumer("医保局", "b", 1000, 2000)];
        let idle = |policy| {
            let result = attribute(&node(1000, 800), &consumers, policy).unwrap();
            assert_eq!(whole(&result), 1800);
            (result.tenants["民政局"].idle.0, result.tenants["医保局"].idle.0, result.unallocated.0)
        };
        assert_eq!(idle(Policy::ActiveOnly), (0, 0, 800));
        assert_eq!(idle(Policy::Proportional), (200, 200, 400));
        assert_eq!(idle(Policy::Reserved), (200, 100, 500));
        let result = attribute(&node(1000, 800), &consumers, Policy::Proportional).unwrap();
        assert_eq!((result.workloads["a"].active.0, result.system.0), (250, 250));
    }

    #[test]
    fn an_overcommitted_node_shares_out_what_it_has_and_no_more() {
        let consumers = [consumer("a", "a", 16_000, 0), consumer("b", "b", 16_000, 0)];
        let result = attribute(&node(10, 100), &consumers, Policy::Reserved).unwrap();
        assert_eq!((result.tenants["a"].idle.0, result.unallocated.0, result.system.0), (50, 0, 10));
    }

    #[test]
    fn a_node_of_nothing_keeps_its_energy() {
        let empty = Node { cpu_used: 0, allocatable: Amounts::default(), ..node(5, 7) };
        let result = attribute(&empty, &[], Policy::Proportional).unwrap();
        assert_eq!((result.system.0, result.unallocated.0), (5, 7));
        assert!(attribute(&node(-1, 0), &[], Policy::Proportional).is_err());
        let twice = [consumer("a", "a", 1, 1), consumer("b", "a", 1, 1)];
        assert!(attribute(&node(1, 1), &twice, Policy::Proportional).is_err());
    }

    proptest! {
        #[test]
        fn energy_is_conserved_and_joining_tenants_is_their_sum(
            active in 0i64..i64::from(u32::MAX),
            idle in 0i64..i64::from(u32::MAX),
            sizes in prop::collection::vec((0usize..3, 0i64..9000, 0i64..9000), 0..12),
            turn in 0usize..12,
        ) {
            let tenants = ["甲", "乙", "丙"];
            let mut consumers: Vec<_> = sizes.iter().enumerate()
                .map(|(i, (t, request, used))| consumer(tenants[*t], &format!("w{i}"), *request, *used)).collect();
            for policy in [Policy::ActiveOnly, Policy::Proportional, Policy::Reserved] {
                let result = attribute(&node(active, idle), &consumers, policy).unwrap();
                prop_assert_eq!(whole(&result), active + idle);
                prop_assert!(result.workloads.values().all(|s| s.active.0 >= 0 && s.idle.0 >= 0));
                for c in &consumers {
                    if c.requested == Amounts::default() && c.used == Amounts::default() {
                        prop_assert_eq!(result.workloads[&c.workload], Share::default());
                    }
                }
                let joined: Vec<_> = consumers.iter().cloned()
                    .map(|c| Consumer { tenant: if c.tenant == "乙" { "甲".into() } else { c.tenant }, ..c }).collect();
                let join = attribute(&node(active, idle), &joined, policy).unwrap();
                let of = |r: &Attribution, t: &str| r.tenants.get(t).copied().unwrap_or_default();
                prop_assert_eq!(of(&join, "甲").active.0, of(&result, "甲").active.0 + of(&result, "乙").active.0);
                prop_assert_eq!(of(&join, "甲").idle.0, of(&result, "甲").idle.0 + of(&result, "乙").idle.0);
                if !consumers.is_empty() {
                    let turn = turn % consumers.len();
                    consumers.rotate_left(turn);
                    prop_assert_eq!(&attribute(&node(active, idle), &consumers, policy).unwrap(), &result);
                }
            }
        }
    }
}
