//! Who may write: one process at a time, by a `Lease` on the hub, asked at the moment of every write.
//!
//! [`Leader`] takes and renews the lease in a task of its own; [`Gate`] is what writers ask. A term is a number that
//! grows with every change of holder and is carried by every append to the audit log, so that a writer who slept through
//! the loss of its lease is refused there too. The lease itself is read and written by a [`LeaseStore`]: [`KubeLease`]
//! on a hub, a simulated one in tests. Not here: what is written, and ending the writers before [`Leader::release`].
//!
//! Why not the crate `kube-lease-manager`: see docs/adr/0006-our-own-lease.md.

mod gate;
mod lease;
#[cfg(test)]
mod simulation;
mod step;

use std::{future::Future, time::Duration};

use jiuzhou_api::meta;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};

use self::gate::Claim;
pub use self::gate::{Gate, NotLeader, Term};
pub use self::lease::KubeLease;
use self::step::{Step, View};

use crate::rights::{Reach, Right, When};

/// A lease has no name yet when it is made.
pub(crate) const MAY_CREATE_LEASE: Right = Right {
    reach: Reach::System,
    when: When::Always,
    group: "coordination.k8s.io",
    resources: &["leases"],
    names: &[],
    verbs: &["create"],
    en: "the lease of the leader, made once",
    zh: "主节点租约，仅创建一次",
};

/// What the holder and the others do with it.
pub(crate) const MAY_HOLD_LEASE: Right = Right {
    names: &[meta::LEADER_LEASE],
    verbs: &["get", "update"],
    en: "one process writes at a time",
    zh: "同一时刻仅一个进程写入",
    ..MAY_CREATE_LEASE
};

/// The lease as it is on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who holds it; nobody after a release.
    pub holder: Option<String>,
    /// Changes of holder so far.
    pub term: u64,
    /// How long it holds after each renewal.
    pub duration: Duration,
    /// What compare-and-swap compares; empty for a lease that is not there yet.
    pub version: String,
}

/// Why a lease was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else wrote it first.
    #[error("failed to write the lease: it has changed")]
    Conflict,
    /// The hub refused or did not answer.
    #[error("failed to reach the lease: {0}")]
    Hub(Box<dyn std::error::Error + Send + Sync>),
}

/// Where the lease is. Every write is a compare-and-swap.
pub trait LeaseStore: Send + Sync + 'static {
    /// Reads it; `None` when there is none.
    fn read(&self) -> impl Future<Output = Result<Option<Held>, LeaseError>> + Send;

    /// Writes it if it still has this version, and answers with the new version.
    fn write(&self, lease: Held) -> impl Future<Output = Result<String, LeaseError>> + Send;
}

/// How a process takes part in the election.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of this process, never used by another one and not again after a restart.
    pub identity: String,
    /// How long a lease holds after each renewal.
    pub duration: Duration,
    /// How often the holder renews it, and the others look.
    pub renew_every: Duration,
    /// How long the slowest write to a member may take from the question at the gate to its end.
    pub longest_request: Duration,
    /// Highest term in the audit log: the next term is above it, even if the lease was deleted.
    pub floor: u64,
}

impl Settings {
    /// 15 s, renewed every 5 s; writes of at most 30 s.
    #[must_use]
    pub fn new(identity: impl Into<String>, floor: u64) -> Self {
        Self {
            identity: identity.into(),
            duration: Duration::from_secs(15),
            renew_every: Duration::from_secs(5),
            longest_request: Duration::from_secs(30),
            floor,
        }
    }

    /// How long a request about the lease may take: several fit into one lease.
    fn request(&self) -> Duration {
        self.renew_every
    }
}

/// Takes part in the election until released or dropped.
#[derive(Debug)]
pub struct Leader {
    gate: Gate,
    term: watch::Receiver<Option<Term>>,
    release: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Leader {
    /// Starts to take part. Needs a runtime.
    pub fn start<S: LeaseStore>(store: S, settings: Settings) -> Self {
        let (gate, claims) = Gate::new();
        let (announce, term) = watch::channel(None);
        let (release, released) = oneshot::channel();
        let candidate = Candidate { store, settings, claims, announce, view: View::default() };
        let task = tokio::spawn(candidate.run(released));
        Self { gate, term, release: Some(release), task }
    }

    /// The term while this process leads, else nothing; to start and stop what only a leader runs. One term may follow
    /// another without a gap.
    #[must_use]
    pub fn claim(&self) -> watch::Receiver<Option<Term>> {
        self.term.clone()
    }

    /// What every writer asks.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Gives the lease back, so that the next leader need not wait. Only after every write of this process has ended:
    /// the next one starts at once.
    pub async fn release(mut self) {
        if let Some(release) = self.release.take() {
            // The task is gone when it was told to stop already.
            let _ = release.send(());
        }
        let _ = (&mut self.task).await;
    }
}

impl Drop for Leader {
    /// Without a release the lease runs out by itself.
    fn drop(&mut self) {
        self.task.abort();
        self.gate.close();
    }
}

/// The task behind a [`Leader`].
struct Candidate<S> {
    store: S,
    settings: Settings,
    claims: gate::Claims,
    announce: watch::Sender<Option<Term>>,
    view: View,
}

impl<S: LeaseStore> Candidate<S> {
    async fn run(mut self, mut released: oneshot::Receiver<()>) {
        loop {
            let next = self.tick().await;
            let wake = self.claims.valid_until().map_or(next, |until| next.min(until));
            tokio::select! {
                () = sleep_until(wake) => self.lapse(),
                _ = &mut released => break,
            }
        }
        self.give_back().await;
    }

