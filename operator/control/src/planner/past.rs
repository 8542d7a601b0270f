//! What a hub does that learns from its members that it went back in time, or that another took its place.
//!
//! A restored hub knows an old fleet: what it would decide and order from that could start a second copy of what has moved
//! since, or take away what is new. So from the moment a member shows an epoch that was never committed here, nothing is
//! decided and nothing written to members, over restarts too, until a person has looked (`jiuzhou recover`). A term or a
//! place as another hub's successor that a person gives it is taken up by starting anew.

use std::time::Duration;

use jiuzhou_api::meta;
use tokio::time::Instant;

use super::{Planner, recovered};
use crate::decide::counter;
use crate::error::Error;
use crate::seeded::{self, Bug};

/// Between two looks whether a person has decided.
const LOOK: Duration = Duration::from_secs(15);

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The counter was read once.
    known: bool,
    /// What is written down: the epoch that was never committed here, and the newest term.
    behind: i64,
    term_seen: i64,
    /// What people said of it that is in the audit log.
    pub(super) words: recovered::Words,
    /// When to look next whether a person has decided; `None` while nothing is waited for.
    pub(super) look: Option<Instant>,
}

impl Planner {
    /// Whether the hub waits for a person because it went back in time.
    pub(super) fn is_behind(&self) -> bool {
        self.past.behind > 0 && !seeded::is(Bug::BehindGoesOn)
    }

    /// Looks what members have seen, writes down what is news, and goes on when a person has decided.
    ///
    /// # Errors
    /// When the counter cannot be read or written, or this process has to start anew.
    pub(super) async fn look_back(&mut self) -> Result<(), Error> {
        let reached = self.outlook.borrow().reached.clone();
        self.record_members().await?;
        if !self.past.known {
            let counter = counter::read(&self.client).await?;
            self.record_words(&counter).await?;
            reached.begin(self.state.highest_epoch().max(counter.committed));
            reached.remember(counter.behind);
            (self.past.known, self.past.term_seen) = (true, counter.term_seen);
        }
        let now = Instant::now();
        if reached.take_contested() {
            self.past.look.get_or_insert(now);
        }
        let (seen, term) = (reached.behind(), reached.newer_term());
        if seen > self.past.behind || term > self.past.term_seen {
            self.gate.check()?;
            let written = counter::change(&self.client, meta::FIELD_MANAGER, |counter| {
                // A task may have looked before it heard that a person knows of it.
                let unknown = if seen > counter.committed { seen } else { 0 };
                counter.behind = counter.behind.max(unknown);
                counter.term_seen = counter.term_seen.max(term);
                Ok(())
            });
            let written = written.await?;
            if written.behind > self.past.behind {
                let epoch = written.behind;
                tracing::error!(
                    epoch,
                    "a member has seen what this hub never committed; waiting for `jiuzhou recover`"
                );
                self.dirty.extend(self.state.workload_keys());
            } else if written.behind == 0 {
                reached.accept(written.committed);
            }
            (self.past.behind, self.past.term_seen) = (written.behind, written.term_seen);
            self.past.look = Some(now + LOOK);
        }
        if self.past.look.is_some_and(|at| at <= now) {
            self.look_for_decision().await?;
            self.past.look = self.is_behind().then_some(now + LOOK);
        }
        Ok(())
    }

    /// Whether a person has decided.
    async fn look_for_decision(&mut self) -> Result<(), Error> {
        let outlook = self.outlook.borrow().clone();
        let counter = counter::read(&self.client).await?;
        self.record_words(&counter).await?;
        let term = self.gate.check().map_or(i64::MAX, |term| i64::try_from(term.0).unwrap_or(i64::MAX));
        if counter.term >= term || counter.succeeds != outlook.hub.succeeds {
            return Err(Error::Promoted);
        }
        if self.is_behind() && counter.behind == 0 {
            tracing::info!(epoch = counter.committed, by = counter.recovered, "a person has looked; going on");
            outlook.reached.accept(counter.committed);
            self.past.behind = 0;
            self.turn = true;
            self.dirty.extend(self.state.workload_keys());
        }
        Ok(())
    }
}
