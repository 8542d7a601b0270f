//! What may happen to replicas that already run.
//!
//! Hard rules keep out what is new at once. What runs moves only because the cluster is going away or is lost, because it
//! is not well there, by the tier's own rule, because the workload's owner changed where it may be, or by an order; until
//! then it stays, takes no more there and is reported as violating.

use super::input::OnExpiry;
use super::mask;
use super::rule::Rule;
use super::snapshot::ClusterSlot;
use super::spec::Spec;
use super::tell::data_rule;
use super::verdicts::Verdicts;
use super::view::{Demand, View};

/// What may happen to replicas that run on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    /// May stay and grow.
    Free,
    /// Stays, takes no more.
    Capped,
    /// Has to leave.
    Leaves,
}

/// What may happen to replicas of a workload that run on a cluster. Hard rules keep out what is new at once; what runs
/// moves only by the tier's own rule, by an order, or because the cluster is going away.
pub(crate) fn stays(view: &View<'_>, verdicts: &Verdicts, spec: &Spec, slot: ClusterSlot) -> Stays {
    // What is on its way out of a cluster is data that grows old there: it does not come back by the same way.
    let data = view.snapshot.cluster(slot).is_none_or(|cluster| data_rule(spec, &cluster.name).reasons.is_empty());
    let mut stays = if data { Stays::Free } else { Stays::Capped };
    if gives_up_for_health(view, spec, slot) {
        return Stays::Leaves;
    }
    if mask::has(verdicts.eligible(), slot.index()) {
        return stays;
    }
    for rule in Rule::ALL.into_iter().filter(|rule| verdicts.refuses(*rule, slot)) {
        let one = match rule {
            // As Kubernetes does for nodes: what is there stays there. Eviction by NoExecute is a step of its own.
            Rule::Taints => Stays::Free,
            Rule::State => Stays::Leaves,
            Rule::Affinity | Rule::Group if spec.changed || spec.rebalance => Stays::Leaves,
            Rule::Reachability if gives_up(view, spec, slot) => Stays::Leaves,
            Rule::Freeze | Rule::Reachability => Stays::Capped,
            Rule::Tier if moves_on_expiry(view, spec) || spec.rebalance => Stays::Leaves,
            _ if spec.rebalance => Stays::Leaves,
            _ => Stays::Capped,
        };
        stays = match (stays, one) {
            (Stays::Leaves, _) | (_, Stays::Leaves) => Stays::Leaves,
            (Stays::Capped, _) | (_, Stays::Capped) => Stays::Capped,
            (Stays::Free, Stays::Free) => Stays::Free,
        };
    }
    stays
}

/// Whether it was let go from this cluster.
fn gives_up(view: &View<'_>, spec: &Spec, slot: ClusterSlot) -> bool {
    !spec.lost.is_empty() && view.snapshot.cluster(slot).is_some_and(|cluster| spec.lost.contains(&cluster.name))
}

/// Whether it was let go from this cluster because it is not well there.
fn gives_up_for_health(view: &View<'_>, spec: &Spec, slot: ClusterSlot) -> bool {
    !spec.unhealthy_in.is_empty()
        && view.snapshot.cluster(slot).is_some_and(|cluster| spec.unhealthy_in.contains_key(&cluster.name))
}

fn moves_on_expiry(view: &View<'_>, spec: &Spec) -> bool {
    let demand = Demand::new(view.snapshot, &spec.requirement);
    let tier = demand.tiers.checked_sub(1).and_then(|at| view.snapshot.tiers.get(at));
    tier.is_some_and(|tier| matches!(tier.on_expiry, OnExpiry::Move { .. }))
}
