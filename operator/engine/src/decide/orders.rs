//! A person's order to place a workload anew, and a better score that is worth a move.
//!
//! An order stands until a decision carries it out, and not before the instant it names. It is no emergency: it waits for
//! the end of a change freeze where the workload runs, of an order that stops it and of an emergency, and while a cluster
//! where it runs does not answer, because who leaves such a cluster fails over, with the brakes of that. Who has to stand
//! together is placed anew together. A better score alone moves what its policy lets it move when somebody asks for a look,
//! under the same conditions.

use std::sync::Arc;

use super::planner::{Decided, Planner};
use super::record::Status;
use super::rule::Rule;
use super::snapshot::ClusterSlot;
use super::spec::{Cause, Division, Spec};

impl Planner<'_> {
    /// Takes orders out of a set that have to wait, and gives the others to all of it.
    pub(super) fn heed(&mut self, set: &mut [Arc<Spec>]) {
        if set.iter().all(|spec| !spec.rebalance) {
            return;
        }
        let as_of = self.view.as_of;
        let begins = |spec: &Spec| spec.rebalance_at.filter(|at| *at > as_of);
        let later = set.iter().filter(|spec| spec.rebalance).filter_map(|spec| begins(spec)).min();
        self.next_return = self.next_return.into_iter().chain(later).min();
        let begun = set.iter().any(|spec| spec.rebalance && begins(spec).is_none());
        let goes = begun && set.iter().all(|spec| self.may_leave(spec));
        for spec in set.iter_mut().filter(|spec| spec.rebalance != goes || begins(spec).is_some()) {
            let spec = Arc::make_mut(spec);
            spec.rebalance = goes;
            // What is to be later is not carried out with what is now.
            spec.rebalance_at = spec.rebalance_at.filter(|at| *at <= as_of);
        }
    }

    /// Whether it may leave the clusters where it runs without being in need: nothing else is done with it, and none of them
    /// is frozen or silent.
    fn may_leave(&mut self, spec: &Spec) -> bool {
        if spec.is_summoned() || spec.mode.is_some() || spec.requirement.cause != Cause::Change || !spec.lost.is_empty()
        {
            return false;
        }
        let block = self.store.of(&self.view, &spec.requirement);
        let Some(verdicts) = self.store.block(block) else { return true };
        let running = spec.current.iter().filter(|current| current.placed > 0);
        let mut slots = running.filter_map(|current| self.view.snapshot.slot(&current.cluster));
        let held = |slot: ClusterSlot| [Rule::Freeze, Rule::Reachability].iter().any(|r| verdicts.refuses(*r, slot));
        !slots.any(held)
    }

    /// The placement that a workload moves to because it gains more than its policy's threshold. It has what it wants, and
    /// stands alone. One that is whole in every cluster it uses would gain by each further one. Books nothing.
    pub(super) fn better(&mut self, spec: &Spec) -> Option<Decided> {
        let whole = spec.policy.division == Division::Duplicated;
        let nothing = spec.policy.rebalance_gain.is_none() || spec.colocate.is_some() || spec.reserved;
        if whole || nothing || spec.current.iter().all(|current| current.placed <= 0) || !self.may_leave(spec) {
            return None;
        }
        let decided = self.decide(spec);
        let moves = decided.status == Status::Placed && decided.rebalanced;
        (moves && decided.targets != self.as_it_is(spec).targets).then_some(decided)
    }
}
