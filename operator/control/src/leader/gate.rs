//! The question every writer asks at the moment of writing, and its answer.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A period of one leader; grows with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a write may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLeader {
    /// Another process leads, or nobody, or the lease ran out.
    #[error("failed to write: this process does not lead")]
    NotHeld,
    /// This process leads, but requests of the leader before it may still be under way to members.
    #[error("failed to write to a member: requests of the former leader may be under way for another {0:?}")]
    Settling(Duration),
}

/// What a process knows of its own leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) term: Term,
    /// From then on somebody else may hold the lease.
    pub(super) valid_until: Instant,
    /// Before then requests of the former leader may reach members.
    pub(super) members_from: Instant,
}

#[derive(Debug)]
enum State {
    /// As the lease says.
    Lease(Option<Claim>),
    /// No lease: there is only one process, by other means.
    Alone(Term),
}

/// Asked before every write. Copies are of the same leader.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Mutex<State>>);

/// The end of a gate that the leader's task holds.
pub(super) struct Claims(Gate);

impl Gate {
    /// A shut gate and what opens it.
    pub(super) fn new() -> (Self, Claims) {
        let gate = Self(Arc::new(Mutex::new(State::Lease(None))));
        (gate.clone(), Claims(gate))
    }

    /// A gate that is always open: for one process without a lease, kept alone by the lock of the audit log. The term
    /// must be above every one in the log.
    #[must_use]
    pub fn alone(term: Term) -> Self {
        Self(Arc::new(Mutex::new(State::Alone(term))))
    }

    /// Whether a write to the hub may start now.
    ///
    /// # Errors
    /// [`NotLeader::NotHeld`].
    pub fn check(&self) -> Result<Term, NotLeader> {
        self.claim().map(|claim| claim.0)
    }

    /// Whether a write to a member may start now.
    ///
    /// # Errors
    /// [`NotLeader`]: also while requests of the former leader may be under way.
    pub fn check_member(&self) -> Result<Term, NotLeader> {
        let (term, members_from) = self.claim()?;
        let wait = members_from.saturating_duration_since(Instant::now());
        if wait.is_zero() { Ok(term) } else { Err(NotLeader::Settling(wait)) }
    }

    fn claim(&self) -> Result<(Term, Instant), NotLeader> {
        let now = Instant::now();
        match *self.hold() {
            State::Alone(term) => Ok((term, now)),
            State::Lease(Some(claim)) if now < claim.valid_until => Ok((claim.term, claim.members_from)),
            State::Lease(_) => Err(NotLeader::NotHeld),
        }
    }

    pub(super) fn close(&self) {
        *self.hold() = State::Lease(None);
    }

    /// The state is one value, so a panic elsewhere cannot leave half of it.
    fn hold(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    pub(super) fn set(&self, claim: Option<Claim>) {
        *self.0.hold() = State::Lease(claim);
    }

    /// The claim, while it is valid.
    pub(super) fn current(&self) -> Option<Claim> {
        match *self.0.hold() {
            State::Lease(claim) => claim.filter(|claim| Instant::now() < claim.valid_until),
            State::Alone(_) => None,
        }
    }

    /// When the last claim ends or ended.
    pub(super) fn valid_until(&self) -> Option<Instant> {
        match *self.0.hold() {
            State::Lease(claim) => claim.map(|claim| claim.valid_until),
            State::Alone(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_gate_shuts_by_itself_when_the_claim_runs_out() {
        let (gate, claims) = Gate::new();
        assert_eq!(gate.check(), Err(NotLeader::NotHeld));
        let now = Instant::now();
        let second = Duration::from_secs(1);
        claims.set(Some(Claim { term: Term(3), valid_until: now + 10 * second, members_from: now + 4 * second }));
        assert_eq!(gate.check(), Ok(Term(3)));
        assert_eq!(gate.check_member(), Err(NotLeader::Settling(4 * second)));
        tokio::time::advance(4 * second).await;
        assert_eq!(gate.check_member(), Ok(Term(3)));
        tokio::time::advance(6 * second).await;
        assert_eq!((gate.check(), gate.check_member()), (Err(NotLeader::NotHeld), Err(NotLeader::NotHeld)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_alone_may_always_write() {
        let gate = Gate::alone(Term(7));
        tokio::time::advance(Duration::from_secs(1_000_000)).await;
        assert_eq!((gate.check(), gate.check_member()), (Ok(Term(7)), Ok(Term(7))));
    }
}
