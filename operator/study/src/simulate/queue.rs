//! What is going to happen, in the order of time; what happens in one minute is ordered by what it is and whom it is
//! about, so that no order of making changes an order of happening.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiuzhou_engine::decide::WorkloadKey;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The files say something else.
    Stage(usize),
    /// A cluster is back from a failure of a rule.
    Repair {
        /// Which.
        cluster: String,
        /// Number of the rule.
        rule: usize,
    },
    /// A cluster fails by a rule, for so many minutes.
    Fail {
        /// Which.
        cluster: String,
        /// Number of the rule.
        rule: usize,
        /// Minutes.
        minutes: i64,
    },
    /// The time or the turn of workloads on clusters that are not reached may have come.
    Failover,
    /// A workload leaves.
    Depart(WorkloadKey),
    /// A workload of a stream arrives.
    Arrive(usize),
    /// Curves step.
    Hour,
    /// Replicas of a workload may be ready.
    Ready(WorkloadKey),
    /// A date of the fleet has come.
    Date,
}

/// What is going to happen.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(BinaryHeap<Reverse<(i64, Event)>>);

impl Queue {
    pub(super) fn push(&mut self, at: i64, event: Event) {
        self.0.push(Reverse((at, event)));
    }

    /// The minute of what comes next.
    pub(super) fn next_minute(&self) -> Option<i64> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// What happens in a minute, in order; the same thing twice is one.
    pub(super) fn take(&mut self, minute: i64) -> Vec<Event> {
        let mut events = Vec::new();
        while self.next_minute() == Some(minute) {
            let Some(Reverse((_, event))) = self.0.pop() else { break };
            if events.last() != Some(&event) {
                events.push(event);
            }
        }
        events
    }
}
