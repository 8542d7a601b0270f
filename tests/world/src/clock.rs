//! The clock of the world: it stands still until a test moves it.
//!
//! Several worlds of one test share one clock. Watches with a time limit wait on it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use jiff::{SignedDuration, Timestamp};

/// A clock that only a test moves.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    waiting: Vec<Waker>,
}

impl Clock {
    /// A clock that stands at a time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { now, waiting: Vec::new() })))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Moves the clock forward (or back, for the faults that do so) and wakes whoever waits for it.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now.checked_add(by).unwrap_or(now));
    }

    /// Sets the clock and wakes whoever waits for it.
    pub fn set(&self, now: Timestamp) {
        let waiting = {
            let mut state = self.state();
            state.now = now;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Wakes at the next move.
    pub(crate) fn wait(&self, waker: &Waker) {
        self.state().waiting.push(waker.clone());
    }

    /// The time as Kubernetes prints it, in whole seconds.
    pub(crate) fn printed(&self) -> String {
        printed(self.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned clock is still a clock: its state is one value.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for Clock {
    /// Noon in Beijing on 5 January 2026.
    fn default() -> Self {
        Self::at(Timestamp::from_second(1_767_585_600).expect("a fixed second is a time"))
    }
}

/// A time as Kubernetes prints it, in whole seconds.
pub(crate) fn printed(time: Timestamp) -> String {
    let seconds = Timestamp::from_second(time.as_second()).unwrap_or(time);
    seconds.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_by_hand_and_prints_seconds() {
        let clock = Clock::default();
        assert_eq!(clock.printed(), "2026-01-05T04:00:00Z");
        clock.advance(SignedDuration::from_millis(1500));
        assert_eq!(clock.printed(), "2026-01-05T04:00:01Z");
    }
}
