//! Who is looked at in a turn because of how it stands, whatever is asked.
//!
//! A workload that has what it wants, breaks no rule and waits for no earlier group is woken only by its own change, by a
//! cluster it uses, or by an order: a turn passes over it. How it stands rests on its own form, on what the rules say of
//! the clusters it uses, and on nothing that is booked, so it is found when one of these changes and kept.

use super::planner::{Decided, Planner};
use super::record::Status;
use super::snapshot::ClusterSlot;
use super::spec::{Division, Spec};
use super::stay::{Stays, stays};

impl Planner<'_> {
    /// Whether a workload as the snapshot has it is looked at in every turn. Its verdicts are this block's.
    pub(super) fn stirs(&mut self, spec: &Spec, block: usize) -> bool {
        if spec.reserved {
            return false;
        }
        if spec.changed
            || spec.rebalance
            || spec.is_summoned()
            || !self.settled_on(spec, block)
            || self.may_return(spec)
        {
            return true;
        }
        let standing = self.again(spec, block, 0);
        self.violates(spec, &standing)
    }

    /// Whether it runs in a later group than the first and its placement names when it goes back.
    fn may_return(&mut self, spec: &Spec) -> bool {
        if spec.policy.failback_seconds.iter().all(Option::is_none) || spec.colocate.is_some() {
            return false;
        }
        let block = self.store.of(&self.view, &spec.requirement);
        let running = spec.current.iter().filter(|current| current.placed > 0);
        let slots: Vec<ClusterSlot> = running.filter_map(|c| self.view.snapshot.slot(&c.cluster)).collect();
        self.last_group(block, &slots).is_some_and(|group| group > 0)
    }

    /// Whether a workload has what it wants and nothing it uses is going away.
    pub(super) fn settled(&mut self, spec: &Spec) -> bool {
        let block = self.store.of(&self.view, &spec.requirement);
        self.settled_on(spec, block)
    }

    fn settled_on(&self, spec: &Spec, block: usize) -> bool {
        let running: Vec<_> = spec.current.iter().filter(|current| current.placed > 0).collect();
        let enough = match spec.policy.division {
            Division::Duplicated => {
                !running.is_empty() && running.iter().all(|current| current.placed == spec.replicas)
            }
            Division::ByCapacity | Division::ByWeight(_) | Division::Packed => {
                running.iter().map(|current| current.placed).fold(0_i64, i64::saturating_add) == spec.replicas
            }
        };
        let stay = |name: &str| {
            let Some(slot) = self.view.snapshot.slot(name) else { return false };
            let verdicts = self.store.block(block);
            verdicts.is_some_and(|verdicts| stays(&self.view, verdicts, spec, slot) != Stays::Leaves)
        };
        enough && running.iter().all(|current| stay(&current.cluster))
    }

    /// A workload that nothing woke: what runs, said again.
    pub(super) fn as_it_is(&mut self, spec: &Spec) -> Decided {
        let block = self.store.of(&self.view, &spec.requirement);
        let shape = self.books.ledger.shape_id(spec);
        self.again(spec, block, shape)
    }

    fn again(&self, spec: &Spec, block: usize, shape: usize) -> Decided {
        let mut targets: Vec<_> = spec
            .current
            .iter()
            .filter(|current| current.placed > 0)
            .filter_map(|current| Some((self.view.snapshot.slot(&current.cluster)?, current.placed)))
            .collect();
        targets.sort_by_key(|(slot, _)| self.view.snapshot.name_rank(*slot));
        let status = Status::Placed;
        Decided { status, targets, limit: None, dropped: 0, rebalanced: false, full: 0, block, shape }
    }
}
