//! Slots of a set of components that are placed together.

use super::resources::Request;
use super::shapes::FreePool;

/// How many whole sets fit: each set is every component with its number of pods, in one pool but not on one node.
///
/// A lower bound that can be kept: the number is only answered when a packing of that many sets was found (components
/// with the fewest slots first, each on the nodes with the fewest slots for it). The true maximum is bin packing in
/// several dimensions and may be higher. No component, or none that asks for anything, is bounded by `limit`.
#[must_use]
pub fn composite_slots(pool: &FreePool, components: &[(Request, i64)], limit: i64) -> i64 {
    let mut parts: Vec<(i64, &Request, i64)> = components
        .iter()
        .filter(|(_, pods)| *pods > 0)
        .map(|(request, pods)| (pool.slots(request) / pods, request, *pods))
        .collect();
    parts.sort_unstable();
    let mut above = parts.iter().map(|part| part.0).min().unwrap_or(limit).min(limit).max(0);
    if parts.len() <= 1 {
        return above;
    }
    let fits = |sets: i64| {
        let mut trial = pool.clone();
        parts
            .iter()
            .all(|(_, request, pods)| pods.checked_mul(sets).is_some_and(|pods| trial.take(request, pods).pods == pods))
    };
    // Greedy packing need not be monotone in the number of sets; what is answered has been packed all the same.
    let mut below = 0;
    while below < above {
        let middle = below + (above - below) / 2 + (above - below) % 2;
        if fits(middle) {
            below = middle;
        } else {
            above = middle - 1;
        }
    }
    below
}
