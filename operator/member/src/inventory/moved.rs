//! When a new observation is worth a write to the hub. Pure.
//!
//! Free room changes all the time; a write for each change would be a write for each pod. So a figure is written again
//! when it moved by a twentieth of what the pool can allocate. Facts (a node more, another kernel) count at once.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::Resources;
use jiuzhou_api::v1alpha1::PoolStatus;
use jiuzhou_objects::quantity::Quantity;

/// One twentieth: 5 %.
const PARTS: i128 = 20;

/// How far an observation is from what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moved {
    /// Not at all, or less than 5 %.
    Little,
    /// Free room by 5 % of what the pool can allocate, or more.
    Room,
    /// Pools, nodes or facts.
    Facts,
}

/// Compares what is written with what is seen now.
#[must_use]
pub fn moved(written: &[PoolStatus], seen: &[PoolStatus]) -> Moved {
    let by_name: BTreeMap<&str, &PoolStatus> = written.iter().map(|pool| (&*pool.name, pool)).collect();
    if written.len() != seen.len() {
        return Moved::Facts;
    }
    let judge = |pool: &PoolStatus| match by_name.get(&*pool.name) {
        Some(before) if facts(before) == facts(pool) => room(before, pool),
        _ => Moved::Facts,
    };
    seen.iter().map(judge).max().unwrap_or(Moved::Little)
}

/// Everything but free room and the time of observation.
fn facts(pool: &PoolStatus) -> PoolStatus {
    PoolStatus { free: Vec::new(), observed_at: None, ..pool.clone() }
}

fn room(before: &PoolStatus, now: &PoolStatus) -> Moved {
    let names: BTreeSet<&String> = now.allocatable.keys().chain(before.allocatable.keys()).collect();
    let far = |name: &String| {
        let moved = (free(now, name) - free(before, name)).abs();
        moved > 0 && moved * PARTS >= amount(&now.allocatable, name)
    };
    if names.into_iter().any(far) { Moved::Room } else { Moved::Little }
}

/// Free in the whole pool, in nano-units.
fn free(pool: &PoolStatus, name: &str) -> i128 {
    pool.free.iter().map(|shape| amount(&shape.free, name) * i128::from(shape.nodes)).sum()
}

fn amount(amounts: &Resources, name: &str) -> i128 {
    amounts.get(name).and_then(|quantity| Quantity::parse(&quantity.0).ok()).map_or(0, Quantity::nanos)
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::NodeShape;
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

    use super::*;

    fn amounts(cpu: &str) -> Resources {
        Resources([("cpu".to_owned(), Text(cpu.to_owned()))].into())
    }

    fn pool(free: &str) -> PoolStatus {
        PoolStatus {
            name: "a".into(),
            nodes: 10,
            allocatable: amounts("100"),
            free: vec![NodeShape { nodes: 10, free: amounts(free) }],
            ..PoolStatus::default()
        }
    }

    #[test]
    fn room_counts_from_five_percent_and_facts_at_once() {
        let table = [
            ("the same", pool("5"), Moved::Little),
            ("4.9 % less", pool("4510m"), Moved::Little),
            ("5 % less", pool("4500m"), Moved::Room),
            ("5 % more", pool("5500m"), Moved::Room),
            ("a node more", PoolStatus { nodes: 11, ..pool("5") }, Moved::Facts),
            ("another kernel", PoolStatus { kernel: Some("5.10".into()), ..pool("5") }, Moved::Facts),
            ("another pool", PoolStatus { name: "b".into(), ..pool("5") }, Moved::Facts),
        ];
        for (name, seen, want) in table {
            assert_eq!(moved(&[pool("5")], &[seen]), want, "{name}");
        }
        assert_eq!(moved(&[], &[pool("5")]), Moved::Facts);
        assert_eq!(moved(&[], &[]), Moved::Little);
    }
}
