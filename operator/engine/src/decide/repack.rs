//! The ledger at the end of a plan, packed as the next plan will find it.
//!
//! While a plan goes on, nodes fill up one decision at a time, with what ran before underneath. A planner of the outcome
//! books everything in the order of turns and may find other gaps between pods. Who waits for room is tried against
//! that, so that a second plan has nothing to add. Only clusters booked on since they were last packed are packed again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::mask;
use super::planner::Planner;
use super::snapshot::ClusterSlot;
use super::spec::Spec;

impl Planner<'_> {
    /// Packs the pools that were booked on anew, in the order of turns, as a planner of the outcome would find them.
    /// Answers the clusters whose room that changed.
    pub(crate) fn repack(&mut self) -> Vec<u64> {
        let mut touched = self.books.ledger.touched(self.books.packed, self.view.snapshot.width());
        let before = self.books.ledger.clear(&touched);
        let here = |slot: usize| mask::has(&touched, slot);
        let mut booked: Vec<(usize, Arc<Spec>, BTreeMap<usize, i64>)> = Vec::new();
        let clusters = mask::iter(&touched).filter_map(|slot| self.view.snapshot.cluster(ClusterSlot::new(slot)));
        let running = clusters.flat_map(|cluster| self.books.owners_on(&cluster.name));
        let concerned: BTreeSet<usize> = running.chain(self.books.moved.iter().copied()).collect();
        for (owner, (spec, placed)) in
            concerned.into_iter().filter_map(|owner| Some((owner, self.books.placed(owner)?)))
        {
            let mut on: BTreeMap<usize, i64> = placed.iter().filter(|(slot, _)| here(*slot)).copied().collect();
            for current in &spec.current {
                let Some(slot) = self.view.snapshot.slot(&current.cluster).map(ClusterSlot::index) else { continue };
                if here(slot) {
                    // What is to leave stays booked until it is gone.
                    let least =
                        if on.contains_key(&slot) { current.observed } else { current.placed.max(current.observed) };
                    let replicas = on.entry(slot).or_default();
                    *replicas = least.max(*replicas);
                }
            }
            if !on.is_empty() {
                booked.push((owner, Arc::clone(spec), on));
            }
        }
        booked.sort_by(|(_, a, _), (_, b, _)| a.by_turn(b));
        for (owner, spec, on) in booked {
            let block = self.store.of(&self.view, &spec.requirement);
            let shape = self.books.ledger.shape_id(&spec);
            for (slot, replicas) in on {
                self.book(block, shape, owner, ClusterSlot::new(slot), replicas);
            }
        }
        self.books.packed = self.books.ledger.position();
        for (slot, free) in before {
            mask::assign(&mut touched, slot, self.books.ledger.differs(slot, &free));
        }
        touched
    }

    /// Whether somebody gave back room, quota or a share since this was last asked.
    pub(crate) fn given_back(&mut self) -> bool {
        std::mem::take(&mut self.books.given_back)
    }
}
