//! Going back to an earlier group of the placement once its clusters have been healthy for long enough.
//!
//! A group that overflowed, or was lost, is not filled again at the first sign of life: each group names the time its
//! clusters must have been healthy without a break. Then what runs in a later group is decided anew on those clusters and
//! the ones it uses, and goes only if all of it ends in an earlier group than before. Clocks are inputs: since when a
//! cluster has been healthy, and the instant of the decision.

use jiff::{SignedDuration, Timestamp};

use super::mask;
use super::planner::{Decided, Planner};
use super::record::Status;
use super::snapshot::ClusterSlot;
use super::spec::Spec;

impl Planner<'_> {
    /// The decision that brings a workload back to an earlier group, if it is time and there is room. Books nothing.
    pub(crate) fn failback(&mut self, spec: &Spec) -> Failback {
        if spec.policy.failback_seconds.iter().all(Option::is_none) || spec.colocate.is_some() {
            return Failback::None;
        }
        let block = self.store.of(&self.view, &spec.requirement);
        let running = spec.current.iter().filter(|current| current.placed > 0);
        let slots: Vec<ClusterSlot> = running.filter_map(|c| self.view.snapshot.slot(&c.cluster)).collect();
        let Some(present) = self.last_group(block, &slots) else { return Failback::None };
        let mut open = vec![0; self.view.snapshot.width()];
        let mut due = false;
        let earlier = spec.policy.failback_seconds.iter().enumerate().take(present);
        for (group, seconds) in earlier.filter_map(|(group, seconds)| Some((group, (*seconds)?))) {
            let Some(verdicts) = self.store.block(block) else { return Failback::None };
            let mut members = verdicts.group(group).to_vec();
            mask::and(&mut members, verdicts.eligible());
            for slot in mask::iter(&members) {
                let cluster = self.view.snapshot.cluster(ClusterSlot::new(slot));
                let since = cluster.and_then(|cluster| cluster.healthy_since);
                let wait = SignedDuration::from_secs(seconds.max(0));
                let Some(at) = since.and_then(|since| since.checked_add(wait).ok()) else { continue };
                if at <= self.view.as_of {
                    mask::assign(&mut open, slot, true);
                    due = true;
                } else {
                    self.next_return = self.next_return.into_iter().chain([at]).min();
                }
            }
        }
        if !due {
            return Failback::None;
        }
        slots.iter().for_each(|slot| mask::assign(&mut open, slot.index(), true));
        let anew = Spec { rebalance: true, ..spec.clone() };
        let decided = self.decide_on(&anew, Some(&open));
        let targets: Vec<ClusterSlot> =
            decided.targets.iter().filter(|(_, replicas)| *replicas > 0).map(|(slot, _)| *slot).collect();
        let back = decided.status == Status::Placed && self.last_group(block, &targets).is_some_and(|g| g < present);
        if back { Failback::To(decided) } else { Failback::NoRoom }
    }

    /// The last of the groups that some clusters are in; `None` without any.
    pub(super) fn last_group(&self, block: usize, slots: &[ClusterSlot]) -> Option<usize> {
        let verdicts = self.store.block(block)?;
        let group = |slot: &ClusterSlot| (0..verdicts.groups()).find(|g| mask::has(verdicts.group(*g), slot.index()));
        slots.iter().filter_map(group).max()
    }
}

/// Whether a workload goes back.
#[derive(Debug)]
pub(crate) enum Failback {
    /// It is where it belongs, or it is not time.
    None,
    /// It is time, but not all of it has a place there.
    NoRoom,
    /// It goes.
    To(Decided),
}

/// The earlier of two instants, either of which may be missing.
pub(crate) fn earlier(one: Option<Timestamp>, two: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(two).min()
}