    /// Ends a claim that was not renewed in time.
    fn lapse(&mut self) {
        if self.claims.valid_until().is_some_and(|until| until <= Instant::now()) {
            tracing::warn!("leadership lost: the lease was not renewed in time");
            self.lose();
        }
    }

    fn lose(&mut self) {
        self.claims.set(None);
        self.announce.send_if_modified(|term| term.take().is_some());
    }

    /// Reads or renews the lease once, and says when to look again.
    async fn tick(&mut self) -> Instant {
        let now = Instant::now();
        let soon = now + self.settings.renew_every;
        let held = self.claims.current();
        if held.is_none() || !self.view.is_mine(&self.settings.identity) {
            let read = timeout_at(self.deadline(now), self.store.read()).await;
            match read {
                Ok(Ok(lease)) => self.view.saw(lease, Instant::now()),
                Ok(Err(error)) => return self.failed(&error, soon),
                Err(_) => return self.failed(&"no answer in time", soon),
            }
        }
        let step = step::next(&self.view, self.claims.current(), Instant::now(), &self.settings);
        let (lease, settle) = match step {
            Step::Wait(until) => {
                if held.is_some() {
                    tracing::warn!("leadership lost: another process holds the lease");
                    self.lose();
                }
                return until.min(soon);
            }
            Step::Renew(lease) => (lease, None),
            Step::Take(lease, settle) => (lease, Some(settle)),
        };
        self.write(lease, settle).await.unwrap_or(soon)
    }

    /// Writes the lease as ours; `settle` is how long a new leader leaves members alone. Says when to look again, if
    /// not as usual.
    async fn write(&mut self, lease: Held, settle: Option<Duration>) -> Option<Instant> {
        let sent = Instant::now();
        let term = Term(lease.term);
        match timeout_at(self.deadline(sent), self.store.write(lease.clone())).await {
            Ok(Ok(version)) => {
                self.view.saw(Some(Held { version, ..lease }), Instant::now());
                let valid_until = sent + step::trusted(self.settings.duration);
                let members_from = match (settle, self.claims.current()) {
                    (Some(settle), _) => Instant::now() + settle,
                    (None, Some(claim)) => claim.members_from,
                    // The claim ran out while the renewal was under way: the next look takes the lease anew.
                    (None, None) => return Some(Instant::now()),
                };
                self.claims.set(Some(Claim { term, valid_until, members_from }));
                if self.announce.send_if_modified(|now| now.replace(term) != Some(term)) {
                    tracing::info!(term = term.0, settle = ?settle.unwrap_or_default(), "leading");
                }
                None
            }
            Ok(Err(LeaseError::Conflict)) => {
                // Somebody wrote: look at once, and see whether it was a late renewal of our own.
                self.view.forget_version();
                Some(Instant::now() + self.settings.renew_every / 10)
            }
            failed => {
                self.view.forget_version();
                let soon = sent + self.settings.renew_every;
                Some(match failed {
                    Ok(Err(error)) => self.failed(&error, soon),
                    _ => self.failed(&"no answer in time", soon),
                })
            }
        }
    }

    /// A request ends before the claim it is about does.
    fn deadline(&self, now: Instant) -> Instant {
        let request = now + self.settings.request();
        self.claims.valid_until().map_or(request, |until| request.min(until))
    }

    fn failed(&mut self, why: &dyn std::fmt::Display, soon: Instant) -> Instant {
        tracing::warn!(error = %why, "failed to read or renew the lease");
        // A holder has little time left and tries more often.
        let hurry = Instant::now() + self.settings.renew_every / 5;
        if self.claims.current().is_some() { soon.min(hurry) } else { soon }
    }

    async fn give_back(&mut self) {
        let mine = self.claims.current().is_some();
        self.lose();
        let Some(lease) = self.view.mine(&self.settings.identity).filter(|_| mine) else { return };
        let empty = Held { holder: None, ..lease };
        let deadline = Instant::now() + self.settings.request();
        match timeout_at(deadline, self.store.write(empty)).await {
            Ok(Ok(_)) => tracing::info!("leadership given back"),
            _ => tracing::warn!("failed to give the lease back: the next leader waits until it runs out"),
        }
    }
}
