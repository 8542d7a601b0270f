//! When workloads are looked at for a better score: once an hour, a slice at a time.
//!
//! A score is made of figures that change all the time, so nobody is woken by it: a policy with `rebalanceGainPerMille` says
//! that a move is worth its trouble beyond that, and an hour more or less is none. What the brake on moves holds is weighed
//! in every turn, so that it is there when it is approved.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

use crate::state::State;

/// Between two looks at the same workload.
const EVERY: Duration = Duration::from_secs(3600);
/// Workloads in one turn. One is some tens of microseconds at a thousand clusters.
const A_TURN: usize = 1000;
/// Between two slices.
const NEXT: Duration = Duration::from_secs(1);

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Weighing {
    /// When the next slice is due.
    pub(super) due: Instant,
    /// Who is left of this round.
    left: VecDeque<WorkloadKey>,
}

impl Weighing {
    /// The first look is an hour after the start: a restart with nothing changed writes nothing.
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now + EVERY, left: VecDeque::new() }
    }

    /// Whether a slice is due. Begins a round where it is time.
    pub(super) fn is_due(&mut self, now: Instant, state: &State) -> bool {
        if now < self.due {
            return false;
        }
        if self.left.is_empty() {
            let wants = state.snapshot().specs().filter(|spec| spec.policy.rebalance_gain.is_some() && !spec.reserved);
            self.left = wants.map(|spec| spec.key.clone()).collect();
        }
        if self.left.is_empty() {
            self.due = now + EVERY;
        }
        !self.left.is_empty()
    }

    /// The slice that is due.
    pub(super) fn slice(&self, now: Instant) -> BTreeSet<WorkloadKey> {
        let many = if self.due <= now { A_TURN } else { 0 };
        self.left.iter().take(many).cloned().collect()
    }

    /// A turn is over, which looked at this slice; at nothing where it failed.
    pub(super) fn done(&mut self, slice: &BTreeSet<WorkloadKey>, now: Instant) {
        if self.due > now {
            return;
        }
        self.left.retain(|key| !slice.contains(key));
        self.due = now + if self.left.is_empty() { EVERY } else { NEXT };
    }
}
