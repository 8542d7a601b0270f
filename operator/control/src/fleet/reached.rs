//! How far epochs have come, and what members have seen beyond that: shared by the planner and the tasks of all members.
//!
//! It moves with every commit and wakes nobody. A claim that names an epoch this hub never committed says that the hub was
//! restored from a backup; that is noticed here by whoever reads the claim, and acted on by the planner.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiuzhou_member::claim::{Hub, Standing};

/// Epochs as all tasks see them.
#[derive(Debug, Default)]
pub struct Reached {
    /// The highest that is committed.
    committed: AtomicI64,
    /// The highest that was committed before this process began, and the first it has given out: none between is ours.
    before: AtomicI64,
    first: AtomicI64,
    /// The highest that a member has seen and this hub never committed, and the highest term above its own.
    seen: AtomicI64,
    term: AtomicI64,
    /// Whether a member did not take this hub for its own since that was asked last.
    contested: AtomicBool,
}

impl Reached {
    /// This process begins with what was committed until now.
    pub fn begin(&self, committed: i64) {
        self.committed.fetch_max(committed, Ordering::AcqRel);
        self.before.store(self.committed.load(Ordering::Acquire), Ordering::Release);
        self.first.store(i64::MAX, Ordering::Release);
    }

    /// Epochs from the first of these to the last are given out.
    pub fn given(&self, first: i64, last: i64) {
        self.first.fetch_min(first, Ordering::AcqRel);
        self.committed.fetch_max(last, Ordering::AcqRel);
    }

    /// The highest that is committed.
    #[must_use]
    pub fn committed(&self) -> i64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Puts into what a hub says of itself how far epochs have come.
    #[must_use]
    pub(super) fn put_into(&self, hub: &Hub) -> Hub {
        let first = match self.first.load(Ordering::Acquire) {
            i64::MAX => 0,
            first => first,
        };
        let never = (self.before.load(Ordering::Acquire), first);
        Hub { epoch: hub.epoch.max(self.committed()), never, ..hub.clone() }
    }

    /// Notes how this hub stands with a member.
    pub(super) fn notice(&self, standing: &Standing) {
        match standing {
            Standing::HubRolledBack { seen, .. } => {
                self.seen.fetch_max(*seen, Ordering::AcqRel);
            }
            Standing::NewerLeader { term } => {
                self.term.fetch_max(*term, Ordering::AcqRel);
            }
            Standing::OtherHub { .. } => {}
            _ => return,
        }
        self.contested.store(true, Ordering::Release);
    }

    /// The highest epoch that a member has seen and this hub never committed; 0 when there is none.
    #[must_use]
    pub fn behind(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    /// A person knows of what members have seen up to this epoch: it counts as committed.
    pub fn accept(&self, epoch: i64) {
        self.begin(epoch);
        let _ = self.seen.fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| (seen <= epoch).then_some(0));
    }

    /// What an earlier process had noticed.
    pub(crate) fn remember(&self, behind: i64) {
        self.seen.fetch_max(behind, Ordering::AcqRel);
    }

    /// The highest term above this hub's own that a member has seen; 0 when there is none.
    pub(crate) fn newer_term(&self) -> i64 {
        self.term.load(Ordering::Acquire)
    }

    /// A member does not take this hub for its own.
    #[cfg(test)]
    pub(crate) fn contest(&self) {
        self.contested.store(true, Ordering::Release);
    }

    /// Whether a member did not take this hub for its own since the last question.
    pub(crate) fn take_contested(&self) -> bool {
        self.contested.swap(false, Ordering::AcqRel)
    }
}
