//! Whether a member answers, judged with hysteresis both ways. Pure: observations and time come in.
//!
//! Time is a [`Duration`] on the caller's own steady clock: a remote clock may be wrong and a wall clock may jump. One
//! failed probe means nothing, nor does one that succeeds after an outage; a flapping member keeps the state it had. The
//! thresholds are those that Karmada's users settled on. The second witness is the agent's lease ([`Heartbeat`]): hub
//! and agent each have a [`Health`] of their own, and who decides on failover asks both.

use std::time::Duration;

use jiuzhou_api::v1alpha1::Reach;

/// How long a change must last before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Failing without a break before a cluster is unreachable.
    pub failure: Duration,
    /// Answering without a break before an unreachable cluster is reachable.
    pub success: Duration,
    /// Without any observation for longer, nothing is known: we slept, the cluster did not.
    pub grace: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { failure: seconds(30), success: seconds(30), grace: seconds(40) }
    }
}

/// The health of one cluster as one witness sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    thresholds: Thresholds,
    settled: Reach,
    /// Since when observations say the opposite of `settled`, without a break.
    against_since: Option<Duration>,
    last: Option<Duration>,
    last_answer: Option<Duration>,
}

impl Health {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, settled: Reach::Unknown, against_since: None, last: None, last_answer: None }
    }

    /// Takes one observation. Returns whether the state changed by it.
    pub fn observe(&mut self, answered: bool, now: Duration) -> bool {
        let before = self.settled;
        // Two failures with a long sleep between them do not prove a long failure.
        if self.is_stale(now) {
            self.against_since = None;
        }
        self.last = Some(now);
        if answered {
            self.last_answer = Some(now);
        }
        match (self.settled, answered) {
            // The first answer ever is enough: nothing was lost yet.
            (Reach::Unknown, true) => self.settle(Reach::Reachable),
            (Reach::Reachable, true) | (Reach::Unreachable, false) => self.against_since = None,
            (Reach::Unknown | Reach::Reachable, false) => {
                self.against(Reach::Unreachable, self.thresholds.failure, now);
            }
            (Reach::Unreachable, true) => self.against(Reach::Reachable, self.thresholds.success, now),
        }
        before != self.settled
    }

    /// The state, as far as it is known at this time.
    #[must_use]
    pub fn reach(&self, now: Duration) -> Reach {
        if self.is_stale(now) { Reach::Unknown } else { self.settled }
    }

    /// When it last answered.
    #[must_use]
    pub fn last_answer(&self) -> Option<Duration> {
        self.last_answer
    }

    /// Whether observations speak against the settled state, without a verdict yet: no time to start something new.
    #[must_use]
    pub fn wavers(&self) -> bool {
        self.against_since.is_some()
    }

    fn is_stale(&self, now: Duration) -> bool {
        self.last.is_none_or(|last| now.saturating_sub(last) > self.thresholds.grace)
    }

    fn against(&mut self, other: Reach, threshold: Duration, now: Duration) {
        let since = *self.against_since.get_or_insert(now);
        if now.saturating_sub(since) >= threshold {
            self.settle(other);
        }
    }

    fn settle(&mut self, state: Reach) {
        self.settled = state;
        self.against_since = None;
    }
}

/// The agent's lease as the hub sees it: alive is what changes, whatever time it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    seen: Option<String>,
    changed: Option<Duration>,
}

impl Heartbeat {
    /// Takes what the lease says now (its renewal time or resource version, as a text) and tells whether the agent is
    /// alive: it renewed within twice its interval. `None` while it cannot be told.
    pub fn observe(&mut self, says: Option<&str>, interval: Duration, now: Duration) -> Option<bool> {
        let says = says?;
        if self.seen.as_deref() != Some(says) {
            // What is found first may be old; only a change proves life.
            let first = self.seen.is_none();
            self.seen = Some(says.to_owned());
            self.changed = Some(now);
            return if first { None } else { Some(true) };
        }
        let silent = now.saturating_sub(self.changed.unwrap_or(now));
        if silent <= interval * 2 { None } else { Some(false) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Probes every ten seconds from 0; `1` answers. The states after each.
    fn states(probes: &str) -> Vec<Reach> {
        let mut health = Health::new(Thresholds::default());
        let mut now = at(0);
        let mut states = Vec::new();
        for probe in probes.bytes() {
            health.observe(probe == b'1', now);
            states.push(health.reach(now));
            now += at(10);
        }
        states
    }

    #[test]
    fn the_first_answer_is_enough_and_a_failure_must_last() {
        use Reach::{Reachable as R, Unknown as U, Unreachable as N};
        let table: [(&str, &[Reach]); 6] = [
            ("1", &[R]),
            ("0000", &[U, U, U, N]),
            ("10001", &[R, R, R, R, R]),
            ("10000", &[R, R, R, R, N]),
            ("100001110", &[R, R, R, R, N, N, N, N, N]),
            ("100001111", &[R, R, R, R, N, N, N, N, R]),
        ];
        for (probes, want) in table {
            assert_eq!(states(probes), want, "{probes}");
        }
    }

    #[test]
    fn losing_every_third_probe_changes_nothing() {
        assert!(states(&"110".repeat(100)).iter().all(|state| *state == Reach::Reachable));
        let after_outage = states(&format!("1{}{}", "0".repeat(5), "110".repeat(100)));
        assert!(after_outage[5..].iter().all(|state| *state == Reach::Unreachable), "a flapping member is not back");
    }

    #[test]
    fn a_hub_that_slept_knows_nothing_and_counts_anew() {
        let mut health = Health::new(Thresholds::default());
        health.observe(true, at(0));
        assert_eq!(health.reach(at(40)), Reach::Reachable);
        assert_eq!(health.reach(at(41)), Reach::Unknown);
        health.observe(false, at(1000));
        health.observe(false, at(1100));
        assert_eq!(health.reach(at(1100)), Reach::Reachable, "the failures are 100 s apart, but unseen between");
    }

    #[test]
    fn a_lease_lives_by_change_not_by_the_time_it_says() {
        let mut lease = Heartbeat::default();
        let interval = at(20);
        assert_eq!(lease.observe(None, interval, at(0)), None);
        assert_eq!(lease.observe(Some("2035"), interval, at(1)), None, "found first: may be old");
        assert_eq!(lease.observe(Some("2035"), interval, at(42)), Some(false));
        assert_eq!(lease.observe(Some("1999"), interval, at(43)), Some(true), "a clock that is wrong by decades");
        assert_eq!(lease.observe(Some("1999"), interval, at(83)), None);
        assert_eq!(lease.observe(Some("1999"), interval, at(84)), Some(false));
    }

    proptest! {
        #[test]
        fn it_changes_at_most_once_in_a_threshold(probes in prop::collection::vec((any::<bool>(), 1_u64..15), 1..200)) {
            let mut health = Health::new(Thresholds::default());
            let (mut now, mut changed) = (at(0), None);
            for (answered, step) in probes {
                now += at(step);
                if health.observe(answered, now) {
                    if let Some(before) = changed {
                        prop_assert!(now - before >= at(30), "changed at {before:?} and again at {now:?}");
                    }
                    changed = Some(now);
                }
            }
        }
    }
}
